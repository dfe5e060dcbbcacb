#include "gateway/patients/rules.hpp"

#include "gateway/patients/choices.hpp"
#include "gateway/patients/testing.hpp"

namespace gateway::patients {
namespace {

using policy::ClinicRules;
using policy::Purpose;
using policy::PurposeSet;
using testing::noon;
using testing::ok;

const std::string loinc = "2.16.840.1.113883.6.1";

ClinicRules with(std::initializer_list<std::string_view> words, ClinicRules rules = {}) {
  for (const auto word : words) {
    const auto one = ok(assignment_from_word(word));
    rules = ok(with_rule(std::move(rules), one.first, one.second));
  }
  return rules;
}
boost::system::error_code refused(std::string_view word) {
  const auto one = assignment_from_word(word);
  if (!one) return one.error().code;
  const auto rules = with_rule({}, one->first, one->second);
  return rules ? boost::system::error_code() : rules.error().code;
}

TEST(ARule, OfEachSettingIsTakenUpAndTakenBack) {
  const std::pair<std::string, std::string> settings[] = {{"gate", "HIV"},
                                                          {"gate", "2.999.7|X"},
                                                          {"know", "2.999.7|X"},
                                                          {"mark", loinc + "|11111-1:PSY"},
                                                          {"refuse", "2.999.9"}};
  for (const auto& [name, value] : settings) {
    const std::string word = name + "=" + value;
    const auto rules = with({word});
    EXPECT_NE(rules, ClinicRules{}) << word;
    EXPECT_EQ(rule_words(rules), std::vector<std::string>{word});
    EXPECT_EQ(with({word}, rules), rules) << "once is enough";
    EXPECT_EQ(with({name + "=-" + value}, rules), ClinicRules{}) << word;
  }
  const std::string share = "share=treatment:" + loinc + "|34133-9," + loinc + "|11488-4";
  EXPECT_EQ(rule_words(with({share})), std::vector<std::string>{share});
  EXPECT_EQ(with({share}).shared.at(Purpose::Treatment).size(), 2u);
  EXPECT_EQ(with({share, "share=treatment:all"}), ClinicRules{});
  EXPECT_TRUE(with({share, "share=treatment:none"}).shared.at(Purpose::Treatment).empty()) << "no document at all";
  EXPECT_EQ(with({share, "share=treatment:" + loinc + "|34133-9"}).shared.at(Purpose::Treatment).size(), 1u);
  EXPECT_TRUE(with({"part2-emergencies=on"}).part2_emergencies);
  EXPECT_EQ(with({"part2-emergencies=on", "part2-emergencies=off"}), ClinicRules{});
}

TEST(ARule, MeansTheSystemOfACodeHoweverItIsWritten) {
  for (const std::string& system : {loinc, "urn:oid:" + loinc, std::string("http://loinc.org")}) {
    EXPECT_EQ(with({"mark=" + system + "|11111-1:PSY"}), with({"mark=" + loinc + "|11111-1:PSY"})) << system;
    EXPECT_EQ(with({"share=treatment:" + system + "|34133-9"}), with({"share=treatment:" + loinc + "|34133-9"}));
    EXPECT_EQ(code_from_word(system + "|34133-9")->system, loinc);
  }
  const auto own = with({"mark=http://clinic.example/codes|11111-1:http://clinic.example/labels|X"}).labels.marks;
  ASSERT_EQ(own.size(), 1u);
  EXPECT_EQ(own[0].code.code, "11111-1");
  EXPECT_EQ(own[0].label, (policy::Label{"http://clinic.example/labels", "X"}));
  EXPECT_EQ(refused("mark=" + loinc + "|a:b:PSY"), Errc::BadSetting);
}

TEST(ARule, ThatCannotBeMeantIsRefused) {
  for (const auto* word : {"gate=NOSUCHLABEL", "gate=", "gate=|X", "know=42CFRPart2", "know=V", "know=nothing",
                           "mark=HIV", "mark=11111-1:PSY", "mark=2.16.840.1.113883.6.1|11111-1", "refuse=Riverside",
                           "refuse=", "share=treatment", "share=research:all", "share=treatment:34133-9",
                           "share=-treatment:all", "part2-emergencies=yes", "part2-emergencies=", "noequals", "=x"}) {
    EXPECT_EQ(refused(word), Errc::BadSetting) << word;
  }
  EXPECT_EQ(refused("colour=blue"), Errc::NoSuchSetting);
  EXPECT_FALSE(refused("know=2.999.7|X"));
}

TEST(ARule, ThatWasWrittenIsReadBack) {
  const auto rules = with({"gate=HIV", "gate=2.999.7|X", "know=2.999.7|Y", "mark=2.999.6|1:PSY", "refuse=2.999.9",
                           "share=payment:2.999.6|2", "share=operations:none", "share=treatment:2.999.6|1,2.999.6|2", "part2-emergencies=on"});
  EXPECT_EQ(read_rules(write_rules(rules)), rules);
  EXPECT_EQ(write_rules({}), "");
  EXPECT_EQ(read_rules(""), ClinicRules{});
}

TEST(Rules, ThatCannotBeUnderstoodAreUnreadableAndNotAbsent) {
  for (const auto* json : {"{", "[]", "3", R"({"gate":"HIV"})", R"({"gate":[1]})", R"({"gate":["NOSUCHLABEL"]})",
                           R"({"know":["x"]})", R"({"mark":["x"]})", R"({"refuse":["x"]})", R"({"share":["x"]})",
                           R"({"share":["treatment:all"]})", R"({"share":["payment:1|2","payment:1|3"]})",
                           R"({"part2-emergencies":"on"})", R"({"colour":["blue"]})"}) {
    EXPECT_FALSE(read_rules(json).readable) << json;
  }
  EXPECT_TRUE(read_rules(R"({"gate":["HIV"]})").readable);
}

class SettingsOf : public testing::ShelfTest {
 protected:
  Result<policy::Clinic> set(std::initializer_list<std::string_view> words, std::string_view actor = "admin") {
    std::vector<Assignment> assignments;
    for (const auto word : words) assignments.push_back(ok(assignment_from_word(word)));
    return set_clinic_settings(*database_, clinic_->id, assignments, actor, noon);
  }
  policy::Clinic now() { return ok(find_clinic(*database_, clinic_->id)); }
};
ON_BOTH_DATABASES(SettingsOf);

TEST_P(SettingsOf, AClinicChangeTogetherOrNotAtAll) {
  const auto set_now = ok(set({"purposes=payment", "gate=HIV", "refuse=2.999.9"}));
  EXPECT_EQ(set_now.defaults, PurposeSet{Purpose::Payment});
  EXPECT_EQ(set_now.rules, with({"gate=HIV", "refuse=2.999.9"}));
  EXPECT_EQ(now().rules, set_now.rules);
  EXPECT_EQ(count("clinic_settings"), 3u) << "the first defaults, purposes, rules";
  EXPECT_EQ(set({"purposes=treatment", "gate=-HIV", "share=nonsense"}).error().code, Errc::BadSetting);
  EXPECT_EQ(set({"gate=-HIV", "purposes=everything"}).error().code, Errc::BadSetting);
  EXPECT_EQ(set({"gate=-HIV"}, " ").error().code, Errc::ActorMissing);
  EXPECT_EQ(now().defaults, PurposeSet{Purpose::Payment});
  EXPECT_EQ(now().rules, set_now.rules);
  EXPECT_EQ(count("clinic_settings"), 3u);
}

TEST_P(SettingsOf, AClinicWhoseRulesCannotBeReadStayAsTheyAreUntilRepaired) {
  auto* session = ok(database_->session());
  EXPECT_EQ(ok(session->execute(R"(UPDATE clinics SET rules = '{"colour":["blue"]}')")), 1u);
  EXPECT_FALSE(now().rules.readable);
  EXPECT_EQ(set({"gate=HIV"}).error().code, Errc::RecordUnreadable);
  EXPECT_EQ(ok(set({"purposes=none"})).defaults, PurposeSet{}) << "purposes are another record";
  EXPECT_EQ(with_setting(now(), {"gate", "HIV"}).error().code, Errc::RecordUnreadable);
}

TEST(AClinic, IsSeenWithASettingChangedWithoutChangingIt) {
  policy::Clinic clinic{.id = "c", .home = base::Oid::parse("2.999.1").value(), .name = "Riverbend", .time_zone = "UTC",
                        .assigning_authority = "2.999.1", .repository_id = "2.999.1.9",
                        .defaults = {Purpose::Treatment}, .version = "1"};
  EXPECT_EQ(ok(with_setting(clinic, {"purposes", "none"})).defaults, PurposeSet{});
  EXPECT_EQ(ok(with_setting(clinic, {"gate", "HIV"})).rules, with({"gate=HIV"}));
  EXPECT_EQ(with_setting(clinic, {"purposes", "some"}).error().code, Errc::BadSetting);
  EXPECT_EQ(with_setting(clinic, {"colour", "blue"}).error().code, Errc::NoSuchSetting);
}

}  // namespace
}  // namespace gateway::patients
