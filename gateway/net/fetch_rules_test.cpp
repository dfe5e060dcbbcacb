#include "gateway/net/fetch_rules.hpp"

#include <gmock/gmock.h>

namespace gateway::net {
namespace {

namespace ip = boost::asio::ip;

TEST(HttpUrl, IsReadStrictly_S01) {
  const auto plain = read_http_url("http://ca.example/lists/1.crl?x=1").value();
  EXPECT_EQ(plain.host, "ca.example");
  EXPECT_EQ(plain.field, "ca.example");
  EXPECT_EQ(plain.port, 80);
  EXPECT_EQ(plain.target, "/lists/1.crl?x=1");
  const auto bare = read_http_url("http://[2001:db8::1]:8080").value();
  EXPECT_EQ(bare.host, "2001:db8::1");
  EXPECT_EQ(bare.field, "[2001:db8::1]:8080");
  EXPECT_EQ(bare.port, 8080);
  EXPECT_EQ(bare.target, "/");
  for (const char* bad :
       {"", "ca.example/1.crl", "//ca.example/", "https://ca.example/", "ftp://ca.example/", "file:///etc/passwd",
        "ldap://ca.example/cn=1", "gopher://ca.example/", "http:///1.crl", "http://user@ca.example/",
        "http://user:secret@ca.example/", "http://ca.example/#part", "http://ca.example:0/", "http://ca.example:70000/",
        "http://ca.example:8x/", "http://ca.example/a b", "http://ca.example/\r\nX: y", "http://[v1.x]/",
        "http://ca%00.example/"}) {
    EXPECT_FALSE(read_http_url(bad)) << bad;
  }
  EXPECT_FALSE(read_http_url("http://ca.example/" + std::string(512, 'a')));
}

TEST(PublicAddress, IsNoneThatLeadsInside_S01) {
  for (const char* inside :
       {"0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.1.1", "198.18.0.1", "203.0.113.9", "224.0.0.1",
        "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fc00::1", "fd12::1",
        "ff02::1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1", "2001:db8::1"}) {
    EXPECT_FALSE(is_public(ip::make_address(inside))) << inside;
  }
  for (const char* outside : {"9.9.9.9", "93.184.216.34", "172.32.0.1", "::ffff:9.9.9.9", "2606:2800:220:1::1"}) {
    EXPECT_TRUE(is_public(ip::make_address(outside))) << outside;
  }
}

TEST(AllowedNetworks, AddToThePublicOnes) {
  const auto allowed = AllowedNetworks::read({"10.1.0.0/16", "127.0.0.1", "fd00::/8"}).value();
  for (const char* may : {"10.1.255.255", "::ffff:10.1.0.1", "127.0.0.1", "fd12::1", "9.9.9.9"}) {
    EXPECT_TRUE(allowed.may_go_to(ip::make_address(may))) << may;
  }
  for (const char* may_not : {"10.2.0.1", "127.0.0.2", "fc00::1", "192.168.0.1"}) {
    EXPECT_FALSE(allowed.may_go_to(ip::make_address(may_not))) << may_not;
  }
  for (const char* bad : {"", "localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "::1/129", "0x7f.1"}) {
    EXPECT_FALSE(AllowedNetworks::read({bad})) << bad;
  }
}

}  // namespace
}  // namespace gateway::net
