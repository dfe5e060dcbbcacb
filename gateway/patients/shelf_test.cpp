#include "gateway/patients/shelf.hpp"

#include "gateway/patients/choices.hpp"
#include "gateway/patients/index.hpp"
#include "gateway/patients/testing.hpp"

namespace gateway::patients {
namespace {

using policy::Purpose;
using policy::PurposeSet;
using testing::noon;
using testing::ok;
using testing::patient_line;

class Patients : public testing::ShelfTest {
 protected:
  exchange::Candidates match(const std::string& family, const std::string& given, const std::string& birth,
                             std::vector<Identifier> ids = {}) {
    PatientQuery query;
    if (!family.empty()) query.sought.names = {{family, {given}, "", ""}};
    if (!birth.empty()) query.birth = xca::hl7v3::BirthDates{birth, birth};
    query.ids = std::move(ids);
    return ok(PatientShelf(*database_).match(*clinic_, query));
  }
};
ON_BOTH_DATABASES(Patients);

TEST_P(Patients, AreImportedOnceAndBroughtUpToDate) {
  const auto file = patient_line("1", "Smith", "Ann", "1970-06-15") + patient_line("2", "Jones", "Bob", "1980");
  EXPECT_EQ(import(file).inserted, 2u);
  EXPECT_EQ(import(file).unchanged, 2u);
  ok(set_choice(*database_, id_of("1"), PurposeSet{}, {.set_by = SetBy::Patient, .actor = "Ann"}, noon));

  const auto second = import(patient_line("1", "Miller", "Ann", "1970-06-15"));
  EXPECT_EQ(second.updated, 1u);
  EXPECT_TRUE(match("Smith", "Ann", "19700615").matches.empty()) << "the old key is gone";
  const auto found = match("Miller", "Ann", "19700615").matches;
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].choice.choice && found[0].choice.choice->purposes.empty()) << "an import never changes a choice";
}

TEST_P(Patients, OfAFileWithBadRowsAreReportedByLineAndTheRestIsImported) {
  const auto report =
      import(patient_line("1", "Smith", "Ann", "1970-06-15") + "\n{\"resourceType\":\n" +
             patient_line("2", "Jones", "Bob", "1980-13-01") + patient_line("3^x", "Jones", "Bob", "1980-12-01") +
             R"({"resourceType":"Observation"})"
             "\n" +
             patient_line("4", "Old", "Bob", "1980-12-01", R"(,"active":false)") +
             patient_line("5", "Last", "Bob", "1980-12-01"));
  EXPECT_EQ(report.inserted, 2u);
  ASSERT_EQ(report.skipped, 5u);
  const char* places[] = {"line 3", "line 4", "line 5", "line 6", "line 7"};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(report.first_skipped[i].place, places[i]);
  EXPECT_EQ(report.first_skipped[1].sentence, "an element of this resource cannot be understood (Patient.birthDate)");
}

TEST_P(Patients, AreMatchedWithOurRecordAndWithoutFurtherIds) {
  import(patient_line("1", "Muñoz", "José", "1970-06-15", R"(,"gender":"male")"));
  const auto found = match("MUNOZ", "jose", "19700615");
  ASSERT_EQ(found.matches.size(), 1u);
  const auto& held = found.matches[0];
  EXPECT_EQ(held.resource.id, (Identifier{"2.999.1.1", "1"}));
  EXPECT_EQ(held.resource.person.names[0].family, "Muñoz");
  EXPECT_EQ(held.resource.custodian, "2.999.1");
  EXPECT_EQ(held.id, id_of("1"));
  EXPECT_EQ(match("", "", "", {{"2.999.1.1", "1"}}).matches.size(), 1u) << "by id alone";
  EXPECT_EQ(match("MUNOZ", "jose", "19700615", {{"2.999.5", "foreign"}}).matches.size(), 1u);
  EXPECT_TRUE(match("", "", "", {{"2.999.1.1", "2"}}).matches.empty());
  EXPECT_TRUE(match("MUNOZ", "jose", "").matches.empty()) << "less than the minimum";
}

