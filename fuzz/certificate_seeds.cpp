// Where the target `certificates` begins.

#include "certs/x509.hpp"
#include "fuzz/certificates.hpp"
#include "fuzz/keys.hpp"
#include "fuzz/samples.hpp"
#include "fuzz/target.hpp"

namespace fuzz {
namespace {

using namespace certs;
using testing::CrlMint;
using testing::Extension;
using testing::mint;
using testing::noon;
using testing::OcspMint;
using testing::Party;
using Extensions = std::vector<Extension>;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

constexpr std::string_view ed25519("\x2B\x65\x70", 3), nobodys("\x2A\x03\x04", 3);

class Seeds {
 public:
  void add(Reader reader, std::string_view bytes) {
    found.push_back(static_cast<char>(reader) + std::string(bytes));
  }
  void add(std::initializer_list<Reader> readers, std::string_view bytes) {
    for (const auto reader : readers) add(reader, bytes);
  }
  std::vector<std::string> found;
};

/// An extension whose value is this DER. @param name  an object identifier, or `critical` before the value
Extension raw(std::string name, std::string_view value, bool critical = false) {
  std::string text = critical ? "critical,DER" : "DER";
  for (const char octet : value) text.append(":").append(base::hex(std::string_view(&octet, 1)));
  return {std::move(name), std::move(text)};
}
std::string pem(std::string_view label, std::string_view bytes) {
  const std::string name(label);
  return "-----BEGIN " + name + "-----\n" + base::base64(bytes) + "\n-----END " + name + "-----\n";
}

// ---- Distribution points. [RFC 5280 §4.2.1.13, §5.2.5] --------------------------------------------------------------

std::string uri(std::string_view address) { return der('\x86', address); }
std::string full_name(std::string_view names) { return der('\xA0', der('\xA0', names)); }
std::string relative_name() {
  const auto common_name = der('\x30', der('\x06', "\x55\x04\x03") + der('\x0C', "a"));
  return der('\xA0', der('\xA1', common_name));
}
Extension points(std::string_view content) { return raw("2.5.29.31", der('\x30', content)); }
Extension point(std::string_view content) { return points(der('\x30', content)); }
Extension scope(std::string_view content) { return raw("2.5.29.28", der('\x30', content), true); }

std::vector<Extensions> leaves() {
  const std::string a = "http://lists.example/a.crl";
  std::string many, ways;
  for (int i = 0; i < 12; ++i) {
    many += der('\x30', full_name(uri(a + std::to_string(i))));
    ways += (ways.empty() ? "" : ",") + ("OCSP;URI:http://ocsp.example/" + std::to_string(i));
  }
  return {
      {},
      {{"keyUsage", "critical,digitalSignature"}, {"extendedKeyUsage", "clientAuth,serverAuth"},
       {"subjectAltName", "DNS:leaf.example,DNS:*.example,IP:192.0.2.1,URI:urn:oid:1.2.3,email:a@b.example"}},
      {{"crlDistributionPoints", "URI:http://lists.example/a.crl,URI:ldap://lists.example/"},
       {"authorityInfoAccess", "OCSP;URI:http://ocsp.example/,caIssuers;URI:http://ca.example/"}},
      {{"basicConstraints", "critical,CA:TRUE,pathlen:0"}, {"keyUsage", "critical,keyCertSign,cRLSign"}},
      {{"basicConstraints", "critical,CA:TRUE"}, {"keyUsage", "critical,digitalSignature"}},
      {{"nameConstraints", "critical,permitted;DNS:.example,excluded;DNS:evil.example"},
       {"basicConstraints", "CA:TRUE"}, {"policyConstraints", "requireExplicitPolicy:0"}},
      {{"basicConstraints", "CA:TRUE"}, {"nameConstraints", "critical,permitted;DNS:.elsewhere"}},
      {{"keyUsage", "keyEncipherment"}},
      {{"keyUsage", "keyCertSign"}},
      {{"extendedKeyUsage", "emailProtection"}},
      {{"1.2.3.4", "critical,DER:05:00"}},
      {{"2.5.29.15", "DER:05:00"}},
      {{"2.5.29.19", "critical,DER:05:00"}},
      {raw("2.5.29.17", der('\x30', der('\x82', std::string_view("a\0b.example", 11))))},
      {points(many)},
      {{"authorityInfoAccess", ways}},
      {point(full_name(der('\x82', "lists.example")))},
      {point(full_name(uri("http://lists.example/a b")))},
      {point(full_name(uri("http://lists.example/\x7F")))},
      {point(full_name(uri("http://lists.example/" + std::string(600, 'a'))))},
      {point(relative_name())},
      {point(der('\xA2', uri(a)))},
      {point(full_name(uri(a)) + der('\x81', std::string_view("\x01\x02", 2)))},
      {point(full_name(uri(a)) + der('\xA2', uri(a)))},
      {points(der('\x30', ""))},
  };
}

void add_certificates(Seeds& seeds) {
  const auto& [root, middle] = std::tie(world().root, world().middle);
  for (const auto& bytes : samples({".der", ".cer", ".crt"}))
    seeds.add({Reader::Leaf, Reader::Intermediate, Reader::Pin, Reader::Anchor}, bytes);
  for (const auto& extensions : leaves()) {
    const auto leaf = mint({.issuer = &root, .key = key_of("leaf"), .extensions = extensions});
    seeds.add({Reader::Leaf, Reader::Pin, Reader::Anchor}, leaf.certificate.der());
    const auto other = mint({.name = "Middle", .issuer = &root, .key = key_of("middle"), .extensions = extensions});
    seeds.add(Reader::Intermediate, other.certificate.der());
    seeds.add({Reader::Pin, Reader::Anchor},
              mint({.name = "alone.example", .extensions = extensions}).certificate.der());
    const auto below = mint({.issuer = &middle, .key = key_of("leaf"), .extensions = extensions});
    seeds.add(Reader::Path, below.certificate.der() + other.certificate.der());
    seeds.add(Reader::Path, below.certificate.der() + middle.certificate.der());
    seeds.add(Reader::Path, world().low.certificate.der() + other.certificate.der() + root.certificate.der());
  }

  const auto weak = testing::rsa_key(1024);
  const std::vector<testing::Mint> odd{
      {.key = weak},
      {.issuer = &root, .key = weak},
      {.issuer = &root, .key = testing::rsa_key(2048)},
      {.issuer = &root, .key = testing::ec_key("P-384")},
      {.issuer = &root, .key = testing::ec_key("P-256", true)},
      {.issuer = &root, .key = testing::rsa_pss_key()},
      {.issuer = &middle},
      {.issuer = &root, .not_after = noon() - days(1)},
      {.issuer = &root, .not_before = noon() + days(1)},
      {.issuer = &root, .not_before = noon() + days(2), .not_after = noon() + days(1)},
      {.issuer = &root, .digest = Digest::Sha1},
      {.issuer = &root, .version = 1},
      {.issuer = &root, .serial = 3}};
  for (auto order : odd) {
    seeds.add({Reader::Leaf, Reader::Pin, Reader::Anchor}, mint(order).certificate.der());
    order.name = "Middle";
    seeds.add({Reader::Intermediate, Reader::Anchor}, mint(order).certificate.der());
    order.extensions = {{"basicConstraints", "critical,CA:TRUE"}};
    seeds.add({Reader::Intermediate, Reader::Anchor}, mint(order).certificate.der());
  }
  const auto impostor = mint({.name = "Root"});
  seeds.add(Reader::Pin, mint({.issuer = &impostor}).certificate.der());
  const auto& leaf = world().leaf.certificate;
  seeds.add(Reader::Pin, leaf.der() + "x");
  auto timeless = leaf.der();
  timeless[timeless.find("00Z") + 2] = 'X';
  seeds.add({Reader::Leaf, Reader::Pin}, timeless);
  seeds.add({Reader::Pin, Reader::Anchor}, root.certificate.der());
  seeds.add({Reader::Pin, Reader::Intermediate, Reader::Anchor}, middle.certificate.der());
  seeds.add(Reader::Pin, world().delegate.certificate.der());
}

void add_lists(Seeds& seeds) {
  const auto &root = world().root, &middle = world().middle;
  const auto& leaf = world().leaf.certificate;
  for (const auto& bytes : samples({".crl"})) seeds.add({Reader::List, Reader::Lists}, bytes);
  const auto here = full_name(uri("http://lists.example/a.crl")), there = full_name(uri("http://lists.example/b.crl"));
  const auto yes = [](char tag) { return der(tag, "\xFF"); };
  std::vector<CrlMint> orders{
      {.issuer = &root},
      {.issuer = &root, .this_update = noon() - minutes(10)},
      {.issuer = &root, .revoked = {leaf}, .this_update = noon() - minutes(10)},
      {.issuer = &root, .revoked = {leaf}},
      {.issuer = &root, .revoked = {root.certificate, middle.certificate}},
      {.issuer = &root, .revoked = {leaf}, .entry_extensions = {{"CRLReason", "DER:0A:01:08"}}},
      {.issuer = &root, .revoked = {middle.certificate}, .entry_extensions = {{"1.2.3.4", "critical,DER:05:00"}}},
      {.issuer = &root, .revoked = {middle.certificate}, .extensions = {{"crlNumber", "DER:02:01:01"}}},
      {.issuer = &root, .next_update = std::nullopt},
      {.issuer = &root, .next_update = noon() - minutes(1)},
      {.issuer = &root, .this_update = noon() + minutes(1), .next_update = noon() + minutes(2)},
      {.issuer = &root, .revoked = {leaf}, .digest = Digest::Sha1},
      {.issuer = &root, .digest = Digest::Sha1},
      {.issuer = &middle}};
  for (const auto& extension :
       {raw("2.5.29.27", "\x02\x01\x01", true), Extension{"1.2.3.4", "critical,DER:05:00"}, scope(""), scope(here),
        scope(there), scope(relative_name()), scope(here + yes('\x81')), scope(yes('\x81')), scope(yes('\x82')),
        scope(der('\x83', std::string_view("\x01\x02", 2))), scope(yes('\x84')), scope(yes('\x85')),
        raw("2.5.29.28", std::string_view("\x05\x00", 2), true)})
    orders.push_back({.issuer = &root, .extensions = {extension}});
  std::string together;
  for (const auto& order : orders) {
    const auto list = testing::mint_crl(order);
    seeds.add({Reader::List, Reader::Lists}, list.der);
    together += pem("X509 CRL", list.der);
    seeds.add(Reader::Lists, pem("X509 CRL", list.der));
  }
  seeds.add(Reader::Lists, together);
  seeds.add(Reader::Lists, pem("CERTIFICATE", leaf.der()) + pem("X509 CRL", "\x30"));
  seeds.add(Reader::Lists, "-----BEGIN X509 CRL-----\n!\n");
  seeds.add(Reader::Lists, "nothing");
  seeds.add({Reader::List, Reader::Lists}, world().list.der + "x");
  for (const auto algorithm : {ed25519, nobodys}) seeds.add(Reader::Lists, with_algorithm(world().list.der, algorithm));
}

void add_responses(Seeds& seeds) {
  const auto &root = world().root, &delegate = world().delegate;
  const auto& leaf = world().leaf.certificate;
  using Status = OcspMint::Status;
  const std::vector<OcspMint> orders{
      {.status = Status::Good},
      {.status = Status::Revoked},
      {.status = Status::Revoked, .this_update = noon() - minutes(10)},
      {.status = Status::Unknown},
      {.next_update = std::nullopt},
      {.nonce = "12345678"},
      {.nonce = "87654321"},
      {.digest = Digest::Sha1},
      {.response_status = 3},
      {.this_update = noon() + hours(1), .next_update = noon() + hours(2)},
      {.this_update = noon() - days(20)},
      {.this_update = noon() - minutes(10)}};
  for (auto order : orders) {
    order.issuer = &root;
    order.about = &leaf;
    seeds.add(Reader::Response, testing::mint_ocsp(order));
    order.responder = &delegate;
    seeds.add({Reader::Response, Reader::Delegated}, testing::mint_ocsp(order));
  }
  seeds.add(Reader::Response, testing::mint_ocsp({.issuer = &root, .about = &root.certificate}));
  seeds.add(Reader::Response, testing::mint_ocsp({.issuer = &world().middle, .about = &leaf}));
  seeds.add({Reader::Response, Reader::Delegated}, world().response + "x");

  const Extension for_ocsp{"extendedKeyUsage", "OCSPSigning"};
  const auto key = key_of("delegate");
  std::vector<testing::Mint> others{
      {.extensions = {}},
      {.extensions = {for_ocsp, {"noCheck", ""}}},
      {.extensions = {{"extendedKeyUsage", "clientAuth"}}},
      {.extensions = {for_ocsp, {"keyUsage", "keyEncipherment"}}},
      {.extensions = {for_ocsp, {"keyUsage", "digitalSignature"}}},
      {.extensions = {for_ocsp, {"1.2.3.4", "critical,DER:05:00"}}},
      {.extensions = {for_ocsp, {"2.5.29.19", "DER:05:00"}}},
      {.extensions = {for_ocsp}, .not_after = noon() - days(1)},
      {.extensions = {for_ocsp}, .not_before = noon() + days(1)},
      {.extensions = {for_ocsp}, .digest = Digest::Sha1},
      {.key = testing::rsa_key(1024), .extensions = {for_ocsp}}};
  for (auto& order : others) {
    order.name = "Responder";
    if (!order.key) order.key = key;
    for (const auto* issuer : {&root, &world().middle}) {
      order.issuer = issuer;
      const auto responder = mint(order);
      seeds.add(Reader::Delegated,
                testing::mint_ocsp({.issuer = &root, .about = &leaf, .nonce = "12345678", .responder = &responder}));
    }
  }
  auto foreign = mint({.name = "Responder", .issuer = &root, .key = key, .extensions = {for_ocsp}});
  for (const auto algorithm : {ed25519, nobodys}) {
    foreign.certificate = Certificate::parse(with_algorithm(foreign.certificate.der(), algorithm)).value();
    seeds.add(Reader::Delegated, testing::mint_ocsp({.issuer = &root, .about = &leaf, .responder = &foreign}));
  }
}

void add_bundles(Seeds& seeds) {
  const auto& root = world().root;
  const auto& leaf = world().leaf.certificate;
  for (const auto& bytes : samples({".p7b", ".pem"})) seeds.add({Reader::Bundle, Reader::Credential}, bytes);
  const Certificate bundled[] = {leaf, root.certificate};
  for (const auto wrapping : {testing::Wrapping::Bare, testing::Wrapping::Signed}) {
    const auto bundle = testing::pkcs7(bundled, wrapping, root);
    seeds.add(Reader::Bundle, bundle);
    seeds.add(Reader::Bundle, pem("PKCS7", bundle));
    seeds.add(Reader::Bundle, pem("CMS", bundle));
    seeds.add(Reader::Bundle, testing::pkcs7({}, wrapping, root));
  }
  seeds.add(Reader::Bundle, write_trust_bundle(bundled));
  seeds.add(Reader::Bundle, pem("X509 CERTIFICATE", leaf.der()) + pem("X509 CRL", world().list.der));
  seeds.add(Reader::Bundle, "-----BEGIN CERTIFICATE-----\n!\n");
  // PKCS#7 of enveloped data, and of signed data without content.
  const auto data = der('\x06', "\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01");
  const auto signed_data = der('\x06', "\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02");
  seeds.add(Reader::Bundle, der('\x30', data + der('\xA0', der('\x04', "x"))));
  seeds.add(Reader::Bundle, der('\x30', signed_data));

  const auto key = p256_pem("leaf");
  const auto &middle = world().middle.certificate, &low = world().low.certificate;
  const auto chain = low.to_pem() + middle.to_pem() + root.certificate.to_pem();
  for (const auto& text : {leaf.to_pem() + key, chain + key, low.to_pem() + root.certificate.to_pem() + key,
                           low.to_pem() + low.to_pem() + middle.to_pem() + key, middle.to_pem() + key,
                           leaf.to_pem(), key + testing::pem_of(key_of("leaf"), passphrase)})
    seeds.add(Reader::Credential, text);
  const Certificate above[] = {root.certificate, middle};
  const auto sealed = [](const Party& party, std::span<const Certificate> others) {
    return testing::pkcs12(party, others, passphrase, testing::Bags::Plain);
  };
  seeds.add(Reader::Pkcs12, sealed(world().low, above));
  seeds.add(Reader::Pkcs12, sealed(world().leaf, {}));
  seeds.add(Reader::Pkcs12, "\x30\x03\x02\x01\x03");
}

}  // namespace

std::vector<std::string> seeds() {
  Seeds seeds;
  add_certificates(seeds);
  add_lists(seeds);
  add_responses(seeds);
  add_bundles(seeds);
  return seeds.found;
}

}  // namespace fuzz
