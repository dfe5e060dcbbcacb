#include "gateway/simulation/simulation.hpp"

#include "gateway/audit/journal.hpp"
#include "gateway/documents/shelf.hpp"
#include "gateway/patients/consents.hpp"
#include "gateway/patients/testing.hpp"

namespace gateway::simulation {
namespace {

using patients::testing::noon;
using patients::testing::ok;
using patients::testing::patient_line;
using policy::Reason;
using std::chrono::seconds;

const std::string hospital = "2.999.20", nhin = "2.16.840.1.113883.3.18.7.1";

/// A directory that knows one hospital, or nobody.
class Known final : public exchange::DirectoryView {
 public:
  std::optional<policy::Organization> organization(std::string_view home) const override {
    if (home != hospital || !knows) return std::nullopt;
    return policy::Organization{.home = base::Oid::parse(hospital).value(), .name = "Riverside", .active = true,
                                .implementer = hospital, .version = "1"};
  }
  std::optional<std::string> implementer_of(const certs::Certificate&) const override { return std::nullopt; }
  bool lists_address(std::string_view, std::string_view) const override { return false; }
  exchange::PartnerSettings settings(std::string_view, Instant) const override { return {}; }
  const certs::TrustStore& trust() const override { return trust_; }
  const std::string& version() const override { return version_; }
  bool knows = true;

 private:
  certs::TrustStore trust_{certs::TrustEvidence{}};
  std::string version_ = "1";
};

std::string cda(const std::string& id) {
  return R"(<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="2.999.7" extension=")" + id +
         R"("/><code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/><title>Summary</title>
         <effectiveTime value="20250601103000-0500"/>
         <confidentialityCode code="R" codeSystem="2.16.840.1.113883.5.25"/><recordTarget><patientRole>
         <id root="2.999.1.1" extension="1"/>
         <patient><name><given>Ann</given><family>Smith</family></name><birthTime value="19700615"/></patient>
         </patientRole></recordTarget></ClinicalDocument>)";
}

class Simulated : public patients::testing::ShelfTest {
 protected:
  void SetUp() override {
    ShelfTest::SetUp();
    if (IsSkipped()) return;
    import(patient_line("1", "Smith", "Ann", "1970-06-15") + patient_line("2", "Jones", "Bob", "1980-01-01"));
    document_ = ok(documents::import_document(*database_, *clinic_, cda("D1"), {}, noon)).entry.entry_uuid;
    journal_ = ok(audit::Journal::open(*database_, {.node = "n1", .key = certs::PrivateKey::generate_ed25519(),
                                                    .witness_file = {}}));
    const auto shipped = policy::shipped_purpose_codes();
    rules_.purpose_codes = {shipped.begin(), shipped.end()};
  }
  /// A request of the past, for these resources of ours.
  void asked(const std::string& transaction, const std::vector<std::string>& resources,
             const std::string& purpose = "TREATMENT", const std::string& clinic = {}) {
    audit::Event event;
    event.request = "request-" + std::to_string(++number_);
    event.at = noon + seconds(number_);
    event.transaction = transaction;
    event.outcome = audit::Outcome::Released;
    event.clinic = clinic.empty() ? clinic_->id : clinic;
    event.implementer = event.home = hospital;
    event.organization = "Riverside Hospital";
    event.purposes = purpose;
    event.purpose_codes = {{purpose, nhin, {}}};
    audit::DecisionRecord record;
    record.request = event.request;
    record.at = event.at;
    record.verdicts.push_back({.resource = {}, .findings = {permitted_}});
    for (const auto& id : resources) record.verdicts.push_back({.resource = id, .findings = {permitted_}});
    ok(journal_->commit_and_wait({.event = std::move(event), .decision = std::move(record)}));
  }
  Simulation with(const std::string& change, audit::Period period = {noon, noon + seconds(1000)},
                  std::size_t shifts_max = 100) {
    const Question question{.now = *clinic_, .changed = ok(changed_clinic(*clinic_, change)), .period = period,
                            .rules = rules_, .directory = directory_, .at = noon + seconds(2000),
                            .shifts_max = shifts_max};
    return ok(simulate(*database_, question));
  }

  std::string document_;
  std::unique_ptr<audit::Journal> journal_;
  policy::Rules rules_;
  Known directory_;
  int number_ = 0;
  const policy::Finding permitted_{policy::Gate::Choice, Reason::Permitted, "As it was.", {}, {}};
};
ON_BOTH_DATABASES(Simulated);

