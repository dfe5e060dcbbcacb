#include "gateway/bench/measured_house.hpp"

#include "gateway/directory/partners.hpp"
#include "gateway/patients/choices.hpp"
#include "gateway/patients/clinics.hpp"
#include "gateway/patients/records.hpp"
#include "xca/schema.hpp"

#include <sys/vfs.h>
#include <unistd.h>

#include <stdexcept>

namespace gateway::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view clinic_home = "2.16.840.1.113883.3.8888.1", asker_home = "2.16.840.1.113883.3.8888.2",
                           other_home = "2.16.840.1.113883.3.8888.3";
constexpr std::string_view our_address = "https://gateway.hill-valley.example:8443";
constexpr long tmpfs_magic = 0x01021994;  // linux/magic.h

Instant system_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string organization(std::string_view home, const char* name) {
  const std::string id(home);
  return R"({"resource":{"resourceType":"Organization","id":")" + id + R"(","active":true,"name":")" + name +
         R"(","identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:oid:)" + id +
         R"(","type":{"coding":[{"code":"HCID"}]}}],"type":[{"coding":[{"code":"Implementer"}]}]}})";
}

Result<void> settle_partners(store::Database& database, const Keys& keys) {
  TRY(directory::import_directory(database, MeasuredHouse::partners(), system_now()));
  TRY(directory::pin_certificate(database, asker_home, keys.partner.certificate, system_now()));
  return directory::pin_certificate(database, other_home, keys.other_partner.certificate, system_now());
}

Result<policy::Clinic> found_clinic(store::Database& database) {
  if (auto clinics = TRY(patients::list_clinics(database)); !clinics.empty()) return std::move(clinics.front());
  const std::string home(clinic_home);
  return patients::add_clinic(
      database,
      {.home = home,
       .name = "Hill Valley Clinic",
       .time_zone = "UTC",
       .assigning_authority = home + ".2",
       .repository_id = home + ".3",
       .purposes = {policy::Purpose::Treatment, policy::Purpose::Payment, policy::Purpose::Operations}},
      "bench", system_now());
}

exchange::RespondingSettings settings(const HousePlan& plan) {
  const auto codes = policy::shipped_purpose_codes();
  return {.rules = {.purpose_codes = {codes.begin(), codes.end()},
                    .supported = policy::PurposeSet::all(),
                    .version = "bench"},
          .public_urls = {std::string(our_address)},
          .queries = plan.queries};
}

}  // namespace

Scratch::Scratch(const fs::path& parent) {
  std::string name = ((parent.empty() ? fs::temp_directory_path() : parent) / "gatehouse-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a directory like " + name);
  path_ = name;
}

Scratch::~Scratch() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

bool Scratch::is_in_memory() const {
  struct statfs what {};
  return ::statfs(path_.c_str(), &what) == 0 && what.f_type == tmpfs_magic;
}

Keys Keys::make() {
  const auto now = system_now();
  auto authority = certs::CertificateAuthority::create({.common_name = "Bench authority"}, now, std::chrono::days(1));
  const auto issue = [&](const char* name, const char* organization) {
    return authority.issue({.subject = {.common_name = name, .organization = organization, .dns_names = {name}},
                            .now = now,
                            .lifetime = std::chrono::days(1)});
  };
  auto tls = issue("gateway.hill-valley.example", "Hill Valley Clinic");
  auto signing = issue("signing.hill-valley.example", "Hill Valley Clinic");
  auto partner = issue("gateway.riverside.example", "Riverside Hospital");
  auto other = issue("gateway.lakeside.example", "Lakeside Clinic");
  return {std::move(authority), std::move(tls), std::move(signing), std::move(partner), std::move(other),
          certs::PrivateKey::generate_p256(),
          documents::ContentSeal::read(documents::ContentSeal::fresh_key()).value()};
}

Route MeasuredHouse::route() {
  return {.asker_home = std::string(asker_home),
          .asked_home = std::string(clinic_home),
          .authority = std::string(clinic_home) + ".2",
          .repository = std::string(clinic_home) + ".3",
          .to = std::string(our_address) + "/ihe/xcpd"};
}

Route MeasuredHouse::other_route() {
  auto route = MeasuredHouse::route();
  route.asker_home = other_home;
  return route;
}

std::string MeasuredHouse::partners() {
  return R"({"resourceType":"Bundle","type":"collection","entry":[)" + organization(asker_home, "Riverside Hospital") +
         "," + organization(other_home, "Lakeside Clinic") + "]}";
}

Result<std::unique_ptr<MeasuredHouse>> MeasuredHouse::build(const fs::path& directory, const Keys& keys,
                                                            const HousePlan& plan) {
  (void)xca::schemas();
  const std::string url = plan.database.empty() ? "sqlite:" + (directory / "gatehouse.db").string() : plan.database;
  TRY(store::Database::migrate(url));
  auto database = TRY(store::Database::open(url));
  TRY(settle_partners(*database, keys));
  auto clinic = TRY(found_clinic(*database));
  auto journal = TRY(audit::Journal::open(*database, {.node = "bench",
                                                      .key = keys.audit,
                                                      .witness_file = (directory / "witness.jsonl").string()}));
  return std::unique_ptr<MeasuredHouse>(
      new MeasuredHouse(std::move(database), std::move(journal), std::move(clinic), keys, plan));
}

MeasuredHouse::MeasuredHouse(std::unique_ptr<store::Database> database, std::unique_ptr<audit::Journal> journal,
                             policy::Clinic clinic, const Keys& keys, const HousePlan& plan)
    : database_(std::move(database)),
      journal_(std::move(journal)),
      clinic_(std::move(clinic)),
      directory_(*database_, {.anchors = {keys.authority.credential().certificate}}),
      patients_(*database_),
      seal_(keys.content),
      documents_(*database_, seal_),
      pending_(*database_),
      gateway_(settings(plan), directory_, patients_, documents_, pending_, *journal_, clock_,
               std::make_shared<xca::wss::Signer>(keys.signing)),
      door_({}, gateway_, *journal_, metrics_) {}

Result<void> MeasuredHouse::move_in(std::span<const Somebody> people) {
  const auto lines = write_ndjson(people, clinic_.assigning_authority);
  const auto report = TRY(patients::import_patients(
      *database_, clinic_, lines, {.rows_per_transaction = people.size()}, system_now()));
  if (report.inserted != people.size()) throw std::logic_error("patients of the bench were skipped");
  return {};
}

Result<void> MeasuredHouse::file_documents(const Somebody& whose, std::size_t count, std::size_t octets) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto text = document_text(route(), whose, i, octets);
    TRY(documents::import_document(*database_, clinic_, text, {.patient_id = whose.mrn, .seal = seal_}, system_now()));
  }
  return {};
}

Result<void> MeasuredHouse::choose(const Somebody& who, policy::PurposeSet purposes) {
  const auto record = TRY(patients::show_patient(*database_, clinic_, who.mrn));
  const patients::ChoiceChange change{.set_by = patients::SetBy::Patient, .actor = who.given, .basis = {}};
  TRY(patients::set_choice(*database_, record.id, purposes, change, system_now()));
  return {};
}

}  // namespace gateway::bench
