#include "certs/revocation.hpp"

#include "certs/openssl.hpp"

#include <openssl/pem.h>

namespace certs {
namespace {

constexpr std::size_t crl_bytes_max = 10 * 1024 * 1024;
constexpr std::size_t crl_count_max = 1024;
constexpr std::size_t crl_file_bytes_max = 64 * 1024 * 1024;

using CrlHandle = Owned<X509_CRL, X509_CRL_free>;
using ScopeHandle = Owned<ISSUING_DIST_POINT, ISSUING_DIST_POINT_free>;
using PointsHandle = Owned<CRL_DIST_POINTS, CRL_DIST_POINTS_free>;

CrlHandle read_der(BytesView der) {
  const QuietErrors quiet;
  const auto* at = octets(der);
  CrlHandle crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  return at == octets(der) + der.size() ? std::move(crl) : nullptr;
}

/// True where nothing in the list is critical but its scope, and no entry carries anything critical.
bool is_understood(const X509_CRL* crl) {
  if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0) return false;
  for (int at = X509_CRL_get_ext_by_critical(crl, 1, -1); at >= 0; at = X509_CRL_get_ext_by_critical(crl, 1, at))
    if (OBJ_obj2nid(X509_EXTENSION_get_object(X509_CRL_get_ext(crl, at))) != NID_issuing_distribution_point)
      return false;
  auto* entries = X509_CRL_get_REVOKED(const_cast<X509_CRL*>(crl));
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i)
    if (X509_REVOKED_get_ext_by_critical(sk_X509_REVOKED_value(entries, i), 1, -1) >= 0) return false;
  return true;
}

bool share_a_name(const GENERAL_NAMES* a, const GENERAL_NAMES* b) {
  for (int i = 0; i < sk_GENERAL_NAME_num(a); ++i)
    for (int j = 0; j < sk_GENERAL_NAME_num(b); ++j)
      if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(a, i), sk_GENERAL_NAME_value(b, j)) == 0) return true;
  return false;
}

/// True where the certificate says that it is listed at this distribution point.
bool is_listed_at(const DIST_POINT_NAME* point, const X509* certificate) {
  if (point->type != 0) return false;  // a name relative to the issuer: nobody uses it, so it vouches for nothing
  const PointsHandle listed(
      static_cast<CRL_DIST_POINTS*>(X509_get_ext_d2i(certificate, NID_crl_distribution_points, nullptr, nullptr)));
  for (int i = 0; i < sk_DIST_POINT_num(listed.get()); ++i) {
    const auto* name = sk_DIST_POINT_value(listed.get(), i)->distpoint;
    if (name && name->type == 0 && share_a_name(name->name.fullname, point->name.fullname)) return true;
  }
  return false;
}

bool covers(const ISSUING_DIST_POINT* scope, X509* certificate) {
  if (!scope) return true;
  const bool is_authority = X509_check_ca(certificate) != 0;
  if (scope->onlyuser && is_authority) return false;
  if (scope->onlyCA && !is_authority) return false;
  return !scope->distpoint || is_listed_at(scope->distpoint, certificate);
}

bool is_current(const X509_CRL* crl, Instant now) {
  const auto from = instant_of(X509_CRL_get0_lastUpdate(crl));
  const auto until = instant_of(X509_CRL_get0_nextUpdate(crl));
  return from && until && *from <= now && now <= *until;
}

bool has_strong_digest(const X509_CRL* crl) {
  int digest_nid = NID_undef, key_nid = NID_undef;
  if (OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), &digest_nid, &key_nid) != 1) return false;
  if (digest_nid == NID_undef) return key_nid == NID_ED25519;
  return digest_nid != NID_md5 && digest_nid != NID_sha1;
}

}  // namespace

struct Crl::Parts {
  CrlHandle crl;
  ScopeHandle scope;
  bool may_vouch;
};

