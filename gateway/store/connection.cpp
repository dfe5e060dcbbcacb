#include "gateway/store/connection.hpp"

#include "base/bytes.hpp"

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <stdexcept>
#include <unordered_map>

namespace gateway::store {
namespace {

using base::Error;
using base::fail;

/// Statement texts are constants of this program; a search composes a few more.
constexpr std::size_t statements_max = 512;

/// What SQLite is told at every connection, before the URL's own settings. At a power cut WAL with synchronous=FULL
/// loses nothing that was acknowledged, NORMAL does (K21). A checkpoint after 16 MiB instead of 4 writes the pages that
/// every commit changes a quarter as often. The file is read, not mapped: each of its growths unmapped it from every
/// thread (30 µs a request), and an I/O error would end the process instead of the statement.
constexpr std::string_view sqlite_settings[] = {"busy_timeout=5000", "journal_mode=WAL",       "synchronous=FULL",
                                                "foreign_keys=ON",   "mmap_size=0",            "cache_size=-16384",
                                                "temp_store=MEMORY", "wal_autocheckpoint=4000"};
constexpr std::string_view pragmas_allowed[] = {"busy_timeout", "cache_size", "journal_mode",      "mmap_size",
                                                "synchronous",  "temp_store", "wal_autocheckpoint"};

/// A value's place in memory, which SOCI keeps the address of.
struct Place {
  soci::indicator indicator = soci::i_ok;
  long long integer = 0;
  std::string text;
  std::unique_ptr<soci::blob> blob;  ///< SQLite's parameters only
};

/// The letter of a parameter's kind, as select() takes it for columns; `n` for NULL.
char kind_of(const Value& value) { return "nitb"[value.index()]; }

/// A prepared statement with the places of its parameters and columns. The statement goes before they do.
struct Prepared {
  std::string kinds, columns;
  std::vector<std::unique_ptr<Place>> parameters, results;
  std::unique_ptr<soci::statement> statement;

