#pragma once
// What a patient is stored under and found by. As few keys as find every record that can score a match: two persons who
// agree in birth date and in either name, or in both names and the year, or in an identifier. Pure.
//
// | kind | value                                   | finds                                                        |
// |------|-----------------------------------------|--------------------------------------------------------------|
// | F    | family name, birth date                 | any given name: typing errors, initials, another given name  |
// | G    | full given name, birth date             | any family name: typing errors, marriage, names exchanged    |
// | Y    | family name, full given name, year      | month and day exchanged or mistyped; dates of which we or the |
// |      |                                         | query know the year only                                     |
// | I    | root, extension                         | identifiers: record numbers, SSN                             |
// The year mistyped is a match only with an identifier, which finds the record by itself.

#include "gateway/patients/match.hpp"
#include "gateway/patients/names.hpp"

namespace gateway::patients {

/// Goes up with every change of what keys_of gives: records stored under other rules are stored anew (`db migrate`).
inline constexpr std::int64_t key_rules = 1;

struct Key {
  char kind = 'F';
  std::string value;
  auto operator<=>(const Key&) const = default;
};
/// @param known  with the record number among its ids
std::vector<Key> keys_of(const Known& known);
/// At most 48; none where nothing the query names could score a match: a surname and a year.
std::vector<Key> keys_sought(const PatientQuery& query);
/// A key as it is stored. Two keys of one number only bring a candidate more, whom its score rules out.
std::int64_t number_of(const Key& key);

/// What staff search by, beginnings of words: names, the birth date (`19700615`), identifiers as `#extension`.
Words search_words(const Known& known);

/// Who a query asks for, whatever else it says: what a partner's budget counts. [threats S07]
exchange::Asked asked_for(const PatientQuery& query);

}  // namespace gateway::patients
