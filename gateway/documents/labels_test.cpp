#include "gateway/documents/labels.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace gateway::documents {
namespace {

using policy::Label;
using Words = std::vector<std::string>;

constexpr const char* nucc = "2.16.840.1.113883.6.101";

resources::Calendar utc() { return *resources::Calendar::of("UTC"); }

template <class Labels>
Words words(const Labels& labels) {
  Words all;
  for (const Label& one : labels) all.push_back(policy::word(one));
  std::ranges::sort(all);
  return all;
}

/// A document with something in its header and something in a section of a section.
std::string cda(const std::string& header, const std::string& section = {}) {
  return R"(<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc" )"
         R"(xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><id root="2.999.7" extension="D1"/>
         <code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/>)" + header +
         R"(<recordTarget><patientRole><patient><raceCode code="2106-3" codeSystem="2.16.840.1.113883.6.238"/>
         </patient></patientRole></recordTarget><component><structuredBody><component><section>
         <code code="11450-4" codeSystem="2.16.840.1.113883.6.1"/><text><content>42CFRPart2</content></text>
         <component><section>)" + section +
         "</section></component></section></component></structuredBody></component></ClinicalDocument>";
}

Markings markings(const std::string& text, const MarkingLimits& limits = {}) {
  const auto parsed = base::xml::Document::parse(text);
  if (!parsed) throw std::runtime_error(parsed.error().code.message());
  return markings_in_cda(parsed->root(), limits);
}

std::string annotation(const std::string& code, const std::string& value) {
  return R"(<entry><observation classCode="OBS" moodCode="EVN"><code code="C" codeSystem="2.999.1"/><entryRelationship>
    <organizer classCode="CLUSTER" moodCode="EVN"><templateId root="2.16.840.1.113883.3.3251.1.4"/><component>
    <observation classCode="OBS" moodCode="EVN"><code code=")" + code +
         R"(" codeSystem="2.16.840.1.113883.1.11.20457"/>)" + value +
         "</observation></component></organizer></entryRelationship></observation></entry>";
}
std::string value(const std::string& code, const std::string& system) {
  return "<value xsi:type=\"CE\" code=\"" + code + "\" codeSystem=\"" + system + "\"/>";
}
std::string confidentiality(const std::string& code, const std::string& system = "2.16.840.1.113883.5.25") {
  return "<confidentialityCode code=\"" + code + "\" codeSystem=\"" + system + "\"/>";
}
const std::string act = "2.16.840.1.113883.5.4";

TEST(MarkingsInCda, FindALabelWhereverItStands) {
  struct Row {
    const char* where;
    std::string text;
    Words expected;
  };
  const Row table[] = {
      {"nowhere", cda(""), {}},
      {"header", cda(confidentiality("V")), {"V"}},
      {"header, another system", cda(confidentiality("42CFRPart2", act)), {"42CFRPart2"}},
      {"header, as a URL", cda(confidentiality("PSY", "http://terminology.hl7.org/CodeSystem/v3-ActCode")), {"PSY"}},
      {"header, blanks around", cda(confidentiality(" V ")), {"V"}},
      {"header, several", cda(confidentiality("N") + confidentiality("HIV", act)), {"HIV", "N"}},
      {"translation", cda("<confidentialityCode nullFlavor=\"OTH\"><translation code=\"ETH\" codeSystem=\"" + act +
                          "\"/></confidentialityCode>"), {"ETH"}},
      {"extension", cda("<sdtc:confidentialityCode code=\"V\" codeSystem=\"2.16.840.1.113883.5.25\"/>"), {"V"}},
      {"section in a section", cda(confidentiality("N"), confidentiality("V")), {"N", "V"}},
      {"unknown", cda(confidentiality("X", "2.999.4")), {"2.999.4|X"}},
      {"without a system", cda("<confidentialityCode code=\"N\"/>"), {"|N"}},
      {"annotation", cda("", annotation("SECCATOBS", value("HIV", act))), {"HIV"}},
      {"annotation, unknown value", cda("", annotation("SECCATOBS", value("X", "2.999.4"))), {"2.999.4|X"}},
      {"annotation, system of observation values",
       cda("", annotation("SECCLASSOBS", value("R", "2.16.840.1.113883.5.1063"))), {"R"}},
      {"annotation, a value set for a system",
       cda("", annotation("SECCONOBS", value("NORDSCLCD", "2.16.840.1.113883.1.11.20471"))), {"NORDSCLCD"}},
      {"annotation without a template",
       cda("", "<entry><observation><code code=\"SECCATOBS\" codeSystem=\"" + act + "\"/>" + value("SUD", act) +
                   "</observation></entry>"), {"SUD"}},
      {"an entry's own code", cda("", "<entry><act><code code=\"PSYTHPN\" codeSystem=\"" + act + "\"/></act></entry>"),
       {"PSYTHPN"}},
      {"author's organization",
       cda("<author><assignedAuthor><representedOrganization><standardIndustryClassCode code=\"42CFRPart2\" "
           "codeSystem=\"" + act + "\"/></representedOrganization></assignedAuthor></author>"), {"42CFRPart2"}},
      {"other codes are no labels", cda("", "<entry><act><code code=\"ASSERTION\" codeSystem=\"" + act +
                                                "\"/><statusCode code=\"V\"/></act></entry>"), {}},
  };
  for (const auto& row : table) {
    const auto found = markings(row.text);
    EXPECT_EQ(words(found.labels), row.expected) << row.where;
    EXPECT_TRUE(found.complete) << row.where;
  }
}

