#pragma once
// Days and hours of a clinic's time zone as instants, by the machine's zone files. [design §4: dates mean 00:00 in the
// clinic's zone, stored as instants]

#include "base/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace date {
class time_zone;
}

namespace gateway::resources {

using base::Instant;
using base::Result;

/// What a FHIR dateTime stands for: the first instant it holds, or the first after it.
enum class Bound { Start, End };

class Calendar {
 public:
  /// @param zone  IANA name. @error Errc::UnknownZone
  static Result<Calendar> of(const std::string& zone);

  /// The first instant of a day, `2026-11-01`, midnight or not. @error Errc::NotADate
  Result<Instant> start_of(std::string_view day) const;
  /// The first instant after a day.
  Result<Instant> end_of(std::string_view day) const;
  /// `2026-11-01`, `2026-11-01T09:30`, `2026-11-01T09:30:00` in this zone, or any of them with a zone of its own. An
  /// hour that the clocks skip is the instant they skip to; one that they repeat is the first of both.
  /// @error Errc::NotADate
  Result<Instant> read(std::string_view text) const;
  /// Whether clocks show `2026-11-01T09:30:00` once in this zone: they skip an hour and repeat one.
  bool shows_once(std::string_view time) const;
  /// A FHIR dateTime: `2026`, `2026-11`, `2026-11-01` as days of this zone; a time of day is that instant, either way,
  /// and without zone no dateTime: it may be any of 26 instants. [FHIR R4 dateTime] @error Errc::NotADate
  Result<Instant> read_fhir(std::string_view text, Bound bound) const;
  /// `2026-11-01T09:30:00-06:00`: as staff of that clinic read it; the first instant of a day is written as the day
  /// alone, a fraction of a second only where there is one. read gives back the instant.
  std::string write(Instant instant) const;
  /// One calendar year later (from 29 February: on the 28th), or so many days, at the same time of day.
  Instant plus_year(Instant instant) const;
  Instant plus_days(Instant instant, std::int64_t days) const;

 private:
  explicit Calendar(const date::time_zone* zone) : zone_(zone) {}
  const date::time_zone* zone_;  ///< of the date library's table, which lives as long as the program
};

/// `2026-11-01T05:00:00.000250Z`: a FHIR instant in UTC, microseconds and all.
std::string write_instant(Instant instant);

}  // namespace gateway::resources
