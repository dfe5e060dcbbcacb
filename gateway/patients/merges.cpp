#include "gateway/patients/merges.hpp"

#include "gateway/patients/consents.hpp"

#include <algorithm>

namespace gateway::patients {
namespace {

using policy::PurposeSet;
using store::Value;
using OwnSet = std::optional<PurposeSet>;

constexpr std::size_t merged_max = 1000;  ///< records merged into one

/// A record as a merge sees it. While a transaction has one, its row is held.
struct Part {
  std::string id;
  std::optional<std::string> merged_into, survivor, choice;
};

Result<Part> hold(store::Session& session, const policy::Clinic& clinic, const std::string& id) {
  TRY(session.execute("UPDATE patients SET updated_at = updated_at WHERE id = :p1", {id}));
  const auto rows = TRY(session.select(
      "SELECT merged_into, survivor, choice FROM patients WHERE id = :p1 AND clinic = :p2", "ttt", {id, clinic.id}));
  if (rows.empty()) return fail(Errc::NoSuchPatient);
  return Part{id, rows[0].optional_text(0), rows[0].optional_text(1), rows[0].optional_text(2)};
}

/// What both permit; whoever has no set of their own permits what the other does.
OwnSet intersection(const OwnSet& a, const OwnSet& b) {
  if (!a || !b) return a ? a : b;
  return PurposeSet::from_bits(a->bits() & b->bits());
}

SetBy stronger(SetBy a, SetBy b) { return a == SetBy::Patient || b == SetBy::Patient ? SetBy::Patient : SetBy::Staff; }

ChoiceChange because(const char* what, const MergeChange& change, SetBy set_by) {
  return {.set_by = set_by, .actor = change.actor, .basis = std::string(what) + ": " + change.reason};
}

struct Event {
  const char* kind;
  std::string survivor, retired;
  std::optional<std::string> survivor_choice, retired_choice, choice;
};

Result<void> write_event(store::Session& session, const policy::Clinic& clinic, const Event& event,
                         const MergeChange& change, Instant now) {
  const auto or_null = [](const std::optional<std::string>& text) { return text ? Value(*text) : Value(); };
  const Value values[] = {random_id(),
                          clinic.id,
                          std::string(event.kind),
                          event.survivor,
                          event.retired,
                          or_null(event.survivor_choice),
                          or_null(event.retired_choice),
                          or_null(event.choice),
                          change.actor,
                          change.reason,
                          base::to_micros(now)};
  return session.insert_rows(
      "patient_merges (id, clinic, kind, survivor, retired, survivor_choice, retired_choice, choice, actor, reason,"
      " done_at)",
      std::size(values), values);
}

/// Everything that was merged into a record, itself first.
Result<std::vector<std::string>> with_merged(store::Session& session, const std::string& id) {
  std::vector<std::string> all{id};
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const auto& row : TRY(session.select("SELECT id FROM patients WHERE merged_into = :p1", "t", {all[i]}))) {
      if (all.size() == merged_max) return fail(Errc::RecordUnreadable, "merges without end");
      all.push_back(row.text(0));
    }
  }
  return all;
}

/// One record's choice once it stands alone again: what it was before, without what was denied since.
struct Narrowed {
  OwnSet purposes;
  SetBy set_by = SetBy::Staff;
};
Narrowed narrowed(const ChoiceWord& before, const ChoiceWord& since, PurposeSet defaults) {
  Narrowed result{before.purposes, before.set_by};
  if (!since.purposes) return result;
  result.set_by = stronger(before.set_by, since.set_by);
  const auto wide = before.purposes.value_or(defaults);
  const auto narrow = intersection(wide, since.purposes);
  if (narrow != wide) result.purposes = narrow;
  return result;
}

/// The set of purposes a clinic permits now. @error Errc::RecordUnreadable
Result<PurposeSet> defaults_of(store::Session& session, const policy::Clinic& clinic) {
  const auto rows = TRY(session.select("SELECT purposes FROM clinics WHERE id = :p1", "i", {clinic.id}));
  const auto set = rows.size() == 1 ? PurposeSet::from_bits(rows[0].integer(0)) : std::nullopt;
  if (!set) return fail(Errc::RecordUnreadable, "clinics.purposes");
  return *set;
}

