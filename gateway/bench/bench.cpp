#include "gateway/bench/bench.hpp"

#include "gateway/bench/cores.hpp"
#include "gateway/bench/decide.hpp"
#include "gateway/bench/denial.hpp"
#include "gateway/bench/exchanges.hpp"
#include "gateway/bench/match_1m.hpp"
#include "gateway/bench/references.hpp"
#include "gateway/bench/refuse.hpp"
#include "gateway/bench/start.hpp"
#include "gateway/cli/config.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <set>

namespace gateway::bench {
namespace {

using base::fail;
using cli::Arguments;
using cli::Console;
using cli::Exit;

constexpr std::size_t patients = 2000, own_choice_every = 4, warm_up = 200, single_requests = 1000;
constexpr std::size_t transfers = 16;  // of 5 MB at once
constexpr int kernel_receives = 64 << 10;  // so that answers nobody reads stay with us
constexpr double speed_tolerance = 0.05, p99_allowance_us = 5000;
/// What --only may name. R is always measured: without it no ratio means anything.
constexpr std::string_view selectable[] = {"rsa_verify", "tls_write_5mb",       "fsync_4k", "iti55_inprocess",
                                           "iti55_tls",  "iti55_single_client", "iti38_20", "iti39_5mb",
                                           "cores",      "refuse",              "start",    "decide_1000",
                                           "match_1m",   "denial"};

/// How much is measured.
struct Plan {
  std::set<std::string, std::less<>> only = {};
  std::size_t rounds = 9;
  bool quick = false;
  std::string postgresql = {};

  bool wants(std::string_view name) const { return only.empty() || only.contains(name); }
  // By name alone: they take minutes.
  bool wants_match() const { return only.contains("match_1m"); }
  bool wants_denial() const { return only.contains("denial"); }
  RefusePlan refuse() const { return quick ? RefusePlan{.rates = {200}, .honest_requests = 20} : RefusePlan{}; }
  std::size_t starts() const { return quick ? 2 : rounds; }
  std::size_t warm_up_requests() const { return quick ? 20 : warm_up; }
  /// All rounds together are at least 2,000.
  std::size_t round_requests() const { return quick ? 50 : std::max<std::size_t>(300, 2000 / rounds + 1); }
  std::size_t query_requests() const { return quick ? 20 : 200; }    ///< a round of iti38_20
  std::size_t retrieve_requests() const { return quick ? 16 : 32; }  ///< a round of iti39_5mb
  bool wants_house() const { return all_requests() > 0 || wants("iti38_20") || wants("iti39_5mb"); }
  std::size_t single_client_requests() const { return quick ? 50 : single_requests; }
  std::size_t all_requests() const {
    const std::size_t in_rounds = warm_up_requests() + rounds * round_requests();
    return (wants("iti55_inprocess") ? in_rounds : 0) + (wants("iti55_tls") ? in_rounds : 0) +
           (wants("cores") ? in_rounds + rounds * round_requests() : 0) +
           (wants("iti55_single_client") ? warm_up_requests() + single_client_requests() : 0) +
           (wants("refuse") ? refuse().all_honest() : 0);
  }
};

Result<Plan> read_plan(const Arguments& arguments) {
  Plan plan{.quick = arguments.has("quick"), .postgresql = arguments.text("postgresql")};
  if (plan.quick) plan.rounds = 2;
  if (arguments.has("rounds")) {
    const auto text = arguments.text("rounds");
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), plan.rounds);
    if (error != std::errc{} || end != text.data() + text.size() || plan.rounds < 1 || plan.rounds > 100) {
      return fail(Errc::BadNumber, "--rounds must be between 1 and 100");
    }
  }
  for (const auto& list : arguments.list("only")) {
    for (std::size_t at = 0; at <= list.size();) {
      const auto comma = std::min(list.find(',', at), list.size());
      auto name = list.substr(at, comma - at);
      if (name != "rsa_sign" && std::ranges::find(selectable, name) == std::end(selectable)) {
        std::string known = "rsa_sign";
        for (const auto one : selectable) known.append(", ").append(one);
        return fail(Errc::UnknownFigure, "there is no figure " + name + "; choose from " + known);
      }
      plan.only.insert(std::move(name));
      at = comma + 1;
    }
  }
  return plan;
}