TEST_P(Simulated, TellsWhoWouldNewlyBeRefusedAndWhatWouldChangeIt) {
  asked("ITI-55", {id_of("1")});
  const auto found = with("refuse=2.999.20");
  ASSERT_EQ(found.shifts.size(), 1u);
  const Shift& shift = found.shifts[0];
  EXPECT_FALSE(shift.answered);
  EXPECT_EQ(shift.organization, "Riverside Hospital");
  EXPECT_EQ(shift.home, hospital);
  EXPECT_EQ(shift.purposes, "TREATMENT");
  EXPECT_EQ(shift.patient, id_of("1"));
  EXPECT_EQ(shift.mrn, "1");
  EXPECT_EQ(shift.document, "");
  EXPECT_EQ(shift.before, Reason::Permitted);
  EXPECT_EQ(shift.after, Reason::OrganizationDenied);
  EXPECT_NE(shift.because, "");
  EXPECT_NE(shift.would_change.find("refuse=-2.999.20"), std::string::npos);
  EXPECT_EQ(shift.last_asked, noon + seconds(1));
  EXPECT_EQ(found.totals.requests, 1);
  EXPECT_EQ(found.totals.requests_changed, 1);
  EXPECT_EQ(found.totals.newly_refused, 1);
  EXPECT_TRUE(with("refuse=2.999.21").shifts.empty()) << "somebody else";
}

TEST_P(Simulated, TellsWhoWouldNewlyBeAnswered) {
  asked("ITI-55", {id_of("1")}, "PAYMENT");
  asked("ITI-55", {id_of("2")}, "TREATMENT");
  const auto found = with("purposes=treatment,payment");
  ASSERT_EQ(found.shifts.size(), 1u);
  EXPECT_TRUE(found.shifts[0].answered);
  EXPECT_EQ(found.shifts[0].before, Reason::ClinicPurpose);
  EXPECT_EQ(found.shifts[0].after, Reason::Permitted);
  EXPECT_EQ(found.totals.newly_answered, 1);
  EXPECT_EQ(found.totals.answered_alike, 1);
}

TEST_P(Simulated, JudgesEachDocumentOfARequestByItself) {
  asked("ITI-38", {document_});
  auto found = with("gate=R");
  ASSERT_EQ(found.shifts.size(), 1u);
  EXPECT_EQ(found.shifts[0].document, "2.999.7^D1");
  EXPECT_EQ(found.shifts[0].mrn, "1");
  EXPECT_EQ(found.shifts[0].after, Reason::SensitiveNoConsent);
  EXPECT_TRUE(with("gate=HIV").shifts.empty());
  EXPECT_EQ(with("share=treatment:1.2|3").shifts.at(0).after, Reason::ClassNotShared);
}

TEST_P(Simulated, MarksDocumentsAsTheChangedTableWould) {
  asked("ITI-38", {document_});
  const auto found = with("mark=2.16.840.1.113883.6.1|34133-9:PSYTHPN");
  ASSERT_EQ(found.shifts.size(), 1u);
  EXPECT_EQ(found.shifts[0].before, Reason::Permitted);
  EXPECT_EQ(found.shifts[0].after, Reason::SensitiveNoConsent);
  EXPECT_TRUE(with("mark=2.16.840.1.113883.6.1|11111-1:PSYTHPN").shifts.empty()) << "another code";
}

TEST_P(Simulated, CountsTheConsentsOfTheDay) {
  asked("ITI-38", {document_});
  policy::Provision root{.permits = true,
                         .recipients = {{base::Oid::parse(hospital).value()}},
                         .purposes = policy::PurposeSet{policy::Purpose::Treatment},
                         .labels = {{std::string(policy::confidentiality_system), "R"}}};
  ok(patients::give_consent(*database_, id_of("1"), {.root = root, .given_at = noon}, {.actor = "Ruth"}, noon));
  EXPECT_EQ(with("gate=R").totals.answered_alike, 1);
}

TEST_P(Simulated, LeavesPatientsWithTheirOwnChoiceAsTheyAre) {
  asked("ITI-55", {id_of("1")});
  ok(patients::set_choice(*database_, id_of("1"), {policy::Purpose::Treatment}, {.actor = "Ruth"}, noon));
  EXPECT_EQ(with("purposes=none").totals.answered_alike, 1);
}

TEST_P(Simulated, WithholdsAllCandidatesWhereItWithholdsOne) {
  asked("ITI-55", {id_of("1"), id_of("2")});
  asked("ITI-38", {document_});
  ok(patients::set_choice(*database_, id_of("1"), {policy::Purpose::Treatment}, {.actor = "Ruth"}, noon));
  const auto found = with("purposes=none");
  EXPECT_EQ(found.totals.newly_refused, 2);
  EXPECT_EQ(found.totals.answered_alike, 1) << "the document";
  EXPECT_EQ(found.totals.requests_changed, 1);
}

TEST_P(Simulated, GathersWhatWasAskedForAlike) {
  for (int i = 0; i < 3; ++i) asked("ITI-55", {id_of("1")});
  asked("ITI-55", {id_of("2")});
  auto found = with("refuse=2.999.20");
  ASSERT_EQ(found.shifts.size(), 2u);
  EXPECT_EQ(found.shifts[0].times, 3);
  EXPECT_EQ(found.shifts[0].last_request, "request-3");
  EXPECT_EQ(found.shifts[1].times, 1);
  found = with("refuse=2.999.20", {noon, noon + seconds(1000)}, 1);
  EXPECT_EQ(found.shifts.size(), 1u);
  EXPECT_EQ(found.totals.not_listed, 1);
  EXPECT_EQ(found.totals.newly_refused, 4);
}

