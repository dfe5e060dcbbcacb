#pragma once
// One HTTP/1.1 answer, read strictly from octets as they come: what a fetch gets. No sockets in here. [RFC 9112 §4, §6]

#include "gateway/net/fetch_rules.hpp"

#include "base/bytes.hpp"

#include <optional>

namespace gateway::net {

using base::Bytes;
using base::BytesView;

class AnswerReader {
 public:
  struct Limits {
    std::size_t head_bytes = 16u << 10;
    std::size_t line_bytes = 256;  ///< of a chunk's size with its extensions, and of a trailer field
    std::size_t trailer_fields = 16;
    std::size_t body_bytes = 10u << 20;
  };
  explicit AnswerReader(Limits limits) : limits_(limits) {}

  /// @error FetchErrc::BadAnswer, FetchErrc::TooLarge, FetchErrc::NotOk; nothing may be fed after it
  Result<void> feed(BytesView bytes);
  /// The server has said its last octet. @error FetchErrc::BadAnswer where it was cut off
  Result<void> end();
  bool complete() const noexcept { return phase_ == Phase::Complete; }
  Bytes take_body() { return std::move(body_); }

 private:
  enum class Phase { Head, Sized, UntilEnd, ChunkSize, Chunk, ChunkEnd, Trailer, Complete };
  Result<void> read_head();
  Result<void> begin_body(std::optional<std::size_t> length, bool chunked);
  Result<void> read_line(std::string_view line);
  Result<std::size_t> take_line(BytesView bytes);
  Result<std::size_t> take_body_part(BytesView bytes);

  Limits limits_;
  Phase phase_ = Phase::Head;
  Bytes head_, line_, body_;
  std::size_t left_ = 0, trailer_fields_ = 0;
};

}  // namespace gateway::net
