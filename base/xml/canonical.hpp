#pragma once
// Exclusive XML Canonicalization 1.0 without comments, written by us over the verified nodes, and the escapes of the
// same form for what we write. libxml2's own canonicalizer and xmlsec1 are the oracles it is tested against.
// [https://www.w3.org/TR/xml-exc-c14n/]

#include "base/xml/document.hpp"

namespace base::xml {

/// An element that stands for octets which came beside the document, as an xop:Include does. [XOP §3.2]
struct Inlined {
  Element element;
  BytesView octets;
};

struct CanonicalOptions {
  /// InclusiveNamespaces PrefixList, already split; "#default" stands for the default namespace.
  std::vector<std::string> inclusive_prefixes = {};
  /// Left out with its subtree: the ds:Signature of an enveloped signature.
  std::optional<Element> without = {};
  /// Each is replaced by its octets in canonical base64: signatures cover the infoset, not the package. [XOP §5]
  std::span<const Inlined> inlined = {};
  /// Append what canonical form costs at the most; beyond it the message is an attack (X05).
  std::size_t bytes_limit = 32u << 20;
};

/// The canonical form of the subtree at `apex`.
/// @error Errc::CanonicalTooLarge
Result<std::string> canonicalize(const Element& apex, const CanonicalOptions& options = {});

/// The subtree at `apex` as a document of its own, with every namespace in scope declared on it, for a reader that
/// must resolve QNames in content (xsi:type). Comments are dropped.
std::string serialize(const Element& apex);

/// Text and attribute values in canonical form: the only escapes the house writes. [c14n §2.3]
void append_text(std::string& out, std::string_view text);
void append_attribute(std::string& out, std::string_view value);
std::string escape_text(std::string_view text);
std::string escape_attribute(std::string_view value);

}  // namespace base::xml
