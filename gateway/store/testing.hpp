#pragma once
// Databases for tests: the same test on both kinds.

#include "gateway/store/database.hpp"

namespace gateway::store {

/// A directory that goes with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

enum class Kind { Sqlite, Postgresql };
/// `sqlite` or `postgresql`: the name of a parameterised test.
std::string name_of(Kind kind);
/// A URL of a new, empty database: a file in `directory`, or a database of the test cluster. Empty where PostgreSQL is
/// not installed.
std::string fresh_url(Kind kind, const TemporaryDirectory& directory);

}  // namespace gateway::store
