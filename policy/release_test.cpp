#include "policy/release.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace policy {
namespace {

HomeCommunityId home(std::string_view oid) { return HomeCommunityId::parse(oid).value(); }

Organization organization(std::string_view oid, std::string implementer) {
  return {.home = home(oid), .name = "Test", .active = true, .implementer = std::move(implementer), .version = "1"};
}

Code nhin(std::string code) { return {std::move(code), "2.16.840.1.113883.3.18.7.1", {}}; }

Rules rules() {
  const auto shipped = shipped_purpose_codes();
  return {.purpose_codes = {shipped.begin(), shipped.end()}, .version = "test"};
}

Caller honest_caller() {
  Caller caller;
  caller.tls_implementer = caller.signer_implementer = caller.assertion_implementer = "1.2.3";
  caller.home = {"urn:oid:1.2.3.4", organization("1.2.3.4", "1.2.3")};
  caller.sender = NamedOrganization{"1.2.3", organization("1.2.3", "1.2.3")};
  caller.purposes = {nhin("TREATMENT")};
  return caller;
}

Reason reason_of(const std::variant<Admitted, Verdict>& admission) {
  const auto* refused = std::get_if<Verdict>(&admission);
  return refused ? refused->reason() : Reason::Permitted;
}

static_assert(!std::is_default_constructible_v<Admitted>);
static_assert(!std::is_constructible_v<Admitted, HomeCommunityId>);
static_assert(!std::is_default_constructible_v<Released<int>>);
static_assert(!std::is_constructible_v<Released<int>, std::vector<int>>);

struct CallerCase {
  const char* name;
  void (*change)(Caller&);
  Reason expected;
};

TEST(Admit, JudgesEveryCallerByItsFirstFault) {
  const CallerCase cases[] = {
      {"honest", [](Caller&) {}, Reason::Permitted},
      {"TLS certificate of nobody", [](Caller& c) { c.tls_implementer.reset(); }, Reason::CallerUnknown},
      {"signer of nobody", [](Caller& c) { c.signer_implementer.reset(); }, Reason::CallerUnknown},
      {"assertion signer of nobody", [](Caller& c) { c.assertion_implementer.reset(); }, Reason::CallerUnknown},
      {"TLS of another implementer", [](Caller& c) { c.tls_implementer = "9.9"; }, Reason::CallerUntrusted},
      {"signer of another implementer", [](Caller& c) { c.signer_implementer = "9.9"; }, Reason::CallerUntrusted},
      {"assertion of another implementer", [](Caller& c) { c.assertion_implementer = "9.9"; }, Reason::CallerUntrusted},
      {"home not in the directory", [](Caller& c) { c.home.entry.reset(); }, Reason::CallerUnknown},
      {"home inactive", [](Caller& c) { c.home.entry->active = false; }, Reason::CallerInactive},
      {"home of another implementer", [](Caller& c) { c.home.entry->implementer = "9.9"; }, Reason::CallerNotDelegated},
      {"no sender (XCA)", [](Caller& c) { c.sender.reset(); }, Reason::Permitted},
      {"sender not in the directory", [](Caller& c) { c.sender->entry.reset(); }, Reason::CallerUnknown},
      {"sender inactive", [](Caller& c) { c.sender->entry->active = false; }, Reason::CallerInactive},
      {"sender of another implementer", [](Caller& c) { c.sender->entry->implementer = "9.9"; },
       Reason::CallerNotDelegated},
      {"sender differs where equality is demanded", [](Caller& c) { c.demand_equal_sender = true; },
       Reason::CallerNotDelegated},
      {"sender equals where equality is demanded",
       [](Caller& c) {
         c.demand_equal_sender = true;
         c.sender = c.home;
       },
       Reason::Permitted},
      {"principal that delegated",
       [](Caller& c) {
         c.grantor = NamedOrganization{"Organization/2.5.5", organization("2.5.5", "2.5.5")};
         c.grantor->entry->delegates = {home("1.2.3.4")};
       },
       Reason::Permitted},
      {"principal that did not delegate",
       [](Caller& c) {
         c.grantor = NamedOrganization{"Organization/2.5.5", organization("2.5.5", "2.5.5")};
       },
       Reason::CallerNotDelegated},
      {"principal that delegated to the implementer only",
       [](Caller& c) {
         c.grantor = NamedOrganization{"Organization/2.5.5", organization("2.5.5", "2.5.5")};
         c.grantor->entry->delegates = {home("1.2.3")};
       },
       Reason::CallerNotDelegated},
      {"principal that delegated to one who delegates further: T10",
       [](Caller& c) {
         c.grantor = NamedOrganization{"Organization/2.5.5", organization("2.5.5", "2.5.5")};
         c.grantor->entry->delegates = {home("2.5.6")};
       },
       Reason::CallerNotDelegated},
      {"principal that is answered for here: T10",
       [](Caller& c) {
         c.grantor = NamedOrganization{"Organization/2.5.5", organization("2.5.5", "2.5.5"), true};
         c.grantor->entry->delegates = {home("1.2.3.4")};
       },
       Reason::CallerNotDelegated},
      {"principal unknown",
       [](Caller& c) {
         c.grantor = NamedOrganization{"Organization/2.5.5", {}};
       },
       Reason::CallerUnknown},
      {"principal inactive",
       [](Caller& c) {
         c.grantor = NamedOrganization{"Organization/2.5.5", organization("2.5.5", "2.5.5")};
         c.grantor->entry->delegates = {home("1.2.3.4")};
         c.grantor->entry->active = false;
       },
       Reason::CallerInactive},
  };
  for (const CallerCase& one : cases) {
    Caller caller = honest_caller();
    one.change(caller);
    EXPECT_EQ(code(reason_of(admit(rules(), caller))), code(one.expected)) << one.name;
  }
}

TEST(Admit, RefusesForTheFirstOrganizationThatIsNotInOrder) {
  Caller caller = honest_caller();
  caller.home.entry->active = false;
  caller.sender->entry.reset();
  caller.grantor = NamedOrganization{"Organization/2.5.5", {}};
  const auto refused = admit(rules(), caller);
  const Finding* finding = std::get<Verdict>(refused).refusal();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->reason, Reason::CallerInactive);
  EXPECT_EQ(finding->sentence, "Home community urn:oid:1.2.3.4 is inactive in the directory.");
  EXPECT_EQ(finding->evidence, "directory 1.2.3.4 version 1");
  EXPECT_EQ(finding->would_change, "The directory entry becoming active.");
}

