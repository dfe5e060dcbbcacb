// The program. `serve` builds every object by hand, in order, with constructor arguments: this page is the whole of it.

#include "gateway/bench/bench.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/cli/house.hpp"
#include "gateway/directory/evidence_keeper.hpp"
#include "gateway/directory/shelf.hpp"
#include "gateway/documents/labelling.hpp"
#include "gateway/documents/shelf.hpp"
#include "gateway/exchange/call_backs.hpp"
#include "gateway/exchange/network_door.hpp"
#include "gateway/log.hpp"
#include "gateway/net/syslog_client.hpp"
#include "gateway/patients/index.hpp"
#include "gateway/patients/shelf.hpp"
#include "gateway/pending/shelf.hpp"
#include "xca/schema.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <thread>

namespace gateway {
namespace {

using base::Result;
using cli::Arguments;
using cli::Config;
using cli::Console;
using cli::Exit;
using cli::House;

constexpr std::string_view network = "network";

/// The files a running gateway watches, with the time each was last written.
std::vector<std::filesystem::file_time_type> file_times(const Config& config) {
  std::vector<std::string> files{config.network_certificate, config.network_key, config.signing_certificate,
                                 config.signing_key, config.pkcs11_pin_file};
  for (const auto* list : {&config.trust_anchors, &config.trust_anchors_hard, &config.trust_anchors_soft,
                           &config.trust_intermediates, &config.trust_crls}) {
    files.insert(files.end(), list->begin(), list->end());
  }
  std::vector<std::filesystem::file_time_type> times;
  std::error_code ignored;
  for (const auto& file : files) times.push_back(std::filesystem::last_write_time(file, ignored));
  return times;
}

/// What changes while the program runs, and those who must hear of it.
struct Running {
  const Config& config;
  store::Database& database;
  net::Server& server;
  net::Metrics& metrics;
  exchange::RespondingGateway& gateway;
  exchange::NetworkDoor& door;
  exchange::CallBacks& call_backs;
  directory::DirectoryShelf& directory;
  directory::EvidenceKeeper& keeper;
  cli::OwnCredentials own;
  certs::TrustEvidence evidence;  ///< of the files
  certs::ExpiryAlarms alarms = {};
};

/// Our credentials and the bundles. A broken file keeps the old state. [threats L12]
void reload(Running& house) {
  auto own = cli::load_own_credentials(house.config);
  auto evidence = cli::load_evidence(house.config);
  const auto refuse = [](const base::Error& error) {
    log(Level::Error, "reload refused, everything stays as it was", {{"because", cli::sentence(error)}});
  };
  if (!own) return refuse(own.error());
  if (!evidence) return refuse(evidence.error());
  evidence->gathered = house.keeper.evidence();
  if (const auto replaced = house.server.replace_credential(std::string(network), own->tls); !replaced) {
    return refuse(replaced.error());
  }
  house.gateway.replace_signer(std::make_shared<xca::wss::Signer>(own->signing));
  house.call_backs.replace_credential(own->tls);
  house.directory.replace_evidence(*evidence);
  house.own = *std::move(own);
  house.evidence = *std::move(evidence);
  house.server.close_withdrawn(std::string(network));
  log(Level::Info, "certificates and bundles reloaded");
}

bool has_expired(const cli::OwnCredentials& own, base::Instant now) {
  return own.tls.certificate.not_after() < now || own.signing.certificate.not_after() < now;
}

/// Ends connections of withdrawn partners, and tells of certificates that end. [threats L07, L11]
void look(Running& house) {
  const auto now = cli::system_now();
  house.door.set_own_expired(house.config.trust_expired_own == "refuse" && has_expired(house.own, now));
  house.server.close_withdrawn(std::string(network));
  if (const auto known = house.directory.current()) (*known)->trust().ask_ahead(now);
  const auto dated = cli::load_dated(house.own, house.evidence, house.database);
  if (!dated) return log(Level::Error, "certificates cannot be listed", {{"because", cli::sentence(dated.error())}});
  for (const auto& [role, days] : certs::first_to_end(*dated, now)) {
    house.metrics.set_certificate_days_left(role, static_cast<double>(days));
  }
  for (const auto& alarm : house.alarms.due(*dated, now)) {
    log(alarm.urgent ? Level::Error : Level::Warning,
        alarm.days_left < 0 ? "a certificate has expired" : "a certificate ends soon",
        {{"role", alarm.dated.role},
         {"subject", alarm.dated.certificate.subject()},
         {"not_after", base::write_date_time(alarm.dated.certificate.not_after())},
         {"days_left", std::to_string(alarm.days_left)}});
  }
}

net::Response text_response(unsigned status, std::string text) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = {std::move(text)}};
}

