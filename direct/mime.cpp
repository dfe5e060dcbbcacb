#include "direct/mime.hpp"

#include "base/error_table.hpp"

#include <algorithm>
#include <array>

namespace direct::mime {
namespace {

using base::Cause;
using base::fail;

constexpr base::ErrorRow rows[] = {
    {int(Errc::Malformed), "mime-malformed", "the message is not MIME", Cause::BadMessage},
    {int(Errc::Ambiguous), "mime-ambiguous", "a header of the message stands twice", Cause::BadMessage},
    {int(Errc::TooLarge), "mime-too-large", "the message has more than is read of one", Cause::BadMessage},
    {int(Errc::Damaged), "mime-damaged", "content that its transfer encoding cannot be", Cause::BadMessage},
};
constinit const base::ErrorTable errors("direct.mime", rows);

constexpr std::size_t boundary_octets_max = 70;  // RFC 2046 §5.1.1
constexpr unsigned white_space_percent = 34;     // of base64: lines of four characters and more

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
std::string lowered(std::string_view text) {
  std::string low(text);
  std::ranges::transform(low, low.begin(), lower);
  return low;
}
bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}
bool is_blank(char c) { return c == ' ' || c == '\t'; }
std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// The line at the beginning of `rest`, which is moved behind it. @return without its end
std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  auto line = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  if (end != rest.npos && line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool is_field_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f' && c != ':'; });
}

std::string unfolded(std::string_view raw) {
  std::string text;
  text.reserve(raw.size());
  for (const char c : raw)
    if (c != '\r' && c != '\n') text += c;
  return std::string(trimmed(text));
}

// ------------------------------------------------------------------ parameters

/// What stands between the delimiters of a structured value.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  /// White space and comments. @return false for a comment that does not end
  bool skip() {
    while (!rest_.empty()) {
      if (is_blank(rest_.front())) {
        rest_.remove_prefix(1);
      } else if (rest_.front() != '(') {
        return true;
      } else if (!skip_comment()) {
        return false;
      }
    }
    return true;
  }
  bool at_end() const { return rest_.empty(); }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view until(std::string_view ends) {
    const auto found = rest_.substr(0, rest_.find_first_of(ends));
    rest_.remove_prefix(found.size());
    return trimmed(found);
  }
  /// After its opening quote. Nothing where it does not end.
  std::optional<std::string> quoted() {
    std::string text;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return text;
      if (c == '\\') {
        if (rest_.empty()) return std::nullopt;
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      text += c;
    }
    return std::nullopt;
  }

 private:
  bool skip_comment() {
    int depth = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '\\' && !rest_.empty()) rest_.remove_prefix(1);
      if (c == '(') ++depth;
      if (c == ')' && --depth == 0) return true;
    }
    return false;
  }
  std::string_view rest_;
};

std::optional<int> hex_digit(char c) {
  c = lower(c);
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

/// Octets written `MARKxx`, everything else itself. Nothing where a mark is not followed by two digits.
std::optional<std::string> unescaped(std::string_view text, char mark) {
  std::string octets;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != mark) {
      octets += text[at];
      continue;
    }
    const auto high = at + 2 < text.size() ? hex_digit(text[at + 1]) : std::nullopt;
    const auto low = high ? hex_digit(text[at + 2]) : std::nullopt;
    if (!low) return std::nullopt;
    octets += static_cast<char>(*high * 16 + *low);
    at += 2;
  }
  return octets;
}

/// In UTF-8. Nothing for a character set that is not one of three, or a text that is not of it.
std::optional<std::string> in_utf8(std::string octets, std::string_view charset) {
  if (same_name(charset, "iso-8859-1")) {
    std::string text;
    for (const char c : octets) {
      const auto octet = static_cast<unsigned char>(c);
      if (octet < 0x80) {
        text += c;
      } else {
        text += static_cast<char>(0xC0u | (octet >> 6u));
        text += static_cast<char>(0x80u | (octet & 0x3Fu));
      }
    }
    return text;
  }
  const bool known = charset.empty() || same_name(charset, "utf-8") || same_name(charset, "us-ascii");
  if (!known || !base::is_utf8(octets)) return std::nullopt;
  return octets;
}

/// One parameter as it is written: `name*1*=`.
struct Segment {
  std::string text;
  bool encoded = false;
};
using Segments = std::map<std::size_t, Segment>;

