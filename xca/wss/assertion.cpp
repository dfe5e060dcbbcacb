#include "xca/wss/assertion.hpp"

#include "xca/soap/hidden.hpp"

#include <algorithm>

namespace xca::wss {
namespace {

using base::fail;
using base::trim;
namespace ns = soap::ns;

constexpr std::size_t text_characters_max = 4096;
constexpr std::size_t values_max = 200;
constexpr std::size_t confirmations_max = 8;

base::Error unreadable(std::string why) { return fail(Errc::AssertionUnreadable, std::move(why)); }

/// The text of an element that holds text only, trimmed, within the cap. [threats.md X09, T12]
Result<std::string> read_text(const Element& element) {
  auto text = element.trimmed_text();
  if (!text) return unreadable("elements where only text may stand");
  if (text->size() > text_characters_max) return unreadable("a value too long");
  return *std::move(text);
}

/// A text that names something: no character in it may be invisible. [threats.md X10]
Result<std::string> read_identifier(const Element& element) {
  auto text = TRY(read_text(element));
  if (soap::has_hidden_characters(text)) return unreadable("hidden characters in an identifier");
  return text;
}

Result<std::string> read_attribute(const Element& element, std::string_view name) {
  const auto value = trim(element.attribute(name).value_or(""));
  if (value.size() > text_characters_max || soap::has_hidden_characters(value))
    return unreadable("an attribute that cannot be read");
  return std::string(value);
}

Result<Instant> read_instant(const Element& element, std::string_view name) {
  const auto value = element.attribute(name);
  if (!value) return unreadable("a missing time");
  const auto instant = base::read_date_time(trim(*value));
  if (!instant) return unreadable("an unreadable time");
  return *instant;
}

Result<std::optional<Instant>> read_optional_instant(const Element& element, std::string_view name) {
  if (!element.attribute(name)) return std::optional<Instant>{};
  return std::optional<Instant>(TRY(read_instant(element, name)));
}

Result<Element> only(const Element& parent, std::string_view name) {
  const auto child = parent.only_child(ns::saml, name);
  if (!child) return unreadable("not one " + std::string(name));
  return *child;
}

Result<void> read_head(const Element& assertion, Assertion& values) {
  if (assertion.attribute("Version") != "2.0") return unreadable("not of version 2.0");
  values.id = TRY(read_attribute(assertion, "ID"));
  values.issued = TRY(read_instant(assertion, "IssueInstant"));
  const auto issuer = TRY(only(assertion, "Issuer"));
  values.issuer = TRY(read_identifier(issuer));
  values.issuer_format = TRY(read_attribute(issuer, "Format"));
  if (values.issuer.empty()) return unreadable("no issuer");
  return {};
}

Result<Confirmation> read_confirmation(const Element& element) {
  Confirmation confirmation;
  confirmation.method = TRY(read_attribute(element, "Method"));
  const auto data = element.optional_child(ns::saml, "SubjectConfirmationData");
  if (!data) return unreadable("doubled SubjectConfirmationData");
  if (!*data) return confirmation;
  confirmation.key_infos = (*data)->children(ns::ds, "KeyInfo");
  confirmation.not_before = TRY(read_optional_instant(**data, "NotBefore"));
  confirmation.not_on_or_after = TRY(read_optional_instant(**data, "NotOnOrAfter"));
  if ((*data)->attribute("Recipient")) confirmation.recipient = TRY(read_attribute(**data, "Recipient"));
  confirmation.in_response_to = (*data)->attribute("InResponseTo").has_value();
  return confirmation;
}

Result<void> read_subject(const Element& assertion, Claims& claims) {
  const auto subject = TRY(only(assertion, "Subject"));
  const auto name = TRY(only(subject, "NameID"));
  claims.values.name_id = TRY(read_identifier(name));
  claims.values.name_id_format = TRY(read_attribute(name, "Format"));
  claims.values.name_id_alias = TRY(read_attribute(name, "SPProvidedID"));
  for (const auto& child : subject.children(ns::saml, "SubjectConfirmation")) {
    if (claims.confirmations.size() == confirmations_max) return unreadable("too many subject confirmations");
    claims.confirmations.push_back(TRY(read_confirmation(child)));
  }
  return {};
}

/// Empty Audiences say nothing; a restriction made of them restricts nothing (CONNECT writes such).
Result<std::vector<std::string>> read_audiences(const Element& restriction) {
  std::vector<std::string> audiences;
  for (const auto& child : restriction.children()) {
    if (!child.is(ns::saml, "Audience")) return fail(Errc::ConditionUnknown, "foreign content of AudienceRestriction");
    if (audiences.size() == values_max) return unreadable("too many audiences");
    auto audience = TRY(read_identifier(child));
    if (!audience.empty()) audiences.push_back(std::move(audience));
  }
  return audiences;
}

/// What is not understood here restricts in a way we cannot honour. [SAML core §2.5.1]
Result<void> read_conditions(const Element& assertion, Claims& claims) {
  const auto conditions = TRY(only(assertion, "Conditions"));
  claims.values.not_before = TRY(read_instant(conditions, "NotBefore"));
  claims.values.not_on_or_after = TRY(read_instant(conditions, "NotOnOrAfter"));
  for (const auto& child : conditions.children()) {
    if (child.is(ns::saml, "OneTimeUse")) {
      claims.values.one_time_use = true;
    } else if (child.is(ns::saml, "AudienceRestriction")) {
      auto audiences = TRY(read_audiences(child));
      if (claims.audience_restrictions.size() == values_max) return unreadable("too many audience restrictions");
      claims.values.audiences.insert(claims.values.audiences.end(), audiences.begin(), audiences.end());
      if (!audiences.empty()) claims.audience_restrictions.push_back(std::move(audiences));
    } else if (!child.is(ns::saml, "ProxyRestriction")) {  // we never issue a token on one received
      return fail(Errc::ConditionUnknown);
    }
  }
  return {};
}

Result<void> read_statements(const Element& assertion, Claims& claims) {
  for (const auto& statement : assertion.children(ns::saml, "AuthnStatement")) {
    if (claims.authentications.size() == values_max) return unreadable("too many authentications");
    const auto at = TRY(read_instant(statement, "AuthnInstant"));
    const auto session_ends = TRY(read_optional_instant(statement, "SessionNotOnOrAfter"));
    claims.authentications.push_back({.at = at, .session_ends = session_ends});
  }
  for (const auto& statement : assertion.children(ns::saml, "AuthzDecisionStatement"))
    if (statement.attribute("Decision") != "Permit") return fail(Errc::AuthorizationDenied);
  return {};
}

/// HL7 V3 CE inside an AttributeValue: `<hl7:PurposeOfUse code="…" codeSystem="…"/>`.
Result<std::optional<Code>> read_code(const Element& value, std::initializer_list<std::string_view> names) {
  const auto child = value.first_child();
  if (!child && !value.has_stray_text()) return std::optional<Code>{};
  if (!child || child->next_sibling() || value.has_stray_text() || child->namespace_uri() != ns::hl7 ||
      std::ranges::find(names, child->local_name()) == names.end())
    return unreadable("a coded attribute without its one code");
  Code code{.code = std::string(child->attribute("code").value_or("")),
            .system = std::string(child->attribute("codeSystem").value_or("")),
            .display = std::string(child->attribute("displayName").value_or(""))};
  if (code.code.empty()) return unreadable("a coded attribute without code");
  if (std::max({code.code.size(), code.system.size(), code.display.size()}) > text_characters_max ||
      soap::has_hidden_characters(code.code) || soap::has_hidden_characters(code.system))
    return unreadable("a code that cannot be read");
  return std::optional<Code>(std::move(code));
}

/// Where the text of an attribute goes. Several names may stand for one field.
struct Field {
  std::string_view name;
  std::string Assertion::*member;
  bool identifier;
  bool required;
};
constexpr Field fields[] = {
    {"urn:oasis:names:tc:xspa:1.0:subject:subject-id", &Assertion::subject_id, false, true},
    {"urn:oasis:names:tc:xspa:1.0:subject:organization", &Assertion::organization, false, true},
    {"urn:oasis:names:tc:xspa:1.0:subject:organization-id", &Assertion::organization_id, true, true},
    {"urn:nhin:names:saml:homeCommunityId", &Assertion::home_community_id, true, true},
    {"urn:ihe:iti:xca:2010:homeCommunityId", &Assertion::home_community_id, true, true},
    {"urn:oasis:names:tc:xspa:2.0:subject:npi", &Assertion::npi, true, false},
    {"urn:oasis:names:tc:xspa:1.0:subject:npi", &Assertion::npi, true, false},
    {"urn:oasis:names:tc:xacml:2.0:resource:resource-id", &Assertion::resource_id, true, false},
    {"QueryAuthGrantor", &Assertion::query_auth_grantor, true, false},
};
/// Names under which the user's name or a consent may come as well.
constexpr std::string_view old_subject_id = "urn:oasis:names:tc:xacml:1.0:subject:subject-id";
constexpr std::string_view role_name = "urn:oasis:names:tc:xacml:2.0:subject:role";
constexpr std::string_view purpose_name = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse";
constexpr std::string_view policy_names[] = {"urn:ihe:iti:xua:2012:acp", "urn:ihe:iti:bppc:2007:docid",
                                             "AccessConsentPolicy", "InstanceAccessConsentPolicy"};

std::string_view without_urn(std::string_view id) {
  constexpr std::string_view prefix = "urn:oid:";
  return id.starts_with(prefix) ? id.substr(prefix.size()) : id;
}

/// Sets a field of one value. Two values that differ, but for the prefix of an OID, decide nothing.
Result<void> set_once(std::string& field, std::string value) {
  if (value.empty()) return {};
  if (field.empty())
    field = std::move(value);
  else if (without_urn(field) != without_urn(value))
    return fail(Errc::AttributeContradictory);
  return {};
}

/// Gathers attributes one value at a time.
class Attributes {
 public:
  explicit Attributes(Assertion& values) : values_(values) {}

