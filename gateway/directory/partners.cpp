#include "gateway/directory/partners.hpp"

#include "base/error_table.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace gateway::directory {
namespace {

using base::Cause;
using exchange::PartnerSettings;
using resources::DirectoryOrganization;
using resources::ImportReport;
using store::Value;
using xca::wss::ResponseSignature;

constexpr base::ErrorRow rows[] = {
    {int(Errc::NoSuchOrganization), "no-such-organization", "the directory has no organization of that home community",
     Cause::BadMessage},
    {int(Errc::UnknownSetting), "unknown-partner-setting",
     "partner settings are sha1, bearer, sender-vouches, signed-parts, issuer, audience, response-signature, schema and"
     " equal-sender",
     Cause::BadMessage},
    {int(Errc::BadValue), "bad-partner-setting", "that is no value of this setting", Cause::BadMessage},
    {int(Errc::ReasonMissing), "reason-missing", "state the reason for this setting", Cause::BadMessage},
    {int(Errc::EndMissing), "end-missing", "this exception needs an end that is still to come", Cause::BadMessage},
    {int(Errc::CertificateTaken), "certificate-taken", "this is tied to another implementer already",
     Cause::BadMessage},
    {int(Errc::NotATie), "not-a-tie",
     "a key is tied by the SHA-256 of its SPKI in hexadecimal, a subject by its RFC 2253 name", Cause::BadMessage},
};
constinit const base::ErrorTable errors("gatehouse.directory", rows);

constexpr std::size_t organizations_max = 200'000, pins_max = 20'000;
constexpr std::size_t chain_max = 20;  ///< organizations above each other; a longer chain is a loop

struct SettingRow {
  std::string_view name, value;
  bool must_end;
  void (*apply)(PartnerSettings&);
};
constexpr SettingRow settings_table[] = {
    {"sha1", "allow", true, [](PartnerSettings& s) { s.allowance.sha1 = true; }},
    {"bearer", "allow", true, [](PartnerSettings& s) { s.allowance.bearer = true; }},
    {"sender-vouches", "allow", true, [](PartnerSettings& s) { s.allowance.sender_vouches = true; }},
    {"signed-parts", "timestamp", false,
     [](PartnerSettings& s) { s.allowance.must_sign_body = s.allowance.must_sign_addressing = false; }},
    {"signed-parts", "body", false, [](PartnerSettings& s) { s.allowance.must_sign_body = true; }},
    {"signed-parts", "addressing", false, [](PartnerSettings& s) { s.allowance.must_sign_addressing = true; }},
    {"signed-parts", "body-and-addressing", false,
     [](PartnerSettings& s) { s.allowance.must_sign_body = s.allowance.must_sign_addressing = true; }},
    {"audience", "optional", false, [](PartnerSettings& s) { s.allowance.audience_optional = true; }},
    {"audience", "required", false, [](PartnerSettings& s) { s.allowance.audience_optional = false; }},
    {"response-signature", "full", false, [](PartnerSettings& s) { s.response_signature = ResponseSignature::Full; }},
    {"response-signature", "headers", false,
     [](PartnerSettings& s) { s.response_signature = ResponseSignature::Headers; }},
    {"response-signature", "none", false, [](PartnerSettings& s) { s.response_signature = ResponseSignature::None; }},
    {"schema", "strict", false, [](PartnerSettings& s) { s.strict_schema = true; }},
    {"schema", "lenient", false, [](PartnerSettings& s) { s.strict_schema = false; }},
    {"equal-sender", "required", false, [](PartnerSettings& s) { s.equal_sender = true; }},
    {"equal-sender", "off", false, [](PartnerSettings& s) { s.equal_sender = false; }},
};

const SettingRow* row_of(std::string_view name, std::string_view value) {
  const auto found =
      std::ranges::find_if(settings_table, [&](const auto& row) { return row.name == name && row.value == value; });
  return found == std::end(settings_table) ? nullptr : found;
}

/// The one setting whose value is texts of the partner's own, `|` between several.
constexpr std::string_view issuer_setting = "issuer";

std::vector<std::string> texts_of(std::string_view value) {
  std::vector<std::string> texts;
  for (std::size_t begin = 0; begin <= value.size();) {
    const auto end = std::min(value.find('|', begin), value.size());
    texts.emplace_back(value.substr(begin, end - begin));
    begin = end + 1;
  }
  return texts;
}

bool is_setting(std::string_view name) {
  return name == issuer_setting ||
         std::ranges::find(settings_table, name, &SettingRow::name) != std::end(settings_table);
}

std::string home_word(std::string_view home) {
  constexpr std::string_view urn = "urn:oid:";
  return std::string(home.starts_with(urn) ? home.substr(urn.size()) : home);
}

/// One change of the directory: the version goes up first, so that changes come one after the other.
/// @param work  gets the new version
Result<void> change(store::Database& database, const std::function<Result<void>(store::Session&, std::int64_t)>& work) {
  auto* session = TRY(database.session());
  return session->transaction([&]() -> Result<void> {
    TRY(session->execute("UPDATE directory_version SET version = version + 1 WHERE one = 1"));
    const auto version = TRY(session->select("SELECT version FROM directory_version WHERE one = 1", "i"));
    if (version.size() != 1) return fail(store::Errc::Unreadable, "directory_version");
    return work(*session, version[0].integer(0));
  });
}

constexpr std::string_view organization_columns = "home, name, active, implementer, entry, version, updated_at";
constexpr std::string_view organization_letters = "ttittii";

Result<Organization> read_organization_row(const store::Row& row) {
  Organization organization{.entry = {},
                            .implementer = row.text(3),
                            .version = row.integer(5),
                            .updated_at = base::from_micros(row.integer(6))};
  if (!resources::read_entry(row.text(4), organization.entry))
    return fail(store::Errc::Unreadable, "organizations.entry");
  organization.entry.home = row.text(0);
  organization.entry.name = row.text(1);
  organization.entry.active = row.integer(2) == 1;
  return organization;
}

Result<std::vector<Organization>> select_organizations(store::Session& session, const std::string& where,
                                                       std::span<const Value> parameters) {
  const auto sql = "SELECT " + std::string(organization_columns) + " FROM organizations " + where;
  std::vector<Organization> organizations;
  for (const auto& row : TRY(session.select(sql, organization_letters, parameters, organizations_max))) {
    organizations.push_back(TRY(read_organization_row(row)));
  }
  return organizations;
}

using Entries = std::map<std::string, DirectoryOrganization>;

/// The managing organization where one is named, else the top of the partOf chain, else itself. A loop has no top.
std::string implementer_of(const Entries& entries, const std::string& home) {
  auto at = home;
  for (std::size_t steps = 0; steps < chain_max; ++steps) {
    const auto found = entries.find(at);
    if (found == entries.end()) return at;
    if (!found->second.managing.empty()) return found->second.managing;
    if (found->second.part_of.empty() || found->second.part_of == at) return at;
    at = found->second.part_of;
  }
  return home;
}

Result<std::map<std::string, DirectoryOrganization>> read_file(base::BytesView file, ImportReport& report) {
  Entries entries;
  TRY(resources::read_bundle_or_ndjson(
      file, [&](const std::string& place, const Result<base::json::Value>& resource) -> Result<void> {
        if (!resource) {
          report.skip(place, resource.error());
          return {};
        }
        auto organization = resources::read_organization(*resource);
        if (!organization) {
          report.skip(place, organization.error());
        } else if (entries.contains(organization->home)) {
          report.skip(place, "the file names this home community twice; the first entry counts");
        } else {
          entries.emplace(organization->home, std::move(*organization));
        }
        return {};
      }));
  return entries;
}

Result<void> write_organization(store::Session& session, const DirectoryOrganization& entry,
                                const std::string& implementer, std::int64_t version, Instant now, bool exists) {
  const auto sql =
      exists ? "UPDATE organizations SET name = :p2, active = :p3, implementer = :p4, entry = :p5, version = :p6,"
               " updated_at = :p7 WHERE home = :p1"
             : "INSERT INTO organizations (home, name, active, implementer, entry, version, updated_at)"
               " VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7)";
  TRY(session.execute(sql, {entry.home, entry.name, std::int64_t{entry.active}, implementer,
                            resources::write_entry(entry), version, base::to_micros(now)}));
  return {};
}

/// Writes what differs: imported entries, and entries whose implementer follows from them.
Result<void> merge(store::Session& session, const Entries& imported, std::int64_t version, Instant now,
                   ImportReport& report) {
  std::map<std::string, Organization> held;
  Entries all;
  for (auto& organization : TRY(select_organizations(session, "", {}))) {
    all[organization.entry.home] = organization.entry;
    held.emplace(organization.entry.home, std::move(organization));
  }
  for (const auto& [home, entry] : imported) all[home] = entry;
  for (const auto& [home, entry] : all) {
    const auto implementer = implementer_of(all, home);
    const auto before = held.find(home);
    const bool exists = before != held.end();
    if (exists && before->second.entry == entry && before->second.implementer == implementer) {
      report.unchanged += imported.contains(home);
      continue;
    }
    TRY(write_organization(session, entry, implementer, version, now, exists));
    ++(exists ? report.updated : report.inserted);
  }
  return {};
}

Result<void> require_organization(store::Session& session, const std::string& home) {
  const auto found = TRY(session.select("SELECT home FROM organizations WHERE home = :p1", "t", {home}));
  if (found.empty()) return fail(Errc::NoSuchOrganization);
  return {};
}

Result<void> tie(store::Database& database, std::string_view implementer, const std::string& kind,
                 const std::string& value, const std::string& pem, Instant now) {
  const auto home = home_word(implementer);
  return change(database, [&](store::Session& session, std::int64_t) -> Result<void> {
    TRY(require_organization(session, home));
    const auto held = TRY(session.select(
        "SELECT implementer FROM partner_certificates WHERE kind = :p1 AND value = :p2", "t", {kind, value}));
    if (!held.empty() && held[0].text(0) != home) return fail(Errc::CertificateTaken);
    if (!held.empty()) return {};
    TRY(
        session.execute("INSERT INTO partner_certificates (implementer, kind, value, pem, added_at)"
                        " VALUES (:p1, :p2, :p3, :p4, :p5)",
                        {home, kind, value, pem, base::to_micros(now)}));
    return {};
  });
}

Result<bool> remove(store::Database& database, const std::string& sql, std::initializer_list<Value> parameters) {
  bool removed = false;
  TRY(change(database, [&](store::Session& session, std::int64_t) -> Result<void> {
    removed = TRY(session.execute(sql, parameters)) > 0;
    return {};
  }));
  return removed;
}

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errors}; }

