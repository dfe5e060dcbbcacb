#pragma once
// What the operator's door counts: answers, how long they took, connections. Labels are words of ours, never of a
// message, and their number is bounded; patients never appear. [design §3, §5; threats.md O16]

#include <memory>
#include <string>
#include <string_view>

namespace gateway::net {

/// Counters, histograms and gauges in the Prometheus text format. Safe over threads.
/// A label that is not a word (a letter, then letters, digits, `-`, `_`, `.`, at most 48) is counted as `other`, and so
/// is every label of a set beyond the first 1,000 distinct ones of a metric.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void count_answer(std::string_view transaction, std::string_view outcome, std::string_view reason);
  void observe_answer_seconds(std::string_view transaction, double seconds);
  void count_connection(std::string_view door, std::string_view what);
  /// Evidence fetched: `crl` or `ocsp`, and `usable` or the reason why it was not had.
  void count_fetch(std::string_view kind, std::string_view outcome);
  /// Days until the first certificate of a role ends; negative once it has.
  void set_certificate_days_left(std::string_view role, double days);
  /// @param name  follows `gatehouse_`; small letters, digits and `_`, else nothing is set
  void set_gauge(std::string_view name, double value);

  /// All of them in the text exposition format 0.0.4.
  std::string text() const;
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gateway::net
