#include "gateway/patients/consents.hpp"

#include "gateway/patients/break_glass.hpp"
#include "gateway/resources/provision.hpp"

#include <algorithm>

namespace gateway::patients {
namespace {

using policy::Consent;
using policy::ConsentStatus;
using store::Value;

constexpr std::size_t versions_max = 10'000;  ///< of one person

/// The person's record, its row held until the transaction ends: two changes come one after the other.
struct Person {
  std::string id, clinic;
};
Result<Person> hold(store::Session& session, const std::string& named_id) {
  const auto held = TRY(session.execute("UPDATE patients SET updated_at = updated_at WHERE id = :p1 OR"
                                        " id = (SELECT survivor FROM patients r WHERE r.id = :p1)",
                                        {named_id}));
  if (held == 0) return fail(Errc::NoSuchPatient);
  const auto rows = TRY(session.select("SELECT p.id, p.clinic FROM patients r JOIN patients p"
                                       " ON p.id = COALESCE(r.survivor, r.id) WHERE r.id = :p1",
                                       "tt", {named_id}));
  return Person{rows.at(0).text(0), rows.at(0).text(1)};
}

/// Save order within the clinic: whoever saves holds the clinic's row of it until the commit.
Result<std::int64_t> next_number(store::Session& session, const std::string& clinic) {
  TRY(session.execute("UPDATE clinics SET consents = consents + 1 WHERE id = :p1", {clinic}));
  return TRY(session.select("SELECT consents FROM clinics WHERE id = :p1", "i", {clinic})).at(0).integer(0);
}

std::string_view word(SetBy set_by) { return set_by == SetBy::Patient ? "patient" : "staff"; }

constexpr std::string_view version_columns =
    "k.id, k.version, k.status, k.provision, k.set_by, k.actor, k.basis, k.given_at, k.set_at, k.source";
constexpr std::string_view version_letters = "titttttiit";
/// Of the person whose record is :p1, and of all records that were merged into it.
constexpr std::string_view of_person =
    " FROM consents k WHERE k.patient = :p1 OR k.patient IN (SELECT id FROM patients WHERE survivor = :p1)"
    " ORDER BY k.number";

ConsentRow read_version(const store::Row& row) {
  ConsentRow one{.consent = {.id = row.text(0), .version = row.integer(1)},
                 .set_by = row.text(4),
                 .actor = row.text(5),
                 .basis = row.text(6),
                 .source = row.text(9),
                 .given_at = base::from_micros(row.integer(7)),
                 .set_at = base::from_micros(row.integer(8))};
  const auto status = policy::consent_status(row.text(2));
  const auto document = base::json::Document::parse(row.text(3));
  one.readable = status && document;
  if (!one.readable) return one;
  one.consent.status = *status;
  const auto calendar = resources::Calendar::of("UTC");  // what is stored bears its zone
  auto read = calendar ? resources::read_provision((*document)->root(), *calendar)
                       : Result<resources::ReadProvision>(calendar.error());
  one.readable = bool(read);
  if (one.readable) one.consent.root = std::move(read->provision);
  return one;
}

bool forbids(const policy::Provision& provision) {
  return !provision.permits || std::ranges::any_of(provision.exceptions, forbids);
}

/// The same without what could open a label: one person's permit is none of the other's.
/// @param labelled  stands within what names a label
policy::Provision opening_nothing(policy::Provision provision, bool labelled = false) {
  labelled = labelled || !provision.labels.empty();
  if (provision.permits && labelled) provision.understood = false;
  for (auto& exception : provision.exceptions) exception = opening_nothing(std::move(exception), labelled);
  return provision;
}

Result<std::string> person_of(store::Session& session, const std::string& patient_id) {
  const auto rows =
      TRY(session.select("SELECT COALESCE(survivor, id) FROM patients WHERE id = :p1", "t", {patient_id}));
  if (rows.empty()) return fail(Errc::NoSuchPatient);
  return rows[0].text(0);
}

/// Versions of a consent stay with its first, whichever record stands for the person meanwhile: where records part,
/// what took a consent back goes with it.
Result<std::string> filed_under(store::Session& session, const std::string& consent, const std::string& named) {
  const auto rows =
      TRY(session.select("SELECT patient FROM consents WHERE id = :p1 ORDER BY version LIMIT 1", "t", {consent}));
  return rows.empty() ? named : rows[0].text(0);
}

}  // namespace

Result<void> check_readable(const policy::Provision& root) {
  const auto kept = TRY(base::json::Document::parse(resources::write_provision(root)));
  const auto utc = TRY(resources::Calendar::of("UTC"));
  TRY(resources::read_provision(kept->root(), utc));
  return {};
}

Result<void> write_version(store::Session& session, const Consent& consent, const Version& version) {
  const auto number = TRY(next_number(session, version.clinic));
  const auto record =
      TRY(filed_under(session, consent.id, version.record.empty() ? version.person : version.record));
  TRY(session.execute(
      "INSERT INTO consents (id, version, clinic, patient, number, status, provision, set_by, actor, basis, given_at,"
      " set_at, source) VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7, :p8, :p9, :p10, :p11, :p12, :p13)",
      {consent.id, consent.version, version.clinic, record, number, std::string(policy::word(consent.status)),
       resources::write_provision(consent.root), std::string(word(version.change.set_by)), version.change.actor,
       version.change.basis, base::to_micros(version.given_at), base::to_micros(version.now), version.source}));
  TRY(session.execute("UPDATE patients SET consents = consents + 1 WHERE id = :p1", {version.person}));
  return {};
}

Result<std::vector<ConsentRow>> versions_of(store::Session& session, const std::string& person_id) {
  std::vector<ConsentRow> versions;
  const auto sql = "SELECT " + std::string(version_columns) + std::string(of_person);
  for (const auto& row : TRY(session.select(sql, version_letters, {person_id}, versions_max)))
    versions.push_back(read_version(row));
  std::map<std::string_view, std::int64_t> last;
  for (const auto& one : versions) {
    auto& version = last[one.consent.id];
    version = std::max(version, one.consent.version);
  }
  for (auto& one : versions) one.last = last.at(one.consent.id) == one.consent.version;
  return versions;
}

Result<Consent> give_consent(store::Database& database, const std::string& patient_id, const NewConsent& given,
                             const ChoiceChange& change, Instant now) {
  if (base::trim(change.actor).empty()) return fail(Errc::ActorMissing);
  TRY(check_readable(given.root));  // what cannot be read again would refuse everything
  auto* session = TRY(database.session());
  Consent consent{.id = random_id(), .version = 1, .status = given.status, .root = given.root};
  TRY(session->transaction([&]() -> Result<void> {
    const auto person = TRY(hold(*session, patient_id));
    if (!given.source.empty()) {
      const auto same = TRY(session->select(
          "SELECT k.id, MAX(k.version) FROM consents k WHERE k.source = :p2 AND (k.patient = :p1 OR k.patient IN"
          " (SELECT id FROM patients WHERE survivor = :p1)) GROUP BY k.id",
          "ti",
          {person.id, given.source}));
      if (!same.empty()) {
        consent.id = same[0].text(0);
        consent.version = same[0].integer(1) + 1;
      }
    }
    return write_version(*session, consent, {.clinic = person.clinic, .person = person.id, .record = patient_id,
                                             .change = change, .source = given.source, .given_at = given.given_at,
                                             .now = now});
  }));
  return consent;
}

Result<Consent> revoke_consent(store::Database& database, const std::string& patient_id, const std::string& consent_id,
                               const ChoiceChange& change, Instant now) {
  if (base::trim(change.actor).empty()) return fail(Errc::ActorMissing);
  auto* session = TRY(database.session());
  std::optional<Consent> revoked;
  TRY(session->transaction([&]() -> Result<void> {
    const auto person = TRY(hold(*session, patient_id));
    const auto versions = TRY(versions_of(*session, person.id));
    const auto last = std::ranges::find_if(
        versions, [&](const ConsentRow& one) { return one.last && one.consent.id == consent_id; });
    if (last == versions.end()) return fail(Errc::NoSuchConsent);
    if (!last->readable) return fail(Errc::RecordUnreadable, "consents");
    if (last->consent.status == ConsentStatus::Revoked || last->consent.status == ConsentStatus::EnteredInError)
      return fail(Errc::NotRevocable);
    if (change.set_by == SetBy::Staff && last->set_by != "staff" && base::trim(change.basis).empty())
      return fail(Errc::BasisMissing);
    revoked = last->consent;
    revoked->version += 1;
    revoked->status = ConsentStatus::Revoked;
    return write_version(*session, *revoked, {.clinic = person.clinic, .person = person.id, .change = change,
                                              .source = last->source, .given_at = last->given_at, .now = now});
  }));
  return *revoked;
}

Result<std::vector<ConsentRow>> consent_history(store::Database& database, const std::string& patient_id) {
  auto* session = TRY(database.session());
  return versions_of(*session, TRY(person_of(*session, patient_id)));
}

namespace {

/// What was forbidden since then in records of the one, copied to the other. @param last  number of a version to copy
Result<void> copy_to(store::Session& session, const Parting& parting, const std::vector<std::string>& from,
                     const std::string& to, std::int64_t last) {
  const auto sql = "SELECT " + std::string(version_columns) +
                   " FROM consents k WHERE k.patient = :p1 AND k.set_at >= :p2 AND k.number <= :p3 ORDER BY k.number";
  std::map<std::string, std::pair<std::string, std::int64_t>> copies;  ///< of which id, and its last version
  for (const auto& record : from) {
    const auto rows =
        TRY(session.select(sql, version_letters, {record, base::to_micros(parting.since), last}, versions_max));
    for (const auto& row : rows) {
      const auto read = read_version(row);
      const bool revoked = read.readable && read.consent.status == ConsentStatus::Revoked;
      if (read.readable && !revoked && !forbids(read.consent.root)) continue;
      const auto copy = copies.try_emplace(read.consent.id, random_id(), 0).first;
      if (revoked && copy->second.second == 0) continue;  // the other never had it
      const auto number = TRY(next_number(session, parting.clinic));
      const auto version = ++copy->second.second;
      const auto provision =
          read.readable ? resources::write_provision(opening_nothing(read.consent.root)) : row.text(3);
      TRY(session.execute(
          "INSERT INTO consents (id, version, clinic, patient, number, status, provision, set_by, actor, basis,"
          " given_at, set_at, source) SELECT :p1, :p2, clinic, :p3, :p4, status, :p5, set_by, actor, basis,"
          " given_at, set_at, source FROM consents WHERE id = :p6 AND version = :p7",
          {copy->second.first, version, to, number, provision, read.consent.id, read.consent.version}));
    }
  }
  return {};
}

}  // namespace

Result<void> part_consents(store::Session& session, const Parting& parting) {
  const auto rows = TRY(session.select("SELECT consents FROM clinics WHERE id = :p1", "i", {parting.clinic}));
  if (rows.empty()) return fail(Errc::NoSuchClinic);
  const auto last = rows[0].integer(0);
  TRY(copy_to(session, parting, parting.ones, parting.others.front(), last));
  TRY(copy_to(session, parting, parting.others, parting.ones.front(), last));
  TRY(session.execute("UPDATE patients SET consents = (SELECT COUNT(*) FROM consents k WHERE k.patient = patients.id OR"
                      " k.patient IN (SELECT r.id FROM patients r WHERE r.survivor = patients.id))"
                      " WHERE id = :p1 OR id = :p2",
                      {parting.ones.front(), parting.others.front()}));
  return {};
}

Result<std::shared_ptr<const policy::ConsentFacts>> ConsentReader::of(const std::string& patient_id,
                                                                      std::int64_t rows) {
  if (rows == 0 && asker_ == Asker::Partner) return std::shared_ptr<const policy::ConsentFacts>();
  const auto known = read_.find(patient_id);
  if (known != read_.end()) return known->second;
  auto facts = std::make_shared<policy::ConsentFacts>();
  if (rows != 0) {
    auto versions = versions_of(session_, patient_id);
    if (!versions && versions.error().code != store::Errc::Unreadable) return versions.error();
    facts->readable = bool(versions);  // more than anybody reads is as unreadable as what nobody can
    if (versions) {
      for (auto& version : *versions) {
        facts->readable = facts->readable && version.readable;
        if (version.last) facts->consents.push_back(std::move(version.consent));
      }
    }
    // The patient has spoken: what cannot be found now was not "nothing".
    facts->readable = facts->readable && !facts->consents.empty();
  }
  if (asker_ == Asker::OwnStaff) facts->grants = TRY(grants_of_person(session_, patient_id));
  if (rows == 0 && facts->grants.empty()) facts = nullptr;
  return read_.emplace(patient_id, std::move(facts)).first->second;
}

Result<std::shared_ptr<const policy::ConsentFacts>> consent_facts(store::Database& database,
                                                                  const std::string& patient_id, Asker asker) {
  auto* session = TRY(database.session());
  const auto rows = TRY(session->select("SELECT p.id, p.consents FROM patients r JOIN patients p"
                                        " ON p.id = COALESCE(r.survivor, r.id) WHERE r.id = :p1",
                                        "ti", {patient_id}));
  if (rows.empty()) return fail(Errc::NoSuchPatient);
  return ConsentReader(*session, asker).of(rows[0].text(0), rows[0].integer(1));
}

}  // namespace gateway::patients
