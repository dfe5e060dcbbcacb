#pragma once
// Requests under the clock: within the process, over warm mutual TLS, and as a single client meets it. Every answer is
// checked after the clock has stopped: HTTP 200 and just what was asked for.

#include "gateway/bench/open_door.hpp"
#include "gateway/bench/sample.hpp"

#include <thread>

namespace gateway::bench {

enum class Errc {
  WrongAnswer = 1,  ///< an answer that is not what was asked for: nothing measured counts
  UnknownFigure,
  BadNumber,
  ProgramFailed,  ///< a program that was started to be measured ended badly
};
boost::system::error_code make_error_code(Errc) noexcept;

/// What patients of the bench have filed.
inline constexpr std::size_t entries_of_a_query = 20, document_octets = 5'000'000;

/// ITI-55: one match, the patient asked for. ITI-38: all entries. ITI-39: the document to the octet.
/// @error Errc::WrongAnswer
Result<void> check_answer(unsigned status, base::BytesView body, const Signed& asked);

/// One round: microseconds of each request, and how the audit trail wrote them.
struct Round {
  double cpu_us = 0;
  double wall_us = 0;  ///< of the round, by the number of its requests
  double batch = 0;    ///< entries of one commit
};

/// Requests on their way at once: enough that no core waits for a commit.
inline constexpr std::size_t in_flight = 64;

/// NetworkDoor::answer in a closed loop, on one thread for each core: as in `serve`, they live as long as the house
/// does.
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

/// A network door on the loopback interface with one I/O thread, and a partner with several connections.
class TlsDoor {
 public:
  /// @param kernel_receives  net::Destination::kernel_receives of the partner
  static Result<std::unique_ptr<TlsDoor>> open(MeasuredHouse& house, const Keys& keys,
                                               std::size_t connections = in_flight, int kernel_receives = 0);

  /// Every connection has one request on its way. The CPU time is that of the process without the asking thread.
  Result<Round> round(std::span<const Signed> requests, Sample& sample);
  /// Has every connection ask and read nothing, until nothing more is sent; then all is read and checked.
  /// @return octets by which the process had grown at most, for each request
  Result<double> grown_by_stalled(std::span<const Signed> requests);
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
