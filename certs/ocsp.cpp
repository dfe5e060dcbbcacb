#include "certs/ocsp.hpp"

#include "certs/openssl.hpp"

#include <openssl/ocsp.h>

namespace certs {
namespace {

using RequestHandle = Owned<OCSP_REQUEST, OCSP_REQUEST_free>;
using ResponseHandle = Owned<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using BasicHandle = Owned<OCSP_BASICRESP, OCSP_BASICRESP_free>;
using IdHandle = Owned<OCSP_CERTID, OCSP_CERTID_free>;

constexpr std::size_t nonce_octets_max = 32;  // RFC 8954
constexpr int statements_max = 64;            // in one response

base::Error unusable(std::string_view why) { return fail(Errc::UnusableEvidence, std::string(why)); }

IdHandle id_of(const OcspQuestion& question) {
  IdHandle id(OCSP_cert_to_id(EVP_sha1(), question.certificate.handle(), question.issuer.handle()));
  must(id != nullptr, "naming a certificate for OCSP");
  return id;
}

RequestHandle request_of(const OcspQuestion& question) {
  must(!question.nonce.empty() && question.nonce.size() <= nonce_octets_max, "asking with a nonce of 1 to 32 octets");
  RequestHandle request(OCSP_REQUEST_new());
  auto id = id_of(question);
  must(request && OCSP_request_add0_id(request.get(), id.get()) != nullptr, "writing an OCSP request");
  (void)id.release();
  auto nonce = question.nonce;
  must(OCSP_request_add1_nonce(request.get(), reinterpret_cast<unsigned char*>(nonce.data()),
                               static_cast<int>(nonce.size())) == 1,
       "writing a nonce");
  return request;
}

bool is_weak(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* name = nullptr;
  X509_ALGOR_get0(&name, nullptr, nullptr, algorithm);
  int digest_nid = NID_undef, key_nid = NID_undef;
  if (OBJ_find_sigid_algs(OBJ_obj2nid(name), &digest_nid, &key_nid) != 1) return true;
  if (digest_nid == NID_undef) return key_nid != NID_ED25519;
  return digest_nid == NID_md5 || digest_nid == NID_sha1;
}

/// One to whom the issuer itself delegated, by name and by use. [RFC 6960 §4.2.2.2]
bool is_delegate(X509* candidate, const Certificate& issuer, Instant now) {
  const auto from = instant_of(X509_get0_notBefore(candidate)), until = instant_of(X509_get0_notAfter(candidate));
  if (!from || !until || now < *from || *until < now) return false;
  if (X509_NAME_cmp(X509_get_issuer_name(candidate), X509_get_subject_name(issuer.handle())) != 0) return false;
  const ASN1_BIT_STRING* ignored = nullptr;
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(&ignored, &algorithm, candidate);
  if (is_weak(algorithm) || X509_verify(candidate, X509_get0_pubkey(issuer.handle())) != 1) return false;
  if (X509_get_extension_flags(candidate) & (EXFLAG_INVALID | EXFLAG_CRITICAL)) return false;
  if (!(X509_get_key_usage(candidate) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION))) return false;
  const bool for_ocsp = (X509_get_extension_flags(candidate) & EXFLAG_XKUSAGE) &&
                        (X509_get_extended_key_usage(candidate) & XKU_OCSP_SIGN);
  auto* key = X509_get0_pubkey(candidate);
  return for_ocsp && key && judge_key(key);
}

inline void free_stack_only(STACK_OF(X509) * stack) { sk_X509_free(stack); }

bool has_signed(OCSP_BASICRESP* basic, X509* signer) {
  const Owned<STACK_OF(X509), free_stack_only> only(sk_X509_new_null());
  must(only && sk_X509_push(only.get(), signer) > 0, "naming a signer");
  return OCSP_basic_verify(basic, only.get(), nullptr, OCSP_NOINTERN | OCSP_NOVERIFY) == 1;
}

/// Whether the response is signed by the issuer or by its delegate, whose certificate is given.
struct Signer {
  bool found = false;
  std::optional<Certificate> delegate = {};
};
Signer signer_of(OCSP_BASICRESP* basic, const Certificate& issuer, Instant now) {
  if (!issuer.has_weak_key() && has_signed(basic, issuer.handle())) return {.found = true};
  const auto* sent = OCSP_resp_get0_certs(basic);
  for (int i = 0; i < sk_X509_num(sent); ++i) {
    auto* candidate = sk_X509_value(sent, i);
    if (!is_delegate(candidate, issuer, now) || !has_signed(basic, candidate)) continue;
    if (auto parsed = Certificate::parse(der_of<i2d_X509>(candidate))) return {true, *std::move(parsed)};
  }
  return {};
}

bool has_unknown_critical(OCSP_BASICRESP* basic) { return OCSP_BASICRESP_get_ext_by_critical(basic, 1, -1) >= 0; }

}  // namespace

