#include "gateway/store/database.hpp"

#include "base/error_table.hpp"
#include "gateway/store/connection.hpp"
#include "gateway/store/migrations.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <stdexcept>

namespace gateway::store {
namespace {

using base::Cause;
using base::fail;

constexpr std::size_t rows_per_insert = 32;

constexpr base::ErrorRow rows[] = {
    {int(Errc::Unavailable), "store-unavailable", "the database cannot be reached now", Cause::TryLater},
    {int(Errc::Conflict), "store-conflict", "another change came first", Cause::TryLater},
    {int(Errc::SchemaMismatch), "store-schema", "the database is not at the schema of this program", Cause::Defect},
    {int(Errc::Unsafe), "store-unsafe", "the database's settings could lose acknowledged commits", Cause::Defect},
    {int(Errc::Unreadable), "store-unreadable", "the database holds or was given what it should not", Cause::Defect},
};
constinit const base::ErrorTable errors("gatehouse.store", rows);

template <class T>
const T& held(const Value& value) {
  if (const auto* found = std::get_if<T>(&value)) return *found;
  throw std::logic_error("a column was read as what it is not");
}

/// One thread's connection to one database. The thread owns it; the database closes it when it ends first.
struct ThreadSession {
  std::mutex mutex;
  std::unique_ptr<Connection> connection;
};
struct OwnedSession {
  std::uint64_t database;
  std::shared_ptr<ThreadSession> session;
};
thread_local std::vector<OwnedSession> sessions_of_thread;

class OpenDatabase final : public Database {
 public:
  explicit OpenDatabase(Address address) : address_(std::move(address)) {}
  ~OpenDatabase() override {
    for (const auto& weak : sessions_) {
      const auto session = weak.lock();
      if (!session) continue;
      const std::scoped_lock lock(session->mutex);
      session->connection.reset();
    }
  }

  Result<Session*> session() override {
    Connection& connection = connection_of_thread();
    if (auto connected = ensure_connected(connection); !connected) return std::move(connected).error();
    return static_cast<Session*>(&connection);
  }
  bool is_postgresql() const noexcept override { return address_.postgresql; }

 private:
  static constexpr std::chrono::milliseconds pause_after_failure{500};
  static std::int64_t steady_millis() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }

  Result<void> ensure_connected(Connection& connection) {
    if (connection.is_connected()) return {};
    // Without the pause every request would wait for the time-out of a dead host by itself.
    if (steady_millis() - failed_at_.load() < pause_after_failure.count()) {
      return fail(Errc::Unavailable, "the last connection failed a moment ago");
    }
    auto connected = connection.ensure_connected();
    if (!connected) failed_at_ = steady_millis();
    return connected;
  }

  Connection& connection_of_thread() {
    for (const auto& owned : sessions_of_thread) {
      if (owned.database == id_) return *owned.session->connection;
    }
    std::erase_if(sessions_of_thread, [](const OwnedSession& owned) {
      const std::scoped_lock lock(owned.session->mutex);
      return owned.session->connection == nullptr;
    });
    auto session = std::make_shared<ThreadSession>();
    session->connection = std::make_unique<Connection>(address_);
    {
      const std::scoped_lock lock(mutex_);
      std::erase_if(sessions_, [](const auto& weak) { return weak.expired(); });
      sessions_.push_back(session);
    }
    sessions_of_thread.push_back({id_, session});
    return *session->connection;
  }

  static inline std::atomic<std::uint64_t> opened_{0};
  const std::uint64_t id_ = ++opened_;  ///< never used again, unlike an address
  const Address address_;
  std::atomic<std::int64_t> failed_at_{-pause_after_failure.count()};
  std::mutex mutex_;
  std::vector<std::weak_ptr<ThreadSession>> sessions_;
};

/// Makes the file, so that it is its owner's alone from the first moment; -wal and -shm take its mode.
Result<void> create_private_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return fail(Errc::Unavailable, "cannot create " + path);
  ::close(file);
  return {};
}

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errors}; }

std::int64_t Row::integer(std::size_t column) const { return held<std::int64_t>(values_.at(column)); }
const std::string& Row::text(std::size_t column) const { return held<std::string>(values_.at(column)); }
const std::string& Row::bytes(std::size_t column) const { return held<Blob>(values_.at(column)).bytes; }
std::string Row::take_bytes(std::size_t column) {
  auto* blob = std::get_if<Blob>(&values_.at(column));
  if (!blob) throw std::logic_error("a column was taken as what it is not");
  return std::move(blob->bytes);
}
std::optional<std::string> Row::optional_text(std::size_t column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}

Result<void> Session::insert_rows(std::string_view into, std::size_t columns, std::span<const Value> values) {
  const auto statement = [&](std::size_t rows) {
    std::string sql = "INSERT INTO ";
    sql.append(into).append(" VALUES ");
    for (std::size_t i = 0; i < rows * columns; ++i) {
      sql.append(i % columns != 0 ? ", " : i == 0 ? "(" : ", (").append(":p").append(std::to_string(i + 1));
      if (i % columns == columns - 1) sql += ")";
    }
    return sql;
  };
  const auto many = statement(rows_per_insert), one = statement(1);
  while (!values.empty()) {
    const bool enough = values.size() >= rows_per_insert * columns;
    const auto part = values.first((enough ? rows_per_insert : 1) * columns);
    TRY(execute(enough ? many : one, part));
    values = values.subspan(part.size());
  }
  return {};
}

Result<std::unique_ptr<Database>> Database::open(const std::string& url) {
  const auto address = TRY(read_address(url));
  if (!address.postgresql && !std::filesystem::exists(address.target)) {
    return fail(Errc::SchemaMismatch, "there is no database at " + address.target + " yet: run gatehouse db migrate");
  }
  auto database = std::make_unique<OpenDatabase>(address);
  auto* connection = static_cast<Connection*>(TRY(database->session()));
  if (const unsigned version = TRY(schema_version(*connection)); version != schema_version_of_program()) {
    return fail(Errc::SchemaMismatch, "the database has schema " + std::to_string(version) + ", this program needs " +
                                          std::to_string(schema_version_of_program()));
  }
  return std::unique_ptr<Database>(std::move(database));
}

Result<unsigned> Database::migrate(const std::string& url) {
  const auto address = TRY(read_address(url));
  if (!address.postgresql) TRY(create_private_file(address.target));
  Connection connection(address);
  TRY(connection.ensure_connected());
  return apply_migrations(connection);
}

}  // namespace gateway::store