  bool takes(std::string_view wanted_columns, std::span<const Value> values) const {
    if (columns != wanted_columns || kinds.size() != values.size()) return false;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const char kind = kind_of(values[i]);
      if (kind != 'n' && kind != kinds[i]) return false;
    }
    return true;
  }
};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

/// PostgreSQL's text form of a bytea, `\x…`. SOCI knows blobs there as large objects only: those live outside the row,
/// are not removed with it and need a second object per value. A bytea column takes and gives hexadecimal text within
/// the same statement and transaction, at twice the size on the socket.
constexpr std::string_view bytea_prefix = "\\x";

void put(Place& place, char kind, const Value& value, bool postgresql) {
  place.indicator = value.index() == 0 ? soci::i_null : soci::i_ok;
  if (value.index() == 0) return;
  switch (kind) {
    case 'i': place.integer = std::get<std::int64_t>(value); return;
    case 't': place.text = std::get<std::string>(value); return;
    default: break;
  }
  const std::string& bytes = std::get<Blob>(value).bytes;
  if (postgresql) {
    place.text.assign(bytea_prefix).append(base::hex(bytes));
  } else {
    // For an empty value one octet is written and trimmed off: SOCI binds NULL for a buffer that never was.
    place.blob->write(0, bytes.data(), std::max<std::size_t>(bytes.size(), 1));
    place.blob->trim(bytes.size());
  }
}

/// A column of the row a statement of SQLite stands on, copied from there: SOCI would copy it twice.
Value take(sqlite_api::sqlite3_stmt* row, int column, char kind) {
  if (sqlite_api::sqlite3_column_type(row, column) == SQLITE_NULL) return Value{};
  if (kind == 'i') return Value{std::int64_t{sqlite_api::sqlite3_column_int64(row, column)}};
  const auto* octets = static_cast<const char*>(
      kind == 't' ? static_cast<const void*>(sqlite_api::sqlite3_column_text(row, column))
                  : sqlite_api::sqlite3_column_blob(row, column));
  std::string held;
  if (octets != nullptr) held.assign(octets, static_cast<std::size_t>(sqlite_api::sqlite3_column_bytes(row, column)));
  return kind == 't' ? Value{std::move(held)} : Value{Blob{std::move(held)}};
}

/// A column as SOCI gave it. PostgreSQL.
Result<Value> take(const Place& place, char kind) {
  if (place.indicator == soci::i_null) return Value{};
  if (kind == 'i') return Value{std::int64_t{place.integer}};
  if (kind == 't') return Value{place.text};
  if (!place.text.starts_with(bytea_prefix)) return fail(Errc::Unreadable, "a blob column without hexadecimal text");
  auto bytes = TRY(base::read_hex(std::string_view(place.text).substr(bytea_prefix.size())));
  return Value{Blob{std::move(bytes)}};
}

Result<Value> take(Prepared& ready, std::size_t column, bool postgresql) {
  if (postgresql) return take(*ready.results[column], ready.columns[column]);
  auto* row = static_cast<soci::sqlite3_statement_backend*>(ready.statement->get_backend())->stmt_;
  return take(row, static_cast<int>(column), ready.columns[column]);
}

/// SOCI gives PostgreSQL C strings: what follows a NUL would silently be lost, and another row be found.
bool has_nul(std::span<const Value> values) {
  return std::ranges::any_of(values, [](const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    return text && text->find('\0') != std::string::npos;
  });
}

Errc meaning_of_sqlstate(std::string_view state) {
  const auto group = state.substr(0, 2);
  if (group == "23" || group == "40") return Errc::Conflict;
  if (group == "22" || group == "42" || group == "25") {
    return state == "25006" ? Errc::Unavailable : Errc::Unreadable;  // 25006: a standby, until fail-over is done
  }
  return Errc::Unavailable;
}

Errc meaning_of_sqlite(int result) {
  switch (result & 0xFF) {
    case SQLITE_CONSTRAINT: return Errc::Conflict;
    case SQLITE_ERROR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_SCHEMA:
    case SQLITE_TOOBIG:
    case SQLITE_MISUSE: return Errc::Unreadable;
    default: return Errc::Unavailable;
  }
}

/// SOCI's own text names parameters by value, PostgreSQL's quotes rows: neither may reach a log.
Error translated(const soci::soci_error& error, std::string_view sql) {
  const std::string where = " in: " + std::string(sql.substr(0, 200));
  if (const auto* postgresql = dynamic_cast<const soci::postgresql_soci_error*>(&error)) {
    return fail(meaning_of_sqlstate(postgresql->sqlstate()), "SQLSTATE " + postgresql->sqlstate() + where);
  }
  if (const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error)) {
    return fail(meaning_of_sqlite(sqlite->result()), "SQLite result " + std::to_string(sqlite->result()) + where);
  }
  return fail(Errc::Unavailable, "the database connection failed" + where);
}

std::string libpq_uri_with_timeouts(const std::string& uri) {
  std::string full = uri;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (uri.find(std::string(name) + "=") != std::string::npos) return;
    full.append(1, full.find('?') == std::string::npos ? '?' : '&').append(name).append("=").append(value);
  };
  add("connect_timeout", "2");
  add("tcp_user_timeout", "5000");
  add("application_name", "gatehouse");
  return full;
}

std::string setting(soci::session& session, const std::string& query) {
  std::string value;
  session << query, soci::into(value);
  return value;
}