TEST(Admit, RecordsWhatItLetIn) {
  Caller caller = honest_caller();
  caller.grantor = NamedOrganization{"Organization/2.5.5", organization("2.5.5", "2.5.5")};
  caller.grantor->entry->delegates = {home("1.2.3.4")};
  const auto admission = admit(rules(), caller);
  const auto& admitted = std::get<Admitted>(admission);
  EXPECT_EQ(admitted.home(), home("1.2.3.4"));
  EXPECT_EQ(admitted.implementer(), "1.2.3");
  EXPECT_EQ(admitted.rules_version(), "test");
  EXPECT_EQ(admitted.purposes(), PurposeSet{Purpose::Treatment});
  const auto& findings = admitted.verdict().findings;
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].gate, Gate::Caller);
  EXPECT_EQ(findings[0].sentence, "Home community urn:oid:1.2.3.4 is an active organization of implementer 1.2.3.");
  EXPECT_EQ(findings[0].evidence,
            "directory 1.2.3.4 version 1; directory 2.5.5 version 1; implementer 1.2.3");
  EXPECT_EQ(findings[1].gate, Gate::Purpose);
  EXPECT_EQ(findings[1].sentence, "Every purpose asked for is supported: treatment.");
  EXPECT_EQ(findings[1].evidence, "rules test");
}

struct PurposeCase {
  const char* name;
  std::vector<Code> asked;
  Reason expected;
};

