// Certificates, revocation lists, OCSP responses and bundles, signed here by a known authority over whatever the input
// has become, and the paths judged with them.

#include "certs/evidence.hpp"
#include "certs/testing.hpp"
#include "fuzz/keys.hpp"
#include "fuzz/samples.hpp"
#include "fuzz/target.hpp"

namespace fuzz {
namespace {

using namespace certs;
using testing::noon;

/// What the first octet of an input says of the rest.
enum class Reader : char {
  Leaf = '0',
  Intermediate = '1',
  List = '2',
  Response = '3',
  Bundle = '4',
  Lists = '5',
  Pin = '6',
  Anchor = '7',
};

testing::Key key_of(std::string_view name) {
  const auto key = std::make_shared<PrivateKey>(p256(name));
  return {key, key->handle()};
}

/// Its keys are the same in every process; its serial numbers are not.
struct World {
  testing::Party root = testing::mint({.name = "Root",
                                       .key = key_of("root"),
                                       .extensions = {{"basicConstraints", "critical,CA:TRUE"}}});
  testing::Party middle = testing::mint({.name = "Middle",
                                         .issuer = &root,
                                         .key = key_of("middle"),
                                         .extensions = {{"basicConstraints", "critical,CA:TRUE"},
                                                        {"keyUsage", "critical,keyCertSign,cRLSign"}}});
  testing::Party leaf = testing::mint({.name = "leaf.example", .issuer = &root});
  testing::Party low = testing::mint({.name = "low.example", .issuer = &middle});
  PrivateKey root_key = p256("root");
  TrustStore store{{.anchors = {root.certificate}}};
};
const World& world() {
  static const World made;
  return made;
}

// ---- Signing again --------------------------------------------------------------------------------------------------

std::string der(char tag, std::string_view content) {
  std::string length;
  for (auto rest = content.size(); rest > 0x7F || (length.empty() && content.size() > 0x7F) || rest > 0; rest >>= 8)
    length.insert(length.begin(), static_cast<char>(rest & 0xFF));
  if (content.size() > 0x7F) length.insert(length.begin(), static_cast<char>(0x80 + length.size()));
  if (content.empty()) length = std::string(1, '\0');
  return tag + length + std::string(content);
}

struct Value {
  std::string_view whole, content;
};
/// The value that begins a text, nothing where none does.
std::optional<Value> first_value(std::string_view text) {
  if (text.size() < 2) return {};
  std::size_t length = static_cast<unsigned char>(text[1]), header = 2;
  if (length == 0x80 || length > 0x83) return {};
  if (length > 0x80) {
    const auto octets = length - 0x80;
    if (text.size() < 2 + octets) return {};
    length = 0;
    for (std::size_t i = 0; i < octets; ++i) length = length << 8 | static_cast<unsigned char>(text[2 + i]);
    header += octets;
  }
  if (text.size() < header + length) return {};
  return Value{text.substr(0, header + length), text.substr(header, length)};
}

/// An unsigned INTEGER from big-endian octets.
std::string integer(std::string_view octets) {
  while (octets.size() > 1 && octets.front() == '\0') octets.remove_prefix(1);
  const bool looks_negative = (static_cast<unsigned char>(octets.front()) & 0x80) != 0;
  return der('\x02', (looks_negative ? std::string(1, '\0') : std::string()) + std::string(octets));
}

/// SEQUENCE { what is signed, ecdsa-with-SHA256, the root's signature } and what `rest` adds.
std::string signed_by_root(std::string_view content, std::string_view rest = {}) {
  static constexpr std::string_view algorithm = "\x30\x0A\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x02";
  const auto raw = world().root_key.sign(Digest::Sha256, content);
  const auto signature = der('\x30', integer(raw.substr(0, 32)) + integer(raw.substr(32)));
  return der('\x30', std::string(content) + std::string(algorithm) + der('\x03', std::string(1, '\0') + signature) +
                         std::string(rest));
}

/// A certificate or list with the root's signature; as it is where it is neither.
std::string resigned(std::string_view text) {
  const auto outer = first_value(text);
  const auto content = outer ? first_value(outer->content) : std::nullopt;
  return content ? signed_by_root(content->whole) : std::string(text);
}

/// An OCSPResponse whose BasicOCSPResponse has the root's signature; certificates stay.
std::string resigned_response(std::string_view text) {
  const auto outer = first_value(text);
  const auto status = outer ? first_value(outer->content) : std::nullopt;
  const auto tagged = status ? first_value(outer->content.substr(status->whole.size())) : std::nullopt;
  const auto bytes = tagged ? first_value(tagged->content) : std::nullopt;
  const auto type = bytes ? first_value(bytes->content) : std::nullopt;
  const auto octets = type ? first_value(bytes->content.substr(type->whole.size())) : std::nullopt;
  const auto basic = octets ? first_value(octets->content) : std::nullopt;
  const auto data = basic ? first_value(basic->content) : std::nullopt;
  if (!data) return std::string(text);
  std::string_view rest = basic->content.substr(data->whole.size());
  for (int skipped = 0; skipped < 2; ++skipped)
    if (const auto value = first_value(rest)) rest.remove_prefix(value->whole.size());
  const auto again = der('\x04', signed_by_root(data->whole, rest));
  return der('\x30', std::string(status->whole) +
                         der('\xA0', der('\x30', std::string(type->whole) + again)));
}

// ---- What is read ---------------------------------------------------------------------------------------------------

void hold_validated(const TrustStore& store, const Certificate& certificate, std::span<const Certificate> presented) {
  for (const auto use : {Use::TlsClient, Use::TlsServer, Use::MessageSignature}) {
    const auto trusted = store.validate(certificate, presented, use, noon());
    const auto again = store.validate(certificate, presented, use, noon());
    hold(trusted.has_value() == again.has_value(), "two judgements of one certificate");
    if (!trusted) continue;
    hold(!certificate.has_weak_key(), "a weak key was believed");
    hold(certificate.not_before() <= noon() && noon() <= certificate.not_after(), "believed out of its time");
    hold(store.held_certificate_with(certificate.public_key()).has_value(), "believed and not held");
  }
}

void look_at(const Certificate& certificate) {
  hold(Certificate::from_pem(certificate.to_pem()).value() == certificate, "PEM of a certificate is not the same");
  (void)certificate.subject();
  (void)certificate.issuer();
  (void)certificate.serial();
  (void)certificate.dns_names();
  const auto addresses = evidence_addresses(certificate);
  hold(addresses.lists.size() <= 8 && addresses.responders.size() <= 8, "more addresses than the limit");
}

void run_leaf(std::string_view text) {
  const auto certificate = Certificate::parse(resigned(text));
  if (!certificate) return;
  look_at(*certificate);
  const Certificate presented[] = {world().middle.certificate};
  hold_validated(world().store, *certificate, presented);
}

void run_intermediate(std::string_view text) {
  const auto certificate = Certificate::parse(resigned(text));
  if (!certificate) return;
  const Certificate presented[] = {*certificate};
  const TrustStore store{{.anchors = {world().root.certificate}}};
  hold_validated(store, world().low.certificate, presented);
  const TrustStore known{{.anchors = {world().root.certificate}, .intermediates = {*certificate}, .depth_max = 1}};
  hold_validated(known, world().low.certificate, {});
}

void run_list(std::string_view text) {
  const RevocationList list{resigned(text)};
  const auto read = Crl::read(list.der);
  const auto& leaf = world().leaf.certificate;
  const bool revokes = read && read->signed_by(world().root.certificate.handle()) &&
                       read->about(leaf.handle(), noon()) == Testimony::Revoked;
  if (read) {
    (void)read->this_update();
    (void)read->next_update();
  }
  const TrustStore store{
      {.anchors = {world().root.certificate}, .crls = {list}, .revocation = RevocationPolicy::Hard}};
  const auto trusted = store.validate(leaf, {}, Use::TlsClient, noon());
  hold(!(revokes && trusted), "a revoked certificate was believed");
  hold(!trusted || (read && read->about(leaf.handle(), noon()) == Testimony::Good), "believed without evidence");
  GatheredEvidence gathered(GatheredEvidence::Gathering::On);
  const auto& root = world().root.certificate;
  (void)gathered.weigh(leaf, root, Testimony::Silent, noon());
  if (const auto until = gathered.take_list("http://lists.example/", root, list.der, noon())) {
    hold(*until >= noon(), "a list was taken that had ended");
    hold(revokes == (gathered.weigh(leaf, root, Testimony::Silent, noon()) == SourceState::Revoked),
         "files and gathered lists say different things");
    (void)gathered.take_list("http://lists.example/", root, list.der, noon());
    gathered.tidy(noon());
  }
}

void run_response(std::string_view text) {
  const auto response = resigned_response(text);
  const OcspQuestion question{world().leaf.certificate, world().root.certificate, "12345678"};
  const auto statement = OcspStatement::read(response, question, noon());
  if (statement) {
    if (statement->at(noon()) == Testimony::Good)
      hold(statement->from() <= noon() + OcspLimits{}.skew && noon() <= statement->until(), "good out of its time");
    (void)statement->delegate();
  }
  GatheredEvidence gathered(GatheredEvidence::Gathering::On);
  (void)gathered.weigh(question.certificate, question.issuer, Testimony::Silent, noon());
  const auto taken = gathered.take_response(question, response, noon());
  for (const auto& asked : gathered.asked_about()) gathered.settle(asked.certificate);
  const auto state = gathered.weigh(question.certificate, question.issuer, Testimony::Silent, noon());
  hold(taken || state == SourceState::None, "evidence that was not taken counts");
  hold(!statement || statement->at(noon()) != Testimony::Revoked || state == SourceState::Revoked,
       "a revoked certificate is not known as one");
  hold(gathered.silent().size() <= 1, "more silence than certificates");
  gathered.tidy(noon() + std::chrono::days(30));
}

void run_pin(std::string_view text) {
  const auto certificate = Certificate::parse(text);
  if (!certificate) return;
  look_at(*certificate);
  const TrustStore store{{.anchors = {world().root.certificate}, .pinned = {*certificate}}};
  store.ask_ahead(noon());
  hold_validated(store, *certificate, {});
}

void run_anchor(std::string_view text) {
  const auto certificate = Certificate::parse(text);
  if (!certificate) return;
  const auto gathered = std::make_shared<GatheredEvidence>(GatheredEvidence::Gathering::On);
  const TrustStore store{{.anchors_with_policy = {{*certificate, RevocationPolicy::Soft},
                                                  {world().root.certificate, RevocationPolicy::Hard}},
                          .gathered = gathered}};
  store.ask_ahead(noon());
  hold_validated(store, world().leaf.certificate, {});
  const Certificate presented[] = {*certificate};
  hold_validated(store, world().low.certificate, presented);
  for (const auto& asked : gathered->take_asked()) gathered->settle(asked.certificate);
  gathered->tidy(noon());
}

void run_bundle(std::string_view text) {
  const auto certificates = read_trust_bundle(text);
  if (!certificates) return;
  const auto again = read_trust_bundle(write_trust_bundle(*certificates));
  hold(again && *again == *certificates, "a bundle that is read differently when written");
}

char letter(Reader reader) { return static_cast<char>(reader); }

}  // namespace

const Form form = Form::Der;

std::vector<std::string_view> words() { return {}; }  // DER has no texts to fill

void run(std::string_view input) {
  if (input.empty()) return;
  const auto text = input.substr(1);
  switch (static_cast<Reader>(input.front())) {
    case Reader::Leaf: return run_leaf(text);
    case Reader::Intermediate: return run_intermediate(text);
    case Reader::List: return run_list(text);
    case Reader::Response: return run_response(text);
    case Reader::Bundle: return run_bundle(text);
    case Reader::Lists: return void(read_crls(text).has_value());
    case Reader::Pin: return run_pin(text);
    case Reader::Anchor: return run_anchor(text);
  }
}

std::vector<std::string> seeds() {
  std::vector<std::string> found;
  const auto add = [&](Reader reader, std::string_view bytes) { found.push_back(letter(reader) + std::string(bytes)); };
  const auto& root = world().root;
  for (const auto& bytes : samples({".der", ".cer", ".crt"}))
    for (const auto reader : {Reader::Leaf, Reader::Pin, Reader::Anchor}) add(reader, bytes);
  for (const auto& bytes : samples({".crl"})) {
    add(Reader::List, bytes);
    add(Reader::Lists, bytes);
  }
  for (const auto& bytes : samples({".p7b", ".pem"})) add(Reader::Bundle, bytes);

  const std::vector<std::vector<testing::Extension>> leaves{
      {},
      {{"keyUsage", "critical,digitalSignature"}, {"extendedKeyUsage", "clientAuth,serverAuth"},
       {"subjectAltName", "DNS:leaf.example,DNS:*.example,IP:192.0.2.1,URI:urn:oid:1.2.3,email:a@b.example"}},
      {{"crlDistributionPoints", "URI:http://lists.example/a.crl,URI:ldap://lists.example/"},
       {"authorityInfoAccess", "OCSP;URI:http://ocsp.example/,caIssuers;URI:http://ca.example/"}},
      {{"basicConstraints", "critical,CA:TRUE,pathlen:0"}, {"keyUsage", "critical,keyCertSign,cRLSign"}},
      {{"nameConstraints", "critical,permitted;DNS:.example,excluded;DNS:evil.example"},
       {"basicConstraints", "CA:TRUE"}, {"policyConstraints", "requireExplicitPolicy:0"}},
      {{"keyUsage", "keyEncipherment"}},
      {{"1.2.3.4", "critical,DER:05:00"}}};
  for (const auto& extensions : leaves) {
    const auto minted = testing::mint({.name = "leaf.example", .issuer = &root, .extensions = extensions});
    for (const auto reader : {Reader::Leaf, Reader::Pin, Reader::Anchor}) add(reader, minted.certificate.der());
    const auto middle =
        testing::mint({.name = "Middle", .issuer = &root, .key = key_of("middle"), .extensions = extensions});
    add(Reader::Intermediate, middle.certificate.der());
    const auto alone = testing::mint({.name = "alone.example", .extensions = extensions});
    for (const auto reader : {Reader::Pin, Reader::Anchor}) add(reader, alone.certificate.der());
  }
  add(Reader::Intermediate, world().middle.certificate.der());
  add(Reader::Pin, testing::mint({.key = testing::rsa_key(1024)}).certificate.der());
  add(Reader::Leaf, testing::mint({.issuer = &root, .key = testing::ec_key("P-384")}).certificate.der());
  add(Reader::Leaf, testing::mint({.issuer = &world().middle}).certificate.der());
  add(Reader::Leaf, testing::mint({.issuer = &root, .not_after = noon() - std::chrono::days(1)}).certificate.der());

  const auto& leaf = world().leaf.certificate;
  const std::vector<testing::CrlMint> lists{
      {.issuer = &root},
      {.issuer = &root, .revoked = {leaf}},
      {.issuer = &root, .revoked = {leaf}, .entry_extensions = {{"2.5.29.21", "DER:0A:01:08"}}},
      {.issuer = &root, .revoked = {world().middle.certificate}, .extensions = {{"2.5.29.20", "DER:02:01:01"}}},
      {.issuer = &root, .next_update = std::nullopt},
      {.issuer = &root, .next_update = noon() - std::chrono::minutes(1)},
      {.issuer = &root, .extensions = {{"issuingDistributionPoint", "critical,onlyuser:TRUE"}}},
      {.issuer = &root, .extensions = {{"issuingDistributionPoint", "critical,indirectCRL:TRUE"}}},
      {.issuer = &root, .extensions = {{"2.5.29.27", "critical,DER:02:01:01"}}}};
  for (const auto& order : lists) {
    const auto list = testing::mint_crl(order);
    add(Reader::List, list.der);
    add(Reader::Lists, list.der);
    add(Reader::Lists, "-----BEGIN X509 CRL-----\n" + base::base64(list.der) + "\n-----END X509 CRL-----\n");
  }

  const auto delegate =
      testing::mint({.name = "Responder", .issuer = &root, .extensions = {{"extendedKeyUsage", "OCSPSigning"}}});
  using Status = testing::OcspMint::Status;
  for (const auto status : {Status::Good, Status::Revoked, Status::Unknown})
    add(Reader::Response, testing::mint_ocsp({.issuer = &root, .about = &leaf, .status = status}));
  add(Reader::Response, testing::mint_ocsp({.issuer = &root, .about = &leaf, .next_update = std::nullopt}));
  add(Reader::Response, testing::mint_ocsp({.issuer = &root, .about = &leaf, .nonce = "12345678"}));
  add(Reader::Response, testing::mint_ocsp({.issuer = &root, .about = &leaf, .responder = &delegate}));
  add(Reader::Response, testing::mint_ocsp({.issuer = &root, .about = &leaf, .response_status = 3}));
  add(Reader::Response, testing::mint_ocsp({.issuer = &root, .about = &root.certificate}));
  add(Reader::Response, testing::mint_ocsp({.issuer = &world().middle, .about = &leaf}));
  for (const auto& changes : std::vector<std::vector<testing::Extension>>{
           {}, {{"extendedKeyUsage", "OCSPSigning"}, {"noCheck", ""}}, {{"extendedKeyUsage", "clientAuth"}}}) {
    const auto other = testing::mint({.name = "Responder", .issuer = &root, .extensions = changes});
    add(Reader::Response,
        testing::mint_ocsp({.issuer = &root, .about = &leaf, .nonce = "12345678", .responder = &other}));
  }
  const auto late = testing::mint({.name = "Responder", .issuer = &root,
                                   .extensions = {{"extendedKeyUsage", "OCSPSigning"}},
                                   .not_after = noon() - std::chrono::days(1)});
  add(Reader::Response, testing::mint_ocsp({.issuer = &root, .about = &leaf, .responder = &late}));
  add(Reader::Response, testing::mint_ocsp({.issuer = &root, .about = &leaf,
                                            .this_update = noon() + std::chrono::hours(1),
                                            .next_update = noon() + std::chrono::hours(2)}));
  add(Reader::Response, testing::mint_ocsp({.issuer = &root, .about = &leaf,
                                            .this_update = noon() - std::chrono::days(20)}));

  const Certificate bundled[] = {leaf, root.certificate};
  add(Reader::Bundle, testing::pkcs7(bundled, testing::Wrapping::Bare, root));
  add(Reader::Bundle, testing::pkcs7(bundled, testing::Wrapping::Signed, root));
  add(Reader::Bundle, write_trust_bundle(bundled));
  return found;
}

}  // namespace fuzz
