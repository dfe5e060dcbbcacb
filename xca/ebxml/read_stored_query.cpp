#include "xca/ebxml/registry.hpp"
#include "xca/soap/hidden.hpp"

#include <algorithm>

// AdhocQueryRequest as slots of texts: quotes, lists and identifiers are read here, meanings elsewhere.
// [facts/query-exchange §3.1; quirks.md]

namespace xca::ebxml {
namespace {

using base::fail;
using base::trim;
using base::xml::Element;
namespace ns = soap::ns;

constexpr std::string_view white_space = " \t\r\n";

/// The quoted text at the beginning of `list`, taken off it. A quote that neither a separator follows nor another quote
/// is taken as the apostrophe it is.
std::string take_quoted(std::string_view& list) {
  const char quote = list.front();
  std::string text;
  std::size_t at = 1;
  for (; at < list.size(); ++at) {
    if (list[at] != quote) {
      text += list[at];
      continue;
    }
    if (at + 1 < list.size() && list[at + 1] == quote) {
      text += list[at++];
      continue;
    }
    const std::size_t next = list.find_first_not_of(white_space, at + 1);
    if (next == std::string_view::npos || list[next] == ',' || list[next] == ')') break;
    text += list[at];
  }
  list.remove_prefix(std::min(list.find(',', at), list.size()));
  return text;
}

/// The unquoted text at the beginning of `list`, taken off it.
std::string take_bare(std::string_view& list) {
  const std::size_t end = std::min(list.find(','), list.size());
  const std::string text(trim(list.substr(0, end)));
  list.remove_prefix(end);
  return text;
}

/// One rim:Value: `(v1,v2)`, `v`, or what peers write instead. Empty values are nobody's.
Result<void> append_values(std::string_view list, const QueryLimits& limits, std::size_t& total,
                           std::vector<std::string>& values) {
  list = trim(list);
  if (list.starts_with('(')) list.remove_prefix(1);
  if (list.ends_with(')')) list.remove_suffix(1);
  while (true) {
    list = trim(list);
    if (list.empty()) return {};
    std::string value = list.front() == '\'' || list.front() == '"' ? take_quoted(list) : take_bare(list);
    if (list.starts_with(',')) list.remove_prefix(1);
    if (value.size() > limits.value_characters) return fail(Errc::BadSlot, "value too long");
    if (value.empty()) continue;
    if (++total > limits.values_per_query) return fail(Errc::TooManyValues, "values");
    values.push_back(std::move(value));
  }
}

Result<void> read_slot(const Element& slot, const QueryLimits& limits, std::size_t& total, StoredQuery& query) {
  const std::string_view name = trim(slot.attribute("name").value_or(std::string_view()));
  if (name.empty() || name.size() > 256) return fail(Errc::BadSlot, "name");
  std::vector<std::string> values;
  for (auto list = slot.first_child(); list; list = list->next_sibling()) {
    if (!list->is(ns::rim, "ValueList")) continue;
    for (auto value = list->first_child(); value; value = value->next_sibling()) {
      if (!value->is(ns::rim, "Value")) continue;
      const auto text = value->text();
      if (!text) return fail(Errc::BadSlot, "elements in a value");
      TRY(append_values(*text, limits, total, values));
    }
  }
  // Names are kept as they are sent; what identifies may hold nothing that nobody sees. [threats.md X10]
  if (!name.ends_with("AuthorPerson") && std::ranges::any_of(values, soap::has_hidden_characters))
    return fail(Errc::BadSlot, "hidden characters in a value");
  auto known = query.parameters.find(name);
  if (known == query.parameters.end())
    known = query.parameters.emplace(std::string(name), std::vector<std::vector<std::string>>{}).first;
  if (!values.empty()) known->second.push_back(std::move(values));
  return {};
}

/// A query id without urn:uuid:, white space and capitals.
std::string read_id(std::string_view written) {
  std::string id;
  for (const char c : written)
    if (white_space.find(c) == std::string_view::npos) id += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  if (id.starts_with("urn:uuid:")) id.erase(0, 9);
  return id;
}

}  // namespace

Result<StoredQuery> read_stored_query(const Element& payload, const QueryLimits& limits) {
  if (!payload.is(ns::query, "AdhocQueryRequest")) return fail(Errc::NotAQuery, "another payload");
  const auto option = TRY(payload.optional_child(ns::query, "ResponseOption"));
  const auto adhoc = TRY(payload.only_child(ns::rim, "AdhocQuery"));
  StoredQuery query;
  if (option) query.return_type = trim(option->attribute("returnType").value_or(std::string_view()));
  query.id = read_id(adhoc.attribute("id").value_or(std::string_view()));
  std::string_view home = trim(adhoc.attribute("home").value_or(std::string_view()));
  if (home.starts_with("urn:oid:")) home.remove_prefix(8);
  if (query.id.size() > 256 || home.size() > 256) return fail(Errc::BadSlot, "id or home too long");
  query.home = home;
  std::size_t slots = 0, total = 0;
  for (auto slot = adhoc.first_child(); slot; slot = slot->next_sibling()) {
    if (!slot->is(ns::rim, "Slot")) continue;
    if (++slots > limits.slots) return fail(Errc::TooManyValues, "slots");
    TRY(read_slot(*slot, limits, total, query));
  }
  return query;
}

std::optional<ReturnType> return_kind(const StoredQuery& query) {
  if (query.return_type == "LeafClass") return ReturnType::LeafClass;
  if (query.return_type == "ObjectRef") return ReturnType::ObjectRef;
  return std::nullopt;
}

}  // namespace xca::ebxml
