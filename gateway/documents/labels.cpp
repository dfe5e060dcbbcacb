#include "gateway/documents/labels.hpp"

#include "base/time.hpp"

#include <algorithm>

namespace gateway::documents {
namespace {

using base::Instant;
using base::xml::Element;
using policy::Label;
using resources::Bound;
using resources::Calendar;
using xca::ebxml::DocumentEntry;

constexpr std::string_view hl7 = "urn:hl7-org:v3";
constexpr std::string_view incomplete = "?";

// ------------------------------------------------------------------ reading a document

/// Privacy annotation, security observation, and its kinds: confidentiality, obligation, purpose, refrain policy.
constexpr std::string_view annotation_templates[] = {
    "2.16.840.1.113883.3.3251.1.4", "2.16.840.1.113883.3.445.21", "2.16.840.1.113883.3.445.12",
    "2.16.840.1.113883.3.445.14",   "2.16.840.1.113883.3.445.22", "2.16.840.1.113883.3.445.23"};
constexpr std::string_view annotation_codes[] = {"SECOBS", "SECLABOBS", "SECCATOBS", "SECCLASSOBS", "SECCONOBS"};
/// Under these DS4P writes codes of the two systems that policy knows: observation values, and value sets in the place
/// of a system. [quirks.md]
constexpr std::string_view observation_values = "2.16.840.1.113883.5.1063", value_sets = "2.16.840.1.113883.1.11.";

std::string_view attribute(const Element& element, std::string_view name) {
  return base::trim(element.attribute(name).value_or(std::string_view()));
}

bool is_annotation(const Element& element) {
  for (auto child = element.first_child(); child; child = child->next_sibling()) {
    if (child->is(hl7, "templateId") &&
        std::ranges::find(annotation_templates, attribute(*child, "root")) != std::end(annotation_templates))
      return true;
    if (child->is(hl7, "code") &&
        std::ranges::find(annotation_codes, attribute(*child, "code")) != std::end(annotation_codes))
      return true;
  }
  return false;
}

bool is_shipped(const Label& label) { return policy::kind_of(label, {}) != policy::LabelKind::Unknown; }

/// The label that a privacy annotation names.
Label annotated_label(std::string_view system, std::string_view code) {
  if (system == observation_values || system.starts_with(value_sets)) {
    for (const auto of : {policy::confidentiality_system, policy::act_code_system})
      if (Label known = policy::label(of, code); is_shipped(known)) return known;
  }
  return policy::label(system, code);
}

/// Collects markings up to the limits.
class Collector {
 public:
  explicit Collector(const MarkingLimits& limits) : limits_(limits) {}

  void add_label(Label label) {
    if (!line_of(label.system, label.code)) return add_unreadable();
    found_.labels.insert(std::move(label));
    if (found_.labels.size() > limits_.labels) found_.labels.erase(std::prev(found_.labels.end())), add_unreadable();
  }
  void add_code(std::string_view system, std::string_view code) {
    if (system.empty()) return;
    auto line = line_of(policy::label(system, code).system, code);
    if (!line) return add_unreadable();
    if (found_.codes.contains(*line)) return;
    if (found_.codes.size() == limits_.codes) return add_unreadable();
    found_.codes.insert(std::move(*line));
  }
  void add_unreadable() { found_.complete = false; }
  Markings take() { return std::move(found_); }

