#include "fuzz/target.hpp"

#include <cstdio>
#include <cstdlib>

namespace fuzz {

void found(std::string_view what) {
  std::fprintf(stderr, "FOUND: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace fuzz
