#include "gateway/patients/consents.hpp"

#include "gateway/patients/consent_words.hpp"
#include "gateway/patients/merges.hpp"
#include "gateway/patients/testing.hpp"

namespace gateway::patients {
namespace {

using policy::ConsentStatus;
using policy::Provision;
using policy::Purpose;
using policy::PurposeSet;
using testing::noon;
using testing::ok;
using testing::patient_line;

const ChoiceChange patient{.set_by = SetBy::Patient, .actor = "herself"};
const ChoiceChange staff{.set_by = SetBy::Staff, .actor = "Ruth", .basis = "asked by phone"};

Provision permit() {
  return {.permits = true,
          .period = {.from = noon, .to = {}},
          .recipients = {{policy::RecipientClass::TreatingProviders}},
          .purposes = PurposeSet{Purpose::Treatment},
          .labels = {policy::part2_label()}};
}
Provision deny() { return {.permits = false, .purposes = PurposeSet{Purpose::Payment}}; }

class Consents : public testing::ShelfTest {
 protected:
  void SetUp() override {
    ShelfTest::SetUp();
    if (IsSkipped()) return;
    import(patient_line("A", "Quillfeather", "Odessa", "1971-08-14") +
           patient_line("B", "Miller", "Odessa", "1971-08-14"));
  }
  policy::Consent give(const std::string& mrn, const Provision& root, const std::string& source = {}) {
    return ok(give_consent(*database_, id_of(mrn), {.root = root, .given_at = noon, .source = source}, patient,
                           next()));
  }
  Result<policy::Consent> revoke(const std::string& mrn, const std::string& id, const ChoiceChange& by = patient) {
    return revoke_consent(*database_, id_of(mrn), id, by, next());
  }
  std::shared_ptr<const policy::ConsentFacts> facts(const std::string& mrn) {
    return ok(consent_facts(*database_, id_of(mrn), Asker::Partner));
  }
  std::vector<ConsentRow> history(const std::string& mrn) { return ok(consent_history(*database_, id_of(mrn))); }
  Instant next() { return noon + std::chrono::seconds(++seconds_); }
  int seconds_ = 0;
};
ON_BOTH_DATABASES(Consents);

TEST_P(Consents, AreKeptAsTheyWereGivenInTheOrderOfSaving) {
  EXPECT_EQ(facts("A"), nullptr);
  const auto first = give("A", permit()), second = give("A", deny());
  const auto known = facts("A");
  ASSERT_NE(known, nullptr);
  EXPECT_TRUE(known->readable);
  EXPECT_EQ(known->consents, (std::vector{first, second}));
  EXPECT_EQ(known->consents[0].root, permit());
  EXPECT_EQ(facts("B"), nullptr);
  EXPECT_EQ(give_consent(*database_, "nobody", {.given_at = noon}, patient, noon).error().code, Errc::NoSuchPatient);
  EXPECT_EQ(give_consent(*database_, id_of("A"), {.given_at = noon}, {.actor = " "}, noon).error().code,
            Errc::ActorMissing);
  EXPECT_EQ(history("A").size(), 2u);
}

TEST_P(Consents, OfOneSourceAreVersionsOfOne) {
  const auto first = give("A", permit(), "urn:uuid:1"), second = give("A", deny(), "urn:uuid:1");
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(second.version, 2);
  EXPECT_NE(give("A", deny(), "urn:uuid:2").id, first.id);
  EXPECT_NE(give("B", deny(), "urn:uuid:1").id, first.id) << "another patient's";
  const auto rows = history("A");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_FALSE(rows[0].last);
  EXPECT_TRUE(rows[1].last);
  EXPECT_EQ(facts("A")->consents.size(), 2u);
  EXPECT_EQ(facts("A")->consents[0].root, deny());
}

TEST_P(Consents, AreTakenBackOnceAndForGood) {
  const auto given = give("A", permit());
  EXPECT_EQ(revoke("A", "nothing").error().code, Errc::NoSuchConsent);
  EXPECT_EQ(revoke("B", given.id).error().code, Errc::NoSuchConsent);
  EXPECT_EQ(revoke("A", given.id, {.set_by = SetBy::Patient, .actor = ""}).error().code, Errc::ActorMissing);
  const auto revoked = ok(revoke("A", given.id));
  EXPECT_EQ(revoked.version, 2);
  EXPECT_EQ(revoked.status, ConsentStatus::Revoked);
  EXPECT_EQ(revoked.root, permit());
  EXPECT_EQ(revoke("A", given.id).error().code, Errc::NotRevocable);
  EXPECT_EQ(facts("A")->consents, std::vector{revoked});
  const auto rows = history("A");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].consent.status, ConsentStatus::Active);
  EXPECT_EQ(rows[1].actor, "herself");
}

