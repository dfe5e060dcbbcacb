#pragma once
// A partner that sends nothing but bad signatures, as fast as it is let, beside another that asks honestly.

#include "gateway/bench/exchanges.hpp"

namespace gateway::bench {

struct RefusePlan {
  std::vector<double> rates = {1000, 1500, 2000, 3000, 4000, 6000};  ///< of bad requests a second, tried in turn
  std::size_t honest_requests = 1000;                                  ///< of the other partner, in each turn
  std::size_t all_honest() const { return (rates.size() + 2) * honest_requests; }
};

struct Refused {
  double per_second = 0;                       ///< the most of which the honest partner noticed little enough
  double calm_p99_us = 0, p99_us = 0;          ///< of honest requests: alone, and at that rate
};

/// Tries one rate after the other until honest requests take twice as long at the 99th percentile.
/// @param honest  at least RefusePlan::all_honest
/// @error Errc::WrongAnswer where a bad signature is not refused or an honest request is
Result<Refused> refuse(MeasuredHouse& house, const Keys& keys, const RefusePlan& plan, std::span<const Signed> honest,
                       Sample& sample);

}  // namespace gateway::bench
