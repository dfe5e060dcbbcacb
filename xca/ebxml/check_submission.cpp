#include "xca/ebxml/registry.hpp"

#include <algorithm>
#include <set>

// What must hold of a submission by itself. [ITI TF-2 §3.42.4.1; TF-3 §4.3.1; facts/query-exchange §3.7, §7.1]

namespace xca::ebxml {
namespace {

using base::fail;

/// What an object must say, by the name IHE gives it.
template <class T>
struct Demand {
  std::string_view name;
  bool (*met)(const T&);
};

bool stable(const DocumentEntry& entry) { return entry.type == EntryType::Stable; }

constexpr Demand<DocumentEntry> of_entries[] = {
    {"uniqueId", [](const DocumentEntry& e) { return !e.unique_id.empty(); }},
    {"patientId", [](const DocumentEntry& e) { return !e.patient.extension.empty(); }},
    {"mimeType", [](const DocumentEntry& e) { return !e.mime_type.empty(); }},
    {"classCode", [](const DocumentEntry& e) { return !e.class_code.code.empty(); }},
    {"typeCode", [](const DocumentEntry& e) { return !e.type_code.code.empty(); }},
    {"formatCode", [](const DocumentEntry& e) { return !e.format_code.code.empty(); }},
    {"healthcareFacilityTypeCode", [](const DocumentEntry& e) { return !e.facility_type.code.empty(); }},
    {"practiceSettingCode", [](const DocumentEntry& e) { return !e.practice_setting.code.empty(); }},
    {"confidentialityCode", [](const DocumentEntry& e) { return !e.confidentiality_codes.empty(); }},
    {"languageCode", [](const DocumentEntry& e) { return !e.language.empty(); }},
    {"sourcePatientId", [](const DocumentEntry& e) { return !e.source_patient.extension.empty(); }},
    {"creationTime", [](const DocumentEntry& e) { return !stable(e) || !e.creation_time.empty(); }},
    {"hash", [](const DocumentEntry& e) { return !stable(e) || !e.hash_sha1.empty(); }},
    {"size", [](const DocumentEntry& e) { return !stable(e) || e.size.has_value(); }},
};
constexpr Demand<SubmissionSet> of_sets[] = {
    {"uniqueId", [](const SubmissionSet& s) { return !s.unique_id.empty(); }},
    {"patientId", [](const SubmissionSet& s) { return !s.patient.extension.empty(); }},
    {"sourceId", [](const SubmissionSet& s) { return !s.source_id.empty(); }},
    {"submissionTime", [](const SubmissionSet& s) { return !s.submission_time.empty(); }},
    {"contentTypeCode", [](const SubmissionSet& s) { return !s.content_type.code.empty(); }},
};
constexpr Demand<Folder> of_folders[] = {
    {"uniqueId", [](const Folder& f) { return !f.unique_id.empty(); }},
    {"patientId", [](const Folder& f) { return !f.patient.extension.empty(); }},
    {"codeList", [](const Folder& f) { return !f.codes.empty(); }},
};

template <class T, std::size_t N>
Result<void> meets(const T& object, const Demand<T> (&demands)[N]) {
  if (object.limited) return fail(Errc::BadSubmission, object.entry_uuid + " is declared as limited metadata");
  for (const Demand<T>& demand : demands) {
    if (!demand.met(object)) return fail(Errc::BadSubmission, object.entry_uuid + " lacks " + std::string(demand.name));
  }
  return {};
}

bool replaces(AssociationType type) {
  return type == AssociationType::Replace || type == AssociationType::TransformAndReplace;
}

Result<void> check_associations(const RegistryObjects& submission, const std::set<std::string>& submitted) {
  const SubmissionSet& set = submission.sets.front();
  std::set<std::string> members, entries;
  for (const DocumentEntry& entry : submission.entries) entries.insert(entry.entry_uuid);
  for (const Association& one : submission.associations) {
    const bool member = one.type == AssociationType::HasMember;
    if (one.source == one.target) return fail(Errc::BadSubmission, one.entry_uuid + " relates an object to itself");
    if (member && one.source == set.entry_uuid) members.insert(one.target);
    if (!member && !entries.contains(one.source))
      return fail(Errc::BadSubmission, one.entry_uuid + " relates a document that is not in the submission");
    if (replaces(one.type) && submitted.contains(one.target))
      return fail(Errc::BadSubmission, one.entry_uuid + " replaces what is submitted with it");
  }
  const auto demand_member = [&](const std::string& id) -> Result<void> {
    if (members.contains(id)) return {};
    return fail(Errc::BadSubmission, "the submission set has no HasMember association to " + id);
  };
  for (const DocumentEntry& entry : submission.entries) TRY(demand_member(entry.entry_uuid));
  for (const Folder& folder : submission.folders) TRY(demand_member(folder.entry_uuid));
  return {};
}

}  // namespace

Result<void> check_submission(const RegistryObjects& submission) {
  if (submission.sets.size() != 1)
    return fail(Errc::BadSubmission, std::to_string(submission.sets.size()) + " submission sets where one must be");
  std::set<std::string> ids, unique_ids;
  std::set<base::Identifier> patients;
  const auto add = [&](const auto& object) -> Result<void> {
    if (!ids.insert(object.entry_uuid).second) return fail(Errc::BadSubmission, object.entry_uuid + " stands twice");
    if (!unique_ids.insert(object.unique_id).second)
      return fail(Errc::BadSubmission, "the uniqueId of " + object.entry_uuid + " stands twice");
    patients.insert(object.patient);
    return {};
  };
  for (const DocumentEntry& entry : submission.entries) {
    TRY(meets(entry, of_entries));
    TRY(add(entry));
  }
  for (const SubmissionSet& set : submission.sets) {
    TRY(meets(set, of_sets));
    TRY(add(set));
  }
  for (const Folder& folder : submission.folders) {
    TRY(meets(folder, of_folders));
    TRY(add(folder));
  }
  for (const Association& association : submission.associations) {
    if (!ids.insert(association.entry_uuid).second)
      return fail(Errc::BadSubmission, association.entry_uuid + " stands twice");
  }
  if (patients.size() != 1) return fail(Errc::SeveralPatients);
  return check_associations(submission, ids);
}

}  // namespace xca::ebxml