TEST(MarkingsInCda, AreIncompleteWhereALabelCannotBeRead) {
  EXPECT_FALSE(markings(cda("", annotation("SECCATOBS", "<value xsi:type=\"CE\" nullFlavor=\"UNK\"/>"))).complete);
  EXPECT_FALSE(markings(cda("", annotation("SECCATOBS", "<value>secret</value>"))).complete);
  EXPECT_TRUE(markings(cda("", "<entry><observation><value>42</value></observation></entry>")).complete);
  EXPECT_FALSE(markings(cda(confidentiality(std::string(257, 'x')))).complete);
  EXPECT_FALSE(markings(cda(confidentiality("X", "-2.999"))).complete) << "a minus in front means something else";
  EXPECT_FALSE(markings(cda(confidentiality("X", "a|b"))).complete);
  EXPECT_FALSE(markings(cda(confidentiality("X&#10;2.16.840.1.113883.5.25|N", "2.999"))).complete);
  EXPECT_TRUE(markings(cda("<confidentialityCode nullFlavor=\"NI\"/>")).complete) << "no label";
}

TEST(MarkingsInCda, KeepTheCodesOfActsSectionsAndOrganizationsOnce) {
  const auto found = markings(cda("", "<entry><act><code code=\"A\" codeSystem=\"2.999.1\"/></act></entry>"
                                      "<entry><act><code code=\"A\" codeSystem=\"2.999.1\"/><value code=\"B\" "
                                      "codeSystem=\"2.999.1\"/><statusCode code=\"active\"/></act></entry>"));
  EXPECT_EQ(write_codes(found.codes), "2.16.840.1.113883.6.1|11450-4\n2.16.840.1.113883.6.1|34133-9\n2.999.1|A\n"
                                      "2.999.1|B\n")
      << "none of the patient's own";
  EXPECT_TRUE(markings(cda(""), {.codes = 2}).complete);
  EXPECT_FALSE(markings(cda(""), {.codes = 1}).complete);
  EXPECT_TRUE(markings(cda(confidentiality("N")), {.labels = 1}).complete);
  EXPECT_FALSE(markings(cda(confidentiality("N") + confidentiality("V")), {.labels = 1}).complete);
}

xca::ebxml::DocumentEntry entry() {
  xca::ebxml::DocumentEntry one;
  one.unique_id = "u1";
  one.class_code = {"34133-9", "2.16.840.1.113883.6.1", ""};
  one.type_code = {"60591-5", "2.16.840.1.113883.6.1", ""};
  one.creation_time = "20250601153000";
  one.confidentiality_codes = {{"N", "2.16.840.1.113883.5.25", ""}};
  return one;
}

