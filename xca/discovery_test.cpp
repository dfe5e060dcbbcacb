#include "xca/discovery.hpp"

#include "xca/admitted.hpp"
#include "xca/check_emitted.hpp"
#include "xca/hl7v3/query_message.hpp"
#include "xca/query.hpp"
#include "xca/retrieve.hpp"
#include "xca/wss/testing.hpp"

#include <gmock/gmock.h>

namespace xca {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace made = wss::testing;

constexpr std::string_view soap_type = "application/soap+xml; charset=UTF-8";

/// A signed request with this payload, and what reads it.
struct Received {
  explicit Received(std::string payload, std::string_view action = patient_discovery.request_action) {
    auto pieces = made::sign(made::Request());
    pieces.payload = std::move(payload);
    wire = made::envelope(pieces);
    const std::size_t begin = wire.find("urn:ihe:iti:2007:CrossGatewayQuery");
    if (begin != std::string::npos)
      wire.replace(begin, std::string_view("urn:ihe:iti:2007:CrossGatewayQuery").size(), action);
  }
  template <class Exchange>
  Result<Exchange> open() const {
    const auto envelope = soap::Envelope::open(soap_type, wire);
    if (!envelope) return envelope.error();
    return Exchange::open(*envelope, made::rules(), made::noon());
  }
  std::string wire;
};

/// All an answer is made with.
struct House {
  wss::Signer signer{made::partner()};
  base::UuidStream ids{base::Seed{}};
  Answering answering() { return {.signer = signer, .ids = ids, .now = made::noon()}; }
};

std::string text_of(const soap::Answer& answer) {
  std::string text;
  for (const auto& piece : answer.pieces) {
    const auto* stored = std::get_if<soap::StoredPiece>(&piece);
    text += stored ? base::base64(stored->content.sha256) : std::get<base::Bytes>(piece);
  }
  return text;
}

const hl7v3::Responder responder{.home = "2.999.7", .device = "2.999.7.9", .authority = "2.999.7.1"};
const std::string retrieve_two =
    R"(<x:RetrieveDocumentSetRequest xmlns:x="urn:ihe:iti:xds-b:2007"><x:DocumentRequest><x:HomeCommunityId>urn:oid:2.999.7</x:HomeCommunityId><x:RepositoryUniqueId>r</x:RepositoryUniqueId><x:DocumentUniqueId>a</x:DocumentUniqueId></x:DocumentRequest>)"
    R"(<x:DocumentRequest><x:HomeCommunityId>urn:oid:2.999.7</x:HomeCommunityId><x:RepositoryUniqueId>r</x:RepositoryUniqueId><x:DocumentUniqueId>b</x:DocumentUniqueId></x:DocumentRequest></x:RetrieveDocumentSetRequest>)";
const std::string find_query =
    R"(<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><q:ResponseOption returnType="ObjectRef"/><r:AdhocQuery id="urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4" home="urn:oid:2.999.7"><r:Slot name="$XDSDocumentEntryUniqueId"><r:ValueList><r:Value>('1.2.3')</r:Value></r:ValueList></r:Slot></r:AdhocQuery></q:AdhocQueryRequest>)";

TEST(PatientDiscovery, OpensASignedQueryAndAnswersItSigned) {
  const Received received(hl7v3::QueryMessage{}.text());
  const auto discovery = received.open<PatientDiscovery>();
  ASSERT_TRUE(discovery) << discovery.error().code.message() << discovery.error().detail;
  EXPECT_EQ(discovery->query().sender_home, "2.999.4");
  House house;
  const auto answer = discovery->answer(
      released<hl7v3::PatientMatch>({{.id = {"2.999.7.1", "P"}, .person = {}, .score = 90, .custodian = "2.999.7"}}),
      responder, house.answering());
  EXPECT_EQ(answer.status, 200u);
  EXPECT_THAT(text_of(answer), HasSubstr(R"(<queryResponseCode code="OK">)"));
  EXPECT_THAT(text_of(answer), HasSubstr(">urn:uuid:1</wsa:RelatesTo>"));
  EXPECT_THAT(text_of(answer), HasSubstr(std::string(patient_discovery.response_action)));
  EXPECT_EQ(first_finding(text_of(answer)), "");
  EXPECT_EQ(official_findings({text_of(answer)}), "");
}

TEST(PatientDiscovery, AnswersADeniedPatientAsAnUnknownOne) {
  const Received received(hl7v3::QueryMessage{}.text());
  const auto discovery = received.open<PatientDiscovery>();
  ASSERT_TRUE(discovery);
  const hl7v3::PatientMatch match{.id = {"2.999.7.1", "P"}, .person = {}, .score = 90, .custodian = "2.999.7"};
  House one, other, open;
  const std::string denied =
      text_of(discovery->answer(released<hl7v3::PatientMatch>({match}, {}), responder, one.answering()));
  EXPECT_EQ(denied, text_of(discovery->answer(released<hl7v3::PatientMatch>({}), responder, other.answering())));
  EXPECT_NE(denied, text_of(discovery->answer(released<hl7v3::PatientMatch>({match}), responder, open.answering())));
}

TEST(PatientDiscovery, JudgesSecurityBeforeItReadsTheBody) {
  const Received unreadable(hl7v3::QueryMessage{.query_id = ""}.text());
  EXPECT_EQ(unreadable.open<PatientDiscovery>().error().code, hl7v3::Errc::FieldMissing);
  const auto envelope = soap::Envelope::open(soap_type, unreadable.wire);
  ASSERT_TRUE(envelope);
  const auto later = PatientDiscovery::open(*envelope, made::rules(), made::noon() + std::chrono::hours(1));
  EXPECT_EQ(later.error().code, wss::Errc::MessageExpired);
}

TEST(Exchanges, RefuseThePayloadOfAnother) {
  const Received query(find_query, cross_gateway_query.request_action);
  EXPECT_TRUE(query.open<CrossGatewayQuery>());
  EXPECT_EQ(query.open<PatientDiscovery>().error().code, soap::Errc::ActionNotSupported);
  EXPECT_EQ(query.open<CrossGatewayRetrieve>().error().code, soap::Errc::ActionNotSupported);
}

TEST(CrossGatewayQuery, AnswersWithEntriesOrOneError) {
  const Received received(find_query, cross_gateway_query.request_action);
  const auto query = received.open<CrossGatewayQuery>();
  ASSERT_TRUE(query);
  ebxml::DocumentEntry entry;
  entry.entry_uuid = "urn:uuid:5b4f80c3-a627-4fdb-8354-c0bfa1928376";
  entry.unique_id = "1.2.3";
  House house, another;
  const auto let_go = released<ebxml::DocumentEntry>({entry});
  const ebxml::Concerned held;
  const ebxml::PermittedView view(let_go, held);
  const auto understood = std::get<ebxml::RegistryQuery>(ebxml::read_query(query->query()));
  const std::string found =
      text_of(query->answer(std::get<ebxml::Selection>(ebxml::answer_from(view, understood)), "2.999.7",
                            house.answering()));
  EXPECT_THAT(
      found, HasSubstr(R"(<rim:ObjectRef home="urn:oid:2.999.7" id="urn:uuid:5b4f80c3-a627-4fdb-8354-c0bfa1928376">)"));
  EXPECT_EQ(first_finding(found), "");
  const std::string refused =
      text_of(query->answer({ebxml::RegistryErrorCode::UnknownStoredQuery, "x"}, "2.999.7", another.answering()));
  EXPECT_THAT(refused, HasSubstr("XDSUnknownStoredQuery"));
  EXPECT_EQ(first_finding(refused), "");
}

TEST(CrossGatewayRetrieve, AnswersEachRequestAndSignsHeadersOnly) {
  const Received received(retrieve_two, cross_gateway_retrieve.request_action);
  const auto retrieve = received.open<CrossGatewayRetrieve>();
  ASSERT_TRUE(retrieve) << retrieve.error().code.message();
  House house;
  const std::string text =
      text_of(retrieve->answer(released<ebxml::RetrievedDocument>({{retrieve->requests()[1], "text/plain", {"hello", 5}}}),
                               {}, "2.999.7", house.answering()));
  EXPECT_THAT(text, HasSubstr("<xds:Document>aGVsbG8=</xds:Document>"));
  EXPECT_THAT(text, HasSubstr("The document is not available: a"));
  EXPECT_THAT(text, HasSubstr("PartialSuccess"));
  EXPECT_EQ(first_finding(text), "");
  House full;
  const auto discovery = Received(hl7v3::QueryMessage{}.text()).open<PatientDiscovery>();
  ASSERT_TRUE(discovery);
  const auto references = [](const std::string& answer) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = answer.find("<ds:Reference ", at)) != std::string::npos; ++at) ++count;
    return count;
  };
  EXPECT_EQ(references(text) + 1,
            references(text_of(discovery->answer(hl7v3::Problem::AnswerNotAvailable, responder, full.answering()))));
}

}  // namespace
}  // namespace xca
