#include "gateway/patients/records.hpp"

#include "gateway/patients/hie_consents.hpp"
#include "gateway/patients/index.hpp"
#include "gateway/patients/names.hpp"
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
constexpr std::string_view last_letter = "\xF4\x8F\xBF\xBF";  ///< U+10FFFF: behind every word that begins alike

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

/// By what a person is known who comes again: the mrn and every other identifier that tells persons apart, but an SSN,
/// as CX.
std::vector<std::string> numbers_of(const policy::Clinic& clinic, const std::string& mrn, const Known& known) {
  std::vector<std::string> numbers{base::write_cx({clinic.assigning_authority, mrn})};
  for (const auto& id : known.ids)
    if (const auto told = comparable(id); told && id.root != ssn_root) numbers.push_back(base::write_cx(*told));
  return numbers;
}

struct Counts {
  std::size_t inserted = 0, updated = 0, unchanged = 0;
};

/// One transaction's worth of rows, no record number twice: those we know are brought up to date, the others entered.
class Entering {
 public:
  Entering(store::Session& session, const policy::Clinic& clinic, IndexRows& index, Instant now)
      : session_(session), clinic_(clinic), index_(index), now_(now) {}

  Result<Counts> run(const std::vector<Row>& rows) {
    std::vector<const Row*> fresh;
    for (const auto& row : rows) {
      if (!TRY(bring_up_to_date(row))) fresh.push_back(&row);
    }
    TRY(insert(fresh));
    TRY(index_.store(session_));
    return counts_;
  }

 private:
  /// @return whether the patient was known
  Result<bool> bring_up_to_date(const Row& row) {
    const auto held =
        TRY(session_.select("SELECT id, number, demographics FROM patients WHERE clinic = :p1 AND mrn = :p2", "tit",
                            {clinic_.id, row.mrn}));
    if (held.empty()) return false;
    const auto demographics = write_demographics(row.known);
    if (held[0].text(2) == demographics) {
      ++counts_.unchanged;
      return true;
    }
    const auto before = TRY(read_demographics(held[0].text(2)));
    index_.remove(held[0].integer(1), before, row.mrn);
    index_.add(held[0].integer(1), row.known, row.mrn);
    TRY(session_.execute("UPDATE patients SET demographics = :p1, updated_at = :p2 WHERE id = :p3",
                         {demographics, base::to_micros(now_), held[0].text(0)}));
    ++counts_.updated;
    return true;
  }

  Result<void> insert(const std::vector<const Row*>& fresh) {
    if (fresh.empty()) return {};
    auto number = TRY(take_numbers(session_, fresh.size()));
    const auto at = base::to_micros(now_);
    std::vector<Newcomer> newcomers;
    std::vector<Value> values;
    for (const Row* row : fresh) {
      index_.add(number, row->known, row->mrn);
      const auto id = random_id();
      newcomers.push_back({.id = id, .numbers = numbers_of(clinic_, row->mrn, row->known)});
      values.insert(values.end(), {id, number++, clinic_.id, row->mrn, write_demographics(row->known), at, at});
    }
    counts_.inserted += fresh.size();
    TRY(session_.insert_rows("patients (id, number, clinic, mrn, demographics, entered_at, updated_at)", 7, values));
    return enter_default_consents(session_, clinic_, newcomers, now_);
  }

  store::Session& session_;
  const policy::Clinic& clinic_;
  IndexRows& index_;
  Instant now_;
  Counts counts_;
};