TEST_P(Consents, OfThePatientAreTakenBackByStaffOnlyOnABasis) {
  const auto of_patient = give("A", permit());
  EXPECT_EQ(revoke("A", of_patient.id, {.set_by = SetBy::Staff, .actor = "Ruth"}).error().code, Errc::BasisMissing);
  ok(revoke("A", of_patient.id, staff));
  EXPECT_EQ(history("A")[1].basis, "asked by phone");
  const auto of_staff = ok(give_consent(*database_, id_of("A"), {.root = deny(), .given_at = noon}, staff, next()));
  ok(revoke("A", of_staff.id, {.set_by = SetBy::Staff, .actor = "Ruth"}));
}

TEST_P(Consents, AreUnitedByAMergeAndStayWithTheirRecordAfterIt) {
  const auto ours = give("A", permit()), theirs = give("B", deny());
  const auto a = id_of("A"), b = id_of("B");
  ok(merge_patients(*database_, *clinic_, a, b, {.actor = "Eve", .reason = "twice"}, next()));
  EXPECT_EQ(ok(consent_facts(*database_, a, Asker::Partner))->consents, (std::vector{ours, theirs}));
  EXPECT_EQ(ok(consent_facts(*database_, b, Asker::Partner))->consents.size(), 2u);
  ok(unmerge_patient(*database_, *clinic_, b, {.actor = "Eve", .reason = "two persons"}, next()));
  EXPECT_EQ(facts("B")->consents, std::vector{theirs});
  EXPECT_EQ(facts("A")->consents, std::vector{ours});
}

TEST_P(Consents, ThatForbidAreCopiedToBothWhenRecordsPart) {
  const auto a = id_of("A"), b = id_of("B");
  ok(merge_patients(*database_, *clinic_, a, b, {.actor = "Eve", .reason = "twice"}, next()));
  const auto kept = give("A", deny()), taken_back = give("A", deny());
  give("A", permit());
  ok(revoke("A", taken_back.id));
  ok(unmerge_patient(*database_, *clinic_, b, {.actor = "Eve", .reason = "two persons"}, next()));
  EXPECT_EQ(facts("A")->consents.size(), 3u);
  const auto copied = facts("B")->consents;
  ASSERT_EQ(copied.size(), 2u) << "the permit is not";
  EXPECT_EQ(copied[0].root, kept.root);
  EXPECT_NE(copied[0].id, kept.id);
  EXPECT_EQ(copied[0].status, ConsentStatus::Active);
  EXPECT_EQ(copied[1].status, ConsentStatus::Revoked) << "and so is its revocation";
}

TEST_P(Consents, ThatWereTakenBackWhileRecordsWereOneStayTakenBack) {
  const auto a = id_of("A"), b = id_of("B");
  const auto theirs = give("B", permit()), forbidding = give("B", deny());
  ok(merge_patients(*database_, *clinic_, a, b, {.actor = "Eve", .reason = "twice"}, next()));
  const auto kept = give("A", permit());
  ok(revoke("B", theirs.id));
  ok(unmerge_patient(*database_, *clinic_, b, {.actor = "Eve", .reason = "two persons"}, next()));
  const auto of_b = facts("B")->consents;
  ASSERT_EQ(of_b.size(), 2u);
  EXPECT_EQ(of_b[0], forbidding);
  EXPECT_EQ(of_b[1].id, theirs.id);
  EXPECT_EQ(of_b[1].status, ConsentStatus::Revoked);
  EXPECT_EQ(facts("A")->consents, std::vector{kept}) << "what was B's alone is none of A's";
}

