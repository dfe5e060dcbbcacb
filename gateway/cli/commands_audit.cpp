// audit: search the trail, verify the chain, and prove single answers.

#include "gateway/audit/export.hpp"
#include "gateway/audit/proof.hpp"
#include "gateway/audit/retention.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/cli/house.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>

namespace gateway::cli {
namespace {

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
  const auto from = TRY(instant_given(arguments, "from")), to = TRY(instant_given(arguments, "to"));
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
  const auto since = TRY(instant_given(arguments, "since")).value_or(base::from_micros(0));
  const auto until = TRY(instant_given(arguments, "until")).value_or(system_now());
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

Result<Exit> prove(const Arguments& arguments, Console& console) {
  const auto form = arguments.text("form");
  if (form != "answer" && form != "officer") {
    return base::fail(ConfigErrc::OutOfRange, "--form must be answer (may leave the house) or officer (may not)");
  }
  House house = TRY(open_house(arguments));
  const auto request = arguments.text("REQUEST");
  const auto proof = TRY(audit::prove(*TRY(house.database->session()), request,
                                      form == "answer" ? audit::ProofForm::Answer : audit::ProofForm::Officer));
  auto output = TRY(Output::open(arguments.text("output")));
  audit::Event event;
  event.transaction = "audit prove";
  event.outcome = audit::Outcome::Looked;
  event.user = system_user();
  event.sentence = form + " form of request " + request;
  TRY(write_down(house, std::move(event)));
  auto bundle = audit::canonical(proof);
  bundle.pop_back();
  TRY(output.line(bundle));
  TRY(output.flush());
  if (arguments.has("output")) {
    console.show(Fields().text("request", request).text("form", form).text("file", arguments.text("output")));
  }
  return Exit::Done;
}

Result<Exit> check_proof(const Arguments& arguments, Console& console) {
  std::vector<certs::PublicKey> keys;
  for (const auto& file : arguments.list("key")) {
    auto key = certs::PublicKey::from_pem(TRY(read_file(file, 64u << 10)));
    if (!key) {
      return base::fail(ConfigErrc::OutOfRange,
                        file + " is no public key; take the one that gatehouse audit public-key printed");
    }
    keys.push_back(*std::move(key));
  }
  const auto request = TRY(read_file(arguments.text("request"))), answer = TRY(read_file(arguments.text("answer")));
  std::optional<std::string> witness;
  if (arguments.has("witness")) witness = TRY(read_file(arguments.text("witness"), 4ull << 30));
  const auto bundle = TRY(read_file(arguments.text("PROOF")));
  const auto proved =
      TRY(audit::check_proof(bundle, {.keys = keys, .request = request, .answer = answer, .witness = witness}));
  const bool whole = proved.form == audit::ProofForm::Officer;
  std::string shown = "[";
  for (const auto& text : proved.shown) shown.append(shown.size() > 1 ? "," : "").append(text).append(whole ? "" : "}");
  console.show(Fields()
                   .flag("proved", true)
                   .text("form", whole ? "officer" : "answer")
                   .text("request", proved.request)
                   .time("at", proved.at)
                   .text("transaction", proved.transaction)
                   .text("implementer", proved.implementer)
                   .text("home", proved.home)
                   .text("organization", proved.organization)
                   .list("documents", proved.documents)
                   .text("node", proved.node)
                   .number("seq", static_cast<std::int64_t>(proved.seq))
                   .flag("witnessed", witness.has_value())
                   .json("shown", shown + "]"));
  if (!witness) {
    console.say("Without --witness FILE a chain that was written anew with the same key cannot be found out.");
  }
  return Exit::Done;
}

Result<Exit> public_key(const Arguments& arguments, Console& console) {
  const House house = TRY(open_house(arguments));
  const auto key = TRY(load_key(house.config, house.config.audit_key)).public_key();
  if (console.json()) {
    console.show(Fields().text("node", house.config.node).text("public_key", key.to_pem()));
  } else {
    console.raw(key.to_pem());
  }
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
      {.path = "audit prove",
       .help = "Write a proof of one answer, which check-proof verifies on any machine",
       .example = "audit prove 5f0c2b8e9d714a63b1e4f7a2c9d80e16 --form answer --output proof.json",
       .options = {{"REQUEST", "Request id, as audit search prints it", true},
                   {"--form", "answer: what was answered to whom when, without verdict, reason or patient, may leave "
                              "the house; officer: everything, may not", true},
                   {"--output", "A new file; standard output if not given"}},
       .run = prove},
      {.path = "audit check-proof",
       .help = "Verify a proof against the request and the answer it is about; exit 1 if anything is wrong",
       .example = "audit check-proof proof.json --key audit-key.pem --request request.bin --answer answer.bin",
       .options = {{"PROOF", "What audit prove wrote", true},
                   {"--key", "Public audit key of the gateway, known from elsewhere; again for each node", true, true},
                   {"--request", "Body of the HTTP request, as it was sent", true},
                   {"--answer", "Body of the HTTP answer, as it was received", true},
                   {"--witness", "A copy of the witness file: the proof's head must stand in it"}},
       .run = check_proof,
       .needs_config = false},
      {.path = "audit public-key",
       .help = "Print the public half of the audit key, for those who verify",
       .example = "audit public-key > audit-key.pem",
       .options = {},
       .run = public_key},
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
