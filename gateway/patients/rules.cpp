#include "gateway/patients/rules.hpp"

#include "base/json/document.hpp"
#include "base/json/writer.hpp"
#include "gateway/patients/clinics.hpp"
#include "gateway/resources/provision.hpp"

#include <algorithm>

namespace gateway::patients {
namespace {

using base::Code;
using base::json::Value;
using base::json::Writer;
using policy::ClinicRules;
using policy::Label;

constexpr std::size_t rules_max = 10'000;  ///< of one kind

constexpr std::string_view purposes_setting = "purposes";

std::string code_word(const Code& code) { return code.system + "|" + code.code; }

template <class Items, class Word>
void write_words(Writer& writer, std::string_view name, const Items& items, Word word_of) {
  if (items.empty()) return;
  writer.name(name).begin_array();
  for (const auto& item : items) writer.string(word_of(item));
  writer.end_array();
}

/// Reads a list of words by `take`, which says whether it understood the word.
template <class Take>
bool read_words(Value rules, std::string_view name, Take take) {
  const auto list = rules.find(name);
  if (!list) return true;
  const auto items = list->items();
  return list->is_array() && std::ranges::all_of(items, [&](Value item) {
           const auto word = item.string();
           return word && take(*word);
         });
}

bool take_label(std::set<Label>& into, std::string_view word) {
  const auto label = policy::label_from_word(word);
  if (label) into.insert(*label);
  return label.has_value();
}

std::string mark_word(const policy::Mark& mark) { return code_word(mark.code) + ":" + policy::word(mark.label); }
std::optional<policy::Mark> mark_from_word(std::string_view word) {
  // A system may hold colons, a label's too; the code between them may not.
  const auto colon = word.find(':', std::min(word.find('|'), word.size()));
  if (colon == std::string_view::npos) return std::nullopt;
  auto code = code_from_word(word.substr(0, colon));
  auto label = policy::label_from_word(word.substr(colon + 1));
  if (!code || !label) return std::nullopt;
  return policy::Mark{std::move(*code), std::move(*label)};
}

/// `treatment:SYSTEM|CODE,…`
struct Share {
  policy::Purpose purpose;
  std::optional<std::vector<Code>> classes;  ///< none: all
};
std::string share_word(policy::Purpose purpose, const std::vector<Code>& classes) {
  std::string text(policy::word(purpose));
  if (classes.empty()) return text + ":none";
  for (const Code& code : classes) text.append(&code == &classes.front() ? ":" : ",").append(code_word(code));
  return text;
}
std::optional<Share> share_from_word(std::string_view word) {
  const auto colon = word.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto purpose = policy::purpose_from_word(word.substr(0, colon));
  if (!purpose) return std::nullopt;
  Share share{*purpose, std::nullopt};
  auto list = word.substr(colon + 1);
  if (list == "all") return share;
  share.classes.emplace();
  if (list == "none") return share;
  for (;;) {
    const auto comma = list.find(',');
    auto code = code_from_word(list.substr(0, comma));
    if (!code) return std::nullopt;
    share.classes->push_back(std::move(*code));
    if (comma == std::string_view::npos) return share;
    list.remove_prefix(comma + 1);
  }
}

base::Error bad(std::string_view name, std::string_view how) {
  return fail(Errc::BadSetting, std::string(name) + ": write " + std::string(name) + "=" + std::string(how));
}

using Change = Result<void> (*)(ClinicRules& rules, std::string_view value, bool add);

Result<void> change_labels(std::set<Label>& labels, std::string_view name, std::string_view value, bool add) {
  const auto label = policy::label_from_word(value);
  if (!label) return bad(name, "a label like HIV, or SYSTEM|CODE of a system of your own");
  if (add) {
    labels.insert(*label);
  } else {
    labels.erase(*label);
  }
  return {};
}

struct Setting {
  std::string_view name;
  Change change;
};
constexpr Setting settings[] = {
    {"gate",
     [](ClinicRules& rules, std::string_view value, bool add) {
       return change_labels(rules.labels.gated, "gate", value, add);
     }},
    {"know",
     [](ClinicRules& rules, std::string_view value, bool add) -> Result<void> {
       const auto label = policy::label_from_word(value);
       const bool ships_gated = label && policy::kind_of(*label, {}) == policy::LabelKind::Gated;
       if (ships_gated) return bad("know", "a label of your own: what the law gates no clinic opens");
       return change_labels(rules.labels.known, "know", value, add);
     }},
    {"mark",
     [](ClinicRules& rules, std::string_view value, bool add) -> Result<void> {
       const auto mark = mark_from_word(value);
       if (!mark) return bad("mark", "SYSTEM|CODE:LABEL, like 2.16.840.1.113883.6.1|11111-1:PSY");
       std::erase(rules.labels.marks, *mark);
       if (add) rules.labels.marks.push_back(*mark);
       return {};
     }},
    {"refuse",
     [](ClinicRules& rules, std::string_view value, bool add) -> Result<void> {
       const auto home = base::Oid::parse(value);
       if (!home) return bad("refuse", "the home community id (OID) of an organization");
       if (add) {
         rules.refused.insert(*home);
       } else {
         rules.refused.erase(*home);
       }
       return {};
     }},
    {"share",
     [](ClinicRules& rules, std::string_view value, bool add) -> Result<void> {
       auto share = share_from_word(value);
       if (!share || !add) return bad("share", "PURPOSE:SYSTEM|CODE,SYSTEM|CODE, PURPOSE:all or PURPOSE:none");
       rules.shared.erase(share->purpose);
       if (share->classes) rules.shared.emplace(share->purpose, std::move(*share->classes));
       return {};
     }},
    {"part2-emergencies",
     [](ClinicRules& rules, std::string_view value, bool) -> Result<void> {
       if (value != "on" && value != "off") return bad("part2-emergencies", "on or off");
       rules.part2_emergencies = value == "on";
       return {};
     }},
};

/// @error Errc::BadSetting
Result<policy::PurposeSet> purposes_from_word(std::string_view words) {
  if (const auto set = policy::PurposeSet::parse(words)) return *set;
  std::string known;
  for (policy::Purpose purpose : policy::PurposeSet::all().members())
    known.append(known.empty() ? "" : ", ").append(policy::word(purpose));
  return bad(purposes_setting, "all, none or a list of " + known);
}

}  // namespace

std::optional<Code> code_from_word(std::string_view word) {
  const auto bar = word.find('|');
  if (bar == std::string_view::npos || bar == 0 || bar + 1 == word.size()) return std::nullopt;
  return Code{.code = std::string(word.substr(bar + 1)), .system = resources::system_of(word.substr(0, bar)),
              .display = {}};
}

std::string write_rules(const ClinicRules& rules) {
  if (rules == ClinicRules{}) return {};
  Writer writer;
  writer.begin_object();
  const auto label_word = [](const Label& label) { return policy::word(label); };
  write_words(writer, "gate", rules.labels.gated, label_word);
  write_words(writer, "know", rules.labels.known, label_word);
  write_words(writer, "mark", rules.labels.marks, mark_word);
  write_words(writer, "refuse", rules.refused, [](const base::Oid& home) { return home.dotted(); });
  write_words(writer, "share", rules.shared,
              [](const auto& share) { return share_word(share.first, share.second); });
  if (rules.part2_emergencies) writer.name("part2-emergencies").boolean(true);
  return writer.end_object().text();
}

ClinicRules read_rules(std::string_view json) {
  ClinicRules rules;
  if (json.empty()) return rules;
  const auto unreadable = ClinicRules{.readable = false};
  const auto document = base::json::Document::parse(json);
  if (!document || !(*document)->root().is_object()) return unreadable;
  const Value root = (*document)->root();
  // A rule this program does not know is a rule it cannot keep.
  for (const auto& member : root.members()) {
    if (std::ranges::find(settings, member.name, &Setting::name) == std::end(settings)) return unreadable;
  }
  const auto emergencies = root.find("part2-emergencies");
  const bool read =
      read_words(root, "gate", [&](std::string_view word) { return take_label(rules.labels.gated, word); }) &&
      read_words(root, "know", [&](std::string_view word) { return take_label(rules.labels.known, word); }) &&
      read_words(root, "mark", [&](std::string_view word) {
        const auto mark = mark_from_word(word);
        if (mark) rules.labels.marks.push_back(*mark);
        return mark.has_value();
      }) &&
      read_words(root, "refuse", [&](std::string_view word) {
        const auto home = base::Oid::parse(word);
        if (home) rules.refused.insert(*home);
        return home.has_value();
      }) &&
      read_words(root, "share", [&](std::string_view word) {
        const auto share = share_from_word(word);
        return share && share->classes && rules.shared.emplace(share->purpose, *share->classes).second;
      }) && (!emergencies || emergencies->boolean());
  if (!read) return unreadable;
  rules.part2_emergencies = emergencies && *emergencies->boolean();
  return rules;
}

Result<ClinicRules> with_rule(ClinicRules rules, std::string_view name, std::string_view value) {
  const auto setting = std::ranges::find(settings, name, &Setting::name);
  if (setting == std::end(settings)) return fail(Errc::NoSuchSetting, std::string(name));
  const bool add = !value.starts_with('-');
  if (!add) value.remove_prefix(1);
  TRY(setting->change(rules, value, add));
  const auto& labels = rules.labels;
  if (std::max({labels.gated.size(), labels.known.size(), labels.marks.size(), rules.refused.size()}) > rules_max)
    return bad(name, "no more than " + std::to_string(rules_max) + " of them");
  return rules;
}

std::vector<std::string> rule_words(const ClinicRules& rules) {
  std::vector<std::string> words;
  for (const Label& label : rules.labels.gated) words.push_back("gate=" + policy::word(label));
  for (const Label& label : rules.labels.known) words.push_back("know=" + policy::word(label));
  for (const auto& mark : rules.labels.marks) words.push_back("mark=" + mark_word(mark));
  for (const auto& home : rules.refused) words.push_back("refuse=" + home.dotted());
  for (const auto& [purpose, classes] : rules.shared) words.push_back("share=" + share_word(purpose, classes));
  if (rules.part2_emergencies) words.push_back("part2-emergencies=on");
  return words;
}

Result<Assignment> assignment_from_word(std::string_view word) {
  const auto equals = word.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return fail(Errc::BadSetting, "write NAME=VALUE, like purposes=treatment or gate=HIV");
  return Assignment(word.substr(0, equals), word.substr(equals + 1));
}

Result<policy::Clinic> with_setting(policy::Clinic clinic, const Assignment& assignment) {
  const auto& [name, value] = assignment;
  if (name == purposes_setting) {
    clinic.defaults = TRY(purposes_from_word(value));
    return clinic;
  }
  if (!clinic.rules.readable) return fail(Errc::RecordUnreadable, "clinics.rules");
  clinic.rules = TRY(with_rule(std::move(clinic.rules), name, value));
  return clinic;
}

Result<policy::Clinic> set_clinic_settings(store::Database& database, const std::string& clinic_id,
                                           const std::vector<Assignment>& assignments, std::string_view actor,
                                           Instant now) {
  std::optional<policy::PurposeSet> purposes;
  std::vector<Assignment> rules;
  for (const Assignment& one : assignments) {
    if (one.first == purposes_setting) {
      purposes = TRY(purposes_from_word(one.second));
    } else {
      rules.push_back(one);
    }
  }
  auto* session = TRY(database.session());
  TRY(session->transaction([&]() -> Result<void> {
    if (purposes) TRY(set_clinic_purposes(database, clinic_id, *purposes, actor, now));
    if (!rules.empty()) TRY(set_clinic_rules(database, clinic_id, rules, actor, now));
    return {};
  }));
  return find_clinic(database, clinic_id);
}

Result<policy::Clinic> set_clinic_rules(store::Database& database, const std::string& clinic_id,
                                        const std::vector<Assignment>& assignments, std::string_view actor,
                                        Instant now) {
  if (base::trim(actor).empty()) return fail(Errc::ActorMissing);
  auto* session = TRY(database.session());
  TRY(session->transaction([&]() -> Result<void> {
    // The write comes first: it holds the clinic's row, so that two changes come one after the other.
    if (TRY(session->execute("UPDATE clinics SET version = version + 1 WHERE id = :p1", {clinic_id})) == 0)
      return fail(Errc::NoSuchClinic);
    const auto rows = TRY(session->select("SELECT rules, version FROM clinics WHERE id = :p1", "ti", {clinic_id}));
    auto rules = read_rules(rows.at(0).text(0));
    if (!rules.readable) return fail(Errc::RecordUnreadable, "clinics.rules");
    for (const auto& [name, value] : assignments) rules = TRY(with_rule(std::move(rules), name, value));
    const auto text = write_rules(rules);
    TRY(session->execute("UPDATE clinics SET rules = :p1 WHERE id = :p2", {text, clinic_id}));
    return record_setting(*session, {.clinic = clinic_id, .version = rows.at(0).integer(1), .setting = "rules",
                                     .value = text, .actor = std::string(actor)}, now);
  }));
  return find_clinic(database, clinic_id);
}

}  // namespace gateway::patients