Result<void> prepare_sqlite(soci::session& session, const Address& address) {
  auto* handle = static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
  const auto pragma = [&](const std::string& text) {
    return sqlite_api::sqlite3_exec(handle, ("PRAGMA " + text).c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  };
  for (const auto text : sqlite_settings) {
    if (!pragma(std::string(text))) return fail(Errc::Unavailable, "SQLite did not take " + std::string(text));
  }
  for (const auto& [name, value] : address.pragmas) {
    if (!pragma(name + "=" + value)) return fail(Errc::Unavailable, "SQLite did not take " + name);
  }
  if (const auto mode = setting(session, "PRAGMA journal_mode"); mode != "wal") {
    return fail(Errc::Unsafe, "SQLite's journal_mode is " + mode + ", it must be wal");
  }
  const auto synchronous = setting(session, "PRAGMA synchronous");
  if (synchronous != "2" && synchronous != "3") {
    return fail(Errc::Unsafe, "SQLite's synchronous is " + synchronous + ", it must be 2 (FULL)");
  }
  if (setting(session, "PRAGMA foreign_keys") != "1") return fail(Errc::Unsafe, "SQLite does not check foreign keys");
  return {};
}

Result<void> prepare_postgresql(soci::session& session) {
  session << "SET client_encoding = 'UTF8'";
  session << "SET bytea_output = 'hex'";
  session << "SET statement_timeout = '5s'";
  session << "SET idle_in_transaction_session_timeout = '30s'";
  session << "SET default_transaction_isolation = 'read committed'";
  if (setting(session, "SHOW synchronous_commit") == "off") {
    return fail(Errc::Unsafe, "PostgreSQL's synchronous_commit is off");
  }
  if (setting(session, "SHOW fsync") != "on") return fail(Errc::Unsafe, "PostgreSQL's fsync is off");
  return {};
}

/// Each connection is used by one thread at a time, so SQLite may do without a lock around every call.
void choose_sqlite_threading() {
  static std::once_flag once;
  std::call_once(once, [] { sqlite_api::sqlite3_config(SQLITE_CONFIG_MULTITHREAD); });
}

}  // namespace

Result<Address> read_address(const std::string& url) {
  if (url.starts_with("postgresql://") || url.starts_with("postgres://")) {
    return Address{.postgresql = true, .target = url};
  }
  constexpr std::string_view scheme = "sqlite:";
  if (!url.starts_with(scheme)) return fail(Errc::Unavailable, "a database url begins with sqlite: or postgresql:");
  const auto question = url.find('?');
  Address address;
  address.target = url.substr(scheme.size(), question == std::string::npos ? question : question - scheme.size());
  if (address.target.empty() || address.target.find_first_of("\"=") != std::string::npos) {
    return fail(Errc::Unavailable, "a path that cannot be a database: " + address.target);
  }
  for (std::size_t at = question; at != std::string::npos;) {
    const auto end = url.find('&', ++at);
    const auto pair = url.substr(at, end == std::string::npos ? end : end - at);
    const auto equals = std::min(pair.find('='), pair.size());
    const auto name = pair.substr(0, equals), value = pair.substr(std::min(equals + 1, pair.size()));
    const bool is_word =
        !value.empty() && std::ranges::all_of(value, [](unsigned char c) { return std::isalnum(c) || c == '-'; });
    if (std::ranges::find(pragmas_allowed, name) == std::end(pragmas_allowed) || !is_word) {
      return fail(Errc::Unavailable, "a database url with an unknown setting: " + pair);
    }
    address.pragmas.emplace_back(name, value);
    at = end;
  }
  return address;
}

struct Connection::Parts {
  soci::session session;
  const bool postgresql;
  std::unordered_map<std::string, Prepared, TextHash, std::equal_to<>> statements;  ///< closed before the session

  explicit Parts(bool is_postgresql) : postgresql(is_postgresql) {}

  /// The statement for this text, prepared now where it was not. Throws soci_error.
  Prepared& ready(std::string_view sql, std::string_view columns, std::span<const Value> values) {
    auto found = statements.find(sql);
    if (found != statements.end() && !found->second.takes(columns, values)) {
      statements.erase(found);
      found = statements.end();
    }
    if (found == statements.end()) {
      if (statements.size() >= statements_max) statements.clear();
      found = statements.emplace(sql, prepared(sql, columns, values)).first;
    }
    auto& ready = found->second;
    for (std::size_t i = 0; i < values.size(); ++i) put(*ready.parameters[i], ready.kinds[i], values[i], postgresql);
    return ready;
  }

