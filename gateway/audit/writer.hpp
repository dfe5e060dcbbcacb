#pragma once
// Writes entries into the database, one transaction for each batch: replay rows, chain, payloads and checkpoint.
// Used by one thread, the journal's. [design §6]

#include "gateway/audit/journal.hpp"
#include "gateway/audit/witness.hpp"

#include <span>

namespace gateway::audit {

class Writer {
 public:
  /// Registers the node and finds the head of its chain. @error as Journal::open
  static Result<Writer> open(store::Database& database, Journal::Options options);

  /// Commits all entries or none. A head that another process moved on is read again once.
  /// @return what became of each, in order; an entry whose claim is refused, or whose change fails, left nothing behind
  /// @error store::Errc::…
  Result<std::vector<Result<Claimed>>> write(std::span<const Entry* const> entries);

  /// Commits something that changes nothing: whether the database takes commits again.
  Result<void> probe();
  /// Deletes some replay rows that are no longer needed, at most one round a minute of the claims' own time.
  void prune(Instant now);
  /// Has the disk keep the witness too, now and then.
  void sync_witness() { witness_.sync(); }
  std::size_t unwitnessed() const noexcept { return witness_.waiting(); }

 private:
  struct Head {
    std::uint64_t seq = 0;
    Bytes hash;
  };
  struct Line {  ///< a row of the chain with its payload
    Bytes payload;
    const Event* event;  ///< the columns to search by, or null for a decision
    const std::string* request;
    Instant at;
    const Bytes* query = nullptr;  ///< of an event
  };
  struct Batch;

  Writer(store::Database& database, Journal::Options options, WitnessFile witness);
  Result<void> judge_claims(store::Session& session, Batch& batch);
  const Event* changed(store::Session& session, Batch& batch, std::size_t at);
  Result<void> write_batch(store::Session& session, Batch& batch);
  Result<void> write_chain(store::Session& session, Batch& batch, std::span<const Line> lines);
  Result<void> write_outbox(store::Session& session, Batch& batch, std::span<const Line> lines);
  Result<void> write_checkpoint(store::Session& session, Batch& batch, std::span<const Bytes> leaves);
  Result<Head> read_head(store::Session& session);
  bool was_committed(const Checkpoint& checkpoint);
  Result<void> catch_up_witness(store::Session& session);

  store::Database& database_;
  Journal::Options options_;
  WitnessFile witness_;
  std::optional<Head> head_;  ///< none after a failure: what the database says counts
  Instant pruned_at_ = Instant::min();
  bool prune_more_ = false;
};

}  // namespace gateway::audit
