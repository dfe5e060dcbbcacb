#pragma once
// The objects of an XDS registry as values: document entries, submission sets, folders and the associations between
// them. [ITI TF-3 §4.2; facts/query-exchange §3.7]

#include "base/ids.hpp"
#include "base/xml/document.hpp"

#include <optional>
#include <string>
#include <vector>

namespace xca::ebxml {

using base::Code;
using base::Result;

enum class Availability { Approved, Deprecated };
enum class EntryType { Stable, OnDemand };

struct Author {
  std::string person;  ///< XCN
  std::vector<std::string> institutions = {};  ///< XON
  std::vector<std::string> roles = {}, specialties = {};
  std::vector<std::string> telecoms = {};  ///< XTN
  bool operator==(const Author&) const = default;
};

/// Metadata of one document. [ITI TF-3 §4.2.3.2]
struct DocumentEntry {
  std::string entry_uuid;     ///< urn:uuid:…, in a submission also a symbol
  std::string unique_id;      ///< opaque
  std::string repository_id;  ///< OID
  std::string home;           ///< OID
  base::Identifier patient;
  base::Identifier source_patient;
  std::vector<std::string> source_patient_info;  ///< PID-3|…, PID-5|… lines
  EntryType type = EntryType::Stable;
  Availability status = Availability::Approved;
  std::string mime_type;
  std::string hash_sha1;              ///< hex of the bytes; Stable only
  std::optional<std::uint64_t> size;  ///< octets; Stable only
  std::string creation_time;          ///< DTM, UTC; Stable only
  std::string service_start, service_stop;
  std::string language;
  std::string title, comments;
  Code class_code, type_code, format_code, facility_type, practice_setting;
  std::vector<Code> confidentiality_codes, event_codes;
  std::vector<Author> authors;
  std::string legal_authenticator;  ///< XCN
  std::string uri;
  std::vector<std::string> reference_ids;  ///< CXi
  bool limited = false;                    ///< declares less metadata than XDS demands
  bool operator==(const DocumentEntry&) const = default;
};

/// What was submitted together. [ITI TF-3 §4.2.3.3]
struct SubmissionSet {
  std::string entry_uuid, unique_id, home;
  base::Identifier patient;
  std::string source_id;  ///< OID
  Availability status = Availability::Approved;
  std::string submission_time;  ///< DTM, UTC
  Code content_type;
  std::string title, comments;
  std::vector<Author> authors;
  std::vector<std::string> intended_recipients;  ///< XON|XCN|XTN
  bool limited = false;
  bool operator==(const SubmissionSet&) const = default;
};

/// Documents that belong together for some reason. [ITI TF-3 §4.2.3.4]
struct Folder {
  std::string entry_uuid, unique_id, home;
  base::Identifier patient;
  Availability status = Availability::Approved;
  std::string last_update_time;  ///< DTM, UTC; the registry's, not the submitter's
  std::vector<Code> codes;
  std::string title, comments;
  bool limited = false;
  bool operator==(const Folder&) const = default;
};

enum class AssociationType { HasMember, Replace, Append, Transform, TransformAndReplace, Signs, IsSnapshotOf };
/// `urn:ihe:iti:2007:AssociationType:RPLC` …
std::string_view urn(AssociationType type) noexcept;
/// By the last part of its name, whatever stands before: peers confuse the stems (quirks.md). Nothing for other types.
std::optional<AssociationType> association_type(std::string_view written) noexcept;

/// One object's relation to another: `source` has, replaces, is appended to … `target`. [ITI TF-3 §4.2.2]
struct Association {
  std::string entry_uuid, home;
  AssociationType type = AssociationType::HasMember;
  std::string source, target;  ///< entry UUIDs
  std::string set_status;      ///< Original or Reference, of a submission set's members
  std::string entered = {};    ///< DTM, UTC: when the registry took it in; empty in a submission, and never written
  bool operator==(const Association&) const = default;
};

/// A registry, or what is submitted to one.
struct RegistryObjects {
  std::vector<DocumentEntry> entries;
  std::vector<SubmissionSet> sets;
  std::vector<Folder> folders;
  std::vector<Association> associations;
  bool operator==(const RegistryObjects&) const = default;
};

struct MetadataLimits {
  std::size_t objects = 5000;
  std::size_t id_characters = 256;    ///< rim:LongName
  std::size_t text_characters = 4096;
  std::size_t values = 1000;          ///< of one slot, and classifications of one object
};

/// Reads a rim:RegistryObjectList. What decides who or which must be readable; everything else is read as peers write
/// it: unknown slots and classifications are skipped, an object type that is not given is Stable, ids of packages stand
/// inside or beside them. UUIDs are brought to `urn:uuid:` and lower case. [quirks.md]
/// @error Errc::BadMetadata (the detail names object and attribute), Errc::TooManyValues
Result<RegistryObjects> read_objects(const base::xml::Element& list, const MetadataLimits& limits = {});

/// `urn:uuid:` and 32 hexadecimal digits in their groups, lower case: an entryUUID, where anything else is a symbol.
bool is_entry_uuid(std::string_view id);
/// `urn:uuid:` and lower case where the text is a UUID with or without its urn; any other text as it is.
std::string mended_uuid(std::string_view written);

/// What must hold of a submission by itself: one submission set with a HasMember association to each entry, folder and
/// association between folder and entry; one patient; ids given once; all that XDS demands of each object; nothing
/// replaced that is submitted with it. [ITI TF-2 §3.42.4.1; TF-3 §4.3.1]
/// @error Errc::BadSubmission, Errc::SeveralPatients; the detail says what is missing
Result<void> check_submission(const RegistryObjects& submission);

}  // namespace xca::ebxml
