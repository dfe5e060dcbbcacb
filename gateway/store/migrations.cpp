#include "gateway/store/migrations.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <iterator>
#include <string>

namespace gateway {
std::string_view asset_schema_001_sql();
std::string_view asset_schema_002_sql();
std::string_view asset_schema_003_sql();
std::string_view asset_schema_004_sql();
std::string_view asset_schema_006_sql();
std::string_view asset_schema_007_sql();
std::string_view asset_schema_008_sql();
std::string_view asset_schema_009_sql();
}  // namespace gateway

namespace gateway::store {
namespace {

using base::fail;

/// One step up. Numbers grow; they need not follow on each other.
struct Step {
  unsigned version;
  std::string_view (*text)();
};
constexpr Step steps[] = {{1, asset_schema_001_sql},
                          {2, asset_schema_002_sql},
                          {3, asset_schema_003_sql},
                          {4, asset_schema_004_sql},
                          {6, asset_schema_006_sql},
                          {7, asset_schema_007_sql},
                          {8, asset_schema_008_sql},
                          {9, asset_schema_009_sql}};

/// The words in which the databases differ.
std::string in_dialect(std::string statement, bool postgresql) {
  const std::pair<std::string_view, std::string_view> words[] = {{"{blob}", postgresql ? "BYTEA" : "BLOB"},
                                                                 {"{keyed}", postgresql ? "" : "WITHOUT ROWID"},
                                                                 {"{by_octets}", postgresql ? "COLLATE \"C\"" : ""}};
  for (const auto& [word, means] : words) {
    for (auto at = statement.find(word); at != std::string::npos; at = statement.find(word, at)) {
      statement.replace(at, word.size(), means);
    }
  }
  return statement;
}

Result<void> apply_step(Connection& connection, const Step& step) {
  const auto version = step.version;
  return connection.transaction([&]() -> Result<void> {
    if (connection.is_postgresql()) {
      TRY(connection.define("SET LOCAL statement_timeout = 0"));
      TRY(connection.define("SELECT pg_advisory_xact_lock(4715001)"));
    }
    // Another process may have applied it while this one waited.
    if (TRY(schema_version(connection)) >= version) return {};
    if (version == 1) TRY(connection.define("CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY)"));
    for (auto& statement : split_statements(step.text())) {
      TRY(connection.define(in_dialect(std::move(statement), connection.is_postgresql())));
    }
    return connection.define("INSERT INTO schema_version (version) VALUES (" + std::to_string(version) + ")");
  });
}

}  // namespace

unsigned schema_version_of_program() { return std::rbegin(steps)->version; }

std::vector<std::string> split_statements(std::string_view text) {
  std::vector<std::string> statements;
  std::string statement;
  const auto keep = [&] {
    const auto trimmed = base::trim(statement);
    if (!trimmed.empty()) statements.emplace_back(trimmed);
    statement.clear();
  };
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;  // a doubled quote closes and opens again
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (text.substr(i, 2) == "--") {
      i = std::min(text.find('\n', i), text.size() - 1);
      statement.push_back('\n');
      continue;
    } else if (c == ';') {
      keep();
      continue;
    }
    statement.push_back(c);
  }
  keep();
  return statements;
}

Result<unsigned> schema_version(Connection& connection) {
  const auto tables = TRY(connection.select(
      connection.is_postgresql()
          ? "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'schema_version'"
          : "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'",
      "i"));
  if (tables.at(0).integer(0) == 0) return 0u;
  const auto rows = TRY(connection.select("SELECT MAX(version) FROM schema_version", "i"));
  if (rows.at(0).is_null(0)) return fail(Errc::Unreadable, "the table schema_version is empty");
  return static_cast<unsigned>(rows.at(0).integer(0));
}

Result<unsigned> apply_migrations(Connection& connection) {
  const unsigned before = TRY(schema_version(connection));
  if (before > schema_version_of_program()) {
    return fail(Errc::SchemaMismatch, "the database has schema " + std::to_string(before) + ", this program knows " +
                                          std::to_string(schema_version_of_program()));
  }
  unsigned applied = 0;
  for (const Step& step : steps) {
    if (step.version <= before) continue;
    TRY(apply_step(connection, step));
    ++applied;
  }
  return applied;
}

}  // namespace gateway::store
