#include "xca/wss/security.hpp"

#include "xca/wss/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xca::wss {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using boost::system::error_code;

static_assert(!std::is_default_constructible_v<VerifiedSecurity>);
static_assert(!std::is_constructible_v<VerifiedSecurity, certs::TrustedCertificate, certs::TrustedCertificate>);

constexpr error_code accepted{};

VerifiedSecurity verified(const std::string& message, const Rules& by = rules()) {
  const auto opened = soap::Envelope::open("application/soap+xml", message);
  return verify(opened.value(), by, noon()).value();
}

TEST(WsSecurity, AcceptsARequestSignedByItsSubject) {
  const auto security = verified(envelope(Request()));
  EXPECT_EQ(security.assertion().id, "_a1");
  EXPECT_EQ(security.assertion().issuer, "CN=clinic.example");
  EXPECT_EQ(security.assertion().name_id, "CN=Walter Brattain");
  EXPECT_EQ(security.message_signer().certificate(), partner().certificate);
  EXPECT_EQ(security.assertion_signer().certificate(), partner().certificate);
  EXPECT_EQ(security.created(), noon());
  EXPECT_FALSE(security.used_sha1());
  EXPECT_FALSE(security.body_is_signed());
  EXPECT_EQ(security.replay().window_end, noon() + 11min);
}

TEST(WsSecurity, GivesTheSignatureValuesInDocumentOrder) {
  const auto pieces = sign(Request());
  const auto value = [](const std::string& signature) {
    const auto begin = signature.find("<ds:SignatureValue>") + 19;
    return signature.substr(begin, signature.find("</ds:SignatureValue>") - begin);
  };
  const auto of_assertion = value(pieces.assertion_signature), of_message = value(pieces.signature);
  using ::testing::ElementsAre;
  EXPECT_THAT(verified(envelope(pieces)).signature_values(), ElementsAre(of_assertion, of_message));
  const auto turned = envelope(pieces, pieces.signature + pieces.assertion + pieces.timestamp);
  EXPECT_THAT(verified(turned).signature_values(), ElementsAre(of_message, of_assertion));
}

// ---- W21, W22, W11: what must be there, and once --------------------------------------------------------------------

TEST(WsSecurity, AsksForOneOfEachElementInOneHeader) {
  const auto pieces = sign(Request());
  const auto& [timestamp, assertion, signature] = std::tie(pieces.timestamp, pieces.assertion, pieces.signature);
  const auto unsigned_assertion = Request().assertion;
  const struct {
    std::string security;
    error_code expected;
  } rows[] = {
      {timestamp + assertion + signature, accepted},
      {assertion + signature + timestamp, accepted},  // W10: order does not matter
      {"", Errc::SecurityMissing},
      {assertion + signature, Errc::TimestampMissing},
      {timestamp + signature, Errc::AssertionMissing},
      {timestamp + assertion, Errc::SignatureMissing},
      {timestamp + unsigned_assertion + signature, Errc::AssertionUnsigned},
      {timestamp + assertion + "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/>",
       certs::Errc::BadReference},
      {timestamp + replaced(timestamp, "TS-1", "TS-2") + assertion + signature, Errc::TimestampDoubled},
      {timestamp + assertion + signature + signature, Errc::SignatureDoubled},
      {timestamp + timestamp + assertion + signature, base::xml::Errc::DoubledId},
      {timestamp + assertion + replaced(unsigned_assertion, "_a1", "_a2") + signature, Errc::AssertionDoubled},
      {timestamp + replaced(unsigned_assertion, "_a1", "_a2") + assertion + signature, Errc::AssertionDoubled},
      {timestamp + assertion + signature + "<e:EncryptedData xmlns:e=\"http://www.w3.org/2001/04/xmlenc#\"/>",
       certs::Errc::UnsupportedAlgorithm},  // A12
      {timestamp + "<saml2:EncryptedAssertion xmlns:saml2=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>" + signature,
       certs::Errc::UnsupportedAlgorithm},
  };
  for (const auto& row : rows) EXPECT_EQ(judged(envelope(pieces, row.security)), row.expected) << row.security;
}

