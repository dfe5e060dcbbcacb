#include "gateway/documents/metadata.hpp"

#include "base/json/document.hpp"
#include "base/json/writer.hpp"
#include "certs/recent.hpp"
#include "gateway/store/database.hpp"

namespace gateway::documents {
namespace {

using base::Code;
using base::fail;
using base::Result;
using base::json::Document;
using base::json::Value;
using base::json::Writer;
using xca::ebxml::Author;
using xca::ebxml::DocumentEntry;
using xca::ebxml::Folder;
using xca::ebxml::SubmissionSet;

// ------------------------------------------------------------------ writing

void write_object(Writer& writer, const Code& code) {
  writer.begin_object().member("code", code.code).member("system", code.system);
  writer.member("display", code.display).end_object();
}

void write(Writer& writer, std::string_view name, const Code& code) {
  writer.name(name);
  write_object(writer, code);
}

void write(Writer& writer, std::string_view name, const std::vector<Code>& codes) {
  writer.name(name).begin_array();
  for (const auto& code : codes) write_object(writer, code);
  writer.end_array();
}

void write(Writer& writer, std::string_view name, const std::vector<std::string>& texts) {
  writer.name(name).begin_array();
  for (const auto& text : texts) writer.string(text);
  writer.end_array();
}

void write(Writer& writer, std::string_view name, const std::vector<Author>& authors) {
  writer.name(name).begin_array();
  for (const auto& author : authors) {
    writer.begin_object().member("person", author.person);
    write(writer, "institution", author.institutions);
    write(writer, "role", author.roles);
    write(writer, "specialty", author.specialties);
    write(writer, "telecom", author.telecoms);
    writer.end_object();
  }
  writer.end_array();
}

// ------------------------------------------------------------------ reading

std::string text(Value object, std::string_view member) {
  const auto found = object.find(member);
  return std::string(found ? found->string().value_or("") : "");
}

std::vector<Value> items(Value object, std::string_view member) {
  const auto found = object.find(member);
  return found ? found->items() : std::vector<Value>();
}

/// A list of texts; a single text is what earlier rows wrote.
std::vector<std::string> texts(Value object, std::string_view member) {
  std::vector<std::string> list;
  if (auto single = text(object, member); !single.empty()) list.push_back(std::move(single));
  for (const Value item : items(object, member)) list.emplace_back(item.string().value_or(""));
  return list;
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

std::vector<Author> authors(Value object) {
  std::vector<Author> list;
  for (const Value one : items(object, "authors")) {
    Author author{.person = text(one, "person")};
    author.institutions = texts(one, "institution");
    author.roles = texts(one, "role");
    author.specialties = texts(one, "specialty");
    author.telecoms = texts(one, "telecom");
    list.push_back(std::move(author));
  }
  return list;
}

Result<DocumentEntry> parse_metadata(std::string_view json) {
  const auto document = Document::parse(json);
  if (!document || !(*document)->root().is_object()) return fail(store::Errc::Unreadable, "documents.metadata");
  const auto root = (*document)->root();
  DocumentEntry entry;
  if (text(root, "objectType") == "on-demand") entry.type = xca::ebxml::EntryType::OnDemand;
  if (entry.type == xca::ebxml::EntryType::Stable) {
    const auto size = root.integer_member("size");
    if (!size || *size < 0) return fail(store::Errc::Unreadable, "documents.metadata size");
    entry.size = static_cast<std::uint64_t>(*size);
  }
  entry.source_patient = {text(root, "sourceRoot"), text(root, "sourceExtension")};
  entry.source_patient_info = texts(root, "sourceInfo");
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
  entry.authors = authors(root);
  entry.legal_authenticator = text(root, "legalAuthenticator");
  entry.uri = text(root, "uri");
  entry.reference_ids = texts(root, "referenceIds");
  return entry;
}

constexpr std::size_t remembered_max = 2048, remembered_octets_max = 8192;

}  // namespace

std::string write_metadata(const DocumentEntry& entry) {
  Writer writer;
  writer.begin_object();
  writer.member("sourceRoot", entry.source_patient.root).member("sourceExtension", entry.source_patient.extension);
  write(writer, "sourceInfo", entry.source_patient_info);
  writer.member("objectType", entry.type == xca::ebxml::EntryType::Stable ? "stable" : "on-demand");
  writer.member("mimeType", entry.mime_type).member("sha1", entry.hash_sha1);
  if (entry.size) writer.name("size").integer(static_cast<std::int64_t>(*entry.size));
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
  write(writer, "authors", entry.authors);
  writer.member("legalAuthenticator", entry.legal_authenticator).member("uri", entry.uri);
  write(writer, "referenceIds", entry.reference_ids);
  writer.end_object();
  return writer.text();
}

std::string write_metadata(const SubmissionSet& set) {
  Writer writer;
  writer.begin_object();
  writer.member("sourceId", set.source_id).member("submissionTime", set.submission_time);
  write(writer, "contentType", set.content_type);
  writer.member("title", set.title).member("comments", set.comments);
  write(writer, "authors", set.authors);
  write(writer, "intendedRecipients", set.intended_recipients);
  writer.end_object();
  return writer.text();
}

std::string write_metadata(const Folder& folder) {
  Writer writer;
  writer.begin_object();
  write(writer, "codes", folder.codes);
  writer.member("title", folder.title).member("comments", folder.comments);
  writer.end_object();
  return writer.text();
}

Result<DocumentEntry> read_metadata(const std::string& json) {
  if (json.size() > remembered_octets_max) return parse_metadata(json);
  static certs::Recent<std::shared_ptr<const DocumentEntry>> known(remembered_max);
  if (const auto entry = known.find(json)) return **entry;
  auto entry = TRY(parse_metadata(json));
  known.keep(json, std::make_shared<const DocumentEntry>(entry));
  return entry;
}

Result<SubmissionSet> read_set_metadata(std::string_view json) {
  const auto document = Document::parse(json);
  if (!document || !(*document)->root().is_object()) return fail(store::Errc::Unreadable, "submission_sets.metadata");
  const auto root = (*document)->root();
  SubmissionSet set;
  set.source_id = text(root, "sourceId");
  set.submission_time = text(root, "submissionTime");
  set.content_type = code(root, "contentType");
  set.title = text(root, "title");
  set.comments = text(root, "comments");
  set.authors = authors(root);
  set.intended_recipients = texts(root, "intendedRecipients");
  return set;
}

Result<Folder> read_folder_metadata(std::string_view json) {
  const auto document = Document::parse(json);
  if (!document || !(*document)->root().is_object()) return fail(store::Errc::Unreadable, "folders.metadata");
  const auto root = (*document)->root();
  Folder folder;
  folder.codes = codes(root, "codes");
  folder.title = text(root, "title");
  folder.comments = text(root, "comments");
  return folder;
}

}  // namespace gateway::documents