/// Beyond it times of different nodes in one database mean little. [design §4]
constexpr std::chrono::seconds clock_skew_max{2};

/// Alive is not ready: ready means that an answer could be decided, audited and released now.
std::string not_ready_because(store::Database& database, const audit::Journal& journal) {
  if (!journal.healthy()) return "the audit trail cannot be written\n";
  const auto session = database.session();
  if (!session) return "the database cannot be reached\n";
  const auto asked = (*session)->select("SELECT version FROM directory_version", "i");
  if (!asked || asked->size() != 1) return "the database does not answer\n";
  if (!database.is_postgresql()) return {};
  const auto its_clock =
      (*session)->select("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)", "i");
  if (!its_clock) return "the database does not answer\n";
  const auto skew = cli::system_now() - base::from_micros(its_clock->front().integer(0));
  return std::chrono::abs(skew) <= clock_skew_max ? "" : "the clock is more than two seconds off the database's\n";
}

/// How far the machine's clock has moved against time itself between two looks.
class ClockWatch {
 public:
  std::chrono::seconds step() {
    const auto steady = std::chrono::steady_clock::now();
    const auto wall = cli::system_now();
    const auto moved = std::chrono::round<std::chrono::seconds>((wall - wall_) - (steady - steady_));
    steady_ = steady;
    wall_ = wall;
    return moved;
  }

 private:
  std::chrono::steady_clock::time_point steady_ = std::chrono::steady_clock::now();
  base::Instant wall_ = cli::system_now();
};

/// Waits for signals, one second at a time, and does what is due meanwhile. Returns when the program is to end.
void watch(Running& house, const sigset_t& signals) {
  auto known = file_times(house.config);
  ClockWatch clock;
  for (std::int64_t second = 0;; ++second) {
    if (const auto step = clock.step(); std::chrono::abs(step) > audit::DecisionClock::step_max) {
      log(Level::Error, "the machine's clock was set", {{"by_seconds", std::to_string(step.count())}});
      house.metrics.set_gauge("clock_step_seconds", static_cast<double>(step.count()));
    }
    if (second % house.config.trust_look_seconds == 0) look(house);
    const timespec pause{1, 0};
    const int signal = ::sigtimedwait(&signals, nullptr, &pause);
    if (signal == SIGTERM || signal == SIGINT) return;
    const auto current = file_times(house.config);
    if (signal == SIGHUP || current != known) {
      reload(house);
      look(house);
    }
    known = current;
  }
}

/// That this program began or ended to answer. [facts/query-exchange §8.1, 110100]
audit::Event activity(std::string_view what) {
  audit::Event event;
  const auto octets = certs::random_octets<16>();
  event.request = base::hex({reinterpret_cast<const char*>(octets.data()), octets.size()});
  event.at = cli::system_now();
  event.transaction = what;
  event.outcome = audit::Outcome::Changed;
  event.user = cli::system_user();
  event.process = std::to_string(::getpid());
  return event;
}

/// Tells the audit repository, where there is one. Its certificates are read at every connection.
Result<std::unique_ptr<audit::Sender>> tell_repository(const House& house) {
  if (!house.spool) return std::unique_ptr<audit::Sender>();
  TRY(cli::load_syslog(house.config));  // what is wrong with it is said at the start
  std::string host(256, '\0');
  if (::gethostname(host.data(), host.size() - 1) != 0) host = "-";
  host.resize(host.find('\0'));
  const auto open = [&config = house.config]() -> Result<std::unique_ptr<audit::Sink>> {
    return net::SyslogClient::connect(TRY(cli::load_syslog(config)));
  };
  return audit::Sender::start(*house.database, *house.spool, open,
                              {.holder = house.config.node,
                               .header = {.host = std::move(host),
                                          .process = std::to_string(::getpid()),
                                          .msgid = house.config.audit_syslog_msgid}});
}

