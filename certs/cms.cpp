#include "certs/cms.hpp"

#include "base/error_table.hpp"
#include "certs/openssl.hpp"

#include <openssl/cms.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <map>

namespace certs::cms {
namespace {

using base::Cause;

constexpr base::ErrorRow rows[] = {
    {int(Errc::Malformed), "cms-malformed", "the CMS cannot be read", Cause::BadMessage},
    {int(Errc::NotEnveloped), "cms-not-enveloped", "the CMS is no envelope", Cause::BadMessage},
    {int(Errc::NotSigned), "cms-not-signed", "the CMS is not signed", Cause::NotTrusted},
    {int(Errc::WeakCipher), "cms-cipher-weak", "the content is not encrypted by AES in CBC or GCM", Cause::NotTrusted},
    {int(Errc::NotForUs), "cms-not-for-us", "the envelope is not for one of our certificates", Cause::BadMessage},
    {int(Errc::NotDecrypted), "cms-not-decrypted", "the envelope cannot be opened", Cause::BadMessage},
    {int(Errc::WeakDigest), "cms-digest-weak", "a signature does not use SHA-2", Cause::NotTrusted},
    {int(Errc::WeakKey), "cms-key-weak", "a signer's key is too weak", Cause::NotTrusted},
    {int(Errc::NoSigner), "cms-signer-missing", "a signature comes without its certificate", Cause::NotTrusted},
    {int(Errc::BadSignature), "cms-signature-bad", "the signature does not verify", Cause::NotTrusted},
};
constexpr base::ErrorTable table("gatehouse.certs.cms", rows);

using CmsHandle = Owned<CMS_ContentInfo, CMS_ContentInfo_free>;
using OaepHandle = Owned<RSA_OAEP_PARAMS, RSA_OAEP_PARAMS_free>;
using PssHandle = Owned<RSA_PSS_PARAMS, RSA_PSS_PARAMS_free>;
using AlgorithmHandle = Owned<X509_ALGOR, X509_ALGOR_free>;

constexpr std::size_t gcm_tag_min = 12;  // RFC 5084 §3.2

/// Null where the octets are not one CMS and nothing else.
CmsHandle parse(BytesView der) {
  const auto* at = octets(der);
  CmsHandle cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
  if (at != octets(der) + der.size()) cms.reset();
  return cms;
}

int kind_of(CMS_ContentInfo* cms) { return OBJ_obj2nid(CMS_get0_type(cms)); }

int nid_of(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  return OBJ_obj2nid(object);
}
/// DER of a parameter that is a sequence; empty where it is not.
BytesView sequence_of(const X509_ALGOR* algorithm) {
  int type = V_ASN1_UNDEF;
  const void* value = nullptr;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE) return {};
  const auto* text = static_cast<const ASN1_STRING*>(value);
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// ------------------------------------------------------------------ what OpenSSL does not show

/// Elements of DER one after the other.
class Der {
 public:
  explicit Der(BytesView der) : rest_(der) {}
  struct Element {
    int tag = -1, tag_class = 0;
    BytesView content = {};
    BytesView whole = {};
    bool is(int wanted, int of_class = V_ASN1_UNIVERSAL) const { return tag == wanted && tag_class == of_class; }
  };
  /// Its tag is -1 at the end, and where there is no DER.
  Element next() {
    Element element;
    const auto* at = octets(rest_);
    long length = 0;
    int tag = 0, tag_class = 0;
    const int returned = ASN1_get_object(&at, &length, &tag, &tag_class, static_cast<long>(rest_.size()));
    if (rest_.empty() || (returned & 0x81) != 0) return element;  // an error, or no definite length
    const auto head = static_cast<std::size_t>(at - octets(rest_));
    element = {tag, tag_class, rest_.substr(head, static_cast<std::size_t>(length)),
               rest_.substr(0, head + static_cast<std::size_t>(length))};
    rest_.remove_prefix(element.whole.size());
    return element;
  }

