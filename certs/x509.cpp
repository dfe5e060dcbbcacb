#include "certs/x509.hpp"

#include "certs/openssl.hpp"
#include "certs/recent.hpp"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>

namespace certs {
namespace {

constexpr std::size_t certificate_bytes_max = 64 * 1024;  // L08
constexpr std::size_t certificates_kept = 4096;
constexpr std::size_t kept_bytes_max = 8 * 1024;  // a flood of large ones must not fill the memory
constexpr std::size_t pem_bytes_max = 16 * 1024 * 1024;
constexpr std::size_t pem_blocks_max = 10'000;
constexpr std::size_t pkcs12_bytes_max = 1024 * 1024;

/// Never freed: OpenSSL itself may be gone before our statics are.
Recent<Certificate>& parsed_before() {
  static auto& kept = *new Recent<Certificate>(certificates_kept);
  return kept;
}

std::string rfc2253(const X509_NAME* name) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  must(bio && X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) >= 0, "writing a name");
  return written(bio.get());
}

/// The certificates above `leaf` as they are to be presented: its issuer first, without the self-signed end.
std::vector<Certificate> path_above(const Certificate& leaf, std::span<const Certificate> others) {
  std::vector<Certificate> path;
  const auto* below = &leaf;
  while (path.size() < others.size()) {
    const auto issuer = std::ranges::find_if(others, [&](const Certificate& other) {
      return other != *below && X509_check_issued(other.handle(), below->handle()) == X509_V_OK;
    });
    if (issuer == others.end() || issuer->subject() == issuer->issuer()) break;
    path.push_back(*issuer);
    below = &*issuer;
  }
  return path;
}

Result<Credential> credential(PrivateKey key, Certificate leaf, std::span<const Certificate> others) {
  if (key.public_key() != leaf.public_key()) return fail(Errc::KeyMismatch, leaf.subject());
  auto chain = path_above(leaf, others);
  return Credential{std::move(key), std::move(leaf), std::move(chain)};
}

/// @param type  GEN_DNS or GEN_EMAIL. Names that hold a NUL are none.
std::vector<std::string> alternative_names(X509* certificate, int type) {
  const QuietErrors quiet;
  const Owned<GENERAL_NAMES, GENERAL_NAMES_free> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> found;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != type) continue;
    const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.ia5));
    const std::string_view value(text, static_cast<std::size_t>(ASN1_STRING_length(name->d.ia5)));
    if (value.find('\0') == value.npos) found.emplace_back(value);
  }
  return found;
}

}  // namespace

std::optional<Instant> instant_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (!time || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  using namespace std::chrono;
  const sys_days day = year(parts.tm_year + 1900) / month(static_cast<unsigned>(parts.tm_mon + 1)) /
                       std::chrono::day(static_cast<unsigned>(parts.tm_mday));
  return day + hours(parts.tm_hour) + minutes(parts.tm_min) + seconds(parts.tm_sec);
}

struct Certificate::Parts {
  CertificateHandle x509;
  Bytes der;
  Bytes sha256;
  PublicKey public_key;
  bool has_weak_key;
  std::string subject;
  std::string issuer;
  Instant not_before;
  Instant not_after;
};

Result<Certificate> Certificate::parse(BytesView der) {
  if (der.size() > certificate_bytes_max) return fail(Errc::UnreadableCertificate, "above 64 KB");
  auto hash = certs::sha256(der);
  if (auto kept = parsed_before().find(hash)) return *std::move(kept);

  const QuietErrors quiet;
  const auto* at = octets(der);
  CertificateHandle x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!x509 || der_of<i2d_X509>(x509.get()) != der)
    return fail(Errc::UnreadableCertificate, "not DER of a certificate");
  X509_check_purpose(x509.get(), -1, 0);  // reads the extensions now, not under a lock in every thread
  const auto not_before = instant_of(X509_get0_notBefore(x509.get()));
  const auto not_after = instant_of(X509_get0_notAfter(x509.get()));
  if (!not_before || !not_after) return fail(Errc::UnreadableCertificate, "validity");
  auto spki = der_of<i2d_X509_PUBKEY>(X509_get_X509_PUBKEY(x509.get()));
  const auto key = PublicKey::from_spki(spki);
  auto subject = rfc2253(X509_get_subject_name(x509.get()));
  auto issuer = rfc2253(X509_get_issuer_name(x509.get()));

  Certificate made;
  made.parts_ = std::make_shared<const Parts>(Parts{std::move(x509), Bytes(der), hash,
                                                    key ? *key : PublicKey::unusable(std::move(spki)), !key,
                                                    std::move(subject), std::move(issuer), *not_before, *not_after});
  if (der.size() <= kept_bytes_max) parsed_before().keep(hash, made);
  return made;
}

