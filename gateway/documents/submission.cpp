#include "gateway/documents/submission.hpp"

#include "gateway/documents/labelling.hpp"
#include "gateway/documents/metadata.hpp"
#include "gateway/documents/rows.hpp"
#include "gateway/patients/records.hpp"
#include "xca/ebxml/registry.hpp"

#include <algorithm>
#include <map>

namespace gateway::documents {
namespace {

namespace ns = xca::soap::ns;
using base::xml::Document;
using base::xml::Element;
using store::Value;
using xca::ebxml::Association;
using xca::ebxml::AssociationType;
using xca::ebxml::DocumentEntry;
using xca::ebxml::RegistryObjects;

constexpr std::size_t file_octets_max = 32u << 20;

Result<Document> parse(BytesView file) { return Document::parse(file, {.bytes = file_octets_max}); }

std::optional<Element> object_list(const Element& root) {
  if (root.is(ns::rim, "RegistryObjectList")) return root;
  if (root.is(ns::lcm, "SubmitObjectsRequest")) return root.first_child(ns::rim, "RegistryObjectList");
  return std::nullopt;
}

/// Gives every object that has only a symbol a UUID, and associations the UUIDs of their ends.
void allocate_uuids(RegistryObjects& objects) {
  std::map<std::string, std::string> allocated;
  const auto allocate = [&](auto& list) {
    for (auto& one : list) {
      if (xca::ebxml::is_entry_uuid(one.entry_uuid)) continue;
      auto uuid = fresh_uuid();
      allocated.emplace(one.entry_uuid, uuid);
      one.entry_uuid = std::move(uuid);
    }
  };
  allocate(objects.entries);
  allocate(objects.sets);
  allocate(objects.folders);
  allocate(objects.associations);
  for (Association& one : objects.associations) {
    for (std::string* end : {&one.source, &one.target})
      if (const auto found = allocated.find(*end); found != allocated.end()) *end = found->second;
  }
}

Markings markings_of(const DocumentEntry& entry) {
  Markings markings;
  merge(markings, markings_in_metadata(entry));
  return markings;
}

/// One submission on its way into the store.
class Submission {
 public:
  Submission(const Place& place, const RegistryObjects& objects) : place_(place), objects_(objects) {
    const auto add = [&](const auto& list) {
      for (const auto& one : list) submitted_.insert(one.entry_uuid);
    };
    add(objects.entries);
    add(objects.sets);
    add(objects.folders);
    add(objects.associations);
  }

  Result<bool> is_held_already() {
    const auto& set = objects_.sets.front();
    const auto held = TRY(metadata_of("submission_sets", set.unique_id));
    if (!held) return false;
    if (*held != write_metadata(set)) return fail(Errc::UniqueIdTaken, set.unique_id);
    for (const DocumentEntry& entry : objects_.entries) {
      const auto known = TRY(metadata_of("documents", entry.unique_id));
      if (!known || *known != write_metadata(entry)) return fail(Errc::UniqueIdTaken, entry.unique_id);
      TRY(raise_labels(place_.session, place_.clinic, entry.unique_id, markings_of(entry)));
    }
    return true;
  }

  Result<void> store() {
    TRY(check_free());
    for (const Association& one : objects_.associations) TRY(check_ends(one));
    for (const auto& one : objects_.entries) TRY(insert(place_, one, {}, markings_of(one)));
    for (const auto& one : objects_.sets) TRY(insert(place_, one));
    for (const auto& one : objects_.folders) TRY(insert(place_, one));
    for (const auto& one : objects_.associations) {
      TRY(insert(place_, one));
      TRY(take_effect(one));
    }
    return hand_down_labels();
  }

 private:
  /// A new version is as sensitive as what it replaces, whatever it says of itself. [threats C08]
  Result<void> hand_down_labels() {
    std::set<std::string> from;
    for (const DocumentEntry& one : objects_.entries) from.insert(one.entry_uuid);
    for (const Association& one : objects_.associations)
      if (inherits_labels(one.type)) from.insert(one.target);
    for (const auto& uuid : from) TRY(documents::hand_down_labels(place_.session, place_.clinic.id, uuid));
    return {};
  }

  Result<std::optional<std::string>> metadata_of(std::string_view table, const std::string& unique_id) {
    std::string sql = "SELECT metadata FROM ";
    sql.append(table).append(" WHERE clinic = :p1 AND unique_id = :p2");
    const auto rows = TRY(place_.session.select(sql, "t", {place_.clinic.id, unique_id}));
    if (rows.empty()) return std::optional<std::string>();
    return std::optional(rows[0].text(0));
  }

  /// Ids are given once. Entry UUIDs of documents are so over all clinics of this gateway.
  Result<void> check_free() {
    for (const std::string& uuid : submitted_) {
      const auto rows = TRY(place_.session.select("SELECT 1 FROM documents WHERE entry_uuid = :p1", "i", {uuid}));
      const auto owners = TRY(owners_of(place_.session, place_.clinic, {uuid}, {}));
      if (!rows.empty() || !owners.empty()) return fail(Errc::UuidTaken, uuid);
    }
    const auto free = [&](std::string_view table, const std::string& unique_id) -> Result<void> {
      if (TRY(metadata_of(table, unique_id))) return fail(Errc::UniqueIdTaken, unique_id);
      return {};
    };
    for (const auto& one : objects_.entries) TRY(free("documents", one.unique_id));
    for (const auto& one : objects_.folders) TRY(free("folders", one.unique_id));
    return {};
  }