 private:
  BytesView rest_;
};

/// How the content of an envelope is encrypted.
struct Cipher {
  int nid = NID_undef;
  BytesView parameters = {};  ///< DER
  BytesView mac = {};         ///< of AuthEnvelopedData
};
/// @param der  of the whole ContentInfo, which outlives what is returned. [RFC 5652 §6.1, RFC 5083 §2.1]
std::optional<Cipher> cipher_of(BytesView der) {
  Der info(Der(der).next().content);
  info.next();  // contentType
  Der envelope(Der(info.next().content).next().content);
  auto element = envelope.next();  // version
  if (!element.is(V_ASN1_INTEGER)) return std::nullopt;
  element = envelope.next();
  if (element.is(0, V_ASN1_CONTEXT_SPECIFIC)) element = envelope.next();  // originatorInfo
  if (!element.is(V_ASN1_SET)) return std::nullopt;                       // recipientInfos
  Der content(envelope.next().content);
  content.next();  // its type
  const auto algorithm = content.next();
  const auto* at = octets(algorithm.whole);
  const AlgorithmHandle read(d2i_X509_ALGOR(nullptr, &at, static_cast<long>(algorithm.whole.size())));
  if (!algorithm.is(V_ASN1_SEQUENCE) || !read) return std::nullopt;
  Cipher cipher{.nid = nid_of(read.get())};
  Der inside(algorithm.content);
  inside.next();
  cipher.parameters = inside.next().content;
  for (element = envelope.next(); element.tag != -1; element = envelope.next())
    if (element.is(V_ASN1_OCTET_STRING)) cipher.mac = element.content;
  return cipher;
}

bool is_cbc(int nid) { return nid == NID_aes_128_cbc || nid == NID_aes_192_cbc || nid == NID_aes_256_cbc; }
bool is_gcm(int nid) { return nid == NID_aes_128_gcm || nid == NID_aes_192_gcm || nid == NID_aes_256_gcm; }

/// The tag must be as long as the parameters say, or whoever cuts it forges. [RFC 5084 §3.2; threats D02]
bool has_whole_tag(const Cipher& cipher) {
  Der parameters(cipher.parameters);
  if (!parameters.next().is(V_ASN1_OCTET_STRING)) return false;
  const auto length = parameters.next();
  std::size_t octets_said = gcm_tag_min;
  if (length.is(V_ASN1_INTEGER) && length.content.size() == 1)
    octets_said = static_cast<unsigned char>(length.content[0]);
  return octets_said >= gcm_tag_min && cipher.mac.size() == octets_said;
}

/// What is labelled OAEP and has no OAEP parameters is opened by OpenSSL as PKCS #1 v1.5. [facts/direct §3, b20]
bool is_readable_oaep(const X509_ALGOR* algorithm) {
  const auto der = sequence_of(algorithm);
  const auto* at = octets(der);
  const OaepHandle oaep(der.empty() ? nullptr : d2i_RSA_OAEP_PARAMS(nullptr, &at, static_cast<long>(der.size())));
  return oaep && at == octets(der) + der.size();
}
bool may_transport(const X509_ALGOR* algorithm) {
  switch (nid_of(algorithm)) {
    case NID_rsaEncryption: return sequence_of(algorithm).empty();
    case NID_rsaesOaep: return is_readable_oaep(algorithm);
    default: return false;
  }
}
bool may_agree(const X509_ALGOR* algorithm) {
  switch (nid_of(algorithm)) {
    case NID_dhSinglePass_stdDH_sha256kdf_scheme:
    case NID_dhSinglePass_stdDH_sha384kdf_scheme:
    case NID_dhSinglePass_stdDH_sha512kdf_scheme: return true;
    default: return false;
  }
}

/// A recipient of an envelope that is one of our certificates.
struct Ours {
  CMS_RecipientInfo* info = nullptr;
  CMS_RecipientEncryptedKey* key = nullptr;  ///< of key agreement
};
Ours find(CMS_ContentInfo* cms, X509* certificate) {
  auto* recipients = CMS_get0_RecipientInfos(cms);
  for (int i = 0; i < sk_CMS_RecipientInfo_num(recipients); ++i) {
    auto* info = sk_CMS_RecipientInfo_value(recipients, i);
    if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_TRANS) {
      if (CMS_RecipientInfo_ktri_cert_cmp(info, certificate) == 0) return {info, nullptr};
    } else if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_AGREE) {
      auto* keys = CMS_RecipientInfo_kari_get0_reks(info);
      for (int k = 0; k < sk_CMS_RecipientEncryptedKey_num(keys); ++k) {
        auto* key = sk_CMS_RecipientEncryptedKey_value(keys, k);
        if (CMS_RecipientEncryptedKey_cert_cmp(key, certificate) == 0) return {info, key};
      }
    }
  }
  return {};
}

/// Unwraps the content's key. @return false where it cannot be
bool unwrap(CMS_ContentInfo* cms, const Ours& ours, EVP_PKEY* key) {
  if (ours.key) {
    if (CMS_RecipientInfo_kari_set0_pkey(ours.info, key) != 1) return false;
    const bool unwrapped = CMS_RecipientInfo_kari_decrypt(cms, ours.info, ours.key) == 1;
    CMS_RecipientInfo_kari_set0_pkey(ours.info, nullptr);
    return unwrapped;
  }
  EVP_PKEY_up_ref(key);
  if (CMS_RecipientInfo_set0_pkey(ours.info, key) != 1) {
    EVP_PKEY_free(key);
    return false;
  }
  const bool unwrapped = CMS_RecipientInfo_decrypt(cms, ours.info) == 1;
  CMS_RecipientInfo_set0_pkey(ours.info, nullptr);
  return unwrapped;
}

