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
  entry.authors = {{"^Ives^Brack", "Clinic^^^^^^^^^2.999.7", "Attending", "Family"}, {"^Two", "", "", ""}};
  entry.legal_authenticator = "^Ives";
  return entry;
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
  const std::vector<DocumentEntry> entries = {full_entry(), on_demand, long_texts, bare};
  const std::vector<RegistryError> errors = {{RegistryErrorCode::RegistryError, "a \"b\" <c>"},
                                             {RegistryErrorCode::RegistryBusy, ""}};
  std::vector<std::string> answers;
  for (const ReturnType type : {ReturnType::LeafClass, ReturnType::ObjectRef})
    for (const QueryOutcome& outcome :
         {QueryOutcome{}, QueryOutcome{.entries = entries}, QueryOutcome{.errors = errors},
          QueryOutcome{.entries = entries, .errors = errors}})
      answers.push_back(write_query_answer(outcome, type, "2.999.7"));
  expect_well_emitted(answers);
}

TEST(WriteQueryAnswer, SaysSuccessPartialSuccessOrFailure) {
  const RegistryError error{RegistryErrorCode::UnknownStoredQuery, "x"};
  EXPECT_EQ(
      write_query_answer({}, ReturnType::LeafClass, "2.999.7"),
      R"(<query:AdhocQueryResponse xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success">)"
      R"(<rim:RegistryObjectList xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"></rim:RegistryObjectList></query:AdhocQueryResponse>)");
  EXPECT_THAT(write_query_answer({.entries = {full_entry()}, .errors = {error}}, ReturnType::ObjectRef, "2.999.7"),
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
  const auto text = [&] { return write_query_answer({.entries = {entry}}, ReturnType::LeafClass, "2.999.7"); };
  for (const char* name : {"creationTime", "hash", "size"})
    EXPECT_THAT(text(), HasSubstr("<rim:Slot name=\"" + std::string(name) + "\">"));
  entry.type = EntryType::OnDemand;
  for (const char* name : {"creationTime", "hash", "size"})
    EXPECT_THAT(text(), Not(HasSubstr("<rim:Slot name=\"" + std::string(name) + "\">")));
  EXPECT_THAT(text(), HasSubstr("urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248"));
}

TEST(WriteQueryAnswer, GivesEveryObjectItsOwnIdAndTheSameOneEachTime) {
  const QueryOutcome outcome{.entries = {full_entry(), full_entry("urn:uuid:5b4f80c3-a627-4fdb-8354-c0bfa1928377")}};
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

}  // namespace
}  // namespace xca::ebxml
