#include "base/error_table.hpp"
#include "certs/crypto.hpp"

#include <gtest/gtest.h>

#include <set>

namespace certs {
namespace {

TEST(Errors, EachHaveTheirOwnReasonAndSentence) {
  std::set<std::string_view> reasons;
  std::set<std::string> sentences;
  for (int code = 1; code <= static_cast<int>(Errc::TokenUnavailable); ++code) {
    const auto error = fail(static_cast<Errc>(code));
    EXPECT_NE(base::reason_of(error), "defect") << code;
    EXPECT_EQ(base::cause_of(error) == base::Cause::Defect, static_cast<Errc>(code) == Errc::LibraryTooOld) << code;
    reasons.insert(base::reason_of(error));
    sentences.insert(error.code.message());
  }
  EXPECT_EQ(reasons.size(), static_cast<std::size_t>(Errc::TokenUnavailable));
  EXPECT_EQ(sentences.size(), reasons.size());
}

TEST(Errors, AreTheReasonsThatTheAuditTrailNames) {
  EXPECT_EQ(base::reason_of(fail(Errc::Expired)), "certificate-expired");
  EXPECT_EQ(base::reason_of(fail(Errc::Revoked)), "certificate-revoked");
  EXPECT_EQ(base::reason_of(fail(Errc::UnknownIssuer)), "issuer-unknown");
  EXPECT_EQ(base::cause_of(fail(Errc::UnsupportedAlgorithm)), base::Cause::NotSupported);
}

}  // namespace
}  // namespace certs
