// The lines of the corridors that settle where an answer goes, and keep a request that is answered by call-back.
// [WS-Addressing 1.0; design §5; facts/query-exchange §1.5; threats.md S01, S02]

#include "gateway/exchange/responding_gateway.hpp"

namespace gateway::exchange {

/// Whether this may be called: absent, anonymous and none need no call. Decided from token and directory alone.
Result<void> RespondingGateway::check_address(const Exchange& exchange, const std::string& address) const {
  if (!xca::soap::is_elsewhere(address)) return {};
  const auto& asking = exchange.caller.home.entry;
  if (!asking || !exchange.directory->lists_address(asking->home.dotted(), address))
    return base::fail(xca::soap::Errc::NotOurAddress, "not listed for the caller");
  const auto url = net::HttpsUrl::parse(address);
  if (!url || !net::may_be_called(*url, settings_.call_backs.allowed))
    return base::fail(xca::soap::Errc::NotOurAddress, "listed, but not to be called");
  return {};
}

/// Where the answer is to go, before any patient is looked up. An answer that is wanted elsewhere is put off: the
/// request is kept, and decided when the answer is called. One that nobody wants is not even looked for.
/// [WS-Addressing 1.0 Core §2.1, §3.4; design §5]
/// @return true where this connection gets no answer but that the request was accepted
Result<bool> RespondingGateway::put_off(Exchange& exchange, const xca::soap::Envelope& envelope,
                                        std::string_view asked_home) {
  const auto& addressing = envelope.addressing();
  TRY(check_address(exchange, addressing.reply_to));
  TRY(check_address(exchange, addressing.fault_to));
  const bool discarded = addressing.reply_to == xca::soap::none;
  if (exchange.in.accepted || (!discarded && !xca::soap::is_elsewhere(addressing.reply_to))) return false;

  const auto implementer = exchange.caller.tls_implementer.value_or("");
  const CallBackRules& rules = settings_.call_backs;
  if (!discarded) {
    if (exchange.in.body.size() > rules.request_bytes) return base::fail(xca::soap::Errc::MessageTooLarge);
    if (TRY(pending_.waiting_of(implementer)) >= rules.waiting_per_partner) return base::fail(Errc::TooManyWaiting);
    const auto clinic = TRY(patients_.clinic(asked_home));
    PendingAnswer& pending = exchange.pending.emplace();
    pending.id = exchange.in.id;
    if (clinic) pending.clinic = clinic->id;
    pending.claim = exchange.claim->request;
    pending.implementer = implementer;
    pending.home = exchange.caller.home.entry->home.dotted();
    pending.transaction = exchange.transaction->id;
    pending.message_id = addressing.message_id;
    pending.reply_to = addressing.reply_to;
    pending.fault_to = addressing.fault_to;
    pending.content_type = exchange.in.content_type;
    pending.body = exchange.in.body;
    pending.certificates.push_back(*exchange.in.tls_certificate);
    pending.certificates.insert(pending.certificates.end(), exchange.in.tls_presented.begin(),
                                exchange.in.tls_presented.end());
    pending.address = exchange.in.address;
    pending.seed = exchange.in.seed;
    pending.accepted_at = exchange.now;
    pending.due_at = exchange.now + rules.delay;
  }
  exchange.event.outcome = audit::Outcome::Accepted;
  exchange.event.reason.clear();
  exchange.event.sentence = discarded ? "the request says that nobody wants its answer" : "";
  exchange.decision.reset();  // decided when it is answered
  return true;
}

/// The row and the event that says `accepted` are one commit.
audit::Change RespondingGateway::keep_pending(Exchange& exchange) const {
  return [&pending = pending_, kept = std::make_shared<const PendingAnswer>(std::move(*exchange.pending)),
          most = settings_.call_backs.waiting_per_partner](audit::Event& event) -> Result<void> {
    const Added added = TRY(pending.add(*kept, most));
    if (added == Added::NoRoom) return base::fail(Errc::TooManyWaiting);
    if (added == Added::WaitsAlready) event.sentence = "the same request waits already";
    return {};
  };
}

}  // namespace gateway::exchange
