#pragma once
// ITI-55 as the Responding Gateway sees it: opened where the message came in, answering where it goes out.
// [ITI TF-2 §3.55]

#include "policy/release.hpp"
#include "xca/hl7v3/patient_discovery.hpp"
#include "xca/transactions.hpp"
#include "xca/wss/reply.hpp"
#include "xca/wss/security.hpp"

namespace xca {

using base::Result;

/// What an answer of any transaction needs from the house around it.
struct Answering {
  const wss::Signer& signer;
  wss::ResponseSignature signature = wss::ResponseSignature::Full;
  base::UuidStream& ids;
  base::Instant now;
  std::string_view to = soap::anonymous;  ///< wsa:To: the ReplyTo address of an asynchronous exchange
};

/// Signs a payload and packs it as the answer of a transaction, in the encoding of the request.
/// @param message_id  of the request
/// @param attachments  with their places in the payload
/// @param notices      on the documents it gives or tells of
soap::Answer seal(const Transaction& transaction, const wss::VerifiedSecurity& security, std::string_view message_id,
                  soap::Encoding encoding, std::string_view payload, std::vector<soap::Attachment> attachments,
                  const Answering& with, std::vector<soap::Notice> notices = {});

/// One ITI-55 exchange. Exists only for a message whose security was verified.
class PatientDiscovery {
 public:
  /// @param as  patient_discovery or deferred_patient_discovery
  /// @error hl7v3::Errc::DeferredNotSupported where the action and the priority of the query disagree
  static Result<PatientDiscovery> open(const soap::Envelope& envelope, const wss::Rules& rules, base::Instant now,
                                       const Transaction& as = patient_discovery);

  const wss::VerifiedSecurity& security() const { return security_; }
  const hl7v3::PatientQuery& query() const { return query_; }

  /// Match, several, or no match: what policy let go of what was found.
  soap::Answer answer(const policy::Released<hl7v3::PatientMatch>& released, const hl7v3::Responder& responder,
                      const Answering& with) const;
  /// More data would decide: no match is shown.
  soap::Answer answer(std::vector<hl7v3::Wanted> wanted, const hl7v3::Responder& responder,
                      const Answering& with) const;
  /// None, for a reason that is the same for every patient.
  soap::Answer answer(hl7v3::Problem problem, const hl7v3::Responder& responder, const Answering& with) const;
  /// No answer now and none later: deferred queries are not offered.
  soap::Answer refuse_deferred(const hl7v3::Responder& responder, const Answering& with) const;

 private:
  soap::Answer write(const hl7v3::QueryOutcome& outcome, const hl7v3::Responder& responder,
                     const Answering& with) const;
  PatientDiscovery(wss::VerifiedSecurity security, hl7v3::PatientQuery query, soap::Encoding encoding,
                   std::string message_id)
      : security_(std::move(security)), query_(std::move(query)), encoding_(encoding),
        message_id_(std::move(message_id)) {}
  wss::VerifiedSecurity security_;
  hl7v3::PatientQuery query_;
  soap::Encoding encoding_;
  std::string message_id_;
};

}  // namespace xca
