#pragma once
// The values that lines of the decision corpus are made of: names, codes, labels, times and statements of consents, in
// near-English words. Nothing here decides. [policy/cases/README.md]

#include "policy/consent.hpp"
#include "policy/hie_consent.hpp"

namespace policy {

enum class CaseErrc { NotUnderstood = 1 };
boost::system::error_code make_error_code(CaseErrc) noexcept;

/// CaseErrc::NotUnderstood and a sentence that says what is wrong.
base::Error not_understood(std::string what);

/// The words of a text, without the blanks between them.
std::vector<std::string> words_of(std::string_view text);
/// Words with one blank between them.
std::string joined(std::span<const std::string> words);
/// `a, b`: what stands between commas. @error NotUnderstood where nothing stands there
Result<std::vector<std::string>> list_of(std::string_view text);

/// A name of 1 to 14 letters stands for the OID 2.999 and the numbers of its letters: different names, different OIDs.
/// @error NotUnderstood for any other name
Result<HomeCommunityId> organization_of(std::string_view name);
/// `Riverside, of Network, inactive, lets Lakeside ask`: a directory entry; `not listed`: none; `answered for here`.
/// The implementer is Network where none is said. @error NotUnderstood
Result<NamedOrganization> named_organization(std::string_view text);
/// `Hospital/A1`: assigning authority and id. @error NotUnderstood
Result<base::Identifier> identifier_of(std::string_view text);
/// As PurposeSet::parse, blanks allowed behind commas. @error NotUnderstood
Result<PurposeSet> purposes_of(std::string_view text);
/// A time with its offset. @error NotUnderstood
Result<Instant> instant_of(std::string_view text);
/// `34133-9`, a LOINC code, or `TREAT of act-reason`; several between commas. @error NotUnderstood
Result<std::vector<Code>> codes_of(std::string_view text);
/// As commands write them, between commas. @error NotUnderstood
Result<std::vector<Label>> labels_of(std::string_view text);
/// `permits labels SUD to Riverside for treatment from … until …`: clauses in any order, each once.
/// @error NotUnderstood
Result<Provision> statement_in(std::span<const std::string> words);
/// `given TIME`, behind it any of `expires TIME`, `by default` (patient, staff), `entered before` (the person had been:
/// such a row does not count), each once; or `revoked TIME`. It has no id. @error NotUnderstood
Result<HieConsent> hie_consent_of(std::string_view text);

}  // namespace policy

namespace boost::system {
template <>
struct is_error_code_enum<policy::CaseErrc> : std::true_type {};
}  // namespace boost::system
