// What is exported decides elsewhere as it decides here: the consents of the decision corpus written to a file and read
// back, and random ones exported, imported into an empty clinic with the same patients, and both asked the same.

#include "gateway/patients/consent_files.hpp"
#include "gateway/patients/testing.hpp"
#include "policy/cases.hpp"

#include <random>

namespace gateway::patients {
namespace {

using policy::ConsentStatus;
using policy::Provision;
using policy::Purpose;
using policy::PurposeSet;
using testing::noon;
using testing::ok;

constexpr int patients = 250, consents_of_each = 8, requests_of_each = 60;
const std::chrono::hours day(24);
const char* const homes[] = {"2.999.20.4", "2.999.30.5"};
const char* const documents[] = {"1.2.3", "2.999.5^a", "1.2.4"};
const base::Code classes[] = {{"34133-9", "2.16.840.1.113883.6.1", ""}, {"11488-4", "2.16.840.1.113883.6.1", "Note"}};

class Any {
 public:
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  bool once_in(std::size_t times) { return below(times) == 0; }
  template <class List>
  auto one_of(const List& list) {
    return list[below(std::size(list))];
  }
  Instant instant() { return noon + day * (static_cast<int>(below(100)) - 50) + std::chrono::microseconds(below(3)); }
  policy::Label label() {
    const policy::Label labels[] = {policy::part2_label(),
                                    {std::string(policy::confidentiality_system), "V"},
                                    {std::string(policy::act_code_system), "HIV"},
                                    {"2.999.6", "X"}};
    return one_of(labels);
  }
  PurposeSet purposes() { return *PurposeSet::from_bits(static_cast<std::int64_t>(below(128))); }
  Provision provision(int depth = 0) {
    Provision made;
    made.permits = !once_in(3);
    made.understood = !once_in(12);
    if (once_in(3)) made.period = period();
    if (once_in(6)) made.data = period();
    if (!once_in(4)) {
      made.purposes = once_in(2) ? PurposeSet::all() : purposes();
    }
    if (!once_in(3)) {
      policy::Recipient recipient{*base::Oid::parse(one_of(homes))};
      if (once_in(2)) recipient.who = policy::RecipientClass::TreatingProviders;
      if (once_in(6)) recipient.who = policy::RecipientClass::HealthPlans;
      made.recipients.push_back(recipient);
    }
    if (!once_in(3)) made.labels.push_back(label());
    if (once_in(6)) made.classes.push_back(one_of(classes));
    if (once_in(8)) made.documents.emplace_back(one_of(documents));
    for (auto left = depth < 2 && once_in(3) ? 1 + below(2) : 0; left > 0; --left)
      made.exceptions.push_back(provision(depth + 1));
    return made;
  }
  policy::Period period() {
    const auto one = instant(), other = instant();
    policy::Period made;
    if (!once_in(3)) made.from = std::min(one, other);
    if (!once_in(3)) made.to = std::max(one, other) + std::chrono::seconds(1);
    return made;
  }

 private:
  std::mt19937_64 random_{20'261'129};
};

policy::Admitted admitted(const char* home, const base::Code& purpose) {
  const auto shipped = policy::shipped_purpose_codes();
  const auto oid = *base::Oid::parse(home);
  policy::Caller caller;
  caller.tls_implementer = caller.signer_implementer = caller.assertion_implementer = home;
  caller.home = {oid.urn(), policy::Organization{.home = oid, .name = "Test", .active = true, .implementer = home,
                                                 .version = "1"}};
  caller.purposes = {purpose};
  caller.authorization_reference = "1.2";
  return std::get<policy::Admitted>(policy::admit({.purpose_codes = {shipped.begin(), shipped.end()}}, caller));
}

/// Both clinics have the same patients under the same authority, the second without any consent.
class ExportedConsents : public testing::ShelfTest {
 protected:
  void SetUp() override {
    ShelfTest::SetUp();
    if (IsSkipped()) return;
    const auto url = store::fresh_url(GetParam(), elsewhere_directory_);
    ok(store::Database::migrate(url));
    elsewhere_ = ok(store::Database::open(url));
    elsewhere_clinic_ = ok(patients::add_clinic(*elsewhere_,
                                                {.home = "2.999.1", .name = "Riverbend", .time_zone = "Asia/Kolkata",
                                                 .assigning_authority = std::string(testing::authority),
                                                 .repository_id = "2.999.1.9", .purposes = {Purpose::Treatment}},
                                                "admin", noon));
    std::string lines;
    for (int i = 0; i < gateway::patients::patients; ++i)
      lines += testing::patient_line(mrn(i), "Family" + std::to_string(i), "Odessa", "1971-08-14");
    import(lines);
    ok(import_patients(*elsewhere_, *elsewhere_clinic_, lines, {}, noon));
  }
  static std::string mrn(int i) { return "M" + std::to_string(i); }

