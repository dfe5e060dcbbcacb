#include "certs/crypto.hpp"

#include "certs/openssl.hpp"
#include "certs/testing.hpp"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>

#include <atomic>
#include <thread>

namespace certs {
namespace {

TEST(Digest, IsThatOfThePublishedExamples) {
  EXPECT_EQ(base::hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(base::hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(base::hex(digest(Digest::Sha384, "abc")).substr(0, 16), "cb00753f45a35e8b");
  EXPECT_EQ(base::hex(digest(Digest::Sha512, "abc")).substr(0, 16), "ddaf35a193617aba");
}

TEST(Hasher, GivesTheDigestOfThePiecesTogether) {
  Hasher hasher(Digest::Sha256);
  hasher.update("a");
  hasher.update("");
  hasher.update("bc");
  EXPECT_EQ(hasher.finish(), sha256("abc"));
}

TEST(FillRandom, DoesNotRepeatItself) { EXPECT_NE(random_octets<16>(), random_octets<16>()); }

const std::vector<PrivateKey>& one_key_of_each_kind() {
  static const std::vector keys{PrivateKey::generate_rsa(2048), PrivateKey::generate_p256(),
                                PrivateKey::from_pem(testing::pem_of(testing::ec_key("P-384"))).value(),
                                PrivateKey::from_pem(testing::pem_of(testing::ec_key("P-521"))).value(),
                                PrivateKey::generate_ed25519()};
  return keys;
}

TEST(PublicKey, VerifiesWhatItsPrivateKeySignedAndNothingElse) {
  for (const auto& key : one_key_of_each_kind())
    for (const auto algorithm : {Digest::Sha1, Digest::Sha256, Digest::Sha384, Digest::Sha512}) {
      const auto signature = key.sign(algorithm, "message");
      EXPECT_TRUE(key.public_key().verify(algorithm, "message", signature));
      EXPECT_FALSE(key.public_key().verify(algorithm, "Message", signature));
      auto altered = signature;
      altered[signature.size() / 2] ^= 1;
      EXPECT_FALSE(key.public_key().verify(algorithm, "message", altered));
      EXPECT_FALSE(key.public_key().verify(algorithm, "message", signature + '\0'));
      EXPECT_FALSE(key.public_key().verify(algorithm, "message", signature.substr(1)));
      EXPECT_FALSE(key.public_key().verify(algorithm, "message", ""));
      if (key.kind() == KeyKind::Ed25519) continue;
      EXPECT_FALSE(
          key.public_key().verify(algorithm == Digest::Sha256 ? Digest::Sha384 : Digest::Sha256, "message", signature));
    }
}

TEST(PublicKey, RefusesAForeignKeysSignature) {
  const auto ours = PrivateKey::generate_p256(), theirs = PrivateKey::generate_p256();
  const auto refused = ours.public_key().verify(Digest::Sha256, "message", theirs.sign(Digest::Sha256, "message"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::BadSignature);
}

TEST(PublicKey, TakesEcdsaAsRawScalarsOnly) {
  const auto key = PrivateKey::generate_p256();
  const auto hash = sha256("message");
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.handle(), nullptr));
  Bytes der(80, '\0');
  std::size_t size = der.size();
  EVP_PKEY_sign_init(context.get());
  ASSERT_EQ(
      EVP_PKEY_sign(context.get(), reinterpret_cast<unsigned char*>(der.data()), &size, octets(hash), hash.size()), 1);
  der.resize(size);
  EXPECT_FALSE(key.public_key().verify(Digest::Sha256, "message", der));
  EXPECT_EQ(key.sign(Digest::Sha256, "message").size(), 64u);
}

// A13: s + n is the same signature to a careless verifier.
TEST(PublicKey, RefusesAnRsaSignatureRaisedByTheModulus) {
  const auto& key = one_key_of_each_kind().front();
  BIGNUM* modulus = nullptr;
  ASSERT_EQ(EVP_PKEY_get_bn_param(key.handle(), OSSL_PKEY_PARAM_RSA_N, &modulus), 1);
  const NumberHandle n(modulus);
  for (int attempt = 0; attempt < 200; ++attempt) {
    const auto message = std::to_string(attempt);
    auto signature = key.sign(Digest::Sha256, message);
    const NumberHandle s(BN_bin2bn(octets(signature), static_cast<int>(signature.size()), nullptr));
    BN_add(s.get(), s.get(), n.get());
    if (BN_num_bits(s.get()) > 2048) continue;  // would be longer than a signature may be
    ASSERT_TRUE(key.public_key().verify(Digest::Sha256, message, signature));
    BN_bn2binpad(s.get(), reinterpret_cast<unsigned char*>(signature.data()), 256);
    EXPECT_FALSE(key.public_key().verify(Digest::Sha256, message, signature));
    return;
  }
  FAIL() << "no signature was small enough";
}

struct Strength {
  const char* what;
  testing::Key key;
  std::optional<Errc> refused;
};

TEST(PublicKey, IsReadOnlyWhereItIsStrongEnough) {
  const std::vector<Strength> cases{
      {"RSA 2048", testing::rsa_key(2048), {}},
      {"RSA 1024", testing::rsa_key(1024), Errc::KeyTooWeak},
      {"RSA 2047", testing::rsa_key(2047), Errc::KeyTooWeak},
      {"RSA 2048 with exponent 3", testing::rsa_key(2048, 3), Errc::KeyTooWeak},
      {"RSA 2048 with exponent 65535", testing::rsa_key(2048, 65535), Errc::KeyTooWeak},
      {"RSA 2048 with exponent 65539", testing::rsa_key(2048, 65539), {}},
      {"P-256", testing::ec_key("P-256"), {}},
      {"P-256 by explicit parameters", testing::ec_key("P-256", true), Errc::KeyTooWeak},
      {"P-224", testing::ec_key("P-224"), Errc::KeyTooWeak},
      {"P-192", testing::ec_key("P-192"), Errc::KeyTooWeak},
      {"secp256k1", testing::ec_key("secp256k1"), Errc::KeyTooWeak},
      {"RSA-PSS", testing::rsa_pss_key(), Errc::UnreadableKey},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(row.what);
    const auto read = PublicKey::from_spki(testing::spki_of(row.key));
    EXPECT_EQ(read ? std::nullopt : std::optional(static_cast<Errc>(read.error().code.value())), row.refused);
  }
}

TEST(PublicKey, IsReadFromModulusAndExponentWithinTheSameLimits) {
  const Bytes exponent("\x01\x00\x01", 3);
  const auto modulus_of_bits = [](std::size_t bits) { return Bytes(bits / 8, '\xff'); };
  EXPECT_TRUE(PublicKey::from_rsa(modulus_of_bits(2048), exponent));
  EXPECT_TRUE(PublicKey::from_rsa('\0' + modulus_of_bits(4096), exponent));
  EXPECT_EQ(PublicKey::from_rsa(modulus_of_bits(1024), exponent).error().code, Errc::KeyTooWeak);
  EXPECT_EQ(PublicKey::from_rsa(modulus_of_bits(4104), exponent).error().code, Errc::KeyTooWeak);
  EXPECT_EQ(PublicKey::from_rsa(modulus_of_bits(16384), exponent).error().code, Errc::KeyTooWeak);
  EXPECT_EQ(PublicKey::from_rsa(modulus_of_bits(2048), "\x03").error().code, Errc::KeyTooWeak);
  EXPECT_EQ(PublicKey::from_rsa(modulus_of_bits(2048), "\x01").error().code, Errc::KeyTooWeak);
  EXPECT_EQ(PublicKey::from_rsa(modulus_of_bits(2048), Bytes(9, '\xff')).error().code, Errc::KeyTooWeak);
  EXPECT_TRUE(PublicKey::from_rsa(modulus_of_bits(2048), Bytes(8, '\xff')));
  EXPECT_FALSE(PublicKey::from_rsa("", ""));
}

TEST(PublicKey, FromModulusAndExponentIsTheSameKey) {
  const auto& key = one_key_of_each_kind().front();
  BIGNUM* modulus = nullptr;
  ASSERT_EQ(EVP_PKEY_get_bn_param(key.handle(), OSSL_PKEY_PARAM_RSA_N, &modulus), 1);
  const NumberHandle n(modulus);
  Bytes octets_of_n(256, '\0');
  BN_bn2binpad(n.get(), reinterpret_cast<unsigned char*>(octets_of_n.data()), 256);
  EXPECT_EQ(PublicKey::from_rsa(octets_of_n, Bytes("\x01\x00\x01", 3)).value(), key.public_key());
}

TEST(PublicKey, IsNotReadWithAnythingBehindIt) {
  const auto spki = testing::spki_of(testing::ec_key());
  EXPECT_TRUE(PublicKey::from_spki(spki));
  EXPECT_FALSE(PublicKey::from_spki(spki + '\0'));
  EXPECT_FALSE(PublicKey::from_spki(spki.substr(0, spki.size() - 1)));
  EXPECT_FALSE(PublicKey::from_spki(""));
}

TEST(PrivateKey, IsReadBackFromItsPem) {
  for (const auto& key : one_key_of_each_kind())
    EXPECT_EQ(PrivateKey::from_pem(key.to_pem()).value().public_key(), key.public_key());
}

TEST(PrivateKey, NeedsItsPassphrase) {
  const auto pem = testing::pem_of(testing::ec_key(), "open sesame");
  EXPECT_TRUE(PrivateKey::from_pem(pem, "open sesame"));
  for (const auto wrong : {std::string_view(), std::string_view(""), std::string_view("open sesame "),
                           std::string_view("open")}) {
    const auto refused = PrivateKey::from_pem(pem, wrong);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::UnreadableKey);
  }
  EXPECT_EQ(PrivateKey::from_pem("<html>").error().code, Errc::UnreadableKey);
}

TEST(PrivateKey, IsRefusedWhereItIsWeak) {
  EXPECT_EQ(PrivateKey::from_pem(testing::pem_of(testing::rsa_key(1024))).error().code, Errc::KeyTooWeak);
}

TEST(Keys, MayBeUsedByManyThreadsAtOnce) {
  const auto& keys = one_key_of_each_kind();
  std::atomic<int> verified = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&keys, &verified, thread] {
        for (const auto& key : keys) {
          const auto message = std::to_string(thread);
          verified += key.public_key().verify(Digest::Sha256, message, key.sign(Digest::Sha256, message)).has_value();
        }
      });
  }
  EXPECT_EQ(verified, 20);
}

