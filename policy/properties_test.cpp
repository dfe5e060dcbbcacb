// What must hold of every case, whatever it says: tried on cases drawn at random, by a seed that is printed.

#include "policy/random_cases.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace policy {
namespace {

constexpr int tries = 5'000;

/// Draws cases, tells what it drew with, and hands each to a check.
void for_random_cases(std::uint64_t default_seed, const std::function<void(random::Draw&, const Case&)>& check) {
  const auto seed = random::seed(default_seed);
  std::printf("seed %llu (GATEHOUSE_SEED)\n", static_cast<unsigned long long>(seed));
  random::Draw draw(seed);
  for (int number = 0; number < tries && !testing::Test::HasFailure(); ++number) check(draw, draw.any_case());
}

bool permits(const Case& one) { return judge_case(one).permits; }

/// What `change` makes of a case that is refused is refused too.
/// @param prepare  before both. @return how many were permitted and are not any more
int newly_refused(std::uint64_t seed, const std::function<bool(random::Draw&, Case&)>& change,
                  const std::function<void(Case&)>& prepare = [](Case&) {}) {
  int refused = 0;
  for_random_cases(seed, [&](random::Draw& draw, const Case& drawn) {
    Case before = drawn;
    prepare(before);
    Case after = before;
    if (!change(draw, after)) return;
    const bool permitted_before = permits(before), permitted_after = permits(after);
    EXPECT_TRUE(permitted_before || !permitted_after) << random::text_of(before) << "\nbecame\n" << random::text_of(after);
    refused += permitted_before && !permitted_after;
  });
  return refused;
}

Provision drawn_denial(random::Draw& draw) {
  Provision denial = draw.provision(0);
  denial.permits = false;
  return denial;
}
/// A place in a statement, at any depth.
Provision& any_place(random::Draw& draw, Provision& root) {
  Provision* at = &root;
  while (!at->exceptions.empty() && draw.chance(60)) at = &at->exceptions[draw.below(at->exceptions.size())];
  return *at;
}

TEST(Property, AConsentMoreThatDeniesNeverPermitsMore) {
  EXPECT_GT(newly_refused(1, [](random::Draw& draw, Case& one) {
              Consent denial{.id = "new", .root = drawn_denial(draw)};
              auto& consents = one.consents.consents;
              consents.insert(consents.begin() + static_cast<std::ptrdiff_t>(draw.below(consents.size() + 1)), denial);
              return true;
            }),
            20);
}

TEST(Property, AnExceptionMoreThatDeniesNeverPermitsMore) {
  EXPECT_GT(newly_refused(2, [](random::Draw& draw, Case& one) {
              if (one.consents.consents.empty()) return false;
              Consent& consent = one.consents.consents[draw.below(one.consents.consents.size())];
              any_place(draw, consent.root).exceptions.push_back(drawn_denial(draw));
              return true;
            }),
            20);
}

TEST(Property, ARuleMoreOfTheClinicNeverPermitsMore) {
  EXPECT_GT(newly_refused(3, [](random::Draw& draw, Case& one) {
              ClinicRules& rules = one.terms.rules;
              switch (draw.below(4)) {
                case 0: rules.refused.insert(draw.organization()); break;
                case 1: rules.labels.gated.insert(draw.label()); break;
                case 2: rules.labels.known.clear(); break;
                default: rules.shared.insert({static_cast<Purpose>(draw.below(purpose_count)), draw.codes(1)});
              }
              return true;
            }),
            20);
}

TEST(Property, AChoiceOfFewerPurposesNeverPermitsMore) {
  EXPECT_GT(newly_refused(4, [](random::Draw& draw, Case& one) {
              PurposeSet& set = one.choice.choice ? one.choice.choice->purposes : one.choice.clinic_defaults;
              set = PurposeSet::from_bits(set.bits() & draw.purposes().bits()).value();
              return true;
            }),
            20);
}

TEST(Property, ALabelMoreNeverPermitsMoreWithoutConsents) {
  const auto label_more = [](random::Draw& draw, Case& one) {
    if (!one.document) return false;
    one.document->labels.push_back(draw.label());
    return true;
  };
  EXPECT_GT(newly_refused(5, label_more, [](Case& one) { one.consents.consents.clear(); }), 20);
}

TEST(Property, AnExpiredRevokedOrFutureRecordNeverPermits) {
  const std::function<void(Consent&, Instant)> ends[] = {
      [](Consent& consent, Instant) { consent.status = ConsentStatus::Revoked; },
      [](Consent& consent, Instant now) { consent.root.period = {{}, now}; },
      [](Consent& consent, Instant now) { consent.root.period = {now + std::chrono::microseconds(1), {}}; },
      [](Consent& consent, Instant) { consent.status = ConsentStatus::Proposed; },
      [](Consent& consent, Instant) { consent.status = ConsentStatus::EnteredInError; },
  };
  int had_permitted = 0;
  for_random_cases(6, [&](random::Draw& draw, const Case& before) {
    Case ended = before, without = before;
    const auto& end = draw.of(ends);
    for (Consent& consent : ended.consents.consents) end(consent, ended.terms.now);
    without.consents.consents.clear();
    EXPECT_TRUE(permits(without) || !permits(ended)) << random::text_of(ended);
    had_permitted += permits(before) && !permits(ended);
  });
  EXPECT_GE(had_permitted, 5);
}

TEST(Property, AnEndedGlassOpensNothing) {
  int had_permitted = 0;
  for_random_cases(7, [&](random::Draw& draw, const Case& drawn) {
    Case before = drawn;
    before.caller.own_staff = "ruth";
    before.consents.grants.assign(1, {"G", "ruth", {}});
    Case ended = before, without = before;
    ended.consents.grants[0].period = draw.chance(50) ? Period{{}, ended.terms.now}
                                                      : Period{ended.terms.now + std::chrono::microseconds(1), {}};
    without.consents.grants.clear();
    EXPECT_EQ(permits(ended), permits(without)) << random::text_of(before);
    had_permitted += permits(before) && !permits(ended);
  });
  EXPECT_GE(had_permitted, 5);
}

void without_periods(Provision& provision) {
  provision.period = {};
  for (Provision& exception : provision.exceptions) without_periods(exception);
}

TEST(Property, TheOrderOfConsentsInForceNeverMatters) {
  int moved = 0;
  for_random_cases(8, [&](random::Draw& draw, const Case& drawn) {
    Case before = drawn;
    for (Consent& consent : before.consents.consents) {
      consent.status = ConsentStatus::Active;
      without_periods(consent.root);
    }
    Case after = before;
    draw.shuffle(after.consents.consents);
    draw.shuffle(after.consents.grants);
    EXPECT_EQ(code(judge_case(before).reason), code(judge_case(after).reason)) << random::text_of(before);
    moved += !(after.consents == before.consents);
  });
  EXPECT_GT(moved, 500);
}

void shuffle_exceptions(random::Draw& draw, Provision& provision) {
  draw.shuffle(provision.exceptions);
  draw.shuffle(provision.labels);
  draw.shuffle(provision.classes);
  for (Provision& exception : provision.exceptions) shuffle_exceptions(draw, exception);
}

TEST(Property, TheOrderWithinAConsentAndOfPurposesNeverMatters) {
  int moved = 0;
  for_random_cases(9, [&](random::Draw& draw, const Case& before) {
    Case after = before;
    for (Consent& consent : after.consents.consents) shuffle_exceptions(draw, consent.root);
    if (after.document) draw.shuffle(after.document->classes);
    draw.shuffle(after.patient_ids);
    const Outcome one = judge_case(before), other = judge_case(after);
    EXPECT_EQ(code(one.reason), code(other.reason)) << random::text_of(before);
    EXPECT_EQ(one.notices, other.notices) << random::text_of(before);
    moved += !(after.consents == before.consents);
    draw.shuffle(after.caller.purposes);
    EXPECT_EQ(one.permits, judge_case(after).permits) << random::text_of(before);
  });
  EXPECT_GT(moved, 500);
}

TEST(Property, WhatCannotBeReadRefuses) {
  int had_permitted = 0;
  for_random_cases(10, [&](random::Draw& draw, const Case& before) {
    Case after = before;
    switch (draw.below(4)) {
      case 0: after.choice.readable = false; break;
      case 1: after.terms.rules.readable = false; break;
      case 2: after.consents.readable = false; break;
      default: after.document = DocumentFacts{.readable = false};
    }
    EXPECT_FALSE(permits(after)) << random::text_of(after);
    had_permitted += permits(before);
  });
  EXPECT_GT(had_permitted, 100);
}

TEST(Property, AConsentThatIsNotUnderstoodNeverPermitsMore) {
  EXPECT_GE(newly_refused(11, [](random::Draw& draw, Case& one) {
              if (one.consents.consents.empty()) return false;
              Consent& consent = one.consents.consents[draw.below(one.consents.consents.size())];
              any_place(draw, consent.root).understood = false;
              return true;
            }),
            5);
}

TEST(Property, OneJudgeForManyResourcesFindsWhatAJudgeForEachDoes) {
  int documents = 0;
  for_random_cases(12, [&](random::Draw& draw, const Case& one) {
    const auto admission = admit(one.rules, one.caller);
    const auto* admitted = std::get_if<Admitted>(&admission);
    if (!admitted) return;
    const auto consents = std::make_shared<ConsentFacts>(one.consents);
    Judge judge_of_all(*admitted, one.terms);
    std::vector<std::optional<DocumentFacts>> held(6);
    for (auto& document : held) {
      if (draw.chance(85)) document = draw.document();
      const Matter matter{.subject = "s", .choice = one.choice, .patient_ids = one.patient_ids, .consents = consents,
                          .document = document ? &*document : nullptr};
      const Verdict alone = judge(*admitted, one.terms, "r", matter);
      const Verdict among = judge_of_all.verdict_on("r", matter);
      EXPECT_EQ(alone.findings, among.findings) << random::text_of(one);
      EXPECT_EQ(alone.obligations, among.obligations);
      ++documents;
    }
  });
  EXPECT_GT(documents, 5'000);
}

TEST(Property, EveryRefusalSaysWhyAndWhatWouldChangeIt) {
  for_random_cases(13, [&](random::Draw&, const Case& one) {
    const auto admission = admit(one.rules, one.caller);
    const auto check = [&](const Verdict& verdict) {
      for (const Finding& found : verdict.findings) {
        EXPECT_FALSE(found.sentence.empty());
        EXPECT_EQ(found.sentence.back(), '.');
        EXPECT_EQ(found.permits(), found.would_change.empty()) << found.sentence;
      }
    };
    if (const auto* refused = std::get_if<Verdict>(&admission)) return check(*refused);
    check(judge(std::get<Admitted>(admission), one.terms, "r",
                {.subject = {}, .choice = one.choice, .patient_ids = one.patient_ids,
                 .consents = std::make_shared<ConsentFacts>(one.consents),
                 .document = one.document ? &*one.document : nullptr}));
  });
}

TEST(Property, NoExplanationTellsOfAnotherOrganizationLabelOrDocumentNorOfStaff) {
  int told = 0;
  for_random_cases(14, [&](random::Draw&, const Case& one) {
    const auto admission = admit(one.rules, one.caller);
    if (!std::holds_alternative<Admitted>(admission)) return;
    const auto verdict = judge(std::get<Admitted>(admission), one.terms, "r",
                               {.subject = {}, .choice = one.choice, .patient_ids = one.patient_ids,
                                .consents = std::make_shared<ConsentFacts>(one.consents),
                                .document = one.document ? &*one.document : nullptr});
    for (const auto& obligation : verdict.obligations) {
      EXPECT_FALSE(obligation.explanations.empty());
      for (std::string sentence : obligation.explanations) {
        ++told;
        EXPECT_NE(sentence.find(obligation.evidence), std::string::npos) << sentence;
        const auto own = sentence.find(one.caller.home.named);
        if (own != std::string::npos) sentence.replace(own, one.caller.home.named.size(), "itself");
        for (const char* other : {"urn:oid:", "ruth", "otto", "HIV", "PSYTHPN", "2.25.7", "D1", "D2", "D3", "  ", " ,"})
          EXPECT_EQ(sentence.find(other), std::string::npos) << sentence << "\n" << random::text_of(one);
      }
    }
  });
  EXPECT_GT(told, 5);
}

}  // namespace
}  // namespace policy
