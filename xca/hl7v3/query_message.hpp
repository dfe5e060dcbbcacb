#pragma once
// A PRPA_IN201305UV02 to vary. For *_test.cpp only.

#include "base/xml/document.hpp"
#include "xca/hl7v3/patient_discovery.hpp"

#include <gtest/gtest.h>

namespace xca::hl7v3 {

/// The pieces of a request; each test replaces the one it is about.
struct QueryMessage {
  std::string root = "PRPA_IN201305UV02";
  std::string id = R"(<id root="1.2.3" extension="m1"/>)";
  std::string interaction = R"(<interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201305UV02"/>)";
  std::string processing = R"(<processingCode code="P"/>)";
  std::string receiver = party("receiver", "RCV", R"(<id root="2.999.7"/>)");
  std::string sender = party("sender", "SND", R"(<id root="2.999.4"/>)");
  std::string author =
      R"(<authorOrPerformer><assignedDevice><id root="2.999.4.1"/></assignedDevice></authorOrPerformer>)";
  std::string query_id = R"(<queryId root="2.999.4" extension="q1"/>)";
  std::string codes = R"(<statusCode code="new"/><responseModalityCode code="R"/><responsePriorityCode code="I"/>)";
  std::string criteria = {};
  std::string parameters =
      R"(<livingSubjectBirthTime><value value="19710814"/></livingSubjectBirthTime>)"
      R"(<livingSubjectName><value><family>Quill</family><given>Odessa</given></value></livingSubjectName>)";
  std::string after_parameters = {};

  static std::string party(std::string name, std::string code, std::string organization_ids) {
    return "<" + name + " typeCode=\"" + code +
           R"("><device classCode="DEV" determinerCode="INSTANCE"><id root="2.999.9"/><asAgent classCode="AGNT">)" +
           R"(<representedOrganization classCode="ORG" determinerCode="INSTANCE">)" + organization_ids +
           "</representedOrganization></asAgent></device></" + name + ">";
  }
  std::string by_parameter() const {
    return "<queryByParameter>" + query_id + codes + criteria + "<parameterList>" + parameters + "</parameterList>" +
           after_parameters + "</queryByParameter>";
  }
  std::string text() const {
    return "<" + root + R"( xmlns="urn:hl7-org:v3" ITSVersion="XML_1.0">)" + id + interaction + processing + receiver +
           sender + R"(<controlActProcess classCode="CACT" moodCode="EVN">)" + author + by_parameter() +
           "</controlActProcess></" + root + ">";
  }
};

inline Result<PatientQuery> read(const std::string& message) {
  const auto document = base::xml::Document::parse(message);
  if (!document) return document.error();
  return read_query(document->root());
}

/// The query read, or an empty one and a failed test.
inline PatientQuery must_read(const QueryMessage& message) {
  auto query = read(message.text());
  EXPECT_TRUE(query) << message.text();
  return query ? *query : PatientQuery{};
}

/// The answer an outcome gives to a query.
inline std::string answer_to(const PatientQuery& query, const QueryOutcome& outcome = {}) {
  return write_answer(query, outcome, {.home = "2.999.7", .device = "2.999.7.9", .authority = "2.999.7.1"},
                      "0c9a3b7e-51d2-4a86-9e0f-7b6a5c4d3e21", base::from_micros(1'772'463'845'000'000));
}

}  // namespace xca::hl7v3
