#pragma once
// Characters that a reader cannot see. They have no place in an identifier, an address or a log line. [threats.md X10]

#include <string_view>

namespace xca::soap {

/// True for control characters (C0, DEL, C1), soft hyphen, zero-width and direction marks, line separators, BOM and
/// interlinear anchors, and for bytes that are no UTF-8.
bool has_hidden_characters(std::string_view text) noexcept;

}  // namespace xca::soap
