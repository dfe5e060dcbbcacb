#pragma once
// Schema validation by libxml2 over schemas that are read once and shared by all threads. What came in is judged on the
// very nodes that are read; what goes out is read back behind the byte gate. [decisions/006-schema-on-the-tree.md]

#include "base/xml/document.hpp"

namespace base::xml {

/// One schema document: the name others import it by, and its text.
struct SchemaSource {
  std::string name;
  BytesView text;
};

/// One thing a schema does not allow.
struct Finding {
  std::size_t line = 0;
  std::string message;  ///< may quote the message's own values: for the peer's counter by kind, never for logs
};

/// Schemas ready for use. Read-only after construction: any number of threads validate at once.
class SchemaPool {
 public:
  /// @param sources  all schema documents; sources[0] is the driver that imports the others by name
  /// Throws std::runtime_error where a schema does not load: ours ship with the program.
  explicit SchemaPool(const std::vector<SchemaSource>& sources);
  ~SchemaPool();
  SchemaPool(const SchemaPool&) = delete;
  SchemaPool& operator=(const SchemaPool&) = delete;

  /// What the schemas do not allow in an element and below, namespaces in scope included (at most `findings_max`);
  /// empty where it is valid. Schema hints in the document are not followed (X03).
  std::vector<Finding> validate(const Element& element, std::size_t findings_max = 16) const;
  /// The same for bytes, behind the byte gate; what the gate or the parser refuses is one finding.
  std::vector<Finding> validate(BytesView document, std::size_t findings_max = 16) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace base::xml