  void give_all(Any& any) {
    ok(ok(database_->session())->transaction([&]() -> Result<void> {
      for (int i = 0; i < gateway::patients::patients; ++i) TRY(give(any, id_of(mrn(i)), i));
      return {};
    }));
  }
  Result<void> give(Any& any, const std::string& id, int number) {
    const ChoiceChange by{.set_by = any.once_in(2) ? SetBy::Patient : SetBy::Staff, .actor = "Ruth", .basis = "asked"};
    if (any.once_in(3)) TRY(set_choice(*database_, id, any.purposes(), by, noon));
    for (int i = 0; i < consents_of_each; ++i) {
      const auto status = any.once_in(10)   ? ConsentStatus::Proposed
                          : any.once_in(10) ? ConsentStatus::EnteredInError
                                            : ConsentStatus::Active;
      const auto source = any.once_in(2) ? "urn:x|" + std::to_string(number) + "-" + std::to_string(i) : std::string();
      const auto given = TRY(give_consent(*database_, id,
                                          {.status = status, .root = any.provision(), .given_at = noon - day,
                                           .source = source},
                                          by, noon));
      if (any.once_in(6) && status == ConsentStatus::Active) TRY(revoke_consent(*database_, id, given.id, by, noon));
    }
    return {};
  }

  /// Every gate with what it found, of one request of one document.
  struct Request {
    policy::Admitted admitted;
    policy::Terms terms;
    policy::DocumentFacts document;
  };
  static Request request(Any& any) {
    const auto codes = policy::shipped_purpose_codes();
    const auto& code = codes[any.once_in(2) ? 0 : any.below(codes.size())];
    Request made{.admitted = admitted(any.one_of(homes), {code.code, code.system, {}}),
                 .terms = {.rules = {}, .now = any.instant()},
                 .document = {.unique_id = any.one_of(documents), .classes = {any.one_of(classes)}}};
    if (!any.once_in(3)) made.document.labels.push_back(any.label());
    const auto service = any.instant();
    made.document.service = {.from = service, .to = service};
    return made;
  }
  static std::string judged(const Request& request, const policy::ChoiceFacts& choice,
                            const std::shared_ptr<const policy::ConsentFacts>& consents) {
    const auto verdict = policy::judge(request.admitted, request.terms, "d",
                                       {.subject = "p", .choice = choice, .patient_ids = {}, .consents = consents,
                                        .document = &request.document});
    std::string text(code(verdict.reason()));
    for (const auto& finding : verdict.findings) text += " " + std::string(word(finding.gate)) + "=" +
                                                         std::string(code(finding.reason));
    for (const auto& obligation : verdict.obligations) text += obligation.evidence.empty() ? " -" : " notice";
    return text;
  }