/// One run: what was measured so far, and R, which is measured again beside every figure.
class Run {
 public:
  Run(Plan plan, const Console& console, const std::filesystem::path& parent)
      : plan_(std::move(plan)),
        console_(console),
        scratch_(parent),
        keys_(Keys::make()),
        sign_(rsa_sign(keys_.signing.key)) {}

  Result<Exit> measure(const std::string& json_file);

 private:
  void say(const std::string& line) const { console_.say(line); }
  void measure_sign();
  void measure_verify();
  void measure_raw_tls();
  Result<void> measure_decide();
  void sample_fsync();
  void show_fsync();
  Result<void> settle(MeasuredHouse& house);
  Result<void> measure_exchanges();
  Result<void> measure_query(MeasuredHouse& house);
  Result<double> memory_of_retrieve(MeasuredHouse& house, std::span<const Signed> requests);
  Result<void> measure_retrieve(MeasuredHouse& house);
  std::vector<Signed> signed_requests(Ask ask, std::span<const Somebody> about, std::size_t count);
  Result<void> measure_inprocess(MeasuredHouse& house);
  Result<void> measure_tls(TlsDoor& door);
  Result<void> measure_single_client(TlsDoor& door);
  Result<void> measure_cores(MeasuredHouse& house);
  Result<void> measure_refuse(MeasuredHouse& house);
  Result<void> measure_start();
  Result<void> measure_match();
  Result<void> measure_denial();
  std::span<Signed> next_requests(std::size_t count);
  Result<void> report(const std::string& json_file) const;

  Plan plan_;
  const Console& console_;
  Scratch scratch_;
  Keys keys_;
  Repeated sign_;
  std::vector<Somebody> people_;
  std::vector<Signed> requests_;
  std::size_t used_ = 0;
  Sample sample_;
  std::vector<Figure> figures_;
  std::vector<double> fsync_waits_;
  std::optional<double> speed_deviation_, p99_us_, p99_limit_us_;
  SampleVerdict verdict_;
  bool match_held_ = true, denial_held_ = true;
};

/// R beside `openssl speed`, turn by turn, because the machine drifts: their medians are compared. Where they seem
/// apart more turns are taken before that is believed.
void Run::measure_sign() {
  std::vector<double> r, speed;
  const std::size_t turns = plan_.quick ? 1 : 5, turns_max = 3 * turns;
  const auto deviation = [&] { return median(r) / median(speed) - 1; };
  const auto apart = [&] { return !speed.empty() && std::abs(deviation()) > speed_tolerance; };
  for (std::size_t turn = 0; turn < turns || (turn < turns_max && apart()); ++turn) {
    r.push_back(sign_.round_us());
    if (const auto theirs = openssl_speed_sign_us()) speed.push_back(*theirs);
    r.push_back(sign_.round_us());
    console_.progress(std::min(turn + 1, turns), turns);
  }
  console_.progress_end();
  Figure figure{.name = "rsa_sign",
                .value = median(r),
                .unit = "µs",
                .meaning = "R: one RSA-2048 signature as answers are signed, beside openssl speed"};
  if (speed.empty()) {
    figures_.push_back(std::move(figure));
    return say("The openssl command is not installed: R stands alone.");
  }
  speed_deviation_ = deviation();
  figures_.push_back(beside(std::move(figure), median(speed)));
  figures_.push_back(beside({.name = "openssl_speed_sign",
                             .value = median(speed),
                             .unit = "µs",
                             .meaning = "the same as `openssl speed rsa2048` says, beside R"},
                            median(r)));
}

void Run::measure_verify() {
  auto verify = rsa_verify(keys_.signing.key);
  for (std::size_t i = 0; i < plan_.rounds; ++i) verify.round_us();
  figures_.push_back({.name = "rsa_verify",
                      .value = verify.median_us(),
                      .unit = "µs",
                      .meaning = "one RSA-2048 verification: every request needs two"});
}

void Run::measure_raw_tls() {
  RawTls raw(keys_.tls);
  std::vector<double> rounds;
  for (std::size_t i = 0; i < plan_.rounds; ++i) rounds.push_back(raw.round_us());
  figures_.push_back({.name = "tls_write_5mb",
                      .value = median(rounds),
                      .unit = "µs",
                      .meaning = "5 MB by SSL_write over loopback, TLS 1.3 AES-256-GCM, sender's side"});
}

