// audit: search the trail, and verify the chain.

#include "gateway/audit/export.hpp"
#include "gateway/audit/retention.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/cli/house.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>

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
  event.user = system_user();
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
                   .number("removed_by_retention", static_cast<std::int64_t>(found.retained))
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

/// Where an export goes: a new file of our own alone, or standard output.
class Output {
 public:
  static Result<Output> open(const std::string& path) {
    if (path.empty() || path == "-") return Output(STDOUT_FILENO, "standard output");
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return base::fail(ConfigErrc::NotReadable, "Cannot make " + path + "; it may exist already.");
    return Output(file, path);
  }
  ~Output() {
    if (file_ > STDERR_FILENO) ::close(file_);
  }
  Output(Output&& other) noexcept
      : file_(std::exchange(other.file_, -1)), name_(std::move(other.name_)), block_(std::move(other.block_)) {}
  Output& operator=(Output&&) = delete;

  Result<void> line(std::string_view text) {
    block_.append(text).push_back('\n');
    return block_.size() < block_bytes ? Result<void>{} : flush();
  }
  Result<void> flush() {
    for (std::string_view left = block_; !left.empty();) {
      const auto count = ::write(file_, left.data(), left.size());
      if (count <= 0) return base::fail(ConfigErrc::NotReadable, "Cannot write to " + name_ + ".");
      left.remove_prefix(static_cast<std::size_t>(count));
    }
    block_.clear();
    return {};
  }

 private:
  static constexpr std::size_t block_bytes = 64u << 10;
  Output(int file, std::string name) : file_(file), name_(std::move(name)) {}
  int file_;
  std::string name_, block_;
};

Result<Exit> export_rows(const Arguments& arguments, Console& console) {
  const auto format = arguments.text("format", "atna");
  if (format != "atna" && format != "json") {
    return base::fail(ConfigErrc::OutOfRange, "--format must be atna or json");
  }
  House house = TRY(open_house(arguments));
  const auto since = TRY(instant(arguments, "since")).value_or(base::from_micros(0));
  const auto until = TRY(instant(arguments, "until")).value_or(system_now());
  auto output = TRY(Output::open(arguments.text("output")));
  audit::Event event;
  event.transaction = "audit export";
  event.outcome = audit::Outcome::Looked;
  event.user = system_user();
  event.sentence = format + " from " + base::write_date_time(since) + " to " + base::write_date_time(until);
  TRY(write_down(house, std::move(event)));
  const auto kind = format == "json" ? audit::ExportFormat::Json : audit::ExportFormat::Atna;
  const auto lines = TRY(audit::export_trail(*TRY(house.database->session()), since, until, kind,
                                             [&](std::string_view line) { return output.line(line); }));
  TRY(output.flush());
  if (arguments.has("output")) console.show(Fields().number("lines", static_cast<std::int64_t>(lines)));
  return Exit::Done;
}

Result<std::chrono::days> days(const Arguments& arguments) {
  const auto text = arguments.text("older-than");
  int number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (wrong != std::errc{} || end != text.data() + text.size() || number < 1 || number > 36'500) {
    return base::fail(ConfigErrc::OutOfRange, "--older-than must be a number of days, 1 to 36500");
  }
  return std::chrono::days(number);
}

Result<Exit> retain(const Arguments& arguments, Console& console) {
  const auto age = TRY(days(arguments));
  House house = TRY(open_house(arguments));
  auto& session = *TRY(house.database->session());
  const auto before = system_now() - age;
  const auto plan = TRY(audit::plan_retention(session, before, house.spool != nullptr));
  auto event = audit::retention_event(plan, before);
  event.user = system_user();
  TRY(write_down(house, std::move(event)));  // what is missing without this event counts as tampered with
  TRY(audit::delete_payloads(session, plan, [&](std::uint64_t done) { console.progress(done, plan.payloads); }));
  console.progress_end();
  console.show(Fields()
                   .time("before", before)
                   .number("removed", static_cast<std::int64_t>(plan.payloads))
                   .number("missing_already", static_cast<std::int64_t>(plan.missing))
                   .number("kept_for_the_audit_repository", static_cast<std::int64_t>(plan.kept_for_repository)));
  return Exit::Done;
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
      {.path = "audit export",
       .help = "Write the trail of a stretch of time, one line a message or row, oldest first",
       .example = "audit export --since 2026-11-01 --until 2026-12-01 --format atna --output november.xml",
       .options = {{"--since", "First day or instant (UTC); the beginning if not given"},
                   {"--until", "End, exclusive; now if not given"},
                   {"--format", "atna: AuditMessages without the text of queries; json: rows as audit search has them"},
                   {"--output", "A new file; standard output if not given"}},
       .run = export_rows},
      {.path = "audit retain",
       .help = "Delete what was written down longer ago than so many days; the chain goes on to verify",
       .example = "audit retain --older-than 2555",
       .options = {{"--older-than", "Days", true}},
       .run = retain},
  };
}

}  // namespace gateway::cli
