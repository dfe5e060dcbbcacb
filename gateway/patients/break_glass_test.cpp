#include "gateway/patients/break_glass.hpp"

#include "gateway/patients/consents.hpp"
#include "gateway/patients/merges.hpp"
#include "gateway/patients/testing.hpp"

namespace gateway::patients {
namespace {

using std::chrono::minutes;
using testing::noon;
using testing::ok;
using testing::patient_line;

class BrokenGlass : public testing::ShelfTest {
 protected:
  void SetUp() override {
    ShelfTest::SetUp();
    if (IsSkipped()) return;
    std::string lines;
    for (const char* mrn : {"A", "B", "C", "D", "E", "F", "G"})
      lines += patient_line(mrn, "Quill", "Odessa", "1971-08-14");
    import(lines);
  }
  NewGrant wanted(const std::string& user = "Dr. Ada Quill") const {
    return {.user = user, .role = "physician", .reason = "unconscious in the emergency room", .minutes = 60};
  }
  Result<Grant> take(const std::string& mrn, const NewGrant& grant, Instant now = noon) {
    return break_glass(*database_, id_of(mrn), grant, now);
  }
  boost::system::error_code refused(const NewGrant& grant) {
    const auto taken = take("A", grant);
    return taken ? boost::system::error_code() : taken.error().code;
  }
  Result<Grant> review(const std::string& id, const std::string& by, const std::string& finding = "justified",
                       Instant now = noon + minutes(90)) {
    return review_grant(*database_, *clinic_, id, {.reviewer = by, .finding = finding}, now);
  }
};
ON_BOTH_DATABASES(BrokenGlass);

TEST_P(BrokenGlass, SaysWhoInWhichRoleWhyAndForHowLong) {
  const auto grant = ok(take("A", wanted(" Dr. Ada Quill ")));
  EXPECT_EQ(grant.mrn, "A");
  EXPECT_EQ(grant.patient, id_of("A"));
  EXPECT_EQ(grant.user, "Dr. Ada Quill");
  EXPECT_EQ(grant.from, noon);
  EXPECT_EQ(grant.to, noon + minutes(60));
  EXPECT_FALSE(grant.reviewed_at);
  EXPECT_EQ(break_glass(*database_, "nobody", wanted(), noon).error().code, Errc::NoSuchPatient);
}

TEST_P(BrokenGlass, IsRefusedWithoutUserRoleReasonOrMeasure) {
  const auto but = [&](auto change) {
    auto grant = wanted();
    change(grant);
    return refused(grant);
  };
  EXPECT_EQ(but([](NewGrant& g) { g.user = " "; }), Errc::ActorMissing);
  EXPECT_EQ(but([](NewGrant& g) { g.role = ""; }), Errc::RoleMissing);
  for (const auto* reason : {"", "x", "emergency", "a b c d e f g h", "12345 67890 1", "  short     ", "..........."})
    EXPECT_EQ(but([&](NewGrant& g) { g.reason = reason; }), Errc::ReasonTooThin) << reason;
  for (const auto length : {-1, 0, 241}) EXPECT_EQ(but([&](NewGrant& g) { g.minutes = length; }), Errc::BadGrantTime);
  EXPECT_EQ(count("break_glass"), 0u);
  for (const auto length : {1, 240}) {
    auto grant = wanted("user " + std::to_string(length));
    grant.minutes = length;
    grant.reason = "übermüdet";
    EXPECT_EQ(refused(grant), Errc::ReasonTooThin) << "nine characters in eleven octets";
    grant.reason = "übermüdet!";
    EXPECT_FALSE(refused(grant));
  }
}

TEST_P(BrokenGlass, IsNotBrokenAgainWhileItIsOpenAndNew) {
  ok(take("A", wanted()));
  EXPECT_EQ(take("A", wanted("dr ada QUILL"), noon + minutes(9)).error().code, Errc::GrantOpen);
  ok(take("A", wanted("Dr. Bo"), noon + minutes(9)));
  ok(take("B", wanted(), noon + minutes(9)));
  ok(take("A", wanted(), noon + minutes(10)));
  auto brief = wanted();
  brief.minutes = 2;
  ok(take("C", brief));
  ok(take("C", brief, noon + minutes(2)));
}

TEST_P(BrokenGlass, IsBrokenForFivePatientsAnHour) {
  for (const char* mrn : {"A", "B", "C", "D", "E"}) ok(take(mrn, wanted()));
  EXPECT_EQ(take("F", wanted(), noon + minutes(59)).error().code, Errc::GlassRate);
  ok(take("E", wanted(), noon + minutes(59)));
  ok(take("F", wanted("Dr. Bo"), noon + minutes(59)));
  ok(take("F", wanted(), noon + minutes(60)));
}

TEST_P(BrokenGlass, IsKnownToDecisionsAboutOurOwnPeopleAlone) {
  const auto grant = ok(take("A", wanted()));
  auto* session = ok(database_->session());
  EXPECT_EQ(ok(ConsentReader(*session).of(id_of("A"), 0)), nullptr);
  EXPECT_EQ(ok(consent_facts(*database_, id_of("A"), Asker::Partner)), nullptr);
  EXPECT_EQ(ok(consent_facts(*database_, id_of("B"), Asker::OwnStaff)), nullptr);
  const auto facts = ok(consent_facts(*database_, id_of("A"), Asker::OwnStaff));
  ASSERT_NE(facts, nullptr);
  EXPECT_TRUE(facts->readable);
  const policy::Period hour{.from = noon, .to = noon + minutes(60)};
  EXPECT_EQ(facts->grants,
            (std::vector<policy::BreakGlass>{{.id = grant.id, .user = "Dr. Ada Quill", .period = hour}}));
}

TEST_P(BrokenGlass, FollowsAPersonWhoseRecordsAreMerged) {
  ok(take("B", wanted()));
  ok(merge_patients(*database_, *clinic_, id_of("A"), id_of("B"), {.actor = "Eve", .reason = "twice"}, noon));
  EXPECT_EQ(ok(consent_facts(*database_, id_of("A"), Asker::OwnStaff))->grants.size(), 1u);
  EXPECT_EQ(take("A", wanted(), noon + minutes(1)).error().code, Errc::GrantOpen);
}

TEST_P(BrokenGlass, WaitsForReviewBySomebodyElse) {
  const auto first = ok(take("A", wanted()));
  const auto second = ok(take("B", wanted(), noon + minutes(1)));
  EXPECT_EQ(ok(list_grants(*database_, *clinic_, Reviewed::Waiting)).size(), 2u);
  EXPECT_EQ(review("nothing", "Petra").error().code, Errc::NoSuchGrant);
  EXPECT_EQ(review(first.id, " ").error().code, Errc::ActorMissing);
  EXPECT_EQ(review(first.id, "Petra", " ").error().code, Errc::FindingMissing);
  for (const auto* same : {"Dr. Ada Quill", " dr. ada quill ", "DR ADA QUILL"})
    EXPECT_EQ(review(first.id, same).error().code, Errc::OwnReview) << same;
  const auto elsewhere = add_clinic("2.999.5", "Elsewhere", "2.999.5.1");
  EXPECT_EQ(review_grant(*database_, elsewhere, first.id, {"Petra", "fine"}, noon).error().code, Errc::NoSuchGrant);
  EXPECT_EQ(ok(list_grants(*database_, *clinic_, Reviewed::Waiting)).size(), 2u);

  const auto closed = ok(review(first.id, "Petra"));
  EXPECT_EQ(closed.reviewer, "Petra");
  EXPECT_EQ(closed.reviewed_at, noon + minutes(90));
  EXPECT_EQ(closed.finding, "justified");
  EXPECT_EQ(closed.to, noon + minutes(60));
  EXPECT_EQ(review(first.id, "Petra").error().code, Errc::ReviewedAlready);
  const auto waiting = ok(list_grants(*database_, *clinic_, Reviewed::Waiting));
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].id, second.id);
  EXPECT_EQ(ok(list_grants(*database_, *clinic_, Reviewed::All)).size(), 2u);
}

TEST_P(BrokenGlass, EndsWithItsReview) {
  const auto grant = ok(take("A", wanted()));
  EXPECT_EQ(ok(review(grant.id, "Petra", "mistaken", noon + minutes(5))).to, noon + minutes(5));
}

TEST_P(BrokenGlass, KeepsItsPatientUntilItIsReviewed) {
  const auto grant = ok(take("A", wanted()));
  const auto id = id_of("A");
  EXPECT_EQ(delete_patient(*database_, *clinic_, id).error().code, Errc::AwaitsReview);
  EXPECT_EQ(id_of("A"), id);
  ok(review(grant.id, "Petra"));
  ok(delete_patient(*database_, *clinic_, id));
  EXPECT_EQ(count("break_glass"), 0u);
}

}  // namespace
}  // namespace gateway::patients
