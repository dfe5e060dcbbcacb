#include "base/xml/gate.hpp"

#include "base/error_table.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace base::xml {
namespace {

constexpr ErrorRow rows[] = {
    {int(Errc::TooLarge), "xml-too-large", "the XML document is too large", Cause::BadMessage},
    {int(Errc::NotUtf8), "xml-not-utf8", "the XML document is not UTF-8", Cause::BadMessage},
    {int(Errc::NotXml10), "xml-not-1.0", "the XML document is not of version 1.0", Cause::BadMessage},
    {int(Errc::HasDoctype), "xml-has-doctype", "the XML document has a document type declaration", Cause::BadMessage},
    {int(Errc::StartTagTooLarge), "xml-tag-too-large", "a start tag of the XML document is too large",
     Cause::BadMessage},
    {int(Errc::TooDeep), "xml-too-deep", "the XML document is nested too deeply", Cause::BadMessage},
    {int(Errc::NotWellFormed), "xml-not-well-formed", "the XML document is not well-formed", Cause::BadMessage},
    {int(Errc::DoubledId), "xml-doubled-id", "two elements of the XML document bear the same identifier",
     Cause::BadMessage},
    {int(Errc::RelativeNamespace), "xml-relative-namespace", "a namespace name is no absolute URI", Cause::BadMessage},
    {int(Errc::CanonicalTooLarge), "xml-canonical-too-large", "the canonical form of the XML document is too large",
     Cause::BadMessage},
    {int(Errc::NotText), "xml-not-text", "an element holds elements where only text may stand", Cause::BadMessage},
    {int(Errc::Missing), "xml-missing", "an element or attribute is missing", Cause::BadMessage},
    {int(Errc::Doubled), "xml-doubled", "an element occurs more than once", Cause::BadMessage},
};
constinit const ErrorTable errors("gatehouse.xml", rows);

constexpr auto npos = BytesView::npos;
constexpr BytesView byte_order_mark = "\xEF\xBB\xBF";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Reads the pseudo-attributes of an XML declaration: exactly version, then encoding, then standalone. [XML 1.0 §2.8]
class Declaration {
 public:
  explicit Declaration(BytesView content) : rest_(content) {}

  std::optional<Errc> judge() {
    const auto version = take("version");
    const auto encoding = take("encoding");
    take("standalone");
    skip_blanks();
    if (encoding && !is_utf8_name(*encoding)) return Errc::NotUtf8;
    if (version && *version != "1.0") return Errc::NotXml10;
    if (!version || !rest_.empty()) return Errc::NotWellFormed;
    return {};
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  std::optional<BytesView> take(BytesView name) {
    const auto start = rest_;
    skip_blanks();
    if (!rest_.starts_with(name)) return rest_ = start, std::nullopt;
    rest_.remove_prefix(name.size());
    skip_blanks();
    if (!rest_.starts_with('=')) return rest_ = start, std::nullopt;
    rest_.remove_prefix(1);
    skip_blanks();
    if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\'')) return rest_ = start, std::nullopt;
    const auto end = rest_.find(rest_.front(), 1);
    if (end == npos) return rest_ = start, std::nullopt;
    const auto value = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return value;
  }

