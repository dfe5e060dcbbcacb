#include "certs/revocation.hpp"

#include "certs/testing.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

namespace certs {
namespace {

using namespace std::chrono_literals;
using testing::CrlMint;
using testing::mint;
using testing::mint_authority;
using testing::mint_crl;
using testing::noon;
using testing::Party;

using Verdict = std::optional<Errc>;  ///< empty: believed

struct Revocation : ::testing::Test {
  Party root = mint_authority("root");
  Party middle = mint_authority("middle", &root);
  Certificate leaf = mint({.issuer = &middle}).certificate;
  Certificate other = mint({.issuer = &middle}).certificate;
  RevocationList of_root = mint_crl({.issuer = &root});

  Verdict verdict(std::vector<RevocationList> lists, RevocationPolicy policy, Instant now = noon()) const {
    return verdict_on(leaf, std::move(lists), policy, now);
  }
  Verdict verdict_on(const Certificate& certificate, std::vector<RevocationList> lists, RevocationPolicy policy,
                     Instant now = noon()) const {
    lists.push_back(of_root);
    const TrustStore store({.anchors = {root.certificate}, .crls = std::move(lists), .revocation = policy});
    const auto result = store.validate(certificate, std::vector{middle.certificate}, Use::TlsClient, now);
    if (result) return std::nullopt;
    return static_cast<Errc>(result.error().code.value());
  }
};

struct ListCase {
  const char* what;
  std::vector<RevocationList> lists;
  Verdict soft, hard;
};

TEST_F(Revocation, IsJudgedByTheStateOfTheListAndThePolicy) {
  const auto list = [&](CrlMint order) {
    order.issuer = &middle;
    return mint_crl(order);
  };
  const auto foreign_key = testing::ec_key();
  const std::vector<Certificate> it{leaf}, another{other};
  const Verdict good, revoked = Errc::Revoked, unknown = Errc::RevocationUnknown;
  const std::vector<ListCase> cases{
      {"none", {}, good, unknown},
      {"current, another revoked", {list({.revoked = another})}, good, good},
      {"current, revoked", {list({.revoked = it})}, revoked, revoked},
      {"expired", {list({.next_update = noon() - 1s})}, good, unknown},
      {"expired, revoked", {list({.revoked = it, .next_update = noon() - 1s})}, revoked, revoked},
      {"of tomorrow", {list({.this_update = noon() + 1s})}, good, unknown},
      {"of tomorrow, revoked", {list({.revoked = it, .this_update = noon() + 1s})}, revoked, revoked},
      {"without nextUpdate", {list({.next_update = {}})}, good, unknown},
      {"a newer good one beside a revoking one",
       {list({}), list({.revoked = it, .next_update = noon() - 1s})},
       revoked,
       revoked},
      {"by another key, revoked", {list({.revoked = it, .signer = foreign_key})}, good, unknown},
      {"by another key beside a good one", {list({.signer = foreign_key}), list({})}, good, good},
      {"signed with SHA-1", {list({.digest = Digest::Sha1})}, good, unknown},
      {"signed with SHA-1, revoked", {list({.revoked = it, .digest = Digest::Sha1})}, revoked, revoked},
      {"a delta", {list({.extensions = {{"deltaCRL", "critical,DER:02:01:01"}}})}, good, unknown},
      {"an unknown critical extension", {list({.extensions = {{"1.2.3.4", "critical,DER:05:00"}}})}, good, unknown},
      {"an unknown extension", {list({.extensions = {{"1.2.3.4", "DER:05:00"}}})}, good, good},
      {"an entry with an unknown critical extension",
       {list({.revoked = another, .entry_extensions = {{"1.2.3.4", "critical,DER:05:00"}}})},
       good,
       unknown},
      {"an entry with a reason",
       {list({.revoked = another, .entry_extensions = {{"CRLReason", "DER:0A:01:01"}}})},
       good,
       good},
      {"indirect", {list({.extensions = {{"issuingDistributionPoint", "critical,indirectCRL:TRUE"}}})}, good, unknown},
      {"for users", {list({.extensions = {{"issuingDistributionPoint", "critical,onlyuser:TRUE"}}})}, good, good},
      {"for authorities",
       {list({.extensions = {{"issuingDistributionPoint", "critical,onlyCA:TRUE"}}})},
       good,
       unknown},
      {"for attributes", {list({.extensions = {{"issuingDistributionPoint", "critical,onlyAA:TRUE"}}})}, good, unknown},
      {"for some reasons",
       {list({.extensions = {{"issuingDistributionPoint", "critical,onlysomereasons:keyCompromise"}}})},
       good,
       unknown},
      {"not a list", {{"<html>not here</html>"}}, good, unknown},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(row.what);
    EXPECT_EQ(verdict(row.lists, RevocationPolicy::Soft), row.soft);
    EXPECT_EQ(verdict(row.lists, RevocationPolicy::Hard), row.hard);
  }
}

TEST_F(Revocation, TakesAListOfOneDistributionPointForItsOwnCertificatesOnly) {
  const auto of_shard =
      mint_crl({.issuer = &middle,
                .extensions = {{"issuingDistributionPoint", "critical,fullname:URI:http://a.example/1.crl"}}});
  const auto in = [&](const char* point) {
    return mint({.issuer = &middle, .extensions = {{"crlDistributionPoints", std::string("URI:") + point}}})
        .certificate;
  };
  EXPECT_EQ(verdict_on(in("http://a.example/1.crl"), {of_shard}, RevocationPolicy::Hard), std::nullopt);
  EXPECT_EQ(verdict_on(in("http://a.example/2.crl"), {of_shard}, RevocationPolicy::Hard), Errc::RevocationUnknown);
  EXPECT_EQ(verdict_on(leaf, {of_shard}, RevocationPolicy::Hard), Errc::RevocationUnknown);
}

TEST_F(Revocation, ListVouchesFromItsFirstInstantToItsLast) {
  const auto list = mint_crl({.issuer = &middle, .this_update = noon() - 10min, .next_update = noon() + 10min});
  for (const auto& [now, expected] : {std::pair<Instant, Verdict>{noon() - 10min - 1us, Errc::RevocationUnknown},
                                      {noon() - 10min, std::nullopt},
                                      {noon() + 10min, std::nullopt},
                                      {noon() + 10min + 1us, Errc::RevocationUnknown}})
    EXPECT_EQ(verdict({list}, RevocationPolicy::Hard, now), expected);
}

TEST_F(Revocation, OfAnIntermediateEndsThePath) {
  const auto root_revokes = mint_crl({.issuer = &root, .revoked = {middle.certificate}});
  EXPECT_EQ(verdict({root_revokes, mint_crl({.issuer = &middle})}, RevocationPolicy::Soft), Errc::Revoked);
  of_root = mint_crl({.issuer = &root, .next_update = noon() - 1s});
  EXPECT_EQ(verdict({mint_crl({.issuer = &middle})}, RevocationPolicy::Hard), Errc::RevocationUnknown);
}

TEST_F(Revocation, ByAnAuthorityOfTheSameNameCountsForNothing) {
  const auto impostor = mint_authority("middle");
  EXPECT_EQ(verdict({mint_crl({.issuer = &impostor, .revoked = {leaf}})}, RevocationPolicy::Soft), std::nullopt);
  EXPECT_EQ(verdict({mint_crl({.issuer = &impostor})}, RevocationPolicy::Hard), Errc::RevocationUnknown);
}

TEST_F(Revocation, NeedsAnIssuerThatMaySignLists) {
  for (const auto& [usage, expected] : {std::pair<const char*, Verdict>{"keyCertSign", Errc::RevocationUnknown},
                                        {"keyCertSign,cRLSign", std::nullopt}}) {
    middle = mint_authority("middle", &root, {{"keyUsage", usage}});
    leaf = mint({.issuer = &middle}).certificate;
    EXPECT_EQ(verdict({mint_crl({.issuer = &middle})}, RevocationPolicy::Hard), expected) << usage;
  }
}

TEST_F(Revocation, IsJudgedAtEveryCallThoughTheChainIsKept) {
  const TrustStore store({.anchors = {root.certificate},
                          .crls = {of_root, mint_crl({.issuer = &middle})},
                          .revocation = RevocationPolicy::Hard});
  const std::vector presented{middle.certificate};
  EXPECT_TRUE(store.validate(leaf, presented, Use::TlsClient, noon()));
  const auto later = store.validate(leaf, presented, Use::TlsClient, noon() + 2h);
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, Errc::RevocationUnknown);
  EXPECT_TRUE(store.validate(leaf, presented, Use::TlsClient, noon() + 1min));
}

TEST_F(Revocation, IsJudgedByManyThreadsAtOnce) {
  const TrustStore store({.anchors = {root.certificate},
                          .crls = {of_root, mint_crl({.issuer = &middle, .revoked = {other}})},
                          .revocation = RevocationPolicy::Hard});
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&] {
        const std::vector presented{middle.certificate};
        for (int i = 0; i < 50; ++i) {
          right += store.validate(leaf, presented, Use::TlsClient, noon()).has_value();
          right += !store.validate(other, presented, Use::TlsClient, noon()).has_value();
        }
      });
  }
  EXPECT_EQ(right, 400);
}

