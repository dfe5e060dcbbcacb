#pragma once
// Programs that others wrote, asked for their word: openssl for what this machine can do, xmlsec1 for our signatures.

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

}  // namespace gateway::bench
