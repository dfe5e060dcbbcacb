#include "gateway/patients/records.hpp"

#include "gateway/patients/shelf.hpp"
#include "gateway/resources/patient.hpp"

#include <algorithm>
#include <set>

namespace gateway::patients {
namespace {

using resources::FhirPatient;
using resources::ImportReport;
using store::Value;

constexpr std::size_t id_octets_max = 256;
constexpr std::size_t search_words_max = 6;

constexpr std::string_view record_columns = "p.id, p.clinic, p.mrn, p.demographics, p.entered_at, p.updated_at";
constexpr std::string_view record_letters = "ttttii";

Result<PatientRecord> read_record(const store::Row& row) {
  auto known = TRY(read_demographics(row.text(3)));
  return PatientRecord{.id = row.text(0),
                       .clinic = row.text(1),
                       .mrn = row.text(2),
                       .known = std::move(known),
                       .entered_at = base::from_micros(row.integer(4)),
                       .updated_at = base::from_micros(row.integer(5))};
}

/// A patient of a file, ready to be stored.
struct Row {
  std::string place, mrn;
  Known known;
};

/// True for what can stand in a CX: no delimiters, no control characters.
bool is_cx_part(const std::string& text) {
  return text.size() <= id_octets_max && std::ranges::none_of(text, [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || std::string_view("^&|~\\").find(c) != std::string_view::npos;
         });
}

/// The values of identifiers under one root or system.
std::set<std::string> values_under(const FhirPatient& patient, std::string_view system) {
  std::set<std::string> values;
  for (const auto& identifier : patient.identifiers) {
    if (identifier.system == system || resources::root_of_system(identifier.system) == system)
      values.insert(identifier.value);
  }
  return values;
}

/// @return the row, or the sentence that says why there is none
std::variant<Row, std::string> row_of(const FhirPatient& patient, const policy::Clinic& clinic,
                                      const ImportOptions& options) {
  if (!patient.active) return "the record is marked inactive";
  if (patient.person.names.empty()) return "the patient has no name";
  auto mrns = values_under(patient, clinic.assigning_authority);
  auto mrn_root = clinic.assigning_authority;
  if (mrns.empty() && !options.mrn_system.empty()) {
    mrns = values_under(patient, options.mrn_system);
    mrn_root = resources::root_of_system(options.mrn_system);
  }
  if (mrns.size() > 1) return "the patient has several identifiers under the clinic's assigning authority";
  if (mrns.empty() && patient.id.empty()) return "the patient has no identifier to be known by";
  const bool by_fhir_id = mrns.empty();

  Row row{.place = {}, .mrn = by_fhir_id ? patient.id : *mrns.begin(), .known = {.person = patient.person, .ids = {}}};
  if (!is_cx_part(row.mrn)) return "the patient's identifier has characters that no patient id can have";
  for (const auto& identifier : patient.identifiers) {
    Identifier id{.root = resources::root_of_system(identifier.system), .extension = identifier.value};
    const bool is_mrn = !by_fhir_id && id.root == mrn_root;
    if (!is_mrn && comparable(id) && std::ranges::find(row.known.ids, id) == row.known.ids.end()) {
      row.known.ids.push_back(std::move(id));
    }
  }
  return row;
}

Result<void> write_keys(store::Session& session, const policy::Clinic& clinic, const std::string& patient,
                        const Row& row) {
  TRY(session.execute("DELETE FROM patient_keys WHERE patient = :p1", {patient}));
  TRY(session.execute("DELETE FROM patient_ids WHERE patient = :p1", {patient}));
  for (const auto& key : keys_of(row.known.person)) {
    TRY(session.execute("INSERT INTO patient_keys (clinic, kind, value, patient) VALUES (:p1, :p2, :p3, :p4)",
                        {clinic.id, key.kind, key.first, patient}));
  }
  std::set<Identifier> ids{{clinic.assigning_authority, row.mrn}};
  for (const auto& raw : row.known.ids) {
    if (auto id = comparable(raw)) ids.insert(std::move(*id));
  }
  for (const auto& id : ids) {
    TRY(session.execute("INSERT INTO patient_ids (clinic, root, extension, patient) VALUES (:p1, :p2, :p3, :p4)",
                        {clinic.id, id.root, id.extension, patient}));
  }
  return {};
}

struct Counts {
  std::size_t inserted = 0, updated = 0, unchanged = 0;
};

Result<void> upsert(store::Session& session, const policy::Clinic& clinic, const Row& row, Instant now,
                    Counts& counts) {
  const auto demographics = write_demographics(row.known);
  const auto rows = TRY(session.select("SELECT id, demographics FROM patients WHERE clinic = :p1 AND mrn = :p2", "tt",
                                       {clinic.id, row.mrn}));
  if (!rows.empty() && rows[0].text(1) == demographics) {
    ++counts.unchanged;
    return {};
  }
  const auto id = rows.empty() ? random_id() : rows[0].text(0);
  if (rows.empty()) {
    TRY(
        session.execute("INSERT INTO patients (id, clinic, mrn, demographics, choice, entered_at, updated_at)"
                        " VALUES (:p1, :p2, :p3, :p4, NULL, :p5, :p5)",
                        {id, clinic.id, row.mrn, demographics, base::to_micros(now)}));
    ++counts.inserted;
  } else {
    TRY(session.execute("UPDATE patients SET demographics = :p1, updated_at = :p2 WHERE id = :p3",
                        {demographics, base::to_micros(now), id}));
    ++counts.updated;
  }
  return write_keys(session, clinic, id, row);
}

/// Rows on their way into the store, a transaction at a time.
class Batch {
 public:
  Batch(store::Session& session, const policy::Clinic& clinic, const ImportOptions& options, Instant now)
      : session_(session), clinic_(clinic), options_(options), now_(now) {}

