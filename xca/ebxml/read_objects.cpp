#include "xca/ebxml/registry.hpp"
#include "xca/ebxml/schemes.hpp"
#include "xca/hl7v3/lexical.hpp"

#include <algorithm>
#include <charconv>

// ebRIM metadata as values. [ITI TF-3 §4.2.3; facts/query-exchange §3.7; quirks.md]

namespace xca::ebxml {
namespace {

using base::fail;
using base::trim;
using base::xml::Element;
namespace ns = soap::ns;

constexpr std::string_view association_urns[] = {
    "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember", "urn:ihe:iti:2007:AssociationType:RPLC",
    "urn:ihe:iti:2007:AssociationType:APND",                     "urn:ihe:iti:2007:AssociationType:XFRM",
    "urn:ihe:iti:2007:AssociationType:XFRM_RPLC",                "urn:ihe:iti:2007:AssociationType:signs",
    "urn:ihe:iti:2010:AssociationType:IsSnapshotOf"};
static_assert(std::size(association_urns) == static_cast<std::size_t>(AssociationType::IsSnapshotOf) + 1);

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view last_part(std::string_view urn) { return urn.substr(urn.rfind(':') + 1); }

std::string attribute(const Element& element, std::string_view name) {
  return std::string(trim(element.attribute(name).value_or(std::string_view())));
}

/// One registry object with the classifications that stand beside it.
struct Source {
  Element element;
  std::string id;
  const MetadataLimits& limits;
  std::vector<Element> classifications = {};

