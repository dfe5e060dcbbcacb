#pragma once
// An address that may be called: https, one spelling of the host, no user, no fragment. What two programs could read
// in two ways is none. [RFC 3986; threats.md S01]

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace gateway::net {

using base::Result;

enum class CallErrc {
  BadAddress = 1,  ///< no https address of this strict form
  NotAllowed,      ///< leads to no public address and to none that is allowed
  CannotConnect,   ///< no such name, nobody listens, or the handshake failed
  WrongServer,     ///< its certificate is not believed, or is not of that host
  TimedOut,        ///< the deadline has passed, or the program is ending
  Broken,          ///< the connection ended before the answer
  BadAnswer,       ///< no HTTP/1.1 status, or a head above 16 KB
};
boost::system::error_code make_error_code(CallErrc) noexcept;

class HttpsUrl {
 public:
  static constexpr std::size_t characters_max = 2048;

  /// Takes `https://HOST[:PORT][/PATH[?QUERY]]` in visible ASCII: HOST a name, a dotted quad, or IPv6 in brackets.
  /// @error CallErrc::BadAddress, also for numbers that some take for an IPv4 address (`0x7f.1`, `2130706433`)
  static Result<HttpsUrl> parse(std::string_view text);

  const std::string& host() const noexcept { return host_; }      ///< as to be resolved: without brackets
  const std::string& field() const noexcept { return field_; }    ///< as the Host field has it
  std::uint16_t port() const noexcept { return port_; }
  const std::string& target() const noexcept { return target_; }  ///< path and query, `/` at least
  bool is_numeric() const noexcept { return is_numeric_; }        ///< the host is an IP address
  bool operator==(const HttpsUrl&) const = default;

 private:
  std::string host_, field_, target_;
  std::uint16_t port_ = 443;
  bool is_numeric_ = false;
};

}  // namespace gateway::net

namespace boost::system {
template <>
struct is_error_code_enum<gateway::net::CallErrc> : std::true_type {};
}  // namespace boost::system
