#include "certs/crypto.hpp"

#include "certs/openssl.hpp"
#include "certs/recent.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <mutex>
#include <stdexcept>

namespace certs {
namespace {

constexpr int rsa_bits_min = 2048, rsa_bits_max = 4096;
constexpr std::size_t keys_kept = 4096;
constexpr int rsa_exponent_bits_max = 64;  // no verification over 5 ms [A04]
constexpr std::size_t key_bytes_max = 64 * 1024;
constexpr std::size_t digest_kinds = 4;

std::size_t index_of(Digest algorithm) { return static_cast<std::size_t>(algorithm); }

/// Fetched once and never freed: OpenSSL itself may be gone before our statics are.
const EVP_MD* fetched(Digest algorithm) {
  static const auto& all = *new const std::array<EVP_MD*, digest_kinds>{
      EVP_MD_fetch(nullptr, "SHA1", nullptr), EVP_MD_fetch(nullptr, "SHA256", nullptr),
      EVP_MD_fetch(nullptr, "SHA384", nullptr), EVP_MD_fetch(nullptr, "SHA512", nullptr)};
  return all.at(index_of(algorithm));
}

const EVP_CIPHER* gcm() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return cipher;
}

/// Octets of r and of s in a raw ECDSA signature.
std::size_t scalar_size(EVP_PKEY* key) { return (static_cast<std::size_t>(EVP_PKEY_get_bits(key)) + 7) / 8; }

std::string group_of(EVP_PKEY* key) {
  std::array<char, 80> name{};
  std::size_t size = 0;
  return EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1 ? std::string(name.data(), size) : "";
}

Result<KeyKind> judge_rsa(EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < rsa_bits_min || bits > rsa_bits_max) return fail(Errc::KeyTooWeak, "RSA of " + std::to_string(bits));
  BIGNUM* exponent_found = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent_found) != 1) return fail(Errc::UnreadableKey);
  const NumberHandle exponent(exponent_found);
  const bool strong = BN_is_odd(exponent.get()) && BN_num_bits(exponent.get()) >= 17 &&
                      BN_num_bits(exponent.get()) <= rsa_exponent_bits_max;
  if (!strong) return fail(Errc::KeyTooWeak, "RSA exponent below 65537, even or above 64 bit");
  return KeyKind::Rsa;
}

Result<KeyKind> judge_ec(EVP_PKEY* key) {
  int explicit_parameters = 0;
  if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_parameters) != 1 ||
      explicit_parameters != 0)
    return fail(Errc::KeyTooWeak, "explicit curve parameters");
  const auto group = group_of(key);
  for (const auto* allowed : {SN_X9_62_prime256v1, SN_secp384r1, SN_secp521r1})
    if (group == allowed) return KeyKind::Ec;
  return fail(Errc::KeyTooWeak, "curve " + group);
}

/// The context of one key for one direction, initialised once per digest and copied for each use: a tenth of the cost
/// of initialising it anew, and no lock shared between threads.
class Prepared {
 public:
  enum class Direction { Sign, Verify };
  explicit Prepared(Direction direction) : direction_(direction) {}

  KeyContext copy(EVP_PKEY* key, KeyKind kind, Digest algorithm) const {
    auto& slot = slots_.at(index_of(algorithm));
    std::call_once(slot.once, [&] { slot.context = make(key, kind, algorithm); });
    KeyContext context(EVP_PKEY_CTX_dup(slot.context.get()));
    must(context != nullptr, "copying a key's context");
    return context;
  }

 private:
  KeyContext make(EVP_PKEY* key, KeyKind kind, Digest algorithm) const {
    KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    must(context != nullptr, "making a key's context");
    auto* raw = context.get();
    must((direction_ == Direction::Sign ? EVP_PKEY_sign_init(raw) : EVP_PKEY_verify_init(raw)) == 1, "preparing a key");
    if (kind == KeyKind::Rsa) must(EVP_PKEY_CTX_set_rsa_padding(raw, RSA_PKCS1_PADDING) == 1, "choosing PKCS#1 v1.5");
    must(EVP_PKEY_CTX_set_signature_md(raw, fetched(algorithm)) == 1, "choosing a digest");
    return context;
  }

  struct Slot {
    std::once_flag once;
    KeyContext context;
  };
  Direction direction_;
  mutable std::array<Slot, digest_kinds> slots_;
};

