#pragma once
// The directory of organizations with the trust it gives, as snapshots for the corridors. [design §4 caller; facts
// §6.3]

#include "gateway/exchange/ports.hpp"
#include "gateway/store/database.hpp"

#include <mutex>

namespace gateway::directory {

using base::fail;
using base::Instant;
using base::Result;

class DirectoryShelf final : public exchange::Directory {
 public:
  /// @param evidence  anchors, intermediates and revocation lists of the configured bundle files
  DirectoryShelf(store::Database& database, certs::TrustEvidence evidence);
  /// One cheap select; everything is read again when the version has changed. A directory that cannot be read is an
  /// error, never the last one that could: what it no longer says must not be believed.
  /// @error store::Errc::Unavailable, store::Errc::Unreadable
  Result<std::shared_ptr<const exchange::DirectoryView>> current() override;
  /// After a reload of the bundle files: the next current() builds anew.
  void replace_evidence(certs::TrustEvidence evidence);

 private:
  store::Database& database_;
  std::mutex mutex_;
  certs::TrustEvidence evidence_;
  std::int64_t version_ = 0;
  unsigned evidence_number_ = 1;
  std::shared_ptr<const exchange::DirectoryView> snapshot_;
};

}  // namespace gateway::directory