bool apply(const Setting& setting, PartnerSettings& to) {
  if (setting.name == issuer_setting) {
    to.allowance.issuers = texts_of(setting.value);
    return std::ranges::find(to.allowance.issuers, std::string()) == to.allowance.issuers.end();
  }
  const auto* row = row_of(setting.name, setting.value);
  if (row) row->apply(to);
  return row != nullptr;
}

Result<ImportReport> import_directory(store::Database& database, base::BytesView file, Instant now) {
  ImportReport report;
  const auto imported = TRY(read_file(file, report));
  if (imported.empty()) return report;
  TRY(change(database, [&](store::Session& session, std::int64_t version) {
    return merge(session, imported, version, now, report);
  }));
  return report;
}

Result<std::vector<Organization>> list_organizations(store::Database& database) {
  auto* session = TRY(database.session());
  return select_organizations(*session, "ORDER BY name, home", {});
}

Result<Organization> show_organization(store::Database& database, std::string_view home) {
  auto* session = TRY(database.session());
  const Value parameters[] = {home_word(home)};
  auto found = TRY(select_organizations(*session, "WHERE home = :p1", parameters));
  if (found.empty()) return fail(Errc::NoSuchOrganization);
  return std::move(found.front());
}

Result<void> pin_certificate(store::Database& database, std::string_view implementer,
                             const certs::Certificate& certificate, Instant now) {
  return tie(database, implementer, "certificate", base::hex(certificate.sha256()), certificate.to_pem(), now);
}

