#include "gateway/patients/merges.hpp"

#include "gateway/documents/shelf.hpp"
#include "gateway/patients/choices.hpp"
#include "gateway/patients/shelf.hpp"
#include "gateway/patients/testing.hpp"

namespace gateway::patients {
namespace {

using policy::Purpose;
using policy::PurposeSet;
using testing::noon;
using testing::ok;
using testing::patient_line;

constexpr PurposeSet treatment{Purpose::Treatment}, payment{Purpose::Payment},
    both{Purpose::Treatment, Purpose::Payment};

class Merges : public testing::ShelfTest {
 protected:
  void SetUp() override {
    ShelfTest::SetUp();
    if (IsSkipped()) return;
    import(patient_line("A", "Quillfeather", "Odessa", "1971-08-14") +
           patient_line("B", "Miller", "Odessa", "1971-08-14") + patient_line("C", "Quill", "Dessa", "1971-08-14"));
    for (const char* mrn : {"A", "B", "C"}) id_[mrn] = id_of(mrn);
  }

  Result<void> merge(const std::string& survivor, const std::string& retired) {
    return merge_patients(*database_, *clinic_, id_[survivor], id_[retired], change_, next());
  }
  Result<void> unmerge(const std::string& retired) {
    return unmerge_patient(*database_, *clinic_, id_[retired], change_, next());
  }
  void choose(const std::string& mrn, std::optional<PurposeSet> purposes) {
    const ChoiceChange by{.set_by = SetBy::Patient, .actor = "herself"};
    if (purposes) {
      ok(set_choice(*database_, id_[mrn], *purposes, by, next()));
    } else {
      ok(clear_choice(*database_, id_[mrn], by, next()));
    }
  }
  std::optional<PurposeSet> chosen(const std::string& mrn) {
    const auto facts = ok(choice_facts(*database_, id_[mrn]));
    EXPECT_TRUE(facts.readable);
    return facts.choice ? std::optional(facts.choice->purposes) : std::nullopt;
  }
  /// The record number that a query finds; empty for none or several.
  std::string found(const std::string& family, std::vector<Identifier> ids = {}) {
    PatientQuery query;
    if (!family.empty()) {
      query.sought.names = {{family, {"Odessa"}, "", ""}};
      query.birth = xca::hl7v3::BirthDates{"19710814", "19710814"};
    }
    query.ids = std::move(ids);
    const auto candidates = ok(PatientShelf(*database_).match(*clinic_, query));
    return candidates.matches.size() == 1 ? candidates.matches[0].resource.id.extension : "";
  }
  void file(const std::string& mrn, const std::string& unique_id) {
    auto* session = ok(database_->session());
    ok(session->execute("INSERT INTO documents (entry_uuid, clinic, patient, unique_id, status, content, metadata,"
                        " creation_time, entered_at)"
                        " VALUES (:p1, :p2, :p3, :p1, 'Approved', 'x', '{}', '20230101', 0)",
                        {unique_id, clinic_->id, id_[mrn]}));
  }
  std::string filed_under(const std::string& mrn) {
    auto* session = ok(database_->session());
    std::string all;
    for (const auto& row : ok(session->select(
             "SELECT unique_id FROM documents WHERE patient = :p1 ORDER BY unique_id", "t", {id_[mrn]})))
      all += row.text(0);
    return all;
  }
  Instant next() { return noon + std::chrono::seconds(++seconds_); }

