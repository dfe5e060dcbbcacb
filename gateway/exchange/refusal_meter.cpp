#include "gateway/exchange/refusal_meter.hpp"

namespace gateway::exchange {

RefusalMeter::Judgement RefusalMeter::note(const std::string& source, base::Instant now) {
  const std::lock_guard lock(mutex_);
  Judgement judgement;
  const std::int64_t minute = base::to_micros(now) / 60'000'000;
  if (minute != minute_) {
    for (const auto& [address, count] : seen_) {
      if (count > one_by_one_) judgement.due.push_back({address, count - one_by_one_});
    }
    seen_.clear();
    minute_ = minute;
  }
  const bool known = seen_.contains(source);
  auto& count = seen_[known || seen_.size() < sources_max ? source : "others"];
  judgement.write = ++count <= one_by_one_;
  return judgement;
}

}  // namespace gateway::exchange
