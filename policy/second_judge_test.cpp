// A second judge, slow and obvious, written from the table of design §4 and the rules of consents in consent.hpp. It
// shares facts and names with the engine and nothing else; both must find the same verdict for the same reason.

#include "policy/random_cases.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace policy {
namespace {

using Purposes = std::vector<Purpose>;

bool among(const std::vector<std::string>& list, const std::string& one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}
bool holds(const Period& period, Instant now) {
  if (period.from && now < *period.from) return false;
  if (period.to && now >= *period.to) return false;
  return true;
}

// --- gate caller

Reason organization(const NamedOrganization& who, const std::string& implementer) {
  if (!who.entry) return Reason::CallerUnknown;
  if (!who.entry->active) return Reason::CallerInactive;
  if (who.entry->implementer != implementer) return Reason::CallerNotDelegated;
  return Reason::Permitted;
}

Reason gate_caller(const Caller& caller) {
  if (!caller.tls_implementer || !caller.signer_implementer || !caller.assertion_implementer)
    return Reason::CallerUnknown;
  const std::string implementer = *caller.tls_implementer;
  if (*caller.signer_implementer != implementer || *caller.assertion_implementer != implementer)
    return Reason::CallerUntrusted;
  const Reason home = organization(caller.home, implementer);
  if (home != Reason::Permitted) return home;
  const HomeCommunityId acts_for = caller.home.entry->home;
  if (caller.sender) {
    const Reason sender = organization(*caller.sender, implementer);
    if (sender != Reason::Permitted) return sender;
    if (caller.demand_equal_sender && !(caller.sender->entry->home == acts_for)) return Reason::CallerNotDelegated;
  }
  if (caller.grantor) {
    if (!caller.grantor->entry) return Reason::CallerUnknown;
    if (!caller.grantor->entry->active) return Reason::CallerInactive;
    if (caller.grantor->is_ours) return Reason::CallerNotDelegated;
    bool lets = false;
    for (const auto& delegate : caller.grantor->entry->delegates) lets = lets || delegate == acts_for;
    if (!lets) return Reason::CallerNotDelegated;
  }
  return Reason::Permitted;
}

// --- gate purpose

Reason gate_purpose(const Rules& rules, const Caller& caller, Purposes& asked) {
  if (caller.purposes.empty()) return Reason::PurposeMissing;
  for (const Code& code : caller.purposes) {
    bool known = false;
    Purpose purpose = Purpose::Treatment;
    for (const PurposeCode& row : rules.purpose_codes) {
      if (row.code == code.code && row.system == code.system) known = true, purpose = row.purpose;
    }
    if (!known) return Reason::PurposeUnknown;
    if (!rules.supported.contains(purpose)) return Reason::PurposeNotSupported;
    const bool demanding = purpose == Purpose::Coverage || purpose == Purpose::OtherAuthorization;
    if (demanding && !caller.authorization_reference) return Reason::PurposeNotSupported;
    asked.push_back(purpose);
  }
  std::sort(asked.begin(), asked.end());  // the order of the screens
  return Reason::Permitted;
}

// --- labels

const std::string confidentiality = "2.16.840.1.113883.5.25", act_code = "2.16.840.1.113883.5.4";

bool everyday(const Label& label) {
  return label.system == confidentiality && among({"U", "L", "M", "N"}, label.code);
}
bool handling(const Label& label) {
  return label.system == act_code &&
         among({"ENCRYPT", "MASK", "REDACT", "DELAU", "AUDIT", "PERSISTLABEL", "PRIVMARK", "CPLYCD", "NORDSCLCD",
                "NODSCLCD", "NORDSCLW", "NOREUSE", "NOPERSISTP", "NOAUTH", "NOINTEGRATE", "NORELINK"},
               label.code);
}
bool part2(const Label& label) {
  return label.system == act_code && among({"42CFRPart2", "SUD", "ETH", "ETHUD", "OPIOIDUD"}, label.code);
}
/// Whom the law gates, what is known and open, and what the clinic says beside it.
bool needs_consent(const Label& label, const LabelRules& rules) {
  const bool by_law = part2(label) || label == Label{confidentiality, "V"} ||
                      (label.system == act_code && among({"PSYTHPN", "HIPAAPsyNotes", "Title38Section7332"}, label.code));
  if (by_law || rules.gated.count(label)) return true;
  const bool about = label.system == act_code &&
                     among({"PSY", "MH", "BH", "HIV", "STD", "SDV", "VIO", "SEX", "SPI", "GDIS", "MST", "SCA", "SICKLE"},
                           label.code);  // and more that no case here bears
  const bool ships_open = everyday(label) || handling(label) || about || label == Label{confidentiality, "R"};
  return !ships_open && !rules.known.count(label);
}

// --- consents

struct Request {
  HomeCommunityId home;
  Purpose purpose;
  Instant now;
  const DocumentFacts* document;
};

/// A statement with all that it is an exception to, outermost first.
struct Said {
  std::vector<const Provision*> chain;
  const Provision& self() const { return *chain.back(); }
};
void flatten(const Provision& provision, Said above, std::vector<Said>& all) {
  above.chain.push_back(&provision);
  all.push_back(above);
  for (const Provision& exception : provision.exceptions) flatten(exception, above, all);
}
std::vector<Said> statements(const Consent& consent) {
  std::vector<Said> all;
  flatten(consent.root, {}, all);
  return all;
}

bool names(const Provision& provision, const Label& label) {
  for (const Label& one : provision.labels) {
    if (one == label) return true;
  }
  return false;
}

bool right_recipient(const Provision& provision, const Request& request) {
  if (provision.recipients.empty()) return true;
  for (const Recipient& recipient : provision.recipients) {
    if (std::holds_alternative<HomeCommunityId>(recipient.who)) {
      if (std::get<HomeCommunityId>(recipient.who) == request.home) return true;
    } else if (std::get<RecipientClass>(recipient.who) == RecipientClass::TreatingProviders) {
      if (request.purpose == Purpose::Treatment) return true;
    } else {
      if (request.purpose == Purpose::Payment || request.purpose == Purpose::Coverage) return true;
    }
  }
  return false;
}

bool right_document(const Provision& provision, const DocumentFacts* document) {
  const bool some_documents = !provision.classes.empty() || !provision.documents.empty() || provision.data.from ||
                              provision.data.to;
  if (!some_documents) return true;
  if (!document) return provision.permits;
  if (!provision.classes.empty()) {
    bool found = false;
    for (const Code& wanted : provision.classes) {
      for (const Code& code : document->classes) found = found || (wanted.code == code.code && wanted.system == code.system);
    }
    if (!found) return false;
  }
  if (!provision.documents.empty() && !among(provision.documents, document->unique_id)) return false;
  if (provision.permits) {
    if (provision.data.from && (!document->service.from || *document->service.from < *provision.data.from)) return false;
    if (provision.data.to && (!document->service.to || *document->service.to >= *provision.data.to)) return false;
    return true;
  }
  if (provision.data.from && document->service.to && *document->service.to < *provision.data.from) return false;
  if (provision.data.to && document->service.from && *document->service.from >= *provision.data.to) return false;
  return true;
}

bool right_labels(const Provision& provision, const DocumentFacts* document, const Label* label) {
  if (provision.labels.empty()) return true;
  if (label) return names(provision, *label);
  if (!document) return provision.permits;
  bool any = false, any_sensitivity = false;
  for (const Label& held : document->labels) {
    if (!names(provision, held)) continue;
    any = true;
    if (held.system != confidentiality && !handling(held)) any_sensitivity = true;
  }
  if (!any) return false;
  if (!provision.permits) return true;
  for (const Label& held : document->labels) {
    if (names(provision, held) || everyday(held) || handling(held)) continue;
    if (held.system == confidentiality && any_sensitivity) continue;
    return false;
  }
  return true;
}

/// Whether a statement by itself is about the request, as far as it is understood, whatever the time.
bool seems_to_concern(const Provision& provision, const Request& request, const Label* label) {
  if (provision.purposes && !provision.purposes->contains(request.purpose)) return false;
  return right_recipient(provision, request) && right_document(provision, request.document) &&
         right_labels(provision, request.document, label);
}

bool concerns(const Provision& provision, const Request& request, const Label* label) {
  if (provision.permits && !provision.understood) return false;
  return seems_to_concern(provision, request, label);
}

bool names_in_chain(const Said& said, const Label& label) {
  for (const Provision* one : said.chain) {
    if (names(*one, label)) return true;
  }
  return false;
}
/// Label, purpose and recipient, each by the statement or by what it is an exception to.
bool names_all_in_chain(const Said& said, const Label& label) {
  bool purpose = false, recipient = false;
  for (const Provision* one : said.chain) {
    if (one->purposes) purpose = true;
    if (!one->recipients.empty()) recipient = true;
  }
  return purpose && recipient && names_in_chain(said, label);
}

/// 0 choice, 1 party, 2 class, 3 sensitivity.
int gate_of_deny(const Provision& deny) {
  if (!deny.labels.empty()) return 3;
  if (!deny.classes.empty() || !deny.documents.empty() || deny.data.from || deny.data.to) return 2;
  return deny.recipients.empty() ? 0 : 1;
}

/// What wins within one consent: nothing, a permit, or a deny of a gate.
struct Won {
  bool permit = false, deny = false;
  int gate = 9;
};
Won winner(const Consent& consent, const Request& request, const Label* label) {
  Won won;
  if (consent.status != ConsentStatus::Active || !holds(consent.root.period, request.now)) return won;
  std::size_t deepest = 0;
  for (const Said& said : statements(consent)) {
    bool counts = concerns(said.self(), request, label) && holds(said.self().period, request.now);
    if (said.self().permits) {
      for (const Provision* above : said.chain)
        counts = counts && concerns(*above, request, label) && holds(above->period, request.now);
      if (label) counts = counts && names_all_in_chain(said, *label);
    }
    if (!counts || said.chain.size() < deepest) continue;
    if (said.chain.size() > deepest) won = {};
    deepest = said.chain.size();
    if (said.self().permits) {
      won.permit = true;
    } else {
      won.deny = true;
      won.gate = std::min(won.gate, gate_of_deny(said.self()));
    }
  }
  if (won.deny) won.permit = false;
  return won;
}

enum class Time { NoStatement, Now, Ahead, Past, Revoked };
Time time_of(const Consent& consent, const Request& request, const Label& label) {
  if (consent.status == ConsentStatus::Proposed || consent.status == ConsentStatus::EnteredInError)
    return Time::NoStatement;
  bool any = false, now = false, ahead = false, idle_now = false;
  for (const Said& said : statements(consent)) {
    if (!names_in_chain(said, label) || !seems_to_concern(said.self(), request, &label)) continue;
    bool all_hold = true, all_concern = true, all_clear = true;
    std::optional<Instant> begin, end;
    for (const Provision* one : said.chain) {
      all_hold = all_hold && holds(one->period, request.now);
      all_concern = all_concern && seems_to_concern(*one, request, &label);
      if (one->permits && !one->understood) all_clear = false;
      if (one->period.from) begin = begin ? std::max(*begin, *one->period.from) : *one->period.from;
      if (one->period.to) end = end ? std::min(*end, *one->period.to) : *one->period.to;
    }
    if (said.self().permits && !all_concern) continue;
    if (said.self().permits && all_hold && (!all_clear || !names_all_in_chain(said, label))) {
      idle_now = true;
      continue;
    }
    any = true;
    now = now || all_hold;
    ahead = ahead || (begin && *begin > request.now && (!end || *end > *begin));
  }
  if (consent.status == ConsentStatus::Revoked) return any || idle_now ? Time::Revoked : Time::NoStatement;
  if (!any) return Time::NoStatement;
  return now ? Time::Now : ahead ? Time::Ahead : Time::Past;
}

std::string named(const Consent& consent) {
  return "consent " + consent.id + " version " + std::to_string(consent.version);
}

/// Why no consent opens a label, or Permitted. @param by  the last consent that permits
Reason opened(const Case& one, const Request& request, const Label& label, std::string& by) {
  bool permitted = false, denied = false;
  Time last = Time::NoStatement;
  for (const Consent& consent : one.consents.consents) {
    const Time time = time_of(consent, request, label);
    if (time == Time::NoStatement) continue;
    last = time;
    const Won won = winner(consent, request, &label);
    permitted = permitted || won.permit;
    denied = denied || won.deny;
    if (won.permit) by = named(consent);
  }
  if (last == Time::Revoked) return Reason::ConsentRevoked;
  if (last == Time::Ahead) return Reason::ConsentFuture;
  if (last == Time::Past) return Reason::ConsentExpired;
  return permitted && !denied ? Reason::Permitted : Reason::SensitiveNoConsent;
}

/// @return the broken glass that opens it; empty for none
std::string glass_that_opens(const Case& one, const Label& label) {
  if (!one.caller.own_staff || (part2(label) && !one.terms.rules.part2_emergencies)) return "";
  for (const BreakGlass& grant : one.consents.grants) {
    if (grant.user == *one.caller.own_staff && holds(grant.period, one.terms.now)) return "break-glass " + grant.id;
  }
  return "";
}

/// @param notices  on what each label of Part 2 leaves, each once
Reason gate_sensitivity(const Case& one, const Purposes& asked, const HomeCommunityId& home,
                        std::vector<std::string>& notices) {
  for (const Label& label : one.document->labels) {
    if (!needs_consent(label, one.terms.rules.labels)) continue;
    std::vector<std::string> leaves_on;
    if (const std::string glass = glass_that_opens(one, label); !glass.empty()) {
      leaves_on.push_back(glass);
    } else {
      for (Purpose purpose : asked) {
        std::string by;
        const Reason reason = opened(one, {home, purpose, one.terms.now, &*one.document}, label, by);
        if (reason != Reason::Permitted) return reason;
        leaves_on.push_back(by);
      }
    }
    for (const std::string& by : leaves_on) {
      if (part2(label) && !among(notices, by)) notices.push_back(by);
    }
  }
  return Reason::Permitted;
}

// --- HIE consent: the latest record that counts is active now

Reason gate_hie(const HieFacts& facts, Instant now) {
  if (!facts.readable) return Reason::PolicyError;
  const HieConsent* latest = nullptr;
  for (const HieConsent& one : facts.history) {
    if (one.counts) latest = &one;
  }
  if (!latest) return Reason::HieNone;
  if (latest->kind == HieKind::Revoked) return Reason::HieRevoked;
  if (now < latest->given_on) return Reason::HieFuture;
  if (latest->expires_on && now >= *latest->expires_on) return Reason::HieExpired;
  return Reason::Permitted;
}

// --- all gates, in their order

struct Judgement {
  Reason reason;
  std::vector<std::string> notices = {};  ///< of a case that is permitted
};

Reason judge_gates(const Case& one, std::vector<std::string>& notices) {
  if (one.hie_send) return gate_hie(one.hie, *one.hie_send);
  if (const Reason reason = gate_caller(one.caller); reason != Reason::Permitted) return reason;
  Purposes asked;
  if (const Reason reason = gate_purpose(one.rules, one.caller, asked); reason != Reason::Permitted) return reason;
  const HomeCommunityId home = one.caller.home.entry->home;
  if (one.caller.patient) {
    bool same = false, comparable = false;
    for (const auto& id : one.patient_ids) {
      same = same || id == *one.caller.patient;
      comparable = comparable || id.root == one.caller.patient->root;
    }
    if (comparable && !same) return Reason::TokenForAnotherPatient;
  }
  bool denied_by_gate[4] = {};
  for (const Consent& consent : one.consents.consents) {
    for (Purpose purpose : asked) {
      const Request request{home, purpose, one.terms.now, one.document ? &*one.document : nullptr};
      const Won won = winner(consent, request, nullptr);
      if (won.deny) denied_by_gate[won.gate] = true;
    }
  }
  for (Purpose purpose : asked) {
    if (one.choice.choice && !one.choice.choice->purposes.contains(purpose)) return Reason::PatientPurpose;
    if (!one.choice.choice && !one.choice.clinic_defaults.contains(purpose)) return Reason::ClinicPurpose;
  }
  if (denied_by_gate[0]) return Reason::PatientPurpose;
  if (one.terms.rules.refused.count(home) || denied_by_gate[1]) return Reason::OrganizationDenied;
  if (one.document) {
    for (Purpose purpose : asked) {
      if (!one.terms.rules.shared.count(purpose)) continue;
      bool shared = false;
      for (const Code& rule : one.terms.rules.shared.at(purpose)) {
        for (const Code& code : one.document->classes)
          shared = shared || (rule.code == code.code && rule.system == code.system);
      }
      if (!shared) return Reason::ClassNotShared;
    }
    if (denied_by_gate[2]) return Reason::ClassNotShared;
    if (denied_by_gate[3]) return Reason::SensitiveNoConsent;
    const Reason sensitivity = gate_sensitivity(one, asked, home, notices);
    if (sensitivity != Reason::Permitted) return sensitivity;
  }
  if (!one.choice.readable || !one.terms.rules.readable || !one.consents.readable ||
      (one.document && !one.document->readable))
    return Reason::PolicyError;
  return Reason::Permitted;
}

Judgement second_judge(const Case& one) {
  Judgement found{Reason::Permitted};
  found.reason = judge_gates(one, found.notices);
  if (found.reason != Reason::Permitted) found.notices.clear();
  return found;
}

bool bears_gated_label(const Case& one) {
  if (!one.document) return false;
  const auto gated = [&](const Label& label) { return needs_consent(label, one.terms.rules.labels); };
  return std::any_of(one.document->labels.begin(), one.document->labels.end(), gated);
}

TEST(SecondJudge, FindsTheSameVerdictForTheSameReasonInAHundredThousandCases) {
  const auto seed = random::seed(20261201);
  std::printf("seed %llu (GATEHOUSE_SEED)\n", static_cast<unsigned long long>(seed));
  random::Draw draw(seed);
  std::map<Reason, int> met;
  int opened_by_consent = 0, with_notice = 0, between_consents = 0;
  for (int number = 0; number < 100'000; ++number) {
    const Case one = draw.any_case();
    const Outcome engine = judge_case(one);
    const auto [second, notices] = second_judge(one);
    ++met[second];
    opened_by_consent += second == Reason::Permitted && bears_gated_label(one) && one.consents.grants.empty();
    ASSERT_EQ(code(engine.reason), code(second)) << "case " << number << "\n" << random::text_of(one);
    ASSERT_EQ(engine.permits, second == Reason::Permitted) << "case " << number;
    ASSERT_EQ(engine.notices, notices) << "case " << number << "\n" << random::text_of(one);
    with_notice += !notices.empty();
    between_consents += notices.size() == 1 && one.consents.consents.size() > 1;
  }
  for (int reason = int(Reason::Permitted); reason <= int(Reason::PolicyError); ++reason) {
    const std::string name(code(static_cast<Reason>(reason)));
    if (name.starts_with("hie-")) continue;  // sends to the HIE are judged by hie_consent.hpp
    std::printf("%6d  %s\n", met[static_cast<Reason>(reason)], name.c_str());
    EXPECT_GE(met[static_cast<Reason>(reason)], 50) << name;
  }
  std::printf("%6d  permitted for a consent that names the label\n", opened_by_consent);
  EXPECT_GE(opened_by_consent, 50);
  std::printf("%6d  with a notice, %d of them on one of several consents\n", with_notice, between_consents);
  EXPECT_GE(between_consents, 50);
}

TEST(SecondJudge, AgreesAboutEveryCaseThatShips) {
  for (const Case& one : shipped_cases().value()) {
    EXPECT_EQ(code(second_judge(one).reason), code(one.expected)) << one.name;
    EXPECT_EQ(second_judge(one).notices, one.notices) << one.name;
  }
}

}  // namespace
}  // namespace policy
