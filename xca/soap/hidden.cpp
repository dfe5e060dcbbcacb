#include "xca/soap/hidden.hpp"

#include "base/bytes.hpp"

#include <algorithm>

namespace xca::soap {
namespace {

struct Range {
  char32_t first, last;
};
constexpr Range hidden[] = {{0, 0x1F},        {0x7F, 0x9F},     {0xAD, 0xAD},      {0x61C, 0x61C},
                            {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E},  {0x2060, 0x206F},
                            {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}};

/// The next code point of well-formed UTF-8.
char32_t take(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80 ? 1u : lead < 0xE0 ? 2u : lead < 0xF0 ? 3u : 4u;
  char32_t point = size == 1 ? lead : lead & (0x7Fu >> size);
  for (const char c : text.substr(1, size - 1)) point = point << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
  text.remove_prefix(size);
  return point;
}

}  // namespace

bool has_hidden_characters(std::string_view text) noexcept {
  if (!base::is_utf8(text)) return true;
  while (!text.empty()) {
    const auto point = take(text);
    if (std::ranges::any_of(hidden, [&](const Range& r) { return r.first <= point && point <= r.last; })) return true;
  }
  return false;
}

}  // namespace xca::soap
