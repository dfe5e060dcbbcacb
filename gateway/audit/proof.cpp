#include "gateway/audit/proof.hpp"

#include "base/error_table.hpp"
#include "base/json/document.hpp"
#include "base/json/writer.hpp"
#include "gateway/audit/proved_answer.hpp"

#include <algorithm>

namespace gateway::audit {
namespace {

using base::Cause;
using base::fail;
using base::json::Value;
using store::Session;

constexpr base::ErrorRow rows[] = {
    {int(ProofErrc::NothingKept), "proof-nothing-kept",
     "there is no decision record of that request; audit search shows the requests there are", Cause::BadMessage},
    {int(ProofErrc::PayloadDeleted), "proof-payload-deleted",
     "what was written down about that request was deleted, as audit retain does; it can no longer be proved",
     Cause::BadMessage},
    {int(ProofErrc::NotDivided), "proof-not-divided",
     "the record was written by an earlier version and cannot be shown in part; use --form officer", Cause::BadMessage},
    {int(ProofErrc::ChainUnsound), "proof-chain-unsound",
     "the chain does not prove that record; run audit verify", Cause::Defect},
    {int(ProofErrc::NotAProof), "proof-unreadable",
     "the file is not a proof as audit prove writes it; get it again from who made it", Cause::BadMessage},
    {int(ProofErrc::WrongKey), "proof-wrong-key",
     "the proof is not signed by the given key; ask the gateway's house for its audit public-key", Cause::NotTrusted},
    {int(ProofErrc::NotInTheCommit), "proof-not-in-the-commit",
     "the proof shows something that was not signed; do not rely on it", Cause::NotTrusted},
    {int(ProofErrc::NotOneRequest), "proof-of-several-requests",
     "the proof is not about one request; do not rely on it", Cause::NotTrusted},
    {int(ProofErrc::NotWitnessed), "proof-not-witnessed",
     "the witness knows no such head of the chain; take a witness file of a later day, or do not rely on the proof",
     Cause::NotTrusted},
    {int(ProofErrc::OtherRequest), "proof-of-another-request",
     "the proof is about another request than the given file; give the body of the HTTP request as it was sent",
     Cause::NotTrusted},
    {int(ProofErrc::OtherAnswer), "proof-of-another-answer",
     "the proof is about another answer than the given file; give the body of the HTTP answer as it was received",
     Cause::NotTrusted},
};
constinit const base::ErrorTable errors("gatehouse.proof", rows);

constexpr std::string_view format = "gatehouse-proof-1";
constexpr std::pair<ProofForm, std::string_view> forms[] = {{ProofForm::Answer, "answer"},
                                                            {ProofForm::Officer, "officer"}};
constexpr std::size_t hash_size = 32, row_salt_size = 16;

// ---------------------------------------------------------------- the bundle

void write_hash(base::json::Writer& json, std::string_view name, const Bytes& hash) {
  if (!hash.empty()) json.name(name).string(base::hex(hash));
}

void write_row(base::json::Writer& json, const ProvedRow& row) {
  json.begin_object().name("seq").integer(static_cast<std::int64_t>(row.seq));
  write_hash(json, "previous", row.previous);
  json.name("path").begin_array();
  for (const Bytes& sibling : row.path) json.string(base::hex(sibling));
  json.end_array();
  write_hash(json, "salt", row.salt);
  json.name("shown").string(row.shown);
  write_hash(json, "withheld", row.withheld);
  json.end_object();
}

/// Nothing where the member is absent. @error of octets that are not of that size
Result<Bytes> read_hash(const Value& json, std::string_view name, std::initializer_list<std::size_t> sizes) {
  const auto text = TRY(json.optional_string(name));
  if (!text) return Bytes{};
  auto bytes = TRY(base::read_hex(*text));
  if (std::ranges::find(sizes, bytes.size()) == sizes.end()) return fail(ProofErrc::NotAProof);
  return bytes;
}

Result<std::uint64_t> read_count(const Value& json, std::string_view name) {
  const auto number = TRY(json.integer_member(name));
  if (number < 1) return fail(ProofErrc::NotAProof);
  return static_cast<std::uint64_t>(number);
}

Result<ProvedRow> read_row(const Value& json) {
  ProvedRow row;
  row.seq = TRY(read_count(json, "seq"));
  row.previous = TRY(read_hash(json, "previous", {hash_size}));
  const auto path = json.find("path");
  for (const Value& sibling : path ? path->items() : std::vector<Value>{}) {
    row.path.push_back(TRY(base::read_hex(sibling.string().value_or("-"))));
  }
  row.salt = TRY(read_hash(json, "salt", {row_salt_size, hash_size}));
  row.shown = TRY(json.string_member("shown"));
  row.withheld = TRY(read_hash(json, "withheld", {hash_size}));
  return row;
}

Result<Proof> read_members(const Value& json) {
  Proof proof;
  const auto word = TRY(json.string_member("form"));
  const auto form = std::ranges::find(forms, word, &std::pair<ProofForm, std::string_view>::second);
  if (form == std::end(forms)) return fail(ProofErrc::NotAProof);
  proof.form = form->first;
  const auto commits = json.find("commits");
  for (const Value& commit : commits ? commits->items() : std::vector<Value>{}) {
    const auto checkpoint = read_witness_line(TRY(commit.string_member("checkpoint")));
    if (!checkpoint) return fail(ProofErrc::NotAProof);
    auto& read = proof.commits.emplace_back();
    read.checkpoint = *checkpoint;
    const auto rows_of_it = commit.find("rows");
    for (const Value& row : rows_of_it ? rows_of_it->items() : std::vector<Value>{}) {
      read.rows.push_back(TRY(read_row(row)));
    }
  }
  return proof;
}

// ---------------------------------------------------------------- what the database holds

struct StoredRow {
  std::string node;
  std::uint64_t seq = 0;
  bool is_decision = false;
  Bytes salt;
  std::string payload;
};

Result<Bytes> octets(const std::string& hex) {
  auto bytes = base::read_hex(hex);
  if (!bytes) return fail(ProofErrc::ChainUnsound);
  return *std::move(bytes);
}

std::int64_t number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

Result<std::vector<StoredRow>> stored_rows(Session& session, std::string_view request, ProofForm form) {
  std::vector<StoredRow> found;
  bool decided = false;
  for (const auto& row : TRY(session.select(
           "SELECT node, seq, kind, salt, payload FROM audit_payloads WHERE request = :p1 ORDER BY node, seq", "tittt",
           {stored_text(request)}))) {
    const bool is_decision = row.text(2) == "decision";
    decided = decided || is_decision;
    if (form == ProofForm::Answer && !is_decision) continue;
    auto salt = TRY(octets(row.text(3)));
    found.push_back({.node = row.text(0),
                     .seq = static_cast<std::uint64_t>(row.integer(1)),
                     .is_decision = is_decision,
                     .salt = std::move(salt),
                     .payload = row.text(4)});
  }
  if (request.empty() || !decided) return fail(ProofErrc::NothingKept);
  return found;
}

/// The first checkpoint at or after a row is its commit's.
Result<Checkpoint> checkpoint_over(Session& session, const StoredRow& row) {
  const auto found = TRY(session.select(
      "SELECT seq, head, root, rows, at, signature FROM audit_checkpoints WHERE node = :p1 AND seq >= :p2 "
      "ORDER BY seq LIMIT 1",
      "ittiit", {row.node, number(row.seq)}, 1));
  if (found.empty()) return fail(ProofErrc::ChainUnsound);
  const auto& columns = found[0];
  auto head = TRY(octets(columns.text(1))), root = TRY(octets(columns.text(2)));
  auto signature = base::read_base64(columns.text(5), 0);
  if (!signature) return fail(ProofErrc::ChainUnsound);
  return Checkpoint{.node = row.node,
                    .seq = static_cast<std::uint64_t>(columns.integer(0)),
                    .head = std::move(head),
                    .root = std::move(root),
                    .rows = static_cast<std::uint64_t>(columns.integer(3)),
                    .at = base::from_micros(columns.integer(4)),
                    .signature = *std::move(signature)};
}

/// Hashes of a commit's rows, with that of the row before them in front; empty before seq 1.
Result<std::vector<Bytes>> hashes_of(Session& session, const Checkpoint& checkpoint) {
  if (checkpoint.rows > checkpoint.seq) return fail(ProofErrc::ChainUnsound);
  const auto before = checkpoint.seq - checkpoint.rows;
  std::vector<Bytes> hashes;
  if (before == 0) hashes.emplace_back();
  for (const auto& row : TRY(session.select(
           "SELECT hash FROM audit_chain WHERE node = :p1 AND seq >= :p2 AND seq <= :p3 ORDER BY seq", "t",
           {checkpoint.node, number(before), number(checkpoint.seq)}))) {
    hashes.push_back(TRY(octets(row.text(0))));
  }
  if (hashes.size() != checkpoint.rows + 1) return fail(ProofErrc::ChainUnsound);
  return hashes;
}

Result<ProvedRow> show(const StoredRow& stored, ProofForm form) {
  ProvedRow row{.seq = stored.seq, .previous = {}, .path = {}, .salt = stored.salt, .shown = stored.payload,
                .withheld = {}};
  if (form == ProofForm::Officer) return row;
  const auto first = first_part(stored.payload);
  if (!first) return fail(ProofErrc::NotDivided);
  row.withheld = part_commitment(part_salt(stored.salt, 2), std::string_view(stored.payload).substr(first->size() + 1));
  row.salt = part_salt(stored.salt, 1);
  row.shown = *first;
  return row;
}

// ---------------------------------------------------------------- checking

bool is_under_root(const Checkpoint& checkpoint, const ProvedRow& row) {
  if (checkpoint.rows > checkpoint.seq || row.seq > checkpoint.seq) return false;
  const auto before = checkpoint.seq - checkpoint.rows;
  if (row.seq <= before) return false;
  const auto committed = row.withheld.empty()
                             ? commitment(row.salt, row.shown)
                             : commitment_of_parts(part_commitment(row.salt, row.shown), row.withheld);
  const auto hash = entry_hash(checkpoint.node, row.seq, row.previous, committed);
  if (row.seq == checkpoint.seq && hash != checkpoint.head) return false;
  return merkle_root_from_path(hash, row.seq - before - 1, checkpoint.rows, row.path) == checkpoint.root;
}

Result<void> check_commit(const ProvedCommit& commit, ProofForm form, const ProofEvidence& evidence) {
  const auto& checkpoint = commit.checkpoint;
  const auto signed_by = [&](const certs::PublicKey& key) {
    return key.verify(certs::Digest::Sha256, signed_bytes(checkpoint), checkpoint.signature).has_value();
  };
  if (std::ranges::none_of(evidence.keys, signed_by)) return fail(ProofErrc::WrongKey);
  for (const ProvedRow& row : commit.rows) {
    const bool in_part = !row.withheld.empty();
    if (in_part != (form == ProofForm::Answer) || row.salt.size() != (in_part ? hash_size : row_salt_size)) {
      return fail(ProofErrc::NotAProof);
    }
    if (!is_under_root(checkpoint, row)) return fail(ProofErrc::NotInTheCommit);
  }
  if (!evidence.witness) return {};
  const auto line = witness_line(checkpoint);
  const auto at = evidence.witness->find(line);
  const bool begins_a_line = at == 0 || (at != std::string_view::npos && (*evidence.witness)[at - 1] == '\n');
  if (!begins_a_line) return fail(ProofErrc::NotWitnessed);
  return {};
}

/// Commits by node and seq, rows by seq, each once and none empty.
bool in_order(const Proof& proof) {
  const auto key = [](const ProvedCommit& commit) { return std::pair(commit.checkpoint.node, commit.checkpoint.seq); };
  for (std::size_t i = 1; i < proof.commits.size(); ++i) {
    if (key(proof.commits[i - 1]) >= key(proof.commits[i])) return false;
  }
  return std::ranges::all_of(proof.commits, [](const ProvedCommit& commit) {
    return !commit.rows.empty() && std::ranges::adjacent_find(commit.rows, std::ranges::greater_equal{},
                                                              &ProvedRow::seq) == commit.rows.end();
  });
}

/// A part is one object but for its end. @error ProofErrc::NotAProof
Result<std::unique_ptr<const base::json::Document>> read_shown(const ProvedRow& row) {
  auto document = base::json::Document::parse(row.withheld.empty() ? row.shown : row.shown + "}");
  if (!document) return fail(ProofErrc::NotAProof);
  return *std::move(document);
}

std::string text_of(const Value& json, std::string_view member) {
  const auto found = json.find(member);
  return found ? std::string(found->string().value_or("")) : std::string();
}

}  // namespace

boost::system::error_code make_error_code(ProofErrc code) noexcept { return {static_cast<int>(code), errors}; }

std::string canonical(const Proof& proof) {
  const auto form = std::ranges::find(forms, proof.form, &std::pair<ProofForm, std::string_view>::first);
  base::json::Writer json;
  json.begin_object().member("format", format).member("form", form->second).name("commits").begin_array();
  for (const auto& commit : proof.commits) {
    auto line = witness_line(commit.checkpoint);
    line.pop_back();
    json.begin_object().member("checkpoint", line).name("rows").begin_array();
    for (const auto& row : commit.rows) write_row(json, row);
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return json.text() + "\n";
}

Result<Proof> read_proof(std::string_view bundle) {
  const auto document = base::json::Document::parse(bundle);
  if (!document) return fail(ProofErrc::NotAProof);
  auto proof = read_members((*document)->root());
  if (!proof || canonical(*proof) != bundle || !in_order(*proof)) return fail(ProofErrc::NotAProof);
  return *std::move(proof);
}

Result<Proof> prove(Session& session, std::string_view request, ProofForm form) {
  Proof proof{.form = form, .commits = {}};
  std::vector<Bytes> hashes;
  for (const auto& stored : TRY(stored_rows(session, request, form))) {
    if (stored.payload.empty()) return fail(ProofErrc::PayloadDeleted);
    auto& commits = proof.commits;
    if (commits.empty() || commits.back().checkpoint.node != stored.node ||
        commits.back().checkpoint.seq < stored.seq) {
      auto checkpoint = TRY(checkpoint_over(session, stored));
      hashes = TRY(hashes_of(session, checkpoint));
      commits.push_back({.checkpoint = std::move(checkpoint), .rows = {}});
    }
    const auto& checkpoint = commits.back().checkpoint;
    const auto before = checkpoint.seq - checkpoint.rows;
    if (stored.seq <= before) return fail(ProofErrc::ChainUnsound);
    auto row = TRY(show(stored, form));
    row.previous = hashes[stored.seq - before - 1];
    row.path = merkle_path(std::span<const Bytes>(hashes).subspan(1), stored.seq - before - 1);
    if (!is_under_root(checkpoint, row)) return fail(ProofErrc::ChainUnsound);
    commits.back().rows.push_back(std::move(row));
  }
  return proof;
}

Result<Proved> check_proof(std::string_view bundle, const ProofEvidence& evidence) {
  const auto proof = TRY(read_proof(bundle));
  Proved proved{.form = proof.form};
  std::string request_hash, answer_hash;
  std::size_t decisions = 0;
  for (const auto& commit : proof.commits) {
    TRY(check_commit(commit, proof.form, evidence));
    for (const auto& row : commit.rows) {
      const auto document = TRY(read_shown(row));
      const auto json = document->root();
      const auto request = text_of(json, "request");
      if (proved.request.empty()) proved.request = request;
      if (request.empty() || request != proved.request) return fail(ProofErrc::NotOneRequest);
      proved.shown.push_back(row.shown);
      if (json.find("outcome")) continue;  // an event
      ++decisions;
      proved.at = base::from_micros(TRY(json.integer_member("at")));
      proved.transaction = text_of(json, "transaction");
      proved.implementer = text_of(json, "implementer");
      proved.home = text_of(json, "home");
      proved.organization = text_of(json, "organization");
      request_hash = text_of(json, "request_hash");
      answer_hash = text_of(json, "answer_hash");
      const auto documents = json.find("document_hashes");
      for (const auto& hash : documents ? documents->items() : std::vector<Value>{}) {
        proved.documents.emplace_back(hash.string().value_or(""));
      }
      proved.node = commit.checkpoint.node;
      proved.seq = row.seq;
    }
  }
  if (decisions != 1) return fail(ProofErrc::NotOneRequest);
  if (request_hash != base::hex(certs::sha256(evidence.request))) return fail(ProofErrc::OtherRequest);
  if (!is_answer(evidence.answer, answer_hash, proved.documents)) return fail(ProofErrc::OtherAnswer);
  return proved;
}

}  // namespace gateway::audit
