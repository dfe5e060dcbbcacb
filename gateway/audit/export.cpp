#include "gateway/audit/export.hpp"

#include "base/json/writer.hpp"
#include "gateway/audit/atna.hpp"

namespace gateway::audit {
namespace {

constexpr std::int64_t rows_per_page = 500;

using Lines = std::vector<std::string>;

Lines json_of(const TrailRow& row) {
  base::json::Writer json;
  json.begin_object().member("at", base::write_date_time(row.at)).member("node", row.node);
  json.name("seq").integer(static_cast<std::int64_t>(row.seq)).member("kind", row.kind);
  json.name("payload");
  auto text = json.text();  // the payload is JSON already
  return {text.append(row.payload).append("}")};
}

Lines atna_of(const TrailRow& row) {
  Lines lines;
  const auto event = row.kind == "event" ? read_event(row.payload) : base::fail(store::Errc::Unreadable);
  if (!event) return lines;
  for (auto& message : write_messages(*event, {.node = row.node, .seq = row.seq})) {
    lines.push_back(std::move(message.xml));
  }
  return lines;
}

}  // namespace

Result<std::uint64_t> export_trail(store::Session& session, Instant since, Instant until, ExportFormat format,
                                   const std::function<Result<void>(std::string_view)>& line) {
  std::uint64_t given = 0;
  std::int64_t at = base::to_micros(since), seq = -1;
  std::string node;
  while (true) {
    const auto rows = TRY(session.select(
        "SELECT node, seq, kind, at, payload FROM audit_payloads WHERE at < :p1 AND (at, node, seq) > (:p2, :p3, :p4) "
        "ORDER BY at, node, seq LIMIT :p5",
        "titit", {base::to_micros(until), at, node, seq, rows_per_page}));
    for (const auto& row : rows) {
      node = row.text(0);
      seq = row.integer(1);
      at = row.integer(3);
      TrailRow one;
      one.node = node;
      one.seq = static_cast<std::uint64_t>(seq);
      one.kind = row.text(2);
      one.at = base::from_micros(at);
      one.payload = row.text(4);
      for (const auto& text : format == ExportFormat::Json ? json_of(one) : atna_of(one)) {
        TRY(line(text));
        ++given;
      }
    }
    if (rows.size() < static_cast<std::size_t>(rows_per_page)) return given;
  }
}

}  // namespace gateway::audit
