#include "xca/retrieve.hpp"

#include <gtest/gtest.h>

namespace xca {
namespace {

using ebxml::document_error;
using ebxml::DocumentRequest;
using ebxml::RegistryErrorCode;

const DocumentRequest a{"h", "r", "a"}, b{"h", "r", "b"}, c{"h", "other", "c"};

std::string told(const RetrieveOutcome& outcome) {
  std::string text;
  for (const auto& document : outcome.documents) text += "+" + document.request.unique_id;
  for (const auto& error : outcome.errors)
    text += " " + std::string(name(error.code)).substr(3) + error.context.substr(error.context.find(':'));
  return text;
}

TEST(SettleRetrieve, AnswersEveryRequestInTheOrderAsked) {
  EXPECT_EQ(told(settle({a, b}, {{b, "t", {}}, {a, "t", {}}}, {})), "+a+b");
  EXPECT_EQ(told(settle({b, a}, {}, {})), " DocumentUniqueIdError: b DocumentUniqueIdError: a");
  EXPECT_EQ(told(settle({a, c, b}, {{b, "t", {}}}, {document_error(RegistryErrorCode::UnknownRepositoryId, c)})),
            "+b DocumentUniqueIdError: a UnknownRepositoryId: c");
}

TEST(SettleRetrieve, AnswersADoubledRequestOnce) {
  EXPECT_EQ(told(settle({a, a, b, a}, {{a, "t", {}}}, {})), "+a DocumentUniqueIdError: b");
}

TEST(SettleRetrieve, GivesOutNothingThatWasNotAsked) {
  EXPECT_EQ(told(settle({a}, {{b, "t", {}}}, {})), " DocumentUniqueIdError: a");
}

TEST(SettleRetrieve, KeepsErrorsThatBelongToNoRequest) {
  EXPECT_EQ(told(settle({a}, {{a, "t", {}}}, {{RegistryErrorCode::RepositoryBusy, "Busy: x"}})),
            "+a RepositoryBusy: x");
}

}  // namespace
}  // namespace xca
