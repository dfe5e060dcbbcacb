#pragma once
// `gatehouse bench`: what an answer costs beside what this machine can do at best, measured in one run. [design §8;
// facts/limits.md §10, §11]

#include "gateway/cli/command.hpp"

namespace gateway::bench {

std::vector<cli::Command> bench_commands();

}  // namespace gateway::bench
