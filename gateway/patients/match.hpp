#pragma once
// How well a record answers a query: pure scoring, and what the scores of all candidates together mean.
// [ITI TF-2 §3.55.4.2.2; facts/query-exchange §2.1, §2.3; design §4 "ambiguity"]
//
// | compared                    | agrees | nearly                                        | differs            |
// |-----------------------------|--------|-----------------------------------------------|--------------------|
// | family name                 | +25    | +20 one part of a double name                 | −15                |
// | given name                  | +25    | +15 initial, short form or another given name | −15, 79 at most    |
// | family and given exchanged  |        | +35 for both                                  |                    |
// | middle name, suffix         |        |                                               | −5, −10            |
// | birth date                  | +30    | +15 month or year known only, range to a year | never a match      |
// | gender                      | +5     |                                               | never (M against F)|
// | address                     | +10    | +5 city or postal code only                   | −5                 |
// | telephone, mail             | +5     |                                               | −5                 |
// | identifier of one root      | +30    | +10 last four of an SSN                       | −20                |
// Only what both sides know is compared. An identifier that agrees gives +20 for each of family, given name and birth
// date that the query does not send, so that an identifier alone scores 90. The sum is cut to 0–100.

#include "gateway/exchange/ports.hpp"

namespace gateway::patients {

using base::Identifier;
using xca::hl7v3::PatientQuery;
using xca::hl7v3::Person;
using xca::hl7v3::Wanted;

inline constexpr unsigned match_score = 80;    ///< at least: a match
inline constexpr unsigned weak_score = 50;     ///< at least: more data may make it one
inline constexpr unsigned margin = 10;         ///< within it of the best: may be the same person
inline constexpr std::size_t matches_max = 5;  ///< more that cannot be told apart are no match

/// What a record of ours knows.
struct Known {
  Person person;
  std::vector<Identifier> ids;
};

struct Score {
  unsigned points = 0;              ///< 0 also where birth date or gender contradict
  unsigned attainable = 0;          ///< if all that we know and the query did not send agreed
  std::vector<Wanted> unsent = {};  ///< of gender, address and telecom
};
Score score(const PatientQuery& query, const Known& known);

/// The verdict on all candidates: which are matches, or what would decide between them.
struct Ranking {
  std::vector<std::size_t> chosen = {};  ///< indices into the candidates, best first
  std::vector<Wanted> wanted = {};       ///< not empty: none of the chosen may be shown
};
Ranking rank(const std::vector<Known>& candidates, const std::vector<Score>& scores);

/// A name without case, Latin diacritics and punctuation, as words: `D'Ángelo-Müller` → `dangelo`, `muller`.
/// At most 256 octets are read.
std::vector<std::string> name_words(std::string_view name);
/// An identifier as it is compared: digits only under the SSN root, trimmed elsewhere; nothing for an empty one and for
/// numbers that stand for "unknown" (000-00-0000, 123-45-6789, one digit repeated).
std::optional<Identifier> comparable(const Identifier& id);

/// What a patient is stored under and found by.
struct Key {
  std::string kind;         ///< `fb` family + birth date, `gb` given + birth date
  std::string first, last;  ///< the same for an exact value, else a range
  bool operator==(const Key&) const = default;
};
std::vector<Key> keys_of(const Person& person);  ///< exact values only; without birth date found by name search alone
std::vector<Key> keys_sought(const PatientQuery& query);

}  // namespace gateway::patients
