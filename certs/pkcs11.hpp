#pragma once
// Private keys that stay in a PKCS#11 token (a hardware security module, or SoftHSM): named by URI, used through
// OpenSSL's engine for them (Debian: libengine-pkcs11-openssl). The one file of this room that reaches outside the
// process, because such a key cannot be a value. [RFC 7512; design §2]

#include "certs/crypto.hpp"

namespace certs {

/// Whether a configured key is a URI of a token and not a path.
bool is_token_uri(std::string_view key);

struct TokenKey {
  std::string uri;     ///< `pkcs11:token=…;object=…`, without a PIN
  std::string module;  ///< path of the PKCS#11 library; one for the whole process
  std::string pin;
};
/// Logs in, finds the key and has it sign once, so that a wrong PIN shows now and not at the first request.
/// @error Errc::TokenUnavailable with what to do; Errc::KeyTooWeak, Errc::UnreadableKey as for any key
Result<PrivateKey> open_token_key(const TokenKey& key);

}  // namespace certs
