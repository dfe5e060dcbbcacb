#include "gateway/patients/consent_words.hpp"

#include <algorithm>

namespace gateway::patients {
namespace {

using policy::Provision;

/// `a, b and c`.
template <class Items, class Word>
std::string listed(const Items& items, Word word_of, std::string_view last = " and ") {
  std::string text;
  std::size_t left = items.size();
  for (const auto& item : items) {
    text += word_of(item);
    if (--left > 0) text += left == 1 ? last : ", ";
  }
  return text;
}

std::string what(const Provision& provision, const resources::Calendar& calendar) {
  std::string text = "anything";
  if (!provision.documents.empty()) {
    text = "document " + listed(provision.documents, [](const std::string& id) { return id; }, " or ");
  } else if (!provision.labels.empty() || !provision.classes.empty() || provision.data.limits()) {
    text = "documents";
  }
  if (!provision.labels.empty())
    text += " labelled " + listed(provision.labels, [](const policy::Label& label) { return policy::word(label); });
  if (!provision.classes.empty()) {
    const auto word = [](const base::Code& code) { return code.display.empty() ? code.code : code.display; };
    text += " of class " + listed(provision.classes, word, " or ");
  }
  if (provision.data.from) text += " about care since " + calendar.write(*provision.data.from);
  if (provision.data.to)
    text += (provision.data.from ? " and before " : " about care before ") + calendar.write(*provision.data.to);
  return text;
}

std::string whom(const Provision& provision) {
  if (provision.recipients.empty()) return "anybody";
  return listed(provision.recipients, [](const policy::Recipient& recipient) -> std::string {
    if (const auto* home = std::get_if<base::HomeCommunityId>(&recipient.who))
      return "organization " + home->dotted();
    return std::get<policy::RecipientClass>(recipient.who) == policy::RecipientClass::HealthPlans
               ? "health plans"
               : "treating providers";
  });
}

std::string sentence(const Provision& provision, const resources::Calendar& calendar) {
  std::string text = (provision.permits ? "Permits giving " : "Forbids giving ") + what(provision, calendar) + " to " +
                     whom(provision) + " for ";
  text += !provision.purposes ? "any purpose"
                              : listed(provision.purposes->members(), [](policy::Purpose purpose) {
                                  return std::string(policy::title(purpose));
                                });
  if (provision.purposes && provision.purposes->empty()) text += "no purpose";
  if (provision.period.from) text += ", from " + calendar.write(*provision.period.from);
  if (provision.period.to) text += ", until " + calendar.write(*provision.period.to);
  if (!provision.understood)
    text += provision.permits ? " (a part cannot be evaluated: it permits nothing)"
                              : " (a part cannot be evaluated: it forbids all the more)";
  return text + ".";
}

void tell(const Provision& provision, const resources::Calendar& calendar, const std::string& before,
          std::vector<std::string>& told) {
  told.push_back(before + sentence(provision, calendar));
  for (const Provision& exception : provision.exceptions) tell(exception, calendar, before + "Except: ", told);
}

bool lies_ahead(const Provision& provision, Instant now) {
  return (provision.period.from && now < *provision.period.from) ||
         std::ranges::any_of(provision.exceptions, [&](const Provision& one) { return lies_ahead(one, now); });
}

}  // namespace

std::vector<std::string> statements(const Provision& root, const resources::Calendar& calendar) {
  std::vector<std::string> told;
  tell(root, calendar, {}, told);
  return told;
}

std::string_view state_of(const policy::Consent& consent, Instant now) {
  switch (consent.status) {
    case policy::ConsentStatus::Revoked: return "revoked";
    case policy::ConsentStatus::Proposed: return "proposed";
    case policy::ConsentStatus::EnteredInError: return "entered in error";
    case policy::ConsentStatus::Active: break;
  }
  if (consent.root.period.holds(now)) return "in force";
  return lies_ahead(consent.root, now) ? "future" : "expired";
}

}  // namespace gateway::patients
