#pragma once
// The gateway that is measured, built as `serve` builds it, in a scratch directory of its own: one clinic with its
// patients in SQLite, one partner whose certificate is pinned, keys made for this run.

#include "certs/authority.hpp"
#include "gateway/bench/asker.hpp"
#include "gateway/directory/shelf.hpp"
#include "gateway/documents/shelf.hpp"
#include "gateway/exchange/network_door.hpp"
#include "gateway/patients/shelf.hpp"
#include "gateway/pending/shelf.hpp"

#include <filesystem>

namespace gateway::bench {

using base::Result;

/// A private directory that goes with the object.
class Scratch {
 public:
  /// @param parent  where it is made; empty: the system's temporary directory. Throws std::runtime_error
  explicit Scratch(const std::filesystem::path& parent);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }
  bool is_in_memory() const;  ///< tmpfs: waiting for the disk costs nothing there

 private:
  std::filesystem::path path_;
};

/// Keys and certificates of both sides, under one authority.
struct Keys {
  static Keys make();
  certs::CertificateAuthority authority;
  certs::Credential tls, signing, partner;
};

class MeasuredHouse {
 public:
  /// Every patient permits Treatment, every fourth by an own choice, the others by the clinic's defaults.
  static Result<std::unique_ptr<MeasuredHouse>> build(const std::filesystem::path& directory, const Keys& keys,
                                                      std::span<const Somebody> people);
  static Route route();  ///< of the partner's requests

  exchange::NetworkDoor& door() { return door_; }
  exchange::Directory& directory() { return directory_; }
  audit::Journal& journal() { return *journal_; }

 private:
  MeasuredHouse(std::unique_ptr<store::Database> database, std::unique_ptr<audit::Journal> journal, const Keys& keys);

  std::unique_ptr<store::Database> database_;
  std::unique_ptr<audit::Journal> journal_;
  directory::DirectoryShelf directory_;
  patients::PatientShelf patients_;
  documents::DocumentShelf documents_;
  pending::PendingShelf pending_;
  net::Metrics metrics_;
  exchange::RespondingGateway gateway_;
  exchange::NetworkDoor door_;
};

}  // namespace gateway::bench
