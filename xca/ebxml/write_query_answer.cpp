#include "xca/ebxml/registry.hpp"
#include "xca/ebxml/registry_response.hpp"
#include "xca/write.hpp"

#include <cstdio>

// DocumentEntry as rim:ExtrinsicObject. [facts/query-exchange §3.5, §3.7; ITI TF-3 §4.2.3.2]

namespace xca::ebxml {
namespace {

namespace ns = soap::ns;

constexpr std::string_view classification_type =
    "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Classification";
constexpr std::string_view external_identifier_type =
    "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:ExternalIdentifier";
constexpr std::string_view stable_type = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1";
constexpr std::string_view on_demand_type = "urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248";

constexpr std::string_view author_scheme = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d";
constexpr std::string_view class_scheme = "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a";
constexpr std::string_view confidentiality_scheme = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f";
constexpr std::string_view event_scheme = "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4";
constexpr std::string_view format_scheme = "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d";
constexpr std::string_view facility_scheme = "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1";
constexpr std::string_view practice_scheme = "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead";
constexpr std::string_view type_scheme = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983";
constexpr std::string_view patient_id_scheme = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427";
constexpr std::string_view unique_id_scheme = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab";

constexpr std::size_t value_characters_max = 256, localized_characters_max = 1024;  // rim.xsd

/// The beginning of a text, cut between characters: the schema bounds what people typed.
std::string_view cut(std::string_view text, std::size_t characters_max) {
  if (text.size() <= characters_max) return text;
  std::size_t counted = 0;
  for (std::size_t at = 0; at < text.size(); ++at)
    if ((static_cast<unsigned char>(text[at]) & 0xC0u) != 0x80u && ++counted > characters_max)
      return text.substr(0, at);
  return text;
}

/// Ids of the objects inside one entry: the same for the same entry, another for each, in the form of a UUID of
/// version 8. [RFC 9562 §5.8]
class InnerIds {
 public:
  explicit InnerIds(std::string_view entry_uuid)
      : high_(hash(entry_uuid, 0xcbf29ce484222325u)), low_(hash(entry_uuid, 0x9e3779b97f4a7c15u)) {}

  std::string next() {
    ++ordinal_;
    const std::uint64_t a = mixed(high_ + ordinal_), b = mixed(low_ ^ (ordinal_ << 32u));
    char text[46];
    std::snprintf(text, sizeof text, "urn:uuid:%08x-%04x-8%03x-%04x-%012llx", static_cast<unsigned>(a >> 32u),
                  static_cast<unsigned>((a >> 16u) & 0xffffu), static_cast<unsigned>(a & 0xfffu),
                  static_cast<unsigned>(0x8000u | ((b >> 48u) & 0x3fffu)),
                  static_cast<unsigned long long>(b & 0xffffffffffffu));
    return text;
  }

 private:
  static std::uint64_t hash(std::string_view text, std::uint64_t state) {  // FNV-1a
    for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return state;
  }
  static std::uint64_t mixed(std::uint64_t x) {  // the finalizer of SplitMix64
    x = (x ^ (x >> 30u)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27u)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31u);
  }
  std::uint64_t high_, low_, ordinal_ = 0;
};

void append_slot(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  open_tag(out, "rim:Slot", {{"name", name}});
  out += "<rim:ValueList>";
  text_tag(out, "rim:Value", cut(value, value_characters_max));
  out += "</rim:ValueList></rim:Slot>";
}

void append_slot(std::string& out, std::string_view name, const std::vector<std::string>& values) {
  if (values.empty()) return;
  open_tag(out, "rim:Slot", {{"name", name}});
  out += "<rim:ValueList>";
  for (const std::string& value : values) text_tag(out, "rim:Value", cut(value, value_characters_max));
  out += "</rim:ValueList></rim:Slot>";
}

void append_localized(std::string& out, std::string_view element, std::string_view text) {
  if (text.empty()) return;
  open_tag(out, element);
  empty_tag(out, "rim:LocalizedString", {{"value", cut(text, localized_characters_max)}});
  close_tag(out, element);
}

/// One entry being written.
struct EntryText {
  std::string& out;
  const DocumentEntry& entry;
  InnerIds ids;

