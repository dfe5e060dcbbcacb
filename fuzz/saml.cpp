// WS-Security of a message: timestamp, assertion and both signatures, which are made here over whatever the input has
// become, so that what stands behind verification is reached.

#include "fuzz/keys.hpp"
#include "fuzz/samples.hpp"
#include "fuzz/target.hpp"
#include "xca/wss/testing.hpp"

namespace fuzz {
namespace {

using namespace xca::wss;
using base::xml::Element;
namespace ns = xca::soap::ns;

/// In an input, these stand for what only the process that runs it can know.
constexpr std::string_view digest_here = "@digest@", signature_here = "@signature@", rsa_here = "@rsa@";
constexpr std::string_view certificate_here = "@certificate@", rsa_certificate_here = "@rsa-certificate@";
constexpr std::string_view rsa_modulus_here = "@modulus@";

/// Partners of one authority: one with a P-256 key, quick to sign with, one with RSA.
struct World {
  certs::CertificateAuthority authority =
      certs::CertificateAuthority::create({.common_name = "Network CA"}, testing::noon(), std::chrono::days(90));
  certs::Credential ec = authority.issue(
      {.subject = {.common_name = "clinic.example"}, .now = testing::noon(), .key = certs::KeyKind::Ec});
  certs::Credential rsa = authority.issue({.subject = {.common_name = "hospital.example"}, .now = testing::noon()});
  certs::TrustStore store{{.anchors = {authority.credential().certificate}}};
};
const World& world() {
  static const World made;
  return made;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

bool replace_first(std::string& text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return at != std::string::npos;
}

/// The first ds:Signature in document order that has such a text in a child of it or of its Reference.
std::optional<Element> find_signature(const Element& element, std::string_view text) {
  if (element.is(ns::ds, "DigestValue") || element.is(ns::ds, "SignatureValue"))
    if (const auto own = element.trimmed_text(); own && *own == text)
      for (auto up = element.parent(); up; up = up->parent())
        if (up->is(ns::ds, "Signature")) return up;
  for (auto child = element.first_child(); child; child = child->next_sibling())
    if (auto found = find_signature(*child, text)) return found;
  return {};
}

certs::Digest digest_of(std::optional<std::string_view> algorithm) {
  if (!algorithm) return certs::Digest::Sha256;
  if (algorithm->ends_with("sha1")) return certs::Digest::Sha1;
  if (algorithm->ends_with("sha384")) return certs::Digest::Sha384;
  return algorithm->ends_with("sha512") ? certs::Digest::Sha512 : certs::Digest::Sha256;
}

std::optional<std::string_view> algorithm_in(const Element& element, std::string_view name) {
  const auto method = element.first_child(ns::ds, name);
  return method ? method->attribute("Algorithm") : std::nullopt;
}

base::xml::CanonicalOptions options_of(const std::optional<Element>& method) {
  base::xml::CanonicalOptions options;
  const auto inclusive = method ? method->first_child() : std::nullopt;
  const auto list = inclusive ? inclusive->attribute("PrefixList") : std::nullopt;
  for (auto rest = base::trim(list.value_or("")); !rest.empty();) {
    const auto prefix = rest.substr(0, rest.find_first_of(" \t\r\n"));
    options.inclusive_prefixes.emplace_back(prefix);
    rest = base::trim(rest.substr(prefix.size()));
  }
  return options;
}

/// The digest of what a signature's reference names, in base64; of nothing where it names nothing.
std::string digest_value(const base::xml::Document& document, const Element& signature) {
  const auto info = signature.first_child(ns::ds, "SignedInfo");
  const auto reference = info ? info->first_child(ns::ds, "Reference") : std::nullopt;
  if (!reference) return base::base64(certs::sha256(""));
  const auto uri = reference->attribute("URI").value_or("");
  const auto target = document.element_by_id(uri.starts_with('#') ? uri.substr(1) : uri);
  const auto transforms = reference->first_child(ns::ds, "Transforms");
  std::optional<Element> last;
  for (auto each = transforms ? transforms->first_child() : std::nullopt; each; each = each->next_sibling()) last = each;
  auto options = options_of(last);
  options.without = signature;
  const auto canonical = target ? base::xml::canonicalize(*target, options) : base::Result<std::string>(std::string());
  return base::base64(certs::digest(digest_of(algorithm_in(*reference, "DigestMethod")), canonical ? *canonical : ""));
}

std::string signature_value(const Element& signature, const certs::PrivateKey& key) {
  const auto info = signature.first_child(ns::ds, "SignedInfo");
  if (!info) return {};
  const auto canonical =
      base::xml::canonicalize(*info, options_of(info->first_child(ns::ds, "CanonicalizationMethod")));
  return base::base64(key.sign(digest_of(algorithm_in(*info, "SignatureMethod")), canonical ? *canonical : ""));
}

/// Fills one gap of the text, inner signatures before outer ones. @return false where there is none
bool fill_one(std::string& text) {
  const auto document = base::xml::Document::parse(text);
  if (!document) return false;
  if (const auto unsigned_one = find_signature(document->root(), digest_here))
    return replace_first(text, digest_here, digest_value(*document, *unsigned_one));
  if (const auto unsigned_one = find_signature(document->root(), signature_here))
    return replace_first(text, signature_here, signature_value(*unsigned_one, world().ec.key));
  if (const auto unsigned_one = find_signature(document->root(), rsa_here))
    return replace_first(text, rsa_here, signature_value(*unsigned_one, world().rsa.key));
  return false;
}

std::string signed_text(std::string text) {
  replace_all(text, certificate_here, base::base64(world().ec.certificate.der()));
  replace_all(text, rsa_certificate_here, base::base64(world().rsa.certificate.der()));
  const auto& spki = world().rsa.certificate.public_key().spki();
  replace_all(text, rsa_modulus_here, base::base64(std::string_view(spki).substr(spki.size() - 261, 256)));
  for (int gaps = 0; gaps < 6 && fill_one(text); ++gaps) {
  }
  return text;
}

Rules rules(Allowance allowance) {
  Rules out;
  out.trust = &world().store;
  out.allowance = [allowance](const certs::Certificate&) { return allowance; };
  out.our_addresses = {"https://gateway.example"};
  return out;
}

/// What we sign, we verify.
void hold_own_signature(const std::string& id) {
  const std::string content =
      R"(<wsu:Timestamp xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd" wsu:Id=")" +
      base::xml::escape_attribute(id) + "\"></wsu:Timestamp>";
  const certs::SignedPart parts[] = {{id, content}};
  const auto written = "<a>" + content + certs::write_signature(parts, world().ec.key, {}) + "</a>";
  const auto document = base::xml::Document::parse(written);
  const auto form = certs::SignatureForm::read(*document.value().root().first_child(ns::ds, "Signature"), {});
  if (!form) return;  // an identifier that is none
  const Element targets[] = {*document->root().first_child()};
  hold(form->verify(*document, targets, world().ec.certificate.public_key()).has_value(),
       "a signature of our own that does not verify");
}

void hold_verified(const VerifiedSecurity& security, const std::string& text) {
  const auto& assertion = security.assertion();
  hold(!assertion.id.empty() && !assertion.home_community_id.empty(), "an assertion without id or home");
  hold(assertion.not_before < assertion.not_on_or_after, "an assertion that ends before it begins");
  hold(security.replay().window_end >= testing::noon(), "a replay window that has ended");
  hold(security.signature_values().size() == 2, "not two signatures");
  hold_own_signature(assertion.id);
  // What is not signed by anybody we trust is not verified: the same message with another subject.
  auto forged = text;
  if (!assertion.subject_id.empty() && replace_first(forged, ">" + assertion.subject_id + "<", ">Mallory<")) {
    const auto envelope = xca::soap::Envelope::open("application/soap+xml", forged);
    const auto believed = envelope ? verify(*envelope, rules({.sha1 = true, .bearer = true}), testing::noon())
                                   : base::Result<VerifiedSecurity>(envelope.error());
    hold(!believed || believed->assertion().subject_id != "Mallory", "a forged assertion was believed");
  }
}

}  // namespace

const Form form = Form::Xml;

std::vector<std::string_view> words() {
  return {digest_here, signature_here, rsa_here, certificate_here, rsa_certificate_here, rsa_modulus_here, "#_a1",
          "#TS-1", "_a1", "TS-1", "urn:oasis:names:tc:SAML:2.0:cm:bearer", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key",
          "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches", "https://gateway.example/", "https://gateway.example/ihe",
          "https://gateway.example.evil/", "http://www.w3.org/2005/08/addressing/anonymous", "2026-11-21T11:59:00Z",
          "2026-11-21T12:01:00Z", "2026-11-21T12:30:00.5+00:30", "2026-11-21T10:00:00Z", "2026-11-22T12:00:00Z",
          "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
          "http://www.w3.org/2000/09/xmldsig#sha1", "http://www.w3.org/2000/09/xmldsig#hmac-sha1", "Permit", "Deny",
          "http://www.w3.org/2001/04/xmlenc#sha512", "AQAB", "AAAA", "saml2 ds", "#default",
          "urn:nhin:names:saml:homeCommunityId", "urn:oid:2.999.1", "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse",
          "urn:oasis:names:tc:xspa:1.0:subject:organization-id", "urn:oasis:names:tc:xspa:2.0:subject:npi",
          "urn:oasis:names:tc:xacml:2.0:subject:role", "urn:oasis:names:tc:xacml:2.0:resource:resource-id",
          "http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"};
}

void run(std::string_view input) {
  const auto text = signed_text(std::string(input));
  const auto envelope = xca::soap::Envelope::open("application/soap+xml; charset=UTF-8", text);
  if (!envelope) return;
  const auto lenient = verify(*envelope, rules({.sha1 = true, .bearer = true}), testing::noon());
  const auto strict = verify(*envelope, rules({.audience_optional = false}), testing::noon());
  if (lenient) hold_verified(*lenient, text);
  hold(!strict || lenient, "the stricter rule accepts more");
  hold(!strict || strict->replay().request == lenient->replay().request, "two replay keys of one message");
}

std::vector<std::string> seeds() {
  const auto signature = [](std::string_view id, std::string_view digest, std::string_view key_info, bool enveloped,
                            bool rsa = false) {
    const std::string family = rsa ? "rsa-" : "ecdsa-";
    const std::string c14n = R"(<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>)";
    return R"(<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod Algorithm=")" +
           (digest == "sha1" ? "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
                             : "http://www.w3.org/2001/04/xmldsig-more#" + family + std::string(digest)) +
           "\"/><ds:Reference URI=\"#" + std::string(id) + "\"><ds:Transforms>" +
           (enveloped ? R"(<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>)" : "") +
           c14n + "</ds:Transforms><ds:DigestMethod Algorithm=\"" +
           (digest == "sha1"     ? "http://www.w3.org/2000/09/xmldsig#sha1"
            : digest == "sha384" ? "http://www.w3.org/2001/04/xmldsig-more#sha384"
                                 : "http://www.w3.org/2001/04/xmlenc#" + std::string(digest)) +
           "\"/><ds:DigestValue>" + std::string(digest_here) +
           "</ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue>" +
           std::string(rsa ? rsa_here : signature_here) + "</ds:SignatureValue><ds:KeyInfo>" + std::string(key_info) +
           "</ds:KeyInfo></ds:Signature>";
  };
  const auto data = [](std::string_view certificate) {
    return "<ds:X509Data xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Certificate>" +
           std::string(certificate) + "</ds:X509Certificate></ds:X509Data>";
  };
  const std::string value =
      "<ds:KeyValue xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:RSAKeyValue><ds:Modulus>" +
      std::string(rsa_modulus_here) + "</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>";
  const auto token = testing::token_reference("_a1");
  const auto reference = token.substr(token.find("<wsse"), token.rfind("</ds") - token.find("<wsse"));