TEST_P(Consents, OfARecordThatPartedAreNotLookedForInTheOther) {
  const auto a = id_of("A"), b = id_of("B");
  give("B", permit());
  ok(merge_patients(*database_, *clinic_, a, b, {.actor = "Eve", .reason = "twice"}, next()));
  EXPECT_EQ(facts("A")->consents.size(), 1u);
  ok(unmerge_patient(*database_, *clinic_, b, {.actor = "Eve", .reason = "two persons"}, next()));
  EXPECT_EQ(facts("A"), nullptr) << "A never said anything, and is answered for";
  EXPECT_TRUE(facts("B")->readable);
}

TEST_P(Consents, ThatForbidAndPermitOpenNothingOfTheOther) {
  const auto a = id_of("A"), b = id_of("B");
  ok(merge_patients(*database_, *clinic_, a, b, {.actor = "Eve", .reason = "twice"}, next()));
  auto mixed = permit();
  mixed.exceptions = {deny(), {.permits = true, .recipients = {{*base::Oid::parse("2.999.20")}}}};
  const auto kept = give("A", mixed);
  ok(unmerge_patient(*database_, *clinic_, b, {.actor = "Eve", .reason = "two persons"}, next()));
  EXPECT_EQ(facts("A")->consents[0], kept);
  ASSERT_EQ(facts("B")->consents.size(), 1u);
  const auto copied = facts("B")->consents[0].root;
  EXPECT_FALSE(copied.understood) << "a permit that is not understood permits nothing";
  EXPECT_EQ(copied.exceptions[0], deny());
  EXPECT_FALSE(copied.exceptions[1].understood);
}

TEST_P(Consents, OfARecordThatWasNamedGoWithIt) {
  const auto a = id_of("A"), b = id_of("B");
  ok(merge_patients(*database_, *clinic_, a, b, {.actor = "Eve", .reason = "twice"}, next()));
  const auto theirs = ok(give_consent(*database_, b, {.root = permit(), .given_at = noon}, patient, next()));
  const auto forbidden = ok(give_consent(*database_, b, {.root = deny(), .given_at = noon}, patient, next()));
  EXPECT_EQ(facts("A")->consents, (std::vector{theirs, forbidden})) << "one person for now";
  ok(unmerge_patient(*database_, *clinic_, b, {.actor = "Eve", .reason = "two persons"}, next()));
  EXPECT_EQ(facts("B")->consents, (std::vector{theirs, forbidden}));
  ASSERT_EQ(facts("A")->consents.size(), 1u) << "whose permit it was not";
  EXPECT_EQ(facts("A")->consents[0].root, forbidden.root);
}

TEST_P(Consents, BeyondWhatIsReadLetNothingGoAndAreNoFailure) {
  const auto given = give("A", permit());
  auto* session = ok(database_->session());
  ok(session->execute(
      "INSERT INTO consents (id, version, clinic, patient, number, status, provision, set_by, actor, basis, given_at,"
      " set_at, source) WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)"
      " SELECT k.id, n.i, k.clinic, k.patient, 1000 + n.i, k.status, k.provision, k.set_by, k.actor, k.basis, k.given_at,"
      " k.set_at, k.source FROM consents k, n WHERE k.id = :p1 AND k.version = 1",
      {given.id}));
  ASSERT_NE(facts("A"), nullptr);
  EXPECT_FALSE(facts("A")->readable);
}

