#include "gateway/net/http_request.hpp"

#include <algorithm>
#include <charconv>

namespace gateway::net {
namespace {

constexpr std::size_t chunk_size_digits_max = 16;
constexpr std::size_t chunk_extension_bytes_max = 1024;  // of a whole request
constexpr std::size_t trailer_bytes_max = 8u << 10;
constexpr std::size_t length_digits_max = 18;
constexpr std::size_t body_bytes_reserved_max = 1u << 20;  // beyond this a body must come before memory is taken for it

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
constexpr bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }
constexpr bool is_token_char(char c) { return is_digit(c) || is_alpha(c) || is_one_of(c, "!#$%&'*+-.^_`|~"); }
/// What may stand in a field value: everything but control characters; octets from 0x80 are opaque. [RFC 9110 §5.5]
constexpr bool is_value_char(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet == '\t' || (octet >= ' ' && octet != 0x7f);
}
constexpr bool is_target_char(char c) { return is_digit(c) || is_alpha(c) || is_one_of(c, "-._~!$&'()*+,;=:@/?%"); }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_char); }
bool equal_ignoring_case(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

std::string_view trim_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The value of a field that decides where the message ends: nothing around it but the one usual blank.
std::string_view without_usual_blank(std::string_view raw) { return raw.starts_with(' ') ? raw.substr(1) : raw; }

bool is_origin_form(std::string_view target) {
  if (!target.starts_with('/')) return false;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (!is_target_char(target[i])) return false;
    if (target[i] == '%' && !(i + 2 < target.size() && is_hex(target[i + 1]) && is_hex(target[i + 2]))) return false;
  }
  return true;
}

/// uri-host [":" port]. [RFC 9110 §7.2]
bool is_host(std::string_view host) {
  std::string_view port;
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    if (!std::ranges::all_of(host.substr(1, end - 1), [](char c) { return is_hex(c) || c == ':' || c == '.'; }))
      return false;
    port = host.substr(end + 1);
  } else {
    const auto end = std::min(host.find(':'), host.size());
    if (end == 0) return false;
    const auto is_name_char = [](char c) { return is_digit(c) || is_alpha(c) || is_one_of(c, "-._"); };
    if (!std::ranges::all_of(host.substr(0, end), is_name_char)) return false;
    port = host.substr(end);
  }
  if (port.empty()) return true;
  port.remove_prefix(1);
  unsigned number = 0;
  if (port.empty() || port.size() > 5 || !std::ranges::all_of(port, is_digit)) return false;
  std::from_chars(port.data(), port.data() + port.size(), number);
  return number <= 65535;
}

/// `"` … `"` with quoted pairs; takes it off `text`. [RFC 9110 §5.6.4]
bool skip_quoted(std::string_view& text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
    if (text[i] == '\\' && ++i == text.size()) return false;
    if (!is_value_char(text[i])) return false;
  }
  return false;
}

bool skip_token(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_token_char) - text.begin();
  text.remove_prefix(static_cast<std::size_t>(end));
  return end > 0;
}

/// *( ";" name [ "=" ( token / quoted-string ) ] ), without blanks. [RFC 9112 §7.1.1]
bool are_chunk_extensions(std::string_view text) {
  while (!text.empty()) {
    if (text[0] != ';') return false;
    text.remove_prefix(1);
    if (!skip_token(text)) return false;
    if (!text.starts_with('=')) continue;
    text.remove_prefix(1);
    if (!(text.starts_with('"') ? skip_quoted(text) : skip_token(text))) return false;
  }
  return true;
}

/// A field line in its two parts; empty optional where it is none. [RFC 9112 §5]
struct FieldLine {
  std::string_view name, raw;
};
std::optional<FieldLine> split_field(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const FieldLine field{.name = line.substr(0, colon), .raw = line.substr(colon + 1)};
  if (!is_token(field.name) || !std::ranges::all_of(field.raw, is_value_char)) return std::nullopt;
  return field;
}

}  // namespace

