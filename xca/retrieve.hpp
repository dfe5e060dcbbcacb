#pragma once
// ITI-39 as the Responding Gateway sees it. [ITI TF-2 §3.39]

#include "xca/discovery.hpp"
#include "xca/ebxml/repository.hpp"

namespace xca {

/// What an answer holds.
struct RetrieveOutcome {
  std::vector<ebxml::RetrievedDocument> documents;
  std::vector<ebxml::RegistryError> errors;
};

/// Each request once, in the order asked: its document, else the error decided for it (ebxml::document_error tells
/// whose it is), else the constant XDSDocumentUniqueIdError. Denied and unknown are the same. [facts §6.2]
RetrieveOutcome settle(const std::vector<ebxml::DocumentRequest>& requests,
                       const std::vector<ebxml::RetrievedDocument>& released,
                       std::vector<ebxml::RegistryError> decided);

/// The notices that must go with the documents of an answer, in its order.
std::vector<soap::Notice> notices_on(const std::vector<ebxml::RetrievedDocument>& documents,
                                     const policy::Released<ebxml::RetrievedDocument>& released);

/// One ITI-39 exchange. Exists only for a message whose security was verified.
class CrossGatewayRetrieve {
 public:
  static Result<CrossGatewayRetrieve> open(const soap::Envelope& envelope, const wss::Rules& rules, base::Instant now);

  const wss::VerifiedSecurity& security() const { return security_; }
  const std::vector<ebxml::DocumentRequest>& requests() const { return requests_; }

  /// The documents let go, with the notices that must go with them, and one constant error for each request that none
  /// of them answers.
  /// @param errors  errors decided without looking at any document (unknown repository or community), made by
  ///                ebxml::document_error
  soap::Answer answer(const policy::Released<ebxml::RetrievedDocument>& released,
                      const std::vector<ebxml::RegistryError>& errors, std::string_view home,
                      const Answering& with) const;
  soap::Answer answer(const ebxml::RegistryError& error, std::string_view home, const Answering& with) const;

 private:
  CrossGatewayRetrieve(wss::VerifiedSecurity security, std::vector<ebxml::DocumentRequest> requests,
                       soap::Encoding encoding, std::string message_id)
      : security_(std::move(security)), requests_(std::move(requests)), encoding_(encoding),
        message_id_(std::move(message_id)) {}
  wss::VerifiedSecurity security_;
  std::vector<ebxml::DocumentRequest> requests_;
  soap::Encoding encoding_;
  std::string message_id_;
};

}  // namespace xca