  /// Leaves no buffer of the failed run behind: SOCI frees them only after a run that went well.
  void rebind(std::string_view sql) {
    const auto found = statements.find(sql);
    if (found == statements.end()) return;
    found->second.statement->undefine_and_bind();
    found->second.statement->define_and_bind();
  }

 private:
  Prepared prepared(std::string_view sql, std::string_view columns, std::span<const Value> values) {
    Prepared made;
    made.columns = columns;
    made.statement = std::make_unique<soci::statement>(session);
    made.statement->alloc();
    made.statement->prepare(std::string(sql));
    const auto place = [&](char kind) {
      auto one = std::make_unique<Place>();
      if (kind == 'b' && !postgresql) one->blob = std::make_unique<soci::blob>(session);
      return one;
    };
    // SOCI fetches further rows only where it has a place for a column: of SQLite the first as a number, never read.
    for (const char kind : postgresql ? columns : columns.substr(0, 1)) {
      auto& one = *made.results.emplace_back(std::make_unique<Place>());
      if (kind == 'i' || !postgresql) {
        made.statement->exchange(soci::into(one.integer, one.indicator));
      } else {
        made.statement->exchange(soci::into(one.text, one.indicator));
      }
    }
    for (const Value& value : values) {
      const char kind = value.index() == 0 ? 't' : kind_of(value);
      made.kinds.push_back(kind);
      auto& one = *made.parameters.emplace_back(place(kind));
      const std::string name = "p" + std::to_string(made.parameters.size());
      if (kind == 'i') {
        made.statement->exchange(soci::use(one.integer, one.indicator, name));
      } else if (kind == 'b' && one.blob) {
        made.statement->exchange(soci::use(*one.blob, one.indicator, name));
      } else {
        made.statement->exchange(soci::use(one.text, one.indicator, name));
      }
    }
    made.statement->define_and_bind();
    return made;
  }
};

Connection::Connection(Address address) : address_(std::move(address)) {}
Connection::~Connection() = default;

bool Connection::is_postgresql() const noexcept { return address_.postgresql; }

Result<void> Connection::ensure_connected() {
  if (is_connected()) return {};
  parts_.reset();
  auto parts = std::make_unique<Parts>(address_.postgresql);
  try {
    if (address_.postgresql) {
      parts->session.open(soci::postgresql, libpq_uri_with_timeouts(address_.target));
      TRY(prepare_postgresql(parts->session));
    } else {
      choose_sqlite_threading();
      parts->session.open(soci::sqlite3, "db=\"" + address_.target + "\"");
      TRY(prepare_sqlite(parts->session, address_));
    }
  } catch (const soci::soci_error& error) {
    auto failure = translated(error, "the connection");
    failure.code = make_error_code(Errc::Unavailable);
    return failure;
  }
  parts_ = std::move(parts);
  lost_ = false;
  return {};
}

/// Runs work on the connection and turns what SOCI throws into errors, which an open transaction remembers.
template <class Work>
auto Connection::guarded(std::string_view sql, Work work) -> decltype(work()) {
  if (!parts_ || lost_) return fail(Errc::Unavailable, "the connection is lost");
  Error failure;
  try {
    auto outcome = work();
    if (outcome) return outcome;
    failure = std::move(outcome).error();
  } catch (const soci::soci_error& error) {
    failure = translated(error, sql);
    if (address_.postgresql) {
      auto* handle = static_cast<soci::postgresql_session_backend*>(parts_->session.get_backend())->conn_;
      lost_ = PQstatus(handle) != CONNECTION_OK || failure.detail.starts_with("SQLSTATE 25006");
    } else if (const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error)) {
      // After an I/O error the handle's view of the file is not to be trusted: nothing is tried again on it. One that
      // was opened while the file system was read-only stays so for ever.
      const int result = sqlite->result() & 0xFF;
      lost_ = result == SQLITE_IOERR || result == SQLITE_CORRUPT || result == SQLITE_READONLY;
    }
    if (!lost_) parts_->rebind(sql);
  }
  if (in_transaction_ && !failed_) failed_ = failure;
  return failure;
}

