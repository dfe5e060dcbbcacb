#pragma once
// An organization of a Carequality-style directory: FHIR R4 Organization with contained Endpoints.
// [facts/query-exchange §6.3; profiles at sequoiaproject.org/fhir/sphd]

#include "gateway/resources/bundle.hpp"

namespace gateway::resources {

struct DirectoryEndpoint {
  std::string address = {};
  std::string status = {};                     ///< `active` …
  std::string connection_type = {};            ///< `ihe-xcpd`, `ihe-xca` …
  std::vector<std::string> transactions = {};  ///< `XCPD ITI-55` … as written
  std::string version = {};
  bool operator==(const DirectoryEndpoint&) const = default;
};

struct DirectoryOrganization {
  std::string home;  ///< HCID, dotted OID
  std::string name = {};
  bool active = true;
  std::string type = {};                    ///< code: `Implementer`, `Connection` …
  std::string part_of = {};                 ///< HCID of the parent, empty where none
  std::string managing = {};                ///< HCID of the managing implementer, empty where none is named
  std::vector<std::string> delegates = {};  ///< DOA: HCIDs this principal authorises
  std::vector<DirectoryEndpoint> endpoints = {};
  bool operator==(const DirectoryOrganization&) const = default;
};

/// The HCID is the identifier of type HCID, else Organization.id. Two that differ are refused.
/// @error Errc::NotAnOrganization, Errc::FieldUnreadable
Result<DirectoryOrganization> read_organization(base::json::Value resource);

/// As the directory keeps it: JSON of everything but name, home and active.
std::string write_entry(const DirectoryOrganization& organization);
Result<void> read_entry(std::string_view entry, DirectoryOrganization& into);

}  // namespace gateway::resources
