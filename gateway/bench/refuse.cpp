#include "gateway/bench/refuse.hpp"

#include "gateway/bench/cores.hpp"
#include "gateway/bench/figures.hpp"

#include <atomic>

namespace gateway::bench {
namespace {

using base::fail;
using std::chrono::steady_clock;

constexpr std::size_t connections = 32, different = 64;
constexpr double slowest_p99 = 2, kept_pace = 0.9;
constexpr auto settling = std::chrono::milliseconds(300);

/// Right in everything but the message's own signature, whose value is another.
Bytes with_bad_signature(Bytes request) {
  constexpr std::string_view opening = "<ds:SignatureValue>";
  const auto value = request.rfind(opening) + opening.size() + 10;
  for (std::size_t i = value; i < value + 8; ++i) request[i] = request[i] == 'A' ? 'B' : 'A';
  return request;
}

std::vector<Bytes> bad_requests(const Keys& keys, const Somebody& about) {
  const Asker asker(MeasuredHouse::other_route(), keys.other_partner);
  std::vector<Bytes> requests;
  for (std::size_t i = 0; i < different; ++i) {
    const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    requests.push_back(with_bad_signature(asker.request(about, i, now)));
  }
  return requests;
}

/// Sends at a steady pace over many connections, on a thread of its own, until it goes.
class Flood {
 public:
  Flood(std::vector<net::BlockingClient>& clients, const std::vector<Bytes>& requests, double per_second)
      : thread_([&, pace = std::chrono::duration<double>(1 / per_second)](const std::stop_token& stop) {
          result_ = send(clients, requests, pace, stop);
        }) {}

  std::size_t refused() const { return refused_; }
  Result<void> end() {
    thread_.request_stop();
    thread_.join();
    return result_;
  }

 private:
  Result<void> send(std::vector<net::BlockingClient>& clients, const std::vector<Bytes>& requests,
                    std::chrono::duration<double> pace, const std::stop_token& stop) {
    const auto begun = steady_clock::now();
    std::size_t sent = 0;
    const auto receive = [&](std::size_t which) -> Result<void> {
      const auto answer = TRY(clients[which % connections].receive());
      if (answer.status < 400 || answer.body.find(":Fault>") == Bytes::npos) {
        return fail(Errc::WrongAnswer, "a bad signature was answered with status " + std::to_string(answer.status));
      }
      ++refused_;
      return {};
    };
    for (; !stop.stop_requested(); ++sent) {
      std::this_thread::sleep_until(begun + std::chrono::duration_cast<steady_clock::duration>(
                                                static_cast<double>(sent) * pace));
      if (sent >= connections) TRY(receive(sent));
      TRY(clients[sent % connections].send(discovery_path, Asker::content_type(), requests[sent % different]));
    }
    for (std::size_t i = sent - std::min(sent, connections); i < sent; ++i) TRY(receive(i));
    return {};
  }

  std::atomic<std::size_t> refused_ = 0;
  Result<void> result_;
  std::jthread thread_;
};

}  // namespace

Result<Refused> refuse(MeasuredHouse& house, const Keys& keys, const RefusePlan& plan, std::span<const Signed> honest,
                       Sample& sample) {
  const auto door = TRY(OpenDoor::open(house, keys, std::max(1u, cores_available())));
  std::vector<net::BlockingClient> flooders;
  for (std::size_t i = 0; i < connections; ++i) {
    flooders.push_back(TRY(net::BlockingClient::connect(door->destination(keys.other_partner))));
  }
  auto client = TRY(net::BlockingClient::connect(door->destination(keys.partner)));
  const auto p99_of_next = [&]() -> Result<double> {
    const auto waits = TRY(one_by_one(client, honest.first(plan.honest_requests), sample));
    honest = honest.subspan(plan.honest_requests);
    return quantile(waits, 0.99);
  };
  const auto bad = bad_requests(keys, *honest.front().about);

  Refused best;
  TRY(p99_of_next());  // warms up
  best.calm_p99_us = TRY(p99_of_next());
  for (const double rate : plan.rates) {
    Flood flood(flooders, bad, rate);
    std::this_thread::sleep_for(settling);
    const double begun = wall_us();
    const auto before = flood.refused();
    const double p99 = TRY(p99_of_next());
    const double per_second = static_cast<double>(flood.refused() - before) / (wall_us() - begun) * 1e6;
    TRY(flood.end());
    if (p99 > slowest_p99 * best.calm_p99_us) break;
    best.per_second = per_second;
    best.p99_us = p99;
    if (per_second < kept_pace * rate) break;
  }
  return best;
}

}  // namespace gateway::bench
