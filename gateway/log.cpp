#include "gateway/log.hpp"

#include "base/json/writer.hpp"
#include "base/time.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace gateway {
namespace {

constexpr std::size_t value_characters = 512;

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
  for (const auto& [name, value] : more) json.member(name, std::string_view(value).substr(0, value_characters));
  json.end_object();
  lines().log(levels[index], json.text());
}

void log_line(std::string_view json) { lines().info(json); }

}  // namespace gateway
