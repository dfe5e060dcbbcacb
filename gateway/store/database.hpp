#pragma once
// SQLite and PostgreSQL behind one small vocabulary: sessions, prepared statements, transactions, migrations.
// The room of SOCI: no other room sees its types. What tables mean is known to the shelves.

#include "base/result.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace gateway::store {

using base::Result;

enum class Errc {
  Unavailable = 1,  ///< cannot be reached now
  Conflict,         ///< a unique key that is taken, or a serialization failure
  SchemaMismatch,   ///< older or newer than this program
  Unsafe,           ///< settings that could lose acknowledged commits (K21)
  Unreadable,       ///< a row that is not what the schema promises
};
boost::system::error_code make_error_code(Errc) noexcept;

/// Octets for a {blob} column.
struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};
/// A parameter or a column: NULL, BIGINT, TEXT or {blob}.
using Value = std::variant<std::monostate, std::int64_t, std::string, Blob>;

/// One row, by column position. Reading a column as what it is not throws std::logic_error: a defect of the caller.
class Row {
 public:
  bool is_null(std::size_t column) const { return std::holds_alternative<std::monostate>(values_.at(column)); }
  std::int64_t integer(std::size_t column) const;
  const std::string& text(std::size_t column) const;
  const std::string& bytes(std::size_t column) const;
  std::string take_bytes(std::size_t column);  ///< bytes(), moved out
  std::optional<std::string> optional_text(std::size_t column) const;
  std::vector<Value> values_;
};

/// One connection, used by one thread at a time. Statements are prepared once per session and text.
class Session {
 public:
  virtual ~Session() = default;
  /// Runs a statement with parameters `:p1`, `:p2`, …. @return rows changed
  /// @error Errc::Unavailable, Errc::Conflict, Errc::Unreadable (a text with a NUL, which PostgreSQL cannot hold)
  virtual Result<std::size_t> execute(std::string_view sql, std::span<const Value> parameters) = 0;
  Result<std::size_t> execute(std::string_view sql, std::initializer_list<Value> parameters = {}) {
    return execute(sql, std::span(parameters.begin(), parameters.size()));
  }
  /// Runs a query. @param columns  one letter a column: `t` text, `i` integer, `b` blob; any of them may be NULL
  /// @param rows_max  more rows than that are Errc::Unreadable: every query knows its limit
  virtual Result<std::vector<Row>> select(std::string_view sql, std::string_view columns,
                                          std::span<const Value> parameters, std::size_t rows_max = 10'000) = 0;
  Result<std::vector<Row>> select(std::string_view sql, std::string_view columns,
                                  std::initializer_list<Value> parameters = {}, std::size_t rows_max = 10'000) {
    return select(sql, columns, std::span(parameters.begin(), parameters.size()), rows_max);
  }
  /// Inserts many rows with few statements. @param into  `table (a, b)`. @param values  row after row
  Result<void> insert_rows(std::string_view into, std::size_t columns, std::span<const Value> values);
  /// Runs `work` between BEGIN (IMMEDIATE on SQLite) and COMMIT; an error or exception of it rolls back, and so does a
  /// statement that failed within it, whatever `work` returns: PostgreSQL would take such a COMMIT for a ROLLBACK.
  /// Errc::Unavailable of the COMMIT itself leaves open whether it happened. Within another transaction it is a part of
  /// that one: a savepoint.
  virtual Result<void> transaction(const std::function<Result<void>()>& work) = 0;
  /// Within a transaction: what fails in `work` undoes only `work`, and the transaction goes on.
  virtual Result<void> savepoint(const std::function<Result<void>()>& work) = 0;
};

/// A database of this program, at the schema of this program.
class Database {
 public:
  /// @param url  `sqlite:/var/lib/gatehouse/gatehouse.db` or `postgresql://user@host/name` (libpq URI); a SQLite path
  /// may
  ///             be followed by settings of the connection, `?cache_size=-65536&busy_timeout=1000`
  /// Checks the durability settings (SQLite WAL and synchronous=FULL; PostgreSQL synchronous_commit and fsync) and the
  /// schema version. @error Errc::Unavailable, Errc::SchemaMismatch, Errc::Unsafe
  static Result<std::unique_ptr<Database>> open(const std::string& url);
  /// Brings an empty or older database to this program's schema, one way up, in one transaction per step.
  /// @return the steps applied
  static Result<unsigned> migrate(const std::string& url);

  virtual ~Database() = default;
  /// The calling thread's session, connected on first use and again after a failure. It lives until the thread or the
  /// database ends. Within half a second of a failed connection no other is tried. @error Errc::Unavailable,
  /// Errc::Unsafe
  virtual Result<Session*> session() = 0;
  virtual bool is_postgresql() const noexcept = 0;
};

}  // namespace gateway::store

namespace boost::system {
template <>
struct is_error_code_enum<gateway::store::Errc> : std::true_type {};
}  // namespace boost::system
