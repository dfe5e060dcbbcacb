#include "policy/cases.hpp"

#include "policy/case_words.hpp"
#include "policy/random_cases.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace policy {
namespace {

std::vector<Case> corpus() { return shipped_cases().value(); }

std::string expected_of(const Case& one) {
  return std::string(code(one.expected)) + " " + joined(one.notices);
}
std::string found_in(const Outcome& outcome) {
  return std::string(code(outcome.reason)) + " " + joined(outcome.notices);
}

TEST(Cases, AllComeOutAsAPrivacyOfficerExpects) {
  const auto cases = corpus();
  EXPECT_GE(cases.size(), 200u);
  for (const Case& one : cases) {
    const Outcome outcome = judge_case(one);
    const std::string reason = outcome.permits ? "" : std::string(code(outcome.reason));
    std::printf("%-6s %-25s %s\n", outcome.permits ? "permit" : "deny", reason.c_str(), one.name.c_str());
    EXPECT_TRUE(outcome.as_expected) << one.place << ": " << one.name << "\n  expected " << expected_of(one)
                                     << "\n  found    " << found_in(outcome);
    EXPECT_EQ(outcome.permits, one.expected == Reason::Permitted) << one.name;
  }
  std::printf("%zu cases\n", cases.size());
}

TEST(Cases, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const Case& one : corpus()) EXPECT_TRUE(names.insert(one.name).second) << one.name;
}

/// Whether two cases differ in one line: one that is different, or one that only one of them has.
bool differ_in_one_line(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  if (a.size() > b.size()) return differ_in_one_line(b, a);
  const auto [left, right] = std::mismatch(a.begin(), a.end(), b.begin());
  if (right == b.end()) return false;
  if (a.size() == b.size()) return std::equal(left + 1, a.end(), right + 1);
  return a.size() + 1 == b.size() && std::equal(left, a.end(), right + 1);
}

TEST(Cases, DifferFromTheirTwinsInOneLineAndInTheVerdict) {
  EXPECT_TRUE(differ_in_one_line({"a", "b"}, {"a", "c"}));
  EXPECT_TRUE(differ_in_one_line({"a", "b"}, {"b"}));
  EXPECT_FALSE(differ_in_one_line({"a", "b"}, {"a", "b"}));
  EXPECT_FALSE(differ_in_one_line({"a", "b"}, {"c", "d"}));
  EXPECT_FALSE(differ_in_one_line({"a", "b", "c"}, {"d"}));
  const auto cases = corpus();
  for (const Case& one : cases) {
    if (one.twin_of.empty()) continue;
    const auto twin = std::ranges::find(cases, one.twin_of, &Case::name);
    ASSERT_NE(twin, cases.end()) << one.name << " is the twin of nothing: " << one.twin_of;
    EXPECT_TRUE(differ_in_one_line(one.facts, twin->facts)) << one.name;
    EXPECT_NE(one.expected == Reason::Permitted, twin->expected == Reason::Permitted) << one.name;
  }
}

TEST(Cases, GiveEveryReasonADenialAndAPermittedTwin) {
  std::set<Reason> denied, with_twin;
  for (const Case& one : corpus()) {
    denied.insert(one.expected);
    if (!one.twin_of.empty()) with_twin.insert(one.expected);
  }
  for (int reason = int(Reason::Permitted) + 1; reason <= int(Reason::PolicyError); ++reason) {
    EXPECT_TRUE(denied.contains(static_cast<Reason>(reason))) << code(static_cast<Reason>(reason));
    EXPECT_TRUE(with_twin.contains(static_cast<Reason>(reason))) << code(static_cast<Reason>(reason));
  }
}

// --- the same cases with other names, codes and dates

using Words = std::map<std::string, std::string, std::less<>>;

/// Names and codes for others of the same meaning, each for one of its own.
class Permutation {
 public:
  explicit Permutation(random::Draw& draw) : shift_(draw.below(20'000'000) * 1'000'003) {
    exchange(draw, {"Riverside", "Network", "Elsewhere", "Lakeside", "Hilltop", "Hospital", "Laboratory", "Mill", "Quay"});
    exchange(draw, {"ruth", "otto", "ida"});
    exchange(draw, {"D1", "D2", "2.25.999.1", "urn:uuid:7"});
    exchange(draw, {"34133-9", "18842-5", "11506-3", "11488-4", "57133-1"});
    exchange(draw, {"42CFRPart2", "SUD", "ETH", "ETHUD", "OPIOIDUD"});
    exchange(draw, {"PSYTHPN", "HIPAAPsyNotes", "Title38Section7332"});
    exchange(draw, {"HIV", "STD", "PSY", "SDV", "SEX", "VIO", "MH"});
    exchange(draw, {"NORDSCLCD", "ENCRYPT", "NOREUSE", "AUDIT"});
    exchange(draw, {"N", "U", "L", "M"});
    exchange(draw, {"2.25.7", "2.25.8", "2.25.9"});
    exchange(draw, {"X", "Y", "Z", "R2"});
    exchange(draw, {"TREATMENT of nhin", "TREAT of act-reason", "T-TRTMNT of tefca"});
    exchange(draw, {"PAYMENT of nhin", "HPAYMT of act-reason", "T-PYMNT of tefca"});
    exchange(draw, {"COVERAGE of nhin", "COVERAGE of act-reason", "T-GOVDTRM of tefca"});
  }