Result<void> Run::measure_decide() {
  std::size_t permitted = 0;
  auto decide = decide_1000(permitted);
  for (std::size_t i = 0; i < plan_.rounds; ++i) decide.round_us();
  if (permitted == 0 || permitted == 1000)
    return fail(Errc::WrongAnswer, "of a thousand documents some leave and some do not; not " +
                                       std::to_string(permitted));
  figures_.push_back({.name = "decide_1000",
                      .value = decide.median_us(),
                      .unit = "µs",
                      .meaning = "the pure decision over 1,000 documents and 50 provisions, to be well under a "
                                 "millisecond; " + std::to_string(permitted) + " of them leave"});
  return {};
}

/// Some before and some after what they stand beside: a disk that others use changes from second to second.
void Run::sample_fsync() {
  const auto waits = fsync_4k_us(scratch_.path(), plan_.quick ? 10 : 100);
  fsync_waits_.insert(fsync_waits_.end(), waits.begin(), waits.end());
}

void Run::show_fsync() {
  figures_.push_back(
      {.name = "fsync_4k",
       .value = median(fsync_waits_),
       .unit = "µs",
       .meaning = "4 KB appended and on the disk, wall time; p99 " + shown(quantile(fsync_waits_, 0.99)) + " µs"});
  if (scratch_.is_in_memory()) say("The scratch directory is in memory: name a disk with --scratch for a real fsync.");
}

std::vector<Signed> Run::signed_requests(Ask ask, std::span<const Somebody> about, std::size_t count) {
  const Asker asker(MeasuredHouse::route(), keys_.partner);
  auto requests = asker.requests(about, count, [&](std::size_t ready) { console_.progress(ready, count); }, ask);
  console_.progress_end();
  return requests;
}

std::span<Signed> Run::next_requests(std::size_t count) {
  used_ += count;
  return std::span(requests_).subspan(used_ - count, count);
}

Result<void> Run::measure_inprocess(MeasuredHouse& house) {
  InProcess door(house, keys_.partner.certificate, std::max(1u, std::thread::hardware_concurrency()));
  Sample warming;
  TRY(door.round(next_requests(plan_.warm_up_requests()), warming));
  std::vector<double> r, cost, batch;
  for (std::size_t i = 0; i < plan_.rounds; ++i) {
    r.push_back(sign_.round_us());
    const auto round = TRY(door.round(next_requests(plan_.round_requests()), sample_));
    cost.push_back(round.cpu_us);
    batch.push_back(round.batch);
    console_.progress(i + 1, plan_.rounds);
  }
  console_.progress_end();
  figures_.push_back(
      beside({.name = "iti55_inprocess",
              .value = median(cost),
              .unit = "µs",
              .meaning = "CPU of one ITI-55, request bytes to decided, audited, signed answer; beside R"},
             median(r)));
  figures_.push_back({.name = "iti55_inprocess_audit_batch",
                      .value = median(batch),
                      .unit = "entries",
                      .meaning = "audit entries in one commit, 64 requests in flight"});
  return {};
}

Result<void> Run::measure_tls(TlsDoor& door) {
  Sample warming;
  TRY(door.round(next_requests(plan_.warm_up_requests()), warming));
  std::vector<double> r, cost, batch;
  for (std::size_t i = 0; i < plan_.rounds; ++i) {
    r.push_back(sign_.round_us());
    const auto round = TRY(door.round(next_requests(plan_.round_requests()), sample_));
    cost.push_back(round.cpu_us);
    batch.push_back(round.batch);
    console_.progress(i + 1, plan_.rounds);
  }
  console_.progress_end();
  figures_.push_back(beside({.name = "iti55_tls",
                             .value = median(cost),
                             .unit = "µs",
                             .meaning = "the same over 64 warm mutual-TLS connections, per core; beside R"},
                            median(r)));
  figures_.push_back({.name = "iti55_tls_audit_batch",
                      .value = median(batch),
                      .unit = "entries",
                      .meaning = "audit entries in one commit: two a request, released and sent"});
  return {};
}

Result<void> Run::measure_single_client(TlsDoor& door) {
  Sample warming;
  TRY(one_by_one(door.client(), next_requests(plan_.warm_up_requests()), warming));
  sample_fsync();
  const auto waits = TRY(one_by_one(door.client(), next_requests(plan_.single_client_requests()), sample_));
  sample_fsync();
  show_fsync();
  figures_.push_back({.name = "iti55_single_client_p50",
                      .value = quantile(waits, 0.5),
                      .unit = "µs",
                      .meaning = "wall time of a request, one client, one after the other: half of them"});
  p99_us_ = quantile(waits, 0.99);
  p99_limit_us_ = median(fsync_waits_) + p99_allowance_us;
  figures_.push_back(beside({.name = "iti55_single_client_p99",
                             .value = *p99_us_,
                             .unit = "µs",
                             .meaning = "the same, 99 of 100; beside one fsync + 5 ms"},
                            *p99_limit_us_));
  return {};
}

