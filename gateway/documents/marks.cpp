#include "gateway/documents/marks.hpp"

#include <algorithm>

namespace gateway::documents {
namespace {

using policy::Label;
using policy::Mark;

constexpr std::size_t octets_max = 256;
constexpr std::string_view nucc = "2.16.840.1.113883.6.101", snomed = "2.16.840.1.113883.6.96";
constexpr std::string_view role_code = "2.16.840.1.113883.5.111";

struct Row {
  std::string_view system, code, display;
};
/// Kinds of place that treat substance use and nothing else: records they make are those of a program. [42 CFR §2.11]
/// No document type ships: a psychiatry note is not a psychotherapy note [45 CFR §164.501], and a treatment plan is
/// under Part 2 only where a program wrote it. Clinics know what their own types mean.
constexpr Row part2_places[] = {
    {nucc, "261QM2800X", "Methadone clinic"},
    {nucc, "261QR0405X", "Clinic, rehabilitation, substance use disorder"},
    {nucc, "276400000X", "Rehabilitation, substance use disorder unit"},
    {nucc, "324500000X", "Substance abuse rehabilitation facility"},
    {nucc, "3245S0500X", "Substance abuse treatment, children"},
    {snomed, "20078004", "Substance abuse treatment center"},
    {role_code, "SURF", "Substance use rehabilitation facility"},
};

}  // namespace

std::span<const Mark> shipped_marks() {
  static const std::vector<Mark> marks = [] {
    std::vector<Mark> all;
    for (const auto& row : part2_places) {
      all.push_back({{.code = std::string(row.code), .system = std::string(row.system),
                      .display = std::string(row.display)}, policy::part2_label()});
    }
    return all;
  }();
  return marks;
}

std::optional<std::string> line_of(std::string_view system, std::string_view code) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; };
  if (code.empty() || code.size() > octets_max || system.size() > octets_max || system.starts_with('-') ||
      system.find('|') != std::string_view::npos || std::ranges::any_of(system, is_control) ||
      std::ranges::any_of(code, is_control))
    return std::nullopt;
  std::string line(system);
  return line.append("|").append(code);
}

MarkTable::MarkTable(std::span<const Mark> marks) {
  for (const Mark& mark : marks) {
    auto line = line_of(mark.code.system, mark.code.code);
    if (line) rows_.push_back({std::move(*line), mark.label});
  }
  std::ranges::sort(rows_, {}, &Row::line);
}

bool MarkTable::add_labels(std::string_view codes, std::set<Label>& labels) const {
  std::string_view before;
  for (auto row = rows_.begin(); !codes.empty();) {
    const auto end = codes.find('\n');
    if (end == std::string_view::npos) return false;
    const auto line = codes.substr(0, end);
    codes.remove_prefix(end + 1);
    if (line <= before || line.find('|') == std::string_view::npos) return false;
    before = line;
    while (row != rows_.end() && row->line < line) ++row;
    for (auto same = row; same != rows_.end() && same->line == line; ++same) labels.insert(same->label);
  }
  return true;
}

}  // namespace gateway::documents