Result<std::size_t> Connection::execute(std::string_view sql, std::span<const Value> parameters) {
  return guarded(sql, [&]() -> Result<std::size_t> {
    if (has_nul(parameters)) return fail(Errc::Unreadable, "a text parameter with a NUL");
    auto& ready = parts_->ready(sql, {}, parameters);
    ready.statement->execute(true);
    return static_cast<std::size_t>(std::max(0LL, ready.statement->get_affected_rows()));
  });
}

Result<std::vector<Row>> Connection::select(std::string_view sql, std::string_view columns,
                                            std::span<const Value> parameters, std::size_t rows_max) {
  return guarded(sql, [&]() -> Result<std::vector<Row>> {
    if (has_nul(parameters)) return fail(Errc::Unreadable, "a text parameter with a NUL");
    auto& ready = parts_->ready(sql, columns, parameters);
    std::vector<Row> rows;
    for (bool more = ready.statement->execute(true); more; more = ready.statement->fetch()) {
      if (rows.size() == rows_max) {
        parts_->statements.erase(parts_->statements.find(sql));  // closes its open read of the database
        return fail(Errc::Unreadable, "more than " + std::to_string(rows_max) + " rows");
      }
      auto& row = rows.emplace_back();
      row.values_.reserve(columns.size());
      for (std::size_t i = 0; i < columns.size(); ++i) {
        row.values_.push_back(TRY(take(ready, i, address_.postgresql)));
      }
    }
    return rows;
  });
}

Result<void> Connection::define(const std::string& sql) {
  return guarded(sql, [&]() -> Result<void> {
    parts_->session << sql;
    return {};
  });
}

Result<void> Connection::roll_back_and_return(Error error) {
  failed_.reset();
  if (!lost_ && !execute("ROLLBACK")) lost_ = true;
  in_transaction_ = false;
  failed_.reset();
  return error;
}

Result<void> Connection::transaction(const std::function<Result<void>()>& work) {
  if (in_transaction_) return savepoint(work);
  TRY(execute(address_.postgresql ? "BEGIN" : "BEGIN IMMEDIATE"));
  in_transaction_ = true;
  failed_.reset();
  Result<void> outcome;
  try {
    outcome = work();
  } catch (...) {
    (void)roll_back_and_return({});
    throw;
  }
  if (outcome && failed_) outcome = *failed_;
  if (!outcome) return roll_back_and_return(std::move(outcome).error());
  auto committed = execute("COMMIT");
  in_transaction_ = false;
  failed_.reset();
  if (committed) return {};
  lost_ = true;  // whatever is left of it ends with the connection
  return fail(Errc::Unavailable, "COMMIT: " + committed.error().detail);
}

Result<void> Connection::savepoint(const std::function<Result<void>()>& work) {
  if (!in_transaction_) throw std::logic_error("a savepoint outside of a transaction");
  if (failed_) return *failed_;
  TRY(execute("SAVEPOINT part"));
  auto outcome = work();
  if (outcome && failed_) outcome = *failed_;
  if (outcome) {
    TRY(execute("RELEASE SAVEPOINT part"));
    return {};
  }
  failed_.reset();
  TRY(execute("ROLLBACK TO SAVEPOINT part"));
  TRY(execute("RELEASE SAVEPOINT part"));
  return outcome;
}

}  // namespace gateway::store
