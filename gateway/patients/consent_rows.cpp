#include "gateway/patients/consent_rows.hpp"

#include "gateway/patients/consents.hpp"
#include "gateway/resources/csv.hpp"

#include <algorithm>

namespace gateway::patients {
namespace {

using base::json::Value;
using policy::ConsentStatus;
using policy::Provision;
using policy::PurposeSet;
using resources::CsvCells;

constexpr std::size_t our_id_digits = 32;

base::Error not_accepted(std::string sentence) { return fail(Errc::RowNotAccepted, std::move(sentence)); }

/// Whether anything in it can ever permit or forbid. [policy::idle_parts]
bool says_something(const Provision& provision, bool label, bool purpose, bool recipient) {
  if (!provision.permits) return true;
  label = label || !provision.labels.empty();
  purpose = purpose || (provision.purposes && !provision.purposes->empty());
  recipient = recipient || !provision.recipients.empty();
  return (label && purpose && recipient) ||
         std::ranges::any_of(provision.exceptions, [&](const Provision& exception) {
           return says_something(exception, label, purpose, recipient);
         });
}

/// What holds for rows of every form.
Result<FileRow> checked(FileRow row, Instant now) {
  if (row.given_at && *row.given_at > now) return not_accepted("it is dated in the future");
  const bool counts = row.kind == RowKind::Consent && row.status == ConsentStatus::Active;
  if (counts && row.not_evaluated.empty() && !says_something(row.root, false, false, false)) {
    return not_accepted(std::string(opens_nothing));
  }
  return row;
}

// ---------------------------------------------------------------- FHIR

Result<std::optional<Instant>> last_updated(Value resource, const resources::Calendar& calendar) {
  const auto meta = resource.find("meta");
  const auto written = meta ? meta->find("lastUpdated") : std::nullopt;
  if (!written) return std::optional<Instant>();
  const auto instant = calendar.read_fhir(written->string().value_or(""), resources::Bound::Start);
  if (!instant) return fail(resources::Errc::FieldUnreadable, "Consent.meta.lastUpdated");
  return std::optional(*instant);
}

/// `Patient/x` as x where that has the form of our own ids: numbers of other servers mean nobody here.
std::string our_id(std::string_view reference) {
  const auto id = reference.starts_with("Patient/") ? reference.substr(8) : std::string_view();
  const bool ours = id.size() == our_id_digits && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return ours ? std::string(id) : std::string();
}

Result<FileRow> read_fhir(Value resource, const RowReading& reading) {
  auto consent = TRY(resources::read_consent(resource, reading.calendar));
  FileRow row{.number = our_id(consent.patient_reference), .identifier = consent.patient_identifier};
  if (row.number.empty() && row.identifier.value.empty())
    return not_accepted("its patient is named by a reference alone that is none of ours: add the identifier");
  row.updated_at = TRY(last_updated(resource, reading.calendar));
  row.status = consent.status;
  row.source = consent.identifier;
  if (row.source.empty() && !consent.id.empty()) row.source = "|Consent/" + consent.id;
  row.given_at = consent.given_at;
  row.change = reading.change;
  const bool by_patient = !consent.performer.empty() && consent.performer == consent.patient_reference;
  if (by_patient) row.change.set_by = SetBy::Patient;
  if (!by_patient && !consent.performer.empty()) row.change.actor = consent.performer;
  row.not_evaluated = std::move(consent.not_evaluated);

  consent.status = ConsentStatus::Active;  // an ended choice of purposes is one too
  if (const auto purposes = resources::purposes_only(consent)) {
    row.kind = RowKind::Choice;
    row.purposes = *purposes;
    row.beside_others = true;
    return checked(std::move(row), reading.now);
  }
  row.root = std::move(consent.root);
  TRY(check_readable(row.root));
  // What was saved by a gateway once may be saved here too, whatever it opens.
  if (consent.policy_uri == resources::consents_policy && row.given_at <= reading.now) return row;
  return checked(std::move(row), reading.now);
}

// ---------------------------------------------------------------- CSV

enum Column : std::size_t {
  Mrn, Kind, Purposes, Labels, To, From, Until, Given, Identifier, Actor, SetByWhom, Basis, column_count
};
constexpr std::string_view column_names[column_count] = {"mrn",   "kind",  "purposes",   "labels", "to",     "from",
                                                         "until", "given", "identifier", "actor",  "set_by", "basis"};

constexpr bool is_of(std::size_t column, std::initializer_list<Column> columns) {
  return std::ranges::find(columns, column) != columns.end();
}

/// What a kind of row says, and which columns it takes beside those that all take.
struct KindRow {
  std::string_view word;
  RowKind kind;
  bool takes_purposes, takes_provision;
};
constexpr KindRow kinds[] = {
    {"opt-out", RowKind::Choice, false, false}, {"opt-in", RowKind::Choice, false, false},
    {"purposes", RowKind::Choice, true, false}, {"permit", RowKind::Consent, true, true},
    {"deny", RowKind::Consent, true, true},     {"revoke", RowKind::Revocation, false, false},
};

/// The parts of a cell that `;` or `,` divides, without blanks around them and without empty ones.
std::vector<std::string> parts_of(std::string_view cell) {
  std::vector<std::string> parts;
  while (!cell.empty()) {
    const auto end = std::min(cell.find_first_of(";,"), cell.size());
    const auto part = base::trim(cell.substr(0, end));
    if (!part.empty()) parts.emplace_back(part);
    cell.remove_prefix(std::min(end + 1, cell.size()));
  }
  return parts;
}

std::string in_column(Column column, std::string_view what) {
  return "the column " + std::string(column_names[column]) + " " + std::string(what);
}

/// `system|value`; a value alone has no system.
std::string source_of(const std::string& cell) {
  return cell.empty() || cell.find('|') != std::string::npos ? cell : "|" + cell;
}

/// Rows of one file, by the columns its first record names.
class CsvRows {
 public:
  explicit CsvRows(const RowReading& reading) : reading_(reading) {}

