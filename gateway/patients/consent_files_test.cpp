#include "gateway/patients/consent_files.hpp"

#include "gateway/patients/merges.hpp"
#include "gateway/patients/testing.hpp"

namespace gateway::patients {
namespace {

using policy::ConsentStatus;
using policy::Purpose;
using policy::PurposeSet;
using testing::noon;
using testing::ok;
using testing::patient_line;

const ChoiceChange patient{.set_by = SetBy::Patient, .actor = "herself", .basis = {}};
const ChoiceChange staff{.set_by = SetBy::Staff, .actor = "Ruth", .basis = {}};
const std::chrono::hours day(24);

/// A FHIR Consent of patient `mrn` known by `value`, dated `given`.
struct Fhir {
  std::string mrn = "A", value = "7", status = "active", provision = R"({"type":"deny"})";
  Instant given = noon - 10 * day;
  std::string updated = {};
  std::string line() const {
    return R"({"resourceType":"Consent","identifier":[{"system":"urn:x","value":")" + value + R"("}],"status":")" +
           status + R"(","meta":{)" + (updated.empty() ? "" : "\"lastUpdated\":\"" + updated + "\"") +
           R"(},"scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope",)"
           R"("code":"patient-privacy"}]},"category":[{"coding":[{"system":"http://loinc.org","code":"59284-0"}]}],)"
           R"("patient":{"identifier":{"system":"urn:oid:2.999.1.1","value":")" + mrn + R"("}},"dateTime":")" +
           resources::write_instant(given) + R"(","policy":[{"uri":"urn:x"}],"provision":)" + provision + "}\n";
  }
};
const std::string treat = R"({"type":"permit","purpose":[{"system":)"
                          R"("http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"TREAT"}]})";
std::string deny_to(const std::string& home) {
  return R"({"type":"deny","actor":[{"role":{"coding":[{"system":)"
         R"("http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},)"
         R"("reference":{"reference":"urn:oid:)" + home + "\"}}]}";
}

class ConsentFiles : public testing::ShelfTest {
 protected:
  void SetUp() override {
    ShelfTest::SetUp();
    if (IsSkipped()) return;
    import(patient_line("A", "Quillfeather", "Odessa", "1971-08-14") +
           patient_line("B", "Miller", "Odessa", "1971-08-14") +
           R"({"resourceType":"Patient","id":"c","identifier":[{"system":"urn:oid:2.999.1.1","value":"C"},)"
           R"({"system":"urn:oid:2.999.7","value":"P-33"}],"name":[{"family":"Stone","given":["Ann"]}],)"
           R"("birthDate":"1980-01-01"})" "\n");
  }
  ConsentPlan plan(const std::string& file, const ChoiceChange& by = staff) {
    return ok(plan_consents(*database_, *clinic_, file, {.change = by}, now_));
  }
  /// Plans and, where every row is accepted, carries out. @return what the rows do, or why not
  std::string run(const std::string& file, const ChoiceChange& by = staff) {
    const auto planned = plan(file, by);
    std::string told;
    for (const auto& note : planned.refused) told += (told.empty() ? "" : "; ") + note.place + ": " + note.sentence;
    if (!told.empty()) {
      EXPECT_EQ(carry_out(*database_, planned, now_).error().code, Errc::RowNotAccepted);
      return told;
    }
    ok(carry_out(*database_, planned, now_));
    for (const auto& row : planned.rows) told += (told.empty() ? "" : "; ") + std::string(word(row.does));
    return told;
  }
  std::string csv(const std::string& rows) { return "mrn,kind,given,purposes,to,basis,identifier\n" + rows; }
  std::string purposes(const std::string& mrn) {
    const auto facts = ok(choice_facts(*database_, id_of(mrn)));
    EXPECT_TRUE(facts.readable);
    return facts.choice ? facts.choice->purposes.words() : "defaults";
  }
  std::vector<policy::Consent> consents(const std::string& mrn) {
    const auto facts = ok(consent_facts(*database_, id_of(mrn), Asker::Partner));
    return facts ? facts->consents : std::vector<policy::Consent>();
  }
  std::size_t written() { return count("purpose_choices") + count("consents"); }
  void choose(const std::string& mrn, PurposeSet set, const ChoiceChange& by, Instant at) {
    ok(set_choice(*database_, id_of(mrn), set, by, at));
  }
  void later(std::chrono::seconds by = std::chrono::hours(1)) { now_ += by; }
  Instant now_ = noon;
};
ON_BOTH_DATABASES(ConsentFiles);

