#pragma once
// Metadata without documents: an ebRIM 3.0 SubmitObjectsRequest, stored as it stands. Append-only: what is held already
// is never changed but by what a registry does, deprecating what is replaced and dating folders. [ITI TF-2 §3.42]

#include "gateway/documents/shelf.hpp"

namespace gateway::documents {

/// Whether a file is a SubmitObjectsRequest or a list of registry objects: whose reading is import_submission's.
bool is_submission(BytesView file);

struct ImportedSubmission {
  Imported outcome = Imported::Inserted;
  std::string patient_id;
  xca::ebxml::SubmissionSet set;
};

/// Stores a submission for a patient of this clinic, in one transaction. Symbolic ids become UUIDs; the same submission
/// again is unchanged. Labels are those of the metadata and of what an entry replaces or adds to. A retrieve of entries
/// finds nothing: they have no bytes. Repository and home are the clinic's: that is where they are asked for.
/// @error base::xml::Errc, xca::ebxml::Errc::BadMetadata, BadSubmission, SeveralPatients; Errc::ForeignAuthority,
///        UnknownReference, OtherPatientsReference, DeprecatedReference, UuidTaken, UniqueIdTaken;
///        patients::Errc::NoSuchPatient
Result<ImportedSubmission> import_submission(store::Database& database, const policy::Clinic& clinic, BytesView file,
                                             Instant now);

}  // namespace gateway::documents
