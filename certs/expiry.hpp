#pragma once
// When certificates end, and whom to tell: an alarm at 30, 7 and 1 days and at the end, each once. [threats.md L11]

#include "certs/x509.hpp"

#include <map>

namespace certs {

/// Whole days until a certificate ends: 0 on its last day, negative once it has ended.
std::int64_t days_left(const Certificate& certificate, Instant now);

/// A certificate and what it is to us: `tls`, `signing`, `anchor`, `intermediate`, `partner`.
struct Dated {
  std::string role;
  Certificate certificate;
};

class ExpiryAlarms {
 public:
  struct Alarm {
    Dated dated;
    std::int64_t days_left;
    bool urgent;  ///< a week or less
  };
  /// Those that have come nearer than a mark since they were last looked at. What is no longer listed is forgotten.
  std::vector<Alarm> due(std::span<const Dated> all, Instant now);

 private:
  std::map<std::string, std::int64_t> marks_;  ///< by role and SHA-256: the nearest mark told
};

/// Role → days until the first of its certificates ends.
std::map<std::string, std::int64_t> first_to_end(std::span<const Dated> all, Instant now);

}  // namespace certs
