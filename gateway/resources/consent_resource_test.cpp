#include "gateway/resources/consent_resource.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gateway::resources {
namespace {

using policy::ConsentStatus;
using policy::Provision;
using policy::Purpose;
using policy::PurposeSet;

const Calendar& new_york() {
  static const Calendar calendar = *Calendar::of("America/New_York");
  return calendar;
}
Instant at(std::string_view utc) { return *base::read_date_time(utc); }

Result<FhirConsent> read_text(const std::string& json) {
  const auto document = TRY(base::json::Document::parse(json));
  return read_consent(document->root(), new_york());
}

struct Member {
  std::string name, json;
};
const std::vector<Member>& example() {
  static const std::vector<Member> members{
      {"resourceType", R"("Consent")"},
      {"id", R"("c1")"},
      {"identifier", R"([{"system":"http://x.example"},{"system":"urn:oid:2.999.3","value":"77"}])"},
      {"status", R"("active")"},
      {"scope",
       R"({"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]})"},
      {"category", R"([{"coding":[{"system":"http://loinc.org","code":"59284-0"}]}])"},
      {"patient", R"({"reference":"Patient/p1","identifier":{"system":"urn:oid:2.999.1","value":"MRN-7"}})"},
      {"dateTime", R"("2026-01-05T10:00:00Z")"},
      {"performer", R"([{"reference":"Patient/p1"}])"},
      {"organization", R"([{"reference":"Organization/o1"}])"},
      {"sourceReference", R"({"reference":"DocumentReference/form1"})"},
      {"policy", R"([{"uri":"https://gw.example/policies/privacy/v3"}])"},
      {"provision", R"({"type":"permit","period":{"end":"2027-01-05"}})"}};
  return members;
}
/// The example with other members of these names; one of an empty text is left out.
std::string with(const std::vector<Member>& changes) {
  std::string json;
  const auto add = [&](const Member& member) {
    if (!member.json.empty()) json += (json.empty() ? "{\"" : ",\"") + member.name + "\":" + member.json;
  };
  for (const Member& member : example()) {
    const auto change = std::ranges::find(changes, member.name, &Member::name);
    add(change == changes.end() ? member : *change);
  }
  for (const Member& change : changes) {
    if (std::ranges::find(example(), change.name, &Member::name) == example().end()) add(change);
  }
  return json + "}";
}
std::string purpose(const std::string& code) {
  return R"("purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":")" + code + "\"}]";
}

TEST(FhirConsent, IsReadAsOurRecordsKeepIt) {
  const auto consent = *read_text(with({}));
  EXPECT_EQ(consent.id, "c1");
  EXPECT_EQ(consent.identifier, "urn:oid:2.999.3|77");
  EXPECT_EQ(consent.status, ConsentStatus::Active);
  EXPECT_EQ(consent.patient_reference, "Patient/p1");
  EXPECT_EQ(consent.patient_identifier, (FhirIdentifier{"urn:oid:2.999.1", "MRN-7"}));
  EXPECT_EQ(consent.given_at, at("2026-01-05T10:00:00Z"));
  EXPECT_EQ(consent.performer, "Patient/p1");
  EXPECT_EQ(consent.policy_uri, "https://gw.example/policies/privacy/v3");
  EXPECT_TRUE(consent.root.permits);
  EXPECT_EQ(consent.root.period.to, at("2027-01-06T05:00:00Z"));
  EXPECT_TRUE(consent.not_evaluated.empty());
  EXPECT_EQ(read_text(with({{"dateTime", R"("2026-01-05")"}}))->given_at, at("2026-01-05T05:00:00Z"));
  EXPECT_EQ(read_text(with({{"performer", R"([{"display":"Mother","reference":"Patient/2"}])"}}))->performer, "Mother");
}

TEST(FhirConsent, IsInForceOnlyWhereItsStatusAndItsVerificationSayIt) {
  const auto status = [](const std::string& code, const std::string& verification = "") {
    return read_text(with({{"status", "\"" + code + "\""}, {"verification", verification}}))->status;
  };
  EXPECT_EQ(status("active"), ConsentStatus::Active);
  EXPECT_EQ(status("inactive"), ConsentStatus::Revoked);
  EXPECT_EQ(status("proposed"), ConsentStatus::Proposed);
  EXPECT_EQ(status("draft"), ConsentStatus::Proposed);
  EXPECT_EQ(status("rejected"), ConsentStatus::EnteredInError);
  EXPECT_EQ(status("entered-in-error"), ConsentStatus::EnteredInError);
  EXPECT_EQ(status("active", R"([{"verified":false}])"), ConsentStatus::Proposed);
  EXPECT_EQ(status("active", R"([{"verified":false},{"verified":true}])"), ConsentStatus::Active);
  EXPECT_EQ(status("inactive", R"([{"verified":false}])"), ConsentStatus::Revoked);
}

TEST(FhirConsent, IsRefusedWhereItMayBeMeantOtherwise) {
  const std::vector<std::pair<Member, std::string>> rows{
      {{"status", ""}, "Consent.status"},
      {{"status", R"("Secret")"}, "Consent.status"},
      {{"scope", ""}, "Consent.scope"},
      {{"scope", R"({"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"research"}]})"},
       "Consent.scope"},
      {{"scope", R"({"text":"patient-privacy"})"}, "Consent.scope"},
      {{"category", ""}, "Consent.category"},
      {{"category", "[]"}, "Consent.category"},
      {{"patient", ""}, "Consent.patient"},
      {{"patient", R"({"display":"Secret"})"}, "Consent.patient"},
      {{"patient", R"({"reference":"Group/g1","type":"Group"})"}, "Consent.patient"},
      {{"patient", R"({"reference":7})"}, "Consent.patient"},
      {{"dateTime", ""}, "Consent.dateTime"},
      {{"dateTime", R"("Secret")"}, "Consent.dateTime"},
      {{"dateTime", R"("2026-01-05T10:00:00")"}, "Consent.dateTime"},
      {{"policy", ""}, "Consent.policy"},
      {{"policy", "[]"}, "Consent.policy"},
      {{"identifier", R"({"value":"Secret"})"}, "Consent.identifier"},
      {{"verification", R"([{}])"}, "Consent.verification"},
      {{"verification", R"({"verified":true})"}, "Consent.verification"},
      {{"modifierExtension", R"([{"url":"urn:x"}])"}, "Consent.modifierExtension"},
      {{"implicitRules", R"("urn:x")"}, "Consent.implicitRules"},
      {{"provision", ""}, "Consent.provision"},
      {{"provision", R"({"type":"Secret"})"}, "provision.type"},
      {{"provision", R"({"period":{"end":"2027"}})"}, "provision.type"},
  };
  for (const auto& [change, element] : rows) {
    const auto read = read_text(with({change}));
    ASSERT_FALSE(read) << change.name << change.json;
    EXPECT_EQ(read.error().code, Errc::FieldUnreadable) << change.name << change.json;
    EXPECT_EQ(read.error().detail, element);
  }
  EXPECT_EQ(read_text(with({{"resourceType", R"("Patient")"}})).error().code, Errc::NotAConsent);
  EXPECT_EQ(read_text("7").error().code, Errc::NotAConsent);
}

