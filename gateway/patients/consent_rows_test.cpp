#include "gateway/patients/consent_rows.hpp"

#include <gtest/gtest.h>

namespace gateway::patients {
namespace {

using policy::ConsentStatus;
using policy::Purpose;
using policy::PurposeSet;

const resources::Calendar& new_york() {
  static const auto calendar = *resources::Calendar::of("America/New_York");
  return calendar;
}
Instant at(std::string_view utc) { return *base::read_date_time(utc); }
const ChoiceChange by_ruth{.set_by = SetBy::Staff, .actor = "Ruth", .basis = {}};
const Instant now = at("2026-11-21T12:00:00Z");

struct Read {
  std::string place;
  Result<FileRow> row;
};
Result<std::vector<Read>> read(BytesView file) {
  std::vector<Read> rows;
  TRY(read_rows(file, {.calendar = new_york(), .change = by_ruth, .now = now},
                [&](const std::string& place, Result<FileRow> row) -> Result<void> {
                  rows.push_back({place, std::move(row)});
                  return {};
                }));
  return rows;
}
/// The one row of a file, or why it is not accepted.
Result<FileRow> read_one(const std::string& file) {
  auto rows = TRY(read(file));
  EXPECT_EQ(rows.size(), 1u) << file;
  return std::move(rows.at(0).row);
}
FileRow row_of(const std::string& file) {
  auto row = read_one(file);
  EXPECT_TRUE(row) << file << ": " << (row ? "" : why_not(row.error()));
  return row ? *std::move(row) : FileRow{};
}
std::string refusal(const std::string& file) {
  const auto row = read_one(file);
  return row ? "accepted" : why_not(row.error());
}

// ---------------------------------------------------------------- CSV

TEST(CsvConsents, AreChoicesOfPurposes) {
  auto row = row_of("mrn,kind\nA-1,opt-out\n");
  EXPECT_EQ(row.number, "A-1");
  EXPECT_EQ(row.kind, RowKind::Choice);
  EXPECT_TRUE(row.purposes.empty());
  EXPECT_EQ(row.given_at, std::nullopt);
  EXPECT_EQ(row.change.actor, "Ruth");
  EXPECT_EQ(row_of("kind,mrn\nopt-in,A-1\n").purposes, PurposeSet::all());
  row = row_of("mrn,kind,purposes,given,actor,set_by,basis,identifier\n"
               "A-1,purposes,\"treatment, payment\",2026-11-01,Mara,patient,by phone,x|7\n");
  EXPECT_EQ(row.purposes, (PurposeSet{Purpose::Treatment, Purpose::Payment}));
  EXPECT_EQ(row.given_at, at("2026-11-01T04:00:00Z"));
  EXPECT_EQ(row.change.actor, "Mara");
  EXPECT_EQ(row.change.set_by, SetBy::Patient);
  EXPECT_EQ(row.change.basis, "by phone");
  EXPECT_EQ(row.source, "x|7");
  EXPECT_TRUE(row_of("mrn,kind,purposes\nA-1,purposes,none\n").purposes.empty());
}

TEST(CsvConsents, ArePermitsAndDenies) {
  auto row = row_of("mrn,kind,labels,purposes,to,from,until\n"
                    "A-1,permit,42CFRPart2;HIV,treatment;payment,treating-providers;2.999.20.4,2026-11-01,"
                    "2027-01-01T09:30\n");
  EXPECT_EQ(row.kind, RowKind::Consent);
  EXPECT_TRUE(row.root.permits);
  EXPECT_EQ(row.root.labels.size(), 2u);
  EXPECT_EQ(row.root.recipients.size(), 2u);
  EXPECT_EQ(row.root.purposes, (PurposeSet{Purpose::Treatment, Purpose::Payment}));
  EXPECT_EQ(row.root.period.from, at("2026-11-01T04:00:00Z"));
  EXPECT_EQ(row.root.period.to, at("2027-01-01T14:30:00Z"));
  row = row_of("mrn,kind,to\nA-1,deny,2.999.20.4\n");
  EXPECT_FALSE(row.root.permits);
  EXPECT_FALSE(row.root.purposes);
}

TEST(CsvConsents, AreRevocations) {
  const auto row = row_of("mrn,kind,given,identifier\nA-1,revoke,2026-11-01,7f\n");
  EXPECT_EQ(row.kind, RowKind::Revocation);
  EXPECT_EQ(row.source, "|7f");
}

TEST(CsvConsents, NameThePatientByRecordNumberOrAnotherIdentifier) {
  EXPECT_EQ(row_of("mrn,kind\n2.999.7|SSN-1,opt-out\n").identifier,
            (resources::FhirIdentifier{.system = "urn:oid:2.999.7", .value = "SSN-1"}));
  EXPECT_EQ(row_of("mrn,kind\nhttp://x.example/id|1,opt-out\n").identifier.system, "http://x.example/id");
  EXPECT_EQ(row_of("mrn,kind\n=1+1,opt-out\n").number, "=1+1") << "a formula is text";
}

TEST(CsvConsents, AreNotAcceptedWhereTheyMayBeMeantOtherwise) {
  const std::string header = "mrn,kind,purposes,labels,to,from,until,given,set_by\n";
  const std::pair<const char*, const char*> rows[] = {
      {",opt-out,,,,,,,", "the column mrn is empty"},
      {"2.999|,opt-out,,,,,,,", "the column mrn is empty behind the bar"},
      {"A,optout,,,,,,,", "the column kind must hold opt-out, opt-in, purposes, permit, deny or revoke"},
      {"A,opt-out,treatment,,,,,,", "the column purposes must be empty in a row of kind opt-out"},
      {"A,opt-in,,HIV,,,,,", "the column labels must be empty in a row of kind opt-in"},
      {"A,purposes,treatment,,2.999,,,,", "the column to must be empty in a row of kind purposes"},
      {"A,purposes,,,,,,,", "the column purposes is empty: say none where none are permitted"},
      {"A,purposes,research,,,,,,", "the column purposes holds a word that is no purpose"},
      {"A,deny,none,,,,,,", "the column purposes must name a purpose, or be empty for all"},
      {"A,deny,,Secret,,,,,", "the column labels holds a label that is not known: name it as SYSTEM|CODE"},
      {"A,deny,,,Riverside,,,,",
       "the column to must hold home community ids (OID), treating-providers or health-plans"},
      {"A,deny,,,,tomorrow,,,", "the column from holds no date like 2026-11-21 or 2026-11-21T19:30"},
      {"A,deny,,,,2026-11-02,2026-11-02,,", "the column until must be later than the column from"},
      {"A,deny,,,,,,2026-11-22,", "it is dated in the future"},
      {"A,deny,,,,,,,neighbour", "the column set_by holds neither patient nor staff"},
      {"A,revoke,,,,,,,", "the column given must say when the consent was taken back"},
      {"A,opt-out", "it has another number of cells than the header"},
      {"A,permit,treatment,,,,,,",
       "it would open nothing: a permit names a label, a purpose and a recipient, or purposes alone"},
      {"A,permit,treatment,HIV,,,,,",
       "it would open nothing: a permit names a label, a purpose and a recipient, or purposes alone"},
      {"A,permit,,HIV,treating-providers,,,,",
       "it would open nothing: a permit names a label, a purpose and a recipient, or purposes alone"},
      {"A\"B\",deny,,,,,,,", "this line of CSV cannot be read (a quotation mark within a cell without them)"},
  };
  for (const auto& [row, sentence] : rows) EXPECT_EQ(refusal(header + row + "\n"), sentence) << row;
  EXPECT_EQ(refusal(header + "A,permit,treatment,HIV,treating-providers,,,2026-11-21,\n"), "accepted");
  EXPECT_EQ(refusal(header + "A,deny,,,,,,,\n"), "accepted");
}

TEST(CsvConsents, AreRefusedAsAWholeForAHeaderThatIsNotKnown) {
  const std::pair<const char*, const char*> files[] = {
      {"mrn,kind,colour\nA,opt-out,\n", "column 3 of the first line is none of ours"},
      {"mrn;kind\nA;opt-out\n", "column 1 of the first line is none of ours"},
      {"mrn,kind,mrn\nA,opt-out,A\n", "the column mrn is there twice"},
      {"mrn\nA\n", "the column kind is missing"},
      {"kind\nopt-out\n", "the column mrn is missing"},
      {"", "the file is empty"},
      {"\n\n", "the file is empty"},
      {"\xFF\xFEm\0r\0n\0", "characters that are not UTF-8"},
  };
  for (const auto& [file, detail] : files) {
    const auto got = read(file);
    ASSERT_FALSE(got) << file;
    EXPECT_EQ(got.error().code, resources::Errc::NotCsv);
    EXPECT_EQ(got.error().detail, detail);
  }
}

TEST(CsvConsents, HaveTheirLines) {
  const auto rows = *read("\xEF\xBB\xBFmrn,kind,basis\r\nA,opt-out,\"two\r\nlines\"\r\n\r\nB,opt-out,\r\n");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].place, "line 2");
  EXPECT_EQ(rows[0].row->change.basis, "two\r\nlines");
  EXPECT_EQ(rows[1].place, "line 5");
}

