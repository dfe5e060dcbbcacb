#pragma once
// Our own XSDs for everything this room writes and reads, in one locked pool. They ship inside the program.

#include "base/xml/schema.hpp"

namespace xca {

/// The pool over xca/schema/*.xsd, built on first use.
const base::xml::SchemaPool& schemas();

}  // namespace xca
