#include "gateway/net/fetch_rules.hpp"

#include "base/error_table.hpp"

#include <boost/asio/ip/address_v6.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/src.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <charconv>

namespace gateway::net {
namespace {

namespace ip = boost::asio::ip;
using base::Cause;

constexpr base::ErrorRow rows[] = {
    {int(FetchErrc::BadAddress), "fetch-bad-address", "the address is no plain http URL or network", Cause::BadMessage},
    {int(FetchErrc::AddressNotAllowed), "fetch-not-allowed",
     "the name leads to no public address and to none that trust.fetch_allow names", Cause::NotTrusted},
    {int(FetchErrc::CannotConnect), "fetch-cannot-connect", "the server cannot be connected to", Cause::TryLater},
    {int(FetchErrc::TimedOut), "fetch-timed-out", "the answer did not come in time", Cause::TryLater},
    {int(FetchErrc::TooLarge), "fetch-too-large", "the answer is larger than its limit", Cause::BadMessage},
    {int(FetchErrc::BadAnswer), "fetch-bad-answer", "the answer is no HTTP", Cause::BadMessage},
    {int(FetchErrc::NotOk), "fetch-not-ok", "the server answers with another status than 200", Cause::TryLater},
    {int(FetchErrc::TooMany), "fetch-too-many", "too many fetches are waiting", Cause::TryLater},
};
constinit const base::ErrorTable errors("gatehouse.net.fetch", rows);

constexpr std::size_t url_octets_max = 512;

struct Special {
  const char* base;
  unsigned bits;
};
// What no server of the public Internet has. [RFC 6890 and the registries it began]
constexpr Special not_public_v4[] = {
    {"0.0.0.0", 8},     {"10.0.0.0", 8},     {"100.64.0.0", 10},   {"127.0.0.0", 8},  {"169.254.0.0", 16},
    {"172.16.0.0", 12}, {"192.0.0.0", 24},   {"192.0.2.0", 24},    {"192.88.99.0", 24}, {"192.168.0.0", 16},
    {"198.18.0.0", 15}, {"198.51.100.0", 24}, {"203.0.113.0", 24}, {"224.0.0.0", 4},  {"240.0.0.0", 4},
};
constexpr Special public_v6 = {"2000::", 3};
constexpr Special not_public_v6[] = {{"2001::", 23}, {"2001:db8::", 32}, {"2002::", 16}, {"3fff::", 20}};

ip::address_v6 widened(const ip::address& address) {
  return address.is_v4() ? ip::make_address_v6(ip::v4_mapped, address.to_v4()) : address.to_v6();
}

bool is_within(const ip::address_v6& address, const ip::address_v6& base, unsigned bits) {
  const auto a = address.to_bytes(), b = base.to_bytes();
  for (unsigned bit = 0; bit < bits; ++bit) {
    const unsigned mask = 0x80u >> (bit % 8);
    if ((a[bit / 8] & mask) != (b[bit / 8] & mask)) return false;
  }
  return true;
}

bool is_within(const ip::address_v6& address, const Special& network) {
  const auto base = ip::make_address(network.base);
  return is_within(address, widened(base), network.bits + (base.is_v4() ? 96 : 0));
}

}  // namespace

boost::system::error_code make_error_code(FetchErrc code) noexcept { return {static_cast<int>(code), errors}; }

Result<HttpUrl> read_http_url(std::string_view text) {
  const auto bad = [&] { return base::fail(FetchErrc::BadAddress, std::string(text.substr(0, url_octets_max))); };
  if (text.size() > url_octets_max) return bad();
  const auto parsed = boost::urls::parse_uri(boost::urls::string_view(text.data(), text.size()));
  if (!parsed) return bad();
  const auto& url = *parsed;
  if (url.scheme_id() != boost::urls::scheme::http || url.has_userinfo() || url.has_fragment() ||
      url.host_type() == boost::urls::host_type::ipvfuture)
    return bad();
  HttpUrl found;
  found.host = url.host_type() == boost::urls::host_type::ipv6 ? std::string(url.host_address()) : url.host();
  if (found.host.empty() || found.host.find('\0') != std::string::npos) return bad();
  if (url.has_port()) {
    found.port = url.port_number();
    if (found.port == 0) return bad();
  }
  found.field = url.encoded_host_and_port();
  found.target = std::string(url.encoded_target());
  // Boost.URL 1.81 takes what follows a port's digits for a path.
  if (!found.target.empty() && found.target[0] != '/' && found.target[0] != '?') return bad();
  if (!found.target.starts_with('/')) found.target.insert(0, "/");
  return found;
}

bool is_public(const ip::address& address) {
  const auto wide = widened(address);
  if (wide.is_v4_mapped())
    return std::ranges::none_of(not_public_v4, [&](const Special& network) { return is_within(wide, network); });
  if (!is_within(wide, public_v6)) return false;
  return std::ranges::none_of(not_public_v6, [&](const Special& network) { return is_within(wide, network); });
}

Result<AllowedNetworks> AllowedNetworks::read(const std::vector<std::string>& texts) {
  AllowedNetworks allowed;
  for (const auto& text : texts) {
    const auto slash = text.find('/');
    boost::system::error_code error;
    const auto address = ip::make_address(text.substr(0, slash), error);
    const unsigned whole = address.is_v4() ? 32 : 128;
    unsigned bits = whole;
    if (!error && slash != std::string::npos) {
      const char* end = text.data() + text.size();
      const auto [at, failed] = std::from_chars(text.data() + slash + 1, end, bits);
      if (failed != std::errc() || at != end || bits > whole) error = make_error_code(FetchErrc::BadAddress);
    }
    if (error) return base::fail(FetchErrc::BadAddress, "trust.fetch_allow: " + text);
    allowed.networks_.push_back({widened(address), bits + (128 - whole)});
  }
  return allowed;
}

bool AllowedNetworks::may_go_to(const ip::address& address) const {
  const auto wide = widened(address);
  return is_public(address) || std::ranges::any_of(networks_, [&](const Network& network) {
           return is_within(wide, network.base, network.bits);
         });
}

}  // namespace gateway::net