 private:
  const MarkingLimits& limits_;
  Markings found_;
};

/// Where in the document a reader stands.
struct Place {
  bool annotation = false;  ///< within a privacy annotation
  bool label = false;       ///< within an element whose code is a label whatever it is
  bool person = false;      ///< within the patient's demographics
};

void read_coded(const Element& element, const Place& at, Collector& into) {
  const auto code = attribute(element, "code"), system = attribute(element, "codeSystem");
  if (code.empty()) return;
  if (at.label) return into.add_label(annotated_label(system, code));
  if (auto label = policy::label(system, code); is_shipped(label)) into.add_label(std::move(label));
  if (!at.person) into.add_code(system, code);
}

bool has_code(const Element& element) {
  if (!attribute(element, "code").empty()) return true;
  for (auto child = element.first_child(); child; child = child->next_sibling())
    if (child->local_name() == "translation" && has_code(*child)) return true;
  return false;
}

/// Depth is limited by the gate every document passed.
void read_element(const Element& element, Place at, Collector& into) {
  if (element.is(hl7, "text")) return;
  const bool is_value = at.annotation && element.local_name() == "value";
  if (is_value && !has_code(element)) into.add_unreadable();
  at.label = at.label || is_value || element.local_name() == "confidentialityCode";
  at.person = at.person || element.is(hl7, "recordTarget");
  at.annotation = at.annotation || is_annotation(element);
  read_coded(element, at, into);
  for (auto child = element.first_child(); child; child = child->next_sibling()) read_element(*child, at, into);
}

// ------------------------------------------------------------------ times

/// `20261101` as `2026-11-01`, a year or a month alike.
std::string dashed(std::string_view digits) {
  std::string text(digits.substr(0, 4));
  for (std::size_t at = 4; at < digits.size(); at += 2) text.append("-").append(digits.substr(at, 2));
  return text;
}

/// The first instant that a DTM holds, or the first after it, by its precision. Nothing for what is no time.
std::optional<Instant> bound_of(const std::string& dtm, Bound bound, const Calendar& calendar) {
  using namespace std::chrono;
  const auto first = base::read_hl7_time(dtm);
  if (!first) return std::nullopt;
  const auto precision = std::min(dtm.find_first_not_of("0123456789"), dtm.size());
  if (precision <= 8) {
    const auto instant = calendar.read_fhir(dashed(std::string_view(dtm).substr(0, precision)), bound);
    return instant ? std::optional(*instant) : std::nullopt;
  }
  if (bound == Bound::Start) return *first;
  switch (precision) {
    case 10: return *first + hours(1);
    case 12: return *first + minutes(1);
    case 14: return *first + seconds(1);
    default: return std::nullopt;
  }
}

/// @return false where a text that is there is no time
bool read_period(const std::string& start, const std::string& stop, const Calendar& calendar, policy::Period& period) {
  if (!start.empty()) {
    period.from = bound_of(start, Bound::Start, calendar);
    if (!period.from) return false;
  }
  if (!stop.empty()) {
    const auto end = bound_of(stop, Bound::End, calendar);
    if (!end) return false;
    period.to = *end - std::chrono::microseconds(1);
  }
  if (period.from && period.to && *period.to < *period.from) period = {};
  return true;
}

bool read_service(const DocumentEntry& entry, const Calendar& calendar, policy::Period& period) {
  if (entry.service_start.empty() && entry.service_stop.empty())
    return read_period(entry.creation_time, entry.creation_time, calendar, period);
  return read_period(entry.service_start, entry.service_stop, calendar, period);
}

}  // namespace

Markings markings_in_cda(const Element& document, const MarkingLimits& limits) {
  Collector into(limits);
  read_element(document, {}, into);
  return into.take();
}

Markings markings_in_metadata(const DocumentEntry& entry, const MarkingLimits& limits) {
  Collector into(limits);
  for (const auto& one : entry.confidentiality_codes) {
    if (one.code.empty()) into.add_unreadable();
    else into.add_label(policy::label(one.system, one.code));
  }
  const auto add = [&](const base::Code& one) {
    if (one.code.empty()) return;
    if (auto label = policy::label(one.system, one.code); is_shipped(label)) into.add_label(std::move(label));
    into.add_code(one.system, one.code);
  };
  for (const auto& one : entry.event_codes) add(one);
  for (const auto* one : {&entry.class_code, &entry.type_code, &entry.facility_type, &entry.practice_setting})
    add(*one);
  return into.take();
}

void merge(Markings& markings, Markings more, const MarkingLimits& limits) {
  static const MarkTable shipped(shipped_marks());
  markings.labels.merge(more.labels);
  markings.codes.merge(more.codes);
  markings.complete = markings.complete && more.complete && markings.codes.size() <= limits.codes;
  shipped.add_labels(write_codes(markings.codes), markings.labels);
}

void StoredLabels::raise(const std::set<Label>& more, bool more_is_complete) {
  for (const Label& one : more)
    if (!taken_away.contains(one)) labels.insert(one);
  complete = complete && more_is_complete;
}

StoredLabels read_labels(std::string_view text) {
  StoredLabels stored;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line == incomplete) {
      stored.complete = false;
      continue;
    }
    const bool taken = line.starts_with('-');
    if (taken) line.remove_prefix(1);
    const auto bar = line.find('|');
    const bool is_label = bar != std::string_view::npos && line_of(line.substr(0, bar), line.substr(bar + 1));
    if (is_label) {
      (taken ? stored.taken_away : stored.labels)
          .insert({std::string(line.substr(0, bar)), std::string(line.substr(bar + 1))});
    } else {
      stored.damaged = true;
    }
  }
  return stored;
}

