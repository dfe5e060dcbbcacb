// policy cases: the decision corpus that ships, and what this program decides about each case.

#include "gateway/cli/commands.hpp"
#include "policy/cases.hpp"

namespace gateway::cli {
namespace {

Result<Exit> cases(const Arguments&, Console& console) {
  std::vector<Fields> rows;
  std::size_t failed = 0;
  for (const policy::Case& one : TRY(policy::shipped_cases())) {
    const policy::Outcome outcome = policy::judge_case(one);
    failed += outcome.as_expected ? 0 : 1;
    rows.push_back(Fields()
                       .text("name", one.name)
                       .text("verdict", outcome.permits ? "permit" : "deny")
                       .text("reason", std::string(policy::code(outcome.reason)))
                       .flag("ok", outcome.as_expected));
  }
  console.show("cases", rows);
  console.say(std::to_string(rows.size()) + " cases, " + std::to_string(failed) + " not as expected.");
  return failed == 0 ? Exit::Done : Exit::Refused;
}

}  // namespace

std::vector<Command> case_commands() {
  return {
      {.path = "policy cases",
       .help = "Judge the decision cases that ship, as a table; exit 1 if one is not decided as expected",
       .example = "policy cases --json",
       .options = {},
       .run = cases,
       .needs_config = false},
  };
}

}  // namespace gateway::cli
