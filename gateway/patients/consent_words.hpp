#pragma once
// A consent as people read it: what it says and how it stands now, in the clinic's zone. Pure.

#include "gateway/resources/calendar.hpp"
#include "policy/consent.hpp"

namespace gateway::patients {

using base::Instant;

/// Each statement a sentence, the outermost first; an exception stands behind the one it is an exception to, and begins
/// with `Except: ` as often as it is nested.
std::vector<std::string> statements(const policy::Provision& root, const resources::Calendar& calendar);

/// `in force`, `future`, `expired`, `revoked`, `proposed`, `entered in error`.
std::string_view state_of(const policy::Consent& consent, Instant now);

}  // namespace gateway::patients
