#include "gateway/audit/trail.hpp"

#include "gateway/audit/retention.hpp"
#include "gateway/audit/testing.hpp"

#include <filesystem>
#include <fstream>

namespace gateway::audit {
namespace {

class Trail : public WithJournal {
 protected:
  void SetUp() override {
    WithJournal::SetUp();
    if (IsSkipped()) return;
    for (int i = 1; i <= 5; ++i) ASSERT_TRUE(journal_->commit_and_wait(entry("r" + std::to_string(i), i)));
    journal_.reset();
    ASSERT_TRUE(found().sound()) << found().problems.at(0);
  }
  std::string witness() const {
    std::ifstream file(directory_ / "witness");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Verification found(bool with_witness = true) {
    const auto text = witness();
    auto verification = verify(session(), with_witness ? std::optional<std::string_view>(text) : std::nullopt);
    EXPECT_TRUE(verification) << verification.error().detail;
    return verification ? *verification : Verification{};
  }
  void retain(Instant before) {
    open_journal();
    const auto plan = *plan_retention(session(), before, true);
    auto event = retention_event(plan, before);
    event.request = "retain";
    event.at = at(50);
    ASSERT_TRUE(journal_->commit_and_wait({.event = std::move(event)}));
    ASSERT_TRUE(delete_payloads(session(), plan));
    journal_.reset();
  }
  void tamper(const std::string& sql) { ASSERT_TRUE(session().execute(sql)) << sql; }
  bool names(const Verification& verification, const std::string& what) {
    return std::ranges::any_of(verification.problems,
                               [&](const auto& problem) { return problem.find(what) != std::string::npos; });
  }
};
INSTANTIATE_TEST_SUITE_P(Audit, Trail, ::testing::Values(store::Kind::Sqlite, store::Kind::Postgresql), kind_name);

TEST_P(Trail, IsSoundWithAndWithoutWitnessAndSaysWhich) {
  const auto with = found(), without = found(false);
  EXPECT_TRUE(with.sound());
  EXPECT_TRUE(with.had_witness);
  EXPECT_EQ(with.entries, 10u);
  EXPECT_EQ(with.checkpoints, 5u);
  EXPECT_EQ(with.witnessed, 5u);
  EXPECT_EQ(with.nodes, 1u);
  EXPECT_TRUE(without.sound());
  EXPECT_FALSE(without.had_witness);
}

TEST_P(Trail, ReportsProgressUpToTheTotal) {
  std::pair<std::uint64_t, std::uint64_t> last;
  ASSERT_TRUE(verify(session(), {}, [&](std::uint64_t done, std::uint64_t total) { last = {done, total}; }));
  EXPECT_EQ(last, (std::pair<std::uint64_t, std::uint64_t>{10, 10}));
}

TEST_P(Trail, AllowsRetentionToDeletePayloadsAndSaysHowMany) {
  retain(at(3));
  EXPECT_EQ(count("audit_payloads"), 7);  // entries 5 to 10, and the event of having deleted
  const auto with_witness = found();
  EXPECT_TRUE(with_witness.sound()) << with_witness.problems.at(0);
  EXPECT_EQ(with_witness.retained, 4u);
  EXPECT_EQ(with_witness.entries, 11u);
  retain(at(100));  // also what said so before
  EXPECT_EQ(found().retained, 11u);
  EXPECT_TRUE(found().sound());
}

TEST_P(Trail, FindsAPayloadThatIsMissingThoughNoRetentionSaidSo) {
  tamper("DELETE FROM audit_payloads WHERE seq = 3");
  EXPECT_TRUE(names(found(), "entry 3 has lost its payload, and no retention says so"));
  retain(at(2));  // up to entry 2 only
  EXPECT_TRUE(names(found(), "entry 3 has lost its payload"));
  EXPECT_EQ(found().retained, 2u);
  EXPECT_EQ(plan_retention(session(), at(4), true)->missing, 1u);
  EXPECT_EQ(plan_retention(session(), at(4), true)->payloads, 3u);
}

TEST_P(Trail, KeepsWhatTheAuditRepositoryWasNotToldYet) {
  tamper("INSERT INTO audit_outbox (node, seq, part, clinic, query) VALUES ('n1', 7, 0, '', '')");
  const auto plan = *plan_retention(session(), at(100), true);
  EXPECT_EQ(plan.up_to, (std::vector<Retained>{{"n1", 6}}));
  EXPECT_EQ(plan.kept_for_repository, 4u);
  EXPECT_EQ(plan_retention(session(), at(100), false)->payloads, 10u);
}

TEST_P(Trail, FindsEveryKindOfTampering) {
  struct Row {
    const char* what;
    std::vector<std::string> sql;
    const char* finding;
  };
  const Row table[] = {
      {"an edited payload",
       {"UPDATE audit_payloads SET payload = REPLACE(payload, 'r2', 'rX') WHERE seq = 3"},
       "entry 3 has a payload that was changed"},
      {"an octet moved from payload to salt",
       {"UPDATE audit_payloads SET salt = salt || '7b', payload = SUBSTR(payload, 2) WHERE seq = 3"},
       "entry 3 has a payload that was changed"},
      {"an edited patient column", {"UPDATE audit_payloads SET patient = '' WHERE seq = 3"}, "entry 3 has columns"},
      {"an edited time column", {"UPDATE audit_payloads SET at = at + 1 WHERE seq = 4"}, "entry 4 has columns"},
      {"an event called a decision",
       {"UPDATE audit_payloads SET kind = 'decision' WHERE seq = 3"},
       "entry 3 has columns"},
      {"an edited commitment",
       {"UPDATE audit_chain SET commitment = '" + std::string(64, '0') + "' WHERE seq = 3"},
       "entry 3 does not follow"},
      {"an edited hash",
       {"UPDATE audit_chain SET hash = '" + std::string(64, '0') + "' WHERE seq = 4"},
       "the checkpoint at entry 4 names another head"},
      {"a deleted entry",
       {"DELETE FROM audit_payloads WHERE seq = 3", "DELETE FROM audit_chain WHERE seq = 3"},
       "entries 3 to 3 are missing"},
      {"a deleted commit",
       {"DELETE FROM audit_payloads WHERE seq IN (3, 4)", "DELETE FROM audit_chain WHERE seq IN (3, 4)",
        "DELETE FROM audit_checkpoints WHERE seq = 4"},
       "entries 3 to 4 are missing"},
      {"two entries in the other's place",
       {"UPDATE audit_payloads SET seq = -3 WHERE seq = 3", "UPDATE audit_payloads SET seq = 3 WHERE seq = 5",
        "UPDATE audit_payloads SET seq = 5 WHERE seq = -3", "UPDATE audit_chain SET seq = -3 WHERE seq = 3",
        "UPDATE audit_chain SET seq = 3 WHERE seq = 5", "UPDATE audit_chain SET seq = 5 WHERE seq = -3"},
       "entry 3 does not follow"},
      {"a chain row cut off",
       {"DELETE FROM audit_payloads WHERE seq > 8", "DELETE FROM audit_chain WHERE seq > 8"},
       "checkpoint at entry 10, which is missing"},
      {"a deleted checkpoint in between", {"DELETE FROM audit_checkpoints WHERE seq = 4"}, "does not cover all"},
      {"a deleted last checkpoint", {"DELETE FROM audit_checkpoints WHERE seq = 10"}, "not covered by a checkpoint"},
      {"a forged signature", {"UPDATE audit_checkpoints SET at = at + 1 WHERE seq = 6"}, "entry 6 is not signed"},
      {"another root",
       {"UPDATE audit_checkpoints SET root = '" + std::string(64, '0') + "' WHERE seq = 6"},
       "entry 6 has another Merkle root"},
      {"a payload of nobody",
       {"INSERT INTO audit_payloads SELECT node, 99, kind, request, at, clinic, patient, implementer, outcome, reason, "
        "salt, payload FROM audit_payloads WHERE seq = 1"},
       "has a payload without entry 99"},
      {"a foreign key",
       {"UPDATE audit_nodes SET public_key = '" +
        base::base64(certs::PrivateKey::generate_ed25519().public_key().spki()) + "'"},
       "is not signed by the node's audit key"},
      {"a node without a key", {"DELETE FROM audit_nodes"}, "has no readable audit key"},
  };
  for (const auto& row : table) {
    // Undone by the error at the end, so that each row starts from the sound chain.
    (void)session().transaction([&]() -> Result<void> {
      for (const auto& sql : row.sql) TRY(session().execute(sql));
      const auto verification = verify(session(), std::nullopt);
      EXPECT_TRUE(verification && names(*verification, row.finding))
          << row.what << ": " << (verification && !verification->sound() ? verification->problems[0] : "found sound");
      return base::fail(store::Errc::Conflict, "undo");
    });
    ASSERT_TRUE(found().sound()) << row.what;
  }
}

// What only the witness can prove: everything after entry 6 is gone, checkpoints included.
TEST_P(Trail, FindsATruncatedTailByTheWitnessAlone) {
  for (const auto* table : {"audit_payloads", "audit_chain", "audit_checkpoints"}) {
    tamper("DELETE FROM " + std::string(table) + " WHERE seq > 6");
  }
  EXPECT_TRUE(found(false).sound());
  const auto verification = found();
  EXPECT_TRUE(names(verification, "ends at entry 6, the witness saw entry 10"));
}

TEST_P(Trail, FindsAnOldCopyThatWasRestoredAndContinued) {
  const auto old_witness = witness();
  for (const auto* table : {"audit_payloads", "audit_chain", "audit_checkpoints"}) {
    tamper("DELETE FROM " + std::string(table) + " WHERE seq > 6");
  }
  open_journal();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(journal_->commit_and_wait(entry("new" + std::to_string(i))));
  EXPECT_TRUE(found(false).sound());
  EXPECT_TRUE(names(found(), "entry 8 is not the one that was witnessed"));
}

TEST_P(Trail, FindsARewrittenChainUnderANewKeyByTheWitness) {
  for (const auto* table : {"audit_payloads", "audit_chain", "audit_checkpoints", "audit_nodes"}) {
    tamper("DELETE FROM " + std::string(table));
  }
  auto forger = options();
  forger.key = certs::PrivateKey::generate_ed25519();
  forger.witness_file.clear();
  {
    const auto forged = *Journal::open(*database_, forger);
    for (int i = 1; i <= 5; ++i) ASSERT_TRUE(forged->commit_and_wait(entry("r" + std::to_string(i), i)));
  }
  EXPECT_TRUE(found(false).sound());
  const auto verification = found();
  EXPECT_TRUE(names(verification, "is not the one that was witnessed"));
  EXPECT_TRUE(names(verification, "the witness line for entry 2 is not signed"));
}

TEST_P(Trail, ReportsALineOfTheWitnessThatIsUnreadableOrOfAnUnknownNode) {
  const auto text = "rubbish\n" + witness();
  EXPECT_TRUE(names(*verify(session(), text), "line 1 of the witness is unreadable"));
  auto checkpoint = *read_witness_line(witness().substr(0, witness().find('\n')));
  checkpoint.node = "n9";
  const auto foreign = witness_line(checkpoint);
  EXPECT_TRUE(names(*verify(session(), foreign), "node n9 is named by the witness"));
}

TEST_P(Trail, SearchesByEachColumnAndByTime) {
  const auto requests = [&](const Search& what) {
    std::vector<std::string> ids;
    for (const auto& row : *search(session(), what)) ids.push_back(row.request + (row.kind == "event" ? "e" : "d"));
    return ids;
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(requests({.limit = 2}), (Ids{"r5d", "r5e"}));
  EXPECT_EQ(requests({.limit = 2, .newest_first = false}), (Ids{"r1e", "r1d"}));
  EXPECT_EQ(requests({.request = "r3", .kind = "event"}), (Ids{"r3e"}));
  EXPECT_EQ(requests({.patient = "patient-of-r2"}), (Ids{"r2e"}));
  EXPECT_EQ(requests({.from = at(2), .to = at(4), .kind = "event"}), (Ids{"r3e", "r2e"}));
  EXPECT_EQ(requests({.clinic = "clinic-1", .outcome = "released"}).size(), 5u);
  EXPECT_EQ(requests({.clinic = "clinic-2"}), Ids{});
  EXPECT_EQ(requests({.implementer = "1.2.3", .reason = "none"}), Ids{});
  EXPECT_EQ(requests({.request = "' OR 1=1 --"}), Ids{});
}

}  // namespace
}  // namespace gateway::audit
