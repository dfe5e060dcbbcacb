#include "base/error_table.hpp"
#include "base/shared_samples.hpp"
#include "xca/hl7v3/query_message.hpp"
#include "xca/soap/envelope.hpp"

namespace xca::hl7v3 {
namespace {

std::string parameter(const std::string& name, const std::string& values) {
  return "<" + name + ">" + values + "</" + name + ">";
}
QueryMessage with_parameters(std::string parameters) { return {.parameters = std::move(parameters)}; }

std::string why(const QueryMessage& message) {
  const auto query = read(message.text());
  return query ? "" : query.error().code.message();
}
std::string sentence(Errc code) { return make_error_code(code).message(); }

std::string birth_of(const std::string& value) {
  const auto query = read(with_parameters(parameter("livingSubjectBirthTime", value)).text());
  if (!query) return query.error().code == Errc::FieldUnreadable ? "unreadable" : query.error().code.message();
  return query->birth ? query->birth->first + "-" + query->birth->last : "none";
}

TEST(ReadQuery, TakesWhatItNeedsFromEveryPathOfARequest) {
  const PatientQuery query = must_read({});
  EXPECT_EQ(query.message_id, (Identifier{"1.2.3", "m1"}));
  EXPECT_EQ(query.query_id, (Identifier{"2.999.4", "q1"}));
  EXPECT_EQ(query.processing_code, "P");
  EXPECT_EQ(query.receiver_device, "2.999.9");
  EXPECT_EQ(query.receiver_home, "2.999.7");
  EXPECT_EQ(query.sender_home, "2.999.4");
  EXPECT_EQ(query.initiator_authority, "2.999.4.1");
  ASSERT_EQ(query.sought.names.size(), 1u);
  EXPECT_EQ(query.sought.names[0], (PersonName{.family = "Quill", .given = {"Odessa"}, .prefix = "", .suffix = ""}));
  ASSERT_TRUE(query.birth);
  EXPECT_TRUE(query.birth->exact());
  EXPECT_TRUE(query.has_minimum());
}

TEST(ReadQuery, ReadsEveryParameter) {
  const PatientQuery query = must_read(with_parameters(
      parameter("livingSubjectAdministrativeGender", R"(<value code="F" codeSystem="2.16.840.1.113883.5.1"/>)") +
      parameter("livingSubjectId", R"(<value root="1.2" extension="A-1"/>)") +
      parameter("livingSubjectName",
                "<value><prefix>Dr</prefix><given>Odessa</given><given>Rue</given>"
                "<family>Quill</family><family>Feather</family><suffix>III</suffix></value>") +
      parameter("mothersMaidenName", "<value><family>Thistle</family></value>") +
      parameter("patientAddress",
                "<value><streetAddressLine>1 Row</streetAddressLine><streetAddressLine>Apt 2</streetAddressLine>"
                "<city>Mill</city><state>OH</state><postalCode>43999</postalCode><country>USA</country></value>") +
      parameter("patientTelecom", R"(<value value="tel:+1-614-555-0142"/><value value="mailto:o@q.example"/>)") +
      parameter("principalCareProviderId", R"(<value root="2.16.840.1.113883.4.6" extension="1234567893"/>)")));
  EXPECT_EQ(query.sought.gender, "F");
  EXPECT_EQ(query.ids, (std::vector<Identifier>{{"1.2", "A-1"}}));
  ASSERT_EQ(query.sought.names.size(), 1u);
  EXPECT_EQ(query.sought.names[0], (PersonName{"Quill Feather", {"Odessa", "Rue"}, "Dr", "III"}));
  ASSERT_TRUE(query.mothers_maiden_name);
  EXPECT_EQ(query.mothers_maiden_name->family, "Thistle");
  EXPECT_EQ(query.sought.addresses, (std::vector<Address>{{{"1 Row", "Apt 2"}, "Mill", "OH", "43999", "USA"}}));
  EXPECT_EQ(query.sought.telecoms, (std::vector<std::string>{"tel:+1-614-555-0142", "mailto:o@q.example"}));
  EXPECT_EQ(query.provider_ids, (std::vector<std::string>{"1234567893"}));
}

TEST(ReadQuery, TakesBirthTimesOfAnyPrecisionAndRanges) {
  const std::pair<std::string, std::string> rows[] = {
      {R"(<value value="1971"/>)", "19710101-19711231"},
      {R"(<value value="197202"/>)", "19720201-19720229"},
      {R"(<value value="19710814"/>)", "19710814-19710814"},
      {R"(<value value="197108142359"/>)", "19710814-19710814"},
      {R"(<value value="19710814235900+0500"/>)", "19710814-19710814"},
      {R"(<value value="1971-08-14"/>)", "19710814-19710814"},
      {R"(<value value="1971-08-14T00:00:00Z"/>)", "19710814-19710814"},
      {R"(<value><low value="1970"/><high value="197112"/></value>)", "19700101-19711231"},
      {R"(<value><low value="1970"/></value>)", "19700101-21991231"},
      {R"(<value><high value="1970"/></value>)", "18500101-19701231"},
      {R"(<value><low value="0001"/><high value="1970"/></value>)", "18500101-19701231"},
      {"<value/>", "none"},
      {R"(<value nullFlavor="UNK"/>)", "none"},
      {R"(<value value=""/>)", "none"},
      {R"(<value value="19849711"/>)", "unreadable"},
      {R"(<value value="19710229"/>)", "unreadable"},
      {R"(<value value="1971081"/>)", "unreadable"},
      {R"(<value value="197"/>)", "unreadable"},
      {R"(<value value="0000"/>)", "unreadable"},
      {R"(<value value="1971-08-32"/>)", "unreadable"},
      {R"(<value value="1971081425"/>)", "unreadable"},
      {R"(<value value="14.08.1971"/>)", "unreadable"},
      {R"(<value value="1971"><low value="1970"/></value>)", "unreadable"},
      {R"(<value><low value="1972"/><high value="1970"/></value>)", "unreadable"},
      {R"(<value><low value="x"/></value>)", "unreadable"},
      {R"(<value><center value="1971"/></value>)", "unreadable"},
  };
  for (const auto& [value, expected] : rows) EXPECT_EQ(birth_of(value), expected) << value;
}

TEST(ReadQuery, RefusesDecidingFieldsThatStandTwice) {
  const QueryMessage plain;
  const std::string doubled = sentence(Errc::FieldDoubled);
  EXPECT_EQ(why(plain), "");
  EXPECT_EQ(why({.query_id = plain.query_id + plain.query_id}), doubled);
  EXPECT_EQ(why({.id = plain.id + plain.id}), doubled);
  EXPECT_EQ(why({.receiver = plain.receiver + plain.receiver}), doubled);
  EXPECT_EQ(why({.sender = plain.sender + plain.sender}), doubled);
  EXPECT_EQ(why({.receiver = QueryMessage::party("receiver", "RCV", R"(<id root="2.999.7"/><id root="2.999.8"/>)")}),
            doubled);
  EXPECT_EQ(why({.author = plain.by_parameter()}), doubled);
  EXPECT_EQ(why({.after_parameters = "<parameterList/>"}), doubled);
  EXPECT_EQ(why({.codes = R"(<responsePriorityCode code="I"/><responsePriorityCode code="I"/>)"}), doubled);
  EXPECT_EQ(why(with_parameters(parameter("livingSubjectBirthTime", R"(<value value="1971"/><value value="1972"/>)"))),
            doubled);
  EXPECT_EQ(
      why(with_parameters(parameter("livingSubjectAdministrativeGender", R"(<value code="M"/><value code="F"/>)"))),
      doubled);
  EXPECT_EQ(why(with_parameters(
                parameter("mothersMaidenName", "<value><family>A</family></value><value><family>B</family></value>"))),
            doubled);
}

TEST(ReadQuery, RefusesWhatIsNoPatientQuery) {
  EXPECT_EQ(why({.root = "PRPA_IN201309UV02"}), sentence(Errc::NotAPatientQuery));
  EXPECT_EQ(why({.interaction = R"(<interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201306UV02"/>)"}),
            sentence(Errc::NotAPatientQuery));
  EXPECT_EQ(why({.interaction = ""}), sentence(Errc::FieldMissing));
  EXPECT_EQ(why({.query_id = ""}), sentence(Errc::FieldMissing));
  EXPECT_EQ(why({.query_id = "<queryId/>"}), sentence(Errc::FieldMissing));
  EXPECT_EQ(why({.receiver = ""}), sentence(Errc::FieldMissing));
  EXPECT_EQ(why({.codes = ""}), "");
}

TEST(ReadQuery, SaysWhetherTheAnswerIsWantedLater) {
  EXPECT_TRUE(must_read({.codes = R"(<responsePriorityCode code="D"/>)"}).deferred);
  EXPECT_FALSE(must_read({.codes = R"(<responsePriorityCode code="I"/>)"}).deferred);
  EXPECT_FALSE(must_read({.codes = ""}).deferred);
}

TEST(ReadQuery, TakesParametersWhoseNamesBeginWithACapital) {
  EXPECT_EQ(must_read(with_parameters(parameter("LivingSubjectId", R"(<value root="1.2" extension="A"/>)"))).ids.size(),
            1u);
}

TEST(ReadQuery, TakesUnknownGendersAsUnknown) {
  for (const char* code : {"UNK", "U", "OTH", "FTM", "MTF", ""})
    EXPECT_EQ(must_read(with_parameters(parameter("livingSubjectAdministrativeGender",
                                                  "<value code=\"" + std::string(code) + "\"/>")))
                  .sought.gender,
              "")
        << code;
  EXPECT_EQ(
      must_read(with_parameters(parameter("livingSubjectAdministrativeGender", R"(<value code="UN"/>)"))).sought.gender,
      "UN");
}

TEST(ReadQuery, TakesSeveralNamesInOneParameterAndSkipsEmptyOnes) {
  const auto query =
      must_read(with_parameters(parameter("livingSubjectName",
                                          "<value><family>A</family></value><value/><value>text only</value>"
                                          R"(<value><family nullFlavor="UNK">gone</family><given>B</given></value>)")));
  ASSERT_EQ(query.sought.names.size(), 2u);
  EXPECT_EQ(query.sought.names[0].family, "A");
  EXPECT_EQ(query.sought.names[1], (PersonName{"", {"B"}, "", ""}));
  EXPECT_FALSE(query.has_minimum());
}

TEST(ReadQuery, AddsTheSchemeThatPeersLeaveOutOfTelecoms) {
  const auto query = must_read(with_parameters(
      parameter("patientTelecom", R"(<value use="phone" value="2055551234"/><value value="o@q.example"/><value/>)")));
  EXPECT_EQ(query.sought.telecoms, (std::vector<std::string>{"tel:2055551234", "mailto:o@q.example"}));
}

TEST(ReadQuery, TakesTheSocialSecurityNumberWithoutItsDashesAndOtherIdsAsTheyAre) {
  const auto query = must_read(with_parameters(parameter(
      "livingSubjectId",
      R"(<value root="2.16.840.1.113883.4.1" extension="999-00-9999"/><value root="1.2" extension=" a-1 "/><value extension="x"/>)")));
  EXPECT_EQ(query.ids, (std::vector<Identifier>{{"2.16.840.1.113883.4.1", "999009999"}, {"1.2", " a-1 "}}));
}

TEST(ReadQuery, TakesAnOrganizationWrittenAsAUrnAndAQueryWithoutOrganizations) {
  EXPECT_EQ(must_read({.sender = QueryMessage::party("sender", "SND", R"(<id root="urn:oid:2.999.4"/>)")}).sender_home,
            "2.999.4");
  EXPECT_EQ(must_read({.sender = R"(<sender><device><id root="2.999.9"/></device></sender>)"}).sender_home, "");
}

TEST(ReadQuery, TakesAnUnknownProcessingCodeAsProduction) {
  EXPECT_EQ(must_read({.processing = R"(<processingCode code="X"/>)"}).processing_code, "P");
  EXPECT_EQ(must_read({.processing = ""}).processing_code, "P");
  EXPECT_EQ(must_read({.processing = R"(<processingCode code="T"/>)"}).processing_code, "T");
}

TEST(ReadQuery, ReadsATextOverCommentsAndRefusesElementsInIt) {
  const auto name = [](const std::string& family) {
    return with_parameters(parameter("livingSubjectName", "<value><family>" + family + "</family></value>"));
  };
  EXPECT_EQ(must_read(name("Qui<!-- x -->l<![CDATA[l]]>")).sought.names[0].family, "Quill");
  EXPECT_EQ(must_read(name("  Quill\n")).sought.names[0].family, "Quill");
  EXPECT_EQ(why(name("Qu<b/>ill")), sentence(Errc::FieldUnreadable));
}

TEST(ReadQuery, BoundsFieldsAndTheirNumber) {
  const std::string unreadable = sentence(Errc::FieldUnreadable);
  const auto times = [](int count, const std::string& text) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
  };
  const auto name = [](const std::string& text) {
    return parameter("livingSubjectName", "<value><family>" + text + "</family></value>");
  };
  const std::string umlauts = times(256, "ü");
  EXPECT_EQ(why(with_parameters(name(umlauts))), "");
  EXPECT_EQ(why(with_parameters(name(umlauts + "x"))), unreadable);
  EXPECT_EQ(why(with_parameters(times(20, name("A")))), "");
  EXPECT_EQ(why(with_parameters(times(21, name("A")))), unreadable);
  const std::string id = parameter("livingSubjectId", R"(<value root="1.2" extension="A"/>)");
  EXPECT_EQ(why(with_parameters(times(50, id))), "");
  EXPECT_EQ(why(with_parameters(times(51, id))), unreadable);
  const std::string address = parameter("patientAddress", "<value><city>A</city></value>");
  EXPECT_EQ(why(with_parameters(times(20, address))), "");
  EXPECT_EQ(why(with_parameters(times(21, address))), unreadable);
}

TEST(ReadQuery, RefusesIdentifiersWithCharactersNobodySees) {
  for (const char* hidden : {"1&#9;2", "1&#xAD;2", "1&#x200B;2", "1&#x202E;2", "1&#xFEFF;2"})
    EXPECT_EQ(why(with_parameters(
                  parameter("livingSubjectId", "<value root=\"1.2\" extension=\"" + std::string(hidden) + "\"/>"))),
              sentence(Errc::FieldUnreadable))
        << hidden;
  EXPECT_EQ(why(with_parameters(parameter("livingSubjectId", R"(<value root="1.2" extension="Müller – 1"/>)"))), "");
}

std::string read_sample(const std::filesystem::path& path) {
  const auto document = base::xml::Document::parse(base::read_file(path));
  if (!document) return "not parsed";
  const auto query = read_query(document->root());
  if (!query) return std::string(base::reason_of(query.error()));
  return query->deferred ? "deferred" : query->has_minimum() ? "answerable" : "too little";
}

TEST(ReadQuery, ReadsTheRequestsOfOtherImplementations) {
  const auto directory = base::shared_samples() / "xcpd" / "requests";
  if (!std::filesystem::exists(directory)) GTEST_SKIP() << "no shared samples";
  const std::map<std::string, std::string> odd = {
      {"ipf-iti56-plq-request.xml", "not-a-patient-query"},  // another transaction
      {"ipf-iti55-request-deferred.xml", "deferred"},
      {"nist-15500-dob-gender-name.xml", "query-field-unreadable"},  // born in the 97th month
      {"ipf-unused-global-namespace.xml", "too little"},
  };
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    EXPECT_EQ(read_sample(entry.path()), odd.contains(name) ? odd.at(name) : "answerable") << name;
  }
}

TEST(ReadQuery, ReadsTheRequestsOfAProductionClient) {
  const auto directory = base::shared_samples() / "production-client";
  if (!std::filesystem::exists(directory)) GTEST_SKIP() << "no shared samples";
  for (const char* name : {"iti55-request.xml", "iti55-request-legacy-body.xml"}) {
    const std::string wire = base::read_file(directory / name);
    const auto envelope = soap::Envelope::open("application/soap+xml", wire);
    ASSERT_TRUE(envelope) << name;
    const auto query = read_query(envelope->payload());
    ASSERT_TRUE(query) << name;
    EXPECT_TRUE(query->has_minimum());
    EXPECT_EQ(query->sender_home, "2.16.840.1.113883.3.9621");
    EXPECT_EQ(query->sought.names.at(0).family, "NWHINZZZTESTPATIENT");
    EXPECT_EQ(query->birth->first, "19810101");
    EXPECT_EQ(query->sought.addresses.at(0).city, "Helena");
  }
}

}  // namespace
}  // namespace xca::hl7v3
