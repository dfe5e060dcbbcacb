#include "gateway/patients/hie_consents.hpp"

#include "gateway/patients/merges.hpp"
#include "gateway/patients/testing.hpp"
#include "gateway/resources/bundle.hpp"

#include <set>
#include <thread>

namespace gateway::patients {
namespace {

using policy::HieBasis;
using policy::HieStatus;
using policy::Reason;
using std::chrono::hours;
using testing::noon;
using testing::ok;
using testing::patient_line;

constexpr std::chrono::microseconds tick{1};
const ChoiceChange staff{.set_by = SetBy::Staff, .actor = "Ruth", .basis = "signed form"},
    herself{.set_by = SetBy::Patient, .actor = "herself"};

Instant utc(std::string_view text) { return ok(base::read_date_time(text)); }

class HieConsents : public testing::ShelfTest {
 protected:
  void SetUp() override {
    ShelfTest::SetUp();
    if (IsSkipped()) return;
    ok(ok(database_->session())->execute("UPDATE clinics SET time_zone = 'America/New_York'"));
    clinic_ = ok(find_clinic(*database_, clinic_->id));
    enter("A");
    set({.enabled = true, .to = "records@hie.example"});
  }

  void enter(const std::string& mrn, const std::string& family = "Quill", Instant at = noon) {
    ok(import_patients(*database_, *clinic_, patient_line(mrn, family, "Odessa", "1971-08-14"), {}, at));
  }
  void set(const HieChange& change) { ok(change_hie_settings(*database_, clinic_->id, change, "Dana", noon)); }
  void alter(const std::string& statement) { ok(ok(database_->session())->execute(statement)); }

