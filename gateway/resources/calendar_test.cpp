#include "gateway/resources/calendar.hpp"

#include "gateway/resources/bundle.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <random>

namespace gateway::resources {
namespace {

Calendar calendar(const std::string& zone) { return *Calendar::of(zone); }
Instant at(std::string_view utc) { return *base::read_date_time(utc); }

constexpr const char* zones[] = {"UTC",         "America/New_York",  "Asia/Kolkata",     "Pacific/Kiritimati",
                                 "Asia/Beirut", "America/Sao_Paulo", "America/St_Johns", "Australia/Lord_Howe"};

/// The process's own zone, for as long as this lives.
class ProcessZone {
 public:
  explicit ProcessZone(const char* zone) : had_(std::getenv("TZ") != nullptr), old_(had_ ? std::getenv("TZ") : "") {
    setenv("TZ", zone, 1);
    tzset();
  }
  ~ProcessZone() {
    if (had_)
      setenv("TZ", old_.c_str(), 1);
    else
      unsetenv("TZ");
    tzset();
  }

 private:
  bool had_;
  std::string old_;
};

TEST(Calendar, KnowsTheZonesOfThisMachineAndNoOthers) {
  for (const char* zone : zones) EXPECT_TRUE(Calendar::of(zone)) << zone;
  for (const char* zone : {"", "Mars/Olympus", "america/new_york", "/etc/passwd", "../zoneinfo/UTC", "Europe",
                           "zone.tab", "EST5EDT4"}) {
    const auto found = Calendar::of(zone);
    ASSERT_FALSE(found) << zone;
    EXPECT_EQ(found.error().code, Errc::UnknownZone) << zone;
  }
}

TEST(Calendar, StartsADayAtMidnightOfItsZoneWhateverTheProcessesZoneIs) {
  for (const char* own : {"UTC", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"}) {
    const ProcessZone process(own);
    EXPECT_EQ(*calendar("America/New_York").start_of("2026-11-01"), at("2026-11-01T04:00:00Z")) << own;
    EXPECT_EQ(*calendar("America/New_York").end_of("2026-11-01"), at("2026-11-02T05:00:00Z")) << "25 hours; " << own;
    EXPECT_EQ(*calendar("America/New_York").end_of("2026-03-08"), at("2026-03-09T04:00:00Z")) << "23 hours; " << own;
    EXPECT_EQ(*calendar("Asia/Kolkata").start_of("2026-11-01"), at("2026-10-31T18:30:00Z")) << own;
    EXPECT_EQ(*calendar("Pacific/Kiritimati").start_of("2026-11-01"), at("2026-10-31T10:00:00Z")) << own;
    EXPECT_EQ(*calendar("Pacific/Kiritimati").end_of("2026-12-31"), at("2026-12-31T10:00:00Z")) << own;
  }
}

TEST(Calendar, StartsADayWithoutMidnightAtItsFirstInstant) {
  const auto sao_paulo = calendar("America/Sao_Paulo"), beirut = calendar("Asia/Beirut");
  EXPECT_EQ(*sao_paulo.start_of("2018-11-04"), at("2018-11-04T03:00:00Z"));
  EXPECT_EQ(*sao_paulo.end_of("2018-11-03"), *sao_paulo.start_of("2018-11-04"));
  EXPECT_EQ(sao_paulo.write(at("2018-11-04T03:00:00Z")), "2018-11-04");
  EXPECT_EQ(*sao_paulo.read("2018-11-04T00:30"), at("2018-11-04T03:00:00Z"));
  EXPECT_EQ(*sao_paulo.read("2018-11-04T01:30"), at("2018-11-04T03:30:00Z"));
  EXPECT_EQ(*beirut.start_of("2022-03-27"), at("2022-03-26T22:00:00Z"));
  EXPECT_EQ(*beirut.start_of("2022-03-28"), at("2022-03-27T21:00:00Z"));
  const auto apia = calendar("Pacific/Apia");
  EXPECT_EQ(*apia.start_of("2011-12-30"), *apia.end_of("2011-12-30")) << "a day that Samoa left out";
  EXPECT_LT(*apia.start_of("2011-12-31"), *apia.end_of("2011-12-31"));
}

TEST(Calendar, ReadsASkippedHourAsItsEndAndARepeatedOneAsItsFirstPassing) {
  const auto new_york = calendar("America/New_York");
  EXPECT_EQ(*new_york.read("2026-03-08T02:00"), at("2026-03-08T07:00:00Z"));
  EXPECT_EQ(*new_york.read("2026-03-08T02:30"), at("2026-03-08T07:00:00Z"));
  EXPECT_EQ(*new_york.read("2026-03-08T03:30"), at("2026-03-08T07:30:00Z"));
  EXPECT_EQ(*new_york.read("2026-11-01T01:30"), at("2026-11-01T05:30:00Z"));
  EXPECT_EQ(*new_york.read("2026-11-01T02:00"), at("2026-11-01T07:00:00Z"));
  EXPECT_EQ(new_york.write(at("2026-11-01T05:30:00Z")), "2026-11-01T01:30:00-04:00");
  EXPECT_EQ(new_york.write(at("2026-11-01T06:30:00Z")), "2026-11-01T01:30:00-05:00");
}

TEST(Calendar, KnowsWhichTimesAreShownOnce) {
  const auto new_york = calendar("America/New_York");
  for (const char* time : {"2026-03-08T01:59:59", "2026-03-08T03:00:00", "2026-11-01T00:59:59", "2026-11-01T02:00:00"})
    EXPECT_TRUE(new_york.shows_once(time)) << time;
  for (const char* time : {"2026-03-08T02:00:00", "2026-03-08T02:59:59", "2026-11-01T01:00:00", "2026-11-01T01:59:59",
                           "2026-02-30T12:00:00", "noon"})
    EXPECT_FALSE(new_york.shows_once(time)) << time;
  EXPECT_TRUE(calendar("UTC").shows_once("2026-11-01T01:30:00"));
}

TEST(Calendar, ReadsADayWithOrWithoutItsTimeAndItsZone) {
  const auto new_york = calendar("America/New_York");
  EXPECT_EQ(*new_york.read("2026-07-04"), at("2026-07-04T04:00:00Z"));
  EXPECT_EQ(*new_york.read("2026-07-04T09:30"), at("2026-07-04T13:30:00Z"));
  EXPECT_EQ(*new_york.read("2026-07-04T09:30:15"), at("2026-07-04T13:30:15Z"));
  EXPECT_EQ(*new_york.read("2026-07-04T09:30:15.000250"), at("2026-07-04T13:30:15.000250Z"));
  EXPECT_EQ(*new_york.read("2026-07-04Z"), at("2026-07-04T00:00:00Z"));
  EXPECT_EQ(*new_york.read("2026-07-04+14:00"), at("2026-07-03T10:00:00Z"));
  EXPECT_EQ(*new_york.read("2026-07-04T09:30Z"), at("2026-07-04T09:30:00Z"));
  EXPECT_EQ(*new_york.read("2026-07-04T09:30:15-06:00"), at("2026-07-04T15:30:15Z"));
  for (const char* text : {"", "2026", "2026-07", "2026-7-4", "04.07.2026", "2026-07-04T", "2026-07-04T9:30",
                           "2026-07-04T09", "2026-07-04 09:30", "2026-07-04T24:00", "2026-07-04T09:30:61",
                           "2026-02-29", "2100-02-29", "2026-13-01",
                           "1899-12-31", "2201-01-01", "2026-07-04T09:30 ", "2026-07-04x"}) {
    const auto read = new_york.read(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Errc::NotADate) << text;
  }
  for (const char* text : {"2026-07-04T09:30", "2026-07-04Z", "2026-02-30", "2026-07"}) {
    EXPECT_FALSE(new_york.start_of(text)) << text;
    EXPECT_FALSE(new_york.end_of(text)) << text;
  }
  EXPECT_TRUE(new_york.start_of("2028-02-29"));
  EXPECT_EQ(*new_york.end_of("2028-02-29"), *new_york.start_of("2028-03-01"));
}

TEST(Calendar, ReadsADateTimeOfFhirAsTheFirstInstantItHoldsOrTheFirstAfterIt) {
  const auto new_york = calendar("America/New_York");
  const auto start = [&](const char* text) { return *new_york.read_fhir(text, Bound::Start); };
  const auto end = [&](const char* text) { return *new_york.read_fhir(text, Bound::End); };
  EXPECT_EQ(start("2026"), at("2026-01-01T05:00:00Z"));
  EXPECT_EQ(end("2026"), at("2027-01-01T05:00:00Z"));
  EXPECT_EQ(start("2028-02"), at("2028-02-01T05:00:00Z"));
  EXPECT_EQ(end("2028-02"), at("2028-03-01T05:00:00Z"));
  EXPECT_EQ(end("2026-12"), at("2027-01-01T05:00:00Z"));
  EXPECT_EQ(start("2026-11-01"), at("2026-11-01T04:00:00Z"));
  EXPECT_EQ(end("2026-11-01"), at("2026-11-02T05:00:00Z"));
  EXPECT_EQ(end("2026-11-01T05:00:00.000001Z"), at("2026-11-01T05:00:00.000001Z"));
  for (const char* text : {"", "26", "2026-13", "2026-00", "2026-11-01T05:00:00", "2026-11-01T05:00Z", "2026-11-31"}) {
    for (const Bound bound : {Bound::Start, Bound::End}) {
      const auto read = new_york.read_fhir(text, bound);
      ASSERT_FALSE(read) << text;
      EXPECT_EQ(read.error().code, Errc::NotADate) << text;
    }
  }
}

TEST(Calendar, WritesAnInstantAsItIsReadInTheClinic) {
  const auto new_york = calendar("America/New_York");
  EXPECT_EQ(new_york.write(at("2026-11-01T04:00:00Z")), "2026-11-01");
  EXPECT_EQ(new_york.write(at("2026-11-01T04:00:01Z")), "2026-11-01T00:00:01-04:00");
  EXPECT_EQ(new_york.write(at("2026-11-01T04:00:00.000001Z")), "2026-11-01T00:00:00.000001-04:00");
  EXPECT_EQ(calendar("Asia/Kolkata").write(at("2026-11-01T04:00:00Z")), "2026-11-01T09:30:00+05:30");
  EXPECT_EQ(calendar("UTC").write(at("2026-11-01T04:00:00Z")), "2026-11-01T04:00:00+00:00");
  EXPECT_EQ(calendar("Asia/Kolkata").write(at("1900-01-01T04:00:00Z")), "1900-01-01T04:00:00.000000Z")
      << "a zone of odd seconds";
  EXPECT_EQ(write_instant(at("2026-11-01T04:00:00.000250Z")), "2026-11-01T04:00:00.000250Z");
}

TEST(Calendar, ReadsBackWhatItWrites) {
  std::mt19937_64 random(20261101);
  const auto from = base::to_micros(at("1901-01-01T00:00:00Z")), to = base::to_micros(at("2199-12-30T00:00:00Z"));
  std::uniform_int_distribution<std::int64_t> micros(from, to);
  for (const char* zone : zones) {
    const auto here = calendar(zone);
    for (int i = 0; i < 2'000; ++i) {
      const auto any = base::from_micros(micros(random));
      const auto second = std::chrono::floor<std::chrono::seconds>(any);
      const auto day = *here.start_of(base::write_date_time(any).substr(0, 10));
      for (const Instant instant : {any, Instant(second), day}) {
        const auto written = here.write(instant);
        const auto read = here.read(written);
        ASSERT_TRUE(read) << zone << " " << written;
        ASSERT_EQ(*read, instant) << zone << " " << written;
      }
    }
  }
}

TEST(Calendar, AddsAYearOrDaysAtTheSameTimeOfDay) {
  const auto new_york = calendar("America/New_York");
  EXPECT_EQ(new_york.plus_year(*new_york.read("2026-03-05T09:30")), *new_york.read("2027-03-05T09:30"));
  EXPECT_EQ(new_york.plus_year(*new_york.read("2026-11-01")), *new_york.read("2027-11-01"));
  EXPECT_EQ(new_york.plus_year(*new_york.read("2028-02-29T09:30")), *new_york.read("2029-02-28T09:30"));
  EXPECT_EQ(new_york.plus_year(*new_york.read("2027-02-28T09:30")), *new_york.read("2028-02-28T09:30"));
  EXPECT_EQ(new_york.plus_year(*new_york.read("2026-12-31T23:59")), *new_york.read("2027-12-31T23:59"));
  EXPECT_EQ(new_york.plus_days(*new_york.read("2026-10-31T09:30"), 1), *new_york.read("2026-11-01T09:30"));
  EXPECT_EQ(new_york.plus_days(*new_york.read("2026-10-31T09:30"), 2), *new_york.read("2026-11-02T09:30"))
      << "49 hours later";
  EXPECT_EQ(new_york.plus_days(*new_york.read("2026-03-07T02:30"), 1), *new_york.read("2026-03-08T03:00"));
  EXPECT_EQ(new_york.plus_days(*new_york.read("2026-03-09"), -1), *new_york.read("2026-03-08"));
  const auto second_passing = at("2026-11-01T06:30:00Z");
  EXPECT_EQ(new_york.plus_days(second_passing, 0), second_passing);
  EXPECT_EQ(calendar("America/Sao_Paulo").plus_year(at("2017-11-04T02:00:00Z")), at("2018-11-04T03:00:00Z"))
      << "to a midnight that is not there";
}

}  // namespace
}  // namespace gateway::resources