TEST_P(ConsentFiles, SetWhatTheySayAndChangeNothingTheSecondTime) {
  const auto file = csv("A,opt-out,,,,,\nB,purposes,2026-10-01,payment,,,\nC,deny,,,2.999.20,,\n");
  EXPECT_EQ(run(file), "sets purposes; sets purposes; gives a consent");
  EXPECT_EQ(purposes("A"), "none");
  EXPECT_EQ(purposes("B"), "payment");
  ASSERT_EQ(consents("C").size(), 1u);
  EXPECT_FALSE(consents("C")[0].root.permits);
  const auto before = written();
  later();
  EXPECT_EQ(run(file), "unchanged; unchanged; unchanged");
  EXPECT_EQ(written(), before);
  const auto history = ok(choice_history(*database_, id_of("A")));
  ASSERT_EQ(history.size(), 1u);
  EXPECT_EQ(history[0].actor, "Ruth");
}

TEST_P(ConsentFiles, DoNothingWhereOneRowIsNotAccepted) {
  EXPECT_EQ(run(csv("A,opt-out,,,,,\nB,deny,,,2.999.20,,\nNobody,opt-out,,,,,\n")),
            "line 4: this clinic has no patient of that number");
  EXPECT_EQ(written(), 0u);
  EXPECT_EQ(purposes("A"), "defaults");
  EXPECT_EQ(run(csv("A,opt-out,,,,,\nB,deny,,,2.999.20,,\n")), "sets purposes; gives a consent");
}

TEST_P(ConsentFiles, FindThePatientByNumberOrIdentifierInThisClinicAlone) {
  EXPECT_EQ(run("mrn,kind\n2.999.7|P-33,opt-out\n"), "sets purposes");
  EXPECT_EQ(purposes("C"), "none");
  EXPECT_EQ(run("mrn,kind\n2.999.1.1|A,opt-out\n"), "sets purposes");
  EXPECT_EQ(run("mrn,kind\n" + id_of("B") + ",opt-out\n"), "sets purposes");
  EXPECT_EQ(run("mrn,kind\n2.999.8|P-33,opt-out\n"), "line 2: this clinic has no patient of that number");
  EXPECT_EQ(run("mrn,kind\n\"=1+1\",opt-out\n"), "line 2: this clinic has no patient of that number");
  const auto other = add_clinic("2.999.2", "Lakeside", "2.999.2.1");
  EXPECT_EQ(ok(plan_consents(*database_, other, "mrn,kind\nA,opt-out\n", {.change = staff}, noon)).refused.size(), 1u);
}

TEST_P(ConsentFiles, TakeAMergedRecordForItsSurvivor) {
  ok(merge_patients(*database_, *clinic_, id_of("A"), id_of("B"), {.actor = "Eve", .reason = "twice"}, noon));
  EXPECT_EQ(run(csv("B,opt-out,,,,,\nA,opt-out,,,,,\n")), "sets purposes; unchanged");
  EXPECT_EQ(purposes("A"), "none");
  EXPECT_EQ(run(csv("A,opt-in,2026-10-28,,,,\n")),
            "line 2: it is not newer than the choice of purposes held here of 2026-10-29T12:00:00+00:00, and says "
            "otherwise");
}

