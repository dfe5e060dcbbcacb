#pragma once
// The trail of a stretch of time, page by page, one line a row: for auditors and other programs.

#include "gateway/audit/trail.hpp"

namespace gateway::audit {

enum class ExportFormat {
  Json,  ///< every row with its payload
  Atna,  ///< the AuditMessages of the events that an audit repository is told, without the text of queries
};

/// Gives each line, without its end, to `line`, oldest first.
/// @return lines given. @error of the store or of `line`
Result<std::uint64_t> export_trail(store::Session& session, Instant since, Instant until, ExportFormat format,
                                   const std::function<Result<void>(std::string_view)>& line);

}  // namespace gateway::audit
