#include "base/xml/document.hpp"

#include "base/xml/nodes.hpp"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include <algorithm>
#include <climits>

namespace base::xml {
namespace {

constexpr std::string_view xml_namespace = "http://www.w3.org/XML/1998/namespace";
constexpr std::string_view wsu_namespace =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";

/// libxml2 looks names up in at most 16,384 buckets: a document of nothing but new names would cost seconds (X15).
constexpr std::size_t distinct_names_bytes_max = 1u << 20;

std::string_view namespace_of(const xmlNs* ns) noexcept { return ns == nullptr ? std::string_view() : view(ns->href); }

/// Document::parse sees to it that an attribute holds one text node or none.
std::string_view value_of(const xmlAttr* attribute) noexcept {
  return attribute->children == nullptr ? std::string_view() : view(attribute->children->content);
}

bool is_text(const xmlNode* node) noexcept {
  return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

xmlNode* element_from(xmlNode* node) noexcept {
  while (node != nullptr && node->type != XML_ELEMENT_NODE) node = node->next;
  return node;
}

const xmlAttr* find_attribute(const xmlNode* node, std::string_view ns, std::string_view local_name) noexcept {
  for (const auto* attribute = node->properties; attribute != nullptr; attribute = attribute->next)
    if (view(attribute->name) == local_name && namespace_of(attribute->ns) == ns) return attribute;
  return nullptr;
}

/// Notes whether the parser complained of anything but style, and keeps it from writing to stderr.
void note_complaint(void* context, const xmlError* error) {
  // One identifier on two elements is found again, under its own name, among all kinds of identifiers.
  if (error->domain == XML_FROM_VALID && error->code == XML_DTD_ID_REDEFINED) return;
  const bool is_relative_namespace = error->code == XML_WAR_NS_URI_RELATIVE || error->code == XML_WAR_NS_URI;
  if (is_relative_namespace) return;  // found again by the walk over the nodes
  if (error->level >= XML_ERR_ERROR || error->domain == XML_FROM_NAMESPACE)
    *static_cast<bool*>(static_cast<xmlParserCtxt*>(context)->_private) = true;
}

struct FreeContext {
  void operator()(xmlParserCtxt* context) const { xmlFreeParserCtxt(context); }
};
struct FreeDocument {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};
using DocumentPointer = std::unique_ptr<xmlDoc, FreeDocument>;

/// A context of its own for each document: a context that is used again shares its dictionary with all of its
/// documents, which may be freed by other threads and grows with every name a peer thinks of (X15).
DocumentPointer parse_bytes(BytesView bytes) {
  start_libxml2();
  const std::unique_ptr<xmlParserCtxt, FreeContext> context(xmlNewParserCtxt());
  if (context == nullptr) throw std::bad_alloc();
  bool complained = false;
  context->_private = &complained;
  xmlDictSetLimit(context->dict, distinct_names_bytes_max);
  context->sax->serror = [](void* user, xmlErrorPtr error) { note_complaint(user, error); };
  DocumentPointer document(xmlCtxtReadMemory(context.get(), bytes.data(), int(bytes.size()), nullptr, nullptr,
                                             XML_PARSE_NONET | XML_PARSE_COMPACT));
  if (context->wellFormed == 0 || context->nsWellFormed == 0 || complained) return nullptr;
  return document;
}

/// RFC 3986 characters behind a scheme: what every canonicalizer agrees on. An ampersand is none of them, because
/// libxml2 keeps it as `&#38;` in namespace names. [c14n §1.3; X11, X12]
bool is_absolute_uri(std::string_view uri) noexcept {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_scheme = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  static constexpr std::string_view odd = "\"&<>\\^`{|}";
  const auto is_plain = [](char c) { return c > ' ' && c < '\x7F' && odd.find(c) == std::string_view::npos; };
  const auto colon = uri.find(':');
  return colon != std::string_view::npos && colon > 0 && colon + 1 < uri.size() && is_letter(uri.front()) &&
         std::ranges::all_of(uri.substr(0, colon), is_scheme) && std::ranges::all_of(uri, is_plain);
}

struct Id {
  std::string_view value;
  xmlNode* node;
};

bool is_id(const xmlAttr* attribute) noexcept {
  const auto name = view(attribute->name);
  if (attribute->ns == nullptr) return name == "ID" || name == "Id" || name == "AssertionID";
  const auto ns = namespace_of(attribute->ns);
  return (name == "Id" && ns == wsu_namespace) || (name == "id" && ns == xml_namespace);
}

/// What libxml2 leaves to its caller, looked at in one walk over all nodes, which also gathers the identifiers.
class Walk {
 public:
  Result<std::vector<Id>> over(xmlNode* root) && {
    for (xmlNode* node = root; node != nullptr; node = following(node, root))
      if (const auto wrong = judge(node)) return fail(*wrong);
    std::ranges::sort(ids_, {}, &Id::value);
    const auto doubled = std::ranges::adjacent_find(
        ids_, [](const Id& a, const Id& b) { return a.value == b.value && a.node != b.node; });
    if (doubled != ids_.end()) return fail(Errc::DoubledId);
    return std::move(ids_);
  }

 private:
  static xmlNode* following(xmlNode* node, const xmlNode* root) {
    if (node->type == XML_ELEMENT_NODE && node->children != nullptr) return node->children;
    while (node != root && node->next == nullptr) node = node->parent;
    return node == root ? nullptr : node->next;
  }

  std::optional<Errc> judge(xmlNode* node) {
    if (node->type != XML_ELEMENT_NODE) {
      const bool known = is_text(node) || node->type == XML_COMMENT_NODE || node->type == XML_PI_NODE;
      return known ? std::nullopt : std::optional(Errc::NotWellFormed);
    }
    for (const auto* ns = node->nsDef; ns != nullptr; ns = ns->next) {
      const auto uri = namespace_of(ns);
      const bool undeclares_default = uri.empty() && ns->prefix == nullptr;
      if (!undeclares_default && !is_absolute_uri(uri)) return Errc::RelativeNamespace;
    }
    for (const auto* attribute = node->properties; attribute != nullptr; attribute = attribute->next) {
      const auto* value = attribute->children;
      if (value != nullptr && (value->type != XML_TEXT_NODE || value->next != nullptr)) return Errc::NotWellFormed;
      if (is_id(attribute)) ids_.push_back({value_of(attribute), node});
    }
    return {};
  }

  std::vector<Id> ids_;
};

}  // namespace

void start_libxml2() {
  static const bool started = [] {
    xmlInitParser();
    xmlSetExternalEntityLoader([](const char*, const char*, xmlParserCtxt*) -> xmlParserInput* { return nullptr; });
    return true;
  }();
  static_cast<void>(started);
}

struct Document::Parts {
  DocumentPointer document;
  std::vector<Id> ids;  ///< sorted by value
  std::size_t bytes;
};

Document::Document(std::unique_ptr<Parts> parts) noexcept : parts_(std::move(parts)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(BytesView bytes, const Limits& limits) {
  TRY(pass_gate(bytes, limits));
  if (bytes.size() > INT_MAX) return fail(Errc::TooLarge);
  auto document = parse_bytes(bytes);
  if (document == nullptr) return fail(Errc::NotWellFormed);
  auto ids = TRY(Walk().over(xmlDocGetRootElement(document.get())));
  return Document(std::make_unique<Parts>(Parts{std::move(document), std::move(ids), bytes.size()}));
}

Element Document::root() const noexcept { return Element(xmlDocGetRootElement(parts_->document.get())); }
std::size_t Document::bytes() const noexcept { return parts_->bytes; }

std::optional<Element> Document::element_by_id(std::string_view id) const noexcept {
  const auto found = std::ranges::lower_bound(parts_->ids, id, {}, &Id::value);
  if (found == parts_->ids.end() || found->value != id) return {};
  return Element(found->node);
}

std::string_view Element::local_name() const noexcept { return view(node_->name); }
std::string_view Element::namespace_uri() const noexcept { return namespace_of(node_->ns); }

bool Element::is(std::string_view namespace_uri, std::string_view local_name) const noexcept {
  return this->local_name() == local_name && this->namespace_uri() == namespace_uri;
}

std::optional<std::string_view> Element::attribute(std::string_view local_name) const noexcept {
  return attribute({}, local_name);
}

std::optional<std::string_view> Element::attribute(std::string_view namespace_uri,
                                                   std::string_view local_name) const noexcept {
  const auto* found = find_attribute(node_, namespace_uri, local_name);
  return found == nullptr ? std::nullopt : std::optional(value_of(found));
}

std::vector<Element::Attribute> Element::attributes() const {
  std::vector<Attribute> found;
  for (const auto* attribute = node_->properties; attribute != nullptr; attribute = attribute->next)
    found.push_back({namespace_of(attribute->ns), view(attribute->name), value_of(attribute)});
  return found;
}

Result<std::string> Element::text() const {
  std::string found;
  for (const auto* child = node_->children; child != nullptr; child = child->next) {
    if (child->type == XML_ELEMENT_NODE) return fail(Errc::NotText);
    if (is_text(child)) found += view(child->content);
  }
  return found;
}

Result<std::string> Element::trimmed_text() const {
  const auto whole = TRY(text());
  return std::string(trim(whole));
}

bool Element::has_stray_text() const noexcept {
  for (const auto* child = node_->children; child != nullptr; child = child->next)
    if (is_text(child) && !trim(view(child->content)).empty()) return true;
  return false;
}

std::optional<Element> Element::parent() const noexcept {
  if (node_->parent == nullptr || node_->parent->type != XML_ELEMENT_NODE) return {};
  return Element(node_->parent);
}

std::optional<Element> Element::first_child() const noexcept {
  auto* found = element_from(node_->children);
  return found == nullptr ? std::nullopt : std::optional(Element(found));
}

std::optional<Element> Element::next_sibling() const noexcept {
  auto* found = element_from(node_->next);
  return found == nullptr ? std::nullopt : std::optional(Element(found));
}

std::vector<Element> Element::children() const {
  std::vector<Element> found;
  for (auto child = first_child(); child; child = child->next_sibling()) found.push_back(*child);
  return found;
}

std::vector<Element> Element::children(std::string_view namespace_uri, std::string_view local_name) const {
  std::vector<Element> found;
  for (auto child = first_child(); child; child = child->next_sibling())
    if (child->is(namespace_uri, local_name)) found.push_back(*child);
  return found;
}

std::optional<Element> Element::first_child(std::string_view namespace_uri,
                                            std::string_view local_name) const noexcept {
  for (auto child = first_child(); child; child = child->next_sibling())
    if (child->is(namespace_uri, local_name)) return child;
  return {};
}

Result<Element> Element::only_child(std::string_view namespace_uri, std::string_view local_name) const {
  const auto found = TRY(optional_child(namespace_uri, local_name));
  if (!found) return fail(Errc::Missing, std::string(local_name));
  return *found;
}

Result<std::optional<Element>> Element::optional_child(std::string_view namespace_uri,
                                                       std::string_view local_name) const {
  const auto found = first_child(namespace_uri, local_name);
  for (auto next = found ? found->next_sibling() : std::nullopt; next; next = next->next_sibling())
    if (next->is(namespace_uri, local_name)) return fail(Errc::Doubled, std::string(local_name));
  return found;
}

std::optional<std::string_view> Element::namespace_of_prefix(std::string_view prefix) const noexcept {
  if (prefix == "xml") return xml_namespace;
  for (const auto* node = node_; node != nullptr && node->type == XML_ELEMENT_NODE; node = node->parent)
    for (const auto* ns = node->nsDef; ns != nullptr; ns = ns->next)
      if (view(ns->prefix) == prefix) return namespace_of(ns).empty() ? std::nullopt : std::optional(namespace_of(ns));
  return {};
}

}  // namespace base::xml
