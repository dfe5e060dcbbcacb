#include "gateway/documents/shelf.hpp"

#include "gateway/documents/content.hpp"
#include "gateway/documents/labelling.hpp"
#include "gateway/documents/rows.hpp"
#include "gateway/patients/records.hpp"

#include <algorithm>
#include <set>

namespace gateway::documents {
namespace {

using policy::Held;
using store::Value;
using xca::ebxml::Association;
using xca::ebxml::AssociationType;
using xca::ebxml::Concerned;
using xca::ebxml::DocumentEntry;
using xca::ebxml::RegistryQuery;
using xca::ebxml::SubmissionSet;

/// Moves what was read of one patient into `all`. @return whether there was more than `most`
template <class T>
bool add(std::vector<T> read, std::size_t most, std::vector<T>& all) {
  const bool more = read.size() > most;
  if (more) read.erase(read.begin() + static_cast<std::ptrdiff_t>(most), read.end());
  std::ranges::move(read, std::back_inserter(all));
  return more;
}

/// Sets made here for one document say what its entry says.
void complete_own_sets(Concerned& held) {
  for (SubmissionSet& set : held.sets) {
    if (!set.content_type.code.empty()) continue;
    const auto membership = std::ranges::find_if(held.associations, [&](const Association& one) {
      return one.type == AssociationType::HasMember && one.source == set.entry_uuid;
    });
    if (membership == held.associations.end()) continue;
    const auto entry = std::ranges::find(held.entries, membership->target, &Held<DocumentEntry>::id);
    if (entry == held.entries.end()) continue;
    set.content_type = entry->resource.class_code;
    set.title = entry->resource.title;
    set.authors = entry->resource.authors;
  }
}

bool is_deprecated(const Held<DocumentEntry>& one) {
  return one.resource.status == xca::ebxml::Availability::Deprecated;
}

/// Of entries that were named by their ids: what else is held of the patients of whom one is Deprecated, for whether
/// what deprecated it is seen decides what it is said to be.
Result<void> add_rest(store::Session& session, const policy::Clinic& clinic, const ShelfLimits& limits,
                      Concerned& held) {
  std::set<std::string> patients, uuids;
  for (const auto& one : held.entries) {
    uuids.insert(one.id);
    if (is_deprecated(one)) patients.insert(one.subject);
  }
  for (const auto& patient : patients) {
    const Value parameters[] = {clinic.id, patient};
    auto entries = TRY(select_entries(session, clinic, "p.id = :p2", parameters, limits.entries + 1));
    const bool more = entries.size() > limits.entries;
    if (more) held.cut_short.insert(entries.front().resource.patient);
    for (auto& one : entries)
      if (uuids.insert(one.id).second) held.entries.push_back(std::move(one));
    add(TRY(select_associations(session, clinic, patient, limits.associations, Related::ButMembers)),
        limits.associations, held.associations);
  }
  return {};
}

void say_labels_of(Concerned& held, const policy::LabelRules& rules) {
  for (auto& one : held.entries)
    if (one.document) say_labels(one.resource, *one.document, rules);
}

/// Whose objects answer the query, which names the survivor from then on where it named a record merged into another.
Result<std::vector<std::string>> patients_concerned(store::Session& session, const policy::Clinic& clinic,
                                                    RegistryQuery& query) {
  if (query.row->names == xca::ebxml::Names::ObjectIds)
    return owners_of(session, clinic, query.uuids, query.unique_ids);
  std::vector<std::string> patients;
  if (query.patient.root != clinic.assigning_authority) return patients;
  for (const auto& row : TRY(session.select("SELECT p.id, p.mrn FROM patients r JOIN patients p"
                                            " ON p.id = COALESCE(r.survivor, r.id) AND p.clinic = r.clinic"
                                            " WHERE r.clinic = :p1 AND r.mrn = :p2",
                                            "tt", {clinic.id, query.patient.extension}))) {
    patients.push_back(row.text(0));
    query.patient.extension = row.text(1);
  }
  return patients;
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

Result<Concerned> DocumentShelf::concerned(const policy::Clinic& clinic, const RegistryQuery& query) {
  auto& session = *TRY(database_.session());
  Concerned held;
  const bool whole = query.row->reach == xca::ebxml::Reach::WholeRegistry;
  if (!whole && query.row->names == xca::ebxml::Names::ObjectIds) {
    held.entries = TRY(select_entries_by(session, clinic, "d.entry_uuid", query.uuids));
    add(TRY(select_entries_by(session, clinic, "d.unique_id", query.unique_ids)), xca::ebxml::ids_per_query_max,
        held.entries);
    TRY(add_rest(session, clinic, limits_, held));
    say_labels_of(held, clinic.rules.labels);
    xca::ebxml::narrow(query, held);
    return held;
  }
  auto asked = query;
  for (const auto& patient : TRY(patients_concerned(session, clinic, asked))) {
    const Value parameters[] = {clinic.id, patient};
    bool more = add(TRY(select_entries(session, clinic, "p.id = :p2", parameters, limits_.entries + 1)),
                    limits_.entries, held.entries);
    if (whole) {
      more |= add(TRY(select_sets(session, clinic, patient, limits_.packages + 1)), limits_.packages, held.sets);
      more |= add(TRY(select_folders(session, clinic, patient, limits_.packages + 1)), limits_.packages, held.folders);
      more |= add(TRY(select_associations(session, clinic, patient, limits_.associations + 1)), limits_.associations,
                  held.associations);
    }
    if (!whole && std::ranges::any_of(held.entries, is_deprecated)) {
      more |= add(TRY(select_associations(session, clinic, patient, limits_.associations + 1, Related::ButMembers)),
                  limits_.associations, held.associations);
    }
    if (more && !held.entries.empty()) held.cut_short.insert(held.entries.back().resource.patient);
  }
  complete_own_sets(held);
  say_labels_of(held, clinic.rules.labels);
  xca::ebxml::narrow(asked, held);
  held.patient = std::move(asked.patient);
  return held;
}

Result<std::vector<Held<DocumentEntry>>> DocumentShelf::retrievable(const policy::Clinic& clinic,
                                                                    const std::vector<std::string>& unique_ids) {
  auto* session = TRY(database_.session());
  return select_entries_by(*session, clinic, "d.content <> '' AND d.unique_id", unique_ids);
}

Result<xca::soap::StoredContent> DocumentShelf::content(const DocumentEntry& entry) {
  auto* session = TRY(database_.session());
  const auto rows =
      TRY(session->select("SELECT d.content, t.size FROM documents d LEFT JOIN contents t ON t.hash = d.content"
                          " WHERE d.entry_uuid = :p1",
                          "ti", {entry.entry_uuid}));
  if (rows.empty()) return fail(Errc::NoSuchDocument);
  const auto& hash = rows[0].text(0);
  if (hash.empty()) return fail(Errc::OnlyMetadata);
  if (rows[0].is_null(1) || rows[0].integer(1) < 0) return fail(store::Errc::Unreadable, "content is missing");
  return stored_content(hash, static_cast<std::uint64_t>(rows[0].integer(1)));
}

std::unique_ptr<net::Source> DocumentShelf::read(const xca::soap::StoredContent& content) {
  return std::make_unique<ContentReader>(database_, content, seal_);
}

Result<ImportedDocument> import_document(store::Database& database, const policy::Clinic& clinic, BytesView cda,
                                         const DocumentImport& options, Instant now) {
  const auto calendar = TRY(Calendar::of(clinic.time_zone));
  auto header = TRY(read_cda_header(cda, calendar));
  const auto patient = options.patient_id.empty()
                           ? TRY(patients::patient_meant(database, clinic, {header.person, header.patient_ids}))
                           : TRY(patients::show_patient(database, clinic, options.patient_id));
  auto entry = std::move(header.entry);
  if (options.facility_type) entry.facility_type = *options.facility_type;
  if (options.practice_setting) entry.practice_setting = *options.practice_setting;
  merge(header.markings, markings_in_metadata(entry));
  entry.entry_uuid = fresh_uuid();
  const auto hash = base::hex(certs::sha256(cda));
  auto outcome = Imported::Inserted;
  auto* session = TRY(database.session());
  TRY(session->transaction([&]() -> Result<void> {
    // The patient's row is held: a document and its parent that come at once see each other.
    TRY(session->execute("UPDATE patients SET updated_at = updated_at WHERE id = :p1", {patient.id}));
    if (const auto held = TRY(held_already(*session, clinic, entry, hash, patient.id))) {
      outcome = *held;
      TRY(raise_labels(*session, clinic, entry.unique_id, header.markings));
      return relate_document(*session, clinic, entry.unique_id, header.parents);
    }
    const Place place{.session = *session, .clinic = clinic, .patient = patient.id, .origin = patient.named_as,
                      .now = now};
    TRY(insert_content(*session, hash, cda, options.seal));
    TRY(insert(place, entry, hash, header.markings));
    TRY(relate_document(*session, clinic, entry.unique_id, header.parents));
    return insert_own_set(place, entry.entry_uuid);
  }));
  auto shown = TRY(show_document(database, clinic, entry.unique_id));
  return ImportedDocument{outcome, patient.id, std::move(shown)};
}

Result<std::vector<Held<DocumentEntry>>> list_documents(store::Database& database, const policy::Clinic& clinic,
                                                        const std::string& patient_id) {
  auto* session = TRY(database.session());
  const Value parameters[] = {clinic.id, patient_id};
  return select_entries(*session, clinic, "p.id = :p2", parameters);
}

Result<Held<DocumentEntry>> held_document(store::Database& database, const policy::Clinic& clinic,
                                          std::string_view id) {
  auto* session = TRY(database.session());
  const Value parameters[] = {clinic.id, xca::ebxml::mended_uuid(id), std::string(id)};
  auto held = TRY(select_entries(*session, clinic, "(d.entry_uuid = :p2 OR d.unique_id = :p3)", parameters));
  if (held.empty()) return fail(Errc::NoSuchDocument);
  return std::move(held.front());
}

Result<DocumentEntry> show_document(store::Database& database, const policy::Clinic& clinic, std::string_view id) {
  return TRY(held_document(database, clinic, id)).resource;
}

}  // namespace gateway::documents
