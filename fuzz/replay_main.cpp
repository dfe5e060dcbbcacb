// A target without libFuzzer: writes its seeds, replays them or files, and tries a fixed number of changes of them.
// The input at hand stands in a file before it is run, so that it is there when the process ends for it.

#include "fuzz/mutate.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

namespace fs = std::filesystem;

struct Options {
  std::string seeds_to;             ///< --seeds DIR: write them there and do nothing else
  std::string last_to;              ///< --last FILE: the input at hand
  std::size_t runs = 0;             ///< --runs N: changed inputs to try
  std::uint64_t seed = 1;           ///< --seed N
  std::vector<std::string> inputs;  ///< files; none: the seeds
};

Options read_options(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string word = arguments[i];
    const auto value = [&] { return std::string(i + 1 < count ? arguments[++i] : ""); };
    if (word == "--seeds") {
      options.seeds_to = value();
    } else if (word == "--last") {
      options.last_to = value();
    } else if (word == "--runs") {
      options.runs = std::stoul(value());
    } else if (word == "--seed") {
      options.seed = std::stoull(value());
    } else {
      options.inputs.push_back(word);
    }
  }
  return options;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

}  // namespace

int main(int count, char** arguments) {
  const auto options = read_options(count, arguments);
  auto inputs = options.inputs.empty() ? fuzz::seeds() : std::vector<std::string>();
  for (const auto& path : options.inputs) inputs.push_back(read_file(path));
  if (!options.seeds_to.empty()) {
    fs::create_directories(options.seeds_to);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      write_file(fs::path(options.seeds_to) / ("seed-" + std::to_string(i)), inputs[i]);
    return 0;
  }
  const auto run = [&](const std::string& input) {
    if (!options.last_to.empty()) write_file(options.last_to, input);
    fuzz::run(input);
  };
  for (const auto& input : inputs) run(input);
  fuzz::Random random(options.seed);
  for (std::size_t i = 0; i < options.runs; ++i) {
    const auto& other = inputs[random.below(inputs.size())];
    run(fuzz::mutate(inputs[random.below(inputs.size())], other, random, fuzz::mutate_bytes));
  }
  std::printf("%zu inputs and %zu changes of them (seed %llu)\n", inputs.size(), options.runs,
              static_cast<unsigned long long>(options.seed));
}
