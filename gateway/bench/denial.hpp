#pragma once
// Whether a stranger can tell by his clock that a patient who denies is here: the same two questions, one about a
// patient who permits nothing, one about nobody, thousands of times among a million patients, and a classifier that
// tries to tell the answers apart. [design §4; threats.md F09]

#include "gateway/bench/figures.hpp"
#include "gateway/bench/measured_house.hpp"
#include "gateway/cli/console.hpp"

namespace gateway::bench {

struct DenialPlan {
  std::size_t patients = 1'000'000;
  std::size_t pairs = 10'000;    ///< of questions, for each combination of clients and caches
  std::size_t learning = 400;    ///< threes of questions before, that teach the gateway its floor
  std::string postgresql = {};   ///< URL of an empty database, measured after SQLite; nothing: SQLite alone
};

/// What may be told apart: medians nearer than this, or an interval of their difference that holds 0.
inline constexpr double denial_difference_us_max = 20;
/// The chance to name the denied of two answers: a half is guessing.
inline constexpr double denial_auc_least = 0.48, denial_auc_most = 0.52;

struct DenialReport {
  std::vector<Figure> figures = {};
  std::vector<std::string> sentences = {};
  bool held = true;  ///< nothing could be told apart
};
Result<DenialReport> denial(const std::filesystem::path& scratch, const Keys& keys, const cli::Console& console,
                            const DenialPlan& plan);

/// The chance that a random one of `a` is above a random one of `b`, ties counting half. [Mann and Whitney]
double rank_auc(const std::vector<double>& a, const std::vector<double>& b);
struct Interval {
  double low = 0, high = 0;
};
/// 95 % of the difference of medians a − b, by bootstrap.
Interval median_difference(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace gateway::bench
