#include "xca/wss/testing.hpp"

#include <stdexcept>

namespace xca::wss::testing {
namespace {

using namespace std::chrono_literals;
namespace ns = soap::ns;

/// The authorities and everybody below them.
struct World {
  certs::CertificateAuthority trusted =
      certs::CertificateAuthority::create({.common_name = "Network CA"}, noon(), std::chrono::days(90));
  certs::CertificateAuthority foreign =
      certs::CertificateAuthority::create({.common_name = "Network CA"}, noon(), std::chrono::days(90));
  certs::Credential partner = issue(trusted, "clinic.example"), other = issue(trusted, "hospital.example"),
                    stranger = issue(foreign, "clinic.example");
  certs::TrustStore store{{.anchors = {trusted.credential().certificate}}};

  static certs::Credential issue(const certs::CertificateAuthority& authority, const char* name) {
    return authority.issue({.subject = {.common_name = name}, .now = noon()});
  }
};
World& world() {
  static World made;
  return made;
}

constexpr std::string_view c14n = "http://www.w3.org/2001/10/xml-exc-c14n#";

std::string method(std::string_view name, std::string_view algorithm) {
  std::string out = "<ds:";
  out.append(name).append(" Algorithm=\"").append(algorithm).append("\"></ds:").append(name).append(">");
  return out;
}

constexpr std::string_view timestamp_text =
    R"(<wsu:Timestamp xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd" wsu:Id="TS-1"><wsu:Created>2026-11-21T12:00:00Z</wsu:Created><wsu:Expires>2026-11-21T12:10:00Z</wsu:Expires></wsu:Timestamp>)";

constexpr std::string_view assertion_head =
    R"(<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a1" IssueInstant="2026-11-21T12:00:00Z" Version="2.0"><saml2:Issuer Format="urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName">CN=clinic.example</saml2:Issuer><saml2:Subject><saml2:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName">CN=Walter Brattain</saml2:NameID><saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"><saml2:SubjectConfirmationData>)";

constexpr std::string_view assertion_tail =
    R"(</saml2:SubjectConfirmationData></saml2:SubjectConfirmation></saml2:Subject><saml2:Conditions NotBefore="2026-11-21T12:00:00Z" NotOnOrAfter="2026-11-21T12:20:00Z"><saml2:AudienceRestriction><saml2:Audience>https://gateway.example/ihe</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions><saml2:AuthnStatement AuthnInstant="2026-11-21T12:00:00Z"></saml2:AuthnStatement><saml2:AttributeStatement><saml2:Attribute Name="urn:oasis:names:tc:xspa:1.0:subject:subject-id"><saml2:AttributeValue>Walter Brattain</saml2:AttributeValue></saml2:Attribute><saml2:Attribute Name="urn:oasis:names:tc:xspa:1.0:subject:organization"><saml2:AttributeValue>Family Medical Clinic</saml2:AttributeValue></saml2:Attribute><saml2:Attribute Name="urn:oasis:names:tc:xspa:1.0:subject:organization-id"><saml2:AttributeValue>urn:oid:2.999.1</saml2:AttributeValue></saml2:Attribute></saml2:AttributeStatement><saml2:AttributeStatement><saml2:Attribute Name="urn:nhin:names:saml:homeCommunityId"><saml2:AttributeValue>urn:oid:2.999.1</saml2:AttributeValue></saml2:Attribute><saml2:Attribute Name="urn:oasis:names:tc:xacml:2.0:subject:role"><saml2:AttributeValue><hl7:Role xmlns:hl7="urn:hl7-org:v3" code="46255001" codeSystem="2.16.840.1.113883.6.96"></hl7:Role></saml2:AttributeValue></saml2:Attribute><saml2:Attribute Name="urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"><saml2:AttributeValue><hl7:PurposeOfUse xmlns:hl7="urn:hl7-org:v3" code="TREATMENT" codeSystem="2.16.840.1.113883.3.18.7.1"></hl7:PurposeOfUse></saml2:AttributeValue></saml2:Attribute></saml2:AttributeStatement></saml2:Assertion>)";

}  // namespace

Instant noon() { return std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 12h; }

const certs::Credential& partner() { return world().partner; }
const certs::Credential& other_partner() { return world().other; }
const certs::Credential& stranger() { return world().stranger; }
const certs::TrustStore& trust() { return world().store; }

Rules rules(Allowance allowance) {
  Rules out;
  out.trust = &trust();
  out.allowance = [allowance](const certs::Certificate&) { return allowance; };
  out.our_addresses = {"https://gateway.example"};
  return out;
}

