#pragma once
// What a patient agreed to or forbade, as provisions, and what it says about one request. Pure. [design §4;
// facts/fhir §11; HL7 FHIR R4 Consent.provision]
//
// Within one consent the more specific statement wins, a deny at a tie: what is nested is the more specific. A deny
// counts wherever it stands; a permit counts only where all it is an exception to speaks about the request too. Between
// consents a deny wins. [decisions/014]

#include "policy/facts.hpp"

#include <variant>

namespace policy {

/// [from, to): a bound that is missing does not limit.
struct Period {
  std::optional<Instant> from = {}, to = {};
  bool limits() const { return from.has_value() || to.has_value(); }
  bool holds(Instant at) const { return (!from || *from <= at) && (!to || at < *to); }
  bool operator==(const Period&) const = default;
};
/// What of one lies in the other too.
Period within(const Period& outer, const Period& inner);

/// Whom a provision is about: one organization of the directory, or a class of recipients.
enum class RecipientClass : std::uint8_t { TreatingProviders, HealthPlans };
std::string_view word(RecipientClass recipients) noexcept;  ///< `treating-providers`, `health-plans`
std::optional<RecipientClass> recipient_class(std::string_view word) noexcept;
/// Who asks for one of these purposes is of this class. [42 CFR §2.31(a)(4)(ii)]
bool includes(RecipientClass recipients, Purpose purpose) noexcept;

struct Recipient {
  std::variant<HomeCommunityId, RecipientClass> who;
  bool operator==(const Recipient&) const = default;
};

/// One statement. What is empty does not limit it.
struct Provision {
  bool permits = false;
  Period period = {};
  std::vector<Recipient> recipients = {};
  std::optional<PurposeSet> purposes = {};
  std::vector<Label> labels = {};
  std::vector<base::Code> classes = {};      ///< document classes or types
  std::vector<std::string> documents = {};   ///< unique ids
  Period data = {};                          ///< of the service the document is about, else of its creation
  /// A part we cannot evaluate: as a permit it permits nothing, as a deny the part does not limit it. [threats C09]
  bool understood = true;
  std::vector<Provision> exceptions = {};
  bool operator==(const Provision&) const = default;
};

enum class ConsentStatus : std::uint8_t {
  Active,
  Revoked,         ///< taken back; kept for ever
  Proposed,        ///< captured, not signed or verified: says nothing
  EnteredInError,  ///< says nothing
};
std::string_view word(ConsentStatus status) noexcept;  ///< `active`, `revoked`, `proposed`, `entered-in-error`
std::optional<ConsentStatus> consent_status(std::string_view word) noexcept;

struct Consent {
  std::string id;
  std::int64_t version = 1;
  ConsentStatus status = ConsentStatus::Active;
  Provision root = {};
  bool operator==(const Consent&) const = default;
};
/// `consent ID version 1`: as evidence, events and notices name it.
std::string naming(const Consent& consent);

/// A pass that our own staff took in an emergency. [threats C10]
struct BreakGlass {
  std::string id;
  std::string user;
  Period period = {};
  bool operator==(const BreakGlass&) const = default;
};

/// What is known of a patient beyond the choice of purposes. Unreadable is not absent.
struct ConsentFacts {
  bool readable = true;
  std::vector<Consent> consents = {};   ///< in save order
  std::vector<BreakGlass> grants = {};
  bool operator==(const ConsentFacts&) const = default;
};

/// What policy knows of a document.
struct DocumentFacts {
  std::string unique_id = {};
  std::vector<Label> labels = {};
  std::vector<base::Code> classes = {};  ///< its class code and its type code
  Period service = {};                   ///< first and last instant of what it is about, else of its creation
  bool readable = true;                  ///< false: labels or codes could not be read
  bool operator==(const DocumentFacts&) const = default;
};

/// One purpose of one request about one document (none where the request is about the patient alone).
struct Asking {
  const HomeCommunityId& home;
  Purpose purpose;
  Instant now;
  const DocumentFacts* document = nullptr;
};

/// What a consent says to it.
enum class Speech { Silent, Permit, Deny };
/// What makes the winning statement the narrow one it is: the gate that answers for it.
enum class Narrows { Nothing, Recipient, Class, Label };
struct Statement {
  Speech speech = Speech::Silent;
  Narrows narrows = Narrows::Nothing;  ///< of a deny
  const Provision* by = nullptr;       ///< the statement itself, which lives as long as the consent
};
/// Of a consent in force; silent where it is not.
/// @param label  demands a permit that names this label, a purpose and a recipient, by itself or by what it is an
///               exception to, and hears only denies that name the label or none; nothing: hears everything, a permit
///               that names labels where it covers all that the document is about
Statement statement_of(const Consent& consent, const Asking& asking, const Label* label);

/// Why a consent that concerns the matter grants nothing now, where that is so.
enum class Standing { InForce, Future, Expired, Revoked };
/// Of the statements of a consent that name this label or stand within what names it, for this purpose, recipient and
/// document, whatever the time. Nothing where there is none. A permit that opens nothing, not being understood or not
/// naming all that it must, is no last word while it is in force, and is one where it is revoked or out of its period:
/// it may take away, it never gives.
std::optional<Standing> standing_of(const Consent& consent, const Asking& asking, const Label& label);

/// What of a consent could never permit or forbid anything, in words for whoever saves it.
std::vector<std::string> idle_parts(const Provision& root);

}  // namespace policy
