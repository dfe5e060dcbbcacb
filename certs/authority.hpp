#pragma once
// A small certificate authority for demonstrations and tests, and the making of requests for real ones.

#include "certs/x509.hpp"

namespace certs {

/// What a new certificate says. Where a part cannot be written (above 64 characters, no IP address), making throws
/// std::runtime_error.
struct Subject {
  std::string common_name;
  std::string organization = {};
  std::string organizational_unit = {};
  std::vector<std::string> dns_names = {};
  std::vector<std::string> ip_addresses = {};
};

class CertificateAuthority {
 public:
  /// A new self-signed authority. @param now, lifetime  its validity
  static CertificateAuthority create(const Subject& subject, Instant now, std::chrono::days lifetime);
  /// An existing one. @error Errc::KeyMismatch, Errc::BadPath where the certificate is none of an authority
  static Result<CertificateAuthority> open(Credential credential);

  const Credential& credential() const noexcept { return credential_; }

  struct Order {
    Subject subject;
    Instant now;  ///< notBefore is an hour earlier
    std::chrono::days lifetime{365};
    KeyKind key = KeyKind::Rsa;  ///< RSA 2048 or P-256
    bool is_authority = false;
  };
  /// A key and a certificate for TLS on both sides and for message signatures.
  Credential issue(const Order& order) const;
  /// A DER CRL naming these serials (as Certificate::serial gives them; throws
  /// std::runtime_error for others).
  Bytes revoke(std::span<const std::string> serials, Instant now, std::chrono::days lifetime) const;

 private:
  explicit CertificateAuthority(Credential credential) : credential_(std::move(credential)) {}
  Credential credential_;
};

/// A PKCS#10 request in PEM. [RFC 2986]
Bytes write_csr(const PrivateKey& key, const Subject& subject);

}  // namespace certs