/// Where `*1*` of a parameter's name puts it; nothing where that is no number.
std::optional<std::pair<std::size_t, bool>> place_of(std::string_view& name) {
  const auto star = name.find('*');
  if (star == name.npos) return std::pair(std::size_t(0), false);
  auto tail = name.substr(star + 1);
  name = name.substr(0, star);
  const bool encoded = tail.empty() || tail.ends_with('*');
  if (tail.ends_with('*')) tail.remove_suffix(1);
  if (tail.empty()) return encoded ? std::optional(std::pair(std::size_t(0), true)) : std::nullopt;
  const bool number = tail.size() <= 3 && std::ranges::all_of(tail, [](char c) { return c >= '0' && c <= '9'; });
  if (!number) return std::nullopt;
  return std::pair(static_cast<std::size_t>(std::stoul(std::string(tail))), encoded);
}

/// Put together from the first on; what follows a gap is left out. [RFC 2231 §3, §4]
std::optional<std::string> joined(const Segments& segments) {
  std::string octets, charset;
  std::size_t next = 0;
  for (const auto& [number, segment] : segments) {
    if (number != next++) break;
    std::string_view text = segment.text;
    if (segment.encoded && number == 0) {
      const auto language = text.find('\'');
      const auto begin = language == text.npos ? text.npos : text.find('\'', language + 1);
      if (begin == text.npos) return std::nullopt;
      charset = std::string(text.substr(0, language));
      text.remove_prefix(begin + 1);
    }
    auto part = segment.encoded ? unescaped(text, '%') : std::optional(std::string(text));
    if (!part) return std::nullopt;
    octets += *part;
  }
  return in_utf8(std::move(octets), charset);
}

bool holds_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

// ------------------------------------------------------------------ transfer encodings

Result<Bytes> read_quoted_printable(BytesView text) {
  Bytes octets;
  octets.reserve(text.size());
  while (!text.empty()) {
    const bool crlf = text.find('\n') != text.npos;
    auto line = take_line(text);
    while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);  // added on the way [RFC 2045 §6.7 (3)]
    const bool soft = line.ends_with('=');
    if (soft) line.remove_suffix(1);
    const auto part = unescaped(line, '=');
    if (!part) return fail(Errc::Damaged, "quoted-printable");
    octets += *part;
    if (!soft && crlf) octets += "\r\n";
  }
  return octets;
}

bool is_boundary(std::string_view boundary) {
  constexpr std::string_view marks = "'()+_,-./:=? ";
  const auto is_one = [&](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || marks.find(c) != marks.npos;
  };
  return !boundary.empty() && boundary.size() <= boundary_octets_max && boundary.back() != ' ' &&
         std::ranges::all_of(boundary, is_one);
}

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errors}; }

Result<Entity> Entity::read(BytesView octets, const Limits& limits) {
  Entity entity;
  entity.octets_ = octets;
  std::string_view rest = octets;
  const char* field_begin = nullptr;  // of the value of the last field
  while (true) {
    if (octets.size() - rest.size() > limits.header_octets) return fail(Errc::TooLarge, "header");
    if (rest.empty()) break;  // a header without a body
    const auto line = take_line(rest);
    if (line.empty()) break;
    if (line.find('\0') != line.npos || line.find('\r') != line.npos) return fail(Errc::Malformed, "header");
    if (is_blank(line.front())) {
      if (!field_begin) return fail(Errc::Malformed, "a header that begins with a fold");
      auto& raw = entity.fields_.back().raw;
      raw = {field_begin, static_cast<std::size_t>(line.data() + line.size() - field_begin)};
      if (raw.size() > limits.line_octets) return fail(Errc::TooLarge, "field");
      continue;
    }
    const auto colon = line.find(':');
    const auto name = trimmed(line.substr(0, colon));
    if (colon == line.npos || !is_field_name(name)) return fail(Errc::Malformed, "a header line without a name");
    if (entity.fields_.size() == limits.fields) return fail(Errc::TooLarge, "fields");
    if (line.size() > limits.line_octets) return fail(Errc::TooLarge, "field");
    field_begin = line.data() + colon + 1;
    entity.fields_.push_back({name, line.substr(colon + 1)});
  }
  entity.body_ = rest;
  return entity;
}

Result<std::optional<std::string>> Entity::value(std::string_view name) const {
  const auto is_it = [&](const Field& field) { return same_name(field.name, name); };
  const auto found = std::ranges::find_if(fields_, is_it);
  if (found == fields_.end()) return std::optional<std::string>();
  if (std::ranges::any_of(found + 1, fields_.end(), is_it)) return fail(Errc::Ambiguous, std::string(name));
  return std::optional(unfolded(found->raw));
}

