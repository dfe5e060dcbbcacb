#pragma once
// Emergencies in which our own people look at what is gated: each states who, in which role and why, lasts minutes, and
// is reviewed by somebody else. What a grant opens is policy's. [threats C10; design §4, sensitivity]

#include "gateway/patients/record.hpp"
#include "policy/consent.hpp"

namespace gateway::patients {

struct NewGrant {
  std::string user;    ///< by name; the one whom it lets in
  std::string role;    ///< `emergency physician`
  std::string reason;  ///< what whoever reviews it reads
  std::int64_t minutes = 0;
};

struct GrantLimits {
  std::int64_t minutes = 240;
  std::size_t reason_characters = 10;
  std::size_t patients_an_hour = 5;      ///< different persons, of one user
  std::chrono::minutes twice_within{10};
};

/// A grant as it stands.
struct Grant {
  std::string id;
  std::string patient, mrn;  ///< of the record it was made for
  std::string user, role, reason;
  Instant from{}, to{};
  std::string reviewer = {};  ///< empty: waits for review
  std::optional<Instant> reviewed_at = {};
  std::string finding = {};
};

/// Whatever record is named, the grant is for the person.
/// @error Errc::NoSuchPatient, Errc::ActorMissing, Errc::RoleMissing, Errc::ReasonTooThin, Errc::BadGrantTime,
///        Errc::GrantOpen, Errc::GlassRate
Result<Grant> break_glass(store::Database& database, const std::string& patient_id, const NewGrant& grant, Instant now,
                          const GrantLimits& limits = {});

enum class Reviewed { Waiting, All };
/// A clinic's grants, the oldest first.
Result<std::vector<Grant>> list_grants(store::Database& database, const policy::Clinic& clinic, Reviewed which);

struct Review {
  std::string reviewer;  ///< by name: another than whom the grant let in, whatever the case
  std::string finding;
};
/// Closes it; one that is still open ends with its review.
/// @error Errc::NoSuchGrant, Errc::ReviewedAlready, Errc::OwnReview, Errc::ActorMissing, Errc::FindingMissing
Result<Grant> review_grant(store::Database& database, const policy::Clinic& clinic, const std::string& grant_id,
                           const Review& review, Instant now);

/// The latest grants of a person, for ConsentReader. @param person  our id of the record that stands for it
Result<std::vector<policy::BreakGlass>> grants_of_person(store::Session& session, const std::string& person);

}  // namespace gateway::patients