/// DER ECDSA-Sig-Value of r‖s; empty where the length is not that of the curve.
Bytes ecdsa_der(BytesView raw, std::size_t scalar) {
  if (raw.size() != 2 * scalar) return {};
  const Owned<ECDSA_SIG, ECDSA_SIG_free> signature(ECDSA_SIG_new());
  const auto size = static_cast<int>(scalar);
  auto* r = BN_bin2bn(octets(raw), size, nullptr);
  auto* s = BN_bin2bn(octets(raw) + scalar, size, nullptr);
  must(signature && r && s && ECDSA_SIG_set0(signature.get(), r, s) == 1, "reading r and s");
  return der_of<i2d_ECDSA_SIG>(signature.get());
}

Bytes ecdsa_raw(BytesView der, std::size_t scalar) {
  const auto* at = octets(der);
  const Owned<ECDSA_SIG, ECDSA_SIG_free> signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  must(signature != nullptr, "reading our own ECDSA signature");
  Bytes raw(2 * scalar, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  const auto size = static_cast<int>(scalar);
  must(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, size) == size &&
           BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + scalar, size) == size,
       "writing r and s");
  return raw;
}

int give_passphrase(char* buffer, int size, int, void* held) {
  const auto& passphrase = *static_cast<const std::string_view*>(held);
  if (passphrase.size() > static_cast<std::size_t>(size)) return -1;
  std::ranges::copy(passphrase, buffer);
  return static_cast<int>(passphrase.size());
}

}  // namespace

Result<void> check_library() {
  constexpr unsigned long oldest = 0x30000160L;  // 3.0.22
  const unsigned long running = OpenSSL_version_num();
  if (running >= oldest) return {};
  return base::fail(Errc::LibraryTooOld, std::string("OpenSSL 3.0.22 or later is needed, this is ") +
                                             OpenSSL_version(OPENSSL_VERSION_STRING) + "; run apt-get upgrade");
}

void must(bool held, const char* step) {
  if (!held) throw std::runtime_error(std::string("OpenSSL failed: ") + step);
}

BioHandle reader(BytesView bytes) {
  if (bytes.size() > INT_MAX) throw std::length_error("buffer above 2 GiB");
  BioHandle bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  must(bio != nullptr, "opening a buffer");
  return bio;
}

Bytes written(BIO* memory) {
  const char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::optional<std::vector<PemBlock>> read_pem(BytesView pem, std::size_t count_max) {
  const QuietErrors quiet;
  const auto bio = reader(pem);
  std::vector<PemBlock> blocks;
  for (;;) {
    char *label = nullptr, *header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &label, &header, &data, &size) != 1) {
      if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) return std::nullopt;
      return blocks;
    }
    blocks.push_back({label, Bytes(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size))});
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_free(data);
    if (blocks.size() > count_max) return std::nullopt;
  }
}

Result<KeyKind> judge_key(EVP_PKEY* key) {
  const QuietErrors quiet;
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: return judge_rsa(key);
    case EVP_PKEY_EC: return judge_ec(key);
    case EVP_PKEY_ED25519: return KeyKind::Ed25519;
    default: return fail(Errc::UnreadableKey, "a key that is not RSA, EC or Ed25519");
  }
}

Bytes digest(Digest algorithm, BytesView data) {
  thread_local const DigestContext context(EVP_MD_CTX_new());
  Bytes out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  must(EVP_DigestInit_ex2(context.get(), fetched(algorithm), nullptr) == 1 &&
           EVP_DigestUpdate(context.get(), data.data(), data.size()) == 1 &&
           EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size) == 1,
       "digesting");
  out.resize(size);
  return out;
}

struct Hasher::Parts {
  DigestContext context{EVP_MD_CTX_new()};
};

Hasher::Hasher(Digest algorithm) : parts_(std::make_unique<Parts>()) {
  must(EVP_DigestInit_ex2(parts_->context.get(), fetched(algorithm), nullptr) == 1, "beginning a digest");
}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(BytesView piece) {
  must(EVP_DigestUpdate(parts_->context.get(), piece.data(), piece.size()) == 1, "digesting a piece");
}

Bytes Hasher::finish() {
  Bytes out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  must(EVP_DigestFinal_ex(parts_->context.get(), reinterpret_cast<unsigned char*>(out.data()), &size) == 1,
       "finishing a digest");
  out.resize(size);
  return out;
}

struct Gmac::Parts {
  CipherContext context{EVP_CIPHER_CTX_new()};
};

