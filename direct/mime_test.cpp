#include "direct/mime.hpp"

#include "base/error_table.hpp"

#include <gtest/gtest.h>

namespace direct::mime {
namespace {

template <class T>
std::string why(const Result<T>& result) {
  return result ? "" : std::string(base::reason_of(result.error()));
}

TEST(Entity, IsItsOctets) {
  const std::string text = "A: 1\r\nB:\tfolded\r\n  twice\r\nC:\r\n\r\nbody\r\n";
  const auto entity = Entity::read(text).value();
  EXPECT_EQ(entity.octets(), text);
  EXPECT_EQ(entity.body(), "body\r\n");
  ASSERT_EQ(entity.fields().size(), 3u);
  EXPECT_EQ(entity.fields()[1].raw, "\tfolded\r\n  twice");
  EXPECT_EQ(entity.value("b").value(), "folded  twice");
  EXPECT_EQ(entity.value("C").value(), "");
  EXPECT_EQ(entity.value("D").value(), std::nullopt);
  EXPECT_EQ(Entity::read("A : 1\nB: 2\n\nx\n").value().value("A").value(), "1") << "a file that was picked up";
  EXPECT_EQ(Entity::read("A: 1").value().body(), "");
  EXPECT_EQ(Entity::read("\r\nbody").value().body(), "body");
}

TEST(Entity, IsRefusedWhereItIsNone) {
  for (const std::string& text : {std::string("no colon\r\n\r\n"), std::string(" fold first\r\n\r\n"),
                                 std::string(": no name\r\n\r\n"), std::string("A B: x\r\n\r\n"),
                                 std::string("A: x\rB: y\r\n\r\n"), std::string("A: x\0y\r\n\r\n", 11),
                                 std::string("\xc3\xa4: x\r\n\r\n")})
    EXPECT_EQ(why(Entity::read(text)), "mime-malformed") << text;
  EXPECT_EQ(why(Entity::read("A: 1\r\na: 2\r\n\r\n").value().value("A")), "mime-ambiguous");
  const Limits limits{.header_octets = 100, .fields = 3, .line_octets = 40};
  EXPECT_EQ(why(Entity::read("A:\r\nB:\r\nC:\r\n\r\n", limits)), "");
  EXPECT_EQ(why(Entity::read("A:\r\nB:\r\nC:\r\nD:\r\n\r\n", limits)), "mime-too-large");
  EXPECT_EQ(why(Entity::read("A: " + std::string(50, 'x') + "\r\n\r\n", limits)), "mime-too-large");
  EXPECT_EQ(why(Entity::read("A: x\r\n " + std::string(50, 'x') + "\r\n\r\n", limits)), "mime-too-large");
  EXPECT_EQ(why(Entity::read(std::string(200, 'x'), limits)), "mime-malformed");
}

std::string parameter(const std::string& text, const std::string& name) {
  const auto read = read_parameterized(text);
  return read ? read->parameter(name) : why(read);
}

TEST(Parameters, AreReadAsPeersWriteThem) {
  const auto read = read_parameterized("Multipart/Signed; Boundary=\"a;b\\\"c\" (a \\) comment); micalg=sha-256;").value();
  EXPECT_EQ(read.value, "multipart/signed");
  EXPECT_EQ(read.parameter("boundary"), "a;b\"c");
  EXPECT_EQ(read.parameter("micalg"), "sha-256");
  EXPECT_EQ(read.parameter("protocol"), "");
  EXPECT_EQ(parameter("a/b; type=application/x; ; c=d", "type"), "application/x") << "unquoted, and an empty one";
  EXPECT_EQ(parameter("attachment; filename*=utf-8''r%C3%A9sum%C3%A9.pdf", "filename"), "r\xc3\xa9sum\xc3\xa9.pdf");
  EXPECT_EQ(parameter("attachment; filename*=ISO-8859-1'fr'r%E9.pdf", "filename"), "r\xc3\xa9.pdf");
  EXPECT_EQ(parameter("attachment; filename*0*=utf-8''r%C3; filename*1*=%A9; filename*2=\".pdf\"", "filename"),
            "r\xc3\xa9.pdf");
  EXPECT_EQ(parameter("attachment; filename*1=b; filename*0=a; filename*3=d", "filename"), "ab") << "not after a gap";
}

TEST(Parameters, AreRefusedWhereTheyAreNot) {
  for (const char* text :
       {"", "; a=b", "a/b; c", "a/b; c=\"d", "a/b (c", "a/b; c*x=d", "a/b; c*0*=d", "a/b; c*=utf-8'd", "a/b; c*=''%4",
        "a/b; c*=''%zz", "a/b; c*=utf-8''%ff", "a/b; c*=utf-7''d", "a/b; c=\"d\" e", "a/b; c*=''%0d%0aBcc:x"})
    EXPECT_EQ(why(read_parameterized(text)), "mime-malformed") << text;
  EXPECT_EQ(why(read_parameterized("a/b; c=1; C=2")), "mime-ambiguous");
  EXPECT_EQ(why(read_parameterized("a/b; c=1; c*0=2")), "mime-ambiguous");
  EXPECT_EQ(why(read_parameterized("a/b; c=1; d=2; e=3", {.parameters = 2})), "mime-too-large");
}

std::string decoded(const std::string& encoding, const std::string& body) {
  const std::string text = "Content-Transfer-Encoding: " + encoding + "\r\n\r\n" + body;
  const auto read = decoded_body(Entity::read(text).value());
  return read ? *read : why(read);
}

TEST(TransferEncodings, AreTakenAway) {
  EXPECT_EQ(decoded("7BIT", "a\r\n"), "a\r\n");
  EXPECT_EQ(decoded("binary", std::string("a\0b", 3)), std::string("a\0b", 3));
  EXPECT_EQ(decoded("Base64", "YWJj\r\nZA==\r\n"), "abcd");
  EXPECT_EQ(decoded("quoted-printable", "a=3D=\r\nb=0D=0A.\r\nc \t\r\nd"), "a=b\r\n.\r\nc\r\nd");
  EXPECT_EQ(decoded("base64", "YWJj*"), "mime-damaged");
  EXPECT_EQ(decoded("base64", "YQ==YQ=="), "mime-damaged");
  EXPECT_EQ(decoded("quoted-printable", "a=3"), "mime-damaged");
  EXPECT_EQ(decoded("quoted-printable", "a=zz"), "mime-damaged");
  EXPECT_EQ(decoded("x-uuencode", "x"), "mime-malformed");
  EXPECT_EQ(decoded_body(Entity::read("\r\nplain").value()).value(), "plain");
}

std::vector<std::string> texts(const std::string& body, const std::string& boundary) {
  const auto read = parts(body, boundary);
  if (!read) return {why(read)};
  return {read->begin(), read->end()};
}
using Texts = std::vector<std::string>;

TEST(Parts, AreFoundByteForByte) {
  EXPECT_EQ(texts("preamble\r\n--b\r\nA: 1\r\n\r\none\r\n\r\n--b \t\r\n\r\ntwo\n--b--\r\nepilogue\r\n--b\r\n", "b"),
            (Texts{"A: 1\r\n\r\none\r\n", "\r\ntwo"}));
  EXPECT_EQ(texts("--b\n\nx\n--b--", "b"), Texts{"\nx"});
  EXPECT_EQ(texts("--b\r\n--bb\r\n--b-\r\nx --b\r\n--b--\r\n", "b"), Texts{"--bb\r\n--b-\r\nx --b"})
      << "another's boundary that begins alike";
  EXPECT_EQ(texts("--b\r\n--b\r\n--b--", "b"), (Texts{"", ""}));
  EXPECT_EQ(texts("--a b\r\nx\r\n--a b--", "a b"), Texts{"x"});
}

TEST(Parts, AreRefusedWhereTheyDoNotEnd) {
  for (const char* body : {"", "x", "--b\r\nx", "--b\r\nx\r\n--b\r\ny", "--b--\r\n", "x--b\r\n\r\n--b--"})
    EXPECT_EQ(texts(body, "b"), Texts{"mime-malformed"}) << body;
  for (const auto& boundary : {std::string(), std::string(71, 'b'), std::string("b "), std::string("b\t"),
                               std::string("\xc3\xa4"), std::string("b\"")})
    EXPECT_EQ(texts("--" + boundary + "\r\nx\r\n--" + boundary + "--", boundary), Texts{"mime-malformed"}) << boundary;
  EXPECT_EQ(why(parts("--b\r\nx\r\n--b\r\ny\r\n--b--", "b", {.parts = 1})), "mime-too-large");
}

TEST(Lines, EndInCrLf) {
  EXPECT_EQ(with_crlf("a\nb\r\n\nc"), "a\r\nb\r\n\r\nc");
  EXPECT_TRUE(has_bare_lf("a\r\nb\n"));
  EXPECT_TRUE(has_bare_lf("\n"));
  EXPECT_FALSE(has_bare_lf("a\r\nb\r\n"));
}

}  // namespace
}  // namespace direct::mime