TEST(MarkingsInMetadata, AreItsConfidentialityAndEventCodes) {
  auto one = entry();
  one.confidentiality_codes.push_back({"X", "2.999.4", ""});
  one.event_codes = {{"ETH", "urn:oid:" + act, ""}, {"E", "2.999.1", ""}};
  const auto found = markings_in_metadata(one);
  EXPECT_EQ(words(found.labels), (Words{"2.999.4|X", "ETH", "N"}));
  EXPECT_TRUE(found.codes.contains("2.999.1|E"));
  EXPECT_TRUE(found.codes.contains("2.16.840.1.113883.6.1|60591-5"));
  EXPECT_TRUE(found.complete);
  one.confidentiality_codes.push_back({"", "2.999.4", ""});
  EXPECT_FALSE(markings_in_metadata(one).complete);
}

TEST(ShippedMarks, LabelWhatAPlaceOfSubstanceUseTreatmentMade) {
  const auto labels = [](const std::string& code, const std::string& system) {
    Markings all;
    merge(all, markings(cda("<custodian><assignedCustodian><representedCustodianOrganization>"
                            "<standardIndustryClassCode code=\"" + code + "\" codeSystem=\"" + system +
                            "\"/></representedCustodianOrganization></assignedCustodian></custodian>")));
    return words(all.labels);
  };
  EXPECT_EQ(labels("324500000X", nucc), Words{"42CFRPart2"});
  EXPECT_EQ(labels("261QM2800X", nucc), Words{"42CFRPart2"});
  EXPECT_EQ(labels("20078004", "2.16.840.1.113883.6.96"), Words{"42CFRPart2"});
  EXPECT_EQ(labels("207Q00000X", nucc), Words{}) << "family medicine";
  EXPECT_EQ(labels("324500000X", "2.999"), Words{}) << "the pair counts";
  for (const auto& mark : shipped_marks()) EXPECT_TRUE(line_of(mark.code.system, mark.code.code)) << mark.code.code;
}

TEST(MarkTable, FindsItsCodesInOnePassAndRefusesWhatIsNotOurs) {
  const Label own{"2.999.4", "OWN"}, other{"2.999.4", "OTHER"};
  const std::vector<policy::Mark> marks{{{"B", "2.999.1", ""}, own}, {{"B", "2.999.1", ""}, other},
                                        {{"A", "2.999.1", ""}, own}, {{"Z", "2.999.1", ""}, own}};
  const MarkTable table(marks);
  const auto labels = [&](std::string_view codes) -> std::string {
    std::set<Label> found;
    if (!table.add_labels(codes, found)) return "unreadable";
    std::string all;
    for (const Label& one : found) all += one.code + " ";
    return all;
  };
  EXPECT_EQ(labels(""), "");
  EXPECT_EQ(labels("2.999.1|A\n2.999.1|AB\n"), "OWN ");
  EXPECT_EQ(labels("1|A\n2.999.1|B\n3|C\n"), "OTHER OWN ");
  EXPECT_EQ(labels("2.999.1|\n2.999.1|BB\n"), "");
  EXPECT_EQ(labels("2.999.1|C\n2.999.1|Z\n"), "OWN ");
  for (const char* text : {"2.999.1|A", "2.999.1|B\n2.999.1|A\n", "2.999.1|A\n2.999.1|A\n", "A\n", "\n"})
    EXPECT_EQ(labels(text), "unreadable") << text;
  EXPECT_TRUE(MarkTable({}).empty());
}

TEST(StoredLabels, AreReadAsTheyAreWritten) {
  StoredLabels stored{.labels = {{act, "PSY"}, {"", "N"}, {"2.999", "a b"}}, .taken_away = {{act, "HIV"}}};
  EXPECT_EQ(write_labels(stored), "|N\n2.16.840.1.113883.5.4|PSY\n2.999|a b\n-2.16.840.1.113883.5.4|HIV\n");
  EXPECT_EQ(read_labels(write_labels(stored)), stored);
  stored.complete = false;
  EXPECT_EQ(read_labels(write_labels(stored)), stored);
  EXPECT_EQ(read_labels(""), StoredLabels{});
  for (const char* text : {"PSY\n", "\n", "2.999|\n", "--2.999|X\n"}) EXPECT_TRUE(read_labels(text).damaged) << text;
}

