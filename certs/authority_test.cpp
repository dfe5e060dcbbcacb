#include "certs/authority.hpp"

#include "certs/openssl.hpp"
#include "certs/testing.hpp"

#include <gmock/gmock.h>
#include <openssl/pem.h>

namespace certs {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::noon;

const CertificateAuthority& demo() {
  static const auto authority = CertificateAuthority::create({.common_name = "Demo CA", .organization = "Gatehouse"},
                                                             noon(), std::chrono::days(3650));
  return authority;
}

TEST(Authority, IssuesWhatATrustStoreBelievesForEveryUse) {
  const TrustStore store({.anchors = {demo().credential().certificate}});
  for (const auto kind : {KeyKind::Rsa, KeyKind::Ec}) {
    const auto issued = demo().issue({.subject = {.common_name = "clinic.example",
                                                  .dns_names = {"clinic.example"},
                                                  .ip_addresses = {"127.0.0.1", "::1"}},
                                      .now = noon(),
                                      .key = kind});
    EXPECT_EQ(issued.key.kind(), kind);
    EXPECT_EQ(issued.key.public_key(), issued.certificate.public_key());
    EXPECT_THAT(issued.certificate.dns_names(), ElementsAre("clinic.example"));
    EXPECT_THAT(issued.chain, IsEmpty());
    for (const auto use : {Use::TlsClient, Use::TlsServer, Use::MessageSignature})
      EXPECT_TRUE(store.validate(issued.certificate, issued.chain, use, noon()));
  }
}

TEST(Authority, IssuesFromAnHourAgoForTheOrderedTimeAndNeverBeyondItsOwn) {
  const auto issued = demo().issue(
      {.subject = {.common_name = "x"}, .now = noon(), .lifetime = std::chrono::days(1), .key = KeyKind::Ec});
  EXPECT_EQ(issued.certificate.not_before(), noon() - 1h);
  EXPECT_EQ(issued.certificate.not_after(), noon() + 24h);
  const auto endless = demo().issue(
      {.subject = {.common_name = "x"}, .now = noon(), .lifetime = std::chrono::days(99'999), .key = KeyKind::Ec});
  EXPECT_EQ(endless.certificate.not_after(), demo().credential().certificate.not_after());
}

TEST(Authority, PutsAnAuthorityBelowItselfIntoTheChain) {
  const auto below = CertificateAuthority::open(
      demo().issue({.subject = {.common_name = "Below"}, .now = noon(), .key = KeyKind::Ec, .is_authority = true}));
  ASSERT_TRUE(below);
  const auto issued = below->issue({.subject = {.common_name = "leaf"}, .now = noon(), .key = KeyKind::Ec});
  EXPECT_THAT(issued.chain, ElementsAre(below->credential().certificate));
  const TrustStore store({.anchors = {demo().credential().certificate}});
  EXPECT_TRUE(store.validate(issued.certificate, issued.chain, Use::TlsServer, noon()));
  EXPECT_FALSE(store.validate(issued.certificate, {}, Use::TlsServer, noon()));
}

TEST(Authority, OpensNeitherALeafNorAForeignKey) {
  const auto leaf = demo().issue({.subject = {.common_name = "x"}, .now = noon(), .key = KeyKind::Ec});
  EXPECT_EQ(CertificateAuthority::open(leaf).error().code, Errc::BadPath);
  auto mixed = demo().credential();
  mixed.key = leaf.key;
  EXPECT_EQ(CertificateAuthority::open(mixed).error().code, Errc::KeyMismatch);
  EXPECT_TRUE(CertificateAuthority::open(demo().credential()));
}

TEST(Authority, RevokesBySerial) {
  const auto kept = demo().issue({.subject = {.common_name = "kept"}, .now = noon(), .key = KeyKind::Ec});
  const auto lost = demo().issue({.subject = {.common_name = "lost"}, .now = noon(), .key = KeyKind::Ec});
  const auto list = demo().revoke(std::vector{lost.certificate.serial()}, noon(), std::chrono::days(7));
  const TrustStore store({.anchors = {demo().credential().certificate},
                          .crls = read_crls(list).value(),
                          .revocation = RevocationPolicy::Hard});
  EXPECT_TRUE(store.validate(kept.certificate, {}, Use::TlsClient, noon()));
  EXPECT_EQ(store.validate(lost.certificate, {}, Use::TlsClient, noon()).error().code, Errc::Revoked);
  EXPECT_THROW(demo().revoke(std::vector<std::string>{"no serial"}, noon(), std::chrono::days(7)), std::runtime_error);
}

TEST(Authority, WritesANameWithACommaAsOneName) {
  const auto issued = demo().issue({.subject = {.common_name = "a,CN=b", .dns_names = {"a.example,DNS:evil.example"}},
                                    .now = noon(),
                                    .key = KeyKind::Ec});
  EXPECT_EQ(issued.certificate.subject(), "CN=a\\,CN=b");
  EXPECT_THAT(issued.certificate.dns_names(), ElementsAre("a.example,DNS:evil.example"));
}

TEST(Authority, ThrowsForWhatCannotBeWritten) {
  EXPECT_THROW(demo().issue({.subject = {.common_name = std::string(65, 'x')}, .now = noon(), .key = KeyKind::Ec}),
               std::runtime_error);
  EXPECT_THROW(
      demo().issue(
          {.subject = {.common_name = "x", .ip_addresses = {"no address"}}, .now = noon(), .key = KeyKind::Ec}),
      std::runtime_error);
}

TEST(Request, CarriesTheKeyTheNamesAndAProofOfPossession) {
  for (const auto& key : {PrivateKey::generate_p256(), PrivateKey::generate_ed25519()}) {
    const auto pem = write_csr(key, {.common_name = "clinic.example", .dns_names = {"clinic.example"}});
    const Owned<X509_REQ, X509_REQ_free> request(PEM_read_bio_X509_REQ(reader(pem).get(), nullptr, nullptr, nullptr));
    ASSERT_TRUE(request);
    EXPECT_EQ(X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())), 1);
    EXPECT_EQ(der_of<i2d_PUBKEY>(X509_REQ_get0_pubkey(request.get())), key.public_key().spki());
    auto* extensions = X509_REQ_get_extensions(request.get());
    EXPECT_EQ(sk_X509_EXTENSION_num(extensions), 1);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  }
}

}  // namespace
}  // namespace certs
