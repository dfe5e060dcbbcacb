#include "xca/soap/multipart.hpp"

#include "xca/soap/hidden.hpp"

#include <algorithm>
#include <cstring>

namespace xca::soap {
namespace {

using base::fail;
using base::trim;

constexpr std::size_t media_type_characters_max = 4096;
constexpr std::size_t boundary_characters_max = 70;
/// Lines of 76 characters and their ends cost 3 %; more is padding for its own sake (M08).
constexpr unsigned white_space_percent = 10;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

bool is_token(std::string_view text) {
  constexpr std::string_view separators = "()<>@,;:\\\"/[]?= \t";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return c > ' ' && c < 0x7F && separators.find(c) == std::string_view::npos;
  });
}

/// Takes a parameter's value off the front: quoted, or everything up to the next semicolon, for peers leave the quotes
/// of `type=application/xop+xml` and `start=<a@b>` away.
std::optional<std::string> take_value(std::string_view& rest) {
  std::string value;
  if (!rest.starts_with('"')) {
    const auto end = std::min(rest.find(';'), rest.size());
    value = trim(rest.substr(0, end));
    rest.remove_prefix(end);
    if (value.find_first_of("\" \t") != std::string::npos) return {};
    return value;
  }
  for (rest.remove_prefix(1); !rest.empty() && rest.front() != '"'; rest.remove_prefix(1)) {
    if (rest.front() == '\\') rest.remove_prefix(1);
    if (rest.empty()) return {};
    value += rest.front();
  }
  if (rest.empty()) return {};
  rest.remove_prefix(1);
  return value;
}

/// bchars of RFC 2046 §5.1.1: 1–70 characters, no blank at the end.
bool is_boundary(std::string_view boundary) {
  constexpr std::string_view punctuation = "'()+_,-./:=? ";
  return !boundary.empty() && boundary.size() <= boundary_characters_max && boundary.back() != ' ' &&
         std::ranges::all_of(boundary, [&](char c) {
           return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
                  punctuation.find(c) != std::string_view::npos;
         });
}

/// memmem: std::search is many times slower on a large part.
std::size_t find(BytesView text, BytesView needle, std::size_t from) {
  if (from > text.size()) return BytesView::npos;
  const auto* found = memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
  return found ? static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) : BytesView::npos;
}

/// A delimiter line: where the content before it ends, and where what follows it begins.
struct Delimiter {
  std::size_t begin = 0, end = 0;
  bool closes = false;
  bool crlf = false;  ///< how its own line ends
};

/// Reads what follows `--boundary`: `--` or nothing, padding, a line end or the end of the body. Any other text would
/// be a delimiter to one reader and content to another.
Result<Delimiter> read_delimiter(BytesView body, std::size_t begin, std::size_t after) {
  Delimiter delimiter{.begin = begin, .end = after};
  delimiter.closes = body.substr(after).starts_with("--");
  if (delimiter.closes) delimiter.end += 2;
  while (delimiter.end < body.size() && (body[delimiter.end] == ' ' || body[delimiter.end] == '\t')) ++delimiter.end;
  const auto rest = body.substr(delimiter.end);
  delimiter.crlf = rest.starts_with("\r\n");
  if (delimiter.crlf || rest.starts_with('\n'))
    delimiter.end += delimiter.crlf ? 2 : 1;
  else if (!rest.empty() || !delimiter.closes)
    return fail(Errc::BadMultipart, "a line that begins like the boundary and is none");
  return delimiter;
}

/// The delimiter line at or after `from`; nothing where there is no further one.
Result<std::optional<Delimiter>> next_delimiter(BytesView body, const std::string& dashes, std::size_t from) {
  const auto at_start = from == 0 && body.starts_with(dashes);
  if (at_start) return TRY(read_delimiter(body, 0, dashes.size()));
  const auto found = find(body, "\n" + dashes, from == 0 ? 0 : from - 1);
  if (found == BytesView::npos) return std::optional<Delimiter>{};
  const auto begins = found > from && body[found - 1] == '\r' ? found - 1 : found;
  return TRY(read_delimiter(body, begins, found + 1 + dashes.size()));
}

/// Takes one header, unfolded, off the front of a part.
std::string take_header(BytesView& rest) {
  std::string line;
  do {
    const auto end = std::min(rest.find('\n'), rest.size());
    line.append(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.pop_back();
  } while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t'));
  return line;
}

struct PartHeaders {
  std::optional<std::string> content_id, content_type, encoding;
};

Result<void> read_header(std::string_view line, PartHeaders& headers) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    return fail(Errc::BadMultipart, "a line of a part that is no header");
  const auto name = to_lower(line.substr(0, colon));
  auto* field = name == "content-id"                  ? &headers.content_id
                : name == "content-type"              ? &headers.content_type
                : name == "content-transfer-encoding" ? &headers.encoding
                                                      : nullptr;
  if (!field) return {};
  if (*field) return fail(Errc::BadMultipart, "a doubled header of a part");
  *field = std::string(trim(line.substr(colon + 1)));
  return {};
}

