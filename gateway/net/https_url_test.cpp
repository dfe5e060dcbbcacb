#include "gateway/net/https_url.hpp"

#include <gtest/gtest.h>

namespace gateway::net {
namespace {

TEST(HttpsUrl, IsReadIntoHostPortAndTarget) {
  const struct {
    const char *text, *host, *field;
    unsigned port;
    const char* target;
    bool numeric;
  } rows[] = {
      {"https://gateway.riverside.example", "gateway.riverside.example", "gateway.riverside.example", 443, "/", false},
      {"https://Gateway.example:8443/answers/xcpd?node=1", "Gateway.example", "Gateway.example:8443", 8443,
       "/answers/xcpd?node=1", false},
      {"https://localhost:1/", "localhost", "localhost:1", 1, "/", false},
      {"https://192.0.2.7/a", "192.0.2.7", "192.0.2.7", 443, "/a", true},
      {"https://[2001:db8::1]:8443/a", "2001:db8::1", "[2001:db8::1]:8443", 8443, "/a", true},
      {"https://a.example?x", "a.example", "a.example", 443, "/?x", false},
      {"https://7up.example/", "7up.example", "7up.example", 443, "/", false},
  };
  for (const auto& row : rows) {
    const auto url = HttpsUrl::parse(row.text);
    ASSERT_TRUE(url) << row.text;
    EXPECT_EQ(url->host(), row.host);
    EXPECT_EQ(url->field(), row.field);
    EXPECT_EQ(url->port(), row.port);
    EXPECT_EQ(url->target(), row.target);
    EXPECT_EQ(url->is_numeric(), row.numeric) << row.text;
  }
}

TEST(HttpsUrl, IsNothingThatCanBeReadInTwoWays_S01) {
  for (const std::string text :
       {"", "https://", "http://a.example/", "HTTPS://a.example/", "file:///etc/passwd", "gopher://a.example/",
        "ldap://a.example/", "https:a.example", "https:///a", "https://user@a.example/", "https://user:pass@a.example/",
        "https://a.example\\@b.example/", "https://a.example#b", "https://a.example/#b", "https://a.example/a b",
        "https://a.example/\r\nX: y", "https://a.example/\x7f", "https://\xC3\xA9.example/", "https://a%2eexample/",
        "https://a..example/", "https://.a.example/", "https://a.example./", "https://-a.example/", "https://a.example:/",
        "https://a.example:0/", "https://a.example:65536/", "https://a.example:080/", "https://a.example:1:2/",
        "https://0x7f.1/", "https://127.1/", "https://2130706433/", "https://0177.0.0.1/", "https://127.0.0.01/",
        "https://127.0.0.0x1/", "https://256.0.0.1/", "https://a.1/", "https://1.2.3.4.5/", "https://[::1/",
        "https://[::1]x/", "https://[::1%25lo]/", "https://[127.0.0.1]/", "https://[]/", "https://::1/"}) {
    EXPECT_FALSE(HttpsUrl::parse(text)) << text;
  }
  EXPECT_TRUE(HttpsUrl::parse("https://a.example/" + std::string(HttpsUrl::characters_max - 18, 'x')));
  EXPECT_FALSE(HttpsUrl::parse("https://a.example/" + std::string(HttpsUrl::characters_max - 17, 'x')));
}

}  // namespace
}  // namespace gateway::net
