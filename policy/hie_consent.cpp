#include "policy/hie_consent.hpp"

#include <algorithm>

namespace policy {
namespace {

/// Enumerators by their words, in order.
constexpr std::string_view kinds[] = {"given", "revoked"};
constexpr std::string_view bases[] = {"patient", "staff", "default"};
constexpr std::string_view statuses[] = {"Pending", "Active", "Inactive", "Expired", "Revoked"};

template <class T>
std::optional<T> named(std::span<const std::string_view> words, std::string_view word) noexcept {
  const auto found = std::ranges::find(words, word);
  if (found == words.end()) return std::nullopt;
  return static_cast<T>(found - words.begin());
}
std::string_view name(std::span<const std::string_view> words, std::size_t at) noexcept {
  return at < words.size() ? words[at] : std::string_view();
}

Finding refuse(Reason reason, std::string sentence, std::string evidence, std::string would_change) {
  return {Gate::HieConsent, reason, std::move(sentence), std::move(evidence), std::move(would_change)};
}

}  // namespace

std::string_view word(HieKind kind) noexcept { return name(kinds, static_cast<std::size_t>(kind)); }
std::string_view word(HieBasis basis) noexcept { return name(bases, static_cast<std::size_t>(basis)); }
std::string_view word(HieStatus status) noexcept { return name(statuses, static_cast<std::size_t>(status)); }
std::optional<HieKind> hie_kind(std::string_view word) noexcept { return named<HieKind>(kinds, word); }
std::optional<HieBasis> hie_basis(std::string_view word) noexcept { return named<HieBasis>(bases, word); }

std::optional<std::size_t> latest(std::span<const HieConsent> history) noexcept {
  for (std::size_t i = history.size(); i-- > 0;) {
    if (history[i].counts) return i;
  }
  return std::nullopt;
}

HieStatus shown_status(std::span<const HieConsent> history, std::size_t index, Instant now) noexcept {
  if (index >= history.size()) return HieStatus::Pending;
  const HieConsent& row = history[index];
  if (row.kind == HieKind::Revoked) return HieStatus::Revoked;
  if (!row.counts) return HieStatus::Inactive;
  const auto next = std::ranges::find(history.subspan(index + 1), true, &HieConsent::counts);
  if (next != history.end()) return next->kind == HieKind::Revoked ? HieStatus::Revoked : HieStatus::Inactive;
  if (row.given_on > now) return HieStatus::Inactive;
  return row.expires_on && *row.expires_on <= now ? HieStatus::Expired : HieStatus::Active;
}

bool may_revoke(std::span<const HieConsent> history, Instant now) noexcept {
  const auto last = latest(history);
  if (!last) return false;
  const HieStatus status = shown_status(history, *last, now);
  return status == HieStatus::Active || status == HieStatus::Inactive;
}

Finding judge_hie(const HieFacts& facts, Instant now) {
  if (!facts.readable) {
    return refuse(Reason::PolicyError, "The patient's HIE consents or the HIE settings could not be read.", {},
                  "Repairing the stored record.");
  }
  const auto last = latest(facts.history);
  if (!last) {
    return refuse(Reason::HieNone, "The patient has given no consent to this HIE.", {},
                  "A consent of the patient to this HIE.");
  }
  const std::string evidence = "hie-consent " + facts.history[*last].id;
  switch (shown_status(facts.history, *last, now)) {
    case HieStatus::Active:
      return {Gate::HieConsent, Reason::Permitted, "The patient's latest consent to this HIE is in force.", evidence,
              {}};
    case HieStatus::Inactive:
      return refuse(Reason::HieFuture, "The patient's latest consent to this HIE is not in force yet.", evidence,
                    "That consent coming into force, or a newer one that is in force.");
    case HieStatus::Expired:
      return refuse(Reason::HieExpired, "The patient's latest consent to this HIE has expired.", evidence,
                    "A newer consent of the patient to this HIE.");
    case HieStatus::Revoked:
    case HieStatus::Pending: break;
  }
  return refuse(Reason::HieRevoked, "The patient has revoked the consent to this HIE.", evidence,
                "A newer consent of the patient to this HIE.");
}

}  // namespace policy
