#pragma once
// The Online Certificate Status Protocol over values: a question in octets, a response judged by the issuer's key or by
// a responder the issuer delegated to. Asking is not done here. [RFC 6960, RFC 8954; threats.md L09]

#include "certs/revocation.hpp"

namespace certs {

struct OcspLimits {
  std::size_t bytes = 64 * 1024;              ///< of a response
  std::chrono::seconds skew{300};             ///< by which a responder's clock may be ahead of ours
  std::chrono::hours age{std::chrono::days(10)};  ///< of thisUpdate: beyond it a response no longer vouches
};

/// What is asked: about one certificate, of the one that signed it.
struct OcspQuestion {
  Certificate certificate, issuer;
  Bytes nonce = {};  ///< 1 to 32 octets
};
/// The DER OCSPRequest; the certificate is named with SHA-1, which every responder knows [RFC 5019 §2.1.1].
/// Throws std::runtime_error for a nonce of another length.
Bytes write_ocsp_request(const OcspQuestion& question);

/// What a response signed by one who may say so says of the certificate asked about.
class OcspStatement {
 public:
  /// @error Errc::UnusableEvidence, with what is wrong with it: no response, another nonce, another certificate, no
  /// signature of the issuer or a delegate of it, MD5 or SHA-1, unknown critical extensions, no nextUpdate
  static Result<OcspStatement> read(BytesView response, const OcspQuestion& question, Instant now,
                                    const OcspLimits& limits = {});

  /// Revoked counts at any time; Good only from thisUpdate to nextUpdate and while it is not too old.
  Testimony at(Instant now) const;
  Instant from() const { return from_; }    ///< thisUpdate
  Instant until() const { return until_; }  ///< when it ceases to vouch
  /// The responder, where the issuer did not sign by itself: a list may revoke it.
  const std::optional<Certificate>& delegate() const { return delegate_; }

 private:
  OcspStatement() = default;
  Testimony status_ = Testimony::Silent;
  Instant from_{}, until_{};
  std::chrono::seconds skew_{};
  std::optional<Certificate> delegate_;
};

}  // namespace certs
