#include "gateway/patients/record.hpp"

#include "base/error_table.hpp"
#include "base/json/document.hpp"
#include "base/json/writer.hpp"

namespace gateway::patients {
namespace {

using base::Cause;
using base::json::Value;
using base::json::Writer;

constexpr base::ErrorRow rows[] = {
    {int(Errc::NoSuchClinic), "no-such-clinic", "there is no clinic of that name, id or home", Cause::BadMessage},
    {int(Errc::ClinicTaken), "clinic-taken", "a clinic with this home or name exists already", Cause::BadMessage},
    {int(Errc::BadClinic), "bad-clinic",
     "a clinic needs a name, a time zone, and OIDs for home, assigning authority and repository", Cause::BadMessage},
    {int(Errc::NoSuchPatient), "no-such-patient", "there is no such patient in this clinic", Cause::BadMessage},
    {int(Errc::AmbiguousPatient), "ambiguous-patient", "more than one patient of this clinic may be meant",
     Cause::BadMessage},
    {int(Errc::ActorMissing), "actor-missing", "say who makes this change", Cause::BadMessage},
    {int(Errc::BasisMissing), "basis-missing",
     "the patient chose this in person: state the basis on which staff changes it", Cause::BadMessage},
    {int(Errc::NoSuchConsent), "no-such-consent",
     "the patient has no such consent: list them with gatehouse consent show", Cause::BadMessage},
    {int(Errc::NotRevocable), "not-revocable", "this consent was taken back or entered in error already",
     Cause::BadMessage},
    {int(Errc::NoSuchSetting), "no-such-setting", "there is no such setting: see gatehouse settings set --help",
     Cause::BadMessage},
    {int(Errc::BadSetting), "bad-setting", "a setting does not take this value", Cause::BadMessage},
    {int(Errc::RecordUnreadable), "record-unreadable", "a stored patient record cannot be understood", Cause::Defect},
    {int(Errc::MergeCycle), "merge-cycle",
     "a record cannot be merged into itself, nor into one that was merged into it", Cause::BadMessage},
    {int(Errc::AlreadyMerged), "already-merged", "this record was merged already: unmerge it first", Cause::BadMessage},
    {int(Errc::NotMerged), "not-merged", "this record was not merged into another", Cause::BadMessage},
    {int(Errc::MergedFurther), "merged-further",
     "the record it was merged into was itself merged later: unmerge that one first", Cause::BadMessage},
    {int(Errc::HasRetired), "has-retired", "other records were merged into this one: unmerge them first",
     Cause::BadMessage},
    {int(Errc::RoleMissing), "role-missing", "say in which role you break the glass, like \"emergency physician\"",
     Cause::BadMessage},
    {int(Errc::ReasonTooThin), "reason-too-thin",
     "state a reason that whoever reviews it understands: at least 10 characters, with a word of 4 or more",
     Cause::BadMessage},
    {int(Errc::BadGrantTime), "bad-grant-time", "a glass is broken for 1 to 240 minutes", Cause::BadMessage},
    {int(Errc::GrantOpen), "grant-open", "this glass was broken less than 10 minutes ago and is open: use that grant",
     Cause::BadMessage},
    {int(Errc::GlassRate), "break-glass-rate",
     "you broke the glass for 5 other patients within the hour: ask the privacy officer", Cause::NotTrusted},
    {int(Errc::NoSuchGrant), "no-such-grant",
     "there is no such grant in this clinic: list them with gatehouse policy review --all", Cause::BadMessage},
    {int(Errc::ReviewedAlready), "reviewed-already", "this grant was reviewed already", Cause::BadMessage},
    {int(Errc::OwnReview), "own-review", "whoever broke the glass does not review it: ask somebody else",
     Cause::NotTrusted},
    {int(Errc::FindingMissing), "finding-missing", "say what the review found", Cause::BadMessage},
    {int(Errc::AwaitsReview), "awaits-review",
     "a broken glass of this patient waits for review: close it with gatehouse policy review first",
     Cause::BadMessage},
    {int(Errc::NoHie), "no-hie", "no HIE is set for this clinic: set hie.to first", Cause::BadMessage},
    {int(Errc::BadPeriod), "bad-period", "a consent expires after it is given", Cause::BadMessage},
    {int(Errc::NoSuchExplanation), "no-such-explanation", "the HIE explanation has no such version", Cause::BadMessage},
    {int(Errc::HieNotRevocable), "hie-not-revocable",
     "only a consent to the HIE that is active or in the future can be revoked", Cause::BadMessage},
    {int(Errc::RowNotAccepted), "row-not-accepted", "a row of the file is not accepted, and nothing of it is imported",
     Cause::BadMessage},
    {int(Errc::ChangedMeanwhile), "changed-meanwhile",
     "what is held of a patient changed meanwhile, and nothing was imported: run it again", Cause::TryLater},
};
constinit const base::ErrorTable errors("gatehouse.patients", rows);

std::string text(Value object, std::string_view member) {
  const auto found = object.find(member);
  return std::string(found ? found->string().value_or("") : "");
}

std::vector<Value> items(Value object, std::string_view member) {
  const auto found = object.find(member);
  return found ? found->items() : std::vector<Value>();
}

std::vector<std::string> texts(Value object, std::string_view member) {
  std::vector<std::string> result;
  for (const Value item : items(object, member)) result.emplace_back(item.string().value_or(""));
  return result;
}

void write(Writer& writer, std::string_view name, const std::vector<std::string>& list) {
  writer.name(name).begin_array();
  for (const auto& one : list) writer.string(one);
  writer.end_array();
}

void write(Writer& writer, const Person& person) {
  writer.name("names").begin_array();
  for (const auto& name : person.names) {
    writer.begin_object().member("family", name.family);
    write(writer, "given", name.given);
    writer.member("prefix", name.prefix).member("suffix", name.suffix).end_object();
  }
  writer.end_array().member("gender", person.gender).member("birthDate", person.birth_date);
  writer.name("addresses").begin_array();
  for (const auto& address : person.addresses) {
    writer.begin_object();
    write(writer, "lines", address.lines);
    writer.member("city", address.city).member("state", address.state);
    writer.member("postalCode", address.postal_code).member("country", address.country).end_object();
  }
  writer.end_array();
  write(writer, "telecoms", person.telecoms);
}

Person read_person(Value root) {
  Person person;
  for (const Value name : items(root, "names")) {
    person.names.push_back({text(name, "family"), texts(name, "given"), text(name, "prefix"), text(name, "suffix")});
  }
  person.gender = text(root, "gender");
  person.birth_date = text(root, "birthDate");
  for (const Value one : items(root, "addresses")) {
    person.addresses.push_back(
        {texts(one, "lines"), text(one, "city"), text(one, "state"), text(one, "postalCode"), text(one, "country")});
  }
  person.telecoms = texts(root, "telecoms");
  return person;
}

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errors}; }

