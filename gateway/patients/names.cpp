#include "gateway/patients/names.hpp"

#include <algorithm>

namespace gateway::patients {
namespace {

constexpr std::size_t name_octets_max = 256, given_max = 8;

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

/// The forms a suffix is written in, and what it is compared as. Titles (MD, Esq) tell nobody apart.
constexpr std::pair<std::string_view, std::string_view> suffixes[] = {
    {"jr", "jr"},  {"junior", "jr"}, {"sr", "sr"},   {"senior", "sr"}, {"ii", "ii"}, {"2nd", "ii"},
    {"iii", "iii"}, {"3rd", "iii"},  {"iv", "iv"},   {"4th", "iv"}};

std::string suffix_of(std::string_view word) {
  const auto found = std::ranges::find(suffixes, word, [](const auto& row) { return row.first; });
  return found == std::end(suffixes) ? std::string() : std::string(found->second);
}

/// Takes a suffix that stands behind a name's last word.
void take_suffix(Words& words, std::string& suffix) {
  if (words.size() < 2) return;
  const auto last = suffix_of(words.back());
  if (last.empty()) return;
  if (suffix.empty()) suffix = last;
  words.pop_back();
}

}  // namespace

Words name_words(std::string_view name) {
  name = name.substr(0, name_octets_max);
  Words words;
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

std::string joined(const Words& words, std::string_view between) {
  std::string all;
  for (const auto& word : words) all.append(all.empty() ? "" : between).append(word);
  return all;
}

FoldedName folded(const xca::hl7v3::PersonName& name) {
  FoldedName result{.family = name_words(name.family), .given = {}, .suffix = {}};
  for (const auto& word : name_words(name.suffix)) {
    if (result.suffix.empty()) result.suffix = suffix_of(word);
  }
  take_suffix(result.family, result.suffix);
  for (const auto& given : name.given) {
    for (auto& word : name_words(given)) result.given.push_back(std::move(word));
    if (result.given.size() >= given_max) break;
  }
  take_suffix(result.given, result.suffix);
  return result;
}

bool are_forms_of_one(const std::string& a, const std::string& b) {
  const auto of_a = full_names(a), of_b = full_names(b);
  return std::ranges::any_of(of_a, [&](const auto& name) { return std::ranges::find(of_b, name) != of_b.end(); });
}

bool is_one_typing_error(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > 1) return false;
  const auto first = static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
  if (first == a.size()) return b.size() > a.size();
  if (a.size() < b.size()) return a.substr(first) == b.substr(first + 1);
  if (a.substr(first + 1) == b.substr(first + 1)) return true;
  return first + 1 < a.size() && a[first] == b[first + 1] && a[first + 1] == b[first] &&
         a.substr(first + 2) == b.substr(first + 2);
}

}  // namespace gateway::patients
