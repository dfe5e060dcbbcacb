#include "certs/expiry.hpp"

#include <algorithm>
#include <array>

namespace certs {
namespace {

constexpr std::array<std::int64_t, 4> marks{-1, 1, 7, 30};  // days left at most; -1: it has ended
constexpr std::int64_t urgent_days = 7;

}  // namespace

std::int64_t days_left(const Certificate& certificate, Instant now) {
  return std::chrono::floor<std::chrono::days>(certificate.not_after() - now).count();
}

std::vector<ExpiryAlarms::Alarm> ExpiryAlarms::due(std::span<const Dated> all, Instant now) {
  std::vector<Alarm> alarms;
  std::map<std::string, std::int64_t> told;
  for (const auto& dated : all) {
    const auto left = days_left(dated.certificate, now);
    const auto mark = std::ranges::find_if(marks, [&](std::int64_t days) { return left <= days; });
    if (mark == marks.end()) continue;
    const auto key = dated.role + dated.certificate.sha256();
    if (!told.emplace(key, *mark).second) continue;
    const auto before = marks_.find(key);
    if (before != marks_.end() && before->second <= *mark) continue;
    alarms.push_back({dated, left, left <= urgent_days});
  }
  marks_ = std::move(told);
  return alarms;
}

std::map<std::string, std::int64_t> first_to_end(std::span<const Dated> all, Instant now) {
  std::map<std::string, std::int64_t> first;
  for (const auto& [role, certificate] : all) {
    const auto left = days_left(certificate, now);
    const auto [at, fresh] = first.emplace(role, left);
    if (!fresh) at->second = std::min(at->second, left);
  }
  return first;
}

}  // namespace certs
