// consent import, export: files of consents and choices, with a plan before anything changes.

#include "gateway/cli/about_patient.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/directory/shelf.hpp"
#include "gateway/patients/consent_files.hpp"
#include "gateway/patients/consent_words.hpp"

#include <algorithm>

namespace gateway::cli {
namespace {

using patients::ConsentPlan;
using patients::PlannedRow;
using patients::RowDoes;

constexpr RowDoes all_that_rows_do[] = {RowDoes::SetsPurposes,   RowDoes::ClearsPurposes, RowDoes::GivesConsent,
                                        RowDoes::ChangesConsent, RowDoes::EndsConsent,    RowDoes::Nothing};

std::string name_of(RowDoes does) {
  std::string name(word(does));
  std::ranges::replace(name, ' ', '_');
  return name;
}

/// What a row would do, as people read it.
std::vector<std::string> says(const PlannedRow& row, const resources::Calendar& calendar) {
  switch (row.does) {
    case RowDoes::Nothing:
      return row.remark.empty() ? std::vector<std::string>() : std::vector<std::string>{row.remark};
    case RowDoes::SetsPurposes: return {row.purposes.words()};
    case RowDoes::ClearsPurposes: return {"clinic defaults"};
    case RowDoes::GivesConsent:
    case RowDoes::ChangesConsent:
    case RowDoes::EndsConsent: break;
  }
  return patients::statements(row.consent.root, calendar);
}

Fields shown(const PlannedRow& row, const resources::Calendar& calendar) {
  std::string status;
  const bool is_consent = row.does == RowDoes::GivesConsent || row.does == RowDoes::ChangesConsent ||
                          row.does == RowDoes::EndsConsent;
  if (is_consent) status = std::string(policy::word(row.consent.status));
  Fields fields;
  fields.text("place", row.place)
      .text("mrn", row.mrn)
      .text("does", std::string(word(row.does)))
      .text("status", status)
      .list("says", says(row, calendar));
  return fields;
}

std::string as_json(const std::vector<ConsentPlan::Note>& notes) {
  std::string out = "[";
  for (const auto& note : notes)
    out += (out.size() > 1 ? "," : "") + Fields().text("place", note.place).text("why", note.sentence).to_json();
  return out + "]";
}

std::string as_json(const std::vector<Fields>& rows) {
  std::string out = "[";
  for (const auto& row : rows) out += (out.size() > 1 ? "," : "") + row.to_json();
  return out + "]";
}

void say(const Console& console, std::string_view heading, const std::vector<ConsentPlan::Note>& notes) {
  if (notes.empty()) return;
  console.say(heading);
  for (const auto& note : notes) console.say("  " + note.place + ": " + note.sentence + ".");
}

/// A mistyped organization would do nothing, silently.
Result<std::vector<std::string>> unknown_recipients(House& house, const ConsentPlan& plan) {
  directory::DirectoryShelf shelf(*house.database, TRY(load_evidence(house.config)));
  const auto directory = TRY(shelf.current());
  std::vector<std::string> unknown;
  for (const auto& home : plan.recipients) {
    if (!directory->organization(home)) unknown.push_back(home);
  }
  return unknown;
}

/// `3 sets purposes, 1 unchanged, 2 not accepted`
std::string counted(const ConsentPlan& plan) {
  std::string text;
  const auto add = [&](std::size_t count, std::string_view of) {
    if (count > 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(of);
  };
  for (const RowDoes does : all_that_rows_do) add(plan.count(does), word(does));
  add(plan.refused.size(), "not accepted");
  return text.empty() ? "no rows" : text;
}

/// Under the heading of one command.
void show_plan(const ConsentPlan& plan, const std::vector<std::string>& unknown, const std::vector<Fields>& rows,
               Fields fields, const Console& console) {
  for (const RowDoes does : all_that_rows_do) fields.number(name_of(does), static_cast<std::int64_t>(plan.count(does)));
  fields.number("not_accepted", static_cast<std::int64_t>(plan.refused.size()))
      .list("not_in_the_directory", unknown)
      .json("rows", as_json(rows))
      .json("why_not_accepted", as_json(plan.refused))
      .json("not_evaluated", as_json(plan.reported));
  console.show(fields);
  if (!rows.empty() && !console.json()) {
    console.say("");
    console.show("rows", rows);
  }
  say(console, "\nNot accepted:", plan.refused);
  say(console, "\nAccepted with parts that will only refuse:", plan.reported);
}

Result<Exit> import_consents(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const auto clinic = TRY(clinic_meant(house, arguments));
  const auto calendar = TRY(resources::Calendar::of(clinic.time_zone));
  const auto file = arguments.text("FILE");
  const bool dry_run = arguments.has("dry-run");
  const auto now = system_now();
  patients::ConsentImportOptions options;
  options.change = TRY(change_given(arguments));
  options.progress = [&console](std::size_t rows) { console.progress(rows, 0); };
  const auto plan = TRY(patients::plan_consents(*house.database, clinic, TRY(read_file(file)), options, now));
  const auto unknown = TRY(unknown_recipients(house, plan));
  const bool acts = !dry_run && plan.refused.empty();

  audit::Event event;
  event.transaction = "consent import";
  event.outcome = acts ? audit::Outcome::Changed : audit::Outcome::Looked;
  event.clinic = clinic.id;
  event.user = options.change.actor;
  event.patients = plan.looked_at;
  event.sentence = (dry_run ? "dry run: " : acts ? "" : "nothing imported: ") + counted(plan);
  audit::Change change;
  const auto total = plan.rows.size();
  if (acts) {
    change = [&](audit::Event&) {
      return patients::carry_out(*house.database, plan, now,
                                 [&](std::size_t rows) { console.progress(rows, total); });
    };
  }
  TRY(write_down(house, std::move(event), std::move(change)));
  console.progress_end();

  std::vector<Fields> rows;
  if (dry_run) {
    for (const auto& row : plan.rows) rows.push_back(shown(row, calendar));
  }
  show_plan(plan, unknown, rows, Fields().text("file", file).flag("dry_run", dry_run).flag("imported", acts), console);
  if (!plan.refused.empty() && !dry_run) console.say("\nNothing was imported.");
  if (acts && !plan.touched.empty()) console.say("It counts for every request from now on.");
  return plan.refused.empty() ? Exit::Done : Exit::Refused;
}

Result<Exit> export_consents(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const auto clinic = TRY(clinic_meant(house, arguments));
  const auto calendar = TRY(resources::Calendar::of(clinic.time_zone));
  patients::ConsentExportOptions options;
  if (arguments.has("since")) {
    const auto since = calendar.read(arguments.text("since"));
    if (!since)
      return base::fail(ConfigErrc::OutOfRange, "--since must be like 2026-11-21 or 2026-11-21T19:30");
    options.since = *since;
  }
  for (const auto& mrn : arguments.list("MRN")) {
    auto id = TRY(patients::show_patient(*house.database, clinic, mrn)).id;
    if (std::ranges::find(options.patients, id) == options.patients.end()) options.patients.push_back(std::move(id));
  }
  const auto out = arguments.text("out");
  if (out != "-") options.progress = [&console](std::size_t done) { console.progress(done, 0); };
  const auto exported = TRY(patients::export_consents(*house.database, clinic, options));
  console.progress_end();

  audit::Event event;
  event.transaction = "consent export";
  event.outcome = audit::Outcome::Looked;
  event.clinic = clinic.id;
  event.patients = exported.patients;
  event.user = system_user();
  event.sentence = std::to_string(exported.consents) + " consents and " + std::to_string(exported.choices) +
                   " choices of " + std::to_string(exported.patients.size()) + " patients";
  if (!exported.unreadable.empty())
    event.sentence += "; what is held of " + std::to_string(exported.unreadable.size()) + " more cannot be read";
  TRY(write_down(house, std::move(event)));
  for (const auto& mrn : exported.unreadable) {
    console.warn("What is held of patient " + mrn + " cannot be read and nothing of it is exported: see which by" +
                 " gatehouse consent history " + mrn + ", restore it from a backup and export that patient again.");
  }
  const Exit exit = exported.unreadable.empty() ? Exit::Done : Exit::Refused;
  if (out == "-") {
    console.raw(exported.bundle);
    return exit;
  }
  TRY(write_file(out, exported.bundle, true));
  console.show(Fields()
                   .text("file", out)
                   .number("patients", static_cast<std::int64_t>(exported.patients.size()))
                   .number("consents", static_cast<std::int64_t>(exported.consents))
                   .number("choices", static_cast<std::int64_t>(exported.choices))
                   .list("unreadable", exported.unreadable));
  return exit;
}

}  // namespace

std::vector<Command> consent_file_commands() {
  const Option clinic{"--clinic", "Which clinic, by name or home; not needed where there is one"};
  return {
      {.path = "consent import",
       .help = "Import consents and opt-outs: FHIR Consents (Bundle, NDJSON) or CSV with the columns mrn, kind "
               "(opt-out, opt-in, purposes, permit, deny, revoke), purposes, labels, to, from, until, given, "
               "identifier, actor, set_by, basis; all rows or none, and the same file again changes nothing",
       .example = "consent import opt-outs.csv --by \"Ruth Reception\" --dry-run",
       .options = {{"FILE", "FHIR R4 JSON, or CSV (UTF-8, commas) with a header line", true},
                   {"--dry-run", "Say what each row would do, and which are not accepted and why; change nothing",
                    false, false, true},
                   {"--by", "Who imports, by name; rows may name another", true},
                   {"--as", "staff or patient: whose word it is where rows do not say; staff if not given"},
                   {"--basis", "Why, where rows do not say; needed where staff overwrite what a patient said"},
                   clinic},
       .run = import_consents},
      {.path = "consent export",
       .help = "Export consents and patients' own choices of purposes as a Bundle of FHIR Consents, which consent "
               "import takes back",
       .example = "consent export --since 2026-11-01 --out consents.json",
       .options = {{"MRN", "Record numbers of patients; all of the clinic if not given", false, true},
                   {"--since", "Only what was saved since this day or time"},
                   {"--out", "Where the Bundle goes; - is standard output", true},
                   clinic},
       .run = export_consents},
  };
}

}  // namespace gateway::cli
