#include "fuzz/mutate.hpp"

#include <algorithm>
#include <optional>

namespace fuzz {
namespace {

struct Span {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
};
std::string_view at(std::string_view text, Span span) { return text.substr(span.begin, span.size()); }
std::string replaced(std::string_view text, Span span, std::string_view with) {
  return std::string(text.substr(0, span.begin)).append(with).append(text.substr(span.end));
}

// ---- XML ------------------------------------------------------------------------------------------------------------

struct Attribute {
  Span whole, name, value;  ///< whole begins with the blank before it; the value is without quotes
};
struct Element {
  Span whole, open_name, close_name;  ///< the second is empty for an empty-element tag
};
/// What of a text looks like XML, well-formed or not.
struct Sketch {
  std::vector<Element> elements;
  std::vector<Attribute> attributes;
  std::vector<Span> texts;
};

constexpr std::string_view name_ends = " \t\r\n/>=";

void sketch_attributes(std::string_view text, Span tag, Sketch& sketch) {
  for (std::size_t i = tag.begin; i < tag.end;) {
    const auto quote = text.find_first_of("\"'", i);
    if (quote >= tag.end) return;
    const auto close = text.find(text[quote], quote + 1);
    if (close >= tag.end) return;
    const auto blank = text.find_last_of(" \t\r\n", quote);
    if (blank != std::string_view::npos && blank >= i && quote > blank + 1)
      sketch.attributes.push_back({{blank, close + 1}, {blank + 1, quote - 1}, {quote + 1, close}});
    i = close + 1;
  }
}

Sketch sketch_of(std::string_view text) {
  Sketch sketch;
  std::vector<Element> open;
  for (std::size_t i = 0; i < text.size();) {
    const auto start = std::min(text.find('<', i), text.size());
    if (start > i) sketch.texts.push_back({i, start});
    const auto end = text.find('>', start);
    if (end == std::string_view::npos) break;
    i = end + 1;
    const char kind = text[start + 1];
    if (kind == '!' || kind == '?') continue;
    const bool closes = kind == '/';
    const auto name = start + 1 + (closes ? 1 : 0);
    const Span name_span{name, std::min(text.find_first_of(name_ends, name), end)};
    if (closes) {
      if (open.empty()) continue;
      auto element = open.back();
      open.pop_back();
      element.whole.end = i;
      element.close_name = name_span;
      sketch.elements.push_back(element);
    } else {
      sketch_attributes(text, {name_span.end, end}, sketch);
      if (text[end - 1] == '/')
        sketch.elements.push_back({{start, i}, name_span, {}});
      else
        open.push_back({{start, i}, name_span, {}});
    }
  }
  return sketch;
}

template <class T>
const T* pick(const std::vector<T>& from, Random& random) {
  return from.empty() ? nullptr : &from[random.below(from.size())];
}

std::string refilled(std::string_view value, std::string_view donor, Random& random, const ByteMutator& bytes) {
  static constexpr std::string_view words[] = {
      "", " ", "0", "-1", "1", "2.999.1", "urn:oid:2.999.1", "urn:oid:", "''", "('a','b')", "%", "'", "true", "UNK",
      "NI", "20260229", "1971", "99999999999999999999", "&amp;", "&#xD;", "&lt;a/&gt;", "\xC2\xA0", "\xE2\x80\x8B",
      "<![CDATA[x]]>", "<!--x-->", "<?x y?>", "#", "urn:uuid:00000000-0000-0000-0000-000000000000",
      "2026-11-21T12:00:00Z", "2026-11-21T24:00:00+14:00"};
  static const auto own = fuzz::words();
  switch (random.below(6)) {
    case 0: return std::string(words[random.below(std::size(words))]);
    case 1: return std::string(donor);
    case 3: return own.empty() ? std::string(donor) : std::string(own[random.below(own.size())]);
    case 2: return std::string(value) + std::string(words[random.below(std::size(words))]);
    default: return bytes(std::string(value), random);
  }
}

std::string mutate_xml(std::string text, std::string_view other, Random& random, const ByteMutator& bytes) {
  const auto sketch = sketch_of(text);
  const auto* element = pick(sketch.elements, random);
  const auto* second = pick(sketch.elements, random);
  const auto* attribute = pick(sketch.attributes, random);
  const auto* donor = pick(sketch.attributes, random);
  const auto* run = pick(sketch.texts, random);
  const auto* run_donor = pick(sketch.texts, random);
  if (!element || !second) return bytes(std::move(text), random);
  const std::string whole(at(text, element->whole));
  switch (random.below(15)) {
    case 0: return replaced(text, element->whole, "");
    case 1: return text.insert(element->whole.begin, whole);
    case 2: return text.insert(second->whole.begin, whole);
    case 3: {  // one for another, of this message or another one
      const auto theirs = sketch_of(other);
      const auto* foreign = random.one_in(2) ? pick(theirs.elements, random) : nullptr;
      return replaced(text, element->whole, foreign ? at(other, foreign->whole) : at(text, second->whole));
    }
    case 4: {  // a new name, at both ends
      const std::string name(at(text, second->open_name));
      if (element->close_name.size() > 0) text.replace(element->close_name.begin, element->close_name.size(), name);
      return text.replace(element->open_name.begin, element->open_name.size(), name);
    }
    case 5: return text.insert(element->open_name.end, " xmlns=\"urn:x:" + std::to_string(random.below(3)) + "\"");
    case 6: return attribute ? replaced(text, attribute->whole, "") : text;
    case 7:
      return attribute ? text.insert(element->open_name.end, std::string(at(text, attribute->whole))) : std::move(text);
    case 8: {  // only its content is left
      const auto inner = whole.find('>') + 1;
      const auto last = whole.rfind("</");
      return replaced(text, element->whole,
                      last == std::string::npos || last < inner ? "" : whole.substr(inner, last - inner));
    }
    case 9: return bytes(std::move(text), random);
    case 10:
    case 11:
    case 12:
      if (attribute && donor)
        return replaced(text, attribute->value,
                        refilled(at(text, attribute->value), at(text, donor->value), random, bytes));
      return text;
    default:
      if (run && run_donor)
        return replaced(text, *run, refilled(at(text, *run), at(text, *run_donor), random, bytes));
      return text;
  }
}

// ---- MIME -----------------------------------------------------------------------------------------------------------

std::string mutate_lines(std::string text, Random& random, const ByteMutator& bytes) {
  std::vector<Span> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    lines.push_back({begin, end});
    begin = end;
  }
  const auto *line = pick(lines, random), *second = pick(lines, random);
  if (!line || !second) return bytes(std::move(text), random);
  const std::string whole(at(text, *line));
  switch (random.below(5)) {
    case 0: return replaced(text, *line, "");
    case 1: return text.insert(second->begin, whole);
    case 2: return text.insert(line->end - 1, "\r");
    case 3: return text.erase(text.size() - random.below(text.size() / 2));
    default: return replaced(text, *line, bytes(whole, random));
  }
}

// ---- DER ------------------------------------------------------------------------------------------------------------

/// One value of a DER text; `header` counts tag and length.
struct Value {
  Span whole;
  std::size_t header;
  std::vector<std::size_t> around;  ///< indices of the values it stands in, outermost first
};

void read_values(std::string_view der, Span within, const std::vector<std::size_t>& around, std::vector<Value>& into) {
  for (std::size_t i = within.begin; i + 2 <= within.end && into.size() < 2000;) {
    const auto tag = static_cast<unsigned char>(der[i]);
    std::size_t length = static_cast<unsigned char>(der[i + 1]), header = 2;
    if (length > 0x80 && length <= 0x83) {
      const std::size_t octets = length - 0x80;
      if (i + 2 + octets > within.end) return;
      length = 0;
      for (std::size_t k = 0; k < octets; ++k) length = length << 8 | static_cast<unsigned char>(der[i + 2 + k]);
      header += octets;
    } else if (length > 0x7F) {
      return;
    }
    if (i + header + length > within.end) return;
    const Span whole{i, i + header + length};
    into.push_back({whole, header, around});
    auto inside = around;
    inside.push_back(into.size() - 1);
    // Octet strings hold further DER in certificates; bit strings begin with a count of unused bits.
    const std::size_t skip = tag == 0x03 ? 1 : 0;
    if ((tag & 0x20) != 0 || tag == 0x04 || tag == 0x03)
      read_values(der, {std::min(i + header + skip, whole.end), whole.end}, inside, into);
    i = whole.end;
  }
}

std::string length_octets(std::size_t length) {
  if (length < 0x80) return {static_cast<char>(length)};
  std::string octets;
  for (; length > 0; length >>= 8) octets.insert(octets.begin(), static_cast<char>(length & 0xFF));
  return static_cast<char>(0x80 + octets.size()) + octets;
}

/// Puts `with` in the place of a value, and makes the lengths of all around it true.
std::string with_value(std::string_view der, const std::vector<Value>& values, const Value& value, std::string with) {
  auto place = value.whole;
  for (auto outer = value.around.rbegin(); outer != value.around.rend(); ++outer) {
    const auto& around = values[*outer];
    const auto content = around.whole.begin + around.header;
    std::string inside(der.substr(content, place.begin - content));
    inside += with;
    inside += der.substr(place.end, around.whole.end - place.end);
    with = der[around.whole.begin] + length_octets(inside.size()) + inside;
    place = around.whole;
  }
  return std::string(der.substr(0, place.begin)) + with + std::string(der.substr(place.end));
}

std::string mutate_der(std::string input, std::string_view other, Random& random, const ByteMutator& bytes) {
  if (input.empty()) return bytes(std::move(input), random);
  if (random.one_in(60) && !other.empty()) return other.front() + input.substr(1);  // for its reader
  const std::string_view der = input;
  std::vector<Value> values, theirs;
  read_values(der, {1, der.size()}, {}, values);
  const auto* value = pick(values, random);
  const auto* second = pick(values, random);
  if (!value || !second) return bytes(std::move(input), random);
  const std::string whole(at(der, value->whole));
  const auto content = whole.substr(value->header);
  switch (random.below(9)) {
    case 0: return with_value(der, values, *value, "");
    case 1: return with_value(der, values, *value, whole + whole);
    case 2: return with_value(der, values, *value, std::string(at(der, second->whole)));
    case 3: {
      read_values(other, {std::min<std::size_t>(1, other.size()), other.size()}, {}, theirs);
      const auto* foreign = pick(theirs, random);
      return with_value(der, values, *value, foreign ? std::string(at(other, foreign->whole)) : whole + "\x05");
    }
    case 4: return with_value(der, values, *value, static_cast<char>(random.below(256)) + whole.substr(1));
    case 5: return with_value(der, values, *value, whole + std::string(at(der, second->whole)));
    case 6: return bytes(std::move(input), random);
    default: {
      const auto changed = bytes(content, random);
      return with_value(der, values, *value, whole.front() + length_octets(changed.size()) + changed);
    }
  }
}

}  // namespace

