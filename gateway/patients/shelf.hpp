#pragma once
// Patients for the corridors: clinics, and who a query may mean, with what is known of their choices.

#include "gateway/patients/record.hpp"

namespace gateway::patients {

class PatientShelf final : public exchange::Patients {
 public:
  explicit PatientShelf(store::Database& database) : database_(database) {}
  Result<std::optional<policy::Clinic>> clinic(std::string_view home) override;
  /// Nothing where several clinics share the authority: the query must name its home.
  Result<std::optional<policy::Clinic>> clinic_of_authority(std::string_view root) override;
  Result<std::vector<std::string>> homes() override;
  exchange::Asked asked_for(const PatientQuery& query) override;
  Result<exchange::Candidates> match(const policy::Clinic& clinic, const PatientQuery& query) override;

 private:
  Result<std::optional<policy::Clinic>> only_clinic_with(std::string_view column, std::string_view value);
  store::Database& database_;
};

}  // namespace gateway::patients
