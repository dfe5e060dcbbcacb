#pragma once
// One connection to SQLite or PostgreSQL: durable settings, prepared statements, transactions. For gateway/store alone.

#include "gateway/store/database.hpp"

#include <utility>

namespace gateway::store {

/// Where a database is.
struct Address {
  bool postgresql = false;
  std::string target;                                             ///< path of the SQLite file, or a libpq URI
  std::vector<std::pair<std::string, std::string>> pragmas = {};  ///< SQLite only, from an allow-list
};
/// @error Errc::Unavailable for a URL that names no database of ours
Result<Address> read_address(const std::string& url);

/// A Session over SOCI. The object stays where it is while its connection comes and goes.
class Connection final : public Session {
 public:
  explicit Connection(Address address);
  ~Connection() override;

  /// Connects where there is no working connection and no transaction is open.
  /// @error Errc::Unavailable; Errc::Unsafe where an acknowledged commit could be lost (K21)
  Result<void> ensure_connected();
  bool is_connected() const noexcept { return parts_ && (!lost_ || in_transaction_); }

  using Session::execute;
  using Session::select;
  Result<std::size_t> execute(std::string_view sql, std::span<const Value> parameters) override;
  Result<std::vector<Row>> select(std::string_view sql, std::string_view columns, std::span<const Value> parameters,
                                  std::size_t rows_max) override;
  Result<void> transaction(const std::function<Result<void>()>& work) override;
  Result<void> savepoint(const std::function<Result<void>()>& work) override;
  /// Runs one statement without keeping it: for migrations.
  Result<void> define(const std::string& sql);
  bool is_postgresql() const noexcept;

 private:
  struct Parts;
  template <class Work>
  auto guarded(std::string_view sql, Work work) -> decltype(work());
  Result<void> roll_back_and_return(base::Error error);
  Address address_;
  std::unique_ptr<Parts> parts_;  ///< none while there is no connection
  bool lost_ = false, in_transaction_ = false;
  std::optional<base::Error> failed_;  ///< the first statement that failed in the open transaction
};

}  // namespace gateway::store
