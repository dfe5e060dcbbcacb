#include "policy/explanation.hpp"

#include <algorithm>

namespace policy {
namespace {

constexpr std::size_t classes_octets_max = 300;

/// A provision with all that it is an exception to, outermost first.
using Chain = std::vector<const Provision*>;

bool leads_to(const Provision& wanted, const Provision& from, Chain& chain) {
  chain.push_back(&from);
  const auto leads = [&](const Provision& exception) { return leads_to(wanted, exception, chain); };
  if (&from == &wanted || std::ranges::any_of(from.exceptions, leads)) return true;
  chain.pop_back();
  return false;
}

void add(std::string& list, std::string_view item) { list.append(list.empty() ? "" : ", ").append(item); }

/// `from A until B`, `until B`, `with no end given` …
std::string when(const Period& period) {
  const std::string from = period.from ? "from " + base::write_date_time(*period.from) + " " : std::string();
  return from + (period.to ? "until " + base::write_date_time(*period.to) : std::string("with no end given"));
}

/// Of records of Part 2, those labels of the document that the permit opens.
std::string labels(const Chain& chain, const DocumentFacts& document) {
  std::string told;
  for (const Label& label : std::set<Label>(document.labels.begin(), document.labels.end())) {
    const auto names = [&](const Provision* one) {
      return std::ranges::find(one->labels, label) != one->labels.end();
    };
    const auto lets = [&](const Provision* one) { return one->labels.empty() || names(one); };
    if (is_part2(label) && std::ranges::any_of(chain, names) && std::ranges::all_of(chain, lets))
      add(told, word(label));
  }
  return told;
}

/// Classes and types of the document that the permit or what it is an exception to names.
std::string classes(const Chain& chain, const DocumentFacts& document) {
  std::string told;
  for (const Code& code : document.classes) {
    const auto names = [&](const Provision* one) {
      return std::ranges::any_of(one->classes, [&](const Code& named) { return named.same_code(code); });
    };
    if (std::ranges::any_of(chain, names)) add(told, code.code + " of " + code.system);
  }
  return told.size() > classes_octets_max ? "that it names" : told;
}

std::string what(const Chain& chain, const DocumentFacts& document) {
  const bool one_by_one = std::ranges::any_of(chain, [](const Provision* one) { return !one->documents.empty(); });
  std::string text = one_by_one ? "documents named one by one" : "documents";
  text += " labelled " + labels(chain, document);
  if (const auto named = classes(chain, document); !named.empty()) text += " of class " + named;
  Period data;
  for (const Provision* one : chain) data = within(data, one->data);
  if (data.from) text += " about care since " + base::write_date_time(*data.from);
  if (data.to) text += (data.from ? " and before " : " about care before ") + base::write_date_time(*data.to);
  return text;
}

/// The organization that asks where the consent names it, else the class it asks as; for the purpose it asks for alone,
/// since others may be forbidden elsewhere.
std::string whom(const Chain& chain, const Asking& asking) {
  std::string organization, by_class;
  for (const Provision* one : chain) {
    if (std::ranges::find(one->recipients, Recipient{asking.home}) != one->recipients.end()) {
      organization = "organization " + asking.home.urn();
      continue;
    }
    for (const Recipient& recipient : one->recipients) {
      const auto* recipients = std::get_if<RecipientClass>(&recipient.who);
      if (recipients && includes(*recipients, asking.purpose))
        by_class = *recipients == RecipientClass::HealthPlans ? "health plans" : "treating providers";
    }
  }
  return (organization.empty() ? by_class : organization) + " for " + std::string(title(asking.purpose));
}

}  // namespace

std::string explanation(const Consent& consent, const Provision& by, const Asking& asking) {
  Chain chain;
  leads_to(by, consent.root, chain);
  Period period;
  for (const Provision* one : chain) period = within(period, one->period);
  return "By " + naming(consent) + " the patient permits giving " + what(chain, *asking.document) + " to " +
         whom(chain, asking) + ", " + when(period) + ".";
}

std::string explanation(const BreakGlass& grant) {
  return "Disclosed in a medical emergency under 42 CFR 2.51, on break-glass " + grant.id + ", " +
         when({{}, grant.period.to}) + ".";
}

}  // namespace policy
