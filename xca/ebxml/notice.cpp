#include "xca/ebxml/notice.hpp"

#include <algorithm>

namespace xca::ebxml {
namespace {

using policy::Label;
using policy::Obligation;
using policy::Verdict;

/// What it leaves on, each once; nothing where there is no obligation.
std::optional<std::string> part2_evidence(const Verdict& verdict) {
  std::optional<std::string> evidence;
  if (!verdict.permits()) return evidence;
  for (const Obligation& one : verdict.obligations) {
    if (one.kind != Obligation::Kind::Part2Notice) continue;
    evidence = evidence ? *evidence + "; " + one.evidence : one.evidence;
  }
  return evidence;
}

void add_label(std::vector<Code>& codes, const Label& label, std::string_view display) {
  const auto says_it = [&](const Code& one) { return policy::label(one.system, one.code) == label; };
  if (std::ranges::none_of(codes, says_it)) codes.push_back({label.code, label.system, std::string(display)});
}

}  // namespace

DocumentEntry with_notice(DocumentEntry entry, const Verdict& verdict) {
  const auto evidence = part2_evidence(verdict);
  if (!evidence) return entry;
  add_label(entry.confidentiality_codes, policy::part2_label(), "42 CFR Part 2");
  add_label(entry.confidentiality_codes, policy::no_redisclosure_label(),
            "no redisclosure without consent directive");
  // First, for comments are cut at their end.
  std::string comments(policy::part2_statement);
  if (!evidence->empty()) comments += " [" + *evidence + "]";
  if (!entry.comments.empty()) comments += " " + entry.comments;
  entry.comments = std::move(comments);
  return entry;
}

std::optional<soap::Notice> notice_on(std::string_view unique_id, const Verdict& verdict) {
  auto evidence = part2_evidence(verdict);
  if (!evidence) return std::nullopt;
  return soap::Notice{.document = std::string(unique_id), .consent = std::move(*evidence),
                      .statement = std::string(policy::part2_statement)};
}

}  // namespace xca::ebxml
