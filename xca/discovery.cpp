#include "xca/discovery.hpp"

#include "xca/emitted.hpp"

#include <stdexcept>

namespace xca {

soap::Answer seal(const Transaction& transaction, const wss::VerifiedSecurity& security, std::string_view message_id,
                  soap::Encoding encoding, std::string_view payload, std::vector<soap::Attachment> attachments,
                  const Answering& with, std::vector<soap::Notice> notices) {
  const wss::Reply reply{.action = std::string(transaction.response_action),
                         .relates_to = std::string(message_id),
                         .to = std::string(with.to),
                         .signature_values = security.signature_values(),
                         .signature = with.signature,
                         .notices = std::move(notices)};
  // The gate of everything we emit: the payload holds what came from outside, the frame around it is ours to the byte
  // and is validated by the tests. Findings quote values: they stay here.
  if (!emitted_gate().passes(payload)) {
    throw std::logic_error("an answer of " + std::string(transaction.id) + " does not fit our own schema");
  }
  std::string envelope = wss::write_envelope(reply, payload, with.signer, with.ids, with.now);
  if (!attachments.empty()) {
    const auto payload_at = envelope.rfind(payload);
    for (auto& attachment : attachments) attachment.at += payload_at;
  }
  return soap::pack(encoding, std::move(envelope), std::move(attachments), with.ids.next(),
                    transaction.response_action);
}

Result<PatientDiscovery> PatientDiscovery::open(const soap::Envelope& envelope, const wss::Rules& rules,
                                                base::Instant now, const Transaction& as) {
  if (!envelope.payload().is(patient_discovery.payload_namespace, patient_discovery.payload_name))
    return base::fail(soap::Errc::ActionNotSupported, "payload is not ITI-55's");
  auto security = TRY(wss::verify(envelope, rules, now));
  auto query = TRY(hl7v3::read_query(envelope.payload()));
  if (query.deferred != (as.kind == Kind::DeferredPatientDiscovery))
    return base::fail(hl7v3::Errc::DeferredNotSupported, "action and responsePriorityCode disagree");
  return PatientDiscovery(std::move(security), std::move(query), envelope.encoding(), envelope.addressing().message_id);
}

soap::Answer PatientDiscovery::answer(const policy::Released<hl7v3::PatientMatch>& released,
                                      const hl7v3::Responder& responder, const Answering& with) const {
  return write({.matches = released.resources()}, responder, with);
}

soap::Answer PatientDiscovery::answer(std::vector<hl7v3::Wanted> wanted, const hl7v3::Responder& responder,
                                      const Answering& with) const {
  return write({.wanted = std::move(wanted)}, responder, with);
}

soap::Answer PatientDiscovery::answer(hl7v3::Problem problem, const hl7v3::Responder& responder,
                                      const Answering& with) const {
  return write({.problem = problem}, responder, with);
}

soap::Answer PatientDiscovery::refuse_deferred(const hl7v3::Responder& responder, const Answering& with) const {
  const std::string payload = hl7v3::write_deferred_refusal(query_, responder, with.ids.next(), with.now);
  return seal(deferred_patient_discovery, security_, message_id_, encoding_, payload, {}, with);
}

soap::Answer PatientDiscovery::write(const hl7v3::QueryOutcome& outcome, const hl7v3::Responder& responder,
                                     const Answering& with) const {
  const std::string payload = hl7v3::write_answer(query_, outcome, responder, with.ids.next(), with.now);
  return seal(patient_discovery, security_, message_id_, encoding_, payload, {}, with);
}

}  // namespace xca