  /// The case of these lines, with what a case leaves unsaid said first.
  std::string text(const Case& one) const {
    std::vector<std::string> lines = one.facts;
    const auto say = [&](const std::string& key, const std::string& value) {
      const auto says = [&](const std::string& line) { return line.starts_with(key + ": "); };
      if (std::ranges::none_of(lines, says)) lines.insert(lines.begin(), key + ": " + value);
    };
    if (!one.hie_send) {
      for (const char* key : {"connection certificate", "message signed by", "token signed by"}) say(key, "Network");
      say("home", "Riverside, of Network");
      say("now", "2026-06-15T12:00:00-04:00");
    }
    std::string text = "case: " + one.name + "\n";
    for (const auto& line : lines) text += permuted(line) + "\n";
    text += "expect: " + (one.expected == Reason::Permitted ? "permit" : "deny " + std::string(code(one.expected)));
    std::string notices;
    for (const auto& notice : one.notices) notices += (notices.empty() ? "\nnotice: " : ", ") + notice;
    return text + notices + "\n";
  }

 private:
  void exchange(random::Draw& draw, std::vector<std::string> words) {
    auto others = words;
    draw.shuffle(others);
    for (std::size_t at = 0; at < words.size(); ++at) words_[words[at]] = others[at];
  }
  std::string permuted(const std::string& line) const {
    const auto colon = line.find(": ") + 2;
    std::string text = line.substr(0, colon), word;
    if (line.starts_with("token says: ")) {
      const auto codes = list_of(line.substr(colon)).value();
      for (const auto& code : codes) text += (&code == &codes.front() ? "" : ", ") + exchanged(code);
      return text;
    }
    for (const char c : line.substr(colon) + " ") {
      if (c != ' ' && c != ',' && c != '/' && c != '|') {
        word += c;
        continue;
      }
      text += exchanged(word) + c;
      word.clear();
    }
    return text;
  }
  std::string exchanged(const std::string& word) const {
    if (word.size() > 18 && word[10] == 'T') {
      const auto later = base::read_date_time(word).value() + std::chrono::microseconds(shift_);
      std::string text = base::write_date_time(later);  // milliseconds
      const auto micros = std::to_string(1000 + base::to_micros(later) % 1000);
      return text.insert(text.size() - 1, micros.substr(1));
    }
    const auto found = words_.find(word);
    return found == words_.end() ? word : found->second;
  }
  Words words_;
  std::size_t shift_;  ///< microseconds, up to 231 days
};

/// The same consents to the HIE, so much later.
HieFacts later(HieFacts facts, std::chrono::microseconds by) {
  for (HieConsent& row : facts.history) {
    row.given_on += by;
    if (row.expires_on) *row.expires_on += by;
  }
  return facts;
}

TEST(Cases, OfSendsToTheHieComeWithAllTheirDatesShiftedAlike) {
  random::Draw draw(random::seed(20261203));
  std::size_t sends = 0, moved = 0;
  for (const Case& one : corpus()) {
    if (!one.hie_send) continue;
    const auto permuted = read_cases(Permutation(draw).text(one), "permuted").value();
    ASSERT_TRUE(permuted.at(0).hie_send) << one.name;
    const auto by = *permuted[0].hie_send - *one.hie_send;
    EXPECT_EQ(permuted[0].hie, later(one.hie, by)) << one.name;
    ++sends;
    moved += by > std::chrono::hours(1);
  }
  EXPECT_GE(sends, 25u);
  EXPECT_GE(moved, sends / 2);
}

TEST(Cases, ComeOutAlikeWithOtherNamesCodesAndDates) {
  const auto seed = random::seed(20261202);
  std::printf("seed %llu (GATEHOUSE_SEED), 200 permutations\n", static_cast<unsigned long long>(seed));
  random::Draw draw(seed);
  const auto cases = corpus();
  for (int number = 0; number < 200; ++number) {
    const Permutation permutation(draw);
    std::string text;
    for (const Case& one : cases) text += permutation.text(one);
    const auto permuted = read_cases(text, "permuted");
    ASSERT_TRUE(permuted) << permuted.error().detail;
    ASSERT_EQ(permuted->size(), cases.size());
    for (std::size_t at = 0; at < cases.size(); ++at) {
      ASSERT_TRUE(judge_case((*permuted)[at]).as_expected)
          << "permutation " << number << ", found " << found_in(judge_case((*permuted)[at])) << "\n"
          << permutation.text(cases[at]);
    }
  }
}

