// What the gates behind the choice say, and what a judge of many resources keeps.

#include "policy/explanation.hpp"
#include "policy/release.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace policy {
namespace {

HomeCommunityId home(std::string_view oid) { return HomeCommunityId::parse(oid).value(); }
Instant at(std::int64_t number) { return base::from_micros(1'000'000 + number); }
Label act(std::string code) { return {std::string(act_code_system), std::move(code)}; }
const Label part2 = act("42CFRPart2"), notes = act("PSYTHPN"), hiv = act("HIV"), foreign{"2.25.7", "X"};

Admitted admitted(std::vector<std::string> purposes = {"TREATMENT"}, std::optional<std::string> staff = {}) {
  const auto shipped = shipped_purpose_codes();
  Caller caller;
  caller.tls_implementer = caller.signer_implementer = caller.assertion_implementer = "1.2.3";
  caller.home = {"urn:oid:1.2.3.4",
                 Organization{.home = home("1.2.3.4"), .name = "Test", .active = true, .implementer = "1.2.3", .version = "1"}};
  caller.own_staff = std::move(staff);
  for (auto& code : purposes) caller.purposes.push_back({std::move(code), "2.16.840.1.113883.3.18.7.1", {}});
  return std::get<Admitted>(admit({.purpose_codes = {shipped.begin(), shipped.end()}, .version = "test"}, caller));
}

/// Everything that is judged of a document of a patient who permits every purpose.
struct Facts {
  ClinicRules rules = {};
  ChoiceFacts choice{.clinic_defaults = PurposeSet::all(), .clinic_version = "3"};
  std::vector<Consent> consents = {};
  std::vector<BreakGlass> grants = {};
  DocumentFacts document{.unique_id = "D1"};
  bool consents_readable = true;
  Verdict judged(const Admitted& by) const {
    const Terms terms{rules, at(10)};
    return judge(by, terms, "r",
                 {.subject = "s",
                  .choice = choice,
                  .consents = std::make_shared<ConsentFacts>(ConsentFacts{consents_readable, consents, grants}),
                  .document = &document});
  }
};

Finding finding(const Facts& facts, Gate gate, const Admitted& by = admitted()) {
  const Verdict verdict = facts.judged(by);
  const auto found = std::ranges::find(verdict.findings, gate, &Finding::gate);
  return found == verdict.findings.end() ? Finding{Gate::Caller, Reason::PolicyError, "none", {}, {}} : *found;
}
Finding refused(Gate gate, Reason reason, std::string sentence, std::string evidence, std::string change) {
  return {gate, reason, std::move(sentence), std::move(evidence), std::move(change)};
}
Finding permitted(Gate gate, std::string sentence, std::string evidence = {}) {
  return {gate, Reason::Permitted, std::move(sentence), std::move(evidence), {}};
}

Provision labelled(bool permits, std::vector<Label> labels) { return {.permits = permits, .labels = std::move(labels)}; }
/// Names label, purpose and recipient.
Provision opening(std::vector<Label> labels, PurposeSet purposes = PurposeSet::all()) {
  Provision provision = labelled(true, std::move(labels));
  provision.purposes = purposes;
  provision.recipients.emplace_back(home("1.2.3.4"));
  return provision;
}
Consent consent(std::string id, Provision root, ConsentStatus status = ConsentStatus::Active) {
  return {.id = std::move(id), .version = 7, .status = status, .root = std::move(root)};
}
std::string no_consent(const std::string& label, const std::string& purpose = "Treatment") {
  return "Label " + label + " opens only to a consent that names it, " + purpose + " and this recipient.";
}
std::string wanted(const std::string& label, const std::string& purpose = "Treatment") {
  return "A consent in force that names " + label + ", " + purpose + " and this recipient.";
}

TEST(ChoiceGate, NamesTheConsentThatForbids) {
  Facts facts;
  facts.consents = {consent("C0", {.permits = true}), consent("C1", {}), consent("C2", {})};
  EXPECT_EQ(finding(facts, Gate::Choice),
            refused(Gate::Choice, Reason::PatientPurpose, "A consent of the patient forbids Treatment.",
                    "consent C1 version 7", "The patient revoking that consent."));
  facts.consents = {consent("C1", {.purposes = PurposeSet{Purpose::Payment}})};
  EXPECT_EQ(finding(facts, Gate::Choice, admitted({"TREATMENT", "PAYMENT"})).sentence,
            "A consent of the patient forbids Payment.");
  EXPECT_TRUE(finding(facts, Gate::Choice).permits());
}

TEST(ChoiceGate, SaysWhatWouldChangeARefusal) {
  Facts facts;
  facts.choice.clinic_defaults = {};
  EXPECT_EQ(finding(facts, Gate::Choice),
            refused(Gate::Choice, Reason::ClinicPurpose,
                    "Treatment is not among the purposes of the clinic's defaults.", "clinic settings version 3",
                    "The clinic's defaults or the patient's own choice including Treatment."));
  facts.choice.choice = PurposeChoice{{}, "c1", "staff"};
  EXPECT_EQ(finding(facts, Gate::Choice),
            refused(Gate::Choice, Reason::PatientPurpose,
                    "Treatment is not among the purposes of the patient's own choice (set by staff).", "choice c1",
                    "The patient choosing Treatment."));
}

TEST(PartyGate, NamesTheRuleOrTheConsentThatDenies) {
  Facts facts;
  EXPECT_EQ(finding(facts, Gate::Party), permitted(Gate::Party, "Nobody denies organization urn:oid:1.2.3.4."));
  Provision deny;
  deny.recipients.emplace_back(home("1.2.3.4"));
  facts.consents = {consent("C1", deny)};
  EXPECT_EQ(finding(facts, Gate::Party),
            refused(Gate::Party, Reason::OrganizationDenied,
                    "The patient forbids giving anything to organization urn:oid:1.2.3.4.", "consent C1 version 7",
                    "The patient revoking that consent."));
  facts.rules.refused = {home("1.2.3.4")};
  EXPECT_EQ(finding(facts, Gate::Party),
            refused(Gate::Party, Reason::OrganizationDenied,
                    "The clinic gives nothing to organization urn:oid:1.2.3.4.", "clinic settings version 3",
                    "The clinic no longer refusing that organization (settings set refuse=-1.2.3.4)."));
}

TEST(ClassGate, NamesTheRuleOrTheConsentThatDenies) {
  Facts facts;
  EXPECT_EQ(finding(facts, Gate::Class),
            permitted(Gate::Class, "Documents of this class are shared for every purpose asked for."));
  facts.consents = {consent("C1", {.documents = {"D1"}})};
  EXPECT_EQ(finding(facts, Gate::Class),
            refused(Gate::Class, Reason::ClassNotShared, "The patient forbids giving documents of this kind.",
                    "consent C1 version 7", "The patient revoking that consent."));
  facts.rules.shared[Purpose::Treatment] = {{"1-1", "loinc", ""}};
  EXPECT_EQ(finding(facts, Gate::Class),
            refused(Gate::Class, Reason::ClassNotShared,
                    "The clinic does not share documents of class without class for Treatment.",
                    "clinic settings version 3",
                    "The clinic sharing this class for this purpose (settings set share=treatment:…)."));
  facts.document.classes = {{"9-9", "loinc", ""}, {"8-8", "loinc", ""}};
  EXPECT_EQ(finding(facts, Gate::Class).sentence, "The clinic does not share documents of class 9-9 for Treatment.");
  facts.document.classes = {{"9-9", "loinc", ""}, {"1-1", "loinc", "shown"}};
  EXPECT_EQ(finding(facts, Gate::Class).sentence, "The patient forbids giving documents of this kind.");
}

TEST(SensitivityGate, PermitsWhatBearsNoGatedLabel) {
  Facts facts;
  facts.document.labels = {hiv};
  EXPECT_EQ(finding(facts, Gate::Sensitivity),
            permitted(Gate::Sensitivity, "No label of it needs a consent of its own."));
}

TEST(SensitivityGate, NamesEveryConsentThatOpens) {
  Facts facts;
  facts.document.labels = {notes, hiv, part2, part2};
  facts.consents = {consent("C1", opening({notes})), consent("C2", opening({part2}))};
  EXPECT_EQ(finding(facts, Gate::Sensitivity, admitted({"TREATMENT", "PAYMENT"})),
            permitted(Gate::Sensitivity, "Labels opened by a consent that names them: PSYTHPN, 42CFRPart2.",
                      "consent C1 version 7; consent C2 version 7"));
  facts.consents = {consent("C1", opening({notes, part2}))};
  EXPECT_EQ(finding(facts, Gate::Sensitivity).evidence, "consent C1 version 7");
  facts.consents.push_back(consent("C2", opening({notes, part2})));
  EXPECT_EQ(finding(facts, Gate::Sensitivity).evidence, "consent C2 version 7") << "the newest that permits";
}

TEST(SensitivityGate, NamesALabelWhoseNameIsPartOfAnothers) {
  Facts facts;
  facts.document.labels = {act("ETHUD"), act("ETH"), part2};
  facts.consents = {consent("C1", opening({act("ETHUD")})), consent("1", opening({act("ETH")})),
                    consent("C10", opening({part2}))};
  facts.consents[0].version = 70;
  EXPECT_EQ(finding(facts, Gate::Sensitivity),
            permitted(Gate::Sensitivity, "Labels opened by a consent that names them: ETHUD, ETH, 42CFRPart2.",
                      "consent C1 version 70; consent 1 version 7; consent C10 version 7"));
}

TEST(SensitivityGate, SaysWhichConsentIsMissing) {
  Facts facts;
  facts.document.labels = {hiv, notes};
  EXPECT_EQ(finding(facts, Gate::Sensitivity), refused(Gate::Sensitivity, Reason::SensitiveNoConsent,
                                                       no_consent("PSYTHPN"), "", wanted("PSYTHPN")));
  facts.consents = {consent("C1", opening({notes}, {Purpose::Treatment}))};
  EXPECT_TRUE(finding(facts, Gate::Sensitivity).permits());
  EXPECT_EQ(finding(facts, Gate::Sensitivity, admitted({"TREATMENT", "PAYMENT"})),
            refused(Gate::Sensitivity, Reason::SensitiveNoConsent, no_consent("PSYTHPN", "Payment"), "",
                    wanted("PSYTHPN", "Payment")));
}

TEST(SensitivityGate, SaysThatALabelIsNotKnown) {
  Facts facts;
  facts.document.labels = {foreign};
  EXPECT_EQ(finding(facts, Gate::Sensitivity),
            refused(Gate::Sensitivity, Reason::SensitiveNoConsent,
                    "Label 2.25.7|X is not known here and opens only to a consent that names it.", "",
                    "A consent in force that names 2.25.7|X, Treatment and this recipient, or the clinic knowing the "
                    "label (settings set know=2.25.7|X)."));
}

TEST(SensitivityGate, SaysWhyTheLastWordGrantsNothing) {
  const auto found = [](Provision root, ConsentStatus status = ConsentStatus::Active) {
    Facts facts;
    facts.document.labels = {notes};
    const Period period = root.period;
    root = opening({notes});
    root.period = period;
    facts.consents = {consent("C0", opening({notes})), consent("C1", std::move(root), status)};
    return finding(facts, Gate::Sensitivity);
  };
  const auto expected = [](Reason reason, const std::string& how) {
    return refused(Gate::Sensitivity, reason, "The patient's last consent about label PSYTHPN" + how,
                   "consent C1 version 7", wanted("PSYTHPN"));
  };
  EXPECT_EQ(found({}, ConsentStatus::Revoked), expected(Reason::ConsentRevoked, " is revoked."));
  EXPECT_EQ(found({.period = {at(11), {}}}), expected(Reason::ConsentFuture, " is not in force yet."));
  EXPECT_EQ(found({.period = {{}, at(10)}}), expected(Reason::ConsentExpired, " has expired."));
  EXPECT_EQ(found({}).evidence, "consent C1 version 7");
}

TEST(SensitivityGate, NamesTheConsentThatForbidsTheLabel) {
  Facts facts;
  facts.document.labels = {hiv};
  facts.consents = {consent("C1", labelled(false, {hiv}))};
  EXPECT_EQ(finding(facts, Gate::Sensitivity),
            refused(Gate::Sensitivity, Reason::SensitiveNoConsent, "The patient forbids giving documents with this label.",
                    "consent C1 version 7", "The patient revoking that consent."));
}

TEST(SensitivityGate, DeniesALabelThatOneConsentPermitsAndDenies) {
  // Of the whole document the deeper permit wins; about confidentiality V the deny does, which the permit does not name.
  const Label very{std::string(confidentiality_system), "V"};
  Provision root = opening({notes, very});
  root.exceptions = {labelled(false, {notes, very})};
  root.exceptions[0].exceptions = {opening({notes})};
  Facts facts;
  facts.document.labels = {notes, very};
  facts.consents = {consent("C0", opening({notes, very})), consent("C1", root)};
  EXPECT_TRUE(finding(facts, Gate::Choice).permits());
  EXPECT_EQ(finding(facts, Gate::Sensitivity), refused(Gate::Sensitivity, Reason::SensitiveNoConsent, no_consent("V"),
                                                       "consent C1 version 7", wanted("V")));
}

TEST(SensitivityGate, OpensByABrokenGlassOfWhoAsks) {
  Facts facts;
  facts.document.labels = {notes, part2};
  facts.grants = {{"G1", "otto", {at(0), at(20)}}, {"G2", "ruth", {at(0), at(10)}}, {"G3", "ruth", {at(10), at(11)}},
                  {"G4", "ruth", {}}};
  EXPECT_EQ(finding(facts, Gate::Sensitivity, admitted({"TREATMENT"}, "ruth")).sentence, no_consent("42CFRPart2"));
  facts.rules.part2_emergencies = true;
  const auto by_ruth = facts.judged(admitted({"TREATMENT"}, "ruth"));
  EXPECT_EQ(finding(facts, Gate::Sensitivity, admitted({"TREATMENT"}, "ruth")),
            permitted(Gate::Sensitivity, "Labels opened by a broken glass or a consent that names them: PSYTHPN, 42CFRPart2.",
                      "break-glass G3"));
  EXPECT_THAT(by_ruth.obligations,
              testing::ElementsAre(Obligation{.evidence = "break-glass G3",
                                              .explanations = {explanation(facts.grants[2])}}));
  EXPECT_TRUE(facts.judged(admitted({"TREATMENT"}, "otto")).permits());
  EXPECT_FALSE(facts.judged(admitted({"TREATMENT"}, "ida")).permits());
  EXPECT_FALSE(facts.judged(admitted()).permits());
}

TEST(Obligations, AreWrittenAsTheRecordNamesThem) { EXPECT_EQ(word(Obligation::Kind::Part2Notice), "part2-notice"); }

TEST(Obligations, AreTheNoticeOfPart2ForEachConsentItLeavesOn) {
  Facts facts;
  facts.document.labels = {part2, act("SUD"), notes};
  facts.consents = {consent("C1", opening({part2, act("SUD")})), consent("C2", opening({notes}))};
  EXPECT_THAT(facts.judged(admitted()).obligations,
              testing::ElementsAre(Obligation{
                  .evidence = "consent C1 version 7",
                  .explanations = {explanation(facts.consents[0], facts.consents[0].root,
                                               {home("1.2.3.4"), Purpose::Treatment, at(10), &facts.document})}}));
  facts.document.labels = {notes};
  EXPECT_THAT(facts.judged(admitted()).obligations, testing::IsEmpty());
  facts.document.labels = {part2};
  facts.choice.readable = false;
  EXPECT_THAT(facts.judged(admitted()).obligations, testing::IsEmpty()) << "what is refused obliges to nothing";
}

TEST(Obligations, ExplainEachProvisionOfTheLastConsentThatPermits) {
  Facts facts;
  facts.document.labels = {part2, act("SUD")};
  Provision root{.permits = true};
  root.exceptions = {opening({part2, act("SUD")}, {Purpose::Treatment}), opening({part2}, {Purpose::Payment})};
  facts.consents = {consent("C0", opening({part2, act("SUD")}, {Purpose::Treatment, Purpose::Payment})),
                    consent("C1", root)};
  const auto told = [](const std::string& consent, const std::string& labels, const std::string& purposes) {
    return "By consent " + consent + " version 7 the patient permits giving documents labelled " + labels +
           " to organization urn:oid:1.2.3.4 for " + purposes + ", with no end given.";
  };
  EXPECT_THAT(facts.judged(admitted({"TREATMENT", "PAYMENT"})).obligations,
              testing::ElementsAre(
                  Obligation{.evidence = "consent C1 version 7",
                             .explanations = {told("C1", "42CFRPart2, SUD", "Treatment"),
                                              told("C1", "42CFRPart2", "Payment")}},
                  Obligation{.evidence = "consent C0 version 7",
                             .explanations = {told("C0", "42CFRPart2, SUD", "Payment")}}));
}

TEST(EvaluationGate, SaysWhatCouldNotBeRead) {
  const auto sentence = [](void (*change)(Facts&)) {
    Facts facts;
    change(facts);
    const Finding found = finding(facts, Gate::Evaluation);
    if (found.permits()) return found.sentence;
    EXPECT_EQ(found.reason, Reason::PolicyError);
    EXPECT_EQ(found.would_change, "Repairing the stored record.");
    return found.sentence;
  };
  EXPECT_EQ(sentence([](Facts&) {}), "Everything that decides could be read.");
  EXPECT_EQ(sentence([](Facts& f) { f.choice.readable = false; }),
            "The patient's choice or the clinic's defaults could not be read.");
  EXPECT_EQ(sentence([](Facts& f) { f.rules.readable = false; }), "The clinic's rules could not be read.");
  EXPECT_EQ(sentence([](Facts& f) { f.consents_readable = false; }), "A consent of the patient could not be read.");
  EXPECT_EQ(sentence([](Facts& f) { f.document.readable = false; }), "The document's labels could not be read.");
}

// --- a judge of many resources

/// Whether each of two matters is judged by one judge as by a judge of its own, in both orders.
void expect_told_apart(const Admitted& by, const Matter& a, const Matter& b) {
  const Terms terms{{}, at(10)};
  const Verdict alone_a = judge(by, terms, "a", a), alone_b = judge(by, terms, "b", b);
  EXPECT_FALSE(alone_a.findings == alone_b.findings) << "they are alike";
  Judge first(by, terms), second(by, terms);
  EXPECT_EQ(first.verdict_on("a", a).findings, alone_a.findings);
  EXPECT_EQ(first.verdict_on("b", b).findings, alone_b.findings);
  EXPECT_EQ(second.verdict_on("b", b).findings, alone_b.findings);
  EXPECT_EQ(second.verdict_on("a", a).findings, alone_a.findings);
}

TEST(Judge, TellsResourcesApartByAllThatDecides) {
  const ChoiceFacts choice{.clinic_defaults = PurposeSet::all(), .clinic_version = "3"};
  const auto apart = [&](void (*change)(ChoiceFacts&)) {
    ChoiceFacts other = choice;
    change(other);
    expect_told_apart(admitted(), {.subject = "s", .choice = choice}, {.subject = "s", .choice = other});
  };
  apart([](ChoiceFacts& c) { c.readable = false; });
  apart([](ChoiceFacts& c) { c.clinic_defaults = {}; });
  apart([](ChoiceFacts& c) { c.clinic_version = "4"; });
  apart([](ChoiceFacts& c) { c.choice = PurposeChoice{{}, "c1", "staff"}; });
  ChoiceFacts one = choice, other = choice;
  one.choice = PurposeChoice{PurposeSet::all(), "c1", "staff"};
  other.choice = PurposeChoice{PurposeSet::all(), "c2", "staff"};
  expect_told_apart(admitted(), {.subject = "s", .choice = one}, {.subject = "s", .choice = other});
  other.choice = PurposeChoice{PurposeSet::all(), "c1", "patient"};
  expect_told_apart(admitted(), {.subject = "s", .choice = one}, {.subject = "s", .choice = other});
  other.choice = PurposeChoice{{}, "c1", "staff"};
  expect_told_apart(admitted(), {.subject = "s", .choice = one}, {.subject = "s", .choice = other});
}

TEST(Judge, TellsDocumentsApartByAllThatDecides) {
  const ChoiceFacts choice{.clinic_defaults = PurposeSet::all(), .clinic_version = "3"};
  Provision by_date, by_exception{.permits = true};
  by_date.data = {at(0), at(5)};
  by_exception.exceptions = {{.documents = {"D1"}}};
  const auto consents = std::make_shared<ConsentFacts>(ConsentFacts{
      true, {consent("C1", {.classes = {{"2-2", "loinc", ""}}}), consent("C2", by_date), consent("C3", by_exception)}, {}});
  const DocumentFacts document{.unique_id = "D2", .classes = {{"1-1", "loinc", ""}}, .service = {at(7), at(9)}};
  const auto apart = [&](void (*change)(DocumentFacts&)) {
    DocumentFacts other = document;
    change(other);
    expect_told_apart(admitted(), {.subject = "s", .choice = choice, .consents = consents, .document = &document},
                      {.subject = "s", .choice = choice, .consents = consents, .document = &other});
  };
  apart([](DocumentFacts& d) { d.unique_id = "D1"; });
  apart([](DocumentFacts& d) { d.labels = {notes}; });
  apart([](DocumentFacts& d) { d.classes = {{"2-2", "loinc", ""}}; });
  apart([](DocumentFacts& d) { d.service.from = at(4); });
  apart([](DocumentFacts& d) { d.service.from.reset(); });
  apart([](DocumentFacts& d) { d.readable = false; });
  expect_told_apart(admitted(), {.subject = "s", .choice = choice, .consents = consents, .document = &document},
                    {.subject = "s", .choice = choice, .consents = consents});
  const DocumentFacts d1{.unique_id = "D1"};
  expect_told_apart(admitted(), {.subject = "s", .choice = choice, .consents = consents, .document = &d1},
                    {.subject = "s", .choice = choice, .document = &d1});
}

TEST(Judge, TellsPartsApartWhateverTheyHold) {
  const ChoiceFacts choice{.clinic_defaults = PurposeSet::all(), .clinic_version = "3"};
  const std::string end(1, '\x1f');
  const DocumentFacts two{.labels = {hiv, hiv}};
  const DocumentFacts one{.labels = {{hiv.system, hiv.code + end + hiv.system + end + hiv.code}}};
  expect_told_apart(admitted(), {.subject = "s", .choice = choice, .document = &two},
                    {.subject = "s", .choice = choice, .document = &one});
  const DocumentFacts by_label{.labels = {{"", "X"}}}, by_class{.classes = {{"X", "", ""}}};
  expect_told_apart(admitted(), {.subject = "s", .choice = choice, .document = &by_label},
                    {.subject = "s", .choice = choice, .document = &by_class});
}

TEST(Judge, TellsPatientsApartByTheirIdsWhereTheTokenNamesOne) {
  const ChoiceFacts choice{.clinic_defaults = PurposeSet::all()};
  const auto shipped = shipped_purpose_codes();
  Caller caller;
  caller.tls_implementer = caller.signer_implementer = caller.assertion_implementer = "1.2.3";
  caller.home = {"urn:oid:1.2.3.4",
                 Organization{.home = home("1.2.3.4"), .name = "Test", .active = true, .implementer = "1.2.3", .version = "1"}};
  caller.purposes = {{"TREAT", "2.16.840.1.113883.5.8", ""}};
  caller.patient = base::Identifier{"1.2", "A"};
  const auto by = std::get<Admitted>(admit({.purpose_codes = {shipped.begin(), shipped.end()}}, caller));
  const std::vector<base::Identifier> a{{"1.2", "A"}}, b{{"1.2", "B"}}, none;
  expect_told_apart(by, {.subject = "s", .choice = choice, .patient_ids = a},
                    {.subject = "s", .choice = choice, .patient_ids = b});
  expect_told_apart(by, {.subject = "s", .choice = choice, .patient_ids = a},
                    {.subject = "s", .choice = choice, .patient_ids = none});
}

TEST(Judge, FindsTheSameForDocumentsThatAreAlikeAndNamesEach) {
  const ChoiceFacts choice{.clinic_defaults = PurposeSet::all()};
  const auto consents = std::make_shared<ConsentFacts>(ConsentFacts{true, {consent("C1", opening({part2}))}, {}});
  const DocumentFacts a{.unique_id = "D1", .labels = {part2}}, b{.unique_id = "D2", .labels = {part2}};
  const Terms terms{{}, at(10)};
  const Admitted by = admitted();
  Judge judge(by, terms);
  const Verdict first = judge.verdict_on("a", {.subject = "s", .choice = choice, .consents = consents, .document = &a});
  const Verdict second = judge.verdict_on("b", {.subject = "s", .choice = choice, .consents = consents, .document = &b});
  EXPECT_EQ(first.resource, "a");
  EXPECT_EQ(second.resource, "b");
  EXPECT_EQ(&first.findings.front(), &second.findings.front()) << "judged once";
  EXPECT_EQ(first.obligations, second.obligations);
  EXPECT_EQ(second.obligations.size(), 1u);
}

TEST(Judge, KeepsNoVerdictForConsentsThatAreGone) {
  const ChoiceFacts choice{.clinic_defaults = PurposeSet::all()};
  const Terms terms{{}, at(10)};
  const Admitted by = admitted();
  Judge judge(by, terms);
  for (int number = 0; number < 50; ++number) {
    const bool denies = number % 2 == 0;
    auto consents = std::make_shared<ConsentFacts>();
    if (denies) consents->consents.push_back(consent("C1", {}));
    EXPECT_EQ(judge.verdict_on("r", {.subject = "s", .choice = choice, .consents = std::move(consents)}).permits(), !denies);
  }
}

TEST(Findings, AreEqualWhereTheyFindTheSame) {
  const Finding one = permitted(Gate::Choice, "a"), other = permitted(Gate::Choice, "b");
  const Findings a{one}, again{one}, b{other}, none;
  EXPECT_TRUE(a == a && a == again && none == Findings{});
  EXPECT_FALSE(a == b || a == none || none == a);
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.size(), 0u);
  EXPECT_FALSE(a.empty());
}

