#pragma once
// The labels of documents in the store: raised by what messages bring, inherited by new versions, changed by staff,
// judged anew where the rules have changed. What a document says of itself is known to labels.hpp. [threats C08]

#include "gateway/documents/cda.hpp"
#include "gateway/store/database.hpp"
#include "policy/release.hpp"

namespace gateway::documents {

using base::Instant;

/// Goes up with every change of what a document's markings and times are, and of the shipped marks: documents taken in
/// under other rules are judged anew (`db migrate`), and `serve` waits for that.
inline constexpr std::int64_t label_rules = 2;

/// Notes, before the first document of a database is inserted, that all are judged by these rules. In the caller's
/// transaction.
Result<void> note_label_rules(store::Session& session);
/// Whether all documents are judged by the rules of this program.
Result<bool> labels_are_current(store::Database& database);
/// Judges all documents anew where they are not: labels are added, none is lost. @return documents judged
Result<std::size_t> relabel_documents(store::Database& database, const std::function<void(std::size_t)>& progress);

/// Adds what a message brings of a document that is held already, and hands it down. In the caller's transaction.
/// @error Errc::NoSuchDocument
Result<void> raise_labels(store::Session& session, const policy::Clinic& clinic, const std::string& unique_id,
                          const Markings& markings);
/// Whether the source of such an association is sensitive where its target is: new versions, addenda, transformations,
/// snapshots.
bool inherits_labels(xca::ebxml::AssociationType type) noexcept;
/// Gives the labels and codes of a document, but for what staff took away from either, to all that inherit from it, by
/// association or by what their headers say, and to all that inherit from those: a circle ends where nothing is added.
/// In the caller's transaction, which holds the patient's row.
Result<void> hand_down_labels(store::Session& session, const std::string& clinic, const std::string& from_uuid);
/// Keeps whom the header of a document names as its parents, by unique id; inherits from those that are held, and hands
/// down. One that is not held hands down when it comes. In the caller's transaction, which holds the patient's row.
/// @error Errc::NoSuchDocument
Result<void> relate_document(store::Session& session, const policy::Clinic& clinic, const std::string& unique_id,
                             const std::vector<std::string>& parents);

/// What staff change, and why.
struct LabelChange {
  std::vector<policy::Label> add = {}, remove = {};
  std::string actor;   ///< by name
  std::string reason;
};
/// Takes effect at the next decision. What is taken away does not count, wherever it is written, until it is added.
/// What is added is handed down; what is taken away is so of this document alone.
/// @param document  entry uuid or unique id
/// @error Errc::NoSuchDocument, Errc::ReasonMissing, Errc::BadLabel, patients::Errc::ActorMissing
Result<void> set_labels(store::Database& database, const policy::Clinic& clinic, std::string_view document,
                        const LabelChange& change, Instant now);

/// One change by staff: what was stored from then on.
struct LabelRow {
  StoredLabels labels;
  std::string actor, reason;
  Instant set_at{};
};
struct DocumentLabels {
  policy::Held<xca::ebxml::DocumentEntry> held;  ///< with the labels that count in held.document
  std::vector<policy::Label> taken_away = {};
  std::vector<LabelRow> history = {};  ///< the oldest first
};
/// @error Errc::NoSuchDocument
Result<DocumentLabels> show_labels(store::Database& database, const policy::Clinic& clinic, std::string_view document);

}  // namespace gateway::documents
