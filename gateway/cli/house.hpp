#pragma once
// What commands stand on: the configuration, the database, the keys and bundles it names.

#include "certs/expiry.hpp"
#include "certs/trust.hpp"
#include "gateway/audit/journal.hpp"
#include "gateway/cli/command.hpp"
#include "gateway/cli/config.hpp"
#include "gateway/documents/seal.hpp"
#include "gateway/net/fetch_rules.hpp"
#include "gateway/net/syslog_client.hpp"
#include "gateway/patients/clinics.hpp"
#include "gateway/store/database.hpp"
#include "policy/release.hpp"

namespace gateway::cli {

using base::Instant;

struct House {
  Config config;
  std::unique_ptr<store::Database> database;
  std::unique_ptr<audit::Spool> spool;  ///< where an audit repository is configured
};

Instant system_now();

/// Reads the configuration and opens its database.
Result<House> open_house(const Arguments& arguments);
/// The same for an import of many rows: SQLite keeps their pages in memory until they are written once.
Result<House> open_house_for_import(const Arguments& arguments);
/// The clinic named by --clinic, or the only one.
Result<policy::Clinic> clinic_meant(House& house, const Arguments& arguments);

/// Key and certificate of a pair of files. @error refused where the key file may be read by others (L11)
Result<certs::Credential> load_credential(const std::string& certificate_file, const std::string& key_file);
/// A private key alone; the same rule. @param key  a file, or the URI of a key in the configured token
Result<certs::PrivateKey> load_key(const Config& config, const std::string& key);
/// A certificate file with its key, which may be in a token.
Result<certs::Credential> load_credential(const Config& config, const std::string& certificate_file,
                                          const std::string& key);
/// What content is sealed with; none where there is no such file. @error as load_key; store::Errc::Unreadable
Result<std::optional<documents::ContentSeal>> load_content_seal(const Config& config);
/// What this gateway shows of itself.
struct OwnCredentials {
  certs::Credential tls, signing;
};
/// @error as load_credential and load_key; ConfigErrc::TrialCertificate
Result<OwnCredentials> load_own_credentials(const Config& config);
/// Anchors, intermediates and revocation lists of the configured files. @error also ConfigErrc::TrialCertificate
Result<certs::TrustEvidence> load_evidence(const Config& config);
/// The networks a key of the configuration names. @error ConfigErrc::OutOfRange
Result<net::AllowedNetworks> load_networks(std::string_view key, const std::vector<std::string>& texts);

/// Every certificate whose end matters, by role: tls, signing, anchor, intermediate, and the pinned ones of partners.
Result<std::vector<certs::Dated>> load_dated(const OwnCredentials& own, const certs::TrustEvidence& evidence,
                                             store::Database& database);

/// Names by which the certificates are known that this program makes itself: not for real patients.
inline constexpr std::string_view self_made_authority = "Gatehouse self-made authority",
                                  demonstration = "Gatehouse Demonstration";
/// The purposes this deployment answers and the codes that name them.
Result<policy::Rules> load_rules(const Config& config);

/// A day or an instant that an option gives; nothing where it was not given. @error ConfigErrc::OutOfRange
Result<std::optional<Instant>> instant_given(const Arguments& arguments, const std::string& name);
/// Who runs this process, by the operating system: for events of commands.
std::string system_user();
/// The audit repository of the configuration, to connect to.
Result<net::SyslogDestination> load_syslog(const Config& config);

/// Writes one event of a command into the audit chain, under this node's name for commands, in one commit with the
/// change it tells of: what cannot be written down is not done. @error that of the change too
Result<void> write_down(House& house, audit::Event event, audit::Change change = {});

}  // namespace gateway::cli
