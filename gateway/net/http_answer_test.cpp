#include "gateway/net/http_answer.hpp"

#include <gmock/gmock.h>

namespace gateway::net {
namespace {

constexpr AnswerReader::Limits small{.head_bytes = 200, .line_bytes = 32, .trailer_fields = 2, .body_bytes = 20};

/// The body, or the error, of an answer that comes in pieces and then ends.
Result<Bytes> read(std::string_view answer, std::size_t piece = 1000) {
  AnswerReader reader(small);
  for (; !answer.empty(); answer.remove_prefix(std::min(piece, answer.size()))) {
    if (const auto fed = reader.feed(answer.substr(0, piece)); !fed) return fed.error();
  }
  if (const auto ended = reader.end(); !ended) return ended.error();
  return reader.take_body();
}

TEST(AnswerReader, ReadsTheThreeFramesWhereverTheyAreCut) {
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.0 200 OK\r\n\r\nhello",
        "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length:5 \r\nContent-Length: 5\r\n\r\nhello"}) {
    for (std::size_t piece : {1, 2, 3, 7, 1000}) EXPECT_EQ(read(answer, piece).value(), "hello") << answer;
  }
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").value(), "");
}

TEST(AnswerReader, RefusesTheRest_L09) {
  struct Row {
    std::string answer;
    FetchErrc error;
  };
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  using E = FetchErrc;
  for (const auto& [answer, error] :
       {Row{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n", E::NotOk},
        {"HTTP/1.1 404 Not Found\r\n\r\n", E::NotOk},
        {"HTTP/1.1 100 Continue\r\n\r\n", E::NotOk},
        {"HTTP/2 200\r\n\r\n", E::BadAnswer},
        {"220 ready\r\n\r\n", E::BadAnswer},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", E::BadAnswer},
        {"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", E::BadAnswer},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello", E::BadAnswer},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", E::BadAnswer},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", E::BadAnswer},
        {"HTTP/1.1 200 OK\r\n folded: x\r\n\r\n", E::BadAnswer},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", E::BadAnswer},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello!", E::BadAnswer},
        {"HTTP/1.1 200 OK\r\n" + std::string(300, 'x'), E::BadAnswer},
        {"HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n", E::TooLarge},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", E::BadAnswer},
        {"HTTP/1.1 200 OK\r\n\r\n" + std::string(21, 'x'), E::TooLarge},
        {chunked + "15\r\n", E::TooLarge},
        {chunked + "a\r\n0123456789\r\nb\r\n", E::TooLarge},
        {chunked + "ffffffffffffffff\r\n", E::TooLarge},
        {chunked + "2\r\nhello", E::BadAnswer},
        {chunked + "\r\n", E::BadAnswer},
        {chunked + "2\nhe\r\n0\r\n\r\n", E::BadAnswer},
        {chunked + "2;" + std::string(40, 'x'), E::BadAnswer},
        {chunked + "0\r\na: b\r\nc: d\r\ne: f\r\n\r\n", E::BadAnswer},
        {chunked + "2\r\nhe\r\n", E::BadAnswer}}) {
    const auto refused = read(answer);
    ASSERT_FALSE(refused) << answer;
    EXPECT_EQ(refused.error().code, error) << answer;
  }
}

TEST(AnswerReader, TakesNothingAfterTheLastOctet) {
  AnswerReader reader(small);
  EXPECT_TRUE(reader.feed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"));
  EXPECT_TRUE(reader.complete());
  EXPECT_FALSE(reader.feed("y"));
}

}  // namespace
}  // namespace gateway::net
