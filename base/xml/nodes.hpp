#pragma once
// The way from an Element to libxml2's node, for the .cpp files of base/xml alone.

#include "base/xml/document.hpp"

#include <libxml/tree.h>

namespace base::xml {

struct NodeAccess {
  static xmlNode* of(const Element& element) noexcept { return element.node_; }
};

inline std::string_view view(const xmlChar* text) noexcept {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

/// Starts libxml2, once: nothing outside the bytes given to us is ever opened by it, in whatever part of the process.
void start_libxml2();

}  // namespace base::xml
