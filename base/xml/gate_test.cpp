#include "base/xml/gate.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>

namespace base::xml {
namespace {

using namespace std::string_literals;

std::optional<Errc> refusal(BytesView document, const Limits& limits = {}) {
  const auto passed = pass_gate(document, limits);
  return passed ? std::nullopt : std::optional(static_cast<Errc>(passed.error().code.value()));
}

std::string utf16(std::string_view ascii, bool big_endian, bool with_mark) {
  std::string out;
  const auto put = [&](char high, char low) { out += big_endian ? std::string{high, low} : std::string{low, high}; };
  if (with_mark) put('\xFE', '\xFF');
  for (const char c : ascii) put('\0', c);
  return out;
}

std::string nested(std::size_t depth) {
  std::string out;
  for (std::size_t i = 0; i < depth; ++i) out += "<a>";
  for (std::size_t i = 0; i < depth; ++i) out += "</a>";
  return out;
}

std::string with_attributes(std::size_t count) {
  std::string out = "<a";
  for (std::size_t i = 0; i < count; ++i) out += " a" + std::to_string(i) + "=''";
  return out + "/>";
}

TEST(ByteGate, LetsOrdinaryDocumentsPass) {
  for (const auto& document :
       {"<a/>"s, "\xEF\xBB\xBF<a/>"s, "<?xml version=\"1.0\"?><a/>"s, "<?xml version='1.0' encoding='UTF-8'?><a/>"s,
        "<?xml version = \"1.0\" encoding=\"utf-8\" standalone='yes' ?>\n<a/>"s, "<?xml-stylesheet href='x'?><a/>"s,
        "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"Utf-8\"?><a/>"s, "<a>\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80</a>"s,
        "<!-- <!DOCTYPE a> --><a><![CDATA[<!DOCTYPE a>]]><!--<!DOCTYPE--><?p <!DOCTYPE ?></a>"s,
        "<a b='x>y' c=\"'\"/>"s})
    EXPECT_EQ(refusal(document), std::nullopt) << document;
}

TEST(ByteGate, RefusesForeignEncodings_X00_K9_K10) {
  const auto declared = [](std::string_view encoding) {
    return "<?xml version='1.0' encoding='" + std::string(encoding) + "'?><a/>";
  };
  for (const auto encoding : {"UTF-16", "UTF-16LE", "UTF-32", "UTF-7", "IBM037", "EBCDIC-CP-US", "Shift_JIS",
                              "windows-1252", "ISO-8859-1", "US-ASCII", "UTF8", "utf-8 ", "", "UCS-4"})
    EXPECT_EQ(refusal(declared(encoding)), Errc::NotUtf8) << encoding;
  for (const bool big_endian : {false, true})
    for (const bool with_mark : {false, true}) {
      EXPECT_EQ(refusal(utf16("<a/>", big_endian, with_mark)), Errc::NotUtf8);
      EXPECT_EQ(refusal(utf16(declared("UTF-8"), big_endian, with_mark)), Errc::NotUtf8);
    }
  for (const auto& odd : {"\x00\x00\xFE\xFF\x00\x00\x00<"s, "\xFF\xFE\x00\x00<\x00\x00\x00"s, "\x4C\x6F\xA7\x94"s,
                          "+ADw-a/+AD4-\xFF"s, "<a>\x83\x5C</a>"s})
    EXPECT_EQ(refusal(odd), Errc::NotUtf8) << hex(odd);
  EXPECT_EQ(refusal("<?xml version='1.1' encoding='UTF-16'?><a/>"), Errc::NotUtf8);
}

TEST(ByteGate, RefusesNulWhereverItStands_K10) {
  EXPECT_EQ(refusal("<a/>\0"s), Errc::NotUtf8);
  EXPECT_EQ(refusal("<a/>\0<evil/>"s), Errc::NotUtf8);
  EXPECT_EQ(refusal("\0<a/>"s), Errc::NotUtf8);
  EXPECT_EQ(refusal("<a>\0</a>"s), Errc::NotUtf8);
}

TEST(ByteGate, RefusesOtherVersionsOfXml_K9) {
  for (const auto version : {"1.1", "1.2", "2.0", "1", "", "1.0 ", "01.0"})
    EXPECT_EQ(refusal("<?xml version='" + std::string(version) + "'?><a/>"), Errc::NotXml10) << version;
}

TEST(ByteGate, RefusesDeclarationsItCannotRead) {
  for (const auto document :
       {"<?xml ?><a/>", "<?xml encoding='UTF-8'?><a/>", "<?xml version='1.0' foo='x'?><a/>", "<?xml version='1.0'",
        "<?xml version=1.0?><a/>", "<?xml version='1.0?><a/>", "<?xml encoding='UTF-8' version='1.0'?><a/>"})
    EXPECT_TRUE(refusal(document)) << document;
}

TEST(ByteGate, RefusesDocumentTypes_X01_X02) {
  for (const auto& before : {""s, "\xEF\xBB\xBF"s, "<?xml version='1.0'?>"s, std::string(200, ' '), "<!-- x -->"s,
                             "<!--" + std::string(70000, 'x') + "-->", "<?p ?>"s, "<a>"s, "<a b='-->'>"s, "<!-->-->"s})
    EXPECT_EQ(refusal(before + "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><a>&e;</a>"), Errc::HasDoctype)
        << before.substr(0, 40);
  EXPECT_EQ(refusal("<!doctype a><a/>"), Errc::NotWellFormed);
  EXPECT_EQ(refusal("<!ENTITY e 'x'><a/>"), Errc::NotWellFormed);
}

TEST(ByteGate, RefusesTooManyAttributesAndTooLargeTags_K12_X05) {
  EXPECT_EQ(refusal(with_attributes(256)), std::nullopt);
  EXPECT_EQ(refusal(with_attributes(257)), Errc::StartTagTooLarge);
  EXPECT_EQ(refusal(with_attributes(20'000)), Errc::StartTagTooLarge);
  EXPECT_EQ(refusal("<a b='" + std::string(60'000, 'x') + "'/>"), std::nullopt);
  EXPECT_EQ(refusal("<a b='" + std::string(65'536, 'x') + "'/>"), Errc::StartTagTooLarge);
  EXPECT_EQ(refusal("<" + std::string(65'536, 'a') + "/>"), Errc::StartTagTooLarge);
  EXPECT_EQ(refusal("<a>" + std::string(1 << 20, 'x') + "</a>"), std::nullopt) << "text may be long";
}

TEST(ByteGate, RefusesTooDeepNesting_K12_X04) {
  EXPECT_EQ(refusal(nested(200)), std::nullopt);
  EXPECT_EQ(refusal(nested(201)), Errc::TooDeep);
  std::string unclosed;
  for (int i = 0; i < 1'000'000; ++i) unclosed += "<a>";
  EXPECT_EQ(refusal(unclosed), Errc::TooDeep);
  std::string flat = "<a>";
  for (int i = 0; i < 1'000; ++i) flat += "<b/><c></c>";
  EXPECT_EQ(refusal(flat + "</a>"), std::nullopt);
}

TEST(ByteGate, RefusesTooManyNamespacesInScope_X05) {
  const auto scopes = [](int count) {
    std::string out, close;
    for (int i = 0; i < count; ++i) {
      out += "<a xmlns:p" + std::to_string(i) + "='urn:x'>";
      close += "</a>";
    }
    return out + close;
  };
  EXPECT_EQ(refusal(scopes(128)), std::nullopt);
  EXPECT_EQ(refusal(scopes(129)), Errc::TooDeep);
  std::string side_by_side = "<a>";
  for (int i = 0; i < 1'000; ++i) side_by_side += "<b xmlns:p='urn:x'/>";
  EXPECT_EQ(refusal(side_by_side + "</a>"), std::nullopt);
}

TEST(ByteGate, RefusesTooManyBytesBeforeItLooksAtThem) {
  EXPECT_EQ(refusal("<a></a>", {.bytes = 7}), std::nullopt);
  EXPECT_EQ(refusal("<a>\xFF</a>", {.bytes = 7}), Errc::TooLarge);
}

TEST(ByteGate, NamesTheFirstInOrderOfAllThatIsWrong) {
  EXPECT_EQ(refusal(nested(300) + with_attributes(300) + "<!DOCTYPE a>"), Errc::HasDoctype);
  EXPECT_EQ(refusal(nested(300) + with_attributes(300)), Errc::StartTagTooLarge);
}

TEST(ByteGate, GivesAnAnswerForEveryPrefixOfADocument_X14) {
  const auto document =
      "\xEF\xBB\xBF<?xml version='1.0' encoding='UTF-8'?><!--c--><a xmlns:p='urn:x' p:b=\"1\">"
      "<![CDATA[x]]>\xC3\xA4<?p i?></a>"s;
  EXPECT_EQ(refusal(document), std::nullopt);
  for (std::size_t cut = 0; cut < document.size(); ++cut) (void)refusal(document.substr(0, cut));
}

TEST(ByteGate, IsLinearInTheSizeOfTheDocument_X00) {
  std::string tags = "<a>", text = "<a>";
  while (tags.size() < 35u << 20) tags += "<b c='x' xmlns:d='urn:q'>text &amp; more</b>";
  while (text.size() < 35u << 20) text += "\xC3\xA4 plain text with an umlaut ";
  for (const auto& document : {tags, text}) {
    const auto start = std::clock();  // of this process: other work on the machine does not count
    EXPECT_EQ(refusal(document, {.bytes = 36u << 20}), std::nullopt);
    const auto took = std::chrono::milliseconds((std::clock() - start) / (CLOCKS_PER_SEC / 1000));
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LT(took, std::chrono::milliseconds(200));
#else
    EXPECT_LT(took, std::chrono::seconds(5));
#endif
  }
}

}  // namespace
}  // namespace base::xml
