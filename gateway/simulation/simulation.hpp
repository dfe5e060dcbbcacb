#pragma once
// What would have been answered otherwise: requests of the past, decided again against the records as they are now,
// under a clinic's settings and under changed ones. Reads only. [design §3, policy simulate]
// The gates before the patient are the deployment's: requests they refused are none of this. Whom a patient query means
// is not searched again: it is about whom it was about then.

#include "gateway/audit/decided.hpp"
#include "gateway/exchange/ports.hpp"

namespace gateway::simulation {

using base::Instant;
using base::Result;

enum class Errc {
  BadChange = 1,  ///< the detail names the line
  NoChange,       ///< a file that changes nothing
};
boost::system::error_code make_error_code(Errc) noexcept;

/// The clinic as a file of settings would make it.
/// @param file  lines as `settings set` takes them, blank ones and those that begin with `#` passed over; or JSON,
///              `{"settings": {"purposes": "treatment", "gate": ["HIV"], "part2-emergencies": "on"}}`
/// @error Errc::BadChange, Errc::NoChange
Result<policy::Clinic> changed_clinic(const policy::Clinic& clinic, base::BytesView file);

struct Question {
  policy::Clinic now, changed;  ///< the same clinic
  audit::Period period;
  const policy::Rules& rules;   ///< of the deployment
  const exchange::DirectoryView& directory;
  Instant at;                   ///< of the decisions
  std::size_t shifts_max = 10'000;
};

/// A resource that would be answered otherwise, as often as it was asked for alike.
struct Shift {
  bool answered = false;  ///< newly answered; else newly refused
  std::string transaction, organization, home, purposes;
  std::string patient, mrn;   ///< our id and record number
  std::string document = {};  ///< unique id; empty where the patient was asked for
  policy::Reason before = policy::Reason::Permitted, after = policy::Reason::Permitted;
  std::string because = {}, would_change = {};  ///< of the one that refuses
  std::int64_t times = 0;
  Instant last_asked{};
  std::string last_request = {};
};

/// Requests and resources of the period; a resource counts as often as it was asked for.
struct Totals {
  std::int64_t requests = 0, requests_changed = 0;
  std::int64_t newly_answered = 0, newly_refused = 0, answered_alike = 0, refused_alike = 0;
  std::int64_t gone = 0;        ///< patients or documents that are no longer held
  std::int64_t left_out = 0;    ///< of requests for more than a record lists
  std::int64_t not_listed = 0;  ///< shifts beyond shifts_max
};
struct Simulation {
  std::vector<Shift> shifts;  ///< in the order they were first asked for
  Totals totals = {};
};
/// @param progress  called with requests done
/// @error store::Errc::…; base::json::Errc::…
Result<Simulation> simulate(store::Database& database, const Question& question,
                            const std::function<void(std::uint64_t)>& progress = {});

}  // namespace gateway::simulation

namespace boost::system {
template <>
struct is_error_code_enum<gateway::simulation::Errc> : std::true_type {};
}  // namespace boost::system