TEST(Admit, MapsPurposesByTheExactPairAndNeverAssumesOne) {
  const std::string nhin_system = "2.16.840.1.113883.3.18.7.1", act_reason = "2.16.840.1.113883.5.8";
  const PurposeCase cases[] = {
      {"NHIN treatment", {{"TREATMENT", nhin_system, ""}}, Reason::Permitted},
      {"ActReason treatment", {{"TREAT", act_reason, ""}}, Reason::Permitted},
      {"TEFCA treatment", {{"T-TRTMNT", "2.16.840.1.113883.3.7204.1.5.2.1", ""}}, Reason::Permitted},
      {"none", {}, Reason::PurposeMissing},
      {"code of one system under another", {{"TREATMENT", act_reason, ""}}, Reason::PurposeUnknown},
      {"and the reverse", {{"TREAT", nhin_system, ""}}, Reason::PurposeUnknown},
      {"no system", {{"TREATMENT", "", ""}}, Reason::PurposeUnknown},
      {"blank-padded system", {{"TREATMENT", " " + nhin_system, ""}}, Reason::PurposeUnknown},
      {"lower case", {{"treatment", nhin_system, ""}}, Reason::PurposeUnknown},
      {"code in the display name only", {{"", nhin_system, "TREATMENT"}}, Reason::PurposeUnknown},
      {"emergency is no Carequality purpose", {{"EMERGENCY", nhin_system, ""}}, Reason::PurposeUnknown},
      {"two known", {nhin("TREATMENT"), nhin("PAYMENT")}, Reason::Permitted},
      {"the same twice", {nhin("TREATMENT"), nhin("TREATMENT")}, Reason::Permitted},
      {"one known, one unknown", {nhin("TREATMENT"), nhin("BTG")}, Reason::PurposeUnknown},
      {"coverage without an authorization", {nhin("COVERAGE")}, Reason::PurposeNotSupported},
  };
  for (const PurposeCase& one : cases) {
    Caller caller = honest_caller();
    caller.purposes = one.asked;
    EXPECT_EQ(code(reason_of(admit(rules(), caller))), code(one.expected)) << one.name;
  }
}

TEST(Admit, TakesCoverageWithAnAuthorizationReference) {
  Caller caller = honest_caller();
  caller.purposes = {nhin("COVERAGE")};
  caller.authorization_reference = "urn:oid:1.2.3";
  EXPECT_EQ(reason_of(admit(rules(), caller)), Reason::Permitted);
}

TEST(Admit, RefusesAPurposeThisDeploymentDoesNotSupport) {
  Rules narrow = rules();
  narrow.supported = {Purpose::Treatment};
  Caller caller = honest_caller();
  EXPECT_EQ(reason_of(admit(narrow, caller)), Reason::Permitted);
  caller.purposes = {nhin("PAYMENT")};
  EXPECT_EQ(reason_of(admit(narrow, caller)), Reason::PurposeNotSupported);
}

TEST(Admit, RecordsEveryGateAlsoBehindTheFirstRefusal) {
  Caller caller = honest_caller();
  caller.home.entry.reset();
  caller.purposes.clear();
  const auto admission = admit(rules(), caller);
  const auto& verdict = std::get<Verdict>(admission);
  ASSERT_EQ(verdict.findings.size(), 2u);
  EXPECT_EQ(verdict.reason(), Reason::CallerUnknown);
  EXPECT_EQ(verdict.findings[1].reason, Reason::PurposeMissing);
}

Admitted admitted_for(std::vector<Code> purposes) {
  Caller caller = honest_caller();
  caller.purposes = std::move(purposes);
  return std::get<Admitted>(admit(rules(), caller));
}

ChoiceFacts defaults(PurposeSet set) { return {.clinic_defaults = set, .clinic_version = "3"}; }
ChoiceFacts chosen(PurposeSet set, PurposeSet clinic = PurposeSet::all()) {
  return {.clinic_defaults = clinic, .clinic_version = "3", .choice = PurposeChoice{set, "c1", "patient"}};
}

/// Of a patient, or of a document of one.
Verdict judged(const Admitted& admitted, const ChoiceFacts& choice, std::vector<base::Identifier> ids = {},
               const DocumentFacts* document = nullptr) {
  return judge(admitted, Terms{}, "r",
               {.subject = "s", .choice = choice, .patient_ids = ids, .consents = nullptr, .document = document});
}

struct ChoiceCase {
  const char* name;
  std::vector<Code> asked;
  ChoiceFacts facts;
  Reason expected;
};