  Result<void> take(const Element& attribute) {
    const auto name = trim(attribute.attribute("Name").value_or(""));
    for (const auto& value : attribute.children(ns::saml, "AttributeValue")) {
      if (++count_ > values_max) return unreadable("too many attribute values");
      TRY(take_value(name, value));
    }
    return {};
  }

  Result<void> take_policy_reference(const Element& attribute) {
    const auto name = trim(attribute.attribute("Name").value_or(""));
    if (std::ranges::find(policy_names, name) == std::end(policy_names)) return {};
    return take(attribute);
  }

  Result<void> finish() {
    if (values_.subject_id.empty()) values_.subject_id = std::move(old_subject_id_);
    for (const auto& field : fields)
      if (field.required && (values_.*field.member).empty())
        return fail(Errc::AttributeMissing, std::string(field.name));
    if (!values_.role) return fail(Errc::AttributeMissing, std::string(role_name));
    if (!base::Oid::parse(values_.home_community_id)) return unreadable("a home community that is no OID");
    return {};
  }

 private:
  Result<void> take_value(std::string_view name, const Element& value) {
    if (name == role_name) {
      auto role = TRY(read_code(value, {"Role"}));
      if (!values_.role) values_.role = std::move(role);  // recorded only: a user may have several
    } else if (name == purpose_name) {
      if (auto purpose = TRY(read_code(value, {"PurposeOfUse", "PurposeForUse"})))
        values_.purposes_of_use.push_back(*std::move(purpose));
    } else if (name == old_subject_id) {
      return set_once(old_subject_id_, TRY(read_text(value)));
    } else if (std::ranges::find(policy_names, name) != std::end(policy_names)) {
      if (auto reference = TRY(read_identifier(value)); !reference.empty())
        values_.policy_references.push_back(std::move(reference));
    } else if (const auto field = std::ranges::find(fields, name, &Field::name); field != std::end(fields)) {
      return set_once(values_.*field->member, TRY(field->identifier ? read_identifier(value) : read_text(value)));
    }
    return {};
  }

