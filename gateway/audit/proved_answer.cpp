#include "gateway/audit/proved_answer.hpp"

#include "certs/crypto.hpp"
#include "xca/soap/answer.hpp"
#include "xca/soap/multipart.hpp"

#include <algorithm>

namespace gateway::audit {
namespace {

using base::Bytes;
using base::BytesView;

struct Opened {
  Bytes envelope;  ///< without documents
  std::vector<std::string> document_hashes = {};
};

std::string hash_of(BytesView bytes) { return base::hex(certs::sha256(bytes)); }

/// Documents stand in the envelope as base64, in elements that we alone write: canonical text holds no other `<`.
std::optional<Opened> open_simple(BytesView body) {
  constexpr BytesView begin = "<xds:Document>", end = "</xds:Document>";
  Opened opened;
  for (auto at = body.find(begin); at != BytesView::npos; at = body.find(begin)) {
    opened.envelope.append(body.substr(0, at + begin.size()));
    body.remove_prefix(at + begin.size());
    const auto text = body.substr(0, body.find(end));
    const auto document = base::read_base64(text, 0);
    if (!document || base::base64(*document) != text) return std::nullopt;
    opened.document_hashes.push_back(hash_of(*document));
    body.remove_prefix(text.size());
  }
  opened.envelope.append(body);
  return opened;
}

/// The frame must be the one we write around these parts: nothing hides in heads, preamble or epilogue.
std::optional<Opened> open_mtom(BytesView body) {
  constexpr BytesView begin = "--MIMEBoundary_";
  if (!body.starts_with(begin)) return std::nullopt;
  const auto boundary_id = body.substr(begin.size(), body.substr(begin.size()).find("\r\n"));
  const auto boundary = body.substr(2, begin.size() - 2 + boundary_id.size());
  const auto parts = xca::soap::read_multipart(body, boundary, {.bytes = body.size(), .parts = 10'000});
  if (!parts || parts->empty()) return std::nullopt;
  Opened opened{.envelope = Bytes(parts->front().octets())};
  std::vector<xca::soap::Attachment> attachments;
  for (const auto& part : std::span(*parts).subspan(1)) {
    opened.document_hashes.push_back(hash_of(part.octets()));
    attachments.push_back({.content_id = part.content_id,
                           .content_type = part.content_type,
                           .content = {.sha256 = opened.document_hashes.back(), .size = part.octets().size()}});
  }
  const auto again =
      xca::soap::pack(xca::soap::Encoding::Mtom, opened.envelope, std::move(attachments), boundary_id, {});
  std::size_t part = 0;
  for (const auto& piece : again.pieces) {
    const auto* text = std::get_if<Bytes>(&piece);
    const BytesView octets = text ? BytesView(*text) : (*parts)[++part].octets();
    if (!body.starts_with(octets)) return std::nullopt;
    body.remove_prefix(octets.size());
  }
  return body.empty() ? std::optional(std::move(opened)) : std::nullopt;
}

}  // namespace

bool is_answer(BytesView body, std::string_view envelope_hash, std::span<const std::string> document_hashes) {
  const auto opened = body.starts_with("--") ? open_mtom(body) : open_simple(body);
  return opened && !envelope_hash.empty() && hash_of(opened->envelope) == envelope_hash &&
         std::ranges::equal(opened->document_hashes, document_hashes);
}

}  // namespace gateway::audit
