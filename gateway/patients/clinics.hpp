#pragma once
// Clinics and their settings, as commands and pages set them.

#include "gateway/patients/record.hpp"

namespace gateway::patients {

struct NewClinic {
  std::string home;  ///< OID, dotted or urn:oid:
  std::string name;
  std::string time_zone = "UTC";    ///< IANA name
  std::string assigning_authority;  ///< OID
  std::string repository_id;        ///< OID
  policy::PurposeSet purposes;      ///< defaults
};

/// @error Errc::BadClinic, Errc::ClinicTaken, Errc::ActorMissing
Result<policy::Clinic> add_clinic(store::Database& database, const NewClinic& clinic, std::string_view actor,
                                  Instant now);
Result<std::vector<policy::Clinic>> list_clinics(store::Database& database);
/// The clinic meant by its id, its home or its name; the only one where `word` is empty.
/// @error Errc::NoSuchClinic
Result<policy::Clinic> find_clinic(store::Database& database, std::string_view word);
/// Current from now on for every patient without an own choice. @error Errc::NoSuchClinic, Errc::ActorMissing
Result<policy::Clinic> set_clinic_purposes(store::Database& database, const std::string& clinic_id,
                                           policy::PurposeSet purposes, std::string_view actor, Instant now);

/// One row of clinic_settings, within the transaction that changes the clinic.
struct SettingChange {
  std::string clinic;
  std::int64_t version = 0;  ///< clinics.version from then on
  std::string setting, value, actor;
};
Result<void> record_setting(store::Session& session, const SettingChange& change, Instant now);

/// A row of clinics with the columns `id, home, name, time_zone, assigning_authority, repository_id, purposes,
/// version, rules`.
inline constexpr std::string_view clinic_columns =
    "id, home, name, time_zone, assigning_authority, repository_id, purposes, version, rules";
inline constexpr std::string_view clinic_letters = "ttttttiit";
/// Defaults that cannot be read are the empty set here: what decides is read with the patient.
Result<policy::Clinic> read_clinic(const store::Row& row);

}  // namespace gateway::patients
