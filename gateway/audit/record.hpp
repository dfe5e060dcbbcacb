#pragma once
// What is written down about every request: one event, and where a decision was made its record. Values and their
// canonical JSON; nothing here stores. [design §4, §6]

#include "base/ids.hpp"
#include "base/time.hpp"
#include "policy/release.hpp"

#include <optional>
#include <string>
#include <vector>

namespace gateway::audit {

using base::Instant;
using base::Result;

/// How a request ended, as far as the answer goes.
enum class Outcome { Accepted, Released, Withheld, NoMatch, Refused, Fault, Sent, Aborted, Looked, Changed };
std::string_view word(Outcome outcome) noexcept;  ///< `released`, `withheld` …

/// A document as a request named it.
struct AskedDocument {
  std::string unique_id, repository, home;
  bool operator==(const AskedDocument&) const = default;
};

/// Up to where the payloads of a node's chain were deleted by retention.
struct Retained {
  std::string node;
  std::uint64_t seq = 0;
  bool operator==(const Retained&) const = default;
};

/// Which check ended an exchange before anybody was identified. [facts/query-exchange §8.1]
enum class FailedCheck { None, Node, User };

/// One audit event. Texts are as the token or message gave them, capped at 256 characters by the writer.
struct Event {
  std::string request;  ///< our id of the request, 32 hex digits
  Instant at{};
  std::string transaction;  ///< `ITI-55`, `policy set`, …
  Outcome outcome = Outcome::Refused;
  std::string reason;                       ///< reason code of the gate or error; empty where it permits
  std::string sentence = {};                ///< for our own staff
  std::string clinic = {};                  ///< clinic id
  std::vector<std::string> patients = {};   ///< our patient ids looked at or released
  std::vector<std::string> documents = {};  ///< unique ids released
  std::string implementer = {}, home = {}, sender = {}, organization = {}, user = {};
  std::string purposes = {};  ///< codes as written
  std::string address = {};   ///< remote address
  std::string message_id = {};
  std::string query_hash = {};  ///< SHA-256 hex of the query payload
  std::string repeat_of = {};   ///< request id of the first answer to the same request
  std::string note = {};        ///< e.g. `sha1`, `second body under one proof`

  // What an audit repository is told beside. [facts/query-exchange §8.2]
  std::string process = {};                            ///< our process id
  std::string endpoint = {};                           ///< the address that was called
  std::string reply_to = {};                           ///< wsa:ReplyTo of an asynchronous request
  std::string name_id = {}, alias = {}, issuer = {};   ///< of the token's subject
  std::optional<base::Code> role = {};                 ///< of the token's subject
  std::vector<base::Code> purpose_codes = {};          ///< `purposes` with their code systems
  std::string query_id = {};                           ///< UUID of the stored query; `extension@root` of an XCPD query
  std::string community = {};                          ///< home community that was asked
  std::string grantor = {};                            ///< the principal that a delegate asks for
  std::string token_patient = {};                      ///< resource-id: whom the token is about
  std::vector<std::string> patient_ids = {};           ///< CX: asked for by id, or released
  std::vector<AskedDocument> documents_asked = {};     ///< of a retrieve
  FailedCheck failed_check = FailedCheck::None;
  std::vector<Retained> retained = {};                 ///< of `audit retain`
  bool operator==(const Event&) const = default;
};

/// What was answered to whom, and why: with its event, enough to decide it again. [design §4]
struct DecisionRecord {
  std::string request;
  Instant at{};
  std::string transaction = {}, implementer = {}, home = {}, organization = {};  ///< as in the event
  std::string rules_version;
  std::string clinic_version;
  std::vector<policy::Verdict> verdicts;     ///< the request's own first (admit), then one per resource
  std::string request_hash;                  ///< SHA-256 hex of the HTTP body
  std::string answer_hash;                   ///< SHA-256 hex of the envelope, documents within it left out
  std::vector<std::string> document_hashes;  ///< SHA-256 hex of each document sent, in the answer's order
};

/// A text as a column and the JSON hold it: well-formed UTF-8 (U+FFFD for what is none), without NUL, 256 characters.
std::string stored_text(std::string_view text);

/// Canonical JSON: members in a fixed order, no white space, UTF-8, instants in microseconds, empty members left out;
/// equal values give equal bytes. Lists end after 1,000 members, `…_left_out` says how many are missing.
std::string canonical(const Event& event);
/// The event that canonical() wrote; members it does not know are passed over.
/// @error base::json::Errc::…
Result<Event> read_event(std::string_view payload);
/// In two parts that a tab divides, which no JSON text holds: first what was answered to whom, without verdict, reason
/// or patient, then the rest. The chain commits to each (chain.hpp), so that the first can be shown alone.
/// Verdicts with the same findings that follow each other are one member, with `resources` instead of `resource`.
std::string canonical(const DecisionRecord& record);

}  // namespace gateway::audit
