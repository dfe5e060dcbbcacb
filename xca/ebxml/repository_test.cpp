#include "xca/ebxml/repository.hpp"

#include "xca/check_emitted.hpp"

#include <gmock/gmock.h>

namespace xca::ebxml {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string request(const std::string& parts) {
  return "<x:RetrieveDocumentSetRequest xmlns:x=\"urn:ihe:iti:xds-b:2007\">" + parts +
         "</x:RetrieveDocumentSetRequest>";
}
std::string one(const std::string& parts) { return "<x:DocumentRequest>" + parts + "</x:DocumentRequest>"; }
const std::string home = "<x:HomeCommunityId>urn:oid:2.999.7</x:HomeCommunityId>";
const std::string repository = "<x:RepositoryUniqueId>2.999.7.5</x:RepositoryUniqueId>";
const std::string document = "<x:DocumentUniqueId> 1.2^3 </x:DocumentUniqueId>";

Result<std::vector<DocumentRequest>> read(const std::string& message, std::size_t documents_max = 1000) {
  const auto parsed = base::xml::Document::parse(message);
  if (!parsed) return parsed.error();
  auto payload = parsed->root();
  if (const auto body = payload.first_child(soap::ns::soap, "Body")) payload = *body->first_child();
  return read_retrieve(payload, documents_max);
}

TEST(ReadRetrieve, ReadsTheThreePartsInAnyOrderAndEitherCase) {
  const std::vector<DocumentRequest> expected = {{"urn:oid:2.999.7", "2.999.7.5", "1.2^3"}};
  EXPECT_EQ(*read(request(one(home + repository + document))), expected);
  EXPECT_EQ(*read(request(one(document + "<x:homeCommunityId>urn:oid:2.999.7</x:homeCommunityId>" + repository))),
            expected);
  EXPECT_EQ(read(request(one(repository + document)))->at(0).home, "");
}

TEST(ReadRetrieve, RefusesPartsThatAreMissingDoubledOrNoIdentifiers) {
  const auto refused = [](const std::string& message) {
    const auto requests = read(message);
    return !requests && requests.error().code == Errc::BadDocumentRequest;
  };
  EXPECT_FALSE(refused(request(one(home + repository + document))));
  for (const std::string& parts :
       {home + repository, home + document, home + home + repository + document,
        home + repository + document + document,
        home + repository + "<x:DocumentUniqueId>" + std::string(257, '1') + "</x:DocumentUniqueId>",
        home + repository + "<x:DocumentUniqueId>1&#x200B;2</x:DocumentUniqueId>",
        home + repository + "<x:DocumentUniqueId>1<b/>2</x:DocumentUniqueId>"})
    EXPECT_TRUE(refused(request(one(parts)))) << parts;
  EXPECT_TRUE(refused(request("")));
  EXPECT_EQ(read("<a/>").error().code, Errc::NotAQuery);
  const std::string two = one(home + repository + document) + one(home + repository + document);
  EXPECT_TRUE(read(request(two), 2));
  EXPECT_EQ(read(request(two), 1).error().code, Errc::TooManyValues);
}

TEST(ReadRetrieve, ReadsTheRequestsOfOtherImplementations) {
  const auto directory = base::shared_samples() / "xca" / "retrieve" / "requests";
  if (!std::filesystem::exists(directory)) GTEST_SKIP() << "no shared samples";
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    EXPECT_TRUE(read(base::read_file(entry.path()))) << entry.path();
  const auto homeless =
      read(base::read_file(base::shared_samples() / "negative" / "nist-12312-retrieve-missing-home.xml"));
  ASSERT_TRUE(homeless);
  EXPECT_EQ(homeless->at(0).home, "");
}

std::vector<RetrievedDocument> documents() {
  return {{{"urn:oid:2.999.7", "2.999.7.5", "1.2^<&"}, "text/xml", {"aa", 4}},
          {{"2.999.7", "2.999.7.5", "x"}, "bad\r\ntype: x", {"bb", 5}},
          {{"", "r", "empty"}, "text/plain", {"e3", 0}}};
}

TEST(WriteRetrieveAnswer, WritesEveryFormValidAndCanonical) {
  const std::vector<RegistryError> errors = {
      document_error(RegistryErrorCode::DocumentUniqueIdError, {"", "r", "a<\"b"})};
  std::vector<std::string> inline_answers;
  base::UuidStream ids(base::Seed{});
  for (const auto& some : {documents(), {}})
    for (const auto& wrong : {errors, {}}) {
      inline_answers.push_back(write_retrieve_answer(some, wrong, "2.999.7", soap::Encoding::Simple, ids).payload);
      const auto mtom = write_retrieve_answer(some, wrong, "2.999.7", soap::Encoding::Mtom, ids).payload;
      EXPECT_EQ(first_finding(mtom), "") << mtom;
      EXPECT_EQ(canonical_form(mtom), mtom);
    }
  expect_well_emitted(inline_answers);
}

TEST(WriteRetrieveAnswer, RepeatsTheRequestAsItWasWritten) {
  base::UuidStream ids(base::Seed{});
  const std::string text = write_retrieve_answer(documents(), {}, "2.999.7", soap::Encoding::Simple, ids).payload;
  EXPECT_THAT(text, HasSubstr("<xds:HomeCommunityId>urn:oid:2.999.7</"
                              "xds:HomeCommunityId><xds:RepositoryUniqueId>2.999.7.5</xds:RepositoryUniqueId>"
                              "<xds:DocumentUniqueId>1.2^&lt;&amp;</xds:DocumentUniqueId><xds:mimeType>text/xml</"
                              "xds:mimeType><xds:Document></xds:Document>"));
  EXPECT_THAT(text, HasSubstr("<xds:DocumentResponse><xds:RepositoryUniqueId>r</xds:RepositoryUniqueId>"));
  EXPECT_THAT(text, HasSubstr("ResponseStatusType:Success"));
}

TEST(WriteRetrieveAnswer, PutsBytesIntoAttachmentsThatThePayloadNames) {
  base::UuidStream ids(base::Seed{});
  const auto answer = write_retrieve_answer(documents(), {}, "2.999.7", soap::Encoding::Mtom, ids);
  ASSERT_EQ(answer.attachments.size(), 3u);
  EXPECT_EQ(answer.attachments[0].content, (soap::StoredContent{"aa", 4}));
  EXPECT_EQ(answer.attachments[0].content_type, "text/xml");
  EXPECT_EQ(answer.attachments[1].content_type, "application/octet-stream");
  for (const auto& attachment : answer.attachments) {
    EXPECT_TRUE(attachment.content_id.ends_with("@gatehouse"));
    EXPECT_THAT(answer.payload, HasSubstr("href=\"cid:" + attachment.content_id + "\""));
  }
  EXPECT_NE(answer.attachments[0].content_id, answer.attachments[1].content_id);
}

TEST(WriteRetrieveAnswer, SaysWhereBase64GoesInAPlainAnswer) {
  base::UuidStream ids(base::Seed{});
  auto answer = write_retrieve_answer(documents(), {}, "2.999.7", soap::Encoding::Simple, ids);
  ASSERT_EQ(answer.attachments.size(), 3u);
  for (auto attachment = answer.attachments.rbegin(); attachment != answer.attachments.rend(); ++attachment)
    answer.payload.insert(attachment->at, attachment->content.sha256);
  EXPECT_THAT(answer.payload, HasSubstr("<xds:Document>aa</xds:Document>"));
  EXPECT_THAT(answer.payload, HasSubstr("<xds:Document>bb</xds:Document>"));
  EXPECT_THAT(answer.payload, HasSubstr("<xds:Document>e3</xds:Document>"));
}

TEST(WriteRetrieveAnswer, NamesAFailedDocumentByItsOwnIdAlone) {
  base::UuidStream ids(base::Seed{});
  const auto error = document_error(RegistryErrorCode::DocumentUniqueIdError, {"h", "r", "1.2^3"});
  const std::string text = write_retrieve_answer({}, {error}, "2.999.7", soap::Encoding::Simple, ids).payload;
  EXPECT_THAT(
      text,
      HasSubstr(
          R"(codeContext="The document is not available: 1.2^3" errorCode="XDSDocumentUniqueIdError" location="urn:oid:2.999.7")"));
  EXPECT_THAT(text, HasSubstr("ResponseStatusType:Failure"));
  EXPECT_THAT(text, Not(HasSubstr("DocumentResponse>")));
}

}  // namespace
}  // namespace xca::ebxml
