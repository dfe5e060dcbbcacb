#pragma once
// What TLS of a door is: versions, suites, no resumption, and who judges client certificates.
// [RFC 8446, RFC 9325; design §5; threats.md K15, K16, K22, L01–L03, L08]

#include "gateway/net/server.hpp"

struct ssl_ctx_st;
struct ssl_st;
struct x509_store_ctx_st;

namespace gateway::net {

/// Versions, suites and no way back to an old session: the same whether we are called or call.
bool restrict_protocol(ssl_ctx_st* context);
/// The certificates the other side shows in a handshake, its own apart.
/// @error Errc::ClientCertificatesTooLarge, certs::Errc::…
Result<void> read_presented(x509_store_ctx_st* chain, Peer& peer);
/// Makes a context show this credential. @return false where it cannot be used; OpenSSL's error queue says why
bool use_credential(ssl_ctx_st* context, const certs::Credential& credential);
/// The suites of TLS 1.2 that we take part in, as a server and as a client.
extern const char* const suites_of_tls_1_2;

/// The TLS settings of one door with one credential; immutable, so that a new credential makes a new one.
class TlsContext {
 public:
  /// @error Errc::BadCredential
  static Result<std::shared_ptr<const TlsContext>> make(Tls tls);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  /// A new server side. During its handshake `peer` is given the certificates it presents and judged; it must live as
  /// long as the session, and so must this. Throws std::bad_alloc.
  ssl_st* new_session(Peer& peer) const;
  const Tls& settings() const noexcept { return tls_; }

 private:
  explicit TlsContext(Tls tls) : tls_(std::move(tls)) {}
  Tls tls_;
  ssl_ctx_st* context_ = nullptr;
};

}  // namespace gateway::net
