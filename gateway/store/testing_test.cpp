#include "gateway/store/testing.hpp"

#include "gateway/store/postgresql_testing.hpp"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace gateway::store {

TemporaryDirectory::TemporaryDirectory() : path_(std::filesystem::temp_directory_path() / "gatehouse-test-XXXXXX") {
  if (!::mkdtemp(path_.data())) throw std::runtime_error("no temporary directory");
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string name_of(Kind kind) { return kind == Kind::Sqlite ? "sqlite" : "postgresql"; }

std::string fresh_url(Kind kind, const TemporaryDirectory& directory) {
  if (kind == Kind::Postgresql) return postgresql_test_url().value_or("");
  return "sqlite:" + directory / "gatehouse.db";
}

}  // namespace gateway::store