TEST(WsSecurity, RefusesHeadersThatAreEncrypted_A12) {
  auto pieces = sign(Request());
  const auto header = [](std::string_view name) {
    return "<e:" + std::string(name) + " xmlns:e=\"" + std::string(soap::ns::wsse11) + "\"/>";
  };
  pieces.headers = header("EncryptedHeader");
  EXPECT_EQ(judged(envelope(pieces)), certs::Errc::UnsupportedAlgorithm);
  pieces.headers = header("SignatureConfirmation");
  EXPECT_EQ(judged(envelope(pieces)), accepted);
}

TEST(WsSecurity, AcceptsWhatAProxyRewroteOutsideTheSignedElements) {
  auto message = envelope(Request());
  message = replaced(message, "<soap:Header", "\n  <soap:Header\n xmlns:unused=\"urn:x\"");
  message = replaced(message, "<wsa:To>", "<!-- moved -->\n<wsa:To>\n");
  EXPECT_EQ(judged("<?xml version='1.0' encoding='utf-8'?>" + message), accepted);
}

TEST(WsSecurity, ReadsOneHeaderForUsAndNoneForOthers) {
  const auto role = [](std::string_view name) {
    return " xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" s:role=\"" + std::string(name) + "\"";
  };
  const std::string next = "http://www.w3.org/2003/05/soap-envelope/role/next";
  const std::string last = "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver";
  const std::string evil = "<wsse:Security xmlns:wsse=\"" + std::string(soap::ns::wsse) + "\"%>" +
                           replaced(sign(Request()).timestamp, "TS-1", "TS-2") + "</wsse:Security>";
  auto pieces = sign(Request());
  for (const auto& ours : {std::string(), role(next), role(last)}) {
    pieces.security_attributes = ours;
    pieces.headers = "";
    EXPECT_EQ(judged(envelope(pieces)), accepted);
    pieces.headers = replaced(evil, "%", role("urn:another:actor"));  // stands before ours and is left alone
    EXPECT_EQ(judged(envelope(pieces)), accepted);
    for (const auto& its : {std::string(), role(next), role(last), role("")}) {
      pieces.headers = replaced(evil, "%", its);
      EXPECT_EQ(judged(envelope(pieces)), Errc::SecurityDoubled);
    }
  }
  pieces.headers = "";
  pieces.security_attributes = role("urn:another:actor");
  EXPECT_EQ(judged(envelope(pieces)), Errc::SecurityMissing);
}

// ---- A: algorithms, keys, references --------------------------------------------------------------------------------

TEST(WsSecurity, JudgesAlgorithmsAndReferencesBeforeKeys) {
  const std::string exc = "http://www.w3.org/2001/10/xml-exc-c14n#";
  const std::string enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
  const auto method = [](std::string name) { return "http://www.w3.org/2001/04/xmldsig-more#" + name; };
  const std::string reference = "<ds:Reference URI=\"#TS-1\">";
  const struct {
    std::string from, to;
    error_code expected;
  } rows[] = {
      // A01, A02
      {method("rsa-sha256"), method("rsa-md5"), certs::Errc::UnsupportedAlgorithm},
      {method("rsa-sha256"), "http://www.w3.org/2000/09/xmldsig#dsa-sha1", certs::Errc::UnsupportedAlgorithm},
      {method("rsa-sha256"), method("hmac-sha256"), certs::Errc::UnsupportedAlgorithm},
      {method("rsa-sha256"), method("ecdsa-sha256"), certs::Errc::UnsupportedAlgorithm},  // A04: an RSA key
      {"xmlenc#sha256", "xmldsig-more#md5", certs::Errc::UnsupportedAlgorithm},
      // A03
      {"</ds:DigestValue>", "AAAA</ds:DigestValue>", certs::Errc::BadReference},
      // A07, A09
      {"<ds:Transform Algorithm=\"" + exc, "<ds:Transform Algorithm=\"" + exc + "WithComments",
       certs::Errc::UnsupportedAlgorithm},
      {"<ds:Transform Algorithm=\"" + exc, "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116",
       certs::Errc::UnsupportedAlgorithm},
      {"<ds:CanonicalizationMethod Algorithm=\"" + exc,
       "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
       certs::Errc::UnsupportedAlgorithm},
      {"</ds:Transforms>", "<ds:Transform Algorithm=\"" + enveloped + "\"></ds:Transform></ds:Transforms>",
       certs::Errc::BadReference},
      // A08, W14
      {reference, "<ds:Reference>", certs::Errc::BadReference},
      {reference, "<ds:Reference URI=\"\">", certs::Errc::BadReference},
      {reference, "<ds:Reference URI=\"#\">", certs::Errc::BadReference},
      {reference, "<ds:Reference URI=\"TS-1\">", certs::Errc::BadReference},
      {reference, "<ds:Reference URI=\"#TS-1 \">", certs::Errc::BadReference},
      {reference, "<ds:Reference URI=\"#TS%2D1\">", certs::Errc::BadReference},
      {reference, "<ds:Reference URI=\"#xpointer(id('TS-1'))\">", certs::Errc::BadReference},
      {reference, "<ds:Reference URI=\"http://127.0.0.1/\">", certs::Errc::BadReference},
      {reference, "<ds:Reference URI=\"cid:TS-1\">", certs::Errc::BadReference},
      {reference, "<ds:Reference URI=\"#ts-1\">", Errc::WrappedSignature},
      {reference, "<ds:Reference URI=\"#_a1\">", Errc::WrappedSignature},  // W19
      {"<ds:SignatureMethod", "<ds:SignatureMethod", accepted},
  };
  for (const auto& row : rows) {
    Request request;
    request.message_signing.edits = {{row.from, row.to}};
    EXPECT_EQ(judged(envelope(request)), row.expected) << row.to;
  }
}

