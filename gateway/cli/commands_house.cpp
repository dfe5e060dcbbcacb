// init and db: a data directory that serves at once, and its database.

#include "certs/authority.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/cli/house.hpp"
#include "gateway/documents/labelling.hpp"
#include "gateway/patients/index.hpp"

#include <filesystem>

namespace gateway::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::days self_made_lifetime{397};

Result<std::int64_t> port(const Arguments& arguments, const std::string& name, std::int64_t otherwise) {
  if (!arguments.has(name)) return otherwise;
  try {
    const auto number = std::stoll(arguments.text(name));
    if (number >= 0 && number <= 65535) return number;
  } catch (const std::exception&) {
  }
  return base::fail(ConfigErrc::OutOfRange, "--" + name + " must be a port number, 0 for a free one");
}

/// A credential given by files is copied in; otherwise one is made for a first start, to be replaced by the network's.
Result<void> place_credential(const fs::path& keys, const std::string& name, const Arguments& arguments,
                              const certs::CertificateAuthority& authority) {
  certs::Credential credential =
      arguments.has(name + "-certificate")
          ? TRY(load_credential(arguments.text(name + "-certificate"), arguments.text(name + "-key")))
          : authority.issue({.subject = {.common_name = "localhost",
                                         .organization = "Gatehouse " + name,
                                         .dns_names = {"localhost"},
                                         .ip_addresses = {"127.0.0.1"}},
                             .now = system_now(),
                             .lifetime = self_made_lifetime});
  std::string pem = credential.certificate.to_pem();
  for (const auto& one : credential.chain) pem += one.to_pem();
  TRY(write_file((keys / (name + ".pem")).string(), pem, false));
  return write_file((keys / (name + ".key")).string(), credential.key.to_pem(), true);
}

Result<Exit> init(const Arguments& arguments, Console& console) {
  const fs::path directory = fs::absolute(arguments.text("DIR"));
  const fs::path file = directory / "gatehouse.toml";
  if (fs::exists(file)) {
    return base::fail(ConfigErrc::NotReadable,
                      file.string() + " exists already; choose another directory or remove it");
  }
  std::error_code ignored;
  for (const char* part : {"keys", "trust", "audit"}) fs::create_directories(directory / part, ignored);
  fs::permissions(directory / "keys", fs::perms::owner_all, ignored);

  const auto authority = certs::CertificateAuthority::create(
      {.common_name = std::string(self_made_authority), .organization = "Gatehouse"}, system_now(), self_made_lifetime);
  TRY(place_credential(directory / "keys", "tls", arguments, authority));
  TRY(place_credential(directory / "keys", "signing", arguments, authority));
  TRY(write_file((directory / "keys/audit.key").string(), certs::PrivateKey::generate_p256().to_pem(), true));
  TRY(write_file((directory / "keys/content.key").string(), documents::ContentSeal::fresh_key(), true));

  Config config;
  const auto octets = certs::random_octets<4>();
  config.node =
      arguments.text("node", "node-" + base::hex({reinterpret_cast<const char*>(octets.data()), octets.size()}));
  config.database = arguments.text("database", config.database);
  config.network_address = arguments.text("network-address", config.network_address);
  config.network_port = TRY(port(arguments, "network-port", config.network_port));
  config.operator_port = TRY(port(arguments, "operator-port", config.operator_port));
  config.network_public_urls = arguments.list("public-url");
  if (config.network_public_urls.empty() && config.network_port != 0) {
    config.network_public_urls = {"https://localhost:" + std::to_string(config.network_port)};
  }
  TRY(write_file(file.string(), write_config(config), false));

  config = TRY(read_config(file.string()));
  TRY(store::Database::migrate(config.database));
  Arguments with_config;
  with_config.given_["config"] = {file.string()};
  House house = TRY(open_house(with_config));
  Fields shown;
  shown.text("config", file.string()).text("database", house.config.database).text("node", house.config.node);
  if (arguments.has("home")) {
    const std::string home = arguments.text("home");
    const auto clinics = TRY(patients::list_clinics(*house.database));
    if (clinics.empty()) {
      const auto purposes = policy::PurposeSet::parse(arguments.text("purposes", "treatment,payment,operations"));
      if (!purposes)
        return base::fail(ConfigErrc::OutOfRange, "--purposes must be all, none or a list like treatment,payment");
      const auto clinic = TRY(patients::add_clinic(*house.database,
                                                   {.home = home,
                                                    .name = arguments.text("name", "My clinic"),
                                                    .time_zone = arguments.text("time-zone", "UTC"),
                                                    .assigning_authority = arguments.text("assigning-authority", home),
                                                    .repository_id = arguments.text("repository", home + ".1"),
                                                    .purposes = *purposes},
                                                   "init", system_now()));
      shown.text("clinic", clinic.name).text("home", clinic.home.dotted()).text("purposes", clinic.defaults.words());
    }
  }
  audit::Event event;
  event.transaction = "init";
  event.outcome = audit::Outcome::Changed;
  TRY(write_down(house, std::move(event)));
  console.show(shown);
  console.say("Start it with: gatehouse serve --config " + file.string());
  return Exit::Done;
}

Result<Exit> migrate(const Arguments& arguments, Console& console) {
  const Config config = TRY(read_config(arguments.text("config")));
  const unsigned steps = TRY(store::Database::migrate(config.database));
  const auto database = TRY(store::Database::open(config.database));
  const auto patients = TRY(
      patients::bring_index_up_to_date(*database, [&](std::size_t done) { console.progress(done, 0); }));
  console.progress_end();
  const auto documents = TRY(
      documents::relabel_documents(*database, [&](std::size_t done) { console.progress(done, 0); }));
  console.progress_end();
  console.show(Fields()
                   .number("steps", steps)
                   .number("patients", static_cast<std::int64_t>(patients))
                   .number("documents", static_cast<std::int64_t>(documents)));
  return Exit::Done;
}

}  // namespace

std::vector<Command> house_commands() {
  return {
      {.path = "init",
       .help = "Make a data directory: configuration, database, keys, first clinic",
       .example = "init /var/lib/gatehouse --home 2.16.840.1.113883.3.1 --name \"Hill Valley Behavioral Health\" "
                  "--time-zone America/New_York",
       .options = {{"DIR", "The directory, made if it is missing", true},
                   {"--home", "Home community id (OID) of the first clinic"},
                   {"--name", "Its name"},
                   {"--time-zone", "Its time zone, e.g. America/New_York"},
                   {"--assigning-authority", "OID of its patient ids; the home id if not given"},
                   {"--repository", "OID of its document repository; home id + .1 if not given"},
                   {"--purposes", "Its default purposes: all, none or a list like treatment,payment"},
                   {"--database", "sqlite:FILE or postgresql://USER@HOST/NAME"},
                   {"--node", "This machine's name in the audit chain"},
                   {"--network-address", "Address for peers"},
                   {"--network-port", "Port for peers, 0 for a free one"},
                   {"--operator-port", "Port for health and metrics, 0 for a free one"},
                   {"--public-url", "An address peers know us by", false, true},
                   {"--tls-certificate", "TLS certificate and chain, PEM; self-made if not given"},
                   {"--tls-key", "Its key"},
                   {"--signing-certificate", "Signing certificate, PEM; self-made if not given"},
                   {"--signing-key", "Its key"}},
       .run = init,
       .needs_config = false},
      {.path = "db migrate",
       .help = "Bring the database to this program's schema",
       .example = "db migrate --config /var/lib/gatehouse/gatehouse.toml",
       .options = {},
       .run = migrate},
  };
}

}  // namespace gateway::cli
