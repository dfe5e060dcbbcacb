// The program. `serve` builds every object by hand, in order, with constructor arguments: this page is the whole of it.

#include "gateway/bench/bench.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/cli/house.hpp"
#include "gateway/directory/shelf.hpp"
#include "gateway/documents/shelf.hpp"
#include "gateway/exchange/call_backs.hpp"
#include "gateway/exchange/network_door.hpp"
#include "gateway/log.hpp"
#include "gateway/patients/shelf.hpp"
#include "gateway/pending/shelf.hpp"
#include "xca/schema.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

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
                                 config.signing_key};
  for (const auto* list : {&config.trust_anchors, &config.trust_intermediates, &config.trust_crls}) {
    files.insert(files.end(), list->begin(), list->end());
  }
  std::vector<std::filesystem::file_time_type> times;
  std::error_code ignored;
  for (const auto& file : files) times.push_back(std::filesystem::last_write_time(file, ignored));
  return times;
}

/// What can change while the program runs: our credentials and the bundles. A broken file keeps the old state (L12).
void reload(const Config& config, net::Server& server, exchange::RespondingGateway& gateway,
            exchange::CallBacks& call_backs, directory::DirectoryShelf& directory) {
  const auto tls = cli::load_credential(config.network_certificate, config.network_key);
  const auto signing = cli::load_credential(config.signing_certificate, config.signing_key);
  auto evidence = cli::load_evidence(config);
  const auto refuse = [](const base::Error& error) {
    log(Level::Error, "reload refused, everything stays as it was", {{"because", cli::sentence(error)}});
  };
  if (!tls) return refuse(tls.error());
  if (!signing) return refuse(signing.error());
  if (!evidence) return refuse(evidence.error());
  if (const auto replaced = server.replace_credential(std::string(network), *tls); !replaced) {
    return refuse(replaced.error());
  }
  gateway.replace_signer(std::make_shared<xca::wss::Signer>(*signing));
  call_backs.replace_credential(*tls);
  directory.replace_evidence(std::move(*evidence));
  server.close_withdrawn(std::string(network));
  log(Level::Info, "certificates and bundles reloaded");
}

net::Response text_response(unsigned status, std::string text) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .pieces = {std::move(text)}};
}

/// Alive is not ready: ready means that an answer could be decided, audited and released now.
std::string not_ready_because(store::Database& database, const audit::Journal& journal) {
  if (!journal.healthy()) return "the audit trail cannot be written\n";
  const auto session = database.session();
  if (!session) return "the database cannot be reached\n";
  const auto asked = (*session)->select("SELECT version FROM directory_version", "i");
  return asked && asked->size() == 1 ? "" : "the database does not answer\n";
}

/// Waits for signals, one second at a time, and does what is due meanwhile. Returns when the program is to end.
void watch(const Config& config, const sigset_t& signals, net::Server& server, exchange::RespondingGateway& gateway,
           exchange::CallBacks& call_backs, directory::DirectoryShelf& directory) {
  auto known = file_times(config);
  for (unsigned second = 1;; ++second) {
    const timespec pause{1, 0};
    const int signal = ::sigtimedwait(&signals, nullptr, &pause);
    if (signal == SIGTERM || signal == SIGINT) return;
    const auto current = file_times(config);
    if (signal == SIGHUP || current != known) reload(config, server, gateway, call_backs, directory);
    known = current;
    if (second % 30 == 0) server.close_withdrawn(std::string(network));
  }
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
  const auto tls = TRY(cli::load_credential(config.network_certificate, config.network_key));
  auto signing = TRY(cli::load_credential(config.signing_certificate, config.signing_key));

  // 3 Shelves.
  auto audit_key = TRY(cli::load_key(config.audit_key));
  const auto journal = TRY(audit::Journal::open(
      database, {.node = config.node, .key = std::move(audit_key), .witness_file = config.audit_witness}));
  directory::DirectoryShelf directory(database, TRY(cli::load_evidence(config)));
  patients::PatientShelf patients(database);
  documents::DocumentShelf documents(database);
  pending::PendingShelf pending(database);

  // 4 The corridors and their door.
  net::Metrics metrics;
  const auto message_bytes = static_cast<std::size_t>(config.network_message_mib) << 20;
  auto rules = TRY(cli::load_rules(config));
  exchange::RespondingSettings settings{.rules = std::move(rules),
                                        .public_urls = config.network_public_urls};
  settings.limits.bytes = message_bytes;
  settings.documents_per_retrieve = static_cast<std::size_t>(config.answers_documents_per_retrieve);
  const auto allowed = TRY(cli::load_networks("callbacks.allow", config.callbacks_allow));
  settings.call_backs = {.allowed = allowed,
                         .waiting_per_partner = static_cast<std::size_t>(config.callbacks_pending_per_partner),
                         .delay = std::chrono::milliseconds(config.callbacks_delay_ms)};
  exchange::RespondingGateway gateway(std::move(settings), directory, patients, documents, pending, *journal,
                                      std::make_shared<xca::wss::Signer>(std::move(signing)));
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
                                 gateway, directory, pending, *journal, metrics, tls);

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
  const std::uint16_t network_port = TRY(server.open(
      {.name = std::string(network),
       .address = config.network_address,
       .port = static_cast<std::uint16_t>(config.network_port),
       .tls = net::Tls{.credential = tls,
                       .accept_client = [&](const net::Peer& peer) { return door.accepts(peer, directory); }},
       .limits = limits,
       .routes = door.routes({"/ihe/xcpd", "/ihe/xca/query", "/ihe/xca/retrieve"}, directory)}));
  const auto health = [](net::Request, net::Reply reply) { reply(text_response(200, "alive\n")); };
  const auto ready = [&](net::Request, net::Reply reply) {
    const std::string because = not_ready_because(database, *journal);
    reply(because.empty() ? text_response(200, "ready\n") : text_response(503, because));
  };
  const auto figures = [&](net::Request, net::Reply reply) {
    const auto written = journal->figures();
    metrics.set_gauge("gatehouse_audit_commits", static_cast<double>(written.commits));
    metrics.set_gauge("gatehouse_audit_entries", static_cast<double>(written.entries));
    metrics.set_gauge("gatehouse_audit_queued", static_cast<double>(written.queued));
    if (const auto waiting = pending.waiting()) metrics.set_gauge("callbacks_waiting", static_cast<double>(*waiting));
    reply({.status = 200, .content_type = "text/plain; version=0.0.4; charset=utf-8", .pieces = {metrics.text()}});
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
  watch(config, signals, server, gateway, call_backs, directory);
  log(Level::Info, "stopping: running requests are finished first");
  call_backs.stop();
  server.stop();
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
                                 .options = {},
                                 .run = gateway::serve}};
  for (auto part : {gateway::cli::house_commands(), gateway::cli::certs_commands(), gateway::cli::clinic_commands(),
                    gateway::cli::patient_commands(), gateway::cli::partner_commands(), gateway::cli::policy_commands(),
                    gateway::cli::audit_commands(), gateway::bench::bench_commands()}) {
    commands.insert(commands.end(), part.begin(), part.end());
  }
  return gateway::cli::run(argc, argv, commands);
}