std::optional<Crl> Crl::read(BytesView der) {
  const QuietErrors quiet;
  if (der.size() > crl_bytes_max) return std::nullopt;
  auto crl = read_der(der);
  if (!crl || !is_understood(crl.get())) return std::nullopt;
  int critical = -1;
  ScopeHandle scope(static_cast<ISSUING_DIST_POINT*>(
      X509_CRL_get_ext_d2i(crl.get(), NID_issuing_distribution_point, &critical, nullptr)));
  if (!scope && critical != -1) return std::nullopt;  // doubled or unreadable
  if (scope && (scope->indirectCRL || scope->onlyattr || scope->onlysomereasons)) return std::nullopt;
  sk_X509_REVOKED_sort(X509_CRL_get_REVOKED(crl.get()));  // now: looking up sorts, and many threads look up
  const bool may_vouch = has_strong_digest(crl.get());
  Crl made;
  made.parts_ = std::make_shared<const Parts>(Parts{std::move(crl), std::move(scope), may_vouch});
  return made;
}

bool Crl::signed_by(const x509_st* issuer) const {
  const QuietErrors quiet;
  auto* signer = const_cast<X509*>(issuer);  // OpenSSL reads its extensions on first use, under its own lock
  auto* crl = parts_->crl.get();
  if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(signer)) != 0) return false;
  if (!(X509_get_key_usage(signer) & KU_CRL_SIGN)) return false;
  auto* key = X509_get0_pubkey(signer);
  return key && judge_key(key) && X509_CRL_verify(crl, key) == 1;
}

Testimony Crl::about(const x509_st* certificate, Instant now) const {
  const QuietErrors quiet;
  auto* subject = const_cast<X509*>(certificate);
  constexpr int found_revoked = 1;  // 2 is removeFromCRL
  X509_REVOKED* entry = nullptr;
  if (X509_CRL_get0_by_serial(parts_->crl.get(), &entry, X509_get_serialNumber(subject)) == found_revoked)
    return Testimony::Revoked;
  const bool vouches = parts_->may_vouch && covers(parts_->scope.get(), subject) && is_current(parts_->crl.get(), now);
  return vouches ? Testimony::Good : Testimony::Silent;
}

std::optional<Instant> Crl::this_update() const { return instant_of(X509_CRL_get0_lastUpdate(parts_->crl.get())); }
std::optional<Instant> Crl::next_update() const { return instant_of(X509_CRL_get0_nextUpdate(parts_->crl.get())); }

RevocationLists::RevocationLists(std::span<const RevocationList> lists, std::span<const Certificate> known_issuers) {
  for (const auto& list : lists.first(std::min(lists.size(), crl_count_max))) {
    auto crl = Crl::read(list.der);
    if (!crl) continue;
    std::vector<Certificate> signers;
    std::ranges::copy_if(known_issuers, std::back_inserter(signers),
                         [&](const Certificate& issuer) { return crl->signed_by(issuer.handle()); });
    lists_.push_back({*std::move(crl), std::move(signers)});
  }
}

std::vector<Crl> RevocationLists::signed_by(const x509_st* issuer) const {
  std::vector<Crl> found;
  for (const auto& [crl, signers] : lists_) {
    const bool known =
        std::ranges::any_of(signers, [&](const Certificate& signer) { return X509_cmp(signer.handle(), issuer) == 0; });
    if (known || crl.signed_by(issuer)) found.push_back(crl);
  }
  return found;
}

Result<std::vector<RevocationList>> read_crls(BytesView pem_or_der) {
  if (pem_or_der.size() > crl_file_bytes_max) return fail(Errc::UnreadableCrl, "above 64 MB");
  std::vector<RevocationList> lists;
  if (pem_or_der.starts_with('\x30')) {
    lists.push_back({Bytes(pem_or_der)});
  } else if (auto blocks = read_pem(pem_or_der, crl_count_max)) {
    for (auto& block : *blocks)
      if (block.label == PEM_STRING_X509_CRL) lists.push_back({std::move(block.der)});
  }
  if (lists.empty()) return fail(Errc::UnreadableCrl, "neither DER nor PEM of a list");
  for (const auto& list : lists)
    if (list.der.size() > crl_bytes_max || !read_der(list.der))
      return fail(Errc::UnreadableCrl, "above 10 MB, or broken");
  return lists;
}

}  // namespace certs
