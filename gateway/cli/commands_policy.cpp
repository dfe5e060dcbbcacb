// policy: a patient's own choice of purposes, the rules of a clinic, and what would be decided and why.

#include "gateway/cli/about_patient.hpp"
#include "gateway/cli/clinic_rules.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/directory/shelf.hpp"
#include "gateway/documents/shelf.hpp"
#include "gateway/patients/consents.hpp"

namespace gateway::cli {
namespace {

Result<policy::PurposeSet> purposes(const std::string& words) {
  if (const auto set = policy::PurposeSet::parse(words)) return *set;
  return base::fail(ConfigErrc::OutOfRange,
                    "Purposes are all, none or a list like treatment,payment,operations,public-health; not " + words);
}

Result<Exit> set(const Arguments& arguments, Console& console) {
  AboutPatient about = TRY(about_patient(arguments, "MRN"));
  const auto chosen = TRY(purposes(arguments.text("purposes")));
  const auto change = TRY(change_given(arguments));
  TRY(write_down(about.house, event_about(about, "policy set", audit::Outcome::Changed, change.actor,
                                          "purposes are now " + chosen.words()),
                 [&](audit::Event&) -> Result<void> {
                   TRY(patients::set_choice(*about.house.database, about.record.id, chosen, change, system_now()));
                   return {};
                 }));
  console.show(shown_choice(about.record, TRY(patients::choice_facts(*about.house.database, about.record.id))));
  return Exit::Done;
}

Result<Exit> clear(const Arguments& arguments, Console& console) {
  AboutPatient about = TRY(about_patient(arguments, "MRN"));
  const auto change = TRY(change_given(arguments));
  TRY(write_down(about.house, event_about(about, "policy clear", audit::Outcome::Changed, change.actor,
                                          "back to the clinic's defaults"),
                 [&](audit::Event&) -> Result<void> {
                   TRY(patients::clear_choice(*about.house.database, about.record.id, change, system_now()));
                   return {};
                 }));
  console.show(shown_choice(about.record, TRY(patients::choice_facts(*about.house.database, about.record.id))));
  return Exit::Done;
}

Result<Exit> show(const Arguments& arguments, Console& console) {
  AboutPatient about = TRY(about_patient(arguments, "MRN"));
  console.show(shown_choice(about.record, TRY(patients::choice_facts(*about.house.database, about.record.id))));
  TRY(write_down(about.house, event_about(about, "policy show", audit::Outcome::Looked)));
  return Exit::Done;
}

Result<Exit> rules(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const auto clinic = TRY(clinic_meant(house, arguments));
  const auto of_deployment = TRY(load_rules(house.config));
  console.show("rules", rule_rows(clinic, of_deployment));
  return Exit::Done;
}

/// The caller as an honest request of that home would show it: certificates of its implementer, purposes as given. Our
/// own people ask in the name of their clinic, which needs no entry in the directory.
policy::Caller supposed_caller(const exchange::DirectoryView& directory, const policy::Clinic& clinic,
                               const Arguments& arguments) {
  policy::Caller caller;
  caller.home = {arguments.text("home")};
  if (arguments.has("user")) caller.own_staff = std::string(base::trim(arguments.text("user")));
  if (const auto oid = base::Oid::parse(caller.home.named)) {
    caller.home.entry = directory.organization(oid->dotted());
    if (caller.own_staff && *oid == clinic.home) {
      caller.home.entry = {.home = clinic.home, .name = clinic.name, .active = true,
                           .implementer = clinic.home.dotted(), .version = clinic.version};
    }
  }
  if (caller.home.entry) {
    caller.tls_implementer = caller.signer_implementer = caller.assertion_implementer = caller.home.entry->implementer;
  }
  if (arguments.has("authorization")) caller.authorization_reference = arguments.text("authorization");
  const std::string system = arguments.text("system", "2.16.840.1.113883.3.18.7.1");
  for (const auto& code : arguments.list("purpose")) caller.purposes.push_back({code, system, {}});
  return caller;
}

/// What is judged: the patient, or one of the patient's documents as the shelf gives it to the corridors.
struct Judged {
  std::string id;
  policy::ChoiceFacts choice = {};
  std::shared_ptr<const policy::ConsentFacts> consents = {};
  std::optional<policy::DocumentFacts> document = {};
};
Result<Judged> judged(const AboutPatient& about, const Arguments& arguments) {
  auto& database = *about.house.database;
  Judged judged{.id = about.record.id};
  if (arguments.has("document")) {
    auto held = TRY(documents::held_document(database, about.clinic, arguments.text("document")));
    if (held.subject != about.record.id)
      return base::fail(documents::Errc::NoSuchDocument, "it is another patient's");
    judged = {.id = std::move(held.id), .choice = std::move(held.choice), .consents = std::move(held.consents),
              .document = std::move(held.document)};
  } else {
    judged.choice = TRY(patients::choice_facts(database, about.record.id));
    judged.consents = TRY(patients::consent_facts(database, about.record.id, patients::Asker::Partner));
  }
  if (arguments.has("user"))
    judged.consents = TRY(patients::consent_facts(database, about.record.id, patients::Asker::OwnStaff));
  return judged;
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

void show_verdict(const policy::Verdict& verdict, const std::string& rules_version, Console& console) {
  const auto rows = describe(verdict);
  std::vector<std::string> obligations;
  for (const auto& one : verdict.obligations) {
    for (const auto& told : one.explanations)
      obligations.push_back(std::string(policy::word(one.kind)) + " [" + told + "]");
  }
  if (console.json()) {
    std::string findings = "[";
    for (std::size_t i = 0; i < rows.size(); ++i) findings += (i ? "," : "") + rows[i].to_json();
    console.show(Fields()
                     .text("verdict", verdict.permits() ? "permit" : "deny")
                     .text("reason", std::string(policy::code(verdict.reason())))
                     .text("rules", rules_version)
                     .list("obligations", obligations)
                     .json("findings", findings + "]"));
    return;
  }
  console.say(verdict.permits() ? "Permit." : "Deny: " + verdict.refusal()->sentence);
  if (const auto* refusal = verdict.refusal()) console.say("It would change with: " + refusal->would_change);
  for (const auto& one : obligations) console.say("With it goes: " + one);
  console.show("gates", rows);
}

/// What the event says of a look that a broken glass opens, or would.
std::string glass_note(const policy::Verdict& verdict) {
  for (const auto& finding : verdict.findings) {
    const auto at = finding.evidence.find("break-glass ");
    if (at != std::string::npos) return finding.evidence.substr(at);
  }
  return {};
}

/// What would be decided about a request, and why. Changes nothing but the record of having looked.
Result<Exit> decide(const Arguments& arguments, Console& console) {
  AboutPatient about = TRY(about_patient(arguments, "patient"));
  directory::DirectoryShelf shelf(*about.house.database, TRY(load_evidence(about.house.config)));
  const auto directory = TRY(shelf.current());
  const auto of_deployment = TRY(load_rules(about.house.config));
  const auto held = TRY(judged(about, arguments));
  const auto admission = policy::admit(of_deployment, supposed_caller(*directory, about.clinic, arguments));
  const auto* refused = std::get_if<policy::Verdict>(&admission);
  const policy::Verdict verdict =
      refused ? *refused
              : policy::judge(std::get<policy::Admitted>(admission), {about.clinic.rules, system_now()}, held.id,
                              {.subject = about.record.id, .choice = held.choice, .consents = held.consents,
                               .document = held.document ? &*held.document : nullptr});
  auto event = event_about(about, "policy decide", audit::Outcome::Looked, arguments.text("user"));
  event.note = glass_note(verdict);
  TRY(write_down(about.house, std::move(event)));
  show_verdict(verdict, of_deployment.version, console);
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
                   {"--document", "Unique id or entry UUID of one of the patient's documents"},
                   {"--user", "Who of our own people asks, by name: opens what that person broke the glass for"},
                   clinic},
       .run = decide},
      {.path = "policy rules",
       .help = "Show everything that gates in a clinic: what the law, this deployment and the clinic say",
       .example = "policy rules",
       .options = {clinic},
       .run = rules},
  };
}

}  // namespace gateway::cli
