#pragma once
// Whose request is handled next on an I/O thread: shares take turns, within a share the first come is the first served.
// So a partner that floods waits behind itself, and everybody else behind one request of it. [threats.md O10]

#include <deque>
#include <functional>
#include <string>
#include <unordered_map>

namespace gateway::net {

/// Used by one thread.
class Turns {
 public:
  using Call = std::function<void()>;

  /// Waits for a turn. @return false, and nothing waits, where `share_max` of the share wait already
  bool enter(const std::string& share, Call call, std::size_t share_max);
  /// Calls the next of those who wait; nobody waiting, nothing happens.
  void call_next();
  std::size_t waiting() const noexcept { return waiting_; }

 private:
  std::unordered_map<std::string, std::deque<Call>> by_share_;  ///< shares of which somebody waits
  std::deque<std::string> order_;                               ///< the same shares, the next turn first
  std::size_t waiting_ = 0;
};

}  // namespace gateway::net
