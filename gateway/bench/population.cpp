#include "gateway/bench/population.hpp"

#include "base/json/writer.hpp"

#include <array>
#include <string_view>

namespace gateway::bench {
namespace {

constexpr std::array<std::string_view, 16> syllables{"ba",  "cor", "den", "fal", "gri", "hol", "jen", "kar",
                                                     "lum", "mon", "nor", "pel", "ris", "sta", "tor", "wen"};
constexpr std::array<std::string_view, 8> given_m{"James",  "Robert", "Michael", "David",
                                                  "Carlos", "Wei",    "Omar",    "Paul"};
constexpr std::array<std::string_view, 8> given_f{"Mary",  "Patricia", "Linda", "Susan",
                                                  "Elena", "Mei",      "Aisha", "Ruth"};
constexpr std::array<std::string_view, 6> streets{"Main Street", "Oak Avenue", "Courthouse Square",
                                                  "Mill Road",   "Lake Drive", "Park Lane"};
struct City {
  std::string_view name, state, postal_code;
};
constexpr std::array<City, 4> cities{{{"Hill Valley", "CA", "95420"},
                                      {"Springfield", "IL", "62701"},
                                      {"Riverside", "OH", "45424"},
                                      {"Albany", "NY", "12207"}}};

std::string digits(std::size_t number, std::size_t width) {
  const auto text = std::to_string(number);
  return std::string(width - std::min(width, text.size()), '0') + text;
}

/// Four syllables: 65,536 different names.
std::string family_of(std::size_t number) {
  std::string name;
  for (int i = 0; i < 4; ++i, number /= syllables.size()) name += syllables[number % syllables.size()];
  name.front() = static_cast<char>(name.front() - 'a' + 'A');
  return name;
}

Somebody somebody(std::size_t number) {
  const bool male = number % 2 == 0;
  const City& city = cities[number / 3 % cities.size()];
  return {.family = family_of(number),
          .given = std::string((male ? given_m : given_f)[number / 2 % 8]),
          .middle = std::string(1, static_cast<char>('A' + number % 26)),
          .gender = male ? "M" : "F",
          .birth_date = digits(1930 + number % 80, 4) + digits(1 + number % 12, 2) + digits(1 + number % 28, 2),
          .street = std::to_string(1 + number % 9000) + " " + std::string(streets[number % streets.size()]),
          .city = std::string(city.name),
          .state = std::string(city.state),
          .postal_code = std::string(city.postal_code),
          .telephone = "+1-555-" + digits(number, 7),
          .mrn = "M" + digits(number, 7),
          .asker_id = "R-" + digits(number * 7919 % 10'000'000, 7)};
}

void write_patient(base::json::Writer& writer, const Somebody& who, const std::string& authority) {
  const auto& date = who.birth_date;
  writer.begin_object().member("resourceType", "Patient").member("id", who.mrn);
  writer.name("identifier").begin_array().begin_object().member("system", "urn:oid:" + authority);
  writer.member("value", who.mrn).end_object();
  if (!who.ssn.empty()) {
    writer.begin_object().member("system", "http://hl7.org/fhir/sid/us-ssn").member("value", who.ssn).end_object();
  }
  writer.end_array();
  writer.name("name").begin_array().begin_object().member("use", "official").member("family", who.family);
  writer.name("given").begin_array().string(who.given);
  if (!who.middle.empty()) writer.string(who.middle);
  writer.end_array();
  if (!who.suffix.empty()) writer.name("suffix").begin_array().string(who.suffix).end_array();
  writer.end_object().end_array();
  writer.member("gender", who.gender == "M" ? "male" : "female");
  writer.member("birthDate", date.substr(0, 4) + "-" + date.substr(4, 2) + "-" + date.substr(6));
  writer.name("telecom").begin_array().begin_object().member("system", "phone").member("value", who.telephone);
  writer.end_object().end_array();
  writer.name("address").begin_array().begin_object().name("line").begin_array().string(who.street).end_array();
  writer.member("city", who.city).member("state", who.state).member("postalCode", who.postal_code);
  writer.member("country", "US").end_object().end_array().end_object();
}

}  // namespace

std::vector<Somebody> population(std::size_t count) {
  std::vector<Somebody> people;
  people.reserve(count);
  for (std::size_t i = 0; i < count; ++i) people.push_back(somebody(i));
  return people;
}

std::string write_ndjson(std::span<const Somebody> people, const std::string& authority) {
  std::string lines;
  for (const auto& who : people) {
    base::json::Writer writer;
    write_patient(writer, who, authority);
    lines.append(writer.text()).append("\n");
  }
  return lines;
}

}  // namespace gateway::bench
