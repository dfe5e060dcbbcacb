#pragma once
// ITI-38 as the Responding Gateway sees it. [ITI TF-2 §3.38]

#include "xca/discovery.hpp"
#include "xca/ebxml/permitted.hpp"

namespace xca {

/// One ITI-38 exchange. Exists only for a message whose security was verified.
class CrossGatewayQuery {
 public:
  static Result<CrossGatewayQuery> open(const soap::Envelope& envelope, const wss::Rules& rules, base::Instant now);

  const wss::VerifiedSecurity& security() const { return security_; }
  const ebxml::StoredQuery& query() const { return query_; }

  /// The objects that answer, as far as policy lets them be seen, with the notices that must go with them.
  soap::Answer answer(const ebxml::Selection& selection, std::string_view home, const Answering& with) const;
  /// Failure with one error, decided without looking at any patient.
  soap::Answer answer(const ebxml::RegistryError& error, std::string_view home, const Answering& with) const;

 private:
  CrossGatewayQuery(wss::VerifiedSecurity security, ebxml::StoredQuery query, soap::Encoding encoding,
                    std::string message_id)
      : security_(std::move(security)), query_(std::move(query)), encoding_(encoding),
        message_id_(std::move(message_id)) {}
  wss::VerifiedSecurity security_;
  ebxml::StoredQuery query_;
  soap::Encoding encoding_;
  std::string message_id_;
};

}  // namespace xca
