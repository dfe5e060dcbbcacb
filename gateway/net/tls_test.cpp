// TLS of a door as clients meet it. [threats.md K15, K16, K22, L01–L04, L07, L08]
#include "base/error_table.hpp"
#include "gateway/net/server.hpp"
#include "gateway/net/testing.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <set>
#include <thread>

namespace gateway::net {
namespace {

using namespace std::chrono_literals;
using testing::Client;
using testing::client_credential;
using testing::ClientTls;

const std::string request = "GET /who HTTP/1.1\r\nHost: h\r\n\r\n";
const std::vector<int> versions{TLS1_2_VERSION, TLS1_3_VERSION};

ClientTls with_certificate(int version = 0) {
  ClientTls tls{.credential = &client_credential()};
  if (version != 0) tls.version_min = tls.version_max = version;
  return tls;
}

/// A mutual-TLS door that tells a client its own name.
class MutualTls : public ::testing::Test {
 protected:
  void SetUp() override { serve(testing::rsa_server()); }
  void serve(const certs::Credential& credential) {
    const auto opened = server_.open({.name = "network",
                                      .address = "127.0.0.1",
                                      .tls = Tls{.credential = credential,
                                                 .accept_client =
                                                     [this](const Peer& peer) {
                                                       ++judged_;
                                                       return accept_(peer);
                                                     },
                                                 .refused_unjudged =
                                                     [this](const Peer&, const base::Error& error) {
                                                       unjudged_.push_back(std::string(base::reason_of(error)));
                                                     }},
                                      .routes = {{"GET", "/who",
                                                  [](const Request& asked, const Reply& reply) {
                                                    reply({.body = {asked.peer->certificate->subject()}});
                                                  }},
                                                 {"GET", "/large", [](const Request&, const Reply& reply) {
                                                    reply({.body = {Bytes(5u << 20, 'x')}});
                                                  }}}});
    ASSERT_TRUE(opened);
    port_ = *opened;
    server_.start();
  }
  /// Whether a client with these settings is served.
  bool served(const ClientTls& tls) {
    Client client(port_, tls);
    return client.connected() && client.ask(request).status == 200;
  }

  std::atomic<int> judged_{0};
  std::vector<std::string> unjudged_;  ///< written by the server's one thread
  std::function<bool(const Peer&)> accept_ = [](const Peer& peer) {
    return peer.certificate == client_credential().certificate && peer.address == "127.0.0.1";
  };
  std::uint16_t port_ = 0;
  Server server_{1, {}};
};

TEST_F(MutualTls, ServesAClientWhoseCertificateIsAccepted) {
  for (const int version : versions) {
    Client client(port_, with_certificate(version));
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(client.ask(request).body, "CN=client.example.org");
    EXPECT_EQ(SSL_version(client.tls()), version);
  }
  EXPECT_EQ(judged_, 2);
}

TEST_F(MutualTls, RefusesAClientWithoutCertificate) {
  for (const int version : versions) {
    EXPECT_FALSE(served({.version_min = version, .version_max = version}));
  }
  EXPECT_EQ(judged_, 0);
  server_.stop();  // its thread writes what is read here
  EXPECT_THAT(unjudged_, ::testing::ElementsAre("client-certificate-missing", "client-certificate-missing"));
}

TEST_F(MutualTls, RefusesAClientWhoseCertificateIsNotAccepted) {
  const auto stranger = testing::issue("stranger.example.org");
  for (const int version : versions) {
    EXPECT_FALSE(served({.credential = &stranger, .version_min = version, .version_max = version}));
  }
  EXPECT_EQ(judged_, 2);
  accept_ = [](const Peer&) -> bool { throw std::runtime_error("cannot judge"); };
  EXPECT_FALSE(served(with_certificate()));
}

TEST_F(MutualTls, ServesASelfSignedClientThatIsAccepted) {
  const auto self_signed = testing::authority().credential();
  accept_ = [&](const Peer& peer) { return peer.certificate == self_signed.certificate; };
  EXPECT_TRUE(served({.credential = &self_signed}));
}

TEST_F(MutualTls, ShowsWhatAClientPresentsUpToTenCertificates) {  // [L08]
  auto credential = client_credential();
  std::size_t presented = 0;
  accept_ = [&](const Peer& peer) { return presented = peer.presented.size(), true; };
  credential.chain.assign(9, testing::authority().credential().certificate);
  EXPECT_TRUE(served({.credential = &credential}));
  EXPECT_EQ(presented, 9u);
  credential.chain.push_back(testing::authority().credential().certificate);
  EXPECT_FALSE(served({.credential = &credential}));
  EXPECT_EQ(judged_, 1);
  server_.stop();  // its thread writes what is read here
  EXPECT_THAT(unjudged_, ::testing::ElementsAre("client-certificates-too-large"));
}

TEST_F(MutualTls, SpeaksTls12And13Only) {  // [L01]
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    auto tls = with_certificate(version);
    tls.suites = "ALL:@SECLEVEL=0";
    EXPECT_FALSE(served(tls)) << version;
  }
}

/// Every suite OpenSSL knows, offered alone.
std::set<std::string> suites_served(std::uint16_t port) {
  auto* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, "ALL:COMPLEMENTOFALL:eNULL:@SECLEVEL=0");
  std::set<std::string> served;
  const auto* suites = SSL_CTX_get_ciphers(context);
  for (int i = 0; i < sk_SSL_CIPHER_num(suites); ++i) {
    auto tls = with_certificate(TLS1_2_VERSION);
    tls.suites = std::string(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(suites, i)));
    if (tls.suites.starts_with("TLS_")) continue;
    Client client(port, tls);
    if (client.connected() && client.ask(request).status == 200) served.insert(tls.suites);
  }
  SSL_CTX_free(context);
  return served;
}

