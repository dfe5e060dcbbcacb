// The question of ITI-55 and every kind of answer to it.

#include "fuzz/samples.hpp"
#include "fuzz/target.hpp"
#include "xca/hl7v3/echo.hpp"
#include "xca/hl7v3/patient_discovery.hpp"
#include "xca/schema.hpp"

namespace fuzz {
namespace {

using namespace xca::hl7v3;

constexpr char message_id[] = "0c9a3b7e-51d2-4a86-9e0f-7b6a5c4d3e21";
const Responder responder{.home = "2.999.7", .device = "2.999.7.9", .authority = "2.999.7.1"};

std::vector<QueryOutcome> outcomes() {
  const PatientMatch match{
      .id = {"2.999.7", "P1"},
      .person = {.names = {{.family = "Quill", .given = {"Odessa", "May"}, .prefix = "Dr", .suffix = "III"}},
                 .gender = "F",
                 .birth_date = "19710814",
                 .addresses = {{.lines = {"1 Main"}, .city = "Ely", .state = "OR", .postal_code = "97000", .country = "US"}},
                 .telecoms = {"tel:+1-555-0100"}},
      .score = 90,
      .custodian = "2.999.7"};
  PatientMatch bare{.id = {"2.999.7", "P2"}, .person = {}, .score = 100, .custodian = "2.999.7"};
  bare.person.names.emplace_back().family = "Quill";
  return {{},
          {.matches = {match}},
          {.matches = {match, bare}},
          {.wanted = {Wanted::Gender, Wanted::Address, Wanted::Telecom, Wanted::BirthPlaceName,
                      Wanted::BirthPlaceAddress, Wanted::MothersMaidenName}},
          {.problem = Problem::ResponderBusy},
          {.problem = Problem::AnswerNotAvailable},
          {.problem = Problem::InternalError},
          {.problem = Problem::BadQuery}};
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  while (times-- > 0) all += text;
  return all;
}

std::string parameter(const std::string& name, const std::string& values) {
  return "<" + name + ">" + values + "<semanticsText/></" + name + ">";
}

/// Every form of a birth date, of a text that nobody sees, of an address of the net; and more than is taken of each.
std::vector<std::string> odd_parameters() {
  std::vector<std::string> found;
  for (const char* time : {"1971", "197108", "19711308", "00000101", "19710230", "1971-08-14", "1971-08-14T12:00:00Z",
                           "1971-0x-14", "20260115093000.1234+0100", "197108141200-05"})
    found.push_back(parameter("livingSubjectBirthTime", "<value value=\"" + std::string(time) + "\"/>"));
  for (const char* interval :
       {R"(<center value="1971"/><width value="-2.5" unit="d"/>)", R"(<low value="1971"/><width value="+2" unit="d"/>)",
        R"(<width value="2.x"/><high value="1972"/>)", R"(<width value="2"/>)", R"(<low value="1971"/>)",
        R"(<high value="1971"/>)", R"(<low value="1980"/><high value="1971"/>)"})
    found.push_back(parameter("livingSubjectBirthTime", "<value>" + std::string(interval) + "</value>"));
  for (const char* character : {"\xC2\x85", "\xC2\xAD", "\xE2\x80\x8B", "\xE2\x80\xAE", "\xE2\x81\xA6", "\xEF\xBB\xBF",
                                "\xEF\xBB\x80", "\xE2\x80\x90", "\xE2\x82\xAC", "\xC3\xA9", "&#9;"})
    found.push_back(parameter("livingSubjectId",
                              "<value root=\"2.999.4.1\" extension=\"a" + std::string(character) + "\"/>"));
  std::string telecoms;
  for (const char* uri : {"http://a-b.example:8080/?q#f", "//192.0.2.7:80/", "http://192.0.2.256/", "http://192.0.2/",
                          "http://a.example:65536/", "http://a.-b/", "a#b#c", "%4", "a%4g", "1a:b", "a:", "a b",
                          "a@b.example", "x+y-z.1:0"})
    telecoms += "<value value=\"" + std::string(uri) + "\"/>";
  found.push_back(parameter("patientTelecom", telecoms));
  constexpr std::pair<const char*, const char*> many[] = {
      {"livingSubjectId", R"(<value root="2.999.4.1" extension="a"/>)"},
      {"patientTelecom", R"(<value value="tel:+15550100"/>)"},
      {"livingSubjectName", "<value><family>Quill</family></value>"},
      {"mothersMaidenName", "<value><family>Reed</family></value>"},
      {"patientAddress", "<value><city>Ely</city></value>"},
      {"principalCareProviderId", R"(<value root="2.999" extension="1"/>)"},
      {"livingSubjectAdministrativeGender", R"(<value code="F"/><value code="M"/>)"}};
  for (const auto& [name, value] : many)
    found.push_back(parameter(name, repeated(value, 60)));
  return found;
}

/// Whatever was asked, what we say is valid and in canonical form.
void hold_well_emitted(const std::string& answer) {
  const auto findings = xca::schemas().validate(answer);
  if (!findings.empty()) found("an answer that is not valid: " + findings.front().message);
  const auto document = base::xml::Document::parse(answer);
  hold(base::xml::canonicalize(document.value().root()).value() == answer, "an answer that is not canonical");
}

}  // namespace

const Form form = Form::Xml;

std::vector<std::string_view> words() {
  return {"NI", "OTH", "MSK", "NASK", "true", "false", "1.2.840", "1.02", "E8F3A0B1-1111-4222-8333-444455556666",
          "2.16.840.1.113883.4.1", "hl7-x", "20260115", "2026011509", "20260115093000.1234+0100", "202601150930-0500",
          "20261315", "2026-01-15", "-7", "+7", "0.5", "1.5E3", ".5", "tel:+1-555-0100", "mailto:a@b.example",
          "http://a.example/%20", "http://a-b.example:8080/?q#f", "//192.0.2.7:80/", "http://192.0.2.256/",
          "http://a.example:65536/", "a#b#c", "%4", "1a:b", "a:", "urn:oid:1.2", "I", "E", "A", "H", "P", "HP", "HP MC",
          "WP DIR", "TMP BAD", "L P",
          "ABC SYL IDE", "AC NB CL", "BR SP CALLME", "B64", "TXT", "text/plain", "text/html", "MTH", "D", "R", "T",
          "new", "F", "M", "UN", "PRPA_IN201305UV02", "unsorted"};
}

void run(std::string_view input) {
  static const auto all = outcomes();
  const auto document = base::xml::Document::parse(input);
  if (!document) return;
  if (document->root().local_name() == "queryByParameter") (void)echo(document->root());
  const auto query = read_query(document->root());
  if (!query) return;
  (void)query->has_minimum();
  for (const auto& outcome : all)
    hold_well_emitted(write_answer(*query, outcome, responder, message_id, base::from_micros(1'772'463'845'000'000)));
  hold_well_emitted(
      write_deferred_refusal(*query, responder, message_id, base::from_micros(1'772'463'845'000'000)));
}

std::vector<std::string> seeds() {
  auto found = sample_elements({"PRPA_IN201305UV02", "PRPA_IN201306UV02", "queryByParameter"});
  const std::string head =
      R"(<PRPA_IN201305UV02 xmlns="urn:hl7-org:v3" ITSVersion="XML_1.0"><id root="1.2.3" extension="m1"/><creationTime value="20261121120000"/><interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201305UV02"/><processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="NE"/><receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE"><id root="2.999.9"/><asAgent classCode="AGNT"><representedOrganization classCode="ORG" determinerCode="INSTANCE"><id root="2.999.7"/></representedOrganization></asAgent></device></receiver><sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE"><id root="2.999.9"/><asAgent classCode="AGNT"><representedOrganization classCode="ORG" determinerCode="INSTANCE"><id root="2.999.4"/></representedOrganization></asAgent></device></sender><controlActProcess classCode="CACT" moodCode="EVN"><code code="PRPA_TE201305UV02"/><authorOrPerformer typeCode="AUT"><assignedDevice classCode="ASSIGNED"><id root="2.999.4.1"/></assignedDevice></authorOrPerformer><queryByParameter><queryId root="2.999.4" extension="q1"/><statusCode code="new"/><responseModalityCode code="R"/><responsePriorityCode code="I"/><initialQuantity value="10"/><matchCriterionList><minimumDegreeMatch><value xsi:type="INT" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" value="75"/><semanticsText>Degree</semanticsText></minimumDegreeMatch></matchCriterionList><parameterList>)";
  const std::string tail = "</parameterList></queryByParameter></controlActProcess></PRPA_IN201305UV02>";
  const std::string name =
      R"(<livingSubjectName><value use="L"><prefix>Dr</prefix><given qualifier="CL">Odessa</given><given>M</given><family>Quill</family><suffix>III</suffix></value><value nullFlavor="UNK"/><semanticsText>LivingSubject.name</semanticsText></livingSubjectName>)";
  auto parameters = odd_parameters();
  for (const char* usual : {
           R"(<livingSubjectAdministrativeGender><value code="F" codeSystem="2.16.840.1.113883.5.1" displayName="Female"/><semanticsText/></livingSubjectAdministrativeGender><livingSubjectBirthTime><value value="19710814"/><semanticsText>LivingSubject.birthTime</semanticsText></livingSubjectBirthTime>)",
           R"(<livingSubjectBirthTime><value><low value="19710101" inclusive="true"/><high value="1972" inclusive="false"/></value></livingSubjectBirthTime><livingSubjectId><value root="2.16.840.1.113883.4.1" extension="999-00-1234"/><value root="2.999.4.1" extension="a" assigningAuthorityName="x"/></livingSubjectId>)",
           R"(<livingSubjectBirthTime><value><center value="1971081412"/><width value="2" unit="d"/></value></livingSubjectBirthTime><mothersMaidenName><value><family>Reed</family></value></mothersMaidenName>)",
           R"(<patientAddress><value use="HP"><streetAddressLine>1 Main</streetAddressLine><houseNumber>1</houseNumber><streetName>Main</streetName><city>X</city><state>OR</state><postalCode>97000</postalCode><country>US</country></value></patientAddress><patientTelecom><value use="HP MC" value="tel:+15550100"/><value value="mailto:a@b.example"/></patientTelecom>)",
           R"(<principalCareProviderId><value root="2.16.840.1.113883.4.6" extension="1234567893"/></principalCareProviderId><livingSubjectBirthPlaceName><value>Ely</value></livingSubjectBirthPlaceName><livingSubjectBirthPlaceAddress><value><city>Ely</city></value></livingSubjectBirthPlaceAddress><otherIDsScopingOrganization><value root="2.999.4.1"/></otherIDsScopingOrganization>)"})
    parameters.emplace_back(usual);
  for (const auto& one : parameters) {
    found.push_back(head + one + name + tail);
    // echoed though it would not be understood
    found.push_back(R"(<queryByParameter xmlns="urn:hl7-org:v3"><parameterList>)" + one +
                    "</parameterList></queryByParameter>");
  }
  return found;
}

}  // namespace fuzz