// ---- W12, W13: what else is signed ----------------------------------------------------------------------------------

constexpr std::string_view payload =
    R"(<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"></q:AdhocQueryRequest>)";

/// A Body in canonical form, as it stands in the envelope too.
std::string body(std::string_view id, std::string_view content = payload) {
  return "<soap:Body xmlns:soap=\"" + std::string(soap::ns::soap) + "\" xmlns:wsu=\"" + std::string(soap::ns::wsu) +
         "\" wsu:Id=\"" + std::string(id) + "\">" + std::string(content) + "</soap:Body>";
}

std::string addressing_header(const std::string& name, std::string_view id, std::string_view value) {
  return "<wsa:" + name + " xmlns:wsa=\"" + std::string(soap::ns::wsa) + "\" xmlns:wsu=\"" +
         std::string(soap::ns::wsu) + "\" wsu:Id=\"" + std::string(id) + "\">" + std::string(value) + "</wsa:" + name +
         ">";
}
std::string message_id_header(std::string_view id) { return addressing_header("MessageID", id, "urn:uuid:1"); }

/// A request with these in the places of its Body and its MessageID; its signature covers `further` too.
std::string request_with(std::vector<std::pair<std::string, std::string>> further, std::string_view its_body = body("B"),
                         std::string_view after_message_id = "") {
  Request request;
  request.message_signing.further = std::move(further);
  auto pieces = sign(request);
  pieces.payload = payload;
  auto message = envelope(pieces);
  message = replaced(message, "<soap:Body>" + std::string(payload) + "</soap:Body>", its_body);
  return replaced(message, "<wsa:MessageID>urn:uuid:1</wsa:MessageID>",
                  message_id_header("M") + std::string(after_message_id));
}

TEST(WsSecurity, KnowsWhetherTheBodyIsSigned_W12) {
  EXPECT_FALSE(verified(request_with({})).body_is_signed());
  EXPECT_FALSE(verified(request_with({{"M", message_id_header("M")}})).body_is_signed());
  EXPECT_TRUE(verified(request_with({{"B", body("B")}})).body_is_signed());
  EXPECT_TRUE(verified(request_with({{"M", message_id_header("M")}, {"B", body("B")}})).body_is_signed());
}

