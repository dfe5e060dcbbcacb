#pragma once
// AdhocQueryRequests to vary. For *_test.cpp only.

#include "base/shared_samples.hpp"
#include "xca/ebxml/registry.hpp"

#include <gtest/gtest.h>

namespace xca::ebxml {

inline std::string slot(const std::string& name, const std::vector<std::string>& values) {
  std::string text = "<r:Slot name=\"" + name + "\"><r:ValueList>";
  for (const std::string& value : values) text += "<r:Value>" + base::xml::escape_text(value) + "</r:Value>";
  return text + "</r:ValueList></r:Slot>";
}

inline std::string adhoc_query(const std::string& slots, const std::string& id = std::string(find_documents),
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

}  // namespace xca::ebxml
