#include "gateway/exchange/time_floor.hpp"

#include <gtest/gtest.h>

namespace gateway::exchange {
namespace {

using std::chrono::milliseconds;

TEST(TimeFloor, HoldsEveryQuickAnswerForTheSameTime) {
  const TimeFloor floor(milliseconds(5));
  for (int work = 0; work <= 5; ++work) EXPECT_EQ(floor.departure(milliseconds(work)), milliseconds(5)) << work;
}

TEST(TimeFloor, LetsALateAnswerLeaveOnTheNextStepAndNotWhenItsWorkEnds) {
  const TimeFloor floor(milliseconds(5));
  EXPECT_EQ(floor.departure(milliseconds(6)), milliseconds(10));
  EXPECT_EQ(floor.departure(milliseconds(9)), milliseconds(10));
  EXPECT_EQ(floor.departure(milliseconds(11)), milliseconds(15));
}

TEST(TimeFloor, RisesToThe99thPercentileOfTheFullPathAndFallsBackToItsLeast) {
  TimeFloor floor(milliseconds(5));
  for (int i = 0; i < 1024; ++i) floor.record(i % 50 == 0 ? milliseconds(20) : milliseconds(2));
  EXPECT_EQ(floor.floor(), milliseconds(20));
  for (int i = 0; i < 1024; ++i) floor.record(milliseconds(1));
  EXPECT_EQ(floor.floor(), milliseconds(5));
}

}  // namespace
}  // namespace gateway::exchange