Bytes write_ocsp_request(const OcspQuestion& question) {
  const QuietErrors quiet;
  return der_of<i2d_OCSP_REQUEST>(request_of(question).get());
}

Result<OcspStatement> OcspStatement::read(BytesView response, const OcspQuestion& question, Instant now,
                                          const OcspLimits& limits) {
  const QuietErrors quiet;
  if (response.size() > limits.bytes) return unusable("an OCSP response above its limit");
  const auto* at = octets(response);
  const ResponseHandle outer(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(response.size())));
  if (!outer || at != octets(response) + response.size()) return unusable("no OCSP response");
  if (const int status = OCSP_response_status(outer.get()); status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
    return unusable(std::string("the responder says ") + OCSP_response_status_str(status));
  const BasicHandle basic(OCSP_response_get1_basic(outer.get()));
  if (!basic) return unusable("no basic OCSP response");
  if (has_unknown_critical(basic.get())) return unusable("an unknown critical extension");
  if (OCSP_resp_count(basic.get()) > statements_max) return unusable("more statements than were asked for");

  // No nonce at all is what responders send that prepare their answers [RFC 5019 §4]; another one is a replay.
  constexpr int equal = 1, only_asked = -1;
  const int nonce = OCSP_check_nonce(request_of(question).get(), basic.get());
  if (nonce != equal && nonce != only_asked) return unusable("another nonce");

  auto signer = signer_of(basic.get(), question.issuer, now);
  if (!signer.found) return unusable("not signed by the issuer or a responder of it");
  if (is_weak(OCSP_resp_get0_tbs_sigalg(basic.get()))) return unusable("signed with MD5 or SHA-1");

  OcspStatement statement;
  statement.delegate_ = std::move(signer.delegate);
  const auto id = id_of(question);
  bool found = false, known = true;
  for (int index = OCSP_resp_find(basic.get(), id.get(), -1); index >= 0;
       index = OCSP_resp_find(basic.get(), id.get(), index)) {
    auto* single = OCSP_resp_get0(basic.get(), index);
    if (OCSP_SINGLERESP_get_ext_by_critical(single, 1, -1) >= 0) return unusable("an unknown critical extension");
    ASN1_GENERALIZEDTIME *this_update = nullptr, *next_update = nullptr;
    const int status = OCSP_single_get0_status(single, nullptr, nullptr, &this_update, &next_update);
    const auto from = instant_of(this_update), until = instant_of(next_update);
    if (!from) return unusable("no thisUpdate");
    found = true;
    known = known && status != V_OCSP_CERTSTATUS_UNKNOWN;
    statement.from_ = std::max(statement.from_, *from);
    if (status == V_OCSP_CERTSTATUS_REVOKED) {
      statement.status_ = Testimony::Revoked;
      return statement;
    }
    statement.status_ = Testimony::Good;
    statement.until_ = until ? std::min<Instant>(*until, *from + limits.age) : Instant::min();
  }
  if (!found) return unusable("it speaks of another certificate");
  if (!known) return unusable("the responder does not know the certificate");
  if (statement.until_ == Instant::min()) return unusable("no nextUpdate");
  statement.skew_ = limits.skew;
  return statement;
}

Testimony OcspStatement::at(Instant now) const {
  if (status_ != Testimony::Good) return status_;
  return from_ - skew_ <= now && now <= until_ ? Testimony::Good : Testimony::Silent;
}

}  // namespace certs
