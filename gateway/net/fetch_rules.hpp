#pragma once
// Where a fetch may go: plain http addresses, and of what their names resolve to, public addresses or those the
// operator allows. No sockets in here. [design §5; threats.md S01, L09; RFC 6890]

#include "base/result.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::net {

using base::Result;

enum class FetchErrc {
  BadAddress = 1,     ///< no plain http URL, or one with a user, a fragment or a strange port
  AddressNotAllowed,  ///< the name leads to no public address
  CannotConnect,      ///< no such name, nobody listens
  TimedOut,
  TooLarge,
  BadAnswer,  ///< no HTTP/1.1 answer
  NotOk,      ///< another status than 200; redirects are not followed
  TooMany,    ///< too many are waiting
};
boost::system::error_code make_error_code(FetchErrc) noexcept;

struct HttpUrl {
  std::string host;    ///< as to be resolved: without brackets
  std::string field;   ///< as the Host field has it
  std::uint16_t port = 80;
  std::string target;  ///< path and query, `/` at least
};
/// @error FetchErrc::BadAddress
Result<HttpUrl> read_http_url(std::string_view text);

/// Reachable from everywhere: not loopback, private, link-local, multicast, documentation, or a tunnel to one of them.
bool is_public(const boost::asio::ip::address& address);

/// Networks that are allowed although they are not public.
class AllowedNetworks {
 public:
  /// @param texts  `10.1.0.0/16`, `127.0.0.1`, `fd00::/8`. @error FetchErrc::BadAddress
  static Result<AllowedNetworks> read(const std::vector<std::string>& texts);
  bool may_go_to(const boost::asio::ip::address& address) const;

 private:
  struct Network {
    boost::asio::ip::address_v6 base;  ///< IPv4 as mapped
    unsigned bits;
  };
  std::vector<Network> networks_;
};

}  // namespace gateway::net

namespace boost::system {
template <>
struct is_error_code_enum<gateway::net::FetchErrc> : std::true_type {};
}  // namespace boost::system
