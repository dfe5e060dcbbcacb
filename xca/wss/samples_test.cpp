// Messages that another implementation signed are opened and believed, or refused, as they came.

#include "base/shared_samples.hpp"
#include "xca/wss/security.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xca::wss {
namespace {

struct Sample {
  const char* file;
  const char* content_type_file;
  const char* payload;
};

class ProductionClient : public ::testing::TestWithParam<Sample> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(folder_)) GTEST_SKIP() << "no shared samples";
  }
  Rules rules(const certs::TrustStore& trust) const {
    Rules out;
    out.trust = &trust;
    out.our_addresses = {"https://localhost:8443"};
    return out;
  }
  certs::TrustEvidence pinned() const {
    return {.pinned = {certs::Certificate::from_pem(base::read_file(folder_ / "cert.pem")).value()}};
  }
  std::string content_type() const {
    const auto* file = GetParam().content_type_file;
    return file ? std::string(base::trim(base::read_file(folder_ / file))) : "application/soap+xml; charset=utf-8";
  }
  std::filesystem::path folder_ = base::shared_samples() / "production-client";
  Instant now_ = base::read_date_time("2026-11-21T19:31:00Z").value();
};

TEST_P(ProductionClient, IsOpenedAndVerified) {
  const auto wire = base::read_file(folder_ / GetParam().file);
  const auto envelope = soap::Envelope::open(content_type(), wire);
  ASSERT_TRUE(envelope) << envelope.error().detail;
  EXPECT_EQ(envelope->payload().local_name(), GetParam().payload);
  EXPECT_EQ(envelope->encoding(), GetParam().content_type_file ? soap::Encoding::Mtom : soap::Encoding::Simple);
  const certs::TrustStore trust(pinned());
  const auto verified = verify(*envelope, rules(trust), now_);
  ASSERT_TRUE(verified) << verified.error().code.message() << " " << verified.error().detail;
  EXPECT_EQ(verified->assertion().home_community_id, "urn:oid:2.16.840.1.113883.3.9621.5.213");
  EXPECT_EQ(verified->assertion().purposes_of_use.at(0).code, "TREATMENT");
  EXPECT_EQ(verified->signature_values().size(), 2u);
}

TEST_P(ProductionClient, IsRefusedWhereItsCertificateIsNotPinned) {
  const auto wire = base::read_file(folder_ / GetParam().file);
  const auto envelope = soap::Envelope::open(content_type(), wire);
  ASSERT_TRUE(envelope);
  const certs::TrustStore nobody({});
  const auto verified = verify(*envelope, rules(nobody), now_);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, certs::Errc::BadPath);  // self-signed with the flag of an authority
}

TEST_P(ProductionClient, IsRefusedAfterItsWindow) {
  const auto wire = base::read_file(folder_ / GetParam().file);
  const auto envelope = soap::Envelope::open(content_type(), wire);
  ASSERT_TRUE(envelope);
  const certs::TrustStore trust(pinned());
  const auto verified = verify(*envelope, rules(trust), base::read_date_time("2026-11-21T19:51:06Z").value());
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, Errc::MessageExpired);
}

INSTANTIATE_TEST_SUITE_P(Samples, ProductionClient,
                         ::testing::Values(Sample{"iti55-request.xml", nullptr, "PRPA_IN201305UV02"},
                                           Sample{"iti55-request-legacy-body.xml", nullptr, "PRPA_IN201305UV02"},
                                           Sample{"iti38-request.xml", nullptr, "AdhocQueryRequest"},
                                           Sample{"iti39-request.mtom", "iti39-request.content-type.txt",
                                                  "RetrieveDocumentSetRequest"}),
                         [](const auto& sample) {
                           std::string name = sample.param.file;
                           std::erase_if(name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); });
                           return name;
                         });

TEST(OldClient, IsOpenedAndRefusedForTheTransformOfItsSignature) {
  const auto file = base::shared_samples() / "saml" / "metriport-valid-saml.xml";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no shared samples";
  const auto wire = base::read_file(file);
  const auto envelope = soap::Envelope::open("application/soap+xml", wire);
  ASSERT_TRUE(envelope) << envelope.error().detail;
  const certs::TrustStore nobody({});
  Rules rules;
  rules.trust = &nobody;
  rules.allowance = [](const certs::Certificate&) { return Allowance{.sha1 = true}; };
  const auto verified = verify(*envelope, rules, base::read_date_time("2024-04-09T18:20:00Z").value());
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, Errc::WrappedSignature);  // enveloped-signature on a Timestamp that envelopes none
}

}  // namespace
}  // namespace xca::wss
