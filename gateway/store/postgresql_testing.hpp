#pragma once
// A throw-away PostgreSQL for tests: one cluster for each test program, one database for each call.

#include <optional>
#include <string>

namespace gateway::store {

/// The libpq URI of a new, empty database, on a Unix socket in a temporary directory. The cluster is started by the
/// first call and ends with the program. Nothing where PostgreSQL is not installed: such tests GTEST_SKIP.
std::optional<std::string> postgresql_test_url();

}  // namespace gateway::store
