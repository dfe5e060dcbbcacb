#include "gateway/net/caller.hpp"

#include "gateway/net/testing.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

namespace gateway::net {
namespace {

using std::chrono::milliseconds;

/// A door of ours on loopback that answers every POST with one status.
class Called : public ::testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    const auto port = server_.open({.name = "called",
                                    .address = "127.0.0.1",
                                    .port = 0,
                                    .tls = Tls{.credential = named("localhost"), .accept_client = [](const Peer&) { return true; }},
                                    .routes = {{"POST", "/never", [this](Request, Reply reply) { held_ = std::move(reply); }},
                                               {"POST", "/answers", [this](Request request, Reply reply) {
                                                  bodies_ += request.body + "|" + request.content_type;
                                                  reply({.status = status_, .headers = {{"Location", "https://localhost/"}}});
                                                }}}});
    ASSERT_TRUE(port);
    port_ = *port;
    server_.start();
  }
  void TearDown() override {
    if (held_) held_({});
    server_.stop();
  }

  static certs::Credential named(const std::string& name) {
    return testing::authority().issue(
        {.subject = {.common_name = name, .dns_names = {name}}, .now = testing::now(), .key = certs::KeyKind::Ec});
  }
  static SteadyTime soon() { return std::chrono::steady_clock::now() + milliseconds(3000); }
  CallRules rules(const std::vector<std::string>& allowed = {"127.0.0.1"}) const {
    return {.credential = testing::client_credential(),
            .allowed = *AllowedNetworks::read(allowed),
            .accept_server = [](const Peer& server) { return server.certificate && !server.certificate->dns_names().empty(); },
            .deadline = soon()};
  }
  HttpsUrl url(const std::string& host = "localhost", const std::string& path = "/answers") const {
    return *HttpsUrl::parse("https://" + host + ":" + std::to_string(port_) + path);
  }

  unsigned status_ = 202;
  std::string bodies_;
  Reply held_;
  std::uint16_t port_ = 0;
  Server server_{1, {}};
};

TEST_F(Called, TakesAMessageInPiecesAndSaysItsStatus) {
  auto caller = Caller::connect(url(), rules());
  ASSERT_TRUE(caller) << caller.error().detail;
  Body pieces{"one ", testing::GivenSource::of({Bytes(300'000, 'x'), "y"}), " three"};
  EXPECT_EQ(*caller->post("text/plain", std::move(pieces), soon()), 202u);
  EXPECT_EQ(bodies_, "one " + Bytes(300'000, 'x') + "y three|text/plain");
}

TEST_F(Called, GetsNoWholeMessageWhereASourceFails) {
  auto caller = Caller::connect(url(), rules());
  ASSERT_TRUE(caller) << caller.error().detail;
  Body pieces{"one ", testing::GivenSource::of({Bytes(300'000, 'x')}, 300'001)};
  EXPECT_EQ(caller->post("text/plain", std::move(pieces), soon()).error().code, Errc::WrongSize);
  caller = Caller::connect(url(), rules());
  EXPECT_EQ(*caller->post("text/plain", {"two"}, soon()), 202u);
  EXPECT_EQ(bodies_, "two|text/plain") << "what broke off was no request";
}

TEST_F(Called, GetsItsRedirectsReportedNotFollowed_S01) {
  status_ = 302;
  EXPECT_EQ(*Caller::connect(url(), rules())->post("text/plain", {"x"}, soon()), 302u);
}

TEST_F(Called, IsNotCalledWhereItsAddressIsNotAllowed_S01) {
  EXPECT_EQ(Caller::connect(url(), rules({})).error().code, CallErrc::NotAllowed);
  EXPECT_EQ(Caller::connect(url("127.0.0.1"), rules({"10.0.0.0/8"})).error().code, CallErrc::NotAllowed);
}

TEST_F(Called, MustShowACertificateOfItsHost) {
  EXPECT_EQ(Caller::connect(url("127.0.0.1"), rules()).error().code, CallErrc::WrongServer);
}

TEST_F(Called, MustShowACertificateThatIsBelieved) {
  auto strict = rules();
  strict.accept_server = [](const Peer&) { return false; };
  EXPECT_EQ(Caller::connect(url(), strict).error().code, CallErrc::WrongServer);
}

TEST_F(Called, NeedNotBeThere) {
  server_.stop();
  EXPECT_EQ(Caller::connect(url(), rules()).error().code, CallErrc::CannotConnect);
}

TEST_F(Called, MayNotTakeLongerForItsStatusThanTheDeadline) {
  auto caller = Caller::connect(url("localhost", "/never"), rules());
  ASSERT_TRUE(caller);
  const auto deadline = std::chrono::steady_clock::now() + milliseconds(300);
  EXPECT_EQ(caller->post("text/plain", {"x"}, deadline).error().code, CallErrc::TimedOut);
}

/// Accepts connections and never says a word.
struct Silent {
  Silent() : socket(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof to;
    ::bind(socket, reinterpret_cast<const sockaddr*>(&to), size);
    ::listen(socket, 4);
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&to), &size);
    port = ntohs(to.sin_port);
  }
  ~Silent() { ::close(socket); }
  int socket;
  std::uint16_t port = 0;
};

TEST_F(Called, MayNotBeSilentForLongerThanTheDeadline) {
  const Silent silent;
  port_ = silent.port;
  auto hasty = rules();
  hasty.deadline = std::chrono::steady_clock::now() + milliseconds(300);
  EXPECT_EQ(Caller::connect(url(), hasty).error().code, CallErrc::TimedOut);
}

TEST_F(Called, IsLeftAloneWhenTheProgramEnds) {
  const Silent silent;
  port_ = silent.port;
  auto call = rules();
  std::stop_source ending;
  call.stop = ending.get_token();
  std::jthread end([&] {
    std::this_thread::sleep_for(milliseconds(100));
    ending.request_stop();
  });
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(Caller::connect(url(), call).error().code, CallErrc::TimedOut);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(1500));
}

TEST(MayBeCalled, JudgesNumbersAtOnceAndNamesLater_S01) {
  const auto allowed = *AllowedNetworks::read({"192.168.7.0/24"});
  for (const std::string good : {"https://8.8.8.8/", "https://192.168.7.9/", "https://[2606:4700::1]/", "https://a.example/"})
    EXPECT_TRUE(may_be_called(*HttpsUrl::parse(good), allowed)) << good;
  for (const std::string bad : {"https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/", "https://0.0.0.0/",
                                "https://192.168.8.9/", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
                                "https://[fe80::1]/", "https://[fd00::1]/", "https://[64:ff9b::7f00:1]/"})
    EXPECT_EQ(may_be_called(*HttpsUrl::parse(bad), allowed).error().code, CallErrc::NotAllowed) << bad;
}

}  // namespace
}  // namespace gateway::net
