#include "xca/soap/multipart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xca::soap {
namespace {

using boost::system::error_code;
using ::testing::ElementsAre;

constexpr error_code accepted{};

error_code error_of(std::string_view header) {
  const auto type = read_media_type(header);
  return type ? accepted : type.error().code;
}

TEST(MediaType, ReadsParametersQuotedOrNot) {
  const auto type =
      read_media_type(
          " Multipart/Related;Boundary=\"a b\";  TYPE=application/xop+xml; start=\"<r\\@x>\" ;start-info=text/xml;")
          .value();
  EXPECT_EQ(type.name, "multipart/related");
  EXPECT_EQ(type.parameter("boundary"), "a b");
  EXPECT_EQ(type.parameter("type"), "application/xop+xml");
  EXPECT_EQ(type.parameter("start"), "<r@x>");
  EXPECT_EQ(type.parameter("action"), std::nullopt);
}

TEST(MediaType, KnowsUtf8) {
  EXPECT_TRUE(read_media_type("application/soap+xml").value().is_utf8());
  EXPECT_TRUE(read_media_type("application/soap+xml; charset=UTF-8").value().is_utf8());
  EXPECT_TRUE(read_media_type("application/soap+xml; charset=\"utf-8\"").value().is_utf8());
  EXPECT_FALSE(read_media_type("application/soap+xml; charset=utf-16").value().is_utf8());
}

TEST(MediaType, RefusesWhatCouldBeReadInTwoWays) {  // M05
  for (const auto* bad :
       {"", ";", "multipart", "multipart/", "/related", "multipart/related, text/plain",
        "multipart/related; boundary=a; boundary=b", "multipart/related; boundary*0=a",
        "multipart/related; boundary*=utf-8''a", "multipart/related; boundary", "multipart/related; boundary=\"a",
        "multipart/related; boundary=a b", "multipart/related; boundary=\"a\"b"})
    EXPECT_EQ(error_of(bad), Errc::UnsupportedMediaType) << bad;
  EXPECT_EQ(error_of("a/b; x=" + std::string(5000, 'x')), Errc::UnsupportedMediaType);
}

std::vector<std::string> contents(std::string_view body, std::string_view boundary = "B") {
  const auto parts = read_multipart(body, boundary, {});
  if (!parts) return {parts.error().code.message(), parts.error().detail};
  std::vector<std::string> texts;
  for (const auto& part : *parts) texts.emplace_back(part.octets());
  return texts;
}

error_code refusal(std::string_view body, std::string_view boundary = "B", const Limits& limits = {}) {
  const auto parts = read_multipart(body, boundary, limits);
  return parts ? accepted : parts.error().code;
}

TEST(Multipart, SplitsAtTheBoundary) {
  EXPECT_THAT(contents("--B\r\na: 1\r\n\r\none\r\n--B\r\na: 1\r\n\r\ntwo\r\n\r\n--B--\r\n"),
              ElementsAre("one", "two\r\n"));
  EXPECT_THAT(contents("--B\r\n\r\n\r\n--B--"), ElementsAre(""));
  EXPECT_THAT(contents("--a b=_?\r\n\r\nx\r\n--a b=_?--", "a b=_?"), ElementsAre("x"));
}

TEST(Multipart, ToleratesWhatRealSendersWrite) {                               // M05
  EXPECT_THAT(contents("--B\na: 1\n\none\n--B--"), ElementsAre("one"));        // LF
  EXPECT_THAT(contents("--B\na: 1\n\none\r\n--B--\n"), ElementsAre("one\r"));  // a CR of the part
  EXPECT_THAT(contents("a preamble\r\n--B\r\n\r\none\r\n--B--\r\nepilogue"), ElementsAre("one"));
  EXPECT_THAT(contents("\r\n--B \t\r\na: 1 \r\n\r\none\r\n--B--  "), ElementsAre("one"));      // blanks at line ends
  EXPECT_THAT(contents("--B\r\n\r\nx --B y\r\n -B\r\n--B--"), ElementsAre("x --B y\r\n -B"));  // no line of its own
}

TEST(Multipart, RefusesWhatIsNotOnePackage) {  // M05
  for (const auto* bad :
       {"", "--B--", "no boundary", "--B\r\n\r\none", "--B\r\n\r\none\r\n--B", "--B\r\n\r\none\r\n--BB--",
        "--B\r\n\r\none\r\n--B-\r\n--B--", "--B\r\n\r\none\r\n--B--x", "--B\r\n\r\none\n--B--", "--B\r\rone\r--B--",
        "--B\r\n\r\none\r\n--B--\r\n--B\r\n\r\ntwo\r\n--B--", "--B\r\n--B--"})
    EXPECT_EQ(refusal(bad), Errc::BadMultipart) << bad;
}

TEST(Multipart, RefusesBoundariesThatAreNone) {
  const auto with = [](const std::string& boundary) { return "--" + boundary + "\r\n\r\nx\r\n--" + boundary + "--"; };
  EXPECT_EQ(refusal(with(std::string(70, 'b')), std::string(70, 'b')), accepted);
  for (const auto& bad : {std::string(71, 'b'), std::string(), std::string("b "), std::string("b\"c"),
                          std::string("b\xC3\xBC"), std::string("b\r\nc")})
    EXPECT_EQ(refusal(with(bad), bad), Errc::BadMultipart) << bad;
}

std::string part(std::string_view headers, std::string_view content = "x") {
  return "--B\r\n" + std::string(headers) + "\r\n" + std::string(content) + "\r\n--B--\r\n";
}

TEST(Multipart, ReadsPartHeaders) {  // M06
  const auto parts =
      read_multipart(part("CONTENT-id: <a@b>\r\ncontent-TYPE: text/plain;\r\n charset=utf-8\r\n"), "B", {}).value();
  EXPECT_EQ(parts[0].content_id, "a@b");
  EXPECT_EQ(parts[0].content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(read_multipart(part("Content-ID: a@b\r\n"), "B", {}).value()[0].content_id, "a@b");
  for (const auto* bad :
       {"no colon\r\n", "Content-ID: <a>\r\ncontent-id: <b>\r\n", "Content-Type: a/b\r\nContent-Type: a/b\r\n",
        "Content-ID: <>\r\n", "Content-ID: <a\xE2\x80\x8B>\r\n", "Content-ID : <a>\r\n",
        "Content-Type: multipart/mixed; boundary=C\r\n"})
    EXPECT_EQ(refusal(part(bad)), Errc::BadMultipart) << bad;
}

TEST(Multipart, DecodesTheKnownTransferEncodings) {  // M06, M08
  const auto with = [](std::string_view encoding, std::string_view content) {
    return part("Content-Transfer-Encoding: " + std::string(encoding) + "\r\n", content);
  };
  for (const auto* plain : {"7bit", "8bit", "binary", "BINARY"})
    EXPECT_THAT(contents(with(plain, "QQ==")), ElementsAre("QQ=="));
  EXPECT_THAT(contents(with("base64", "QUJDREVGQUJDREVG\r\nQUJD")), ElementsAre("ABCDEFABCDEFABC"));
  EXPECT_THAT(contents(with("Base64", "")), ElementsAre(""));
  for (const auto* unknown : {"quoted-printable", "x-uuencode", "gzip", "base64, gzip", ""})
    EXPECT_EQ(refusal(with(unknown, "QQ==")), Errc::BadMultipart) << unknown;
  for (const auto* bad : {"Q", "QQ=Q", "Q Q = =", "QQ===", "QQ-_"})
    EXPECT_EQ(refusal(with("base64", bad)), Errc::BadMultipart) << bad;
}

TEST(Multipart, KeepsItsLimits) {  // M04, M06
  const Limits small{.parts = 2, .part_header_bytes = 64, .part_headers = 3};
  const auto parts = [](int count) {
    std::string body;
    for (int i = 0; i < count; ++i) body += "--B\r\n\r\nx\r\n";
    return body + "--B--";
  };
  EXPECT_EQ(refusal(parts(2), "B", small), accepted);
  EXPECT_EQ(refusal(parts(3), "B", small), Errc::TooManyParts);
  EXPECT_EQ(refusal(part("a: 1\r\nb: 2\r\nc: 3\r\n"), "B", small), accepted);
  EXPECT_EQ(refusal(part("a: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\n"), "B", small), Errc::BadMultipart);
  EXPECT_EQ(refusal(part("a: " + std::string(50, 'x') + "\r\n"), "B", small), accepted);
  EXPECT_EQ(refusal(part("a: " + std::string(70, 'x') + "\r\n"), "B", small), Errc::BadMultipart);
}

TEST(Multipart, GivesTheSameAnswerHoweverItIsCut) {
  const std::string whole = "--B\r\na: 1\r\n\r\none\r\n--B\r\n\r\ntwo\r\n--B--";
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(refusal(whole.substr(0, size)), Errc::BadMultipart) << size;
  EXPECT_EQ(refusal(whole), accepted);
}

}  // namespace
}  // namespace xca::soap
