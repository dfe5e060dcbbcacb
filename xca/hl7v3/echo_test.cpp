#include "xca/hl7v3/echo.hpp"

#include "xca/check_emitted.hpp"
#include "xca/hl7v3/query_message.hpp"

namespace xca::hl7v3 {
namespace {

/// The answer that repeats whatever queryByParameter stands in `message`, however unreadable its values are.
std::string answer_repeating(const base::xml::Element& root) {
  PatientQuery query;
  query.query_id = {"1.2", "q"};
  const auto control_act = root.first_child(soap::ns::hl7, "controlActProcess");
  query.echo = echo(*control_act->first_child(soap::ns::hl7, "queryByParameter"));
  return answer_to(query);
}
std::string answer_repeating(const std::string& message) {
  const auto document = base::xml::Document::parse(message);
  return document ? answer_repeating(document->root()) : "not parsed";
}
std::string echo_of(const QueryMessage& message) { return must_read(message).echo; }
std::string echo_of_parameters(std::string parameters) {
  const std::string all = echo_of({.parameters = std::move(parameters)});
  const std::size_t begin = all.find("<parameterList>") + 15;
  return all.substr(begin, all.find("</parameterList>") - begin);
}

constexpr std::string_view id_text = "<semanticsText>LivingSubject.id</semanticsText>";
std::string id_parameter(const std::string& value) {
  return "<livingSubjectId>" + value + std::string(id_text) + "</livingSubjectId>";
}

TEST(Echo, RepeatsAProperQueryToTheByte) {
  const std::string proper =
      R"(<queryByParameter><queryId extension="q1" root="2.999.4"></queryId><statusCode code="new"></statusCode>)"
      R"(<responseModalityCode code="R"></responseModalityCode><responsePriorityCode code="I"></responsePriorityCode>)"
      R"(<matchCriterionList><minimumDegreeMatch><value xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" value="75" xsi:type="INT"></value>)"
      R"(<semanticsText>Degree of match requested</semanticsText></minimumDegreeMatch></matchCriterionList><parameterList>)"
      R"(<livingSubjectAdministrativeGender><value code="F" codeSystem="2.16.840.1.113883.5.1"></value>)"
      R"(<semanticsText>LivingSubject.administrativeGender</semanticsText></livingSubjectAdministrativeGender>)"
      R"(<livingSubjectName><value use="L"><given partType="GIV">A &amp; B</given><family>C</family></value>)"
      R"(<semanticsText representation="TXT">LivingSubject.name</semanticsText></livingSubjectName></parameterList></queryByParameter>)";
  const auto document = base::xml::Document::parse("<x xmlns=\"urn:hl7-org:v3\">" + proper + "</x>");
  ASSERT_TRUE(document);
  EXPECT_EQ(echo(*document->root().first_child()), proper);
}

TEST(Echo, PutsElementsInSchemaOrderAndKeepsTheOrderWithinOneName) {
  EXPECT_EQ(
      echo_of_parameters(
          R"(<patientTelecom><semanticsText>t</semanticsText><value value="tel:1"/><value value="tel:2"/></patientTelecom>)"
          R"(<livingSubjectId><value root="1.2" extension="b"/></livingSubjectId>)"
          R"(<livingSubjectId><value root="1.2" extension="a"/></livingSubjectId>)"),
      id_parameter(R"(<value extension="b" root="1.2"></value>)") +
          id_parameter(R"(<value extension="a" root="1.2"></value>)") +
          R"(<patientTelecom><value value="tel:1"></value><value value="tel:2"></value><semanticsText>t</semanticsText></patientTelecom>)");
}

TEST(Echo, LeavesOutWhatTheSchemaDoesNotAllow) {
  const std::pair<const char*, const char*> rows[] = {
      {R"(<value root="urn:oid:1.2" extension="a"/>)", R"(<value extension="a"></value>)"},
      {R"(<value root="1.2" extension=""/>)", R"(<value root="1.2"></value>)"},
      {R"(<value root="1.2" nullFlavor="WHY"/>)", R"(<value root="1.2"></value>)"},
      {R"(<value root="1.2" nullFlavor="UNK"/>)", R"(<value nullFlavor="UNK" root="1.2"></value>)"},
      {R"(<value root="1.2" displayable="yes"/>)", R"(<value root="1.2"></value>)"},
      {R"(<value root="1.2" mine="x"/>)", R"(<value root="1.2"></value>)"},
      {R"(<value root="1.2">stray<child/></value>)", R"(<value root="1.2"></value>)"},
      {R"(<value root="1.2"/><unknown/>&lt;0&gt;)", R"(<value root="1.2"></value>)"},
      {R"(<value root="1.2"/><value xmlns="urn:other" root="9"/>)", R"(<value root="1.2"></value>)"},
  };
  for (const auto& [sent, repeated] : rows)
    EXPECT_EQ(echo_of_parameters("<livingSubjectId>" + std::string(sent) + "</livingSubjectId>"),
              id_parameter(repeated))
        << sent;
}

TEST(Echo, CarriesNoIdentifierOfAnyKind) {
  const std::string ids =
      R"( xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd" wsu:Id="a" ID="b" Id="c" xml:id="d" AssertionID="e")";
  EXPECT_EQ(echo_of_parameters("<livingSubjectId" + ids + R"(><value root="1.2"/></livingSubjectId>)"),
            id_parameter(R"(<value root="1.2"></value>)"));
}

