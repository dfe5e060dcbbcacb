#include "gateway/patients/keys.hpp"

#include "certs/crypto.hpp"

#include <algorithm>
#include <set>

namespace gateway::patients {
namespace {

constexpr std::size_t keys_sought_max = 48, ids_sought_max = 16, names_sought_max = 10, words_max = 24;
constexpr std::size_t day_digits = 8, year_digits = 4;
constexpr int years_sought_max = 2;  ///< a range within a year touches no more

/// A family name whole and each part of a double one: either may be left out.
std::set<std::string> family_forms(const Words& words) {
  std::set<std::string> forms{joined(words)};
  for (const auto& word : words) {
    if (word.size() >= 3) forms.insert(word);
  }
  forms.erase("");
  return forms;
}

/// The full names of the first given name; nothing for an initial.
Words given_forms(const Words& words) {
  if (words.empty() || words.front().size() < 2) return {};
  return full_names(words.front());
}

/// A set of keys in the order they were added.
class Keys {
 public:
  void add(char kind, std::string value) {
    Key key{kind, std::move(value)};
    if (std::ranges::find(keys_, key) == keys_.end()) keys_.push_back(std::move(key));
  }
  void add_each(char kind, const auto& names, const std::string& date) {
    for (const auto& name : names) add(kind, name + "|" + date);
  }
  void add_both(const auto& families, const auto& givens, const std::string& year) {
    for (const auto& family : families) {
      for (const auto& given : givens) add('Y', family + "|" + given + "|" + year);
    }
  }
  void add(const Identifier& id) { add('I', id.root + "|" + id.extension); }
  std::vector<Key> take() { return std::move(keys_); }

 private:
  std::vector<Key> keys_;
};

/// The years a query's birth date may lie in; none where they are too many to decide anything.
std::vector<std::string> years_of(const xca::hl7v3::BirthDates& birth) {
  const int first = std::stoi(birth.first.substr(0, year_digits)), last = std::stoi(birth.last.substr(0, year_digits));
  std::vector<std::string> years;
  if (last - first >= years_sought_max) return years;
  for (int year = first; year <= last; ++year) {
    auto text = std::to_string(year);
    years.push_back(std::string(year_digits - std::min(year_digits, text.size()), '0') + text);
  }
  return years;
}

void add_by_name(const FoldedName& name, const xca::hl7v3::BirthDates& birth, Keys& keys) {
  const auto families = family_forms(name.family);
  const auto givens = given_forms(name.given);
  if (birth.exact()) {
    keys.add_each('F', families, birth.first);
    keys.add_each('G', givens, birth.first);
    // Names exchanged: each where the other belongs.
    keys.add_each('F', family_forms(name.given), birth.first);
    keys.add_each('G', given_forms(name.family), birth.first);
  }
  for (const auto& year : years_of(birth)) keys.add_both(families, givens, year);
}

}  // namespace

std::vector<Key> keys_of(const Known& known) {
  Keys keys;
  const auto& date = known.person.birth_date;
  for (const auto& person_name : known.person.names) {
    const auto name = folded(person_name);
    const auto families = family_forms(name.family);
    const auto givens = given_forms(name.given);
    if (date.size() >= day_digits) {
      keys.add_each('F', families, date.substr(0, day_digits));
      keys.add_each('G', givens, date.substr(0, day_digits));
    }
    if (date.size() >= year_digits) keys.add_both(families, givens, date.substr(0, year_digits));
  }
  for (const auto& raw : known.ids) {
    if (const auto id = comparable(raw)) keys.add(*id);
  }
  return keys.take();
}

std::vector<Key> keys_sought(const PatientQuery& query) {
  Keys keys;
  std::size_t ids = 0;
  for (const auto& raw : query.ids) {
    const auto id = comparable(raw);
    if (id && ids++ < ids_sought_max) keys.add(*id);
  }
  const auto is_dated = [&] {
    return query.birth && query.birth->first.size() == day_digits && query.birth->last.size() == day_digits;
  };
  if (is_dated()) {
    for (std::size_t i = 0; i < std::min(query.sought.names.size(), names_sought_max); ++i) {
      add_by_name(folded(query.sought.names[i]), *query.birth, keys);
    }
  }
  auto all = keys.take();
  if (all.size() > keys_sought_max) all.resize(keys_sought_max);
  return all;
}

std::int64_t number_of(const Key& key) {
  const auto digest = certs::sha256(key.kind + key.value);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8 | static_cast<unsigned char>(digest[i]);
  return static_cast<std::int64_t>(number);
}

Words search_words(const Known& known) {
  std::set<std::string> words;
  const auto add = [&](std::string word) {
    if (!word.empty() && words.size() < words_max) words.insert(std::move(word));
  };
  add(known.person.birth_date);
  for (const auto& name : known.person.names) {
    for (auto& word : name_words(name.family)) add(std::move(word));
    for (const auto& given : name.given) {
      for (auto& word : name_words(given)) add(std::move(word));
    }
  }
  for (const auto& raw : known.ids) {
    if (const auto id = comparable(raw)) add("#" + id->extension);
  }
  return {words.begin(), words.end()};
}

exchange::Asked asked_for(const PatientQuery& query) {
  std::set<std::string> parts;
  std::string alike;
  for (std::size_t i = 0; i < std::min(query.sought.names.size(), names_sought_max); ++i) {
    const auto name = folded(query.sought.names[i]);
    if (alike.empty()) alike = joined(name.family);
    parts.insert("n" + joined(name.family) + "|" + joined(name.given, " ") + "|" + name.suffix);
  }
  if (query.birth) parts.insert("b" + query.birth->first + query.birth->last);
  for (const auto& raw : query.ids) {
    if (const auto id = comparable(raw)) parts.insert("i" + id->root + "|" + id->extension);
  }
  std::string whole;
  for (const auto& part : parts) whole.append(part).append("\n");
  return {.person = certs::sha256(whole), .alike = certs::sha256(alike)};
}

}  // namespace gateway::patients
