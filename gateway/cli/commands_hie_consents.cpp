// consent hie-… and settings hie.…: what patients let be sent to the HIE, and what a clinic sets about it.

#include "gateway/cli/hie_consents.hpp"

#include "gateway/cli/about_patient.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/patients/hie_consents.hpp"
#include "gateway/resources/calendar.hpp"

#include <charconv>

namespace gateway::cli {
namespace {

using resources::Calendar;

Result<std::int64_t> whole_number(const std::string& name, std::string_view text) {
  std::int64_t number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (wrong != std::errc{} || end != text.data() + text.size()) {
    return base::fail(ConfigErrc::OutOfRange, name + " must be a whole number");
  }
  return number;
}

/// As staff of the clinic read it, and for programs as instants in UTC too.
void add_period(Fields& fields, const policy::HieConsent& consent, const Calendar& calendar) {
  const auto& expires = consent.expires_on;
  fields.text("given_on", calendar.write(consent.given_on))
      .text("expires_on", expires ? calendar.write(*expires) : "never")
      .json("given_at", "\"" + resources::write_instant(consent.given_on) + "\"")
      .json("expires_at", expires ? "\"" + resources::write_instant(*expires) + "\"" : "null");
}

std::string stop_sentence(const patients::HieGiven& given, const Calendar& calendar) {
  return "Sending to " + given.hie + " would stop " +
         (given.stops_until ? "until " + calendar.write(*given.stops_until)
                            : std::string("now, because this consent has expired already")) +
         ": give --yes to save it";
}

Result<bool> on_or_off(const std::string& name, std::string_view word) {
  if (word != "on" && word != "off") return base::fail(ConfigErrc::OutOfRange, name + " must be on or off");
  return word == "on";
}

Result<void> assign(patients::HieChange& change, const std::string& name, const std::string& value) {
  if (name == "hie.enabled") {
    change.enabled = TRY(on_or_off(name, value));
  } else if (name == "hie.to") {
    change.to = value;
  } else if (name == "hie.opt-in-by-default") {
    change.opt_in_by_default = TRY(on_or_off(name, value));
  } else if (name == "hie.expire-in-days") {
    change.expire_in_days = TRY(whole_number(name, value));
  } else if (name == "hie.explanation") {
    change.explanation = value.empty() ? std::string() : TRY(read_file(value, 1u << 20));
  } else {
    return base::fail(ConfigErrc::UnknownKey, "There is no setting " + name +
                                                  "; there are hie.enabled, hie.to, hie.opt-in-by-default,"
                                                  " hie.expire-in-days and hie.explanation");
  }
  return {};
}

/// What is set now; nothing where it cannot be read.
Result<std::optional<patients::HieSettings>> settings_now(House& house, const policy::Clinic& clinic) {
  auto settings = patients::hie_settings(*TRY(house.database->session()), clinic.id);
  if (settings) return std::optional(*std::move(settings));
  if (settings.error().code == patients::Errc::RecordUnreadable) return std::optional<patients::HieSettings>();
  return settings.error();
}

}  // namespace

Result<Exit> give_hie(const Arguments& arguments, Console& console) {
  AboutPatient about = TRY(about_patient(arguments, "MRN"));
  const auto calendar = TRY(Calendar::of(about.clinic.time_zone));
  const auto change = TRY(change_given(arguments));
  patients::HieForm form{.given_on = arguments.text("given"),
                         .expires_on = arguments.text("expires"),
                         .may_stop = arguments.has("yes")};
  if (arguments.has("seen")) form.explanation = TRY(whole_number("--seen", arguments.text("seen")));
  auto event = event_about(about, "consent give", audit::Outcome::Changed, change.actor);
  patients::HieGiven given;
  TRY(write_down(about.house, std::move(event), [&](audit::Event& written) -> Result<void> {
    given = TRY(patients::give_hie_consent(*about.house.database, about.record.id, form, change, system_now()));
    if (!given.saved) return base::fail(ConfigErrc::OutOfRange, stop_sentence(given, calendar));
    written.sentence = "consent " + given.consent.id + " to sends to " + given.hie + " saved";
    return {};
  }));
  Fields fields;
  fields.text("mrn", about.record.mrn)
      .text("hie", given.hie)
      .text("status", std::string(policy::word(given.status)));
  add_period(fields, given.consent, calendar);
  fields.text("set_by", std::string(policy::word(given.consent.basis)))
      .number("explanation", given.consent.text_version)
      .text("id", given.consent.id);
  console.show(fields);
  return Exit::Done;
}

Result<Exit> revoke_hie(const Arguments& arguments, Console& console) {
  AboutPatient about = TRY(about_patient(arguments, "MRN"));
  const auto calendar = TRY(Calendar::of(about.clinic.time_zone));
  const auto change = TRY(change_given(arguments));
  if (!arguments.has("yes")) {
    return base::fail(ConfigErrc::OutOfRange,
                      "Nothing of this patient will be sent to the HIE until there is a new consent: give --yes to"
                      " revoke it");
  }
  auto event = event_about(about, "consent revoke", audit::Outcome::Changed, change.actor);
  policy::HieConsent revocation;
  TRY(write_down(about.house, std::move(event), [&](audit::Event& written) -> Result<void> {
    revocation = TRY(patients::revoke_hie_consent(*about.house.database, about.record.id, change, system_now()));
    written.sentence = "consent to sends to the HIE revoked by " + revocation.id;
    return {};
  }));
  Fields fields;
  fields.text("mrn", about.record.mrn)
      .text("status", std::string(policy::word(policy::HieStatus::Revoked)))
      .text("revoked_on", calendar.write(revocation.given_on))
      .text("id", revocation.id);
  console.show(fields);
  return Exit::Done;
}

Result<Exit> show_hie(const Arguments& arguments, Console& console) {
  AboutPatient about = TRY(about_patient(arguments, "MRN"));
  const auto calendar = TRY(Calendar::of(about.clinic.time_zone));
  const auto now = system_now();
  const auto state = TRY(patients::hie_state(*about.house.database, about.record.id));
  const auto finding = policy::judge_hie(state.facts, now);
  const auto last = policy::latest(state.facts.history);
  Fields fields;
  fields.text("mrn", about.record.mrn)
      .text("hie", !state.settings ? "unreadable" : state.settings->to.empty() ? "none" : state.settings->to)
      .flag("enabled", state.settings && state.settings->enabled)
      .text("status", last ? std::string(policy::word(policy::shown_status(state.facts.history, *last, now))) : "none");
  if (last) add_period(fields, state.facts.history[*last], calendar);
  fields.flag("may_be_sent", state.settings && state.settings->enabled && finding.permits());
  fields.text("reason", std::string(policy::code(finding.reason)))
      .text("because", finding.sentence)
      .text("would_change", finding.would_change);
  TRY(write_down(about.house, event_about(about, "consent show", audit::Outcome::Looked)));
  console.show(fields);
  return Exit::Done;
}

Result<Exit> show_hie_history(const Arguments& arguments, Console& console) {
  AboutPatient about = TRY(about_patient(arguments, "MRN"));
  const auto calendar = TRY(Calendar::of(about.clinic.time_zone));
  std::vector<Fields> rows;
  for (const auto& row : TRY(patients::hie_history(*about.house.database, about.record.id, system_now()))) {
    auto& fields = rows.emplace_back();
    fields.text("saved_at", calendar.write(row.saved_at))
        .text("hie", row.hie)
        .flag("current", row.current)
        .text("kind", std::string(policy::word(row.consent.kind)))
        .text("status", row.readable ? std::string(policy::word(row.status)) : "unreadable");
    add_period(fields, row.consent, calendar);
    fields.text("set_by", std::string(policy::word(row.consent.basis)))
        .text("actor", row.actor)
        .text("basis", row.reason)
        .number("explanation", row.consent.text_version)
        .text("mrn", row.mrn)
        .text("id", row.consent.id);
  }
  TRY(write_down(about.house, event_about(about, "consent history", audit::Outcome::Looked)));
  console.show("consents", rows);
  return Exit::Done;
}

bool is_hie_setting(std::string_view assignment) { return assignment.starts_with("hie."); }

Result<void> set_hie_settings(House& house, const policy::Clinic& clinic, const std::vector<std::string>& assignments,
                              const std::string& actor, Console& console) {
  patients::HieChange change;
  std::string all;
  for (const auto& assignment : assignments) {
    const auto equals = assignment.find('=');
    if (equals == std::string::npos) {
      return base::fail(ConfigErrc::OutOfRange, "Write " + assignment + "=VALUE to set it");
    }
    TRY(assign(change, assignment.substr(0, equals), assignment.substr(equals + 1)));
    all += " " + assignment;
  }
  const auto before = TRY(settings_now(house, clinic));
  patients::HieSettings after;
  audit::Event event;
  event.transaction = "settings set";
  event.outcome = audit::Outcome::Changed;
  event.clinic = clinic.id;
  event.user = actor;
  event.sentence = "HIE settings are now" + all;
  TRY(write_down(house, std::move(event), [&](audit::Event&) -> Result<void> {
    after = TRY(patients::change_hie_settings(*house.database, clinic.id, change, actor, system_now()));
    return {};
  }));
  if (before && !before->to.empty() && before->to != after.to) {
    console.say("Consents given so far are to " + before->to + " alone: nothing is sent elsewhere by them.");
  }
  return {};
}

Result<void> describe_hie_settings(House& house, const policy::Clinic& clinic, Fields& fields) {
  const auto settings = TRY(settings_now(house, clinic));
  if (!settings) {
    fields.text("hie", "unreadable: nothing is sent");
    return {};
  }
  const auto on = [](bool value) { return std::string(value ? "on" : "off"); };
  fields.text("hie", on(settings->enabled))
      .text("hie_to", settings->to)
      .text("hie_opt_in_by_default", on(settings->opt_in_by_default))
      .text("hie_expire_in_days",
            settings->expire_in_days ? std::to_string(*settings->expire_in_days) : "one year")
      .number("hie_explanation", settings->explanation.version);
  return {};
}

std::vector<Command> hie_consent_commands() {
  const Option clinic{"--clinic", "Which clinic, by name or home; not needed where there is one"};
  const Option mrn{"MRN", "The patient's record number", true};
  const Option by{"--by", "Who makes the change, by name", true};
  const Option as{"--as", "staff or patient: whose word it is; staff if not given"};
  const Option basis{"--basis", "Why; needed where staff would overwrite the patient's own word"};
  return {
      {.path = "consent hie-give",
       .help = "Record a consent to what is sent to the HIE; the latest one alone counts",
       .example = "consent hie-give MRN-1001 --given 2026-11-21 --by \"Ruth Reception\" --basis \"signed form\"",
       .options = {mrn,
                   {"--given", "From when: a day (00:00 in the clinic's zone) or a time like 2026-11-21T09:30; now if"
                               " not given"},
                   {"--expires", "Until when, alike, or never; a year later if not given, or as the clinic has set"},
                   {"--seen", "Version of the explanation the patient saw; 0 for none"},
                   by, as, basis,
                   {"--yes", "Save it although sending stops by it", false, false, true},
                   clinic},
       .run = give_hie},
      {.path = "consent hie-revoke",
       .help = "Revoke the consent to what is sent to the HIE",
       .example = "consent hie-revoke MRN-1001 --by \"Ruth Reception\" --basis \"asked by phone\" --yes",
       .options = {mrn, by, as, basis, {"--yes", "Do it", false, false, true}, clinic},
       .run = revoke_hie},
      {.path = "consent hie-show",
       .help = "Show what the consent to the HIE says now and why; rules and labels are judged when something is sent",
       .example = "consent hie-show MRN-1001",
       .options = {mrn, clinic},
       .run = show_hie},
      {.path = "consent hie-history",
       .help = "Show every consent to the HIE: when, by whom, on which basis, and what it is now",
       .example = "consent hie-history MRN-1001",
       .options = {mrn, clinic},
       .run = show_hie_history},
  };
}

}  // namespace gateway::cli
