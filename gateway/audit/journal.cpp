#include "gateway/audit/journal.hpp"

#include "base/error_table.hpp"
#include "gateway/audit/replay.hpp"
#include "gateway/audit/writer.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace gateway::audit {
namespace {

using base::Cause;
using base::fail;

constexpr base::ErrorRow rows[] = {
    {int(Errc::ForeignKey), "audit-foreign-key", "the database knows this node by another audit key", Cause::Defect},
    {int(Errc::QueueFull), "audit-queue-full", "too many requests wait for the audit trail", Cause::TryLater},
    {int(Errc::SpoolFull), "audit-spool-full", "the audit repository has not taken its messages for too long",
     Cause::TryLater},
    {int(Errc::ClockWentBack), "clock-went-back",
     "the clock was set back: set it right, or accept it with gatehouse serve --accept-clock", Cause::TryLater},
};
constinit const base::ErrorTable errors("gatehouse.audit", rows);

/// How often a database that failed is asked whether it takes commits again.
constexpr std::chrono::milliseconds rides_along_at_most{50};
constexpr std::chrono::seconds probe_every{1};

/// How many requests of each hash are in flight on this node.
struct Places {
  std::mutex mutex;
  std::unordered_map<std::string, unsigned> taken;
};

struct Queued {
  Entry entry;
  std::function<void(Result<Claimed>)> done;
};

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errors}; }

class InFlight {
 public:
  /// Null where `most` are in flight already.
  static std::shared_ptr<InFlight> take(const std::shared_ptr<Places>& places, const std::string& request,
                                        unsigned most) {
    const std::scoped_lock lock(places->mutex);
    auto& taken = places->taken[request];
    if (taken >= most) return nullptr;
    ++taken;
    return std::make_shared<InFlight>(places, request);
  }
  InFlight(std::shared_ptr<Places> places, std::string request)
      : places_(std::move(places)), request_(std::move(request)) {}
  ~InFlight() {
    const std::scoped_lock lock(places_->mutex);
    const auto found = places_->taken.find(request_);
    if (--found->second == 0) places_->taken.erase(found);
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  std::shared_ptr<Places> places_;
  std::string request_;
};

/// How many entries are on their way, and whom to wake when the last has come.
struct Expected {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t count = 0;
};

class Coming {
 public:
  explicit Coming(std::shared_ptr<Expected> expected) : expected_(std::move(expected)) {
    const std::scoped_lock lock(expected_->mutex);
    ++expected_->count;
  }
  ~Coming() {
    const std::scoped_lock lock(expected_->mutex);
    if (--expected_->count == 0) expected_->changed.notify_one();
  }
  Coming(const Coming&) = delete;
  Coming& operator=(const Coming&) = delete;

 private:
  std::shared_ptr<Expected> expected_;
};

struct Journal::Parts {
  Parts(store::Database& of_database, const Options& of_options, Writer with_writer)
      : database(of_database),
        limits(of_options.limits),
        queue_max(of_options.queue_max),
        batch_max(of_options.batch_max),
        siblings_wait(of_options.siblings_wait),
        spool(of_options.spool),
        writer(std::move(with_writer)) {}

  store::Database& database;
  const ClaimLimits limits;
  const std::size_t queue_max, batch_max;
  const std::chrono::microseconds siblings_wait;
  const Spool* const spool;
  const std::shared_ptr<Expected> expected = std::make_shared<Expected>();
  const std::shared_ptr<Places> places = std::make_shared<Places>();

  mutable std::mutex mutex;
  std::condition_variable arrived;
  std::deque<Queued> queue;
  std::size_t awaited = 0;  ///< entries in the queue whose answers wait for the commit
  bool ending = false;

  std::atomic<bool> healthy{true};
  std::atomic<std::uint64_t> commits{0}, entries{0};
  std::atomic<std::size_t> unwitnessed{0};
  Writer writer;
  std::thread thread;

  void run() {
    for (auto batch = next_batch(); batch; batch = next_batch()) {
      if (batch->empty()) {
        if (writer.probe()) healthy = true;
      } else {
        commit(*batch);
      }
    }
  }

