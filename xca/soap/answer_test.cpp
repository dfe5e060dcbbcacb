#include "xca/soap/answer.hpp"

#include "base/error_table.hpp"
#include "xca/schema.hpp"
#include "xca/soap/multipart.hpp"
#include "xca/wss/security.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xca::soap {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string joined(std::span<const Piece> pieces) {
  std::string out;
  for (const auto& piece : pieces) {
    const auto* stored = std::get_if<StoredPiece>(&piece);
    out += stored ? "[" + stored->content.sha256 + (stored->in_base64 ? " in base64]" : "]") : std::get<Bytes>(piece);
  }
  return out;
}
std::string joined(const Answer& answer) { return joined(answer.pieces); }

std::string text_of(const Fault& fault, std::string_view relates_to = "urn:uuid:1") {
  return joined(write_fault(fault, relates_to, "urn:uuid:2"));
}

template <class Code>
Fault fault(Code code, std::string detail = "secret detail") {
  return fault_for(base::fail(code, std::move(detail)));
}

TEST(Fault, NamesTheAddressItIsCalledTo) {
  const auto called = joined(write_fault(fault(Errc::BadEnvelope), "urn:uuid:1", "urn:uuid:2", "https://a.example/?b&c"));
  EXPECT_THAT(called, HasSubstr("<wsa:To>https://a.example/?b&amp;c</wsa:To>"));
  EXPECT_THAT(text_of(fault(Errc::BadEnvelope)), Not(HasSubstr("<wsa:To>")));
}

TEST(Pack, SendsPlainSoapAsOnePiece) {
  const auto answer = pack(Encoding::Simple, "<e/>", {}, "id", "urn:a");
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.content_type, "application/soap+xml; charset=UTF-8; action=\"urn:a\"");
  EXPECT_EQ(joined(answer), "<e/>");
  EXPECT_EQ(answer.pieces.size(), 1u);
}

TEST(Pack, PutsStoredDocumentsWhereTheyStandInPlainSoap) {
  const auto answer = pack(Encoding::Simple, "<a></a><b></b>",
                           {{"", "text/plain", {"one", 4}, 3}, {"", "text/plain", {"two", 5}, 10}}, "id", "urn:a");
  EXPECT_EQ(joined(answer), "<a>[one in base64]</a><b>[two in base64]</b>");
  EXPECT_EQ(joined(answer.envelope()), joined(answer));
}

TEST(Pack, WritesAPackageThatIsReadBack) {
  const std::string envelope =
      "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "
      "xmlns:a=\"http://www.w3.org/2005/08/addressing\">"
      "<s:Header><a:Action>urn:a</a:Action><a:MessageID>m</a:MessageID></s:Header><s:Body><p><d><xop:Include "
      "xmlns:xop=\"http://www.w3.org/2004/08/xop/include\" "
      "href=\"cid:doc-1%40gatehouse\"/></d></p></s:Body></s:Envelope>";
  const Bytes bytes("\r\n--\0x", 6);
  const auto answer = pack(Encoding::Mtom, envelope,
                           {{.content_id = "doc-1@gatehouse",
                             .content_type = "text/xml\r\nX-Evil: 1",
                             .content = {"stored", 6}}},
                           "f00", "urn:a");
  EXPECT_EQ(joined(answer.envelope()), envelope);
  auto wire = joined(answer);
  wire.replace(wire.find("[stored]"), 8, bytes);
  const auto opened = Envelope::open(answer.content_type, wire);
  ASSERT_TRUE(opened) << opened.error().detail;
  ASSERT_EQ(opened->parts().size(), 1u);
  EXPECT_EQ(opened->parts()[0].content_type, "application/octet-stream");
  EXPECT_EQ(opened->binary(*opened->payload().first_child()).value(), bytes);
}

TEST(Pack, WritesAPackageWithoutAttachments) {
  const auto answer = pack(Encoding::Mtom, "<e/>", {}, "f00", "urn:a");
  const auto type = read_media_type(answer.content_type).value();
  EXPECT_EQ(type.parameter("start-info"), "application/soap+xml");
  EXPECT_EQ(read_multipart(joined(answer), *type.parameter("boundary"), {}).value().at(0).octets(), "<e/>");
}

