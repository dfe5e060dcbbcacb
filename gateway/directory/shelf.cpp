#include "gateway/directory/shelf.hpp"

#include "gateway/directory/partners.hpp"

#include <map>
#include <set>

namespace gateway::directory {
namespace {

using exchange::DirectoryView;
using exchange::PartnerSettings;

constexpr std::size_t organizations_max = 200'000, ties_max = 20'000, settings_max = 20'000;
constexpr unsigned reads_max = 3;

struct DatedSetting {
  std::string name, value;
  std::optional<Instant> until;
};

/// Everything the tables said at one version.
struct Content {
  std::int64_t version = 0;
  std::map<std::string, policy::Organization, std::less<>> organizations;
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> addresses;  ///< of active Endpoints, by home
  std::map<std::pair<std::string, std::string>, std::string> implementers;  ///< by (kind, value)
  std::map<std::string, std::vector<DatedSetting>, std::less<>> settings;   ///< by implementer
  std::vector<certs::Certificate> pinned;
};

class Snapshot final : public DirectoryView {
 public:
  Snapshot(Content content, certs::TrustEvidence evidence, const std::string& version)
      : content_(std::move(content)), trust_(std::move(evidence)), version_(version) {}

  std::optional<policy::Organization> organization(std::string_view home) const override {
    const auto found = content_.organizations.find(home);
    return found == content_.organizations.end() ? std::nullopt : std::optional(found->second);
  }

  std::optional<std::string> implementer_of(const certs::Certificate& certificate) const override {
    const std::pair<std::string, std::string> ties[] = {{"certificate", base::hex(certificate.sha256())},
                                                        {"key", base::hex(certificate.public_key().spki_sha256())},
                                                        {"subject", certificate.subject()}};
    for (const auto& tie : ties) {
      const auto found = content_.implementers.find(tie);
      if (found != content_.implementers.end()) return found->second;
    }
    return std::nullopt;
  }

  bool lists_address(std::string_view home, std::string_view address) const override {
    const auto asking = content_.organizations.find(home);
    if (asking == content_.organizations.end() || !asking->second.active) return false;
    if (has_address(home, address)) return true;
    const auto implementer = content_.organizations.find(asking->second.implementer);
    return implementer != content_.organizations.end() && implementer->second.active &&
           has_address(implementer->first, address);
  }

  PartnerSettings settings(std::string_view implementer, Instant now) const override {
    PartnerSettings settings;
    const auto found = content_.settings.find(implementer);
    if (found == content_.settings.end()) return settings;
    for (const auto& one : found->second) {
      // Read checked every name and value: what apply would not know is not here.
      if (!one.until || now < *one.until) (void)apply({one.name, one.value, one.until, {}}, settings);
    }
    return settings;
  }

  const certs::TrustStore& trust() const override { return trust_; }
  const std::string& version() const override { return version_; }

 private:
  bool has_address(std::string_view home, std::string_view address) const {
    const auto found = content_.addresses.find(home);
    return found != content_.addresses.end() && found->second.contains(address);
  }

  Content content_;
  certs::TrustStore trust_;
  std::string version_;
};

Result<std::int64_t> read_version(store::Session& session) {
  const auto rows = TRY(session.select("SELECT version FROM directory_version WHERE one = 1", "i"));
  if (rows.size() != 1 || rows[0].is_null(0)) return fail(store::Errc::Unreadable, "directory_version");
  return rows[0].integer(0);
}

Result<void> read_organizations(store::Session& session, Content& content) {
  const auto rows = TRY(session.select("SELECT home, name, active, implementer, entry, version FROM organizations",
                                       "ttitti", {}, organizations_max));
  for (const auto& row : rows) {
    const auto home = base::Oid::parse(row.text(0));
    resources::DirectoryOrganization entry;
    if (!home || !resources::read_entry(row.text(4), entry)) return fail(store::Errc::Unreadable, "organizations");
    policy::Organization organization{.home = *home,
                                      .name = row.text(1),
                                      .active = row.integer(2) == 1,
                                      .implementer = row.text(3),
                                      .delegates = {},
                                      .version = std::to_string(row.integer(5))};
    for (const auto& delegate : entry.delegates) {
      const auto oid = base::Oid::parse(delegate);
      if (!oid) return fail(store::Errc::Unreadable, "organizations.entry");
      organization.delegates.push_back(*oid);
    }
    for (const auto& endpoint : entry.endpoints) {
      if (endpoint.status == "active") content.addresses[home->dotted()].insert(endpoint.address);
    }
    content.organizations.emplace(home->dotted(), std::move(organization));
  }
  return {};
}

Result<void> read_ties(store::Session& session, Content& content) {
  const auto rows =
      TRY(session.select("SELECT implementer, kind, value, pem FROM partner_certificates", "tttt", {}, ties_max));
  for (const auto& row : rows) {
    content.implementers[{row.text(1), row.text(2)}] = row.text(0);
    if (row.text(1) != "certificate") continue;
    auto certificate = certs::Certificate::from_pem(row.text(3));
    if (!certificate || base::hex(certificate->sha256()) != row.text(2)) {
      return fail(store::Errc::Unreadable, "partner_certificates");
    }
    content.pinned.push_back(std::move(*certificate));
  }
  return {};
}

Result<void> read_settings(store::Session& session, Content& content) {
  const auto rows =
      TRY(session.select("SELECT implementer, setting, value, until FROM partner_settings", "ttti", {}, settings_max));
  for (const auto& row : rows) {
    DatedSetting setting{row.text(1), row.text(2), std::nullopt};
    if (!row.is_null(3)) setting.until = base::from_micros(row.integer(3));
    PartnerSettings ignored;
    if (!apply({setting.name, setting.value, setting.until, {}}, ignored)) {
      return fail(store::Errc::Unreadable, "partner_settings: " + setting.name);
    }
    content.settings[row.text(0)].push_back(std::move(setting));
  }
  return {};
}

/// All tables at one version: read between two equal looks at it.
Result<Content> read_content(store::Session& session) {
  for (unsigned attempt = 0; attempt < reads_max; ++attempt) {
    Content content{};
    content.version = TRY(read_version(session));
    TRY(read_organizations(session, content));
    TRY(read_ties(session, content));
    TRY(read_settings(session, content));
    if (TRY(read_version(session)) == content.version) return content;
  }
  return fail(store::Errc::Conflict, "the directory kept changing while it was read");
}

}  // namespace

DirectoryShelf::DirectoryShelf(store::Database& database, certs::TrustEvidence evidence)
    : database_(database), evidence_(std::move(evidence)) {}

Result<std::shared_ptr<const DirectoryView>> DirectoryShelf::current() {
  auto* session = TRY(database_.session());
  const auto version = TRY(read_version(*session));
  const std::scoped_lock lock(mutex_);
  if (snapshot_ && version == version_) return snapshot_;
  auto content = TRY(read_content(*session));
  auto evidence = evidence_;
  evidence.pinned.insert(evidence.pinned.end(), content.pinned.begin(), content.pinned.end());
  version_ = content.version;
  const auto name = std::to_string(version_) + "." + std::to_string(evidence_number_);
  snapshot_ = std::make_shared<const Snapshot>(std::move(content), std::move(evidence), name);
  snapshot_->trust().ask_ahead(std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()));
  return snapshot_;
}

void DirectoryShelf::replace_evidence(certs::TrustEvidence evidence) {
  const std::scoped_lock lock(mutex_);
  evidence_ = std::move(evidence);
  ++evidence_number_;
  snapshot_.reset();
}

}  // namespace gateway::directory
