#include "certs/xmldsig.hpp"

#include "base/shared_samples.hpp"
#include "certs/testing.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <random>

namespace certs {
namespace {

using base::xml::Document;
using base::xml::Element;

constexpr std::string_view ds = "http://www.w3.org/2000/09/xmldsig#";
constexpr std::string_view exc = "http://www.w3.org/2001/10/xml-exc-c14n#";
constexpr std::string_view wsu = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const std::string rsa_sha256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const std::string sha256_uri = "http://www.w3.org/2001/04/xmlenc#sha256";
const std::string enveloped_transform =
    "<ds:Transform Algorithm='http://www.w3.org/2000/09/xmldsig#enveloped-signature'/>";
const std::string exc_transform = "<ds:Transform Algorithm='" + std::string(exc) + "'/>";

const PrivateKey& our_key() {
  static const auto key = PrivateKey::generate_rsa(2048);
  return key;
}
const PrivateKey& attackers_key() {
  static const auto key = PrivateKey::generate_rsa(2048);
  return key;
}
const PrivateKey& ec_key() {
  static const auto key = PrivateKey::generate_p256();
  return key;
}

/// A message with an enveloped signature, truly signed whatever its parts say: only our guards can refuse it.
struct Recipe {
  const PrivateKey& key = our_key();
  std::string id_attribute = "ID='A1'";
  std::string content = "<p:name xmlns:p='urn:p'>alice &amp; <!--c-->bob</p:name>";
  std::string canonicalization = "<ds:CanonicalizationMethod Algorithm='" + std::string(exc) + "'/>";
  std::string method = "<ds:SignatureMethod Algorithm='" + rsa_sha256 + "'/>";
  Digest signature_digest = Digest::Sha256;
  std::string reference = "URI='#A1'";
  std::string transforms = "<ds:Transforms>" + enveloped_transform + exc_transform + "</ds:Transforms>";
  std::string digest_method = "<ds:DigestMethod Algorithm='" + sha256_uri + "'/>";
  Digest digest_algorithm = Digest::Sha256;
  std::vector<std::string> prefixes = {};
  std::string further_lines = {};
  std::string key_info = {};
  std::string tail = {};  ///< behind KeyInfo
};

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

std::string message(const Recipe& recipe) {
  const auto whole = [&](std::string_view signature) {
    return "<m xmlns:u='urn:u'><a " + recipe.id_attribute + ">" + recipe.content + std::string(signature) + "</a></m>";
  };
  const auto unsigned_message = Document::parse(whole("")).value();
  const auto canonical =
      base::xml::canonicalize(*unsigned_message.root().first_child(), {.inclusive_prefixes = recipe.prefixes}).value();
  const auto value = base::base64(digest(recipe.digest_algorithm, canonical));
  const auto signature = "<ds:Signature xmlns:ds='" + std::string(ds) + "'><ds:SignedInfo>" + recipe.canonicalization +
                         recipe.method + "<ds:Reference " + recipe.reference + ">" + recipe.transforms +
                         recipe.digest_method + "<ds:DigestValue>" + value + "</ds:DigestValue></ds:Reference>" +
                         recipe.further_lines + "</ds:SignedInfo><ds:SignatureValue>@</ds:SignatureValue>" +
                         recipe.key_info + recipe.tail + "</ds:Signature>";
  const auto with_signature = Document::parse(whole(signature)).value();
  const auto signed_info = with_signature.root().first_child()->first_child(ds, "Signature")->first_child();
  const auto lines = base::xml::canonicalize(*signed_info).value();
  return replaced(whole(signature), "@", base::base64(recipe.key.sign(recipe.signature_digest, lines)));
}

std::optional<Element> find(const Element& from, std::string_view ns, std::string_view local_name) {
  if (from.is(ns, local_name)) return from;
  for (const auto& child : from.children())
    if (auto found = find(child, ns, local_name)) return found;
  return {};
}

Result<SignatureForm> read(const Document& document, const SignatureAllowance& allowance = {}) {
  return SignatureForm::read(find(document.root(), ds, "Signature").value(), allowance);
}

/// Verifies a signature of one Reference.
Result<Bytes> verify(const SignatureForm& form, const Document& document, const Element& target, const PublicKey& key) {
  return form.verify(document, std::array{target}, key);
}

/// Reads and verifies a message; nothing where it is accepted.
std::optional<Errc> refusal(const std::string& text, const PublicKey& key = our_key().public_key(),
                            const SignatureAllowance& allowance = {}) {
  const auto errc = [](const base::Error& error) {
    EXPECT_EQ(error.code.category(), make_error_code(Errc::BadReference).category()) << error.code.message();
    return static_cast<Errc>(error.code.value());
  };
  const auto document = Document::parse(text);
  if (!document) return ADD_FAILURE() << "no document: " << text, std::nullopt;
  const auto form = read(*document, allowance);
  if (!form) return errc(form.error());
  std::vector<Element> targets;
  for (const auto& reference : form->references()) {
    const auto target = document->element_by_id(reference.id);
    if (!target) return Errc::BadReference;
    targets.push_back(*target);
  }
  const auto verified = form->verify(*document, targets, key);
  return verified ? std::nullopt : std::optional(errc(verified.error()));
}

std::optional<Errc> refusal_of(const Recipe& recipe) { return refusal(message(recipe)); }

std::string numbers_of(const PrivateKey& key) {
  // SubjectPublicKeyInfo of RSA 2048 ends with INTEGER modulus (257 octets) and INTEGER exponent 65537.
  const auto& spki = key.public_key().spki();
  return "<ds:Modulus>" + base::base64(spki.substr(spki.size() - 5 - 256, 256)) +
         "</ds:Modulus><ds:Exponent>AQAB</ds:Exponent>";
}
std::string rsa_key_value(const PrivateKey& key) {
  return "<ds:KeyValue><ds:RSAKeyValue>" + numbers_of(key) + "</ds:RSAKeyValue></ds:KeyValue>";
}
std::string key_info(const std::string& content) { return "<ds:KeyInfo>" + content + "</ds:KeyInfo>"; }

TEST(XmlSignature, AcceptsTheOneFormThatIsTaken) {
  const auto text = message({});
  EXPECT_EQ(refusal(text), std::nullopt) << text;
  const auto document = Document::parse(text).value();
  const auto form = read(document).value();
  ASSERT_EQ(form.references().size(), 1u);
  EXPECT_EQ(form.references().front().id, "A1");
  EXPECT_TRUE(form.references().front().enveloped);
  EXPECT_FALSE(form.uses_sha1());
  EXPECT_FALSE(form.key_info());
}

TEST(XmlSignature, AcceptsEveryAlgorithmOfTheList) {
  const std::string more = "http://www.w3.org/2001/04/xmldsig-more#";
  const std::tuple<std::string, const PrivateKey&, Digest> methods[] = {
      {more + "rsa-sha256", our_key(), Digest::Sha256},  {more + "rsa-sha384", our_key(), Digest::Sha384},
      {more + "rsa-sha512", our_key(), Digest::Sha512},  {more + "ecdsa-sha256", ec_key(), Digest::Sha256},
      {more + "ecdsa-sha384", ec_key(), Digest::Sha384}, {more + "ecdsa-sha512", ec_key(), Digest::Sha512}};
  const std::pair<std::string, Digest> digests[] = {{sha256_uri, Digest::Sha256},
                                                    {more + "sha384", Digest::Sha384},
                                                    {"http://www.w3.org/2001/04/xmlenc#sha512", Digest::Sha512}};
  for (const auto& [method, key, signature_digest] : methods)
    for (const auto& [digest_uri, digest_algorithm] : digests)
      EXPECT_EQ(refusal(message({.key = key,
                                 .method = "<ds:SignatureMethod Algorithm='" + method + "'/>",
                                 .signature_digest = signature_digest,
                                 .digest_method = "<ds:DigestMethod Algorithm='" + digest_uri + "'/>",
                                 .digest_algorithm = digest_algorithm}),
                        key.public_key()),
                std::nullopt)
          << method << " " << digest_uri;
}

TEST(XmlSignature, BelievesNoKeyOfTheMessage_K1) {
  const Recipe forged{.key = attackers_key(), .key_info = key_info(rsa_key_value(attackers_key()))};
  EXPECT_EQ(refusal_of(forged), Errc::BadSignature);
  EXPECT_EQ(refusal(message(forged), attackers_key().public_key()), std::nullopt) << "truly signed by the attacker";
  EXPECT_EQ(refusal_of({.key_info = key_info(rsa_key_value(attackers_key()))}), std::nullopt)
      << "KeyInfo is a hint only";
}

TEST(XmlSignature, RefusesSecretKeyMethodsBeforeAnyKeyIsChosen_K2_A02) {
  for (const auto* method :
       {"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", "http://www.w3.org/2000/09/xmldsig#hmac-sha1"}) {
    const auto text = message({.method = "<ds:SignatureMethod Algorithm='" + std::string(method) + "'/>"});
    const auto document = Document::parse(text).value();
    EXPECT_EQ(read(document, {.sha1 = true}).error().code, make_error_code(Errc::UnsupportedAlgorithm)) << method;
  }
  for (const auto& secret : {std::string("c2VjcmV0"), numbers_of(our_key())}) {
    const auto hint = Document::parse("<ds:KeyInfo xmlns:ds='" + std::string(ds) +
                                      "'><ds:KeyValue><HMACKeyValue xmlns='http://www.aleksey.com/xmlsec/2002'>" +
                                      secret + "</HMACKeyValue></ds:KeyValue></ds:KeyInfo>")
                          .value();
    EXPECT_EQ(read_key_info(hint.root()).error().code, make_error_code(Errc::BadReference));
  }
}

TEST(XmlSignature, TakesReferencesWithinTheDocumentOnly_K3_K5_A08_W14) {
  for (const auto* reference :
       {"URI='http://127.0.0.1:1/x'", "URI='file:///etc/hostname'", "URI='cid:x'", "URI=''", "", "URI='#'", "URI='A1'",
        "URI='xA1'", "URI='#A1 '", "URI=' #A1'", "URI='#%411'", "URI='#xpointer(/)'", "URI=\"#xpointer(id('A1'))\"",
        "URI='##A1'", "URI='#1'", "URI='#A1' Type='http://www.w3.org/2000/09/xmldsig#Manifest'",
        "URI='#A1' xmlns:x='urn:x' x:URI='#A2'", "URI='http://127.0.0.1:1/#A1'"}) {
    const auto document = Document::parse(message({.reference = reference})).value();
    EXPECT_EQ(read(document).error().code, make_error_code(Errc::BadReference)) << reference;
  }
  EXPECT_EQ(refusal_of({.reference = "Id='r' URI='#A1'"}), std::nullopt);
  EXPECT_EQ(refusal_of({.reference = "URI='#a1'"}), Errc::BadReference) << "names nothing";
}

TEST(XmlSignature, RefusesEveryOtherTransform_K4_A07) {
  const auto transform = [](std::string_view algorithm, std::string_view content = "") {
    return "<ds:Transform Algorithm='" + std::string(algorithm) + "'>" + std::string(content) + "</ds:Transform>";
  };
  const std::string xslt =
      transform("http://www.w3.org/TR/1999/REC-xslt-19991116",
                "<xsl:stylesheet xmlns:xsl='http://www.w3.org/1999/XSL/Transform' version='1.0'/>");
  const std::string inclusive = transform("http://www.w3.org/TR/2001/REC-xml-c14n-20010315");
  for (const auto& transforms :
       {xslt, xslt + exc_transform, enveloped_transform + xslt, enveloped_transform + exc_transform + xslt,
        transform("http://www.w3.org/TR/1999/REC-xpath-19991116", "<ds:XPath>1</ds:XPath>") + exc_transform,
        transform("http://www.w3.org/2002/06/xmldsig-filter2") + exc_transform,
        transform("http://www.w3.org/2000/09/xmldsig#base64"),
        transform("http://www.w3.org/2001/10/xml-exc-c14n#WithComments"), inclusive, enveloped_transform + inclusive,
        transform("http://www.w3.org/2006/12/xml-c14n11"), transform("urn:unknown"), transform(""),
        exc_transform + enveloped_transform, enveloped_transform,
        enveloped_transform + enveloped_transform + exc_transform, exc_transform + exc_transform,
        enveloped_transform + exc_transform + exc_transform, std::string()}) {
    const auto refused = refusal_of({.transforms = "<ds:Transforms>" + transforms + "</ds:Transforms>"});
    EXPECT_TRUE(refused == Errc::UnsupportedAlgorithm || refused == Errc::BadReference) << transforms;
  }
  EXPECT_EQ(refusal_of({.transforms = "<ds:Transforms>" + xslt + exc_transform + "</ds:Transforms>"}),
            Errc::UnsupportedAlgorithm);
  EXPECT_EQ(refusal_of({.transforms = ""}), Errc::BadReference);
}

TEST(XmlSignature, HonoursPrefixListsOfNormalSize_A07) {
  const auto with_list = [](const std::string& attributes) {
    return "<ds:Transforms>" + enveloped_transform + "<ds:Transform Algorithm='" + std::string(exc) +
           "'><ec:InclusiveNamespaces xmlns:ec='" + std::string(exc) + "' " + attributes +
           "/></ds:Transform></ds:Transforms>";
  };
  EXPECT_EQ(refusal_of({.transforms = with_list("PrefixList='u #default'"), .prefixes = {"u", "#default"}}),
            std::nullopt);
  EXPECT_EQ(refusal_of({.transforms = with_list("PrefixList='u'")}), Errc::DigestMismatch)
      << "u is in scope, and so signed";
  EXPECT_EQ(refusal_of({.transforms = with_list("PrefixList=' none\n'")}), std::nullopt);
  EXPECT_EQ(refusal_of({.transforms = with_list("PrefixList=''")}), std::nullopt);
  std::string list;
  for (int i = 0; i < 32; ++i) list += "p" + std::to_string(i) + " ";
  EXPECT_EQ(refusal_of({.transforms = with_list("PrefixList='" + list + "'")}), std::nullopt);
  EXPECT_EQ(refusal_of({.transforms = with_list("PrefixList='" + list + "u'")}), Errc::BadReference);
  for (const auto* odd : {"PrefixList='a:b'", "PrefixList='#other'", "PrefixList='u' Other=''", "PrefixList='1'"})
    EXPECT_EQ(refusal_of({.transforms = with_list(odd)}), Errc::BadReference) << odd;
}

TEST(XmlSignature, RefusesThousandsOfTransformsOrReferencesAtOnce_K5) {
  std::string transforms = "<ds:Transforms>", references;
  for (int i = 0; i < 2'000; ++i) transforms += exc_transform;
  for (int i = 0; i < 1'000; ++i)
    references += "<ds:Reference URI='#B" + std::to_string(i) + "'><ds:Transforms>" + exc_transform +
                  "</ds:Transforms><ds:DigestMethod Algorithm='" + sha256_uri + "'/><ds:DigestValue>" +
                  base::base64(Bytes(32, 'x')) + "</ds:DigestValue></ds:Reference>";
  for (const auto& text :
       {message({.transforms = transforms + "</ds:Transforms>"}), message({.further_lines = references})}) {
    const auto document = Document::parse(text).value();
    const auto start = std::clock();  // of this process: other work on the machine does not count
    EXPECT_EQ(read(document).error().code, make_error_code(Errc::BadReference));
    EXPECT_LT(std::clock() - start, CLOCKS_PER_SEC / 20);
  }
}

TEST(XmlSignature, RefusesWhatIsNotTheOneShape_W17_W18) {
  const auto good = message({});
  const auto value_end = "</ds:SignatureValue>";
  EXPECT_EQ(refusal(replaced(good, value_end, "</ds:SignatureValue>\n<!-- a comment -->")), std::nullopt);
  EXPECT_EQ(refusal(replaced(good, "<ds:SignedInfo>", "\n  <ds:SignedInfo>")), std::nullopt);
  const std::tuple<const char*, std::string_view, std::string_view> rows[] = {
      {"object", "</ds:Signature>", "<ds:Object/></ds:Signature>"},
      {"manifest", "</ds:Signature>", "<ds:Object><ds:Manifest/></ds:Object></ds:Signature>"},
      {"text behind", "</ds:Signature>", "x</ds:Signature>"},
      {"text in front", "<ds:SignedInfo>", "x<ds:SignedInfo>"},
      {"two values", value_end, "</ds:SignatureValue><ds:SignatureValue>AAAA</ds:SignatureValue>"},
      {"empty SignedInfo in front", "<ds:SignedInfo>", "<ds:SignedInfo/><ds:SignedInfo>"},
      {"second SignedInfo", value_end, "</ds:SignatureValue><ds:SignedInfo/>"},
      {"foreign element", value_end, "</ds:SignatureValue><x/>"},
      {"foreign KeyInfo", value_end, "</ds:SignatureValue><KeyInfo/>"},
      {"two KeyInfos", value_end, "</ds:SignatureValue><ds:KeyInfo/><ds:KeyInfo/>"},
      {"text in SignedInfo", "<ds:CanonicalizationMethod", "x<ds:CanonicalizationMethod"},
      {"text in Reference", "<ds:DigestMethod", "x<ds:DigestMethod"},
      {"text in Transforms", "<ds:Transform ", "x<ds:Transform "},
      {"element in DigestValue", "<ds:DigestValue>", "<ds:DigestValue><x/>"},
      {"element in SignatureValue", "<ds:SignatureValue>", "<ds:SignatureValue><x/>"},
      {"foreign namespace", "<ds:Signature ", "<ds:Signature xmlns:ds2='urn:x' ds2:Id='x' "},
      {"attribute of SignedInfo", "<ds:SignedInfo>", "<ds:SignedInfo x='1'>"},
      {"attribute of SignatureValue", "<ds:SignatureValue>", "<ds:SignatureValue Encoding='hex'>"},
      {"second method", "<ds:Reference", "<ds:SignatureMethod Algorithm='x'/><ds:Reference"},
      {"parameter of digest", "<ds:DigestMethod ", "<ds:DigestMethod x='' "},
  };
  for (const auto& [name, what, by] : rows) EXPECT_EQ(refusal(replaced(good, what, by)), Errc::BadReference) << name;
  const auto other = Document::parse(replaced(good, ds, "http://www.w3.org/2000/09/xmldsig")).value();
  const auto look_alike = find(other.root(), "http://www.w3.org/2000/09/xmldsig", "Signature").value();
  EXPECT_EQ(SignatureForm::read(look_alike, {}).error().code, make_error_code(Errc::BadReference));
}

TEST(XmlSignature, RefusesForeignMethodsAndParameters_A01_A03_A09) {
  const auto unsupported = std::optional(Errc::UnsupportedAlgorithm);
  for (const auto* uri :
       {"http://www.w3.org/2001/04/xmldsig-more#rsa-md5", "http://www.w3.org/2001/04/xmldsig-more#rsa-ripemd160",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1", "http://www.w3.org/2000/09/xmldsig#rsa-sha1", "", "rsa-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#RSA-SHA256"})
    EXPECT_EQ(refusal_of({.method = "<ds:SignatureMethod Algorithm='" + std::string(uri) + "'/>"}), unsupported) << uri;
  for (const auto* uri : {"http://www.w3.org/2001/04/xmldsig-more#md5", "http://www.w3.org/2000/09/xmldsig#sha1", ""})
    EXPECT_EQ(refusal_of({.digest_method = "<ds:DigestMethod Algorithm='" + std::string(uri) + "'/>"}), unsupported)
        << uri;
  for (const auto* uri :
       {"http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "http://www.w3.org/2006/12/xml-c14n11", "urn:x"})
    EXPECT_EQ(refusal_of({.canonicalization = "<ds:CanonicalizationMethod Algorithm='" + std::string(uri) + "'/>"}),
              unsupported)
        << uri;
  EXPECT_EQ(refusal_of({.canonicalization = ""}), Errc::BadReference);
  EXPECT_EQ(refusal_of({.canonicalization = "<ds:CanonicalizationMethod/>"}), Errc::BadReference);
  EXPECT_EQ(refusal_of({.method = "<ds:SignatureMethod/>"}), Errc::BadReference);
  for (const auto* length : {"0", "1", "8"})
    EXPECT_EQ(refusal_of({.method = "<ds:SignatureMethod Algorithm='" + rsa_sha256 + "'><ds:HMACOutputLength>" +
                                    length + "</ds:HMACOutputLength></ds:SignatureMethod>"}),
              Errc::BadReference);
}

TEST(XmlSignature, TakesSha1OnlyByAllowance_A01) {
  const auto text = message({.method = "<ds:SignatureMethod Algorithm='http://www.w3.org/2000/09/xmldsig#rsa-sha1'/>",
                             .signature_digest = Digest::Sha1,
                             .digest_method = "<ds:DigestMethod Algorithm='http://www.w3.org/2000/09/xmldsig#sha1'/>",
                             .digest_algorithm = Digest::Sha1});
  EXPECT_EQ(refusal(text), Errc::UnsupportedAlgorithm);
  EXPECT_EQ(refusal(text, our_key().public_key(), {.sha1 = true}), std::nullopt);
  const auto document = Document::parse(text).value();
  EXPECT_TRUE(read(document, {.sha1 = true}).value().uses_sha1());
}

TEST(XmlSignature, RefusesDigestsThatAreNotOfTheirLength_A03_X12) {
  const auto good = message({});
  const auto start = good.find("<ds:DigestValue>") + 16, end = good.find("</ds:DigestValue>");
  const auto with_value = [&](const std::string& value) { return good.substr(0, start) + value + good.substr(end); };
  const auto value = good.substr(start, end - start);
  for (const auto& odd :
       {std::string(), std::string(" "), base::base64(Bytes(20, 'x')), base::base64(Bytes(31, 'x')),
        base::base64(Bytes(33, 'x')), std::string("AA=="), value + "A", value.substr(1), "!" + value.substr(1)})
    EXPECT_EQ(refusal(with_value(odd)), Errc::BadReference) << odd;
  EXPECT_EQ(refusal(with_value(base::base64(sha256("")))), Errc::BadSignature) << "the digest of nothing";
}

TEST(XmlSignature, NoticesEveryAlteration) {
  const auto good = message({});
  EXPECT_EQ(refusal(replaced(good, "alice", "mally")), Errc::DigestMismatch);
  EXPECT_EQ(refusal(replaced(good, "<p:name", "<p:name x=''")), Errc::DigestMismatch);
  EXPECT_EQ(refusal(replaced(good, "</p:name>", "</p:name> ")), Errc::DigestMismatch);
  EXPECT_EQ(refusal(replaced(good, "<ds:SignedInfo>", "<ds:SignedInfo Id='x'>")), Errc::BadSignature);
  EXPECT_EQ(refusal(replaced(good, "<m ", "<m x='1' ")), std::nullopt) << "outside of what is signed (W21)";
  EXPECT_EQ(refusal(replaced(good, "<!--c-->", "")), std::nullopt) << "comments are not signed";
  EXPECT_EQ(refusal(good, attackers_key().public_key()), Errc::BadSignature);
  EXPECT_EQ(refusal(good, ec_key().public_key()), Errc::UnsupportedAlgorithm)
      << "a method of another kind of key (A04)";
}

TEST(XmlSignature, MustStandInTheElementItNames_W19) {
  const auto good = message({});
  const auto start = good.find("<ds:Signature "), end = good.find("</ds:Signature>") + 15;
  const auto signature = good.substr(start, end - start);
  const auto without = good.substr(0, start) + good.substr(end);
  EXPECT_EQ(refusal(replaced(without, "</a></m>", "</a>" + signature + "</m>")), Errc::BadReference) << "beside it";
  EXPECT_EQ(refusal(replaced(without, "</p:name>", signature + "</p:name>")), Errc::BadReference) << "deeper in it";
  EXPECT_EQ(refusal(replaced(without, "</m>", "<b ID='B1'>" + signature + "</b></m>")), Errc::BadReference);

  const auto document = Document::parse(replaced(good, "</m>", "<b ID='B1'/></m>")).value();
  const auto form = read(document).value();
  EXPECT_TRUE(verify(form, document, *document.element_by_id("A1"), our_key().public_key()));
  const auto other = verify(form, document, *document.element_by_id("B1"), our_key().public_key());
  EXPECT_EQ(other.error().code, make_error_code(Errc::BadReference));
}

TEST(XmlSignature, IsNoSignatureOfAnElementItDoesNotName_W19) {
  // Digest and place fit the element in which the signature stands; the reference names another one.
  const auto document = Document::parse(message({.content = "<b ID='B1'/>", .reference = "URI='#B1'"})).value();
  const auto form = read(document).value();
  for (const auto* id : {"A1", "B1"}) {
    const auto verified = verify(form, document, *document.element_by_id(id), our_key().public_key());
    ASSERT_FALSE(verified) << id;
    EXPECT_EQ(verified.error().code, make_error_code(Errc::BadReference)) << id;
  }
}

TEST(XmlSignature, MayNotStandInWhatItNamesUnlessEnveloped_W19) {
  const Recipe inside{.transforms = "<ds:Transforms>" + exc_transform + "</ds:Transforms>"};
  EXPECT_EQ(refusal_of(inside), Errc::BadReference);
}

TEST(XmlSignature, GivesTheDigestOfItsSignedInfoWhichNoRewrappingChanges_A13) {
  const auto good = message({});
  const auto proof = [](const std::string& text) {
    const auto document = Document::parse(text).value();
    const auto form = read(document).value();
    return verify(form, document, *document.element_by_id("A1"), our_key().public_key()).value();
  };
  const auto at = good.find("<ds:SignatureValue>") + 19 + 64;
  const auto wrapped = good.substr(0, at) + "\n   " + good.substr(at);
  EXPECT_EQ(proof(good).size(), 32u);
  EXPECT_EQ(proof(good), proof(wrapped));
  EXPECT_NE(proof(good), proof(message({.content = "other"})));
}

// ---- KeyInfo

Result<KeyHint> hint(const std::string& content) {
  const auto document =
      Document::parse("<ds:KeyInfo xmlns:ds='" + std::string(ds) + "'>" + content + "</ds:KeyInfo>").value();
  return read_key_info(document.root());
}

std::string x509_certificate(const Certificate& certificate) {
  return "<ds:X509Certificate>" + base::base64(certificate.der()) + "</ds:X509Certificate>";
}

TEST(KeyInfo, GivesCertificateAndKeyAsHints) {
  const auto party = testing::mint({});
  const auto both =
      hint(rsa_key_value(our_key()) + "<ds:X509Data>" + x509_certificate(party.certificate) + "</ds:X509Data>").value();
  EXPECT_TRUE(*both.certificate == party.certificate);
  EXPECT_TRUE(*both.key == our_key().public_key());
  EXPECT_FALSE(hint("").value().key);
}

TEST(KeyInfo, RefusesTwoCertificatesOrKeys_A05) {
  const auto certificate = x509_certificate(testing::mint({}).certificate);
  const auto other = x509_certificate(testing::mint({.name = "other"}).certificate);
  EXPECT_TRUE(hint("<ds:X509Data>" + certificate + "</ds:X509Data>"));
  for (const auto& odd :
       {"<ds:X509Data>" + certificate + other + "</ds:X509Data>",
        "<ds:X509Data>" + other + certificate + "</ds:X509Data>",
        "<ds:X509Data>" + certificate + "</ds:X509Data><ds:X509Data>" + other + "</ds:X509Data>",
        rsa_key_value(our_key()) + rsa_key_value(attackers_key()), "<ds:X509Data>x" + certificate + "</ds:X509Data>",
        std::string("<ds:KeyValue/>"), std::string("x"), std::string("<x/>"),
        std::string("<ds:X509Data><x/></ds:X509Data>"), std::string("<ds:KeyValue><ds:DSAKeyValue/></ds:KeyValue>")})
    EXPECT_EQ(hint(odd).error().code, make_error_code(Errc::BadReference)) << odd.substr(0, 60);
  EXPECT_EQ(hint("<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>").error().code,
            make_error_code(Errc::UnreadableCertificate));
}

TEST(KeyInfo, NeitherObeysNorFetchesOtherHints_A06) {
  for (const auto* ignored :
       {"<ds:RetrievalMethod URI='http://127.0.0.1:1/x'/>", "<ds:RetrievalMethod URI='file:///etc/hostname'/>",
        "<ds:KeyName>../../x</ds:KeyName>", "<ds:MgmtData>x</ds:MgmtData>", "<ds:PGPData/>", "<ds:SPKIData/>",
        "<KeyInfoReference xmlns='http://www.w3.org/2009/xmldsig11#' URI='#x'/>",
        "<EncryptedKey xmlns='http://www.w3.org/2001/04/xmlenc#'/>",
        "<o:SecurityTokenReference "
        "xmlns:o='http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'/>",
        "<ds:X509Data><ds:X509SubjectName>CN=x</ds:X509SubjectName><ds:X509SKI>AAAA</ds:X509SKI></ds:X509Data>",
        "<ds:KeyValue><ECKeyValue xmlns='http://www.w3.org/2009/xmldsig11#'/></ds:KeyValue>"}) {
    const auto read = hint(ignored);
    ASSERT_TRUE(read) << ignored;
    EXPECT_FALSE(read->certificate || read->key) << ignored;
  }
}

// ---- writing, and the xmlsec1 command as the oracle in both directions

std::string document_with_timestamp(const PrivateKey& key, std::string_view id = "TS-1") {
  const std::string timestamp = "<wsu:Timestamp xmlns:wsu=\"" + std::string(wsu) + "\" wsu:Id=\"" + std::string(id) +
                                "\"><wsu:Created>2026-11-21T19:30:05Z</wsu:Created></wsu:Timestamp>";
  const SignedPart part{.id = id, .canonical = timestamp};
  return "<s xmlns=\"urn:s\">" + timestamp + write_signature({&part, 1}, key, "<ds:KeyInfo></ds:KeyInfo>") + "</s>";
}

TEST(WrittenSignature, IsAcceptedByOurOwnReader) {
  for (const auto* key : {&our_key(), &ec_key()}) {
    const auto text = document_with_timestamp(*key);
    EXPECT_EQ(refusal(text, key->public_key()), std::nullopt) << text;
    EXPECT_EQ(refusal(replaced(text, "19:30", "19:31"), key->public_key()), Errc::DigestMismatch);
    const auto document = Document::parse(text).value();
    const auto signature = find(document.root(), ds, "Signature").value();
    EXPECT_NE(text.find(base::xml::canonicalize(signature).value()), std::string::npos) << "written in canonical form";
  }
}

TEST(WrittenSignature, IsNotMadeWithKeysThatXmlSignaturesDoNotKnow) {
  EXPECT_THROW(write_signature({}, PrivateKey::generate_ed25519(), ""), std::logic_error);
}

/// A directory of this test for the files that xmlsec1 reads and writes.
class Xmlsec1 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v xmlsec1 >/dev/null") != 0) GTEST_SKIP() << "no xmlsec1";
    directory_ = std::filesystem::temp_directory_path() / ("xmldsig_test." + std::to_string(::getpid()));
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override {
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }
  void write(const char* name, const std::string& content) const {
    std::ofstream(directory_ / name, std::ios::binary) << content;
  }
  std::string read_back(const char* name) const { return base::read_file(directory_ / name); }
  bool run(const std::string& arguments) const {
    return std::system(("cd " + directory_.string() + " && xmlsec1 " + arguments + " >log 2>&1").c_str()) == 0;
  }
  std::filesystem::path directory_;
};

TEST_F(Xmlsec1, AcceptsWhatWeWrite) {
  const std::string id = " --id-attr:Id '" + std::string(wsu) + ":Timestamp' ";
  for (const auto* key : {&our_key(), &ec_key()}) {
    write("key.pem", key->to_pem());
    write("message.xml", document_with_timestamp(*key));
    EXPECT_TRUE(run("--verify --privkey-pem key.pem" + id + "message.xml")) << read_back("log");
    write("message.xml", replaced(document_with_timestamp(*key), "19:30", "19:31"));
    EXPECT_FALSE(run("--verify --privkey-pem key.pem" + id + "message.xml"));
  }
}

TEST_F(Xmlsec1, SignsNothingThatWeReadDifferently) {
  std::mt19937 random(7);
  const auto pick = [&](std::initializer_list<std::string> of) { return of.begin()[random() % of.size()]; };
  const std::string more = "http://www.w3.org/2001/04/xmldsig-more#";
  for (int round = 0; round < 60; ++round) {
    const bool elliptic = round % 3 == 0;
    const auto& key = elliptic ? ec_key() : our_key();
    const auto list =
        pick({"", "<ec:InclusiveNamespaces xmlns:ec='" + std::string(exc) + "' PrefixList='q u #default'/>"});
    std::string content;
    for (auto i = random() % 12; i > 0; --i)
      content += pick({"text &amp; &lt;", "<p:b xmlns:p='urn:1' p:x='&#9;&quot;' a=\"'\"/>", "<q:c>\r\n</q:c>",
                       "<!-- c -->", "<?p i?>", "<d xmlns='urn:2'><e xmlns=''/></d>", "<![CDATA[<&>]]>",
                       "<f xml:lang='de' q:z='1' b='2'>\xC3\xA4</f>", "&#13;"});
    const auto method = more + pick({std::string(elliptic ? "ecdsa" : "rsa") + "-sha256",
                                     std::string(elliptic ? "ecdsa" : "rsa") + "-sha512"});
    const auto digest_uri = pick({sha256_uri, "http://www.w3.org/2001/04/xmlenc#sha512", more + "sha384"});
    const auto text = "<m xmlns='urn:m' xmlns:q='urn:q' xmlns:u='urn:u'><q:a " +
                      pick({"z='1' ", "xmlns:v='urn:v' v:y='2' "}) + "ID='A1'>" + content + "<ds:Signature xmlns:ds='" +
                      std::string(ds) + "'><ds:SignedInfo><ds:CanonicalizationMethod Algorithm='" + std::string(exc) +
                      "'/><ds:SignatureMethod Algorithm='" + method + "'/><ds:Reference URI='#A1'><ds:Transforms>" +
                      enveloped_transform + "<ds:Transform Algorithm='" + std::string(exc) + "'>" + list +
                      "</ds:Transform></ds:Transforms>" + "<ds:DigestMethod Algorithm='" + digest_uri +
                      "'/><ds:DigestValue/></ds:Reference></ds:SignedInfo>" +
                      "<ds:SignatureValue/></ds:Signature>tail</q:a></m>";
    write("key.pem", key.to_pem());
    write("template.xml", text);
    ASSERT_TRUE(run("--sign --privkey-pem key.pem --id-attr:ID urn:q:a --output signed.xml template.xml"))
        << read_back("log") << text;
    const auto signed_text = read_back("signed.xml");
    EXPECT_EQ(refusal(signed_text, key.public_key()), std::nullopt) << signed_text;
    EXPECT_EQ(refusal(replaced(signed_text, "tail", "tale"), key.public_key()), Errc::DigestMismatch);
  }
}

TEST(Samples, OfAProductionClientVerify) {
  const auto directory = base::shared_samples() / "production-client";
  if (!std::filesystem::exists(directory)) GTEST_SKIP() << "no shared samples";
  const auto key = Certificate::from_pem(base::read_file(directory / "cert.pem")).value().public_key();
  for (const auto* name : {"iti55-request.xml", "iti55-request-legacy-body.xml", "iti38-request.xml"}) {
    const auto document = Document::parse(base::read_file(directory / name)).value();
    std::size_t verified = 0;
    const auto verify_all = [&](const auto& self, const Element& element) -> void {
      for (const auto& child : element.children()) self(self, child);
      if (!element.is(ds, "Signature")) return;
      const auto form = SignatureForm::read(element, {}).value();
      const auto target = document.element_by_id(form.references().front().id).value();
      verified += verify(form, document, target, key).has_value();
      EXPECT_TRUE(read_key_info(form.key_info().value()));
    };
    verify_all(verify_all, document.root());
    EXPECT_EQ(verified, 2u) << name;
  }
}

TEST(Samples, WithSha1AreReadOnlyByAllowance) {
  const auto path = base::shared_samples() / "saml" / "metriport-valid-saml.xml";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared samples";
  const auto document = Document::parse(base::read_file(path)).value();
  EXPECT_EQ(read(document).error().code, make_error_code(Errc::UnsupportedAlgorithm));
  const auto form = read(document, {.sha1 = true});
  ASSERT_TRUE(form) << form.error().detail;
  EXPECT_TRUE(form->uses_sha1());
}

}  // namespace
}  // namespace certs
