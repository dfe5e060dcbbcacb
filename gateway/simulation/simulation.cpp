#include "gateway/simulation/simulation.hpp"

#include "gateway/documents/shelf.hpp"
#include "gateway/patients/consents.hpp"
#include "gateway/patients/records.hpp"

#include <algorithm>

namespace gateway::simulation {
namespace {

using audit::Decided;
using audit::Event;
using policy::Admitted;
using policy::Finding;
using policy::Reason;

constexpr std::string_view patient_discovery = "ITI-55";

policy::NamedOrganization look_up(const exchange::DirectoryView& directory, std::string_view named) {
  policy::NamedOrganization who{std::string(named)};
  if (const auto oid = base::Oid::parse(named)) who.entry = directory.organization(oid->dotted());
  return who;
}

/// Who asked, as the event tells it. It was admitted then: certificates and the reference to an authorization, which no
/// event repeats, were in order.
policy::Caller caller_of(const Event& event, const Question& question) {
  policy::Caller caller;
  caller.tls_implementer = caller.signer_implementer = caller.assertion_implementer = event.implementer;
  caller.home = look_up(question.directory, event.home);
  if (!event.sender.empty()) caller.sender = look_up(question.directory, event.sender);
  constexpr std::string_view prefix = "Organization/";
  if (event.grantor.starts_with(prefix))
    caller.grantor = look_up(question.directory, std::string_view(event.grantor).substr(prefix.size()));
  caller.demand_equal_sender = question.directory.settings(event.implementer, question.at).equal_sender;
  caller.purposes = event.purpose_codes;
  caller.authorization_reference = "as it was";
  if (auto patient = base::read_cx(event.token_patient)) caller.patient = *std::move(patient);
  return caller;
}

/// A resource as it is now.
struct Resource {
  std::string patient, mrn, document = {};
  policy::ChoiceFacts choice = {};
  std::shared_ptr<const policy::ConsentFacts> consents = {};
  std::optional<policy::DocumentFacts> facts = {};          ///< with the labels that the clinic's marks give it now
  std::optional<policy::DocumentFacts> facts_changed = {};  ///< with those that the changed marks would
};

/// How one resource fares under one set of rules.
struct Fate {
  Reason reason = Reason::Permitted;
  std::string because = {}, would_change = {};
  bool permits() const { return reason == Reason::Permitted; }
};
Fate fate_of(const policy::Verdict& verdict) {
  const Finding* refusal = verdict.refusal();
  if (!refusal) return {.reason = verdict.reason()};
  return {refusal->reason, refusal->sentence, refusal->would_change};
}

class Replay {
 public:
  Replay(store::Database& database, const Question& question) : database_(database), question_(question) {}

  Result<void> add(const Decided& decided) {
    std::vector<const Resource*> resources;
    for (const auto& id : decided.resources) {
      const Resource* resource = TRY(resource_of(id, decided.event.transaction));
      if (resource) {
        resources.push_back(resource);
      } else {
        ++found_.totals.gone;
      }
    }
    ++found_.totals.requests;
    found_.totals.left_out += decided.left_out;
    const auto before = fates(decided.event, resources, question_.now);
    const auto after = fates(decided.event, resources, question_.changed);
    bool changed = false;
    for (std::size_t i = 0; i < resources.size(); ++i)
      changed = count(decided.event, *resources[i], before[i], after[i]) || changed;
    found_.totals.requests_changed += changed ? 1 : 0;
    return {};
  }
  Simulation take() { return std::move(found_); }

 private:
  /// Null where it is no longer held.
  Result<const Resource*> resource_of(const std::string& id, const std::string& transaction) {
    const auto known = resources_.find(id);
    if (known != resources_.end()) return known->second ? &*known->second : nullptr;
    auto read = TRY(transaction == patient_discovery ? patient(id) : document(id));
    auto& kept = resources_.emplace(id, std::move(read)).first->second;
    return kept ? &*kept : nullptr;
  }

  Result<std::optional<Resource>> patient(const std::string& id) {
    const auto record = patients::show_patient(database_, question_.now, id);
    if (!record && record.error().code == patients::Errc::NoSuchPatient) return std::optional<Resource>();
    if (!record) return record.error();
    Resource resource{.patient = record->id, .mrn = record->mrn};
    resource.choice = TRY(patients::choice_facts(database_, record->id));
    resource.consents = TRY(patients::consent_facts(database_, record->id, patients::Asker::Partner));
    return std::optional(std::move(resource));
  }

