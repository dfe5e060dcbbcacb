#pragma once
// `bench --only match_1m`: how fast and how well patients are matched among ten thousand, a hundred thousand and a
// million, by the shelf that answers the network, on SQLite.

#include "gateway/bench/figures.hpp"
#include "gateway/cli/console.hpp"

#include <filesystem>

namespace gateway::bench {

inline constexpr double match_p99_us_max = 3000;  ///< at a million, for each kind of query
inline constexpr double recall_least = 0.95;      ///< of noisy queries for somebody who is there

struct MatchReport {
  std::vector<Figure> figures;
  std::vector<std::string> sentences;
  bool held = true;  ///< recall and wrong persons; times only where the run was not a trial
};
/// @param quick  ten thousand patients only
base::Result<MatchReport> match_1m(const std::filesystem::path& scratch, const cli::Console& console, bool quick);

}  // namespace gateway::bench
