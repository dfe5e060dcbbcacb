#include "xca/soap/envelope.hpp"

#include "base/error_table.hpp"
#include "xca/soap/hidden.hpp"
#include "xca/soap/multipart.hpp"

#include <algorithm>

namespace xca::soap {
namespace {

using base::Cause;
using base::fail;
using base::trim;

constexpr base::ErrorRow rows[] = {
    {int(Errc::UnsupportedMediaType), "media-type-not-supported", "the media type is not one of SOAP 1.2 or MTOM",
     Cause::NotSupported},
    {int(Errc::BadMultipart), "bad-multipart", "the multipart body is not one readable MTOM package",
     Cause::BadMessage},
    {int(Errc::TooManyParts), "too-many-parts", "the multipart body has too many parts", Cause::BadMessage},
    {int(Errc::MessageTooLarge), "message-too-large", "the message is too large", Cause::BadMessage},
    {int(Errc::WrongEnvelope), "wrong-envelope", "the message is no SOAP 1.2 envelope", Cause::NotSupported},
    {int(Errc::BadEnvelope), "bad-envelope", "the envelope is not one Header and one Body with one payload",
     Cause::BadMessage},
    {int(Errc::NotUnderstood), "header-not-understood", "a mandatory header is not known here", Cause::NotSupported},
    {int(Errc::AddressingHeaderMissing), "addressing-header-missing", "a required addressing header is missing",
     Cause::BadMessage},
    {int(Errc::AddressingHeaderInvalid), "addressing-header-invalid", "an addressing header cannot be read",
     Cause::BadMessage},
    {int(Errc::ActionNotSupported), "action-not-supported", "the action is not offered or contradicts the payload",
     Cause::NotSupported},
    {int(Errc::NotOurAddress), "not-our-address", "an address is named that is not ours or may not be called",
     Cause::BadMessage},
    {int(Errc::SchemaInvalid), "schema-invalid", "the message is not valid by its schema", Cause::BadMessage},
};
constinit const base::ErrorTable errors("gatehouse.soap", rows);

constexpr std::string_view role_next = "http://www.w3.org/2003/05/soap-envelope/role/next";
constexpr std::string_view role_ultimate = "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver";
/// Base64 of real senders wraps its lines; a body of blanks is an attack. [threats M08]
constexpr unsigned white_space_percent = 10;

/// What came over the wire, taken apart as far as MIME goes.
struct Package {
  BytesView root;
  Bytes decoded_root = {};
  Encoding encoding = Encoding::Simple;
  std::vector<Part> parts = {};
};

std::string_view without_brackets(std::string_view id) {
  return id.starts_with('<') && id.ends_with('>') ? id.substr(1, id.size() - 2) : id;
}

Result<void> require_distinct_ids(const std::vector<Part>& parts) {
  std::vector<std::string_view> ids;
  for (const auto& part : parts)
    if (!part.content_id.empty()) ids.push_back(part.content_id);
  std::ranges::sort(ids);
  if (std::ranges::adjacent_find(ids) != ids.end()) return fail(Errc::BadMultipart, "two parts of one Content-ID");
  return {};
}

/// The root by `start`, else the first part. [RFC 2387 §3.2]
Result<Package> open_multipart(const MediaType& type, BytesView wire, const Limits& limits) {
  const auto root_type = type.parameter("type").value_or("application/xop+xml");
  if (TRY(read_media_type(root_type)).name != "application/xop+xml")
    return fail(Errc::UnsupportedMediaType, "multipart of another root type");
  const auto boundary = type.parameter("boundary");
  if (!boundary) return fail(Errc::BadMultipart, "no boundary");
  auto parts = TRY(read_multipart(wire, *boundary, limits));
  Package package{.root = {}, .encoding = Encoding::Mtom, .parts = std::move(parts)};
  TRY(require_distinct_ids(package.parts));

  auto root = package.parts.begin();
  if (const auto start = type.parameter("start"))
    root = std::ranges::find(package.parts, without_brackets(*start), &Part::content_id);
  if (root == package.parts.end()) return fail(Errc::BadMultipart, "start names no part");
  const auto content = TRY(read_media_type(root->content_type));
  if (content.name != "application/xop+xml" || !content.is_utf8())
    return fail(Errc::UnsupportedMediaType, "the root part is no application/xop+xml in UTF-8");
  package.root = root->bytes;
  package.decoded_root = std::move(root->decoded);
  package.parts.erase(root);
  return package;
}

Result<Package> open_package(std::string_view content_type, BytesView wire, const Limits& limits) {
  if (wire.size() > limits.bytes) return fail(Errc::MessageTooLarge);
  const auto type = TRY(read_media_type(content_type));
  if (type.name == "multipart/related") return open_multipart(type, wire, limits);
  if (type.name != "application/soap+xml" || !type.is_utf8()) return fail(Errc::UnsupportedMediaType);
  return Package{.root = wire};
}

Result<base::xml::Document> parse_root(const Package& package, const Limits& limits) {
  return base::xml::Document::parse(package.decoded_root.empty() ? package.root : package.decoded_root, limits.xml);
}

/// Header and Body of an Envelope, and nothing beside them. [SOAP 1.2 part 1 §5.1]
struct Frame {
  Element header, body, payload;
};

Result<Frame> read_frame(const Element& root) {
  if (!root.is(ns::soap, "Envelope")) return fail(Errc::WrongEnvelope);
  const auto header = root.first_child();
  const auto body = header ? header->next_sibling() : std::nullopt;
  if (!body || !header->is(ns::soap, "Header") || !body->is(ns::soap, "Body") || body->next_sibling())
    return fail(Errc::BadEnvelope, "not one Header before one Body");
  const auto payload = body->first_child();
  if (!payload || payload->next_sibling()) return fail(Errc::BadEnvelope, "not one payload");
  if (root.has_stray_text() || header->has_stray_text() || body->has_stray_text())
    return fail(Errc::BadEnvelope, "text beside elements");
  return Frame{*header, *body, *payload};
}

bool is_known(const Element& header) {
  return header.namespace_uri() == ns::wsa || header.is(ns::wsse, "Security") ||
         header.is(ns::xcpd, "CorrelationTimeToLive") || header.is("urn:ihe:iti:xdr:2014", "homeCommunityBlock");
}

/// Only the qualified attribute counts: a production client writes it unqualified and means nothing. [quirks]
bool must_be_understood(const Element& header) {
  const auto value = header.attribute(ns::soap, "mustUnderstand");
  return value && trim(*value) != "0" && trim(*value) != "false";
}

std::string expanded_name(const Element& element) {
  return "{" + std::string(element.namespace_uri()) + "}" + std::string(element.local_name());
}

Result<std::string> read_address(const Element& element, const Limits& limits) {
  auto text = element.trimmed_text();
  if (!text) return fail(Errc::AddressingHeaderInvalid, "elements in an addressing header");
  if (text->size() > limits.address_characters || has_hidden_characters(*text))
    return fail(Errc::AddressingHeaderInvalid, "an addressing header too long or with control characters");
  return *std::move(text);
}

Result<std::string> read_endpoint(const Element& endpoint, const Limits& limits) {
  const auto address = endpoint.only_child(ns::wsa, "Address");
  if (!address) return fail(Errc::AddressingHeaderInvalid, "an endpoint without its one Address");
  auto text = TRY(read_address(*address, limits));
  // Reference parameters would become headers of what we send, in the words of the sender.
  if (is_elsewhere(text) && endpoint.first_child(ns::wsa, "ReferenceParameters"))
    return fail(Errc::AddressingHeaderInvalid, "an endpoint elsewhere with reference parameters");
  return text;
}

/// Percent-decodes once. [RFC 2392 §2]
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    const auto octet = base::read_hex(text.substr(at + 1, 2));
    if (!octet || octet->size() != 1) return {};
    out += *octet;
    at += 2;
  }
  return out;
}

