#include "gateway/documents/labelling.hpp"

#include "gateway/documents/shelf.hpp"
#include "gateway/documents/submission.hpp"
#include "gateway/documents/testing.hpp"

#include <algorithm>

namespace gateway::documents {
namespace {

using patients::testing::noon;
using patients::testing::ok;
using patients::testing::patient_line;
using policy::Label;
using testing::file_of;
using testing::uuid;
using Words = std::vector<std::string>;
using xca::ebxml::AssociationType;
using xca::ebxml::RegistryObjects;

const std::string part2 = R"(<confidentialityCode code="42CFRPart2" codeSystem="2.16.840.1.113883.5.4"/>)";
const std::string normal = R"(<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>)";

std::string cda(const std::string& id, const std::string& header = normal, const std::string& section = {}) {
  return R"(<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="2.999.7" extension=")" + id +
         R"("/><code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/><title>Summary</title>
         <effectiveTime value="20250601103000-0500"/>)" + header +
         R"(<recordTarget><patientRole><id root="2.999.1.1" extension="1"/>
         <patient><name><given>Ann</given><family>Smith</family></name><birthTime value="19700615"/></patient>
         </patientRole></recordTarget><component><structuredBody><component><section>)" + section +
         "<text>None known</text></section></component></structuredBody></component></ClinicalDocument>";
}
std::string replacing(const std::string& parent) {
  return R"(<relatedDocument typeCode="RPLC"><parentDocument><id root="2.999.7" extension=")" + parent +
         "\"/></parentDocument></relatedDocument>";
}

/// Adding to a document that has a root alone for an id, and another id that nobody knows.
std::string appending_to_root(const std::string& root) {
  return R"(<relatedDocument typeCode="APND"><parentDocument><id nullFlavor="UNK"/><id root=")" + root +
         "\"/></parentDocument></relatedDocument>";
}

/// A submission of one entry with this confidentiality, related to an earlier one where that is named.
RegistryObjects submission(const std::string& n, const std::string& confidentiality, const std::string& target = {},
                           AssociationType type = AssociationType::Replace) {
  auto objects = testing::submission(n);
  auto& entry = objects.entries.front();
  entry.class_code = entry.type_code = entry.format_code = entry.facility_type = entry.practice_setting =
      {"c" + n, "1.2", "C"};
  const bool is_confidentiality = confidentiality.size() == 1;
  entry.confidentiality_codes = {
      {confidentiality, is_confidentiality ? "2.16.840.1.113883.5.25" : "2.16.840.1.113883.5.4", confidentiality}};
  if (!target.empty()) {
    objects.associations.push_back({.entry_uuid = uuid("b" + n), .home = {}, .type = type, .source = entry.entry_uuid,
                                    .target = target, .set_status = {}});
  }
  return objects;
}

class Labelling : public patients::testing::ShelfTest {
 protected:
  void SetUp() override {
    ShelfTest::SetUp();
    if (IsSkipped()) return;
    import(patient_line("1", "Smith", "Ann", "1970-06-15"));
  }
  Imported add(const std::string& bytes) { return ok(import_document(*database_, *clinic_, bytes, {}, noon)).outcome; }
  Imported add(const RegistryObjects& objects) {
    return ok(import_submission(*database_, *clinic_, file_of(objects), noon)).outcome;
  }
  DocumentLabels shown(const std::string& id) { return ok(show_labels(*database_, *clinic_, id)); }
  /// The labels that count, as words; `?` where they cannot all be read.
  Words labels(const std::string& id) {
    const auto facts = shown(id).held.document.value();
    Words words;
    for (const Label& one : facts.labels) words.push_back(policy::word(one));
    std::ranges::sort(words);
    if (!facts.readable) words.push_back("?");
    return words;
  }
  void change(const std::string& id, const Words& to_add, const Words& to_remove) {
    LabelChange change{.actor = "Records office", .reason = "as discussed"};
    for (const auto& word : to_add) change.add.push_back(*policy::label_from_word(word));
    for (const auto& word : to_remove) change.remove.push_back(*policy::label_from_word(word));
    ok(set_labels(*database_, *clinic_, id, change, noon));
  }
  /// As if nothing had been known of it.
  void strip(const std::string& unique_id) {
    execute("UPDATE documents SET labels = '', codes = '' WHERE unique_id = '" + unique_id + "'");
  }
  void execute(const std::string& sql) { ok(ok(database_->session())->execute(sql)); }
};
ON_BOTH_DATABASES(Labelling);

