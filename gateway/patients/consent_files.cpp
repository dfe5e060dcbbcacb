#include "gateway/patients/consent_files.hpp"

#include "gateway/patients/keys.hpp"

#include <algorithm>

namespace gateway::patients {
namespace {

using policy::ConsentStatus;

constexpr std::size_t rows_between_progress = 500;
constexpr std::size_t owners_max = 100;

base::Error not_accepted(std::string sentence) { return fail(Errc::RowNotAccepted, std::move(sentence)); }

bool has_ended(ConsentStatus status) {
  return status == ConsentStatus::Revoked || status == ConsentStatus::EnteredInError;
}

std::string own_identifier(const std::string& id) { return std::string(resources::own_consents) + "|" + id; }

/// What is held of a patient's choice or of one consent, as far as a row must be newer.
struct Word {
  Instant given_at, set_at;
  std::string_view set_by;
};
bool is_newer(const FileRow& row, const Word& held) {
  if (!row.given_at) return false;
  return *row.given_at > held.given_at ||
         (*row.given_at == held.given_at && row.updated_at && *row.updated_at > held.set_at);
}

bool is_within(policy::PurposeSet narrow, policy::PurposeSet wide) { return (narrow.bits() & ~wide.bits()) == 0; }

/// One person as the rows read so far would leave them.
struct Person {
  HeldPerson held;
  struct Kept {
    ConsentRow row;
    std::string place = {};  ///< of the row of this file that says it; empty for what is stored
  };
  std::vector<Kept> consents = {};  ///< last versions
  std::string choice_place = {};    ///< of the row of this file that set or cleared it
  std::set<std::string> spoken = {};  ///< identifiers of what the choice is the narrowest of
};

bool is_known_by(const Person::Kept& kept, const std::string& source) {
  return kept.row.source == source || own_identifier(kept.row.consent.id) == source;
}

/// The same but for when it holds.
bool is_same_matter(policy::Provision one, policy::Provision other) {
  one.period = other.period = {};
  return one == other;
}

class Planner {
 public:
  Planner(store::Session& session, const policy::Clinic& clinic, const resources::Calendar& calendar, Instant now)
      : session_(session), clinic_(clinic), calendar_(calendar), now_(now) {
    plan_.clinic = clinic.id;
  }

  /// @error of the store alone: a row that is not accepted is noted
  Result<void> add(const std::string& place, const Result<FileRow>& row) {
    if (!row) {
      refuse(place, row.error());
      return {};
    }
    auto planned = plan(place, *row);
    if (!planned) {
      if (planned.error().code != Errc::RowNotAccepted) return planned.error();
      refuse(place, planned.error());
      return {};
    }
    for (const auto& part : row->not_evaluated)
      plan_.reported.push_back({place, part + " cannot be evaluated: it permits nothing, and limits no refusal"});
    note_recipients(row->root);
    plan_.rows.push_back(*std::move(planned));
    return {};
  }
  ConsentPlan take() {
    for (const auto& [id, person] : persons_) plan_.looked_at.push_back(id);
    return std::move(plan_);
  }

 private:
  void refuse(const std::string& place, const base::Error& error) { plan_.refused.push_back({place, why_not(error)}); }
  void note_recipients(const policy::Provision& provision) {
    for (const auto& one : provision.recipients) {
      if (const auto* home = std::get_if<base::HomeCommunityId>(&one.who)) plan_.recipients.insert(home->dotted());
    }
    for (const auto& exception : provision.exceptions) note_recipients(exception);
  }

  Result<PlannedRow> plan(const std::string& place, const FileRow& row);
  Result<void> plan_choice(const FileRow& row, Person& person, PlannedRow& planned);
  void plan_same_choice(const FileRow& row, Person& person, PlannedRow& planned);
  Result<void> plan_consent(const FileRow& row, Person& person, PlannedRow& planned);
  Result<void> plan_known(const FileRow& row, Person::Kept& kept, PlannedRow& planned);
  Result<void> plan_revocation(const FileRow& row, Person& person, PlannedRow& planned);
  Result<void> end(const FileRow& row, const policy::Provision& root, Person::Kept& kept, PlannedRow& planned);
  Result<void> replace(const FileRow& row, RowDoes does, ConsentStatus status, const policy::Provision& root,
                       Person::Kept& kept, PlannedRow& planned);