TEST_P(Consents, ThatCannotBeReadLetNothingGo) {
  give("A", permit());
  auto* session = ok(database_->session());
  for (const auto* broken : {"provision = '{'", "provision = '[]'", "status = 'perhaps'"}) {
    EXPECT_EQ(ok(session->execute("UPDATE consents SET " + std::string(broken))), 1u);
    EXPECT_FALSE(facts("A")->readable) << broken;
    EXPECT_FALSE(history("A")[0].readable) << broken;
  }
  EXPECT_EQ(revoke("A", history("A")[0].consent.id).error().code, Errc::RecordUnreadable);
  EXPECT_EQ(ok(session->execute("DELETE FROM consents")), 1u);
  EXPECT_FALSE(facts("A")->readable) << "the patient has spoken, and nothing is found";
}

TEST_P(Consents, ThatCouldNotBeReadAgainAreNotSaved) {
  auto wide = permit();
  for (int i = 0; i < 300; ++i) wide.documents.push_back("1.2." + std::to_string(i));
  EXPECT_FALSE(give_consent(*database_, id_of("A"), {.root = wide, .given_at = noon}, patient, next()));
  EXPECT_EQ(facts("A"), nullptr);
}

TEST_P(Consents, GoWithTheirPatient) {
  give("A", permit());
  give("B", permit());
  ok(delete_patient(*database_, *clinic_, id_of("A")));
  EXPECT_EQ(count("consents"), 1u);
}

TEST(AConsent, IsToldInWords) {
  const auto calendar = ok(resources::Calendar::of("America/New_York"));
  auto root = permit();
  root.period = {.from = ok(calendar.read("2026-11-01")), .to = ok(calendar.read("2027-01-01T09:30"))};
  root.recipients = {{policy::RecipientClass::TreatingProviders}, {base::Oid::parse("2.999.20").value()}};
  root.labels.push_back({std::string(policy::act_code_system), "HIV"});
  auto exception = deny();
  exception.documents = {"1.2.3", "1.2.4"};
  exception.purposes.reset();
  root.exceptions = {exception};
  EXPECT_EQ(statements(root, calendar),
            (std::vector<std::string>{"Permits giving documents labelled 42CFRPart2 and HIV to treating providers and "
                                      "organization 2.999.20 for Treatment, from 2026-11-01, until "
                                      "2027-01-01T09:30:00-05:00.",
                                      "Except: Forbids giving document 1.2.3 or 1.2.4 to anybody for any purpose."}));
  Provision everything;
  EXPECT_EQ(statements(everything, calendar)[0], "Forbids giving anything to anybody for any purpose.");
  Provision some{.permits = true, .purposes = PurposeSet{}, .classes = {{"34133-9", "1.2", "Summary"}},
                 .data = {.from = ok(calendar.read("2026-01-01")), .to = ok(calendar.read("2026-02-01"))},
                 .understood = false};
  EXPECT_EQ(statements(some, calendar)[0],
            "Permits giving documents of class Summary about care since 2026-01-01 and before 2026-02-01 to anybody for "
            "no purpose (a part cannot be evaluated: it permits nothing).");
}

TEST(AConsent, StandsAsItsPeriodAndItsLastVersionSay) {
  policy::Consent consent{.id = "c", .root = permit()};
  consent.root.period.to = noon + std::chrono::hours(1);
  EXPECT_EQ(state_of(consent, noon - std::chrono::microseconds(1)), "future");
  EXPECT_EQ(state_of(consent, noon), "in force");
  EXPECT_EQ(state_of(consent, noon + std::chrono::hours(1)), "expired");
  consent.status = ConsentStatus::Revoked;
  EXPECT_EQ(state_of(consent, noon), "revoked");
  consent.status = ConsentStatus::Proposed;
  EXPECT_EQ(state_of(consent, noon), "proposed");
  consent.status = ConsentStatus::EnteredInError;
  EXPECT_EQ(state_of(consent, noon), "entered in error");
}

}  // namespace
}  // namespace gateway::patients
