#pragma once
// Every way to look at a document, held against each other.

#include "base/xml/document.hpp"
#include "fuzz/target.hpp"

namespace fuzz {

inline void walk(const base::xml::Element& element) {
  for (const auto& [ns, name, value] : element.attributes()) {
    const auto found = ns.empty() ? element.attribute(name) : element.attribute(ns, name);
    hold(found == value, "an attribute that is not found by its name");
  }
  hold(!element.attribute("no such attribute"), "an attribute that is not there");
  const auto children = element.children();
  hold(element.text().has_value() == children.empty(), "text of an element with children");
  if (const auto trimmed = element.trimmed_text(); trimmed)
    hold(trimmed->empty() != element.has_stray_text(), "blank text that is stray, or text that is not");
  hold(element.namespace_of_prefix("xml").has_value(), "the prefix xml is not bound");
  (void)element.namespace_of_prefix("");
  (void)element.namespace_of_prefix("wsu");
  for (const auto& child : children) {
    hold(child.parent() == element, "a child of another parent");
    const auto ns = child.namespace_uri();
    const auto same = element.children(ns, child.local_name());
    hold(element.first_child(ns, child.local_name()) == same.front(), "two first children");
    hold(element.only_child(ns, child.local_name()).has_value() == (same.size() == 1), "an only child of several");
    hold(!element.only_child(ns, "no such child").has_value(), "a child that is not there");
  }
}

/// The root and everything below it, as far as it is small.
inline void walk(const base::xml::Document& document) {
  std::size_t left = 200;
  std::vector<base::xml::Element> open{document.root()};
  while (!open.empty() && left-- > 0) {
    const auto element = open.back();
    open.pop_back();
    walk(element);
    for (const auto& id : {element.attribute("ID"), element.attribute("Id"), element.attribute("AssertionID")})
      if (id) hold(document.element_by_id(*id) == element, "an element that is not found by its identifier");
    for (const auto& child : element.children()) open.push_back(child);
  }
  hold(!document.element_by_id("no such identifier"), "an identifier that is not there");
}

}  // namespace fuzz
