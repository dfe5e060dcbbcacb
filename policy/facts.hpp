#pragma once
// What a decision is made of: purposes, callers, clinics and choices, as plain values. Nothing here decides.

#include "base/time.hpp"
#include "policy/labels.hpp"

#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace policy {

using base::Code;
using base::HomeCommunityId;
using base::Instant;
using base::Result;

/// The seven purposes of the clinic's screens, in their order there. [design §4]
enum class Purpose : std::uint8_t {
  Treatment,
  Payment,
  Operations,
  PublicHealth,
  PatientRequest,
  Coverage,
  OtherAuthorization,
};
inline constexpr std::size_t purpose_count = 7;

/// `Treatment`, `Health Care Operations` …: as the screens say it.
std::string_view title(Purpose purpose) noexcept;
/// `treatment`, `operations`, `public-health` …: as commands and files say it.
std::string_view word(Purpose purpose) noexcept;
std::optional<Purpose> purpose_from_word(std::string_view word) noexcept;

/// A set of purposes. The empty set is a choice like any other.
class PurposeSet {
 public:
  constexpr PurposeSet() = default;
  constexpr PurposeSet(std::initializer_list<Purpose> purposes) {
    for (Purpose purpose : purposes) add(purpose);
  }
  static constexpr PurposeSet all() { return from_bits(127).value_or(PurposeSet{}); }
  /// From the stored number. Nothing for a number that is no set: an unreadable record decides nothing.
  static constexpr std::optional<PurposeSet> from_bits(std::int64_t bits) {
    if (bits < 0 || bits > 127) return std::nullopt;
    PurposeSet set;
    set.bits_ = static_cast<std::uint8_t>(bits);
    return set;
  }
  /// `treatment,payment`, `all` or `none`.
  static std::optional<PurposeSet> parse(std::string_view words);
  std::string words() const;  ///< as parse takes it; `none` for the empty set
  constexpr std::int64_t bits() const { return bits_; }
  constexpr bool contains(Purpose purpose) const { return (bits_ >> static_cast<unsigned>(purpose)) & 1u; }
  constexpr void add(Purpose purpose) {
    bits_ = static_cast<std::uint8_t>(bits_ | 1u << static_cast<unsigned>(purpose));
  }
  constexpr bool empty() const { return bits_ == 0; }
  std::vector<Purpose> members() const;
  bool operator==(const PurposeSet&) const = default;

 private:
  std::uint8_t bits_ = 0;
};

/// One pair (code system, code) and the purpose it names. [facts/query-exchange §5]
struct PurposeCode {
  std::string system, code;
  Purpose purpose;
};
/// The table shipped: NHIN, HL7 ActReason and TEFCA codes. "Other" has no published code: a deployment lists its own.
std::span<const PurposeCode> shipped_purpose_codes();

/// A directory entry of an organization, as far as a decision needs it. [facts/query-exchange §6.3]
struct Organization {
  HomeCommunityId home;
  std::string name;
  bool active = false;
  std::string implementer;                      ///< home of the managing implementer, itself for an implementer
  std::vector<HomeCommunityId> delegates = {};  ///< DOA: whom this principal lets ask in its name
  std::string version;                          ///< of the directory entry, for the record
  bool operator==(const Organization&) const = default;
};

/// An organization a message names, and what our directory knows of it.
struct NamedOrganization {
  std::string named;  ///< as the message wrote it, at most 128 characters
  std::optional<Organization> entry = {};
  bool is_ours = false;  ///< a community that is answered for here
};

/// Who asks, gathered from TLS, signatures, token and directory; claims and what became of them.
struct Caller {
  std::optional<std::string> tls_implementer = {};          ///< by our configuration, from the TLS client certificate
  std::optional<std::string> signer_implementer = {};       ///< from the certificate of the message signature
  std::optional<std::string> assertion_implementer = {};    ///< from the certificate of the assertion signature
  NamedOrganization home;                                   ///< SAML homeCommunityId: whom policy acts for
  std::optional<NamedOrganization> sender = {};             ///< XCPD sender's home
  std::optional<NamedOrganization> grantor = {};            ///< QueryAuthGrantor's principal
  bool demand_equal_sender = false;                         ///< partner setting: sender and home must be the same
  std::vector<Code> purposes = {};                          ///< every PurposeOfUse value of the token
  std::optional<base::Identifier> patient = {};             ///< resource-id: whom the token is about, where it says
  std::optional<std::string> authorization_reference = {};  ///< ACP, IACP or consent document id claimed
  std::string user = {};                                    ///< subject-id, for the record
  std::optional<std::string> own_staff = {};                ///< who of our own people asks; never from a message
};

/// What a clinic gates beyond its patients' choices. [design §4: party, class, sensitivity]
struct ClinicRules {
  bool readable = true;  ///< false: the stored rules could not be understood, and nothing is let go
  LabelRules labels = {};
  std::set<HomeCommunityId> refused = {};  ///< organizations that get nothing of this clinic
  /// Purposes for which only these document classes or types are shared; a purpose that is not here shares all.
  std::map<Purpose, std::vector<base::Code>> shared = {};
  bool part2_emergencies = false;  ///< a broken glass opens records of 42 CFR Part 2 too [§2.51]
  bool operator==(const ClinicRules&) const = default;
};

/// One clinic = tenant = home community, with its settings as they are now. [design §4]
struct Clinic {
  std::string id;
  HomeCommunityId home;
  std::string name;
  std::string time_zone;
  std::string assigning_authority;  ///< OID under which this clinic issues patient ids
  std::string repository_id;        ///< repositoryUniqueId of its documents
  PurposeSet defaults;
  std::string version;  ///< of these settings, for the record
  ClinicRules rules = {};
};

/// A patient's own set of purposes. It replaces the defaults entirely, also when it is empty.
struct PurposeChoice {
  PurposeSet purposes;
  std::string id;      ///< of the record
  std::string set_by;  ///< `patient` or `staff`
};

/// What is known of a patient's choice. Unreadable is not absent.
struct ChoiceFacts {
  bool readable = true;             ///< false: the record or the defaults could not be read or understood
  PurposeSet clinic_defaults = {};  ///< current, read together with the choice
  std::string clinic_version = {};
  std::optional<PurposeChoice> choice = {};  ///< nothing: the defaults count
};

}  // namespace policy
