#include "xca/emitted.hpp"

#include "xca/ebxml/registry_response.hpp"

#include <gtest/gtest.h>

namespace xca {
namespace {

ebxml::DocumentEntry entry(const std::string& number) {
  ebxml::DocumentEntry made;
  made.entry_uuid = "urn:uuid:5b4f80c3-a627-4fdb-8354-c0bfa19283" + number;
  made.unique_id = "2.999.7.5." + number;
  made.repository_id = "2.999.7.5";
  made.home = "2.999.7";
  made.patient = made.source_patient = {"2.999.7.1", "P-1"};
  made.mime_type = "text/xml";
  made.hash_sha1 = "1ba1d7f758adae0240df144ec10ee717eecfca3c";
  made.size = 63;
  made.creation_time = "20260115093000";
  made.language = "en-US";
  made.title = "Visit <rim:ExtrinsicObject & more";
  made.class_code = made.type_code = {"34133-9", "2.16.840.1.113883.6.1", "Summary"};
  made.format_code = {"urn:hl7-org:sdwg:ccda-structuredBody:2.1", "1.3.6.1.4.1.19376.1.2.3", ""};
  made.facility_type = {"35971002", "2.16.840.1.113883.6.96", "Ambulatory"};
  made.practice_setting = {"394802001", "2.16.840.1.113883.6.96", "General"};
  made.confidentiality_codes = {{"N", "2.16.840.1.113883.5.25", "Normal"}};
  return made;
}

std::string answer(const std::vector<std::string>& numbers) {
  ebxml::RegistryObjects registry;
  for (const auto& number : numbers) registry.entries.push_back(entry(number));
  return ebxml::write_query_answer({.objects = ebxml::objects_of(registry)}, ebxml::ReturnType::LeafClass, "2.999.7");
}

std::string spoilt(std::string text) {
  const auto at = text.rfind("<rim:Name>");
  return text.insert(at, "<rim:Name></rim:Name><rim:Stranger></rim:Stranger>");
}

TEST(EmittedGate, RemembersTheObjectsItFoundValid) {
  EmittedGate gate;
  EXPECT_TRUE(gate.passes(answer({"71", "72"})));
  EXPECT_EQ(gate.remembered(), 2u);
  EXPECT_TRUE(gate.passes(answer({"72", "73", "71"})));
  EXPECT_EQ(gate.remembered(), 3u);
  EXPECT_TRUE(gate.passes(answer({})));
  EXPECT_EQ(gate.remembered(), 3u);
}

TEST(EmittedGate, LetsNothingInvalidPassHoweverMuchAroundItIsKnown) {
  EmittedGate gate;
  ASSERT_TRUE(gate.passes(answer({"71", "72"})));
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(gate.passes(spoilt(answer({"71", "72"})))) << "an object";
    EXPECT_FALSE(gate.passes(spoilt(answer({"73"})))) << "an object by itself";
    EXPECT_FALSE(gate.passes("<x>" + answer({"71"}) + "</x>")) << "the frame";
    EXPECT_FALSE(gate.passes(answer({"71"}).substr(1)));
  }
  EXPECT_EQ(gate.remembered(), 2u) << "nothing of a refused answer is remembered";
}

TEST(EmittedGate, ForgetsWhatWasNotSeenForLong) {
  EmittedGate gate(4);
  for (const auto* number : {"11", "12", "13", "14", "15", "16", "17"}) {
    EXPECT_TRUE(gate.passes(answer({number})));
    EXPECT_LE(gate.remembered(), 4u);
  }
  EXPECT_TRUE(gate.passes(answer({"11", "17"})));
}

}  // namespace
}  // namespace xca
