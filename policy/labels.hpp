#pragma once
// Security labels of documents: which are known, which open only to a consent that names them, and what the law asks of
// whoever sends them on. Tables and pure functions. [HL7 DS4P; facts/fhir §12; design §4, sensitivity gate]

#include "base/ids.hpp"

#include <compare>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace policy {

/// A label by code system (OID) and code. Systems written as URLs are brought to their OID by `label`.
struct Label {
  std::string system, code;
  auto operator<=>(const Label&) const = default;
};
inline constexpr std::string_view confidentiality_system = "2.16.840.1.113883.5.25";
inline constexpr std::string_view act_code_system = "2.16.840.1.113883.5.4";

/// Of a code as a message or a document writes it: URLs and URNs of the two systems above become their OIDs, all else
/// is kept byte for byte.
Label label(std::string_view system, std::string_view code);
/// `R`, `42CFRPart2`, `2.25.7|X`: as commands and files say it; the system is named where the code alone is not one
/// of the shipped tables.
std::string word(const Label& label);
/// Reads what `word` writes. Nothing for a code without system that no shipped table has.
std::optional<Label> label_from_word(std::string_view word);
/// The URL FHIR knows a system by, where it is one of the two above; else `urn:oid:…`.
std::string fhir_system(std::string_view system);

/// A code that, found in a document, says that it bears a label.
struct Mark {
  base::Code code;
  Label label;
  bool operator==(const Mark&) const = default;
};

/// What a deployment and its clinic say of labels, beyond what ships.
struct LabelRules {
  std::set<Label> gated = {};       ///< also open only to a consent that names them
  std::set<Label> known = {};       ///< of code systems of the clinic's own: known, and open
  std::vector<Mark> marks = {};     ///< beside the shipped ones
  bool operator==(const LabelRules&) const = default;
};

enum class LabelKind {
  Open,     ///< known, needs no consent of its own
  Gated,    ///< opens only to a consent that names it
  Unknown,  ///< nobody here knows it: never opens but to a consent that names it
};
/// What the law gates no clinic opens: `known` never makes a shipped gated label open. [design §4: ceilings]
LabelKind kind_of(const Label& label, const LabelRules& rules);

/// The labels that ship as gated: 42 CFR Part 2, psychotherapy notes, confidentiality V. SUD counseling notes have no
/// label of their own in HL7's tables: a clinic gates one of its own, which a consent for 42CFRPart2 does not open.
std::span<const Label> shipped_gated();
/// Records of a substance use program: what leaves goes with the statement of 42 CFR §2.32.
bool is_part2(const Label& label);
/// The label that says so, and the one that asks the recipient not to disclose again without consent.
const Label& part2_label();
const Label& no_redisclosure_label();
/// The short form of the statement. [42 CFR §2.32(a)(2)]
inline constexpr std::string_view part2_statement =
    "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";

}  // namespace policy
