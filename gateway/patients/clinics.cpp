#include "gateway/patients/clinics.hpp"

#include "gateway/patients/rules.hpp"

#include <filesystem>

namespace gateway::patients {
namespace {

using base::Oid;

/// IANA names are letters, digits and `+-_/`; whether one exists is asked of the machine's zone files, where it has
/// any.
bool is_time_zone(const std::string& name) {
  const bool shaped =
      !name.empty() && name.size() <= 64 && name.front() != '/' &&
      name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-_/") == std::string::npos;
  constexpr const char* zones = "/usr/share/zoneinfo";
  std::error_code ignored;
  if (!shaped || name == "UTC") return shaped;
  return !std::filesystem::exists(zones, ignored) ||
         std::filesystem::is_regular_file(std::filesystem::path(zones) / name, ignored);
}

std::string select_clinics(std::string_view where) {
  return "SELECT " + std::string(clinic_columns) + " FROM clinics " + std::string(where);
}

}  // namespace

Result<void> record_setting(store::Session& session, const SettingChange& change, Instant now) {
  TRY(session.execute("INSERT INTO clinic_settings (clinic, version, setting, value, set_at, set_by)"
                      " VALUES (:p1, :p2, :p3, :p4, :p5, :p6)",
                      {change.clinic, change.version, change.setting, change.value, base::to_micros(now),
                       change.actor}));
  return {};
}

Result<policy::Clinic> read_clinic(const store::Row& row) {
  auto home = Oid::parse(row.text(1));
  if (!home) return fail(store::Errc::Unreadable, "clinics.home");
  return policy::Clinic{.id = row.text(0),
                        .home = *home,
                        .name = row.text(2),
                        .time_zone = row.text(3),
                        .assigning_authority = row.text(4),
                        .repository_id = row.text(5),
                        .defaults = policy::PurposeSet::from_bits(row.integer(6)).value_or(policy::PurposeSet{}),
                        .version = std::to_string(row.integer(7)),
                        .rules = read_rules(row.text(8))};
}

Result<policy::Clinic> add_clinic(store::Database& database, const NewClinic& clinic, std::string_view actor,
                                  Instant now) {
  if (actor.empty()) return fail(Errc::ActorMissing);
  const auto home = Oid::parse(clinic.home), authority = Oid::parse(clinic.assigning_authority),
             repository = Oid::parse(clinic.repository_id);
  if (!home) return fail(Errc::BadClinic, "home is no OID");
  if (!authority) return fail(Errc::BadClinic, "assigning authority is no OID");
  if (!repository) return fail(Errc::BadClinic, "repository is no OID");
  if (!is_time_zone(clinic.time_zone)) return fail(Errc::BadClinic, "unknown time zone");
  if (base::trim(clinic.name).empty()) return fail(Errc::BadClinic, "no name");

  auto* session = TRY(database.session());
  const auto id = random_id();
  TRY(session->transaction([&]() -> Result<void> {
    const auto same = TRY(
        session->select("SELECT id FROM clinics WHERE home = :p1 OR name = :p2", "t", {home->dotted(), clinic.name}));
    if (!same.empty()) return fail(Errc::ClinicTaken);
    TRY(
        session->execute("INSERT INTO clinics (id, home, name, time_zone, assigning_authority, repository_id, purposes,"
                         " version, number) VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7, 1,"
                         " (SELECT COALESCE(MAX(number), 0) + 1 FROM clinics))",
                         {id, home->dotted(), clinic.name, clinic.time_zone, authority->dotted(), repository->dotted(),
                          clinic.purposes.bits()}));
    return record_setting(*session, {.clinic = id, .version = 1, .setting = "purposes",
                                     .value = clinic.purposes.words(), .actor = std::string(actor)}, now);
  }));
  return find_clinic(database, id);
}

Result<std::vector<policy::Clinic>> list_clinics(store::Database& database) {
  auto* session = TRY(database.session());
  std::vector<policy::Clinic> clinics;
  for (const auto& row : TRY(session->select(select_clinics("ORDER BY name"), clinic_letters))) {
    clinics.push_back(TRY(read_clinic(row)));
  }
  return clinics;
}

Result<policy::Clinic> find_clinic(store::Database& database, std::string_view word) {
  auto* session = TRY(database.session());
  if (word.starts_with("urn:oid:")) word.remove_prefix(std::string_view("urn:oid:").size());
  const auto rows = word.empty() ? TRY(session->select(select_clinics(""), clinic_letters))
                                 : TRY(session->select(select_clinics("WHERE id = :p1 OR home = :p1 OR name = :p1"),
                                                       clinic_letters, {std::string(word)}));
  if (rows.size() != 1) return fail(Errc::NoSuchClinic, rows.empty() ? "none" : "several: name one");
  return read_clinic(rows.front());
}

Result<policy::Clinic> set_clinic_purposes(store::Database& database, const std::string& clinic_id,
                                           policy::PurposeSet purposes, std::string_view actor, Instant now) {
  if (actor.empty()) return fail(Errc::ActorMissing);
  auto* session = TRY(database.session());
  TRY(session->transaction([&]() -> Result<void> {
    const auto changed = TRY(session->execute("UPDATE clinics SET purposes = :p1, version = version + 1 WHERE id = :p2",
                                              {purposes.bits(), clinic_id}));
    if (changed == 0) return fail(Errc::NoSuchClinic);
    const auto rows = TRY(session->select("SELECT version FROM clinics WHERE id = :p1", "i", {clinic_id}));
    return record_setting(*session, {.clinic = clinic_id, .version = rows.at(0).integer(0), .setting = "purposes",
                                     .value = purposes.words(), .actor = std::string(actor)}, now);
  }));
  return find_clinic(database, clinic_id);
}

}  // namespace gateway::patients
