#include "xca/wss/assertion.hpp"

#include "xca/wss/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xca::wss {
namespace {

using namespace testing;
using boost::system::error_code;
using ::testing::ElementsAre;

constexpr error_code accepted{};
constexpr std::string_view nhin = "2.16.840.1.113883.3.18.7.1";

/// What stands in an assertion after an edit of the good one.
struct Reading {
  error_code error;
  Assertion values;
};
Reading read(std::string_view from, std::string_view to) {
  const auto text = replaced(Request().assertion, from, to);
  const auto document = base::xml::Document::parse(text);
  if (!document) return {document.error().code, {}};
  auto claims = read_claims(document->root());
  if (!claims) return {claims.error().code, {}};
  const auto attributes = read_attributes(document->root(), claims->values);
  if (!attributes) return {attributes.error().code, {}};
  return {accepted, claims->values};
}

std::string attribute(std::string_view name, std::string_view value) {
  return "<saml2:Attribute Name=\"" + std::string(name) + "\"><saml2:AttributeValue>" + std::string(value) +
         "</saml2:AttributeValue></saml2:Attribute>";
}
constexpr std::string_view end_of_last = "</saml2:AttributeStatement></saml2:Assertion>";
/// The good assertion with one attribute more.
Reading read_with(const std::string& further) { return read(end_of_last, further + std::string(end_of_last)); }

TEST(Assertion, ReadsTheAttributesOfEveryStatement) {
  const auto values = read("<saml2:Subject>", "<saml2:Subject>").values;
  EXPECT_EQ(values.subject_id, "Walter Brattain");
  EXPECT_EQ(values.organization, "Family Medical Clinic");
  EXPECT_EQ(values.organization_id, "urn:oid:2.999.1");
  EXPECT_EQ(values.home_community_id, "urn:oid:2.999.1");
  ASSERT_TRUE(values.role);
  EXPECT_EQ(values.role->code, "46255001");
  EXPECT_THAT(values.purposes_of_use, ElementsAre(Code{"TREATMENT", std::string(nhin), ""}));
  EXPECT_THAT(values.audiences, ElementsAre("https://gateway.example/ihe"));
}

TEST(Assertion, ReadsTheOptionalAttributes) {
  const auto values =
      read_with(attribute("urn:oasis:names:tc:xspa:2.0:subject:npi", "1234567890") +
                attribute("urn:oasis:names:tc:xacml:2.0:resource:resource-id", "5^^^&amp;2.999&amp;ISO") +
                attribute("QueryAuthGrantor", "Organization/2.999.7") +
                attribute("urn:ihe:iti:xua:2012:acp", "urn:oid:1.2") +
                attribute("urn:ihe:iti:bppc:2007:docid", "urn:oid:1.3"))
          .values;
  EXPECT_EQ(values.npi, "1234567890");
  EXPECT_EQ(values.resource_id, "5^^^&2.999&ISO");
  EXPECT_EQ(values.query_auth_grantor, "Organization/2.999.7");
  EXPECT_THAT(values.policy_references, ElementsAre("urn:oid:1.2", "urn:oid:1.3"));
}

TEST(Assertion, RecordsTheConsentsNamedInTheEvidence) {
  const auto evidence =
      "<saml2:AuthzDecisionStatement Decision=\"Permit\" Resource=\"\"><saml2:Evidence><saml2:Assertion>"
      "<saml2:AttributeStatement>" +
      attribute("AccessConsentPolicy", "urn:oid:1.2.3") + attribute("InstanceAccessConsentPolicy", "urn:oid:1.2.4") +
      attribute("QueryAuthGrantor", "Organization/2.999.666") +
      "</saml2:AttributeStatement></saml2:Assertion></saml2:Evidence></saml2:AuthzDecisionStatement></saml2:Assertion>";
  const auto reading = read("</saml2:Assertion>", evidence);
  EXPECT_EQ(reading.error, accepted);
  EXPECT_THAT(reading.values.policy_references, ElementsAre("urn:oid:1.2.3", "urn:oid:1.2.4"));
  EXPECT_EQ(reading.values.query_auth_grantor, "");
}

constexpr std::string_view home =
    "<saml2:AttributeValue>urn:oid:2.999.1</saml2:AttributeValue></saml2:Attribute>"
    "<saml2:Attribute Name=\"urn:oasis:names:tc:xacml:2.0:subject:role\">";
std::string home_as(std::string_view value) { return replaced(std::string(home), "urn:oid:2.999.1", value); }

TEST(Assertion, NamesExactlyOneHomeCommunity) {  // T09
  const auto name = "urn:nhin:names:saml:homeCommunityId";
  EXPECT_EQ(read(home, home_as("2.999.1")).error, accepted);
  EXPECT_EQ(read(home, home_as("urn:oid:2.99<!-- x -->9.1")).values.home_community_id, "urn:oid:2.999.1");  // X09
  EXPECT_EQ(read_with(attribute(name, "urn:oid:2.999.1")).error, accepted);
  EXPECT_EQ(read_with(attribute(name, "2.999.1")).error, accepted);
  EXPECT_EQ(read_with(attribute("urn:ihe:iti:xca:2010:homeCommunityId", "urn:oid:2.999.1")).error, accepted);
  EXPECT_EQ(read_with(attribute(name, "urn:oid:2.999.2")).error, Errc::AttributeContradictory);
  EXPECT_EQ(read_with(attribute("urn:ihe:iti:xca:2010:homeCommunityId", "2.999.2")).error,
            Errc::AttributeContradictory);
  EXPECT_EQ(read(home, home_as("")).error, Errc::AttributeMissing);
  for (const auto* value : {"urn:oid:urn:oid:2.999.1", "URN:OID:2.999.1", "urn:oid:2.999.1.", "clinic",
                            "urn:oid:2.999.1<b></b>", "urn:oid:2.999&#x200B;.1", "2.999\n.1"})
    EXPECT_EQ(read(home, home_as(value)).error, Errc::AssertionUnreadable) << value;
}

TEST(Assertion, AsksForTheRequiredAttributes) {  // T12
  for (const auto* name :
       {"urn:oasis:names:tc:xspa:1.0:subject:subject-id", "urn:oasis:names:tc:xspa:1.0:subject:organization\"",
        "urn:oasis:names:tc:xspa:1.0:subject:organization-id", "urn:nhin:names:saml:homeCommunityId",
        "urn:oasis:names:tc:xacml:2.0:subject:role"}) {
    const auto other = std::string_view(name).ends_with('"') ? "urn:x\"" : "urn:x";
    EXPECT_EQ(read(name, other).error, Errc::AttributeMissing) << name;
  }
  EXPECT_EQ(read("Walter Brattain</saml2:AttributeValue>", "</saml2:AttributeValue>").error, Errc::AttributeMissing);
}

TEST(Assertion, TakesTheOldNameOfTheSubject) {
  const auto reading =
      read("urn:oasis:names:tc:xspa:1.0:subject:subject-id", "urn:oasis:names:tc:xacml:1.0:subject:subject-id");
  EXPECT_EQ(reading.error, accepted);
  EXPECT_EQ(reading.values.subject_id, "Walter Brattain");
}

TEST(Assertion, RefusesContradictionsAndExcess) {  // T12
  EXPECT_EQ(
      read_with(attribute("QueryAuthGrantor", "Organization/1.2") + attribute("QueryAuthGrantor", "Organization/1.3"))
          .error,
      Errc::AttributeContradictory);  // T10
  EXPECT_EQ(read_with(attribute("urn:oasis:names:tc:xspa:1.0:subject:subject-id", "Someone Else")).error,
            Errc::AttributeContradictory);
  EXPECT_EQ(read_with(attribute("urn:x", std::string(5000, 'x'))).error, accepted);  // not read at all
  EXPECT_EQ(read("Walter Brattain</saml2:AttributeValue>", std::string(5000, 'x') + "</saml2:AttributeValue>").error,
            Errc::AssertionUnreadable);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += attribute("urn:x", "y");
  EXPECT_EQ(read_with(many).error, Errc::AssertionUnreadable);
  EXPECT_EQ(read_with("<saml2:EncryptedAttribute></saml2:EncryptedAttribute>").error, Errc::AssertionUnreadable);
}

constexpr std::string_view purpose =
    R"(<hl7:PurposeOfUse xmlns:hl7="urn:hl7-org:v3" code="TREATMENT" codeSystem="2.16.840.1.113883.3.18.7.1"></hl7:PurposeOfUse>)";

TEST(Assertion, ReadsEveryPurposeAndDefaultsToNone) {  // T11
  const auto reading = [](std::string_view to) { return read(purpose, to); };
  const auto code = [](std::string_view text) { return Code{std::string(text), std::string(nhin), ""}; };
  EXPECT_THAT(
      reading(
          replaced(
              std::string(purpose), "<hl7:PurposeOfUse xmlns",
              "<hl7:PurposeOfUse xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"hl7:CE\" xmlns"))
          .values.purposes_of_use,
      ElementsAre(code("TREATMENT")));
  EXPECT_THAT(
      reading(R"(<h:PurposeForUse xmlns:h="urn:hl7-org:v3" code="PAYMENT" codeSystem="2.16.840.1.113883.3.18.7.1"/>)")
          .values.purposes_of_use,
      ElementsAre(code("PAYMENT")));
  const auto second = replaced(std::string(purpose), "TREATMENT", "COVERAGE");
  EXPECT_THAT(
      reading(std::string(purpose) + "</saml2:AttributeValue><saml2:AttributeValue>" + second).values.purposes_of_use,
      ElementsAre(code("TREATMENT"), code("COVERAGE")));
  EXPECT_THAT(read_with(attribute("urn:oasis:names:tc:xspa:1.0:subject:purposeofuse", second)).values.purposes_of_use,
              ElementsAre(code("TREATMENT"), code("COVERAGE")));
  EXPECT_THAT(reading(R"(<h:PurposeOfUse xmlns:h="urn:hl7-org:v3" code=" treatment" displayName="Treatment"/>)")
                  .values.purposes_of_use,
              ElementsAre(Code{" treatment", "", "Treatment"}));  // kept byte for byte: policy knows no such code
  EXPECT_EQ(reading("").error, accepted);
  EXPECT_TRUE(reading("").values.purposes_of_use.empty());
  for (const auto& bad : {std::string("TREATMENT"), std::string(purpose) + second,
                          replaced(std::string(purpose), "code=\"TREATMENT\"", "displayName=\"Treatment\""),
                          replaced(std::string(purpose), "urn:hl7-org:v3", "urn:hl7-org:v2"),
                          std::string(R"(<h:Purpose xmlns:h="urn:hl7-org:v3" code="TREATMENT"/>)")})
    EXPECT_EQ(reading(bad).error, Errc::AssertionUnreadable) << bad;
}

TEST(Assertion, ReadsTheIssuerAsOneText) {  // T08, X09
  constexpr std::string_view issuer = "CN=clinic.example</saml2:Issuer>";
  EXPECT_EQ(read(issuer, "CN=clinic<!-- -->.example</saml2:Issuer>").values.issuer, "CN=clinic.example");
  EXPECT_EQ(read(issuer, "CN=clinic<![CDATA[.example]]></saml2:Issuer>").values.issuer, "CN=clinic.example");
  EXPECT_EQ(read(issuer, "CN=clinic.example.</saml2:Issuer>").values.issuer, "CN=clinic.example.");
  EXPECT_EQ(read(issuer, "<b>CN</b>=clinic.example</saml2:Issuer>").error, Errc::AssertionUnreadable);
  EXPECT_EQ(read(issuer, " </saml2:Issuer>").error, Errc::AssertionUnreadable);
  EXPECT_EQ(read(issuer, "CN=clinic&#x202E;example</saml2:Issuer>").error, Errc::AssertionUnreadable);
  EXPECT_EQ(read("CN=Walter Brattain", "CN=a\\,O=b").values.name_id, "CN=a\\,O=b");  // T13
}

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all.append(text);
  return all;
}

