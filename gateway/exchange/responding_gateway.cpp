#include "gateway/exchange/responding_gateway.hpp"

#include "base/error_table.hpp"
#include "certs/crypto.hpp"
#include "gateway/log.hpp"
#include "xca/query.hpp"
#include "xca/retrieve.hpp"
#include "xca/schema.hpp"

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

std::string sha256_hex(base::BytesView bytes) { return base::hex(certs::sha256(bytes)); }

std::string without_urn(std::string_view home) {
  constexpr std::string_view urn = "urn:oid:";
  return std::string(home.starts_with(urn) ? home.substr(urn.size()) : home);
}

/// An organization a message names, looked up; a name that is no OID is known to nobody.
policy::NamedOrganization look_up(const DirectoryView& directory, std::string_view named) {
  policy::NamedOrganization who{std::string(named.substr(0, 128))};
  if (const auto oid = base::Oid::parse(named)) who.entry = directory.organization(oid->dotted());
  return who;
}

const xca::Transaction* transaction_of(const xca::soap::Envelope& envelope) {
  for (const xca::Transaction& transaction : xca::transactions) {
    if (envelope.addressing().action == transaction.request_action &&
        envelope.payload().is(transaction.payload_namespace, transaction.payload_name)) {
      return &transaction;
    }
  }
  return nullptr;
}

void begin_decision(Exchange& exchange, Verdict admission, std::string_view rules_version) {
  audit::DecisionRecord record;
  record.request = exchange.in.id;
  record.at = exchange.now;
  record.rules_version = rules_version;
  record.request_hash = sha256_hex(exchange.in.body);
  record.verdicts.push_back(std::move(admission));
  exchange.decision = std::move(record);
}

/// Writes what release decided into the record.
template <class T>
void note_verdicts(Exchange& exchange, const Released<T>& released, const std::optional<policy::Clinic>& clinic) {
  const auto& verdicts = released.verdicts();
  exchange.decision->verdicts.insert(exchange.decision->verdicts.end(), verdicts.begin(), verdicts.end());
  if (!clinic) return;
  exchange.decision->clinic_version = clinic->version;
  exchange.event.clinic = clinic->id;
}

/// Writes what becomes of a release into the event, and why something was withheld. @param leaves  it answers something
template <class T>
void note_outcome(Exchange& exchange, const Released<T>& released, bool leaves) {
  const auto refused =
      std::ranges::find_if(released.verdicts(), [](const Verdict& verdict) { return !verdict.permits(); });
  if (refused != released.verdicts().end() && exchange.event.reason.empty()) {
    exchange.event.reason = policy::code(refused->reason());
    exchange.event.sentence = refused->refusal()->sentence;
  }
  exchange.event.outcome = leaves                    ? Outcome::Released
                           : released.withheld_any() ? Outcome::Withheld
                                                     : Outcome::NoMatch;
  exchange.negative = !leaves;
}

