// policy and consent: a patient's own choice of purposes, and what would be decided and why.

#include "gateway/cli/commands.hpp"
#include "gateway/cli/house.hpp"
#include "gateway/directory/shelf.hpp"
#include "gateway/patients/choices.hpp"
#include "gateway/patients/records.hpp"

namespace gateway::cli {
namespace {

Result<policy::PurposeSet> purposes(const std::string& words) {
  if (const auto set = policy::PurposeSet::parse(words)) return *set;
  return base::fail(ConfigErrc::OutOfRange,
                    "Purposes are all, none or a list like treatment,payment,operations,public-health; not " + words);
}

Result<patients::ChoiceChange> change_of(const Arguments& arguments) {
  const std::string as = arguments.text("as", "staff");
  if (as != "staff" && as != "patient") return base::fail(ConfigErrc::OutOfRange, "--as must be staff or patient");
  return patients::ChoiceChange{.set_by = as == "patient" ? patients::SetBy::Patient : patients::SetBy::Staff,
                                .actor = arguments.text("by"),
                                .basis = arguments.text("basis")};
}

Result<void> note(House& house, std::string command, audit::Outcome outcome, const policy::Clinic& clinic,
                  const patients::PatientRecord& record, std::string actor, std::string sentence,
                  audit::Change change = {}) {
  audit::Event event;
  event.transaction = std::move(command);
  event.outcome = outcome;
  event.clinic = clinic.id;
  event.patients = {record.id};
  event.user = std::move(actor);
  event.sentence = std::move(sentence);
  return write_down(house, std::move(event), std::move(change));
}

Fields describe_facts(const patients::PatientRecord& record, const policy::ChoiceFacts& facts) {
  Fields fields;
  fields.text("mrn", record.mrn)
      .text("counts", !facts.readable ? "unreadable: nothing is answered"
                      : facts.choice  ? "the patient's own choice, set by " + facts.choice->set_by
                                      : "the clinic's defaults")
      .text("purposes", (facts.choice ? facts.choice->purposes : facts.clinic_defaults).words())
      .text("clinic_defaults", facts.clinic_defaults.words());
  return fields;
}

struct Meant {
  House house;
  policy::Clinic clinic;
  patients::PatientRecord record;
};
Result<Meant> patient_of(const Arguments& arguments, const std::string& option) {
  House house = TRY(open_house(arguments));
  auto clinic = TRY(clinic_meant(house, arguments));
  auto record = TRY(patients::show_patient(*house.database, clinic, arguments.text(option)));
  return Meant{std::move(house), std::move(clinic), std::move(record)};
}

Result<Exit> set(const Arguments& arguments, Console& console) {
  Meant meant = TRY(patient_of(arguments, "MRN"));
  const auto chosen = TRY(purposes(arguments.text("purposes")));
  const auto change = TRY(change_of(arguments));
  TRY(note(meant.house, "policy set", audit::Outcome::Changed, meant.clinic, meant.record, change.actor,
           "purposes are now " + chosen.words(), [&](audit::Event&) -> Result<void> {
             TRY(patients::set_choice(*meant.house.database, meant.record.id, chosen, change, system_now()));
             return {};
           }));
  console.show(describe_facts(meant.record, TRY(patients::choice_facts(*meant.house.database, meant.record.id))));
  return Exit::Done;
}

Result<Exit> clear(const Arguments& arguments, Console& console) {
  Meant meant = TRY(patient_of(arguments, "MRN"));
  const auto change = TRY(change_of(arguments));
  TRY(note(meant.house, "policy clear", audit::Outcome::Changed, meant.clinic, meant.record, change.actor,
           "back to the clinic's defaults", [&](audit::Event&) -> Result<void> {
             TRY(patients::clear_choice(*meant.house.database, meant.record.id, change, system_now()));
             return {};
           }));
  console.show(describe_facts(meant.record, TRY(patients::choice_facts(*meant.house.database, meant.record.id))));
  return Exit::Done;
}

Result<Exit> show(const Arguments& arguments, Console& console) {
  Meant meant = TRY(patient_of(arguments, "MRN"));
  console.show(describe_facts(meant.record, TRY(patients::choice_facts(*meant.house.database, meant.record.id))));
  TRY(note(meant.house, "policy show", audit::Outcome::Looked, meant.clinic, meant.record, {}, {}));
  return Exit::Done;
}

Result<Exit> history(const Arguments& arguments, Console& console) {
  Meant meant = TRY(patient_of(arguments, "MRN"));
  std::vector<Fields> rows;
  for (const auto& row : TRY(patients::choice_history(*meant.house.database, meant.record.id))) {
    rows.push_back(Fields()
                       .time("set_at", row.set_at)
                       .text("purposes", !row.readable  ? "unreadable"
                                         : row.purposes ? row.purposes->words()
                                                        : "clinic defaults")
                       .text("set_by", row.set_by)
                       .text("actor", row.actor)
                       .text("basis", row.basis)
                       .flag("in_force", row.in_force));
  }
  TRY(note(meant.house, "consent show", audit::Outcome::Looked, meant.clinic, meant.record, {}, {}));
  console.show("choices", rows);
  return Exit::Done;
}

/// The caller as an honest request of that home would show it: certificates of its implementer, purposes as given.
policy::Caller supposed_caller(const exchange::DirectoryView& directory, const Arguments& arguments) {
  policy::Caller caller;
  caller.home = {arguments.text("home")};
  if (const auto oid = base::Oid::parse(caller.home.named)) caller.home.entry = directory.organization(oid->dotted());
  if (caller.home.entry) {
    caller.tls_implementer = caller.signer_implementer = caller.assertion_implementer = caller.home.entry->implementer;
  }
  if (arguments.has("authorization")) caller.authorization_reference = arguments.text("authorization");
  const std::string system = arguments.text("system", "2.16.840.1.113883.3.18.7.1");
  for (const auto& code : arguments.list("purpose")) caller.purposes.push_back({code, system, {}});
  return caller;
}

std::vector<Fields> describe(const policy::Verdict& verdict) {
  std::vector<Fields> rows;
  for (const policy::Finding& finding : verdict.findings) {
    rows.push_back(Fields()
                       .text("gate", std::string(policy::word(finding.gate)))
                       .text("reason", std::string(policy::code(finding.reason)))
                       .text("because", finding.sentence)
                       .text("evidence", finding.evidence)
                       .text("would_change", finding.would_change));
  }
  return rows;
}

/// What would be decided about a request, and why. Changes nothing but the record of having looked.
Result<Exit> decide(const Arguments& arguments, Console& console) {
  Meant meant = TRY(patient_of(arguments, "patient"));
  directory::DirectoryShelf shelf(*meant.house.database, TRY(load_evidence(meant.house.config)));
  const auto directory = TRY(shelf.current());
  const auto rules = TRY(load_rules(meant.house.config));
  const auto facts = TRY(patients::choice_facts(*meant.house.database, meant.record.id));
  const auto admission = policy::admit(rules, supposed_caller(*directory, arguments));
  const auto* refused = std::get_if<policy::Verdict>(&admission);
  const policy::Verdict verdict =
      refused ? *refused
              : policy::judge(std::get<policy::Admitted>(admission), {meant.clinic.rules, system_now()},
                              meant.record.id, {.subject = meant.record.id, .choice = facts});
  TRY(note(meant.house, "policy decide", audit::Outcome::Looked, meant.clinic, meant.record, {}, {}));

  const auto rows = describe(verdict);
  if (console.json()) {
    std::string findings = "[";
    for (std::size_t i = 0; i < rows.size(); ++i) findings += (i ? "," : "") + rows[i].to_json();
    console.show(Fields()
                     .text("verdict", verdict.permits() ? "permit" : "deny")
                     .text("reason", std::string(policy::code(verdict.reason())))
                     .text("rules", rules.version)
                     .json("findings", findings + "]"));
  } else {
    console.say(verdict.permits() ? "Permit." : "Deny: " + verdict.refusal()->sentence);
    if (const auto* refusal = verdict.refusal()) console.say("It would change with: " + refusal->would_change);
    console.show("gates", rows);
  }
  return verdict.permits() ? Exit::Done : Exit::Refused;
}

}  // namespace

std::vector<Command> policy_commands() {
  const Option clinic{"--clinic", "Which clinic, by name or home; not needed where there is one"};
  const Option mrn{"MRN", "The patient's record number", true};
  const Option by{"--by", "Who makes the change, by name", true};
  const Option as{"--as", "staff or patient: whose word it is; staff if not given"};
  const Option basis{"--basis", "Why; needed where staff would overwrite what the patient chose"};
  return {
      {.path = "policy set",
       .help = "Record which purposes a patient permits; it acts on the next request",
       .example = "policy set MRN-1001 --purposes treatment --by \"Ruth Reception\" --basis \"signed form of today\"",
       .options =
           {mrn, {"--purposes", "all, none (opt out) or a list like treatment,payment", true}, by, as, basis, clinic},
       .run = set},
      {.path = "policy clear",
       .help = "Take a patient's choice back: the clinic's defaults count again",
       .example = "policy clear MRN-1001 --by \"Ruth Reception\" --basis \"asked by phone\"",
       .options = {mrn, by, as, basis, clinic},
       .run = clear},
      {.path = "policy show",
       .help = "Show what counts for a patient now",
       .example = "policy show MRN-1001",
       .options = {mrn, clinic},
       .run = show},
      {.path = "policy decide",
       .help = "Say what would be decided about a request, and why; exit 1 if it would be denied",
       .example = "policy decide --patient MRN-1001 --home 2.16.840.1.113883.3.9621 --purpose TREATMENT",
       .options = {{"--patient", "Record number", true},
                   {"--home", "Home community id of who asks", true},
                   {"--purpose", "Purpose code as the token writes it", true, true},
                   {"--system", "Its code system; the NHIN one if not given"},
                   {"--authorization", "Authorization reference of the token"},
                   clinic},
       .run = decide},
      {.path = "consent show",
       .help = "Show every choice a patient has made: when, by whom, on which basis",
       .example = "consent show MRN-1001",
       .options = {mrn, clinic},
       .run = history},
  };
}

}  // namespace gateway::cli
