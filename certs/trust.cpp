#include "certs/trust.hpp"

#include "certs/evidence.hpp"
#include "certs/openssl.hpp"
#include "certs/recent.hpp"

#include <openssl/x509_vfy.h>

#include <algorithm>

namespace certs {
namespace {

constexpr std::size_t chains_kept = 4096;
constexpr std::size_t presented_bytes_max = 64 * 1024;  // L08
constexpr int auth_level = 2;                           // 112 bit: RSA from 2048, no link signed with MD5 or SHA-1

using StoreHandle = Owned<X509_STORE, X509_STORE_free>;
using VerificationHandle = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;

struct PathError {
  int verify_error;
  Errc code;
};
constexpr std::array path_errors{
    PathError{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, Errc::UnknownIssuer},
    PathError{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, Errc::UnknownIssuer},
    PathError{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, Errc::UnknownIssuer},
    PathError{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, Errc::UnknownIssuer},
    PathError{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, Errc::UnknownIssuer},
    PathError{X509_V_ERR_CERT_SIGNATURE_FAILURE, Errc::UnknownIssuer},
    PathError{X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, Errc::UnknownIssuer},
    PathError{X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, Errc::UnknownIssuer},
    PathError{X509_V_ERR_CERT_UNTRUSTED, Errc::UnknownIssuer},
    PathError{X509_V_ERR_CERT_REJECTED, Errc::UnknownIssuer},
    PathError{X509_V_ERR_CERT_CHAIN_TOO_LONG, Errc::BadPath},
    PathError{X509_V_ERR_INVALID_CA, Errc::BadPath},
    PathError{X509_V_ERR_PATH_LENGTH_EXCEEDED, Errc::BadPath},
    PathError{X509_V_ERR_KEYUSAGE_NO_CERTSIGN, Errc::BadPath},
    PathError{X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, Errc::BadPath},
    PathError{X509_V_ERR_INVALID_EXTENSION, Errc::BadPath},
    PathError{X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED, Errc::BadPath},
    PathError{X509_V_ERR_PERMITTED_VIOLATION, Errc::BadPath},
    PathError{X509_V_ERR_EXCLUDED_VIOLATION, Errc::BadPath},
    PathError{X509_V_ERR_SUBTREE_MINMAX, Errc::BadPath},
    PathError{X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, Errc::BadPath},
    PathError{X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, Errc::BadPath},
    PathError{X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, Errc::BadPath},
    PathError{X509_V_ERR_EE_KEY_TOO_SMALL, Errc::KeyTooWeak},
    PathError{X509_V_ERR_CA_KEY_TOO_SMALL, Errc::KeyTooWeak},
    PathError{X509_V_ERR_CA_MD_TOO_WEAK, Errc::WeakSignature},
    PathError{X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH, Errc::BadPath},
    PathError{X509_V_ERR_INVALID_PURPOSE, Errc::NotForThisUse},
};

base::Error path_error(int verify_error) {
  const auto row = std::ranges::find(path_errors, verify_error, &PathError::verify_error);
  return fail(row == path_errors.end() ? Errc::BadPath : row->code, X509_verify_cert_error_string(verify_error));
}

/// Validity is judged by us, to the microsecond and at every call; OpenSSL calls a certificate expired in its last
/// second.
int leave_time_to_us(int held, X509_STORE_CTX* context) {
  if (held) return held;
  const int error = X509_STORE_CTX_get_error(context);
  if (error != X509_V_ERR_CERT_NOT_YET_VALID && error != X509_V_ERR_CERT_HAS_EXPIRED) return 0;
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

/// Stands where OpenSSL would look at revocation, after the path is built and before any signature is computed: no key
/// that is weak or dear to compute with, and no authority without the CA flag (version 1, keyCertSign alone).
int refuse_weak_links(X509_STORE_CTX* context) {
  const auto* chain = X509_STORE_CTX_get0_chain(context);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    auto* certificate = sk_X509_value(chain, i);
    auto* key = X509_get0_pubkey(certificate);
    int error = X509_V_OK;
    if (!key || !judge_key(key)) error = X509_V_ERR_CA_KEY_TOO_SMALL;
    if (i > 0 && X509_check_ca(certificate) != 1) error = X509_V_ERR_INVALID_CA;
    if (error == X509_V_OK) continue;
    X509_STORE_CTX_set_error_depth(context, i);
    X509_STORE_CTX_set_error(context, error);
    return 0;
  }
  return 1;
}

/// A certificate of a path with what may revoke it.
struct Link {
  Certificate certificate;
  std::optional<Certificate> issuer = {};  ///< none: the anchor, or a pin whose issuer is not known
  std::vector<Crl> lists = {};             ///< from files, signed by its issuer
  bool is_anchor = false;                  ///< nobody above it is known: needs no evidence
};
struct Chain {
  std::vector<Link> links = {};                                     ///< the leaf first, the anchor last
  Instant not_before = Instant::min(), not_after = Instant::max();  ///< when all of them are valid
  RevocationPolicy policy = RevocationPolicy::Soft;                 ///< of its anchor's network

