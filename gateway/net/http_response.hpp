#pragma once
// Writes the heads of HTTP/1.1 responses. [RFC 9110, 9112 §4]

#include "gateway/net/server.hpp"

namespace gateway::net {

/// IMF-fixdate, as the Date field wants it: `Sun, 06 Nov 1994 08:49:37 GMT`. [RFC 9110 §5.6.7]
std::string write_http_date(std::chrono::sys_seconds when);

/// Status line and fields up to and with the empty line; Date, Content-Length and Connection are written here.
/// Throws std::logic_error where a field of the response holds a control character: it would end the field.
std::string write_head(const Response& response, std::string_view date, bool last);

}  // namespace gateway::net
