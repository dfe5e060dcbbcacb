#pragma once
// Direct addresses: `local@domain`. [RFC 5321 §4.1.2, RFC 5322 §3.4; facts/direct §4]

#include "base/result.hpp"

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace direct {

using base::Result;

enum class AddressErrc { NotAnAddress = 1, NotAList };
boost::system::error_code make_error_code(AddressErrc) noexcept;

/// Compared without regard to case: domains are so, and peers write local parts either way.
class Address {
 public:
  /// `local@domain`: a dot-atom or a quoted local part of at most 64 octets, a domain of at most 255 with a dot in it.
  /// ASCII; no route, no address literal, no percent hack. @error AddressErrc::NotAnAddress [threats P04]
  static Result<Address> parse(std::string_view text);
  const std::string& text() const noexcept { return text_; }      ///< as it was written
  const std::string& key() const noexcept { return key_; }        ///< in lower case
  std::string_view domain() const noexcept { return std::string_view(key_).substr(at_ + 1); }
  bool operator==(const Address& other) const noexcept { return key_ == other.key_; }
  auto operator<=>(const Address& other) const noexcept { return key_ <=> other.key_; }

 private:
  std::string text_, key_;
  std::size_t at_ = 0;
};

/// The mailboxes of a From, Sender, To or Cc field, in order: display names and comments left out, groups opened.
/// A group, an empty list and an empty element stand only where `groups` is given: in To and Cc.
/// @error AddressErrc::NotAList [threats D06]
enum class Groups { No, Yes };
Result<std::vector<Address>> read_mailboxes(std::string_view field, Groups groups);

}  // namespace direct

namespace boost::system {
template <>
struct is_error_code_enum<direct::AddressErrc> : std::true_type {};
}  // namespace boost::system
