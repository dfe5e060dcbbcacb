#include "base/bytes.hpp"

#include "base/error_table.hpp"

#include <cstring>

namespace base {
namespace {

constexpr ErrorRow rows[] = {
    {int(BytesErrc::NotBase64), "not-base64", "a value is not base64", Cause::BadMessage},
    {int(BytesErrc::NotHex), "not-hex", "a value is not hexadecimal", Cause::BadMessage},
};
constinit const ErrorTable errors("gatehouse.bytes", rows);

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t foreign = 0xFF, blank = 0xFE;

/// What each octet means in base64: 0–63, white space, or foreign.
constexpr auto sextets = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(foreign);
  for (std::size_t i = 0; i < alphabet.size(); ++i) table[static_cast<std::uint8_t>(alphabet[i])] = std::uint8_t(i);
  for (const char c : {' ', '\t', '\r', '\n'}) table[static_cast<std::uint8_t>(c)] = blank;
  return table;
}();

/// Writes octets into a buffer that is known to be large enough.
struct Octets {
  char* to;

  /// Four sextets, of which the last `padding` are no data, become octets. False where cut-off bits are not zero.
  bool add(std::uint32_t bits, unsigned padding) {
    if ((bits & ((1u << padding * 8) - 1u)) != 0) return false;
    *to++ = char(bits >> 16);
    if (padding < 2) *to++ = char(bits >> 8 & 0xFF);
    if (padding < 1) *to++ = char(bits & 0xFF);
    return true;
  }

  /// Takes whole groups of four without white space or padding, which is nearly all of any text, off its front.
  void add_plain_groups(std::string_view& text) {
    while (text.size() >= 4) {
      std::uint32_t bits = 0;
      std::uint8_t all = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        const auto sextet = sextets[static_cast<std::uint8_t>(text[i])];
        all |= sextet;
        bits = bits << 6 | (sextet & 63u);
      }
      if (all > 63) return;
      add(bits, 0);
      text.remove_prefix(4);
    }
  }
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The length of the UTF-8 sequence at the start of `bytes`, 0 where it is ill-formed. [Unicode table 3-7]
std::size_t sequence_length(const std::uint8_t* bytes, std::size_t available) noexcept {
  const auto lead = bytes[0];
  const auto continued = [&](std::size_t i, std::uint8_t low = 0x80, std::uint8_t high = 0xBF) {
    return i < available && bytes[i] >= low && bytes[i] <= high;
  };
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continued(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const std::uint8_t low = lead == 0xE0 ? 0xA0 : 0x80;
    const std::uint8_t high = lead == 0xED ? 0x9F : 0xBF;
    return continued(1, low, high) && continued(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const std::uint8_t low = lead == 0xF0 ? 0x90 : 0x80;
    const std::uint8_t high = lead == 0xF4 ? 0x8F : 0xBF;
    return continued(1, low, high) && continued(2) && continued(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

boost::system::error_code make_error_code(BytesErrc code) noexcept { return {static_cast<int>(code), errors}; }

std::string base64(BytesView bytes) {
  std::string out((bytes.size() + 2) / 3 * 4, '=');
  char* to = out.data();
  const auto octet = [&](std::size_t i) -> std::uint32_t {
    return i < bytes.size() ? static_cast<std::uint8_t>(bytes[i]) : 0u;
  };
  for (std::size_t i = 0; i < bytes.size(); i += 3, to += 4) {
    const std::uint32_t bits = octet(i) << 16 | octet(i + 1) << 8 | octet(i + 2);
    to[0] = alphabet[bits >> 18];
    to[1] = alphabet[bits >> 12 & 63];
    if (i + 1 < bytes.size()) to[2] = alphabet[bits >> 6 & 63];
    if (i + 2 < bytes.size()) to[3] = alphabet[bits & 63];
  }
  return out;
}

Result<Bytes> read_base64(std::string_view text, unsigned white_space_percent) {
  Bytes out(text.size() / 4 * 3 + 3, '\0');
  Octets octets{out.data()};
  std::uint32_t bits = 0;
  unsigned filled = 0, padding = 0;
  std::size_t blanks = 0;
  bool ended = false;
  for (auto rest = text;;) {
    if (filled == 0 && !ended) octets.add_plain_groups(rest);
    if (rest.empty()) break;
    const char c = rest.front();
    rest.remove_prefix(1);
    const auto sextet = sextets[static_cast<std::uint8_t>(c)];
    if (sextet == blank) {
      ++blanks;
      continue;
    }
    const bool is_padding = c == '=';
    if (ended || (sextet == foreign && !is_padding) || (is_padding && filled < 2) || (padding > 0 && !is_padding))
      return fail(BytesErrc::NotBase64);
    padding += is_padding;
    bits = bits << 6 | (is_padding ? 0u : sextet);
    if (++filled < 4) continue;
    if (!octets.add(bits, padding)) return fail(BytesErrc::NotBase64);
    ended = padding > 0;
    bits = filled = 0;
  }
  if (filled != 0 || blanks * 100 > text.size() * white_space_percent) return fail(BytesErrc::NotBase64);
  out.resize(static_cast<std::size_t>(octets.to - out.data()));
  return out;
}

std::string hex(BytesView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out(bytes.size() * 2, '\0');
  char* to = out.data();
  for (const char c : bytes) {
    *to++ = digits[static_cast<std::uint8_t>(c) >> 4];
    *to++ = digits[static_cast<std::uint8_t>(c) & 15];
  }
  return out;
}

Result<Bytes> read_hex(std::string_view text) {
  if (text.size() % 2 != 0) return fail(BytesErrc::NotHex);
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return fail(BytesErrc::NotHex);
    out.push_back(char(high << 4 | low));
  }
  return out;
}

bool is_utf8(BytesView bytes) noexcept {
  const auto* octets = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const std::size_t count = bytes.size();
  for (std::size_t at = 0; at < count;) {
    // Nearly everything is ASCII: eight octets at a time.
    for (std::uint64_t eight; at + sizeof eight <= count; at += sizeof eight) {
      std::memcpy(&eight, octets + at, sizeof eight);
      if ((eight & 0x8080808080808080u) != 0) break;
    }
    if (at == count) return true;
    const auto length = sequence_length(octets + at, count - at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string_view trim(std::string_view text) noexcept {
  constexpr std::string_view white_space = " \t\r\n";
  const auto first = text.find_first_not_of(white_space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(white_space) - first + 1);
}

bool equal_in_constant_time(BytesView a, BytesView b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
    asm volatile("" : "+r"(difference));  // keeps the compiler from leaving the loop early
  }
  return difference == 0;
}

}  // namespace base
