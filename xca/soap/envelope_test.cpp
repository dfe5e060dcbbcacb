#include "xca/soap/envelope.hpp"

#include "base/shared_samples.hpp"
#include "xca/soap/hidden.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xca::soap {
namespace {

using boost::system::error_code;

constexpr error_code accepted{};
constexpr auto plain = "application/soap+xml; charset=UTF-8";

/// A message of these headers and this payload.
struct Message {
  std::string headers = "<a:Action>urn:x</a:Action><a:MessageID>urn:uuid:1</a:MessageID>";
  std::string payload = "<p xmlns=\"urn:p\"/>";
  std::string text() const {
    return "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "
           "xmlns:a=\"http://www.w3.org/2005/08/addressing\" xmlns:xop=\"http://www.w3.org/2004/08/xop/include\">"
           "<s:Header>" +
           headers + "</s:Header><s:Body>" + payload + "</s:Body></s:Envelope>";
  }
};

error_code opened(std::string_view content_type, const std::string& wire, const Limits& limits = {}) {
  const auto envelope = Envelope::open(content_type, wire, limits);
  return envelope ? accepted : envelope.error().code;
}
error_code opened(const std::string& text) { return opened(plain, text); }

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(Hidden, FindsCharactersThatCannotBeSeen) {
  for (const auto* seen :
       {"", "plain", "Za\xC5\xBC\xC3\xB3\xC5\x82\xC4\x87", "a b", "\xF0\x9F\x98\x80", "\xE6\x97\xA5"})
    EXPECT_FALSE(has_hidden_characters(seen)) << seen;
  for (const auto* hidden : {"a\tb", "a\r\nb", "\x7F", "\xC2\x85", "\xC2\xAD", "\xE2\x80\x8B", "\xE2\x80\xAE",
                             "\xEF\xBB\xBF", "\xF3\xA0\x80\x81", "\xC0\xBC", "a\xFF"})
    EXPECT_TRUE(has_hidden_characters(hidden)) << hidden;
}

TEST(Envelope, OpensAPlainMessage) {
  const auto wire = Message{.headers =
                                "<a:Action> urn:x </a:Action><a:MessageID>m</a:MessageID><a:To>urn:t</a:To>"
                                "<a:RelatesTo>urn:r</a:RelatesTo>"}
                        .text();
  const auto envelope = Envelope::open(plain, wire).value();
  EXPECT_EQ(envelope.payload().local_name(), "p");
  EXPECT_EQ(envelope.body().local_name(), "Body");
  EXPECT_EQ(envelope.encoding(), Encoding::Simple);
  EXPECT_EQ(envelope.addressing().action, "urn:x");
  EXPECT_EQ(envelope.addressing().message_id, "m");
  EXPECT_EQ(envelope.addressing().to, "urn:t");
  EXPECT_EQ(envelope.addressing().reply_to, "");
  EXPECT_EQ(envelope.addressing().relates_to, "urn:r");
}

TEST(Envelope, TakesTheTwoMediaTypesOnly) {
  const auto wire = Message().text();
  for (const auto* good : {"application/soap+xml", "Application/SOAP+xml;Charset=utf-8;action=\"urn:other\""})
    EXPECT_EQ(opened(good, wire), accepted) << good;
  for (const auto* bad :
       {"", "text/xml", "application/xml", "application/soap+xml; charset=utf-16", "multipart/mixed; boundary=B",
        "multipart/form-data; boundary=B", "multipart/related; boundary=B; type=\"text/xml\""})
    EXPECT_EQ(opened(bad, wire), Errc::UnsupportedMediaType) << bad;
  EXPECT_EQ(opened("multipart/related; type=\"application/xop+xml\"", wire), Errc::BadMultipart);
}

TEST(Envelope, KeepsItsSizes) {
  const auto wire = Message().text();
  EXPECT_EQ(opened(plain, wire, {.bytes = wire.size()}), accepted);
  EXPECT_EQ(opened(plain, wire, {.bytes = wire.size() - 1}), Errc::MessageTooLarge);
  EXPECT_EQ(opened(plain, wire, {.xml = {.bytes = wire.size() - 1}}), base::xml::Errc::TooLarge);
}

TEST(Envelope, IsOneHeaderBeforeOneBodyWithOnePayload) {  // X11, X14, X16
  const auto good = Message().text();
  EXPECT_EQ(opened(replaced(replaced(good, "<s:Header>", "\n <!-- c --><s:Header>\n"), "<p ", " <p ")), accepted);
  const std::string header = good.substr(good.find("<s:Header>"), good.find("<s:Body>") - good.find("<s:Header>"));
  const std::string body = "<s:Body><p xmlns=\"urn:p\"/></s:Body>";
  const struct {
    std::string text;
    error_code expected;
  } rows[] = {
      {good, accepted},
      {replaced(good, "2003/05/soap-envelope", "2003/05/Soap-Envelope"), Errc::WrongEnvelope},
      {replaced(good, "http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/"),
       Errc::WrongEnvelope},
      {"<Envelope/>", Errc::WrongEnvelope},
      {replaced(good, header, ""), Errc::BadEnvelope},
      {replaced(good, header, header + header), Errc::BadEnvelope},
      {replaced(good, body, ""), Errc::BadEnvelope},
      {replaced(good, body, body + body), Errc::BadEnvelope},
      {replaced(replaced(good, body, ""), header, body + header), Errc::BadEnvelope},
      {replaced(good, body, body + "<x xmlns=\"urn:x\"/>"), Errc::BadEnvelope},
      {replaced(good, body, "<Body><p xmlns=\"urn:p\"/></Body>"), Errc::BadEnvelope},
      {replaced(good, body, body + "text"), Errc::BadEnvelope},
      {replaced(good, "<s:Header>", "<s:Header>text"), Errc::BadEnvelope},
      {replaced(good, "<p ", "text<p "), Errc::BadEnvelope},
      {replaced(good, "<p xmlns=\"urn:p\"/>", ""), Errc::BadEnvelope},
      {replaced(good, "<p xmlns=\"urn:p\"/>", "<p xmlns=\"urn:p\"/><p xmlns=\"urn:p\"/>"), Errc::BadEnvelope},
      {"", base::xml::Errc::NotWellFormed},
  };
  for (const auto& row : rows) EXPECT_EQ(opened(row.text), row.expected) << row.text;
}

TEST(Envelope, AsksForActionAndMessageIdOnce) {  // S03, S04
  const std::string action = "<a:Action>urn:x</a:Action>", id = "<a:MessageID>urn:uuid:1</a:MessageID>";
  const auto reply = [](std::string_view address) {
    return "<a:ReplyTo><a:Address>" + std::string(address) + "</a:Address></a:ReplyTo>";
  };
  const struct {
    std::string headers;
    error_code expected;
  } rows[] = {
      {action + id, accepted},
      {action + "<a:MessageID>urn:uuid:<!-- -->1</a:MessageID>", accepted},
      {action, Errc::AddressingHeaderMissing},
      {id, Errc::AddressingHeaderMissing},
      {"<a:Action> </a:Action>" + id, Errc::AddressingHeaderMissing},
      {"<Action>urn:x</Action>" + id, Errc::AddressingHeaderMissing},
      {action + action + id, Errc::AddressingHeaderInvalid},
      {action + id + id, Errc::AddressingHeaderInvalid},
      {action + id + "<a:RelatesTo>a</a:RelatesTo><a:RelatesTo>b</a:RelatesTo>", Errc::AddressingHeaderInvalid},
      {"<a:Action>urn:<b/>x</a:Action>" + id, Errc::AddressingHeaderInvalid},
      {action + "<a:MessageID>a&#13;&#10;b</a:MessageID>", Errc::AddressingHeaderInvalid},
      {action + "<a:MessageID>a&#x200B;b</a:MessageID>", Errc::AddressingHeaderInvalid},
      {action + "<a:MessageID>" + std::string(4096, 'x') + "</a:MessageID>", accepted},
      {action + "<a:MessageID>" + std::string(4097, 'x') + "</a:MessageID>", Errc::AddressingHeaderInvalid},
      {"<a:Action>" + std::string(1 << 20, 'x') + "</a:Action>" + id, Errc::AddressingHeaderInvalid},
      {action + "<a:Action s:role=\"urn:other\">urn:y</a:Action>" + id, Errc::AddressingHeaderInvalid},
      {"<a:Action s:role=\"http://www.w3.org/2003/05/soap-envelope/role/none\">urn:x</a:Action>" + id,
       Errc::AddressingHeaderMissing},
      {"<a:Action s:role=\"http://www.w3.org/2003/05/soap-envelope/role/next\">urn:x</a:Action>" + id, accepted},
      {action + id + reply(anonymous), accepted},
      {action + id + reply("http://127.0.0.1:9/"), accepted},  // whether it may be called is the corridor's question: S01
      {action + id + "<a:ReplyTo><a:Address>https://a.example/</a:Address><a:ReferenceParameters/></a:ReplyTo>",
       Errc::AddressingHeaderInvalid},
      {action + id + "<a:ReplyTo><a:Address>" + std::string(anonymous) +
           "</a:Address><a:ReferenceParameters/></a:ReplyTo>",
       accepted},
      {action + id + "<a:ReplyTo></a:ReplyTo>", Errc::AddressingHeaderInvalid},
      {action + id + "<a:FaultTo><a:Address>file:///etc/passwd</a:Address></a:FaultTo>", accepted},
      {action + id + "<a:From><a:Address>urn:anyone</a:Address></a:From>", accepted},
  };
  for (const auto& row : rows)
    EXPECT_EQ(opened(Message{.headers = row.headers}.text()), row.expected) << row.headers.substr(0, 200);
}

TEST(Envelope, SaysWhereAnswerAndFaultsAreWanted) {
  const auto wire = Message{.headers = "<a:Action>urn:x</a:Action><a:MessageID>urn:uuid:1</a:MessageID>"
                                       "<a:ReplyTo><a:Address> https://a.example/1 </a:Address></a:ReplyTo>"
                                       "<a:FaultTo><a:Address>https://a.example/2</a:Address></a:FaultTo>"}
                        .text();
  const auto envelope = Envelope::open(plain, wire).value();
  EXPECT_EQ(envelope.addressing().reply_to, "https://a.example/1");
  EXPECT_EQ(envelope.addressing().fault_to, "https://a.example/2");
  EXPECT_TRUE(is_elsewhere("https://a.example/1"));
  for (const auto here : {std::string_view(), anonymous, none}) EXPECT_FALSE(is_elsewhere(here));
}

TEST(Envelope, UnderstandsWhatMustBeUnderstood) {  // S03
  const auto with = [](std::string header) { return opened(Message{.headers = Message().headers + header}.text()); };
  for (const auto* known :
       {"<w:Security xmlns:w=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd\" "
        "s:mustUnderstand=\"1\"/>",
        "<c:CorrelationTimeToLive xmlns:c=\"urn:ihe:iti:xcpd:2009\" "
        "s:mustUnderstand=\"true\">P1D</c:CorrelationTimeToLive>",
        "<h:homeCommunityBlock xmlns:h=\"urn:ihe:iti:xdr:2014\" s:mustUnderstand=\"1\"/>",
        "<a:From s:mustUnderstand=\"1\"/>", "<x xmlns=\"urn:x\"/>", "<x xmlns=\"urn:x\" s:mustUnderstand=\"0\"/>",
        "<x xmlns=\"urn:x\" s:mustUnderstand=\" false \"/>",
        "<x xmlns=\"urn:x\" mustUnderstand=\"1\"/>",  // unqualified: a production client's way to say nothing
        "<x xmlns=\"urn:x\" s:mustUnderstand=\"1\" s:role=\"urn:another\"/>"})
    EXPECT_EQ(with(known), accepted) << known;
  for (const auto* unknown :
       {"<x xmlns=\"urn:x\" s:mustUnderstand=\"1\"/>", "<x xmlns=\"urn:x\" s:mustUnderstand=\"true\"/>",
        "<x xmlns=\"urn:x\" s:mustUnderstand=\"1\" s:role=\"http://www.w3.org/2003/05/soap-envelope/role/next\"/>",
        "<x xmlns=\"urn:x\" s:mustUnderstand=\"1\" "
        "s:role=\"http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver\"/>",
        "<Security xmlns=\"urn:x\" s:mustUnderstand=\"1\"/>"})
    EXPECT_EQ(with(unknown), Errc::NotUnderstood) << unknown;
}

// ---- MTOM -----------------------------------------------------------------------------------------------------------

constexpr auto mtom =
    "multipart/related; boundary=B; type=\"application/xop+xml\"; start=\"<root>\"; "
    "start-info=\"application/soap+xml\"";
constexpr auto root_head =
    "--B\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n"
    "Content-Transfer-Encoding: binary\r\nContent-ID: <root>\r\n\r\n";

std::string attachment(std::string_view id, std::string_view content) {
  return "\r\n--B\r\nContent-ID: <" + std::string(id) + ">\r\n\r\n" + std::string(content);
}
std::string package(const std::string& payload, const std::string& attachments = attachment("one@x", "1")) {
  return root_head + Message{.payload = payload}.text() + attachments + "\r\n--B--\r\n";
}
std::string document(std::string_view href) {
  return "<p xmlns=\"urn:p\"><d><xop:Include href=\"" + std::string(href) + "\"/></d></p>";
}

TEST(MtomEnvelope, ReadsAttachmentsAndInlineBytes) {
  const auto wire = package("<p xmlns=\"urn:p\"><d><xop:Include href=\"cid:one%40x\"/></d><d>QUJD</d></p>",
                            attachment("one@x", "\r\nraw\xFF"));
  const auto envelope = Envelope::open(mtom, wire).value();
  EXPECT_EQ(envelope.encoding(), Encoding::Mtom);
  EXPECT_EQ(envelope.parts().size(), 1u);
  EXPECT_EQ(envelope.includes().size(), 1u);
  const auto elements = envelope.payload().children();
  EXPECT_EQ(envelope.binary(elements[0]).value(), "\r\nraw\xFF");
  EXPECT_EQ(envelope.binary(elements[1]).value(), "ABC");
}

TEST(MtomEnvelope, FindsTheRootByStartOrTakesTheFirst) {  // M07
  const auto first = package("<p xmlns=\"urn:p\"/>");
  EXPECT_EQ(opened("multipart/related; boundary=B", first), accepted);
  EXPECT_EQ(opened("multipart/related; boundary=B; start=root", first), accepted);
  EXPECT_EQ(opened("multipart/related; boundary=B; start=\"<nobody>\"", first), Errc::BadMultipart);
  const auto last = "--B\r\nContent-ID: <one@x>\r\n\r\n1\r\n" + std::string(root_head) + Message().text() + "\r\n--B--";
  EXPECT_EQ(opened(mtom, last), accepted);
  EXPECT_EQ(opened("multipart/related; boundary=B", last), Errc::UnsupportedMediaType);
  EXPECT_EQ(opened(mtom, replaced(first, "application/xop+xml", "text/xml")), Errc::UnsupportedMediaType);
  EXPECT_EQ(opened(mtom, replaced(first, "charset=UTF-8", "charset=UTF-16")), Errc::UnsupportedMediaType);
  EXPECT_EQ(opened(mtom, replaced(first, "application/xop+xml; charset=UTF-8", "multipart/related; boundary=C")),
            Errc::BadMultipart);
}

TEST(MtomEnvelope, OpensARootInBase64) {
  auto wire = replaced(package("<p xmlns=\"urn:p\"/>"), "Content-Transfer-Encoding: binary",
                       "Content-Transfer-Encoding: base64");
  const auto text = Message{.payload = "<p xmlns=\"urn:p\"/>"}.text();
  EXPECT_EQ(opened(mtom, replaced(wire, text, base::base64(text))), accepted);
}

TEST(MtomEnvelope, ResolvesEachIncludeToOnePart) {  // M01, M02, M04
  const struct {
    std::string payload, attachments;
    error_code expected;
  } rows[] = {
      {document("cid:one@x"), attachment("one@x", "1"), accepted},
      {document("cid:one%40x"), attachment("one@x", ""), accepted},
      {"<p xmlns=\"urn:p\"/>", attachment("one@x", "1") + attachment("two@x", "2"), accepted},  // unreferenced
      {document("cid:two@x"), attachment("one@x", "1"), Errc::BadMultipart},
      {document("cid:ONE@x"), attachment("one@x", "1"), Errc::BadMultipart},
      {document("cid:one%2540x"), attachment("one@x", "1"), Errc::BadMultipart},
      {document("cid:one%4"), attachment("one@x", "1"), Errc::BadMultipart},
      {document("cid:<one@x>"), attachment("one@x", "1"), base::xml::Errc::NotWellFormed},
      {document("cid:&lt;one@x&gt;"), attachment("one@x", "1"), Errc::BadMultipart},
      {document("cid:"), attachment("one@x", "1"), Errc::BadMultipart},
      {document("cid:root"), attachment("one@x", "1"), Errc::BadMultipart},
      {document("http://127.0.0.1:9/"), attachment("one@x", "1"), Errc::BadMultipart},
      {document("file:///etc/passwd"), attachment("one@x", "1"), Errc::BadMultipart},
      {document("mid:one@x"), attachment("one@x", "1"), Errc::BadMultipart},
      {document("one@x"), attachment("one@x", "1"), Errc::BadMultipart},
      {document("#one@x"), attachment("one@x", "1"), Errc::BadMultipart},
      {"<p xmlns=\"urn:p\"><xop:Include/></p>", attachment("one@x", "1"), Errc::BadMultipart},
      {"<p xmlns=\"urn:p\">x<xop:Include href=\"cid:one@x\"/></p>", attachment("one@x", "1"), Errc::BadMultipart},
      {"<p xmlns=\"urn:p\"><xop:Include href=\"cid:one@x\"/><q/></p>", attachment("one@x", "1"), Errc::BadMultipart},
      {"<p xmlns=\"urn:p\"><q/><xop:Include href=\"cid:one@x\"/></p>", attachment("one@x", "1"), Errc::BadMultipart},
      {"<p xmlns=\"urn:p\"><xop:Include href=\"cid:one@x\"><q/></xop:Include></p>", attachment("one@x", "1"),
       Errc::BadMultipart},
      {"<xop:Include href=\"cid:one@x\"/>", attachment("one@x", "1"), Errc::BadMultipart},
      {"<p xmlns=\"urn:p\"><d><xop:Include href=\"cid:one@x\"/></d><d><xop:Include href=\"cid:one@x\"/></d></p>",
       attachment("one@x", "1") + attachment("two@x", "2"), Errc::BadMultipart},
      {document("cid:one@x"), attachment("one@x", "1") + attachment("one@x", "2"), Errc::BadMultipart},
      {document("cid:one@x"), attachment("root", "1"), Errc::BadMultipart},
  };
  for (const auto& row : rows)
    EXPECT_EQ(opened(mtom, package(row.payload, row.attachments)), row.expected) << row.payload;
}

TEST(MtomEnvelope, TakesIncludesInTheBodyOfAPackageOnly) {  // M02
  EXPECT_EQ(opened(Message{.payload = document("cid:one@x")}.text()), Errc::BadMultipart);
  const auto in_header = replaced(package("<p xmlns=\"urn:p\"/>"), "<a:MessageID>",
                                  "<x xmlns=\"urn:x\"><xop:Include href=\"cid:one@x\"/></x><a:MessageID>");
  EXPECT_EQ(opened(mtom, in_header), Errc::BadMultipart);
}

TEST(MtomEnvelope, ReadsInlineBase64WithinReason) {  // M08
  const auto bytes = [](const std::string& text) {
    const auto wire = Message{.payload = "<p xmlns=\"urn:p\">" + text + "</p>"}.text();
    const auto envelope = Envelope::open(plain, wire).value();
    return envelope.binary(envelope.payload());
  };
  EXPECT_EQ(bytes("").value(), "");
  EXPECT_EQ(bytes("QUJD\nREVGQUJDREVG").value(), "ABCDEFABCDEF");
  EXPECT_EQ(bytes("QU<!-- -->JD").value(), "ABC");
  for (const auto* bad : {"Q U J D", "QQ===", "QQ=A", "QUJ", "QU*D", "QR=="}) EXPECT_FALSE(bytes(bad)) << bad;
  EXPECT_EQ(bytes("<q>QUJD</q>").error().code, base::xml::Errc::NotText);
}

TEST(MessageId, IsFoundInMessagesThatCannotBeOpened) {
  EXPECT_EQ(message_id_of(plain, Message().text()), "urn:uuid:1");
  const auto soap11 = replaced(Message().text(), "http://www.w3.org/2003/05/soap-envelope",
                               "http://schemas.xmlsoap.org/soap/envelope/");
  EXPECT_EQ(message_id_of(plain, soap11), "urn:uuid:1");
  EXPECT_EQ(message_id_of(mtom, package(document("cid:nobody"))), "urn:uuid:1");
  EXPECT_EQ(message_id_of(plain, "<a"), "");
  EXPECT_EQ(message_id_of("text/xml", Message().text()), "");
  EXPECT_EQ(message_id_of(plain, Message{.headers = "<a:MessageID>a&#10;b</a:MessageID>"}.text()), "");
  EXPECT_EQ(message_id_of(plain, Message{.headers = "<a:MessageID>a</a:MessageID><a:MessageID>b</a:MessageID>"}.text()),
            "");
}

TEST(Samples, MtomPackagesOfOthersAreOpened) {
  const auto folder = base::shared_samples() / "mtom";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no shared samples";
  for (const auto* name : {"nist-http-mtom-pnr.txt", "nist-socket-request.txt", "ett-sample-request.txt"}) {
    const auto request = base::read_file(folder / name);
    std::string header;  // the samples are whole HTTP requests
    std::size_t at = 0, next = 0;
    for (; (next = request.find('\n', at)) != std::string::npos && base::trim(request.substr(at, next - at)) != "";
         at = next + 1) {
      const auto line = request.substr(at, next - at);
      if (line.starts_with("Content-Type:") || line.starts_with("content-type:")) header = line.substr(13);
    }
    const auto body = request.substr(next + 1);
    const auto envelope = Envelope::open(header, body);
    ASSERT_TRUE(envelope) << name << ": " << envelope.error().code.message() << ", " << envelope.error().detail;
    EXPECT_EQ(envelope->payload().local_name(), "ProvideAndRegisterDocumentSetRequest");
    EXPECT_EQ(envelope->parts().size(), 1u) << name;
  }
}

}  // namespace
}  // namespace xca::soap
