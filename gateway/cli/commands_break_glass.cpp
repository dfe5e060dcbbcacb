// policy breakglass and review: emergencies of our own people, and those who look at them afterwards.

#include "gateway/cli/about_patient.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/patients/break_glass.hpp"

#include <algorithm>
#include <charconv>

namespace gateway::cli {
namespace {

Result<std::int64_t> minutes_given(const Arguments& arguments) {
  const auto text = arguments.text("minutes");
  std::int64_t minutes = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), minutes);
  if (wrong != std::errc{} || end != text.data() + text.size())
    return base::fail(ConfigErrc::OutOfRange, "--minutes must be a number from 1 to 240");
  return minutes;
}

Fields shown(const patients::Grant& grant, Instant now) {
  Fields fields;
  fields.text("id", grant.id)
      .text("mrn", grant.mrn)
      .text("user", grant.user)
      .text("role", grant.role)
      .text("reason", grant.reason)
      .time("from", grant.from)
      .time("until", grant.to)
      .text("state", grant.reviewed_at ? "reviewed" : grant.to > now ? "open, waits for review" : "waits for review")
      .text("reviewed_at", grant.reviewed_at ? base::write_date_time(*grant.reviewed_at) : std::string())
      .text("reviewer", grant.reviewer)
      .text("finding", grant.finding);
  return fields;
}

std::string naming(const patients::Grant& grant) { return "break-glass " + grant.id; }

/// Who breaks one glass after the other is told to the privacy officer. [threats C10]
Result<void> alarm(AboutPatient& about, const std::string& user) {
  auto event = event_about(about, "policy breakglass", audit::Outcome::Refused, user,
                           "The user broke the glass for more different patients within the hour than may be.");
  event.reason = base::reason_of(base::fail(patients::Errc::GlassRate));
  return write_down(about.house, std::move(event));
}

Result<Exit> break_glass(const Arguments& arguments, Console& console) {
  AboutPatient about = TRY(about_patient(arguments, "MRN"));
  const auto minutes = TRY(minutes_given(arguments));
  const patients::NewGrant wanted{.user = arguments.text("user"),
                                  .role = arguments.text("role"),
                                  .reason = arguments.text("reason"),
                                  .minutes = minutes};
  const auto now = system_now();
  std::optional<patients::Grant> grant;
  const auto written = write_down(
      about.house, event_about(about, "policy breakglass", audit::Outcome::Changed, wanted.user),
      [&](audit::Event& event) -> Result<void> {
        grant = TRY(patients::break_glass(*about.house.database, about.record.id, wanted, now));
        event.sentence = "glass broken by " + grant->role + " until " + base::write_date_time(grant->to) + ": " +
                         grant->reason;
        event.note = naming(*grant);
        return {};
      });
  if (!written && written.error().code == patients::Errc::GlassRate) TRY(alarm(about, wanted.user));
  TRY(written);
  console.show(shown(*grant, now));
  if (!about.clinic.rules.part2_emergencies)
    console.say("It opens no records of 42 CFR Part 2: this clinic has not set part2-emergencies=on.");
  console.say("Every use is written down, and somebody else will review it.");
  return Exit::Done;
}

/// The patients of these grants, each once.
std::vector<std::string> patients_of(const std::vector<patients::Grant>& grants) {
  std::vector<std::string> ids;
  for (const auto& grant : grants) {
    if (std::ranges::find(ids, grant.patient) == ids.end()) ids.push_back(grant.patient);
  }
  return ids;
}

Result<Exit> list(House& house, const policy::Clinic& clinic, patients::Reviewed which, Console& console) {
  const auto grants = TRY(patients::list_grants(*house.database, clinic, which));
  audit::Event event;
  event.transaction = "policy review";
  event.outcome = audit::Outcome::Looked;
  event.clinic = clinic.id;
  event.patients = patients_of(grants);
  event.user = system_user();
  event.sentence = std::to_string(grants.size()) + " grants";
  TRY(write_down(house, std::move(event)));
  std::vector<Fields> rows;
  for (const auto& grant : grants) rows.push_back(shown(grant, system_now()));
  console.show("grants", rows);
  return Exit::Done;
}

Result<Exit> close(House& house, const policy::Clinic& clinic, const Arguments& arguments, Console& console) {
  const auto now = system_now();
  const patients::Review review{.reviewer = arguments.text("by"), .finding = arguments.text("finding")};
  std::optional<patients::Grant> grant;
  audit::Event closed;
  closed.transaction = "policy review";
  closed.outcome = audit::Outcome::Changed;
  closed.clinic = clinic.id;
  closed.user = review.reviewer;
  TRY(write_down(house, std::move(closed), [&](audit::Event& event) -> Result<void> {
    grant = TRY(patients::review_grant(*house.database, clinic, arguments.text("ID"), review, now));
    event.patients = {grant->patient};
    event.sentence = "reviewed: " + grant->finding;
    event.note = naming(*grant);
    return {};
  }));
  console.show(shown(*grant, now));
  return Exit::Done;
}

Result<Exit> review(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const auto clinic = TRY(clinic_meant(house, arguments));
  if (arguments.has("ID")) return close(house, clinic, arguments, console);
  if (arguments.has("finding") || arguments.has("by"))
    return base::fail(ConfigErrc::OutOfRange, "Say which grant was reviewed: gatehouse policy review ID --finding …");
  return list(house, clinic, arguments.has("all") ? patients::Reviewed::All : patients::Reviewed::Waiting, console);
}

}  // namespace

std::vector<Command> break_glass_commands() {
  const Option clinic{"--clinic", "Which clinic, by name or home; not needed where there is one"};
  return {
      {.path = "policy breakglass",
       .help = "Let one of our own people see what is gated, in an emergency; each use is written down and reviewed",
       .example = "policy breakglass MRN-1001 --user \"Dr. Ada Quill\" --role \"emergency physician\" "
                  "--reason \"unconscious in the emergency department\" --minutes 60",
       .options = {{"MRN", "The patient's record number", true},
                   {"--user", "Whom it lets in, by name", true},
                   {"--role", "In which role", true},
                   {"--reason", "Why, for whoever reviews it", true},
                   {"--minutes", "How long: 1 to 240", true},
                   clinic},
       .run = break_glass},
      {.path = "policy review",
       .help = "List broken glasses that wait for review, or close one with what was found",
       .example = "policy review 5f0c9d0e4e5b4f0b8b4f2f6f0a1b2c3d --finding \"justified\" --by \"Petra Privacy\"",
       .options = {{"ID", "Which grant was reviewed; none lists them"},
                   {"--all", "Those that were reviewed too", false, false, true},
                   {"--finding", "What the review found"},
                   {"--by", "Who reviewed it, by name: somebody else than who broke the glass"},
                   clinic},
       .run = review},
  };
}

}  // namespace gateway::cli
