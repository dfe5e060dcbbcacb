// The sending side of syslog over TLS against a door of our own: who is believed, and when the end is noticed.
// [RFC 5425 §4, §5; threats.md O05]
#include "gateway/net/syslog_client.hpp"

#include "gateway/net/server.hpp"
#include "gateway/net/testing.hpp"

#include <gmock/gmock.h>

#include <thread>

namespace gateway::net {
namespace {

using namespace std::chrono_literals;
using testing::client_credential;

const certs::Credential& repository() {
  static const auto made = testing::authority().issue(
      {.subject = {.common_name = "common.example", .dns_names = {"repository.example"}}, .now = testing::now()});
  return made;
}

class SyslogOverTls : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto opened = server_.open({.name = "repository",
                                      .address = "127.0.0.1",
                                      .tls = Tls{.credential = repository(),
                                                 .accept_client = [this](const Peer&) { return accepts_.load(); }}});
    ASSERT_TRUE(opened);
    to_ = std::make_unique<SyslogDestination>(
        SyslogDestination{.host = "127.0.0.1",
                          .port = *opened,
                          .server_name = "repository.example",
                          .trust = trusting(repository().certificate),
                          .credential = client_credential(),
                          .patience = 2s});
    server_.start();
  }
  static std::shared_ptr<const certs::TrustStore> trusting(const certs::Certificate& certificate) {
    return std::make_shared<certs::TrustStore>(certs::TrustEvidence{.pinned = {certificate}});
  }
  boost::system::error_code refusal() const {
    const auto connected = SyslogClient::connect(*to_);
    return connected ? boost::system::error_code{} : connected.error().code;
  }
  static bool breaks(audit::Sink& sink) {
    for (int i = 0; i < 400; ++i) {
      if (!sink.acknowledged()) return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }
  std::atomic<bool> accepts_{true};
  Server server_{1, {}};
  std::unique_ptr<SyslogDestination> to_;
};

TEST_F(SyslogOverTls, CountsWhatTheOtherMachineAcknowledged) {
  const auto sink = SyslogClient::connect(*to_);
  ASSERT_TRUE(sink) << sink.error().detail;
  EXPECT_EQ(*(*sink)->acknowledged(), 0u);
  const std::string header = "GET / HTTP/1.1\r\n";  // the beginning of something this door waits for
  ASSERT_TRUE((*sink)->write(header));
  std::uint64_t acknowledged = 0;
  for (int i = 0; i < 400 && acknowledged < header.size(); ++i) {
    acknowledged = *(*sink)->acknowledged();
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_EQ(acknowledged, header.size());
}

TEST_F(SyslogOverTls, NoticesThatTheOtherSideEnded) {
  const auto sink = SyslogClient::connect(*to_);
  ASSERT_TRUE(sink);
  ASSERT_TRUE((*sink)->write("no request\r\n\r\n"));  // this door answers and closes
  EXPECT_TRUE(breaks(**sink));
}

// TLS 1.3 lets a client finish before its certificate is judged: only the connection's end tells.
TEST_F(SyslogOverTls, NoticesThatOurCertificateIsRefused) {
  accepts_ = false;
  const auto sink = SyslogClient::connect(*to_);
  if (sink) {
    (void)(*sink)->write("x");
    EXPECT_TRUE(breaks(**sink));
  } else {
    EXPECT_EQ(sink.error().code, SyslogErrc::CannotConnect);
  }
}

TEST_F(SyslogOverTls, BelievesOnlyWhoIsVouchedForAndBearsTheName) {
  EXPECT_EQ(refusal(), boost::system::error_code{});
  for (const auto* name : {"somebody.else.example", "common.example", "example", "127.0.0.1"}) {
    to_->server_name = name;
    EXPECT_EQ(refusal(), SyslogErrc::WrongServer) << name;
  }
  to_->server_name = "repository.example";
  to_->trust = trusting(client_credential().certificate);
  EXPECT_EQ(refusal(), SyslogErrc::WrongServer);
}

TEST_F(SyslogOverTls, SaysThatNobodyListens) {
  to_->port = 1;
  EXPECT_EQ(refusal(), SyslogErrc::CannotConnect);
  to_->host = "no.such.host.invalid";
  EXPECT_EQ(refusal(), SyslogErrc::CannotConnect);
}

}  // namespace
}  // namespace gateway::net
