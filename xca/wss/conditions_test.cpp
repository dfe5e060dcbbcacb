// When a verified token is still refused: its times, its audience, its conditions; and what names it for replay.
// [threats.md §4, §5]

#include "xca/wss/testing.hpp"

#include <gtest/gtest.h>

namespace xca::wss {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using boost::system::error_code;

constexpr error_code accepted{};

VerifiedSecurity verified(const std::string& message, const Rules& by = rules()) {
  const auto opened = soap::Envelope::open("application/soap+xml", message);
  return verify(opened.value(), by, noon()).value();
}

// ---- T01–T05: times and conditions -----------------------------------------------------------------------

struct TimeRow {
  std::string_view from, to;
  error_code expected;
};

void expect_rows(std::initializer_list<TimeRow> rows) {
  for (const auto& row : rows) EXPECT_EQ(judged(envelope(Request().replace(row.from, row.to))), row.expected) << row.to;
}

TEST(TokenConditions, JudgesTheTimestampByItsWindow) {
  constexpr std::string_view created = "<wsu:Created>2026-11-21T12:00:00Z</wsu:Created>";
  constexpr std::string_view expires = "<wsu:Expires>2026-11-21T12:10:00Z</wsu:Expires>";
  expect_rows({
      {created, "<wsu:Created>2026-11-21T12:01:00Z</wsu:Created>", accepted},
      {created, "<wsu:Created>2026-11-21T12:01:00.001Z</wsu:Created>", Errc::MessageFromFuture},
      {created, "<wsu:Created>2026-11-21T11:39:00Z</wsu:Created>", accepted},
      {created, "<wsu:Created>2026-11-21T11:38:59.999Z</wsu:Created>", Errc::MessageExpired},
      {created, "<wsu:Created>2026-11-21T14:00:00+02:00</wsu:Created>", accepted},
      {created, "<wsu:Created>2026-11-21T12:00:00</wsu:Created>", Errc::TimestampUnreadable},
      {created, "<wsu:Created>2026-02-30T12:00:00Z</wsu:Created>", Errc::TimestampUnreadable},
      {created, "<wsu:Created>2026-11-20T24:00:00Z</wsu:Created>", Errc::TimestampUnreadable},
      {created, "<wsu:Created>2026-11-21T11:59:60Z</wsu:Created>", Errc::TimestampUnreadable},
      {created, "<wsu:Created>10000-11-21T12:00:00Z</wsu:Created>", Errc::TimestampUnreadable},
      {created, "<wsu:Created>2026-11-21T12:00:00.0000000000000000000000000000000000000000Z</wsu:Created>",
       Errc::TimestampUnreadable},
      {created, "<wsu:Created>2026-11-21T12:00:00Z<b></b></wsu:Created>", Errc::TimestampUnreadable},
      {created, "", Errc::TimestampUnreadable},
      {expires, "", Errc::TimestampUnreadable},
      {expires, "<wsu:Expires>2026-11-21T11:59:59Z</wsu:Expires>", Errc::TimestampUnreadable},
      {expires, "<wsu:Expires>2026-11-21T12:00:00Z</wsu:Expires>", accepted},  // no longer than an instant
      {" wsu:Id=\"TS-1\"", "", Errc::TimestampUnsigned},
  });
  auto request = Request().replace(created, "<wsu:Created>2026-11-21T11:50:00Z</wsu:Created>");
  EXPECT_EQ(judged(envelope(request.replace(expires, "<wsu:Expires>2026-11-21T11:59:00Z</wsu:Expires>"))), accepted);
  const auto late = envelope(request.replace("T11:59:00Z</wsu:Expires>", "T11:58:59.999Z</wsu:Expires>"));
  EXPECT_EQ(judged(late), Errc::MessageExpired);
}

TEST(TokenConditions, JudgesTheConditionsToTheSecond) {
  constexpr std::string_view begin = "NotBefore=\"2026-11-21T12:00:00Z\"",
                             end = "NotOnOrAfter=\"2026-11-21T12:20:00Z\"";
  expect_rows({
      {begin, "NotBefore=\"2026-11-21T12:01:00Z\"", accepted},
      {begin, "NotBefore=\"2026-11-21T12:01:00.001Z\"", Errc::AssertionNotYetValid},
      {begin, "NotBefore=\"2026-11-21T11:20:00Z\"", accepted},
      {begin, "NotBefore=\"2026-11-21T11:19:59Z\"", Errc::AssertionTooLong},
      {begin, "NotBefore=\"2016-11-21T12:00:00Z\"", Errc::AssertionTooLong},
      {begin, "NotBefore=\"2026-11-21T12:20:00Z\"", Errc::AssertionUnreadable},
      {begin, "NotBefore=\"2026-11-21\"", Errc::AssertionUnreadable},
      {" NotBefore=\"2026-11-21T12:00:00Z\"", "", Errc::AssertionUnreadable},
      {" NotOnOrAfter=\"2026-11-21T12:20:00Z\"", "", Errc::AssertionUnreadable},
      {"IssueInstant=\"2026-11-21T12:00:00Z\"", "IssueInstant=\"2026-11-21T12:01:01Z\"", Errc::AssertionNotYetValid},
      {"AuthnInstant=\"2026-11-21T12:00:00Z\"", "AuthnInstant=\"2026-11-21T12:01:01Z\"", Errc::AssertionNotYetValid},
      {"AuthnInstant=\"2026-11-21T12:00:00Z\"",
       "AuthnInstant=\"2026-11-21T11:00:00Z\" SessionNotOnOrAfter=\"2026-11-21T11:59:00Z\"", Errc::AssertionExpired},
      {"AuthnInstant=\"2026-11-21T12:00:00Z\"",
       "AuthnInstant=\"2026-11-21T11:00:00Z\" SessionNotOnOrAfter=\"2026-11-21T11:59:01Z\"", accepted},
      {"Version=\"2.0\"", "Version=\"1.1\"", Errc::AssertionUnreadable},
  });
  auto request = Request().replace(begin, "NotBefore=\"2026-11-21T11:40:00Z\"");
  EXPECT_EQ(judged(envelope(request.replace(end, "NotOnOrAfter=\"2026-11-21T11:59:00.001Z\""))), accepted);
  const auto ended = envelope(request.replace("11:59:00.001Z", "11:59:00Z"));
  EXPECT_EQ(judged(ended), Errc::AssertionExpired);  // T03: a fresh Timestamp does not help
}

TEST(TokenConditions, ComparesAudiencesByTextAndPath) {
  constexpr std::string_view audience = "<saml2:Audience>https://gateway.example/ihe</saml2:Audience>";
  constexpr std::string_view restriction =
      "<saml2:AudienceRestriction><saml2:Audience>https://gateway.example/ihe</saml2:Audience></"
      "saml2:AudienceRestriction>";
  expect_rows({
      {audience, "<saml2:Audience>https://gateway.example</saml2:Audience>", accepted},
      {audience, "<saml2:Audience> https://gateway.example/dq </saml2:Audience>", accepted},
      {audience, "<saml2:Audience>urn:x</saml2:Audience><saml2:Audience>https://gateway.example</saml2:Audience>",
       accepted},
      {audience, "<saml2:Audience>https://other.example/ihe</saml2:Audience>", Errc::AudienceNotUs},
      {audience, "<saml2:Audience>https://GATEWAY.example/ihe</saml2:Audience>", Errc::AudienceNotUs},
      {audience, "<saml2:Audience>https://gateway.example:444/ihe</saml2:Audience>", Errc::AudienceNotUs},
      {audience, "<saml2:Audience>https://gateway.example@evil.example/</saml2:Audience>", Errc::AudienceNotUs},
      {audience, "<saml2:Audience>https://gateway.example.evil/</saml2:Audience>", Errc::AudienceNotUs},
      {audience, "<saml2:Audience></saml2:Audience>", Errc::AudienceNotUs},
      {restriction, "", Errc::AudienceNotUs},
      {"<saml2:AudienceRestriction>",
       "<saml2:AudienceRestriction><saml2:Audience>urn:x</saml2:Audience></saml2:AudienceRestriction>"
       "<saml2:AudienceRestriction>",
       Errc::AudienceNotUs},
  });
  const auto none = envelope(Request().replace(restriction, ""));
  const auto empty = envelope(Request().replace(audience, "<saml2:Audience></saml2:Audience>"));
  EXPECT_EQ(judged(none, rules({.audience_optional = true})), accepted);
  EXPECT_EQ(judged(empty, rules({.audience_optional = true})), accepted);
  const auto other = envelope(Request().replace(audience, "<saml2:Audience>urn:x</saml2:Audience>"));
  EXPECT_EQ(judged(other, rules({.audience_optional = true})), Errc::AudienceNotUs);
}

TEST(TokenConditions, KnowsItsConditionsAndRefusesOthers) {
  constexpr std::string_view end = "</saml2:Conditions>";
  expect_rows({
      {end, "<saml2:ProxyRestriction Count=\"0\"></saml2:ProxyRestriction></saml2:Conditions>", accepted},
      {end, "<saml2:Condition></saml2:Condition></saml2:Conditions>", Errc::ConditionUnknown},
      {end, "<x:OneTimeUse xmlns:x=\"urn:x\"></x:OneTimeUse></saml2:Conditions>", Errc::ConditionUnknown},
  });
  const auto once = Request().replace(end, "<saml2:OneTimeUse></saml2:OneTimeUse></saml2:Conditions>");
  EXPECT_TRUE(verified(envelope(once)).assertion().one_time_use);
  EXPECT_FALSE(verified(envelope(Request())).assertion().one_time_use);
}

TEST(TokenConditions, RefusesATokenWhoseIssuerDeniedAccess) {
  const auto with_decision = [](std::string_view decision) {
    return Request().replace("<saml2:AttributeStatement>", "<saml2:AuthzDecisionStatement Decision=\"" +
                                                               std::string(decision) +
                                                               "\" Resource=\"\"></saml2:AuthzDecisionStatement>"
                                                               "<saml2:AttributeStatement>");
  };
  EXPECT_EQ(judged(envelope(with_decision("Permit"))), accepted);
  EXPECT_EQ(judged(envelope(with_decision("Deny"))), Errc::AuthorizationDenied);
  EXPECT_EQ(judged(envelope(with_decision("Indeterminate"))), Errc::AuthorizationDenied);
}

TEST(TokenConditions, TakesMessagesAddressedToUsOnly) {
  auto pieces = sign(Request());
  const struct {
    std::string to;
    error_code expected;
  } rows[] = {{"https://gateway.example", accepted},
              {"https://gateway.example/ihe/xcpd", accepted},
              {std::string(soap::anonymous), accepted},
              {"", accepted},
              {"https://elsewhere.example/ihe", soap::Errc::NotOurAddress}};
  for (const auto& row : rows) {
    pieces.to = row.to;
    EXPECT_EQ(judged(envelope(pieces)), row.expected) << row.to;
  }
}

// ---- Replay ---------------------------------------------------------------------------------------------------------

TEST(ReplayProof, NamesTheSigningActAndTheRequestForReplay) {
  const auto pieces = sign(Request());
  const auto first = verified(envelope(pieces)).replay();
  EXPECT_EQ(first.proof.size(), 32u);
  EXPECT_EQ(verified(envelope(pieces)).replay().request, first.request);

  auto other_body = pieces;
  other_body.payload = "<q:AdhocQueryRequest xmlns:q=\"urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0\" id=\"x\"/>";
  EXPECT_EQ(verified(envelope(other_body)).replay().proof, first.proof);
  EXPECT_NE(verified(envelope(other_body)).replay().request, first.request);

  auto other_message = pieces;
  other_message.message_id = "urn:uuid:2";
  EXPECT_EQ(verified(envelope(other_message)).replay().proof, first.proof);
  EXPECT_NE(verified(envelope(other_message)).replay().request, first.request);

  const auto later = Request().replace("T12:00:00Z</wsu:Created>", "T12:00:00.001Z</wsu:Created>");
  EXPECT_NE(verified(envelope(later)).replay().proof, first.proof);  // R01: the same ids mean nothing
}

TEST(ReplayProof, CountsARewrappedSignatureValueAsTheSameProof) {
  const auto message = envelope(Request());
  const auto wrapped = replaced(message, "<ds:SignatureValue>", "<ds:SignatureValue>\n  ");
  EXPECT_EQ(verified(wrapped).replay().proof, verified(message).replay().proof);
}

TEST(ReplayProof, EndsTheReplayWindowAtExpiresOrTheHousesWindow) {
  const auto long_lived = Request().replace("T12:10:00Z</wsu:Expires>", "T19:00:00Z</wsu:Expires>");
  EXPECT_EQ(verified(envelope(long_lived)).replay().window_end, noon() + 21min);
  EXPECT_EQ(verified(envelope(Request())).replay().window_end, noon() + 11min);
}

}  // namespace
}  // namespace xca::wss
