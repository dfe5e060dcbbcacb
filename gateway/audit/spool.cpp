#include "gateway/audit/spool.hpp"

namespace gateway::audit {
namespace {

using store::Session;

std::int64_t number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

/// A row whose checkpoint cannot be read has none: it is passed over, and audit verify finds it.
OutboxRow row_of(const std::string& node, const store::Row& row) {
  OutboxRow read{.place = {static_cast<std::uint64_t>(row.integer(0)), static_cast<OutboxPart>(row.integer(1))},
                 .query = row.text(2),
                 .payload = row.optional_text(3).value_or("")};
  if (read.place.part != OutboxPart::Checkpoint || row.is_null(4)) return read;
  auto head = base::read_hex(row.text(4)), root = base::read_hex(row.text(5));
  auto signature = base::read_base64(row.text(8), 0);
  if (!head || !root || !signature) return read;
  read.checkpoint = Checkpoint{.node = node,
                               .seq = read.place.seq,
                               .head = *std::move(head),
                               .root = *std::move(root),
                               .rows = static_cast<std::uint64_t>(row.integer(6)),
                               .at = base::from_micros(row.integer(7)),
                               .signature = *std::move(signature)};
  return read;
}

}  // namespace

void Spool::added(std::size_t messages) {
  waiting_ += messages;
  wake();
}

void Spool::wake() {
  {
    const std::scoped_lock lock(mutex_);
    awake_ = true;
  }
  added_.notify_one();
}

void Spool::wait_for(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  added_.wait_for(lock, most, [&] { return awake_; });
  awake_ = false;
}

Result<void> open_lane(Session& session, const std::string& node) {
  TRY(session.execute(
      "INSERT INTO audit_lanes (node, holder, lease_end, fence) VALUES (:p1, '', 0, 0) ON CONFLICT (node) DO NOTHING",
      {node}));
  return {};
}

Result<std::vector<std::string>> free_lanes(Session& session, const std::string& holder, Instant now) {
  std::vector<std::string> lanes;
  for (const auto& row : TRY(session.select(
           "SELECT node FROM audit_lanes l WHERE (holder = :p1 OR lease_end < :p2) AND EXISTS "
           "(SELECT 1 FROM audit_outbox o WHERE o.node = l.node) ORDER BY node",
           "t", {holder, base::to_micros(now)}))) {
    lanes.push_back(row.text(0));
  }
  return lanes;
}

Result<bool> claim_lane(Session& session, const std::string& node, const std::string& holder, Instant now,
                        Instant until) {
  std::size_t changed = 0;
  // One statement: its row lock decides between two nodes.
  TRY(session.transaction([&]() -> Result<void> {
    changed = TRY(session.execute(
        "UPDATE audit_lanes SET fence = fence + CASE WHEN holder = :p1 THEN 0 ELSE 1 END, holder = :p2, "
        "lease_end = :p3 WHERE node = :p4 AND (holder = :p5 OR lease_end < :p6)",
        {holder, holder, base::to_micros(until), node, holder, base::to_micros(now)}));
    return {};
  }));
  return changed == 1;
}

Result<void> release_lanes(Session& session, const std::string& holder) {
  return session.transaction([&]() -> Result<void> {
    TRY(session.execute("UPDATE audit_lanes SET lease_end = 0 WHERE holder = :p1", {holder}));
    return {};
  });
}

Result<std::vector<OutboxRow>> read_outbox(Session& session, const std::string& node, std::optional<OutboxPlace> after,
                                           std::size_t rows_max) {
  const auto from = after.value_or(OutboxPlace{});
  std::vector<OutboxRow> rows;
  for (const auto& row : TRY(session.select(
           "SELECT o.seq, o.part, o.query, p.payload, c.head, c.root, c.rows, c.at, c.signature FROM audit_outbox o "
           "LEFT JOIN audit_payloads p ON o.part = 0 AND p.node = o.node AND p.seq = o.seq "
           "LEFT JOIN audit_checkpoints c ON o.part = 1 AND c.node = o.node AND c.seq = o.seq "
           "WHERE o.node = :p1 AND (o.seq, o.part) > (:p2, :p3) ORDER BY o.seq, o.part LIMIT :p4",
           "iittttiit",
           {node, number(from.seq), after ? std::int64_t(from.part) : std::int64_t(-1),
            number(rows_max)}))) {
    rows.push_back(row_of(node, row));
  }
  return rows;
}

Result<std::size_t> clear_outbox(Session& session, const std::string& node, OutboxPlace up_to) {
  std::size_t cleared = 0;
  TRY(session.transaction([&]() -> Result<void> {
    cleared = TRY(session.execute("DELETE FROM audit_outbox WHERE node = :p1 AND (seq, part) <= (:p2, :p3)",
                                  {node, number(up_to.seq), std::int64_t(up_to.part)}));
    return {};
  }));
  return cleared;
}

Result<std::uint64_t> count_outbox(Session& session) {
  const auto rows = TRY(session.select("SELECT COUNT(*) FROM audit_outbox", "i"));
  return static_cast<std::uint64_t>(rows.at(0).integer(0));
}

}  // namespace gateway::audit