  store::TemporaryDirectory elsewhere_directory_;
  std::unique_ptr<store::Database> elsewhere_;
  std::optional<policy::Clinic> elsewhere_clinic_;
};
ON_BOTH_DATABASES(ExportedConsents);

TEST_P(ExportedConsents, DecideElsewhereAsTheyDecideHere) {
  Any any;
  give_all(any);
  const auto exported = ok(export_consents(*database_, *clinic_, {}));
  EXPECT_EQ(exported.consents, std::size_t{gateway::patients::patients * consents_of_each});
  const auto later = noon + std::chrono::hours(1);
  const auto plan = ok(plan_consents(*elsewhere_, *elsewhere_clinic_, exported.bundle,
                                     {.change = {.actor = "Olga"}}, later));
  ASSERT_TRUE(plan.refused.empty()) << plan.refused.size() << " " << plan.refused[0].place << ": "
                                    << plan.refused[0].sentence;
  EXPECT_EQ(plan.count(RowDoes::GivesConsent), exported.consents);
  EXPECT_EQ(plan.count(RowDoes::SetsPurposes), exported.choices);
  ok(carry_out(*elsewhere_, plan, later));

  std::map<std::string, int> reasons;
  for (int i = 0; i < gateway::patients::patients; ++i) {
    const auto here = id_of(mrn(i)), there = ok(show_patient(*elsewhere_, *elsewhere_clinic_, mrn(i))).id;
    const auto choice = ok(choice_facts(*database_, here)), choice_there = ok(choice_facts(*elsewhere_, there));
    const auto consents = ok(consent_facts(*database_, here, Asker::Partner)),
               consents_there = ok(consent_facts(*elsewhere_, there, Asker::Partner));
    ASSERT_EQ(choice.choice.has_value(), choice_there.choice.has_value());
    for (int asked = 0; asked < requests_of_each; ++asked) {
      const auto one = request(any);
      const auto verdict = judged(one, choice, consents);
      ASSERT_EQ(verdict, judged(one, choice_there, consents_there)) << mrn(i);
      ++reasons[verdict.substr(0, verdict.find(' '))];
    }
  }
  for (const char* reason : {"permitted", "clinic-purpose", "patient-purpose", "organization-denied",
                             "class-not-shared", "sensitive-no-consent"})
    EXPECT_GT(reasons[reason], 20) << reason << ": too few to tell";

  // And back again: here and there each is known by what it was exported as.
  const auto back = ok(export_consents(*elsewhere_, *elsewhere_clinic_, {}));
  for (auto* database : {database_.get(), elsewhere_.get()}) {
    const auto& clinic = database == elsewhere_.get() ? *elsewhere_clinic_ : *clinic_;
    for (const auto& bundle : {exported.bundle, back.bundle}) {
      const auto again = ok(plan_consents(*database, clinic, bundle, {.change = {.actor = "Olga"}}, later + day));
      ASSERT_TRUE(again.refused.empty()) << again.refused[0].place << ": " << again.refused[0].sentence;
      EXPECT_TRUE(again.touched.empty());
      EXPECT_EQ(again.count(RowDoes::Nothing), exported.consents + exported.choices);
    }
  }
}

// ---------------------------------------------------------------- the decision corpus

/// The consents and the choice of a case as lines of FHIR.
std::string written(const policy::Case& one) {
  const resources::ConsentParties parties{.patient_id = "p", .patient_identifier = {"urn:oid:2.999.1.1", "A"},
                                          .organization = *base::Oid::parse("2.999.1"),
                                          .organization_name = "Riverbend", .performer = {}};
  std::string lines;
  if (one.choice.choice) lines += resources::write_choice(*one.choice.choice, noon, parties) + "\n";
  for (const auto& consent : one.consents.consents)
    lines += resources::write_consent(consent, noon, parties, resources::consents_policy) + "\n";
  return lines;
}

TEST(TheDecisionCorpus, ComesOutAlikeWhereConsentsAndChoicesWentThroughAFile) {
  const auto calendar = ok(resources::Calendar::of("Asia/Kolkata"));  // no zone of the cases
  std::size_t consents = 0, choices = 0, never_saved = 0;
  for (const auto& one : ok(policy::shipped_cases())) {
    auto read = one;
    read.consents.consents.clear();
    if (read.choice.choice) read.choice.choice->purposes = PurposeSet::all();
    std::size_t at = 0;
    const auto file = written(one);
    const bool could_be_saved = std::ranges::all_of(
        one.consents.consents, [](const policy::Consent& consent) { return bool(check_readable(consent.root)); });
    if (file.empty() || !could_be_saved) {
      never_saved += could_be_saved ? 0 : 1;
      continue;
    }
    ok(read_rows(file, {.calendar = calendar, .change = {.actor = "Olga"}, .now = noon},
                 [&](const std::string& place, const Result<FileRow>& row) -> Result<void> {
                   EXPECT_TRUE(row) << one.name << " " << place << ": " << (row ? "" : why_not(row.error()));
                   if (!row) return {};
                   if (row->kind == RowKind::Choice) {
                     read.choice.choice->purposes = row->purposes;
                     ++choices;
                     return {};
                   }
                   const auto& was = one.consents.consents.at(at++);
                   EXPECT_EQ(row->source, "urn:gatehouse:consent|" + was.id);
                   read.consents.consents.push_back(
                       {.id = was.id, .version = was.version, .status = row->status, .root = row->root});
                   ++consents;
                   return {};
                 }));
    const auto outcome = policy::judge_case(read);
    EXPECT_TRUE(outcome.as_expected) << one.place << ": " << one.name << ": " << code(outcome.reason);
  }
  EXPECT_GT(consents, 200u);
  EXPECT_GT(choices, 20u);
  EXPECT_EQ(never_saved, 2u) << "periods that hold no instant";
}

}  // namespace
}  // namespace gateway::patients
