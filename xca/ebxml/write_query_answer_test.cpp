#include "xca/check_emitted.hpp"
#include "xca/ebxml/registry.hpp"

#include <gmock/gmock.h>

namespace xca::ebxml {
namespace {

using testing::HasSubstr;
using testing::Not;

DocumentEntry full_entry(std::string uuid = "urn:uuid:5b4f80c3-a627-4fdb-8354-c0bfa1928376") {
  DocumentEntry entry;
  entry.entry_uuid = std::move(uuid);
  entry.unique_id = "1.2.3^<\"&x";
  entry.repository_id = "2.999.7.5";
  entry.home = "2.999.7";
  entry.patient = {"2.999.7.1", "P-1"};
  entry.source_patient = {"2.999.7.1", "P-1"};
  entry.source_patient_info = {"PID-3|P-1^^^&2.999.7.1&ISO", "PID-5|Quill^Odessa", "PID-7|19710814"};
  entry.mime_type = "text/xml";
  entry.hash_sha1 = "1ba1d7f758adae0240df144ec10ee717eecfca3c";
  entry.size = 63;
  entry.creation_time = "20260115093000";
  entry.service_start = "20260115090000";
  entry.service_stop = "20260115093000";
  entry.language = "en-US";
  entry.title = "Visit <summary> & \"more\"";
  entry.comments = "line\nline";
  entry.class_code = {"34133-9", "2.16.840.1.113883.6.1", "Summary"};
  entry.type_code = entry.class_code;
  entry.format_code = {"urn:hl7-org:sdwg:ccda-structuredBody:2.1", "1.3.6.1.4.1.19376.1.2.3", ""};
  entry.facility_type = {"35971002", "2.16.840.1.113883.6.96", "Ambulatory"};
  entry.practice_setting = {"394802001", "2.16.840.1.113883.6.96", "General"};
  entry.confidentiality_codes = {{"N", "2.16.840.1.113883.5.25", "Normal"}};
  entry.event_codes = {{"e1", "s", "E"}, {"e2", "s", "E"}};
  entry.authors = {{.person = "^Ives^Brack",
                    .institutions = {"Clinic^^^^^^^^^2.999.7", "Other"},
                    .roles = {"Attending"},
                    .specialties = {"Family"},
                    .telecoms = {"^^Internet^ives@clinic.example"}},
                   {.person = "^Two"}};
  entry.legal_authenticator = "^Ives";
  entry.uri = "summary.xml";
  entry.reference_ids = {"A^^^&1.2.3&ISO^urn:ihe:iti:xds:2013:order"};
  return entry;
}

SubmissionSet full_set() {
  SubmissionSet set;
  set.entry_uuid = "urn:uuid:1b4f80c3-a627-4fdb-8354-c0bfa1928376";
  set.unique_id = "1.2.3.4";
  set.home = "2.999.7";
  set.patient = {"2.999.7.1", "P-1"};
  set.source_id = "1.2.3.5";
  set.submission_time = "20260115093000";
  set.content_type = {"c", "s", "Content"};
  set.title = "Visit & more";
  set.comments = "comments";
  set.authors = full_entry().authors;
  set.intended_recipients = {"Clinic^^^^^^^^^2.999.7|^Ives^Brack"};
  return set;
}

Folder full_folder() {
  Folder folder;
  folder.entry_uuid = "urn:uuid:2b4f80c3-a627-4fdb-8354-c0bfa1928376";
  folder.unique_id = "1.2.3.6";
  folder.home = "2.999.7";
  folder.patient = {"2.999.7.1", "P-1"};
  folder.status = Availability::Deprecated;
  folder.last_update_time = "20260115093000";
  folder.codes = {{"a", "s", "A"}, {"b", "s", "B"}};
  folder.title = "Knee";
  folder.comments = "comments";
  return folder;
}

Association association(AssociationType type, std::string last, std::string set_status = "") {
  return {.entry_uuid = "urn:uuid:3b4f80c3-a627-4fdb-8354-c0bfa192837" + last,
          .home = "2.999.7",
          .type = type,
          .source = full_set().entry_uuid,
          .target = full_entry().entry_uuid,
          .set_status = std::move(set_status)};
}

RegistryObjects full_registry() {
  auto on_demand = full_entry("urn:uuid:6b4f80c3-a627-4fdb-8354-c0bfa1928376");
  on_demand.type = EntryType::OnDemand;
  on_demand.status = Availability::Deprecated;
  on_demand.hash_sha1 = on_demand.creation_time = "";
  on_demand.size = std::nullopt;
  RegistryObjects all{.entries = {full_entry(), on_demand}, .sets = {full_set()}, .folders = {full_folder()},
                      .associations = {}};
  for (int type = 0; type <= static_cast<int>(AssociationType::IsSnapshotOf); ++type)
    all.associations.push_back(association(static_cast<AssociationType>(type), std::to_string(type),
                                           type == 0 ? "Original" : ""));
  return all;
}

TEST(WriteQueryAnswer, WritesEveryFormValidAndCanonical) {
  auto on_demand = full_entry("urn:uuid:6b4f80c3-a627-4fdb-8354-c0bfa1928376");
  on_demand.type = EntryType::OnDemand;
  on_demand.status = Availability::Deprecated;
  auto long_texts = full_entry("urn:uuid:7b4f80c3-a627-4fdb-8354-c0bfa1928376");
  long_texts.title = std::string(1023, 'x') + "üü";
  long_texts.authors[0].person = std::string(255, 'x') + "üü";
  DocumentEntry bare;
  bare.entry_uuid = "urn:uuid:8b4f80c3-a627-4fdb-8354-c0bfa1928376";
  auto everything = full_registry();
  everything.entries = {full_entry(), on_demand, long_texts, bare};
  SubmissionSet bare_set;
  bare_set.entry_uuid = "urn:uuid:9b4f80c3-a627-4fdb-8354-c0bfa1928376";
  Folder bare_folder;
  bare_folder.entry_uuid = "urn:uuid:ab4f80c3-a627-4fdb-8354-c0bfa1928376";
  everything.sets.push_back(bare_set);
  everything.folders.push_back(bare_folder);
  const Objects objects = objects_of(everything);
  const std::vector<RegistryError> errors = {{RegistryErrorCode::RegistryError, "a \"b\" <c>"},
                                             {RegistryErrorCode::RegistryBusy, ""}};
  std::vector<std::string> answers;
  for (const ReturnType type : {ReturnType::LeafClass, ReturnType::ObjectRef})
    for (const QueryOutcome& outcome :
         {QueryOutcome{}, QueryOutcome{.objects = objects}, QueryOutcome{.errors = errors},
          QueryOutcome{.objects = objects, .errors = errors}})
      answers.push_back(write_query_answer(outcome, type, "2.999.7"));
  expect_well_emitted(answers);
}

TEST(WriteQueryAnswer, SaysSuccessPartialSuccessOrFailure) {
  const RegistryError error{RegistryErrorCode::UnknownStoredQuery, "x"};
  EXPECT_EQ(
      write_query_answer({}, ReturnType::LeafClass, "2.999.7"),
      R"(<query:AdhocQueryResponse xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success">)"
      R"(<rim:RegistryObjectList xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"></rim:RegistryObjectList></query:AdhocQueryResponse>)");
  const auto entry = full_entry();
  EXPECT_THAT(write_query_answer({.objects = {.entries = {&entry}}, .errors = {error}}, ReturnType::ObjectRef,
                                 "2.999.7"),
              HasSubstr("urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"));
  const std::string failure = write_query_answer({.errors = {error}}, ReturnType::ObjectRef, "2.999.7");
  EXPECT_THAT(failure, HasSubstr("urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"));
  EXPECT_THAT(
      failure,
      HasSubstr(
          R"(<rs:RegistryError codeContext="x" errorCode="XDSUnknownStoredQuery" location="urn:oid:2.999.7" severity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error">)"));
  EXPECT_THAT(failure, HasSubstr("</rim:RegistryObjectList>"));
}

TEST(WriteQueryAnswer, LeavesOutOfOnDemandEntriesWhatTheyCannotHave) {
  auto entry = full_entry();
  const auto text = [&] { return write_query_answer({.objects = {.entries = {&entry}}}, ReturnType::LeafClass, "2.999.7"); };
  for (const char* name : {"creationTime", "hash", "size"})
    EXPECT_THAT(text(), HasSubstr("<rim:Slot name=\"" + std::string(name) + "\">"));
  entry.type = EntryType::OnDemand;
  for (const char* name : {"creationTime", "hash", "size"})
    EXPECT_THAT(text(), Not(HasSubstr("<rim:Slot name=\"" + std::string(name) + "\">")));
  EXPECT_THAT(text(), HasSubstr("urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248"));
}

TEST(WriteQueryAnswer, GivesEveryObjectItsOwnIdAndTheSameOneEachTime) {
  const RegistryObjects two{.entries = {full_entry(), full_entry("urn:uuid:5b4f80c3-a627-4fdb-8354-c0bfa1928377")},
                            .sets = {}, .folders = {}, .associations = {}};
  const QueryOutcome outcome{.objects = objects_of(two)};
  const std::string text = write_query_answer(outcome, ReturnType::LeafClass, "2.999.7");
  constexpr std::string_view before = " id=\"urn:uuid:";
  constexpr std::size_t uuid_characters = 36;
  std::set<std::string> ids;
  std::size_t count = 0;
  for (std::size_t at = text.find(before); at != std::string::npos; at = text.find(before, at + 1), ++count) {
    const std::string uuid = text.substr(at + before.size(), uuid_characters);
    EXPECT_EQ(uuid.find_first_not_of("0123456789abcdef-"), std::string::npos) << uuid;
    EXPECT_EQ(text[at + before.size() + uuid_characters], '"');
    EXPECT_TRUE(uuid[14] == '4' || uuid[14] == '8') << uuid;
    ids.insert(uuid);
  }
  EXPECT_EQ(count, 2u * (1 + 2 + 8 + 2));  // entry, authors, codes, external identifiers
  EXPECT_EQ(ids.size(), count);
  EXPECT_EQ(text, write_query_answer(outcome, ReturnType::LeafClass, "urn:oid:2.999.7"));
  EXPECT_THAT(text, HasSubstr(R"(<rim:ExtrinsicObject home="urn:oid:2.999.7")"));
}

TEST(WriteQueryAnswer, PutsOurHomeOnEveryObjectAndReference) {
  const auto everything = full_registry();
  for (const ReturnType type : {ReturnType::LeafClass, ReturnType::ObjectRef}) {
    const std::string text = write_query_answer({.objects = objects_of(everything)}, type, "2.999.7");
    std::size_t homes = 0;
    for (std::size_t at = text.find(" home=\"urn:oid:2.999.7\""); at != std::string::npos;
         at = text.find(" home=\"urn:oid:2.999.7\"", at + 1))
      ++homes;
    EXPECT_EQ(homes, objects_of(everything).count());
  }
}

/// What is written is read as the same values. [house style §7]
TEST(ReadObjects, ReadsBackWhatIsWritten) {
  auto everything = full_registry();
  for (auto& entry : everything.entries) entry.format_code.display = entry.format_code.code;  // the writer's stand-in
  const auto text = write_query_answer({.objects = objects_of(everything)}, ReturnType::LeafClass, "2.999.7");
  const auto document = base::xml::Document::parse(text);
  ASSERT_TRUE(document);
  const auto again = read_objects(*document->root().first_child(soap::ns::rim, "RegistryObjectList"));
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_TRUE(*again == everything);
}

}  // namespace
}  // namespace xca::ebxml
