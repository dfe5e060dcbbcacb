#include "gateway/audit/writer.hpp"

#include "gateway/audit/atna.hpp"
#include "gateway/audit/decision_clock.hpp"
#include "gateway/audit/replay.hpp"

#include <algorithm>
#include <deque>
#include <numeric>

namespace gateway::audit {
namespace {

using base::fail;
using store::Session;
using store::Value;

constexpr std::size_t salt_size = 16;
/// Rows of one INSERT: each statement costs a round trip to PostgreSQL.
constexpr std::size_t insert_rows_max = 8;
constexpr std::chrono::seconds clock_skew{60};
constexpr std::chrono::minutes prune_every{1};

/// `INSERT INTO table (…) VALUES (:p1, …), (…)` for 1 to insert_rows_max rows, at index rows - 1.
std::vector<std::string> insert_texts(const std::string& into, std::size_t columns) {
  std::vector<std::string> texts;
  std::string text = "INSERT INTO " + into + " VALUES ";
  for (std::size_t row = 0, parameter = 0; row < insert_rows_max; ++row) {
    text.append(row == 0 ? "(" : ", (");
    for (std::size_t column = 0; column < columns; ++column) {
      text.append(column == 0 ? ":p" : ", :p").append(std::to_string(++parameter));
    }
    texts.push_back(text.append(")"));
  }
  return texts;
}

/// Inserts rows of `columns` values each, given one after the other.
Result<void> insert(Session& session, const std::vector<std::string>& texts, std::size_t columns,
                    std::span<const Value> values) {
  while (!values.empty()) {
    const auto rows = std::min(values.size() / columns, insert_rows_max);
    TRY(session.execute(texts[rows - 1], values.first(rows * columns)));
    values = values.subspan(rows * columns);
  }
  return {};
}

Value number(std::uint64_t value) { return static_cast<std::int64_t>(value); }
Value instant(Instant at) { return base::to_micros(at); }

Instant time_of(const Entry& entry) {
  if (entry.event) return entry.event->at;
  return entry.decision ? entry.decision->at : entry.claim->now;
}

const std::string& request_of(const Entry& entry) {
  static const std::string none;
  if (entry.event) return entry.event->request;
  return entry.decision ? entry.decision->request : none;
}

/// The event says what its claim turned out to be: another node may have committed since it was written.
Event marked(Event event, const Claimed& claimed) {
  if (claimed.verdict == ClaimVerdict::Repeat) event.repeat_of = claimed.repeat_of;
  if (claimed.verdict == ClaimVerdict::NewBody && event.note.empty()) event.note = "another body under one proof";
  return event;
}

}  // namespace

struct Writer::Batch {
  std::span<const Entry* const> entries;
  std::vector<Result<Claimed>> outcomes;  ///< by entry
  std::deque<Event> events = {};          ///< those that differ from what their entries hold
  std::optional<Checkpoint> checkpoint = {};
  Head head = {};  ///< after it
  std::size_t spooled = 0;
};

Writer::Writer(store::Database& database, Journal::Options options, WitnessFile witness)
    : database_(database), options_(std::move(options)), witness_(std::move(witness)) {}

Result<Writer> Writer::open(store::Database& database, Journal::Options options) {
  auto& session = *TRY(database.session());
  const auto public_key = base::base64(options.key.public_key().spki());
  TRY(session.execute("INSERT INTO audit_nodes (node, public_key) VALUES (:p1, :p2) ON CONFLICT (node) DO NOTHING",
                      {options.node, public_key}));
  const auto known = TRY(session.select("SELECT public_key FROM audit_nodes WHERE node = :p1", "t", {options.node}, 1));
  if (known.empty() || known[0].text(0) != public_key) {
    return fail(Errc::ForeignKey, "the database knows node " + options.node + " by another audit key");
  }
  if (options.spool) TRY(open_lane(session, options.node));
  auto witness = TRY(WitnessFile::open(options.witness_file));
  Writer writer(database, std::move(options), std::move(witness));
  writer.head_ = TRY(writer.read_head(session));
  TRY(writer.catch_up_witness(session));
  return writer;
}

Result<Writer::Head> Writer::read_head(Session& session) {
  const auto rows = TRY(session.select("SELECT seq, hash FROM audit_chain WHERE node = :p1 ORDER BY seq DESC LIMIT 1",
                                       "it", {options_.node}, 1));
  if (rows.empty()) return Head{};
  auto hash = TRY(base::read_hex(rows[0].text(1)));
  return Head{.seq = static_cast<std::uint64_t>(rows[0].integer(0)), .hash = std::move(hash)};
}

/// A crash between COMMIT and the witness leaves the witness one line behind.
Result<void> Writer::catch_up_witness(Session& session) {
  const auto rows = TRY(session.select(
      "SELECT seq, head, root, rows, at, signature FROM audit_checkpoints WHERE node = :p1 ORDER BY seq DESC LIMIT 1",
      "ittiit", {options_.node}, 1));
  if (rows.empty()) return {};
  const auto& row = rows[0];
  auto head = TRY(base::read_hex(row.text(1))), root = TRY(base::read_hex(row.text(2)));
  auto signature = TRY(base::read_base64(row.text(5), 0));
  const auto line = witness_line(Checkpoint{.node = options_.node,
                                            .seq = static_cast<std::uint64_t>(row.integer(0)),
                                            .head = std::move(head),
                                            .root = std::move(root),
                                            .rows = static_cast<std::uint64_t>(row.integer(3)),
                                            .at = base::from_micros(row.integer(4)),
                                            .signature = std::move(signature)});
  if (!witness_.holds_lately(line)) witness_.append(line);
  return {};
}

Result<std::vector<Result<Claimed>>> Writer::write(std::span<const Entry* const> entries) {
  for (bool again = false;; again = true) {
    auto& session = *TRY(database_.session());
    Batch batch{.entries = entries, .outcomes = std::vector<Result<Claimed>>(entries.size(), Claimed{})};
    bool reached_commit = false;
    const auto outcome = session.transaction([&]() -> Result<void> {
      TRY(write_batch(session, batch));
      reached_commit = true;
      return {};
    });
    if (outcome || (reached_commit && batch.checkpoint && was_committed(*batch.checkpoint))) {
      head_ = std::move(batch.head);
      if (batch.checkpoint) witness_.append(witness_line(*batch.checkpoint));
      if (batch.spooled > 0) options_.spool->added(batch.spooled);
      return std::move(batch.outcomes);
    }
    head_.reset();
    if (again || outcome.error().code != store::Errc::Conflict) return outcome.error();
  }
}

Result<void> Writer::write_batch(Session& session, Batch& batch) {
  batch.head = head_ ? *head_ : TRY(read_head(session));
  TRY(judge_claims(session, batch));
  std::vector<Line> lines;
  lines.reserve(batch.entries.size() * 2);
  Instant at = Instant::min(), decided = Instant::min();
  for (std::size_t i = 0; i < batch.entries.size(); ++i) {
    const Entry& entry = *batch.entries[i];
    const Event* event = entry.event ? &*entry.event : nullptr;
    if (!goes_on(batch.outcomes[i]->verdict)) continue;
    if (entry.change) event = changed(session, batch, i);
    if (!batch.outcomes[i]) continue;
    if (event) {
      const Claimed& claimed = *batch.outcomes[i];
      if (claimed.verdict != ClaimVerdict::New) event = &batch.events.emplace_back(marked(*event, claimed));
      lines.push_back({.payload = canonical(*event),
                       .event = event,
                       .request = &event->request,
                       .at = event->at,
                       .query = &entry.query});
    }
    if (entry.decision) {
      const auto& decision = *entry.decision;
      decided = std::max(decided, decision.at);
      lines.push_back({.payload = canonical(decision),
                       .event = nullptr,
                       .request = &decision.request,
                       .at = decision.at});
    }
    if (entry.event || entry.decision) at = std::max(at, time_of(entry));
  }
  if (lines.empty()) return {};
  if (decided != Instant::min()) TRY(note_decided(session, options_.node, decided));
  batch.checkpoint = Checkpoint{
      .node = options_.node, .seq = 0, .head = {}, .root = {}, .rows = lines.size(), .at = at, .signature = {}};
  return write_chain(session, batch, lines);
}

/// Makes an entry's change; its failure is the entry's alone. @return the event as the change completed it
const Event* Writer::changed(Session& session, Batch& batch, std::size_t at) {
  const Entry& entry = *batch.entries[at];
  auto& event = batch.events.emplace_back(*entry.event);
  const auto made = session.savepoint([&] { return entry.change(event); });
  if (!made) batch.outcomes[at] = made.error();
  return &event;
}

/// Rows are claimed in the order of their proofs: two nodes that lock the same ones in two orders would block each
/// other.
Result<void> Writer::judge_claims(Session& session, Batch& batch) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < batch.entries.size(); ++i) {
    if (batch.entries[i]->claim) order.push_back(i);
  }
  std::ranges::stable_sort(order, {},
                           [&](std::size_t i) -> const std::string& { return batch.entries[i]->claim->proof; });
  for (const std::size_t i : order) {
    const Entry& entry = *batch.entries[i];
    batch.outcomes[i] = TRY(
        claim_rows(session, database_.is_postgresql(), *entry.claim, options_.limits, stored_text(request_of(entry))));
  }
  return {};
}

