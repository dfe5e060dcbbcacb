#include "gateway/documents/shelf.hpp"

#include "gateway/documents/content.hpp"

#include "gateway/patients/choices.hpp"
#include "gateway/patients/testing.hpp"
#include "gateway/store/migrations.hpp"
#include "xca/ebxml/query_message.hpp"

namespace gateway {
std::string_view asset_schema_002_sql();
}  // namespace gateway

namespace gateway::documents {
namespace {

using patients::testing::noon;
using patients::testing::ok;
using patients::testing::patient_line;
using xca::ebxml::slot;
using xca::ebxml::understood;

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
  /// Every entry, set, folder and association of a patient that is approved.
  xca::ebxml::RegistryQuery all_of(const std::string& mrn, const std::string& root = "2.999.1.1") {
    return understood("GetAll", slot("$patientId", {"'" + mrn + "^^^&" + root + "&ISO'"}) +
                                    slot("$XDSDocumentEntryStatus", {"('Approved')"}) +
                                    slot("$XDSSubmissionSetStatus", {"('Approved')"}) +
                                    slot("$XDSFolderStatus", {"('Approved')"}));
  }
  xca::ebxml::RegistryQuery documents_of(const std::string& mrn, const std::string& root = "2.999.1.1") {
    return understood("FindDocuments",
                      slot("$XDSDocumentEntryPatientId", {"'" + mrn + "^^^&" + root + "&ISO'"}) + approved);
  }
  const std::string approved = slot("$XDSDocumentEntryStatus", {"('Approved')"});
};
ON_BOTH_DATABASES(Documents);

TEST_P(Documents, AreStoredWithTheirMetadataAndGivenBackToTheOctet) {
  const auto bytes = cda("D1", our_id, std::string(600'000, 'x'));
  const auto imported = ok(add(bytes));
  EXPECT_EQ(imported.outcome, Imported::Inserted);
  EXPECT_EQ(count("content_pieces"), 5u) << "pieces of 120 KiB";

  DocumentShelf shelf(*database_);
  const auto found = ok(shelf.concerned(*clinic_, documents_of("1"))).entries;
  ASSERT_EQ(found.size(), 1u);
  const auto& entry = found[0].resource;
  EXPECT_EQ(entry.patient, (base::Identifier{"2.999.1.1", "1"}));
  EXPECT_EQ(entry.repository_id, clinic_->repository_id);
  EXPECT_EQ(entry.home, "2.999.1");
  EXPECT_EQ(found[0].id, entry.entry_uuid);
  EXPECT_TRUE(found[0].choice.readable);
  EXPECT_EQ(ok(read_whole(*shelf.read(ok(shelf.content(entry))))), bytes);
  EXPECT_EQ(ok(list_documents(*database_, *clinic_, id_of("1"))).size(), 1u);
  EXPECT_EQ(ok(show_document(*database_, *clinic_, "2.999.7^D1")).entry_uuid, entry.entry_uuid);
}

TEST_P(Documents, AreFoundForTheirPatientOnly) {
  ok(add(cda("D1", our_id)));
  DocumentShelf shelf(*database_);
  const auto none = [&](const policy::Clinic& clinic, const xca::ebxml::RegistryQuery& query) {
    const auto held = ok(shelf.concerned(clinic, query));
    return held.entries.empty() && held.sets.empty() && held.folders.empty() && held.associations.empty();
  };
  EXPECT_FALSE(none(*clinic_, documents_of("1")));
  const auto other = add_clinic("2.999.2", "Quillport", "2.999.1.1");
  for (const bool all : {false, true}) {
    const auto query = [&](const std::string& mrn, const std::string& root = "2.999.1.1") {
      return all ? all_of(mrn, root) : documents_of(mrn, root);
    };
    EXPECT_TRUE(none(*clinic_, query("2")));
    EXPECT_TRUE(none(*clinic_, query("3")));
    EXPECT_TRUE(none(*clinic_, query("1", "2.999.5"))) << "another authority's 1";
    EXPECT_TRUE(none(other, query("1")));
  }
  auto deprecated = documents_of("1");
  deprecated.entries.status = {xca::ebxml::Availability::Deprecated};
  EXPECT_TRUE(none(*clinic_, deprecated));
}

TEST_P(Documents, AreGotByEitherIdWithTheChoiceOfTheirPatient) {
  const auto entry = ok(add(cda("D1", our_id))).entry;
  ok(add(cda("D2", our_id)));
  ok(patients::set_choice(*database_, id_of("1"), {}, {.set_by = patients::SetBy::Patient, .actor = "Ann"}, noon));
  DocumentShelf shelf(*database_);
  std::vector<std::string> unique_ids = {"'2.999.7^D1'", "'2.999.7^D2'", "'2.999.7^nothing'"};
  for (int i = 0; i < 40; ++i) unique_ids.push_back("'none " + std::to_string(i) + "'");
  const auto by_unique_id = understood("GetDocuments", slot("$XDSDocumentEntryUniqueId", unique_ids));
  const auto found = ok(shelf.concerned(*clinic_, by_unique_id)).entries;
  ASSERT_EQ(found.size(), 2u) << "each once";
  EXPECT_TRUE(found[0].choice.choice && found[0].choice.choice->purposes.empty());
  const auto by_uuid = understood("GetDocuments", slot("$XDSDocumentEntryEntryUUID", {"'" + entry.entry_uuid + "'"}));
  EXPECT_EQ(ok(shelf.concerned(*clinic_, by_uuid)).entries.size(), 1u);
  EXPECT_EQ(ok(shelf.retrievable(*clinic_, {"2.999.7^D1", "2.999.7^D1", "2.999.7^nothing"})).size(), 1u);
  const auto other = add_clinic("2.999.2", "Quillport", "2.999.2.1");
  EXPECT_TRUE(ok(shelf.concerned(other, by_unique_id)).entries.empty());
  EXPECT_TRUE(ok(shelf.retrievable(other, {"2.999.7^D1"})).empty());
}

TEST_P(Documents, HaveASubmissionSetOfTheirOwnThatSaysWhatTheirEntrySays) {
  const auto entry = ok(add(cda("D1", our_id))).entry;
  ok(add(cda("D1", our_id)));
  const auto held = ok(DocumentShelf(*database_).concerned(*clinic_, all_of("1")));
  ASSERT_EQ(held.sets.size(), 1u) << "one, however often it was imported";
  const auto& set = held.sets[0];
  EXPECT_EQ(set.patient, entry.patient);
  EXPECT_EQ(set.source_id, "2.999.1");
  EXPECT_EQ(set.content_type, entry.class_code);
  EXPECT_EQ(set.submission_time, base::write_dtm(noon));
  EXPECT_TRUE(set.unique_id.starts_with("2.25."));
  ASSERT_EQ(held.associations.size(), 1u);
  EXPECT_EQ(held.associations[0].source, set.entry_uuid);
  EXPECT_EQ(held.associations[0].target, entry.entry_uuid);
  EXPECT_EQ(held.associations[0].set_status, "Original");
}

TEST_P(Documents, ThatWereThereBeforeSetsWereGetTheirsByTheMigration) {
  const auto entry = ok(add(cda("D1", our_id))).entry;
  ok(add(cda("D2", our_id)));
  auto* session = ok(database_->session());
  for (const char* table : {"associations", "submission_sets"}) ok(session->execute(std::string("DELETE FROM ") + table));
  for (const auto& statement : store::split_statements(asset_schema_002_sql()))
    if (statement.starts_with("INSERT")) ok(session->execute(statement));
  const auto held = ok(DocumentShelf(*database_).concerned(*clinic_, all_of("1")));
  ASSERT_EQ(held.sets.size(), 2u);
  ASSERT_EQ(held.associations.size(), 2u);
  std::set<std::string> ids;
  for (const auto& set : held.sets) {
    EXPECT_EQ(set.content_type, entry.class_code);
    EXPECT_EQ(xca::ebxml::mended_uuid(set.entry_uuid), set.entry_uuid) << "a UUID in form";
    ids.insert({set.entry_uuid, set.unique_id});
  }
  for (const auto& one : held.associations) ids.insert({one.entry_uuid, one.target});
  EXPECT_EQ(ids.size(), 8u);
  EXPECT_TRUE(ids.contains("2.999.1.9.0.1") && ids.contains("2.999.1.9.0.2"));
}

TEST_P(Documents, AreReadUpToALimitThatIsSaid) {
  for (const char* id : {"D1", "D2", "D3"}) ok(add(cda(id, our_id)));
  const auto read = [&](ShelfLimits limits) {
    return ok(DocumentShelf(*database_, {}, limits).concerned(*clinic_, all_of("1")));
  };
  EXPECT_TRUE(read({.entries = 3}).cut_short.empty());
  EXPECT_EQ(read({.entries = 2}).cut_short.size(), 1u);
  EXPECT_EQ(read({.entries = 2}).entries.size(), 2u);
  EXPECT_EQ(read({.packages = 2}).cut_short.size(), 1u);
  EXPECT_EQ(read({.associations = 2}).cut_short.size(), 1u);
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
  const auto content = ok(shelf.content(entry));
  const auto read = [&](const xca::soap::StoredContent& asked) { return read_whole(*shelf.read(asked)); };
  EXPECT_TRUE(read(content));
  EXPECT_EQ(read({content.sha256, content.size - 1}).error().code, store::Errc::Unreadable);
  EXPECT_EQ(read({content.sha256, content.size + 1}).error().code, store::Errc::Unreadable);
  const auto change = [&](std::size_t at) {
    auto last = ok(session->select("SELECT bytes FROM content_pieces WHERE piece = 4", "b"))[0].bytes(0);
    last[at] ^= 1;
    ok(session->execute("UPDATE content_pieces SET bytes = :p1 WHERE piece = 4", {store::Blob{last}}));
  };
  change(0);
  EXPECT_EQ(read(content).error().code, store::Errc::Unreadable) << "one bit";
  change(0);
  EXPECT_TRUE(read(content));
  ok(session->execute("DELETE FROM content_pieces WHERE piece = 1"));
  EXPECT_EQ(read(content).error().code, store::Errc::Unreadable);
  ok(session->execute("UPDATE contents SET size = 0"));
  EXPECT_EQ(shelf.content(entry).error().code, store::Errc::Unreadable) << "nothing is not what was filed";
  ok(session->execute("DELETE FROM content_pieces"));
  ok(session->execute("DELETE FROM contents"));
  EXPECT_EQ(shelf.content(entry).error().code, store::Errc::Unreadable);
  auto unknown = entry;
  unknown.entry_uuid = "urn:uuid:none";
  EXPECT_EQ(shelf.content(unknown).error().code, Errc::NoSuchDocument);
}

TEST_P(Documents, GiveTheLastOctetsOnlyOnceAllWereProved) {
  const auto bytes = cda("D1", our_id, std::string(600'000, 'x'));
  const auto entry = ok(add(bytes)).entry;
  DocumentShelf shelf(*database_);
  ok(ok(database_->session())->execute("UPDATE content_pieces SET bytes = :p1 WHERE piece = 0",
                                       {store::Blob{Bytes(120u << 10, 'y')}}));
  const auto source = shelf.read(ok(shelf.content(entry)));
  EXPECT_EQ(source->size(), bytes.size());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(source->next());
  EXPECT_EQ(source->next().error().code, store::Errc::Unreadable);
}

class SealedDocuments : public Documents {
 protected:
  void SetUp() override {
    Documents::SetUp();
    if (IsSkipped()) return;
    entry_ = ok(add(bytes_, {.seal = seal_})).entry;
  }
  Result<Bytes> read(const std::optional<ContentSeal>& seal) {
    DocumentShelf shelf(*database_, seal);
    return read_whole(*shelf.read(ok(shelf.content(entry_))));
  }
  /// How many pieces are given before one is refused.
  std::size_t given(const std::optional<ContentSeal>& seal) {
    DocumentShelf shelf(*database_, seal);
    const auto source = shelf.read(ok(shelf.content(entry_)));
    std::size_t pieces = 0;
    for (; pieces < 5; ++pieces) {
      const auto next = source->next();
      if (next) continue;
      EXPECT_EQ(next.error().code, store::Errc::Unreadable);
      break;
    }
    return pieces;
  }
  void execute(const std::string& sql) { ok(ok(database_->session())->execute(sql)); }

  const std::string bytes_ = cda("D1", our_id, std::string(600'000, 'x'));
  const ContentSeal seal_ = ok(ContentSeal::read(ContentSeal::fresh_key()));
  const ContentSeal other_ = ok(ContentSeal::read(ContentSeal::fresh_key()));
  xca::ebxml::DocumentEntry entry_;
};
ON_BOTH_DATABASES(SealedDocuments);

TEST_P(SealedDocuments, AreGivenBackToTheOctetUnderTheirKeyAnotherAndNone) {
  EXPECT_EQ(ok(read(seal_)), bytes_);
  EXPECT_EQ(ok(read(other_)), bytes_) << "by their hash";
  EXPECT_EQ(ok(read({})), bytes_);
}

TEST_P(SealedDocuments, GiveNoPieceThatWasChanged) {
  auto& session = *ok(database_->session());
  auto third = ok(session.select("SELECT bytes FROM content_pieces WHERE piece = 2", "b"))[0].take_bytes(0);
  third[7] ^= 1;
  ok(session.execute("UPDATE content_pieces SET bytes = :p1 WHERE piece = 2", {store::Blob{third}}));
  EXPECT_EQ(given(seal_), 2u);
  EXPECT_EQ(given(other_), 4u) << "by the hash of all";
}

TEST_P(SealedDocuments, GiveNoPieceInAnothersPlace) {
  execute("UPDATE content_pieces SET piece = 9 WHERE piece = 1");
  execute("UPDATE content_pieces SET piece = 1 WHERE piece = 2");
  execute("UPDATE content_pieces SET piece = 2 WHERE piece = 9");
  EXPECT_EQ(given(seal_), 1u);
}

TEST_P(SealedDocuments, AreNotTakenForContentOfAnotherHashOrSize) {
  const std::string other_hash(64, 'a');
  execute("INSERT INTO contents (hash, size) SELECT '" + other_hash + "', size FROM contents");
  execute("UPDATE content_pieces SET hash = '" + other_hash + "'");
  execute("UPDATE documents SET content = '" + other_hash + "'");
  EXPECT_EQ(given(seal_), 0u);
  execute("UPDATE contents SET size = size + 1");
  EXPECT_EQ(given(seal_), 0u);
}

TEST_P(SealedDocuments, WithoutSealsAreProvedByTheirHash) {
  execute("UPDATE content_pieces SET seal = NULL");
  EXPECT_EQ(ok(read(seal_)), bytes_);
  ok(ok(database_->session())->execute("UPDATE content_pieces SET bytes = :p1 WHERE piece = 0",
                                       {store::Blob{Bytes(120u << 10, 'y')}}));
  EXPECT_EQ(given(seal_), 4u);
}

TEST_P(SealedDocuments, WithSealsTakenOffSomePiecesAreNotGivenOut) {
  execute("UPDATE content_pieces SET seal = NULL WHERE piece = 3");
  EXPECT_EQ(given(seal_), 3u);
  execute("UPDATE content_pieces SET seal = NULL WHERE piece = 0");
  EXPECT_EQ(ok(read(seal_)), bytes_) << "all are proved together";
}

TEST(ContentSeal, ReadsSixtyFourDigitsAndNothingElse) {
  EXPECT_TRUE(ContentSeal::read(" " + std::string(64, 'a') + "\n"));
  for (const auto& text : {std::string(), std::string(62, 'a'), std::string(66, 'a'), std::string(64, 'g')})
    EXPECT_EQ(ContentSeal::read(text).error().code, store::Errc::Unreadable) << text;
}

TEST_P(Documents, MayHaveNoOctets) {
  auto& session = *ok(database_->session());
  const auto hash = base::hex(certs::sha256(""));
  ok(insert_content(session, hash, "", {}));
  const auto content = ok(stored_content(hash, 0));
  EXPECT_EQ(ok(read_whole(*DocumentShelf(*database_).read(content))), "");
}

TEST_P(Documents, GoWithTheirPatientAndLeaveSharedContentAlone) {
  ok(add(cda("D1", our_id)));
  ok(patients::delete_patient(*database_, *clinic_, id_of("1")));
  EXPECT_EQ(count("documents") + count("contents") + count("content_pieces"), 0u);
  EXPECT_EQ(count("submission_sets") + count("associations"), 0u);

  const auto second = add_clinic("2.999.2", "Quillport", "2.999.2.1");
  ok(add(cda("D9", ""), {.patient_id = id_of("2")}));
  ok(patients::import_patients(*database_, second, patient_line("7", "Smith", "Ann", "1970-06-15"), {}, noon));
  const auto there = ok(import_document(*database_, second, cda("D9", ""), {}, noon));
  EXPECT_EQ(count("contents"), 1u) << "the same bytes are kept once";
  ok(patients::delete_patient(*database_, *clinic_, id_of("2")));
  DocumentShelf shelf(*database_);
  EXPECT_EQ(ok(read_whole(*shelf.read(ok(shelf.content(there.entry))))), cda("D9", ""));
}

}  // namespace
}  // namespace gateway::documents
