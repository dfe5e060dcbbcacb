#pragma once
// The notice of 42 CFR Part 2 that goes with a document: in its metadata, and as a header block of the answer. Pure.
// [42 CFR §2.32; HL7 DS4P; facts/fhir §12]

#include "policy/release.hpp"
#include "xca/ebxml/objects.hpp"
#include "xca/soap/notice.hpp"

#include <optional>

namespace xca::ebxml {

/// The entry as it leaves under this verdict. Under an obligation its confidentiality codes are also 42CFRPart2 and
/// NORDSCLCD, and its comments begin with the statement and the scope of what it leaves on; without one it is what it
/// was.
DocumentEntry with_notice(DocumentEntry entry, const policy::Verdict& verdict);

/// The notice on a document that leaves under this verdict; nothing where there is no obligation or it does not leave.
std::optional<soap::Notice> notice_on(std::string_view unique_id, const policy::Verdict& verdict);

}  // namespace xca::ebxml
