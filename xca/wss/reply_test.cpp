#include "xca/wss/reply.hpp"

#include "base/shared_samples.hpp"
#include "xca/schema.hpp"
#include "xca/wss/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace xca::wss {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view payload =
    R"(<x:RetrieveDocumentSetRequest xmlns:x="urn:ihe:iti:xds-b:2007"><x:DocumentRequest><x:RepositoryUniqueId>1.2</x:RepositoryUniqueId><x:DocumentUniqueId>caf&amp;é</x:DocumentUniqueId></x:DocumentRequest></x:RetrieveDocumentSetRequest>)";

Reply reply(ResponseSignature signature = ResponseSignature::Full) {
  return {.action = "urn:ihe:iti:2007:CrossGatewayQueryResponse",
          .relates_to = "urn:uuid:<1>&\"2\"",
          .signature_values = {"QUJD", "REVG\nR0hJ"},
          .signature = signature};
}

std::string written(const Reply& answer, std::string_view body = payload) {
  static const Signer signer(partner());
  base::UuidStream ids(base::Seed{});
  return write_envelope(answer, body, signer, ids, noon());
}

/// A file of this test run, gone with it.
class Scratch {
 public:
  Scratch(std::string_view name, std::string_view text)
      : path_(std::filesystem::temp_directory_path() /
              ("gatehouse-reply-" + std::to_string(::getpid()) + std::string(name))) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~Scratch() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

bool runs(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

/// True where the xmlsec1 command verifies the one signature of the message with our certificate.
bool xmlsec_verifies(const std::string& message) {
  const Scratch file(".xml", message), certificate(".pem", partner().certificate.to_pem());
  std::string command = "xmlsec1 --verify --pubkey-cert-pem " + certificate.path();
  const std::string wsu = " --id-attr:Id ";
  for (const auto* element :
       {"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd:Timestamp",
        "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd:SignatureConfirmation",
        "urn:gatehouse:notice:1:Notice",
        "http://www.w3.org/2005/08/addressing:Action", "http://www.w3.org/2005/08/addressing:MessageID",
        "http://www.w3.org/2005/08/addressing:To", "http://www.w3.org/2005/08/addressing:RelatesTo",
        "http://www.w3.org/2003/05/soap-envelope:Body"})
    command += wsu + element;
  return runs(command + " " + file.path());
}

std::string without_confirmation_values(Reply answer) {
  answer.signature_values.clear();
  return written(answer);
}

TEST(Reply, GoesToTheAddressItIsCalledAt) {
  auto answer = reply();
  EXPECT_THAT(written(answer), HasSubstr(">http://www.w3.org/2005/08/addressing/anonymous</wsa:To>"));
  answer.to = "https://a.example/?b&c";
  EXPECT_THAT(written(answer), HasSubstr("wsu:Id=\"TO\">https://a.example/?b&amp;c</wsa:To>"));
}

TEST(SignedReply, VerifiesWithXmlsec) {
  if (!runs("command -v xmlsec1")) GTEST_SKIP() << "no xmlsec1";
  for (const auto signature : {ResponseSignature::Full, ResponseSignature::Headers}) {
    const auto message = written(reply(signature));
    EXPECT_TRUE(xmlsec_verifies(message));
    EXPECT_TRUE(xmlsec_verifies(without_confirmation_values(reply(signature))));
    for (const auto* part : {"12:00:00.000Z<", "QUJD", "QueryResponse<", "addressing/anonymous<", "uuid:&lt;1"})
      EXPECT_FALSE(xmlsec_verifies(replaced(message, part, std::string(part).insert(1, "1")))) << part;
    const auto altered_body = replaced(message, "caf&amp;", "tea&amp;");
    EXPECT_EQ(xmlsec_verifies(altered_body), signature == ResponseSignature::Headers);
  }
}

Reply with_notices(ResponseSignature signature) {
  auto answer = reply(signature);
  answer.notices = {{.document = "2.999.7^\"A&B\"", .scope = "By consent c1.", .statement = "Do <not> pass on."},
                    {.document = "2.999.7.8", .scope = "", .statement = "Nor this."}};
  return answer;
}

TEST(SignedReply, TellsNoticesInASignedHeaderBlockThatNobodyNeedUnderstand) {
  for (const auto signature : {ResponseSignature::Full, ResponseSignature::Headers, ResponseSignature::None}) {
    const auto message = written(with_notices(signature));
    EXPECT_THAT(message, HasSubstr("<gh:Part2 document=\"2.999.7^&quot;A&amp;B&quot;\" scope=\"By consent c1.\">"
                                   "Do &lt;not&gt; pass on.</gh:Part2><gh:Part2 document=\"2.999.7.8\" scope=\"\">"));
    for (const auto& finding : schemas().validate(message)) ADD_FAILURE() << finding.message;
    const auto envelope = soap::Envelope::open("application/soap+xml", message);
    ASSERT_TRUE(envelope) << envelope.error().detail;
    const auto notice = envelope->header().first_child(soap::notice_namespace, "Notice");
    ASSERT_TRUE(notice);
    EXPECT_FALSE(notice->attribute(soap::ns::soap, "mustUnderstand"));
    EXPECT_EQ(notice->children().size(), 2u);
    EXPECT_EQ(message.find("URI=\"#NOTICE\"") != std::string::npos, signature != ResponseSignature::None);
    if (signature == ResponseSignature::None || !runs("command -v xmlsec1")) continue;
    EXPECT_TRUE(xmlsec_verifies(message));
    EXPECT_FALSE(xmlsec_verifies(replaced(message, "pass on", "pass it on")));
  }
}

TEST(SignedReply, WithoutNoticesIsWhatItEverWas) {
  EXPECT_THAT(written(reply()), Not(HasSubstr("otice")));
  EXPECT_THAT(written(reply()), HasSubstr("</wsa:RelatesTo><wsse:Security"));
}

TEST(SignedReply, SaysWhatItAnswersAndWithWhichKey) {
  const auto message = written(reply());
  const auto envelope = soap::Envelope::open("application/soap+xml", message);
  ASSERT_TRUE(envelope) << envelope.error().detail;
  EXPECT_EQ(envelope->addressing().action, "urn:ihe:iti:2007:CrossGatewayQueryResponse");
  EXPECT_EQ(envelope->addressing().relates_to, "urn:uuid:<1>&\"2\"");
  EXPECT_EQ(envelope->addressing().to, soap::anonymous);
  EXPECT_THAT(envelope->addressing().message_id, ::testing::StartsWith("urn:uuid:"));
  EXPECT_THAT(message, HasSubstr(base::base64(partner().certificate.der())));
  EXPECT_THAT(message, HasSubstr("<wsu:Expires>2026-11-21T12:05:00.000Z</wsu:Expires>"));
  EXPECT_THAT(message, HasSubstr(" Value=\"REVG&#xA;R0hJ\" wsu:Id=\"SC-1\""));
  EXPECT_THAT(without_confirmation_values(reply()), Not(HasSubstr(" Value=")));
  EXPECT_THAT(without_confirmation_values(reply()), HasSubstr("SC-0"));
}

TEST(SignedReply, StandsUnsignedWhereThePartnerWantsItSo) {
  const auto message = written(reply(ResponseSignature::None));
  EXPECT_THAT(message, HasSubstr("<wsu:Timestamp"));
  for (const auto* part : {"ds:Signature", "BinarySecurityToken", "SignatureConfirmation"})
    EXPECT_THAT(message, Not(HasSubstr(part)));
}

TEST(SignedReply, IsValidByOurSchemasAndThePublishedOnes) {
  const auto published = base::shared_samples().parent_path() / "schemas" / "drivers" / "soap-all.xsd";
  for (const auto signature : {ResponseSignature::Full, ResponseSignature::Headers, ResponseSignature::None}) {
    const auto message = written(reply(signature));
    for (const auto& finding : schemas().validate(message)) ADD_FAILURE() << finding.message;
    if (!std::filesystem::exists(published)) continue;
    for (const auto& one : {message, written(with_notices(signature))}) {
      const Scratch file(".xml", one);
      EXPECT_TRUE(runs("xmllint --nonet --noout --schema " + published.string() + " " + file.path()));
    }
  }
}

}  // namespace
}  // namespace xca::wss
