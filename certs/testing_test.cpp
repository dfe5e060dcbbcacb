#include "certs/testing.hpp"

#include "certs/openssl.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>

#include <algorithm>

namespace certs::testing {
namespace {

const EVP_MD* message_digest(Digest digest) { return digest == Digest::Sha1 ? EVP_sha1() : EVP_sha256(); }

Key shared(EVP_PKEY* key) {
  must(key != nullptr, "making a test key");
  return Key(key, EVP_PKEY_free);
}

Key generated(const KeyContext& context) {
  EVP_PKEY* key = nullptr;
  must(EVP_PKEY_generate(context.get(), &key) == 1, "generating a test key");
  return shared(key);
}

Owned<ASN1_TIME, ASN1_TIME_free> time_of(Instant instant) {
  return Owned<ASN1_TIME, ASN1_TIME_free>(ASN1_TIME_set(nullptr, std::chrono::system_clock::to_time_t(instant)));
}

Owned<X509_EXTENSION, X509_EXTENSION_free> made(X509V3_CTX& context, const Extension& extension) {
  Owned<X509_EXTENSION, X509_EXTENSION_free> out(
      X509V3_EXT_conf(nullptr, &context, extension.name.c_str(), extension.value.c_str()));
  must(out != nullptr, extension.name.c_str());
  return out;
}

CertificateStack stack_of(std::span<const Certificate> certificates) {
  CertificateStack stack(sk_X509_new_null());
  for (const auto& certificate : certificates) X509_add_cert(stack.get(), certificate.handle(), X509_ADD_FLAG_UP_REF);
  return stack;
}

}  // namespace

Key rsa_key(unsigned bits, unsigned exponent) {
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  const NumberHandle e(BN_new());
  BN_set_word(e.get(), exponent);
  EVP_PKEY_keygen_init(context.get());
  EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits));
  EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), e.get());
  return generated(context);
}

Key rsa_pss_key() {
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr));
  EVP_PKEY_keygen_init(context.get());
  return generated(context);
}

Key ec_key(const char* curve, bool explicit_parameters) {
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY_keygen_init(context.get());
  EVP_PKEY_CTX_set_group_name(context.get(), curve);
  if (explicit_parameters) EVP_PKEY_CTX_set_ec_param_enc(context.get(), OPENSSL_EC_EXPLICIT_CURVE);
  return generated(context);
}

Bytes spki_of(const Key& key) { return der_of<i2d_PUBKEY>(key.get()); }

Party mint(const Mint& order) {
  static const Key everyones = ec_key();
  const auto key = order.key ? order.key : everyones;
  const CertificateHandle x509(X509_new());
  auto* raw = x509.get();
  auto* issuer = order.issuer ? order.issuer->certificate.handle() : raw;
  X509_set_version(raw, static_cast<long>(order.version) - 1);
  const auto drawn = random_octets<8>();
  const NumberHandle number(BN_bin2bn(drawn.data(), static_cast<int>(drawn.size()), nullptr));
  if (order.serial > 0)
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(raw), order.serial);
  else
    BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(raw));
  X509_NAME_add_entry_by_NID(X509_get_subject_name(raw), NID_commonName, MBSTRING_UTF8, octets(order.name),
                             static_cast<int>(order.name.size()), -1, 0);
  X509_set_issuer_name(raw, X509_get_subject_name(issuer));
  X509_set1_notBefore(raw, time_of(order.not_before).get());
  X509_set1_notAfter(raw, time_of(order.not_after).get());
  X509_set_pubkey(raw, key.get());
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, raw, nullptr, nullptr, 0);
  for (const auto& extension : order.extensions) X509_add_ext(raw, made(context, extension).get(), -1);
  auto* signer = order.issuer ? order.issuer->key.get() : key.get();
  must(X509_sign(raw, signer, message_digest(order.digest)) > 0, "signing a test certificate");
  return {key, Certificate::parse(der_of<i2d_X509>(raw)).value()};
}

Party mint_authority(const std::string& name, const Party* issuer, std::vector<Extension> further) {
  std::vector<Extension> extensions = std::move(further);
  const bool has_constraints = std::ranges::find(extensions, "basicConstraints", &Extension::name) != extensions.end();
  if (!has_constraints) extensions.push_back({"basicConstraints", "critical,CA:TRUE"});
  return mint({.name = name, .issuer = issuer, .key = ec_key(), .extensions = std::move(extensions)});
}

