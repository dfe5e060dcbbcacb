#pragma once
// Certificate revocation lists as evidence: what a list says of a certificate, and from when to when it may vouch for
// one. Used by certs/trust alone; fetching lists is not done here. [RFC 5280 §5, §6.3; threats.md L09]

#include "certs/trust.hpp"

struct X509_crl_st;

namespace certs {

/// One complete, direct list. Immutable, safe over threads.
class Crl {
 public:
  /// Empty for what may not be judged by: not DER, above 10 MB, a delta or indirect list, one for attribute
  /// certificates or some reasons only, an unknown critical extension of the list or of an entry.
  static std::optional<Crl> read(BytesView der);

  /// True where `issuer` is named by the list, may sign lists and has signed this one.
  bool signed_by(const x509_st* issuer) const;

  enum class Answer { Silent, Good, Revoked };
  /// What a list whose signature was verified says. Revoked counts at any time; Good only from thisUpdate to
  /// nextUpdate, within the list's scope, and not from a list signed with MD5 or SHA-1.
  Answer about(const x509_st* certificate, Instant now) const;

 private:
  struct Parts;
  std::shared_ptr<const Parts> parts_;
};

/// The lists at hand and those known beforehand to have signed them.
class RevocationLists {
 public:
  /// Lists that may not be judged by, and those beyond 1,024, are left out: bad evidence is none.
  RevocationLists(std::span<const RevocationList> lists, std::span<const Certificate> known_issuers);
  std::vector<Crl> signed_by(const x509_st* issuer) const;

 private:
  struct Checked {
    Crl crl;
    std::vector<Certificate> signers;  ///< of the known issuers: a large list is not hashed for every path
  };
  std::vector<Checked> lists_;
};

}  // namespace certs