TEST(Release, JudgesEachResourceWithItsConsentsAndItsDocument) {
  const ChoiceFacts choice{.clinic_defaults = PurposeSet::all()};
  const auto consents = std::make_shared<ConsentFacts>(ConsentFacts{true, {consent("C1", opening({notes}))}, {}});
  const DocumentFacts open{.unique_id = "D1"}, closed{.unique_id = "D2", .labels = {notes}};
  std::vector<Held<int>> held{{.resource = 1, .id = "a", .choice = choice, .document = closed},
                              {.resource = 2, .id = "b", .choice = choice, .consents = consents, .document = closed},
                              {.resource = 3, .id = "c", .choice = choice, .consents = consents, .document = open},
                              {.resource = 4, .id = "d", .choice = choice}};
  const auto released = release(admitted(), Terms{{}, at(10)}, held);
  EXPECT_THAT(released.resources(), testing::ElementsAre(2, 3, 4));
  EXPECT_EQ(released.verdicts()[0].reason(), Reason::SensitiveNoConsent);
  const auto all_or_none = release_all_or_none(admitted(), Terms{{}, at(10)}, held);
  EXPECT_THAT(all_or_none.resources(), testing::IsEmpty());
}

TEST(Admitted, KeepsWhoOfOurOwnPeopleAsks) {
  EXPECT_EQ(admitted({"TREATMENT"}, "ruth").own_staff(), "ruth");
  EXPECT_EQ(admitted().own_staff(), std::nullopt);
}

}  // namespace
}  // namespace policy