/// The same work by the same two threads, kept to one core and let to two, turn by turn.
Result<void> Run::measure_cores(MeasuredHouse& house) {
  if (cores_available() < 2) {
    say("There is one core here: the figure of two is not measured.");
    return {};
  }
  InProcess door(house, keys_.partner.certificate, 2);
  Sample unseen;
  TRY(door.round(next_requests(plan_.warm_up_requests()), unseen));
  std::vector<double> one, two;
  for (std::size_t i = 0; i < plan_.rounds; ++i) {
    const auto requests = next_requests(2 * plan_.round_requests());
    {
      const OnCores kept(1);
      one.push_back(TRY(door.round(requests.first(plan_.round_requests()), unseen)).wall_us);
    }
    const OnCores kept(2);
    two.push_back(TRY(door.round(requests.subspan(plan_.round_requests()), unseen)).wall_us);
    console_.progress(i + 1, plan_.rounds);
  }
  console_.progress_end();
  figures_.push_back(beside({.name = "cores",
                             .value = median(two),
                             .unit = "µs",
                             .meaning = "wall time by which an ITI-55 follows another on two cores; beside one core"},
                            median(one)));
  return {};
}

Result<void> Run::measure_refuse(MeasuredHouse& house) {
  const auto plan = plan_.refuse();
  const auto refused = TRY(refuse(house, keys_, plan, next_requests(plan.all_honest()), sample_));
  figures_.push_back({.name = "refuse",
                      .value = refused.per_second,
                      .unit = "/s",
                      .meaning = "bad signatures refused while another partner's p99 less than doubles"});
  figures_.push_back(beside({.name = "refuse_honest_p99",
                             .value = refused.p99_us,
                             .unit = "µs",
                             .meaning = "wall time of that partner's requests meanwhile; beside the same when calm"},
                            refused.calm_p99_us));
  return {};
}

Result<void> Run::measure_start() {
  const auto started = TRY(start(scratch_.path(), keys_, plan_.starts()));
  figures_.push_back(beside({.name = "start",
                             .value = median(started.first_answer_us) / 1000,
                             .unit = "ms",
                             .meaning = "from exec to the first good answer; beside exec of `gatehouse --version`"},
                            started.bare_us / 1000));
  figures_.push_back({.name = "start_idle_memory",
                      .value = started.idle_kb / 1024,
                      .unit = "MB",
                      .meaning = "resident after fifty answers, nobody connected"});
  figures_.push_back({.name = "start_connection_memory",
                      .value = started.connection_kb,
                      .unit = "KB",
                      .meaning = "more for each idle mutual-TLS connection, of two hundred"});
  return {};
}

Result<void> Run::measure_denial() {
  DenialPlan plan{.postgresql = plan_.postgresql};
  if (plan_.quick) plan.patients = 5000, plan.pairs = 50, plan.learning = 10;
  const auto report = TRY(denial(scratch_.path(), keys_, console_, plan));
  figures_.insert(figures_.end(), report.figures.begin(), report.figures.end());
  for (const auto& sentence : report.sentences) say(sentence);
  denial_held_ = report.held;
  return {};
}

/// Every patient permits Treatment, every fourth by an own choice, the others by the clinic's defaults.
Result<void> Run::settle(MeasuredHouse& house) {
  TRY(house.move_in(people_));
  for (std::size_t i = 0; i < people_.size(); i += own_choice_every) {
    TRY(house.choose(people_[i], {policy::Purpose::Treatment, policy::Purpose::PatientRequest}));
  }
  return {};
}

