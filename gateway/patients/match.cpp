#include "gateway/patients/match.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace gateway::patients {
namespace {

using xca::hl7v3::Address;
using xca::hl7v3::PersonName;

constexpr std::string_view ssn_root = "2.16.840.1.113883.4.1";
constexpr std::size_t name_octets_max = 256;
constexpr std::size_t names_sought_max = 10;
constexpr std::size_t day_digits = 8;

// ------------------------------------------------------------------ names

/// One base letter for each code point from U+00C0 and from U+1E00 on; `*` where two letters stand for it.
constexpr std::string_view latin_from_c0 =
    "aaaaaa*ceeeeiiiidnooooo ouuuuy**aaaaaa*ceeeeiiiidnooooo "
    "ouuuuy*yaaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii**"
    "jjkkkllllllllllnnnnnnnnnoooooo**rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
constexpr std::string_view latin_from_1e00 =
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrsssssssssstttttttt"
    "uuuu"
    "uuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwyasss*"
    "daaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuu"
    "uuuuuyyyyyyyyllvvyy";
static_assert(latin_from_c0.size() == 0x180 - 0xC0 && latin_from_1e00.size() == 0x100);

struct TwoLetters {
  char32_t letter;
  std::string_view letters;
};
constexpr TwoLetters two_letters[] = {{0xC6, "ae"},  {0xE6, "ae"},  {0xDE, "th"},  {0xFE, "th"},  {0xDF, "ss"},
                                      {0x132, "ij"}, {0x133, "ij"}, {0x152, "oe"}, {0x153, "oe"}, {0x1E9E, "ss"}};

/// The next code point of well-formed UTF-8; one octet of what is not.
char32_t take_letter(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t letter = size == 1 ? first : first & (0xFFu >> (size + 1));
  if (text.size() < size) {
    text = {};
    return ' ';
  }
  for (std::size_t i = 1; i < size; ++i) letter = letter << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  text.remove_prefix(size);
  return letter;
}

bool is_combining_mark(char32_t letter) { return letter >= 0x300 && letter <= 0x36F; }
bool is_apostrophe(char32_t letter) {
  return letter == '\'' || letter == '.' || letter == '`' || letter == 0xB4 || letter == 0x2BC || letter == 0x2018 ||
         letter == 0x2019;
}

/// What a letter is compared as: base letters, a blank between words, or nothing.
std::string folded(char32_t letter, std::string_view as_written) {
  if (letter >= 'A' && letter <= 'Z') return {char(letter - 'A' + 'a')};
  if ((letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9')) return {char(letter)};
  if (is_apostrophe(letter) || is_combining_mark(letter)) return {};
  if (letter < 0xC0) return " ";
  const bool low = letter < 0x180, high = letter >= 0x1E00 && letter < 0x1F00;
  if (!low && !high) return letter >= 0x2000 && letter < 0x2070 ? " " : std::string(as_written);
  const char base = low ? latin_from_c0[letter - 0xC0] : latin_from_1e00[letter - 0x1E00];
  if (base != '*') return {base};
  return std::string(std::ranges::find(two_letters, letter, &TwoLetters::letter)->letters);
}

using Words = std::vector<std::string>;

std::string joined(const Words& words, std::string_view between = {}) {
  std::string all;
  for (const auto& word : words) all.append(all.empty() ? "" : between).append(word);
  return all;
}

bool is_suffix(std::string_view word) {
  constexpr std::string_view suffixes[] = {"jr", "sr", "ii", "iii", "iv"};
  return std::ranges::find(suffixes, word) != std::end(suffixes);
}

/// A name as it is compared.
struct Folded {
  Words family;  ///< without suffix
  Words given;   ///< all given names, first first
  std::string suffix;
};

Folded folded(const PersonName& name) {
  Folded result{.family = name_words(name.family), .given = {}, .suffix = joined(name_words(name.suffix))};
  if (result.family.size() > 1 && is_suffix(result.family.back())) {
    if (result.suffix.empty()) result.suffix = result.family.back();
    result.family.pop_back();
  }
  for (const auto& given : name.given) {
    for (auto& word : name_words(given)) result.given.push_back(std::move(word));
    if (result.given.size() >= 8) break;
  }
  return result;
}

/// Points, and whether a difference was found that nothing else can outweigh.
struct Points {
  int sum = 0;
  bool contradicts = false;
};

Points family_points(const Words& sought, const Words& known) {
  if (sought.empty() || known.empty()) return {};
  if (joined(sought) == joined(known)) return {25};
  const bool shares = std::ranges::any_of(
      sought, [&](const auto& word) { return word.size() >= 3 && std::ranges::find(known, word) != known.end(); });
  const bool double_name = sought.size() > 1 || known.size() > 1;
  return {shares && double_name ? 20 : -15};
}

bool is_short_form(const std::string& a, const std::string& b) {
  const auto& [shorter, longer] = a.size() < b.size() ? std::tie(a, b) : std::tie(b, a);
  return (shorter.size() == 1 || shorter.size() >= 3) && longer.starts_with(shorter);
}

Points given_points(const Words& sought, const Words& known) {
  if (sought.empty() || known.empty()) return {};
  if (sought.front() == known.front() || joined(sought) == joined(known)) {
    const bool both_middle = sought.size() > 1 && known.size() > 1 && joined(sought) != joined(known);
    return {both_middle && sought[1].front() != known[1].front() ? 20 : 25};
  }
  if (is_short_form(sought.front(), known.front())) return {15};
  const bool another = std::ranges::find(known, sought.front()) != known.end() ||
                       std::ranges::find(sought, known.front()) != sought.end();
  if (another) return {15};
  return {-15, true};
}

Points name_points(const Folded& sought, const Folded& known) {
  if (!sought.family.empty() && !sought.given.empty() && joined(sought.family) == joined(known.given) &&
      joined(sought.given) == joined(known.family)) {
    return {35};
  }
  const auto family = family_points(sought.family, known.family), given = given_points(sought.given, known.given);
  const bool suffixes_differ = !sought.suffix.empty() && !known.suffix.empty() && sought.suffix != known.suffix;
  return {family.sum + given.sum - (suffixes_differ ? 10 : 0), given.contradicts};
}

Points best_name(const std::vector<PersonName>& sought, const std::vector<PersonName>& known) {
  std::optional<Points> best;
  for (std::size_t i = 0; i < std::min(sought.size(), names_sought_max); ++i) {
    for (const auto& name : known) {
      const auto points = name_points(folded(sought[i]), folded(name));
      const auto rank = [](const Points& p) { return std::pair(!p.contradicts, p.sum); };
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

/// @return nothing where birth dates contradict
std::optional<int> birth_points(const std::optional<xca::hl7v3::BirthDates>& sought, const std::string& known) {
  if (!sought || known.empty()) return 0;
  const auto first = padded(known, first_day), last = padded(known, last_day);
  if (last < sought->first || sought->last < first) return std::nullopt;
  if (sought->exact() && known.size() >= day_digits) return 30;
  return within_a_year(*sought) && known.size() >= 4 ? 15 : 0;
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
    const bool last_four =
        sought.root == ssn_root && sought.extension.size() == 4 && id->extension.ends_with(sought.extension);
    if (last_four) result = Ids::LastFour;
    if (result == Ids::Unknown) result = Ids::Differ;
  }
  return result;
}

struct IdPoints {
  int sum = 0;
  bool agrees = false;
};
IdPoints id_points(const PatientQuery& query, const Known& known) {
  bool agree = false, last_four = false, differ = false;
  for (const auto& raw : query.ids) {
    const auto sought = comparable(raw);
    const auto found = sought ? compare_id(*sought, known.ids) : Ids::Unknown;
    agree |= found == Ids::Agree;
    last_four |= found == Ids::LastFour;
    differ |= found == Ids::Differ;
  }
  return {(agree ? 30 : last_four ? 10 : 0) - (differ ? 20 : 0), agree};
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

constexpr int gender_agrees = 5, address_agrees = 10, telecom_agrees = 5;
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

/// Names whose words a key is made of: the whole and each part of a double name.
std::set<std::string> family_forms(const Words& words) {
  std::set<std::string> forms{joined(words)};
  for (const auto& word : words) {
    if (word.size() >= 3) forms.insert(word);
  }
  forms.erase("");
  return forms;
}

}  // namespace

std::vector<std::string> name_words(std::string_view name) {
  name = name.substr(0, name_octets_max);
  std::vector<std::string> words;
  std::string word;
  while (!name.empty()) {
    const auto before = name;
    const auto letter = take_letter(name);
    const auto text = folded(letter, before.substr(0, before.size() - name.size()));
    if (text == " ") {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else {
      word += text;
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::optional<Identifier> comparable(const Identifier& id) {
  Identifier result{.root = std::string(base::trim(id.root)), .extension = std::string(base::trim(id.extension))};
  if (result.root == ssn_root) {
    result.extension = digits_of(result.extension);
    const bool one_digit = result.extension.find_first_not_of(result.extension.substr(0, 1)) == std::string::npos;
    if (one_digit || result.extension == "123456789" || result.extension == "987654321") return std::nullopt;
  }
  if (result.root.empty() || result.extension.empty() || result.extension.size() > name_octets_max) return std::nullopt;
  return result;
}

Score score(const PatientQuery& query, const Known& known) {
  const bool genders_contradict =
      is_sex(query.sought.gender) && is_sex(known.person.gender) && query.sought.gender != known.person.gender;
  const auto birth = birth_points(query.birth, known.person.birth_date);
  if (genders_contradict || !birth) return {};

  const auto name = best_name(query.sought.names, known.person.names);
  const auto ids = id_points(query, known);
  int sum = name.sum + *birth + ids.sum;
  if (ids.agrees) sum += 20 * (!sends_family(query) + !sends_given(query) + !query.birth.has_value());
  if (is_sex(query.sought.gender) && query.sought.gender == known.person.gender) sum += gender_agrees;
  if (sends_address(query) && !std::ranges::all_of(known.person.addresses, says_nothing)) {
    int best = -5;
    for (const auto& sought : query.sought.addresses) {
      for (const auto& address : known.person.addresses) {
        if (!says_nothing(sought)) best = std::max(best, address_points(sought, address));
      }
    }
    sum += best;
  }
  if (const auto agree = telecoms_agree(query.sought.telecoms, known.person.telecoms)) {
    sum += *agree ? telecom_agrees : -5;
  }

  Score result{.unsent = unsent(query, known.person)};
  int attainable = sum;
  for (const Wanted wanted : result.unsent) attainable += worth(wanted);
  const unsigned most = name.contradicts ? match_score - 1 : 100;
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
  return {.chosen = std::move(order)};
}

std::vector<Key> keys_of(const Person& person) {
  std::vector<Key> keys;
  const auto add = [&](std::string kind, const std::string& name) {
    const auto value = name + "|" + person.birth_date;
    Key key{.kind = std::move(kind), .first = value, .last = value};
    if (std::ranges::find(keys, key) == keys.end()) keys.push_back(std::move(key));
  };
  for (const auto& name : person.names) {
    const auto words = folded(name);
    for (const auto& form : family_forms(words.family)) add("fb", form);
    if (!words.given.empty()) add("gb", words.given.front());
  }
  return keys;
}

std::vector<Key> keys_sought(const PatientQuery& query) {
  std::vector<Key> keys;
  if (!query.birth || query.birth->first.size() != day_digits || query.birth->last.size() != day_digits) return keys;
  const auto& birth = *query.birth;
  const auto add = [&](const std::string& kind, const std::string& name) {
    const auto start = name + "|";
    std::vector<Key> more;
    if (birth.exact()) {
      // A record may know the month or the year only.
      for (const std::size_t size : {8u, 6u, 4u}) {
        const auto value = start + birth.first.substr(0, size);
        more.push_back({.kind = kind, .first = value, .last = value});
      }
    } else {
      more.push_back({.kind = kind, .first = start + birth.first.substr(0, 4), .last = start + birth.last});
    }
    for (auto& key : more) {
      if (std::ranges::find(keys, key) == keys.end()) keys.push_back(std::move(key));
    }
  };
  for (std::size_t i = 0; i < std::min(query.sought.names.size(), names_sought_max); ++i) {
    const auto words = folded(query.sought.names[i]);
    for (const auto& form : family_forms(words.family)) {
      add("fb", form);
      if (birth.exact()) add("gb", form);  // names exchanged
    }
    if (!words.given.empty() && birth.exact()) add("gb", words.given.front());  // another family name
  }
  return keys;
}

}  // namespace gateway::patients
