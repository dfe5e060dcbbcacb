#pragma once
// Fetches small files over plain http on a thread of its own: revocation lists by GET, OCSP by POST. Bounded in time,
// size and number; no redirect is followed; the connection goes to the very address that was judged.
// [RFC 9110; threats.md L09, S01; design §5]

#include "gateway/net/http_answer.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace gateway::net {

struct FetchLimits {
  std::chrono::milliseconds time{5000};  ///< from the name's resolution to the last octet
  AnswerReader::Limits answer = {};
  std::size_t at_once = 8;
  std::size_t waiting = 1024;
};

struct FetchOrder {
  std::string url;
  Bytes body = {};  ///< empty: GET, else POST
  std::string content_type = {};
};

class Fetcher {
 public:
  using Done = std::function<void(Result<Bytes>)>;

  explicit Fetcher(AllowedNetworks allowed, FetchLimits limits = {});
  ~Fetcher();  ///< what is under way ends without a word; blocks until the thread has ended
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  /// Never waits. @param done  once, on the fetcher's thread. @error any FetchErrc
  void fetch(FetchOrder order, Done done);
  /// Calls `tick` on the fetcher's thread again and again, from now on.
  void every(std::chrono::milliseconds pause, std::function<void()> tick);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gateway::net
