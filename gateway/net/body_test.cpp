#include "gateway/net/body.hpp"

#include "gateway/net/server.hpp"
#include "gateway/net/testing.hpp"

#include <gmock/gmock.h>

namespace gateway::net {
namespace {

using ::testing::ElementsAre;
using testing::GivenSource;

/// What a reader gives, part by part, until the end.
std::vector<Bytes> parts_of(Body body, std::size_t most) {
  BodyReader reader(std::move(body));
  std::vector<Bytes> parts;
  for (auto part = reader.next(most); part && !part->empty(); part = reader.next(most)) parts.emplace_back(*part);
  return parts;
}

TEST(Body, KnowsItsSizeBeforeAnythingIsRead) {
  EXPECT_EQ(size({}), 0u);
  EXPECT_EQ(size({"abc", GivenSource::of({"de", "f"}), "", GivenSource::of({}, 7)}), 13u);
}

TEST(BodyReader, GivesPiecesAndSourcesInOrderInPartsOfTheSizeAskedFor) {
  EXPECT_THAT(parts_of({}, 4), ElementsAre());
  EXPECT_THAT(parts_of({"", "abcdef", GivenSource::of({}), "", GivenSource::of({"gh", "ijklm"}), "n"}, 4),
              ElementsAre("abcd", "ef", "gh", "ijkl", "m", "n"));
}

TEST(BodyReader, LetsGoOfWhatWasGiven) {
  auto source = GivenSource::of({"a"});
  const std::weak_ptr<Source> watched = source;
  BodyReader reader({std::move(source), "b"});
  EXPECT_EQ(*reader.next(10), "a");
  EXPECT_FALSE(watched.expired());
  EXPECT_EQ(*reader.next(10), "b");
  EXPECT_TRUE(watched.expired());
}

TEST(BodyReader, EndsWhereASourceGivesMoreOrLessThanItSaid) {
  for (const std::uint64_t size : {1u, 3u}) {
    BodyReader reader({GivenSource::of({"a", "b"}, size)});
    EXPECT_EQ(*reader.next(10), "a");
    if (size == 3) {
      EXPECT_EQ(*reader.next(10), "b");
      EXPECT_EQ(reader.next(10).error().code, Errc::WrongSize);
    } else {
      EXPECT_TRUE(reader.next(10)->empty()) << "a source is not asked for more than it said";
    }
  }
  BodyReader reader({GivenSource::of({"ab"}, 1)});
  EXPECT_EQ(reader.next(10).error().code, Errc::WrongSize);
}

}  // namespace
}  // namespace gateway::net
