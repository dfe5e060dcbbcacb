#include "gateway/net/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <new>

namespace gateway::net {

// TLS 1.2: forward secrecy and authenticated encryption only; what OpenSSL takes besides (CBC, static RSA) is not for
// us. [K22, L02] TLS 1.3 has no other suites than its defaults.
const char* const suites_of_tls_1_2 =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-CHACHA20-POLY1305";

namespace {

constexpr std::string_view http_1_1 = "\x08http/1.1";  // as ALPN lists it
constexpr int presented_max = 10;
constexpr int presented_bytes_max = 64 << 10;  // [L08]

int select_protocol(SSL*, const unsigned char** selected, unsigned char* selected_size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int outcome =
      SSL_select_next_proto(&chosen, selected_size, reinterpret_cast<const unsigned char*>(http_1_1.data()),
                            static_cast<unsigned>(http_1_1.size()), offered, offered_size);
  if (outcome != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *selected = chosen;
  return SSL_TLSEXT_ERR_OK;
}

Result<certs::Certificate> value_of(const X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size < 0) return base::fail(certs::Errc::UnreadableCertificate);
  auto parsed =
      certs::Certificate::parse(std::string_view(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  return parsed;
}

/// Takes the place of OpenSSL's path validation: whom to believe is judged in certs/trust, by values.
int judge_client(X509_STORE_CTX* chain, void* context) noexcept {
  const auto* tls = static_cast<const TlsContext*>(context);
  const auto* session = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& peer = *static_cast<Peer*>(SSL_get_app_data(session));
  try {
    const auto read = read_presented(chain, peer);
    if (read && tls->settings().accept_client(peer)) return 1;
    if (!read && tls->settings().refused_unjudged) tls->settings().refused_unjudged(peer, read.error());
  } catch (...) {  // must not cross OpenSSL; uncertain means no
  }
  X509_STORE_CTX_set_error(chain, X509_V_ERR_CERT_REJECTED);
  return 0;
}

/// Every connection shows its certificate anew: a resumed one would skip the judgement of it [K16]. The session id
/// context keeps a client that offers an old session from a fatal alert [K15].
bool forbid_resumption(SSL_CTX* context) {
  static constexpr unsigned char door[] = "gatehouse";
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  return SSL_CTX_set_num_tickets(context, 0) == 1 &&
         SSL_CTX_set_session_id_context(context, door, sizeof door - 1) == 1;
}

}  // namespace

Result<void> read_presented(X509_STORE_CTX* chain, Peer& peer) {
  const auto* presented = X509_STORE_CTX_get0_untrusted(chain);  // all the client sent, its own first
  const int count = sk_X509_num(presented);
  if (count > presented_max) return base::fail(Errc::ClientCertificatesTooLarge, "more than a path may have");
  peer.certificate = TRY(value_of(X509_STORE_CTX_get0_cert(chain)));
  peer.presented.clear();
  for (int i = 1; i < count; ++i) peer.presented.push_back(TRY(value_of(sk_X509_value(presented, i))));
  return {};
}

bool use_credential(SSL_CTX* context, const certs::Credential& credential) {
  if (SSL_CTX_use_certificate(context, credential.certificate.handle()) != 1) return false;
  if (SSL_CTX_use_PrivateKey(context, credential.key.handle()) != 1) return false;
  if (SSL_CTX_check_private_key(context) != 1) return false;
  for (const auto& certificate : credential.chain) {
    if (SSL_CTX_add1_chain_cert(context, certificate.handle()) != 1) return false;
  }
  return true;
}

bool restrict_protocol(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);  // every record comes back to us: a flood of KeyUpdates is counted
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_dh_auto(context, 1);
  SSL_CTX_set_max_cert_list(context, presented_bytes_max);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, suites_of_tls_1_2) == 1 && SSL_CTX_set_max_early_data(context, 0) == 1;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::make(Tls tls) {
  ERR_clear_error();
  std::shared_ptr<TlsContext> made(new TlsContext(std::move(tls)));
  made->context_ = SSL_CTX_new(TLS_server_method());
  if (made->context_ == nullptr) throw std::bad_alloc();
  if (!restrict_protocol(made->context_) || !forbid_resumption(made->context_)) {
    throw std::runtime_error("OpenSSL does not offer the TLS settings of the doors");
  }
  SSL_CTX_set_alpn_select_cb(made->context_, select_protocol, nullptr);
  if (!use_credential(made->context_, made->tls_.credential)) {
    const char* why = ERR_reason_error_string(ERR_peek_error());
    return base::fail(Errc::BadCredential, why == nullptr ? "the credential cannot be used for TLS" : why);
  }
  if (made->tls_.accept_client) {
    SSL_CTX_set_verify(made->context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(made->context_, judge_client, made.get());
  }
  return std::shared_ptr<const TlsContext>(std::move(made));
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

ssl_st* TlsContext::new_session(Peer& peer) const {
  auto* session = SSL_new(context_);
  if (session == nullptr) throw std::bad_alloc();
  SSL_set_app_data(session, &peer);
  SSL_set_accept_state(session);
  return session;
}

}  // namespace gateway::net