TEST_F(Revocation, ReachesPinnedCertificates) {
  const auto verdict_on_pin = [&](const Certificate& pin, const RevocationList& list, RevocationPolicy policy) {
    const TrustStore store({.anchors = {root.certificate},
                            .intermediates = {middle.certificate},
                            .pinned = {pin},
                            .crls = {list},
                            .revocation = policy});
    const auto result = store.validate(pin, {}, Use::TlsClient, noon());
    return result ? Verdict() : static_cast<Errc>(result.error().code.value());
  };
  const auto revoking = mint_crl({.issuer = &middle, .revoked = {leaf}}), clean = mint_crl({.issuer = &middle});
  EXPECT_EQ(verdict_on_pin(leaf, revoking, RevocationPolicy::Soft), Errc::Revoked);
  EXPECT_EQ(verdict_on_pin(leaf, clean, RevocationPolicy::Hard), std::nullopt);
  EXPECT_EQ(verdict_on_pin(leaf, of_root, RevocationPolicy::Hard), Errc::RevocationUnknown);
  EXPECT_EQ(verdict_on_pin(leaf, of_root, RevocationPolicy::Soft), std::nullopt);
  const auto impostor = mint_authority("middle");
  EXPECT_EQ(verdict_on_pin(leaf, mint_crl({.issuer = &impostor, .revoked = {leaf}}), RevocationPolicy::Soft),
            std::nullopt);
}

