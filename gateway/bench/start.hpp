#pragma once
// The program itself, started as an operator starts it: how soon it answers, and what it weighs while it waits.

#include "gateway/bench/asker.hpp"
#include "gateway/bench/measured_house.hpp"

namespace gateway::bench {

struct Started {
  std::vector<double> first_answer_us = {};  ///< from exec to the first good answer in hand, each time
  double bare_us = 0;                        ///< this program doing nothing: exec, load, end
  double idle_kb = 0;                        ///< resident memory after its first answers
  double connection_kb = 0;                  ///< more for each idle mutual-TLS connection
};

/// Makes a data directory by the program's own commands, then starts and stops it. @error Errc::ProgramFailed
Result<Started> start(const std::filesystem::path& scratch, const Keys& keys, std::size_t times);

}  // namespace gateway::bench
