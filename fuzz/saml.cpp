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

/// What is to be filled: the first digest or value, in document order, that is one of the texts above.
struct Gap {
  Element signature;
  std::string text;
};
std::optional<Gap> find_gap(const Element& element) {
  if (element.is(ns::ds, "DigestValue") || element.is(ns::ds, "SignatureValue"))
    if (const auto own = element.trimmed_text(); own && (*own == digest_here || *own == signature_here || *own == rsa_here))
      for (auto up = element.parent(); up; up = up->parent())
        if (up->is(ns::ds, "Signature")) return Gap{*up, *own};
  for (auto child = element.first_child(); child; child = child->next_sibling())
    if (auto found = find_gap(*child)) return found;
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

/// The digest of what a signature's first reference without digest names, in base64; of nothing where it names nothing.
std::string digest_value(const base::xml::Document& document, const Element& signature) {
  const auto info = signature.first_child(ns::ds, "SignedInfo");
  const auto is_gap = [](const Element& one) {
    const auto digest = one.first_child(ns::ds, "DigestValue");
    const auto text = digest ? digest->trimmed_text() : base::Result<std::string>(std::string());
    return one.is(ns::ds, "Reference") && text && *text == digest_here;
  };
  auto reference = info ? info->first_child() : std::nullopt;
  while (reference && !is_gap(*reference)) reference = reference->next_sibling();
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

/// Fills one gap of the text: a signature is whole before one that stands behind it and may cover it.
/// @return false where there is none
bool fill_one(std::string& text) {
  const auto document = base::xml::Document::parse(text);
  const auto gap = document ? find_gap(document->root()) : std::nullopt;
  if (!gap) return false;
  if (gap->text == digest_here) return replace_first(text, digest_here, digest_value(*document, gap->signature));
  const auto& key = (gap->text == rsa_here ? world().rsa : world().ec).key;
  return replace_first(text, gap->text, signature_value(gap->signature, key));
}

std::string signed_text(std::string text) {
  replace_all(text, certificate_here, base::base64(world().ec.certificate.der()));
  replace_all(text, rsa_certificate_here, base::base64(world().rsa.certificate.der()));
  const auto& spki = world().rsa.certificate.public_key().spki();
  replace_all(text, rsa_modulus_here, base::base64(std::string_view(spki).substr(spki.size() - 261, 256)));
  for (int gaps = 0; gaps < 16 && fill_one(text); ++gaps) {
  }
  return text;
}

Rules rules(Allowance allowance) {
  Rules out;
  out.trust = &world().store;
  out.allowance = [allowance](const certs::Certificate&) { return allowance; };
  out.our_addresses = {"https://other.example", "https://gateway.example/", "/"};
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

/// A signature with a reference to each of these beside its own.
std::string covering(const std::string& signature, const std::vector<std::string>& ids) {
  const std::string end = "</ds:Reference>";
  const auto begin = signature.find("<ds:Reference "), after = signature.find(end) + end.size();
  const auto own = signature.substr(begin, after - begin);
  const auto uri = own.substr(own.find('#'), own.find("\">") - own.find('#'));
  std::string all;
  for (const auto& id : ids) all += testing::replaced(own, uri, "#" + id);
  return std::string(signature).insert(after, all);
}

std::string times(std::size_t count, std::string_view text) {
  std::string all;
  while (count-- > 0) all += text;
  return all;
}

/// One thing of the good message that is otherwise: each at the edge of a rule or beyond it.
std::vector<std::pair<std::string, std::string>> odd_edits() {
  const std::string noon = "2026-11-21T12:00:00Z", hidden = "&#x200B;", audience_end = "</saml2:AudienceRestriction>",
                    statements = "<saml2:AttributeStatement>", last = "</saml2:AttributeStatement></saml2:Assertion>",
                    role = "code=\"46255001\"", data = "<saml2:SubjectConfirmationData>", long_text(5000, 'x');
  const auto data_with = [](const std::string& attributes) {
    return "<saml2:SubjectConfirmationData " + attributes + ">";
  };
  const auto attribute = [](const std::string& name, const std::string& value) {
    return "<saml2:Attribute Name=\"" + name + "\"><saml2:AttributeValue>" + value +
           "</saml2:AttributeValue></saml2:Attribute>";
  };
  const auto authenticated = [](const std::string& at, const std::string& more = "") {
    return "<saml2:AuthnStatement AuthnInstant=\"" + at + "\"" + more + "></saml2:AuthnStatement>";
  };
  return {
      {"<wsu:Created>" + noon, "<wsu:Created>2026-11-21T12:05:00Z"},
      {"<wsu:Created>" + noon, "<wsu:Created>2026-11-21T11:00:00Z"},
      {"<wsu:Expires>2026-11-21T12:10:00Z", "<wsu:Expires>2026-11-21T11:59:59Z"},
      {" NotBefore=\"" + noon, " NotBefore=\"2026-11-21T12:20:00Z"},
      {" NotBefore=\"" + noon, " NotBefore=\"2026-11-21T12:05:00Z"},
      {" NotBefore=\"" + noon, " NotBefore=\"2026-11-20T12:00:00Z"},
      {" NotBefore=\"" + noon + "\" NotOnOrAfter=\"2026-11-21T12:20:00Z",
       " NotBefore=\"2026-11-21T11:40:00Z\" NotOnOrAfter=\"2026-11-21T11:50:00Z"},
      {"IssueInstant=\"" + noon, "IssueInstant=\"2026-11-21T12:05:00Z"},
      {statements, authenticated("2026-11-21T12:05:00Z") + statements},
      {statements, authenticated(noon, " SessionNotOnOrAfter=\"2026-11-21T11:00:00Z\"") + statements},
      {statements, times(201, authenticated(noon)) + statements},
      {"CN=clinic.example</saml2:Issuer>", "</saml2:Issuer>"},
      {"CN=clinic.example</saml2:Issuer>", "CN=other.example</saml2:Issuer>"},
      {"CN=clinic.example</saml2:Issuer>", "CN=clinic" + hidden + "</saml2:Issuer>"},
      {"CN=clinic.example</saml2:Issuer>", "<b/></saml2:Issuer>"},
      {"CN=clinic.example</saml2:Issuer>", long_text + "</saml2:Issuer>"},
      {"<saml2:Issuer ", "<saml2:Advice/><saml2:Issuer "},
      {"<saml2:NameID ", "<saml2:NameID SPProvidedID=\"" + hidden + "\" "},
      {"<saml2:NameID ", "<saml2:NameID SPProvidedID=\"" + long_text + "\" "},
      {"</saml2:Subject>", times(9, "<saml2:SubjectConfirmation Method=\"x\"/>") + "</saml2:Subject>"},
      {data, data_with("NotBefore=\"2026-11-21T12:05:00Z\"")},
      {data, data_with("NotOnOrAfter=\"2026-11-21T11:00:00Z\"")},
      {data, data_with("Recipient=\"https://gateway.example\"")},
      {data, data_with("Recipient=\"https://gateway.example/ihe\"")},
      {data, data_with("Recipient=\"https://gateway.example.evil/\"")},
      {audience_end, times(201, "<saml2:Audience>x</saml2:Audience>") + audience_end},
      {audience_end, audience_end + times(201, "<saml2:AudienceRestriction><saml2:Audience>https://gateway.example"
                                               "</saml2:Audience></saml2:AudienceRestriction>")},
      {"<saml2:Audience>https://gateway.example", "<saml2:Audience>https://gateway.example@evil.example"},
      {role, role + " displayName=\"" + long_text + "\""},
      {role, "code=\"1" + hidden + "\""},
      {"<hl7:Role ", "<hl7:Role xmlns:hl7=\"urn:hl7-org:v3\" code=\"1\"/><hl7:Role "},
      {"<hl7:Role ", "text<hl7:Role "},
      {"<hl7:Role xmlns:hl7=\"urn:hl7-org:v3\"", "<hl7:Role xmlns:hl7=\"urn:hl7-org:v2\""},
      {"<hl7:PurposeOfUse xmlns:hl7=\"urn:hl7-org:v3\"", "<hl7:PurposeOfUse xmlns:hl7=\"urn:x\""},
      {last, attribute("urn:oasis:names:tc:xacml:2.0:subject:role",
                       "<hl7:Role xmlns:hl7=\"urn:hl7-org:v3\" code=\"2\" codeSystem=\"1.2\"/>") + last},
      {last, attribute("urn:oasis:names:tc:xacml:1.0:subject:subject-id", "Walter Brattain") + last},
      {last, attribute("urn:nhin:names:saml:homeCommunityId", "2.999.1") + last},
      {last, attribute("urn:nhin:names:saml:homeCommunityId", "urn:oid:2.999.2") + last},
      {last, attribute("urn:ihe:iti:xua:2012:acp", "") + attribute("urn:ihe:iti:xua:2012:acp", "urn:oid:1.2") + last},
      {last, attribute("QueryAuthGrantor", "") + last},
      {last, times(201, attribute("urn:x", "y")) + last},
      {last, "<saml2:EncryptedAttribute/>" + last},
      {statements, "<saml2:AuthzDecisionStatement Decision=\"Deny\"/>" + statements},
  };
}

/// One thing of the first signature that is otherwise than we judge by. [threats.md A01–A09]
std::vector<std::pair<std::string, std::string>> odd_signatures() {
  const std::string method = "<ds:SignatureMethod Algorithm=\"", digest = "<ds:DigestMethod Algorithm=\"",
                    c14n = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#", key = "<ds:X509Data ",
                    value = std::string(digest_here) + "</ds:DigestValue>", reference = "<ds:Reference URI=\"#_a1\"";
  std::vector<std::pair<std::string, std::string>> found{
      {method, "<ds:SignatureMethod Algorithm=\"urn:x:"},
      {method, "<ds:SignatureMethod Other=\""},
      {method, "<ds:SignatureMethod xmlns:x=\"urn:x\" x:y=\"\" Algorithm=\""},
      {digest, "<ds:DigestMethod Algorithm=\"urn:x:"},
      {"#sha256\"/><ds:DigestValue", "#sha256\"><x/></ds:DigestMethod><ds:DigestValue"},
      {"sha256\"/><ds:Reference", "sha256\">1</ds:SignatureMethod><ds:Reference"},
      {c14n, c14n + "WithComments"},
      {c14n + "\"/>", c14n + "\"><x/></ds:Transform>"},
      {c14n + "\"/>", c14n + "\">x</ds:Transform>"},
      {c14n + "\"/>", c14n + "\"/>" + c14n + "\"/>"},
      {reference, "x" + reference},
      {reference, "<ds:Reference URI=\"_a1\""},
      {reference, "<ds:Reference URI=\"#1 a\""},
      {reference, "<ds:Reference URI=\"#\""},
      {reference, "<ds:Reference Id=\"r\" Type=\"urn:x\" URI=\"#_a1\""},
      {reference, "<ds:Other URI=\"#_a1\"/>" + reference},
      {"</ds:SignedInfo>", "<ds:Object/></ds:SignedInfo>"},
      {"</ds:SignedInfo>", "</ds:SignedInfo>x"},
      {"</ds:Signature>", "<ds:Object/></ds:Signature>"},
      {value, "!</ds:DigestValue>"},
      {value, "</ds:DigestValue>"},
      {value, "QUJD</ds:DigestValue>"},
      {value, "<b/></ds:DigestValue>"},
      {key, "<ds:X509SKI/>" + key},
      {key, "<ds:Unknown/>" + key},
      {key, "x" + key},
      {"<ds:X509Certificate>", "<ds:X509SKI>AA==</ds:X509SKI><ds:X509Certificate>"},
      {"<ds:X509Certificate>", "<ds:Unknown/><ds:X509Certificate>"},
      {"<ds:X509Certificate>", "x<ds:X509Certificate>"}};
  for (const char* content : {"", "x<ds:RSAKeyValue/>", "<ds:RSAKeyValue/><ds:RSAKeyValue/>", "<ds:DSAKeyValue/>",
                              "<e:ECKeyValue xmlns:e=\"http://www.w3.org/2009/xmldsig11#\"/>"})
    found.emplace_back(key, "<ds:KeyValue>" + std::string(content) + "</ds:KeyValue>" + key);
  return found;
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
  const auto vouched = verify(*envelope, rules({.sha1 = true, .sender_vouches = true}), testing::noon());
  const auto whole = verify(*envelope, rules({.must_sign_body = true, .must_sign_addressing = true,
                                              .issuers = {"CN=clinic.example"}}), testing::noon());
  if (lenient) hold_verified(*lenient, text);
  hold(!vouched || lenient || vouched->body_is_signed(), "vouched for a Body that is not signed");
  hold(!whole || lenient, "who must sign more is believed more");
  hold(!whole || (whole->body_is_signed() && whole->assertion().issuer == "CN=clinic.example"), "less was signed");
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
    auto timestamp = request.timestamp;
    for (const auto& [from, to] : edits)
      if (!replace_first(timestamp, from, to)) assertion = testing::replaced(assertion, from, to);
    assertion = testing::replaced(assertion, "</saml2:Issuer>", "</saml2:Issuer>" + inner);
    testing::Pieces pieces;
    return testing::envelope(pieces, timestamp + assertion + outer);
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
  for (const auto& [from, to] : odd_edits()) found.push_back(message(ec, plain_inner, plain_outer, {{from, to}}));

  // What else the message's signature covers, and where.
  const std::string wsu = " xmlns:wsu=\"" + std::string(ns::wsu) + "\" wsu:Id=\"";
  const auto with_ids = [&](std::string text) {
    for (const std::string name : {"soap:Body", "wsa:To", "wsa:Action", "wsa:MessageID"})
      text = testing::replaced(text, "<" + name + ">", "<" + name + wsu + name.substr(name.find(':') + 1) + "\">");
    return text;
  };
  const std::string vouching = "cm:sender-vouches\"><saml2:SubjectConfirmationData>";
  for (const auto& ids : std::vector<std::vector<std::string>>{
           {"Body"}, {"_a1"}, {"_a1", "Body"}, {"To", "Action", "MessageID"}, {"Body", "To", "Action", "MessageID"},
           {"_a1", "Body", "To", "Action", "MessageID"}, {"nothing"}, {"Body", "Body"}}) {
    const auto by_certificate = covering(signature("TS-1", "sha256", ec, false), ids);
    found.push_back(with_ids(message(ec, plain_inner, covering(plain_outer, ids))));
    found.push_back(with_ids(message("", plain_inner, by_certificate, {{holder_of_key, vouching}})));
    found.push_back(with_ids(message(rsa, plain_inner, by_certificate, {{holder_of_key, vouching}})));
  }
  const auto good = message(ec, plain_inner, plain_outer);
  const std::string payload = "<q:AdhocQueryRequest ", header_end = "</soap:Header>", xenc = "http://www.w3.org/2001/04/xmlenc#";
  found.push_back(testing::replaced(good, header_end, "<e:EncryptedData xmlns:e=\"" + xenc + "\"/>" + header_end));
  found.push_back(testing::replaced(good, header_end, "<e:EncryptedHeader xmlns:e=\"" + std::string(ns::wsse11) + "\"/>" +
                                                          header_end));
  found.push_back(testing::replaced(good, "<wsu:Timestamp ", "<saml2:EncryptedAssertion xmlns:saml2=\"" +
                                                                 std::string(ns::saml) + "\"/><wsu:Timestamp "));
  found.push_back(testing::replaced(good, payload, "<q:EncryptedData xmlns:q=\"" + xenc + "\"/><q:AdhocQueryRequest "));
  found.push_back(message(ec, plain_inner, signature("_a1", "sha256", ec, false)));
  found.push_back(testing::replaced(message(ec, plain_inner, ""), "<saml2:Assertion ", plain_outer + "<saml2:Assertion "));
  found.push_back(message(rsa, plain_inner, plain_outer));
  found.push_back(message(ec, signature("_a1", "sha256", rsa + "<ds:KeyName>x</ds:KeyName>", true, true), plain_outer));
  found.push_back(message(ec, signature("_a1", "sha1", rsa, true, true), plain_outer));
  for (const auto& info : {testing::replaced(reference, "_a1", "_a2"), reference + reference,
                           testing::replaced(reference, "</wsse:KeyIdentifier>", "</wsse:KeyIdentifier><wsse:X/>"),
                           testing::replaced(reference, "_a1", "<b/>"), ec + reference, rsa + value, ec + value, value + value})
    found.push_back(message(ec, plain_inner, signature("TS-1", "sha256", info, false)));
  for (const auto& holder : {rsa + value, ec + value, value, ec + ec, std::string("<ds:KeyName>x</ds:KeyName>")})
    found.push_back(message(holder, plain_inner, plain_outer));
  for (const char* prefixes : {"saml2 ds", "#default", "", "-x 9"})
    found.push_back(testing::replaced(good, "xml-exc-c14n#\"/>", "xml-exc-c14n#\"><c:InclusiveNamespaces xmlns:c=\"http://"
                                            "www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"" + std::string(prefixes) +
                                            "\"/></ds:CanonicalizationMethod>"));

  for (const auto& [from, to] : odd_signatures()) found.push_back(testing::replaced(good, from, to));

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