// --- the reader

std::string refusal(const std::string& text) {
  const auto read = read_cases(text, "f.txt");
  return read ? "read" : read.error().detail;
}
std::string refusal_of_line(const std::string& line) { return refusal("case: c\n" + line + "\nexpect: permit\n"); }

TEST(CaseReader, ReadsEveryKindOfLine) {
  const auto read = read_cases("# a comment\n"
                               "\n"
                               "case: everything said   # and a comment\n"
                               "twin of: another\n"
                               "now: 2026-06-15T12:00:00Z\n"
                               "supported: treatment, payment\n"
                               "connection certificate: A\n"
                               "message signed by: B\n"
                               "token signed by: nobody\n"
                               "home: R, of N, inactive, answered for here, lets A ask, lets B ask\n"
                               "sender: S, not listed\n"
                               "principal: P\n"
                               "equal sender: demanded\n"
                               "staff: ruth\n"
                               "ask: treatment, other-authorization\n"
                               "token patient: H/A/1\n"
                               "authorization: A-17\n"
                               "clinic defaults: none\n"
                               "clinic refuses: A, B\n"
                               "clinic shares: 1-1, 2-2 of our-list for payment, coverage\n"
                               "clinic shares: nothing for treatment\n"
                               "clinic gates: HIV, STD\n"
                               "clinic knows: 2.25.7|X, 2.25.7|Y\n"
                               "emergencies: open Part 2\n"
                               "unreadable: the choice\n"
                               "unreadable: the clinic's rules\n"
                               "unreadable: a consent\n"
                               "unreadable: the document's labels\n"
                               "patient chose: payment\n"
                               "patient ids: H/A, L/B\n"
                               "document: D7\n"
                               "document codes: 1-1, 2-2 of our-list\n"
                               "document labels: V, 2.25.7|X\n"
                               "document service: 2026-01-01T00:00:00Z to 2026-01-02T00:00:00Z\n"
                               "consent: C1 revoked permits labels V, HIV codes 1-1 documents D7, D8 to R, health-plans for "
                               "treatment from 2026-01-01T00:00:00Z until 2026-01-02T00:00:00Z data-from "
                               "2026-01-03T00:00:00Z data-until 2026-01-04T00:00:00Z unclear\n"
                               "except: denies everything\n"
                               "except: permits for none\n"
                               "except there: denies for all\n"
                               "consent: C2 denies everything\n"
                               "break-glass: G1 by ruth from 2026-01-01T00:00:00Z until 2026-01-02T00:00:00Z\n"
                               "expect: deny class-not-shared\n"
                               "notice: consent C1 version 1, break-glass G1\n",
                               "f.txt");
  ASSERT_TRUE(read) << read.error().detail;
  ASSERT_EQ(read->size(), 1u);
  const Case& one = read->front();
  const auto at = [](const char* text) { return base::read_date_time(text).value(); };
  EXPECT_EQ(one.name, "everything said");
  EXPECT_EQ(one.twin_of, "another");
  EXPECT_EQ(one.place, "f.txt line 3");
  EXPECT_EQ(one.facts.size(), 36u);
  EXPECT_EQ(one.facts.front(), "now: 2026-06-15T12:00:00Z");
  EXPECT_EQ(one.terms.now, at("2026-06-15T12:00:00Z"));
  EXPECT_EQ(one.rules.supported, (PurposeSet{Purpose::Treatment, Purpose::Payment}));
  EXPECT_EQ(one.rules.purpose_codes.size(), shipped_purpose_codes().size() + 1);
  const auto oid = [](const char* name) { return organization_of(name).value(); };
  const Caller& caller = one.caller;
  EXPECT_EQ(caller.tls_implementer, "2.999.65");
  EXPECT_EQ(caller.signer_implementer, "2.999.66");
  EXPECT_EQ(caller.assertion_implementer, std::nullopt);
  EXPECT_EQ(caller.home.named, "urn:oid:2.999.82");
  EXPECT_TRUE(caller.home.is_ours);
  EXPECT_EQ(caller.home.entry,
            (Organization{.home = oid("R"), .name = "R", .active = false, .implementer = "2.999.78",
                          .delegates = {oid("A"), oid("B")}, .version = "1"}));
  EXPECT_EQ(caller.sender->named, "urn:oid:2.999.83");
  EXPECT_EQ(caller.sender->entry, std::nullopt);
  EXPECT_FALSE(caller.sender->is_ours);
  EXPECT_EQ(caller.grantor->entry, (Organization{.home = oid("P"), .name = "P", .active = true,
                                                 .implementer = oid("Network").dotted(), .version = "1"}));
  EXPECT_TRUE(caller.demand_equal_sender);
  EXPECT_EQ(caller.own_staff, "ruth");
  EXPECT_EQ(caller.purposes, (std::vector<Code>{{"TREATMENT", "2.16.840.1.113883.3.18.7.1", ""},
                                                {"OTHER", "2.999.1", ""}}));
  EXPECT_EQ(caller.patient, (base::Identifier{"2.999.72", "A/1"}));
  EXPECT_EQ(caller.authorization_reference, "A-17");
  const ClinicRules& rules = one.terms.rules;
  EXPECT_EQ(one.choice.clinic_defaults, PurposeSet{});
  EXPECT_EQ(rules.refused, (std::set<HomeCommunityId>{oid("A"), oid("B")}));
  const std::vector<Code> shared{{"1-1", "2.16.840.1.113883.6.1", ""}, {"2-2", "2.999.1", ""}};
  EXPECT_EQ(rules.shared, (std::map<Purpose, std::vector<Code>>{
                              {Purpose::Payment, shared}, {Purpose::Coverage, shared}, {Purpose::Treatment, {}}}));
  EXPECT_EQ(rules.labels.gated, (std::set<Label>{*label_from_word("HIV"), *label_from_word("STD")}));
  EXPECT_EQ(rules.labels.known, (std::set<Label>{{"2.25.7", "X"}, {"2.25.7", "Y"}}));
  EXPECT_TRUE(rules.part2_emergencies);
  EXPECT_FALSE(rules.readable || one.choice.readable || one.consents.readable || one.document->readable);
  EXPECT_EQ(one.choice.choice->purposes, PurposeSet{Purpose::Payment});
  EXPECT_EQ(one.choice.choice->id, "choice");
  EXPECT_EQ(one.choice.choice->set_by, "patient");
  EXPECT_EQ(one.patient_ids, (std::vector<base::Identifier>{{"2.999.72", "A"}, {"2.999.76", "B"}}));
  EXPECT_EQ(one.document->unique_id, "D7");
  EXPECT_EQ(one.document->classes, shared);
  EXPECT_EQ(one.document->labels, (std::vector<Label>{*label_from_word("V"), {"2.25.7", "X"}}));
  const Instant first = at("2026-01-01T00:00:00Z"), second = at("2026-01-02T00:00:00Z");
  EXPECT_EQ(one.document->service, (Period{first, second}));
  Provision root{.permits = true, .period = {first, second}};
  root.recipients.emplace_back(oid("R"));
  root.recipients.emplace_back(RecipientClass::HealthPlans);
  root.purposes = PurposeSet{Purpose::Treatment};
  root.labels = {*label_from_word("V"), *label_from_word("HIV")};
  root.classes = {shared[0]};
  root.documents = {"D7", "D8"};
  root.data = {at("2026-01-03T00:00:00Z"), at("2026-01-04T00:00:00Z")};
  root.understood = false;
  root.exceptions = {{.permits = false}, {.permits = true, .purposes = PurposeSet{}}};
  root.exceptions[1].exceptions = {{.permits = false, .purposes = PurposeSet::all()}};
  EXPECT_EQ(one.consents.consents,
            (std::vector<Consent>{{.id = "C1", .status = ConsentStatus::Revoked, .root = root},
                                  {.id = "C2", .status = ConsentStatus::Active, .root = {.permits = false}}}));
  EXPECT_EQ(one.consents.grants, (std::vector<BreakGlass>{{"G1", "ruth", {first, second}}}));
  EXPECT_EQ(one.expected, Reason::ClassNotShared);
  EXPECT_THAT(one.notices, testing::ElementsAre("consent C1 version 1", "break-glass G1"));
}

