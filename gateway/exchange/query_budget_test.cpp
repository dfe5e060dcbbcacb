#include "gateway/exchange/query_budget.hpp"

#include <gtest/gtest.h>

namespace gateway::exchange {
namespace {

base::Instant minute(int n) { return base::from_micros(60'000'000ll * n); }

/// Asks for `count` different people, a family each unless said. @return how many were refused
int refused(QueryBudget& budget, const std::string& partner, int count, int at, const std::string& alike = {}) {
  int refusals = 0;
  for (int i = 0; i < count; ++i) {
    const auto who = partner + alike + std::to_string(i);
    refusals += !budget.ask(partner, who, alike.empty() ? who : alike, minute(at)).within;
  }
  return refusals;
}

TEST(QueryBudget, IsPerPartnerAndCountsDifferentPatients) {
  QueryBudget budget({.patients = 10, .alike = 10, .window = std::chrono::minutes(60)});
  EXPECT_EQ(refused(budget, "a", 10, 1), 0);
  EXPECT_EQ(refused(budget, "a", 10, 2), 0) << "the same people again";
  EXPECT_EQ(refused(budget, "a", 12, 3), 2);
  EXPECT_EQ(refused(budget, "b", 10, 3), 0) << "another partner is not touched";
}

TEST(QueryBudget, EndsASweepOfOneNameLongBeforeTheWhole) {
  QueryBudget budget({.patients = 1000, .alike = 5, .window = std::chrono::minutes(60)});
  EXPECT_EQ(refused(budget, "a", 100, 1, "smith"), 95);
  EXPECT_EQ(refused(budget, "a", 100, 1), 0) << "other names may be asked for";
}

TEST(QueryBudget, ComesBackAsTheWindowMovesOn) {
  QueryBudget budget({.patients = 10, .alike = 10, .window = std::chrono::minutes(60)});
  EXPECT_EQ(refused(budget, "a", 5, 0), 0);
  EXPECT_EQ(refused(budget, "a", 10, 30), 0);
  EXPECT_EQ(refused(budget, "a", 10, 60), 0) << "asked for again at 30";
  EXPECT_EQ(refused(budget, "a", 20, 89), 10);
  EXPECT_EQ(refused(budget, "a", 10, 150), 0);
}

TEST(QueryBudget, AlarmsOnceInAWindow) {
  QueryBudget budget({.patients = 1, .alike = 1, .window = std::chrono::minutes(60)});
  EXPECT_FALSE(budget.ask("a", "1", "1", minute(0)).alarm);
  EXPECT_TRUE(budget.ask("a", "2", "2", minute(1)).alarm);
  EXPECT_FALSE(budget.ask("a", "3", "3", minute(2)).alarm);
  EXPECT_TRUE(budget.ask("b", "1", "1", minute(2)).within);
  EXPECT_TRUE(budget.ask("a", "1", "1", minute(59)).within);
  EXPECT_TRUE(budget.ask("a", "4", "4", minute(61)).alarm);
}

}  // namespace
}  // namespace gateway::exchange
