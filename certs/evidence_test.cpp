#include "certs/evidence.hpp"

#include "certs/testing.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

namespace certs {
namespace {

using namespace std::chrono_literals;
using testing::mint;
using testing::mint_authority;
using testing::mint_crl;
using testing::mint_ocsp;
using testing::noon;
using testing::OcspMint;
using testing::Party;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* list_address = "http://ca.example/1.crl";

using Gathering = GatheredEvidence::Gathering;

struct Gathered : ::testing::Test {
  Party root = mint_authority("root");
  Certificate leaf = mint({.issuer = &root}).certificate;
  Certificate other = mint({.issuer = &root}).certificate;
  OcspQuestion question{leaf, root.certificate, "0123456789abcdef"};
  std::shared_ptr<GatheredEvidence> evidence = std::make_shared<GatheredEvidence>(Gathering::On);

  SourceState weigh(Testimony from_files = Testimony::Silent, Instant now = noon()) {
    return evidence->weigh(leaf, root.certificate, from_files, now);
  }
  Result<Instant> take_list(testing::CrlMint order, Instant now = noon()) {
    if (!order.issuer) order.issuer = &root;
    return evidence->take_list(list_address, root.certificate, mint_crl(order).der, now);
  }
  Result<Instant> take_ocsp(OcspMint order, Instant now = noon()) {
    if (!order.issuer) order.issuer = &root;
    order.about = &leaf;
    return evidence->take_response(question, mint_ocsp(order), now);
  }
};

TEST(RevocationTable, IsTheOneOfTheThreatCatalogue_L09) {
  using V = RevocationVerdict;
  struct Row {
    SourceState state;
    V soft, hard;
  };
  for (const auto& row : {Row{SourceState::None, V::BelievedUnproven, V::RefusedUnknown},
                          Row{SourceState::OnItsWay, V::BelievedUnproven, V::RefusedOnItsWay},
                          Row{SourceState::Good, V::Believed, V::Believed},
                          Row{SourceState::Revoked, V::RefusedRevoked, V::RefusedRevoked}}) {
    EXPECT_EQ(judge_revocation(row.state, RevocationPolicy::Soft), row.soft);
    EXPECT_EQ(judge_revocation(row.state, RevocationPolicy::Hard), row.hard);
  }
}

TEST_F(Gathered, IsOnItsWayUntilEveryAddressWasTried) {
  EXPECT_EQ(weigh(), SourceState::OnItsWay);
  EXPECT_EQ(weigh(), SourceState::OnItsWay);
  const auto asked = evidence->take_asked();
  ASSERT_THAT(asked, SizeIs(1)) << "one question, however often it is asked";
  EXPECT_EQ(asked[0].certificate, leaf);
  EXPECT_EQ(asked[0].issuer, root.certificate);
  EXPECT_THAT(evidence->take_asked(), IsEmpty());
  evidence->settle(leaf);
  EXPECT_EQ(weigh(), SourceState::None);
}

TEST_F(Gathered, IsNeverOnItsWayWhereNobodyGathers) {
  evidence = std::make_shared<GatheredEvidence>(Gathering::Off);
  EXPECT_EQ(weigh(), SourceState::None);
  EXPECT_THAT(evidence->take_asked(), IsEmpty());
}

TEST_F(Gathered, RevokedAnywhereWins_L09) {
  struct Row {
    const char* what;
    Testimony file, list, response;
    SourceState expected;
  };
  constexpr auto S = Testimony::Silent, G = Testimony::Good, R = Testimony::Revoked;
  for (const auto& row :
       {Row{"nothing", S, S, S, SourceState::None}, Row{"a file", G, S, S, SourceState::Good},
        Row{"a fetched list", S, G, S, SourceState::Good}, Row{"a response", S, S, G, SourceState::Good},
        Row{"file revokes", R, G, G, SourceState::Revoked}, Row{"list revokes, OCSP good", G, R, G, SourceState::Revoked},
        Row{"OCSP revokes, lists good", G, G, R, SourceState::Revoked},
        Row{"OCSP revokes alone", S, S, R, SourceState::Revoked}}) {
    SCOPED_TRACE(row.what);
    evidence = std::make_shared<GatheredEvidence>(Gathering::On);
    weigh();
    evidence->settle(leaf);
    if (row.list != S) {
      EXPECT_TRUE(take_list({.revoked = row.list == R ? std::vector{leaf} : std::vector<Certificate>{}}));
    }
    if (row.response != S) {
      EXPECT_TRUE(take_ocsp({.status = row.response == R ? OcspMint::Status::Revoked : OcspMint::Status::Good}));
    }
    EXPECT_EQ(weigh(row.file), row.expected);
  }
}

TEST_F(Gathered, BadEvidenceIsNone_L09) {
  weigh();
  evidence->settle(leaf);
  EXPECT_FALSE(take_list({.next_update = noon() - 1s}));
  EXPECT_FALSE(take_list({.next_update = {}}));
  EXPECT_FALSE(take_list({.signer = testing::ec_key()}));
  EXPECT_FALSE(take_list({.extensions = {{"deltaCRL", "critical,DER:02:01:01"}}}));
  EXPECT_FALSE(take_list({.extensions = {{"issuingDistributionPoint", "critical,indirectCRL:TRUE"}}}));
  EXPECT_FALSE(evidence->take_list(list_address, root.certificate, "<html>moved</html>", noon()));
  EXPECT_FALSE(evidence->take_list(list_address, root.certificate, Bytes(11u << 20, '0'), noon()));
  EXPECT_FALSE(take_ocsp({.next_update = noon() - 1s}));
  EXPECT_FALSE(take_ocsp({.this_update = noon() + 1h, .next_update = noon() + 2h}));
  EXPECT_EQ(weigh(), SourceState::None);
  EXPECT_TRUE(take_list({.this_update = noon() - 30min})) << "the twin";
  EXPECT_EQ(weigh(), SourceState::Good);
}

TEST_F(Gathered, TakesAListInPem) {
  const auto der = mint_crl({.issuer = &root}).der;
  const auto pem = "-----BEGIN X509 CRL-----\n" + base::base64(der) + "\n-----END X509 CRL-----\n";
  weigh();
  EXPECT_TRUE(evidence->take_list(list_address, root.certificate, pem, noon()));
  EXPECT_EQ(weigh(), SourceState::Good);
}

TEST_F(Gathered, WhatAnExpiredListRevokesStaysRevoked_L09) {
  weigh();
  EXPECT_FALSE(take_list({.revoked = {leaf}, .next_update = noon() - 1s}));
  EXPECT_EQ(weigh(), SourceState::Revoked);
}

TEST_F(Gathered, IsNotReplacedByWhatIsOlder) {
  weigh();
  EXPECT_TRUE(take_list({.revoked = {leaf}, .this_update = noon() - 10min}));
  EXPECT_FALSE(take_list({.this_update = noon() - 20min})) << "yesterday's list, sent again";
  EXPECT_EQ(weigh(), SourceState::Revoked);
  EXPECT_TRUE(take_list({.this_update = noon() - 5min})) << "a hold that was lifted";
  EXPECT_EQ(weigh(), SourceState::Good);
  EXPECT_TRUE(take_ocsp({.status = OcspMint::Status::Revoked, .this_update = noon() - 10min}));
  EXPECT_FALSE(take_ocsp({.this_update = noon() - 20min}));
  EXPECT_EQ(weigh(), SourceState::Revoked);
}

TEST_F(Gathered, CeasesToVouchWithItsTime) {
  weigh();
  evidence->settle(leaf);
  EXPECT_EQ(take_list({}).value(), noon() + 1h);
  EXPECT_EQ(weigh(Testimony::Silent, noon() + 1h), SourceState::Good);
  EXPECT_EQ(weigh(Testimony::Silent, noon() + 1h + 1us), SourceState::None);
}

TEST_F(Gathered, DoesNotBelieveAResponderThatAListRevokes_L09) {
  const auto delegate = mint({.name = "responder",
                              .issuer = &root,
                              .key = testing::ec_key(),
                              .extensions = {{"extendedKeyUsage", "OCSPSigning"}}});
  weigh();
  evidence->settle(leaf);
  EXPECT_TRUE(take_ocsp({.responder = &delegate}));
  EXPECT_EQ(weigh(), SourceState::Good);
  EXPECT_FALSE(take_list({.revoked = {delegate.certificate}, .next_update = noon() - 1s}));
  EXPECT_EQ(weigh(), SourceState::None);
}

TEST_F(Gathered, TellsWhoIsSilentAndSinceWhen) {
  weigh(Testimony::Silent, noon());
  weigh(Testimony::Silent, noon() + 1h);
  ASSERT_THAT(evidence->silent(), SizeIs(1));
  EXPECT_EQ(evidence->silent()[0].certificate, leaf);
  EXPECT_EQ(evidence->silent()[0].since, noon());
  weigh(Testimony::Good, noon() + 2h);
  EXPECT_THAT(evidence->silent(), IsEmpty());
  weigh(Testimony::Silent, noon() + 3h);
  EXPECT_EQ(evidence->silent()[0].since, noon() + 3h) << "silent anew";
  evidence->tidy(noon() + 24h * 31);
  EXPECT_THAT(evidence->silent(), IsEmpty()) << "who has expired is not waited for";
}

TEST_F(Gathered, ForgetsWhoIsNotAskedAboutForAWeek) {
  weigh();
  EXPECT_TRUE(take_list({.next_update = noon() + 24h * 20}));
  evidence->tidy(noon() + 24h * 7);
  EXPECT_THAT(evidence->asked_about(), SizeIs(1));
  EXPECT_EQ(weigh(Testimony::Silent, noon() + 24h * 7), SourceState::Good);
  evidence->tidy(noon() + 24h * 14 + 1us);
  EXPECT_THAT(evidence->asked_about(), IsEmpty());
  EXPECT_EQ(weigh(Testimony::Silent, noon() + 24h * 14 + 1us), SourceState::OnItsWay) << "its list went with it";
}

TEST_F(Gathered, IsBounded) {
  evidence = std::make_shared<GatheredEvidence>(
      Gathering::On, GatheredLimits{.questions = 1, .lists = 2, .list_bytes_together = 1000});
  weigh();
  EXPECT_EQ(evidence->weigh(other, root.certificate, Testimony::Silent, noon()), SourceState::None);
  EXPECT_THAT(evidence->take_asked(), SizeIs(1));
  const auto list = mint_crl({.issuer = &root}).der;
  EXPECT_TRUE(evidence->take_list("http://a.example/", root.certificate, list, noon()));
  EXPECT_TRUE(evidence->take_list("http://b.example/", root.certificate, list, noon()));
  EXPECT_FALSE(evidence->take_list("http://c.example/", root.certificate, list, noon()));
  EXPECT_FALSE(evidence->take_list(
      "http://a.example/", root.certificate,
      mint_crl({.issuer = &root, .extensions = {{"nsComment", std::string(1000, 'x')}}}).der, noon()));
}

TEST_F(Gathered, IsWhatAJudgeLooksInto_L09) {
  const TrustStore hard({.anchors_with_policy = {{root.certificate, RevocationPolicy::Hard}}, .gathered = evidence});
  const TrustStore soft({.anchors = {root.certificate}, .gathered = evidence});
  const auto judged = [&](const TrustStore& store) -> Result<TrustedCertificate> {
    return store.validate(leaf, {}, Use::TlsClient, noon());
  };
  EXPECT_EQ(judged(hard).error().code, Errc::RevocationOnItsWay);
  EXPECT_FALSE(judged(soft).value().is_proven_unrevoked());
  evidence->settle(leaf);
  EXPECT_EQ(judged(hard).error().code, Errc::RevocationUnknown);
  EXPECT_TRUE(take_ocsp({}));
  EXPECT_TRUE(judged(hard));
  EXPECT_TRUE(judged(soft).value().is_proven_unrevoked());
  EXPECT_TRUE(take_list({.revoked = {leaf}}));
  EXPECT_EQ(judged(hard).error().code, Errc::Revoked);
  EXPECT_EQ(judged(soft).error().code, Errc::Revoked);
}

TEST_F(Gathered, PolicyIsThatOfTheNetworksAnchor) {
  const auto middle = mint_authority("middle", &root);
  const auto below = mint({.issuer = &middle}).certificate;
  const TrustStore store({.intermediates = {middle.certificate},
                          .pinned = {below},
                          .revocation = RevocationPolicy::Soft,
                          .anchors_with_policy = {{root.certificate, RevocationPolicy::Hard}}});
  EXPECT_EQ(store.validate(below, {}, Use::TlsClient, noon()).error().code, Errc::RevocationUnknown)
      << "a pin below the network's anchor too";
  EXPECT_EQ(store.validate(leaf, {}, Use::TlsClient, noon()).error().code, Errc::RevocationUnknown);
  const TrustStore twice({.anchors_with_policy = {{root.certificate, RevocationPolicy::Hard},
                                                  {root.certificate, RevocationPolicy::Soft}}});
  EXPECT_FALSE(twice.validate(leaf, {}, Use::TlsClient, noon())) << "the stricter of two";
}

TEST_F(Gathered, IsAskedAheadAboutPins) {
  const TrustStore store({.anchors = {root.certificate}, .pinned = {leaf}, .gathered = evidence});
  store.ask_ahead(noon());
  ASSERT_THAT(evidence->take_asked(), SizeIs(1));
  EXPECT_FALSE(store.validate(leaf, {}, Use::TlsClient, noon()).value().is_proven_unrevoked());
  EXPECT_THAT(evidence->take_asked(), IsEmpty());
}

TEST_F(Gathered, IsJudgedAndTakenByManyThreadsAtOnce) {
  const TrustStore store({.anchors = {root.certificate}, .gathered = evidence});
  std::atomic<int> believed = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 50; ++i) {
          believed += store.validate(leaf, {}, Use::TlsClient, noon()).has_value();
          if (thread == 0) (void)take_list({}).has_value();
          if (thread == 1) (void)evidence->silent();
        }
      });
    }
  }
  EXPECT_EQ(believed, 200);
}

TEST(EvidenceAddresses, AreThoseOfListsAndRespondersOnly) {
  const auto issuer = mint_authority("issuer");
  const auto with = [&](std::vector<testing::Extension> extensions) {
    return evidence_addresses(mint({.issuer = &issuer, .extensions = std::move(extensions)}).certificate);
  };
  const auto found = with({{"crlDistributionPoints", "URI:http://a.example/1.crl,URI:ldap://a.example/cn=1,URI:file:///etc/passwd"},
                           {"authorityInfoAccess", "OCSP;URI:http://o.example/,OCSP;URI:https://o.example/,"
                                                   "caIssuers;URI:http://canary.example/ca.der"}});
  EXPECT_THAT(found.lists, ElementsAre("http://a.example/1.crl"));
  EXPECT_THAT(found.responders, ElementsAre("http://o.example/")) << "issuers' certificates are never fetched (L04)";
  EXPECT_THAT(with({}).lists, IsEmpty());
  std::string many = "URI:http://a.example/0";
  for (int i = 1; i < 20; ++i) many += ",URI:http://a.example/" + std::to_string(i);
  EXPECT_THAT(with({{"crlDistributionPoints", many}}).lists, SizeIs(8));
}

}  // namespace
}  // namespace certs
