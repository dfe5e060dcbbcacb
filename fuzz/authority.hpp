#pragma once
// The authority of the target `certificates`. Its keys, names and serial numbers are the same in every process, so that
// an input found in one means the same in another; it signs whatever an input has become.

#include "certs/ocsp.hpp"
#include "certs/testing.hpp"

namespace fuzz {

/// The P-256 key of that name, as the makers of test certificates take it. [fuzz/keys.hpp]
certs::testing::Key key_of(std::string_view name);

struct World {
  World();
  certs::testing::Party root, middle;
  certs::testing::Party leaf, low;  ///< of the root, of the middle
  certs::testing::Party delegate;   ///< answers for the root
  /// Of the root, half an hour old: revokes nobody.
  certs::RevocationList list;
  /// Of the root and ended, so that it vouches for nobody: revokes the delegate.
  certs::RevocationList without_delegate;
  /// Of the root about the leaf, half an hour old: good.
  std::string response;
};
const World& world();

/// One value of DER.
std::string der(char tag, std::string_view content);
/// The values that stand one after the other.
std::vector<std::string_view> split(std::string_view text);

/// Certificates or lists one after the other, each with the signature of its signer, the last signer's for all beyond;
/// what is neither stays. ECDSA with SHA-1 stays SHA-1; a certificate signed with what no key here can do gets its
/// signer's name as issuer, so that what others issued is read behind a signature too.
std::string resigned(std::string_view text, std::initializer_list<std::string_view> signers);

/// An OCSPResponse whose BasicOCSPResponse has the signer's signature; each certificate in it has the root's, but for
/// those signed with what no key here can do.
std::string resigned_response(std::string_view text, std::string_view signer);

/// The same certificate or list under the name of another signature algorithm.
std::string with_algorithm(std::string_view text, std::string_view object_identifier);

}  // namespace fuzz