  /// What queued meanwhile; empty when it is time to look after a database that failed; nothing at the end.
  std::optional<std::vector<Queued>> next_batch() {
    std::unique_lock lock(mutex);
    const auto something = [&] { return ending || !queue.empty(); };
    const auto somebody_waits = [&] { return ending || awaited > 0 || queue.size() >= batch_max; };
    if (healthy) {
      arrived.wait(lock, something);
      arrived.wait_for(lock, rides_along_at_most, somebody_waits);
      if (!ending) wait_for_siblings(lock);
    } else {
      arrived.wait_for(lock, probe_every, something);
    }
    if (queue.empty() && ending) return std::nullopt;
    const auto count = static_cast<std::ptrdiff_t>(std::min(queue.size(), batch_max));
    std::vector<Queued> batch(std::make_move_iterator(queue.begin()), std::make_move_iterator(queue.begin() + count));
    queue.erase(queue.begin(), queue.begin() + count);
    awaited -= static_cast<std::size_t>(
        std::ranges::count_if(batch, [](const Queued& queued) { return !queued.entry.may_ride_along; }));
    return batch;
  }

  /// Leaves the queue open for requests that are being decided just now.
  void wait_for_siblings(std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    {
      std::unique_lock waiting(expected->mutex);
      expected->changed.wait_for(waiting, siblings_wait, [&] { return expected->count == 0; });
    }
    lock.lock();
  }

  void commit(std::span<Queued> batch) {
    std::vector<const Entry*> pointers;
    for (const Queued& queued : batch) pointers.push_back(&queued.entry);
    auto written = writer.write(pointers);
    if (!written && batch.size() > 1 && written.error().code != store::Errc::Unavailable) {
      // One entry that cannot be written must not take the others down.
      for (std::size_t i = 0; i < batch.size(); ++i) commit(batch.subspan(i, 1));
      return;
    }
    healthy = written.has_value();
    unwitnessed = writer.unwitnessed();
    if (written) {
      ++commits;
      entries += batch.size();
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
      batch[i].done(written ? std::move((*written)[i]) : Result<Claimed>(written.error()));
    }
    writer.sync_witness();
    if (written) prune_by(batch);
  }

  void prune_by(std::span<const Queued> batch) {
    const auto claiming =
        std::ranges::find_if(batch, [](const Queued& queued) { return queued.entry.claim.has_value(); });
    if (claiming != batch.end()) writer.prune(claiming->entry.claim->now);
  }
};

Journal::Journal(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {
  parts_->thread = std::thread([this] { parts_->run(); });
}

Journal::~Journal() {
  {
    const std::scoped_lock lock(parts_->mutex);
    parts_->ending = true;
  }
  parts_->arrived.notify_one();
  parts_->thread.join();
}

Result<std::unique_ptr<Journal>> Journal::open(store::Database& database, Options options) {
  auto writer = TRY(Writer::open(database, options));
  auto parts = std::make_unique<Parts>(database, options, std::move(writer));
  return std::unique_ptr<Journal>(new Journal(std::move(parts)));
}

Result<std::pair<Claimed, std::shared_ptr<InFlight>>> Journal::examine(const Claim& claim) {
  auto place = InFlight::take(parts_->places, claim.request, parts_->limits.repeats_at_once);
  if (!place) return std::pair{Claimed{.verdict = ClaimVerdict::Busy, .repeat_of = {}}, std::move(place)};
  auto& session = *TRY(parts_->database.session());
  auto claimed = judge(claim, TRY(read_rows(session, claim)), parts_->limits);
  if (!goes_on(claimed.verdict)) place.reset();
  return std::pair{std::move(claimed), std::move(place)};
}

void Journal::commit(Entry entry, std::function<void(Result<Claimed>)> done) {
  {
    const std::scoped_lock lock(parts_->mutex);
    if (parts_->queue.size() < parts_->queue_max) {
      if (!entry.may_ride_along) ++parts_->awaited;
      parts_->queue.push_back({std::move(entry), std::move(done)});
      done = nullptr;
    }
  }
  if (done) return done(fail(Errc::QueueFull));
  parts_->arrived.notify_one();
}

std::shared_ptr<Coming> Journal::expect() { return std::make_shared<Coming>(parts_->expected); }

Result<Claimed> Journal::commit_and_wait(Entry entry) {
  std::promise<Result<Claimed>> promise;
  commit(std::move(entry), [&promise](Result<Claimed> outcome) { promise.set_value(std::move(outcome)); });
  return promise.get_future().get();
}

Journal::Figures Journal::figures() const {
  const std::scoped_lock lock(parts_->mutex);
  return {.commits = parts_->commits,
          .entries = parts_->entries,
          .queued = parts_->queue.size(),
          .unwitnessed = parts_->unwitnessed};
}

bool Journal::forwards() const { return parts_->spool != nullptr; }

bool Journal::may_disclose() const { return !parts_->spool || !parts_->spool->full(); }

bool Journal::healthy() const { return parts_->healthy; }

}  // namespace gateway::audit
