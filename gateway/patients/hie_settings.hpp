#pragma once
// What a clinic's administrator sets about the HIE: where to, opt-in by default, how long consents last, and what the
// portal says about it. Kept as JSON in clinics.hie; each change is a row of clinic_settings. [design §4, HIE consent]

#include "gateway/patients/record.hpp"

namespace gateway::patients {

/// *HIE Explanation for the Patient Portal*. Every text has its number, from 1; the texts before stay in
/// clinic_settings.
struct HieExplanation {
  std::int64_t version = 0;  ///< 0: there never was one
  std::string text = {};
  bool operator==(const HieExplanation&) const = default;
};

struct HieSettings {
  bool enabled = false;
  std::string to = {};                                  ///< Direct address; consents are to it alone
  bool opt_in_by_default = false;                       ///< acts while enabled, for who was never here before
  std::optional<std::int64_t> expire_in_days = {};      ///< nothing: one calendar year
  HieExplanation explanation = {};
  bool operator==(const HieSettings&) const = default;
};

/// What one change sets; what is not given stays.
struct HieChange {
  std::optional<bool> enabled = {};
  std::optional<std::string> to = {};  ///< another address is another HIE: consents given so far are not to it
  std::optional<bool> opt_in_by_default = {};
  std::optional<std::int64_t> expire_in_days = {};      ///< 0: one calendar year
  std::optional<std::string> explanation = {};          ///< another text is a new version
};

inline constexpr std::int64_t expire_in_days_max = 36'500;
inline constexpr std::size_t explanation_octets_max = 20'000;

/// A Direct address as consents are kept under: the domain in lower case. @error Errc::BadSetting
Result<std::string> hie_address(std::string_view text);

/// clinics.hie as written by write_hie_settings; the empty text is a clinic that never set anything. Strict: a member
/// that is unknown, missing or out of its range makes all of it unreadable, and nothing may be sent.
/// @error Errc::RecordUnreadable
Result<HieSettings> read_hie_settings(std::string_view json);
std::string write_hie_settings(const HieSettings& settings);

/// As they are now. @error Errc::NoSuchClinic, Errc::RecordUnreadable
Result<HieSettings> hie_settings(store::Session& session, const std::string& clinic_id);
/// Counts from now on, with the clinic's next version.
/// @error Errc::NoSuchClinic, Errc::BadSetting, Errc::RecordUnreadable, Errc::ActorMissing
Result<HieSettings> change_hie_settings(store::Database& database, const std::string& clinic_id,
                                        const HieChange& change, std::string_view actor, Instant now);

}  // namespace gateway::patients
