#include "gateway/audit/witness.hpp"

#include "gateway/store/database.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace gateway::audit {
namespace {

/// Lines are cumulative proofs: of those the file could not take, the newest matter.
constexpr std::size_t waiting_max = 1000;
/// More than a second of commits writes.
constexpr off_t unsynced_max = 4 << 20;
constexpr off_t lately = 64 << 10;
constexpr std::chrono::seconds sync_every{1};

/// The length of the file up to its last line end before what never reached the disk, which reads as zeros.
off_t whole_lines(int file, off_t size) {
  std::string tail(static_cast<std::size_t>(std::min(size, unsynced_max)), '\0');
  const auto begin = size - static_cast<off_t>(tail.size());
  if (::pread(file, tail.data(), tail.size(), begin) != static_cast<ssize_t>(tail.size())) return size;
  const auto end = tail.rfind('\n', tail.find('\0'));
  return end == std::string::npos ? begin : begin + static_cast<off_t>(end) + 1;
}

/// The file's advisory lock, for as long as this lives.
class Locked {
 public:
  explicit Locked(int file) : file_(file) {
    while (::flock(file_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~Locked() { ::flock(file_, LOCK_UN); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  int file_;
};

/// One write, whole or not at all.
bool append_whole(int file, const std::string& line) {
  const Locked locked(file);
  struct stat before {};
  if (::fstat(file, &before) != 0) return false;
  if (::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size())) return true;
  // A torn line would spoil the next one; where it cannot be cut off now, open() does so at the next start.
  [[maybe_unused]] const int cut = ::ftruncate(file, before.st_size);
  return false;
}

}  // namespace

base::Result<WitnessFile> WitnessFile::open(const std::string& path) {
  if (path.empty()) return WitnessFile(-1);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return base::fail(store::Errc::Unavailable, "cannot open the witness file " + path);
  WitnessFile witness(file);
  const Locked locked(file);
  struct stat found {};
  if (::fstat(file, &found) != 0)
    return base::fail(store::Errc::Unavailable, "cannot look at the witness file " + path);
  if (!S_ISREG(found.st_mode) || found.st_size == 0) return witness;
  const off_t whole = whole_lines(file, found.st_size);
  if (whole != found.st_size && ::ftruncate(file, whole) != 0) {
    return base::fail(store::Errc::Unavailable, "cannot continue the witness file " + path);
  }
  return witness;
}

WitnessFile::WitnessFile(WitnessFile&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      waiting_(std::move(other.waiting_)),
      unsynced_(other.unsynced_),
      synced_at_(other.synced_at_) {}

WitnessFile::~WitnessFile() {
  if (file_ >= 0) ::close(file_);
}

bool WitnessFile::holds_lately(std::string_view line) const {
  struct stat found {};
  if (file_ < 0 || ::fstat(file_, &found) != 0) return false;
  std::string tail(static_cast<std::size_t>(std::min(found.st_size, lately)), '\0');
  const auto begin = found.st_size - static_cast<off_t>(tail.size());
  return ::pread(file_, tail.data(), tail.size(), begin) == static_cast<ssize_t>(tail.size()) &&
         tail.find(line) != std::string::npos;
}

void WitnessFile::append(std::string line) {
  if (file_ < 0) return;
  waiting_.push_back(std::move(line));
  for (; !waiting_.empty() && append_whole(file_, waiting_.front()); unsynced_ = true) waiting_.pop_front();
  if (waiting_.size() > waiting_max) waiting_.pop_front();
}

void WitnessFile::sync() {
  const auto now = std::chrono::steady_clock::now();
  if (!unsynced_ || now - synced_at_ < sync_every) return;
  unsynced_ = ::fdatasync(file_) != 0;
  synced_at_ = now;
}

}  // namespace gateway::audit
