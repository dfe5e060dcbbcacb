#include "gateway/audit/disclosures.hpp"

#include "base/json/document.hpp"

#include <algorithm>
#include <map>

namespace gateway::audit {
namespace {

using base::json::Value;
using store::Session;

/// By when and where they stand: each once, though it is about two records of one person.
using Found = std::map<std::tuple<std::int64_t, std::string, std::int64_t>, std::string>;

Result<void> find(Session& session, const std::string& patient, Instant since, Instant until, Found& found) {
  const auto keep = [&found](const std::vector<store::Row>& rows) {
    for (const auto& row : rows) found[{row.integer(0), row.text(1), row.integer(2)}] = row.text(3);
  };
  constexpr std::string_view select =
      "SELECT at, node, seq, payload FROM audit_payloads WHERE at >= :p1 AND at < :p2 AND kind = 'event' "
      "AND outcome = 'released' AND patient = :p3";
  const auto from = base::to_micros(since), to = base::to_micros(until);
  keep(TRY(session.select(std::string(select), "itit", {from, to, patient})));
  // An event about several has no column for them.
  keep(TRY(session.select(std::string(select) + " AND payload LIKE :p4", "itit",
                          {from, to, std::string(), "%\"" + patient + "\"%"})));
  return {};
}

std::string text_of(const Value& json, std::string_view member) {
  const auto found = json.find(member);
  return found ? std::string(found->string().value_or("")) : std::string();
}

std::vector<Value> items_of(const Value& json, std::string_view member) {
  const auto found = json.find(member);
  return found ? found->items() : std::vector<Value>{};
}

/// What permitted the resources that were released, beyond what holds of every request.
void note_decision(const Value& record, std::vector<std::string>& decision) {
  for (const auto& verdict : items_of(record, "verdicts")) {
    if (!verdict.find("resource") && !verdict.find("resources")) continue;
    const auto findings = items_of(verdict, "findings");
    const auto permits = [](const Value& finding) {
      return text_of(finding, "reason") == policy::code(policy::Reason::Permitted);
    };
    if (!std::ranges::all_of(findings, permits)) continue;
    for (const auto& finding : findings) {
      const auto gate = text_of(finding, "gate");
      if (gate == policy::word(policy::Gate::Caller) || gate == policy::word(policy::Gate::Purpose) ||
          gate == policy::word(policy::Gate::Evaluation)) {
        continue;
      }
      auto sentence = text_of(finding, "sentence");
      if (const auto evidence = text_of(finding, "evidence"); !evidence.empty()) sentence += " [" + evidence + "]";
      if (std::ranges::find(decision, sentence) == decision.end()) decision.push_back(std::move(sentence));
    }
  }
}

Result<void> complete(Session& session, Disclosure& disclosure) {
  for (const auto& row : TRY(session.select(
           "SELECT kind, outcome, payload FROM audit_payloads WHERE request = :p1 ORDER BY at, node, seq", "ttt",
           {stored_text(disclosure.event.request)}))) {
    const auto& outcome = row.text(1);
    if (outcome == word(Outcome::Sent) || outcome == word(Outcome::Aborted)) disclosure.delivery = outcome;
    if (row.text(0) != "decision") continue;
    const auto record = TRY(base::json::Document::parse(row.text(2)));
    note_decision(record->root(), disclosure.decision);
  }
  return {};
}

// ---------------------------------------------------------------- CSV

/// RFC 4180 §2, and what spreadsheets would calculate is made a text.
void append_field(std::string& csv, std::string_view text) {
  if (!csv.empty() && csv.back() != '\n') csv += ',';
  csv += '"';
  if (!text.empty() && std::string_view("=+-@\t\r\n").find(text.front()) != std::string_view::npos) csv += '\'';
  for (const char character : text) {
    if (character == '"') csv += '"';
    csv += character;
  }
  csv += '"';
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all.append(all.empty() ? "" : "; ").append(text);
  return all;
}

}  // namespace

Result<std::vector<Disclosure>> disclosures(Session& session, std::span<const std::string> patients, Instant since,
                                            Instant until) {
  Found found;
  for (const auto& patient : patients) TRY(find(session, patient, since, until, found));
  std::vector<Disclosure> all;
  for (const auto& [place, payload] : found) {
    auto event = TRY(read_event(payload));
    Disclosure disclosure{.event = std::move(event),
                          .node = std::get<1>(place),
                          .seq = static_cast<std::uint64_t>(std::get<2>(place))};
    const auto document = TRY(base::json::Document::parse(payload));
    const auto left_out = document->root().integer_member("documents_left_out");
    if (left_out) disclosure.documents_left_out = *left_out;
    TRY(complete(session, disclosure));
    all.push_back(std::move(disclosure));
  }
  return all;
}

std::string write_csv(std::span<const Disclosure> disclosures) {
  std::string csv;
  for (const auto name : {"at", "transaction", "organization", "home", "person", "person_id", "purposes", "documents",
                          "documents_left_out", "decision", "delivery", "request"}) {
    append_field(csv, name);
  }
  csv += "\r\n";
  for (const auto& [event, node, seq, decision, delivery, left_out] : disclosures) {
    for (const auto& text : {base::write_date_time(event.at), event.transaction, event.organization, event.home,
                             event.user, event.name_id, event.purposes, joined(event.documents),
                             std::to_string(left_out), joined(decision), delivery, event.request}) {
      append_field(csv, text);
    }
    csv += "\r\n";
  }
  return csv;
}

}  // namespace gateway::audit