TEST_P(Labelling, TakesLabelsOfHeaderSectionsAndMetadata) {
  add(cda("D1"));
  EXPECT_EQ(labels("2.999.7^D1"), Words{"N"});
  add(cda("D2", part2));
  EXPECT_EQ(labels("2.999.7^D2"), Words{"42CFRPart2"});
  add(cda("D3", normal, R"(<confidentialityCode code="V" codeSystem="2.16.840.1.113883.5.25"/>)"));
  EXPECT_EQ(labels("2.999.7^D3"), (Words{"N", "V"})) << "in a section, not in the metadata";
  add(cda("D4", ""));
  EXPECT_EQ(labels("2.999.7^D4"), Words{"R"}) << "without a label it is not normal";
  add(submission("1", "HIV"));
  EXPECT_EQ(labels("2.999.8.1"), Words{"HIV"});
}

TEST_P(Labelling, ReachesPolicyWithEveryDocumentThatIsAskedFor) {
  add(cda("D1", part2));
  DocumentShelf shelf(*database_);
  const auto one = xca::ebxml::understood(
      "GetDocuments", xca::ebxml::slot("$XDSDocumentEntryUniqueId", {"('2.999.7^D1')"}));
  const auto asked = ok(shelf.concerned(*clinic_, one)).entries;
  for (const auto& held : {asked, ok(shelf.retrievable(*clinic_, {"2.999.7^D1"}))}) {
    ASSERT_EQ(held.size(), 1u);
    ASSERT_TRUE(held[0].document);
    EXPECT_EQ(held[0].document->labels, std::vector<Label>{policy::part2_label()});
    EXPECT_EQ(held[0].document->unique_id, "2.999.7^D1");
  }
}

TEST_P(Labelling, ActsByTheClinicsOwnMarksOnWhatIsHeldAlready) {
  add(cda("D1", normal, R"(<code code="11111-1" codeSystem="2.16.840.1.113883.6.1"/>)"));
  add(cda("D2"));
  const Label own{"2.999.4", "OWN"};
  clinic_->rules.labels.marks = {{{"11111-1", "2.16.840.1.113883.6.1", ""}, own}};
  EXPECT_EQ(labels("2.999.7^D1"), (Words{"2.999.4|OWN", "N"}));
  EXPECT_EQ(labels("2.999.7^D2"), Words{"N"});
  change("2.999.7^D1", {}, {"2.999.4|OWN"});
  EXPECT_EQ(labels("2.999.7^D1"), Words{"N"});
}

TEST_P(Labelling, LosesNothingByANewVersion) {
  add(cda("D1", part2, R"(<code code="11111-1" codeSystem="2.16.840.1.113883.6.1"/>)"));
  add(cda("D2", normal + replacing("D1")));
  EXPECT_EQ(labels("2.999.7^D2"), (Words{"42CFRPart2", "N"}));
  add(cda("D3", normal + replacing("D2")));
  EXPECT_EQ(labels("2.999.7^D3"), (Words{"42CFRPart2", "N"})) << "nor by the one after";
  clinic_->rules.labels.marks = {{{"11111-1", "2.16.840.1.113883.6.1", ""}, {"2.999.4", "OWN"}}};
  EXPECT_EQ(labels("2.999.7^D3"), (Words{"2.999.4|OWN", "42CFRPart2", "N"})) << "nor what marks it";
  add(cda("D4", normal + replacing("D9")));
  EXPECT_EQ(labels("2.999.7^D4"), Words{"N"}) << "of what is not held nothing is known";

  add(submission("1", "HIV"));
  add(submission("2", "N", uuid("d1")));
  EXPECT_EQ(labels("2.999.8.2"), (Words{"HIV", "N"}));
  add(submission("3", "PSY", uuid("d2"), AssociationType::Append));
  EXPECT_EQ(labels("2.999.8.3"), (Words{"HIV", "N", "PSY"}));
  add(submission("4", "N", uuid("d3"), AssociationType::Signs));
  EXPECT_EQ(labels("2.999.8.4"), Words{"N"}) << "a signature is not what it signs";
  EXPECT_EQ(labels("2.999.8.1"), Words{"HIV"}) << "nothing goes back";
}

