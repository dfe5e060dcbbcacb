#include "gateway/net/server.hpp"

#include "gateway/net/testing.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

namespace gateway::net {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::Answer;
using testing::Client;
using ::testing::HasSubstr;
using ::testing::Not;

std::string get(std::string_view path) {
  return std::string("GET ").append(path).append(" HTTP/1.1\r\nHost: h\r\n\r\n");
}
std::string post(std::string_view path, std::string_view body) {
  return std::string("POST ").append(path).append(" HTTP/1.1\r\nHost: h\r\nContent-Type: text/x\r\nContent-Length: ") +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

/// A server with one plain door on a free port.
class Served : public ::testing::Test {
 protected:
  void serve(Limits limits = {}) {
    door_.limits = limits;
    door_.routes.push_back({"POST", "/echo", [](Request request, const Reply& reply) {
                              reply({.content_type = request.content_type,
                                     .body = {request.method, " ", request.path, " ", request.body}});
                            }});
    door_.routes.push_back({"GET", "/marker", [this](const Request&, const Reply& reply) {
                              ++markers_;
                              reply({.body = {"marker"}});
                            }});
    const auto opened = server_.open(door_);
    ASSERT_TRUE(opened);
    port_ = *opened;
    server_.start();
  }
  void route(std::string path, Handler handler) {
    door_.routes.push_back({"GET", std::move(path), std::move(handler)});
  }
  void later(std::chrono::milliseconds delay, std::function<void()> act) {
    others_.emplace_back([delay, act = std::move(act)] { std::this_thread::sleep_for(delay), act(); });
  }
  unsigned count(const std::string& what) {
    const std::scoped_lock lock(mutex_);
    return counts_[what];
  }
  void await_count(const std::string& what, unsigned wanted) {
    for (int i = 0; i < 300 && count(what) < wanted; ++i) std::this_thread::sleep_for(10ms);
    EXPECT_EQ(count(what), wanted) << what;
  }
  /// Good requests on a new connection are still served.
  void expect_alive() {
    Client client(port_);
    EXPECT_EQ(client.ask(post("/echo", "alive")).body, "POST /echo alive");
  }
  void TearDown() override {
    for (auto& other : others_) other.join();
  }

  std::mutex mutex_;
  std::map<std::string, unsigned> counts_;
  std::atomic<int> markers_{0};
  std::vector<std::thread> others_;
  Door door_{.name = "test", .address = "127.0.0.1", .routes = {}};
  std::uint16_t port_ = 0;
  Server server_{2, {.count = [this](const std::string&, const std::string& what) {
                   const std::scoped_lock lock(mutex_);
                   ++counts_[what];
                 }}};
};

TEST_F(Served, AnswersRequestsOneAfterTheOtherOnOneConnection) {
  serve();
  Client client(port_);
  const auto first = client.ask(post("/echo", "one"));
  EXPECT_EQ(first.status, 200u);
  EXPECT_EQ(first.body, "POST /echo one");
  EXPECT_THAT(first.head, HasSubstr("Content-Type: text/x\r\n"));
  EXPECT_THAT(first.head, HasSubstr(" GMT\r\n"));
  EXPECT_THAT(first.head, Not(HasSubstr("Connection: close")));
  EXPECT_EQ(client.ask(post("/echo", "two")).body, "POST /echo two");
}

TEST_F(Served, TellsTheHandlerWhoAsksAndWhen) {
  Request seen;
  route("/who", [&](Request request, const Reply& reply) { seen = std::move(request), reply({}); });
  serve();
  const auto before = steady_clock::now();
  ASSERT_EQ(Client(port_).ask(get("/who?secret=1")).status, 200u);
  EXPECT_EQ(seen.path, "/who");
  EXPECT_EQ(seen.peer->address, "127.0.0.1");
  EXPECT_FALSE(seen.peer->certificate);
  EXPECT_GE(seen.first_byte, before);
  EXPECT_LE(seen.first_byte, steady_clock::now());
}

TEST_F(Served, AnswersAPipelineInOrder) {
  route("/slow", [this](const Request&, const Reply& reply) { later(50ms, [reply] { reply({.body = {"slow"}}); }); });
  serve();
  Client client(port_);
  std::string many = get("/slow") + post("/echo", "after");
  for (int i = 0; i < 1000; ++i) many += get("/marker");
  ASSERT_TRUE(client.send(many));
  EXPECT_EQ(client.receive().body, "slow");
  EXPECT_EQ(client.receive().body, "POST /echo after");
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.receive().body, "marker");
}

TEST_F(Served, NeverReadsOnAfterARefusal) {  // [K14]
  serve();
  for (const auto* encoding : {"xchunked", "chunked, identity", "\"chunked\"", "identity"}) {
    Client client(port_);
    const auto answer = client.ask("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: " + std::string(encoding) +
                                   "\r\n\r\n" + get("/marker"));
    EXPECT_EQ(answer.status, 400u) << encoding;
    EXPECT_THAT(answer.head, HasSubstr("Connection: close\r\n"));
    EXPECT_TRUE(client.ends());
  }
  EXPECT_EQ(markers_, 0);
  EXPECT_EQ(count("bad-request"), 4u);
  Client twin(port_);
  const auto good = twin.ask("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" +
                             get("/marker"));
  EXPECT_EQ(good.body, "POST /echo x");
  EXPECT_EQ(twin.receive().body, "marker");
}

TEST_F(Served, AnswersNothingBehindConnectionClose) {
  serve();
  Client client(port_);
  EXPECT_EQ(client.ask("POST /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" + get("/marker")).status, 200u);
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(markers_, 0);
}

TEST_F(Served, EndsOnlyTheConnectionThatSendsATrailerOf60Megabytes) {  // [K13]
  serve();
  Client other(port_);
  EXPECT_EQ(other.ask(get("/marker")).status, 200u);
  Client client(port_);
  ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "));
  const std::string part(1 << 20, 'x');
  int sent = 0;
  while (sent < 60 && client.send(part)) ++sent;
  EXPECT_LT(sent, 60);
  EXPECT_EQ(other.ask(get("/marker")).status, 200u);
  EXPECT_EQ(count("bad-request"), 1u);
  expect_alive();
}

TEST_F(Served, EndsOnlyTheConnectionWhoseHandlerThrows) {  // [K13]
  route("/throws", [](const Request&, const Reply&) { throw std::length_error("defect"); });
  route("/throws-int", [](const Request&, const Reply&) { throw 1; });
  route("/bad-field", [](const Request&, const Reply& reply) { reply({.headers = {{"X", "a\r\nb: c"}}}); });
  route("/sent-throws",
        [](const Request&, const Reply& reply) {
          reply({.sent = [](const Result<void>&) { throw std::runtime_error("x"); }});
        });
  serve();
  Client other(port_);
  EXPECT_EQ(other.ask(get("/marker")).status, 200u);
  for (const auto* path : {"/throws", "/throws-int"}) {
    Client client(port_);
    EXPECT_EQ(client.ask(get(path)).status, 500u);
    EXPECT_TRUE(client.ends());
  }
  EXPECT_EQ(Client(port_).ask(get("/bad-field")).status, 0u);
  Client(port_).ask(get("/sent-throws"));
  await_count("defect", 4);
  EXPECT_EQ(other.ask(get("/marker")).status, 200u);
}

/// Puts /dev/null in the place of our end of a client's connection.
void take_socket_away(const Client& client) {
  const auto port_of = [](auto name_of, int socket) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    const bool named = name_of(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    return named && address.sin_family == AF_INET ? address.sin_port : in_port_t{0};
  };
  const auto port = port_of(::getsockname, client.socket());
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int socket = 0; socket < 1024; ++socket) {
    if (port_of(::getpeername, socket) == port) ::dup2(nothing, socket);
  }
  ::close(nothing);
}

