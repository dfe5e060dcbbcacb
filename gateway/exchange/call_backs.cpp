#include "gateway/exchange/call_backs.hpp"

#include "base/error_table.hpp"
#include "gateway/log.hpp"

namespace gateway::exchange {
namespace {

using audit::Outcome;
using std::chrono::steady_clock;

constexpr std::string_view door = "callbacks";  ///< what metrics call this way out
constexpr unsigned doublings_max = 16;
constexpr std::chrono::seconds note_again_after{1};

Instant system_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

/// What will not be better at the next attempt: the answer is given up.
bool is_final(const base::Error& error) {
  return error.code == xca::soap::Errc::NotOurAddress || error.code == net::CallErrc::NotAllowed ||
         error.code == Errc::Discarded;
}

}  // namespace

Instant next_attempt(Instant now, unsigned failed, std::chrono::seconds first, Instant end) {
  const auto pause = first * (std::int64_t{1} << std::min(failed == 0 ? 0 : failed - 1, doublings_max));
  return std::min<Instant>(now + pause, end);
}

/// One attempt at one answer.
struct CallBacks::Attempt {
  const TakenAnswer& taken;
  const PendingAnswer& answer;
  std::stop_token stop;
  net::SteadyTime deadline, lease_end;
  std::shared_ptr<const DirectoryView> directory = {};
};

CallBacks::CallBacks(CallBackSettings settings, RespondingGateway& gateway, Directory& directory,
                     PendingAnswers& pending, audit::Journal& journal, net::Metrics& metrics,
                     certs::Credential credential)
    : settings_(std::move(settings)),
      gateway_(gateway),
      directory_(directory),
      pending_(pending),
      journal_(journal),
      metrics_(metrics),
      floor_(settings_.floor_least),
      credential_(std::move(credential)) {}

CallBacks::~CallBacks() { stop(); }

void CallBacks::start() {
  for (unsigned i = 0; i < settings_.workers; ++i) {
    workers_.emplace_back([this](const std::stop_token& stop) { run(stop); });
  }
}

void CallBacks::stop() {
  for (auto& worker : workers_) worker.request_stop();
  workers_.clear();
}

void CallBacks::replace_credential(certs::Credential credential) {
  const std::lock_guard lock(mutex_);
  credential_ = std::move(credential);
}

void CallBacks::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    bool idle = true;
    try {
      idle = !work(stop);
    } catch (const std::exception& defect) {  // the lease ends by itself
      log(Level::Error, "a call-back ended in a defect", {{"defect", defect.what()}});
    }
    if (!idle) continue;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, settings_.look_every, [] { return false; });
  }
}

/// @return false where nothing is due
bool CallBacks::work(const std::stop_token& stop) {
  const auto taken = take();
  if (!taken) {
    log(Level::Warning, "no pending answer can be taken", {{"because", std::string(base::reason_of(taken.error()))}});
    return false;
  }
  if (!*taken) return false;
  const std::shared_ptr<void> done(nullptr, [&](void*) {
    const std::lock_guard lock(mutex_);
    const auto mine = busy_.find((*taken)->answer.implementer);
    if (--mine->second == 0) busy_.erase(mine);
  });
  attempt(**taken, stop);
  return true;
}

/// A partner whose receiver is slow holds at most half of the workers: the answers of others go on.
Result<std::optional<TakenAnswer>> CallBacks::take() {
  const unsigned most = std::max(1u, settings_.workers / 2);
  const std::lock_guard lock(mutex_);
  std::vector<std::string> enough;
  for (const auto& [implementer, workers] : busy_) {
    if (workers >= most) enough.push_back(implementer);
  }
  auto taken = TRY(pending_.take(system_now(), settings_.lease, enough));
  if (taken) ++busy_[taken->answer.implementer];
  return taken;
}

void CallBacks::attempt(const TakenAnswer& taken, const std::stop_token& stop) {
  const auto begun = steady_clock::now();
  Attempt attempt{.taken = taken,
                  .answer = taken.answer,
                  .stop = stop,
                  .deadline = begun + settings_.lease / 2,
                  .lease_end = begun + settings_.lease};
  const bool expired = system_now() - taken.answer.accepted_at >= settings_.expiry;
  if (expired || taken.attempts > settings_.attempts) {
    return end(attempt, Outcome::Aborted, expired ? "call-back-expired" : "call-back-failed", taken.reason);
  }
  const auto answered = answer(attempt);
  if (answered) return end(attempt, Outcome::Sent, {}, {});
  const bool last = taken.attempts == settings_.attempts && !stop.stop_requested();
  if (answered.error().code == Errc::LeaseLost) return;  // it is another's, and so is its end
  if (is_final(answered.error()) || last) {
    const std::string reason(base::reason_of(answered.error()));
    return end(attempt, Outcome::Aborted, is_final(answered.error()) ? reason : "call-back-failed", reason);
  }
  again(attempt, answered.error());
}

/// The address is judged as the directory is now, not as it was when the request came in.
Result<net::Caller> CallBacks::call(const Attempt& attempt, const std::string& address) const {
  if (!attempt.directory->lists_address(attempt.answer.home, address)) {
    return base::fail(xca::soap::Errc::NotOurAddress, "no longer listed for the caller");
  }
  const auto url = net::HttpsUrl::parse(address);
  if (!url) return base::fail(xca::soap::Errc::NotOurAddress, "listed, but not to be called");
  const auto credential = [&] {
    const std::lock_guard lock(mutex_);
    return credential_;
  };
  return net::Caller::connect(
      *url, {.credential = credential(),
             .allowed = settings_.allowed,
             .accept_server =
                 [directory = attempt.directory](const net::Peer& server) {
                   return server.certificate &&
                          directory->trust()
                              .validate(*server.certificate, server.presented, certs::Use::TlsServer, system_now())
                              .has_value();
                 },
             .deadline = std::min(attempt.deadline, steady_clock::now() + settings_.handshake),
             .stop = attempt.stop});
}

