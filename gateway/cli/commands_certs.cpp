// certs: keys and certificates for demonstrations, requests for real ones, and a look at any.

#include "certs/authority.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/cli/house.hpp"

#include <filesystem>

namespace gateway::cli {
namespace {

Result<std::int64_t> days(const Arguments& arguments, std::int64_t otherwise) {
  if (!arguments.has("days")) return otherwise;
  try {
    const auto number = std::stoll(arguments.text("days"));
    if (number > 0 && number <= 36500) return number;
  } catch (const std::exception&) {
  }
  return base::fail(ConfigErrc::OutOfRange, "--days must be between 1 and 36500");
}

Fields describe(const certs::Certificate& certificate, Instant now) {
  const auto left = certs::days_left(certificate, now);
  Fields fields;
  fields.text("subject", certificate.subject())
      .text("issuer", certificate.issuer())
      .text("serial", certificate.serial())
      .time("not_before", certificate.not_before())
      .time("not_after", certificate.not_after())
      .number("days_left", left)
      .list("dns_names", certificate.dns_names())
      .text("sha256", base::hex(certificate.sha256()))
      .text("key_sha256", base::hex(certificate.public_key().spki_sha256()))
      .flag("weak_key", certificate.has_weak_key());
  return fields;
}

Result<Exit> init_demo_ca(const Arguments& arguments, Console& console) {
  const std::filesystem::path directory = arguments.text("DIR");
  std::error_code ignored;
  std::filesystem::create_directories(directory, ignored);
  if (std::filesystem::exists(directory / "ca.key")) {
    return base::fail(ConfigErrc::NotReadable, (directory / "ca.key").string() + " exists already");
  }
  const auto authority = certs::CertificateAuthority::create(
      {.common_name = arguments.text("name", "Gatehouse Demo CA"), .organization = std::string(demonstration)},
      system_now(), std::chrono::days(TRY(days(arguments, 3650))));
  TRY(write_file((directory / "ca.pem").string(), authority.credential().certificate.to_pem(), false));
  TRY(write_file((directory / "ca.key").string(), authority.credential().key.to_pem(), true));
  console.show(describe(authority.credential().certificate, system_now()));
  console.say("Never use a demonstration authority for real patients.");
  return Exit::Done;
}

Result<Exit> issue(const Arguments& arguments, Console& console) {
  const std::filesystem::path ca = arguments.text("ca");
  const auto authority =
      TRY(certs::CertificateAuthority::open(TRY(load_credential((ca / "ca.pem").string(), (ca / "ca.key").string()))));
  const auto lifetime = std::chrono::days(TRY(days(arguments, 365)));
  const auto credential = authority.issue({.subject = {.common_name = arguments.text("name"),
                                                       .organization = arguments.text("organization"),
                                                       .organizational_unit = arguments.text("unit"),
                                                       .dns_names = arguments.list("dns"),
                                                       .ip_addresses = arguments.list("ip")},
                                           .now = system_now(),
                                           .lifetime = lifetime,
                                           .key = arguments.has("p256") ? certs::KeyKind::Ec : certs::KeyKind::Rsa});
  const std::string out = arguments.text("out");
  std::string pem = credential.certificate.to_pem();
  for (const auto& one : credential.chain) pem += one.to_pem();
  TRY(write_file(out + ".pem", pem, false));
  TRY(write_file(out + ".key", credential.key.to_pem(), true));
  console.show(describe(credential.certificate, system_now()));
  return Exit::Done;
}

Result<Exit> csr(const Arguments& arguments, Console& console) {
  const std::string out = arguments.text("out");
  const auto key = arguments.has("p256") ? certs::PrivateKey::generate_p256() : certs::PrivateKey::generate_rsa(2048);
  const auto request = certs::write_csr(key, {.common_name = arguments.text("name"),
                                              .organization = arguments.text("organization"),
                                              .organizational_unit = arguments.text("unit"),
                                              .dns_names = arguments.list("dns")});
  TRY(write_file(out + ".csr", request, false));
  TRY(write_file(out + ".key", key.to_pem(), true));
  console.say("Send " + out + ".csr to your network's authority; keep " + out + ".key here.");
  console.show(Fields().text("request", out + ".csr").text("key", out + ".key"));
  return Exit::Done;
}

Result<Exit> inspect(const Arguments& arguments, Console& console) {
  std::vector<Fields> rows;
  for (const auto& certificate : TRY(certs::read_trust_bundle(TRY(read_file(arguments.text("FILE")))))) {
    rows.push_back(describe(certificate, system_now()));
  }
  if (console.json()) {
    console.show("certificates", rows);
  } else {
    for (const auto& row : rows) console.show(row);
  }
  return Exit::Done;
}

/// Whatever ends, and when: exit 1 where something has ended, is not valid yet, or ends within --days.
Result<Exit> check(const Arguments& arguments, Console& console) {
  const auto soon = TRY(days(arguments, 7));
  House house = TRY(open_house(arguments));
  const Instant now = system_now();
  const auto own = TRY(load_own_credentials(house.config));
  const auto evidence = TRY(load_evidence(house.config));
  std::vector<Fields> rows;
  bool sound = true;
  for (const auto& [role, certificate] : TRY(load_dated(own, evidence, *house.database))) {
    const auto left = certs::days_left(certificate, now);
    const char* state = left < 0                         ? "expired"
                        : now < certificate.not_before() ? "not yet valid"
                        : left < soon                    ? "ends soon"
                                                         : "ok";
    sound = sound && std::string_view(state) == "ok";
    rows.push_back(Fields()
                       .text("role", role)
                       .text("subject", certificate.subject())
                       .time("not_after", certificate.not_after())
                       .number("days_left", left)
                       .text("state", state));
  }
  console.show("certificates", rows);
  return sound ? Exit::Done : Exit::Refused;
}

/// Makes one bundle of many certificate files.
Result<Exit> bundle(const Arguments& arguments, Console& console) {
  std::vector<certs::Certificate> all;
  for (const auto& file : arguments.list("FILE")) {
    for (auto& certificate : TRY(certs::read_trust_bundle(TRY(read_file(file))))) all.push_back(std::move(certificate));
  }
  TRY(write_file(arguments.text("out"), certs::write_trust_bundle(all), false));
  console.show(
      Fields().text("bundle", arguments.text("out")).number("certificates", static_cast<std::int64_t>(all.size())));
  return Exit::Done;
}

}  // namespace

std::vector<Command> certs_commands() {
  const Option name{"--name", "Common name", true}, organization{"--organization", "Organization"},
      unit{"--unit", "Organizational unit"}, dns{"--dns", "DNS name", false, true},
      out{"--out", "Path without ending: writes OUT.pem and OUT.key", true},
      p256{"--p256", "An elliptic curve key instead of RSA-2048", false, false, true},
      validity{"--days", "Days of validity"};
  return {
      {.path = "certs init-demo-ca",
       .help = "Make a certificate authority for demonstrations",
       .example = "certs init-demo-ca demo/ca",
       .options = {{"DIR", "Where ca.pem and ca.key go", true}, {"--name", "Its name"}, validity},
       .run = init_demo_ca,
       .needs_config = false},
      {.path = "certs issue",
       .help = "Issue a key and certificate from a demonstration authority",
       .example = "certs issue --ca demo/ca --name hospital.example.org --organization Hospital --dns localhost --out "
                  "demo/hospital",
       .options = {{"--ca", "Directory of the authority", true},
                   name,
                   organization,
                   unit,
                   dns,
                   {"--ip", "IP address", false, true},
                   out,
                   p256,
                   validity},
       .run = issue,
       .needs_config = false},
      {.path = "certs csr",
       .help = "Make a key and a request for your network's authority",
       .example = "certs csr --name gateway.example.org --organization \"Hill Valley\" --dns gateway.example.org --out "
                  "gateway",
       .options = {name, organization, unit, dns, out, p256},
       .run = csr,
       .needs_config = false},
      {.path = "certs inspect",
       .help = "Show the certificates of a file",
       .example = "certs inspect keys/tls.pem",
       .options = {{"FILE", "PEM, DER or PKCS#7", true}},
       .run = inspect,
       .needs_config = false},
      {.path = "certs check",
       .help = "Report when own, partners' and authorities' certificates end; exit 1 if one has or will within --days",
       .example = "certs check --days 30 --config /var/lib/gatehouse/gatehouse.toml",
       .options = {{"--days", "What counts as soon; 7 if not given"}},
       .run = check},
      {.path = "certs bundle",
       .help = "Make one trust bundle of many certificates",
       .example = "certs bundle ca1.pem ca2.pem --out trust/anchors.pem",
       .options = {{"FILE", "Certificates", true, true}, {"--out", "The bundle", true}},
       .run = bundle,
       .needs_config = false},
  };
}

}  // namespace gateway::cli
