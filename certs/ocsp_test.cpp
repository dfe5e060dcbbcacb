#include "certs/ocsp.hpp"

#include "certs/testing.hpp"

#include <gmock/gmock.h>

namespace certs {
namespace {

using namespace std::chrono_literals;
using testing::mint;
using testing::mint_authority;
using testing::mint_ocsp;
using testing::noon;
using testing::OcspMint;
using testing::Party;
using ::testing::HasSubstr;

struct Ocsp : ::testing::Test {
  Party issuer = mint_authority("issuer");
  Party stranger = mint_authority("stranger");
  Certificate leaf = mint({.issuer = &issuer}).certificate;
  Certificate other = mint({.issuer = &issuer}).certificate;
  OcspQuestion question{leaf, issuer.certificate, "0123456789abcdef"};

  Party responder(std::vector<testing::Extension> extensions, const Party* by, Instant until = noon() + 24h) const {
    return mint({.name = "responder", .issuer = by, .key = testing::ec_key(), .extensions = std::move(extensions),
                 .not_after = until});
  }
  Bytes response(OcspMint order = {}) const {
    if (!order.issuer) order.issuer = &issuer;
    if (!order.about) order.about = &leaf;
    return mint_ocsp(order);
  }
};

TEST_F(Ocsp, SaysWhatTheIssuerSignedOfTheCertificateAskedAbout_L09) {
  const auto good = OcspStatement::read(response(), question, noon());
  ASSERT_TRUE(good);
  EXPECT_EQ(good->at(noon()), Testimony::Good);
  EXPECT_FALSE(good->delegate());
  const auto revoked = OcspStatement::read(response({.status = OcspMint::Status::Revoked}), question, noon());
  ASSERT_TRUE(revoked);
  EXPECT_EQ(revoked->at(noon() + 24h * 3650), Testimony::Revoked) << "revoked counts at any time";
}

TEST_F(Ocsp, VouchesFromThisUpdateToNextUpdateAndNotForLongerThanItsAge_L09) {
  const auto at = [&](OcspMint order, Instant now) { return OcspStatement::read(response(order), question, noon())->at(now); };
  const OcspMint hour{.this_update = noon() - 1h, .next_update = noon() + 1h};
  EXPECT_EQ(at(hour, noon() - 1h - 5min), Testimony::Good) << "a responder's clock may be five minutes ahead";
  EXPECT_EQ(at(hour, noon() - 1h - 5min - 1us), Testimony::Silent);
  EXPECT_EQ(at(hour, noon() + 1h), Testimony::Good);
  EXPECT_EQ(at(hour, noon() + 1h + 1us), Testimony::Silent);
  const OcspMint year{.this_update = noon(), .next_update = noon() + 24h * 365};
  EXPECT_EQ(at(year, noon() + 24h * 10), Testimony::Good);
  EXPECT_EQ(at(year, noon() + 24h * 10 + 1us), Testimony::Silent);
}

TEST_F(Ocsp, OfADelegateIsTheIssuersWord_L09) {
  const auto delegate = responder({{"extendedKeyUsage", "OCSPSigning"}, {"noCheck", "NULL"}}, &issuer);
  const auto read = OcspStatement::read(response({.responder = &delegate}), question, noon());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->at(noon()), Testimony::Good);
  EXPECT_EQ(read->delegate(), delegate.certificate);
}

TEST_F(Ocsp, IsNoEvidenceWhereItMayNotBeJudgedBy_L09) {
  const auto not_for_ocsp = responder({{"extendedKeyUsage", "serverAuth"}}, &issuer);
  const auto without_use = responder({}, &issuer);
  const auto of_another = responder({{"extendedKeyUsage", "OCSPSigning"}}, &stranger);
  const auto ended = responder({{"extendedKeyUsage", "OCSPSigning"}}, &issuer, noon() - 1s);
  const auto cannot_sign = responder({{"extendedKeyUsage", "OCSPSigning"}, {"keyUsage", "keyAgreement"}}, &issuer);
  const auto same_name = mint_authority("issuer");
  auto cut = response();
  cut.resize(cut.size() / 2);
  struct Row {
    const char* what;
    Bytes response;
    const char* detail;
  };
  const std::vector<Row> rows{
      {"an HTML page", "<html>404</html>", "no OCSP response"},
      {"nothing", "", "no OCSP response"},
      {"cut off", cut, "no OCSP response"},
      {"with octets after it", response() + '\0', "no OCSP response"},
      {"above its limit", Bytes(64 * 1024 + 1, '0'), "above its limit"},
      {"tryLater", response({.response_status = 3}), "trylater"},
      {"unauthorized", response({.response_status = 6}), "unauthorized"},
      {"unknown", response({.status = OcspMint::Status::Unknown}), "does not know"},
      {"without nextUpdate", response({.next_update = {}}), "no nextUpdate"},
      {"another nonce", response({.nonce = "another nonce 16"}), "another nonce"},
      {"of another certificate", response({.about = &other}), "another certificate"},
      {"of another issuer", response({.issuer = &stranger}), "not signed by"},
      {"signed by an issuer of the same name", response({.responder = &same_name}), "not signed by"},
      {"signed by an unrelated one", response({.responder = &stranger}), "not signed by"},
      {"of a responder another issuer delegated to", response({.responder = &of_another}), "not signed by"},
      {"of a certificate for servers", response({.responder = &not_for_ocsp}), "not signed by"},
      {"of a certificate without extended usage", response({.responder = &without_use}), "not signed by"},
      {"of a delegate that has expired", response({.responder = &ended}), "not signed by"},
      {"of a delegate that may not sign", response({.responder = &cannot_sign}), "not signed by"},
      {"signed with SHA-1", response({.digest = Digest::Sha1}), "SHA-1"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const auto read = OcspStatement::read(row.response, question, noon());
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::UnusableEvidence);
    EXPECT_THAT(read.error().detail, HasSubstr(row.detail));
  }
  EXPECT_TRUE(OcspStatement::read(response({.nonce = question.nonce}), question, noon())) << "the twin";
}

TEST_F(Ocsp, IsAskedForWithOneCertificateAndItsNonce) {
  const auto request = write_ocsp_request(question);
  EXPECT_THAT(request, HasSubstr(question.nonce));
  EXPECT_NE(request, write_ocsp_request({other, issuer.certificate, question.nonce}));
  EXPECT_THROW(write_ocsp_request({leaf, issuer.certificate, ""}), std::runtime_error);
  EXPECT_THROW(write_ocsp_request({leaf, issuer.certificate, Bytes(33, 'n')}), std::runtime_error);
}

}  // namespace
}  // namespace certs