// ---------------------------------------------------------------- FHIR

constexpr std::string_view our_id = "0123456789abcdef0123456789abcdef";

/// @param more  members, each beginning with a comma; of a name that is there already, in its stead
std::string consent(const std::string& provision, const std::string& status = "active",
                    const std::string& patient = R"({"identifier":{"system":"urn:oid:2.999.1.1","value":"A"}})",
                    const std::string& more = {}) {
  return R"({"resourceType":"Consent","id":"c1","identifier":[{"system":"urn:x","value":"7"}],"status":")" + status +
         R"(","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope",)"
         R"("code":"patient-privacy"}]},"category":[{"coding":[{"system":"http://loinc.org","code":"59284-0"}]}],)"
         R"("patient":)" + patient + R"(,"dateTime":"2026-11-01","policy":[{"uri":"urn:x"}])" + more +
         R"(,"provision":)" + provision + "}";
}
const std::string treat = R"({"type":"permit","purpose":[{"system":)"
                          R"("http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"TREAT"}]})";

TEST(FhirConsents, ThatNamePurposesAloneAreChoicesWhateverTheirStatus) {
  for (const auto& [status, is] : {std::pair{"active", ConsentStatus::Active},
                                   std::pair{"inactive", ConsentStatus::Revoked},
                                   std::pair{"proposed", ConsentStatus::Proposed},
                                   std::pair{"entered-in-error", ConsentStatus::EnteredInError}}) {
    const auto row = row_of(consent(treat, status));
    EXPECT_EQ(row.kind, RowKind::Choice) << status;
    EXPECT_EQ(row.status, is) << status;
    EXPECT_EQ(row.purposes, PurposeSet{Purpose::Treatment}) << status;
    EXPECT_EQ(row.source, "urn:x|7");
    EXPECT_EQ(row.given_at, at("2026-11-01T04:00:00Z"));
  }
  EXPECT_TRUE(row_of(consent(R"({"type":"deny"})")).purposes.empty());
  EXPECT_EQ(row_of(consent(R"({"type":"deny","actor":[{"role":{"coding":[{"system":)"
                           R"("http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},)"
                           R"("reference":{"reference":"urn:oid:2.999.20.4"}}]})")).kind, RowKind::Consent);
}

