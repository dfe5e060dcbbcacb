#include "gateway/net/https_url.hpp"

#include "base/error_table.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace gateway::net {
namespace {

using base::Cause;

constexpr base::ErrorRow rows[] = {
    {int(CallErrc::BadAddress), "call-bad-address", "the address is no https address that may be called",
     Cause::BadMessage},
    {int(CallErrc::NotAllowed), "call-not-allowed",
     "the name leads to no public address and to none that callbacks.allow names", Cause::NotTrusted},
    {int(CallErrc::CannotConnect), "call-cannot-connect", "the server cannot be connected to", Cause::TryLater},
    {int(CallErrc::WrongServer), "call-wrong-server", "the server's certificate is not believed", Cause::NotTrusted},
    {int(CallErrc::TimedOut), "call-timed-out", "the call took too long", Cause::TryLater},
    {int(CallErrc::Broken), "call-broken", "the connection ended before the answer", Cause::TryLater},
    {int(CallErrc::BadAnswer), "call-bad-answer", "the answer is no HTTP/1.1", Cause::BadMessage},
};
constinit const base::ErrorTable errors("gatehouse.net.call", rows);

constexpr std::string_view scheme = "https://";
constexpr std::size_t name_characters_max = 253, label_characters_max = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Visible ASCII that stands for itself: no blank, no control, nothing a URI must encode, no fragment.
bool is_plain(char c) {
  constexpr std::string_view odd = "\"<>\\^`{|}#";
  return c > ' ' && c < 0x7f && odd.find(c) == std::string_view::npos;
}

/// Without leading zeros, which some read as octal.
std::optional<unsigned> number(std::string_view text, unsigned most) {
  unsigned value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
  return text.size() > 1 && text.front() == '0' ? std::nullopt : std::optional(value);
}

std::vector<std::string_view> labels_of(std::string_view name) {
  std::vector<std::string_view> labels;
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    labels.push_back(name.substr(0, dot));
    name.remove_prefix(dot + 1);
  }
  labels.push_back(name);
  return labels;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= label_characters_max && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
}

/// A name that ends in a number is an IPv4 address to some programs, whatever stands before. [WHATWG URL §3.5]
bool ends_in_a_number(std::string_view last) {
  return std::ranges::all_of(last, is_digit) || last.starts_with("0x") || last.starts_with("0X");
}

bool is_dotted_quad(const std::vector<std::string_view>& labels) {
  return labels.size() == 4 && std::ranges::all_of(labels, [](auto label) { return number(label, 255).has_value(); });
}

bool is_ipv6(const std::string& text) {
  in6_addr ignored;
  return ::inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

}  // namespace

boost::system::error_code make_error_code(CallErrc code) noexcept { return {static_cast<int>(code), errors}; }

Result<HttpsUrl> HttpsUrl::parse(std::string_view text) {
  const base::Error bad = base::fail(CallErrc::BadAddress);
  if (text.size() > characters_max || !text.starts_with(scheme) || !std::ranges::all_of(text, is_plain)) return bad;
  text.remove_prefix(scheme.size());
  const auto authority = text.substr(0, text.find_first_of("/?"));
  HttpsUrl url;
  url.target_ = text.substr(authority.size());
  if (!url.target_.starts_with('/')) url.target_.insert(0, "/");

  const auto bracket = authority.starts_with('[') ? authority.find(']') : std::string_view::npos;
  const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const auto host = authority.substr(0, colon);
  if (colon != std::string_view::npos) {
    const auto port = number(authority.substr(colon + 1), 65535);
    if (!port || *port == 0) return bad;
    url.port_ = static_cast<std::uint16_t>(*port);
  }
  if (bracket != std::string_view::npos) {
    url.host_ = host.substr(1, bracket - 1);
    url.is_numeric_ = true;
    if (bracket + 1 != host.size() || !is_ipv6(url.host_)) return bad;
  } else {
    const auto labels = labels_of(host);
    if (host.size() > name_characters_max || !std::ranges::all_of(labels, is_label)) return bad;
    url.host_ = host;
    url.is_numeric_ = ends_in_a_number(labels.back());
    if (url.is_numeric_ && !is_dotted_quad(labels)) return bad;
  }
  url.field_ = authority;
  return url;
}

}  // namespace gateway::net