TEST(Keys, LeaveNothingInTheErrorQueueThatTlsReads) {
  ERR_clear_error();
  const auto& key = one_key_of_each_kind().front();
  EXPECT_FALSE(key.public_key().verify(Digest::Sha256, "message", Bytes(256, 'x')));
  EXPECT_FALSE(PublicKey::from_spki("no key"));
  EXPECT_FALSE(PrivateKey::from_pem("no key"));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

/// The expected tag is what another library makes of an empty text with these octets beside it.
TEST(Gmac, TellsOctetsNonceAndKeyApart) {
  const std::string key(Gmac::key_octets, '\1'), nonce(Gmac::nonce_octets, '\2');
  Gmac mac(key);
  const auto tag = mac.tag(nonce, {"one ", "text"});
  EXPECT_EQ(base::hex(tag), "175b8e183b075cacc8be86d3ac5b636a");
  EXPECT_EQ(mac.tag(nonce, {"one text"}), tag) << "however it is cut";
  Gmac copy(mac);
  EXPECT_EQ(copy.tag(nonce, {"one text"}), tag);
  EXPECT_NE(mac.tag(nonce, {"one texT"}), tag);
  EXPECT_NE(mac.tag(std::string(Gmac::nonce_octets, '\3'), {"one text"}), tag);
  EXPECT_NE(Gmac(std::string(Gmac::key_octets, '\4')).tag(nonce, {"one text"}), tag);
  EXPECT_EQ(mac.tag(nonce, {}).size(), Gmac::tag_octets);
  EXPECT_THROW(Gmac("short"), std::runtime_error);
  EXPECT_THROW(mac.tag("short", {"one text"}), std::runtime_error);
}

}  // namespace
}  // namespace certs
