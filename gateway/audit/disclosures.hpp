#pragma once
// The accounting of disclosures: what was released about a patient, to whom, for what, and by which decision. Read from
// the trail; as rows for people, RFC 4180 text for spreadsheets, a FHIR Bundle of AuditEvents for programs. [design §3]

#include "gateway/audit/record.hpp"
#include "gateway/store/database.hpp"

#include <span>

namespace gateway::audit {

struct Disclosure {
  Event event;  ///< the release
  std::string node;
  std::uint64_t seq = 0;
  std::vector<std::string> decision = {};  ///< what permitted it: a sentence and its evidence each
  std::string delivery = {};               ///< `sent`, `aborted`; empty where nothing was written down
  std::int64_t documents_left_out = 0;     ///< released, but beyond what an event lists
};

/// What was released about any of these records, oldest first.
/// @param patients  our ids of one person's records
/// @error store::Errc::…; base::json::Errc::… for a payload that is no event
Result<std::vector<Disclosure>> disclosures(store::Session& session, std::span<const std::string> patients,
                                            Instant since, Instant until);

/// With a line of names; lines end in CRLF. A text that a spreadsheet would calculate begins with an apostrophe.
std::string write_csv(std::span<const Disclosure> disclosures);

/// A Bundle of type collection. AuditEvents claim BALP PrivacyDisclosure.Source where they have all that it demands.
/// @param patient  our id of the record that stands for the person [facts/fhir §13]
std::string write_audit_events(std::span<const Disclosure> disclosures, std::string_view patient);

}  // namespace gateway::audit
