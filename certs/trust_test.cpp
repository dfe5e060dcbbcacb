#include "certs/trust.hpp"

#include "certs/testing.hpp"

#include <gmock/gmock.h>

#include <type_traits>

namespace certs {
namespace {

using namespace std::chrono_literals;
using testing::Extension;
using testing::mint;
using testing::mint_authority;
using testing::noon;
using testing::Party;

static_assert(!std::is_constructible_v<TrustedCertificate, Certificate>);
static_assert(!std::is_constructible_v<TrustedCertificate, Certificate, TrustedCertificate::By>);
static_assert(!std::is_default_constructible_v<TrustedCertificate>);

using Verdict = std::optional<Errc>;  ///< empty: believed
constexpr std::nullopt_t believed = std::nullopt;

Verdict judged(const TrustStore& store, const Certificate& leaf, const std::vector<Certificate>& presented = {},
               Use use = Use::TlsClient, Instant now = noon()) {
  const auto result = store.validate(leaf, presented, use, now);
  if (result) return believed;
  return static_cast<Errc>(result.error().code.value());
}

struct Trust : ::testing::Test {
  Party root = mint_authority("root");
  Party middle = mint_authority("middle", &root);
  TrustStore store{{.anchors = {root.certificate}}};

  Verdict verdict_on(const Certificate& leaf, Use use = Use::TlsClient) const {
    return judged(store, leaf, {middle.certificate}, use);
  }
};

TEST_F(Trust, FollowsAPathThroughAPresentedIntermediate) {
  const auto leaf = mint({.issuer = &middle}).certificate;
  const auto trusted = store.validate(leaf, std::vector{middle.certificate}, Use::TlsClient, noon());
  ASSERT_TRUE(trusted);
  EXPECT_EQ(trusted->certificate(), leaf);
  EXPECT_EQ(trusted->by(), TrustedCertificate::By::Path);
}

TEST_F(Trust, FollowsAPathThroughAnIntermediateAtHandOrAnAuthorityBelowARootAsAnchor) {
  const auto leaf = mint({.issuer = &middle}).certificate;
  const TrustStore with_intermediate({.anchors = {root.certificate}, .intermediates = {middle.certificate}});
  const TrustStore with_anchor_below({.anchors = {middle.certificate}});
  EXPECT_EQ(judged(with_intermediate, leaf), believed);
  EXPECT_EQ(judged(with_anchor_below, leaf), believed);
}

TEST_F(Trust, RefusesWhereAnIntermediateIsMissing) {
  EXPECT_EQ(judged(store, mint({.issuer = &middle}).certificate), Errc::UnknownIssuer);
}

TEST_F(Trust, DoesNotTakeAnIntermediateForAnAnchor) {
  const TrustStore without_anchors({.intermediates = {root.certificate, middle.certificate}});
  EXPECT_EQ(judged(without_anchors, mint({.issuer = &middle}).certificate, {middle.certificate, root.certificate}),
            Errc::UnknownIssuer);
}

TEST_F(Trust, RefusesForeignersWhateverTheyCallThemselves) {
  EXPECT_EQ(judged(store, mint({}).certificate), Errc::UnknownIssuer);
  const auto same_name = mint_authority("root");
  const auto leaf = mint({.issuer = &same_name}).certificate;
  EXPECT_EQ(judged(store, leaf), Errc::UnknownIssuer);
  EXPECT_EQ(judged(store, leaf, {same_name.certificate}), Errc::UnknownIssuer);
  EXPECT_EQ(judged(TrustStore({.anchors = {same_name.certificate}}), leaf), believed);
}

TEST_F(Trust, RefusesSameNamedAuthoritiesThatNameTheirKeyToo) {
  const std::vector<Extension> key_id{{"subjectKeyIdentifier", "01:02:03:04:05:06:07:08"}};
  const auto ours = mint_authority("ca", nullptr, key_id), theirs = mint_authority("ca", nullptr, key_id);
  const TrustStore trusting({.anchors = {ours.certificate}});
  const std::vector<Extension> by_id{{"authorityKeyIdentifier", "keyid:always"}};
  EXPECT_EQ(judged(trusting, mint({.issuer = &theirs, .extensions = by_id}).certificate), Errc::UnknownIssuer);
  EXPECT_EQ(judged(trusting, mint({.issuer = &ours, .extensions = by_id}).certificate), believed);
}

struct UseCase {
  const char* what;
  std::vector<Extension> extensions;
  Verdict client, server, message, mail;
};

TEST_F(Trust, JudgesALeafByItsUsage) {
  const Verdict bad_path = Errc::BadPath, other_use = Errc::NotForThisUse;
  const std::vector<UseCase> cases{
      {"no usage at all", {}, {}, {}, {}, {}},
      {"digitalSignature", {{"keyUsage", "critical,digitalSignature"}}, {}, {}, {}, {}},
      {"nonRepudiation", {{"keyUsage", "critical,nonRepudiation"}}, other_use, other_use, {}, {}},
      {"keyEncipherment", {{"keyUsage", "critical,keyEncipherment"}}, other_use, other_use, other_use, other_use},
      {"both TLS sides", {{"extendedKeyUsage", "clientAuth,serverAuth"}}, {}, {}, {}, other_use},
      {"TLS servers only", {{"extendedKeyUsage", "serverAuth"}}, other_use, {}, {}, other_use},
      {"TLS clients only", {{"extendedKeyUsage", "clientAuth"}}, {}, other_use, {}, other_use},
      {"mail only", {{"extendedKeyUsage", "emailProtection"}}, other_use, other_use, {}, {}},
      {"code signing only", {{"extendedKeyUsage", "codeSigning"}}, other_use, other_use, {}, other_use},
      {"CA:FALSE", {{"basicConstraints", "critical,CA:FALSE"}}, {}, {}, {}, {}},
      {"CA:TRUE", {{"basicConstraints", "critical,CA:TRUE"}}, bad_path, bad_path, bad_path, bad_path},
      {"an unknown extension", {{"1.2.3.4", "DER:05:00"}}, {}, {}, {}, {}},
      {"an unknown critical extension", {{"1.2.3.4", "critical,DER:05:00"}}, bad_path, bad_path, bad_path, bad_path},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(row.what);
    const auto leaf = mint({.issuer = &middle, .extensions = row.extensions}).certificate;
    EXPECT_EQ(verdict_on(leaf, Use::TlsClient), row.client);
    EXPECT_EQ(verdict_on(leaf, Use::TlsServer), row.server);
    EXPECT_EQ(verdict_on(leaf, Use::MessageSignature), row.message);
    EXPECT_EQ(verdict_on(leaf, Use::MailSignature), row.mail);
  }
}

struct AuthorityCase {
  const char* what;
  std::vector<Extension> authority;
  Verdict verdict;
};

TEST_F(Trust, JudgesTheAuthoritiesOfAPath) {
  const std::vector<AuthorityCase> cases{
      {"CA:TRUE", {{"basicConstraints", "critical,CA:TRUE"}}, {}},
      {"CA:FALSE", {{"basicConstraints", "critical,CA:FALSE"}}, Errc::BadPath},
      {"keyCertSign alone", {{"basicConstraints", "critical,CA:FALSE"}, {"keyUsage", "keyCertSign"}}, Errc::BadPath},
      {"usage with keyCertSign", {{"keyUsage", "critical,keyCertSign,cRLSign"}}, {}},
      {"usage without keyCertSign", {{"keyUsage", "critical,cRLSign"}}, Errc::BadPath},
      {"for TLS clients", {{"extendedKeyUsage", "clientAuth"}}, {}},
      {"for mail only", {{"extendedKeyUsage", "emailProtection"}}, Errc::NotForThisUse},
      {"names permitted", {{"nameConstraints", "critical,permitted;DNS:example"}}, {}},
      {"names not permitted", {{"nameConstraints", "critical,permitted;DNS:other"}}, Errc::BadPath},
      {"names excluded", {{"nameConstraints", "critical,excluded;DNS:clinic.example"}}, Errc::BadPath},
      {"an unknown critical extension", {{"1.2.3.4", "critical,DER:05:00"}}, Errc::BadPath},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(row.what);
    const auto authority = mint_authority("authority", &root, row.authority);
    const auto leaf =
        mint({.issuer = &authority, .extensions = {{"subjectAltName", "DNS:gateway.clinic.example"}}}).certificate;
    EXPECT_EQ(judged(store, leaf, {authority.certificate}), row.verdict);
  }
}

TEST_F(Trust, RefusesAnAuthorityOfVersion1) {
  const auto old = mint({.name = "old", .key = testing::ec_key(), .version = 1});
  const TrustStore trusting_old({.anchors = {old.certificate}});
  EXPECT_EQ(judged(trusting_old, mint({.issuer = &old}).certificate), Errc::BadPath);
}

TEST_F(Trust, KeepsThePathLengthOfAnAuthority) {
  const auto closed = mint_authority("closed", &root, {{"basicConstraints", "critical,CA:TRUE,pathlen:0"}});
  const auto below = mint_authority("below", &closed);
  EXPECT_EQ(judged(store, mint({.issuer = &closed}).certificate, {closed.certificate}), believed);
  EXPECT_EQ(judged(store, mint({.issuer = &below}).certificate, {below.certificate, closed.certificate}),
            Errc::BadPath);
}

/// A leaf below `count` intermediates, and those.
std::pair<Certificate, std::vector<Certificate>> long_path(const Party& root, int count) {
  std::vector<Certificate> presented;
  Party issuer = root;
  for (int i = 0; i < count; ++i) {
    issuer = mint_authority("a" + std::to_string(i), &issuer);
    presented.push_back(issuer.certificate);
  }
  return {mint({.issuer = &issuer}).certificate, presented};
}

TEST_F(Trust, FollowsSixIntermediatesAndNoMore) {
  for (const auto& [count, verdict] :
       {std::pair<int, Verdict>{6, believed}, {7, Errc::BadPath}, {100, Errc::BadPath}}) {
    const auto [leaf, presented] = long_path(root, count);
    EXPECT_EQ(judged(store, leaf, presented), verdict) << count;
  }
}

TEST_F(Trust, TakesAtMost64KilobytesOfPresentedCertificates) {
  const auto leaf = mint({.issuer = &middle}).certificate;
  std::vector<Certificate> presented{middle.certificate};
  std::size_t bytes = middle.certificate.der().size();
  const auto ballast = mint({.name = "ballast", .extensions = {{"nsComment", std::string(9000, 'x')}}}).certificate;
  for (; bytes + ballast.der().size() <= 64 * 1024; bytes += ballast.der().size()) presented.push_back(ballast);
  EXPECT_EQ(judged(store, leaf, presented), believed);
  presented.push_back(ballast);
  EXPECT_EQ(judged(store, leaf, presented), Errc::BadPath);
}

/// A certificate of exactly that many octets: the comment fills it, and is tried again where the signature is shorter.
Certificate certificate_of_size(std::size_t wanted) {
  std::size_t comment = wanted - 400;
  for (;;) {
    auto made = mint({.name = "ballast", .extensions = {{"nsComment", std::string(comment, 'x')}}}).certificate;
    if (made.der().size() == wanted) return made;
    comment = comment + wanted - made.der().size();
  }
}

TEST_F(Trust, Takes64KilobytesAndNotOneOctetMore) {
  const auto leaf = mint({.issuer = &middle}).certificate;
  const std::size_t rest = 64 * 1024 - middle.certificate.der().size();
  EXPECT_EQ(judged(store, leaf, {middle.certificate, certificate_of_size(rest)}), believed);
  EXPECT_EQ(judged(store, leaf, {middle.certificate, certificate_of_size(rest + 1)}), Errc::BadPath);
}

TEST_F(Trust, FindsTheIssuerOfAPinByNameAndKey) {
  const Party namesake = mint_authority("other", nullptr);
  const Party same_key = mint({.name = "renamed", .key = root.key, .extensions = {{"basicConstraints", "CA:TRUE"}}});
  const auto pin = mint({.issuer = &root}).certificate;
  const auto revoking = testing::mint_crl({.issuer = &root, .revoked = {pin}});
  const TrustStore revoked({.anchors = {namesake.certificate, same_key.certificate, root.certificate},
                            .pinned = {pin},
                            .crls = {revoking}});
  EXPECT_EQ(judged(revoked, pin), Errc::Revoked) << "the list of the issuer, not of another name with its key";
  const Party weak = mint({.name = "weak", .key = testing::rsa_key(1024), .extensions = {{"basicConstraints", "CA:TRUE"}}});
  const auto below_weak = mint({.issuer = &weak}).certificate;
  const TrustStore with_weak({.anchors = {weak.certificate},
                              .pinned = {below_weak},
                              .crls = {testing::mint_crl({.issuer = &weak, .revoked = {below_weak}})}});
  EXPECT_EQ(judged(with_weak, below_weak), believed) << "what a weak key signed says nothing";
}

TEST_F(Trust, JudgesByThePolicyOfTheAnchorsNetworkAlsoWhereNothingMayStandBetween) {
  const auto leaf = mint({.issuer = &root}).certificate;
  const auto under = [&](std::vector<std::pair<Certificate, RevocationPolicy>> anchors) {
    const TrustStore network({.revocation = RevocationPolicy::Hard, .anchors_with_policy = anchors, .depth_max = 0});
    return judged(network, leaf);
  };
  EXPECT_EQ(under({{root.certificate, RevocationPolicy::Soft}}), believed);
  EXPECT_EQ(under({{root.certificate, RevocationPolicy::Hard}}), Errc::RevocationUnknown);
  EXPECT_EQ(under({{root.certificate, RevocationPolicy::Soft}, {root.certificate, RevocationPolicy::Hard}}),
            Errc::RevocationUnknown);
}

TEST_F(Trust, AsksNobodyAheadWhereNobodyGathers) {
  const TrustStore alone({.anchors = {root.certificate}, .intermediates = {middle.certificate}});
  alone.ask_ahead(noon());
  EXPECT_EQ(judged(alone, mint({.issuer = &middle}).certificate), believed);
}

TEST_F(Trust, RefusesALinkSignedWithSha1) {
  const auto old_link = mint({.issuer = &root, .digest = Digest::Sha1}).certificate;
  EXPECT_EQ(judged(store, old_link), Errc::WeakSignature);
  EXPECT_EQ(judged(store, mint({.issuer = &root, .digest = Digest::Sha256}).certificate), believed);
}

TEST_F(Trust, DoesNotMindHowAnAnchorSignedItself) {
  const auto old = mint({.name = "old",
                         .key = testing::ec_key(),
                         .extensions = {{"basicConstraints", "critical,CA:TRUE"}},
                         .digest = Digest::Sha1});
  EXPECT_EQ(judged(TrustStore({.anchors = {old.certificate}}), mint({.issuer = &old}).certificate), believed);
}

TEST_F(Trust, RefusesWeakKeysAnywhereInAPath) {
  const std::vector<std::pair<testing::Key, Verdict>> keys{{testing::rsa_key(2048), believed},
                                                           {testing::rsa_key(1024), Errc::KeyTooWeak},
                                                           {testing::rsa_key(2048, 3), Errc::KeyTooWeak},
                                                           {testing::ec_key("secp256k1"), Errc::KeyTooWeak},
                                                           {testing::rsa_key(4104), Errc::KeyTooWeak}};
  for (const auto& [key, verdict] : keys) {
    EXPECT_EQ(judged(store, mint({.issuer = &root, .key = key}).certificate), verdict);
    const auto authority = mint(
        {.name = "authority", .issuer = &root, .key = key, .extensions = {{"basicConstraints", "critical,CA:TRUE"}}});
    EXPECT_EQ(judged(store, mint({.issuer = &authority}).certificate, {authority.certificate}), verdict);
  }
}

TEST_F(Trust, BelievesFromTheFirstInstantToTheLast) {
  const auto leaf = mint({.issuer = &root, .not_before = noon() - 1h, .not_after = noon() + 1h}).certificate;
  const auto at = [&](Instant now) { return judged(store, leaf, {}, Use::TlsClient, now); };
  EXPECT_EQ(at(noon() - 1h - 1us), Errc::NotYetValid);
  EXPECT_EQ(at(noon() - 1h), believed);
  EXPECT_EQ(at(noon() + 1h), believed);
  EXPECT_EQ(at(noon() + 1h + 1us), Errc::Expired);
  EXPECT_EQ(at(noon()), believed) << "the kept chain must not carry an old verdict";
}

TEST_F(Trust, JudgesTheValidityOfEveryCertificateOfThePath) {
  const auto brief = mint({.name = "brief",
                           .issuer = &root,
                           .key = testing::ec_key(),
                           .extensions = {{"basicConstraints", "critical,CA:TRUE"}},
                           .not_after = noon() + 1h});
  const auto leaf = mint({.issuer = &brief}).certificate;
  EXPECT_EQ(judged(store, leaf, {brief.certificate}, Use::TlsClient, noon() + 1h), believed);
  EXPECT_EQ(judged(store, leaf, {brief.certificate}, Use::TlsClient, noon() + 1h + 1us), Errc::Expired);
}

TEST_F(Trust, TakesARenewedIntermediateWhereTheOldOneHasExpired) {
  const std::vector<Extension> ca{{"basicConstraints", "critical,CA:TRUE"}};
  const auto key = testing::ec_key();
  const auto old = mint({.name = "ca", .issuer = &root, .key = key, .extensions = ca, .not_after = noon() + 1h});
  const auto renewed = mint({.name = "ca", .issuer = &root, .key = key, .extensions = ca});
  const std::vector both{old.certificate, renewed.certificate};
  const auto leaf = mint({.issuer = &old}).certificate;
  EXPECT_EQ(judged(store, leaf, both), believed);
  EXPECT_EQ(judged(store, leaf, both, Use::TlsClient, noon() + 2h), believed);
}

TEST_F(Trust, RemembersAChainForItsUseOnly) {
  const auto server_only = mint({.issuer = &root, .extensions = {{"extendedKeyUsage", "serverAuth"}}}).certificate;
  EXPECT_EQ(judged(store, server_only, {}, Use::TlsServer), believed);
  EXPECT_EQ(judged(store, server_only, {}, Use::TlsClient), Errc::NotForThisUse);
}

TEST(Pins, SkipTheRulesOfPathsAndUse) {
  const auto nobody = mint_authority("nobody");
  for (const auto& pin : {mint({}).certificate, mint({.issuer = &nobody}).certificate, nobody.certificate,
                          mint({.extensions = {{"extendedKeyUsage", "serverAuth"}}}).certificate,
                          mint({.extensions = {{"keyUsage", "keyEncipherment"}}}).certificate}) {
    const TrustStore store({.pinned = {pin}});
    const auto trusted = store.validate(pin, {}, Use::TlsClient, noon());
    ASSERT_TRUE(trusted);
    EXPECT_EQ(trusted->by(), TrustedCertificate::By::Pin);
    EXPECT_EQ(judged(TrustStore(TrustEvidence{}), pin) == believed, false);
  }
}

TEST(Pins, BelieveThatVeryCertificateOnly) {
  const auto key = testing::ec_key();
  const auto pin = mint({.key = key}).certificate, twin = mint({.key = key}).certificate;
  EXPECT_EQ(judged(TrustStore({.pinned = {pin}}), twin), Errc::UnknownIssuer);
}

TEST(Pins, DoNotSkipValidity) {
  const auto pin = mint({.not_before = noon() - 1h, .not_after = noon() + 1h}).certificate;
  const TrustStore store({.pinned = {pin}});
  EXPECT_EQ(judged(store, pin, {}, Use::TlsClient, noon() - 1h - 1us), Errc::NotYetValid);
  EXPECT_EQ(judged(store, pin, {}, Use::TlsClient, noon() + 1h), believed);
  EXPECT_EQ(judged(store, pin, {}, Use::TlsClient, noon() + 1h + 1us), Errc::Expired);
}

TEST(Pins, DoNotSkipTheStrengthOfTheKey) {
  const auto pin = mint({.key = testing::rsa_key(1024)}).certificate;
  EXPECT_EQ(judged(TrustStore({.pinned = {pin}}), pin), Errc::KeyTooWeak);
}

TEST(HeldCertificates, AreFoundByKeyWherePinnedOrBelievedBefore) {
  const auto root = mint_authority("root");
  const auto pin = mint({.key = testing::ec_key()}).certificate;
  const auto leaf = mint({.issuer = &root, .key = testing::ec_key()}).certificate;
  const auto stranger = mint({.key = testing::ec_key()}).certificate;
  const TrustStore store({.anchors = {root.certificate}, .pinned = {pin}});
  EXPECT_EQ(store.held_certificate_with(pin.public_key()), pin);
  EXPECT_EQ(store.held_certificate_with(leaf.public_key()), std::nullopt);
  ASSERT_EQ(judged(store, leaf), believed);
  ASSERT_NE(judged(store, stranger), believed);
  EXPECT_EQ(store.held_certificate_with(leaf.public_key()), leaf);
  EXPECT_EQ(store.held_certificate_with(stranger.public_key()), std::nullopt);
}

}  // namespace
}  // namespace certs