/// Rows on their way into the store, a transaction at a time.
class Batch {
 public:
  Batch(store::Session& session, const policy::Clinic& clinic, IndexRows index, const ImportOptions& options,
        Instant now)
      : session_(session), clinic_(clinic), index_(std::move(index)), options_(options), now_(now) {}

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
    auto& good = std::get<Row>(row);
    if (!mrns_.insert(good.mrn).second) {  // a second line about somebody brings the first up to date
      TRY(store());
      mrns_.insert(good.mrn);
    }
    rows_.push_back(std::move(good));
    if (rows_.size() < options_.rows_per_transaction) return {};
    return store();
  }

  Result<void> store() {
    Counts counts;
    TRY(session_.transaction([&]() -> Result<void> {
      counts = TRY(Entering(session_, clinic_, index_, now_).run(rows_));
      return {};
    }));
    rows_.clear();
    mrns_.clear();
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
  IndexRows index_;
  const ImportOptions& options_;
  Instant now_;
  std::vector<Row> rows_;
  std::set<std::string> mrns_;  ///< of rows_
  ImportReport report_;
};

Result<void> delete_contents_without_documents(store::Session& session, const std::string& hash) {
  const auto left = TRY(session.select("SELECT entry_uuid FROM documents WHERE content = :p1 LIMIT 1", "t", {hash}));
  if (!left.empty()) return {};
  TRY(session.execute("DELETE FROM content_pieces WHERE hash = :p1", {hash}));
  TRY(session.execute("DELETE FROM contents WHERE hash = :p1", {hash}));
  return {};
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
  auto index = TRY(IndexRows::of(*session, clinic));
  Batch batch(*session, clinic, std::move(index), options, now);
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
    parameters.emplace_back(std::in_place_type<std::string>, std::move(value));
    return ":p" + std::to_string(parameters.size());
  };
  const auto of_clinic = next(clinic.id);
  const auto with_word = [&](const std::string& from, const std::string& to) {
    const auto first = next(from), last = next(to);
    return "SELECT patient FROM patient_words WHERE clinic = (SELECT number FROM clinics WHERE id = " + of_clinic +
           ") AND word BETWEEN " + first + " AND " + last;
  };
  const auto beginning_with = [&](const std::string& word) { return with_word(word, word + std::string(last_letter)); };
  std::string where = "p.clinic = " + of_clinic + " AND p.survivor IS NULL";
  const auto narrow = [&](const std::string& numbers) {
    where += " AND p.id IN (SELECT COALESCE(r.survivor, r.id) FROM patients r WHERE r.clinic = " + of_clinic +
             " AND r.number IN (" + numbers + "))";
  };
  if (const auto text = std::string(base::trim(search.words)); !text.empty()) {
    const auto whole = next(text);
    auto numbers = "SELECT number FROM patients WHERE clinic = " + of_clinic + " AND (mrn = " + whole +
                   " OR id = " + whole + ") UNION " + with_word("#" + text, "#" + text);
    auto words = name_words(text);
    if (words.size() > search_words_max) words.resize(search_words_max);
    std::string by_name;
    for (const auto& word : words) by_name += (by_name.empty() ? "" : " INTERSECT ") + beginning_with(word);
    if (!by_name.empty()) numbers += " UNION SELECT patient FROM (" + by_name + ") n";
    narrow(numbers);
  }
  std::string date;
  std::ranges::copy_if(search.birth_date, std::back_inserter(date), [](char c) { return c >= '0' && c <= '9'; });
  if (!date.empty()) narrow(beginning_with(date));
  where += " ORDER BY p.mrn LIMIT " + std::to_string(search.limit);
  auto* session = TRY(database.session());
  return select_records(*session, where, parameters);
}

Result<PatientRecord> show_patient(store::Database& database, const policy::Clinic& clinic,
                                   std::string_view id_or_mrn) {
  auto* session = TRY(database.session());
  const auto sql = "SELECT " + std::string(record_columns) +
                   ", r.id, p.survivor FROM patients r JOIN patients p ON p.id = COALESCE(r.survivor, r.id)"
                   " WHERE r.clinic = :p1 AND (r.id = :p2 OR r.mrn = :p2) AND p.clinic = :p1";
  const auto rows =
      TRY(session->select(sql, std::string(record_letters) + "tt", {clinic.id, std::string(id_or_mrn)}));
  if (rows.empty()) return fail(Errc::NoSuchPatient);
  if (rows.size() > 1) return fail(Errc::AmbiguousPatient);
  if (!rows[0].is_null(7)) return fail(Errc::RecordUnreadable, "a survivor that is retired itself");
  auto record = TRY(read_record(rows[0]));
  if (rows[0].text(6) != record.id) record.named_as = rows[0].text(6);
  return record;
}

