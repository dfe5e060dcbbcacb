#include "gateway/patients/shelf.hpp"

#include "gateway/patients/clinics.hpp"
#include "gateway/patients/consents.hpp"
#include "gateway/patients/keys.hpp"

#include <algorithm>

namespace gateway::patients {
namespace {

using store::Value;

/// More records than this are too many to tell apart: none of them is a match, for the ones left out might be.
constexpr std::size_t candidates_max = 60;
/// Statement texts are prepared per shape: keys come in whole groups, the last one repeated.
constexpr std::size_t keys_in_group = 8;

/// The one statement: records by their keys, each with the record it was merged into (itself where it was not), whose
/// are the id to give, the choice and the clinic's defaults. :p1 is the clinic, keys follow.
/// DISTINCT with LIMIT ends the search of a crowded key; CROSS JOIN keeps SQLite from walking all patients of the
/// clinic instead of the few that were found.
std::string candidates_statement(std::size_t keys) {
  std::string sql = "SELECT p.id, p.mrn, p.demographics, r.mrn, r.demographics, ";
  sql.append(choice_columns);
  sql.append(
      " FROM (SELECT DISTINCT patient FROM patient_keys WHERE clinic = (SELECT number FROM clinics WHERE id = :p1) AND"
      " key IN (");
  for (std::size_t i = 0; i < keys; ++i) sql.append(i ? ", :p" : ":p").append(std::to_string(i + 2));
  sql.append(") LIMIT ").append(std::to_string(candidates_max + 1)).append(") f");
  return sql.append(
      " CROSS JOIN patients r CROSS JOIN patients p JOIN clinics c ON c.id = p.clinic LEFT JOIN purpose_choices w ON"
      " w.id = p.choice WHERE r.number = f.patient AND r.clinic = :p1 AND p.id = COALESCE(r.survivor, r.id) AND"
      " p.clinic = :p1");
}
constexpr std::string_view candidate_letters = "ttttt";

/// A person of ours, of one record or of several that were merged, by the record that answers best.
struct Candidate {
  std::string id, mrn;  ///< to give out
  policy::ChoiceFacts choice;
  std::int64_t consents = 0;  ///< rows to read
  xca::hl7v3::Person person = {};
  Known known = {};  ///< what was scored
  Score score = {};
};

Result<Candidate> read_candidate(const store::Row& row, const policy::Clinic& clinic, const PatientQuery& query) {
  enum Column : std::size_t { Id, Mrn, Demographics, FoundMrn, FoundDemographics, Choice };
  Candidate candidate{.id = row.text(Id), .mrn = row.text(Mrn), .choice = read_choice(row, Choice),
                      .consents = consent_rows(row, Choice)};
  auto kept = TRY(read_demographics(row.text(Demographics)));
  candidate.person = kept.person;
  candidate.known = kept;
  candidate.known.ids.push_back({clinic.assigning_authority, candidate.mrn});
  if (row.text(FoundMrn) != candidate.mrn) {  // its own demographics, the ids of both
    auto found = TRY(read_demographics(row.text(FoundDemographics)));
    candidate.known.person = std::move(found.person);
    auto& ids = candidate.known.ids;
    ids.insert(ids.end(), found.ids.begin(), found.ids.end());
    ids.push_back({clinic.assigning_authority, row.text(FoundMrn)});
  }
  candidate.score = score(query, candidate.known);
  return candidate;
}

/// Keeps one candidate for each person.
void add(std::vector<Candidate>& candidates, Candidate candidate) {
  const auto same = std::ranges::find(candidates, candidate.id, &Candidate::id);
  if (same == candidates.end()) {
    candidates.push_back(std::move(candidate));
  } else if (same->score.points < candidate.score.points) {
    *same = std::move(candidate);
  }
}

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

exchange::Asked PatientShelf::asked_for(const PatientQuery& query) { return patients::asked_for(query); }

Result<exchange::Candidates> PatientShelf::match(const policy::Clinic& clinic, const PatientQuery& query) {
  if (!query.has_minimum()) return exchange::Candidates{};
  const auto keys = keys_sought(query);
  if (keys.empty()) return exchange::Candidates{};
  std::vector<std::int64_t> numbers;
  for (const auto& key : keys) numbers.push_back(number_of(key));
  numbers.resize((numbers.size() + keys_in_group - 1) / keys_in_group * keys_in_group, numbers.back());
  std::vector<Value> parameters{Value(clinic.id)};
  parameters.insert(parameters.end(), numbers.begin(), numbers.end());

  auto* session = TRY(database_.session());
  const auto letters = std::string(candidate_letters) + std::string(choice_letters);
  const auto rows = TRY(session->select(candidates_statement(numbers.size()), letters, parameters));
  if (rows.size() > candidates_max) return exchange::Candidates{};
  std::vector<Candidate> candidates;
  for (const auto& row : rows) {
    auto candidate = TRY(read_candidate(row, clinic, query));
    add(candidates, std::move(candidate));
  }
  std::vector<Known> known;
  std::vector<Score> scores;
  for (const auto& candidate : candidates) {
    known.push_back(candidate.known);
    scores.push_back(candidate.score);
  }

  const auto ranking = rank(known, scores);
  exchange::Candidates result{.matches = {}, .wanted = ranking.wanted};
  ConsentReader consents(*session);
  for (const auto i : ranking.chosen) {
    auto& chosen = candidates[i];
    auto known_consents = TRY(consents.of(chosen.id, chosen.consents));
    result.matches.push_back({.resource = {.id = {clinic.assigning_authority, chosen.mrn},
                                           .person = std::move(chosen.person),
                                           .score = scores[i].points,
                                           .custodian = clinic.home.dotted()},
                              .id = chosen.id,
                              .choice = chosen.choice,
                              .subject = chosen.id,
                              .patient_ids = {{clinic.assigning_authority, chosen.mrn}},
                              .consents = std::move(known_consents)});
  }
  return result;
}

}  // namespace gateway::patients
