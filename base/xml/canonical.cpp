#include "base/xml/canonical.hpp"

#include "base/xml/nodes.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace base::xml {

namespace {

constexpr std::string_view xml_namespace = "http://www.w3.org/XML/1998/namespace";

// ---- escapes [c14n §2.3]

using Escapes = std::array<std::string_view, 256>;

constexpr auto text_escapes = [] {
  Escapes escapes{};
  escapes['&'] = "&amp;";
  escapes['<'] = "&lt;";
  escapes['>'] = "&gt;";
  escapes['\r'] = "&#xD;";
  return escapes;
}();

constexpr auto attribute_escapes = [] {
  Escapes escapes{};
  escapes['&'] = "&amp;";
  escapes['<'] = "&lt;";
  escapes['"'] = "&quot;";
  escapes['\t'] = "&#x9;";
  escapes['\n'] = "&#xA;";
  escapes['\r'] = "&#xD;";
  return escapes;
}();

/// True where one of eight octets may need an escape, so that they are looked at one by one; long runs of names and
/// base64 pass eight at a time.
bool may_need_escape(std::uint64_t eight) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
  const auto has = [&](std::uint64_t octet) {
    const auto zeroed = eight ^ (ones * octet);
    return (zeroed - ones) & ~zeroed & highs;
  };
  const auto below_space = (eight - ones * 0x20) & ~eight & highs;
  return (has('&') | has('"') | has('<') | has('>') | below_space) != 0;
}

std::uint64_t eight_octets(const char* at) noexcept {
  std::uint64_t eight;
  std::memcpy(&eight, at, sizeof eight);
  return eight;
}

bool has_nothing_to_escape(std::string_view text) noexcept {
  if (text.size() < sizeof(std::uint64_t)) return false;
  const auto last = text.size() - sizeof(std::uint64_t);
  for (std::size_t at = 0; at < last; at += sizeof(std::uint64_t))
    if (may_need_escape(eight_octets(text.data() + at))) return false;
  return !may_need_escape(eight_octets(text.data() + last));
}

void append_escaped(std::string& out, std::string_view text, const Escapes& escapes) {
  if (has_nothing_to_escape(text)) {
    out.append(text);
    return;
  }
  std::size_t copied = 0, at = 0;
  while (at < text.size()) {
    while (at + sizeof(std::uint64_t) <= text.size() && !may_need_escape(eight_octets(text.data() + at)))
      at += sizeof(std::uint64_t);
    for (const auto end = std::min(at + sizeof(std::uint64_t), text.size()); at < end; ++at) {
      const auto escape = escapes[static_cast<std::uint8_t>(text[at])];
      if (escape.empty()) continue;
      out.append(text.substr(copied, at - copied)).append(escape);
      copied = at + 1;
    }
  }
  out.append(text.substr(copied));
}

// ---- the writer

/// A namespace declaration to write, or one that is written and in force.
struct Binding {
  std::string_view prefix, uri;
};

struct OutputAttribute {
  std::string_view namespace_uri, prefix, local_name, value;
};

void append_name(std::string& out, std::string_view prefix, std::string_view local_name) {
  if (!prefix.empty()) out.append(prefix).push_back(':');
  out.append(local_name);
}

void append_declaration(std::string& out, const Binding& binding) {
  out.append(" xmlns");
  if (!binding.prefix.empty()) {
    out.push_back(':');
    out.append(binding.prefix);
  }
  out.append("=\"");
  append_attribute(out, binding.uri);
  out.push_back('"');
}

void append_attribute_node(std::string& out, const OutputAttribute& attribute) {
  out.push_back(' ');
  append_name(out, attribute.prefix, attribute.local_name);
  out.append("=\"");
  append_attribute(out, attribute.value);
  out.push_back('"');
}

Binding binding_of(const xmlNs* ns) noexcept { return {view(ns->prefix), view(ns->href)}; }

