#include "xca/hl7v3/echo.hpp"

#include "base/xml/canonical.hpp"
#include "xca/hl7v3/echo_types.hpp"
#include "xca/soap/envelope.hpp"

#include <optional>
#include <vector>

namespace xca::hl7v3 {
namespace {

using base::xml::Element;
using schema::AttributeRule;
using schema::ChildRule;
using schema::Model;
using schema::T;
using schema::Times;
using schema::Type;

/// The type that xsi:type gives an element in place of the declared one; nothing where it may not.
const Type* named_type(const Element& element, const Type& declared) {
  if (declared.name.empty()) return nullptr;
  const auto written = element.attribute(soap::ns::xsi, "type");
  if (!written) return nullptr;
  std::string_view name = *written;
  std::string_view prefix;
  if (const std::size_t colon = name.find(':'); colon != std::string_view::npos) {
    prefix = name.substr(0, colon);
    name.remove_prefix(colon + 1);
  }
  if (element.namespace_of_prefix(prefix).value_or("") != soap::ns::hl7) return nullptr;
  const Type* type = schema::type_named(name);
  return type && !type->abstract && schema::derives(*type, declared.type) ? type : nullptr;
}

bool same_name(std::string_view written, std::string_view name, bool any_first_letter) {
  if (written == name) return true;
  return any_first_letter && !written.empty() && (written[0] | 0x20) == name[0] && written.substr(1) == name.substr(1);
}

struct Child {
  std::string_view name;
  Element element;
};

/// Whether xmlns:xsi has been written on an element around.
enum class Xsi { NotYet, Declared };

class Echo {
 public:
  explicit Echo(std::string& out) : out_(out) {}
  void element(const Element& element, const ChildRule& rule, Xsi around);

 private:
  void attributes(const Element& element, const Type& type, const ChildRule& rule);
  void content(const Element& element, const Type& type, Xsi around);
  void sequence(const std::vector<Child>& children, const Type& type, Xsi around);
  void interval(const std::vector<Child>& children, Xsi around);
  std::string& out_;
};

void Echo::element(const Element& element, const ChildRule& rule, Xsi around) {
  const Type& declared = schema::type_of(rule.type);
  const Type* named = named_type(element, declared);
  if (!named && declared.abstract) named = schema::type_named(rule.code);
  const Type& type = named ? *named : declared;
  out_ += '<';
  out_ += rule.name;
  if (named && around == Xsi::NotYet) out_ += " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
  attributes(element, type, rule);
  if (named) {
    out_ += " xsi:type=\"";
    out_ += named->name;
    out_ += '"';
    around = Xsi::Declared;
  }
  out_ += '>';
  content(element, type, around);
  out_ += "</";
  out_ += rule.name;
  out_ += '>';
}

void Echo::attributes(const Element& element, const Type& type, const ChildRule& rule) {
  for (const AttributeRule& attribute : type.attributes) {
    const auto value = element.attribute(attribute.name);
    if (!value || !(attribute.allows ? attribute.allows(*value) : *value == rule.code)) continue;
    out_ += ' ';
    out_ += attribute.name;
    out_ += "=\"";
    base::xml::append_attribute(out_, *value);
    out_ += '"';
  }
}

void Echo::content(const Element& element, const Type& type, Xsi around) {
  if (type.text && !element.first_child()) {
    if (const auto text = element.text()) base::xml::append_text(out_, *text);
    return;
  }
  if (type.parts.empty() && type.children.empty()) return;
  std::vector<Child> children;
  children.reserve(8);
  for (auto child = element.first_child(); child; child = child->next_sibling())
    if (child->namespace_uri() == soap::ns::hl7) children.push_back({child->local_name(), *child});
  if (type.model == Model::Interval)
    interval(children, around);
  else
    sequence(children, type, around);
}

void Echo::sequence(const std::vector<Child>& children, const Type& type, Xsi around) {
  if (!type.parts.empty())
    for (const Child& child : children)
      for (const ChildRule& part : type.parts)
        if (child.name == part.name) element(child.element, part, around);
  for (const ChildRule& rule : type.children) {
    bool written = false;
    for (const Child& child : children) {
      if (written && rule.times == Times::Once) break;
      if (!same_name(child.name, rule.name, type.any_first_letter)) continue;
      element(child.element, rule, around);
      written = true;
    }
    if (!written) out_ += rule.filler;
  }
}

/// IVL_TS allows low, high, low–width, low–high, width, width–high, center, center–width.
void Echo::interval(const std::vector<Child>& children, Xsi around) {
  const auto& rules = schema::type_of(T::IvlTs).children;
  const ChildRule &low = rules[0], &center = rules[1], &width = rules[2], &high = rules[3];
  const auto find = [&](const ChildRule& rule) {
    for (const Child& child : children)
      if (child.name == rule.name) return std::optional(child.element);
    return std::optional<Element>();
  };
  const auto has_low = find(low), has_center = find(center), has_width = find(width), has_high = find(high);
  if (has_low) {
    element(*has_low, low, around);
    if (has_high)
      element(*has_high, high, around);
    else if (has_width)
      element(*has_width, width, around);
  } else if (has_center && !has_high) {
    element(*has_center, center, around);
    if (has_width) element(*has_width, width, around);
  } else {
    if (has_width) element(*has_width, width, around);
    if (has_high) element(*has_high, high, around);
  }
}

}  // namespace

std::string echo(const Element& query_by_parameter) {
  std::string out;
  out.reserve(2048);
  Echo(out).element(query_by_parameter, {"queryByParameter", T::Query}, Xsi::NotYet);
  return out;
}

}  // namespace xca::hl7v3
