// audit: search the trail, and verify the chain.

#include "gateway/audit/trail.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/cli/house.hpp"

namespace gateway::cli {
namespace {

Result<std::optional<Instant>> instant(const Arguments& arguments, const std::string& name) {
  if (!arguments.has(name)) return std::optional<Instant>{};
  std::string text = arguments.text(name);
  if (text.size() == 10) text += "T00:00:00Z";
  const auto at = base::read_date_time(text);
  if (!at) return base::fail(ConfigErrc::OutOfRange, "--" + name + " must be like 2026-11-21 or 2026-11-21T19:30:00Z");
  return std::optional(*at);
}

Result<std::size_t> limit(const Arguments& arguments) {
  try {
    const auto number = std::stoll(arguments.text("limit", "100"));
    if (number > 0 && number <= 100'000) return static_cast<std::size_t>(number);
  } catch (const std::exception&) {
  }
  return base::fail(ConfigErrc::OutOfRange, "--limit must be between 1 and 100000");
}

Result<Exit> search(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const auto from = TRY(instant(arguments, "from")), to = TRY(instant(arguments, "to"));
  const auto most = TRY(limit(arguments));
  auto& session = *TRY(house.database->session());
  const auto rows = TRY(audit::search(session, {.from = from,
                                                .to = to,
                                                .request = arguments.text("request"),
                                                .patient = arguments.text("patient"),
                                                .implementer = arguments.text("partner"),
                                                .outcome = arguments.text("outcome"),
                                                .reason = arguments.text("reason"),
                                                .kind = arguments.text("kind"),
                                                .limit = most,
                                                .newest_first = !arguments.has("oldest-first")}));
  std::vector<Fields> shown;
  for (const auto& row : rows) {
    shown.push_back(Fields()
                        .time("at", row.at)
                        .text("kind", row.kind)
                        .text("outcome", row.outcome)
                        .text("reason", row.reason)
                        .text("partner", row.implementer)
                        .text("patient", row.patient)
                        .text("request", row.request)
                        .text("node", row.node)
                        .number("seq", static_cast<std::int64_t>(row.seq))
                        .json("payload", row.payload));
  }
  audit::Event event;
  event.transaction = "audit search";
  event.outcome = audit::Outcome::Looked;
  event.sentence = std::to_string(rows.size()) + " rows";
  TRY(write_down(house, std::move(event)));
  console.show("events", shown);
  return Exit::Done;
}

Result<Exit> verify(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  std::optional<std::string> witness;
  if (arguments.has("witness")) witness = TRY(read_file(arguments.text("witness"), 4ull << 30));
  const auto found =
      TRY(audit::verify(*TRY(house.database->session()), witness,
                        [&console](std::uint64_t done, std::uint64_t total) { console.progress(done, total); }));
  console.progress_end();
  console.show(Fields()
                   .flag("sound", found.sound())
                   .number("entries", static_cast<std::int64_t>(found.entries))
                   .number("checkpoints", static_cast<std::int64_t>(found.checkpoints))
                   .number("nodes", static_cast<std::int64_t>(found.nodes))
                   .flag("had_witness", found.had_witness)
                   .number("witnessed", static_cast<std::int64_t>(found.witnessed))
                   .list("problems", found.problems));
  if (!found.had_witness) {
    console.say("Without --witness FILE a truncated or restored older database cannot be found out.");
  }
  return found.sound() ? Exit::Done : Exit::Refused;
}

}  // namespace

std::vector<Command> audit_commands() {
  return {
      {.path = "audit search",
       .help = "Search the audit trail; newest first",
       .example = "audit search --outcome withheld --from 2026-11-21 --json",
       .options = {{"--from", "First day or instant (UTC)"},
                   {"--to", "End, exclusive"},
                   {"--request", "Request id"},
                   {"--patient", "Our id of the patient, as patient show prints it"},
                   {"--partner", "Implementer's home community id"},
                   {"--outcome", "released, withheld, no-match, refused, fault, sent, aborted, looked or changed"},
                   {"--reason", "Reason code, e.g. patient-purpose"},
                   {"--kind", "event or decision"},
                   {"--limit", "Rows at most; 100 if not given"},
                   {"--oldest-first", "In the order of happening", false, false, true}},
       .run = search},
      {.path = "audit verify",
       .help = "Verify every chain, checkpoint and signature; exit 1 if anything is wrong",
       .example = "audit verify --witness audit/witness.jsonl",
       .options = {{"--witness", "A copy of the witness file, best from another machine"}},
       .run = verify},
  };
}

}  // namespace gateway::cli
