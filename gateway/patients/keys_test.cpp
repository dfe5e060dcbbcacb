#include "gateway/patients/keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace gateway::patients {
namespace {

constexpr const char* ssn = "2.16.840.1.113883.4.1";

Known record() {
  Known known;
  known.person.names = {{"O'Connor-Muñoz", {"María", "Ann"}, "", ""}};
  known.person.birth_date = "19700615";
  known.ids = {{ssn, "912-34-5678"}, {"2.999.1.1", "S7-1"}};
  return known;
}

PatientQuery asking(const std::string& family, const std::string& given, const std::string& first,
                    const std::string& last, std::vector<Identifier> ids = {}) {
  PatientQuery query;
  query.sought.names = {{family, {given}, "", ""}};
  query.birth = xca::hl7v3::BirthDates{first, last};
  query.ids = std::move(ids);
  return query;
}

bool finds(const PatientQuery& query) {
  const auto stored = keys_of(record());
  return std::ranges::any_of(keys_sought(query), [&](const auto& key) { return std::ranges::count(stored, key) > 0; });
}

TEST(Keys, FindWhatCanScoreAMatch) {
  struct Row {
    const char* what;
    PatientQuery query;
  };
  const Row table[] = {
      {"as she is written", asking("OConnor Munoz", "Maria", "19700615", "19700615")},
      {"one of her family names", asking("Munoz", "Maria", "19700615", "19700615")},
      {"a family name mistyped", asking("Connor", "Maria", "19700615", "19700615")},
      {"another form of the given name", asking("Connor", "Mary", "19700615", "19700615")},
      {"a given name mistyped", asking("Munoz", "Mraia", "19700615", "19700615")},
      {"an initial", asking("Munoz", "M", "19700615", "19700615")},
      {"names exchanged", asking("Maria", "Munoz", "19700615", "19700615")},
      {"day mistyped", asking("Munoz", "Maria", "19700651", "19700651")},
      {"the year only", asking("Munoz", "Maria", "19700101", "19701231")},
      {"twelve months over a new year", asking("Munoz", "Maria", "19690701", "19700630")},
      {"her number alone", asking("", "", "19000101", "20991231", {{"2.999.1.1", "S7-1"}})},
      {"her SSN without dashes", asking("Else", "Anybody", "19000101", "20991231", {{ssn, "912345678"}})},
  };
  for (const auto& row : table) EXPECT_TRUE(finds(row.query)) << row.what;
}

TEST(Keys, SearchForNothingThatCannotDecide) {
  struct Row {
    const char* what;
    PatientQuery query;
  };
  const Row table[] = {
      {"a family name and a year", asking("Smith", "", "19700101", "19701231")},
      {"a name and ten years", asking("Smith", "Maria", "19600101", "19701231")},
      {"a name without birth date", asking("Smith", "Maria", "", "")},
      {"S07: wildcards", asking("*", "%", "19700615", "19700615")},
      {"an SSN that stands for unknown", asking("", "", "19000101", "20991231", {{ssn, "000-00-0000"}})},
  };
  for (const auto& row : table) EXPECT_TRUE(keys_sought(row.query).empty()) << row.what;
}

TEST(Keys, AreFewHoweverMuchAQuerySays) {
  auto query = asking("A-B-C-D De la Cruz y Gonzalez", "Alex Chris Pat", "19700615", "19700615");
  query.sought.names.resize(50, query.sought.names[0]);
  for (int i = 0; i < 500; ++i) {
    query.sought.names.push_back({"Family" + std::to_string(i), {"Alex"}, "", ""});
    query.ids.push_back({ssn, std::to_string(900'000'000 + i)});
  }
  EXPECT_LE(keys_sought(query).size(), 48u);
  EXPECT_LE(keys_of(record()).size(), 16u);
}

TEST(Keys, KnowARecordWithoutBirthDayByNameAndYear) {
  auto known = record();
  known.person.birth_date = "1970";
  const auto stored = keys_of(known);
  const auto sought = keys_sought(asking("Munoz", "Maria", "19700615", "19700615"));
  EXPECT_TRUE(std::ranges::any_of(sought, [&](const auto& key) { return std::ranges::count(stored, key) > 0; }));
}

TEST(Asked, IsTheSamePersonInAnySpellingAndNotWithAnotherDate) {
  const auto one = asked_for(asking("Muñoz", "José", "19700615", "19700615"));
  EXPECT_EQ(one.person, asked_for(asking("MUNOZ", "jose", "19700615", "19700615")).person);
  const auto other_day = asked_for(asking("Munoz", "Jose", "19700616", "19700616"));
  EXPECT_NE(one.person, other_day.person);
  EXPECT_EQ(one.alike, other_day.alike) << "one family name";
  EXPECT_NE(one.alike, asked_for(asking("Smith", "Jose", "19700615", "19700615")).alike);
  const auto by_ssn = [](const char* number) {
    return asked_for(asking("", "", "19000101", "20991231", {{ssn, number}}));
  };
  EXPECT_NE(by_ssn("912-34-5678").person, by_ssn("912-34-5679").person);
  EXPECT_EQ(by_ssn("912-34-5678").alike, by_ssn("912-34-5679").alike) << "an enumeration";
}

}  // namespace
}  // namespace gateway::patients