TEST_P(ConsentFiles, SayWhereTwoOfTheirRowsContradict) {
  EXPECT_EQ(run(csv("A,opt-out,,,,,\nA,opt-in,,,,,\n")),
            "line 3: line 2 says otherwise about the same patient's purposes");
  EXPECT_EQ(run(Fhir{}.line() + Fhir{.status = "inactive"}.line()).substr(0, 7), "line 2:");
  EXPECT_EQ(run(Fhir{.provision = deny_to("2.999.20")}.line() + Fhir{.provision = deny_to("2.999.30")}.line()),
            "line 2: line 1 says otherwise of the same consent");
  EXPECT_EQ(run(Fhir{.provision = deny_to("2.999.20")}.line() +
                Fhir{.mrn = "B", .provision = deny_to("2.999.20")}.line()),
            "line 2: it has the identifier that line 1 gives to a consent of another patient");
  EXPECT_EQ(written(), 0u);
  EXPECT_EQ(run(Fhir{.provision = deny_to("2.999.20")}.line() + Fhir{.provision = deny_to("2.999.20")}.line()),
            "gives a consent; unchanged");
}

TEST_P(ConsentFiles, NeverUndoWhatWasChosenHereLater) {
  choose("A", {Purpose::Treatment}, patient, noon);
  const std::string older =
      "line 2: it is not newer than the choice of purposes held here of " + std::string("2026-10-29T12:00:00+00:00");
  now_ = noon + 2 * day;
  EXPECT_EQ(run(csv("A,opt-out,2026-10-28,,,asked by phone,\n")).substr(0, older.size()), older);
  EXPECT_EQ(run(csv("A,opt-out,,,,asked by phone,\n")),
            "line 2: the patient's purposes are held here otherwise: say when this was given");
  EXPECT_EQ(run(csv("A,opt-out,2026-10-30,,,,\n")),
            "line 2: staff would overwrite what the patient said, and no basis is stated");
  EXPECT_EQ(purposes("A"), "treatment");
  EXPECT_EQ(run(csv("A,opt-out,2026-10-30,,,asked by phone,\n")), "sets purposes");
  EXPECT_EQ(purposes("A"), "none");
}

TEST_P(ConsentFiles, DoNotBringBackAChoiceThatWasClearedHere) {
  const auto file = csv("A,opt-in,2026-10-01,,,,\n");
  EXPECT_EQ(run(file), "sets purposes");
  later();
  ok(clear_choice(*database_, id_of("A"), staff, now_));
  later();
  EXPECT_NE(run(file).find("not newer than the choice of purposes"), std::string::npos);
  EXPECT_EQ(purposes("A"), "defaults");
}

TEST_P(ConsentFiles, EndAChoiceByItsIdentifier) {
  EXPECT_EQ(run(Fhir{.provision = treat}.line()), "sets purposes");
  EXPECT_EQ(purposes("A"), "treatment");
  later();
  EXPECT_EQ(run(Fhir{.value = "8", .status = "inactive", .provision = treat}.line()), "unchanged");
  EXPECT_EQ(run(Fhir{.status = "proposed", .provision = treat}.line()), "unchanged");
  EXPECT_EQ(run(Fhir{.status = "inactive", .provision = treat}.line()), "clears purposes");
  EXPECT_EQ(purposes("A"), "defaults");
  EXPECT_EQ(run(Fhir{.status = "inactive", .provision = treat}.line()), "unchanged");
  EXPECT_NE(run(Fhir{.provision = treat}.line()).find("not newer"), std::string::npos);
  later();
  EXPECT_EQ(run(Fhir{.provision = treat, .given = noon + std::chrono::minutes(90)}.line()), "sets purposes");
}

