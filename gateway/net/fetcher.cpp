#include "gateway/net/fetcher.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <deque>
#include <optional>
#include <thread>

// In the coroutines below, co_await never stands behind && or ||: g++ 12 awaits it even where it is not reached.

namespace gateway::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

std::string request_of(const HttpUrl& url, const FetchOrder& order) {
  std::string text = order.body.empty() ? "GET " : "POST ";
  text += url.target + " HTTP/1.1\r\nHost: " + url.field + "\r\nUser-Agent: gatehouse\r\nConnection: close\r\n";
  if (!order.body.empty()) {
    text += "Content-Type: " + order.content_type + "\r\nContent-Length: " + std::to_string(order.body.size()) + "\r\n";
  }
  return text + "\r\n" + order.body;
}

/// One fetch under way: its socket, and the one deadline over all its steps.
struct Flight {
  explicit Flight(asio::io_context& io) : resolver(io), socket(io), deadline(io) {}
  tcp::resolver resolver;
  tcp::socket socket;
  asio::steady_timer deadline;
  bool timed_out = false;

  base::Error failed(FetchErrc otherwise, std::string detail) const {
    return timed_out ? base::fail(FetchErrc::TimedOut) : base::fail(otherwise, std::move(detail));
  }
};

}  // namespace

struct Fetcher::Parts {
  Parts(AllowedNetworks networks, FetchLimits given) : allowed(std::move(networks)), limits(given) {}

  const AllowedNetworks allowed;
  const FetchLimits limits;
  std::deque<std::pair<FetchOrder, Done>> waiting;  ///< used by the thread alone, as all below
  std::size_t under_way = 0;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard = asio::make_work_guard(io);
  std::thread thread;

  void begin_next();
  asio::awaitable<void> run(FetchOrder order, Done done);
  asio::awaitable<Result<Bytes>> fetch(std::shared_ptr<Flight> flight, const FetchOrder& order);
  asio::awaitable<std::optional<base::Error>> connect(Flight& flight, const HttpUrl& url);
  asio::awaitable<Result<Bytes>> receive(Flight& flight);
};

/// Connects to the first allowed address that takes the connection; others are never tried.
/// @return what went wrong, nothing where it went well
asio::awaitable<std::optional<base::Error>> Fetcher::Parts::connect(Flight& flight, const HttpUrl& url) {
  error_code error;
  const auto found = co_await flight.resolver.async_resolve(url.host, std::to_string(url.port),
                                                            asio::redirect_error(asio::use_awaitable, error));
  if (error || flight.timed_out) co_return flight.failed(FetchErrc::CannotConnect, error.message());
  bool any_allowed = false;
  for (const auto& entry : found) {
    const auto endpoint = entry.endpoint();
    if (!allowed.may_go_to(endpoint.address())) continue;
    any_allowed = true;
    error_code ignored;
    flight.socket.close(ignored);
    co_await flight.socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
    if (!error) co_return std::nullopt;
    if (flight.timed_out) break;
  }
  if (!any_allowed) co_return base::fail(FetchErrc::AddressNotAllowed, url.host);
  co_return flight.failed(FetchErrc::CannotConnect, error.message());
}

asio::awaitable<Result<Bytes>> Fetcher::Parts::receive(Flight& flight) {
  AnswerReader reader(limits.answer);
  std::vector<char> part(64u << 10);
  while (!reader.complete()) {
    error_code error;
    const auto count = co_await flight.socket.async_read_some(asio::buffer(part),
                                                              asio::redirect_error(asio::use_awaitable, error));
    if (flight.timed_out) co_return base::fail(FetchErrc::TimedOut);
    if (error == asio::error::eof) {
      if (const auto ended = reader.end(); !ended) co_return ended.error();
      break;
    }
    if (error) co_return base::fail(FetchErrc::BadAnswer, error.message());
    if (const auto fed = reader.feed({part.data(), count}); !fed) co_return fed.error();
  }
  co_return reader.take_body();
}

asio::awaitable<Result<Bytes>> Fetcher::Parts::fetch(std::shared_ptr<Flight> flight, const FetchOrder& order) {
  const auto url = read_http_url(order.url);
  if (!url) co_return url.error();
  flight->deadline.expires_after(limits.time);
  flight->deadline.async_wait([flight](const error_code& cancelled) {
    if (cancelled) return;
    flight->timed_out = true;
    error_code ignored;
    flight->resolver.cancel();
    flight->socket.close(ignored);
  });
  const auto failed = co_await connect(*flight, *url);
  if (failed) co_return *failed;
  error_code error;
  const auto request = request_of(*url, order);
  co_await asio::async_write(flight->socket, asio::buffer(request), asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return flight->failed(FetchErrc::BadAnswer, error.message());
  co_return co_await receive(*flight);
}

asio::awaitable<void> Fetcher::Parts::run(FetchOrder order, Done done) {
  const auto flight = std::make_shared<Flight>(io);
  auto fetched = co_await fetch(flight, order);
  flight->deadline.cancel();
  error_code ignored;
  flight->socket.close(ignored);
  done(std::move(fetched));
}

void Fetcher::Parts::begin_next() {
  while (under_way < limits.at_once && !waiting.empty()) {
    auto [order, done] = std::move(waiting.front());
    waiting.pop_front();
    ++under_way;
    // [K13] Whatever leaves a fetch ends that fetch; the next one has its place.
    asio::co_spawn(io, run(std::move(order), std::move(done)), [this](const std::exception_ptr&) {
      --under_way;
      begin_next();
    });
  }
}

Fetcher::Fetcher(AllowedNetworks allowed, FetchLimits limits)
    : parts_(std::make_unique<Parts>(std::move(allowed), limits)) {
  parts_->thread = std::thread([parts = parts_.get()] { parts->io.run(); });
}

Fetcher::~Fetcher() {
  parts_->io.stop();
  parts_->thread.join();
}

void Fetcher::fetch(FetchOrder order, Done done) {
  asio::post(parts_->io, [parts = parts_.get(), order = std::move(order), done = std::move(done)]() mutable {
    if (parts->waiting.size() >= parts->limits.waiting) return done(base::fail(FetchErrc::TooMany));
    parts->waiting.emplace_back(std::move(order), std::move(done));
    parts->begin_next();
  });
}

namespace {

/// Runs `tick` until its io_context ends.
asio::awaitable<void> repeat(asio::io_context& io, std::chrono::milliseconds pause, std::function<void()> tick) {
  asio::steady_timer timer(io);
  while (true) {
    try {
      tick();
    } catch (...) {  // [K13] the next one comes
    }
    timer.expires_after(pause);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace

void Fetcher::every(std::chrono::milliseconds pause, std::function<void()> tick) {
  asio::co_spawn(parts_->io, repeat(parts_->io, pause, std::move(tick)), asio::detached);
}

}  // namespace gateway::net
