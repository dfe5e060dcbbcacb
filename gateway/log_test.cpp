#include "gateway/log.hpp"

#include "base/bytes.hpp"
#include "base/json/document.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace gateway {
namespace {

/// What a value looks like in the log.
std::string logged(const std::string& value) {
  ::testing::internal::CaptureStdout();
  log(Level::Error, "a test", {{"value", value}});
  const std::string line = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(std::ranges::count(line, '\n'), 1) << line;
  const auto read = base::json::Document::parse(line);
  EXPECT_TRUE(read) << line;
  return read ? std::string((*read)->root().find("value")->string().value_or("")) : std::string();
}

TEST(Log, ShowsOrdinaryTextsAsTheyAre) {
  for (const std::string text : {"plain", "\"quoted\" \\", "Gr\u00FC\u00DFe", "\U0001F3E5", "%n%s ${jndi:ldap://x}"})
    EXPECT_EQ(logged(text), text);
}

TEST(Log, KeepsOneEventOnOneLineWhateverAPeerSends_O12) {
  EXPECT_EQ(logged("a\r\n{\"level\":\"info\"}\x1B]0;t\x07"), "a\r\n{\"level\":\"info\"}\x1B]0;t\x07") << "escaped";
  for (const std::string odd : {"\x7F", "\u0085", "\u009B", "\u2028", "\u2029", "\u202E", "\u2066", "\xFF", "\xC3"})
    EXPECT_EQ(logged("a" + odd + "b"), "a\uFFFDb") << base::hex(odd);
}

TEST(Log, CutsLongValuesBetweenCharacters_O12) {
  std::string long_text = "a";
  for (int i = 0; i < 500'000; ++i) long_text += "\u00FC";
  const auto shown = logged(long_text);
  EXPECT_EQ(shown.size(), 513u);
  EXPECT_TRUE(base::is_utf8(shown));
}

}  // namespace
}  // namespace gateway