TEST_P(ConsentFiles, AreVersionsOfAConsentByItsIdentifier) {
  const auto deny = deny_to("2.999.20"), wider = deny_to("2.999.30");
  EXPECT_EQ(run(Fhir{.provision = deny}.line()), "gives a consent");
  const auto first = consents("A").at(0);
  later();
  EXPECT_NE(run(Fhir{.provision = wider, .given = noon - 11 * day}.line()).find("not newer than the version"),
            std::string::npos);
  EXPECT_NE(run(Fhir{.provision = wider}.line()).find("not newer than the version"), std::string::npos);
  EXPECT_EQ(run(Fhir{.provision = wider, .updated = "2026-10-29T12:00:00Z"}.line()).substr(0, 8), "entry 1:")
      << "not after it was saved here";
  later();
  EXPECT_EQ(run(Fhir{.provision = wider, .updated = "2026-10-29T12:30:00Z"}.line()), "changes a consent");
  auto now = consents("A");
  ASSERT_EQ(now.size(), 1u);
  EXPECT_EQ(now[0].id, first.id);
  EXPECT_EQ(now[0].version, 2);
  EXPECT_NE(now[0].root, first.root);
  EXPECT_EQ(run(Fhir{.status = "inactive", .provision = wider, .given = noon - 11 * day}.line()).substr(0, 8),
            "entry 1:");
  EXPECT_EQ(run(Fhir{.status = "entered-in-error", .provision = wider}.line()), "ends a consent");
  now = consents("A");
  EXPECT_EQ(now[0].status, ConsentStatus::EnteredInError);
  EXPECT_EQ(now[0].version, 3);
  EXPECT_EQ(run(Fhir{.status = "inactive", .provision = wider}.line()), "unchanged");
}

TEST_P(ConsentFiles, NeverReviveWhatWasRevokedHere) {
  const auto deny = deny_to("2.999.20");
  EXPECT_EQ(run(Fhir{.provision = deny}.line()), "gives a consent");
  later();
  ok(revoke_consent(*database_, id_of("A"), consents("A").at(0).id, patient, now_));
  later(std::chrono::hours(48));
  EXPECT_NE(run(Fhir{.provision = deny}.line()).find("not newer than the revocation"), std::string::npos);
  EXPECT_NE(run(Fhir{.value = "8", .provision = deny}.line()).find("not newer than the revocation of the same"),
            std::string::npos) << "nor by another identifier";
  EXPECT_EQ(consents("A").at(0).status, ConsentStatus::Revoked);
  const Fhir renewed{.provision = deny, .given = noon + 30 * std::chrono::hours(1)};
  EXPECT_NE(run(renewed.line()).find("no basis"), std::string::npos);
  EXPECT_EQ(run(renewed.line(), patient), "changes a consent");
  EXPECT_EQ(consents("A").at(0).status, ConsentStatus::Active);
}

TEST_P(ConsentFiles, WithoutIdentifierAreKnownByWhatTheySay) {
  const auto file = csv("A,deny,,,2.999.20,,\n");
  EXPECT_EQ(run(file), "gives a consent");
  later();
  EXPECT_EQ(run(file), "unchanged");
  ok(revoke_consent(*database_, id_of("A"), consents("A").at(0).id, staff, now_));
  later(std::chrono::hours(48));
  EXPECT_NE(run(file).find("not newer than the revocation"), std::string::npos);
  EXPECT_EQ(run(csv("A,deny,2026-10-30,,2.999.20,,\n")), "changes a consent");
  EXPECT_EQ(run(file), "unchanged");
}

TEST_P(ConsentFiles, KeepIdentifiersOfAnotherPatientApart) {
  EXPECT_EQ(run(Fhir{.provision = deny_to("2.999.20")}.line()), "gives a consent");
  EXPECT_EQ(run(Fhir{.mrn = "B", .provision = deny_to("2.999.20")}.line()),
            "entry 1: its identifier is that of a consent of another patient here");
  EXPECT_EQ(run(Fhir{.mrn = "B", .value = "8", .provision = deny_to("2.999.20")}.line()), "gives a consent");
  EXPECT_EQ(run(Fhir{.mrn = "C", .value = "9", .provision = treat}.line()), "sets purposes");
  EXPECT_EQ(run(Fhir{.mrn = "B", .value = "9", .provision = treat}.line()),
            "entry 1: its identifier is that of a consent of another patient here");
}