TEST_P(Patients, OfAnotherClinicAreNeverFound) {
  import(patient_line("1", "Smith", "Ann", "1970-06-15"));
  clinic_ = add_clinic("2.999.2", "Quillport", "2.999.2.1");
  EXPECT_TRUE(match("Smith", "Ann", "19700615").matches.empty());
  EXPECT_EQ(ok(PatientShelf(*database_).homes()), (std::vector<std::string>{"2.999.1", "2.999.2"}));
  EXPECT_EQ(ok(PatientShelf(*database_).clinic("2.999.2"))->name, "Quillport");
  EXPECT_EQ(ok(PatientShelf(*database_).clinic_of_authority("2.999.2.1"))->name, "Quillport");
  EXPECT_FALSE(ok(PatientShelf(*database_).clinic("2.999.3")));
  add_clinic("2.999.4", "Sister", "2.999.2.1");
  EXPECT_FALSE(ok(PatientShelf(*database_).clinic_of_authority("2.999.2.1"))) << "two clinics issue under it";
}

TEST_P(Patients, TooManyForOneQueryAreNoMatch) {
  std::string file;
  for (int i = 0; i < 201; ++i) {
    file += patient_line("m" + std::to_string(i), "Smith", "Ann", "1970-06-15");
  }
  import(file);
  EXPECT_TRUE(match("Smith", "Ann", "19700615").matches.empty());
}

TEST_P(Patients, ChoicesReplaceTheDefaultsAndDefaultsAreRead) {
  import(patient_line("1", "Smith", "Ann", "1970-06-15"));
  EXPECT_EQ(match("Smith", "Ann", "19700615").matches[0].choice.clinic_defaults, PurposeSet{Purpose::Treatment});
  ok(set_clinic_purposes(*database_, clinic_->id, {Purpose::Payment}, "admin", noon));
  const auto facts = match("Smith", "Ann", "19700615").matches[0].choice;
  EXPECT_EQ(facts.clinic_defaults, PurposeSet{Purpose::Payment}) << "live, although the clinic was read before";
  EXPECT_EQ(facts.clinic_version, "2");
  EXPECT_FALSE(facts.choice);

  const auto row =
      ok(set_choice(*database_, id_of("1"), {Purpose::Treatment}, {.set_by = SetBy::Staff, .actor = "Eve"}, noon));
  EXPECT_EQ(ok(choice_facts(*database_, id_of("1"))).choice->id, row);
  ok(clear_choice(*database_, id_of("1"), {.set_by = SetBy::Staff, .actor = "Eve"}, noon + std::chrono::seconds(1)));
  EXPECT_FALSE(ok(choice_facts(*database_, id_of("1"))).choice);
  const auto history = ok(choice_history(*database_, id_of("1")));
  ASSERT_EQ(history.size(), 2u);
  EXPECT_FALSE(history[0].in_force);
  EXPECT_TRUE(history[1].in_force);
}

TEST_P(Patients, StaffOverwriteWhatThePatientChoseOnlyWithABasis) {
  import(patient_line("1", "Smith", "Ann", "1970-06-15"));
  const auto id = id_of("1");
  ok(set_choice(*database_, id, PurposeSet{}, {.set_by = SetBy::Patient, .actor = "Ann"}, noon));
  const ChoiceChange without{.set_by = SetBy::Staff, .actor = "Eve"};
  EXPECT_EQ(set_choice(*database_, id, PurposeSet::all(), without, noon).error().code, Errc::BasisMissing);
  EXPECT_EQ(clear_choice(*database_, id, without, noon).error().code, Errc::BasisMissing);
  EXPECT_TRUE(ok(choice_facts(*database_, id)).choice->purposes.empty());
  ok(set_choice(*database_, id, PurposeSet::all(), {.set_by = SetBy::Staff, .actor = "Eve", .basis = "form of 3 May"},
                noon));
  EXPECT_EQ(ok(choice_facts(*database_, id)).choice->purposes, PurposeSet::all());
  ok(set_choice(*database_, id, PurposeSet{}, without, noon));
}

