#pragma once
// A patient of a clinic as stored, and what rows mean. Shared by the functions of this shelf.

#include "gateway/patients/match.hpp"
#include "gateway/store/database.hpp"

namespace gateway::patients {

using base::BytesView;
using base::fail;
using base::Instant;
using base::Result;

enum class Errc {
  NoSuchClinic = 1,
  ClinicTaken,  ///< home or name of a clinic that exists
  BadClinic,    ///< a home, authority or repository that is no OID, an unknown time zone, no name
  NoSuchPatient,
  AmbiguousPatient,  ///< several patients where one must be meant
  ActorMissing,      ///< a change without a name of who makes it
  BasisMissing,      ///< staff would overwrite what the patient chose, and state no basis
  NoSuchConsent,
  NotRevocable,   ///< revoked already, or entered in error
  NoSuchSetting,
  BadSetting,     ///< a value that this setting does not take
  RecordUnreadable,  ///< a stored record that is not what was written
  MergeCycle,        ///< a record would be merged into itself
  AlreadyMerged,     ///< the record to retire has a survivor already
  NotMerged,         ///< nothing to take back
  MergedFurther,     ///< the survivor was itself merged later: that comes first
  HasRetired,        ///< records were merged into this one
  RoleMissing,       ///< a glass broken by nobody in particular
  ReasonTooThin,     ///< a reason that tells a reviewer nothing
  BadGrantTime,
  GrantOpen,         ///< the same glass was broken a moment ago
  GlassRate,         ///< more patients than one person's emergencies are about
  NoSuchGrant,
  ReviewedAlready,
  OwnReview,         ///< who broke the glass would review it
  FindingMissing,
  AwaitsReview,      ///< a grant of this patient waits for review
  NoHie,              ///< no address of an HIE is set that a consent could be to
  BadPeriod,          ///< a consent that would end before it begins
  NoSuchExplanation,  ///< a version of the explanation that there never was
  HieNotRevocable,    ///< the latest consent to the HIE is neither active nor in the future
  RowNotAccepted,    ///< of a file of consents; the detail is one sentence
  ChangedMeanwhile,  ///< since it was planned, a patient's record changed
};
boost::system::error_code make_error_code(Errc) noexcept;

struct PatientRecord {
  std::string id;      ///< ours, 128-bit hex
  std::string clinic;  ///< clinics.id
  std::string mrn;
  Known known;  ///< ids without the mrn
  Instant entered_at{}, updated_at{};
  std::string named_as = {};  ///< id of the record that was named, where that was merged into this one
  const std::string& named() const { return named_as.empty() ? id : named_as; }
};

/// patients.demographics: a Person and the identifiers other than the mrn.
std::string write_demographics(const Known& known);
/// @error Errc::RecordUnreadable
Result<Known> read_demographics(std::string_view json);

/// 128 random bits, hex.
std::string random_id();

/// What every statement selects to judge a patient's choice: columns of `patients p`, `clinics c` and
/// `LEFT JOIN purpose_choices w ON w.id = p.choice`, in this order.
inline constexpr std::string_view choice_columns =
    "c.purposes, c.version, p.choice, w.id, w.patient, w.purposes, w.set_by, p.id, p.survivor, p.consents";
inline constexpr std::string_view choice_letters = "iitttittti";
/// Reads them from column `at` on. What cannot be read or understood is unreadable, never absent; so is the choice of a
/// record that is retired itself and yet stands for another (threats C07).
policy::ChoiceFacts read_choice(const store::Row& row, std::size_t at);
/// patients.consents of the same columns, for ConsentReader.
std::int64_t consent_rows(const store::Row& row, std::size_t at);

}  // namespace gateway::patients

namespace boost::system {
template <>
struct is_error_code_enum<gateway::patients::Errc> : std::true_type {};
}  // namespace boost::system
