// Stored queries with their answers from a small registry, requests for documents, and submitted metadata.

#include "fuzz/samples.hpp"
#include "fuzz/target.hpp"
#include "xca/ebxml/queries.hpp"
#include "xca/ebxml/repository.hpp"
#include "xca/schema.hpp"

namespace fuzz {
namespace {

using namespace xca::ebxml;

constexpr std::string_view home = "2.999.7";

std::string uuid(char last) { return std::string("urn:uuid:5b4f80c3-a627-4fdb-8354-c0bfa192837") + last; }

RegistryObjects small_registry() {
  DocumentEntry entry;
  entry.entry_uuid = uuid('1');
  entry.unique_id = "1.2.3";
  entry.repository_id = "2.999.7.5";
  entry.home = home;
  entry.patient = {"1.2.3", "P1"};
  entry.mime_type = "text/xml";
  entry.creation_time = "20260115093000";
  entry.class_code = entry.type_code = {"34133-9", "2.16.840.1.113883.6.1", "Summary"};
  entry.confidentiality_codes = {{"N", "c", ""}, {"X", "c", ""}};
  entry.event_codes = {{"e1", "s", "E"}};
  entry.authors = {{.person = "^Smitty^Gerald"}};
  entry.reference_ids = {"A^^^&1.2.3&ISO^urn:ihe:iti:xds:2013:order"};
  auto later = entry;
  later.entry_uuid = uuid('2');
  later.unique_id = "1.2.4";
  later.status = Availability::Deprecated;
  later.type = EntryType::OnDemand;
  SubmissionSet set;
  set.entry_uuid = uuid('3');
  set.unique_id = "1.2.5";
  set.patient = entry.patient;
  set.source_id = "1.2.6";
  set.submission_time = "20260115093000";
  set.content_type = {"c", "s", "C"};
  set.authors = entry.authors;
  Folder folder;
  folder.entry_uuid = uuid('4');
  folder.unique_id = "1.2.7";
  folder.patient = entry.patient;
  folder.last_update_time = "20260115093000";
  folder.codes = {{"f", "s", "F"}};
  const auto association = [](char id, AssociationType type, char source, char target) {
    return Association{uuid(id), std::string(home), type, uuid(source), uuid(target), "Original"};
  };
  return {{entry, later}, {set}, {folder},
          {association('5', AssociationType::HasMember, '3', '1'), association('6', AssociationType::HasMember, '4', '1'),
           association('7', AssociationType::HasMember, '3', '6'), association('8', AssociationType::Replace, '1', '2'),
           association('9', AssociationType::HasMember, '3', '4')}};
}

/// Whatever was asked or submitted, what we say is valid and in canonical form.
void hold_well_emitted(const std::string& answer) {
  const auto findings = xca::schemas().validate(answer);
  if (!findings.empty()) found("an answer that is not valid: " + findings.front().message);
  const auto document = base::xml::Document::parse(answer);
  hold(base::xml::canonicalize(document.value().root()).value() == answer, "an answer that is not canonical");
}

void answer_with(const Objects& objects, std::vector<RegistryError> errors, ReturnType type) {
  hold_well_emitted(write_query_answer({.objects = objects, .errors = std::move(errors)}, type, home));
}

void run_query(const StoredQuery& stored) {
  static const auto registry = small_registry();
  const auto all = objects_of(registry);
  const auto query = read_query(stored);
  if (const auto* error = std::get_if<RegistryError>(&query)) return answer_with({}, {*error}, ReturnType::ObjectRef);
  const auto& understood = std::get<RegistryQuery>(query);
  const auto answer = answering(understood, all);
  hold(answer.count() <= all.count(), "more objects than there are");
  const auto fewer = answering(understood, {.entries = {all.entries.front()}});
  hold(fewer.entries.size() <= answer.entries.size(), "fewer objects give more");
  answer_with(answer, {}, understood.return_type);
}

void run_retrieve(const std::vector<DocumentRequest>& requests) {
  constexpr std::size_t shown = 8;
  std::vector<RetrievedDocument> documents;
  std::vector<RegistryError> errors;
  for (const auto& request : requests) {
    if (documents.size() + errors.size() == shown) break;
    if (documents.size() <= errors.size())
      documents.push_back({request, "text/plain", "bytes"});
    else
      errors.push_back(document_error(RegistryErrorCode::DocumentUniqueIdError, request));
  }
  for (const auto encoding : {xca::soap::Encoding::Simple, xca::soap::Encoding::Mtom}) {
    base::UuidStream ids{base::Seed{}};
    hold_well_emitted(write_retrieve_answer(documents, errors, home, encoding, ids).payload);
  }
}

/// A registry gives UUIDs to what came with symbols, and knows both ends of every association.
bool is_registered(const RegistryObjects& objects) {
  const auto has_uuid = [](const auto& object) { return is_entry_uuid(object.entry_uuid); };
  return std::ranges::all_of(objects.entries, has_uuid) && std::ranges::all_of(objects.sets, has_uuid) &&
         std::ranges::all_of(objects.folders, has_uuid) && std::ranges::all_of(objects.associations, [&](const auto& one) {
           return has_uuid(one) && is_entry_uuid(one.source) && is_entry_uuid(one.target);
         });
}

void run_submission(const base::xml::Element& list) {
  const auto objects = read_objects(list);
  if (!objects) return;
  const bool whole = check_submission(*objects).has_value();
  hold(!whole || objects->sets.size() == 1, "a submission of no set or several");
  for (const auto& association : objects->associations) hold(!urn(association.type).empty(), "a type without a name");
  if (!is_registered(*objects)) return;
  answer_with(objects_of(*objects), {}, ReturnType::LeafClass);
  answer_with(objects_of(*objects), {}, ReturnType::ObjectRef);
}

std::string adhoc_query(std::string_view id, const std::string& slots) {
  return R"(<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" )"
         R"(xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><q:ResponseOption returnComposedObjects="true" )"
         R"(returnType="LeafClass"/><r:AdhocQuery home="urn:oid:2.999.7" id="urn:uuid:)" +
         std::string(id) + "\">" + slots + "</r:AdhocQuery></q:AdhocQueryRequest>";
}

