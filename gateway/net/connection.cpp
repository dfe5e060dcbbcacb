#include "gateway/net/connection.hpp"

#include "gateway/net/http_response.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace gateway::net {
namespace {

// In the coroutines below, co_await never stands behind && or ||: g++ 12 awaits it even where it is not reached.
namespace asio = boost::asio;
using Step = Channel::Step;
using Phase = RequestReader::Phase;

constexpr std::chrono::seconds linger_time{2};  // for a peer that still sends what will not be read
constexpr std::size_t linger_bytes_max = 1u << 20;

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Whether the Host field names the server the TLS client asked for. [RFC 9110 §7.4]
bool names(std::string_view host, std::string_view server_name) {
  const auto port = host.starts_with('[') ? host.find(']') + 1 : host.find(':');
  return std::ranges::equal(host.substr(0, port), server_name, {}, lower, lower);
}

}  // namespace

const std::string& Loop::date_now() {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (now != date_of) {
    date = write_http_date(now);
    date_of = now;
  }
  return date;
}

std::shared_ptr<const TlsContext> OpenDoor::tls() const {
  const std::scoped_lock lock(mutex_);
  return tls_;
}

void OpenDoor::replace_tls(std::shared_ptr<const TlsContext> tls) {
  const std::scoped_lock lock(mutex_);
  tls_ = std::move(tls);
}

void OpenDoor::count(const char* what) const noexcept {
  try {
    if (watch_.count) watch_.count(door_.name, what);
  } catch (...) {  // counting may fail, serving goes on
  }
}

const char* OpenDoor::enter(const std::string& address, SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  if (total_ >= door_.limits.connections) return "too-many";
  if (per_address_.contains(address) && per_address_[address] >= door_.limits.connections_per_address)
    return "too-many";
  const auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  if (std::exchange(this_second_, second) != second) accepted_this_second_.clear();
  if (++accepted_this_second_[address] > door_.limits.accepts_per_second_per_address) return "too-fast";
  ++per_address_[address];
  ++total_;
  return nullptr;
}

void OpenDoor::leave(const std::string& address) noexcept {
  const std::scoped_lock lock(mutex_);
  --total_;
  const auto found = per_address_.find(address);
  if (--found->second == 0) per_address_.erase(found);
}

Place::Place(std::shared_ptr<OpenDoor> door, Loop& loop, std::string address)
    : door_(std::move(door)), loop_(loop), address_(std::move(address)) {
  ++loop_.open;
}

Place::~Place() {
  door_->leave(address_);
  --loop_.open;
}

/// Calls Response::sent exactly once: by tell(), else with Errc::NotTaken.
class Connection::Notice {
 public:
  explicit Notice(std::function<void(const Result<void>&)> sent) : sent_(std::move(sent)) {}
  ~Notice() {
    try {
      if (sent_) sent_(base::fail(Errc::NotTaken));
    } catch (...) {  // whoever wanted to know failed to hear it
    }
  }
  Notice(const Notice&) = delete;
  Notice& operator=(const Notice&) = delete;
  void tell(const Result<void>& outcome) {
    if (const auto sent = std::exchange(sent_, nullptr)) sent(outcome);
  }

 private:
  std::function<void(const Result<void>&)> sent_;
};

/// Where the thread of a handler and the connection meet. The connection leaves when it ends; an answer after that is
/// told so.
struct Connection::Pending {
  std::mutex mutex;
  std::shared_ptr<Connection> connection;  ///< none: gone, or answered
  bool awaited = false;                    ///< the coroutine sleeps until it is woken
  std::optional<Response> response = {};

  void give(Response given) {
    std::unique_lock lock(mutex);
    if (!connection || response) {
      lock.unlock();
      const Notice never_sent(std::move(given.sent));
      return;
    }
    response = std::move(given);
    if (awaited) asio::post(connection->loop_.io, [woken = connection] { woken->alarm_.cancel(); });
  }