std::string Parameterized::parameter(const std::string& name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

Result<Parameterized> read_parameterized(std::string_view text, const Limits& limits) {
  Scanner scanner(text);
  Parameterized read;
  if (!scanner.skip()) return fail(Errc::Malformed, "a comment that does not end");
  read.value = lowered(scanner.until(";("));
  if (read.value.empty()) return fail(Errc::Malformed, "a value that is empty");
  std::map<std::string, Segments> written;
  std::size_t count = 0;
  while (true) {
    if (!scanner.skip()) return fail(Errc::Malformed, "a comment that does not end");
    if (scanner.at_end()) break;
    if (!scanner.take(';')) return fail(Errc::Malformed, "text between parameters");
    if (!scanner.skip()) return fail(Errc::Malformed, "a comment that does not end");
    if (scanner.at_end()) break;  // a semicolon at the end
    std::string_view name = scanner.until("=;");
    if (name.empty() && !scanner.take('=')) continue;  // two semicolons
    if (!scanner.take('=') || !scanner.skip()) return fail(Errc::Malformed, "a parameter without a value");
    auto value = scanner.take('"') ? scanner.quoted() : std::optional(std::string(scanner.until(";(")));
    const auto place = place_of(name);
    if (!value || !place || name.empty() || holds_control(*value)) return fail(Errc::Malformed, "a parameter");
    if (++count > limits.parameters) return fail(Errc::TooLarge, "parameters");
    const auto [number, encoded] = *place;
    if (!written[lowered(name)].emplace(number, Segment{*std::move(value), encoded}).second)
      return fail(Errc::Ambiguous, "a parameter");
  }
  for (const auto& [name, segments] : written) {
    auto value = joined(segments);
    if (!value || holds_control(*value)) return fail(Errc::Malformed, "a parameter");
    read.parameters.emplace(name, *std::move(value));
  }
  return read;
}

Result<Parameterized> media_type(const Entity& entity, const Limits& limits) {
  const auto value = TRY(entity.value("Content-Type"));
  if (!value) return Parameterized{.value = "text/plain", .parameters = {}};
  return read_parameterized(*value, limits);
}

Result<Bytes> decoded_body(const Entity& entity) {
  const auto written = TRY(entity.value("Content-Transfer-Encoding"));
  const auto encoding = written ? lowered(trimmed(std::string_view(*written).substr(0, written->find_first_of(";("))))
                                : std::string("7bit");
  if (encoding == "7bit" || encoding == "8bit" || encoding == "binary") return Bytes(entity.body());
  if (encoding == "quoted-printable") return read_quoted_printable(entity.body());
  if (encoding != "base64") return fail(Errc::Malformed, "an unknown transfer encoding");
  auto octets = base::read_base64(entity.body(), white_space_percent);
  if (!octets) return fail(Errc::Damaged, "base64");
  return *std::move(octets);
}

Result<std::vector<BytesView>> parts(BytesView body, std::string_view boundary, const Limits& limits) {
  if (!is_boundary(boundary)) return fail(Errc::Malformed, "boundary");
  std::vector<BytesView> found;
  const char* begin = nullptr;  // of the part that is open
  for (std::string_view rest = body; !rest.empty();) {
    const auto before = rest;
    auto line = take_line(rest);
    if (!line.starts_with("--") || !line.substr(2).starts_with(boundary)) continue;
    line.remove_prefix(2 + boundary.size());
    const bool closes = line.starts_with("--");
    if (closes) line.remove_prefix(2);
    if (!trimmed(line).empty()) continue;  // the beginning of another's boundary
    if (begin) {
      // The line end before a delimiter belongs to it. [RFC 2046 §5.1.1]
      std::string_view part(begin, static_cast<std::size_t>(before.data() - begin));
      if (part.ends_with('\n')) part.remove_suffix(part.ends_with("\r\n") ? 2 : 1);
      if (found.size() == limits.parts) return fail(Errc::TooLarge, "parts");
      found.push_back(part);
    }
    if (closes && !found.empty()) return found;
    if (closes) break;
    begin = rest.data();
  }
  return fail(Errc::Malformed, begin ? "a multipart without its last delimiter" : "a multipart without a part");
}

bool has_bare_lf(BytesView text) noexcept {
  for (auto at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1))
    if (at == 0 || text[at - 1] != '\r') return true;
  return false;
}

Bytes with_crlf(BytesView text) {
  Bytes lines;
  lines.reserve(text.size() + text.size() / 32);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\n' && (at == 0 || text[at - 1] != '\r')) lines += '\r';
    lines += text[at];
  }
  return lines;
}

}  // namespace direct::mime
