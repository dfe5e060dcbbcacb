#include "xca/ebxml/write_objects.hpp"

#include "xca/ebxml/schemes.hpp"
#include "xca/write.hpp"

namespace xca::ebxml {
namespace {

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

/// Ids of the objects inside one object: the same for the same object, another for each, in the form of a UUID of
/// version 8. [RFC 9562 §5.8]
class InnerIds {
 public:
  explicit InnerIds(std::string_view entry_uuid)
      : high_(hash(entry_uuid, 0xcbf29ce484222325u)), low_(hash(entry_uuid, 0x9e3779b97f4a7c15u)) {}

  std::string next() {
    ++ordinal_;
    const std::uint64_t a = mixed(high_ + ordinal_), b = mixed(low_ ^ (ordinal_ << 32u));
    std::string text = "urn:uuid:00000000-0000-8000-0000-000000000000";
    put(text, 9, 8, a >> 32u);
    put(text, 18, 4, a >> 16u);
    put(text, 24, 3, a);
    put(text, 28, 4, 0x8000u | ((b >> 48u) & 0x3fffu));
    put(text, 33, 12, b);
    return text;
  }

 private:
  /// The lowest hexadecimal digits of a number.
  static void put(std::string& text, std::size_t at, std::size_t digits, std::uint64_t number) {
    for (std::size_t i = digits; i-- > 0; number >>= 4u) text[at + i] = "0123456789abcdef"[number & 0xfu];
  }
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

std::string_view status_urn(Availability status) {
  return status == Availability::Approved ? "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
                                          : "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated";
}

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

/// The parts inside one object being written.
struct Parts {
  std::string& out;
  std::string_view entry_uuid;
  InnerIds ids;

  Parts(std::string& text, std::string_view uuid) : out(text), entry_uuid(uuid), ids(uuid) {}

  void open_classification(std::string_view scheme, std::string_view representation) {
    open_tag(out, "rim:Classification",
             {{"classificationScheme", scheme},
              {"classifiedObject", entry_uuid},
              {"id", ids.next()},
              {"nodeRepresentation", representation},
              {"objectType", schemes::classification}});
  }

  void node(std::string_view classification_node) {
    empty_tag(out, "rim:Classification",
              {{"classificationNode", classification_node},
               {"classifiedObject", entry_uuid},
               {"id", ids.next()},
               {"objectType", schemes::classification}});
  }

  void code(std::string_view scheme, const Code& code) {
    if (code.code.empty()) return;
    open_classification(scheme, cut(code.code, value_characters_max));
    append_slot(out, "codingScheme", code.system);
    append_localized(out, "rim:Name", code.display.empty() ? code.code : code.display);
    out += "</rim:Classification>";
  }

  void codes(std::string_view scheme, const std::vector<Code>& codes) {
    for (const Code& one : codes) code(scheme, one);
  }

  void authors(std::string_view scheme, const std::vector<Author>& authors) {
    for (const Author& author : authors) {
      if (author == Author{}) continue;
      open_classification(scheme, "");
      append_slot(out, "authorInstitution", author.institutions);
      append_slot(out, "authorPerson", author.person);
      append_slot(out, "authorRole", author.roles);
      append_slot(out, "authorSpecialty", author.specialties);
      append_slot(out, "authorTelecommunication", author.telecoms);
      out += "</rim:Classification>";
    }
  }

