#include "gateway/documents/submission.hpp"

#include "base/error_table.hpp"
#include "gateway/documents/testing.hpp"
#include "xca/ebxml/schemes.hpp"

namespace gateway::documents {
namespace {

using patients::testing::noon;
using patients::testing::ok;
using patients::testing::patient_line;
using testing::file_of;
using testing::submission;
using testing::uuid;
using xca::ebxml::Association;
using xca::ebxml::AssociationType;
using xca::ebxml::Availability;
using xca::ebxml::DocumentEntry;
using xca::ebxml::RegistryObjects;
using xca::ebxml::slot;
using xca::ebxml::understood;

Association relation(const std::string& last, const std::string& source, const std::string& target,
                     AssociationType type = AssociationType::HasMember) {
  return {.entry_uuid = uuid(last), .home = {}, .type = type, .source = uuid(source), .target = uuid(target),
          .set_status = {}};
}

class Submissions : public patients::testing::ShelfTest {
 protected:
  void SetUp() override {
    ShelfTest::SetUp();
    if (IsSkipped()) return;
    import(patient_line("1", "Smith", "Ann", "1970-06-15") + patient_line("2", "Jones", "Bob", "1980-01-01"));
  }
  Result<ImportedSubmission> add(const RegistryObjects& objects, Instant now = noon) {
    return import_submission(*database_, *clinic_, file_of(objects), now);
  }
  std::string refusal(const RegistryObjects& objects) {
    const auto before = count("documents") + count("submission_sets") + count("folders") + count("associations");
    const auto added = add(objects);
    EXPECT_EQ(count("documents") + count("submission_sets") + count("folders") + count("associations"), before)
        << "what is refused leaves nothing behind";
    return added ? "" : std::string(base::reason_of(added.error()));
  }
  xca::ebxml::Concerned everything() {
    const auto query = understood("GetAll", slot("$patientId", {"'1^^^&2.999.1.1&ISO'"}) +
                                                slot("$XDSDocumentEntryStatus", {"('Approved','Deprecated')"}) +
                                                slot("$XDSSubmissionSetStatus", {"('Approved')"}) +
                                                slot("$XDSFolderStatus", {"('Approved')"}));
    return ok(DocumentShelf(*database_).concerned(*clinic_, query));
  }
  std::set<std::string> deprecated() {
    std::set<std::string> ids;
    for (const auto& one : everything().entries)
      if (one.resource.status == Availability::Deprecated) ids.insert(one.resource.unique_id);
    return ids;
  }
};
ON_BOTH_DATABASES(Submissions);

TEST_P(Submissions, AreStoredAsTheyStandUnderOurHomeAndRepository) {
  EXPECT_EQ(ok(add(submission("1"))).outcome, Imported::Inserted);
  const auto held = everything();
  ASSERT_EQ(held.entries.size(), 1u);
  auto expected = submission("1");
  expected.entries[0].repository_id = clinic_->repository_id;
  expected.entries[0].home = expected.sets[0].home = expected.associations[0].home = "2.999.1";
  expected.associations[0].set_status = "Original";
  expected.associations[0].entered = base::write_dtm(noon);
  EXPECT_TRUE(held.entries[0].resource == expected.entries[0]);
  EXPECT_TRUE(held.sets == expected.sets);
  EXPECT_TRUE(held.associations == expected.associations);
}

TEST_P(Submissions, AgainAreUnchangedAndOthersUnderTheirIdsRefused) {
  ok(add(submission("1")));
  EXPECT_EQ(ok(add(submission("1"))).outcome, Imported::Unchanged);
  auto changed = submission("1");
  changed.entries[0].title = "changed";
  EXPECT_EQ(refusal(changed), "document-id-taken");
  auto other_set = submission("2");
  other_set.entries[0].unique_id = submission("1").entries[0].unique_id;
  EXPECT_EQ(refusal(other_set), "document-id-taken");
  auto taken = submission("2");
  taken.sets[0].entry_uuid = uuid("d1");
  taken.associations[0].source = uuid("d1");
  EXPECT_EQ(refusal(taken), "submission-uuid-taken");
}

TEST_P(Submissions, WithSymbolsGetUuids) {
  auto symbolic = submission("1");
  symbolic.entries[0].entry_uuid = symbolic.associations[0].target = "urn:uuid:Document01";
  symbolic.sets[0].entry_uuid = symbolic.associations[0].source = "SubmissionSet01";
  symbolic.associations[0].entry_uuid = "as01";
  ok(add(symbolic));
  const auto held = everything();
  ASSERT_EQ(held.associations.size(), 1u);
  EXPECT_EQ(held.associations[0].target, held.entries.at(0).id);
  EXPECT_EQ(held.associations[0].source, held.sets.at(0).entry_uuid);
  for (const auto& id : {held.entries[0].id, held.sets[0].entry_uuid, held.associations[0].entry_uuid})
    EXPECT_TRUE(id.starts_with("urn:uuid:")) << id;
  EXPECT_EQ(ok(add(symbolic)).outcome, Imported::Unchanged);
}

TEST_P(Submissions, AreOfAKnownPatientOfThisClinicOrRefused) {
  auto foreign = submission("1");
  foreign.entries[0].patient.root = foreign.sets[0].patient.root = "2.999.5";
  EXPECT_EQ(refusal(foreign), "submission-of-other-authority");
  auto unknown = submission("1");
  unknown.entries[0].patient.extension = unknown.sets[0].patient.extension = "9";
  EXPECT_EQ(refusal(unknown), "no-such-patient");
  unknown.sets[0].patient.extension = unknown.entries[0].patient.extension = id_of("1");
  EXPECT_EQ(refusal(unknown), "no-such-patient") << "our own id of a patient is no id of the authority";
  auto incomplete = submission("1");
  incomplete.entries[0].language.clear();
  EXPECT_EQ(refusal(incomplete), "submission-incomplete");
  EXPECT_EQ(std::string(base::reason_of(import_submission(*database_, *clinic_, "<a/>", noon).error())), "not-a-cda");
}

TEST_P(Submissions, ReplaceWhatIsHeldAndDeprecateWhatHangsOnIt) {
  ok(add(submission("1")));
  auto addendum = submission("2");
  addendum.associations.push_back(relation("b2", "d2", "d1", AssociationType::Append));
  ok(add(addendum));
  auto transformed = submission("3");
  transformed.associations.push_back(relation("b3", "d3", "d2", AssociationType::Transform));
  ok(add(transformed));
  ok(add(submission("4")));
  EXPECT_EQ(deprecated(), std::set<std::string>{});
  auto version = submission("5");
  version.associations.push_back(relation("b5", "d5", "d1", AssociationType::Replace));
  ok(add(version));
  EXPECT_EQ(deprecated(), (std::set<std::string>{"2.999.8.1", "2.999.8.2", "2.999.8.3"}));
  auto late = submission("6");
  late.associations.push_back(relation("b6", "d6", "d1", AssociationType::Replace));
  EXPECT_EQ(refusal(late), "submission-reference-deprecated");
  EXPECT_EQ(ok(add(version)).outcome, Imported::Unchanged);
}

TEST_P(Submissions, ReferToWhatIsHeldOfTheirPatientOnly) {
  auto unknown = submission("1");
  unknown.associations.push_back(relation("b1", "d1", "d9", AssociationType::Append));
  EXPECT_EQ(refusal(unknown), "submission-reference-unknown");
  auto of_bob = submission("2");
  of_bob.entries[0].patient.extension = of_bob.sets[0].patient.extension = "2";
  ok(add(of_bob));
  auto across = submission("1");
  across.associations.push_back(relation("b1", "51", "d2"));
  EXPECT_EQ(refusal(across), "submission-reference-of-other-patient");
  auto of_no_document = submission("3");
  ok(add(of_no_document));
  auto replaces_a_set = submission("1");
  replaces_a_set.associations.push_back(relation("b1", "d1", "53", AssociationType::Replace));
  EXPECT_EQ(refusal(replaces_a_set), "submission-reference-unknown");
}

TEST_P(Submissions, DateAFolderByWhatWasLastPutIntoIt) {
  auto with_folder = submission("1");
  xca::ebxml::Folder folder;
  folder.entry_uuid = uuid("f1");
  folder.unique_id = "2.999.10.1";
  folder.patient = {"2.999.1.1", "1"};
  folder.last_update_time = "19990101";
  folder.codes = {{"k", "1.2", "Knee"}};
  folder.title = "Knee";
  with_folder.folders = {folder};
  with_folder.associations.push_back(relation("b1", "51", "f1"));
  with_folder.associations.push_back(relation("c1", "f1", "d1"));
  ok(add(with_folder));
  EXPECT_EQ(everything().folders.at(0).last_update_time, base::write_dtm(noon)) << "the registry's time";
  auto more = submission("2");
  more.associations.push_back(relation("c2", "f1", "d2"));
  ok(add(more, noon + std::chrono::hours(1)));
  EXPECT_EQ(everything().folders.at(0).last_update_time, base::write_dtm(noon + std::chrono::hours(1)));
}

TEST_P(Submissions, HaveNothingToRetrieve) {
  auto both = submission("1");
  auto on_demand = submission("2").entries[0];
  on_demand.type = xca::ebxml::EntryType::OnDemand;
  on_demand.size.reset();
  on_demand.hash_sha1 = on_demand.creation_time = "";
  both.entries.push_back(on_demand);
  both.associations.push_back(relation("b1", "51", "d2"));
  ok(add(both));
  DocumentShelf shelf(*database_);
  EXPECT_TRUE(ok(shelf.retrievable(*clinic_, {"2.999.8.1", "2.999.8.2"})).empty());
  const auto entry = ok(show_document(*database_, *clinic_, "2.999.8.2"));
  EXPECT_EQ(entry.type, xca::ebxml::EntryType::OnDemand);
  EXPECT_EQ(entry.size, std::nullopt);
  EXPECT_EQ(shelf.content(entry).error().code, Errc::OnlyMetadata);
  ok(patients::delete_patient(*database_, *clinic_, id_of("1")));
  EXPECT_EQ(count("documents") + count("submission_sets") + count("folders") + count("associations"), 0u);
}

TEST(SubmissionFiles, AreKnownByTheirRoot) {
  EXPECT_TRUE(is_submission(file_of({})));
  EXPECT_TRUE(is_submission(R"(<RegistryObjectList xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"/>)"));
  for (const char* other : {"", "not xml", "<ClinicalDocument xmlns=\"urn:hl7-org:v3\"/>", "<SubmitObjectsRequest/>"})
    EXPECT_FALSE(is_submission(other)) << other;
}

}  // namespace
}  // namespace gateway::documents
