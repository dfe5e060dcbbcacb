#pragma once
// Answers asynchronous requests: takes what waits, connects to the address that its organization lists, runs the very
// corridor of a request once more with the policy of that moment, commits event and decision, and only then lets the
// first byte go. On the wire this is at least once, with the same MessageID at every attempt.
// [WS-Addressing 1.0; design §5, §6, §7; facts/query-exchange §1.5]

#include "gateway/exchange/responding_gateway.hpp"
#include "gateway/exchange/time_floor.hpp"
#include "gateway/net/metrics.hpp"

#include <condition_variable>
#include <map>
#include <thread>

namespace gateway::exchange {

struct CallBackSettings {
  unsigned workers = 4;
  net::AllowedNetworks allowed = {};
  unsigned attempts = 8;
  std::chrono::seconds retry{10};           ///< after the first failure; doubled by each further one
  std::chrono::seconds expiry{3600};        ///< from the request's acceptance: then it is given up
  std::chrono::seconds lease{120};          ///< how long one attempt is nobody else's; the call itself ends within half
  std::chrono::seconds handshake{10};       ///< an address that has not taken the connection by then has failed
  std::chrono::milliseconds look_every{200};  ///< for what has become due
  std::chrono::microseconds floor_least{3000};
};

/// When the attempt after `failed` failed ones begins: doubled each time, never after `end`.
Instant next_attempt(Instant now, unsigned failed, std::chrono::seconds first, Instant end);

class CallBacks {
 public:
  CallBacks(CallBackSettings settings, RespondingGateway& gateway, Directory& directory, PendingAnswers& pending,
            audit::Journal& journal, net::Metrics& metrics, certs::Credential credential);
  ~CallBacks();  ///< as stop()

  void start();
  /// Ends what is under way within a fraction of a second; it will be tried again.
  void stop();
  /// From now on we call with this credential.
  void replace_credential(certs::Credential credential);

 private:
  struct Attempt;
  void run(const std::stop_token& stop);
  bool work(const std::stop_token& stop);
  Result<std::optional<TakenAnswer>> take();
  void attempt(const TakenAnswer& taken, const std::stop_token& stop);
  Result<net::Caller> call(const Attempt& attempt, const std::string& address) const;
  Result<void> answer(Attempt& attempt);
  Prepared decide(const Received& received, const PendingAnswer& answer);
  Result<void> send(Attempt& attempt, net::Caller caller, Prepared prepared);
  void end(const Attempt& attempt, audit::Outcome outcome, std::string reason, std::string sentence);
  void again(const Attempt& attempt, const base::Error& error);

  const CallBackSettings settings_;
  RespondingGateway& gateway_;
  Directory& directory_;
  PendingAnswers& pending_;
  audit::Journal& journal_;
  net::Metrics& metrics_;
  TimeFloor floor_;
  mutable std::mutex mutex_;
  std::map<std::string, unsigned> busy_;  ///< workers with each implementer, under mutex_
  std::condition_variable_any wake_;
  certs::Credential credential_;
  std::vector<std::jthread> workers_;
};

}  // namespace gateway::exchange