TEST(WsSecurity, CoversOnlyWhatIsReadInTheVeryPlaceItIsReadFrom_W12_W13) {
  const auto signed_body = std::pair<std::string, std::string>("B", body("B"));
  const auto wrapper = [](const std::string& content) { return "<x:w xmlns:x=\"urn:x\">" + content + "</x:w>"; };
  const auto other = "<q:AdhocQueryRequest xmlns:q=\"urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0\" id=\"x\"/>";
  EXPECT_EQ(judged(request_with({signed_body})), accepted);
  EXPECT_EQ(judged(request_with({signed_body}, body("B", other))), certs::Errc::DigestMismatch);
  EXPECT_EQ(judged(request_with({signed_body}, body("C", other), wrapper(body("B")))), Errc::WrappedSignature);
  EXPECT_EQ(judged(request_with({signed_body}, body("C", other), body("B"))), Errc::WrappedSignature);
  EXPECT_EQ(judged(request_with({signed_body}, body("C", wrapper(body("B"))))), Errc::WrappedSignature);
  EXPECT_EQ(judged(request_with({signed_body}, body("B", other), wrapper(body("B")))), base::xml::Errc::DoubledId);
  EXPECT_EQ(judged(request_with({signed_body, signed_body})), certs::Errc::BadReference);
  EXPECT_EQ(judged(request_with({{"C", body("C")}})), Errc::WrappedSignature);
  EXPECT_EQ(judged(request_with({{"X", "<x:w xmlns:x=\"urn:x\" ID=\"X\"></x:w>"}}, body("B"),
                                "<x:w xmlns:x=\"urn:x\" ID=\"X\"/>")),
            Errc::WrappedSignature);
  EXPECT_EQ(judged(request_with({{"N", message_id_header("N")}}, body("B"), wrapper(message_id_header("N")))),
            Errc::WrappedSignature);
  EXPECT_EQ(judged(request_with({{"_a1", Request().assertion}})), certs::Errc::DigestMismatch)
      << "the assertion is covered with its signature";
  std::vector<std::pair<std::string, std::string>> many;
  for (int i = 0; i < 10; ++i) many.emplace_back("N" + std::to_string(i), "");
  EXPECT_EQ(judged(request_with(many)), certs::Errc::BadReference) << "eleven References";
  many.pop_back();
  EXPECT_EQ(judged(request_with(many)), Errc::WrappedSignature) << "ten are few enough, but of nothing";
}

TEST(WsSecurity, HoldsAPartnerToWhatItMustSign_W12_W13) {
  const auto must_sign_body = rules({.audience_optional = false, .must_sign_body = true});
  EXPECT_EQ(judged(request_with({{"B", body("B")}}), must_sign_body), accepted);
  EXPECT_EQ(judged(request_with({}), must_sign_body), Errc::BodyUnsigned);
  EXPECT_EQ(judged(request_with({{"M", message_id_header("M")}}), must_sign_body), Errc::BodyUnsigned);
  const auto must_sign_addressing = rules({.audience_optional = false, .must_sign_addressing = true});
  EXPECT_EQ(judged(request_with({{"M", message_id_header("M")}}), must_sign_addressing), Errc::AddressingUnsigned)
      << "To and Action are not covered";
  const auto to = addressing_header("To", "T", "https://gateway.example/ihe");
  const auto action = addressing_header("Action", "A", "urn:ihe:iti:2007:CrossGatewayQuery");
  auto message = request_with({{"M", message_id_header("M")}, {"T", to}, {"A", action}}, body("B"),
                              "<x:Harmless xmlns:x=\"urn:x\"/>");
  message = replaced(message, "<wsa:To>https://gateway.example/ihe</wsa:To>", to);
  message = replaced(message, "<wsa:Action>urn:ihe:iti:2007:CrossGatewayQuery</wsa:Action>", action);
  EXPECT_EQ(judged(message, must_sign_addressing), accepted) << "headers of other kinds need no signature";
  EXPECT_EQ(judged(replaced(message, "<x:Harmless", "<wsa:FaultTo xmlns:wsa=\"" + std::string(soap::ns::wsa) +
                                                        "\"><wsa:Address>" + std::string(soap::anonymous) +
                                                        "</wsa:Address></wsa:FaultTo><x:Harmless"),
                   must_sign_addressing),
            Errc::AddressingUnsigned);
}

TEST(WsSecurity, VerifiesASignedBodyOverTheOctetsOfItsParts_M03) {
  const auto with_content = [](std::string_view content) {
    return body("B", "<p xmlns=\"urn:p\"><d>" + std::string(content) + "</d></p>");
  };
  const auto include = "<xop:Include xmlns:xop=\"" + std::string(soap::ns::xop) + "\" href=\"cid:one@x\"/>";
  const auto message = request_with({{"B", with_content("QUJD")}}, with_content(include));
  const auto judged_with = [&](std::string_view octets) -> error_code {
    const auto wire = "--B\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n"
                      "Content-ID: <root>\r\n\r\n" + message + "\r\n--B\r\nContent-ID: <one@x>\r\n\r\n" +
                      std::string(octets) + "\r\n--B--\r\n";
    const auto opened = soap::Envelope::open("multipart/related; boundary=B; type=\"application/xop+xml\"; "
                                             "start=\"<root>\"; start-info=\"application/soap+xml\"", wire);
    if (!opened) return opened.error().code;
    const auto security = verify(*opened, rules(), noon());
    return security ? accepted : security.error().code;
  };
  EXPECT_EQ(judged_with("ABC"), accepted);
  EXPECT_EQ(judged_with("ABD"), certs::Errc::DigestMismatch);
}

