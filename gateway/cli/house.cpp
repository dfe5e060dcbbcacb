#include "gateway/cli/house.hpp"

#include <sys/stat.h>

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

Result<void> write_down(House& house, audit::Event event, audit::Change change) {
  const auto octets = certs::random_octets<16>();
  event.request = base::hex({reinterpret_cast<const char*>(octets.data()), octets.size()});
  event.at = system_now();
  auto key = TRY(load_key(house.config.audit_key));
  auto journal = TRY(audit::Journal::open(*house.database, {.node = house.config.node + ".commands",
                                                            .key = std::move(key),
                                                            .witness_file = house.config.audit_witness}));
  TRY(journal->commit_and_wait({.event = std::move(event), .change = std::move(change)}));
  return {};
}

}  // namespace gateway::cli