std::string write_signature(const Signing& signing, std::string_view canonical) {
  const auto algorithm = signing.sha1 ? certs::Digest::Sha1 : certs::Digest::Sha256;
  std::string info = "<ds:SignedInfo xmlns:ds=\"" + std::string(ns::ds) + "\">";
  info += method("CanonicalizationMethod", c14n);
  info += method("SignatureMethod", signing.sha1 ? "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
                                                 : "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256");
  const auto append_reference = [&](std::string_view uri, bool enveloped, std::string_view covered) {
    info.append("<ds:Reference URI=\"").append(uri).append("\"><ds:Transforms>");
    if (enveloped) info += method("Transform", "http://www.w3.org/2000/09/xmldsig#enveloped-signature");
    info += method("Transform", c14n) + "</ds:Transforms>";
    info += method("DigestMethod",
                   signing.sha1 ? "http://www.w3.org/2000/09/xmldsig#sha1" : "http://www.w3.org/2001/04/xmlenc#sha256");
    info += "<ds:DigestValue>" + base::base64(certs::digest(algorithm, covered)) + "</ds:DigestValue></ds:Reference>";
  };
  append_reference(signing.uri, signing.enveloped, canonical);
  for (const auto& [id, covered] : signing.further) append_reference("#" + id, false, covered);
  info += "</ds:SignedInfo>";
  for (const auto& [from, to] : signing.edits) info = replaced(info, from, to);
  const auto value = base::base64(signing.signer->key.sign(algorithm, info));
  return "<ds:Signature xmlns:ds=\"" + std::string(ns::ds) + "\">" + info + "<ds:SignatureValue>" + value +
         "</ds:SignatureValue>" + signing.key_info + "</ds:Signature>";
}

std::string certificate_data(const certs::Credential& credential) {
  return "<ds:X509Data><ds:X509Certificate>" + base::base64(credential.certificate.der()) +
         "</ds:X509Certificate></ds:X509Data>";
}

std::string key_value(const certs::Credential& credential) {
  // A SubjectPublicKeyInfo of RSA 2048 ends with the modulus, a header of two octets and the exponent 65537.
  const auto& spki = credential.certificate.public_key().spki();
  const auto modulus = std::string_view(spki).substr(spki.size() - 261, 256);
  return "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>" + base::base64(modulus) +
         "</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>";
}

std::string key_info(std::string_view content) {
  return "<ds:KeyInfo xmlns:ds=\"" + std::string(ns::ds) + "\">" + std::string(content) + "</ds:KeyInfo>";
}

std::string token_reference(std::string_view assertion_id) {
  return key_info("<wsse:SecurityTokenReference xmlns:wsse=\"" + std::string(ns::wsse) +
                  "\"><wsse:KeyIdentifier "
                  "ValueType=\"http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID\">" +
                  std::string(assertion_id) + "</wsse:KeyIdentifier></wsse:SecurityTokenReference>");
}

Request::Request()
    : timestamp(timestamp_text),
      assertion(std::string(assertion_head) + key_info(certificate_data(partner())) + std::string(assertion_tail)),
      assertion_signing{.uri = "#_a1", .enveloped = true, .key_info = key_info(certificate_data(partner()))},
      message_signing{.uri = "#TS-1", .key_info = token_reference("_a1")} {}

Request& Request::replace(std::string_view from, std::string_view to) {
  auto& text = timestamp.find(from) != std::string::npos ? timestamp : assertion;
  text = replaced(text, from, to);
  return *this;
}

Pieces sign(const Request& request) {
  Pieces pieces;
  pieces.timestamp = request.timestamp;
  pieces.assertion_signature = write_signature(request.assertion_signing, request.assertion);
  pieces.assertion = replaced(request.assertion, "</saml2:Issuer>", "</saml2:Issuer>" + pieces.assertion_signature);
  pieces.signature = write_signature(request.message_signing, request.timestamp);
  return pieces;
}

std::string envelope(const Pieces& pieces, std::string_view security) {
  std::string out = "<soap:Envelope xmlns:soap=\"" + std::string(ns::soap) + "\"><soap:Header xmlns:wsa=\"" +
                    std::string(ns::wsa) + "\"><wsa:To>" + pieces.to +
                    "</wsa:To><wsa:Action>urn:ihe:iti:2007:CrossGatewayQuery</wsa:Action><wsa:MessageID>" +
                    pieces.message_id + "</wsa:MessageID>" + pieces.headers;
  if (!security.empty()) {
    out += "<wsse:Security xmlns:wsse=\"" + std::string(ns::wsse) + "\"" + pieces.security_attributes + ">";
    out.append(security).append("</wsse:Security>");
  }
  return out + "</soap:Header><soap:Body>" + pieces.payload + "</soap:Body>" + pieces.after_body + "</soap:Envelope>";
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("the test replaces what is not there: " + std::string(from));
  return text.replace(at, from.size(), to);
}

boost::system::error_code judged(const std::string& message, const Rules& rules, Instant now) {
  const auto opened = soap::Envelope::open("application/soap+xml; charset=UTF-8", message);
  if (!opened) return opened.error().code;
  const auto verified = verify(*opened, rules, now);
  return verified ? boost::system::error_code{} : verified.error().code;
}

}  // namespace xca::wss::testing