  void external_identifier(std::string_view scheme, std::string_view name, std::string_view value) {
    open_tag(out, "rim:ExternalIdentifier",
             {{"id", ids.next()},
              {"identificationScheme", scheme},
              {"objectType", schemes::external_identifier},
              {"registryObject", entry_uuid},
              {"value", cut(value, value_characters_max)}});
    append_localized(out, "rim:Name", name);
    out += "</rim:ExternalIdentifier>";
  }
};

void append_slots(std::string& out, const DocumentEntry& entry) {
  const bool stable = entry.type == EntryType::Stable;
  append_slot(out, "URI", entry.uri);
  if (stable) append_slot(out, "creationTime", entry.creation_time);
  if (stable) append_slot(out, "hash", entry.hash_sha1);
  append_slot(out, "languageCode", entry.language);
  append_slot(out, "legalAuthenticator", entry.legal_authenticator);
  append_slot(out, "repositoryUniqueId", entry.repository_id);
  append_slot(out, "serviceStartTime", entry.service_start);
  append_slot(out, "serviceStopTime", entry.service_stop);
  if (stable && entry.size) append_slot(out, "size", std::to_string(*entry.size));
  if (entry.source_patient != base::Identifier{})
    append_slot(out, "sourcePatientId", base::write_cx(entry.source_patient));
  append_slot(out, "sourcePatientInfo", entry.source_patient_info);
  append_slot(out, schemes::reference_ids_slot, entry.reference_ids);
}

void open_package(std::string& out, std::string_view id, Availability status, std::string_view home) {
  open_tag(
      out, "rim:RegistryPackage",
      {{"home", home}, {"id", id}, {"objectType", schemes::registry_package}, {"status", status_urn(status)}});
}

}  // namespace

void append_object(std::string& out, const DocumentEntry& entry, std::string_view home) {
  Parts parts(out, entry.entry_uuid);
  open_tag(out, "rim:ExtrinsicObject",
           {{"home", home},
            {"id", entry.entry_uuid},
            {"isOpaque", "false"},
            {"mimeType", cut(entry.mime_type, value_characters_max)},
            {"objectType", entry.type == EntryType::Stable ? schemes::stable : schemes::on_demand},
            {"status", status_urn(entry.status)}});
  append_slots(out, entry);
  append_localized(out, "rim:Name", entry.title);
  append_localized(out, "rim:Description", entry.comments);
  parts.authors(schemes::entry_author, entry.authors);
  parts.code(schemes::class_code, entry.class_code);
  parts.codes(schemes::confidentiality, entry.confidentiality_codes);
  parts.codes(schemes::event, entry.event_codes);
  parts.code(schemes::format, entry.format_code);
  parts.code(schemes::facility, entry.facility_type);
  parts.code(schemes::practice, entry.practice_setting);
  parts.code(schemes::type_code, entry.type_code);
  if (entry.limited) parts.node(schemes::entry_limited);
  parts.external_identifier(schemes::entry_patient_id, "XDSDocumentEntry.patientId", base::write_cx(entry.patient));
  parts.external_identifier(schemes::entry_unique_id, "XDSDocumentEntry.uniqueId", entry.unique_id);
  out += "</rim:ExtrinsicObject>";
}

void append_object(std::string& out, const SubmissionSet& set, std::string_view home) {
  Parts parts(out, set.entry_uuid);
  open_package(out, set.entry_uuid, set.status, home);
  append_slot(out, "intendedRecipient", set.intended_recipients);
  append_slot(out, "submissionTime", set.submission_time);
  append_localized(out, "rim:Name", set.title);
  append_localized(out, "rim:Description", set.comments);
  parts.authors(schemes::set_author, set.authors);
  parts.code(schemes::content_type, set.content_type);
  parts.node(schemes::set_node);
  if (set.limited) parts.node(schemes::set_limited);
  parts.external_identifier(schemes::set_patient_id, "XDSSubmissionSet.patientId", base::write_cx(set.patient));
  parts.external_identifier(schemes::set_source_id, "XDSSubmissionSet.sourceId", set.source_id);
  parts.external_identifier(schemes::set_unique_id, "XDSSubmissionSet.uniqueId", set.unique_id);
  out += "</rim:RegistryPackage>";
}

void append_object(std::string& out, const Folder& folder, std::string_view home) {
  Parts parts(out, folder.entry_uuid);
  open_package(out, folder.entry_uuid, folder.status, home);
  append_slot(out, "lastUpdateTime", folder.last_update_time);
  append_localized(out, "rim:Name", folder.title);
  append_localized(out, "rim:Description", folder.comments);
  parts.codes(schemes::folder_codes, folder.codes);
  parts.node(schemes::folder_node);
  if (folder.limited) parts.node(schemes::folder_limited);
  parts.external_identifier(schemes::folder_patient_id, "XDSFolder.patientId", base::write_cx(folder.patient));
  parts.external_identifier(schemes::folder_unique_id, "XDSFolder.uniqueId", folder.unique_id);
  out += "</rim:RegistryPackage>";
}

void append_object(std::string& out, const Association& association, std::string_view home) {
  open_tag(out, "rim:Association",
           {{"associationType", urn(association.type)},
            {"home", home},
            {"id", association.entry_uuid},
            {"objectType", schemes::association},
            {"sourceObject", association.source},
            {"targetObject", association.target}});
  append_slot(out, "SubmissionSetStatus", association.set_status);
  out += "</rim:Association>";
}

void append_reference(std::string& out, std::string_view id, std::string_view home) {
  empty_tag(out, "rim:ObjectRef", {{"home", home}, {"id", id}});
}

}  // namespace xca::ebxml
