#include "policy/explanation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace policy {
namespace {

const HomeCommunityId hospital = HomeCommunityId::parse("2.999.20").value(),
                      clinic = HomeCommunityId::parse("2.999.21").value();
Instant on(std::string_view day) { return base::read_date_time(std::string(day) + "T00:00:00Z").value(); }
Label act(std::string code) { return {std::string(act_code_system), std::move(code)}; }
const Label part2 = part2_label();

/// A permit for the hospital's treatment.
Provision permit(std::vector<Label> labels = {part2}) {
  return {.permits = true,
          .recipients = {{hospital}},
          .purposes = PurposeSet{Purpose::Treatment},
          .labels = std::move(labels)};
}
DocumentFacts document(std::vector<Label> labels = {part2}) { return {.unique_id = "D1", .labels = std::move(labels)}; }

/// What is told of it to the hospital.
std::string told(const Provision& root, const Provision& by, const DocumentFacts& of = document(),
                 Purpose purpose = Purpose::Treatment) {
  const Consent consent{.id = "C1", .version = 4, .root = root};
  const auto same_place = &by == &root ? &consent.root : &consent.root.exceptions.at(0);
  return explanation(consent, *same_place, {hospital, purpose, on("2026-06-15"), &of});
}
std::string told(const Provision& root, const DocumentFacts& of = document(), Purpose purpose = Purpose::Treatment) {
  return told(root, root, of, purpose);
}
/// Around what a test is about.
std::string scope(const std::string& what, const std::string& whom = "organization urn:oid:2.999.20 for Treatment",
                  const std::string& when = "with no end given") {
  return "By consent C1 version 4 the patient permits giving " + what + " to " + whom + ", " + when + ".";
}
const std::string labelled = "documents labelled 42CFRPart2";

TEST(Explanation, IsOneSentenceThatSaysWhatToWhomForWhichPurposesAndHowLong) {
  EXPECT_EQ(told(permit()), scope(labelled));
  auto limited = permit();
  limited.period = {on("2026-01-01"), on("2027-01-01")};
  EXPECT_EQ(told(limited), scope(labelled, "organization urn:oid:2.999.20 for Treatment",
                                 "from 2026-01-01T00:00:00.000Z until 2027-01-01T00:00:00.000Z"));
  limited.period.from.reset();
  EXPECT_THAT(told(limited), testing::EndsWith("Treatment, until 2027-01-01T00:00:00.000Z."));
  limited.period = {on("2026-01-01"), {}};
  EXPECT_THAT(told(limited), testing::EndsWith("Treatment, from 2026-01-01T00:00:00.000Z with no end given."));
}

TEST(Explanation, TellsWhichDocumentsWhereThatIsLimited) {
  auto of = document();
  of.classes = {{"34133-9", "2.16", ""}, {"18842-5", "2.16", ""}, {"X", "2.25", ""}};
  auto limited = permit();
  limited.classes = {{"11506-3", "2.16", ""}, {"18842-5", "2.16", "Discharge"}, {"34133-9", "2.16", ""},
                     {"X", "2.26", ""}};
  EXPECT_EQ(told(limited, of), scope(labelled + " of class 34133-9 of 2.16, 18842-5 of 2.16"));
  limited = permit();
  limited.documents = {"D1", "D2"};
  EXPECT_EQ(told(limited, of), scope("documents named one by one labelled 42CFRPart2"));
  limited = permit();
  limited.data = {on("2025-01-01"), on("2026-01-01")};
  const std::string since = " about care since 2025-01-01T00:00:00.000Z";
  EXPECT_EQ(told(limited, of), scope(labelled + since + " and before 2026-01-01T00:00:00.000Z"));
  limited.data.to.reset();
  EXPECT_EQ(told(limited, of), scope(labelled + since));
  limited.data = {{}, on("2026-01-01")};
  EXPECT_EQ(told(limited, of), scope(labelled + " about care before 2026-01-01T00:00:00.000Z"));
}

TEST(Explanation, NamesOnlyWhoAsksAndLabelsThatTheDocumentBears) {
  auto broad = permit({part2, act("SUD"), act("ETH"), act("HIV"), act("PSYTHPN")});
  broad.recipients.insert(broad.recipients.begin(), {clinic});
  broad.recipients.push_back({RecipientClass::HealthPlans});
  broad.exceptions = {{.permits = false, .recipients = {{clinic}}}};
  EXPECT_EQ(told(broad, document({act("SUD"), act("HIV"), part2, act("OPIOIDUD"), part2})),
            scope("documents labelled 42CFRPart2, SUD"));
}

TEST(Explanation, NamesTheClassOfRecipientsAndThePurposeItAsksFor) {
  auto by_class = permit();
  by_class.recipients = {{RecipientClass::HealthPlans}, {RecipientClass::TreatingProviders}, {clinic}};
  by_class.purposes = PurposeSet::all();
  EXPECT_EQ(told(by_class), scope(labelled, "treating providers for Treatment"));
  EXPECT_EQ(told(by_class, document(), Purpose::Payment),
            scope(labelled, "health plans for Payment"));
}

TEST(Explanation, OfAnExceptionIsLimitedByAllThatItIsAnExceptionTo) {
  auto root = permit({part2, act("SUD")});
  root.recipients = {{hospital}, {RecipientClass::TreatingProviders}};
  root.purposes = PurposeSet{Purpose::Treatment, Purpose::Payment};
  root.period = {on("2026-01-01"), on("2027-01-01")};
  root.data = {on("2020-01-01"), on("2026-01-01")};
  root.classes = {{"34133-9", "2.16", ""}};
  Provision inner{.permits = true, .period = {on("2026-02-01"), on("2028-01-01")}};
  inner.recipients = {{RecipientClass::TreatingProviders}};
  inner.labels = {part2, act("ETH")};
  inner.data = {on("2019-01-01"), on("2025-01-01")};
  root.exceptions = {inner};
  auto of = document({part2, act("SUD"), act("ETH")});
  of.classes = {{"34133-9", "2.16", ""}};
  EXPECT_EQ(told(root, root.exceptions[0], of),
            scope(labelled + " of class 34133-9 of 2.16 about care since 2020-01-01T00:00:00.000Z and before "
                             "2025-01-01T00:00:00.000Z",
                  "organization urn:oid:2.999.20 for Treatment",
                  "from 2026-02-01T00:00:00.000Z until 2027-01-01T00:00:00.000Z"));
  root.labels.clear();
  EXPECT_THAT(told(root, root.exceptions[0], of), testing::HasSubstr("labelled 42CFRPart2, ETH of class"))
      << "what names no label lets every one";
}

TEST(Explanation, IsBoundedWhateverADocumentIsCalled) {
  auto of = document({part2, act("SUD"), act("ETH"), act("ETHUD"), act("OPIOIDUD")});
  auto long_named = permit(of.labels);
  long_named.documents = {"D1"};
  long_named.period = long_named.data = {on("2026-01-01"), on("2027-01-01")};
  long_named.purposes = PurposeSet::all();
  of.classes = long_named.classes = {{std::string(293, 'x'), "2.1", ""}};
  EXPECT_THAT(told(long_named, of), testing::HasSubstr(" of class " + std::string(293, 'x') + " of 2.1 about"));
  EXPECT_LT(told(long_named, of).size(), 1000u);
  of.classes = long_named.classes = {{std::string(294, 'x'), "2.1", ""}};
  EXPECT_THAT(told(long_named, of), testing::HasSubstr(" of class that it names about"));
}

TEST(Explanation, OfABrokenGlassNamesNoOneOfTheStaff) {
  EXPECT_EQ(explanation({.id = "G1", .user = "ruth", .period = {on("2026-06-15"), on("2026-06-16")}}),
            "Disclosed in a medical emergency under 42 CFR 2.51, on break-glass G1, until 2026-06-16T00:00:00.000Z.");
  EXPECT_THAT(explanation({.id = "G1", .user = "ruth"}), testing::EndsWith("G1, with no end given."));
}

}  // namespace
}  // namespace policy
