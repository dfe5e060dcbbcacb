#pragma once
// What a corridor needs from the shelves: each interface is implemented over the store, and in memory for tests.

#include "certs/trust.hpp"
#include "policy/release.hpp"
#include "xca/ebxml/permitted.hpp"
#include "xca/ebxml/repository.hpp"
#include "xca/hl7v3/patient_discovery.hpp"
#include "xca/wss/reply.hpp"
#include "xca/wss/security.hpp"

namespace gateway::exchange {

using base::Instant;
using base::Result;

/// What a patient search found, before policy: candidates above the threshold that are one person or may be one, or
/// what more would decide. Ambiguity is computed here, before any choice is looked at. [design §4]
struct Candidates {
  std::vector<policy::Held<xca::hl7v3::PatientMatch>> matches = {};
  std::vector<xca::hl7v3::Wanted> wanted = {};  ///< not empty: matches hold who it may be, none may be shown
};

/// Whom a query asks for, as digests: the same for the same person however often and in whatever spelling of case and
/// accents; `alike` for all of one family name. [threats S07]
struct Asked {
  std::string person, alike;
};

class Patients {
 public:
  virtual ~Patients() = default;
  /// The clinic with this home community (OID), with its settings as they are now.
  virtual Result<std::optional<policy::Clinic>> clinic(std::string_view home) = 0;
  /// The clinic that issues patient ids under this assigning authority (OID), for a query that names no home.
  virtual Result<std::optional<policy::Clinic>> clinic_of_authority(std::string_view root) = 0;
  /// All homes served here: an answer to a request that names none is possible only if there is one.
  virtual Result<std::vector<std::string>> homes() = 0;
  /// Looks nothing up.
  virtual Asked asked_for(const xca::hl7v3::PatientQuery& query) = 0;
  /// Reads candidates together with their choices and the clinic's defaults, in one statement.
  virtual Result<Candidates> match(const policy::Clinic& clinic, const xca::hl7v3::PatientQuery& query) = 0;
};

class Documents {
 public:
  virtual ~Documents() = default;
  /// What decides the answer to a stored query (xca::ebxml::narrow), entries together with their patients' choices.
  virtual Result<xca::ebxml::Concerned> concerned(const policy::Clinic& clinic,
                                                  const xca::ebxml::RegistryQuery& query) = 0;
  /// Entries with these unique ids whose bytes are held: metadata alone is nothing to retrieve.
  virtual Result<std::vector<policy::Held<xca::ebxml::DocumentEntry>>> retrievable(
      const policy::Clinic& clinic, const std::vector<std::string>& unique_ids) = 0;
  /// The bytes behind an entry that policy let go. @error store::Errc::Unreadable where their hash differs
  virtual Result<base::Bytes> content(const xca::ebxml::DocumentEntry& entry) = 0;
};

/// Partner settings, exceptions that have ended left out.
struct PartnerSettings {
  xca::wss::Allowance allowance = {};
  xca::wss::ResponseSignature response_signature = xca::wss::ResponseSignature::Full;
  bool strict_schema = false;
  bool equal_sender = false;
};

/// The directory and the trust it gives, as one immutable snapshot.
class DirectoryView {
 public:
  virtual ~DirectoryView() = default;
  virtual std::optional<policy::Organization> organization(std::string_view home) const = 0;
  /// The implementer our configuration ties to this certificate: pinned by exact DER, or key or subject under a
  /// trusted chain. Nothing where there is none. Does not validate.
  virtual std::optional<std::string> implementer_of(const certs::Certificate& certificate) const = 0;
  virtual PartnerSettings settings(std::string_view implementer, Instant now) const = 0;
  virtual const certs::TrustStore& trust() const = 0;
  virtual const std::string& version() const = 0;
};

class Directory {
 public:
  virtual ~Directory() = default;
  /// The directory as of now: a change committed on any node is seen here.
  virtual Result<std::shared_ptr<const DirectoryView>> current() = 0;
};

}  // namespace gateway::exchange