  /// @error resources::Errc::NotCsv
  Result<void> read_header(const Result<CsvCells>& cells) {
    if (!cells) return cells.error();
    places_.assign(column_count, absent);
    for (std::size_t at = 0; at < cells->size(); ++at) {
      const std::string name(base::trim((*cells)[at]));
      const auto found = std::ranges::find(column_names, name);
      if (found == std::end(column_names))
        return fail(resources::Errc::NotCsv, "column " + std::to_string(at + 1) + " of the first line is none of ours");
      auto& place = places_[static_cast<std::size_t>(found - std::begin(column_names))];
      if (place != absent) return fail(resources::Errc::NotCsv, "the column " + name + " is there twice");
      place = at;
    }
    for (const Column column : {Mrn, Kind}) {
      if (places_[column] == absent) return fail(resources::Errc::NotCsv, in_column(column, "is missing"));
    }
    width_ = cells->size();
    return {};
  }

  Result<FileRow> read(const CsvCells& cells) const {
    if (cells.size() != width_) return not_accepted("it has another number of cells than the header");
    const Row row{places_, cells};
    const auto kind = std::ranges::find(kinds, row.text(Kind), &KindRow::word);
    if (kind == std::end(kinds))
      return not_accepted(in_column(Kind, "must hold opt-out, opt-in, purposes, permit, deny or revoke"));
    TRY(check_columns(row, *kind));
    FileRow read{.kind = kind->kind};
    TRY(read_patient(row.text(Mrn), read));
    read.source = source_of(row.text(Identifier));
    read.given_at = TRY(day(row, Given));
    read.change = TRY(change(row));
    if (kind->kind == RowKind::Choice) read.purposes = TRY(choice(row, kind->word));
    if (kind->kind == RowKind::Consent) read.root = TRY(provision(row, kind->word == "permit"));
    if (kind->kind == RowKind::Revocation && !read.given_at)
      return not_accepted(in_column(Given, "must say when the consent was taken back"));
    return checked(std::move(read), reading_.now);
  }

 private:
  static constexpr std::size_t absent = static_cast<std::size_t>(-1);
  struct Row {
    const std::vector<std::size_t>& places;
    const CsvCells& cells;
    std::string text(Column column) const {
      return places[column] == absent ? std::string() : std::string(base::trim(cells[places[column]]));
    }
  };

  /// A cell that says nothing for its row was meant for another.
  static Result<void> check_columns(const Row& row, const KindRow& kind) {
    for (std::size_t at = 0; at < column_count; ++at) {
      const auto column = static_cast<Column>(at);
      const bool taken = at == Purposes                         ? kind.takes_purposes
                         : is_of(at, {Labels, To, From, Until}) ? kind.takes_provision
                                                                : true;
      if (!taken && !row.text(column).empty())
        return not_accepted(in_column(column, "must be empty in a row of kind " + std::string(kind.word)));
    }
    return {};
  }

  static Result<void> read_patient(const std::string& cell, FileRow& into) {
    const auto bar = cell.find('|');
    if (cell.empty()) return not_accepted(in_column(Mrn, "is empty"));
    if (bar == std::string::npos) {
      into.number = cell;
    } else {
      const auto oid = base::Oid::parse(cell.substr(0, bar));
      into.identifier = {.system = oid ? oid->urn() : cell.substr(0, bar), .value = cell.substr(bar + 1)};
      if (into.identifier.value.empty()) return not_accepted(in_column(Mrn, "is empty behind the bar"));
    }
    return {};
  }

