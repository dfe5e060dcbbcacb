#include "base/error_table.hpp"
#include "xca/ebxml/registry.hpp"

// The errors of this folder, and the names of IHE's registry errors. [facts/query-exchange §3.6]

namespace xca::ebxml {
namespace {

using base::Cause;

constexpr base::ErrorRow rows[] = {
    {static_cast<int>(Errc::NotAQuery), "not-a-registry-query", "the payload is not the request of its transaction",
     Cause::BadMessage},
    {static_cast<int>(Errc::BadSlot), "query-slot-unreadable", "the query has a slot that cannot be read",
     Cause::BadMessage},
    {static_cast<int>(Errc::TooManyValues), "query-too-large", "the request asks for more than one request may",
     Cause::BadMessage},
    {static_cast<int>(Errc::BadDocumentRequest), "document-request-unreadable",
     "the request names a document in a way that cannot be read", Cause::BadMessage},
    {static_cast<int>(Errc::BadMetadata), "metadata-unreadable", "the metadata has an object that cannot be read",
     Cause::BadMessage},
    {static_cast<int>(Errc::BadSubmission), "submission-incomplete", "the metadata is no complete submission",
     Cause::BadMessage},
    {static_cast<int>(Errc::SeveralPatients), "submission-of-several-patients",
     "the submission is about more than one patient: submit each patient's objects by themselves", Cause::BadMessage},
};
constinit const base::ErrorTable errors("xca::ebxml", rows);

/// In the order of RegistryErrorCode.
constexpr std::string_view names[] = {
    "XDSUnknownPatientId",        "XDSMissingHomeCommunityId", "XDSUnknownCommunity",       "XDSUnknownStoredQuery",
    "XDSStoredQueryMissingParam", "XDSStoredQueryParamNumber", "XDSResultNotSinglePatient", "XDSTooManyResults",
    "XDSDocumentUniqueIdError",   "XDSUnknownRepositoryId",    "XDSRegistryBusy",           "XDSRepositoryBusy",
    "XDSRegistryError",           "XDSRepositoryError",
};
static_assert(std::size(names) == static_cast<std::size_t>(RegistryErrorCode::RepositoryError) + 1);

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errors}; }

std::string_view name(RegistryErrorCode code) noexcept { return names[static_cast<std::size_t>(code)]; }

}  // namespace xca::ebxml
