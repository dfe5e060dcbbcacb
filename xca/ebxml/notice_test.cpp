#include "xca/ebxml/notice.hpp"

#include "xca/admitted.hpp"
#include "xca/check_emitted.hpp"
#include "xca/ebxml/permitted.hpp"
#include "xca/ebxml/query_message.hpp"
#include "xca/ebxml/registry_response.hpp"
#include "xca/retrieve.hpp"

#include <gmock/gmock.h>

namespace xca::ebxml {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view statement = "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";

DocumentEntry entry(const std::string& number) {
  DocumentEntry made;
  made.entry_uuid = "urn:uuid:5b4f80c3-a627-4fdb-8354-c0bfa19283" + number;
  made.unique_id = "2.999.7.5." + number;
  made.repository_id = "2.999.7.5";
  made.home = "2.999.7";
  made.patient = made.source_patient = {"1.2.3", "P1"};
  made.mime_type = "text/xml";
  made.hash_sha1 = "1ba1d7f758adae0240df144ec10ee717eecfca3c";
  made.size = 63;
  made.creation_time = "20260115093000";
  made.language = "en-US";
  made.class_code = made.type_code = {"34133-9", "2.16.840.1.113883.6.1", "Summary"};
  made.format_code = {"urn:hl7-org:sdwg:ccda-structuredBody:2.1", "1.3.6.1.4.1.19376.1.2.3", ""};
  made.facility_type = {"35971002", "2.16.840.1.113883.6.96", "Ambulatory"};
  made.practice_setting = {"394802001", "2.16.840.1.113883.6.96", "General"};
  made.confidentiality_codes = {{"R", "2.16.840.1.113883.5.25", "restricted"}};
  return made;
}

policy::Verdict permitted(std::vector<policy::Obligation> obligations) {
  return {.resource = "r", .findings = {{policy::Gate::Choice, policy::Reason::Permitted, "", "", ""}},
          .obligations = std::move(obligations)};
}
policy::Verdict refused(std::vector<policy::Obligation> obligations) {
  auto verdict = permitted(std::move(obligations));
  verdict.findings = {{policy::Gate::Choice, policy::Reason::PatientPurpose, "", "", ""}};
  return verdict;
}
policy::Obligation part2(const std::string& explanation) {
  return {.evidence = "our own", .explanations = {explanation}};
}

std::vector<std::string> codes_of(const DocumentEntry& one) {
  std::vector<std::string> codes;
  for (const auto& code : one.confidentiality_codes) codes.push_back(code.system + "|" + code.code);
  return codes;
}

const std::string act = "2.16.840.1.113883.5.4|";

TEST(Part2Notice, SaysWhatTheRecordIsAndWhatItLeavesOn) {
  const auto told = with_notice(entry("71"), permitted({part2("By consent c1.")}));
  EXPECT_EQ(codes_of(told),
            (std::vector<std::string>{"2.16.840.1.113883.5.25|R", act + "42CFRPart2", act + "NORDSCLCD"}));
  EXPECT_EQ(told.comments, std::string(statement) + " [By consent c1.]");
  auto two = part2("By a.");
  two.explanations.push_back("By a, too.");
  const auto notice = notice_on("2.999.7.5.71", permitted({two, part2("By b.")}));
  ASSERT_TRUE(notice);
  EXPECT_EQ(*notice, (soap::Notice{"2.999.7.5.71", "By a. By a, too. By b.", std::string(statement)}));
  EXPECT_EQ(with_notice(entry("71"), permitted({policy::Obligation{}})).comments, statement)
      << "an obligation without words";
  EXPECT_TRUE(notice_on("u", permitted({policy::Obligation{}})));
}

TEST(Part2Notice, KeepsWhatTheEntrySaysItself) {
  auto own = entry("71");
  own.comments = "Seen twice.";
  own.confidentiality_codes.push_back({"42CFRPart2", "http://terminology.hl7.org/CodeSystem/v3-ActCode", "P2"});
  const auto told = with_notice(own, permitted({part2("c")}));
  EXPECT_EQ(told.comments, std::string(statement) + " [c] Seen twice.");
  EXPECT_EQ(codes_of(told).size(), 3u) << "the label it bears already is not said twice";
  own.comments.assign(5000, 'x');
  EXPECT_THAT(with_notice(own, permitted({part2("c")})).comments, StartsWith(statement)) << "cut at the end";
}

TEST(Part2Notice, IsOnNothingThatIsUnderNoObligationOrDoesNotLeave) {
  EXPECT_EQ(with_notice(entry("71"), permitted({})), entry("71"));
  EXPECT_EQ(with_notice(entry("71"), refused({part2("c")})), entry("71"));
  EXPECT_FALSE(notice_on("u", permitted({})));
  EXPECT_FALSE(notice_on("u", refused({part2("c")})));
  EXPECT_FALSE(notice_on("u", {.resource = "r"}));
  EXPECT_TRUE(notice_on("u", permitted({part2("c")})));
}

/// Judged under a consent that opens records of Part 2 for treatment, or without one.
template <class T>
policy::Held<T> held(T resource, const std::string& id, std::vector<policy::Label> labels, bool consented = true) {
  policy::ConsentFacts facts;
  if (consented) {
    policy::Provision root{.permits = true};
    root.labels = {policy::part2_label()};
    root.purposes = policy::PurposeSet{policy::Purpose::Treatment};
    root.recipients.emplace_back(policy::Recipient{policy::RecipientClass::TreatingProviders});
    facts.consents = {{.id = "c1", .version = 3, .status = policy::ConsentStatus::Active, .root = root}};
  }
  policy::DocumentFacts document{.unique_id = id, .labels = std::move(labels)};
  return {.resource = std::move(resource), .id = id, .choice = {.clinic_defaults = policy::PurposeSet::all()},
          .consents = std::make_shared<const policy::ConsentFacts>(facts), .document = std::move(document)};
}
const std::vector<policy::Label> of_part2{policy::part2_label()};

/// What leaves of entries 71 (Part 2), 72 (plain) and 73 (Part 2, of a patient without consent).
struct Told {
  std::string payload;
  std::vector<soap::Notice> notices;
};
Told told(const RegistryQuery& query) {
  Concerned concerned;
  concerned.entries.push_back(held(entry("71"), entry("71").entry_uuid, of_part2));
  concerned.entries.push_back(held(entry("72"), entry("72").entry_uuid, {}));
  concerned.entries.push_back(held(entry("73"), entry("73").entry_uuid, of_part2, false));
  for (const char* member : {"71", "72"}) {  // each in a set of its own
    SubmissionSet set;
    set.entry_uuid = std::string("urn:uuid:set-of-") + member;
    set.unique_id = set.entry_uuid;
    set.patient = entry(member).patient;
    concerned.associations.push_back({.entry_uuid = set.entry_uuid + "-member", .home = {}, .source = set.entry_uuid,
                                      .target = entry(member).entry_uuid, .set_status = {}});
    concerned.sets.push_back(std::move(set));
  }
  narrow(query, concerned);
  const auto released = policy::release(admitted(), {{}, {}}, concerned.entries);
  const PermittedView view(released, concerned);
  const auto answer = answer_from(view, query);
  if (!std::holds_alternative<Selection>(answer)) throw std::runtime_error("no selection");
  const auto& selection = std::get<Selection>(answer);
  return {write_query_answer({.objects = selection.objects()}, selection.return_type(), "2.999.7"),
          selection.notices()};
}

std::string occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return std::to_string(count);
}

