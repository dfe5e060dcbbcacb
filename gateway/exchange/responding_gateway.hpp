#pragma once
// The Responding Gateway: one corridor per transaction, whose lines are the stages of the request in their order.
// [IHE ITI TF-1 §18, §27; design §4]

#include "gateway/audit/decision_clock.hpp"
#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/query_budget.hpp"
#include "gateway/net/caller.hpp"
#include "xca/discovery.hpp"

#include <mutex>

namespace gateway::exchange {

/// What may be put off to be answered by call-back.
struct CallBackRules {
  net::AllowedNetworks allowed = {};
  std::size_t waiting_per_partner = 200;
  std::size_t request_bytes = 1u << 20;     ///< a larger request is answered on its connection or not at all
  std::chrono::milliseconds delay{250};  ///< no answer is called earlier after its request, whatever it says
};

/// How this deployment answers.
struct RespondingSettings {
  policy::Rules rules;
  std::vector<std::string> public_urls;
  xca::soap::Limits limits = {};
  std::size_t documents_per_retrieve = 20;
  QueryLimits queries = {};  ///< of each partner
  CallBackRules call_backs = {};
};

class RespondingGateway {
 public:
  RespondingGateway(RespondingSettings settings, Directory& directory, Patients& patients, Documents& documents,
                    PendingAnswers& pending, audit::Journal& journal, audit::DecisionClock& clock,
                    std::shared_ptr<const xca::wss::Signer> signer);

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

  void take_answer(Prepared& prepared, xca::soap::Answer answer) const;
  std::string endpoint_of(const Received& received) const;
  void note_query(Exchange& exchange, const xca::hl7v3::PatientQuery& query, const xca::soap::Envelope& envelope) const;
  Result<void> meet_peer(Exchange& exchange);
  xca::wss::Rules security_rules(const Exchange& exchange) const;
  Result<void> identify(Exchange& exchange, const xca::wss::VerifiedSecurity& security,
                        std::string_view sender_home) const;
  Result<void> claim(Exchange& exchange, const xca::wss::VerifiedSecurity& security);
  Result<void> believe_still(const Exchange& exchange, const xca::wss::VerifiedSecurity& security) const;
  Result<void> check_schema(Exchange& exchange, const xca::soap::Envelope& envelope) const;
  Result<std::optional<policy::Admitted>> admit(Exchange& exchange) const;
  Result<std::optional<policy::Clinic>> clinic_asked(const xca::ebxml::RegistryQuery& query);
  bool within_budget(Exchange& exchange, const policy::Admitted& admitted, const Asked& asked);
  Result<void> check_address(const Exchange& exchange, const std::string& address) const;
  Result<bool> put_off(Exchange& exchange, const xca::soap::Envelope& envelope, std::string_view asked_home);
  audit::Change keep_pending(Exchange& exchange) const;

  RespondingSettings settings_;
  QueryBudget budget_;
  Directory& directory_;
  Patients& patients_;
  Documents& documents_;
  PendingAnswers& pending_;
  audit::Journal& journal_;
  audit::DecisionClock& clock_;
  std::shared_ptr<const xca::wss::Signer> signer_;
  mutable std::mutex signer_mutex_;
};

}  // namespace gateway::exchange
