#include "gateway/documents/shelf.hpp"

#include "gateway/patients/choices.hpp"
#include "gateway/patients/testing.hpp"

namespace gateway::documents {
namespace {

using patients::testing::noon;
using patients::testing::ok;
using patients::testing::patient_line;

std::string cda(const std::string& id, const std::string& patient_id_xml, const std::string& text = "None known") {
  return R"(<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="2.999.7" extension=")" + id +
         R"("/><code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/><title>Summary</title>
         <effectiveTime value="20250601103000-0500"/><recordTarget><patientRole>)" +
         patient_id_xml +
         R"(<patient><name><given>Ann</given><family>Smith</family></name><birthTime value="19700615"/></patient>
         </patientRole></recordTarget><component><structuredBody><component><section><text>)" +
         text + "</text></section></component></structuredBody></component></ClinicalDocument>";
}
const std::string our_id = R"(<id root="2.999.1.1" extension="1"/>)";

class Documents : public patients::testing::ShelfTest {
 protected:
  void SetUp() override {
    ShelfTest::SetUp();
    if (IsSkipped()) return;
    import(patient_line("1", "Smith", "Ann", "1970-06-15") + patient_line("2", "Jones", "Bob", "1980-01-01"));
  }
  Result<ImportedDocument> add(const std::string& bytes, const DocumentImport& options = {}) {
    return import_document(*database_, *clinic_, bytes, options, noon);
  }
  xca::ebxml::FindDocuments all_of(const std::string& mrn, const std::string& root = "2.999.1.1") {
    xca::ebxml::FindDocuments query;
    query.patient = {root, mrn};
    query.status = {xca::ebxml::Availability::Approved};
    return query;
  }
};
ON_BOTH_DATABASES(Documents);

