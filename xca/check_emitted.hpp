#pragma once
// What every text this room emits is held against: our own schemas, canonical form, and the official schemas where the
// oracles are present. For *_test.cpp only.

#include "base/shared_samples.hpp"
#include "base/xml/canonical.hpp"
#include "xca/schema.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace xca {

inline std::string first_finding(std::string_view document) {
  const auto findings = schemas().validate(document);
  return findings.empty() ? "" : findings.front().message;
}

inline std::string canonical_form(const std::string& document) {
  const auto parsed = base::xml::Document::parse(document);
  if (!parsed) return "not parsed: " + parsed.error().code.message();
  const auto canonical = base::xml::canonicalize(parsed->root());
  return canonical ? *canonical : "not canonicalized";
}

inline std::filesystem::path official_schema() {
  return base::shared_samples().parent_path() / "schemas" / "drivers" / "soap-all.xsd";
}

/// What xmllint says against the official schemas; empty where it finds nothing or is not at hand.
inline std::string official_findings(const std::vector<std::string>& documents) {
  if (!std::filesystem::exists(official_schema()) || std::system("command -v xmllint >/dev/null") != 0) return "";
  const auto directory = std::filesystem::temp_directory_path() / ("gatehouse-emitted-" + std::to_string(getpid()));
  std::filesystem::create_directories(directory);
  std::string command = "xmllint --nonet --noout --schema " + official_schema().string();
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const auto path = directory / (std::to_string(i) + ".xml");
    std::ofstream(path, std::ios::binary) << documents[i];
    command += " " + path.string();
  }
  const auto log = directory / "log";
  const bool valid = std::system((command + " >" + log.string() + " 2>&1").c_str()) == 0;
  const std::string said = valid ? "" : "xmllint: " + base::read_file(log);
  std::filesystem::remove_all(directory);
  return said;
}

/// Valid by both schemas and written in exclusive canonical form.
inline void expect_well_emitted(const std::vector<std::string>& documents) {
  for (const std::string& document : documents) {
    EXPECT_EQ(first_finding(document), "") << document;
    EXPECT_EQ(canonical_form(document), document);
  }
  EXPECT_EQ(official_findings(documents), "");
}

}  // namespace xca