TEST(Echo, KeepsATypeThatMayStandAndDropsOneThatMayNot) {
  const auto name = [](const std::string& type) {
    return echo_of_parameters(
        R"(<livingSubjectName><value xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:h="urn:hl7-org:v3" xmlns:o="urn:o" xsi:type=")" +
        type + R"("/></livingSubjectName>)");
  };
  const std::string tail = "<semanticsText>LivingSubject.name</semanticsText></livingSubjectName>";
  const std::string typed =
      R"(<livingSubjectName><value xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="PN"></value>)" +
      tail;
  const std::string plain = "<livingSubjectName><value></value>" + tail;
  EXPECT_EQ(name("PN"), typed);
  EXPECT_EQ(name("h:PN"), typed);
  EXPECT_EQ(name("o:PN"), plain);
  EXPECT_EQ(name("II"), plain);
  EXPECT_EQ(name("ANY"), plain);
  EXPECT_EQ(name("XYZ"), plain);
}

TEST(Echo, DeclaresXsiOnceAroundWhatUsesIt) {
  const std::string repeated = echo_of_parameters(
      R"(<livingSubjectBirthTime xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><value xsi:type="IVL_TS"><low xsi:type="IVXB_TS" value="1970"/></value></livingSubjectBirthTime>)");
  EXPECT_NE(repeated.find(R"(<low value="1970" xsi:type="IVXB_TS">)"), std::string::npos) << repeated;
  EXPECT_EQ(repeated.find("xmlns:xsi"), repeated.rfind("xmlns:xsi"));
}

