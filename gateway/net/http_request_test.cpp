#include "gateway/net/http_request.hpp"

#include <gmock/gmock.h>

namespace gateway::net {
namespace {

using Phase = RequestReader::Phase;

constexpr Limits limits{.header_bytes = 2000, .header_fields = 10, .field_bytes = 500, .body_bytes = 100};

/// What became of bytes: the status of a refusal, or the request, and what was left for the next.
struct Outcome {
  unsigned refusal = 0;
  std::string path = {}, body = {}, left = {};
  bool last = false;
  bool operator==(const Outcome&) const = default;
};
void PrintTo(const Outcome& outcome, std::ostream* out) {
  *out << outcome.refusal << ' ' << outcome.path << " body=" << outcome.body << " left=" << outcome.left
       << " last=" << outcome.last;
}

/// Reads `bytes` given in two parts.
std::optional<Outcome> read(std::string_view bytes, std::size_t cut) {
  RequestReader reader(limits);
  std::string rest;
  for (auto part : {bytes.substr(0, cut), bytes.substr(cut)}) {
    part.remove_prefix(reader.feed(part));
    if (reader.phase() == Phase::HeaderRead) {
      reader.accept_body();
      part.remove_prefix(reader.feed(part));
    }
    rest += part;
  }
  if (reader.phase() == Phase::Refused) return Outcome{.refusal = reader.refusal()};
  if (reader.phase() != Phase::Complete) return std::nullopt;
  return Outcome{.path = reader.header().path, .body = reader.take_body(), .left = rest, .last = reader.header().last};
}

/// The same outcome wherever the bytes are cut.
std::optional<Outcome> read(std::string_view bytes) {
  const auto whole = read(bytes, bytes.size());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_EQ(read(bytes, cut), whole) << "cut at " << cut;
  return whole;
}

std::string post(std::string_view fields, std::string_view body = {}) {
  return std::string("POST /a HTTP/1.1\r\nHost: h\r\n").append(fields).append("\r\n").append(body);
}
std::string chunked(std::string_view body) { return post("Transfer-Encoding: chunked\r\n", body); }

struct Row {
  std::string name, bytes;
  unsigned refusal;  ///< 0: read
  std::string body = {}, left = {};
};

class Reads : public testing::TestWithParam<Row> {};
TEST_P(Reads, AsTheTableSays) {
  const auto& row = GetParam();
  const auto outcome = read(row.bytes);
  ASSERT_TRUE(outcome) << "waits for more";
  EXPECT_EQ(outcome->refusal, row.refusal);
  EXPECT_EQ(outcome->body, row.body);
  EXPECT_EQ(outcome->left, row.left);
}
auto name_of = [](const auto& parameter) { return parameter.param.name; };

const std::string marker = "GET /marker HTTP/1.1\r\nHost: h\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(
    Length, Reads,
    testing::Values(  // [H04]
        Row{"Taken", post("Content-Length: 4\r\n", "bodymore"), 0, "body", "more"},
        Row{"NoneMeansNoBody", post("", marker), 0, "", marker},
        Row{"Zero", post("Content-Length: 0\r\n", marker), 0, "", marker},
        Row{"WithoutBlank", post("content-length:4\r\n", "body"), 0, "body"},
        Row{"TwiceTheSame", post("Content-Length: 4\r\nContent-Length: 4\r\n", "body"), 400},
        Row{"TwiceDifferent", post("Content-Length: 4\r\nContent-Length: 5\r\n", "body"), 400},
        Row{"List", post("Content-Length: 4, 4\r\n", "body"), 400},
        Row{"Plus", post("Content-Length: +4\r\n", "body"), 400},
        Row{"Minus", post("Content-Length: -1\r\n", "body"), 400},
        Row{"Hex", post("Content-Length: 0x4\r\n", "body"), 400},
        Row{"BlankAfter", post("Content-Length: 4 \r\n", "body"), 400},
        Row{"TwoBlanksBefore", post("Content-Length:  4\r\n", "body"), 400},
        Row{"Tab", post("Content-Length:\t4\r\n", "body"), 400}, Row{"Empty", post("Content-Length:\r\n", "body"), 400},
        Row{"TwentyDigits", post("Content-Length: 00000000000000000004\r\n", "body"), 400},
        Row{"WithChunked", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + marker), 400},
        Row{"AfterChunked", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n" + marker), 400},
        Row{"AtLimit", post("Content-Length: 100\r\n", std::string(100, 'x')), 0, std::string(100, 'x')},
        Row{"AboveLimit", post("Content-Length: 101\r\n"), 413}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    TransferEncoding, Reads,
    testing::Values(  // [K14, H04]
        Row{"Chunked", chunked("4\r\nbody\r\n0\r\n\r\nmore"), 0, "body", "more"},
        Row{"UpperCase", post("TRANSFER-ENCODING: CHUNKED\r\n", "0\r\n\r\n"), 0},
        Row{"Xchunked", post("Transfer-Encoding: xchunked\r\n", marker), 400},
        Row{"ThenIdentity", post("Transfer-Encoding: chunked, identity\r\n", marker), 400},
        Row{"AfterIdentity", post("Transfer-Encoding: identity, chunked\r\n", marker), 400},
        Row{"Listed", post("Transfer-Encoding: chunked, chunked\r\n", marker), 400},
        Row{"Quoted", post("Transfer-Encoding: \"chunked\"\r\n", marker), 400},
        Row{"Gzip", post("Transfer-Encoding: gzip\r\n", marker), 400},
        Row{"Identity", post("Transfer-Encoding: identity\r\n", marker), 400},
        Row{"TabBefore", post("Transfer-Encoding:\tchunked\r\n", "0\r\n\r\n"), 400},
        Row{"TabAfter", post("Transfer-Encoding: chunked\t\r\n", "0\r\n\r\n"), 400},
        Row{"VerticalTab", post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"), 400},
        Row{"BlankBeforeColon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), 400},
        Row{"Twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        Row{"InHttp10", "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Chunks, Reads,
    testing::Values(  // [H05, K13]
        Row{"Several", chunked("2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n"), 0, "body"},
        Row{"HexBothCases", chunked("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), 0, "01234567890123456789"},
        Row{"SixteenDigits", chunked("0000000000000004\r\nbody\r\n0\r\n\r\n"), 0, "body"},
        Row{"SeventeenDigits", chunked("00000000000000004\r\nbody\r\n0\r\n\r\n"), 400},
        Row{"TwoThousandZeros", chunked(std::string(2000, '0') + "4\r\nbody\r\n0\r\n\r\n"), 400},
        Row{"HugeSize", chunked("ffffffffffffffff\r\n"), 413},
        Row{"HexPrefix", chunked("0x4\r\nbody\r\n0\r\n\r\n"), 400},
        Row{"Minus", chunked("-1\r\nbody\r\n0\r\n\r\n"), 400},
        Row{"BlankBefore", chunked(" 4\r\nbody\r\n0\r\n\r\n"), 400},
        Row{"BlankAfter", chunked("4 \r\nbody\r\n0\r\n\r\n"), 400},
        Row{"NoSize", chunked("\r\nbody\r\n0\r\n\r\n"), 400}, Row{"LineFeedEnds", chunked("4\nbody\r\n0\r\n\r\n"), 400},
        Row{"DataTooLong", chunked("4\r\nbodyx\r\n0\r\n\r\n"), 400},
        Row{"NoLineEndAfterData", chunked("4\r\nbody0\r\n\r\n"), 400},
        Row{"LineFeedAfterData", chunked("4\r\nbody\n0\r\n\r\n"), 400},
        Row{"Extension", chunked("4;a;b=c;d=\"e;\\\"\"\r\nbody\r\n0;x\r\n\r\n"), 0, "body"},
        Row{"ExtensionWithoutName", chunked("4;\r\nbody\r\n0\r\n\r\n"), 400},
        Row{"ExtensionWithLineFeed", chunked("4;a\nb\r\nbody\r\n0\r\n\r\n"), 400},
        Row{"ExtensionUnclosed", chunked("4;a=\"b\r\nbody\r\n0\r\n\r\n"), 400},
        Row{"ExtensionAtLimit", chunked("4;" + std::string(1023, 'a') + "\r\nbody\r\n0\r\n\r\n"), 0, "body"},
        Row{"ExtensionAboveLimit", chunked("4;" + std::string(1024, 'a') + "\r\nbody\r\n0\r\n\r\n"), 400},
        Row{"ExtensionsAboveLimitTogether",
            chunked("1;" + std::string(600, 'a') + "\r\nb\r\n0;" + std::string(600, 'a') + "\r\n\r\n"), 400},
        Row{"SumAboveLimit", chunked("60\r\n" + std::string(96, 'x') + "\r\n5\r\n"), 413}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Trailers, Reads,
    testing::Values(  // [H05, K13]
        Row{"Ignored", chunked("0\r\nContent-Length: 9\r\nAuthorization: x\r\n\r\n" + marker), 0, "", marker},
        Row{"NoField", chunked("0\r\nnonsense\r\n\r\n"), 400}, Row{"LineFeedEnds", chunked("0\r\nA: b\n\r\n"), 400},
        Row{"JustBelowLimit", chunked("0\r\nA: " + std::string(8100, 'x') + "\r\n\r\n"), 0}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Fields, Reads,
    testing::Values(  // [H06, H07]
        Row{"Plain", post("A: b\r\nX-Y_z: \"quoted\" \xC3\xA4\r\n"), 0}, Row{"EmptyValue", post("A:\r\n"), 0},
        Row{"BareLineFeed", "GET /a HTTP/1.1\nHost: h\n\n", 400}, Row{"LineFeedInHeader", post("A: b\nC: d\r\n"), 400},
        Row{"BareReturn", post("A: b\rC: d\r\n"), 400}, Row{"Nul", post(std::string("A: b\0c\r\n", 8)), 400},
        Row{"Control", post("A: b\x01\r\n"), 400}, Row{"Delete", post("A: b\x7f\r\n"), 400},
        Row{"Folded", post("A: b\r\n c\r\n"), 400},
        Row{"FoldedTransferEncoding", post("Transfer-Encoding:\r\n chunked\r\n"), 400},
        Row{"FirstFolded", "GET /a HTTP/1.1\r\n Host: h\r\n\r\n", 400}, Row{"BlankBeforeColon", post("A : b\r\n"), 400},
        Row{"NoName", post(": b\r\n"), 400}, Row{"NoColon", post("nonsense\r\n"), 400},
        Row{"EightBitName", post("\xC3\xA4: b\r\n"), 400},
        Row{"TenAllowed", post("A: b\r\nB: b\r\nC: b\r\nD: b\r\nE: b\r\nF: b\r\nG: b\r\nH: b\r\nI: b\r\n"), 0},
        Row{"Eleven", post("A: b\r\nB: b\r\nC: b\r\nD: b\r\nE: b\r\nF: b\r\nG: b\r\nH: b\r\nI: b\r\nJ: b\r\n"), 431},
        Row{"AtLimit", post("A: " + std::string(497, 'x') + "\r\n"), 0},
        Row{"AboveLimit", post("A: " + std::string(498, 'x') + "\r\n"), 431},
        Row{"AllAboveLimit",
            post("A: " + std::string(497, 'x') + "\r\nB: " + std::string(497, 'x') + "\r\nC: " + std::string(497, 'x') +
                 "\r\nD: " + std::string(497, 'x') + "\r\n"),
            431}),
    name_of);

INSTANTIATE_TEST_SUITE_P(Host, Reads,
                         testing::Values(  // [H06]
                             Row{"Missing", "GET /a HTTP/1.1\r\n\r\n", 400},
                             Row{"MissingInHttp10", "GET /a HTTP/1.0\r\n\r\n", 0},
                             Row{"Twice", post("Host: h\r\n"), 400},
                             Row{"TwiceInHttp10", "GET /a HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n", 400},
                             Row{"WithPort", "GET /a HTTP/1.1\r\nHost: gw.example.org:8443\r\n\r\n", 0},
                             Row{"Address", "GET /a HTTP/1.1\r\nHost: 127.0.0.1:65535\r\n\r\n", 0},
                             Row{"Address6", "GET /a HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", 0},
                             Row{"Empty", "GET /a HTTP/1.1\r\nHost:\r\n\r\n", 400},
                             Row{"At", "GET /a HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
                             Row{"Slash", "GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
                             Row{"PortTooHigh", "GET /a HTTP/1.1\r\nHost: h:99999\r\n\r\n", 400},
                             Row{"PortEmpty", "GET /a HTTP/1.1\r\nHost: h:\r\n\r\n", 400},
                             Row{"Unclosed6", "GET /a HTTP/1.1\r\nHost: [::1\r\n\r\n", 400}),
                         name_of);

std::string request_line(std::string_view line) { return std::string(line).append("\r\nHost: h\r\n\r\n"); }

INSTANTIATE_TEST_SUITE_P(
    RequestLine, Reads,
    testing::Values(  // [H07, H11]
        Row{"Query", request_line("GET /a/b?c=%2F&d HTTP/1.1"), 0},
        Row{"EmptyLineBefore", "\r\n" + request_line("GET /a HTTP/1.1"), 0},
        Row{"TwoEmptyLinesBefore", "\r\n\r\n" + request_line("GET /a HTTP/1.1"), 400},
        Row{"AtLimit", request_line("GET /" + std::string(486, 'a') + " HTTP/1.1"), 0},
        Row{"AboveLimit", request_line("GET /" + std::string(487, 'a') + " HTTP/1.1"), 414},
        Row{"NoVersion", request_line("GET /a"), 400}, Row{"Version12", request_line("GET /a HTTP/1.2"), 505},
        Row{"Version20", request_line("GET /a HTTP/2.0"), 505}, Row{"Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        Row{"VersionSmall", request_line("GET /a http/1.1"), 400},
        Row{"VersionLong", request_line("GET /a HTTP/1.10"), 400},
        Row{"TwoBlanks", request_line("GET  /a HTTP/1.1"), 400},
        Row{"BlankAfter", request_line("GET /a HTTP/1.1 "), 400},
        Row{"BlankBefore", request_line(" GET /a HTTP/1.1"), 400}, Row{"Tab", request_line("GET\t/a HTTP/1.1"), 400},
        Row{"Absolute", request_line("GET http://h/a HTTP/1.1"), 400},
        Row{"Authority", request_line("CONNECT h:443 HTTP/1.1"), 400},
        Row{"Asterisk", request_line("OPTIONS * HTTP/1.1"), 400},
        Row{"BadPercent", request_line("GET /%zz HTTP/1.1"), 400},
        Row{"CutPercent", request_line("GET /a%2 HTTP/1.1"), 400},
        Row{"EightBit", request_line("GET /\xC3\xA4 HTTP/1.1"), 400},
        Row{"Fragment", request_line("GET /a#b HTTP/1.1"), 400},
        Row{"Backslash", request_line("GET /\\evil HTTP/1.1"), 400},
        Row{"MethodNoToken", request_line("G@T /a HTTP/1.1"), 400},
        Row{"Nul", request_line(std::string("GET /\0a HTTP/1.1", 16)), 400}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Meaning, Reads,
    testing::Values(  // [H09, H10, H12]
        Row{"Expect", post("Expect: 100-Continue\r\nContent-Length: 4\r\n", "body"), 0, "body"},
        Row{"ExpectOther", post("Expect: x\r\n"), 417},
        Row{"ExpectTooLarge", post("Expect: 100-continue\r\nContent-Length: 101\r\n"), 413},
        Row{"Identity", post("Content-Encoding: identity\r\n"), 0},
        Row{"Gzip", post("Content-Encoding: gzip\r\n"), 415},
        Row{"GzipAfterIdentity", post("Content-Encoding: identity\r\nContent-Encoding: gzip\r\n"), 415},
        Row{"TwoContentTypes", post("Content-Type: a/b\r\nContent-Type: a/b\r\n"), 415},
        Row{"FramingFirst", post("Expect: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n"), 400}),
    name_of);

TEST(RequestReader, RefusesATrailerWithoutEndSoonAfterItsLimit) {
  RequestReader reader(limits);
  reader.feed(post("Transfer-Encoding: chunked\r\n"));
  reader.accept_body();
  reader.feed("0\r\n");
  std::size_t fed = 0;
  for (; reader.phase() == Phase::Trailer && fed < 100'000; fed += 20) reader.feed("Field-Name: value!\r\n");
  EXPECT_EQ(reader.refusal(), 400u);
  EXPECT_LE(fed, 8220u);
}

TEST(RequestReader, ReadsWhatTheHeaderSays) {
  RequestReader reader(limits);
  EXPECT_FALSE(reader.begun());
  reader.feed(
      "POST /ihe/xcpd?wsdl HTTP/1.1\r\nhOST: h:1\r\nContent-Type:  application/soap+xml; charset=utf-8 \r\n"
      "Expect: 100-continue\r\nConnection: keep-alive, Close\r\nContent-Length: 1\r\n\r\n");
  ASSERT_EQ(reader.phase(), Phase::HeaderRead);
  EXPECT_TRUE(reader.begun());
  const auto& header = reader.header();
  EXPECT_EQ(header.method, "POST");
  EXPECT_EQ(header.path, "/ihe/xcpd");
  EXPECT_EQ(header.host, "h:1");
  EXPECT_EQ(header.content_type, "application/soap+xml; charset=utf-8");
  EXPECT_EQ(header.length, 1u);
  EXPECT_TRUE(header.expects_continue);
  EXPECT_TRUE(header.last);
}

TEST(RequestReader, KeepsTheConnectionOfHttp11AndEndsThatOfHttp10) {
  EXPECT_FALSE(read("GET /a HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, closed\r\n\r\n")->last);
  EXPECT_TRUE(read("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")->last);
}

TEST(RequestReader, TakesNoByteAfterARefusal) {
  RequestReader reader(limits);
  reader.feed("nonsense\r\n");
  EXPECT_EQ(reader.feed(marker), 0u);
  EXPECT_EQ(reader.phase(), Phase::Refused);
}

}  // namespace
}  // namespace gateway::net
