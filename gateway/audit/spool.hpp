#pragma once
// What an audit repository is still to be told: rows of the outbox, written in the very transaction of their events,
// in lanes of one node each, and how many they are. A lane is emptied by one process at a time. [design §6, §7]

#include "gateway/audit/chain.hpp"
#include "gateway/audit/record.hpp"
#include "gateway/store/database.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace gateway::audit {

/// How full the spool is. One for a process; safe over threads.
class Spool {
 public:
  explicit Spool(std::uint64_t messages_max) : messages_max_(messages_max) {}

  std::uint64_t waiting() const noexcept { return waiting_; }
  std::uint64_t messages_max() const noexcept { return messages_max_; }
  /// Nothing is disclosed any more.
  bool full() const noexcept { return waiting_ >= messages_max_; }
  /// From four fifths on somebody must look after the repository.
  bool nearly_full() const noexcept { return waiting_ >= messages_max_ - messages_max_ / 5; }

  void added(std::size_t messages);
  void counted(std::uint64_t messages) noexcept { waiting_ = messages; }
  /// Until messages are added, or that long.
  void wait_for(std::chrono::milliseconds most);
  void wake();

 private:
  const std::uint64_t messages_max_;
  std::atomic<std::uint64_t> waiting_{0};
  std::mutex mutex_;
  std::condition_variable added_;
  bool awake_ = false;
};

enum class OutboxPart { Event = 0, Checkpoint = 1 };

/// The place of a message in its lane: messages leave in this order.
struct OutboxPlace {
  std::uint64_t seq = 0;
  OutboxPart part = OutboxPart::Event;
  auto operator<=>(const OutboxPlace&) const = default;
};

/// A row of the outbox with what its message is made of.
struct OutboxRow {
  OutboxPlace place;
  std::string query = {};
  std::string payload = {};                     ///< of an event; empty where it is not there
  std::optional<Checkpoint> checkpoint = {};    ///< of a checkpoint
};

/// Makes the lane of a node where there is none.
Result<void> open_lane(store::Session& session, const std::string& node);
/// Lanes with rows that nobody else has a lease on, ours too.
Result<std::vector<std::string>> free_lanes(store::Session& session, const std::string& holder, Instant now);
/// Takes or prolongs the lease on a lane. @return whether it is ours until `until`
Result<bool> claim_lane(store::Session& session, const std::string& node, const std::string& holder, Instant now,
                        Instant until);
/// Gives all leases of this holder back.
Result<void> release_lanes(store::Session& session, const std::string& holder);
/// The next rows of a lane. @param after  none: from its beginning
Result<std::vector<OutboxRow>> read_outbox(store::Session& session, const std::string& node,
                                           std::optional<OutboxPlace> after, std::size_t rows_max);
/// Deletes what was handed over. @return rows
Result<std::size_t> clear_outbox(store::Session& session, const std::string& node, OutboxPlace up_to);
Result<std::uint64_t> count_outbox(store::Session& session);

}  // namespace gateway::audit
