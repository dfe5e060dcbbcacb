#include "base/ids.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace base {
namespace {

TEST(Oid, ReadsDottedAndUrnForm) {
  EXPECT_EQ(Oid::parse("1.3.6.1.4.1.19376").value().dotted(), "1.3.6.1.4.1.19376");
  EXPECT_EQ(Oid::parse("urn:oid:2.16.840.1.113883").value().dotted(), "2.16.840.1.113883");
  EXPECT_EQ(Oid::parse("2.999").value().urn(), "urn:oid:2.999");
  EXPECT_EQ(Oid::parse("0.39.0").value(), Oid::parse("urn:oid:0.39.0").value());
  EXPECT_TRUE(Oid::parse("2." + std::string(62, '1')));
}

TEST(Oid, RefusesWhatItWouldHaveToMend_T09) {
  for (const auto& text :
       {std::string(), std::string("1"), std::string("3.1"), std::string("1.40"), std::string("0.100"),
        std::string("1..2"), std::string(".1.2"), std::string("1.2."), std::string("1.02"), std::string("1.2 "),
        std::string(" 1.2"), std::string("1.2a"), std::string("URN:OID:1.2"), std::string("urn:oid:urn:oid:1.2"),
        std::string("urn:oid:"), std::string("01.2"), "2." + std::string(63, '1')}) {
    const auto read = Oid::parse(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, make_error_code(IdErrc::NotAnOid));
  }
}

TEST(Cx, ReadsWhatItWrites) {
  const auto id = read_cx("543797436^^^&1.2.840.113619.6.197&ISO").value();
  EXPECT_EQ(id, (Identifier{.root = "1.2.840.113619.6.197", .extension = "543797436"}));
  EXPECT_EQ(write_cx(id), "543797436^^^&1.2.840.113619.6.197&ISO");
}

TEST(Cx, RefusesOtherForms) {
  for (const auto text :
       {"", "1", "1^^^", "^^^&1.2&ISO", "1^^^&&ISO", "1^^^&1.2", "1^^^&1.2&UUID", "1^^^x&1.2&ISO", "1^^&1.2&ISO",
        "1^^^&1.2&ISO^", "1^2^^^&1.2&ISO", "1^^^&1.2&x&ISO", "1^^^&ISO", "1^^^&1.2&iso"}) {
    const auto read = read_cx(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, make_error_code(IdErrc::NotACx));
  }
}

TEST(Code, IsTheSameWhateverItsDisplayName) {
  const Code a{.code = "TREATMENT", .system = "2.16", .display = "Treatment"};
  EXPECT_TRUE(a.same_code({.code = "TREATMENT", .system = "2.16", .display = "t"}));
  EXPECT_FALSE(a.same_code({.code = "TREATMENT", .system = "", .display = "Treatment"}));
  EXPECT_FALSE(a.same_code({.code = "treatment", .system = "2.16", .display = "Treatment"}));
}

TEST(OidOfUuid, IsItsNumberUnderTheArcOfUuids) {
  EXPECT_EQ(oid_of_uuid("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),  // the example of X.667
            "2.25.329800735698586629295641978511506172918");
  EXPECT_EQ(oid_of_uuid("00000000-0000-0000-0000-00000000000a"), "2.25.10");
  EXPECT_TRUE(Oid::parse(oid_of_uuid("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF")));
}

TEST(UuidStream, CutsSixteenVersionFourUuidsFromOneSeed) {
  Seed seed;
  for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = std::uint8_t(i);
  UuidStream stream(seed);
  EXPECT_EQ(stream.next(), "00010203-0405-4607-8809-0a0b0c0d0e0f");
  EXPECT_EQ(stream.next_urn(), "urn:uuid:10111213-1415-4617-9819-1a1b1c1d1e1f");
  std::set<std::string> rest;
  for (int i = 2; i < 16; ++i) rest.insert(stream.next());
  EXPECT_EQ(rest.size(), 14u);
  EXPECT_THROW(stream.next(), std::logic_error);
}

}  // namespace
}  // namespace base