  base::Error bad(std::string_view what) const { return fail(Errc::BadMetadata, id + ": " + std::string(what)); }
};

Result<std::string> checked(const Source& source, std::string_view what, std::string text, std::size_t characters_max) {
  if (hl7v3::characters(text) > characters_max) return source.bad(std::string(what) + " is too long");
  return text;
}

/// The values of a slot, empty ones left out.
Result<std::vector<std::string>> slot(const Source& source, const Element& holder, std::string_view name) {
  std::vector<std::string> values;
  for (const Element& one : holder.children(ns::rim, "Slot")) {
    if (!same_letters(attribute(one, "name"), name)) continue;
    for (const Element& list : one.children(ns::rim, "ValueList")) {
      for (const Element& value : list.children(ns::rim, "Value")) {
        auto text = value.trimmed_text();
        if (!text) return source.bad(name);
        if (text->empty()) continue;
        if (values.size() == source.limits.values) return fail(Errc::TooManyValues, source.id);
        values.push_back(TRY(checked(source, name, std::move(*text), source.limits.text_characters)));
      }
    }
  }
  return values;
}

Result<std::string> slot_value(const Source& source, std::string_view name) {
  auto values = TRY(slot(source, source.element, name));
  return values.empty() ? std::string() : std::move(values.front());
}

/// The first localized text of rim:Name or rim:Description.
Result<std::string> localized(const Source& source, const Element& holder, std::string_view name) {
  const auto element = holder.first_child(ns::rim, name);
  const auto text = element ? element->first_child(ns::rim, "LocalizedString") : std::nullopt;
  return checked(source, name, text ? std::string(trim(text->attribute("value").value_or(""))) : std::string(),
                 source.limits.text_characters);
}

Result<std::vector<Code>> codes(const Source& source, std::string_view scheme) {
  std::vector<Code> found;
  for (const Element& one : source.classifications) {
    if (mended_uuid(attribute(one, "classificationScheme")) != scheme) continue;
    Code code;
    code.code = TRY(checked(source, "code", attribute(one, "nodeRepresentation"), source.limits.id_characters));
    auto systems = TRY(slot(source, one, "codingScheme"));
    if (!systems.empty()) code.system = std::move(systems.front());
    code.display = TRY(localized(source, one, "Name"));
    if (!code.code.empty()) found.push_back(std::move(code));
  }
  return found;
}

Result<Code> code(const Source& source, std::string_view scheme) {
  auto found = TRY(codes(source, scheme));
  return found.empty() ? Code{} : std::move(found.front());
}

Result<std::vector<Author>> authors(const Source& source, std::string_view scheme) {
  std::vector<Author> found;
  for (const Element& one : source.classifications) {
    if (mended_uuid(attribute(one, "classificationScheme")) != scheme) continue;
    Author author;
    auto persons = TRY(slot(source, one, "authorPerson"));
    if (!persons.empty()) author.person = std::move(persons.front());
    author.institutions = TRY(slot(source, one, "authorInstitution"));
    author.roles = TRY(slot(source, one, "authorRole"));
    author.specialties = TRY(slot(source, one, "authorSpecialty"));
    author.telecoms = TRY(slot(source, one, "authorTelecommunication"));
    if (author != Author{}) found.push_back(std::move(author));
  }
  return found;
}

bool has_node(const Source& source, std::string_view node) {
  return std::ranges::any_of(source.classifications, [&](const Element& one) {
    return mended_uuid(attribute(one, "classificationNode")) == node;
  });
}

bool has_identifier(const Source& source, std::string_view scheme) {
  return std::ranges::any_of(source.element.children(ns::rim, "ExternalIdentifier"), [&](const Element& one) {
    return mended_uuid(attribute(one, "identificationScheme")) == scheme;
  });
}

Result<std::string> identifier(const Source& source, std::string_view scheme) {
  std::optional<std::string> found;
  for (const Element& one : source.element.children(ns::rim, "ExternalIdentifier")) {
    if (mended_uuid(attribute(one, "identificationScheme")) != scheme) continue;
    auto value = TRY(checked(source, "an identifier", attribute(one, "value"), source.limits.id_characters));
    if (!hl7v3::is_visible(value)) return source.bad("an identifier cannot be read");
    if (found && *found != value) return source.bad("an identifier stands twice");
    found = std::move(value);
  }
  return found.value_or(std::string());
}

Result<base::Identifier> patient(const Source& source, std::string_view scheme) {
  const auto written = TRY(identifier(source, scheme));
  if (written.empty()) return base::Identifier{};
  auto read = base::read_cx(written);
  if (!read) return source.bad("the patient id is not of the form id^^^&oid&ISO");
  return read;
}

/// The OID of the community that an object names, empty where it names none.
Result<std::string> home(const Source& source) {
  const auto written = attribute(source.element, "home");
  if (written.empty()) return std::string();
  const auto oid = base::Oid::parse(written);
  if (!oid) return source.bad("a home that is no OID");
  return oid->dotted();
}

Availability availability(const Source& source) {
  return last_part(attribute(source.element, "status")) == "Deprecated" ? Availability::Deprecated
                                                                        : Availability::Approved;
}

std::optional<std::uint64_t> octets(std::string_view text) {
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return size;
}

Result<DocumentEntry> read_entry(const Source& source) {
  DocumentEntry entry;
  entry.entry_uuid = source.id;
  entry.unique_id = TRY(identifier(source, schemes::entry_unique_id));
  entry.repository_id = TRY(slot_value(source, "repositoryUniqueId"));
  entry.home = TRY(home(source));
  entry.patient = TRY(patient(source, schemes::entry_patient_id));
  if (auto local = base::read_cx(TRY(slot_value(source, "sourcePatientId")))) entry.source_patient = std::move(*local);
  entry.source_patient_info = TRY(slot(source, source.element, "sourcePatientInfo"));
  if (mended_uuid(attribute(source.element, "objectType")) == schemes::on_demand) entry.type = EntryType::OnDemand;
  entry.status = availability(source);
  entry.mime_type =
      TRY(checked(source, "mimeType", attribute(source.element, "mimeType"), source.limits.id_characters));
  entry.hash_sha1 = TRY(slot_value(source, "hash"));
  entry.size = octets(TRY(slot_value(source, "size")));
  entry.creation_time = TRY(slot_value(source, "creationTime"));
  entry.service_start = TRY(slot_value(source, "serviceStartTime"));
  entry.service_stop = TRY(slot_value(source, "serviceStopTime"));
  entry.language = TRY(slot_value(source, "languageCode"));
  entry.title = TRY(localized(source, source.element, "Name"));
  entry.comments = TRY(localized(source, source.element, "Description"));
  entry.class_code = TRY(code(source, schemes::class_code));
  entry.type_code = TRY(code(source, schemes::type_code));
  entry.format_code = TRY(code(source, schemes::format));
  entry.facility_type = TRY(code(source, schemes::facility));
  entry.practice_setting = TRY(code(source, schemes::practice));
  entry.confidentiality_codes = TRY(codes(source, schemes::confidentiality));
  entry.event_codes = TRY(codes(source, schemes::event));
  entry.authors = TRY(authors(source, schemes::entry_author));
  entry.legal_authenticator = TRY(slot_value(source, "legalAuthenticator"));
  entry.uri = TRY(slot_value(source, "URI"));
  entry.reference_ids = TRY(slot(source, source.element, schemes::reference_ids_slot));
  entry.limited = has_node(source, schemes::entry_limited);
  return entry;
}

Result<SubmissionSet> read_set(const Source& source) {
  SubmissionSet set;
  set.entry_uuid = source.id;
  set.unique_id = TRY(identifier(source, schemes::set_unique_id));
  set.home = TRY(home(source));
  set.patient = TRY(patient(source, schemes::set_patient_id));
  set.source_id = TRY(identifier(source, schemes::set_source_id));
  set.status = availability(source);
  set.submission_time = TRY(slot_value(source, "submissionTime"));
  set.content_type = TRY(code(source, schemes::content_type));
  set.title = TRY(localized(source, source.element, "Name"));
  set.comments = TRY(localized(source, source.element, "Description"));
  set.authors = TRY(authors(source, schemes::set_author));
  set.intended_recipients = TRY(slot(source, source.element, "intendedRecipient"));
  set.limited = has_node(source, schemes::set_limited);
  return set;
}

Result<Folder> read_folder(const Source& source) {
  Folder folder;
  folder.entry_uuid = source.id;
  folder.unique_id = TRY(identifier(source, schemes::folder_unique_id));
  folder.home = TRY(home(source));
  folder.patient = TRY(patient(source, schemes::folder_patient_id));
  folder.status = availability(source);
  folder.last_update_time = TRY(slot_value(source, "lastUpdateTime"));
  folder.codes = TRY(codes(source, schemes::folder_codes));
  folder.title = TRY(localized(source, source.element, "Name"));
  folder.comments = TRY(localized(source, source.element, "Description"));
  folder.limited = has_node(source, schemes::folder_limited);
  return folder;
}

Result<Association> read_association(const Source& source) {
  Association association;
  association.entry_uuid = source.id;
  association.home = TRY(home(source));
  const auto type = association_type(attribute(source.element, "associationType"));
  if (!type) return source.bad("an association of a type that is not known");
  association.type = *type;
  association.source = mended_uuid(attribute(source.element, "sourceObject"));
  association.target = mended_uuid(attribute(source.element, "targetObject"));
  for (const std::string* end : {&association.source, &association.target}) {
    if (end->empty() || hl7v3::characters(*end) > source.limits.id_characters)
      return source.bad("an association without its ends");
  }
  association.set_status = TRY(slot_value(source, "SubmissionSetStatus"));
  return association;
}

Result<void> read_package(const Source& source, RegistryObjects& objects) {
  if (has_node(source, schemes::set_node) || has_identifier(source, schemes::set_unique_id)) {
    objects.sets.push_back(TRY(read_set(source)));
  } else if (has_node(source, schemes::folder_node) || has_identifier(source, schemes::folder_unique_id)) {
    objects.folders.push_back(TRY(read_folder(source)));
  } else {
    return source.bad("a package that is neither submission set nor folder");
  }
  return {};
}

}  // namespace

std::string_view urn(AssociationType type) noexcept { return association_urns[static_cast<std::size_t>(type)]; }

std::optional<AssociationType> association_type(std::string_view written) noexcept {
  for (std::size_t i = 0; i < std::size(association_urns); ++i) {
    if (same_letters(last_part(association_urns[i]), last_part(trim(written)))) return static_cast<AssociationType>(i);
  }
  return std::nullopt;
}

bool is_entry_uuid(std::string_view id) {
  constexpr std::string_view form = "urn:uuid:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::ranges::equal(id, form, [](char c, char wanted) {
    return wanted == 'x' ? (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') : c == wanted;
  });
}