  /// Our id of that record itself, merged or not.
  std::string record(const std::string& mrn) { return ok(record_named(*database_, *clinic_, mrn)); }
  Result<HieGiven> give(const std::string& mrn, const HieForm& form, const ChoiceChange& change, Instant now) {
    return give_hie_consent(*database_, record(mrn), form, change, now);
  }
  HieGiven given(const std::string& given_on, const std::string& expires_on = {}, Instant now = noon,
                 const std::string& mrn = "A") {
    return ok(give(mrn, {.given_on = given_on, .expires_on = expires_on, .may_stop = true}, staff, now));
  }
  Result<policy::HieConsent> revoke(const std::string& mrn, Instant now = noon, const ChoiceChange& change = staff) {
    return revoke_hie_consent(*database_, record(mrn), change, now);
  }
  Reason reason(Instant now, const std::string& mrn = "A") {
    return policy::judge_hie(ok(hie_state(*database_, record(mrn))).facts, now).reason;
  }
  std::vector<HieRow> history(Instant now, const std::string& mrn = "A") {
    return ok(hie_history(*database_, record(mrn), now));
  }
  /// `Inactive Active`: of each row.
  std::string statuses(Instant now, const std::string& mrn = "A") {
    std::string all;
    for (const auto& row : history(now, mrn)) all += (all.empty() ? "" : " ") + std::string(word(row.status));
    return all;
  }
  void merge(const std::string& survivor, const std::string& retired, Instant now) {
    const MergeChange change{.actor = "Eve", .reason = "twice"};
    ok(merge_patients(*database_, *clinic_, record(survivor), record(retired), change, now));
  }
  void unmerge(const std::string& retired, Instant now) {
    ok(unmerge_patient(*database_, *clinic_, record(retired), {.actor = "Eve", .reason = "two"}, now));
  }
};
ON_BOTH_DATABASES(HieConsents);

TEST_P(HieConsents, DatesMeanMidnightInTheClinicsZoneAndTimesAreKept) {
  struct Row {
    const char *given_on, *expires_on, *from, *to;
  };
  const Row table[] = {
      {"2026-10-29", "2026-10-30", "2026-10-29T04:00:00Z", "2026-10-30T04:00:00Z"},
      {"2026-11-01", "2026-11-02", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},  // a day of 25 hours
      {"2027-03-14", "2027-03-15", "2027-03-14T05:00:00Z", "2027-03-15T04:00:00Z"},  // of 23
      {"2026-11-21T09:30", "2026-11-21T09:30:01", "2026-11-21T14:30:00Z", "2026-11-21T14:30:01Z"},
      {"2026-11-21T09:30:00Z", "2026-11-21T10:30:00+01:00", "2026-11-21T09:30:00Z", ""},
      {"2026-11-01T01:30", "2026-11-01T02:30", "2026-11-01T05:30:00Z", "2026-11-01T07:30:00Z"},  // an hour twice
      {"2027-03-14T02:30", "2027-03-14T03:30", "2027-03-14T07:00:00Z", "2027-03-14T07:30:00Z"},  // an hour skipped
  };
  for (const auto& row : table) {
    const auto one = give("A", {.given_on = row.given_on, .expires_on = row.expires_on, .may_stop = true}, staff, noon);
    if (!*row.to) {
      EXPECT_EQ(one.error().code, Errc::BadPeriod) << row.given_on << ": the same instant, written otherwise";
      continue;
    }
    ASSERT_TRUE(one) << row.given_on;
    EXPECT_EQ(one->consent.given_on, utc(row.from)) << row.given_on;
    EXPECT_EQ(one->consent.expires_on, utc(row.to)) << row.expires_on;
    EXPECT_EQ(reason(utc(row.from) - tick), Reason::HieFuture);
    EXPECT_EQ(reason(utc(row.from)), Reason::Permitted);
    EXPECT_EQ(reason(utc(row.to) - tick), Reason::Permitted);
    EXPECT_EQ(reason(utc(row.to)), Reason::HieExpired);
    EXPECT_EQ(history(utc(row.to)).back().status, HieStatus::Expired);
    EXPECT_EQ(history(utc(row.to) - tick).back().status, HieStatus::Active);
    EXPECT_EQ(history(utc(row.from) - tick).back().status, HieStatus::Inactive);
  }
  EXPECT_EQ(give("A", {.given_on = "tomorrow"}, staff, noon).error().code, resources::Errc::NotADate);
  EXPECT_EQ(give("A", {.expires_on = "2027-02-30"}, staff, noon).error().code, resources::Errc::NotADate);
}

TEST_P(HieConsents, ProposeACalendarYearOrTheClinicsDays) {
  EXPECT_EQ(given("2026-11-05").consent.expires_on, utc("2027-11-05T04:00:00Z")) << "summer time ends later then";
  EXPECT_EQ(given("2028-02-29").consent.expires_on, utc("2029-02-28T05:00:00Z"));
  EXPECT_EQ(given("2026-11-21T09:30").consent.expires_on, utc("2027-11-21T14:30:00Z"));
  const auto today = given("", "", noon + tick);
  EXPECT_EQ(today.consent.given_on, noon + tick) << "nothing entered is now";
  EXPECT_EQ(today.consent.expires_on, utc("2027-10-29T12:00:00Z") + tick);
  set({.expire_in_days = 3});
  EXPECT_EQ(given("2026-10-30").consent.expires_on, utc("2026-11-02T05:00:00Z")) << "midnight three days later";
  EXPECT_EQ(given("2026-10-30", "2026-10-31").consent.expires_on, utc("2026-10-31T04:00:00Z")) << "it is a proposal";
  EXPECT_EQ(given("", "never").consent.expires_on, std::nullopt);
}

TEST_P(HieConsents, EndAfterTheyBegin) {
  const auto period = [&](const char* from, const char* to) {
    return give("A", {.given_on = from, .expires_on = to, .may_stop = true}, staff, noon);
  };
  EXPECT_EQ(period("2026-11-02", "2026-11-01").error().code, Errc::BadPeriod);
  EXPECT_EQ(period("2026-11-02", "2026-11-02").error().code, Errc::BadPeriod);
  EXPECT_EQ(period("2026-11-02", "2026-11-02T00:00").error().code, Errc::BadPeriod);
  EXPECT_EQ(count("hie_consents"), 0u);
  EXPECT_TRUE(period("2026-11-02", "2026-11-02T00:00:00.000001"));
}

TEST_P(HieConsents, AreAskedAboutBeforeTheyStopWhatIsPermitted) {
  EXPECT_TRUE(ok(give("A", {.given_on = "2026-12-01"}, staff, noon)).saved) << "nothing is sent that could stop";
  EXPECT_EQ(reason(noon), Reason::HieFuture);
  EXPECT_TRUE(ok(give("A", {}, staff, noon)).saved) << "this one begins a send";
  const auto asked = ok(give("A", {.given_on = "2026-12-01"}, staff, noon));
  EXPECT_FALSE(asked.saved);
  EXPECT_TRUE(asked.stops);
  EXPECT_EQ(asked.stops_until, utc("2026-12-01T05:00:00Z"));
  EXPECT_EQ(asked.status, HieStatus::Pending);
  EXPECT_EQ(count("hie_consents"), 2u);
  EXPECT_EQ(reason(noon), Reason::Permitted) << "nothing was saved";

  const auto expired = ok(give("A", {.given_on = "2025-01-01", .expires_on = "2026-01-01"}, staff, noon));
  EXPECT_TRUE(expired.stops && !expired.saved);
  EXPECT_EQ(expired.stops_until, std::nullopt);

  const auto saved = ok(give("A", {.given_on = "2026-12-01", .may_stop = true}, staff, noon));
  EXPECT_TRUE(saved.saved && saved.stops);
  EXPECT_EQ(saved.status, HieStatus::Inactive);
  EXPECT_EQ(reason(noon), Reason::HieFuture) << "it never falls back to the older one";
  EXPECT_EQ(statuses(noon), "Inactive Inactive Inactive");
  EXPECT_EQ(reason(utc("2026-12-01T05:00:00Z")), Reason::Permitted);
  EXPECT_EQ(statuses(utc("2026-12-01T05:00:00Z")), "Inactive Inactive Active");
}

TEST_P(HieConsents, AreRevokedWhileActiveOrInTheFuture) {
  EXPECT_EQ(revoke("A").error().code, Errc::HieNotRevocable) << "there is none";
  given("", "2026-11-01");
  EXPECT_EQ(revoke("A", utc("2026-11-01T04:00:00Z")).error().code, Errc::HieNotRevocable) << "it has expired";
  const auto at = utc("2026-11-01T04:00:00Z") - tick;
  const auto revocation = ok(revoke("A", at));
  EXPECT_EQ(history(at).back().consent, revocation);
  EXPECT_EQ(statuses(at), "Revoked Revoked");
  EXPECT_EQ(reason(at), Reason::HieRevoked);
  EXPECT_EQ(revoke("A", at).error().code, Errc::HieNotRevocable) << "revoked already";
  given("2027-01-01", "", at);
  EXPECT_EQ(statuses(at), "Revoked Revoked Inactive");
  ok(revoke("A", at));
  EXPECT_EQ(statuses(utc("2027-02-01T00:00:00Z")), "Revoked Revoked Revoked Revoked");
  given("2027-01-01", "", at);
  EXPECT_EQ(reason(utc("2027-02-01T00:00:00Z")), Reason::Permitted);
}

TEST_P(HieConsents, OfThePatientInPersonChangeByStaffOnlyOnABasis) {
  const ChoiceChange no_basis{.set_by = SetBy::Staff, .actor = "Ruth"};
  ok(give("A", {}, no_basis, noon));
  ok(give("A", {}, herself, noon));
  EXPECT_EQ(give("A", {}, no_basis, noon).error().code, Errc::BasisMissing);
  EXPECT_EQ(revoke("A", noon, no_basis).error().code, Errc::BasisMissing);
  ok(revoke("A", noon, herself));
  EXPECT_EQ(give("A", {}, no_basis, noon).error().code, Errc::BasisMissing);
  EXPECT_EQ(give("A", {}, {.set_by = SetBy::Staff, .actor = "", .basis = "form"}, noon).error().code,
            Errc::ActorMissing);
  ok(give("A", {}, staff, noon));
  const auto last = history(noon).back();
  EXPECT_EQ(last.consent.basis, HieBasis::Staff);
  EXPECT_EQ(last.actor, "Ruth");
  EXPECT_EQ(last.reason, "signed form");
  EXPECT_EQ(last.saved_at, noon);
  EXPECT_EQ(last.mrn, "A");
}

TEST_P(HieConsents, NameTheVersionOfTheExplanationThePatientSaw) {
  set({.explanation = "first"});
  set({.explanation = "second"});
  EXPECT_EQ(ok(give("A", {}, herself, noon)).consent.text_version, 2);
  EXPECT_EQ(ok(give("A", {}, staff, noon)).consent.text_version, 0);
  EXPECT_EQ(ok(give("A", {.explanation = 1}, herself, noon)).consent.text_version, 1) << "read before the change";
  EXPECT_EQ(ok(give("A", {.explanation = 0}, herself, noon)).consent.text_version, 0);
  EXPECT_EQ(give("A", {.explanation = 3}, herself, noon).error().code, Errc::NoSuchExplanation);
  EXPECT_EQ(give("A", {.explanation = -1}, herself, noon).error().code, Errc::NoSuchExplanation);
  EXPECT_EQ(history(noon).at(2).consent.text_version, 1);
}

TEST_P(HieConsents, AreToOneAddressAlone) {
  given("");
  EXPECT_EQ(reason(noon), Reason::Permitted);
  set({.to = "desk@other.example"});
  EXPECT_EQ(reason(noon), Reason::HieNone) << "consents do not carry over";
  EXPECT_EQ(revoke("A").error().code, Errc::HieNotRevocable);
  given("2027-01-01");
  EXPECT_EQ(reason(noon), Reason::HieFuture);
  const auto rows = history(noon);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].hie, "records@hie.example");
  EXPECT_FALSE(rows[0].current);
  EXPECT_TRUE(rows[1].current);
  set({.to = "records@HIE.example"});
  EXPECT_EQ(reason(noon), Reason::Permitted) << "the same address as before";
  set({.enabled = false, .to = ""});
  EXPECT_EQ(give("A", {}, staff, noon).error().code, Errc::NoHie);
  EXPECT_EQ(reason(noon), Reason::HieNone);
}

