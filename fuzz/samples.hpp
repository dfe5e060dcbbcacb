#pragma once
// Seeds from messages that other implementations made: read where they lie, at each start. [base/shared_samples.hpp]

#include "base/shared_samples.hpp"
#include "xca/soap/envelope.hpp"

namespace fuzz {

/// Larger ones cost more than they find.
inline constexpr std::size_t seed_bytes_max = 64u << 10;

inline std::vector<std::string> samples(std::initializer_list<std::string> extensions) {
  std::vector<std::string> found;
  for (const auto& extension : extensions)
    for (const auto& path : base::shared_samples_with(extension))
      if (auto text = base::read_file(path); !text.empty() && text.size() <= seed_bytes_max)
        found.push_back(std::move(text));
  return found;
}

/// Every element of that name in the samples, as a document of its own.
inline std::vector<std::string> sample_elements(std::initializer_list<std::string_view> local_names) {
  std::vector<std::string> found;
  for (const auto& text : samples({".xml", ".txt"})) {
    const auto start = text.find('<');
    const auto document = start == std::string::npos
                              ? base::Result<base::xml::Document>(base::xml::Errc::NotWellFormed)
                              : base::xml::Document::parse(std::string_view(text).substr(start));
    if (!document) continue;
    std::vector<base::xml::Element> open{document->root()};
    while (!open.empty()) {
      const auto element = open.back();
      open.pop_back();
      if (std::ranges::find(local_names, element.local_name()) != local_names.end()) {
        found.push_back(base::xml::serialize(element));
      } else {
        for (const auto& child : element.children()) open.push_back(child);
      }
    }
  }
  return found;
}

}  // namespace fuzz
