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

/// `2.16.840.1.113883.6.1|34133-9`; nothing for what names no system or no code.
std::optional<base::Code> code_from_word(std::string_view word);

/// `gate=HIV` as name and value.
using Assignment = std::pair<std::string, std::string>;
/// @error Errc::BadSetting for a text without `=`
Result<Assignment> assignment_from_word(std::string_view word);

/// A clinic as it would be with one setting changed: `purposes=treatment,payment`, or a rule.
/// @error Errc::BadSetting, Errc::NoSuchSetting; Errc::RecordUnreadable where its rules cannot be read
Result<policy::Clinic> with_setting(policy::Clinic clinic, const Assignment& assignment);

/// Acts on the next request of every node. @param assignments  as with_setting takes them, all or none
/// @error Errc::NoSuchClinic, Errc::ActorMissing, those of with_setting
Result<policy::Clinic> set_clinic_settings(store::Database& database, const std::string& clinic_id,
                                           const std::vector<Assignment>& assignments, std::string_view actor,
                                           Instant now);
/// The same for rules alone.
Result<policy::Clinic> set_clinic_rules(store::Database& database, const std::string& clinic_id,
                                        const std::vector<Assignment>& assignments, std::string_view actor,
                                        Instant now);

}  // namespace gateway::patients
