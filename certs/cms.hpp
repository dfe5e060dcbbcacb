#pragma once
// CMS in DER: what was enveloped for one of our keys, and who signed what. [RFC 5652, 5083, 5084, 5753, 8551;
// facts/direct §3] Nobody is believed here: what a signature's certificate is worth, certs/trust says.

#include "certs/x509.hpp"

#include <optional>

namespace certs::cms {

enum class Errc {
  Malformed = 1,  ///< no CMS, more than one, or parts that contradict each other
  NotEnveloped,   ///< CMS of another kind where an envelope is expected
  NotSigned,      ///< CMS of another kind where a signature is expected, or one without a signer
  WeakCipher,     ///< content encrypted otherwise than by AES in CBC or GCM
  NotForUs,       ///< no recipient is one of our certificates
  NotDecrypted,   ///< the key or the content does not decrypt; more is not said to anybody [threats D02, D03]
  WeakDigest,     ///< MD5, SHA-1 and whatever is not SHA-2
  WeakKey,        ///< a signer's key that certs does not take
  NoSigner,       ///< the certificate of a signer is not there
  BadSignature,   ///< the content or its attributes were altered, or signed by another key
};
boost::system::error_code make_error_code(Errc) noexcept;

struct Limits {
  int recipients = 100;
  int signers = 20;
  int certificates = 100;
};

/// EnvelopedData or AuthEnvelopedData.
class Envelope {
 public:
  /// @error Errc::Malformed, Errc::NotEnveloped, Errc::WeakCipher: judged before any key is touched
  static Result<Envelope> read(BytesView der, const Limits& limits = {});
  ~Envelope();
  Envelope(Envelope&&) noexcept;
  Envelope& operator=(Envelope&&) noexcept;

  /// Whether a recipient of it is this certificate: by issuer and serial number, or by subject key identifier. Keys
  /// that are passwords, shared or of another kind are not looked at.
  bool names(const Certificate& certificate) const;
  /// Opens it by the first recipient that is this certificate, and by no other. RSA (PKCS #1 v1.5, or OAEP whose
  /// parameters are readable) or ECDH with a SHA-2 derivation.
  /// @return the content, which nothing has signed yet. @error Errc::NotForUs, Errc::Malformed, Errc::NotDecrypted
  Result<Bytes> open(const Credential& ours) const;

 private:
  struct Parts;
  explicit Envelope(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// What one signer signed.
struct Signature {
  std::optional<Certificate> certificate = {};  ///< none where it came without
  std::optional<Instant> signing_time = {};     ///< as the signer says
  /// Why it does not hold. @error Errc::NoSigner, WeakKey, WeakDigest, BadSignature, Malformed
  Result<void> verdict = {};
};
struct SignedContent {
  std::vector<Signature> signatures = {};      ///< each judged alone, in their order; at least one
  std::vector<Certificate> certificates = {};  ///< all that came with it
  std::optional<Bytes> content = {};           ///< where it was inside (opaque)
};
/// Reads SignedData and judges every signature by itself: over signed attributes with one content type and one message
/// digest, by SHA-2 and RSA, RSA-PSS or ECDSA.
/// @param detached  what was signed, byte for byte; none where it must be inside
/// @error Errc::Malformed, also where there is a content both inside and beside; Errc::NotSigned
Result<SignedContent> read_signed(BytesView der, std::optional<BytesView> detached, const Limits& limits = {});

}  // namespace certs::cms

namespace boost::system {
template <>
struct is_error_code_enum<certs::cms::Errc> : std::true_type {};
}  // namespace boost::system
