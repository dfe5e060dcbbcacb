#include "xca/ebxml/as_seen.hpp"

#include <gtest/gtest.h>

namespace xca::ebxml {
namespace {

Code code(const std::string& value) { return {.code = value, .system = "2.25.1", .display = {}}; }

template <class T>
T object(const std::string& id) {
  T one;
  one.entry_uuid = id;
  one.title = "title of " + id;
  one.comments = "comments on " + id;
  return one;
}
DocumentEntry entry(const std::string& id, Availability status = Availability::Approved) {
  auto one = object<DocumentEntry>(id);
  one.class_code = code("class of " + id);
  one.authors = {{.person = "author of " + id}};
  one.status = status;
  return one;
}
Association relation(const std::string& source, const std::string& target, const std::string& entered = "20260101",
                     AssociationType type = AssociationType::HasMember) {
  return {.entry_uuid = source + ">" + target, .home = {}, .type = type, .source = source, .target = target,
          .set_status = {}, .entered = entered};
}

/// What is held, of which `hidden` are not seen.
struct Registry {
  RegistryObjects held;
  std::set<std::string> hidden;

  template <class T>
  std::optional<T> told(const T& object) const {
    Objects seen = objects_of(held);
    const auto hide = [&](auto& objects) {
      std::erase_if(objects, [&](const auto* one) { return hidden.contains(one->entry_uuid); });
    };
    hide(seen.entries);
    hide(seen.sets);
    hide(seen.folders);
    hide(seen.associations);
    return AsSeen(objects_of(held).associations, seen).told(object);
  }
};

TEST(AsSeen, AnEntryIsApprovedWhereNothingThatReplacedItIsSeen) {
  for (const auto type : {AssociationType::Replace, AssociationType::TransformAndReplace}) {
    Registry registry{{.entries = {entry("old", Availability::Deprecated), entry("new")}, .sets = {}, .folders = {},
                       .associations = {relation("new", "old", {}, type)}}, {}};
    const auto& old = registry.held.entries[0];
    EXPECT_FALSE(registry.told(old)) << "its successor is seen";
    registry.hidden = {"new", "new>old"};
    auto before = old;
    before.status = Availability::Approved;
    EXPECT_EQ(registry.told(old), before);
    registry.held.associations.push_back(relation("other", "old", {}, type));
    registry.held.entries.push_back(entry("other"));
    EXPECT_FALSE(registry.told(registry.held.entries[0])) << "one of two successors is seen";
  }
}

TEST(AsSeen, WhatHangsOnAnEntryGoesWithIt) {
  for (const auto type : {AssociationType::Append, AssociationType::Transform}) {
    const auto deprecated = Availability::Deprecated;
    Registry registry{{.entries = {entry("old", deprecated), entry("new"), entry("more", deprecated),
                                   entry("most", deprecated)},
                       .sets = {}, .folders = {},
                       .associations = {relation("more", "old", {}, type), relation("most", "more", {}, type),
                                        relation("new", "old", {}, AssociationType::Replace)}}, {}};
    const auto statuses = [&] {
      std::string text;
      for (const auto& one : registry.held.entries)
        text += registry.told(one).value_or(one).status == deprecated ? 'D' : 'A';
      return text;
    };
    EXPECT_EQ(statuses(), "DADD");
    registry.hidden = {"new", "new>old"};
    EXPECT_EQ(statuses(), "AAAA") << "what replaced the first of them is hidden";
    registry.hidden = {"old", "more>old", "new>old"};
    EXPECT_EQ(statuses().substr(2), "AA") << "they hang on nothing that is seen";
    registry.hidden = {"more", "more>old", "most>more"};
    EXPECT_EQ(statuses(), "DADA");
    registry.hidden.clear();
    registry.held.associations.push_back(relation("old", "most", {}, type));  // a circle ends
    EXPECT_EQ(statuses(), "DADD");
  }
}

TEST(AsSeen, AnEntryDeprecatedByNobodysReplacementStaysSo) {
  Registry registry{{.entries = {entry("old", Availability::Deprecated), entry("more")}, .sets = {}, .folders = {},
                     .associations = {relation("more", "old", {}, AssociationType::Append)}}, {"more", "more>old"}};
  EXPECT_FALSE(registry.told(registry.held.entries[0])) << "an addendum replaces nothing";
  registry.held.associations = {relation("old", "more", {}, AssociationType::Append)};
  registry.hidden.clear();
  EXPECT_FALSE(registry.told(registry.held.entries[0])) << "what it hangs on is Approved: that is not why";
  registry.held.associations.clear();
  EXPECT_FALSE(registry.told(registry.held.entries[0]));
  EXPECT_FALSE(registry.told(entry("new"))) << "nothing is to be said of what is Approved";
}

TEST(AsSeen, ASetWithAHiddenMemberSaysWhatItsFirstSeenEntrySays) {
  Registry registry{{.entries = {entry("a"), entry("b"), entry("c")}, .sets = {object<SubmissionSet>("s")},
                     .folders = {}, .associations = {relation("s", "a"), relation("s", "b"), relation("s", "c")}}, {}};
  auto& set = registry.held.sets[0];
  set.content_type = code("substance use program");
  set.intended_recipients = {"|a program"};
  set.authors = {{.person = "whoever wrote about all of it"}};
  set.unique_id = "1.2.3";
  set.source_id = "1.2";
  set.submission_time = "20260102";
  EXPECT_FALSE(registry.told(set)) << "all is seen";

  registry.hidden = {"a", "s>a"};
  auto part = set;
  part.title = "title of b";
  part.comments = "";
  part.content_type = code("class of b");
  part.authors = {{.person = "author of b"}};
  part.intended_recipients.clear();
  EXPECT_EQ(registry.told(set), part);
}

TEST(AsSeen, ASetIsToldInPartWhereAFoldersMembershipThatCameWithItIsHidden) {
  Registry registry{{.entries = {entry("a"), entry("b")}, .sets = {object<SubmissionSet>("s")},
                     .folders = {object<Folder>("f")},
                     .associations = {relation("f", "a"), relation("f", "b"), relation("s", "f"),
                                      relation("s", "f>b")}}, {}};
  EXPECT_FALSE(registry.told(registry.held.sets[0]));
  registry.hidden = {"b", "f>b", "s>f>b"};
  const auto told = registry.told(registry.held.sets[0]);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->title, "title of a") << "by its folder";
}

TEST(AsSeen, AFolderWasUpdatedWhenTheLastSeenEntryCame) {
  // f came with a in s; b was put into it by t, later.
  Registry registry{{.entries = {entry("a"), entry("b")},
                     .sets = {object<SubmissionSet>("s"), object<SubmissionSet>("t")},
                     .folders = {object<Folder>("f")},
                     .associations = {relation("s", "a"), relation("s", "f"), relation("f", "a"), relation("s", "f>a"),
                                      relation("t", "b"), relation("f", "b", "20260202"), relation("t", "f>b")}}, {}};
  auto& folder = registry.held.folders[0];
  folder.last_update_time = "20260202";
  folder.codes = {code("everything")};
  EXPECT_FALSE(registry.told(folder));

  registry.hidden = {"b", "f>b", "t>b", "t>f>b"};
  auto before = folder;
  before.last_update_time = "20260101";
  EXPECT_EQ(registry.told(folder), before) << "to the letter what it was before b came";

  registry.hidden = {"a", "f>a", "s>a", "s>f>a"};
  auto part = folder;
  part.title = part.comments = "";
  part.codes = {code("class of b")};
  EXPECT_EQ(registry.told(folder), part) << "who named the folder knew of a";
}

TEST(AsSeen, AFolderWhoseHistoryIsNotKnownIsToldInPart) {
  Registry registry{{.entries = {entry("a"), entry("b")}, .sets = {}, .folders = {object<Folder>("f")},
                     .associations = {relation("f", "a"), relation("f", "b", "20260202")}}, {"b", "f>b"}};
  const auto told = registry.told(registry.held.folders[0]);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->title, "");
  EXPECT_EQ(told->codes, std::vector{code("class of a")});
  EXPECT_EQ(told->last_update_time, "20260101");
}

}  // namespace
}  // namespace xca::ebxml
