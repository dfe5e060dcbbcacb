#include "gateway/net/server.hpp"

#include "base/error_table.hpp"
#include "gateway/net/connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <thread>

// Each I/O thread has its own io_context, and a connection stays on the thread with the fewest when it came: no
// strands, no locks on the way of a request, and no imbalance by hash as SO_REUSEPORT has it with few long-lived peers.

namespace gateway::net {
namespace {

namespace asio = boost::asio;

constexpr base::ErrorRow rows[] = {
    {static_cast<int>(Errc::CannotListen), "cannot-listen", "the address cannot be listened on", base::Cause::Defect},
    {static_cast<int>(Errc::BadCredential), "bad-credential", "the key and certificate cannot be used for TLS",
     base::Cause::Defect},
    {static_cast<int>(Errc::NoClientCertificate), "client-certificate-missing", "the client shows no certificate",
     base::Cause::NotTrusted},
    {static_cast<int>(Errc::ClientCertificatesTooLarge), "client-certificates-too-large",
     "the client shows more or larger certificates than are read", base::Cause::NotTrusted},
    {static_cast<int>(Errc::NotTaken), "not-taken", "the peer did not take the whole answer", base::Cause::TryLater},
    {static_cast<int>(Errc::WrongSize), "wrong-size", "a part of the answer is not as long as was said",
     base::Cause::Defect},
};
constexpr base::ErrorTable table("gatehouse.net", rows);

constexpr int accepted_in_a_row_max = 64;  // then others on the thread have their turn
constexpr std::chrono::milliseconds accept_pause{100};

Descriptor spare_descriptor() { return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

enum class Accepted { One, None, Exhausted };

bool is_exhaustion(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), table}; }

/// A door's listening socket, on the first thread.
struct Listener {
  Listener(asio::io_context& io, std::shared_ptr<OpenDoor> opened) : acceptor(io), pause(io), door(std::move(opened)) {}
  asio::ip::tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::shared_ptr<OpenDoor> door;
  Descriptor spare = spare_descriptor();  ///< given up to turn one away where descriptors are exhausted
};

struct Server::Parts {
  explicit Parts(Watch given) : watch(std::move(given)) {}

  const Watch watch;
  std::vector<std::unique_ptr<Loop>> loops;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
  std::vector<std::thread> threads;
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::condition_variable ended;
  std::size_t running = 0;  ///< coroutines, guarded by mutex
  bool started = false;