// ------------------------------------------------------------------ signatures

std::optional<Digest> digest_of(int nid) {
  switch (nid) {
    case NID_sha256: return Digest::Sha256;
    case NID_sha384: return Digest::Sha384;
    case NID_sha512: return Digest::Sha512;
    default: return std::nullopt;
  }
}

/// @param digest  the signer's. [facts/direct §3]
bool is_strong(const X509_ALGOR* signature, int digest) {
  switch (nid_of(signature)) {
    case NID_rsaEncryption:
    case NID_X9_62_id_ecPublicKey: return true;  // the digest is the signer's
    case NID_sha256WithRSAEncryption:
    case NID_ecdsa_with_SHA256: return digest == NID_sha256;
    case NID_sha384WithRSAEncryption:
    case NID_ecdsa_with_SHA384: return digest == NID_sha384;
    case NID_sha512WithRSAEncryption:
    case NID_ecdsa_with_SHA512: return digest == NID_sha512;
    case NID_rsassaPss: {
      const auto der = sequence_of(signature);
      const auto* at = octets(der);
      const PssHandle pss(der.empty() ? nullptr : d2i_RSA_PSS_PARAMS(nullptr, &at, static_cast<long>(der.size())));
      return pss && pss->hashAlgorithm && nid_of(pss->hashAlgorithm) == digest;
    }
    default: return false;
  }
}

/// The one value of an attribute that stands once; null where it does not.
template <class T>
const T* only(CMS_SignerInfo* signer, int attribute, int type) {
  constexpr int once_with_one_value = -3;
  return static_cast<const T*>(
      CMS_signed_get0_data_by_OBJ(signer, OBJ_nid2obj(attribute), once_with_one_value, type));
}

/// The digests of what was signed, each made once.
class ContentDigests {
 public:
  explicit ContentDigests(BytesView content) : content_(content) {}
  const Bytes& of(Digest algorithm) {
    auto& made = made_[algorithm];
    if (made.empty()) made = digest(algorithm, content_);
    return made;
  }

 private:
  BytesView content_;
  std::map<Digest, Bytes> made_;
};

Result<void> judge(CMS_SignerInfo* signer, const Signature& by, ContentDigests& digests) {
  X509_ALGOR *digest_algorithm = nullptr, *signature_algorithm = nullptr;
  CMS_SignerInfo_get0_algs(signer, nullptr, nullptr, &digest_algorithm, &signature_algorithm);
  const int digest_nid = nid_of(digest_algorithm);
  const auto algorithm = digest_of(digest_nid);
  if (!algorithm || !is_strong(signature_algorithm, digest_nid)) return fail(Errc::WeakDigest);
  if (!by.certificate) return fail(Errc::NoSigner);
  if (by.certificate->has_weak_key()) return fail(Errc::WeakKey);
  const auto* type = only<ASN1_OBJECT>(signer, NID_pkcs9_contentType, V_ASN1_OBJECT);
  const auto* signed_digest = only<ASN1_OCTET_STRING>(signer, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING);
  if (!type || OBJ_obj2nid(type) != NID_pkcs7_data || !signed_digest)
    return fail(Errc::Malformed, "signed attributes");
  const BytesView said(reinterpret_cast<const char*>(ASN1_STRING_get0_data(signed_digest)),
                       static_cast<std::size_t>(ASN1_STRING_length(signed_digest)));
  if (said != digests.of(*algorithm) || CMS_SignerInfo_verify(signer) != 1) return fail(Errc::BadSignature);
  return {};
}

std::optional<Instant> signing_time(CMS_SignerInfo* signer) {
  for (const int type : {V_ASN1_UTCTIME, V_ASN1_GENERALIZEDTIME})
    if (const auto* time = only<ASN1_TIME>(signer, NID_pkcs9_signingTime, type)) return instant_of(time);
  return std::nullopt;
}

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), table}; }

struct Envelope::Parts {
  CmsHandle cms;
};

