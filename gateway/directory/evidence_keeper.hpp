#pragma once
// Keeps revocation evidence at hand: fetches what the judges asked about, again before it ceases to vouch, and says
// when somebody has been believed without any for too long. No request ever waits for it.
// [threats.md L09; docs/decisions/007-revocation-evidence.md]

#include "certs/evidence.hpp"
#include "gateway/net/fetcher.hpp"
#include "gateway/net/metrics.hpp"

namespace gateway::directory {

using base::Instant;
using base::Result;

struct EvidenceTimes {
  std::chrono::milliseconds look{200};             ///< how often for what was asked meanwhile
  unsigned looks_between_alarms = 10;
  unsigned alarms_between_clearing = 1800;         ///< an hour
  std::chrono::seconds refresh_min{2};
  std::chrono::seconds refresh_max{3600};          ///< also where evidence would vouch for longer
  std::chrono::seconds retry_min{5};               ///< after a failure, doubled up to retry_max
  std::chrono::seconds retry_max{600};
  std::chrono::hours alarm_after{24};              ///< believed without evidence for so long
};

struct EvidenceSettings {
  bool lists = true, responses = true;             ///< what may be fetched
  std::vector<std::string> fetch_allow = {};       ///< networks beside the public ones
  EvidenceTimes times = {};
};

class EvidenceKeeper {
 public:
  /// @error net::FetchErrc::BadAddress for a network that is none
  static Result<std::unique_ptr<EvidenceKeeper>> start(EvidenceSettings settings, net::Metrics& metrics);
  ~EvidenceKeeper();

  /// What every TrustStore of this process is to look into.
  std::shared_ptr<certs::GatheredEvidence> evidence() const;

 private:
  struct Parts;
  explicit EvidenceKeeper(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace gateway::directory
