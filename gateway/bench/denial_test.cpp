#include "gateway/bench/denial.hpp"

#include <gtest/gtest.h>

#include <random>

namespace gateway::bench {
namespace {

std::vector<double> waits(double from, std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(from + static_cast<double>(random() % 1000));
  return all;
}

TEST(RankAuc, IsTheChanceOfARightGuess) {
  EXPECT_EQ(rank_auc({3, 4}, {1, 2}), 1);
  EXPECT_EQ(rank_auc({1, 2}, {3, 4}), 0);
  EXPECT_EQ(rank_auc({1, 3}, {2, 4}), 0.25);
}

TEST(RankAuc, CountsTiesHalf) {
  EXPECT_EQ(rank_auc({5, 5, 5}, {5, 5}), 0.5);
  EXPECT_EQ(rank_auc({5, 6}, {5, 5}), 0.75);
}

TEST(RankAuc, SeesATenthOfTheSpreadAmongThousands) {
  EXPECT_NEAR(rank_auc(waits(0, 10'000, 1), waits(0, 10'000, 2)), 0.5, 0.02);
  EXPECT_GT(rank_auc(waits(100, 10'000, 1), waits(0, 10'000, 2)), denial_auc_most);
}

TEST(MedianDifference, HoldsZeroWhereThereIsNone) {
  const auto none = median_difference(waits(0, 5000, 1), waits(0, 5000, 2));
  EXPECT_LE(none.low, 0);
  EXPECT_GE(none.high, 0);
  const auto some = median_difference(waits(100, 5000, 1), waits(0, 5000, 2));
  EXPECT_GT(some.low, 0);
  EXPECT_LT(some.low, 100);
  EXPECT_GT(some.high, 100);
}

}  // namespace
}  // namespace gateway::bench
