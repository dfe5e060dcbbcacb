#include "gateway/patients/index.hpp"

#include "gateway/patients/clinics.hpp"
#include "gateway/patients/keys.hpp"

#include <algorithm>

namespace gateway::patients {
namespace {

using store::Value;

constexpr std::size_t patients_at_once = 2000;

Result<void> set_rules(store::Session& session) {
  TRY(session.execute("UPDATE patient_key_rules SET version = :p1 WHERE one = 1", {key_rules}));
  return {};
}

}  // namespace

Result<IndexRows> IndexRows::of(store::Session& session, const policy::Clinic& clinic) {
  const auto rows = TRY(session.select("SELECT number FROM clinics WHERE id = :p1", "i", {clinic.id}));
  if (rows.empty() || rows[0].is_null(0)) return fail(Errc::NoSuchClinic);
  return IndexRows(rows[0].integer(0), clinic.assigning_authority);
}

void IndexRows::collect(Rows& rows, std::int64_t number, const Known& known, const std::string& mrn) const {
  for (auto& word : search_words(known)) rows.words.push_back({std::move(word), number});
  Known with_mrn = known;
  with_mrn.ids.push_back({authority_, mrn});
  for (const auto& key : keys_of(with_mrn)) rows.keys.push_back({number_of(key), number});
}

void IndexRows::add(std::int64_t number, const Known& known, const std::string& mrn) {
  collect(added_, number, known, mrn);
}

void IndexRows::remove(std::int64_t number, const Known& known, const std::string& mrn) {
  collect(removed_, number, known, mrn);
}

Result<void> IndexRows::store(store::Session& session) {
  for (const auto& row : removed_.keys) {
    TRY(session.execute("DELETE FROM patient_keys WHERE clinic = :p1 AND key = :p2 AND patient = :p3",
                        {clinic_, row.key, row.patient}));
  }
  for (const auto& row : removed_.words) {
    TRY(session.execute("DELETE FROM patient_words WHERE clinic = :p1 AND word = :p2 AND patient = :p3",
                        {clinic_, row.word, row.patient}));
  }
  std::ranges::sort(added_.keys);
  std::ranges::sort(added_.words);
  std::vector<Value> values;
  values.reserve(3 * std::max(added_.keys.size(), added_.words.size()));
  for (const auto& row : added_.keys) values.insert(values.end(), {clinic_, row.key, row.patient});
  TRY(session.insert_rows("patient_keys (clinic, key, patient)", 3, values));
  values.clear();
  for (auto& row : added_.words) values.insert(values.end(), {clinic_, std::move(row.word), row.patient});
  TRY(session.insert_rows("patient_words (clinic, word, patient)", 3, values));
  added_ = removed_ = {};
  return {};
}

Result<std::int64_t> take_numbers(store::Session& session, std::size_t count) {
  const auto step = static_cast<std::int64_t>(count);
  TRY(session.execute("UPDATE patient_numbers SET last = last + :p1", {step}));
  const auto rows = TRY(session.select("SELECT last FROM patient_numbers", "i"));
  if (rows.size() != 1) return fail(store::Errc::Unreadable, "patient_numbers");
  const auto first = rows[0].integer(0) - step + 1;
  if (first == 1) TRY(set_rules(session));  // nobody is stored under older ones
  return first;
}

Result<bool> index_is_current(store::Database& database) {
  auto* session = TRY(database.session());
  const auto rules = TRY(session->select("SELECT version FROM patient_key_rules", "i"));
  if (rules.size() == 1 && rules[0].integer(0) == key_rules) return true;
  return TRY(session->select("SELECT id FROM patients LIMIT 1", "t")).empty();
}

Result<std::size_t> bring_index_up_to_date(store::Database& database,
                                           const std::function<void(std::size_t)>& progress) {
  auto* session = TRY(database.session());
  std::size_t done = 0;
  if (!TRY(index_is_current(database))) {
    TRY(session->transaction([&]() -> Result<void> {
      TRY(session->execute("DELETE FROM patient_keys"));
      TRY(session->execute("DELETE FROM patient_words"));
      return {};
    }));
    for (const auto& clinic : TRY(list_clinics(database))) {
      auto index = TRY(IndexRows::of(*session, clinic));
      for (std::int64_t after = 0;;) {
        const auto rows = TRY(session->select("SELECT number, mrn, demographics FROM patients WHERE clinic = :p1 AND"
                                              " number > :p2 ORDER BY number LIMIT " +
                                                  std::to_string(patients_at_once),
                                              "itt", {clinic.id, after}));
        if (rows.empty()) break;
        for (const auto& row : rows) {
          const auto known = TRY(read_demographics(row.text(2)));
          index.add(row.integer(0), known, row.text(1));
        }
        TRY(session->transaction([&] { return index.store(*session); }));
        after = rows.back().integer(0);
        done += rows.size();
        if (progress) progress(done);
      }
    }
  }
  TRY(set_rules(*session));
  return done;
}

}  // namespace gateway::patients
