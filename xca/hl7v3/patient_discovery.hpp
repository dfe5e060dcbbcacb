#pragma once
// PRPA_IN201305UV02 in, PRPA_IN201306UV02 out: the language of ITI-55. [ITI TF-2 §3.55; HL7 V3 2008;
// facts/query-exchange §2]

#include "base/time.hpp"
#include "xca/hl7v3/person.hpp"
#include "xca/soap/envelope.hpp"

namespace xca::hl7v3 {

using base::Result;

enum class Errc {
  NotAPatientQuery = 1,   ///< payload is no PRPA_IN201305UV02 of an immediate query
  FieldMissing,           ///< an element without which nothing can be answered
  FieldDoubled,
  FieldUnreadable,
  DeferredNotSupported,   ///< responsePriorityCode D under the action of an immediate query
};
boost::system::error_code make_error_code(Errc) noexcept;

/// A range of birth dates, each `YYYYMMDD`, both inclusive; equal ends for one known day.
struct BirthDates {
  std::string first, last;
  bool exact() const { return first == last; }
};

/// What a query asks and what its answer must repeat.
struct PatientQuery {
  Identifier message_id;              ///< of the interaction, echoed in targetMessage
  Identifier query_id;
  std::string processing_code;        ///< P, T or D
  bool deferred = false;              ///< responsePriorityCode D: the answer is wanted later, elsewhere
  std::string receiver_device;        ///< receiver/device/id/@root
  std::string receiver_home;          ///< representedOrganization of the receiver; empty where absent
  std::string sender_device;
  std::string sender_home;            ///< representedOrganization of the sender; empty where absent
  std::string initiator_authority;    ///< authorOrPerformer/assignedDevice/id/@root, empty where absent
  Person sought;                      ///< names (OR), gender, addresses, telecoms; birth_date unused
  std::optional<BirthDates> birth;
  std::vector<Identifier> ids;        ///< livingSubjectId values
  std::vector<std::string> provider_ids;
  std::optional<PersonName> mothers_maiden_name;
  bool has_minimum() const { return !ids.empty() || (!sought.names.empty() && birth.has_value()); }
  /// queryByParameter as our answer repeats it, canonical: the received infoset in schema order without
  /// schema-invalid attributes, stray text, foreign or id-kind attributes. [design §5; quirks.md]
  std::string echo;
};

/// Reads the payload of an ITI-55 request, leniently where production peers err (quirks.md).
/// @error Errc::…, base::xml::Errc::…
Result<PatientQuery> read_query(const base::xml::Element& payload);

/// One person of ours that a query found.
struct PatientMatch {
  Identifier id;          ///< the one id the asker must use in ITI-38
  Person person;          ///< from our record, never an echo of the query; no SSN, no further ids
  unsigned score = 0;     ///< 0–100, queryMatchObservation
  std::string custodian;  ///< home community (OID) that holds the record
};

/// More data that would decide. [facts/query-exchange §2.4]
enum class Wanted { Gender, Address, Telecom, BirthPlaceName, BirthPlaceAddress, MothersMaidenName };

/// Why an answer is none. [facts/query-exchange §2.3 case 5]
enum class Problem { ResponderBusy, AnswerNotAvailable, InternalError, BadQuery };

/// The outcomes of facts/query-exchange §2.3 as one value.
struct QueryOutcome {
  std::vector<PatientMatch> matches = {};
  std::vector<Wanted> wanted = {};           ///< case 3: no matches, AA/OK
  std::optional<Problem> problem = {};       ///< case 5, or QE for BadQuery
};

/// What we say of ourselves in an answer.
struct Responder {
  std::string home;       ///< OID
  std::string device;     ///< OID of the responding device
  std::string authority;  ///< assigning authority OID, authorOrPerformer
};

/// Writes MCCI_IN000002UV01, in exclusive canonical form, that refuses a deferred query: AE with NS250, the same
/// whatever was asked. [facts/query-exchange §1.5, §2.5]
/// @param message_id  a fresh UUID
std::string write_deferred_refusal(const PatientQuery& query, const Responder& responder, std::string_view message_id,
                                   base::Instant now);

/// Writes PRPA_IN201306UV02 in exclusive canonical form.
/// @param message_id  a fresh UUID
std::string write_answer(const PatientQuery& query, const QueryOutcome& outcome, const Responder& responder,
                         std::string_view message_id, base::Instant now);

}  // namespace xca::hl7v3

namespace boost::system {
template <>
struct is_error_code_enum<xca::hl7v3::Errc> : std::true_type {};
}  // namespace boost::system
