#pragma once
// A FHIR R4 Consent as far as our records keep it, and our consents and choices written as one: by the narrowest
// profile of IHE PCF that they fit. [FHIR R4 Consent; facts/fhir §11]

#include "gateway/resources/patient.hpp"
#include "gateway/resources/provision.hpp"

namespace gateway::resources {

struct FhirConsent {
  std::string id = {};
  std::string identifier = {};  ///< the first with a value, `system|value`
  /// `inactive` is Revoked, `draft` Proposed. `rejected`, an offer turned down, is EnteredInError: it says nothing and
  /// never will. What is active and verified as false is Proposed.
  policy::ConsentStatus status = policy::ConsentStatus::Active;
  std::string patient_reference = {};  ///< `Patient/p1`, or empty where only the identifier is given
  FhirIdentifier patient_identifier = {};
  Instant given_at{};
  std::string performer = {};   ///< who gave it: display, else the reference
  std::string policy_uri = {};  ///< the first
  policy::Provision root = {};
  std::vector<std::string> not_evaluated = {};  ///< as of ReadProvision
};

/// Refuses what could be meant for somebody else, or otherwise than it is read: no privacy consent, no patient, no
/// date, a status or type of provision we do not know, a modifier extension of the whole. The calendar's zone is that
/// of every date.
/// @error Errc::NotAConsent, Errc::FieldUnreadable, Errc::TooMuch
Result<FhirConsent> read_consent(base::json::Value resource, const Calendar& calendar,
                                 const ProvisionLimits& limits = {});

/// Where an active consent, not under consents_policy, says nothing but which purposes are permitted: those. So does
/// our own choice of purposes, and a basic consent of PCF without period, recipient, label or data.
std::optional<policy::PurposeSet> purposes_only(const FhirConsent& consent);

/// Whom a written consent is about.
struct ConsentParties {
  std::string patient_id;  ///< of our record
  FhirIdentifier patient_identifier;
  base::HomeCommunityId organization;  ///< the clinic's home
  std::string organization_name;
  std::string performer;  ///< who gave it, in words; empty: the patient
  std::string source = {};  ///< `system|value` by which it is known where it comes from; empty where it was made here
};
/// The system of our own identifiers of consents and choices.
inline constexpr std::string_view own_consents = "urn:gatehouse:consent";
/// The policy by which a Consent of ours is a consent, whatever it says: never a choice of purposes.
inline constexpr std::string_view consents_policy = "urn:gatehouse:policy:consents";

/// @param policy_uri  of the policy the consent was given under; not empty
/// @return a Consent as JSON text, which claims a profile of PCF where it fits one: classes, deeper exceptions and
///         parts that were not understood are valid R4 alone
std::string write_consent(const policy::Consent& consent, Instant given_at, const ConsentParties& parties,
                          std::string_view policy_uri);

/// The policy by which a Consent is a choice of purposes.
inline constexpr std::string_view purposes_policy = "urn:gatehouse:policy:purposes";
/// The patient's own set of purposes: a deny with one permit for those purposes; the empty set is the deny alone.
std::string write_choice(const policy::PurposeChoice& choice, Instant given_at, const ConsentParties& parties);

}  // namespace gateway::resources
