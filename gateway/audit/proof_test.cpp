#include "gateway/audit/proof.hpp"

#include "gateway/audit/testing.hpp"
#include "gateway/audit/trail.hpp"

#include <fstream>
#include <future>

namespace gateway::audit {
namespace {

class ProofOn : public WithJournal {
 protected:
  static constexpr std::string_view request = "<Request/>", answer = "<Answer/>";

  void SetUp() override {
    WithJournal::SetUp();
    if (IsSkipped()) return;
    for (const char* id : {"r0", "r1", "r2"}) ASSERT_TRUE(journal_->commit_and_wait(decided(id)));
    // One commit of several requests: the tree has branches.
    auto coming = journal_->expect();
    std::vector<std::promise<void>> promises(5);
    for (std::size_t i = 0; i < promises.size(); ++i) {
      journal_->commit(decided("b" + std::to_string(i)), [&promises, i](Result<Claimed>) { promises[i].set_value(); });
    }
    coming.reset();
    for (auto& promise : promises) promise.get_future().wait();
    auto sent = *entry("r1", 9).event;
    sent.outcome = Outcome::Sent;
    ASSERT_TRUE(journal_->commit_and_wait({.event = sent}));
  }
  Entry decided(const std::string& id) const {
    auto made = entry(id);
    auto& decision = *made.decision;
    decision.transaction = "ITI-55";
    decision.organization = "Riverside Hospital";
    decision.verdicts = {{.resource = "patient-of-" + id,
                          .findings = {{.gate = policy::Gate::Choice,
                                        .reason = policy::Reason::PatientPurpose,
                                        .sentence = "Not chosen.",
                                        .evidence = "choice c1",
                                        .would_change = ""}}}};
    decision.request_hash = base::hex(certs::sha256(request));
    decision.answer_hash = base::hex(certs::sha256(answer));
    return made;
  }
  std::string bundle(const std::string& id, ProofForm form) {
    const auto proof = prove(session(), id, form);
    EXPECT_TRUE(proof) << proof.error().detail;
    return canonical(*proof);
  }
  ProofEvidence evidence() const {
    return {.keys = {key_.public_key()}, .request = request, .answer = answer};
  }
  std::string witness() const {
    std::ifstream file(directory_ / "witness");
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

INSTANTIATE_TEST_SUITE_P(Proof, ProofOn, ::testing::Values(store::Kind::Sqlite, store::Kind::Postgresql),
                         kind_name);

TEST_P(ProofOn, ShowsWhatWasAnsweredToWhomAndNothingElse) {
  const auto proved = check_proof(bundle("r1", ProofForm::Answer), evidence());
  ASSERT_TRUE(proved) << proved.error().code.message();
  EXPECT_EQ(proved->request, "r1");
  EXPECT_EQ(proved->organization, "Riverside Hospital");
  EXPECT_EQ(proved->at, at(0));
  for (const char* hidden : {"patient", "findings", "Not chosen", "verdict", "outcome", "released", "choice"}) {
    EXPECT_EQ(bundle("r1", ProofForm::Answer).find(hidden), std::string::npos) << hidden;
  }
}

TEST_P(ProofOn, ShowsAnOfficerEverythingThatWasWrittenDown) {
  const auto proved = check_proof(bundle("r1", ProofForm::Officer), evidence());
  ASSERT_TRUE(proved) << proved.error().code.message();
  ASSERT_EQ(proved->shown.size(), 3);
  EXPECT_EQ(proved->shown[0], canonical(*decided("r1").event));
  EXPECT_EQ(proved->shown[1], canonical(*decided("r1").decision));
  EXPECT_NE(proved->shown[2].find("\"outcome\":\"sent\""), std::string::npos);
}

TEST_P(ProofOn, HoldsForEveryRequestOfACommit) {
  for (const char* id : {"r0", "r2", "b0", "b1", "b2", "b3", "b4"}) {
    EXPECT_TRUE(check_proof(bundle(id, ProofForm::Answer), evidence())) << id;
    EXPECT_TRUE(check_proof(bundle(id, ProofForm::Officer), evidence())) << id;
  }
}

TEST_P(ProofOn, RefusesABundleWithAnyByteChanged) {
  for (const auto form : {ProofForm::Answer, ProofForm::Officer}) {
    const auto sound = bundle("b2", form);
    ASSERT_TRUE(check_proof(sound, evidence()));
    for (std::size_t i = 0; i < sound.size(); ++i) {
      for (const int bit : {1, 2, 32}) {
        auto changed = sound;
        changed[i] = static_cast<char>(changed[i] ^ bit);
        EXPECT_FALSE(check_proof(changed, evidence())) << i << " of " << changed;
      }
      EXPECT_FALSE(check_proof(sound.substr(0, i), evidence())) << i;
      EXPECT_FALSE(check_proof(std::string(sound).insert(i, " "), evidence())) << i;
    }
    EXPECT_FALSE(check_proof(sound + "\n", evidence()));
    EXPECT_FALSE(check_proof("\xEF\xBB\xBF" + sound, evidence()));
  }
}

TEST_P(ProofOn, RefusesTwoBundlesSplicedHoweverTheyAre) {
  const auto one = *prove(session(), "r1", ProofForm::Officer), other = *prove(session(), "r2", ProofForm::Officer);
  const auto refused = [&](const Proof& spliced, ProofErrc why) {
    const auto checked = check_proof(canonical(spliced), evidence());
    return !checked && checked.error().code == why;
  };
  auto both = one;
  both.commits.insert(both.commits.begin() + 1, other.commits[0]);
  EXPECT_TRUE(refused(both, ProofErrc::NotOneRequest));
  auto other_decision = one;
  other_decision.commits[0].rows[1] = other.commits[0].rows[1];
  EXPECT_TRUE(refused(other_decision, ProofErrc::NotInTheCommit));
  auto other_payload = one;
  other_payload.commits[0].rows[1].shown = other.commits[0].rows[1].shown;
  EXPECT_TRUE(refused(other_payload, ProofErrc::NotInTheCommit));
  auto old_head = other;
  old_head.commits[0].checkpoint = one.commits[0].checkpoint;
  EXPECT_TRUE(refused(old_head, ProofErrc::NotInTheCommit));
  auto mixed_head = other;
  mixed_head.commits[0].checkpoint.head = one.commits[0].checkpoint.head;
  EXPECT_TRUE(refused(mixed_head, ProofErrc::WrongKey));
  auto as_answer = one;
  as_answer.form = ProofForm::Answer;
  EXPECT_TRUE(refused(as_answer, ProofErrc::NotAProof));
  auto twice = one;
  twice.commits[0].rows.push_back(twice.commits[0].rows[1]);
  EXPECT_TRUE(refused(twice, ProofErrc::NotAProof));
  auto without_decision = one;
  without_decision.commits[0].rows.pop_back();
  EXPECT_TRUE(refused(without_decision, ProofErrc::NotOneRequest));
}

TEST_P(ProofOn, BelievesNoKeyButTheGivenOne) {
  const auto sound = bundle("r1", ProofForm::Answer);
  const auto stranger = certs::PrivateKey::generate_ed25519();
  auto given = evidence();
  given.keys = {stranger.public_key()};
  EXPECT_EQ(check_proof(sound, given).error().code, ProofErrc::WrongKey);
  given.keys.clear();
  EXPECT_EQ(check_proof(sound, given).error().code, ProofErrc::WrongKey);
  given.keys = {stranger.public_key(), key_.public_key()};
  EXPECT_TRUE(check_proof(sound, given));

  auto forged = *prove(session(), "r1", ProofForm::Answer);
  forged.commits[0].checkpoint.signature =
      stranger.sign(certs::Digest::Sha256, signed_bytes(forged.commits[0].checkpoint));
  EXPECT_EQ(check_proof(canonical(forged), evidence()).error().code, ProofErrc::WrongKey);
  auto carries_a_key = canonical(forged);
  carries_a_key.insert(1, "\"key\":\"" + base::base64(stranger.public_key().spki()) + "\",");
  EXPECT_EQ(check_proof(carries_a_key, evidence()).error().code, ProofErrc::NotAProof);
}

TEST_P(ProofOn, RefusesTheWrongRequestOrAnswer) {
  const auto sound = bundle("r1", ProofForm::Answer);
  auto other_request = evidence();
  other_request.request = "<Request />";
  EXPECT_EQ(check_proof(sound, other_request).error().code, ProofErrc::OtherRequest);
  auto other_answer = evidence();
  other_answer.answer = "<Answer></Answer>";
  EXPECT_EQ(check_proof(sound, other_answer).error().code, ProofErrc::OtherAnswer);
}

TEST_P(ProofOn, IsHeldAgainstAWitness) {
  const auto lines = witness();
  auto given = evidence();
  given.witness = lines;
  EXPECT_TRUE(check_proof(bundle("r1", ProofForm::Officer), given));
  const auto earlier = lines.substr(0, lines.find('\n') + 1);
  given.witness = earlier;
  EXPECT_TRUE(check_proof(bundle("r0", ProofForm::Officer), given));
  EXPECT_EQ(check_proof(bundle("r1", ProofForm::Officer), given).error().code, ProofErrc::NotWitnessed);
}

TEST_P(ProofOn, ProvesNothingThatIsNotKeptWhole) {
  EXPECT_EQ(prove(session(), "nobody", ProofForm::Officer).error().code, ProofErrc::NothingKept);
  EXPECT_EQ(prove(session(), "", ProofForm::Officer).error().code, ProofErrc::NothingKept);
  ASSERT_TRUE(session().execute("UPDATE audit_payloads SET payload = '{}' WHERE request = 'r0' AND kind = 'decision'"));
  EXPECT_EQ(prove(session(), "r0", ProofForm::Officer).error().code, ProofErrc::ChainUnsound);
  ASSERT_TRUE(session().execute("DELETE FROM audit_payloads WHERE request = 'r2'"));
  EXPECT_EQ(prove(session(), "r2", ProofForm::Officer).error().code, ProofErrc::NothingKept);
}

/// What an earlier version wrote is one part; the chain goes on over it.
TEST_P(ProofOn, ShowsRecordsOfAnEarlierVersionToAnOfficerOnly) {
  const std::string payload = R"({"request":"r0","at":1700000000000000,"rules_version":"1","request_hash":")" +
                              base::hex(certs::sha256(request)) + R"(","answer_hash":")" +
                              base::hex(certs::sha256(answer)) + R"("})";
  const Bytes salt(16, 's'), before = *base::read_hex(session().select("SELECT hash FROM audit_chain WHERE seq = 1",
                                                                       "t")->at(0).text(0));
  const auto committed = commitment(salt, payload);
  EXPECT_EQ(committed, certs::sha256(salt + payload));
  const auto hash = entry_hash("n1", 2, before, committed);
  const std::vector<Bytes> leaves = {before, hash};
  Checkpoint checkpoint{.node = "n1", .seq = 2, .head = hash, .root = merkle_root(leaves), .rows = 2, .at = at(0),
                        .signature = {}};
  checkpoint.signature = key_.sign(certs::Digest::Sha256, signed_bytes(checkpoint));
  const auto run = [&](std::string_view sql, std::vector<store::Value> values) {
    ASSERT_TRUE(session().execute(sql, values));
  };
  run("DELETE FROM audit_payloads WHERE seq > 2", {});
  run("DELETE FROM audit_checkpoints WHERE seq > 2", {});
  run("DELETE FROM audit_chain WHERE seq > 2", {});
  run("UPDATE audit_payloads SET payload = :p1, salt = :p2 WHERE seq = 2", {payload, base::hex(salt)});
  run("UPDATE audit_chain SET commitment = :p1, hash = :p2 WHERE seq = 2", {base::hex(committed), base::hex(hash)});
  run("UPDATE audit_checkpoints SET head = :p1, root = :p2, signature = :p3",
      {base::hex(hash), base::hex(checkpoint.root), base::base64(checkpoint.signature)});
  EXPECT_TRUE(verify(session(), std::nullopt)->sound());
  EXPECT_EQ(prove(session(), "r0", ProofForm::Answer).error().code, ProofErrc::NotDivided);
  EXPECT_TRUE(check_proof(bundle("r0", ProofForm::Officer), evidence()));
}

}  // namespace
}  // namespace gateway::audit
