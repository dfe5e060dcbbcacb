// Reading and writing trust bundles: many certificates in one file. [RFC 5652 §5.1; Direct trust bundle guide]

#include "certs/openssl.hpp"
#include "certs/trust.hpp"

#include <openssl/pem.h>
#include <openssl/pkcs7.h>

namespace certs {
namespace {

constexpr std::size_t bundle_bytes_max = 16 * 1024 * 1024;
constexpr std::size_t bundle_count_max = 10'000;

using Pkcs7Handle = Owned<PKCS7, PKCS7_free>;

Pkcs7Handle read_pkcs7(BytesView der) {
  const auto* at = octets(der);
  return Pkcs7Handle(d2i_PKCS7(nullptr, &at, static_cast<long>(der.size())));
}

const PKCS7_SIGNED* signed_data(const PKCS7* pkcs7) {
  return pkcs7 && OBJ_obj2nid(pkcs7->type) == NID_pkcs7_signed ? pkcs7->d.sign : nullptr;
}

/// The bundle inside a signed bundle; null where the outer one carries the anchors itself.
Pkcs7Handle content_of(const PKCS7_SIGNED* outer) {
  const auto* content = outer->contents;
  if (!content || OBJ_obj2nid(content->type) != NID_pkcs7_data || !content->d.data) return nullptr;
  const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(content->d.data));
  return read_pkcs7({text, static_cast<std::size_t>(ASN1_STRING_length(content->d.data))});
}

Result<std::vector<Certificate>> certificates_of(BytesView der) {
  const QuietErrors quiet;
  const auto outer = read_pkcs7(der);
  const auto* data = signed_data(outer.get());
  if (!data) return fail(Errc::UnreadableCertificate, "neither PEM nor PKCS#7 with certificates");
  const auto inner = content_of(data);
  if (inner) data = signed_data(inner.get());
  if (!data || sk_X509_num(data->cert) <= 0) return fail(Errc::UnreadableCertificate, "no certificate");
  if (sk_X509_num(data->cert) > static_cast<int>(bundle_count_max))
    return fail(Errc::UnreadableCertificate, "more than 10,000 certificates");
  std::vector<Certificate> found;
  for (int i = 0; i < sk_X509_num(data->cert); ++i)
    found.push_back(TRY(Certificate::parse(der_of<i2d_X509>(sk_X509_value(data->cert, i)))));
  return found;
}

}  // namespace

Result<std::vector<Certificate>> read_trust_bundle(BytesView bytes) {
  if (bytes.size() > bundle_bytes_max) return fail(Errc::UnreadableCertificate, "a bundle above 16 MB");
  if (bytes.starts_with('\x30')) return certificates_of(bytes);
  const auto blocks = read_pem(bytes, bundle_count_max);
  if (!blocks) return fail(Errc::UnreadableCertificate, "broken PEM, or more than 10,000 certificates");
  for (const auto& block : *blocks)
    if (block.label == PEM_STRING_PKCS7 || block.label == PEM_STRING_CMS) return certificates_of(block.der);
  return Certificate::many_from_pem(bytes);
}

Bytes write_trust_bundle(std::span<const Certificate> certificates) {
  Bytes bundle;
  for (const auto& certificate : certificates) bundle += certificate.to_pem();
  return bundle;
}

}  // namespace certs
