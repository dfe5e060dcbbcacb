#include "direct/address.hpp"

#include <gtest/gtest.h>

namespace direct {
namespace {

TEST(Address, IsALocalPartAndADomain) {
  for (const char* good : {"a@b.c", "front.desk@direct.clinic.example", "o'brien+tag@x.example", "\"a b\"@x.example",
                           "\"a\\\"b\"@x.example", "A@xn--nxasmq6b.example", "a_b-c@1.2.example"})
    EXPECT_TRUE(Address::parse(good)) << good;
  for (const char* bad :
       {"", "a", "@b.c", "a@", "a@b", "a@b..c", "a@.b.c", "a@b.c.", "a b@c.d", ".a@b.c", "a.@b.c", "a..b@c.d", "a%b@c.d",
        "a@[127.0.0.1]", "<a@b.c>", "a@b.c ", " a@b.c", "@x,@y:a@b.c", "a@-b.c", "a@b-.c", "\"a@b.c", "\"a\"b@c.d",
        "a\r\n@b.c", "\"a\nb\"@c.d", "\xc3\xa4@b.c", "a@\xc3\xa4.c", "a@b@c.d", "\"\\\"@c.d"})
    EXPECT_FALSE(Address::parse(bad)) << bad;
  EXPECT_FALSE(Address::parse(std::string("a\0b@c.d", 7)));
  EXPECT_TRUE(Address::parse(std::string(64, 'a') + "@b.c"));
  EXPECT_FALSE(Address::parse(std::string(65, 'a') + "@b.c"));
  EXPECT_FALSE(Address::parse("a@" + std::string(64, 'b') + ".c"));
  std::string domain = "b.c";
  while (domain.size() < 255) domain = "a." + domain;
  EXPECT_TRUE(Address::parse("a@" + domain));
  EXPECT_FALSE(Address::parse("a@a." + domain));
}

TEST(Address, IsTheSameInAnyCase) {
  const auto one = Address::parse("Front.Desk@Direct.Clinic.example").value();
  EXPECT_EQ(one, Address::parse("front.desk@direct.clinic.EXAMPLE").value());
  EXPECT_EQ(one.text(), "Front.Desk@Direct.Clinic.example");
  EXPECT_EQ(one.domain(), "direct.clinic.example");
  EXPECT_FALSE(one == Address::parse("frontdesk@direct.clinic.example").value());
}

std::string keys(std::string_view field, Groups groups = Groups::Yes) {
  const auto read = read_mailboxes(field, groups);
  if (!read) return "unreadable";
  std::string text;
  for (const auto& one : *read) text.append(text.empty() ? "" : " ").append(one.key());
  return text;
}

TEST(Mailboxes, AreReadAsPeersWriteThem) {
  EXPECT_EQ(keys("a@x.example"), "a@x.example");
  EXPECT_EQ(keys("<a@x.example>"), "a@x.example");
  EXPECT_EQ(keys("Dr. John Q. Public <a@x.example>"), "a@x.example");
  EXPECT_EQ(keys("\"Public, John <no@x.example>\" <a@x.example>, b@y.example"), "a@x.example b@y.example");
  EXPECT_EQ(keys("a@x.example (a comment (inside) <b@y.example>), c@z.example"), "a@x.example c@z.example");
  EXPECT_EQ(keys("\"a b\"@x.example"), "\"a b\"@x.example");
  EXPECT_EQ(keys("Staff: a@x.example, B <b@y.example>;"), "a@x.example b@y.example");
  EXPECT_EQ(keys("undisclosed-recipients:;"), "");
  EXPECT_EQ(keys("a@x.example,,b@y.example,"), "a@x.example b@y.example");
  EXPECT_EQ(keys("=?utf-8?q?M=C3=BCller?= <a@x.example>", Groups::No), "a@x.example");
}

TEST(Mailboxes, AreRefusedWhereTwoCouldBeMeant) {
  for (const char* field :
       {"good@x.example <evil@y.example> more", "a@x.example b@y.example", "<a@x.example> <b@y.example>", "<a@x.example",
        "a@x.example>", "<@r.example:a@x.example>", "<>", "\"a@x.example", "a@x.example (", "a:b@x.example",
        "a: b: c@x.example;;", "a@x.example; b@y.example", "\"a@x.example\" b@y.example", "=?utf-8?q?a=40x.example?="})
    EXPECT_EQ(keys(field), "unreadable") << field;
  EXPECT_EQ(keys("good@x.example <evil@y.example>"), "evil@y.example") << "a name is but a name";
  for (const char* field : {"", ",", "a@x.example,", "Staff: a@x.example;", "undisclosed-recipients:;"})
    EXPECT_EQ(keys(field, Groups::No), "unreadable") << field;
  std::string many = "a@x.example";
  for (int i = 0; i < 1000; ++i) many += ", a@x.example";
  EXPECT_EQ(keys(many), "unreadable");
}

}  // namespace
}  // namespace direct