  Result<std::optional<Instant>> day(const Row& row, Column column) const {
    const auto text = row.text(column);
    if (text.empty()) return std::optional<Instant>();
    const auto instant = reading_.calendar.read(text);
    if (!instant) return not_accepted(in_column(column, "holds no date like 2026-11-21 or 2026-11-21T19:30"));
    return std::optional(*instant);
  }

  Result<ChoiceChange> change(const Row& row) const {
    ChoiceChange change = reading_.change;
    const auto set_by = row.text(SetByWhom), actor = row.text(Actor), basis = row.text(Basis);
    if (!set_by.empty() && set_by != "patient" && set_by != "staff")
      return not_accepted(in_column(SetByWhom, "holds neither patient nor staff"));
    if (!set_by.empty()) change.set_by = set_by == "patient" ? SetBy::Patient : SetBy::Staff;
    if (!actor.empty()) change.actor = actor;
    if (!basis.empty()) change.basis = basis;
    return change;
  }

  static Result<std::optional<PurposeSet>> purposes(const Row& row) {
    std::optional<PurposeSet> all;
    for (const auto& part : parts_of(row.text(Purposes))) {
      const auto set = PurposeSet::parse(part);
      if (!set) return not_accepted(in_column(Purposes, "holds a word that is no purpose"));
      if (!all) all.emplace();
      for (const auto purpose : set->members()) all->add(purpose);
    }
    return all;
  }

  static Result<PurposeSet> choice(const Row& row, std::string_view kind) {
    if (kind == "opt-out") return PurposeSet();
    if (kind == "opt-in") return PurposeSet::all();
    const auto set = TRY(purposes(row));
    if (!set) return not_accepted(in_column(Purposes, "is empty: say none where none are permitted"));
    return *set;
  }

  Result<Provision> provision(const Row& row, bool permits) const {
    Provision provision{.permits = permits};
    for (const auto& part : parts_of(row.text(Labels))) {
      auto label = policy::label_from_word(part);
      if (!label) return not_accepted(in_column(Labels, "holds a label that is not known: name it as SYSTEM|CODE"));
      provision.labels.push_back(*std::move(label));
    }
    for (const auto& part : parts_of(row.text(To))) provision.recipients.push_back(TRY(recipient(part)));
    provision.purposes = TRY(purposes(row));
    if (provision.purposes && provision.purposes->empty())
      return not_accepted(in_column(Purposes, "must name a purpose, or be empty for all"));
    provision.period.from = TRY(day(row, From));
    provision.period.to = TRY(day(row, Until));
    const auto& period = provision.period;
    if (period.from && period.to && *period.to <= *period.from)
      return not_accepted(in_column(Until, "must be later than the column from"));
    return provision;
  }

  static Result<policy::Recipient> recipient(const std::string& part) {
    if (const auto known = policy::recipient_class(part)) return policy::Recipient{*known};
    if (const auto home = base::Oid::parse(part)) return policy::Recipient{*home};
    return not_accepted(in_column(To, "must hold home community ids (OID), treating-providers or health-plans"));
  }

  const RowReading& reading_;
  std::vector<std::size_t> places_;
  std::size_t width_ = 0;
};

Result<void> read_csv_rows(BytesView file, const RowReading& reading, const TakeRow& take) {
  CsvRows rows(reading);
  bool headed = false;
  TRY(resources::read_csv(file, [&](std::size_t line, const Result<CsvCells>& cells) -> Result<void> {
    if (!headed) {
      headed = true;
      return rows.read_header(cells);
    }
    const auto place = "line " + std::to_string(line);
    return cells ? take(place, rows.read(*cells)) : take(place, cells.error());
  }));
  return headed ? Result<void>() : fail(resources::Errc::NotCsv, "the file is empty");
}

bool is_json(BytesView file) {
  if (file.starts_with("\xEF\xBB\xBF")) file.remove_prefix(3);
  const auto text = base::trim(file.substr(0, 4096));
  return text.starts_with('{') || text.starts_with('[');
}

}  // namespace

Result<void> read_rows(BytesView file, const RowReading& reading, const TakeRow& take) {
  if (!is_json(file)) return read_csv_rows(file, reading, take);
  return resources::read_bundle_or_ndjson(file, [&](const std::string& place, const Result<Value>& resource) {
    return resource ? take(place, read_fhir(*resource, reading)) : take(place, resource.error());
  });
}

std::string why_not(const base::Error& error) {
  if (error.code == Errc::RowNotAccepted) return error.detail;
  return error.code.message() + (error.detail.empty() ? "" : " (" + error.detail + ")");
}

}  // namespace gateway::patients
