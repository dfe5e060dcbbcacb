#pragma once
// The signed envelope of an answer: WS-Addressing headers, the notices that must go with it, Timestamp, one
// SignatureConfirmation per signature received, and one signature over all of them and the Body. Every part is written
// canonically once and digested as written. [WSS 1.1 §8.5; design §5]

#include "base/ids.hpp"
#include "base/time.hpp"
#include "certs/x509.hpp"
#include "xca/soap/answer.hpp"
#include "xca/soap/notice.hpp"

namespace xca::wss {

/// What an answer's signature covers; a partner setting.
enum class ResponseSignature { Full, Headers, None };

/// What every answer needs besides its payload.
struct Reply {
  std::string action;
  std::string relates_to;  ///< request's MessageID, byte for byte
  std::string to = std::string(soap::anonymous);  ///< the address it is sent to
  std::vector<std::string>
      signature_values;  ///< of the request; one SignatureConfirmation each, one without Value if none
  ResponseSignature signature = ResponseSignature::Full;
  std::vector<soap::Notice> notices = {};  ///< one header block of all, none where there are none
};

/// Our signing credential and what it needs on the wire, computed once per key.
class Signer {
 public:
  explicit Signer(certs::Credential credential);
  const certs::Credential& credential() const { return credential_; }
  const std::string& certificate_base64() const { return certificate_base64_; }

 private:
  certs::Credential credential_;
  std::string certificate_base64_;
};

/// Writes the whole envelope text.
/// @param payload  the payload element in exclusive canonical form
std::string write_envelope(const Reply& reply, std::string_view payload, const Signer& signer, base::UuidStream& ids,
                           base::Instant now);

}  // namespace xca::wss
