#pragma once
// XML signatures in the one form that XUA and WS-Security use: References to elements of the same document, one unless
// more are allowed, enveloped and exclusive canonicalization only, algorithms from an allow-list, the key given by us.
// KeyInfo is never obeyed: it is read as a hint which certificate to look up. [threats.md K1–K7, W, A]
// The message is canonicalized by base/xml; signatures are judged by OpenSSL; xmlsec1 is the oracle of the tests.

#include "base/xml/canonical.hpp"
#include "certs/x509.hpp"

namespace certs {

/// What a signature may have beyond one Reference and RSA/ECDSA with SHA-256, 384, 512.
struct SignatureAllowance {
  bool sha1 = false;  ///< dated partner exception only
  std::size_t references_max = 1;
};

/// A ds:Reference as it was read.
struct SignatureReference {
  std::string id;  ///< without '#'
  bool enveloped = false;
  std::vector<std::string> prefixes = {};
  Digest digest = Digest::Sha256;
  Bytes digest_value = {};
};

/// A ds:Signature that has been read and found to be of the one form, not yet verified.
class SignatureForm {
 public:
  /// Reads and judges the shape: one SignedInfo, SignatureValue, at most one KeyInfo, no Object; References with
  /// URI `#`NCName, no two alike; transforms [enveloped?, exc-c14n]; methods on the allow-list. Decides before any key
  /// is chosen.
  /// @error Errc::BadReference, Errc::UnsupportedAlgorithm
  static Result<SignatureForm> read(const base::xml::Element& signature, const SignatureAllowance& allowance);

  const std::vector<SignatureReference>& references() const noexcept { return references_; }  ///< at least one
  bool uses_sha1() const noexcept { return uses_sha1_; }
  const std::string& signature_value_text() const noexcept { return signature_value_text_; }  ///< as written, trimmed
  std::optional<base::xml::Element> key_info() const noexcept { return key_info_; }

  /// Verifies the signature and the digest of each of `targets`, the very elements the caller will read from.
  /// @param targets  one for each of references(), in their order; each must bear its id, and be the parent of the
  ///                 signature where that is enveloped, else not contain it
  /// @param inlined  what stands for octets of its own within them
  /// @return SHA-256 of the canonical SignedInfo: the part of the replay proof that no re-encoding changes (A13)
  /// @error Errc::BadReference, Errc::DigestMismatch, Errc::BadSignature, Errc::UnsupportedAlgorithm
  Result<Bytes> verify(const base::xml::Document& document, std::span<const base::xml::Element> targets,
                       const PublicKey& key, std::span<const base::xml::Inlined> inlined = {}) const;

 private:
  explicit SignatureForm(base::xml::Element signature, base::xml::Element signed_info)
      : signature_(signature), signed_info_(signed_info) {}
  base::xml::Element signature_, signed_info_;
  std::vector<SignatureReference> references_;
  std::string signature_value_text_;
  bool uses_sha1_ = false;
  Digest signature_digest_ = Digest::Sha256;
  KeyKind method_kind_ = KeyKind::Rsa;
  Bytes signature_value_;
  std::vector<std::string> signed_info_prefixes_;
  std::optional<base::xml::Element> key_info_;
};

/// The keys and certificates a ds:KeyInfo names, as hints. At most one certificate per X509Data is read (A05).
struct KeyHint {
  std::optional<Certificate> certificate = {};
  std::optional<PublicKey> key = {};  ///< from ds:RSAKeyValue
};
/// @error Errc::UnreadableCertificate, Errc::UnreadableKey, Errc::BadReference for doubled or foreign content
Result<KeyHint> read_key_info(const base::xml::Element& key_info);

/// A part to be signed, already written in exclusive canonical form as it will stand in the message.
struct SignedPart {
  std::string_view id;
  std::string_view canonical;
};
/// Writes a ds:Signature over the parts, itself in canonical form: RSA-SHA256 or ECDSA-SHA256 by the key's kind.
/// @param key_info  canonical text of the ds:KeyInfo to append, or empty
std::string write_signature(std::span<const SignedPart> parts, const PrivateKey& key, std::string_view key_info);

}  // namespace certs
