#include "gateway/cli/console.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace gateway::cli {
namespace {

void put(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

/// Control characters would let stored text drive the terminal (O12).
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    out += octet < 0x20 || octet == 0x7f ? '?' : c;
  }
  return out;
}

/// Columns of a character string as a terminal shows them: continuation octets of UTF-8 take none.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

Fields& Fields::text(std::string name, std::string value) {
  base::json::Writer json;
  json.string(value);
  fields_.push_back({std::move(name), printable(value), json.text()});
  return *this;
}
Fields& Fields::number(std::string name, std::int64_t value) {
  fields_.push_back({std::move(name), std::to_string(value), std::to_string(value)});
  return *this;
}
Fields& Fields::flag(std::string name, bool value) {
  fields_.push_back({std::move(name), value ? "yes" : "no", value ? "true" : "false"});
  return *this;
}
Fields& Fields::list(std::string name, const std::vector<std::string>& values) {
  base::json::Writer json;
  json.begin_array();
  std::string shown;
  for (const auto& value : values) {
    json.string(value);
    shown += (shown.empty() ? "" : ", ") + printable(value);
  }
  json.end_array();
  fields_.push_back({std::move(name), shown, json.text()});
  return *this;
}
Fields& Fields::json(std::string name, std::string nested) {
  fields_.push_back({std::move(name), {}, nested.empty() ? "null" : std::move(nested), false});
  return *this;
}

std::string Fields::to_json() const {
  std::string out = "{";
  for (const Field& field : fields_) {
    base::json::Writer name;
    name.string(field.name);
    out += (out.size() > 1 ? "," : "") + name.text() + ":" + field.json;
  }
  return out + "}";
}

void Console::show(const Fields& fields) const {
  if (json_) return put(fields.to_json() + "\n");
  std::size_t widest = 0;
  for (const auto& field : fields.fields()) widest = std::max(widest, width(field.name));
  for (const auto& field : fields.fields()) {
    if (!field.for_people) continue;
    put(field.name + ":" + std::string(widest - width(field.name) + 1, ' ') + field.shown + "\n");
  }
}

void Console::show(std::string_view name, const std::vector<Fields>& rows) const {
  if (json_) {
    std::string out = "{\"" + std::string(name) + "\":[";
    for (std::size_t i = 0; i < rows.size(); ++i) out += (i ? "," : "") + rows[i].to_json();
    return put(out + "]}\n");
  }
  if (rows.empty()) return put("No " + std::string(name) + ".\n");
  std::vector<std::size_t> widths;
  for (const auto& field : rows.front().fields()) widths.push_back(width(field.name));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], width(row.fields()[i].shown));
  }
  const auto line = [&](const Fields& row, bool heading) {
    std::string out;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const auto& field = row.fields()[i];
      if (!field.for_people) continue;
      const std::string& cell = heading ? field.name : field.shown;
      out += cell + std::string(widths[i] - width(cell) + 2, ' ');
    }
    out.erase(out.find_last_not_of(' ') + 1);
    put(out + "\n");
  };
  line(rows.front(), true);
  for (const auto& row : rows) line(row, false);
}

void Console::say(std::string_view sentence) const {
  if (!json_) put(std::string(sentence) + "\n");
}

void Console::warn(std::string_view sentence) const {
  const std::string text = printable(std::string(sentence)) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void Console::raw(std::string_view text) const { put(text); }

void Console::progress(std::uint64_t done, std::uint64_t total) const {
  if (json_ || !::isatty(STDOUT_FILENO)) return;
  if (total == 0) {
    std::printf("\r%llu", static_cast<unsigned long long>(done));
  } else {
    const auto tenths = static_cast<int>(done * 40 / total);
    std::printf("\r[%-40.*s] %llu of %llu", tenths, "########################################",
                static_cast<unsigned long long>(done), static_cast<unsigned long long>(total));
  }
  std::fflush(stdout);
}

void Console::progress_end() const {
  if (!json_ && ::isatty(STDOUT_FILENO)) put("\r\033[K");
}

std::string sentence(const base::Error& error) {
  // Errors of the commands themselves carry a whole sentence; those of the rooms below, what it is about.
  const bool whole = std::string_view(error.code.category().name()) == "gateway.config";
  std::string text = error.code.message();
  if (!error.detail.empty()) text = whole ? error.detail : text + ": " + error.detail;
  if (text.empty()) text = "failed";
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  if (text.back() != '.' && text.back() != '?') text += '.';
  return printable(text);
}

}  // namespace gateway::cli
