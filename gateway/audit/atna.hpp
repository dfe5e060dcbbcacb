#pragma once
// Audit events as an audit repository reads them: AuditMessage in the DICOM form. Pure; nothing is sent here.
// [IHE ITI TF-2 §3.20; DICOM PS3.15 §A.5; facts/query-exchange §8.1, §8.2]

#include "gateway/audit/record.hpp"

namespace gateway::audit {

/// Where an event stands in the chain, and what only its outbox holds.
struct Reported {
  std::string node;
  std::uint64_t seq = 0;
  std::string query = {};  ///< as asked, XML; empty where there is none or it was too long to keep
};

struct AuditMessage {
  std::string xml;  ///< one line, well-formed whatever the event holds
  bool success = true;
};

/// Longest query that is kept for its message; of a longer one the message gives the hash. rsyslog takes frames of
/// 200,000 octets unless told otherwise.
inline constexpr std::size_t query_bytes_max = 64u << 10;
/// A retrieve of more documents is told in several messages.
inline constexpr std::size_t documents_per_message = 50;

/// Whether an audit repository is told of this event: exchanges, failed checks, start and stop, and use of the trail.
bool is_reported(const Event& event);

/// The messages of one event, in order; none where is_reported() says no. A retrieve that gave some documents and not
/// others is told as a success and a failure.
std::vector<AuditMessage> write_messages(const Event& event, const Reported& where);

}  // namespace gateway::audit
