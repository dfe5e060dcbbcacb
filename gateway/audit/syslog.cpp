#include "gateway/audit/syslog.hpp"

#include <algorithm>

namespace gateway::audit {
namespace {

constexpr std::string_view application = "gatehouse";

/// A header field: printable ASCII without space, `-` where nothing is left. [RFC 5424 §6]
std::string field(std::string_view text, std::size_t characters_max) {
  std::string out;
  for (const char c : text.substr(0, characters_max)) {
    if (c > ' ' && c < '\x7F') out += c;
  }
  return out.empty() ? "-" : out;
}

std::string framed(const SyslogHeader& header, std::string_view msgid, base::Instant at, bool success,
                   std::string_view text) {
  std::string message = success ? "<85>1 " : "<84>1 ";
  message.append(base::write_date_time(at)).append(" ").append(field(header.host, 255)).append(" ");
  message.append(application).append(" ").append(field(header.process, 128)).append(" ");
  message.append(field(msgid, 32)).append(" - ").append(text);
  return std::to_string(message.size()) + " " + message;
}

}  // namespace

std::string frame(const SyslogHeader& header, base::Instant at, const AuditMessage& message) {
  return framed(header, header.msgid, at, message.success, message.xml);
}

std::string frame(const SyslogHeader& header, const Checkpoint& checkpoint) {
  auto line = witness_line(checkpoint);
  line.pop_back();
  return framed(header, checkpoint_msgid, checkpoint.at, true, line);
}

}  // namespace gateway::audit