TEST_P(HieConsents, ThatCannotBeReadLetNothingBeSent) {
  given("");
  given("");
  const std::pair<std::string, std::string> damages[] = {
      {"UPDATE hie_consents SET kind = 'Given' WHERE number = 1", "UPDATE hie_consents SET kind = 'given'"},
      {"UPDATE hie_consents SET basis = 'somebody' WHERE number = 1", "UPDATE hie_consents SET basis = 'staff'"},
      {"UPDATE hie_consents SET expires_on = given_on WHERE number = 1",
       "UPDATE hie_consents SET expires_on = given_on + 1000000"},
      {"UPDATE hie_consents SET text_version = -1 WHERE number = 2", "UPDATE hie_consents SET text_version = 0"},
      {"UPDATE clinics SET hie = hie || '}'", "UPDATE clinics SET hie = substr(hie, 1, length(hie) - 1)"},
  };
  for (const auto& [damage, repair] : damages) {
    EXPECT_EQ(reason(noon), Reason::Permitted) << damage;
    alter(damage);
    EXPECT_EQ(reason(noon), Reason::PolicyError) << damage;
    EXPECT_EQ(give("A", {}, staff, noon).error().code, Errc::RecordUnreadable) << damage;
    EXPECT_EQ(revoke("A").error().code, Errc::RecordUnreadable) << damage;
    alter(repair);
  }
  alter("UPDATE hie_consents SET kind = 'x' WHERE number = 1");
  EXPECT_FALSE(history(noon).at(0).readable);
  EXPECT_TRUE(history(noon).at(1).readable);
}

