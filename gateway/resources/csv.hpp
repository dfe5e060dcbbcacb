#pragma once
// Lines of a CSV file as lists of cells. Every cell is text, whatever a spreadsheet would make of it. [RFC 4180]

#include "gateway/resources/bundle.hpp"

namespace gateway::resources {

using CsvCells = std::vector<std::string>;
/// The cells of one record, or why they cannot be read. @param line  of the file, where the record begins; from 1
using TakeCells = std::function<Result<void>(std::size_t line, Result<CsvCells> cells)>;

struct CsvLimits {
  std::size_t bytes = 256u << 20;
  std::size_t cells = 64;         ///< of one record
  std::size_t cell_octets = 4096;
};

/// Gives each record to `take`; blank lines are passed over, a UTF-8 byte order mark too. Lines end with CRLF or LF. A
/// bad record is given as Errc::NotCsv and does not end the reading, but for a quotation mark that is never closed:
/// there it ends.
/// @error Errc::TooMuch above limits.bytes; whatever `take` returns
Result<void> read_csv(BytesView bytes, const TakeCells& take, const CsvLimits& limits = {});

}  // namespace gateway::resources
