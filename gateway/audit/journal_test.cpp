#include "gateway/audit/journal.hpp"

#include "gateway/audit/testing.hpp"
#include "gateway/audit/trail.hpp"

#include <atomic>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

namespace gateway::audit {
namespace {

class JournalOnBoth : public WithJournal {
 protected:
  std::string witness() const {
    std::ifstream file(directory_ / "witness");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Verification verified() {
    auto found = verify(session(), witness());
    EXPECT_TRUE(found) << found.error().detail;
    return found ? *found : Verification{};
  }
};
INSTANTIATE_TEST_SUITE_P(Journal, JournalOnBoth, ::testing::Values(store::Kind::Sqlite, store::Kind::Postgresql),
                         kind_name);

TEST_P(JournalOnBoth, WritesEventAndDecisionBeforeItCallsBack) {
  ASSERT_TRUE(journal_->commit_and_wait(entry("r1")));
  EXPECT_EQ(count("audit_chain"), 2);
  EXPECT_EQ(count("audit_checkpoints"), 1);
  const auto rows = *search(session(), {.request = "r1", .newest_first = false});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].kind, "event");
  EXPECT_EQ(rows[0].patient, "patient-of-r1");
  EXPECT_EQ(rows[0].outcome, "released");
  EXPECT_EQ(rows[0].payload, canonical(*entry("r1").event));
  EXPECT_EQ(rows[1].kind, "decision");
  EXPECT_EQ(rows[1].payload, canonical(*entry("r1").decision));
}

TEST_P(JournalOnBoth, NamesAPatientOnlyWhereThereIsOne) {
  auto two = entry("r1");
  two.event->patients = {"a", "b"};
  ASSERT_TRUE(journal_->commit_and_wait(two));
  EXPECT_EQ(search(session(), {.request = "r1", .kind = "event"})->at(0).patient, "");
  EXPECT_TRUE(verified().sound());
}

TEST_P(JournalOnBoth, GroupsWhatQueuesWhileItCommits) {
  constexpr int threads = 8, each = 50;
  std::vector<std::thread> writers;
  std::atomic<int> stored{0};
  for (int t = 0; t < threads; ++t) {
    writers.emplace_back([&, t] {
      std::vector<std::future<void>> waits;
      for (int i = 0; i < each; ++i) {
        auto done = std::make_shared<std::promise<void>>();
        waits.push_back(done->get_future());
        journal_->commit(entry(std::to_string(t) + "-" + std::to_string(i)), [&stored, done](Result<Claimed> outcome) {
          if (outcome) ++stored;
          done->set_value();  // throws if it were called twice
        });
      }
      for (auto& wait : waits) wait.get();
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(stored, threads * each);
  const auto figures = journal_->figures();
  EXPECT_EQ(figures.entries, std::uint64_t{threads * each});
  EXPECT_LT(figures.commits, figures.entries / 2);
  EXPECT_EQ(figures.queued, 0u);
  const auto found = verified();
  EXPECT_TRUE(found.sound()) << found.problems.at(0);
  EXPECT_EQ(found.entries, std::uint64_t{2 * threads * each});
  EXPECT_EQ(found.witnessed, figures.commits);
}

TEST_P(JournalOnBoth, ContinuesItsChainWhenReopened) {
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(journal_->commit_and_wait(entry("r" + std::to_string(round))));
    open_journal();
  }
  const auto found = verified();
  EXPECT_TRUE(found.sound()) << found.problems.at(0);
  EXPECT_EQ(found.entries, 6u);
}

TEST_P(JournalOnBoth, CommitsWhatIsQueuedBeforeItEnds) {
  std::atomic<int> done{0};
  for (int i = 0; i < 20; ++i) {
    journal_->commit(entry(std::to_string(i)), [&](Result<Claimed> outcome) { done += outcome ? 1 : 100; });
  }
  journal_.reset();
  EXPECT_EQ(done, 20);
  EXPECT_EQ(count("audit_chain"), 40);
}

TEST_P(JournalOnBoth, RefusesTheKeyOfAnotherNode) {
  auto foreign = options();
  foreign.key = certs::PrivateKey::generate_p256();
  const auto opened = Journal::open(*database_, foreign);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::ForeignKey);
  foreign.node = "n2";
  foreign.witness_file.clear();
  EXPECT_TRUE(Journal::open(*database_, foreign));
}

TEST_P(JournalOnBoth, NeverForksAChainThatTwoJournalsWrite) {
  const auto twin_options = options();
  auto twin = *Journal::open(*database_, twin_options);
  for (int round = 0; round < 5; ++round) {
    EXPECT_TRUE(journal_->commit_and_wait(entry("a" + std::to_string(round))));
    EXPECT_TRUE(twin->commit_and_wait(entry("b" + std::to_string(round))));
  }
  std::thread other([&] {
    for (int i = 0; i < 30; ++i) (void)twin->commit_and_wait(entry("c" + std::to_string(i)));
  });
  for (int i = 0; i < 30; ++i) (void)journal_->commit_and_wait(entry("d" + std::to_string(i)));
  other.join();
  const auto found = verified();
  EXPECT_TRUE(found.sound()) << found.problems.at(0);
}

TEST_P(JournalOnBoth, WritesHostileTextsWithoutHarmToTheBatch) {
  auto hostile = entry("r1");
  hostile.event->clinic = std::string("a\0b\xFF", 4);
  hostile.event->implementer = std::string(5000, 'x');
  hostile.event->user = std::string("\xED\xA0\x80\0", 4);
  ASSERT_TRUE(journal_->commit_and_wait(hostile));
  const auto found = verified();
  EXPECT_TRUE(found.sound()) << found.problems.at(0);
}

TEST_P(JournalOnBoth, ClaimsWithoutWritingWhereThereIsNoEvent) {
  const auto claimed = journal_->commit_and_wait({.claim = claim("p", "r")});
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->verdict, ClaimVerdict::New);
  EXPECT_EQ(count("audit_chain"), 0);
  EXPECT_EQ(count("replay_requests"), 1);
}

TEST_P(JournalOnBoth, CommitsAChangeWithTheEventThatTellsOfIt) {
  auto told = entry("r1");
  told.change = [this](Event& event) -> Result<void> {
    auto* mine = TRY(database_->session());
    TRY(mine->execute("UPDATE replay_pruned SET window_end = 7 WHERE one = 1"));
    event.sentence = "completed by its change";
    return mine->transaction([&]() -> Result<void> {
      TRY(mine->execute("UPDATE replay_pruned SET window_end = window_end + 1 WHERE one = 1"));
      return {};
    });
  };
  ASSERT_TRUE(journal_->commit_and_wait(told));
  EXPECT_EQ(session().select("SELECT window_end FROM replay_pruned", "i")->at(0).integer(0), 8);
  const auto payload = search(session(), {.request = "r1", .kind = "event"})->at(0).payload;
  EXPECT_NE(payload.find("completed by its change"), std::string::npos);
  EXPECT_TRUE(verified().sound());
}

TEST_P(JournalOnBoth, LeavesNothingOfAChangeThatFailsNorOfItsEvent) {
  auto refused = entry("r1");
  refused.change = [this](Event&) -> Result<void> {
    auto* mine = TRY(database_->session());
    TRY(mine->execute("UPDATE replay_pruned SET window_end = 9 WHERE one = 1"));
    return base::fail(store::Errc::Unreadable, "no");
  };
  auto broken = entry("r2");
  broken.change = [this](Event&) -> Result<void> {
    TRY(TRY(database_->session())->execute("INSERT INTO replay_pruned (one, window_end) VALUES (1, 1)"));
    return {};
  };
  EXPECT_EQ(journal_->commit_and_wait(refused).error().code, store::Errc::Unreadable);
  EXPECT_EQ(journal_->commit_and_wait(broken).error().code, store::Errc::Conflict);
  ASSERT_TRUE(journal_->commit_and_wait(entry("r3"))) << "the next is not touched";
  EXPECT_EQ(session().select("SELECT window_end FROM replay_pruned", "i")->at(0).integer(0), 0);
  EXPECT_TRUE(search(session(), {.request = "r1"})->empty());
  EXPECT_TRUE(search(session(), {.request = "r2"})->empty());
  EXPECT_TRUE(journal_->healthy());
  EXPECT_TRUE(verified().sound());
}

TEST_P(JournalOnBoth, ChangesNothingForAClaimThatIsRefused) {
  unsigned changes = 0;
  const auto with_change = [&](Claim claimed, const std::string& id) {
    auto made = with_claim(std::move(claimed), id);
    made.change = [&changes](Event&) -> Result<void> {
      ++changes;
      return {};
    };
    return made;
  };
  EXPECT_EQ(journal_->commit_and_wait(with_change(claim("p", "q"), "r1"))->verdict, ClaimVerdict::New);
  auto relayed = claim("p", "q");
  relayed.organization = "9.9.9";
  EXPECT_EQ(journal_->commit_and_wait(with_change(relayed, "r2"))->verdict, ClaimVerdict::Relayed);
  EXPECT_EQ(changes, 1u);
}

TEST_P(JournalOnBoth, FailsAtOnceWhenTheQueueIsFull) {
  auto small = options();
  small.queue_max = 0;
  journal_.reset();
  journal_ = *Journal::open(*database_, small);
  const auto outcome = journal_->commit_and_wait(entry("r1"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::QueueFull);
}

// A crash between COMMIT and the witness.
TEST_P(JournalOnBoth, IsSoundWhileTheWitnessLagsAndCatchesUpWhenReopened) {
  ASSERT_TRUE(journal_->commit_and_wait(entry("r1")));
  const auto before = witness();
  ASSERT_TRUE(journal_->commit_and_wait(entry("r2")));
  journal_.reset();
  std::ofstream(directory_ / "witness", std::ios::trunc) << before << R"({"node":"n1","se)";
  EXPECT_TRUE(verified().sound());
  EXPECT_EQ(verified().witnessed, 1u);
  open_journal();
  EXPECT_TRUE(verified().sound());
  EXPECT_EQ(verified().witnessed, 2u);
}

// What a power cut leaves of lines that were not synced: zeros, and lines after them.
TEST_P(JournalOnBoth, CutsTheWitnessWhereAPowerCutSpoiledIt_O02) {
  ASSERT_TRUE(journal_->commit_and_wait(entry("r1")));
  ASSERT_TRUE(journal_->commit_and_wait(entry("r2")));
  const auto whole = witness();
  const auto second = whole.find('\n') + 1;
  for (const std::size_t hole : {second, second + 10, second - 1}) {
    journal_.reset();
    auto spoiled = whole + whole;
    spoiled.replace(hole, 5000, 5000, '\0');
    std::ofstream(directory_ / "witness", std::ios::trunc) << spoiled << "{\"node\":\"n1\"}\n" << whole;
    ASSERT_FALSE(verified().sound());
    open_journal();
    ASSERT_TRUE(verified().sound()) << hole;
    EXPECT_TRUE(witness().ends_with(whole.substr(second)));
  }
}

TEST_P(JournalOnBoth, RefusesAWitnessItCannotWrite) {
  auto nowhere = options();
  nowhere.witness_file = directory_ / "missing/witness";
  EXPECT_FALSE(Journal::open(*database_, nowhere));
}

/// A database whose sessions fail as told: before the work, or after a COMMIT that happened.
class Failing final : public store::Database, public store::Session {
 public:
  enum class Mode { Works, Down, LosesTheAnswerToCommit, RefusesDecisions };
  explicit Failing(store::Database& real) : real_(real) {}
  std::atomic<Mode> mode{Mode::Works};

