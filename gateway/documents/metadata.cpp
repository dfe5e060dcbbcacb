// documents.metadata: a DocumentEntry as JSON, without what the row and the clinic say.

#include "base/json/document.hpp"
#include "base/json/writer.hpp"
#include "gateway/documents/cda.hpp"
#include "gateway/store/database.hpp"

namespace gateway::documents {
namespace {

using base::json::Value;
using base::json::Writer;
using xca::ebxml::DocumentEntry;

void write(Writer& writer, std::string_view name, const Code& code) {
  writer.name(name).begin_object().member("code", code.code).member("system", code.system);
  writer.member("display", code.display).end_object();
}

void write(Writer& writer, std::string_view name, const std::vector<Code>& codes) {
  writer.name(name).begin_array();
  for (const auto& code : codes) {
    writer.begin_object().member("code", code.code).member("system", code.system);
    writer.member("display", code.display).end_object();
  }
  writer.end_array();
}

std::string text(Value object, std::string_view member) {
  const auto found = object.find(member);
  return std::string(found ? found->string().value_or("") : "");
}

std::vector<Value> items(Value object, std::string_view member) {
  const auto found = object.find(member);
  return found ? found->items() : std::vector<Value>();
}

Code code_of(Value value) { return {text(value, "code"), text(value, "system"), text(value, "display")}; }

Code code(Value object, std::string_view member) {
  const auto found = object.find(member);
  return found ? code_of(*found) : Code{};
}

std::vector<Code> codes(Value object, std::string_view member) {
  std::vector<Code> list;
  for (const Value item : items(object, member)) list.push_back(code_of(item));
  return list;
}

}  // namespace

std::string write_metadata(const DocumentEntry& entry) {
  Writer writer;
  writer.begin_object();
  writer.member("sourceRoot", entry.source_patient.root).member("sourceExtension", entry.source_patient.extension);
  writer.name("sourceInfo").begin_array();
  for (const auto& line : entry.source_patient_info) writer.string(line);
  writer.end_array();
  writer.member("mimeType", entry.mime_type).member("sha1", entry.hash_sha1);
  writer.name("size").integer(static_cast<std::int64_t>(entry.size));
  writer.member("creationTime", entry.creation_time).member("serviceStart", entry.service_start);
  writer.member("serviceStop", entry.service_stop).member("language", entry.language);
  writer.member("title", entry.title).member("comments", entry.comments);
  write(writer, "class", entry.class_code);
  write(writer, "type", entry.type_code);
  write(writer, "format", entry.format_code);
  write(writer, "facility", entry.facility_type);
  write(writer, "practice", entry.practice_setting);
  write(writer, "confidentiality", entry.confidentiality_codes);
  write(writer, "events", entry.event_codes);
  writer.name("authors").begin_array();
  for (const auto& author : entry.authors) {
    writer.begin_object().member("person", author.person).member("institution", author.institution);
    writer.member("role", author.role).member("specialty", author.specialty).end_object();
  }
  writer.end_array().member("legalAuthenticator", entry.legal_authenticator).end_object();
  return writer.text();
}

Result<DocumentEntry> read_metadata(std::string_view json) {
  const auto document = base::json::Document::parse(json);
  if (!document || !(*document)->root().is_object()) return fail(store::Errc::Unreadable, "documents.metadata");
  const auto root = (*document)->root();
  DocumentEntry entry;
  const auto size = root.integer_member("size");
  if (!size || *size < 0) return fail(store::Errc::Unreadable, "documents.metadata size");
  entry.size = static_cast<std::uint64_t>(*size);
  entry.source_patient = {text(root, "sourceRoot"), text(root, "sourceExtension")};
  for (const Value line : items(root, "sourceInfo")) entry.source_patient_info.emplace_back(line.string().value_or(""));
  entry.mime_type = text(root, "mimeType");
  entry.hash_sha1 = text(root, "sha1");
  entry.creation_time = text(root, "creationTime");
  entry.service_start = text(root, "serviceStart");
  entry.service_stop = text(root, "serviceStop");
  entry.language = text(root, "language");
  entry.title = text(root, "title");
  entry.comments = text(root, "comments");
  entry.class_code = code(root, "class");
  entry.type_code = code(root, "type");
  entry.format_code = code(root, "format");
  entry.facility_type = code(root, "facility");
  entry.practice_setting = code(root, "practice");
  entry.confidentiality_codes = codes(root, "confidentiality");
  entry.event_codes = codes(root, "events");
  for (const Value author : items(root, "authors")) {
    entry.authors.push_back(
        {text(author, "person"), text(author, "institution"), text(author, "role"), text(author, "specialty")});
  }
  entry.legal_authenticator = text(root, "legalAuthenticator");
  return entry;
}

}  // namespace gateway::documents
