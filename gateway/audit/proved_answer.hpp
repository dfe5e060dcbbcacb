#pragma once
// Whether the body of an HTTP answer is the one a decision record names: it was sent as an envelope with documents in
// it or as MTOM, and the record has a hash of the envelope without them and one of each.

#include "base/bytes.hpp"

#include <span>
#include <string>
#include <vector>

namespace gateway::audit {

/// @param body             as received, plain SOAP or MTOM as xca/soap packs it
/// @param envelope_hash    SHA-256 hex of the envelope, documents within it left out
/// @param document_hashes  SHA-256 hex, in the answer's order
bool is_answer(base::BytesView body, std::string_view envelope_hash, std::span<const std::string> document_hashes);

}  // namespace gateway::audit
