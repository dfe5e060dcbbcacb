#include "gateway/exchange/query_budget.hpp"

namespace gateway::exchange {

void QueryBudget::forget(Partner& partner, base::Instant before) const {
  while (!partner.queries.empty() && partner.queries.front().last <= before) {
    const auto& query = partner.queries.front();
    partner.by_person.erase(query.person);
    const auto alike = partner.alike.find(query.alike);
    if (--alike->second == 0) partner.alike.erase(alike);
    partner.queries.pop_front();
  }
}

QueryBudget::Judgement QueryBudget::ask(const std::string& implementer, const std::string& person,
                                        const std::string& alike, base::Instant now) {
  const std::lock_guard lock(mutex_);
  Partner& partner = partners_[implementer];
  forget(partner, now - limits_.window);
  if (const auto known = partner.by_person.find(person); known != partner.by_person.end()) {
    known->second->last = now;
    partner.queries.splice(partner.queries.end(), partner.queries, known->second);
    return {};
  }
  const auto same = partner.alike.find(alike);
  if (partner.queries.size() < limits_.patients && (same == partner.alike.end() || same->second < limits_.alike)) {
    partner.queries.push_back({person, alike, now});
    partner.by_person.emplace(person, std::prev(partner.queries.end()));
    ++partner.alike[alike];
    return {};
  }
  const bool alarm = !partner.alarmed || now - *partner.alarmed >= limits_.window;
  if (alarm) partner.alarmed = now;
  return {.within = false, .alarm = alarm};
}

}  // namespace gateway::exchange
