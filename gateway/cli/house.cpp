#include "gateway/cli/house.hpp"

#include "certs/pkcs11.hpp"
#include "gateway/directory/partners.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>

namespace gateway::cli {
namespace {

/// A key that others may read is not a secret. [threats L11]
Result<std::string> read_secret(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & 077) != 0) {
    return base::fail(ConfigErrc::OutOfRange, path + " may be read by others; make it private with: chmod 600 " + path);
  }
  return read_file(path, 1u << 20);
}

base::Error in_file(base::Error error, const std::string& path) {
  error.detail = path + (error.detail.empty() ? "" : " (" + error.detail + ")");
  return error;
}

template <class T>
Result<T> naming(Result<T> result, const std::string& path) {
  if (!result) return in_file(std::move(result).error(), path);
  return result;
}

/// Certificates that this program makes for trials have no place in production. [threats L11]
Result<void> refuse_trial(const Config& config, const certs::Certificate& certificate, const std::string& file) {
  if (config.deployment != "production") return {};
  for (const auto mark : {self_made_authority, demonstration}) {
    if (certificate.issuer().find(mark) == std::string::npos && certificate.subject().find(mark) == std::string::npos)
      continue;
    return base::fail(ConfigErrc::TrialCertificate,
                      file + " is for trials; put your network's certificate there, or set deployment to trial");
  }
  return {};
}

}  // namespace

Instant system_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

Result<House> open_house(const Arguments& arguments) {
  House house;
  house.config = TRY(read_config(arguments.text("config")));
  house.database = TRY(store::Database::open(house.config.database));
  if (!house.config.audit_syslog_address.empty()) {
    house.spool = std::make_unique<audit::Spool>(static_cast<std::uint64_t>(house.config.audit_syslog_spool));
  }
  return house;
}

Result<House> open_house_for_import(const Arguments& arguments) {
  House house;
  house.config = TRY(read_config(arguments.text("config")));
  std::string url = house.config.database;
  if (url.starts_with("sqlite:") && url.find('?') == std::string::npos) url += "?cache_size=-262144";
  house.database = TRY(store::Database::open(url));
  return house;
}

Result<policy::Clinic> clinic_meant(House& house, const Arguments& arguments) {
  return patients::find_clinic(*house.database, arguments.text("clinic"));
}

Result<certs::Credential> load_credential(const std::string& certificate_file, const std::string& key_file) {
  const std::string certificate = TRY(read_file(certificate_file, 1u << 20));
  const std::string key = TRY(read_secret(key_file));
  return naming(certs::read_credential_pem(certificate, key), certificate_file + " with " + key_file);
}

Result<certs::PrivateKey> load_key(const Config& config, const std::string& key) {
  if (!certs::is_token_uri(key)) return naming(certs::PrivateKey::from_pem(TRY(read_secret(key))), key);
  std::string pin;
  if (const char* given = std::getenv("GATEHOUSE_PKCS11_PIN"); given && *given) {
    pin = given;
  } else if (!config.pkcs11_pin_file.empty()) {
    pin = TRY(read_secret(config.pkcs11_pin_file));
    while (pin.ends_with('\n') || pin.ends_with('\r')) pin.pop_back();
  }
  return certs::open_token_key({.uri = key, .module = config.pkcs11_module, .pin = std::move(pin)});
}

Result<certs::Credential> load_credential(const Config& config, const std::string& certificate_file,
                                          const std::string& key) {
  auto held = TRY(load_key(config, key));
  const std::string pem = TRY(read_file(certificate_file, 1u << 20));
  return naming(certs::make_credential(std::move(held), pem), certificate_file + " with " + key);
}

Result<std::optional<documents::ContentSeal>> load_content_seal(const Config& config) {
  const auto& file = config.documents_key;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::optional<documents::ContentSeal>();
  return std::optional(TRY(naming(documents::ContentSeal::read(TRY(read_secret(file))), file)));
}

Result<OwnCredentials> load_own_credentials(const Config& config) {
  auto tls = TRY(load_credential(config, config.network_certificate, config.network_key));
  TRY(refuse_trial(config, tls.certificate, config.network_certificate));
  auto signing = TRY(load_credential(config, config.signing_certificate, config.signing_key));
  TRY(refuse_trial(config, signing.certificate, config.signing_certificate));
  return OwnCredentials{std::move(tls), std::move(signing)};
}

Result<certs::TrustEvidence> load_evidence(const Config& config) {
  certs::TrustEvidence evidence;
  const auto add = [&](const std::vector<std::string>& files, std::vector<certs::Certificate>& to) -> Result<void> {
    for (const auto& file : files) {
      auto certificates = TRY(naming(certs::read_trust_bundle(TRY(read_file(file))), file));
      for (const auto& certificate : certificates) TRY(refuse_trial(config, certificate, file));
      to.insert(to.end(), certificates.begin(), certificates.end());
    }
    return {};
  };
  TRY(add(config.trust_anchors, evidence.anchors));
  TRY(add(config.trust_intermediates, evidence.intermediates));
  for (const auto& [files, policy] : {std::pair{&config.trust_anchors_hard, certs::RevocationPolicy::Hard},
                                      {&config.trust_anchors_soft, certs::RevocationPolicy::Soft}}) {
    std::vector<certs::Certificate> anchors;
    TRY(add(*files, anchors));
    for (auto& anchor : anchors) evidence.anchors_with_policy.emplace_back(std::move(anchor), policy);
  }
  for (const auto& file : config.trust_crls) {
    auto lists = TRY(naming(certs::read_crls(TRY(read_file(file))), file));
    evidence.crls.insert(evidence.crls.end(), lists.begin(), lists.end());
  }
  evidence.revocation =
      config.trust_revocation == "hard" ? certs::RevocationPolicy::Hard : certs::RevocationPolicy::Soft;
  return evidence;
}