TEST_P(Labelling, IsRaisedByTheSameDocumentAgainAndNeverLowered) {
  add(cda("D1", part2));
  add(submission("1", "HIV"));
  ok(ok(database_->session())->execute("UPDATE documents SET labels = :p1 WHERE unique_id = :p2",
                                       {std::string("2.999|X\n"), std::string("2.999.7^D1")}));
  EXPECT_EQ(add(cda("D1", part2)), Imported::Unchanged);
  EXPECT_EQ(labels("2.999.7^D1"), (Words{"2.999|X", "42CFRPart2"}));
  change("2.999.8.1", {"PSY"}, {"HIV"});
  EXPECT_EQ(add(submission("1", "HIV")), Imported::Unchanged);
  EXPECT_EQ(labels("2.999.8.1"), Words{"PSY"}) << "staff have judged this very document";
}

TEST_P(Labelling, GoesDownByStaffAloneAndIsRemembered) {
  add(cda("D1", part2));
  change("2.999.7^D1", {"PSY", "2.999.4|OWN"}, {"42CFRPart2"});
  EXPECT_EQ(labels("2.999.7^D1"), (Words{"2.999.4|OWN", "PSY"})) << "though header and metadata say it still";
  change("2.999.7^D1", {"42CFRPart2"}, {"PSY"});
  EXPECT_EQ(labels("2.999.7^D1"), (Words{"2.999.4|OWN", "42CFRPart2"}));
  const auto told = shown("2.999.7^D1");
  EXPECT_EQ(told.taken_away, std::vector<Label>{*policy::label_from_word("PSY")});
  ASSERT_EQ(told.history.size(), 2u);
  for (const auto& row : told.history) {
    EXPECT_EQ(row.actor, "Records office");
    EXPECT_EQ(row.reason, "as discussed");
    EXPECT_EQ(row.set_at, noon);
  }
  add(cda("D2", normal + replacing("D1")));
  EXPECT_EQ(labels("2.999.7^D2"), (Words{"2.999.4|OWN", "42CFRPart2", "N"})) << "a new version keeps what staff set";
  add(cda("D3", part2));
  change("2.999.7^D3", {}, {"42CFRPart2"});
  add(cda("D4", normal + replacing("D3")));
  EXPECT_EQ(labels("2.999.7^D4"), Words{"N"}) << "and does not get back what staff took away";
  ok(patients::delete_patient(*database_, *clinic_, id_of("1")));
  EXPECT_EQ(count("document_labels"), 0u);
}

TEST_P(Labelling, ReachesAllNewVersionsWhenStaffAddALabelLater) {
  add(cda("D1"));
  add(cda("D2", normal + replacing("D1")));
  add(cda("D3", normal + replacing("D2")));
  add(cda("D4"));
  change("2.999.7^D2", {"42CFRPart2"}, {});
  EXPECT_EQ(labels("2.999.7^D3"), (Words{"42CFRPart2", "N"}));
  EXPECT_EQ(labels("2.999.7^D1"), Words{"N"}) << "nothing goes back";
  change("2.999.7^D1", {"PSY"}, {});
  EXPECT_EQ(labels("2.999.7^D2"), (Words{"42CFRPart2", "N", "PSY"}));
  EXPECT_EQ(labels("2.999.7^D3"), (Words{"42CFRPart2", "N", "PSY"}));
  EXPECT_EQ(labels("2.999.7^D4"), Words{"N"}) << "it has nothing to do with them";
  change("2.999.7^D1", {}, {"PSY"});
  EXPECT_EQ(labels("2.999.7^D2"), (Words{"42CFRPart2", "N", "PSY"})) << "what is taken away is so of one document";

  const std::pair<AssociationType, bool> types[] = {
      {AssociationType::Replace, true},   {AssociationType::Append, true},
      {AssociationType::Transform, true}, {AssociationType::TransformAndReplace, true},
      {AssociationType::IsSnapshotOf, true}, {AssociationType::Signs, false}};
  for (int n = 10; const auto& [type, inherits] : types) {
    const auto parent = std::to_string(n++), child = std::to_string(n++), grandchild = std::to_string(n++);
    add(submission(parent, "N"));
    add(submission(child, "N", uuid("d" + parent), type));
    add(submission(grandchild, "N", uuid("d" + child), AssociationType::Append));
    change("2.999.8." + parent, {"HIV"}, {});
    const auto right = inherits ? Words{"HIV", "N"} : Words{"N"};
    EXPECT_EQ(labels("2.999.8." + child), right) << n;
    EXPECT_EQ(labels("2.999.8." + grandchild), right) << n;
  }
}

