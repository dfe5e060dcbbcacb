#pragma once
// Records found to be one person's: merged into one, and taken apart again. History is append-only. [design §4; C07]
// A retired record keeps its row, its keys and its choices; its identifiers find the survivor, with the survivor's
// rights. Its documents are filed under the survivor and know where they came from.

#include "gateway/patients/record.hpp"

namespace gateway::patients {

struct MergeChange {
  std::string actor;   ///< who, by name
  std::string reason;  ///< why, for the record
};

/// The survivor's own set of purposes becomes what both permit, where either has one. A survivor that was merged itself
/// stands for its own survivor.
/// @error Errc::NoSuchPatient, Errc::MergeCycle, Errc::AlreadyMerged, Errc::RecordUnreadable (a choice that cannot be
///        read: nothing is merged), Errc::ActorMissing
Result<void> merge_patients(store::Database& database, const policy::Clinic& clinic, std::string_view survivor_id,
                            std::string_view retired_id, const MergeChange& change, Instant now);

/// Both have again what each chose before, without what was denied while they were one. Documents that came with the
/// retired record go back with it.
/// @error Errc::NoSuchPatient, Errc::NotMerged, Errc::MergedFurther, Errc::RecordUnreadable, Errc::ActorMissing
Result<void> unmerge_patient(store::Database& database, const policy::Clinic& clinic, std::string_view retired_id,
                             const MergeChange& change, Instant now);

/// One merge or unmerge, oldest first; all that a record took part in.
struct MergeRow {
  bool merged = true;
  std::string survivor_mrn, retired_mrn;  ///< empty for a record that was removed since
  std::string actor, reason;
  Instant done_at{};
};
Result<std::vector<MergeRow>> merge_history(store::Database& database, const std::string& patient_id);
/// Our id of the record with that id or mrn itself, merged or not. @error Errc::NoSuchPatient, Errc::AmbiguousPatient
Result<std::string> record_named(store::Database& database, const policy::Clinic& clinic, std::string_view id_or_mrn);

/// Our ids of all records that are one person's now: the survivor's first. @error Errc::NoSuchPatient
Result<std::vector<std::string>> records_of_person(store::Database& database, const std::string& patient_id);

}  // namespace gateway::patients
