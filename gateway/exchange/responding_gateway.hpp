#pragma once
// The Responding Gateway: one corridor per transaction, whose lines are the stages of the request in their order.
// [IHE ITI TF-1 §18, §27; design §4]

#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/query_budget.hpp"
#include "xca/discovery.hpp"

#include <mutex>

namespace gateway::exchange {

/// How this deployment answers.
struct RespondingSettings {
  policy::Rules rules;
  std::vector<std::string> public_urls;
  xca::soap::Limits limits = {};
  std::size_t documents_per_retrieve = 20;
  QueryLimits queries = {};  ///< of each partner
};

class RespondingGateway {
 public:
  RespondingGateway(RespondingSettings settings, Directory& directory, Patients& patients, Documents& documents,
                    audit::Journal& journal, std::shared_ptr<const xca::wss::Signer> signer);

  /// Answers one message: never fails, never throws for what a peer can cause. The answer may leave only after the
  /// entry was committed.
  Prepared respond(const Received& received);

  /// The answer in place of one whose commit found the claim spent meanwhile, or could not be made.
  Prepared refuse(const Received& received, std::string_view message_id, const base::Error& error) const;

  /// From now on answers are signed with this credential.
  void replace_signer(std::shared_ptr<const xca::wss::Signer> signer);

 private:
  using Answered = Result<xca::soap::Answer>;
  Answered dispatch(Exchange& exchange);
  Answered patient_discovery(const xca::soap::Envelope& envelope, Exchange& exchange);
  Answered deferred_patient_discovery(const xca::soap::Envelope& envelope, Exchange& exchange);
  Answered cross_gateway_query(const xca::soap::Envelope& envelope, Exchange& exchange);
  Answered cross_gateway_retrieve(const xca::soap::Envelope& envelope, Exchange& exchange);

  std::string endpoint_of(const Received& received) const;
  void note_query(Exchange& exchange, const xca::hl7v3::PatientQuery& query, const xca::soap::Envelope& envelope) const;
  Result<void> meet_peer(Exchange& exchange);
  xca::wss::Rules security_rules(const Exchange& exchange) const;
  void identify(Exchange& exchange, const xca::wss::VerifiedSecurity& security, std::string_view sender_home) const;
  Result<void> claim(Exchange& exchange, const xca::wss::VerifiedSecurity& security);
  Result<void> check_schema(Exchange& exchange, const xca::soap::Envelope& envelope) const;
  Result<std::optional<policy::Admitted>> admit(Exchange& exchange) const;
  Result<std::optional<policy::Clinic>> clinic_asked(const xca::ebxml::RegistryQuery& query);
  bool within_budget(Exchange& exchange, const policy::Admitted& admitted, const Asked& asked);

  RespondingSettings settings_;
  QueryBudget budget_;
  Directory& directory_;
  Patients& patients_;
  Documents& documents_;
  audit::Journal& journal_;
  std::shared_ptr<const xca::wss::Signer> signer_;
  mutable std::mutex signer_mutex_;
};

}  // namespace gateway::exchange
