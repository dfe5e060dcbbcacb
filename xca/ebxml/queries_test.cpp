#include "xca/ebxml/query_message.hpp"

#include <chrono>

namespace xca::ebxml {
namespace {

const std::string patient = slot("$XDSDocumentEntryPatientId", {"'P1^^^&1.2.3&ISO'"});
const std::string status = slot("$XDSDocumentEntryStatus", {"('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"});

std::string refusal(const std::string& slots) { return refusal_of("FindDocuments", slots); }
RegistryQuery must_find(const std::string& more) { return understood("FindDocuments", patient + status + more); }
bool matches(const DocumentEntry& entry, const RegistryQuery& query) {
  return !answering(query, {.entries = {&entry}}).entries.empty();
}

DocumentEntry entry() {
  DocumentEntry one;
  one.patient = {"1.2.3", "P1"};
  one.creation_time = "20260115093000";
  one.class_code = {"34133-9", "2.16.840.1.113883.6.1", "Summary"};
  one.confidentiality_codes = {{"N", "c", ""}, {"X", "c", ""}};
  one.authors = {{.person = "^Smitty^Gerald"}};
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
  const auto query = understood(
      "FindDocuments",
      patient + slot("$XDSDocumentEntryStatus",
                     {"('urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Approved','Deprecated','x')"}));
  EXPECT_EQ(query.entries.status, (std::set{Availability::Approved, Availability::Deprecated}));
}

TEST(FindDocuments, AsksForStableEntriesUnlessToldOtherwise) {
  const auto types = [](const std::string& value) { return must_find(slot("$XDSDocumentEntryType", {value})).entries.types; };
  EXPECT_EQ(must_find("").entries.types, (std::set{EntryType::Stable}));
  EXPECT_EQ(types("(urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1,urn:uuid:34268E47-fdf5-41a6-ba33-82133c465248)"),
            (std::set{EntryType::Stable, EntryType::OnDemand}));
  EXPECT_EQ(types("('34268e47-fdf5-41a6-ba33-82133c465248')"), (std::set{EntryType::OnDemand}));
  EXPECT_TRUE(types("('urn:uuid:x')").empty());
}

TEST(FindDocuments, PadsTimesLowAndExcludesTheEnd) {
  const auto wanted = must_find(slot("$XDSDocumentEntryCreationTimeFrom", {"2018"}) +
                                slot("$XDSDocumentEntryCreationTimeTo", {"'201902'"})).entries;
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
  EXPECT_EQ(must_find(slot("$XDSDocumentEntryClassCode", {"('a^^s','b^B^t')"})).entries.class_codes,
            (std::vector<Code>{{"a", "s", ""}, {"b", "t", ""}}));
  EXPECT_EQ(must_find(slot("$XDSDocumentEntryClassCode", {"34133-9"}) + slot("$XDSDocumentEntryClassCodeScheme", {"s"}))
                .entries.class_codes,
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
  EXPECT_EQ(refusal_of("GetDocuments", uuid + unique), "XDSStoredQueryParamNumber $XDSDocumentEntryEntryUUID");
  EXPECT_EQ(refusal_of("GetDocuments", ""), "XDSStoredQueryMissingParam $XDSDocumentEntryEntryUUID");
  EXPECT_EQ(understood("GetDocuments", uuid).uuids, (std::vector<std::string>{"urn:uuid:a", "urn:uuid:b"}));
  EXPECT_EQ(understood("GetDocuments", unique).unique_ids, (std::vector<std::string>{"1.2^x"}));
}

TEST(FindDocuments, ReadsTheQueriesOfOtherImplementations) {
  const auto samples = base::shared_samples();
  if (!std::filesystem::exists(samples)) GTEST_SKIP() << "no shared samples";
  const std::map<std::string, std::string> refused = {
      {"connect-empty-patientid-value.xml", "XDSStoredQueryMissingParam $XDSDocumentEntryPatientId"},
      {"connect-invalid-creationtimeto.xml", "XDSRegistryError $XDSDocumentEntryCreationTimeTo"},
      {"connect-entityload.xml", "XDSRegistryError returnType must be LeafClass or ObjectRef."},
      {"ipf-iti18request.xml", "XDSRegistryError $XDSDocumentEntryPatientId"},  // SQL after the id
      {"11897-classcode_scheme_mismatch.xml", "XDSRegistryError $XDSDocumentEntryClassCode"},
      {"nist-15829-ondemand-finddocs.xml", "XDSRegistryError $XDSDocumentEntryPatientId"},  // x-Patient_ID
  };
  std::size_t found = 0;
  for (const auto& path : base::shared_samples_with(".xml")) {
    const auto stored = read(base::read_file(path));
    if (!stored || stored->id != id_of("FindDocuments")) continue;
    const auto wanted = read_query(*stored);
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
  const auto wanted = std::get<RegistryQuery>(read_query(*stored));
  EXPECT_EQ(wanted.patient, (base::Identifier{"2.16.840.1.113883.3.787.0.0", "PID-1"}));
  EXPECT_EQ(wanted.entries.types.size(), 2u);
  EXPECT_EQ(wanted.entries.creation.to, "20240222000000");
}

TEST(StoredQueries, AreFourteenEachOnceWithTheParametersTheyNeed) {
  std::set<std::string_view> ids, names;
  for (const StoredQueryRow& row : stored_queries()) {
    ids.insert(row.id);
    names.insert(row.name);
    const auto needed = [](const Parameter& one) { return one.needed != Needed::No; };
    EXPECT_TRUE(std::ranges::any_of(row.parameters, needed)) << row.name;
    const auto names_patient = [](const Parameter& one) { return one.name.ends_with("atientId"); };
    EXPECT_EQ(std::ranges::any_of(row.parameters, names_patient), row.names == Names::Patient) << row.name;
  }
  EXPECT_EQ(ids.size(), 14u);
  EXPECT_EQ(names.size(), 14u);
}

/// Each query with all it needs; what is left out or given twice is refused by its own code. [facts §3.2, §3.6]
TEST(StoredQueries, RefuseWhatIsMissingOrGivenTooOften) {
  const auto value_of = [](const Parameter& parameter) -> std::string {
    if (parameter.name.ends_with("atientId")) return "'P1^^^&1.2.3&ISO'";
    if (parameter.name.ends_with("Status")) return "('Approved')";
    if (parameter.name == "$AssociationTypes") return "('urn:ihe:iti:2007:AssociationType:RPLC')";
    return "('a')";
  };
  for (const StoredQueryRow& row : stored_queries()) {
    const std::string name(row.name);
    std::string all;
    bool one_given = false;
    for (const Parameter& one : row.parameters) {
      if (one.needed == Needed::No || (one.needed == Needed::OneOf && one_given)) continue;
      one_given = one_given || one.needed == Needed::OneOf;
      all += slot(std::string(one.name), {value_of(one)});
    }
    EXPECT_EQ(refusal_of(name, all), "") << name;
    for (const Parameter& left_out : row.parameters) {
      const std::string parameter(left_out.name);
      const std::string given = slot(parameter, {value_of(left_out)});
      if (left_out.needed == Needed::Yes) {
        std::string others = all;
        others.erase(others.find(given), given.size());
        EXPECT_EQ(refusal_of(name, others), "XDSStoredQueryMissingParam " + parameter) << name;
      }
      const bool is_given = all.find(given) != std::string::npos;
      if (left_out.values == Values::One && is_given) {
        EXPECT_EQ(refusal_of(name, all + given), "XDSStoredQueryParamNumber " + parameter) << name;
      }
      if (left_out.needed == Needed::OneOf && !is_given) {
        EXPECT_TRUE(refusal_of(name, all + given).starts_with("XDSStoredQueryParamNumber ")) << name;
      }
    }
  }
}

TEST(StoredQueries, NeedAHomeWhereTheyNameObjects) {
  const auto code_of = [](const std::string& name, const std::string& attributes) -> std::string {
    const auto told = read_query(*read(adhoc_query("", name.empty() ? "x" : id_of(name), attributes)));
    return std::string(ebxml::name(std::get<RegistryError>(told).code));
  };
  EXPECT_EQ(code_of("", ""), "XDSUnknownStoredQuery");
  EXPECT_EQ(code_of("GetFolders", ""), "XDSMissingHomeCommunityId");
  EXPECT_EQ(code_of("GetFolders", R"(home="urn:oid:2.999.7")"), "XDSStoredQueryMissingParam");
  EXPECT_EQ(code_of("GetAll", ""), "XDSStoredQueryMissingParam") << "a patient id says which community";
}

TEST(StoredQueries, KnowTwoReturnTypes) {
  auto query = *read(adhoc_query(slot("$XDSDocumentEntryUniqueId", {"('a')"}), id_of("GetDocuments")));
  const auto kind = [&](std::string written) {
    query.return_type = std::move(written);
    const auto understood = read_query(query);
    const auto* known = std::get_if<RegistryQuery>(&understood);
    return known ? std::optional(known->return_type) : std::nullopt;
  };
  EXPECT_EQ(kind("LeafClass"), ReturnType::LeafClass);
  EXPECT_EQ(kind("ObjectRef"), ReturnType::ObjectRef);
  for (const char* other : {"RegistryObject", "LeafClassWithRepositoryItem", ""}) {
    EXPECT_EQ(kind(other), std::nullopt) << other;
    EXPECT_EQ(std::get<RegistryError>(read_query(query)).code, RegistryErrorCode::RegistryError);
  }
}

TEST(StoredQueries, TakeAThousandIdsAtMost) {
  std::vector<std::string> ids(ids_per_query_max, "'1.2.3'");
  const auto refused = [&] { return refusal_of("GetDocuments", slot("$XDSDocumentEntryUniqueId", ids)); };
  EXPECT_EQ(refused(), "");
  ids.emplace_back("'1.2.4'");
  EXPECT_EQ(refused(), "XDSTooManyResults $XDSDocumentEntryUniqueId");
}

TEST(FindDocumentsByReferenceId, TakesListsOfReferencesOfWhichEachMustBeMet) {
  auto one = entry();
  one.reference_ids = {"A^^^&1.2.3&ISO^order", "B^^^&1.2.3&ISO^visit"};
  const auto answers = [&](const std::string& references) {
    return matches(one, understood("FindDocumentsByReferenceId", patient + status + references));
  };
  const auto references = [](const std::string& value) {
    return slot("$XDSDocumentEntryReferenceIdList", {value});
  };
  EXPECT_TRUE(answers(references("('X^^^&1.2.3&ISO^order','A^^^&1.2.3&ISO^order')")));
  EXPECT_FALSE(answers(references("('A^^^&1.2.3&ISO')"))) << "the whole of it";
  EXPECT_TRUE(answers(references("('A^^^&1.2.3&ISO^order')") + references("('B^^^&1.2.3&ISO^visit')")));
  EXPECT_FALSE(answers(references("('A^^^&1.2.3&ISO^order')") + references("('C^^^&1.2.3&ISO^visit')")));
}

TEST(FindSubmissionSets, MatchesWhatEveryFilterHolds) {
  SubmissionSet set;
  set.entry_uuid = "urn:uuid:s";
  set.patient = {"1.2.3", "P1"};
  set.source_id = "1.2.9";
  set.submission_time = "20041225235050";
  set.content_type = {"c", "s", ""};
  set.authors = {{.person = "^Smitty^Gerald"}};
  const auto answers = [&](const std::string& more) {
    const auto query = understood("FindSubmissionSets", slot("$XDSSubmissionSetPatientId", {"'P1^^^&1.2.3&ISO'"}) +
                                                            slot("$XDSSubmissionSetStatus", {"('Approved')"}) + more);
    return !answering(query, {.sets = {&set}}).sets.empty();
  };
  EXPECT_TRUE(answers(""));
  EXPECT_TRUE(answers(slot("$XDSSubmissionSetSourceId", {"('1','1.2.9')"})));
  EXPECT_FALSE(answers(slot("$XDSSubmissionSetSourceId", {"('1.2')"})));
  EXPECT_TRUE(answers(slot("$XDSSubmissionSetSubmissionTimeFrom", {"20041225235050"})));
  EXPECT_FALSE(answers(slot("$XDSSubmissionSetSubmissionTimeTo", {"20041225235050"})));
  EXPECT_TRUE(answers(slot("$XDSSubmissionSetAuthorPerson", {"'%Smitty%'"})));
  EXPECT_FALSE(answers(slot("$XDSSubmissionSetAuthorPerson", {"'Smitty'"})));
  EXPECT_FALSE(answers(slot("$XDSSubmissionSetContentType", {"('c^^t')"})));
  set.status = Availability::Deprecated;
  EXPECT_FALSE(answers(""));
}

TEST(FindFolders, MatchesWhatEveryFilterHolds) {
  Folder folder;
  folder.entry_uuid = "urn:uuid:f";
  folder.patient = {"1.2.3", "P1"};
  folder.last_update_time = "20260101000000";
  folder.codes = {{"a", "s", ""}, {"b", "s", ""}};
  const auto answers = [&](const std::string& more) {
    const auto query = understood("FindFolders", slot("$XDSFolderPatientId", {"'P1^^^&1.2.3&ISO'"}) +
                                                     slot("$XDSFolderStatus", {"('Approved')"}) + more);
    return !answering(query, {.folders = {&folder}}).folders.empty();
  };
  EXPECT_TRUE(answers(""));
  const auto codes = [](const std::string& value) { return slot("$XDSFolderCodeList", {value}); };
  EXPECT_TRUE(answers(codes("('a^^s','x^^s')") + codes("('b^^s')")));
  EXPECT_FALSE(answers(codes("('a^^s')") + codes("('x^^s')")));
  EXPECT_FALSE(answers(slot("$XDSFolderLastUpdateTimeTo", {"2026"})));
  folder.patient.extension = "P2";
  EXPECT_FALSE(answers(""));
}

}  // namespace
}  // namespace xca::ebxml
