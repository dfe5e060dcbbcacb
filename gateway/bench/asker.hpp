#pragma once
// The partner that asks: ITI-55 requests as a production client writes them, signed before any clock starts. Every
// request has its own instants, ids, token, patient and signatures. [facts/query-exchange §1, §2, §4]

#include "gateway/bench/population.hpp"

#include "certs/x509.hpp"

#include <functional>

namespace gateway::bench {

using base::Bytes;
using base::Instant;

/// Who asks whom, and where.
struct Route {
  std::string asker_home, asked_home;  ///< OIDs
  std::string to;                      ///< URL, also the audience of the token
};

/// A request ready for the wire and whom it asks for.
struct Signed {
  Bytes body;
  const Somebody* about = nullptr;
};

class Asker {
 public:
  static constexpr std::string_view content_type = "application/soap+xml; charset=UTF-8";
  static constexpr std::chrono::minutes lifetime{20};

  Asker(Route route, certs::Credential credential);

  /// One signed request. @param number  tells tokens apart: user, NPI and role text change with it
  Bytes request(const Somebody& about, std::size_t number, Instant now) const;

  /// `count` requests about one after the other of `people`, signed on all cores.
  /// @param progress  called on this thread with how many are ready, ten times a second
  std::vector<Signed> requests(std::span<const Somebody> people, std::size_t count,
                               const std::function<void(std::size_t ready)>& progress) const;

 private:
  Route route_;
  certs::Credential credential_;
  std::string key_info_;  ///< canonical ds:KeyInfo with KeyValue and X509Data
};

}  // namespace gateway::bench
