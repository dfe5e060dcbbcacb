#pragma once
// Submissions for tests, as a registry would send them. For tests alone.

#include "gateway/patients/testing.hpp"
#include "xca/ebxml/query_message.hpp"
#include "xca/ebxml/write_objects.hpp"

namespace gateway::documents::testing {

inline std::string uuid(const std::string& last) {
  return "urn:uuid:5b4f80c3-a627-4fdb-8354-" + std::string(12 - last.size(), '0') + last;
}

/// A submission of one document of patient 1: set, entry and membership, with ids that end in `n`.
inline xca::ebxml::RegistryObjects submission(const std::string& n) {
  xca::ebxml::DocumentEntry entry;
  entry.entry_uuid = uuid("d" + n);
  entry.unique_id = "2.999.8." + n;
  entry.patient = entry.source_patient = {std::string(patients::testing::authority), "1"};
  entry.mime_type = "text/xml";
  entry.hash_sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
  entry.size = 36;
  entry.creation_time = "20260101";
  entry.language = "en-US";
  entry.class_code = entry.type_code = entry.format_code = entry.facility_type = entry.practice_setting =
      {"c", "1.2", "C"};
  entry.confidentiality_codes = {{"N", "2.16.840.1.113883.5.25", "normal"}};
  xca::ebxml::SubmissionSet set;
  set.entry_uuid = uuid("5" + n);
  set.unique_id = "2.999.9." + n;
  set.patient = entry.patient;
  set.source_id = "2.999.6";
  set.submission_time = "20260102";
  set.content_type = {"c", "1.2", "C"};
  xca::ebxml::RegistryObjects objects{.entries = {entry}, .sets = {set}, .folders = {}, .associations = {}};
  objects.associations = {{.entry_uuid = uuid("a" + n), .home = {}, .source = set.entry_uuid,
                           .target = entry.entry_uuid, .set_status = {}}};
  return objects;
}

inline std::string file_of(const xca::ebxml::RegistryObjects& objects) {
  std::string text = R"(<l:SubmitObjectsRequest xmlns:l="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" )"
                     R"(xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><rim:RegistryObjectList>)";
  for (const auto& one : objects.entries) append_object(text, one, "");
  for (const auto& one : objects.sets) append_object(text, one, "");
  for (const auto& one : objects.folders) append_object(text, one, "");
  for (const auto& one : objects.associations) append_object(text, one, "");
  return text + "</rim:RegistryObjectList></l:SubmitObjectsRequest>";
}

}  // namespace gateway::documents::testing
