#include "gateway/documents/cda.hpp"

#include "gateway/documents/metadata.hpp"
#include "gateway/documents/render.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gateway::documents {
namespace {

/// A small C-CDA. @param change  replaces one text of it by another
std::string cda(std::string_view from = {}, std::string_view to = {}) {
  std::string text = R"(<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
  <templateId root="2.16.840.1.113883.10.20.22.1.1" extension="2015-08-01"/>
  <id root="2.999.7" extension="D1"/>
  <code code="60591-5" codeSystem="2.16.840.1.113883.6.1" displayName="Patient summary"/>
  <title>Summary
    of care</title>
  <effectiveTime value="20250601103000-0500"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="en-US"/>
  <recordTarget><patientRole>
    <id root="2.16.840.1.113883.4.1" extension="912-34-5678"/><id root="2.999.1.1" extension="1"/>
    <addr><streetAddressLine>12 Maple St</streetAddressLine><city>Fernhollow</city><state>OR</state><postalCode>97210</postalCode></addr>
    <telecom value="tel:+1-503-555-0112"/>
    <patient><name><given>Ann</given><given>B</given><family>Smith^x</family></name>
      <administrativeGenderCode code="F"/><birthTime value="19700615"/></patient>
  </patientRole></recordTarget>
  <author><assignedAuthor><id root="2.16.840.1.113883.4.6" extension="99"/>
    <assignedPerson><name><given>Imogen</given><family>Testwright</family></name></assignedPerson>
    <representedOrganization><id root="2.999.1"/><name>Riverbend</name></representedOrganization></assignedAuthor></author>
  <legalAuthenticator><assignedEntity><id nullFlavor="UNK"/>
    <assignedPerson><name><given>Oriel</given><family>Samplesworth</family></name></assignedPerson></assignedEntity></legalAuthenticator>
  <documentationOf><serviceEvent><effectiveTime><low value="20250501"/><high value="20250601103000-0500"/></effectiveTime></serviceEvent></documentationOf>
  <component><structuredBody><component><section><title>Allergies</title><text>None known</text></section></component></structuredBody></component>
</ClinicalDocument>)";
  if (from.empty()) return text;
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("nothing to replace");
  return text.replace(at, from.size(), to);
}

Calendar utc() { return *Calendar::of("UTC"); }

CdaHeader header(const std::string& text, const Calendar& calendar = utc()) {
  auto read = read_cda_header(text, calendar);
  if (!read) throw std::runtime_error(read.error().code.message());
  return *std::move(read);
}

TEST(CdaHeader, BecomesTheMetadataOfTheDocument) {
  const auto text = cda();
  const auto read = header(text);
  const auto& entry = read.entry;
  EXPECT_EQ(entry.unique_id, "2.999.7^D1");
  EXPECT_EQ(entry.type_code.code, "60591-5");
  EXPECT_EQ(entry.class_code.code, "34133-9");
  EXPECT_EQ(entry.class_code.display, "Summarization of episode note");
  EXPECT_EQ(entry.creation_time, "20250601153000") << "UTC";
  EXPECT_EQ(entry.title, "Summary of care");
  EXPECT_EQ(entry.confidentiality_codes.at(0).code, "N");
  EXPECT_EQ(entry.language, "en-US");
  EXPECT_EQ(entry.source_patient, (base::Identifier{"2.999.1.1", "1"})) << "never the SSN";
  EXPECT_EQ(entry.source_patient_info,
            (std::vector<std::string>{"PID-3|1^^^&2.999.1.1&ISO", "PID-5|Smith x^Ann^B", "PID-7|19700615", "PID-8|F",
                                      "PID-11|12 Maple St^^Fernhollow^OR^97210"}));
  EXPECT_EQ(entry.authors.at(0).person, "99^Testwright^Imogen^^^^^^&2.16.840.1.113883.4.6&ISO");
  EXPECT_EQ(entry.authors.at(0).institutions.at(0), "Riverbend^^^^^^^^^2.999.1");
  EXPECT_EQ(entry.legal_authenticator, "^Samplesworth^Oriel");
  EXPECT_EQ(entry.service_start, "20250501");
  EXPECT_EQ(entry.service_stop, "20250601153000");
  EXPECT_EQ(entry.format_code.code, "urn:hl7-org:sdwg:ccda-structuredBody:2.1");
  EXPECT_EQ(entry.format_code.system, "1.3.6.1.4.1.19376.1.2.3");
  EXPECT_EQ(entry.mime_type, "text/xml");
  EXPECT_EQ(entry.size, text.size());
  EXPECT_EQ(entry.hash_sha1.size(), 40u);
  EXPECT_EQ(read.patient_ids.size(), 2u);
  EXPECT_EQ(read.person.birth_date, "19700615");
}

