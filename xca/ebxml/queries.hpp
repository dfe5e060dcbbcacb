#pragma once
// The stored queries of ITI-18 and what each means, as one table: which parameters it takes, how each is read, which
// objects answer. No message, no store. [ITI TF-2 §3.18.4.1.2.3; facts/query-exchange §3.2–§3.4]

#include "xca/ebxml/registry.hpp"

#include <set>
#include <span>
#include <unordered_set>
#include <variant>

namespace xca::ebxml {

/// A time filter `from <= t < to` over DTM texts padded low to 14 digits. Empty = no bound. [facts §3.1]
struct TimeRange {
  std::string from, to;
  bool holds(std::string_view time) const;  ///< true for an empty time: such objects pass the filter
};

/// SQL LIKE as authorPerson uses it: `%` any run, `_` one character, everything else itself. Linear in the text for
/// each `%` of the pattern, whose size read_query caps. [threats.md S05]
bool like(std::string_view text, std::string_view pattern);

/// OR within each list; a code without system means any system. Several lists: AND of ORs.
using CodeLists = std::vector<std::vector<Code>>;

/// What is asked of document entries. Empty = any. [facts §3.3]
struct EntryFilter {
  std::set<Availability> status;
  std::set<EntryType> types{EntryType::Stable};
  TimeRange creation, service_start, service_stop;
  std::vector<Code> class_codes, type_codes, practice_settings, facility_types, formats;
  CodeLists event_codes, confidentiality_codes;
  Slots reference_ids;                      ///< AND of ORs
  std::vector<std::string> author_persons;  ///< LIKE patterns, OR
  bool holds(const DocumentEntry& entry) const;
};
struct SetFilter {
  std::set<Availability> status;
  std::vector<std::string> source_ids;
  TimeRange submission;
  std::vector<std::string> author_persons;  ///< LIKE patterns, OR
  std::vector<Code> content_types;
  bool holds(const SubmissionSet& set) const;
};
struct FolderFilter {
  std::set<Availability> status;
  TimeRange last_update;
  CodeLists codes;
  bool holds(const Folder& folder) const;
};

struct StoredQueryRow;

/// A stored query understood.
struct RegistryQuery {
  const StoredQueryRow* row = nullptr;
  ReturnType return_type = ReturnType::ObjectRef;
  std::string home;                     ///< OID, empty where absent
  base::Identifier patient;             ///< of queries that name one
  std::vector<std::string> uuids = {};  ///< as stored: urn:uuid:, lower case
  std::vector<std::string> unique_ids = {};
  EntryFilter entries = {};
  SetFilter sets = {};
  FolderFilter folders = {};
  std::set<AssociationType> association_types = {};
};

/// What a parameter says, or the registry error that answers the query.
template <class T>
using Read = boost::system::result<T, RegistryError>;

enum class Needed { Yes, No, OneOf };  ///< OneOf: exactly one of the query's parameters so marked
enum class Values { One, Many };

struct Parameter {
  std::string_view name;
  Needed needed;
  Values values;
  Read<void> (*read)(const StoredQuery& query, const Parameter& parameter, RegistryQuery& into);
};

/// A registry as evaluators look at it; `marks` are the objects that answer.
class RegistryIndex;
using Marks = std::unordered_set<const void*>;

enum class Names { Patient, ObjectIds };       ///< what the query names: ids of objects only together with their home
enum class Reach { Entries, WholeRegistry };  ///< which kinds of objects decide the answer

struct StoredQueryRow {
  std::string_view id;    ///< UUID without urn:uuid:
  std::string_view name;  ///< `FindDocuments` …
  Names names;
  Reach reach;
  std::span<const Parameter> parameters;
  void (*evaluate)(const RegistryQuery& query, const RegistryIndex& index, Marks& marks);
};
std::span<const StoredQueryRow> stored_queries();

inline constexpr std::size_t ids_per_query_max = 1000;

/// The query understood, or the registry error that answers it: decided from the request alone.
/// Errors, in this order: XDSUnknownStoredQuery; XDSRegistryError for a returnType that is neither LeafClass nor
/// ObjectRef; XDSMissingHomeCommunityId; then, parameter by parameter, XDSStoredQueryMissingParam,
/// XDSStoredQueryParamNumber, XDSTooManyResults above ids_per_query_max, XDSRegistryError for what cannot be read.
std::variant<RegistryQuery, RegistryError> read_query(const StoredQuery& query);

/// The objects that answer, in their order in `among`. Pure; monotonous: more objects give no fewer.
Objects answering(const RegistryQuery& query, const Objects& among);

}  // namespace xca::ebxml
