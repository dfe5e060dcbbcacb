#include "gateway/log.hpp"

#include "base/bytes.hpp"
#include "base/json/writer.hpp"
#include "base/time.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace gateway {
namespace {

constexpr std::size_t value_octets = 512;
constexpr std::string_view replacement = "\xEF\xBF\xBD";

spdlog::logger& lines() {
  static const auto logger = [] {
    auto made = spdlog::stdout_logger_mt("gatehouse");
    made->set_pattern("%v");
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *logger;
}

constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                spdlog::level::err};
constexpr std::string_view words[] = {"debug", "info", "warning", "error"};

/// Whether a character, in UTF-8, ends lines, steers terminals or turns the direction of writing: U+007F to U+009F,
/// U+2028 to U+202E, U+2066 to U+2069.
bool steers(std::string_view character) {
  const auto within = [&](std::string_view first, std::string_view last) {
    return character.size() == first.size() && first <= character && character <= last;
  };
  return character == "\x7F" || within("\xC2\x80", "\xC2\x9F") || within("\xE2\x80\xA8", "\xE2\x80\xAE") ||
         within("\xE2\x81\xA6", "\xE2\x81\xA9");
}

/// The beginning of a text as one line shows it: what steers, and octets that are no UTF-8, become U+FFFD. What is
/// below U+0020 is escaped by the writer.
std::string shown(std::string_view text) {
  constexpr std::size_t longest = 4;
  std::string line;
  while (!text.empty() && line.size() < value_octets) {
    std::size_t length = 1;
    while (length <= longest && !base::is_utf8(text.substr(0, length))) ++length;
    const bool is_character = length <= longest;
    const auto character = text.substr(0, is_character ? length : 1);
    line += is_character && !steers(character) ? character : replacement;
    text.remove_prefix(character.size());
  }
  return line;
}

}  // namespace

void set_log_level(std::string_view level) {
  for (std::size_t i = 0; i < std::size(words); ++i) {
    if (words[i] == level) lines().set_level(levels[i]);
  }
}

void log(Level level, std::string_view what, std::initializer_list<std::pair<std::string_view, std::string>> more) {
  const auto index = static_cast<std::size_t>(level);
  if (!lines().should_log(levels[index])) return;
  const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  base::json::Writer json;
  json.begin_object();
  json.member("at", base::write_date_time(now)).member("level", words[index]).member("what", what);
  for (const auto& [name, value] : more) json.member(name, shown(value));
  json.end_object();
  lines().log(levels[index], json.text());
}

void log_line(std::string_view json) { lines().info(json); }

}  // namespace gateway
