// disclosures: what was released about a patient, to whom, for what, and why it was permitted.

#include "gateway/audit/disclosures.hpp"
#include "gateway/audit/retention.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/cli/house.hpp"
#include "gateway/patients/merges.hpp"

namespace gateway::cli {
namespace {

Fields shown(const audit::Disclosure& disclosure) {
  const auto& event = disclosure.event;
  return Fields()
      .time("at", event.at)
      .text("transaction", event.transaction)
      .text("organization", event.organization)
      .text("home", event.home)
      .text("person", event.user)
      .text("purposes", event.purposes)
      .list("documents", event.documents)
      .number("documents_left_out", disclosure.documents_left_out)
      .list("decision", disclosure.decision)
      .text("delivery", disclosure.delivery)
      .text("request", event.request);
}

Result<Exit> disclosures(const Arguments& arguments, Console& console) {
  const auto format = arguments.text("format", "console");
  if (format != "console" && format != "csv" && format != "fhir") {
    return base::fail(ConfigErrc::OutOfRange, "--format must be console, csv or fhir");
  }
  const auto since = TRY(instant_given(arguments, "from")).value_or(base::from_micros(0));
  const auto until = TRY(instant_given(arguments, "to")).value_or(system_now());
  House house = TRY(open_house(arguments));
  const auto clinic = TRY(clinic_meant(house, arguments));
  const auto named = TRY(patients::record_named(*house.database, clinic, arguments.text("PATIENT")));
  const auto records = TRY(patients::records_of_person(*house.database, named));
  auto& session = *TRY(house.database->session());
  const auto found = TRY(audit::disclosures(session, records, since, until));
  const bool were_deleted = !TRY(audit::retained_so_far(session)).empty();
  audit::Event event;
  event.transaction = "disclosures";
  event.outcome = audit::Outcome::Looked;
  event.clinic = clinic.id;
  event.patients = records;
  event.user = system_user();
  event.sentence = std::to_string(found.size()) + " disclosures as " + format;
  TRY(write_down(house, std::move(event)));
  if (format == "csv") {
    console.raw(audit::write_csv(found));
  } else if (format == "fhir") {
    console.raw(audit::write_audit_events(found, records.front()));
  } else {
    std::vector<Fields> rows;
    for (const auto& disclosure : found) rows.push_back(shown(disclosure));
    console.show("disclosures", rows);
    if (were_deleted) console.say("Disclosures that audit retain deleted are not among them.");
  }
  return Exit::Done;
}

}  // namespace

std::vector<Command> disclosure_commands() {
  return {
      {.path = "disclosures",
       .help = "What was released about a patient: when, to whom, for what, which documents, and what permitted it",
       .example = "disclosures HV-1001 --from 2026-01-01 --format csv > disclosures.csv",
       .options = {{"PATIENT", "Our id or medical record number; records merged with it are included", true},
                   {"--from", "First day or instant (UTC); the beginning if not given"},
                   {"--to", "End, exclusive; now if not given"},
                   {"--format", "console; csv: for spreadsheets; fhir: a Bundle of AuditEvents"},
                   {"--clinic", "Which clinic, by name or home; not needed where there is one"}},
       .run = disclosures},
  };
}

}  // namespace gateway::cli
