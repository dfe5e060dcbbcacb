#pragma once
// Changes that keep an input readable more often than changes of bytes do: whole elements, attributes and ASN.1 values
// are taken away, doubled, moved, renamed and refilled.

#include "fuzz/target.hpp"

#include <cstdint>

namespace fuzz {

/// SplitMix64: the same changes for the same seed, everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : std::size_t(next() % bound); }
  bool one_in(std::size_t bound) { return below(bound) == 0; }

 private:
  std::uint64_t state_;
};

/// Changes bytes without knowing what they are.
using ByteMutator = std::function<std::string(std::string bytes, Random& random)>;
std::string mutate_bytes(std::string bytes, Random& random);

/// One to four changes of `input`. @param other  another input, to take parts of
std::string mutate(std::string input, std::string_view other, Random& random, const ByteMutator& bytes);

}  // namespace fuzz