Result<std::vector<Certificate>> Certificate::many_from_pem(BytesView pem) {
  if (pem.size() > pem_bytes_max) return fail(Errc::UnreadableCertificate, "above 16 MB");
  const auto blocks = read_pem(pem, pem_blocks_max);
  if (!blocks) return fail(Errc::UnreadableCertificate, "broken PEM");
  std::vector<Certificate> found;
  for (const auto& block : *blocks)
    if (block.label == PEM_STRING_X509 || block.label == PEM_STRING_X509_OLD) found.push_back(TRY(parse(block.der)));
  if (found.empty()) return fail(Errc::UnreadableCertificate, "no certificate");
  return found;
}

Result<Certificate> Certificate::from_pem(BytesView pem) { return TRY(many_from_pem(pem)).front(); }

const Bytes& Certificate::der() const noexcept { return parts_->der; }
const Bytes& Certificate::sha256() const noexcept { return parts_->sha256; }
const PublicKey& Certificate::public_key() const noexcept { return parts_->public_key; }
bool Certificate::has_weak_key() const noexcept { return parts_->has_weak_key; }
const std::string& Certificate::subject() const noexcept { return parts_->subject; }
const std::string& Certificate::issuer() const noexcept { return parts_->issuer; }
Instant Certificate::not_before() const noexcept { return parts_->not_before; }
Instant Certificate::not_after() const noexcept { return parts_->not_after; }
x509_st* Certificate::handle() const noexcept { return parts_->x509.get(); }

std::string Certificate::serial() const {
  const NumberHandle number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(handle()), nullptr));
  must(number != nullptr, "reading a serial number");
  char* text = BN_bn2hex(number.get());
  must(text != nullptr, "writing a serial number");
  std::string serial(text);
  OPENSSL_free(text);
  return serial;
}

std::vector<std::string> Certificate::dns_names() const { return alternative_names(handle(), GEN_DNS); }
std::vector<std::string> Certificate::email_names() const { return alternative_names(handle(), GEN_EMAIL); }

std::string Certificate::to_pem() const {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  must(bio && PEM_write_bio_X509(bio.get(), handle()) == 1, "writing a certificate");
  return written(bio.get());
}

Result<Credential> read_credential_pem(BytesView certificate_and_chain_pem, BytesView key_pem,
                                       std::string_view passphrase) {
  return make_credential(TRY(PrivateKey::from_pem(key_pem, passphrase)), certificate_and_chain_pem);
}

Result<Credential> make_credential(PrivateKey key, BytesView certificate_and_chain_pem) {
  const auto certificates = TRY(Certificate::many_from_pem(certificate_and_chain_pem));
  return credential(std::move(key), certificates.front(), std::span(certificates).subspan(1));
}

Result<Credential> read_credential_pkcs12(BytesView pkcs12, std::string_view passphrase) {
  const QuietErrors quiet;
  if (pkcs12.size() > pkcs12_bytes_max) return fail(Errc::UnreadableCertificate, "above 1 MB");
  const auto* at = octets(pkcs12);
  const Owned<PKCS12, PKCS12_free> file(d2i_PKCS12(nullptr, &at, static_cast<long>(pkcs12.size())));
  if (!file) return fail(Errc::UnreadableCertificate, "not PKCS#12");
  EVP_PKEY* key_found = nullptr;
  X509* leaf_found = nullptr;
  STACK_OF(X509)* others_found = nullptr;
  const bool read = PKCS12_parse(file.get(), std::string(passphrase).c_str(), &key_found, &leaf_found, &others_found);
  const KeyHandle key(key_found);
  const CertificateHandle leaf(leaf_found);
  const CertificateStack others(others_found);
  if (!read || !key) return fail(Errc::UnreadableKey, "wrong passphrase, an outdated cipher, or no key");
  if (!leaf) return fail(Errc::UnreadableCertificate, "no certificate of this key");

  std::vector<Certificate> above;
  for (int i = 0; i < sk_X509_num(others.get()); ++i)
    above.push_back(TRY(Certificate::parse(der_of<i2d_X509>(sk_X509_value(others.get(), i)))));
  const BioHandle bio(BIO_new(BIO_s_mem()));
  must(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
       "writing a key");
  auto held = TRY(PrivateKey::from_pem(written(bio.get())));
  return credential(std::move(held), TRY(Certificate::parse(der_of<i2d_X509>(leaf.get()))), above);
}

}  // namespace certs