Result<void> Run::measure_query(MeasuredHouse& house) {
  const auto whose = std::span(people_).first(1);
  TRY(house.file_documents(whose.front(), entries_of_a_query, 4000));
  const auto count = plan_.query_requests();
  const auto requests = signed_requests(Ask::Entries, whose, (plan_.rounds + 1) * count);
  const auto door = TRY(TlsDoor::open(house, keys_));
  Sample warming;
  TRY(door->round(std::span(requests).first(count), warming));
  std::vector<double> r, cost;
  for (std::size_t i = 1; i <= plan_.rounds; ++i) {
    r.push_back(sign_.round_us());
    cost.push_back(TRY(door->round(std::span(requests).subspan(i * count, count), sample_)).cpu_us);
    console_.progress(i, plan_.rounds);
  }
  console_.progress_end();
  figures_.push_back(
      beside({.name = "iti38_20",
              .value = median(cost),
              .unit = "µs",
              .meaning = "CPU of one ITI-38, twenty entries as LeafClass, over warm mutual TLS; beside R"},
             median(r)));
  return {};
}

/// Before any of our clients holds a whole document: what it gives back would hide what the next one takes.
Result<double> Run::memory_of_retrieve(MeasuredHouse& house, std::span<const Signed> requests) {
  const auto door = TRY(TlsDoor::open(house, keys_, transfers, kernel_receives));
  return door->grown_by_stalled(requests);
}

Result<void> Run::measure_retrieve(MeasuredHouse& house) {
  const auto whose = std::span(people_).subspan(1, 1);
  TRY(house.file_documents(whose.front(), 1, document_octets));
  const auto count = plan_.retrieve_requests();
  const auto requests = signed_requests(Ask::Document, whose, (plan_.rounds + 1) * count + transfers);
  const auto grown = TRY(memory_of_retrieve(house, std::span(requests).last(transfers)));
  const auto door = TRY(TlsDoor::open(house, keys_, transfers));
  RawTls raw(keys_.tls);
  Sample packages;  // multipart: not for xmlsec1
  TRY(door->round(std::span(requests).first(count), packages));
  std::vector<double> written, cost;
  for (std::size_t i = 1; i <= plan_.rounds; ++i) {
    written.push_back(raw.round_us());
    packages.clear();
    cost.push_back(TRY(door->round(std::span(requests).subspan(i * count, count), packages)).cpu_us);
    console_.progress(i, plan_.rounds);
  }
  console_.progress_end();
  figures_.push_back(beside({.name = "iti39_5mb",
                             .value = median(cost),
                             .unit = "µs",
                             .meaning =
                                 "CPU of one ITI-39, 5 MB by MTOM, each piece proved; beside raw SSL_write"},
                            median(written)));
  figures_.push_back({.name = "iti39_5mb_memory",
                      .value = grown / 1024,
                      .unit = "KiB",
                      .meaning = "by which one transfer lets the process grow, sixteen at once that nobody reads"});
  return {};
}

Result<void> Run::measure_exchanges() {
  if (!plan_.wants_house()) return {};
  people_ = population(patients);
  const auto house = TRY(MeasuredHouse::build(scratch_.path(), keys_));
  TRY(settle(*house));
  requests_ = signed_requests(Ask::Patient, people_, plan_.all_requests());
  if (plan_.wants("iti55_inprocess")) TRY(measure_inprocess(*house));
  if (plan_.wants("iti55_tls") || plan_.wants("iti55_single_client")) {
    const auto door = TRY(TlsDoor::open(*house, keys_));
    if (plan_.wants("iti55_tls")) TRY(measure_tls(*door));
    if (plan_.wants("iti55_single_client")) TRY(measure_single_client(*door));
  }
  if (plan_.wants("iti39_5mb")) TRY(measure_retrieve(*house));
  if (plan_.wants("iti38_20")) TRY(measure_query(*house));
  if (plan_.wants("cores")) TRY(measure_cores(*house));
  if (plan_.wants("refuse")) TRY(measure_refuse(*house));
  verdict_ = verify_sample(sample_, keys_.signing.certificate, scratch_.path());
  return {};
}

Result<void> Run::measure_match() {
  const auto report = TRY(match_1m(scratch_.path(), console_, plan_.quick));
  figures_.insert(figures_.end(), report.figures.begin(), report.figures.end());
  for (const auto& sentence : report.sentences) say(sentence);
  match_held_ = report.held;
  return {};
}

