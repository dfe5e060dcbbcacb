#pragma once
// One POST over mutual TLS to somebody else's server, by blocking calls under deadlines. The name is resolved once
// and the connection goes to the very address that was judged; no redirect is followed; of the answer only the status
// is read. For threads that may wait; doors and corridors never do. The process ignores SIGPIPE.
// [RFC 9110, 9112; RFC 8446; RFC 6125; threats.md S01]

#include "gateway/net/fetch_rules.hpp"
#include "gateway/net/https_url.hpp"
#include "gateway/net/server.hpp"

#include <stop_token>

namespace gateway::net {

/// How somebody is called.
struct CallRules {
  certs::Credential credential;  ///< ours
  AllowedNetworks allowed = {};
  /// Whether the server's certificate is believed; that it is of the host is asked for besides.
  std::function<bool(const Peer& server)> accept_server;
  SteadyTime deadline;  ///< for everything from the name's resolution to the end of the handshake
  std::stop_token stop = {};
};

/// Judges an address that needs no resolution; names are judged by what they lead to, when they are called.
/// @error CallErrc::NotAllowed
Result<void> may_be_called(const HttpsUrl& url, const AllowedNetworks& allowed);

class Caller {
 public:
  /// Resolves, judges, connects and shakes hands.
  /// @error CallErrc::NotAllowed, CannotConnect, WrongServer, TimedOut
  static Result<Caller> connect(const HttpsUrl& url, CallRules rules);
  ~Caller();
  Caller(Caller&&) noexcept;
  Caller& operator=(Caller&&) noexcept;

  /// Sends one request and waits for its status; once for each connection. Interim answers (1xx) are passed over.
  /// @error CallErrc::Broken, BadAnswer, TimedOut: whether the server has read it is then not known; that of a source
  /// @param deadline  for the status to be there
  Result<unsigned> post(std::string_view content_type, Body body, SteadyTime deadline);

 private:
  struct Parts;
  explicit Caller(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace gateway::net
