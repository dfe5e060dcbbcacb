#pragma once
// The program's own log: one JSON object a line on standard output. It carries identifiers of events, never of people,
// and every value is escaped and cut, so that one event is one line whatever a peer sent. [threats O12, O13]

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace gateway {

enum class Level { Debug, Info, Warning, Error };

/// Sets what is written; `debug`, `info`, `warning` or `error`.
void set_log_level(std::string_view level);

/// Writes one line: time, level, what, and further members.
void log(Level level, std::string_view what, std::initializer_list<std::pair<std::string_view, std::string>> more = {});

/// Writes a line that is already JSON, e.g. the one that says the program is ready.
void log_line(std::string_view json);

}  // namespace gateway
