#pragma once
// Identifiers as types: once you hold one, nobody checks it again.

#include "base/result.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace base {

enum class IdErrc { NotAnOid = 1, NotACx };
boost::system::error_code make_error_code(IdErrc) noexcept;

/// An ISO object identifier in dotted form, at most 64 characters. [ITI TF-3 §4.2.3.1.1]
class Oid {
 public:
  /// Takes `1.2.3` and `urn:oid:1.2.3`; nothing else is trimmed or mended.
  static Result<Oid> parse(std::string_view text);
  const std::string& dotted() const { return dotted_; }  ///< 1.2.3
  std::string urn() const { return "urn:oid:" + dotted_; }
  auto operator<=>(const Oid&) const = default;

 private:
  explicit Oid(std::string dotted) : dotted_(std::move(dotted)) {}
  std::string dotted_;
};

/// The community a gateway speaks for: bare OID in HL7 V3, urn:oid: in XCA and SAML. [facts/query-exchange §3.4]
using HomeCommunityId = Oid;

/// A patient's or a message's identifier: an HL7 V3 II, or an XDS CX `ext^^^&root&ISO`.
struct Identifier {
  std::string root;       ///< OID (sometimes a UUID) of the assigning authority; opaque
  std::string extension;  ///< empty where the root alone identifies
  auto operator<=>(const Identifier&) const = default;
};

/// Reads the CX of XDS metadata: `id^^^&oid&ISO`. [ITI TF-3 table 4.2.3.1.7-2]
Result<Identifier> read_cx(std::string_view text);
std::string write_cx(const Identifier& id);

/// A code of a code system, with both kept byte for byte: codes are compared, never mended.
struct Code {
  std::string code;
  std::string system;  ///< OID or URI, empty where the sender gave none
  std::string display;
  /// Equality of meaning: display names play no part.
  bool same_code(const Code& other) const { return code == other.code && system == other.system; }
  bool operator==(const Code&) const = default;
};

/// `2.25.` and the UUID as a number: an OID that nobody needs to assign. [ITU-T X.667 §7]
/// @param uuid  with or without urn:uuid:
std::string oid_of_uuid(std::string_view uuid);

/// Random octets that a door draws for one request and hands inwards: the rooms below have no randomness.
using Seed = std::array<std::uint8_t, 256>;

/// All identifiers of one answer, cut from one seed in order, each a version 4 UUID. [RFC 9562 §5.4]
class UuidStream {
 public:
  explicit UuidStream(const Seed& seed) : seed_(seed) {}
  /// `3e57269d-075d-4d3f-9f5d-c97ad6afc009`. Throws std::logic_error after sixteen: an answer needs fewer.
  std::string next();
  std::string next_urn() { return "urn:uuid:" + next(); }

 private:
  Seed seed_;
  std::size_t used_ = 0;
};

}  // namespace base

namespace boost::system {
template <>
struct is_error_code_enum<base::IdErrc> : std::true_type {};
}  // namespace boost::system