void collect_includes(const Element& element, std::vector<Element>& includes) {
  if (element.is(ns::xop, "Include")) includes.push_back(element);
  for (auto child = element.first_child(); child; child = child->next_sibling()) collect_includes(*child, includes);
}

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errors}; }

bool is_elsewhere(std::string_view address) noexcept {
  return !address.empty() && address != anonymous && address != none;
}

bool is_for_us(const Element& header) noexcept {
  const auto role = header.attribute(ns::soap, "role");
  return !role || role->empty() || *role == role_next || *role == role_ultimate;
}

Result<Envelope> Envelope::open(std::string_view content_type, BytesView wire, const Limits& limits) {
  auto package = TRY(open_package(content_type, wire, limits));
  auto document = TRY(parse_root(package, limits));
  const auto frame = TRY(read_frame(document.root()));
  Envelope envelope(std::move(document), frame.header, frame.body, frame.payload);
  envelope.encoding_ = package.encoding;
  envelope.parts_ = std::move(package.parts);
  TRY(envelope.read_headers(limits));
  TRY(envelope.read_includes());
  return envelope;
}

Result<void> Envelope::read_headers(const Limits& limits) {
  std::map<std::string_view, Element> addressing;
  for (auto block = header_.first_child(); block; block = block->next_sibling()) {
    if (is_for_us(*block) && !is_known(*block) && must_be_understood(*block))
      return fail(Errc::NotUnderstood, expanded_name(*block));
    if (block->namespace_uri() == ns::wsa && !addressing.emplace(block->local_name(), *block).second)
      return fail(Errc::AddressingHeaderInvalid, "a doubled addressing header");
  }
  const auto take = [&](std::string_view name, auto read) -> Result<std::string> {
    const auto found = addressing.find(name);
    if (found == addressing.end() || !is_for_us(found->second)) return std::string();
    return read(found->second, limits);
  };
  addressing_.action = TRY(take("Action", read_address));
  addressing_.message_id = TRY(take("MessageID", read_address));
  addressing_.to = TRY(take("To", read_address));
  addressing_.relates_to = TRY(take("RelatesTo", read_address));
  addressing_.reply_to = TRY(take("ReplyTo", read_endpoint));
  addressing_.fault_to = TRY(take("FaultTo", read_endpoint));
  if (addressing_.action.empty()) return fail(Errc::AddressingHeaderMissing, "no Action");
  if (addressing_.message_id.empty()) return fail(Errc::AddressingHeaderMissing, "no MessageID");
  return {};
}