RevocationList mint_crl(const CrlMint& order) {
  const Owned<X509_CRL, X509_CRL_free> crl(X509_CRL_new());
  auto* issuer = order.issuer->certificate.handle();
  X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer));
  X509_CRL_set1_lastUpdate(crl.get(), time_of(order.this_update).get());
  if (order.next_update) X509_CRL_set1_nextUpdate(crl.get(), time_of(*order.next_update).get());
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, nullptr, nullptr, crl.get(), 0);
  for (const auto& certificate : order.revoked) {
    auto* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(certificate.handle()));
    X509_REVOKED_set_revocationDate(entry, time_of(order.this_update).get());
    for (const auto& extension : order.entry_extensions)
      X509_REVOKED_add_ext(entry, made(context, extension).get(), -1);
    X509_CRL_add0_revoked(crl.get(), entry);
  }
  for (const auto& extension : order.extensions) X509_CRL_add_ext(crl.get(), made(context, extension).get(), -1);
  const auto& signer = order.signer ? order.signer : order.issuer->key;
  must(X509_CRL_sign(crl.get(), signer.get(), message_digest(order.digest)) > 0, "signing a test list");
  return {der_of<i2d_X509_CRL>(crl.get())};
}

Bytes mint_ocsp(const OcspMint& order) {
  const Owned<OCSP_BASICRESP, OCSP_BASICRESP_free> basic(OCSP_BASICRESP_new());
  const Owned<OCSP_CERTID, OCSP_CERTID_free> id(
      OCSP_cert_to_id(EVP_sha1(), order.about->handle(), order.issuer->certificate.handle()));
  const auto this_update = time_of(order.this_update);
  decltype(time_of(noon())) next_update;
  if (order.next_update) next_update = time_of(*order.next_update);
  const bool revoked = order.status == OcspMint::Status::Revoked;
  const int status = revoked                                       ? V_OCSP_CERTSTATUS_REVOKED
                     : order.status == OcspMint::Status::Unknown ? V_OCSP_CERTSTATUS_UNKNOWN
                                                                   : V_OCSP_CERTSTATUS_GOOD;
  must(OCSP_basic_add1_status(basic.get(), id.get(), status, 0, revoked ? this_update.get() : nullptr,
                              this_update.get(), next_update.get()) != nullptr,
       "writing a test status");
  auto nonce = order.nonce;
  if (!nonce.empty())
    OCSP_basic_add1_nonce(basic.get(), reinterpret_cast<unsigned char*>(nonce.data()), static_cast<int>(nonce.size()));
  const auto& signer = order.responder ? *order.responder : *order.issuer;
  must(OCSP_basic_sign(basic.get(), signer.certificate.handle(), signer.key.get(), message_digest(order.digest),
                       nullptr, 0) == 1,
       "signing a test response");
  const Owned<OCSP_RESPONSE, OCSP_RESPONSE_free> response(OCSP_response_create(order.response_status, basic.get()));
  return der_of<i2d_OCSP_RESPONSE>(response.get());
}

Bytes pkcs12(const Party& party, std::span<const Certificate> others, const char* passphrase, Bags bags) {
  const int cipher = bags == Bags::Plain ? -1 : 0, rounds = bags == Bags::Plain ? 1 : 0;  // 0: OpenSSL's own choice
  const Owned<PKCS12, PKCS12_free> file(PKCS12_create(passphrase, nullptr, party.key.get(), party.certificate.handle(),
                                                      stack_of(others).get(), cipher, cipher, rounds, rounds, 0));
  must(file != nullptr, "making a PKCS#12");
  return der_of<i2d_PKCS12>(file.get());
}

Bytes resealed(BytesView pkcs12, const char* passphrase) {
  const QuietErrors quiet;
  const auto* at = octets(pkcs12);
  const Owned<PKCS12, PKCS12_free> file(d2i_PKCS12(nullptr, &at, static_cast<long>(pkcs12.size())));
  std::array<unsigned char, 8> salt{};
  const bool sealed = file && PKCS12_set_mac(file.get(), passphrase, -1, salt.data(), static_cast<int>(salt.size()), 1,
                                             EVP_sha256()) == 1;
  return sealed ? der_of<i2d_PKCS12>(file.get()) : Bytes(pkcs12);
}

Bytes pkcs7(std::span<const Certificate> certificates, Wrapping wrapping, const Party& signer) {
  const Owned<PKCS7, PKCS7_free> bare(PKCS7_new());
  PKCS7_set_type(bare.get(), NID_pkcs7_signed);
  PKCS7_content_new(bare.get(), NID_pkcs7_data);
  PKCS7_set_detached(bare.get(), 1);
  for (const auto& certificate : certificates) PKCS7_add_certificate(bare.get(), certificate.handle());
  const auto der = der_of<i2d_PKCS7>(bare.get());
  if (wrapping == Wrapping::Bare) return der;
  const Owned<PKCS7, PKCS7_free> wrapped(
      PKCS7_sign(signer.certificate.handle(), signer.key.get(), nullptr, reader(der).get(), PKCS7_BINARY));
  must(wrapped != nullptr, "signing a bundle");
  return der_of<i2d_PKCS7>(wrapped.get());
}

Bytes pem_of(const Key& key, const char* passphrase) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  const auto* cipher = passphrase ? EVP_aes_128_cbc() : nullptr;
  must(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), cipher, passphrase,
                                     passphrase ? static_cast<int>(std::string_view(passphrase).size()) : 0, nullptr,
                                     nullptr) == 1,
       "writing a test key");
  return written(bio.get());
}

}  // namespace certs::testing