TEST_P(Documents, AreStoredWithTheirMetadataAndGivenBackToTheOctet) {
  const auto bytes = cda("D1", our_id, std::string(600'000, 'x'));
  const auto imported = ok(add(bytes));
  EXPECT_EQ(imported.outcome, Imported::Inserted);
  EXPECT_EQ(count("content_pieces"), 3u) << "pieces of 256 KiB";

  DocumentShelf shelf(*database_);
  const auto found = ok(shelf.find(*clinic_, all_of("1")));
  ASSERT_EQ(found.size(), 1u);
  const auto& entry = found[0].resource;
  EXPECT_EQ(entry.patient, (base::Identifier{"2.999.1.1", "1"}));
  EXPECT_EQ(entry.repository_id, clinic_->repository_id);
  EXPECT_EQ(entry.home, "2.999.1");
  EXPECT_EQ(found[0].id, entry.entry_uuid);
  EXPECT_TRUE(found[0].choice.readable);
  EXPECT_EQ(ok(shelf.content(entry)), bytes);
  EXPECT_EQ(ok(list_documents(*database_, *clinic_, id_of("1"))).size(), 1u);
  EXPECT_EQ(ok(show_document(*database_, *clinic_, "2.999.7^D1")).entry_uuid, entry.entry_uuid);
}

TEST_P(Documents, AreFoundForTheirPatientOnly) {
  ok(add(cda("D1", our_id)));
  DocumentShelf shelf(*database_);
  EXPECT_TRUE(ok(shelf.find(*clinic_, all_of("2"))).empty());
  EXPECT_TRUE(ok(shelf.find(*clinic_, all_of("3"))).empty());
  EXPECT_TRUE(ok(shelf.find(*clinic_, all_of("1", "2.999.5"))).empty()) << "another authority's 1";
  const auto other = add_clinic("2.999.2", "Quillport", "2.999.1.1");
  EXPECT_TRUE(ok(shelf.find(other, all_of("1"))).empty());
  auto deprecated = all_of("1");
  deprecated.status = {xca::ebxml::Availability::Deprecated};
  EXPECT_TRUE(ok(shelf.find(*clinic_, deprecated)).empty());
}

TEST_P(Documents, AreGotByEitherIdWithTheChoiceOfTheirPatient) {
  const auto entry = ok(add(cda("D1", our_id))).entry;
  ok(add(cda("D2", our_id)));
  ok(patients::set_choice(*database_, id_of("1"), {}, {.set_by = patients::SetBy::Patient, .actor = "Ann"}, noon));
  DocumentShelf shelf(*database_);
  xca::ebxml::GetDocuments query;
  query.entry_uuids = {entry.entry_uuid};
  query.unique_ids = {"2.999.7^D1", "2.999.7^D2", "2.999.7^nothing"};
  for (int i = 0; i < 40; ++i) query.unique_ids.push_back("none " + std::to_string(i));
  const auto found = ok(shelf.get(*clinic_, query));
  ASSERT_EQ(found.size(), 2u) << "each once";
  EXPECT_TRUE(found[0].choice.choice && found[0].choice.choice->purposes.empty());
  const auto other = add_clinic("2.999.2", "Quillport", "2.999.2.1");
  EXPECT_TRUE(ok(shelf.get(other, query)).empty());
}

TEST_P(Documents, AgainAreUnchangedAndChangedOnesNeedANewId) {
  ok(add(cda("D1", our_id)));
  EXPECT_EQ(ok(add(cda("D1", our_id))).outcome, Imported::Unchanged);
  EXPECT_EQ(add(cda("D1", our_id, "changed")).error().code, Errc::UniqueIdTaken);
  EXPECT_EQ(add(cda("D1", our_id), {.patient_id = id_of("2")}).error().code, Errc::OtherPatient);
  EXPECT_EQ(count("documents"), 1u);
}

TEST_P(Documents, GoToWhomTheirHeaderMeansOrNowhere) {
  EXPECT_EQ(ok(add(cda("D1", our_id))).patient_id, id_of("1"));
  EXPECT_EQ(ok(add(cda("D2", ""))).patient_id, id_of("1")) << "by name and birth date";
  EXPECT_EQ(ok(add(cda("D3", R"(<id root="2.999.5" extension="77"/>)"))).patient_id, id_of("1"));
  EXPECT_EQ(add(cda("D4", R"(<id root="2.999.1.1" extension="2"/>)")).error().code, patients::Errc::NoSuchPatient)
      << "the id of one patient with the demographics of another";
  EXPECT_EQ(add(cda("D5", R"(<id root="2.999.1.1" extension="9"/>)")).error().code, patients::Errc::NoSuchPatient);
  EXPECT_EQ(ok(add(cda("D6", ""), {.patient_id = id_of("2")})).patient_id, id_of("2")) << "as staff say";
  import(patient_line("3", "Smith", "Ann", "1970-06-15"));
  EXPECT_EQ(add(cda("D7", "")).error().code, patients::Errc::AmbiguousPatient);
}

TEST_P(Documents, WhoseContentWasChangedInTheStoreAreNotGivenOut) {
  const auto entry = ok(add(cda("D1", our_id, std::string(600'000, 'x')))).entry;
  DocumentShelf shelf(*database_);
  auto* session = ok(database_->session());
  ok(session->execute("UPDATE content_pieces SET bytes = :p1 WHERE piece = 2", {store::Blob{"other"}}));
  EXPECT_EQ(shelf.content(entry).error().code, store::Errc::Unreadable);
  ok(session->execute("DELETE FROM content_pieces WHERE piece = 1"));
  EXPECT_EQ(shelf.content(entry).error().code, store::Errc::Unreadable);
  auto unknown = entry;
  unknown.entry_uuid = "urn:uuid:none";
  EXPECT_EQ(shelf.content(unknown).error().code, Errc::NoSuchDocument);
}

TEST_P(Documents, GoWithTheirPatientAndLeaveSharedContentAlone) {
  ok(add(cda("D1", our_id)));
  ok(patients::delete_patient(*database_, *clinic_, id_of("1")));
  EXPECT_EQ(count("documents") + count("contents") + count("content_pieces"), 0u);

  const auto second = add_clinic("2.999.2", "Quillport", "2.999.2.1");
  ok(add(cda("D9", ""), {.patient_id = id_of("2")}));
  ok(patients::import_patients(*database_, second, patient_line("7", "Smith", "Ann", "1970-06-15"), {}, noon));
  const auto there = ok(import_document(*database_, second, cda("D9", ""), {}, noon));
  EXPECT_EQ(count("contents"), 1u) << "the same bytes are kept once";
  ok(patients::delete_patient(*database_, *clinic_, id_of("2")));
  EXPECT_EQ(ok(DocumentShelf(*database_).content(there.entry)), cda("D9", ""));
}

}  // namespace
}  // namespace gateway::documents
