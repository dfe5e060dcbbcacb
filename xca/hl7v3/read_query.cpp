#include "base/error_table.hpp"
#include "xca/hl7v3/echo.hpp"
#include "xca/hl7v3/lexical.hpp"
#include "xca/hl7v3/patient_discovery.hpp"

#include <algorithm>

namespace xca::hl7v3 {
namespace {

using base::Cause;
using base::fail;
using base::xml::Element;
using soap::ns::hl7;

constexpr base::ErrorRow rows[] = {
    {static_cast<int>(Errc::NotAPatientQuery), "not-a-patient-query", "the payload is no immediate patient query",
     Cause::BadMessage},
    {static_cast<int>(Errc::FieldMissing), "query-field-missing",
     "the query lacks a field nothing can be answered without", Cause::BadMessage},
    {static_cast<int>(Errc::FieldDoubled), "query-field-doubled", "the query gives a deciding field twice",
     Cause::BadMessage},
    {static_cast<int>(Errc::FieldUnreadable), "query-field-unreadable",
     "the query has a deciding field that cannot be read", Cause::BadMessage},
    {static_cast<int>(Errc::DeferredNotSupported), "deferred-not-supported", "deferred answers are not offered here",
     Cause::NotSupported},
};
constinit const base::ErrorTable errors("xca::hl7v3", rows);

constexpr std::size_t field_characters_max = 256;
constexpr std::size_t names_max = 20, ids_max = 50, addresses_max = 20, telecoms_max = 20;
constexpr std::string_view earliest_birth = "18500101", latest_birth = "21991231";
constexpr std::string_view social_security = "2.16.840.1.113883.4.1";

std::string_view value_of(const Element& element, std::string_view attribute) {
  return element.attribute(attribute).value_or(std::string_view());
}

bool is_too_long(std::string_view text) {
  return text.size() > field_characters_max && characters(text) > field_characters_max;
}

Result<std::optional<Element>> single(const Element& parent, std::string_view name) {
  std::optional<Element> found;
  for (auto child = parent.first_child(); child; child = child->next_sibling()) {
    if (child->local_name() != name || child->namespace_uri() != hl7) continue;
    if (found) return fail(Errc::FieldDoubled, std::string(name));
    found = child;
  }
  return found;
}

Result<Element> required(const Element& parent, std::string_view name) {
  const auto found = TRY(single(parent, name));
  if (!found) return fail(Errc::FieldMissing, std::string(name));
  return *found;
}

/// An attribute that names somebody or something: short, and without characters that nobody sees. [threats X10]
Result<std::string> identifying(const Element& element, std::string_view attribute) {
  const std::string_view text = value_of(element, attribute);
  if (is_too_long(text) || !is_visible(text)) return fail(Errc::FieldUnreadable, std::string(element.local_name()));
  return std::string(text);
}

Result<Identifier> read_identifier(const Element& element) {
  Identifier id;
  id.root = TRY(identifying(element, "root"));
  id.extension = TRY(identifying(element, "extension"));
  return id;
}

/// The text of a field that is compared: trimmed, short, never broken by elements. [threats X09]
Result<std::string> read_text(const Element& element) {
  auto text = element.trimmed_text();
  if (!text || is_too_long(*text)) return fail(Errc::FieldUnreadable, std::string(element.local_name()));
  return std::move(*text);
}

Result<std::string> code_of(const Element& parent, std::string_view name) {
  const auto element = TRY(single(parent, name));
  if (!element) return std::string();
  return TRY(identifying(*element, "code"));
}

// ---- who to whom

/// The first id of a device, and the one id of the organization it stands for, without urn:oid: (quirks.md).
Result<void> read_party(const Element& message, std::string_view party, std::string& device_id, std::string& home) {
  const auto side = TRY(required(message, party));
  const auto device = TRY(single(side, "device"));
  if (!device) return {};
  if (const auto id = device->first_child(hl7, "id")) device_id = TRY(identifying(*id, "root"));
  const auto agent = TRY(single(*device, "asAgent"));
  if (!agent) return {};
  const auto organization = TRY(single(*agent, "representedOrganization"));
  if (!organization) return {};
  const auto id = TRY(single(*organization, "id"));
  if (!id) return {};
  home = TRY(identifying(*id, "root"));
  if (home.starts_with("urn:oid:")) home.erase(0, 8);
  return {};
}

Result<void> read_transmission(const Element& message, PatientQuery& query) {
  const auto id = TRY(required(message, "id"));
  query.message_id = TRY(read_identifier(id));
  const auto interaction = TRY(required(message, "interactionId"));
  if (value_of(interaction, "extension") != "PRPA_IN201305UV02")
    return fail(Errc::NotAPatientQuery, "interactionId of another interaction");
  query.processing_code = TRY(code_of(message, "processingCode"));
  if (query.processing_code != "T" && query.processing_code != "D") query.processing_code = "P";
  TRY(read_party(message, "receiver", query.receiver_device, query.receiver_home));
  TRY(read_party(message, "sender", query.sender_device, query.sender_home));
  return {};
}

/// The assigning authority that a reverse query is to use: the first author that names one.
Result<std::string> read_authority(const Element& control_act) {
  const auto author = control_act.first_child(hl7, "authorOrPerformer");
  const auto device = author ? author->first_child(hl7, "assignedDevice") : std::nullopt;
  const auto id = device ? device->first_child(hl7, "id") : std::nullopt;
  if (!id) return std::string();
  return TRY(identifying(*id, "root"));
}

// ---- demographics

bool is_null(const Element& element) { return element.attribute("nullFlavor").has_value(); }

Result<void> append_word(std::string& words, const Element& part) {
  const std::string word = TRY(read_text(part));
  if (!words.empty() && !word.empty()) words += ' ';
  words += word;
  return {};
}

Result<PersonName> read_name(const Element& value) {
  PersonName name;
  for (auto part = value.first_child(); part; part = part->next_sibling()) {
    if (part->namespace_uri() != hl7 || is_null(*part)) continue;
    const std::string_view kind = part->local_name();
    if (kind == "family") TRY(append_word(name.family, *part));
    if (kind == "prefix") TRY(append_word(name.prefix, *part));
    if (kind == "suffix") TRY(append_word(name.suffix, *part));
    if (kind == "given") {
      auto given = TRY(read_text(*part));
      if (!given.empty()) name.given.push_back(std::move(given));
    }
  }
  return name;
}

Result<Address> read_address(const Element& value) {
  Address address;
  for (auto part = value.first_child(); part; part = part->next_sibling()) {
    if (part->namespace_uri() != hl7 || is_null(*part)) continue;
    const std::string_view kind = part->local_name();
    if (kind == "city") TRY(append_word(address.city, *part));
    if (kind == "state") TRY(append_word(address.state, *part));
    if (kind == "postalCode") TRY(append_word(address.postal_code, *part));
    if (kind == "country") TRY(append_word(address.country, *part));
    if (kind == "streetAddressLine") {
      auto line = TRY(read_text(*part));
      if (!line.empty()) address.lines.push_back(std::move(line));
    }
  }
  if (address.lines.size() > addresses_max) return fail(Errc::FieldUnreadable, "streetAddressLine");
  return address;
}

/// A telecommunication address with its scheme; peers leave out tel: and mailto: (quirks.md).
std::string with_scheme(std::string telecom) {
  if (telecom.empty() || telecom.find(':') != std::string::npos) return telecom;
  return (telecom.find('@') != std::string::npos ? "mailto:" : "tel:") + telecom;
}

int number(std::string_view digits) {
  int value = 0;
  for (const char digit : digits) value = value * 10 + (digit - '0');
  return value;
}

unsigned days_in_month(int year, unsigned month) {
  const auto last = std::chrono::year(year) / std::chrono::month(month) / std::chrono::last;
  return static_cast<unsigned>(last.day());
}

/// The days that an HL7 TS (or the xs:date and xs:dateTime that peers send) may mean, by the calendar it was written
/// in: a birth date has no zone.
std::optional<BirthDates> days_of(std::string_view text) {
  text = base::trim(text);
  std::string date;
  if (text.size() >= 10 && text[4] == '-' && text[7] == '-') {
    date.append(text.substr(0, 4)).append(text.substr(5, 2)).append(text.substr(8, 2));
    if (!is_timestamp(date)) return std::nullopt;
    if (text.size() > 10 && !base::read_hl7_time(text)) return std::nullopt;
  } else {
    if (!is_timestamp(text)) return std::nullopt;
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits < 4 || digits % 2 != 0 || (digits > 8 && !base::read_hl7_time(text))) return std::nullopt;
    date = text.substr(0, std::min<std::size_t>(digits, 8));
  }
  const int year = number(std::string_view(date).substr(0, 4));
  if (year == 0) return std::nullopt;
  if (date.size() == 4) return BirthDates{date + "0101", date + "1231"};
  const auto month = static_cast<unsigned>(number(std::string_view(date).substr(4, 2)));
  if (month < 1 || month > 12) return std::nullopt;
  const unsigned last = days_in_month(year, month);
  if (date.size() == 6) return BirthDates{date + "01", date + std::to_string(last)};
  const auto day = static_cast<unsigned>(number(std::string_view(date).substr(6, 2)));
  if (day < 1 || day > last) return std::nullopt;
  return BirthDates{date, date};
}

/// IVL_TS: a point of any precision, or low and high; an open end and dates no living person has are bounded.
Result<std::optional<BirthDates>> read_birth(const Element& value) {
  const auto unreadable = [] { return fail(Errc::FieldUnreadable, "livingSubjectBirthTime"); };
  const auto low = TRY(single(value, "low")), high = TRY(single(value, "high"));
  const std::string_view point = value_of(value, "value");
  const std::string_view from = low ? value_of(*low, "value") : std::string_view();
  const std::string_view to = high ? value_of(*high, "value") : std::string_view();
  if (value.first_child(hl7, "center") || value.first_child(hl7, "width")) return unreadable();
  if (!point.empty()) {
    auto days = days_of(point);
    if (!days || !from.empty() || !to.empty()) return unreadable();
    return days;
  }
  if (from.empty() && to.empty()) return std::optional<BirthDates>();
  const auto first = from.empty() ? BirthDates{std::string(earliest_birth), {}} : days_of(from).value_or(BirthDates{});
  const auto last = to.empty() ? BirthDates{{}, std::string(latest_birth)} : days_of(to).value_or(BirthDates{});
  if (first.first.empty() || last.last.empty()) return unreadable();
  BirthDates range{std::max(first.first, std::string(earliest_birth)), std::min(last.last, std::string(latest_birth))};
  if (range.first > range.last) return unreadable();
  return std::optional(std::move(range));
}

// ---- parameters

/// What becomes of one value of a parameter.
using ReadValue = Result<void> (*)(const Element& value, PatientQuery& query);

Result<void> gender_value(const Element& value, PatientQuery& query) {
  const std::string_view code = value_of(value, "code");
  if (code != "M" && code != "F" && code != "UN") return {};
  if (!query.sought.gender.empty() && query.sought.gender != code)
    return fail(Errc::FieldDoubled, "livingSubjectAdministrativeGender");
  query.sought.gender = code;
  return {};
}

Result<void> birth_value(const Element& value, PatientQuery& query) {
  auto birth = TRY(read_birth(value));
  if (!birth) return {};
  if (query.birth) return fail(Errc::FieldDoubled, "livingSubjectBirthTime");
  query.birth = std::move(birth);
  return {};
}

Result<void> id_value(const Element& value, PatientQuery& query) {
  auto id = TRY(read_identifier(value));
  if (id.root.empty()) return {};
  if (id.root == social_security) std::erase_if(id.extension, [](char c) { return c == '-' || c == ' '; });
  if (query.ids.size() == ids_max) return fail(Errc::FieldUnreadable, "too many livingSubjectId");
  query.ids.push_back(std::move(id));
  return {};
}

Result<void> name_value(const Element& value, PatientQuery& query) {
  auto name = TRY(read_name(value));
  if (name.family.empty() && name.given.empty()) return {};
  if (query.sought.names.size() == names_max || name.given.size() > names_max)
    return fail(Errc::FieldUnreadable, "too many names");
  query.sought.names.push_back(std::move(name));
  return {};
}

Result<void> maiden_name_value(const Element& value, PatientQuery& query) {
  auto name = TRY(read_name(value));
  if (name.family.empty() && name.given.empty()) return {};
  if (query.mothers_maiden_name) return fail(Errc::FieldDoubled, "mothersMaidenName");
  query.mothers_maiden_name = std::move(name);
  return {};
}

Result<void> address_value(const Element& value, PatientQuery& query) {
  auto address = TRY(read_address(value));
  if (address == Address{}) return {};
  if (query.sought.addresses.size() == addresses_max) return fail(Errc::FieldUnreadable, "too many addresses");
  query.sought.addresses.push_back(std::move(address));
  return {};
}

Result<void> telecom_value(const Element& value, PatientQuery& query) {
  auto telecom = with_scheme(TRY(identifying(value, "value")));
  if (telecom.empty()) return {};
  if (query.sought.telecoms.size() == telecoms_max) return fail(Errc::FieldUnreadable, "too many telecoms");
  query.sought.telecoms.push_back(std::move(telecom));
  return {};
}

Result<void> provider_value(const Element& value, PatientQuery& query) {
  auto id = TRY(identifying(value, "extension"));
  if (id.empty()) return {};
  if (query.provider_ids.size() == ids_max) return fail(Errc::FieldUnreadable, "too many principalCareProviderId");
  query.provider_ids.push_back(std::move(id));
  return {};
}

struct Parameter {
  std::string_view name;  ///< from its second letter: the first comes in both cases (quirks.md)
  ReadValue read;
};
constexpr Parameter parameters[] = {
    {"ivingSubjectAdministrativeGender", gender_value},
    {"ivingSubjectBirthTime", birth_value},
    {"ivingSubjectId", id_value},
    {"ivingSubjectName", name_value},
    {"othersMaidenName", maiden_name_value},
    {"atientAddress", address_value},
    {"atientTelecom", telecom_value},
    {"rincipalCareProviderId", provider_value},
};

Result<void> read_parameters(const Element& list, PatientQuery& query) {
  for (auto parameter = list.first_child(); parameter; parameter = parameter->next_sibling()) {
    if (parameter->namespace_uri() != hl7) continue;
    const std::string_view name = parameter->local_name().substr(1);
    const auto known =
        std::find_if(std::begin(parameters), std::end(parameters), [&](const Parameter& p) { return p.name == name; });
    if (known == std::end(parameters)) continue;
    for (auto value = parameter->first_child(); value; value = value->next_sibling())
      if (value->is(hl7, "value")) TRY(known->read(*value, query));
  }
  return {};
}

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errors}; }

Result<PatientQuery> read_query(const Element& payload) {
  if (!payload.is(hl7, "PRPA_IN201305UV02")) return fail(Errc::NotAPatientQuery, "another payload");
  PatientQuery query;
  TRY(read_transmission(payload, query));
  const auto control_act = TRY(required(payload, "controlActProcess"));
  query.initiator_authority = TRY(read_authority(control_act));
  const auto by_parameter = TRY(required(control_act, "queryByParameter"));
  const auto query_id = TRY(required(by_parameter, "queryId"));
  const auto parameter_list = TRY(required(by_parameter, "parameterList"));
  query.query_id = TRY(read_identifier(query_id));
  if (query.query_id == Identifier{}) return fail(Errc::FieldMissing, "queryId");
  query.deferred = TRY(code_of(by_parameter, "responsePriorityCode")) == "D";
  TRY(read_parameters(parameter_list, query));
  query.echo = echo(by_parameter);
  return query;
}

}  // namespace xca::hl7v3
