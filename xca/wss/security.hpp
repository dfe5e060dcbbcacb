#pragma once
// WS-Security of a request: Timestamp, SAML assertion and the signatures over them, verified. The reader gets the very
// elements that were judged and nothing else. [WSS 1.1; SAML token profile 1.1; IHE XUA; NHIN Authorization Framework;
// facts/query-exchange §4; threats.md §2–§5]

#include "base/ids.hpp"
#include "base/time.hpp"
#include "certs/trust.hpp"
#include "certs/xmldsig.hpp"
#include "xca/soap/envelope.hpp"

#include <functional>

namespace xca::wss {

using base::Bytes;
using base::BytesView;
using base::Code;
using base::Instant;
using base::Result;

enum class Errc {
  SecurityMissing = 1,     ///< no wsse:Security for us
  SecurityDoubled,         ///< two for us (W11)
  TimestampMissing, TimestampDoubled, TimestampUnsigned, TimestampUnreadable, MessageExpired, MessageFromFuture,
  AssertionMissing, AssertionDoubled, AssertionUnsigned, AssertionUnreadable, AssertionExpired, AssertionNotYetValid,
  AssertionTooLong,        ///< lifetime above the cap
  SignatureMissing, SignatureDoubled, SignatureUnresolved,  ///< KeyInfo names no key we can judge
  WrappedSignature,        ///< a signature that does not cover the element in its place
  BodyUnsigned,            ///< by a partner that must sign it (W12)
  AddressingUnsigned,      ///< the same for the WS-Addressing headers (W13)
  SubjectNotConfirmed,     ///< no allowed and fully valid confirmation (T06)
  KeyNotSubjects,          ///< message signed by another key than the confirmed subject's
  IssuerFormatUnknown, IssuerNotSigners,  ///< T08: not an Issuer that the directory ties to the signer
  AudienceNotUs, ConditionUnknown, AuthorizationDenied, AttributeMissing, AttributeContradictory,
  ReplayedTooOften,        ///< the same proof too often, too late, or with a body it may not have (threats §5)
};
boost::system::error_code make_error_code(Errc) noexcept;

/// The values of a verified assertion. Texts as written, trimmed; absent ones empty.
struct Assertion {
  std::string id, issuer, issuer_format, name_id, name_id_format;
  std::string name_id_alias;                ///< NameID/@SPProvidedID
  Instant issued{}, not_before{}, not_on_or_after{};
  std::vector<std::string> audiences;
  bool one_time_use = false;
  std::string subject_id, organization, organization_id, npi, resource_id;
  std::string home_community_id;            ///< as written; exactly one distinct value
  std::optional<Code> role;
  std::vector<Code> purposes_of_use;        ///< every value of every purposeofuse attribute
  std::string query_auth_grantor;           ///< as written
  std::vector<std::string> policy_references;  ///< ACP, IACP, docid: recorded, not believed
};

/// What a partner may do beyond the rule, and what it must beyond it, found by its signing certificate. Exceptions are
/// dated in the directory.
struct Allowance {
  bool sha1 = false;
  bool bearer = false;            ///< bearer confirmation instead of holder-of-key
  bool sender_vouches = false;    ///< the same for sender-vouches, under a signature over Assertion and Body
  bool audience_optional = true;  ///< CONNECT omits Audience (T04)
  bool must_sign_body = false, must_sign_addressing = false;
  std::vector<std::string> issuers = {};  ///< exact texts; where there are any, the Issuer is one of them (T08)
};

/// By which rules requests are verified.
struct Rules {
  const certs::TrustStore* trust = nullptr;
  /// Which exceptions the partner with this certificate has; called with the certificate only, before it is believed.
  std::function<Allowance(const certs::Certificate&)> allowance;
  std::vector<std::string> our_addresses;  ///< public_urls: what Audience (and wsa:To) may name
  std::chrono::seconds skew{60};
  std::chrono::minutes timestamp_window{20};
  std::chrono::minutes assertion_lifetime_max{60};
};

/// The proof that names one signing act, and the request it stands for. [threats.md §5]
struct ReplayKeys {
  Bytes proof;        ///< SHA-256 over key and both SignedInfos
  Bytes request;      ///< SHA-256 over proof, Action, MessageID and canonical Body
  Instant window_end{};  ///< both must be remembered until then
};

/// The verified security of one message. Only verify makes one. A Body that is not signed is bound by mutual TLS and
/// the replay proof only, and the name of body_is_signed says so.
class VerifiedSecurity {
 public:
  const Assertion& assertion() const { return assertion_; }
  const certs::TrustedCertificate& message_signer() const { return message_signer_; }
  const certs::TrustedCertificate& assertion_signer() const { return assertion_signer_; }
  const ReplayKeys& replay() const { return replay_; }
  /// ds:SignatureValue texts of the message, in document order, for SignatureConfirmation.
  const std::vector<std::string>& signature_values() const { return signature_values_; }
  bool used_sha1() const { return used_sha1_; }
  bool body_is_signed() const { return body_is_signed_; }
  Instant created() const { return created_; }

 private:
  friend Result<VerifiedSecurity> verify(const soap::Envelope&, const Rules&, Instant);
  VerifiedSecurity(certs::TrustedCertificate message_signer, certs::TrustedCertificate assertion_signer)
      : message_signer_(std::move(message_signer)), assertion_signer_(std::move(assertion_signer)) {}
  Assertion assertion_;
  certs::TrustedCertificate message_signer_, assertion_signer_;
  ReplayKeys replay_;
  std::vector<std::string> signature_values_;
  bool used_sha1_ = false, body_is_signed_ = false;
  Instant created_{};
};

/// Verifies in the order of facts/query-exchange §4.3: header, forms, references, algorithms, certificates, times,
/// conditions, subject, attributes.
Result<VerifiedSecurity> verify(const soap::Envelope& envelope, const Rules& rules, Instant now);

/// What is encrypted is refused before anything else is looked at, and never decrypted. [threats.md A12]
/// @error certs::Errc::UnsupportedAlgorithm
Result<void> refuse_encrypted(const soap::Envelope& envelope);

}  // namespace xca::wss

namespace boost::system {
template <>
struct is_error_code_enum<xca::wss::Errc> : std::true_type {};
}  // namespace boost::system
