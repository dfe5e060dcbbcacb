#include "gateway/cli/about_patient.hpp"

namespace gateway::cli {

Result<AboutPatient> about_patient(const Arguments& arguments, const std::string& option) {
  House house = TRY(open_house(arguments));
  auto clinic = TRY(clinic_meant(house, arguments));
  auto record = TRY(patients::show_patient(*house.database, clinic, arguments.text(option)));
  return AboutPatient{std::move(house), std::move(clinic), std::move(record)};
}

Result<patients::ChoiceChange> change_given(const Arguments& arguments) {
  const std::string as = arguments.text("as", "staff");
  if (as != "staff" && as != "patient") return base::fail(ConfigErrc::OutOfRange, "--as must be staff or patient");
  return patients::ChoiceChange{.set_by = as == "patient" ? patients::SetBy::Patient : patients::SetBy::Staff,
                                .actor = arguments.text("by"),
                                .basis = arguments.text("basis")};
}

audit::Event event_about(const AboutPatient& about, std::string command, audit::Outcome outcome, std::string user,
                         std::string sentence) {
  audit::Event event;
  event.transaction = std::move(command);
  event.outcome = outcome;
  event.clinic = about.clinic.id;
  event.patients = {about.record.id};
  event.user = std::move(user);
  event.sentence = std::move(sentence);
  return event;
}

Fields shown_choice(const patients::PatientRecord& record, const policy::ChoiceFacts& facts) {
  Fields fields;
  fields.text("mrn", record.mrn)
      .text("counts", !facts.readable ? "unreadable: nothing is answered"
                      : facts.choice  ? "the patient's own choice, set by " + facts.choice->set_by
                                      : "the clinic's defaults")
      .text("purposes", (facts.choice ? facts.choice->purposes : facts.clinic_defaults).words())
      .text("clinic_defaults", facts.clinic_defaults.words());
  return fields;
}

}  // namespace gateway::cli