Result<void> Writer::write_chain(Session& session, Batch& batch, std::span<const Line> lines) {
  static const auto into_chain = insert_texts("audit_chain (node, seq, commitment, hash)", 4);
  static const auto into_payloads = insert_texts(
      "audit_payloads (node, seq, kind, request, at, clinic, patient, implementer, outcome, reason, salt, payload)",
      12);
  Bytes salts(lines.size() * salt_size, '\0');
  certs::fill_random(reinterpret_cast<std::uint8_t*>(salts.data()), salts.size());

  std::vector<Value> chain, payloads;
  std::vector<Bytes> leaves;
  chain.reserve(lines.size() * 4);
  payloads.reserve(lines.size() * 12);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    const auto salt = base::BytesView(salts).substr(i * salt_size, salt_size);
    const auto committed = commitment(salt, line.payload);
    auto& head = batch.head;
    head.hash = entry_hash(options_.node, ++head.seq, head.hash, committed);
    leaves.push_back(head.hash);
    chain.insert(chain.end(), {options_.node, number(head.seq), base::hex(committed), base::hex(head.hash)});
    const auto column = [&](const std::string Event::*member) -> Value {
      return line.event ? stored_text(line.event->*member) : std::string();
    };
    const bool of_one_patient = line.event && line.event->patients.size() == 1;
    payloads.insert(payloads.end(),
                    {options_.node, number(head.seq), std::string(line.event ? "event" : "decision"),
                     stored_text(*line.request), instant(line.at), column(&Event::clinic),
                     of_one_patient ? stored_text(line.event->patients[0]) : std::string(), column(&Event::implementer),
                     std::string(line.event ? word(line.event->outcome) : ""), column(&Event::reason), base::hex(salt),
                     line.payload});
  }
  TRY(insert(session, into_chain, 4, chain));
  TRY(insert(session, into_payloads, 12, payloads));
  if (options_.spool) TRY(write_outbox(session, batch, lines));
  return write_checkpoint(session, batch, leaves);
}

