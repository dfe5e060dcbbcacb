#include "xca/wss/security.hpp"

#include "base/error_table.hpp"
#include "xca/wss/assertion.hpp"

#include <algorithm>

namespace xca::wss {
namespace {

using base::Cause;
using base::fail;
using certs::Certificate;
using certs::KeyHint;
using certs::PublicKey;
using certs::SignatureForm;
using certs::TrustedCertificate;
namespace ns = soap::ns;

constexpr base::ErrorRow rows[] = {
    {int(Errc::SecurityMissing), "security-missing", "there is no security header for us", Cause::NotTrusted},
    {int(Errc::SecurityDoubled), "security-doubled", "there are two security headers for us", Cause::NotTrusted},
    {int(Errc::TimestampMissing), "timestamp-missing", "the security header has no timestamp", Cause::NotTrusted},
    {int(Errc::TimestampDoubled), "timestamp-doubled", "the security header has two timestamps", Cause::NotTrusted},
    {int(Errc::TimestampUnsigned), "timestamp-unsigned", "the timestamp cannot be what was signed", Cause::NotTrusted},
    {int(Errc::TimestampUnreadable), "timestamp-unreadable", "the timestamp is not one Created before one Expires",
     Cause::NotTrusted},
    {int(Errc::MessageExpired), "message-expired", "the message has expired", Cause::NotTrusted},
    {int(Errc::MessageFromFuture), "message-from-future", "the message was made in the future", Cause::NotTrusted},
    {int(Errc::AssertionMissing), "assertion-missing", "the security header has no assertion", Cause::NotTrusted},
    {int(Errc::AssertionDoubled), "assertion-doubled", "the security header has two assertions", Cause::NotTrusted},
    {int(Errc::AssertionUnsigned), "assertion-unsigned", "the assertion is not signed", Cause::NotTrusted},
    {int(Errc::AssertionUnreadable), "assertion-unreadable", "the assertion cannot be read", Cause::NotTrusted},
    {int(Errc::AssertionExpired), "assertion-expired", "the assertion has expired", Cause::NotTrusted},
    {int(Errc::AssertionNotYetValid), "assertion-not-yet-valid", "the assertion is not yet valid", Cause::NotTrusted},
    {int(Errc::AssertionTooLong), "assertion-too-long", "the assertion is valid for too long", Cause::NotTrusted},
    {int(Errc::SignatureMissing), "signature-missing", "the message is not signed", Cause::NotTrusted},
    {int(Errc::SignatureDoubled), "signature-doubled", "there are two signatures in one place", Cause::NotTrusted},
    {int(Errc::SignatureUnresolved), "signature-unresolved", "a signature names no key that can be judged",
     Cause::NotTrusted},
    {int(Errc::WrappedSignature), "wrapped-signature", "a signature does not cover the element in its place",
     Cause::NotTrusted},
    {int(Errc::BodyUnsigned), "body-unsigned", "the partner must sign the Body and has not", Cause::NotTrusted},
    {int(Errc::AddressingUnsigned), "addressing-unsigned",
     "the partner must sign every WS-Addressing header and has not", Cause::NotTrusted},
    {int(Errc::SubjectNotConfirmed), "subject-not-confirmed", "no confirmation of the subject is allowed and valid",
     Cause::NotTrusted},
    {int(Errc::KeyNotSubjects), "key-not-subjects", "the message is signed with another key than the subject's",
     Cause::NotTrusted},
    {int(Errc::IssuerFormatUnknown), "issuer-format-unknown", "the assertion's Issuer is of an unknown format",
     Cause::NotTrusted},
    {int(Errc::IssuerNotSigners), "issuer-not-signers",
     "the directory gives the assertion's signer another Issuer than the assertion names", Cause::NotTrusted},
    {int(Errc::AudienceNotUs), "audience-not-us", "the assertion is meant for others", Cause::NotTrusted},
    {int(Errc::ConditionUnknown), "condition-unknown", "the assertion has a condition that is not known here",
     Cause::NotTrusted},
    {int(Errc::AuthorizationDenied), "authorization-denied", "the assertion says that access was denied",
     Cause::NotTrusted},
    {int(Errc::AttributeMissing), "attribute-missing", "the assertion lacks a required attribute", Cause::NotTrusted},
    {int(Errc::AttributeContradictory), "attribute-contradictory", "an attribute has two values that differ",
     Cause::NotTrusted},
    {int(Errc::ReplayedTooOften), "replay-too-often", "the message was repeated too often or too late",
     Cause::NotTrusted},
};
constinit const base::ErrorTable errors("gatehouse.wss", rows);

constexpr std::string_view xenc = "http://www.w3.org/2001/04/xmlenc#";
constexpr std::string_view saml_id = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID";
constexpr std::string_view holder_of_key = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key";
constexpr std::string_view bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
constexpr std::string_view sender_vouches = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches";
constexpr std::size_t canonical_growth_max = 4;
/// Timestamp, Assertion, Body and the seven headers of WS-Addressing.
constexpr std::size_t message_references_max = 10;

// ---- 1. Header and elements -----------------------------------------------------------------------------------------

/// The elements that are judged, and from which alone values are read.
struct Parts {
  Element timestamp, assertion, message_signature, assertion_signature;
  bool assertion_first = true;  ///< document order of the two signatures
};

Result<Element> only(const std::vector<Element>& found, Errc missing, Errc doubled) {
  if (found.empty()) return fail(missing);
  if (found.size() > 1) return fail(doubled);
  return found.front();
}

/// A header for another role is left alone: it is not ours to read.
Result<Element> find_security(const Element& header) {
  auto found = header.children(ns::wsse, "Security");
  std::erase_if(found, [](const Element& security) { return !soap::is_for_us(security); });
  return only(found, Errc::SecurityMissing, Errc::SecurityDoubled);
}

/// The signature of an assertion stands right after its Issuer. [SAML core schema]
Result<Element> find_assertion_signature(const Element& assertion) {
  const auto signature =
      TRY(only(assertion.children(ns::ds, "Signature"), Errc::AssertionUnsigned, Errc::SignatureDoubled));
  const auto issuer = assertion.first_child();
  if (!issuer || !issuer->is(ns::saml, "Issuer") || issuer->next_sibling() != signature)
    return fail(Errc::WrappedSignature, "the assertion's signature is not in its place");
  return signature;
}

Result<Parts> find_parts(const Element& header) {
  const auto security = TRY(find_security(header));
  const auto children = security.children();
  const auto timestamp =
      TRY(only(security.children(ns::wsu, "Timestamp"), Errc::TimestampMissing, Errc::TimestampDoubled));
  const auto assertion =
      TRY(only(security.children(ns::saml, "Assertion"), Errc::AssertionMissing, Errc::AssertionDoubled));
  const auto signature =
      TRY(only(security.children(ns::ds, "Signature"), Errc::SignatureMissing, Errc::SignatureDoubled));
  const auto inner = TRY(find_assertion_signature(assertion));
  const bool assertion_first = std::ranges::find(children, assertion) < std::ranges::find(children, signature);
  return Parts{timestamp, assertion, signature, inner, assertion_first};
}

// ---- 2. Forms and references ----------------------------------------------------------------------------------------

struct Forms {
  SignatureForm message, assertion;
};

/// Forms are judged before any key is looked for. SHA-1 passes here and is judged when the partner is known.
Result<Forms> read_forms(const Parts& parts, const base::xml::Document& document) {
  auto assertion = TRY(SignatureForm::read(parts.assertion_signature, {.sha1 = true}));
  auto message =
      TRY(SignatureForm::read(parts.message_signature, {.sha1 = true, .references_max = message_references_max}));
  const auto& reference = assertion.references().front();
  if (!reference.enveloped || document.element_by_id(reference.id) != parts.assertion)
    return fail(Errc::WrappedSignature, "the assertion's signature covers another element");
  if (!parts.timestamp.attribute(ns::wsu, "Id")) return fail(Errc::TimestampUnsigned);
  return Forms{std::move(message), std::move(assertion)};
}

/// The elements that the message's signature covers, in the order of its References.
struct Covered {
  std::vector<Element> elements = {};
  bool contains(const Element& element) const { return std::ranges::find(elements, element) != elements.end(); }
};

/// Beside the Timestamp, only what is read here may be covered, each in the very place from which it is read: the
/// Assertion, the Body of this Envelope, the WS-Addressing blocks of its Header. [threats.md W12, W13, W19]
Result<Covered> read_covered(const SignatureForm& message, const Parts& parts, const soap::Envelope& envelope) {
  Covered covered;
  for (const auto& reference : message.references()) {
    const auto element = envelope.document().element_by_id(reference.id);
    const auto is_read = [&] {
      if (element == parts.timestamp || element == parts.assertion || element == envelope.body()) return true;
      return element->parent() == envelope.header() && element->namespace_uri() == ns::wsa;
    };
    if (reference.enveloped || !element || covered.contains(*element) || !is_read())
      return fail(Errc::WrappedSignature, "the message's signature covers an element that is not read");
    covered.elements.push_back(*element);
  }
  if (!covered.contains(parts.timestamp))
    return fail(Errc::WrappedSignature, "the message's signature does not cover its Timestamp");
  return covered;
}

/// What stands in the package for octets of other parts: a signature over the Body covers the octets. [threats.md M03]
Result<std::vector<base::xml::Inlined>> read_inlined(const soap::Envelope& envelope) {
  std::vector<base::xml::Inlined> inlined;
  for (const auto& include : envelope.includes()) {
    const auto octets = TRY(envelope.included(include));
    inlined.push_back({include, octets});
  }
  return inlined;
}

// ---- 3. Keys and signatures -----------------------------------------------------------------------------------------

/// What every judgement needs at hand.
struct Case {
  const soap::Envelope& envelope;
  const Rules& rules;
  Instant now;
};

/// A signature that verifies with the key of a certificate that is trusted.
struct Verified {
  TrustedCertificate signer;
  Allowance allowance;
  Bytes signed_info_digest;
};

/// A certificate as given, or the one held here that has the given key. [A05]
Result<Certificate> certificate_of(const KeyHint& hint, const certs::TrustStore& trust) {
  if (hint.certificate && hint.key && hint.certificate->public_key() != *hint.key)
    return fail(Errc::SignatureUnresolved, "the certificate is not of the key beside it");
  if (hint.certificate) return *hint.certificate;
  auto held = hint.key ? trust.held_certificate_with(*hint.key) : std::nullopt;
  if (!held) return fail(Errc::SignatureUnresolved, "neither a certificate nor a key of one held here");
  return *std::move(held);
}

/// The certificate is judged before its key is used, so that a weak or huge key costs nothing. [A04]
Result<Verified> verify_with(const KeyHint& hint, const SignatureForm& form, std::span<const Element> targets,
                             const Case& in) {
  const auto certificate = TRY(certificate_of(hint, *in.rules.trust));
  const auto allowance = in.rules.allowance ? in.rules.allowance(certificate) : Allowance{};
  if (form.uses_sha1() && !allowance.sha1)
    return fail(certs::Errc::UnsupportedAlgorithm, "SHA-1 without an exception for this partner");
  auto signer = TRY(in.rules.trust->validate(certificate, {}, certs::Use::MessageSignature, in.now));
  const auto inlined = TRY(read_inlined(in.envelope));
  auto digest = TRY(form.verify(in.envelope.document(), targets, certificate.public_key(), inlined));
  return Verified{std::move(signer), allowance, std::move(digest)};
}

Result<Verified> verify_assertion(const Forms& forms, const Parts& parts, const Case& in) {
  const auto key_info = forms.assertion.key_info();
  if (!key_info) return fail(Errc::SignatureUnresolved, "the assertion's signature has no KeyInfo");
  return verify_with(TRY(certs::read_key_info(*key_info)), forms.assertion, std::array{parts.assertion}, in);
}

// ---- 4. The subject and the message's signature ---------------------------------------------------------------------

/// How an Issuer may be named; absent means SAML's own default, an entity. [SAML core §2.2.5; facts §4.2]
constexpr std::string_view issuer_formats[] = {
    "",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:WindowsDomainQualifiedName",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:entity",
};

/// The certificate alone says who asserts. Where the directory says what its owner calls itself, the Issuer is that
/// text, character for character and blank for blank. [threats.md T08]
Result<void> judge_issuer(const Claims& claims, const Element& assertion, const Allowance& allowance) {
  if (std::ranges::find(issuer_formats, claims.values.issuer_format) == std::end(issuer_formats))
    return fail(Errc::IssuerFormatUnknown);
  if (allowance.issuers.empty()) return {};
  const auto as_written = TRY(TRY(assertion.only_child(ns::saml, "Issuer")).text());
  if (std::ranges::find(allowance.issuers, as_written) == allowance.issuers.end()) return fail(Errc::IssuerNotSigners);
  return {};
}

bool has_ended(Instant end, const Case& in) { return in.now >= end + in.rules.skew; }
bool has_not_begun(Instant begin, const Case& in) { return in.now < begin - in.rules.skew; }

/// Ours is one of our addresses or a path below it: a production client names the endpoint, not the host. [quirks]
bool is_ours(std::string_view address, const Rules& rules) {
  return std::ranges::any_of(rules.our_addresses, [&](std::string_view ours) {
    while (ours.ends_with('/')) ours.remove_suffix(1);
    if (ours.empty() || !address.starts_with(ours)) return false;
    return address.size() == ours.size() || address[ours.size()] == '/';
  });
}

/// What every method of confirmation asks for. We never sent a request that a token could respond to.
bool is_valid(const Confirmation& confirmation, const Case& in) {
  if (confirmation.in_response_to) return false;
  if (confirmation.not_before && has_not_begun(*confirmation.not_before, in)) return false;
  if (confirmation.not_on_or_after && has_ended(*confirmation.not_on_or_after, in)) return false;
  return !confirmation.recipient || is_ours(*confirmation.recipient, in.rules);
}

/// The keys whose holders the assertion confirms, from confirmations that are fully valid. [SAML core §2.4.1.2]
std::vector<KeyHint> confirmed_keys(const Claims& claims, const Case& in) {
  std::vector<KeyHint> keys;
  for (const auto& confirmation : claims.confirmations) {
    if (confirmation.method != holder_of_key || confirmation.key_infos.size() != 1 || !is_valid(confirmation, in))
      continue;
    auto hint = certs::read_key_info(confirmation.key_infos.front());
    if (!hint || (!hint->certificate && !hint->key)) continue;
    if (hint->certificate && hint->key && hint->certificate->public_key() != *hint->key) continue;
    keys.push_back(*std::move(hint));
  }
  return keys;
}

/// A bearer token is as good as its time: without an end it confirms nothing.
bool has_valid_bearer(const Claims& claims, const Case& in) {
  return std::ranges::any_of(claims.confirmations, [&](const Confirmation& confirmation) {
    return confirmation.method == bearer && confirmation.not_on_or_after && is_valid(confirmation, in);
  });
}

/// Who vouches signs the assertion together with what it is vouched for. [SAML token profile 1.1 §3.5.2]
bool has_valid_vouching(const Claims& claims, const Covered& covered, const Parts& parts, const Case& in) {
  return covered.contains(parts.assertion) && covered.contains(in.envelope.body()) &&
         std::ranges::any_of(claims.confirmations, [&](const Confirmation& confirmation) {
           return confirmation.method == sender_vouches && is_valid(confirmation, in);
         });
}

/// True where the KeyInfo is a SecurityTokenReference that names this assertion; false where it is none at all.
/// @error Errc::SignatureUnresolved for a reference to anything else (W15)
Result<bool> names_assertion(const Element& key_info, std::string_view assertion_id) {
  const auto reference = key_info.first_child(ns::wsse, "SecurityTokenReference");
  if (!reference) return false;
  const auto identifier = reference->first_child();
  if (key_info.first_child() != reference || reference->next_sibling() || !identifier || identifier->next_sibling() ||
      !identifier->is(ns::wsse, "KeyIdentifier") || identifier->attribute("ValueType") != saml_id)
    return fail(Errc::SignatureUnresolved, "a token reference that is no SAMLID");
  const auto id = identifier->trimmed_text();
  if (!id || *id != assertion_id) return fail(Errc::SignatureUnresolved, "a token reference to another assertion");
  return true;
}

/// Signed by the subject whom the assertion names: one of the confirmed keys must verify.
Result<Verified> verify_by_subject(const std::vector<KeyHint>& confirmed, const SignatureForm& form,
                                   const Covered& covered, const Case& in) {
  std::optional<base::Error> first_error;
  for (const auto& hint : confirmed) {
    auto verified = verify_with(hint, form, covered.elements, in);
    if (verified) return verified;
    if (!first_error) first_error = std::move(verified).error();
  }
  return first_error.value_or(fail(Errc::SubjectNotConfirmed));
}

Result<Verified> verify_message(const Forms& forms, const Parts& parts, const Covered& covered, const Claims& claims,
                                const Case& in) {
  const auto key_info = forms.message.key_info();
  if (!key_info) return fail(Errc::SignatureUnresolved, "the message's signature has no KeyInfo");
  const auto confirmed = confirmed_keys(claims, in);
  if (TRY(names_assertion(*key_info, claims.values.id)))
    return verify_by_subject(confirmed, forms.message, covered, in);

  const auto named = TRY(certs::read_key_info(*key_info));
  auto verified = TRY(verify_with(named, forms.message, covered.elements, in));
  const auto& key = verified.signer.certificate().public_key();
  const bool holds_key = std::ranges::any_of(confirmed, [&](const KeyHint& hint) {
    return (hint.certificate ? hint.certificate->public_key() : *hint.key) == key;
  });
  const auto& allowed = verified.allowance;
  if (holds_key || (allowed.bearer && has_valid_bearer(claims, in)) ||
      (allowed.sender_vouches && has_valid_vouching(claims, covered, parts, in)))
    return verified;
  return fail(confirmed.empty() ? Errc::SubjectNotConfirmed : Errc::KeyNotSubjects);
}

/// What this partner must sign beside the Timestamp. [threats.md W12, W13]
Result<void> judge_covered(const Covered& covered, const Allowance& allowance, const soap::Envelope& envelope) {
  if (allowance.must_sign_body && !covered.contains(envelope.body())) return fail(Errc::BodyUnsigned);
  if (!allowance.must_sign_addressing) return {};
  for (auto block = envelope.header().first_child(); block; block = block->next_sibling())
    if (block->namespace_uri() == ns::wsa && !covered.contains(*block)) return fail(Errc::AddressingUnsigned);
  return {};
}

// ---- 5. Times and conditions ----------------------------------------------------------------------------------------

struct Window {
  Instant created, end;
};

Result<Instant> read_time(const Element& timestamp, std::string_view name) {
  const auto element = timestamp.only_child(ns::wsu, name);
  const auto text = element ? element->trimmed_text() : Result<std::string>(element.error());
  const auto instant = text ? base::read_date_time(*text) : Result<Instant>(text.error());
  if (!instant) return fail(Errc::TimestampUnreadable, "no readable " + std::string(name));
  return *instant;
}

/// Created − skew ≤ now ≤ min(Expires, Created + window) + skew. [threats.md §5.2]
Result<Window> judge_timestamp(const Element& timestamp, const Case& in) {
  const auto created = TRY(read_time(timestamp, "Created"));
  const auto expires = TRY(read_time(timestamp, "Expires"));
  if (expires < created) return fail(Errc::TimestampUnreadable, "Expires before Created");
  const auto end = std::min<Instant>(expires, created + in.rules.timestamp_window) + in.rules.skew;
  if (has_not_begun(created, in)) return fail(Errc::MessageFromFuture);
  if (in.now > end) return fail(Errc::MessageExpired);
  return Window{created, end};
}

Result<void> judge_times(const Claims& claims, const Case& in) {
  const auto& values = claims.values;
  if (values.not_on_or_after <= values.not_before) return fail(Errc::AssertionUnreadable, "an end before its begin");
  if (values.not_on_or_after - values.not_before > in.rules.assertion_lifetime_max) return fail(Errc::AssertionTooLong);
  if (has_not_begun(values.not_before, in) || has_not_begun(values.issued, in)) return fail(Errc::AssertionNotYetValid);
  if (has_ended(values.not_on_or_after, in)) return fail(Errc::AssertionExpired);
  for (const auto& authentication : claims.authentications) {
    if (has_not_begun(authentication.at, in)) return fail(Errc::AssertionNotYetValid, "authenticated in the future");
    if (authentication.session_ends && has_ended(*authentication.session_ends, in))
      return fail(Errc::AssertionExpired, "the session has ended");
  }
  return {};
}

/// Restrictions are joined by AND, the audiences of one by OR. [SAML core §2.5.1.4]
Result<void> judge_audience(const Claims& claims, const Allowance& allowance, const Rules& rules) {
  if (claims.audience_restrictions.empty() && !allowance.audience_optional) return fail(Errc::AudienceNotUs, "none");
  for (const auto& audiences : claims.audience_restrictions)
    if (std::ranges::none_of(audiences, [&](const std::string& audience) { return is_ours(audience, rules); }))
      return fail(Errc::AudienceNotUs);
  return {};
}

Result<void> judge_destination(const soap::Addressing& addressing, const Rules& rules) {
  if (addressing.to.empty() || addressing.to == soap::anonymous || is_ours(addressing.to, rules)) return {};
  return fail(soap::Errc::NotOurAddress, "wsa:To names another host");
}

// ---- 6. Replay ------------------------------------------------------------------------------------------------------

/// Lengths go first, so that no two lists of texts look the same.
void update_with_length(certs::Hasher& hasher, BytesView bytes) {
  std::array<char, 8> length;
  for (std::size_t i = 0; i < length.size(); ++i) length[i] = static_cast<char>(bytes.size() >> (8 * (7 - i)) & 0xFF);
  hasher.update({length.data(), length.size()});
  hasher.update(bytes);
}

Result<ReplayKeys> replay_keys(const Verified& message, const Verified& assertion, const Window& window,
                               const soap::Envelope& envelope) {
  certs::Hasher proof(certs::Digest::Sha256);
  proof.update(message.signer.certificate().public_key().spki());
  proof.update(message.signed_info_digest);
  proof.update(assertion.signed_info_digest);
  ReplayKeys keys{.proof = proof.finish(), .request = {}, .window_end = window.end};

  const auto body = TRY(
      base::xml::canonicalize(envelope.body(), {.bytes_limit = canonical_growth_max * envelope.document().bytes()}));
  certs::Hasher request(certs::Digest::Sha256);
  request.update(keys.proof);
  update_with_length(request, envelope.addressing().action);
  update_with_length(request, envelope.addressing().message_id);
  update_with_length(request, body);
  for (const auto& include : envelope.includes()) request.update(certs::sha256(TRY(envelope.included(include))));
  keys.request = request.finish();
  return keys;
}

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errors}; }