Result<void> tie_key(store::Database& database, std::string_view implementer, std::string_view spki_sha256_hex,
                     Instant now) {
  const auto octets = base::read_hex(spki_sha256_hex);
  if (!octets || octets->size() != 32) return fail(Errc::NotATie);
  return tie(database, implementer, "key", base::hex(*octets), "", now);
}

Result<void> tie_subject(store::Database& database, std::string_view implementer, std::string_view subject,
                         Instant now) {
  if (subject.find('=') == std::string_view::npos || subject != base::trim(subject)) return fail(Errc::NotATie);
  return tie(database, implementer, "subject", std::string(subject), "", now);
}

Result<bool> untie(store::Database& database, std::string_view kind, std::string_view value) {
  return remove(database, "DELETE FROM partner_certificates WHERE kind = :p1 AND value = :p2",
                {std::string(kind), std::string(value)});
}

Result<std::vector<certs::Certificate>> list_pins(store::Database& database) {
  auto* session = TRY(database.session());
  std::vector<certs::Certificate> pins;
  for (const auto& row : TRY(session->select("SELECT pem FROM partner_certificates WHERE kind = 'certificate'"
                                             " ORDER BY implementer, value",
                                             "t", {}, pins_max))) {
    auto certificate = certs::Certificate::from_pem(row.text(0));
    if (!certificate) return fail(store::Errc::Unreadable, "partner_certificates");
    pins.push_back(std::move(*certificate));
  }
  return pins;
}