TEST(StoredLabels, GoUpByMessageButForWhatStaffTookAway) {
  StoredLabels stored{.labels = {{act, "PSY"}}, .taken_away = {{act, "HIV"}}};
  stored.raise({{act, "HIV"}, {act, "ETH"}}, true);
  EXPECT_EQ(words(stored.labels), (Words{"ETH", "PSY"}));
  EXPECT_TRUE(stored.complete);
  stored.raise({}, false);
  stored.raise({}, true);
  EXPECT_FALSE(stored.complete) << "what one did not tell, another does not make good";
}

TEST(LabelsOf, AreWhatIsStoredWhatTheMetadataSaysAndWhatTheClinicMarks) {
  const std::vector<policy::Mark> marks{{{"11450-4", "2.16.840.1.113883.6.1", ""}, {"2.999.4", "OWN"}}};
  const std::string codes = "2.16.840.1.113883.6.1|11450-4\n", psy = act + "|PSY\n";
  const auto facts = labels_of(entry(), psy, codes, MarkTable(marks), utc());
  EXPECT_EQ(words(facts.labels), (Words{"2.999.4|OWN", "N", "PSY"}));
  EXPECT_EQ(facts.unique_id, "u1");
  ASSERT_EQ(facts.classes.size(), 2u);
  EXPECT_EQ(facts.classes[1].code, "60591-5");
  EXPECT_TRUE(facts.readable);
  EXPECT_EQ(words(labels_of(entry(), psy, codes, MarkTable({}), utc()).labels), (Words{"N", "PSY"}));
  const std::string taken = "-2.999.4|OWN\n-2.16.840.1.113883.5.25|N\n";
  EXPECT_EQ(words(labels_of(entry(), psy + taken, codes, MarkTable(marks), utc()).labels), Words{"PSY"})
      << "what staff took away does not count, wherever it is written";
}

TEST(LabelsOf, AndCodesAreOfTheSameSystemHoweverMetadataWritesIt) {
  auto one = entry();
  one.class_code.system = "urn:oid:" + one.class_code.system;
  one.event_codes = {{"E", "urn:oid:2.999.1", ""}};
  const auto classes = [](const auto& of) { return labels_of(of, "", "", MarkTable({}), utc()).classes; };
  EXPECT_EQ(classes(one), classes(entry()));
  EXPECT_TRUE(markings_in_metadata(one).codes.contains("2.999.1|E"));
  EXPECT_TRUE(markings_in_metadata(one).codes.contains("2.16.840.1.113883.6.1|34133-9"));
}

TEST(LabelsOf, AreUnreadableWhereSomethingStoredIs) {
  const std::vector<policy::Mark> marks{{{"A", "2.999", ""}, {"2.999.4", "OWN"}}};
  const auto readable = [&](std::string_view labels, std::string_view codes) {
    return labels_of(entry(), labels, codes, MarkTable(marks), utc()).readable;
  };
  EXPECT_TRUE(readable("", ""));
  EXPECT_FALSE(readable("?\n", ""));
  EXPECT_FALSE(readable("PSY\n", ""));
  EXPECT_FALSE(readable("", "2.999|B"));
  EXPECT_TRUE(readable("", "2.999|B\n"));
}

