#pragma once
// ebXML RegRep 3.0 as IHE uses it: AdhocQueryRequest in, AdhocQueryResponse out. [ITI TF-2 §3.18, §3.38; TF-3 §4.2;
// facts/query-exchange §3]

#include "base/time.hpp"
#include "base/ids.hpp"
#include "xca/soap/envelope.hpp"

#include <map>
#include <set>
#include <variant>

namespace xca::ebxml {

using base::Code;
using base::Result;

enum class Errc {
  NotAQuery = 1,    ///< payload is no AdhocQueryRequest / RetrieveDocumentSetRequest
  BadSlot,          ///< a slot that cannot be read
  TooManyValues,
  BadDocumentRequest,  ///< a DocumentRequest without its parts, or with one that cannot be an identifier
};
boost::system::error_code make_error_code(Errc) noexcept;

/// The error codes of IHE's tables that this gateway emits. [facts/query-exchange §3.6]
enum class RegistryErrorCode {
  UnknownPatientId, MissingHomeCommunityId, UnknownCommunity, UnknownStoredQuery, StoredQueryMissingParam,
  StoredQueryParamNumber, ResultNotSinglePatient, TooManyResults, DocumentUniqueIdError, UnknownRepositoryId,
  RegistryBusy, RepositoryBusy, RegistryError, RepositoryError,
};
std::string_view name(RegistryErrorCode code) noexcept;  ///< `XDSUnknownPatientId` …

struct RegistryError {
  RegistryErrorCode code;
  std::string context;  ///< codeContext: constant per code, plus ids the asker itself sent
};

enum class ReturnType { LeafClass, ObjectRef };

/// A stored query as read: parameters by name, each slot a list (OR) and slots of one name a list of lists (AND).
struct StoredQuery {
  std::string id;                         ///< UUID without urn:uuid:, lower case
  std::string return_type;                ///< as written; return_kind() reads it
  std::string home;                       ///< rim:AdhocQuery/@home without urn:oid:, empty where absent
  std::map<std::string, std::vector<std::vector<std::string>>, std::less<>> parameters;
};

struct QueryLimits {
  std::size_t slots = 100;
  std::size_t values_per_query = 5000;
  std::size_t value_characters = 1024;
};

/// Reads leniently what production peers write: unquoted or double-quoted values, missing parentheses, spaces in ids,
/// home with or without urn:oid:. [facts §3.1; quirks.md]
Result<StoredQuery> read_stored_query(const base::xml::Element& payload, const QueryLimits& limits = {});

inline constexpr std::string_view find_documents = "14d4debf-8f97-4251-9a74-a90016b0af0d";
inline constexpr std::string_view get_documents = "5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4";

enum class Availability { Approved, Deprecated };
enum class EntryType { Stable, OnDemand };

/// A time filter `from <= t < to` over DTM texts padded low to 14 digits. Empty = no bound. [facts §3.1]
struct TimeRange {
  std::string from, to;
  bool holds(std::string_view time) const;  ///< true for an empty time: such entries pass the filter
};

/// FindDocuments with every parameter of facts §3.3.
struct FindDocuments {
  base::Identifier patient;
  std::set<Availability> status;
  std::set<EntryType> types{EntryType::Stable};
  TimeRange creation, service_start, service_stop;
  /// OR within each; a code without system means any system.
  std::vector<Code> class_codes, type_codes, practice_settings, facility_types, formats;
  std::vector<std::vector<Code>> event_codes, confidentiality_codes;                      ///< AND of ORs
  std::vector<std::string> author_persons;                                                ///< LIKE patterns, OR
};
struct GetDocuments {
  std::vector<std::string> entry_uuids;  ///< urn:uuid:… as stored
  std::vector<std::string> unique_ids;
};

/// Either the query understood, or the registry error that answers it.
std::variant<FindDocuments, RegistryError> read_find_documents(const StoredQuery& query);
std::variant<GetDocuments, RegistryError> read_get_documents(const StoredQuery& query);
/// LeafClass or ObjectRef; nothing for any other returnType.
std::optional<ReturnType> return_kind(const StoredQuery& query);

struct Author {
  std::string person;       ///< XCN
  std::string institution;  ///< XON
  std::string role, specialty;
};

/// Metadata of one document. [facts §3.7; ITI TF-3 §4.2.3.2]
struct DocumentEntry {
  std::string entry_uuid;   ///< urn:uuid:…
  std::string unique_id;    ///< opaque
  std::string repository_id;  ///< OID
  std::string home;         ///< OID
  base::Identifier patient;
  base::Identifier source_patient;
  std::vector<std::string> source_patient_info;  ///< PID-3|…, PID-5|… lines
  EntryType type = EntryType::Stable;
  Availability status = Availability::Approved;
  std::string mime_type;
  std::string hash_sha1;    ///< hex of the bytes, Stable only
  std::uint64_t size = 0;
  std::string creation_time;  ///< DTM, UTC
  std::string service_start, service_stop;
  std::string language;
  std::string title, comments;
  Code class_code, type_code, format_code, facility_type, practice_setting;
  std::vector<Code> confidentiality_codes, event_codes;
  std::vector<Author> authors;
  std::string legal_authenticator;  ///< XCN
};

/// SQL LIKE as authorPerson uses it: `%` any run, `_` one character, everything else itself. Linear in the text for
/// each `%` of the pattern, whose size read_find_documents caps. [threats.md S05]
bool like(std::string_view text, std::string_view pattern);

/// True where the entry answers the query; what the store pre-selects is judged here once more.
bool matches(const DocumentEntry& entry, const FindDocuments& query);

struct QueryOutcome {
  std::vector<DocumentEntry> entries = {};
  std::vector<RegistryError> errors = {};  ///< with entries: PartialSuccess; alone: Failure
};
/// Writes query:AdhocQueryResponse in exclusive canonical form. @param home  our HCID, for location and objects
std::string write_query_answer(const QueryOutcome& outcome, ReturnType return_type, std::string_view home);

}  // namespace xca::ebxml

namespace boost::system {
template <>
struct is_error_code_enum<xca::ebxml::Errc> : std::true_type {};
}  // namespace boost::system
