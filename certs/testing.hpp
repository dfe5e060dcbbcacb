#pragma once
// Certificates and revocation lists as an attacker or a careless authority makes them, for the tests of this room.
// Nothing is checked here: certs/authority makes the good ones.

#include "certs/trust.hpp"

struct evp_pkey_st;

namespace certs::testing {

using Key = std::shared_ptr<evp_pkey_st>;
Key rsa_key(unsigned bits, unsigned exponent = 65537);
Key ec_key(const char* curve = "P-256", bool explicit_parameters = false);
Key rsa_pss_key();  ///< a kind that nobody here takes
Bytes spki_of(const Key& key);

/// Name and value as in openssl.cnf: {"basicConstraints", "critical,CA:TRUE"}.
struct Extension {
  std::string name, value;
};

/// A certificate with its key.
struct Party {
  Key key;
  Certificate certificate;
};

inline Instant noon() { return std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + std::chrono::hours(12); }

struct Mint {
  std::string name = "leaf.example";
  const Party* issuer = nullptr;  ///< none: self-signed
  Key key = nullptr;              ///< none: one P-256 key of the test's own, the same for all
  std::vector<Extension> extensions = {};
  Instant not_before = noon() - std::chrono::days(30);
  Instant not_after = noon() + std::chrono::days(30);
  Digest digest = Digest::Sha256;
  unsigned version = 3;
  std::uint64_t serial = 0;  ///< none: random
};
Party mint(const Mint& order);
/// An authority with a key of its own.
Party mint_authority(const std::string& name, const Party* issuer = nullptr, std::vector<Extension> further = {});

struct CrlMint {
  const Party* issuer = nullptr;  ///< always given
  std::vector<Certificate> revoked = {};
  Instant this_update = noon() - std::chrono::hours(1);
  std::optional<Instant> next_update = noon() + std::chrono::hours(1);
  std::vector<Extension> extensions = {};
  std::vector<Extension> entry_extensions = {};
  Key signer = nullptr;  ///< none: the issuer's key
  Digest digest = Digest::Sha256;
};
RevocationList mint_crl(const CrlMint& order);

struct OcspMint {
  const Party* issuer = nullptr;  ///< always given
  const Certificate* about = nullptr;  ///< always given
  enum class Status { Good, Revoked, Unknown } status = Status::Good;
  Instant this_update = noon() - std::chrono::hours(1);
  std::optional<Instant> next_update = noon() + std::chrono::hours(1);
  Bytes nonce = {};                  ///< none: as a responder that prepares its answers
  const Party* responder = nullptr;  ///< none: the issuer
  Digest digest = Digest::Sha256;
  int response_status = 0;           ///< 3 is tryLater
};
Bytes mint_ocsp(const OcspMint& order);

enum class Bags { Encrypted, Plain };  ///< plain ones have a MAC all the same
Bytes pkcs12(const Party& party, std::span<const Certificate> others, const char* passphrase,
             Bags bags = Bags::Encrypted);
/// A PKCS#12 that was altered, with a MAC that is true again; as it is where it is none.
Bytes resealed(BytesView pkcs12, const char* passphrase);
enum class Wrapping { Bare, Signed };
/// A DER PKCS#7: the certificates bare, or as the content of one signed by `signer`.
Bytes pkcs7(std::span<const Certificate> certificates, Wrapping wrapping, const Party& signer);
/// The private key in PEM, encrypted where there is a passphrase.
Bytes pem_of(const Key& key, const char* passphrase = nullptr);

}  // namespace certs::testing
