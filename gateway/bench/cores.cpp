#include "gateway/bench/cores.hpp"

#include <sched.h>

#include <charconv>
#include <filesystem>

namespace gateway::bench {
namespace {

/// What the process was started with.
const cpu_set_t& allowed() {
  static const cpu_set_t set = [] {
    cpu_set_t all;
    CPU_ZERO(&all);
    ::sched_getaffinity(0, sizeof all, &all);
    return all;
  }();
  return set;
}

/// A thread that ends meanwhile needs nothing.
void keep_every_thread_to(const cpu_set_t& cores) {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    const auto name = task.path().filename().string();
    pid_t id = 0;
    std::from_chars(name.data(), name.data() + name.size(), id);
    ::sched_setaffinity(id, sizeof cores, &cores);
  }
}

}  // namespace

unsigned cores_available() { return static_cast<unsigned>(CPU_COUNT(&allowed())); }

OnCores::OnCores(unsigned count) {
  cpu_set_t chosen;
  CPU_ZERO(&chosen);
  for (std::size_t core = 0; core < CPU_SETSIZE && count > 0; ++core) {
    if (!CPU_ISSET(core, &allowed())) continue;
    CPU_SET(core, &chosen);
    --count;
  }
  keep_every_thread_to(chosen);
}

OnCores::~OnCores() { keep_every_thread_to(allowed()); }

}  // namespace gateway::bench
