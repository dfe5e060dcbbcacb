#include "gateway/audit/trail.hpp"

#include "base/json/document.hpp"
#include "gateway/audit/retention.hpp"

#include <algorithm>
#include <map>

namespace gateway::audit {
namespace {

using store::Row;
using store::Session;
using store::Value;

constexpr std::size_t problems_max = 100;
constexpr std::int64_t page_rows = 1000;
constexpr std::size_t salt_size = 16;

std::uint64_t seq_of(const Row& row, std::size_t column) { return static_cast<std::uint64_t>(row.integer(column)); }
std::string text_or_empty(const Row& row, std::size_t column) { return row.optional_text(column).value_or(""); }
/// Raw octets of a hexadecimal column; empty where it is none.
Bytes octets(const std::string& hex) {
  auto bytes = base::read_hex(hex);
  return bytes ? *std::move(bytes) : Bytes{};
}

/// A line of the witness, read again when its row comes by: a long witness stays text.
struct Witnessed {
  std::uint64_t seq;
  std::string_view line;
};

/// The columns that are searched by stand outside of the commitment: they must repeat what the payload says.
bool columns_match(const Row& row, const std::string& payload) {
  const auto document = base::json::Document::parse(payload);
  if (!document || !(*document)->root().is_object()) return false;
  const auto json = (*document)->root();
  const auto says = [&](std::string_view member, const std::string& column) {
    const auto found = json.find(member);
    return found ? found->is_string() && stored_text(*found->string()) == column : column.empty();
  };
  const auto at = json.integer_member("at");
  if (!at || *at != row.integer(5) || !says("request", row.text(4))) return false;
  if (row.text(3) == "decision") {
    return !json.find("outcome") && row.text(6).empty() && row.text(7).empty() && row.text(8).empty() &&
           row.text(9).empty() && row.text(10).empty();
  }
  if (row.text(3) != "event" || !json.find("outcome")) return false;
  const auto patients = json.find("patients");
  const auto ids = patients ? patients->items() : std::vector<base::json::Value>{};
  const bool of_one = ids.size() == 1 && ids[0].is_string() && !json.find("patients_left_out");
  const std::string patient = of_one ? stored_text(*ids[0].string()) : std::string();
  return says("clinic", row.text(6)) && patient == row.text(7) && says("implementer", row.text(8)) &&
         says("outcome", row.text(9)) && says("reason", row.text(10));
}

/// Walks the chains of one database, node by node.
class Verifier {
 public:
  Verifier(Session& session, const std::function<void(std::uint64_t, std::uint64_t)>& progress)
      : session_(session), progress_(progress) {}

  Result<Verification> run(std::optional<std::string_view> witness) {
    if (witness) read_witness(*witness);
    const auto nodes = TRY(bounds());
    for (const auto& [node, seq] : TRY(retained_so_far(session_))) retained_[node] = seq;
    for (const auto& [node, bound] : nodes) TRY(walk(node, bound));
    TRY(look_for_orphans());
    for (const auto& [node, lines] : witnessed_) {
      if (!nodes.contains(node)) problem(node, "is named by the witness and unknown to the database");
    }
    found_.nodes = nodes.size();
    return std::move(found_);
  }

 private:
  /// How far a node's chain went when verification began: what is committed meanwhile is for the next one.
  struct Bound {
    std::string public_key;
    std::uint64_t last_entry = 0, last_checkpoint = 0;
  };
  /// Where the walk along one node's chain stands.
  struct Walk {
    const std::string& node;
    const Bound& bound;
    std::optional<certs::PublicKey> key;
    std::uint64_t seq = 0;                     ///< the last one expected so far
    std::optional<Bytes> previous;             ///< its hash; none after a gap
    std::vector<Bytes> leaves = {};            ///< since the last checkpoint
    std::uint64_t covered = 0;                 ///< seq of the last checkpoint
    std::vector<Checkpoint> checkpoints = {};  ///< a page of those to come
    std::size_t next_checkpoint = 0;
    std::span<const Witnessed> witness = {};
  };

  void problem(const std::string& node, std::string what) {
    if (found_.problems.size() < problems_max) found_.problems.push_back("node " + node + " " + std::move(what));
  }
  static std::string at(std::uint64_t seq) { return "entry " + std::to_string(seq) + " "; }