TEST(FhirConsents, OfOurOwnAreConsentsWhateverTheySay) {
  const auto text = resources::write_consent(
      {.id = "c1", .root = {.permits = true, .purposes = PurposeSet{Purpose::Treatment}}}, now,
      {.patient_id = std::string(our_id), .patient_identifier = {"urn:oid:2.999.1.1", "A"},
       .organization = *base::Oid::parse("2.999.1"), .organization_name = "Riverbend", .performer = {}},
      resources::consents_policy);
  const auto row = row_of(text);
  EXPECT_EQ(row.kind, RowKind::Consent);
  EXPECT_EQ(row.source, "urn:gatehouse:consent|c1");
  EXPECT_EQ(row.change.set_by, SetBy::Patient);
  EXPECT_EQ(row.number, our_id);
}

TEST(FhirConsents, AreKnownByTheirIdentifierElseTheirId) {
  auto text = consent(treat);
  const std::string identifier = R"("identifier":[{"system":"urn:x","value":"7"}],)", id = R"("id":"c1",)";
  text.erase(text.find(identifier), identifier.size());
  EXPECT_EQ(row_of(text).source, "|Consent/c1");
  text.erase(text.find(id), id.size());
  EXPECT_EQ(row_of(text).source, "");
}

TEST(FhirConsents, AreTheWordOfThePatientWhereThePatientPerformedThem) {
  const std::string patient = R"({"reference":"Patient/p1","identifier":{"system":"urn:oid:2.999.1.1","value":"A"}})";
  const auto by = [&](const std::string& performer) {
    return row_of(consent(treat, "active", patient, ",\"performer\":[" + performer + "]")).change;
  };
  EXPECT_EQ(by(R"({"reference":"Patient/p1"})").set_by, SetBy::Patient);
  EXPECT_EQ(by(R"({"reference":"Patient/p1"})").actor, "Ruth");
  EXPECT_EQ(by(R"({"reference":"Patient/p2"})").set_by, SetBy::Staff);
  EXPECT_EQ(by(R"({"display":"Mother"})").set_by, SetBy::Staff);
  EXPECT_EQ(by(R"({"display":"Mother"})").actor, "Mother");
}

