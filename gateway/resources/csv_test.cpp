#include "gateway/resources/csv.hpp"

#include <gtest/gtest.h>

namespace gateway::resources {
namespace {

/// Each record as `line: cell|cell`, a bad one as `line! why`.
std::vector<std::string> read(BytesView bytes, const CsvLimits& limits = {}) {
  std::vector<std::string> records;
  const auto done = read_csv(
      bytes,
      [&](std::size_t line, const Result<CsvCells>& cells) -> Result<void> {
        std::string text = std::to_string(line);
        if (cells) {
          text += ": ";
          for (const auto& cell : *cells) text += (&cell == &cells->front() ? "" : "|") + cell;
        } else {
          EXPECT_EQ(cells.error().code, Errc::NotCsv);
          text += "! " + cells.error().detail;
        }
        records.push_back(text);
        return {};
      },
      limits);
  EXPECT_TRUE(done);
  return records;
}
using Records = std::vector<std::string>;

TEST(CsvFile, IsReadCellByCellWithTheLineOfEachRecord) {
  EXPECT_EQ(read("a,b\r\n1,2\r\n"), (Records{"1: a|b", "2: 1|2"}));
  EXPECT_EQ(read("a,b\n1,2"), (Records{"1: a|b", "2: 1|2"}));
  EXPECT_EQ(read("\xEF\xBB\xBF" "a"), Records{"1: a"});
  EXPECT_EQ(read("a,,\n,\n"), (Records{"1: a||", "2: |"}));
  EXPECT_EQ(read("\n  \r\na\n"), Records{"3: a"});
  EXPECT_EQ(read(""), Records{});
  EXPECT_EQ(read("J\xC3\xB3sefa, b"), Records{"1: J\xC3\xB3sefa| b"});
}

TEST(CsvFile, HasCellsWithinQuotationMarks) {
  EXPECT_EQ(read("\"a,b\",\"say \"\"x\"\"\",\"\"\n1"), (Records{"1: a,b|say \"x\"|", "2: 1"}));
  EXPECT_EQ(read("\"two\r\nlines\",b\r\nc"), (Records{"1: two\r\nlines|b", "3: c"}));
}

TEST(CsvFile, TakesFormulasAsTheTextTheyAre) {
  EXPECT_EQ(read("=cmd|'/c calc'!A0,+1,-1,@x"), Records{"1: =cmd|'/c calc'!A0|+1|-1|@x"});
}

TEST(CsvFile, SaysWhichRecordCannotBeReadAndGoesOn) {
  EXPECT_EQ(read("a\"b\"\nc"), (Records{"1! a quotation mark within a cell without them", "2: c"}));
  EXPECT_EQ(read("\"a\"b\nc"), (Records{"1! more behind a quotation mark that closes", "2: c"}));
  EXPECT_EQ(read("J\xF3sefa\nc"), (Records{"1! characters that are not UTF-8", "2: c"}));
  EXPECT_EQ(read(std::string("a\0b\nc", 5)), (Records{"1! a control character", "2: c"}));
  EXPECT_EQ(read("a\rb\nc"), (Records{"1! a control character", "2: c"}));
  EXPECT_EQ(read("a\n\"b\nc\n"), (Records{"1: a", "2! a quotation mark that is never closed"}));
}

TEST(CsvFile, HasLimits) {
  const CsvLimits narrow{.bytes = 100, .cells = 2, .cell_octets = 3};
  EXPECT_EQ(read("abc,b\na,b,c\nabcd", narrow),
            (Records{"1: abc|b", "2! too many cells", "3! a cell that is too long"}));
  const auto take = [](std::size_t, const Result<CsvCells>&) -> Result<void> { return {}; };
  EXPECT_TRUE(read_csv(std::string(100, 'a'), take, narrow));
  EXPECT_EQ(read_csv(std::string(101, 'a'), take, narrow).error().code, Errc::TooMuch);
}

TEST(CsvFile, EndsWhereItsReaderFails) {
  std::size_t taken = 0;
  const auto done = read_csv("a\nb\n", [&](std::size_t, const Result<CsvCells>&) -> Result<void> {
    ++taken;
    return fail(Errc::NotResources);
  });
  EXPECT_EQ(done.error().code, Errc::NotResources);
  EXPECT_EQ(taken, 1u);
}

}  // namespace
}  // namespace gateway::resources
