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
    const auto part = TRY(part_of(person));
    if (!part) {
      exported_.unreadable.push_back(person.mrn);
      return {};
    }
    if (part->entries.empty()) return {};
    exported_.patients.push_back(person.id);
    exported_.consents += part->consents;
    exported_.choices += part->choices;
    entries_.append(entries_.empty() ? "" : ",\n").append(part->entries);
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
  /// All that is exported of one patient.
  struct Part {
    std::string entries;
    std::size_t consents = 0, choices = 0;
  };

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

  static void add_entry(Part& part, const std::string& id, const std::string& resource) {
    auto& entries = part.entries;
    entries.append(entries.empty() ? "" : ",\n").append("{\"fullUrl\":\"urn:uuid:").append(uuid_of(id));
    entries.append("\",\"resource\":").append(resource).append("}");
  }

  void add_choice(Part& part, const HeldPerson& person, const HeldChoice& choice) const {
    const bool is_own = choice.source == std::string(resources::own_consents) + "|" + choice.id;
    add_entry(part, choice.id,
              resources::write_choice({.purposes = *choice.purposes, .id = choice.id, .set_by = choice.set_by},
                                      choice.given_at,
                                      parties(person, choice.set_by, choice.actor,
                                              is_own ? std::string() : choice.source)));
    ++part.choices;
  }

  void add_consent(Part& part, const HeldPerson& person, const ConsentRow& row) const {
    add_entry(part, row.consent.id,
              resources::write_consent(row.consent, row.given_at, parties(person, row.set_by, row.actor, row.source),
                                       resources::consents_policy));
    ++part.consents;
  }

  /// @return nothing where anything of the patient cannot be read
  Result<std::optional<Part>> part_of(const HeldPerson& person) const {
    if (!person.readable) return std::optional<Part>();
    Part part;
    if (person.choice && person.choice->purposes && is_wanted(person.choice->set_at))
      add_choice(part, person, *person.choice);
    if (person.consents == 0) return std::optional(std::move(part));
    const auto versions = versions_of(session_, person.id);
    if (!versions && versions.error().code != store::Errc::Unreadable) return versions.error();
    if (!versions || versions->empty() || !std::ranges::all_of(*versions, &ConsentRow::readable))
      return std::optional<Part>();
    for (const ConsentRow& row : *versions) {
      if (row.last && is_wanted(row.set_at)) add_consent(part, person, row);
    }
    return std::optional(std::move(part));
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