TEST_F(MutualTls, ServesExactlyTheSuitesOfTheListWithAnRsaKey) {  // [K22, L02]
  EXPECT_THAT(suites_served(port_),
              ::testing::UnorderedElementsAre("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256",
                                              "ECDHE-RSA-CHACHA20-POLY1305", "DHE-RSA-AES256-GCM-SHA384",
                                              "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-CHACHA20-POLY1305"));
}

TEST_F(MutualTls, ServesExactlyTheSuitesOfTheListWithAnEcKey) {  // [K22, L02]
  ASSERT_TRUE(server_.replace_credential("network", testing::ec_server()));
  EXPECT_THAT(suites_served(port_),
              ::testing::UnorderedElementsAre("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",
                                              "ECDHE-ECDSA-CHACHA20-POLY1305"));
}

TEST_F(MutualTls, AgreesOnHttp11ByAlpnOrNotAtAll) {  // [L01]
  auto tls = with_certificate();
  tls.protocols = "\x02h2\x08http/1.1";
  Client client(port_, tls);
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(client.tls(), &chosen, &size);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), size), "http/1.1");
  tls.protocols = "\x02h2";
  EXPECT_FALSE(served(tls));
}

TEST_F(MutualTls, ServesAClientThatOffersItsOldSessionByAFullHandshake) {  // [K15]
  for (const int version : versions) {
    Client first(port_, with_certificate(version));
    ASSERT_EQ(first.ask(request).status, 200u);
    auto tls = with_certificate(version);
    tls.session = SSL_get1_session(first.tls());
    Client second(port_, tls);
    EXPECT_TRUE(second.connected());
    EXPECT_EQ(second.ask(request).status, 200u) << "a fatal alert where resumption is half on";
    SSL_SESSION_free(tls.session);
  }
}

TEST_F(MutualTls, ResumesNoSession) {  // [K16, L07]
  for (const int version : versions) {
    judged_ = 0;
    Client first(port_, with_certificate(version));
    ASSERT_EQ(first.ask(request).status, 200u);
    auto tls = with_certificate(version);
    tls.session = SSL_get1_session(first.tls());
    EXPECT_EQ(SSL_SESSION_is_resumable(tls.session), 0);
    Client second(port_, tls);
    EXPECT_EQ(second.ask(request).status, 200u);
    EXPECT_EQ(SSL_session_reused(second.tls()), 0);
    EXPECT_EQ(judged_, 2) << "the certificate is judged anew";
    SSL_SESSION_free(tls.session);
  }
}

TEST_F(MutualTls, LetsNobodyBackInWhoIsNoLongerAccepted) {  // [K16, L07]
  for (const int version : versions) {
    accept_ = [](const Peer&) { return true; };
    Client first(port_, with_certificate(version));
    ASSERT_EQ(first.ask(request).status, 200u);
    accept_ = [](const Peer&) { return false; };
    auto tls = with_certificate(version);
    tls.session = SSL_get1_session(first.tls());
    EXPECT_FALSE(served(tls));
    SSL_SESSION_free(tls.session);
  }
}

TEST_F(MutualTls, DoesNotRenegotiate) {  // [L03]
  Client client(port_, with_certificate(TLS1_2_VERSION));
  ASSERT_EQ(client.ask(request).status, 200u);
  SSL_renegotiate(client.tls());
  EXPECT_NE(SSL_do_handshake(client.tls()), 1);
  EXPECT_TRUE(served(with_certificate(TLS1_2_VERSION)));
}