/// What is filed under a patient.
constexpr const char* filed[] = {"documents", "submission_sets", "folders", "associations"};

Result<void> take_over(store::Session& session, const Part& survivor, const Part& retired) {
  for (const std::string table : filed) {
    TRY(session.execute(
        "UPDATE " + table + " SET origin = COALESCE(origin, patient), patient = :p1 WHERE patient = :p2",
        {survivor.id, retired.id}));
  }
  return {};
}

Result<void> give_back(store::Session& session, const Part& survivor, const std::vector<std::string>& records) {
  const auto& retired = records.front();
  for (const std::string table : filed) {
    for (const auto& origin : records) {
      TRY(session.execute("UPDATE " + table + " SET patient = :p1 WHERE patient = :p2 AND origin = :p3",
                          {retired, survivor.id, origin}));
    }
    TRY(session.execute("UPDATE " + table + " SET origin = NULL WHERE patient = :p1 AND origin = :p1", {retired}));
  }
  return {};
}

}  // namespace

Result<void> merge_patients(store::Database& database, const policy::Clinic& clinic, std::string_view survivor_id,
                            std::string_view retired_id, const MergeChange& change, Instant now) {
  if (base::trim(change.actor).empty()) return fail(Errc::ActorMissing);
  auto* session = TRY(database.session());
  return session->transaction([&]() -> Result<void> {
    const auto retired = TRY(hold(*session, clinic, std::string(retired_id)));
    auto survivor = TRY(hold(*session, clinic, std::string(survivor_id)));
    if (survivor.survivor) survivor = TRY(hold(*session, clinic, std::string(*survivor.survivor)));
    if (survivor.survivor) return fail(Errc::RecordUnreadable, "a survivor that is retired itself");
    if (survivor.id == retired.id) return fail(Errc::MergeCycle);
    if (retired.survivor) return fail(Errc::AlreadyMerged);

    const auto ours = TRY(choice_word(*session, survivor.choice)), theirs = TRY(choice_word(*session, retired.choice));
    Event event{"merge", survivor.id, retired.id, survivor.choice, retired.choice, survivor.choice};
    const auto both = intersection(ours.purposes, theirs.purposes);
    if (both != ours.purposes) {
      event.choice = TRY(write_choice(*session, clinic.id, survivor.id, both,
                                      because("merge", change, stronger(ours.set_by, theirs.set_by)), now));
    }
    TRY(session->execute("UPDATE patients SET merged_into = :p1, survivor = :p1 WHERE id = :p2",
                         {survivor.id, retired.id}));
    TRY(session->execute("UPDATE patients SET survivor = :p1 WHERE survivor = :p2", {survivor.id, retired.id}));
    TRY(take_over(*session, survivor, retired));
    TRY(session->execute("UPDATE patients SET consents = consents + (SELECT r.consents FROM patients r"
                         " WHERE r.id = :p2) WHERE id = :p1",
                         {survivor.id, retired.id}));
    return write_event(*session, clinic, event, change, now);
  });
}