TEST(FhirConsents, SayWhichPartsAreNotEvaluated) {
  const auto row = row_of(consent(R"({"type":"permit","action":[{"text":"x"}]})"));
  EXPECT_EQ(row.kind, RowKind::Consent);
  EXPECT_EQ(row.not_evaluated, std::vector<std::string>{"provision.action"});
  EXPECT_FALSE(row.root.understood);
}

TEST(FhirConsents, AreNotAcceptedWhereTheyMayBeMeantOtherwise) {
  EXPECT_EQ(refusal(consent(R"({"type":"permit"})")),
            "it would open nothing: a permit names a label, a purpose and a recipient, or purposes alone");
  EXPECT_EQ(refusal(consent(treat, "active", R"({"reference":"Patient/1001"})")),
            "its patient is named by a reference alone that is none of ours: add the identifier");
  EXPECT_EQ(refusal(consent(treat, "active", R"({"reference":"Patient/)" + std::string(our_id) + "\"}")), "accepted");
  EXPECT_EQ(refusal(consent(treat, "asserted")),
            "an element of this resource cannot be understood (Consent.status)");
  EXPECT_EQ(refusal(consent(treat, "active", R"({"identifier":{"value":"A"}})", R"(,"meta":{"lastUpdated":"now"})")),
            "an element of this resource cannot be understood (Consent.meta.lastUpdated)");
  EXPECT_EQ(refusal(R"({"resourceType":"Patient"})"), "this is no FHIR Consent");
  auto text = consent(treat);
  text.replace(text.find("2026-11-01"), 10, "2026-11-22");
  EXPECT_EQ(refusal(text), "it is dated in the future");
  std::string deep = R"({"type":"deny"})";
  for (int i = 0; i < 9; ++i) deep = R"({"type":"permit","provision":[)" + deep + "]}";
  EXPECT_TRUE(refusal(consent(deep)).find("nested too deep") != std::string::npos);
}

TEST(FhirConsents, AreReadFromABundleAndFromLines) {
  const auto lines = *read(consent(treat) + "\n{}\n" + consent(treat) + "\n");
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[0].row && !lines[1].row && lines[2].row);
  EXPECT_EQ(lines[1].place, "line 2");
  const auto entries = *read(R"({"resourceType":"Bundle","entry":[{"resource":)" + consent(treat) + "}]}");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].place, "entry 1");
  EXPECT_FALSE(read("[]"));
}

}  // namespace
}  // namespace gateway::patients
