#pragma once
// Decisions do not go back in time: a consent once seen as expired stays so, whatever the machine's clock says later.
// [design §4: an expiry seen never un-happens; threats C06]

#include "base/time.hpp"
#include "gateway/store/database.hpp"

#include <atomic>
#include <chrono>

namespace gateway::audit {

using base::Instant;
using base::Result;

/// The instant decisions are made at: the clock's, never earlier than one that was decided at.
class DecisionClock {
 public:
  /// How far the clock may step back while decisions stand still; beyond, nothing is decided.
  static constexpr std::chrono::seconds step_max{60};

  explicit DecisionClock(Instant seen) : seen_(base::to_micros(seen)) {}
  /// @param wall  what the machine's clock says. @error Errc::ClockWentBack
  Result<Instant> at(Instant wall);

 private:
  std::atomic<std::int64_t> seen_;
};

/// The latest instant that any node has decided at. @error store::Errc::…
Result<Instant> decided_until(store::Database& database);
/// The operator vouches for a clock that was set back: decisions go on from `now`. @error store::Errc::…
Result<void> accept_clock(store::Database& database, Instant now);
/// Within a commit that holds decisions of this node.
Result<void> note_decided(store::Session& session, const std::string& node, Instant at);

}  // namespace gateway::audit
