#pragma once
// Programs that others wrote, asked for their word: openssl for what this machine can do, xmlsec1 for our signatures.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace gateway::bench {

struct Ended {
  int exit = 0;
  std::string output;  ///< standard output and error together, 64 KB at most
};
/// Runs a program found by PATH, without a shell, and waits for its end. Nothing where it is not installed.
std::optional<Ended> run_program(const std::vector<std::string>& words);

/// A program that runs as long as the object lives, then is told to stop (SIGTERM) and waited for.
class Running {
 public:
  explicit Running(const std::vector<std::string>& words);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  /// The next line of its standard output and error; nothing once it has ended.
  std::optional<std::string> read_line();
  pid_t id() const { return child_; }

 private:
  pid_t child_ = 0;
  int output_ = -1;
  std::string unread_ = {};
};

}  // namespace gateway::bench