Result<void> unmerge_patient(store::Database& database, const policy::Clinic& clinic, std::string_view retired_id,
                             const MergeChange& change, Instant now) {
  if (base::trim(change.actor).empty()) return fail(Errc::ActorMissing);
  auto* session = TRY(database.session());
  return session->transaction([&]() -> Result<void> {
    const auto retired = TRY(hold(*session, clinic, std::string(retired_id)));
    if (!retired.merged_into) return fail(Errc::NotMerged);
    const auto survivor = TRY(hold(*session, clinic, *retired.merged_into));
    if (survivor.survivor) return fail(Errc::MergedFurther);
    const auto merges = TRY(session->select(
        "SELECT survivor_choice, choice, done_at FROM patient_merges WHERE retired = :p1 AND survivor = :p2 AND"
        " kind = 'merge' ORDER BY done_at DESC LIMIT 1",
        "tti", {retired.id, survivor.id}));
    if (merges.empty()) return fail(Errc::RecordUnreadable, "a merge without its history");
    const auto merged_at = base::from_micros(merges[0].integer(2));

    const auto before = TRY(choice_word(*session, merges[0].optional_text(0)));
    const auto theirs = TRY(choice_word(*session, retired.choice));
    const auto now_in_force = TRY(choice_word(*session, survivor.choice));
    const auto defaults = TRY(defaults_of(*session, clinic));
    const bool spoken_since = survivor.choice != merges[0].optional_text(1);
    const auto since = spoken_since ? now_in_force : ChoiceWord{};
    const auto ours_after = narrowed(before, since, defaults), theirs_after = narrowed(theirs, since, defaults);

    Event event{"unmerge", survivor.id, retired.id, survivor.choice, retired.choice, survivor.choice};
    if (ours_after.purposes != now_in_force.purposes) {
      event.choice = TRY(write_choice(*session, clinic.id, survivor.id, ours_after.purposes,
                                      because("unmerge", change, ours_after.set_by), now));
    }
    if (theirs_after.purposes != theirs.purposes) {
      TRY(write_choice(*session, clinic.id, retired.id, theirs_after.purposes,
                       because("unmerge", change, theirs_after.set_by), now));
    }
    const auto records = TRY(with_merged(*session, retired.id));
    for (const auto& record : records) {
      TRY(session->execute("UPDATE patients SET survivor = :p1 WHERE id = :p2", {retired.id, record}));
    }
    TRY(session->execute("UPDATE patients SET survivor = NULL, merged_into = NULL WHERE id = :p1", {retired.id}));
    TRY(give_back(*session, survivor, records));
    const auto rest = TRY(with_merged(*session, survivor.id));
    TRY(part_consents(*session, {.clinic = clinic.id, .ones = rest, .others = records, .since = merged_at}));
    return write_event(*session, clinic, event, change, now);
  });
}

Result<std::vector<MergeRow>> merge_history(store::Database& database, const std::string& patient_id) {
  auto* session = TRY(database.session());
  std::vector<MergeRow> history;
  for (const auto& row : TRY(session->select(
           "SELECT m.kind, s.mrn, r.mrn, m.actor, m.reason, m.done_at FROM patient_merges m"
           " LEFT JOIN patients s ON s.id = m.survivor LEFT JOIN patients r ON r.id = m.retired"
           " WHERE m.survivor = :p1 OR m.retired = :p1 ORDER BY m.done_at, m.id",
           "ttttti", {patient_id}))) {
    history.push_back({.merged = row.text(0) == "merge",
                       .survivor_mrn = row.optional_text(1).value_or(""),
                       .retired_mrn = row.optional_text(2).value_or(""),
                       .actor = row.text(3),
                       .reason = row.text(4),
                       .done_at = base::from_micros(row.integer(5))});
  }
  return history;
}

Result<std::string> record_named(store::Database& database, const policy::Clinic& clinic, std::string_view id_or_mrn) {
  auto* session = TRY(database.session());
  const auto rows = TRY(session->select("SELECT id FROM patients WHERE clinic = :p1 AND (id = :p2 OR mrn = :p2)", "t",
                                        {clinic.id, std::string(id_or_mrn)}));
  if (rows.empty()) return fail(Errc::NoSuchPatient);
  if (rows.size() > 1) return fail(Errc::AmbiguousPatient);
  return rows[0].text(0);
}

Result<std::vector<std::string>> records_of_person(store::Database& database, const std::string& patient_id) {
  auto* session = TRY(database.session());
  const auto rows = TRY(session->select("SELECT COALESCE(survivor, id) FROM patients WHERE id = :p1", "t",
                                        {patient_id}));
  if (rows.empty()) return fail(Errc::NoSuchPatient);
  std::vector<std::string> records{rows[0].text(0)};
  for (const auto& row :
       TRY(session->select("SELECT id FROM patients WHERE survivor = :p1 ORDER BY id", "t", {records[0]}))) {
    records.push_back(row.text(0));
  }
  return records;
}

}  // namespace gateway::patients
