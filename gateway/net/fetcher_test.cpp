#include "gateway/net/fetcher.hpp"

#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

namespace gateway::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A server on loopback that answers every connection with the same octets, or never.
class CannedServer {
 public:
  explicit CannedServer(std::string answer, bool hangs = false) : answer_(std::move(answer)), hangs_(hangs) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(::listen(socket_, 64), 0);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~CannedServer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
    for (const int caller : open_) ::close(caller);
  }
  std::string url(const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port_) + "/list.crl?a=b";
  }
  std::string heard() const { return heard_; }
  int callers() const { return callers_; }

 private:
  void serve() {
    for (int caller; (caller = ::accept(socket_, nullptr, nullptr)) >= 0;) {
      ++callers_;
      if (hangs_) {
        open_.push_back(caller);
        continue;
      }
      char part[4096];
      const auto got = ::recv(caller, part, sizeof part, 0);
      if (got > 0) heard_.assign(part, static_cast<std::size_t>(got));
      (void)!::send(caller, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      ::close(caller);
    }
  }
  std::string answer_;
  const bool hangs_;
  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> callers_{0};
  std::string heard_;
  std::vector<int> open_;
  std::thread thread_;
};

Result<Bytes> fetch(Fetcher& fetcher, FetchOrder order) {
  std::promise<Result<Bytes>> promise;
  fetcher.fetch(std::move(order), [&](Result<Bytes> fetched) { promise.set_value(std::move(fetched)); });
  return promise.get_future().get();
}

AllowedNetworks loopback() { return AllowedNetworks::read({"127.0.0.1", "::1"}).value(); }
const std::string hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

TEST(Fetcher, GetsAndPosts) {
  CannedServer server(hello);
  Fetcher fetcher(loopback());
  EXPECT_EQ(fetch(fetcher, {.url = server.url()}).value(), "hello");
  EXPECT_THAT(server.heard(), StartsWith("GET /list.crl?a=b HTTP/1.1\r\nHost: 127.0.0.1:"));
  EXPECT_EQ(fetch(fetcher, {.url = server.url("localhost"), .body = "ask", .content_type = "a/b"}).value(), "hello");
  EXPECT_THAT(server.heard(), StartsWith("POST /list.crl?a=b HTTP/1.1\r\nHost: localhost:"));
  EXPECT_THAT(server.heard(), HasSubstr("Content-Type: a/b\r\nContent-Length: 3\r\n\r\nask"));
}

TEST(Fetcher, GoesToPublicAndAllowedAddressesOnlyWhateverTheNameSays_S01) {
  CannedServer server(hello);
  Fetcher fetcher(AllowedNetworks::read({}).value());
  for (const auto* host : {"127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "0"}) {
    const auto refused = fetch(fetcher, {.url = server.url(host)});
    ASSERT_FALSE(refused) << host;
    EXPECT_EQ(refused.error().code, FetchErrc::AddressNotAllowed) << host;
  }
  EXPECT_EQ(server.callers(), 0);
}

TEST(Fetcher, FollowsNoRedirect_L09) {
  CannedServer inside(hello);
  CannedServer server("HTTP/1.1 302 Found\r\nLocation: " + inside.url() + "\r\nContent-Length: 0\r\n\r\n");
  Fetcher fetcher(loopback());
  EXPECT_EQ(fetch(fetcher, {.url = server.url()}).error().code, FetchErrc::NotOk);
  EXPECT_EQ(inside.callers(), 0);
}

TEST(Fetcher, WaitsForNobodyBeyondItsTime_L09) {
  CannedServer server("", true);
  Fetcher fetcher(loopback(), {.time = 200ms, .at_once = 2});
  const auto begun = std::chrono::steady_clock::now();
  std::vector<std::promise<Result<Bytes>>> promises(4);
  for (auto& promise : promises) {
    fetcher.fetch({.url = server.url()}, [&](Result<Bytes> fetched) { promise.set_value(std::move(fetched)); });
  }
  for (auto& promise : promises) EXPECT_EQ(promise.get_future().get().error().code, FetchErrc::TimedOut);
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_GE(took, 400ms) << "two at once";
  EXPECT_LT(took, 3s);
}

TEST(Fetcher, TakesNoMoreThanItsLimit_L09) {
  CannedServer server("HTTP/1.1 200 OK\r\n\r\n" + std::string(2000, 'x'));
  Fetcher fetcher(loopback(), {.answer = {.body_bytes = 1999}});
  EXPECT_EQ(fetch(fetcher, {.url = server.url()}).error().code, FetchErrc::TooLarge);
  Fetcher larger(loopback(), {.answer = {.body_bytes = 2000}});
  EXPECT_EQ(fetch(larger, {.url = server.url()}).value().size(), 2000u);
}

TEST(Fetcher, KeepsABoundedQueueAndEndsWithoutWaiting) {
  CannedServer server("", true);
  std::atomic<int> answered = 0;
  {
    Fetcher fetcher(loopback(), {.time = 60s, .at_once = 1, .waiting = 2});
    std::promise<void> refused;
    for (int i = 0; i < 4; ++i) {
      fetcher.fetch({.url = server.url()}, [&](Result<Bytes> fetched) {
        ++answered;
        EXPECT_EQ(fetched.error().code, FetchErrc::TooMany);
        refused.set_value();
      });
    }
    refused.get_future().get();
  }
  EXPECT_EQ(answered, 1);
}

TEST(Fetcher, SaysSoWhereNobodyListens) {
  Fetcher fetcher(loopback());
  EXPECT_EQ(fetch(fetcher, {.url = "http://127.0.0.1:1/"}).error().code, FetchErrc::CannotConnect);
  EXPECT_EQ(fetch(fetcher, {.url = "https://127.0.0.1/"}).error().code, FetchErrc::BadAddress);
}

TEST(Fetcher, TicksAndSurvivesATickThatThrows) {
  std::atomic<int> ticks = 0;
  {
    Fetcher fetcher(loopback());
    fetcher.every(10ms, [&] {
      ++ticks;
      throw std::runtime_error("once");
    });
    std::this_thread::sleep_for(200ms);
  }
  EXPECT_GE(ticks, 2);
}

}  // namespace
}  // namespace gateway::net
