#include "gateway/audit/replay.hpp"

#include <algorithm>

namespace gateway::audit {
namespace {

constexpr std::int64_t prune_rows_at_once = 500;

Claimed verdict(ClaimVerdict what) { return Claimed{.verdict = what, .repeat_of = {}}; }

Result<void> write_new_body(store::Session& session, const Claim& claim, const std::string& first_event) {
  TRY(
      session.execute("INSERT INTO replay_requests (request, proof, times, window_end, first_event) "
                      "VALUES (:p1, :p2, 1, :p3, :p4)",
                      {claim.request, claim.proof, base::to_micros(claim.window_end), first_event}));
  return {};
}

/// What rows there are for a claim whose proof is known; the proof's row is locked, which keeps its requests still.
Result<ReplayRows> locked_rows(store::Session& session, bool postgresql, const Claim& claim) {
  if (postgresql) {
    TRY(session.select("SELECT bodies FROM replay_proofs WHERE proof = :p1 FOR UPDATE", "i", {claim.proof}, 1));
  }
  return read_rows(session, claim);
}

}  // namespace

bool goes_on(ClaimVerdict what) noexcept {
  return what == ClaimVerdict::New || what == ClaimVerdict::NewBody || what == ClaimVerdict::Repeat;
}

Claimed judge(const Claim& claim, const ReplayRows& rows, const ClaimLimits& limits) {
  // Rule 2. A row that ended at this very instant may be among those deleted.
  if (claim.window_end <= rows.pruned_end) return verdict(ClaimVerdict::WindowPruned);
  if (rows.proof && rows.proof->organization != claim.organization) return verdict(ClaimVerdict::Relayed);  // rule 4
  if (rows.request) {                                                                                       // rule 5
    if (rows.request->times >= limits.repeats) return verdict(ClaimVerdict::TooOften);
    return Claimed{.verdict = ClaimVerdict::Repeat, .repeat_of = rows.request->first_event};
  }
  if (!rows.proof) return verdict(ClaimVerdict::New);
  const bool late = claim.now - rows.proof->first_used > limits.body_within;  // rule 6
  if (claim.one_time_use || late || rows.proof->bodies >= limits.bodies) return verdict(ClaimVerdict::TooOften);
  return verdict(ClaimVerdict::NewBody);
}

Result<ReplayRows> read_rows(store::Session& session, const Claim& claim) {
  const auto found = TRY(session.select(
      "SELECT k.window_end, p.organization, p.first_used, p.bodies, r.times, r.first_event FROM replay_pruned k "
      "LEFT JOIN replay_proofs p ON p.proof = :p1 LEFT JOIN replay_requests r ON r.request = :p2 WHERE k.one = 1",
      "itiiit", {claim.proof, claim.request}, 1));
  if (found.empty()) return base::fail(store::Errc::Unreadable, "replay_pruned has no row");
  const auto& row = found.front();
  ReplayRows rows{.pruned_end = base::from_micros(row.integer(0))};
  if (!row.is_null(1)) {
    rows.proof = ReplayRows::Proof{
        .organization = row.text(1), .first_used = base::from_micros(row.integer(2)), .bodies = row.integer(3)};
  }
  if (!row.is_null(4)) rows.request = ReplayRows::Request{.times = row.integer(4), .first_event = row.text(5)};
  return rows;
}

Result<Claimed> claim_rows(store::Session& session, bool postgresql, const Claim& claim, const ClaimLimits& limits,
                           const std::string& first_event) {
  auto rows = TRY(read_rows(session, claim));
  auto claimed = judge(claim, rows, limits);
  const auto window_end = base::to_micros(claim.window_end);
  if (claimed.verdict == ClaimVerdict::New) {
    // One insert wins over all nodes; who loses waits here for the winner's commit and then sees its rows.
    const auto inserted =
        TRY(session.execute("INSERT INTO replay_proofs (proof, organization, first_used, window_end, bodies) "
                            "VALUES (:p1, :p2, :p3, :p4, 1) ON CONFLICT (proof) DO NOTHING",
                            {claim.proof, claim.organization, base::to_micros(claim.now), window_end}));
    if (inserted == 1) {
      TRY(write_new_body(session, claim, first_event));
      return claimed;
    }
  }
  if (postgresql) claimed = judge(claim, TRY(locked_rows(session, postgresql, claim)), limits);
  if (claimed.verdict == ClaimVerdict::Repeat) {
    TRY(session.execute("UPDATE replay_requests SET times = times + 1 WHERE request = :p1", {claim.request}));
  } else if (claimed.verdict == ClaimVerdict::NewBody) {
    TRY(
        session.execute("UPDATE replay_proofs SET bodies = bodies + 1, "
                        "window_end = CASE WHEN window_end < :p1 THEN :p1 ELSE window_end END WHERE proof = :p2",
                        {window_end, claim.proof}));
    TRY(write_new_body(session, claim, first_event));
  }
  return claimed;
}

Result<bool> prune_some(store::Session& session, Instant end) {
  std::int64_t highest = 0;
  for (const auto* table : {"replay_proofs", "replay_requests"}) {
    const auto due = TRY(session.select("SELECT MAX(window_end) FROM (SELECT window_end FROM " + std::string(table) +
                                            " WHERE window_end < :p1 ORDER BY window_end LIMIT :p2) AS due",
                                        "i", {base::to_micros(end), prune_rows_at_once}, 1));
    if (!due.at(0).is_null(0)) highest = std::max(highest, due.at(0).integer(0));
  }
  if (highest == 0) return false;
  TRY(session.execute("UPDATE replay_pruned SET window_end = :p1 WHERE one = 1 AND window_end < :p1", {highest}));
  TRY(session.execute("DELETE FROM replay_requests WHERE window_end <= :p1", {highest}));
  TRY(session.execute("DELETE FROM replay_proofs WHERE window_end <= :p1", {highest}));
  return true;
}

}  // namespace gateway::audit
