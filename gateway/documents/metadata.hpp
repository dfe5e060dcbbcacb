#pragma once
// Registry objects as the JSON of their rows: without what the row, the patient and the clinic say.

#include "xca/ebxml/objects.hpp"

#include <string>
#include <string_view>

namespace gateway::documents {

std::string write_metadata(const xca::ebxml::DocumentEntry& entry);
std::string write_metadata(const xca::ebxml::SubmissionSet& set);
std::string write_metadata(const xca::ebxml::Folder& folder);

/// What was read lately is remembered by its whole text: a patient's documents are asked for again and again.
/// @error store::Errc::Unreadable
base::Result<xca::ebxml::DocumentEntry> read_metadata(const std::string& json);
base::Result<xca::ebxml::SubmissionSet> read_set_metadata(std::string_view json);
base::Result<xca::ebxml::Folder> read_folder_metadata(std::string_view json);

}  // namespace gateway::documents
