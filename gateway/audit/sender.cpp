#include "gateway/audit/sender.hpp"

#include "gateway/log.hpp"

#include <algorithm>

namespace gateway::audit {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds look_after_every{1000}, idle{200};

Instant system_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

}  // namespace

Result<std::unique_ptr<Sender>> Sender::start(store::Database& database, Spool& spool, OpenSink open,
                                              Options options) {
  std::unique_ptr<Sender> sender(new Sender(database, spool, std::move(open), std::move(options)));
  TRY(sender->look_after());
  sender->thread_ = std::thread([running = sender.get()] { running->run(); });
  return sender;
}

Sender::Sender(store::Database& database, Spool& spool, OpenSink open, Options options)
    : database_(database),
      spool_(spool),
      open_(std::move(open)),
      options_(std::move(options)),
      back_off_(options_.back_off_least) {}

Sender::~Sender() {
  ending_ = true;
  spool_.wake();
  if (thread_.joinable()) thread_.join();
}

Sender::Figures Sender::figures() const {
  return {.sent = sent_, .sent_again = sent_again_, .connected = connected_};
}

void Sender::run() {
  std::optional<SteadyTime> end;
  while (true) {
    if (ending_ && !end) end = steady_clock::now() + options_.farewell;
    bool sent = false;
    try {
      sent = turn();
    } catch (const std::exception& defect) {  // no message may end the sending of the others
      log(Level::Error, "a defect while telling the audit repository", {{"defect", defect.what()}});
    }
    if (end) {
      const bool done = spool_.waiting() == 0 && unsettled_.empty();
      if (done || !connected_ || steady_clock::now() >= *end) break;
    }
    // After a pause whatever came meanwhile leaves together.
    if (sent || end || !unsettled_.empty()) {
      std::this_thread::sleep_for(options_.pause);
    } else {
      spool_.wait_for(idle);
    }
  }
  if (const auto session = database_.session()) (void)release_lanes(**session, options_.holder);
}

/// @return whether something was sent
bool Sender::turn() {
  if (steady_clock::now() - looked_after_at_ >= look_after_every) {
    if (const auto looked = look_after(); !looked) return false;
  }
  if (!sink_ && !connect()) return false;
  if (const auto settled = settle(); !settled) {
    lose(settled.error());
    return false;
  }
  auto sent = send_some();
  if (sent) return *sent > 0;
  // The store's failures pass: what was handed over stays handed over.
  if (sent.error().code.category() != make_error_code(store::Errc::Unavailable).category()) lose(sent.error());
  return false;
}

bool Sender::connect() {
  if (steady_clock::now() < connect_at_) return false;
  auto opened = open_();
  if (!opened) {
    lose(opened.error());
    return false;
  }
  sink_ = *std::move(opened);
  octets_ = 0;
  connected_ = true;
  return true;
}

/// Everything that is not settled will be sent again, on the next connection.
void Sender::lose(const base::Error& error) {
  if (!told_of_failure_) {
    log(Level::Warning, "the audit repository does not take messages; they wait in the spool",
        {{"because", error.code.message()}, {"detail", error.detail}, {"waiting", std::to_string(spool_.waiting())}});
  }
  told_of_failure_ = true;
  sent_again_ += unsettled_messages_;
  sink_.reset();
  connected_ = false;
  unsettled_.clear();
  unsettled_messages_ = 0;
  lanes_.clear();
  connect_at_ = steady_clock::now() + back_off_;
  back_off_ = std::min(back_off_ * 2, options_.back_off_most);
}

/// Counts what waits, since commands and other nodes add to it too, and raises the alarms. [threats O05]
Result<void> Sender::look_after() {
  auto& session = *TRY(database_.session());
  spool_.counted(TRY(count_outbox(session)));
  looked_after_at_ = steady_clock::now();
  const auto say = [&](bool& told, bool now, Level level, std::string_view what) {
    if (now && !told) {
      log(level, what,
          {{"waiting", std::to_string(spool_.waiting())}, {"at_most", std::to_string(spool_.messages_max())}});
    }
    told = now;
  };
  say(told_nearly_full_, spool_.nearly_full(), Level::Error, "alarm: the spool of the audit repository is nearly full");
  say(told_full_, spool_.full(), Level::Error,
      "alarm: the spool of the audit repository is full, nothing is disclosed");
  return {};
}

