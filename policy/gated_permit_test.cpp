// What a permit must name before it opens a gated label. [design §4, sensitivity]

#include "policy/consent.hpp"

#include <gtest/gtest.h>

namespace policy {
namespace {

const HomeCommunityId hospital = HomeCommunityId::parse("2.999.20").value();
const Label& part2 = part2_label();
const DocumentFacts note{.unique_id = "1.2", .labels = {part2}};
const Asking asking{.home = hospital, .purpose = Purpose::Treatment, .now = base::from_micros(0), .document = &note};

Provision complete() {
  return {.permits = true,
          .recipients = {{RecipientClass::TreatingProviders}},
          .purposes = PurposeSet{Purpose::Treatment},
          .labels = {part2}};
}
Speech said(Provision root) { return statement_of({.id = "c", .root = std::move(root)}, asking, &part2).speech; }

TEST(APermit, OpensALabelOnlyIfItNamesLabelPurposeAndRecipient) {
  EXPECT_EQ(said(complete()), Speech::Permit);
  auto provision = complete();
  provision.labels.clear();
  EXPECT_EQ(said(provision), Speech::Silent);
  provision = complete();
  provision.purposes.reset();
  EXPECT_EQ(said(provision), Speech::Silent);
  provision = complete();
  provision.recipients.clear();
  EXPECT_EQ(said(provision), Speech::Silent);
  provision.recipients = {{hospital}};
  EXPECT_EQ(said(provision), Speech::Permit);
}

TEST(APermit, MayLeaveToWhatItIsAnExceptionToWhatThatNames) {
  auto outer = complete();
  outer.labels.clear();
  auto inner = complete();
  inner.recipients.clear();
  inner.purposes.reset();
  outer.exceptions = {inner};
  EXPECT_EQ(said(outer), Speech::Permit);
  outer.permits = false;
  EXPECT_EQ(said(outer), Speech::Permit) << "an exception to a deny";
  outer.purposes.reset();
  EXPECT_EQ(said(outer), Speech::Deny) << "no longer opened: what it was an exception to is left";
  EXPECT_EQ(statement_of({.id = "c", .root = outer}, asking, nullptr).speech, Speech::Permit)
      << "whom the deny forbids nothing is another question than what the label needs";
}

TEST(APermit, IsSaidToBeIdleWhereItOpensNothing) {
  EXPECT_TRUE(idle_parts(complete()).empty());
  auto provision = complete();
  provision.labels.clear();
  EXPECT_EQ(idle_parts(provision).size(), 1u);
  provision = complete();
  provision.purposes.reset();
  EXPECT_EQ(idle_parts(provision).size(), 1u);
  provision.permits = false;
  EXPECT_TRUE(idle_parts(provision).empty());
  auto exception = complete();
  exception.purposes.reset();
  provision.exceptions = {exception};
  EXPECT_TRUE(idle_parts(provision).empty()) << "an exception to a deny takes at least from that";
}

}  // namespace
}  // namespace policy
