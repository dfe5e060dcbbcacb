#pragma once
// Payloads that have been kept long enough are deleted; the chain keeps their commitments. What was deleted, and up to
// where, is itself an event of the chain: a payload that is missing without one was removed by somebody else.
// [design §6]

#include "gateway/audit/record.hpp"
#include "gateway/store/database.hpp"

#include <functional>

namespace gateway::audit {

struct RetentionPlan {
  std::vector<Retained> up_to = {};  ///< of each node that has something to delete; its payloads up to there go
  std::uint64_t payloads = 0;
  std::uint64_t missing = 0;              ///< lost before, though no retention said so
  std::uint64_t kept_for_repository = 0;  ///< old enough, and not told to the audit repository yet
};
/// What lies before `before`, as a beginning of each chain.
/// @param keep_untold  what waits for the audit repository stays, and what comes after it in its chain
Result<RetentionPlan> plan_retention(store::Session& session, Instant before, bool keep_untold);
/// The event that must be committed before delete_payloads.
Event retention_event(const RetentionPlan& plan, Instant before);
/// Deletes in small transactions; may be run again after it was cut off.
Result<void> delete_payloads(store::Session& session, const RetentionPlan& plan,
                             const std::function<void(std::uint64_t)>& progress = {});

/// Up to where retention events of the trail say that payloads were deleted, by node.
Result<std::vector<Retained>> retained_so_far(store::Session& session);

}  // namespace gateway::audit
