#include "policy/consent.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace policy {
namespace {

HomeCommunityId home(std::string_view oid) { return HomeCommunityId::parse(oid).value(); }
const HomeCommunityId riverside = home("2.999.1"), lakeside = home("2.999.2");
Instant at(std::int64_t number) { return base::from_micros(1'000'000 + number); }
Label act(std::string code) { return {std::string(act_code_system), std::move(code)}; }
Label conf(std::string code) { return {std::string(confidentiality_system), std::move(code)}; }
const Label sud = act("SUD"), hiv = act("HIV"), very = conf("V");

Recipient to(const HomeCommunityId& who) { return Recipient(who); }
Recipient to(RecipientClass who) { return Recipient(who); }
Provision permits() { return {.permits = true}; }
Provision denies() { return {.permits = false}; }
Provision labelled(Provision provision, std::vector<Label> labels) {
  provision.labels = std::move(labels);
  return provision;
}
Provision between(Provision provision, std::optional<Instant> from, std::optional<Instant> until) {
  provision.period = {from, until};
  return provision;
}
Provision but(Provision provision, std::vector<Provision> exceptions) {
  provision.exceptions = std::move(exceptions);
  return provision;
}
Provision towards(Provision provision, const HomeCommunityId& who) {
  provision.recipients.push_back(to(who));
  return provision;
}
/// Names label, purpose and recipient.
Provision opens(std::vector<Label> labels) {
  Provision provision = towards(labelled(permits(), std::move(labels)), riverside);
  provision.purposes = PurposeSet{Purpose::Treatment};
  return provision;
}
Consent consent(Provision root, ConsentStatus status = ConsentStatus::Active) {
  return {.id = "C1", .status = status, .root = std::move(root)};
}

/// `permit`, `deny choice`, `deny party`, `deny class`, `deny label` or `silent`, asked by Riverside for treatment.
std::string said(const Consent& given, const DocumentFacts* document = nullptr, const Label* label = nullptr,
                 Purpose purpose = Purpose::Treatment) {
  const Statement statement = statement_of(given, {riverside, purpose, at(10), document}, label);
  if (statement.speech == Speech::Silent) return "silent";
  if (statement.speech == Speech::Permit) return statement.narrows == Narrows::Nothing ? "permit" : "narrow permit";
  constexpr const char* gates[] = {"deny choice", "deny party", "deny class", "deny label"};
  return gates[static_cast<std::size_t>(statement.narrows)];
}
std::string said(const Provision& root, const DocumentFacts* document = nullptr, const Label* label = nullptr,
                 Purpose purpose = Purpose::Treatment) {
  return said(consent(root), document, label, purpose);
}
DocumentFacts document(std::vector<Label> labels) { return {.unique_id = "D1", .labels = std::move(labels)}; }

TEST(Period, HoldsFromItsFirstInstantOnAndNoLongerAtItsEnd) {
  EXPECT_FALSE(Period{}.limits());
  EXPECT_TRUE((Period{at(1), {}}.limits()));
  EXPECT_TRUE((Period{{}, at(1)}.limits()));
  EXPECT_TRUE(Period{}.holds(at(0)));
  const Period period{at(1), at(3)};
  EXPECT_FALSE(period.holds(at(0)));
  EXPECT_TRUE(period.holds(at(1)));
  EXPECT_TRUE(period.holds(at(2)));
  EXPECT_FALSE(period.holds(at(3)));
}

TEST(RecipientClass, HasWordsAndIncludesWhoAsksForItsPurposes) {
  EXPECT_EQ(word(RecipientClass::TreatingProviders), "treating-providers");
  EXPECT_EQ(word(RecipientClass::HealthPlans), "health-plans");
  EXPECT_EQ(recipient_class("treating-providers"), RecipientClass::TreatingProviders);
  EXPECT_EQ(recipient_class("health-plans"), RecipientClass::HealthPlans);
  EXPECT_EQ(recipient_class("Health-plans"), std::nullopt);
  EXPECT_EQ(recipient_class(""), std::nullopt);
  for (std::size_t number = 0; number < purpose_count; ++number) {
    const auto purpose = static_cast<Purpose>(number);
    EXPECT_EQ(includes(RecipientClass::TreatingProviders, purpose), purpose == Purpose::Treatment) << word(purpose);
    EXPECT_EQ(includes(RecipientClass::HealthPlans, purpose),
              purpose == Purpose::Payment || purpose == Purpose::Coverage)
        << word(purpose);
  }
}

TEST(ConsentStatus, HasWords) {
  const std::pair<ConsentStatus, std::string_view> statuses[] = {{ConsentStatus::Active, "active"},
                                                                 {ConsentStatus::Revoked, "revoked"},
                                                                 {ConsentStatus::Proposed, "proposed"},
                                                                 {ConsentStatus::EnteredInError, "entered-in-error"}};
  for (const auto& [status, written] : statuses) {
    EXPECT_EQ(word(status), written);
    EXPECT_EQ(consent_status(written), status);
  }
  EXPECT_EQ(word(static_cast<ConsentStatus>(99)), "entered-in-error");
  EXPECT_EQ(consent_status("Active"), std::nullopt);
  EXPECT_EQ(consent_status(""), std::nullopt);
}

TEST(Statement, IsSilentOfAConsentThatIsNotInForce) {
  EXPECT_EQ(said(consent(denies())), "deny choice");
  for (const auto status : {ConsentStatus::Revoked, ConsentStatus::Proposed, ConsentStatus::EnteredInError})
    EXPECT_EQ(said(consent(denies(), status)), "silent") << word(status);
  EXPECT_EQ(said(between(denies(), at(10), {})), "deny choice");
  EXPECT_EQ(said(between(denies(), at(11), {})), "silent");
  EXPECT_EQ(said(between(denies(), {}, at(11))), "deny choice");
  EXPECT_EQ(said(between(denies(), {}, at(10))), "silent");
  EXPECT_EQ(said(but(between(permits(), {}, at(10)), {denies()})), "silent") << "exceptions end with their consent";
}

TEST(Statement, IsOfTheGateThatMakesADenyNarrow) {
  const DocumentFacts facts{.unique_id = "D1", .labels = {hiv}, .classes = {{"1-1", "loinc", ""}}, .service = {at(1), at(2)}};
  Provision provision = denies();
  EXPECT_EQ(said(provision, &facts), "deny choice");
  provision.purposes = PurposeSet{Purpose::Treatment};
  EXPECT_EQ(said(provision, &facts), "deny choice");
  provision.recipients.push_back(to(riverside));
  EXPECT_EQ(said(provision, &facts), "deny party");
  for (const auto narrow : {+[](Provision& p) { p.classes = {{"1-1", "loinc", "shown"}}; },
                            +[](Provision& p) { p.documents = {"D1"}; }, +[](Provision& p) { p.data.from = at(1); },
                            +[](Provision& p) { p.data.to = at(3); }}) {
    Provision narrower = provision;
    narrow(narrower);
    EXPECT_EQ(said(narrower, &facts), "deny class");
    EXPECT_EQ(said(labelled(narrower, {hiv}), &facts), "deny label");
  }
}

TEST(Statement, IsForItsRecipientsAndPurposes) {
  EXPECT_EQ(said(towards(denies(), lakeside)), "silent");
  EXPECT_EQ(said(towards(towards(denies(), lakeside), riverside)), "deny party");
  Provision plans = denies();
  plans.recipients.push_back(to(RecipientClass::HealthPlans));
  EXPECT_EQ(said(plans), "silent");
  EXPECT_EQ(said(plans, nullptr, nullptr, Purpose::Payment), "deny party");
  EXPECT_EQ(said(towards(plans, riverside)), "deny party");
  Provision purpose = denies();
  purpose.purposes = PurposeSet{Purpose::Payment};
  EXPECT_EQ(said(purpose), "silent");
  EXPECT_EQ(said(purpose, nullptr, nullptr, Purpose::Payment), "deny choice");
}

TEST(Statement, OfClassOrDocumentIsAboutThoseThatBearIt) {
  const DocumentFacts facts{.unique_id = "D1", .classes = {{"1-1", "loinc", ""}, {"2-2", "loinc", ""}}};
  Provision provision = denies();
  provision.classes = {{"3-3", "loinc", ""}, {"2-2", "loinc", ""}};
  EXPECT_EQ(said(provision, &facts), "deny class");
  EXPECT_EQ(said(provision), "silent") << "a denial of some documents does not deny the patient";
  provision.classes = {{"2-2", "local", ""}, {"3-3", "loinc", ""}};
  EXPECT_EQ(said(provision, &facts), "silent");
  provision = denies();
  provision.documents = {"D2", "D1"};
  EXPECT_EQ(said(provision, &facts), "deny class");
  provision.documents = {"D2"};
  EXPECT_EQ(said(provision, &facts), "silent");
  provision.permits = true;
  EXPECT_EQ(said(provision, &facts), "silent");
  EXPECT_EQ(said(provision), "permit") << "a permit for some documents permits to find the patient";
  EXPECT_EQ(said(labelled(permits(), {hiv})), "permit");
  EXPECT_EQ(said(labelled(denies(), {hiv})), "silent");
}

struct DataCase {
  Period service, data;
  bool denied, permitted;
};
TEST(Statement, OfDatesDeniesWhatTouchesThemAndPermitsWhatLiesWithin) {
  const DataCase cases[] = {
      {{at(2), at(4)}, {at(2), at(5)}, true, true},    {{at(2), at(4)}, {at(3), at(5)}, true, false},
      {{at(2), at(4)}, {at(2), at(4)}, true, false},   {{at(2), at(4)}, {at(4), at(9)}, true, false},
      {{at(2), at(4)}, {at(5), at(9)}, false, false},  {{at(2), at(4)}, {at(0), at(2)}, false, false},
      {{at(2), at(4)}, {at(0), at(3)}, true, false},   {{at(2), at(4)}, {at(0), at(9)}, true, true},
      {{at(2), at(4)}, {at(2), {}}, true, true},       {{at(2), at(4)}, {at(4), {}}, true, false},
      {{at(2), at(4)}, {at(5), {}}, false, false},     {{at(2), at(4)}, {{}, at(5)}, true, true},
      {{at(2), at(4)}, {{}, at(2)}, false, false},     {{at(2), at(4)}, {{}, at(3)}, true, false},
      {{{}, at(4)}, {at(2), {}}, true, false},         {{{}, at(4)}, {at(5), {}}, false, false},
      {{at(2), {}}, {{}, at(3)}, true, false},         {{at(2), {}}, {{}, at(2)}, false, false},
      {{{}, at(4)}, {{}, at(5)}, true, true},          {{at(2), {}}, {at(2), {}}, true, true},
      {{{}, {}}, {at(2), at(4)}, true, false},         {{{}, at(4)}, {{}, at(4)}, true, false},
      {{at(2), at(4)}, {{}, {}}, true, true},
  };
  int number = 0;
  for (const DataCase& one : cases) {
    const DocumentFacts facts{.unique_id = "D1", .service = one.service};
    Provision provision = denies();
    provision.data = one.data;
    EXPECT_EQ(said(provision, &facts) != "silent", one.denied) << number;
    provision.permits = true;
    EXPECT_EQ(said(provision, &facts) != "silent", one.permitted) << number++;
  }
}

TEST(Statement, DeniesADocumentThatBearsOneOfItsLabels) {
  const auto held = document({conf("N"), hiv});
  EXPECT_EQ(said(labelled(denies(), {sud, hiv}), &held), "deny label");
  EXPECT_EQ(said(labelled(denies(), {sud}), &held), "silent");
  const auto none = document({});
  EXPECT_EQ(said(labelled(denies(), {sud}), &none), "silent");
}

TEST(Statement, PermitsByLabelADocumentWhoseSensitivitiesItNamesAll) {
  const auto covers = [](std::vector<Label> named, std::vector<Label> held) {
    const auto facts = document(std::move(held));
    return said(labelled(permits(), std::move(named)), &facts) == "permit";
  };
  EXPECT_TRUE(covers({hiv}, {hiv}));
  EXPECT_FALSE(covers({hiv}, {sud}));
  EXPECT_FALSE(covers({hiv}, {}));
  EXPECT_FALSE(covers({hiv}, {hiv, sud}));
  EXPECT_TRUE(covers({hiv, sud}, {hiv, sud}));
  for (const char* code : {"U", "L", "M", "N"}) {
    EXPECT_TRUE(covers({hiv}, {conf(code), hiv})) << code;
    EXPECT_TRUE(covers({very}, {conf(code), very})) << code;
    EXPECT_FALSE(covers({hiv}, {act(code), hiv})) << code;
  }
  for (const char* code : {"R", "V"}) {
    EXPECT_TRUE(covers({hiv}, {conf(code), hiv})) << code;
    EXPECT_FALSE(covers({conf("N")}, {conf(code), conf("N")})) << code;
    EXPECT_FALSE(covers({act("MASK")}, {conf(code), act("MASK")})) << code << ": how to handle it is no sensitivity";
    EXPECT_TRUE(covers({conf(code)}, {conf(code)})) << code;
    EXPECT_FALSE(covers({conf(code)}, {conf(code), hiv})) << code;
  }
  for (const char* code : {"ENCRYPT", "MASK", "REDACT", "DELAU", "AUDIT", "PERSISTLABEL", "PRIVMARK", "CPLYCD",
                           "NORDSCLCD", "NODSCLCD", "NORDSCLW", "NOREUSE", "NOPERSISTP", "NOAUTH", "NOINTEGRATE",
                           "NORELINK"}) {
    EXPECT_TRUE(covers({hiv}, {act(code), hiv})) << code;
    EXPECT_FALSE(covers({hiv}, {Label{"2.25.7", code}, hiv})) << code;
  }
  EXPECT_FALSE(covers({hiv}, {act("PSY"), hiv}));
}

TEST(Statement, AboutALabelIsOfWhatNamesItOrOfDeniesThatNameNone) {
  const auto held = document({sud});
  EXPECT_EQ(said(opens({hiv, sud}), &held, &sud), "permit");
  EXPECT_EQ(said(opens({hiv}), &held, &sud), "silent");
  EXPECT_EQ(said(permits(), &held, &sud), "silent") << "a permit that names no label opens none";
  EXPECT_EQ(said(permits(), &held), "permit");
  EXPECT_EQ(said(denies(), &held, &sud), "deny choice");
  EXPECT_EQ(said(labelled(denies(), {hiv}), &held, &sud), "silent");
  EXPECT_EQ(said(labelled(denies(), {sud}), &held, &sud), "deny label");
  EXPECT_EQ(said(but(permits(), {opens({sud})}), &held, &sud), "permit");
  EXPECT_EQ(said(but(opens({sud}), {towards(permits(), riverside)}), &held, &sud), "permit");
  EXPECT_EQ(said(but(opens({sud}), {but(permits(), {permits()})}), &held, &sud), "permit");
  Provision deny = opens({sud});
  deny.permits = false;
  EXPECT_EQ(said(but(deny, {towards(permits(), riverside)}), &held, &sud), "permit");
}

TEST(Statement, ThatOpensALabelNamesPurposeAndRecipientTooItselfOrByWhatItStandsIn) {
  const auto held = document({sud});
  Provision purpose = permits();
  purpose.purposes = PurposeSet{Purpose::Treatment};
  const Provision label = labelled(permits(), {sud}), recipient = towards(permits(), riverside);
  EXPECT_EQ(said(label, &held, &sud), "silent");
  EXPECT_EQ(said(but(label, {purpose}), &held, &sud), "silent");
  EXPECT_EQ(said(but(label, {recipient}), &held, &sud), "silent");
  EXPECT_EQ(said(but(purpose, {recipient}), &held, &sud), "silent");
  EXPECT_EQ(said(but(label, {purpose, recipient}), &held, &sud), "silent") << "beside each other";
  EXPECT_EQ(said(but(label, {but(purpose, {recipient})}), &held, &sud), "permit");
  EXPECT_EQ(said(but(recipient, {but(label, {purpose})}), &held, &sud), "permit");
  EXPECT_EQ(said(but(purpose, {but(recipient, {label})}), &held, &sud), "permit");
  EXPECT_EQ(said(but(purpose, {but(recipient, {labelled(permits(), {hiv})})}), &held, &sud), "silent");
}

TEST(Statement, ThatIsNestedDeeperWinsAndDenyAtATie) {
  EXPECT_EQ(said(but(denies(), {permits()})), "permit");
  EXPECT_EQ(said(but(permits(), {denies()})), "deny choice");
  EXPECT_EQ(said(but(permits(), {denies(), permits()})), "deny choice");
  EXPECT_EQ(said(but(permits(), {permits(), denies()})), "deny choice");
  EXPECT_EQ(said(but(permits(), {but(denies(), {permits()})})), "permit");
  EXPECT_EQ(said(but(permits(), {but(denies(), {permits()}), denies()})), "permit") << "a deeper one stands first";
  EXPECT_EQ(said(but(permits(), {denies(), but(denies(), {permits()})})), "permit");
  EXPECT_EQ(said(but(denies(), {towards(permits(), lakeside)})), "deny choice");
}

TEST(Statement, OfDeniesThatStandEquallyDeepIsTheEarliestGates) {
  const auto held = document({hiv});
  const Provision choice = denies(), party = towards(denies(), riverside), label = labelled(denies(), {hiv});
  for (auto exceptions : {std::vector{choice, party, label}, std::vector{label, party, choice},
                          std::vector{party, choice, label}})
    EXPECT_EQ(said(but(permits(), exceptions), &held), "deny choice");
  EXPECT_EQ(said(but(permits(), {label, party}), &held), "deny party");
  EXPECT_EQ(said(but(permits(), {party, label}), &held), "deny party");
  EXPECT_EQ(said(but(choice, {label}), &held), "deny label") << "the deeper one is the narrower one";
}

TEST(Statement, ThatPermitsCountsOnlyWithinWhatSpeaksOfTheRequestADenyWhereverItStands) {
  EXPECT_EQ(said(but(towards(permits(), lakeside), {permits()})), "silent");
  EXPECT_EQ(said(but(towards(permits(), lakeside), {denies()})), "deny choice");
  EXPECT_EQ(said(but(permits(), {but(towards(denies(), lakeside), {permits()})})), "permit") << "of the root";
  EXPECT_EQ(said(but(denies(), {but(towards(permits(), lakeside), {permits()})})), "deny choice");
  EXPECT_EQ(said(but(denies(), {but(between(permits(), {}, at(10)), {permits()})})), "deny choice");
  EXPECT_EQ(said(but(denies(), {between(permits(), {}, at(10))})), "deny choice");
  EXPECT_EQ(said(but(denies(), {between(permits(), {}, at(11))})), "permit");
  EXPECT_EQ(said(but(permits(), {between(denies(), at(11), {})})), "permit");
  EXPECT_EQ(said(but(permits(), {but(between(permits(), {}, at(10)), {denies()})})), "deny choice");
}

TEST(Statement, ThatIsNotUnderstoodPermitsNothingAndDeniesAllTheMore) {
  Provision unclear = permits();
  unclear.understood = false;
  EXPECT_EQ(said(unclear), "silent");
  EXPECT_EQ(said(but(unclear, {permits()})), "silent");
  unclear.permits = false;
  EXPECT_EQ(said(unclear), "deny choice");
  EXPECT_EQ(said(but(unclear, {permits()})), "permit");
  EXPECT_EQ(said(towards(unclear, lakeside)), "silent") << "what is understood limits it still";
}

/// How a consent stands to SUD of a document, asked by Riverside for treatment.
std::string stands(const Consent& given) {
  const auto facts = document({sud});
  const auto standing = standing_of(given, {riverside, Purpose::Treatment, at(10), &facts}, sud);
  if (!standing) return "says nothing";
  switch (*standing) {
    case Standing::InForce: return "in force";
    case Standing::Future: return "future";
    case Standing::Expired: return "expired";
    case Standing::Revoked: return "revoked";
  }
  return "?";
}
std::string stands(const Provision& root) { return stands(consent(root)); }

TEST(Standing, FollowsTheTimeOfWhatNamesTheLabel) {
  const Provision root = opens({sud});
  EXPECT_EQ(stands(root), "in force");
  EXPECT_EQ(stands(between(root, at(10), at(11))), "in force");
  EXPECT_EQ(stands(between(root, at(11), {})), "future");
  EXPECT_EQ(stands(between(root, at(11), at(12))), "future");
  EXPECT_EQ(stands(between(root, at(9), at(10))), "expired");
  EXPECT_EQ(stands(between(root, {}, at(10))), "expired");
  EXPECT_EQ(stands(between(root, at(12), at(11))), "expired") << "it never begins";
  EXPECT_EQ(stands(between(root, at(12), at(12))), "expired");
  EXPECT_EQ(stands(labelled(denies(), {sud})), "in force");
}

TEST(Standing, FollowsTheStatus) {
  const Provision root = opens({sud});
  EXPECT_EQ(stands(consent(root, ConsentStatus::Revoked)), "revoked");
  EXPECT_EQ(stands(consent(between(root, at(11), {}), ConsentStatus::Revoked)), "revoked");
  EXPECT_EQ(stands(consent(root, ConsentStatus::Proposed)), "says nothing");
  EXPECT_EQ(stands(consent(root, ConsentStatus::EnteredInError)), "says nothing");
  EXPECT_EQ(stands(consent(permits(), ConsentStatus::Revoked)), "says nothing");
}

TEST(Standing, IsNoneOfAConsentThatDoesNotConcernLabelRecipientPurposeAndDocument) {
  EXPECT_EQ(stands(permits()), "says nothing");
  EXPECT_EQ(stands(denies()), "says nothing");
  EXPECT_EQ(stands(opens({hiv})), "says nothing");
  Provision elsewhere = opens({sud});
  elsewhere.recipients.clear();
  EXPECT_EQ(stands(towards(elsewhere, lakeside)), "says nothing");
  Provision payment = opens({sud});
  payment.purposes = PurposeSet{Purpose::Payment};
  EXPECT_EQ(stands(payment), "says nothing");
  Provision other = opens({sud});
  other.documents = {"D2"};
  EXPECT_EQ(stands(other), "says nothing");
}

TEST(Standing, OfWhatIsNotUnderstoodTakesAwayAndNeverGives) {
  Provision unclear = opens({sud});
  unclear.understood = false;
  EXPECT_EQ(stands(unclear), "says nothing");
  EXPECT_EQ(stands(consent(unclear, ConsentStatus::Revoked)), "revoked");
  EXPECT_EQ(stands(between(unclear, {}, at(10))), "expired");
  EXPECT_EQ(stands(between(unclear, at(11), {})), "future");
  Provision elsewhere = between(unclear, {}, at(10));
  elsewhere.recipients.clear();
  EXPECT_EQ(stands(towards(elsewhere, lakeside)), "says nothing");
  EXPECT_EQ(stands(but(unclear, {permits()})), "says nothing") << "nor what stands in it";
  EXPECT_EQ(stands(but(unclear, {denies()})), "in force");
  EXPECT_EQ(stands(but(permits(), {unclear, opens({sud})})), "in force");
  unclear.permits = false;
  EXPECT_EQ(stands(unclear), "in force") << "a denial";
  EXPECT_EQ(stands(but(unclear, {permits()})), "in force");
}

TEST(Standing, CountsExceptionsWithinWhatSpeaksOfTheRequest) {
  const Provision named = opens({sud});
  EXPECT_EQ(stands(but(permits(), {named})), "in force");
  EXPECT_EQ(stands(but(denies(), {named})), "in force");
  EXPECT_EQ(stands(but(towards(permits(), lakeside), {named})), "says nothing");
  EXPECT_EQ(stands(but(towards(permits(), lakeside), {labelled(denies(), {sud})})), "in force") << "a deny counts";
  Provision elsewhere = towards(labelled(permits(), {sud}), lakeside);
  elsewhere.purposes = PurposeSet::all();
  EXPECT_EQ(stands(but(elsewhere, {towards(permits(), riverside)})), "says nothing");
  EXPECT_EQ(stands(but(elsewhere, {towards(denies(), riverside)})), "in force");
  EXPECT_EQ(stands(but(named, {but(denies(), {permits()})})), "in force");
  EXPECT_EQ(stands(but(permits(), {towards(permits(), lakeside), named})), "in force");
  EXPECT_EQ(stands(but(permits(), {but(permits(), {named})})), "in force");
}

TEST(Standing, TakesTheTimeThatAnExceptionSharesWithWhatItStandsIn) {
  const Provision named = opens({sud});
  EXPECT_EQ(stands(but(between(permits(), {}, at(10)), {between(named, {}, at(12))})), "expired");
  EXPECT_EQ(stands(but(between(permits(), {}, at(12)), {between(named, {}, at(10))})), "expired");
  EXPECT_EQ(stands(but(between(permits(), {}, at(10)), {named})), "expired");
  EXPECT_EQ(stands(but(between(permits(), {}, at(11)), {named})), "in force");
  EXPECT_EQ(stands(but(between(permits(), {}, at(10)), {between(named, at(11), {})})), "expired");
  EXPECT_EQ(stands(but(between(permits(), {}, at(12)), {between(named, at(11), {})})), "future");
  EXPECT_EQ(stands(but(between(permits(), {}, at(11)), {between(named, at(11), {})})), "expired");
  EXPECT_EQ(stands(but(between(permits(), at(11), {}), {named})), "future");
  EXPECT_EQ(stands(but(between(permits(), at(11), {}), {between(named, at(10), {})})), "future");
  EXPECT_EQ(stands(but(between(permits(), at(10), {}), {between(named, at(11), {})})), "future");
  EXPECT_EQ(stands(but(between(permits(), at(10), {}), {between(named, at(9), {})})), "in force");
  EXPECT_EQ(stands(but(between(permits(), at(11), {}), {between(named, {}, at(11))})), "expired");
  EXPECT_EQ(stands(but(permits(), {between(named, {}, at(9)), between(named, at(11), {})})), "future");
  EXPECT_EQ(stands(but(permits(), {between(named, at(11), {}), between(named, {}, at(9))})), "future");
  EXPECT_EQ(stands(but(permits(), {between(named, at(11), {}), named})), "in force");
  EXPECT_EQ(stands(but(permits(), {named, between(named, at(11), {})})), "in force");
}

TEST(Standing, IsNotFutureForWhatIsToComeAboutAnotherMatter) {
  const Provision ended = between(opens({sud}), {}, at(10));
  Provision elsewhere = towards(labelled(permits(), {sud}), lakeside);
  elsewhere.purposes = PurposeSet::all();
  EXPECT_EQ(stands(but(permits(), {ended, between(opens({hiv}), at(11), {})})), "expired");
  EXPECT_EQ(stands(but(permits(), {ended, between(elsewhere, at(11), {})})), "expired");
}

TEST(Standing, OfAPermitThatDoesNotNameAllItMustTakesAwayAndNeverGives) {
  Provision purpose = permits();
  purpose.purposes = PurposeSet{Purpose::Treatment};
  for (const Provision& half : {labelled(permits(), {sud}), labelled(purpose, {sud}),
                                towards(labelled(permits(), {sud}), riverside)}) {
    EXPECT_EQ(stands(half), "says nothing");
    EXPECT_EQ(stands(consent(half, ConsentStatus::Revoked)), "revoked");
    EXPECT_EQ(stands(between(half, {}, at(10))), "expired");
    EXPECT_EQ(stands(between(half, at(11), {})), "future");
  }
  EXPECT_EQ(stands(but(labelled(purpose, {sud}), {towards(permits(), riverside)})), "in force");
}

TEST(IdleParts, AreSaidToWhoeverSavesAConsent) {
  const char* unclear_words = "a part that cannot be evaluated: it never permits, and forbids all the more";
  const char* no_label = "a permit that names no label opens nothing that the patient's purposes do not open already";
  const char* half = "a permit that names a label opens it only if it names a purpose and a recipient too";
  const char* no_purpose = "a provision for no purpose at all";
  using testing::ElementsAre;
  using testing::IsEmpty;
  EXPECT_THAT(idle_parts(denies()), IsEmpty());
  EXPECT_THAT(idle_parts(permits()), ElementsAre(no_label));
  EXPECT_THAT(idle_parts(towards(permits(), riverside)), ElementsAre(no_label));
  EXPECT_THAT(idle_parts(opens({sud})), IsEmpty());
  EXPECT_THAT(idle_parts(labelled(permits(), {sud})), ElementsAre(half));
  EXPECT_THAT(idle_parts(towards(labelled(permits(), {sud}), riverside)), ElementsAre(half));
  EXPECT_THAT(idle_parts(but(permits(), {opens({sud})})), IsEmpty());
  EXPECT_THAT(idle_parts(but(permits(), {labelled(permits(), {sud})})), ElementsAre(half));
  EXPECT_THAT(idle_parts(but(permits(), {denies()})), IsEmpty());
  EXPECT_THAT(idle_parts(but(permits(), {permits()})), ElementsAre(no_label));
  EXPECT_THAT(idle_parts(but(denies(), {permits()})), IsEmpty()) << "an exception to a denial";
  EXPECT_THAT(idle_parts(but(denies(), {but(permits(), {labelled(permits(), {sud})})})), IsEmpty());
  EXPECT_THAT(idle_parts(but(opens({sud}), {permits()})), IsEmpty());
  EXPECT_THAT(idle_parts(but(opens({sud}), {but(permits(), {permits()})})), IsEmpty());
  Provision unclear = denies();
  unclear.understood = false;
  EXPECT_THAT(idle_parts(unclear), ElementsAre(unclear_words));
  Provision nothing = denies();
  nothing.purposes = PurposeSet{};
  EXPECT_THAT(idle_parts(nothing), ElementsAre(no_purpose));
  nothing.purposes = PurposeSet{Purpose::Payment};
  EXPECT_THAT(idle_parts(nothing), IsEmpty());
  nothing.purposes = PurposeSet{};
  EXPECT_THAT(idle_parts(but(denies(), {unclear, nothing})), ElementsAre(unclear_words, no_purpose));
}

}  // namespace
}  // namespace policy
