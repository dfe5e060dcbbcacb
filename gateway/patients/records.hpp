#pragma once
// Patients as commands handle them: import, search, show, delete.

#include "gateway/patients/record.hpp"
#include "gateway/resources/bundle.hpp"

namespace gateway::patients {

struct ImportOptions {
  std::string mrn_system = {};  ///< identifier system taken as mrn where none is of the clinic's authority
  std::size_t rows_per_transaction = 2000;  ///< meanwhile nobody else writes
  std::function<void(std::size_t rows)> progress = {};
};

/// Imports FHIR Patients of a Bundle or NDJSON file. Known by clinic and mrn: demographics are brought up to date,
/// a choice never is. The mrn is the identifier under the clinic's authority, else under mrn_system, else Patient.id.
/// @error of the file as a whole or of the store; bad rows are skipped and reported
Result<resources::ImportReport> import_patients(store::Database& database, const policy::Clinic& clinic, BytesView file,
                                                const ImportOptions& options, Instant now);

/// What a search names; empty fields are not compared.
struct PatientSearch {
  std::string words = {};       ///< names, mrn or any identifier's extension
  std::string birth_date = {};  ///< YYYYMMDD or YYYY-MM-DD
  std::size_t limit = 50;
};
Result<std::vector<PatientRecord>> search_patients(store::Database& database, const policy::Clinic& clinic,
                                                   const PatientSearch& search);
/// By our id or mrn; for a retired record, the one it was merged into. @error Errc::NoSuchPatient
Result<PatientRecord> show_patient(store::Database& database, const policy::Clinic& clinic, std::string_view id_or_mrn);
/// Removes the patient with keys, words, documents, choices and consents; contents that no document names any more go
/// too. The numbers stay, so that who is entered again under one gets no HIE consent by default.
/// @error Errc::NoSuchPatient, Errc::HasRetired, Errc::AwaitsReview
Result<void> delete_patient(store::Database& database, const policy::Clinic& clinic, const std::string& patient_id);

/// The patients a document may be of: by ids under roots we know, else by score. For imports.
/// @error Errc::NoSuchPatient, Errc::AmbiguousPatient
Result<PatientRecord> patient_meant(store::Database& database, const policy::Clinic& clinic, const Known& described);

}  // namespace gateway::patients