TEST_P(ConsentFiles, DoNotTurnAChoiceIntoAConsentNorBack) {
  EXPECT_EQ(run(Fhir{.provision = treat}.line()), "sets purposes");
  later();
  EXPECT_NE(run(Fhir{.provision = deny_to("2.999.20"), .given = noon}.line()).find("take that back first"),
            std::string::npos);
  EXPECT_EQ(run(Fhir{.mrn = "B", .value = "8", .provision = deny_to("2.999.20")}.line()), "gives a consent");
  EXPECT_NE(run(Fhir{.mrn = "B", .value = "8", .provision = treat, .given = noon}.line()).find("no choice of purposes"),
            std::string::npos);
}

const std::string no_purpose = R"({"type":"deny"})";
const std::string treat_and_pay =
    R"({"type":"deny","provision":[)" + treat + R"(,{"type":"permit","purpose":[{"system":)"
    R"("http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HPAYMT"}]}]})";
constexpr std::string_view end_the_other = "end the other consent first, or set the purposes with `policy set`";

TEST_P(ConsentFiles, OfAnotherConsentPermitNoMoreThanIsHeld) {
  EXPECT_EQ(run(Fhir{.value = "a", .provision = no_purpose}.line()), "sets purposes");
  later();
  const Fhir wider{.value = "b", .provision = treat, .given = noon - 5 * day};
  EXPECT_NE(run(wider.line()).find(end_the_other), std::string::npos);
  EXPECT_NE(run(wider.line(), patient).find(end_the_other), std::string::npos) << "whoever says it";
  EXPECT_EQ(purposes("A"), "none");
  EXPECT_EQ(run(Fhir{.value = "a", .provision = treat, .given = noon - 5 * day}.line()), "sets purposes")
      << "the same consent may";
  EXPECT_EQ(purposes("A"), "treatment");
}

TEST_P(ConsentFiles, OfAnotherConsentPermitMoreOnceTheFirstHasEnded) {
  EXPECT_EQ(run(Fhir{.value = "a", .provision = no_purpose}.line()), "sets purposes");
  later();
  EXPECT_EQ(run(Fhir{.value = "a", .status = "inactive", .provision = no_purpose}.line()), "clears purposes");
  later();
  EXPECT_EQ(run(Fhir{.value = "b", .provision = treat, .given = noon + std::chrono::minutes(90)}.line()),
            "sets purposes");
  EXPECT_EQ(purposes("A"), "treatment");
}

TEST_P(ConsentFiles, OfAnotherConsentNarrowWhatIsHeldAndOneAloneNeverWidensItAgain) {
  EXPECT_EQ(run(Fhir{.value = "b", .provision = treat_and_pay}.line()), "sets purposes");
  later();
  EXPECT_EQ(run(Fhir{.value = "a", .provision = treat, .given = noon - 5 * day}.line()), "sets purposes");
  EXPECT_EQ(purposes("A"), "treatment");
  later();
  for (const auto* either : {"a", "b"}) {
    const Fhir wider{.value = either, .provision = treat_and_pay, .given = noon - 3 * day};
    EXPECT_NE(run(wider.line()).find(end_the_other), std::string::npos) << either;
  }
  EXPECT_NE(run(Fhir{.value = "a", .status = "inactive", .provision = treat, .given = noon}.line()).find(end_the_other),
            std::string::npos) << "the clinic's defaults may be wider than what b says";
  EXPECT_EQ(purposes("A"), "treatment");
  choose("A", {Purpose::Treatment, Purpose::Operations}, staff, now_);
  EXPECT_EQ(run(Fhir{.value = "a", .status = "inactive", .provision = treat, .given = now_}.line()), "unchanged");
  EXPECT_EQ(run(Fhir{.value = "a", .provision = no_purpose, .given = now_ + std::chrono::minutes(1)}.line())
                .substr(0, 8), "entry 1:") << "said in the future";
  later();
  EXPECT_EQ(run(Fhir{.value = "a", .provision = no_purpose, .given = now_}.line()), "sets purposes");
  EXPECT_EQ(purposes("A"), "none");
}