std::string write_labels(const StoredLabels& stored) {
  std::string text;
  for (const Label& one : stored.labels) text.append(one.system).append("|").append(one.code).append("\n");
  for (const Label& one : stored.taken_away)
    text.append("-").append(one.system).append("|").append(one.code).append("\n");
  if (!stored.complete || stored.damaged) text.append(incomplete).append("\n");
  return text;
}

std::string write_codes(const std::set<std::string>& codes) {
  std::string text;
  for (const auto& line : codes) text.append(line).append("\n");
  return text;
}

policy::DocumentFacts labels_of(const DocumentEntry& entry, std::string_view labels, std::string_view codes,
                                const MarkTable& marks, const Calendar& calendar) {
  policy::DocumentFacts facts{.unique_id = entry.unique_id, .labels = {},
                              .classes = {entry.class_code, entry.type_code}, .service = {}, .readable = true};
  for (auto& one : facts.classes) one.system = policy::label(one.system, {}).system;  // rules name OIDs as such
  auto stored = read_labels(labels);
  for (const auto& one : entry.confidentiality_codes) stored.labels.insert(policy::label(one.system, one.code));
  facts.readable = stored.complete && !stored.damaged && (marks.empty() || marks.add_labels(codes, stored.labels));
  if (!read_service(entry, calendar, facts.service)) facts.readable = false;
  for (const Label& one : stored.labels)
    if (!stored.taken_away.contains(one)) facts.labels.push_back(one);
  return facts;
}

void say_labels(DocumentEntry& entry, const policy::DocumentFacts& facts, const policy::LabelRules& rules) {
  constexpr std::string_view confidentialities = "ULMNRV";
  const auto height = [&](const policy::Label& label) {
    const bool is_one = label.system == policy::confidentiality_system && label.code.size() == 1;
    return is_one ? static_cast<int>(confidentialities.find(label.code[0]) + 1) : 0;
  };
  std::set<policy::Label> said;
  int highest = 0;
  for (const auto& one : entry.confidentiality_codes) {
    highest = std::max(highest, height(*said.insert(policy::label(one.system, one.code)).first));
  }
  const auto say = [&](const policy::Label& label) {
    entry.confidentiality_codes.push_back({.code = label.code, .system = label.system, .display = {}});
  };
  const policy::Label* above = nullptr;
  for (const policy::Label& one : facts.labels) {
    if (policy::kind_of(one, {}) == policy::LabelKind::Unknown || said.contains(one)) continue;
    if (one.system == policy::confidentiality_system) {
      if (height(one) > highest) highest = height(*(above = &one));
    } else if (policy::kind_of(one, rules) == policy::LabelKind::Gated) {
      say(one);
    }
  }
  if (above) say(*above);
}

}  // namespace gateway::documents
