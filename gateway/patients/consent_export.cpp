#include "gateway/patients/consent_files.hpp"

#include <algorithm>

namespace gateway::patients {
namespace {

constexpr std::size_t patients_at_once = 500;

std::string uuid_of(const std::string& id) {
  if (id.size() != 32) return id;
  return id.substr(0, 8) + "-" + id.substr(8, 4) + "-" + id.substr(12, 4) + "-" + id.substr(16, 4) + "-" +
         id.substr(20);
}

class Exporter {
 public:
  Exporter(store::Session& session, const policy::Clinic& clinic, const ConsentExportOptions& options)
      : session_(session), clinic_(clinic), options_(options) {}

  Result<void> add(const std::string& record) {
    const auto person = TRY(held_person(session_, clinic_, record));
    const auto before = exported_.consents + exported_.choices;
    if (!person.readable) return unreadable(person);
    if (person.choice && person.choice->purposes && is_wanted(person.choice->set_at))
      add_choice(person, *person.choice);
    if (person.consents > 0) TRY(add_consents(person));
    if (before != exported_.consents + exported_.choices) exported_.patients.push_back(person.id);
    if (entries_.size() > options_.bytes)
      return fail(resources::Errc::TooMuch, "the Bundle; export fewer patients at once");
    return {};
  }

  ConsentExport take() {
    exported_.bundle = R"({"resourceType":"Bundle","type":"collection")";
    if (!entries_.empty()) exported_.bundle.append(",\"entry\":[\n").append(entries_).append("\n]");
    exported_.bundle += "}\n";
    return std::move(exported_);
  }

 private:
  static base::Error unreadable(const HeldPerson& person) {
    return fail(Errc::RecordUnreadable, "consents of the patient with our id " + person.id);
  }
  bool is_wanted(Instant saved) const { return !options_.since || *options_.since <= saved; }

  /// @param in_words  who gave it, where it was not the patient
  resources::ConsentParties parties(const HeldPerson& person, const std::string& set_by, const std::string& in_words,
                                    const std::string& source) const {
    return {.patient_id = person.id,
            .patient_identifier = {.system = "urn:oid:" + clinic_.assigning_authority, .value = person.mrn},
            .organization = clinic_.home,
            .organization_name = clinic_.name,
            .performer = set_by == "patient" ? std::string() : in_words,
            .source = source};
  }

  void add_entry(const std::string& id, const std::string& resource) {
    entries_.append(entries_.empty() ? "" : ",\n").append("{\"fullUrl\":\"urn:uuid:").append(uuid_of(id));
    entries_.append("\",\"resource\":").append(resource).append("}");
  }

  void add_choice(const HeldPerson& person, const HeldChoice& choice) {
    const bool is_own = choice.source == std::string(resources::own_consents) + "|" + choice.id;
    add_entry(choice.id, resources::write_choice({.purposes = *choice.purposes, .id = choice.id,
                                                  .set_by = choice.set_by},
                                                 choice.given_at,
                                                 parties(person, choice.set_by, choice.actor,
                                                         is_own ? std::string() : choice.source)));
    ++exported_.choices;
  }

  Result<void> add_consents(const HeldPerson& person) {
    const auto versions = TRY(versions_of(session_, person.id));
    if (versions.empty()) return unreadable(person);
    for (const auto& one : versions) {
      if (!one.readable) return unreadable(person);
      if (!one.last || !is_wanted(one.set_at)) continue;
      add_entry(one.consent.id,
                resources::write_consent(one.consent, one.given_at, parties(person, one.set_by, one.actor, one.source),
                                         resources::consents_policy));
      ++exported_.consents;
    }
    return {};
  }

  store::Session& session_;
  const policy::Clinic& clinic_;
  const ConsentExportOptions& options_;
  std::string entries_ = {};
  ConsentExport exported_ = {};
};

/// The next patients of the clinic of whom there is anything to export, in the order of our ids.
Result<std::vector<std::string>> patients_after(store::Session& session, const std::string& clinic,
                                                const std::string& after) {
  const auto rows = TRY(session.select(
      "SELECT id FROM patients WHERE clinic = :p1 AND survivor IS NULL AND (choice IS NOT NULL OR consents > 0) AND"
      " id > :p2 ORDER BY id LIMIT " + std::to_string(patients_at_once),
      "t", {clinic, after}));
  std::vector<std::string> ids;
  for (const auto& row : rows) ids.push_back(row.text(0));
  return ids;
}

}  // namespace

Result<ConsentExport> export_consents(store::Database& database, const policy::Clinic& clinic,
                                      const ConsentExportOptions& options) {
  auto* session = TRY(database.session());
  Exporter exporter(*session, clinic, options);
  if (!options.patients.empty()) {
    for (const auto& patient : options.patients) TRY(exporter.add(patient));
    return exporter.take();
  }
  std::size_t done = 0;
  for (std::string after;;) {
    const auto ids = TRY(patients_after(*session, clinic.id, after));
    if (ids.empty()) return exporter.take();
    for (const auto& id : ids) TRY(exporter.add(id));
    after = ids.back();
    done += ids.size();
    if (options.progress) options.progress(done);
  }
}

}  // namespace gateway::patients
