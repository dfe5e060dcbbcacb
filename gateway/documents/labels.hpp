#pragma once
// Security labels of documents: what a C-CDA and its metadata say, how that is written down, what policy is told of it.
// Labels go up by message and down by staff alone. Nothing here decides or stores. [threats C08; design §4]

#include "base/xml/document.hpp"
#include "gateway/documents/marks.hpp"
#include "gateway/resources/calendar.hpp"
#include "policy/consent.hpp"
#include "xca/ebxml/objects.hpp"

namespace gateway::documents {

struct MarkingLimits {
  std::size_t codes = 5000;  ///< different ones of one document
  std::size_t labels = 200;
};

/// What a document says of its own sensitivity.
struct Markings {
  std::set<policy::Label> labels = {};
  std::set<std::string> codes = {};  ///< lines of line_of
  bool complete = true;              ///< false: a label could not be read, or there is more than the limits take
  bool operator==(const Markings&) const = default;
};

/// Of a ClinicalDocument, header and body: every confidentialityCode at any depth, the values of privacy annotations
/// (DS4P), and every other code that is one of the shipped labels, be it an entry's, an author's or an organization's.
/// Codes are those of all acts, sections and organizations, none of the patient's demographics. Narrative is not read.
/// [HL7 DS4P CDA R1; C-CDA R2.1]
Markings markings_in_cda(const base::xml::Element& document, const MarkingLimits& limits = {});
/// Of an entry: every confidentialityCode is a label; event, class, type, facility and practice codes are codes.
/// [ITI TF-3 §4.2.3.2.5]
Markings markings_in_metadata(const xca::ebxml::DocumentEntry& entry, const MarkingLimits& limits = {});
/// Adds `more`, and the labels of the shipped marks by the codes of both.
void merge(Markings& markings, Markings more, const MarkingLimits& limits = {});

/// documents.labels: `system|code` a line, `-system|code` for what staff took away, `?` where something was not read.
struct StoredLabels {
  std::set<policy::Label> labels = {};
  std::set<policy::Label> taken_away = {};  ///< does not count, whoever says it, until staff add it again
  bool complete = true;                     ///< false: as Markings::complete, of this document or of one it replaces
  bool damaged = false;                     ///< a line that is none of ours
  /// Adds what a message brings, but for what staff took away.
  void raise(const std::set<policy::Label>& more, bool more_is_complete);
  bool operator==(const StoredLabels&) const = default;
};
StoredLabels read_labels(std::string_view text);
/// @param stored  labels that line_of takes; what is damaged is written as incomplete
std::string write_labels(const StoredLabels& stored);
/// documents.codes.
std::string write_codes(const std::set<std::string>& codes);

/// What policy is told: labels as stored, of the metadata and by the clinic's marks, without what staff took away;
/// class and type code; the first and last instant of the service, else of the creation. A day, month or year is one of
/// the clinic's zone, a time of day is UTC. A stop before its start says nothing.
/// Not readable where a stored line or a time cannot be read, or the labels are not complete.
/// @param codes     documents.codes; may be empty where there are no marks
/// @param calendar  of the clinic
policy::DocumentFacts labels_of(const xca::ebxml::DocumentEntry& entry, std::string_view labels, std::string_view codes,
                                const MarkTable& marks, const resources::Calendar& calendar);

/// Adds to the confidentiality codes of an entry what was found in the document, inherited or set by staff, so that
/// whoever receives it handles the whole by what is in it: the highest confidentiality where it is above what the entry
/// says, and the labels of HL7's tables that are gated here, which leave only where a consent opens them. An open label
/// may have been inherited from a document that is withheld, and is not told. [DS4P, high-water mark; facts/fhir §12]
void say_labels(xca::ebxml::DocumentEntry& entry, const policy::DocumentFacts& facts, const policy::LabelRules& rules);

}  // namespace gateway::documents
