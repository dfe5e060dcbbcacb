#include "gateway/documents/shelf.hpp"

#include "gateway/patients/records.hpp"

#include <algorithm>
#include <set>

namespace gateway::documents {
namespace {

using policy::Held;
using store::Value;
using xca::ebxml::Availability;
using xca::ebxml::DocumentEntry;

constexpr std::size_t piece_octets = 256u << 10;
constexpr std::size_t pieces_max = 4096;  ///< 1 GiB
constexpr std::size_t ids_per_statement = 16;
constexpr std::string_view urn_uuid = "urn:uuid:";

constexpr std::string_view entry_letters = "tttttt";
constexpr std::size_t choice_at = entry_letters.size();

/// Entries with their patient's choice, read together. @param where  over d, p and c; the clinic's id is :p1
std::string select_entries(std::string_view where) {
  std::string sql = "SELECT d.entry_uuid, d.unique_id, d.status, d.metadata, p.mrn, p.id, ";
  sql.append(patients::choice_columns);
  sql.append(
      " FROM documents d JOIN patients p ON p.id = d.patient JOIN clinics c ON c.id = p.clinic"
      " LEFT JOIN purpose_choices w ON w.id = p.choice WHERE c.id = :p1 AND d.clinic = :p1 AND ");
  return sql.append(where).append(" ORDER BY d.creation_time DESC, d.entry_uuid");
}

Result<DocumentEntry> read_row(const store::Row& row, const policy::Clinic& clinic) {
  auto entry = TRY(read_metadata(row.text(3)));
  entry.entry_uuid = row.text(0);
  entry.unique_id = row.text(1);
  if (row.text(2) != "Approved" && row.text(2) != "Deprecated")
    return fail(store::Errc::Unreadable, "documents.status");
  entry.status = row.text(2) == "Approved" ? Availability::Approved : Availability::Deprecated;
  entry.repository_id = clinic.repository_id;
  entry.home = clinic.home.dotted();
  entry.patient = {clinic.assigning_authority, row.text(4)};
  if (entry.source_patient.extension.empty()) entry.source_patient = entry.patient;
  return entry;
}

Result<std::vector<Held<DocumentEntry>>> select_held(store::Database& database, const policy::Clinic& clinic,
                                                     std::string_view where, std::span<const Value> parameters) {
  auto* session = TRY(database.session());
  const auto letters = std::string(entry_letters) + std::string(patients::choice_letters);
  std::vector<Held<DocumentEntry>> held;
  for (const auto& row : TRY(session->select(select_entries(where), letters, parameters))) {
    auto entry = TRY(read_row(row, clinic));
    auto id = entry.entry_uuid;
    held.push_back(
        {.resource = std::move(entry), .id = std::move(id), 
         .choice = patients::read_choice(row, choice_at), .subject = row.text(5)});
  }
  return held;
}

/// `urn:uuid:` and lower case, as stored.
std::string stored_uuid(std::string_view id) {
  std::string uuid(id);
  std::ranges::transform(uuid, uuid.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return uuid.starts_with(urn_uuid) ? uuid : std::string(urn_uuid) + uuid;
}

/// Adds the entries whose `column` is one of `ids`, a handful of ids at a time.
Result<void> add_by(std::string_view column, const std::set<std::string>& ids, store::Database& database,
                    const policy::Clinic& clinic, std::vector<Held<DocumentEntry>>& found) {
  auto where = std::string(column) + " IN (:p2";
  for (std::size_t i = 3; i < ids_per_statement + 2; ++i) where += ", :p" + std::to_string(i);
  where += ")";
  for (auto next = ids.begin(); next != ids.end();) {
    std::vector<Value> parameters{clinic.id};
    while (next != ids.end() && parameters.size() <= ids_per_statement) parameters.push_back(*next++);
    while (parameters.size() <= ids_per_statement) parameters.push_back(Value(parameters.back()));
    for (auto& one : TRY(select_held(database, clinic, where, parameters))) {
      const auto same = [&](const auto& other) { return other.id == one.id; };
      if (std::ranges::none_of(found, same)) found.push_back(std::move(one));
    }
  }
  return {};
}

std::string fresh_uuid() {
  base::Seed seed{};
  certs::fill_random(seed.data(), 16);
  return base::UuidStream(seed).next_urn();
}

Result<void> insert_content(store::Session& session, const std::string& hash, BytesView bytes) {
  const auto held = TRY(session.select("SELECT hash FROM contents WHERE hash = :p1", "t", {hash}));
  if (!held.empty()) return {};
  TRY(session.execute("INSERT INTO contents (hash, size) VALUES (:p1, :p2)",
                      {hash, static_cast<std::int64_t>(bytes.size())}));
  std::int64_t piece = 0;
  for (std::size_t at = 0; at < bytes.size(); at += piece_octets) {
    TRY(session.execute("INSERT INTO content_pieces (hash, piece, bytes) VALUES (:p1, :p2, :p3)",
                        {hash, piece++, store::Blob{Bytes(bytes.substr(at, piece_octets))}}));
  }
  return {};
}

/// @return Unchanged where this very document is held for this patient, nothing where its id is free
Result<std::optional<Imported>> held_already(store::Session& session, const policy::Clinic& clinic,
                                             const DocumentEntry& entry, const std::string& hash,
                                             const std::string& patient) {
  const auto rows = TRY(session.select("SELECT content, patient FROM documents WHERE clinic = :p1 AND unique_id = :p2",
                                       "tt", {clinic.id, entry.unique_id}));
  if (rows.empty()) return std::optional<Imported>();
  if (rows[0].text(0) != hash) return fail(Errc::UniqueIdTaken);
  if (rows[0].text(1) != patient) return fail(Errc::OtherPatient);
  return std::optional(Imported::Unchanged);
}

}  // namespace

Result<std::vector<Held<DocumentEntry>>> DocumentShelf::find(const policy::Clinic& clinic,
                                                             const xca::ebxml::FindDocuments& query) {
  if (query.patient.root != clinic.assigning_authority) return std::vector<Held<DocumentEntry>>();
  const Value parameters[] = {clinic.id, query.patient.extension};
  auto held = TRY(select_held(
      database_, clinic,
      "d.patient IN (SELECT COALESCE(survivor, id) FROM patients WHERE clinic = :p1 AND mrn = :p2)", parameters));
  auto asked = query;
  if (!held.empty()) asked.patient = held.front().resource.patient;  // of the record that theirs was merged into
  std::erase_if(held, [&](const auto& one) { return !xca::ebxml::matches(one.resource, asked); });
  return held;
}

Result<std::vector<Held<DocumentEntry>>> DocumentShelf::get(const policy::Clinic& clinic,
                                                            const xca::ebxml::GetDocuments& query) {
  std::vector<Held<DocumentEntry>> found;
  std::set<std::string> uuids;
  for (const auto& id : query.entry_uuids) uuids.insert(stored_uuid(id));
  TRY(add_by("d.entry_uuid", uuids, database_, clinic, found));
  TRY(add_by("d.unique_id", {query.unique_ids.begin(), query.unique_ids.end()}, database_, clinic, found));
  return found;
}

Result<Bytes> DocumentShelf::content(const DocumentEntry& entry) {
  auto* session = TRY(database_.session());
  const auto rows =
      TRY(session->select("SELECT t.hash, t.size FROM documents d JOIN contents t ON t.hash = d.content"
                          " WHERE d.entry_uuid = :p1",
                          "ti", {entry.entry_uuid}));
  if (rows.empty()) return fail(Errc::NoSuchDocument);
  const auto& hash = rows[0].text(0);
  Bytes bytes;
  bytes.reserve(static_cast<std::size_t>(std::clamp<std::int64_t>(rows[0].integer(1), 0, piece_octets * pieces_max)));
  for (const auto& row : TRY(session->select("SELECT bytes FROM content_pieces WHERE hash = :p1 ORDER BY piece", "b",
                                             {hash}, pieces_max))) {
    bytes += row.bytes(0);
  }
  if (base::hex(certs::sha256(bytes)) != hash) return fail(store::Errc::Unreadable, "content differs from its hash");
  return bytes;
}

Result<ImportedDocument> import_document(store::Database& database, const policy::Clinic& clinic, BytesView cda,
                                         const DocumentImport& options, Instant now) {
  auto header = TRY(read_cda_header(cda));
  const auto patient = options.patient_id.empty()
                           ? TRY(patients::patient_meant(database, clinic, {header.person, header.patient_ids}))
                           : TRY(patients::show_patient(database, clinic, options.patient_id));
  auto entry = std::move(header.entry);
  if (options.facility_type) entry.facility_type = *options.facility_type;
  if (options.practice_setting) entry.practice_setting = *options.practice_setting;
  const auto hash = base::hex(certs::sha256(cda));
  const auto uuid = fresh_uuid();
  auto outcome = Imported::Inserted;
  auto* session = TRY(database.session());
  TRY(session->transaction([&]() -> Result<void> {
    if (const auto held = TRY(held_already(*session, clinic, entry, hash, patient.id))) {
      outcome = *held;
      return {};
    }
    TRY(insert_content(*session, hash, cda));
    TRY(
        session->execute("INSERT INTO documents (entry_uuid, clinic, patient, unique_id, status, content, metadata,"
                         " creation_time, entered_at, origin)"
                         " VALUES (:p1, :p2, :p3, :p4, 'Approved', :p5, :p6, :p7, :p8, :p9)",
                         {uuid, clinic.id, patient.id, entry.unique_id, hash, write_metadata(entry),
                          entry.creation_time, base::to_micros(now),
                          patient.named_as.empty() ? Value() : Value(patient.named_as)}));
    return {};
  }));
  auto shown = TRY(show_document(database, clinic, entry.unique_id));
  return ImportedDocument{outcome, patient.id, std::move(shown)};
}

Result<std::vector<DocumentEntry>> list_documents(store::Database& database, const policy::Clinic& clinic,
                                                  const std::string& patient_id) {
  const Value parameters[] = {clinic.id, patient_id};
  std::vector<DocumentEntry> entries;
  for (auto& held : TRY(select_held(database, clinic, "p.id = :p2", parameters)))
    entries.push_back(std::move(held.resource));
  return entries;
}

Result<DocumentEntry> show_document(store::Database& database, const policy::Clinic& clinic, std::string_view id) {
  const Value parameters[] = {clinic.id, stored_uuid(id), std::string(id)};
  auto held = TRY(select_held(database, clinic, "(d.entry_uuid = :p2 OR d.unique_id = :p3)", parameters));
  if (held.empty()) return fail(Errc::NoSuchDocument);
  return std::move(held.front().resource);
}

}  // namespace gateway::documents
