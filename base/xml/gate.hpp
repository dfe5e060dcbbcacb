#pragma once
// The byte gate: what must hold of bytes before any XML parser object exists. [threats.md X00, K9–K12]
// Linear time, no allocation; knows nothing of elements' meaning.

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace base::xml {

enum class Errc {
  TooLarge = 1,       ///< bytes above limits.bytes
  NotUtf8,            ///< ill-formed UTF-8, a BOM other than UTF-8's, a declaration of another encoding, NUL
  NotXml10,           ///< an XML version other than 1.0
  HasDoctype,         ///< <!DOCTYPE outside comment and CDATA
  StartTagTooLarge,   ///< attributes or bytes of one start tag above the limits (K12)
  TooDeep,            ///< depth above limits.depth, or more namespaces in scope than allowed
  NotWellFormed,      ///< refused by the parser, or not namespace-well-formed (K8)
  DoubledId,          ///< one identifier value on two elements, of whatever kind (K6, X13)
  RelativeNamespace,  ///< a namespace name that is no absolute URI: canonical form is undefined (X12)
  CanonicalTooLarge,  ///< canonical form above four times the input (X05)
  NotText,            ///< element content where only text may stand (X09)
  Missing,            ///< a child or attribute that must be there
  Doubled,            ///< a child that must be single
};
boost::system::error_code make_error_code(Errc) noexcept;

/// What one document may cost.
struct Limits {
  std::size_t bytes = 8u << 20;
  std::size_t depth = 200;  ///< at most 512
  std::size_t attributes_per_tag = 256;
  std::size_t bytes_per_tag = 64u << 10;
  std::size_t namespaces_in_scope = 128;  ///< each attribute is looked up among them: quadratic without a limit (X05)
};

/// Judges the bytes of a document before a parser sees them.
/// @error Errc::TooLarge … Errc::TooDeep as named above, in that order where several apply
Result<void> pass_gate(BytesView document, const Limits& limits = {});

}  // namespace base::xml

namespace boost::system {
template <>
struct is_error_code_enum<base::xml::Errc> : std::true_type {};
}  // namespace boost::system