Result<VerifiedSecurity> verify(const soap::Envelope& envelope, const Rules& rules, Instant now) {
  const Case in{envelope, rules, now};
  TRY(refuse_encrypted(envelope));
  const auto parts = TRY(find_parts(envelope.header()));
  const auto forms = TRY(read_forms(parts, envelope.document()));
  const auto covered = TRY(read_covered(forms.message, parts, envelope));
  const auto assertion = TRY(verify_assertion(forms, parts, in));
  auto claims = TRY(read_claims(parts.assertion));
  TRY(judge_issuer(claims, parts.assertion, assertion.allowance));
  const auto message = TRY(verify_message(forms, parts, covered, claims, in));
  TRY(judge_covered(covered, message.allowance, envelope));
  const auto window = TRY(judge_timestamp(parts.timestamp, in));
  TRY(judge_times(claims, in));
  TRY(judge_audience(claims, message.allowance, rules));
  TRY(read_attributes(parts.assertion, claims.values));
  TRY(judge_destination(envelope.addressing(), rules));

  VerifiedSecurity verified(message.signer, assertion.signer);
  verified.assertion_ = std::move(claims.values);
  verified.replay_ = TRY(replay_keys(message, assertion, window, envelope));
  verified.signature_values_ = {forms.assertion.signature_value_text(), forms.message.signature_value_text()};
  if (!parts.assertion_first) std::ranges::reverse(verified.signature_values_);
  verified.used_sha1_ = forms.message.uses_sha1() || forms.assertion.uses_sha1();
  verified.body_is_signed_ = covered.contains(envelope.body());
  verified.created_ = window.created;
  return verified;
}

Result<void> refuse_encrypted(const soap::Envelope& envelope) {
  const auto is_encrypted = [](const Element& element) {
    return element.namespace_uri() == xenc || element.is(ns::saml, "EncryptedAssertion");
  };
  auto refused = is_encrypted(envelope.payload());
  for (auto block = envelope.header().first_child(); block && !refused; block = block->next_sibling()) {
    if (!soap::is_for_us(*block)) continue;
    refused = is_encrypted(*block) || block->is(ns::wsse11, "EncryptedHeader") ||
              (block->is(ns::wsse, "Security") && std::ranges::any_of(block->children(), is_encrypted));
  }
  if (refused) return fail(certs::Errc::UnsupportedAlgorithm, "a part that is encrypted");
  return {};
}

}  // namespace xca::wss