/// What a prefix is bound to at a node: the nearest declaration, the empty name without one.
std::string_view uri_in_scope(const xmlNode* node, std::string_view prefix) noexcept {
  for (; node != nullptr && node->type == XML_ELEMENT_NODE; node = node->parent)
    for (const auto* ns = node->nsDef; ns != nullptr; ns = ns->next)
      if (view(ns->prefix) == prefix) return view(ns->href);
  return {};
}

/// Which namespaces an element declares: the one thing in which exclusive canonical form and serialize() differ.
enum class Declares {
  WhatIsUsed,    ///< visibly utilised and listed ones that are not in force already [exc-c14n §3]
  WhatIsInScope  ///< everything in scope of the apex, then whatever elements declare
};

class Writer {
 public:
  Writer(const xmlNode* apex, Declares declares, const CanonicalOptions& options)
      : apex_(apex),
        without_(options.without ? NodeAccess::of(*options.without) : nullptr),
        inlined_(options.inlined),
        declares_(declares),
        bytes_limit_(options.bytes_limit) {
    for (const auto& prefix : options.inclusive_prefixes)
      listed_.push_back(prefix == "#default" ? std::string_view() : prefix);
    out_.reserve(16 << 10);
    in_force_.reserve(16);
  }

  /// False where the limit was met.
  bool write() {
    // Iterative: documents read with a raised depth limit must not cost stack.
    const xmlNode* node = apex_;
    while (out_.size() <= bytes_limit_) {
      const bool opened = enter(node);
      if (opened && node->children != nullptr) {
        node = node->children;
        continue;
      }
      if (opened) leave(node);
      while (node != apex_ && node->next == nullptr) leave(node = node->parent);
      if (node == apex_) break;
      node = node->next;
    }
    return out_.size() <= bytes_limit_;
  }

  std::string take() && { return std::move(out_); }

 private:
  /// Writes a node, of an element the start tag; true for an element to be left again.
  bool enter(const xmlNode* node) {
    switch (node->type) {
      case XML_ELEMENT_NODE:
        if (node == without_) return false;
        if (const auto* inlined = inlined_at(node)) {
          out_.append(base64(inlined->octets));
          return false;
        }
        start_tag(node);
        return true;
      case XML_TEXT_NODE:
      case XML_CDATA_SECTION_NODE: append_text(out_, view(node->content)); return false;
      case XML_PI_NODE: instruction(node); return false;
      default: return false;  // comments
    }
  }

  void leave(const xmlNode* element) {
    out_.append("</");
    append_name(out_, prefix_of(element), view(element->name));
    out_.push_back('>');
    in_force_.resize(marks_.back());
    marks_.pop_back();
  }

  const Inlined* inlined_at(const xmlNode* element) const {
    const auto found = std::ranges::find_if(
        inlined_, [&](const Inlined& inlined) { return NodeAccess::of(inlined.element) == element; });
    return found == inlined_.end() ? nullptr : &*found;
  }

  void instruction(const xmlNode* node) {
    out_.append("<?").append(view(node->name));
    if (const auto content = view(node->content); !content.empty()) out_.append(" ").append(content);
    out_.append("?>");
  }

  void start_tag(const xmlNode* element) {
    marks_.push_back(in_force_.size());
    out_.push_back('<');
    append_name(out_, prefix_of(element), view(element->name));
    collect_attributes(element);
    to_declare_.clear();
    if (declares_ == Declares::WhatIsUsed)
      collect_used(element);
    else
      collect_in_scope(element);
    std::ranges::sort(to_declare_, {}, &Binding::prefix);
    for (const auto& binding : to_declare_) append_declaration(out_, binding);
    for (const auto& attribute : attributes_) append_attribute_node(out_, attribute);
    out_.push_back('>');
  }

