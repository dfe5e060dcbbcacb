#pragma once
// What answers to queries and to retrieves have in common: status, errors and our own name. [facts/query-exchange §3.5]

#include "xca/ebxml/registry.hpp"

namespace xca::ebxml {

/// `urn:oid:1.2.3` from it or from `1.2.3`; empty stays empty.
std::string home_urn(std::string_view home);

/// Success, PartialSuccess (IHE's stem) or Failure.
std::string_view response_status(bool any_object, bool any_error);

/// Whether an element around the list has declared the prefix rs.
enum class RsPrefix { Undeclared, Declared };

/// Appends rs:RegistryErrorList; nothing for no errors. @param home  our HCID, each error's location
void append_errors(std::string& out, const std::vector<RegistryError>& errors, std::string_view home, RsPrefix prefix);

}  // namespace xca::ebxml