TEST(WsSecurity, HoldsTheIssuerToWhatTheDirectorySays_T08) {
  const auto of = [](std::string issuer) {
    return rules({.audience_optional = false, .issuers = {"CN=hospital.example", std::move(issuer)}});
  };
  const auto request = [](std::string_view from, std::string_view to) {
    return envelope(Request().replace(from, to));
  };
  const auto as_is = envelope(Request());
  EXPECT_EQ(judged(as_is, of("CN=clinic.example")), accepted);
  for (const auto* other : {"CN=Clinic.example", "CN=clinic.example.", "CN=clinic.example ", " CN=clinic.example",
                            "CN=\xD1\x81linic.example", "CN=clinic.exampl", "clinic.example"}) {
    EXPECT_EQ(judged(as_is, of(other)), Errc::IssuerNotSigners) << other;
    EXPECT_EQ(judged(request(">CN=clinic.example<", ">" + std::string(other) + "<"), of("CN=clinic.example")),
              Errc::IssuerNotSigners)
        << other;
  }
  const std::string format = "\"urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName\">CN=clinic";
  EXPECT_EQ(judged(request("<saml2:Issuer Format=" + format, "<saml2:Issuer>CN=clinic")), accepted);
  EXPECT_EQ(judged(request("<saml2:Issuer Format=" + format,
                           "<saml2:Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:transient\">CN=clinic")),
            Errc::IssuerFormatUnknown);
}

TEST(WsSecurity, HoldsTheAssertionsSignatureToTheAssertion) {
  Request request;
  request.assertion_signing.uri = "#TS-1";  // W19
  EXPECT_EQ(judged(envelope(request)), Errc::WrappedSignature);
  request.assertion_signing = Request().assertion_signing;
  request.assertion_signing.enveloped = false;
  EXPECT_EQ(judged(envelope(request)), Errc::WrappedSignature);
  request.assertion_signing.enveloped = true;
  EXPECT_EQ(judged(envelope(request)), accepted);
}

/// Right after the Issuer, where the schema has it: the same signature elsewhere in the assertion is none. [W17]
TEST(WsSecurity, FindsTheAssertionsSignatureInItsPlaceOnly) {
  const auto moved = [](std::string_view before, std::string_view further) {
    auto pieces = sign(Request());
    pieces.assertion = replaced(pieces.assertion, pieces.assertion_signature, "");
    pieces.assertion = replaced(pieces.assertion, before,
                                pieces.assertion_signature + std::string(further) + std::string(before));
    return judged(envelope(pieces));
  };
  EXPECT_EQ(moved("<saml2:Subject>", ""), accepted) << "its place";
  EXPECT_EQ(moved("<saml2:Issuer ", ""), Errc::WrappedSignature) << "first of all";
  EXPECT_EQ(moved("<saml2:Conditions ", ""), Errc::WrappedSignature);
  EXPECT_EQ(moved("</saml2:Assertion>", ""), Errc::WrappedSignature) << "last of all";
  auto pieces = sign(Request());
  const auto& signature = pieces.assertion_signature;
  pieces.assertion = replaced(pieces.assertion, signature, "<x xmlns=\"urn:x\"/>" + signature);
  EXPECT_EQ(judged(envelope(pieces)), Errc::WrappedSignature) << "something between";

  const auto good = Request().assertion;
  const auto begin = good.find("<saml2:Issuer "), end = good.find("</saml2:Issuer>") + 15;
  const auto issuer = good.substr(begin, end - begin);
  Request late_issuer;
  late_issuer.assertion = replaced(replaced(good, issuer, ""), "</saml2:Subject>", "</saml2:Subject>" + issuer);
  EXPECT_EQ(judged(envelope(late_issuer)), Errc::WrappedSignature) << "after an Issuer that is not the first";
  pieces = sign(late_issuer);
  pieces.assertion = replaced(pieces.assertion, issuer + pieces.assertion_signature,
                              pieces.assertion_signature + issuer);
  EXPECT_EQ(judged(envelope(pieces)), Errc::WrappedSignature) << "after another element than the Issuer";
}

