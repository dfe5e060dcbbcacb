#pragma once
// RetrieveDocumentSet of ITI-39: which documents are asked for, and the answer with its documents. [ITI TF-2 §3.43,
// §3.39; facts/query-exchange §3.8]

#include "xca/ebxml/registry.hpp"
#include "xca/soap/answer.hpp"

namespace xca::ebxml {

/// One document asked for, as written: answers repeat it to the byte.
struct DocumentRequest {
  std::string home;           ///< as written, with or without urn:oid:, empty where absent
  std::string repository_id;  ///< as written
  std::string unique_id;
  bool operator==(const DocumentRequest&) const = default;
};

/// @error Errc::NotAQuery, Errc::BadDocumentRequest, Errc::TooManyValues above documents_max
Result<std::vector<DocumentRequest>> read_retrieve(const base::xml::Element& payload, std::size_t documents_max = 1000);

/// The error that answers one request: a constant sentence per code and the unique id as asked.
RegistryError document_error(RegistryErrorCode code, const DocumentRequest& request);

/// One document found and let go.
struct RetrievedDocument {
  DocumentRequest request;
  std::string mime_type;
  soap::StoredContent content;
};

/// An answer's payload and the parts it refers to.
struct RetrieveAnswer {
  std::string payload;  ///< xds:RetrieveDocumentSetResponse, exclusive canonical form; no document's octets are in it
  std::vector<soap::Attachment> attachments;  ///< with their places in the payload
};

/// @param documents  echo their requests' texts
/// @param errors  one per document that is not returned; with documents: PartialSuccess
/// @param encoding  Mtom: documents are included by reference; Simple: xds:Document is empty until base64 goes there
RetrieveAnswer write_retrieve_answer(std::vector<RetrievedDocument> documents, const std::vector<RegistryError>& errors,
                                     std::string_view home, soap::Encoding encoding, base::UuidStream& ids);

}  // namespace xca::ebxml
