#include "gateway/audit/record.hpp"

#include "base/bytes.hpp"
#include "base/json/document.hpp"
#include "base/json/writer.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace gateway::audit {
namespace {

constexpr std::size_t characters_max = 256;
constexpr std::size_t list_max = 1000;

/// Well-formed UTF-8 of the same text: octets that belong to none become U+FFFD.
std::string well_formed(std::string_view text) {
  if (base::is_utf8(text)) return std::string(text);
  std::string mended;
  while (!text.empty()) {
    std::size_t length = 1;
    while (length <= std::min<std::size_t>(4, text.size()) && !base::is_utf8(text.substr(0, length))) ++length;
    const bool is_character = length <= std::min<std::size_t>(4, text.size());
    mended.append(is_character ? text.substr(0, length) : std::string_view("\xEF\xBF\xBD"));
    text.remove_prefix(is_character ? length : 1);
  }
  return mended;
}

/// The first `characters_max` characters of well-formed text.
std::string_view capped(std::string_view text) {
  if (text.size() <= characters_max) return text;
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins_character = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (begins_character && characters++ == characters_max) return text.substr(0, i);
  }
  return text;
}

/// A JSON object whose empty members are left out.
class Json {
 public:
  void open() { writer_.begin_object(); }
  void close() { writer_.end_object(); }
  void string(std::string_view text) {
    // Most texts are short and sound: the copy is made only for those that are not.
    const bool sound = base::is_utf8(text) && text.find('\0') == std::string_view::npos;
    const std::string mended = sound ? std::string() : stored_text(text);
    const auto shown = capped(sound ? text : std::string_view(mended));
    writer_.string(shown);
  }
  void text(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    writer_.name(name);
    string(value);
  }
  void number(std::string_view name, std::int64_t value) {
    writer_.name(name).integer(value);
  }
  void member(std::string_view name) { writer_.name(name); }
  /// At most `list_max` members; how many were left out is said beside it.
  template <class T, class Write>
  void list(std::string_view name, std::span<const T> values, Write write) {
    if (values.empty()) return;
    writer_.name(name).begin_array();
    for (const T& value : values.first(std::min(values.size(), list_max))) write(value);
    writer_.end_array();
    if (values.size() > list_max) {
      number(std::string(name) + "_left_out", static_cast<std::int64_t>(values.size() - list_max));
    }
  }
  void texts(std::string_view name, const std::vector<std::string>& values) {
    list(name, std::span(values), [this](const std::string& value) { string(value); });
  }
  const std::string& take() const { return writer_.text(); }

 private:
  base::json::Writer writer_;
};

/// Verdicts that follow each other and found the same: documents of one patient mostly do.
void write_verdicts(Json& json, std::span<const policy::Verdict> same) {
  json.open();
  if (same.size() == 1) json.text("resource", same[0].resource);
  if (same.size() > 1) {
    json.list("resources", same, [&](const policy::Verdict& verdict) { json.string(verdict.resource); });
  }
  json.list("findings", std::span(same[0].findings), [&](const policy::Finding& finding) {
    json.open();
    json.text("gate", policy::word(finding.gate));
    json.text("reason", policy::code(finding.reason));
    json.text("sentence", finding.sentence);
    json.text("evidence", finding.evidence);
    json.text("would_change", finding.would_change);
    json.close();
  });
  json.list("obligations", std::span(same[0].obligations), [&](const policy::Obligation& obligation) {
    json.open();
    json.text("must", policy::word(obligation.kind));
    json.text("evidence", obligation.evidence);
    json.close();
  });
  json.close();
}

std::vector<std::span<const policy::Verdict>> grouped(std::span<const policy::Verdict> verdicts) {
  std::vector<std::span<const policy::Verdict>> groups;
  while (!verdicts.empty()) {
    const auto other = std::ranges::find_if(verdicts, [&](const policy::Verdict& one) {
      return one.findings != verdicts[0].findings || one.obligations != verdicts[0].obligations;
    });
    const auto count = static_cast<std::size_t>(other - verdicts.begin());
    groups.push_back(verdicts.first(count));
    verdicts = verdicts.subspan(count);
  }
  return groups;
}

constexpr std::pair<Outcome, std::string_view> outcomes[] = {
    {Outcome::Accepted, "accepted"}, {Outcome::Released, "released"}, {Outcome::Withheld, "withheld"},
    {Outcome::NoMatch, "no-match"},  {Outcome::Refused, "refused"},   {Outcome::Fault, "fault"},
    {Outcome::Sent, "sent"},         {Outcome::Aborted, "aborted"},   {Outcome::Looked, "looked"},
    {Outcome::Changed, "changed"},
};
constexpr std::pair<FailedCheck, std::string_view> failed_checks[] = {
    {FailedCheck::None, ""}, {FailedCheck::Node, "node"}, {FailedCheck::User, "user"}};

std::string_view word(FailedCheck check) noexcept {
  for (const auto& [failed, name] : failed_checks) {
    if (failed == check) return name;
  }
  return "";
}

/// The members of an Event that are plain texts, in their order; those of facts §8.2 follow apart.
constexpr std::pair<std::string_view, std::string Event::*> later_texts[] = {
    {"implementer", &Event::implementer}, {"home", &Event::home},
    {"sender", &Event::sender},           {"organization", &Event::organization},
    {"user", &Event::user},               {"purposes", &Event::purposes},
    {"address", &Event::address},         {"message_id", &Event::message_id},
    {"query_hash", &Event::query_hash},   {"repeat_of", &Event::repeat_of},
    {"note", &Event::note},               {"process", &Event::process},
    {"endpoint", &Event::endpoint},       {"reply_to", &Event::reply_to},
    {"name_id", &Event::name_id},         {"alias", &Event::alias},
    {"issuer", &Event::issuer},           {"query_id", &Event::query_id},
    {"community", &Event::community},     {"grantor", &Event::grantor},
    {"token_patient", &Event::token_patient}};