/// A field that means something here; all others are checked for form and forgotten.
struct RequestReader::FieldRule {
  std::string_view name;
  void (RequestReader::*take)(std::string_view raw, std::string_view value);
};
const RequestReader::FieldRule RequestReader::field_rules[] = {
    {"content-length", &RequestReader::take_content_length},
    {"transfer-encoding", &RequestReader::take_transfer_encoding},
    {"host", &RequestReader::take_host},
    {"content-type", &RequestReader::take_content_type},
    {"content-encoding", &RequestReader::take_content_encoding},
    {"connection", &RequestReader::take_connection},
    {"expect", &RequestReader::take_expect},
};

std::size_t RequestReader::feed(std::string_view bytes) {
  const std::size_t given = bytes.size();
  while (!bytes.empty()) {
    switch (phase_) {
      case Phase::RequestLine:
        if (const auto line = next_line(bytes, limits_->field_bytes, 414)) read_request_line(*line);
        break;
      case Phase::Fields:
        if (const auto line = next_line(bytes, limits_->field_bytes, 431)) read_field(*line);
        break;
      case Phase::SizedBody: take_data(bytes, Phase::Complete); break;
      case Phase::ChunkSize:
        if (const auto line = next_line(bytes, chunk_size_digits_max + chunk_extension_bytes_max, 400))
          read_chunk_size(*line);
        break;
      case Phase::ChunkData: take_data(bytes, Phase::ChunkEnd); break;
      case Phase::ChunkEnd:
        if (next_line(bytes, 0, 400)) phase_ = Phase::ChunkSize;
        break;
      case Phase::Trailer:
        if (const auto line = next_line(bytes, trailer_bytes_max, 400)) read_trailer(*line);
        break;
      case Phase::HeaderRead:
      case Phase::Complete:
      case Phase::Refused: return given - bytes.size();
    }
  }
  return given;
}

/// The next line without its CRLF, taken off `bytes`; nothing while its end is missing or after a refusal. The view
/// lives as long as the bytes fed and until the next call.
std::optional<std::string_view> RequestReader::next_line(std::string_view& bytes, std::size_t size_max,
                                                         unsigned status_if_longer) {
  const auto newline = bytes.find('\n');
  const bool ends = newline != std::string_view::npos;
  const auto part = bytes.substr(0, ends ? newline + 1 : bytes.size());
  const std::size_t size = line_.size() + part.size();
  if (size > size_max + 2 || (!ends && size == size_max + 2)) {
    refuse(status_if_longer);
    return std::nullopt;
  }
  bytes.remove_prefix(part.size());
  if (!ends) {
    line_.append(part);
    return std::nullopt;
  }
  std::string_view line = part;
  if (!line_.empty()) {
    whole_line_.assign(line_).append(part);
    line_.clear();
    line = whole_line_;
  }
  if (!line.ends_with("\r\n")) {
    refuse(400);
    return std::nullopt;
  }
  line.remove_suffix(2);
  return line;
}

void RequestReader::read_request_line(std::string_view line) {
  header_bytes_ += line.size() + 2;
  if (line.empty() && header_bytes_ == 2) return;  // one empty line before a request is let pass [RFC 9112 §2.2]
  const auto first = line.find(' ');
  const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) return refuse(400);
  const auto method = line.substr(0, first);
  auto target = line.substr(first + 1, second - first - 1);
  const auto version = line.substr(second + 1);
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7])) {
    return refuse(400);
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return refuse(505);
  if (!is_token(method) || !is_origin_form(target)) return refuse(400);
  http_1_0_ = header_.last = version == "HTTP/1.0";
  header_.method = method;
  header_.path = target.substr(0, target.find('?'));
  phase_ = Phase::Fields;
}

void RequestReader::read_field(std::string_view line) {
  header_bytes_ += line.size() + 2;
  if (header_bytes_ > limits_->header_bytes) return refuse(431);
  if (line.empty()) return end_header();
  if (++fields_ > limits_->header_fields) return refuse(431);
  const auto field = split_field(line);
  if (!field) return refuse(400);
  for (const auto& rule : field_rules) {
    if (equal_ignoring_case(field->name, rule.name)) return (this->*rule.take)(field->raw, trim_blanks(field->raw));
  }
}