TEST(CaseReader, FillsInAnHonestCallerThatAsksForTreatment) {
  const auto one = read_cases("case: c\nexpect: permit", "f.txt").value().front();
  EXPECT_EQ(one.terms.now, base::read_date_time("2026-06-15T16:00:00Z").value());
  const auto network = organization_of("Network").value().dotted();
  EXPECT_EQ(one.caller.tls_implementer, network);
  EXPECT_EQ(one.caller.signer_implementer, network);
  EXPECT_EQ(one.caller.assertion_implementer, network);
  EXPECT_EQ(one.caller.home.entry->home, organization_of("Riverside").value());
  EXPECT_EQ(one.caller.home.entry->implementer, network);
  EXPECT_FALSE(one.caller.home.is_ours);
  EXPECT_EQ(one.caller.purposes.size(), 1u);
  EXPECT_EQ(one.choice.clinic_defaults, PurposeSet{Purpose::Treatment});
  EXPECT_EQ(one.choice.choice, std::nullopt);
  EXPECT_EQ(one.document, std::nullopt);
  EXPECT_TRUE(one.facts.empty() && one.notices.empty() && one.twin_of.empty());
}

TEST(CaseReader, ReadsSeveralCasesAndStatusesAndUnknownTimes) {
  const auto read = read_cases("case: a\r\ntoken says: no purpose\r\ndocument service: unknown to 2026-01-01T00:00:00Z\r\n"
                               "expect: deny purpose-missing\r\n\r\ncase: b\n  home:   R,of\tN \n"
                               "document service: 2026-01-01T00:00:00Z to unknown\n"
                               "consent: C1 active denies everything\nconsent: C2 proposed denies everything\n"
                               "consent: C3 entered-in-error denies everything\n"
                               "except: denies to treating-providers\nexpect: permit", "f.txt").value();
  ASSERT_EQ(read.size(), 2u);
  EXPECT_TRUE(read[0].caller.purposes.empty());
  EXPECT_EQ(read[0].place, "f.txt line 1");
  EXPECT_EQ(read[1].place, "f.txt line 6");
  EXPECT_EQ(read[0].document->service, (Period{{}, base::read_date_time("2026-01-01T00:00:00Z").value()}));
  EXPECT_EQ(read[1].document->service, (Period{base::read_date_time("2026-01-01T00:00:00Z").value(), {}}));
  EXPECT_EQ(read[1].document->unique_id, "D1");
  EXPECT_EQ(read[1].facts[0], "home: R,of N");
  EXPECT_EQ(read[1].consents.consents[0].status, ConsentStatus::Active);
  EXPECT_EQ(read[1].consents.consents[1].status, ConsentStatus::Proposed);
  EXPECT_EQ(read[1].consents.consents[2].status, ConsentStatus::EnteredInError);
  const auto& recipients = read[1].consents.consents[2].root.exceptions[0].recipients;
  ASSERT_EQ(recipients.size(), 1u);
  EXPECT_EQ(std::get<RecipientClass>(recipients[0].who), RecipientClass::TreatingProviders);
  const auto unknown = read_cases("case: c\ndocument service: unknown to unknown\nexpect: permit", "f.txt").value();
  EXPECT_TRUE(unknown.front().document);
  EXPECT_TRUE(read_cases("", "f.txt").value().empty());
  EXPECT_TRUE(read_cases("# nothing\n\n", "f.txt").value().empty());
}