TEST_P(HieConsents, AreMadeByDefaultWhenAPatientIsFirstEnteredAlone) {
  enter("B");
  set({.opt_in_by_default = true});
  EXPECT_EQ(reason(noon), Reason::HieNone) << "not on enabling";
  enter("A");
  enter("A", "Quillfeather");
  EXPECT_EQ(reason(noon), Reason::HieNone) << "not on entering anew, nor on news";
  merge("A", "B", noon);
  unmerge("B", noon);
  EXPECT_EQ(count("hie_consents"), 0u) << "not by merging";

  const auto later = noon + hours(1);
  enter("C", "Miller", later);
  const auto rows = history(later, "C");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].consent.basis, HieBasis::Default);
  EXPECT_EQ(rows[0].consent.given_on, later);
  EXPECT_EQ(rows[0].consent.expires_on, utc("2027-10-29T13:00:00Z"));
  EXPECT_EQ(rows[0].consent.text_version, 0);
  EXPECT_EQ(reason(later, "C"), Reason::Permitted);
  enter("C", "Millerman", later);
  EXPECT_EQ(count("hie_consents"), 1u);

  ok(revoke("C", later));
  enter("C", "Miller", later);
  EXPECT_EQ(reason(later, "C"), Reason::HieRevoked) << "never over a revocation";
  set({.opt_in_by_default = false});
  set({.opt_in_by_default = true});
  enter("C", "Millerman", later);
  EXPECT_EQ(reason(later, "C"), Reason::HieRevoked);
}

