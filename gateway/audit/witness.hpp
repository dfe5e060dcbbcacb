#pragma once
// The witness: a file outside of the database to which every commit's checkpoint goes, so that a database that was
// restored or cut short can be told from one that was not. [design §6]
// A running gateway and its commands share the file: whoever looks at its end or adds to it holds its lock.

#include "gateway/audit/chain.hpp"

#include <chrono>
#include <deque>

namespace gateway::audit {

class WitnessFile {
 public:
  /// Opens for appending, mode 0600, and cuts off what a full disk or power cut spoiled: an unfinished line, or all
  /// from the first octet that never reached the disk.
  /// An empty path makes a witness that keeps nothing.
  /// @error store::Errc::Unavailable
  static base::Result<WitnessFile> open(const std::string& path);
  ~WitnessFile();
  WitnessFile(WitnessFile&& other) noexcept;
  WitnessFile& operator=(WitnessFile&&) = delete;

  /// Appends the line, or keeps it for the next time where the file cannot take it now.
  void append(std::string line);
  /// Has the disk keep what was appended, at most once a second: a power cut spoils no more than open() looks at. To be
  /// called when nobody waits.
  void sync();
  /// Whether the line stands among the last 64 KiB: what was witnessed lately is not witnessed again.
  bool holds_lately(std::string_view line) const;
  std::size_t waiting() const noexcept { return waiting_.size(); }

 private:
  explicit WitnessFile(int file) : file_(file) {}
  int file_;
  std::deque<std::string> waiting_;
  bool unsynced_ = false;
  std::chrono::steady_clock::time_point synced_at_{};
};

}  // namespace gateway::audit