TEST_F(Revocation, OfASelfSignedPinIsByItself) {
  const auto pin = mint({.name = "alone", .key = testing::ec_key()});
  for (const auto& [list, expected] :
       {std::pair{mint_crl({.issuer = &pin, .revoked = {pin.certificate}}), Verdict(Errc::Revoked)},
        {mint_crl({.issuer = &pin, .revoked = {pin.certificate}, .signer = testing::ec_key()}), Verdict()}}) {
    const TrustStore store({.pinned = {pin.certificate}, .crls = {list}, .revocation = RevocationPolicy::Hard});
    const auto result = store.validate(pin.certificate, {}, Use::TlsClient, noon());
    EXPECT_EQ(result ? Verdict() : static_cast<Errc>(result.error().code.value()), expected);
  }
}

TEST_F(Revocation, ListsAreReadFromDerAndPem) {
  const auto pem = "-----BEGIN X509 CRL-----\n" + base::base64(of_root.der) + "\n-----END X509 CRL-----\n";
  EXPECT_EQ(read_crls(of_root.der).value().front().der, of_root.der);
  EXPECT_EQ(read_crls(pem + pem).value().size(), 2u);
  for (const auto& bad : {Bytes(), Bytes("<html>"), of_root.der + '\0', of_root.der.substr(0, 40), leaf.to_pem(),
                          leaf.der(), pem + "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"}) {
    const auto refused = read_crls(bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::UnreadableCrl);
  }
}

TEST_F(Revocation, ListAbove10MegabytesIsNoEvidence) {
  const auto filled = [&](std::size_t size) {
    return mint_crl({.issuer = &middle, .revoked = {leaf}, .extensions = {{"nsComment", std::string(size, 'x')}}});
  };
  EXPECT_EQ(verdict({filled(10'480'000)}, RevocationPolicy::Soft), Errc::Revoked);
  EXPECT_EQ(verdict({filled(10'490'000)}, RevocationPolicy::Soft), std::nullopt);
}

}  // namespace
}  // namespace certs
