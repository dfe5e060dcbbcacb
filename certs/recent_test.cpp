#include "certs/recent.hpp"

#include <gtest/gtest.h>

namespace certs {
namespace {

TEST(Recent, FindsWhatWasKeptAndNothingElse) {
  Recent<int> kept(64);
  kept.keep("a", 1);
  kept.keep("a", 2);
  EXPECT_EQ(kept.find("a"), 2);
  EXPECT_EQ(kept.find("b"), std::nullopt);
}

TEST(Recent, ForgetsTheLeastRecentlyUsedAndNeverGrowsBeyondItsLimit) {
  Recent<int> kept(64);
  kept.keep("used", 0);
  for (int i = 0; i < 10'000; ++i) {
    kept.keep(std::to_string(i), i);
    ASSERT_TRUE(kept.find("used")) << i;
  }
  int found = 0;
  for (int i = 0; i < 10'000; ++i) found += kept.find(std::to_string(i)).has_value();
  EXPECT_GT(found, 32);
  EXPECT_LE(found, 64 + 16);  // each shard rounds up
  EXPECT_EQ(kept.find("0"), std::nullopt);
}

}  // namespace
}  // namespace certs
