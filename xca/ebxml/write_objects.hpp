#pragma once
// Registry objects as ebRIM, in canonical form and valid by its schema whatever the values are.

#include "xca/ebxml/objects.hpp"

namespace xca::ebxml {

/// Each appends one element with `home` (urn:oid:…) as its community. Texts are cut to what the schema takes; what an
/// On-Demand entry cannot have is left out. [ITI TF-3 §4.2.3; facts/query-exchange §3.7]
void append_object(std::string& out, const DocumentEntry& entry, std::string_view home);
void append_object(std::string& out, const SubmissionSet& set, std::string_view home);
void append_object(std::string& out, const Folder& folder, std::string_view home);
void append_object(std::string& out, const Association& association, std::string_view home);
/// rim:ObjectRef.
void append_reference(std::string& out, std::string_view id, std::string_view home);

}  // namespace xca::ebxml
