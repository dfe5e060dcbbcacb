#pragma once
// The one configuration file: TOML, every key known and documented in one table, unknown keys refused with the nearest
// known name. What an administrator changes in daily work lives in the database, not here. [design §3]

#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace gateway::cli {

using base::Result;

enum class ConfigErrc { NotReadable = 1, NotToml, UnknownKey, WrongType, OutOfRange, Missing, TrialCertificate };
boost::system::error_code make_error_code(ConfigErrc) noexcept;

/// The configuration as read; paths are absolute. Member names are the keys with `_` for `.`.
struct Config {
  std::string file;              ///< where it was read from
  std::string node = "node-1";
  std::string database = "sqlite:gatehouse.db";
  std::string log_level = "info";
  std::string deployment = "trial";

  std::string network_address = "0.0.0.0";
  std::int64_t network_port = 8443;
  std::string network_certificate = "keys/tls.pem";
  std::string network_key = "keys/tls.key";
  std::vector<std::string> network_public_urls;
  std::int64_t network_threads = 0;
  std::int64_t network_connections = 2000;
  std::int64_t network_connections_per_address = 500;
  std::int64_t network_waiting_per_partner = 200;
  std::int64_t network_accepts_per_second_per_address = 500;
  std::int64_t network_message_mib = 35;

  std::string operator_address = "127.0.0.1";
  std::int64_t operator_port = 9464;

  std::string signing_certificate = "keys/signing.pem";
  std::string signing_key = "keys/signing.key";

  std::string pkcs11_module;
  std::string pkcs11_pin_file;

  std::vector<std::string> trust_anchors;
  std::vector<std::string> trust_anchors_hard;
  std::vector<std::string> trust_anchors_soft;
  std::vector<std::string> trust_intermediates;
  std::vector<std::string> trust_crls;
  std::string trust_revocation = "soft";
  std::string trust_fetch = "both";
  std::vector<std::string> trust_fetch_allow;
  std::int64_t trust_look_seconds = 30;
  std::string trust_expired_own = "refuse";

  std::string documents_key = "keys/content.key";

  std::string policy_supported = "all";
  std::vector<std::string> policy_other_codes;

  std::string audit_key = "keys/audit.key";
  std::string audit_witness = "audit/witness.jsonl";
  std::int64_t audit_refusals_per_minute = 600;
  std::string audit_syslog_address;
  std::string audit_syslog_server_name;
  std::vector<std::string> audit_syslog_trust;
  std::string audit_syslog_certificate;
  std::string audit_syslog_key;
  std::string audit_syslog_msgid = "IHE+RFC-3881";
  std::int64_t audit_syslog_spool = 100'000;

  std::int64_t answers_floor_us = 3000;
  std::int64_t answers_documents_per_retrieve = 20;

  std::int64_t partners_patients = 5000;
  std::int64_t partners_alike = 300;
  std::int64_t partners_window_minutes = 60;
  std::vector<std::string> callbacks_allow;
  std::int64_t callbacks_workers = 4;
  std::int64_t callbacks_pending_per_partner = 200;
  std::int64_t callbacks_delay_ms = 250;
  std::int64_t callbacks_attempts = 8;
  std::int64_t callbacks_retry_seconds = 10;
  std::int64_t callbacks_expire_seconds = 3600;
  std::int64_t callbacks_lease_seconds = 120;
};

/// Reads and checks a file. Secrets are named by file; `database` may be given by the environment variable
/// GATEHOUSE_DATABASE, so that a password need not stand in the file.
Result<Config> read_config(const std::string& file);

/// The text `gatehouse init` writes: every key with its documentation and the values of `config`.
std::string write_config(const Config& config);

/// The whole of a file. @param bytes_max  beyond it the file is refused
Result<std::string> read_file(const std::string& path, std::size_t bytes_max = 256u << 20);
/// Writes a file anew, mode 0600 for secrets. @error ConfigErrc::NotReadable
Result<void> write_file(const std::string& path, std::string_view bytes, bool secret);

}  // namespace gateway::cli

namespace boost::system {
template <>
struct is_error_code_enum<gateway::cli::ConfigErrc> : std::true_type {};
}  // namespace boost::system
