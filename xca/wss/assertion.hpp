#pragma once
// What a SAML assertion says, read from the element whose signature was verified. Whether it is believed is judged in
// security.cpp. [SAML core 2.0 §2; NHIN Authorization Framework; facts/query-exchange §4.1, §4.2]

#include "xca/wss/security.hpp"

namespace xca::wss {

using base::xml::Element;

/// One saml2:SubjectConfirmation.
struct Confirmation {
  std::string method;
  std::vector<Element> key_infos = {};
  std::optional<Instant> not_before = {}, not_on_or_after = {};
  std::optional<std::string> recipient = {};
  bool in_response_to = false;
};

/// One saml2:AuthnStatement.
struct Authentication {
  Instant at{};
  std::optional<Instant> session_ends = {};
};

/// An assertion but for its attributes.
struct Claims {
  Assertion values;
  std::vector<Confirmation> confirmations = {};
  std::vector<std::vector<std::string>> audience_restrictions = {};  ///< each with at least one non-empty Audience
  std::vector<Authentication> authentications = {};
};

/// Issuer, subject, conditions and statements without attributes.
/// @error Errc::AssertionUnreadable, ConditionUnknown, AuthorizationDenied
Result<Claims> read_claims(const Element& assertion);

/// The attributes of all AttributeStatements, and the consent references of the evidence.
/// @error Errc::AssertionUnreadable, AttributeMissing, AttributeContradictory
Result<void> read_attributes(const Element& assertion, Assertion& values);

}  // namespace xca::wss
