#pragma once
// The one writer of a node: replay claims, audit events and decision records of all requests in flight, committed
// together before any of their answers leaves. A batch is whatever queued while the last commit was on its way to the
// disk. [design §6; threats.md §5]

#include "certs/crypto.hpp"
#include "gateway/audit/chain.hpp"
#include "gateway/audit/record.hpp"
#include "gateway/audit/spool.hpp"
#include "gateway/store/database.hpp"

#include <functional>
#include <memory>

namespace gateway::audit {

enum class Errc {
  ForeignKey = 1,  ///< the database knows this node by another audit key
  QueueFull,       ///< more entries wait than Options::queue_max
  SpoolFull,       ///< the audit repository has not taken its messages for too long
  ClockWentBack,   ///< the machine's clock is more than DecisionClock::step_max before what was decided at
};
boost::system::error_code make_error_code(Errc) noexcept;

/// What one request claims against replay. Hashes are hex.
struct Claim {
  std::string proof, request;
  std::string organization;  ///< implementer by TLS
  Instant now{};
  Instant window_end{};
  bool one_time_use = false;
};

/// What the replay rule says of a claim. [threats.md §5, rules 2–6]
enum class ClaimVerdict {
  New,           ///< go on
  NewBody,       ///< same proof, another body within the limits: go on, marked
  Repeat,        ///< same request: decide anew, marked "repeat of …"
  Busy,          ///< same request already twice in flight here: 503
  TooOften,      ///< more than 16 times, or more than 64 bodies, or a body later than 120 s: refuse
  Relayed,       ///< same proof from another organization: refuse and alarm
  WindowPruned,  ///< ends before what was pruned: refuse (clock set back)
};
struct ClaimLimits {
  unsigned repeats = 16, repeats_at_once = 2, bodies = 64;
  std::chrono::seconds body_within{120};
};
/// A claim as it stands: what was found, and to which first request it repeats.
struct Claimed {
  ClaimVerdict verdict = ClaimVerdict::New;
  std::string repeat_of;
};

/// What changes in the commit that says so: on the writer's thread, whose session of the database it uses. It may
/// complete the event. Where it fails, neither it nor its event leaves anything behind; a claim stays claimed.
using Change = std::function<Result<void>(Event&)>;

/// Everything one request writes in its commit.
struct Entry {
  std::optional<Claim> claim = {};
  std::optional<Event> event = {};
  std::optional<DecisionRecord> decision = {};
  Bytes query = {};  ///< as asked, for the audit repository; never in the event
  bool may_ride_along = false;  ///< nobody waits for it: it goes with the next commit, at the latest in 50 ms
  Change change = {};           ///< of an entry with an event
};

/// Holds a request's place among those in flight; leaving it frees the place.
class InFlight;
/// Says that an entry is on its way; leaving it says that it has come, or will not.
class Coming;

class Journal {
 public:
  struct Options {
    std::string node;          ///< this node's name, fixed in its data directory
    certs::PrivateKey key;     ///< signs checkpoints, Ed25519 or P-256
    std::string witness_file;  ///< appended after every commit; empty for none
    ClaimLimits limits = {};
    std::size_t queue_max = 4096;  ///< entries waiting; beyond it commit() fails at once
    std::size_t batch_max = 256;
    /// How long a commit waits for entries that are on their way: under load one fsync then serves several answers. A
    /// request alone in the house waits for nobody.
    std::chrono::microseconds siblings_wait{6000};
    Spool* spool = nullptr;  ///< where an audit repository is to be told; outlives the journal
  };
  /// Continues this node's chain. @error store::Errc::…; Errc::ForeignKey; store::Errc::Unavailable for a witness file
  /// that cannot be written
  static Result<std::unique_ptr<Journal>> open(store::Database& database, Options options);
  ~Journal();  ///< commits what is queued

  /// Looks the claim up before anything is decided, and takes a place among the requests in flight.
  /// A read only: the row is written by commit(), which judges once more against what other nodes committed meanwhile.
  Result<std::pair<Claimed, std::shared_ptr<InFlight>>> examine(const Claim& claim);

  /// Announces an entry that will be committed when its request is decided.
  std::shared_ptr<Coming> expect();

  /// Queues an entry. `done` is called once, on the writer's thread, after the commit (with the claim's final verdict)
  /// or its failure, be it that of its change; nothing may leave before. It must not throw, nor wait for this journal.
  /// If the final verdict refuses, event and decision were not written; if it is Repeat, the event was written with its
  /// repeat_of. @error Errc::QueueFull (then `done` is called at once, by this thread); store::Errc::…
  void commit(Entry entry, std::function<void(Result<Claimed>)> done);
  /// commit() for those who can wait.
  Result<Claimed> commit_and_wait(Entry entry);

  struct Figures {
    std::uint64_t commits = 0, entries = 0;
    std::size_t queued = 0;
    std::size_t unwitnessed = 0;  ///< commits that are not in the witness file yet
  };
  Figures figures() const;
  /// Whether an audit repository is told, and may be told of more: where its spool is full nothing is disclosed.
  bool forwards() const;
  bool may_disclose() const;
  /// False since a commit failed, until one succeeds: nothing is released meanwhile.
  bool healthy() const;

 private:
  struct Parts;
  explicit Journal(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace gateway::audit

namespace boost::system {
template <>
struct is_error_code_enum<gateway::audit::Errc> : std::true_type {};
}  // namespace boost::system
