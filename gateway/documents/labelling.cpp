#include "gateway/documents/labelling.hpp"

#include "gateway/documents/content.hpp"
#include "gateway/documents/metadata.hpp"
#include "gateway/documents/rows.hpp"
#include "gateway/patients/record.hpp"

#include <algorithm>
#include <tuple>

namespace gateway::documents {
namespace {

using policy::Held;
using policy::Label;
using store::Session;
using store::Value;
using xca::ebxml::AssociationType;
using xca::ebxml::DocumentEntry;

constexpr std::size_t documents_at_once = 200, parentages_at_once = 2000;

/// A document's labels and codes as they stand in its row, held against other writers until the transaction ends.
struct Row {
  std::string uuid, labels, codes;
};

Result<std::optional<Row>> lock_row(Session& session, const std::string& clinic, std::string_view column,
                                    const std::string& id) {
  const std::string where = " WHERE clinic = :p1 AND " + std::string(column) + " = :p2";
  if (TRY(session.execute("UPDATE documents SET labels = labels" + where, {clinic, id})) == 0)
    return std::optional<Row>();
  const auto rows = TRY(session.select("SELECT entry_uuid, labels, codes FROM documents" + where, "ttt", {clinic, id}));
  if (rows.size() != 1) return fail(store::Errc::Unreadable, "documents");
  return std::optional(Row{rows[0].text(0), rows[0].text(1), rows[0].text(2)});
}

std::set<std::string> read_codes(std::string_view text) {
  std::set<std::string> codes;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    codes.emplace(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return codes;
}

/// Writes what a row has become. @return whether that is anything else. What is damaged is left for a person to see.
Result<bool> store_row(Session& session, const Row& row, const Markings& more) {
  auto stored = read_labels(row.labels);
  if (stored.damaged) return false;
  auto codes = read_codes(row.codes);
  codes.insert(more.codes.begin(), more.codes.end());
  stored.raise(more.labels, more.complete && codes.size() <= MarkingLimits{}.codes);
  const auto labels_text = write_labels(stored), codes_text = write_codes(codes);
  if (labels_text == row.labels && codes_text == row.codes) return false;
  TRY(session.execute("UPDATE documents SET labels = :p1, codes = :p2 WHERE entry_uuid = :p3",
                      {labels_text, codes_text, row.uuid}));
  return true;
}

// ------------------------------------------------------------------ handing down

/// Gives a document the labels and codes of another, but for what staff took away from either. @return whether that
/// changed anything; false where one of them is no document
Result<bool> inherit_labels(Session& session, const std::string& clinic, const std::string& to_uuid,
                            const std::string& from_uuid) {
  if (to_uuid == from_uuid) return false;
  const auto from = TRY(lock_row(session, clinic, "entry_uuid", from_uuid));
  const auto to = TRY(lock_row(session, clinic, "entry_uuid", to_uuid));
  if (!from || !to) return false;
  const auto stored = read_labels(from->labels);
  const Markings more{.labels = stored.labels, .codes = read_codes(from->codes),
                      .complete = stored.complete && !stored.damaged};
  return store_row(session, *to, more);
}

/// One that inherits, and whom it inherits from, by uuid.
struct Parentage {
  std::string clinic, child, parent;
};

Result<void> keep_parent(Session& session, const std::string& clinic, const std::string& child_uuid,
                         const std::string& parent) {
  TRY(session.execute("INSERT INTO document_parents (clinic, parent, child) VALUES (:p1, :p2, :p3)"
                      " ON CONFLICT (clinic, parent, child) DO NOTHING",
                      {clinic, parent, child_uuid}));
  return {};
}

/// Who inherits from this one, by association or by what their headers say.
Result<std::vector<std::string>> children_of(Session& session, const std::string& clinic, const std::string& uuid) {
  std::vector<std::string> children;
  for (const auto& row : TRY(session.select("SELECT type, source FROM associations WHERE clinic = :p1 AND target = :p2",
                                            "tt", {clinic, uuid}))) {
    const auto type = xca::ebxml::association_type(row.text(0));
    if (!type) return fail(store::Errc::Unreadable, "associations.type");
    if (inherits_labels(*type)) children.push_back(row.text(1));
  }
  for (const auto& row : TRY(session.select("SELECT p.child FROM documents d JOIN document_parents p"
                                            " ON p.clinic = d.clinic AND p.parent = d.unique_id"
                                            " WHERE d.clinic = :p1 AND d.entry_uuid = :p2",
                                            "t", {clinic, uuid})))
    children.push_back(row.text(0));
  return children;
}

// ------------------------------------------------------------------ judging anew

/// What content says that is held; no more than incomplete markings where it cannot be read.
/// @error those of a database that is not there
Result<CdaHeader> header_of_content(store::Database& database, const std::string& hash, const Calendar& calendar) {
  CdaHeader unreadable;
  unreadable.markings.complete = false;
  auto* session = TRY(database.session());
  const auto rows = TRY(session->select("SELECT size FROM contents WHERE hash = :p1", "i", {hash}));
  if (rows.size() != 1) return unreadable;
  const auto content = stored_content(hash, static_cast<std::uint64_t>(rows[0].integer(0)));
  if (!content) return unreadable;
  ContentReader reader(database, *content, {});
  const auto bytes = read_whole(reader);
  if (!bytes && bytes.error().code != store::Errc::Unreadable) return bytes.error();
  auto header = bytes ? read_cda_header(*bytes, calendar) : Result<CdaHeader>(bytes.error());
  if (!header) return unreadable;
  return header;
}

/// What a document is by the rules of this program.
struct Judged {
  Markings markings;
  std::vector<std::string> parents;
  std::optional<DocumentEntry> retimed = {};  ///< where its times are others than those kept
};

/// @param row  the columns content, metadata and the time zone of the clinic, from `at` on
Result<Judged> judge(store::Database& database, const store::Row& row, std::size_t at) {
  const auto calendar = TRY(Calendar::of(row.text(at + 2)));
  auto header = row.text(at).empty() ? CdaHeader{} : TRY(header_of_content(database, row.text(at), calendar));
  auto entry = read_metadata(row.text(at + 1));
  merge(header.markings, entry ? markings_in_metadata(*entry) : Markings{.complete = false});
  Judged judged{std::move(header.markings), std::move(header.parents)};
  if (!entry || header.entry.creation_time.empty()) return judged;
  const auto times = [](DocumentEntry& of) { return std::tie(of.creation_time, of.service_start, of.service_stop); };
  if (times(*entry) == times(header.entry)) return judged;
  times(*entry) = times(header.entry);
  judged.retimed = *std::move(entry);
  return judged;
}

Result<void> judge_anew(Session& session, const Row& row, const Judged& judged) {
  if (judged.retimed) {
    TRY(session.execute("UPDATE documents SET metadata = :p1, creation_time = :p2 WHERE entry_uuid = :p3",
                        {write_metadata(*judged.retimed), judged.retimed->creation_time, row.uuid}));
  }
  auto stored = read_labels(row.labels);
  if (stored.damaged) return {};
  stored.complete = true;
  stored.raise(judged.markings.labels, judged.markings.complete);
  TRY(session.execute("UPDATE documents SET labels = :p1, codes = :p2 WHERE entry_uuid = :p3",
                      {write_labels(stored), write_codes(judged.markings.codes), row.uuid}));
  return {};
}

Result<std::vector<Parentage>> parentage_by_association(Session& session) {
  std::vector<Parentage> all;
  for (std::string after_clinic, after;;) {
    const auto rows = TRY(session.select("SELECT clinic, entry_uuid, type, source, target FROM associations"
                                         " WHERE clinic > :p1 OR (clinic = :p1 AND entry_uuid > :p2)"
                                         " ORDER BY clinic, entry_uuid LIMIT " + std::to_string(parentages_at_once),
                                         "ttttt", {after_clinic, after}));
    for (const auto& row : rows) {
      const auto type = xca::ebxml::association_type(row.text(2));
      if (!type) return fail(store::Errc::Unreadable, "associations.type");
      if (inherits_labels(*type)) all.push_back({row.text(0), row.text(3), row.text(4)});
    }
    if (rows.size() < parentages_at_once) return all;
    after_clinic = rows.back().text(0);
    after = rows.back().text(1);
  }
}

Result<std::vector<Parentage>> parentage_by_header(Session& session) {
  std::vector<Parentage> all;
  for (std::string after_clinic, after, after_child;;) {
    const auto rows = TRY(session.select(
        "SELECT p.clinic, p.parent, p.child, d.entry_uuid FROM document_parents p"
        " JOIN documents d ON d.clinic = p.clinic AND d.unique_id = p.parent"
        " WHERE p.clinic > :p1 OR (p.clinic = :p1 AND (p.parent > :p2 OR (p.parent = :p2 AND p.child > :p3)))"
        " ORDER BY p.clinic, p.parent, p.child LIMIT " + std::to_string(parentages_at_once),
        "tttt", {after_clinic, after, after_child}));
    for (const auto& row : rows) all.push_back({row.text(0), row.text(2), row.text(3)});
    if (rows.size() < parentages_at_once) return all;
    after_clinic = rows.back().text(0);
    after = rows.back().text(1);
    after_child = rows.back().text(2);
  }
}

/// Hands labels down until nothing changes: from the first version to the last. It ends, for nothing is taken away.
Result<void> hand_down_all(Session& session, const std::vector<Parentage>& all) {
  for (bool more = true; more;) {
    more = false;
    for (const auto& one : all) {
      TRY(session.transaction([&]() -> Result<void> {
        if (TRY(inherit_labels(session, one.clinic, one.child, one.parent))) more = true;
        return {};
      }));
    }
  }
  return {};
}

/// Judges every document by itself, reads its times anew, and keeps whom it names as its parents. @return how many
Result<std::size_t> judge_each(store::Database& database, const std::function<void(std::size_t)>& progress) {
  auto& session = *TRY(database.session());
  std::size_t done = 0;
  for (std::string after;;) {
    const auto rows = TRY(session.select("SELECT d.entry_uuid, d.clinic, d.content, d.metadata, c.time_zone"
                                         " FROM documents d JOIN clinics c ON c.id = d.clinic"
                                         " WHERE d.entry_uuid > :p1 ORDER BY d.entry_uuid LIMIT " +
                                             std::to_string(documents_at_once),
                                         "ttttt", {after}));
    if (rows.empty()) return done;
    std::vector<Judged> judged;
    for (const auto& row : rows) judged.push_back(TRY(judge(database, row, 2)));
    TRY(session.transaction([&]() -> Result<void> {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& clinic = rows[i].text(1);
        const auto row = TRY(lock_row(session, clinic, "entry_uuid", rows[i].text(0)));
        if (!row) continue;
        TRY(judge_anew(session, *row, judged[i]));
        for (const auto& parent : judged[i].parents) TRY(keep_parent(session, clinic, row->uuid, parent));
      }
      return {};
    }));
    done += rows.size();
    if (progress) progress(done);
    after = rows.back().text(0);
  }
}

Result<Held<DocumentEntry>> find_document(Session& session, const policy::Clinic& clinic, std::string_view id) {
  const Value parameters[] = {clinic.id, xca::ebxml::mended_uuid(id), std::string(id)};
  auto held = TRY(select_entries(session, clinic, "(d.entry_uuid = :p2 OR d.unique_id = :p3)", parameters));
  if (held.empty()) return fail(Errc::NoSuchDocument);
  return std::move(held.front());
}

Result<void> check(const LabelChange& change) {
  if (base::trim(change.actor).empty()) return fail(patients::Errc::ActorMissing);
  if (base::trim(change.reason).empty()) return fail(Errc::ReasonMissing);
  for (const auto* list : {&change.add, &change.remove})
    for (const Label& one : *list)
      if (!line_of(one.system, one.code)) return fail(Errc::BadLabel);
  for (const Label& one : change.add)
    if (std::ranges::find(change.remove, one) != change.remove.end()) return fail(Errc::BadLabel, policy::word(one));
  return {};
}

}  // namespace

Result<void> note_label_rules(Session& session) {
  TRY(session.execute("UPDATE document_label_rules SET version = :p1"
                      " WHERE version <> :p1 AND NOT EXISTS (SELECT 1 FROM documents)",
                      {label_rules}));
  return {};
}

Result<bool> labels_are_current(store::Database& database) {
  auto* session = TRY(database.session());
  const auto rules = TRY(session->select("SELECT version FROM document_label_rules", "i"));
  if (rules.size() == 1 && rules[0].integer(0) == label_rules) return true;
  return TRY(session->select("SELECT entry_uuid FROM documents LIMIT 1", "t")).empty();
}

Result<std::size_t> relabel_documents(store::Database& database, const std::function<void(std::size_t)>& progress) {
  auto& session = *TRY(database.session());
  std::size_t done = 0;
  if (!TRY(labels_are_current(database))) {
    done = TRY(judge_each(database, progress));
    auto family = TRY(parentage_by_header(session));
    for (auto& one : TRY(parentage_by_association(session))) family.push_back(std::move(one));
    TRY(hand_down_all(session, family));
  }
  TRY(session.execute("UPDATE document_label_rules SET version = :p1 WHERE one = 1", {label_rules}));
  return done;
}

Result<void> raise_labels(Session& session, const policy::Clinic& clinic, const std::string& unique_id,
                          const Markings& markings) {
  const auto row = TRY(lock_row(session, clinic.id, "unique_id", unique_id));
  if (!row) return fail(Errc::NoSuchDocument);
  TRY(store_row(session, *row, markings));
  return hand_down_labels(session, clinic.id, row->uuid);
}

bool inherits_labels(AssociationType type) noexcept {
  switch (type) {
    case AssociationType::Replace:
    case AssociationType::Append:
    case AssociationType::Transform:
    case AssociationType::TransformAndReplace:
    case AssociationType::IsSnapshotOf: return true;
    case AssociationType::HasMember:
    case AssociationType::Signs: return false;
  }
  return true;
}

Result<void> hand_down_labels(Session& session, const std::string& clinic, const std::string& from_uuid) {
  std::set<std::string> seen{from_uuid};
  std::vector<std::string> waiting{from_uuid};
  while (!waiting.empty()) {
    const std::string parent = std::move(waiting.back());
    waiting.pop_back();
    for (const auto& child : TRY(children_of(session, clinic, parent))) {
      const bool changed = TRY(inherit_labels(session, clinic, child, parent));
      if (seen.insert(child).second || changed) waiting.push_back(child);
    }
  }
  return {};
}

Result<void> relate_document(Session& session, const policy::Clinic& clinic, const std::string& unique_id,
                             const std::vector<std::string>& parents) {
  const auto row = TRY(lock_row(session, clinic.id, "unique_id", unique_id));
  if (!row) return fail(Errc::NoSuchDocument);
  for (const auto& parent : parents) {
    TRY(keep_parent(session, clinic.id, row->uuid, parent));
    const auto held = TRY(lock_row(session, clinic.id, "unique_id", parent));
    if (held) TRY(inherit_labels(session, clinic.id, row->uuid, held->uuid));
  }
  return hand_down_labels(session, clinic.id, row->uuid);
}

Result<void> set_labels(store::Database& database, const policy::Clinic& clinic, std::string_view document,
                        const LabelChange& change, Instant now) {
  TRY(check(change));
  auto& session = *TRY(database.session());
  return session.transaction([&]() -> Result<void> {
    const auto held = TRY(find_document(session, clinic, document));
    // The patient's row is held, as imports hold it: no new version comes in between.
    TRY(session.execute("UPDATE patients SET updated_at = updated_at"
                        " WHERE id = (SELECT patient FROM documents WHERE entry_uuid = :p1)",
                        {held.id}));
    const auto row = TRY(lock_row(session, clinic.id, "entry_uuid", held.id));
    if (!row) return fail(Errc::NoSuchDocument);
    auto stored = read_labels(row->labels);
    for (const Label& one : change.add) {
      stored.labels.insert(one);
      stored.taken_away.erase(one);
    }
    for (const Label& one : change.remove) {
      stored.labels.erase(one);
      stored.taken_away.insert(one);
    }
    const auto text = write_labels(stored);
    TRY(session.execute("UPDATE documents SET labels = :p1 WHERE entry_uuid = :p2", {text, row->uuid}));
    TRY(session.execute("INSERT INTO document_labels (id, clinic, document, labels, actor, reason, set_at)"
                        " VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7)",
                        {fresh_uuid(), clinic.id, row->uuid, text, std::string(base::trim(change.actor)),
                         std::string(base::trim(change.reason)), base::to_micros(now)}));
    return hand_down_labels(session, clinic.id, row->uuid);
  });
}

Result<DocumentLabels> show_labels(store::Database& database, const policy::Clinic& clinic,
                                   std::string_view document) {
  auto& session = *TRY(database.session());
  auto held = TRY(find_document(session, clinic, document));
  DocumentLabels shown{.held = std::move(held)};
  const auto rows = TRY(session.select("SELECT labels FROM documents WHERE entry_uuid = :p1", "t", {shown.held.id}));
  if (rows.size() != 1) return fail(Errc::NoSuchDocument);
  const auto stored = read_labels(rows[0].text(0));
  shown.taken_away.assign(stored.taken_away.begin(), stored.taken_away.end());
  for (const auto& row : TRY(session.select("SELECT labels, actor, reason, set_at FROM document_labels"
                                            " WHERE document = :p1 AND clinic = :p2 ORDER BY set_at, id",
                                            "ttti", {shown.held.id, clinic.id}))) {
    shown.history.push_back({.labels = read_labels(row.text(0)), .actor = row.text(1), .reason = row.text(2),
                             .set_at = base::from_micros(row.integer(3))});
  }
  return shown;
}

}  // namespace gateway::documents
