#pragma once
// Codes that mark a document: which labels it bears by what it is, where it was made and what stands in it. The table
// that ships is short; a clinic adds its own (`policy rules`). Pure. [issue: value sets; design §4]

#include "policy/labels.hpp"

namespace gateway::documents {

/// Marks that hold in every clinic. They are judged once, when a document is taken in (label_rules).
std::span<const policy::Mark> shipped_marks();

/// A code as one line, `system|code`: how codes and labels are stored and compared, byte for byte. Nothing where that
/// would not be one line: a system with `|` or a minus in front, control characters, more than 256 octets, no code.
std::optional<std::string> line_of(std::string_view system, std::string_view code);

/// Marks as they are looked up.
class MarkTable {
 public:
  explicit MarkTable(std::span<const policy::Mark> marks);
  bool empty() const { return rows_.empty(); }
  /// Adds the labels that the codes of a document bear.
  /// @param codes  lines of line_of in ascending order, each with its line end: one pass, however many marks there are
  /// @return false where they are no such lines
  bool add_labels(std::string_view codes, std::set<policy::Label>& labels) const;

 private:
  struct Row {
    std::string line;
    policy::Label label;
  };
  std::vector<Row> rows_;  ///< in ascending order of lines
};

}  // namespace gateway::documents
