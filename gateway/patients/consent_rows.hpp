#pragma once
// Rows of a file of consents and choices, each read by itself: FHIR Consents (a Bundle, NDJSON, one alone), or CSV.
// What a row would do here is not known to it: consent_files. [FHIR R4 Consent; IHE PCF; RFC 4180]
//
// Columns of CSV, in any order, by the words of `consent give`; lists within a cell are divided by `;` or `,`:
// | column     | for                     | holds                                                                   |
// |------------|-------------------------|-------------------------------------------------------------------------|
// | mrn        | all; must be there      | record number, or another identifier of the patient as `system|value`   |
// | kind       | all; must be there      | opt-out, opt-in, purposes, permit, deny, revoke                         |
// | purposes   | purposes, permit, deny  | treatment, payment …; all                                               |
// | labels, to | permit, deny            | as --label and --to                                                     |
// | from,until | permit, deny            | days or times of the clinic's zone, the end exclusive                   |
// | given      | all; a revoke needs it  | when it was said                                                        |
// | identifier | all                     | by which it is known elsewhere; a revoke: our id too                    |
// | actor, set_by, basis | all           | as --by, --as and --basis                                               |

#include "gateway/patients/choices.hpp"
#include "gateway/resources/consent_resource.hpp"

namespace gateway::patients {

enum class RowKind : std::uint8_t {
  Choice,      ///< a patient's own set of purposes, or its end
  Consent,
  Revocation,  ///< of a consent that is held here
};

struct FileRow {
  std::string number = {};                        ///< of the patient: our id, or record number
  resources::FhirIdentifier identifier = {};      ///< of the patient, where number is not all that is said
  RowKind kind = RowKind::Consent;
  policy::ConsentStatus status = policy::ConsentStatus::Active;
  policy::PurposeSet purposes = {};               ///< of a choice
  bool beside_others = false;                     ///< a choice that is a FHIR Consent: others may hold beside it
  policy::Provision root = {};                    ///< of a consent
  std::string source = {};                        ///< `system|value` by which it is known elsewhere
  std::optional<Instant> given_at = {};           ///< nothing: the file does not say
  std::optional<Instant> updated_at = {};         ///< meta.lastUpdated
  ChoiceChange change = {};
  std::vector<std::string> not_evaluated = {};    ///< parts that only ever refuse, as FHIR names them
};

/// What every row is read by.
struct RowReading {
  const resources::Calendar& calendar;
  const ChoiceChange& change;  ///< of rows that do not say who, whose word or why
  Instant now;
};
/// @param place  `line 3`, `entry 3`
using TakeRow = std::function<Result<void>(const std::string& place, Result<FileRow> row)>;

/// A row that is not read comes with what told so: Errc::RowNotAccepted, whose detail is one sentence without a word of
/// the row, resources::Errc, base::json::Errc. So does one that could do nothing: a permit that would open nothing, a
/// period that holds no instant, what was said in the future.
/// @error of the file as a whole: resources::Errc::NotResources, NotCsv (a header with a column that is not known,
/// given twice or missing), TooMuch, base::json::Errc; whatever `take` returns
Result<void> read_rows(BytesView file, const RowReading& reading, const TakeRow& take);

/// Why a permit that opens nothing is not kept, wherever it comes from.
inline constexpr std::string_view opens_nothing =
    "it would open nothing: a permit names a label, a purpose and a recipient, or purposes alone";

/// Why a row was not accepted, in one sentence.
std::string why_not(const base::Error& error);

}  // namespace gateway::patients
