#pragma once
// Empties the outbox into an audit repository, in the order of each node's chain. Syslog acknowledges nothing, so a
// message is handed over at least once: its row goes only after the other machine's kernel has acknowledged every octet
// of it and the connection has stood for a while after that. Whatever a broken connection leaves open is sent again.
// [facts/query-exchange §8.3; design §6, §7]

#include "gateway/audit/spool.hpp"
#include "gateway/audit/syslog.hpp"

#include <deque>
#include <map>
#include <thread>

namespace gateway::audit {

/// One connection to the repository. Octets count from its beginning.
class Sink {
 public:
  virtual ~Sink() = default;
  /// Hands octets to the kernel; waits for a slow reader as long as its patience goes.
  virtual Result<void> write(base::BytesView frames) = 0;
  /// How many octets the other machine has acknowledged. @error where the connection has ended
  virtual Result<std::uint64_t> acknowledged() = 0;
};
using OpenSink = std::function<Result<std::unique_ptr<Sink>>()>;

class Sender {
 public:
  struct Options {
    std::string holder;  ///< this node: its leases survive a restart
    SyslogHeader header;
    std::chrono::milliseconds settle{1000};  ///< how long a connection must stand after the acknowledgement
    std::chrono::milliseconds back_off_least{500}, back_off_most{5000};
    std::chrono::milliseconds pause{50};  ///< between two looks: one commit's messages leave with the next one's
    std::chrono::seconds lease{30};
    std::chrono::milliseconds farewell{3000};  ///< at the end, for what is still waiting
    std::size_t rows_per_read = 256;
    std::size_t unsettled_max = 8192;  ///< messages handed over and not yet believed
  };
  /// Counts what waits, then sends it on a thread of its own. @error store::Errc::…
  static Result<std::unique_ptr<Sender>> start(store::Database& database, Spool& spool, OpenSink open,
                                               Options options);
  ~Sender();  ///< sends what waits within Options::farewell

  struct Figures {
    std::uint64_t sent = 0;        ///< messages believed to have arrived
    std::uint64_t sent_again = 0;  ///< messages that a broken connection left open
    bool connected = false;
  };
  Figures figures() const;

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  /// Messages of one lane that were written together.
  struct Unsettled {
    std::string lane;
    OutboxPlace last;
    std::size_t messages;
    std::uint64_t end;  ///< octets written up to their end
    std::optional<SteadyTime> acknowledged_at = {};
  };
  struct Lane {
    std::optional<OutboxPlace> written = {};
    SteadyTime lease_end = {};  ///< of our own clock, with a margin
  };

  Sender(store::Database& database, Spool& spool, OpenSink open, Options options);
  void run();
  bool turn();
  bool connect();
  void lose(const base::Error& error);
  Result<std::size_t> send_some();
  Result<std::size_t> send_lane(store::Session& session, const std::string& node, Lane& lane);
  Result<void> settle();
  Result<void> look_after();
  std::string frames_of(const std::string& node, const OutboxRow& row) const;

  store::Database& database_;
  Spool& spool_;
  const OpenSink open_;
  const Options options_;
  std::unique_ptr<Sink> sink_;
  std::map<std::string, Lane> lanes_;
  std::deque<Unsettled> unsettled_;
  std::size_t unsettled_messages_ = 0;
  std::uint64_t octets_ = 0;  ///< written to this sink
  SteadyTime connect_at_ = {}, looked_after_at_ = {}, settled_at_ = {};
  std::chrono::milliseconds back_off_;
  bool told_of_failure_ = false, told_nearly_full_ = false, told_full_ = false;
  std::atomic<std::uint64_t> sent_{0}, sent_again_{0};
  std::atomic<bool> connected_{false}, ending_{false};
  std::thread thread_;
};

}  // namespace gateway::audit
