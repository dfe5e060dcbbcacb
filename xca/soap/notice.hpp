#pragma once
// What the recipient must be told of a document by law: a header block of our own beside the answer, which nobody need
// understand. Whether a document is under such an obligation is decided by policy. [42 CFR §2.32; decisions/016]

#include <string>
#include <string_view>

namespace xca::soap {

/// Of the header block gh:Notice.
inline constexpr std::string_view notice_namespace = "urn:gatehouse:notice:1";

struct Notice {
  std::string document;  ///< its unique id
  std::string scope;     ///< what it leaves on and what that permits, in words [42 CFR §2.32(b)]
  std::string statement;
  bool operator==(const Notice&) const = default;
};

}  // namespace xca::soap
