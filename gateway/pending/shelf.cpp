#include "gateway/pending/shelf.hpp"

namespace gateway::pending {
namespace {

using base::fail;
using exchange::Added;
using exchange::PendingAnswer;
using exchange::TakenAnswer;

constexpr std::string_view columns =
    "id, clinic, claim, implementer, home, transaction_id, message_id, reply_to, fault_to, content_type, body, "
    "certificates, address, seed, accepted_at, due_at, fence, attempts, reason";
constexpr std::string_view letters = "tttttttttbbttbiiiit";

std::string pem_of(const std::vector<certs::Certificate>& certificates) {
  std::string pem;
  for (const auto& certificate : certificates) pem += certificate.to_pem();
  return pem;
}

Result<TakenAnswer> read_row(const store::Row& row) {
  TakenAnswer taken;
  PendingAnswer& answer = taken.answer;
  std::string* const texts[] = {&answer.id,          &answer.clinic,     &answer.claim,    &answer.implementer,
                                &answer.home,        &answer.transaction, &answer.message_id, &answer.reply_to,
                                &answer.fault_to};
  for (std::size_t i = 0; i < std::size(texts); ++i) *texts[i] = row.text(i);
  answer.content_type = row.bytes(9);
  answer.body = row.bytes(10);
  answer.certificates = TRY(certs::Certificate::many_from_pem(row.text(11)));
  answer.address = row.text(12);
  const auto& seed = row.bytes(13);
  if (seed.size() != answer.seed.size()) return fail(store::Errc::Unreadable, "pending_answers.seed");
  std::copy(seed.begin(), seed.end(), answer.seed.begin());
  answer.accepted_at = base::from_micros(row.integer(14));
  answer.due_at = base::from_micros(row.integer(15));
  taken.fence = row.integer(16);
  taken.attempts = static_cast<unsigned>(row.integer(17));
  taken.reason = row.text(18);
  return taken;
}

Result<std::size_t> count(store::Session& session, const std::string& where, std::initializer_list<store::Value> with) {
  const auto rows = TRY(session.select("SELECT COUNT(*) FROM pending_answers" + where, "i", with, 1));
  return static_cast<std::size_t>(rows.at(0).integer(0));
}

}  // namespace

Result<std::size_t> PendingShelf::waiting_of(std::string_view implementer) {
  auto& session = *TRY(database_.session());
  return count(session, " WHERE implementer = :p1", {std::string(implementer)});
}

Result<std::size_t> PendingShelf::waiting() {
  auto& session = *TRY(database_.session());
  return count(session, "", {});
}

Result<Added> PendingShelf::add(const PendingAnswer& answer, std::size_t waiting_max) {
  auto& session = *TRY(database_.session());
  if (TRY(count(session, " WHERE claim = :p1", {answer.claim})) > 0) return Added::WaitsAlready;
  if (TRY(waiting_of(answer.implementer)) >= waiting_max) return Added::NoRoom;
  const store::Blob seed{std::string(reinterpret_cast<const char*>(answer.seed.data()), answer.seed.size())};
  const auto added = TRY(session.execute(
      "INSERT INTO pending_answers (" + std::string(columns) +
          ") VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7, :p8, :p9, :p10, :p11, :p12, :p13, :p14, :p15, :p16, 0, 0, '')"
          " ON CONFLICT (claim) DO NOTHING",
      {answer.id, answer.clinic, answer.claim, answer.implementer, answer.home, answer.transaction, answer.message_id,
       answer.reply_to, answer.fault_to, store::Blob{answer.content_type}, store::Blob{answer.body},
       pem_of(answer.certificates), answer.address, seed, base::to_micros(answer.accepted_at),
       base::to_micros(answer.due_at)}));
  return added == 1 ? Added::New : Added::WaitsAlready;
}

Result<std::optional<TakenAnswer>> PendingShelf::take(Instant now, std::chrono::seconds lease,
                                                      std::span<const std::string> but) {
  auto& session = *TRY(database_.session());
  std::string next = "SELECT id FROM pending_answers WHERE due_at <= :p1";
  std::vector<store::Value> due{base::to_micros(now)};
  for (const auto& implementer : but) {
    due.emplace_back(implementer);
    next += " AND implementer <> :p" + std::to_string(due.size());
  }
  next += " ORDER BY due_at, id LIMIT 1";
  // Most looks find nothing: they lock nothing.
  if (TRY(session.select(next, "t", due, 1)).empty()) return std::optional<TakenAnswer>();
  std::vector<store::Row> rows;
  TRY(session.transaction([&]() -> Result<void> {
    const auto locked = next + (database_.is_postgresql() ? " FOR UPDATE SKIP LOCKED" : "");
    const auto found = TRY(session.select(locked, "t", due, 1));
    if (found.empty()) return {};
    const auto& id = found[0].text(0);
    TRY(session.execute("UPDATE pending_answers SET due_at = :p1, fence = fence + 1, attempts = attempts + 1 "
                        "WHERE id = :p2",
                        {base::to_micros(now + lease), id}));
    rows = TRY(session.select("SELECT " + std::string(columns) + " FROM pending_answers WHERE id = :p1", letters, {id},
                              1));
    return {};
  }));
  if (rows.empty()) return std::optional<TakenAnswer>();
  // Read only now: a row that cannot be read is out of the others' way until its lease ends.
  return std::optional(TRY(read_row(rows[0])));
}

Result<bool> PendingShelf::hold(const TakenAnswer& taken) {
  auto& session = *TRY(database_.session());
  return TRY(session.execute("UPDATE pending_answers SET fence = fence WHERE id = :p1 AND fence = :p2",
                             {taken.answer.id, taken.fence})) == 1;
}

Result<bool> PendingShelf::put_back(const TakenAnswer& taken, Instant due_at, std::string_view reason) {
  auto& session = *TRY(database_.session());
  return TRY(session.execute("UPDATE pending_answers SET due_at = :p1, reason = :p2 WHERE id = :p3 AND fence = :p4",
                             {base::to_micros(due_at), std::string(reason), taken.answer.id, taken.fence})) == 1;
}

Result<bool> PendingShelf::remove(const TakenAnswer& taken) {
  auto& session = *TRY(database_.session());
  return TRY(session.execute("DELETE FROM pending_answers WHERE id = :p1 AND fence = :p2",
                             {taken.answer.id, taken.fence})) == 1;
}

}  // namespace gateway::pending
