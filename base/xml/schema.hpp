#pragma once
// Schema validation by Xerces-C over a grammar pool that is built once, locked, and shared by all threads.
// DTDs are switched off before Xerces starts (K11) and a self-test shows that they are.

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>
#include <vector>

namespace base::xml {

/// One schema document: the name others import it by, and its text.
struct SchemaSource {
  std::string name;
  BytesView text;
};

/// One thing a schema does not allow.
struct Finding {
  std::size_t line = 0, column = 0;
  std::string message;  ///< may quote the message's own values: for the peer's counter by kind, never for logs
};

/// Starts Xerces with DTDs disabled, once per process, before any thread uses it; runs the self-test of K11.
/// Throws std::runtime_error where the self-test fails: the program must not serve.
void start_schemas();

/// A locked pool of grammars. Safe over threads: each keeps a parser of its own over it, and one document is judged at
/// a time (docs/mistakes.md).
class SchemaPool {
 public:
  /// @param sources  all schema documents; sources[0] is the driver that imports the others by name
  /// Throws std::runtime_error where a schema does not load: ours ship with the program.
  explicit SchemaPool(const std::vector<SchemaSource>& sources);
  ~SchemaPool();
  SchemaPool(const SchemaPool&) = delete;
  SchemaPool& operator=(const SchemaPool&) = delete;

  /// What the schemas do not allow in `document` (at most `findings_max`); empty where it is valid. Schema hints in
  /// the document are ignored; a document that is not well-formed is one finding.
  std::vector<Finding> validate(BytesView document, std::size_t findings_max = 16) const;

 private:
  struct Parts;
  std::shared_ptr<Parts> parts_;  ///< shared with the parsers that threads keep over it
};

}  // namespace base::xml
