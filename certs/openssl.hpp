#pragma once
// What the .cpp files of this room share about OpenSSL: ownership, its error queue, PEM blocks. Included by nobody
// else: its types stay in this room.

#include "base/time.hpp"
#include "certs/crypto.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <optional>
#include <vector>

namespace certs {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* held) const noexcept {
    (void)Free(held);
  }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Freed<Free>>;

inline void free_certificates(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }

using KeyHandle = Owned<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using BioHandle = Owned<BIO, BIO_free>;
using CertificateHandle = Owned<X509, X509_free>;
using CertificateStack = Owned<STACK_OF(X509), free_certificates>;
using NumberHandle = Owned<BIGNUM, BN_free>;

/// Leaves OpenSSL's error queue of this thread as it was found: the TLS code of gateway/net reads that queue too.
class QuietErrors {
 public:
  QuietErrors() { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

/// Throws std::runtime_error naming `step` where a call of OpenSSL failed that no input of a peer can make fail.
void must(bool held, const char* step);

/// The kind of a key that may be used. @error Errc::UnreadableKey for a foreign kind, Errc::KeyTooWeak [A04]
Result<KeyKind> judge_key(EVP_PKEY* key);

/// Reads a buffer without copying it; `bytes` must outlive it.
BioHandle reader(BytesView bytes);
Bytes written(BIO* memory);
/// What OpenSSL writes for an object by its i2d function.
template <auto I2d, class T>
Bytes der_of(const T* object) {
  unsigned char* out = nullptr;
  const int size = I2d(object, &out);
  if (size < 0) return {};
  Bytes bytes(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  return bytes;
}

/// Empty for none and for a time that is no time.
std::optional<base::Instant> instant_of(const ASN1_TIME* time);

struct PemBlock {
  std::string label;  ///< CERTIFICATE, X509 CRL…
  Bytes der;
};
/// All unencrypted blocks in order; empty optional where one is broken or there are more than `count_max`.
std::optional<std::vector<PemBlock>> read_pem(BytesView pem, std::size_t count_max);

inline const unsigned char* octets(BytesView bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

}  // namespace certs
