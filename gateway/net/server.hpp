#pragma once
// Sockets, TLS and HTTP/1.1: bytes in, bytes out. The only room with coroutines; it knows neither SOAP nor patients.
// [RFC 9110, 9112; threats.md K13–K16, K22, H, L; design §5]

#include "certs/x509.hpp"
#include "gateway/net/body.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gateway::net {

enum class Errc {
  CannotListen = 1,
  BadCredential,
  NoClientCertificate,         ///< on a door that asks for one
  ClientCertificatesTooLarge,  ///< more or larger certificates than are read [L08]
  NotTaken,                    ///< the peer left, or was too slow, before it had the whole answer
  WrongSize,                   ///< a source gave more or less than it had said
};
boost::system::error_code make_error_code(Errc) noexcept;

using SteadyTime = std::chrono::steady_clock::time_point;

/// Who is at the other end of a connection. Shared by all requests of it.
struct Peer {
  std::string address;                                 ///< numeric, without port
  std::optional<certs::Certificate> certificate = {};  ///< TLS client certificate, on mutual-TLS doors always there
  std::vector<certs::Certificate> presented = {};      ///< further certificates it sent
};

struct Request {
  std::string method = {}, path = {};  ///< path without query, decoded nowhere: routed on an exact table
  std::string content_type;            ///< as sent, empty where absent
  Bytes body;
  std::shared_ptr<const Peer> peer;
  SteadyTime first_byte{};  ///< when the first byte of this request arrived
};

struct Response {
  unsigned status = 200;
  std::string content_type = {};
  Body body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::optional<SteadyTime> not_before = {};  ///< the answer is held until then: the time floor
  /// Called once: the last byte was handed to the kernel, or why not: Errc::NotTaken, or the error of a source.
  std::function<void(const Result<void>&)> sent = {};
};

/// Answers one request, now or later, on any thread, exactly once.
using Reply = std::function<void(Response)>;
using Handler = std::function<void(Request, Reply)>;

/// How requests wait for their turn: all that are ready on a thread are read in before the first of them is handled.
struct Queue {
  /// Whose turn it is: requests of one share wait behind each other, shares take turns. Asked once per connection.
  std::function<std::string(const Peer&)> share_of;
  /// Told of each request as it has come in; what it returns is kept until its request has been handled.
  std::function<std::shared_ptr<void>()> expect;
  /// Answers at once a request of a share of which Limits::waiting_per_share wait already.
  Handler overloaded;
};

/// One row of a door's table.
struct Route {
  std::string method, path;
  Handler handler;
  std::shared_ptr<const Queue> queue = {};  ///< none: handled as it comes
};

/// What one door may cost; every value is a setting.
struct Limits {
  std::size_t header_bytes = 16u << 10;  ///< request line and header fields
  std::size_t header_fields = 100;
  std::size_t field_bytes = 8u << 10;
  std::size_t body_bytes = 35u << 20;
  std::size_t connections = 2000;
  std::size_t connections_per_address = 500;
  std::size_t waiting_per_share = 200;  ///< requests, on each thread
  std::size_t accepts_per_second_per_address = 500;  ///< a flood is turned away before it costs a signature [L10]
  std::chrono::milliseconds handshake{5000};
  std::chrono::milliseconds header{10'000};  ///< from the first byte of a request to the end of its header
  std::chrono::milliseconds idle{30'000};
  std::chrono::milliseconds body_base{30'000};  ///< plus size / body_bytes_per_second
  std::size_t body_bytes_per_second = 64u << 10;
  std::chrono::milliseconds write{60'000};
  std::chrono::milliseconds drain{30'000};  ///< on shutdown, for running requests
};

/// TLS of a door. Without accept_client no client certificate is asked for.
struct Tls {
  certs::Credential credential;
  /// Judges a client certificate during the handshake: false ends it with an alert. Called on I/O threads.
  std::function<bool(const Peer&)> accept_client = {};
  /// Judges the client of an open connection again; accept_client where there is none.
  std::function<bool(const Peer&)> keep_client = {};
  /// Told of a client that was refused before accept_client could judge it. Called on I/O threads.
  std::function<void(const Peer&, const base::Error&)> refused_unjudged = {};
};

struct Door {
  std::string name = {};     ///< for logs and metrics
  std::string address = {};  ///< to listen on
  std::uint16_t port = 0;    ///< 0: a free one
  std::optional<Tls> tls = {};
  Limits limits = {};
  std::vector<Route> routes = {};
};

/// What the house wants to hear of connections. Called on I/O threads.
struct Watch {
  /// `accepted`, `too-many`, `too-fast`, `no-descriptor`, `handshake-failed`, `bad-request`, `timed-out`, `cut-off`,
  /// `broken-off`, `withdrawn`; `defect`, also with an empty door
  std::function<void(const std::string& door, const std::string& what)> count = {};
};

/// Listens on doors and serves them on a fixed number of threads.
class Server {
 public:
  Server(unsigned threads, Watch watch);
  ~Server();
  /// @return the port it listens on. @error Errc::CannotListen, Errc::BadCredential
  Result<std::uint16_t> open(Door door);
  /// New connections of a door use this credential from now on; running ones go on.
  Result<void> replace_credential(const std::string& door, certs::Credential credential);
  /// Closes idle connections of a door whose peer is no longer accepted; others are asked at their next request.
  void close_withdrawn(const std::string& door);
  void start();
  /// Stops listening, lets running requests finish within Limits::drain, then closes. Blocks.
  void stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gateway::net

namespace boost::system {
template <>
struct is_error_code_enum<gateway::net::Errc> : std::true_type {};
}  // namespace boost::system
