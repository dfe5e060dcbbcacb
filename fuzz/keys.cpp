#include "fuzz/keys.hpp"

namespace fuzz {

std::string p256_pem(std::string_view name) {
  // ECPrivateKey with the secret and the curve's name; the public key is computed by the reader. [RFC 5915 §3]
  const std::string der = std::string("\x30\x31\x02\x01\x01\x04\x20", 7) + certs::sha256(name) +
                          std::string("\xA0\x0A\x06\x08\x2A\x86\x48\xCE\x3D\x03\x01\x07", 12);
  return "-----BEGIN EC PRIVATE KEY-----\n" + base::base64(der) + "\n-----END EC PRIVATE KEY-----\n";
}

}  // namespace fuzz
