#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/json/writer.hpp"
#include "gateway/audit/disclosures.hpp"

#include <algorithm>

namespace gateway::audit {
namespace {

using base::json::Writer;

constexpr std::string_view dcm = "http://dicom.nema.org/resources/ontology/DCM", snomed = "http://snomed.info/sct",
                           act_reason = "http://terminology.hl7.org/CodeSystem/v3-ActReason",
                           entity_type = "http://terminology.hl7.org/CodeSystem/audit-entity-type",
                           object_role = "http://terminology.hl7.org/CodeSystem/object-role",
                           uris = "urn:ietf:rfc:3986", nhin = "2.16.840.1.113883.3.18.7.1";

/// Purposes of the NHIN and their HL7 equivalents. [facts/fhir §11.2]
constexpr std::pair<std::string_view, std::string_view> reasons[] = {
    {"TREATMENT", "TREAT"},    {"EMERGENCY", "ETREAT"}, {"PAYMENT", "HPAYMT"},     {"OPERATIONS", "HOPERAT"},
    {"PUBLICHEALTH", "PUBHLTH"}, {"COVERAGE", "COVERAGE"}, {"RESEARCH", "HRESCH"}, {"REQUEST", "PATRQT"},
    {"MARKETING", "HMARKT"},   {"LEGAL", "HLEGAL"},     {"FRAUD", "FRAUD"},        {"SYSADMIN", "HSYSADMIN"},
    {"TRAINING", "TRAIN"},     {"DIRECTORY", "HDIRECT"}, {"FAMILY", "FAMRQT"},     {"DISASTER", "DISASTER"},
    {"THREAT", "THREAT"},      {"DECEASED", "HDECD"},   {"DONATION", "DONAT"},     {"GOVERNMENT", "GOV"}};

std::string bare(std::string_view oid) {
  constexpr std::string_view prefix = "urn:oid:";
  return std::string(oid.starts_with(prefix) ? oid.substr(prefix.size()) : oid);
}

bool is_oid(std::string_view text) { return base::Oid::parse(text).has_value(); }

/// An OID as a URI; a URI as it is; nothing for a text that is none.
std::string uri_of(std::string_view system) {
  if (is_oid(system)) return "urn:oid:" + bare(system);
  const bool is_uri = system.find(':') != std::string_view::npos && system.find_first_of(" \t\r\n") == system.npos;
  return is_uri ? std::string(system) : std::string();
}

/// Without what FHIR takes for no code: spaces at the ends or doubled.
std::string code_of(std::string_view text) {
  std::string code;
  for (const char character : base::trim(text)) {
    if (character != ' ' || code.back() != ' ') code += character;
  }
  return code;
}

void write_coding(Writer& json, std::string_view system, std::string_view code, std::string_view display = {}) {
  json.begin_object().member("system", system).member("code", code_of(code)).member("display", display).end_object();
}

void write_concept(Writer& json, std::string_view system, std::string_view code, std::string_view display = {}) {
  json.begin_object().name("coding").begin_array();
  write_coding(json, system, code, display);
  json.end_array().end_object();
}

void write_identified(Writer& json, std::string_view name, std::string_view system, std::string_view value,
                      std::string_view display = {}) {
  json.name(name).begin_object().name("identifier").begin_object();
  json.member("system", system).member("value", value).end_object();
  json.member("display", display).end_object();
}

void write_purposes(Writer& json, std::string_view name, const Event& event) {
  if (event.purpose_codes.empty()) return;
  json.name(name).begin_array();
  for (const auto& purpose : event.purpose_codes) {
    json.begin_object().name("coding").begin_array();
    const auto reason = std::ranges::find(reasons, purpose.code, &std::pair<std::string_view, std::string_view>::first);
    if (bare(purpose.system) == nhin && reason != std::end(reasons)) write_coding(json, act_reason, reason->second);
    write_coding(json, uri_of(purpose.system), purpose.code, purpose.display);
    json.end_array().end_object();
  }
  json.end_array();
}

/// @param type  1 a name, 2 an address, 5 a URI
void write_network(Writer& json, std::string_view address, std::string_view type) {
  if (address.empty()) return;
  json.name("network").begin_object().member("address", address).member("type", type).end_object();
}

void begin_agent(Writer& json, std::string_view system, std::string_view code, std::string_view display) {
  json.begin_object().name("type");
  write_concept(json, system, code, display);
}

void write_agents(Writer& json, const Disclosure& disclosure) {
  const auto& event = disclosure.event;
  json.name("agent").begin_array();
  begin_agent(json, dcm, "110153", "Source Role ID");
  write_identified(json, "who", {}, disclosure.node);
  json.name("requestor").boolean(false);
  write_network(json, event.endpoint, "5");
  json.end_object();

  begin_agent(json, dcm, "110152", "Destination Role ID");
  write_identified(json, "who", uris, "urn:oid:" + bare(event.home), event.organization);
  json.name("requestor").boolean(true);
  write_network(json, event.address, "2");
  json.end_object();

  if (!event.name_id.empty() || !event.user.empty()) {
    begin_agent(json, "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "information recipient");
    if (event.role && !event.role->code.empty()) {
      json.name("role").begin_array();
      write_concept(json, uri_of(event.role->system), event.role->code, event.role->display);
      json.end_array();
    }
    write_identified(json, "who", uri_of(event.issuer), event.name_id.empty() ? event.user : event.name_id);
    json.member("name", event.user).name("requestor").boolean(true);
    write_purposes(json, "purposeOfUse", event);
    json.end_object();
  }
  if (is_oid(event.community)) {
    begin_agent(json, snomed, "159541003", "Record keeping/library clerk");
    write_identified(json, "who", uris, "urn:oid:" + bare(event.community));
    json.name("requestor").boolean(false).end_object();
  }
  json.end_array();
}

void begin_entity(Writer& json) { json.begin_object(); }
void end_entity(Writer& json, std::string_view type, std::string_view role, std::string_view description = {}) {
  json.name("type");
  write_coding(json, entity_type, type);
  json.name("role");
  write_coding(json, object_role, role);
  json.member("description", description).end_object();
}

void write_entities(Writer& json, const Disclosure& disclosure, std::string_view patient) {
  const auto& event = disclosure.event;
  json.name("entity").begin_array();
  begin_entity(json);
  json.name("what").begin_object().member("reference", "Patient/" + std::string(patient)).end_object();
  end_entity(json, "1", "1");
  for (const auto& id : event.documents) {
    begin_entity(json);
    write_identified(json, "what", uris, uri_of(id).empty() ? id : uri_of(id));
    end_entity(json, "2", "3", event.transaction == "ITI-38" ? "Metadata of a document" : "A document");
  }
  if (event.documents.empty()) {  // of a patient discovery
    begin_entity(json);
    const auto cx = base::read_cx(event.patient_ids.empty() ? std::string_view() : event.patient_ids.back());
    if (cx) {
      write_identified(json, "what", uri_of(cx->root), cx->extension);
    } else {
      json.name("what").begin_object().member("reference", "Patient/" + std::string(patient)).end_object();
    }
    end_entity(json, "2", "4", "Demographics and identifier of the patient");
  }
  json.begin_object();
  write_identified(json, "what", {}, event.request);
  json.name("type");
  write_coding(json, "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId");
  json.end_object().end_array();
}

std::string sentence_of(const Disclosure& disclosure) {
  std::string sentence = "Released";
  if (!disclosure.delivery.empty()) sentence += ", " + disclosure.delivery;
  sentence += ".";
  for (const auto& permitted : disclosure.decision) sentence += " " + permitted;
  return sentence;
}

/// `urn:uuid:` of an entry: one event of a request is released, so its request names it.
std::string uuid_of(std::string_view request) {
  std::string uuid = "urn:uuid:";
  for (std::size_t i = 0; i < request.size(); ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) uuid += '-';
    uuid += request[i];
  }
  return uuid;
}

void write_audit_event(Writer& json, const Disclosure& disclosure, std::string_view patient) {
  const auto& event = disclosure.event;
  json.begin_object().member("resourceType", "AuditEvent").member("id", event.request);
  if (!event.address.empty() && !event.endpoint.empty()) {  // both are demanded
    json.name("meta").begin_object().name("profile").begin_array();
    json.string("https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source");
    json.end_array().end_object();
  }
  json.name("type");
  write_coding(json, dcm, "110106", "Export");
  json.name("subtype").begin_array();
  write_coding(json, "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "disclose", "Disclose");
  write_coding(json, "urn:ihe:event-type-code", event.transaction);
  json.end_array();
  json.member("action", "R").member("recorded", base::write_date_time(event.at)).member("outcome", "0");
  json.member("outcomeDesc", sentence_of(disclosure));
  write_purposes(json, "purposeOfEvent", event);
  write_agents(json, disclosure);
  json.name("source").begin_object();
  write_identified(json, "observer", {}, disclosure.node);
  json.name("type").begin_array();
  write_coding(json, "http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server");
  json.end_array().end_object();
  write_entities(json, disclosure, patient);
  json.end_object();
}

}  // namespace

std::string write_audit_events(std::span<const Disclosure> disclosures, std::string_view patient) {
  Writer json;
  json.begin_object().member("resourceType", "Bundle").member("type", "collection");
  if (!disclosures.empty()) json.name("entry").begin_array();
  for (const auto& disclosure : disclosures) {
    json.begin_object().member("fullUrl", uuid_of(disclosure.event.request)).name("resource");
    write_audit_event(json, disclosure, patient);
    json.end_object();
  }
  if (!disclosures.empty()) json.end_array();
  json.end_object();
  return json.text() + "\n";
}

}  // namespace gateway::audit