/// Nothing is decided, and no patient looked up, before somebody is there to take the answer.
Result<void> CallBacks::answer(Attempt& attempt) {
  const PendingAnswer& answer = attempt.answer;
  attempt.directory = TRY(directory_.current());
  auto caller = TRY(call(attempt, answer.reply_to));
  const auto begun = steady_clock::now();
  const Accepted accepted{.at = answer.accepted_at, .reply_to = answer.reply_to, .fault_to = answer.fault_to};
  const std::span<const certs::Certificate> presented = std::span(answer.certificates).subspan(1);
  const Received received{.content_type = answer.content_type,
                          .body = answer.body,
                          .tls_certificate = &answer.certificates.front(),
                          .tls_presented = presented,
                          .address = answer.address,
                          .path = {},
                          .now = system_now(),
                          .seed = answer.seed,
                          .id = answer.id,
                          .accepted = &accepted};
  auto prepared = decide(received, answer);
  if (prepared.status == 503) return base::fail(store::Errc::Unavailable, prepared.reason);
  const bool fault = prepared.outcome == Outcome::Fault;
  if (fault && answer.fault_to == xca::soap::none) return base::fail(Errc::Discarded, prepared.reason);
  if (fault && xca::soap::is_elsewhere(answer.fault_to) && answer.fault_to != answer.reply_to) {
    caller = TRY(call(attempt, answer.fault_to));
  }

  // From here on somebody may see something: it is written down first, by the one whose lease still holds.
  auto& event = *prepared.entry.event;
  event.note += (event.note.empty() ? "attempt " : ", attempt ") + std::to_string(attempt.taken.attempts);
  prepared.entry.change = [&](audit::Event&) -> Result<void> {
    return TRY(pending_.hold(attempt.taken)) ? Result<void>() : Result<void>(base::fail(Errc::LeaseLost));
  };
  TRY(journal_.commit_and_wait(std::move(prepared.entry)));
  const auto work = steady_clock::now() - begun;
  metrics_.count_answer(prepared.transaction, std::string(audit::word(prepared.outcome)), prepared.reason);
  if (prepared.outcome == Outcome::Released) floor_.record(work);
  std::this_thread::sleep_until(begun + floor_.departure(work));
  return send(attempt, std::move(caller), std::move(prepared));
}

Prepared CallBacks::decide(const Received& received, const PendingAnswer& answer) {
  try {
    return gateway_.respond(received);
  } catch (const std::exception& defect) {
    log(Level::Error, "a call-back ended in a defect", {{"request", received.id}, {"defect", defect.what()}});
    return gateway_.refuse(received, answer.message_id, base::fail(Errc::Defect));
  }
}

Result<void> CallBacks::send(Attempt& attempt, net::Caller caller, Prepared prepared) {
  const auto status = TRY(caller.post(prepared.content_type, std::move(prepared.body), attempt.deadline));
  if (status >= 200 && status < 300) return {};
  return base::fail(Errc::NotTaken, "status " + std::to_string(status));
}

/// The row goes in the commit that says how it ended. While that cannot be written the row stays, and so does the
/// lease; a node that ends meanwhile leaves the answer to be called once more.
void CallBacks::end(const Attempt& attempt, Outcome outcome, std::string reason, std::string sentence) {
  const PendingAnswer& answer = attempt.answer;
  metrics_.count_connection(door, outcome == Outcome::Sent ? "sent" : "aborted");
  while (true) {
    audit::Event event;
    event.request = answer.id;
    event.at = system_now();
    event.transaction = answer.transaction;
    event.outcome = outcome;
    event.reason = reason;
    event.sentence = sentence;
    event.clinic = answer.clinic;
    event.implementer = answer.implementer;
    event.home = answer.home;
    event.message_id = answer.message_id;
    event.reply_to = answer.reply_to;
    event.note = "attempt " + std::to_string(attempt.taken.attempts);
    const auto remove = [&](audit::Event&) -> Result<void> {
      TRY(pending_.remove(attempt.taken));
      return {};
    };
    const auto ended = journal_.commit_and_wait({.event = std::move(event), .change = remove});
    if (ended || attempt.stop.stop_requested() || steady_clock::now() >= attempt.lease_end) return;
    std::this_thread::sleep_for(note_again_after);
  }
}

void CallBacks::again(const Attempt& attempt, const base::Error& error) {
  const auto& taken = attempt.taken;
  const std::string reason(base::reason_of(error));
  metrics_.count_connection(door, "failed");
  log(Level::Info, "a call-back failed and is tried again",
      {{"request", taken.answer.id}, {"because", reason}, {"attempt", std::to_string(taken.attempts)}});
  const Instant due = next_attempt(system_now(), taken.attempts, settings_.retry,
                                   taken.answer.accepted_at + settings_.expiry);
  // Where this cannot be written the lease ends by itself.
  (void)pending_.put_back(taken, due, reason);
}

}  // namespace gateway::exchange
