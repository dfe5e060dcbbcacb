#include "fuzz/authority.hpp"

#include "fuzz/keys.hpp"

#include <optional>

namespace fuzz {
namespace {

using namespace certs;
using testing::noon;

constexpr std::string_view ecdsa_sha1("\x30\x09\x06\x07\x2A\x86\x48\xCE\x3D\x04\x01", 11);
constexpr std::string_view ecdsa_sha256("\x30\x0A\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x02", 12);

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

/// All values of a text, as far as it is made of values.
std::vector<Value> values_of(std::string_view text) {
  std::vector<Value> found;
  while (const auto value = first_value(text)) {
    found.push_back(*value);
    text.remove_prefix(value->whole.size());
  }
  return found;
}

/// An unsigned INTEGER from big-endian octets.
std::string integer(std::string_view octets) {
  while (octets.size() > 1 && octets.front() == '\0') octets.remove_prefix(1);
  const bool looks_negative = (static_cast<unsigned char>(octets.front()) & 0x80) != 0;
  return der('\x02', (looks_negative ? std::string(1, '\0') : std::string()) + std::string(octets));
}

/// SEQUENCE { what is signed, algorithm, signature } and what `rest` adds.
std::string signed_by(std::string_view signer, std::string_view content, std::string_view algorithm,
                      std::string_view rest = {}) {
  const auto raw = p256(signer).sign(algorithm == ecdsa_sha1 ? Digest::Sha1 : Digest::Sha256, content);
  const auto signature = der('\x30', integer(raw.substr(0, 32)) + integer(raw.substr(32)));
  return der('\x30', std::string(content) + std::string(algorithm) + der('\x03', std::string(1, '\0') + signature) +
                         std::string(rest));
}

bool is_ours(std::string_view algorithm) { return algorithm == ecdsa_sha1 || algorithm == ecdsa_sha256; }

/// Where the serial number stands in a TBSCertificate: the version before it is optional. [RFC 5280 §4.1]
std::size_t serial_in(const std::vector<Value>& values) {
  return !values.empty() && values.front().whole.front() == '\xA0' ? 1 : 0;
}

std::string_view name_of(std::string_view signer) {
  const auto& certificate = (signer == "middle" ? world().middle : world().root).certificate;
  const auto content = values_of(values_of(values_of(certificate.der()).at(0).content).at(0).content);
  return content.at(serial_in(content) + 4).whole;
}

/// TBSCertificate with another algorithm and issuer; as it is where it is none.
std::string adopted(const Value& content, std::string_view signer) {
  const auto values = values_of(content.content);
  const auto serial = serial_in(values);
  if (values.size() < serial + 6 || values[serial].whole.front() != '\x02') return std::string(content.whole);
  std::string again;
  for (std::size_t i = 0; i < values.size(); ++i)
    again += i == serial + 1 ? ecdsa_sha256 : i == serial + 2 ? name_of(signer) : values[i].whole;
  return der('\x30', again);
}

enum class Foreign { Adopt, Leave };
std::string resigned_one(const Value& outer, std::string_view signer, Foreign foreign) {
  const auto values = values_of(outer.content);
  if (values.size() < 2) return std::string(outer.whole);
  const auto algorithm = values[1].whole;
  if (is_ours(algorithm)) return signed_by(signer, values[0].whole, algorithm);
  return foreign == Foreign::Leave ? std::string(outer.whole)
                                   : signed_by(signer, adopted(values[0], signer), ecdsa_sha256);
}

}  // namespace

testing::Key key_of(std::string_view name) {
  const auto key = std::make_shared<PrivateKey>(p256(name));
  return {key, key->handle()};
}

World::World()
    : root(testing::mint({.name = "Root",
                          .key = key_of("root"),
                          .extensions = {{"basicConstraints", "critical,CA:TRUE"}},
                          .serial = 1})),
      middle(testing::mint({.name = "Middle",
                            .issuer = &root,
                            .key = key_of("middle"),
                            .extensions = {{"basicConstraints", "critical,CA:TRUE"},
                                           {"keyUsage", "critical,keyCertSign,cRLSign"}},
                            .serial = 2})),
      leaf(testing::mint({.issuer = &root,
                          .key = key_of("leaf"),
                          .extensions = {{"crlDistributionPoints", "URI:http://lists.example/a.crl"}},
                          .serial = 3})),
      low(testing::mint({.name = "low.example", .issuer = &middle, .key = key_of("leaf"), .serial = 4})),
      delegate(testing::mint({.name = "Responder",
                              .issuer = &root,
                              .key = key_of("delegate"),
                              .extensions = {{"extendedKeyUsage", "OCSPSigning"}},
                              .serial = 5})),
      list(testing::mint_crl({.issuer = &root, .this_update = noon() - std::chrono::minutes(30)})),
      without_delegate(testing::mint_crl({.issuer = &root,
                                          .revoked = {delegate.certificate},
                                          .next_update = noon() - std::chrono::minutes(1)})),
      response(testing::mint_ocsp(
          {.issuer = &root, .about = &leaf.certificate, .this_update = noon() - std::chrono::minutes(30)})) {}

const World& world() {
  static const World made;
  return made;
}

std::string der(char tag, std::string_view content) {
  std::string length;
  for (auto rest = content.size(); rest > 0; rest >>= 8)
    length.insert(length.begin(), static_cast<char>(rest & 0xFF));
  if (content.size() > 0x7F) length.insert(length.begin(), static_cast<char>(0x80 + length.size()));
  if (content.empty()) length = std::string(1, '\0');
  return tag + length + std::string(content);
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> found;
  for (const auto& value : values_of(text)) found.push_back(value.whole);
  return found;
}

std::string resigned(std::string_view text, std::initializer_list<std::string_view> signers) {
  std::string again;
  const auto* signer = signers.begin();
  for (const auto& value : values_of(text)) {
    again += resigned_one(value, *signer, Foreign::Adopt);
    text.remove_prefix(value.whole.size());
    if (signer + 1 != signers.end()) ++signer;
  }
  return again + std::string(text);
}

std::string resigned_response(std::string_view text, std::string_view signer) {
  const auto outer = first_value(text);
  const auto status = outer ? first_value(outer->content) : std::nullopt;
  const auto tagged = status ? first_value(outer->content.substr(status->whole.size())) : std::nullopt;
  const auto bytes = tagged ? first_value(tagged->content) : std::nullopt;
  const auto type = bytes ? first_value(bytes->content) : std::nullopt;
  const auto octets = type ? first_value(bytes->content.substr(type->whole.size())) : std::nullopt;
  const auto basic = octets ? first_value(octets->content) : std::nullopt;
  const auto parts = basic ? values_of(basic->content) : std::vector<Value>();
  if (parts.size() < 3) return std::string(text);
  std::string certificates;
  if (const auto list = parts.size() > 3 ? first_value(parts[3].content) : std::nullopt) {
    for (const auto& certificate : values_of(list->content))
      certificates += resigned_one(certificate, "root", Foreign::Leave);
    certificates = der('\xA0', der('\x30', certificates));
  }
  const auto algorithm = is_ours(parts[1].whole) ? parts[1].whole : ecdsa_sha256;
  const auto again = der('\x04', signed_by(signer, parts[0].whole, algorithm, certificates));
  return der('\x30', std::string(status->whole) + der('\xA0', der('\x30', std::string(type->whole) + again))) +
         std::string(text.substr(outer->whole.size()));
}

std::string with_algorithm(std::string_view text, std::string_view object_identifier) {
  const auto values = values_of(first_value(text).value().content);
  return der('\x30', std::string(values.at(0).whole) + der('\x30', der('\x06', object_identifier)) +
                         std::string(values.at(2).whole));
}

}  // namespace fuzz
