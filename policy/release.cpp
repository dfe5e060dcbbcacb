#include "policy/release.hpp"

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

/// The choice gate: the patient's own set replaces the clinic's defaults entirely.
Finding judge_choice(PurposeSet asked, const ChoiceFacts& facts) {
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
  return permit(Gate::Choice, "Every purpose asked for is permitted by " + whose + ".", evidence);
}

Finding judge_evaluation(const ChoiceFacts& facts) {
  if (facts.readable) return permit(Gate::Evaluation, "Everything that decides could be read.", {});
  return {Gate::Evaluation, Reason::PolicyError, "The patient's choice or the clinic's defaults could not be read.", {},
          "Repairing the stored record."};
}

}  // namespace

std::string_view word(Gate gate) noexcept {
  switch (gate) {
    case Gate::Caller: return "caller";
    case Gate::Purpose: return "purpose";
    case Gate::TokenPatient: return "token-patient";
    case Gate::Choice: return "choice";
    case Gate::Evaluation: return "evaluation";
  }
  return "evaluation";
}

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
    case Reason::PolicyError: return "policy-error";
  }
  return "policy-error";
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
  Verdict verdict{{}, {std::move(caller_finding), std::move(purpose.finding)}};
  if (!verdict.permits()) return verdict;
  Admitted admitted(caller.home.entry->home);
  admitted.purposes_ = purpose.purposes;
  admitted.implementer_ = *caller.tls_implementer;
  admitted.patient_ = caller.patient;
  admitted.verdict_ = std::move(verdict);
  admitted.rules_version_ = rules.version;
  return admitted;
}

Verdict judge(const Admitted& admitted, std::string resource_id, const ChoiceFacts& choice,
              std::span<const base::Identifier> patient_ids) {
  Verdict verdict{std::move(resource_id), admitted.verdict().findings};
  if (admitted.patient()) verdict.findings.push_back(judge_token_patient(*admitted.patient(), patient_ids));
  verdict.findings.push_back(judge_choice(admitted.purposes(), choice));
  verdict.findings.push_back(judge_evaluation(choice));
  return verdict;
}

}  // namespace policy
