#include "gateway/documents/rows.hpp"

#include "certs/crypto.hpp"
#include "gateway/documents/labelling.hpp"
#include "gateway/documents/metadata.hpp"
#include "gateway/patients/consents.hpp"

#include <algorithm>
#include <set>

namespace gateway::documents {
namespace {

using policy::Held;
using store::Value;
using xca::ebxml::Association;
using xca::ebxml::Availability;
using xca::ebxml::DocumentEntry;
using xca::ebxml::Folder;
using xca::ebxml::SubmissionSet;

constexpr std::size_t ids_per_statement = 16;
constexpr std::string_view entry_letters = "tttttttt";
constexpr std::size_t choice_at = entry_letters.size();

Result<Availability> read_status(const std::string& status) {
  if (status == "Approved") return Availability::Approved;
  if (status == "Deprecated") return Availability::Deprecated;
  return fail(store::Errc::Unreadable, "status of a registry object");
}

std::string limit(std::size_t rows_max) { return " LIMIT " + std::to_string(rows_max); }

Result<DocumentEntry> read_entry(const store::Row& row, const policy::Clinic& clinic) {
  auto entry = TRY(read_metadata(row.text(3)));
  entry.entry_uuid = row.text(0);
  entry.unique_id = row.text(1);
  entry.status = TRY(read_status(row.text(2)));
  entry.repository_id = clinic.repository_id;
  entry.home = clinic.home.dotted();
  entry.patient = {clinic.assigning_authority, row.text(4)};
  if (entry.source_patient.extension.empty()) entry.source_patient = entry.patient;
  return entry;
}

/// `column IN (:p2, …)`, a handful of ids at a time, the last one repeated: few statement texts to prepare.
template <class Run>
Result<void> for_ids(const policy::Clinic& clinic, const std::vector<std::string>& ids, Run run) {
  const std::set<std::string> distinct(ids.begin(), ids.end());
  for (auto next = distinct.begin(); next != distinct.end();) {
    std::vector<Value> parameters{clinic.id};
    while (next != distinct.end() && parameters.size() <= ids_per_statement) parameters.push_back(*next++);
    while (parameters.size() <= ids_per_statement) parameters.push_back(Value(parameters.back()));
    TRY(run(parameters));
  }
  return {};
}

const std::string& one_of_ids() {
  static const std::string text = [] {
    std::string list = " IN (:p2";
    for (std::size_t i = 3; i < ids_per_statement + 2; ++i) list += ", :p" + std::to_string(i);
    return list + ")";
  }();
  return text;
}

/// Adds the patients of rows of `tables` whose `column` is one of `ids`.
Result<void> add_owners(store::Session& session, const policy::Clinic& clinic,
                        std::initializer_list<std::string_view> tables, std::string_view column,
                        const std::vector<std::string>& ids, std::set<std::string>& owners) {
  std::string sql;
  for (const auto table : tables) {
    sql.append(sql.empty() ? "" : " UNION ").append("SELECT patient FROM ").append(table);
    sql.append(" WHERE clinic = :p1 AND ").append(column).append(one_of_ids());
  }
  return for_ids(clinic, ids, [&](const std::vector<Value>& parameters) -> Result<void> {
    for (const auto& row : TRY(session.select(sql, "t", parameters))) owners.insert(row.text(0));
    return {};
  });
}

}  // namespace

Result<std::vector<Held<DocumentEntry>>> select_entries(store::Session& session, const policy::Clinic& clinic,
                                                        std::string_view where, std::span<const Value> parameters,
                                                        std::size_t rows_max) {
  const MarkTable marks(clinic.rules.labels.marks);
  const auto calendar = TRY(resources::Calendar::of(clinic.time_zone));
  std::string sql = "SELECT d.entry_uuid, d.unique_id, d.status, d.metadata, p.mrn, p.id, d.labels, ";
  sql.append(marks.empty() ? "''" : "d.codes").append(", ").append(patients::choice_columns);
  sql.append(
      " FROM documents d JOIN patients p ON p.id = d.patient JOIN clinics c ON c.id = p.clinic"
      " LEFT JOIN purpose_choices w ON w.id = p.choice WHERE c.id = :p1 AND d.clinic = :p1 AND ");
  sql.append(where).append(" ORDER BY d.creation_time DESC, d.entry_uuid").append(limit(rows_max));
  const auto letters = std::string(entry_letters) + std::string(patients::choice_letters);
  const auto rows = TRY(session.select(sql, letters, parameters, rows_max));
  std::vector<Held<DocumentEntry>> held;
  held.reserve(rows.size());
  patients::ConsentReader consents(session);
  for (const auto& row : rows) {
    auto entry = TRY(read_entry(row, clinic));
    auto id = entry.entry_uuid;
    auto patient = entry.patient;
    auto known_consents = TRY(consents.of(row.text(5), patients::consent_rows(row, choice_at)));
    auto facts = labels_of(entry, row.text(6), row.text(7), marks, calendar);
    held.push_back({.resource = std::move(entry), .id = std::move(id),
                    .choice = patients::read_choice(row, choice_at), .subject = row.text(5),
                    .patient_ids = {std::move(patient)}, .consents = std::move(known_consents),
                    .document = std::move(facts)});
  }
  return held;
}

Result<std::vector<Held<DocumentEntry>>> select_entries_by(store::Session& session, const policy::Clinic& clinic,
                                                           std::string_view column,
                                                           const std::vector<std::string>& ids) {
  std::vector<Held<DocumentEntry>> found;
  TRY(for_ids(clinic, ids, [&](const std::vector<Value>& parameters) -> Result<void> {
    for (auto& one : TRY(select_entries(session, clinic, std::string(column) + one_of_ids(), parameters)))
      found.push_back(std::move(one));
    return {};
  }));
  return found;
}

Result<std::vector<SubmissionSet>> select_sets(store::Session& session, const policy::Clinic& clinic,
                                               const std::string& patient, std::size_t rows_max) {
  const auto rows = TRY(session.select(
      "SELECT s.entry_uuid, s.unique_id, s.status, s.metadata, p.mrn, s.entered_at FROM submission_sets s"
      " JOIN patients p ON p.id = s.patient WHERE s.clinic = :p1 AND s.patient = :p2"
      " ORDER BY s.entered_at DESC, s.entry_uuid" + limit(rows_max),
      "ttttti", {clinic.id, patient}, rows_max));
  std::vector<SubmissionSet> sets;
  for (const auto& row : rows) {
    auto set = row.text(3).empty() ? SubmissionSet{} : TRY(read_set_metadata(row.text(3)));
    set.entry_uuid = row.text(0);
    set.unique_id = row.text(1);
    set.status = TRY(read_status(row.text(2)));
    set.home = clinic.home.dotted();
    set.patient = {clinic.assigning_authority, row.text(4)};
    if (set.source_id.empty()) set.source_id = clinic.home.dotted();
    if (set.submission_time.empty()) set.submission_time = base::write_dtm(base::from_micros(row.integer(5)));
    sets.push_back(std::move(set));
  }
  return sets;
}

Result<std::vector<Folder>> select_folders(store::Session& session, const policy::Clinic& clinic,
                                           const std::string& patient, std::size_t rows_max) {
  const auto rows = TRY(session.select(
      "SELECT f.entry_uuid, f.unique_id, f.status, f.metadata, p.mrn, f.updated_at FROM folders f"
      " JOIN patients p ON p.id = f.patient WHERE f.clinic = :p1 AND f.patient = :p2"
      " ORDER BY f.entered_at DESC, f.entry_uuid" + limit(rows_max),
      "ttttti", {clinic.id, patient}, rows_max));
  std::vector<Folder> folders;
  for (const auto& row : rows) {
    auto folder = TRY(read_folder_metadata(row.text(3)));
    folder.entry_uuid = row.text(0);
    folder.unique_id = row.text(1);
    folder.status = TRY(read_status(row.text(2)));
    folder.home = clinic.home.dotted();
    folder.patient = {clinic.assigning_authority, row.text(4)};
    folder.last_update_time = base::write_dtm(base::from_micros(row.integer(5)));
    folders.push_back(std::move(folder));
  }
  return folders;
}

Result<std::vector<Association>> select_associations(store::Session& session, const policy::Clinic& clinic,
                                                     const std::string& patient, std::size_t rows_max, Related which) {
  std::string sql = "SELECT entry_uuid, type, source, target, set_status, entered_at FROM associations"
                    " WHERE clinic = :p1 AND patient = :p2";
  std::vector<Value> parameters{clinic.id, patient};
  if (which == Related::ButMembers) {
    sql += " AND type <> :p3";
    parameters.emplace_back(std::string(urn(xca::ebxml::AssociationType::HasMember)));
  }
  sql += " ORDER BY entered_at, entry_uuid" + limit(rows_max);
  std::vector<Association> associations;
  for (const auto& row : TRY(session.select(sql, "ttttti", parameters, rows_max))) {
    const auto type = xca::ebxml::association_type(row.text(1));
    if (!type) return fail(store::Errc::Unreadable, "associations.type");
    associations.push_back({.entry_uuid = row.text(0), .home = clinic.home.dotted(), .type = *type,
                            .source = row.text(2), .target = row.text(3), .set_status = row.text(4),
                            .entered = base::write_dtm(base::from_micros(row.integer(5)))});
  }
  return associations;
}

Result<std::vector<std::string>> owners_of(store::Session& session, const policy::Clinic& clinic,
                                           const std::vector<std::string>& uuids,
                                           const std::vector<std::string>& unique_ids) {
  std::set<std::string> owners;
  TRY(add_owners(session, clinic, {"documents", "submission_sets", "folders", "associations"}, "entry_uuid", uuids,
                 owners));
  TRY(add_owners(session, clinic, {"documents", "submission_sets", "folders"}, "unique_id", unique_ids, owners));
  return std::vector<std::string>(owners.begin(), owners.end());
}

std::string fresh_uuid() {
  base::Seed seed{};
  certs::fill_random(seed.data(), 16);
  return base::UuidStream(seed).next_urn();
}

Value Place::origin_or_null() const { return origin.empty() ? Value() : Value(origin); }

Result<void> insert(const Place& place, const DocumentEntry& entry, const std::string& content,
                    const Markings& markings) {
  TRY(note_label_rules(place.session));
  const auto labels = write_labels({.labels = markings.labels, .complete = markings.complete});
  TRY(place.session.execute("INSERT INTO documents (entry_uuid, clinic, patient, unique_id, status, content, metadata,"
                            " creation_time, entered_at, origin, labels, codes)"
                            " VALUES (:p1, :p2, :p3, :p4, 'Approved', :p5, :p6, :p7, :p8, :p9, :p10, :p11)",
                            {entry.entry_uuid, place.clinic.id, place.patient, entry.unique_id, content,
                             write_metadata(entry), entry.creation_time, base::to_micros(place.now),
                             place.origin_or_null(), labels, write_codes(markings.codes)}));
  return {};
}

Result<void> insert(const Place& place, const SubmissionSet& set) {
  TRY(place.session.execute("INSERT INTO submission_sets (clinic, entry_uuid, patient, unique_id, status, metadata,"
                            " entered_at, origin) VALUES (:p1, :p2, :p3, :p4, 'Approved', :p5, :p6, :p7)",
                            {place.clinic.id, set.entry_uuid, place.patient, set.unique_id, write_metadata(set),
                             base::to_micros(place.now), place.origin_or_null()}));
  return {};
}

Result<void> insert(const Place& place, const Folder& folder) {
  TRY(place.session.execute("INSERT INTO folders (clinic, entry_uuid, patient, unique_id, status, metadata, updated_at,"
                            " entered_at, origin) VALUES (:p1, :p2, :p3, :p4, 'Approved', :p5, :p6, :p6, :p7)",
                            {place.clinic.id, folder.entry_uuid, place.patient, folder.unique_id,
                             write_metadata(folder), base::to_micros(place.now), place.origin_or_null()}));
  return {};
}

Result<void> insert(const Place& place, const Association& association) {
  TRY(place.session.execute("INSERT INTO associations (clinic, entry_uuid, patient, type, source, target, set_status,"
                            " entered_at, origin) VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7, :p8, :p9)",
                            {place.clinic.id, association.entry_uuid, place.patient,
                             std::string(urn(association.type)), association.source, association.target,
                             association.set_status, base::to_micros(place.now), place.origin_or_null()}));
  return {};
}

Result<void> insert_own_set(const Place& place, const std::string& entry_uuid) {
  const auto uuid = fresh_uuid();
  TRY(place.session.execute("INSERT INTO submission_sets (clinic, entry_uuid, patient, unique_id, status, metadata,"
                            " entered_at, origin) VALUES (:p1, :p2, :p3, :p4, 'Approved', '', :p5, :p6)",
                            {place.clinic.id, uuid, place.patient, base::oid_of_uuid(uuid),
                             base::to_micros(place.now), place.origin_or_null()}));
  return insert(place, Association{.entry_uuid = fresh_uuid(), .home = {}, .source = uuid, .target = entry_uuid,
                                   .set_status = "Original"});
}

}  // namespace gateway::documents
