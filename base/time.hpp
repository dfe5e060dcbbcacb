#pragma once
// Instants and the texts that stand for them. Nobody reads a clock here: `now` comes in as a value.

#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace base {

/// A point in time, microseconds since 1970-01-01T00:00:00Z (UTC, no leap seconds), as both databases store it.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

inline Instant from_micros(std::int64_t micros) { return Instant(std::chrono::microseconds(micros)); }
inline std::int64_t to_micros(Instant instant) { return instant.time_since_epoch().count(); }

enum class TimeErrc { NotADateTime = 1, NoZone, NotAnHl7Timestamp };
boost::system::error_code make_error_code(TimeErrc) noexcept;

/// Reads xs:dateTime with a zone. [XSD 1.0 Part 2 §3.2.7; SAML core §1.3.3]
/// Refused: dates that do not exist, 24:00:00, second 60, years outside 1900–2200, more than 12 fraction digits.
/// Fractions below a microsecond are cut.
/// @error TimeErrc::NoZone without a zone: a time that may be any of 26 instants decides nothing
Result<Instant> read_date_time(std::string_view text);

/// `2026-11-21T19:30:05.014Z`: milliseconds, UTC.
std::string write_date_time(Instant instant);

/// Reads an HL7 TS (YYYY[MM[DD[HH[MM[SS[.f]]]]]][±ZZZZ]) or the xs:dateTime or xs:date that peers send instead
/// (quirks.md). A value without zone is read as UTC. Short values name their first instant.
Result<Instant> read_hl7_time(std::string_view text);

/// `20261121193005+0000`: seconds, UTC.
std::string write_hl7_time(Instant instant);
/// `20261121193005`: an XDS DTM, seconds, UTC without zone. [ITI TF-3 §4.2.3.1.7]
std::string write_dtm(Instant instant);

}  // namespace base

namespace boost::system {
template <>
struct is_error_code_enum<base::TimeErrc> : std::true_type {};
}  // namespace boost::system
