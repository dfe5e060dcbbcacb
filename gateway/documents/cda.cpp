#include "gateway/documents/cda.hpp"

#include "base/error_table.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "base/xml/document.hpp"
#include "certs/crypto.hpp"

#include <algorithm>

namespace gateway::documents {
namespace {

using base::Cause;
using base::Identifier;
using base::xml::Element;
using xca::ebxml::DocumentEntry;

constexpr base::ErrorRow rows[] = {
    {int(Errc::NotACda), "not-a-cda",
     "this is neither a CDA document nor metadata: import C-CDA files, or an ebRIM 3.0 SubmitObjectsRequest",
     Cause::BadMessage},
    {int(Errc::HeaderIncomplete), "cda-header-incomplete",
     "the document's header lacks its id, code, effectiveTime or recordTarget", Cause::BadMessage},
    {int(Errc::HeaderUnreadable), "cda-header-unreadable", "a value of the document's header cannot be understood",
     Cause::BadMessage},
    {int(Errc::SeveralPatients), "cda-several-patients", "the document is about more than one patient",
     Cause::BadMessage},
    {int(Errc::UniqueIdTaken), "document-id-taken",
     "a document with this id but other content is held already: a changed document needs a new id", Cause::BadMessage},
    {int(Errc::OtherPatient), "document-of-other-patient", "this document is held already, for another patient",
     Cause::BadMessage},
    {int(Errc::TooLarge), "document-too-large", "the document is larger than allowed", Cause::BadMessage},
    {int(Errc::NoSuchDocument), "no-such-document", "there is no such document in this clinic", Cause::BadMessage},
    {int(Errc::OnlyMetadata), "document-only-metadata",
     "only the metadata of this document is held here: ask for it where it was made", Cause::BadMessage},
    {int(Errc::ForeignAuthority), "submission-of-other-authority",
     "the patient id is not of this clinic's assigning authority: name the clinic with --clinic, or correct the id",
     Cause::BadMessage},
    {int(Errc::UnknownReference), "submission-reference-unknown",
     "the metadata refers to an object that is not held here: import first the submission that it came with",
     Cause::BadMessage},
    {int(Errc::OtherPatientsReference), "submission-reference-of-other-patient",
     "the metadata refers to an object of another patient: correct the reference", Cause::BadMessage},
    {int(Errc::DeprecatedReference), "submission-reference-deprecated",
     "the metadata replaces or adds to a document that was replaced already: refer to its newest version",
     Cause::BadMessage},
    {int(Errc::UuidTaken), "submission-uuid-taken",
     "an object with this entryUUID is held already: give the new object a UUID of its own", Cause::BadMessage},
    {int(Errc::RenderFailed), "document-not-rendered", "the document cannot be shown as a page", Cause::BadMessage},
    {int(Errc::ReasonMissing), "label-reason-missing", "state the reason for which labels are changed",
     Cause::BadMessage},
    {int(Errc::BadLabel), "label-bad",
     "a label is a code of at most 256 characters with its code system, either added or taken away", Cause::BadMessage},
};
constinit const base::ErrorTable errors("gatehouse.documents", rows);

constexpr std::string_view hl7 = "urn:hl7-org:v3";
constexpr std::string_view loinc = "2.16.840.1.113883.6.1", snomed = "2.16.840.1.113883.6.96";
constexpr std::string_view confidentiality = "2.16.840.1.113883.5.25", format_codes = "1.3.6.1.4.1.19376.1.2.3";
constexpr std::string_view ssn_root = "2.16.840.1.113883.4.1";
constexpr std::string_view ccda_templates = "2.16.840.1.113883.10.20.22.1.";
constexpr std::size_t title_characters_max = 128, value_octets_max = 256, repeats_max = 10;

// ------------------------------------------------------------------ the tree

std::string attribute(const Element& element, std::string_view name) {
  const auto value = element.attribute(name);
  return value && value->size() <= value_octets_max ? std::string(base::trim(*value)) : std::string();
}

std::optional<Element> child(std::optional<Element> element, std::string_view name) {
  return element ? element->first_child(hl7, name) : std::nullopt;
}
std::optional<Element> path(std::optional<Element> element, std::initializer_list<std::string_view> names) {
  for (const auto name : names) element = child(element, name);
  return element;
}

/// The text of an element, trimmed, white space single; empty where it has none of its own.
std::string text_of(const std::optional<Element>& element) {
  if (!element) return {};
  const auto text = element->text();
  std::string words;
  for (const char c : text ? *text : std::string()) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!space) words += c;
    if (space && !words.empty() && words.back() != ' ') words += ' ';
  }
  if (words.ends_with(' ')) words.pop_back();
  return words;
}