TEST(WsSecurity, TakesSha1ByExceptionOfThePartnerOnly) {
  for (const bool in_message : {true, false}) {
    Request request;
    (in_message ? request.message_signing : request.assertion_signing).sha1 = true;
    const auto message = envelope(request);
    EXPECT_EQ(judged(message), certs::Errc::UnsupportedAlgorithm);
    EXPECT_TRUE(verified(message, rules({.sha1 = true})).used_sha1());
    auto of_another = rules();
    of_another.allowance = [](const certs::Certificate& certificate) {
      return Allowance{.sha1 = certificate == other_partner().certificate};
    };
    EXPECT_EQ(judged(message, of_another), certs::Errc::UnsupportedAlgorithm);
  }
}

TEST(WsSecurity, RefusesWhatWasAlteredAfterSigning) {
  const auto message = envelope(Request());
  EXPECT_EQ(judged(replaced(message, "12:10:00Z</wsu:Expires>", "12:11:00Z</wsu:Expires>")),
            certs::Errc::DigestMismatch);
  EXPECT_EQ(judged(replaced(message, "CN=Walter", "CN=Wanda")), certs::Errc::DigestMismatch);
  EXPECT_EQ(judged(replaced(message, "<saml2:NameID ", "<saml2:NameID SPProvidedID=\"x\" ")),
            certs::Errc::DigestMismatch);
}

TEST(WsSecurity, FindsTheAssertionsKeyByItsCertificateOrAKeyHeldHere) {
  const auto of = [](const certs::Credential& who) { return key_info(certificate_data(who)); };
  const struct {
    std::string key_info;
    const certs::Credential* signer;
    error_code expected;
  } rows[] = {
      {of(partner()), &partner(), accepted},
      {key_info(certificate_data(partner()) + key_value(partner())), &partner(), accepted},
      {key_info(key_value(partner())), &partner(), accepted},  // held since it was validated
      {key_info(key_value(stranger())), &stranger(), Errc::SignatureUnresolved},
      {of(stranger()), &stranger(), certs::Errc::UnknownIssuer},
      {of(partner()), &stranger(), certs::Errc::BadSignature},  // right certificate, other key
      {key_info(certificate_data(partner()) + key_value(stranger())), &stranger(), Errc::SignatureUnresolved},
      {key_info(certificate_data(partner()) + certificate_data(stranger())), &partner(), certs::Errc::BadReference},
      {key_info(certificate_data(stranger()) + certificate_data(partner())), &partner(), certs::Errc::BadReference},
      {key_info("<ds:X509Data><ds:X509SubjectName>CN=clinic.example</ds:X509SubjectName></ds:X509Data>"), &partner(),
       Errc::SignatureUnresolved},
      {key_info("<ds:RetrievalMethod URI=\"http://127.0.0.1/\"></ds:RetrievalMethod>"), &partner(),
       Errc::SignatureUnresolved},  // A06
      {"", &partner(), Errc::SignatureUnresolved},
  };
  for (const auto& row : rows) {
    Request request;
    request.assertion_signing.key_info = row.key_info;
    request.assertion_signing.signer = row.signer;
    EXPECT_EQ(judged(envelope(request)), row.expected) << row.key_info;
  }
}

TEST(WsSecurity, JudgesCertificatesAtTheInstantOfReceipt) {
  const auto message = envelope(Request());
  auto wide = rules();
  wide.timestamp_window = wide.assertion_lifetime_max = 24h * 10000;
  EXPECT_EQ(judged(message, wide), accepted);
  EXPECT_EQ(judged(message, wide, noon() + std::chrono::days(400)), certs::Errc::Expired);
  EXPECT_EQ(judged(message, wide, noon() - 2h), certs::Errc::NotYetValid);
}

// ---- W15, T06, T07: the subject -------------------------------------------------------------------------------------

