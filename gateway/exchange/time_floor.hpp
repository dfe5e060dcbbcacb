#pragma once
// When a negative answer leaves. It must not tell by its time whether there was a patient to deny, so it never leaves
// when its own work ends, but on a floor: the recent 99th percentile of the full path. [design §4; threats F09]

#include <array>
#include <chrono>
#include <mutex>

namespace gateway::exchange {

class TimeFloor {
 public:
  using Duration = std::chrono::steady_clock::duration;

  /// @param least  the floor until enough full answers were seen, and its lower bound ever after
  explicit TimeFloor(Duration least) : least_(least), floor_(least) {}

  /// What one full path took: a request with a patient, decided, written, signed and committed.
  void record(Duration full_path);
  Duration floor() const;
  /// How long after its start a negative answer leaves: the floor, or the next multiple of it once the work took
  /// longer.
  Duration departure(Duration work) const;

 private:
  static constexpr std::size_t window = 1024, refresh = 64;
  mutable std::mutex mutex_;
  Duration least_, floor_;
  std::array<Duration, window> recent_{};
  std::size_t count_ = 0;
};

}  // namespace gateway::exchange
