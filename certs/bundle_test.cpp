#include "certs/testing.hpp"

#include <gmock/gmock.h>

namespace certs {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

struct Bundle : ::testing::Test {
  testing::Party signer = testing::mint({.name = "who signs bundles"});
  Certificate a = testing::mint_authority("a").certificate;
  Certificate b = testing::mint_authority("b").certificate;
  std::vector<Certificate> both{a, b};
};

TEST_F(Bundle, IsReadBackAsItWasWritten) {
  EXPECT_THAT(read_trust_bundle(write_trust_bundle(both)).value(), ElementsAre(a, b));
}

TEST_F(Bundle, IsReadFromPkcs7) {
  const auto der = testing::pkcs7(both, testing::Wrapping::Bare, signer);
  EXPECT_THAT(read_trust_bundle(der).value(), UnorderedElementsAre(a, b));
  const auto pem = "-----BEGIN PKCS7-----\n" + base::base64(der) + "\n-----END PKCS7-----\n";
  EXPECT_THAT(read_trust_bundle(pem).value(), UnorderedElementsAre(a, b));
}

TEST_F(Bundle, ThatIsSignedDoesNotMakeItsSignerAnAnchor) {
  EXPECT_THAT(read_trust_bundle(testing::pkcs7(both, testing::Wrapping::Signed, signer)).value(),
              UnorderedElementsAre(a, b));
}

TEST_F(Bundle, IsRefusedWhereItHoldsNoCertificates) {
  const auto der = testing::pkcs7(both, testing::Wrapping::Bare, signer);
  for (const auto& bad : {Bytes(), Bytes("<html>not here</html>"), der.substr(0, der.size() / 2),
                          testing::pkcs7({}, testing::Wrapping::Bare, signer),
                          testing::pkcs7({}, testing::Wrapping::Signed, signer), a.der(), testing::pem_of(signer.key),
                          a.to_pem() + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    const auto refused = read_trust_bundle(bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::UnreadableCertificate);
  }
}

}  // namespace
}  // namespace certs
