#pragma once
// Demographics in the terms of HL7 V3: what a query names and what a record holds.

#include "base/ids.hpp"

#include <optional>
#include <string>
#include <vector>

namespace xca::hl7v3 {

using base::Identifier;

struct PersonName {
  std::string family;
  std::vector<std::string> given;
  std::string prefix, suffix;
  bool operator==(const PersonName&) const = default;
};

struct Address {
  std::vector<std::string> lines;
  std::string city, state, postal_code, country;
  bool operator==(const Address&) const = default;
};

/// A person as a record of ours describes one, or as a query describes the one it looks for.
struct Person {
  std::vector<PersonName> names;
  std::string gender;              ///< `M`, `F`, `UN`, or empty for unknown
  std::string birth_date;          ///< `YYYYMMDD`, or shorter where that is all that is known; empty for unknown
  std::vector<Address> addresses;
  std::vector<std::string> telecoms;  ///< `tel:…`, `mailto:…`
  bool operator==(const Person&) const = default;
};

}  // namespace xca::hl7v3
