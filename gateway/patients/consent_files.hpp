#pragma once
// Files of consents and choices: imported all at once or not at all, after a plan that says what each row would do and
// which are not accepted; exported as a Bundle of FHIR Consents. [design §4; threats F14, U09]

#include "gateway/patients/consent_rows.hpp"
#include "gateway/patients/consents.hpp"

#include <set>

namespace gateway::patients {

struct ConsentImportOptions {
  ChoiceChange change = {};  ///< who imports, and whose word or why where rows do not say
  std::size_t rows = 250'000;
  std::function<void(std::size_t rows)> progress = {};
};

enum class RowDoes : std::uint8_t { SetsPurposes, ClearsPurposes, GivesConsent, ChangesConsent, EndsConsent, Nothing };
/// `sets purposes`, `clears purposes`, `gives a consent`, `changes a consent`, `ends a consent`, `unchanged`.
std::string_view word(RowDoes does) noexcept;

struct PlannedRow {
  std::string place;
  std::string patient, mrn;  ///< of the record that counts, where the one named was merged
  RowDoes does = RowDoes::Nothing;
  policy::PurposeSet purposes = {};  ///< to set
  policy::Consent consent = {};      ///< the version to save
  ChoiceChange change = {};
  std::string source = {};
  Instant given_at{};
  std::string remark = {};           ///< why it does nothing, where the file says more than is held
};

struct ConsentPlan {
  struct Note {
    std::string place, sentence;
  };
  /// What a patient's record must still be when it is carried out.
  struct Basis {
    std::string choice;  ///< patients.choice, empty for none
    std::int64_t consents = 0;
  };
  std::string clinic;
  std::vector<PlannedRow> rows = {};  ///< that are accepted, in the order of the file
  std::vector<Note> refused = {};     ///< with why, in one sentence without a word of the row
  std::vector<Note> reported = {};    ///< parts of accepted rows that cannot be evaluated: they will only refuse
  std::map<std::string, Basis> touched = {};  ///< patients that change, by our id
  std::map<std::string, std::string> merged = {};  ///< records that rows name and the patients they are, by our ids
  std::vector<std::string> looked_at = {};    ///< our ids of all whose records rows were held against
  std::set<std::string> recipients = {};      ///< home community ids that accepted rows name
  std::size_t count(RowDoes does) const;
};

/// Reads a file and plans every row against what is held of its patient and what earlier rows say. Writes nothing.
/// Which of two words about one thing counts is decided by their dates: what was said here, or taken back here, later
/// than a row's date (Consent.dateTime; of the same date, its lastUpdated) is never undone by it, and a row without
/// date undoes nothing. The same file again changes nothing. A FHIR Consent of purposes alone permits nothing more than
/// the choice that is held, unless that choice came from this very Consent (its identifier) and no other narrowed it.
/// @error of the file as a whole or of the store; resources::Errc::TooMuch above options.rows; Errc::ActorMissing
Result<ConsentPlan> plan_consents(store::Database& database, const policy::Clinic& clinic, BytesView file,
                                  const ConsentImportOptions& options, Instant now);
/// Does all that is planned, in one transaction.
/// @error Errc::RowNotAccepted where any row was not; Errc::ChangedMeanwhile
Result<void> carry_out(store::Database& database, const ConsentPlan& plan, Instant now,
                       const std::function<void(std::size_t rows)>& progress = {});

struct ConsentExportOptions {
  std::vector<std::string> patients = {};  ///< our ids; none: all of the clinic
  std::optional<Instant> since = {};       ///< only what was saved then or later
  std::size_t bytes = 256u << 20;          ///< as much as is imported again
  std::function<void(std::size_t patients)> progress = {};
};
struct ConsentExport {
  std::string bundle;                 ///< FHIR Bundle of type collection, JSON
  std::vector<std::string> patients;  ///< our ids of those it is about
  std::vector<std::string> unreadable = {};  ///< record numbers of those of whom something cannot be read: none of it
                                             ///< is in the Bundle
  std::size_t consents = 0, choices = 0;
};
/// The last version of each consent and each patient's own choice, as FHIR Consents known by the identifiers they came
/// with, or by ours. What was cleared is not in it: the clinic's defaults are no consent.
/// Of each patient all or nothing. @error Errc::NoSuchPatient; resources::Errc::TooMuch above options.bytes
Result<ConsentExport> export_consents(store::Database& database, const policy::Clinic& clinic,
                                      const ConsentExportOptions& options);

/// A patient's last word on purposes, with where it comes from.
struct HeldChoice {
  std::string id;
  std::optional<policy::PurposeSet> purposes = {};  ///< nothing: back to the clinic's defaults
  std::string set_by, actor, source;
  Instant given_at{}, set_at{};
};
/// A person of a clinic as files of consents know one.
struct HeldPerson {
  std::string id, mrn;
  bool readable = true;
  std::string choice_id = {};  ///< empty for none
  std::optional<HeldChoice> choice = {};
  std::int64_t consents = 0;
};
/// The person of a record, the survivor where it was merged. @error Errc::NoSuchPatient (also of another clinic)
Result<HeldPerson> held_person(store::Session& session, const policy::Clinic& clinic, const std::string& record_id);

}  // namespace gateway::patients
