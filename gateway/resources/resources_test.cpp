#include "gateway/resources/organization.hpp"
#include "gateway/resources/patient.hpp"

#include <gtest/gtest.h>

namespace gateway::resources {
namespace {

/// place=resourceType, or place=! for what could not be read.
std::string read_all(const std::string& file) {
  std::string seen;
  const auto read = read_bundle_or_ndjson(file, [&](const std::string& place, const Result<base::json::Value>& value) {
    const auto type = value ? value->find("resourceType") : std::nullopt;
    seen += place + "=" + (type ? std::string(type->string().value_or("?")) : "!") + ";";
    return Result<void>();
  });
  return read ? seen : "refused";
}

TEST(ResourceFile, GivesResourcesWithTheirPlace) {
  EXPECT_EQ(
      read_all(
          R"({"resourceType":"Bundle","entry":[{"resource":{"resourceType":"A"}},{},{"resource":{"resourceType":"B"}}]})"),
      "entry 1=A;entry 2=!;entry 3=B;");
  EXPECT_EQ(read_all("{\"resourceType\":\"A\"}\r\n\n{bad\n{\"resourceType\":\"B\"}"), "line 1=A;line 3=!;line 4=B;");
  EXPECT_EQ(read_all("\xEF\xBB\xBF{\"resourceType\":\"A\"}"), "entry 1=A;");
  EXPECT_EQ(read_all("{\n\"resourceType\":\n\"A\"}"), "entry 1=A;") << "one resource over several lines";
  EXPECT_EQ(read_all("[]"), "refused");
  EXPECT_EQ(read_all(""), "refused");
  EXPECT_EQ(read_all(R"({"resourceType":"Bundle","entry":{}})"), "refused");
}

Result<FhirPatient> patient(const std::string& members) {
  const auto document = *base::json::Document::parse(R"({"resourceType":"Patient")" + members + "}");
  return read_patient(document->root());
}

TEST(FhirPatient, IsReadAsAPerson) {
  const auto read =
      *patient(R"(,"id":"p1","identifier":[{"system":"urn:oid:2.999.1","value":" 7 "},{"use":"old","value":"6"}],
    "name":[{"use":"maiden","family":"Old"},{"use":"official","family":"New","given":["A",null,"B"],"suffix":["Jr."]}],
    "telecom":[{"system":"phone","value":"+1 (503) 555-0112"},{"system":"email","value":"a@example.org"},{"system":"fax","value":"1"}],
    "gender":"other","birthDate":"1970-06","address":[{"line":["12 Maple"],"city":"X","postalCode":"97210"},{"use":"old","city":"Y"}])");
  EXPECT_EQ(read.identifiers, (std::vector<FhirIdentifier>{{"urn:oid:2.999.1", "7"}}));
  ASSERT_EQ(read.person.names.size(), 2u);
  EXPECT_EQ(read.person.names[0].family, "New") << "official first";
  EXPECT_EQ(read.person.names[0].given, (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(read.person.telecoms, (std::vector<std::string>{"tel:+1(503)555-0112", "mailto:a@example.org"}));
  EXPECT_EQ(read.person.gender, "UN");
  EXPECT_EQ(read.person.birth_date, "197006");
  EXPECT_EQ(read.person.addresses.size(), 1u);
  EXPECT_TRUE(read.active);
  EXPECT_EQ(root_of_system("http://hl7.org/fhir/sid/us-ssn"), "2.16.840.1.113883.4.1");
}

TEST(FhirPatient, IsRefusedWhereWhoIsMeantCannotBeRead) {
  for (const char* members :
       {R"(,"birthDate":"1970-02-30")", R"(,"birthDate":"15.6.1970")", R"(,"birthDate":19700615)", R"(,"gender":"m")",
        R"(,"active":"false")", R"(,"name":{"family":"X"})", R"(,"name":[{"family":7}])"}) {
    const auto read = patient(members);
    ASSERT_FALSE(read) << members;
    EXPECT_EQ(read.error().code, Errc::FieldUnreadable) << members;
  }
  EXPECT_TRUE(patient(R"(,"birthDate":"1972-02-29")"));
}

Result<DirectoryOrganization> organization(const std::string& members) {
  const auto document = *base::json::Document::parse(R"({"resourceType":"Organization")" + members + "}");
  return read_organization(document->root());
}

TEST(DirectoryEntry, IsReadAsTheDirectoryWritesIt) {
  const auto read = *organization(R"(,"id":"2.999.20","name":"Hospital","active":false,
    "identifier":[{"type":{"coding":[{"code":"HCID"}]},"system":"urn:ietf:rfc:3986","value":"urn:oid:2.999.20"}],
    "type":[{"coding":[{"code":"Connection"}]}],"partOf":{"reference":"Organization/2.999.10"},
    "extension":[{"url":"https://x/StructureDefinition/org-managing-org","valueReference":{"reference":"Organization/2.999.10"}},
                 {"url":"https://x/StructureDefinition/DOA","valueReference":{"reference":"Organization/2.999.30"}},
                 {"url":"https://x/StructureDefinition/DOA","valueReference":{"reference":"Organization/2.999.31"}}],
    "contained":[{"resourceType":"Endpoint","status":"active","address":"https://h/xcpd","connectionType":{"code":"ihe-xcpd"},
                  "extension":[{"url":"https://x/Transaction","valueString":"XCPD ITI-55"}]},{"resourceType":"Location"}])");
  EXPECT_EQ(read.home, "2.999.20");
  EXPECT_FALSE(read.active);
  EXPECT_EQ(read.type, "Connection");
  EXPECT_EQ(read.part_of, "2.999.10");
  EXPECT_EQ(read.managing, "2.999.10");
  EXPECT_EQ(read.delegates, (std::vector<std::string>{"2.999.30", "2.999.31"}));
  ASSERT_EQ(read.endpoints.size(), 1u);
  EXPECT_EQ(read.endpoints[0].transactions, std::vector<std::string>{"XCPD ITI-55"});

  DirectoryOrganization again{.home = read.home, .name = read.name, .active = read.active};
  ASSERT_TRUE(read_entry(write_entry(read), again));
  EXPECT_EQ(again, read);
}

TEST(DirectoryEntry, IsRefusedWhereItsRightsCannotBeRead) {
  for (const char* members :
       {"", R"(,"id":"not an oid")",
        R"(,"id":"2.999.1","identifier":[{"type":{"coding":[{"code":"HCID"}]},"value":"urn:oid:2.999.2"}])",
        R"(,"id":"2.999.1","active":"true")", R"(,"id":"2.999.1","partOf":{"reference":"#x"})",
        R"(,"id":"2.999.1","extension":[{"url":"x/DOA","valueString":"someone"}])"}) {
    EXPECT_FALSE(organization(members)) << members;
  }
  EXPECT_TRUE(organization(R"(,"id":"2.999.1")"));
}

}  // namespace
}  // namespace gateway::resources
