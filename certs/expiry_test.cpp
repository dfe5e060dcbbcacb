#include "certs/expiry.hpp"

#include "certs/testing.hpp"

#include <gmock/gmock.h>

namespace certs {
namespace {

using namespace std::chrono_literals;
using testing::mint;
using testing::noon;

constexpr auto day = std::chrono::days(1);

TEST(Expiry, CountsWholeDaysAndIsNegativeOnceOver) {
  const auto certificate = mint({.not_after = noon() + 10 * day}).certificate;
  for (const auto& [now, left] : {std::pair<Instant, int>{noon(), 10}, {noon() + 1s, 9}, {noon() + 9 * day + 1s, 0},
                                  {noon() + 10 * day, 0}, {noon() + 10 * day + 1us, -1}})
    EXPECT_EQ(days_left(certificate, now), left);
}

TEST(Expiry, AlarmsAtThirtySevenAndOneDaysAndAtTheEnd_L11) {
  ExpiryAlarms alarms;
  const std::vector<Dated> all{{"tls", mint({.not_after = noon() + 40 * day}).certificate}};
  std::vector<std::int64_t> told;
  for (auto now = noon(); now < noon() + 45 * day; now += std::chrono::hours(6))
    for (const auto& alarm : alarms.due(all, now)) {
      told.push_back(alarm.days_left);
      EXPECT_EQ(alarm.urgent, alarm.days_left <= 7);
    }
  EXPECT_THAT(told, ::testing::ElementsAre(30, 7, 1, -1)) << "each once";
}

TEST(Expiry, AlarmsAtOnceForWhatIsNearAlready) {
  ExpiryAlarms alarms;
  const std::vector<Dated> all{{"tls", mint({.not_after = noon() + 3 * day}).certificate},
                               {"partner", mint({.not_after = noon() + 300 * day}).certificate}};
  EXPECT_THAT(alarms.due(all, noon()), ::testing::SizeIs(1));
  EXPECT_THAT(alarms.due(all, noon()), ::testing::IsEmpty());
  EXPECT_THAT(alarms.due({}, noon()), ::testing::IsEmpty());
  EXPECT_THAT(alarms.due(all, noon()), ::testing::SizeIs(1)) << "configured anew, told anew";
}

TEST(Expiry, TellsTheFirstToEndOfEachRole) {
  const std::vector<Dated> all{{"anchor", mint({.not_after = noon() + 9 * day}).certificate},
                               {"anchor", mint({.not_after = noon() + 3 * day}).certificate},
                               {"tls", mint({.not_after = noon() - 2 * day}).certificate}};
  EXPECT_EQ(first_to_end(all, noon()), (std::map<std::string, std::int64_t>{{"anchor", 3}, {"tls", -2}}));
}

}  // namespace
}  // namespace certs
