#pragma once
// Registry objects as rows of the store: reading and inserting them. For this shelf alone.

#include "gateway/documents/cda.hpp"
#include "gateway/store/database.hpp"
#include "policy/release.hpp"

namespace gateway::documents {

using base::Instant;

/// Entries with their labels and their patient's choice, read in one statement, the newest first.
/// @param where  over documents d, patients p and clinics c; the clinic's id is :p1
Result<std::vector<policy::Held<xca::ebxml::DocumentEntry>>> select_entries(store::Session& session,
                                                                            const policy::Clinic& clinic,
                                                                            std::string_view where,
                                                                            std::span<const store::Value> parameters,
                                                                            std::size_t rows_max = 10'000);
/// Entries whose `column` is one of `ids`, each once.
Result<std::vector<policy::Held<xca::ebxml::DocumentEntry>>> select_entries_by(store::Session& session,
                                                                               const policy::Clinic& clinic,
                                                                               std::string_view column,
                                                                               const std::vector<std::string>& ids);

/// Sets of one patient, the newest first. One made here for one document has no content type: its entry says it.
Result<std::vector<xca::ebxml::SubmissionSet>> select_sets(store::Session& session, const policy::Clinic& clinic,
                                                           const std::string& patient, std::size_t rows_max);
Result<std::vector<xca::ebxml::Folder>> select_folders(store::Session& session, const policy::Clinic& clinic,
                                                       const std::string& patient, std::size_t rows_max);
enum class Related { All, ButMembers };
Result<std::vector<xca::ebxml::Association>> select_associations(store::Session& session, const policy::Clinic& clinic,
                                                                 const std::string& patient, std::size_t rows_max,
                                                                 Related which = Related::All);

/// Our ids of the patients who have an object, of whatever kind, with one of these ids; in order.
Result<std::vector<std::string>> owners_of(store::Session& session, const policy::Clinic& clinic,
                                           const std::vector<std::string>& uuids,
                                           const std::vector<std::string>& unique_ids);

/// `urn:uuid:` with 128 random bits.
std::string fresh_uuid();

/// Where a row goes.
struct Place {
  store::Session& session;
  const policy::Clinic& clinic;
  std::string patient;  ///< our id
  std::string origin;   ///< of the record that was named, where that was merged into this one
  Instant now;

  store::Value origin_or_null() const;
};
/// @param content  SHA-256 of the bytes, empty where they are not held. @param markings  with those of the metadata
Result<void> insert(const Place& place, const xca::ebxml::DocumentEntry& entry, const std::string& content,
                    const Markings& markings);
Result<void> insert(const Place& place, const xca::ebxml::SubmissionSet& set);
Result<void> insert(const Place& place, const xca::ebxml::Folder& folder);
Result<void> insert(const Place& place, const xca::ebxml::Association& association);
/// A submission set of its own for a document that came by itself: it says what the document's entry says.
Result<void> insert_own_set(const Place& place, const std::string& entry_uuid);

}  // namespace gateway::documents
