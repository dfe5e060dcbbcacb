#pragma once
// Requests as the trail tells them: who asked, for what, and which resources were judged. For those who decide them
// again.

#include "gateway/audit/record.hpp"
#include "gateway/store/database.hpp"

#include <functional>

namespace gateway::audit {

struct Decided {
  Event event;
  std::vector<std::string> resources = {};  ///< our ids of what was judged: patients (ITI-55), entry uuids; each once
  std::int64_t left_out = 0;                ///< judged, but beyond what a record lists
};

struct Period {
  Instant since, until;  ///< until is not within
};

/// Requests about a clinic that came as far as its patients and were answered by what policy let go, the oldest first.
/// @param take  its error ends the whole
/// @error store::Errc::…; base::json::Errc::… for a payload that is no event or decision
Result<void> for_each_decided(store::Session& session, const std::string& clinic, const Period& period,
                              const std::function<Result<void>(const Decided&)>& take);

}  // namespace gateway::audit
