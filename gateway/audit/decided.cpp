#include "gateway/audit/decided.hpp"

#include "base/json/document.hpp"

#include <algorithm>

namespace gateway::audit {
namespace {

using base::json::Value;

constexpr std::size_t page_rows = 500;

std::int64_t number_or_none(const Value& json, std::string_view member) {
  const auto number = json.integer_member(member);
  return number ? *number : 0;
}

Result<Decided> read(const std::string& event, const std::string& decision) {
  Decided decided;
  decided.event = TRY(read_event(event));
  const auto document = TRY(base::json::Document::parse(decision));
  const Value record = document->root();
  decided.left_out = number_or_none(record, "verdicts_left_out");
  const auto add = [&](const Value& id) {
    const std::string text(id.string().value_or(""));
    if (!text.empty() && std::ranges::find(decided.resources, text) == decided.resources.end())
      decided.resources.push_back(text);
  };
  const auto verdicts = record.find("verdicts");
  for (const Value& verdict : verdicts ? verdicts->items() : std::vector<Value>{}) {
    if (const auto one = verdict.find("resource")) add(*one);
    if (const auto several = verdict.find("resources"))
      for (const Value& id : several->items()) add(id);
    decided.left_out += number_or_none(verdict, "resources_left_out");
  }
  return decided;
}

}  // namespace

Result<void> for_each_decided(store::Session& session, const std::string& clinic, const Period& period,
                              const std::function<Result<void>(const Decided&)>& take) {
  // Event and decision of one attempt bear the same instant: a request answered by call-back may have several.
  constexpr std::string_view select =
      "SELECT e.at, e.node, e.seq, e.payload, d.payload FROM audit_payloads e JOIN audit_payloads d"
      " ON d.request = e.request AND d.kind = 'decision' AND d.at = e.at AND d.node = e.node"
      " WHERE e.kind = 'event' AND e.clinic = :p1 AND e.outcome IN ('released', 'withheld') AND e.at < :p2"
      " AND (e.at, e.node, e.seq) > (:p3, :p4, :p5) ORDER BY e.at, e.node, e.seq LIMIT 500";
  std::int64_t at = base::to_micros(period.since), seq = -1;
  std::string node;  // before all of that instant
  for (;;) {
    const auto rows = TRY(session.select(select, "ititt",
                                         {clinic, base::to_micros(period.until), at, node, seq}));
    for (const auto& row : rows) {
      TRY(take(TRY(read(row.text(3), row.text(4)))));
      at = row.integer(0);
      node = row.text(1);
      seq = row.integer(2);
    }
    if (rows.size() < page_rows) return {};
  }
}

}  // namespace gateway::audit
