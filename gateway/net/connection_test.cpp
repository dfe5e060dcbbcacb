#include "gateway/net/connection.hpp"

#include "gateway/net/testing.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <map>
#include <thread>

namespace gateway::net {
namespace {

namespace asio = boost::asio;
using testing::Client;
using testing::ClientTls;

Tls asking_nobody() { return {.credential = testing::ec_server()}; }
Tls asking_everybody() {
  return {.credential = testing::ec_server(), .accept_client = [](const Peer&) { return true; }};
}

/// One connection of a door with TLS, run without a server around it.
struct OneConnection {
  Loop loop;
  std::map<std::string, int> counts;
  const Watch watch{.count = [this](const std::string&, const std::string& what) { ++counts[what]; }};
  const std::shared_ptr<OpenDoor> door = std::make_shared<OpenDoor>(
      Door{.name = "test", .routes = {{"GET", "/", [](const Request&, const Reply& reply) { reply({}); }}}},
      TlsContext::make(asking_nobody()).value(), watch);

  /// The status a client without a certificate is answered with.
  /// @param between  runs when the client has come and before it is shaken hands with
  unsigned ask(const std::function<void()>& between) {
    asio::ip::tcp::acceptor acceptor(loop.io, {asio::ip::address_v4::loopback(), 0});
    unsigned status = 0;
    std::thread asking([&status, port = acceptor.local_endpoint().port()] {
      Client client(port, ClientTls{});
      status = client.ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").status;
    });
    auto accepted = acceptor.accept();
    accepted.native_non_blocking(true);
    Descriptor socket(accepted.release());
    door->enter("127.0.0.1", std::chrono::steady_clock::now());
    auto place = std::make_unique<Place>(door, loop, "127.0.0.1");
    const auto connection = std::make_shared<Connection>(std::move(place), std::move(socket), asio::ip::tcp::v4());
    between();
    asio::co_spawn(loop.io, connection->run(), asio::detached);
    loop.io.run();
    asking.join();
    return status;
  }
};

TEST(OpenDoor, TurnsAwayWhoComesTooFastAndNobodyElse_L10) {
  const Watch nobody;
  OpenDoor door({.limits = {.connections_per_address = 4, .accepts_per_second_per_address = 3}}, nullptr, nobody);
  const SteadyTime begun(std::chrono::seconds(7));
  const auto enter = [&](const char* address, std::chrono::milliseconds after) {
    const char* why_not = door.enter(address, begun + after);
    return std::string(why_not ? why_not : "in");
  };
  using std::chrono::milliseconds;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(enter("a", milliseconds(i)), "in");
  EXPECT_EQ(enter("a", milliseconds(999)), "too-fast");
  EXPECT_EQ(enter("b", milliseconds(999)), "in");
  EXPECT_EQ(enter("a", milliseconds(1000)), "in") << "the next second";
  EXPECT_EQ(enter("a", milliseconds(1001)), "too-many");
  door.leave("a");
  EXPECT_EQ(enter("a", milliseconds(1002)), "in");
}

TEST(Connection, LetsNobodyInWhoHasNotBeenJudged_K16) {
  OneConnection open, closing;
  EXPECT_EQ(open.ask([] {}), 200u);
  EXPECT_EQ(open.counts["handshake-failed"], 0);
  const auto asks_from_now_on = [&] { closing.door->replace_tls(TlsContext::make(asking_everybody()).value()); };
  EXPECT_EQ(closing.ask(asks_from_now_on), 0u) << "the handshake was begun without a judge";
  EXPECT_EQ(closing.counts["handshake-failed"], 1);
}

}  // namespace
}  // namespace gateway::net