Envelope::Envelope(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Envelope::~Envelope() = default;
Envelope::Envelope(Envelope&&) noexcept = default;
Envelope& Envelope::operator=(Envelope&&) noexcept = default;

Result<Envelope> Envelope::read(BytesView der, const Limits& limits) {
  const QuietErrors quiet;
  auto cms = parse(der);
  if (!cms) return fail(Errc::Malformed);
  const int kind = kind_of(cms.get());
  if (kind != NID_pkcs7_enveloped && kind != NID_id_smime_ct_authEnvelopedData) return fail(Errc::NotEnveloped);
  const auto definite = der_of<i2d_CMS_ContentInfo>(cms.get());  // peers write indefinite lengths
  const auto cipher = cipher_of(definite);
  if (!cipher) return fail(Errc::Malformed, "encrypted content");
  const bool authenticated = kind == NID_id_smime_ct_authEnvelopedData;
  if (authenticated ? !is_gcm(cipher->nid) : !is_cbc(cipher->nid)) return fail(Errc::WeakCipher);
  if (authenticated && !has_whole_tag(*cipher)) return fail(Errc::Malformed, "authentication tag");
  if (sk_CMS_RecipientInfo_num(CMS_get0_RecipientInfos(cms.get())) > limits.recipients)
    return fail(Errc::Malformed, "recipients");
  return Envelope(std::make_unique<Parts>(Parts{std::move(cms)}));
}

bool Envelope::names(const Certificate& certificate) const {
  const QuietErrors quiet;
  return find(parts_->cms.get(), certificate.handle()).info != nullptr;
}

Result<Bytes> Envelope::open(const Credential& ours) const {
  const QuietErrors quiet;
  auto* cms = parts_->cms.get();
  const auto found = find(cms, ours.certificate.handle());
  if (!found.info) return fail(Errc::NotForUs);
  X509_ALGOR* algorithm = nullptr;
  if (found.key) {
    CMS_RecipientInfo_kari_get0_alg(found.info, &algorithm, nullptr);
    if (!algorithm || !may_agree(algorithm)) return fail(Errc::Malformed, "key agreement");
  } else {
    CMS_RecipientInfo_ktri_get0_algs(found.info, nullptr, nullptr, &algorithm);
    if (!algorithm || !may_transport(algorithm)) return fail(Errc::Malformed, "key transport");
  }
  const BioHandle out(BIO_new(BIO_s_mem()));
  must(out != nullptr, "making room for content");
  const bool opened = unwrap(cms, found, ours.key.handle()) &&
                      CMS_decrypt(cms, nullptr, nullptr, nullptr, out.get(), CMS_BINARY) == 1;
  if (!opened) return fail(Errc::NotDecrypted);
  return written(out.get());
}

Result<SignedContent> read_signed(BytesView der, std::optional<BytesView> detached, const Limits& limits) {
  const QuietErrors quiet;
  const auto cms = parse(der);
  if (!cms) return fail(Errc::Malformed);
  if (kind_of(cms.get()) != NID_pkcs7_signed) return fail(Errc::NotSigned);
  if (OBJ_obj2nid(CMS_get0_eContentType(cms.get())) != NID_pkcs7_data) return fail(Errc::Malformed, "content type");
  auto* inside = CMS_get0_content(cms.get());
  if (!inside || (*inside != nullptr) == detached.has_value()) return fail(Errc::Malformed, "content");
  SignedContent read;
  if (*inside) {
    read.content = Bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(*inside)),
                         static_cast<std::size_t>(ASN1_STRING_length(*inside)));
  }
  const CertificateStack certificates(CMS_get1_certs(cms.get()));
  auto* signers = CMS_get0_SignerInfos(cms.get());
  const int count = sk_CMS_SignerInfo_num(signers);
  if (count < 1) return fail(Errc::NotSigned);
  if (count > limits.signers || sk_X509_num(certificates.get()) > limits.certificates)
    return fail(Errc::Malformed, "signers");
  for (int i = 0; i < sk_X509_num(certificates.get()); ++i) {
    auto certificate = Certificate::parse(der_of<i2d_X509>(sk_X509_value(certificates.get(), i)));
    if (certificate) read.certificates.push_back(*std::move(certificate));  // one that cannot be read is none
  }
  ContentDigests digests(detached ? *detached : BytesView(*read.content));
  for (int i = 0; i < count; ++i) {
    auto* signer = sk_CMS_SignerInfo_value(signers, i);
    Signature signature{.signing_time = signing_time(signer)};
    for (const Certificate& one : read.certificates) {
      if (CMS_SignerInfo_cert_cmp(signer, one.handle()) != 0) continue;
      CMS_SignerInfo_set1_signer_cert(signer, one.handle());
      signature.certificate = one;
      break;
    }
    signature.verdict = judge(signer, signature, digests);
    read.signatures.push_back(std::move(signature));
  }
  return read;
}

}  // namespace certs::cms
