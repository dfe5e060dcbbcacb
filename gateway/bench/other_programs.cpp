#include "gateway/bench/other_programs.hpp"

#include <fcntl.h>
#include <signal.h>
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

/// Started by posix_spawnp, its output read from `output`; id 0 where there is no such program.
struct Child {
  pid_t id = 0;
  int output = -1;
};

Child spawn(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  Child child{.output = ends[0]};
  if (::posix_spawnp(&child.id, arguments.front(), &actions, nullptr, arguments.data(), environ) != 0) child.id = 0;
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

}  // namespace

std::optional<Ended> run_program(const std::vector<std::string>& words) {
  const auto child = spawn(words);
  std::optional<Ended> ended;
  if (child.id != 0) {
    ended.emplace().output = read_to_end(child.output);
    ended->exit = wait_for(child.id);
  }
  ::close(child.output);
  return ended;
}

Running::Running(const std::vector<std::string>& words) {
  const auto child = spawn(words);
  child_ = child.id;
  output_ = child.output;
}

Running::~Running() {
  if (child_ != 0) {
    ::kill(child_, SIGTERM);
    while (read_line()) {
    }
    wait_for(child_);
  }
  ::close(output_);
}

std::optional<std::string> Running::read_line() {
  std::array<char, 4096> piece;
  auto end = unread_.find('\n');
  while (end == std::string::npos) {
    const auto count = ::read(output_, piece.data(), piece.size());
    if (count <= 0) return std::nullopt;
    unread_.append(piece.data(), static_cast<std::size_t>(count));
    end = unread_.find('\n');
  }
  auto line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  return line;
}

}  // namespace gateway::bench
