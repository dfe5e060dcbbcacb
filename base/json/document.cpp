#include "base/json/document.hpp"

#include "base/error_table.hpp"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>

namespace base::json {
namespace {

constexpr ErrorRow rows[] = {
    {int(Errc::TooLarge), "json-too-large", "the JSON document is larger than allowed", Cause::BadMessage},
    {int(Errc::NotUtf8), "json-not-utf8", "the JSON document is not UTF-8 throughout, or contains a NUL",
     Cause::BadMessage},
    {int(Errc::NotJson), "json-not-well-formed", "this is not one JSON document", Cause::BadMessage},
    {int(Errc::NumberTooBig), "json-number-too-big", "a JSON number is beyond the range of numbers", Cause::BadMessage},
    {int(Errc::TooDeep), "json-too-deep", "the JSON document is nested deeper than allowed", Cause::BadMessage},
    {int(Errc::TooManyValues), "json-too-many-values", "the JSON document has more values than allowed",
     Cause::BadMessage},
    {int(Errc::DoubledMember), "json-doubled-member", "a JSON object names a member twice", Cause::BadMessage},
    {int(Errc::WrongType), "json-wrong-type", "a JSON member is not of the type it must be", Cause::BadMessage},
    {int(Errc::Missing), "json-member-missing", "a JSON member that must be there is missing", Cause::BadMessage},
};
constinit const ErrorTable errors("gatehouse.json", rows);

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t bytes_addressable = 0xFFFF'FFFFu;

/// What K17 asks for: no recursion, numbers kept as written. Encodings are checked before and behind the parser.
constexpr unsigned parse_flags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;

/// @param refused  what the handler refused, where it was the handler
Errc reason(rapidjson::ParseErrorCode code, Errc refused) {
  switch (code) {
    case rapidjson::kParseErrorTermination: return refused;
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid: return Errc::NotUtf8;
    case rapidjson::kParseErrorNumberTooBig: return Errc::NumberTooBig;
    default: return Errc::NotJson;
  }
}

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errors}; }

/// Takes RapidJSON's events. An event answered with false ends the parse; refused_ says why.
struct Document::Builder {
  Builder(Document& document, const Limits& limits, bool has_escapes)
      : document_(document), limits_(limits), has_escapes_(has_escapes) {}

  bool Null() { return add(Kind::Null); }
  bool Bool(bool value) { return add(value ? Kind::True : Kind::False); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) { return add(Kind::Number, {text, size}); }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return is_text({text, size}) && add(Kind::String, {text, size});
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (!is_text({text, size})) return false;
    name_at_ = keep({text, size});
    name_size_ = size;
    return true;
  }
  bool StartObject() { return open(Kind::Object); }
  bool StartArray() { return open(Kind::Array); }
  bool EndArray(rapidjson::SizeType) {
    close();
    return true;
  }
  bool EndObject(rapidjson::SizeType) {
    const auto object = open_.back();
    close();
    return !names_a_member_twice(object) || refuse(Errc::DoubledMember);
  }
  // Numbers come as text: RapidJSON demands these and never calls them.
  bool Int(int) { return refuse(Errc::NotJson); }
  bool Uint(unsigned) { return refuse(Errc::NotJson); }
  bool Int64(std::int64_t) { return refuse(Errc::NotJson); }
  bool Uint64(std::uint64_t) { return refuse(Errc::NotJson); }
  bool Double(double) { return refuse(Errc::NotJson); }

  Errc refused_ = Errc::NotJson;

 private:
  bool refuse(Errc why) {
    refused_ = why;
    return false;
  }

  /// Escapes can make what the bytes are not: a lone surrogate, a NUL.
  bool is_text(std::string_view text) {
    return !has_escapes_ || (text.find('\0') == std::string_view::npos && is_utf8(text)) || refuse(Errc::NotUtf8);
  }

  std::uint32_t keep(std::string_view text) {
    const auto at = static_cast<std::uint32_t>(document_.text_.size());
    document_.text_ += text;
    return at;
  }

  bool add(Kind kind, std::string_view text = {}) {
    auto& nodes = document_.nodes_;
    if (nodes.size() >= limits_.values) return refuse(Errc::TooManyValues);
    const auto text_at = keep(text);
    nodes.push_back({.kind = kind,
                     .name_at = name_at_,
                     .name_size = name_size_,
                     .text_at = text_at,
                     .text_size = static_cast<std::uint32_t>(text.size()),
                     .next = static_cast<std::uint32_t>(nodes.size() + 1)});
    name_at_ = name_size_ = 0;
    return true;
  }

  bool open(Kind kind) {
    if (open_.size() >= limits_.depth) return refuse(Errc::TooDeep);
    if (!add(kind)) return false;
    open_.push_back(static_cast<std::uint32_t>(document_.nodes_.size() - 1));
    return true;
  }

  void close() {
    document_.nodes_[open_.back()].next = static_cast<std::uint32_t>(document_.nodes_.size());
    open_.pop_back();
  }

  bool names_a_member_twice(std::uint32_t object) {
    const auto& nodes = document_.nodes_;
    names_.clear();
    for (auto at = object + 1; at < nodes[object].next; at = nodes[at].next)
      names_.push_back(document_.name(nodes[at]));
    std::ranges::sort(names_);
    return std::ranges::adjacent_find(names_) != names_.end();
  }

  Document& document_;
  const Limits& limits_;
  const bool has_escapes_;
  std::vector<std::uint32_t> open_;
  std::vector<std::string_view> names_;  ///< of the object that was closed last
  std::uint32_t name_at_ = 0, name_size_ = 0;
};