  void leave() {
    std::shared_ptr<Connection> left;
    std::optional<Response> late;
    {
      const std::scoped_lock lock(mutex);
      left.swap(connection);
      late.swap(response);
    }
    if (late) const Notice never_sent(std::move(late->sent));
  }
};

/// A Reply that is thrown away without an answer answers 500: no connection waits for what nobody will say.
class Connection::AnswerLater {
 public:
  explicit AnswerLater(std::shared_ptr<Pending> pending) : pending_(std::move(pending)) {}
  ~AnswerLater() {
    try {
      if (!given_.test_and_set()) pending_->give({.status = 500});
    } catch (...) {  // no memory for the wake-up: the drain deadline ends the connection
    }
  }
  AnswerLater(const AnswerLater&) = delete;
  AnswerLater& operator=(const AnswerLater&) = delete;
  void give(Response response) {
    given_.test_and_set();
    pending_->give(std::move(response));
  }

 private:
  std::shared_ptr<Pending> pending_;
  std::atomic_flag given_;
};

Connection::Connection(std::unique_ptr<Place> place, Descriptor socket, asio::ip::tcp protocol)
    : place_(std::move(place)),
      loop_(place_->loop()),
      socket_(loop_.io),
      deadline_timer_(loop_.io),
      alarm_(loop_.io),
      peer_(std::make_shared<Peer>(Peer{.address = place_->address()})),
      channel_(socket.number(), door().tls(), *peer_, loop_.buffers) {
  socket_.assign(protocol, socket.number());
  socket.release();
  socket_.set_option(asio::ip::tcp::no_delay(true));
  loop_.connections.insert(this);
}

Connection::~Connection() { loop_.connections.erase(this); }

