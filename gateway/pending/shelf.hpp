#pragma once
// Requests that wait to be answered by call-back: taken by row lock with a lease and a fencing number, by any node.
// [design §6, §7; facts/query-exchange §1.5]

#include "gateway/exchange/ports.hpp"
#include "gateway/store/database.hpp"

namespace gateway::pending {

using base::Instant;
using base::Result;

class PendingShelf final : public exchange::PendingAnswers {
 public:
  explicit PendingShelf(store::Database& database) : database_(database) {}

  Result<std::size_t> waiting_of(std::string_view implementer) override;
  Result<exchange::Added> add(const exchange::PendingAnswer& answer, std::size_t waiting_max) override;
  Result<std::optional<exchange::TakenAnswer>> take(Instant now, std::chrono::seconds lease,
                                                    std::span<const std::string> but) override;
  Result<bool> hold(const exchange::TakenAnswer& taken) override;
  Result<bool> put_back(const exchange::TakenAnswer& taken, Instant due_at, std::string_view reason) override;
  Result<bool> remove(const exchange::TakenAnswer& taken) override;
  Result<std::size_t> waiting() override;

 private:
  store::Database& database_;
};

}  // namespace gateway::pending
