#pragma once
// Revocation evidence that is gathered while the house runs: lists and OCSP responses others fetched, kept while they
// vouch, and what there is a question about. A judge looks here and never waits: what is not at hand yet is noted as
// asked. Reads no clock, fetches nothing. [RFC 5280 §6.3, RFC 6960; threats.md L09; design §5]

#include "certs/ocsp.hpp"

namespace certs {

/// A certificate with the one that signed it: what evidence can be had about.
struct Issued {
  Certificate certificate, issuer;
};

/// Where a certificate says evidence about it can be had: http addresses only, at most 8 of each.
struct EvidenceAddresses {
  std::vector<std::string> lists = {};       ///< of whole lists, signed by the issuer itself
  std::vector<std::string> responders = {};  ///< OCSP; never where issuers' certificates are (caIssuers)
};
EvidenceAddresses evidence_addresses(const Certificate& certificate);

struct GatheredLimits {
  std::size_t questions = 4096;              ///< certificates gathered for
  std::chrono::days unasked{7};              ///< after which one is forgotten
  std::size_t lists = 1024;
  std::size_t list_bytes_together = 64u << 20;
};

/// Shared by all snapshots of trust, safe over threads.
class GatheredEvidence {
 public:
  /// Off: nobody gathers, so nothing is ever on its way.
  enum class Gathering { On, Off };
  explicit GatheredEvidence(Gathering gathering, GatheredLimits limits = {});
  ~GatheredEvidence();

  /// What is known of a certificate, all evidence taken together.
  /// @param issuer  none where it is not known: then nothing can be gathered
  /// @param from_files  what lists at hand say already
  SourceState weigh(const Certificate& certificate, const std::optional<Certificate>& issuer, Testimony from_files,
                    Instant now);

  /// What was asked about since the last call and is new: addresses have not been tried.
  std::vector<Issued> take_asked();
  /// Every address of it has been tried once: it is no longer on its way.
  void settle(const Certificate& certificate);
  /// Forgets certificates that have expired or were not asked about for long, and lists that serve none of the others.
  void tidy(Instant now);
  /// All that are gathered for.
  std::vector<Issued> asked_about() const;

  /// Takes a list fetched from `address`. @return its nextUpdate
  /// @error Errc::UnusableEvidence where it may not be judged by, is not the issuer's, is not current, or is too much
  Result<Instant> take_list(const std::string& address, const Certificate& issuer, BytesView der, Instant now);
  /// @return when it ceases to vouch. @error Errc::UnusableEvidence
  Result<Instant> take_response(const OcspQuestion& question, BytesView response, Instant now);

  /// A certificate that was judged without evidence, and since when without interruption.
  struct Silence {
    Certificate certificate;
    Instant since;
  };
  std::vector<Silence> silent() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace certs
