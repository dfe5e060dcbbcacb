#include "gateway/patients/match.hpp"

#include "gateway/patients/keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace gateway::patients {
namespace {

using ::testing::Test;
constexpr const char* ssn = "2.16.840.1.113883.4.1";

/// The person every row looks for or is held against.
Known record() {
  return {.person = {.names = {{"O'Connor-Muñoz", {"María", "Ann"}, "", ""}},
                     .gender = "F",
                     .birth_date = "19700615",
                     .addresses = {{{"12 Maple Street", "Apt. 4B"}, "Fernhollow", "OR", "97210-1234", "US"}},
                     .telecoms = {"tel:+1-503-555-0112", "mailto:Maria@example.org"}},
          .ids = {{ssn, "912-34-5678"}, {"2.999.1.1", "S7-1"}}};
}

PatientQuery demographics() {
  PatientQuery query;
  query.sought.names = {{"OConnor Munoz", {"MARIA"}, "", ""}};
  query.birth = xca::hl7v3::BirthDates{"19700615", "19700615"};
  return query;
}

PatientQuery changed(const std::function<void(PatientQuery&)>& change) {
  auto query = demographics();
  change(query);
  return query;
}

TEST(PatientMatch, ScoresWhatAgreesNearlyAgreesAndDiffers) {
  struct Row {
    const char* what;
    PatientQuery query;
    unsigned points;
  };
  const auto address = [](std::string line, std::string city, std::string postal) {
    return changed([&](auto& q) { q.sought.addresses = {{{line}, city, "OR", postal, "US"}}; });
  };
  const Row table[] = {
      {"name and birth date", demographics(), 80},
      {"and gender", changed([](auto& q) { q.sought.gender = "F"; }), 85},
      {"the other sex", changed([](auto& q) { q.sought.gender = "M"; }), 70},
      {"a gender that is neither", changed([](auto& q) { q.sought.gender = "UN"; }), 80},
      {"another day", changed([](auto& q) {
         q.birth = xca::hl7v3::BirthDates{"19700627", "19700627"};
       }),
       0},
      {"a day mistyped", changed([](auto& q) {
         q.birth = xca::hl7v3::BirthDates{"19700616", "19700616"};
       }),
       65},
      {"a year mistyped", changed([](auto& q) {
         q.birth = xca::hl7v3::BirthDates{"19710615", "19710615"};
       }),
       65},
      {"the year only", changed([](auto& q) {
         q.birth = xca::hl7v3::BirthDates{"19700101", "19701231"};
       }),
       65},
      {"ten years", changed([](auto& q) {
         q.birth = xca::hl7v3::BirthDates{"19650101", "19751231"};
       }),
       50},
      {"the address, written otherwise", address("12 MAPLE ST", "fernhollow", "97210"), 90},
      {"only the city", address("", "Fernhollow", ""), 85},
      {"another street", address("13 Maple Street", "Fernhollow", "97210"), 75},
      {"the telephone, written otherwise", changed([](auto& q) { q.sought.telecoms = {"tel:(503)555-0112"}; }), 90},
      {"another telephone", changed([](auto& q) { q.sought.telecoms = {"tel:(503)555-0113"}; }), 80},
      {"the mail", changed([](auto& q) { q.sought.telecoms = {"mailto:maria@EXAMPLE.org"}; }), 90},
      {"the initial", changed([](auto& q) { q.sought.names[0].given = {"M."}; }), 65},
      {"her middle name", changed([](auto& q) { q.sought.names[0].given = {"Ann"}; }), 70},
      {"one of her family names", changed([](auto& q) { q.sought.names[0].family = "Munoz"; }), 75},
      {"another family name", changed([](auto& q) { q.sought.names[0].family = "Smith"; }), 40},
      {"another given name", changed([](auto& q) { q.sought.names[0].given = {"Lucia"}; }), 40},
      {"names exchanged", changed([](auto& q) {
         q.sought.names = {{"Maria Ann", {"OConnor Munoz"}, "", ""}};
       }),
       75},
      {"the SSN", changed([](auto& q) {
         q.ids = {{ssn, "912345678"}};
       }),
       100},
      {"the last four of it", changed([](auto& q) {
         q.ids = {{ssn, "5678"}};
       }),
       90},
      {"another SSN", changed([](auto& q) {
         q.ids = {{ssn, "912-34-5679"}};
       }),
       60},
      {"another SSN, and all else agrees", changed([](auto& q) {
         q.sought = record().person;
         q.ids = {{ssn, "912-34-5679"}};
       }),
       79},
      {"an SSN that stands for unknown", changed([](auto& q) {
         q.ids = {{ssn, "000-00-0000"}};
       }),
       80},
      {"an id under a root we do not know", changed([](auto& q) {
         q.ids = {{"2.999.77", "4711"}};
       }),
       80},
      {"our id of another patient", changed([](auto& q) {
         q.ids = {{"2.999.1.1", "S7-2"}};
       }),
       60},
      {"our id alone", changed([](auto& q) {
         q = {};
         q.ids = {{"2.999.1.1", "S7-1"}};
       }),
       100},
      {"her id with a given name that is not hers", changed([](auto& q) {
         q.ids = {{ssn, "912345678"}};
         q.sought.gender = "F";
         q.sought.names[0].given = {"Lucia"};
       }),
       79},
  };
  for (const auto& row : table) EXPECT_EQ(score(row.query, record()).points, row.points) << row.what;
}

TEST(PatientMatch, NamesWhatMoreWouldDecide) {
  const auto weak = score(changed([](auto& q) {
                            q.sought.names[0].family = "OConor Munoz";
                            q.sought.gender = "F";
                          }),
                          record());
  EXPECT_EQ(weak.points, 75u);
  EXPECT_EQ(weak.attainable, 95u);
  EXPECT_EQ(weak.unsent, (std::vector{Wanted::Address, Wanted::Telecom}));
  EXPECT_EQ(rank({record()}, {weak}).wanted, weak.unsent);
}

TEST(PatientMatch, AGivenNameThatIsNotTheirsIsNeverAMatchAndNothingMoreIsWanted) {
  auto twin = changed([](auto& q) {
    q.sought.names[0].given = {"Lucia"};
    q.sought.gender = "F";
    q.ids = {{ssn, "912345678"}};
  });
  const auto points = score(twin, record());
  EXPECT_LT(points.attainable, match_score);
  EXPECT_TRUE(rank({record()}, {points}).chosen.empty());
}

/// Somebody of a common name who knows everything about herself.
Known common() {
  auto known = record();
  known.person.names = {{"Garcia", {"Maria"}, "", ""}};
  return known;
}

TEST(PatientMatch, WantsMoreThanNameAndDateWhereManyBearTheNameAndAllElseDiffers) {
  const auto asked = [](const Known& who, auto change) {
    auto query = query_of(who);
    query.ids.clear();
    query.sought.addresses = {{{"99 Oak Road"}, "Elsewhere", "OR", "97999", "US"}};
    query.sought.telecoms = {"tel:+1-503-555-0999"};
    change(query);
    return score(query, who).points;
  };
  const auto nothing = [](auto&) {};
  EXPECT_EQ(asked(record(), nothing), 85u) << "few bear it";
  EXPECT_EQ(asked(common(), nothing), 79u);
  EXPECT_EQ(asked(common(), [](auto& q) { q.sought.telecoms.clear(); }), 80u) << "nothing is said of the telephone";
  EXPECT_EQ(asked(common(), [](auto& q) { q.ids = {{ssn, "5678"}}; }), 90u);
  auto with_middle = common();
  with_middle.person.names[0].given = {"Maria", "Ann"};
  EXPECT_EQ(asked(with_middle, [](auto& q) { q.sought.names[0].given = {"Maria", "A"}; }), 80u);
}

TEST(PatientMatch, AsksForWhatTellsTwoPersonsApartAndForNothingElse) {
  auto first = record(), second = record();
  second.person.addresses[0].lines[0] = "99 Oak Road";
  const auto query = demographics();
  const std::vector known{first, second};
  const auto ranking = rank(known, {score(query, first), score(query, second)});
  EXPECT_EQ(ranking.chosen.size(), 2u);
  EXPECT_EQ(ranking.wanted, std::vector{Wanted::Address}) << "gender and telephone are the same for both";

  const auto sent = changed([](auto& q) { q.sought.addresses = {{{"99 Oak Rd"}, "Fernhollow", "", "97210", ""}}; });
  const auto decided = rank(known, {score(sent, first), score(sent, second)});
  EXPECT_EQ(decided.chosen, std::vector<std::size_t>{1});
  EXPECT_TRUE(decided.wanted.empty());
}

TEST(PatientMatch, GivesAllWhereNothingTellsThemApartButNotMoreThanFive) {
  const auto points = score(demographics(), record());
  EXPECT_EQ(rank(std::vector(5, record()), std::vector(5, points)).chosen.size(), 5u);
  EXPECT_TRUE(rank(std::vector(5, record()), std::vector(5, points)).wanted.empty());
  EXPECT_TRUE(rank(std::vector(6, record()), std::vector(6, points)).chosen.empty());
}

}  // namespace
}  // namespace gateway::patients
