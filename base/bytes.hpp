#pragma once
// Bytes and the texts that stand for them. What bytes mean is not known here.

#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace base {

/// Octets as they are on the wire. A string, because every library around us takes one.
using Bytes = std::string;
using BytesView = std::string_view;

enum class BytesErrc { NotBase64 = 1, NotHex };
boost::system::error_code make_error_code(BytesErrc) noexcept;

/// RFC 4648 §4, with padding, without line ends.
std::string base64(BytesView bytes);

/// Reads base64 strictly but for XML white space between characters. [RFC 4648 §4; XSD 1.0 §3.2.16]
/// @param white_space_percent  how much of the text may be white space (threats M08: 10); digests and keys are
///                             wrapped by real signers at 64 or 76 columns
/// @error BytesErrc::NotBase64 foreign characters, padding inside, a length that cannot be, non-zero trailing bits
Result<Bytes> read_base64(std::string_view text, unsigned white_space_percent = 10);

/// Lower-case hexadecimal.
std::string hex(BytesView bytes);
Result<Bytes> read_hex(std::string_view text);

/// True where the bytes are well-formed UTF-8 without surrogates and overlong forms. [RFC 3629]
bool is_utf8(BytesView bytes) noexcept;

/// XML white space off both ends: space, tab, CR, LF.
std::string_view trim(std::string_view text) noexcept;

/// Compares without telling by time where two secrets differ.
bool equal_in_constant_time(BytesView a, BytesView b) noexcept;

}  // namespace base

namespace boost::system {
template <>
struct is_error_code_enum<base::BytesErrc> : std::true_type {};
}  // namespace boost::system