  void read_witness(std::string_view text) {
    found_.had_witness = true;
    for (std::size_t number = 1; !text.empty(); ++number) {
      const auto end = text.find('\n');
      if (end == std::string_view::npos) break;  // a last line cut off by a power failure is none yet
      const auto line = text.substr(0, end);
      text.remove_prefix(end + 1);
      if (const auto checkpoint = read_witness_line(line)) {
        witnessed_[checkpoint->node].push_back({checkpoint->seq, line});
      } else {
        problem("?", "line " + std::to_string(number) + " of the witness is unreadable");
      }
    }
    for (auto& [node, lines] : witnessed_) std::ranges::stable_sort(lines, {}, &Witnessed::seq);
  }

  Result<std::map<std::string, Bound>> bounds() {
    // One statement, so one moment: the journal goes on writing.
    const auto rows = TRY(session_.select(
        "SELECT n.node, k.public_key, (SELECT MAX(seq) FROM audit_chain c WHERE c.node = n.node), "
        "(SELECT MAX(seq) FROM audit_checkpoints p WHERE p.node = n.node) "
        "FROM (SELECT node FROM audit_nodes UNION SELECT DISTINCT node FROM audit_chain "
        "UNION SELECT DISTINCT node FROM audit_checkpoints) n LEFT JOIN audit_nodes k ON k.node = n.node",
        "ttii"));
    std::map<std::string, Bound> nodes;
    for (const auto& row : rows) {
      auto& bound = nodes[row.text(0)];
      bound.public_key = text_or_empty(row, 1);
      if (!row.is_null(2)) bound.last_entry = seq_of(row, 2);
      if (!row.is_null(3)) bound.last_checkpoint = seq_of(row, 3);
      total_ += bound.last_entry;
    }
    return nodes;
  }

  Result<void> walk(const std::string& node, const Bound& bound) {
    Walk walk{.node = node, .bound = bound, .key = {}, .previous = Bytes{}};
    auto spki = base::read_base64(bound.public_key, 0);
    auto key = spki ? certs::PublicKey::from_spki(*spki) : Result<certs::PublicKey>(spki.error());
    if (key) {
      walk.key = *std::move(key);
    } else {
      problem(node, "has no readable audit key");
    }
    if (const auto lines = witnessed_.find(node); lines != witnessed_.end()) walk.witness = lines->second;
    for (std::uint64_t after = 0;;) {
      const auto rows = TRY(session_.select(
          "SELECT c.seq, c.commitment, c.hash, p.kind, p.request, p.at, p.clinic, p.patient, p.implementer, p.outcome, "
          "p.reason, p.salt, p.payload FROM audit_chain c LEFT JOIN audit_payloads p ON p.node = c.node AND p.seq = "
          "c.seq "
          "WHERE c.node = :p1 AND c.seq > :p2 AND c.seq <= :p3 ORDER BY c.seq LIMIT :p4",
          "itttt"
          "itttt"
          "ttt",
          {node, static_cast<std::int64_t>(after), static_cast<std::int64_t>(bound.last_entry), page_rows}));
      for (const auto& row : rows) TRY(step(walk, row));
      if (rows.empty()) break;
      after = seq_of(rows.back(), 0);
      if (progress_) progress_(found_.entries, total_);
    }
    return finish(walk);
  }

  Result<void> step(Walk& walk, const Row& row) {
    const auto seq = seq_of(row, 0);
    TRY(pass_checkpoints_before(walk, seq));
    if (seq != walk.seq + 1) {
      problem(walk.node, "entries " + std::to_string(walk.seq + 1) + " to " + std::to_string(seq - 1) + " are missing");
      walk.previous.reset();
    }
    const auto committed = octets(row.text(1)), hash = octets(row.text(2));
    if (walk.previous && entry_hash(walk.node, seq, *walk.previous, committed) != hash) {
      problem(walk.node, at(seq) + "does not follow from the one before: it, or its place, was changed");
    }
    check_payload(walk, row, seq, committed);
    walk.seq = seq;
    walk.previous = hash;
    walk.leaves.push_back(hash);
    ++found_.entries;
    check_witness(walk, seq, hash);
    return check_checkpoint(walk, seq, hash);
  }

