#pragma once
// Consents to the HIE and its settings, as commands: what `consent … --hie` and `settings set hie.…` do.

#include "gateway/cli/house.hpp"

namespace gateway::cli {

// `consent give|revoke|show|history MRN --hie`. The first two write down what they change, the others that somebody
// looked. Options: hie_consent_commands.
Result<Exit> give_hie(const Arguments& arguments, Console& console);
/// @error refused without --yes, and where the latest consent is neither active nor in the future
Result<Exit> revoke_hie(const Arguments& arguments, Console& console);
Result<Exit> show_hie(const Arguments& arguments, Console& console);
Result<Exit> show_hie_history(const Arguments& arguments, Console& console);

/// True for `hie.…`, known or not.
bool is_hie_setting(std::string_view assignment);
/// Makes the assignments one change, and writes it down: `hie.enabled=on|off`, `hie.to=ADDRESS`,
/// `hie.opt-in-by-default=on|off`, `hie.expire-in-days=DAYS` (0: one year), `hie.explanation=FILE`.
/// @error ConfigErrc::UnknownKey, ConfigErrc::OutOfRange, as read_file, patients::Errc::BadSetting
Result<void> set_hie_settings(House& house, const policy::Clinic& clinic, const std::vector<std::string>& assignments,
                              const std::string& actor, Console& console);
/// Adds what is set now to what is shown of a clinic; what cannot be read is shown as that.
Result<void> describe_hie_settings(House& house, const policy::Clinic& clinic, Fields& fields);

}  // namespace gateway::cli