Result<std::unique_ptr<const Document>> Document::parse(BytesView bytes, const Limits& limits) {
  if (bytes.size() > std::min(limits.bytes, bytes_addressable)) return fail(Errc::TooLarge);
  if (bytes.starts_with(byte_order_mark)) bytes.remove_prefix(byte_order_mark.size());
  if (bytes.find('\0') != BytesView::npos || !is_utf8(bytes)) return fail(Errc::NotUtf8);

  std::unique_ptr<Document> document(new Document);
  document->text_.reserve(bytes.size());
  Builder builder(*document, limits, bytes.find('\\') != BytesView::npos);
  rapidjson::MemoryStream stream(bytes.data(), bytes.size());
  rapidjson::Reader reader;
  const auto parsed = reader.Parse<parse_flags>(stream, builder);
  if (parsed.IsError()) {
    return fail(reason(parsed.Code(), builder.refused_), "at octet " + std::to_string(parsed.Offset()));
  }
  return std::unique_ptr<const Document>(std::move(document));
}

Kind Value::kind() const noexcept { return document_->nodes_[node_].kind; }

std::optional<Value> Value::find(std::string_view member) const noexcept {
  if (!is_object()) return std::nullopt;
  const auto& nodes = document_->nodes_;
  for (auto at = node_ + 1; at < nodes[node_].next; at = nodes[at].next) {
    if (document_->name(nodes[at]) == member) return Value(document_, at);
  }
  return std::nullopt;
}

std::vector<Value> Value::items() const {
  std::vector<Value> items;
  if (!is_array()) return items;
  const auto& nodes = document_->nodes_;
  for (auto at = node_ + 1; at < nodes[node_].next; at = nodes[at].next) items.push_back(Value(document_, at));
  return items;
}

std::vector<Value::Member> Value::members() const {
  std::vector<Member> members;
  if (!is_object()) return members;
  const auto& nodes = document_->nodes_;
  for (auto at = node_ + 1; at < nodes[node_].next; at = nodes[at].next) {
    members.push_back({document_->name(nodes[at]), Value(document_, at)});
  }
  return members;
}

std::optional<std::string_view> Value::string() const noexcept {
  if (!is_string()) return std::nullopt;
  return document_->text(document_->nodes_[node_]);
}

std::optional<std::string_view> Value::number() const noexcept {
  if (kind() != Kind::Number) return std::nullopt;
  return document_->text(document_->nodes_[node_]);
}

std::optional<bool> Value::boolean() const noexcept {
  if (kind() == Kind::True) return true;
  if (kind() == Kind::False) return false;
  return std::nullopt;
}

Result<std::optional<std::string_view>> Value::optional_string(std::string_view member) const {
  const auto found = find(member);
  if (!found) return std::optional<std::string_view>();
  if (!found->is_string()) return fail(Errc::WrongType, std::string(member) + " is no string");
  return found->string();
}

Result<std::string_view> Value::string_member(std::string_view member) const {
  const auto text = TRY(optional_string(member));
  if (!text) return fail(Errc::Missing, std::string(member) + " is missing");
  return *text;
}

Result<std::int64_t> Value::integer_member(std::string_view member) const {
  const auto found = find(member);
  if (!found) return fail(Errc::Missing, std::string(member) + " is missing");
  const auto text = found->number().value_or("");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return fail(Errc::WrongType, std::string(member) + " is no integer of 64 bit");
  }
  return number;
}

}  // namespace base::json
