#include "direct/received.hpp"

#include "base/json/document.hpp"
#include "base/shared_samples.hpp"

#include <gtest/gtest.h>

#include <map>

namespace direct {
namespace {

using certs::Certificate;
using certs::Credential;

std::filesystem::path samples() { return base::shared_samples() / "direct/generated"; }
std::string pki(const std::string& file) { return base::read_file(samples() / "pki" / file); }

Credential credential(const std::string& name) {
  return certs::read_credential_pem(pki(name + ".pem"), pki(name + ".key")).value();
}

/// Our house as the README of the samples has it. What an AIA fetch would bring is only there where it is asked for.
struct House {
  explicit House(bool fetched = false) : trust(evidence(fetched)) {
    add("frontdesk@direct.clinic.example", {"us-addr", "us-dom", "us-p256", "us-old"});
    add("nobody@direct.single.example", {"us-sign"});
  }
  static certs::TrustEvidence evidence(bool fetched) {
    certs::TrustEvidence all;
    all.anchors = {Certificate::from_pem(pki("anchorA.pem")).value()};
    if (fetched) {
      all.intermediates = {Certificate::parse(pki("interA.der")).value(),
                           Certificate::from_pem(pki("bad-pathlen-ca.pem")).value()};
    }
    for (const char* list : {"anchorA.crl", "interA.crl"})
      for (auto& crl : certs::read_crls(pki(list)).value()) all.crls.push_back(std::move(crl));
    return all;
  }
  void add(const char* address, std::initializer_list<const char*> keys) {
    Mailbox mailbox{.address = Address::parse(address).value(), .trust = &trust};
    for (const char* key : keys) mailbox.credentials.push_back(credential(key));
    ours.push_back(std::move(mailbox));
  }
  certs::TrustStore trust;
  std::vector<Mailbox> ours;
};

struct Case {
  std::string id, group, reason;
  bool accepts;
  std::set<std::string> partial;
  Bytes message;
  Delivery delivery;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> read;
    const auto text = base::read_file(samples() / "cases.json");
    if (text.empty()) return read;
    const auto document = base::json::Document::parse(text).value();
    for (const auto& one : document->root().find("cases")->items()) {
      const auto member = [&](const char* name) { return std::string(one.string_member(name).value()); };
      Case made{.id = member("id"), .group = member("group"), .reason = member("reason"),
                .accepts = member("expect") == "accept", .partial = {}, .message = {}, .delivery = {}};
      made.message = base::read_file(samples() / "msg" / member("file"));
      made.delivery.mail_from = member("mail_from");
      for (const auto& recipient : one.find("rcpt_to")->items()) made.delivery.rcpt_to.emplace_back(*recipient.string());
      if (const auto partial = one.find("partial"))
        for (const auto& recipient : partial->items()) made.partial.emplace(*recipient.string());
      read.push_back(std::move(made));
    }
    return read;
  }();
  return all;
}

const Instant now = base::from_micros(1'795'000'000'000'000);  // November 2026

/// Reasons of the index that are one of ours.
std::string expected(const Case& one) {
  const std::string first = one.reason.substr(0, one.reason.find_first_of(":, ("));
  static const std::map<std::string, std::string> ours{
      {"CaAsEndEntity", "InvalidPath"},          {"UnhandledCriticalExtension", "InvalidPath"},
      {"InvalidCA", "InvalidPath"},              {"PathLengthExceeded", "InvalidPath"},
      {"RCPT", "RoutingTamper"},
  };
  const auto found = ours.find(first);
  return found == ours.end() ? first : found->second;
}

class Samples : public ::testing::Test {
 protected:
  void SetUp() override {
    if (cases().empty()) GTEST_SKIP() << "the samples are not beside the checkout";
  }
};

TEST_F(Samples, AreReceivedOrNotForTheReasonTheIndexGives) {
  const House house;
  const House fetched(true);
  const std::set<std::string> groups{"crypto", "trust", "wrap", "mime", "routing"};
  std::size_t judged = 0;
  for (const Case& one : cases()) {
    if (!groups.contains(one.group)) continue;
    ++judged;
    auto delivery = one.delivery;
    delivery.message = one.message;
    const bool needs_fetch = one.id.starts_with("g16") || one.id.starts_with("t20");  // what is between by AIA
    const auto outcome = receive(delivery, needs_fetch ? fetched.ours : house.ours, {}, now);
    ASSERT_EQ(outcome.recipients.size(), delivery.rcpt_to.size()) << one.id;
    EXPECT_EQ(outcome.received.has_value(), one.accepts) << one.id;
    for (const Handed& handed : outcome.recipients) {
      const bool accepted = one.accepts && !one.partial.contains(handed.recipient);
      EXPECT_EQ(handed.reason == Reason::Accepted, accepted)
          << one.id << " " << handed.recipient << ": " << word(handed.reason) << " " << handed.detail;
      EXPECT_EQ(handed.signer.has_value(), accepted) << one.id;
      if (!one.accepts && one.id != "b17-last-cbc-block-flipped") {
        EXPECT_EQ(word(handed.reason), expected(one)) << one.id << " " << handed.detail;
      }
    }
  }
  EXPECT_GE(judged, 60u);
}

TEST_F(Samples, WithoutTheKeyOrTheAnchorNothingIsReceived) {
  House keyless;
  for (auto& mailbox : keyless.ours) mailbox.credentials.clear();
  const certs::TrustStore nobody({});
  House distrustful;
  for (auto& mailbox : distrustful.ours) mailbox.trust = &nobody;
  for (const Case& one : cases()) {
    auto delivery = one.delivery;
    delivery.message = one.message;
    EXPECT_FALSE(receive(delivery, keyless.ours, {}, now).received) << one.id;
    EXPECT_FALSE(receive(delivery, distrustful.ours, {}, now).received) << one.id;
  }
}

/// Every octet of the baseline message changed, one at a time, at a stride: nothing that was altered is ever received as
/// another message than the one that was signed.
TEST_F(Samples, AnAlteredMessageIsRefusedOrTheSame) {
  const House house;
  const auto& baseline = cases().front();
  auto delivery = baseline.delivery;
  delivery.message = baseline.message;
  const auto original = receive(delivery, house.ours, {}, now);
  ASSERT_TRUE(original.received);
  std::size_t refused = 0;
  for (std::size_t at = 0; at < baseline.message.size(); at += 7) {
    auto altered = baseline.message;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    delivery.message = altered;
    const auto outcome = receive(delivery, house.ours, {}, now);
    refused += !outcome.received;
    if (outcome.received) {
      EXPECT_EQ(outcome.received->signed_entity, original.received->signed_entity) << at;
    }
  }
  EXPECT_GT(refused, baseline.message.size() / 7 * 8 / 10);
}

TEST_F(Samples, AreCutAnywhereWithoutHarm) {
  const House house;
  const auto& baseline = cases().front();
  auto delivery = baseline.delivery;
  for (std::size_t size = 0; size < baseline.message.size(); size += 11) {
    delivery.message = BytesView(baseline.message).substr(0, size);
    EXPECT_FALSE(receive(delivery, house.ours, {}, now).received) << size;
  }
}

TEST_F(Samples, AnUnwrappedMessageIsRefusedWhereTheRuleSaysSo) {
  const House house;
  const auto one = std::ranges::find_if(cases(), [](const Case& each) { return each.id == "g27-unwrapped"; });
  ASSERT_NE(one, cases().end());
  auto delivery = one->delivery;
  delivery.message = one->message;
  const auto outcome = receive(delivery, house.ours, {.unwrapped = false}, now);
  EXPECT_FALSE(outcome.received);
  EXPECT_EQ(outcome.recipients[0].reason, Reason::NotWrapped);
}

TEST_F(Samples, ARecipientWhomTheSignedHeadersDoNotNameIsATamper) {
  House house;
  house.add("carol@direct.clinic.example", {"us-dom"});
  auto delivery = cases().front().delivery;
  delivery.message = cases().front().message;
  delivery.rcpt_to = {"carol@direct.clinic.example"};
  EXPECT_EQ(receive(delivery, house.ours, {}, now).recipients[0].reason, Reason::RoutingTamper) << "threats D05";
  delivery.rcpt_to = cases().front().delivery.rcpt_to;
  delivery.mail_from.clear();
  EXPECT_TRUE(receive(delivery, house.ours, {}, now).received) << "a null return path: From is whose signature it bears";
  delivery.rcpt_to = {"carol@direct.clinic.example"};
  EXPECT_EQ(receive(delivery, house.ours, {}, now).recipients[0].reason, Reason::RoutingTamper);
}

}  // namespace
}  // namespace direct