std::vector<std::string> texts_of(const Element& element, std::string_view name) {
  std::vector<std::string> texts;
  for (const auto& one : element.children(hl7, name)) {
    if (auto text = text_of(one); !text.empty() && texts.size() < repeats_max) texts.push_back(std::move(text));
  }
  return texts;
}

std::string cut_to_characters(std::string text, std::size_t characters) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80 && seen++ == characters) return text.substr(0, i);
  }
  return text;
}

std::optional<Code> code_of(const std::optional<Element>& element) {
  if (!element) return std::nullopt;
  Code code{.code = attribute(*element, "code"),
            .system = attribute(*element, "codeSystem"),
            .display = attribute(*element, "displayName")};
  if (code.code.empty()) return std::nullopt;
  if (code.display.empty()) code.display = code.code;
  return code;
}

std::string digits_of(std::string text) {
  std::erase_if(text, [](char c) { return c < '0' || c > '9'; });
  return text;
}

/// An HL7 V3 time as a DTM in UTC, as precise as it is written; without a zone it is the clinic's time. [CDA R2 TS]
/// A day stays a day, and so does what has no DTM of its own: a time that clocks skip or repeat, an hour that is two in
/// UTC. Empty for what is absent or no time.
std::string dtm_of(const std::optional<Element>& element, const Calendar& calendar) {
  const auto value = element ? attribute(*element, "value") : std::string();
  const auto as_written = base::read_hl7_time(value);
  if (!as_written) return {};
  const bool dashed = value.size() >= 10 && value[4] == '-' && value[7] == '-';
  if (value.size() == 10 && dashed) return digits_of(value);
  const auto precision = dashed ? std::size_t(14) : std::min(value.find_first_not_of("0123456789"), value.size());
  if (precision <= 8) return value.substr(0, precision);
  const bool zoned = value.find_first_of("+-Z", dashed ? 10 : 0) != std::string::npos;
  const auto local = base::write_date_time(*as_written).substr(0, 19);
  const auto instant = zoned ? as_written : calendar.read(local);
  if (!instant) return {};
  const auto dtm = base::write_dtm(*instant);
  const bool exact = (zoned || calendar.shows_once(local)) && dtm.find_first_not_of('0', precision) == dtm.npos;
  return exact ? dtm.substr(0, precision) : digits_of(calendar.write(*instant)).substr(0, 8);
}

Identifier id_of(const Element& element) {
  return {.root = attribute(element, "root"), .extension = attribute(element, "extension")};
}

// ------------------------------------------------------------------ HL7 v2 texts of XDS metadata

/// One component: the delimiters of HL7 v2 become blanks.
std::string component(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return std::string_view("^&|~\\\r\n").find(c) != std::string_view::npos; }, ' ');
  return text;
}

std::string joined(const std::vector<std::string>& components) {
  std::string all;
  for (const auto& one : components)
    all.append(all.empty() && &one == &components.front() ? "" : "^").append(component(one));
  return all;
}

std::string without_tail(std::string text) {
  while (text.ends_with('^')) text.pop_back();
  return text;
}

bool is_oid(const std::string& text) { return bool(base::Oid::parse(text)); }

xca::hl7v3::PersonName name_of(const Element& name) {
  const auto joined_texts = [&](std::string_view part) {
    std::string all;
    for (const auto& text : texts_of(name, part)) all += (all.empty() ? "" : " ") + text;
    return all;
  };
  return {joined_texts("family"), texts_of(name, "given"), joined_texts("prefix"), joined_texts("suffix")};
}

std::string given_at(const xca::hl7v3::PersonName& name, std::size_t at) {
  return at < name.given.size() ? name.given[at] : std::string();
}

/// XCN of an assigned person, empty where it has neither name nor id. [ITI TF-3 table 4.2.3.1.7-2]
std::string xcn_of(const Element& assigned, std::string_view person) {
  const auto name_element = path(assigned, {person, "name"});
  const auto name = name_element ? name_of(*name_element) : xca::hl7v3::PersonName{};
  const auto id_element = child(assigned, "id");
  const auto id = id_element ? id_of(*id_element) : Identifier{};
  const bool usable_id = is_oid(id.root) && !id.extension.empty() && id.root != ssn_root;
  auto text = joined(
      {usable_id ? id.extension : "", name.family, given_at(name, 0), given_at(name, 1), name.suffix, name.prefix});
  if (name.family.empty() && name.given.empty() && !usable_id) return {};
  return usable_id ? text + "^^^&" + id.root + "&ISO" : without_tail(text);
}