TEST(CaseReader, SaysWhichLineItDoesNotUnderstandAndWhy) {
  const std::pair<std::string, std::string> refused[] = {
      {"now: 2026-06-15", "'2026-06-15' is no time like 2026-11-01T00:00:00-04:00"},
      {"now: 2026-06-15T12:00:00", "'2026-06-15T12:00:00' is no time like 2026-11-01T00:00:00-04:00"},
      {"supported: healing", "purposes are all, none or a list like treatment, payment; not healing"},
      {"clinic defaults: treatment payment", "purposes are all, none or a list like treatment, payment; not treatment payment"},
      {"ask: emergency", "purposes are all, none or a list like treatment, payment; not emergency"},
      {"patient chose: treatment,", "purposes are all, none or a list like treatment, payment; not treatment,"},
      {"connection certificate: N1", "N1 is no name: letters only"},
      {"message signed by: Net work", "Net work is no name: letters only"},
      {"token signed by: Abcdefghijklmnopqrs", "'Abcdefghijklmnopqrs' is no name: 1 to 14 letters"},
      {"home: R, retired", "an organization is not 'retired'"},
      {"home: R, of", "an organization is not 'of'"},
      {"home: R, from N", "an organization is not 'from N'"},
      {"home: R, of N1", "N1 is no name: letters only"},
      {"home: R, lets A", "an organization is not 'lets A'"},
      {"home: R, lets A go", "an organization is not 'lets A go'"},
      {"home: R, makes A ask", "an organization is not 'makes A ask'"},
      {"home: R, lets A1 ask", "A1 is no name: letters only"},
      {"home: R,", "something is missing beside a comma or at the end"},
      {"sender: R1", "R1 is no name: letters only"},
      {"principal: , R", "something is missing beside a comma or at the end"},
      {"equal sender: wanted", "equal sender is demanded or not said"},
      {"token says: TREATMENT of nobody", "no code system is called nobody"},
      {"token says: TREATMENT in nhin", "a code is 'CODE' or 'CODE of SYSTEM', not TREATMENT in nhin"},
      {"token says: TREATMENT of", "a code is 'CODE' or 'CODE of SYSTEM', not TREATMENT of"},
      {"token says: A of nhin,", "something is missing beside a comma or at the end"},
      {"token patient: A", "an id is AUTHORITY/ID, not A"},
      {"patient ids: H/A, 1/B", "1 is no name: letters only"},
      {"patient ids: /B", "'' is no name: 1 to 14 letters"},
      {"clinic refuses: A B", "A B is no name: letters only"},
      {"clinic shares: 1-1", "the clinic shares 'CODE, CODE for PURPOSE' or 'nothing for PURPOSE'"},
      {"clinic shares: 1-1 for healing", "purposes are all, none or a list like treatment, payment; not healing"},
      {"clinic shares: 1-1, for treatment", "something is missing beside a comma or at the end"},
      {"clinic gates: SECRET", "no label is called SECRET"},
      {"clinic knows: HIV SECRET", "no label is called HIV SECRET"},
      {"document labels: |X", "no label is called |X"},
      {"emergencies: open all", "emergencies open Part 2 or are not said"},
      {"unreadable: the weather", "unreadable is the choice, the clinic's rules, a consent or the document's labels"},
      {"document codes: a b c d", "a code is 'CODE' or 'CODE of SYSTEM', not a b c d"},
      {"document service: 2026-01-01T00:00:00Z", "a service lasts 'TIME to TIME'"},
      {"document service: 2026-01-01T00:00:00Z until 2026-01-01T00:00:00Z", "a service lasts 'TIME to TIME'"},
      {"document service: then to unknown", "'then' is no time like 2026-11-01T00:00:00-04:00"},
      {"document service: unknown to now", "'now' is no time like 2026-11-01T00:00:00-04:00"},
      {"consent: C1", "a consent is 'NAME STATEMENT' or 'NAME STATUS STATEMENT'"},
      {"consent: C1 allows everything", "a statement begins with permits or denies"},
      {"consent: C1 revoked", "a statement begins with permits or denies"},
      {"consent: C1 permits", "a statement says what it is about, or everything"},
      {"consent: C1 permits all", "a statement does not go on with all"},
      {"consent: C1 permits everything twice", "'everything' stands alone, not before twice"},
      {"consent: C1 permits unclear indeed", "'unclear' stands alone, not before indeed"},
      {"consent: C1 permits to A to B", "'to' is said twice"},
      {"consent: C1 permits to A, B1", "B1 is no name: letters only"},
      {"consent: C1 permits to", "something is missing beside a comma or at the end"},
      {"consent: C1 permits labels SECRET", "no label is called SECRET"},
      {"consent: C1 permits codes a b", "a code is 'CODE' or 'CODE of SYSTEM', not a b"},
      {"consent: C1 permits documents D1,", "something is missing beside a comma or at the end"},
      {"consent: C1 permits for fun", "purposes are all, none or a list like treatment, payment; not fun"},
      {"consent: C1 permits from today", "'today' is no time like 2026-11-01T00:00:00-04:00"},
      {"consent: C1 permits until today", "'today' is no time like 2026-11-01T00:00:00-04:00"},
      {"consent: C1 permits data-from today", "'today' is no time like 2026-11-01T00:00:00-04:00"},
      {"consent: C1 permits data-until today", "'today' is no time like 2026-11-01T00:00:00-04:00"},
      {"except: permits everything", "there is no consent above this exception"},
      {"except there: permits everything", "there is no exception above this exception to it"},
      {"break-glass: G1 by ruth", "a broken glass is 'NAME by USER from TIME until TIME'"},
      {"break-glass: G1 of ruth from 2026-01-01T00:00:00Z until 2026-01-01T00:00:00Z",
       "a broken glass is 'NAME by USER from TIME until TIME'"},
      {"break-glass: G1 by ruth at 2026-01-01T00:00:00Z until 2026-01-01T00:00:00Z",
       "a broken glass is 'NAME by USER from TIME until TIME'"},
      {"break-glass: G1 by ruth from 2026-01-01T00:00:00Z to 2026-01-01T00:00:00Z",
       "a broken glass is 'NAME by USER from TIME until TIME'"},
      {"break-glass: G1 by ruth from then until 2026-01-01T00:00:00Z",
       "'then' is no time like 2026-11-01T00:00:00-04:00"},
      {"break-glass: G1 by ruth from 2026-01-01T00:00:00Z until then",
       "'then' is no time like 2026-11-01T00:00:00-04:00"},
      {"notice: ,", "something is missing beside a comma or at the end"},
      {"weather: fine", "no line begins with 'weather:'"},
      {"permit", "a line is 'WORDS: VALUE'"},
      {"permit:", "a line is 'WORDS: VALUE'"},
  };
  for (const auto& [line, why] : refused) EXPECT_EQ(refusal_of_line(line), "f.txt line 2: " + why) << line;
}

