#include "gateway/patients/match.hpp"

#include "gateway/patients/names.hpp"

#include <algorithm>
#include <set>

namespace gateway::patients {
namespace {

using xca::hl7v3::Address;
using xca::hl7v3::PersonName;

constexpr std::size_t id_octets_max = 256;
constexpr std::size_t names_sought_max = 10;
constexpr std::size_t day_digits = 8, year_digits = 4;

/// Points, and what the difference found takes away: a doubt is one that an identifier outweighs.
struct Points {
  int sum = 0;
  bool contradicts = false, doubt = false;
  bool common = false;  ///< a name that many bear, and no middle name that agrees
};

// ------------------------------------------------------------------ names

bool is_particle(const std::string& word) {
  constexpr std::string_view particles[] = {"al", "bin", "da", "de", "del", "den", "der", "di",  "do", "dos",
                                            "du", "el",  "la", "las", "le", "los", "san", "van", "von"};
  return std::ranges::find(particles, word) != std::end(particles);
}

/// The words of a family name that say something.
std::set<std::string> telling_words(const Words& words) {
  std::set<std::string> telling;
  std::ranges::copy_if(words, std::inserter(telling, telling.end()),
                       [](const auto& word) { return !is_particle(word); });
  return telling.empty() ? std::set(words.begin(), words.end()) : telling;
}

int family_points(const Words& sought, const Words& known) {
  if (sought.empty() || known.empty()) return 0;
  const auto whole_sought = joined(sought), whole_known = joined(known);
  if (whole_sought == whole_known) return 25;
  const auto a = telling_words(sought), b = telling_words(known);
  if (std::ranges::includes(a, b) || std::ranges::includes(b, a)) return 20;
  const bool long_enough = std::min(whole_sought.size(), whole_known.size()) >= 4;
  if (long_enough && is_one_typing_error(whole_sought, whole_known)) return 15;
  return std::ranges::any_of(a, [&](const auto& word) { return b.contains(word); }) ? 5 : -15;
}

/// One given name against another. What may as well be a brother's or sister's name is a doubt or a contradiction.
Points given_word_points(const std::string& a, const std::string& b) {
  if (a == b) return {25};
  const auto& [shorter, longer] = a.size() < b.size() ? std::tie(a, b) : std::tie(b, a);
  if (shorter.size() == 1) return longer.starts_with(shorter) ? Points{10, false, true} : Points{-15, true};
  if (are_forms_of_one(a, b)) return {20};
  const bool mistyped = shorter.size() >= 4 && a.front() == b.front() && is_one_typing_error(a, b);
  if (mistyped && is_borne(a) != is_borne(b)) return {15};
  if (is_borne(a) && is_borne(b)) return {-15, true};
  if (mistyped || (shorter.size() >= 3 && longer.starts_with(shorter))) return {15, false, true};
  return {-15, true};
}

/// Middle names agree where one of each side may be the other; nothing is said where a side has none.
Points middle_points(const Words& sought, const Words& known) {
  if (sought.size() < 2 || known.size() < 2) return {};
  bool may_agree = false;
  for (auto a = sought.begin() + 1; a != sought.end(); ++a) {
    for (auto b = known.begin() + 1; b != known.end(); ++b) {
      if (*a == *b && a->size() > 1) return {5};
      may_agree |= !given_word_points(*a, *b).contradicts;
    }
  }
  return may_agree ? Points{} : Points{-5, false, true};
}

/// One side gives a name alone that is among the other's.
bool goes_by_another(const Words& sought, const Words& known) {
  const auto is_among = [](const Words& alone, const Words& names) {
    return alone.size() == 1 && alone.front().size() > 1 && std::ranges::find(names, alone.front()) != names.end();
  };
  if (is_among(sought, known) || is_among(known, sought)) return true;
  const std::set<std::string> a(sought.begin(), sought.end()), b(known.begin(), known.end());
  return a == b;
}

bool middle_names_agree(const Words& sought, const Words& known) {
  return sought.size() > 1 && known.size() > 1 && !middle_points(sought, known).doubt;
}

Points given_points(const Words& sought, const Words& known) {
  if (sought.empty() || known.empty()) return {};
  if (joined(sought) == joined(known)) return {sought.size() > 1 && known.size() > 1 ? 30 : 25};
  auto points = given_word_points(sought.front(), known.front());
  if (points.contradicts || points.doubt) {
    const auto first_two = [](const Words& words) { return words.size() < 2 ? std::string() : words[0] + words[1]; };
    if (first_two(sought) == known.front() || first_two(known) == sought.front()) return {25};
    if (points.contradicts && goes_by_another(sought, known)) return {15};
  }
  const auto middle = middle_points(sought, known);
  points.sum += middle.sum;
  points.doubt = middle.doubt || (points.doubt && middle.sum <= 0);  // brothers and sisters share no middle name
  return points;
}

/// Jr and II are written for each other; any other two tell father and son apart.
bool suffixes_differ(const std::string& a, const std::string& b) {
  const auto is_second = [](const std::string& suffix) { return suffix == "jr" || suffix == "ii"; };
  return !a.empty() && !b.empty() && a != b && !(is_second(a) && is_second(b));
}

Points name_points(const FoldedName& sought, const FoldedName& known) {
  const bool differ = suffixes_differ(sought.suffix, known.suffix);
  const int for_suffix = differ ? -10 : 0;
  const auto is = [](const Words& family, const Words& given) {
    return !family.empty() && !given.empty() &&
           (joined(family) == joined(given) || joined(family) == given.front() ||
            (family.size() == 1 && are_forms_of_one(family.front(), given.front())));
  };
  if (is(sought.family, known.given) && is(known.family, sought.given)) return {45 + for_suffix, differ};
  auto points = given_points(sought.given, known.given);
  points.sum += family_points(sought.family, known.family) + for_suffix;
  points.contradicts |= differ;
  points.common = is_common_family(joined(known.family)) && !middle_names_agree(sought.given, known.given);
  return points;
}

Points best_name(const std::vector<PersonName>& sought, const std::vector<PersonName>& known) {
  std::vector<FoldedName> ours;
  for (const auto& name : known) ours.push_back(folded(name));
  std::optional<Points> best;
  for (std::size_t i = 0; i < std::min(sought.size(), names_sought_max); ++i) {
    const auto theirs = folded(sought[i]);
    for (const auto& name : ours) {
      const auto points = name_points(theirs, name);
      const auto rank = [](const Points& p) { return std::tuple(!p.contradicts, !p.doubt, p.sum); };
      if (!best || rank(points) > rank(*best)) best = points;
    }
  }
  return best.value_or(Points{});
}

bool sends_family(const PatientQuery& query) {
  return std::ranges::any_of(query.sought.names, [](const auto& name) { return !name_words(name.family).empty(); });
}
bool sends_given(const PatientQuery& query) {
  return std::ranges::any_of(query.sought.names, [](const auto& name) { return !folded(name).given.empty(); });
}

// ------------------------------------------------------------------ dates, gender, address, telecom, ids

/// `YYYYMMDD` of the first or last day that a shorter date may mean.
std::string padded(const std::string& date, std::string_view with) {
  return date.size() >= day_digits ? date.substr(0, day_digits) : date + std::string(with.substr(date.size()));
}
constexpr std::string_view first_day = "00000101", last_day = "99991231";

bool within_a_year(const xca::hl7v3::BirthDates& dates) {
  return dates.first.size() == day_digits && dates.last.size() == day_digits &&
         std::stoll(dates.last) - std::stoll(dates.first) <= 10000;  // one more in the digit of the year
}

/// Month and day exchanged, or one typing error: within month and day alone for one person of one household, in the
/// year perhaps for father and son.
std::optional<Points> nearly_birth_points(std::string_view sought, std::string_view known) {
  const auto year = sought.substr(0, year_digits), day = sought.substr(year_digits);
  const auto known_day = known.substr(year_digits);
  if (year == known.substr(0, year_digits)) {
    const bool exchanged = day.substr(0, 2) == known_day.substr(2) && day.substr(2) == known_day.substr(0, 2);
    if (exchanged || is_one_typing_error(day, known_day)) return Points{15};
    return std::nullopt;
  }
  if (sought.size() == known.size() && is_one_typing_error(sought, known)) return Points{15, false, true};
  return std::nullopt;
}

/// @return nothing where birth dates contradict
std::optional<Points> birth_points(const std::optional<xca::hl7v3::BirthDates>& sought, const std::string& known) {
  if (!sought || known.empty()) return Points{};
  const auto first = padded(known, first_day), last = padded(known, last_day);
  const bool exact = sought->exact() && known.size() >= day_digits;
  if (last < sought->first || sought->last < first) {
    return exact ? nearly_birth_points(sought->first, first) : std::nullopt;
  }
  if (exact) return Points{30};
  return Points{within_a_year(*sought) && known.size() >= year_digits ? 15 : 0};
}

bool is_sex(const std::string& gender) { return gender == "M" || gender == "F"; }

std::string digits_of(std::string_view text) {
  std::string digits;
  std::ranges::copy_if(text, std::back_inserter(digits), [](char c) { return c >= '0' && c <= '9'; });
  return digits;
}

/// Street words under one spelling each: what a form, a clerk and a postal service write.
std::string street_word(const std::string& word) {
  constexpr std::pair<std::string_view, std::string_view> spellings[] = {
      {"street", "st"},   {"avenue", "ave"},    {"av", "ave"},         {"road", "rd"},  {"lane", "ln"},
      {"court", "ct"},    {"drive", "dr"},      {"boulevard", "blvd"}, {"place", "pl"}, {"square", "sq"},
      {"highway", "hwy"}, {"apartment", "apt"}, {"north", "n"},        {"south", "s"},  {"east", "e"},
      {"west", "w"},      {"suite", "ste"},     {"unit", "apt"}};
  const auto found = std::ranges::find(spellings, word, [](const auto& row) { return row.first; });
  return found == std::end(spellings) ? word : std::string(found->second);
}

/// House number and street of the first line that has letters and digits; flats are left out: half the forms lack them.
std::string street(const Address& address) {
  Words all;
  for (const auto& line : address.lines) {
    for (const auto& word : name_words(line)) all.push_back(street_word(word));
    if (all.size() >= 16) break;
  }
  for (const std::string_view flat : {"apt", "ste"}) {
    const auto at = std::ranges::find(all, flat);
    if (at != all.end() && at != all.begin()) all.erase(at, at + std::min<std::ptrdiff_t>(2, all.end() - at));
  }
  return joined(all, " ");
}

std::string postal(const Address& address) { return joined(name_words(address.postal_code)).substr(0, 5); }
std::string city(const Address& address) { return joined(name_words(address.city)); }
bool says_nothing(const Address& address) {
  return street(address).empty() && postal(address).empty() && city(address).empty();
}

int address_points(const Address& sought, const Address& known) {
  const auto same = [&](auto part) { return !part(sought).empty() && part(sought) == part(known); };
  const bool same_place = same(postal) || same(city);
  if (same(street) && (same_place || (postal(sought).empty() && city(sought).empty()))) return 10;
  return street(sought).empty() && same_place ? 5 : -5;
}

/// A telephone by its last ten digits, mail in lower case; empty for anything else.
std::string telecom(const std::string& uri) {
  if (uri.starts_with("mailto:")) {
    std::string mail = uri.substr(7);
    std::ranges::transform(mail, mail.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return mail;
  }
  const auto digits = digits_of(uri);
  if (digits.size() < 7) return {};
  return digits.size() > 10 ? digits.substr(digits.size() - 10) : digits;
}
bool is_mail(const std::string& telecom) { return telecom.find('@') != std::string::npos; }

/// @return nothing where neither says anything about the other
std::optional<bool> telecoms_agree(const std::vector<std::string>& sought, const std::vector<std::string>& known) {
  std::optional<bool> agree;
  for (const auto& a : sought) {
    for (const auto& b : known) {
      const auto left = telecom(a), right = telecom(b);
      if (left.empty() || right.empty() || is_mail(left) != is_mail(right)) continue;
      if (left == right) return true;
      agree = false;
    }
  }
  return agree;
}

enum class Ids { Unknown, Agree, LastFour, Differ };

/// The best that one identifier sought says. An unknown root says nothing.
Ids compare_id(const Identifier& sought, const std::vector<Identifier>& known) {
  Ids result = Ids::Unknown;
  for (const auto& raw : known) {
    const auto id = comparable(raw);
    if (!id || id->root != sought.root) continue;
    if (id->extension == sought.extension) return Ids::Agree;
    const bool last_four = sought.root == ssn_root && std::min(id->extension.size(), sought.extension.size()) == 4 &&
                           (id->extension.ends_with(sought.extension) || sought.extension.ends_with(id->extension));
    if (last_four) result = Ids::LastFour;
    if (result == Ids::Unknown) result = Ids::Differ;
  }
  return result;
}

struct IdPoints {
  int sum = 0;
  bool agree = false, last_four = false, differ = false;
};
IdPoints id_points(const PatientQuery& query, const Known& known) {
  IdPoints points;
  for (const auto& raw : query.ids) {
    const auto sought = comparable(raw);
    const auto found = sought ? compare_id(*sought, known.ids) : Ids::Unknown;
    points.agree |= found == Ids::Agree;
    points.last_four |= found == Ids::LastFour;
    points.differ |= found == Ids::Differ;
  }
  points.sum = (points.agree ? 40 : points.last_four ? 10 : 0) - (points.differ ? 20 : 0);
  return points;
}

// ------------------------------------------------------------------ what is not sent

bool sends_address(const PatientQuery& query) { return !std::ranges::all_of(query.sought.addresses, says_nothing); }
bool sends_telecom(const PatientQuery& query) {
  return std::ranges::any_of(query.sought.telecoms, [](const auto& uri) { return !telecom(uri).empty(); });
}

std::vector<Wanted> unsent(const PatientQuery& query, const Person& known) {
  std::vector<Wanted> wanted;
  if (query.sought.gender.empty() && is_sex(known.gender)) wanted.push_back(Wanted::Gender);
  if (!sends_address(query) && !std::ranges::all_of(known.addresses, says_nothing)) wanted.push_back(Wanted::Address);
  const bool reachable = std::ranges::any_of(known.telecoms, [](const auto& uri) { return !telecom(uri).empty(); });
  if (!sends_telecom(query) && reachable) wanted.push_back(Wanted::Telecom);
  return wanted;
}

constexpr int gender_agrees = 5, address_agrees = 10, telecom_agrees = 10;
int worth(Wanted wanted) {
  switch (wanted) {
    case Wanted::Gender: return gender_agrees;
    case Wanted::Address: return address_agrees;
    case Wanted::Telecom: return telecom_agrees;
    default: return 0;
  }
}

unsigned cut(int points) { return static_cast<unsigned>(std::clamp(points, 0, 100)); }

/// What a record holds of one kind of data, as it would be compared: equal values tell nobody apart.
std::string value_of(const Person& person, Wanted wanted) {
  switch (wanted) {
    case Wanted::Gender: return person.gender;
    case Wanted::Address:
      return person.addresses.empty() ? "" : street(person.addresses[0]) + "|" + city(person.addresses[0]);
    case Wanted::Telecom: return person.telecoms.empty() ? "" : telecom(person.telecoms[0]);
    default: return {};
  }
}

/// What more would tell several candidates apart, in the order of Wanted.
std::vector<Wanted> distinguishing(const std::vector<std::size_t>& rivals, const std::vector<Known>& candidates,
                                   const std::vector<Score>& scores) {
  std::vector<Wanted> wanted;
  for (const Wanted kind : {Wanted::Gender, Wanted::Address, Wanted::Telecom}) {
    bool sent = true;
    std::set<std::string> values;
    for (const auto index : rivals) {
      sent &= std::ranges::find(scores[index].unsent, kind) == scores[index].unsent.end();
      values.insert(value_of(candidates[index].person, kind));
    }
    if (!sent && values.size() > 1) wanted.push_back(kind);
  }
  return wanted;
}

/// Records that would not match each other are two persons, whatever the query leaves open.
bool are_two_persons(const Known& a, const Known& b) {
  auto query = query_of(a);
  std::erase_if(query.ids, [](const auto& id) { return id.root != ssn_root; });
  return score(query, b).points < match_score;
}

}  // namespace

std::optional<Identifier> comparable(const Identifier& id) {
  Identifier result{.root = std::string(base::trim(id.root)), .extension = std::string(base::trim(id.extension))};
  if (result.root == ssn_root) {
    result.extension = digits_of(result.extension);
    const bool one_digit = result.extension.find_first_not_of(result.extension.substr(0, 1)) == std::string::npos;
    if (one_digit || result.extension == "123456789" || result.extension == "987654321") return std::nullopt;
  }
  if (result.root.empty() || result.extension.empty() || result.extension.size() > id_octets_max) return std::nullopt;
  return result;
}

PatientQuery query_of(const Known& described) {
  PatientQuery query;
  query.sought = described.person;
  query.ids = described.ids;
  const auto& date = described.person.birth_date;
  if (date.size() >= year_digits && date.size() <= day_digits) {
    query.birth = xca::hl7v3::BirthDates{.first = padded(date, first_day), .last = padded(date, last_day)};
  }
  return query;
}

Score score(const PatientQuery& query, const Known& known) {
  const auto birth = birth_points(query.birth, known.person.birth_date);
  if (!birth) return {};
  const auto name = best_name(query.sought.names, known.person.names);
  const auto ids = id_points(query, known);
  int sum = name.sum + birth->sum + ids.sum;
  if (ids.agree) sum += 20 * (!sends_family(query) + !sends_given(query) + !query.birth.has_value());

  const bool both_sexes = is_sex(query.sought.gender) && is_sex(known.person.gender);
  const bool genders_contradict = both_sexes && query.sought.gender != known.person.gender;
  if (both_sexes) sum += genders_contradict ? -10 : gender_agrees;
  bool moved = false;
  if (sends_address(query) && !std::ranges::all_of(known.person.addresses, says_nothing)) {
    int best = -5;
    for (const auto& sought : query.sought.addresses) {
      for (const auto& address : known.person.addresses) {
        if (!says_nothing(sought)) best = std::max(best, address_points(sought, address));
      }
    }
    sum += best;
    moved = best < 0;
  }
  const auto telecoms = telecoms_agree(query.sought.telecoms, known.person.telecoms);
  if (telecoms.value_or(false)) sum += telecom_agrees;
  const bool namesake = name.common && moved && !telecoms.value_or(true);

  Score result{.unsent = unsent(query, known.person)};
  int attainable = sum;
  for (const Wanted wanted : result.unsent) attainable += worth(wanted);
  const bool doubtful = (name.doubt || namesake) && !ids.agree && !ids.last_four;
  const bool contradict = (birth->doubt || genders_contradict) && !ids.agree;
  const bool never = name.contradicts || ids.differ || doubtful || contradict;
  const unsigned most = never ? match_score - 1 : 100;
  result.points = std::min(cut(sum), most);
  result.attainable = std::min(cut(attainable), most);
  return result;
}

Ranking rank(const std::vector<Known>& candidates, const std::vector<Score>& scores) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool may_match = scores[i].points >= match_score;
    if (may_match || (scores[i].points >= weak_score && scores[i].attainable >= match_score)) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a].points > scores[b].points; });
  if (order.empty()) return {};

  const unsigned best = scores[order.front()].points;
  std::erase_if(order, [&](auto i) { return scores[i].points + margin < best; });
  if (best < match_score) {
    Ranking weak{.chosen = order};
    for (const Wanted kind : {Wanted::Gender, Wanted::Address, Wanted::Telecom}) {
      const auto lacks = [&](auto i) { return std::ranges::find(scores[i].unsent, kind) != scores[i].unsent.end(); };
      if (std::ranges::any_of(order, lacks)) weak.wanted.push_back(kind);
    }
    return weak;
  }
  if (order.size() > 1) {
    auto wanted = distinguishing(order, candidates, scores);
    if (!wanted.empty()) return {.chosen = std::move(order), .wanted = std::move(wanted)};
    std::erase_if(order, [&](auto i) { return scores[i].points < match_score; });
  }
  if (order.size() > matches_max) return {};
  for (std::size_t i = 1; i < order.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (are_two_persons(candidates[order[i]], candidates[order[j]])) return {};
    }
  }
  return {.chosen = std::move(order)};
}

}  // namespace gateway::patients
