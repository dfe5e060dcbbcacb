#include "gateway/patients/hie_settings.hpp"

#include "gateway/patients/testing.hpp"

namespace gateway::patients {
namespace {

using testing::noon;
using testing::ok;

const HieSettings full{.enabled = true,
                       .to = "records@direct.hie.example.org",
                       .opt_in_by_default = true,
                       .expire_in_days = 365,
                       .explanation = {.version = 2, .text = "Your \"records\" are sent.\nYou may say no: \u00e9."}};

TEST(HieSettings, ReadBackAsTheyWereWritten) {
  EXPECT_EQ(ok(read_hie_settings(write_hie_settings(full))), full);
  EXPECT_EQ(ok(read_hie_settings(write_hie_settings({}))), HieSettings{});
  EXPECT_EQ(ok(read_hie_settings("")), HieSettings{}) << "a clinic that never set anything";
}

TEST(HieSettings, AreUnreadableWhereAnythingOfThemIsOdd) {
  const auto good = write_hie_settings(full);
  ASSERT_TRUE(read_hie_settings(good));
  const std::pair<std::string, std::string> changes[] = {
      {"\"enabled\":true", "\"enabled\":\"true\""},
      {"\"enabled\":true,", ""},
      {"\"enabled\":true", "\"enabled\":true,\"more\":1"},
      {"records@direct.hie.example.org", ""},
      {"records@direct.hie.example.org", "records"},
      {"records@direct.hie.example.org", "records@Direct.hie.example.org"},
      {"\"opt_in_by_default\":true", "\"opt_in_by_default\":1"},
      {"365", "-1"},
      {"365", "36501"},
      {"365", "1.5"},
      {"365", "\"365\""},
      {"\"version\":2", "\"version\":0"},
      {"\"version\":2", "\"version\":-1"},
      {"\"version\":2,", ""},
      {"\"text\"", "\"words\""},
      {"{", "["},
  };
  for (const auto& [from, to] : changes) {
    auto json = good;
    ASSERT_NE(json.find(from), std::string::npos) << from;
    json.replace(json.find(from), from.size(), to);
    const auto settings = read_hie_settings(json);
    ASSERT_FALSE(settings) << json;
    EXPECT_EQ(settings.error().code, Errc::RecordUnreadable);
  }
}

TEST(HieSettings, TakeADirectAddress) {
  EXPECT_EQ(ok(hie_address(" Records.Desk+x@Direct.HIE.example.ORG ")), "Records.Desk+x@direct.hie.example.org");
  for (const char* bad : {"", "@", "a@", "@b", "a", "a@b@c", "a b@c", "a@b c", ".a@b", "a.@b", "a@b..c", "a@.b", "a@b.",
                          "a@b\n", "a@b\ncc", "<a@b>", "a,b@c"}) {
    const bool trimmed = std::string_view(bad) == "a@b\n";
    EXPECT_EQ(hie_address(bad).has_value(), trimmed) << bad;
  }
  EXPECT_TRUE(hie_address(std::string(250, 'a') + "@b.c"));
  EXPECT_FALSE(hie_address(std::string(251, 'a') + "@b.c"));
}

class HieSettingsOfAClinic : public testing::ShelfTest {
 protected:
  Result<HieSettings> change(const HieChange& wanted, const char* actor = "Dana Admin") {
    return change_hie_settings(*database_, clinic_->id, wanted, actor, noon);
  }
  HieSettings now() { return ok(hie_settings(*ok(database_->session()), clinic_->id)); }
  std::string version() { return ok(find_clinic(*database_, clinic_->id)).version; }
};
ON_BOTH_DATABASES(HieSettingsOfAClinic);

TEST_P(HieSettingsOfAClinic, ChangeOneByOneAndEachIsKept) {
  EXPECT_EQ(now(), HieSettings{});
  ok(change({.enabled = true, .to = "records@Direct.hie.example.org"}));
  EXPECT_EQ(now(), (HieSettings{.enabled = true, .to = "records@direct.hie.example.org"}));
  EXPECT_EQ(version(), "2");
  ok(change({.opt_in_by_default = true, .expire_in_days = 30}));
  EXPECT_EQ(now().expire_in_days, 30);
  EXPECT_TRUE(now().enabled && now().opt_in_by_default);
  ok(change({.expire_in_days = 0}));
  EXPECT_EQ(now().expire_in_days, std::nullopt);
  EXPECT_EQ(version(), "4");
  const auto kept = ok(ok(database_->session())
                           ->select("SELECT value FROM clinic_settings WHERE setting = 'hie' AND clinic = :p1 AND"
                                    " set_by = 'Dana Admin' ORDER BY version",
                                    "t", {clinic_->id}));
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(ok(read_hie_settings(kept[1].text(0))).expire_in_days, 30);
  EXPECT_EQ(ok(read_hie_settings(kept[2].text(0))), now());
}

TEST_P(HieSettingsOfAClinic, CountTheTextsOfTheExplanation) {
  ok(change({.explanation = "We send."}));
  EXPECT_EQ(now().explanation, (HieExplanation{.version = 1, .text = "We send."}));
  ok(change({.explanation = "We send."}));
  EXPECT_EQ(now().explanation.version, 1) << "the same text";
  ok(change({.explanation = ""}));
  EXPECT_EQ(now().explanation, (HieExplanation{.version = 2, .text = ""}));
  EXPECT_TRUE(change({.explanation = std::string(explanation_octets_max, 'x')}));
  EXPECT_EQ(change({.explanation = std::string(explanation_octets_max + 1, 'x')}).error().code, Errc::BadSetting);
  EXPECT_EQ(change({.explanation = "\xff"}).error().code, Errc::BadSetting);
}

TEST_P(HieSettingsOfAClinic, RefuseWhatCouldDoNothing) {
  EXPECT_EQ(change({.enabled = true}).error().code, Errc::BadSetting) << "where to?";
  EXPECT_EQ(change({.to = "nobody"}).error().code, Errc::BadSetting);
  EXPECT_EQ(change({.expire_in_days = -1}).error().code, Errc::BadSetting);
  EXPECT_EQ(change({.expire_in_days = expire_in_days_max + 1}).error().code, Errc::BadSetting);
  EXPECT_EQ(change({.to = "a@b.example"}, " ").error().code, Errc::ActorMissing);
  EXPECT_EQ(change_hie_settings(*database_, "nobody", {}, "Dana", noon).error().code, Errc::NoSuchClinic);
  EXPECT_EQ(version(), "1") << "nothing was changed";
  ok(change({.enabled = true, .to = "a@b.example", .expire_in_days = expire_in_days_max}));
  EXPECT_EQ(change({.to = ""}).error().code, Errc::BadSetting);
  ok(change({.enabled = false, .to = ""}));
}

TEST_P(HieSettingsOfAClinic, AreNotBuiltOnWhatCannotBeRead) {
  auto* session = ok(database_->session());
  ok(session->execute("UPDATE clinics SET hie = '{}'"));
  EXPECT_EQ(hie_settings(*session, clinic_->id).error().code, Errc::RecordUnreadable);
  EXPECT_EQ(change({.enabled = false}).error().code, Errc::RecordUnreadable);
  ok(session->execute("UPDATE clinics SET hie = ''"));
  ok(change({.enabled = false}));
}

}  // namespace
}  // namespace gateway::patients