TEST(FaultTable, AnswersEveryErrorInItsTerms) {
  const struct {
    base::Error error;
    unsigned status;
    std::string code, subcode;
  } rows[] = {
      {base::fail(Errc::UnsupportedMediaType), 415, "Sender", ""},
      {base::fail(Errc::BadMultipart), 400, "Sender", ""},
      {base::fail(Errc::TooManyParts), 400, "Sender", ""},
      {base::fail(Errc::MessageTooLarge), 413, "Sender", ""},
      {base::fail(base::xml::Errc::TooLarge), 413, "Sender", ""},
      {base::fail(base::xml::Errc::HasDoctype), 400, "Sender", ""},
      {base::fail(base::xml::Errc::DoubledId), 400, "Sender", ""},
      {base::fail(Errc::WrongEnvelope), 500, "VersionMismatch", ""},
      {base::fail(Errc::BadEnvelope), 400, "Sender", ""},
      {base::fail(Errc::SchemaInvalid), 400, "Sender", ""},
      {base::fail(Errc::NotUnderstood), 500, "MustUnderstand", ""},
      {base::fail(Errc::AddressingHeaderMissing), 400, "Sender", "wsa:MessageAddressingHeaderRequired"},
      {base::fail(Errc::AddressingHeaderInvalid), 400, "Sender", "wsa:InvalidAddressingHeader"},
      {base::fail(Errc::NotOurAddress), 400, "Sender", "wsa:InvalidAddressingHeader"},
      {base::fail(Errc::ActionNotSupported), 400, "Sender", "wsa:ActionNotSupported"},
      {base::fail(wss::Errc::SecurityMissing), 400, "Sender", "wsse:InvalidSecurity"},
      {base::fail(wss::Errc::WrappedSignature), 400, "Sender", "wsse:InvalidSecurity"},
      {base::fail(wss::Errc::MessageExpired), 400, "Sender", "wsu:MessageExpired"},
      {base::fail(wss::Errc::AssertionExpired), 400, "Sender", "wsse:InvalidSecurityToken"},
      {base::fail(wss::Errc::SignatureUnresolved), 400, "Sender", "wsse:SecurityTokenUnavailable"},
      {base::fail(wss::Errc::AttributeContradictory), 400, "Sender", "wsse:FailedAuthentication"},
      {base::fail(certs::Errc::BadSignature), 400, "Sender", "wsse:FailedCheck"},
      {base::fail(certs::Errc::UnsupportedAlgorithm), 400, "Sender", "wsse:UnsupportedAlgorithm"},
      {base::fail(certs::Errc::Revoked), 400, "Sender", "wsse:InvalidSecurityToken"},
      {base::fail(base::IdErrc::NotAnOid), 400, "Sender", ""},  // by its cause
      {{boost::system::errc::make_error_code(boost::system::errc::io_error), ""}, 500, "Receiver", ""},
  };
  for (const auto& row : rows) {
    const auto answer = fault_for(row.error);
    EXPECT_EQ(answer.status, row.status) << row.error.code;
    EXPECT_EQ(answer.code, row.code) << row.error.code;
    EXPECT_EQ(answer.subcode, row.subcode) << row.error.code;
    EXPECT_FALSE(answer.reason.empty());
  }
}

TEST(FaultTable, NamesEverySecurityErrorItself) {
  for (int code = 1; code <= int(wss::Errc::ReplayedTooOften); ++code) {
    EXPECT_NE(fault(wss::Errc(code)).subcode, "") << code;
    EXPECT_NE(base::reason_of(base::fail(wss::Errc(code))), "defect") << code;
  }
  for (int code = 1; code <= int(Errc::SchemaInvalid); ++code)
    EXPECT_NE(base::reason_of(base::fail(Errc(code))), "defect") << code;
}

TEST(Fault, ShowsNothingOfTheMessage) {
  const auto text = text_of(fault(wss::Errc::AssertionExpired));
  EXPECT_THAT(text, Not(HasSubstr("secret")));
  EXPECT_THAT(text, HasSubstr("<soap:Value xmlns:wsse=\"" + std::string(ns::wsse) + "\">wsse:InvalidSecurityToken<"));
  EXPECT_THAT(text, HasSubstr("<wsa:Action>http://www.w3.org/2005/08/addressing/soap/fault<"));
  EXPECT_THAT(text_of(fault(Errc::ActionNotSupported)),
              HasSubstr("<wsa:Action>http://www.w3.org/2005/08/addressing/fault<"));
  EXPECT_EQ(write_fault(fault(Errc::WrongEnvelope), "", "m").status, 500u);
  EXPECT_THAT(text_of(fault(Errc::WrongEnvelope)), HasSubstr("<soap:SupportedEnvelope qname=\"soap:Envelope\">"));
}

TEST(Fault, EchoesOnlyASaneMessageId) {  // S04
  const auto with = [](std::string_view id) { return text_of(fault(Errc::ActionNotSupported), id); };
  EXPECT_THAT(with("urn:uuid:1"), HasSubstr("<wsa:RelatesTo>urn:uuid:1</wsa:RelatesTo>"));
  EXPECT_THAT(with("</x>&"), HasSubstr("<wsa:RelatesTo>&lt;/x&gt;&amp;</wsa:RelatesTo>"));
  EXPECT_THAT(with(std::string(1024, 'x')), HasSubstr("RelatesTo"));
  for (const auto& bad :
       {std::string(), std::string(1025, 'x'), std::string("a\r\nb"), std::string("a\x1B[2J"), std::string("\xFF")})
    EXPECT_THAT(with(bad), Not(HasSubstr("RelatesTo"))) << bad;
}

TEST(Fault, NamesTheHeaderThatWasNotUnderstoodWhereItIsPlain) {
  const auto with = [](std::string name) { return text_of(fault(Errc::NotUnderstood, std::move(name))); };
  EXPECT_THAT(with("{urn:x}Routing"), HasSubstr("<soap:NotUnderstood xmlns:n=\"urn:x\" qname=\"n:Routing\">"));
  EXPECT_THAT(with("{urn:\"x}Routing"), HasSubstr("xmlns:n=\"urn:&quot;x\""));
  for (const auto& bad :
       {std::string("{}Routing"), std::string("{urn:x}"), std::string("Routing"), "{urn:x}" + std::string(300, 'x'),
        "{" + std::string(300, 'x') + "}a", std::string("{urn:x}\xC3\xBC")})
    EXPECT_THAT(with(bad), Not(HasSubstr("NotUnderstood"))) << bad;
  EXPECT_THAT(text_of(fault(Errc::BadEnvelope, "{urn:x}Routing")), Not(HasSubstr("Routing")));
}

TEST(Fault, IsValidByOurSchemas) {
  for (const auto& answer : {fault(Errc::WrongEnvelope), fault(Errc::NotUnderstood, "{urn:x}a"),
                             fault(Errc::ActionNotSupported), fault(wss::Errc::MessageExpired)})
    for (const auto& finding : schemas().validate(text_of(answer))) ADD_FAILURE() << finding.message;
}

}  // namespace
}  // namespace xca::soap