std::string write_demographics(const Known& known) {
  Writer writer;
  writer.begin_object();
  write(writer, known.person);
  writer.name("ids").begin_array();
  for (const auto& id : known.ids) {
    writer.begin_object().member("root", id.root).member("extension", id.extension).end_object();
  }
  return writer.end_array().end_object().text();
}

Result<Known> read_demographics(std::string_view json) {
  const auto document = base::json::Document::parse(json);
  if (!document || !(*document)->root().is_object()) return fail(Errc::RecordUnreadable, "demographics");
  const auto root = (*document)->root();
  Known known{.person = read_person(root), .ids = {}};
  for (const Value id : items(root, "ids")) known.ids.push_back({text(id, "root"), text(id, "extension")});
  return known;
}

std::string random_id() {
  const auto octets = certs::random_octets<16>();
  return base::hex({reinterpret_cast<const char*>(octets.data()), octets.size()});
}

policy::ChoiceFacts read_choice(const store::Row& row, std::size_t at) {
  enum Column : std::size_t { Defaults, Version, Choice, RowId, RowPatient, Purposes, SetBy, Patient, Survivor };
  policy::ChoiceFacts facts;
  const auto defaults =
      row.is_null(at + Defaults) ? std::nullopt : policy::PurposeSet::from_bits(row.integer(at + Defaults));
  facts.readable = defaults.has_value() && row.is_null(at + Survivor);
  facts.clinic_defaults = defaults.value_or(policy::PurposeSet{});
  facts.clinic_version = std::to_string(row.is_null(at + Version) ? 0 : row.integer(at + Version));
  if (row.is_null(at + Choice)) return facts;

  // The patient has spoken: what cannot be read now was not "nothing".
  const bool found = !row.is_null(at + RowId) && row.optional_text(at + RowPatient) == row.text(at + Patient);
  const auto set_by = row.optional_text(at + SetBy).value_or("");
  if (!found || (set_by != "patient" && set_by != "staff")) {
    facts.readable = false;
    return facts;
  }
  if (row.is_null(at + Purposes)) return facts;  // back to the defaults
  const auto purposes = policy::PurposeSet::from_bits(row.integer(at + Purposes));
  if (!purposes) {
    facts.readable = false;
    return facts;
  }
  facts.choice = policy::PurposeChoice{.purposes = *purposes, .id = row.text(at + RowId), .set_by = set_by};
  return facts;
}

std::int64_t consent_rows(const store::Row& row, std::size_t at) {
  const auto column = at + choice_letters.size() - 1;
  return row.is_null(column) ? 1 : row.integer(column);
}

}  // namespace gateway::patients
