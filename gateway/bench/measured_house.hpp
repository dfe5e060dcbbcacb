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
  certs::Credential tls, signing, partner, other_partner;
  certs::PrivateKey audit;
  documents::ContentSeal content;
};

/// How the measured gateway differs from one as it is shipped.
struct HousePlan {
  std::string database = {};  ///< URL; nothing: SQLite in the scratch directory
  exchange::QueryLimits queries = {};
};

class MeasuredHouse {
 public:
  /// A clinic whose defaults permit Treatment, and two partners; without patients, unless the database has them from a
  /// house that stood there before.
  static Result<std::unique_ptr<MeasuredHouse>> build(const std::filesystem::path& directory, const Keys& keys,
                                                      const HousePlan& plan = {});
  static Route route();  ///< of the partner's requests
  static Route other_route();
  /// The partners as a directory's Bundle.
  static std::string partners();

  /// They become patients of the clinic.
  Result<void> move_in(std::span<const Somebody> people);
  /// Files that many documents of a patient, numbered from 0.
  Result<void> file_documents(const Somebody& whose, std::size_t count, std::size_t octets);
  /// A patient's own choice.
  Result<void> choose(const Somebody& who, policy::PurposeSet purposes);

  exchange::NetworkDoor& door() { return door_; }
  exchange::Directory& directory() { return directory_; }
  patients::PatientShelf& patients() { return patients_; }
  const policy::Clinic& clinic() const { return clinic_; }
  audit::Journal& journal() { return *journal_; }

 private:
  MeasuredHouse(std::unique_ptr<store::Database> database, std::unique_ptr<audit::Journal> journal,
                policy::Clinic clinic, const Keys& keys, const HousePlan& plan);

  std::unique_ptr<store::Database> database_;
  std::unique_ptr<audit::Journal> journal_;
  policy::Clinic clinic_;
  directory::DirectoryShelf directory_;
  patients::PatientShelf patients_;
  const documents::ContentSeal seal_;
  documents::DocumentShelf documents_;
  pending::PendingShelf pending_;
  net::Metrics metrics_;
  audit::DecisionClock clock_{Instant{}};
  exchange::RespondingGateway gateway_;
  exchange::NetworkDoor door_;
};

}  // namespace gateway::bench
