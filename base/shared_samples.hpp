#pragma once
// Where tests find the messages that other implementations made: beside the checkout, or where GATEHOUSE_SHARED says.
// For *_test.cpp only; a test whose samples are absent reports itself as skipped.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace base {

inline std::filesystem::path shared_samples() {
  if (const char* shared = std::getenv("GATEHOUSE_SHARED")) return std::filesystem::path(shared) / "samples";
  return std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() / "shared" / "samples";
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// All sample files with this extension, sorted; empty where there are no samples.
inline std::vector<std::filesystem::path> shared_samples_with(const std::string& extension) {
  std::vector<std::filesystem::path> found;
  if (!std::filesystem::exists(shared_samples())) return found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(shared_samples()))
    if (entry.is_regular_file() && entry.path().extension() == extension) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace base
