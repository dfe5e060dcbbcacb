#pragma once
// ITI-55 under the clock: within the process, over warm mutual TLS, and as a single client meets it. Every answer is
// checked after the clock has stopped: HTTP 200, queryResponseCode OK, one match, the patient asked for.

#include "gateway/bench/open_door.hpp"
#include "gateway/bench/sample.hpp"

#include <thread>

namespace gateway::bench {

enum class Errc {
  WrongAnswer = 1,  ///< an answer that is not the one match asked for: nothing measured counts
  UnknownFigure,
  BadNumber,
  ProgramFailed,  ///< a program that was started to be measured ended badly
};
boost::system::error_code make_error_code(Errc) noexcept;

/// @error Errc::WrongAnswer
Result<void> check_answer(unsigned status, base::BytesView envelope, const Somebody& about);

/// One round: microseconds of each request, and how the audit trail wrote them.
struct Round {
  double cpu_us = 0;
  double wall_us = 0;  ///< of the round, by the number of its requests
  double batch = 0;    ///< entries of one commit
};

/// NetworkDoor::answer in a closed loop with sixteen requests in flight, on one thread for each core: as in `serve`,
/// they live as long as the house does.
class InProcess {
 public:
  InProcess(MeasuredHouse& house, const certs::Certificate& peer, unsigned threads);
  ~InProcess();
  /// The CPU time is that of the whole process.
  Result<Round> round(std::span<Signed> requests, Sample& sample);

 private:
  struct Work;
  void answer_until_told_otherwise();

  MeasuredHouse& house_;
  std::shared_ptr<const net::Peer> peer_;
  std::unique_ptr<Work> work_;
  std::vector<std::jthread> threads_;  ///< last: they end before what they work on
};

/// A network door on the loopback interface with one I/O thread, and a partner with sixteen connections.
class TlsDoor {
 public:
  static Result<std::unique_ptr<TlsDoor>> open(MeasuredHouse& house, const Keys& keys);

  /// Every connection has one request on its way. The CPU time is that of the process without the asking thread.
  Result<Round> round(std::span<const Signed> requests, Sample& sample);
  net::BlockingClient& client() { return clients_.front(); }

 private:
  TlsDoor(MeasuredHouse& house, std::unique_ptr<OpenDoor> door) : house_(house), door_(std::move(door)) {}

  MeasuredHouse& house_;
  std::unique_ptr<OpenDoor> door_;
  std::vector<net::BlockingClient> clients_;  ///< last: they hang up before the door is closed
};

/// One connection, one request after the other, each answer checked. @return wall microseconds of each
Result<std::vector<double>> one_by_one(net::BlockingClient& client, std::span<const Signed> requests, Sample& sample);

}  // namespace gateway::bench

namespace boost::system {
template <>
struct is_error_code_enum<gateway::bench::Errc> : std::true_type {};
}  // namespace boost::system
