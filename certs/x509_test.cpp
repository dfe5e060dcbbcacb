#include "certs/x509.hpp"

#include "certs/testing.hpp"

#include <gmock/gmock.h>

namespace certs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::mint;
using testing::noon;

TEST(Certificate, SaysWhatIsInIt) {
  const auto root = testing::mint_authority("Root, of all");
  const auto leaf = mint({.name = "clinic",
                          .issuer = &root,
                          .extensions = {{"subjectAltName", "DNS:a.example,DNS:b.example,IP:10.0.0.1"}}})
                        .certificate;
  EXPECT_EQ(leaf.subject(), "CN=clinic");
  EXPECT_EQ(leaf.issuer(), "CN=Root\\, of all");
  EXPECT_THAT(leaf.dns_names(), ElementsAre("a.example", "b.example"));
  EXPECT_EQ(leaf.not_before(), noon() - std::chrono::days(30));
  EXPECT_EQ(leaf.not_after(), noon() + std::chrono::days(30));
  EXPECT_EQ(leaf.sha256(), sha256(leaf.der()));
  EXPECT_FALSE(leaf.has_weak_key());
  EXPECT_EQ(leaf.serial().find_first_not_of("0123456789ABCDEF"), std::string::npos);
}

TEST(Certificate, IsParsedOncePerDer) {
  const auto first = mint({}).certificate;
  EXPECT_EQ(Certificate::parse(Bytes(first.der())).value().handle(), first.handle());
}

TEST(Certificate, IsReadFromExactDerOnly) {
  const auto der = mint({}).certificate.der();
  EXPECT_TRUE(Certificate::parse(der));
  for (const auto& bad : {der + '\0', der.substr(0, der.size() - 1), Bytes(), Bytes("<html></html>")}) {
    const auto refused = Certificate::parse(bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::UnreadableCertificate);
  }
}

Bytes certificate_of_size_about(std::size_t filling) {
  std::string value = "DER:04:83:" + base::hex(Bytes{static_cast<char>(filling >> 16)}) + ":" +
                      base::hex(Bytes{static_cast<char>(filling >> 8)}) + ":" +
                      base::hex(Bytes{static_cast<char>(filling)});
  for (std::size_t i = 0; i < filling; ++i) value += ":00";
  return mint({.extensions = {{"1.2.3.4", value}}}).certificate.der();
}

TEST(Certificate, IsRefusedAbove64Kilobytes) {
  EXPECT_GT(certificate_of_size_about(64'800).size(), 65'000u);
  try {
    certificate_of_size_about(65'600);
    FAIL() << "a certificate above 64 KB was read";
  } catch (const base::UncheckedError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("certificate cannot be read"));
  }
}

TEST(Certificate, OfAWeakKeyIsReadAndNeverVerifies) {
  for (const auto& key : {testing::rsa_key(1024), testing::ec_key("P-256", true), testing::ec_key("P-224")}) {
    const auto certificate = mint({.key = key}).certificate;
    EXPECT_TRUE(certificate.has_weak_key());
    EXPECT_EQ(certificate.public_key().spki(), testing::spki_of(key));
    EXPECT_FALSE(certificate.public_key().verify(Digest::Sha256, "message", Bytes(128, 'x')));
  }
}

TEST(Certificate, ListIsReadFromPemInOrder) {
  const auto a = mint({.name = "a"}).certificate, b = mint({.name = "b"}).certificate;
  EXPECT_THAT(Certificate::many_from_pem("a comment\n" + a.to_pem() + b.to_pem()).value(), ElementsAre(a, b));
  EXPECT_EQ(Certificate::from_pem(b.to_pem() + a.to_pem()).value(), b);
  const auto cut = a.to_pem() + b.to_pem().substr(0, 200);
  for (const auto& bad : {std::string(), std::string("<html>"), cut, testing::pem_of(testing::ec_key())})
    EXPECT_EQ(Certificate::many_from_pem(bad).error().code, Errc::UnreadableCertificate);
}

class CredentialFiles : public ::testing::Test {
 protected:
  testing::Party root = testing::mint_authority("root");
  testing::Party middle = testing::mint_authority("middle", &root);
  testing::Party lower = testing::mint_authority("lower", &middle);
  testing::Party leaf = mint({.issuer = &lower, .key = testing::ec_key()});
  std::vector<Certificate> others{root.certificate, middle.certificate, lower.certificate};
};

TEST_F(CredentialFiles, InPemGiveTheChainFromTheLeafUpWithoutTheRoot) {
  const auto pem =
      leaf.certificate.to_pem() + root.certificate.to_pem() + middle.certificate.to_pem() + lower.certificate.to_pem();
  const auto read = read_credential_pem(pem, testing::pem_of(leaf.key));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->certificate, leaf.certificate);
  EXPECT_THAT(read->chain, ElementsAre(lower.certificate, middle.certificate));
}

TEST_F(CredentialFiles, OfAnotherKeyAreRefused) {
  const auto refused = read_credential_pem(leaf.certificate.to_pem(), testing::pem_of(lower.key));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::KeyMismatch);
}

TEST_F(CredentialFiles, InPkcs12GiveTheSame) {
  const auto read = read_credential_pkcs12(testing::pkcs12(leaf, others, "sesame"), "sesame");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->certificate, leaf.certificate);
  EXPECT_EQ(read->key.public_key(), leaf.certificate.public_key());
  EXPECT_THAT(read->chain, ElementsAre(lower.certificate, middle.certificate));
}

TEST_F(CredentialFiles, InPkcs12NeedTheirPassphrase) {
  const auto refused = read_credential_pkcs12(testing::pkcs12(leaf, {}, "sesame"), "Sesame");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::UnreadableKey);
  EXPECT_EQ(read_credential_pkcs12("<html>", "sesame").error().code, Errc::UnreadableCertificate);
}

}  // namespace
}  // namespace certs