std::string mended_uuid(std::string_view written) {
  constexpr std::string_view urn = "urn:uuid:";
  const std::string text(trim(written));
  std::string uuid(text);
  std::ranges::transform(uuid, uuid.begin(), lower);
  if (!uuid.starts_with(urn)) uuid.insert(0, urn);
  return is_entry_uuid(uuid) ? uuid : text;
}

Result<RegistryObjects> read_objects(const Element& list, const MetadataLimits& limits) {
  RegistryObjects objects;
  std::map<std::string, std::vector<Element>, std::less<>> beside;
  for (const Element& one : list.children(ns::rim, "Classification"))
    beside[mended_uuid(attribute(one, "classifiedObject"))].push_back(one);
  std::size_t count = 0;
  for (const Element& one : list.children()) {
    const bool entry = one.is(ns::rim, "ExtrinsicObject"), package = one.is(ns::rim, "RegistryPackage"),
               association = one.is(ns::rim, "Association");
    if (!entry && !package && !association) continue;
    if (++count > limits.objects) return fail(Errc::TooManyValues, "registry objects");
    Source source{.element = one, .id = mended_uuid(attribute(one, "id")), .limits = limits};
    if (source.id.empty() || hl7v3::characters(source.id) > limits.id_characters || !hl7v3::is_visible(source.id))
      return fail(Errc::BadMetadata, "an object without an id");
    source.classifications = one.children(ns::rim, "Classification");
    if (const auto found = beside.find(source.id); found != beside.end())
      source.classifications.insert(source.classifications.end(), found->second.begin(), found->second.end());
    if (source.classifications.size() > limits.values) return fail(Errc::TooManyValues, source.id);
    if (entry) objects.entries.push_back(TRY(read_entry(source)));
    if (package) TRY(read_package(source, objects));
    if (association) objects.associations.push_back(TRY(read_association(source)));
  }
  return objects;
}

}  // namespace xca::ebxml
