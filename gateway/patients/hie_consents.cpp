#include "gateway/patients/hie_consents.hpp"

#include "gateway/resources/calendar.hpp"

#include <algorithm>
#include <set>

namespace gateway::patients {
namespace {

using policy::HieBasis;
using policy::HieConsent;
using policy::HieKind;
using policy::HieStatus;
using resources::Calendar;
using store::Value;

/// All that is stored about a person's HIE consents, and what they are judged by.
struct Person {
  std::string clinic, time_zone;
  std::vector<std::string> records = {};     ///< ids, the survivor's last
  std::optional<HieSettings> settings = {};  ///< nothing: unreadable
  bool readable = true;                      ///< the records stand for each other as a merge leaves them
  std::vector<HieRow> rows = {};             ///< to whatever HIE, in save order
};

HieRow read_row(const store::Row& row, std::size_t at) {
  enum Column : std::size_t { Id, Hie, Kind, Given, Expires, Basis, Text, Actor, Reason, Saved };
  const auto kind = policy::hie_kind(row.text(at + Kind));
  const auto basis = policy::hie_basis(row.text(at + Basis));
  HieRow one;
  one.consent = {.id = row.text(at + Id),
                 .kind = kind.value_or(HieKind::Revoked),
                 .given_on = base::from_micros(row.integer(at + Given)),
                 .basis = basis.value_or(HieBasis::Patient),
                 .text_version = row.integer(at + Text)};
  if (!row.is_null(at + Expires)) one.consent.expires_on = base::from_micros(row.integer(at + Expires));
  one.readable = kind && basis && one.consent.text_version >= 0 &&
                 (!one.consent.expires_on || one.consent.given_on < *one.consent.expires_on);
  one.hie = row.text(at + Hie);
  one.actor = row.text(at + Actor);
  one.reason = row.text(at + Reason);
  one.saved_at = base::from_micros(row.integer(at + Saved));
  return one;
}

/// One statement: settings and history as they are together.
Result<Person> read_person(store::Session& session, const std::string& patient_id) {
  enum Column : std::size_t { Survivor, Retired, Clinic, Zone, Settings, Record, Mrn, Number, Consent };
  const auto rows = TRY(session.select(
      "SELECT p.id, p.survivor, c.id, c.time_zone, c.hie, q.id, q.mrn, q.number, h.id, h.hie, h.kind, h.given_on,"
      " h.expires_on, h.basis, h.text_version, h.actor, h.reason, h.saved_at FROM patients r"
      " JOIN patients p ON p.id = COALESCE(r.survivor, r.id) JOIN clinics c ON c.id = p.clinic"
      " JOIN patients q ON q.id = p.id OR q.survivor = p.id LEFT JOIN hie_consents h ON h.patient = q.id"
      " WHERE r.id = :p1 ORDER BY h.number, q.number",
      "tttttttitttiititti", {patient_id}));
  if (rows.empty()) return fail(Errc::NoSuchPatient);

  Person person{.clinic = rows[0].text(Clinic), .time_zone = rows[0].text(Zone)};
  const auto& survivor = rows[0].text(Survivor);
  person.readable = rows[0].is_null(Retired);
  if (auto settings = read_hie_settings(rows[0].text(Settings))) person.settings = *std::move(settings);
  const auto entered_first =
      std::ranges::min(rows, {}, [](const store::Row& row) { return row.integer(Number); }).text(Record);
  for (const auto& row : rows) {
    if (row.text(Record) != survivor && std::ranges::find(person.records, row.text(Record)) == person.records.end()) {
      person.records.push_back(row.text(Record));
    }
    if (row.is_null(Consent)) continue;
    auto one = read_row(row, Consent);
    one.mrn = row.text(Mrn);
    one.current = person.settings && one.hie == person.settings->to;
    one.consent.counts = one.consent.basis != HieBasis::Default || row.text(Record) == entered_first;
    person.rows.push_back(std::move(one));
  }
  person.records.push_back(survivor);
  return person;
}

/// What a decision about a send to the clinic's HIE sees of it.
policy::HieFacts facts_of(const Person& person) {
  policy::HieFacts facts{.readable = person.readable && person.settings};
  for (const auto& row : person.rows) {
    if (!row.current) continue;
    facts.readable = facts.readable && row.readable;
    facts.history.push_back(row.consent);
  }
  return facts;
}

/// Save order is the order of these. Whoever has one holds the clinic's row until the commit. @return the first of them
Result<std::int64_t> take_hie_numbers(store::Session& session, const std::string& clinic, std::size_t count) {
  const auto step = static_cast<std::int64_t>(count);
  TRY(session.execute("UPDATE clinics SET hie_number = hie_number + :p1 WHERE id = :p2", {step, clinic}));
  const auto rows = TRY(session.select("SELECT hie_number FROM clinics WHERE id = :p1", "i", {clinic}));
  if (rows.size() != 1) return fail(Errc::NoSuchClinic);
  return rows[0].integer(0) - step + 1;
}

/// One row for each patient, numbered in that order. @param actor  who, by name. @return the id of the last
Result<std::string> write_rows(store::Session& session, const std::string& clinic, const std::string& hie,
                               std::span<const std::string> patient_ids, std::int64_t number, const HieConsent& consent,
                               const ChoiceChange& change, Instant now) {
  std::vector<Value> values;
  std::string id;
  for (const auto& patient : patient_ids) {
    id = random_id();
    const Value row[] = {id,
                         clinic,
                         patient,
                         hie,
                         number++,
                         std::string(policy::word(consent.kind)),
                         base::to_micros(consent.given_on),
                         consent.expires_on ? Value(base::to_micros(*consent.expires_on)) : Value(),
                         std::string(policy::word(consent.basis)),
                         change.actor,
                         change.basis,
                         consent.text_version,
                         base::to_micros(now)};
    values.insert(values.end(), std::begin(row), std::end(row));
  }
  TRY(session.insert_rows("hie_consents (id, clinic, patient, hie, number, kind, given_on, expires_on, basis, actor,"
                          " reason, text_version, saved_at)",
                          values.size() / patient_ids.size(), values));
  return id;
}

Instant proposed_expiry(const HieSettings& settings, const Calendar& calendar, Instant given_on) {
  return settings.expire_in_days ? calendar.plus_days(given_on, *settings.expire_in_days)
                                 : calendar.plus_year(given_on);
}

/// What the form says, in the clinic's zone.
Result<HieConsent> consent_of(const HieForm& form, SetBy set_by, const HieSettings& settings, const Calendar& calendar,
                              Instant now) {
  HieConsent consent{.given_on = now, .basis = set_by == SetBy::Patient ? HieBasis::Patient : HieBasis::Staff};
  if (!form.given_on.empty()) consent.given_on = TRY(calendar.read(form.given_on));
  if (form.expires_on.empty()) {
    consent.expires_on = proposed_expiry(settings, calendar, consent.given_on);
  } else if (form.expires_on != "never") {
    consent.expires_on = TRY(calendar.read(form.expires_on));
  }
  if (consent.expires_on && *consent.expires_on <= consent.given_on) return fail(Errc::BadPeriod);
  consent.text_version =
      form.explanation.value_or(set_by == SetBy::Patient ? settings.explanation.version : std::int64_t{0});
  if (consent.text_version < 0 || consent.text_version > settings.explanation.version) {
    return fail(Errc::NoSuchExplanation);
  }
  return consent;
}

/// A person whose history nobody else changes until the commit, and the number of the row that comes next.
struct Held {
  Person person;
  policy::HieFacts facts;
  std::int64_t number = 0;
};
Result<Held> hold(store::Session& session, const std::string& named_id, const ChoiceChange& change) {
  if (base::trim(change.actor).empty()) return fail(Errc::ActorMissing);
  // The writes come first: the patient's rows, so that no merge comes between, then the clinic's.
  const auto held = TRY(session.execute(
      "UPDATE patients SET updated_at = updated_at WHERE id = :p1 OR"
      " id = (SELECT survivor FROM patients r WHERE r.id = :p1)", {named_id}));
  if (held == 0) return fail(Errc::NoSuchPatient);
  const auto known = TRY(read_person(session, named_id));
  const auto number = TRY(take_hie_numbers(session, known.clinic, known.records.size()));
  auto person = TRY(read_person(session, named_id));
  auto facts = facts_of(person);
  if (!facts.readable) return fail(Errc::RecordUnreadable, "hie_consents or clinics.hie");
  if (person.settings->to.empty()) return fail(Errc::NoHie);
  const auto last = policy::latest(facts.history);
  const bool by_patient = last && facts.history[*last].basis == HieBasis::Patient;
  if (by_patient && change.set_by == SetBy::Staff && base::trim(change.basis).empty()) return fail(Errc::BasisMissing);
  return Held{std::move(person), std::move(facts), number};
}

constexpr std::size_t numbers_at_once = 32;

/// Those of the numbers that a patient bore who was deleted. A handful at a time, the last one repeated: one statement
/// text to prepare.
Result<std::set<std::string>> former_among(store::Session& session, const policy::Clinic& clinic,
                                           const std::set<std::string>& numbers) {
  std::string sql = "SELECT number FROM former_patients WHERE clinic = :p1 AND number IN (:p2";
  for (std::size_t i = 1; i < numbers_at_once; ++i) sql += ", :p" + std::to_string(i + 2);
  sql += ")";
  std::set<std::string> former;
  for (auto next = numbers.begin(); next != numbers.end();) {
    std::vector<store::Value> parameters{clinic.id};
    while (next != numbers.end() && parameters.size() <= numbers_at_once) parameters.emplace_back(*next++);
    while (parameters.size() <= numbers_at_once) parameters.push_back(store::Value(parameters.back()));
    for (const auto& row : TRY(session.select(sql, "t", parameters))) former.insert(row.text(0));
  }
  return former;
}

/// Those who bear no number of a patient that was deleted, by our ids.
Result<std::vector<std::string>> never_here(store::Session& session, const policy::Clinic& clinic,
                                            std::span<const Newcomer> newcomers) {
  std::set<std::string> numbers;
  for (const auto& one : newcomers) numbers.insert(one.numbers.begin(), one.numbers.end());
  const auto former = TRY(former_among(session, clinic, numbers));
  std::vector<std::string> ids;
  for (const auto& one : newcomers) {
    const auto is_former = [&](const std::string& number) { return former.contains(number); };
    if (std::ranges::none_of(one.numbers, is_former)) ids.push_back(one.id);
  }
  return ids;
}

}  // namespace

Result<HieGiven> give_hie_consent(store::Database& database, const std::string& patient_id, const HieForm& form,
                                  const ChoiceChange& change, Instant now) {
  auto* session = TRY(database.session());
  HieGiven given;
  TRY(session->transaction([&]() -> Result<void> {
    auto [person, facts, number] = TRY(hold(*session, patient_id, change));
    const auto calendar = TRY(Calendar::of(person.time_zone));
    given.consent = TRY(consent_of(form, change.set_by, *person.settings, calendar, now));
    given.hie = person.settings->to;
    const bool sent_before = policy::judge_hie(facts, now).permits();
    facts.history.push_back(given.consent);
    given.status = policy::shown_status(facts.history, facts.history.size() - 1, now);
    given.stops = sent_before && !policy::judge_hie(facts, now).permits();
    if (given.stops && given.consent.given_on > now) given.stops_until = given.consent.given_on;
    if (given.stops && !form.may_stop) {
      given.status = HieStatus::Pending;
      return {};
    }
    given.consent.id = TRY(write_rows(*session, person.clinic, given.hie, std::span(&person.records.back(), 1), number,
                                      given.consent, change, now));
    given.saved = true;
    return {};
  }));
  return given;
}

Result<HieConsent> revoke_hie_consent(store::Database& database, const std::string& patient_id,
                                      const ChoiceChange& change, Instant now) {
  auto* session = TRY(database.session());
  HieConsent revocation{.kind = HieKind::Revoked,
                        .given_on = now,
                        .basis = change.set_by == SetBy::Patient ? HieBasis::Patient : HieBasis::Staff};
  TRY(session->transaction([&]() -> Result<void> {
    const auto [person, facts, number] = TRY(hold(*session, patient_id, change));
    if (!policy::may_revoke(facts.history, now)) return fail(Errc::HieNotRevocable);
    revocation.id = TRY(write_rows(*session, person.clinic, person.settings->to, person.records, number, revocation,
                                   change, now));
    return {};
  }));
  return revocation;
}

Result<std::vector<HieRow>> hie_history(store::Database& database, const std::string& patient_id, Instant now) {
  auto* session = TRY(database.session());
  auto person = TRY(read_person(*session, patient_id));
  std::map<std::string, std::vector<HieConsent>> by_hie;
  for (const auto& row : person.rows) by_hie[row.hie].push_back(row.consent);
  for (auto& row : person.rows) {
    const auto& history = by_hie[row.hie];
    const auto at = std::ranges::find(history, row.consent.id, &HieConsent::id) - history.begin();
    row.status = policy::shown_status(history, static_cast<std::size_t>(at), now);
  }
  return std::move(person.rows);
}

Result<HieState> hie_state(store::Database& database, const std::string& patient_id) {
  auto* session = TRY(database.session());
  auto person = TRY(read_person(*session, patient_id));
  auto facts = facts_of(person);
  return HieState{.settings = std::move(person.settings), .facts = std::move(facts)};
}

Result<void> enter_default_consents(store::Session& session, const policy::Clinic& clinic,
                                    std::span<const Newcomer> newcomers, Instant now) {
  const auto settings = hie_settings(session, clinic.id);
  if (!settings && settings.error().code != Errc::RecordUnreadable) return settings.error();
  // Settings that cannot be read open nothing.
  const bool opts_in = settings && settings->enabled && settings->opt_in_by_default;
  if (!opts_in) return {};
  const auto patient_ids = TRY(never_here(session, clinic, newcomers));
  if (patient_ids.empty()) return {};
  const auto calendar = TRY(Calendar::of(clinic.time_zone));
  const HieConsent consent{.given_on = now,
                           .expires_on = proposed_expiry(*settings, calendar, now),
                           .basis = HieBasis::Default};
  const auto number = TRY(take_hie_numbers(session, clinic.id, patient_ids.size()));
  TRY(write_rows(session, clinic.id, settings->to, patient_ids, number, consent,
                 {.actor = "opt-in by default", .basis = "the patient was entered"}, now));
  return {};
}

Result<void> remember_former(store::Session& session, const policy::Clinic& clinic,
                             std::span<const std::string> numbers) {
  for (const auto& number : numbers) {
    TRY(session.execute("INSERT INTO former_patients (clinic, number) VALUES (:p1, :p2)"
                        " ON CONFLICT (clinic, number) DO NOTHING",
                        {clinic.id, number}));
  }
  return {};
}

}  // namespace gateway::patients
