#pragma once
// Documents for the corridors and the commands: metadata in the store, content by its hash in pieces.

#include "gateway/documents/cda.hpp"
#include "gateway/exchange/ports.hpp"
#include "gateway/store/database.hpp"

namespace gateway::documents {

using base::Bytes;
using base::Instant;

class DocumentShelf final : public exchange::Documents {
 public:
  explicit DocumentShelf(store::Database& database) : database_(database) {}
  /// Entries of the patient with that mrn under the clinic's authority, or of the one it was merged into; a patient we
  /// do not know has none.
  Result<std::vector<policy::Held<xca::ebxml::DocumentEntry>>> find(const policy::Clinic& clinic,
                                                                    const xca::ebxml::FindDocuments& query) override;
  Result<std::vector<policy::Held<xca::ebxml::DocumentEntry>>> get(const policy::Clinic& clinic,
                                                                   const xca::ebxml::GetDocuments& query) override;
  /// @error store::Errc::Unreadable where pieces are missing or the hash differs, Errc::NoSuchDocument
  Result<Bytes> content(const xca::ebxml::DocumentEntry& entry) override;

 private:
  store::Database& database_;
};

struct DocumentImport {
  std::string patient_id = {};             ///< our id; empty: whom the header means
  std::optional<Code> facility_type = {};  ///< instead of the shipped default
  std::optional<Code> practice_setting = {};
};
enum class Imported { Inserted, Unchanged };
struct ImportedDocument {
  Imported outcome = Imported::Inserted;
  std::string patient_id;
  xca::ebxml::DocumentEntry entry;
};

/// Stores one C-CDA file with the metadata of its header. The same bytes again are unchanged.
/// @error Errc::UniqueIdTaken, Errc::OtherPatient, those of read_cda_header, patients::Errc::NoSuchPatient,
///        patients::Errc::AmbiguousPatient
Result<ImportedDocument> import_document(store::Database& database, const policy::Clinic& clinic, BytesView cda,
                                         const DocumentImport& options, Instant now);

/// A patient's entries, newest first, whatever their status.
Result<std::vector<xca::ebxml::DocumentEntry>> list_documents(store::Database& database, const policy::Clinic& clinic,
                                                              const std::string& patient_id);
/// By entry uuid (with or without urn:uuid:) or unique id. @error Errc::NoSuchDocument
Result<xca::ebxml::DocumentEntry> show_document(store::Database& database, const policy::Clinic& clinic,
                                                std::string_view id);

}  // namespace gateway::documents
