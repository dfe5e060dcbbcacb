#pragma once
// How many different patients a partner may ask for within a window: what tells a hospital that looks for its patients
// from somebody who tries names or numbers until one is found. Counts queries, never matches, and is judged before any
// look-up, so that a refusal says nothing of who is known. In memory, one for each node. [design §4; threats S07]

#include "base/time.hpp"

#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace gateway::exchange {

struct QueryLimits {
  std::size_t patients = 5000;  ///< different patients in a window
  std::size_t alike = 300;      ///< of them, of one family name or by number alone: a sweep, an enumeration
  std::chrono::minutes window{60};
};

class QueryBudget {
 public:
  explicit QueryBudget(QueryLimits limits) : limits_(limits) {}

  struct Judgement {
    bool within = true;
    bool alarm = false;  ///< the first refusal of this partner in a window
  };
  /// One query of `implementer`. Who was asked for within the window costs nothing again; who is refused counts for
  /// nothing, so that the budget comes back as the window moves on.
  /// @param person, alike  digests of Patients::asked_for
  Judgement ask(const std::string& implementer, const std::string& person, const std::string& alike,
                base::Instant now);

 private:
  struct Query {
    std::string person, alike;
    base::Instant last;
  };
  struct Partner {
    std::list<Query> queries = {};  ///< the longest ago first
    std::unordered_map<std::string, std::list<Query>::iterator> by_person = {};
    std::unordered_map<std::string, std::size_t> alike = {};
    std::optional<base::Instant> alarmed = {};
  };
  void forget(Partner& partner, base::Instant before) const;

  const QueryLimits limits_;
  std::mutex mutex_;
  std::map<std::string, Partner> partners_;  ///< as many as the directory has implementers
};

}  // namespace gateway::exchange
