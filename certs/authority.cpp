#include "certs/authority.hpp"

#include "certs/openssl.hpp"

#include <openssl/pem.h>

namespace certs {
namespace {

using NameHandle = Owned<X509_NAME, X509_NAME_free>;
using NamesHandle = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;
using ExtensionHandle = Owned<X509_EXTENSION, X509_EXTENSION_free>;
using TimeHandle = Owned<ASN1_TIME, ASN1_TIME_free>;
using SerialHandle = Owned<ASN1_INTEGER, ASN1_INTEGER_free>;

inline void free_extensions(STACK_OF(X509_EXTENSION) * stack) {
  sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}

const EVP_MD* signing_digest(const PrivateKey& key) { return key.kind() == KeyKind::Ed25519 ? nullptr : EVP_sha256(); }

NameHandle name_of(const Subject& subject) {
  NameHandle name(X509_NAME_new());
  const auto add = [&](int nid, const std::string& value) {
    if (value.empty()) return;
    must(X509_NAME_add_entry_by_NID(name.get(), nid, MBSTRING_UTF8, octets(value), static_cast<int>(value.size()), -1,
                                    0),
         "writing a part of a name: longer than 64 characters, or not UTF-8");
  };
  add(NID_organizationName, subject.organization);
  add(NID_organizationalUnitName, subject.organizational_unit);
  add(NID_commonName, subject.common_name);
  return name;
}

/// The subjectAltName, built as values: a comma in a name must not make two. Null where there are none.
NamesHandle alternative_names(const Subject& subject) {
  NamesHandle names(sk_GENERAL_NAME_new_null());
  const auto add = [&](int type, const std::string& value) {
    auto* name = a2i_GENERAL_NAME(nullptr, nullptr, nullptr, type, value.c_str(), 0);
    must(name != nullptr, "writing an alternative name: not a DNS name or an IP address");
    sk_GENERAL_NAME_push(names.get(), name);
  };
  for (const auto& name : subject.dns_names) add(GEN_DNS, name);
  for (const auto& address : subject.ip_addresses) add(GEN_IPADD, address);
  if (sk_GENERAL_NAME_num(names.get()) == 0) return nullptr;
  return names;
}

void set_time(ASN1_TIME* time, Instant instant) {
  must(ASN1_TIME_set(time, std::chrono::system_clock::to_time_t(instant)) != nullptr, "writing a time");
}

/// 127 random bits: positive, and never the same twice.
void set_random_serial(X509* x509) {
  auto bits = random_octets<16>();
  bits[0] = static_cast<std::uint8_t>((bits[0] & 0x7f) | 0x40);
  const NumberHandle number(BN_bin2bn(bits.data(), static_cast<int>(bits.size()), nullptr));
  must(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)), "writing a serial number");
}

void add_extension(X509* x509, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, x509, nullptr, nullptr, 0);
  const ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  must(extension && X509_add_ext(x509, extension.get(), -1) == 1, "writing an extension");
}

struct Draft {
  const Subject& subject;
  Instant not_before, not_after;
  bool is_authority;
};

/// A certificate of `key` by `issuer`, or by itself where there is none. [RFC 5280 §4]
Certificate certify(const Draft& draft, const PrivateKey& key, const Credential* issuer) {
  const QuietErrors quiet;
  const CertificateHandle x509(X509_new());
  const auto name = name_of(draft.subject);
  auto* raw = x509.get();
  must(raw && X509_set_version(raw, X509_VERSION_3) == 1 && X509_set_subject_name(raw, name.get()) == 1 &&
           X509_set_pubkey(raw, key.handle()) == 1,
       "beginning a certificate");
  set_random_serial(raw);
  set_time(X509_getm_notBefore(raw), draft.not_before);
  set_time(X509_getm_notAfter(raw), draft.not_after);
  auto* above = issuer ? issuer->certificate.handle() : raw;
  must(X509_set_issuer_name(raw, X509_get_subject_name(above)) == 1, "naming the issuer");

  add_extension(raw, above, NID_basic_constraints, draft.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  add_extension(raw, above, NID_key_usage,
                draft.is_authority           ? "critical,keyCertSign,cRLSign"
                : key.kind() == KeyKind::Rsa ? "critical,digitalSignature,keyEncipherment"
                                             : "critical,digitalSignature");
  if (!draft.is_authority) add_extension(raw, above, NID_ext_key_usage, "serverAuth,clientAuth");
  add_extension(raw, above, NID_subject_key_identifier, "hash");
  add_extension(raw, above, NID_authority_key_identifier, "keyid:always");
  if (const auto names = alternative_names(draft.subject))
    must(X509_add1_ext_i2d(raw, NID_subject_alt_name, names.get(), 0, 0) == 1, "writing alternative names");

  const auto& signer = issuer ? issuer->key : key;
  must(X509_sign(raw, signer.handle(), signing_digest(signer)) > 0, "signing a certificate");
  return Certificate::parse(der_of<i2d_X509>(raw)).value();
}

PrivateKey new_key(KeyKind kind) {
  switch (kind) {
    case KeyKind::Ec: return PrivateKey::generate_p256();
    case KeyKind::Ed25519: return PrivateKey::generate_ed25519();
    case KeyKind::Rsa: break;
  }
  return PrivateKey::generate_rsa(2048);
}

}  // namespace

