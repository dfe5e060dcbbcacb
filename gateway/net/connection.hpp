#pragma once
// One connection from accept to close: a coroutine on one I/O thread that reads a request, has it answered, writes the
// answer, and begins again. Requests of a pipeline are answered one after the other. [RFC 9112 §9; threats.md H, L]

#include "gateway/net/channel.hpp"
#include "gateway/net/http_request.hpp"
#include "gateway/net/turns.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

namespace gateway::net {

class Connection;

/// What is shared by the connections of one I/O thread, used by that thread alone but for `open`.
struct Loop {
  ThreadBuffers buffers;
  std::unordered_set<Connection*> connections;
  Turns turns;
  std::atomic<std::size_t> open{0};  ///< connections given to this thread
  std::chrono::sys_seconds date_of{};
  std::string date;               ///< Date field of that second
  boost::asio::io_context io{1};  ///< last: what waits in it is destroyed first

  const std::string& date_now();
};

/// A door that is open: its table and limits, its TLS as of now, and how many have come in.
class OpenDoor {
 public:
  OpenDoor(Door door, std::shared_ptr<const TlsContext> tls, const Watch& watch)
      : door_(std::move(door)), tls_(std::move(tls)), watch_(watch) {}

  const std::string& name() const noexcept { return door_.name; }
  const Limits& limits() const noexcept { return door_.limits; }
  const std::vector<Route>& routes() const noexcept { return door_.routes; }
  std::shared_ptr<const TlsContext> tls() const;
  void replace_tls(std::shared_ptr<const TlsContext> tls);
  void count(const char* what) const noexcept;

  /// Counts one more connection from an address. @return nothing, or `too-many` or `too-fast` where it may not come in
  const char* enter(const std::string& address, SteadyTime now);
  void leave(const std::string& address) noexcept;

 private:
  const Door door_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsContext> tls_;
  std::unordered_map<std::string, std::size_t> per_address_;
  std::size_t total_ = 0;
  std::chrono::seconds this_second_{};
  std::unordered_map<std::string, std::size_t> accepted_this_second_;  ///< by address
  const Watch& watch_;
};

/// A place taken in a door and on a thread, given back with its owner.
class Place {
 public:
  Place(std::shared_ptr<OpenDoor> door, Loop& loop, std::string address);  ///< after door->enter(address, now)
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  OpenDoor& door() const noexcept { return *door_; }
  Loop& loop() const noexcept { return loop_; }
  const std::string& address() const noexcept { return address_; }

 private:
  std::shared_ptr<OpenDoor> door_;
  Loop& loop_;
  std::string address_;
};

/// A connection. Made, run and destroyed on its loop's thread.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// @param protocol  of the socket's address
  Connection(std::unique_ptr<Place> place, Descriptor socket, boost::asio::ip::tcp protocol);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Serves until either side ends it. No exception leaves this.
  boost::asio::awaitable<void> run();
  /// Ends it: at once where no request is running, else after that request or Limits::drain.
  void drain();
  /// Has the peer judged again: at once where no request is running, else before the next one.
  void judge_again();
  const OpenDoor& door() const noexcept { return place_->door(); }

 private:
  enum class Wait { Input, Output };
  struct Pending;     ///< an answer that a handler owes
  class Notice;       ///< Response::sent, called once
  class AnswerLater;  ///< what a Reply holds
  template <class T>
  using Awaitable = boost::asio::awaitable<T>;

  Awaitable<void> serve();
  Awaitable<bool> wait(Wait what);
  Awaitable<bool> shake_hands();
  Awaitable<bool> read_request(RequestReader& reader);
  Awaitable<bool> meet_header(RequestReader& reader);
  Channel::Step absorb(RequestReader& reader);
  SteadyTime reading_deadline(const RequestReader& reader, SteadyTime idle_until) const;
  Awaitable<bool> answer(RequestReader& reader);
  Awaitable<bool> wait_for_turn(const Queue& queue);
  Awaitable<std::optional<Response>> ask_handler(const Route& route, RequestReader& reader);
  Awaitable<bool> hold_until(SteadyTime when);
  Awaitable<bool> write_response(Response response, bool last);
  Result<BytesView> next_block(BodyReader& message);
  Awaitable<std::optional<base::Error>> write_blocks(Body message);
  Awaitable<bool> refuse(unsigned status, std::string allowed = {});
  Awaitable<void> part();
  bool is_still_welcome();
  void set_deadline(SteadyTime when);
  void arm();
  void interrupt();

  std::unique_ptr<Place> place_;
  Loop& loop_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer deadline_timer_;
  boost::asio::steady_timer alarm_;  ///< what is waited for besides the socket: a handler's answer, the time floor
  std::shared_ptr<Peer> peer_;
  Channel channel_;
  std::optional<std::string> share_;  ///< whose turns this connection waits for
  std::string leftover_;              ///< received, and belongs to the next request
  SteadyTime first_byte_{}, body_begun_{};
  SteadyTime deadline_ = SteadyTime::max(), armed_for_ = SteadyTime::max(), drained_by_ = SteadyTime::max();
  bool idle_ = false, timed_out_ = false, closing_ = false, judge_again_ = false, unread_input_ = false;
  bool broken_off_ = false, finished_ = false;
};

}  // namespace gateway::net