/// What the audit repository is to be told of this commit: its events, then its checkpoint. [design §6]
Result<void> Writer::write_outbox(Session& session, Batch& batch, std::span<const Line> lines) {
  static const auto into_outbox = insert_texts("audit_outbox (node, seq, part, clinic, query)", 5);
  // Beyond its limit the spool takes no more queries: what still comes is bounded by the chain itself.
  const bool with_queries = !options_.spool->full();
  std::vector<Value> rows;
  const auto row = [&](std::uint64_t seq, OutboxPart part, std::string clinic, std::string query) {
    rows.insert(rows.end(), {options_.node, number(seq), static_cast<std::int64_t>(part), std::move(clinic),
                             std::move(query)});
    ++batch.spooled;
  };
  std::uint64_t seq = batch.head.seq - lines.size();
  for (const Line& line : lines) {
    ++seq;
    if (!line.event || !is_reported(*line.event)) continue;
    const bool keep = with_queries && line.query->size() <= query_bytes_max;
    row(seq, OutboxPart::Event, stored_text(line.event->clinic), keep ? *line.query : std::string());
  }
  row(batch.head.seq, OutboxPart::Checkpoint, {}, {});
  return insert(session, into_outbox, 5, rows);
}

Result<void> Writer::write_checkpoint(Session& session, Batch& batch, std::span<const Bytes> leaves) {
  auto& checkpoint = *batch.checkpoint;
  checkpoint.seq = batch.head.seq;
  checkpoint.head = batch.head.hash;
  checkpoint.root = merkle_root(leaves);
  checkpoint.signature = options_.key.sign(certs::Digest::Sha256, signed_bytes(checkpoint));
  TRY(
      session.execute("INSERT INTO audit_checkpoints (node, seq, head, root, rows, at, signature) "
                      "VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7)",
                      {options_.node, number(checkpoint.seq), base::hex(checkpoint.head), base::hex(checkpoint.root),
                       number(checkpoint.rows), instant(checkpoint.at), base::base64(checkpoint.signature)}));
  return {};
}

/// Whether a COMMIT whose answer was lost happened: its checkpoint is there or it is not.
bool Writer::was_committed(const Checkpoint& checkpoint) {
  const auto session = database_.session();
  if (!session) return false;
  const auto rows = (*session)->select("SELECT head FROM audit_checkpoints WHERE node = :p1 AND seq = :p2", "t",
                                       {checkpoint.node, number(checkpoint.seq)}, 1);
  return rows && !rows->empty() && rows->front().text(0) == base::hex(checkpoint.head);
}

Result<void> Writer::probe() {
  auto& session = *TRY(database_.session());
  return session.transaction([&]() -> Result<void> {
    TRY(session.execute("UPDATE replay_pruned SET window_end = window_end WHERE one = 1"));
    return {};
  });
}

void Writer::prune(Instant now) {
  const bool due = pruned_at_ == Instant::min() || now < pruned_at_ || now - pruned_at_ >= prune_every;
  if (!due && !prune_more_) return;
  pruned_at_ = now;
  prune_more_ = false;
  auto session = database_.session();
  if (!session) return;
  // What fails here is done a minute later; a failure that matters will meet the next commit too.
  (void)(*session)->transaction([&]() -> Result<void> {
    prune_more_ = TRY(prune_some(**session, now - clock_skew));
    return {};
  });
}

}  // namespace gateway::audit