TEST_P(Labelling, ReachesAllNewVersionsWhenAReimportRaisesAnOldOne) {
  add(cda("D1", part2, R"(<code code="11111-1" codeSystem="2.16.840.1.113883.6.1"/>)"));
  add(cda("D2", normal + replacing("D1")));
  add(cda("D3", normal + replacing("D2")));
  add(cda("D4"));
  for (const auto* id : {"2.999.7^D1", "2.999.7^D2", "2.999.7^D3", "2.999.7^D4"}) strip(id);
  EXPECT_EQ(labels("2.999.7^D3"), Words{"N"});
  EXPECT_EQ(add(cda("D1", part2, R"(<code code="11111-1" codeSystem="2.16.840.1.113883.6.1"/>)")),
            Imported::Unchanged);
  EXPECT_EQ(labels("2.999.7^D2"), (Words{"42CFRPart2", "N"}));
  EXPECT_EQ(labels("2.999.7^D3"), (Words{"42CFRPart2", "N"}));
  EXPECT_EQ(labels("2.999.7^D4"), Words{"N"});
  clinic_->rules.labels.marks = {{{"11111-1", "2.16.840.1.113883.6.1", ""}, {"2.999.4", "OWN"}}};
  EXPECT_EQ(labels("2.999.7^D3"), (Words{"2.999.4|OWN", "42CFRPart2", "N"})) << "codes go with them";

  add(submission("1", "HIV"));
  add(submission("2", "N", uuid("d1")));
  add(submission("3", "N", uuid("d2"), AssociationType::Transform));
  for (const auto* id : {"2.999.8.1", "2.999.8.2", "2.999.8.3"}) strip(id);
  EXPECT_EQ(labels("2.999.8.3"), Words{"N"});
  EXPECT_EQ(add(submission("1", "HIV")), Imported::Unchanged);
  EXPECT_EQ(labels("2.999.8.2"), (Words{"HIV", "N"}));
  EXPECT_EQ(labels("2.999.8.3"), (Words{"HIV", "N"}));
}

TEST_P(Labelling, StopsAtWhatStaffTookAwayFromANewVersion) {
  add(cda("D1"));
  add(cda("D2", normal + replacing("D1")));
  add(cda("D3", normal + replacing("D2")));
  change("2.999.7^D2", {}, {"42CFRPart2"});
  change("2.999.7^D1", {"42CFRPart2", "PSY"}, {});
  EXPECT_EQ(labels("2.999.7^D1"), (Words{"42CFRPart2", "N", "PSY"}));
  EXPECT_EQ(labels("2.999.7^D2"), (Words{"N", "PSY"}));
  EXPECT_EQ(labels("2.999.7^D3"), (Words{"N", "PSY"})) << "it is made from what staff have judged";
  add(cda("D1"));
  add(cda("D2", normal + replacing("D1")));
  EXPECT_EQ(labels("2.999.7^D2"), (Words{"N", "PSY"})) << "nor by either again";
  change("2.999.7^D2", {"42CFRPart2"}, {});
  EXPECT_EQ(labels("2.999.7^D3"), (Words{"42CFRPart2", "N", "PSY"})) << "until staff add it";
}