  Result<Person*> find(const FileRow& row);
  Result<std::string> record_of(const std::string& number);
  Result<std::string> record_of(const resources::FhirIdentifier& identifier);
  Result<std::string> only_record(const std::string& condition, std::span<const store::Value> parameters,
                                  const std::optional<Identifier>& id);
  Result<Person*> load(const std::string& record);
  Result<std::set<std::string>> spoken_of(const std::string& patient);
  Result<void> check_owner(const FileRow& row, const Person& person, const std::string& place);
  Person::Kept* known_consent(const FileRow& row, Person& person);
  Result<void> check_basis(const FileRow& row, const Word& held) const;
  base::Error older(std::string_view what, Instant at) const {
    return not_accepted("it is not newer than " + std::string(what) + " held here of " + calendar_.write(at) +
                        ", and says otherwise");
  }

  store::Session& session_;
  const policy::Clinic& clinic_;
  const resources::Calendar& calendar_;
  Instant now_;
  ConsentPlan plan_ = {};
  std::map<std::string, Person> persons_ = {};  ///< by our id
  struct Owner {
    std::string person, place;
  };
  std::map<std::string, Owner> sources_ = {};  ///< of rows of this file
};

// ---------------------------------------------------------------- whose it is

/// @param id  what the record must bear, where the condition alone does not say
Result<std::string> Planner::only_record(const std::string& condition, std::span<const store::Value> parameters,
                                         const std::optional<Identifier>& id) {
  const auto rows = TRY(session_.select("SELECT COALESCE(r.survivor, r.id), r.demographics, r.id FROM patients r"
                                        " WHERE r.clinic = :p1 AND " + condition,
                                        "ttt", parameters));
  std::set<std::string> found;
  for (const auto& row : rows) {
    if (id) {
      const auto known = TRY(read_demographics(row.text(1)));
      if (std::ranges::find(known.ids, *id) == known.ids.end()) continue;
    }
    found.insert(row.text(0));
    if (row.text(0) != row.text(2)) plan_.merged.emplace(row.text(2), row.text(0));
  }
  if (found.empty()) return not_accepted("this clinic has no patient of that number");
  if (found.size() > 1) return not_accepted("more than one patient of this clinic may be meant");
  return *found.begin();
}

Result<std::string> Planner::record_of(const std::string& number) {
  const store::Value parameters[] = {clinic_.id, number};
  return only_record("(r.id = :p2 OR r.mrn = :p2)", parameters, std::nullopt);
}

Result<std::string> Planner::record_of(const resources::FhirIdentifier& identifier) {
  const Identifier id{.root = resources::root_of_system(identifier.system), .extension = identifier.value};
  if (id.root == clinic_.assigning_authority) {
    const store::Value parameters[] = {clinic_.id, id.extension};
    return only_record("r.mrn = :p2", parameters, std::nullopt);
  }
  const auto keys = keys_of({.person = {}, .ids = {id}});
  if (keys.size() != 1) return not_accepted("its patient's identifier is none that a patient can have");
  const store::Value parameters[] = {clinic_.id, number_of(keys.front())};
  return only_record("r.number IN (SELECT k.patient FROM patient_keys k WHERE k.clinic ="
                     " (SELECT number FROM clinics WHERE id = :p1) AND k.key = :p2)",
                     parameters, id);
}

Result<Person*> Planner::load(const std::string& record) {
  const auto known = persons_.find(record);
  if (known != persons_.end()) return &known->second;
  Person person;
  person.held = TRY(held_person(session_, clinic_, record));
  if (person.held.consents > 0) {
    for (auto& row : TRY(versions_of(session_, record))) {
      person.held.readable = person.held.readable && row.readable;
      if (row.last) person.consents.push_back({.row = std::move(row)});
    }
    person.held.readable = person.held.readable && !person.consents.empty();
  }
  if (person.held.choice) person.spoken = TRY(spoken_of(person.held.id));
  return &persons_.emplace(record, std::move(person)).first->second;
}

/// Whose word the patient's choice is: of all since it was cleared or made here last, and of merged records.
Result<std::set<std::string>> Planner::spoken_of(const std::string& patient) {
  const auto rows = TRY(session_.select("SELECT id, purposes, source, patient FROM purpose_choices WHERE patient = :p1"
                                        " OR id IN (SELECT r.choice FROM patients r WHERE r.survivor = :p1)"
                                        " ORDER BY set_at DESC, id", "titt", {patient}));
  std::set<std::string> spoken;
  for (const auto& row : rows) {
    const bool cleared = row.is_null(1), made_here = row.text(2).empty();
    if (!cleared) spoken.insert(made_here ? own_identifier(row.text(0)) : row.text(2));
    if ((cleared || made_here) && row.text(3) == patient) break;
  }
  return spoken;
}

Result<Person*> Planner::find(const FileRow& row) {
  if (row.identifier.value.empty()) return load(TRY(record_of(row.number)));
  const auto record = TRY(record_of(row.identifier));
  if (!row.number.empty()) {  // a reference beside it: another server's, but where it is a record of ours
    const auto referred = record_of(row.number);
    if (!referred && referred.error().code != Errc::RowNotAccepted) return referred.error();
    if (referred && *referred != record) return not_accepted("it names two patients of this clinic");
  }
  return load(record);
}

/// An identifier names one consent of one patient.
Result<void> Planner::check_owner(const FileRow& row, const Person& person, const std::string& place) {
  if (row.source.empty() || row.kind == RowKind::Revocation) return {};
  const auto [first, is_first] = sources_.try_emplace(row.source, Owner{person.held.id, place});
  if (!is_first && first->second.person != person.held.id)
    return not_accepted("it has the identifier that " + first->second.place + " gives to a consent of another patient");
  const auto prefix = own_identifier({});
  const auto own = row.source.starts_with(prefix) ? row.source.substr(prefix.size()) : std::string();
  const auto rows = TRY(session_.select(
      "SELECT COALESCE(p.survivor, p.id) FROM patients p WHERE p.id IN ("
      "SELECT patient FROM consents WHERE clinic = :p1 AND source = :p2 UNION "
      "SELECT patient FROM consents WHERE clinic = :p1 AND id = :p3 UNION "
      "SELECT patient FROM purpose_choices WHERE clinic = :p1 AND source = :p2 UNION "
      "SELECT patient FROM purpose_choices WHERE clinic = :p1 AND id = :p3)",
      "t", {clinic_.id, row.source, own}, owners_max));
  const bool is_theirs = std::ranges::any_of(rows, [&](const auto& one) { return one.text(0) == person.held.id; });
  if (!rows.empty() && !is_theirs) return not_accepted("its identifier is that of a consent of another patient here");
  return {};
}

Result<void> Planner::check_basis(const FileRow& row, const Word& held) const {
  if (row.change.set_by == SetBy::Patient || held.set_by == "staff" || !base::trim(row.change.basis).empty()) return {};
  return not_accepted("staff would overwrite what the patient said, and no basis is stated");
}

// ---------------------------------------------------------------- what it does

Result<PlannedRow> Planner::plan(const std::string& place, const FileRow& row) {
  Person* person = TRY(find(row));
  if (!person->held.readable) return not_accepted("what is held of this patient cannot be read");
  TRY(check_owner(row, *person, place));
  PlannedRow planned;
  planned.place = place;
  planned.patient = person->held.id;
  planned.mrn = person->held.mrn;
  planned.change = row.change;
  planned.source = row.source;
  planned.given_at = row.given_at.value_or(now_);
  switch (row.kind) {
    case RowKind::Choice: TRY(plan_choice(row, *person, planned)); break;
    case RowKind::Consent: TRY(plan_consent(row, *person, planned)); break;
    case RowKind::Revocation: TRY(plan_revocation(row, *person, planned)); break;
  }
  if (planned.does != RowDoes::Nothing) {
    plan_.touched.try_emplace(person->held.id, ConsentPlan::Basis{.choice = person->held.choice_id,
                                                                  .consents = person->held.consents});
  }
  return planned;
}

/// Says what is held already. It is kept that it does: nobody else then permits more without it.
void Planner::plan_same_choice(const FileRow& row, Person& person, PlannedRow& planned) {
  auto& choice = *person.held.choice;
  const bool made_here = choice.source.empty() || choice.source == own_identifier(choice.id);
  if (!row.beside_others || row.source.empty() || made_here || person.spoken.contains(row.source)) return;
  planned.does = RowDoes::SetsPurposes;
  planned.purposes = row.purposes;
  planned.given_at = choice.given_at = std::max(planned.given_at, choice.given_at);
  planned.change = {.set_by = choice.set_by == "patient" ? SetBy::Patient : SetBy::Staff, .actor = choice.actor,
                    .basis = row.change.basis};
  person.choice_place = planned.place;
  choice.source = row.source;
  person.spoken.insert(row.source);
}

Result<void> Planner::plan_choice(const FileRow& row, Person& person, PlannedRow& planned) {
  auto& choice = person.held.choice;
  if (row.status == ConsentStatus::Proposed) {
    planned.remark = "it is proposed alone, and says nothing yet";
    return {};
  }
  const bool was_consent = !row.source.empty() && std::ranges::any_of(person.consents, [&](const auto& kept) {
    return is_known_by(kept, row.source) && !has_ended(kept.row.consent.status);
  });
  if (was_consent) return not_accepted("its identifier is that of a consent held here that is no choice of purposes");
  const bool ends = has_ended(row.status);
  if (ends) {
    const bool is_held = choice && choice->purposes && !row.source.empty() && choice->source == row.source;
    if (!is_held) {
      planned.remark = "what it ends does not count here";
      return {};
    }
  } else if (choice && choice->purposes == row.purposes) {
    plan_same_choice(row, person, planned);
    return {};
  }
  if (choice) {
    if (!person.choice_place.empty())
      return not_accepted(person.choice_place + " says otherwise about the same patient's purposes");
    const Word held{choice->given_at, choice->set_at, choice->set_by};
    const bool counts = ends ? row.given_at && *row.given_at >= held.given_at : is_newer(row, held);
    if (!row.given_at) return not_accepted("the patient's purposes are held here otherwise: say when this was given");
    if (!counts) return older("the choice of purposes", held.given_at);
    const bool narrows = !ends && (!choice->purposes || is_within(row.purposes, *choice->purposes));
    const bool alone = std::ranges::all_of(person.spoken, [&](const auto& source) { return source == row.source; });
    if (row.beside_others && !narrows && (row.source.empty() || !alone))
      return not_accepted("another word held of the patient may forbid what this would permit: end the other consent"
                          " first, or set the purposes with `policy set`");
    TRY(check_basis(row, held));
  }
  planned.does = ends ? RowDoes::ClearsPurposes : RowDoes::SetsPurposes;
  planned.purposes = row.purposes;
  person.choice_place = planned.place;
  if (ends)
    person.spoken.clear();
  else
    person.spoken.insert(row.source);
  choice = HeldChoice{.id = {},
                      .purposes = ends ? std::nullopt : std::optional(row.purposes),
                      .set_by = row.change.set_by == SetBy::Patient ? "patient" : "staff",
                      .actor = row.change.actor,
                      .source = row.source,
                      .given_at = planned.given_at,
                      .set_at = now_};
  return {};
}

/// By its identifier; what has none is known by what it says, first among what has not ended.
Person::Kept* Planner::known_consent(const FileRow& row, Person& person) {
  Person::Kept* found = nullptr;
  for (auto& kept : person.consents) {
    if (!row.source.empty() && is_known_by(kept, row.source)) return &kept;
    if (!row.source.empty() || kept.row.consent.root != row.root) continue;
    if (!found || has_ended(found->row.consent.status)) found = &kept;
  }
  return found;
}

Result<void> Planner::plan_consent(const FileRow& row, Person& person, PlannedRow& planned) {
  if (auto* known = known_consent(row, person)) return plan_known(row, *known, planned);
  if (!row.source.empty() && person.held.choice && person.held.choice->source == row.source)
    return not_accepted("its identifier is that of the choice of purposes held here: take that back first");
  for (const auto& kept : person.consents) {
    // Known here by another identifier, and taken back: a file does not bring it in again.
    const bool is_it = kept.place.empty() && kept.row.consent.status == ConsentStatus::Revoked &&
                       row.status == ConsentStatus::Active && is_same_matter(kept.row.consent.root, row.root);
    if (is_it && row.given_at.value_or(kept.row.set_at) <= kept.row.set_at)
      return older("the revocation of the same", kept.row.set_at);
  }
  planned.does = RowDoes::GivesConsent;
  planned.consent = {.id = random_id(), .version = 1, .status = row.status, .root = row.root};
  person.consents.push_back({.row = {.consent = planned.consent,
                                     .set_by = row.change.set_by == SetBy::Patient ? "patient" : "staff",
                                     .actor = row.change.actor,
                                     .basis = row.change.basis,
                                     .source = row.source,
                                     .given_at = planned.given_at,
                                     .set_at = now_,
                                     .last = true},
                             .place = planned.place});
  return {};
}

/// A version of a consent that is held, or that an earlier row gives.
Result<void> Planner::plan_known(const FileRow& row, Person::Kept& kept, PlannedRow& planned) {
  const auto& consent = kept.row.consent;
  const Word held{kept.row.given_at, kept.row.set_at, kept.row.set_by};
  const bool says_the_same = consent.status == row.status && consent.root == row.root;
  if (says_the_same && (!kept.place.empty() || !is_newer(row, held))) return {};
  if (has_ended(row.status) && has_ended(consent.status)) {
    planned.remark = "it has ended here already";
    return {};
  }
  if (!kept.place.empty()) return not_accepted(kept.place + " says otherwise of the same consent");
  if (has_ended(row.status)) return end(row, row.root, kept, planned);
  if (has_ended(consent.status)) {
    if (row.given_at.value_or(held.set_at) <= held.set_at) return older("the revocation", held.set_at);
  } else if (!is_newer(row, held)) {
    return older("the version", held.given_at);
  }
  TRY(check_basis(row, held));
  return replace(row, RowDoes::ChangesConsent, row.status, row.root, kept, planned);
}

Result<void> Planner::end(const FileRow& row, const policy::Provision& root, Person::Kept& kept, PlannedRow& planned) {
  const Word held{kept.row.given_at, kept.row.set_at, kept.row.set_by};
  if (!row.given_at || *row.given_at < held.given_at) return older("the version", held.given_at);
  TRY(check_basis(row, held));
  const auto status = row.kind == RowKind::Revocation ? ConsentStatus::Revoked : row.status;
  return replace(row, RowDoes::EndsConsent, status, root, kept, planned);
}

/// A version more. It keeps the identifier that the consent is known by.
Result<void> Planner::replace(const FileRow& row, RowDoes does, ConsentStatus status, const policy::Provision& root,
                              Person::Kept& kept, PlannedRow& planned) {
  planned.does = does;
  planned.consent = {.id = kept.row.consent.id, .version = kept.row.consent.version + 1, .status = status,
                     .root = root};
  planned.source = kept.row.source;
  kept.row.consent = planned.consent;
  kept.row.set_by = row.change.set_by == SetBy::Patient ? "patient" : "staff";
  kept.row.given_at = planned.given_at;
  kept.row.set_at = now_;
  kept.place = planned.place;
  return {};
}

Result<void> Planner::plan_revocation(const FileRow& row, Person& person, PlannedRow& planned) {
  std::vector<Person::Kept*> meant;
  bool any = false;
  for (auto& kept : person.consents) {
    const auto& known = kept.row;
    const bool named = row.source.empty() || is_known_by(kept, row.source) || "|" + known.consent.id == row.source;
    any = any || named;
    if (named && !has_ended(known.consent.status)) meant.push_back(&kept);
  }
  if (!any) return not_accepted("the patient has no such consent here");
  if (meant.empty()) {
    planned.remark = "it has ended here already";
    return {};
  }
  if (meant.size() > 1)
    return not_accepted("the patient has several consents here: name one in the column identifier");
  if (!meant.front()->place.empty()) return not_accepted(meant.front()->place + " says otherwise of the same consent");
  return end(row, meant.front()->row.consent.root, *meant.front(), planned);
}

Result<void> write_row(store::Session& session, const ConsentPlan& plan, const PlannedRow& row, Instant now) {
  switch (row.does) {
    case RowDoes::Nothing: return {};
    case RowDoes::SetsPurposes:
    case RowDoes::ClearsPurposes:
      TRY(write_choice(session, plan.clinic, row.patient,
                       row.does == RowDoes::SetsPurposes ? std::optional(row.purposes) : std::nullopt, row.change, now,
                       {.given_at = row.given_at, .source = row.source}));
      return {};
    case RowDoes::GivesConsent:
    case RowDoes::ChangesConsent:
    case RowDoes::EndsConsent: break;
  }
  return write_version(session, row.consent, {.clinic = plan.clinic, .person = row.patient, .change = row.change,
                                              .source = row.source, .given_at = row.given_at, .now = now});
}

}  // namespace

std::string_view word(RowDoes does) noexcept {
  switch (does) {
    case RowDoes::SetsPurposes: return "sets purposes";
    case RowDoes::ClearsPurposes: return "clears purposes";
    case RowDoes::GivesConsent: return "gives a consent";
    case RowDoes::ChangesConsent: return "changes a consent";
    case RowDoes::EndsConsent: return "ends a consent";
    case RowDoes::Nothing: break;
  }
  return "unchanged";
}

std::size_t ConsentPlan::count(RowDoes does) const {
  return static_cast<std::size_t>(std::ranges::count(rows, does, &PlannedRow::does));
}

Result<HeldPerson> held_person(store::Session& session, const policy::Clinic& clinic, const std::string& record_id) {
  const auto rows = TRY(session.select(
      "SELECT p.id, p.mrn, p.consents, p.survivor, p.choice, w.id, w.patient, w.purposes, w.set_by, w.actor, w.source,"
      " w.given_at, w.set_at FROM patients r JOIN patients p ON p.id = COALESCE(r.survivor, r.id)"
      " LEFT JOIN purpose_choices w ON w.id = p.choice WHERE r.id = :p1 AND p.clinic = :p2",
      "ttittttitttii", {record_id, clinic.id}));
  if (rows.size() != 1) return fail(Errc::NoSuchPatient);
  const auto& row = rows.front();
  HeldPerson person{.id = row.text(0), .mrn = row.text(1), .readable = row.is_null(3), .consents = row.integer(2)};
  if (row.is_null(4)) return person;
  person.choice_id = row.text(4);
  const bool found = !row.is_null(5) && row.optional_text(6) == person.id;
  const auto purposes = found && !row.is_null(7) ? policy::PurposeSet::from_bits(row.integer(7)) : std::nullopt;
  person.readable = person.readable && found && (row.is_null(7) || purposes) &&
                    (row.text(8) == "patient" || row.text(8) == "staff");
  if (!person.readable) return person;
  person.choice = HeldChoice{.id = row.text(5),
                             .purposes = purposes,
                             .set_by = row.text(8),
                             .actor = row.text(9),
                             .source = row.text(10).empty() ? own_identifier(row.text(5)) : row.text(10),
                             .given_at = base::from_micros(row.integer(row.is_null(11) ? 12 : 11)),
                             .set_at = base::from_micros(row.integer(12))};
  return person;
}

Result<ConsentPlan> plan_consents(store::Database& database, const policy::Clinic& clinic, BytesView file,
                                  const ConsentImportOptions& options, Instant now) {
  if (base::trim(options.change.actor).empty()) return fail(Errc::ActorMissing);
  auto* session = TRY(database.session());
  const auto calendar = TRY(resources::Calendar::of(clinic.time_zone));
  Planner planner(*session, clinic, calendar, now);
  std::size_t read = 0;
  TRY(read_rows(file, {.calendar = calendar, .change = options.change, .now = now},
                [&](const std::string& place, const Result<FileRow>& row) -> Result<void> {
                  if (++read > options.rows)
                    return fail(resources::Errc::TooMuch, "more than " + std::to_string(options.rows) + " rows");
                  if (options.progress && read % rows_between_progress == 0) options.progress(read);
                  return planner.add(place, row);
                }));
  return planner.take();
}

Result<void> carry_out(store::Database& database, const ConsentPlan& plan, Instant now,
                       const std::function<void(std::size_t rows)>& progress) {
  if (!plan.refused.empty()) return fail(Errc::RowNotAccepted, plan.refused.front().place);
  auto* session = TRY(database.session());
  return session->transaction([&]() -> Result<void> {
    // The write comes first: it holds the patients' rows, always in the same order.
    for (const auto& [patient, basis] : plan.touched) {
      const auto held = TRY(session->execute(
          "UPDATE patients SET updated_at = updated_at WHERE id = :p1 AND survivor IS NULL AND consents = :p2 AND"
          " COALESCE(choice, '') = :p3",
          {patient, basis.consents, basis.choice}));
      if (held != 1) return fail(Errc::ChangedMeanwhile);
    }
    // A merge or unmerge holds the survivor's row too: from here on, what is one person stays one.
    for (const auto& [record, patient] : plan.merged) {
      if (!plan.touched.contains(patient)) continue;
      const auto still = TRY(session->select("SELECT id FROM patients WHERE id = :p1 AND survivor = :p2", "t",
                                             {record, patient}));
      if (still.empty()) return fail(Errc::ChangedMeanwhile);
    }
    std::size_t written = 0;
    for (const auto& row : plan.rows) {
      TRY(write_row(*session, plan, row, now));
      if (progress && ++written % rows_between_progress == 0) progress(written);
    }
    return {};
  });
}

}  // namespace gateway::patients