TEST(CaseReader, ReadsSendsToTheHie) {
  const auto read = read_cases("case: sent\n"
                               "hie consent: given 2026-01-01T00:00:00Z, expires 2026-01-02T00:00:00Z, by patient\n"
                               "hie consent: revoked 2026-01-03T00:00:00Z\n"
                               "hie consent: given 2026-01-04T00:00:00Z, entered before, by default\n"
                               "hie consent: given 2026-01-05T00:00:00Z\n"
                               "hie consents: unreadable\n"
                               "send to the HIE at: 2026-01-06T00:00:00Z\n"
                               "expect: deny policy-error\n"
                               "case: asked\nexpect: permit\n", "f.txt").value();
  ASSERT_EQ(read.size(), 2u);
  const auto day = [](const std::string& number) {
    return base::read_date_time("2026-01-0" + number + "T00:00:00Z").value();
  };
  EXPECT_EQ(read[0].hie.history,
            (std::vector<HieConsent>{
                {.id = "H1", .given_on = day("1"), .expires_on = day("2"), .basis = HieBasis::Patient},
                {.id = "H2", .kind = HieKind::Revoked, .given_on = day("3")},
                {.id = "H3", .given_on = day("4"), .basis = HieBasis::Default, .counts = false},
                {.id = "H4", .given_on = day("5"), .basis = HieBasis::Staff}}));
  EXPECT_FALSE(read[0].hie.readable);
  EXPECT_EQ(read[0].hie_send, day("6"));
  EXPECT_EQ(read[0].facts.size(), 6u);
  EXPECT_EQ(read[1].hie, HieFacts{});
  EXPECT_EQ(read[1].hie_send, std::nullopt);
}

