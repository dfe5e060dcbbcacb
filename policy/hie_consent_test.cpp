#include "policy/hie_consent.hpp"

#include <gtest/gtest.h>

namespace policy {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;

const Instant day = base::from_micros(1'793'275'200'000'000);  ///< 2026-10-29T12:00:00Z
constexpr microseconds tick{1};
constexpr hours year{24 * 365};

HieConsent given(std::string id, Instant on, std::optional<Instant> expires = {}) {
  return {.id = std::move(id), .given_on = on, .expires_on = expires};
}
HieConsent revoked(std::string id, Instant on) {
  return {.id = std::move(id), .kind = HieKind::Revoked, .given_on = on};
}
HieConsent late_default(std::string id, Instant on) {
  return {.id = std::move(id), .given_on = on, .basis = HieBasis::Default, .counts = false};
}

struct Row {
  const char* what;
  std::vector<HieConsent> history;
  Instant now;
  std::vector<HieStatus> shown;  ///< of each row
  Reason reason;
};

std::vector<Row> table() {
  using enum HieStatus;
  const auto one = given("a", day, day + year);
  return {
      {"nothing", {}, day, {}, Reason::HieNone},
      {"a tick before it is given", {one}, day - tick, {Inactive}, Reason::HieFuture},
      {"when it is given", {one}, day, {Active}, Reason::Permitted},
      {"a tick before it expires", {one}, day + year - tick, {Active}, Reason::Permitted},
      {"when it expires", {one}, day + year, {Expired}, Reason::HieExpired},
      {"a tick after it expires", {one}, day + year + tick, {Expired}, Reason::HieExpired},
      {"one that does not expire", {given("a", day)}, day + 1000 * year, {Active}, Reason::Permitted},
      {"renewed", {one, given("b", day, day + 2 * year)}, day + year, {Inactive, Active}, Reason::Permitted},
      {"a shorter one overrides", {one, given("b", day, day + hours(1))}, day + hours(1), {Inactive, Expired},
       Reason::HieExpired},
      {"a future one does not fall back", {one, given("b", day + hours(2))}, day + hours(1), {Inactive, Inactive},
       Reason::HieFuture},
      {"a future one whose time has come", {one, given("b", day + hours(2))}, day + hours(2), {Inactive, Active},
       Reason::Permitted},
      {"save order counts, not dates", {given("b", day + hours(2)), one}, day + hours(3), {Inactive, Active},
       Reason::Permitted},
      {"revoked", {one, revoked("r", day + hours(1))}, day + hours(1), {Revoked, Revoked}, Reason::HieRevoked},
      {"revoked by a clock ahead of ours", {one, revoked("r", day + hours(1))}, day, {Revoked, Revoked},
       Reason::HieRevoked},
      {"revoked stays so after it would have expired", {one, revoked("r", day)}, day + 2 * year, {Revoked, Revoked},
       Reason::HieRevoked},
      {"revoked before it began", {given("f", day + year), revoked("r", day)}, day + 2 * year, {Revoked, Revoked},
       Reason::HieRevoked},
      {"revoked does not fall back", {one, given("b", day), revoked("r", day)}, day, {Inactive, Revoked, Revoked},
       Reason::HieRevoked},
      {"given anew after it was revoked", {one, revoked("r", day), given("b", day)}, day, {Revoked, Revoked, Active},
       Reason::Permitted},
      {"revoked twice", {one, revoked("r", day), revoked("s", day)}, day, {Revoked, Revoked, Revoked},
       Reason::HieRevoked},
      {"only revoked", {revoked("r", day)}, day, {Revoked}, Reason::HieRevoked},
      {"a default of a person known before is none", {late_default("d", day)}, day, {Inactive}, Reason::HieNone},
      {"such a default never overrides", {one, late_default("d", day)}, day + year, {Expired, Inactive},
       Reason::HieExpired},
      {"nor does it undo a revocation", {one, revoked("r", day), late_default("d", day)}, day,
       {Revoked, Revoked, Inactive}, Reason::HieRevoked},
      {"nor stand between a consent and its revocation", {one, late_default("d", day), revoked("r", day)}, day,
       {Revoked, Inactive, Revoked}, Reason::HieRevoked},
  };
}

TEST(HieConsent, IsShownAsTheTableSays) {
  for (const auto& row : table()) {
    for (std::size_t i = 0; i < row.history.size(); ++i) {
      EXPECT_EQ(word(shown_status(row.history, i, row.now)), word(row.shown.at(i))) << row.what << ", row " << i;
    }
    EXPECT_EQ(shown_status(row.history, row.history.size(), row.now), HieStatus::Pending) << row.what;
  }
}

TEST(HieConsent, PermitsASendWhereTheLatestIsActive) {
  for (const auto& row : table()) {
    const auto finding = judge_hie({.history = row.history}, row.now);
    EXPECT_EQ(code(finding.reason), code(row.reason)) << row.what;
    EXPECT_EQ(finding.gate, Gate::HieConsent);
    EXPECT_FALSE(finding.sentence.empty());
    EXPECT_EQ(finding.would_change.empty(), finding.permits()) << row.what;
    const auto last = latest(row.history);
    EXPECT_EQ(finding.evidence, last ? "hie-consent " + row.history[*last].id : std::string()) << row.what;
  }
}

TEST(HieConsent, IsActiveInItsLastRowAlone) {
  for (const auto& row : table()) {
    for (std::size_t i = 0; i < row.history.size(); ++i) {
      if (shown_status(row.history, i, row.now) != HieStatus::Active) continue;
      EXPECT_EQ(latest(row.history), i) << row.what;
      EXPECT_TRUE(judge_hie({.history = row.history}, row.now).permits()) << row.what;
    }
  }
}

TEST(HieConsent, CanBeRevokedWhileItIsActiveOrInTheFuture) {
  for (const auto& row : table()) {
    const bool allowed = row.reason == Reason::Permitted || row.reason == Reason::HieFuture;
    EXPECT_EQ(may_revoke(row.history, row.now), allowed) << row.what;
  }
}

TEST(HieConsent, ThatCannotBeReadPermitsNothing) {
  const std::vector<HieConsent> history{given("a", day)};
  EXPECT_EQ(judge_hie({.readable = false, .history = history}, day).reason, Reason::PolicyError);
  EXPECT_TRUE(judge_hie({.readable = true, .history = history}, day).permits());
  EXPECT_EQ(judge_hie({.readable = false}, day).reason, Reason::PolicyError) << "unreadable is not absent";
}

TEST(HieConsent, IsNamedInRecordsByItsGateAndReasons) {
  EXPECT_EQ(word(Gate::HieConsent), "hie-consent");
  EXPECT_EQ(code(Reason::HieNone), "hie-none");
  EXPECT_EQ(code(Reason::HieFuture), "hie-future");
  EXPECT_EQ(code(Reason::HieExpired), "hie-expired");
  EXPECT_EQ(code(Reason::HieRevoked), "hie-revoked");
}

TEST(HieConsent, IsStoredByWordsThatReadBack) {
  for (const auto kind : {HieKind::Given, HieKind::Revoked}) EXPECT_EQ(hie_kind(word(kind)), kind);
  for (const auto basis : {HieBasis::Patient, HieBasis::Staff, HieBasis::Default}) {
    EXPECT_EQ(hie_basis(word(basis)), basis);
  }
  EXPECT_FALSE(hie_kind("Given"));
  EXPECT_FALSE(hie_basis(""));
  EXPECT_EQ(word(static_cast<HieStatus>(99)), "");
}

}  // namespace
}  // namespace policy
