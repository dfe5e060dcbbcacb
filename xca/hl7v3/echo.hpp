#pragma once
// The queryByParameter that an answer repeats: the received infoset as far as our schema allows it. Nothing echoed can
// carry an id, a foreign name or stray text. [design §5; facts/query-exchange §2.1–§2.2]

#include "base/xml/document.hpp"

#include <string>

namespace xca::hl7v3 {

/// Exclusive canonical form of what may be repeated of `query_by_parameter`, for an answer whose default namespace is
/// urn:hl7-org:v3. Elements stand in schema order (stable within one name); attributes and xsi:type stay only where the
/// schema allows their values; what the schema demands and the peer left out is filled in with its constant.
std::string echo(const base::xml::Element& query_by_parameter);

}  // namespace xca::hl7v3
