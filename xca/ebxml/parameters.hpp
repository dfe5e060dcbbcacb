#pragma once
// How the parameters of stored queries are read. For the table in queries.cpp alone. [facts/query-exchange §3.1, §3.3]

#include "xca/ebxml/queries.hpp"

namespace xca::ebxml::parameters {

Read<std::string> single(const StoredQuery& query, const Parameter& parameter);
Read<std::vector<std::string>> texts(const StoredQuery& query, const Parameter& parameter);
Read<Slots> text_lists(const StoredQuery& query, const Parameter& parameter);
Read<std::set<Availability>> status(const StoredQuery& query, const Parameter& parameter);
Read<std::set<EntryType>> entry_types(const StoredQuery& query, const Parameter& parameter);
Read<std::string> bound(const StoredQuery& query, const Parameter& parameter);
Read<std::vector<Code>> codes(const StoredQuery& query, const Parameter& parameter);
Read<CodeLists> code_lists(const StoredQuery& query, const Parameter& parameter);
Read<std::vector<std::string>> patterns(const StoredQuery& query, const Parameter& parameter);

Read<void> patient(const StoredQuery& query, const Parameter& parameter, RegistryQuery& into);
Read<void> uuids(const StoredQuery& query, const Parameter& parameter, RegistryQuery& into);
Read<void> unique_ids(const StoredQuery& query, const Parameter& parameter, RegistryQuery& into);
Read<void> association_types(const StoredQuery& query, const Parameter& parameter, RegistryQuery& into);

/// Puts what `reader` reads into `into.*filter.*field`.
template <auto reader, auto filter, auto field>
Read<void> put(const StoredQuery& query, const Parameter& parameter, RegistryQuery& into) {
  auto value = reader(query, parameter);
  if (!value) return value.error();
  into.*filter.*field = std::move(*value);
  return {};
}
template <auto filter, auto range, auto end>
Read<void> put_bound(const StoredQuery& query, const Parameter& parameter, RegistryQuery& into) {
  auto value = bound(query, parameter);
  if (!value) return value.error();
  into.*filter.*range.*end = std::move(*value);
  return {};
}

}  // namespace xca::ebxml::parameters
