#include "gateway/bench/decide.hpp"

#include "policy/release.hpp"

#include <memory>
#include <stdexcept>

namespace gateway::bench {
namespace {

using policy::Consent;
using policy::Held;
using policy::Provision;
using policy::Purpose;
using policy::PurposeSet;

const base::HomeCommunityId& asking_home() {
  static const auto home = *base::HomeCommunityId::parse("2.999.4");
  return home;
}

policy::Admitted admitted() {
  const auto codes = policy::shipped_purpose_codes();
  policy::Caller caller;
  caller.tls_implementer = caller.signer_implementer = caller.assertion_implementer = "2.999.4";
  caller.home = {.named = "2.999.4", .entry = policy::Organization{.home = asking_home(), .name = "Measured partner",
                                                                  .active = true, .implementer = "2.999.4",
                                                                  .version = "1"}};
  caller.purposes = {{"TREATMENT", "2.16.840.1.113883.3.18.7.1", ""}};
  auto judged = policy::admit({.purpose_codes = {codes.begin(), codes.end()}, .version = "bench"}, caller);
  if (auto* let_in = std::get_if<policy::Admitted>(&judged)) return std::move(*let_in);
  throw std::logic_error("the measured caller is not admitted");
}

base::Code class_of(std::size_t kind) {
  return {std::to_string(10'000 + kind) + "-1", "2.16.840.1.113883.6.1", ""};
}

/// Ten consents of five provisions each: a label opened to this recipient, but for a class, another recipient, a time.
std::shared_ptr<const policy::ConsentFacts> consents(base::Instant now) {
  auto facts = std::make_shared<policy::ConsentFacts>();
  const auto gated = policy::shipped_gated();
  for (std::size_t i = 0; i < 10; ++i) {
    Provision root{.permits = true, .recipients = {{asking_home()}}, .purposes = PurposeSet{Purpose::Treatment},
                   .labels = {gated[i % gated.size()]}};
    root.exceptions = {
        Provision{.classes = {class_of(i)}},
        Provision{.recipients = {{*base::HomeCommunityId::parse("2.999.5")}}},
        Provision{.period = {.to = now - std::chrono::hours(1)}, .purposes = PurposeSet{Purpose::Treatment}},
        Provision{.permits = true, .recipients = {{policy::RecipientClass::TreatingProviders}}, .labels = root.labels},
    };
    facts->consents.push_back(Consent{.id = "consent-" + std::to_string(i), .root = std::move(root)});
  }
  return facts;
}

std::vector<Held<int>> documents(const std::shared_ptr<const policy::ConsentFacts>& facts) {
  const auto gated = policy::shipped_gated();
  std::vector<Held<int>> held;
  for (std::size_t i = 0; i < 1000; ++i) {
    policy::DocumentFacts document{.unique_id = "2.999.1." + std::to_string(i),
                                   .labels = {policy::label(policy::confidentiality_system, "R")},
                                   .classes = {class_of(i % 20), class_of(100 + i % 20)}};
    if (i % 10 != 0) document.labels.push_back(gated[i % 10 % gated.size()]);
    held.push_back({.resource = static_cast<int>(i), .id = document.unique_id,
                    .choice = {.clinic_defaults = PurposeSet{Purpose::Treatment}, .clinic_version = "1"},
                    .subject = "patient", .consents = facts, .document = std::move(document)});
  }
  return held;
}

}  // namespace

Repeated decide_1000(std::size_t& permitted) {
  const auto now = base::from_micros(1'800'000'000'000'000);
  return Repeated([caller = std::make_shared<policy::Admitted>(admitted()), held = documents(consents(now)),
                   terms = policy::Terms{{}, now}, &permitted] {
    permitted = policy::release(*caller, terms, held).resources().size();
  });
}

}  // namespace gateway::bench
