#include "certs/xmldsig.hpp"

#include <algorithm>
#include <stdexcept>

namespace certs {
namespace {

using base::xml::Element;

constexpr std::string_view ds = "http://www.w3.org/2000/09/xmldsig#";
constexpr std::string_view exclusive_c14n = "http://www.w3.org/2001/10/xml-exc-c14n#";
constexpr std::string_view enveloped_signature = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
constexpr std::size_t prefixes_max = 32;
/// A canonical form may be this many times as large as the whole message (X05).
constexpr std::size_t canonical_growth_max = 4;
/// Values are wrapped at 64 or 76 columns and indented by some signers.
constexpr unsigned white_space_percent = 40;

struct SignatureMethod {
  std::string_view uri;
  KeyKind kind;
  Digest digest;
};
constexpr SignatureMethod signature_methods[] = {
    {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", KeyKind::Rsa, Digest::Sha256},
    {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", KeyKind::Rsa, Digest::Sha384},
    {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", KeyKind::Rsa, Digest::Sha512},
    {"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", KeyKind::Ec, Digest::Sha256},
    {"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", KeyKind::Ec, Digest::Sha384},
    {"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", KeyKind::Ec, Digest::Sha512},
    {"http://www.w3.org/2000/09/xmldsig#rsa-sha1", KeyKind::Rsa, Digest::Sha1},
};

struct DigestMethod {
  std::string_view uri;
  Digest digest;
  std::size_t octets;
};
constexpr DigestMethod digest_methods[] = {
    {"http://www.w3.org/2001/04/xmlenc#sha256", Digest::Sha256, 32},
    {"http://www.w3.org/2001/04/xmldsig-more#sha384", Digest::Sha384, 48},
    {"http://www.w3.org/2001/04/xmlenc#sha512", Digest::Sha512, 64},
    {"http://www.w3.org/2000/09/xmldsig#sha1", Digest::Sha1, 20},
};

/// Children of an element that holds elements only, taken in order.
class Children {
 public:
  static Result<Children> of(const Element& parent) {
    if (parent.has_stray_text()) return fail(Errc::BadReference, "text between elements");
    return Children(parent.first_child());
  }

  std::optional<Element> take_if(std::string_view local_name) {
    if (!next_ || !next_->is(ds, local_name)) return {};
    return std::exchange(next_, next_->next_sibling());
  }

  Result<Element> take(std::string_view local_name) {
    const auto taken = take_if(local_name);
    if (!taken) return fail(Errc::BadReference, "no ds:" + std::string(local_name) + " in its place");
    return *taken;
  }

  Result<void> end() const {
    if (next_) return fail(Errc::BadReference, "an element too many");
    return {};
  }

 private:
  explicit Children(std::optional<Element> first) : next_(first) {}
  std::optional<Element> next_;
};

/// Attributes in no namespace and of these names only: what is not known might mean something to another reader.
Result<void> allow_attributes(const Element& element, std::initializer_list<std::string_view> names) {
  for (const auto& attribute : element.attributes())
    if (!attribute.namespace_uri.empty() || std::ranges::find(names, attribute.local_name) == names.end())
      return fail(Errc::BadReference, "an attribute too many");
  return {};
}

/// The Algorithm of a method that has no other attribute.
Result<std::string_view> algorithm_of(const Element& method) {
  TRY(allow_attributes(method, {"Algorithm"}));
  const auto algorithm = method.attribute("Algorithm");
  if (!algorithm) return fail(Errc::BadReference, "a method without Algorithm");
  return *algorithm;
}

/// True for no child and no text.
bool is_bare(const Element& element) { return !element.first_child() && !element.has_stray_text(); }

bool is_ncname(std::string_view name) {
  const auto is_start = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
  };
  const auto is_part = [&](char c) { return is_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  return !name.empty() && is_start(name.front()) && std::ranges::all_of(name, is_part);
}

/// The prefixes of an exc-c14n method, whose only content may be one InclusiveNamespaces. [exc-c14n §4]
Result<std::vector<std::string>> read_prefixes(const Element& method) {
  std::vector<std::string> prefixes;
  if (method.has_stray_text()) return fail(Errc::BadReference, "text in a method");
  const auto inclusive = method.first_child();
  if (!inclusive) return prefixes;
  if (!inclusive->is(exclusive_c14n, "InclusiveNamespaces") || inclusive->next_sibling() || !is_bare(*inclusive))
    return fail(Errc::BadReference, "a foreign parameter of exc-c14n");
  TRY(allow_attributes(*inclusive, {"PrefixList"}));
  auto rest = base::trim(inclusive->attribute("PrefixList").value_or(""));
  while (!rest.empty()) {
    const auto prefix = rest.substr(0, rest.find_first_of(" \t\r\n"));
    if (prefixes.size() == prefixes_max || (prefix != "#default" && !is_ncname(prefix)))
      return fail(Errc::BadReference, "a PrefixList that is no list of at most 32 prefixes");
    prefixes.emplace_back(prefix);
    rest = base::trim(rest.substr(prefix.size()));
  }
  return prefixes;
}

Result<std::vector<std::string>> read_exclusive_c14n(const Element& method) {
  const auto algorithm = TRY(algorithm_of(method));
  if (algorithm != exclusive_c14n) return fail(Errc::UnsupportedAlgorithm, "canonicalization other than exc-c14n");
  return read_prefixes(method);
}

Result<SignatureMethod> read_signature_method(const Element& method, const SignatureAllowance& allowance) {
  const auto algorithm = TRY(algorithm_of(method));
  const auto found = std::ranges::find(signature_methods, algorithm, &SignatureMethod::uri);
  if (found == std::end(signature_methods) || (found->digest == Digest::Sha1 && !allowance.sha1))
    return fail(Errc::UnsupportedAlgorithm, "signature method");
  if (!is_bare(method)) return fail(Errc::BadReference, "a parameter of the signature method");
  return *found;
}

Result<DigestMethod> read_digest_method(const Element& method, const SignatureAllowance& allowance) {
  const auto algorithm = TRY(algorithm_of(method));
  const auto found = std::ranges::find(digest_methods, algorithm, &DigestMethod::uri);
  if (found == std::end(digest_methods) || (found->digest == Digest::Sha1 && !allowance.sha1))
    return fail(Errc::UnsupportedAlgorithm, "digest method");
  if (!is_bare(method)) return fail(Errc::BadReference, "a parameter of the digest method");
  return *found;
}

struct Transforms {
  bool enveloped = false;
  std::vector<std::string> prefixes;
};

/// [enveloped-signature,] exc-c14n: nothing else, in no other order.
Result<Transforms> read_transforms(const Element& element) {
  TRY(allow_attributes(element, {}));
  auto children = TRY(Children::of(element));
  auto transform = TRY(children.take("Transform"));
  Transforms transforms;
  transforms.enveloped = TRY(algorithm_of(transform)) == enveloped_signature;
  if (transforms.enveloped) {
    if (!is_bare(transform)) return fail(Errc::BadReference, "a parameter of a transform");
    transform = TRY(children.take("Transform"));
  }
  transforms.prefixes = TRY(read_exclusive_c14n(transform));
  TRY(children.end());
  return transforms;
}

/// `#` and an NCName: an element of the same document and nothing else. [K3, K5; W14]
Result<std::string> read_reference_uri(const Element& reference) {
  TRY(allow_attributes(reference, {"Id", "URI"}));
  const auto uri = reference.attribute("URI").value_or("");
  if (!uri.starts_with('#') || !is_ncname(uri.substr(1)))
    return fail(Errc::BadReference, "a reference that is not '#' and a name");
  return std::string(uri.substr(1));
}

Result<Bytes> read_value(const Element& element) {
  auto text = element.trimmed_text();
  if (!text) return fail(Errc::BadReference, "elements in a value");
  auto octets = base::read_base64(*text, white_space_percent);
  if (!octets || octets->empty()) return fail(Errc::BadReference, "a value that is not base64");
  return *std::move(octets);
}

Result<SignatureReference> read_reference(const Element& element, const SignatureAllowance& allowance) {
  auto id = TRY(read_reference_uri(element));
  auto children = TRY(Children::of(element));
  const auto transforms_element = TRY(children.take("Transforms"));
  const auto method_element = TRY(children.take("DigestMethod"));
  const auto value = TRY(children.take("DigestValue"));
  TRY(children.end());
  TRY(allow_attributes(value, {}));
  auto transforms = TRY(read_transforms(transforms_element));
  const auto method = TRY(read_digest_method(method_element, allowance));
  auto digest_value = TRY(read_value(value));
  if (digest_value.size() != method.octets) return fail(Errc::BadReference, "a digest of another length");
  return SignatureReference{std::move(id), transforms.enveloped, std::move(transforms.prefixes), method.digest,
                            std::move(digest_value)};
}

/// A few, no two of one element. [K5, A08]
Result<std::vector<SignatureReference>> read_references(Children& lines, const SignatureAllowance& allowance) {
  std::vector<SignatureReference> references;
  while (const auto line = lines.take_if("Reference")) {
    if (references.size() == allowance.references_max) return fail(Errc::BadReference, "a reference too many");
    auto reference = TRY(read_reference(*line, allowance));
    if (std::ranges::find(references, reference.id, &SignatureReference::id) != references.end())
      return fail(Errc::BadReference, "an element referred to twice");
    references.push_back(std::move(reference));
  }
  if (references.empty()) return fail(Errc::BadReference, "no ds:Reference in its place");
  return references;
}

bool is_inside(std::optional<Element> element, const Element& target) {
  while (element && *element != target) element = element->parent();
  return element.has_value();
}

Result<std::string> canonical_form(const Element& apex, const base::xml::Document& document,
                                   base::xml::CanonicalOptions options) {
  options.bytes_limit = canonical_growth_max * document.bytes();
  for (const auto& inlined : options.inlined) options.bytes_limit += 2 * inlined.octets.size();
  return base::xml::canonicalize(apex, options);
}

}  // namespace

Result<SignatureForm> SignatureForm::read(const Element& signature, const SignatureAllowance& allowance) {
  if (!signature.is(ds, "Signature")) return fail(Errc::BadReference, "no ds:Signature");
  TRY(allow_attributes(signature, {"Id"}));
  auto parts = TRY(Children::of(signature));
  const auto signed_info = TRY(parts.take("SignedInfo"));
  const auto value = TRY(parts.take("SignatureValue"));
  const auto key_info = parts.take_if("KeyInfo");
  TRY(parts.end());
  TRY(allow_attributes(signed_info, {"Id"}));
  TRY(allow_attributes(value, {"Id"}));

  auto lines = TRY(Children::of(signed_info));
  const auto canonicalization_line = TRY(lines.take("CanonicalizationMethod"));
  const auto method_line = TRY(lines.take("SignatureMethod"));
  auto prefixes = TRY(read_exclusive_c14n(canonicalization_line));
  const auto method = TRY(read_signature_method(method_line, allowance));
  auto references = TRY(read_references(lines, allowance));
  TRY(lines.end());

  SignatureForm form(signature, signed_info);
  form.signed_info_prefixes_ = std::move(prefixes);
  form.method_kind_ = method.kind;
  form.signature_digest_ = method.digest;
  form.uses_sha1_ = method.digest == Digest::Sha1 ||
                    std::ranges::find(references, Digest::Sha1, &SignatureReference::digest) != references.end();
  form.references_ = std::move(references);
  form.signature_value_ = TRY(read_value(value));
  form.signature_value_text_ = TRY(value.trimmed_text());
  form.key_info_ = key_info;
  return form;
}

Result<Bytes> SignatureForm::verify(const base::xml::Document& document, std::span<const Element> targets,
                                    const PublicKey& key, std::span<const base::xml::Inlined> inlined) const {
  if (targets.size() != references_.size()) return fail(Errc::BadReference, "not one element for each reference");
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (document.element_by_id(references_[i].id) != targets[i])
      return fail(Errc::BadReference, "the reference names another element");
    const bool in_place =
        references_[i].enveloped ? signature_.parent() == targets[i] : !is_inside(signature_, targets[i]);
    if (!in_place) return fail(Errc::BadReference, "the signature does not stand where its reference says");
  }
  if (key.kind() != method_kind_) return fail(Errc::UnsupportedAlgorithm, "the method is not one of the key's");

  // The signature first: an unknown sender cannot make us canonicalize a large element.
  const auto signed_info = TRY(canonical_form(signed_info_, document, {.inclusive_prefixes = signed_info_prefixes_}));
  TRY(key.verify(signature_digest_, signed_info, signature_value_));
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto& reference = references_[i];
    const auto canonical = TRY(
        canonical_form(targets[i], document,
                       {.inclusive_prefixes = reference.prefixes,
                        .without = reference.enveloped ? std::optional(signature_) : std::nullopt,
                        .inlined = inlined}));
    if (!base::equal_in_constant_time(digest(reference.digest, canonical), reference.digest_value))
      return fail(Errc::DigestMismatch);
  }
  return sha256(signed_info);
}

namespace {

/// What may stand in a KeyInfo without being obeyed or fetched. [A06]
constexpr std::string_view ignored_hints[] = {
    "KeyName",      "RetrievalMethod",  "PGPData",    "SPKIData",          "MgmtData", "SecurityTokenReference",
    "EncryptedKey", "KeyInfoReference", "DerivedKey", "DEREncodedKeyValue"};
/// The same in X509Data: they describe a certificate without being one.
constexpr std::string_view ignored_descriptions[] = {"X509IssuerSerial", "X509SKI", "X509SubjectName", "X509CRL",
                                                     "X509Digest"};

bool is_one_of(const Element& element, std::span<const std::string_view> names) {
  return std::ranges::find(names, element.local_name()) != names.end();
}

Result<PublicKey> read_rsa_key_value(const Element& value) {
  auto children = TRY(Children::of(value));
  const auto modulus_element = TRY(children.take("Modulus"));
  const auto exponent_element = TRY(children.take("Exponent"));
  TRY(children.end());
  const auto modulus = TRY(read_value(modulus_element));
  const auto exponent = TRY(read_value(exponent_element));
  return PublicKey::from_rsa(modulus, exponent);
}

/// Only RSA public keys are read; elliptic ones are known by their certificate; anything else is no public key (K2).
Result<void> read_key_value(const Element& key_value, KeyHint& hint) {
  const auto value = key_value.first_child();
  if (!value || value->next_sibling() || key_value.has_stray_text())
    return fail(Errc::BadReference, "a KeyValue without its one value");
  if (value->is("http://www.w3.org/2009/xmldsig11#", "ECKeyValue")) return {};
  if (!value->is(ds, "RSAKeyValue")) return fail(Errc::BadReference, "a KeyValue of a foreign kind");
  if (hint.key) return fail(Errc::BadReference, "two keys");
  hint.key = TRY(read_rsa_key_value(*value));
  return {};
}

Result<void> read_x509_data(const Element& data, KeyHint& hint) {
  if (data.has_stray_text()) return fail(Errc::BadReference, "text between elements");
  for (auto child = data.first_child(); child; child = child->next_sibling()) {
    if (is_one_of(*child, ignored_descriptions)) continue;
    if (!child->is(ds, "X509Certificate")) return fail(Errc::BadReference, "foreign content of X509Data");
    if (hint.certificate) return fail(Errc::BadReference, "two certificates");
    const auto der = TRY(read_value(*child));
    hint.certificate = TRY(Certificate::parse(der));
  }
  return {};
}

}  // namespace

Result<KeyHint> read_key_info(const Element& key_info) {
  if (!key_info.is(ds, "KeyInfo") || key_info.has_stray_text()) return fail(Errc::BadReference, "no ds:KeyInfo");
  KeyHint hint;
  for (auto child = key_info.first_child(); child; child = child->next_sibling()) {
    if (child->is(ds, "KeyValue"))
      TRY(read_key_value(*child, hint));
    else if (child->is(ds, "X509Data"))
      TRY(read_x509_data(*child, hint));
    else if (!is_one_of(*child, ignored_hints))
      return fail(Errc::BadReference, "foreign content of KeyInfo");
  }
  return hint;
}

namespace {

void append_method(std::string& out, std::string_view name, std::string_view algorithm) {
  out.append("<ds:").append(name).append(" Algorithm=\"").append(algorithm).append("\"></ds:");
  out.append(name).append(">");
}

void append_reference(std::string& out, const SignedPart& part) {
  out.append("<ds:Reference URI=\"#");
  base::xml::append_attribute(out, part.id);
  out.append("\"><ds:Transforms>");
  append_method(out, "Transform", exclusive_c14n);
  out.append("</ds:Transforms>");
  append_method(out, "DigestMethod", digest_methods[0].uri);
  out.append("<ds:DigestValue>").append(base::base64(sha256(part.canonical)));
  out.append("</ds:DigestValue></ds:Reference>");
}

std::string_view method_for(KeyKind kind) {
  for (const auto& method : signature_methods)
    if (method.kind == kind && method.digest == Digest::Sha256) return method.uri;
  throw std::logic_error("XML signatures are made with RSA and ECDSA keys");
}

}  // namespace

std::string write_signature(std::span<const SignedPart> parts, const PrivateKey& key, std::string_view key_info) {
  std::string lines;
  lines.reserve(512 + 512 * parts.size());
  append_method(lines, "CanonicalizationMethod", exclusive_c14n);
  append_method(lines, "SignatureMethod", method_for(key.kind()));
  for (const auto& part : parts) append_reference(lines, part);
  lines.append("</ds:SignedInfo>");

  // In canonical form SignedInfo declares ds by itself; in the message Signature has done so already.
  const std::string declaration = " xmlns:ds=\"" + std::string(ds) + "\"";
  const auto signature = key.sign(Digest::Sha256, "<ds:SignedInfo" + declaration + ">" + lines);
  std::string out;
  out.reserve(lines.size() + key_info.size() + 1024);
  out.append("<ds:Signature").append(declaration).append("><ds:SignedInfo>").append(lines);
  out.append("<ds:SignatureValue>").append(base::base64(signature)).append("</ds:SignatureValue>");
  return out.append(key_info).append("</ds:Signature>");
}

}  // namespace certs