  Result<void> add(const std::string& place, const Result<base::json::Value>& resource) {
    if (!resource) {
      report_.skip(place, resource.error());
      return {};
    }
    const auto patient = resources::read_patient(*resource);
    if (!patient) {
      report_.skip(place, patient.error());
      return {};
    }
    auto row = row_of(*patient, clinic_, options_);
    if (auto* reason = std::get_if<std::string>(&row)) {
      report_.skip(place, std::move(*reason));
      return {};
    }
    rows_.push_back(std::get<Row>(std::move(row)));
    if (rows_.size() < options_.rows_per_transaction) return {};
    return store();
  }

  Result<void> store() {
    Counts counts;
    TRY(session_.transaction([&]() -> Result<void> {
      for (const auto& row : rows_) TRY(upsert(session_, clinic_, row, now_, counts));
      return {};
    }));
    rows_.clear();
    report_.inserted += counts.inserted;
    report_.updated += counts.updated;
    report_.unchanged += counts.unchanged;
    if (options_.progress) options_.progress(report_.inserted + report_.updated + report_.unchanged + report_.skipped);
    return {};
  }

  ImportReport take_report() { return std::move(report_); }

 private:
  store::Session& session_;
  const policy::Clinic& clinic_;
  const ImportOptions& options_;
  Instant now_;
  std::vector<Row> rows_;
  ImportReport report_;
};

Result<void> delete_contents_without_documents(store::Session& session, const std::string& hash) {
  const auto left = TRY(session.select("SELECT entry_uuid FROM documents WHERE content = :p1 LIMIT 1", "t", {hash}));
  if (!left.empty()) return {};
  TRY(session.execute("DELETE FROM content_pieces WHERE hash = :p1", {hash}));
  TRY(session.execute("DELETE FROM contents WHERE hash = :p1", {hash}));
  return {};
}

PatientQuery query_of(const Known& described) {
  PatientQuery query;
  query.sought = described.person;
  query.ids = described.ids;
  const auto& date = described.person.birth_date;
  if (date.size() >= 4 && date.size() <= 8) {
    constexpr std::string_view last = "99991231";
    query.birth = xca::hl7v3::BirthDates{.first = date + std::string("00000101").substr(date.size()),
                                         .last = date + std::string(last.substr(date.size()))};
  }
  return query;
}

Result<std::vector<PatientRecord>> select_records(store::Session& session, const std::string& where,
                                                  std::span<const Value> parameters) {
  const auto sql = "SELECT " + std::string(record_columns) + " FROM patients p WHERE " + where;
  std::vector<PatientRecord> records;
  for (const auto& row : TRY(session.select(sql, record_letters, parameters))) records.push_back(TRY(read_record(row)));
  return records;
}

}  // namespace

Result<ImportReport> import_patients(store::Database& database, const policy::Clinic& clinic, BytesView file,
                                     const ImportOptions& options, Instant now) {
  auto* session = TRY(database.session());
  Batch batch(*session, clinic, options, now);
  TRY(resources::read_bundle_or_ndjson(file, [&](const std::string& place, const Result<base::json::Value>& resource) {
    return batch.add(place, resource);
  }));
  TRY(batch.store());
  return batch.take_report();
}

Result<std::vector<PatientRecord>> search_patients(store::Database& database, const policy::Clinic& clinic,
                                                   const PatientSearch& search) {
  std::vector<Value> parameters;
  const auto next = [&](std::string value) {
    parameters.push_back(std::move(value));
    return ":p" + std::to_string(parameters.size());
  };
  const auto of_clinic = next(clinic.id);
  std::string where = "p.clinic = " + of_clinic;
  const auto with_key = [&](std::string pattern) {
    return "p.id IN (SELECT patient FROM patient_keys WHERE clinic = " + of_clinic + " AND value LIKE " +
           next(std::move(pattern)) + ")";
  };
  if (const auto text = base::trim(search.words); !text.empty()) {
    const auto whole = next(std::string(text));
    where += " AND (p.mrn = " + whole + " OR p.id = " + whole +
             " OR p.id IN (SELECT patient FROM patient_ids WHERE clinic = " + of_clinic + " AND extension = " + whole +
             ")";
    auto words = name_words(text);
    if (words.size() > search_words_max) words.resize(search_words_max);
    std::string by_name;
    for (const auto& word : words) by_name += (by_name.empty() ? "" : " AND ") + with_key(word + "%");
    where += (by_name.empty() ? "" : " OR (" + by_name + ")") + ")";
  }
  std::string date;
  std::ranges::copy_if(search.birth_date, std::back_inserter(date), [](char c) { return c >= '0' && c <= '9'; });
  if (!date.empty()) where += " AND " + with_key("%|" + date + "%");
  where += " ORDER BY p.mrn LIMIT " + std::to_string(search.limit);
  auto* session = TRY(database.session());
  return select_records(*session, where, parameters);
}

Result<PatientRecord> show_patient(store::Database& database, const policy::Clinic& clinic,
                                   std::string_view id_or_mrn) {
  auto* session = TRY(database.session());
  const Value parameters[] = {clinic.id, std::string(id_or_mrn)};
  auto records = TRY(select_records(*session, "p.clinic = :p1 AND (p.id = :p2 OR p.mrn = :p2)", parameters));
  if (records.empty()) return fail(Errc::NoSuchPatient);
  if (records.size() > 1) return fail(Errc::AmbiguousPatient);
  return std::move(records.front());
}

Result<void> delete_patient(store::Database& database, const policy::Clinic& clinic, const std::string& patient_id) {
  auto* session = TRY(database.session());
  return session->transaction([&]() -> Result<void> {
    const auto known =
        TRY(session->select("SELECT id FROM patients WHERE id = :p1 AND clinic = :p2", "t", {patient_id, clinic.id}));
    if (known.empty()) return fail(Errc::NoSuchPatient);
    const auto contents =
        TRY(session->select("SELECT DISTINCT content FROM documents WHERE patient = :p1", "t", {patient_id}));
    for (const char* table : {"associations", "folders", "submission_sets", "documents", "patient_keys", "patient_ids",
                              "purpose_choices"}) {
      TRY(session->execute("DELETE FROM " + std::string(table) + " WHERE patient = :p1", {patient_id}));
    }
    for (const auto& row : contents) TRY(delete_contents_without_documents(*session, row.text(0)));
    TRY(session->execute("DELETE FROM patients WHERE id = :p1", {patient_id}));
    return {};
  });
}

Result<PatientRecord> patient_meant(store::Database& database, const policy::Clinic& clinic, const Known& described) {
  const auto query = query_of(described);
  const auto ours = std::ranges::find(described.ids, clinic.assigning_authority, &Identifier::root);
  if (ours != described.ids.end()) {
    auto record = TRY(show_patient(database, clinic, ours->extension));
    auto known = record.known;
    known.ids.push_back({clinic.assigning_authority, record.mrn});
    if (record.mrn == ours->extension && score(query, known).points >= weak_score) return record;
    return fail(Errc::NoSuchPatient, "the id is known here, for a person of other demographics");
  }
  const auto found = TRY(PatientShelf(database).match(clinic, query));
  if (found.matches.empty()) return fail(Errc::NoSuchPatient);
  if (found.matches.size() > 1 || !found.wanted.empty()) return fail(Errc::AmbiguousPatient);
  return show_patient(database, clinic, found.matches.front().id);
}

}  // namespace gateway::patients
