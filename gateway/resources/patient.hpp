#pragma once
// A FHIR R4 Patient as far as our records keep it: identifiers and what a patient is searched by.

#include "gateway/resources/bundle.hpp"
#include "xca/hl7v3/person.hpp"

namespace gateway::resources {

struct FhirIdentifier {
  std::string system;  ///< URI as written
  std::string value;
  bool operator==(const FhirIdentifier&) const = default;
};

struct FhirPatient {
  std::string id;
  bool active = true;
  std::vector<FhirIdentifier> identifiers;
  xca::hl7v3::Person person;
};

/// Reads leniently what is not searched by, and refuses what would change who is meant: a birth date that is no date,
/// a value of another JSON type. Names come official first, former ones last: people are still searched by them.
/// Addresses and numbers of use `old` are left out: an answer could not say that they are.
/// @error Errc::NotAPatient, Errc::FieldUnreadable
Result<FhirPatient> read_patient(base::json::Value resource);

/// The root an identifier of that system has in HL7 V3: `urn:oid:1.2` → `1.2`, the SSN and NPI URIs → their OIDs,
/// `urn:uuid:…` → the UUID; any other URI stays itself.
std::string root_of_system(std::string_view system);

}  // namespace gateway::resources