Result<void> delete_patient(store::Database& database, const policy::Clinic& clinic, const std::string& patient_id) {
  auto* session = TRY(database.session());
  return session->transaction([&]() -> Result<void> {
    const auto known =
        TRY(session->select("SELECT number, mrn, demographics FROM patients WHERE id = :p1 AND clinic = :p2", "itt",
                            {patient_id, clinic.id}));
    if (known.empty()) return fail(Errc::NoSuchPatient);
    const auto retired =
        TRY(session->select("SELECT id FROM patients WHERE survivor = :p1 LIMIT 1", "t", {patient_id}));
    if (!retired.empty()) return fail(Errc::HasRetired);
    const auto waiting = TRY(session->select(
        "SELECT id FROM break_glass WHERE patient = :p1 AND reviewed_by = '' LIMIT 1", "t", {patient_id}));
    if (!waiting.empty()) return fail(Errc::AwaitsReview);
    const auto contents =
        TRY(session->select("SELECT DISTINCT content FROM documents WHERE patient = :p1", "t", {patient_id}));
    TRY(session->execute("DELETE FROM document_labels WHERE document IN"
                         " (SELECT entry_uuid FROM documents WHERE patient = :p1)", {patient_id}));
    TRY(session->execute("DELETE FROM document_parents WHERE child IN"
                         " (SELECT entry_uuid FROM documents WHERE patient = :p1)", {patient_id}));
    for (const char* table : {"associations", "folders", "submission_sets", "documents", "purpose_choices", "consents",
                              "break_glass", "hie_consents"}) {
      TRY(session->execute("DELETE FROM " + std::string(table) + " WHERE patient = :p1", {patient_id}));
    }
    for (const auto& row : contents) TRY(delete_contents_without_documents(*session, row.text(0)));
    auto index = TRY(IndexRows::of(*session, clinic));
    const auto demographics = TRY(read_demographics(known[0].text(2)));
    index.remove(known[0].integer(0), demographics, known[0].text(1));
    TRY(index.store(*session));
    TRY(remember_former(*session, clinic, numbers_of(clinic, known[0].text(1), demographics)));
    TRY(session->execute("DELETE FROM patients WHERE id = :p1", {patient_id}));
    return {};
  });
}

Result<PatientRecord> patient_meant(store::Database& database, const policy::Clinic& clinic, const Known& described) {
  const auto query = query_of(described);
  const auto ours = std::ranges::find(described.ids, clinic.assigning_authority, &Identifier::root);
  if (ours != described.ids.end()) {
    auto* session = TRY(database.session());
    const Value parameters[] = {clinic.id, ours->extension};
    const auto records = TRY(select_records(*session, "p.clinic = :p1 AND p.mrn = :p2", parameters));
    if (records.size() == 1) {
      auto known = records[0].known;
      known.ids.push_back({clinic.assigning_authority, records[0].mrn});
      if (score(query, known).points >= weak_score) return show_patient(database, clinic, records[0].id);
    }
    return fail(Errc::NoSuchPatient, "the id is unknown here, or known for a person of other demographics");
  }
  const auto found = TRY(PatientShelf(database).match(clinic, query));
  if (found.matches.empty()) return fail(Errc::NoSuchPatient);
  if (found.matches.size() > 1 || !found.wanted.empty()) return fail(Errc::AmbiguousPatient);
  return show_patient(database, clinic, found.matches.front().id);
}

}  // namespace gateway::patients
