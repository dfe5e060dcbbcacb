#pragma once
// The replay rule over its rows: judged here, written by the journal. [threats.md §5, rules 2–6]

#include "gateway/audit/journal.hpp"

namespace gateway::audit {

/// What the database knows that bears on a claim.
struct ReplayRows {
  Instant pruned_end{};  ///< the highest window_end ever pruned
  struct Proof {
    std::string organization;
    Instant first_used{};
    std::int64_t bodies = 0;
  };
  std::optional<Proof> proof = {};
  struct Request {
    std::int64_t times = 0;
    std::string first_event;
  };
  std::optional<Request> request = {};
};

/// Pure: what the rule says of a claim given these rows. Never Busy, which is not in the database.
Claimed judge(const Claim& claim, const ReplayRows& rows, const ClaimLimits& limits);
/// True for the verdicts that let a request go on.
bool goes_on(ClaimVerdict verdict) noexcept;

/// Reads the rows without locking them.
Result<ReplayRows> read_rows(store::Session& session, const Claim& claim);
/// Within a transaction: locks the rows, judges and writes what the verdict means for them.
/// @param first_event  request id to remember where this claim is the first of its request
Result<Claimed> claim_rows(store::Session& session, bool postgresql, const Claim& claim, const ClaimLimits& limits,
                           const std::string& first_event);

/// Deletes some rows whose window ended before `end`, within a transaction, and remembers the highest end deleted.
/// @return true while there may be more
Result<bool> prune_some(store::Session& session, Instant end);

}  // namespace gateway::audit
