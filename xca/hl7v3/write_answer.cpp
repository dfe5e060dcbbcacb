#include "xca/hl7v3/lexical.hpp"
#include "xca/hl7v3/patient_discovery.hpp"
#include "xca/write.hpp"

// Element order is the schema's; attribute order that of canonical form. [facts/query-exchange §2.2–§2.4]

namespace xca::hl7v3 {
namespace {

constexpr std::string_view interactions = "2.16.840.1.113883.1.6";
constexpr std::string_view gender_system = "2.16.840.1.113883.5.1";
constexpr std::string_view acknowledgement_system = "2.16.840.1.113883.5.1100";

/// An acknowledgementDetail.
struct Detail {
  std::string_view code;  ///< of AcknowledgementDetailCode, where one says the same
  std::string_view text;
};
/// [facts/query-exchange §1.5]
constexpr Detail unsupported_mode{"NS250", "Unsupported processing mode"};

/// What the wire says of a problem.
struct ProblemRow {
  Problem problem;
  std::string_view response;  ///< queryResponseCode
  std::string_view issue;     ///< detectedIssueManagement code; none for a query that cannot be one
  Detail detail;
};
constexpr ProblemRow problems[] = {
    {Problem::ResponderBusy, "AE", "ResponderBusy",
     {"INTERR", "The responder is busy. The same query may succeed later."}},
    {Problem::AnswerNotAvailable, "AE", "AnswerNotAvailable", {{}, "An answer is not available."}},
    {Problem::InternalError, "AE", "InternalError", {"INTERR", "The responder could not process the query."}},
    {Problem::BadQuery, "QE", {}, {"SYN105", "The query needs an identifier, or a name and a birth time."}},
};
const ProblemRow& row_of(Problem problem) { return problems[static_cast<std::size_t>(problem)]; }

constexpr std::string_view wanted_codes[] = {"LivingSubjectAdministrativeGenderRequested",
                                             "PatientAddressRequested",
                                             "PatientTelecomRequested",
                                             "LivingSubjectBirthPlaceNameRequested",
                                             "LivingSubjectBirthPlaceAddressRequested",
                                             "MothersMaidenNameRequested"};

std::string_view if_valid(bool (*is_valid)(std::string_view) noexcept, std::string_view text) {
  return is_valid(text) ? text : std::string_view();
}

/// An II with what the schema takes of it; nothing of it: no information.
void append_id(std::string& out, std::string_view name, std::string_view root, std::string_view extension = {}) {
  const std::string_view valid_root = if_valid(is_uid, root), valid_extension = if_valid(is_string, extension);
  const bool known = valid_root.data() || valid_extension.data();
  empty_tag(out, name,
            {{"extension", valid_extension}, {"nullFlavor", known ? std::string_view() : "NI"}, {"root", valid_root}});
}

void append_code(std::string& out, std::string_view name, std::string_view code, std::string_view system = {}) {
  empty_tag(out, name, {{"code", code}, {"codeSystem", system}});
}

/// receiver or sender: a device, and the community it stands for where there is one.
void append_party(std::string& out, std::string_view name, std::string_view type_code, std::string_view device,
                  std::string_view home) {
  open_tag(out, name, {{"typeCode", type_code}});
  open_tag(out, "device", {{"classCode", "DEV"}, {"determinerCode", "INSTANCE"}});
  append_id(out, "id", device);
  if (!home.empty()) {
    open_tag(out, "asAgent", {{"classCode", "AGNT"}});
    open_tag(out, "representedOrganization", {{"classCode", "ORG"}, {"determinerCode", "INSTANCE"}});
    append_id(out, "id", home);
    out += "</representedOrganization></asAgent>";
  }
  out += "</device>";
  close_tag(out, name);
}

void append_acknowledgement(std::string& out, const PatientQuery& query, const Detail* problem) {
  out += "<acknowledgement>";
  append_code(out, "typeCode", problem ? "AE" : "AA");
  out += "<targetMessage>";
  append_id(out, "id", query.message_id.root, query.message_id.extension);
  out += "</targetMessage>";
  if (problem) {
    open_tag(out, "acknowledgementDetail", {{"typeCode", "E"}});
    if (!problem->code.empty()) append_code(out, "code", problem->code, acknowledgement_system);
    text_tag(out, "text", problem->text);
    out += "</acknowledgementDetail>";
  }
  out += "</acknowledgement>";
}

/// Opens the root of what goes back to the asker: the transmission wrapper up to the acknowledgement.
void open_transmission(std::string& out, std::string_view interaction, const PatientQuery& query,
                       const Responder& responder, std::string_view message_id, base::Instant now) {
  open_tag(out, interaction, {{"xmlns", soap::ns::hl7}, {"ITSVersion", "XML_1.0"}});
  append_id(out, "id", message_id);
  empty_tag(out, "creationTime", {{"value", base::write_hl7_time(now)}});
  append_id(out, "interactionId", interactions, interaction);
  const std::string_view processing = query.processing_code;
  append_code(out, "processingCode", processing == "T" || processing == "D" ? processing : "P");
  append_code(out, "processingModeCode", "T");
  append_code(out, "acceptAckCode", "NE");
  append_party(out, "receiver", "RCV", query.sender_device, query.sender_home);
  append_party(out, "sender", "SND", responder.device, responder.home);
}

void append_name(std::string& out, const PersonName& name) {
  out += "<name>";
  if (!name.prefix.empty()) text_tag(out, "prefix", name.prefix);
  for (const std::string& given : name.given) text_tag(out, "given", given);
  if (!name.family.empty()) text_tag(out, "family", name.family);
  if (!name.suffix.empty()) text_tag(out, "suffix", name.suffix);
  out += "</name>";
}

void append_address(std::string& out, const Address& address) {
  out += "<addr>";
  for (const std::string& line : address.lines) text_tag(out, "streetAddressLine", line);
  if (!address.city.empty()) text_tag(out, "city", address.city);
  if (!address.state.empty()) text_tag(out, "state", address.state);
  if (!address.postal_code.empty()) text_tag(out, "postalCode", address.postal_code);
  if (!address.country.empty()) text_tag(out, "country", address.country);
  out += "</addr>";
}

void append_gender(std::string& out, std::string_view gender) {
  if (gender == "M" || gender == "F" || gender == "UN")
    append_code(out, "administrativeGenderCode", gender, gender_system);
  else
    empty_tag(out, "administrativeGenderCode", {{"nullFlavor", "UNK"}});
}

void append_person(std::string& out, const Person& person) {
  open_tag(out, "patientPerson", {{"classCode", "PSN"}, {"determinerCode", "INSTANCE"}});
  for (const PersonName& name : person.names) append_name(out, name);
  if (person.names.empty()) empty_tag(out, "name", {{"nullFlavor", "NA"}});
  for (const std::string& telecom : person.telecoms)
    if (is_uri(telecom)) empty_tag(out, "telecom", {{"value", telecom}});
  append_gender(out, person.gender);
  if (is_timestamp(person.birth_date)) empty_tag(out, "birthTime", {{"value", person.birth_date}});
  for (const Address& address : person.addresses) append_address(out, address);
  out += "</patientPerson>";
}

void append_match(std::string& out, const PatientMatch& match) {
  open_tag(out, "subject", {{"typeCode", "SUBJ"}});
  open_tag(out, "registrationEvent", {{"classCode", "REG"}, {"moodCode", "EVN"}});
  empty_tag(out, "id", {{"nullFlavor", "NA"}});
  append_code(out, "statusCode", "active");
  open_tag(out, "subject1", {{"typeCode", "SBJ"}});
  open_tag(out, "patient", {{"classCode", "PAT"}});
  append_id(out, "id", match.id.root, match.id.extension);
  append_code(out, "statusCode", "active");
  append_person(out, match.person);
  open_tag(out, "subjectOf1", {{"typeCode", "SBJ"}});
  open_tag(out, "queryMatchObservation", {{"classCode", "OBS"}, {"moodCode", "EVN"}});
  append_code(out, "code", "IHE_PDQ");
  empty_tag(
      out, "value",
      {{"xmlns:xsi", soap::ns::xsi}, {"value", std::to_string(std::min(match.score, 100u))}, {"xsi:type", "INT"}});
  out += "</queryMatchObservation></subjectOf1></patient></subject1>";
  open_tag(out, "custodian", {{"typeCode", "CST"}});
  open_tag(out, "assignedEntity", {{"classCode", "ASSIGNED"}});
  append_id(out, "id", match.custodian);
  append_code(out, "code", "NotHealthDataLocator", "1.3.6.1.4.1.19376.1.2.27.2");
  out += "</assignedEntity></custodian></registrationEvent></subject>";
}

void open_issue(std::string& out) {
  open_tag(out, "reasonOf", {{"typeCode", "RSON"}});
  open_tag(out, "detectedIssueEvent", {{"classCode", "ALRT"}, {"moodCode", "EVN"}});
  append_code(out, "code", "_ActAdministrativeDetectedIssueManagementCode", "2.16.840.1.113883.5.4");
}

void append_issue(std::string& out, const QueryOutcome& outcome) {
  if (outcome.problem) {
    const std::string_view issue = row_of(*outcome.problem).issue;
    if (issue.empty()) return;
    open_issue(out);
    open_tag(out, "mitigatedBy", {{"typeCode", "MITGT"}});
    open_tag(out, "detectedIssueManagement", {{"classCode", "ACT"}, {"moodCode", "EVN"}});
    append_code(out, "code", issue, "1.3.6.1.4.1.19376.1.2.27.3");
    out += "</detectedIssueManagement></mitigatedBy></detectedIssueEvent></reasonOf>";
    return;
  }
  if (outcome.wanted.empty() || !outcome.matches.empty()) return;
  open_issue(out);
  for (const Wanted wanted : outcome.wanted) {
    open_tag(out, "triggerFor", {{"typeCode", "TRIG"}});
    open_tag(out, "actOrderRequired", {{"classCode", "ACT"}, {"moodCode", "RQO"}});
    append_code(out, "code", wanted_codes[static_cast<std::size_t>(wanted)], "1.3.6.1.4.1.19376.1.2.27.1");
    out += "</actOrderRequired></triggerFor>";
  }
  out += "</detectedIssueEvent></reasonOf>";
}

std::string_view response_code(const QueryOutcome& outcome) {
  if (outcome.problem) return row_of(*outcome.problem).response;
  return outcome.matches.empty() && outcome.wanted.empty() ? "NF" : "OK";
}

void append_control_act(std::string& out, const PatientQuery& query, const QueryOutcome& outcome,
                        const Responder& responder) {
  open_tag(out, "controlActProcess", {{"classCode", "CACT"}, {"moodCode", "EVN"}});
  append_code(out, "code", "PRPA_TE201306UV02", interactions);
  open_tag(out, "authorOrPerformer", {{"typeCode", "AUT"}});
  open_tag(out, "assignedDevice", {{"classCode", "ASSIGNED"}});
  append_id(out, "id", responder.authority);
  out += "</assignedDevice></authorOrPerformer>";
  if (!outcome.problem)
    for (const PatientMatch& match : outcome.matches) append_match(out, match);
  append_issue(out, outcome);
  out += "<queryAck>";
  append_id(out, "queryId", query.query_id.root, query.query_id.extension);
  append_code(out, "statusCode", outcome.problem ? "aborted" : "deliveredResponse");
  append_code(out, "queryResponseCode", response_code(outcome));
  out += "</queryAck>";
  out += query.echo;
  out += "</controlActProcess>";
}

}  // namespace

std::string write_answer(const PatientQuery& query, const QueryOutcome& outcome, const Responder& responder,
                         std::string_view message_id, base::Instant now) {
  std::string out;
  out.reserve(3072 + query.echo.size() + 1536 * outcome.matches.size());
  open_transmission(out, "PRPA_IN201306UV02", query, responder, message_id, now);
  append_acknowledgement(out, query, outcome.problem ? &row_of(*outcome.problem).detail : nullptr);
  append_control_act(out, query, outcome, responder);
  out += "</PRPA_IN201306UV02>";
  return out;
}

std::string write_deferred_refusal(const PatientQuery& query, const Responder& responder, std::string_view message_id,
                                   base::Instant now) {
  std::string out;
  open_transmission(out, "MCCI_IN000002UV01", query, responder, message_id, now);
  append_acknowledgement(out, query, &unsupported_mode);
  close_tag(out, "MCCI_IN000002UV01");
  return out;
}

}  // namespace xca::hl7v3
