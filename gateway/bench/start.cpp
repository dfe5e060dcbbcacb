#include "gateway/bench/start.hpp"

#include "gateway/bench/figures.hpp"
#include "gateway/bench/exchanges.hpp"
#include "gateway/bench/other_programs.hpp"
#include "gateway/cli/config.hpp"

#include <charconv>
#include <fstream>
#include <thread>

namespace gateway::bench {
namespace {

namespace fs = std::filesystem;
using base::fail;

constexpr std::size_t connections = 200, answers_before_weighing = 50;
constexpr auto settling = std::chrono::milliseconds(500);

Result<void> command(const std::vector<std::string>& words) {
  std::vector<std::string> whole{"/proc/self/exe"};
  whole.insert(whole.end(), words.begin(), words.end());
  const auto ended = run_program(whole);
  if (!ended || ended->exit != 0) {
    return fail(Errc::ProgramFailed, words.front() + ": " + (ended ? ended->output : "cannot be run"));
  }
  return {};
}

/// A data directory with a clinic, two partners and these patients.
Result<void> settle(const fs::path& data, const Keys& keys, std::span<const Somebody> people) {
  const auto route = MeasuredHouse::route();
  const std::string config = (data / "gatehouse.toml").string(), url = route.to.substr(0, route.to.find("/ihe"));
  const auto beside = [&](const char* name) { return data.string() + "-" + name; };
  TRY(command({"init", data.string(), "--home", route.asked_home, "--name", "Hill Valley Clinic", "--time-zone", "UTC",
               "--network-port", "0", "--operator-port", "0", "--public-url", url, "--purposes", "treatment"}));
  TRY(cli::write_file(beside("partners.json"), MeasuredHouse::partners(), false));
  TRY(cli::write_file(beside("partner.pem"), keys.partner.certificate.to_pem(), false));
  TRY(cli::write_file(beside("patients.ndjson"), write_ndjson(people, route.asked_home), false));
  TRY(command({"partner", "import", beside("partners.json"), "--config", config}));
  TRY(command({"partner", "pin", route.asker_home, beside("partner.pem"), "--config", config}));
  return command({"patient", "import", beside("patients.ndjson"), "--config", config});
}

/// VmRSS, with what it shares with files, in KB.
Result<double> resident_kb(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  double kb = 0;
  for (std::string name; status >> name;) {
    if (name == "VmRSS:" && status >> kb) return kb;
    status.ignore(4096, '\n');
  }
  return fail(Errc::ProgramFailed, "the started program has ended by itself");
}

/// The port in the line by which the program says that it is ready.
Result<std::uint16_t> network_port(Running& program) {
  constexpr std::string_view name = "\"network\":";
  while (const auto line = program.read_line()) {
    const auto at = line->find(name);
    if (!line->starts_with("{\"ready\":true") || at == std::string::npos) continue;
    std::uint16_t port = 0;
    std::from_chars(line->data() + at + name.size(), line->data() + line->size(), port);
    return port;
  }
  return fail(Errc::ProgramFailed, "the started program has ended before it was ready");
}

}  // namespace

Result<Started> start(const fs::path& scratch, const Keys& keys, std::size_t times) {
  const auto people = population(1);
  const fs::path data = scratch / "started";
  TRY(settle(data, keys, people));
  const auto certificate = TRY(certs::Certificate::from_pem(TRY(cli::read_file((data / "keys/tls.pem").string()))));
  const Asker asker(MeasuredHouse::route(), keys.partner);
  const auto requests = asker.requests(people, times * answers_before_weighing, [](std::size_t) {});

  Started started;
  const double bare = wall_us();
  TRY(command({"--version"}));
  started.bare_us = wall_us() - bare;
  for (std::size_t time = 0; time < times; ++time) {
    const auto mine = std::span(requests).subspan(time * answers_before_weighing, answers_before_weighing);
    const double begun = wall_us();
    Running program({"/proc/self/exe", "serve", "--config", (data / "gatehouse.toml").string()});
    const auto port = TRY(network_port(program));
    const net::Destination destination{.port = port, .credential = keys.partner, .server = certificate};
    Sample unseen;
    {
      auto client = TRY(net::BlockingClient::connect(destination));
      TRY(one_by_one(client, mine.first(1), unseen));
      started.first_answer_us.push_back(wall_us() - begun);
      TRY(one_by_one(client, mine.subspan(1), unseen));
    }
    if (time + 1 < times) continue;
    std::this_thread::sleep_for(settling);
    started.idle_kb = TRY(resident_kb(program.id()));
    std::vector<net::BlockingClient> idle;
    for (std::size_t i = 0; i < connections; ++i) idle.push_back(TRY(net::BlockingClient::connect(destination)));
    std::this_thread::sleep_for(settling);
    started.connection_kb =
        (TRY(resident_kb(program.id())) - started.idle_kb) / static_cast<double>(connections);
  }
  return started;
}

}  // namespace gateway::bench
