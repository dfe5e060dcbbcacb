#pragma once
// An XML document read once, by libxml2, behind the byte gate: no DTD, no entities, no network, no fix-ups.
// All values are taken from these nodes; there is no second reading. libxml2's types stay in document.cpp and
// canonical.cpp.

#include "base/xml/gate.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct _xmlNode;

namespace base::xml {

/// A view of one element; valid as long as its Document. Cheap to copy; equality is identity of the node.
class Element {
 public:
  std::string_view local_name() const noexcept;
  std::string_view namespace_uri() const noexcept;  ///< empty for no namespace
  bool is(std::string_view namespace_uri, std::string_view local_name) const noexcept;

  /// An attribute in no namespace, never one of another namespace with that local name (K7).
  std::optional<std::string_view> attribute(std::string_view local_name) const noexcept;
  std::optional<std::string_view> attribute(std::string_view namespace_uri, std::string_view local_name) const noexcept;

  struct Attribute {
    std::string_view namespace_uri, local_name, value;
  };
  /// All attributes but namespace declarations, in document order.
  std::vector<Attribute> attributes() const;

  /// The text of an element that may hold text only: the concatenation over comments, instructions and CDATA
  /// borders, not trimmed. [threats.md X09]
  /// @error Errc::NotText where it has element children
  Result<std::string> text() const;
  /// text(), trimmed.
  Result<std::string> trimmed_text() const;
  /// True where non-blank text stands directly in this element.
  bool has_stray_text() const noexcept;

  std::optional<Element> parent() const noexcept;
  std::optional<Element> first_child() const noexcept;   ///< first child element
  std::optional<Element> next_sibling() const noexcept;  ///< next sibling element
  std::vector<Element> children() const;
  std::vector<Element> children(std::string_view namespace_uri, std::string_view local_name) const;
  std::optional<Element> first_child(std::string_view namespace_uri, std::string_view local_name) const noexcept;
  /// The one child of that name. @error Errc::Missing, Errc::Doubled
  Result<Element> only_child(std::string_view namespace_uri, std::string_view local_name) const;
  /// The one child of that name, nothing where there is none. @error Errc::Doubled
  Result<std::optional<Element>> optional_child(std::string_view namespace_uri, std::string_view local_name) const;

  /// The namespace a prefix is bound to here ("" asks for the default), for QNames in content such as xsi:type.
  std::optional<std::string_view> namespace_of_prefix(std::string_view prefix) const noexcept;

  bool operator==(const Element& other) const noexcept { return node_ == other.node_; }

 private:
  friend class Document;
  friend struct NodeAccess;  // nodes.hpp
  explicit Element(_xmlNode* node) noexcept : node_(node) {}
  _xmlNode* node_;
};

/// A parsed document. Immovable views depend on it: keep it as long as any Element.
class Document {
 public:
  /// Gate, then parse, then the checks libxml2 leaves to its caller: namespace well-formedness (K8), relative
  /// namespace names (X12) and one set of identifiers over ID, Id, wsu:Id, xml:id and AssertionID (K6).
  static Result<Document> parse(BytesView bytes, const Limits& limits = {});

  Element root() const noexcept;
  /// The element that bears this identifier (attribute ID, Id, wsu:Id, xml:id or AssertionID), byte for byte.
  std::optional<Element> element_by_id(std::string_view id) const noexcept;
  std::size_t bytes() const noexcept;  ///< size of the input

  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

 private:
  struct Parts;
  explicit Document(std::unique_ptr<Parts> parts) noexcept;
  std::unique_ptr<Parts> parts_;
};

}  // namespace base::xml