Result<void> Run::report(const std::string& json_file) const {
  std::vector<cli::Fields> rows;
  for (const auto& figure : figures_) {
    rows.push_back(cli::Fields()
                       .text("figure", figure.name)
                       .text("value", shown(figure.value) + " " + figure.unit)
                       .text("beside", figure.reference ? shown(*figure.reference) : "")
                       .text("ratio", figure.ratio ? shown(*figure.ratio) : "")
                       .text("meaning", figure.meaning));
  }
  if (!console_.json()) console_.show("figures", rows);
  std::vector<std::string> further;
  const auto add_flag = [&](const std::string& name, bool value) {
    further.push_back("\"" + name + "\":" + (value ? "true" : "false"));
  };
  if (speed_deviation_) add_flag("rsa_sign_within_5_percent", std::abs(*speed_deviation_) <= speed_tolerance);
  if (p99_us_) {
    const bool held = *p99_us_ <= *p99_limit_us_;
    say(std::string("p99 of a single client is ") + (held ? "within" : "above") + " one fsync + 5 ms.");
    add_flag("p99_within_fsync_plus_5_ms", held);
  }
  if (verdict_.of > 0) {
    further.push_back("\"sample\":" + cli::Fields()
                                          .number("verified", static_cast<std::int64_t>(verdict_.verified))
                                          .number("of", static_cast<std::int64_t>(verdict_.of))
                                          .text("reason", verdict_.reason)
                                          .to_json());
    say("xmlsec1 verified " + std::to_string(verdict_.verified) + " of " + std::to_string(verdict_.of) +
        " sampled answers" + (verdict_.reason.empty() ? "." : ": " + verdict_.reason));
  }
  const auto json = write_json(figures_, further);
  if (json_file == "-")
    console_.raw(json);
  else if (!json_file.empty())
    return cli::write_file(json_file, json, false);
  return {};
}

Result<Exit> Run::measure(const std::string& json_file) {
  measure_sign();
  if (plan_.wants("rsa_verify")) measure_verify();
  if (plan_.wants("tls_write_5mb")) measure_raw_tls();
  if (plan_.wants("fsync_4k") && !plan_.wants("iti55_single_client")) {
    sample_fsync();
    show_fsync();
  }
  if (plan_.wants("decide_1000")) TRY(measure_decide());
  TRY(measure_exchanges());
  if (plan_.wants("start")) TRY(measure_start());
  if (plan_.wants_match()) TRY(measure_match());
  if (plan_.wants_denial()) TRY(measure_denial());
  TRY(report(json_file));
  if (!plan_.quick && !denial_held_) {
    return fail(Errc::WrongAnswer, "denied and absent patients can be told apart by time; see the figures");
  }
  if (!match_held_) {
    return fail(Errc::WrongAnswer,
                "matching missed what it must reach: recall, wrong persons or time; see the figures");
  }
  if (verdict_.of > 0 && verdict_.verified < verdict_.of &&
      verdict_.reason.find("not installed") == std::string::npos) {
    return fail(Errc::WrongAnswer, "xmlsec1 does not verify an answer: " + verdict_.reason);
  }
  if (!plan_.quick && speed_deviation_ && std::abs(*speed_deviation_) > speed_tolerance) {
    return fail(Errc::BadNumber,
                "R is " + shown(*speed_deviation_ * 100) +
                    " % off what openssl speed says: these ratios mean nothing; run it on a quiet machine");
  }
  return Exit::Done;
}

Result<Exit> bench(const Arguments& arguments, Console& console) {
  std::signal(SIGPIPE, SIG_IGN);
  auto plan = TRY(read_plan(arguments));
  return Run(std::move(plan), console, arguments.text("scratch")).measure(arguments.text("json"));
}

}  // namespace

std::vector<cli::Command> bench_commands() {
  return {{.path = "bench",
           .help = "Measure what answers cost beside what this machine can do at best",
           .example = "bench --only iti55_inprocess,iti55_tls --json bench.json",
           .options = {{"--only",
                        "Figures to measure: rsa_sign, rsa_verify, tls_write_5mb, fsync_4k, iti55_inprocess, "
                        "iti55_tls, iti55_single_client, iti38_20, iti39_5mb, cores, refuse, start, decide_1000; and "
                        "by name alone, because they take minutes with their million patients, match_1m and denial",
                        false, true},
                       {"--rounds", "Rounds of each figure, 9 if not given"},
                       {"--quick", "Two short rounds: a trial, not for comparing", false, false, true},
                       {"--postgresql", "URL of an empty PostgreSQL database: denial is measured on it too"},
                       {"--scratch", "Directory in which the scratch directory is made: its disk is measured"}},
           .run = bench,
           .needs_config = false,
           .json_file = true}};
}

}  // namespace gateway::bench
