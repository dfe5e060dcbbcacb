// clinic and settings: the tenants of this gateway and what their administrators set.

#include "gateway/cli/clinic_rules.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/cli/hie_consents.hpp"
#include "gateway/patients/rules.hpp"

#include <algorithm>

namespace gateway::cli {
namespace {

Fields describe(const policy::Clinic& clinic) {
  Fields fields;
  fields.text("name", clinic.name)
      .text("home", clinic.home.dotted())
      .text("purposes", clinic.defaults.words())
      .text("time_zone", clinic.time_zone)
      .text("assigning_authority", clinic.assigning_authority)
      .text("repository", clinic.repository_id)
      .text("version", clinic.version);
  return fields;
}

Result<policy::PurposeSet> purposes(const std::string& words) {
  if (const auto set = policy::PurposeSet::parse(words)) return *set;
  std::string known;
  for (policy::Purpose purpose : policy::PurposeSet::all().members()) {
    known += (known.empty() ? "" : ", ") + std::string(policy::word(purpose));
  }
  return base::fail(ConfigErrc::OutOfRange, "Purposes are all, none or a list of " + known + "; not " + words);
}

/// Makes a change to a clinic and writes it down, together.
Result<policy::Clinic> change_and_note(House& house, std::string command, const std::string& actor,
                                       std::string sentence, const std::function<Result<policy::Clinic>()>& change) {
  audit::Event event;
  event.transaction = std::move(command);
  event.outcome = audit::Outcome::Changed;
  event.user = actor;
  event.sentence = std::move(sentence);
  std::optional<policy::Clinic> clinic;
  TRY(write_down(house, std::move(event), [&](audit::Event& written) -> Result<void> {
    clinic = TRY(change());
    written.clinic = clinic->id;
    return {};
  }));
  return *clinic;
}

Result<Exit> add(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const std::string home = arguments.text("home"), actor = arguments.text("by");
  const auto defaults = TRY(purposes(arguments.text("purposes", "treatment,payment,operations")));
  const patients::NewClinic wanted{.home = home,
                                   .name = arguments.text("name"),
                                   .time_zone = arguments.text("time-zone", "UTC"),
                                   .assigning_authority = arguments.text("assigning-authority", home),
                                   .repository_id = arguments.text("repository", home + ".1"),
                                   .purposes = defaults};
  const auto clinic = TRY(change_and_note(house, "clinic add", actor, "clinic added: " + defaults.words(), [&] {
    return patients::add_clinic(*house.database, wanted, actor, system_now());
  }));
  console.show(describe(clinic));
  return Exit::Done;
}

Result<Exit> list(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  std::vector<Fields> rows;
  for (const auto& clinic : TRY(patients::list_clinics(*house.database))) rows.push_back(describe(clinic));
  console.show("clinics", rows);
  return Exit::Done;
}

/// What the clinic has set; for people, with all that gates there.
Result<void> show(House& house, const policy::Clinic& clinic, Console& console) {
  Fields fields = describe(clinic);
  TRY(describe_hie_settings(house, clinic, fields));
  if (console.json()) {
    add_rules(fields, clinic.rules);
    console.show(fields);
    return {};
  }
  console.show(fields);
  console.say("");
  console.show("rules", rule_rows(clinic, TRY(load_rules(house.config))));
  return {};
}

Result<Exit> show_settings(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  TRY(show(house, TRY(clinic_meant(house, arguments)), console));
  return Exit::Done;
}

/// All of them or none.
Result<Exit> set_settings(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const auto before = TRY(clinic_meant(house, arguments));
  const std::string actor = arguments.text("by");
  const auto words = arguments.list("SETTING");
  const auto about_hie = static_cast<std::size_t>(std::ranges::count_if(words, is_hie_setting));
  if (about_hie > 0 && about_hie < words.size())
    return base::fail(ConfigErrc::OutOfRange, "Change hie.… by a command of its own: all of a command counts or none");
  if (about_hie > 0) {
    TRY(set_hie_settings(house, before, words, actor, console));
    TRY(show(house, TRY(patients::find_clinic(*house.database, before.id)), console));
    return Exit::Done;
  }
  std::vector<patients::Assignment> assignments;
  std::string sentence = "set";
  for (const std::string& word : words) {
    assignments.push_back(TRY(patients::assignment_from_word(word)));
    sentence += " " + word;
  }
  const auto clinic = TRY(change_and_note(house, "settings set", actor, sentence, [&] {
    return patients::set_clinic_settings(*house.database, before.id, assignments, actor, system_now());
  }));
  TRY(show(house, clinic, console));
  console.say("It counts for every request from now on; purposes, for patients without a choice of their own.");
  return Exit::Done;
}

}  // namespace

std::vector<Command> clinic_commands() {
  const Option clinic{"--clinic", "Which clinic, by name or home; not needed where there is one"};
  return {
      {.path = "clinic add",
       .help = "Add a clinic: one home community of this gateway",
       .example =
           "clinic add --home 2.16.840.1.113883.3.2 --name \"North Clinic\" --time-zone America/Chicago --by admin",
       .options = {{"--home", "Home community id (OID)", true},
                   {"--name", "Its name", true},
                   {"--time-zone", "Its time zone"},
                   {"--assigning-authority", "OID of its patient ids"},
                   {"--repository", "OID of its document repository"},
                   {"--purposes", "Default purposes: all, none or a list"},
                   {"--by", "Your name, for the record", true}},
       .run = add},
      {.path = "clinic list", .help = "List the clinics", .example = "clinic list", .options = {}, .run = list},
      {.path = "settings show",
       .help = "Show what a clinic has set",
       .example = "settings show",
       .options = {clinic},
       .run = show_settings},
      {.path = "settings set",
       .help = "Change what a clinic has set, several settings at once or none; it acts on the next request",
       .example = "settings set purposes=treatment,payment gate=HIV --by \"Dana Admin\"",
       .options = {{"SETTING",
                    "purposes=LIST: answered by default; none makes the clinic opt-in. gate=LABEL, know=LABEL, "
                    "mark=SYSTEM|CODE:LABEL, refuse=HOME: a minus before the value takes it back. "
                    "share=PURPOSE:SYSTEM|CODE,…, PURPOSE:all or PURPOSE:none. part2-emergencies=on or off. "
                    "What is sent to the HIE: hie.enabled=on|off, hie.to=ADDRESS, hie.opt-in-by-default=on|off "
                    "(for patients who were never here before, not even deleted since), hie.expire-in-days=DAYS, "
                    "hie.explanation=FILE",
                    true, true},
                   {"--by", "Your name, for the record", true},
                   clinic},
       .run = set_settings},
  };
}

}  // namespace gateway::cli
