#pragma once
// AdhocQueryRequests to vary. For *_test.cpp only.

#include "base/shared_samples.hpp"
#include "xca/ebxml/queries.hpp"

#include <gtest/gtest.h>

namespace xca::ebxml {

/// The id of a query by its name, as the table has it.
inline std::string id_of(std::string_view name) {
  for (const StoredQueryRow& row : stored_queries())
    if (row.name == name) return std::string(row.id);
  throw std::logic_error("no such stored query");
}

inline std::string slot(const std::string& name, const std::vector<std::string>& values) {
  std::string text = "<r:Slot name=\"" + name + "\"><r:ValueList>";
  for (const std::string& value : values) text += "<r:Value>" + base::xml::escape_text(value) + "</r:Value>";
  return text + "</r:ValueList></r:Slot>";
}

inline std::string adhoc_query(const std::string& slots, const std::string& id = id_of("FindDocuments"),
                               const std::string& attributes = R"(home="urn:oid:2.999.7")") {
  return R"(<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" )"
         R"(xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><q:ResponseOption returnType="LeafClass"/>)"
         R"(<r:AdhocQuery id=")" +
         id + "\" " + attributes + ">" + slots + "</r:AdhocQuery></q:AdhocQueryRequest>";
}

inline Result<StoredQuery> read(const std::string& message, const QueryLimits& limits = {}) {
  const auto document = base::xml::Document::parse(message);
  if (!document) return document.error();
  auto payload = document->root();
  if (const auto body = payload.first_child(soap::ns::soap, "Body")) payload = *body->first_child();
  return read_stored_query(payload, limits);
}

/// A query as its own row reads it; the test fails with the error where it does not.
inline RegistryQuery understood(const std::string& name, const std::string& slots) {
  auto read_it = read_query(*read(adhoc_query(slots, id_of(name))));
  if (const auto* error = std::get_if<RegistryError>(&read_it))
    throw std::runtime_error(std::string(ebxml::name(error->code)) + " " + error->context);
  return std::get<RegistryQuery>(std::move(read_it));
}
/// The registry error that answers a query, `XDSCode context`; empty where it is understood.
inline std::string refusal_of(const std::string& name, const std::string& slots) {
  const auto read_it = read_query(*read(adhoc_query(slots, id_of(name))));
  const auto* error = std::get_if<RegistryError>(&read_it);
  return error ? std::string(ebxml::name(error->code)) + " " + error->context : "";
}

}  // namespace xca::ebxml
