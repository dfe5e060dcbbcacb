#pragma once
// A bounded store of what was computed before, by digest; the least recently used goes first. What is kept is only ever
// a saving: whoever asks must be able to do without.

#include "base/bytes.hpp"

#include <array>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace certs {

/// Safe over threads: sixteen shards, each with its own lock.
template <class Value>
class Recent {
 public:
  explicit Recent(std::size_t count_max) : shard_count_max_(count_max / shard_count + 1) {}

  std::optional<Value> find(const base::Bytes& digest) {
    auto& shard = shard_of(digest);
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.places.find(digest);
    if (found == shard.places.end()) return std::nullopt;
    shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
    return found->second->second;
  }

  void keep(const base::Bytes& digest, Value value) {
    auto& shard = shard_of(digest);
    const std::scoped_lock lock(shard.mutex);
    if (const auto found = shard.places.find(digest); found != shard.places.end()) {
      found->second->second = std::move(value);
      return;
    }
    shard.entries.emplace_front(digest, std::move(value));
    shard.places.emplace(digest, shard.entries.begin());
    if (shard.entries.size() <= shard_count_max_) return;
    shard.places.erase(shard.entries.back().first);
    shard.entries.pop_back();
  }

 private:
  static constexpr std::size_t shard_count = 16;
  using Entries = std::list<std::pair<base::Bytes, Value>>;
  struct Shard {
    std::mutex mutex;
    Entries entries;  ///< the most recently used first
    std::unordered_map<base::Bytes, typename Entries::iterator> places;
  };
  Shard& shard_of(const base::Bytes& digest) { return shards_[std::hash<base::Bytes>{}(digest) % shard_count]; }

  std::size_t shard_count_max_;
  std::array<Shard, shard_count> shards_;
};

}  // namespace certs
