#include "base/error_table.hpp"
#include "xca/ebxml/query_message.hpp"

namespace xca::ebxml {
namespace {

using Values = std::vector<std::string>;

Values values_of(const Values& written) {
  const auto query = read(adhoc_query(slot("$p", written)));
  if (!query) return {"error: " + query.error().code.message()};
  const auto& slots = query->parameters.at("$p");
  return slots.empty() ? Values{} : slots.at(0);
}

TEST(ReadStoredQuery, ReadsValuesAsPeersWriteThem) {
  const std::pair<Values, Values> rows[] = {
      {{"'a'"}, {"a"}},
      {{"('a','b')"}, {"a", "b"}},
      {{"( 'a' , 'b' )"}, {"a", "b"}},
      {{"('a')", "('b','c')"}, {"a", "b", "c"}},  // several rim:Value are one list
      {{"'a'", "'b'"}, {"a", "b"}},               // without parentheses
      {{"'a','b'"}, {"a", "b"}},
      {{"('a','b'"}, {"a", "b"}},                                   // unclosed
      {{"\"a\""}, {"a"}},                                           // double quotes
      {{"(urn:uuid:a,urn:uuid:b)"}, {"urn:uuid:a", "urn:uuid:b"}},  // unquoted
      {{"20180101"}, {"20180101"}},
      {{"'a,b'"}, {"a,b"}},                          // a comma inside quotes
      {{"('O''Brien','(x)')"}, {"O'Brien", "(x)"}},  // an escaped quote
      {{"'O'Brien'"}, {"O'Brien"}},                  // one that should have been
      {{"'a"}, {"a"}},
      {{"''"}, {}},
      {{"('','a',,)"}, {"a"}},
      {{""}, {}},
      {{"()"}, {}},
      {{"''''"}, {"'"}},
  };
  for (const auto& [written, expected] : rows)
    EXPECT_EQ(values_of(written), expected) << testing::PrintToString(written);
}

TEST(ReadStoredQuery, KeepsSlotsOfOneNameApart) {
  const auto query = read(adhoc_query(slot("$p", {"('a','b')"}) + slot("$p", {"('c')"}) + slot("$q", {"1"})));
  ASSERT_TRUE(query);
  EXPECT_EQ(query->parameters.at("$p"), (std::vector<Values>{{"a", "b"}, {"c"}}));
  EXPECT_EQ(query->parameters.at("$q"), (std::vector<Values>{{"1"}}));
}

TEST(ReadStoredQuery, MendsIdsAndHomesAsPeersWriteThem) {
  for (const char* id : {"urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d", "14d4debf-8f97-4251-9a74-a90016b0af0d",
                         " urn:uuid:14D4DEBF-8f97-4251-9a74- a90016b0af0d "})
    EXPECT_EQ(read(adhoc_query("", id))->id, id_of("FindDocuments")) << id;
  EXPECT_EQ(read(adhoc_query("", "x", "home=\"urn:oid:2.999.7\""))->home, "2.999.7");
  EXPECT_EQ(read(adhoc_query("", "x", "home=\" 2.999.7 \""))->home, "2.999.7");
  EXPECT_EQ(read(adhoc_query("", "x", ""))->home, "");
}

TEST(ReadStoredQuery, RefusesWhatCannotBeRead) {
  const auto why = [](const std::string& message, const QueryLimits& limits = {}) {
    const auto query = read(message, limits);
    return query ? "" : std::string(base::reason_of(query.error()));
  };
  EXPECT_EQ(why("<a/>"), "not-a-registry-query");
  EXPECT_EQ(why(adhoc_query(slot("$p", {"'a'"}))), "");
  EXPECT_EQ(why(adhoc_query(slot("", {"'a'"}))), "query-slot-unreadable");
  EXPECT_EQ(why(adhoc_query("<r:Slot name=\"p\"><r:ValueList><r:Value>1.2<x/>.3</r:Value></r:ValueList></r:Slot>")),
            "query-slot-unreadable");
  EXPECT_EQ(values_of({"'1.2<!-- -->.3'"}), (Values{"1.2<!-- -->.3"}));
  EXPECT_EQ(
      read(adhoc_query("<r:Slot name=\"p\"><r:ValueList><r:Value>'1.2<!-- -->.3'</r:Value></r:ValueList></r:Slot>"))
          ->parameters.at("p"),
      (std::vector<Values>{{"1.2.3"}}));
  const std::string two = slot("$p", {"('aa','b')"}) + slot("$q", {"'c'"});
  EXPECT_EQ(why(adhoc_query(two), {.slots = 2, .values_per_query = 3, .value_characters = 2}), "");
  EXPECT_EQ(why(adhoc_query(two), {.slots = 1, .values_per_query = 3, .value_characters = 2}), "query-too-large");
  EXPECT_EQ(why(adhoc_query(two), {.slots = 2, .values_per_query = 2, .value_characters = 2}), "query-too-large");
  EXPECT_EQ(why(adhoc_query(two), {.slots = 2, .values_per_query = 3, .value_characters = 1}), "query-slot-unreadable");
}

TEST(ReadStoredQuery, RefusesHiddenCharactersInWhatIdentifiesAndKeepsNamesAsSent_X10) {
  for (const std::string hidden : {"\xE2\x80\x8B", "\xC2\xAD", "\xE2\x80\xAE", "\t"}) {
    const auto value = "('a','1.2" + hidden + ".3')";
    const auto refused = read(adhoc_query(slot("$XDSDocumentEntryUniqueId", {value})));
    ASSERT_FALSE(refused) << value;
    EXPECT_EQ(base::reason_of(refused.error()), "query-slot-unreadable");
    EXPECT_TRUE(read(adhoc_query(slot("$XDSDocumentEntryAuthorPerson", {value})))) << value;
  }
  EXPECT_TRUE(read(adhoc_query(slot("$XDSDocumentEntryUniqueId", {"('a',\n\t'b')"}))));
  const std::string composed = "Ren\xC3\xA9", decomposed = "Rene\xCC\x81";
  EXPECT_NE(values_of({"'" + composed + "'"}), values_of({"'" + decomposed + "'"}));
}

TEST(ReadStoredQuery, ReadsTheQueriesOfOtherImplementations) {
  if (!std::filesystem::exists(base::shared_samples())) GTEST_SKIP() << "no shared samples";
  std::size_t read_ones = 0;
  for (const char* directory : {"xca/query/requests", "nist-stored-query/queries"})
    for (const auto& entry : std::filesystem::directory_iterator(base::shared_samples() / directory)) {
      if (entry.path().extension() != ".xml") continue;
      const auto query = read(base::read_file(entry.path()));
      ASSERT_TRUE(query) << entry.path() << query.error().code.message();
      EXPECT_EQ(query->id.size(), 36u) << entry.path();
      ++read_ones;
    }
  EXPECT_GE(read_ones, 80u);
}

}  // namespace
}  // namespace xca::ebxml
