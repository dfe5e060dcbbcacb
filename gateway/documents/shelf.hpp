#pragma once
// Documents for the corridors and the commands: metadata in the store, content by its hash in pieces.

#include "gateway/documents/cda.hpp"
#include "gateway/documents/seal.hpp"
#include "gateway/exchange/ports.hpp"
#include "gateway/store/database.hpp"

namespace gateway::documents {

using base::Bytes;
using base::Instant;

/// How much one stored query may read of one patient; of a patient who has more, the answer says that it is too large.
struct ShelfLimits {
  std::size_t entries = 10'000;
  std::size_t packages = 10'000;      ///< submission sets, and again folders
  std::size_t associations = 40'000;
};

class DocumentShelf final : public exchange::Documents {
 public:
  /// @param seal  that of imports; without it content is proved by its hash
  explicit DocumentShelf(store::Database& database, std::optional<ContentSeal> seal = {}, ShelfLimits limits = {})
      : database_(database), seal_(std::move(seal)), limits_(limits) {}
  Result<xca::ebxml::Concerned> concerned(const policy::Clinic& clinic,
                                          const xca::ebxml::RegistryQuery& query) override;
  Result<std::vector<policy::Held<xca::ebxml::DocumentEntry>>> retrievable(
      const policy::Clinic& clinic, const std::vector<std::string>& unique_ids) override;
  /// @error store::Errc::Unreadable where there is none, Errc::OnlyMetadata, Errc::NoSuchDocument
  Result<xca::soap::StoredContent> content(const xca::ebxml::DocumentEntry& entry) override;
  std::unique_ptr<net::Source> read(const xca::soap::StoredContent& content) override;

 private:
  store::Database& database_;
  const std::optional<ContentSeal> seal_;
  ShelfLimits limits_;
};

struct DocumentImport {
  std::string patient_id = {};             ///< our id; empty: whom the header means
  std::optional<Code> facility_type = {};  ///< instead of the shipped default
  std::optional<Code> practice_setting = {};
  std::optional<ContentSeal> seal = {};    ///< for what is filed
};
enum class Imported { Inserted, Unchanged };
struct ImportedDocument {
  Imported outcome = Imported::Inserted;
  std::string patient_id;
  xca::ebxml::DocumentEntry entry;
};

/// Stores one C-CDA file with the metadata of its header and its labels, in a submission set of its own. It inherits
/// the labels of the documents it says it replaces or adds to, and hands its own down to those that say so of it,
/// whichever came first. The same bytes again are unchanged, but for labels they bring.
/// @error Errc::UniqueIdTaken, Errc::OtherPatient, those of read_cda_header, patients::Errc::NoSuchPatient,
///        patients::Errc::AmbiguousPatient
Result<ImportedDocument> import_document(store::Database& database, const policy::Clinic& clinic, BytesView cda,
                                         const DocumentImport& options, Instant now);

/// A patient's entries with their labels, whatever their status: the newest 10 000.
Result<std::vector<policy::Held<xca::ebxml::DocumentEntry>>> list_documents(store::Database& database,
                                                                            const policy::Clinic& clinic,
                                                                            const std::string& patient_id);
/// With what is known of its patient and of itself, as every corridor judges it. By entry uuid (with or without
/// urn:uuid:) or unique id. @error Errc::NoSuchDocument
Result<policy::Held<xca::ebxml::DocumentEntry>> held_document(store::Database& database, const policy::Clinic& clinic,
                                                              std::string_view id);
/// The entry alone. @error as held_document
Result<xca::ebxml::DocumentEntry> show_document(store::Database& database, const policy::Clinic& clinic,
                                                std::string_view id);

}  // namespace gateway::documents
