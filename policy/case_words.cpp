#include "policy/case_words.hpp"

#include "base/error_table.hpp"

#include <algorithm>
#include <set>

namespace policy {
namespace {

constexpr base::ErrorRow error_rows[] = {
    {int(CaseErrc::NotUnderstood), "case-not-understood", "a case of the corpus is not understood",
     base::Cause::Defect},
};
constinit const base::ErrorTable errors("policy.cases", error_rows);

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

struct NamedSystem {
  std::string_view name, system;
};
constexpr NamedSystem code_systems[] = {
    {"nhin", "2.16.840.1.113883.3.18.7.1"}, {"act-reason", "2.16.840.1.113883.5.8"},
    {"tefca", "2.16.840.1.113883.3.7204.1.5.2.1"}, {"loinc", "2.16.840.1.113883.6.1"},
    {"our-list", "2.999.1"}, {"no-system", ""},
};

}  // namespace

boost::system::error_code make_error_code(CaseErrc code) noexcept { return {int(code), errors}; }

base::Error not_understood(std::string what) { return base::fail(CaseErrc::NotUnderstood, std::move(what)); }

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    const auto end = std::min(text.find_first_of(blanks), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}
std::string joined(std::span<const std::string> words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

Result<std::vector<std::string>> list_of(std::string_view text) {
  std::vector<std::string> list;
  for (;;) {
    const auto comma = text.find(',');
    list.push_back(joined(words_of(text.substr(0, comma))));
    if (list.back().empty()) return not_understood("something is missing beside a comma or at the end");
    if (comma == std::string_view::npos) return list;
    text.remove_prefix(comma + 1);
  }
}

Result<HomeCommunityId> organization_of(std::string_view name) {
  std::string dotted = "2.999";
  for (const char letter : name) {
    const bool is_letter = (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z');
    if (!is_letter) return not_understood(std::string(name) + " is no name: letters only");
    dotted += "." + std::to_string(int(letter));
  }
  auto home = HomeCommunityId::parse(dotted);
  if (name.empty() || !home) return not_understood("'" + std::string(name) + "' is no name: 1 to 14 letters");
  return *home;
}

Result<PurposeSet> purposes_of(std::string_view text) {
  std::string words(text);
  std::erase(words, ' ');
  if (const auto set = PurposeSet::parse(words)) return *set;
  return not_understood("purposes are all, none or a list like treatment, payment; not " + std::string(text));
}

Result<Instant> instant_of(std::string_view text) {
  const auto instant = base::read_date_time(text);
  if (!instant) return not_understood("'" + std::string(text) + "' is no time like 2026-11-01T00:00:00-04:00");
  return *instant;
}

Result<Code> code_of(std::string_view text) {
  const auto words = words_of(text);
  if (words.size() == 1) return Code{words[0], std::string(code_systems[3].system), {}};
  if (words.size() != 3 || words[1] != "of") 
    return not_understood("a code is 'CODE' or 'CODE of SYSTEM', not " + std::string(text));
  const auto known = std::ranges::find(code_systems, words[2], &NamedSystem::name);
  if (known == std::end(code_systems)) return not_understood("no code system is called " + words[2]);
  return Code{words[0], std::string(known->system), {}};
}
Result<std::vector<Code>> codes_of(std::string_view text) {
  std::vector<Code> codes;
  for (const auto& each : TRY(list_of(text))) codes.push_back(TRY(code_of(each)));
  return codes;
}

Result<std::vector<Label>> labels_of(std::string_view text) {
  std::vector<Label> labels;
  for (const auto& word : TRY(list_of(text))) {
    const auto read = label_from_word(word);
    if (!read) return not_understood("no label is called " + word);
    labels.push_back(*read);
  }
  return labels;
}

Result<base::Identifier> identifier_of(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return not_understood("an id is AUTHORITY/ID, not " + std::string(text));
  const auto authority = TRY(organization_of(text.substr(0, slash)));
  return base::Identifier{authority.dotted(), std::string(text.substr(slash + 1))};
}

Result<NamedOrganization> named_organization(std::string_view text) {
  const auto parts = TRY(list_of(text));
  const auto home = TRY(organization_of(parts[0]));
  const auto network = TRY(organization_of("Network"));
  Organization entry{.home = home, .name = parts[0], .active = true, .implementer = network.dotted(), .version = "1"};
  NamedOrganization named{.named = home.urn()};
  bool listed = true;
  for (const auto& part : std::span(parts).subspan(1)) {
    const auto words = words_of(part);
    if (part == "not listed") {
      listed = false;
    } else if (part == "inactive") {
      entry.active = false;
    } else if (part == "answered for here") {
      named.is_ours = true;
    } else if (words.size() == 2 && words[0] == "of") {
      entry.implementer = TRY(organization_of(words[1])).dotted();
    } else if (words.size() == 3 && words[0] == "lets" && words[2] == "ask") {
      entry.delegates.push_back(TRY(organization_of(words[1])));
    } else {
      return not_understood("an organization is not '" + part + "'");
    }
  }
  if (listed) named.entry = std::move(entry);
  return named;
}

namespace {

Result<void> limit_labels(Provision& provision, const std::string& value) {
  provision.labels = TRY(labels_of(value));
  return {};
}
Result<void> limit_codes(Provision& provision, const std::string& value) {
  provision.classes = TRY(codes_of(value));
  return {};
}
Result<void> limit_documents(Provision& provision, const std::string& value) {
  provision.documents = TRY(list_of(value));
  return {};
}
Result<void> limit_recipients(Provision& provision, const std::string& value) {
  for (const auto& one : TRY(list_of(value))) {
    if (const auto recipients = recipient_class(one)) {
      provision.recipients.emplace_back(*recipients);
    } else {
      provision.recipients.emplace_back(TRY(organization_of(one)));
    }
  }
  return {};
}
Result<void> limit_purposes(Provision& provision, const std::string& value) {
  provision.purposes = TRY(purposes_of(value));
  return {};
}
Result<void> limit_from(Provision& provision, const std::string& value) {
  provision.period.from = TRY(instant_of(value));
  return {};
}
Result<void> limit_until(Provision& provision, const std::string& value) {
  provision.period.to = TRY(instant_of(value));
  return {};
}
Result<void> limit_data_from(Provision& provision, const std::string& value) {
  provision.data.from = TRY(instant_of(value));
  return {};
}
Result<void> limit_data_until(Provision& provision, const std::string& value) {
  provision.data.to = TRY(instant_of(value));
  return {};
}
Result<void> limit_nothing(Provision&, const std::string& value) {
  if (!value.empty()) return not_understood("'everything' stands alone, not before " + value);
  return {};
}
Result<void> hold_unclear(Provision& provision, const std::string& value) {
  if (!value.empty()) return not_understood("'unclear' stands alone, not before " + value);
  provision.understood = false;
  return {};
}

struct Clause {
  std::string_view word;
  Result<void> (*read)(Provision&, const std::string&);
};
constexpr Clause clauses[] = {
    {"everything", limit_nothing}, {"labels", limit_labels},       {"codes", limit_codes},
    {"documents", limit_documents}, {"to", limit_recipients},      {"for", limit_purposes},
    {"from", limit_from},           {"until", limit_until},        {"data-from", limit_data_from},
    {"data-until", limit_data_until}, {"unclear", hold_unclear},
};

}  // namespace

Result<Provision> statement_in(std::span<const std::string> words) {
  if (words.empty() || (words[0] != "permits" && words[0] != "denies"))
    return not_understood("a statement begins with permits or denies");
  Provision provision{.permits = words[0] == "permits"};
  std::set<std::string_view> said;
  for (std::size_t at = 1; at < words.size();) {
    const auto clause = std::ranges::find(clauses, words[at], &Clause::word);
    if (clause == std::end(clauses)) return not_understood("a statement does not go on with " + words[at]);
    if (!said.insert(clause->word).second) return not_understood("'" + words[at] + "' is said twice");
    std::size_t end = at + 1;
    while (end < words.size() && std::ranges::find(clauses, words[end], &Clause::word) == std::end(clauses)) ++end;
    TRY(clause->read(provision, joined(words.subspan(at + 1, end - at - 1))));
    at = end;
  }
  if (said.empty()) return not_understood("a statement says what it is about, or everything");
  return provision;
}

Result<HieConsent> hie_consent_of(std::string_view text) {
  const auto list = TRY(list_of(text));
  const auto first = words_of(list.front());
  const auto kind = hie_kind(first[0]);
  if (!kind || first.size() != 2) return not_understood("a consent to the HIE is 'given TIME' or 'revoked TIME'");
  if (*kind == HieKind::Revoked && list.size() > 1) return not_understood("'revoked TIME' stands alone");
  HieConsent consent{.kind = *kind};
  consent.given_on = TRY(instant_of(first[1]));
  std::set<std::string> said;
  for (const auto& item : std::span(list).subspan(1)) {
    const auto words = words_of(item);
    if (!said.insert(words[0]).second) return not_understood("'" + words[0] + "' is said twice");
    const auto basis = words.size() == 2 && words[0] == "by" ? hie_basis(words[1]) : std::nullopt;
    if (words.size() == 2 && words[0] == "expires") {
      consent.expires_on = TRY(instant_of(words[1]));
    } else if (basis) {
      consent.basis = *basis;
    } else if (item == "entered before") {
      consent.counts = false;
    } else {
      return not_understood("a consent to the HIE does not go on with " + item);
    }
  }
  if (!consent.counts && consent.basis != HieBasis::Default)
    return not_understood("'entered before' is said of a consent 'by default'");
  return consent;
}

}  // namespace policy
