#pragma once
// How well a record answers a query: pure scoring, and what the scores of all candidates together mean.
// [ITI TF-2 §3.55.4.2.2; facts/query-exchange §2.1, §2.3; design §4 "ambiguity"]
//
// | compared                    | agrees | nearly                                                 | differs          |
// |-----------------------------|--------|--------------------------------------------------------|------------------|
// | family name                 | +25    | +20 a part of a double name is left out                | −15              |
// |                             |        | +15 one typing error, +5 one part of two shared        |                  |
// | given name                  | +25    | +20 short form or other spelling (`given_names.cpp`)   | −15, never       |
// |                             |        | +15 another of their given names, alone                |                  |
// |                             |        | +15 one typing error that makes a name nobody bears    |                  |
// |                             |        | +15 another typing error, a beginning: doubt           |                  |
// |                             |        | +10 initial: doubt                                     |                  |
// | family and given exchanged  |        | +45 for both                                           |                  |
// | middle name                 | +5     |                                                        | −5, doubt        |
// | suffix (Jr and II are one)  |        |                                                        | −10, never       |
// | birth date                  | +30    | +15 month or year known only, range to a year          | nothing counts   |
// |                             |        | +15 month and day exchanged, or a typing error in them |                  |
// |                             |        | +15 typing error in the year: never*                   |                  |
// | gender                      | +5     |                                                        | −10, never*      |
// | address                     | +10    | +5 city or postal code only                            | −5               |
// | telephone, mail             | +10    |                                                        | doubt, together  |
// |                             |        |                     with another address and a family name that many bear |
// | identifier of one root      | +40    | +10 last four of an SSN                                | −20, never       |
// Only what both sides know is compared. *never*: 79 at most, so that nothing else makes it a match: brothers and
// sisters share birth date, family name, address and telephone, father and son the whole name. *doubt*: the same unless
// an identifier agrees, for which the last four do, or for a given name the middle name; never*: unless a whole
// identifier does. One that agrees gives +20 for each of family, given name and birth date that the query does not
// send, so that an identifier alone is enough. The sum is cut to 0–100.

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
  unsigned points = 0;              ///< 0 also where birth dates contradict
  unsigned attainable = 0;          ///< if all that we know and the query did not send agreed
  std::vector<Wanted> unsent = {};  ///< of gender, address and telecom
};
Score score(const PatientQuery& query, const Known& known);
/// The query that looks for just this person.
PatientQuery query_of(const Known& described);

/// The verdict on all candidates: which are matches, or what would decide between them. Several are chosen only where
/// nothing says that they are two persons.
struct Ranking {
  std::vector<std::size_t> chosen = {};  ///< indices into the candidates, best first
  std::vector<Wanted> wanted = {};       ///< not empty: none of the chosen may be shown
};
Ranking rank(const std::vector<Known>& candidates, const std::vector<Score>& scores);

/// An identifier as it is compared: digits only under the SSN root, trimmed elsewhere; nothing for an empty one and for
/// numbers that stand for "unknown" (000-00-0000, 123-45-6789, one digit repeated).
std::optional<Identifier> comparable(const Identifier& id);
inline constexpr std::string_view ssn_root = "2.16.840.1.113883.4.1";

}  // namespace gateway::patients
