// The errors of this room in one table: the reason for the audit trail, the sentence and the cause.

#include "base/error_table.hpp"
#include "certs/crypto.hpp"

namespace certs {
namespace {

using base::Cause;

constexpr base::ErrorRow row(Errc code, std::string_view name, std::string_view sentence, Cause cause) {
  return {static_cast<int>(code), name, sentence, cause};
}

constexpr std::array rows{
    row(Errc::UnreadableKey, "key-unreadable", "the key cannot be read, or its passphrase is wrong", Cause::BadMessage),
    row(Errc::UnreadableCertificate, "certificate-unreadable", "the certificate cannot be read", Cause::BadMessage),
    row(Errc::KeyTooWeak, "key-too-weak", "a key is not RSA of 2048 to 4096 bit, P-256, P-384, P-521 or Ed25519",
        Cause::NotTrusted),
    row(Errc::LibraryTooOld, "library-too-old", "the OpenSSL library is older than accepted", Cause::Defect),
    row(Errc::KeyMismatch, "key-mismatch", "private key and certificate do not belong together", Cause::BadMessage),
    row(Errc::BadSignature, "signature-bad", "the signature does not verify", Cause::NotTrusted),
    row(Errc::NotYetValid, "certificate-not-yet-valid", "a certificate is not valid yet", Cause::NotTrusted),
    row(Errc::Expired, "certificate-expired", "a certificate has expired", Cause::NotTrusted),
    row(Errc::Revoked, "certificate-revoked", "a certificate has been revoked", Cause::NotTrusted),
    row(Errc::RevocationUnknown, "revocation-unknown",
        "no current revocation list or OCSP answer speaks for a certificate", Cause::NotTrusted),
    row(Errc::UnknownIssuer, "issuer-unknown", "no path leads from the certificate to a trusted authority",
        Cause::NotTrusted),
    row(Errc::BadPath, "certificate-path-bad", "the path of certificates breaks its own rules", Cause::NotTrusted),
    row(Errc::NotForThisUse, "certificate-not-for-this-use", "the certificate was not issued for this use",
        Cause::NotTrusted),
    row(Errc::UnreadableCrl, "crl-unreadable", "the revocation list cannot be read", Cause::BadMessage),
    row(Errc::UnsupportedAlgorithm, "algorithm-unsupported", "an algorithm of the signature is not on the list",
        Cause::NotSupported),
    row(Errc::BadReference, "reference-bad", "the signature is not of the one form that is judged", Cause::BadMessage),
    row(Errc::DigestMismatch, "digest-mismatch", "what was signed has been altered", Cause::NotTrusted),
    row(Errc::WeakSignature, "certificate-signature-weak", "a certificate of the path was signed with MD5 or SHA-1",
        Cause::NotTrusted),
    row(Errc::RevocationOnItsWay, "revocation-on-its-way",
        "evidence whether a certificate is revoked is being fetched; ask again in some seconds", Cause::NotTrusted),
    row(Errc::UnusableEvidence, "revocation-evidence-unusable", "the revocation evidence may not be judged by",
        Cause::BadMessage),
    row(Errc::TokenUnavailable, "token-unavailable", "the PKCS#11 module, its token or the key in it cannot be used",
        Cause::TryLater),
};

constexpr base::ErrorTable table("gatehouse.certs", rows);

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), table}; }

}  // namespace certs
