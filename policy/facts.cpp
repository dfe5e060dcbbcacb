#include "policy/facts.hpp"

#include <array>

namespace policy {
namespace {

struct PurposeName {
  std::string_view word, title;
};
constexpr std::array<PurposeName, purpose_count> names{{
    {"treatment", "Treatment"},
    {"payment", "Payment"},
    {"operations", "Health Care Operations"},
    {"public-health", "Public Health Activities"},
    {"patient-request", "Patient Request"},
    {"coverage", "Coverage Determination"},
    {"other-authorization", "Other Authorization-Based Disclosures"},
}};

constexpr char nhin[] = "2.16.840.1.113883.3.18.7.1";
constexpr char act_reason[] = "2.16.840.1.113883.5.8";
constexpr char tefca[] = "2.16.840.1.113883.3.7204.1.5.2.1";

}  // namespace

std::string_view title(Purpose purpose) noexcept { return names[static_cast<std::size_t>(purpose)].title; }
std::string_view word(Purpose purpose) noexcept { return names[static_cast<std::size_t>(purpose)].word; }

std::optional<Purpose> purpose_from_word(std::string_view word) noexcept {
  for (std::size_t i = 0; i < purpose_count; ++i) {
    if (names[i].word == word) return static_cast<Purpose>(i);
  }
  return std::nullopt;
}

std::vector<Purpose> PurposeSet::members() const {
  std::vector<Purpose> members;
  for (std::size_t i = 0; i < purpose_count; ++i) {
    if (contains(static_cast<Purpose>(i))) members.push_back(static_cast<Purpose>(i));
  }
  return members;
}

std::optional<PurposeSet> PurposeSet::parse(std::string_view words) {
  if (words == "all") return all();
  if (words == "none") return PurposeSet{};
  PurposeSet set;
  for (;;) {
    const auto comma = words.find(',');
    const auto purpose = purpose_from_word(words.substr(0, comma));
    if (!purpose) return std::nullopt;
    set.add(*purpose);
    if (comma == std::string_view::npos) return set;
    words.remove_prefix(comma + 1);
  }
}

std::string PurposeSet::words() const {
  std::string words;
  for (Purpose purpose : members()) {
    if (!words.empty()) words += ',';
    words += word(purpose);
  }
  return words.empty() ? "none" : words;
}

std::span<const PurposeCode> shipped_purpose_codes() {
  static const std::vector<PurposeCode> codes{
      {nhin, "TREATMENT", Purpose::Treatment},        {act_reason, "TREAT", Purpose::Treatment},
      {tefca, "T-TRTMNT", Purpose::Treatment},        {nhin, "PAYMENT", Purpose::Payment},
      {act_reason, "HPAYMT", Purpose::Payment},       {tefca, "T-PYMNT", Purpose::Payment},
      {nhin, "OPERATIONS", Purpose::Operations},      {act_reason, "HOPERAT", Purpose::Operations},
      {tefca, "T-HCO", Purpose::Operations},          {nhin, "PUBLICHEALTH", Purpose::PublicHealth},
      {act_reason, "PUBHLTH", Purpose::PublicHealth}, {tefca, "T-PH", Purpose::PublicHealth},
      {nhin, "REQUEST", Purpose::PatientRequest},     {act_reason, "PATRQT", Purpose::PatientRequest},
      {tefca, "T-IAS", Purpose::PatientRequest},      {nhin, "COVERAGE", Purpose::Coverage},
      {act_reason, "COVERAGE", Purpose::Coverage},    {tefca, "T-GOVDTRM", Purpose::Coverage},
  };
  return codes;
}

}  // namespace policy