  Result<std::optional<Resource>> document(const std::string& id) {
    auto held = documents::held_document(database_, question_.now, id);
    if (!held && held.error().code == documents::Errc::NoSuchDocument) return std::optional<Resource>();
    if (!held) return held.error();
    auto changed = TRY(documents::held_document(database_, question_.changed, id));
    return std::optional(Resource{.patient = held->subject,
                                  .mrn = held->resource.patient.extension,
                                  .document = held->resource.unique_id,
                                  .choice = std::move(held->choice),
                                  .consents = std::move(held->consents),
                                  .facts = std::move(held->document),
                                  .facts_changed = std::move(changed.document)});
  }

  /// Of all resources of one request under a clinic's settings.
  std::vector<Fate> fates(const Event& event, const std::vector<const Resource*>& resources,
                          const policy::Clinic& clinic) const {
    const auto admission = policy::admit(question_.rules, caller_of(event, question_));
    if (const auto* refused = std::get_if<policy::Verdict>(&admission))
      return std::vector<Fate>(resources.size(), fate_of(*refused));
    const policy::Terms terms{clinic.rules, question_.at};
    policy::Judge judge(std::get<Admitted>(admission), terms);
    std::vector<Fate> fates;
    for (const Resource* resource : resources) {
      auto choice = resource->choice;
      choice.clinic_defaults = clinic.defaults;
      choice.clinic_version = clinic.version;
      const auto ids = patient_ids(event, *resource);
      const auto& facts = &clinic == &question_.changed ? resource->facts_changed : resource->facts;
      fates.push_back(fate_of(judge.verdict_on({}, {.subject = resource->patient, .choice = choice, .patient_ids = ids,
                                                    .consents = resource->consents,
                                                    .document = facts ? &*facts : nullptr})));
    }
    // A candidate who is withheld withholds all that the query may mean.
    const auto refused = std::ranges::find_if(fates, [](const Fate& fate) { return !fate.permits(); });
    if (event.transaction == patient_discovery && refused != fates.end()) {
      const Fate first = *refused;
      for (Fate& fate : fates) fate = fate.permits() ? first : fate;
    }
    return fates;
  }

  std::vector<base::Identifier> patient_ids(const Event& event, const Resource& resource) const {
    std::vector<base::Identifier> ids{{question_.now.assigning_authority, resource.mrn}};
    for (const auto& cx : event.patient_ids) {
      if (auto id = base::read_cx(cx)) ids.push_back(*std::move(id));
    }
    return ids;
  }

  /// @return whether the resource fares otherwise
  bool count(const Event& event, const Resource& resource, const Fate& before, const Fate& after) {
    Totals& totals = found_.totals;
    if (before.permits() == after.permits()) {
      ++(before.permits() ? totals.answered_alike : totals.refused_alike);
      return false;
    }
    ++(after.permits() ? totals.newly_answered : totals.newly_refused);
    Shift& shift = shift_of(event, resource, before, after);
    ++shift.times;
    shift.last_asked = event.at;
    shift.last_request = event.request;
    return true;
  }

  Shift& shift_of(const Event& event, const Resource& resource, const Fate& before, const Fate& after) {
    constexpr char end = '\x1f';
    std::string key;
    for (const auto& text : {event.transaction, event.organization, event.home, event.purposes, resource.patient,
                             resource.document, std::string(policy::code(before.reason)),
                             std::string(policy::code(after.reason))}) {
      key.append(text).push_back(end);
    }
    const auto [place, is_new] = places_.emplace(std::move(key), found_.shifts.size());
    if (!is_new) return found_.shifts[place->second];
    if (found_.shifts.size() == question_.shifts_max) {
      places_.erase(place);
      ++found_.totals.not_listed;
      return unlisted_;
    }
    const Fate& refusing = after.permits() ? before : after;
    const auto home = base::Oid::parse(event.home);
    return found_.shifts.emplace_back(Shift{.answered = after.permits(),
                                            .transaction = event.transaction,
                                            .organization = event.organization,
                                            .home = home ? home->dotted() : event.home,
                                            .purposes = event.purposes,
                                            .patient = resource.patient,
                                            .mrn = resource.mrn,
                                            .document = resource.document,
                                            .before = before.reason,
                                            .after = after.reason,
                                            .because = refusing.because,
                                            .would_change = refusing.would_change});
  }

  store::Database& database_;
  const Question& question_;
  std::map<std::string, std::optional<Resource>> resources_;
  std::map<std::string, std::size_t> places_;  ///< of shifts, by all that tells one from another
  Simulation found_;
  Shift unlisted_;
};

}  // namespace

Result<Simulation> simulate(store::Database& database, const Question& question,
                            const std::function<void(std::uint64_t)>& progress) {
  auto& session = *TRY(database.session());
  Replay replay(database, question);
  std::uint64_t done = 0;
  TRY(audit::for_each_decided(session, question.now.id, question.period,
                              [&](const Decided& decided) -> Result<void> {
                                TRY(replay.add(decided));
                                if (progress) progress(++done);
                                return {};
                              }));
  return replay.take();
}

}  // namespace gateway::simulation