/// The longest text, the longest list: taken. One more: refused. [T12]
TEST(Assertion, KeepsItsLimitsToTheLast) {
  const auto text = [](std::size_t length) { return std::string(length, 'x'); };
  const auto subject = [&](std::size_t length) {
    return read("Walter Brattain</saml2:AttributeValue>", text(length) + "</saml2:AttributeValue>").error;
  };
  EXPECT_EQ(subject(4096), accepted);
  EXPECT_EQ(subject(4097), Errc::AssertionUnreadable);
  const auto format = [&](const std::string& value) {
    return read("<saml2:NameID Format=\"", "<saml2:NameID Format=\"" + value + "\" SPProvidedID=\"").error;
  };
  EXPECT_EQ(format(text(4096)), accepted);
  EXPECT_EQ(format(text(4097)), Errc::AssertionUnreadable);
  EXPECT_EQ(format("x&#x200B;y"), Errc::AssertionUnreadable);
  const auto role = [&](const std::string& code, const std::string& system, const std::string& display) {
    return read("code=\"46255001\" codeSystem=\"2.16.840.1.113883.6.96\"",
                "code=\"" + code + "\" codeSystem=\"" + system + "\" displayName=\"" + display + "\"").error;
  };
  EXPECT_EQ(role(text(4096), text(4096), text(4096)), accepted);
  EXPECT_EQ(role(text(4097), "1.2", ""), Errc::AssertionUnreadable);
  EXPECT_EQ(role("1", text(4097), ""), Errc::AssertionUnreadable);
  EXPECT_EQ(role("1", "1.2", text(4097)), Errc::AssertionUnreadable);
  EXPECT_EQ(role("1&#x200B;", "1.2", ""), Errc::AssertionUnreadable);
  EXPECT_EQ(role("1", "1.2&#x200B;", ""), Errc::AssertionUnreadable);
  EXPECT_EQ(role("1", "1.2", "a&#x200B;b"), accepted) << "a name to be shown decides nothing";
  const auto more = [](std::string_view before, std::string_view further, int times) {
    return read(before, repeated(further, times) + std::string(before)).error;
  };
  const auto limit = [&](std::string_view before, std::string_view further, int most) {
    EXPECT_EQ(more(before, further, most), accepted) << further;
    EXPECT_EQ(more(before, further, most + 1), Errc::AssertionUnreadable) << further;
  };
  limit("</saml2:Subject>", "<saml2:SubjectConfirmation Method=\"x\"></saml2:SubjectConfirmation>", 7);
  limit("</saml2:AudienceRestriction>", "<saml2:Audience>https://other.example</saml2:Audience>", 199);
  limit("</saml2:Conditions>",
        "<saml2:AudienceRestriction><saml2:Audience>https://other.example</saml2:Audience></saml2:AudienceRestriction>",
        199);
  limit("<saml2:AttributeStatement>",
        "<saml2:AuthnStatement AuthnInstant=\"2026-11-21T12:00:00Z\"></saml2:AuthnStatement>", 199);
  limit(end_of_last, attribute("urn:x", "y"), 194);  // six are there
}

