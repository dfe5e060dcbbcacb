#pragma once
// The verdict: who may ask at all (admit), and what may leave (release). Pure: facts and `now` in, verdict and
// evidence out; no store, no clock, no log. [design §4]

#include "policy/consent.hpp"

#include <map>
#include <memory>
#include <variant>

namespace policy {

/// The deployment's rules, the same for every clinic of it.
struct Rules {
  std::vector<PurposeCode> purpose_codes;  ///< exact pairs; anything else is unknown
  PurposeSet supported = PurposeSet::all();  ///< purposes this deployment answers at all
  std::string version = {};                ///< names these rules in every decision record
};

/// The gates in their order: the first that refuses is the reason.
enum class Gate { Caller, Purpose, TokenPatient, Choice, HieConsent, Party, Class, Sensitivity, Evaluation };

enum class Reason {
  Permitted, CallerUntrusted, CallerUnknown, CallerInactive, CallerNotDelegated,
  PurposeMissing, PurposeUnknown, PurposeNotSupported, TokenForAnotherPatient,
  PatientPurpose, ClinicPurpose, HieNone, HieFuture, HieExpired, HieRevoked, OrganizationDenied, ClassNotShared,
  SensitiveNoConsent, ConsentExpired, ConsentFuture, ConsentRevoked, PolicyError,
};
/// `caller`, `token-patient` …: as audit and commands write it.
std::string_view word(Gate gate) noexcept;

/// `caller-untrusted`, `patient-purpose` …: as audit, commands and tests write it.
std::string_view code(Reason reason) noexcept;

/// What one gate found. All gates are evaluated and recorded.
struct Finding {
  Gate gate;
  Reason reason;            ///< Reason::Permitted where it lets pass
  std::string sentence;     ///< plain words, for our own staff only
  std::string evidence;     ///< record id and version, rule version, directory version
  std::string would_change; ///< what would change it; empty where it permits
  bool permits() const { return reason == Reason::Permitted; }
  bool operator==(const Finding&) const = default;
};

/// Findings in gate order, the same object for all resources that were found alike.
class Findings {
 public:
  Findings() = default;
  Findings(std::initializer_list<Finding> findings) : Findings(std::vector<Finding>(findings)) {}
  Findings(std::vector<Finding> findings)
      : list_(std::make_shared<const std::vector<Finding>>(std::move(findings))) {}
  auto begin() const { return list().begin(); }
  auto end() const { return list().end(); }
  std::size_t size() const { return list().size(); }
  bool empty() const { return list().empty(); }
  const Finding& operator[](std::size_t at) const { return list()[at]; }
  const Finding& front() const { return list().front(); }
  bool operator==(const Findings& other) const { return list_ == other.list_ || list() == other.list(); }

 private:
  const std::vector<Finding>& list() const;
  std::shared_ptr<const std::vector<Finding>> list_;
};

/// What whoever sends the resource must do with it.
struct Obligation {
  enum class Kind { Part2Notice };  ///< the statement of 42 CFR §2.32 and what it leaves on go with it
  Kind kind = Kind::Part2Notice;
  std::string evidence;  ///< the consent, or the broken glass, it leaves on
  std::vector<std::string> explanations = {};  ///< of its scope, for the recipient: explanation.hpp; each once
  bool operator==(const Obligation&) const = default;
};
/// `part2-notice`: as the decision record writes it.
std::string_view word(Obligation::Kind kind) noexcept;

/// The findings of all gates for one resource (or for the request as a whole), in gate order.
struct Verdict {
  std::string resource;  ///< our own id of what was judged; empty for the request as a whole
  Findings findings = {};
  std::vector<Obligation> obligations = {};  ///< of a resource that is permitted
  bool permits() const;
  Reason reason() const;            ///< of the first gate that refuses
  const Finding* refusal() const;   ///< that finding, or null
};

/// A caller that the first two gates let in. Only admit makes one.
class Admitted {
 public:
  PurposeSet purposes() const { return purposes_; }
  const HomeCommunityId& home() const { return home_; }  ///< whom policy acts for
  const std::string& implementer() const { return implementer_; }
  const std::optional<base::Identifier>& patient() const { return patient_; }  ///< whom the token is about
  const std::optional<std::string>& own_staff() const { return own_staff_; }
  const Verdict& verdict() const { return verdict_; }
  const std::string& rules_version() const { return rules_version_; }