  void check_payload(const Walk& walk, const Row& row, std::uint64_t seq, const Bytes& committed) {
    if (row.is_null(12)) {
      const auto retained = retained_.find(walk.node);
      if (retained != retained_.end() && seq <= retained->second) {
        ++found_.retained;
      } else {
        problem(walk.node, at(seq) + "has lost its payload, and no retention says so");
      }
      return;
    }
    const auto salt = octets(row.text(11));
    if (salt.size() != salt_size || commitment(salt, row.text(12)) != committed) {
      problem(walk.node, at(seq) + "has a payload that was changed");
    } else if (!columns_match(row, row.text(12))) {
      problem(walk.node, at(seq) + "has columns that were changed");
    }
  }

  Result<const Checkpoint*> upcoming(Walk& walk) {
    if (walk.next_checkpoint == walk.checkpoints.size()) {
      const auto after = walk.checkpoints.empty() ? 0 : walk.checkpoints.back().seq;
      walk.checkpoints.clear();
      walk.next_checkpoint = 0;
      if (after >= walk.bound.last_checkpoint) return nullptr;
      const auto rows =
          TRY(session_.select("SELECT seq, head, root, rows, at, signature FROM audit_checkpoints "
                              "WHERE node = :p1 AND seq > :p2 AND seq <= :p3 ORDER BY seq LIMIT :p4",
                              "ittiit",
                              {walk.node, static_cast<std::int64_t>(after),
                               static_cast<std::int64_t>(walk.bound.last_checkpoint), page_rows}));
      for (const auto& row : rows) {
        auto signature = base::read_base64(row.text(5), 0);
        walk.checkpoints.push_back({.node = walk.node,
                                    .seq = seq_of(row, 0),
                                    .head = octets(row.text(1)),
                                    .root = octets(row.text(2)),
                                    .rows = seq_of(row, 3),
                                    .at = base::from_micros(row.integer(4)),
                                    .signature = signature ? *std::move(signature) : Bytes{}});
      }
    }
    return walk.next_checkpoint < walk.checkpoints.size() ? &walk.checkpoints[walk.next_checkpoint] : nullptr;
  }

  /// Checkpoints over entries that are not there: the entries were removed.
  Result<void> pass_checkpoints_before(Walk& walk, std::uint64_t seq) {
    for (auto* next = TRY(upcoming(walk)); next && next->seq < seq; next = TRY(upcoming(walk))) {
      if (next->seq > walk.seq) {
        problem(walk.node, "has a checkpoint at entry " + std::to_string(next->seq) + ", which is missing");
      }
      pass(walk, *next);
    }
    return {};
  }

  void pass(Walk& walk, const Checkpoint& checkpoint) {
    ++found_.checkpoints;
    walk.covered = checkpoint.seq;
    walk.leaves.clear();
    ++walk.next_checkpoint;
  }

  Result<void> check_checkpoint(Walk& walk, std::uint64_t seq, const Bytes& hash) {
    const auto* checkpoint = TRY(upcoming(walk));
    if (!checkpoint || checkpoint->seq != seq) return {};
    const std::string which = "the checkpoint at entry " + std::to_string(seq) + " ";
    if (checkpoint->head != hash) problem(walk.node, which + "names another head");
    if (checkpoint->rows != seq - walk.covered) problem(walk.node, which + "does not cover all entries before it");
    if (checkpoint->root != merkle_root(walk.leaves)) problem(walk.node, which + "has another Merkle root");
    check_signature(walk, *checkpoint, which);
    pass(walk, *checkpoint);
    return {};
  }

  void check_signature(const Walk& walk, const Checkpoint& checkpoint, const std::string& which) {
    if (walk.key && !walk.key->verify(certs::Digest::Sha256, signed_bytes(checkpoint), checkpoint.signature)) {
      problem(walk.node, which + "is not signed by the node's audit key");
    }
  }

