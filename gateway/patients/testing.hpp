#pragma once
// A migrated database with one clinic, for the tests of the shelves: each test runs on SQLite and on PostgreSQL.

#include "gateway/patients/clinics.hpp"
#include "gateway/patients/records.hpp"
#include "gateway/store/testing.hpp"

#include <gtest/gtest.h>

namespace gateway::patients::testing {

inline const Instant noon = base::from_micros(1'793'275'200'000'000);
inline constexpr std::string_view authority = "2.999.1.1";

/// What a Result holds; the test fails with the error's sentence where it holds none.
template <class T>
T ok(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().code.message() + ": " + result.error().detail);
  return *std::move(result);
}
inline void ok(Result<void> result) {
  if (!result) throw std::runtime_error(result.error().code.message() + ": " + result.error().detail);
}

class ShelfTest : public ::testing::TestWithParam<store::Kind> {
 protected:
  void SetUp() override {
    const auto url = store::fresh_url(GetParam(), directory_);
    if (url.empty()) GTEST_SKIP() << "PostgreSQL is not installed";
    ok(store::Database::migrate(url));
    database_ = ok(store::Database::open(url));
    clinic_ = add_clinic("2.999.1", "Riverbend", std::string(authority));
  }

  policy::Clinic add_clinic(const std::string& home, const std::string& name, const std::string& assigning_authority) {
    return ok(patients::add_clinic(*database_,
                                   {.home = home,
                                    .name = name,
                                    .time_zone = "UTC",
                                    .assigning_authority = assigning_authority,
                                    .repository_id = home + ".9",
                                    .purposes = {policy::Purpose::Treatment}},
                                   "admin", noon));
  }

  resources::ImportReport import(const std::string& ndjson) {
    return ok(import_patients(*database_, *clinic_, ndjson, {}, noon));
  }
  std::string id_of(std::string_view mrn) { return ok(show_patient(*database_, *clinic_, mrn)).id; }
  std::size_t count(const std::string& table) {
    auto* session = ok(database_->session());
    return static_cast<std::size_t>(ok(session->select("SELECT COUNT(*) FROM " + table, "i"))[0].integer(0));
  }

  store::TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_;
  std::optional<policy::Clinic> clinic_;
};

/// One line of NDJSON. @param more  further members, each beginning with a comma
inline std::string patient_line(const std::string& mrn, const std::string& family, const std::string& given,
                                const std::string& birth_date, const std::string& more = {}) {
  return R"({"resourceType":"Patient","id":"f-)" + mrn + R"(","identifier":[{"system":"urn:oid:2.999.1.1","value":")" +
         mrn + R"("}],"name":[{"family":")" + family + R"(","given":[")" + given + R"("]}],"birthDate":")" +
         birth_date + "\"" + more + "}\n";
}

#define ON_BOTH_DATABASES(suite)                                                                          \
  INSTANTIATE_TEST_SUITE_P(Store, suite, ::testing::Values(store::Kind::Sqlite, store::Kind::Postgresql), \
                           [](const auto& kind) { return store::name_of(kind.param); })

}  // namespace gateway::patients::testing