TEST(Release, JudgesByThePatientsOwnSetElseByTheClinicsDefaults) {
  ChoiceFacts unreadable = chosen(PurposeSet::all());
  unreadable.readable = false;
  const ChoiceCase cases[] = {
      {"default permits", {nhin("TREATMENT")}, defaults({Purpose::Treatment}), Reason::Permitted},
      {"default lacks it", {nhin("PAYMENT")}, defaults({Purpose::Treatment}), Reason::ClinicPurpose},
      {"opt-in clinic", {nhin("TREATMENT")}, defaults({}), Reason::ClinicPurpose},
      {"patient permits what the clinic does not",
       {nhin("PAYMENT")},
       chosen({Purpose::Payment}, {}),
       Reason::Permitted},
      {"patient forbids what the clinic permits",
       {nhin("TREATMENT")},
       chosen({Purpose::Payment}),
       Reason::PatientPurpose},
      {"the empty set is a choice", {nhin("TREATMENT")}, chosen({}), Reason::PatientPurpose},
      {"every purpose asked must be permitted",
       {nhin("TREATMENT"), nhin("PAYMENT")},
       chosen({Purpose::Treatment}),
       Reason::PatientPurpose},
      {"all of several permitted",
       {nhin("TREATMENT"), nhin("PAYMENT")},
       chosen({Purpose::Treatment, Purpose::Payment}),
       Reason::Permitted},
      {"a record that cannot be read", {nhin("TREATMENT")}, unreadable, Reason::PolicyError},
  };
  for (const ChoiceCase& one : cases) {
    const DocumentFacts document;
    EXPECT_EQ(judged(admitted_for(one.asked), one.facts, {}, &document).findings.size(), 7u) << one.name;
    const Verdict verdict = judged(admitted_for(one.asked), one.facts);
    EXPECT_EQ(code(verdict.reason()), code(one.expected)) << one.name;
    EXPECT_EQ(verdict.findings.size(), 5u) << one.name;
    const Finding* refusal = verdict.refusal();
    EXPECT_EQ(refusal == nullptr, one.expected == Reason::Permitted) << one.name;
    if (refusal) {
      EXPECT_FALSE(refusal->would_change.empty()) << one.name;
    }
  }
}

TEST(Release, LetsATokenForOnePatientOpenNoOthersRecords_T14) {
  Caller caller = honest_caller();
  const auto reason_for = [&](std::vector<base::Identifier> ids) {
    return judged(std::get<Admitted>(admit(rules(), caller)), defaults({Purpose::Treatment}), ids).reason();
  };
  EXPECT_EQ(reason_for({{"1.2", "A"}}), Reason::Permitted) << "the token names nobody";
  caller.patient = base::Identifier{"1.2", "A"};
  EXPECT_EQ(reason_for({{"1.2", "A"}}), Reason::Permitted);
  EXPECT_EQ(reason_for({{"1.2", "B"}}), Reason::TokenForAnotherPatient);
  EXPECT_EQ(reason_for({{"1.2", "B"}, {"1.2", "A"}}), Reason::Permitted) << "retired id and survivor's";
  EXPECT_EQ(reason_for({{"9.9", "B"}}), Reason::Permitted) << "another authority's id says nothing";
  EXPECT_EQ(reason_for({{"9.9", "A"}, {"1.2", "B"}}), Reason::TokenForAnotherPatient);
  EXPECT_EQ(reason_for({}), Reason::Permitted);
}

TEST(Release, RecordsByWhatItPermitted) {
  const auto of_the_patient = judged(admitted_for({nhin("TREATMENT")}), chosen({Purpose::Treatment}));
  ASSERT_EQ(of_the_patient.findings.size(), 5u);
  EXPECT_EQ(of_the_patient.resource, "r");
  const Finding& choice = of_the_patient.findings[2];
  EXPECT_EQ(choice.gate, Gate::Choice);
  EXPECT_EQ(choice.sentence,
            "Every purpose asked for is permitted by the patient's own choice (set by patient).");
  EXPECT_EQ(choice.evidence, "choice c1");
  const Finding& party = of_the_patient.findings[3];
  EXPECT_EQ(party.gate, Gate::Party);
  EXPECT_EQ(party.sentence, "Nobody denies organization urn:oid:1.2.3.4.");
  EXPECT_EQ(party.evidence, "");
  const Finding& evaluation = of_the_patient.findings[4];
  EXPECT_EQ(evaluation.gate, Gate::Evaluation);
  EXPECT_EQ(evaluation.sentence, "Everything that decides could be read.");
  const auto of_the_clinic = judged(admitted_for({nhin("TREATMENT")}), defaults({Purpose::Treatment}));
  EXPECT_EQ(of_the_clinic.findings[2].sentence,
            "Every purpose asked for is permitted by the clinic's defaults.");
  EXPECT_EQ(of_the_clinic.findings[2].evidence, "clinic settings version 3");
}