  /// In the order of canonical form: by namespace name, then local name. [c14n §2.2]
  void collect_attributes(const xmlNode* element) {
    attributes_.clear();
    for (const auto* attribute = element->properties; attribute != nullptr; attribute = attribute->next) {
      const auto ns = attribute->ns == nullptr ? Binding{} : binding_of(attribute->ns);
      const auto value = attribute->children == nullptr ? std::string_view() : view(attribute->children->content);
      attributes_.push_back({ns.uri, ns.prefix, view(attribute->name), value});
    }
    std::ranges::sort(attributes_, [](const OutputAttribute& a, const OutputAttribute& b) {
      return a.namespace_uri != b.namespace_uri ? a.namespace_uri < b.namespace_uri : a.local_name < b.local_name;
    });
  }

  void collect_used(const xmlNode* element) {
    declare_if_new(element->ns == nullptr ? Binding{} : binding_of(element->ns));
    for (const auto& attribute : attributes_)
      if (!attribute.prefix.empty()) declare_if_new({attribute.prefix, attribute.namespace_uri});
    if (listed_.empty()) return;
    if (element != apex_ && element->nsDef == nullptr) return;
    for (const auto prefix : listed_)
      if (const auto uri = uri_in_scope(element, prefix); !uri.empty() || prefix.empty()) declare_if_new({prefix, uri});
  }

  void collect_in_scope(const xmlNode* element) {
    const auto* outermost = element == apex_ ? nullptr : element->parent;
    for (const auto* node = element; node != outermost && node->type == XML_ELEMENT_NODE; node = node->parent)
      for (const auto* ns = node->nsDef; ns != nullptr; ns = ns->next)
        if (std::ranges::find(to_declare_, view(ns->prefix), &Binding::prefix) == to_declare_.end())
          to_declare_.push_back(binding_of(ns));
    std::erase_if(to_declare_, [](const Binding& binding) { return binding.prefix == "xml"; });
  }

  /// Declares a binding unless it is in force. A prefix that nobody bound, and so the default namespace, is empty.
  void declare_if_new(const Binding& binding) {
    if (binding.prefix == "xml") return;
    const auto nearest = std::find_if(in_force_.rbegin(), in_force_.rend(),
                                      [&](const Binding& in_force) { return in_force.prefix == binding.prefix; });
    const auto uri_in_force = nearest == in_force_.rend() ? std::string_view() : nearest->uri;
    if (uri_in_force == binding.uri) return;
    in_force_.push_back(binding);
    to_declare_.push_back(binding);
  }

  static std::string_view prefix_of(const xmlNode* element) noexcept {
    return element->ns == nullptr ? std::string_view() : view(element->ns->prefix);
  }

  const xmlNode* apex_;
  const xmlNode* without_;
  std::span<const Inlined> inlined_;
  Declares declares_;
  std::size_t bytes_limit_;
  std::vector<std::string_view> listed_;  ///< "" stands for the default namespace
  std::string out_;
  std::vector<Binding> in_force_, to_declare_;
  std::vector<std::size_t> marks_;  ///< for each open element, how much of in_force_ stood before it
  std::vector<OutputAttribute> attributes_;
};

}  // namespace

void append_text(std::string& out, std::string_view text) { append_escaped(out, text, text_escapes); }
void append_attribute(std::string& out, std::string_view value) { append_escaped(out, value, attribute_escapes); }

std::string escape_text(std::string_view text) {
  std::string out;
  append_text(out, text);
  return out;
}

std::string escape_attribute(std::string_view value) {
  std::string out;
  append_attribute(out, value);
  return out;
}

Result<std::string> canonicalize(const Element& apex, const CanonicalOptions& options) {
  Writer writer(NodeAccess::of(apex), Declares::WhatIsUsed, options);
  if (!writer.write()) return fail(Errc::CanonicalTooLarge);
  return std::move(writer).take();
}

std::string serialize(const Element& apex) {
  Writer writer(NodeAccess::of(apex), Declares::WhatIsInScope, {.bytes_limit = std::string::npos});
  writer.write();
  return std::move(writer).take();
}

}  // namespace base::xml
