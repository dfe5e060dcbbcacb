#pragma once
// A JSON document read once, by RapidJSON, with the limits and refusals that it leaves to its caller (threats K17,
// F01–F04): depth, doubled members, bytes that are no UTF-8, NUL, anything after the document. [RFC 8259]
// Numbers stay the text they were. RapidJSON's types stay in document.cpp.

#include "base/bytes.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace base::json {

enum class Errc {
  TooLarge = 1,   ///< bytes above limits.bytes
  NotUtf8,        ///< ill-formed UTF-8, also by escapes (a lone surrogate), or a NUL in any form
  NotJson,        ///< refused by the parser, or text after the document
  NumberTooBig,   ///< no double could hold it (1e400)
  TooDeep,        ///< arrays and objects nested above limits.depth
  TooManyValues,  ///< values above limits.values
  DoubledMember,  ///< one member name twice in an object: two readers would see two documents
  WrongType,      ///< a member that is not of the type asked for
  Missing,        ///< a member that must be there
};
boost::system::error_code make_error_code(Errc) noexcept;

/// What one document may cost.
struct Limits {
  std::size_t bytes = 32u << 20;
  std::size_t depth = 64;
  std::size_t values = 1'000'000;  ///< objects, arrays, members and items together
};

enum class Kind : std::uint8_t { Null, False, True, Number, String, Array, Object };

class Document;

/// A view of one value; valid as long as its Document. Cheap to copy.
class Value {
 public:
  Kind kind() const noexcept;
  bool is_object() const noexcept { return kind() == Kind::Object; }
  bool is_array() const noexcept { return kind() == Kind::Array; }
  bool is_string() const noexcept { return kind() == Kind::String; }

  /// The member of that name; nothing where there is none or this is no object.
  std::optional<Value> find(std::string_view member) const noexcept;
  /// The items of an array; empty for anything else.
  std::vector<Value> items() const;
  /// The members of an object in document order; empty for anything else.
  struct Member;
  std::vector<Member> members() const;

  /// The characters of a string; nothing for anything else.
  std::optional<std::string_view> string() const noexcept;
  /// A number as it was written (`1.10`); nothing for anything else.
  std::optional<std::string_view> number() const noexcept;
  std::optional<bool> boolean() const noexcept;

  /// find(member) as a string. @error Errc::WrongType where it is something else; nothing where it is absent
  Result<std::optional<std::string_view>> optional_string(std::string_view member) const;
  /// @error Errc::Missing, Errc::WrongType
  Result<std::string_view> string_member(std::string_view member) const;
  /// find(member) as an integer. @error Errc::Missing, Errc::WrongType (also for 1.0, 1e3 and what exceeds 64 bit)
  Result<std::int64_t> integer_member(std::string_view member) const;

 private:
  friend class Document;
  Value(const Document* document, std::uint32_t node) noexcept : document_(document), node_(node) {}
  const Document* document_;
  std::uint32_t node_;
};
struct Value::Member {
  std::string_view name;
  Value value;
};

/// A parsed document. Views depend on its place in memory: held by pointer, neither copied nor moved.
class Document {
 public:
  /// A UTF-8 byte order mark is tolerated. @error Errc::TooLarge … Errc::DoubledMember
  static Result<std::unique_ptr<const Document>> parse(BytesView bytes, const Limits& limits = {});
  Value root() const noexcept { return {this, 0}; }
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

 private:
  friend class Value;
  struct Builder;
  struct Node {
    Kind kind;
    std::uint32_t name_at, name_size;  ///< member name in text_
    std::uint32_t text_at, text_size;  ///< string or number in text_
    std::uint32_t next;                ///< node after this one and everything in it
  };
  Document() = default;
  std::string_view name(const Node& node) const { return std::string_view(text_).substr(node.name_at, node.name_size); }
  std::string_view text(const Node& node) const { return std::string_view(text_).substr(node.text_at, node.text_size); }
  std::vector<Node> nodes_;  ///< in document order, the root first
  std::string text_;
};

}  // namespace base::json

namespace boost::system {
template <>
struct is_error_code_enum<base::json::Errc> : std::true_type {};
}  // namespace boost::system