TEST(Threads, GoOnWhereAConnectionCannotEvenBegin) {  // [K13]
  std::atomic<bool> held{true};
  std::atomic<int> defects{0};
  std::optional<Client> unlucky;
  Server server(1, {.count = [&](const std::string&, const std::string& what) {
                  if (what == "defect") ++defects;
                  if (what != "accepted") return;
                  while (held) std::this_thread::sleep_for(1ms);
                  take_socket_away(*unlucky);  // of others it finds none
                }});
  const auto port =
      server.open({.name = "test",
                   .address = "127.0.0.1",
                   .routes = {{"GET", "/marker", [](const Request&, const Reply& reply) { reply({}); }}}});
  ASSERT_TRUE(port);
  server.start();
  unlucky.emplace(*port);
  held = false;
  EXPECT_TRUE(unlucky->ends());
  EXPECT_EQ(Client(*port).ask(get("/marker")).status, 200u);
  EXPECT_EQ(defects, 1);
}

TEST_F(Served, Answers500WhereTheHandlerThrowsItsReplyAway) {
  route("/forgets", [](const Request&, const Reply&) {});
  route("/forgets-later", [this](const Request&, const Reply& reply) { later(20ms, [reply] {}); });
  serve();
  Client client(port_);
  EXPECT_EQ(client.ask(get("/forgets")).status, 500u);
  EXPECT_EQ(client.ask(get("/forgets-later")).status, 500u);
  EXPECT_EQ(client.ask(get("/marker")).status, 200u);
}

