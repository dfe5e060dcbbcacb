// policy simulate: what changed settings of a clinic would have answered and refused.

#include "gateway/audit/retention.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/cli/house.hpp"
#include "gateway/directory/shelf.hpp"
#include "gateway/simulation/simulation.hpp"

#include <algorithm>

namespace gateway::cli {
namespace {

using simulation::Shift;
using simulation::Simulation;
using simulation::Totals;

Fields shown(const Shift& shift) {
  Fields fields;
  fields.text("organization", shift.organization)
      .text("home", shift.home)
      .text("transaction", shift.transaction)
      .text("purposes", shift.purposes)
      .text("patient", shift.mrn)
      .text("document", shift.document)
      .text("before", std::string(policy::code(shift.before)))
      .text("after", std::string(policy::code(shift.after)))
      .number("times", shift.times)
      .time("last_asked", shift.last_asked)
      .text("because", shift.because)
      .text("would_change", shift.would_change)
      .json("last_request", "\"" + shift.last_request + "\"");
  return fields;
}

Fields shown(const Totals& totals) {
  Fields fields;
  fields.number("requests", totals.requests)
      .number("requests_changed", totals.requests_changed)
      .number("newly_answered", totals.newly_answered)
      .number("newly_refused", totals.newly_refused)
      .number("answered_alike", totals.answered_alike)
      .number("refused_alike", totals.refused_alike)
      .number("gone", totals.gone)
      .number("left_out", totals.left_out)
      .number("not_listed", totals.not_listed);
  return fields;
}

std::vector<Fields> rows_of(const Simulation& found, bool answered) {
  std::vector<Fields> rows;
  for (const Shift& shift : found.shifts) {
    if (shift.answered == answered) rows.push_back(shown(shift));
  }
  return rows;
}

std::string array(const std::vector<Fields>& rows) {
  std::string json = "[";
  for (const auto& row : rows) json += (json.size() > 1 ? "," : "") + row.to_json();
  return json + "]";
}

void show(const Simulation& found, Console& console) {
  const auto answered = rows_of(found, true), refused = rows_of(found, false);
  if (console.json()) {
    console.show(Fields()
                     .json("newly_answered", array(answered))
                     .json("newly_refused", array(refused))
                     .json("totals", shown(found.totals).to_json()));
    return;
  }
  console.say("Newly answered:");
  console.show("such requests", answered);
  console.say("\nNewly refused:");
  console.show("such requests", refused);
  console.say("");
  console.show(shown(found.totals));
}

/// Having looked: names everybody who is shown.
Result<void> write_down_look(House& house, const policy::Clinic& clinic, const Simulation& found) {
  audit::Event event;
  event.transaction = "policy simulate";
  event.outcome = audit::Outcome::Looked;
  event.clinic = clinic.id;
  for (const Shift& shift : found.shifts) {
    if (std::ranges::find(event.patients, shift.patient) == event.patients.end())
      event.patients.push_back(shift.patient);
  }
  event.user = system_user();
  event.sentence = std::to_string(found.totals.newly_answered) + " newly answered, " +
                   std::to_string(found.totals.newly_refused) + " newly refused, of " +
                   std::to_string(found.totals.requests) + " requests";
  return write_down(house, std::move(event));
}

Result<Exit> simulate(const Arguments& arguments, Console& console) {
  const auto since = TRY(instant_given(arguments, "since")).value_or(base::from_micros(0));
  const auto until = TRY(instant_given(arguments, "until")).value_or(system_now());
  House house = TRY(open_house(arguments));
  const auto clinic = TRY(clinic_meant(house, arguments));
  const auto changed = TRY(simulation::changed_clinic(clinic, TRY(read_file(arguments.text("change"), 1u << 20))));
  directory::DirectoryShelf shelf(*house.database, TRY(load_evidence(house.config)));
  const auto directory = TRY(shelf.current());
  const auto rules = TRY(load_rules(house.config));
  const simulation::Question question{.now = clinic,
                                      .changed = changed,
                                      .period = {.since = since, .until = until},
                                      .rules = rules,
                                      .directory = *directory,
                                      .at = system_now()};
  const auto found = TRY(simulation::simulate(*house.database, question,
                                              [&console](std::uint64_t done) { console.progress(done, 0); }));
  console.progress_end();
  TRY(write_down_look(house, clinic, found));
  show(found, console);
  if (!TRY(audit::retained_so_far(*TRY(house.database->session()))).empty())
    console.say("Requests that audit retain deleted are not among them.");
  return Exit::Done;
}

}  // namespace

std::vector<Command> simulate_commands() {
  return {
      {.path = "policy simulate",
       .help = "Decide past requests again, with changed settings: what would newly be answered or refused; changes "
               "nothing",
       .example = "policy simulate --change stricter.txt --since 2026-10-01",
       .options = {{"--change", "File of settings as settings set takes them, one a line, or JSON {\"settings\": {…}}",
                    true},
                   {"--since", "First day or instant (UTC); the beginning if not given"},
                   {"--until", "End, exclusive; now if not given"},
                   {"--clinic", "Which clinic, by name or home; not needed where there is one"}},
       .run = simulate},
  };
}

}  // namespace gateway::cli