/// Reads a part's headers off its front.
Result<PartHeaders> take_headers(BytesView& part, const Limits& limits) {
  PartHeaders headers;
  const auto block = part.substr(0, limits.part_header_bytes);
  auto rest = block;
  for (std::size_t count = 0; !rest.starts_with("\r\n") && !rest.starts_with('\n'); ++count) {
    if (count == limits.part_headers || rest.empty())
      return fail(Errc::BadMultipart, "a part's headers are too many, too large or without end");
    TRY(read_header(take_header(rest), headers));
  }
  part.remove_prefix(block.size() - rest.size() + (rest.front() == '\r' ? 2 : 1));
  return headers;
}

std::string_view without_brackets(std::string_view id) {
  return id.size() > 1 && id.front() == '<' && id.back() == '>' ? id.substr(1, id.size() - 2) : id;
}

Result<Part> read_part(BytesView bytes, const Limits& limits) {
  const auto headers = TRY(take_headers(bytes, limits));
  Part part{.content_id = std::string(without_brackets(headers.content_id.value_or(""))),
            .content_type = headers.content_type.value_or(""),
            .bytes = bytes};
  if (has_hidden_characters(part.content_id) || (headers.content_id && part.content_id.empty()))
    return fail(Errc::BadMultipart, "a Content-ID that names nothing");
  if (to_lower(part.content_type).starts_with("multipart/")) return fail(Errc::BadMultipart, "a nested multipart");
  const auto encoding = to_lower(headers.encoding.value_or("binary"));
  if (encoding == "base64") {
    auto decoded = base::read_base64(bytes, white_space_percent);
    if (!decoded) return fail(Errc::BadMultipart, "a part that is not the base64 it says");
    part.decoded = *std::move(decoded);
    part.bytes = {};
  } else if (encoding != "binary" && encoding != "8bit" && encoding != "7bit") {
    return fail(Errc::BadMultipart, "an unknown Content-Transfer-Encoding");
  }
  return part;
}

}  // namespace

std::optional<std::string_view> MediaType::parameter(std::string_view parameter_name) const {
  const auto found = parameters.find(parameter_name);
  return found == parameters.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

bool MediaType::is_utf8() const {
  const auto charset = parameter("charset");
  return !charset || to_lower(*charset) == "utf-8";
}

Result<MediaType> read_media_type(std::string_view header) {
  if (header.size() > media_type_characters_max) return fail(Errc::UnsupportedMediaType, "a Content-Type too long");
  MediaType type;
  const auto end = std::min(header.find(';'), header.size());
  type.name = to_lower(trim(header.substr(0, end)));
  const auto slash = type.name.find('/');
  if (slash == std::string::npos || !is_token(type.name.substr(0, slash)) || !is_token(type.name.substr(slash + 1)))
    return fail(Errc::UnsupportedMediaType, "no media type");
  for (auto rest = trim(header.substr(end)); !rest.empty(); rest = trim(rest)) {
    if (rest.front() != ';') return fail(Errc::UnsupportedMediaType, "text after a parameter");
    rest = trim(rest.substr(1));
    if (rest.empty() || rest.front() == ';') continue;
    const auto equals = std::min(rest.find('='), rest.size());
    auto name = to_lower(trim(rest.substr(0, equals)));
    if (!is_token(name) || name.find('*') != std::string::npos || equals == rest.size())
      return fail(Errc::UnsupportedMediaType, "an unreadable or continued parameter");
    rest = trim(rest.substr(equals + 1));
    auto value = take_value(rest);
    if (!value || !type.parameters.emplace(std::move(name), *std::move(value)).second)
      return fail(Errc::UnsupportedMediaType, "an unreadable or doubled parameter");
  }
  return type;
}

Result<std::vector<Part>> read_multipart(BytesView body, std::string_view boundary, const Limits& limits) {
  if (!is_boundary(boundary)) return fail(Errc::BadMultipart, "no boundary of RFC 2046");
  const auto dashes = "--" + std::string(boundary);
  auto open = TRY(next_delimiter(body, dashes, 0));
  if (!open || open->closes) return fail(Errc::BadMultipart, "no part");
  const bool crlf = open->crlf;
  std::vector<Part> parts;
  while (!open->closes) {
    if (parts.size() == limits.parts) return fail(Errc::TooManyParts);
    const auto close = TRY(next_delimiter(body, dashes, open->end));
    if (!close) return fail(Errc::BadMultipart, "a part without end");
    const bool ends_with_crlf = body[close->begin] == '\r';
    if (crlf && !ends_with_crlf) return fail(Errc::BadMultipart, "mixed line ends around the boundary");
    // Where lines end with LF, a CR before it belongs to the part.
    const auto content_end = crlf || !ends_with_crlf ? close->begin : close->begin + 1;
    parts.push_back(TRY(read_part(body.substr(open->end, std::max(content_end, open->end) - open->end), limits)));
    open = close;
  }
  if (TRY(next_delimiter(body, dashes, open->end))) return fail(Errc::BadMultipart, "a boundary after the last");
  return parts;
}

}  // namespace xca::soap
