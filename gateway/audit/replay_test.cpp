#include "gateway/audit/replay.hpp"

#include "gateway/audit/testing.hpp"

#include <thread>

namespace gateway::audit {
namespace {

using enum ClaimVerdict;

TEST(ReplayRule, JudgesByTable) {
  const auto proof = [](std::int64_t bodies, std::int64_t second = 0, std::string organization = "1.2.3") {
    return ReplayRows::Proof{.organization = std::move(organization), .first_used = at(second), .bodies = bodies};
  };
  const ReplayRows::Request once{.times = 1, .first_event = "e1"}, fifteen{.times = 15, .first_event = "e1"},
      sixteen{.times = 16, .first_event = "e1"};
  struct Row {
    const char* what;
    ReplayRows rows;
    std::int64_t second;
    bool one_time_use;
    ClaimVerdict expected;
  };
  const Row table[] = {
      {"nothing known", {}, 0, false, New},
      {"nothing known, one time use", {}, 0, true, New},
      {"ends after what was pruned", {.pruned_end = at(1259)}, 0, false, New},
      {"ends with what was pruned", {.pruned_end = at(1260)}, 0, false, WindowPruned},
      {"ends before what was pruned", {.pruned_end = at(1261)}, 0, false, WindowPruned},
      {"another organization", {.proof = proof(1, 0, "9.9"), .request = once}, 0, false, Relayed},
      {"the same request", {.proof = proof(1), .request = once}, 600, false, Repeat},
      {"the same request, one time use", {.proof = proof(1), .request = once}, 1, true, Repeat},
      {"the sixteenth", {.proof = proof(1), .request = fifteen}, 600, false, Repeat},
      {"the seventeenth", {.proof = proof(1), .request = sixteen}, 600, false, TooOften},
      {"another body", {.proof = proof(1)}, 1, false, NewBody},
      {"another body of one time use", {.proof = proof(1)}, 1, true, TooOften},
      {"another body at 120 s", {.proof = proof(1)}, 120, false, NewBody},
      {"another body at 121 s", {.proof = proof(1)}, 121, false, TooOften},
      {"the 64th body", {.proof = proof(63)}, 1, false, NewBody},
      {"the 65th body", {.proof = proof(64)}, 1, false, TooOften},
      {"a body by a clock that is behind", {.proof = proof(1, 30)}, 1, false, NewBody},
  };
  for (const auto& row : table) {
    auto claimed = claim("p", "r", row.second);
    claimed.one_time_use = row.one_time_use;
    EXPECT_EQ(judge(claimed, row.rows, {}).verdict, row.expected) << row.what;
  }
  EXPECT_EQ(judge(claim("p", "r"), {.proof = proof(1), .request = once}, {}).repeat_of, "e1");
}

class Replay : public WithJournal {
 protected:
  ClaimVerdict send(const Claim& claimed, const std::string& id = "id") {
    const auto outcome = journal_->commit_and_wait(with_claim(claimed, id));
    EXPECT_TRUE(outcome) << outcome.error().detail;
    return outcome ? outcome->verdict : Busy;
  }
};
INSTANTIATE_TEST_SUITE_P(Journal, Replay, ::testing::Values(store::Kind::Sqlite, store::Kind::Postgresql), kind_name);

// R01
TEST_P(Replay, LetsTwoProofsPassWhateverElseTheyShare) {
  EXPECT_EQ(send(claim("p1", "r1")), New);
  EXPECT_EQ(send(claim("p2", "r2")), New);
}

// R02
TEST_P(Replay, AnswersTheSameBytesSixteenTimesAndAuditsEach) {
  for (int time = 0; time < 16; ++time) {
    const auto verdict = send(claim("p", "r", time * 78), "id" + std::to_string(time));
    EXPECT_EQ(verdict, time == 0 ? New : Repeat) << time;
  }
  EXPECT_EQ(count("audit_chain"), 32);
  const auto marked =
      session().select("SELECT COUNT(*) FROM audit_payloads WHERE payload LIKE '%\"repeat_of\":\"id0\"%'", "i");
  EXPECT_EQ(marked->at(0).integer(0), 15);
  EXPECT_EQ(send(claim("p", "r", 1250), "id17"), TooOften);
  EXPECT_EQ(count("audit_chain"), 32) << "a refused claim's event and decision are not written";
}

// R04
TEST_P(Replay, RefusesAProofFromAnotherOrganization) {
  EXPECT_EQ(send(claim("p", "r")), New);
  auto relayed = claim("p", "r", 1);
  relayed.organization = "9.9.9";
  EXPECT_EQ(send(relayed), Relayed);
  EXPECT_EQ(journal_->examine(relayed)->first.verdict, Relayed);
  EXPECT_EQ(send(claim("p", "r", 2)), Repeat) << "its own organization goes on";
}

// R05
TEST_P(Replay, LimitsTheBodiesUnderOneProof) {
  EXPECT_EQ(send(claim("p", "r0")), New);
  for (int body = 1; body < 64; ++body) ASSERT_EQ(send(claim("p", "r" + std::to_string(body), 1)), NewBody);
  EXPECT_EQ(send(claim("p", "r64", 1)), TooOften);
  EXPECT_EQ(send(claim("q", "s0")), New);
  EXPECT_EQ(send(claim("q", "s1", 120)), NewBody);
  EXPECT_EQ(send(claim("q", "s2", 121)), TooOften);
  auto once = claim("o", "t0");
  once.one_time_use = true;
  EXPECT_EQ(send(once), New);
  once.request = "t1";
  EXPECT_EQ(send(once), TooOften);
}

// R06
TEST_P(Replay, RefusesWhatEndsBeforeThePrunedWindow) {
  auto early = claim("p", "r");
  early.window_end = at(100);
  EXPECT_EQ(send(early), New);
  EXPECT_EQ(send(claim("q", "s", 500)), New);  // prunes what ended before 440
  const auto until_pruned = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (count("replay_proofs") > 1 && std::chrono::steady_clock::now() < until_pruned) std::this_thread::yield();
  EXPECT_EQ(count("replay_proofs"), 1);
  EXPECT_EQ(count("replay_requests"), 1);
  early.now = at(50);  // the clock was set back
  EXPECT_EQ(send(early), WindowPruned);
  EXPECT_EQ(journal_->examine(early)->first.verdict, WindowPruned);
  auto later = claim("v", "w", 50);
  later.window_end = at(101);
  EXPECT_EQ(send(later), New);
}

TEST_P(Replay, CountsRequestsInFlight) {
  const auto one = claim("p", "r");
  auto first = journal_->examine(one), second = journal_->examine(one);
  EXPECT_EQ(first->first.verdict, New);
  EXPECT_EQ(second->first.verdict, New);
  EXPECT_EQ(journal_->examine(one)->first.verdict, Busy);
  EXPECT_EQ(journal_->examine(claim("p", "other"))->first.verdict, New) << "another request has its own places";
  first->second.reset();
  auto third = journal_->examine(one);
  EXPECT_EQ(third->first.verdict, New);
  EXPECT_TRUE(third->second);
  journal_.reset();  // places may outlive the journal
}

TEST_P(Replay, PredictsWhatTheCommitWillSay) {
  ASSERT_EQ(send(claim("p", "r"), "first"), New);
  const auto repeat = journal_->examine(claim("p", "r", 1));
  EXPECT_EQ(repeat->first.verdict, Repeat);
  EXPECT_EQ(repeat->first.repeat_of, "first");
  EXPECT_EQ(journal_->examine(claim("p", "s", 1))->first.verdict, NewBody);
  EXPECT_EQ(journal_->examine(claim("p", "s", 121))->first.verdict, TooOften);
  EXPECT_EQ(count("replay_requests"), 1) << "examine() only reads";
}

// R06, two nodes at the same instant
TEST_P(Replay, LetsOneInsertWinOverAllNodes) {
  auto second_database = *store::Database::open(url_);
  auto second_options = options();
  second_options.node = "n2";
  second_options.key = certs::PrivateKey::generate_p256();
  second_options.witness_file.clear();
  auto second = *Journal::open(*second_database, second_options);
  for (int round = 0; round < 20; ++round) {
    const auto proof = "p" + std::to_string(round);
    std::atomic<int> news{0}, repeats{0}, others{0};
    const auto sender = [&](Journal& journal) {
      for (int i = 0; i < 3; ++i) {
        const auto outcome = journal.commit_and_wait(with_claim(claim(proof, "r" + proof), "id"));
        (!outcome ? others : outcome->verdict == New ? news : outcome->verdict == Repeat ? repeats : others)++;
      }
    };
    std::thread a(sender, std::ref(*journal_)), b(sender, std::ref(*second));
    a.join();
    b.join();
    EXPECT_EQ(news, 1);
    EXPECT_EQ(repeats, 5);
    EXPECT_EQ(others, 0);
  }
}

}  // namespace
}  // namespace gateway::audit
