#pragma once
// A patient's consents: an append-only history of versions. What they say is policy's; how FHIR writes them is known to
// gateway/resources. [design §4]

#include "gateway/patients/choices.hpp"
#include "policy/consent.hpp"

#include <map>

namespace gateway::patients {

struct NewConsent {
  policy::ConsentStatus status = policy::ConsentStatus::Active;
  policy::Provision root = {};
  Instant given_at{};
  std::string source = {};  ///< identifier of the resource it comes from; the same one again is a new version
};

/// One version, as histories show it.
struct ConsentRow {
  policy::Consent consent;
  bool readable = true;  ///< false: what is stored cannot be understood, and nothing of the patient is let go
  std::string set_by, actor, basis, source;
  Instant given_at{}, set_at{};
  bool last = false;  ///< the version that counts
};

/// Whatever record is named, the consent is filed under the one it was merged into.
/// @return the consent as filed. @error Errc::NoSuchPatient, Errc::ActorMissing; resources::Errc::TooMuch for one that
/// says more than can be read again
Result<policy::Consent> give_consent(store::Database& database, const std::string& patient_id,
                                     const NewConsent& consent, const ChoiceChange& change, Instant now);
/// A new version that says nothing any more. Staff state a basis where the patient gave it in person.
/// @error Errc::NoSuchConsent, Errc::NotRevocable, Errc::ActorMissing, Errc::BasisMissing
Result<policy::Consent> revoke_consent(store::Database& database, const std::string& patient_id,
                                       const std::string& consent_id, const ChoiceChange& change, Instant now);
/// Every version of every consent of the person, in save order.
Result<std::vector<ConsentRow>> consent_history(store::Database& database, const std::string& patient_id);

/// Refuses a consent that could not be read again once it is saved. @error resources::Errc::TooMuch, FieldUnreadable
Result<void> check_readable(const policy::Provision& root);

/// What is written of a version beside the consent itself.
struct Version {
  std::string clinic, person;  ///< our ids; no record that was merged into another
  std::string record = {};     ///< that was named, where that was: a consent goes with it when a merge is taken back
  const ChoiceChange& change;
  std::string source;          ///< as NewConsent's
  Instant given_at, now;
};
/// Within a transaction that holds the patient's row: a row more.
Result<void> write_version(store::Session& session, const policy::Consent& consent, const Version& version);
/// Every version of every consent of a person, in save order. @param person_id  no record that was merged into another
Result<std::vector<ConsentRow>> versions_of(store::Session& session, const std::string& person_id);

/// Two persons whose records were those of one: their records, each one's that stands for it first.
struct Parting {
  std::string clinic;
  std::vector<std::string> ones, others;
  Instant since;  ///< when they became one
};
/// Within the transaction that parts them, after it: what was forbidden in the one's name since then is forbidden in
/// the other's too, what opens a label is not, and patients.consents counts what each has. Consents that cannot be read
/// are copied: they let nothing go. [design §4]
Result<void> part_consents(store::Session& session, const Parting& parting);

/// Who asks: broken glasses open nothing to partners, and are read for our own people alone.
enum class Asker { Partner, OwnStaff };

/// Reads what is known of patients beyond their choice, once for each patient of a request.
class ConsentReader {
 public:
  explicit ConsentReader(store::Session& session, Asker asker = Asker::Partner) : session_(session), asker_(asker) {}
  /// @param rows  patients.consents: no consent is read where it is 0. @return null where there is nothing
  Result<std::shared_ptr<const policy::ConsentFacts>> of(const std::string& patient_id, std::int64_t rows);

 private:
  store::Session& session_;
  Asker asker_;
  std::map<std::string, std::shared_ptr<const policy::ConsentFacts>> read_;
};

/// What ConsentReader knows of one person, whatever record is named. @error Errc::NoSuchPatient
Result<std::shared_ptr<const policy::ConsentFacts>> consent_facts(store::Database& database,
                                                                  const std::string& patient_id, Asker asker);

}  // namespace gateway::patients
