#pragma once
// Reads HTTP/1.1 requests from bytes as they come. [RFC 9110, 9112; threats.md K13, K14, H04–H09]
// Written by hand, and strict: the parser at hand takes what it does not understand of Transfer-Encoding for "no body",
// folds lines, and does not bound trailers. Here nothing is repaired: what two readers could take in two ways is
// refused, and after a refusal no byte is read again. No sockets, no clock, no routes.

#include "gateway/net/server.hpp"

#include <string_view>

namespace gateway::net {

/// What a request's header says, once it has been judged.
struct RequestHeader {
  std::string method, path;  ///< path without query, percent-encoding untouched
  std::string host;          ///< as sent; empty only in HTTP/1.0
  std::string content_type;
  std::size_t length = 0;  ///< Content-Length, 0 where there is none
  bool chunked = false;
  bool expects_continue = false;  ///< the body comes only after `100 Continue`
  bool last = false;              ///< the peer wants the connection closed after the answer
};

/// Reads one request. Feed it until it is complete or refused; make a new one for the next request.
class RequestReader {
 public:
  enum class Phase {
    RequestLine,
    Fields,
    HeaderRead,  ///< waits for accept_body(): the caller looks at header() first
    SizedBody,
    ChunkSize,
    ChunkData,
    ChunkEnd,
    Trailer,
    Complete,
    Refused,
  };

  explicit RequestReader(const Limits& limits) : limits_(&limits) {}

  /// Takes the bytes that belong to this request, up to the end of the header or of the body.
  /// @return how many were taken; after a refusal the rest means nothing
  std::size_t feed(std::string_view bytes);
  /// Goes on after HeaderRead; a request without body is complete then.
  void accept_body();

  Phase phase() const noexcept { return phase_; }
  bool begun() const noexcept {
    return phase_ != Phase::RequestLine || !line_.empty();
  }                                                                 ///< at least one byte has come
  const RequestHeader& header() const noexcept { return header_; }  ///< complete from HeaderRead on
  std::size_t body_size() const noexcept { return body_.size(); }   ///< what has come so far
  Bytes take_body() { return std::move(body_); }
  /// The status of a refusal: 400, 413, 414, 415, 417, 431 or 505.
  unsigned refusal() const noexcept { return refusal_; }

 private:
  struct FieldRule;
  static const FieldRule field_rules[];

  std::optional<std::string_view> next_line(std::string_view& bytes, std::size_t size_max, unsigned status_if_longer);
  void read_request_line(std::string_view line);
  void read_field(std::string_view line);
  void take_content_length(std::string_view raw, std::string_view value);
  void take_transfer_encoding(std::string_view raw, std::string_view value);
  void take_host(std::string_view raw, std::string_view value);
  void take_content_type(std::string_view raw, std::string_view value);
  void take_content_encoding(std::string_view raw, std::string_view value);
  void take_connection(std::string_view raw, std::string_view value);
  void take_expect(std::string_view raw, std::string_view value);
  void end_header();
  void read_chunk_size(std::string_view line);
  void read_trailer(std::string_view line);
  void take_data(std::string_view& bytes, Phase next);
  void refuse(unsigned status);

  const Limits* limits_;
  Phase phase_ = Phase::RequestLine;
  RequestHeader header_;
  Bytes body_;
  std::string line_;         ///< the part of a line that has come
  std::string whole_line_;   ///< a line that came in parts
  std::size_t missing_ = 0;  ///< octets of the body or chunk still to come
  std::size_t header_bytes_ = 0, fields_ = 0, extension_bytes_ = 0, trailer_bytes_ = 0;
  unsigned refusal_ = 0, expect_status_ = 0, encoding_status_ = 0;
  bool http_1_0_ = false, has_length_ = false, has_host_ = false, has_content_type_ = false;
};

}  // namespace gateway::net