TEST_P(Labelling, IsTheSameInWhateverOrderVersionsCome) {
  std::vector<int> order{1, 2, 3};
  int round = 0;
  do {
    const auto name = [&](int n) { return "R" + std::to_string(round) + "-" + std::to_string(n); };
    for (const int n : order)
      add(n == 1 ? cda(name(1), part2) : cda(name(n), normal + replacing(name(n - 1))));
    EXPECT_EQ(labels("2.999.7^" + name(1)), Words{"42CFRPart2"}) << "nothing goes back";
    for (const int n : {2, 3}) EXPECT_EQ(labels("2.999.7^" + name(n)), (Words{"42CFRPart2", "N"})) << name(n);
    ++round;
  } while (std::ranges::next_permutation(order).found);
  EXPECT_EQ(round, 6);

  add(cda("D2", normal + replacing("D1")));
  add(cda("D5", normal + replacing("D4")));
  add(cda("D1"));
  EXPECT_EQ(labels("2.999.7^D2"), Words{"N"}) << "the parent has nothing to hand down yet";
  change("2.999.7^D1", {"PSY"}, {});
  EXPECT_EQ(labels("2.999.7^D2"), (Words{"N", "PSY"}));
  EXPECT_EQ(labels("2.999.7^D5"), Words{"N"}) << "it names another";

  add(cda("D6", normal + appending_to_root("2.999.8.1")));
  add(cda("D7", normal + appending_to_root("2.999.8.2")));
  add(submission("1", "HIV"));
  EXPECT_EQ(labels("2.999.7^D6"), (Words{"HIV", "N"})) << "a parent that came as metadata alone";
  EXPECT_EQ(labels("2.999.7^D7"), Words{"N"});
  add(submission("2", "N", uuid("d1")));
  EXPECT_EQ(labels("2.999.7^D7"), (Words{"HIV", "N"})) << "from the first version to what names the second";
  ok(patients::delete_patient(*database_, *clinic_, id_of("1")));
  EXPECT_EQ(count("document_parents"), 0u);
}

TEST_P(Labelling, IsInheritedFromTheEleventhParentAndLetsNothingGoWhereOneIsNotKnown) {
  std::string ten;
  for (int n = 1; n <= 10; ++n) ten += replacing("X" + std::to_string(n));
  add(cda("D1", part2));
  add(cda("D2", normal + ten + replacing("D1")));
  EXPECT_EQ(labels("2.999.7^D2"), (Words{"42CFRPart2", "N"}));
  add(cda("D3", normal + R"(<relatedDocument typeCode="RPLC"><parentDocument><id nullFlavor="UNK"/></parentDocument>)"
                         "</relatedDocument>"));
  EXPECT_EQ(labels("2.999.7^D3"), (Words{"N", "?"}));
  add(cda("D4", normal + replacing("D3")));
  EXPECT_EQ(labels("2.999.7^D4"), (Words{"N", "?"})) << "nor what replaces it";
}

TEST_P(Labelling, IsInheritedAgainByTheSameDocumentAgain) {
  add(cda("D1", part2));
  add(cda("D2", normal + replacing("D1")));
  add(cda("D3", normal + replacing("D2")));
  add(cda("D4"));
  for (const auto* id : {"2.999.7^D2", "2.999.7^D3", "2.999.7^D4"}) strip(id);
  execute("DELETE FROM document_parents WHERE parent = '2.999.7^D1'");
  EXPECT_EQ(add(cda("D4")), Imported::Unchanged);
  EXPECT_EQ(labels("2.999.7^D4"), Words{"N"});
  EXPECT_EQ(add(cda("D2", normal + replacing("D1"))), Imported::Unchanged);
  EXPECT_EQ(labels("2.999.7^D2"), (Words{"42CFRPart2", "N"}));
  EXPECT_EQ(labels("2.999.7^D3"), (Words{"42CFRPart2", "N"}));
  change("2.999.7^D1", {"PSY"}, {});
  EXPECT_EQ(labels("2.999.7^D2"), (Words{"42CFRPart2", "N", "PSY"})) << "and is known as a child from then on";
}