  void add(Link link) {
    not_before = std::max(not_before, link.certificate.not_before());
    not_after = std::min(not_after, link.certificate.not_after());
    links.push_back(std::move(link));
  }
};

Result<void> judge_validity(const Chain& chain, Instant now) {
  if (now < chain.not_before) return fail(Errc::NotYetValid);
  if (now > chain.not_after) return fail(Errc::Expired);
  return {};
}

/// @return whether there is evidence for every link
Result<bool> judge_revocation(const Chain& chain, GatheredEvidence* gathered, Instant now) {
  bool proven = true;
  for (const auto& [certificate, issuer, lists, is_anchor] : chain.links) {
    auto from_files = Testimony::Silent;
    for (const auto& list : lists) from_files = std::max(from_files, list.about(certificate.handle(), now));
    if (is_anchor && from_files != Testimony::Revoked) continue;
    const auto state = gathered ? gathered->weigh(certificate, issuer, from_files, now) : state_of(from_files);
    switch (judge_revocation(state, chain.policy)) {
      case RevocationVerdict::Believed: break;
      case RevocationVerdict::BelievedUnproven: proven = false; break;
      case RevocationVerdict::RefusedOnItsWay: return fail(Errc::RevocationOnItsWay, certificate.subject());
      case RevocationVerdict::RefusedUnknown: return fail(Errc::RevocationUnknown, certificate.subject());
      case RevocationVerdict::RefusedRevoked: return fail(Errc::Revoked, certificate.subject());
    }
  }
  return proven;
}

/// Of what OpenSSL judges by itself. Extended key usage plays no part for SOAP messages: most signers have TLS
/// certificates.
std::optional<int> purpose_of(Use use) {
  switch (use) {
    case Use::TlsClient: return X509_PURPOSE_SSL_CLIENT;
    case Use::TlsServer: return X509_PURPOSE_SSL_SERVER;
    case Use::MailSignature: return X509_PURPOSE_SMIME_SIGN;
    case Use::MessageSignature: break;
  }
  return std::nullopt;
}

/// The rules for the leaf itself that do not change with time.
Result<void> judge_use(X509* leaf, Use use) {
  const auto flags = X509_get_extension_flags(leaf);
  if (flags & EXFLAG_INVALID) return fail(Errc::BadPath, "an extension that cannot be read");
  if (flags & EXFLAG_CA) return fail(Errc::BadPath, "the certificate of an authority");
  const bool signs_messages = use == Use::MessageSignature || use == Use::MailSignature;
  const std::uint32_t wanted = signs_messages ? KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION : KU_DIGITAL_SIGNATURE;
  if (!(X509_get_key_usage(leaf) & wanted)) return fail(Errc::NotForThisUse, "key usage without digitalSignature");
  return {};
}

bool is_self_signed(X509* certificate) { return X509_self_signed(certificate, 1) == 1; }

}  // namespace

struct TrustStore::Parts {
  explicit Parts(TrustEvidence evidence);
  Result<std::shared_ptr<const Chain>> build(const Certificate& leaf, std::span<const Certificate> presented, Use use,
                                             Instant now) const;
  Result<std::shared_ptr<const Chain>> chain_of(const Certificate& leaf, std::span<const Certificate> presented,
                                                Use use, Instant now);
  Chain pinned_chain(const Certificate& pinned) const;
  Result<bool> judge(const Chain& chain, Instant now) const;
  std::optional<Certificate> issuer_of(const Certificate& certificate) const;
  RevocationPolicy policy_under(Certificate top) const;

