#include "gateway/audit/decision_clock.hpp"

#include "gateway/audit/journal.hpp"

namespace gateway::audit {

Result<Instant> DecisionClock::at(Instant wall) {
  const auto now = base::to_micros(wall);
  auto seen = seen_.load(std::memory_order_relaxed);
  while (seen < now) {
    if (seen_.compare_exchange_weak(seen, now, std::memory_order_relaxed)) return wall;
  }
  if (base::from_micros(seen) - wall > step_max) {
    const auto until = base::write_date_time(base::from_micros(seen));
    return base::fail(Errc::ClockWentBack, "decisions were made until " + until);
  }
  return base::from_micros(seen);
}

Result<Instant> decided_until(store::Database& database) {
  auto* session = TRY(database.session());
  const auto rows = TRY(session->select("SELECT COALESCE(MAX(seen), 0) FROM decision_clock", "i"));
  return base::from_micros(rows.at(0).integer(0));
}

Result<void> accept_clock(store::Database& database, Instant now) {
  auto* session = TRY(database.session());
  TRY(session->execute("UPDATE decision_clock SET seen = :p1 WHERE seen > :p1", {base::to_micros(now)}));
  return {};
}

Result<void> note_decided(store::Session& session, const std::string& node, Instant at) {
  const auto seen = base::to_micros(at);
  const auto later = "UPDATE decision_clock SET seen = CASE WHEN seen < :p1 THEN :p1 ELSE seen END WHERE node = :p2";
  if (TRY(session.execute(later, {seen, node})) > 0) return {};
  TRY(session.execute("INSERT INTO decision_clock (node, seen) VALUES (:p1, :p2)", {node, seen}));
  return {};
}

}  // namespace gateway::audit
