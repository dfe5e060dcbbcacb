// Signature wrapping: a signed element somewhere, a forged one in its place. [threats.md §2]

#include "xca/wss/testing.hpp"

#include <gtest/gtest.h>

namespace xca::wss {
namespace {

using namespace testing;
using boost::system::error_code;

constexpr error_code accepted{};

/// The material of the eight classic shapes. [Somorovsky et al., On Breaking SAML]
struct Material {
  Pieces pieces = sign(Request());
  std::string original = Request().assertion;  ///< without its signature
  std::string signed_original = pieces.assertion;
  std::string signature = pieces.assertion_signature;  ///< references #_a1
  std::string forged = replaced(replaced(original, "CN=Walter Brattain", "CN=Mallory"), "_a1", "_evil");

  static std::string inside(const std::string& assertion, const std::string& content) {
    return replaced(assertion, "</saml2:Assertion>", content + "</saml2:Assertion>");
  }
  static std::string after_issuer(const std::string& assertion, const std::string& content) {
    return replaced(assertion, "</saml2:Issuer>", "</saml2:Issuer>" + content);
  }
  std::string holding(const std::string& content) const {
    return replaced(signature, "</ds:Signature>", content + "</ds:Signature>");
  }
  std::string holding_in_object(const std::string& content) const {
    return holding("<ds:Object>" + content + "</ds:Object>");
  }
  static std::string extension(const std::string& content) {
    return "<x:Ext xmlns:x=\"urn:x\">" + content + "</x:Ext>";
  }
};

struct Shape {
  const char* name;
  std::string in_security;  ///< in place of the assertion
  std::string elsewhere;    ///< the wrapped original where it is moved out of the security header
  error_code expected, expected_moved;
};

std::vector<Shape> shapes(const Material& m) {
  const auto forged_signed = m.after_issuer(m.forged, m.signature);
  return {
      {"W01 original in the forged one's signature", m.after_issuer(m.forged, m.holding(m.original)),
       m.holding(m.original), certs::Errc::BadReference, Errc::WrappedSignature},
      {"W02 original before the signature", m.after_issuer(m.forged, m.original + m.signature),
       m.original + m.signature, Errc::WrappedSignature, Errc::WrappedSignature},
      {"W03 forged one before the original", m.forged + m.signed_original, m.signed_original, Errc::AssertionDoubled,
       Errc::WrappedSignature},
      {"W04 original below the forged one", m.inside(m.forged, m.signed_original), m.signed_original,
       Errc::AssertionUnsigned, Errc::WrappedSignature},
      {"W05 original after the forged one", forged_signed + m.original, m.original, Errc::AssertionDoubled,
       Errc::WrappedSignature},
      {"W06 original at the end of the forged one's signature",
       m.after_issuer(m.forged, m.holding(m.extension(m.original))), m.holding(m.extension(m.original)),
       certs::Errc::BadReference, Errc::WrappedSignature},
      {"W07 forged one of the same identifier in an extension",
       m.extension(replaced(m.forged, "_evil", "_a1")) + m.signed_original, m.extension(m.signed_original),
       base::xml::Errc::DoubledId, Errc::WrappedSignature},
      {"W08 original in an Object of the forged one's signature",
       m.after_issuer(m.forged, m.holding_in_object(m.original)), m.holding_in_object(m.original),
       certs::Errc::BadReference, Errc::WrappedSignature},
  };
}

TEST(SignatureWrapping, AcceptsTheUnwrappedTwin) {
  const Material m;
  EXPECT_EQ(judged(envelope(m.pieces)), accepted);
  auto with_extension = m.pieces;
  with_extension.headers = m.extension("<x:Harmless/>");
  EXPECT_EQ(judged(envelope(with_extension)), accepted);
}

TEST(SignatureWrapping, RefusesTheEightShapesInTheSecurityHeader) {
  const Material m;
  for (const auto& shape : shapes(m)) {
    const auto security = m.pieces.timestamp + shape.in_security + m.pieces.signature;
    EXPECT_EQ(judged(envelope(m.pieces, security)), shape.expected) << shape.name;
  }
}

TEST(SignatureWrapping, RefusesTheEightShapesWithTheOriginalElsewhere) {
  const Material m;
  for (const auto& shape : shapes(m)) {
    const auto security = m.pieces.timestamp + m.after_issuer(m.forged, m.signature) + m.pieces.signature;
    auto moved = m.pieces;
    moved.headers = m.extension(shape.elsewhere);
    EXPECT_EQ(judged(envelope(moved, security)), shape.expected_moved) << shape.name << ", another header";
    moved = m.pieces;
    moved.payload = m.extension(shape.elsewhere);
    EXPECT_EQ(judged(envelope(moved, security)), shape.expected_moved) << shape.name << ", Body";
    moved = m.pieces;
    moved.payload += shape.elsewhere;
    EXPECT_EQ(judged(envelope(moved, security)), soap::Errc::BadEnvelope) << shape.name << ", beside the payload";
    moved = m.pieces;
    moved.after_body = m.extension(shape.elsewhere);
    EXPECT_EQ(judged(envelope(moved, security)), soap::Errc::BadEnvelope) << shape.name << ", after Body";
  }
}

TEST(SignatureWrapping, NeverTakesAnAssertionInsideTheAssertionForTheToken) {  // W09
  const Material m;
  // Inside another assertion its canonical form does not declare the prefix again.
  const auto evidence = replaced(replaced(m.forged, "urn:oid:2.999.1<", "urn:oid:2.999.666<"),
                                 " xmlns:saml2=\"urn:oasis:names:tc:SAML:2.0:assertion\"", "");
  const std::string statement = "<saml2:AuthzDecisionStatement Decision=\"Permit\" Resource=\"\"><saml2:Evidence>";
  for (const auto& inner : {statement + evidence + "</saml2:Evidence></saml2:AuthzDecisionStatement>",
                            "<saml2:Advice>" + evidence + "</saml2:Advice>"}) {
    Request request;
    request.replace("<saml2:AttributeStatement>", inner + "<saml2:AttributeStatement>");
    const auto message = envelope(request);
    const auto opened = soap::Envelope::open("application/soap+xml", message);
    const auto verified = verify(opened.value(), rules(), noon());
    ASSERT_TRUE(verified) << verified.error().detail;
    EXPECT_EQ(verified->assertion().id, "_a1");
    EXPECT_EQ(verified->assertion().name_id, "CN=Walter Brattain");
    EXPECT_EQ(verified->assertion().home_community_id, "urn:oid:2.999.1");
  }
}

TEST(SignatureWrapping, RefusesAFreshTimestampWithTheSignedOneElsewhere) {  // W10
  const Material m;
  const auto fresh = replaced(m.pieces.timestamp, "TS-1", "TS-2");
  const auto security = fresh + m.pieces.assertion + m.pieces.signature;
  auto moved = m.pieces;
  moved.headers = m.extension(m.pieces.timestamp);
  EXPECT_EQ(judged(envelope(moved, security)), Errc::WrappedSignature);
  EXPECT_EQ(judged(envelope(m.pieces, m.extension(m.pieces.timestamp) + security)), Errc::WrappedSignature);
  moved.headers = m.extension(replaced(m.pieces.timestamp, "TS-1", "TS-3"));
  EXPECT_EQ(judged(envelope(moved)), accepted);  // a stray unsigned one elsewhere decides nothing
}

TEST(SignatureWrapping, ReadsIdentifiersInTheirOwnNamespaceOnly) {  // W14, W16
  const Material m;
  const auto other_id =
      replaced(m.pieces.timestamp, " wsu:Id=\"TS-1\"", " xmlns:x=\"urn:x\" wsu:Id=\"TS-9\" x:Id=\"TS-1\"");
  EXPECT_EQ(judged(envelope(m.pieces, other_id + m.pieces.assertion + m.pieces.signature)), Errc::WrappedSignature);
  const auto evil_id = replaced(m.pieces.assertion, " ID=\"_a1\"", " xmlns:x=\"urn:x\" x:ID=\"_a1\" ID=\"_evil\"");
  EXPECT_EQ(judged(envelope(m.pieces, m.pieces.timestamp + evil_id + m.pieces.signature)), Errc::WrappedSignature);
  const auto saml_id = replaced(m.pieces.assertion, " ID=\"_a1\"", " saml2:ID=\"_a1\"");
  EXPECT_EQ(judged(envelope(m.pieces, m.pieces.timestamp + saml_id + m.pieces.signature)), Errc::WrappedSignature);
}

TEST(SignatureWrapping, TakesOneSignatureOfTheOneForm) {  // W17, W18
  const Material m;
  const auto& good = m.pieces.signature;
  const auto with_signature = [&](const std::string& signature) {
    return judged(envelope(m.pieces, m.pieces.timestamp + m.pieces.assertion + signature));
  };
  const auto second_info =
      good.substr(good.find("<ds:SignedInfo"), good.find("</ds:SignedInfo>") + 16 - good.find("<ds:SignedInfo"));
  EXPECT_EQ(with_signature(good), accepted);
  EXPECT_EQ(with_signature(good + replaced(good, "#TS-1", "#_a1")), Errc::SignatureDoubled);
  EXPECT_EQ(with_signature(replaced(good, "</ds:Signature>", good + "</ds:Signature>")), certs::Errc::BadReference);
  EXPECT_EQ(with_signature(replaced(good, "</ds:Signature>", "<ds:Object></ds:Object></ds:Signature>")),
            certs::Errc::BadReference);
  EXPECT_EQ(with_signature(replaced(good, "</ds:SignedInfo>", "</ds:SignedInfo>" + second_info)),
            certs::Errc::BadReference);
  EXPECT_EQ(with_signature(replaced(good, "<ds:KeyInfo", "<ds:SignatureValue>AA==</ds:SignatureValue><ds:KeyInfo")),
            certs::Errc::BadReference);
  EXPECT_EQ(with_signature(replaced(good, "xmldsig#\"", "xmldsig#2\"")), Errc::SignatureMissing);
  EXPECT_EQ(with_signature(replaced(good, "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"",
                                    "<ds:SignedInfo xmlns:ds=\"urn:x\"")),
            certs::Errc::BadReference);
  // A comment is no part of a value: the digest is the concatenation, and it is still the right one.
  EXPECT_EQ(with_signature(replaced(good, "</ds:SignatureValue>", "<!-- x --></ds:SignatureValue>")), accepted);
}

}  // namespace
}  // namespace xca::wss