  Result<store::Session*> session() override {
    if (mode == Mode::Down) return base::fail(store::Errc::Unavailable, "down");
    TRY(real_.session());
    return static_cast<store::Session*>(this);
  }
  bool is_postgresql() const noexcept override { return real_.is_postgresql(); }
  Result<std::size_t> execute(std::string_view sql, std::span<const store::Value> values) override {
    const auto poisoned = [](const store::Value& value) {
      const auto* text = std::get_if<std::string>(&value);
      return text && text->find("poison") != std::string::npos;
    };
    if (mode == Mode::RefusesDecisions && std::ranges::any_of(values, poisoned)) {
      return base::fail(store::Errc::Unreadable, "poison");
    }
    return (*real_.session())->execute(sql, values);
  }
  Result<std::vector<store::Row>> select(std::string_view sql, std::string_view columns,
                                         std::span<const store::Value> values, std::size_t rows_max) override {
    return (*real_.session())->select(sql, columns, values, rows_max);
  }
  Result<void> transaction(const std::function<Result<void>()>& work) override {
    TRY((*real_.session())->transaction(work));
    if (mode == Mode::LosesTheAnswerToCommit) return base::fail(store::Errc::Unavailable, "lost");
    return {};
  }
  Result<void> savepoint(const std::function<Result<void>()>& work) override {
    return (*real_.session())->savepoint(work);
  }

