#include "xca/ebxml/queries.hpp"

#include "xca/ebxml/evaluators.hpp"
#include "xca/ebxml/parameters.hpp"

#include <algorithm>
#include <array>

namespace xca::ebxml {
namespace {

using namespace parameters;
using enum Needed;
using enum Values;

constexpr auto entries = &RegistryQuery::entries;
constexpr auto sets = &RegistryQuery::sets;
constexpr auto folders = &RegistryQuery::folders;
constexpr auto from = &TimeRange::from;
constexpr auto to = &TimeRange::to;

template <std::size_t M, std::size_t N>
constexpr std::array<Parameter, M + N> joined(const Parameter (&first)[M], const Parameter (&then)[N]) {
  std::array<Parameter, M + N> all{};
  std::copy(first, first + M, all.begin());
  std::copy(then, then + N, all.begin() + M);
  return all;
}

// ---- parameters, each with how it is read and where it goes; in the order in which errors are found

constexpr Parameter entry_patient{"$XDSDocumentEntryPatientId", Yes, One, patient};
constexpr Parameter entry_status{"$XDSDocumentEntryStatus", Yes, Many, put<status, entries, &EntryFilter::status>};
constexpr Parameter entry_formats{"$XDSDocumentEntryFormatCode", No, Many, put<codes, entries, &EntryFilter::formats>};
constexpr Parameter entry_confidentiality{"$XDSDocumentEntryConfidentialityCode", No, Many,
                                          put<code_lists, entries, &EntryFilter::confidentiality_codes>};
constexpr Parameter entry_type{"$XDSDocumentEntryType", No, Many, put<entry_types, entries, &EntryFilter::types>};
constexpr Parameter entry_uuids{"$XDSDocumentEntryEntryUUID", OneOf, Many, uuids};
constexpr Parameter entry_unique_ids{"$XDSDocumentEntryUniqueId", OneOf, Many, unique_ids};
constexpr Parameter entry_uuid{"$XDSDocumentEntryEntryUUID", OneOf, One, uuids};
constexpr Parameter entry_unique_id{"$XDSDocumentEntryUniqueId", OneOf, One, unique_ids};
constexpr Parameter set_status{"$XDSSubmissionSetStatus", Yes, Many, put<status, sets, &SetFilter::status>};
constexpr Parameter folder_status{"$XDSFolderStatus", Yes, Many, put<status, folders, &FolderFilter::status>};
constexpr Parameter any_uuids{"$uuid", Yes, Many, uuids};

constexpr Parameter entry_filters[] = {
    {"$XDSDocumentEntryCreationTimeFrom", No, One, put_bound<entries, &EntryFilter::creation, from>},
    {"$XDSDocumentEntryCreationTimeTo", No, One, put_bound<entries, &EntryFilter::creation, to>},
    {"$XDSDocumentEntryServiceStartTimeFrom", No, One, put_bound<entries, &EntryFilter::service_start, from>},
    {"$XDSDocumentEntryServiceStartTimeTo", No, One, put_bound<entries, &EntryFilter::service_start, to>},
    {"$XDSDocumentEntryServiceStopTimeFrom", No, One, put_bound<entries, &EntryFilter::service_stop, from>},
    {"$XDSDocumentEntryServiceStopTimeTo", No, One, put_bound<entries, &EntryFilter::service_stop, to>},
    {"$XDSDocumentEntryClassCode", No, Many, put<codes, entries, &EntryFilter::class_codes>},
    {"$XDSDocumentEntryTypeCode", No, Many, put<codes, entries, &EntryFilter::type_codes>},
    {"$XDSDocumentEntryPracticeSettingCode", No, Many, put<codes, entries, &EntryFilter::practice_settings>},
    {"$XDSDocumentEntryHealthcareFacilityTypeCode", No, Many, put<codes, entries, &EntryFilter::facility_types>},
    {"$XDSDocumentEntryEventCodeList", No, Many, put<code_lists, entries, &EntryFilter::event_codes>},
    {"$XDSDocumentEntryAuthorPerson", No, Many, put<patterns, entries, &EntryFilter::author_persons>},
    entry_formats,
    entry_confidentiality,
    entry_type,
};
constexpr Parameter of_a_patient[] = {entry_patient, entry_status};
constexpr Parameter of_a_patient_by_reference[] = {
    entry_patient,
    {"$XDSDocumentEntryReferenceIdList", Yes, Many, put<text_lists, entries, &EntryFilter::reference_ids>},
    entry_status};
constexpr auto find_documents = joined(of_a_patient, entry_filters);
constexpr auto find_documents_by_reference_id = joined(of_a_patient_by_reference, entry_filters);

constexpr Parameter find_submission_sets[] = {
    {"$XDSSubmissionSetPatientId", Yes, One, patient},
    set_status,
    {"$XDSSubmissionSetSourceId", No, Many, put<texts, sets, &SetFilter::source_ids>},
    {"$XDSSubmissionSetSubmissionTimeFrom", No, One, put_bound<sets, &SetFilter::submission, from>},
    {"$XDSSubmissionSetSubmissionTimeTo", No, One, put_bound<sets, &SetFilter::submission, to>},
    {"$XDSSubmissionSetAuthorPerson", No, Many, put<patterns, sets, &SetFilter::author_persons>},
    {"$XDSSubmissionSetContentType", No, Many, put<codes, sets, &SetFilter::content_types>},
};
constexpr Parameter find_folders[] = {
    {"$XDSFolderPatientId", Yes, One, patient},
    folder_status,
    {"$XDSFolderLastUpdateTimeFrom", No, One, put_bound<folders, &FolderFilter::last_update, from>},
    {"$XDSFolderLastUpdateTimeTo", No, One, put_bound<folders, &FolderFilter::last_update, to>},
    {"$XDSFolderCodeList", No, Many, put<code_lists, folders, &FolderFilter::codes>},
};
constexpr Parameter get_all[] = {
    {"$patientId", Yes, One, patient}, entry_status, set_status, folder_status, entry_formats, entry_confidentiality,
    entry_type,
};
constexpr Parameter get_documents[] = {entry_uuids, entry_unique_ids};
constexpr Parameter get_folders[] = {
    {"$XDSFolderEntryUUID", OneOf, Many, uuids},
    {"$XDSFolderUniqueId", OneOf, Many, unique_ids},
};
constexpr Parameter get_by_uuid[] = {any_uuids};
constexpr Parameter get_submission_set_and_contents[] = {
    {"$XDSSubmissionSetEntryUUID", OneOf, One, uuids},
    {"$XDSSubmissionSetUniqueId", OneOf, One, unique_ids},
    entry_formats,
    entry_confidentiality,
    entry_type,
};
constexpr Parameter get_folder_and_contents[] = {
    {"$XDSFolderEntryUUID", OneOf, One, uuids},
    {"$XDSFolderUniqueId", OneOf, One, unique_ids},
    entry_formats,
    entry_confidentiality,
    entry_type,
};
constexpr Parameter get_folders_for_document[] = {entry_uuid, entry_unique_id};
constexpr Parameter get_related_documents[] = {
    entry_uuid, entry_unique_id, {"$AssociationTypes", Yes, Many, association_types}, entry_type};

// ---- the queries

using enum Names;
using enum Reach;

constexpr StoredQueryRow rows[] = {
    {"14d4debf-8f97-4251-9a74-a90016b0af0d", "FindDocuments", Patient, Entries, find_documents,
     evaluators::find_documents},
    {"12941a89-e02e-4be5-967c-ce4bfc8fe492", "FindDocumentsByReferenceId", Patient, Entries,
     find_documents_by_reference_id, evaluators::find_documents},
    {"f26abbcb-ac74-4422-8a30-edb644bbc1a9", "FindSubmissionSets", Patient, WholeRegistry, find_submission_sets,
     evaluators::find_submission_sets},
    {"958f3006-baad-4929-a4de-ff1114824431", "FindFolders", Patient, WholeRegistry, find_folders,
     evaluators::find_folders},
    {"10b545ea-725c-446d-9b95-8aeb444eddf3", "GetAll", Patient, WholeRegistry, get_all, evaluators::get_all},
    {"5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4", "GetDocuments", ObjectIds, Entries, get_documents,
     evaluators::get_documents},
    {"5737b14c-8a1a-4539-b659-e03a34a5e1e4", "GetFolders", ObjectIds, WholeRegistry, get_folders,
     evaluators::get_folders},
    {"a7ae438b-4bc2-4642-93e9-be891f7bb155", "GetAssociations", ObjectIds, WholeRegistry, get_by_uuid,
     evaluators::get_associations},
    {"bab9529a-4a10-40b3-a01f-f68a615d247a", "GetDocumentsAndAssociations", ObjectIds, WholeRegistry, get_documents,
     evaluators::get_documents_and_associations},
    {"51224314-5390-4169-9b91-b1980040715a", "GetSubmissionSets", ObjectIds, WholeRegistry, get_by_uuid,
     evaluators::get_submission_sets},
    {"e8e3cb2c-e39c-46b9-99e4-c12f57260b83", "GetSubmissionSetAndContents", ObjectIds, WholeRegistry,
     get_submission_set_and_contents, evaluators::get_submission_set_and_contents},
    {"b909a503-523d-4517-8acf-8e5834dfc4c7", "GetFolderAndContents", ObjectIds, WholeRegistry, get_folder_and_contents,
     evaluators::get_folder_and_contents},
    {"10cae35a-c7f9-4cf5-b61e-fc3278ffb578", "GetFoldersForDocument", ObjectIds, WholeRegistry,
     get_folders_for_document, evaluators::get_folders_for_document},
    {"d90e5407-b356-4d91-a89f-873917b4b0e6", "GetRelatedDocuments", ObjectIds, WholeRegistry, get_related_documents,
     evaluators::get_related_documents},
};

// ---- reading one

std::size_t values_given(const StoredQuery& query, std::string_view parameter) {
  std::size_t count = 0;
  if (const auto found = query.parameters.find(parameter); found != query.parameters.end())
    for (const auto& slot : found->second) count += slot.size();
  return count;
}

/// Exactly one of the parameters so marked.
Read<void> check_one_of(const StoredQuery& query, std::span<const Parameter> all) {
  std::string_view first;
  std::size_t given = 0;
  for (const Parameter& parameter : all) {
    if (parameter.needed != OneOf) continue;
    if (first.empty()) first = parameter.name;
    given += values_given(query, parameter.name) > 0 ? 1 : 0;
  }
  if (given > 1) return RegistryError{RegistryErrorCode::StoredQueryParamNumber, std::string(first)};
  if (given < 1 && !first.empty()) return RegistryError{RegistryErrorCode::StoredQueryMissingParam, std::string(first)};
  return {};
}

Read<void> read_parameters(const StoredQuery& query, std::span<const Parameter> all, RegistryQuery& into) {
  TRY(check_one_of(query, all));
  for (const Parameter& parameter : all) {
    const std::size_t given = values_given(query, parameter.name);
    if (given == 0 && parameter.needed == Yes)
      return RegistryError{RegistryErrorCode::StoredQueryMissingParam, std::string(parameter.name)};
    if (given > 1 && parameter.values == One)
      return RegistryError{RegistryErrorCode::StoredQueryParamNumber, std::string(parameter.name)};
    if (given > 0) TRY(parameter.read(query, parameter, into));
  }
  return {};
}

Read<RegistryQuery> read(const StoredQuery& query) {
  const auto row = std::ranges::find(rows, query.id, &StoredQueryRow::id);
  if (row == std::end(rows))
    return RegistryError{RegistryErrorCode::UnknownStoredQuery, "This stored query is not supported."};
  if (query.return_type != "LeafClass" && query.return_type != "ObjectRef")
    return RegistryError{RegistryErrorCode::RegistryError, "returnType must be LeafClass or ObjectRef."};
  if (row->names == ObjectIds && query.home.empty())
    return RegistryError{RegistryErrorCode::MissingHomeCommunityId, "The query must name a home community."};
  RegistryQuery understood;
  understood.row = &*row;
  understood.return_type = query.return_type == "LeafClass" ? ReturnType::LeafClass : ReturnType::ObjectRef;
  understood.home = query.home;
  TRY(read_parameters(query, row->parameters, understood));
  return understood;
}

}  // namespace

std::span<const StoredQueryRow> stored_queries() { return rows; }

std::variant<RegistryQuery, RegistryError> read_query(const StoredQuery& query) {
  auto understood = read(query);
  if (!understood) return std::move(understood).error();
  return std::move(*understood);
}

Objects answering(const RegistryQuery& query, const Objects& among) {
  Marks marks;
  query.row->evaluate(query, RegistryIndex(among), marks);
  return marked(among, marks);
}

}  // namespace xca::ebxml
