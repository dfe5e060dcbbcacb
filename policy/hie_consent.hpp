#pragma once
// A patient's consents to what is sent to the HIE: what each row of the history is shown as, and whether something may
// be sent now. Pure. [design §4, HIE consent]
//
// Only the latest row that counts decides; it never falls back to an older one. Histories are in save order, of one
// person and one HIE.

#include "policy/release.hpp"

#include <span>

namespace policy {

enum class HieKind : std::uint8_t { Given, Revoked };
std::string_view word(HieKind kind) noexcept;  ///< `given`, `revoked`
std::optional<HieKind> hie_kind(std::string_view word) noexcept;

/// Whose word a row is.
enum class HieBasis : std::uint8_t { Patient, Staff, Default };
std::string_view word(HieBasis basis) noexcept;  ///< `patient`, `staff`, `default`
std::optional<HieBasis> hie_basis(std::string_view word) noexcept;

/// One row. A revocation is a row too; it takes back whatever came before it.
struct HieConsent {
  std::string id = {};
  HieKind kind = HieKind::Given;
  Instant given_on{};                        ///< of a revocation: when it was made
  std::optional<Instant> expires_on = {};    ///< nothing: it does not expire
  HieBasis basis = HieBasis::Staff;
  std::int64_t text_version = 0;             ///< of the explanation the patient saw; 0 for none
  /// False for an opt-in by default of a record whose person had been entered before, under another record: such a
  /// record is made for new persons alone.
  bool counts = true;
  bool operator==(const HieConsent&) const = default;
};

/// What is known of a person's consents to one HIE. Unreadable is not absent.
struct HieFacts {
  bool readable = true;
  std::vector<HieConsent> history = {};  ///< in save order
  bool operator==(const HieFacts&) const = default;
};

/// As screens show a row.
enum class HieStatus : std::uint8_t {
  Pending,   ///< a form that is not saved
  Active,
  Inactive,  ///< overridden, or not begun
  Expired,
  Revoked,
};
std::string_view word(HieStatus status) noexcept;  ///< `Pending`, `Active` …

/// The row that decides; nothing where there is none.
std::optional<std::size_t> latest(std::span<const HieConsent> history) noexcept;
/// The first that fits of: Revoked (a revocation, and the row it took back), Inactive (not the latest, or given_on >
/// now), Expired (expires_on <= now), Active. The place behind the last row is that of a form: Pending.
HieStatus shown_status(std::span<const HieConsent> history, std::size_t index, Instant now) noexcept;
/// Whether the latest row can be revoked: Active, or in the future.
bool may_revoke(std::span<const HieConsent> history, Instant now) noexcept;

/// The gate of HIE sends: permits where the latest row is Active now.
Finding judge_hie(const HieFacts& facts, Instant now);

}  // namespace policy
