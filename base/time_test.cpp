#include "base/time.hpp"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(DateTime, ReadsInstantsInAnyZone) {
  const std::pair<std::string_view, std::int64_t> rows[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"1970-01-01T01:00:00+01:00", 0},
      {"1969-12-31T10:00:00-14:00", 0},
      {"1970-01-01T00:00:00.000001Z", 1},
      {"1970-01-01T00:00:00.5Z", 500'000},
      {"1970-01-01T00:00:00.000001999999Z", 1},
      {"1969-12-31T23:59:59.999999Z", -1},
      {"2026-11-21T19:30:05.014Z", 1795289405014000},
      {"2024-02-29T00:00:00Z", 1709164800000000},
  };
  for (const auto& [text, micros] : rows) EXPECT_EQ(to_micros(read_date_time(text).value()), micros) << text;
}

TEST(DateTime, RefusesWhatDoesNotExist_T02) {
  for (const auto text : {"",
                          "2026-02-30T00:00:00Z",
                          "2025-02-29T00:00:00Z",
                          "2026-00-01T00:00:00Z",
                          "2026-13-01T00:00:00Z",
                          "2026-01-00T00:00:00Z",
                          "2026-01-01T24:00:00Z",
                          "2026-01-01T23:60:00Z",
                          "2026-06-30T23:59:60Z",
                          "1899-12-31T00:00:00Z",
                          "2201-01-01T00:00:00Z",
                          "10000-01-01T00:00:00Z",
                          "-2026-01-01T00:00:00Z",
                          "2026-01-01T00:00:00+14:01",
                          "2026-01-01T00:00:00+15:00",
                          "2026-01-01T00:00:00+01:60",
                          "2026-01-01T00:00:00+0100",
                          "2026-01-01T00:00:00.Z",
                          "2026-01-01T00:00:00.0000000000000Z",
                          "2026-01-01T00:00Z",
                          "2026-01-01 00:00:00Z",
                          "2026-01-01T00:00:00z",
                          "2026-01-01T00:00:00Z ",
                          " 2026-01-01T00:00:00Z",
                          "2026-1-01T00:00:00Z",
                          "2026-01-01T+1:00:00Z",
                          "2026-01-01T00:00:00ZZ"}) {
    const auto read = read_date_time(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, make_error_code(TimeErrc::NotADateTime)) << text;
  }
}

TEST(DateTime, RefusesATimeWithoutZone_T02) {
  const auto read = read_date_time("2026-01-01T00:00:00");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, make_error_code(TimeErrc::NoZone));
}

TEST(DateTime, WritesMillisecondsInUtc) {
  for (const auto text :
       {"2026-11-21T19:30:05.014Z", "1970-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "2024-02-29T12:00:00.100Z"})
    EXPECT_EQ(write_date_time(read_date_time(text).value()), text);
  EXPECT_EQ(write_date_time(from_micros(-1)), "1969-12-31T23:59:59.999Z");
}

TEST(Hl7Time, ReadsEveryPrecisionAsItsFirstInstant) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"1980", "1980-01-01T00:00:00.000Z"},
      {"198005", "1980-05-01T00:00:00.000Z"},
      {"19800527", "1980-05-27T00:00:00.000Z"},
      {"1980052713", "1980-05-27T13:00:00.000Z"},
      {"198005271345", "1980-05-27T13:45:00.000Z"},
      {"19800527134501", "1980-05-27T13:45:01.000Z"},
      {"19800527134501.25", "1980-05-27T13:45:01.250Z"},
      {"19800527134501+0200", "1980-05-27T11:45:01.000Z"},
      {"198005271345-0500", "1980-05-27T18:45:00.000Z"},
      {"1980-05-27T13:45:01Z", "1980-05-27T13:45:01.000Z"},
      {"1980-05-27T13:45:01", "1980-05-27T13:45:01.000Z"},
      {"1980-05-27", "1980-05-27T00:00:00.000Z"},
  };
  for (const auto& [text, instant] : rows) EXPECT_EQ(write_date_time(read_hl7_time(text).value()), instant) << text;
}

TEST(Hl7Time, RefusesWhatIsNoTime) {
  for (const auto text :
       {"", "198", "19801", "19801301", "19800231", "1980052724", "19800527134560", "1980.5", "198005271345.5",
        "19800527134501.", "19800527+2", "19800527134501+02:00", "1980-05-32", "19800527x"}) {
    const auto read = read_hl7_time(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, make_error_code(TimeErrc::NotAnHl7Timestamp));
  }
}

TEST(Hl7Time, WritesSecondsInUtc) {
  const auto instant = read_date_time("2026-11-21T19:30:05.914Z").value();
  EXPECT_EQ(write_hl7_time(instant), "20261121193005+0000");
  EXPECT_EQ(write_dtm(instant), "20261121193005");
}

}  // namespace
}  // namespace base