  void slots();
  void open_classification(std::string_view scheme, std::string_view representation);
  void code(std::string_view scheme, const Code& code);
  void author(const Author& author);
  void classifications();
  void external_identifier(std::string_view scheme, std::string_view name, std::string_view value);
};

void EntryText::slots() {
  const bool stable = entry.type == EntryType::Stable;
  if (stable) append_slot(out, "creationTime", entry.creation_time);
  if (stable) append_slot(out, "hash", entry.hash_sha1);
  append_slot(out, "languageCode", entry.language);
  append_slot(out, "legalAuthenticator", entry.legal_authenticator);
  append_slot(out, "repositoryUniqueId", entry.repository_id);
  append_slot(out, "serviceStartTime", entry.service_start);
  append_slot(out, "serviceStopTime", entry.service_stop);
  if (stable) append_slot(out, "size", std::to_string(entry.size));
  if (entry.source_patient != base::Identifier{})
    append_slot(out, "sourcePatientId", base::write_cx(entry.source_patient));
  append_slot(out, "sourcePatientInfo", entry.source_patient_info);
}

void EntryText::open_classification(std::string_view scheme, std::string_view representation) {
  open_tag(out, "rim:Classification",
           {{"classificationScheme", scheme},
            {"classifiedObject", entry.entry_uuid},
            {"id", ids.next()},
            {"nodeRepresentation", representation},
            {"objectType", classification_type}});
}

void EntryText::code(std::string_view scheme, const Code& code) {
  if (code.code.empty()) return;
  open_classification(scheme, cut(code.code, value_characters_max));
  append_slot(out, "codingScheme", code.system);
  append_localized(out, "rim:Name", code.display.empty() ? code.code : code.display);
  out += "</rim:Classification>";
}

void EntryText::author(const Author& author) {
  if (author.person.empty() && author.institution.empty()) return;
  open_classification(author_scheme, "");
  append_slot(out, "authorInstitution", author.institution);
  append_slot(out, "authorPerson", author.person);
  append_slot(out, "authorRole", author.role);
  append_slot(out, "authorSpecialty", author.specialty);
  out += "</rim:Classification>";
}

void EntryText::classifications() {
  for (const Author& one : entry.authors) author(one);
  code(class_scheme, entry.class_code);
  for (const Code& one : entry.confidentiality_codes) code(confidentiality_scheme, one);
  for (const Code& one : entry.event_codes) code(event_scheme, one);
  code(format_scheme, entry.format_code);
  code(facility_scheme, entry.facility_type);
  code(practice_scheme, entry.practice_setting);
  code(type_scheme, entry.type_code);
}

void EntryText::external_identifier(std::string_view scheme, std::string_view name, std::string_view value) {
  open_tag(out, "rim:ExternalIdentifier",
           {{"id", ids.next()},
            {"identificationScheme", scheme},
            {"objectType", external_identifier_type},
            {"registryObject", entry.entry_uuid},
            {"value", cut(value, value_characters_max)}});
  append_localized(out, "rim:Name", name);
  out += "</rim:ExternalIdentifier>";
}

std::string home_of(const DocumentEntry& entry, std::string_view home) {
  return home_urn(entry.home.empty() ? home : std::string_view(entry.home));
}

void append_entry(std::string& out, const DocumentEntry& entry, std::string_view home) {
  EntryText text{out, entry, InnerIds(entry.entry_uuid)};
  open_tag(
      out, "rim:ExtrinsicObject",
      {{"home", home_of(entry, home)},
       {"id", entry.entry_uuid},
       {"isOpaque", "false"},
       {"mimeType", cut(entry.mime_type, value_characters_max)},
       {"objectType", entry.type == EntryType::Stable ? stable_type : on_demand_type},
       {"status", entry.status == Availability::Approved ? "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
                                                         : "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated"}});
  text.slots();
  append_localized(out, "rim:Name", entry.title);
  append_localized(out, "rim:Description", entry.comments);
  text.classifications();
  text.external_identifier(patient_id_scheme, "XDSDocumentEntry.patientId", base::write_cx(entry.patient));
  text.external_identifier(unique_id_scheme, "XDSDocumentEntry.uniqueId", entry.unique_id);
  out += "</rim:ExtrinsicObject>";
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

std::string write_query_answer(const QueryOutcome& outcome, ReturnType return_type, std::string_view home) {
  std::string out;
  out.reserve(1024 + outcome.entries.size() * (return_type == ReturnType::LeafClass ? 6144 : 160));
  open_tag(
      out, "query:AdhocQueryResponse",
      {{"xmlns:query", ns::query}, {"status", response_status(!outcome.entries.empty(), !outcome.errors.empty())}});
  append_errors(out, outcome.errors, home, RsPrefix::Undeclared);
  open_tag(out, "rim:RegistryObjectList", {{"xmlns:rim", ns::rim}});
  for (const DocumentEntry& entry : outcome.entries) {
    if (return_type == ReturnType::LeafClass)
      append_entry(out, entry, home);
    else
      empty_tag(out, "rim:ObjectRef", {{"home", home_of(entry, home)}, {"id", entry.entry_uuid}});
  }
  out += "</rim:RegistryObjectList></query:AdhocQueryResponse>";
  return out;
}

}  // namespace xca::ebxml