 private:
  store::Database& real_;
};

class JournalWithFailures : public WithJournal {
 protected:
  void SetUp() override {
    WithJournal::SetUp();
    if (IsSkipped()) return;
    failing_ = std::make_unique<Failing>(*database_);
    journal_.reset();
    journal_ = *Journal::open(*failing_, options());
  }
  void TearDown() override { journal_.reset(); }
  bool becomes_healthy() const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!journal_->healthy() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return journal_->healthy();
  }
  std::unique_ptr<Failing> failing_;
};
INSTANTIATE_TEST_SUITE_P(Journal, JournalWithFailures, ::testing::Values(store::Kind::Sqlite, store::Kind::Postgresql),
                         kind_name);

TEST_P(JournalWithFailures, TellsEveryoneThatTheDatabaseIsDownAndHealsByItself) {
  ASSERT_TRUE(journal_->commit_and_wait(entry("r1")));
  failing_->mode = Failing::Mode::Down;
  for (int i = 0; i < 3; ++i) {
    const auto outcome = journal_->commit_and_wait(entry("lost"));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, store::Errc::Unavailable);
    EXPECT_FALSE(journal_->healthy());
  }
  EXPECT_FALSE(journal_->examine(claim("p", "r")));
  failing_->mode = Failing::Mode::Works;
  EXPECT_TRUE(becomes_healthy());
  ASSERT_TRUE(journal_->commit_and_wait(entry("r2")));
  EXPECT_EQ(count("audit_chain"), 4);
  EXPECT_TRUE(verify(session(), {})->sound());
}