Gmac::Gmac(BytesView key) : parts_(std::make_unique<Parts>()) {
  must(key.size() == key_octets &&
           EVP_EncryptInit_ex2(parts_->context.get(), gcm(), octets(key), nullptr, nullptr) == 1,
       "taking a key");
}
Gmac::~Gmac() = default;
Gmac::Gmac(const Gmac& other) : parts_(std::make_unique<Parts>()) {
  must(EVP_CIPHER_CTX_copy(parts_->context.get(), other.parts_->context.get()) == 1, "copying a key's context");
}

Bytes Gmac::tag(BytesView nonce, std::initializer_list<BytesView> parts) {
  auto* context = parts_->context.get();
  bool held = nonce.size() == nonce_octets &&
              EVP_EncryptInit_ex2(context, nullptr, nullptr, octets(nonce), nullptr) == 1;
  int size = 0;
  for (const auto part : parts) {
    held = held && part.size() <= INT_MAX &&
           EVP_EncryptUpdate(context, nullptr, &size, octets(part), static_cast<int>(part.size())) == 1;
  }
  Bytes tag(tag_octets, '\0');
  std::array<unsigned char, 16> nothing{};
  held = held && EVP_EncryptFinal_ex(context, nothing.data(), &size) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, int(tag_octets), tag.data()) == 1;
  must(held, "making a tag");
  return tag;
}

void fill_random(std::uint8_t* out, std::size_t count) {
  while (count > 0) {
    const auto got = ::getrandom(out, count, 0);
    if (got < 0 && errno != EINTR) throw std::runtime_error("the operating system gives no random octets");
    if (got <= 0) continue;
    out += got;
    count -= static_cast<std::size_t>(got);
  }
}

struct PublicKey::Parts {
  Bytes spki;
  KeyHandle key = nullptr;  ///< null: may not be used
  KeyKind kind = KeyKind::Rsa;
  Bytes spki_sha256 = sha256(spki);
  Prepared verification{Prepared::Direction::Verify};
};

PublicKey PublicKey::unusable(Bytes spki) {
  PublicKey key;
  key.parts_ = std::make_shared<const Parts>(std::move(spki));
  return key;
}

Result<PublicKey> PublicKey::from_spki(BytesView der) {
  const QuietErrors quiet;
  if (der.size() > key_bytes_max) return fail(Errc::UnreadableKey, "above 64 KB");
  const auto* at = octets(der);
  KeyHandle key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!key || at != octets(der) + der.size()) return fail(Errc::UnreadableKey);
  const auto kind = TRY(judge_key(key.get()));
  auto spki = der_of<i2d_PUBKEY>(key.get());
  PublicKey made;
  made.parts_ = std::make_shared<const Parts>(std::move(spki), std::move(key), kind);
  return made;
}

Result<PublicKey> PublicKey::from_pem(BytesView pem) {
  const auto blocks = read_pem(pem, 1);
  if (!blocks || blocks->size() != 1 || blocks->front().label != "PUBLIC KEY") {
    return fail(Errc::UnreadableKey, "not one PEM block PUBLIC KEY");
  }
  return from_spki(blocks->front().der);
}

/// Building a key costs as much as forty verifications, and peers name the same key in every message.
Result<PublicKey> PublicKey::from_rsa(BytesView modulus, BytesView exponent) {
  constexpr std::size_t number_bytes_max = rsa_bits_max / 8 + 1;  // some writers put a zero octet before the modulus
  if (modulus.size() > number_bytes_max || exponent.size() > number_bytes_max)
    return fail(Errc::KeyTooWeak, "RSA above 4096 bit");
  static Recent<PublicKey> seen(keys_kept);
  Hasher hasher(Digest::Sha256);
  hasher.update(std::to_string(modulus.size()) + " ");
  hasher.update(modulus);
  hasher.update(exponent);
  const Bytes digest = hasher.finish();
  if (auto known = seen.find(digest)) return *std::move(known);
  auto built = TRY(build_rsa(modulus, exponent));
  seen.keep(digest, built);
  return built;
}

Result<PublicKey> PublicKey::build_rsa(BytesView modulus, BytesView exponent) {
  const QuietErrors quiet;
  const NumberHandle n(BN_bin2bn(octets(modulus), static_cast<int>(modulus.size()), nullptr));
  const NumberHandle e(BN_bin2bn(octets(exponent), static_cast<int>(exponent.size()), nullptr));
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  must(n && e && builder && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
           OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1,
       "taking modulus and exponent");
  const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* found = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &found, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return fail(Errc::UnreadableKey);
  const KeyHandle key(found);
  return from_spki(der_of<i2d_PUBKEY>(key.get()));
}

