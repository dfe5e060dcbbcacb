#pragma once
// A clinic's rules beyond its default purposes, as settings change them one by one and as clinics.rules keeps them.
// [design §4: party, class, sensitivity]

#include "gateway/patients/record.hpp"

namespace gateway::patients {

/// clinics.rules: JSON, empty where a clinic has only what ships.
std::string write_rules(const policy::ClinicRules& rules);
/// What cannot be understood is `readable = false`, and nothing of the clinic is let go.
policy::ClinicRules read_rules(std::string_view json);

/// One assignment of `settings set`, applied: `gate=HIV`, `know=2.999.7|X`, `mark=2.16.840.1.113883.6.1|11111-1:PSY`,
/// `refuse=2.999.9`, `share=treatment:2.16.840.1.113883.6.1|34133-9,…` or `share=treatment:all`,
/// `part2-emergencies=on`; a minus before the value takes it back.
/// @error Errc::BadSetting (the detail says what to write), Errc::NoSuchSetting for another name
Result<policy::ClinicRules> with_rule(policy::ClinicRules rules, std::string_view name, std::string_view value);

/// One line for each rule, as with_rule takes it.
std::vector<std::string> rule_words(const policy::ClinicRules& rules);

/// Acts on the next request of every node. @param assignments  as with_rule takes them, all or none
/// @error Errc::NoSuchClinic, Errc::ActorMissing, those of with_rule
Result<policy::Clinic> set_clinic_rules(store::Database& database, const std::string& clinic_id,
                                        const std::vector<std::pair<std::string, std::string>>& assignments,
                                        std::string_view actor, Instant now);

}  // namespace gateway::patients
