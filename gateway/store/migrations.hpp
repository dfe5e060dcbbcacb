#pragma once
// The steps from an empty database to this program's schema, one way up. For gateway/store alone.

#include "gateway/store/connection.hpp"

namespace gateway::store {

/// The schema this program works with.
unsigned schema_version_of_program();
/// The schema the database has; 0 for an empty one.
Result<unsigned> schema_version(Connection& connection);
/// @return the steps applied. @error Errc::SchemaMismatch for a database newer than this program
Result<unsigned> apply_migrations(Connection& connection);
/// The statements of a schema file without its comments, in order. Quoted text is left alone.
std::vector<std::string> split_statements(std::string_view text);

}  // namespace gateway::store
