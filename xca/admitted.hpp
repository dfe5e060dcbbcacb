#pragma once
// A caller that policy admits, and what it lets go to it. For *_test.cpp only.

#include "policy/release.hpp"

#include <gtest/gtest.h>

namespace xca {

inline policy::Admitted admitted() {
  const auto home = *policy::HomeCommunityId::parse("2.999.4");
  const policy::Organization entry{.home = home, .name = "", .active = true, .implementer = "2.999.4", .version = "1"};
  policy::Caller caller;
  caller.tls_implementer = caller.signer_implementer = caller.assertion_implementer = "2.999.4";
  caller.home = {.named = "2.999.4", .entry = entry};
  caller.purposes = {policy::Code{"TREATMENT", "2.16.840.1.113883.3.18.7.1", ""}};
  const auto codes = policy::shipped_purpose_codes();
  auto judged = policy::admit(
      {.purpose_codes = {codes.begin(), codes.end()}, .supported = policy::PurposeSet::all(), .version = "1"}, caller);
  EXPECT_TRUE(std::holds_alternative<policy::Admitted>(judged));
  return std::get<policy::Admitted>(judged);
}

/// Resources that policy judged for a treatment query; `defaults` are the clinic's.
template <class T>
policy::Released<T> released(std::vector<T> resources, policy::PurposeSet defaults = policy::PurposeSet::all()) {
  std::vector<policy::Held<T>> held;
  for (T& one : resources) held.push_back({std::move(one), "id", {.clinic_defaults = defaults}});
  return policy::release(admitted(), {{}, {}}, std::move(held));
}

}  // namespace xca
