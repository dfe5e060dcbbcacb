#include "gateway/exchange/refusal_meter.hpp"

#include <gtest/gtest.h>

namespace gateway::exchange {
namespace {

TEST(RefusalMeter, WritesTheFirstOfEachSourceAndMinuteOneByOneAndCountsTheRest) {
  RefusalMeter meter(3);
  const auto minute = [](int n) { return base::from_micros(60'000'000ll * n); };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(meter.note("a", minute(1)).write);
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(meter.note("a", minute(1)).write);
  EXPECT_TRUE(meter.note("b", minute(1)).write) << "one source's flood does not silence another";

  const auto next = meter.note("b", minute(2));
  EXPECT_TRUE(next.write);
  ASSERT_EQ(next.due.size(), 1u);
  EXPECT_EQ(next.due[0].source, "a");
  EXPECT_EQ(next.due[0].count, 7u);
  EXPECT_TRUE(meter.note("a", minute(2)).write) << "every minute begins anew";
  EXPECT_TRUE(meter.note("a", minute(3)).due.empty()) << "nothing is counted twice";
}

TEST(RefusalMeter, RemembersABoundedNumberOfSources) {
  RefusalMeter meter(1);
  for (int i = 0; i < 20'000; ++i) (void)meter.note(std::to_string(i), base::from_micros(0));
  EXPECT_EQ(meter.note("x", base::from_micros(60'000'000)).due.size(), 1u) << "all beyond the limit share one name";
}

}  // namespace
}  // namespace gateway::exchange
