#pragma once
// ebXML RegRep 3.0 as IHE uses it: AdhocQueryRequest in, AdhocQueryResponse out. [ITI TF-2 §3.18, §3.38; TF-3 §4.2;
// facts/query-exchange §3]

#include "xca/ebxml/objects.hpp"
#include "xca/soap/envelope.hpp"

#include <map>

namespace xca::ebxml {

enum class Errc {
  NotAQuery = 1,    ///< payload is no AdhocQueryRequest / RetrieveDocumentSetRequest
  BadSlot,          ///< a slot that cannot be read
  TooManyValues,
  BadDocumentRequest,  ///< a DocumentRequest without its parts, or with one that cannot be an identifier
  BadMetadata,         ///< a registry object that cannot be read
  BadSubmission,       ///< objects that make no submission
  SeveralPatients,     ///< a submission about more than one patient
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

/// The values of one parameter: each slot a list (OR), slots of one name a list of lists (AND).
using Slots = std::vector<std::vector<std::string>>;

/// A stored query as written: parameters by name. read_query (queries.hpp) reads what they mean.
struct StoredQuery {
  std::string id;           ///< UUID without urn:uuid:, lower case
  std::string return_type;  ///< as written
  std::string home;         ///< rim:AdhocQuery/@home without urn:oid:, empty where absent
  std::map<std::string, Slots, std::less<>> parameters;
};

struct QueryLimits {
  std::size_t slots = 100;
  std::size_t values_per_query = 5000;
  std::size_t value_characters = 1024;
};

/// Reads leniently what production peers write: unquoted or double-quoted values, missing parentheses, spaces in ids,
/// home with or without urn:oid:. [facts §3.1; quirks.md]
Result<StoredQuery> read_stored_query(const base::xml::Element& payload, const QueryLimits& limits = {});

/// Objects of a registry by pointer: whoever owns them outlives this.
struct Objects {
  std::vector<const DocumentEntry*> entries = {};
  std::vector<const SubmissionSet*> sets = {};
  std::vector<const Folder*> folders = {};
  std::vector<const Association*> associations = {};
  std::size_t count() const { return entries.size() + sets.size() + folders.size() + associations.size(); }
};
Objects objects_of(const RegistryObjects& registry);

struct QueryOutcome {
  Objects objects = {};
  std::vector<RegistryError> errors = {};  ///< with objects: PartialSuccess; alone: Failure
};
/// Writes query:AdhocQueryResponse in exclusive canonical form. @param home  our HCID, for location and objects
std::string write_query_answer(const QueryOutcome& outcome, ReturnType return_type, std::string_view home);

}  // namespace xca::ebxml

namespace boost::system {
template <>
struct is_error_code_enum<xca::ebxml::Errc> : std::true_type {};
}  // namespace boost::system
