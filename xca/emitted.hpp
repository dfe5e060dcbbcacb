#pragma once
// The gate of everything we emit: no payload leaves that does not fit our own schemas. Registry objects are the bulk of
// an answer and the same in every answer: one that was found valid is known by its tag and not asked about again.

#include "certs/crypto.hpp"

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

namespace xca {

class EmittedGate {
 public:
  /// @param remembered_max  objects: about 100 octets each
  explicit EmittedGate(std::size_t remembered_max = 16'384);

  /// Whether a payload, in the canonical form in which we write, is valid. Any thread may ask.
  bool passes(std::string_view payload);
  /// Objects that would not be asked about again.
  std::size_t remembered() const;

 private:
  bool knows(const std::string& tag) const;

  const std::size_t remembered_max_;
  const certs::Gmac seen_;  ///< under a key of this process, of which nothing ever leaves it
  mutable std::mutex mutex_;
  std::unordered_set<std::string> recent_, before_;  ///< tags; `before_` goes when `recent_` has grown to half
};

/// The gate all answers of this process go through.
EmittedGate& emitted_gate();

}  // namespace xca