TEST_P(ConsentFiles, OfTwoConsentsThatSayTheSameWidenByNeitherAlone) {
  EXPECT_EQ(run(Fhir{.value = "a", .provision = treat}.line()), "sets purposes");
  later();
  const auto same = Fhir{.value = "b", .provision = treat}.line();
  EXPECT_EQ(run(same), "sets purposes") << "it is kept that b says so too";
  EXPECT_EQ(run(same), "unchanged");
  EXPECT_EQ(run(Fhir{.value = "a", .provision = treat}.line()), "unchanged");
  later();
  for (const auto* either : {"a", "b"}) {
    EXPECT_NE(run(Fhir{.value = either, .provision = treat_and_pay, .given = noon}.line()).find(end_the_other),
              std::string::npos) << either;
  }
  EXPECT_EQ(run(Fhir{.mrn = "B", .value = "c", .provision = treat}.line()), "sets purposes");
  later();
  EXPECT_EQ(run(Fhir{.mrn = "B", .value = "c", .provision = treat_and_pay, .given = noon}.line()), "sets purposes");
}

TEST_P(ConsentFiles, KeepWhatAMergedRecordSaidToo) {
  EXPECT_EQ(run(Fhir{.value = "a", .provision = treat}.line() +
                Fhir{.mrn = "B", .value = "b", .provision = treat}.line() +
                Fhir{.mrn = "C", .value = "c", .provision = treat}.line()),
            "sets purposes; sets purposes; sets purposes");
  later();
  ok(merge_patients(*database_, *clinic_, id_of("A"), id_of("B"), {.actor = "Eve", .reason = "twice"}, now_));
  later();
  EXPECT_NE(run(Fhir{.value = "a", .provision = treat_and_pay, .given = noon}.line()).find(end_the_other),
            std::string::npos);
  EXPECT_EQ(run(Fhir{.mrn = "C", .value = "c", .provision = treat_and_pay, .given = noon}.line()), "sets purposes");
}

TEST_P(ConsentFiles, OfAConsentPermitNoMoreThanWasChosenHereAndARowOfStaffDoes) {
  choose("A", {}, patient, noon - 10 * day);
  const Fhir wider{.provision = treat, .given = noon - 5 * day};
  EXPECT_NE(run(wider.line(), patient).find(end_the_other), std::string::npos);
  EXPECT_EQ(run(csv("A,purposes,2026-10-25,treatment,,,\n")),
            "line 2: staff would overwrite what the patient said, and no basis is stated");
  EXPECT_EQ(run(csv("A,purposes,2026-10-25,treatment,,by letter,\n")), "sets purposes");
  EXPECT_EQ(purposes("A"), "treatment");
}

TEST_P(ConsentFiles, RevokeTheOneConsentThatIsMeant) {
  EXPECT_EQ(run(csv("A,revoke,2026-10-28,,,,\n")), "line 2: the patient has no such consent here");
  EXPECT_EQ(run(csv("A,deny,2026-10-01,,2.999.20,,x|1\nA,deny,2026-10-01,,2.999.30,,x|2\n")),
            "gives a consent; gives a consent");
  later();
  EXPECT_NE(run(csv("A,revoke,2026-10-28,,,,\n")).find("several consents"), std::string::npos);
  EXPECT_NE(run(csv("A,revoke,2026-09-28,,,,x|1\n")).find("not newer"), std::string::npos);
  const auto second = consents("A").at(1).id;
  EXPECT_EQ(run(csv("A,revoke,2026-10-28,,,,x|1\nA,revoke,2026-10-28,,,," + second + "\n")),
            "ends a consent; ends a consent");
  for (const auto& consent : consents("A")) EXPECT_EQ(consent.status, ConsentStatus::Revoked);
  EXPECT_EQ(run(csv("A,revoke,2026-10-28,,,,x|1\nA,revoke,2026-10-28,,,,\n")), "unchanged; unchanged");
}