TEST(Assertion, TellsWhatIsAbsentFromWhatIsThere) {
  const auto claims_of = [](std::string_view from, std::string_view to) {
    const auto document = base::xml::Document::parse(replaced(Request().assertion, from, to)).value();
    return read_claims(document.root());
  };
  const auto plain = claims_of("<saml2:Subject>", "<saml2:Subject>").value();
  ASSERT_EQ(plain.authentications.size(), 1u);
  EXPECT_FALSE(plain.authentications[0].session_ends);
  ASSERT_EQ(plain.confirmations.size(), 1u);
  EXPECT_FALSE(plain.confirmations[0].not_on_or_after);
  EXPECT_EQ(plain.confirmations[0].key_infos.size(), 1u);

  const auto without_data =
      claims_of("</saml2:Subject>", "<saml2:SubjectConfirmation Method=\"urn:x\"/></saml2:Subject>");
  ASSERT_EQ(without_data.value().confirmations.size(), 2u);
  EXPECT_EQ(without_data.value().confirmations[1].method, "urn:x");
  EXPECT_TRUE(without_data.value().confirmations[1].key_infos.empty());
  EXPECT_EQ(claims_of("</saml2:SubjectConfirmation>",
                      "<saml2:SubjectConfirmationData/></saml2:SubjectConfirmation>").error().code,
            Errc::AssertionUnreadable);
  EXPECT_EQ(claims_of("</saml2:AudienceRestriction>", "<saml2:OneTimeUse/></saml2:AudienceRestriction>").error().code,
            Errc::ConditionUnknown);
  EXPECT_EQ(read("Walter Brattain</saml2:AttributeValue>",
                 "Walter Brattain</saml2:AttributeValue><saml2:AttributeValue/>").values.subject_id, "Walter Brattain");
  constexpr std::string_view role =
      "<hl7:Role xmlns:hl7=\"urn:hl7-org:v3\" code=\"46255001\" codeSystem=\"2.16.840.1.113883.6.96\"></hl7:Role>";
  EXPECT_EQ(read(role, "").error, Errc::AttributeMissing);
}

TEST(Assertion, AsksForOneSubjectWithAName) {
  EXPECT_EQ(read("<saml2:Subject>", "<saml2:Subject></saml2:Subject><saml2:Subject>").error, Errc::AssertionUnreadable);
  EXPECT_EQ(read("<saml2:NameID ", "<saml2:NameID>x</saml2:NameID><saml2:NameID ").error, Errc::AssertionUnreadable);
  EXPECT_EQ(read("<saml2:Conditions ", "<saml2:Conditions/><saml2:Conditions ").error, Errc::AssertionUnreadable);
}

}  // namespace
}  // namespace xca::wss