Result<void> Envelope::read_includes() {
  std::vector<Element> in_header;
  collect_includes(header_, in_header);
  if (!in_header.empty()) return fail(Errc::BadMultipart, "an Include outside the Body");
  collect_includes(body_, includes_);
  if (includes_.size() > parts_.size()) return fail(Errc::BadMultipart, "more Includes than parts");
  std::vector<const Part*> used;
  for (const auto& include : includes_) used.push_back(TRY(part_of(include)));
  std::ranges::sort(used);
  if (std::ranges::adjacent_find(used) != used.end()) return fail(Errc::BadMultipart, "a part included twice");
  return {};
}

Result<const Part*> Envelope::part_of(const Element& include) const {
  const auto holder = include.parent();
  if (!holder || include.next_sibling() || holder->first_child() != include || holder->has_stray_text() ||
      include.first_child() || include.has_stray_text() || *holder == body_)
    return fail(Errc::BadMultipart, "an Include that is not the only content of its element");
  const auto href = include.attribute("href").value_or("");
  const auto id = href.starts_with("cid:") ? percent_decoded(href.substr(4)) : std::nullopt;
  const auto part = id && !id->empty() ? std::ranges::find(parts_, *id, &Part::content_id) : parts_.end();
  if (part == parts_.end()) return fail(Errc::BadMultipart, "an Include that names no part");
  return &*part;
}

Result<BytesView> Envelope::included(const Element& include) const { return TRY(part_of(include))->octets(); }

Result<Bytes> Envelope::binary(const Element& element) const {
  if (const auto child = element.first_child()) {
    if (!child->is(ns::xop, "Include")) return fail(base::xml::Errc::NotText);
    return Bytes(TRY(included(*child)));
  }
  return base::read_base64(TRY(element.text()), white_space_percent);
}

std::string message_id_of(std::string_view content_type, BytesView wire, const Limits& limits) {
  const auto package = open_package(content_type, wire, limits);
  if (!package) return {};
  const auto document = parse_root(*package, limits);
  if (!document) return {};
  const auto header = document->root().only_child(document->root().namespace_uri(), "Header");
  if (!header) return {};
  const auto id = header->only_child(ns::wsa, "MessageID");
  if (!id) return {};
  auto text = read_address(*id, limits);
  return text ? *std::move(text) : std::string();
}

}  // namespace xca::soap
