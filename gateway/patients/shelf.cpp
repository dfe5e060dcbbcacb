#include "gateway/patients/shelf.hpp"

#include "gateway/patients/clinics.hpp"

namespace gateway::patients {
namespace {

using store::Value;

/// More rows than this are too many to tell apart: none of them is a match, for the ones left out might be.
constexpr std::size_t candidates_max = 200;
constexpr std::size_t keys_max = 64, ids_max = 16;
/// Statement texts are prepared per shape: parameters come in whole groups, the last one repeated.
constexpr std::size_t group = 4;

template <class T>
void fill_group(std::vector<T>& list) {
  while (!list.empty() && list.size() % group != 0) list.push_back(T(list.back()));
}

/// The one statement: candidates by keys and ids, their choices, the clinic's defaults.
struct Statement {
  std::string sql;
  std::vector<Value> parameters;
  std::string next(Value value) {
    parameters.push_back(std::move(value));
    return ":p" + std::to_string(parameters.size());
  }
};

Statement candidates_statement(const std::string& clinic, std::vector<Key> keys, std::vector<Identifier> ids) {
  fill_group(keys);
  fill_group(ids);
  Statement statement;
  const auto of_clinic = statement.next(clinic);
  std::string found;
  for (const auto& key : keys) {
    found += found.empty() ? "" : " UNION ";
    const auto kind = statement.next(key.kind), first = statement.next(key.first), last = statement.next(key.last);
    found.append("SELECT patient FROM patient_keys WHERE clinic = ")
        .append(of_clinic)
        .append(" AND kind = ")
        .append(kind);
    found.append(" AND value BETWEEN ").append(first).append(" AND ").append(last);
  }
  for (const auto& id : ids) {
    found += found.empty() ? "" : " UNION ";
    const auto root = statement.next(id.root), extension = statement.next(id.extension);
    found.append("SELECT patient FROM patient_ids WHERE clinic = ")
        .append(of_clinic)
        .append(" AND root = ")
        .append(root);
    found.append(" AND extension = ").append(extension);
  }
  statement.sql.append("SELECT p.id, p.mrn, p.demographics, ").append(choice_columns);
  // CROSS JOIN keeps SQLite from walking all patients of the clinic instead of the few that were found.
  statement.sql.append(" FROM (").append(found).append(") f CROSS JOIN patients p");
  statement.sql.append(" JOIN clinics c ON c.id = p.clinic LEFT JOIN purpose_choices w ON w.id = p.choice");
  statement.sql.append(" WHERE p.id = f.patient AND p.clinic = ").append(of_clinic);
  statement.sql.append(" LIMIT ").append(std::to_string(candidates_max + 1));
  return statement;
}

constexpr std::size_t choice_at = 3;

struct Candidate {
  std::string id, mrn;
  policy::ChoiceFacts choice;
};

}  // namespace

Result<std::optional<policy::Clinic>> PatientShelf::only_clinic_with(std::string_view column, std::string_view value) {
  auto* session = TRY(database_.session());
  std::string sql = "SELECT ";
  sql.append(clinic_columns).append(" FROM clinics WHERE ").append(column).append(" = :p1");
  const auto rows = TRY(session->select(sql, clinic_letters, {std::string(value)}));
  if (rows.size() != 1) return std::optional<policy::Clinic>();
  return std::optional(TRY(read_clinic(rows.front())));
}

Result<std::optional<policy::Clinic>> PatientShelf::clinic(std::string_view home) {
  return only_clinic_with("home", home);
}

Result<std::optional<policy::Clinic>> PatientShelf::clinic_of_authority(std::string_view root) {
  return only_clinic_with("assigning_authority", root);
}

Result<std::vector<std::string>> PatientShelf::homes() {
  auto* session = TRY(database_.session());
  std::vector<std::string> homes;
  for (const auto& row : TRY(session->select("SELECT home FROM clinics ORDER BY home", "t")))
    homes.push_back(row.text(0));
  return homes;
}

Result<exchange::Candidates> PatientShelf::match(const policy::Clinic& clinic, const PatientQuery& query) {
  if (!query.has_minimum()) return exchange::Candidates{};
  auto keys = keys_sought(query);
  if (keys.size() > keys_max) keys.resize(keys_max);
  std::vector<Identifier> ids;
  for (const auto& raw : query.ids) {
    if (const auto id = comparable(raw); id && ids.size() < ids_max) ids.push_back(*id);
  }
  if (keys.empty() && ids.empty()) return exchange::Candidates{};

  auto* session = TRY(database_.session());
  const auto statement = candidates_statement(clinic.id, std::move(keys), std::move(ids));
  const auto rows = TRY(session->select(statement.sql, "ttt" + std::string(choice_letters), statement.parameters));
  if (rows.size() > candidates_max) return exchange::Candidates{};

  std::vector<Candidate> candidates;
  std::vector<Known> known;
  std::vector<Score> scores;
  for (const auto& row : rows) {
    candidates.push_back({row.text(0), row.text(1), read_choice(row, choice_at)});
    known.push_back(TRY(read_demographics(row.text(2))));
    known.back().ids.push_back({clinic.assigning_authority, candidates.back().mrn});
    scores.push_back(score(query, known.back()));
  }

  const auto ranking = rank(known, scores);
  exchange::Candidates result{.matches = {}, .wanted = ranking.wanted};
  for (const auto i : ranking.chosen) {
    result.matches.push_back({.resource = {.id = {clinic.assigning_authority, candidates[i].mrn},
                                           .person = std::move(known[i].person),
                                           .score = scores[i].points,
                                           .custodian = clinic.home.dotted()},
                              .id = candidates[i].id,
                              .choice = candidates[i].choice,
                              .subject = candidates[i].id});
  }
  return result;
}

}  // namespace gateway::patients