TEST_F(Served, FindsRoutesByTheExactPathAndMethod) {
  serve();
  for (const auto* path : {"/", "/Echo", "/echo/", "//echo", "/%65cho", "/echo%00", "/..;/echo"}) {
    EXPECT_EQ(Client(port_).ask(get(path)).status, 404u) << path;
  }
  for (const auto* method : {"GET", "get", "HEAD", "post", "TRACE", "OPTIONS"}) {
    Client client(port_);
    const auto answer = client.ask(std::string(method) + " /echo HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(answer.status, 405u) << method;
    EXPECT_THAT(answer.head, HasSubstr("\r\nAllow: POST\r\n"));
    EXPECT_TRUE(client.ends());
  }
}

TEST_F(Served, RefusesABodyOverTheLimitBeforeItIsSent) {
  serve({.body_bytes = 1000});
  Client client(port_);
  EXPECT_EQ(client.ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n").status, 413u);
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(Client(port_).ask(post("/echo", std::string(1000, 'x'))).status, 200u);
}

TEST_F(Served, TellsAPeerThatIsStillSendingWhyItWasRefused) {
  serve({.body_bytes = 1000});
  Client client(port_);
  ASSERT_TRUE(client.send(post("/echo", std::string(200'000, 'x'))));
  EXPECT_EQ(client.receive().status, 413u);
}

TEST_F(Served, SendsContinueOnlyForAHeaderItTakes) {
  serve({.body_bytes = 1000});
  const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n";
  Client client(port_);
  EXPECT_EQ(client.ask(head + "Content-Length: 4\r\n\r\n").status, 100u);
  EXPECT_EQ(client.ask("body").body, "POST /echo body");
  EXPECT_EQ(Client(port_).ask(head + "Content-Length: 1001\r\n\r\n").status, 413u);
  EXPECT_EQ(
      Client(port_).ask("POST /no HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n").status,
      404u);
}

TEST_F(Served, EndsASlowHeaderByItsDeadlineThoughBytesCome) {  // [H01]
  serve({.header = 200ms});
  Client client(port_);
  const auto began = steady_clock::now();
  while (steady_clock::now() - began < 2s && client.send("G") && count("timed-out") == 0)
    std::this_thread::sleep_for(20ms);
  EXPECT_LT(steady_clock::now() - began, 1s);
  EXPECT_EQ(client.receive().status, 408u);
}

TEST_F(Served, EndsASlowBodyByItsDeadline) {  // [H02]
  serve({.body_base = 100ms});
  Client client(port_);
  EXPECT_EQ(client.ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf").status, 408u);
  EXPECT_TRUE(client.ends());
}

TEST_F(Served, EndsAnIdleConnectionWithoutAWord) {
  serve({.idle = 100ms});
  Client client(port_);
  EXPECT_EQ(client.ask(get("/marker")).status, 200u);
  EXPECT_TRUE(client.ends());
}

TEST_F(Served, EndsAConnectionThatDoesNotRead) {  // [H03]
  std::atomic<int> sent{0}, unsent{0};
  route("/large", [&](const Request&, const Reply& reply) {
    reply({.body = {Bytes(30u << 20, 'x')}, .sent = [&](const Result<void>& told) { ++(told ? sent : unsent); }});
  });
  serve({.body_bytes_per_second = 1u << 30, .write = 100ms});
  Client client(port_);
  ASSERT_TRUE(client.send(get("/large")));
  await_count("timed-out", 1);
  for (int i = 0; i < 100 && unsent == 0; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(sent, 0);
  EXPECT_EQ(unsent, 1);
}

TEST_F(Served, HoldsAnAnswerUntilItsTimeAndHardlyLonger) {
  std::vector<std::chrono::microseconds> late;
  SteadyTime due;
  route("/floor", [&](const Request&, const Reply& reply) {
    due = steady_clock::now() + 20ms;
    reply({.not_before = due});
  });
  serve();
  Client client(port_);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(client.ask(get("/floor")).status, 200u);
    late.push_back(std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - due));
  }
  std::ranges::sort(late);
  EXPECT_GE(late.front().count(), 0);
  EXPECT_LT(late[5].count(), 5000);
}

TEST_F(Served, SaysOnceWhetherTheAnswerWasSent) {
  std::atomic<int> sent{0}, unsent{0};
  const auto hear = [&](const Result<void>& told) { ++(told ? sent : unsent); };
  route("/small", [&](const Request&, const Reply& reply) { reply({.sent = hear}), reply({.sent = hear}); });
  route("/large",
        [&](const Request&, const Reply& reply) { reply({.body = {Bytes(30u << 20, 'x')}, .sent = hear}); });
  serve();
  EXPECT_EQ(Client(port_).ask(get("/small")).status, 200u);
  for (int i = 0; i < 100 && sent + unsent < 2; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(sent, 1);
  EXPECT_EQ(unsent, 1) << "the second reply";
  {
    Client client(port_);
    ASSERT_TRUE(client.send(get("/large")));
  }
  for (int i = 0; i < 200 && unsent < 2; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(sent, 1);
  EXPECT_EQ(unsent, 2);
}

TEST_F(Served, SendsManyLargePiecesWhole) {
  Bytes expected;
  Body pieces;
  for (std::size_t size : {1u, 0u, 65'535u, 65'536u, 65'537u, 3u, 0u, 3'000'000u, 100u}) {
    Bytes piece(size, static_cast<char>('a' + pieces.size()));
    expected += piece;
    pieces.emplace_back(std::move(piece));
  }
  route("/large", [&](const Request&, const Reply& reply) { reply({.body = pieces}); });
  serve();
  EXPECT_TRUE(Client(port_).ask(get("/large")).body == expected);
}

TEST_F(Served, ReadsSourcesWhileItSendsThem) {
  route("/sources", [&](const Request&, const Reply& reply) {
    reply({.body = {"<", testing::GivenSource::of({Bytes(200'000, 'a'), Bytes(70'000, 'b')}), "|",
                    testing::GivenSource::of({}), ">"}});
  });
  serve();
  Client client(port_);
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(client.ask(get("/sources")).body == "<" + Bytes(200'000, 'a') + Bytes(70'000, 'b') + "|>");
}

TEST_F(Served, BreaksTheConnectionOffWhereASourceFailsAndSaysWhy) {
  std::mutex mutex;
  std::vector<base::Error> told;
  route("/broken", [&](const Request&, const Reply& reply) {
    reply({.body = {"<", testing::GivenSource::of({Bytes(200'000, 'a'), Bytes()}, 200'001), ">"},
           .sent = [&](const Result<void>& sent) {
             const std::scoped_lock lock(mutex);
             told.push_back(sent.error());
           }});
  });
  serve();
  Client client(port_);
  EXPECT_EQ(client.ask(get("/broken")).status, 0u) << "not whole";
  await_count("broken-off", 1);
  const std::scoped_lock lock(mutex);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].code, Errc::WrongSize);
}

TEST_F(Served, LimitsConnectionsOfOneAddress) {
  serve({.connections_per_address = 2});
  {
    Client first(port_), second(port_), third(port_);
    EXPECT_EQ(first.ask(get("/marker")).status, 200u);
    EXPECT_EQ(second.ask(get("/marker")).status, 200u);
    EXPECT_EQ(third.ask(get("/marker")).status, 0u);
    EXPECT_EQ(count("too-many"), 1u);
  }
  std::this_thread::sleep_for(50ms);
  expect_alive();
}

TEST_F(Served, LimitsConnectionsOfADoor) {
  serve({.connections = 1});
  Client first(port_), second(port_);
  EXPECT_EQ(first.ask(get("/marker")).status, 200u);
  EXPECT_EQ(second.ask(get("/marker")).status, 0u);
}

TEST_F(Served, TurnsConnectionsAwayWithoutDescriptorsAndRecovers) {  // [O09]
  serve();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  expect_alive();
  const int next = ::dup(0);
  ::close(next);
  {
    rlimit low = before;
    low.rlim_cur = static_cast<rlim_t>(next) + 1;  // the client's own socket takes the last one
    ::setrlimit(RLIMIT_NOFILE, &low);
    Client client(port_);
    EXPECT_EQ(client.ask(get("/marker")).status, 0u);
    std::this_thread::sleep_for(250ms);
    ::setrlimit(RLIMIT_NOFILE, &before);
  }
  EXPECT_GE(count("no-descriptor"), 1u);
  EXPECT_LE(count("no-descriptor"), 5u) << "no busy loop";
  expect_alive();
}

TEST_F(Served, FinishesTheRunningRequestWhenStopped) {
  std::atomic<bool> running{false};
  std::atomic<int> sent{0};
  route("/slow", [&](const Request&, const Reply& reply) {
    running = true;
    later(200ms,
          [&, reply] { reply({.body = {"done"}, .sent = [&](const Result<void>& told) { sent += told ? 1 : 100; }}); });
  });
  serve();
  Client busy(port_), idle(port_);
  EXPECT_EQ(idle.ask(get("/marker")).status, 200u);
  ASSERT_TRUE(busy.send(get("/slow")));
  while (!running) std::this_thread::sleep_for(1ms);
  server_.stop();
  EXPECT_EQ(sent, 1);
  const auto answer = busy.receive();
  EXPECT_EQ(answer.body, "done");
  EXPECT_THAT(answer.head, HasSubstr("Connection: close"));
  EXPECT_TRUE(busy.ends());
  EXPECT_TRUE(idle.ends());
  EXPECT_EQ(Client(port_).ask(get("/marker")).status, 0u);
}

TEST_F(Served, StopsByTheDrainDeadlineAndTellsTheLateAnswer) {
  std::atomic<bool> running{false};
  std::atomic<int> unsent{0};
  Reply kept;
  route("/never", [&](const Request&, const Reply& reply) { kept = reply, running = true; });
  serve({.drain = 100ms});
  Client busy(port_), half(port_);
  ASSERT_TRUE(half.send("POST /echo HT"));
  ASSERT_TRUE(busy.send(get("/never")));
  while (!running) std::this_thread::sleep_for(1ms);
  const auto began = steady_clock::now();
  server_.stop();
  EXPECT_LT(steady_clock::now() - began, 1s);
  kept({.sent = [&](const Result<void>& told) { unsent += told ? 100 : 1; }});
  EXPECT_EQ(unsent, 1);
  EXPECT_EQ(busy.receive().status, 0u);
}

TEST_F(Served, CannotListenWhereAnotherDoes) {
  serve();
  Server second(1, {});
  const auto opened = second.open({.name = "x", .address = "127.0.0.1", .port = port_, .routes = {}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::CannotListen);
  EXPECT_EQ(second.open({.name = "x", .address = "nowhere", .routes = {}}).error().code, Errc::CannotListen);
}

/// A door on one thread whose requests wait for turns; the share of a connection is its turn of connecting, by twos.
class InTurns : public ::testing::Test {
 protected:
  void serve(std::size_t waiting_per_share) {
    const auto queue = std::make_shared<const Queue>(
        Queue{.share_of = [this](const Peer&) { return "share-" + std::to_string(connected_++ / 2); },
              .expect = [this]() -> std::shared_ptr<void> {
                ++expected_;
                return {nullptr, [this](void*) { --expected_; }};
              },
              .overloaded = [](const Request&, const Reply& reply) { reply({.status = 503}); }});
    const Handler slow = [this](const Request& request, const Reply& reply) {
      std::this_thread::sleep_for(20ms);
      expected_at_most_ = std::max(expected_at_most_.load(), expected_.load());
      reply({.body = {request.body}});
    };
    const auto opened = server_.open({.name = "test",
                                      .address = "127.0.0.1",
                                      .limits = {.waiting_per_share = waiting_per_share},
                                      .routes = {{"POST", "/slow", slow, queue}}});
    ASSERT_TRUE(opened);
    port_ = *opened;
    server_.start();
  }
  Server server_{1, {}};
  std::uint16_t port_ = 0;
  std::atomic<int> connected_{0}, expected_{0}, expected_at_most_{0};
};

TEST_F(InTurns, ReadsInWhoIsReadyBeforeTheFirstIsHandled) {
  serve(10);
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([this] {
      Client client(port_);
      EXPECT_EQ(client.ask(post("/slow", "body")).body, "body");
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_GT(expected_at_most_, 1) << "several were known before the first was answered";
  EXPECT_EQ(expected_, 0);
}

TEST_F(InTurns, TurnsAwayWhoFindsNoPlaceToWaitAndServesThemLater) {
  serve(1);
  std::atomic<int> served{0}, turned_away{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, this] {
      Client client(port_);
      for (int attempt = 0; attempt < 200; ++attempt) {
        const auto answer = client.ask(post("/slow", "body"));
        if (answer.status == 200) return void(++served);
        ASSERT_EQ(answer.status, 503u);
        ++turned_away;
        std::this_thread::sleep_for(5ms);
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(served, 8);
  EXPECT_GT(turned_away, 0);
}

}  // namespace
}  // namespace gateway::net
