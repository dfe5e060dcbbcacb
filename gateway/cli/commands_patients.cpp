// patient and document: load and look at what the gateway may answer with.

#include "gateway/cli/commands.hpp"
#include "gateway/cli/house.hpp"
#include "gateway/documents/content.hpp"
#include "gateway/documents/labelling.hpp"
#include "gateway/documents/render.hpp"
#include "gateway/documents/shelf.hpp"
#include "gateway/documents/submission.hpp"
#include "gateway/patients/merges.hpp"
#include "gateway/patients/records.hpp"

namespace gateway::cli {
namespace {

std::string shown_name(const xca::hl7v3::Person& person) {
  if (person.names.empty()) return {};
  const auto& name = person.names.front();
  std::string shown = name.family;
  for (std::size_t i = 0; i < name.given.size(); ++i) shown += (i ? " " : ", ") + name.given[i];
  return name.suffix.empty() ? shown : shown + " " + name.suffix;
}

Fields describe(const patients::PatientRecord& record) {
  const auto& person = record.known.person;
  Fields fields;
  fields.text("mrn", record.mrn)
      .text("name", shown_name(person))
      .text("birth_date", person.birth_date)
      .text("gender", person.gender)
      .text("city", person.addresses.empty() ? std::string() : person.addresses.front().city)
      .text("id", record.id);
  return fields;
}

/// Labels as commands say them.
std::vector<std::string> words_of(const auto& labels) {
  std::vector<std::string> words;
  for (const policy::Label& one : labels) words.push_back(policy::word(one));
  return words;
}

Fields describe(const policy::Held<xca::ebxml::DocumentEntry>& held) {
  const auto& entry = held.resource;
  Fields fields;
  fields.text("unique_id", entry.unique_id)
      .text("title", entry.title)
      .text("type", entry.type_code.code)
      .text("type_name", entry.type_code.display)
      .text("created", entry.creation_time)
      .text("status", entry.status == xca::ebxml::Availability::Approved ? "approved" : "deprecated")
      .number("size", static_cast<std::int64_t>(entry.size.value_or(0)))
      .text("mime_type", entry.mime_type)
      .text("mrn", entry.patient.extension);
  if (held.document) {
    fields.list("labels", words_of(held.document->labels)).flag("labels_readable", held.document->readable);
  }
  return fields;
}

Result<void> note(House& house, std::string command, audit::Outcome outcome, const policy::Clinic& clinic,
                  std::vector<std::string> patients, std::string sentence) {
  audit::Event event;
  event.transaction = std::move(command);
  event.outcome = outcome;
  event.clinic = clinic.id;
  event.patients = std::move(patients);
  event.sentence = std::move(sentence);
  return write_down(house, std::move(event));
}

void show_report(const std::string& file, const resources::ImportReport& report, Console& console) {
  std::vector<std::string> skipped;
  for (const auto& one : report.first_skipped) skipped.push_back(one.place + ": " + one.sentence);
  console.show(Fields()
                   .text("file", file)
                   .number("inserted", static_cast<std::int64_t>(report.inserted))
                   .number("updated", static_cast<std::int64_t>(report.updated))
                   .number("unchanged", static_cast<std::int64_t>(report.unchanged))
                   .number("skipped", static_cast<std::int64_t>(report.skipped))
                   .list("why_skipped", skipped));
}

Result<Exit> import_patients(const Arguments& arguments, Console& console) {
  House house = TRY(open_house_for_import(arguments));
  const auto clinic = TRY(clinic_meant(house, arguments));
  std::size_t skipped = 0;
  for (const auto& file : arguments.list("FILE")) {
    patients::ImportOptions options{.mrn_system = arguments.text("mrn-system")};
    options.progress = [&console](std::size_t rows) { console.progress(rows, 0); };
    const auto report =
        TRY(patients::import_patients(*house.database, clinic, TRY(read_file(file)), options, system_now()));
    console.progress_end();
    TRY(note(house, "patient import", audit::Outcome::Changed, clinic, {},
             std::to_string(report.inserted) + " inserted, " + std::to_string(report.updated) + " updated"));
    show_report(file, report, console);
    skipped += report.skipped;
  }
  return skipped == 0 ? Exit::Done : Exit::Refused;
}

Result<Exit> search_patients(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const auto clinic = TRY(clinic_meant(house, arguments));
  const auto found = TRY(patients::search_patients(
      *house.database, clinic, {.words = arguments.text("WORDS"), .birth_date = arguments.text("birth-date")}));
  std::vector<std::string> ids;
  std::vector<Fields> rows;
  for (const auto& record : found) {
    ids.push_back(record.id);
    rows.push_back(describe(record));
  }
  TRY(note(house, "patient search", audit::Outcome::Looked, clinic, std::move(ids), {}));
  console.show("patients", rows);
  return Exit::Done;
}

Result<Exit> show_patient(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const auto clinic = TRY(clinic_meant(house, arguments));
  const auto record = TRY(patients::show_patient(*house.database, clinic, arguments.text("MRN")));
  const auto history = TRY(patients::merge_history(*house.database, record.id));
  TRY(note(house, "patient show", audit::Outcome::Looked, clinic, {record.id}, {}));
  std::vector<std::string> merges;
  for (const auto& row : history) {
    merges.push_back(base::write_date_time(row.done_at) + " " + row.retired_mrn +
                     (row.merged ? " merged into " : " unmerged from ") + row.survivor_mrn + " by " + row.actor + ": " +
                     row.reason);
  }
  Fields fields = describe(record);
  fields.list("telecoms", record.known.person.telecoms)
      .time("entered_at", record.entered_at)
      .time("updated_at", record.updated_at)
      .list("merges", merges);
  console.show(fields);
  return Exit::Done;
}

/// Makes a merge or its opposite and writes it down, together.
Result<void> change_and_note(House& house, std::string command, const policy::Clinic& clinic,
                             std::vector<std::string> records, const patients::MergeChange& change,
                             const std::function<Result<void>()>& make) {
  audit::Event event;
  event.transaction = std::move(command);
  event.outcome = audit::Outcome::Changed;
  event.clinic = clinic.id;
  event.patients = std::move(records);
  event.user = change.actor;
  event.sentence = change.reason;
  return write_down(house, std::move(event), [&](audit::Event&) { return make(); });
}

Result<Exit> merge(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const auto clinic = TRY(clinic_meant(house, arguments));
  const auto survivor = TRY(patients::show_patient(*house.database, clinic, arguments.text("SURVIVOR")));
  const auto retired = TRY(patients::record_named(*house.database, clinic, arguments.text("RETIRED")));
  const patients::MergeChange change{.actor = arguments.text("by", "operator"), .reason = arguments.text("reason")};
  TRY(change_and_note(house, "patient merge", clinic, {survivor.id, retired}, change, [&] {
    return patients::merge_patients(*house.database, clinic, survivor.id, retired, change, system_now());
  }));
  console.show(Fields().text("survivor", survivor.mrn).text("retired", arguments.text("RETIRED")));
  return Exit::Done;
}

Result<Exit> unmerge(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const auto clinic = TRY(clinic_meant(house, arguments));
  const auto retired = TRY(patients::record_named(*house.database, clinic, arguments.text("RETIRED")));
  const auto survivor = TRY(patients::show_patient(*house.database, clinic, retired));
  const patients::MergeChange change{.actor = arguments.text("by", "operator"), .reason = arguments.text("reason")};
  TRY(change_and_note(house, "patient unmerge", clinic, {survivor.id, retired}, change, [&] {
    return patients::unmerge_patient(*house.database, clinic, retired, change, system_now());
  }));
  console.show(Fields().text("survivor", survivor.mrn).text("unmerged", arguments.text("RETIRED")));
  return Exit::Done;
}

Result<Exit> delete_patient(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const auto clinic = TRY(clinic_meant(house, arguments));
  const auto record = TRY(patients::show_patient(*house.database, clinic, arguments.text("MRN")));
  audit::Event event;
  event.transaction = "patient delete";
  event.outcome = audit::Outcome::Changed;
  event.clinic = clinic.id;
  event.patients = {record.id};
  event.sentence = arguments.text("reason");
  TRY(write_down(house, std::move(event), [&](audit::Event&) {
    return patients::delete_patient(*house.database, clinic, record.id);
  }));
  console.show(Fields().text("deleted", record.mrn));
  return Exit::Done;
}

/// What became of one file.
struct ImportedFile {
  documents::Imported outcome;
  std::string patient_id, unique_id;
};

Result<ImportedFile> import_file(House& house, const policy::Clinic& clinic, const std::string& bytes,
                                 const documents::DocumentImport& options) {
  if (documents::is_submission(bytes)) {
    auto one = TRY(documents::import_submission(*house.database, clinic, bytes, system_now()));
    return ImportedFile{one.outcome, std::move(one.patient_id), std::move(one.set.unique_id)};
  }
  auto one = TRY(documents::import_document(*house.database, clinic, bytes, options, system_now()));
  return ImportedFile{one.outcome, std::move(one.patient_id), std::move(one.entry.unique_id)};
}

Result<Exit> import_documents(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const auto clinic = TRY(clinic_meant(house, arguments));
  auto seal = TRY(load_content_seal(house.config));
  documents::DocumentImport options{.seal = std::move(seal)};
  if (arguments.has("patient")) {
    options.patient_id = TRY(patients::show_patient(*house.database, clinic, arguments.text("patient"))).id;
  }
  const auto files = arguments.list("FILE");
  std::vector<Fields> rows;
  std::vector<std::string> ids;
  bool all = true;
  for (std::size_t i = 0; i < files.size(); ++i) {
    console.progress(i, files.size());
    const auto imported = import_file(house, clinic, TRY(read_file(files[i])), options);
    Fields row;
    row.text("file", files[i]);
    if (imported) {
      row.text("outcome", imported->outcome == documents::Imported::Inserted ? "inserted" : "unchanged")
          .text("unique_id", imported->unique_id)
          .text("why", {});
      ids.push_back(imported->patient_id);
    } else {
      row.text("outcome", "refused").text("unique_id", {}).text("why", sentence(imported.error()));
      all = false;
    }
    rows.push_back(std::move(row));
  }
  console.progress_end();
  TRY(note(house, "document import", audit::Outcome::Changed, clinic, std::move(ids),
           std::to_string(files.size()) + " files"));
  console.show("documents", rows);
  return all ? Exit::Done : Exit::Refused;
}

Result<Exit> list_documents(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const auto clinic = TRY(clinic_meant(house, arguments));
  const auto record = TRY(patients::show_patient(*house.database, clinic, arguments.text("patient")));
  std::vector<Fields> rows;
  for (const auto& held : TRY(documents::list_documents(*house.database, clinic, record.id))) {
    rows.push_back(describe(held));
  }
  TRY(note(house, "document list", audit::Outcome::Looked, clinic, {record.id}, {}));
  console.show("documents", rows);
  return Exit::Done;
}

Result<std::vector<policy::Label>> labels_given(const Arguments& arguments, const std::string& name) {
  std::vector<policy::Label> labels;
  for (const auto& word : arguments.list(name)) {
    auto label = policy::label_from_word(word);
    if (!label) {
      return base::fail(ConfigErrc::OutOfRange,
                        "--" + name + " takes a label like 42CFRPart2 or PSY, or one of your own as SYSTEM|CODE");
    }
    labels.push_back(std::move(*label));
  }
  return labels;
}

Fields describe(const documents::DocumentLabels& shown) {
  std::vector<std::string> history;
  for (const auto& row : shown.history) {
    std::string words;
    for (const auto& word : words_of(row.labels.labels)) words += (words.empty() ? "" : ", ") + word;
    for (const auto& word : words_of(row.labels.taken_away)) words += (words.empty() ? "not " : ", not ") + word;
    history.push_back(base::write_date_time(row.set_at) + " " + words + " by " + row.actor + ": " + row.reason);
  }
  Fields fields = describe(shown.held);
  fields.list("taken_away", words_of(shown.taken_away)).list("history", history);
  return fields;
}

/// Shows labels; with --add or --remove changes them first and writes it down, together.
Result<Exit> label_document(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const auto clinic = TRY(clinic_meant(house, arguments));
  const auto document = arguments.text("DOC");
  documents::LabelChange change{.actor = arguments.text("by", "operator"), .reason = arguments.text("reason")};
  change.add = TRY(labels_given(arguments, "add"));
  change.remove = TRY(labels_given(arguments, "remove"));
  const bool changes = !change.add.empty() || !change.remove.empty();
  const auto before = TRY(documents::show_labels(*house.database, clinic, document));
  audit::Event event;
  event.transaction = "document label";
  event.outcome = changes ? audit::Outcome::Changed : audit::Outcome::Looked;
  event.clinic = clinic.id;
  event.patients = {before.held.subject};
  event.documents = {before.held.resource.unique_id};
  if (changes) {
    event.user = change.actor;
    event.sentence = change.reason;
    for (const auto& word : words_of(change.add)) event.note += (event.note.empty() ? "+" : " +") + word;
    for (const auto& word : words_of(change.remove)) event.note += (event.note.empty() ? "-" : " -") + word;
  }
  TRY(write_down(house, std::move(event), [&](audit::Event&) -> Result<void> {
    if (!changes) return {};
    return documents::set_labels(*house.database, clinic, before.held.id, change, system_now());
  }));
  console.show(describe(TRY(documents::show_labels(*house.database, clinic, document))));
  return Exit::Done;
}

Result<Exit> render_document(const Arguments& arguments, Console& console) {
  std::string bytes;
  if (arguments.has("file")) {  // a document of somebody else's, e.g. one just retrieved
    bytes = TRY(read_file(arguments.text("file")));
  } else {
    House house = TRY(open_house(arguments));
    const auto clinic = TRY(clinic_meant(house, arguments));
    const auto entry = TRY(documents::show_document(*house.database, clinic, arguments.text("ID")));
    documents::DocumentShelf shelf(*house.database, TRY(load_content_seal(house.config)));
    bytes = TRY(documents::read_whole(*shelf.read(TRY(shelf.content(entry)))));
    TRY(note(house, "document render", audit::Outcome::Looked, clinic, {}, entry.unique_id));
  }
  const std::string html = TRY(documents::render_html(bytes));
  if (arguments.has("out")) {
    TRY(write_file(arguments.text("out"), html, true));
    console.show(Fields().text("page", arguments.text("out")));
  } else {
    console.raw(html);
  }
  return Exit::Done;
}

}  // namespace

std::vector<Command> patient_commands() {
  const Option clinic{"--clinic", "Which clinic, by name or home; not needed where there is one"};
  const Option mrn{"MRN", "The patient's record number", true};
  return {
      {.path = "patient import",
       .help = "Import patients: a FHIR Bundle or NDJSON file; the same file again changes nothing",
       .example = "patient import patients.ndjson",
       .options = {{"FILE", "FHIR R4 Bundle (JSON) or NDJSON", true, true},
                   {"--mrn-system", "Identifier system that holds the record number"},
                   clinic},
       .run = import_patients},
      {.path = "patient search",
       .help = "Find patients by name, number or birth date",
       .example = "patient search \"Everyman\" --birth-date 1980-01-31",
       .options = {{"WORDS", "Name, record number or another identifier"}, {"--birth-date", "YYYY-MM-DD"}, clinic},
       .run = search_patients},
      {.path = "patient show",
       .help = "Show one patient, and what was merged",
       .example = "patient show MRN-1001",
       .options = {mrn, clinic},
       .run = show_patient},
      {.path = "patient delete",
       .help = "Remove a patient with documents, choices and consents; the record number and other identifiers but an "
               "SSN are kept, so that who is entered again gets no HIE consent by default",
       .example = "patient delete MRN-1001 --reason \"entered twice\"",
       .options = {mrn, {"--reason", "Why, for the record", true}, clinic},
       .run = delete_patient},
      {.path = "patient merge",
       .help = "Make two records one: identifiers and documents of the second are found under the first from now on, "
               "and only what both permit is shared",
       .example = "patient merge MRN-1001 MRN-2002 --reason \"registered twice\"",
       .options = {{"SURVIVOR", "Record number that goes on", true},
                   {"RETIRED", "Record number that is merged into it", true},
                   {"--reason", "Why, for the record", true},
                   {"--by", "Who makes the change, by name"},
                   clinic},
       .run = merge},
      {.path = "patient unmerge",
       .help = "Take a merge back: documents and choices return, what was denied meanwhile holds for both",
       .example = "patient unmerge MRN-2002 --reason \"two persons after all\"",
       .options = {{"RETIRED", "Record number that was merged into another", true},
                   {"--reason", "Why, for the record", true},
                   {"--by", "Who makes the change, by name"},
                   clinic},
       .run = unmerge},
      {.path = "document import",
       .help = "Import C-CDA documents with the metadata of their headers, or metadata alone (ebRIM 3.0)",
       .example = "document import ccd-1.xml ccd-2.xml",
       .options = {{"FILE", "C-CDA files, or SubmitObjectsRequests without documents", true, true},
                   {"--patient", "Record number; found by the document's header if not given"},
                   clinic},
       .run = import_documents},
      {.path = "document list",
       .help = "List a patient's documents",
       .example = "document list --patient MRN-1001",
       .options = {{"--patient", "Record number", true}, clinic},
       .run = list_documents},
      {.path = "document label",
       .help = "Show the security labels of a document and who changed them; add some or take some away. What is taken "
               "away does not count, wherever it is written",
       .example = "document label 1.2.3.4 --add 42CFRPart2 --by \"Records office\" --reason \"made in our OTP\"",
       .options = {{"DOC", "Unique id or entry uuid of a stored document", true},
                   {"--add", "A label: 42CFRPart2, PSY, V or SYSTEM|CODE", false, true},
                   {"--remove", "A label to take away", false, true},
                   {"--by", "Who makes the change, by name"},
                   {"--reason", "Why, for the record; needed for a change"},
                   clinic},
       .run = label_document},
      {.path = "document render",
       .help = "Show a document as a web page",
       .example = "document render 1.2.3.4 --out page.html",
       .options = {{"ID", "Unique id of a stored document"},
                   {"--file", "A C-CDA file instead"},
                   {"--out", "Where the page goes; standard output if not given"},
                   clinic},
       .run = render_document},
  };
}

}  // namespace gateway::cli