/// XON of an organization, empty where it has no name. [ITI TF-3 table 4.2.3.1.7-2]
std::string xon_of(const std::optional<Element>& organization) {
  const auto name = component(text_of(child(organization, "name")));
  if (name.empty()) return {};
  const auto id_element = child(organization, "id");
  const auto id = id_element ? id_of(*id_element) : Identifier{};
  if (!is_oid(id.root)) return name;
  if (id.extension.empty()) return name + "^^^^^^^^^" + id.root;
  return name + "^^^^^&" + id.root + "&ISO^^^^" + component(id.extension);
}

// ------------------------------------------------------------------ parts of the header

struct ClassRow {
  std::string_view type, document_class, display;
};
/// What kind a LOINC document type is of. [LOINC document ontology; HITSP C80 table 2-144]
constexpr ClassRow classes[] = {
    {"34133-9", "34133-9", "Summarization of episode note"},
    {"60591-5", "34133-9", "Summarization of episode note"},
    {"18842-5", "18842-5", "Discharge summary"},
    {"11490-0", "18842-5", "Discharge summary"},
    {"28655-9", "18842-5", "Discharge summary"},
    {"11488-4", "11488-4", "Consult note"},
    {"34847-4", "11488-4", "Consult note"},
    {"51845-6", "11488-4", "Consult note"},
    {"34117-2", "34117-2", "History and physical note"},
    {"11492-6", "34117-2", "History and physical note"},
    {"11506-3", "11506-3", "Progress note"},
    {"34109-9", "34109-9", "Note"},
    {"11504-8", "11504-8", "Surgical operation note"},
    {"28570-0", "28570-0", "Procedure note"},
    {"18748-4", "18748-4", "Diagnostic imaging study"},
    {"18761-7", "18761-7", "Transfer summary note"},
    {"57133-1", "57133-1", "Referral note"},
    {"18776-5", "18776-5", "Plan of care note"},
    {"52521-2", "18776-5", "Plan of care note"},
};

Code format_of(const Element& document) {
  bool ccda = false, r21 = false, scanned = false, ccd_r1 = false;
  for (const auto& id : document.children(hl7, "templateId")) {
    const auto root = attribute(id, "root"), version = attribute(id, "extension");
    ccda |= root.starts_with(ccda_templates);
    r21 |= root.starts_with(ccda_templates) && version >= "2015-08-01";
    scanned |= root == "1.3.6.1.4.1.19376.1.2.20";
    ccd_r1 |= root == "2.16.840.1.113883.10.20.1" || root == "2.16.840.1.113883.3.88.11.32.1";
  }
  const auto unstructured = path(document, {"component", "nonXMLBody"});
  const auto text = child(unstructured, "text");
  const bool pdf = text && attribute(*text, "mediaType") == "application/pdf";
  std::string code = "urn:ihe:iti:xds:2017:mimeTypeSufficient";
  if (ccd_r1) code = "urn:ihe:pcc:xphr:2007";
  if (scanned) code = pdf ? "urn:ihe:iti:xds-sd:pdf:2008" : "urn:ihe:iti:xds-sd:text:2008";
  if (ccda && !scanned) {
    code = std::string("urn:hl7-org:sdwg:ccda-") + (unstructured ? "nonXMLBody" : "structuredBody") +
           (r21 ? ":2.1" : ":1.1");
  }
  return {.code = code, .system = std::string(format_codes), .display = code};
}

xca::hl7v3::Address address_of(const Element& addr) {
  return {texts_of(addr, "streetAddressLine"), text_of(child(addr, "city")), text_of(child(addr, "state")),
          text_of(child(addr, "postalCode")), text_of(child(addr, "country"))};
}

