#pragma once
// Whom to believe: path validation over values with a reference time. [RFC 5280 §6]
// A TrustStore is an immutable snapshot of anchors, pins and revocation lists; a reload makes a new one.

#include "certs/x509.hpp"

#include <optional>
#include <span>

namespace certs {

/// A certificate that a TrustStore validated. Only TrustStore::validate makes one; what needs trust asks for this type.
class TrustedCertificate {
 public:
  enum class By { Pin, Path };
  const Certificate& certificate() const noexcept { return certificate_; }
  By by() const noexcept { return by_; }
  /// False where soft policy believed it without evidence that it, or one above it, is not revoked.
  bool is_proven_unrevoked() const noexcept { return proven_; }

 private:
  friend class TrustStore;
  TrustedCertificate(Certificate certificate, By by, bool proven)
      : certificate_(std::move(certificate)), by_(by), proven_(proven) {}
  Certificate certificate_;
  By by_;
  bool proven_;
};

/// What to do where no usable evidence is at hand.
enum class RevocationPolicy { Soft, Hard };

/// What a certificate is to be believed for.
enum class Use { TlsClient, TlsServer, MessageSignature, MailSignature };

/// A certificate revocation list, checked against its issuer when a TrustStore takes it.
struct RevocationList {
  Bytes der;
};
/// One DER list, or PEM with any number. @error Errc::UnreadableCrl, also above 10 MB each or 64 MB together
Result<std::vector<RevocationList>> read_crls(BytesView pem_or_der);

class GatheredEvidence;

/// The evidence a TrustStore is made of.
struct TrustEvidence {
  std::vector<Certificate> anchors = {};
  std::vector<Certificate> intermediates = {};
  /// Believed by exact DER: skips CA, usage and path rules, never validity, strength or revocation. A self-signed one
  /// is its own anchor: under RevocationPolicy::Hard it needs no list, and a list that it signed itself may revoke it.
  std::vector<Certificate> pinned = {};
  std::vector<RevocationList> crls = {};  ///< unusable ones, those above 10 MB and beyond 1,024 are left out
  RevocationPolicy revocation = RevocationPolicy::Soft;
  /// Anchors of a network with a policy of its own; they are anchors as those above.
  std::vector<std::pair<Certificate, RevocationPolicy>> anchors_with_policy = {};
  std::shared_ptr<GatheredEvidence> gathered = nullptr;  ///< what is fetched while the house runs
  unsigned depth_max = 6;  ///< intermediates between leaf and anchor
};

class TrustStore {
 public:
  explicit TrustStore(TrustEvidence evidence);
  ~TrustStore();
  TrustStore(const TrustStore&) = delete;
  TrustStore& operator=(const TrustStore&) = delete;

  /// Judges one certificate at `now`. Chains are kept by hash; validity and revocation are judged at every call.
  /// @param presented  further certificates the peer sent, in any order, 64 KB at most
  /// @error Errc::KeyTooWeak, WeakSignature, NotYetValid, Expired, Revoked, RevocationUnknown, RevocationOnItsWay,
  ///        UnknownIssuer, BadPath, NotForThisUse
  Result<TrustedCertificate> validate(const Certificate& leaf, std::span<const Certificate> presented, Use use,
                                      Instant now) const;

  /// Judges every pin and known intermediate, for the gathered evidence to be asked about them before they are seen.
  void ask_ahead(Instant now) const;

  /// The certificate held here (pinned, or seen and validated before) that has this key: some peers send a KeyValue
  /// only, and it may only name what we already hold. [facts/query-exchange §4.3]
  std::optional<Certificate> held_certificate_with(const PublicKey& key) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Reads a trust bundle: PEM certificates, or a DER/PEM PKCS#7 with certificates. Whether a bundle file's signature is
/// to be believed is for the one who fetched it. A signed bundle gives its content's certificates, not its signer's.
/// @error Errc::UnreadableCertificate, also above 16 MB or 10,000 certificates
Result<std::vector<Certificate>> read_trust_bundle(BytesView bytes);
/// Writes certificates as a PEM bundle.
Bytes write_trust_bundle(std::span<const Certificate> certificates);

}  // namespace certs