TEST(WsSecurity, FindsTheMessagesKeyThroughTheVerifiedAssertionOrACertificate) {
  const std::string wsse = "xmlns:wsse=\"" + std::string(soap::ns::wsse) + "\"";
  const auto reference = [&](std::string_view inner) {
    return key_info("<wsse:SecurityTokenReference " + wsse + ">" + std::string(inner) +
                    "</wsse:SecurityTokenReference>");
  };
  const struct {
    std::string key_info;
    const certs::Credential* signer;
    error_code expected;
  } rows[] = {
      {token_reference("_a1"), &partner(), accepted},
      {key_info(certificate_data(partner())), &partner(), accepted},
      {key_info(key_value(partner())), &partner(), accepted},
      {token_reference("_a2"), &partner(), Errc::SignatureUnresolved},
      {token_reference("_A1"), &partner(), Errc::SignatureUnresolved},
      {token_reference("_a1"), &other_partner(), certs::Errc::BadSignature},
      {token_reference("_a1"), &stranger(), certs::Errc::BadSignature},
      {key_info(certificate_data(other_partner())), &other_partner(), Errc::KeyNotSubjects},
      {key_info(certificate_data(stranger())), &stranger(), certs::Errc::UnknownIssuer},
      {key_info(certificate_data(partner())), &other_partner(), certs::Errc::BadSignature},
      {reference("<wsse:Reference URI=\"#X509\"></wsse:Reference>"), &partner(), Errc::SignatureUnresolved},
      {reference("<wsse:Embedded></wsse:Embedded>"), &partner(), Errc::SignatureUnresolved},
      {reference(""), &partner(), Errc::SignatureUnresolved},
      {replaced(token_reference("_a1"), "#SAMLID", "#SAMLAssertionID"), &partner(), Errc::SignatureUnresolved},
      {replaced(token_reference("_a1"), "</ds:KeyInfo>", certificate_data(partner()) + "</ds:KeyInfo>"), &partner(),
       Errc::SignatureUnresolved},
      {"", &partner(), Errc::SignatureUnresolved},
  };
  for (const auto& row : rows) {
    Request request;
    request.message_signing.key_info = row.key_info;
    request.message_signing.signer = row.signer;
    EXPECT_EQ(judged(envelope(request)), row.expected) << row.key_info;
  }
}

/// A request whose one confirmation was replaced by these.
Request with_confirmations(const std::string& confirmations) {
  Request request;
  const auto begin = request.assertion.find("<saml2:SubjectConfirmation "),
             end = request.assertion.find("</saml2:Subject>");
  request.assertion.replace(begin, end - begin, confirmations);
  return request;
}

std::string confirmation(std::string_view method, std::string_view content, std::string_view attributes = "") {
  std::string out = "<saml2:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:";
  out.append(method).append("\"><saml2:SubjectConfirmationData").append(attributes).append(">").append(content);
  return out.append("</saml2:SubjectConfirmationData></saml2:SubjectConfirmation>");
}

TEST(WsSecurity, AsksForOneConfirmationThatIsAllowedAndFullyValid) {
  const auto ours = key_info(certificate_data(partner())), others = key_info(certificate_data(other_partner()));
  const auto good = confirmation("holder-of-key", ours);
  const auto timed = [&](std::string_view attributes) { return confirmation("holder-of-key", ours, attributes); };
  const struct {
    std::string confirmations;
    error_code expected;
  } rows[] = {
      {good, accepted},
      {confirmation("holder-of-key", key_info(key_value(partner()))), accepted},
      {confirmation("holder-of-key", key_info(key_value(partner()) + certificate_data(partner()))), accepted},
      {timed(" NotOnOrAfter=\"2026-11-21T12:05:00Z\""), accepted},
      {timed(" Recipient=\"https://gateway.example/ihe\""), accepted},
      {timed(" Address=\"203.0.113.9\""), accepted},
      {confirmation("sender-vouches", "") + good, accepted},
      {timed(" NotOnOrAfter=\"2026-11-21T11:00:00Z\"") + good, accepted},
      {confirmation("holder-of-key", others) + good, accepted},
      {"", Errc::SubjectNotConfirmed},
      {confirmation("bearer", "", " NotOnOrAfter=\"2026-11-21T12:05:00Z\""), Errc::SubjectNotConfirmed},
      {confirmation("sender-vouches", ""), Errc::SubjectNotConfirmed},
      {confirmation("holder-of-key", ""), Errc::SubjectNotConfirmed},
      {confirmation("holder-of-key", ours + others), Errc::SubjectNotConfirmed},
      {confirmation("holder-of-key", key_info("<ds:X509Data><ds:X509SubjectName>CN=clinic.example"
                                              "</ds:X509SubjectName></ds:X509Data>")),
       Errc::SubjectNotConfirmed},
      {confirmation("holder-of-key", key_info(certificate_data(partner()) + certificate_data(partner()))),
       Errc::SubjectNotConfirmed},
      {confirmation("holder-of-key", others), certs::Errc::BadSignature},
      {confirmation("holder-of-key", key_info(certificate_data(partner()) + key_value(stranger()))),
       Errc::SubjectNotConfirmed},
      {timed(" NotOnOrAfter=\"2026-11-21T11:59:00Z\""), Errc::SubjectNotConfirmed},
      {timed(" NotBefore=\"2026-11-21T12:01:01Z\""), Errc::SubjectNotConfirmed},
      {timed(" Recipient=\"https://elsewhere.example/\""), Errc::SubjectNotConfirmed},
      {timed(" InResponseTo=\"_r\""), Errc::SubjectNotConfirmed},
      {timed(" NotOnOrAfter=\"soon\""), Errc::AssertionUnreadable},
  };
  for (const auto& row : rows)
    EXPECT_EQ(judged(envelope(with_confirmations(row.confirmations))), row.expected)
        << row.confirmations.substr(0, 160);
}