xca::hl7v3::Person person_of(const Element& role) {
  xca::hl7v3::Person person;
  const auto patient = child(role, "patient");
  for (const auto& name : patient ? patient->children(hl7, "name") : std::vector<Element>()) {
    auto read = name_of(name);
    const bool empty = read.family.empty() && read.given.empty();
    if (!empty && person.names.size() < repeats_max) person.names.push_back(std::move(read));
  }
  const auto gender = child(patient, "administrativeGenderCode");
  const auto code = gender ? attribute(*gender, "code") : std::string();
  if (code == "M" || code == "F" || code == "UN") person.gender = code;
  const auto birth = child(patient, "birthTime");
  const auto date = birth ? attribute(*birth, "value").substr(0, 8) : std::string();
  if (base::read_hl7_time(date)) person.birth_date = date;
  for (const auto& addr : role.children(hl7, "addr")) {
    auto read = address_of(addr);
    if (read != xca::hl7v3::Address{} && person.addresses.size() < repeats_max)
      person.addresses.push_back(std::move(read));
  }
  for (const auto& telecom : role.children(hl7, "telecom")) {
    auto value = attribute(telecom, "value");
    const bool known = value.starts_with("tel:") || value.starts_with("mailto:");
    if (known && person.telecoms.size() < repeats_max) person.telecoms.push_back(std::move(value));
  }
  return person;
}

/// sourcePatientInfo: PID-3, 5, 7, 8 and 11 as far as known, never an SSN. [ITI TF-3 §4.2.3.2.23]
std::vector<std::string> pid_lines(const Identifier& source, const xca::hl7v3::Person& person) {
  std::vector<std::string> lines;
  if (!source.extension.empty()) lines.push_back("PID-3|" + base::write_cx(source));
  if (!person.names.empty()) {
    const auto& name = person.names.front();
    lines.push_back(
        "PID-5|" + without_tail(joined({name.family, given_at(name, 0), given_at(name, 1), name.suffix, name.prefix})));
  }
  if (!person.birth_date.empty()) lines.push_back("PID-7|" + person.birth_date);
  if (person.gender == "M" || person.gender == "F") lines.push_back("PID-8|" + person.gender);
  if (!person.addresses.empty()) {
    const auto& address = person.addresses.front();
    const auto line = address.lines.empty() ? std::string() : address.lines.front();
    lines.push_back("PID-11|" + without_tail(joined(
                                    {line, "", address.city, address.state, address.postal_code, address.country})));
  }
  return lines;
}

std::vector<xca::ebxml::Author> authors_of(const Element& document) {
  std::vector<xca::ebxml::Author> authors;
  for (const auto& author : document.children(hl7, "author")) {
    const auto assigned = child(author, "assignedAuthor");
    if (!assigned || authors.size() == repeats_max) continue;
    xca::ebxml::Author one{.person = xcn_of(*assigned, "assignedPerson")};
    if (auto institution = xon_of(child(assigned, "representedOrganization")); !institution.empty())
      one.institutions.push_back(std::move(institution));
    if (child(assigned, "assignedAuthoringDevice")) {
      const auto device = component(text_of(path(assigned, {"assignedAuthoringDevice", "softwareName"})));
      if (!device.empty()) one.person = "^" + device;
    }
    if (const auto specialty = code_of(child(assigned, "code"))) one.specialties = {specialty->display};
    if (!one.person.empty() || !one.institutions.empty()) authors.push_back(std::move(one));
  }
  return authors;
}

std::string unique_id(const Identifier& id) { return id.extension.empty() ? id.root : id.root + "^" + id.extension; }

Result<std::string> unique_id_of(const Element& document) {
  const auto element = child(document, "id");
  const auto id = element ? id_of(*element) : Identifier{};
  if (id.root.empty()) return fail(Errc::HeaderIncomplete, "ClinicalDocument/id");
  return unique_id(id);
}

/// Nothing for an id without a root, or with a value too long to be one.
std::optional<std::string> parent_id(const Element& element) {
  const auto id = id_of(element);
  const bool is_cut = id.extension.empty() && !base::trim(element.attribute("extension").value_or("")).empty();
  if (id.root.empty() || is_cut) return std::nullopt;
  return unique_id(id);
}

/// Adds the ids of one relatedDocument. @return false where none of them can be read, though it does not say that there
/// is no parent (NA), or where there are more parents than the limit: whose labels it should have is not known then
bool add_parents(const Element& related, std::size_t most, std::vector<std::string>& parents) {
  const auto parent = child(related, "parentDocument");
  bool known = false;
  for (const auto& element : parent ? parent->children(hl7, "id") : std::vector<Element>()) {
    const auto id = parent_id(element);
    known = known || id || attribute(element, "nullFlavor") == "NA";
    if (!id || std::ranges::find(parents, *id) != parents.end()) continue;
    if (parents.size() == most) return false;
    parents.push_back(*id);
  }
  return known;
}