TEST_P(Simulated, LooksAtItsPeriodAndItsClinicAlone) {
  asked("ITI-55", {id_of("1")});
  asked("ITI-55", {id_of("1")});
  asked("ITI-55", {id_of("1")}, "TREATMENT", "another-clinic");
  EXPECT_EQ(with("refuse=2.999.20").totals.requests, 2);
  EXPECT_EQ(with("refuse=2.999.20", {noon + seconds(2), noon + seconds(3)}).totals.requests, 1);
  EXPECT_EQ(with("refuse=2.999.20", {noon + seconds(1), noon + seconds(2)}).totals.requests, 1);
  EXPECT_EQ(with("refuse=2.999.20", {noon + seconds(4), noon + seconds(9)}).totals.requests, 0);
}

TEST_P(Simulated, ReadsPageAfterPage) {
  for (int i = 0; i < 501; ++i) asked("ITI-55", {id_of("1")});
  EXPECT_EQ(with("refuse=2.999.20").totals.requests, 501);
}

TEST_P(Simulated, SaysWhatIsGoneAndRefusesWhomTheDirectoryForgot) {
  asked("ITI-55", {id_of("2")});
  asked("ITI-38", {"urn:uuid:00000000-0000-4000-8000-000000000000"});
  asked("ITI-55", {id_of("1")});
  ok(patients::delete_patient(*database_, *clinic_, id_of("2")));
  EXPECT_EQ(with("refuse=2.999.20").totals.gone, 2);
  directory_.knows = false;
  EXPECT_EQ(with("refuse=2.999.20").totals.refused_alike, 1);
}

TEST_P(Simulated, WritesNothing) {
  asked("ITI-55", {id_of("1")});
  const auto rows = count("audit_payloads"), settings = count("clinic_settings");
  with("refuse=2.999.20");
  EXPECT_EQ(count("audit_payloads"), rows);
  EXPECT_EQ(count("clinic_settings"), settings);
}

policy::Clinic clinic() {
  return {.id = "c", .home = base::Oid::parse("2.999.1").value(), .name = "Riverbend", .time_zone = "UTC",
          .assigning_authority = "2.999.1", .repository_id = "2.999.1.9", .defaults = {policy::Purpose::Treatment},
          .version = "3"};
}

TEST(AChange, IsWrittenInLinesOrAsJson) {
  const auto lines = ok(changed_clinic(clinic(), "# stricter\r\n\n  gate=HIV \npurposes=payment\npart2-emergencies=on"));
  EXPECT_EQ(lines.defaults, policy::PurposeSet{policy::Purpose::Payment});
  EXPECT_EQ(lines.rules.labels.gated.size(), 1u);
  EXPECT_TRUE(lines.rules.part2_emergencies);
  EXPECT_NE(lines.version, "3") << "evidence must not name settings that are not those";
  const auto json = ok(changed_clinic(
      clinic(), R"({"settings": {"gate": ["HIV"], "purposes": "payment", "part2-emergencies": true}})"));
  EXPECT_EQ(json.rules, lines.rules);
  EXPECT_EQ(json.defaults, lines.defaults);
}

TEST(AChange, ThatCannotBeReadIsRefusedByItsLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"gate=HIV\nnonsense\n", "line 2"},
      {"\n\ngate=NOSUCHLABEL", "line 3"},
      {"gate=HIV\ncolour=blue", "line 2"},
      {"purposes=all the time", "line 1"},
      {"{\"settings\": {\n\"gate\": [\"HIV\"],\n\"refuse\": [\"x\"]}}", "line 3"},
      {"{\"settings\": {\n\"gate\": 3}}", "line 2"},
      {"{\"settings\": {\n\"gate\": [3]}}", "line 2"},
      {"{\"settings\": {\n\n\"gate\": [}}", "line 3"},
      {"{\"rules\": {}}", "line 1"},
      {"{\"settings\": {}, \"more\": 1}", "line 1"},
  };
  for (const auto& [file, line] : cases) {
    const auto changed = changed_clinic(clinic(), file);
    ASSERT_FALSE(changed) << file;
    EXPECT_EQ(changed.error().code, Errc::BadChange) << file;
    EXPECT_TRUE(changed.error().detail.starts_with(std::string(line) + ":")) << file << changed.error().detail;
  }
  for (const auto* file : {"", "# nothing\n\n", R"({"settings": {}})"})
    EXPECT_EQ(changed_clinic(clinic(), file).error().code, Errc::NoChange) << file;
}

}  // namespace
}  // namespace gateway::simulation
