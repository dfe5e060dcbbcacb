#include "gateway/resources/consent_resource.hpp"

#include <algorithm>

namespace gateway::resources {
namespace {

using base::json::Value;
using base::json::Writer;
using policy::ConsentStatus;
using policy::Provision;
using policy::Purpose;

constexpr std::string_view scope_system = "http://terminology.hl7.org/CodeSystem/consentscope";
constexpr std::string_view privacy = "patient-privacy";
constexpr std::string_view uri_system = "urn:ietf:rfc:3986";
constexpr std::string_view loinc = "http://loinc.org";
constexpr std::string_view consent_document = "59284-0";

struct StatusRow {
  std::string_view code;
  ConsentStatus status;
};
/// The first row of a status is how it is written.
constexpr StatusRow statuses[] = {{"active", ConsentStatus::Active},
                                  {"inactive", ConsentStatus::Revoked},
                                  {"proposed", ConsentStatus::Proposed},
                                  {"draft", ConsentStatus::Proposed},
                                  {"entered-in-error", ConsentStatus::EnteredInError},
                                  {"rejected", ConsentStatus::EnteredInError}};

base::Error unreadable(std::string_view element) {
  return fail(Errc::FieldUnreadable, "Consent." + std::string(element));
}

/// The items of an array; an absent one has none. @error Errc::FieldUnreadable where it is no array, or an empty one
Result<std::vector<Value>> items_of(Value object, std::string_view member) {
  const auto found = object.find(member);
  if (!found) return std::vector<Value>();
  auto items = found->items();
  if (items.empty()) return unreadable(member);
  return items;
}

/// A string member, empty where absent.
Result<std::string> text_of(Value object, std::string_view member, std::string_view element) {
  const auto text = object.optional_string(member);
  if (!text) return unreadable(element);
  return std::string(text->value_or(""));
}
Result<std::string> text_of(Value resource, std::string_view element) { return text_of(resource, element, element); }

Result<FhirIdentifier> read_identifier(Value holder, std::string_view element) {
  FhirIdentifier identifier;
  identifier.system = TRY(text_of(holder, "system", element));
  identifier.value = TRY(text_of(holder, "value", element));
  return identifier;
}

/// What changes the meaning of the whole and is not known here.
Result<void> refuse_modifiers(Value resource) {
  for (const std::string_view element : {"modifierExtension", "implicitRules"}) {
    if (resource.find(element)) return unreadable(element);
  }
  return {};
}

bool is_privacy(Value scope) {
  const auto codings = scope.find("coding");
  return codings && std::ranges::any_of(codings->items(), [](Value coding) {
    const auto system = coding.find("system"), code = coding.find("code");
    return system && code && system->string() == scope_system && code->string() == privacy;
  });
}

/// [FHIR R4 ppc-1]
Result<std::string> read_policy_uri(Value resource) {
  const auto policies = TRY(items_of(resource, "policy"));
  if (policies.empty() && !resource.find("policyRule")) return unreadable("policy");
  if (policies.empty()) return std::string();
  return text_of(policies.front(), "uri", "policy");
}

Result<ConsentStatus> read_status(Value resource) {
  const auto row = std::ranges::find(statuses, TRY(text_of(resource, "status")), &StatusRow::code);
  if (row == std::end(statuses)) return unreadable("status");
  const auto verifications = TRY(items_of(resource, "verification"));
  bool verified = verifications.empty();
  for (const Value verification : verifications) {
    const auto found = verification.find("verified");
    const auto said = found ? found->boolean() : std::nullopt;
    if (!said) return unreadable("verification");
    verified = verified || *said;
  }
  return verified || row->status != ConsentStatus::Active ? row->status : ConsentStatus::Proposed;
}

Result<void> read_patient(Value resource, FhirConsent& into) {
  const auto patient = resource.find("patient");
  if (!patient) return unreadable("patient");
  into.patient_reference = TRY(text_of(*patient, "reference", "patient"));
  if (const auto identifier = patient->find("identifier")) {
    into.patient_identifier = TRY(read_identifier(*identifier, "patient"));
  }
  const auto type = TRY(text_of(*patient, "type", "patient"));
  if (!type.empty() && type != "Patient") return unreadable("patient");
  if (into.patient_reference.empty() && into.patient_identifier.value.empty()) return unreadable("patient");
  return {};
}

Result<std::string> read_performer(Value resource) {
  const auto performers = TRY(items_of(resource, "performer"));
  if (performers.empty()) return std::string();
  auto display = TRY(text_of(performers.front(), "display", "performer"));
  if (!display.empty()) return display;
  return text_of(performers.front(), "reference", "performer");
}

bool is_known(const Value::Member& member) {
  constexpr std::string_view known[] = {
      "resourceType", "id",       "meta",      "language",     "text",            "contained",   "extension",
      "identifier",   "status",   "scope",     "category",     "patient",         "dateTime",    "performer",
      "organization", "policy",   "policyRule", "verification", "sourceAttachment", "sourceReference", "provision"};
  return std::ranges::find(known, member.name) != std::end(known);
}

/// Nothing but a list of purposes, or not even that.
bool limits_nothing_else(const Provision& provision) {
  Provision bare;
  bare.permits = provision.permits;
  bare.purposes = provision.purposes;
  bare.exceptions = provision.exceptions;
  return provision == bare;
}

template <class Holds>
bool all_of(const Provision& provision, Holds holds) {
  return holds(provision) && std::ranges::all_of(provision.exceptions, [&](const Provision& exception) {
           return all_of(exception, holds);
         });
}

bool names_data(const Provision& provision) { return !provision.documents.empty() || provision.data.limits(); }

bool is_basic(const Provision& root) {
  const bool of_basic_purposes = !root.purposes || std::ranges::all_of(root.purposes->members(), [](Purpose purpose) {
    return purpose == Purpose::Treatment || purpose == Purpose::Payment || purpose == Purpose::Operations;
  });
  return root.exceptions.empty() && root.labels.empty() && !names_data(root) && of_basic_purposes &&
         (!root.purposes || !root.purposes->empty());
}
/// Its exceptions name one document each.
bool is_intermediate(const Provision& root) {
  return all_of(root, [](const Provision& one) { return one.labels.empty(); }) &&
         std::ranges::all_of(root.exceptions, [](const Provision& one) { return one.documents.size() <= 1; });
}

/// The narrowest profile of PCF that has all of it; empty where none has.
std::string profile_of(const Provision& root) {
  const bool fits = all_of(root, [](const Provision& one) { return one.understood && one.classes.empty(); }) &&
                    std::ranges::all_of(root.exceptions, [](const Provision& one) { return one.exceptions.empty(); });
  if (!fits) return {};
  const std::string_view name = is_basic(root) ? "Basic" : is_intermediate(root) ? "Intermediate" : "Advanced";
  return "https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consent" + std::string(name);
}

void write_concept(Writer& writer, std::string_view system, std::string_view code) {
  writer.begin_object().name("coding").begin_array().begin_object().member("system", system).member("code", code);
  writer.end_object().end_array().end_object();
}

void write_identifier(Writer& writer, std::string_view system, std::string_view value) {
  writer.begin_object().member("system", system).member("value", value).end_object();
}

void write_patient(Writer& writer, const ConsentParties& parties) {
  writer.begin_object().member("reference", "Patient/" + parties.patient_id);
  if (!parties.patient_identifier.value.empty()) {
    writer.name("identifier");
    write_identifier(writer, parties.patient_identifier.system, parties.patient_identifier.value);
  }
  writer.end_object();
}

void write_performer(Writer& writer, const ConsentParties& parties) {
  if (parties.performer.empty())
    write_patient(writer, parties);
  else
    writer.begin_object().member("display", parties.performer).end_object();
}

void write_meta(Writer& writer, const policy::Consent& consent) {
  writer.name("meta").begin_object().member("versionId", std::to_string(consent.version));
  const auto profile = profile_of(consent.root);
  if (!profile.empty()) writer.name("profile").begin_array().string(profile).end_array();
  writer.end_object();
}

}  // namespace

Result<FhirConsent> read_consent(Value resource, const Calendar& calendar, const ProvisionLimits& limits) {
  const auto type = resource.find("resourceType");
  if (!type || type->string() != "Consent") return fail(Errc::NotAConsent);
  TRY(refuse_modifiers(resource));
  const auto scope = resource.find("scope"), provision = resource.find("provision");
  if (!scope || !is_privacy(*scope)) return unreadable("scope");
  if (TRY(items_of(resource, "category")).empty()) return unreadable("category");

  FhirConsent consent;
  consent.id = TRY(text_of(resource, "id"));
  for (const Value item : TRY(items_of(resource, "identifier"))) {
    const auto identifier = TRY(read_identifier(item, "identifier"));
    if (consent.identifier.empty() && !identifier.value.empty())
      consent.identifier = identifier.system + "|" + identifier.value;
  }
  consent.status = TRY(read_status(resource));
  TRY(read_patient(resource, consent));
  const auto given_at = calendar.read_fhir(TRY(text_of(resource, "dateTime")), Bound::Start);
  if (!given_at) return unreadable("dateTime");
  consent.given_at = *given_at;
  consent.performer = TRY(read_performer(resource));
  consent.policy_uri = TRY(read_policy_uri(resource));
  if (!provision) return unreadable("provision");
  auto read = TRY(read_provision(*provision, calendar, limits));
  consent.root = std::move(read.provision);
  consent.not_evaluated = std::move(read.not_evaluated);
  if (resource.find("policyRule")) consent.not_evaluated.push_back("Consent.policyRule");
  if (!std::ranges::all_of(resource.members(), is_known)) {
    consent.root.understood = false;
    consent.not_evaluated.push_back("Consent (an unknown element)");
  }
  return consent;
}

std::optional<policy::PurposeSet> purposes_only(const FhirConsent& consent) {
  const Provision& root = consent.root;
  if (consent.status != ConsentStatus::Active || consent.policy_uri == consents_policy || !limits_nothing_else(root))
    return std::nullopt;
  if (root.permits) return root.exceptions.empty() ? root.purposes : std::nullopt;
  if (root.purposes) return std::nullopt;
  policy::PurposeSet permitted;
  for (const Provision& exception : root.exceptions) {
    const bool plain = exception.permits && exception.purposes && exception.exceptions.empty();
    if (!plain || !limits_nothing_else(exception)) return std::nullopt;
    for (const Purpose purpose : exception.purposes->members()) permitted.add(purpose);
  }
  return permitted;
}

std::string write_consent(const policy::Consent& consent, Instant given_at, const ConsentParties& parties,
                          std::string_view policy_uri) {
  const auto status = std::ranges::find(statuses, consent.status, &StatusRow::status);
  Writer writer;
  writer.begin_object().member("resourceType", "Consent").member("id", consent.id);
  write_meta(writer, consent);
  writer.name("identifier").begin_array();
  if (!parties.source.empty()) {  // the first is the one that it is read by
    const auto bar = std::min(parties.source.find('|'), parties.source.size());
    write_identifier(writer, std::string_view(parties.source).substr(0, bar),
                     std::string_view(parties.source).substr(std::min(bar + 1, parties.source.size())));
  }
  write_identifier(writer, own_consents, consent.id);
  writer.end_array().member("status", status->code).name("scope");
  write_concept(writer, scope_system, privacy);
  writer.name("category").begin_array();
  write_concept(writer, loinc, consent_document);
  writer.end_array().name("patient");
  write_patient(writer, parties);
  writer.member("dateTime", write_instant(given_at)).name("performer").begin_array();
  write_performer(writer, parties);
  writer.end_array().name("organization").begin_array().begin_object().name("identifier");
  write_identifier(writer, uri_system, parties.organization.urn());
  writer.member("display", parties.organization_name).end_object().end_array();
  // PCF demands a source; ours is the record itself.
  writer.name("sourceAttachment").begin_object().member("title", "Consent on file").end_object();
  writer.name("policy").begin_array().begin_object().member("uri", policy_uri).end_object().end_array();
  writer.name("provision");
  write_provision(writer, consent.root);
  return writer.end_object().text();
}

std::string write_choice(const policy::PurposeChoice& choice, Instant given_at, const ConsentParties& parties) {
  policy::Consent consent{.id = choice.id, .version = 1, .status = ConsentStatus::Active, .root = {}};
  if (!choice.purposes.empty()) {
    Provision permit;
    permit.permits = true;
    permit.purposes = choice.purposes;
    consent.root.exceptions.push_back(std::move(permit));
  }
  return write_consent(consent, given_at, parties, purposes_policy);
}

}  // namespace gateway::resources
