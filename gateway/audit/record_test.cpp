#include "gateway/audit/record.hpp"

#include "base/bytes.hpp"

#include <gtest/gtest.h>

namespace gateway::audit {
namespace {

Event event() {
  return {.request = "0123456789abcdef0123456789abcdef",
          .at = base::from_micros(1'700'000'000'123'456),
          .transaction = "ITI-55",
          .outcome = Outcome::NoMatch,
          .reason = "patient-purpose",
          .patients = {"p1", "p2"}};
}

TEST(Record, WritesMembersInAFixedOrderAndLeavesEmptyOnesOut) {
  EXPECT_EQ(canonical(event()),
            R"({"request":"0123456789abcdef0123456789abcdef","at":1700000000123456,"transaction":"ITI-55",)"
            R"("outcome":"no-match","reason":"patient-purpose","patients":["p1","p2"]})");
  EXPECT_EQ(canonical(event()), canonical(event()));
}

TEST(Record, WritesADecisionWithEveryFinding) {
  const DecisionRecord record{.request = "r",
                              .at = base::from_micros(5),
                              .transaction = "ITI-55",
                              .implementer = "2.999.20",
                              .home = "2.999.21",
                              .organization = "Riverside\tHospital",
                              .rules_version = "7",
                              .clinic_version = "",
                              .verdicts = {{.resource = "p1",
                                            .findings = {{.gate = policy::Gate::Choice,
                                                          .reason = policy::Reason::PatientPurpose,
                                                          .sentence = "The patient did not choose \"Payment\".",
                                                          .evidence = "choice c1",
                                                          .would_change = ""}},
                                            .obligations = {{.evidence = "consent c2 version 1"}}}},
                              .request_hash = "aa",
                              .answer_hash = "bb",
                              .document_hashes = {"cc"}};
  EXPECT_EQ(canonical(record),
            R"({"request":"r","at":5,"transaction":"ITI-55","implementer":"2.999.20","home":"2.999.21",)"
            R"("organization":"Riverside\u0009Hospital","request_hash":"aa","answer_hash":"bb",)"
            R"("document_hashes":["cc"])"
            "\t"
            R"(,"rules_version":"7","verdicts":[{"resource":"p1","findings":[{"gate":"choice",)"
            R"("reason":"patient-purpose","sentence":"The patient did not choose \"Payment\".",)"
            R"("evidence":"choice c1"}],"obligations":[{"must":"part2-notice",)"
            R"("evidence":"consent c2 version 1"}]}]})");
}

TEST(Record, WritesTheSameFindingsOnceForAllResourcesThatFollowEachOther) {
  const auto verdict = [](const char* resource, const char* evidence) {
    return policy::Verdict{.resource = resource,
                           .findings = {{.gate = policy::Gate::Choice,
                                         .reason = policy::Reason::Permitted,
                                         .sentence = "s",
                                         .evidence = evidence,
                                         .would_change = ""}}};
  };
  const DecisionRecord record{.request = "r",
                              .at = base::from_micros(5),
                              .rules_version = "",
                              .clinic_version = "",
                              .verdicts = {verdict("", "a"), verdict("d1", "b"), verdict("d2", "b"), verdict("d3", "c"),
                                           verdict("d4", "b")},
                              .request_hash = "",
                              .answer_hash = "",
                              .document_hashes = {}};
  const auto findings = [](const std::string& evidence) {
    return R"("findings":[{"gate":"choice","reason":"permitted","sentence":"s","evidence":")" + evidence + "\"}]}";
  };
  EXPECT_EQ(canonical(record), "{\"request\":\"r\",\"at\":5\t" R"(,"rules_version":"","verdicts":[{)" +
                                   findings("a") + R"(,{"resources":["d1","d2"],)" + findings("b") +
                                   R"(,{"resource":"d3",)" + findings("c") + R"(,{"resource":"d4",)" +
                                   findings("b") + "]}");
}

TEST(Record, CapsTextsAtACharacterAndListsAtAThousand) {
  auto long_event = event();
  long_event.user = std::string(255, 'x') + "\xC3\xBC\xC3\xBC";
  long_event.documents.assign(1003, "d");
  const auto json = canonical(long_event);
  EXPECT_NE(json.find("\"user\":\"" + std::string(255, 'x') + "\xC3\xBC\""), std::string::npos);
  EXPECT_NE(json.find("\"documents_left_out\":3"), std::string::npos);
  EXPECT_EQ(json.find("patients_left_out"), std::string::npos);
}

TEST(Record, ReadsBackEveryMemberItWrote) {
  auto full = event();
  full.sentence = "s";
  full.clinic = "c";
  full.documents = {"1.2^3"};
  for (const auto member : {&Event::implementer, &Event::home, &Event::sender, &Event::organization, &Event::user,
                            &Event::purposes, &Event::address, &Event::message_id, &Event::query_hash,
                            &Event::repeat_of, &Event::note, &Event::process, &Event::endpoint, &Event::reply_to,
                            &Event::name_id, &Event::alias, &Event::issuer, &Event::query_id, &Event::community,
                            &Event::grantor, &Event::token_patient}) {
    static int number = 0;
    full.*member = "\"text\n" + std::to_string(++number);
  }
  full.role = base::Code{"46255001", "2.16.840.1.113883.6.96", "Pharmacist"};
  full.purpose_codes = {{"TREATMENT", "1.2", ""}, {"PAYMENT", "1.2", "Payment"}};
  full.patient_ids = {"P1^^^&1.2&ISO"};
  full.documents_asked = {{"1.2^3", "1.2.9", "urn:oid:1.2"}, {"1.2^4", "", ""}};
  full.failed_check = FailedCheck::User;
  full.retained = {{"n1", 17}};
  const auto read = read_event(canonical(full));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, full);
  EXPECT_EQ(canonical(*read), canonical(full));
  EXPECT_EQ(*read_event(canonical(event())), event());
}

TEST(Record, RefusesToReadWhatIsNoEvent) {
  for (const auto* text : {"", "[]", "{}", R"({"at":1})", R"({"at":1,"outcome":"unheard-of"})",
                           R"({"at":"1","outcome":"released"})",
                           R"({"at":1,"outcome":"changed","retained":[{"node":"n","seq":-1}]})"}) {
    EXPECT_FALSE(read_event(text)) << text;
  }
}

TEST(Record, MendsWhatIsNoUtf8) {
  auto hostile = event();
  hostile.user = std::string(
      "a\xFF"
      "b\xED\xA0\x80"
      "\xE2\x82\xAC\0\n\xC3",
      12);
  const auto json = canonical(hostile);
  EXPECT_TRUE(base::is_utf8(json));
  EXPECT_NE(json.find("\"user\":\"a\xEF\xBF\xBD"
                      "b"),
            std::string::npos)
      << json;
  EXPECT_NE(json.find("\xE2\x82\xAC\\u000a\xEF\xBF\xBD\""), std::string::npos) << json;
  const auto stored = stored_text(hostile.user);
  EXPECT_TRUE(base::is_utf8(stored));
  EXPECT_EQ(stored.find('\0'), std::string::npos);
  EXPECT_EQ(stored_text("M\xC3\xBCller"), "M\xC3\xBCller");
  EXPECT_EQ(stored_text(std::string(300, 'y')), std::string(256, 'y'));
}

}  // namespace
}  // namespace gateway::audit
