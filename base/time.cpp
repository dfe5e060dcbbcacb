#include "base/time.hpp"

#include "base/error_table.hpp"

#include <optional>

namespace base {
namespace {

constexpr ErrorRow rows[] = {
    {int(TimeErrc::NotADateTime), "not-a-date-time", "a time is not an xs:dateTime", Cause::BadMessage},
    {int(TimeErrc::NoZone), "time-without-zone", "a time has no zone", Cause::BadMessage},
    {int(TimeErrc::NotAnHl7Timestamp), "not-an-hl7-time", "a time is not an HL7 timestamp", Cause::BadMessage},
};
constinit const ErrorTable errors("gatehouse.time", rows);

/// The parts of a time as written, in its own zone.
struct Written {
  int year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0;
  int micros = 0;
  std::optional<int> zone_minutes = {};
};

/// Takes a text apart from its front.
class Taker {
 public:
  explicit Taker(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  bool at_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// Exactly `count` digits.
  std::optional<int> digits(int count) {
    int value = 0;
    for (; count > 0; --count) {
      if (!at_digit()) return {};
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }

  /// 1 to 12 digits after a decimal point, cut to microseconds.
  std::optional<int> fraction() {
    int micros = 0, count = 0;
    for (; at_digit(); ++count) {
      if (count == 12) return {};
      if (count < 6) micros = micros * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    if (count == 0) return {};
    for (; count < 6; ++count) micros *= 10;
    return micros;
  }

  /// `±hh:mm`, or `±hhmm` without the colon, as minutes east of UTC, at most 14 hours.
  std::optional<int> offset(bool with_colon) {
    const bool west = take('-');
    if (!west && !take('+')) return {};
    const auto hours = digits(2);
    if (with_colon && !take(':')) return {};
    const auto minutes = digits(2);
    if (!hours || !minutes || *minutes > 59 || *hours * 60 + *minutes > 14 * 60) return {};
    return (west ? -1 : 1) * (*hours * 60 + *minutes);
  }

 private:
  std::string_view rest_;
};

/// xs:dateTime; a missing zone stays missing.
std::optional<Written> take_date_time(std::string_view text) {
  Taker taker(text);
  Written written;
  const auto part = [&](int& into, int digits) {
    const auto value = taker.digits(digits);
    into = value.value_or(0);
    return value.has_value();
  };
  const bool complete = part(written.year, 4) && taker.take('-') && part(written.month, 2) && taker.take('-') &&
                        part(written.day, 2) && taker.take('T') && part(written.hour, 2) && taker.take(':') &&
                        part(written.minute, 2) && taker.take(':') && part(written.second, 2);
  if (!complete) return {};
  if (taker.take('.')) {
    const auto micros = taker.fraction();
    if (!micros) return {};
    written.micros = *micros;
  }
  if (taker.take('Z'))
    written.zone_minutes = 0;
  else if (!taker.done()) {
    written.zone_minutes = taker.offset(true);
    if (!written.zone_minutes) return {};
  }
  return taker.done() ? std::optional(written) : std::nullopt;
}

/// HL7 TS: year, then ever finer parts as far as they are given.
std::optional<Written> take_hl7(std::string_view text) {
  Taker taker(text);
  Written written;
  const auto year = taker.digits(4);
  if (!year) return {};
  written.year = *year;
  bool with_seconds = true;
  for (int* part : {&written.month, &written.day, &written.hour, &written.minute, &written.second}) {
    with_seconds = taker.at_digit();
    if (!with_seconds) break;
    const auto value = taker.digits(2);
    if (!value) return {};
    *part = *value;
  }
  if (with_seconds && taker.take('.')) {
    const auto micros = taker.fraction();
    if (!micros) return {};
    written.micros = *micros;
  }
  if (!taker.done()) {
    written.zone_minutes = taker.offset(false);
    if (!written.zone_minutes) return {};
  }
  return taker.done() ? std::optional(written) : std::nullopt;
}

/// The instant of a written time whose date and time of day exist; UTC where it has no zone.
std::optional<Instant> instant_of(const Written& written) {
  using namespace std::chrono;
  const year_month_day date{year(written.year), month(unsigned(written.month)), day(unsigned(written.day))};
  if (!date.ok() || written.year < 1900 || written.year > 2200) return {};
  if (written.hour > 23 || written.minute > 59 || written.second > 59) return {};
  return Instant(sys_days(date)) + hours(written.hour) + minutes(written.minute - written.zone_minutes.value_or(0)) +
         seconds(written.second) + microseconds(written.micros);
}

void append_digits(std::string& out, int value, int width) {
  std::array<char, 4> digits;
  for (int i = width; i > 0; value /= 10) digits[std::size_t(--i)] = char('0' + value % 10);
  out.append(digits.data(), std::size_t(width));
}

/// Date and time of day in UTC with the given separators, down to the second.
std::string write_seconds(Instant instant, std::string_view date_separator, std::string_view between,
                          std::string_view time_separator) {
  using namespace std::chrono;
  const auto midnight = floor<days>(instant);
  const year_month_day date{midnight};
  const hh_mm_ss time{floor<seconds>(instant - midnight)};
  std::string out;
  out.reserve(32);
  append_digits(out, int(date.year()), 4);
  append_digits(out.append(date_separator), int(unsigned(date.month())), 2);
  append_digits(out.append(date_separator), int(unsigned(date.day())), 2);
  append_digits(out.append(between), int(time.hours().count()), 2);
  append_digits(out.append(time_separator), int(time.minutes().count()), 2);
  append_digits(out.append(time_separator), int(time.seconds().count()), 2);
  return out;
}

}  // namespace

boost::system::error_code make_error_code(TimeErrc code) noexcept { return {static_cast<int>(code), errors}; }

Result<Instant> read_date_time(std::string_view text) {
  const auto written = take_date_time(text);
  if (!written) return fail(TimeErrc::NotADateTime);
  const auto instant = instant_of(*written);
  if (!instant) return fail(TimeErrc::NotADateTime);
  if (!written->zone_minutes) return fail(TimeErrc::NoZone);
  return *instant;
}

std::string write_date_time(Instant instant) {
  using namespace std::chrono;
  auto out = write_seconds(instant, "-", "T", ":");
  const auto millis = floor<milliseconds>(instant - floor<seconds>(instant));
  out.push_back('.');
  append_digits(out, int(millis.count()), 3);
  out.push_back('Z');
  return out;
}

Result<Instant> read_hl7_time(std::string_view text) {
  const bool is_dashed_date = text.size() == 10 && text[4] == '-';
  auto written = is_dashed_date ? take_date_time(std::string(text) + "T00:00:00") : take_hl7(text);
  if (!written) written = take_date_time(text);
  const auto instant = written ? instant_of(*written) : std::nullopt;
  if (!instant) return fail(TimeErrc::NotAnHl7Timestamp);
  return *instant;
}

std::string write_hl7_time(Instant instant) { return write_seconds(instant, "", "", "") + "+0000"; }
std::string write_dtm(Instant instant) { return write_seconds(instant, "", "", ""); }

}  // namespace base
