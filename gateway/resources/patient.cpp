#include "gateway/resources/patient.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace gateway::resources {
namespace {

using base::json::Value;
using xca::hl7v3::Address;
using xca::hl7v3::PersonName;

base::Error unreadable(std::string_view element) {
  return fail(Errc::FieldUnreadable, "Patient." + std::string(element));
}

/// The items of an array member; an absent one has none. @error Errc::FieldUnreadable where it is no array
Result<std::vector<Value>> items_of(Value object, std::string_view member) {
  const auto found = object.find(member);
  if (!found) return std::vector<Value>();
  if (!found->is_array()) return unreadable(member);
  return found->items();
}

/// A string member, empty where absent.
Result<std::string> text_of(Value object, std::string_view member) {
  const auto text = object.optional_string(member);
  if (!text) return unreadable(member);
  return std::string(base::trim(text->value_or("")));
}

/// The strings of an array member; nulls, which FHIR allows beside extensions, are left out.
Result<std::vector<std::string>> texts_of(Value object, std::string_view member) {
  std::vector<std::string> texts;
  for (const Value item : TRY(items_of(object, member))) {
    if (item.kind() == base::json::Kind::Null) continue;
    if (!item.is_string()) return unreadable(member);
    if (const auto text = base::trim(*item.string()); !text.empty()) texts.emplace_back(text);
  }
  return texts;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const auto& word : words) all += (all.empty() ? "" : " ") + word;
  return all;
}

/// FHIR date `YYYY[-MM[-DD]]` as `YYYY[MM[DD]]`; nothing for what is no date.
std::optional<std::string> date_digits(std::string_view text) {
  if (text.size() != 4 && text.size() != 7 && text.size() != 10) return std::nullopt;
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 4 || i == 7;
    if (hyphen ? text[i] != '-' : text[i] < '0' || text[i] > '9') return std::nullopt;
    if (!hyphen) digits += text[i];
  }
  const auto padded = digits + std::string("0101").substr((digits.size() - 4));
  int number = 0;
  std::from_chars(padded.data(), padded.data() + padded.size(), number);
  const std::chrono::year_month_day day{std::chrono::year(number / 10000),
                                        std::chrono::month(unsigned(number / 100 % 100)),
                                        std::chrono::day(unsigned(number % 100))};
  return day.ok() && number >= 18'000'000 ? std::optional(digits) : std::nullopt;
}

struct Ranked {
  int rank;
  PersonName name;
};

int rank_of_use(std::string_view use) {
  if (use == "official") return 0;
  return use == "old" || use == "maiden" ? 2 : 1;
}

Result<std::vector<PersonName>> read_names(Value patient) {
  std::vector<Ranked> ranked;
  for (const Value item : TRY(items_of(patient, "name"))) {
    PersonName name;
    name.family = TRY(text_of(item, "family"));
    name.given = TRY(texts_of(item, "given"));
    name.prefix = joined(TRY(texts_of(item, "prefix")));
    name.suffix = joined(TRY(texts_of(item, "suffix")));
    if (name.family.empty() && name.given.empty()) continue;
    const auto rank = rank_of_use(TRY(text_of(item, "use")));
    ranked.push_back({rank, std::move(name)});
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) { return a.rank < b.rank; });
  std::vector<PersonName> names;
  for (auto& one : ranked) names.push_back(std::move(one.name));
  return names;
}

/// The characters of a telephone URI. [RFC 3966; HL7 V3 TEL]
std::string telephone(std::string_view value) {
  std::string uri = "tel:";
  for (const char c : value) {
    if ((c >= '0' && c <= '9') || std::string_view("+-.()").find(c) != std::string_view::npos) uri += c;
  }
  return uri;
}

Result<std::vector<std::string>> read_telecoms(Value patient) {
  std::vector<std::string> telecoms;
  for (const Value item : TRY(items_of(patient, "telecom"))) {
    const auto system = TRY(text_of(item, "system")), value = TRY(text_of(item, "value"));
    if (value.empty() || TRY(text_of(item, "use")) == "old") continue;
    if (system == "phone" || system == "sms") telecoms.push_back(telephone(value));
    if (system == "email") telecoms.push_back("mailto:" + value);
  }
  return telecoms;
}

Result<std::vector<Address>> read_addresses(Value patient) {
  std::vector<Address> addresses;
  for (const Value item : TRY(items_of(patient, "address"))) {
    if (TRY(text_of(item, "use")) == "old") continue;
    Address address;
    address.lines = TRY(texts_of(item, "line"));
    address.city = TRY(text_of(item, "city"));
    address.state = TRY(text_of(item, "state"));
    address.postal_code = TRY(text_of(item, "postalCode"));
    address.country = TRY(text_of(item, "country"));
    if (address != Address{}) addresses.push_back(std::move(address));
  }
  return addresses;
}

Result<std::string> read_gender(Value patient) {
  const auto gender = TRY(text_of(patient, "gender"));
  if (gender == "male") return std::string("M");
  if (gender == "female") return std::string("F");
  if (gender == "other") return std::string("UN");
  if (gender.empty() || gender == "unknown") return std::string();
  return unreadable("gender");
}

Result<std::string> read_birth_date(Value patient) {
  const auto date = TRY(text_of(patient, "birthDate"));
  if (date.empty()) return std::string();
  auto digits = date_digits(date);
  if (!digits) return unreadable("birthDate");
  return *digits;
}

Result<std::vector<FhirIdentifier>> read_identifiers(Value patient) {
  std::vector<FhirIdentifier> identifiers;
  for (const Value item : TRY(items_of(patient, "identifier"))) {
    FhirIdentifier identifier;
    identifier.system = TRY(text_of(item, "system"));
    identifier.value = TRY(text_of(item, "value"));
    if (!identifier.value.empty() && TRY(text_of(item, "use")) != "old") identifiers.push_back(std::move(identifier));
  }
  return identifiers;
}

}  // namespace

Result<FhirPatient> read_patient(Value resource) {
  const auto type = resource.find("resourceType");
  if (!type || type->string() != "Patient") return fail(Errc::NotAPatient);
  FhirPatient patient;
  patient.id = TRY(text_of(resource, "id"));
  patient.identifiers = TRY(read_identifiers(resource));
  patient.person.names = TRY(read_names(resource));
  patient.person.gender = TRY(read_gender(resource));
  patient.person.birth_date = TRY(read_birth_date(resource));
  patient.person.addresses = TRY(read_addresses(resource));
  patient.person.telecoms = TRY(read_telecoms(resource));
  if (const auto active = resource.find("active")) {
    if (!active->boolean()) return unreadable("active");
    patient.active = *active->boolean();
  }
  return patient;
}

std::string root_of_system(std::string_view system) {
  constexpr std::pair<std::string_view, std::string_view> known[] = {
      {"http://hl7.org/fhir/sid/us-ssn", "2.16.840.1.113883.4.1"},
      {"http://hl7.org/fhir/sid/us-npi", "2.16.840.1.113883.4.6"},
  };
  for (const auto& [uri, root] : known) {
    if (system == uri) return std::string(root);
  }
  for (const std::string_view prefix : {"urn:oid:", "urn:uuid:"}) {
    if (system.starts_with(prefix)) return std::string(system.substr(prefix.size()));
  }
  return std::string(system);
}

}  // namespace gateway::resources
