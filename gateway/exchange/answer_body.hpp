#pragma once
// An answer as it is sent: its own text from memory, documents from the shelf piece by piece, as they are or in base64.

#include "gateway/exchange/ports.hpp"
#include "xca/soap/answer.hpp"

namespace gateway::exchange {

/// @param documents  must outlive the body
net::Body body_of(xca::soap::Answer answer, Documents& documents);

/// Base64 of a source, without line ends. [RFC 4648 §4]
std::unique_ptr<net::Source> in_base64(std::unique_ptr<net::Source> octets);

}  // namespace gateway::exchange
