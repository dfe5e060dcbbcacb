#include "gateway/cli/house.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>

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

Result<policy::Clinic> clinic_meant(House& house, const Arguments& arguments) {
  return patients::find_clinic(*house.database, arguments.text("clinic"));
}

Result<certs::Credential> load_credential(const std::string& certificate_file, const std::string& key_file) {
  const std::string certificate = TRY(read_file(certificate_file, 1u << 20));
  const std::string key = TRY(read_secret(key_file));
  return naming(certs::read_credential_pem(certificate, key), certificate_file + " with " + key_file);
}

Result<certs::PrivateKey> load_key(const std::string& key_file) {
  return naming(certs::PrivateKey::from_pem(TRY(read_secret(key_file))), key_file);
}

Result<certs::TrustEvidence> load_evidence(const Config& config) {
  certs::TrustEvidence evidence;
  const auto add = [](const std::vector<std::string>& files, std::vector<certs::Certificate>& to) -> Result<void> {
    for (const auto& file : files) {
      auto certificates = TRY(naming(certs::read_trust_bundle(TRY(read_file(file))), file));
      to.insert(to.end(), certificates.begin(), certificates.end());
    }
    return {};
  };
  TRY(add(config.trust_anchors, evidence.anchors));
  TRY(add(config.trust_intermediates, evidence.intermediates));
  for (const auto& file : config.trust_crls) {
    auto lists = TRY(naming(certs::read_crls(TRY(read_file(file))), file));
    evidence.crls.insert(evidence.crls.end(), lists.begin(), lists.end());
  }
  evidence.revocation =
      config.trust_revocation == "hard" ? certs::RevocationPolicy::Hard : certs::RevocationPolicy::Soft;
  return evidence;
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
  to.credential = TRY(load_credential(own ? config.audit_syslog_certificate : config.network_certificate,
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
  auto key = TRY(load_key(house.config.audit_key));
  auto journal = TRY(audit::Journal::open(*house.database, {.node = house.config.node + ".commands",
                                                            .key = std::move(key),
                                                            .witness_file = house.config.audit_witness,
                                                            .spool = house.spool.get()}));
  TRY(journal->commit_and_wait({.event = std::move(event), .change = std::move(change)}));
  return {};
}

}  // namespace gateway::cli