  void check_witness(Walk& walk, std::uint64_t seq, const Bytes& hash) {
    while (!walk.witness.empty() && walk.witness.front().seq < seq) miss_witnessed(walk);
    for (; !walk.witness.empty() && walk.witness.front().seq == seq; walk.witness = walk.witness.subspan(1)) {
      const auto checkpoint = read_witness_line(walk.witness.front().line);
      if (checkpoint->head != hash) problem(walk.node, at(seq) + "is not the one that was witnessed");
      check_signature(walk, *checkpoint, "the witness line for entry " + std::to_string(seq) + " ");
      ++found_.witnessed;
    }
  }

  void miss_witnessed(Walk& walk) {
    problem(walk.node, at(walk.witness.front().seq) + "was witnessed and is missing");
    walk.witness = walk.witness.subspan(1);
  }

  Result<void> finish(Walk& walk) {
    TRY(pass_checkpoints_before(walk, UINT64_MAX));
    if (walk.seq > walk.covered) {
      problem(walk.node, "entries " + std::to_string(walk.covered + 1) + " to " + std::to_string(walk.seq) +
                             " are not covered by a checkpoint");
    }
    if (!walk.witness.empty()) {
      problem(walk.node, "ends at entry " + std::to_string(walk.seq) + ", the witness saw entry " +
                             std::to_string(walk.witness.back().seq) +
                             ": the chain was cut off, or an older copy of the database restored");
    }
    return {};
  }

  /// Payloads without an entry of the chain: written by somebody else.
  Result<void> look_for_orphans() {
    const auto rows = TRY(session_.select(
        "SELECT p.node, p.seq FROM audit_payloads p WHERE NOT EXISTS "
        "(SELECT 1 FROM audit_chain c WHERE c.node = p.node AND c.seq = p.seq) ORDER BY p.node, p.seq LIMIT 100",
        "ti"));
    for (const auto& row : rows) problem(row.text(0), "has a payload without entry " + std::to_string(seq_of(row, 1)));
    return {};
  }

  Session& session_;
  const std::function<void(std::uint64_t, std::uint64_t)>& progress_;
  std::map<std::string, std::vector<Witnessed>> witnessed_;
  std::map<std::string, std::uint64_t> retained_;
  std::uint64_t total_ = 0;
  Verification found_;
};

}  // namespace

Result<std::vector<TrailRow>> search(Session& session, const Search& search) {
  std::string sql =
      "SELECT node, seq, kind, request, at, clinic, patient, implementer, outcome, reason, payload "
      "FROM audit_payloads WHERE 1 = 1";
  std::vector<Value> values;
  const auto narrow = [&](std::string_view condition, Value value) {
    values.push_back(std::move(value));
    sql.append(" AND ").append(condition).append(" :p").append(std::to_string(values.size()));
  };
  if (search.from) narrow("at >=", base::to_micros(*search.from));
  if (search.to) narrow("at <", base::to_micros(*search.to));
  const std::pair<std::string_view, const std::string&> texts[] = {
      {"request =", search.request}, {"clinic =", search.clinic},
      {"patient =", search.patient}, {"implementer =", search.implementer},
      {"outcome =", search.outcome}, {"reason =", search.reason},
      {"kind =", search.kind}};
  for (const auto& [condition, text] : texts) {
    if (!text.empty()) narrow(condition, stored_text(text));
  }
  values.push_back(static_cast<std::int64_t>(search.limit));
  const std::string_view order = search.newest_first ? "DESC" : "ASC";
  sql.append(" ORDER BY at ").append(order).append(", node, seq ").append(order);
  sql.append(" LIMIT :p").append(std::to_string(values.size()));

  std::vector<TrailRow> found;
  for (auto& row : TRY(session.select(sql,
                                      "titti"
                                      "tttttt",
                                      values, search.limit))) {
    found.push_back({.node = row.text(0),
                     .seq = seq_of(row, 1),
                     .kind = row.text(2),
                     .request = row.text(3),
                     .at = base::from_micros(row.integer(4)),
                     .clinic = row.text(5),
                     .patient = row.text(6),
                     .implementer = row.text(7),
                     .outcome = row.text(8),
                     .reason = row.text(9),
                     .payload = row.text(10)});
  }
  return found;
}

Result<Verification> verify(Session& session, std::optional<std::string_view> witness,
                            const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  return Verifier(session, progress).run(witness);
}

}  // namespace gateway::audit
