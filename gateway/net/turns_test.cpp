#include "gateway/net/turns.hpp"

#include <gtest/gtest.h>

namespace gateway::net {
namespace {

/// Turns whose calls write down who was called.
class TurnsOf : public ::testing::Test {
 protected:
  bool enter(const std::string& share, std::size_t share_max = 100) {
    const auto name = share + std::to_string(++entered_[share]);
    return turns_.enter(share, [this, name] { called_ += name + " "; }, share_max);
  }
  std::string call(std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) turns_.call_next();
    return std::exchange(called_, {});
  }
  Turns turns_;
  std::unordered_map<std::string, int> entered_;
  std::string called_;
};

TEST_F(TurnsOf, ServeTheFirstComeFirstWithinAShare) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(enter("a"));
  EXPECT_EQ(turns_.waiting(), 3u);
  EXPECT_EQ(call(3), "a1 a2 a3 ");
  EXPECT_EQ(turns_.waiting(), 0u);
}

TEST_F(TurnsOf, LetAFloodWaitBehindItself) {
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(enter("flood"));
  ASSERT_TRUE(enter("b"));
  ASSERT_TRUE(enter("c"));
  ASSERT_TRUE(enter("b"));
  EXPECT_EQ(call(6), "flood1 b1 c1 flood2 b2 flood3 ");
}

TEST_F(TurnsOf, GiveAShareThatComesBackItsPlaceAtTheEnd) {
  ASSERT_TRUE(enter("a") && enter("b"));
  EXPECT_EQ(call(1), "a1 ");
  ASSERT_TRUE(enter("a"));
  EXPECT_EQ(call(2), "b1 a2 ");
}

TEST_F(TurnsOf, RefuseOneTooManyOfAShareAndNobodyElse) {
  EXPECT_TRUE(enter("a", 2) && enter("a", 2));
  EXPECT_FALSE(enter("a", 2));
  EXPECT_TRUE(enter("b", 2));
  EXPECT_FALSE(enter("c", 0));
  EXPECT_EQ(turns_.waiting(), 3u);
  EXPECT_EQ(call(4), "a1 b1 a2 ");
}

TEST_F(TurnsOf, MayBeEnteredFromACall) {
  ASSERT_TRUE(turns_.enter("a", [this] { enter("a"), enter("b"); }, 10));
  EXPECT_EQ(call(3), "a1 b1 ");
}

TEST_F(TurnsOf, CallNobodyWhereNobodyWaits) { EXPECT_EQ(call(2), ""); }

}  // namespace
}  // namespace gateway::net