TEST_P(Patients, ChangesWithoutAnActorOrAPatientAreRefused) {
  import(patient_line("1", "Smith", "Ann", "1970-06-15"));
  EXPECT_EQ(set_choice(*database_, id_of("1"), {}, {.set_by = SetBy::Staff, .actor = " "}, noon).error().code,
            Errc::ActorMissing);
  EXPECT_EQ(set_choice(*database_, "nobody", {}, {.set_by = SetBy::Staff, .actor = "Eve"}, noon).error().code,
            Errc::NoSuchPatient);
  EXPECT_EQ(set_clinic_purposes(*database_, clinic_->id, {}, "", noon).error().code, Errc::ActorMissing);
  EXPECT_EQ(count("purpose_choices"), 0u);
}

TEST_P(Patients, AChoiceThatCannotBeReadIsUnreadableAndNotAbsent) {
  import(patient_line("1", "Smith", "Ann", "1970-06-15") + patient_line("2", "Jones", "Bob", "1980-01-01"));
  auto* session = ok(database_->session());
  ok(set_choice(*database_, id_of("1"), PurposeSet::all(), {.set_by = SetBy::Patient, .actor = "Ann"}, noon));
  const auto readable = [&] { return match("Smith", "Ann", "19700615").matches.at(0).choice.readable; };
  EXPECT_TRUE(readable());
  struct Row {
    const char* damage;
    const char* repair;
  };
  const Row table[] = {
      {"UPDATE purpose_choices SET purposes = 128", "UPDATE purpose_choices SET purposes = 127"},
      {"UPDATE purpose_choices SET purposes = -1", "UPDATE purpose_choices SET purposes = 127"},
      {"UPDATE purpose_choices SET set_by = 'nobody'", "UPDATE purpose_choices SET set_by = 'patient'"},
      {"UPDATE purpose_choices SET patient = (SELECT id FROM patients WHERE mrn = '2')",
       "UPDATE purpose_choices SET patient = (SELECT id FROM patients WHERE mrn = '1')"},
      {"UPDATE clinics SET purposes = 999", "UPDATE clinics SET purposes = 1"},
      {"UPDATE patients SET choice = 'gone'", "UPDATE patients SET choice = NULL"},
  };
  for (const auto& row : table) {
    ok(session->execute(row.damage));
    EXPECT_FALSE(readable()) << row.damage;
    ok(session->execute(row.repair));
    EXPECT_TRUE(readable()) << row.repair;
  }
}

TEST_P(Patients, AreSearchedByNameDateAndId) {
  import(patient_line("A-1", "O'Brien", "Ann", "1970-06-15") + patient_line("A-2", "Jones", "Bob", "1980-01-01"));
  const auto found = [&](const PatientSearch& search) {
    std::string mrns;
    for (const auto& record : ok(search_patients(*database_, *clinic_, search))) mrns += record.mrn + " ";
    return mrns;
  };
  EXPECT_EQ(found({.words = "obr", .birth_date = {}}), "A-1 ");
  EXPECT_EQ(found({.words = "bob jones", .birth_date = {}}), "A-2 ");
  EXPECT_EQ(found({.words = "A-2", .birth_date = {}}), "A-2 ");
  EXPECT_EQ(found({.words = {}, .birth_date = "1970-06-15"}), "A-1 ");
  EXPECT_EQ(found({.words = "bob", .birth_date = "1970-06-15"}), "");
  EXPECT_EQ(found({.words = "nobody", .birth_date = {}}), "");
  EXPECT_EQ(found({.words = {}, .birth_date = {}}), "A-1 A-2 ");
}

TEST_P(Patients, AreDeletedWithEverythingOfTheirs) {
  import(patient_line("1", "Smith", "Ann", "1970-06-15"));
  const auto id = id_of("1");
  ok(set_choice(*database_, id, PurposeSet{}, {.set_by = SetBy::Patient, .actor = "Ann"}, noon));
  ok(delete_patient(*database_, *clinic_, id));
  for (const char* table : {"patients", "patient_keys", "patient_words", "purpose_choices"})
    EXPECT_EQ(count(table), 0u) << table;
  EXPECT_EQ(delete_patient(*database_, *clinic_, id).error().code, Errc::NoSuchPatient);
}

