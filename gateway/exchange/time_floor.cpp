#include "gateway/exchange/time_floor.hpp"

#include <algorithm>

namespace gateway::exchange {

void TimeFloor::record(Duration full_path) {
  const std::lock_guard lock(mutex_);
  recent_[count_++ % window] = full_path;
  if (count_ % refresh != 0) return;
  const std::size_t seen = std::min(count_, window);
  auto sorted = recent_;
  const auto p99 = sorted.begin() + static_cast<std::ptrdiff_t>(seen * 99 / 100);
  std::nth_element(sorted.begin(), p99, sorted.begin() + static_cast<std::ptrdiff_t>(seen));
  floor_ = std::max(least_, *p99);
}

TimeFloor::Duration TimeFloor::floor() const {
  const std::lock_guard lock(mutex_);
  return floor_;
}

TimeFloor::Duration TimeFloor::departure(Duration work) const {
  const Duration step = floor();
  return step * std::max<Duration::rep>(1, (work + step - Duration(1)) / step);
}

}  // namespace gateway::exchange