template <class T>
void note_release(Exchange& exchange, const Released<T>& released, const policy::Clinic& clinic) {
  note_verdicts(exchange, released, clinic);
  note_outcome(exchange, released, !released.resources().empty());
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

/// Notes of one event stand side by side; one that is there already is not repeated.
void add_note(audit::Event& event, const std::string& note) {
  if (event.note.find(note) != std::string::npos) return;
  event.note += (event.note.empty() ? "" : "; ") + note;
}

/// Soft policy believes without evidence, and says so. [threats L09]
void note_revocation(audit::Event& event, const certs::TrustedCertificate& trusted) {
  if (!trusted.is_proven_unrevoked()) add_note(event, "revocation unknown");
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

/// Which check a refusal came from, where nobody was identified yet. [facts/query-exchange §8.1]
audit::FailedCheck failed_check_of(const Exchange& exchange, const base::Error& error) {
  if (exchange.identified || base::cause_of(error) != base::Cause::NotTrusted) return audit::FailedCheck::None;
  return exchange.transaction ? audit::FailedCheck::User : audit::FailedCheck::Node;
}

}  // namespace

RespondingGateway::RespondingGateway(RespondingSettings settings, Directory& directory, Patients& patients,
                                     Documents& documents, PendingAnswers& pending, audit::Journal& journal,
                                     std::shared_ptr<const xca::wss::Signer> signer)
    : settings_(std::move(settings)), budget_(settings_.queries), directory_(directory), patients_(patients),
      documents_(documents), pending_(pending), journal_(journal), signer_(std::move(signer)) {}

void RespondingGateway::replace_signer(std::shared_ptr<const xca::wss::Signer> signer) {
  const std::lock_guard lock(signer_mutex_);
  signer_ = std::move(signer);
}

Prepared RespondingGateway::respond(const Received& received) {
  Exchange exchange(received);
  exchange.event.endpoint = endpoint_of(received);
  Answered answered = dispatch(exchange);
  if (!answered) {
    Prepared refused = refuse(received, exchange.message_id, answered.error());
    if (!exchange.event.reason.empty()) refused.reason = exchange.event.reason;  // a gate's own code says more
    exchange.event.outcome = refused.outcome;
    exchange.event.reason = refused.reason;
    exchange.event.failed_check = failed_check_of(exchange, answered.error());
    if (exchange.event.sentence.empty()) exchange.event.sentence = refused.entry.event->sentence;
    refused.entry.event = std::move(exchange.event);
    refused.entry.decision = std::move(exchange.decision);
    refused.entry.query = std::move(exchange.query);
    // A message that failed verification claims nothing: a forgery must not spend an honest sender's proof.
    refused.transaction = exchange.transaction ? exchange.transaction->id : "";
    return refused;
  }
  audit::Change keep = exchange.pending ? keep_pending(exchange) : nullptr;
  if (exchange.decision) exchange.decision->answer_hash = sha256_hex(answered->pieces.front());
  Prepared prepared;
  prepared.answer = std::move(*answered);
  prepared.transaction = exchange.transaction->id;
  prepared.message_id = std::move(exchange.message_id);
  prepared.outcome = exchange.event.outcome;
  prepared.reason = exchange.event.reason;
  prepared.entry = {.claim = std::move(exchange.claim), .event = std::move(exchange.event),
                    .decision = std::move(exchange.decision), .query = std::move(exchange.query),
                    .change = std::move(keep)};
  prepared.in_flight = std::move(exchange.in_flight);
  prepared.negative = exchange.negative;
  return prepared;
}

Prepared RespondingGateway::refuse(const Received& received, std::string_view message_id,
                                   const base::Error& error) const {
  base::UuidStream ids(received.seed);
  Prepared refused;
  const auto* accepted = received.accepted;
  const std::string to = !accepted ? "" : xca::soap::is_elsewhere(accepted->fault_to) ? accepted->fault_to
                                                                                      : accepted->reply_to;
  refused.answer = xca::soap::write_fault(xca::soap::fault_for(error), message_id, ids.next_urn(), to);
  refused.message_id = message_id;
  refused.outcome = Outcome::Fault;
  refused.reason = base::reason_of(error);
  audit::Event& event = refused.entry.event.emplace();
  event.request = received.id;
  event.at = received.now;
  event.outcome = Outcome::Fault;
  event.reason = refused.reason;
  event.sentence = error.code.message();
  event.address = std::string(received.address);
  event.endpoint = endpoint_of(received);
  event.message_id = std::string(message_id);
  return refused;
}

std::string RespondingGateway::endpoint_of(const Received& received) const {
  std::string endpoint = settings_.public_urls.empty() ? std::string() : settings_.public_urls.front();
  if (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint.append(received.path);
}

/// What was asked: its hash into the event, itself only where an audit repository is told.
void RespondingGateway::note_query(Exchange& exchange, const xca::hl7v3::PatientQuery& query,
                                   const xca::soap::Envelope& envelope) const {
  exchange.event.query_hash = sha256_hex(query.echo);
  exchange.event.query_id = query.query_id.extension + "@" + query.query_id.root;
  if (journal_.forwards()) exchange.query = parameters_of(envelope.payload());
}

RespondingGateway::Answered RespondingGateway::dispatch(Exchange& exchange) {
  {
    const std::lock_guard lock(signer_mutex_);
    exchange.signer = signer_;
  }
  TRY(meet_peer(exchange));
  auto opened = xca::soap::Envelope::open(exchange.in.content_type, exchange.in.body, settings_.limits);
  if (!opened) {
    exchange.message_id = xca::soap::message_id_of(exchange.in.content_type, exchange.in.body, settings_.limits);
    exchange.event.message_id = exchange.message_id;
    return std::move(opened).error();
  }
  exchange.message_id = opened->addressing().message_id;
  exchange.event.message_id = exchange.message_id;
  if (xca::soap::is_elsewhere(opened->addressing().reply_to)) exchange.event.reply_to = opened->addressing().reply_to;
  exchange.transaction = transaction_of(*opened);
  if (!exchange.transaction) return base::fail(xca::soap::Errc::ActionNotSupported);
  exchange.event.transaction = exchange.transaction->id;
  switch (exchange.transaction->kind) {
    case xca::Kind::PatientDiscovery: return patient_discovery(*opened, exchange);
    case xca::Kind::DeferredPatientDiscovery: return deferred_patient_discovery(*opened, exchange);
    case xca::Kind::CrossGatewayQuery: return cross_gateway_query(*opened, exchange);
    case xca::Kind::CrossGatewayRetrieve: return cross_gateway_retrieve(*opened, exchange);
  }
  return base::fail(xca::soap::Errc::ActionNotSupported);
}

/// The TLS client certificate is judged at every request: a withdrawn partner's open connection answers nothing more.
Result<void> RespondingGateway::meet_peer(Exchange& exchange) {
  exchange.directory = TRY(directory_.current());
  if (!exchange.in.tls_certificate) return base::fail(Errc::PeerUnknown);
  const certs::Certificate& certificate = *exchange.in.tls_certificate;
  const auto trusted = TRY(exchange.directory->trust().validate(certificate, exchange.in.tls_presented,
                                                                certs::Use::TlsClient, exchange.now));
  note_revocation(exchange.event, trusted);
  exchange.caller.tls_implementer = exchange.directory->implementer_of(certificate);
  if (exchange.caller.tls_implementer) {
    exchange.event.implementer = *exchange.caller.tls_implementer;
    exchange.partner = exchange.directory->settings(*exchange.caller.tls_implementer, exchange.now);
  }
  return {};
}

xca::wss::Rules RespondingGateway::security_rules(const Exchange& exchange) const {
  xca::wss::Rules rules;
  rules.trust = &exchange.directory->trust();
  rules.allowance = [&exchange](const certs::Certificate& certificate) {
    const auto implementer = exchange.directory->implementer_of(certificate);
    return implementer ? exchange.directory->settings(*implementer, exchange.now).allowance : xca::wss::Allowance{};
  };
  rules.our_addresses = settings_.public_urls;
  return rules;
}

/// Gathers who asks: claims of the token beside what certificates and directory say of them. Decides nothing.
void RespondingGateway::identify(Exchange& exchange, const xca::wss::VerifiedSecurity& security,
                                 std::string_view sender_home) const {
  exchange.identified = true;
  const DirectoryView& directory = *exchange.directory;
  const xca::wss::Assertion& assertion = security.assertion();
  policy::Caller& caller = exchange.caller;
  caller.signer_implementer = directory.implementer_of(security.message_signer().certificate());
  caller.assertion_implementer = directory.implementer_of(security.assertion_signer().certificate());
  caller.home = look_up(directory, assertion.home_community_id);
  if (!sender_home.empty()) caller.sender = look_up(directory, sender_home);
  if (!assertion.query_auth_grantor.empty()) {
    constexpr std::string_view prefix = "Organization/";
    const std::string_view named = assertion.query_auth_grantor;
    caller.grantor = named.starts_with(prefix) ? look_up(directory, named.substr(prefix.size()))
                                               : policy::NamedOrganization{std::string(named.substr(0, 128))};
  }
  caller.demand_equal_sender = exchange.partner.equal_sender;
  caller.purposes = assertion.purposes_of_use;
  if (!assertion.policy_references.empty()) caller.authorization_reference = assertion.policy_references.front();
  caller.user = assertion.subject_id;

  audit::Event& event = exchange.event;
  event.home = caller.home.named;
  event.sender = std::string(sender_home);
  event.organization = assertion.organization;
  event.user = assertion.subject_id;
  event.name_id = assertion.name_id;
  event.alias = assertion.name_id_alias;
  event.issuer = assertion.issuer;
  event.role = assertion.role;
  event.purpose_codes = assertion.purposes_of_use;
  for (const base::Code& purpose : assertion.purposes_of_use) {
    if (!event.purposes.empty()) event.purposes += ", ";
    event.purposes += purpose.code;
  }
  note_revocation(event, security.message_signer());
  note_revocation(event, security.assertion_signer());
  if (security.used_sha1()) add_note(event, "sha1");
}

/// A message that was fresh when it came in is decided later: its signers are judged again, as they are then.
Result<void> RespondingGateway::believe_still(const Exchange& exchange,
                                              const xca::wss::VerifiedSecurity& security) const {
  for (const auto* signer : {&security.message_signer(), &security.assertion_signer()}) {
    TRY(exchange.directory->trust().validate(signer->certificate(), {}, certs::Use::MessageSignature, exchange.now));
  }
  return {};
}

/// Claims the message against replay before anything is decided; one that was accepted was claimed then. [threats §5]
Result<void> RespondingGateway::claim(Exchange& exchange, const xca::wss::VerifiedSecurity& security) {
  if (exchange.in.accepted) return believe_still(exchange, security);
  const auto& keys = security.replay();
  exchange.claim = audit::Claim{.proof = base::hex(keys.proof), .request = base::hex(keys.request),
                                .organization = exchange.caller.tls_implementer.value_or(""), .now = exchange.now,
                                .window_end = keys.window_end, .one_time_use = security.assertion().one_time_use};
  auto examined = TRY(journal_.examine(*exchange.claim));
  const audit::Claimed& claimed = examined.first;
  switch (claimed.verdict) {
    case audit::ClaimVerdict::New: break;
    case audit::ClaimVerdict::NewBody: add_note(exchange.event, "another body under one proof"); break;
    case audit::ClaimVerdict::Repeat: exchange.event.repeat_of = claimed.repeat_of; break;
    case audit::ClaimVerdict::Busy: return base::fail(Errc::Busy);
    case audit::ClaimVerdict::Relayed: return base::fail(Errc::Relayed);
    case audit::ClaimVerdict::TooOften:
    case audit::ClaimVerdict::WindowPruned: return base::fail(xca::wss::Errc::ReplayedTooOften);
  }
  exchange.in_flight = std::move(examined.second);
  return {};
}

/// Schema findings on what came in are counted; they refuse only where a partner is set to strict. [design §5]
Result<void> RespondingGateway::check_schema(Exchange& exchange, const xca::soap::Envelope& envelope) const {
  const auto findings = xca::schemas().validate(envelope.payload());
  if (findings.empty()) return {};
  if (exchange.partner.strict_schema) return base::fail(xca::soap::Errc::SchemaInvalid);
  add_note(exchange.event, std::to_string(findings.size()) + " schema findings");
  return {};
}

/// The first two gates, before any patient is looked up. A caller we do not answer and a missing purpose leave as
/// faults; a purpose that is not supported comes back as nothing: its answer is the same for every patient.
Result<std::optional<Admitted>> RespondingGateway::admit(Exchange& exchange) const {
  auto admission = policy::admit(settings_.rules, exchange.caller);
  if (auto* admitted = std::get_if<Admitted>(&admission)) {
    begin_decision(exchange, admitted->verdict(), admitted->rules_version());
    // The same for every patient, since nobody was looked up yet. [threats O05]
    if (!journal_.may_disclose()) return base::fail(audit::Errc::SpoolFull);
    return std::optional(std::move(*admitted));
  }
  const auto& refused = std::get<Verdict>(admission);
  exchange.event.outcome = Outcome::Refused;
  exchange.event.reason = policy::code(refused.reason());
  exchange.event.sentence = refused.refusal()->sentence;
  begin_decision(exchange, refused, settings_.rules.version);
  if (!refused.findings.front().permits()) return base::fail(Errc::CallerRefused);
  if (refused.reason() == policy::Reason::PurposeMissing) return base::fail(Errc::PurposeMissing);
  return std::optional<Admitted>{};
}

/// Whether the partner may ask for one patient more. Where it may not, the alarm is an event of its own. [threats S07]
bool RespondingGateway::within_budget(Exchange& exchange, const Admitted& admitted, const Asked& asked) {
  const auto judged = budget_.ask(admitted.implementer(), asked.person, asked.alike, exchange.now);
  if (judged.within) return true;
  exchange.event.outcome = Outcome::Refused;
  exchange.event.reason = "query-budget";
  exchange.event.sentence = "The partner asked for more different patients than its budget allows.";
  if (judged.alarm) {
    log(Level::Warning, "a partner asks for too many different patients", {{"implementer", admitted.implementer()}});
    audit::Event alarm;
    alarm.request = exchange.in.id;
    alarm.at = exchange.now;
    alarm.transaction = exchange.event.transaction;
    alarm.outcome = Outcome::Refused;
    alarm.reason = "enumeration-alarm";
    alarm.sentence = "Further queries of this partner for other patients are refused until the window has moved on.";
    alarm.implementer = admitted.implementer();
    alarm.home = exchange.event.home;
    alarm.user = exchange.event.user;
    alarm.address = exchange.event.address;
    journal_.commit({.event = std::move(alarm)}, [](Result<audit::Claimed>) {});
  }
  return false;
}

RespondingGateway::Answered RespondingGateway::patient_discovery(const xca::soap::Envelope& envelope,
                                                                 Exchange& exchange) {
  auto discovery = TRY(xca::PatientDiscovery::open(envelope, security_rules(exchange), exchange.received_at));
  const auto& query = discovery.query();
  note_query(exchange, query, envelope);
  identify(exchange, discovery.security(), query.sender_home.empty() ? query.sender_device : query.sender_home);
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
  for (const auto& held : candidates.matches) note_patient(exchange, held.subject);
  const auto wanted = std::move(candidates.wanted);
  auto released = policy::release_all_or_none(*admitted, std::move(candidates.matches));
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
  identify(exchange, discovery.security(), query.sender_home.empty() ? query.sender_device : query.sender_home);
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
  identify(exchange, asked.security(), {});
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
  auto held = clinic ? TRY(documents_.concerned(*clinic, query)) : xca::ebxml::Concerned{.patient = query.patient};
  query.patient = held.patient;
  for (const auto& one : held.entries) note_patient(exchange, one.subject);
  const auto released = policy::release(*admitted, std::move(held.entries));
  const xca::ebxml::PermittedView view(released, held);
  const auto answer = xca::ebxml::answer_from(view, query);
  note_verdicts(exchange, released, clinic);
  if (const auto* too_much = std::get_if<RegistryError>(&answer)) return failure(*too_much);
  const auto& selection = std::get<xca::ebxml::Selection>(answer);
  note_outcome(exchange, released, selection.objects().count() > 0);
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
  identify(exchange, asked.security(), {});
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
    auto none = policy::release(*admitted, std::vector<Held<RetrievedDocument>>{});
    return asked.answer(none, errors, our_home, answering(exchange));
  }

  std::vector<std::string> wanted;
  for (const auto& request : ours) wanted.push_back(request.unique_id);
  auto held = TRY(documents_.retrievable(*clinic, wanted));  // a unique id authorises nothing
  for (const auto& one : held) note_patient(exchange, one.subject);
  auto entries = policy::release(*admitted, std::move(held));
  std::set<base::Identifier> patients;
  for (const DocumentEntry& entry : entries.resources()) patients.insert(entry.patient);
  if (patients.size() > 1) {
    return failure({RegistryErrorCode::ResultNotSinglePatient, "The documents belong to several patients."},
                   "several-patients");
  }
  const auto with_content = [&](const DocumentEntry& entry) -> Result<RetrievedDocument> {
    const auto request = std::ranges::find(ours, entry.unique_id, &xca::ebxml::DocumentRequest::unique_id);
    auto bytes = TRY(documents_.content(entry));
    RetrievedDocument document{*request, entry.mime_type, std::move(bytes)};
    exchange.decision->document_hashes.push_back(sha256_hex(document.bytes));
    exchange.event.documents.push_back(entry.unique_id);
    return document;
  };
  auto released = TRY(entries.completed<RetrievedDocument>(with_content));
  note_patients_released(exchange, patients);
  note_release(exchange, released, *clinic);
  return asked.answer(released, errors, our_home, answering(exchange));
}

}  // namespace gateway::exchange