  const testing::Request request;
  const auto old_key_info_begin = request.assertion.find("<ds:KeyInfo");
  const auto old_key_info_end = request.assertion.find("</saml2:SubjectConfirmationData>");
  const auto message = [&](const std::string& holder, const std::string& inner, const std::string& outer,
                           const std::vector<std::pair<std::string, std::string>>& edits = {}) {
    auto assertion = request.assertion.substr(0, old_key_info_begin) +
                     "<ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">" + holder + "</ds:KeyInfo>" +
                     request.assertion.substr(old_key_info_end);
    for (const auto& [from, to] : edits) assertion = testing::replaced(assertion, from, to);
    assertion = testing::replaced(assertion, "</saml2:Issuer>", "</saml2:Issuer>" + inner);
    testing::Pieces pieces;
    return testing::envelope(pieces, request.timestamp + assertion + outer);
  };
  const auto ec = data(certificate_here), rsa = data(rsa_certificate_here);
  const auto plain_inner = signature("_a1", "sha256", ec, true), plain_outer = signature("TS-1", "sha256", reference, false);
  const std::string holder_of_key = "cm:holder-of-key\"><saml2:SubjectConfirmationData>";
  std::vector<std::string> found{
      message(ec, plain_inner, plain_outer),
      message(ec, signature("_a1", "sha384", ec, true), signature("TS-1", "sha512", ec, false)),
      message(value, signature("_a1", "sha256", rsa, true, true), signature("TS-1", "sha256", value, false, true)),
      message(rsa + value, signature("_a1", "sha1", rsa, true, true), signature("TS-1", "sha1", reference, false, true)),
      message(ec, plain_inner, plain_outer,
              {{"cm:holder-of-key\"><saml2:SubjectConfirmationData>",
                "cm:bearer\"><saml2:SubjectConfirmationData NotOnOrAfter=\"2026-11-21T12:05:00Z\" "
                "Recipient=\"https://gateway.example/ihe\">"}}),
      message(ec, plain_inner, signature("TS-1", "sha256", ec, false),
              {{holder_of_key, "cm:bearer\"><saml2:SubjectConfirmationData NotBefore=\"2026-11-21T11:59:00Z\" "
                               "NotOnOrAfter=\"2026-11-21T12:05:00Z\" InResponseTo=\"_r\">"}}),
      message(ec, plain_inner, plain_outer,
              {{"</saml2:AudienceRestriction>",
                "</saml2:AudienceRestriction><saml2:OneTimeUse/><saml2:ProxyRestriction Count=\"1\"/>"}}),
      message(ec, plain_inner, plain_outer,
              {{"<saml2:AuthnStatement AuthnInstant=\"2026-11-21T12:00:00Z\">",
                "<saml2:AuthnStatement AuthnInstant=\"2026-11-21T12:00:00Z\" "
                "SessionNotOnOrAfter=\"2026-11-21T13:00:00Z\"><saml2:AuthnContext><saml2:AuthnContextClassRef>urn:x"
                "</saml2:AuthnContextClassRef></saml2:AuthnContext>"}}),
      message(ec, plain_inner, plain_outer,
              {{"<saml2:AttributeStatement>",
                "<saml2:AuthzDecisionStatement Decision=\"Permit\" Resource=\"https://gateway.example\"><saml2:Action "
                "Namespace=\"urn:oasis:names:tc:SAML:1.0:action:rwedc\">Execute</saml2:Action><saml2:Evidence>"
                "<saml2:Assertion ID=\"_e\" IssueInstant=\"2026-11-21T12:00:00Z\" Version=\"2.0\"><saml2:Issuer>x"
                "</saml2:Issuer><saml2:AttributeStatement><saml2:Attribute Name=\"AccessConsentPolicy\">"
                "<saml2:AttributeValue>urn:oid:1.2.3.4</saml2:AttributeValue></saml2:Attribute><saml2:Attribute "
                "Name=\"InstanceAccessConsentPolicy\"><saml2:AttributeValue>urn:oid:1.2.3.5</saml2:AttributeValue>"
                "</saml2:Attribute></saml2:AttributeStatement></saml2:Assertion></saml2:Evidence>"
                "</saml2:AuthzDecisionStatement><saml2:AttributeStatement>"}}),
      message(ec, plain_inner, plain_outer,
              {{"</saml2:AttributeStatement></saml2:Assertion>",
                "<saml2:Attribute Name=\"urn:oasis:names:tc:xacml:2.0:resource:resource-id\"><saml2:AttributeValue>"
                "P1^^^&amp;2.999.1&amp;ISO</saml2:AttributeValue></saml2:Attribute><saml2:Attribute "
                "Name=\"urn:oasis:names:tc:xspa:2.0:subject:npi\"><saml2:AttributeValue>1234567893"
                "</saml2:AttributeValue></saml2:Attribute><saml2:Attribute Name=\"QueryAuthGrantor\">"
                "<saml2:AttributeValue>Organization/2.999.3</saml2:AttributeValue></saml2:Attribute><saml2:Attribute "
                "Name=\"urn:oasis:names:tc:xspa:1.0:subject:purposeofuse\"><saml2:AttributeValue><hl7:PurposeOfUse "
                "xmlns:hl7=\"urn:hl7-org:v3\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                "xsi:type=\"hl7:CE\" code=\"PAYMENT\" codeSystem=\"2.16.840.1.113883.3.18.7.1\"/>"
                "</saml2:AttributeValue></saml2:Attribute></saml2:AttributeStatement></saml2:Assertion>"}}),
  };
  for (auto& text : sample_elements({"Envelope"})) {
    for (const char* name : {"DigestValue", "SignatureValue"}) {
      const std::string gap(name == std::string("DigestValue") ? digest_here : signature_here);
      for (auto at = text.find(std::string(name) + ">"); at != std::string::npos;
           at = text.find(std::string(name) + ">", at + gap.size())) {
        const auto begin = at + std::string(name).size() + 1, end = text.find("</", begin);
        if (end == std::string::npos) break;
        text.replace(begin, end - begin, gap);
        at = text.find('>', begin);
      }
    }
    found.push_back(text);
  }
  return found;
}

}  // namespace fuzz
