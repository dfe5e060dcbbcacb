#pragma once
// The pure decision by itself: 1,000 documents of one patient against 50 provisions. [design §8]

#include "gateway/bench/figures.hpp"

namespace gateway::bench {

/// Releases a thousand documents of twenty kinds and ten sets of labels, judged by fifty provisions of ten consents.
/// @param permitted  how many of them left, so that nothing is measured that decides nothing
Repeated decide_1000(std::size_t& permitted);

}  // namespace gateway::bench
