#include "gateway/audit/retention.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace gateway::audit {
namespace {

using store::Session;

constexpr std::int64_t rows_per_transaction = 1000;
constexpr std::string_view reason = "retention";

std::int64_t number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

Result<std::uint64_t> count_up_to(Session& session, const std::string& node, std::int64_t seq) {
  const auto rows = TRY(session.select("SELECT COUNT(*) FROM audit_payloads WHERE node = :p1 AND seq <= :p2", "i",
                                       {node, seq}, 1));
  return static_cast<std::uint64_t>(rows.at(0).integer(0));
}

}  // namespace

Result<RetentionPlan> plan_retention(Session& session, Instant before, bool keep_untold) {
  // A clock may have been set back: what is younger keeps everything after it.
  const auto nodes = TRY(session.select(
      "SELECT n.node, (SELECT MAX(o.seq) FROM audit_payloads o WHERE o.node = n.node AND o.seq < "
      "COALESCE((SELECT MIN(y.seq) FROM audit_payloads y WHERE y.node = n.node AND y.at >= :p1), :p2)), "
      "(SELECT MIN(w.seq) FROM audit_outbox w WHERE w.node = n.node) FROM audit_nodes n ORDER BY n.node",
      "tii", {base::to_micros(before), std::numeric_limits<std::int64_t>::max()}));
  std::map<std::string, std::uint64_t> before_this;
  for (const auto& [node, seq] : TRY(retained_so_far(session))) before_this[node] = seq;
  RetentionPlan plan;
  for (const auto& row : nodes) {
    if (row.is_null(1)) continue;
    const auto& node = row.text(0);
    const auto old = row.integer(1);
    const auto told = row.is_null(2) || !keep_untold ? old : std::min(old, row.integer(2) - 1);
    const auto payloads = TRY(count_up_to(session, node, told));
    plan.kept_for_repository += TRY(count_up_to(session, node, old)) - payloads;
    if (payloads == 0) continue;
    const auto from = std::min(before_this[node], static_cast<std::uint64_t>(told));
    const auto retained = TRY(count_up_to(session, node, number(from)));
    plan.missing += static_cast<std::uint64_t>(told) - from - (payloads - retained);
    plan.payloads += payloads;
    plan.up_to.push_back({node, static_cast<std::uint64_t>(told)});
  }
  return plan;
}

Event retention_event(const RetentionPlan& plan, Instant before) {
  Event event;
  event.transaction = "audit retain";
  event.outcome = Outcome::Changed;
  event.reason = reason;
  event.sentence = std::to_string(plan.payloads) + " payloads from before " + base::write_date_time(before);
  if (plan.missing > 0) event.sentence += "; " + std::to_string(plan.missing) + " were missing already";
  event.retained = plan.up_to;
  return event;
}

Result<void> delete_payloads(Session& session, const RetentionPlan& plan,
                             const std::function<void(std::uint64_t)>& progress) {
  std::uint64_t deleted = 0;
  for (const auto& [node, up_to] : plan.up_to) {
    for (std::size_t some = 1; some > 0; deleted += some) {
      TRY(session.transaction([&]() -> Result<void> {
        some = TRY(session.execute(
            "DELETE FROM audit_payloads WHERE node = :p1 AND seq IN "
            "(SELECT seq FROM audit_payloads WHERE node = :p2 AND seq <= :p3 ORDER BY seq LIMIT :p4)",
            {node, node, number(up_to), rows_per_transaction}));
        return {};
      }));
      if (progress) progress(deleted + some);
    }
  }
  return {};
}

Result<std::vector<Retained>> retained_so_far(Session& session) {
  std::map<std::string, std::uint64_t> furthest;
  for (const auto& row : TRY(session.select("SELECT payload FROM audit_payloads WHERE kind = 'event' AND outcome = "
                                            "'changed' AND reason = :p1",
                                            "t", {std::string(reason)}))) {
    const auto event = read_event(row.text(0));
    if (!event || event->transaction != "audit retain") continue;
    for (const auto& [node, seq] : event->retained) furthest[node] = std::max(furthest[node], seq);
  }
  std::vector<Retained> all;
  for (const auto& [node, seq] : furthest) all.push_back({node, seq});
  return all;
}

}  // namespace gateway::audit
