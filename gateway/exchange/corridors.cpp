// The corridors of the Responding Gateway: one function for each transaction, its lines the stages in their order.
// What every corridor goes through (who asks, claim, schema, the first gates) is in responding_gateway.cpp.
// [ITI TF-2 §3.55, §3.38, §3.39]

#include "gateway/exchange/responding_gateway.hpp"
#include "xca/query.hpp"
#include "xca/retrieve.hpp"

#include <algorithm>
#include <set>

namespace gateway::exchange {
namespace {

using audit::Outcome;
using policy::Admitted;
using policy::Held;
using policy::Released;
using policy::Verdict;
using xca::ebxml::DocumentEntry;
using xca::ebxml::RegistryError;
using xca::ebxml::RegistryErrorCode;
using xca::ebxml::RetrievedDocument;
using xca::hl7v3::PatientMatch;
using xca::hl7v3::Problem;
using xca::soap::Answer;

std::string without_urn(std::string_view home) {
  constexpr std::string_view urn = "urn:oid:";
  return std::string(home.starts_with(urn) ? home.substr(urn.size()) : home);
}

/// Writes what release decided into the record.
void note_verdicts(Exchange& exchange, const std::vector<Verdict>& verdicts,
                   const std::optional<policy::Clinic>& clinic) {
  exchange.decision->verdicts.insert(exchange.decision->verdicts.end(), verdicts.begin(), verdicts.end());
  if (!clinic) return;
  exchange.decision->clinic_version = clinic->version;
  exchange.event.clinic = clinic->id;
}

/// Writes what becomes of a release into the event, and why something was withheld. @param leaves  it answers something
void note_outcome(Exchange& exchange, const std::vector<Verdict>& verdicts, bool leaves) {
  const auto refused = std::ranges::find_if(verdicts, [](const Verdict& verdict) { return !verdict.permits(); });
  const bool withheld_any = refused != verdicts.end();
  if (withheld_any && exchange.event.reason.empty()) {
    exchange.event.reason = policy::code(refused->reason());
    exchange.event.sentence = refused->refusal()->sentence;
  }
  exchange.event.outcome = leaves ? Outcome::Released : withheld_any ? Outcome::Withheld : Outcome::NoMatch;
  exchange.negative = !leaves;
}

template <class T>
void note_release(Exchange& exchange, const Released<T>& released, const policy::Clinic& clinic) {
  note_verdicts(exchange, released.verdicts(), clinic);
  note_outcome(exchange, released.verdicts(), !released.resources().empty());
}

/// Of the entries that were asked for and of those that leave; the others only decided what these say.
std::vector<Verdict> verdicts_asked_for(const Released<xca::ebxml::DocumentEntry>& released,
                                        const xca::ebxml::Concerned& held, const xca::ebxml::Selection* selection) {
  if (!held.asked) return released.verdicts();
  std::set<std::string_view> leaving;
  if (selection)
    for (const auto* entry : selection->objects().entries) leaving.insert(entry->entry_uuid);
  std::vector<Verdict> concerned;
  std::ranges::copy_if(released.verdicts(), std::back_inserter(concerned), [&](const Verdict& one) {
    return held.asked->contains(one.resource) || leaving.contains(one.resource);
  });
  return concerned;
}

/// The reason code of a query refused: what our own staff read.
std::string_view reason_of(RegistryErrorCode code) {
  switch (code) {
    case RegistryErrorCode::UnknownStoredQuery: return "query-unknown";
    case RegistryErrorCode::UnknownCommunity: return "community-unknown";
    case RegistryErrorCode::MissingHomeCommunityId: return "community-missing";
    case RegistryErrorCode::ResultNotSinglePatient: return "several-patients";
    case RegistryErrorCode::TooManyResults: return "too-many";
    default: return "query-bad";
  }
}

xca::Answering answering(Exchange& exchange) {
  return {.signer = *exchange.signer, .signature = exchange.partner.response_signature, .ids = exchange.ids,
          .now = exchange.now,
          .to = exchange.in.accepted ? std::string_view(exchange.in.accepted->reply_to) : xca::soap::anonymous};
}

/// What this connection gets in place of an answer. [WS-Addressing 1.0 SOAP Binding §5; facts §1.3]
Answer accepted() { return {.status = 202, .content_type = {}}; }

void note_patient(Exchange& exchange, const std::string& patient) {
  auto& patients = exchange.event.patients;
  if (std::ranges::find(patients, patient) == patients.end()) patients.push_back(patient);
}

/// The queryByParameter of an XCPD request as it came, a document of its own.
base::Bytes parameters_of(const base::xml::Element& payload) {
  const auto act = payload.first_child(xca::soap::ns::hl7, "controlActProcess");
  const auto parameters = act ? act->first_child(xca::soap::ns::hl7, "queryByParameter") : std::nullopt;
  return parameters ? base::xml::serialize(*parameters) : base::Bytes();
}

/// Whose documents a stored query asks for, by the id it names. [ITI TF-2 §3.38.5]
void note_patient_asked(Exchange& exchange, const xca::ebxml::StoredQuery& query) {
  for (const auto* parameter : {"$XDSDocumentEntryPatientId", "$XDSSubmissionSetPatientId", "$XDSFolderPatientId",
                                "$patientId"}) {
    const auto found = query.parameters.find(parameter);
    if (found == query.parameters.end() || found->second.empty() || found->second.front().empty()) continue;
    if (const auto id = base::read_cx(found->second.front().front())) {
      exchange.event.patient_ids = {base::write_cx(*id)};
      return;
    }
  }
}

std::set<base::Identifier> patients_of(const xca::ebxml::Objects& objects) {
  std::set<base::Identifier> patients;
  for (const auto* entry : objects.entries) patients.insert(entry->patient);
  for (const auto* set : objects.sets) patients.insert(set->patient);
  for (const auto* folder : objects.folders) patients.insert(folder->patient);
  return patients;
}

/// Whose resources were let go, where the request named nobody.
void note_patients_released(Exchange& exchange, const std::set<base::Identifier>& patients) {
  if (!exchange.event.patient_ids.empty()) return;
  for (const auto& id : patients) exchange.event.patient_ids.push_back(base::write_cx(id));
}

}  // namespace

/// What was asked: its hash into the event, itself only where an audit repository is told.
void RespondingGateway::note_query(Exchange& exchange, const xca::hl7v3::PatientQuery& query,
                                   const xca::soap::Envelope& envelope) const {
  exchange.event.query_hash = sha256_hex(query.echo);
  exchange.event.query_id = query.query_id.extension + "@" + query.query_id.root;
  if (journal_.forwards()) exchange.query = parameters_of(envelope.payload());
}

RespondingGateway::Answered RespondingGateway::patient_discovery(const xca::soap::Envelope& envelope,
                                                                 Exchange& exchange) {
  auto discovery = TRY(xca::PatientDiscovery::open(envelope, security_rules(exchange), exchange.received_at));
  const auto& query = discovery.query();
  note_query(exchange, query, envelope);
  TRY(identify(exchange, discovery.security(), query.sender_home.empty() ? query.sender_device : query.sender_home));
  TRY(claim(exchange, discovery.security()));
  TRY(check_schema(exchange, envelope));

  const std::string& asked_home = query.receiver_home.empty() ? query.receiver_device : query.receiver_home;
  exchange.event.community = asked_home;
  auto clinic = TRY(patients_.clinic(asked_home));
  const xca::hl7v3::Responder responder{.home = asked_home, .device = asked_home,
                                        .authority = clinic ? clinic->assigning_authority : asked_home};
  const auto problem = [&](Problem what) {
    return discovery.answer(what, responder, answering(exchange));
  };

  auto admitted = TRY(admit(exchange));  // before any patient is looked up
  if (TRY(put_off(exchange, envelope, asked_home))) return accepted();
  if (!admitted) return problem(Problem::AnswerNotAvailable);
  if (!clinic) {
    exchange.event.outcome = Outcome::Refused;
    exchange.event.reason = "community-unknown";
    return problem(Problem::AnswerNotAvailable);
  }
  if (!query.has_minimum()) {
    exchange.event.outcome = Outcome::Refused;
    exchange.event.reason = "query-too-weak";
    return problem(Problem::BadQuery);
  }

  if (!within_budget(exchange, *admitted, patients_.asked_for(query))) return problem(Problem::ResponderBusy);

  auto candidates = TRY(patients_.match(*clinic, query));  // with their choices
  for (auto& held : candidates.matches) {
    note_patient(exchange, held.subject);
    held.patient_ids.insert(held.patient_ids.end(), query.ids.begin(), query.ids.end());
  }
  const auto wanted = std::move(candidates.wanted);
  const policy::Terms terms{clinic->rules, exchange.now};
  auto released = policy::release_all_or_none(*admitted, terms, std::move(candidates.matches));
  note_release(exchange, released, *clinic);
  if (!wanted.empty() && !released.resources().empty()) {
    exchange.event.outcome = Outcome::NoMatch;
    exchange.event.reason = "more-data-wanted";
    return discovery.answer(wanted, responder, answering(exchange));
  }
  for (const PatientMatch& match : released.resources()) {
    exchange.event.patient_ids.push_back(base::write_cx(match.id));
  }
  return discovery.answer(released, responder, answering(exchange));
}

/// The clinic a stored query is for: the home it names, else the one that issues the patient's id.
Result<std::optional<policy::Clinic>> RespondingGateway::clinic_asked(const xca::ebxml::RegistryQuery& query) {
  return query.home.empty() ? patients_.clinic_of_authority(query.patient.root) : patients_.clinic(query.home);
}

/// Not offered, and said in the wire's own form. The same for every patient: none is looked up. [facts §1.5]
RespondingGateway::Answered RespondingGateway::deferred_patient_discovery(const xca::soap::Envelope& envelope,
                                                                          Exchange& exchange) {
  auto discovery = TRY(xca::PatientDiscovery::open(envelope, security_rules(exchange), exchange.received_at,
                                                   xca::deferred_patient_discovery));
  const auto& query = discovery.query();
  note_query(exchange, query, envelope);
  TRY(identify(exchange, discovery.security(), query.sender_home.empty() ? query.sender_device : query.sender_home));
  TRY(claim(exchange, discovery.security()));
  TRY(check_schema(exchange, envelope));
  const std::string& asked_home = query.receiver_home.empty() ? query.receiver_device : query.receiver_home;
  TRY(admit(exchange));
  if (TRY(put_off(exchange, envelope, asked_home))) return accepted();
  exchange.event.outcome = Outcome::Refused;
  exchange.event.reason = "deferred-not-supported";
  exchange.event.community = asked_home;
  return discovery.refuse_deferred({.home = asked_home, .device = asked_home, .authority = asked_home},
                                   answering(exchange));
}

RespondingGateway::Answered RespondingGateway::cross_gateway_query(const xca::soap::Envelope& envelope,
                                                                   Exchange& exchange) {
  auto asked = TRY(xca::CrossGatewayQuery::open(envelope, security_rules(exchange), exchange.received_at));
  auto asked_text = base::xml::serialize(envelope.payload());
  exchange.event.query_hash = sha256_hex(asked_text);
  exchange.event.query_id = "urn:uuid:" + asked.query().id;
  if (journal_.forwards()) exchange.query = std::move(asked_text);
  note_patient_asked(exchange, asked.query());
  TRY(identify(exchange, asked.security(), {}));
  TRY(claim(exchange, asked.security()));
  TRY(check_schema(exchange, envelope));

  std::string our_home = asked.query().home;
  exchange.event.community = our_home;
  const auto failure = [&](RegistryError error) {
    exchange.event.outcome = Outcome::Refused;
    if (exchange.event.reason.empty()) exchange.event.reason = reason_of(error.code);
    return asked.answer(error, our_home, answering(exchange));
  };

  auto admitted = TRY(admit(exchange));  // before any look-up
  if (TRY(put_off(exchange, envelope, our_home))) return accepted();
  if (!admitted) return failure({RegistryErrorCode::RegistryError, "This purpose of use is not supported."});
  const auto read = xca::ebxml::read_query(asked.query());
  if (const auto* wrong = std::get_if<RegistryError>(&read)) return failure(*wrong);
  auto query = std::get<xca::ebxml::RegistryQuery>(read);
  const auto clinic = TRY(clinic_asked(query));
  if (!clinic && !query.home.empty()) {
    return failure({RegistryErrorCode::UnknownCommunity, "This gateway does not speak for that community."});
  }
  if (clinic) exchange.event.community = our_home = clinic->home.dotted();

  // An id of nobody's is as an unknown patient.
  const auto patient_asked = query.patient;
  auto held = clinic ? TRY(documents_.concerned(*clinic, query)) : xca::ebxml::Concerned{.patient = query.patient};
  query.patient = held.patient;
  for (auto& one : held.entries) {
    note_patient(exchange, one.subject);
    if (!patient_asked.root.empty()) one.patient_ids.push_back(patient_asked);  // perhaps a retired id
  }
  const policy::Terms terms{clinic ? clinic->rules : policy::ClinicRules{}, exchange.now};
  const auto released = policy::release(*admitted, terms, std::move(held.entries));
  const xca::ebxml::PermittedView view(released, held);
  const auto answer = xca::ebxml::answer_from(view, query);
  const auto* selection_made = std::get_if<xca::ebxml::Selection>(&answer);
  const auto verdicts = verdicts_asked_for(released, held, selection_made);
  note_verdicts(exchange, verdicts, clinic);
  if (!selection_made) return failure(std::get<RegistryError>(answer));
  const auto& selection = *selection_made;
  note_outcome(exchange, verdicts, selection.objects().count() > 0);
  for (const auto* entry : selection.objects().entries) exchange.event.documents.push_back(entry->unique_id);
  note_patients_released(exchange, patients_of(selection.objects()));
  return asked.answer(selection, our_home, answering(exchange));
}

RespondingGateway::Answered RespondingGateway::cross_gateway_retrieve(const xca::soap::Envelope& envelope,
                                                                      Exchange& exchange) {
  auto asked = TRY(xca::CrossGatewayRetrieve::open(envelope, security_rules(exchange), exchange.received_at));
  exchange.event.query_hash = sha256_hex(base::xml::serialize(envelope.payload()));
  for (const auto& request : asked.requests()) {
    exchange.event.documents_asked.push_back({request.unique_id, request.repository_id, request.home});
  }
  TRY(identify(exchange, asked.security(), {}));
  TRY(claim(exchange, asked.security()));
  TRY(check_schema(exchange, envelope));

  std::string our_home = without_urn(asked.requests().front().home);
  const auto failure = [&](RegistryError error, std::string_view reason) {
    exchange.event.outcome = Outcome::Refused;
    if (exchange.event.reason.empty()) exchange.event.reason = reason;
    return asked.answer(error, our_home, answering(exchange));
  };

  auto admitted = TRY(admit(exchange));  // before any look-up
  if (TRY(put_off(exchange, envelope, our_home))) return accepted();
  if (!admitted) return failure({RegistryErrorCode::RepositoryError, "This purpose of use is not supported."}, {});
  if (asked.requests().size() > settings_.documents_per_retrieve) {
    return failure({RegistryErrorCode::RepositoryError, "Too many documents were asked for at once."}, "too-many");
  }

  // One home per request message is what peers send; others are answered as communities we do not speak for.
  exchange.event.community = our_home;
  const auto clinic = TRY(patients_.clinic(our_home));
  std::vector<RegistryError> errors;
  std::vector<xca::ebxml::DocumentRequest> ours;
  for (const auto& request : asked.requests()) {
    using xca::ebxml::document_error;
    if (request.home.empty()) {
      errors.push_back(document_error(RegistryErrorCode::MissingHomeCommunityId, request));
    } else if (!clinic || without_urn(request.home) != clinic->home.dotted()) {
      errors.push_back(document_error(RegistryErrorCode::UnknownCommunity, request));
    } else if (without_urn(request.repository_id) != clinic->repository_id) {
      errors.push_back(document_error(RegistryErrorCode::UnknownRepositoryId, request));
    } else {
      ours.push_back(request);
    }
  }
  if (ours.empty()) {
    exchange.event.outcome = Outcome::Refused;
    exchange.event.reason = "community-unknown";
    auto none = policy::release(*admitted, {{}, exchange.now}, std::vector<Held<RetrievedDocument>>{});
    return asked.answer(none, errors, our_home, answering(exchange));
  }

  std::vector<std::string> wanted;
  for (const auto& request : ours) wanted.push_back(request.unique_id);
  auto held = TRY(documents_.retrievable(*clinic, wanted));  // a unique id authorises nothing
  for (const auto& one : held) note_patient(exchange, one.subject);
  auto entries = policy::release(*admitted, {clinic->rules, exchange.now}, std::move(held));
  std::set<base::Identifier> patients;
  for (const DocumentEntry& entry : entries.resources()) patients.insert(entry.patient);
  if (patients.size() > 1) {
    return failure({RegistryErrorCode::ResultNotSinglePatient, "The documents belong to several patients."},
                   "several-patients");
  }
  const auto with_content = [&](const DocumentEntry& entry) -> Result<RetrievedDocument> {
    const auto request = std::ranges::find(ours, entry.unique_id, &xca::ebxml::DocumentRequest::unique_id);
    RetrievedDocument document{*request, entry.mime_type, {}};
    document.content = TRY(documents_.content(entry));
    exchange.event.documents.push_back(entry.unique_id);
    return document;
  };
  auto released = TRY(entries.completed<RetrievedDocument>(with_content));
  note_patients_released(exchange, patients);
  note_release(exchange, released, *clinic);
  return asked.answer(released, errors, our_home, answering(exchange));
}

}  // namespace gateway::exchange
