#pragma once
// Names as they are compared: without case, diacritics and punctuation, given names under their other forms, and how
// far apart two words are. Pure; the tables are ours. What an agreement is worth is known to match.hpp.

#include "xca/hl7v3/person.hpp"

#include <string_view>

namespace gateway::patients {

using Words = std::vector<std::string>;

/// A name without case, Latin diacritics and punctuation, as words: `D'Ángelo-Müller` → `dangelo`, `muller`.
/// At most 256 octets are read.
Words name_words(std::string_view name);
/// Words in one: `de`, `la`, `cruz` → `delacruz`.
std::string joined(const Words& words, std::string_view between = {});

/// A name as it is compared.
struct FoldedName {
  Words family;        ///< without suffix
  Words given;         ///< all given names, first first, at most eight, without suffix
  std::string suffix;  ///< `jr`, `sr`, `ii`, `iii`, `iv`; empty for none and for titles
};
FoldedName folded(const xca::hl7v3::PersonName& name);

/// The given names that `given` may stand for: `bob` → `robert`, `alex` → `alexander`, `alexandra`; itself where the
/// table knows no fuller one.
Words full_names(const std::string& given);
/// Both stand for one given name: `bob` and `rob`, `kathryn` and `catherine`.
bool are_forms_of_one(const std::string& a, const std::string& b);
/// Whether people are known to bear this given name: two of those are two names, not one mistyped.
bool is_borne(const std::string& given);

/// Whether so many people bear this family name that name and birth date alone may be two persons'.
bool is_common_family(const std::string& family);

/// One letter more, less or other, or two neighbours exchanged.
bool is_one_typing_error(std::string_view a, std::string_view b);

}  // namespace gateway::patients
