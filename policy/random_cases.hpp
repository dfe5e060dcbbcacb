#pragma once
// Cases drawn at random for tests: few organizations, labels and instants, so that they meet often. Every draw follows
// from the seed. Test support: nothing of the program includes it.

#include "policy/cases.hpp"

#include <cstdlib>
#include <random>

namespace policy::random {

/// GATEHOUSE_SEED of the environment, else the one given: tests print what they ran with.
inline std::uint64_t seed(std::uint64_t otherwise) {
  const char* text = std::getenv("GATEHOUSE_SEED");
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

inline HomeCommunityId home(std::string_view oid) { return HomeCommunityId::parse(oid).value(); }
/// One of nine instants, a microsecond apart: bounds are met exactly as often as missed.
inline Instant instant(std::int64_t number) { return base::from_micros(1'767'225'600'000'000 + number); }

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_() % end); }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <class List>
  const auto& of(const List& list) {
    return list[below(std::size(list))];
  }
  template <class List>
  void shuffle(List& list) {
    for (std::size_t left = list.size(); left > 1; --left) std::swap(list[left - 1], list[below(left)]);
  }

  PurposeSet purposes() { return PurposeSet::from_bits(static_cast<std::int64_t>(below(128))).value_or(PurposeSet{}); }
  Instant time() { return instant(static_cast<std::int64_t>(below(9))); }
  Period period(unsigned percent) {
    Period period;
    if (chance(percent)) period.from = time();
    if (chance(percent)) period.to = time();
    return period;
  }
  Label label() {
    static const Label labels[] = {
        {std::string(confidentiality_system), "V"}, {std::string(confidentiality_system), "R"},
        {std::string(confidentiality_system), "N"}, {std::string(act_code_system), "42CFRPart2"},
        {std::string(act_code_system), "SUD"},      {std::string(act_code_system), "PSYTHPN"},
        {std::string(act_code_system), "HIV"},      {std::string(act_code_system), "NORDSCLCD"},
        {"2.25.7", "X"}};
    return focus_ && chance(60) ? *focus_ : of(labels);
  }
  std::vector<Label> labels(std::size_t most) {
    std::vector<Label> drawn;
    for (auto left = below(most + 1); left > 0; --left) drawn.push_back(label());
    return drawn;
  }
  Code code() {
    static const Code codes[] = {{"34133-9", "loinc", ""}, {"18842-5", "loinc", ""}, {"34133-9", "local", ""}};
    return of(codes);
  }
  std::vector<Code> codes(std::size_t most) {
    std::vector<Code> drawn;
    for (auto left = below(most + 1); left > 0; --left) drawn.push_back(code());
    return drawn;
  }
  std::string document_id() { return "D" + std::to_string(1 + below(3)); }
  HomeCommunityId organization() { return home("2.999." + std::to_string(1 + below(3))); }

  /// @param depth  how many exceptions may stand within each other
  Provision provision(int depth = 3) {
    Provision drawn{.permits = chance(70), .period = period(15)};
    if (chance(15)) drawn.recipients.emplace_back(organization());
    if (chance(10)) {
      drawn.recipients.emplace_back(chance(60) ? RecipientClass::TreatingProviders : RecipientClass::HealthPlans);
    }
    if (chance(20)) drawn.purposes = purposes();
    if (chance(35)) {  // names a recipient and a purpose
      drawn.recipients.emplace_back(organization());
      if (chance(70)) drawn.recipients.emplace_back(home("2.999.1"));
      drawn.recipients.emplace_back(chance(70) ? RecipientClass::TreatingProviders : RecipientClass::HealthPlans);
      drawn.purposes = PurposeSet::all();
    }
    if (chance(60)) drawn.labels = labels(4);
    if (chance(10)) drawn.classes = codes(2);
    if (chance(10)) drawn.documents.push_back(document_id());
    if (chance(8)) drawn.data = period(70);
    drawn.understood = !chance(4);
    if (depth > 0 && chance(45)) {
      for (auto left = below(3); left > 0; --left) drawn.exceptions.push_back(provision(depth - 1));
    }
    return drawn;
  }
  Consent consent(std::size_t number) {
    static const ConsentStatus statuses[] = {ConsentStatus::Active,   ConsentStatus::Active, ConsentStatus::Active,
                                             ConsentStatus::Active,   ConsentStatus::Active, ConsentStatus::Revoked,
                                             ConsentStatus::Proposed, ConsentStatus::EnteredInError};
    return {.id = "C" + std::to_string(number), .status = of(statuses), .root = provision()};
  }
  DocumentFacts document() {
    DocumentFacts drawn{.unique_id = document_id(), .labels = labels(3), .classes = codes(2), .service = period(80)};
    if (drawn.service.from && drawn.service.to && *drawn.service.to < *drawn.service.from)
      std::swap(drawn.service.from, drawn.service.to);
    drawn.readable = !chance(2);
    return drawn;
  }

  NamedOrganization named(const HomeCommunityId& who) {
    Organization entry{.home = who, .name = "Test", .active = !chance(3), .implementer = chance(3) ? "2.5.2" : "2.5.1",
                       .version = "1"};
    if (chance(75)) entry.delegates.push_back(organization());
    NamedOrganization named{.named = who.urn(), .is_ours = chance(6)};
    if (!chance(3)) named.entry = std::move(entry);
    return named;
  }
  Caller caller() {
    Caller drawn;
    const auto certificate = [&]() -> std::optional<std::string> {
      if (chance(1)) return std::nullopt;
      return chance(2) ? "2.5.2" : "2.5.1";
    };
    drawn.tls_implementer = certificate();
    drawn.signer_implementer = certificate();
    drawn.assertion_implementer = certificate();
    drawn.home = named(organization());
    if (chance(20)) drawn.sender = named(organization());
    if (chance(10)) drawn.grantor = named(organization());
    drawn.demand_equal_sender = chance(10);
    if (!chance(2)) {
      do {
        const PurposeCode& row = of(shipped_purpose_codes());
        drawn.purposes.push_back({row.code, chance(1) ? "2.5" : row.system, {}});
      } while (chance(25));
    }
    if (chance(20)) drawn.patient = base::Identifier{"2.5.7", chance(50) ? "A" : "B"};
    if (chance(80)) drawn.authorization_reference = "urn:oid:2.5.9";
    if (chance(30)) drawn.own_staff = chance(70) ? "ruth" : "otto";
    return drawn;
  }

  Case any_case() {
    focus_.reset();
    focus_ = label();
    Case drawn;
    drawn.caller = caller();
    drawn.rules.purpose_codes.assign(shipped_purpose_codes().begin(), shipped_purpose_codes().end());
    if (chance(5)) drawn.rules.supported = purposes();
    drawn.terms.now = time();
    ClinicRules& rules = drawn.terms.rules;
    rules.readable = !chance(2);
    if (chance(10)) rules.labels.gated.insert(label());
    if (chance(10)) rules.labels.known.insert(label());
    if (chance(8)) rules.refused.insert(organization());
    if (chance(10)) rules.shared[static_cast<Purpose>(below(purpose_count))] = codes(2);
    rules.part2_emergencies = chance(50);
    drawn.choice.readable = !chance(2);
    drawn.choice.clinic_defaults = chance(80) ? PurposeSet::all() : purposes();
    if (chance(25)) {
      drawn.choice.choice = PurposeChoice{chance(70) ? PurposeSet::all() : purposes(), "choice", "patient"};
    }
    if (chance(50)) drawn.patient_ids.push_back({chance(80) ? "2.5.7" : "2.5.8", chance(70) ? "A" : "B"});
    drawn.consents.readable = !chance(2);
    const auto consents = below(4);
    for (std::size_t number = 1; number <= consents; ++number) drawn.consents.consents.push_back(consent(number));
    for (auto grants = chance(20) ? 1 + below(2) : 0; grants > 0; --grants) {
      drawn.consents.grants.push_back(
          {.id = "G" + std::to_string(grants), .user = chance(70) ? "ruth" : "otto", .period = period(80)});
    }
    if (chance(85)) drawn.document = document();
    return drawn;
  }

 private:
  std::mt19937_64 random_;
  std::optional<Label> focus_ = {};  ///< what a case is mostly about
};

/// What a case says, for whoever reads that a test failed.
inline std::string text_of(const Provision& provision, const std::string& indent = "  ") {
  const auto time = [](const std::optional<Instant>& at) {
    return at ? std::to_string(base::to_micros(*at) - base::to_micros(instant(0))) : std::string("-");
  };
  std::string text = indent + (provision.permits ? "permits" : "denies") + " [" + time(provision.period.from) + "," +
                     time(provision.period.to) + ")";
  for (const Label& one : provision.labels) text += " label " + word(one);
  for (const Code& one : provision.classes) text += " code " + one.code + " of " + one.system;
  for (const std::string& one : provision.documents) text += " document " + one;
  for (const Recipient& one : provision.recipients) {
    const auto* organization = std::get_if<HomeCommunityId>(&one.who);
    text += " to " + (organization ? organization->dotted() : std::string(word(std::get<RecipientClass>(one.who))));
  }
  if (provision.purposes) text += " for " + provision.purposes->words();
  if (provision.data.limits()) text += " data [" + time(provision.data.from) + "," + time(provision.data.to) + ")";
  if (!provision.understood) text += " unclear";
  text += "\n";
  for (const Provision& one : provision.exceptions) text += text_of(one, indent + "  ");
  return text;
}
inline std::string text_of(const Case& one) {
  std::string text = "now " + std::to_string(base::to_micros(one.terms.now) - base::to_micros(instant(0))) + ", home " +
                     one.caller.home.named;
  for (const Code& purpose : one.caller.purposes) text += ", " + purpose.code;
  text += "\n";
  if (one.document) {
    text += "document " + one.document->unique_id;
    for (const Label& label : one.document->labels) text += " " + word(label);
    for (const Code& code : one.document->classes) text += " " + code.code + " of " + code.system;
    text += "\n";
  }
  for (const Consent& consent : one.consents.consents)
    text += consent.id + " " + std::string(word(consent.status)) + "\n" + text_of(consent.root);
  return text;
}

}  // namespace policy::random
