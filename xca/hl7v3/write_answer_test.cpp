#include "xca/check_emitted.hpp"
#include "xca/hl7v3/query_message.hpp"

namespace xca::hl7v3 {
namespace {

using testing::HasSubstr;
using testing::Not;

PatientMatch match(std::string extension = "P-300412") {
  return {.id = {"2.999.7.1", std::move(extension)},
          .person = {.names = {{"Quill & Feather", {"Odessa", "Rue"}, "Dr", "III"}},
                     .gender = "F",
                     .birth_date = "19710814",
                     .addresses = {{{"12 Lantern Row", "Apt \"2\""}, "Millhaven", "OH", "43999", "USA"}},
                     .telecoms = {"tel:+1-614-555-0142", "http://[no uri"}},
          .score = 97,
          .custodian = "2.999.7"};
}
std::string answer(const QueryOutcome& outcome, const QueryMessage& message = {}) {
  return answer_to(must_read(message), outcome);
}

TEST(WriteAnswer, WritesEveryOutcomeValidAndCanonical) {
  std::vector<std::string> answers = {answer({}), answer({.matches = {match()}}),
                                      answer({.matches = {match(), match("x<y>&\"'")}}),
                                      answer({.matches = {PatientMatch{}}})};
  for (const Wanted wanted : {Wanted::Gender, Wanted::Address, Wanted::Telecom, Wanted::BirthPlaceName,
                              Wanted::BirthPlaceAddress, Wanted::MothersMaidenName})
    answers.push_back(answer({.wanted = {wanted, Wanted::Gender}}));
  for (const Problem problem :
       {Problem::ResponderBusy, Problem::AnswerNotAvailable, Problem::InternalError, Problem::BadQuery})
    answers.push_back(answer({.problem = problem}));
  answers.push_back(answer({}, {.id = R"(<id root="urn:uuid:x" extension="&quot;&lt;"/>)", .sender = "<sender/>"}));
  expect_well_emitted(answers);
}

TEST(WriteDeferredRefusal, IsValidAndSaysThatTheModeIsNotSupported) {
  const auto text = write_deferred_refusal(must_read({}), {.home = "2.999.7", .device = "2.999.7.9", .authority = ""},
                                           "0c9a3b7e-51d2-4a86-9e0f-7b6a5c4d3e21", base::from_micros(0));
  expect_well_emitted({text});
  EXPECT_THAT(text, HasSubstr(R"(<acknowledgement><typeCode code="AE"></typeCode><targetMessage>)"));
  EXPECT_THAT(text, HasSubstr(R"(<code code="NS250" codeSystem="2.16.840.1.113883.5.1100"></code>)"
                              R"(<text>Unsupported processing mode</text>)"));
}

TEST(WriteAnswer, SwapsReceiverAndSenderAndNamesTheRequest) {
  const std::string text = answer({}, {.processing = R"(<processingCode code="T"/>)"});
  EXPECT_THAT(
      text,
      HasSubstr(
          R"(<receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE"><id root="2.999.9"></id>)"
          R"(<asAgent classCode="AGNT"><representedOrganization classCode="ORG" determinerCode="INSTANCE"><id root="2.999.4"></id>)"));
  EXPECT_THAT(
      text,
      HasSubstr(
          R"(<sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE"><id root="2.999.7.9"></id>)"));
  EXPECT_THAT(text, HasSubstr(R"(<targetMessage><id extension="m1" root="1.2.3"></id></targetMessage>)"));
  EXPECT_THAT(
      text,
      HasSubstr(
          R"(<processingCode code="T"></processingCode><processingModeCode code="T"></processingModeCode><acceptAckCode code="NE"></acceptAckCode>)"));
  EXPECT_THAT(text, HasSubstr(R"(<creationTime value="20260302150405+0000"></creationTime>)"));
}

TEST(WriteAnswer, SaysTheCodesOfEachOutcome) {
  const auto codes = [](const QueryOutcome& outcome) {
    const std::string text = answer(outcome);
    const auto between = [&](std::string_view before) {
      const std::size_t at = text.find(before) + before.size();
      return text.substr(at, text.find('"', at) - at);
    };
    std::size_t subjects = 0, reasons = 0;
    for (std::size_t at = 0; (at = text.find("<subject ", at)) != std::string::npos; ++at) ++subjects;
    for (std::size_t at = 0; (at = text.find("<reasonOf", at)) != std::string::npos; ++at) ++reasons;
    return between("<acknowledgement><typeCode code=\"") + " " + between("<queryResponseCode code=\"") + " " +
           between("</queryId><statusCode code=\"") + " " + std::to_string(subjects) + " " + std::to_string(reasons);
  };
  EXPECT_EQ(codes({}), "AA NF deliveredResponse 0 0");
  EXPECT_EQ(codes({.matches = {match()}}), "AA OK deliveredResponse 1 0");
  EXPECT_EQ(codes({.matches = {match(), match("2")}}), "AA OK deliveredResponse 2 0");
  EXPECT_EQ(codes({.wanted = {Wanted::Address}}), "AA OK deliveredResponse 0 1");
  EXPECT_EQ(codes({.problem = Problem::AnswerNotAvailable}), "AE AE aborted 0 1");
  EXPECT_EQ(codes({.problem = Problem::BadQuery}), "AE QE aborted 0 0");
  EXPECT_EQ(codes({.matches = {match()}, .problem = Problem::InternalError}), "AE AE aborted 0 1");
}

TEST(WriteAnswer, DescribesAMatchFromOurRecord) {
  const std::string text = answer({.matches = {match()}});
  EXPECT_THAT(
      text,
      HasSubstr(
          R"(<patient classCode="PAT"><id extension="P-300412" root="2.999.7.1"></id><statusCode code="active"></statusCode>)"));
  EXPECT_THAT(text, HasSubstr("<name><prefix>Dr</prefix><given>Odessa</given><given>Rue</given><family>Quill &amp; "
                              "Feather</family><suffix>III</suffix></name>"));
  EXPECT_THAT(
      text,
      HasSubstr(
          R"(<telecom value="tel:+1-614-555-0142"></telecom><administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"></administrativeGenderCode><birthTime value="19710814"></birthTime><addr>)"));
  EXPECT_THAT(
      text,
      HasSubstr(
          R"(<assignedEntity classCode="ASSIGNED"><id root="2.999.7"></id><code code="NotHealthDataLocator" codeSystem="1.3.6.1.4.1.19376.1.2.27.2"></code>)"));
  EXPECT_THAT(text, HasSubstr(R"(value="97" xsi:type="INT")"));
  EXPECT_THAT(text, Not(HasSubstr("resultTotalQuantity")));
  auto unknown = match();
  unknown.person.gender.clear();
  EXPECT_THAT(answer({.matches = {unknown}}), HasSubstr(R"(<administrativeGenderCode nullFlavor="UNK">)"));
  unknown.person.gender = "UN";
  EXPECT_THAT(answer({.matches = {unknown}}), HasSubstr(R"(<administrativeGenderCode code="UN")"));
}

TEST(WriteAnswer, RepeatsTheQueryAfterTheAcknowledgement) {
  const PatientQuery query = must_read({});
  EXPECT_THAT(answer_to(query), HasSubstr("</queryAck>" + query.echo + "</controlActProcess></PRPA_IN201306UV02>"));
}

}  // namespace
}  // namespace xca::hl7v3