  Assertion& values_;
  std::string old_subject_id_;
  std::size_t count_ = 0;
};

/// The consents an AuthzDecisionStatement names in its evidence: recorded, never a token. [threats.md W09, T15]
Result<void> take_evidence(const Element& assertion, Attributes& attributes) {
  for (const auto& decision : assertion.children(ns::saml, "AuthzDecisionStatement"))
    for (const auto& evidence : decision.children(ns::saml, "Evidence"))
      for (const auto& claim : evidence.children(ns::saml, "Assertion"))
        for (const auto& statement : claim.children(ns::saml, "AttributeStatement"))
          for (const auto& attribute : statement.children(ns::saml, "Attribute"))
            TRY(attributes.take_policy_reference(attribute));
  return {};
}

}  // namespace

Result<Claims> read_claims(const Element& assertion) {
  Claims claims;
  TRY(read_head(assertion, claims.values));
  TRY(read_subject(assertion, claims));
  TRY(read_conditions(assertion, claims));
  TRY(read_statements(assertion, claims));
  return claims;
}

Result<void> read_attributes(const Element& assertion, Assertion& values) {
  Attributes attributes(values);
  for (const auto& statement : assertion.children(ns::saml, "AttributeStatement")) {
    for (const auto& child : statement.children()) {
      if (!child.is(ns::saml, "Attribute")) return unreadable("an encrypted or foreign attribute");
      TRY(attributes.take(child));
    }
  }
  TRY(take_evidence(assertion, attributes));
  return attributes.finish();
}

}  // namespace xca::wss