TEST(CdaHeader, SaysWhatTheDocumentSays) {
  struct Row {
    const char *from, *to;
    std::string expected;
    std::function<std::string(const xca::ebxml::DocumentEntry&)> read;
  };
  const Row table[] = {
      {R"( extension="2015-08-01")", "", "urn:hl7-org:sdwg:ccda-structuredBody:1.1",
       [](auto& e) { return e.format_code.code; }},
      {"<structuredBody>", R"(<nonXMLBody><text mediaType="application/pdf"/></nonXMLBody><structuredBody>)",
       "urn:hl7-org:sdwg:ccda-nonXMLBody:2.1", [](auto& e) { return e.format_code.code; }},
      {R"(root="2.16.840.1.113883.10.20.22.1.1" extension="2015-08-01")", R"(root="2.16.840.1.113883.10.20.1")",
       "urn:ihe:pcc:xphr:2007", [](auto& e) { return e.format_code.code; }},
      {R"(code="N" codeSystem)", R"(nullFlavor="NI" codeSystem)", "R",
       [](auto& e) { return e.confidentiality_codes.at(0).code; }},
      {R"( extension="D1")", "", "2.999.7", [](auto& e) { return e.unique_id; }},
      {"20250601103000-0500\"/>\n  <conf", "20250601\"/>\n  <conf", "20250601",
       [](auto& e) { return e.creation_time; }},
      {R"(low value="20250501")", R"(low nullFlavor="UNK")", "", [](auto& e) { return e.service_start; }},
      {"60591-5", "99999-9", "99999-9", [](auto& e) { return e.class_code.code; }},
  };
  for (const auto& row : table) EXPECT_EQ(row.read(header(cda(row.from, row.to)).entry), row.expected) << row.to;
}

TEST(CdaHeader, RefusesWhatDecidesAndIsMissingOrUnreadable) {
  struct Row {
    std::string text;
    boost::system::error_code expected;
  };
  const Row table[] = {
      {cda(R"(root="2.999.7" extension="D1")", ""), Errc::HeaderIncomplete},
      {cda(R"(code="60591-5")", ""), Errc::HeaderIncomplete},
      {cda(R"(value="20250601103000-0500"/>)", R"(value="-08"/>)"), Errc::HeaderUnreadable},
      {cda("<recordTarget>", "<recordTarget/><recordTarget>"), Errc::SeveralPatients},
      {"<ClinicalDocument/>", Errc::NotACda},
      {"%PDF-1.7", base::xml::Errc::NotWellFormed},
      {cda("<ClinicalDocument", "<!DOCTYPE x><ClinicalDocument"), base::xml::Errc::HasDoctype},
  };
  for (const auto& row : table) {
    const auto read = read_cda_header(row.text, utc());
    ASSERT_FALSE(read) << row.text.substr(0, 60);
    EXPECT_EQ(read.error().code, row.expected) << row.text.substr(0, 60);
  }
  EXPECT_EQ(read_cda_header(cda(), utc(), {.bytes = 100}).error().code, Errc::TooLarge);
}

TEST(CdaHeader, ReadsTimesWithoutZoneAsTheClinicsAndAsPreciseAsTheyAre) {
  struct Row {
    const char *written, *zone, *dtm;
  };
  const Row table[] = {
      {"20250601103000-0500", "America/New_York", "20250601153000"},
      {"20250601223000", "America/New_York", "20250602023000"},
      {"20250601223000", "UTC", "20250601223000"},
      {"20250601223000.250", "America/New_York", "20250602023000"},
      {"2025-06-01T22:30:00", "America/New_York", "20250602023000"},
      {"2025-06-01T22:30:00Z", "America/New_York", "20250601223000"},
      {"2025-06-01T22:30:00-05:00", "America/New_York", "20250602033000"},
      {"202506012230", "America/New_York", "202506020230"},
      {"202506012230+0000", "America/New_York", "202506012230"},
      {"2025060122", "America/New_York", "2025060202"},
      {"2025060122", "Asia/Kolkata", "20250601"},
      {"202506012230", "Asia/Kolkata", "202506011700"},
      {"2025060122+0530", "America/New_York", "20250601"},
      {"20250601", "America/New_York", "20250601"},
      {"2025-06-01", "America/New_York", "20250601"},
      {"20250601-0500", "America/New_York", "20250601"},
      {"202506", "America/New_York", "202506"},
      {"20250309023000", "America/New_York", "20250309"},
      {"20250309033000", "America/New_York", "20250309073000"},
      {"20251102013000", "America/New_York", "20251102"},
      {"20251102013000-0400", "America/New_York", "20251102053000"},
      {"20251102023000", "America/New_York", "20251102073000"},
  };
  for (const auto& row : table) {
    const auto text = cda("effectiveTime value=\"20250601103000-0500\"/>",
                          std::string("effectiveTime value=\"") + row.written + "\"/>");
    EXPECT_EQ(header(text, *Calendar::of(row.zone)).entry.creation_time, row.dtm)
        << row.written << " " << row.zone;
  }
  const auto service = header(cda("<low value=\"20250501\"/><high value=\"20250601103000-0500\"/>",
                                  "<low value=\"20250501210000\"/><high value=\"20251102013000\"/>"),
                              *Calendar::of("America/New_York")).entry;
  EXPECT_EQ(service.service_start, "20250502010000");
  EXPECT_EQ(service.service_stop, "20251102") << "to the end of the day";
}

