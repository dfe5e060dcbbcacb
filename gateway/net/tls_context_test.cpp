#include "gateway/net/tls_context.hpp"

#include "gateway/net/testing.hpp"

#include <gtest/gtest.h>

namespace gateway::net {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL* session) const noexcept { SSL_free(session); }
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using Session = std::unique_ptr<SSL, Free>;

/// A client and a server side that hand each other their bytes in memory.
struct Pair {
  Peer peer;
  Session server, client;

  Pair(const TlsContext& context, SSL_CTX* client_context) : server(context.new_session(peer)) {
    client.reset(SSL_new(client_context));
    SSL_set_connect_state(client.get());
    auto *to_server = BIO_new(BIO_s_mem()), *to_client = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(to_server, -1);
    BIO_set_mem_eof_return(to_client, -1);
    BIO_up_ref(to_server), BIO_up_ref(to_client);
    SSL_set_bio(server.get(), to_server, to_client);
    SSL_set_bio(client.get(), to_client, to_server);
  }

  bool shake_hands() {
    int ours = 0, theirs = 0;
    for (int i = 0; i < 10 && (ours != 1 || theirs != 1); ++i) {
      theirs = SSL_do_handshake(client.get());
      ours = SSL_do_handshake(server.get());
    }
    char none = 0;
    SSL_read(client.get(), &none, 1);  // the tickets of TLS 1.3 come behind the handshake
    return ours == 1 && theirs == 1;
  }
};

/// Undoes by hand what keeps a context from resuming sessions.
void allow_resumption(SSL_CTX* context) {
  SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
  SSL_CTX_set_num_tickets(context, 2);
}

TEST(TlsContext, SendsNoFatalAlertWhereSessionsAreResumed_K15) {
  const auto context =
      TlsContext::make({.credential = testing::ec_server(), .accept_client = [](const Peer&) { return true; }}).value();
  Peer unused;
  const Session any(context->new_session(unused));
  allow_resumption(SSL_get_SSL_CTX(any.get()));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const std::unique_ptr<SSL_CTX, Free> client(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_max_proto_version(client.get(), version);
    SSL_CTX_use_certificate(client.get(), testing::client_credential().certificate.handle());
    SSL_CTX_use_PrivateKey(client.get(), testing::client_credential().key.handle());
    Pair first(*context, client.get()), second(*context, client.get());
    ASSERT_TRUE(first.shake_hands());
    const std::unique_ptr<SSL_SESSION, Free> session(SSL_get1_session(first.client.get()));
    ASSERT_EQ(SSL_SESSION_is_resumable(session.get()), 1);
    SSL_set_session(second.client.get(), session.get());
    EXPECT_TRUE(second.shake_hands());
    EXPECT_EQ(SSL_session_reused(second.client.get()), 1);
  }
}

}  // namespace
}  // namespace gateway::net
