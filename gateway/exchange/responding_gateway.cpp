#include "gateway/exchange/responding_gateway.hpp"

#include "base/error_table.hpp"
#include "gateway/exchange/answer_body.hpp"
#include "gateway/log.hpp"
#include "xca/schema.hpp"

#include <algorithm>

namespace gateway::exchange {
namespace {

using audit::Outcome;
using policy::Admitted;
using policy::Verdict;

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

/// Of its own text: a document that stands in it has a hash of its own in the record.
std::string hash_of_envelope(const xca::soap::Answer& answer) {
  certs::Hasher hash(certs::Digest::Sha256);
  for (const auto& piece : answer.envelope()) {
    if (const auto* text = std::get_if<base::Bytes>(&piece)) hash.update(*text);
  }
  return base::hex(hash.finish());
}

/// To whom what is answered, as a proof shows it.
void note_answer(Exchange& exchange, std::string envelope_hash, std::span<const xca::soap::Piece> pieces) {
  auto& decision = *exchange.decision;
  decision.transaction = exchange.event.transaction;
  decision.implementer = exchange.event.implementer;
  decision.home = exchange.event.home;
  decision.organization = exchange.event.organization;
  decision.answer_hash = std::move(envelope_hash);
  for (const auto& piece : pieces) {
    if (const auto* stored = std::get_if<xca::soap::StoredPiece>(&piece)) {
      decision.document_hashes.push_back(stored->content.sha256);
    }
  }
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

/// Which check a refusal came from, where nobody was identified yet. [facts/query-exchange §8.1]
audit::FailedCheck failed_check_of(const Exchange& exchange, const base::Error& error) {
  if (exchange.identified || base::cause_of(error) != base::Cause::NotTrusted) return audit::FailedCheck::None;
  return exchange.transaction ? audit::FailedCheck::User : audit::FailedCheck::Node;
}

}  // namespace

RespondingGateway::RespondingGateway(RespondingSettings settings, Directory& directory, Patients& patients,
                                     Documents& documents, PendingAnswers& pending, audit::Journal& journal,
                                     audit::DecisionClock& clock, std::shared_ptr<const xca::wss::Signer> signer)
    : settings_(std::move(settings)), budget_(settings_.queries), directory_(directory), patients_(patients),
      documents_(documents), pending_(pending), journal_(journal), clock_(clock), signer_(std::move(signer)) {}

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
    if (exchange.decision) note_answer(exchange, sha256_hex(std::get<base::Bytes>(refused.body.front())), {});
    refused.entry.event = std::move(exchange.event);
    refused.entry.decision = std::move(exchange.decision);
    refused.entry.query = std::move(exchange.query);
    // A message that failed verification claims nothing: a forgery must not spend an honest sender's proof.
    refused.transaction = exchange.transaction ? exchange.transaction->id : "";
    return refused;
  }
  audit::Change keep = exchange.pending ? keep_pending(exchange) : nullptr;
  if (exchange.decision) note_answer(exchange, hash_of_envelope(*answered), answered->pieces);
  Prepared prepared;
  take_answer(prepared, std::move(*answered));
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
  take_answer(refused, xca::soap::write_fault(xca::soap::fault_for(error), message_id, ids.next_urn(), to));
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

void RespondingGateway::take_answer(Prepared& prepared, xca::soap::Answer answer) const {
  prepared.status = answer.status;
  prepared.content_type = std::move(answer.content_type);
  prepared.body = body_of(std::move(answer), documents_);
}

std::string RespondingGateway::endpoint_of(const Received& received) const {
  std::string endpoint = settings_.public_urls.empty() ? std::string() : settings_.public_urls.front();
  if (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint.append(received.path);
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
  if (!exchange.transaction) {
    TRY(xca::wss::refuse_encrypted(*opened));
    return base::fail(xca::soap::Errc::ActionNotSupported);
  }
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
Result<void> RespondingGateway::identify(Exchange& exchange, const xca::wss::VerifiedSecurity& security,
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
    if (caller.grantor->entry)
      caller.grantor->is_ours = TRY(patients_.clinic(caller.grantor->entry->home.dotted())).has_value();
  }
  caller.demand_equal_sender = exchange.partner.equal_sender;
  caller.purposes = assertion.purposes_of_use;
  if (!assertion.policy_references.empty()) caller.authorization_reference = assertion.policy_references.front();
  caller.user = assertion.subject_id;
  if (auto patient = base::read_cx(assertion.resource_id)) caller.patient = *std::move(patient);

  audit::Event& event = exchange.event;
  event.home = caller.home.named;
  event.sender = std::string(sender_home);
  event.organization = assertion.organization;
  event.user = assertion.subject_id;
  event.name_id = assertion.name_id;
  event.alias = assertion.name_id_alias;
  event.issuer = assertion.issuer;
  event.role = assertion.role;
  event.grantor = assertion.query_auth_grantor;
  event.token_patient = assertion.resource_id;
  event.purpose_codes = assertion.purposes_of_use;
  for (const base::Code& purpose : assertion.purposes_of_use) {
    if (!event.purposes.empty()) event.purposes += ", ";
    event.purposes += purpose.code;
  }
  note_revocation(event, security.message_signer());
  note_revocation(event, security.assertion_signer());
  if (security.used_sha1()) add_note(event, "sha1");
  return {};
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
  exchange.now = TRY(clock_.at(exchange.now));
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

}  // namespace gateway::exchange