TEST(CdaHeader, KnowsEveryParentOrSaysThatItDoesNot) {
  const auto parent = [](const std::string& ids) {
    return R"(<relatedDocument typeCode="RPLC"><parentDocument>)" + ids + "</parentDocument></relatedDocument>";
  };
  const auto numbered = [&](int count) {
    std::string all;
    for (int n = 1; n <= count; ++n) all += parent(R"(<id root="2.999.7" extension=")" + std::to_string(n) + "\"/>");
    return all;
  };
  const std::string none = R"(<id nullFlavor="NA"/>)", unknown = R"(<id nullFlavor="UNK"/>)";
  const std::string one = R"(<id root="2.999.8"/>)";
  struct Row {
    std::string related;
    std::size_t parents;
    bool complete;
  };
  const Row table[] = {
      {"", 0, true},
      {numbered(11), 11, true},
      {numbered(100) + numbered(100), 100, true},
      {numbered(101), 100, false},
      {parent(one), 1, true},
      {parent(unknown + one), 1, true},
      {parent(none), 0, true},
      {parent(unknown), 0, false},
      {parent(one) + parent(unknown), 1, false},
      {parent(R"(<id root=""/>)"), 0, false},
      {parent(R"(<id extension="1"/>)"), 0, false},
      {parent(R"(<id root="2.999.7" extension=")" + std::string(300, '1') + "\"/>"), 0, false},
      {parent(R"(<id root="2.999.7" extension=""/>)"), 1, true},
      {parent(""), 0, false},
      {R"(<relatedDocument typeCode="APND"/>)", 0, false},
  };
  for (const auto& row : table) {
    const auto read = header(cda("<component><structuredBody>", row.related + "<component><structuredBody>"));
    EXPECT_EQ(read.parents.size(), row.parents) << row.related.substr(0, 120);
    EXPECT_EQ(read.markings.complete, row.complete) << row.related.substr(0, 120);
  }
}

TEST(CdaMetadata, IsReadAsItWasWritten) {
  auto entry = header(cda()).entry;
  entry.event_codes = {{"A", "2.999.5", "event \"A\""}};
  entry.comments = "line\nline";
  const auto again = read_metadata(write_metadata(entry));
  ASSERT_TRUE(again);
  EXPECT_EQ(write_metadata(*again), write_metadata(entry));
  EXPECT_EQ(again->event_codes, entry.event_codes);
  EXPECT_EQ(again->size, entry.size);
  EXPECT_FALSE(read_metadata("{}"));
  EXPECT_FALSE(read_metadata("[]"));
}

TEST(CdaPage, ShowsTheNarrativeAndFetchesNothing) {
  const auto page = render_html(cda("None known", "None known &lt;script&gt;alert(1)&lt;/script&gt;"));
  ASSERT_TRUE(page);
  EXPECT_NE(page->find("None known"), std::string::npos);
  EXPECT_NE(page->find("Smith"), std::string::npos);
  EXPECT_EQ(page->find("<script"), std::string::npos);
  EXPECT_FALSE(render_html("<a/>"));
  EXPECT_FALSE(render_html(
      cda("<ClinicalDocument", "<!DOCTYPE ClinicalDocument SYSTEM 'file:///etc/passwd'><ClinicalDocument")));
}

TEST(CdaSamples, OfOtherExportersAreReadAndShown) {
  const char* shared = std::getenv("GATEHOUSE_SHARED");
  const auto folder = std::filesystem::path(shared ? shared : "../shared") / "samples/cda";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no samples at " << folder;
  // Its effectiveTime is "-08": without a time of creation there is no metadata.
  const std::map<std::string, boost::system::error_code> refused{
      {"kinsights-timmy-schema-invalid.xml", Errc::HeaderUnreadable}};
  std::size_t seen = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::ifstream stream(file.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    const auto name = file.path().filename().string();
    const auto read = read_cda_header(bytes, utc());
    const auto expected = refused.find(name);
    EXPECT_EQ(bool(read), expected == refused.end()) << name << ": " << (read ? "" : read.error().code.message());
    if (read) {
      EXPECT_FALSE(read->person.names.empty()) << name;
    } else if (expected != refused.end()) {
      EXPECT_EQ(read.error().code, expected->second) << name;
    }
    const auto page = render_html(bytes);
    ASSERT_TRUE(page) << name << ": " << page.error().code.message();
    EXPECT_GT(page->size(), 2000u) << name;
    ++seen;
  }
  EXPECT_GE(seen, 21u);
}

}  // namespace
}  // namespace gateway::documents