/// Whatever a peer sends as a value, the answer stays valid: by our schemas, by the official ones, and canonical.
TEST(Echo, StaysValidForOddQueries) {
  std::vector<std::string> answers;
  const auto add = [&](const QueryMessage& message) { answers.push_back(answer_repeating(message.text())); };
  const char* parameters[] = {"livingSubjectAdministrativeGender",
                              "livingSubjectBirthPlaceAddress",
                              "livingSubjectBirthPlaceName",
                              "livingSubjectBirthTime",
                              "livingSubjectDeceasedTime",
                              "livingSubjectId",
                              "livingSubjectName",
                              "mothersMaidenName",
                              "otherIDsScopingOrganization",
                              "patientAddress",
                              "patientStatusCode",
                              "patientTelecom",
                              "principalCareProviderId",
                              "principalCareProvisionId",
                              "LivingSubjectId"};
  const char* values[] = {
      "",
      "text",
      "<value/>",
      "<value>text &amp; more</value>",
      R"(<value nullFlavor="UNK"/><value nullFlavor="?"/>)",
      R"(<value code="" codeSystem="x y" displayName=""><originalText>o</originalText><translation code="a b"><translation code="c"/></translation></value>)",
      R"(<value code=" M " value="19710814" root="1.02" extension="x" use="HP  WP phone" unit="a b"/>)",
      R"(<value use="HP WP" value="http://[::1]/"/><value value="%zz"/><value value="1:2"/><value value="tel:(1) 2"/><value value="a#b#c"/><value value="http://"/><value value="x:"/><value value="//a_b/"/><value value="http://1.2.3/"/>)",
      R"(<value value="1971"><high value="1972"/><width value="1" unit="d"/><center value="x"/><low inclusive="1"/></value>)",
      R"(<value operator="Q"><center value="1971"/><width value="1e3"/></value>)",
      R"(<value><width value="1.5"/><high value="1971-01-01"/></value>)",
      R"(<value use="L SRCH"><validTime><low value="1"/></validTime><delimiter>,</delimiter><given qualifier="AC XX" partType="FAM">a<b/></given>tail<family>f</family></value>)",
      R"(<value use="phone" isNotOrdered="1"><useablePeriod value="1" operator="I"/><city partType="SAL">c</city>&lt;0&gt;<streetAddressLine language="e n">s</streetAddressLine><zip>1</zip></value>)",
      R"(<realmCode code="US"/><typeId root="1.2"/><typeId root="1.3"/><templateId root="1.4"/><value/><semanticsText>a</semanticsText><semanticsText>b</semanticsText>)",
  };
  for (const char* parameter : parameters)
    for (const char* value : values)
      add({.parameters = "<" + std::string(parameter) +
                         R"( xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true" nullFlavor="NI">)" +
                         value + "</" + parameter + ">"});
  for (
      const char* criterion :
      {"<matchAlgorithm/>", "<matchWeight><value value=\"0.5\"/></matchWeight>",
       "<minimumDegreeMatch><value value=\"75\"/></minimumDegreeMatch>",
       R"(<minimumDegreeMatch><value xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="REAL" value="0.5"/></minimumDegreeMatch>)",
       R"(<matchAlgorithm><value xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="ST">soundex</value></matchAlgorithm>)",
       R"(<matchAlgorithm><value xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CS" code="a" codeSystem="1.2"><originalText/></value></matchAlgorithm>)"})
    add({.criteria = "<matchCriterionList>" + std::string(criterion) + "</matchCriterionList>"});
  add({.query_id = "", .codes = ""});
  add({.codes =
           R"(<responsePriorityCode code="I J"/><initialQuantity value="many"/><initialQuantityCode code="RD"/><statusCode/><statusCode/><executionAndDeliveryTime value="now"/>)",
       .after_parameters =
           R"(<sortControl><sequenceNumber value="1"/><elementName code="x" language="en">n</elementName><directionCode code="A"/></sortControl><sortControl/>)"});
  expect_well_emitted(answers);
}

TEST(Echo, StaysValidForTheRequestsOfOtherImplementations) {
  const auto samples = base::shared_samples();
  if (!std::filesystem::exists(samples)) GTEST_SKIP() << "no shared samples";
  std::vector<std::string> answers;
  for (const auto& entry : std::filesystem::directory_iterator(samples / "xcpd" / "requests")) {
    const auto document = base::xml::Document::parse(base::read_file(entry.path()));
    ASSERT_TRUE(document) << entry.path();
    if (document->root().is(soap::ns::hl7, "PRPA_IN201305UV02")) answers.push_back(answer_repeating(document->root()));
  }
  for (const char* name : {"iti55-request.xml", "iti55-request-legacy-body.xml"}) {
    const std::string wire = base::read_file(samples / "production-client" / name);
    const auto envelope = soap::Envelope::open("application/soap+xml", wire);
    ASSERT_TRUE(envelope);
    answers.push_back(answer_repeating(envelope->payload()));
    EXPECT_EQ(answers.back().find("phone"), std::string::npos);
    EXPECT_EQ(answers.back().find("&lt;0"), std::string::npos);
  }
  EXPECT_GE(answers.size(), 13u);
  expect_well_emitted(answers);
}

}  // namespace
}  // namespace xca::hl7v3
