#include "gateway/cli/config.hpp"

#include "base/error_table.hpp"
#include "certs/pkcs11.hpp"

#include <toml++/toml.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <variant>

namespace gateway::cli {
namespace {

using base::Cause;

constexpr base::ErrorRow rows[] = {
    {int(ConfigErrc::NotReadable), "file-not-readable", "the file cannot be read or written", Cause::Defect},
    {int(ConfigErrc::NotToml), "config-not-toml", "the configuration is not TOML", Cause::BadMessage},
    {int(ConfigErrc::UnknownKey), "config-unknown-key", "the configuration has a key that does not exist",
     Cause::BadMessage},
    {int(ConfigErrc::WrongType), "config-wrong-type", "a configuration value is of the wrong type", Cause::BadMessage},
    {int(ConfigErrc::OutOfRange), "config-out-of-range", "a configuration value is out of range", Cause::BadMessage},
    {int(ConfigErrc::TrialCertificate), "config-trial-certificate",
     "a certificate for trials is configured in production", Cause::BadMessage},
    {int(ConfigErrc::Missing), "config-missing", "the configuration lacks a value", Cause::BadMessage},
};
constexpr base::ErrorTable table("gateway.config", rows);

using Text = std::string Config::*;
using Number = std::int64_t Config::*;
using Texts = std::vector<std::string> Config::*;

/// One key: where it stands, what it may be, and what the file says about it.
struct Key {
  std::string_view path;
  std::variant<Text, Number, Texts> member;
  std::string_view documentation;
  std::int64_t least = 0, most = 0;          ///< for numbers
  std::vector<std::string_view> words = {};  ///< for texts with a closed list
  bool is_path = false;                      ///< relative to the configuration file
};

const std::vector<Key>& keys() {
  static const std::vector<Key> all{
      {"node", &Config::node, "This machine's name in the audit chain. Never the same on two machines."},
      {"database", &Config::database,
       "sqlite:FILE (relative to this file) or postgresql://USER@HOST/NAME.\n"
       "The environment variable GATEHOUSE_DATABASE wins, for a URL with a password."},
      {"log_level", &Config::log_level, "debug, info, warning or error.", 0, 0, {"debug", "info", "warning", "error"}},
      {"deployment",
       &Config::deployment,
       "trial, or production: then the start is refused with self-made or demonstration certificates.",
       0,
       0,
       {"trial", "production"}},
      {"network.address", &Config::network_address, "Where peers reach this gateway over mutual TLS."},
      {"network.port", &Config::network_port, "0 takes a free port.", 0, 65535},
      {"network.certificate", &Config::network_certificate, "Our TLS certificate and its chain, PEM.", 0, 0, {}, true},
      {"network.key", &Config::network_key, "Its private key, PEM; readable by its owner only.", 0, 0, {}, true},
      {"network.public_urls", &Config::network_public_urls,
       "The addresses peers know us by, e.g. \"https://gateway.example.org:8443\":\n"
       "what a token's Audience may name. Paths below them count as ours."},
      {"network.threads", &Config::network_threads, "Threads that answer; 0 means one for each core.", 0, 256},
      {"network.connections", &Config::network_connections, "Open connections at most.", 1, 100000},
      {"network.connections_per_address", &Config::network_connections_per_address, "The same for one address.", 1,
       100000},
      {"network.waiting_per_partner", &Config::network_waiting_per_partner,
       "Requests of one partner that may wait for their turn, on each thread; one more is told to come back.", 1,
       100000},
      {"network.accepts_per_second_per_address", &Config::network_accepts_per_second_per_address,
       "New connections of one address in one second; further ones are turned away.", 1, 100000},
      {"network.message_mib", &Config::network_message_mib, "The largest message taken, in MiB.", 1, 1024},
      {"operator.address", &Config::operator_address,
       "Health and metrics, plain HTTP: keep it on this machine or a closed network."},
      {"operator.port", &Config::operator_port, "0 takes a free port.", 0, 65535},
      {"signing.certificate",
       &Config::signing_certificate,
       "What answers are signed with: certificate, PEM.",
       0,
       0,
       {},
       true},
      {"signing.key", &Config::signing_key, "Its private key, PEM; readable by its owner only.", 0, 0, {}, true},
      {"pkcs11.module",
       &Config::pkcs11_module,
       "The library of a token (HSM). Then any key above or below may be \"pkcs11:token=NAME;object=NAME\"\n"
       "in place of a file.",
       0,
       0,
       {},
       true},
      {"pkcs11.pin_file",
       &Config::pkcs11_pin_file,
       "The token's PIN; readable by its owner only. The environment variable GATEHOUSE_PKCS11_PIN wins.",
       0,
       0,
       {},
       true},
      {"trust.anchors",
       &Config::trust_anchors,
       "Bundles of the authorities whose certificates we believe, PEM or PKCS#7.",
       0,
       0,
       {},
       true},
      {"trust.anchors_hard",
       &Config::trust_anchors_hard,
       "Further bundles, of networks judged by hard whatever trust.revocation says.",
       0,
       0,
       {},
       true},
      {"trust.anchors_soft",
       &Config::trust_anchors_soft,
       "The same for soft.",
       0,
       0,
       {},
       true},
      {"trust.intermediates",
       &Config::trust_intermediates,
       "Intermediate certificates peers forget to send.",
       0,
       0,
       {},
       true},
      {"trust.crls", &Config::trust_crls, "Revocation lists, PEM or DER.", 0, 0, {}, true},
      {"trust.revocation",
       &Config::trust_revocation,
       "soft: a certificate without usable evidence that it is not revoked is believed, noted in the audit trail,\n"
       "and after 24 hours an alarm; hard: it is not believed.",
       0,
       0,
       {"soft", "hard"}},
      {"trust.fetch",
       &Config::trust_fetch,
       "What is fetched from where certificates of trusted authorities say: crl, ocsp, both or off.",
       0,
       0,
       {"both", "crl", "ocsp", "off"}},
      {"trust.fetch_allow", &Config::trust_fetch_allow,
       "Networks that may be fetched from although they are not public, e.g. \"10.1.0.0/16\"."},
      {"trust.look_seconds", &Config::trust_look_seconds,
       "How often connections of withdrawn partners are ended and the ends of certificates looked at.", 1, 60},
      {"trust.expired_own",
       &Config::trust_expired_own,
       "When our own certificate has expired, refuse: nobody is answered; serve: as if nothing were.",
       0,
       0,
       {"refuse", "serve"}},
      {"documents.key",
       &Config::documents_key,
       "Seals the content of documents that are filed, 64 hexadecimal digits; readable by its owner only. Give every\n"
       "node the same file, e.g. made by `openssl rand -hex 32`. Content that is not sealed under it is proved by its\n"
       "SHA-256 each time it is sent, which takes five times as long.",
       0,
       0,
       {},
       true},
      {"policy.supported", &Config::policy_supported,
       "Purposes this deployment answers at all: all, or a list like treatment,payment.\n"
       "What a clinic permits among them is set with `gatehouse settings set purposes=…`."},
      {"policy.other_codes", &Config::policy_other_codes,
       "Codes that mean Other Authorization-Based Disclosures, each as \"SYSTEM|CODE\"."},
      {"audit.key",
       &Config::audit_key,
       "Signs the audit chain of this node; readable by its owner only.",
       0,
       0,
       {},
       true},
      {"audit.witness",
       &Config::audit_witness,
       "Signed heads of the chain, one line a commit. Keep a copy on another machine:\n"
       "`gatehouse audit verify --witness FILE` then finds edits, truncation and restored old copies.",
       0,
       0,
       {},
       true},
      {"audit.refusals_per_minute", &Config::audit_refusals_per_minute,
       "Refusals written one by one per source and minute; further ones are counted.", 1, 1000000},
      {"audit.syslog.address", &Config::audit_syslog_address,
       "The audit repository (ATNA, ITI-20) as \"HOST:PORT\", syslog over TLS, usually port 6514; empty for none.\n"
       "Messages wait in the database until it takes them, at least once and in order. They may be 100 KiB long:\n"
       "rsyslog needs maxMessageSize for that."},
      {"audit.syslog.server_name", &Config::audit_syslog_server_name,
       "The name or address in its certificate; HOST if empty."},
      {"audit.syslog.trust",
       &Config::audit_syslog_trust,
       "Bundles of the authorities, or its certificate itself, that its certificate is believed by.",
       0,
       0,
       {},
       true},
      {"audit.syslog.certificate",
       &Config::audit_syslog_certificate,
       "The certificate we show it, PEM; that of [network] if empty.",
       0,
       0,
       {},
       true},
      {"audit.syslog.key",
       &Config::audit_syslog_key,
       "Its private key, PEM; readable by its owner only.",
       0,
       0,
       {},
       true},
      {"audit.syslog.msgid", &Config::audit_syslog_msgid,
       "MSGID of the messages: IHE+RFC-3881 as ITI-20 says, or e.g. DICOM+RFC3881."},
      {"audit.syslog.spool", &Config::audit_syslog_spool,
       "Messages that may wait for it. At four fifths there is an alarm; at the limit nothing is disclosed any more.",
       10, 10000000},
      {"answers.floor_us", &Config::answers_floor_us,
       "Negative answers leave no earlier than this after their request, in microseconds;\n"
       "raised by itself to the recent 99th percentile of full answers.",
       0, 10000000},
      {"answers.documents_per_retrieve", &Config::answers_documents_per_retrieve,
       "Documents given in one ITI-39 answer at most.", 1, 1000},
      {"partners.patients", &Config::partners_patients,
       "Different patients that one implementer may ask for (ITI-55) within the window, on this machine.\n"
       "Beyond it the answer is ResponderBusy, and the audit trail has an enumeration-alarm.",
       1, 1000000},
      {"partners.alike", &Config::partners_alike,
       "The same for one family name, and for queries by number alone.", 1, 1000000},
      {"partners.window_minutes", &Config::partners_window_minutes, "How long a query counts.", 1, 1440},
      {"callbacks.allow", &Config::callbacks_allow,
       "Asynchronous answers go to addresses that the directory lists for the one who asks, and of those to\n"
       "public ones only. Networks here may be called although they are not public, e.g. \"10.1.0.0/16\"."},
      {"callbacks.workers", &Config::callbacks_workers,
       "Answers called at the same time, half of them at most to one partner.", 1, 64},
      {"callbacks.pending_per_partner", &Config::callbacks_pending_per_partner,
       "Requests of one partner that may wait for a call-back; further ones are told to try later.", 0, 100000},
      {"callbacks.delay_ms", &Config::callbacks_delay_ms,
       "No answer is called earlier after its request, whatever it says, in milliseconds.", 0, 60000},
      {"callbacks.attempts", &Config::callbacks_attempts, "How often one answer is tried at most.", 1, 100},
      {"callbacks.retry_seconds", &Config::callbacks_retry_seconds,
       "Pause after the first attempt that failed; doubled by each further one.", 1, 86400},
      {"callbacks.expire_seconds", &Config::callbacks_expire_seconds,
       "An answer that was not taken so long after its request is given up.", 1, 604800},
      {"callbacks.lease_seconds", &Config::callbacks_lease_seconds,
       "How long one attempt belongs to one worker: after a crash another takes it when this has passed.\n"
       "A call ends within half of it.", 4, 3600},
  };
  return all;
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

base::Error unknown_key(const std::string& path) {
  const auto nearest = std::ranges::min_element(keys(), {}, [&](const Key& key) { return distance(key.path, path); });
  return base::fail(ConfigErrc::UnknownKey,
                    "There is no key " + path + "; did you mean " + std::string(nearest->path) + "?");
}

/// The paths of all values of the file, dotted.
void collect(const toml::table& part, const std::string& prefix, std::vector<std::string>& paths) {
  for (const auto& [name, node] : part) {
    const std::string path = prefix + std::string(name.str());
    if (const auto* below = node.as_table()) {
      collect(*below, path + ".", paths);
    } else {
      paths.push_back(path);
    }
  }
}

struct Take {
  const Key& key;
  toml::node_view<const toml::node> node;
  Config& config;

  base::Error wrong(std::string_view what) const {
    return base::fail(ConfigErrc::WrongType, std::string(key.path) + " must be " + std::string(what) + ".");
  }
  Result<void> operator()(Text member) const {
    const auto value = node.value_exact<std::string>();
    if (!value) return wrong("a text in quotes");
    if (!key.words.empty() && std::ranges::find(key.words, *value) == key.words.end()) {
      std::string words;
      for (auto word : key.words) words += (words.empty() ? "" : ", ") + std::string(word);
      return base::fail(ConfigErrc::OutOfRange, std::string(key.path) + " must be one of " + words + ".");
    }
    config.*member = *value;
    return {};
  }
  Result<void> operator()(Number member) const {
    const auto value = node.value_exact<std::int64_t>();
    if (!value) return wrong("a whole number");
    if (*value < key.least || *value > key.most) {
      return base::fail(ConfigErrc::OutOfRange, std::string(key.path) + " must be between " +
                                                    std::to_string(key.least) + " and " + std::to_string(key.most) +
                                                    ".");
    }
    config.*member = *value;
    return {};
  }
  Result<void> operator()(Texts member) const {
    const auto* array = node.as_array();
    if (!array) return wrong("a list of texts");
    std::vector<std::string> values;
    for (const auto& item : *array) {
      const auto value = item.value_exact<std::string>();
      if (!value) return wrong("a list of texts");
      values.push_back(*value);
    }
    config.*member = std::move(values);
    return {};
  }
};

std::string absolute(const std::filesystem::path& directory, const std::string& path) {
  return path.empty() || certs::is_token_uri(path) ? path : (directory / path).lexically_normal().string();
}

/// Paths in the file are relative to it, so that a data directory can be moved.
void make_paths_absolute(Config& config) {
  const auto directory = std::filesystem::absolute(config.file).parent_path();
  for (const Key& key : keys()) {
    if (!key.is_path) continue;
    if (const auto* one = std::get_if<Text>(&key.member)) config.*(*one) = absolute(directory, config.*(*one));
    if (const auto* many = std::get_if<Texts>(&key.member)) {
      for (auto& path : config.*(*many)) path = absolute(directory, path);
    }
  }
  constexpr std::string_view sqlite = "sqlite:";
  if (config.database.starts_with(sqlite)) {
    config.database = std::string(sqlite) + absolute(directory, config.database.substr(sqlite.size()));
  }
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string value_text(const Config& config, const Key& key) {
  if (const auto* text = std::get_if<Text>(&key.member)) return quoted(config.*(*text));
  if (const auto* number = std::get_if<Number>(&key.member)) return std::to_string(config.*(*number));
  std::string list = "[";
  for (const auto& item : config.*std::get<Texts>(key.member)) list += (list.size() > 1 ? ", " : "") + quoted(item);
  return list + "]";
}

}  // namespace

boost::system::error_code make_error_code(ConfigErrc code) noexcept { return {static_cast<int>(code), table}; }

Result<Config> read_config(const std::string& file) {
  const std::string text = TRY(read_file(file, 1u << 20));
  Config config;
  config.file = file;
  try {
    const toml::table parsed = toml::parse(text, file);
    std::vector<std::string> paths;
    collect(parsed, "", paths);
    for (const std::string& path : paths) {
      const auto key = std::ranges::find(keys(), path, &Key::path);
      if (key == keys().end()) return unknown_key(path);
      TRY(std::visit(Take{*key, parsed.at_path(path), config}, key->member));
    }
  } catch (const toml::parse_error& error) {
    return base::fail(ConfigErrc::NotToml, file + " line " + std::to_string(error.source().begin.line) + ": " +
                                               std::string(error.description()) + ".");
  }
  if (const char* url = std::getenv("GATEHOUSE_DATABASE"); url && *url) config.database = url;
  make_paths_absolute(config);
  return config;
}

std::string write_config(const Config& config) {
  std::string out = "# Gatehouse. Every key is here with what it means; the values are this installation's.\n";
  std::string section;
  for (const Key& key : keys()) {
    const auto dot = key.path.find('.');
    const std::string in = dot == std::string_view::npos ? "" : std::string(key.path.substr(0, dot));
    if (in != section) out += "\n[" + (section = in) + "]\n";
    std::istringstream lines{std::string(key.documentation)};
    out += "\n";
    for (std::string line; std::getline(lines, line);) out += "# " + line + "\n";
    out += std::string(dot == std::string_view::npos ? key.path : key.path.substr(dot + 1)) + " = " +
           value_text(config, key) + "\n";
  }
  return out;
}

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in || std::filesystem::is_directory(path))
    return base::fail(ConfigErrc::NotReadable, "Cannot read " + path + ".");
  const auto size = in.tellg();
  if (size < 0 || static_cast<std::size_t>(size) > bytes_max) {
    return base::fail(ConfigErrc::NotReadable, path + " is larger than " + std::to_string(bytes_max) + " bytes.");
  }
  std::string bytes(static_cast<std::size_t>(size), '\0');
  in.seekg(0);
  in.read(bytes.data(), size);
  if (!in) return base::fail(ConfigErrc::NotReadable, "Cannot read " + path + ".");
  return bytes;
}

Result<void> write_file(const std::string& path, std::string_view bytes, bool secret) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, secret ? 0600 : 0644);
  if (file < 0) return base::fail(ConfigErrc::NotReadable, "Cannot write " + path + ".");
  bool written = !secret || ::fchmod(file, 0600) == 0;
  while (written && !bytes.empty()) {
    const auto count = ::write(file, bytes.data(), bytes.size());
    written = count > 0;
    if (written) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  written = ::close(file) == 0 && written;
  if (!written) return base::fail(ConfigErrc::NotReadable, "Cannot write " + path + ".");
  return {};
}

}  // namespace gateway::cli