 private:
  friend std::variant<Admitted, Verdict> admit(const Rules&, const Caller&);
  Admitted(HomeCommunityId home) : home_(std::move(home)) {}
  PurposeSet purposes_;
  HomeCommunityId home_;
  std::string implementer_;
  std::optional<base::Identifier> patient_;
  std::optional<std::string> own_staff_;
  Verdict verdict_;
  std::string rules_version_;
};

/// Judges caller and purpose before any patient is looked up.
/// @return Admitted, or the verdict that refuses
std::variant<Admitted, Verdict> admit(const Rules& rules, const Caller& caller);

/// Under which rules, and when: one `now` for a request.
struct Terms {
  ClinicRules rules;
  Instant now;
};

/// A resource of one patient with what is known of the patient's choice and consents, not yet judged.
template <class T>
struct Held {
  T resource;
  std::string id;            ///< our own id of the resource, for the record
  ChoiceFacts choice;
  std::string subject = {};  ///< our own id of the patient it is about, for the record
  std::vector<base::Identifier> patient_ids = {};  ///< of that patient, as the resource and the request give them
  std::shared_ptr<const ConsentFacts> consents = {};  ///< none where the patient never gave or refused one
  std::optional<DocumentFacts> document = {};         ///< none where the resource is the patient
};

/// What is judged of one resource.
struct Matter {
  std::string_view subject;
  const ChoiceFacts& choice;
  std::span<const base::Identifier> patient_ids = {};
  std::shared_ptr<const ConsentFacts> consents = {};
  const DocumentFacts* document = nullptr;
};

/// Judges the resources of one request: all gates, in order. Resources that are alike in all that decides are judged
/// once. A token that names a patient under an authority of which patient_ids has ids, none of them that one, is for
/// another patient. [threats.md T14]
class Judge {
 public:
  /// Both outlive the judge.
  Judge(const Admitted& admitted, const Terms& terms) : admitted_(admitted), terms_(terms) {}
  Verdict verdict_on(std::string resource_id, const Matter& matter);

 private:
  struct Found {
    Findings findings;
    std::vector<Obligation> obligations;
    std::shared_ptr<const ConsentFacts> consents;  ///< kept: nothing else comes to lie where they are
  };
  Found find(const Matter& matter) const;
  bool names_documents(const Matter& matter);

  const Admitted& admitted_;
  const Terms& terms_;
  std::map<std::string, Found, std::less<>> alike_;
  std::map<const ConsentFacts*, bool> naming_;
  std::string key_;
};

/// Judges one resource by itself.
Verdict judge(const Admitted& admitted, const Terms& terms, std::string resource_id, const Matter& matter);

/// Resources that policy let go, in the order given, and the verdicts on all. The only thing a writer of answers
/// accepts; only release makes one.
template <class T>
class Released {
 public:
  const std::vector<T>& resources() const { return resources_; }
  const std::vector<Verdict>& verdicts() const { return verdicts_; }
  bool withheld_any() const { return withheld_; }
  /// The verdict that each of resources() was let go by, in their order. Lives as long as this.
  std::vector<const Verdict*> granted() const {
    std::vector<const Verdict*> granted;
    for (const Verdict& one : verdicts_)
      if (one.permits() && granted.size() < resources_.size()) granted.push_back(&one);
    return granted;
  }

  /// The same release with each resource completed by what was not needed to judge it (a document by its bytes).
  /// @param complete  `Result<U>(const T&)`; an error of it ends the whole
  template <class U, class Complete>
  base::Result<Released<U>> completed(Complete complete) const {
    Released<U> more;
    more.verdicts_ = verdicts_;
    more.withheld_ = withheld_;
    for (const T& resource : resources_) more.resources_.push_back(TRY(complete(resource)));
    return more;
  }

 private:
  template <class U>
  friend class Released;
  template <class U>
  friend Released<U> release(const Admitted&, const Terms&, std::vector<Held<U>>);
  template <class U>
  friend Released<U> release_all_or_none(const Admitted&, const Terms&, std::vector<Held<U>>);
  Released() = default;
  std::vector<T> resources_;
  std::vector<Verdict> verdicts_;
  bool withheld_ = false;
};

/// Lets go what every gate permits, resource by resource.
template <class T>
Released<T> release(const Admitted& admitted, const Terms& terms, std::vector<Held<T>> held) {
  Released<T> released;
  Judge judge(admitted, terms);
  for (Held<T>& one : held) {
    released.verdicts_.push_back(judge.verdict_on(one.id, {.subject = one.subject, .choice = one.choice,
                                                      .patient_ids = one.patient_ids, .consents = one.consents,
                                                      .document = one.document ? &*one.document : nullptr}));
    if (released.verdicts_.back().permits()) {
      released.resources_.push_back(std::move(one.resource));
    } else {
      released.withheld_ = true;
    }
  }
  return released;
}

/// The same for candidates that may be one and the same person: one that is withheld withholds all, so that a denied
/// candidate never gives way to the second best. [design §4, ambiguity]
template <class T>
Released<T> release_all_or_none(const Admitted& admitted, const Terms& terms, std::vector<Held<T>> held) {
  auto released = release(admitted, terms, std::move(held));
  if (released.withheld_any()) released.resources_.clear();
  return released;
}

}  // namespace policy
