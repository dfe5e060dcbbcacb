#pragma once
// Certificates as values: parsed once per DER, then shared. Whether one may be believed is certs/trust's question.

#include "base/time.hpp"
#include "certs/crypto.hpp"

#include <span>
#include <vector>

struct x509_st;

namespace certs {

using base::Instant;

/// A parsed certificate. Parsing costs as much as five RSA verifications (facts/limits.md §1), so parse() keeps the
/// most recent ones by SHA-256 of their DER. Shared, immutable, safe over threads.
class Certificate {
 public:
  /// @error Errc::UnreadableCertificate
  static Result<Certificate> parse(BytesView der);
  static Result<Certificate> from_pem(BytesView pem);
  /// All certificates of a PEM file, in order; at least one.
  static Result<std::vector<Certificate>> many_from_pem(BytesView pem);

  const Bytes& der() const noexcept;
  const Bytes& sha256() const noexcept;  ///< raw SHA-256 of der()
  const PublicKey& public_key() const noexcept;  ///< weak keys are refused by certs/trust, not here
  bool has_weak_key() const noexcept;
  const std::string& subject() const noexcept;   ///< RFC 2253
  const std::string& issuer() const noexcept;
  std::string serial() const;                    ///< upper-case hex
  Instant not_before() const noexcept;
  Instant not_after() const noexcept;            ///< valid while now ≤ not_after
  std::vector<std::string> dns_names() const;    ///< subjectAltName dNSName
  std::vector<std::string> email_names() const;  ///< subjectAltName rfc822Name
  std::string to_pem() const;
  x509_st* handle() const noexcept;              ///< for certs/*.cpp and gateway/net only
  bool operator==(const Certificate& other) const noexcept { return sha256() == other.sha256(); }

 private:
  struct Parts;
  std::shared_ptr<const Parts> parts_;
};

/// A key with the certificate that names it and the chain to present.
struct Credential {
  PrivateKey key;
  Certificate certificate;
  std::vector<Certificate> chain;  ///< intermediates, leaf's issuer first
};

/// @error Errc::UnreadableKey, Errc::UnreadableCertificate, Errc::KeyMismatch
Result<Credential> read_credential_pem(BytesView certificate_and_chain_pem, BytesView key_pem,
                                       std::string_view passphrase = {});
/// A key that is held already, e.g. in a token, with its certificate. @error Errc::UnreadableCertificate,
/// Errc::KeyMismatch
Result<Credential> make_credential(PrivateKey key, BytesView certificate_and_chain_pem);
Result<Credential> read_credential_pkcs12(BytesView pkcs12, std::string_view passphrase);

}  // namespace certs
