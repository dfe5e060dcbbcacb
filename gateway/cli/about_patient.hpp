#pragma once
// What commands about one patient begin and end with: the record that is meant, and the event that says what was done.

#include "gateway/cli/house.hpp"
#include "gateway/patients/choices.hpp"
#include "gateway/patients/records.hpp"

namespace gateway::cli {

struct AboutPatient {
  House house;
  policy::Clinic clinic;
  patients::PatientRecord record;
};
/// The patient whom an argument names by our id or record number. @error also those of open_house and clinic_meant
Result<AboutPatient> about_patient(const Arguments& arguments, const std::string& option);

/// `--by`, `--as`, `--basis`. @error ConfigErrc::OutOfRange for another word than staff or patient
Result<patients::ChoiceChange> change_given(const Arguments& arguments);

/// An event of a command about this patient.
audit::Event event_about(const AboutPatient& about, std::string command, audit::Outcome outcome,
                         std::string user = {}, std::string sentence = {});

/// Which purposes count for the patient, and why those.
Fields shown_choice(const patients::PatientRecord& record, const policy::ChoiceFacts& facts);

}  // namespace gateway::cli