TEST_P(Labelling, EndsWhereVersionsNameEachOther) {
  add(cda("D1", part2 + replacing("D3")));
  add(cda("D2", normal + replacing("D1") + replacing("D2")));
  add(cda("D3", normal + replacing("D2")));
  for (const auto* id : {"2.999.7^D2", "2.999.7^D3"}) EXPECT_EQ(labels(id), (Words{"42CFRPart2", "N"}));
  change("2.999.7^D2", {"PSY"}, {});
  EXPECT_EQ(labels("2.999.7^D1"), (Words{"42CFRPart2", "N", "PSY"})) << "all around";
  change("2.999.7^D3", {}, {"PSY"});
  change("2.999.7^D2", {"HIV"}, {"PSY"});
  EXPECT_EQ(labels("2.999.7^D2"), (Words{"42CFRPart2", "HIV", "N"}));
  EXPECT_EQ(labels("2.999.7^D3"), (Words{"42CFRPart2", "HIV", "N"}));
  EXPECT_EQ(labels("2.999.7^D1"), (Words{"42CFRPart2", "HIV", "N", "PSY"}));
}

TEST_P(Labelling, IsHandedDownWithinOneClinicAlone) {
  const auto other = add_clinic("2.999.2", "Quillport", "2.999.2.1");
  auto line = patient_line("2", "Smith", "Ann", "1970-06-15");
  line.replace(line.find("2.999.1.1"), 9, "2.999.2.1");
  ok(patients::import_patients(*database_, other, line, {}, noon));
  const auto whose = ok(patients::show_patient(*database_, other, "2")).id;
  add(cda("D2", normal + replacing("D1")));
  ok(import_document(*database_, other, cda("D2", normal + replacing("D1")), {.patient_id = whose}, noon));
  add(cda("D1", part2));
  EXPECT_EQ(labels("2.999.7^D2"), (Words{"42CFRPart2", "N"}));
  const auto facts = ok(show_labels(*database_, other, "2.999.7^D2")).held.document.value();
  EXPECT_EQ(facts.labels, std::vector<Label>{*policy::label_from_word("N")});
}

TEST_P(Labelling, RefusesChangesWithoutNameReasonOrALabelThatCanBeKept) {
  add(cda("D1", part2));
  const Label psy = *policy::label_from_word("PSY");
  const auto refusal = [&](const std::string& id, const LabelChange& change) {
    return set_labels(*database_, *clinic_, id, change, noon).error().code;
  };
  const LabelChange good{.add = {psy}, .remove = {}, .actor = "A", .reason = "r"};
  auto bad = good;
  bad.actor = " ";
  EXPECT_EQ(refusal("2.999.7^D1", bad), patients::Errc::ActorMissing);
  bad = good;
  bad.reason = "";
  EXPECT_EQ(refusal("2.999.7^D1", bad), Errc::ReasonMissing);
  bad = good;
  bad.remove = {psy};
  EXPECT_EQ(refusal("2.999.7^D1", bad), Errc::BadLabel);
  bad = good;
  bad.add = {{"-2.999", "X"}};
  EXPECT_EQ(refusal("2.999.7^D1", bad), Errc::BadLabel);
  EXPECT_EQ(refusal("2.999.7^D9", good), Errc::NoSuchDocument);
  const auto other = add_clinic("2.999.2", "Quillport", "2.999.2.1");
  EXPECT_EQ(set_labels(*database_, other, "2.999.7^D1", good, noon).error().code, Errc::NoSuchDocument);
  EXPECT_EQ(count("document_labels"), 0u);
  EXPECT_EQ(labels("2.999.7^D1"), Words{"42CFRPart2"});
  ok(set_labels(*database_, *clinic_, "2.999.7^D1", good, noon));
  EXPECT_EQ(labels("2.999.7^D1"), (Words{"42CFRPart2", "PSY"}));
}

TEST_P(Labelling, KnowsItsRulesFromTheFirstDocumentOn) {
  EXPECT_TRUE(ok(labels_are_current(*database_))) << "there is nothing to judge";
  add(cda("D1"));
  EXPECT_TRUE(ok(labels_are_current(*database_)));
  execute("UPDATE document_label_rules SET version = 0");
  add(cda("D2"));
  EXPECT_FALSE(ok(labels_are_current(*database_))) << "a later document says nothing of the earlier ones";
}

