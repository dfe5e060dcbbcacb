#include "xca/ebxml/query_message.hpp"

#include <chrono>

namespace xca::ebxml {
namespace {

const std::string patient = slot("$XDSDocumentEntryPatientId", {"'P1^^^&1.2.3&ISO'"});
const std::string status = slot("$XDSDocumentEntryStatus", {"('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"});

std::variant<FindDocuments, RegistryError> find_in(const std::string& slots) {
  return read_find_documents(*read(adhoc_query(slots)));
}
std::string refusal(const std::string& slots) {
  const auto read = find_in(slots);
  if (const auto* error = std::get_if<RegistryError>(&read))
    return std::string(name(error->code)) + " " + error->context;
  return "";
}
FindDocuments must_find(const std::string& more) {
  const auto read = find_in(patient + status + more);
  EXPECT_TRUE(std::holds_alternative<FindDocuments>(read)) << more;
  return std::get<FindDocuments>(read);
}
std::string get_refusal(const std::string& slots) {
  const auto wanted = read_get_documents(*read(adhoc_query(slots, std::string(get_documents))));
  if (const auto* error = std::get_if<RegistryError>(&wanted))
    return std::string(name(error->code)) + " " + error->context;
  return "";
}

DocumentEntry entry() {
  DocumentEntry one;
  one.patient = {"1.2.3", "P1"};
  one.creation_time = "20260115093000";
  one.class_code = {"34133-9", "2.16.840.1.113883.6.1", "Summary"};
  one.confidentiality_codes = {{"N", "c", ""}, {"X", "c", ""}};
  one.authors = {{.person = "^Smitty^Gerald", .institution = "", .role = "", .specialty = ""}};
  return one;
}

TEST(FindDocuments, NeedsAPatientAndAStatus) {
  EXPECT_EQ(refusal(patient + status), "");
  EXPECT_EQ(refusal(status), "XDSStoredQueryMissingParam $XDSDocumentEntryPatientId");
  EXPECT_EQ(refusal(slot("$XDSDocumentEntryPatientId", {"''"}) + status),
            "XDSStoredQueryMissingParam $XDSDocumentEntryPatientId");
  EXPECT_EQ(refusal(patient), "XDSStoredQueryMissingParam $XDSDocumentEntryStatus");
  EXPECT_EQ(refusal(patient + slot("$XDSDocumentEntryStatus", {"('urn:x:Gone')"})),
            "XDSStoredQueryMissingParam $XDSDocumentEntryStatus");
  EXPECT_EQ(refusal(slot("$XDSDocumentEntryPatientId", {"'nobody'"}) + status),
            "XDSRegistryError $XDSDocumentEntryPatientId");
}

TEST(FindDocuments, RefusesSeveralValuesOfASingleParameter) {
  EXPECT_EQ(refusal(patient + patient + status), "XDSStoredQueryParamNumber $XDSDocumentEntryPatientId");
  EXPECT_EQ(refusal(patient + status + slot("$XDSDocumentEntryCreationTimeFrom", {"2018", "2019"})),
            "XDSStoredQueryParamNumber $XDSDocumentEntryCreationTimeFrom");
  EXPECT_EQ(refusal(slot("$XDSDocumentEntryPatientId", {"('P1^^^&1.2.3&ISO')"}) + status), "");
}

TEST(FindDocuments, TakesStatusUnderOtherStemsAndIgnoresUnknownOnes) {
  const auto read =
      find_in(patient + slot("$XDSDocumentEntryStatus",
                             {"('urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Approved','Deprecated','x')"}));
  EXPECT_EQ(std::get<FindDocuments>(read).status, (std::set{Availability::Approved, Availability::Deprecated}));
}

TEST(FindDocuments, AsksForStableEntriesUnlessToldOtherwise) {
  const auto types = [](const std::string& value) { return must_find(slot("$XDSDocumentEntryType", {value})).types; };
  EXPECT_EQ(must_find("").types, (std::set{EntryType::Stable}));
  EXPECT_EQ(types("(urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1,urn:uuid:34268E47-fdf5-41a6-ba33-82133c465248)"),
            (std::set{EntryType::Stable, EntryType::OnDemand}));
  EXPECT_EQ(types("('34268e47-fdf5-41a6-ba33-82133c465248')"), (std::set{EntryType::OnDemand}));
  EXPECT_TRUE(types("('urn:uuid:x')").empty());
}

TEST(FindDocuments, PadsTimesLowAndExcludesTheEnd) {
  const auto wanted = must_find(slot("$XDSDocumentEntryCreationTimeFrom", {"2018"}) +
                                slot("$XDSDocumentEntryCreationTimeTo", {"'201902'"}));
  EXPECT_EQ(wanted.creation.from, "20180101000000");
  EXPECT_EQ(wanted.creation.to, "20190201000000");
  for (const auto& [time, held] : {std::pair{"2018", true},
                                   {"20171231235959", false},
                                   {"20190131235959", true},
                                   {"201902", false},
                                   {"20190201000000", false},
                                   {"", true}})
    EXPECT_EQ(wanted.creation.holds(time), held) << time;
  EXPECT_EQ(refusal(patient + status + slot("$XDSDocumentEntryServiceStopTimeTo", {"soon"})),
            "XDSRegistryError $XDSDocumentEntryServiceStopTimeTo");
}

TEST(FindDocuments, ReadsCodesWithBothParts) {
  EXPECT_EQ(must_find(slot("$XDSDocumentEntryClassCode", {"('a^^s','b^B^t')"})).class_codes,
            (std::vector<Code>{{"a", "s", ""}, {"b", "t", ""}}));
  EXPECT_EQ(must_find(slot("$XDSDocumentEntryClassCode", {"34133-9"}) + slot("$XDSDocumentEntryClassCodeScheme", {"s"}))
                .class_codes,
            (std::vector<Code>{{"34133-9", "s", ""}}));
  for (const char* half : {"('a^^')", "('^^s')", "('a^s')"})
    EXPECT_EQ(refusal(patient + status + slot("$XDSDocumentEntryClassCode", {half})),
              "XDSRegistryError $XDSDocumentEntryClassCode")
        << half;
}

TEST(FindDocuments, TakesABareCodeForAnySystem) {
  EXPECT_TRUE(matches(entry(), must_find(slot("$XDSDocumentEntryClassCode", {"('34133-9')"}))));
  EXPECT_FALSE(matches(entry(), must_find(slot("$XDSDocumentEntryClassCode", {"('34133')"}))));
}

TEST(FindDocuments, IgnoresParametersItDoesNotKnow) {
  EXPECT_EQ(refusal(patient + status + slot("$Mine", {"'x'"})), "");
}

TEST(FindDocuments, MatchesWhatEveryFilterHolds) {
  const auto answers = [](const std::string& more) { return matches(entry(), must_find(more)); };
  EXPECT_TRUE(answers(""));
  EXPECT_TRUE(answers(slot("$XDSDocumentEntryClassCode", {"('x^^y','34133-9^^2.16.840.1.113883.6.1')"})));
  EXPECT_FALSE(answers(slot("$XDSDocumentEntryClassCode", {"('34133-9^^1')"})));
  const auto code = [](const std::string& value) { return slot("$XDSDocumentEntryConfidentialityCode", {value}); };
  EXPECT_TRUE(answers(code("('N^^c','R^^c')") + code("('X^^c')")));  // AND of ORs
  EXPECT_FALSE(answers(code("('N^^c')") + code("('R^^c')")));
  EXPECT_TRUE(answers(slot("$XDSDocumentEntryAuthorPerson", {"('nobody','%Smitty%')"})));
  EXPECT_FALSE(answers(slot("$XDSDocumentEntryAuthorPerson", {"('Smitty')"})));
  EXPECT_TRUE(answers(slot("$XDSDocumentEntryServiceStartTimeFrom", {"2030"})));  // the entry has none
  EXPECT_FALSE(answers(slot("$XDSDocumentEntryCreationTimeFrom", {"2030"})));
  auto other = entry();
  other.patient.extension = "P2";
  EXPECT_FALSE(matches(other, must_find("")));
  auto old = entry();
  old.status = Availability::Deprecated;
  EXPECT_FALSE(matches(old, must_find("")));
  auto on_demand = entry();
  on_demand.type = EntryType::OnDemand;
  EXPECT_FALSE(matches(on_demand, must_find("")));
  EXPECT_TRUE(matches(on_demand, must_find(slot("$XDSDocumentEntryType", {"('34268e47-fdf5-41a6-ba33-82133c465248')"}) +
                                           slot("$XDSDocumentEntryCreationTimeFrom", {"2030"}))));
}

TEST(Like, MatchesRunsAndSingleCharacters) {
  for (const auto& [text, pattern] : {std::pair{"", ""},
                                      {"", "%"},
                                      {"abc", "abc"},
                                      {"abc", "a%"},
                                      {"abc", "%c"},
                                      {"abc", "a_c"},
                                      {"aüc", "a_c"},
                                      {"abcbc", "%bc"},
                                      {"a%c", "a%c"},
                                      {"abc", "%%%"},
                                      {"^Smitty^Gerald", "%Smit__^%"}})
    EXPECT_TRUE(like(text, pattern)) << text << " " << pattern;
  for (const auto& [text, pattern] :
       {std::pair{"abc", ""}, {"abc", "ab"}, {"abc", "_"}, {"abc", "a_"}, {"abc", "%d%"}, {"abc", "ABC"}, {"", "_"}})
    EXPECT_FALSE(like(text, pattern)) << text << " " << pattern;
}

TEST(Like, CostsLittleForHostilePatterns) {
  std::string pattern;
  for (int i = 0; i < 127; ++i) pattern += "%a";
  const std::string text(100'000, 'a');
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(like(text, pattern + "b"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(200));
  EXPECT_EQ(refusal(patient + status + slot("$XDSDocumentEntryAuthorPerson", {"'" + std::string(257, '_') + "'"})),
            "XDSRegistryError $XDSDocumentEntryAuthorPerson");
  EXPECT_EQ(refusal(patient + status + slot("$XDSDocumentEntryAuthorPerson", {"'" + std::string(256, '_') + "'"})), "");
}

TEST(GetDocuments, TakesExactlyOneKindOfId) {
  const std::string uuid = slot("$XDSDocumentEntryEntryUUID", {"('urn:uuid:A','b')"}),
                    unique = slot("$XDSDocumentEntryUniqueId", {"('1.2^x')"});
  EXPECT_EQ(get_refusal(uuid + unique), "XDSStoredQueryParamNumber $XDSDocumentEntryEntryUUID");
  EXPECT_EQ(get_refusal(""), "XDSStoredQueryMissingParam $XDSDocumentEntryEntryUUID");
  const auto by_uuid = read_get_documents(*read(adhoc_query(uuid)));
  EXPECT_EQ(std::get<GetDocuments>(by_uuid).entry_uuids, (std::vector<std::string>{"urn:uuid:a", "urn:uuid:b"}));
  const auto by_id = read_get_documents(*read(adhoc_query(unique)));
  EXPECT_EQ(std::get<GetDocuments>(by_id).unique_ids, (std::vector<std::string>{"1.2^x"}));
}

TEST(FindDocuments, ReadsTheQueriesOfOtherImplementations) {
  const auto samples = base::shared_samples();
  if (!std::filesystem::exists(samples)) GTEST_SKIP() << "no shared samples";
  const std::map<std::string, std::string> refused = {
      {"connect-empty-patientid-value.xml", "XDSStoredQueryMissingParam $XDSDocumentEntryPatientId"},
      {"connect-invalid-creationtimeto.xml", "XDSRegistryError $XDSDocumentEntryCreationTimeTo"},
      {"connect-entityload.xml", "XDSStoredQueryMissingParam $XDSDocumentEntryStatus"},
      {"ipf-iti18request.xml", "XDSRegistryError $XDSDocumentEntryPatientId"},  // SQL after the id
      {"11897-classcode_scheme_mismatch.xml", "XDSRegistryError $XDSDocumentEntryClassCode"},
      {"nist-15829-ondemand-finddocs.xml", "XDSRegistryError $XDSDocumentEntryPatientId"},  // x-Patient_ID
  };
  std::size_t found = 0;
  for (const auto& path : base::shared_samples_with(".xml")) {
    const auto stored = read(base::read_file(path));
    if (!stored || stored->id != find_documents) continue;
    const auto wanted = read_find_documents(*stored);
    const auto* error = std::get_if<RegistryError>(&wanted);
    const auto expected = refused.find(path.filename().string());
    EXPECT_EQ(error ? std::string(name(error->code)) + " " + error->context : "",
              expected == refused.end() ? "" : expected->second)
        << path;
    ++found;
  }
  EXPECT_GE(found, 30u);
}

TEST(FindDocuments, ReadsTheQueryOfAProductionClient) {
  const auto path = base::shared_samples() / "production-client" / "iti38-request.xml";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared samples";
  const auto stored = read(base::read_file(path));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->home, "2.16.840.1.113883.3.787.0.0");
  const auto wanted = std::get<FindDocuments>(read_find_documents(*stored));
  EXPECT_EQ(wanted.patient, (base::Identifier{"2.16.840.1.113883.3.787.0.0", "PID-1"}));
  EXPECT_EQ(wanted.types.size(), 2u);
  EXPECT_EQ(wanted.creation.to, "20240222000000");
}

}  // namespace
}  // namespace xca::ebxml
