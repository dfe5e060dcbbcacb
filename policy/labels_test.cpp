#include "policy/labels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace policy {
namespace {

Label conf(std::string code) { return {std::string(confidentiality_system), std::move(code)}; }
Label act(std::string code) { return {std::string(act_code_system), std::move(code)}; }

const std::vector<std::string> part2_codes{"42CFRPart2", "SUD", "ETH", "ETHUD", "OPIOIDUD"};
const std::vector<std::string> other_gated{"PSYTHPN", "HIPAAPsyNotes", "Title38Section7332"};
const std::vector<std::string> open_codes{
    "PSY",    "MH",           "BH",         "HIV",        "STD",       "SDV",      "VIO",      "SEX",
    "SPI",    "GDIS",         "MST",        "SCA",        "SICKLE",    "COGN",     "EMOTDIS",  "TBOO",
    "DVD",    "B",            "EMPL",       "LOCIS",      "SSP",       "ADOL",     "CEL",      "DIA",
    "DRGIS",  "EMP",          "PDS",        "PHY",        "PRS",       "HIPAANOPP", "HIPAASelfPay", "CommonRule",
    "ENCRYPT", "MASK",        "REDACT",     "DELAU",      "AUDIT",     "PERSISTLABEL", "PRIVMARK", "CPLYCD",
    "NORDSCLCD", "NODSCLCD",  "NORDSCLW",   "NOREUSE",    "NOPERSISTP", "NOAUTH",  "NOINTEGRATE", "NORELINK"};

TEST(Label, BringsUrlsAndUrnsToTheOidAndKeepsAllElse) {
  EXPECT_EQ(label("2.16.840.1.113883.5.25", "V"), conf("V"));
  EXPECT_EQ(label("urn:oid:2.16.840.1.113883.5.25", "V"), conf("V"));
  EXPECT_EQ(label("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "V"), conf("V"));
  EXPECT_EQ(label("http://terminology.hl7.org/CodeSystem/v3-ActCode", "ETH"), act("ETH"));
  EXPECT_EQ(label("http://hl7.org/fhir/v3/Confidentiality", "V"), conf("V"));
  EXPECT_EQ(label("http://hl7.org/fhir/v3/ActCode", "ETH"), act("ETH"));
  EXPECT_EQ(label("http://terminology.hl7.org/CodeSystem/v3-actcode", "ETH").system,
            "http://terminology.hl7.org/CodeSystem/v3-actcode");
  EXPECT_EQ(label("urn:oid:2.25.7", " x"), (Label{"2.25.7", " x"}));
  EXPECT_EQ(label("", "V"), (Label{"", "V"}));
}

TEST(Label, HasTheSystemThatFhirKnowsItBy) {
  EXPECT_EQ(fhir_system(confidentiality_system), "http://terminology.hl7.org/CodeSystem/v3-Confidentiality");
  EXPECT_EQ(fhir_system(act_code_system), "http://terminology.hl7.org/CodeSystem/v3-ActCode");
  EXPECT_EQ(fhir_system("2.25.7"), "urn:oid:2.25.7");
  EXPECT_EQ(fhir_system("http://example.org/labels"), "http://example.org/labels");
}

TEST(Label, IsWrittenByItsCodeWhereATableThatShipsHasItElseWithItsSystem) {
  EXPECT_EQ(word(conf("R")), "R");
  EXPECT_EQ(word(conf("V")), "V");
  EXPECT_EQ(word(act("HIV")), "HIV");
  EXPECT_EQ(word(act("42CFRPart2")), "42CFRPart2");
  EXPECT_EQ(word(conf("X")), "2.16.840.1.113883.5.25|X");
  EXPECT_EQ(word(act("R")), "2.16.840.1.113883.5.4|R");
  EXPECT_EQ(word(Label{"2.25.7", "HIV"}), "2.25.7|HIV");
  EXPECT_EQ(word(Label{"2.25.7", "V"}), "2.25.7|V");
}

TEST(Label, IsReadAsItIsWritten) {
  std::vector<Label> labels{conf("X"), act("R"), {"2.25.7", "HIV"}, {"2.25.7", "a|b"}, conf("U"), conf("L"), conf("M"),
                            conf("N"), conf("R"), conf("V")};
  for (const auto* codes : {&part2_codes, &other_gated, &open_codes}) {
    for (const auto& code : *codes) labels.push_back(act(code));
  }
  for (const auto& one : labels) EXPECT_EQ(label_from_word(word(one)), one) << word(one);
  EXPECT_EQ(label_from_word("http://terminology.hl7.org/CodeSystem/v3-ActCode|HIV"), act("HIV"));
  EXPECT_EQ(label_from_word("2|X"), (Label{"2", "X"}));
  for (const char* bad : {"", "X", "hiv", "|X", "2.25.7|", "|", "R "}) EXPECT_EQ(label_from_word(bad), std::nullopt) << bad;
}

TEST(LabelKind, IsGatedForWhatTheLawGates) {
  const LabelRules none;
  EXPECT_EQ(kind_of(conf("V"), none), LabelKind::Gated);
  for (const auto* codes : {&part2_codes, &other_gated}) {
    for (const auto& code : *codes) EXPECT_EQ(kind_of(act(code), none), LabelKind::Gated) << code;
  }
  std::vector<std::string> words;
  for (const Label& one : shipped_gated()) words.push_back(word(one));
  EXPECT_THAT(words, testing::ElementsAre("V", "42CFRPart2", "SUD", "ETH", "ETHUD", "OPIOIDUD", "PSYTHPN",
                                          "HIPAAPsyNotes", "Title38Section7332"));
}

TEST(LabelKind, IsOpenForWhatIsKnownElseUnknown) {
  const LabelRules none;
  for (const char* code : {"U", "L", "M", "N", "R"}) EXPECT_EQ(kind_of(conf(code), none), LabelKind::Open) << code;
  for (const auto& code : open_codes) EXPECT_EQ(kind_of(act(code), none), LabelKind::Open) << code;
  for (const Label& one : {conf("X"), conf("HIV"), conf("SUD"), act("V"), act("N"), act("hiv"), Label{"2.25.7", "HIV"},
                           Label{"2.25.7", "N"}, Label{"", "SUD"}})
    EXPECT_EQ(kind_of(one, none), LabelKind::Unknown) << word(one);
}

TEST(LabelKind, FollowsTheClinicWhereTheLawLetsIt) {
  const Label own{"2.25.7", "X"};
  EXPECT_EQ(kind_of(own, {.gated = {}, .known = {own}}), LabelKind::Open);
  EXPECT_EQ(kind_of(own, {.gated = {own}, .known = {}}), LabelKind::Gated);
  EXPECT_EQ(kind_of(own, {.gated = {own}, .known = {own}}), LabelKind::Gated);
  EXPECT_EQ(kind_of(own, {.gated = {}, .known = {{"2.25.7", "Y"}}}), LabelKind::Unknown);
  EXPECT_EQ(kind_of(act("HIV"), {.gated = {act("HIV")}, .known = {}}), LabelKind::Gated);
  EXPECT_EQ(kind_of(act("SUD"), {.gated = {}, .known = {act("SUD")}}), LabelKind::Gated);
  EXPECT_EQ(kind_of(conf("V"), {.gated = {}, .known = {conf("V")}}), LabelKind::Gated);
}

TEST(Part2, IsWhatProgramsOfSubstanceUseRecord) {
  for (const auto& code : part2_codes) EXPECT_TRUE(is_part2(act(code))) << code;
  for (const auto& code : other_gated) EXPECT_FALSE(is_part2(act(code))) << code;
  EXPECT_FALSE(is_part2(conf("V")));
  EXPECT_FALSE(is_part2(act("HIV")));
  EXPECT_FALSE(is_part2(conf("SUD")));
  EXPECT_FALSE(is_part2(Label{"2.25.7", "SUD"}));
}

TEST(Part2, IsSaidByItsLabelsAndItsStatement) {
  EXPECT_EQ(part2_label(), act("42CFRPart2"));
  EXPECT_EQ(no_redisclosure_label(), act("NORDSCLCD"));
  EXPECT_EQ(part2_statement, "42 CFR part 2 prohibits unauthorized use or disclosure of these records.");
}

}  // namespace
}  // namespace policy