  static bool is_utf8_name(BytesView name) {
    return std::ranges::equal(name, BytesView("utf-8"), {}, [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  }

  BytesView rest_;
};

/// One sweep over the markup. It need not understand what is not well-formed: the parser refuses that.
class Sweep {
 public:
  Sweep(BytesView document, const Limits& limits) : document_(document), limits_(limits) {}

  /// The first in the order of Errc of all that is wrong.
  std::optional<Errc> judge() {
    std::size_t at = document_.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
    at = declaration(at);
    while (at < document_.size() && (at = document_.find('<', at)) != npos) at = markup(at);
    return found_ == Errc{} ? std::nullopt : std::optional(found_);
  }

 private:
  void note(Errc errc) {
    if (found_ == Errc{} || errc < found_) found_ = errc;
  }

  std::size_t after(BytesView end, std::size_t at) const {
    const auto found = document_.find(end, at);
    return found == npos ? document_.size() : found + end.size();
  }

  std::size_t declaration(std::size_t at) {
    constexpr BytesView start = "<?xml";
    const auto rest = document_.substr(at);
    if (!rest.starts_with(start) || rest.size() == start.size() || !is_blank(rest[start.size()])) return at;
    const auto end = rest.find("?>");
    if (end == npos) return note(Errc::NotWellFormed), document_.size();
    if (const auto wrong = Declaration(rest.substr(start.size(), end - start.size())).judge()) note(*wrong);
    return at + end + 2;
  }

  /// `at` is a '<'; returns where to go on.
  std::size_t markup(std::size_t at) {
    const auto rest = document_.substr(at + 1);
    if (rest.starts_with('/')) return close(), at + 2;
    if (rest.starts_with('?')) return after("?>", at + 2);
    if (!rest.starts_with('!')) return start_tag(at);
    if (rest.starts_with("!--")) return after("-->", at + 4);
    if (rest.starts_with("![CDATA[")) return after("]]>", at + 9);
    note(rest.starts_with("!DOCTYPE") ? Errc::HasDoctype : Errc::NotWellFormed);
    return at + 2;
  }

  std::size_t start_tag(std::size_t at) {
    std::size_t attributes = 0, namespaces = 0, of_xml = 0, end = at + 1;
    for (; end < document_.size() && document_[end] != '>'; ++end) {
      const char c = document_[end];
      if (c == '<') note(Errc::NotWellFormed);
      if (is_blank(c) && document_.compare(end + 1, 5, "xmlns") == 0) ++namespaces;
      if (is_blank(c) && declares_xml(end + 1) && ++of_xml > 1) note(Errc::NotWellFormed);
      if (c != '"' && c != '\'') continue;
      ++attributes;
      const auto* quote = std::memchr(document_.data() + end + 1, c, document_.size() - end - 1);
      if (quote == nullptr) return note(Errc::NotWellFormed), document_.size();
      const auto value_end = std::size_t(static_cast<const char*>(quote) - document_.data());
      if (std::memchr(document_.data() + end, '<', value_end - end) != nullptr) note(Errc::NotWellFormed);
      end = value_end;
    }
    if (attributes > limits_.attributes_per_tag || end - at >= limits_.bytes_per_tag) note(Errc::StartTagTooLarge);
    const bool is_empty_element = end < document_.size() && document_[end - 1] == '/';
    open(namespaces);
    if (is_empty_element) close();
    return end + 1;
  }

  /// The prefix xml may be declared, once like every attribute: libxml2 does not count. [K9]
  bool declares_xml(std::size_t at) const {
    constexpr BytesView name = "xmlns:xml";
    const auto end = at + name.size();
    return end < document_.size() && document_.substr(at).starts_with(name) &&
           (document_[end] == '=' || is_blank(document_[end]));
  }

  void open(std::size_t namespaces) {
    ++depth_;
    if (depth_ > limits_.depth || depth_ > namespaces_.size()) return note(Errc::TooDeep);
    const auto outside = depth_ > 1 ? namespaces_[depth_ - 2] : 0;
    namespaces_[depth_ - 1] = outside + namespaces;
    if (namespaces_[depth_ - 1] > limits_.namespaces_in_scope) note(Errc::TooDeep);
  }

  void close() {
    if (depth_ > 0) --depth_;
  }

  BytesView document_;
  const Limits& limits_;
  std::size_t depth_ = 0;
  std::array<std::size_t, 512> namespaces_;  ///< declared on the way down, by depth
  Errc found_{};                             ///< none yet
};

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errors}; }

Result<void> pass_gate(BytesView document, const Limits& limits) {
  if (document.size() > limits.bytes) return fail(Errc::TooLarge);
  if (document.find('\0') != npos || !is_utf8(document)) return fail(Errc::NotUtf8);
  if (const auto wrong = Sweep(document, limits).judge()) return fail(*wrong);
  return {};
}

}  // namespace base::xml