Result<std::size_t> Sender::send_some() {
  if (unsettled_messages_ >= options_.unsettled_max) return std::size_t{0};
  auto& session = *TRY(database_.session());
  std::size_t sent = 0;
  for (const auto& node : TRY(free_lanes(session, options_.holder, system_now()))) {
    auto& lane = lanes_[node];
    const auto now = steady_clock::now();
    if (now >= lane.lease_end) {
      // A third of the lease is left when it is renewed; another clock may go a little faster.
      const auto before = system_now();
      if (!TRY(claim_lane(session, node, options_.holder, before, before + options_.lease))) {
        lanes_.erase(node);
        continue;
      }
      lane.lease_end = now + options_.lease * 2 / 3;
    }
    sent += TRY(send_lane(session, node, lane));
  }
  return sent;
}

Result<std::size_t> Sender::send_lane(store::Session& session, const std::string& node, Lane& lane) {
  const auto rows = TRY(read_outbox(session, node, lane.written, options_.rows_per_read));
  if (rows.empty()) return std::size_t{0};
  std::string frames;
  for (const auto& row : rows) frames += frames_of(node, row);
  if (!frames.empty()) TRY(sink_->write(frames));
  octets_ += frames.size();
  lane.written = rows.back().place;
  unsettled_.push_back({.lane = node, .last = rows.back().place, .messages = rows.size(), .end = octets_});
  unsettled_messages_ += rows.size();
  return rows.size();
}

/// The frames of one row; none for a row whose event is not there any more or cannot be read.
std::string Sender::frames_of(const std::string& node, const OutboxRow& row) const {
  if (row.place.part == OutboxPart::Checkpoint) {
    return row.checkpoint ? frame(options_.header, *row.checkpoint) : std::string();
  }
  const auto event = read_event(row.payload);
  if (!event) {
    log(Level::Error, "an event for the audit repository cannot be read",
        {{"node", node}, {"entry", std::to_string(row.place.seq)}});
    return {};
  }
  std::string frames;
  for (const auto& message : write_messages(*event, {.node = node, .seq = row.place.seq, .query = row.query})) {
    frames += frame(options_.header, event->at, message);
  }
  return frames;
}

/// Deletes what the other side has had for long enough.
Result<void> Sender::settle() {
  const auto acknowledged = TRY(sink_->acknowledged());
  const auto now = steady_clock::now();
  std::map<std::string, OutboxPlace> settled;
  std::size_t batches = 0, messages = 0;
  for (auto& batch : unsettled_) {
    if (batch.end > acknowledged) break;
    if (!batch.acknowledged_at) batch.acknowledged_at = now;
    if (now - *batch.acknowledged_at < options_.settle) continue;
    settled[batch.lane] = batch.last;
    messages += batch.messages;
    ++batches;
  }
  // One transaction for many batches: it competes with the commits that answers wait for.
  if (batches == 0 || now - settled_at_ < options_.settle / 2) return {};
  settled_at_ = now;
  const auto session = database_.session();
  if (!session) return {};
  for (const auto& [lane, place] : settled) {
    if (!clear_outbox(**session, lane, place)) return {};  // tried again at the next turn
  }
  unsettled_.erase(unsettled_.begin(), unsettled_.begin() + static_cast<std::ptrdiff_t>(batches));
  unsettled_messages_ -= messages;
  sent_ += messages;
  if (std::exchange(told_of_failure_, false)) log(Level::Info, "the audit repository takes messages again");
  back_off_ = options_.back_off_least;
  looked_after_at_ = {};  // counts anew at the next turn
  return {};
}

}  // namespace gateway::audit
