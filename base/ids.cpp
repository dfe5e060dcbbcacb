#include "base/ids.hpp"

#include "base/bytes.hpp"
#include "base/error_table.hpp"

#include <algorithm>
#include <stdexcept>

namespace base {
namespace {

constexpr ErrorRow rows[] = {
    {int(IdErrc::NotAnOid), "not-an-oid", "an identifier is not an OID", Cause::BadMessage},
    {int(IdErrc::NotACx), "not-a-cx", "a patient identifier is not of the form id^^^&oid&ISO", Cause::BadMessage},
};
constinit const ErrorTable errors("gatehouse.ids", rows);

constexpr std::string_view urn_prefix = "urn:oid:";
constexpr std::size_t oid_characters_max = 64;
constexpr std::size_t uuid_octets = 16;

/// One arc: digits without a leading zero.
bool is_arc(std::string_view arc) {
  return !arc.empty() && (arc == "0" || arc.front() != '0') &&
         std::ranges::all_of(arc, [](char c) { return c >= '0' && c <= '9'; });
}

/// First arc 0–2, second below 40 under 0 and 1, at least two arcs. [X.660]
bool is_oid(std::string_view text) {
  if (text.empty() || text.size() > oid_characters_max) return false;
  std::size_t arcs = 0;
  char first = 0;
  for (std::size_t at = 0; at <= text.size(); ++arcs) {
    const auto dot = std::min(text.find('.', at), text.size());
    const auto arc = text.substr(at, dot - at);
    if (!is_arc(arc)) return false;
    if (arcs == 0) {
      if (arc.size() != 1 || arc.front() > '2') return false;
      first = arc.front();
    }
    if (arcs == 1 && first < '2' && (arc.size() > 2 || (arc.size() == 2 && arc.front() > '3'))) return false;
    at = dot + 1;
  }
  return arcs >= 2;
}

}  // namespace

boost::system::error_code make_error_code(IdErrc code) noexcept { return {static_cast<int>(code), errors}; }

Result<Oid> Oid::parse(std::string_view text) {
  if (text.starts_with(urn_prefix)) text.remove_prefix(urn_prefix.size());
  if (!is_oid(text)) return fail(IdErrc::NotAnOid);
  return Oid(std::string(text));
}

Result<Identifier> read_cx(std::string_view text) {
  constexpr std::string_view between = "^^^&", end = "&ISO";
  const auto split = text.find(between);
  if (split == std::string_view::npos || split == 0 || !text.ends_with(end)) return fail(IdErrc::NotACx);
  const auto extension = text.substr(0, split);
  const auto root_at = split + between.size();
  if (root_at + end.size() >= text.size()) return fail(IdErrc::NotACx);
  const auto root = text.substr(root_at, text.size() - root_at - end.size());
  if (extension.find_first_of("^&") != std::string_view::npos) return fail(IdErrc::NotACx);
  if (root.find_first_of("^&") != std::string_view::npos) return fail(IdErrc::NotACx);
  return Identifier{.root = std::string(root), .extension = std::string(extension)};
}

std::string write_cx(const Identifier& id) { return id.extension + "^^^&" + id.root + "&ISO"; }

std::string oid_of_uuid(std::string_view uuid) {
  constexpr std::string_view urn = "urn:uuid:";
  if (uuid.starts_with(urn)) uuid.remove_prefix(urn.size());
  std::string digits = "0";  // decimal, the last first
  for (const char c : uuid) {
    if (c == '-') continue;
    int carry = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    for (char& digit : digits) {
      const int value = (digit - '0') * 16 + carry;
      digit = char('0' + value % 10);
      carry = value / 10;
    }
    for (; carry > 0; carry /= 10) digits += char('0' + carry % 10);
  }
  return "2.25." + std::string(digits.rbegin(), digits.rend());
}

std::string UuidStream::next() {
  if (used_ + uuid_octets > seed_.size()) throw std::logic_error("an answer asked for more than sixteen identifiers");
  Bytes octets(reinterpret_cast<const char*>(seed_.data()) + used_, uuid_octets);
  used_ += uuid_octets;
  octets[6] = char((octets[6] & 0x0F) | 0x40);  // version 4
  octets[8] = char((octets[8] & 0x3F) | 0x80);  // the variant of RFC 9562
  auto text = hex(octets);
  for (const std::size_t at : {8u, 13u, 18u, 23u}) text.insert(at, 1, '-');
  return text;
}

}  // namespace base
