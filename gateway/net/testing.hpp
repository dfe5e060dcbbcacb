#pragma once
// A blocking client for the tests of this room, and credentials for both sides. Knows nothing of the server's code.

#include "certs/authority.hpp"
#include "gateway/net/body.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>

namespace gateway::net::testing {

/// Gives parts one after the other, and after the last of them nothing.
class GivenSource final : public Source {
 public:
  /// @param size  that it claims to have; nothing: what the parts have together
  static std::shared_ptr<Source> of(std::vector<Bytes> parts, std::optional<std::uint64_t> size = {}) {
    std::uint64_t sum = 0;
    for (const auto& part : parts) sum += part.size();
    return std::make_shared<GivenSource>(std::move(parts), size.value_or(sum));
  }
  GivenSource(std::vector<Bytes> parts, std::uint64_t size) : parts_(std::move(parts)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<Bytes> next() override { return at_ < parts_.size() ? parts_[at_++] : Bytes(); }

 private:
  std::vector<Bytes> parts_;
  std::uint64_t size_;
  std::size_t at_ = 0;
};

inline base::Instant now() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

inline const certs::CertificateAuthority& authority() {
  static const auto made =
      certs::CertificateAuthority::create({.common_name = "Test CA"}, now(), std::chrono::days(10));
  return made;
}
inline certs::Credential issue(const std::string& name, certs::KeyKind kind = certs::KeyKind::Ec) {
  return authority().issue({.subject = {.common_name = name}, .now = now(), .key = kind});
}
inline const certs::Credential& rsa_server() {
  static const auto made = issue("rsa.example.org", certs::KeyKind::Rsa);
  return made;
}
inline const certs::Credential& ec_server() {
  static const auto made = issue("ec.example.org");
  return made;
}
inline const certs::Credential& client_credential() {
  static const auto made = issue("client.example.org");
  return made;
}

/// How a client speaks TLS.
struct ClientTls {
  const certs::Credential* credential = nullptr;
  int version_min = TLS1_2_VERSION, version_max = TLS1_3_VERSION;
  std::string suites = {};     ///< of TLS 1.2 and below
  std::string protocols = {};  ///< ALPN, as on the wire
  std::string server_name = {};
  SSL_SESSION* session = nullptr;  ///< offered for resumption
};

struct Answer {
  unsigned status = 0;
  std::string head, body;
};

class Client {
 public:
  /// Plain where `tls` is absent. After a failed handshake connected() is false.
  explicit Client(std::uint16_t port, const std::optional<ClientTls>& tls = {}) {
    std::signal(SIGPIPE, SIG_IGN);
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    if (connected_ && tls) connected_ = shake_hands(*tls);
  }
  ~Client() {
    SSL_free(session_);
    SSL_CTX_free(context_);
    ::close(socket_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  int socket() const { return socket_; }
  SSL* tls() const { return session_; }

  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto size = static_cast<int>(bytes.size());
      const auto sent = session_ ? SSL_write(session_, bytes.data(), size)
                                 : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// The next answer, status 0 where the connection ended before it was whole.
  Answer receive() {
    Answer answer;
    std::size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive_some()) return {};
    }
    answer.head = received_.substr(0, end + 4);
    received_.erase(0, end + 4);
    const auto length = answer.head.find("Content-Length: ");
    const std::size_t size = length == std::string::npos ? 0 : std::stoul(answer.head.substr(length + 16));
    while (received_.size() < size) {
      if (!receive_some()) return {};
    }
    answer.body = received_.substr(0, size);
    received_.erase(0, size);
    answer.status = static_cast<unsigned>(std::stoul(answer.head.substr(9, 3)));
    return answer;
  }
  Answer ask(std::string_view request) { return send(request) ? receive() : Answer{}; }

  /// Waits for the end. True where nothing more came and the end was in order: FIN, and over TLS close_notify before
  /// it.
  bool ends() {
    const bool more = receive_some() || !received_.empty();
    return !more && orderly_;
  }

 private:
  bool shake_hands(const ClientTls& tls) {
    ERR_clear_error();
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, tls.version_min);
    SSL_CTX_set_max_proto_version(context_, tls.version_max);
    if (!tls.suites.empty() && SSL_CTX_set_cipher_list(context_, tls.suites.c_str()) != 1) return false;
    if (tls.credential != nullptr) {
      SSL_CTX_use_certificate(context_, tls.credential->certificate.handle());
      SSL_CTX_use_PrivateKey(context_, tls.credential->key.handle());
      for (const auto& certificate : tls.credential->chain) SSL_CTX_add1_chain_cert(context_, certificate.handle());
    }
    SSL_CTX_set_alpn_protos(context_, reinterpret_cast<const unsigned char*>(tls.protocols.data()),
                            static_cast<unsigned>(tls.protocols.size()));
    session_ = SSL_new(context_);
    if (!tls.server_name.empty()) SSL_set_tlsext_host_name(session_, tls.server_name.c_str());
    if (tls.session != nullptr) SSL_set_session(session_, tls.session);
    SSL_set_fd(session_, socket_);
    return SSL_connect(session_) == 1;
  }

  bool receive_some() {
    char part[65536];
    const auto got = session_ ? SSL_read(session_, part, sizeof part) : ::recv(socket_, part, sizeof part, 0);
    orderly_ =
        session_ ? got <= 0 && SSL_get_error(session_, static_cast<int>(got)) == SSL_ERROR_ZERO_RETURN : got == 0;
    if (got <= 0) return false;
    received_.append(part, static_cast<std::size_t>(got));
    return true;
  }

  int socket_ = -1;
  bool connected_ = false, orderly_ = false;
  SSL_CTX* context_ = nullptr;
  SSL* session_ = nullptr;
  std::string received_;
};

}  // namespace gateway::net::testing