TEST_P(Labelling, JudgesAnewWhatWasTakenInUnderOlderRules) {
  add(cda("D1", normal, R"(<confidentialityCode code="V" codeSystem="2.16.840.1.113883.5.25"/>)"));
  add(cda("D2", normal + replacing("D1")));
  add(submission("1", "HIV"));
  add(submission("2", "N", uuid("d1")));
  add(submission("3", "N", uuid("d2")));
  change("2.999.8.3", {"PSY"}, {"HIV"});
  const auto before = [&] {
    return std::vector{labels("2.999.7^D1"), labels("2.999.7^D2"), labels("2.999.8.2"), labels("2.999.8.3")};
  };
  const auto right = before();
  EXPECT_EQ(right, (std::vector<Words>{{"N", "V"}, {"N", "V"}, {"HIV", "N"}, {"N", "PSY"}}));
  EXPECT_EQ(ok(relabel_documents(*database_, {})), 0u);

  execute("UPDATE document_label_rules SET version = 0");
  execute("UPDATE documents SET labels = '', codes = '' WHERE unique_id <> '2.999.8.3'");
  EXPECT_NE(before(), right);
  std::size_t seen = 0;
  EXPECT_EQ(ok(relabel_documents(*database_, [&](std::size_t done) { seen = done; })), 5u);
  EXPECT_EQ(seen, 5u);
  EXPECT_TRUE(ok(labels_are_current(*database_)));
  EXPECT_EQ(before(), right);
  EXPECT_EQ(ok(relabel_documents(*database_, {})), 0u);
}

TEST_P(Labelling, JudgesAnewWhatCameBeforeItsParent) {
  add(cda("D3", normal + replacing("D2")));
  add(cda("D2", normal + replacing("D1")));
  add(cda("D4", normal + replacing("D9")));
  add(cda("D1", part2));
  execute("UPDATE document_label_rules SET version = 0");
  for (const auto* id : {"2.999.7^D1", "2.999.7^D2", "2.999.7^D3", "2.999.7^D4"}) strip(id);
  execute("DELETE FROM document_parents");
  EXPECT_EQ(ok(relabel_documents(*database_, {})), 4u);
  EXPECT_EQ(labels("2.999.7^D2"), (Words{"42CFRPart2", "N"}));
  EXPECT_EQ(labels("2.999.7^D3"), (Words{"42CFRPart2", "N"}));
  EXPECT_EQ(labels("2.999.7^D4"), Words{"N"});
  change("2.999.7^D1", {"PSY"}, {});
  EXPECT_EQ(labels("2.999.7^D3"), (Words{"42CFRPart2", "N", "PSY"})) << "whom they name is kept from then on";
  add(cda("D9", part2));
  EXPECT_EQ(labels("2.999.7^D4"), (Words{"42CFRPart2", "N"}));
}

TEST_P(Labelling, ReadsTimesAnewThatWereReadUnderOlderRules) {
  auto text = cda("D1");
  const std::string zoned = "20250601103000-0500", local = "20250601213000";
  add(text.replace(text.find(zoned), zoned.size(), local));
  add(submission("1", "N"));
  EXPECT_EQ(shown("2.999.7^D1").held.resource.creation_time, local) << "the clinic's time is UTC";
  execute("UPDATE clinics SET time_zone = 'America/New_York'");
  execute("UPDATE document_label_rules SET version = 0");
  ok(relabel_documents(*database_, {}));
  EXPECT_EQ(shown("2.999.7^D1").held.resource.creation_time, "20250602013000");
  EXPECT_EQ(ok(ok(database_->session())->select("SELECT creation_time FROM documents WHERE unique_id = '2.999.7^D1'",
                                                "t"))[0].text(0), "20250602013000");
  EXPECT_EQ(shown("2.999.8.1").held.resource.creation_time, "20260101") << "what came as metadata stays as it came";
}

TEST_P(Labelling, LetsNothingGoThatItCannotJudge) {
  add(cda("D1"));
  add(submission("1", "N"));
  execute("UPDATE document_label_rules SET version = 0");
  execute("UPDATE documents SET labels = 'nonsense' WHERE unique_id = '2.999.8.1'");
  execute("DELETE FROM content_pieces");
  ok(relabel_documents(*database_, {}));
  EXPECT_EQ(labels("2.999.7^D1"), (Words{"N", "?"})) << "its content is gone";
  EXPECT_EQ(labels("2.999.8.1"), (Words{"N", "?"})) << "what is damaged stays so";
}

}  // namespace
}  // namespace gateway::documents
