#pragma once
// Keys, digests and signatures over OpenSSL, whose types stay in the .cpp files of this room. Algorithms by name are
// chosen by the callers from allow-lists; there is no default algorithm here.

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>

struct evp_pkey_st;

namespace certs {

using base::Bytes;
using base::BytesView;
using base::fail;
using base::Result;

enum class Errc {
  UnreadableKey = 1,      ///< no key, or a wrong passphrase
  UnreadableCertificate,  ///< not DER, PEM or PKCS#12 of a certificate
  KeyTooWeak,             ///< RSA below 2048 or above 4096 bit, exponent below 65537, or no named curve (A04)
  KeyMismatch,            ///< private key and certificate do not belong together
  BadSignature,           ///< the signature does not verify
  NotYetValid,
  Expired,
  Revoked,
  RevocationUnknown,      ///< hard policy and no usable CRL
  UnknownIssuer,          ///< no path to an anchor
  BadPath,                ///< a path that breaks its rules: CA flag, path length, name constraints…
  NotForThisUse,          ///< key usage or extended key usage forbids it
  UnreadableCrl,
  UnsupportedAlgorithm,   ///< a signature method, digest or transform that is not on the list
  BadReference,           ///< a signature whose SignedInfo is not of the one form we judge (K5)
  LibraryTooOld,          ///< the OpenSSL library of this machine is older than we accept
  DigestMismatch,         ///< the referenced element was altered
  WeakSignature,          ///< a certificate of the path was signed with MD5 or SHA-1
  RevocationOnItsWay,     ///< hard policy, and the evidence is being fetched for the first time
  UnusableEvidence,       ///< a revocation list or OCSP response that may not be judged by
  TokenUnavailable,       ///< the PKCS#11 module, its token or the key in it cannot be used
};
boost::system::error_code make_error_code(Errc) noexcept;

/// The OpenSSL we run with, not the one we were built with, must be 3.0.22 or later of the 3 series: older ones have
/// known holes. @error Errc::LibraryTooOld
Result<void> check_library();

enum class Digest { Sha1, Sha256, Sha384, Sha512 };
/// Raw digest octets.
Bytes digest(Digest algorithm, BytesView data);
inline Bytes sha256(BytesView data) { return digest(Digest::Sha256, data); }
inline Bytes sha1(BytesView data) { return digest(Digest::Sha1, data); }

/// Digest of data that comes in pieces.
class Hasher {
 public:
  explicit Hasher(Digest algorithm);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  void update(BytesView piece);
  Bytes finish();  ///< once

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Tells under a key whether octets are those that were seen before, at five times the speed of SHA-256. AES-256-GMAC.
/// [NIST SP 800-38D] Each thread uses a copy of its own.
class Gmac {
 public:
  static constexpr std::size_t key_octets = 32, nonce_octets = 12, tag_octets = 16;

  /// Throws std::runtime_error where key is not of key_octets.
  explicit Gmac(BytesView key);
  ~Gmac();
  Gmac(const Gmac& other);
  Gmac& operator=(const Gmac&) = delete;
  /// Of the parts one after the other. Whoever learns two tags of one nonce may make others: a tag that leaves the
  /// process needs a nonce of its own.
  Bytes tag(BytesView nonce, std::initializer_list<BytesView> parts);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Fills from the operating system's generator. Throws std::runtime_error where it fails.
void fill_random(std::uint8_t* out, std::size_t count);
template <std::size_t N>
std::array<std::uint8_t, N> random_octets() {
  std::array<std::uint8_t, N> octets;
  fill_random(octets.data(), N);
  return octets;
}

enum class KeyKind { Rsa, Ec, Ed25519 };

/// A public key. Shared, immutable, safe over threads.
class PublicKey {
 public:
  /// @error Errc::UnreadableKey, Errc::KeyTooWeak (RSA 2048–4096 with odd e from 65537 to
  /// 2^64; P-256, P-384, P-521 by name, never by explicit parameters) [A04]
  static Result<PublicKey> from_spki(BytesView der);
  /// One block `PUBLIC KEY`. @error as from_spki
  static Result<PublicKey> from_pem(BytesView pem);
  /// From ds:RSAKeyValue, big-endian octets. @error as from_spki
  static Result<PublicKey> from_rsa(BytesView modulus, BytesView exponent);
  KeyKind kind() const noexcept;
  const Bytes& spki() const noexcept;         ///< DER SubjectPublicKeyInfo
  Bytes to_pem() const;                       ///< spki() as one block `PUBLIC KEY` [RFC 7468 §13]
  const Bytes& spki_sha256() const noexcept;  ///< raw SHA-256 of spki()
  /// RSA PKCS#1 v1.5, ECDSA (raw r‖s as XML signatures and JWTs carry it), or Ed25519 (digest is ignored).
  /// @error Errc::BadSignature
  Result<void> verify(Digest digest, BytesView data, BytesView signature) const;
  bool operator==(const PublicKey& other) const noexcept { return spki() == other.spki(); }

 private:
  static Result<PublicKey> build_rsa(BytesView modulus, BytesView exponent);
  friend class Certificate;
  friend class PrivateKey;
  /// The key of a certificate that may not be used: it names itself and never verifies.
  static PublicKey unusable(Bytes spki);
  struct Parts;
  std::shared_ptr<const Parts> parts_;
};

/// A private key. Never printed, never copied out; shared and safe over threads.
class PrivateKey {
 public:
  /// @error Errc::UnreadableKey, also for a wrong passphrase; Errc::KeyTooWeak
  static Result<PrivateKey> from_pem(BytesView pem, std::string_view passphrase = {});
  /// Takes a key of certs/pkcs11 over. @error Errc::UnreadableKey, Errc::KeyTooWeak
  static Result<PrivateKey> of_token(evp_pkey_st* owned);
  static PrivateKey generate_rsa(unsigned bits);
  static PrivateKey generate_p256();
  static PrivateKey generate_ed25519();
  KeyKind kind() const noexcept;
  PublicKey public_key() const;
  /// Signature in the same form PublicKey::verify takes.
  Bytes sign(Digest digest, BytesView data) const;
  Bytes to_pem() const;  ///< PKCS#8, unencrypted: for files with mode 0600 only; throws for a key of a token
  evp_pkey_st* handle() const noexcept;  ///< for certs/*.cpp and the TLS context of gateway/net only

 private:
  friend class CertificateAuthority;
  struct Parts;
  std::shared_ptr<const Parts> parts_;
};

}  // namespace certs

namespace boost::system {
template <>
struct is_error_code_enum<certs::Errc> : std::true_type {};
}  // namespace boost::system