  Result<void> check_ends(const Association& association) {
    for (const std::string& end : {association.source, association.target}) {
      if (submitted_.contains(end)) continue;
      const auto owners = TRY(owners_of(place_.session, place_.clinic, {end}, {}));
      if (owners.empty()) return fail(Errc::UnknownReference, end);
      if (owners.front() != place_.patient) return fail(Errc::OtherPatientsReference, end);
    }
    if (association.type == AssociationType::HasMember || submitted_.contains(association.target)) return {};
    const auto rows = TRY(place_.session.select("SELECT status FROM documents WHERE clinic = :p1 AND entry_uuid = :p2",
                                                "t", {place_.clinic.id, association.target}));
    if (rows.empty()) return fail(Errc::UnknownReference, association.target + " is no document");
    if (rows[0].text(0) != "Approved") return fail(Errc::DeprecatedReference, association.target);
    return {};
  }

  /// What an association changes of what was held before.
  Result<void> take_effect(const Association& association) {
    switch (association.type) {
      case AssociationType::Replace:
      case AssociationType::TransformAndReplace: return deprecate(association.target);
      case AssociationType::HasMember:
        TRY(place_.session.execute("UPDATE folders SET updated_at = :p1 WHERE clinic = :p2 AND entry_uuid = :p3",
                                   {base::to_micros(place_.now), place_.clinic.id, association.source}));
        return {};
      default: return {};
    }
  }

  /// What was appended to, or transformed from, a document that is replaced goes with it. [ITI TF-2 §3.42.4.1.3]
  Result<void> deprecate(const std::string& replaced) {
    std::vector<std::string> waiting{replaced};
    while (!waiting.empty()) {
      const std::string uuid = std::move(waiting.back());
      waiting.pop_back();
      const auto changed = TRY(place_.session.execute(
          "UPDATE documents SET status = 'Deprecated' WHERE clinic = :p1 AND entry_uuid = :p2 AND status = 'Approved'",
          {place_.clinic.id, uuid}));
      if (changed == 0) continue;
      for (const auto& row : TRY(place_.session.select(
               "SELECT source FROM associations WHERE clinic = :p1 AND target = :p2 AND type IN (:p3, :p4)", "t",
               {place_.clinic.id, uuid, std::string(urn(AssociationType::Append)),
                std::string(urn(AssociationType::Transform))})))
        waiting.push_back(row.text(0));
    }
    return {};
  }

  const Place& place_;
  const RegistryObjects& objects_;
  std::set<std::string> submitted_;
};

/// SubmissionSetStatus where the submitter left it out: its own documents are original, others' referenced.
void fill_set_status(RegistryObjects& objects) {
  const auto& set = objects.sets.front();
  for (Association& one : objects.associations) {
    if (one.type != AssociationType::HasMember || one.source != set.entry_uuid || !one.set_status.empty()) continue;
    if (std::ranges::find(objects.entries, one.target, &DocumentEntry::entry_uuid) != objects.entries.end())
      one.set_status = "Original";
  }
}

}  // namespace

bool is_submission(BytesView file) {
  const auto document = parse(file);
  return document && object_list(document->root()).has_value();
}

Result<ImportedSubmission> import_submission(store::Database& database, const policy::Clinic& clinic, BytesView file,
                                             Instant now) {
  const auto document = TRY(parse(file));
  const auto list = object_list(document.root());
  if (!list) return fail(Errc::NotACda);
  auto objects = TRY(xca::ebxml::read_objects(*list));
  TRY(xca::ebxml::check_submission(objects));
  const base::Identifier meant = objects.sets.front().patient;
  if (meant.root != clinic.assigning_authority) {
    return fail(Errc::ForeignAuthority, "it is of " + meant.root + ", the clinic issues ids of " +
                                            clinic.assigning_authority);
  }
  const auto patient = TRY(patients::show_patient(database, clinic, meant.extension));
  if (patient.mrn != meant.extension) return fail(patients::Errc::NoSuchPatient);
  allocate_uuids(objects);
  fill_set_status(objects);

  ImportedSubmission imported{.patient_id = patient.id, .set = objects.sets.front()};
  auto* session = TRY(database.session());
  TRY(session->transaction([&]() -> Result<void> {
    // The patient's row is held: what is replaced cannot be replaced by another meanwhile.
    TRY(session->execute("UPDATE patients SET updated_at = updated_at WHERE id = :p1", {patient.id}));
    const Place place{.session = *session, .clinic = clinic, .patient = patient.id, .origin = patient.named_as,
                      .now = now};
    Submission submission(place, objects);
    if (TRY(submission.is_held_already())) {
      imported.outcome = Imported::Unchanged;
      return {};
    }
    return submission.store();
  }));
  return imported;
}

}  // namespace gateway::documents
