#include "gateway/exchange/answer_body.hpp"

#include "gateway/net/server.hpp"
#include "gateway/net/testing.hpp"

#include <gtest/gtest.h>

namespace gateway::exchange {
namespace {

using base::Bytes;
using net::testing::GivenSource;

std::string read(net::Source& source) {
  std::string all;
  while (all.size() < source.size()) {
    const auto part = source.next();
    if (!part || part->empty()) return "?" + all;
    all += *part;
  }
  return all;
}

TEST(InBase64, IsTheSameHoweverItsOctetsCome) {
  const Bytes octets("\0\xFF one document", 15);
  for (std::size_t size = 0; size <= octets.size(); ++size) {
    const auto text = base::base64(octets.substr(0, size));
    for (std::size_t part = 1; part <= 8; ++part) {
      std::vector<Bytes> parts;
      for (std::size_t at = 0; at < size; at += part) parts.push_back(octets.substr(at, std::min(part, size - at)));
      const auto source = in_base64(std::make_unique<GivenSource>(parts, size));
      EXPECT_EQ(source->size(), text.size());
      EXPECT_EQ(read(*source), text) << size << " octets in parts of " << part;
    }
  }
}

TEST(InBase64, HandsAnErrorOn) {
  class Broken final : public net::Source {
    std::uint64_t size() const override { return 5; }
    Result<Bytes> next() override { return base::fail(net::Errc::WrongSize); }
  };
  EXPECT_EQ(in_base64(std::make_unique<Broken>())->next().error().code, net::Errc::WrongSize);
}

}  // namespace
}  // namespace gateway::exchange
