#include "gateway/patients/names.hpp"

#include <gtest/gtest.h>

namespace gateway::patients {
namespace {

TEST(Names, AreFolded) {
  struct Row {
    std::string name;
    Words words;
  };
  const Row table[] = {
      {"Smith", {"smith"}},
      {"  sMITH ", {"smith"}},
      {"O’Brien", {"obrien"}},
      {"D'Ángelo-Müller", {"dangelo", "muller"}},
      {"De la Cruz", {"de", "la", "cruz"}},
      {"Szymański", {"szymanski"}},
      {"Łukasz", {"lukasz"}},
      {"Weiß", {"weiss"}},
      {"Æsir Þór", {"aesir", "thor"}},
      {"Nguyễn", {"nguyen"}},
      {"Jose\xCC\x81", {"jose"}},
      {"St. John", {"st", "john"}},
      {"Иванов", {"Иванов"}},
      {"***", {}},
      {"%", {}},
      {"", {}},
  };
  for (const auto& row : table) EXPECT_EQ(name_words(row.name), row.words) << row.name;
  EXPECT_LE(name_words(std::string(1'000'000, 'a')).front().size(), 256u);
}

TEST(Names, CarryTheirSuffixWhereverItIsWritten) {
  struct Row {
    xca::hl7v3::PersonName name;
    std::string suffix;
  };
  const Row table[] = {
      {{"Smith", {"John"}, "", "Jr."}, "jr"},  {{"Smith Junior", {"John"}, "", ""}, "jr"},
      {{"Smith", {"John", "Sr"}, "", ""}, "sr"}, {{"Smith, III", {"John"}, "", ""}, "iii"},
      {{"Smith", {"John"}, "", "MD"}, ""},       {{"Smith", {"John"}, "Dr", "Esq. 2nd"}, "ii"},
      {{"Senior", {"Junior"}, "", ""}, ""},
  };
  for (const auto& row : table) {
    const auto name = folded(row.name);
    EXPECT_EQ(name.suffix, row.suffix) << row.name.family;
    EXPECT_EQ(name.family.size(), 1u);
    EXPECT_EQ(name.given.size(), 1u);
  }
}

TEST(Names, HaveFormsInEnglishAndSpanish) {
  const std::pair<const char*, const char*> one[] = {
      {"bob", "robert"}, {"bob", "rob"},     {"bill", "william"}, {"peggy", "margaret"},  {"kathryn", "catherine"},
      {"pepe", "jose"},  {"paco", "francisco"}, {"lupe", "guadalupe"}, {"chuy", "jesus"}, {"beto", "roberto"},
      {"beto", "alberto"}, {"alex", "alexandra"}, {"mary", "maria"}, {"jon", "john"}, {"steven", "stephen"}};
  for (const auto& [a, b] : one) EXPECT_TRUE(are_forms_of_one(a, b) && are_forms_of_one(b, a)) << a << " " << b;
  const std::pair<const char*, const char*> two[] = {{"alexander", "alexandra"}, {"roberto", "alberto"},
                                                     {"maria", "marta"},         {"juan", "juana"},
                                                     {"odessa", "odette"},       {"john", "james"}};
  for (const auto& [a, b] : two) EXPECT_FALSE(are_forms_of_one(a, b)) << a << " " << b;
}

TEST(Names, AreOneTypingErrorApart) {
  const std::pair<const char*, const char*> near[] = {
      {"smith", "smyth"}, {"smith", "smit"}, {"smith", "simth"}, {"smith", "ssmith"}, {"0615", "0616"}, {"0615", "0651"}};
  for (const auto& [a, b] : near) EXPECT_TRUE(is_one_typing_error(a, b) && is_one_typing_error(b, a)) << a << " " << b;
  const std::pair<const char*, const char*> far[] = {
      {"smith", "smith"}, {"smith", "smit h e"}, {"smith", "mitsh"}, {"ab", "ba c"}, {"0615", "1506"}, {"abcd", "abdx"}};
  for (const auto& [a, b] : far) EXPECT_FALSE(is_one_typing_error(a, b) || is_one_typing_error(b, a)) << a << " " << b;
}

}  // namespace
}  // namespace gateway::patients
