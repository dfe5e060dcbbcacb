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

constexpr std::string_view clinic_home = "2.16.840.1.113883.3.8888.1", asker_home = "2.16.840.1.113883.3.8888.2";
constexpr std::string_view our_address = "https://gateway.hill-valley.example:8443";
constexpr long tmpfs_magic = 0x01021994;  // linux/magic.h
constexpr std::size_t own_choice_every = 4;

Instant system_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string directory_bundle() {
  const std::string home(asker_home);
  return R"({"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Organization","id":")" +
         home + R"(","active":true,"name":"Riverside Hospital","identifier":[{"system":"urn:ietf:rfc:3986",)" +
         R"("value":"urn:oid:)" + home + R"(","type":{"coding":[{"code":"HCID"}]}}],)" +
         R"("type":[{"coding":[{"code":"Implementer"}]}]}}]})";
}

Result<void> settle_partner(store::Database& database, const Keys& keys) {
  TRY(directory::import_directory(database, directory_bundle(), system_now()));
  return directory::pin_certificate(database, asker_home, keys.partner.certificate, system_now());
}

Result<void> settle_patients(store::Database& database, std::span<const Somebody> people) {
  const std::string home(clinic_home);
  const auto clinic = TRY(patients::add_clinic(
      database,
      {.home = home,
       .name = "Hill Valley Clinic",
       .time_zone = "UTC",
       .assigning_authority = home + ".2",
       .repository_id = home + ".3",
       .purposes = {policy::Purpose::Treatment, policy::Purpose::Payment, policy::Purpose::Operations}},
      "bench", system_now()));
  const auto report = TRY(
      patients::import_patients(database, clinic, write_ndjson(people, clinic.assigning_authority), {}, system_now()));
  if (report.inserted != people.size()) throw std::logic_error("patients of the bench were skipped");
  for (std::size_t i = 0; i < people.size(); i += own_choice_every) {
    const auto record = TRY(patients::show_patient(database, clinic, people[i].mrn));
    TRY(patients::set_choice(database, record.id, {policy::Purpose::Treatment, policy::Purpose::PatientRequest},
                             {.set_by = patients::SetBy::Patient, .actor = people[i].given, .basis = {}},
                             system_now()));
  }
  return {};
}

exchange::RespondingSettings settings() {
  const auto codes = policy::shipped_purpose_codes();
  return {.rules = {.purpose_codes = {codes.begin(), codes.end()},
                    .supported = policy::PurposeSet::all(),
                    .version = "bench"},
          .public_urls = {std::string(our_address)}};
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
  return {std::move(authority), std::move(tls), std::move(signing), std::move(partner)};
}

Route MeasuredHouse::route() {
  return {.asker_home = std::string(asker_home),
          .asked_home = std::string(clinic_home),
          .to = std::string(our_address) + "/ihe/xcpd"};
}

Result<std::unique_ptr<MeasuredHouse>> MeasuredHouse::build(const fs::path& directory, const Keys& keys,
                                                            std::span<const Somebody> people) {
  (void)xca::schemas();
  const std::string url = "sqlite:" + (directory / "gatehouse.db").string();
  TRY(store::Database::migrate(url));
  auto database = TRY(store::Database::open(url));
  TRY(settle_partner(*database, keys));
  TRY(settle_patients(*database, people));
  auto journal = TRY(audit::Journal::open(*database, {.node = "bench",
                                                      .key = certs::PrivateKey::generate_p256(),
                                                      .witness_file = (directory / "witness.jsonl").string()}));
  return std::unique_ptr<MeasuredHouse>(new MeasuredHouse(std::move(database), std::move(journal), keys));
}

MeasuredHouse::MeasuredHouse(std::unique_ptr<store::Database> database, std::unique_ptr<audit::Journal> journal,
                             const Keys& keys)
    : database_(std::move(database)),
      journal_(std::move(journal)),
      directory_(*database_, {.anchors = {keys.authority.credential().certificate}}),
      patients_(*database_),
      documents_(*database_),
      pending_(*database_),
      gateway_(settings(), directory_, patients_, documents_, pending_, *journal_,
               std::make_shared<xca::wss::Signer>(keys.signing)),
      door_({}, gateway_, *journal_, metrics_) {}

}  // namespace gateway::bench
