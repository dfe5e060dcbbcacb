#pragma once
// A patient's consents to what is sent to the HIE: an append-only history in save order. What it means is policy's.
// [design §4, HIE consent]
//
// While records are merged, the histories of all of them count together, in save order; taken apart, each has its own
// again. A revocation is filed with every record of the person, so that it stays with each.

#include "gateway/patients/choices.hpp"
#include "gateway/patients/hie_settings.hpp"
#include "policy/hie_consent.hpp"

namespace gateway::patients {

/// A consent as the form has it.
struct HieForm {
  std::string given_on = {};    ///< a day (00:00 in the clinic's zone) or a time, as Calendar reads it; empty: now
  std::string expires_on = {};  ///< the same; empty: a year later, or after the clinic's days; `never`
  /// Version of the explanation the patient saw, 0 for none. Not given: the current one where it is the patient's own
  /// word, none where it is staff's.
  std::optional<std::int64_t> explanation = {};
  bool may_stop = false;        ///< to be saved although nothing may be sent now by it, where something may without it
};

/// What a form means, and whether it was saved.
struct HieGiven {
  policy::HieConsent consent;   ///< without id where it was not saved
  std::string hie;
  policy::HieStatus status = policy::HieStatus::Pending;
  bool saved = false;
  bool stops = false;           ///< sends that are permitted now stop by it
  std::optional<Instant> stops_until = {};  ///< where it begins later; nothing: until another consent
};

/// Saved as the latest, whatever record of the person is named.
/// @return what it means; not saved where it stops what is permitted now and the form does not say that it may
/// @error Errc::NoSuchPatient, Errc::NoHie, Errc::BadPeriod, Errc::NoSuchExplanation, Errc::ActorMissing,
///        Errc::BasisMissing (staff, where the latest is the patient's own word), Errc::RecordUnreadable,
///        resources::Errc::NotADate, resources::Errc::UnknownZone
Result<HieGiven> give_hie_consent(store::Database& database, const std::string& patient_id, const HieForm& form,
                                  const ChoiceChange& change, Instant now);

/// @return the row that takes the latest back
/// @error Errc::HieNotRevocable (the latest is neither active nor in the future), and as give_hie_consent
Result<policy::HieConsent> revoke_hie_consent(store::Database& database, const std::string& patient_id,
                                              const ChoiceChange& change, Instant now);

/// One row, as histories show it.
struct HieRow {
  policy::HieConsent consent;
  bool readable = true;    ///< false: what is stored cannot be understood, and nothing is sent
  std::string hie;         ///< whom it is to
  bool current = false;    ///< that is the HIE the clinic sends to now
  policy::HieStatus status = policy::HieStatus::Inactive;  ///< among the rows to the same HIE; of readable rows
  std::string mrn;         ///< of the record it is filed with
  std::string actor, reason;
  Instant saved_at{};
};
/// Every row of the person, to whatever HIE, in save order. @error Errc::NoSuchPatient
Result<std::vector<HieRow>> hie_history(store::Database& database, const std::string& patient_id, Instant now);

/// What a decision about a send is made of, read at once.
struct HieState {
  std::optional<HieSettings> settings = {};  ///< nothing: unreadable, and so are the facts
  policy::HieFacts facts = {};               ///< about the HIE of the settings
};
/// @error Errc::NoSuchPatient
Result<HieState> hie_state(store::Database& database, const std::string& patient_id);

/// One who is entered, by our id and by the numbers a person is known by.
struct Newcomer {
  std::string id;
  std::vector<std::string> numbers;  ///< CX
};
/// Within the transaction that enters new patients: a consent by default for each, where the clinic's settings say so,
/// but for who was here before and was deleted: what they had revoked is not known any more. [design §4]
/// @error resources::Errc::UnknownZone
Result<void> enter_default_consents(store::Session& session, const policy::Clinic& clinic,
                                    std::span<const Newcomer> newcomers, Instant now);
/// Within the transaction that deletes a patient: keeps the numbers by which one is known who comes again.
Result<void> remember_former(store::Session& session, const policy::Clinic& clinic,
                             std::span<const std::string> numbers);

}  // namespace gateway::patients
