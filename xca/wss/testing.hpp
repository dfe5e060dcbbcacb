#pragma once
// Requests as a partner of the network signs them, and as an attacker changes them: for the tests of this room.
// Every signed element is written in its own canonical form, so that its text is what was digested.

#include "certs/authority.hpp"
#include "certs/trust.hpp"
#include "xca/wss/security.hpp"

namespace xca::wss::testing {

/// 2026-11-21T12:00:00Z, the instant of all tests.
Instant noon();

/// Two partners below the trusted authority, one below another, made once per process.
const certs::Credential& partner();
const certs::Credential& other_partner();
const certs::Credential& stranger();
const certs::TrustStore& trust();
/// What a partner may do by default here: nothing beyond the rule.
Rules rules(Allowance allowance = {.audience_optional = false});

/// How one ds:Signature is made. The defaults are the rule; what differs is the attack.
struct Signing {
  const certs::Credential* signer = &partner();
  std::string uri = {};  ///< with '#'
  bool enveloped = false;
  bool sha1 = false;
  std::string key_info = {};  ///< whole ds:KeyInfo, or empty
  /// Id and canonical text of what is covered beside the first Reference.
  std::vector<std::pair<std::string, std::string>> further = {};
  /// Replaced in the SignedInfo before it is signed.
  std::vector<std::pair<std::string, std::string>> edits = {};
};
std::string write_signature(const Signing& signing, std::string_view canonical);

std::string certificate_data(const certs::Credential& credential);  ///< ds:X509Data
std::string key_value(const certs::Credential& credential);         ///< ds:KeyValue
std::string key_info(std::string_view content);
std::string token_reference(std::string_view assertion_id);  ///< ds:KeyInfo by SAMLID

/// A request before it is signed. Change what a test is about, then call signed_parts() or envelope().
struct Request {
  std::string timestamp, assertion;  ///< canonical, unsigned
  Signing assertion_signing, message_signing;
  Request();
  Request& replace(std::string_view from, std::string_view to);  ///< in timestamp and assertion; must be found
};

/// The pieces of a signed request, to be put together in the right way or in another.
struct Pieces {
  std::string timestamp, assertion, signature;
  std::string assertion_signature;  ///< the text that stands inside `assertion`
  std::string security_attributes = {}, headers = {}, after_body = {};
  std::string payload = "<q:AdhocQueryRequest xmlns:q=\"urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0\"/>";
  std::string to = "https://gateway.example/ihe", message_id = "urn:uuid:1";
  std::string security() const { return timestamp + assertion + signature; }
};
Pieces sign(const Request& request);
std::string envelope(const Pieces& pieces, std::string_view security);
inline std::string envelope(const Pieces& pieces) { return envelope(pieces, pieces.security()); }
inline std::string envelope(const Request& request) { return envelope(sign(request)); }

std::string replaced(std::string text, std::string_view from, std::string_view to);  ///< the first; must be found

/// Opens and verifies; the error, or nothing where the message is accepted.
boost::system::error_code judged(const std::string& message, const Rules& rules = testing::rules(),
                                 Instant now = noon());

}  // namespace xca::wss::testing