TEST_P(JournalWithFailures, LooksForTheCheckpointWhenTheAnswerToCommitIsLost) {
  failing_->mode = Failing::Mode::LosesTheAnswerToCommit;
  EXPECT_TRUE(journal_->commit_and_wait(entry("r1")));
  EXPECT_TRUE(journal_->healthy());
  failing_->mode = Failing::Mode::Works;
  EXPECT_TRUE(journal_->commit_and_wait(entry("r2")));
  const auto found = *verify(session(), {});
  EXPECT_TRUE(found.sound());
  EXPECT_EQ(found.entries, 4u) << "nothing twice, nothing lost";
}

TEST_P(JournalWithFailures, DoesNotLetOneEntryTakeTheOthersDown) {
  failing_->mode = Failing::Mode::RefusesDecisions;
  std::atomic<int> stored{0}, refused{0};
  for (int i = 0; i < 40; ++i) {
    journal_->commit(entry(i % 10 == 3 ? "poison" : "r" + std::to_string(i)),
                     [&](Result<Claimed> outcome) { outcome ? ++stored : ++refused; });
  }
  journal_.reset();
  EXPECT_EQ(stored, 36);
  EXPECT_EQ(refused, 4);
  EXPECT_EQ(count("audit_chain"), 72);
  EXPECT_TRUE(verify(session(), {})->sound());
}

}  // namespace
}  // namespace gateway::audit
