#pragma once
// FHIR resources of a file, one by one: a Bundle, NDJSON, or one resource alone. [FHIR R4 Bundle; Bulk Data ndjson]

#include "base/json/document.hpp"

#include <functional>

namespace gateway::resources {

using base::BytesView;
using base::fail;
using base::Result;

enum class Errc {
  NotResources = 1,  ///< neither a Bundle nor lines of resources
  NotAPatient,
  NotAnOrganization,
  FieldUnreadable,  ///< an element whose value cannot be understood; the detail names the element, never its value
  UnknownZone,      ///< no zone of that name on this machine
  NotADate,
  TooMuch,          ///< provisions nested too deep, or too many of something
  NotAConsent,
  NotCsv,           ///< a line of a CSV file that cannot be read; the detail says why
};
boost::system::error_code make_error_code(Errc) noexcept;

/// What an import did, place by place. Places are named `line 3` or `entry 3`, counted from 1.
struct ImportReport {
  struct Skipped {
    std::string place;
    std::string sentence;  ///< one sentence, without patient data
  };
  std::size_t inserted = 0, updated = 0, unchanged = 0, skipped = 0;
  std::vector<Skipped> first_skipped = {};  ///< at most skipped_shown of them
  static constexpr std::size_t skipped_shown = 100;
  void skip(std::string place, std::string sentence);
  void skip(std::string place, const base::Error& error);
};

/// One resource or why it cannot be read. The value lives during the call only.
using TakeResource = std::function<Result<void>(const std::string& place, Result<base::json::Value> resource)>;

struct FileLimits {
  base::json::Limits bundle = {.bytes = 256u << 20, .depth = 64, .values = 20'000'000};
  base::json::Limits line = {};
};

/// Gives each resource of a file to `take`; bad NDJSON lines are given as errors and do not end the reading.
/// @error Errc::NotResources, base::json::Errc of a whole Bundle, whatever `take` returns
Result<void> read_bundle_or_ndjson(BytesView bytes, const TakeResource& take, const FileLimits& limits = {});

}  // namespace gateway::resources

namespace boost::system {
template <>
struct is_error_code_enum<gateway::resources::Errc> : std::true_type {};
}  // namespace boost::system