  std::map<std::string, std::string> id_;
  const MergeChange change_{.actor = "Eve", .reason = "registered twice"};
  int seconds_ = 0;
};
ON_BOTH_DATABASES(Merges);

TEST_P(Merges, MakeAllRecordsOfAPersonKnownByAnyOfThem) {
  const auto of = [&](const std::string& mrn) { return ok(records_of_person(*database_, id_[mrn])); };
  EXPECT_EQ(of("B"), std::vector{id_["B"]});
  ok(merge("A", "B"));
  EXPECT_EQ(of("A"), (std::vector{id_["A"], id_["B"]}));
  EXPECT_EQ(of("B"), of("A"));
  EXPECT_EQ(of("C"), std::vector{id_["C"]});
  ok(unmerge("B"));
  EXPECT_EQ(of("B"), std::vector{id_["B"]});
  EXPECT_EQ(records_of_person(*database_, "nobody").error().code, Errc::NoSuchPatient);
}

TEST_P(Merges, LetEveryNameAndNumberOfTheRetiredFindTheSurvivor) {
  EXPECT_EQ(found("Miller"), "B");
  ok(merge("A", "B"));
  EXPECT_EQ(found("Quillfeather"), "A");
  EXPECT_EQ(found("Miller"), "A") << "known by her other name";
  EXPECT_EQ(found("", {{"2.999.1.1", "B"}}), "A");
  EXPECT_EQ(found("Miller", {{"2.999.1.1", "B"}}), "A");
  EXPECT_EQ(ok(show_patient(*database_, *clinic_, "B")).mrn, "A");
  EXPECT_EQ(ok(show_patient(*database_, *clinic_, "B")).named_as, id_["B"]);
  EXPECT_EQ(ok(search_patients(*database_, *clinic_, {.words = "miller"})).at(0).mrn, "A");
  EXPECT_EQ(ok(search_patients(*database_, *clinic_, {})).size(), 2u);
  import(patient_line("B", "Millerman", "Odessa", "1971-08-14"));
  EXPECT_EQ(found("Millerman"), "A") << "news of the retired record";
  EXPECT_EQ(found("Miller"), "");
  ok(unmerge("B"));
  EXPECT_EQ(found("Millerman"), "B");
  EXPECT_EQ(found("Quillfeather"), "A");
}

TEST_P(Merges, FollowAChainAndRefuseACycle) {
  ok(merge("B", "C"));
  ok(merge("A", "B"));
  EXPECT_EQ(found("", {{"2.999.1.1", "C"}}), "A");
  EXPECT_EQ(merge("C", "A").error().code, Errc::MergeCycle);
  EXPECT_EQ(merge("B", "A").error().code, Errc::MergeCycle);
  EXPECT_EQ(merge("A", "A").error().code, Errc::MergeCycle);
  EXPECT_EQ(merge("A", "C").error().code, Errc::AlreadyMerged);
  EXPECT_EQ(unmerge("C").error().code, Errc::MergedFurther);
  EXPECT_EQ(unmerge("A").error().code, Errc::NotMerged);
  EXPECT_EQ(delete_patient(*database_, *clinic_, id_["A"]).error().code, Errc::HasRetired);
  ok(unmerge("B"));
  EXPECT_EQ(found("", {{"2.999.1.1", "C"}}), "B");
  ok(unmerge("C"));
  EXPECT_EQ(found("", {{"2.999.1.1", "C"}}), "C");
  EXPECT_EQ(ok(merge_history(*database_, id_["B"])).size(), 4u);
}

TEST_P(Merges, PermitWhatBothPermit) {
  struct Row {
    const char* what;
    std::optional<PurposeSet> survivor, retired, merged;
  };
  const Row table[] = {
      {"nobody chose", {}, {}, {}},
      {"the survivor alone chose", treatment, {}, treatment},
      {"the retired alone chose", {}, payment, payment},
      {"both", both, payment, payment},
      {"nothing in common", treatment, payment, PurposeSet{}},
      {"the retired opted out", both, PurposeSet{}, PurposeSet{}},
  };
  for (const auto& row : table) {
    choose("A", row.survivor);
    choose("B", row.retired);
    ok(merge("A", "B"));
    EXPECT_EQ(chosen("A"), row.merged) << row.what;
    EXPECT_EQ(chosen("B"), row.merged) << row.what;
    ok(unmerge("B"));
    EXPECT_EQ(chosen("A"), row.survivor) << row.what;
    EXPECT_EQ(chosen("B"), row.retired) << row.what;
  }
}

TEST_P(Merges, TakenBackLeaveWhatWasDeniedMeanwhileWithBoth) {
  struct Row {
    const char* what;
    std::optional<PurposeSet> survivor, retired, meanwhile, survivor_after, retired_after;
  };
  const Row table[] = {
      {"a denial", both, both, payment, payment, payment},
      {"an opt-out of those who had not chosen", {}, {}, PurposeSet{}, PurposeSet{}, PurposeSet{}},
      {"a grant goes to nobody", treatment, PurposeSet{}, both, treatment, PurposeSet{}},
      {"all permitted: the defaults stay the defaults", {}, {}, both, {}, {}},
      {"back to the defaults", treatment, payment, {}, treatment, payment},
  };
  for (const auto& row : table) {
    choose("A", row.survivor);
    choose("B", row.retired);
    ok(merge("A", "B"));
    choose("B", row.meanwhile);
    EXPECT_EQ(chosen("A"), row.meanwhile) << row.what << ": a word about the retired is one about the survivor";
    ok(unmerge("B"));
    EXPECT_EQ(chosen("A"), row.survivor_after) << row.what;
    EXPECT_EQ(chosen("B"), row.retired_after) << row.what;
  }
}

TEST_P(Merges, KeepThePatientsWordFromStaffWithoutABasis) {
  choose("B", payment);
  ok(merge("A", "B"));
  EXPECT_EQ(set_choice(*database_, id_["A"], both, {.set_by = SetBy::Staff, .actor = "Eve"}, next()).error().code,
            Errc::BasisMissing);
}

TEST_P(Merges, FileDocumentsUnderTheSurvivorAndGiveThemBack) {
  auto* session = ok(database_->session());
  ok(session->execute("INSERT INTO contents (hash, size) VALUES ('x', 0)"));
  file("A", "1"), file("B", "2"), file("C", "3");
  ok(merge("B", "C"));
  ok(merge("A", "B"));
  EXPECT_EQ(filed_under("A"), "123");
  ok(unmerge("B"));
  EXPECT_EQ(filed_under("A"), "1");
  EXPECT_EQ(filed_under("B"), "23");
  ok(unmerge("C"));
  EXPECT_EQ(filed_under("B"), "2");
  EXPECT_EQ(filed_under("C"), "3");
}

TEST_P(Merges, WithAChoiceThatCannotBeReadAreNotMade) {
  choose("B", payment);
  auto* session = ok(database_->session());
  ok(session->execute("UPDATE purpose_choices SET purposes = 999"));
  EXPECT_EQ(merge("A", "B").error().code, Errc::RecordUnreadable);
  EXPECT_EQ(found("Miller"), "B");
  EXPECT_EQ(count("patient_merges"), 0u);
}

TEST_P(Merges, ThatSomebodyBentIntoACircleShareNothing) {
  ok(merge("A", "B"));
  auto* session = ok(database_->session());
  ok(session->execute("UPDATE patients SET survivor = :p1 WHERE id = :p2", {id_["B"], id_["A"]}));
  PatientQuery query;
  query.ids = {{"2.999.1.1", "B"}};
  for (const auto& held : ok(PatientShelf(*database_).match(*clinic_, query)).matches) EXPECT_FALSE(held.choice.readable);
  EXPECT_EQ(show_patient(*database_, *clinic_, "B").error().code, Errc::RecordUnreadable);
}

TEST_P(Merges, SayWhoAndOfWhom) {
  EXPECT_EQ(merge_patients(*database_, *clinic_, id_["A"], id_["B"], {.actor = " ", .reason = "x"}, noon).error().code,
            Errc::ActorMissing);
  EXPECT_EQ(merge_patients(*database_, *clinic_, id_["A"], "nobody", change_, noon).error().code, Errc::NoSuchPatient);
  const auto other = add_clinic("2.999.2", "Quillport", "2.999.2.1");
  EXPECT_EQ(merge_patients(*database_, other, id_["A"], id_["B"], change_, noon).error().code, Errc::NoSuchPatient);
}

}  // namespace
}  // namespace gateway::patients
