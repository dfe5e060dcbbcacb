#include "xca/ebxml/registry_response.hpp"
#include "xca/ebxml/write_objects.hpp"
#include "xca/write.hpp"

// AdhocQueryResponse: status, errors, and objects or references to them. [facts/query-exchange §3.5]

namespace xca::ebxml {
namespace {

namespace ns = soap::ns;

/// Room for one object of each kind, so that a long answer does not move again and again.
constexpr std::size_t octets_per_object = 8192, octets_per_reference = 160;

template <class T>
void append_all(std::string& out, const std::vector<const T*>& objects, ReturnType return_type,
                const std::string& home) {
  for (const T* object : objects) {
    const std::string own = object->home.empty() ? home : home_urn(object->home);
    if (return_type == ReturnType::LeafClass)
      append_object(out, *object, own);
    else
      append_reference(out, object->entry_uuid, own);
  }
}

}  // namespace

std::string home_urn(std::string_view home) {
  std::string urn(home);
  return urn.empty() || urn.starts_with("urn:oid:") ? urn : "urn:oid:" + urn;
}

std::string_view response_status(bool any_object, bool any_error) {
  if (!any_error) return "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success";
  return any_object ? "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"
                    : "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure";
}

void append_errors(std::string& out, const std::vector<RegistryError>& errors, std::string_view home, RsPrefix prefix) {
  constexpr std::string_view severity = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error";
  if (errors.empty()) return;
  open_tag(out, "rs:RegistryErrorList",
           {{"xmlns:rs", prefix == RsPrefix::Declared ? std::string_view() : ns::rs}, {"highestSeverity", severity}});
  const std::string location = home_urn(home);
  for (const RegistryError& error : errors)
    empty_tag(out, "rs:RegistryError",
              {{"codeContext", error.context},
               {"errorCode", name(error.code)},
               {"location", location},
               {"severity", severity}});
  out += "</rs:RegistryErrorList>";
}

Objects objects_of(const RegistryObjects& registry) {
  Objects objects;
  for (const auto& one : registry.entries) objects.entries.push_back(&one);
  for (const auto& one : registry.sets) objects.sets.push_back(&one);
  for (const auto& one : registry.folders) objects.folders.push_back(&one);
  for (const auto& one : registry.associations) objects.associations.push_back(&one);
  return objects;
}

std::string write_query_answer(const QueryOutcome& outcome, ReturnType return_type, std::string_view home) {
  const Objects& objects = outcome.objects;
  const std::string ours = home_urn(home);
  std::string out;
  out.reserve(1024 + objects.count() *
                         (return_type == ReturnType::LeafClass ? octets_per_object : octets_per_reference));
  open_tag(out, "query:AdhocQueryResponse",
           {{"xmlns:query", ns::query}, {"status", response_status(objects.count() > 0, !outcome.errors.empty())}});
  append_errors(out, outcome.errors, home, RsPrefix::Undeclared);
  open_tag(out, "rim:RegistryObjectList", {{"xmlns:rim", ns::rim}});
  append_all(out, objects.entries, return_type, ours);
  append_all(out, objects.sets, return_type, ours);
  append_all(out, objects.folders, return_type, ours);
  append_all(out, objects.associations, return_type, ours);
  out += "</rim:RegistryObjectList></query:AdhocQueryResponse>";
  return out;
}

}  // namespace xca::ebxml
