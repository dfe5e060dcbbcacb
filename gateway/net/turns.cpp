#include "gateway/net/turns.hpp"

#include <utility>

namespace gateway::net {

bool Turns::enter(const std::string& share, Call call, std::size_t share_max) {
  if (share_max == 0) return false;
  auto& queue = by_share_[share];
  if (queue.size() >= share_max) return false;
  if (queue.empty()) order_.push_back(share);
  queue.push_back(std::move(call));
  ++waiting_;
  return true;
}

void Turns::call_next() {
  if (order_.empty()) return;
  auto share = std::move(order_.front());
  order_.pop_front();
  const auto found = by_share_.find(share);
  const auto call = std::move(found->second.front());
  found->second.pop_front();
  --waiting_;
  if (found->second.empty()) {
    by_share_.erase(found);
  } else {
    order_.push_back(std::move(share));
  }
  call();
}

}  // namespace gateway::net
