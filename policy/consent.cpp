#include "policy/consent.hpp"

#include <algorithm>
#include <array>

namespace policy {
namespace {

struct StatusName {
  ConsentStatus status;
  std::string_view word;
};
constexpr StatusName statuses[] = {{ConsentStatus::Active, "active"},
                                   {ConsentStatus::Revoked, "revoked"},
                                   {ConsentStatus::Proposed, "proposed"},
                                   {ConsentStatus::EnteredInError, "entered-in-error"}};

bool is_confidentiality(const Label& label) { return label.system == confidentiality_system; }
bool is_everyday(const Label& label) {
  constexpr std::string_view everyday[] = {"U", "L", "M", "N"};
  return is_confidentiality(label) && std::ranges::find(everyday, label.code) != std::end(everyday);
}

bool contains(const std::vector<Label>& labels, const Label& label) {
  return std::ranges::find(labels, label) != labels.end();
}

/// What binds the recipient says nothing of what the document is about.
bool is_handling(const Label& label) {
  constexpr std::string_view codes[] = {"ENCRYPT", "MASK",      "REDACT",   "DELAU",    "AUDIT",   "PERSISTLABEL",
                                        "PRIVMARK", "CPLYCD",   "NORDSCLCD", "NODSCLCD", "NORDSCLW", "NOREUSE",
                                        "NOPERSISTP", "NOAUTH", "NOINTEGRATE", "NORELINK"};
  return label.system == act_code_system && std::ranges::find(codes, label.code) != std::end(codes);
}

/// A permit that names labels speaks about a document if it names every sensitivity of it; confidentiality R or V it
/// need not name beside a sensitivity, the everyday ones never.
bool permit_covers(const std::vector<Label>& named, const std::vector<Label>& held) {
  const auto shared = [&](const Label& label) { return contains(named, label); };
  if (std::ranges::none_of(held, shared)) return false;
  const bool names_sensitivity = std::ranges::any_of(held, [&](const Label& label) {
    return !is_confidentiality(label) && !is_handling(label) && shared(label);
  });
  return std::ranges::all_of(held, [&](const Label& label) {
    return shared(label) || is_everyday(label) || is_handling(label) ||
           (is_confidentiality(label) && names_sensitivity);
  });
}

bool is_to(const Provision& provision, const Asking& asking) {
  return provision.recipients.empty() || std::ranges::any_of(provision.recipients, [&](const Recipient& recipient) {
           if (const auto* home = std::get_if<HomeCommunityId>(&recipient.who)) return *home == asking.home;
           return includes(std::get<RecipientClass>(recipient.who), asking.purpose);
         });
}

bool overlaps(const Period& a, const Period& b) {
  return (!a.to || !b.from || *b.from < *a.to) && (!b.to || !a.from || *a.from <= *b.to);
}
bool lies_within(const Period& inner, const Period& outer) {
  return (!outer.from || (inner.from && *outer.from <= *inner.from)) &&
         (!outer.to || (inner.to && *inner.to < *outer.to));
}

bool names_documents(const Provision& provision) {
  return !provision.classes.empty() || !provision.documents.empty() || provision.data.limits();
}

/// Class, id and date of the document. A deny needs one point in common, a permit the whole; a request about the
/// patient alone is met by a permit for some documents, never by a deny of some.
bool is_about(const Provision& provision, const DocumentFacts* document) {
  if (!document) return provision.permits || !names_documents(provision);
  const auto named = [&](const base::Code& code) {
    return std::ranges::any_of(provision.classes, [&](const base::Code& one) { return one.same_code(code); });
  };
  if (!provision.classes.empty() && std::ranges::none_of(document->classes, named)) return false;
  if (!provision.documents.empty() && std::ranges::find(provision.documents, document->unique_id) ==
                                          provision.documents.end())
    return false;
  if (!provision.data.limits()) return true;
  return provision.permits ? lies_within(document->service, provision.data)
                           : overlaps(provision.data, document->service);
}

bool has_labels(const Provision& provision, const DocumentFacts* document, const Label* label) {
  if (provision.labels.empty()) return true;
  if (label) return contains(provision.labels, *label);
  if (!document) return provision.permits;
  if (provision.permits) return permit_covers(provision.labels, document->labels);
  return std::ranges::any_of(document->labels,
                             [&](const Label& held) { return contains(provision.labels, held); });
}

/// Every limit of it that is understood fits.
bool fits(const Provision& provision, const Asking& asking, const Label* label) {
  return is_to(provision, asking) && (!provision.purposes || provision.purposes->contains(asking.purpose)) &&
         is_about(provision, asking.document) && has_labels(provision, asking.document, label);
}

bool is_clear(const Provision& provision) { return provision.understood || !provision.permits; }

bool speaks_of(const Provision& provision, const Asking& asking, const Label* label) {
  return is_clear(provision) && fits(provision, asking, label);
}

Narrows narrowest(const Provision& provision) {
  if (!provision.labels.empty()) return Narrows::Label;
  if (names_documents(provision)) return Narrows::Class;
  return provision.recipients.empty() ? Narrows::Nothing : Narrows::Recipient;
}

/// The winner so far: how deep it stands, and what it says. Of denies that stand equally deep, the earliest gate's.
struct Winner {
  int depth = -1;
  Statement statement = {};
  void hear(int at, Statement said) {
    if (at < depth) return;
    if (at == depth && said.speech == Speech::Permit) return;
    if (at == depth && statement.speech == Speech::Deny && statement.narrows <= said.narrows) return;
    depth = at;
    statement = said;
  }
};

/// What of a label, a purpose and a recipient a provision names, or one that it is an exception to. A gated label opens
/// to a permit that names all three. [design §4, sensitivity]
struct Names {
  bool label = false, purpose = false, recipient = false;
  bool all() const { return label && purpose && recipient; }
};
/// @param label  the one to be named; nothing: any
Names names_of(const Provision& provision, const Label* label, Names above) {
  return {.label = above.label || (label ? contains(provision.labels, *label) : !provision.labels.empty()),
          .purpose = above.purpose || provision.purposes.has_value(),
          .recipient = above.recipient || !provision.recipients.empty()};
}

/// @param opened  all that this is an exception to speaks about the request. @param above  what they name
void hear(const Provision& provision, const Asking& asking, const Label* label, bool opened, Names above, int depth,
          Winner& winner) {
  const bool speaks = provision.period.holds(asking.now) && speaks_of(provision, asking, label);
  const Names names = names_of(provision, label, above);
  if (speaks && !provision.permits) winner.hear(depth, {Speech::Deny, narrowest(provision), &provision});
  if (speaks && provision.permits && opened && (!label || names.all()))
    winner.hear(depth, {Speech::Permit, {}, &provision});
  for (const Provision& exception : provision.exceptions)
    hear(exception, asking, label, opened && speaks, names, depth + 1, winner);
}

/// Not begun, and not over before it begins.
bool lies_ahead(const Period& period, Instant now) {
  return period.from && now < *period.from && (!period.to || *period.from < *period.to);
}

/// Statements of a consent that name a label and fit a request, whatever the time.
struct Named {
  bool any = false, now = false, ahead = false;
  bool idle_now = false;  ///< a permit in force that opens nothing
};
/// What this is an exception to.
struct Above {
  bool fits = true, clear = true;
  Names names = {};
  Period period = {};
};
void find_named(const Provision& provision, const Asking& asking, const Label& label, const Above& above,
                Named& found) {
  const Above own{.fits = above.fits && fits(provision, asking, &label),
                  .clear = above.clear && is_clear(provision),
                  .names = names_of(provision, &label, above.names),
                  .period = within(above.period, provision.period)};
  const bool counts = provision.permits ? own.fits : fits(provision, asking, &label);
  if (own.names.label && counts) {
    const bool holds = own.period.holds(asking.now);
    const bool idle = provision.permits && !(own.clear && own.names.all()) && holds;
    found.idle_now = found.idle_now || idle;
    found.any = found.any || !idle;
    found.now = found.now || (holds && !idle);
    found.ahead = found.ahead || lies_ahead(own.period, asking.now);
  }
  for (const Provision& exception : provision.exceptions) find_named(exception, asking, label, own, found);
}

/// @param excepted  an exception to what forbids: it opens at least that
void find_idle(const Provision& provision, Names above, bool excepted, std::vector<std::string>& idle) {
  if (!provision.understood)
    idle.push_back("a part that cannot be evaluated: it never permits, and forbids all the more");
  const Names names = names_of(provision, nullptr, above);
  if (provision.permits && !excepted && provision.exceptions.empty() && !names.all())
    idle.push_back(names.label ? "a permit that names a label opens it only if it names a purpose and a recipient too"
                               : "a permit that names no label opens nothing that the patient's purposes do not open "
                                 "already");
  if (provision.purposes && provision.purposes->empty()) idle.push_back("a provision for no purpose at all");
  for (const Provision& exception : provision.exceptions)
    find_idle(exception, names, excepted || !provision.permits, idle);
}

}  // namespace

Period within(const Period& outer, const Period& inner) {
  Period both = inner;
  if (outer.from && (!both.from || *both.from < *outer.from)) both.from = outer.from;
  if (outer.to && (!both.to || *outer.to < *both.to)) both.to = outer.to;
  return both;
}

std::string naming(const Consent& consent) {
  return "consent " + consent.id + " version " + std::to_string(consent.version);
}

std::string_view word(RecipientClass recipients) noexcept {
  return recipients == RecipientClass::HealthPlans ? "health-plans" : "treating-providers";
}
std::optional<RecipientClass> recipient_class(std::string_view word) noexcept {
  if (word == "treating-providers") return RecipientClass::TreatingProviders;
  if (word == "health-plans") return RecipientClass::HealthPlans;
  return std::nullopt;
}
bool includes(RecipientClass recipients, Purpose purpose) noexcept {
  if (recipients == RecipientClass::TreatingProviders) return purpose == Purpose::Treatment;
  return purpose == Purpose::Payment || purpose == Purpose::Coverage;
}

std::string_view word(ConsentStatus status) noexcept {
  const auto row = std::ranges::find(statuses, status, &StatusName::status);
  return row == std::end(statuses) ? "entered-in-error" : row->word;
}
std::optional<ConsentStatus> consent_status(std::string_view word) noexcept {
  const auto row = std::ranges::find(statuses, word, &StatusName::word);
  if (row == std::end(statuses)) return std::nullopt;
  return row->status;
}

Statement statement_of(const Consent& consent, const Asking& asking, const Label* label) {
  if (consent.status != ConsentStatus::Active || !consent.root.period.holds(asking.now)) return {};
  Winner winner;
  hear(consent.root, asking, label, true, {}, 0, winner);
  return winner.statement;
}

std::optional<Standing> standing_of(const Consent& consent, const Asking& asking, const Label& label) {
  if (consent.status != ConsentStatus::Active && consent.status != ConsentStatus::Revoked) return std::nullopt;
  Named found;
  find_named(consent.root, asking, label, {}, found);
  const bool revoked = consent.status == ConsentStatus::Revoked;
  if (revoked && (found.any || found.idle_now)) return Standing::Revoked;
  if (!found.any) return std::nullopt;
  if (found.now) return Standing::InForce;
  return found.ahead ? Standing::Future : Standing::Expired;
}

std::vector<std::string> idle_parts(const Provision& root) {
  std::vector<std::string> idle;
  find_idle(root, {}, false, idle);
  return idle;
}

}  // namespace policy
