#pragma once
// What a corridor needs from the shelves: each interface is implemented over the store, and in memory for tests.

#include "certs/trust.hpp"
#include "gateway/net/body.hpp"
#include "policy/release.hpp"
#include "xca/ebxml/permitted.hpp"
#include "xca/ebxml/repository.hpp"
#include "xca/hl7v3/patient_discovery.hpp"
#include "xca/wss/reply.hpp"
#include "xca/wss/security.hpp"

#include <chrono>

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
  /// What is held of an entry that policy let go. Nothing of it is read yet.
  virtual Result<xca::soap::StoredContent> content(const xca::ebxml::DocumentEntry& entry) = 0;
  /// Reads it while it is sent, on the thread that sends; must not outlive this. The last octets come only once all of
  /// them were found to have the hash. @error of its next(): store::Errc::Unreadable where they differ
  virtual std::unique_ptr<net::Source> read(const xca::soap::StoredContent& content) = 0;
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
  /// Whether this organization may be called back at this address: byte for byte that of an active Endpoint of its
  /// active entry, or of its implementer's. [design §5]
  virtual bool lists_address(std::string_view home, std::string_view address) const = 0;
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

/// A request that was verified and accepted, to be answered by call-back. [WS-Addressing 1.0; facts §1.5]
struct PendingAnswer {
  std::string id;           ///< of the request, 32 hex digits
  std::string clinic = {};  ///< empty where the request names none of ours
  std::string claim = {};   ///< audit::Claim::request: a resend waits with the first
  std::string implementer = {}, home = {};
  std::string transaction = {}, message_id = {}, reply_to = {}, fault_to = {};
  std::string content_type = {};  ///< of the request
  base::Bytes body = {};
  std::vector<certs::Certificate> certificates = {};  ///< of the TLS client, its own first
  std::string address = {};                           ///< of the peer, numeric
  base::Seed seed = {};                               ///< of the answer's ids, the same at every attempt
  Instant accepted_at{}, due_at{};
};

/// A pending answer in the hands of one worker, until its lease ends.
struct TakenAnswer {
  PendingAnswer answer = {};
  std::int64_t fence = 0;
  unsigned attempts = 0;    ///< this one counted
  std::string reason = {};  ///< why the one before failed
};

enum class Added { New, WaitsAlready, NoRoom };

/// Requests that wait to be answered by call-back. What takes a TakenAnswer says whether it is still this taker's.
class PendingAnswers {
 public:
  virtual ~PendingAnswers() = default;
  virtual Result<std::size_t> waiting_of(std::string_view implementer) = 0;
  /// Within the commit that accepts the request. Nodes that commit at the same moment may go one over the limit each.
  virtual Result<Added> add(const PendingAnswer& answer, std::size_t waiting_max) = 0;
  /// The oldest that is due and in nobody's hands. @param but  of none of these implementers
  virtual Result<std::optional<TakenAnswer>> take(Instant now, std::chrono::seconds lease,
                                                  std::span<const std::string> but) = 0;
  /// Within the commit before the answer's first byte leaves: nobody else takes it before that commit.
  virtual Result<bool> hold(const TakenAnswer& taken) = 0;
  virtual Result<bool> put_back(const TakenAnswer& taken, Instant due_at, std::string_view reason) = 0;
  virtual Result<bool> remove(const TakenAnswer& taken) = 0;
  virtual Result<std::size_t> waiting() = 0;
};

}  // namespace gateway::exchange
