#include "gateway/resources/csv.hpp"

#include <algorithm>

namespace gateway::resources {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool is_control(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return (octet < 0x20 && c != '\t' && c != '\r' && c != '\n') || octet == 0x7f;
}

/// The bytes of one record off the front of `rest`, without its line end: line ends within quotation marks are its own.
/// @return nothing where a quotation mark is never closed
std::optional<BytesView> take_record(BytesView& rest) {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < rest.size(); ++at) {
    if (rest[at] == '"') quoted = !quoted;
    if (rest[at] == '\n' && !quoted) break;
  }
  if (quoted) return std::nullopt;
  auto record = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  if (record.ends_with('\r')) record.remove_suffix(1);
  return record;
}

/// The next cell off the front of `rest`, and the comma behind it. @param more  whether a comma was there
Result<std::string> take_cell(BytesView& rest, bool& more) {
  std::string cell;
  if (rest.starts_with('"')) {
    for (rest.remove_prefix(1);;) {
      const auto mark = rest.find('"');  // there is one: the record ends outside of quotation marks
      cell.append(rest.substr(0, mark));
      rest.remove_prefix(mark + 1);
      if (!rest.starts_with('"')) break;
      cell += '"';
      rest.remove_prefix(1);
    }
    if (!rest.empty() && rest.front() != ',') return fail(Errc::NotCsv, "more behind a quotation mark that closes");
  } else {
    const auto end = std::min(rest.find(','), rest.size());
    cell = rest.substr(0, end);
    rest.remove_prefix(end);
    if (cell.find('"') != std::string::npos) return fail(Errc::NotCsv, "a quotation mark within a cell without them");
    if (cell.find('\r') != std::string::npos) return fail(Errc::NotCsv, "a control character");
  }
  more = !rest.empty();
  rest.remove_prefix(more ? 1 : 0);
  return cell;
}

Result<CsvCells> read_record(BytesView record, const CsvLimits& limits) {
  if (!base::is_utf8(record)) return fail(Errc::NotCsv, "characters that are not UTF-8");
  if (std::ranges::any_of(record, is_control)) return fail(Errc::NotCsv, "a control character");
  CsvCells cells;
  for (bool more = true; more;) {
    cells.push_back(TRY(take_cell(record, more)));
    if (cells.back().size() > limits.cell_octets) return fail(Errc::NotCsv, "a cell that is too long");
    if (cells.size() > limits.cells) return fail(Errc::NotCsv, "too many cells");
  }
  return cells;
}

}  // namespace

Result<void> read_csv(BytesView bytes, const TakeCells& take, const CsvLimits& limits) {
  if (bytes.size() > limits.bytes) return fail(Errc::TooMuch, "the file");
  if (bytes.starts_with(byte_order_mark)) bytes.remove_prefix(byte_order_mark.size());
  for (std::size_t line = 1; !bytes.empty();) {
    const auto before = bytes;
    const auto record = take_record(bytes);
    if (!record) return take(line, fail(Errc::NotCsv, "a quotation mark that is never closed"));
    if (!base::trim(*record).empty()) TRY(take(line, read_record(*record, limits)));
    line += static_cast<std::size_t>(std::ranges::count(before.substr(0, before.size() - bytes.size()), '\n'));
  }
  return {};
}

}  // namespace gateway::resources
