#include "gateway/net/loopback_tls.hpp"

#include "gateway/net/channel.hpp"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>
#include <thread>

namespace gateway::net {
namespace {

void must(bool held, const char* step) {
  if (!held) throw std::runtime_error(std::string("loopback TLS: ") + step);
}

struct Ends {
  Descriptor sending, draining;
};

Ends connected_ends() {
  const Descriptor listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  auto* address = reinterpret_cast<sockaddr*>(&at);
  must(::bind(listening.number(), address, size) == 0 && ::listen(listening.number(), 1) == 0 &&
           ::getsockname(listening.number(), address, &size) == 0,
       "listening");
  Ends ends{.sending = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), .draining = {}};
  must(::connect(ends.sending.number(), address, size) == 0, "connecting");
  ends.draining = Descriptor(::accept4(listening.number(), nullptr, nullptr, SOCK_CLOEXEC));
  must(ends.draining.number() >= 0, "accepting");
  return ends;
}

struct Free {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL* session) const noexcept { SSL_free(session); }
};
using Context = std::unique_ptr<SSL_CTX, Free>;
using Session = std::unique_ptr<SSL, Free>;

Context context_of(const SSL_METHOD* method) {
  Context context(SSL_CTX_new(method));
  must(context && SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_256_GCM_SHA384") == 1,
       "settings");
  return context;
}

Session session_of(SSL_CTX* context, const Descriptor& socket) {
  Session session(SSL_new(context));
  must(session && SSL_set_fd(session.get(), socket.number()) == 1, "a session");
  return session;
}

}  // namespace

struct LoopbackTls::Parts {
  Ends ends = connected_ends();
  Context server = context_of(TLS_server_method()), client = context_of(TLS_client_method());
  Session sending, draining;
  std::thread drain;

  ~Parts() {
    ::shutdown(ends.sending.number(), SHUT_RDWR);
    if (drain.joinable()) drain.join();
  }

  void run_drain() {
    if (SSL_connect(draining.get()) != 1) return;
    std::array<char, 64 << 10> taken;
    while (SSL_read(draining.get(), taken.data(), static_cast<int>(taken.size())) > 0) {
    }
  }
};

LoopbackTls::LoopbackTls(const certs::Credential& server) : parts_(std::make_unique<Parts>()) {
  must(SSL_CTX_use_certificate(parts_->server.get(), server.certificate.handle()) == 1 &&
           SSL_CTX_use_PrivateKey(parts_->server.get(), server.key.handle()) == 1,
       "a credential");
  parts_->sending = session_of(parts_->server.get(), parts_->ends.sending);
  parts_->draining = session_of(parts_->client.get(), parts_->ends.draining);
  parts_->drain = std::thread([parts = parts_.get()] { parts->run_drain(); });
  must(SSL_accept(parts_->sending.get()) == 1, "the handshake");
}

LoopbackTls::~LoopbackTls() = default;

void LoopbackTls::send(base::BytesView bytes) {
  std::size_t written = 0;
  must(SSL_write_ex(parts_->sending.get(), bytes.data(), bytes.size(), &written) == 1, "sending");
}

}  // namespace gateway::net
