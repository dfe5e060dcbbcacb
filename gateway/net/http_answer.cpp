#include "gateway/net/http_answer.hpp"

#include <algorithm>
#include <charconv>

namespace gateway::net {
namespace {

base::Error bad(const char* what) { return base::fail(FetchErrc::BadAnswer, what); }

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool same(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<std::size_t> number(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [at, failed] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || failed != std::errc() || at != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<void> AnswerReader::feed(BytesView bytes) {
  while (!bytes.empty()) {
    std::size_t taken = 0;
    switch (phase_) {
      case Phase::Head: {
        const std::size_t before = head_.size();
        head_.append(bytes.substr(0, limits_.head_bytes - before));
        const auto end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
        if (end == Bytes::npos && head_.size() == limits_.head_bytes) return bad("a head above its limit");
        if (end == Bytes::npos) return {};
        taken = end + 4 - before;
        head_.resize(end + 2);
        TRY(read_head());
        break;
      }
      case Phase::Sized:
      case Phase::UntilEnd:
      case Phase::Chunk: taken = TRY(take_body_part(bytes)); break;
      case Phase::ChunkSize:
      case Phase::ChunkEnd:
      case Phase::Trailer: taken = TRY(take_line(bytes)); break;
      case Phase::Complete: return bad("octets after the answer");
    }
    bytes.remove_prefix(taken);
  }
  return {};
}

Result<void> AnswerReader::end() {
  if (phase_ == Phase::UntilEnd) phase_ = Phase::Complete;
  if (phase_ != Phase::Complete) return bad("cut off");
  return {};
}

Result<void> AnswerReader::read_head() {
  std::string_view rest = head_;
  const auto next_line = [&rest] {
    const auto end = rest.find("\r\n");
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    return line;
  };
  const auto status = next_line();
  const bool framed = status.size() >= 12 && status.starts_with("HTTP/1.") && status[8] == ' ';
  if (!framed || (status.size() > 12 && status[12] != ' '))
    return bad("no status line");
  if (status.substr(9, 3) != "200") return base::fail(FetchErrc::NotOk, "status " + std::string(status.substr(9, 3)));
  std::optional<std::size_t> length;
  bool chunked = false;
  while (!rest.empty()) {
    const auto line = next_line();
    const auto colon = line.find(':');
    if (colon == 0 || colon == line.npos || line.find_first_of(" \t") < colon) return bad("no header field");
    const auto name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
    if (same(name, "content-length")) {
      const auto size = number(value, 10);
      if (!size || (length && *length != *size)) return bad("a doubtful Content-Length");
      length = size;
    } else if (same(name, "transfer-encoding")) {
      if (chunked || !same(value, "chunked")) return bad("a transfer coding that is not taken");
      chunked = true;
    } else if (same(name, "content-encoding") && !same(value, "identity")) {
      return bad("a content coding that was not asked for");
    }
  }
  return begin_body(length, chunked);
}

Result<void> AnswerReader::begin_body(std::optional<std::size_t> length, bool chunked) {
  if (length && chunked) return bad("two lengths");
  if (length && *length > limits_.body_bytes) return base::fail(FetchErrc::TooLarge);
  left_ = length.value_or(limits_.body_bytes);
  phase_ = chunked ? Phase::ChunkSize : length ? Phase::Sized : Phase::UntilEnd;
  if (length && *length == 0) phase_ = Phase::Complete;
  return {};
}

Result<std::size_t> AnswerReader::take_body_part(BytesView bytes) {
  const auto part = bytes.substr(0, left_);
  if (part.empty() || body_.size() + part.size() > limits_.body_bytes) return base::fail(FetchErrc::TooLarge);
  body_.append(part);
  left_ -= part.size();
  if (left_ == 0 && phase_ == Phase::Sized) phase_ = Phase::Complete;
  if (left_ == 0 && phase_ == Phase::Chunk) phase_ = Phase::ChunkEnd;
  return part.size();
}

Result<std::size_t> AnswerReader::take_line(BytesView bytes) {
  const auto end = bytes.find('\n');
  const auto part = bytes.substr(0, end == bytes.npos ? end : end + 1);
  if (line_.size() + part.size() > limits_.line_bytes) return bad("a line above its limit");
  line_.append(part);
  if (end == bytes.npos) return part.size();
  if (!line_.ends_with("\r\n")) return bad("a line end that is none");
  const auto line = std::exchange(line_, {});
  TRY(read_line(std::string_view(line).substr(0, line.size() - 2)));
  return part.size();
}

Result<void> AnswerReader::read_line(std::string_view line) {
  if (phase_ == Phase::ChunkEnd) {
    if (!line.empty()) return bad("a chunk longer than it says");
    phase_ = Phase::ChunkSize;
  } else if (phase_ == Phase::ChunkSize) {
    const auto size = number(trimmed(line.substr(0, line.find(';'))), 16);
    if (!size) return bad("a chunk without a size");
    if (*size > limits_.body_bytes - body_.size()) return base::fail(FetchErrc::TooLarge);
    left_ = *size;
    phase_ = *size == 0 ? Phase::Trailer : Phase::Chunk;
  } else if (line.empty()) {
    phase_ = Phase::Complete;
  } else if (++trailer_fields_ > limits_.trailer_fields) {
    return bad("a trailer above its limit");
  }
  return {};
}

}  // namespace gateway::net
