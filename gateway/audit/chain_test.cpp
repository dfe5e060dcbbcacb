#include "gateway/audit/chain.hpp"

#include "certs/crypto.hpp"

#include <gtest/gtest.h>

namespace gateway::audit {
namespace {

std::vector<Bytes> leaves(std::size_t count) {
  std::vector<Bytes> made;
  for (std::size_t i = 0; i < count; ++i) made.push_back(certs::sha256(std::to_string(i)));
  return made;
}

TEST(Chain, HashesAsDocumented) {
  const Bytes committed = commitment(Bytes(16, 's'), "{}");
  EXPECT_EQ(committed, certs::sha256(Bytes(16, 's') + "{}"));
  const Bytes first = entry_hash("n1", 1, {}, committed);
  EXPECT_EQ(first, certs::sha256(Bytes("gatehouse-audit-1n1\0\0\0\0\0\0\0\0\1", 28) + Bytes(32, '\0') + committed));
  EXPECT_EQ(entry_hash("n1", 258, first, committed),
            certs::sha256(Bytes("gatehouse-audit-1n1\0\0\0\0\0\0\0\1\2", 28) + first + committed));
}

TEST(Chain, CommitsToEachPartOfADividedPayload) {
  const Bytes salt(16, 's');
  const auto first = certs::sha256(certs::sha256(Bytes("gatehouse-part-1\1", 17) + salt) + "{\"a\":1");
  const auto second = certs::sha256(certs::sha256(Bytes("gatehouse-part-1\2", 17) + salt) + ",\"b\":2}");
  EXPECT_EQ(commitment(salt, "{\"a\":1\t,\"b\":2}"), certs::sha256("gatehouse-parts-1" + first + second));
  EXPECT_EQ(*first_part("{\"a\":1\t,\"b\":2}"), "{\"a\":1");
  EXPECT_FALSE(first_part("{\"a\":1}"));
  EXPECT_EQ(part_commitment(part_salt(salt, 1), "{\"a\":1"), first);
  EXPECT_EQ(commitment_of_parts(first, second), commitment(salt, "{\"a\":1\t,\"b\":2}"));
}

TEST(Chain, ChangesWithEveryPartOfAnEntry) {
  const Bytes previous(32, 'p'), committed(32, 'c');
  const Bytes hash = entry_hash("n1", 7, previous, committed);
  EXPECT_NE(hash, entry_hash("n2", 7, previous, committed));
  EXPECT_NE(hash, entry_hash("n1", 8, previous, committed));
  EXPECT_NE(hash, entry_hash("n1", 7, Bytes(32, 'q'), committed));
  EXPECT_NE(hash, entry_hash("n1", 7, previous, Bytes(32, 'd')));
}

// The test vectors of certificate transparency's reference implementation.
TEST(Chain, BuildsTheTreeOfRfc6962) {
  const std::vector<Bytes> inputs = {*base::read_hex(""),
                                     *base::read_hex("00"),
                                     *base::read_hex("10"),
                                     *base::read_hex("2021"),
                                     *base::read_hex("3031"),
                                     *base::read_hex("40414243"),
                                     *base::read_hex("5051525354555657"),
                                     *base::read_hex("606162636465666768696a6b6c6d6e6f")};
  const char* const roots[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                               "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                               "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                               "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                               "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                               "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                               "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                               "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                               "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  for (std::size_t count = 0; count <= inputs.size(); ++count) {
    EXPECT_EQ(base::hex(merkle_root(std::span(inputs).first(count))), roots[count]) << count;
  }
}

TEST(Chain, ProvesEachLeafByItsPathAndNoOther) {
  for (std::size_t count = 1; count <= 20; ++count) {
    const auto tree = leaves(count);
    const auto root = merkle_root(tree);
    for (std::size_t index = 0; index < count; ++index) {
      const auto path = merkle_path(tree, index);
      EXPECT_EQ(merkle_root_from_path(tree[index], index, count, path), root);
      EXPECT_NE(merkle_root_from_path("other", index, count, path), root);
      if (count > 1) {
        EXPECT_NE(merkle_root_from_path(tree[index], (index + 1) % count, count, path), root);
        EXPECT_NE(merkle_root_from_path(tree[index], index, count, std::span(path).first(path.size() - 1)), root);
      }
      auto longer = path;
      longer.push_back(Bytes(32, 'x'));
      EXPECT_NE(merkle_root_from_path(tree[index], index, count, longer), root);
    }
  }
  EXPECT_EQ(merkle_root_from_path("leaf", 1, 1, {}), "");
}

Checkpoint sample() {
  return {.node = "n\"1",
          .seq = 12,
          .head = Bytes(32, 'h'),
          .root = Bytes(32, 'r'),
          .rows = 2,
          .at = base::from_micros(1'700'000'000'123'456),
          .signature = Bytes(64, '\xFE')};
}

TEST(Chain, SignsEveryMemberOfACheckpoint) {
  const auto bytes = signed_bytes(sample());
  const auto differs = [&](auto change) {
    auto other = sample();
    change(other);
    return signed_bytes(other) != bytes;
  };
  EXPECT_TRUE(differs([](Checkpoint& c) { c.node = "n2"; }));
  EXPECT_TRUE(differs([](Checkpoint& c) { c.seq = 13; }));
  EXPECT_TRUE(differs([](Checkpoint& c) { c.head[0] = 'x'; }));
  EXPECT_TRUE(differs([](Checkpoint& c) { c.root[0] = 'x'; }));
  EXPECT_TRUE(differs([](Checkpoint& c) { c.rows = 3; }));
  EXPECT_TRUE(differs([](Checkpoint& c) { c.at += std::chrono::microseconds(1); }));
  EXPECT_FALSE(differs([](Checkpoint& c) { c.signature.clear(); }));
}

TEST(Chain, ReadsTheWitnessLineItWrites) {
  const auto line = witness_line(sample());
  EXPECT_EQ(line.back(), '\n');
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto read = read_witness_line(line);
  ASSERT_TRUE(read);
  EXPECT_EQ(signed_bytes(*read), signed_bytes(sample()));
  EXPECT_EQ(read->signature, sample().signature);
  for (const auto& bad : {std::string(), std::string("{}"), std::string("[1]"), line.substr(0, 40),
                          line.substr(0, line.size() - 2), std::string(R"({"node":1})")}) {
    EXPECT_FALSE(read_witness_line(bad)) << bad;
  }
}

}  // namespace
}  // namespace gateway::audit
