#include "xca/hl7v3/lexical.hpp"

#include "xca/check_emitted.hpp"

namespace xca::hl7v3 {
namespace {

using IsValid = bool (*)(std::string_view) noexcept;

struct Row {
  const char* name;
  IsValid is_valid;
  std::vector<const char*> good, bad;
};
const Row rows[] = {
    {"uid",
     is_uid,
     {"1", "1.2.3", "2.0.10", "a-b", "0c9a3b7e-51d2-4a86-9e0f-7b6a5c4d3e21", "X"},
     {"", "3.1", "1.02", "1.", "urn:oid:1", "1 2", "-a", "1.2.a"}},
    {"timestamp",
     is_timestamp,
     {"1", "19710814", "197108142", "20260302150405+0000", "20260302150405.12-5", "20260302150405"},
     {"", "x", "1971-08-14", "19710814+0000", "202603021504051", "20260302150405.", "20260302150405+00000"}},
    {"code", is_code, {"M", "a^b"}, {"", " M", "a b", "a\n"}},
    {"boolean", is_boolean, {"true", "false"}, {"", "1", "TRUE"}},
    {"integer", is_integer, {"0", "-12", "+7"}, {"", "-", "1.0", "x"}},
    {"decimal", is_decimal, {"0", "-1.5", "+2"}, {"", ".", "1e3", "x", "1."}},
    {"telecom use", is_telecom_use, {"HP", "HP WP"}, {"", "phone", "HP phone", " "}},
    {"address use", is_address_use, {"PHYS"}, {"XX"}},
    {"name use", is_name_use, {"L SRCH"}, {"XX"}},
    {"qualifier", is_name_part_qualifier, {"AC"}, {"XX"}},
    {"null flavor", is_null_flavor, {"UNK"}, {"unk", ""}},
    {"set operator", is_set_operator, {"I"}, {"Q"}},
    {"uri",
     is_uri,
     {"tel:+1-614-555-0142", "mailto:a@b.example", "2055551234", "http://a.example:80/x?y#z", "tel:(1) 2",
      "https://10.0.0.1/", "a%20b"},
     {"", "%zz", "1:2", "x:", "http://", "//a_b/", "a#b#c", "http://[::1]/", "<", "\"", " a", "http://1.2.3/",
      "http://a:b/"}},
};

TEST(Lexical, HoldsTheValueSpacesOfTheDataTypes) {
  for (const Row& row : rows) {
    for (const char* text : row.good) EXPECT_TRUE(row.is_valid(text)) << row.name << ": " << text;
    for (const char* text : row.bad) EXPECT_FALSE(row.is_valid(text)) << row.name << ": " << text;
  }
}

TEST(Lexical, CountsCharactersAndSeesHiddenOnes) {
  EXPECT_EQ(characters("üx"), 2u);
  EXPECT_TRUE(is_visible("Müller – Ω 名"));
  for (const char* hidden :
       {"a\tb", "a\x7f", "a\xC2\x85", "a\xC2\xAD", "a\xE2\x80\x8B", "a\xE2\x80\xAE", "a\xE2\x81\xA0",
        "\xEF\xBB\xBF"
        "a"})
    EXPECT_FALSE(is_visible(hidden));
}

}  // namespace
}  // namespace xca::hl7v3