void write_code(Json& json, const base::Code& code) {
  json.open();
  json.text("code", code.code);
  json.text("system", code.system);
  json.text("display", code.display);
  json.close();
}

using base::json::Value;

std::string text_of(const Value& json, std::string_view member) {
  const auto found = json.find(member);
  return found ? std::string(found->string().value_or("")) : std::string();
}

std::vector<Value> items_of(const Value& json, std::string_view member) {
  const auto found = json.find(member);
  return found ? found->items() : std::vector<Value>{};
}

std::vector<std::string> texts_of(const Value& json, std::string_view member) {
  std::vector<std::string> texts;
  for (const Value& item : items_of(json, member)) texts.emplace_back(item.string().value_or(""));
  return texts;
}

base::Code code_of(const Value& json) {
  return {text_of(json, "code"), text_of(json, "system"), text_of(json, "display")};
}

}  // namespace

std::string_view word(Outcome outcome) noexcept {
  const auto found = std::ranges::find(outcomes, outcome, &std::pair<Outcome, std::string_view>::first);
  return found == std::end(outcomes) ? "unknown" : found->second;
}

std::string stored_text(std::string_view text) {
  std::string sound = well_formed(text);
  sound.resize(capped(sound).size());
  std::erase(sound, '\0');
  return sound;
}

std::string canonical(const Event& event) {
  Json json;
  json.open();
  json.text("request", event.request);
  json.number("at", base::to_micros(event.at));
  json.text("transaction", event.transaction);
  json.text("outcome", word(event.outcome));
  json.text("reason", event.reason);
  json.text("sentence", event.sentence);
  json.text("clinic", event.clinic);
  json.texts("patients", event.patients);
  json.texts("documents", event.documents);
  for (const auto& [name, member] : later_texts) json.text(name, event.*member);
  if (event.role) {
    json.member("role");
    write_code(json, *event.role);
  }
  json.list("purpose_codes", std::span(event.purpose_codes), [&](const base::Code& code) { write_code(json, code); });
  json.texts("patient_ids", event.patient_ids);
  json.list("documents_asked", std::span(event.documents_asked), [&](const AskedDocument& asked) {
    json.open();
    json.text("unique_id", asked.unique_id);
    json.text("repository", asked.repository);
    json.text("home", asked.home);
    json.close();
  });
  json.text("failed_check", word(event.failed_check));
  json.list("retained", std::span(event.retained), [&](const Retained& retained) {
    json.open();
    json.text("node", retained.node);
    json.number("seq", static_cast<std::int64_t>(retained.seq));
    json.close();
  });
  json.close();
  return json.take();
}

Result<Event> read_event(std::string_view payload) {
  const auto document = TRY(base::json::Document::parse(payload));
  const Value json = document->root();
  Event event;
  event.request = text_of(json, "request");
  event.at = base::from_micros(TRY(json.integer_member("at")));
  event.transaction = text_of(json, "transaction");
  const auto outcome = std::ranges::find(outcomes, TRY(json.string_member("outcome")),
                                         &std::pair<Outcome, std::string_view>::second);
  if (outcome == std::end(outcomes)) return base::fail(base::json::Errc::WrongType);
  event.outcome = outcome->first;
  event.reason = text_of(json, "reason");
  event.sentence = text_of(json, "sentence");
  event.clinic = text_of(json, "clinic");
  event.patients = texts_of(json, "patients");
  event.documents = texts_of(json, "documents");
  for (const auto& [name, member] : later_texts) event.*member = text_of(json, name);
  if (const auto role = json.find("role")) event.role = code_of(*role);
  for (const Value& code : items_of(json, "purpose_codes")) event.purpose_codes.push_back(code_of(code));
  event.patient_ids = texts_of(json, "patient_ids");
  for (const Value& asked : items_of(json, "documents_asked")) {
    event.documents_asked.push_back(
        {text_of(asked, "unique_id"), text_of(asked, "repository"), text_of(asked, "home")});
  }
  const auto check = text_of(json, "failed_check");
  for (const auto& [failed, name] : failed_checks) {
    if (name == check) event.failed_check = failed;
  }
  for (const Value& retained : items_of(json, "retained")) {
    const auto seq = TRY(retained.integer_member("seq"));
    if (seq < 0) return base::fail(base::json::Errc::WrongType);
    event.retained.push_back({text_of(retained, "node"), static_cast<std::uint64_t>(seq)});
  }
  return event;
}

std::string canonical(const DecisionRecord& record) {
  Json answered;
  answered.open();
  answered.text("request", record.request);
  answered.number("at", base::to_micros(record.at));
  answered.text("transaction", record.transaction);
  answered.text("implementer", record.implementer);
  answered.text("home", record.home);
  answered.text("organization", record.organization);
  answered.text("request_hash", record.request_hash);
  answered.text("answer_hash", record.answer_hash);
  answered.texts("document_hashes", record.document_hashes);
  Json decided;
  decided.open();
  decided.member("rules_version");
  decided.string(record.rules_version);
  decided.text("clinic_version", record.clinic_version);
  const auto groups = grouped(record.verdicts);
  decided.list("verdicts", std::span(groups), [&](const auto& same) { write_verdicts(decided, same); });
  decided.close();
  return answered.take() + "\t," + decided.take().substr(1);
}

}  // namespace gateway::audit
