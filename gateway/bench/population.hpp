#pragma once
// People who do not exist, no two alike: the records of the measured clinic and what its partner asks for.

#include <span>
#include <string>
#include <vector>

namespace gateway::bench {

struct Somebody {
  std::string family, given, middle;
  std::string gender;      ///< `M` or `F`
  std::string birth_date;  ///< YYYYMMDD
  std::string street, city, state, postal_code;
  std::string telephone;  ///< `+1-555-0100000`
  std::string mrn;        ///< under the measured clinic's authority
  std::string asker_id;   ///< under the asker's authority
  std::string suffix = {}, ssn = {};
};

/// The same people for the same count: family names are all different.
std::vector<Somebody> population(std::size_t count);

/// As FHIR R4 Patients, a line each. @param authority  OID of the mrn
std::string write_ndjson(std::span<const Somebody> people, const std::string& authority);

}  // namespace gateway::bench
