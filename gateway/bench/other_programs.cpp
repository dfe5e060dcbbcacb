#include "gateway/bench/other_programs.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

extern char** environ;  // NOLINT: POSIX has no header for it

namespace gateway::bench {
namespace {

constexpr std::size_t output_bytes_max = 64u << 10;

std::string read_to_end(int descriptor) {
  std::string all;
  std::array<char, 4096> piece;
  for (auto count = ::read(descriptor, piece.data(), piece.size()); count > 0;
       count = ::read(descriptor, piece.data(), piece.size())) {
    if (all.size() < output_bytes_max) all.append(piece.data(), static_cast<std::size_t>(count));
  }
  return all;
}

}  // namespace

std::optional<Ended> run_program(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, arguments.front(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::optional<Ended> ended;
  if (failed == 0) {
    ended.emplace().output = read_to_end(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ended->exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  }
  ::close(ends[0]);
  return ended;
}

}  // namespace gateway::bench
