#include "policy/labels.hpp"

#include <algorithm>
#include <array>

namespace policy {
namespace {

struct System {
  std::string_view oid, url;
};
constexpr System systems[] = {
    {confidentiality_system, "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"},
    {act_code_system, "http://terminology.hl7.org/CodeSystem/v3-ActCode"},
    // As FHIR wrote them before R4; written by none of ours.
    {confidentiality_system, "http://hl7.org/fhir/v3/Confidentiality"},
    {act_code_system, "http://hl7.org/fhir/v3/ActCode"},
};

constexpr std::string_view open_confidentialities[] = {"U", "L", "M", "N", "R"};
/// Sensitivities, laws, obligations and refrain policies that bind the recipient or tell what a document is about.
constexpr std::string_view open_act_codes[] = {
    "PSY",   "MH",    "BH",    "HIV",    "STD",    "SDV",    "VIO",       "SEX",      "SPI",      "GDIS",
    "MST",   "SCA",   "SICKLE", "COGN",  "EMOTDIS", "TBOO",  "DVD",       "B",        "EMPL",     "LOCIS",
    "SSP",   "ADOL",  "CEL",   "DIA",    "DRGIS",  "EMP",    "PDS",       "PHY",      "PRS",      "HIPAANOPP",
    "HIPAASelfPay",   "CommonRule",      "ENCRYPT", "MASK",  "REDACT",    "DELAU",    "AUDIT",    "PERSISTLABEL",
    "PRIVMARK",       "CPLYCD",          "NORDSCLCD", "NODSCLCD", "NORDSCLW", "NOREUSE", "NOPERSISTP", "NOAUTH",
    "NOINTEGRATE",    "NORELINK"};
constexpr std::string_view part2_codes[] = {"42CFRPart2", "SUD", "ETH", "ETHUD", "OPIOIDUD"};
constexpr std::string_view note_codes[] = {"PSYTHPN", "HIPAAPsyNotes"};
constexpr std::string_view other_gated[] = {"Title38Section7332"};

const std::vector<Label>& gated_table() {
  static const std::vector<Label> table = [] {
    std::vector<Label> all{{std::string(confidentiality_system), "V"}};
    const auto add = [&](auto codes) {
      for (const auto code : codes) all.push_back({std::string(act_code_system), std::string(code)});
    };
    add(std::span(part2_codes));
    add(std::span(note_codes));
    add(std::span(other_gated));
    return all;
  }();
  return table;
}

bool ships_open(const Label& label) {
  if (label.system == confidentiality_system)
    return std::ranges::find(open_confidentialities, label.code) != std::end(open_confidentialities);
  return label.system == act_code_system && std::ranges::find(open_act_codes, label.code) != std::end(open_act_codes);
}
bool ships_gated(const Label& label) { return std::ranges::find(gated_table(), label) != gated_table().end(); }

}  // namespace

Label label(std::string_view system, std::string_view code) {
  if (system.starts_with("urn:oid:")) system.remove_prefix(std::string_view("urn:oid:").size());
  const auto known = std::ranges::find(systems, system, &System::url);
  return {std::string(known == std::end(systems) ? system : known->oid), std::string(code)};
}

std::string fhir_system(std::string_view system) {
  const auto known = std::ranges::find(systems, system, &System::oid);
  if (known != std::end(systems)) return std::string(known->url);
  return base::Oid::parse(system) ? "urn:oid:" + std::string(system) : std::string(system);
}

std::string word(const Label& label) {
  return ships_open(label) || ships_gated(label) ? label.code : label.system + "|" + label.code;
}

std::optional<Label> label_from_word(std::string_view word) {
  const auto bar = word.find('|');
  if (bar != std::string_view::npos) {
    if (bar == 0 || bar + 1 == word.size()) return std::nullopt;
    return label(word.substr(0, bar), word.substr(bar + 1));
  }
  for (const auto& system : systems) {
    Label one{std::string(system.oid), std::string(word)};
    if (ships_open(one) || ships_gated(one)) return one;
  }
  return std::nullopt;
}

LabelKind kind_of(const Label& label, const LabelRules& rules) {
  if (ships_gated(label) || rules.gated.contains(label)) return LabelKind::Gated;
  return ships_open(label) || rules.known.contains(label) ? LabelKind::Open : LabelKind::Unknown;
}

std::span<const Label> shipped_gated() { return gated_table(); }

bool is_part2(const Label& label) {
  return label.system == act_code_system && std::ranges::find(part2_codes, label.code) != std::end(part2_codes);
}

const Label& part2_label() {
  static const Label label{std::string(act_code_system), "42CFRPart2"};
  return label;
}
const Label& no_redisclosure_label() {
  static const Label label{std::string(act_code_system), "NORDSCLCD"};
  return label;
}

}  // namespace policy
