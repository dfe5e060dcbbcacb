#pragma once
// JSON text, member by member, in the order given. [RFC 8259]
// The caller keeps begin and end in pairs and gives UTF-8.

#include <cstdint>
#include <string>
#include <string_view>

namespace base::json {

class Writer {
 public:
  Writer& begin_object() { return open('{'); }
  Writer& end_object() { return close('}'); }
  Writer& begin_array() { return open('['); }
  Writer& end_array() { return close(']'); }
  Writer& name(std::string_view member);
  Writer& string(std::string_view text);
  Writer& integer(std::int64_t number);
  Writer& boolean(bool value);
  Writer& null();
  /// name and string in one; nothing at all for an empty text.
  Writer& member(std::string_view member, std::string_view text);
  const std::string& text() const { return text_; }

 private:
  Writer& open(char bracket);
  Writer& close(char bracket);
  void separate();
  void quote(std::string_view text);
  std::string text_;
  bool first_ = true;  ///< no comma before the next value
};

}  // namespace base::json
