#include "base/json/document.hpp"
#include "base/json/writer.hpp"

#include <gtest/gtest.h>

namespace base::json {
namespace {

boost::system::error_code refusal(std::string_view text, const Limits& limits = {}) {
  const auto parsed = Document::parse(text, limits);
  return parsed ? boost::system::error_code() : parsed.error().code;
}

std::string nested(std::size_t depth, std::string_view open, std::string_view close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open;
  if (open.ends_with(':')) text += "1";
  for (std::size_t i = 0; i < depth; ++i) text += close;
  return text;
}

TEST(JsonK17, RefusesWhatRapidJsonLeavesToItsCaller) {
  struct Row {
    const char* what;
    std::string text;
    Errc expected;
  };
  const Row table[] = {
      {"F01 200,000 open arrays", std::string(200'000, '['), Errc::TooDeep},
      {"F01 200,000 open objects", nested(200'000, R"({"a":)", ""), Errc::TooDeep},
      {"F01 depth 65", nested(65, "[", "]"), Errc::TooDeep},
      {"F02 a member twice", R"({"status":"inactive","status":"active"})", Errc::DoubledMember},
      {"F02 twice, not next to each other", R"({"id":1,"b":{"id":1},"id":2})", Errc::DoubledMember},
      {"F02 twice by escape", R"({"id":1,"i\u0064":2})", Errc::DoubledMember},
      {"F02 a name with NUL", R"({"id":1,"id\u0000":2})", Errc::NotUtf8},
      {"F03 leading zero", "01", Errc::NotJson},
      {"F03 above every double", "1e400", Errc::NumberTooBig},
      {"F03 a million digits", std::string(1'000'000, '9'), Errc::NumberTooBig},
      {"F03 NaN", "NaN", Errc::NotJson},
      {"F03 Infinity", "[Infinity]", Errc::NotJson},
      {"F04 an octet that is no UTF-8", "\"\xFF\"", Errc::NotUtf8},
      {"F04 an overlong form", "\"\xC0\xAF\"", Errc::NotUtf8},
      {"F04 a surrogate in UTF-8", "\"\xED\xA0\x80\"", Errc::NotUtf8},
      {"F04 a lone high surrogate by escape", R"("\ud800")", Errc::NotUtf8},
      {"F04 a lone low surrogate by escape", R"("\udc00")", Errc::NotUtf8},
      {"F04 NUL by escape", R"("a\u0000b")", Errc::NotUtf8},
      {"F04 NUL, then a second document", std::string("{}\0{}", 5), Errc::NotUtf8},
      {"F04 UTF-16", std::string("\xFF\xFE[\0]\0", 6), Errc::NotUtf8},
      {"F04 a comment", "[1] // one", Errc::NotJson},
      {"F04 a trailing comma", "[1,]", Errc::NotJson},
      {"F04 a second document", "{} {}", Errc::NotJson},
      {"nothing", "", Errc::NotJson},
      {"white space", " \n", Errc::NotJson},
      {"cut short", R"({"a":[1,2)", Errc::NotJson},
  };
  for (const auto& row : table) EXPECT_EQ(refusal(row.text), row.expected) << row.what;
}

TEST(JsonK17, ReadsTheAcceptedTwins) {
  for (const std::string& text :
       {nested(64, "[", "]"), nested(64, R"({"a":)", "}"), std::string(R"({"a":{"id":1},"id":2})"),
        std::string("\xEF\xBB\xBF{}"), std::string(R"("\ud83d\ude00")"), std::string("{} \n"),
        std::string(R"({"__proto__":1})")}) {
    EXPECT_FALSE(refusal(text)) << text.substr(0, 40);
  }
}

TEST(JsonK17, CountsBytesAndValues) {
  EXPECT_EQ(refusal("[1,2,3]", {.bytes = 6}), Errc::TooLarge);
  EXPECT_FALSE(refusal("[1,2,3]", {.bytes = 7}));
  EXPECT_EQ(refusal("[1,2,3]", {.values = 3}), Errc::TooManyValues);
  EXPECT_FALSE(refusal("[1,2,3]", {.values = 4}));
}

TEST(JsonK17, KeepsNumbersAsTheyWereWritten) {
  const auto document = *Document::parse(R"([1.10, -0, 1e-400, 9223372036854775808, "1.10"])");
  const auto items = document->root().items();
  EXPECT_EQ(items[0].number(), "1.10");
  EXPECT_EQ(items[1].number(), "-0");
  EXPECT_EQ(items[2].number(), "1e-400");
  EXPECT_EQ(items[3].number(), "9223372036854775808");
  EXPECT_EQ(items[4].number(), std::nullopt) << "a string is no number";
}

TEST(JsonDocument, FindsMembersAndItems) {
  const auto document = *Document::parse(R"({"a":{"b":[true,null,{"c":"d\n"}],"e":[]},"f":7,"g":1.0})");
  const auto root = document->root();
  const auto items = root.find("a")->find("b")->items();
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0].boolean(), true);
  EXPECT_EQ(items[1].kind(), Kind::Null);
  EXPECT_EQ(items[2].find("c")->string(), "d\n");
  EXPECT_TRUE(root.find("a")->find("e")->items().empty());
  EXPECT_FALSE(root.find("b")) << "members of members are not its own";
  EXPECT_EQ(root.members().size(), 3u);
  EXPECT_EQ(root.members()[1].name, "f");
  EXPECT_EQ(*root.integer_member("f"), 7);
  EXPECT_EQ(root.integer_member("g").error().code, Errc::WrongType);
  EXPECT_EQ(root.integer_member("h").error().code, Errc::Missing);
  EXPECT_EQ(root.string_member("f").error().code, Errc::WrongType);
  EXPECT_EQ(*root.optional_string("h"), std::nullopt);
}

TEST(JsonWriter, WritesWhatTheReaderReads) {
  Writer writer;
  writer.begin_object().name("t").string("a\"b\\c\n\x01é").name("list").begin_array().integer(-5).boolean(true).null();
  writer.begin_object().end_object().end_array().member("absent", "").member("last", "x").end_object();
  EXPECT_EQ(writer.text(), R"({"t":"a\"b\\c\u000a\u0001é","list":[-5,true,null,{}],"last":"x"})");
  const auto read = *Document::parse(writer.text());
  EXPECT_EQ(read->root().find("t")->string(), "a\"b\\c\n\x01é");
  EXPECT_EQ(read->root().find("list")->items().size(), 4u);
}

}  // namespace
}  // namespace base::json
