#include "gateway/exchange/responding_gateway.hpp"

#include "base/error_table.hpp"
#include "certs/crypto.hpp"
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

/// Writes what release decided into event and record.
template <class T>
void note_release(Exchange& exchange, const Released<T>& released, const policy::Clinic& clinic) {
  exchange.decision->clinic_version = clinic.version;
  for (const Verdict& verdict : released.verdicts()) {
    exchange.decision->verdicts.push_back(verdict);
    if (!verdict.permits() && exchange.event.reason.empty()) {
      exchange.event.reason = policy::code(verdict.reason());
      exchange.event.sentence = verdict.refusal()->sentence;
    }
  }
  exchange.event.clinic = clinic.id;
  if (!released.resources().empty()) {
    exchange.event.outcome = Outcome::Released;
  } else {
    exchange.event.outcome = released.verdicts().empty() ? Outcome::NoMatch : Outcome::Withheld;
    exchange.negative = true;
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

}  // namespace

RespondingGateway::RespondingGateway(RespondingSettings settings, Directory& directory, Patients& patients,
                                     Documents& documents, PendingAnswers& pending, audit::Journal& journal,
                                     std::shared_ptr<const xca::wss::Signer> signer)
    : settings_(std::move(settings)), directory_(directory), patients_(patients), documents_(documents),
      pending_(pending), journal_(journal), signer_(std::move(signer)) {}

void RespondingGateway::replace_signer(std::shared_ptr<const xca::wss::Signer> signer) {
  const std::lock_guard lock(signer_mutex_);
  signer_ = std::move(signer);
}

Prepared RespondingGateway::respond(const Received& received) {
  Exchange exchange(received);
  Answered answered = dispatch(exchange);
  if (!answered) {
    Prepared refused = refuse(received, exchange.message_id, answered.error());
    if (!exchange.event.reason.empty()) refused.reason = exchange.event.reason;  // a gate's own code says more
    exchange.event.outcome = refused.outcome;
    exchange.event.reason = refused.reason;
    if (exchange.event.sentence.empty()) exchange.event.sentence = refused.entry.event->sentence;
    refused.entry.event = std::move(exchange.event);
    refused.entry.decision = std::move(exchange.decision);
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
                    .decision = std::move(exchange.decision), .change = std::move(keep)};
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
  event.message_id = std::string(message_id);
  return refused;
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
  TRY(exchange.directory->trust().validate(certificate, exchange.in.tls_presented, certs::Use::TlsClient,
                                           exchange.now));
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
  for (const base::Code& purpose : assertion.purposes_of_use) {
    if (!event.purposes.empty()) event.purposes += ", ";
    event.purposes += purpose.code;
  }
  if (security.used_sha1()) event.note = "sha1";
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
    case audit::ClaimVerdict::NewBody: exchange.event.note = "another body under one proof"; break;
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
  if (exchange.event.note.empty()) exchange.event.note = std::to_string(findings.size()) + " schema findings";
  return {};
}

/// The first two gates, before any patient is looked up. A caller we do not answer and a missing purpose leave as
/// faults; a purpose that is not supported comes back as nothing: its answer is the same for every patient.
Result<std::optional<Admitted>> RespondingGateway::admit(Exchange& exchange) const {
  auto admission = policy::admit(settings_.rules, exchange.caller);
  if (auto* admitted = std::get_if<Admitted>(&admission)) {
    begin_decision(exchange, admitted->verdict(), admitted->rules_version());
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

RespondingGateway::Answered RespondingGateway::patient_discovery(const xca::soap::Envelope& envelope,
                                                                 Exchange& exchange) {
  auto discovery = TRY(xca::PatientDiscovery::open(envelope, security_rules(exchange), exchange.received_at));
  const auto& query = discovery.query();
  exchange.event.query_hash = sha256_hex(query.echo);
  identify(exchange, discovery.security(), query.sender_home.empty() ? query.sender_device : query.sender_home);
  TRY(claim(exchange, discovery.security()));
  TRY(check_schema(exchange, envelope));

  const std::string& asked_home = query.receiver_home.empty() ? query.receiver_device : query.receiver_home;
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
  return discovery.answer(released, responder, answering(exchange));
}

/// Reads the entries a stored query asks for, or the registry error that answers it for every patient alike.
Result<std::vector<Held<DocumentEntry>>> RespondingGateway::held_for(const xca::ebxml::StoredQuery& query,
                                                                     const policy::Clinic& clinic,
                                                                     std::optional<RegistryError>& error) {
  const auto run = [&](auto read, auto look_up) -> Result<std::vector<Held<DocumentEntry>>> {
    if (auto* wrong = std::get_if<RegistryError>(&read)) {
      error = std::move(*wrong);
      return std::vector<Held<DocumentEntry>>{};
    }
    return look_up(std::get<0>(read));
  };
  if (query.id == xca::ebxml::find_documents) {
    return run(xca::ebxml::read_find_documents(query), [&](const auto& find) { return documents_.find(clinic, find); });
  }
  return run(xca::ebxml::read_get_documents(query), [&](const auto& get) { return documents_.get(clinic, get); });
}

/// Not offered, and said in the wire's own form. The same for every patient: none is looked up. [facts §1.5]
RespondingGateway::Answered RespondingGateway::deferred_patient_discovery(const xca::soap::Envelope& envelope,
                                                                          Exchange& exchange) {
  auto discovery = TRY(xca::PatientDiscovery::open(envelope, security_rules(exchange), exchange.received_at,
                                                   xca::deferred_patient_discovery));
  const auto& query = discovery.query();
  exchange.event.query_hash = sha256_hex(query.echo);
  identify(exchange, discovery.security(), query.sender_home.empty() ? query.sender_device : query.sender_home);
  TRY(claim(exchange, discovery.security()));
  TRY(check_schema(exchange, envelope));
  const std::string& asked_home = query.receiver_home.empty() ? query.receiver_device : query.receiver_home;
  TRY(admit(exchange));
  if (TRY(put_off(exchange, envelope, asked_home))) return accepted();
  exchange.event.outcome = Outcome::Refused;
  exchange.event.reason = "deferred-not-supported";
  return discovery.refuse_deferred({.home = asked_home, .device = asked_home, .authority = asked_home},
                                   answering(exchange));
}

RespondingGateway::Answered RespondingGateway::cross_gateway_query(const xca::soap::Envelope& envelope,
                                                                   Exchange& exchange) {
  auto asked = TRY(xca::CrossGatewayQuery::open(envelope, security_rules(exchange), exchange.received_at));
  const auto& query = asked.query();
  exchange.event.query_hash = sha256_hex(base::xml::serialize(envelope.payload()));
  identify(exchange, asked.security(), {});
  TRY(claim(exchange, asked.security()));
  TRY(check_schema(exchange, envelope));

  std::string our_home = query.home;
  const auto failure = [&](RegistryError error, std::string_view reason) {
    exchange.event.outcome = Outcome::Refused;
    if (exchange.event.reason.empty()) exchange.event.reason = reason;
    return asked.answer(error, our_home, answering(exchange));
  };

  auto admitted = TRY(admit(exchange));  // before any look-up
  if (TRY(put_off(exchange, envelope, our_home))) return accepted();
  if (!admitted) return failure({RegistryErrorCode::RegistryError, "This purpose of use is not supported."}, {});

  if (query.id != xca::ebxml::find_documents && query.id != xca::ebxml::get_documents) {
    return failure({RegistryErrorCode::UnknownStoredQuery, "This stored query is not supported."}, "query-unknown");
  }
  const auto return_type = xca::ebxml::return_kind(query);
  if (!return_type) {
    return failure({RegistryErrorCode::RegistryError, "returnType must be LeafClass or ObjectRef."}, "return-type");
  }
  std::optional<policy::Clinic> clinic;
  if (!query.home.empty()) {
    clinic = TRY(patients_.clinic(query.home));
    if (!clinic) {
      return failure({RegistryErrorCode::UnknownCommunity, "This gateway does not speak for that community."},
                     "community-unknown");
    }
  } else if (query.id == xca::ebxml::find_documents) {
    const auto find = xca::ebxml::read_find_documents(query);
    if (const auto* wrong = std::get_if<RegistryError>(&find)) return failure(*wrong, "query-bad");
    clinic = TRY(patients_.clinic_of_authority(std::get<0>(find).patient.root));
    if (!clinic) {  // an id of nobody's: as an unknown patient
      auto none = policy::release(*admitted, std::vector<Held<DocumentEntry>>{});
      exchange.event.outcome = Outcome::NoMatch;
      exchange.negative = true;
      return asked.answer(none, our_home, answering(exchange));
    }
  } else {
    return failure({RegistryErrorCode::MissingHomeCommunityId, "The query must name a home community."},
                   "community-missing");
  }
  our_home = clinic->home.dotted();

  std::optional<RegistryError> error;
  auto held = TRY(held_for(query, *clinic, error));
  if (error) return failure(*error, "query-bad");
  for (const auto& one : held) note_patient(exchange, one.subject);
  auto released = policy::release(*admitted, std::move(held));
  std::set<base::Identifier> patients;
  for (const DocumentEntry& entry : released.resources()) patients.insert(entry.patient);
  if (patients.size() > 1 && *return_type == xca::ebxml::ReturnType::LeafClass) {
    return failure({RegistryErrorCode::ResultNotSinglePatient, "The result would span patients."}, "several-patients");
  }
  note_release(exchange, released, *clinic);
  for (const DocumentEntry& entry : released.resources()) exchange.event.documents.push_back(entry.unique_id);
  return asked.answer(released, our_home, answering(exchange));
}

RespondingGateway::Answered RespondingGateway::cross_gateway_retrieve(const xca::soap::Envelope& envelope,
                                                                      Exchange& exchange) {
  auto asked = TRY(xca::CrossGatewayRetrieve::open(envelope, security_rules(exchange), exchange.received_at));
  exchange.event.query_hash = sha256_hex(base::xml::serialize(envelope.payload()));
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

  xca::ebxml::GetDocuments wanted;
  for (const auto& request : ours) wanted.unique_ids.push_back(request.unique_id);
  auto held = TRY(documents_.get(*clinic, wanted));  // a unique id authorises nothing
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
  note_release(exchange, released, *clinic);
  return asked.answer(released, errors, our_home, answering(exchange));
}

}  // namespace gateway::exchange
