#include "gateway/patients/choices.hpp"

namespace gateway::patients {
namespace {

using store::Value;

/// The one way a choice changes from outside.
Result<std::string> append(store::Database& database, const std::string& named_id,
                           std::optional<policy::PurposeSet> purposes, const ChoiceChange& change, Instant now) {
  if (base::trim(change.actor).empty()) return fail(Errc::ActorMissing);
  auto* session = TRY(database.session());
  std::string id;
  TRY(session->transaction([&]() -> Result<void> {
    // The write comes first: it holds the patient's row, so that two changes come one after the other.
    const auto held = TRY(session->execute(
        "UPDATE patients SET updated_at = updated_at WHERE id = :p1 OR"
        " id = (SELECT survivor FROM patients r WHERE r.id = :p1)", {named_id}));
    if (held == 0) return fail(Errc::NoSuchPatient);
    const auto rows =
        TRY(session->select("SELECT p.clinic, p.choice, w.set_by, p.id FROM patients r"
                            " JOIN patients p ON p.id = COALESCE(r.survivor, r.id)"
                            " LEFT JOIN purpose_choices w ON w.id = p.choice WHERE r.id = :p1",
                            "tttt", {named_id}));
    const auto& last = rows.at(0);
    // Where the last word cannot be read, it may have been the patient's.
    const bool by_patient = !last.is_null(1) && last.optional_text(2).value_or("patient") != "staff";
    if (change.set_by == SetBy::Staff && by_patient && base::trim(change.basis).empty())
      return fail(Errc::BasisMissing);
    id = TRY(write_choice(*session, last.text(0), last.text(3), purposes, change, now));
    return {};
  }));
  return id;
}

}  // namespace

Result<std::string> set_choice(store::Database& database, const std::string& patient_id, policy::PurposeSet purposes,
                               const ChoiceChange& change, Instant now) {
  return append(database, patient_id, purposes, change, now);
}

Result<std::string> clear_choice(store::Database& database, const std::string& patient_id, const ChoiceChange& change,
                                 Instant now) {
  return append(database, patient_id, std::nullopt, change, now);
}

Result<std::vector<ChoiceRow>> choice_history(store::Database& database, const std::string& patient_id) {
  auto* session = TRY(database.session());
  const auto rows = TRY(
      session->select("SELECT w.id, w.purposes, w.set_by, w.actor, w.basis, w.set_at, p.choice FROM purpose_choices w"
                      " JOIN patients p ON p.id = w.patient WHERE w.patient = :p1 ORDER BY w.set_at, w.id",
                      "titttit", {patient_id}));
  std::vector<ChoiceRow> history;
  for (const auto& row : rows) {
    ChoiceRow one{.id = row.text(0),
                  .purposes = row.is_null(1) ? std::nullopt : policy::PurposeSet::from_bits(row.integer(1)),
                  .set_by = row.text(2),
                  .actor = row.text(3),
                  .basis = row.text(4),
                  .set_at = base::from_micros(row.integer(5)),
                  .in_force = row.optional_text(6) == row.text(0)};
    one.readable = row.is_null(1) || one.purposes.has_value();
    history.push_back(std::move(one));
  }
  return history;
}

Result<policy::ChoiceFacts> choice_facts(store::Database& database, const std::string& patient_id) {
  auto* session = TRY(database.session());
  const auto rows = TRY(session->select("SELECT " + std::string(choice_columns) +
                                            " FROM patients r JOIN patients p ON p.id = COALESCE(r.survivor, r.id)"
                                            " JOIN clinics c ON c.id = p.clinic"
                                            " LEFT JOIN purpose_choices w ON w.id = p.choice WHERE r.id = :p1",
                                        choice_letters, {patient_id}));
  if (rows.empty()) return fail(Errc::NoSuchPatient);
  return read_choice(rows.front(), 0);
}

Result<ChoiceWord> choice_word(store::Session& session, const std::optional<std::string>& id) {
  if (!id) return ChoiceWord{};
  const auto rows = TRY(session.select("SELECT purposes, set_by FROM purpose_choices WHERE id = :p1", "it", {*id}));
  if (rows.size() != 1) return fail(Errc::RecordUnreadable, "purpose_choices");
  const auto& row = rows.front();
  ChoiceWord word{.purposes = {}, .set_by = row.text(1) == "patient" ? SetBy::Patient : SetBy::Staff};
  if (row.is_null(0)) return word;
  word.purposes = policy::PurposeSet::from_bits(row.integer(0));
  if (!word.purposes || (row.text(1) != "patient" && row.text(1) != "staff")) {
    return fail(Errc::RecordUnreadable, "purpose_choices");
  }
  return word;
}

Result<std::string> write_choice(store::Session& session, const std::string& clinic_id, const std::string& patient_id,
                                 std::optional<policy::PurposeSet> purposes, const ChoiceChange& change, Instant now,
                                 const ChoiceOrigin& origin) {
  const auto id = random_id();
  TRY(session.execute(
      "INSERT INTO purpose_choices (id, clinic, patient, purposes, set_by, actor, basis, set_at, given_at, source)"
      " VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7, :p8, :p9, :p10)",
      {id, clinic_id, patient_id, purposes ? Value(purposes->bits()) : Value(),
       std::string(change.set_by == SetBy::Patient ? "patient" : "staff"), change.actor, change.basis,
       base::to_micros(now), origin.given_at ? Value(base::to_micros(*origin.given_at)) : Value(), origin.source}));
  TRY(session.execute("UPDATE patients SET choice = :p1 WHERE id = :p2", {id, patient_id}));
  return id;
}

}  // namespace gateway::patients
