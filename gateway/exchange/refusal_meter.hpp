#pragma once
// How refusals are written down when a source sends many: the first few of each minute one by one, the rest as one
// counted event, so that a flood cannot fill the disk that release events need. [design §6]

#include "base/time.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace gateway::exchange {

class RefusalMeter {
 public:
  explicit RefusalMeter(unsigned one_by_one_per_minute) : one_by_one_(one_by_one_per_minute) {}

  /// A source's refusals of a past minute that were only counted.
  struct Counted {
    std::string source;
    std::uint64_t count = 0;
  };
  struct Judgement {
    bool write = true;             ///< this refusal gets an event of its own
    std::vector<Counted> due = {}; ///< counts of the minute that ended, each to be written as one event
  };
  /// Notes one refusal of `source` at `now`.
  Judgement note(const std::string& source, base::Instant now);

 private:
  static constexpr std::size_t sources_max = 10'000;  ///< beyond it, new sources share one name
  std::mutex mutex_;
  unsigned one_by_one_;
  std::int64_t minute_ = 0;
  std::unordered_map<std::string, std::uint64_t> seen_;
};

}  // namespace gateway::exchange
