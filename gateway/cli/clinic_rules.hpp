#pragma once
// What gates in a clinic, as commands show it.

#include "gateway/cli/console.hpp"
#include "policy/release.hpp"

namespace gateway::cli {

/// One row for each thing that gates: `rule`, `value`, `from` (law, deployment or clinic) and what it does.
std::vector<Fields> rule_rows(const policy::Clinic& clinic, const policy::Rules& deployment);

/// The clinic's own rules as fields of its settings, each a list by the name that `settings set` knows it by.
void add_rules(Fields& fields, const policy::ClinicRules& rules);

}  // namespace gateway::cli
