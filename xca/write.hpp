#pragma once
// Tags in canonical form, for everything this room writes as text: no self-closing tags, escapes of base/xml/canonical.
// The caller keeps canonical order: namespace declarations first, then attributes by name.

#include "base/xml/canonical.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

namespace xca {

/// One attribute or namespace declaration. A value without storage (`{}`) is left out.
struct Attribute {
  std::string_view name, value;
};

inline void open_tag(std::string& out, std::string_view name, std::initializer_list<Attribute> attributes = {}) {
  out += '<';
  out += name;
  for (const Attribute& attribute : attributes) {
    if (attribute.value.data() == nullptr) continue;
    out += ' ';
    out += attribute.name;
    out += "=\"";
    base::xml::append_attribute(out, attribute.value);
    out += '"';
  }
  out += '>';
}

inline void close_tag(std::string& out, std::string_view name) {
  out += "</";
  out += name;
  out += '>';
}

inline void empty_tag(std::string& out, std::string_view name, std::initializer_list<Attribute> attributes = {}) {
  open_tag(out, name, attributes);
  close_tag(out, name);
}

inline void text_tag(std::string& out, std::string_view name, std::string_view text) {
  open_tag(out, name);
  base::xml::append_text(out, text);
  close_tag(out, name);
}

}  // namespace xca
