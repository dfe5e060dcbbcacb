#include "base/json/writer.hpp"

#include <algorithm>

namespace base::json {

void Writer::separate() {
  if (!first_) text_ += ',';
  first_ = false;
}

void Writer::quote(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto is_special = [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; };
  text_ += '"';
  while (true) {
    const auto special = std::ranges::find_if(text, is_special);
    const auto plain = static_cast<std::size_t>(special - text.begin());
    text_ += text.substr(0, plain);
    if (special == text.end()) break;
    text_ += '\\';
    if (const auto octet = static_cast<unsigned char>(*special); octet < 0x20) {
      text_ += "u00";
      text_ += digits[octet >> 4];
      text_ += digits[octet & 15];
    } else {
      text_ += *special;
    }
    text.remove_prefix(plain + 1);
  }
  text_ += '"';
}

Writer& Writer::open(char bracket) {
  separate();
  text_ += bracket;
  first_ = true;
  return *this;
}

Writer& Writer::close(char bracket) {
  text_ += bracket;
  first_ = false;
  return *this;
}

Writer& Writer::name(std::string_view member) {
  separate();
  quote(member);
  text_ += ':';
  first_ = true;
  return *this;
}

Writer& Writer::string(std::string_view text) {
  separate();
  quote(text);
  return *this;
}

Writer& Writer::integer(std::int64_t number) {
  separate();
  text_ += std::to_string(number);
  return *this;
}

Writer& Writer::boolean(bool value) {
  separate();
  text_ += value ? "true" : "false";
  return *this;
}

Writer& Writer::null() {
  separate();
  text_ += "null";
  return *this;
}

Writer& Writer::member(std::string_view member, std::string_view text) {
  return text.empty() ? *this : name(member).string(text);
}

}  // namespace base::json
