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
                              .rules_version = "7",
                              .clinic_version = "",
                              .verdicts = {{.resource = "p1",
                                            .findings = {{.gate = policy::Gate::Choice,
                                                          .reason = policy::Reason::PatientPurpose,
                                                          .sentence = "The patient did not choose \"Payment\".",
                                                          .evidence = "choice c1",
                                                          .would_change = ""}}}},
                              .request_hash = "aa",
                              .answer_hash = "bb",
                              .document_hashes = {"cc"}};
  EXPECT_EQ(canonical(record),
            R"({"request":"r","at":5,"rules_version":"7","verdicts":[{"resource":"p1","findings":[{"gate":"choice",)"
            R"("reason":"patient-purpose","sentence":"The patient did not choose \"Payment\".",)"
            R"("evidence":"choice c1"}]}],"request_hash":"aa","answer_hash":"bb","document_hashes":["cc"]})");
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