const std::string of_patient = slot("$XDSDocumentEntryPatientId", {"'P1^^^&1.2.3&ISO'"}) +
                               slot("$XDSDocumentEntryStatus", {"('Approved')"});

TEST(Part2Notice, GoesWithEveryEntryUnderObligationAndNoOther) {
  auto query = understood("FindDocuments", of_patient);
  query.return_type = ReturnType::LeafClass;
  const auto answer = told(query);
  expect_well_emitted({answer.payload});
  EXPECT_THAT(answer.payload, HasSubstr("2.999.7.5.71"));
  EXPECT_THAT(answer.payload, HasSubstr("2.999.7.5.72"));
  EXPECT_THAT(answer.payload, Not(HasSubstr("2.999.7.5.73"))) << "withheld: absent";
  EXPECT_EQ(occurrences(answer.payload, std::string(statement)), "1");
  EXPECT_EQ(occurrences(answer.payload, "\"42CFRPart2\""), "1");
  ASSERT_EQ(answer.notices.size(), 1u);
  EXPECT_EQ(answer.notices[0].document, "2.999.7.5.71");
  EXPECT_EQ(answer.notices[0].scope,
            "By consent c1 version 3 the patient permits giving documents labelled 42CFRPart2 to treating providers "
            "for Treatment, with no end given.");
  EXPECT_THAT(answer.payload, HasSubstr("[" + answer.notices[0].scope + "]"));

  query.return_type = ReturnType::ObjectRef;
  EXPECT_EQ(told(query).notices, answer.notices) << "references tell of the record too";
}

TEST(Part2Notice, GoesWithASetThatSpeaksOfTheRecord) {
  const auto by_member = [](const std::string& member) {
    return told(understood("GetSubmissionSets", slot("$uuid", {"('" + entry(member).entry_uuid + "')"}))).notices;
  };
  const auto notices = by_member("71");
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].document, "2.999.7.5.71");
  EXPECT_TRUE(by_member("72").empty());
}

TEST(Part2Notice, DoesNotMakeAnEntryAnswerQueriesForOtherCodesThanItsOwn) {
  const auto by_code = [&](const std::string& code) {
    const auto coded = slot("$XDSDocumentEntryConfidentialityCode", {"('" + code + "')"});
    auto query = understood("FindDocuments", of_patient + coded);
    query.return_type = ReturnType::LeafClass;
    return told(query);
  };
  EXPECT_EQ(by_code("R^^2.16.840.1.113883.5.25").notices.size(), 1u);
  EXPECT_THAT(by_code("42CFRPart2^^2.16.840.1.113883.5.4").payload, Not(HasSubstr("2.999.7.5.71")));
  EXPECT_TRUE(by_code("42CFRPart2^^2.16.840.1.113883.5.4").notices.empty());
}

TEST(Part2Notice, GoesWithEveryDocumentRetrievedUnderObligation) {
  const auto document = [](const std::string& id) { return RetrievedDocument{{"h", "r", id}, "text/xml", {}}; };
  const auto judged = [&](bool consented) {
    std::vector<policy::Held<RetrievedDocument>> all;
    all.push_back(held(document("plain"), "1", {}));
    all.push_back(held(document("withheld"), "2", of_part2, false));
    all.push_back(held(document("sud"), "3", of_part2, consented));
    return policy::release(admitted(), {{}, {}}, std::move(all));
  };
  const std::vector<DocumentRequest> asked{{"h", "r", "withheld"}, {"h", "r", "sud"}, {"h", "r", "plain"}};
  const auto released = judged(true);
  const auto notices = notices_on(settle(asked, released.resources(), {}).documents, released);
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].document, "sud");
  const auto denied = judged(false);
  EXPECT_TRUE(notices_on(settle(asked, denied.resources(), {}).documents, denied).empty());
  EXPECT_TRUE(notices_on({}, released).empty()) << "nothing is told of what was not asked for";
}

}  // namespace
}  // namespace xca::ebxml
