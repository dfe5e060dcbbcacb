#pragma once
// The network door's side of every exchange: draws time and randomness, runs a corridor, and lets its answer go only
// after audit event, decision record and replay claim were committed. The one place where exceptions end.

#include "gateway/exchange/refusal_meter.hpp"
#include "gateway/exchange/responding_gateway.hpp"
#include "gateway/exchange/time_floor.hpp"
#include "gateway/net/metrics.hpp"
#include "gateway/net/server.hpp"

#include <atomic>

namespace gateway::exchange {

struct NetworkDoorSettings {
  std::chrono::microseconds floor_least{3000};  ///< negative answers leave no earlier after their request came in
  unsigned refusals_one_by_one = 600;           ///< per source and minute; further ones are counted
};

class NetworkDoor {
 public:
  NetworkDoor(NetworkDoorSettings settings, RespondingGateway& gateway, audit::Journal& journal,
              net::Metrics& metrics);

  /// The rows of a door that takes any transaction at these paths.
  std::vector<net::Route> routes(std::initializer_list<std::string_view> paths, Directory& directory);
  /// Answers one POST of SOAP. [net::Handler]
  void answer(net::Request request, net::Reply reply);
  /// Answers one for which there is no place to wait: a fault that says to come back. [threats.md O10]
  void turn_away(net::Request request, net::Reply reply);
  /// Judges a client certificate during the TLS handshake; one that is refused is written down.
  /// [facts §8.1, node authentication]
  bool accepts(const net::Peer& peer, Directory& directory);
  /// Judges an open connection again: beside its certificate, whether its partner is still one. [threats L07]
  bool keeps(const net::Peer& peer, Directory& directory);
  /// Writes down a client whose handshake was refused.
  void connection_refused(const net::Peer& peer, const base::Error& error);
  /// While our own certificate has expired nobody is let in. [threats L11]
  void set_own_expired(bool expired) { own_expired_ = expired; }

 private:
  struct Passage;
  void commit(std::shared_ptr<Passage> passage);
  void leave(Passage& passage);
  std::shared_ptr<Passage> take_in(net::Request request, net::Reply reply) const;
  Result<std::shared_ptr<const DirectoryView>> judge(const net::Peer& peer, Directory& directory) const;
  bool lets_in(const net::Peer& peer, const Result<void>& judged);
  static void note_broken_off(audit::Event& event, const base::Error& error);
  bool write_refusal(const std::string& source, Instant now);

  RespondingGateway& gateway_;
  audit::Journal& journal_;
  net::Metrics& metrics_;
  TimeFloor floor_;
  RefusalMeter refusals_;
  std::atomic<bool> own_expired_{false};
};

}  // namespace gateway::exchange
