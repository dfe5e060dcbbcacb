#include "gateway/audit/disclosures.hpp"

#include "base/json/document.hpp"
#include "gateway/audit/testing.hpp"

namespace gateway::audit {
namespace {

class DisclosuresOn : public WithJournal {
 protected:
  void write(Event event, DecisionRecord decision = {}) {
    decision.request = event.request;
    decision.at = event.at;
    ASSERT_TRUE(journal_->commit_and_wait({.event = std::move(event), .decision = std::move(decision)}));
  }
  std::vector<std::string> found(std::vector<std::string> patients, Instant since = at(-100), Instant until = at(100)) {
    std::vector<std::string> requests;
    for (const auto& disclosure : *disclosures(session(), patients, since, until)) {
      requests.push_back(disclosure.event.request);
    }
    return requests;
  }
  Event released(const std::string& id, std::int64_t second, std::vector<std::string> patients) const {
    auto event = *entry(id, second).event;
    event.patients = std::move(patients);
    return event;
  }
};
INSTANTIATE_TEST_SUITE_P(Disclosures, DisclosuresOn, ::testing::Values(store::Kind::Sqlite, store::Kind::Postgresql),
                         kind_name);

using Requests = std::vector<std::string>;

TEST_P(DisclosuresOn, AreWhatWasReleasedAboutAnyRecordOfThePersonOnceEach) {
  write(released("later", 5, {"p1"}));
  write(released("of-another", 1, {"p3"}));
  write(released("earlier", 1, {"p2"}));
  write(released("of-both", 3, {"p1", "p2"}));
  auto withheld = released("withheld", 2, {"p1"});
  withheld.outcome = Outcome::Withheld;
  write(withheld);
  EXPECT_EQ(found({"p1", "p2"}), (Requests{"earlier", "of-both", "later"}));
  EXPECT_EQ(found({"p1"}), (Requests{"of-both", "later"}));
  EXPECT_EQ(found({"p"}), Requests{});
  EXPECT_EQ(found({"p1", "p2"}, at(1), at(5)), (Requests{"earlier", "of-both"}));
  EXPECT_EQ(found({"p1", "p2"}, base::from_micros(base::to_micros(at(1)) + 1), at(6)), (Requests{"of-both", "later"}));
}

TEST_P(DisclosuresOn, SayWhatPermittedThemAndWhetherTheyWereSent) {
  const auto finding = [](policy::Gate gate, policy::Reason reason, std::string sentence) {
    return policy::Finding{
        .gate = gate, .reason = reason, .sentence = std::move(sentence), .evidence = "e", .would_change = ""};
  };
  DecisionRecord decision;
  decision.verdicts = {
      {.resource = "", .findings = {finding(policy::Gate::Caller, policy::Reason::Permitted, "Known.")}},
      {.resource = "d1",
       .findings = {finding(policy::Gate::Caller, policy::Reason::Permitted, "Known."),
                    finding(policy::Gate::Choice, policy::Reason::Permitted, "Chosen.")}},
      {.resource = "d2", .findings = {finding(policy::Gate::Choice, policy::Reason::PatientPurpose, "Not chosen.")}}};
  write(released("r", 1, {"p1"}), decision);
  auto sent = *entry("r", 2).event;
  sent.outcome = Outcome::Sent;
  ASSERT_TRUE(journal_->commit_and_wait({.event = sent}));
  const std::vector<std::string> patients{"p1"};
  const auto all = *disclosures(session(), patients, at(0), at(9));
  ASSERT_EQ(all.size(), 1);
  EXPECT_EQ(all[0].decision, std::vector<std::string>{"Chosen. [e]"});
  EXPECT_EQ(all[0].delivery, "sent");
}

TEST(DisclosuresAsCsv, QuoteEveryFieldAndLeaveNothingToBeCalculated) {
  Event event;
  event.request = "r";
  event.at = at(0);
  event.organization = "=HYPERLINK(\"http://x\";\"y\")";
  event.home = "+1";
  event.user = "O'Neil, \"Pat\"\r\n2nd line";
  event.name_id = "@SUM(A1)";
  event.purposes = "\tTREATMENT";
  event.documents = {"-1", "2"};
  const Disclosure disclosure{.event = event, .node = "n1", .seq = 1, .decision = {"a=b"}};
  const auto csv = write_csv({&disclosure, 1});
  EXPECT_EQ(csv.substr(csv.find("\r\n") + 2),
            "\"2023-11-14T22:13:20.000Z\",\"\",\"'=HYPERLINK(\"\"http://x\"\";\"\"y\"\")\",\"'+1\","
            "\"O'Neil, \"\"Pat\"\"\r\n2nd line\",\"'@SUM(A1)\",\"'\tTREATMENT\","
            "\"'-1; 2\",\"0\",\"a=b\",\"\",\"r\"\r\n");
}

TEST(DisclosuresAsAuditEvents, ClaimTheProfileOnlyWithAllItDemands) {
  Event event;
  event.request = "0123456789abcdef0123456789abcdef";
  event.home = "2.999.4";
  event.patient_ids = {"A^^^&2.999.1&ISO"};
  event.address = "192.0.2.1";
  Disclosure disclosure{.event = event, .node = "n1", .seq = 1};
  const auto text = [&] { return write_audit_events({&disclosure, 1}, "p1"); };
  EXPECT_TRUE(base::json::Document::parse(text()));
  EXPECT_EQ(text().find("PrivacyDisclosure.Source"), std::string::npos);
  disclosure.event.endpoint = "https://gateway.example/ihe/xcpd";
  EXPECT_NE(text().find("PrivacyDisclosure.Source"), std::string::npos);
  EXPECT_NE(text().find("urn:uuid:01234567-89ab-cdef-0123-456789abcdef"), std::string::npos);
  EXPECT_EQ(write_audit_events({}, "p1"), "{\"resourceType\":\"Bundle\",\"type\":\"collection\"}\n");
}

}  // namespace
}  // namespace gateway::audit