TEST(WsSecurity, TakesBearerByExceptionAndStillAsksForATrustedSignature) {
  const auto bearer_request = [](std::string_view attributes) {
    auto request = with_confirmations(confirmation("bearer", "", attributes));
    request.message_signing.key_info = key_info(certificate_data(partner()));
    return request;
  };
  const std::string in_time = " NotOnOrAfter=\"2026-11-21T12:05:00Z\"";
  const auto by = rules({.bearer = true, .audience_optional = false});
  EXPECT_EQ(judged(envelope(bearer_request(in_time)), by), accepted);
  EXPECT_EQ(judged(envelope(bearer_request(in_time))), Errc::SubjectNotConfirmed);
  EXPECT_EQ(judged(envelope(bearer_request(""))), Errc::SubjectNotConfirmed);
  EXPECT_EQ(judged(envelope(bearer_request("")), by), Errc::SubjectNotConfirmed);
  EXPECT_EQ(judged(envelope(bearer_request(" NotOnOrAfter=\"2026-11-21T11:59:00Z\"")), by), Errc::SubjectNotConfirmed);
  EXPECT_EQ(judged(envelope(bearer_request(in_time + " Recipient=\"https://elsewhere.example\"")), by),
            Errc::SubjectNotConfirmed);
  auto by_stranger = bearer_request(in_time);
  by_stranger.message_signing.signer = &stranger();
  by_stranger.message_signing.key_info = key_info(certificate_data(stranger()));
  EXPECT_EQ(judged(envelope(by_stranger), by), certs::Errc::UnknownIssuer);
}

/// Who vouches signs the assertion with what it is vouched for. [SAML token profile 1.1 §3.5.2]
TEST(WsSecurity, TakesVouchingByExceptionAndOnlyOverAssertionAndBody) {
  enum Covers { Nothing = 0, Assertion = 1, Body = 2, Both = 3 };
  const auto vouching = [](const std::string& confirmations, Covers covers) {
    auto request = with_confirmations(confirmations);
    request.message_signing.key_info = key_info(certificate_data(partner()));
    const auto assertion = base::xml::Document::parse(sign(request).assertion).value();
    auto& further = request.message_signing.further;
    if (covers & Assertion) further.emplace_back("_a1", base::xml::canonicalize(assertion.root()).value());
    if (covers & Body) further.emplace_back("B", body("B"));
    auto pieces = sign(request);
    pieces.payload = payload;
    return replaced(envelope(pieces), "<soap:Body>" + std::string(payload) + "</soap:Body>", body("B"));
  };
  const auto good = confirmation("sender-vouches", "");
  const auto by = rules({.sender_vouches = true, .audience_optional = false});
  EXPECT_EQ(judged(vouching(good, Both), by), accepted);
  EXPECT_EQ(judged(vouching(good, Both)), Errc::SubjectNotConfirmed);
  for (const auto covers : {Nothing, Assertion, Body})
    EXPECT_EQ(judged(vouching(good, covers), by), Errc::SubjectNotConfirmed) << covers;
  EXPECT_EQ(judged(vouching(confirmation("sender-vouches", "", " InResponseTo=\"_r\""), Both), by),
            Errc::SubjectNotConfirmed);
  EXPECT_EQ(judged(vouching(confirmation("bearer", "", " NotOnOrAfter=\"2026-11-21T12:05:00Z\""), Both), by),
            Errc::SubjectNotConfirmed);
}

}  // namespace
}  // namespace xca::wss
