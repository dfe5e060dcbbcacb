#include "gateway/patients/break_glass.hpp"

#include "gateway/patients/names.hpp"

#include <algorithm>
#include <set>

namespace gateway::patients {
namespace {

using store::Value;

constexpr std::size_t grants_read_max = 100;  ///< of one person, for a decision

constexpr std::string_view grant_columns =
    "g.id, g.patient, p.mrn, g.user_name, g.role, g.reason, g.from_at, g.to_at, g.reviewed_by, g.reviewed_at,"
    " g.finding";
constexpr std::string_view grant_letters = "ttttttiitit";

Grant read_grant(const store::Row& row) {
  Grant grant{.id = row.text(0),
              .patient = row.text(1),
              .mrn = row.text(2),
              .user = row.text(3),
              .role = row.text(4),
              .reason = row.text(5),
              .from = base::from_micros(row.integer(6)),
              .to = base::from_micros(row.integer(7)),
              .reviewer = row.text(8),
              .finding = row.text(10)};
  if (!grant.reviewer.empty()) grant.reviewed_at = base::from_micros(row.integer(9));
  return grant;
}

/// A person by name, however it is typed: case, accents and punctuation tell nobody apart.
bool is_same_user(std::string_view a, std::string_view b) {
  return base::trim(a) == base::trim(b) || (!name_words(a).empty() && name_words(a) == name_words(b));
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) & 0x80) != 0;
}
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}
/// Whether it holds a word of four characters or more, a letter among them.
bool has_a_word(std::string_view text) {
  constexpr std::size_t word_characters = 4;
  while (!text.empty()) {
    const auto blank = std::min(text.find_first_of(" \t\r\n"), text.size());
    const auto word = text.substr(0, blank);
    if (characters(word) >= word_characters && std::ranges::any_of(word, is_letter)) return true;
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return false;
}

Result<void> check(const NewGrant& grant, const GrantLimits& limits) {
  if (base::trim(grant.user).empty()) return fail(Errc::ActorMissing);
  if (base::trim(grant.role).empty()) return fail(Errc::RoleMissing);
  const auto reason = base::trim(grant.reason);
  if (characters(reason) < limits.reason_characters || !has_a_word(reason)) return fail(Errc::ReasonTooThin);
  if (grant.minutes < 1 || grant.minutes > limits.minutes) return fail(Errc::BadGrantTime);
  return {};
}

/// The person whose record is named, its row and its clinic's held: grants of a clinic come one after the other.
struct Person {
  std::string id, clinic;
};
Result<Person> hold(store::Session& session, const std::string& named_id) {
  const auto rows = TRY(session.select("SELECT COALESCE(survivor, id), clinic FROM patients WHERE id = :p1", "tt",
                                       {named_id}));
  if (rows.empty()) return fail(Errc::NoSuchPatient);
  Person person{rows[0].text(0), rows[0].text(1)};
  TRY(session.execute("UPDATE patients SET updated_at = updated_at WHERE id = :p1", {person.id}));
  TRY(session.execute("UPDATE clinics SET version = version WHERE id = :p1", {person.clinic}));
  return person;
}

/// Refuses a glass broken twice, and one too many. [threats C10]
Result<void> check_rate(store::Session& session, const Person& person, const NewGrant& grant, Instant now,
                        const GrantLimits& limits) {
  const auto hour_ago = now - std::chrono::hours(1);
  const auto rows = TRY(session.select(
      "SELECT COALESCE(p.survivor, p.id), g.user_name, g.from_at, g.to_at FROM break_glass g"
      " JOIN patients p ON p.id = g.patient WHERE g.clinic = :p1 AND g.from_at > :p2",
      "ttii", {person.clinic, base::to_micros(std::min(hour_ago, now - limits.twice_within))}));
  std::set<std::string> others;
  for (const auto& row : rows) {
    if (!is_same_user(row.text(1), grant.user)) continue;
    const auto from = base::from_micros(row.integer(2)), to = base::from_micros(row.integer(3));
    if (row.text(0) == person.id) {
      if (to > now && from > now - limits.twice_within) return fail(Errc::GrantOpen);
    } else if (from > hour_ago) {
      others.insert(row.text(0));
    }
  }
  if (others.size() >= limits.patients_an_hour) return fail(Errc::GlassRate);
  return {};
}

Result<Grant> find_grant(store::Session& session, const std::string& clinic, const std::string& id) {
  const auto rows = TRY(session.select("SELECT " + std::string(grant_columns) +
                                           " FROM break_glass g JOIN patients p ON p.id = g.patient"
                                           " WHERE g.id = :p1 AND g.clinic = :p2",
                                       grant_letters, {id, clinic}));
  if (rows.empty()) return fail(Errc::NoSuchGrant);
  return read_grant(rows[0]);
}

}  // namespace

