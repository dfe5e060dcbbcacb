#include "gateway/net/blocking_client.hpp"

#include "base/error_table.hpp"
#include "gateway/net/channel.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <charconv>
#include <cstring>

namespace gateway::net {
namespace {

using base::Cause;
using base::fail;

constexpr base::ErrorRow rows[] = {
    {int(ClientErrc::CannotConnect), "client-cannot-connect", "the server cannot be connected to", Cause::TryLater},
    {int(ClientErrc::WrongServer), "client-wrong-server", "the server shows another certificate", Cause::NotTrusted},
    {int(ClientErrc::Broken), "client-broken", "the connection ended before the answer", Cause::TryLater},
    {int(ClientErrc::BadAnswer), "client-bad-answer", "the answer cannot be read", Cause::BadMessage},
};
constinit const base::ErrorTable errors("gatehouse.net.client", rows);

constexpr std::size_t head_bytes_max = 16u << 10, read_bytes = 64u << 10;

struct FreeContext {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
struct FreeSession {
  void operator()(SSL* session) const noexcept { SSL_free(session); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;
using Session = std::unique_ptr<SSL, FreeSession>;

/// Takes the place of path validation: one certificate is believed, by its DER.
int is_expected_server(X509_STORE_CTX* chain, void* expected) {
  const auto* known = static_cast<const certs::Certificate*>(expected);
  if (X509_cmp(X509_STORE_CTX_get0_cert(chain), known->handle()) == 0) return 1;
  X509_STORE_CTX_set_error(chain, X509_V_ERR_CERT_REJECTED);
  return 0;
}

/// @param destination  must outlive the handshakes made with it
Context make_context(const Destination& destination) {
  Context context(SSL_CTX_new(TLS_client_method()));
  if (!context) return nullptr;
  const auto& [key, certificate, chain] = destination.credential;
  if (SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_use_certificate(context.get(), certificate.handle()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.handle()) != 1)
    return nullptr;
  for (const auto& one : chain) {
    if (SSL_CTX_add1_chain_cert(context.get(), one.handle()) != 1) return nullptr;
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context.get(), is_expected_server,
                                   const_cast<certs::Certificate*>(&destination.server));
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

Result<Descriptor> open_socket(const Destination& destination) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(destination.port);
  if (socket.number() < 0 || ::inet_pton(AF_INET, destination.address.c_str(), &to.sin_addr) != 1)
    return fail(ClientErrc::CannotConnect, destination.address + " is no numeric IPv4 address");
  const int on = 1;
  const timeval patience{destination.patience.count(), 0};
  ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (destination.kernel_receives > 0) {
    ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVBUF, &destination.kernel_receives, sizeof(int));
  }
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    return fail(ClientErrc::CannotConnect, destination.address + ": " + std::strerror(errno));
  return socket;
}

std::optional<std::size_t> number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// Status, media type and length of the body, from a head without its empty line. [RFC 9112 §4]
struct Head {
  BlockingClient::Answer answer;
  std::optional<std::size_t> length;
};
Result<Head> read_head(std::string_view text) {
  constexpr std::string_view version = "HTTP/1.1 ";
  const auto status = text.starts_with(version) ? number(text.substr(version.size(), 3)) : std::nullopt;
  if (!status) return fail(ClientErrc::BadAnswer, "no status line");
  Head head{.answer = {.status = static_cast<unsigned>(*status)}, .length = {}};
  for (auto at = text.find("\r\n"); at != std::string_view::npos;) {
    const auto next = text.find("\r\n", at + 2);
    const auto line = text.substr(at + 2, next == std::string_view::npos ? next : next - at - 2);
    const auto colon = std::min(line.find(':'), line.size());
    const auto value = base::trim(line.substr(std::min(colon + 1, line.size())));
    if (same_name(line.substr(0, colon), "Content-Length")) head.length = number(value);
    if (same_name(line.substr(0, colon), "Content-Type")) head.answer.content_type = value;
    at = next;
  }
  return head;
}

}  // namespace

boost::system::error_code make_error_code(ClientErrc code) noexcept { return {static_cast<int>(code), errors}; }

struct BlockingClient::Parts {
  Parts(const Destination& to, Descriptor with_socket) : destination(to), socket(std::move(with_socket)) {}

  const Destination destination;
  Descriptor socket;
  Context context = make_context(destination);
  Session session;
  std::string out;  ///< head and body as one block: two writes were two records
  std::string in;   ///< received and not yet given

  Result<void> read_more() {
    const auto before = in.size();
    in.resize(before + read_bytes);
    std::size_t count = 0;
    const int read = SSL_read_ex(session.get(), in.data() + before, read_bytes, &count);
    in.resize(before + (read == 1 ? count : 0));
    if (read == 1) return {};
    ERR_clear_error();
    return fail(ClientErrc::Broken);
  }
};

BlockingClient::BlockingClient(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
BlockingClient::~BlockingClient() = default;
BlockingClient::BlockingClient(BlockingClient&&) noexcept = default;

Result<BlockingClient> BlockingClient::connect(const Destination& destination) {
  auto parts = std::make_unique<Parts>(destination, TRY(open_socket(destination)));
  if (!parts->context) return fail(ClientErrc::CannotConnect, "our credential cannot be used for TLS");
  parts->session.reset(SSL_new(parts->context.get()));
  if (!parts->session || SSL_set_fd(parts->session.get(), parts->socket.number()) != 1)
    return fail(ClientErrc::CannotConnect, "no TLS session");
  if (SSL_connect(parts->session.get()) != 1) {
    ERR_clear_error();
    const bool foreign = SSL_get_verify_result(parts->session.get()) == X509_V_ERR_CERT_REJECTED;
    return fail(foreign ? ClientErrc::WrongServer : ClientErrc::CannotConnect);
  }
  return BlockingClient(std::move(parts));
}

Result<void> BlockingClient::send(std::string_view path, std::string_view content_type, BytesView body) {
  auto& out = parts_->out;
  out.clear();
  out.append("POST ").append(path).append(" HTTP/1.1\r\nHost: ").append(parts_->destination.address);
  out.append("\r\nContent-Type: ").append(content_type);
  out.append("\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  std::size_t written = 0;
  if (SSL_write_ex(parts_->session.get(), out.data(), out.size(), &written) == 1) return {};
  ERR_clear_error();
  return fail(ClientErrc::Broken);
}

Result<BlockingClient::Answer> BlockingClient::receive() {
  auto& in = parts_->in;
  std::size_t end = in.find("\r\n\r\n");
  while (end == std::string::npos) {
    if (in.size() > head_bytes_max) return fail(ClientErrc::BadAnswer, "a head above 16 KB");
    TRY(parts_->read_more());
    end = in.find("\r\n\r\n");
  }
  auto head = TRY(read_head(std::string_view(in).substr(0, end)));
  if (!head.length || *head.length > parts_->destination.answer_bytes_max)
    return fail(ClientErrc::BadAnswer, "no Content-Length, or one above the limit");
  const std::size_t begin = end + 4, whole = begin + *head.length;
  while (in.size() < whole) TRY(parts_->read_more());
  head.answer.body.assign(in, begin, *head.length);
  in.erase(0, whole);
  return std::move(head.answer);
}

Result<BlockingClient::Answer> BlockingClient::post(std::string_view path, std::string_view content_type,
                                                    BytesView body) {
  TRY(send(path, content_type, body));
  return receive();
}

}  // namespace gateway::net
