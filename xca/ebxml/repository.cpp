#include "xca/ebxml/repository.hpp"

#include "xca/ebxml/registry_response.hpp"
#include "xca/hl7v3/lexical.hpp"
#include "xca/write.hpp"

#include <algorithm>

namespace xca::ebxml {
namespace {

using base::fail;
using base::xml::Element;
namespace ns = soap::ns;

constexpr std::size_t id_characters_max = 256;  // rim:LongName

/// One of the three texts of a request, once; with either case of its first letter (quirks.md).
Result<std::string> read_part(const Element& request, std::string_view name_tail) {
  std::optional<std::string> found;
  for (auto child = request.first_child(); child; child = child->next_sibling()) {
    if (child->namespace_uri() != ns::xds || child->local_name().substr(1) != name_tail) continue;
    auto text = child->trimmed_text();
    if (!text || found || hl7v3::characters(*text) > id_characters_max || !hl7v3::is_visible(*text))
      return fail(Errc::BadDocumentRequest, std::string(name_tail));
    found = std::move(*text);
  }
  return found.value_or(std::string());
}

Result<DocumentRequest> read_request(const Element& element) {
  DocumentRequest request;
  request.home = TRY(read_part(element, "omeCommunityId"));
  request.repository_id = TRY(read_part(element, "epositoryUniqueId"));
  request.unique_id = TRY(read_part(element, "ocumentUniqueId"));
  if (request.repository_id.empty() || request.unique_id.empty())
    return fail(Errc::BadDocumentRequest, "a part is missing");
  return request;
}

/// A media type that may stand in a MIME header; anything else is bytes. [RFC 2045 §5.1]
std::string_view media_type(std::string_view written) {
  constexpr std::string_view tokens = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&^_.+-/";
  const bool fits = !written.empty() && written.size() <= 128 &&
                    written.find_first_not_of(tokens) == std::string_view::npos &&
                    std::count(written.begin(), written.end(), '/') == 1;
  return fits ? written : "application/octet-stream";
}

std::string_view sentence(RegistryErrorCode code) {
  switch (code) {
    case RegistryErrorCode::MissingHomeCommunityId: return "The request names no home community";
    case RegistryErrorCode::UnknownCommunity: return "The home community is not served here";
    case RegistryErrorCode::UnknownRepositoryId: return "The repository is not known here";
    case RegistryErrorCode::RepositoryError: return "The document could not be read";
    default: return "The document is not available";
  }
}

/// @return where its base64 goes, in an answer that is not MTOM
std::size_t append_document(std::string& out, const RetrievedDocument& document, std::string_view content_id) {
  out += "<xds:DocumentResponse>";
  if (!document.request.home.empty()) text_tag(out, "xds:HomeCommunityId", document.request.home);
  text_tag(out, "xds:RepositoryUniqueId", document.request.repository_id);
  text_tag(out, "xds:DocumentUniqueId", document.request.unique_id);
  text_tag(out, "xds:mimeType", media_type(document.mime_type));
  out += "<xds:Document>";
  const auto at = out.size();
  if (!content_id.empty())
    empty_tag(out, "xop:Include", {{"xmlns:xop", ns::xop}, {"href", "cid:" + std::string(content_id)}});
  out += "</xds:Document></xds:DocumentResponse>";
  return at;
}

}  // namespace

Result<std::vector<DocumentRequest>> read_retrieve(const Element& payload, std::size_t documents_max) {
  if (!payload.is(ns::xds, "RetrieveDocumentSetRequest")) return fail(Errc::NotAQuery, "another payload");
  std::vector<DocumentRequest> requests;
  for (auto child = payload.first_child(); child; child = child->next_sibling()) {
    if (!child->is(ns::xds, "DocumentRequest")) continue;
    if (requests.size() == documents_max) return fail(Errc::TooManyValues, "documents");
    requests.push_back(TRY(read_request(*child)));
  }
  if (requests.empty()) return fail(Errc::BadDocumentRequest, "no document");
  return requests;
}

RegistryError document_error(RegistryErrorCode code, const DocumentRequest& request) {
  return {code, std::string(sentence(code)) + ": " + request.unique_id};
}

RetrieveAnswer write_retrieve_answer(std::vector<RetrievedDocument> documents, const std::vector<RegistryError>& errors,
                                     std::string_view home, soap::Encoding encoding, base::UuidStream& ids) {
  RetrieveAnswer answer;
  std::string& out = answer.payload;
  out.reserve(1024 + (errors.size() + documents.size()) * 640);
  open_tag(out, "xds:RetrieveDocumentSetResponse", {{"xmlns:xds", ns::xds}});
  open_tag(out, "rs:RegistryResponse",
           {{"xmlns:rs", ns::rs}, {"status", response_status(!documents.empty(), !errors.empty())}});
  append_errors(out, errors, home, RsPrefix::Declared);
  out += "</rs:RegistryResponse>";
  const std::string package = encoding == soap::Encoding::Mtom ? ids.next() + "@gatehouse" : std::string();
  for (RetrievedDocument& document : documents) {
    std::string content_id;
    if (encoding == soap::Encoding::Mtom) content_id = std::to_string(answer.attachments.size() + 1) + "." + package;
    const auto at = append_document(out, document, content_id);
    answer.attachments.push_back({.content_id = std::move(content_id),
                                  .content_type = std::string(media_type(document.mime_type)),
                                  .content = std::move(document.content),
                                  .at = at});
  }
  out += "</xds:RetrieveDocumentSetResponse>";
  return answer;
}

}  // namespace xca::ebxml