Result<std::vector<Tie>> list_ties(store::Database& database, std::string_view implementer) {
  auto* session = TRY(database.session());
  std::vector<Tie> ties;
  for (const auto& row : TRY(session->select("SELECT implementer, kind, value, added_at FROM partner_certificates"
                                             " WHERE implementer = :p1 ORDER BY kind, value",
                                             "ttti", {home_word(implementer)}))) {
    ties.push_back({row.text(0), row.text(1), row.text(2), base::from_micros(row.integer(3))});
  }
  return ties;
}

Result<void> set_setting(store::Database& database, std::string_view implementer, const Setting& setting, Instant now) {
  if (!is_setting(setting.name)) return fail(Errc::UnknownSetting);
  PartnerSettings scratch;
  if (!apply(setting, scratch)) return fail(Errc::BadValue);
  const auto* row = row_of(setting.name, setting.value);
  const bool must_end = row && row->must_end;
  if (base::trim(setting.reason).empty()) return fail(Errc::ReasonMissing);
  if ((must_end && !setting.until) || (setting.until && *setting.until <= now)) return fail(Errc::EndMissing);
  const auto home = home_word(implementer);
  const auto until = setting.until ? Value(base::to_micros(*setting.until)) : Value();
  return change(database, [&](store::Session& session, std::int64_t) -> Result<void> {
    TRY(require_organization(session, home));
    TRY(session.execute("DELETE FROM partner_settings WHERE implementer = :p1 AND setting = :p2",
                        {home, setting.name}));
    TRY(
        session.execute("INSERT INTO partner_settings (implementer, setting, value, until, reason, set_at)"
                        " VALUES (:p1, :p2, :p3, :p4, :p5, :p6)",
                        {home, setting.name, setting.value, until, setting.reason, base::to_micros(now)}));
    return {};
  });
}

Result<bool> clear_setting(store::Database& database, std::string_view implementer, std::string_view name) {
  return remove(database, "DELETE FROM partner_settings WHERE implementer = :p1 AND setting = :p2",
                {home_word(implementer), std::string(name)});
}

Result<std::vector<Setting>> list_settings(store::Database& database, std::string_view implementer) {
  auto* session = TRY(database.session());
  std::vector<Setting> settings;
  for (const auto& row : TRY(session->select("SELECT setting, value, until, reason FROM partner_settings"
                                             " WHERE implementer = :p1 ORDER BY setting",
                                             "ttit", {home_word(implementer)}))) {
    settings.push_back({row.text(0), row.text(1), {}, row.text(3)});
    if (!row.is_null(2)) settings.back().until = base::from_micros(row.integer(2));
  }
  return settings;
}

}  // namespace gateway::directory