  std::shared_ptr<OpenDoor> door(const std::string& name) const;
  void run(Loop& loop) const;
  template <class Coroutine>
  void spawn(asio::io_context& io, Coroutine coroutine);
  asio::awaitable<void> listen(std::shared_ptr<Listener> listener);
  Accepted accept_one(Listener& listener);
  void turn_away(Listener& listener);
  void admit(Listener& listener, Descriptor socket, const asio::ip::tcp::endpoint& from);
  Loop& least_busy() const;
};

std::shared_ptr<OpenDoor> Server::Parts::door(const std::string& name) const {
  const auto found = std::ranges::find(listeners, name, [](const auto& listener) { return listener->door->name(); });
  return found == listeners.end() ? nullptr : (*found)->door;
}

/// [K13] Whatever leaves a handler ends that handler; the thread goes on.
void Server::Parts::run(Loop& loop) const {
  while (true) {
    try {
      loop.io.run();
      return;
    } catch (...) {
      if (watch.count) watch.count("", "defect");
    }
  }
}

/// Starts a coroutine and counts it until it ends; called on the thread of `io` or before the threads run.
template <class Coroutine>
void Server::Parts::spawn(asio::io_context& io, Coroutine coroutine) {
  {
    const std::scoped_lock lock(mutex);
    ++running;
  }
  const auto end = [this](const std::exception_ptr&) {
    const std::scoped_lock lock(mutex);
    --running;
    ended.notify_all();
  };
  try {
    asio::co_spawn(io, std::move(coroutine), end);
  } catch (...) {
    end(nullptr);
    throw;
  }
}

Loop& Server::Parts::least_busy() const {
  return **std::ranges::min_element(loops, {}, [](const auto& loop) { return loop->open.load(); });
}

asio::awaitable<void> Server::Parts::listen(std::shared_ptr<Listener> listener) {
  while (!stopping) {
    boost::system::error_code error;
    co_await listener->acceptor.async_wait(asio::socket_base::wait_read,
                                           asio::redirect_error(asio::use_awaitable, error));
    auto accepted = error ? Accepted::None : Accepted::One;
    for (int i = 0; i < accepted_in_a_row_max && accepted == Accepted::One && !stopping; ++i) {
      accepted = accept_one(*listener);
    }
    if (accepted != Accepted::Exhausted || stopping) continue;
    listener->pause.expires_after(accept_pause);
    co_await listener->pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (listener->spare.number() < 0) listener->spare = spare_descriptor();  // somebody else was quicker
  }
  boost::system::error_code ignored;
  listener->acceptor.close(ignored);
}

/// Takes one connection off the queue.
Accepted Server::Parts::accept_one(Listener& listener) {
  asio::ip::tcp::endpoint from;
  auto size = static_cast<socklen_t>(from.capacity());
  Descriptor socket(::accept4(listener.acceptor.native_handle(), from.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.number() < 0) {
    if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO) return Accepted::One;
    if (!is_exhaustion(errno)) return Accepted::None;
    turn_away(listener);
    return Accepted::Exhausted;
  }
  from.resize(size);
  listener.door->count("accepted");
  try {
    admit(listener, std::move(socket), from);
  } catch (const std::exception&) {
    listener.door->count("defect");
  }
  return Accepted::One;
}

/// No descriptor is left: one who waits is let in by the spare one, to be sent away. [O09]
void Server::Parts::turn_away(Listener& listener) {
  listener.spare.close();
  // The unwanted one is closed before the spare one is opened: there is one descriptor for both.
  Descriptor(::accept4(listener.acceptor.native_handle(), nullptr, nullptr, SOCK_CLOEXEC)).close();
  listener.spare = spare_descriptor();
  listener.door->count("no-descriptor");
}

void Server::Parts::admit(Listener& listener, Descriptor socket, const asio::ip::tcp::endpoint& from) {
  auto address = from.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  auto text = address.to_string();
  if (const char* why_not = listener.door->enter(text, std::chrono::steady_clock::now()))
    return listener.door->count(why_not);
  auto& loop = least_busy();
  auto place = std::make_unique<Place>(listener.door, loop, std::move(text));
  asio::post(loop.io,
             [this, &loop, place = std::move(place), socket = std::move(socket), protocol = from.protocol()]() mutable {
               const auto connection = std::make_shared<Connection>(std::move(place), std::move(socket), protocol);
               if (stopping) return;
               spawn(loop.io, [connection] { return connection->run(); });
             });
}

Server::Server(unsigned threads, Watch watch) : parts_(std::make_unique<Parts>(std::move(watch))) {
  for (unsigned i = 0; i < std::max(threads, 1u); ++i) parts_->loops.push_back(std::make_unique<Loop>());
}

Server::~Server() { stop(); }

Result<std::uint16_t> Server::open(Door door) {
  std::shared_ptr<const TlsContext> tls;
  if (door.tls) tls = TRY(TlsContext::make(*door.tls));
  boost::system::error_code error;
  const asio::ip::tcp::endpoint where(asio::ip::make_address(door.address, error), door.port);
  auto& io = parts_->loops.front()->io;
  const auto listener =
      std::make_shared<Listener>(io, std::make_shared<OpenDoor>(std::move(door), std::move(tls), parts_->watch));
  auto& acceptor = listener->acceptor;
  if (!error) acceptor.open(where.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(where, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) acceptor.native_non_blocking(true, error);
  const auto bound = error ? asio::ip::tcp::endpoint{} : acceptor.local_endpoint(error);
  if (error) return base::fail(Errc::CannotListen, where.address().to_string() + ": " + error.message());
  parts_->listeners.push_back(listener);
  if (parts_->started) parts_->spawn(io, [parts = parts_.get(), listener] { return parts->listen(listener); });
  return bound.port();
}

Result<void> Server::replace_credential(const std::string& name, certs::Credential credential) {
  const auto door = parts_->door(name);
  const auto old = door ? door->tls() : nullptr;
  if (!old) return base::fail(Errc::BadCredential, "no TLS door has this name");
  auto settings = old->settings();
  settings.credential = std::move(credential);
  door->replace_tls(TRY(TlsContext::make(std::move(settings))));
  return {};
}

void Server::close_withdrawn(const std::string& name) {
  for (const auto& loop : parts_->loops) {
    asio::post(loop->io, [&loop = *loop, name] {
      for (auto* connection : loop.connections) {
        if (connection->door().name() == name) connection->judge_again();
      }
    });
  }
}

void Server::start() {
  if (std::exchange(parts_->started, true)) return;
  auto* parts = parts_.get();
  for (const auto& listener : parts->listeners) {
    parts->spawn(parts->loops.front()->io, [parts, listener] { return parts->listen(listener); });
  }
  for (const auto& loop : parts->loops) {
    parts->guards.push_back(asio::make_work_guard(loop->io));
    parts->threads.emplace_back([parts, &loop = *loop] { parts->run(loop); });
  }
}

void Server::stop() {
  auto* parts = parts_.get();
  if (parts->stopping.exchange(true) || !parts->started) return;
  asio::post(parts->loops.front()->io, [parts] {
    for (const auto& listener : parts->listeners) {
      listener->pause.cancel();
      listener->acceptor.cancel();
    }
  });
  for (const auto& loop : parts->loops) {
    asio::post(loop->io, [&loop = *loop] {
      for (auto* connection : loop.connections) connection->drain();
    });
  }
  {
    std::unique_lock lock(parts->mutex);
    parts->ended.wait(lock, [parts] { return parts->running == 0; });
  }
  parts->guards.clear();
  for (auto& thread : parts->threads) thread.join();
}

}  // namespace gateway::net
