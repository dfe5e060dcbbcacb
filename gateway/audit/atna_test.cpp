#include "gateway/audit/atna.hpp"

#include "base/xml/document.hpp"
#include "gateway/audit/syslog.hpp"

#include <gmock/gmock.h>

namespace gateway::audit {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

Event exchange(const char* transaction, Outcome outcome) {
  Event event;
  event.request = "r";
  event.at = base::from_micros(1'700'000'000'123'456);
  event.transaction = transaction;
  event.outcome = outcome;
  event.implementer = "2.999.1";
  event.address = "192.0.2.7";
  event.endpoint = "https://gateway.example:8443/ihe/xcpd";
  event.process = "4711";
  event.user = "Ada Quill";
  event.name_id = "ada";
  event.alias = "aq";
  event.issuer = "idp.example";
  event.community = "2.999.2";
  event.query_hash = "00";
  event.query_id = "q@1.2";
  return event;
}

Reported place(std::string query = {}) { return {.node = "n1", .seq = 7, .query = std::move(query)}; }

std::vector<std::string> told(const Event& event, const Reported& where = place()) {
  std::vector<std::string> texts;
  for (const auto& message : write_messages(event, where)) {
    const auto document = base::xml::Document::parse(message.xml);
    EXPECT_TRUE(document) << message.xml;
    texts.push_back(message.xml);
  }
  return texts;
}

TEST(AuditMessage, OfAQueryNamesAskerGatewayPersonQueryAndPatients) {
  auto event = exchange("ITI-55", Outcome::Released);
  event.patient_ids = {"P1^^^&1.2&ISO", "P2^^^&1.2&ISO"};
  event.purpose_codes = {{"TREATMENT", "2.16.840.1.113883.3.18.7.1", ""}};
  event.role = base::Code{"46255001", "2.16.840.1.113883.6.96", "Pharmacist"};
  const auto texts = told(event, place("<q/>"));
  ASSERT_THAT(texts, SizeIs(1));
  for (const auto* part :
       {R"(EventActionCode="E" EventDateTime="2023-11-14T22:13:20.123Z" EventOutcomeIndicator="0")",
        R"(<EventID csd-code="110112" codeSystemName="DCM" originalText="Query"/>)",
        R"(<EventTypeCode csd-code="ITI-55" codeSystemName="IHE Transactions" )"
        R"(originalText="Cross Gateway Patient Discovery"/>)",
        R"(<PurposeOfUse csd-code="TREATMENT" codeSystemName="2.16.840.1.113883.3.18.7.1" originalText="TREATMENT"/>)",
        R"(<ActiveParticipant UserID="urn:oid:2.999.1" UserIsRequestor="true" NetworkAccessPointID="192.0.2.7" )"
        R"(NetworkAccessPointTypeCode="2"><RoleIDCode csd-code="110153")",
        R"(<ActiveParticipant UserID="https://gateway.example:8443/ihe/xcpd" AlternativeUserID="4711" )"
        R"(UserIsRequestor="false" NetworkAccessPointID="gateway.example" NetworkAccessPointTypeCode="1">)"
        R"(<RoleIDCode csd-code="110152")",
        R"(<ActiveParticipant UserID="Ada Quill" UserName="aq&lt;ada@idp.example&gt;" UserIsRequestor="true">)"
        R"(<RoleIDCode csd-code="46255001" codeSystemName="2.16.840.1.113883.6.96" originalText="Pharmacist"/>)",
        R"(<AuditSourceIdentification AuditEnterpriseSiteID="2.999.2" AuditSourceID="n1">)",
        R"(ParticipantObjectID="P1^^^&amp;1.2&amp;ISO" ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1")",
        R"(ParticipantObjectID="P2^^^&amp;1.2&amp;ISO")",
        R"(<ParticipantObjectQuery>PHEvPg==</ParticipantObjectQuery>)",
        R"(<ParticipantObjectDetail type="ihe:homeCommunityID" value="Mi45OTkuMg=="/>)", R"(ParticipantObjectID="n1/7")"})
    EXPECT_THAT(texts[0], HasSubstr(part));
}

TEST(AuditMessage, GivesTheHashOfAQueryThatWasNotKept) {
  const auto texts = told(exchange("ITI-38", Outcome::NoMatch));
  EXPECT_THAT(texts[0], Not(HasSubstr("ParticipantObjectQuery")));
  EXPECT_THAT(texts[0], HasSubstr(R"(<ParticipantObjectDetail type="gatehouse:querySha256" value="MDA="/>)"));
  EXPECT_THAT(texts[0], HasSubstr(R"(type="urn:ihe:iti:xca:2010:homeCommunityId")"));
}

TEST(AuditMessage, NamesTheAddressOfAnAsynchronousAnswer) {
  auto event = exchange("ITI-55", Outcome::Released);
  event.reply_to = "https://asker.example/reply";
  EXPECT_THAT(told(event)[0], HasSubstr(R"(UserID="https://asker.example/reply")"));
  event.reply_to = "http://www.w3.org/2005/08/addressing/anonymous";
  EXPECT_THAT(told(event)[0], HasSubstr(R"(UserID="urn:oid:2.999.1")"));
  event.implementer.clear();
  EXPECT_THAT(told(event)[0], HasSubstr(R"(UserID="unknown")"));
}

TEST(AuditMessage, TellsOutcomesApart) {
  const std::pair<Outcome, const char*> table[] = {{Outcome::Released, "0"}, {Outcome::NoMatch, "0"},
                                                   {Outcome::Withheld, "4"}, {Outcome::Refused, "4"},
                                                   {Outcome::Fault, "8"}};
  for (const auto& [outcome, indicator] : table) {
    EXPECT_THAT(told(exchange("ITI-55", outcome))[0],
                HasSubstr("EventOutcomeIndicator=\"" + std::string(indicator) + "\""));
  }
  EXPECT_FALSE(is_reported(exchange("ITI-55", Outcome::Sent)));
  EXPECT_FALSE(is_reported(exchange("policy set", Outcome::Changed)));
  EXPECT_TRUE(is_reported(exchange("", Outcome::Fault)));
}

TEST(AuditMessage, TellsDocumentsGivenAndMissingApart) {
  auto event = exchange("ITI-39", Outcome::Released);
  event.documents_asked = {{"1", "r", "h"}, {"2", "r", "h"}, {"3", "r", "h"}};
  event.documents = {"1", "3"};
  event.patient_ids = {"P1^^^&1.2&ISO"};
  const auto texts = told(event);
  ASSERT_THAT(texts, SizeIs(2));
  EXPECT_THAT(texts[0], HasSubstr("EventOutcomeIndicator=\"0\""));
  EXPECT_THAT(texts[0], HasSubstr(R"(ParticipantObjectID="3")"));
  EXPECT_THAT(texts[0], HasSubstr("P1^^^"));
  EXPECT_THAT(texts[1], HasSubstr("EventOutcomeIndicator=\"4\""));
  EXPECT_THAT(texts[1], HasSubstr(R"(ParticipantObjectID="2")"));
  EXPECT_THAT(texts[1], Not(HasSubstr("P1^^^")));
  event.documents_asked.assign(120, {"9", "r", "h"});
  EXPECT_THAT(told(event), SizeIs(3));
}

TEST(AuditMessage, OfAFailedCheckNamesNobodyWhoWasNotVerified) {
  auto event = exchange("ITI-55", Outcome::Fault);
  event.user.clear();
  event.name_id.clear();
  event.reason = "assertion-expired";
  event.failed_check = FailedCheck::User;
  const auto login = told(event)[0];
  EXPECT_THAT(login, HasSubstr("csd-code=\"110114\""));
  EXPECT_THAT(login, HasSubstr("csd-code=\"110122\""));
  EXPECT_THAT(login, HasSubstr("<EventOutcomeDescription>ITI-55: assertion-expired</EventOutcomeDescription>"));
  event.failed_check = FailedCheck::Node;
  EXPECT_THAT(told(event)[0], HasSubstr("csd-code=\"110126\""));
}

// O12, T13: whatever a name holds, its message is one line and one document, and says what can be said.
TEST(AuditMessage, StaysOneWellFormedLineWhateverAnEventHolds) {
  const std::pair<const char*, const char*> table[] = {
      {"a\r\nb", "a&#xD;&#xA;b"},
      {"\x1b]0;x\x07", "\xEF\xBF\xBD]0;x\xEF\xBF\xBD"},
      {"%s%n", "%s%n"},
      {"\xE2\x80\xA8\xE2\x80\xA9\xC2\x85", "&#x2028;&#x2029;&#x85;"},
      {"<a>&\"]]>", "&lt;a&gt;&amp;&quot;]]&gt;"},
      {"\xFF\xC3", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xEF\xBF\xBF", "\xEF\xBF\xBD"},
      {"M\xC3\xBCller \xF0\x9F\x98\x80", "M\xC3\xBCller \xF0\x9F\x98\x80"},
  };
  for (const auto& [name, written] : table) {
    auto event = exchange("ITI-55", Outcome::Withheld);
    event.user = event.name_id = event.issuer = event.sentence = event.query_id = event.community = name;
    const auto text = told(event)[0];
    EXPECT_THAT(text, HasSubstr("UserID=\"" + std::string(written) + "\""));
    EXPECT_EQ(text.find_first_of("\r\n\x1b"), std::string::npos);
    EXPECT_EQ(text.find("\xE2\x80\xA8"), std::string::npos);
  }
}

TEST(SyslogFrame, CountsOctetsAndSaysFacilityAndSeverity) {
  const SyslogHeader header{.host = "a host", .process = "12"};
  const auto at = base::from_micros(1'700'000'000'123'456);
  EXPECT_EQ(frame(header, at, {.xml = "<M>\xC3\xBC</M>", .success = true}),
            "74 <85>1 2023-11-14T22:13:20.123Z ahost gatehouse 12 IHE+RFC-3881 - <M>\xC3\xBC</M>");
  EXPECT_THAT(frame(header, at, {.xml = "<M/>", .success = false}), StartsWith("69 <84>1 "));
  EXPECT_THAT(frame({.host = "\x01", .process = "", .msgid = "DICOM+RFC3881"}, at, {.xml = "<M/>"}),
              HasSubstr(" - gatehouse - DICOM+RFC3881 - <M/>"));
}

TEST(SyslogFrame, OfACheckpointHoldsTheLineOfTheWitness) {
  const Checkpoint checkpoint{.node = "n1", .seq = 3, .head = "h", .root = "r", .rows = 2, .at = {}, .signature = "s"};
  const auto framed = frame({.host = "h", .process = "1"}, checkpoint);
  const auto line = witness_line(checkpoint);
  EXPECT_THAT(framed, HasSubstr(" gatehouse-checkpoint - " + line.substr(0, line.size() - 1)));
  EXPECT_EQ(framed.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace gateway::audit