TEST_P(HieConsents, AreNotMadeByDefaultForWhoWasDeletedAndIsEnteredAgain) {
  set({.opt_in_by_default = true});
  const auto with_ids = [](const std::string& mrn, const std::string& ids) {
    auto line = patient_line(mrn, "Quill", "Odessa", "1971-08-14");
    return line.insert(line.find("],\"name\""), ids);
  };
  const std::string ssn = R"(,{"system":"http://hl7.org/fhir/sid/us-ssn","value":"912-34-5678"})",
                    other = R"(,{"system":"urn:oid:2.999.3","value":"77"})";
  const auto enter_with = [&](const std::string& mrn, const std::string& ids) {
    ok(import_patients(*database_, *clinic_, with_ids(mrn, ids), {}, noon));
  };
  enter_with("B", ssn + other);
  EXPECT_EQ(reason(noon, "B"), Reason::Permitted);
  ok(revoke("B"));
  ok(delete_patient(*database_, *clinic_, record("B")));
  EXPECT_EQ(count("former_patients"), 2u) << "an SSN is not kept";
  enter("B");
  EXPECT_EQ(reason(noon, "B"), Reason::HieNone);
  enter_with("C", ssn);
  EXPECT_EQ(reason(noon, "C"), Reason::Permitted) << "nobody is known by an SSN here";
  enter_with("D", other);
  EXPECT_EQ(reason(noon, "D"), Reason::HieNone) << "the same person under another record number";
  EXPECT_EQ(given("", "", noon, "B").status, HieStatus::Active) << "whoever asks them may write it down";
  ok(delete_patient(*database_, *clinic_, record("B")));
  EXPECT_EQ(count("former_patients"), 2u);

  alter("INSERT INTO former_patients (clinic, number) WITH RECURSIVE n (i) AS"
        " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001) SELECT id, 'N' || i FROM n, clinics");
  enter("E");
  EXPECT_EQ(reason(noon, "E"), Reason::Permitted) << "however many were deleted";

  const auto second = add_clinic("2.999.2", "Quillport", "2.999.2.1");
  ok(change_hie_settings(*database_, second.id, {.enabled = true, .to = "r@hie.example", .opt_in_by_default = true},
                         "Dana", noon));
  ok(import_patients(*database_, second, patient_line("B", "Quill", "Odessa", "1971-08-14"), {}, noon));
  EXPECT_EQ(count("hie_consents"), 3u) << "each clinic has its own; C and E have the others";
}

TEST_P(HieConsents, AreNotMadeByDefaultWhereTheSettingsDoNotSaySo) {
  set({.enabled = false, .opt_in_by_default = true});
  enter("B");
  EXPECT_EQ(count("hie_consents"), 0u) << "the HIE is off";
  set({.enabled = true});
  alter("UPDATE clinics SET hie = hie || '}'");
  enter("C");
  EXPECT_EQ(count("hie_consents"), 0u) << "settings that cannot be read open nothing";
  alter("UPDATE clinics SET hie = substr(hie, 1, length(hie) - 1)");
  enter("D");
  EXPECT_EQ(count("hie_consents"), 1u);
}

TEST_P(HieConsents, MadeByDefaultAreNumberedAsTheyAreSaved) {
  set({.opt_in_by_default = true, .expire_in_days = 10});
  given("");
  std::string file;
  for (int i = 0; i < 25; ++i) file += patient_line("N" + std::to_string(i), "Quill", "Ada", "1980-01-01");
  ok(import_patients(*database_, *clinic_, file, {.rows_per_transaction = 10}, noon));
  given("");
  EXPECT_EQ(count("(SELECT DISTINCT number FROM hie_consents WHERE number BETWEEN 1 AND 27) n"), 27u);
  EXPECT_EQ(history(noon).size(), 2u);
  EXPECT_EQ(history(noon, "N24").at(0).consent.expires_on, utc("2026-11-08T13:00:00Z")) << "the same hour there";
}

TEST_P(HieConsents, OfMergedRecordsCountTogetherInSaveOrder) {
  enter("B");
  given("", "2027-01-01");
  given("2026-12-01", "", noon, "B");
  EXPECT_EQ(reason(noon), Reason::Permitted);
  merge("A", "B", noon + hours(1));
  EXPECT_EQ(reason(noon), Reason::HieFuture) << "the latest of both";
  EXPECT_EQ(reason(noon, "B"), Reason::HieFuture);
  EXPECT_EQ(statuses(noon, "B"), "Inactive Inactive");
  given("", "2027-02-01", noon + hours(2), "B");
  const auto rows = history(noon + hours(2));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1].mrn, "B");
  EXPECT_EQ(rows[2].mrn, "A") << "filed with the record that stands for both";
  unmerge("B", noon + hours(3));
  EXPECT_EQ(statuses(noon + hours(3)), "Inactive Active");
  EXPECT_EQ(statuses(noon + hours(3), "B"), "Inactive") << "its own again";
}