/// A value that a parameter may have; of ids one or several, as it takes them.
std::string example(const Parameter& parameter) {
  const auto has = [&](std::string_view part) { return parameter.name.find(part) != std::string_view::npos; };
  const auto listed = [&](const std::string& of_entry, const std::string& of_set, const std::string& of_folder) {
    if (parameter.values == Values::Many) return "('" + of_entry + "','" + of_set + "','" + of_folder + "')";
    return "'" + (has("Set") ? of_set : has("Folder") ? of_folder : of_entry) + "'";
  };
  if (has("atientId")) return "'P1^^^&amp;1.2.3&amp;ISO'";
  if (has("Status")) return "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved','Deprecated')";
  if (has("EntryUUID") || has("uuid")) return listed(uuid('1'), uuid('3'), uuid('4'));
  if (has("UniqueId")) return listed("1.2.3", "1.2.5", "1.2.7");
  if (has("TimeFrom")) return "2025";
  if (has("TimeTo")) return "20270101";
  if (has("Author")) return "('%Smitty_Ger%','x')";
  if (has("AssociationTypes")) return "('urn:ihe:iti:2007:AssociationType:RPLC','HasMember')";
  if (has("EntryType")) return "('urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248','7edca82f-054d-47f2-a032-9b2a5b5186c1')";
  if (has("SourceId")) return "('1.2.6')";
  if (has("ReferenceIdList")) return "('A^^^&amp;1.2.3&amp;ISO^urn:ihe:iti:xds:2013:order')";
  return "('34133-9^^2.16.840.1.113883.6.1','N^^c','f^^s','c^^s')";
}

std::string slot(const Parameter& parameter) {
  return "<r:Slot name=\"" + std::string(parameter.name) + "\"><r:ValueList><r:Value>" + example(parameter) +
         "</r:Value></r:ValueList></r:Slot>";
}

}  // namespace

const Form form = Form::Xml;

std::vector<std::string_view> words() {
  static const std::vector<std::string> ids{uuid('1'), uuid('2'), uuid('3'), uuid('4'), uuid('5'), uuid('6')};
  std::vector<std::string_view> found(ids.begin(), ids.end());
  for (const auto& row : stored_queries()) {
    found.push_back(row.id);
    for (const auto& parameter : row.parameters) found.push_back(parameter.name);
  }
  for (const char* value : {"LeafClass", "ObjectRef", "LeafClassWithRepositoryItem", "'1.2.3'", "('1.2.3','1.2.4')",
                            "('34133-9^^2.16.840.1.113883.6.1')", "('e1^^s')", "('N^^c')", "20260115093000",
                            "2026011509", "'2026'", "('^Smitty^Gerald')", "('%')", "('Approved')",
                            "P1^^^&amp;1.2.3&amp;ISO", "urn:ihe:iti:2007:AssociationType:RPLC",
                            "urn:ihe:iti:2007:AssociationType:XFRM_RPLC",
                            "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember", "Original", "Reference"})
    found.emplace_back(value);
  return found;
}

void run(std::string_view input) {
  const auto document = base::xml::Document::parse(input);
  if (!document) return;
  const auto root = document->root();
  if (const auto stored = read_stored_query(root)) run_query(*stored);
  if (const auto requests = read_retrieve(root)) run_retrieve(*requests);
  if (root.local_name() == "RegistryObjectList") run_submission(root);
}

std::vector<std::string> seeds() {
  auto found = sample_elements({"AdhocQueryRequest", "RetrieveDocumentSetRequest", "RegistryObjectList"});
  for (const auto& row : stored_queries()) {
    // Of parameters marked OneOf, a query has exactly one.
    std::string demanded, one_of, all;
    for (const auto& parameter : row.parameters) {
      if (parameter.needed == Needed::Yes) demanded += slot(parameter);
      if (parameter.needed == Needed::OneOf && one_of.empty()) one_of = slot(parameter);
      if (parameter.needed == Needed::No) all += slot(parameter);
    }
    found.push_back(adhoc_query(row.id, demanded + one_of + all));
    for (const auto& parameter : row.parameters)
      found.push_back(adhoc_query(row.id, parameter.needed == Needed::OneOf
                                              ? demanded + slot(parameter)
                                              : demanded + one_of + slot(parameter)));
    found.push_back(adhoc_query(row.id, demanded + one_of));
  }
  found.emplace_back(
      R"(<x:RetrieveDocumentSetRequest xmlns:x="urn:ihe:iti:xds-b:2007"><x:DocumentRequest><x:HomeCommunityId>urn:oid:2.999.7</x:HomeCommunityId><x:RepositoryUniqueId>2.999.7.5</x:RepositoryUniqueId><x:DocumentUniqueId>1.2^3</x:DocumentUniqueId></x:DocumentRequest><x:DocumentRequest><x:RepositoryUniqueId>2.999.7.5</x:RepositoryUniqueId><x:DocumentUniqueId>1.2.4</x:DocumentUniqueId></x:DocumentRequest></x:RetrieveDocumentSetRequest>)");
  return found;
}

}  // namespace fuzz
