#include "policy/release.hpp"

#include "policy/explanation.hpp"

#include <algorithm>

namespace policy {
namespace {

Finding permit(Gate gate, std::string sentence, std::string evidence) {
  return {gate, Reason::Permitted, std::move(sentence), std::move(evidence), {}};
}

/// One organization a message names: it must be an active entry of the implementer whose certificates were shown, or
/// have given that implementer's organization its delegation.
Finding judge_organization(const NamedOrganization& who, std::string_view role, const std::string& implementer,
                           const HomeCommunityId* delegate) {
  const std::string name = std::string(role) + " " + who.named;
  if (!who.entry) {
    return {Gate::Caller, Reason::CallerUnknown, name + " is not in the directory.", {},
            "A directory entry for " + who.named + "."};
  }
  const Organization& entry = *who.entry;
  const std::string evidence = "directory " + entry.home.dotted() + " version " + entry.version;
  if (!entry.active) {
    return {Gate::Caller, Reason::CallerInactive, name + " is inactive in the directory.", evidence,
            "The directory entry becoming active."};
  }
  if (delegate && who.is_ours) {
    return {Gate::Caller, Reason::CallerNotDelegated, name + " is answered for here: nobody asks us in our own name.",
            evidence, "A principal other than ourselves."};
  }
  if (delegate) {
    if (std::ranges::find(entry.delegates, *delegate) != entry.delegates.end()) {
      return permit(Gate::Caller, name + " lets " + delegate->dotted() + " ask in its name.", evidence);
    }
    return {Gate::Caller, Reason::CallerNotDelegated,
            name + " has not let " + delegate->dotted() + " ask in its name.", evidence,
            "A delegation of authority from " + who.named + " to " + delegate->dotted() + " in the directory."};
  }
  if (entry.implementer != implementer) {
    return {Gate::Caller, Reason::CallerNotDelegated,
            name + " belongs to implementer " + entry.implementer + ", the certificates to " + implementer + ".",
            evidence, "A directory entry that names " + implementer + " as its implementer."};
  }
  return permit(Gate::Caller, name + " is an active organization of implementer " + implementer + ".", evidence);
}

Finding judge_certificates(const Caller& caller) {
  const auto unknown = [](std::string_view which) {
    return Finding{Gate::Caller, Reason::CallerUnknown,
                   "The " + std::string(which) + " certificate belongs to no implementer we know.", {},
                   "Tying the certificate to an implementer (gatehouse partner pin)."};
  };
  if (!caller.tls_implementer) return unknown("TLS");
  if (!caller.signer_implementer) return unknown("message signer's");
  if (!caller.assertion_implementer) return unknown("assertion signer's");
  if (caller.tls_implementer != caller.signer_implementer || caller.tls_implementer != caller.assertion_implementer) {
    return {Gate::Caller, Reason::CallerUntrusted, "The TLS and signing certificates belong to different implementers.",
            *caller.tls_implementer + ", " + *caller.signer_implementer + ", " + *caller.assertion_implementer,
            "One implementer's certificates on TLS, message and assertion."};
  }
  return permit(Gate::Caller, "TLS and signing certificates belong to implementer " + *caller.tls_implementer + ".",
                "implementer " + *caller.tls_implementer);
}

/// The caller gate: certificates first, then every organization the message names.
Finding judge_caller(const Caller& caller) {
  Finding certificates = judge_certificates(caller);
  if (!certificates.permits()) return certificates;
  const std::string& implementer = *caller.tls_implementer;
  Finding home = judge_organization(caller.home, "Home community", implementer, nullptr);
  if (!home.permits()) return home;
  if (caller.sender) {
    Finding sender = judge_organization(*caller.sender, "Sender", implementer, nullptr);
    if (!sender.permits()) return sender;
    if (caller.demand_equal_sender && caller.sender->entry->home != caller.home.entry->home) {
      return {Gate::Caller, Reason::CallerNotDelegated, "Sender and home community differ.", home.evidence,
              "The partner setting equal-sender being switched off."};
    }
  }
  if (caller.grantor) {
    Finding grantor = judge_organization(*caller.grantor, "Principal", implementer, &caller.home.entry->home);
    if (!grantor.permits()) return grantor;
    home.evidence += "; " + grantor.evidence;
  }
  home.evidence += "; " + certificates.evidence;
  return home;
}

bool needs_authorization(Purpose purpose) {
  return purpose == Purpose::Coverage || purpose == Purpose::OtherAuthorization;
}

struct PurposeJudgement {
  Finding finding;
  PurposeSet purposes;
};

/// The purpose gate: every value of the token must map by its exact pair and be supported; none is ever assumed.
PurposeJudgement judge_purposes(const Rules& rules, const Caller& caller) {
  const std::string evidence = "rules " + rules.version;
  if (caller.purposes.empty()) {
    return {{Gate::Purpose, Reason::PurposeMissing, "The token names no purpose of use.", evidence,
             "A purpose of use in the token."}, {}};
  }
  PurposeSet purposes;
  for (const Code& asked : caller.purposes) {
    const auto row = std::ranges::find_if(rules.purpose_codes, [&](const PurposeCode& known) {
      return known.system == asked.system && known.code == asked.code;
    });
    if (row == rules.purpose_codes.end()) {
      return {{Gate::Purpose, Reason::PurposeUnknown,
               "The purpose code " + asked.code + " in system " + asked.system + " is not one we know.", evidence,
               "A row for that code and system in the deployment's purpose table."}, {}};
    }
    if (!rules.supported.contains(row->purpose)) {
      return {{Gate::Purpose, Reason::PurposeNotSupported,
               std::string(title(row->purpose)) + " is not supported on this connection.", evidence,
               "The deployment supporting this purpose."}, {}};
    }
    if (needs_authorization(row->purpose) && !caller.authorization_reference) {
      return {{Gate::Purpose, Reason::PurposeNotSupported,
               std::string(title(row->purpose)) + " was asked for without an authorization reference.", evidence,
               "A reference to the patient's authorization in the token."}, {}};
    }
    purposes.add(row->purpose);
  }
  return {permit(Gate::Purpose, "Every purpose asked for is supported: " + purposes.words() + ".", evidence), purposes};
}

/// The gate of the token's patient. Ids of different authorities cannot be compared: they say nothing.
Finding judge_token_patient(const base::Identifier& named, std::span<const base::Identifier> patient_ids) {
  bool comparable = false;
  for (const auto& id : patient_ids) {
    if (id == named) return permit(Gate::TokenPatient, "The token is about this patient.", {});
    comparable = comparable || id.root == named.root;
  }
  if (!comparable) return permit(Gate::TokenPatient, "The token names its patient by an id not known here.", {});
  return {Gate::TokenPatient, Reason::TokenForAnotherPatient, "The token is about another patient than was asked for.",
          {}, "A token for the patient who is asked for."};
}

/// The first consent in force that denies, by what makes its statement the narrow one it is.
struct Denials {
  const Consent* by[4] = {};
  Purpose of[4] = {};
  const Consent* consent(Narrows narrows) const { return by[static_cast<std::size_t>(narrows)]; }
  Purpose purpose(Narrows narrows) const { return of[static_cast<std::size_t>(narrows)]; }
};

struct Setting {
  const Admitted& admitted;
  const Terms& terms;
  const Matter& matter;
  Asking asking(Purpose purpose) const {
    return {.home = admitted.home(), .purpose = purpose, .now = terms.now, .document = matter.document};
  }
  std::span<const Consent> consents() const {
    return matter.consents ? std::span<const Consent>(matter.consents->consents) : std::span<const Consent>();
  }
};

Denials denials(const Setting& setting) {
  Denials found;
  for (Purpose purpose : setting.admitted.purposes().members()) {
    for (const Consent& consent : setting.consents()) {
      const Statement said = statement_of(consent, setting.asking(purpose), nullptr);
      const auto at = static_cast<std::size_t>(said.narrows);
      if (said.speech != Speech::Deny || found.by[at]) continue;
      found.by[at] = &consent;
      found.of[at] = purpose;
    }
  }
  return found;
}

/// The choice gate: the patient's own set replaces the clinic's defaults entirely; a consent in force may forbid more.
Finding judge_choice(PurposeSet asked, const ChoiceFacts& facts, const Denials& denials) {
  const PurposeSet allowed = facts.choice ? facts.choice->purposes : facts.clinic_defaults;
  const std::string whose = facts.choice ? "the patient's own choice (set by " + facts.choice->set_by + ")"
                                         : std::string("the clinic's defaults");
  const std::string evidence =
      facts.choice ? "choice " + facts.choice->id : "clinic settings version " + facts.clinic_version;
  for (Purpose purpose : asked.members()) {
    if (allowed.contains(purpose)) continue;
    return {Gate::Choice, facts.choice ? Reason::PatientPurpose : Reason::ClinicPurpose,
            std::string(title(purpose)) + " is not among the purposes of " + whose + ".", evidence,
            facts.choice ? "The patient choosing " + std::string(title(purpose)) + "."
                         : "The clinic's defaults or the patient's own choice including " +
                               std::string(title(purpose)) + "."};
  }
  if (const Consent* consent = denials.consent(Narrows::Nothing)) {
    return {Gate::Choice, Reason::PatientPurpose,
            "A consent of the patient forbids " + std::string(title(denials.purpose(Narrows::Nothing))) + ".",
            naming(*consent), "The patient revoking that consent."};
  }
  return permit(Gate::Choice, "Every purpose asked for is permitted by " + whose + ".", evidence);
}

/// The party gate: whom the clinic or the patient gives nothing.
Finding judge_party(const Setting& setting, const Denials& denials) {
  const HomeCommunityId& home = setting.admitted.home();
  if (setting.terms.rules.refused.contains(home)) {
    return {Gate::Party, Reason::OrganizationDenied, "The clinic gives nothing to organization " + home.urn() + ".",
            "clinic settings version " + setting.matter.choice.clinic_version,
            "The clinic no longer refusing that organization (settings set refuse=-" + home.dotted() + ")."};
  }
  if (const Consent* consent = denials.consent(Narrows::Recipient)) {
    return {Gate::Party, Reason::OrganizationDenied,
            "The patient forbids giving anything to organization " + home.urn() + ".", naming(*consent),
            "The patient revoking that consent."};
  }
  return permit(Gate::Party, "Nobody denies organization " + home.urn() + ".", {});
}

/// The class gate: the clinic shares this class or type for each purpose, and no consent forbids this document.
Finding judge_class(const Setting& setting, const Denials& denials) {
  const DocumentFacts& document = *setting.matter.document;
  for (Purpose purpose : setting.admitted.purposes().members()) {
    const auto rule = setting.terms.rules.shared.find(purpose);
    if (rule == setting.terms.rules.shared.end()) continue;
    const bool shared = std::ranges::any_of(rule->second, [&](const Code& one) {
      return std::ranges::any_of(document.classes, [&](const Code& code) { return one.same_code(code); });
    });
    if (shared) continue;
    const std::string code = document.classes.empty() ? std::string("without class") : document.classes.front().code;
    return {Gate::Class, Reason::ClassNotShared,
            "The clinic does not share documents of class " + code + " for " + std::string(title(purpose)) + ".",
            "clinic settings version " + setting.matter.choice.clinic_version,
            "The clinic sharing this class for this purpose (settings set share=" + std::string(word(purpose)) +
                ":…)."};
  }
  if (const Consent* consent = denials.consent(Narrows::Class)) {
    return {Gate::Class, Reason::ClassNotShared, "The patient forbids giving documents of this kind.",
            naming(*consent), "The patient revoking that consent."};
  }
  return permit(Gate::Class, "Documents of this class are shared for every purpose asked for.", {});
}

struct LabelJudgement {
  Finding finding;
  std::vector<Obligation> obligations = {};
};

Reason reason_of(Standing standing) {
  switch (standing) {
    case Standing::Future: return Reason::ConsentFuture;
    case Standing::Expired: return Reason::ConsentExpired;
    case Standing::Revoked: return Reason::ConsentRevoked;
    case Standing::InForce: return Reason::SensitiveNoConsent;
  }
  return Reason::SensitiveNoConsent;
}

/// What opens one label for one purpose: the consent in force, or why there is none.
struct Opening {
  const Consent* consent = nullptr;
  const Provision* by = nullptr;  ///< of it: the permit that opens
  const Consent* last = nullptr;  ///< the patient's last word on the matter
  Standing standing = Standing::InForce;
};
Opening opening_of(const Setting& setting, const Label& label, Purpose purpose) {
  Opening opening;
  const Asking asking = setting.asking(purpose);
  bool denied = false;
  for (const Consent& consent : setting.consents()) {
    const auto standing = standing_of(consent, asking, label);
    if (!standing) continue;
    opening.last = &consent;
    opening.standing = *standing;
    const Statement said = statement_of(consent, asking, &label);
    denied = denied || said.speech == Speech::Deny;
    if (said.speech == Speech::Permit) opening.consent = &consent, opening.by = said.by;
  }
  // A last word that is out of its period never falls back to an older one.
  if (denied || opening.standing != Standing::InForce) opening.consent = nullptr;
  return opening;
}

/// A broken glass of the one of our own people who asks. [threats C10; 42 CFR §2.51]
const BreakGlass* glass_of(const Setting& setting, const Label& label) {
  if (!setting.matter.consents || !setting.admitted.own_staff()) return nullptr;
  if (is_part2(label) && !setting.terms.rules.part2_emergencies) return nullptr;
  const auto& grants = setting.matter.consents->grants;
  const auto found = std::ranges::find_if(grants, [&](const BreakGlass& grant) {
    return grant.user == *setting.admitted.own_staff() && grant.period.holds(setting.terms.now);
  });
  return found == grants.end() ? nullptr : &*found;
}

Finding refuse_label(const Label& label, Purpose purpose, const Opening& opening, bool unknown) {
  const std::string named = word(label);
  const std::string change = "A consent in force that names " + named + ", " + std::string(title(purpose)) +
                             " and this recipient" +
                             (unknown ? ", or the clinic knowing the label (settings set know=" + named + ")." : ".");
  if (opening.last && opening.standing != Standing::InForce) {
    const char* how = opening.standing == Standing::Revoked  ? " is revoked."
                      : opening.standing == Standing::Future ? " is not in force yet."
                                                             : " has expired.";
    return {Gate::Sensitivity, reason_of(opening.standing), "The patient's last consent about label " + named + how,
            naming(*opening.last), change};
  }
  const std::string what = unknown ? "Label " + named + " is not known here and opens only to a consent that names it."
                                   : "Label " + named + " opens only to a consent that names it, " +
                                         std::string(title(purpose)) + " and this recipient.";
  return {Gate::Sensitivity, Reason::SensitiveNoConsent, what, opening.last ? naming(*opening.last) : std::string(),
          change};
}

std::string joined(const std::vector<std::string>& list, std::string_view between) {
  std::string text;
  for (const std::string& one : list) text.append(text.empty() ? "" : between).append(one);
  return text;
}

/// The sensitivity gate: every label that is gated is opened for every purpose.
LabelJudgement judge_labels(const Setting& setting, const Denials& denials) {
  if (const Consent* consent = denials.consent(Narrows::Label)) {
    return {{Gate::Sensitivity, Reason::SensitiveNoConsent, "The patient forbids giving documents with this label.",
             naming(*consent), "The patient revoking that consent."}};
  }
  std::vector<std::string> opened, evidence;
  std::vector<Obligation> obligations;
  const auto add_once = [](std::vector<std::string>& list, std::string one) {
    if (std::ranges::find(list, one) == list.end()) list.push_back(std::move(one));
  };
  const auto note = [&](const Label& label, const std::string& by, const auto& explained) {
    add_once(evidence, by);
    add_once(opened, word(label));
    if (!is_part2(label)) return;
    auto notice = std::ranges::find(obligations, by, &Obligation::evidence);
    if (notice == obligations.end()) notice = obligations.insert(notice, {.evidence = by});
    add_once(notice->explanations, explained());
  };
  bool glass_broken = false;
  for (const Label& label : setting.matter.document->labels) {
    const LabelKind kind = kind_of(label, setting.terms.rules.labels);
    if (kind == LabelKind::Open) continue;
    if (const BreakGlass* glass = glass_of(setting, label)) {
      note(label, "break-glass " + glass->id, [&] { return explanation(*glass); });
      glass_broken = true;
      continue;
    }
    for (Purpose purpose : setting.admitted.purposes().members()) {
      const Opening opening = opening_of(setting, label, purpose);
      if (!opening.consent) return {refuse_label(label, purpose, opening, kind == LabelKind::Unknown)};
      note(label, naming(*opening.consent),
           [&] { return explanation(*opening.consent, *opening.by, setting.asking(purpose)); });
    }
  }
  if (opened.empty()) return {permit(Gate::Sensitivity, "No label of it needs a consent of its own.", {})};
  return {permit(Gate::Sensitivity,
                 (glass_broken ? "Labels opened by a broken glass or a consent that names them: "
                               : "Labels opened by a consent that names them: ") + joined(opened, ", ") + ".",
                 joined(evidence, "; ")),
          std::move(obligations)};
}

Finding judge_evaluation(const Setting& setting) {
  const auto unreadable = [](std::string what) {
    return Finding{Gate::Evaluation, Reason::PolicyError, std::move(what), {}, "Repairing the stored record."};
  };
  const Matter& matter = setting.matter;
  if (!matter.choice.readable) return unreadable("The patient's choice or the clinic's defaults could not be read.");
  if (!setting.terms.rules.readable) return unreadable("The clinic's rules could not be read.");
  if (matter.consents && !matter.consents->readable) return unreadable("A consent of the patient could not be read.");
  if (matter.document && !matter.document->readable) return unreadable("The document's labels could not be read.");
  return permit(Gate::Evaluation, "Everything that decides could be read.", {});
}

}  // namespace

std::string_view word(Gate gate) noexcept {
  switch (gate) {
    case Gate::Caller: return "caller";
    case Gate::Purpose: return "purpose";
    case Gate::TokenPatient: return "token-patient";
    case Gate::Choice: return "choice";
    case Gate::HieConsent: return "hie-consent";
    case Gate::Party: return "party";
    case Gate::Class: return "class";
    case Gate::Sensitivity: return "sensitivity";
    case Gate::Evaluation: return "evaluation";
  }
  return "evaluation";
}

std::string_view word(Obligation::Kind) noexcept { return "part2-notice"; }

std::string_view code(Reason reason) noexcept {
  switch (reason) {
    case Reason::Permitted: return "permitted";
    case Reason::CallerUntrusted: return "caller-untrusted";
    case Reason::CallerUnknown: return "caller-unknown";
    case Reason::CallerInactive: return "caller-inactive";
    case Reason::CallerNotDelegated: return "caller-not-delegated";
    case Reason::PurposeMissing: return "purpose-missing";
    case Reason::PurposeUnknown: return "purpose-unknown";
    case Reason::PurposeNotSupported: return "purpose-not-supported";
    case Reason::TokenForAnotherPatient: return "token-for-another-patient";
    case Reason::PatientPurpose: return "patient-purpose";
    case Reason::ClinicPurpose: return "clinic-purpose";
    case Reason::HieNone: return "hie-none";
    case Reason::HieFuture: return "hie-future";
    case Reason::HieExpired: return "hie-expired";
    case Reason::HieRevoked: return "hie-revoked";
    case Reason::OrganizationDenied: return "organization-denied";
    case Reason::ClassNotShared: return "class-not-shared";
    case Reason::SensitiveNoConsent: return "sensitive-no-consent";
    case Reason::ConsentExpired: return "consent-expired";
    case Reason::ConsentFuture: return "consent-future";
    case Reason::ConsentRevoked: return "consent-revoked";
    case Reason::PolicyError: return "policy-error";
  }
  return "policy-error";
}

const std::vector<Finding>& Findings::list() const {
  static const std::vector<Finding> none;
  return list_ ? *list_ : none;
}

const Finding* Verdict::refusal() const {
  const auto found = std::ranges::find_if(findings, [](const Finding& finding) { return !finding.permits(); });
  return found == findings.end() ? nullptr : &*found;
}
bool Verdict::permits() const { return !findings.empty() && refusal() == nullptr; }
Reason Verdict::reason() const {
  if (findings.empty()) return Reason::PolicyError;
  const Finding* refused = refusal();
  return refused ? refused->reason : Reason::Permitted;
}

std::variant<Admitted, Verdict> admit(const Rules& rules, const Caller& caller) {
  Finding caller_finding = judge_caller(caller);
  PurposeJudgement purpose = judge_purposes(rules, caller);
  Verdict verdict{.resource = {}, .findings = {std::move(caller_finding), std::move(purpose.finding)}};
  if (!verdict.permits()) return verdict;
  Admitted admitted(caller.home.entry->home);
  admitted.purposes_ = purpose.purposes;
  admitted.implementer_ = *caller.tls_implementer;
  admitted.patient_ = caller.patient;
  admitted.own_staff_ = caller.own_staff;
  admitted.verdict_ = std::move(verdict);
  admitted.rules_version_ = rules.version;
  return admitted;
}

bool Judge::names_documents(const Matter& matter) {
  if (!matter.consents || !matter.document) return false;
  const auto known = naming_.find(matter.consents.get());
  if (known != naming_.end()) return known->second;
  const auto names = [](const auto& self, const Provision& provision) -> bool {
    return !provision.documents.empty() || provision.data.limits() ||
           std::ranges::any_of(provision.exceptions, [&](const Provision& one) { return self(self, one); });
  };
  const bool any = std::ranges::any_of(matter.consents->consents,
                                       [&](const Consent& consent) { return names(names, consent.root); });
  return naming_.emplace(matter.consents.get(), any).first->second;
}

Judge::Found Judge::find(const Matter& matter) const {
  const Setting setting{admitted_, terms_, matter};
  const Denials denied = denials(setting);
  std::vector<Finding> findings(admitted_.verdict().findings.begin(), admitted_.verdict().findings.end());
  if (admitted_.patient()) findings.push_back(judge_token_patient(*admitted_.patient(), matter.patient_ids));
  findings.push_back(judge_choice(admitted_.purposes(), matter.choice, denied));
  findings.push_back(judge_party(setting, denied));
  std::vector<Obligation> obligations;
  if (matter.document) {
    findings.push_back(judge_class(setting, denied));
    auto labels = judge_labels(setting, denied);
    findings.push_back(std::move(labels.finding));
    obligations = std::move(labels.obligations);
  }
  findings.push_back(judge_evaluation(setting));
  if (!std::ranges::all_of(findings, &Finding::permits)) obligations.clear();
  return {std::move(findings), std::move(obligations), {}};
}

Verdict Judge::verdict_on(std::string resource_id, const Matter& matter) {
  // All that decides, as one text in which every part says how long it is: what is alike in it is found alike.
  const auto add_number = [&](std::int64_t number) {
    key_.append(reinterpret_cast<const char*>(&number), sizeof number);
  };
  const auto add = [&](std::string_view text) {
    add_number(std::ssize(text));
    key_.append(text);
  };
  const auto add_instant = [&](const std::optional<Instant>& instant) {
    key_.push_back(instant ? '1' : '0');
    if (instant) add_number(base::to_micros(*instant));
  };
  key_.clear();
  add(matter.subject);
  key_.push_back(matter.choice.readable ? '1' : '0');
  add_number(matter.choice.clinic_defaults.bits());
  add(matter.choice.clinic_version);
  add_number(matter.choice.choice ? matter.choice.choice->purposes.bits() : -1);
  if (matter.choice.choice) {
    add(matter.choice.choice->id);
    add(matter.choice.choice->set_by);
  }
  add_number(reinterpret_cast<std::intptr_t>(matter.consents.get()));
  if (admitted_.patient()) {
    add_number(std::ssize(matter.patient_ids));
    for (const auto& id : matter.patient_ids) add(id.root), add(id.extension);
  }
  if (const DocumentFacts* document = matter.document) {
    add(document->readable ? "document" : "unreadable");
    add_number(std::ssize(document->labels));
    for (const Label& one : document->labels) add(one.system), add(one.code);
    add_number(std::ssize(document->classes));
    for (const Code& one : document->classes) add(one.system), add(one.code);
    if (names_documents(matter)) {
      add(document->unique_id);
      add_instant(document->service.from);
      add_instant(document->service.to);
    }
  }
  auto known = alike_.find(key_);
  if (known == alike_.end()) {
    known = alike_.emplace(key_, find(matter)).first;
    known->second.consents = matter.consents;
  }
  return {.resource = std::move(resource_id), .findings = known->second.findings,
          .obligations = known->second.obligations};
}

Verdict judge(const Admitted& admitted, const Terms& terms, std::string resource_id, const Matter& matter) {
  return Judge(admitted, terms).verdict_on(std::move(resource_id), matter);
}

}  // namespace policy