  RevocationPolicy revocation;
  std::map<Bytes, RevocationPolicy> policies;  ///< by SHA-256 of an anchor, where they differ
  std::shared_ptr<GatheredEvidence> gathered;
  unsigned depth_max;
  std::vector<Certificate> known_issuers;  ///< anchors and intermediates
  CertificateStack intermediates{sk_X509_new_null()};
  StoreHandle store{X509_STORE_new()};
  RevocationLists lists;
  std::map<Bytes, std::pair<Certificate, Chain>> pinned;  ///< by SHA-256
  Recent<std::shared_ptr<const Chain>> chains{chains_kept};
  Recent<Certificate> validated_by_key{chains_kept};
};

namespace {
std::vector<Certificate> joined(std::vector<Certificate> first, const std::vector<Certificate>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

TrustEvidence with_all_anchors(TrustEvidence evidence) {
  for (const auto& [anchor, policy] : evidence.anchors_with_policy) evidence.anchors.push_back(anchor);
  return evidence;
}

Result<Certificate> value_of(const X509* certificate) { return Certificate::parse(der_of<i2d_X509>(certificate)); }

}  // namespace

TrustStore::Parts::Parts(TrustEvidence evidence)
    : revocation(evidence.revocation),
      gathered(std::move(evidence.gathered)),
      depth_max(evidence.depth_max),
      known_issuers(joined(evidence.anchors, evidence.intermediates)),
      lists(evidence.crls, known_issuers) {
  const QuietErrors quiet;
  must(store && intermediates, "making a store");
  // An anchor that several networks name is judged by the strictest of them.
  for (const auto& [anchor, policy] : evidence.anchors_with_policy)
    if (policy == RevocationPolicy::Hard || !policies.contains(anchor.sha256())) policies[anchor.sha256()] = policy;
  for (const auto& anchor : evidence.anchors)
    must(X509_STORE_add_cert(store.get(), anchor.handle()) == 1, "adding an anchor");
  for (const auto& intermediate : evidence.intermediates)
    must(X509_add_cert(intermediates.get(), intermediate.handle(), X509_ADD_FLAG_UP_REF) == 1, "adding a certificate");
  X509_STORE_set_verify_cb(store.get(), leave_time_to_us);
  X509_STORE_set_check_revocation(store.get(), refuse_weak_links);
  for (const auto& pin : evidence.pinned) pinned.emplace(pin.sha256(), std::pair(pin, pinned_chain(pin)));
}

/// The known authority that signed a certificate, if it is not its own.
std::optional<Certificate> TrustStore::Parts::issuer_of(const Certificate& certificate) const {
  if (is_self_signed(certificate.handle())) return std::nullopt;
  for (const auto& issuer : known_issuers) {
    if (issuer.has_weak_key() || issuer.subject() != certificate.issuer()) continue;
    if (X509_verify(certificate.handle(), X509_get0_pubkey(issuer.handle())) == 1) return issuer;
  }
  return std::nullopt;
}

/// The policy of the network that an authority belongs to: its own, or that of the anchor above it.
RevocationPolicy TrustStore::Parts::policy_under(Certificate top) const {
  for (unsigned step = 0; step <= depth_max; ++step) {
    if (const auto found = policies.find(top.sha256()); found != policies.end()) return found->second;
    const auto above = issuer_of(top);
    if (!above) break;
    top = *above;
  }
  return revocation;
}

/// A pinned certificate stands alone; evidence counts when the issuer that signed it is known, or it signed itself.
Chain TrustStore::Parts::pinned_chain(const Certificate& pin) const {
  Chain chain;
  const bool is_anchor = is_self_signed(pin.handle());
  auto issuer = issuer_of(pin);
  std::vector<Crl> found;
  if (is_anchor) found = lists.signed_by(pin.handle());
  if (issuer) found = lists.signed_by(issuer->handle());
  chain.policy = issuer ? policy_under(*issuer) : revocation;
  chain.add({.certificate = pin, .issuer = std::move(issuer), .lists = std::move(found), .is_anchor = is_anchor});
  return chain;
}

Result<std::shared_ptr<const Chain>> TrustStore::Parts::build(const Certificate& leaf,
                                                              std::span<const Certificate> presented, Use use,
                                                              Instant now) const {
  if (auto judged = judge_use(leaf.handle(), use); !judged) return judged.error();
  const CertificateStack untrusted(sk_X509_new_null());
  std::size_t presented_bytes = 0;
  for (const auto& certificate : presented) {
    presented_bytes += certificate.der().size();
    must(X509_add_cert(untrusted.get(), certificate.handle(), X509_ADD_FLAG_UP_REF) == 1, "taking a certificate");
  }
  if (presented_bytes > presented_bytes_max) return fail(Errc::BadPath, "more than 64 KB of certificates");
  must(X509_add_certs(untrusted.get(), intermediates.get(), X509_ADD_FLAG_UP_REF) == 1, "taking the intermediates");

  const VerificationHandle context(X509_STORE_CTX_new());
  must(context && X509_STORE_CTX_init(context.get(), store.get(), leaf.handle(), untrusted.get()) == 1,
       "beginning a path");
  auto* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
  X509_VERIFY_PARAM_set_auth_level(rules, auth_level);
  X509_VERIFY_PARAM_set_depth(rules, static_cast<int>(depth_max));
  must(X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN) == 1,
       "taking authorities below a root as anchors");
  if (const auto purpose = purpose_of(use))
    must(X509_VERIFY_PARAM_set_purpose(rules, *purpose), "choosing a purpose");
  if (X509_verify_cert(context.get()) != 1) return path_error(X509_STORE_CTX_get_error(context.get()));