TEST(CaseReader, SaysWhatItDoesNotUnderstandOfASendToTheHie) {
  const std::string on = "2026-01-01T00:00:00Z", send = "send to the HIE at: " + on, given = "hie consent: given " + on;
  const std::pair<std::string, std::string> refused[] = {
      {"hie consent: " + on, "a consent to the HIE is 'given TIME' or 'revoked TIME'"},
      {"hie consent: given", "a consent to the HIE is 'given TIME' or 'revoked TIME'"},
      {"hie consent: given on " + on, "a consent to the HIE is 'given TIME' or 'revoked TIME'"},
      {"hie consent: given today", "'today' is no time like 2026-11-01T00:00:00-04:00"},
      {"hie consent: revoked " + on + ", expires " + on, "'revoked TIME' stands alone"},
      {given + ",", "something is missing beside a comma or at the end"},
      {given + ", expires never", "'never' is no time like 2026-11-01T00:00:00-04:00"},
      {given + ", expires", "a consent to the HIE does not go on with expires"},
      {given + ", by nobody", "a consent to the HIE does not go on with by nobody"},
      {given + ", entered", "a consent to the HIE does not go on with entered"},
      {given + ", by staff, by patient", "'by' is said twice"},
      {given + ", entered before", "'entered before' is said of a consent 'by default'"},
      {given + ", by staff, entered before", "'entered before' is said of a consent 'by default'"},
      {"hie consents: none", "consents to the HIE are unreadable or not said to be anything"},
      {"send to the HIE at: once", "'once' is no time like 2026-11-01T00:00:00-04:00"},
  };
  for (const auto& [line, why] : refused) EXPECT_EQ(refusal_of_line(line), "f.txt line 2: " + why) << line;
  EXPECT_EQ(refusal_of_line(send), "read");
  EXPECT_EQ(refusal_of_line(given + "\n" + given + "\n" + send), "read") << "a history has many";
  EXPECT_EQ(refusal_of_line(send + "\n" + send), "f.txt line 3: 'send to the HIE at:' stands twice");
  EXPECT_EQ(refusal_of_line(given), "f.txt: the case 'c' sends nothing to the HIE");
  EXPECT_EQ(refusal_of_line("hie consents: unreadable"), "f.txt: the case 'c' sends nothing to the HIE");
  const std::string mixed = "f.txt: the case 'c' is a send to the HIE and has lines of a query";
  EXPECT_EQ(refusal_of_line("ask: treatment\n" + send), mixed);
  EXPECT_EQ(refusal_of_line(send + "\npatient chose: none"), mixed);
  EXPECT_EQ(refusal("case: a\nask: treatment\nexpect: permit\ncase: b\n" + send + "\nexpect: deny hie-none\n"), "read")
      << "each case for itself";
}