std::uint64_t Random::next() {
  auto z = state_ += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

std::string mutate_bytes(std::string bytes, Random& random) {
  if (bytes.empty()) return std::string(1 + random.below(4), static_cast<char>(random.below(256)));
  const auto place = random.below(bytes.size());
  const auto length = 1 + random.below(std::min<std::size_t>(bytes.size() - place, 16));
  switch (random.below(7)) {
    case 0: bytes[place] = static_cast<char>(bytes[place] ^ (1 << random.below(8))); break;
    case 1: bytes[place] = static_cast<char>(random.below(256)); break;
    case 2: bytes.erase(place, length); break;
    case 3: bytes.insert(place, bytes.substr(random.below(bytes.size()), length)); break;
    case 4: bytes.insert(place, 1, static_cast<char>(random.below(128))); break;
    case 5: bytes[place] = static_cast<char>(bytes[place] + (random.one_in(2) ? 1 : -1)); break;
    default: bytes.insert(place, std::string(random.below(40), bytes[place])); break;
  }
  return bytes;
}

std::string mutate(std::string input, std::string_view other, Random& random, const ByteMutator& bytes) {
  for (auto changes = 1 + random.below(4); changes > 0; --changes) {
    switch (form) {
      case Form::Xml: input = mutate_xml(std::move(input), other, random, bytes); break;
      case Form::Mime:
        input = random.one_in(2) ? mutate_lines(std::move(input), random, bytes)
                                 : mutate_xml(std::move(input), other, random, bytes);
        break;
      case Form::Der: input = mutate_der(std::move(input), other, random, bytes); break;
    }
  }
  return input;
}

}  // namespace fuzz
