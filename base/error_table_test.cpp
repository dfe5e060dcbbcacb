#include "base/error_table.hpp"

#include "base/bytes.hpp"

#include <gtest/gtest.h>

namespace base {
namespace {

constexpr ErrorRow rows[] = {{1, "too-late", "it is too late", Cause::NotTrusted},
                             {2, "busy", "busy", Cause::TryLater}};
const ErrorTable table("test", rows);

TEST(ErrorTable, GivesReasonSentenceAndCauseOfACode) {
  const Error error{{1, table}, "for our log"};
  EXPECT_EQ(reason_of(error), "too-late");
  EXPECT_EQ(error.code.message(), "it is too late");
  EXPECT_EQ(cause_of(error), Cause::NotTrusted);
  EXPECT_EQ(cause_of(Error{{2, table}, {}}), Cause::TryLater);
}

TEST(ErrorTable, TakesACodeWithoutRowForADefect) {
  const Error error{{3, table}, {}};
  EXPECT_EQ(reason_of(error), "defect");
  EXPECT_EQ(cause_of(error), Cause::Defect);
}

TEST(ErrorTable, TakesAForeignCategoryForADefect) {
  const Error error{boost::system::error_code(5, boost::system::generic_category()), {}};
  EXPECT_EQ(reason_of(error), "defect");
  EXPECT_EQ(cause_of(error), Cause::Defect);
}

Result<int> half_of_hex(std::string_view text) {
  const auto bytes = TRY(read_hex(text));
  return int(bytes.size()) / 2;
}

TEST(Try, GivesTheValueOrLeavesWithTheError) {
  EXPECT_EQ(half_of_hex("00112233").value(), 2);
  ASSERT_FALSE(half_of_hex("0"));
  EXPECT_EQ(half_of_hex("0").error().code, make_error_code(BytesErrc::NotHex));
}

TEST(Result, ThrowsWhereAnErrorIsReadAsValue) { EXPECT_THROW((void)half_of_hex("0").value(), UncheckedError); }

}  // namespace
}  // namespace base