void RequestReader::take_content_length(std::string_view raw, std::string_view) {
  const auto digits = without_usual_blank(raw);
  if (has_length_ || digits.empty() || digits.size() > length_digits_max || !std::ranges::all_of(digits, is_digit)) {
    return refuse(400);
  }
  std::from_chars(digits.data(), digits.data() + digits.size(), header_.length);
  has_length_ = true;
}

void RequestReader::take_transfer_encoding(std::string_view raw, std::string_view) {
  if (header_.chunked || http_1_0_ || !equal_ignoring_case(without_usual_blank(raw), "chunked")) return refuse(400);
  header_.chunked = true;
}

void RequestReader::take_host(std::string_view, std::string_view value) {
  if (has_host_ || !is_host(value)) return refuse(400);
  has_host_ = true;
  header_.host = value;
}

void RequestReader::take_content_type(std::string_view, std::string_view value) {
  if (has_content_type_) encoding_status_ = 415;
  has_content_type_ = true;
  header_.content_type = value;
}

void RequestReader::take_content_encoding(std::string_view, std::string_view value) {
  if (!equal_ignoring_case(value, "identity")) encoding_status_ = 415;
}

void RequestReader::take_connection(std::string_view, std::string_view value) {
  while (!value.empty()) {
    const auto comma = std::min(value.find(','), value.size());
    if (equal_ignoring_case(trim_blanks(value.substr(0, comma)), "close")) header_.last = true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
}

void RequestReader::take_expect(std::string_view, std::string_view value) {
  if (!equal_ignoring_case(value, "100-continue")) expect_status_ = 417;
  header_.expects_continue = !http_1_0_;
}

/// What can be judged only when all fields are known. Framing comes first: whatever else is wrong, nobody may take the
/// rest of such a connection for requests.
void RequestReader::end_header() {
  if (header_.chunked && has_length_) return refuse(400);
  if (!has_host_ && !http_1_0_) return refuse(400);
  if (expect_status_ != 0) return refuse(expect_status_);
  if (encoding_status_ != 0) return refuse(encoding_status_);
  if (header_.length > limits_->body_bytes) return refuse(413);
  phase_ = Phase::HeaderRead;
}

void RequestReader::accept_body() {
  if (header_.chunked) {
    phase_ = Phase::ChunkSize;
  } else if (header_.length > 0) {
    missing_ = header_.length;
    body_.reserve(std::min(header_.length, body_bytes_reserved_max));
    phase_ = Phase::SizedBody;
  } else {
    phase_ = Phase::Complete;
  }
}

void RequestReader::take_data(std::string_view& bytes, Phase next) {
  const auto part = bytes.substr(0, missing_);
  body_.append(part);
  bytes.remove_prefix(part.size());
  missing_ -= part.size();
  if (missing_ == 0) phase_ = next;
}

void RequestReader::read_chunk_size(std::string_view line) {
  const auto digits = static_cast<std::size_t>(std::ranges::find_if_not(line, is_hex) - line.begin());
  extension_bytes_ += line.size() - digits;
  if (digits == 0 || digits > chunk_size_digits_max || extension_bytes_ > chunk_extension_bytes_max ||
      !are_chunk_extensions(line.substr(digits))) {
    return refuse(400);
  }
  std::from_chars(line.data(), line.data() + digits, missing_, 16);
  if (missing_ > limits_->body_bytes - body_.size()) return refuse(413);
  phase_ = missing_ == 0 ? Phase::Trailer : Phase::ChunkData;
}

void RequestReader::read_trailer(std::string_view line) {
  trailer_bytes_ += line.size() + 2;
  if (line.empty()) {
    phase_ = Phase::Complete;
  } else if (trailer_bytes_ > trailer_bytes_max || !split_field(line)) {
    refuse(400);
  }
}

void RequestReader::refuse(unsigned status) {
  phase_ = Phase::Refused;
  refusal_ = status;
}

}  // namespace gateway::net