Result<std::string> creation_time_of(const Element& document, const Calendar& calendar) {
  const auto element = child(document, "effectiveTime");
  if (!element || !element->attribute("value")) return fail(Errc::HeaderIncomplete, "ClinicalDocument/effectiveTime");
  auto time = dtm_of(element, calendar);
  if (time.empty()) return fail(Errc::HeaderUnreadable, "ClinicalDocument/effectiveTime");
  return time;
}

/// A document without a label is not a document labelled normal.
Code confidentiality_of(const Element& document) {
  const auto code = code_of(child(document, "confidentialityCode"));
  return code.value_or(Code{.code = "R", .system = std::string(confidentiality), .display = "restricted"});
}

/// What the header does not say of the place: ambulatory care, general medicine. DocumentImport may say otherwise.
Code facility_of(const Element& document) {
  const auto code =
      code_of(path(document, {"componentOf", "encompassingEncounter", "location", "healthCareFacility", "code"}));
  if (code && !code->system.empty()) return *code;
  return {.code = "35971002", .system = std::string(snomed), .display = "Ambulatory care site"};
}

Result<Element> record_target_role(const Element& document) {
  const auto targets = document.children(hl7, "recordTarget");
  if (targets.size() > 1) return fail(Errc::SeveralPatients);
  const auto role = targets.empty() ? std::nullopt : child(targets.front(), "patientRole");
  if (!role) return fail(Errc::HeaderIncomplete, "ClinicalDocument/recordTarget/patientRole");
  return *role;
}

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errors}; }

Code class_of_type(const Code& type) {
  const auto found = std::ranges::find(classes, type.code, &ClassRow::type);
  if (type.system != loinc || found == std::end(classes)) return type;
  return {
      .code = std::string(found->document_class), .system = std::string(loinc), .display = std::string(found->display)};
}

Result<CdaHeader> read_cda_header(BytesView bytes, const Calendar& calendar, const CdaLimits& limits) {
  if (bytes.size() > limits.bytes) return fail(Errc::TooLarge);
  const auto parsed = TRY(base::xml::Document::parse(bytes, {.bytes = limits.bytes}));
  const Element document = parsed.root();
  if (!document.is(hl7, "ClinicalDocument")) return fail(Errc::NotACda);

  CdaHeader header;
  DocumentEntry& entry = header.entry;
  entry.unique_id = TRY(unique_id_of(document));
  const auto type = code_of(child(document, "code"));
  if (!type) return fail(Errc::HeaderIncomplete, "ClinicalDocument/code");
  entry.type_code = *type;
  entry.class_code = class_of_type(*type);
  entry.creation_time = TRY(creation_time_of(document, calendar));
  entry.title = cut_to_characters(text_of(child(document, "title")), title_characters_max);
  if (entry.title.empty()) entry.title = type->display;
  entry.confidentiality_codes = {confidentiality_of(document)};
  const auto language = child(document, "languageCode");
  entry.language = language ? attribute(*language, "code") : "";
  if (entry.language.empty()) entry.language = "en-US";

  const auto role = TRY(record_target_role(document));
  header.person = person_of(role);
  for (const auto& id : role.children(hl7, "id")) {
    if (header.patient_ids.size() < repeats_max) header.patient_ids.push_back(id_of(id));
  }
  for (const auto& id : header.patient_ids) {
    const bool usable = is_oid(id.root) && !id.extension.empty() && id.root != ssn_root;
    if (usable && entry.source_patient.root.empty()) entry.source_patient = {id.root, component(id.extension)};
  }
  entry.source_patient_info = pid_lines(entry.source_patient, header.person);

  entry.authors = authors_of(document);
  if (const auto signer = path(document, {"legalAuthenticator", "assignedEntity"})) {
    entry.legal_authenticator = xcn_of(*signer, "assignedPerson");
  }
  const auto service = path(document, {"documentationOf", "serviceEvent", "effectiveTime"});
  entry.service_start = dtm_of(child(service, "low"), calendar);
  entry.service_stop = dtm_of(child(service, "high"), calendar);
  entry.facility_type = facility_of(document);
  entry.practice_setting = {.code = "394802001", .system = std::string(snomed), .display = "General medicine"};
  entry.format_code = format_of(document);
  entry.mime_type = "text/xml";
  entry.size = bytes.size();
  entry.hash_sha1 = base::hex(certs::sha1(bytes));
  header.markings = markings_in_cda(document);
  merge(header.markings, markings_in_metadata(entry));
  for (const auto& related : document.children(hl7, "relatedDocument")) {
    if (!add_parents(related, limits.parents, header.parents)) header.markings.complete = false;
  }
  return header;
}

}  // namespace gateway::documents
