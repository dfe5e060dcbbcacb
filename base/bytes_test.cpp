#include "base/bytes.hpp"

#include <gtest/gtest.h>

namespace base {
namespace {

using namespace std::string_literals;

TEST(Base64, WritesTheExamplesOfTheStandard) {
  const std::pair<std::string_view, std::string_view> rows[] = {{"", ""},
                                                                {"f", "Zg=="},
                                                                {"fo", "Zm8="},
                                                                {"foo", "Zm9v"},
                                                                {"foob", "Zm9vYg=="},
                                                                {"fooba", "Zm9vYmE="},
                                                                {"foobar", "Zm9vYmFy"},
                                                                {"\xFB\xFF", "+/8="}};
  for (const auto& [bytes, text] : rows) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(read_base64(text).value(), bytes);
  }
}

TEST(Base64, ReadsEveryLengthItWrites) {
  Bytes bytes;
  for (int i = 0; i < 300; ++i) {
    bytes.push_back(char(i * 7));
    EXPECT_EQ(read_base64(base64(bytes)).value(), bytes);
  }
}

TEST(Base64, RefusesWhatIsNotStrict) {
  for (const auto text : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "=", "====", "Z===", "Zg==Zg==", "Zg==Zm9v",
                          "Z=g=", "Zm9v!", "Zm-_", "Zm9v=", "Zm9v\xC3\xA4"}) {
    const auto read = read_base64(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, make_error_code(BytesErrc::NotBase64));
  }
  EXPECT_FALSE(read_base64("Zm9\0"s));
}

TEST(Base64, TakesWhiteSpaceUpToTheGivenShare) {
  const std::string_view two_of_eighteen = "Zm9vYmFy Zm9vYmFy\n";
  EXPECT_FALSE(read_base64(two_of_eighteen)) << "above ten percent";
  EXPECT_EQ(read_base64(two_of_eighteen, 12).value(), "foobarfoobar");
  EXPECT_EQ(read_base64(base64(Bytes(48, 'x')) + "\n" + base64(Bytes(48, 'x'))).value(), Bytes(96, 'x'));
}

TEST(Hex, ReadsWhatItWritesInEitherCase) {
  EXPECT_EQ(hex("\x00\x1F\xA0\xFF"s), "001fa0ff");
  EXPECT_EQ(read_hex("001fA0Ff").value(), "\x00\x1F\xA0\xFF"s);
  for (const auto text : {"0", "0g", "0x", " 0", "-1"}) EXPECT_FALSE(read_hex(text)) << text;
}

TEST(Utf8, AcceptsTheWholeRangeOfUnicode) {
  for (const auto& text : {""s, "plain"s, "\x7F"s, "\xC2\x80"s, "\xDF\xBF"s, "\xE0\xA0\x80"s, "\xED\x9F\xBF"s,
                           "\xEE\x80\x80"s, "\xEF\xBF\xBF"s, "\xF0\x90\x80\x80"s, "\xF4\x8F\xBF\xBF"s})
    EXPECT_TRUE(is_utf8(text)) << hex(text);
}

TEST(Utf8, RefusesIllFormedSequencesWhereverTheyStand_X07) {
  for (const auto& odd : {"\x80"s,
                          "\xBF"s,
                          "\xC0\xBC"s,
                          "\xC0\x80"s,
                          "\xC1\xBF"s,
                          "\xC2"s,
                          "\xC2 "s,
                          "\xE0\x80\x80"s,
                          "\xE0\x9F\xBF"s,
                          "\xE2\x82"s,
                          "\xE2\x82 "s,
                          "\xED\xA0\x80"s,
                          "\xED\xBF\xBF"s,
                          "\xF0\x80\x80\x80"s,
                          "\xF0\x8F\xBF\xBF"s,
                          "\xF0\x9F\x98"s,
                          "\xF4\x90\x80\x80"s,
                          "\xF5\x80\x80\x80"s,
                          "\xF8\x88\x80\x80\x80"s,
                          "\xFE"s,
                          "\xFF"s}) {
    for (std::size_t before = 0; before < 20; ++before) {
      EXPECT_FALSE(is_utf8(std::string(before, 'a') + odd)) << hex(odd) << " behind " << before;
      EXPECT_FALSE(is_utf8(std::string(before, 'a') + odd + std::string(9, 'z'))) << hex(odd) << " behind " << before;
    }
  }
}

TEST(Trim, TakesXmlWhiteSpaceOffBothEnds) {
  EXPECT_EQ(trim(" \t\r\n a b \n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(trim("\xC2\xA0x"), "\xC2\xA0x") << "a no-break space is no XML white space";
}

TEST(ConstantTime, ComparesLikeEquality) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("xbc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abcd"));
}

}  // namespace
}  // namespace base