TEST(Release, RecordsWhyATokensPatientDoesNotStandInTheWay) {
  Caller caller = honest_caller();
  caller.patient = base::Identifier{"1.2", "A"};
  const auto said = [&](std::vector<base::Identifier> ids) {
    const auto verdict = judged(std::get<Admitted>(admit(rules(), caller)), defaults({Purpose::Treatment}), ids);
    const auto found = std::ranges::find(verdict.findings, Gate::TokenPatient, &Finding::gate);
    return found == verdict.findings.end() ? "no such gate" : found->sentence;
  };
  EXPECT_EQ(said({{"1.2", "A"}}), "The token is about this patient.");
  EXPECT_EQ(said({{"9.9", "B"}}), "The token names its patient by an id not known here.");
}

TEST(Gate, IsWrittenAsTheRecordNamesIt) {
  const std::pair<Gate, std::string_view> names[] = {
      {Gate::Caller, "caller"},
      {Gate::Purpose, "purpose"},
      {Gate::TokenPatient, "token-patient"},
      {Gate::Choice, "choice"},
      {Gate::Party, "party"},
      {Gate::Class, "class"},
      {Gate::Sensitivity, "sensitivity"},
      {Gate::Evaluation, "evaluation"},
      {static_cast<Gate>(99), "evaluation"},
  };
  for (const auto& [gate, written] : names) EXPECT_EQ(word(gate), written);
}

TEST(Verdict, OfNoGateAtAllPermitsNothing) {
  const Verdict nothing;
  EXPECT_FALSE(nothing.permits());
  EXPECT_EQ(nothing.refusal(), nullptr);
  EXPECT_EQ(nothing.reason(), Reason::PolicyError);
}

TEST(Reason, IsWrittenAsTheRecordNamesIt) {
  const std::pair<Reason, std::string_view> codes[] = {
      {Reason::Permitted, "permitted"},
      {Reason::CallerUntrusted, "caller-untrusted"},
      {Reason::CallerUnknown, "caller-unknown"},
      {Reason::CallerInactive, "caller-inactive"},
      {Reason::CallerNotDelegated, "caller-not-delegated"},
      {Reason::PurposeMissing, "purpose-missing"},
      {Reason::PurposeUnknown, "purpose-unknown"},
      {Reason::PurposeNotSupported, "purpose-not-supported"},
      {Reason::PatientPurpose, "patient-purpose"},
      {Reason::ClinicPurpose, "clinic-purpose"},
      {Reason::TokenForAnotherPatient, "token-for-another-patient"},
      {Reason::OrganizationDenied, "organization-denied"},
      {Reason::ClassNotShared, "class-not-shared"},
      {Reason::SensitiveNoConsent, "sensitive-no-consent"},
      {Reason::ConsentExpired, "consent-expired"},
      {Reason::ConsentFuture, "consent-future"},
      {Reason::ConsentRevoked, "consent-revoked"},
      {Reason::PolicyError, "policy-error"},
      {static_cast<Reason>(99), "policy-error"},
  };
  for (const auto& [reason, written] : codes) EXPECT_EQ(code(reason), written);
}

TEST(Release, AddingADenialNeverPermitsMore) {
  const Admitted admitted = admitted_for({nhin("TREATMENT"), nhin("PAYMENT")});
  for (std::int64_t clinic = 0; clinic < 128; ++clinic) {
    for (std::int64_t patient = 0; patient < 128; ++patient) {
      const auto full = chosen(*PurposeSet::from_bits(patient), *PurposeSet::from_bits(clinic));
      const bool permits = judged(admitted, full).permits();
      for (std::int64_t bit = 1; bit < 128; bit <<= 1) {
        const auto less = chosen(*PurposeSet::from_bits(patient & ~bit), *PurposeSet::from_bits(clinic));
        if (judged(admitted, less).permits()) {
          EXPECT_TRUE(permits) << clinic << ' ' << patient << ' ' << bit;
        }
      }
    }
  }
}