asio::awaitable<void> Connection::run() {
  try {
    co_await serve();
  } catch (...) {  // [K13] ends this connection and nothing else
    door().count("defect");
  }
  finished_ = true;
  deadline_timer_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<void> Connection::serve() {
  if (!co_await shake_hands()) co_return;
  while (!closing_) {
    RequestReader reader(door().limits());
    if (!co_await read_request(reader)) break;
    if (!co_await answer(reader)) break;
  }
  co_await part();
}

/// Until the socket is ready. False where the deadline passed or the connection is to end.
asio::awaitable<bool> Connection::wait(Wait what) {
  if (timed_out_) co_return false;
  boost::system::error_code error;
  co_await socket_.async_wait(what == Wait::Input ? socket_.wait_read : socket_.wait_write,
                              asio::redirect_error(asio::use_awaitable, error));
  co_return !error && !timed_out_;
}

asio::awaitable<bool> Connection::shake_hands() {
  idle_ = true;
  set_deadline(std::chrono::steady_clock::now() + door().limits().handshake);
  while (true) {
    const auto step = channel_.handshake();
    if (step == Step::Done) break;
    bool goes_on = !closing_ && (step == Step::NeedsInput || step == Step::NeedsOutput);
    if (goes_on) goes_on = co_await wait(step == Step::NeedsInput ? Wait::Input : Wait::Output);
    if (!goes_on) {
      door().count(timed_out_ ? "timed-out" : "handshake-failed");
      const auto& why = channel_.refusal();
      if (const auto tls = door().tls(); why && tls->settings().refused_unjudged)
        tls->settings().refused_unjudged(*peer_, *why);
      co_return false;
    }
  }
  idle_ = false;
  const auto tls = door().tls();
  if (!tls || !tls->settings().accept_client || peer_->certificate) co_return true;
  door().count("handshake-failed");  // [K16] nobody comes in who has not been judged
  co_return false;
}

/// Feeds the reader with what is here until it needs more, a judgement, or nothing.
Channel::Step Connection::absorb(RequestReader& reader) {
  while (true) {
    if (!leftover_.empty()) {
      leftover_.erase(0, reader.feed(leftover_));
    } else {
      std::size_t count = 0;
      const auto step = channel_.read(count);
      if (step != Step::Done) return step;
      if (!reader.begun()) first_byte_ = std::chrono::steady_clock::now();
      const std::string_view bytes(loop_.buffers.in.data(), count);
      leftover_.assign(bytes.substr(reader.feed(bytes)));
    }
    const auto phase = reader.phase();
    if (phase == Phase::HeaderRead || phase == Phase::Complete || phase == Phase::Refused) return Step::Done;
  }
}

/// Header: from its first byte. Body: in proportion to its size, or to what has come of it. [H01, H02]
SteadyTime Connection::reading_deadline(const RequestReader& reader, SteadyTime idle_until) const {
  const auto& limits = door().limits();
  if (!reader.begun()) return idle_until;
  if (reader.phase() <= Phase::Fields) return first_byte_ + limits.header;
  const auto size = std::max(reader.header().length, reader.body_size());
  return body_begun_ + limits.body_base +
         std::chrono::seconds(size / std::max<std::size_t>(limits.body_bytes_per_second, 1));
}

/// True with a complete request; else the peer has been told what it may be told, or has gone.
asio::awaitable<bool> Connection::read_request(RequestReader& reader) {
  const auto idle_until = std::chrono::steady_clock::now() + door().limits().idle;
  bool look_first = channel_.holds_input() || !leftover_.empty();
  while (true) {
    auto step = look_first ? absorb(reader) : Step::NeedsInput;
    look_first = true;
    if (reader.phase() == Phase::HeaderRead) {
      if (!co_await meet_header(reader)) co_return false;
      continue;
    }
    if (reader.phase() == Phase::Refused) {
      door().count("bad-request");
      co_return co_await refuse(reader.refusal());
    }
    if (reader.phase() == Phase::Complete) co_return true;
    if (step != Step::NeedsInput) {
      if (reader.begun()) door().count("cut-off");
      co_return false;
    }
    idle_ = !reader.begun();
    if (idle_ && closing_) co_return false;
    set_deadline(reading_deadline(reader, idle_until));
    const bool ready = co_await wait(Wait::Input);
    idle_ = false;
    if (ready) continue;
    if (timed_out_) door().count("timed-out");
    if (!timed_out_ || !reader.begun()) co_return false;
    co_return co_await refuse(408);
  }
}

/// Judges what can be judged before the body is read. [H09]
asio::awaitable<bool> Connection::meet_header(RequestReader& reader) {
  const auto& header = reader.header();
  const auto server_name = channel_.server_name();
  if (!server_name.empty() && !header.host.empty() && !names(header.host, server_name)) co_return co_await refuse(421);
  std::string allowed;
  bool routed = false;
  for (const auto& route : door().routes()) {
    if (route.path != header.path) continue;
    routed = routed || route.method == header.method;
    allowed += (allowed.empty() ? "" : ", ") + route.method;
  }
  if (allowed.empty()) co_return co_await refuse(404);
  if (!routed) co_return co_await refuse(405, std::move(allowed));
  body_begun_ = std::chrono::steady_clock::now();
  reader.accept_body();
  if (!header.expects_continue || reader.phase() == Phase::Complete || !leftover_.empty()) co_return true;
  Body go_on{"HTTP/1.1 100 Continue\r\n\r\n"};
  const auto failed = co_await write_blocks(std::move(go_on));
  co_return !failed;
}

bool Connection::is_still_welcome() {
  if (!std::exchange(judge_again_, false) || !peer_->certificate) return true;
  try {
    const auto tls = door().tls();
    const auto& keep = tls->settings().keep_client;
    if (keep ? keep(*peer_) : tls->settings().accept_client(*peer_)) return true;
  } catch (...) {  // uncertain means no
  }
  door().count("withdrawn");
  return false;
}

/// True where another request may follow.
asio::awaitable<bool> Connection::answer(RequestReader& reader) {
  set_deadline(SteadyTime::max());
  if (!is_still_welcome()) co_return false;
  const auto& header = reader.header();
  const auto route = std::ranges::find_if(door().routes(), [&](const Route& candidate) {
    return candidate.path == header.path && candidate.method == header.method;
  });
  auto response = co_await ask_handler(*route, reader);
  if (!response) co_return false;
  co_return co_await write_response(std::move(*response), header.last || closing_);
}

/// Waits behind those of its share; shares take turns. False where too many of its share wait already.
asio::awaitable<bool> Connection::wait_for_turn(const Queue& queue) {
  if (!share_) share_ = queue.share_of(*peer_);
  bool called = false;
  const auto call = [this, &called] {
    called = true;
    alarm_.cancel();
  };
  if (!loop_.turns.enter(*share_, call, door().limits().waiting_per_share)) co_return false;
  // Behind whoever is ready to be read: they are in the queue before the first turn is called.
  asio::post(loop_.io, [&loop = loop_] { loop.turns.call_next(); });
  while (!called) {
    boost::system::error_code cancelled;
    alarm_.expires_at(SteadyTime::max());
    co_await alarm_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  }
  co_return true;
}

/// The handler's answer; nothing where the connection is to end without one. Of an exception, 500 and the end.
asio::awaitable<std::optional<Response>> Connection::ask_handler(const Route& route, RequestReader& reader) {
  const auto pending = std::make_shared<Pending>();
  pending->connection = shared_from_this();
  struct Leave {
    Pending& pending;
    ~Leave() { pending.leave(); }
  } const leave{*pending};
  bool failed = false;
  try {
    const auto expected = route.queue ? route.queue->expect() : nullptr;
    const bool has_turn = !route.queue || co_await wait_for_turn(*route.queue);
    if (!has_turn) door().count("overloaded");
    const auto& handler = has_turn ? route.handler : route.queue->overloaded;
    const auto& header = reader.header();
    const auto later = std::make_shared<AnswerLater>(pending);
    handler(Request{.method = header.method,
                          .path = header.path,
                          .content_type = header.content_type,
                          .body = reader.take_body(),
                          .peer = peer_,
                          .first_byte = first_byte_},
                  [later](Response response) { later->give(std::move(response)); });
  } catch (...) {
    failed = true;
  }
  if (failed) {
    door().count("defect");
    closing_ = true;
    pending->give({.status = 500});
  }
  while (true) {
    {
      const std::scoped_lock lock(pending->mutex);
      if (pending->response) co_return std::exchange(pending->response, std::nullopt);
      pending->awaited = true;
    }
    if (timed_out_) co_return std::nullopt;
    boost::system::error_code cancelled;
    alarm_.expires_at(SteadyTime::max());
    co_await alarm_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  }
}

/// Never early; as late as the thread is busy. False where the connection is to end before.
asio::awaitable<bool> Connection::hold_until(SteadyTime when) {
  while (!timed_out_ && std::chrono::steady_clock::now() < when) {
    boost::system::error_code cancelled;
    alarm_.expires_at(when);
    co_await alarm_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  }
  co_return !timed_out_;
}

asio::awaitable<bool> Connection::write_response(Response response, bool last) {
  Notice notice(std::move(response.sent));
  if (response.not_before) {
    const bool due = co_await hold_until(*response.not_before);
    if (!due) co_return false;
  }
  auto& message = response.body;
  message.insert(message.begin(), write_head(response, loop_.date_now(), last));
  const auto failed = co_await write_blocks(std::move(message));
  broken_off_ = failed && failed->code != Errc::NotTaken;
  if (broken_off_) door().count("broken-off");
  notice.tell(failed ? Result<void>(*failed) : Result<void>());
  if (failed) co_return false;
  unread_input_ = last && !leftover_.empty();
  co_return !last;
}

/// The next parts put together, as many as one send takes. Empty at the end.
Result<BytesView> Connection::next_block(BodyReader& message) {
  auto& block = loop_.buffers.block;
  block.clear();
  while (block.room() > 0) {
    const auto part = TRY(message.next(block.room()));
    if (part.empty()) break;
    block.append(part);
  }
  return block.view();
}

/// In blocks of one send each. [facts/limits.md §6]
/// @return what went wrong: Errc::NotTaken, or what a source said; nothing where all was sent
asio::awaitable<std::optional<base::Error>> Connection::write_blocks(Body message) {
  const auto& limits = door().limits();
  set_deadline(std::chrono::steady_clock::now() + limits.write +
               std::chrono::seconds(size(message) / std::max<std::size_t>(limits.body_bytes_per_second, 1)));
  BodyReader reader(std::move(message));
  while (true) {
    const auto block = next_block(reader);
    if (!block) co_return block.error();
    if (block->empty()) co_return std::nullopt;
    auto step = channel_.write(*block);
    while (step == Step::NeedsOutput) {
      const bool ready = co_await wait(Wait::Output);
      if (!ready && timed_out_) door().count("timed-out");
      if (!ready) co_return base::fail(Errc::NotTaken);
      step = channel_.flush();
    }
    if (step != Step::Done) co_return base::fail(Errc::NotTaken);
  }
}

/// Answers without a handler and ends: what is left of the request is not read.
/// @param allowed  for the Allow field of a 405
asio::awaitable<bool> Connection::refuse(unsigned status, std::string allowed) {
  timed_out_ = false;
  Response response{.status = status};
  if (!allowed.empty()) response.headers.emplace_back("Allow", std::move(allowed));
  Body head{write_head(response, loop_.date_now(), true)};
  const auto failed = co_await write_blocks(std::move(head));
  unread_input_ = !failed;
  co_return false;
}

/// The end: goodbye, and where the peer is still sending a little patience, or the reset that follows unread input
/// would take the answer with it. [RFC 9112 §9.6] No goodbye after an answer that broke off: nothing may look like its
/// end.
asio::awaitable<void> Connection::part() {
  if (broken_off_) co_return;
  channel_.shut();
  if (!unread_input_) co_return;
  set_deadline(std::chrono::steady_clock::now() + linger_time);
  for (std::size_t read = 0; read < linger_bytes_max;) {
    const auto got = ::recv(socket_.native_handle(), loop_.buffers.in.data(), loop_.buffers.in.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) co_return;
    if (got > 0) {
      read += static_cast<std::size_t>(got);
      continue;
    }
    const bool more = co_await wait(Wait::Input);
    if (!more) co_return;
  }
}

/// One timer serves all deadlines: it is only moved where a deadline comes before the time it is set to, and looks
/// again when it wakes. A request that comes and goes at once moves no timer.
void Connection::set_deadline(SteadyTime when) {
  deadline_ = std::min(when, drained_by_);
  if (deadline_ < armed_for_) arm();
}

void Connection::arm() {
  armed_for_ = deadline_;
  deadline_timer_.expires_at(armed_for_);
  deadline_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
    if (cancelled || self->finished_) return;
    self->armed_for_ = SteadyTime::max();
    if (std::chrono::steady_clock::now() >= self->deadline_) {
      self->timed_out_ = true;
      self->interrupt();
    } else if (self->deadline_ != SteadyTime::max()) {
      self->arm();
    }
  });
}

void Connection::interrupt() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
  alarm_.cancel();
}

void Connection::drain() {
  closing_ = true;
  drained_by_ = std::chrono::steady_clock::now() + door().limits().drain;
  set_deadline(deadline_);
  if (idle_) interrupt();
}

void Connection::judge_again() {
  judge_again_ = true;
  if (!idle_ || is_still_welcome()) return;
  closing_ = true;
  interrupt();
}

}  // namespace gateway::net
