#pragma once
// What commands stand on: the configuration, the database, the keys and bundles it names.

#include "certs/trust.hpp"
#include "gateway/audit/journal.hpp"
#include "gateway/cli/command.hpp"
#include "gateway/cli/config.hpp"
#include "gateway/net/fetch_rules.hpp"
#include "gateway/patients/clinics.hpp"
#include "gateway/store/database.hpp"
#include "policy/release.hpp"

namespace gateway::cli {

using base::Instant;

struct House {
  Config config;
  std::unique_ptr<store::Database> database;
};

Instant system_now();

/// Reads the configuration and opens its database.
Result<House> open_house(const Arguments& arguments);
/// The clinic named by --clinic, or the only one.
Result<policy::Clinic> clinic_meant(House& house, const Arguments& arguments);

/// Key and certificate of a pair of files. @error refused where the key file may be read by others (L11)
Result<certs::Credential> load_credential(const std::string& certificate_file, const std::string& key_file);
/// A private key alone; the same rule.
Result<certs::PrivateKey> load_key(const std::string& key_file);
/// Anchors, intermediates and revocation lists of the configured files.
Result<certs::TrustEvidence> load_evidence(const Config& config);
/// The networks a key of the configuration names. @error ConfigErrc::OutOfRange
Result<net::AllowedNetworks> load_networks(std::string_view key, const std::vector<std::string>& texts);
/// The purposes this deployment answers and the codes that name them.
Result<policy::Rules> load_rules(const Config& config);

/// Writes one event of a command into the audit chain, under this node's name for commands, in one commit with the
/// change it tells of: what cannot be written down is not done. @error that of the change too
Result<void> write_down(House& house, audit::Event event, audit::Change change = {});

}  // namespace gateway::cli
