#include "xca/query.hpp"

namespace xca {

Result<CrossGatewayQuery> CrossGatewayQuery::open(const soap::Envelope& envelope, const wss::Rules& rules,
                                                  base::Instant now) {
  if (!envelope.payload().is(cross_gateway_query.payload_namespace, cross_gateway_query.payload_name))
    return base::fail(soap::Errc::ActionNotSupported, "payload is not ITI-38's");
  auto security = TRY(wss::verify(envelope, rules, now));
  auto query = TRY(ebxml::read_stored_query(envelope.payload()));
  return CrossGatewayQuery(std::move(security), std::move(query), envelope.encoding(),
                           envelope.addressing().message_id);
}

soap::Answer CrossGatewayQuery::answer(const ebxml::Selection& selection, std::string_view home,
                                       const Answering& with) const {
  const std::string payload =
      ebxml::write_query_answer({.objects = selection.objects()}, selection.return_type(), home);
  return seal(cross_gateway_query, security_, message_id_, encoding_, payload, {}, with, selection.notices());
}

soap::Answer CrossGatewayQuery::answer(const ebxml::RegistryError& error, std::string_view home,
                                       const Answering& with) const {
  const std::string payload = ebxml::write_query_answer({.errors = {error}}, ebxml::ReturnType::ObjectRef, home);
  return seal(cross_gateway_query, security_, message_id_, encoding_, payload, {}, with);
}

}  // namespace xca