TEST_P(Patients, AreFoundHoweverADoubleNameIsWritten) {
  import(patient_line("x", "De la Cruz", "María José", "1951-02-03"));
  EXPECT_EQ(match("de la cruz", "Maria Jose", "19510203").matches.size(), 1u);
  EXPECT_EQ(match("DELACRUZ", "Maria", "19510203").matches.size(), 1u);
  EXPECT_EQ(match("Cruz", "Maria", "19510203").wanted.size(), 0u)
      << "75, and nothing of theirs is known that could decide";
}

TEST_P(Patients, AClinicNeedsNamesThatCanBe) {
  const NewClinic good{.home = "2.999.8",
                       .name = "Eight",
                       .time_zone = "UTC",
                       .assigning_authority = "2.999.8.1",
                       .repository_id = "2.999.8.2",
                       .purposes = {}};
  const auto with = [&](auto change) {
    auto clinic = good;
    change(clinic);
    const auto added = patients::add_clinic(*database_, clinic, "admin", noon);
    return added ? boost::system::error_code() : added.error().code;
  };
  EXPECT_EQ(with([](auto& c) { c.home = "8"; }), Errc::BadClinic);
  EXPECT_EQ(with([](auto& c) { c.assigning_authority = "x"; }), Errc::BadClinic);
  EXPECT_EQ(with([](auto& c) { c.time_zone = "../etc"; }), Errc::BadClinic);
  EXPECT_EQ(with([](auto& c) { c.name = " "; }), Errc::BadClinic);
  EXPECT_EQ(with([](auto& c) { c.home = "2.999.1"; }), Errc::ClinicTaken);
  EXPECT_FALSE(with([](auto&) {}));
  EXPECT_EQ(ok(list_clinics(*database_)).size(), 2u);
  EXPECT_EQ(find_clinic(*database_, "").error().code, Errc::NoSuchClinic) << "which of two?";
  EXPECT_EQ(ok(find_clinic(*database_, "Eight")).home.dotted(), "2.999.8");
}

TEST_P(Patients, OfACrowdedNameAreNotSearchedThrough) {
  std::string file;
  for (int i = 0; i < 3000; ++i) file += patient_line("c" + std::to_string(i), "Smith", "James", "1900-01-01");
  file += patient_line("one", "Smith", "James", "1970-06-15");
  import(file);
  EXPECT_TRUE(match("Smith", "James", "19000101").matches.empty());
  EXPECT_EQ(match("Smith", "James", "19700615").matches.size(), 1u) << "the others are in nobody's way";
  EXPECT_EQ(match("", "", "", {{"2.999.1.1", "c17"}}).matches.size(), 1u);
}

TEST_P(Patients, OfASecondLineInOneFileAreBroughtUpToDate) {
  const auto report = import(patient_line("1", "Smith", "Ann", "1970-06-15") +
                             patient_line("1", "Miller", "Ann", "1970-06-15"));
  EXPECT_EQ(report.inserted, 1u);
  EXPECT_EQ(report.updated, 1u);
  EXPECT_TRUE(match("Smith", "Ann", "19700615").matches.empty());
  EXPECT_EQ(match("Miller", "Ann", "19700615").matches.size(), 1u);
}

TEST_P(Patients, StoredUnderOlderKeysAreStoredAnew) {
  import(patient_line("1", "Smith", "Ann", "1970-06-15"));
  EXPECT_TRUE(ok(index_is_current(*database_)));
  auto* session = ok(database_->session());
  ok(session->execute("UPDATE patient_key_rules SET version = 0"));
  ok(session->execute("UPDATE patient_keys SET key = key + 1"));
  EXPECT_FALSE(ok(index_is_current(*database_)));
  EXPECT_TRUE(match("Smith", "Ann", "19700615").matches.empty());
  EXPECT_EQ(ok(bring_index_up_to_date(*database_, {})), 1u);
  EXPECT_TRUE(ok(index_is_current(*database_)));
  EXPECT_EQ(match("Smith", "Ann", "19700615").matches.size(), 1u);
  EXPECT_EQ(ok(bring_index_up_to_date(*database_, {})), 0u);
}

}  // namespace
}  // namespace gateway::patients