TEST_P(ConsentFiles, ReportPartsThatCannotBeEvaluatedWithTheirPlace) {
  const auto planned = plan(Fhir{.provision = treat}.line() +
                            Fhir{.mrn = "B", .value = "8", .provision = R"({"type":"permit","action":[{"text":"x"}]})"}
                                .line());
  EXPECT_TRUE(planned.refused.empty());
  ASSERT_EQ(planned.reported.size(), 1u);
  EXPECT_EQ(planned.reported[0].place, "line 2");
  EXPECT_EQ(planned.reported[0].sentence.substr(0, 16), "provision.action");
  ok(carry_out(*database_, planned, now_));
  EXPECT_FALSE(consents("B").at(0).root.understood);
}

TEST_P(ConsentFiles, AreNotCarriedOutWhereSomebodyChangedARecordMeanwhile) {
  const auto file = csv("A,opt-out,,,,,\nB,deny,,,2.999.20,,\n");
  const auto planned = plan(file);
  choose("A", {Purpose::Treatment}, patient, noon);
  EXPECT_EQ(carry_out(*database_, planned, now_).error().code, Errc::ChangedMeanwhile);
  EXPECT_EQ(consents("B").size(), 0u);
  const auto of_b = plan(csv("B,deny,,,2.999.20,,\n"));
  ok(give_consent(*database_, id_of("B"), {.root = {}, .given_at = noon}, staff, noon));
  EXPECT_EQ(carry_out(*database_, of_b, now_).error().code, Errc::ChangedMeanwhile);
  ok(carry_out(*database_, plan(csv("B,deny,,,2.999.20,,\n")), now_));
}

TEST_P(ConsentFiles, AreNotCarriedOutForAPersonWhoseRecordsWereTakenApartMeanwhile) {
  const MergeChange change{.actor = "Eve", .reason = "twice"};
  const auto retired = id_of("B");
  ok(merge_patients(*database_, *clinic_, id_of("A"), retired, change, noon));
  const auto of_b = plan(csv("B,deny,,,2.999.20,,\n")), of_a = plan(csv("A,deny,,,2.999.20,,\n"));
  ok(unmerge_patient(*database_, *clinic_, retired, change, noon));
  EXPECT_EQ(carry_out(*database_, of_b, now_).error().code, Errc::ChangedMeanwhile);
  EXPECT_EQ(count("consents"), 0u) << "what is said of B is not said of A";
  ok(carry_out(*database_, of_a, now_));
  EXPECT_EQ(consents("A").size(), 1u);
  EXPECT_EQ(consents("B").size(), 0u);
}

TEST_P(ConsentFiles, LeaveAPatientAloneOfWhomSomethingCannotBeRead) {
  choose("A", {Purpose::Treatment}, staff, noon);
  auto* session = ok(database_->session());
  ok(session->execute("UPDATE purpose_choices SET purposes = 999"));
  EXPECT_EQ(run(csv("A,deny,,,2.999.20,,\n")), "line 2: what is held of this patient cannot be read");
  EXPECT_EQ(ok(export_consents(*database_, *clinic_, {})).unreadable, std::vector<std::string>{"A"});
  EXPECT_EQ(run(csv("B,deny,,,2.999.20,,\n")), "gives a consent");
  EXPECT_TRUE(ok(export_consents(*database_, *clinic_, {.patients = {id_of("B")}})).unreadable.empty());
  ok(session->execute("UPDATE consents SET provision = 'x'"));
  EXPECT_EQ(run(csv("B,opt-out,,,,,\n")), "line 2: what is held of this patient cannot be read");
  EXPECT_EQ(ok(export_consents(*database_, *clinic_, {.patients = {id_of("B")}})).unreadable,
            std::vector<std::string>{"B"});
}