  const auto* path = X509_STORE_CTX_get0_chain(context.get());
  const int length = sk_X509_num(path);
  auto chain = std::make_shared<Chain>();
  for (int i = 0; i < length; ++i) {
    const auto certificate = TRY(value_of(sk_X509_value(path, i)));
    Link link{.certificate = certificate, .is_anchor = i + 1 == length};
    if (!link.is_anchor) {
      link.issuer = TRY(value_of(sk_X509_value(path, i + 1)));
      link.lists = lists.signed_by(link.issuer->handle());
    }
    chain->add(std::move(link));
  }
  chain->policy = policy_under(chain->links.back().certificate);
  return std::shared_ptr<const Chain>(std::move(chain));
}

/// The chain found before, or a new one: also where the old one's time is over, since another may have been presented.
Result<std::shared_ptr<const Chain>> TrustStore::Parts::chain_of(const Certificate& leaf,
                                                                 std::span<const Certificate> presented, Use use,
                                                                 Instant now) {
  Hasher hasher(Digest::Sha256);
  hasher.update(leaf.sha256());
  hasher.update(std::to_string(static_cast<int>(use)));
  for (const auto& certificate : presented) hasher.update(certificate.sha256());
  const auto key = hasher.finish();
  if (auto kept = chains.find(key); kept && judge_validity(**kept, now)) return *std::move(kept);
  auto chain = TRY(build(leaf, presented, use, now));
  chains.keep(key, chain);
  return chain;
}

Result<bool> TrustStore::Parts::judge(const Chain& chain, Instant now) const {
  if (auto judged = judge_validity(chain, now); !judged) return judged.error();
  return judge_revocation(chain, gathered.get(), now);
}

TrustStore::TrustStore(TrustEvidence evidence)
    : parts_(std::make_unique<Parts>(with_all_anchors(std::move(evidence)))) {}
TrustStore::~TrustStore() = default;

Result<TrustedCertificate> TrustStore::validate(const Certificate& leaf, std::span<const Certificate> presented,
                                                Use use, Instant now) const {
  const QuietErrors quiet;
  if (leaf.has_weak_key()) return fail(Errc::KeyTooWeak, leaf.subject());
  if (const auto pin = parts_->pinned.find(leaf.sha256()); pin != parts_->pinned.end()) {
    const bool proven = TRY(parts_->judge(pin->second.second, now));
    return TrustedCertificate(leaf, TrustedCertificate::By::Pin, proven);
  }
  const auto chain = TRY(parts_->chain_of(leaf, presented, use, now));
  const bool proven = TRY(parts_->judge(*chain, now));
  parts_->validated_by_key.keep(leaf.public_key().spki_sha256(), leaf);
  return TrustedCertificate(leaf, TrustedCertificate::By::Path, proven);
}

void TrustStore::ask_ahead(Instant now) const {
  const QuietErrors quiet;
  if (!parts_->gathered) return;
  for (const auto& [hash, pin] : parts_->pinned) (void)parts_->judge(pin.second, now).has_value();
  for (const auto& authority : parts_->known_issuers) {
    if (auto issuer = parts_->issuer_of(authority))
      (void)parts_->gathered->weigh(authority, issuer, Testimony::Silent, now);
  }
}

std::optional<Certificate> TrustStore::held_certificate_with(const PublicKey& key) const {
  for (const auto& [hash, pin] : parts_->pinned)
    if (pin.first.public_key() == key) return pin.first;
  return parts_->validated_by_key.find(key.spki_sha256());
}

}  // namespace certs