Result<std::vector<certs::Dated>> load_dated(const OwnCredentials& own, const certs::TrustEvidence& evidence,
                                             store::Database& database) {
  std::vector<certs::Dated> dated{{"tls", own.tls.certificate}, {"signing", own.signing.certificate}};
  for (const auto& anchor : evidence.anchors) dated.push_back({"anchor", anchor});
  for (const auto& [anchor, policy] : evidence.anchors_with_policy) dated.push_back({"anchor", anchor});
  for (const auto& intermediate : evidence.intermediates) dated.push_back({"intermediate", intermediate});
  for (auto& pin : TRY(directory::list_pins(database))) dated.push_back({"partner", std::move(pin)});
  return dated;
}

Result<net::AllowedNetworks> load_networks(std::string_view key, const std::vector<std::string>& texts) {
  auto networks = net::AllowedNetworks::read(texts);
  if (!networks)
    return base::fail(ConfigErrc::OutOfRange,
                      std::string(key) + ": write each network as an address or as 10.1.0.0/16");
  return networks;
}

Result<policy::Rules> load_rules(const Config& config) {
  const auto shipped = policy::shipped_purpose_codes();
  policy::Rules rules{.purpose_codes = {shipped.begin(), shipped.end()}};
  for (const std::string& pair : config.policy_other_codes) {
    const auto bar = pair.find('|');
    if (bar == std::string::npos || bar == 0 || bar + 1 == pair.size()) {
      return base::fail(ConfigErrc::OutOfRange, "policy.other_codes: write each code as \"SYSTEM|CODE\", not " + pair);
    }
    rules.purpose_codes.push_back({pair.substr(0, bar), pair.substr(bar + 1), policy::Purpose::OtherAuthorization});
  }
  const auto supported = policy::PurposeSet::parse(config.policy_supported);
  if (!supported) {
    return base::fail(ConfigErrc::OutOfRange,
                      "policy.supported must be all, none or a list like treatment,payment,public-health");
  }
  rules.supported = *supported;
  std::string text = rules.supported.words();
  for (const auto& row : rules.purpose_codes)
    text += "\n" + row.system + "|" + row.code + "|" + std::string(word(row.purpose));
  rules.version = base::hex(certs::sha256(text)).substr(0, 16);
  return rules;
}

Result<std::optional<Instant>> instant_given(const Arguments& arguments, const std::string& name) {
  if (!arguments.has(name)) return std::optional<Instant>{};
  std::string text = arguments.text(name);
  if (text.size() == 10) text += "T00:00:00Z";
  const auto at = base::read_date_time(text);
  if (!at) return base::fail(ConfigErrc::OutOfRange, "--" + name + " must be like 2026-11-21 or 2026-11-21T19:30:00Z");
  return std::optional(*at);
}

std::string system_user() {
  const auto* user = ::getpwuid(::getuid());
  return user ? user->pw_name : "uid " + std::to_string(::getuid());
}

Result<net::SyslogDestination> load_syslog(const Config& config) {
  net::SyslogDestination to;
  const std::string& address = config.audit_syslog_address;
  const auto colon = std::min(address.rfind(':'), address.size());
  to.host = address.substr(0, colon);
  if (to.host.starts_with('[') && to.host.ends_with(']')) to.host = to.host.substr(1, to.host.size() - 2);
  const auto port = address.substr(std::min(colon + 1, address.size()));
  const auto [end, wrong] = std::from_chars(port.data(), port.data() + port.size(), to.port);
  if (to.host.empty() || wrong != std::errc{} || end != port.data() + port.size() || to.port == 0) {
    return base::fail(ConfigErrc::OutOfRange, "audit.syslog.address must be like audit.example.org:6514");
  }
  to.server_name = config.audit_syslog_server_name.empty() ? to.host : config.audit_syslog_server_name;
  const bool own = !config.audit_syslog_certificate.empty();
  to.credential = TRY(load_credential(config, own ? config.audit_syslog_certificate : config.network_certificate,
                                      own ? config.audit_syslog_key : config.network_key));
  certs::TrustEvidence evidence;
  for (const auto& file : config.audit_syslog_trust) {
    for (auto& certificate : TRY(naming(certs::read_trust_bundle(TRY(read_file(file))), file))) {
      evidence.anchors.push_back(certificate);
      evidence.pinned.push_back(std::move(certificate));
    }
  }
  if (evidence.anchors.empty()) {
    return base::fail(ConfigErrc::Missing, "audit.syslog.trust must name who vouches for the audit repository");
  }
  to.trust = std::make_shared<certs::TrustStore>(std::move(evidence));
  return to;
}

Result<void> write_down(House& house, audit::Event event, audit::Change change) {
  const auto octets = certs::random_octets<16>();
  event.request = base::hex({reinterpret_cast<const char*>(octets.data()), octets.size()});
  event.at = system_now();
  event.process = std::to_string(::getpid());
  auto key = TRY(load_key(house.config, house.config.audit_key));
  auto journal = TRY(audit::Journal::open(*house.database, {.node = house.config.node + ".commands",
                                                            .key = std::move(key),
                                                            .witness_file = house.config.audit_witness,
                                                            .spool = house.spool.get()}));
  TRY(journal->commit_and_wait({.event = std::move(event), .change = std::move(change)}));
  return {};
}

}  // namespace gateway::cli