TEST_P(ConsentFiles, ExportTheOthersWherePartOfOnePatientCannotBeRead) {
  EXPECT_EQ(run(csv("A,opt-out,,,,,\nB,opt-out,,,,,\nB,deny,,,2.999.20,,x|1\nB,deny,,,2.999.21,,x|2\n"
                    "C,deny,,,2.999.20,,\n")),
            "sets purposes; sets purposes; gives a consent; gives a consent; gives a consent");
  auto* session = ok(database_->session());
  ok(session->execute("UPDATE consents SET provision = 'x' WHERE source = 'x|2'"));
  const auto all = ok(export_consents(*database_, *clinic_, {}));
  EXPECT_EQ(all.unreadable, std::vector<std::string>{"B"});
  EXPECT_EQ(std::set(all.patients.begin(), all.patients.end()), (std::set{id_of("A"), id_of("C")}));
  EXPECT_EQ(all.consents, 1u);
  EXPECT_EQ(all.choices, 1u);
  EXPECT_EQ(all.bundle.find(id_of("B")), std::string::npos) << "nothing of the patient, not what could be read either";
  ok(session->execute("DELETE FROM consents WHERE source LIKE 'x|%'"));
  EXPECT_EQ(ok(export_consents(*database_, *clinic_, {})).unreadable, std::vector<std::string>{"B"}) << "lost ones too";
}

TEST_P(ConsentFiles, HaveLimitsAndAName) {
  const auto two = csv("A,opt-out,,,,,\nB,opt-out,,,,,\n");
  EXPECT_EQ(plan_consents(*database_, *clinic_, two, {.change = staff, .rows = 1}, noon).error().code,
            resources::Errc::TooMuch);
  EXPECT_TRUE(plan_consents(*database_, *clinic_, two, {.change = staff, .rows = 2}, noon));
  EXPECT_EQ(plan_consents(*database_, *clinic_, two, {.change = {.actor = " "}}, noon).error().code,
            Errc::ActorMissing);
  EXPECT_EQ(run(two), "sets purposes; sets purposes");
  EXPECT_EQ(export_consents(*database_, *clinic_, {.bytes = 1000}).error().code, resources::Errc::TooMuch);
}

TEST_P(ConsentFiles, ExportTheLastWordOfThosePatientsAndDays) {
  EXPECT_EQ(ok(export_consents(*database_, *clinic_, {})).bundle,
            "{\"resourceType\":\"Bundle\",\"type\":\"collection\"}\n");
  EXPECT_EQ(run(csv("A,opt-out,,,,,\nB,deny,2026-10-01,,2.999.20,,x|1\n")), "sets purposes; gives a consent");
  now_ += day;
  EXPECT_EQ(run(csv("B,revoke,2026-10-28,,,,x|1\nC,opt-in,,,,,\n")), "ends a consent; sets purposes");
  const auto all = ok(export_consents(*database_, *clinic_, {}));
  EXPECT_EQ(all.patients.size(), 3u);
  EXPECT_EQ(all.consents, 1u);
  EXPECT_EQ(all.choices, 2u);
  EXPECT_NE(all.bundle.find("\"inactive\""), std::string::npos);
  const auto some = ok(export_consents(*database_, *clinic_, {.since = now_}));
  EXPECT_EQ(some.consents, 1u);
  EXPECT_EQ(some.choices, 1u);
  const auto one = ok(export_consents(*database_, *clinic_, {.patients = {id_of("A")}}));
  EXPECT_EQ(one.patients, std::vector{id_of("A")});
  EXPECT_EQ(export_consents(*database_, *clinic_, {.patients = {"nobody"}}).error().code, Errc::NoSuchPatient);
  EXPECT_EQ(run(all.bundle), "unchanged; unchanged; unchanged") << "here they are known";
}

}  // namespace
}  // namespace gateway::patients
