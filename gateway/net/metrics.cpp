#include "gateway/net/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <mutex>

namespace gateway::net {
namespace {

constexpr std::size_t label_size_max = 48;
constexpr std::size_t label_sets_max = 1000;
constexpr std::string_view other = "other";

constexpr bool is_small(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_letter(char c) { return is_small(c) || (c >= 'A' && c <= 'Z'); }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_word_char(char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.'; }

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= label_size_max && is_letter(text[0]) &&
         std::ranges::all_of(text, is_word_char);
}

bool is_gauge_name(std::string_view text) {
  const auto fits = [](char c) { return is_small(c) || is_digit(c) || c == '_'; };
  return !text.empty() && text.size() <= label_size_max && is_small(text[0]) && std::ranges::all_of(text, fits);
}

const prometheus::Histogram::BucketBoundaries& answer_buckets() {
  static const prometheus::Histogram::BucketBoundaries seconds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                               0.25,  0.5,    1,     2.5,  5,     10,   30};
  return seconds;
}

/// One metric with its label names and the sets seen so far.
template <class Metric>
class Labelled {
 public:
  Labelled(prometheus::Family<Metric>& family, std::vector<std::string> names)
      : family_(family), names_(std::move(names)) {}

  template <class... Construction>
  Metric& with(std::vector<std::string_view> values, const Construction&... construction) {
    for (auto& value : values) value = is_word(value) ? value : other;
    const std::scoped_lock lock(mutex_);
    if (seen_.size() >= label_sets_max && !seen_.contains(key_of(values))) std::ranges::fill(values, other);
    auto& metric = seen_[key_of(values)];
    if (metric == nullptr) metric = &family_.Add(labels_of(values), construction...);
    return *metric;
  }

 private:
  static std::string key_of(const std::vector<std::string_view>& values) {
    std::string key;
    for (const auto value : values) key.append(value).append("\n");
    return key;
  }
  std::map<std::string, std::string> labels_of(const std::vector<std::string_view>& values) const {
    std::map<std::string, std::string> labels;
    for (std::size_t i = 0; i < names_.size(); ++i) labels.emplace(names_[i], values[i]);
    return labels;
  }

  std::mutex mutex_;
  prometheus::Family<Metric>& family_;
  const std::vector<std::string> names_;
  std::map<std::string, Metric*> seen_;
};

}  // namespace

struct Metrics::Parts {
  prometheus::Registry registry;
  Labelled<prometheus::Counter> answers{prometheus::BuildCounter()
                                            .Name("gatehouse_answers_total")
                                            .Help("Answers by transaction, outcome and reason")
                                            .Register(registry),
                                        {"transaction", "outcome", "reason"}};
  Labelled<prometheus::Histogram> answer_seconds{prometheus::BuildHistogram()
                                                     .Name("gatehouse_answer_seconds")
                                                     .Help("Time from the first byte of a request to its answer")
                                                     .Register(registry),
                                                 {"transaction"}};
  Labelled<prometheus::Counter> connections{prometheus::BuildCounter()
                                                .Name("gatehouse_connections_total")
                                                .Help("What became of connections, by door")
                                                .Register(registry),
                                            {"door", "what"}};
  Labelled<prometheus::Counter> fetches{prometheus::BuildCounter()
                                            .Name("gatehouse_revocation_fetches_total")
                                            .Help("Fetches of revocation evidence, by kind and outcome")
                                            .Register(registry),
                                        {"kind", "outcome"}};
  Labelled<prometheus::Gauge> days_left{prometheus::BuildGauge()
                                            .Name("gatehouse_certificate_days_left")
                                            .Help("Days until the first certificate of a role ends")
                                            .Register(registry),
                                        {"role"}};
  std::mutex mutex;
  std::map<std::string, prometheus::Gauge*, std::less<>> gauges;
};

Metrics::Metrics() : parts_(std::make_unique<Parts>()) {}
Metrics::~Metrics() = default;

void Metrics::count_answer(std::string_view transaction, std::string_view outcome, std::string_view reason) {
  parts_->answers.with({transaction, outcome, reason.empty() ? "none" : reason}).Increment();
}

void Metrics::observe_answer_seconds(std::string_view transaction, double seconds) {
  parts_->answer_seconds.with({transaction}, answer_buckets()).Observe(seconds);
}

void Metrics::count_connection(std::string_view door, std::string_view what) {
  parts_->connections.with({door, what}).Increment();
}

void Metrics::count_fetch(std::string_view kind, std::string_view outcome) {
  parts_->fetches.with({kind, outcome}).Increment();
}

void Metrics::set_certificate_days_left(std::string_view role, double days) {
  parts_->days_left.with({role}).Set(days);
}

void Metrics::set_gauge(std::string_view name, double value) {
  if (!is_gauge_name(name)) return;
  const std::scoped_lock lock(parts_->mutex);
  auto found = parts_->gauges.find(name);
  if (found == parts_->gauges.end()) {
    if (parts_->gauges.size() >= label_sets_max) return;
    auto& family = prometheus::BuildGauge().Name("gatehouse_" + std::string(name)).Register(parts_->registry);
    found = parts_->gauges.emplace(name, &family.Add({})).first;
  }
  found->second->Set(value);
}

std::string Metrics::text() const { return prometheus::TextSerializer().Serialize(parts_->registry.Collect()); }

}  // namespace gateway::net
