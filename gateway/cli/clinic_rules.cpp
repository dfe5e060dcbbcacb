#include "gateway/cli/clinic_rules.hpp"

#include "gateway/patients/rules.hpp"

#include <algorithm>

namespace gateway::cli {
namespace {

/// A setting of settings set, and what its rules do.
struct Kind {
  std::string_view name, rule, effect;
};
constexpr Kind kinds[] = {
    {"gate", "gated label", "opens only to a consent that names it, purpose and recipient"},
    {"know", "known label", "is open, and no longer unknown"},
    {"mark", "mark", "documents with this code bear this label"},
    {"refuse", "refused organization", "gets nothing"},
    {"share", "shared classes", "for this purpose no document of another class or type leaves"},
    {"part2-emergencies", "42 CFR Part 2 emergencies", "a broken glass opens records of 42 CFR Part 2 too"},
};

Fields row(std::string_view rule, std::string value, std::string_view from, std::string_view effect) {
  Fields fields;
  fields.text("rule", std::string(rule))
      .text("value", std::move(value))
      .text("from", std::string(from))
      .text("effect", std::string(effect));
  return fields;
}

}  // namespace

std::vector<Fields> rule_rows(const policy::Clinic& clinic, const policy::Rules& deployment) {
  std::vector<Fields> rows;
  rows.push_back(row("supported purposes", deployment.supported.words(), "deployment", "no other is answered"));
  rows.push_back(row("default purposes", clinic.defaults.words(), "clinic", "count for patients without a choice"));
  for (const auto& label : policy::shipped_gated())
    rows.push_back(row(kinds[0].rule, policy::word(label), "law", kinds[0].effect));
  if (!clinic.rules.readable) rows.push_back(row("rules", "unreadable", "clinic", "nothing of the clinic is given"));
  for (const auto& word : patients::rule_words(clinic.rules)) {
    const auto equals = word.find('=');
    const auto kind = std::ranges::find(kinds, std::string_view(word).substr(0, equals), &Kind::name);
    if (kind != std::end(kinds)) rows.push_back(row(kind->rule, word.substr(equals + 1), "clinic", kind->effect));
  }
  if (!clinic.rules.part2_emergencies)
    rows.push_back(row("42 CFR Part 2 emergencies", "off", "clinic", "no broken glass opens records of 42 CFR Part 2"));
  return rows;
}

void add_rules(Fields& fields, const policy::ClinicRules& rules) {
  const auto words = patients::rule_words(rules);
  fields.flag("rules_readable", rules.readable);
  for (const Kind& kind : kinds) {
    std::vector<std::string> values;
    const std::string prefix = std::string(kind.name) + "=";
    for (const auto& word : words) {
      if (word.starts_with(prefix)) values.push_back(word.substr(prefix.size()));
    }
    fields.list(std::string(kind.name), values);
  }
}

}  // namespace gateway::cli
