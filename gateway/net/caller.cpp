#include "gateway/net/caller.hpp"

#include "gateway/net/channel.hpp"
#include "gateway/net/tls_context.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>

namespace gateway::net {
namespace {

using base::fail;

constexpr std::size_t head_bytes_max = 16u << 10, addresses_max = 4, part_bytes_max = 64u << 10;
constexpr std::chrono::milliseconds stop_is_seen_within{200};
constexpr unsigned char http_1_1[] = "\x08http/1.1";

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

boost::asio::ip::address address_of(const sockaddr& socket_address) {
  namespace ip = boost::asio::ip;
  if (socket_address.sa_family == AF_INET) {
    return ip::address_v4(ntohl(reinterpret_cast<const sockaddr_in&>(socket_address).sin_addr.s_addr));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(socket_address);
  ip::address_v6::bytes_type bytes;
  std::copy_n(v6.sin6_addr.s6_addr, bytes.size(), bytes.begin());
  return ip::address_v6(bytes, v6.sin6_scope_id);
}

/// Waits for the socket. False once the deadline has passed or the program is ending.
bool wait_for(int socket, short events, const CallRules& rules) {
  while (!rules.stop.stop_requested()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(rules.deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd waiting{socket, events, 0};
    if (::poll(&waiting, 1, static_cast<int>(std::min(left, stop_is_seen_within).count())) > 0) return true;
  }
  return false;
}

/// One attempt at one judged address.
Result<Descriptor> open_socket(const addrinfo& to, const CallRules& rules) {
  Descriptor socket(::socket(to.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.number() < 0) return fail(CallErrc::CannotConnect, "no socket");
  const int on = 1;
  ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket.number(), to.ai_addr, to.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return fail(CallErrc::CannotConnect, "refused");
    if (!wait_for(socket.number(), POLLOUT, rules)) return fail(CallErrc::TimedOut);
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(socket.number(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
      return fail(CallErrc::CannotConnect, "refused");
  }
  return socket;
}

/// The first allowed address that takes the connection; others are never tried.
Result<Descriptor> open_socket(const HttpsUrl& url, const CallRules& rules) {
  const addrinfo hints{.ai_flags = AI_NUMERICSERV | (url.is_numeric() ? AI_NUMERICHOST : 0),
                       .ai_family = AF_UNSPEC,
                       .ai_socktype = SOCK_STREAM,
                       .ai_protocol = 0,
                       .ai_addrlen = 0,
                       .ai_addr = nullptr,
                       .ai_canonname = nullptr,
                       .ai_next = nullptr};
  addrinfo* found = nullptr;
  if (::getaddrinfo(url.host().c_str(), std::to_string(url.port()).c_str(), &hints, &found) != 0)
    return fail(CallErrc::CannotConnect, "no such name");
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  base::Error last = fail(CallErrc::NotAllowed);
  std::size_t tried = 0;
  for (const auto* one = list.get(); one != nullptr && tried < addresses_max; one = one->ai_next) {
    if (!rules.allowed.may_go_to(address_of(*one->ai_addr))) continue;
    ++tried;
    auto socket = open_socket(*one, rules);
    if (socket || socket.error().code == CallErrc::TimedOut) return socket;
    last = std::move(socket).error();
  }
  return last;
}

std::optional<unsigned> status_of(std::string_view head) {
  constexpr std::string_view version = "HTTP/1.";
  if (!head.starts_with(version) || head.size() < 12 || head[8] != ' ') return std::nullopt;
  unsigned status = 0;
  for (const char c : head.substr(9, 3)) {
    if (c < '0' || c > '9') return std::nullopt;
    status = status * 10 + static_cast<unsigned>(c - '0');
  }
  return status >= 100 && status < 600 ? std::optional(status) : std::nullopt;
}

}  // namespace

struct Caller::Parts {
  Parts(HttpsUrl to, CallRules by) : url(std::move(to)), rules(std::move(by)) {}
  ~Parts() {
    SSL_free(session);
    SSL_CTX_free(context);
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  const HttpsUrl url;
  CallRules rules;
  Descriptor socket;
  SSL_CTX* context = nullptr;
  SSL* session = nullptr;
  Peer server = {};
  bool refused = false;  ///< the server's certificate was
  Bytes in;

  /// RFC 6125: only what subjectAltName says; a wildcard stands for one whole label.
  bool is_of_the_host(X509* certificate) const {
    constexpr unsigned strict = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    if (url.is_numeric()) return X509_check_ip_asc(certificate, url.host().c_str(), 0) == 1;
    return X509_check_host(certificate, url.host().data(), url.host().size(), strict, nullptr) == 1;
  }

  /// Takes the place of OpenSSL's path validation: whom to believe is judged in certs/trust, by values.
  static int judge_server(X509_STORE_CTX* chain, void* parts) noexcept {
    auto& self = *static_cast<Parts*>(parts);
    try {
      if (read_presented(chain, self.server) && self.is_of_the_host(X509_STORE_CTX_get0_cert(chain)) &&
          self.rules.accept_server(self.server))
        return 1;
    } catch (...) {  // must not cross OpenSSL; uncertain means no
    }
    self.refused = true;
    X509_STORE_CTX_set_error(chain, X509_V_ERR_CERT_REJECTED);
    return 0;
  }

  Result<void> make_session() {
    context = SSL_CTX_new(TLS_client_method());
    if (context == nullptr || !restrict_protocol(context) || !use_credential(context, rules.credential) ||
        SSL_CTX_set_alpn_protos(context, http_1_1, sizeof http_1_1 - 1) != 0)
      return fail(CallErrc::CannotConnect, "our credential cannot be used for TLS");
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context, judge_server, this);
    session = SSL_new(context);
    if (session == nullptr || SSL_set_fd(session, socket.number()) != 1 ||
        (!url.is_numeric() && SSL_set_tlsext_host_name(session, url.host().c_str()) != 1))
      return fail(CallErrc::CannotConnect, "no TLS session");
    return {};
  }

  /// Repeats one call of OpenSSL until it is done. @return false where the connection broke
  template <class Step>
  Result<bool> drive(Step step) {
    while (true) {
      ERR_clear_error();
      const int returned = step();
      const int error = SSL_get_error(session, returned);
      if (error == SSL_ERROR_NONE) return true;
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return false;
      if (!wait_for(socket.number(), error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, rules))
        return fail(CallErrc::TimedOut);
    }
  }

  Result<void> write(BytesView bytes) {
    while (!bytes.empty()) {
      std::size_t taken = 0;
      if (!TRY(drive([&] { return SSL_write_ex(session, bytes.data(), bytes.size(), &taken); })))
        return fail(CallErrc::Broken);
      bytes.remove_prefix(taken);
    }
    return {};
  }

  /// Until the empty line after a header. @return the header, without that line
  Result<Bytes> read_head() {
    std::array<char, 4096> part;
    auto end = in.find("\r\n\r\n");
    while (end == Bytes::npos) {
      if (in.size() > head_bytes_max) return fail(CallErrc::BadAnswer, "a head above 16 KB");
      std::size_t count = 0;
      if (!TRY(drive([&] { return SSL_read_ex(session, part.data(), part.size(), &count); })))
        return fail(CallErrc::Broken);
      in.append(part.data(), count);
      end = in.find("\r\n\r\n");
    }
    Bytes head = in.substr(0, end);
    in.erase(0, end + 4);
    return head;
  }
};

Result<void> may_be_called(const HttpsUrl& url, const AllowedNetworks& allowed) {
  if (!url.is_numeric()) return {};
  boost::system::error_code unreadable;
  const auto address = boost::asio::ip::make_address(url.host(), unreadable);
  if (unreadable || !allowed.may_go_to(address)) return fail(CallErrc::NotAllowed);
  return {};
}

Caller::Caller(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Caller::~Caller() = default;
Caller::Caller(Caller&&) noexcept = default;
Caller& Caller::operator=(Caller&&) noexcept = default;

Result<Caller> Caller::connect(const HttpsUrl& url, CallRules rules) {
  auto parts = std::make_unique<Parts>(url, std::move(rules));
  parts->socket = TRY(open_socket(parts->url, parts->rules));
  TRY(parts->make_session());
  if (!TRY(parts->drive([&] { return SSL_connect(parts->session); })))
    return fail(parts->refused ? CallErrc::WrongServer : CallErrc::CannotConnect, "the handshake failed");
  return Caller(std::move(parts));
}

Result<unsigned> Caller::post(std::string_view content_type, Body body, SteadyTime deadline) {
  parts_->rules.deadline = deadline;
  Bytes head = "POST " + parts_->url.target() + " HTTP/1.1\r\nHost: " + parts_->url.field();
  head.append("\r\nUser-Agent: gatehouse\r\nConnection: close\r\nContent-Type: ").append(content_type);
  head.append("\r\nContent-Length: ").append(std::to_string(size(body))).append("\r\n\r\n");
  TRY(parts_->write(head));
  BodyReader reader(std::move(body));
  for (auto part = TRY(reader.next(part_bytes_max)); !part.empty(); part = TRY(reader.next(part_bytes_max))) {
    TRY(parts_->write(part));
  }
  while (true) {
    const auto status = status_of(TRY(parts_->read_head()));
    if (!status) return fail(CallErrc::BadAnswer, "no status line");
    if (*status >= 200) return *status;
  }
}

}  // namespace gateway::net
