#include "gateway/net/metrics.hpp"

#include <gmock/gmock.h>

namespace gateway::net {
namespace {

using testing::HasSubstr;
using testing::Not;

std::size_t lines_with(const std::string& text, std::string_view part) {
  std::size_t lines = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++lines;
  return lines;
}

TEST(Metrics, CountsAnswersByTransactionOutcomeAndReason) {
  Metrics metrics;
  metrics.count_answer("ITI-55", "released", "");
  metrics.count_answer("ITI-55", "released", "");
  metrics.count_answer("ITI-55", "refused", "caller-unknown");
  EXPECT_THAT(metrics.text(),
              HasSubstr(R"(gatehouse_answers_total{outcome="released",reason="none",transaction="ITI-55"} 2)"));
  EXPECT_THAT(metrics.text(), HasSubstr(R"({outcome="refused",reason="caller-unknown",transaction="ITI-55"} 1)"));
}

TEST(Metrics, PutsAnswerTimesIntoBuckets) {
  Metrics metrics;
  metrics.observe_answer_seconds("ITI-39", 0.003);
  metrics.observe_answer_seconds("ITI-39", 2.0);
  EXPECT_THAT(metrics.text(), HasSubstr(R"(gatehouse_answer_seconds_bucket{transaction="ITI-39",le="0.005"} 1)"));
  EXPECT_THAT(metrics.text(), HasSubstr(R"(gatehouse_answer_seconds_count{transaction="ITI-39"} 2)"));
}

TEST(Metrics, CountsConnectionsAndKeepsTheLastValueOfAGauge) {
  Metrics metrics;
  metrics.count_connection("network", "accepted");
  metrics.set_gauge("audit_queue", 5);
  metrics.set_gauge("audit_queue", 3);
  EXPECT_THAT(metrics.text(), HasSubstr(R"(gatehouse_connections_total{door="network",what="accepted"} 1)"));
  EXPECT_THAT(metrics.text(), HasSubstr("gatehouse_audit_queue 3"));
}

TEST(Metrics, WritesOnlyWordsAsLabels) {
  Metrics metrics;
  for (const auto* hostile : {"", "9912345", "a b", "x\"} 1\n", "Müller", "a{b", "^&&&1.2.3&ISO",
                              "a2345678901234567890123456789012345678901234567890"}) {
    metrics.count_connection("network", hostile);
  }
  EXPECT_THAT(metrics.text(), HasSubstr(R"(gatehouse_connections_total{door="network",what="other"} 8)"));
  EXPECT_EQ(lines_with(metrics.text(), "gatehouse_connections_total{"), 1u);
}

TEST(Metrics, CountsLabelSetsBeyondOneThousandTogether) {
  Metrics metrics;
  for (int i = 0; i < 1010; ++i) metrics.count_connection("network", "word" + std::to_string(i));
  metrics.count_connection("network", "word7");
  const auto text = metrics.text();
  EXPECT_EQ(lines_with(text, "gatehouse_connections_total{"), 1001u);
  EXPECT_THAT(text, HasSubstr(R"(gatehouse_connections_total{door="other",what="other"} 10)"));
  EXPECT_THAT(text, HasSubstr(R"({door="network",what="word7"} 2)"));
}

TEST(Metrics, SetsNoGaugeWhoseNameIsNone) {
  Metrics metrics;
  metrics.set_gauge("Bad name", 1);
  metrics.set_gauge("1st", 1);
  EXPECT_THAT(metrics.text(), Not(HasSubstr("gatehouse_")));
}

}  // namespace
}  // namespace gateway::net
