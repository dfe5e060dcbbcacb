#include "gateway/exchange/call_backs.hpp"

#include <gtest/gtest.h>

namespace gateway::exchange {
namespace {

using std::chrono::seconds;

TEST(NextAttempt, ComesLaterAfterEachFailureAndNeverAfterTheEnd) {
  const Instant now = base::from_micros(1'700'000'000'000'000), end = now + seconds(3600);
  const struct {
    unsigned failed;
    seconds pause;
  } rows[] = {{1, seconds(10)}, {2, seconds(20)}, {3, seconds(40)}, {8, seconds(1280)}, {12, seconds(3600)},
              {4'000'000'000, seconds(3600)}};
  for (const auto& row : rows) EXPECT_EQ(next_attempt(now, row.failed, seconds(10), end), now + row.pause) << row.failed;
}

}  // namespace
}  // namespace gateway::exchange
