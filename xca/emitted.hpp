#pragma once
// The gate of everything we emit: no payload leaves that does not fit our own schemas. Registry objects are the bulk of
// an answer and the same in every answer: one that was found valid is known by its hash and not asked about again.

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

namespace xca {

class EmittedGate {
 public:
  /// @param remembered_max  objects: about 100 octets each
  explicit EmittedGate(std::size_t remembered_max = 16'384) : remembered_max_(remembered_max) {}

  /// Whether a payload, in the canonical form in which we write, is valid. Any thread may ask.
  bool passes(std::string_view payload);
  /// Objects that would not be asked about again.
  std::size_t remembered() const;

 private:
  bool knows(const std::string& hash) const;

  const std::size_t remembered_max_;
  mutable std::mutex mutex_;
  std::unordered_set<std::string> recent_, before_;  ///< SHA-256; `before_` goes when `recent_` has grown to half
};

/// The gate all answers of this process go through.
EmittedGate& emitted_gate();

}  // namespace xca