TEST(SayLabels, MakesAnEntrySayWhatWasFoundInItsDocument) {
  const std::string v3 = std::string(policy::confidentiality_system);
  policy::LabelRules rules;  // of a clinic that gates one of HL7's labels and one of its own
  rules.gated = {{act, "HIV"}, {"2.999.4", "OWN"}};
  struct Row {
    std::vector<std::string> said;  // codes of v3-Confidentiality
    std::vector<policy::Label> found;
    std::vector<std::string> then;  // codes
  };
  const Row table[] = {
      {{"N"}, {}, {"N"}},
      {{"N"}, {{v3, "N"}}, {"N"}},
      {{"N"}, {{v3, "R"}}, {"N", "R"}},
      {{"N"}, {{v3, "R"}, {v3, "V"}}, {"N", "V"}},
      {{"R"}, {{v3, "L"}, {v3, "N"}}, {"R"}},
      {{"V"}, {{v3, "R"}, {act, "HIV"}}, {"V", "HIV"}},
      {{}, {{v3, "U"}}, {"U"}},
      {{"N"}, {{act, "42CFRPart2"}, {act, "PSY"}}, {"N", "42CFRPart2"}},
      {{"N"}, {{"2.999.4", "OWN"}, {act, "NONE-OF-HL7"}, {v3, "X"}}, {"N"}},
      {{"N"}, {{act, "MASK"}, {act, "NODSCLCD"}, {act, "NORDSCLCD"}}, {"N"}},
  };
  for (const auto& row : table) {
    auto one = entry();
    one.confidentiality_codes.clear();
    for (const auto& code : row.said) one.confidentiality_codes.push_back({code, v3, ""});
    policy::DocumentFacts facts;
    facts.labels = row.found;
    say_labels(one, facts, rules);
    std::vector<std::string> codes;
    for (const auto& code : one.confidentiality_codes) codes.push_back(code.code);
    EXPECT_EQ(codes, row.then);
    const auto once = one.confidentiality_codes;
    say_labels(one, facts, rules);
    EXPECT_EQ(one.confidentiality_codes, once);
  }
}

TEST(SayLabels, KnowsACodeUnderTheUrlOfItsSystem) {
  auto one = entry();
  one.confidentiality_codes = {{"42CFRPart2", "urn:oid:" + act, ""}};
  policy::DocumentFacts facts;
  facts.labels = {{act, "42CFRPart2"}};
  say_labels(one, facts, {});
  EXPECT_EQ(one.confidentiality_codes.size(), 1u);
}

TEST(LabelsOf, SayWhenTheServiceWas) {
  struct Row {
    const char *start, *stop, *created, *first, *last;
  };
  const Row table[] = {
      {"20250501", "20250601103000", "x", "2025-05-01T00:00:00.000Z", "2025-06-01T10:30:00.999Z"},
      {"20250501", "20250601", "", "2025-05-01T00:00:00.000Z", "2025-06-01T23:59:59.999Z"},
      {"", "", "20250601153000", "2025-06-01T15:30:00.000Z", "2025-06-01T15:30:00.999Z"},
      {"", "", "202506011530", "2025-06-01T15:30:00.000Z", "2025-06-01T15:30:59.999Z"},
      {"", "", "2025060115", "2025-06-01T15:00:00.000Z", "2025-06-01T15:59:59.999Z"},
      {"", "", "202501", "2025-01-01T00:00:00.000Z", "2025-01-31T23:59:59.999Z"},
      {"", "", "2024", "2024-01-01T00:00:00.000Z", "2024-12-31T23:59:59.999Z"},
      {"20250501", "", "20250601", "2025-05-01T00:00:00.000Z", ""},
      {"", "20250501", "20250601", "", "2025-05-01T23:59:59.999Z"},
      {"", "", "", "", ""},
      {"20250601", "20250501", "20250601", "", ""},
  };
  for (const auto& row : table) {
    auto one = entry();
    one.service_start = row.start;
    one.service_stop = row.stop;
    one.creation_time = row.created;
    const auto facts = labels_of(one, "", "", MarkTable({}), utc());
    const auto shown = [](const std::optional<base::Instant>& at) { return at ? base::write_date_time(*at) : ""; };
    EXPECT_TRUE(facts.readable) << row.start << row.stop << row.created;
    EXPECT_EQ(shown(facts.service.from), row.first) << row.start << row.stop << row.created;
    EXPECT_EQ(shown(facts.service.to), row.last) << row.start << row.stop << row.created;
  }
  auto one = entry();
  one.creation_time = "20251102";
  const auto new_york = *resources::Calendar::of("America/New_York");
  EXPECT_EQ(labels_of(one, "", "", MarkTable({}), new_york).service,
            (policy::Period{*base::read_date_time("2025-11-02T04:00:00Z"),
                            *base::read_date_time("2025-11-03T04:59:59.999999Z")}))
      << "a day is the clinic's, of 25 hours where it has them";
  one.service_stop = "yesterday";
  EXPECT_FALSE(labels_of(one, "", "", MarkTable({}), utc()).readable);
}

}  // namespace
}  // namespace gateway::documents