Result<Exit> serve(const Arguments& arguments, Console&) {
  // 1 This process: private files, no core dumps of patient data, signals for watch() alone.
  ::umask(077);
  const rlimit no_cores{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_cores);
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  TRY(certs::check_library());
  (void)xca::schemas();

  // 2 Configuration, store, keys.
  House house = TRY(cli::open_house(arguments));
  const Config& config = house.config;
  set_log_level(config.log_level);
  store::Database& database = *house.database;
  auto own = TRY(cli::load_own_credentials(config));
  if (config.trust_expired_own == "refuse" && has_expired(own, cli::system_now())) {
    return base::fail(exchange::Errc::OwnCertificateExpired,
                      "renew network.certificate and signing.certificate, or set trust.expired_own to serve.");
  }

  // 3 Shelves.
  auto audit_key = TRY(cli::load_key(config, config.audit_key));
  const auto journal = TRY(audit::Journal::open(database, {.node = config.node,
                                                           .key = std::move(audit_key),
                                                           .witness_file = config.audit_witness,
                                                           .spool = house.spool.get()}));
  const auto sender = TRY(tell_repository(house));
  TRY(journal->commit_and_wait({.event = activity("application start")}));
  net::Metrics metrics;
  const auto keeper = TRY(directory::EvidenceKeeper::start(
      {.lists = config.trust_fetch == "both" || config.trust_fetch == "crl",
       .responses = config.trust_fetch == "both" || config.trust_fetch == "ocsp",
       .fetch_allow = config.trust_fetch_allow},
      metrics));
  auto evidence = TRY(cli::load_evidence(config));
  evidence.gathered = keeper->evidence();
  directory::DirectoryShelf directory(database, evidence);
  TRY(directory.current());  // evidence about everyone known is asked for now, before the first one comes
  if (!TRY(patients::index_is_current(database))) {
    return base::fail(store::Errc::SchemaMismatch, "patients are stored under older keys: run gatehouse db migrate");
  }
  if (!TRY(documents::labels_are_current(database))) {
    return base::fail(store::Errc::SchemaMismatch, "documents are labelled by older rules: run gatehouse db migrate");
  }
  patients::PatientShelf patients(database);
  documents::DocumentShelf documents(database, TRY(cli::load_content_seal(config)));
  pending::PendingShelf pending(database);
  if (arguments.has("accept-clock")) {
    TRY(audit::accept_clock(database, cli::system_now()));
    TRY(journal->commit_and_wait({.event = activity("clock accepted")}));
  }
  audit::DecisionClock clock(TRY(audit::decided_until(database)));

  // 4 The corridors and their door.
  const auto message_bytes = static_cast<std::size_t>(config.network_message_mib) << 20;
  auto rules = TRY(cli::load_rules(config));
  exchange::RespondingSettings settings{.rules = std::move(rules),
                                        .public_urls = config.network_public_urls};
  settings.limits.bytes = message_bytes;
  settings.documents_per_retrieve = static_cast<std::size_t>(config.answers_documents_per_retrieve);
  settings.queries = {.patients = static_cast<std::size_t>(config.partners_patients),
                      .alike = static_cast<std::size_t>(config.partners_alike),
                      .window = std::chrono::minutes(config.partners_window_minutes)};
  const auto allowed = TRY(cli::load_networks("callbacks.allow", config.callbacks_allow));
  settings.call_backs = {.allowed = allowed,
                         .waiting_per_partner = static_cast<std::size_t>(config.callbacks_pending_per_partner),
                         .delay = std::chrono::milliseconds(config.callbacks_delay_ms)};
  exchange::RespondingGateway gateway(std::move(settings), directory, patients, documents, pending, *journal, clock,
                                      std::make_shared<xca::wss::Signer>(own.signing));
  exchange::NetworkDoor door({.floor_least = std::chrono::microseconds(config.answers_floor_us),
                              .refusals_one_by_one = static_cast<unsigned>(config.audit_refusals_per_minute)},
                             gateway, *journal, metrics);
  exchange::CallBacks call_backs({.workers = static_cast<unsigned>(config.callbacks_workers),
                                  .allowed = allowed,
                                  .attempts = static_cast<unsigned>(config.callbacks_attempts),
                                  .retry = std::chrono::seconds(config.callbacks_retry_seconds),
                                  .expiry = std::chrono::seconds(config.callbacks_expire_seconds),
                                  .lease = std::chrono::seconds(config.callbacks_lease_seconds),
                                  .floor_least = std::chrono::microseconds(config.answers_floor_us)},
                                 gateway, directory, pending, *journal, metrics, own.tls);

  // 5 Sockets.
  const unsigned threads = config.network_threads ? static_cast<unsigned>(config.network_threads)
                                                  : std::max(1u, std::thread::hardware_concurrency());
  net::Server server(threads, {.count = [&metrics](const std::string& at, const std::string& what) {
                       metrics.count_connection(at, what);
                     }});
  net::Limits limits;
  limits.body_bytes = message_bytes;
  limits.connections = static_cast<std::size_t>(config.network_connections);
  limits.connections_per_address = static_cast<std::size_t>(config.network_connections_per_address);
  limits.waiting_per_share = static_cast<std::size_t>(config.network_waiting_per_partner);
  limits.accepts_per_second_per_address = static_cast<std::size_t>(config.network_accepts_per_second_per_address);
  const std::uint16_t network_port = TRY(server.open(
      {.name = std::string(network),
       .address = config.network_address,
       .port = static_cast<std::uint16_t>(config.network_port),
       .tls = net::Tls{.credential = own.tls,
                       .accept_client = [&](const net::Peer& peer) { return door.accepts(peer, directory); },
                       .keep_client = [&](const net::Peer& peer) { return door.keeps(peer, directory); },
                       .refused_unjudged = [&](const net::Peer& peer, const base::Error& error) {
                         door.connection_refused(peer, error);
                       }},
       .limits = limits,
       .routes = door.routes({"/ihe/xcpd", "/ihe/xca/query", "/ihe/xca/retrieve"}, directory)}));
  const auto health = [](net::Request, net::Reply reply) { reply(text_response(200, "alive\n")); };
  const auto ready = [&](net::Request, net::Reply reply) {
    const std::string because = not_ready_because(database, *journal);
    reply(because.empty() ? text_response(200, "ready\n") : text_response(503, because));
  };
  const auto figures = [&](net::Request, net::Reply reply) {
    const auto written = journal->figures();
    metrics.set_gauge("audit_commits", static_cast<double>(written.commits));
    metrics.set_gauge("audit_entries", static_cast<double>(written.entries));
    metrics.set_gauge("audit_queued", static_cast<double>(written.queued));
    if (sender) {
      const auto told = sender->figures();
      metrics.set_gauge("audit_syslog_connected", told.connected ? 1 : 0);
      metrics.set_gauge("audit_syslog_sent", static_cast<double>(told.sent));
      metrics.set_gauge("audit_syslog_sent_again", static_cast<double>(told.sent_again));
      metrics.set_gauge("audit_syslog_waiting", static_cast<double>(house.spool->waiting()));
      metrics.set_gauge("audit_syslog_waiting_max", static_cast<double>(house.spool->messages_max()));
      metrics.set_gauge("audit_syslog_alarm", house.spool->nearly_full() ? 1 : 0);
    }
    if (const auto waiting = pending.waiting()) metrics.set_gauge("callbacks_waiting", static_cast<double>(*waiting));
    reply({.status = 200, .content_type = "text/plain; version=0.0.4; charset=utf-8", .body = {metrics.text()}});
  };
  const std::uint16_t operator_port = TRY(
      server.open({.name = "operator",
                   .address = config.operator_address,
                   .port = static_cast<std::uint16_t>(config.operator_port),
                   .routes = {{"GET", "/healthz", health}, {"GET", "/readyz", ready}, {"GET", "/metrics", figures}}}));

  // 6 Until a signal.
  server.start();
  call_backs.start();
  log_line("{\"ready\":true,\"network\":" + std::to_string(network_port) +
           ",\"operator\":" + std::to_string(operator_port) + "}");
  Running running{.config = config,
                  .database = database,
                  .server = server,
                  .metrics = metrics,
                  .gateway = gateway,
                  .door = door,
                  .call_backs = call_backs,
                  .directory = directory,
                  .keeper = *keeper,
                  .own = std::move(own),
                  .evidence = std::move(evidence)};
  watch(running, signals);
  log(Level::Info, "stopping: running requests are finished first");
  call_backs.stop();
  server.stop();
  (void)journal->commit_and_wait({.event = activity("application stop")});
  log(Level::Info, "stopped");
  return Exit::Done;
}

}  // namespace
}  // namespace gateway

int main(int argc, char** argv) {
  using gateway::cli::Command;
  std::vector<Command> commands{{.path = "serve",
                                 .help = "Run the gateway until SIGTERM; SIGHUP reloads certificates",
                                 .example = "serve --config /var/lib/gatehouse/gatehouse.toml",
                                 .options = {{"--accept-clock",
                                              "Go on though the clock was set back: decide from its time on", false,
                                              false, true}},
                                 .run = gateway::serve}};
  for (auto part : {gateway::cli::house_commands(), gateway::cli::certs_commands(), gateway::cli::clinic_commands(),
                    gateway::cli::patient_commands(), gateway::cli::partner_commands(), gateway::cli::policy_commands(),
                    gateway::cli::case_commands(), gateway::cli::consent_commands(),
                    gateway::cli::consent_file_commands(), gateway::cli::hie_consent_commands(),
                    gateway::cli::break_glass_commands(), gateway::cli::simulate_commands(),
                    gateway::cli::audit_commands(), gateway::cli::disclosure_commands(),
                    gateway::cli::direct_commands(),
                    gateway::bench::bench_commands()}) {
    commands.insert(commands.end(), part.begin(), part.end());
  }
  return gateway::cli::run(argc, argv, commands);
}
