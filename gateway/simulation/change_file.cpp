// The file of settings that a simulation is asked about.

#include "base/error_table.hpp"
#include "base/json/document.hpp"
#include "gateway/patients/rules.hpp"
#include "gateway/simulation/simulation.hpp"

#include <algorithm>
#include <charconv>

namespace gateway::simulation {
namespace {

using base::json::Value;

constexpr base::ErrorRow rows[] = {
    {int(Errc::BadChange), "bad-change", "the change cannot be read", base::Cause::BadMessage},
    {int(Errc::NoChange), "no-change",
     "the file changes nothing: write lines like gate=HIV or purposes=treatment", base::Cause::BadMessage},
};
constinit const base::ErrorTable errors("gatehouse.simulation", rows);

/// A setting and where it stands.
struct Line {
  std::size_t number = 0;
  patients::Assignment assignment;
};

base::Error bad(std::size_t line, std::string_view what) {
  return base::fail(Errc::BadChange, "line " + std::to_string(line) + ": " + std::string(what));
}

std::size_t line_at(std::string_view text, std::size_t octet) {
  return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, octet), '\n'));
}

Result<std::vector<Line>> read_lines(std::string_view text) {
  std::vector<Line> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = base::trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    auto assignment = patients::assignment_from_word(line);
    if (!assignment) return bad(number, assignment.error().detail);
    lines.push_back({number, *std::move(assignment)});
  }
  return lines;
}

/// Where RapidJSON stopped, as a line: its detail ends with the octet.
std::size_t line_of_error(std::string_view text, const base::Error& error) {
  const auto blank = error.detail.rfind(' ');
  std::size_t octet = 0;
  if (blank != std::string::npos)
    std::from_chars(error.detail.data() + blank + 1, error.detail.data() + error.detail.size(), octet);
  return line_at(text, octet);
}

/// One member of `settings`: a word, a list of words, or true and false for on and off.
Result<void> add_values(std::size_t line, const Value::Member& member, std::vector<Line>& lines) {
  const auto add = [&](std::string_view value) {
    lines.push_back({line, {std::string(member.name), std::string(value)}});
  };
  if (const auto word = member.value.string()) {
    add(*word);
  } else if (const auto on = member.value.boolean()) {
    add(*on ? "on" : "off");
  } else if (member.value.is_array()) {
    for (const Value& item : member.value.items()) {
      if (!item.string()) return bad(line, std::string(member.name) + " must be a list of words");
      add(*item.string());
    }
  } else {
    return bad(line, std::string(member.name) + " must be a word or a list of words");
  }
  return {};
}

Result<std::vector<Line>> read_json(std::string_view text) {
  const auto document = base::json::Document::parse(text);
  if (!document) return bad(line_of_error(text, document.error()), document.error().code.message());
  const auto settings = (*document)->root().find("settings");
  if (!settings || !settings->is_object() || (*document)->root().members().size() != 1)
    return bad(1, "write {\"settings\": {\"gate\": [\"HIV\"]}}");
  std::vector<Line> lines;
  auto from = text.find("\"settings\"");
  for (const auto& member : settings->members()) {
    const auto found = text.find("\"" + std::string(member.name) + "\"", from + 1);
    if (found != std::string_view::npos) from = found;
    TRY(add_values(line_at(text, from), member, lines));
  }
  return lines;
}

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errors}; }

Result<policy::Clinic> changed_clinic(const policy::Clinic& clinic, base::BytesView file) {
  const auto lines = TRY(base::trim(file).starts_with('{') ? read_json(file) : read_lines(file));
  if (lines.empty()) return base::fail(Errc::NoChange);
  policy::Clinic changed = clinic;
  for (const Line& line : lines) {
    auto with = patients::with_setting(std::move(changed), line.assignment);
    if (!with) {
      const auto& error = with.error();
      const bool named = error.code == patients::Errc::BadSetting;
      return bad(line.number, named ? error.detail : error.code.message() + ": " + error.detail);
    }
    changed = *std::move(with);
  }
  changed.version = clinic.version + " changed";
  return changed;
}

}  // namespace gateway::simulation