TEST(FhirConsent, MayLeaveOutWhatNothingDependsOn) {
  EXPECT_TRUE(read_text(with({{"id", ""}, {"identifier", ""}, {"performer", ""}, {"organization", ""}})));
  EXPECT_TRUE(read_text(with({{"policy", ""}, {"policyRule", R"({"text":"opt-in"})"}})));
  EXPECT_TRUE(read_text(with({{"patient", R"({"identifier":{"system":"urn:oid:2.999.1","value":"7"}})"}})));
  EXPECT_TRUE(read_text(with({{"patient", R"({"reference":"Patient/p1"})"}})));
}

TEST(FhirConsent, PermitsNothingWithAnElementThatFhirDoesNotKnow) {
  const auto consent = *read_text(with({{"decision", R"("deny")"}}));
  EXPECT_FALSE(consent.root.understood);
  EXPECT_EQ(consent.not_evaluated, std::vector<std::string>{"Consent (an unknown element)"});
  EXPECT_TRUE(read_text(with({{"language", R"("en")"}}))->root.understood);
}

TEST(FhirConsent, SaysOnlyPurposesWhereNothingElseIsLimited) {
  const auto only = [](const std::string& provision) {
    return purposes_only(*read_text(with({{"provision", provision}})));
  };
  EXPECT_EQ(only(R"({"type":"permit",)" + purpose("TREAT") + "}"), PurposeSet{Purpose::Treatment});
  EXPECT_EQ(only(R"({"type":"deny"})"), PurposeSet{});
  EXPECT_EQ(only(R"({"type":"deny","provision":[{"type":"permit",)" + purpose("TREAT") + R"(},{"type":"permit",)" +
                 purpose("COVERAGE") + "}]}"),
            (PurposeSet{Purpose::Treatment, Purpose::Coverage}));
  for (const auto& more :
       {std::string(R"({"type":"permit"})"), R"({"type":"deny",)" + purpose("TREAT") + "}",
        R"({"type":"permit","period":{"end":"2027"},)" + purpose("TREAT") + "}",
        R"({"type":"permit","securityLabel":[{"code":"N"}],)" + purpose("TREAT") + "}",
        R"({"type":"permit","action":[],)" + purpose("TREAT") + "}",
        R"({"type":"permit","provision":[{"type":"deny"}],)" + purpose("TREAT") + "}",
        std::string(R"({"type":"deny","provision":[{"type":"permit"}]})"),
        R"({"type":"deny","provision":[{"type":"permit","period":{"end":"2027"},)" + purpose("TREAT") + "}]}",
        R"({"type":"deny","provision":[{"type":"permit","provision":[{"type":"deny"}],)" + purpose("TREAT") + "}]}",
        R"({"type":"deny","provision":[{"type":"deny",)" + purpose("TREAT") + "}]}"}) {
    EXPECT_EQ(only(more), std::nullopt) << more;
  }
  auto revoked = *read_text(with({{"status", R"("inactive")"}, {"provision", R"({"type":"deny"})"}}));
  EXPECT_EQ(purposes_only(revoked), std::nullopt);
}

