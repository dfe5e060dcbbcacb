#pragma once
// Commands as a table: name, help with an example, options, and the function that does it. The parsing library is known
// to app.cpp alone.

#include "gateway/cli/console.hpp"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::cli {

/// One option of a command. Positionals have no dashes.
struct Option {
  std::string_view name;       ///< `--birth-date`, `FILE`
  std::string_view help;
  bool required = false;
  bool many = false;           ///< may be given several times
  bool is_switch = false;      ///< takes no value
};

/// What was given on the command line, by option name without dashes.
class Arguments {
 public:
  std::string text(const std::string& name, std::string otherwise = {}) const;
  std::vector<std::string> list(const std::string& name) const;
  bool has(const std::string& name) const { return given_.contains(name); }
  std::map<std::string, std::vector<std::string>> given_;
};

/// Exit codes of every command.
enum class Exit { Done = 0, Refused = 1, BadUsage = 2 };

struct Command {
  std::string_view path;       ///< `patient import`
  std::string_view help;
  std::string_view example;    ///< a line that works
  std::vector<Option> options;
  std::function<Result<Exit>(const Arguments&, Console&)> run;
  bool needs_config = true;
  bool json_file = false;      ///< `--json FILE` (`-` for standard output) in place of the switch
};

/// Parses the command line and runs the command it names. @return the process's exit code
int run(int argc, char** argv, std::span<const Command> commands);

}  // namespace gateway::cli
