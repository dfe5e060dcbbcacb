#pragma once
// A journal over a fresh database, and requests to write into it, for tests.

#include "gateway/audit/journal.hpp"
#include "gateway/store/testing.hpp"

#include <gtest/gtest.h>

namespace gateway::audit {

inline Instant at(std::int64_t second, std::int64_t micros = 0) {
  return base::from_micros((1'700'000'000 + second) * 1'000'000 + micros);
}

/// An event and a decision of request `id`.
inline Entry entry(const std::string& id, std::int64_t second = 0) {
  return {.event = Event{.request = id,
                         .at = at(second),
                         .transaction = "ITI-55",
                         .outcome = Outcome::Released,
                         .reason = "",
                         .clinic = "clinic-1",
                         .patients = {"patient-of-" + id},
                         .implementer = "1.2.3"},
          .decision = DecisionRecord{.request = id,
                                     .at = at(second),
                                     .rules_version = "1",
                                     .clinic_version = "1",
                                     .verdicts = {},
                                     .request_hash = "00",
                                     .answer_hash = "11",
                                     .document_hashes = {}}};
}

inline Claim claim(const std::string& proof, const std::string& request, std::int64_t second = 0) {
  return {.proof = proof, .request = request, .organization = "1.2.3", .now = at(second), .window_end = at(1260)};
}

inline Entry with_claim(Claim claim, const std::string& id) {
  auto made = entry(id);
  made.event->at = made.decision->at = claim.now;
  made.claim = std::move(claim);
  return made;
}

/// A test that runs on both databases, with the journal of node `n1`.
class WithJournal : public ::testing::TestWithParam<store::Kind> {
 protected:
  void SetUp() override {
    url_ = store::fresh_url(GetParam(), directory_);
    if (url_.empty()) GTEST_SKIP() << "PostgreSQL is not installed";
    ASSERT_TRUE(store::Database::migrate(url_));
    database_ = *store::Database::open(url_);
    open_journal();
  }
  void open_journal() {
    journal_.reset();
    auto opened = Journal::open(*database_, options());
    ASSERT_TRUE(opened) << opened.error().detail;
    journal_ = *std::move(opened);
  }
  Journal::Options options() const { return {.node = "n1", .key = key_, .witness_file = directory_ / "witness"}; }
  store::Session& session() { return **database_->session(); }
  std::int64_t count(const std::string& table) {
    return session().select("SELECT COUNT(*) FROM " + table, "i")->at(0).integer(0);
  }

  store::TemporaryDirectory directory_;
  const certs::PrivateKey key_ = certs::PrivateKey::generate_ed25519();
  std::string url_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<Journal> journal_;
};
inline std::string kind_name(const ::testing::TestParamInfo<store::Kind>& kind) { return store::name_of(kind.param); }

}  // namespace gateway::audit
