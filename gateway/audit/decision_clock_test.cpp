#include "gateway/audit/decision_clock.hpp"

#include "gateway/audit/journal.hpp"
#include "gateway/patients/testing.hpp"

namespace gateway::audit {
namespace {

using patients::testing::noon;
using patients::testing::ok;
using std::chrono::microseconds;
using std::chrono::seconds;

TEST(DecisionClock, FollowsTheClockForward) {
  DecisionClock clock(noon);
  EXPECT_EQ(ok(clock.at(noon + seconds(1))), noon + seconds(1));
  EXPECT_EQ(ok(clock.at(noon + seconds(7200))), noon + seconds(7200));
}

TEST(DecisionClock, StandsStillWhileTheClockIsAMinuteBack) {
  DecisionClock clock(noon);
  EXPECT_EQ(ok(clock.at(noon - microseconds(1))), noon);
  EXPECT_EQ(ok(clock.at(noon - DecisionClock::step_max)), noon);
}

TEST(DecisionClock, DecidesNothingBeyondThat) {
  DecisionClock clock(noon);
  const auto refused = clock.at(noon - DecisionClock::step_max - microseconds(1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::ClockWentBack);
  EXPECT_EQ(ok(clock.at(noon)), noon) << "and goes on once the clock is right";
}

class DecisionTimes : public patients::testing::ShelfTest {};
ON_BOTH_DATABASES(DecisionTimes);

TEST_P(DecisionTimes, AreThoseOfTheNodeThatIsFurthest) {
  EXPECT_EQ(ok(decided_until(*database_)), Instant());
  auto* session = ok(database_->session());
  ok(note_decided(*session, "a", noon));
  ok(note_decided(*session, "b", noon - seconds(5)));
  EXPECT_EQ(ok(decided_until(*database_)), noon);
  ok(note_decided(*session, "b", noon + seconds(5)));
  ok(note_decided(*session, "b", noon + seconds(1)));  // a batch holds requests in any order
  EXPECT_EQ(ok(decided_until(*database_)), noon + seconds(5));
}

TEST_P(DecisionTimes, GoBackOnlyWhereTheOperatorAcceptsIt) {
  auto* session = ok(database_->session());
  ok(note_decided(*session, "a", noon));
  ok(accept_clock(*database_, noon + seconds(5)));
  EXPECT_EQ(ok(decided_until(*database_)), noon) << "never forward";
  ok(accept_clock(*database_, noon - seconds(3600)));
  EXPECT_EQ(ok(decided_until(*database_)), noon - seconds(3600));
}

}  // namespace
}  // namespace gateway::audit
