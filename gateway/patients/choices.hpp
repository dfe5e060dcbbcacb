#pragma once
// A patient's own set of purposes: an append-only history whose last row is the one in force. [design §4]

#include "gateway/patients/record.hpp"

namespace gateway::patients {

enum class SetBy { Patient, Staff };

struct ChoiceChange {
  SetBy set_by = SetBy::Staff;
  std::string actor = {};  ///< who, by name
  std::string basis = {};  ///< why; demanded of staff where the last word is the patient's own
};

/// One row of the history, oldest first.
struct ChoiceRow {
  std::string id;
  bool readable = true;                        ///< false: bits that are no set
  std::optional<policy::PurposeSet> purposes;  ///< nothing: back to the clinic's defaults
  std::string set_by, actor, basis;
  Instant set_at{};
  bool in_force = false;
};

/// Whatever record is named, the choice is that of the one it was merged into.
/// @return id of the new row. @error Errc::NoSuchPatient, Errc::ActorMissing, Errc::BasisMissing
Result<std::string> set_choice(store::Database& database, const std::string& patient_id, policy::PurposeSet purposes,
                               const ChoiceChange& change, Instant now);
/// Back to the clinic's current defaults; recorded like a choice. @error as set_choice
Result<std::string> clear_choice(store::Database& database, const std::string& patient_id, const ChoiceChange& change,
                                 Instant now);
Result<std::vector<ChoiceRow>> choice_history(store::Database& database, const std::string& patient_id);
/// The facts a decision about this patient is made of, as they are now. @error Errc::NoSuchPatient
Result<policy::ChoiceFacts> choice_facts(store::Database& database, const std::string& patient_id);

/// What one row of purpose_choices says.
struct ChoiceWord {
  std::optional<policy::PurposeSet> purposes = {};  ///< nothing: the clinic's defaults
  SetBy set_by = SetBy::Staff;
};
/// @param id  patients.choice; nothing is a patient who never chose. @error Errc::RecordUnreadable
Result<ChoiceWord> choice_word(store::Session& session, const std::optional<std::string>& id);
/// Of a choice that came in a file.
struct ChoiceOrigin {
  std::optional<Instant> given_at = {};  ///< nothing: when it is set
  std::string source = {};               ///< identifier of the resource it comes from; empty where it is made here
};
/// Within a transaction that holds the patient's row: a row more, and the patient's last word pointing at it.
/// @return its id
Result<std::string> write_choice(store::Session& session, const std::string& clinic_id, const std::string& patient_id,
                                 std::optional<policy::PurposeSet> purposes, const ChoiceChange& change, Instant now,
                                 const ChoiceOrigin& origin = {});

}  // namespace gateway::patients
