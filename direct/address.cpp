#include "direct/address.hpp"

#include "base/error_table.hpp"

#include <algorithm>

namespace direct {
namespace {

using base::Cause;
using base::fail;

constexpr base::ErrorRow rows[] = {
    {int(AddressErrc::NotAnAddress), "address-malformed", "not an address", Cause::BadMessage},
    {int(AddressErrc::NotAList), "address-list-malformed", "a list of addresses that cannot be read",
     Cause::BadMessage},
};
constinit const base::ErrorTable errors("direct.address", rows);

constexpr std::size_t local_octets_max = 64, domain_octets_max = 255, label_octets_max = 63;
constexpr std::size_t mailboxes_max = 1000;

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_atom_character(char c) {
  constexpr std::string_view others = "!#$&'*+-/=?^_`{|}~";  // RFC 5322 atext without the percent of old routes
  return is_letter_or_digit(c) || others.find(c) != others.npos;
}
bool is_dot_atom(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.' || text.find("..") != text.npos) return false;
  return std::ranges::all_of(text, [](char c) { return c == '.' || is_atom_character(c); });
}
bool is_quoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  for (std::size_t at = 1; at + 1 < text.size(); ++at) {
    if (text[at] == '\\' && ++at + 1 >= text.size()) return false;
    if (text[at] == '"' && text[at - 1] != '\\') return false;
    if (text[at] < ' ' || text[at] == '\x7f') return false;  // char is signed: above ASCII, too
  }
  return true;
}
bool is_domain(std::string_view text) {
  if (text.size() > domain_octets_max || text.find('.') == text.npos) return false;
  while (true) {
    const auto dot = text.find('.');
    const auto label = text.substr(0, dot);
    const bool sized = !label.empty() && label.size() <= label_octets_max;
    const bool good = sized && label.front() != '-' && label.back() != '-' &&
                      std::ranges::all_of(label, [](char c) { return c == '-' || is_letter_or_digit(c); });
    if (!good) return false;
    if (dot == text.npos) return true;
    text.remove_prefix(dot + 1);
  }
}

/// A field in its lexical parts: atoms with what binds them, quoted strings, and the delimiters of lists.
class Mailboxes {
 public:
  Mailboxes(std::string_view field, Groups groups) : rest_(field), groups_(groups) {}

  Result<std::vector<Address>> read() {
    while (true) {
      TRY(read_one());
      if (!take(',')) break;
    }
    if (in_group_ || !rest_.empty()) return fail(AddressErrc::NotAList);
    if (found_.empty() && groups_ == Groups::No) return fail(AddressErrc::NotAList, "no address");
    return std::move(found_);
  }

 private:
  static base::Error wrong() { return fail(AddressErrc::NotAList); }

  /// Folding white space and comments.
  bool skip() {
    int depth = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (depth == 0 && c != '(' && c != ' ' && c != '\t') return true;
      if (c == '(') ++depth;
      if (c == ')') --depth;
      rest_.remove_prefix(c == '\\' && rest_.size() > 1 ? 2 : 1);
    }
    return depth == 0;
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// A quoted string as it is written, or a run of characters that no delimiter is.
  std::optional<std::string_view> word() {
    if (!rest_.starts_with('"')) {
      const auto run = rest_.substr(0, rest_.find_first_of(" \t(),:;<>\"[]"));
      rest_.remove_prefix(run.size());
      return run;
    }
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return std::nullopt;
    const auto text = rest_.substr(0, end + 1);
    rest_.remove_prefix(end + 1);
    return text;
  }

  Result<void> read_one() {
    std::string phrase;  // a display name, a group's name, or the address itself
    std::size_t words = 0;
    bool adjacent = false;
    while (true) {
      const auto before = rest_.size();
      if (!skip()) return wrong();
      adjacent = words > 0 && rest_.size() == before;
      if (rest_.empty() || std::string_view(",;<:").find(rest_.front()) != std::string_view::npos) break;
      const auto text = word();
      if (!text || text->empty()) return wrong();
      words += adjacent ? 0 : 1;  // `"a b"@c` is one
      phrase += *text;
    }
    if (take('<')) {
      const auto end = rest_.find('>');
      if (end == rest_.npos) return wrong();
      TRY(add(rest_.substr(0, end)));
      rest_.remove_prefix(end + 1);
      if (!skip()) return wrong();
    } else if (rest_.starts_with(':')) {
      if (groups_ == Groups::No || in_group_ || words == 0) return wrong();
      rest_.remove_prefix(1);
      in_group_ = true;
      return read_one();
    } else if (words > 1) {
      return wrong();
    } else if (words == 1) {
      TRY(add(phrase));
    } else if (groups_ == Groups::No) {
      return wrong();
    }
    if (in_group_ && take(';')) {
      in_group_ = false;
      if (!skip()) return wrong();
    }
    return {};
  }

  Result<void> add(std::string_view text) {
    auto address = Address::parse(text);
    if (!address || found_.size() == mailboxes_max) return wrong();
    found_.push_back(*std::move(address));
    return {};
  }

  std::string_view rest_;
  Groups groups_;
  bool in_group_ = false;
  std::vector<Address> found_;
};

}  // namespace

boost::system::error_code make_error_code(AddressErrc code) noexcept { return {static_cast<int>(code), errors}; }

Result<Address> Address::parse(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == text.npos) return fail(AddressErrc::NotAnAddress);
  const auto local = text.substr(0, at), domain = text.substr(at + 1);
  if (local.size() > local_octets_max || !(is_dot_atom(local) || is_quoted(local)) || !is_domain(domain))
    return fail(AddressErrc::NotAnAddress);
  Address address;
  address.text_ = std::string(text);
  address.key_ = address.text_;
  std::ranges::transform(address.key_, address.key_.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  address.at_ = at;
  return address;
}

Result<std::vector<Address>> read_mailboxes(std::string_view field, Groups groups) {
  return Mailboxes(field, groups).read();
}

}  // namespace direct
