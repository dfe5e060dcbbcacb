#include "xca/ebxml/notice.hpp"

#include <algorithm>

namespace xca::ebxml {
namespace {

using policy::Label;
using policy::Obligation;
using policy::Verdict;

/// The scope of what it leaves on, a sentence for each; nothing where there is no obligation.
std::optional<std::string> part2_scope(const Verdict& verdict) {
  std::optional<std::string> scope;
  if (!verdict.permits()) return scope;
  for (const Obligation& one : verdict.obligations) {
    if (one.kind != Obligation::Kind::Part2Notice) continue;
    if (!scope) scope.emplace();
    for (const auto& explanation : one.explanations) scope->append(scope->empty() ? "" : " ").append(explanation);
  }
  return scope;
}

void add_label(std::vector<Code>& codes, const Label& label, std::string_view display) {
  const auto says_it = [&](const Code& one) { return policy::label(one.system, one.code) == label; };
  if (std::ranges::none_of(codes, says_it)) codes.push_back({label.code, label.system, std::string(display)});
}

}  // namespace

DocumentEntry with_notice(DocumentEntry entry, const Verdict& verdict) {
  const auto scope = part2_scope(verdict);
  if (!scope) return entry;
  add_label(entry.confidentiality_codes, policy::part2_label(), "42 CFR Part 2");
  add_label(entry.confidentiality_codes, policy::no_redisclosure_label(),
            "no redisclosure without consent directive");
  // First, for comments are cut at their end; the header block has all of it.
  std::string comments(policy::part2_statement);
  if (!scope->empty()) comments += " [" + *scope + "]";
  if (!entry.comments.empty()) comments += " " + entry.comments;
  entry.comments = std::move(comments);
  return entry;
}

std::optional<soap::Notice> notice_on(std::string_view unique_id, const Verdict& verdict) {
  auto scope = part2_scope(verdict);
  if (!scope) return std::nullopt;
  return soap::Notice{.document = std::string(unique_id), .scope = std::move(*scope),
                      .statement = std::string(policy::part2_statement)};
}

}  // namespace xca::ebxml
