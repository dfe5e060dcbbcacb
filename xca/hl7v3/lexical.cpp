#include "xca/hl7v3/lexical.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>

namespace xca::hl7v3 {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool all_digits(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool list_of(std::string_view text, std::initializer_list<std::string_view> words) {
  std::size_t tokens = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (!one_of(text.substr(0, end), words)) return false;
    ++tokens;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return tokens > 0;
}

bool is_oid(std::string_view text) {
  if (text.empty() || text[0] < '0' || text[0] > '2') return false;
  text.remove_prefix(1);
  while (!text.empty()) {
    if (text[0] != '.') return false;
    text.remove_prefix(1);
    const std::size_t end = std::min(text.find('.'), text.size());
    if (end == 0 || !all_digits(text.substr(0, end)) || (end > 1 && text[0] == '0')) return false;
    text.remove_prefix(end);
  }
  return true;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? text[i] != '-' : !is_digit(text[i]) && !is_letter(text[i])) return false;
  }
  return true;
}

bool is_registered_name(std::string_view text) {
  return !text.empty() && is_letter(text[0]) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
}

bool is_scheme(std::string_view text) {
  return !text.empty() && is_letter(text[0]) && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

bool is_host_name(std::string_view host) {
  if (host.empty() || !is_letter(host[0])) return false;
  for (std::size_t i = 0; i < host.size(); ++i) {
    const bool at_edge = i + 1 == host.size() || host[i - (i > 0)] == '.' || host[i + 1] == '.';
    if (!is_letter(host[i]) && !is_digit(host[i]) && (at_edge || (host[i] != '-' && host[i] != '.'))) return false;
  }
  return true;
}

bool is_ipv4(std::string_view host) {
  int octets = 0;
  for (; !host.empty(); ++octets) {
    const std::string_view octet = host.substr(0, host.find('.'));
    if (octet.empty() || octet.size() > 3 || !all_digits(octet) || (octet.size() == 3 && octet > "255")) return false;
    host.remove_prefix(std::min(octet.size() + 1, host.size()));
  }
  return octets == 4;
}

bool is_authority(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || port.size() > 4 || !all_digits(port)) return false;
  }
  const std::string_view host = text.substr(0, colon);
  return is_host_name(host) || is_ipv4(host);
}

}  // namespace

bool is_null_flavor(std::string_view text) noexcept {
  return one_of(text, {"NI", "UNK", "NA", "ASKU", "NAV", "NASK", "OTH", "MSK", "NINF", "PINF", "QS", "TRC", "UNC"});
}
bool is_boolean(std::string_view text) noexcept { return text == "true" || text == "false"; }
bool is_code(std::string_view text) noexcept {
  return !text.empty() && std::none_of(text.begin(), text.end(), is_space);
}
bool is_string(std::string_view text) noexcept { return !text.empty(); }
bool is_uid(std::string_view text) noexcept { return is_oid(text) || is_uuid(text) || is_registered_name(text); }

bool is_timestamp(std::string_view text) noexcept {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits == 0 || digits > 14) return false;
  std::string_view rest = text.substr(digits);
  if (digits == 14 && !rest.empty() && rest[0] == '.') {
    std::size_t fraction = 1;
    while (fraction < rest.size() && is_digit(rest[fraction])) ++fraction;
    if (fraction == 1) return false;
    rest.remove_prefix(fraction);
  }
  if (rest.empty()) return true;
  return digits >= 9 && (rest[0] == '+' || rest[0] == '-') && rest.size() >= 2 && rest.size() <= 5 &&
         all_digits(rest.substr(1));
}

bool is_integer(std::string_view text) noexcept {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  return !text.empty() && text.size() <= 18 && all_digits(text);
}

bool is_decimal(std::string_view text) noexcept {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) return is_integer(text) && is_digit(text[0]);
  const std::string_view whole = text.substr(0, point), fraction = text.substr(point + 1);
  return !whole.empty() && !fraction.empty() && text.size() <= 19 && all_digits(whole) && all_digits(fraction);
}

bool is_uri(std::string_view text) noexcept {
  constexpr std::string_view marks = "-_.!~*'();/?:@&=+$,#% ";
  if (text.empty() || text.front() == ' ' || text.back() == ' ') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!is_letter(c) && !is_digit(c) && marks.find(c) == std::string_view::npos) return false;
    const auto hex = [&](std::size_t at) {
      return at < text.size() &&
             (is_digit(text[at]) || (text[at] >= 'a' && text[at] <= 'f') || (text[at] >= 'A' && text[at] <= 'F'));
    };
    if (c == '%' && !(hex(i + 1) && hex(i + 2))) return false;
  }
  if (std::count(text.begin(), text.end(), '#') > 1) return false;
  const std::size_t delimiter = text.find_first_of(":/?#");
  if (delimiter != std::string_view::npos && text[delimiter] == ':') {
    if (!is_scheme(text.substr(0, delimiter))) return false;
    text.remove_prefix(delimiter + 1);
    if (text.empty() || text[0] == '#' || text[0] == '?') return false;
  }
  if (!text.starts_with("//")) return true;
  text.remove_prefix(2);
  return is_authority(text.substr(0, text.find_first_of("/?#")));
}

bool is_set_operator(std::string_view text) noexcept { return one_of(text, {"I", "E", "A", "H", "P"}); }
bool is_telecom_use(std::string_view text) noexcept {
  return list_of(text, {"H", "HP", "HV", "WP", "DIR", "PUB", "MC", "EC", "PG", "AS", "TMP", "BAD"});
}
bool is_address_use(std::string_view text) noexcept {
  return list_of(text, {"H", "HP", "HV", "WP", "DIR", "PUB", "PHYS", "PST", "TMP", "BAD", "ABC", "SYL", "IDE"});
}
bool is_name_use(std::string_view text) noexcept {
  return list_of(text, {"L", "C", "A", "ASGN", "I", "IDE", "R", "P", "ABC", "SYL", "PHON", "SNDX", "SRCH", "OR"});
}
bool is_name_part_qualifier(std::string_view text) noexcept {
  return list_of(text, {"AC", "AD", "BR", "CL", "IN", "LS", "NB", "PR", "SP", "TITLE", "VV"});
}
bool is_plain_text_representation(std::string_view text) noexcept { return text == "TXT"; }
bool is_plain_text_media_type(std::string_view text) noexcept { return text == "text/plain"; }

std::size_t characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

bool is_visible(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(at < text.size() ? text[at] : 0); };
    const std::uint8_t first = byte(i);
    if (first < 0x20 || first == 0x7F) return false;
    if (first < 0x80) continue;
    const std::uint8_t second = byte(i + 1), third = byte(i + 2);
    if (first == 0xC2 && (second < 0xA0 || second == 0xAD)) return false;  // C1 controls, soft hyphen
    if (first == 0xE2 && second == 0x80 && ((third >= 0x8B && third <= 0x8F) || (third >= 0xAA && third <= 0xAE)))
      return false;  // U+200B–200F, U+202A–202E
    if (first == 0xE2 && second == 0x81 && third >= 0xA0 && third <= 0xAF) return false;  // U+2060–206F
    if (first == 0xEF && second == 0xBB && third == 0xBF) return false;                   // U+FEFF
  }
  return true;
}

}  // namespace xca::hl7v3