TEST(CaseReader, SaysWhatIsMissingOrTooMuch) {
  EXPECT_EQ(refusal("ask: treatment\n"), "f.txt line 1: the first line of a case is 'case: NAME'");
  EXPECT_EQ(refusal("case: a\n"), "f.txt: the case 'a' expects nothing");
  EXPECT_EQ(refusal("case: a\n\ncase: b\nexpect: permit\n"), "f.txt line 3: the case 'a' expects nothing");
  EXPECT_EQ(refusal("case: a\nexpect: maybe\n"),
            "f.txt line 2: what is expected is 'permit' or 'deny REASON', not maybe");
  EXPECT_EQ(refusal("case: a\nexpect: deny permitted\n"),
            "f.txt line 2: what is expected is 'permit' or 'deny REASON', not deny permitted");
  EXPECT_EQ(refusal("case: a\nexpect: permit\nexpect: permit\n"), "f.txt line 3: 'expect:' stands twice");
  EXPECT_EQ(refusal("case: a\nconsent: C1 denies everything\nexcept there: denies everything\n"),
            "f.txt line 3: there is no exception above this exception to it");
  EXPECT_EQ(refusal("case: a\nconsent: C1 denies everything\nexcept: denies\n"),
            "f.txt line 3: a statement says what it is about, or everything");
  EXPECT_EQ(refusal("case: a\nconsent: C1 denies everything\nexcept: denies everything\nexcept there: says\n"),
            "f.txt line 4: a statement begins with permits or denies");
  const auto error = read_cases("?", "f.txt").error();
  EXPECT_EQ(error.code, CaseErrc::NotUnderstood);
  EXPECT_EQ(error.code.message(), "a case of the corpus is not understood");
  EXPECT_EQ(base::cause_of(error), base::Cause::Defect);
}

TEST(CaseReader, TakesEveryLineOnceButThoseThatMayStandOften) {
  const std::pair<std::string, bool> lines[] = {
      {"now: 2026-06-15T12:00:00Z", false}, {"home: R", false},          {"ask: treatment", false},
      {"staff: ruth", false},               {"document labels: V", false}, {"patient chose: all", false},
      {"notice: x", false},                 {"twin of: x", false},       {"clinic shares: nothing for payment", true},
      {"unreadable: a consent", true},      {"consent: C1 denies everything", true},
      {"break-glass: G1 by ruth from 2026-01-01T00:00:00Z until 2026-01-01T00:00:00Z", true},
  };
  for (const auto& [line, often] : lines) {
    const auto twice = "f.txt line 3: '" + line.substr(0, line.find(':')) + ":' stands twice";
    EXPECT_EQ(refusal_of_line(line + "\n" + line), often ? "read" : twice) << line;
    EXPECT_EQ(refusal_of_line(line), "read") << line;
  }
}

TEST(CaseReader, NoticesAnOutcomeThatIsNotAsExpected) {
  const auto outcome = [](const std::string& lines) {
    return judge_case(read_cases("case: c\n" + lines, "f.txt").value().front());
  };
  EXPECT_TRUE(outcome("expect: permit").as_expected);
  EXPECT_FALSE(outcome("expect: deny clinic-purpose").as_expected);
  EXPECT_FALSE(outcome("expect: permit\nnotice: consent C1 version 1").as_expected);
  EXPECT_FALSE(outcome("token says: no purpose\nexpect: permit").as_expected);
  EXPECT_FALSE(outcome("token says: no purpose\nexpect: permit").permits);
  EXPECT_EQ(outcome("token says: no purpose\nexpect: permit").reason, Reason::PurposeMissing);
  EXPECT_FALSE(outcome("clinic defaults: none\nexpect: deny patient-purpose").as_expected);
  EXPECT_TRUE(outcome("clinic defaults: none\nexpect: deny clinic-purpose").as_expected);
  const std::string send = "send to the HIE at: 2026-01-01T00:00:00Z\n";
  EXPECT_TRUE(outcome(send + "expect: deny hie-none").as_expected);
  EXPECT_FALSE(outcome(send + "expect: deny hie-none\nnotice: consent C1 version 1").as_expected);
  EXPECT_FALSE(outcome(send + "expect: deny hie-revoked").as_expected);
  EXPECT_FALSE(outcome(send + "expect: permit").as_expected);
  EXPECT_FALSE(outcome(send + "expect: permit").permits);
}

TEST(CaseWords, TellDifferentNamesApart) {
  EXPECT_EQ(organization_of("Az").value().dotted(), "2.999.65.122");
  EXPECT_EQ(organization_of("aZ").value().dotted(), "2.999.97.90");
  EXPECT_TRUE(organization_of("Abcdefghijklmn"));
  for (const char* bad : {"", "@", "[", "`", "{", "a b"}) EXPECT_FALSE(organization_of(bad)) << bad;
}

}  // namespace
}  // namespace policy
