#pragma once
// One request on its way through a corridor: what came in, what was found out about its caller, and what will be
// written down about it. The corridors fill it; run() commits it.

#include "gateway/audit/journal.hpp"
#include "gateway/exchange/ports.hpp"
#include "xca/soap/answer.hpp"
#include "xca/transactions.hpp"

namespace gateway::exchange {

enum class Errc {
  CallerRefused = 1,  ///< the caller gate refused
  PurposeMissing,     ///< the token names no purpose
  Relayed,            ///< a captured message over another partner's connection
  Busy,               ///< the same request is already being answered
  Overloaded,         ///< more requests of one partner wait than may
  NotServedHere,      ///< a community this gateway does not speak for
  PeerUnknown,        ///< no client certificate
  PeerWithdrawn,      ///< an open connection of nobody whom the directory still knows as active
  OwnCertificateExpired,  ///< nobody is answered with it, unless the operator says so
  Defect,             ///< an exception ended the corridor
  TooManyWaiting,     ///< as many of this partner's requests wait for a call-back as may
  LeaseLost,          ///< another worker has taken this pending answer
  Discarded,          ///< a fault that the request wants sent nowhere
  NotTaken,           ///< the one who was called back answers with a status that is no success
};
boost::system::error_code make_error_code(Errc) noexcept;

/// What is known of a request that was accepted earlier and is answered now, by call-back.
struct Accepted {
  Instant at{};  ///< when it came in, was verified and claimed
  std::string reply_to, fault_to;
};

/// SHA-256 as the records write it.
std::string sha256_hex(base::BytesView bytes);

/// A request as a door hands it over, or a worker that answers by call-back.
struct Received {
  std::string_view content_type;
  base::BytesView body;
  const certs::Certificate* tls_certificate = nullptr;
  std::span<const certs::Certificate> tls_presented = {};
  std::string_view address;  ///< of the peer, numeric
  std::string_view path;     ///< that was called
  Instant now{};
  base::Seed seed{};
  std::string id;            ///< 32 hex digits
  const Accepted* accepted = nullptr;
};

/// The state of one exchange.
struct Exchange {
  explicit Exchange(const Received& received);

  const Received& in;
  Instant now;          ///< of the decision
  Instant received_at;  ///< whether the message is fresh is asked of this instant
  base::UuidStream ids;
  std::shared_ptr<const DirectoryView> directory = {};
  std::shared_ptr<const xca::wss::Signer> signer = {};
  PartnerSettings partner = {};
  policy::Caller caller = {};
  const xca::Transaction* transaction = nullptr;
  std::string message_id = {};  ///< of the request, for RelatesTo of a fault

  std::optional<audit::Claim> claim = {};
  std::shared_ptr<audit::InFlight> in_flight = {};
  audit::Event event = {};
  std::optional<audit::DecisionRecord> decision = {};
  base::Bytes query = {};       ///< as asked, where an audit repository is told
  bool identified = false;      ///< its security was verified
  std::optional<PendingAnswer> pending = {};  ///< of a request that is put off
  bool negative = false;        ///< an answer that must leave on the time floor
};

/// What a corridor leaves behind: an answer that may leave once its entry is committed.
struct Prepared {
  unsigned status = 200;
  std::string content_type;
  net::Body body;  ///< documents are read while it is sent
  audit::Entry entry;
  std::shared_ptr<audit::InFlight> in_flight;
  bool negative = false;
  std::string transaction;   ///< `ITI-55`, or empty where none was recognised
  std::string message_id;
  audit::Outcome outcome = audit::Outcome::Fault;
  std::string reason;
};

}  // namespace gateway::exchange

namespace boost::system {
template <>
struct is_error_code_enum<gateway::exchange::Errc> : std::true_type {};
}  // namespace boost::system
