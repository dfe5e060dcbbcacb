#include "gateway/pending/shelf.hpp"

#include "certs/authority.hpp"
#include "gateway/store/testing.hpp"

#include <gtest/gtest.h>

namespace gateway::pending {
namespace {

using exchange::Added;
using exchange::PendingAnswer;
using exchange::TakenAnswer;
using std::chrono::seconds;

const Instant noon = base::from_micros(1'700'000'000'000'000);
constexpr seconds lease{60};

const std::vector<certs::Certificate>& certificates() {
  static const auto made = [] {
    const auto authority = certs::CertificateAuthority::create({.common_name = "CA"}, noon, std::chrono::days(1));
    return std::vector{authority.issue({.subject = {.common_name = "peer"}, .now = noon}).certificate,
                       authority.credential().certificate};
  }();
  return made;
}

PendingAnswer answer(const std::string& id, const std::string& implementer = "2.999.1") {
  PendingAnswer made{.id = id};
  made.clinic = "clinic-1";
  made.claim = "claim of " + id;
  made.implementer = implementer;
  made.home = "2.999.1.1";
  made.transaction = "ITI-55";
  made.message_id = "urn:uuid:" + id;
  made.reply_to = "https://peer.example/answers";
  made.content_type = "multipart/related; boundary=\"\xFF\"";
  made.body = std::string("octets\0\xFF", 8);
  made.certificates = certificates();
  made.address = "192.0.2.1";
  made.seed.fill(0xA5);
  made.accepted_at = noon;
  made.due_at = noon + seconds(1);
  return made;
}

class Pending : public ::testing::TestWithParam<store::Kind> {
 protected:
  void SetUp() override {
    const auto url = store::fresh_url(GetParam(), directory_);
    if (url.empty()) GTEST_SKIP() << "PostgreSQL is not installed";
    ASSERT_TRUE(store::Database::migrate(url));
    database_ = *store::Database::open(url);
    shelf_ = std::make_unique<PendingShelf>(*database_);
  }
  std::optional<TakenAnswer> take(Instant now, const std::vector<std::string>& but = {}) {
    auto taken = shelf_->take(now, lease, but);
    EXPECT_TRUE(taken);
    return taken ? *std::move(taken) : std::nullopt;
  }
  Added add(const PendingAnswer& one, std::size_t most = 10) { return shelf_->add(one, most).value(); }

  store::TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<PendingShelf> shelf_;
};
INSTANTIATE_TEST_SUITE_P(Both, Pending, ::testing::Values(store::Kind::Sqlite, store::Kind::Postgresql),
                         [](const auto& kind) { return store::name_of(kind.param); });

TEST_P(Pending, ComesBackAsItWasPutDown) {
  EXPECT_EQ(add(answer("a")), Added::New);
  const auto taken = take(noon + seconds(1));
  ASSERT_TRUE(taken);
  const auto &got = taken->answer, put = answer("a");
  EXPECT_EQ(got.id, put.id);
  EXPECT_EQ(got.clinic, put.clinic);
  EXPECT_EQ(got.claim, put.claim);
  EXPECT_EQ(got.implementer, put.implementer);
  EXPECT_EQ(got.home, put.home);
  EXPECT_EQ(got.transaction, put.transaction);
  EXPECT_EQ(got.message_id, put.message_id);
  EXPECT_EQ(got.reply_to, put.reply_to);
  EXPECT_EQ(got.fault_to, "");
  EXPECT_EQ(got.content_type, put.content_type);
  EXPECT_EQ(got.body, put.body);
  EXPECT_EQ(got.certificates, put.certificates);
  EXPECT_EQ(got.address, put.address);
  EXPECT_EQ(got.seed, put.seed);
  EXPECT_EQ(got.accepted_at, put.accepted_at);
  EXPECT_EQ(taken->attempts, 1u);
}

TEST_P(Pending, IsTakenWhenItIsDueTheOldestFirst) {
  auto later = answer("a");
  later.due_at = noon + seconds(2);
  add(later);
  add(answer("b"));
  EXPECT_FALSE(take(noon));
  EXPECT_EQ(take(noon + seconds(3))->answer.id, "b");
  EXPECT_EQ(take(noon + seconds(3))->answer.id, "a");
  EXPECT_FALSE(take(noon + seconds(3)));
}

TEST_P(Pending, IsLeftWhereItsPartnerHasHadEnough) {
  add(answer("a"));
  add(answer("b", "2.999.2"));
  EXPECT_EQ(take(noon + seconds(1), {"2.999.1", "2.999.3"})->answer.id, "b");
  EXPECT_FALSE(take(noon + seconds(1), {"2.999.1"}));
  EXPECT_EQ(take(noon + seconds(1))->answer.id, "a");
}

TEST_P(Pending, IsAnothersOnceItsLeaseHasEnded) {
  add(answer("a"));
  const auto first = take(noon + seconds(1));
  EXPECT_TRUE(*shelf_->hold(*first));
  EXPECT_FALSE(take(noon + seconds(60)));
  const auto second = take(noon + seconds(61));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->attempts, 2u);
  EXPECT_FALSE(*shelf_->hold(*first));
  EXPECT_FALSE(*shelf_->put_back(*first, noon, "late"));
  EXPECT_FALSE(*shelf_->remove(*first));
  EXPECT_TRUE(*shelf_->hold(*second));
  EXPECT_TRUE(*shelf_->remove(*second));
  EXPECT_EQ(*shelf_->waiting(), 0u);
}

TEST_P(Pending, IsPutBackWithTheReasonWhy) {
  add(answer("a"));
  const auto first = take(noon + seconds(1));
  EXPECT_TRUE(*shelf_->put_back(*first, noon + seconds(5), "call-cannot-connect"));
  EXPECT_FALSE(take(noon + seconds(4)));
  const auto second = take(noon + seconds(5));
  EXPECT_EQ(second->reason, "call-cannot-connect");
  EXPECT_EQ(second->attempts, 2u);
}

TEST_P(Pending, WaitsOnceForEachClaim) {
  EXPECT_EQ(add(answer("a")), Added::New);
  auto again = answer("b");
  again.claim = answer("a").claim;
  EXPECT_EQ(add(again, 1), Added::WaitsAlready) << "even where there is no more room";
  EXPECT_EQ(*shelf_->waiting(), 1u);
}

TEST_P(Pending, IsLimitedForEachPartner_S02) {
  EXPECT_EQ(add(answer("a"), 2), Added::New);
  EXPECT_EQ(add(answer("b"), 2), Added::New);
  EXPECT_EQ(add(answer("c"), 2), Added::NoRoom);
  EXPECT_EQ(add(answer("d", "2.999.2"), 2), Added::New);
  EXPECT_EQ(*shelf_->waiting_of("2.999.1"), 2u);
  EXPECT_EQ(*shelf_->waiting(), 3u);
}

}  // namespace
}  // namespace gateway::pending
