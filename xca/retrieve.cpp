#include "xca/retrieve.hpp"

#include "xca/ebxml/notice.hpp"

#include <algorithm>

namespace xca {
namespace {

using ebxml::DocumentRequest;
using ebxml::RegistryError;
using ebxml::RegistryErrorCode;

/// Signing the Body would mean to digest every attachment as base64: the headers are signed. [design §5]
Answering without_body(Answering with) {
  if (with.signature == wss::ResponseSignature::Full) with.signature = wss::ResponseSignature::Headers;
  return with;
}

/// Takes the error that a corridor has decided for this request, if there is one.
std::optional<RegistryError> take_decided(std::vector<RegistryError>& decided, const DocumentRequest& request) {
  const auto found = std::find_if(decided.begin(), decided.end(), [&](const RegistryError& error) {
    return error.context == ebxml::document_error(error.code, request).context;
  });
  if (found == decided.end()) return std::nullopt;
  RegistryError error = std::move(*found);
  decided.erase(found);
  return error;
}

}  // namespace

Result<CrossGatewayRetrieve> CrossGatewayRetrieve::open(const soap::Envelope& envelope, const wss::Rules& rules,
                                                        base::Instant now) {
  if (!envelope.payload().is(cross_gateway_retrieve.payload_namespace, cross_gateway_retrieve.payload_name))
    return base::fail(soap::Errc::ActionNotSupported, "payload is not ITI-39's");
  auto security = TRY(wss::verify(envelope, rules, now));
  auto requests = TRY(ebxml::read_retrieve(envelope.payload()));
  return CrossGatewayRetrieve(std::move(security), std::move(requests), envelope.encoding(),
                              envelope.addressing().message_id);
}

RetrieveOutcome settle(const std::vector<DocumentRequest>& requests,
                       const std::vector<ebxml::RetrievedDocument>& released, std::vector<RegistryError> decided) {
  RetrieveOutcome outcome;
  std::vector<const DocumentRequest*> settled;
  for (const DocumentRequest& request : requests) {
    if (std::any_of(settled.begin(), settled.end(), [&](const DocumentRequest* one) { return *one == request; }))
      continue;
    settled.push_back(&request);
    const auto document = std::find_if(released.begin(), released.end(),
                                       [&](const ebxml::RetrievedDocument& one) { return one.request == request; });
    if (document != released.end())
      outcome.documents.push_back(*document);
    else
      outcome.errors.push_back(take_decided(decided, request)
                                   .value_or(ebxml::document_error(RegistryErrorCode::DocumentUniqueIdError, request)));
  }
  outcome.errors.insert(outcome.errors.end(), decided.begin(), decided.end());
  return outcome;
}

std::vector<soap::Notice> notices_on(const std::vector<ebxml::RetrievedDocument>& documents,
                                     const policy::Released<ebxml::RetrievedDocument>& released) {
  const auto granted = released.granted();
  std::vector<soap::Notice> notices;
  for (const auto& document : documents) {
    for (std::size_t i = 0; i < granted.size(); ++i) {
      if (released.resources()[i].request != document.request) continue;
      auto notice = ebxml::notice_on(document.request.unique_id, *granted[i]);
      if (notice) notices.push_back(*std::move(notice));
      break;  // settle takes the first, too
    }
  }
  return notices;
}

soap::Answer CrossGatewayRetrieve::answer(const policy::Released<ebxml::RetrievedDocument>& released,
                                          const std::vector<RegistryError>& errors, std::string_view home,
                                          const Answering& with) const {
  auto outcome = settle(requests_, released.resources(), errors);
  auto notices = notices_on(outcome.documents, released);
  auto written = ebxml::write_retrieve_answer(std::move(outcome.documents), outcome.errors, home, encoding_, with.ids);
  return seal(cross_gateway_retrieve, security_, message_id_, encoding_, written.payload,
              std::move(written.attachments), without_body(with), std::move(notices));
}

soap::Answer CrossGatewayRetrieve::answer(const RegistryError& error, std::string_view home,
                                          const Answering& with) const {
  auto written = ebxml::write_retrieve_answer({}, {error}, home, encoding_, with.ids);
  return seal(cross_gateway_retrieve, security_, message_id_, encoding_, written.payload, {}, without_body(with));
}

}  // namespace xca
