#pragma once
// Certificate revocation lists as evidence: what a list says of a certificate, and from when to when it may vouch for
// one; and the one table of what follows from all evidence together. Fetching is not done here: certs/evidence takes
// what others fetched. [RFC 5280 §5, §6.3; threats.md L09]

#include "certs/trust.hpp"

#include <array>

struct X509_crl_st;

namespace certs {

/// What one list or one OCSP response says of one certificate. Bad evidence is silent.
enum class Testimony { Silent, Good, Revoked };

/// What all sources together say, weakest first: the strongest counts, so revoked anywhere wins.
enum class SourceState { None, OnItsWay, Good, Revoked };
constexpr SourceState state_of(Testimony testimony) {
  return testimony == Testimony::Revoked ? SourceState::Revoked
         : testimony == Testimony::Good  ? SourceState::Good
                                         : SourceState::None;
}

enum class RevocationVerdict { Believed, BelievedUnproven, RefusedOnItsWay, RefusedUnknown, RefusedRevoked };

/// Source state × policy. [threats.md L09]
struct RevocationRow {
  SourceState state;
  RevocationVerdict soft, hard;
};
inline constexpr std::array revocation_table{
    RevocationRow{SourceState::None, RevocationVerdict::BelievedUnproven, RevocationVerdict::RefusedUnknown},
    RevocationRow{SourceState::OnItsWay, RevocationVerdict::BelievedUnproven, RevocationVerdict::RefusedOnItsWay},
    RevocationRow{SourceState::Good, RevocationVerdict::Believed, RevocationVerdict::Believed},
    RevocationRow{SourceState::Revoked, RevocationVerdict::RefusedRevoked, RevocationVerdict::RefusedRevoked},
};
constexpr RevocationVerdict judge_revocation(SourceState state, RevocationPolicy policy) {
  const auto& row = revocation_table.at(static_cast<std::size_t>(state));
  return policy == RevocationPolicy::Hard ? row.hard : row.soft;
}

/// One complete, direct list. Immutable, safe over threads.
class Crl {
 public:
  /// Empty for what may not be judged by: not DER, above 10 MB, a delta or indirect list, one for attribute
  /// certificates or some reasons only, an unknown critical extension of the list or of an entry.
  static std::optional<Crl> read(BytesView der);

  /// True where `issuer` is named by the list, may sign lists and has signed this one.
  bool signed_by(const x509_st* issuer) const;

  /// What a list whose signature was verified says. Revoked counts at any time; Good only from thisUpdate to
  /// nextUpdate, within the list's scope, and not from a list signed with MD5 or SHA-1.
  Testimony about(const x509_st* certificate, Instant now) const;
  std::optional<Instant> this_update() const;
  std::optional<Instant> next_update() const;

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