TEST(Release, LetsGoOnlyWhatIsPermittedAndKeepsTheOrder) {
  const auto released =
      release(admitted_for({nhin("TREATMENT")}), Terms{}, std::vector<Held<int>>{{1, "a", chosen({Purpose::Treatment})},
                                                                        {2, "b", chosen({})},
                                                                        {3, "c", defaults({Purpose::Treatment})}});
  EXPECT_THAT(released.resources(), testing::ElementsAre(1, 3));
  ASSERT_EQ(released.verdicts().size(), 3u);
  EXPECT_TRUE(released.withheld_any());
  EXPECT_EQ(released.verdicts()[1].resource, "b");
}

TEST(Release, WithholdsAllCandidatesWhereOneIsWithheld) {
  const Admitted admitted = admitted_for({nhin("TREATMENT")});
  const auto one_denied = release_all_or_none(
      admitted, Terms{}, std::vector<Held<int>>{{1, "a", chosen({Purpose::Treatment})}, {2, "b", chosen({})}});
  EXPECT_THAT(one_denied.resources(), testing::IsEmpty());
  const auto both = release_all_or_none(
      admitted, Terms{}, std::vector<Held<int>>{{1, "a", chosen({Purpose::Treatment})}, {2, "b", chosen({Purpose::Treatment})}});
  EXPECT_THAT(both.resources(), testing::ElementsAre(1, 2));
}

TEST(Release, CompletesOnlyWhatWasLetGo) {
  const auto released = release(admitted_for({nhin("TREATMENT")}), Terms{},
                                std::vector<Held<int>>{{1, "a", chosen({})}, {2, "b", chosen({Purpose::Treatment})}});
  std::vector<int> asked;
  const auto completed = released.completed<std::string>([&](int value) -> base::Result<std::string> {
    asked.push_back(value);
    return std::to_string(value);
  });
  ASSERT_TRUE(completed);
  EXPECT_THAT(asked, testing::ElementsAre(2));
  EXPECT_THAT(completed->resources(), testing::ElementsAre("2"));
  EXPECT_EQ(completed->verdicts().size(), 2u);
}

TEST(Purpose, HasTheNamesOfTheScreensAndOfTheCommands) {
  const std::tuple<Purpose, std::string_view, std::string_view> names[] = {
      {Purpose::Treatment, "treatment", "Treatment"},
      {Purpose::Payment, "payment", "Payment"},
      {Purpose::Operations, "operations", "Health Care Operations"},
      {Purpose::PublicHealth, "public-health", "Public Health Activities"},
      {Purpose::PatientRequest, "patient-request", "Patient Request"},
      {Purpose::Coverage, "coverage", "Coverage Determination"},
      {Purpose::OtherAuthorization, "other-authorization", "Other Authorization-Based Disclosures"},
  };
  for (const auto& [purpose, in_commands, on_screens] : names) {
    EXPECT_EQ(word(purpose), in_commands);
    EXPECT_EQ(title(purpose), on_screens);
    EXPECT_EQ(purpose_from_word(in_commands), purpose);
  }
  EXPECT_EQ(purpose_from_word(""), std::nullopt);
}

TEST(PurposeSet, ReadsWhatItWritesAndNothingElse) {
  for (std::int64_t bits = 0; bits < 128; ++bits) {
    const PurposeSet set = *PurposeSet::from_bits(bits);
    EXPECT_EQ(PurposeSet::parse(set.words()), set);
  }
  EXPECT_EQ(PurposeSet::parse("all"), PurposeSet::all());
  for (const char* bad : {"", "treatment,", ",treatment", "Treatment", "treatment payment", "everything"}) {
    EXPECT_FALSE(PurposeSet::parse(bad)) << bad;
  }
  EXPECT_FALSE(PurposeSet::from_bits(-1));
  EXPECT_FALSE(PurposeSet::from_bits(128));
}

}  // namespace
}  // namespace policy
