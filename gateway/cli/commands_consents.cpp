// consent: what a patient permits and forbids beyond purposes, given, taken back and shown with all that counts.

#include "gateway/cli/about_patient.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/directory/shelf.hpp"
#include "gateway/documents/shelf.hpp"
#include "gateway/patients/consent_rows.hpp"
#include "gateway/patients/consent_words.hpp"
#include "gateway/patients/consents.hpp"
#include "gateway/patients/merges.hpp"
#include "gateway/patients/rules.hpp"
#include "gateway/resources/provision.hpp"

#include <algorithm>

namespace gateway::cli {
namespace {

using resources::Calendar;

Result<std::optional<Instant>> day_given(const Arguments& arguments, const std::string& name,
                                         const Calendar& calendar) {
  if (!arguments.has(name)) return std::optional<Instant>();
  const auto instant = calendar.read(arguments.text(name));
  if (!instant)
    return base::fail(ConfigErrc::OutOfRange, "--" + name + " must be like 2026-11-21 or 2026-11-21T19:30");
  return std::optional(*instant);
}

/// @error ConfigErrc::OutOfRange where it ends before it begins
Result<policy::Period> period_given(const Arguments& arguments, const std::string& from, const std::string& until,
                                    const Calendar& calendar, std::optional<Instant> otherwise = {}) {
  policy::Period period;
  period.from = TRY(day_given(arguments, from, calendar));
  period.to = TRY(day_given(arguments, until, calendar));
  const auto begins = period.from ? period.from : otherwise;
  if (begins && period.to && *period.to <= *begins) {
    return base::fail(ConfigErrc::OutOfRange, "--" + until + " must be later than " +
                                                  (period.from ? "--" + from : std::string("now")) +
                                                  ": as it is, it would never count");
  }
  return period;
}

Result<policy::Recipient> recipient(const std::string& word) {
  if (const auto known = policy::recipient_class(word)) return policy::Recipient{*known};
  if (const auto home = base::Oid::parse(word)) return policy::Recipient{*home};
  return base::fail(ConfigErrc::OutOfRange, "--to must be the home community id (OID) of an organization, "
                                            "treating-providers or health-plans; not " + word);
}

Result<std::optional<policy::PurposeSet>> purposes_given(const Arguments& arguments) {
  std::optional<policy::PurposeSet> all;
  for (const auto& words : arguments.list("purpose")) {
    const auto set = policy::PurposeSet::parse(words);
    if (!set || set->empty())
      return base::fail(ConfigErrc::OutOfRange, "--purpose must be all or like treatment; not " + words);
    if (!all) all.emplace();
    for (const auto purpose : set->members()) all->add(purpose);
  }
  return all;
}

/// Unique ids of documents of this patient, each named by that or by its entry uuid.
Result<std::vector<std::string>> documents_given(const Arguments& arguments, const AboutPatient& about) {
  std::vector<std::string> ids;
  for (const auto& id : arguments.list("document")) {
    const auto held = documents::held_document(*about.house.database, about.clinic, id);
    if (!held || held->subject != about.record.id)
      return base::fail(ConfigErrc::OutOfRange,
                        "The patient has no document " + id + "; see gatehouse document list --patient");
    ids.push_back(held->resource.unique_id);
  }
  return ids;
}

/// What the gate of sensitivity demands of a permit. [design §4]
Result<void> check_permit(const policy::Provision& provision) {
  if (policy::idle_parts(provision).empty()) return {};
  if (provision.labels.empty()) {
    return base::fail(ConfigErrc::OutOfRange,
                      std::string(patients::opens_nothing) + " (those by gatehouse policy set)");
  }
  const char* missing = provision.purposes             ? "--to"
                        : provision.recipients.empty() ? "--purpose and --to"
                                                       : "--purpose";
  return base::fail(ConfigErrc::OutOfRange,
                    std::string("A label opens only to a consent that names purpose and recipient too; add ") +
                        missing);
}

/// A denial of everything to everybody is said in so many words, for however long it is to hold.
Result<void> check_denial(const policy::Provision& provision, bool everything) {
  const bool limited = !provision.labels.empty() || !provision.recipients.empty() || provision.purposes ||
                       !provision.classes.empty() || !provision.documents.empty() || provision.data.limits();
  if (!provision.permits && !limited && !everything) {
    return base::fail(ConfigErrc::OutOfRange,
                      "That would forbid everything to everybody: say what or whom it is about, or give --everything");
  }
  if (everything && (provision.permits || limited)) {
    return base::fail(ConfigErrc::OutOfRange,
                      "--everything goes with a --deny that is limited by nothing but --from and --until");
  }
  return {};
}

Result<policy::Provision> provision_given(const Arguments& arguments, const AboutPatient& about,
                                          const Calendar& calendar) {
  policy::Provision provision{.permits = !arguments.has("deny")};
  for (const auto& word : arguments.list("label")) {
    auto label = policy::label_from_word(word);
    if (!label)
      return base::fail(ConfigErrc::OutOfRange,
                        "--label must be one that is known, like HIV, or SYSTEM|CODE; not " + word);
    provision.labels.push_back(*std::move(label));
  }
  for (const auto& word : arguments.list("to")) provision.recipients.push_back(TRY(recipient(word)));
  for (const auto& word : arguments.list("class")) {
    auto code = patients::code_from_word(word);
    if (!code || !resources::is_document_class(*code))
      return base::fail(ConfigErrc::OutOfRange, "--class must be like 2.16.840.1.113883.6.1|34133-9; not " + word);
    provision.classes.push_back(*std::move(code));
  }
  provision.purposes = TRY(purposes_given(arguments));
  provision.period = TRY(period_given(arguments, "from", "until", calendar, system_now()));
  provision.data = TRY(period_given(arguments, "data-from", "data-until", calendar));
  provision.documents = TRY(documents_given(arguments, about));
  TRY(check_denial(provision, arguments.has("everything")));
  TRY(check_permit(provision));
  return provision;
}

/// A mistyped organization would do nothing, silently.
Result<std::vector<std::string>> unknown_recipients(const AboutPatient& about, const policy::Provision& provision) {
  directory::DirectoryShelf shelf(*about.house.database, TRY(load_evidence(about.house.config)));
  const auto directory = TRY(shelf.current());
  std::vector<std::string> unknown;
  for (const auto& one : provision.recipients) {
    const auto* home = std::get_if<base::HomeCommunityId>(&one.who);
    if (home && !directory->organization(home->dotted())) unknown.push_back(home->dotted());
  }
  return unknown;
}

Fields shown(const patients::ConsentRow& row, const Calendar& calendar, Instant now) {
  Fields fields;
  fields.text("id", row.consent.id)
      .text("state", row.readable ? std::string(patients::state_of(row.consent, now))
                                  : "unreadable: nothing of the patient is given")
      .number("version", row.consent.version)
      .text("set_by", row.set_by)
      .text("actor", row.actor)
      .text("given_at", calendar.write(row.given_at))
      .list("statements", row.readable ? patients::statements(row.consent.root, calendar) : std::vector<std::string>())
      .json("provision", row.readable ? resources::write_provision(row.consent.root) : std::string());
  return fields;
}

/// The version just saved, as consent show has it.
Result<Fields> shown_saved(const AboutPatient& about, const policy::Consent& consent, const Calendar& calendar) {
  const auto rows = TRY(patients::consent_history(*about.house.database, about.record.id));
  const auto row = std::ranges::find_if(rows, [&](const patients::ConsentRow& one) {
    return one.consent.id == consent.id && one.consent.version == consent.version;
  });
  if (row == rows.end()) return base::fail(patients::Errc::NoSuchConsent, consent.id);
  return shown(*row, calendar, system_now());
}

Result<Exit> give(const Arguments& arguments, Console& console) {
  AboutPatient about = TRY(about_patient(arguments, "MRN"));
  const auto calendar = TRY(Calendar::of(about.clinic.time_zone));
  const auto change = TRY(change_given(arguments));
  const auto now = system_now();
  patients::NewConsent given{.given_at = now};
  given.root = TRY(provision_given(arguments, about, calendar));
  const auto unknown = TRY(unknown_recipients(about, given.root));
  std::optional<policy::Consent> saved;
  TRY(write_down(about.house, event_about(about, "consent give", audit::Outcome::Changed, change.actor),
                 [&](audit::Event& event) -> Result<void> {
                   saved = TRY(patients::give_consent(*about.house.database, about.record.named(), given, change, now));
                   event.sentence = policy::naming(*saved) + (given.root.permits ? " permits" : " forbids");
                   return {};
                 }));
  Fields fields = TRY(shown_saved(about, *saved, calendar));
  fields.list("not_in_the_directory", unknown);
  console.show(fields);
  console.say("It counts for every request from now on.");
  return Exit::Done;
}

Result<Exit> revoke(const Arguments& arguments, Console& console) {
  AboutPatient about = TRY(about_patient(arguments, "MRN"));
  const auto calendar = TRY(Calendar::of(about.clinic.time_zone));
  const auto change = TRY(change_given(arguments));
  std::optional<policy::Consent> revoked;
  TRY(write_down(about.house, event_about(about, "consent revoke", audit::Outcome::Changed, change.actor),
                 [&](audit::Event& event) -> Result<void> {
                   revoked = TRY(patients::revoke_consent(*about.house.database, about.record.id,
                                                          arguments.text("CONSENT"), change, system_now()));
                   event.sentence = policy::naming(*revoked) + " revokes it";
                   return {};
                 }));
  console.show(TRY(shown_saved(about, *revoked, calendar)));
  console.say("It counts for every request from now on.");
  return Exit::Done;
}

/// Everything that counts now.
Result<Exit> show(const Arguments& arguments, Console& console) {
  AboutPatient about = TRY(about_patient(arguments, "MRN"));
  const auto calendar = TRY(Calendar::of(about.clinic.time_zone));
  const auto choice = TRY(patients::choice_facts(*about.house.database, about.record.id));
  auto rows = TRY(patients::consent_history(*about.house.database, about.record.id));
  std::erase_if(rows, [](const patients::ConsentRow& row) { return !row.last; });
  TRY(write_down(about.house, event_about(about, "consent show", audit::Outcome::Looked)));
  Fields fields = shown_choice(about.record, choice);
  std::string consents = "[";
  const auto now = system_now();
  for (const auto& row : rows)
    consents += (consents.size() > 1 ? "," : "") + shown(row, calendar, now).to_json();
  console.show(fields.json("consents", consents + "]"));
  if (console.json()) return Exit::Done;
  if (rows.empty()) console.say("The patient has given no consent beyond that.");
  for (const auto& row : rows) {
    console.say("");
    console.show(shown(row, calendar, now));
  }
  return Exit::Done;
}

/// One line of the history, of a choice or of a version of a consent.
struct Line {
  Instant at;
  Fields fields;
};
Line line_of(const patients::ChoiceRow& row, const Calendar& calendar) {
  Fields fields;
  fields.text("set_at", calendar.write(row.set_at))
      .text("kind", "choice")
      .text("id", row.id)
      .number("version", 1)
      .text("status", row.readable ? "active" : "unreadable")
      .text("set_by", row.set_by)
      .text("actor", row.actor)
      .text("basis", row.basis)
      .flag("counts", row.in_force)
      .text("says", !row.readable  ? "unreadable"
                    : row.purposes ? row.purposes->words()
                                   : "clinic defaults")
      .text("given_at", calendar.write(row.set_at));
  return {row.set_at, std::move(fields)};
}
Line line_of(const patients::ConsentRow& row, const Calendar& calendar) {
  std::string says;
  for (const auto& one : patients::statements(row.consent.root, calendar)) says.append(says.empty() ? "" : " ") += one;
  Fields fields;
  fields.text("set_at", calendar.write(row.set_at))
      .text("kind", "consent")
      .text("id", row.consent.id)
      .number("version", row.consent.version)
      .text("status", row.readable ? std::string(policy::word(row.consent.status)) : "unreadable")
      .text("set_by", row.set_by)
      .text("actor", row.actor)
      .text("basis", row.basis)
      .flag("counts", row.last)
      .text("says", row.readable ? says : "unreadable")
      .text("given_at", calendar.write(row.given_at));
  return {row.set_at, std::move(fields)};
}

Result<Exit> history(const Arguments& arguments, Console& console) {
  AboutPatient about = TRY(about_patient(arguments, "MRN"));
  auto& database = *about.house.database;
  const auto calendar = TRY(Calendar::of(about.clinic.time_zone));
  std::vector<Line> lines;
  for (const auto& record : TRY(patients::records_of_person(database, about.record.id))) {
    for (auto& row : TRY(patients::choice_history(database, record))) {
      row.in_force = row.in_force && record == about.record.id;  // a merged record's last word no longer counts
      lines.push_back(line_of(row, calendar));
    }
  }
  for (const auto& row : TRY(patients::consent_history(database, about.record.id)))
    lines.push_back(line_of(row, calendar));
  std::ranges::stable_sort(lines, {}, &Line::at);
  std::vector<Fields> rows;
  for (auto& line : lines) rows.push_back(std::move(line.fields));
  TRY(write_down(about.house, event_about(about, "consent history", audit::Outcome::Looked)));
  console.show("history", rows);
  return Exit::Done;
}

}  // namespace

std::vector<Command> consent_commands() {
  const Option clinic{"--clinic", "Which clinic, by name or home; not needed where there is one"};
  const Option mrn{"MRN", "The patient's record number", true};
  const Option by{"--by", "Who makes the change, by name", true};
  const Option as{"--as", "staff or patient: whose word it is; staff if not given"};
  const Option basis{"--basis", "Why; needed where staff would take back what the patient gave"};
  return {
      {.path = "consent give",
       .help = "Record what a patient permits or forbids; days are of the clinic's time zone; it acts on the next "
               "request",
       .example = "consent give MRN-1001 --label 42CFRPart2 --purpose treatment --to treating-providers "
                  "--until 2027-12-31 --by \"Ruth Reception\" --as patient",
       .options = {mrn,
                   {"--label", "Label of the documents, like HIV, or SYSTEM|CODE; all if not given", false, true},
                   {"--purpose", "treatment, payment, operations …; a permit with a label names one", false, true},
                   {"--to", "Home community id, treating-providers or health-plans; a permit with a label names one",
                    false, true},
                   {"--deny", "It forbids", false, false, true},
                   {"--everything", "With --deny and nothing that limits it: everything, to everybody", false, false,
                    true},
                   {"--from", "First day or time it counts; now if not given"},
                   {"--until", "From this day or time on it no longer counts"},
                   {"--class", "SYSTEM|CODE of the documents' class or type", false, true},
                   {"--document", "Unique id of one of the patient's documents", false, true},
                   {"--data-from", "Documents about care since this day"},
                   {"--data-until", "Documents about care before this day"},
                   by,
                   as,
                   basis,
                   clinic},
       .run = give},
      {.path = "consent revoke",
       .help = "Take a consent back, for good; it acts on the next request",
       .example = "consent revoke MRN-1001 5f0c9d0e4e5b4f0b8b4f2f6f0a1b2c3d --by \"Ruth Reception\" --as patient",
       .options = {mrn, {"CONSENT", "Its id, as consent show has it", true}, by, as, basis, clinic},
       .run = revoke},
      {.path = "consent show",
       .help = "Show everything that counts for a patient now: purposes, and each consent with its state",
       .example = "consent show MRN-1001",
       .options = {mrn, clinic},
       .run = show},
      {.path = "consent history",
       .help = "Show every version of every consent and every choice: when, by whom, on which basis",
       .example = "consent history MRN-1001",
       .options = {mrn, clinic},
       .run = history},
  };
}

}  // namespace gateway::cli
