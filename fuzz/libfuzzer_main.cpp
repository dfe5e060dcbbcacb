// libFuzzer's entry points over a target.

#include "fuzz/mutate.hpp"

#include <algorithm>
#include <cstring>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

namespace {

std::string_view view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// libFuzzer's own changes: they know what the code compared with.
std::string mutate_traced(std::string bytes, fuzz::Random& random) {
  const auto size = bytes.size();
  bytes.resize(size + 1 + random.below(64));
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(bytes.data()), size, bytes.size()));
  return bytes;
}

std::size_t give(const std::string& changed, std::uint8_t* data, std::size_t size_max) {
  const auto size = std::min(changed.size(), size_max);
  std::memcpy(data, changed.data(), size);
  return size;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::run(view(data, size));
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t size_max,
                                               unsigned seed) {
  fuzz::Random random(seed);
  if (random.one_in(6)) return LLVMFuzzerMutate(data, size, size_max);
  return give(fuzz::mutate(std::string(view(data, size)), {}, random, mutate_traced), data, size_max);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* one, std::size_t one_size,
                                                 const std::uint8_t* other, std::size_t other_size, std::uint8_t* out,
                                                 std::size_t size_max, unsigned seed) {
  fuzz::Random random(seed);
  return give(fuzz::mutate(std::string(view(one, one_size)), view(other, other_size), random, mutate_traced), out,
              size_max);
}