CertificateAuthority CertificateAuthority::create(const Subject& subject, Instant now, std::chrono::days lifetime) {
  auto key = new_key(KeyKind::Rsa);
  auto certificate = certify({subject, now - std::chrono::hours(1), now + lifetime, true}, key, nullptr);
  return CertificateAuthority({std::move(key), std::move(certificate), {}});
}

Result<CertificateAuthority> CertificateAuthority::open(Credential credential) {
  if (credential.key.public_key() != credential.certificate.public_key())
    return fail(Errc::KeyMismatch, credential.certificate.subject());
  if (X509_check_ca(credential.certificate.handle()) != 1)
    return fail(Errc::BadPath, "not the certificate of an authority: " + credential.certificate.subject());
  return CertificateAuthority(std::move(credential));
}

Credential CertificateAuthority::issue(const Order& order) const {
  auto key = new_key(order.key);
  const auto until = std::min<Instant>(order.now + order.lifetime, credential_.certificate.not_after());
  auto certificate =
      certify({order.subject, order.now - std::chrono::hours(1), until, order.is_authority}, key, &credential_);
  std::vector<Certificate> chain;
  if (credential_.certificate.subject() != credential_.certificate.issuer()) {
    chain.push_back(credential_.certificate);
    chain.insert(chain.end(), credential_.chain.begin(), credential_.chain.end());
  }
  return {std::move(key), std::move(certificate), std::move(chain)};
}

Bytes CertificateAuthority::revoke(std::span<const std::string> serials, Instant now,
                                   std::chrono::days lifetime) const {
  const QuietErrors quiet;
  const Owned<X509_CRL, X509_CRL_free> crl(X509_CRL_new());
  const TimeHandle from(ASN1_TIME_new()), until(ASN1_TIME_new());
  set_time(from.get(), now);
  set_time(until.get(), now + lifetime);
  auto* issuer = credential_.certificate.handle();
  must(crl && X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) == 1 &&
           X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer)) == 1 &&
           X509_CRL_set1_lastUpdate(crl.get(), from.get()) == 1 &&
           X509_CRL_set1_nextUpdate(crl.get(), until.get()) == 1,
       "beginning a revocation list");
  for (const auto& text : serials) {
    BIGNUM* number_found = nullptr;
    const int digits = BN_hex2bn(&number_found, text.c_str());
    const NumberHandle number(number_found);
    must(digits > 0 && static_cast<std::size_t>(digits) == text.size(), "reading a serial number: not hexadecimal");
    const SerialHandle serial(BN_to_ASN1_INTEGER(number.get(), nullptr));
    Owned<X509_REVOKED, X509_REVOKED_free> entry(X509_REVOKED_new());
    must(serial && entry && X509_REVOKED_set_serialNumber(entry.get(), serial.get()) == 1 &&
             X509_REVOKED_set_revocationDate(entry.get(), from.get()) == 1 &&
             X509_CRL_add0_revoked(crl.get(), entry.get()) == 1,
         "naming a revoked certificate");
    (void)entry.release();
  }
  // Later lists have higher numbers without anyone keeping count. [RFC 5280 §5.2.3]
  const SerialHandle number(ASN1_INTEGER_new());
  must(number && ASN1_INTEGER_set_int64(number.get(), base::to_micros(now)) == 1 &&
           X509_CRL_add1_ext_i2d(crl.get(), NID_crl_number, number.get(), 0, 0) == 1,
       "numbering a revocation list");
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, nullptr, nullptr, crl.get(), 0);
  const ExtensionHandle key_id(X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  must(key_id && X509_CRL_add_ext(crl.get(), key_id.get(), -1) == 1, "naming the key of a revocation list");
  must(X509_CRL_sort(crl.get()) == 1 &&
           X509_CRL_sign(crl.get(), credential_.key.handle(), signing_digest(credential_.key)) > 0,
       "signing a revocation list");
  return der_of<i2d_X509_CRL>(crl.get());
}

Bytes write_csr(const PrivateKey& key, const Subject& subject) {
  const QuietErrors quiet;
  const Owned<X509_REQ, X509_REQ_free> request(X509_REQ_new());
  const auto name = name_of(subject);
  must(request && X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
           X509_REQ_set_subject_name(request.get(), name.get()) == 1 &&
           X509_REQ_set_pubkey(request.get(), key.handle()) == 1,
       "beginning a request");
  if (const auto names = alternative_names(subject)) {
    STACK_OF(X509_EXTENSION)* made = nullptr;
    must(X509V3_add1_i2d(&made, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1,
         "writing alternative names");
    const Owned<STACK_OF(X509_EXTENSION), free_extensions> extensions(made);
    must(X509_REQ_add_extensions(request.get(), extensions.get()) == 1, "asking for alternative names");
  }
  must(X509_REQ_sign(request.get(), key.handle(), signing_digest(key)) > 0, "signing a request");
  const BioHandle bio(BIO_new(BIO_s_mem()));
  must(bio && PEM_write_bio_X509_REQ(bio.get(), request.get()) == 1, "writing a request");
  return written(bio.get());
}

}  // namespace certs
