#include "gateway/audit/record.hpp"

#include "base/bytes.hpp"
#include "base/json/writer.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace gateway::audit {
namespace {

constexpr std::size_t characters_max = 256;
constexpr std::size_t list_max = 1000;

std::string_view gate_word(policy::Gate gate) noexcept {
  switch (gate) {
    case policy::Gate::Caller: return "caller";
    case policy::Gate::Purpose: return "purpose";
    case policy::Gate::Choice: return "choice";
    case policy::Gate::Evaluation: return "evaluation";
  }
  return "unknown";
}

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

void write_verdict(Json& json, const policy::Verdict& verdict) {
  json.open();
  json.text("resource", verdict.resource);
  json.list("findings", std::span(verdict.findings), [&](const policy::Finding& finding) {
    json.open();
    json.text("gate", gate_word(finding.gate));
    json.text("reason", policy::code(finding.reason));
    json.text("sentence", finding.sentence);
    json.text("evidence", finding.evidence);
    json.text("would_change", finding.would_change);
    json.close();
  });
  json.close();
}

}  // namespace

std::string_view word(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::Accepted: return "accepted";
    case Outcome::Released: return "released";
    case Outcome::Withheld: return "withheld";
    case Outcome::NoMatch: return "no-match";
    case Outcome::Refused: return "refused";
    case Outcome::Fault: return "fault";
    case Outcome::Sent: return "sent";
    case Outcome::Aborted: return "aborted";
    case Outcome::Looked: return "looked";
    case Outcome::Changed: return "changed";
  }
  return "unknown";
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
  json.text("implementer", event.implementer);
  json.text("home", event.home);
  json.text("sender", event.sender);
  json.text("organization", event.organization);
  json.text("user", event.user);
  json.text("purposes", event.purposes);
  json.text("address", event.address);
  json.text("message_id", event.message_id);
  json.text("reply_to", event.reply_to);
  json.text("query_hash", event.query_hash);
  json.text("repeat_of", event.repeat_of);
  json.text("note", event.note);
  json.close();
  return json.take();
}

std::string canonical(const DecisionRecord& record) {
  Json json;
  json.open();
  json.text("request", record.request);
  json.number("at", base::to_micros(record.at));
  json.text("rules_version", record.rules_version);
  json.text("clinic_version", record.clinic_version);
  json.list("verdicts", std::span(record.verdicts), [&](const policy::Verdict& one) { write_verdict(json, one); });
  json.text("request_hash", record.request_hash);
  json.text("answer_hash", record.answer_hash);
  json.texts("document_hashes", record.document_hashes);
  json.close();
  return json.take();
}

}  // namespace gateway::audit