TEST_P(HieConsents, RevokedWhileRecordsAreOneStayRevokedInEach) {
  enter("B");
  enter("C");
  given("", "", noon, "B");
  given("", "", noon, "C");
  given("");
  merge("B", "C", noon);
  merge("A", "B", noon);
  EXPECT_EQ(reason(noon, "C"), Reason::Permitted);
  ok(revoke("B", noon + hours(1)));
  for (const char* mrn : {"A", "B", "C"}) EXPECT_EQ(reason(noon + hours(1), mrn), Reason::HieRevoked) << mrn;
  given("", "", noon + hours(2));
  for (const char* mrn : {"A", "B", "C"}) EXPECT_EQ(reason(noon + hours(2), mrn), Reason::Permitted) << mrn;
  unmerge("B", noon + hours(3));
  EXPECT_EQ(reason(noon + hours(3), "A"), Reason::Permitted) << "given to it since";
  EXPECT_EQ(reason(noon + hours(3), "B"), Reason::HieRevoked);
  unmerge("C", noon + hours(4));
  EXPECT_EQ(reason(noon + hours(4), "B"), Reason::HieRevoked);
  EXPECT_EQ(statuses(noon + hours(4), "C"), "Revoked Revoked");
}

TEST_P(HieConsents, MadeByDefaultForALaterRecordOfAPersonCountForNothing) {
  set({.opt_in_by_default = true});
  enter("B");
  EXPECT_EQ(reason(noon, "B"), Reason::Permitted);
  merge("B", "A", noon);
  EXPECT_EQ(reason(noon), Reason::HieNone) << "A was entered before, without consent";
  unmerge("A", noon);
  EXPECT_EQ(reason(noon, "B"), Reason::Permitted);

  given("");
  ok(revoke("A"));
  enter("C");
  merge("A", "C", noon);
  EXPECT_EQ(reason(noon), Reason::HieRevoked) << "never over a revocation";
  unmerge("C", noon);
  EXPECT_EQ(reason(noon, "C"), Reason::Permitted);
  enter("D");
  merge("D", "C", noon);
  EXPECT_EQ(reason(noon, "D"), Reason::Permitted) << "made when this person was first entered";
  EXPECT_EQ(statuses(noon, "D"), "Active Inactive");
}

TEST_P(HieConsents, GivenAtOnceHaveEachTheirNumber) {
  constexpr int each = 20;
  enter("B");
  const std::string ids[] = {record("A"), record("B")};
  std::vector<std::string> failed[2];
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < each; ++i) {
          // Half of them of one patient, so that its row is wanted by both.
          const auto saved = give_hie_consent(*database_, ids[i % 2 == 0 ? 0 : t], {}, staff, noon);
          if (!saved) failed[t].push_back(saved.error().code.message() + saved.error().detail);
        }
      });
    }
  }
  for (const auto& list : failed) EXPECT_EQ(list, std::vector<std::string>());
  const auto rows = ok(ok(database_->session())->select("SELECT number FROM hie_consents ORDER BY number", "i"));
  ASSERT_EQ(rows.size(), 2u * each);
  std::set<std::int64_t> numbers;
  for (const auto& row : rows) numbers.insert(row.integer(0));
  EXPECT_EQ(numbers.size(), 2u * each);
  EXPECT_EQ(*numbers.rbegin(), 2 * each) << "none is left out";
  EXPECT_EQ(statuses(noon, "A").find("Active "), std::string::npos) << "the last alone is active";
}

TEST_P(HieConsents, GoWithTheirPatient) {
  given("");
  EXPECT_EQ(give_hie_consent(*database_, "nobody", {}, staff, noon).error().code, Errc::NoSuchPatient);
  EXPECT_EQ(hie_state(*database_, "nobody").error().code, Errc::NoSuchPatient);
  EXPECT_EQ(hie_history(*database_, "nobody", noon).error().code, Errc::NoSuchPatient);
  ok(delete_patient(*database_, *clinic_, record("A")));
  EXPECT_EQ(count("hie_consents"), 0u);
}

}  // namespace
}  // namespace gateway::patients
