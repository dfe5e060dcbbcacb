#include "gateway/resources/organization.hpp"

#include "base/ids.hpp"
#include "base/json/writer.hpp"

#include <algorithm>
#include <cctype>
#include <functional>

namespace gateway::resources {
namespace {

using base::json::Value;

base::Error unreadable(std::string_view element) {
  return fail(Errc::FieldUnreadable, "Organization." + std::string(element));
}

std::vector<Value> items_of(Value object, std::string_view member) {
  const auto found = object.find(member);
  return found ? found->items() : std::vector<Value>();
}

Result<std::string> text_of(Value object, std::string_view member) {
  const auto text = object.optional_string(member);
  if (!text) return unreadable(member);
  return std::string(base::trim(text->value_or("")));
}

/// A home by any of its spellings: `Organization/1.2`, `https://…/Organization/1.2`, `urn:oid:1.2`, `1.2`.
Result<std::string> home_of(std::string_view reference, std::string_view element) {
  const auto slash = reference.rfind('/');
  const auto home = base::Oid::parse(slash == std::string_view::npos ? reference : reference.substr(slash + 1));
  if (!home) return unreadable(element);
  return home->dotted();
}

/// The text of an extension's value, of whichever type the profile's versions give it.
std::optional<std::string_view> value_text(Value extension) {
  if (const auto reference = extension.find("valueReference")) {
    if (const auto direct = reference->find("reference")) return direct->string();
    const auto identifier = reference->find("identifier");
    const auto value = identifier ? identifier->find("value") : std::nullopt;
    return value ? value->string() : std::nullopt;
  }
  if (const auto codeable = extension.find("valueCodeableConcept")) {
    const auto codings = items_of(*codeable, "coding");
    const auto code = codings.empty() ? std::nullopt : codings.front().find("code");
    return code ? code->string() : std::nullopt;
  }
  for (const std::string_view holder : {"valueCoding", "valueIdentifier"}) {
    const auto found = extension.find(holder);
    const auto text = found ? found->find(holder == "valueCoding" ? "code" : "value") : std::nullopt;
    if (text) return text->string();
  }
  for (const std::string_view plain : {"valueString", "valueCode", "valueUri", "valueUrl"}) {
    if (const auto text = extension.find(plain)) return text->string();
  }
  return std::nullopt;
}

/// True where the last segment of the extension's address is that name: hosts and paths changed over the years.
bool is_extension(Value extension, std::string_view name) {
  const auto url = extension.find("url");
  const auto text = url ? url->string().value_or("") : std::string_view();
  const auto segment = text.substr(text.find_last_of("/#") + 1);  // npos + 1 is the whole
  return std::ranges::equal(segment, name, [](char a, char b) { return std::tolower(a) == std::tolower(b); });
}

/// Values of all extensions of that name, nested ones included (one level, as the profile nests).
std::vector<std::optional<std::string_view>> extension_texts(Value holder, std::string_view name) {
  std::vector<std::optional<std::string_view>> texts;
  for (const Value extension : items_of(holder, "extension")) {
    const auto parts = items_of(extension, "extension");
    if (is_extension(extension, name) && parts.empty()) texts.push_back(value_text(extension));
    for (const Value part : parts) {
      if (is_extension(extension, name) || is_extension(part, name)) texts.push_back(value_text(part));
    }
  }
  return texts;
}

Result<std::vector<std::string>> homes_of(Value resource, std::string_view extension) {
  std::vector<std::string> homes;
  for (const auto& text : extension_texts(resource, extension)) {
    homes.push_back(TRY(home_of(text.value_or(""), extension)));
  }
  return homes;
}

bool is_hcid(Value identifier) {
  const auto type = identifier.find("type");
  const auto codings = type ? items_of(*type, "coding") : std::vector<Value>();
  return std::ranges::any_of(codings, [](Value coding) {
    const auto code = coding.find("code");
    return code && code->string() == "HCID";
  });
}

Result<std::string> read_home(Value resource) {
  std::vector<std::string> named;
  for (const Value identifier : items_of(resource, "identifier")) {
    if (!is_hcid(identifier)) continue;
    const auto value = TRY(text_of(identifier, "value"));
    named.push_back(TRY(home_of(value, "identifier")));
  }
  const auto id = base::Oid::parse(TRY(text_of(resource, "id")));
  if (id) named.push_back(id->dotted());
  if (named.empty()) return unreadable("identifier");
  // A directory that gives one entry two homes gives the rights of one to the other.
  if (std::ranges::adjacent_find(named, std::not_equal_to<>()) != named.end()) return unreadable("identifier");
  return named.front();
}

Result<std::string> read_type(Value resource) {
  for (const Value type : items_of(resource, "type")) {
    for (const Value coding : items_of(type, "coding")) {
      auto code = TRY(text_of(coding, "code"));
      if (!code.empty()) return code;
    }
  }
  return std::string();
}

Result<DirectoryEndpoint> read_endpoint(Value resource) {
  DirectoryEndpoint endpoint;
  endpoint.address = TRY(text_of(resource, "address"));
  endpoint.status = TRY(text_of(resource, "status"));
  if (const auto type = resource.find("connectionType")) endpoint.connection_type = TRY(text_of(*type, "code"));
  for (const auto& text : extension_texts(resource, "Transaction")) {
    if (text) endpoint.transactions.emplace_back(*text);
  }
  for (const auto& text : extension_texts(resource, "Version")) endpoint.version = text.value_or("");
  return endpoint;
}

void write_texts(base::json::Writer& writer, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  writer.name(name).begin_array();
  for (const auto& text : texts) writer.string(text);
  writer.end_array();
}

std::vector<std::string> read_texts(Value object, std::string_view name) {
  std::vector<std::string> texts;
  for (const Value item : items_of(object, name)) texts.emplace_back(item.string().value_or(""));
  return texts;
}

}  // namespace

Result<DirectoryOrganization> read_organization(Value resource) {
  const auto type = resource.find("resourceType");
  if (!type || type->string() != "Organization") return fail(Errc::NotAnOrganization);
  DirectoryOrganization organization;
  organization.home = TRY(read_home(resource));
  organization.name = TRY(text_of(resource, "name"));
  organization.type = TRY(read_type(resource));
  organization.delegates = TRY(homes_of(resource, "DOA"));
  if (const auto active = resource.find("active")) {
    if (!active->boolean()) return unreadable("active");
    organization.active = *active->boolean();
  }
  if (const auto parent = resource.find("partOf")) {
    const auto reference = TRY(text_of(*parent, "reference"));
    organization.part_of = TRY(home_of(reference, "partOf"));
  }
  const auto managing = TRY(homes_of(resource, "org-managing-org"));
  if (managing.size() > 1) return unreadable("org-managing-org");
  if (!managing.empty()) organization.managing = managing.front();
  for (const Value contained : items_of(resource, "contained")) {
    const auto kind = contained.find("resourceType");
    if (kind && kind->string() == "Endpoint") organization.endpoints.push_back(TRY(read_endpoint(contained)));
  }
  return organization;
}

std::string write_entry(const DirectoryOrganization& organization) {
  base::json::Writer writer;
  writer.begin_object().member("type", organization.type).member("partOf", organization.part_of);
  writer.member("managing", organization.managing);
  write_texts(writer, "delegates", organization.delegates);
  writer.name("endpoints").begin_array();
  for (const auto& endpoint : organization.endpoints) {
    writer.begin_object().member("address", endpoint.address).member("status", endpoint.status);
    writer.member("connectionType", endpoint.connection_type).member("version", endpoint.version);
    write_texts(writer, "transactions", endpoint.transactions);
    writer.end_object();
  }
  return writer.end_array().end_object().text();
}

Result<void> read_entry(std::string_view entry, DirectoryOrganization& into) {
  const auto document = TRY(base::json::Document::parse(entry));
  const auto root = document->root();
  into.type = TRY(text_of(root, "type"));
  into.part_of = TRY(text_of(root, "partOf"));
  into.managing = TRY(text_of(root, "managing"));
  into.delegates = read_texts(root, "delegates");
  into.endpoints.clear();
  for (const Value item : items_of(root, "endpoints")) {
    DirectoryEndpoint endpoint;
    endpoint.address = TRY(text_of(item, "address"));
    endpoint.status = TRY(text_of(item, "status"));
    endpoint.connection_type = TRY(text_of(item, "connectionType"));
    endpoint.transactions = read_texts(item, "transactions");
    endpoint.version = TRY(text_of(item, "version"));
    into.endpoints.push_back(std::move(endpoint));
  }
  return {};
}

}  // namespace gateway::resources