Bytes PublicKey::to_pem() const {
  const auto text = base::base64(spki());
  Bytes pem = "-----BEGIN PUBLIC KEY-----\n";
  for (std::size_t at = 0; at < text.size(); at += 64) pem.append(text, at, 64).push_back('\n');
  return pem.append("-----END PUBLIC KEY-----\n");
}

KeyKind PublicKey::kind() const noexcept { return parts_->kind; }
const Bytes& PublicKey::spki() const noexcept { return parts_->spki; }
const Bytes& PublicKey::spki_sha256() const noexcept { return parts_->spki_sha256; }

Result<void> PublicKey::verify(Digest algorithm, BytesView data, BytesView signature) const {
  const QuietErrors quiet;
  auto* key = parts_->key.get();
  if (!key) return fail(Errc::BadSignature, "a key that may not be used");
  if (parts_->kind == KeyKind::Ed25519) {
    const DigestContext context(EVP_MD_CTX_new());
    const bool held =
        EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
        EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(data), data.size()) == 1;
    if (!held) return fail(Errc::BadSignature);
    return {};
  }
  Bytes der;
  if (parts_->kind == KeyKind::Ec) {
    der = ecdsa_der(signature, scalar_size(key));
    signature = der;
    if (der.empty()) return fail(Errc::BadSignature, "not r and s of the curve's length");
  } else if (signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key))) {
    return fail(Errc::BadSignature, "not of the modulus's length");
  }
  const auto hash = digest(algorithm, data);
  const auto context = parts_->verification.copy(key, parts_->kind, algorithm);
  if (EVP_PKEY_verify(context.get(), octets(signature), signature.size(), octets(hash), hash.size()) != 1)
    return fail(Errc::BadSignature);
  return {};
}

struct PrivateKey::Parts {
  KeyHandle key;
  PublicKey public_key;
  Prepared signing{Prepared::Direction::Sign};

  static Result<PrivateKey> hold(KeyHandle key) {
    auto public_key = TRY(PublicKey::from_spki(der_of<i2d_PUBKEY>(key.get())));
    PrivateKey made;
    made.parts_ = std::make_shared<const Parts>(std::move(key), std::move(public_key));
    return made;
  }
};

Result<PrivateKey> PrivateKey::from_pem(BytesView pem, std::string_view passphrase) {
  const QuietErrors quiet;
  if (pem.size() > key_bytes_max) return fail(Errc::UnreadableKey, "above 64 KB");
  const auto bio = reader(pem);
  KeyHandle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, &passphrase));
  if (!key) return fail(Errc::UnreadableKey);
  return Parts::hold(std::move(key));
}

Result<PrivateKey> PrivateKey::of_token(evp_pkey_st* owned) { return Parts::hold(KeyHandle(owned)); }

PrivateKey PrivateKey::generate_rsa(unsigned bits) {
  KeyHandle key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(bits)));
  must(key != nullptr, "making an RSA key");
  return Parts::hold(std::move(key)).value();
}

PrivateKey PrivateKey::generate_p256() {
  KeyHandle key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  must(key != nullptr, "making a P-256 key");
  return Parts::hold(std::move(key)).value();
}

PrivateKey PrivateKey::generate_ed25519() {
  KeyHandle key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  must(key != nullptr, "making an Ed25519 key");
  return Parts::hold(std::move(key)).value();
}

KeyKind PrivateKey::kind() const noexcept { return parts_->public_key.kind(); }
PublicKey PrivateKey::public_key() const { return parts_->public_key; }
evp_pkey_st* PrivateKey::handle() const noexcept { return parts_->key.get(); }

Bytes PrivateKey::sign(Digest algorithm, BytesView data) const {
  const QuietErrors quiet;
  auto* key = parts_->key.get();
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key));
  Bytes signature(size, '\0');
  auto* out = reinterpret_cast<unsigned char*>(signature.data());
  if (kind() == KeyKind::Ed25519) {
    const DigestContext context(EVP_MD_CTX_new());
    must(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
             EVP_DigestSign(context.get(), out, &size, octets(data), data.size()) == 1,
         "signing with Ed25519");
  } else {
    const auto hash = digest(algorithm, data);
    const auto context = parts_->signing.copy(key, kind(), algorithm);
    must(EVP_PKEY_sign(context.get(), out, &size, octets(hash), hash.size()) == 1, "signing");
  }
  signature.resize(size);
  return kind() == KeyKind::Ec ? ecdsa_raw(signature, scalar_size(key)) : signature;
}

Bytes PrivateKey::to_pem() const {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  must(PEM_write_bio_PKCS8PrivateKey(bio.get(), parts_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
       "writing a key");
  return written(bio.get());
}

}  // namespace certs