Result<Grant> break_glass(store::Database& database, const std::string& patient_id, const NewGrant& grant, Instant now,
                          const GrantLimits& limits) {
  TRY(check(grant, limits));
  auto* session = TRY(database.session());
  std::optional<Grant> made;
  TRY(session->transaction([&]() -> Result<void> {
    const auto person = TRY(hold(*session, patient_id));
    TRY(check_rate(*session, person, grant, now, limits));
    const auto id = random_id();
    const auto to = now + std::chrono::minutes(grant.minutes);
    TRY(session->execute("INSERT INTO break_glass (id, clinic, patient, user_name, role, reason, from_at, to_at)"
                         " VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7, :p8)",
                         {id, person.clinic, person.id, std::string(base::trim(grant.user)),
                          std::string(base::trim(grant.role)), std::string(base::trim(grant.reason)),
                          base::to_micros(now), base::to_micros(to)}));
    made = TRY(find_grant(*session, person.clinic, id));
    return {};
  }));
  return *made;
}

Result<std::vector<Grant>> list_grants(store::Database& database, const policy::Clinic& clinic, Reviewed which) {
  auto* session = TRY(database.session());
  std::vector<Grant> grants;
  const std::string waiting = which == Reviewed::Waiting ? " AND g.reviewed_at = 0" : "";
  for (const auto& row : TRY(session->select("SELECT " + std::string(grant_columns) +
                                                 " FROM break_glass g JOIN patients p ON p.id = g.patient"
                                                 " WHERE g.clinic = :p1" + waiting + " ORDER BY g.from_at, g.id",
                                             grant_letters, {clinic.id}))) {
    grants.push_back(read_grant(row));
  }
  return grants;
}

Result<Grant> review_grant(store::Database& database, const policy::Clinic& clinic, const std::string& grant_id,
                           const Review& review, Instant now) {
  const auto reviewer = base::trim(review.reviewer), finding = base::trim(review.finding);
  if (reviewer.empty()) return fail(Errc::ActorMissing);
  if (finding.empty()) return fail(Errc::FindingMissing);
  auto* session = TRY(database.session());
  std::optional<Grant> closed;
  TRY(session->transaction([&]() -> Result<void> {
    // The write comes first: of two who review it at once, one does.
    const auto at = base::to_micros(now);
    const auto taken = TRY(session->execute(
        "UPDATE break_glass SET reviewed_by = :p1, reviewed_at = :p2, finding = :p3,"
        " to_at = CASE WHEN to_at > :p2 THEN :p2 ELSE to_at END WHERE id = :p4 AND clinic = :p5 AND reviewed_at = 0",
        {std::string(reviewer), at, std::string(finding), grant_id, clinic.id}));
    closed = TRY(find_grant(*session, clinic.id, grant_id));
    if (taken == 0) return fail(Errc::ReviewedAlready);
    if (is_same_user(reviewer, closed->user)) return fail(Errc::OwnReview);
    return {};
  }));
  return *closed;
}

Result<std::vector<policy::BreakGlass>> grants_of_person(store::Session& session, const std::string& person) {
  std::vector<policy::BreakGlass> grants;
  for (const auto& row : TRY(session.select(
           "SELECT id, user_name, from_at, to_at FROM break_glass WHERE patient = :p1 OR"
           " patient IN (SELECT id FROM patients WHERE survivor = :p1) ORDER BY to_at DESC LIMIT " +
               std::to_string(grants_read_max),
           "ttii", {person}))) {
    policy::Period period{.from = base::from_micros(row.integer(2)), .to = base::from_micros(row.integer(3))};
    grants.push_back({.id = row.text(0), .user = row.text(1), .period = period});
  }
  return grants;
}

}  // namespace gateway::patients
