// The date library (Howard Hinnant) and its types live in this file alone; it reads the zone files of the machine.
#include "gateway/resources/calendar.hpp"

#include "gateway/resources/bundle.hpp"

#include <date/tz.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace gateway::resources {
namespace {

using Local = date::local_time<std::chrono::microseconds>;

constexpr std::string_view midnight = "T00:00:00";

bool is_day(std::string_view text) { return text.size() == 10; }

/// A day or a time to the minute as the same with its seconds; what follows them stays, a zone above all.
std::string with_seconds(std::string_view text) {
  std::string full(text);
  if (text.size() < 10) return full;
  if (text.size() == 10 || text[10] != 'T') return full.insert(10, midnight);
  if (text.size() == 16 || (text.size() > 16 && text[16] != ':')) return full.insert(16, ":00");
  return full;
}

/// `2026` and `2026-11` as the first or last day they hold; anything else as it is.
std::string whole_day(std::string_view text, Bound bound) {
  std::string day(text);
  if (text.size() == 4) return day + (bound == Bound::End ? "-12-31" : "-01-01");
  if (text.size() != 7) return day;
  const auto first = base::read_date_time(day + "-01" + std::string(midnight) + "Z");
  if (bound == Bound::Start || !first) return day + "-01";
  const date::year_month_day month(date::floor<date::days>(*first));
  return base::write_date_time(date::sys_days(month.year() / month.month() / date::last)).substr(0, 10);
}

/// An hour that is skipped is its end, one that is repeated its first passing.
Instant instant_of(const date::time_zone& zone, Local local) { return zone.to_sys(local, date::choose::earliest); }

std::string digits(std::int64_t number, std::size_t width) {
  const auto text = std::to_string(number);
  return std::string(width - std::min(width, text.size()), '0') + text;
}

/// `.000250`, or nothing for a whole second.
std::string fraction(Instant instant) {
  const auto micros = (instant - std::chrono::floor<std::chrono::seconds>(instant)).count();
  return micros == 0 ? std::string() : "." + digits(micros, 6);
}

}  // namespace

Result<Calendar> Calendar::of(const std::string& zone) {
  try {
    const auto* found = date::locate_zone(zone);
    found->get_info(Instant());  // reads the zone's file, which is put off until the first question
    return Calendar(found);
  } catch (const std::runtime_error&) {
    return fail(Errc::UnknownZone);
  }
}

Result<Instant> Calendar::start_of(std::string_view day) const {
  if (!is_day(day)) return fail(Errc::NotADate);
  return read(day);
}

Result<Instant> Calendar::end_of(std::string_view day) const {
  if (!is_day(day)) return fail(Errc::NotADate);
  const auto as_written = base::read_date_time(std::string(day).append(midnight) + "Z");
  if (!as_written) return fail(Errc::NotADate);
  return instant_of(*zone_, Local(as_written->time_since_epoch()) + date::days(1));
}

Result<Instant> Calendar::read(std::string_view text) const {
  const auto full = with_seconds(text);
  const auto instant = base::read_date_time(full);
  if (instant) return *instant;
  if (instant.error().code != base::TimeErrc::NoZone) return fail(Errc::NotADate);
  const auto as_written = TRY(base::read_date_time(full + "Z"));
  return instant_of(*zone_, Local(as_written.time_since_epoch()));
}

bool Calendar::shows_once(std::string_view time) const {
  const auto as_written = base::read_date_time(std::string(time) + "Z");
  return as_written && zone_->get_info(Local(as_written->time_since_epoch())).result == date::local_info::unique;
}

Result<Instant> Calendar::read_fhir(std::string_view text, Bound bound) const {
  const auto day = whole_day(text, bound);
  if (is_day(day)) return bound == Bound::End ? end_of(day) : start_of(day);
  const auto instant = base::read_date_time(day);
  if (!instant) return fail(Errc::NotADate);
  return *instant;
}

std::string Calendar::write(Instant instant) const {
  using namespace std::chrono;
  const auto offset = zone_->get_info(instant).offset;
  // Before standard time clocks were off by odd seconds, which no offset of a dateTime can say.
  if (offset % minutes(1) != seconds(0)) return write_instant(instant);
  const auto local = instant + offset;
  const auto written = base::write_date_time(local);
  const auto day = written.substr(0, 10);
  const auto first = start_of(day);
  if (first && *first == instant) return day;
  const auto size = std::abs(duration_cast<minutes>(offset).count());
  return written.substr(0, 19) + fraction(instant) + (offset < seconds(0) ? '-' : '+') + digits(size / 60, 2) + ":" +
         digits(size % 60, 2);
}

Instant Calendar::plus_year(Instant instant) const {
  const auto local = zone_->to_local(instant);
  const auto midnight_before = date::floor<date::days>(local);
  auto day = date::year_month_day(midnight_before) + date::years(1);
  if (!day.ok()) day = day.year() / day.month() / date::last;
  return instant_of(*zone_, date::local_days(day) + (local - midnight_before));
}

Instant Calendar::plus_days(Instant instant, std::int64_t days) const {
  if (days == 0) return instant;
  return instant_of(*zone_, zone_->to_local(instant) + std::chrono::duration<std::int64_t, date::days::period>(days));
}

std::string write_instant(Instant instant) {
  const auto micros = (instant - std::chrono::floor<std::chrono::seconds>(instant)).count();
  return base::write_date_time(instant).substr(0, 19) + "." + digits(micros, 6) + "Z";
}

}  // namespace gateway::resources