TEST_F(MutualTls, FollowsKeyUpdatesWithinReason) {  // [L03]
  Client client(port_, with_certificate(TLS1_3_VERSION));
  for (int i = 0; i < 20; ++i) {
    SSL_key_update(client.tls(), SSL_KEY_UPDATE_REQUESTED);
    ASSERT_EQ(client.ask(request).status, 200u);
  }
  bool refused = false;
  for (int i = 0; i < 1000 && !refused; ++i) {
    SSL_key_update(client.tls(), SSL_KEY_UPDATE_NOT_REQUESTED);
    refused = SSL_do_handshake(client.tls()) != 1;
    std::this_thread::sleep_for(100us);  // each in a segment of its own
  }
  EXPECT_TRUE(refused || client.ask(request).status == 0);
  EXPECT_TRUE(served(with_certificate()));
}

TEST_F(MutualTls, SendsMegabytesWholeAndSaysGoodbye) {
  for (const int version : versions) {
    Client client(port_, with_certificate(version));
    const auto answer = client.ask("GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(answer.body == Bytes(5u << 20, 'x'));
    EXPECT_TRUE(client.ends()) << "close_notify";
  }
}

TEST_F(MutualTls, RefusesAHostThatIsNotTheServerName) {  // [H06]
  auto tls = with_certificate();
  tls.server_name = "gw.example.org";
  EXPECT_EQ(Client(port_, tls).ask("GET /who HTTP/1.1\r\nHost: GW.example.org:8443\r\n\r\n").status, 200u);
  EXPECT_EQ(Client(port_, tls).ask("GET /who HTTP/1.1\r\nHost: other.example.org\r\n\r\n").status, 421u);
}

TEST_F(MutualTls, UsesANewCredentialForNewConnections) {  // [L12]
  Client before(port_, with_certificate());
  ASSERT_EQ(before.ask(request).status, 200u);
  ASSERT_TRUE(server_.replace_credential("network", testing::ec_server()));
  Client after(port_, with_certificate());
  EXPECT_EQ(X509_cmp(SSL_get0_peer_certificate(before.tls()), testing::rsa_server().certificate.handle()), 0);
  EXPECT_EQ(X509_cmp(SSL_get0_peer_certificate(after.tls()), testing::ec_server().certificate.handle()), 0);
  EXPECT_EQ(before.ask(request).status, 200u);
  auto mixed = testing::ec_server();
  mixed.certificate = testing::rsa_server().certificate;
  EXPECT_EQ(server_.replace_credential("network", mixed).error().code, Errc::BadCredential);
  EXPECT_FALSE(server_.replace_credential("unknown", testing::ec_server()));
  EXPECT_TRUE(served(with_certificate()));
}

TEST_F(MutualTls, ClosesConnectionsOfAWithdrawnPeerAndNoOthers) {  // [L07]
  const auto other = testing::issue("other.example.org");
  accept_ = [](const Peer&) { return true; };
  Client withdrawn(port_, with_certificate()), kept(port_, ClientTls{.credential = &other});
  ASSERT_EQ(withdrawn.ask(request).status, 200u);
  ASSERT_EQ(kept.ask(request).status, 200u);
  accept_ = [&](const Peer& peer) { return peer.certificate == other.certificate; };
  server_.close_withdrawn("network");
  EXPECT_TRUE(withdrawn.ends());
  EXPECT_EQ(kept.ask(request).status, 200u);
}

TEST_F(MutualTls, EndsAHandshakeThatDoesNotCome) {  // [H01]
  Server server(1, {});
  const auto port = server.open({.name = "x",
                                 .address = "127.0.0.1",
                                 .tls = Tls{.credential = testing::ec_server()},
                                 .limits = {.handshake = 100ms}});
  server.start();
  Client silent(*port);
  EXPECT_TRUE(silent.ends());
}

TEST(OneSidedTls, AsksForNoClientCertificate) {
  Server server(1, {});
  const auto port = server.open({.name = "clinic",
                                 .address = "127.0.0.1",
                                 .tls = Tls{.credential = testing::ec_server()},
                                 .routes = {{"GET", "/who", [](const Request& asked, const Reply& reply) {
                                               reply({.body = {asked.peer->certificate ? "someone" : "nobody"}});
                                             }}}});
  server.start();
  EXPECT_EQ(Client(*port, with_certificate()).ask(request).body, "nobody");
}

}  // namespace
}  // namespace gateway::net