ConsentParties parties() {
  return {.patient_id = "p1",
          .patient_identifier = {"urn:oid:2.999.1", "MRN-7"},
          .organization = *base::Oid::parse("2.999.7"),
          .organization_name = "Riverside \"North\" <Clinic>",
          .performer = ""};
}

Provision permit() {
  Provision provision;
  provision.permits = true;
  provision.purposes = PurposeSet{Purpose::Treatment, Purpose::Payment};
  provision.period = {.from = at("2026-01-05T05:00:00Z"), .to = at("2027-01-06T05:00:00.000001Z")};
  return provision;
}
Provision deny(std::vector<policy::Recipient> recipients) {
  Provision provision;
  provision.recipients = std::move(recipients);
  return provision;
}

struct Written {
  std::string name, profile;  ///< `Basic`; empty where none is claimed
  policy::Consent consent;
};
/// One consent for each form that ours can have.
std::vector<Written> written_forms() {
  const policy::Recipient home{*base::Oid::parse("2.999.8")}, providers{policy::RecipientClass::TreatingProviders};
  const auto consent = [](Provision root, ConsentStatus status = ConsentStatus::Active) {
    return policy::Consent{.id = "0123456789abcdef0123456789abcdef", .version = 3, .status = status,
                           .root = std::move(root)};
  };
  auto basic = permit(), other_purposes = permit(), exceptions = permit(), documents = permit(), labels = permit();
  auto many = permit(), classes = permit(), deep = permit(), strange = permit(), nested_labels = permit();
  basic.recipients = {home, providers};
  other_purposes.purposes = PurposeSet::all();
  exceptions.exceptions = {deny({home}), deny({providers})};
  documents.documents = {"2.999.5", "2.999.6^abc", "urn:uuid:3e57269d-075d-4d3f-9f5d-c97ad6afc009", "any"};
  documents.data.from = at("2020-01-01T00:00:00Z");
  many.exceptions = {deny({})};
  many.exceptions[0].documents = documents.documents;
  labels.labels = {policy::part2_label(), {std::string(policy::confidentiality_system), "R"}, {"2.999.9", "X"}};
  nested_labels.exceptions = {deny({home})};
  nested_labels.exceptions[0].labels = labels.labels;
  classes.classes = {{"11488-4", "2.16.840.1.113883.6.1", "Consult note"}, {"N", "2.999.1", ""}};
  deep.exceptions = {deny({home})};
  deep.exceptions[0].exceptions = {permit()};
  strange.understood = false;
  return {{"basic", "Basic", consent(basic)},
          {"deny", "Basic", consent({}, ConsentStatus::Proposed)},
          {"other-purposes", "Intermediate", consent(other_purposes, ConsentStatus::Revoked)},
          {"exceptions", "Intermediate", consent(exceptions, ConsentStatus::EnteredInError)},
          {"documents", "Intermediate", consent(documents)},
          {"documents-of-an-exception", "Advanced", consent(many)},
          {"labels", "Advanced", consent(labels)},
          {"labels-of-an-exception", "Advanced", consent(nested_labels)},
          {"classes", "", consent(classes)},
          {"deep", "", consent(deep)},
          {"not-understood", "", consent(strange)}};
}

