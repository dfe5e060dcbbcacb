#pragma once
// MIME as Direct reads it: entities are found in octets and never written anew, because what was signed is a range of
// them. Line ends are CRLF, or LF in files that were picked up. [RFC 2045, 2046, 2183, 2231, 5322; facts/direct §2]

#include "base/bytes.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace direct::mime {

using base::Bytes;
using base::BytesView;
using base::Result;

enum class Errc {
  Malformed = 1,  ///< no header block, a line without a colon, a multipart without its delimiters
  Ambiguous,      ///< a field or parameter that may stand once stands twice
  TooLarge,       ///< above one of the limits
  Damaged,        ///< content that its transfer encoding cannot be
};
boost::system::error_code make_error_code(Errc) noexcept;

/// [threats P06, P10]
struct Limits {
  std::size_t header_octets = 128 << 10;
  std::size_t fields = 1000;
  std::size_t line_octets = 16 << 10;  ///< of one field, folded
  std::size_t parts = 1000;
  std::size_t parameters = 100;
};

/// One field of a header as it stands.
struct Field {
  std::string_view name;
  std::string_view raw;  ///< after the colon, with its folds, without the line's end
};

/// A header block and what follows it. Views: the octets outlive it.
class Entity {
 public:
  /// @error Errc::Malformed: NUL or a lone CR in the header too; Errc::TooLarge
  static Result<Entity> read(BytesView octets, const Limits& limits = {});

  BytesView octets() const noexcept { return octets_; }  ///< header and body, byte for byte
  BytesView body() const noexcept { return body_; }
  const std::vector<Field>& fields() const noexcept { return fields_; }
  /// A field's value unfolded and trimmed; nothing where it is absent. Names are compared without regard to case.
  /// @error Errc::Ambiguous where it stands more than once
  Result<std::optional<std::string>> value(std::string_view name) const;

 private:
  BytesView octets_, body_;
  std::vector<Field> fields_;
};

/// The value of Content-Type or Content-Disposition.
struct Parameterized {
  std::string value;                              ///< `multipart/signed`, `attachment`: lower case
  std::map<std::string, std::string> parameters;  ///< by lower-case name; continued and encoded ones put together
  /// Empty where there is none.
  std::string parameter(const std::string& name) const;
};
/// Reads values with parameters: tokens or quoted, comments left out, RFC 2231 in UTF-8, US-ASCII or ISO-8859-1.
/// Tolerates unquoted values with characters that no token has. [quirks.md]
/// @error Errc::Malformed, Errc::Ambiguous: a parameter twice; Errc::TooLarge
Result<Parameterized> read_parameterized(std::string_view text, const Limits& limits = {});
/// Of an entity; `text/plain` where it says none. @error as above
Result<Parameterized> media_type(const Entity& entity, const Limits& limits = {});

/// The body without its transfer encoding: 7bit, 8bit, binary, base64 or quoted-printable.
/// @error Errc::Damaged, Errc::Malformed for an encoding that nobody knows
Result<Bytes> decoded_body(const Entity& entity);

/// The parts of a multipart's body, byte for byte; preamble and epilogue are left out. White space after a delimiter is
/// legal. @error Errc::Malformed: a boundary that none may be, no part, no closing delimiter; Errc::TooLarge
Result<std::vector<BytesView>> parts(BytesView body, std::string_view boundary, const Limits& limits = {});

/// With CRLF where a line ended in LF alone.
Bytes with_crlf(BytesView text);
bool has_bare_lf(BytesView text) noexcept;

}  // namespace direct::mime

namespace boost::system {
template <>
struct is_error_code_enum<direct::mime::Errc> : std::true_type {};
}  // namespace boost::system
