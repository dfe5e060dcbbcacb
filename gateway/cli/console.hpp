#pragma once
// What a command says: text for people, JSON for programs, errors as one sentence, progress on long work.

#include "base/error_table.hpp"
#include "base/json/writer.hpp"
#include "base/time.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gateway::cli {

using base::Result;

/// One result object: names and values in order. Values may be nested JSON.
class Fields {
 public:
  Fields& text(std::string name, std::string value);
  Fields& number(std::string name, std::int64_t value);
  Fields& flag(std::string name, bool value);
  Fields& time(std::string name, base::Instant value) { return text(std::move(name), base::write_date_time(value)); }
  Fields& list(std::string name, const std::vector<std::string>& values);
  Fields& json(std::string name, std::string nested);  ///< well-formed JSON, shown to programs only
  std::string to_json() const;

  struct Field {
    std::string name, shown, json;
    bool for_people = true;
  };
  const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

class Console {
 public:
  explicit Console(bool json) : json_(json) {}
  bool json() const { return json_; }

  /// One object: `name: value` lines, or one JSON object.
  void show(const Fields& fields) const;
  /// Rows of the same fields: a table, or {"NAME":[…]}.
  void show(std::string_view name, const std::vector<Fields>& rows) const;
  /// A sentence for people; programs do not get it.
  void say(std::string_view sentence) const;
  /// A sentence on standard error, whatever the mode: what a command did not do though it did the rest.
  void warn(std::string_view sentence) const;
  /// Raw text whatever the mode: an HTML page, a PEM.
  void raw(std::string_view text) const;
  /// Progress of long work on a terminal; nothing elsewhere. @param total  0 where it is unknown
  void progress(std::uint64_t done, std::uint64_t total) const;
  void progress_end() const;

 private:
  bool json_;
};

/// One sentence that says what is wrong and, as far as the detail tells, what to do.
std::string sentence(const base::Error& error);

}  // namespace gateway::cli