/// With GATEHOUSE_EMIT_DIR set: a file there, for the oracles of others.
void emit(const std::string& name, const std::string& text) {
  const char* folder = std::getenv("GATEHOUSE_EMIT_DIR");
  if (!folder) return;
  std::ofstream file(std::filesystem::path(folder) / (name + ".json"));
  EXPECT_TRUE(file << text << std::flush) << "GATEHOUSE_EMIT_DIR names no folder";
}

std::string claim(const std::string& profile) {
  return R"("profile":["https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consent)" + profile + "\"]";
}

TEST(FhirConsent, IsWrittenByTheNarrowestProfileAndReadBack) {
  const auto given_at = at("2026-01-05T10:00:00.000250Z");
  for (const auto& [name, profile, consent] : written_forms()) {
    const auto text = write_consent(consent, given_at, parties(), "urn:x:policy");
    emit("consent-" + name, text);
    const auto read = read_text(text);
    ASSERT_TRUE(read) << text << read.error().detail;
    EXPECT_EQ(read->root, consent.root) << text;
    EXPECT_EQ(read->status, consent.status) << name;
    EXPECT_EQ(read->id, consent.id);
    EXPECT_EQ(read->identifier, "urn:gatehouse:consent|" + consent.id);
    EXPECT_EQ(read->given_at, given_at);
    EXPECT_EQ(read->patient_reference, "Patient/p1");
    EXPECT_EQ(read->patient_identifier, parties().patient_identifier);
    EXPECT_EQ(read->policy_uri, "urn:x:policy");
    if (profile.empty())
      EXPECT_EQ(text.find("\"profile\""), std::string::npos) << name;
    else
      EXPECT_NE(text.find(claim(profile)), std::string::npos) << name << text;
  }
}

TEST(FhirConsent, NamesWhoGaveItInWordsOrElseThePatient) {
  auto spoken = parties();
  spoken.performer = "Mother of the patient";
  const policy::Consent consent{.id = "c1", .version = 1, .status = ConsentStatus::Active, .root = permit()};
  const auto given_at = at("2026-01-05T10:00:00Z");
  EXPECT_EQ(read_text(write_consent(consent, given_at, spoken, "urn:x"))->performer, spoken.performer);
  EXPECT_EQ(read_text(write_consent(consent, given_at, parties(), "urn:x"))->performer, "Patient/p1");
}

TEST(FhirChoice, IsReadBackForEverySetOfPurposes) {
  for (std::int64_t bits = 0; bits < 128; ++bits) {
    const policy::PurposeChoice choice{.purposes = *PurposeSet::from_bits(bits), .id = "c1", .set_by = "patient"};
    const auto text = write_choice(choice, at("2026-01-05T10:00:00Z"), parties());
    emit("choice-" + std::to_string(bits), text);
    const auto read = read_text(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(purposes_only(*read), choice.purposes) << text;
    EXPECT_EQ(read->policy_uri, purposes_policy);
    EXPECT_NE(text.find(claim(bits == 0 ? "Basic" : "Intermediate")), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace gateway::resources
