#include "gateway/net/syslog_client.hpp"

#include "base/error_table.hpp"
#include "gateway/net/channel.hpp"
#include "gateway/net/tls_context.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>
#include <deque>

namespace gateway::net {
namespace {

using base::Cause;
using base::fail;
using std::chrono::steady_clock;

constexpr base::ErrorRow rows[] = {
    {int(SyslogErrc::CannotConnect), "syslog-cannot-connect", "the audit repository cannot be connected to",
     Cause::TryLater},
    {int(SyslogErrc::WrongServer), "syslog-wrong-server", "the audit repository's certificate is not believed",
     Cause::NotTrusted},
    {int(SyslogErrc::Broken), "syslog-broken", "the connection to the audit repository ended", Cause::TryLater},
};
constinit const base::ErrorTable errors("gatehouse.net.syslog", rows);

struct FreeContext {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
struct FreeSession {
  void operator()(SSL* session) const noexcept { SSL_free(session); }
};
struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

/// What the handshake judges the receiver by, and what came of it.
struct Judgement {
  const SyslogDestination& destination;
  std::string refused = {};
};

bool bears_name(X509* certificate, const std::string& name) {
  constexpr unsigned strictly = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
  return X509_check_host(certificate, name.data(), name.size(), strictly, nullptr) == 1 ||
         X509_check_ip_asc(certificate, name.c_str(), 0) == 1;
}

/// Takes the place of OpenSSL's path validation: whom to believe is judged in certs/trust.
int judge_server(X509_STORE_CTX* chain, void* context) noexcept {
  auto& judgement = *static_cast<Judgement*>(context);
  try {
    Peer peer;
    const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    const auto judged = [&]() -> Result<void> {
      TRY(read_presented(chain, peer));
      TRY(judgement.destination.trust->validate(*peer.certificate, peer.presented, certs::Use::TlsServer, now));
      return {};
    }();
    if (!judged) {
      judgement.refused = judged.error().code.message();
    } else if (!bears_name(X509_STORE_CTX_get0_cert(chain), judgement.destination.server_name)) {
      judgement.refused = "its certificate does not name " + judgement.destination.server_name;
    } else {
      return 1;
    }
  } catch (...) {  // must not cross OpenSSL; uncertain means no
    judgement.refused = "its certificate could not be judged";
  }
  X509_STORE_CTX_set_error(chain, X509_V_ERR_CERT_REJECTED);
  return 0;
}

bool wait_for(int socket, short what, steady_clock::time_point until) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd one{.fd = socket, .events = what, .revents = 0};
    const int ready = ::poll(&one, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

/// A connected socket that never blocks. Half-dead connections end by the kernel within the patience.
Result<Descriptor> open_socket(const SyslogDestination& to, steady_clock::time_point until) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int failed = ::getaddrinfo(to.host.c_str(), std::to_string(to.port).c_str(), &wanted, &list); failed != 0) {
    return fail(SyslogErrc::CannotConnect, to.host + ": " + ::gai_strerror(failed));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(list);
  std::string because = "no address";
  for (const auto* one = addresses.get(); one; one = one->ai_next) {
    Descriptor socket(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1, patience = static_cast<int>(to.patience.count());
    ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(socket.number(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(socket.number(), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
    if (::connect(socket.number(), one->ai_addr, one->ai_addrlen) == 0) return socket;
    int failed = errno;
    if (failed == EINPROGRESS) {
      socklen_t size = sizeof failed;
      failed = ETIMEDOUT;
      if (wait_for(socket.number(), POLLOUT, until)) {
        ::getsockopt(socket.number(), SOL_SOCKET, SO_ERROR, &failed, &size);
      }
      if (failed == 0) return socket;
    }
    because = std::strerror(failed);
  }
  return fail(SyslogErrc::CannotConnect, to.host + " port " + std::to_string(to.port) + ": " + because);
}

}  // namespace

boost::system::error_code make_error_code(SyslogErrc code) noexcept { return {static_cast<int>(code), errors}; }

struct SyslogClient::Parts {
  /// Octets of ours, and where TCP's stream stood after them.
  struct Mark {
    std::uint64_t octets, in_stream;
  };
  std::chrono::milliseconds patience{};
  Descriptor socket;
  std::unique_ptr<SSL_CTX, FreeContext> context;
  std::unique_ptr<SSL, FreeSession> session;
  std::deque<Mark> marks;
  std::uint64_t written = 0, acknowledged = 0;

  std::uint64_t in_stream() const { return BIO_number_written(SSL_get_wbio(session.get())); }

  /// Whether OpenSSL may try once more after this outcome; false where it has failed.
  bool may_go_on(int outcome, steady_clock::time_point until) const {
    const int why = SSL_get_error(session.get(), outcome);
    ERR_clear_error();
    if (why == SSL_ERROR_WANT_READ) return wait_for(socket.number(), POLLIN, until);
    if (why == SSL_ERROR_WANT_WRITE) return wait_for(socket.number(), POLLOUT, until);
    return false;
  }
};

SyslogClient::SyslogClient(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

SyslogClient::~SyslogClient() {
  SSL_shutdown(parts_->session.get());
  ERR_clear_error();
}

Result<std::unique_ptr<audit::Sink>> SyslogClient::connect(const SyslogDestination& destination) {
  const auto until = steady_clock::now() + destination.patience;
  auto parts = std::make_unique<Parts>();
  parts->patience = destination.patience;
  parts->socket = TRY(open_socket(destination, until));
  parts->context.reset(SSL_CTX_new(TLS_client_method()));
  auto* context = parts->context.get();
  if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, suites_of_tls_1_2) != 1 || !use_credential(context, destination.credential)) {
    ERR_clear_error();
    return fail(SyslogErrc::CannotConnect, "our credential cannot be used for TLS");
  }
  Judgement judgement{.destination = destination};
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, judge_server, &judgement);
  parts->session.reset(SSL_new(context));
  auto* session = parts->session.get();
  if (!session || SSL_set_fd(session, parts->socket.number()) != 1) {
    return fail(SyslogErrc::CannotConnect, "no TLS session");
  }
  const bool is_name = destination.server_name.find_first_not_of("0123456789.:") != std::string::npos;
  if (is_name) SSL_set_tlsext_host_name(session, destination.server_name.c_str());
  for (int outcome = SSL_connect(session); outcome != 1; outcome = SSL_connect(session)) {
    if (parts->may_go_on(outcome, until)) continue;
    if (!judgement.refused.empty()) return fail(SyslogErrc::WrongServer, judgement.refused);
    return fail(SyslogErrc::CannotConnect, "the TLS handshake failed");
  }
  SSL_CTX_set_cert_verify_callback(context, nullptr, nullptr);  // the judgement ends with this function
  return std::unique_ptr<audit::Sink>(new SyslogClient(std::move(parts)));
}

Result<void> SyslogClient::write(base::BytesView frames) {
  const auto until = steady_clock::now() + parts_->patience;
  while (!frames.empty()) {
    std::size_t count = 0;
    const int outcome = SSL_write_ex(parts_->session.get(), frames.data(), frames.size(), &count);
    if (outcome == 1) {
      frames.remove_prefix(count);
      parts_->written += count;
    } else if (!parts_->may_go_on(outcome, until)) {
      return fail(SyslogErrc::Broken, "while writing");
    }
  }
  parts_->marks.push_back({parts_->written, parts_->in_stream()});
  return {};
}

Result<std::uint64_t> SyslogClient::acknowledged() {
  char ignored[512];  // a receiver has nothing to say but that it goes
  std::size_t count = 0;
  int outcome = 1;
  for (unsigned reads = 0; outcome == 1 && reads < 64; ++reads) {
    outcome = SSL_read_ex(parts_->session.get(), ignored, sizeof ignored, &count);
  }
  if (outcome != 1 && SSL_get_error(parts_->session.get(), outcome) != SSL_ERROR_WANT_READ) {
    ERR_clear_error();
    return fail(SyslogErrc::Broken, "by the other side");
  }
  int unacknowledged = 0;
  if (::ioctl(parts_->socket.number(), SIOCOUTQ, &unacknowledged) != 0) return fail(SyslogErrc::Broken);
  const auto arrived = parts_->in_stream() - static_cast<std::uint64_t>(unacknowledged);
  while (!parts_->marks.empty() && parts_->marks.front().in_stream <= arrived) {
    parts_->acknowledged = parts_->marks.front().octets;
    parts_->marks.pop_front();
  }
  return parts_->acknowledged;
}

}  // namespace gateway::net
