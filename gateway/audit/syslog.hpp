#pragma once
// Messages to an audit repository as syslog writes and frames them. Pure. [RFC 5424, RFC 5425; ITI TF-2 §3.20.4.1.2;
// facts/query-exchange §8.3]

#include "gateway/audit/atna.hpp"
#include "gateway/audit/chain.hpp"

namespace gateway::audit {

/// What stands before every message of this process.
struct SyslogHeader {
  std::string host;     ///< of this machine
  std::string process;  ///< its process id
  std::string msgid = "IHE+RFC-3881";
};

/// The MSGID of a signed checkpoint, whose message is a line of the witness file.
inline constexpr std::string_view checkpoint_msgid = "gatehouse-checkpoint";

/// One frame `MSG-LEN SP SYSLOG-MSG`: facility 10, severity notice for a success (PRI 85) and warning otherwise (84).
/// @param at  the time of the event
std::string frame(const SyslogHeader& header, base::Instant at, const AuditMessage& message);
std::string frame(const SyslogHeader& header, const Checkpoint& checkpoint);

}  // namespace gateway::audit
