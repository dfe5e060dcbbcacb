#include "certs/xmldsig.hpp"

#include <gtest/gtest.h>

#include <array>

namespace certs {
namespace {

using base::xml::Document;
using base::xml::Element;

const PrivateKey& our_key() {
  static const auto key = PrivateKey::generate_rsa(2048);
  return key;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

/// The last child of the root: the signature stands behind what it covers.
Result<SignatureForm> read(const Document& document, const SignatureAllowance& allowance = {}) {
  return SignatureForm::read(document.root().children().back(), allowance);
}

/// Reads and verifies a message; nothing where it is accepted.
std::optional<Errc> refusal(const std::string& text, const PublicKey& key, const SignatureAllowance& allowance = {}) {
  const auto document = Document::parse(text).value();
  const auto form = read(document, allowance);
  if (!form) return static_cast<Errc>(form.error().code.value());
  std::vector<Element> targets;
  for (const auto& reference : form->references()) {
    const auto target = document.element_by_id(reference.id);
    if (!target) return Errc::BadReference;
    targets.push_back(*target);
  }
  const auto verified = form->verify(document, targets, key);
  return verified ? std::nullopt : std::optional(static_cast<Errc>(verified.error().code.value()));
}

/// A detached signature over elements of these ids and canonical texts, which stand beside it.
std::string detached(const std::vector<std::pair<std::string, std::string>>& parts, std::string_view beside) {
  std::vector<SignedPart> to_sign;
  for (const auto& [id, canonical] : parts) to_sign.push_back({id, canonical});
  return "<m>" + std::string(beside) + write_signature(to_sign, our_key(), "") + "</m>";
}

TEST(SignedParts, CoversSeveralElementsWhereThatIsAllowed_A08_W12) {
  const std::string a = "<a ID=\"A1\">x</a>", b = "<b ID=\"B1\">y</b>";
  const auto key = our_key().public_key();
  const auto two = detached({{"A1", a}, {"B1", b}}, a + b);
  EXPECT_EQ(refusal(two, key, {.references_max = 2}), std::nullopt);
  EXPECT_EQ(refusal(two, key, {.references_max = 1}), Errc::BadReference);
  EXPECT_EQ(refusal(replaced(two, ">x<", ">z<"), key, {.references_max = 2}), Errc::DigestMismatch);
  EXPECT_EQ(refusal(replaced(two, ">y<", ">z<"), key, {.references_max = 2}), Errc::DigestMismatch);
  EXPECT_EQ(refusal(detached({{"A1", a}, {"A1", a}}, a), key, {.references_max = 2}), Errc::BadReference);
  EXPECT_EQ(refusal(detached({{"A1", a}, {"C1", b}}, a + b), key, {.references_max = 2}), Errc::BadReference);

  const auto document = Document::parse(two).value();
  const auto form = read(document, {.references_max = 2}).value();
  const auto first = document.element_by_id("A1").value(), second = document.element_by_id("B1").value();
  EXPECT_TRUE(form.verify(document, std::array{first, second}, key));
  for (const auto& targets : {std::vector{first}, std::vector{second, first}, std::vector{first, second, second}})
    EXPECT_EQ(form.verify(document, targets, key).error().code, make_error_code(Errc::BadReference));
}

TEST(SignedParts, CoversWhatAnElementStandsForAsIfItStoodThere_M03) {
  const std::string octets("\0octets\xFF", 8);
  const auto with = [](std::string_view content) { return "<a ID=\"A1\">" + std::string(content) + "</a>"; };
  const auto text = detached({{"A1", with(base::base64(octets))}}, with("<i/>"));
  const auto document = Document::parse(text).value();
  const auto form = read(document).value();
  const auto target = document.element_by_id("A1").value();
  const auto judged = [&](std::string_view bytes) {
    const base::xml::Inlined inlined{target.first_child().value(), bytes};
    const auto verified = form.verify(document, std::array{target}, our_key().public_key(), std::span(&inlined, 1));
    return verified ? boost::system::error_code{} : verified.error().code;
  };
  EXPECT_EQ(judged(octets), boost::system::error_code{});
  EXPECT_EQ(judged("other"), make_error_code(Errc::DigestMismatch));
  EXPECT_EQ(judged(""), make_error_code(Errc::DigestMismatch));
  EXPECT_EQ(refusal(text, our_key().public_key()), Errc::DigestMismatch) << "the package alone is not what was signed";
  EXPECT_EQ(refusal(replaced(text, "<i/>", base::base64(octets)), our_key().public_key()), std::nullopt);
}

}  // namespace
}  // namespace certs
