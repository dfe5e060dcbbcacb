#include "policy/cases.hpp"

#include "policy/case_words.hpp"

#include <algorithm>

namespace policy {

std::string_view asset_boundaries_txt();
std::string_view asset_break_glass_txt();
std::string_view asset_caller_txt();
std::string_view asset_choice_txt();
std::string_view asset_class_txt();
std::string_view asset_consents_txt();
std::string_view asset_evaluation_txt();
std::string_view asset_hie_txt();
std::string_view asset_merged_txt();
std::string_view asset_part2_txt();
std::string_view asset_party_txt();
std::string_view asset_purposes_txt();
std::string_view asset_sensitivity_txt();

namespace {

/// "Other" has no published code: this deployment lists its own.
const PurposeCode other_by_our_list{"2.999.1", "OTHER", Purpose::OtherAuthorization};

using Read = Result<void> (*)(Case&, std::string_view value);

DocumentFacts& document_in(Case& one) {
  if (!one.document) one.document = DocumentFacts{.unique_id = "D1"};
  return *one.document;
}

Result<void> read_now(Case& one, std::string_view value) {
  one.terms.now = TRY(instant_of(value));
  return {};
}
Result<void> read_supported(Case& one, std::string_view value) {
  one.rules.supported = TRY(purposes_of(value));
  return {};
}
Result<void> read_certificate(std::optional<std::string>& of, std::string_view value) {
  of.reset();
  if (value != "nobody") of = TRY(organization_of(value)).dotted();
  return {};
}
Result<void> read_tls(Case& one, std::string_view value) {
  return read_certificate(one.caller.tls_implementer, value);
}
Result<void> read_signer(Case& one, std::string_view value) {
  return read_certificate(one.caller.signer_implementer, value);
}
Result<void> read_token_signer(Case& one, std::string_view value) {
  return read_certificate(one.caller.assertion_implementer, value);
}
Result<void> read_home(Case& one, std::string_view value) {
  one.caller.home = TRY(named_organization(value));
  return {};
}
Result<void> read_sender(Case& one, std::string_view value) {
  one.caller.sender = TRY(named_organization(value));
  return {};
}
Result<void> read_principal(Case& one, std::string_view value) {
  one.caller.grantor = TRY(named_organization(value));
  return {};
}
Result<void> read_equal_sender(Case& one, std::string_view value) {
  if (value != "demanded") return not_understood("equal sender is demanded or not said");
  one.caller.demand_equal_sender = true;
  return {};
}
Result<void> read_staff(Case& one, std::string_view value) {
  one.caller.own_staff = std::string(value);
  return {};
}
Result<void> read_ask(Case& one, std::string_view value) {
  one.caller.purposes.clear();
  for (Purpose purpose : TRY(purposes_of(value)).members()) {
    const auto row = std::ranges::find(one.rules.purpose_codes, purpose, &PurposeCode::purpose);
    one.caller.purposes.push_back({row->code, row->system, {}});
  }
  return {};
}
Result<void> read_token(Case& one, std::string_view value) {
  one.caller.purposes.clear();
  if (value == "no purpose") return {};
  one.caller.purposes = TRY(codes_of(value));
  return {};
}
Result<void> read_token_patient(Case& one, std::string_view value) {
  one.caller.patient = TRY(identifier_of(value));
  return {};
}
Result<void> read_authorization(Case& one, std::string_view value) {
  one.caller.authorization_reference = std::string(value);
  return {};
}

Result<void> read_defaults(Case& one, std::string_view value) {
  one.choice.clinic_defaults = TRY(purposes_of(value));
  return {};
}
Result<void> read_refused(Case& one, std::string_view value) {
  for (const auto& name : TRY(list_of(value))) one.terms.rules.refused.insert(TRY(organization_of(name)));
  return {};
}
Result<void> read_shared(Case& one, std::string_view value) {
  const auto at = value.rfind(" for ");
  if (at == std::string_view::npos)
    return not_understood("the clinic shares 'CODE, CODE for PURPOSE' or 'nothing for PURPOSE'");
  std::vector<Code> shared;
  if (value.substr(0, at) != "nothing") shared = TRY(codes_of(value.substr(0, at)));
  for (Purpose purpose : TRY(purposes_of(value.substr(at + 5))).members()) one.terms.rules.shared[purpose] = shared;
  return {};
}
Result<void> read_gated(Case& one, std::string_view value) {
  for (auto& label : TRY(labels_of(value))) one.terms.rules.labels.gated.insert(std::move(label));
  return {};
}
Result<void> read_known(Case& one, std::string_view value) {
  for (auto& label : TRY(labels_of(value))) one.terms.rules.labels.known.insert(std::move(label));
  return {};
}
Result<void> read_emergencies(Case& one, std::string_view value) {
  if (value != "open Part 2") return not_understood("emergencies open Part 2 or are not said");
  one.terms.rules.part2_emergencies = true;
  return {};
}
Result<void> read_unreadable(Case& one, std::string_view value) {
  if (value == "the choice") {
    one.choice.readable = false;
  } else if (value == "the clinic's rules") {
    one.terms.rules.readable = false;
  } else if (value == "a consent") {
    one.consents.readable = false;
  } else if (value == "the document's labels") {
    document_in(one).readable = false;
  } else {
    return not_understood("unreadable is the choice, the clinic's rules, a consent or the document's labels");
  }
  return {};
}

Result<void> read_choice(Case& one, std::string_view value) {
  const auto purposes = TRY(purposes_of(value));
  one.choice.choice = PurposeChoice{.purposes = purposes, .id = "choice", .set_by = "patient"};
  return {};
}
Result<void> read_ids(Case& one, std::string_view value) {
  for (const auto& id : TRY(list_of(value))) one.patient_ids.push_back(TRY(identifier_of(id)));
  return {};
}

Result<void> read_document(Case& one, std::string_view value) {
  document_in(one).unique_id = std::string(value);
  return {};
}
Result<void> read_document_codes(Case& one, std::string_view value) {
  document_in(one).classes = TRY(codes_of(value));
  return {};
}
Result<void> read_document_labels(Case& one, std::string_view value) {
  document_in(one).labels = TRY(labels_of(value));
  return {};
}
Result<void> read_service(Case& one, std::string_view value) {
  const auto words = words_of(value);
  if (words.size() != 3 || words[1] != "to") return not_understood("a service lasts 'TIME to TIME'");
  Period& service = document_in(one).service;
  if (words[0] != "unknown") service.from = TRY(instant_of(words[0]));
  if (words[2] != "unknown") service.to = TRY(instant_of(words[2]));
  return {};
}

/// `C1 revoked permits …`; active where no status is said.
Result<void> read_consent(Case& one, std::string_view value) {
  const auto words = words_of(value);
  if (words.size() < 2) return not_understood("a consent is 'NAME STATEMENT' or 'NAME STATUS STATEMENT'");
  const auto status = consent_status(words[1]);
  auto root = TRY(statement_in(std::span(words).subspan(status ? 2 : 1)));
  one.consents.consents.push_back(
      {.id = words[0], .status = status.value_or(ConsentStatus::Active), .root = std::move(root)});
  return {};
}
Result<void> read_exception(Case& one, std::string_view value) {
  if (one.consents.consents.empty()) return not_understood("there is no consent above this exception");
  one.consents.consents.back().root.exceptions.push_back(TRY(statement_in(words_of(value))));
  return {};
}
/// An exception to the exception above.
Result<void> read_exception_there(Case& one, std::string_view value) {
  auto& consents = one.consents.consents;
  if (consents.empty() || consents.back().root.exceptions.empty())
    return not_understood("there is no exception above this exception to it");
  consents.back().root.exceptions.back().exceptions.push_back(TRY(statement_in(words_of(value))));
  return {};
}
/// `G1 by ruth from … until …`
Result<void> read_glass(Case& one, std::string_view value) {
  const auto words = words_of(value);
  if (words.size() != 7 || words[1] != "by" || words[3] != "from" || words[5] != "until")
    return not_understood("a broken glass is 'NAME by USER from TIME until TIME'");
  const auto from = TRY(instant_of(words[4]));
  const auto to = TRY(instant_of(words[6]));
  one.consents.grants.push_back({.id = words[0], .user = words[2], .period = {.from = from, .to = to}});
  return {};
}

Result<void> read_hie_consent(Case& one, std::string_view value) {
  auto consent = TRY(hie_consent_of(value));
  consent.id = "H" + std::to_string(one.hie.history.size() + 1);
  one.hie.history.push_back(std::move(consent));
  return {};
}
Result<void> read_hie_consents(Case& one, std::string_view value) {
  if (value != "unreadable") return not_understood("consents to the HIE are unreadable or not said to be anything");
  one.hie.readable = false;
  return {};
}
Result<void> read_hie_send(Case& one, std::string_view value) {
  one.hie_send = TRY(instant_of(value));
  return {};
}

Result<void> read_twin(Case& one, std::string_view value) {
  one.twin_of = std::string(value);
  return {};
}
Result<void> read_expected(Case& one, std::string_view value) {
  one.expected = Reason::Permitted;
  if (value == "permit") return {};
  for (int number = int(Reason::Permitted) + 1; number <= int(Reason::PolicyError); ++number) {
    one.expected = static_cast<Reason>(number);
    if (value == "deny " + std::string(code(one.expected))) return {};
  }
  return not_understood("what is expected is 'permit' or 'deny REASON', not " + std::string(value));
}
Result<void> read_notice(Case& one, std::string_view value) {
  one.notices = TRY(list_of(value));
  return {};
}

enum class About { Fact, HieFact, Expectation };  ///< a HieFact: of a send to the HIE; a Fact: of a query
enum class Often { Once, Many };
struct Line {
  std::string_view key;
  Read read;
  About about = About::Fact;
  Often often = Often::Once;
};
constexpr Line lines[] = {
    {"twin of", read_twin, About::Expectation},
    {"now", read_now},
    {"supported", read_supported},
    {"connection certificate", read_tls},
    {"message signed by", read_signer},
    {"token signed by", read_token_signer},
    {"home", read_home},
    {"sender", read_sender},
    {"principal", read_principal},
    {"equal sender", read_equal_sender},
    {"staff", read_staff},
    {"ask", read_ask},
    {"token says", read_token},
    {"token patient", read_token_patient},
    {"authorization", read_authorization},
    {"clinic defaults", read_defaults},
    {"clinic refuses", read_refused},
    {"clinic shares", read_shared, About::Fact, Often::Many},
    {"clinic gates", read_gated},
    {"clinic knows", read_known},
    {"emergencies", read_emergencies},
    {"unreadable", read_unreadable, About::Fact, Often::Many},
    {"patient chose", read_choice},
    {"patient ids", read_ids},
    {"document", read_document},
    {"document codes", read_document_codes},
    {"document labels", read_document_labels},
    {"document service", read_service},
    {"consent", read_consent, About::Fact, Often::Many},
    {"except", read_exception, About::Fact, Often::Many},
    {"except there", read_exception_there, About::Fact, Often::Many},
    {"break-glass", read_glass, About::Fact, Often::Many},
    {"hie consent", read_hie_consent, About::HieFact, Often::Many},
    {"hie consents", read_hie_consents, About::HieFact},
    {"send to the HIE at", read_hie_send, About::HieFact},
    {"expect", read_expected, About::Expectation},
    {"notice", read_notice, About::Expectation},
};

/// What holds where a case does not say otherwise: an honest organization asks for treatment, which the clinic permits.
Result<Case> begin_case(std::string_view name, std::string place) {
  Case one;
  one.name = std::string(name);
  one.place = std::move(place);
  const auto shipped = shipped_purpose_codes();
  one.rules.purpose_codes.assign(shipped.begin(), shipped.end());
  one.rules.purpose_codes.push_back(other_by_our_list);
  one.choice.clinic_defaults = {Purpose::Treatment};
  constexpr std::pair<Read, std::string_view> ordinary[] = {
      {read_now, "2026-06-15T12:00:00-04:00"}, {read_tls, "Network"}, {read_signer, "Network"},
      {read_token_signer, "Network"},          {read_home, "Riverside, of Network"}, {read_ask, "treatment"}};
  for (const auto& [read, value] : ordinary) TRY(read(one, value));
  return one;
}

/// Reads a file line by line.
class Reader {
 public:
  Result<void> read(std::string_view line, const std::string& place) {
    const auto text = joined(words_of(line.substr(0, line.find('#'))));
    if (text.empty()) return {};
    const auto colon = text.find(": ");
    if (colon == std::string::npos) return not_understood("a line is 'WORDS: VALUE'");
    const auto key = text.substr(0, colon), value = text.substr(colon + 2);
    if (key == "case") return begin(value, place);
    if (!draft_) return not_understood("the first line of a case is 'case: NAME'");
    const auto known = std::ranges::find(lines, key, &Line::key);
    if (known == std::end(lines)) return not_understood("no line begins with '" + key + ":'");
    if (!said_.insert(key).second && known->often == Often::Once) return not_understood("'" + key + ":' stands twice");
    if (known->about != About::Expectation) draft_->facts.push_back(text);
    about_.insert(known->about);
    return known->read(*draft_, value);
  }
  Result<void> end() {
    if (!draft_) return {};
    if (!said_.contains("expect")) return not_understood("the case '" + draft_->name + "' expects nothing");
    if (about_.contains(About::HieFact)) {
      if (!draft_->hie_send) return not_understood("the case '" + draft_->name + "' sends nothing to the HIE");
      if (about_.contains(About::Fact))
        return not_understood("the case '" + draft_->name + "' is a send to the HIE and has lines of a query");
    }
    cases_.push_back(std::move(*draft_));
    draft_.reset();
    said_.clear();
    about_.clear();
    return {};
  }
  std::vector<Case> take() { return std::move(cases_); }

 private:
  Result<void> begin(std::string_view name, const std::string& place) {
    TRY(end());
    draft_ = TRY(begin_case(name, place));
    return {};
  }
  std::vector<Case> cases_;
  std::optional<Case> draft_;
  std::set<std::string> said_;
  std::set<About> about_;  ///< what the lines of the draft are about
};

}  // namespace

Result<std::vector<Case>> read_cases(std::string_view text, std::string_view file) {
  Reader reader;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string place = std::string(file) + " line " + std::to_string(number);
    if (const auto read = reader.read(text.substr(0, end), place); !read)
      return not_understood(place + ": " + read.error().detail);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (const auto ended = reader.end(); !ended) return not_understood(std::string(file) + ": " + ended.error().detail);
  return reader.take();
}

Outcome judge_case(const Case& one) {
  if (one.hie_send) {
    const Finding finding = judge_hie(one.hie, *one.hie_send);
    return {.permits = finding.permits(), .reason = finding.reason, .notices = {},
            .as_expected = finding.reason == one.expected && one.notices.empty()};
  }
  const auto outcome_of = [&](const Verdict& verdict) {
    Outcome outcome{.permits = verdict.permits(), .reason = verdict.reason()};
    for (const auto& obligation : verdict.obligations) outcome.notices.push_back(obligation.evidence);
    outcome.as_expected = outcome.reason == one.expected && outcome.notices == one.notices;
    return outcome;
  };
  const auto admission = admit(one.rules, one.caller);
  if (const auto* refused = std::get_if<Verdict>(&admission)) return outcome_of(*refused);
  const Matter matter{.subject = {}, .choice = one.choice, .patient_ids = one.patient_ids,
                      .consents = std::make_shared<ConsentFacts>(one.consents),
                      .document = one.document ? &*one.document : nullptr};
  return outcome_of(judge(std::get<Admitted>(admission), one.terms, one.name, matter));
}

std::span<const CaseFile> shipped_case_files() {
  static const std::vector<CaseFile> files{
      {"caller.txt", asset_caller_txt()},           {"purposes.txt", asset_purposes_txt()},
      {"choice.txt", asset_choice_txt()},           {"party.txt", asset_party_txt()},
      {"class.txt", asset_class_txt()},             {"sensitivity.txt", asset_sensitivity_txt()},
      {"part2.txt", asset_part2_txt()},             {"consents.txt", asset_consents_txt()},
      {"merged.txt", asset_merged_txt()},           {"break-glass.txt", asset_break_glass_txt()},
      {"boundaries.txt", asset_boundaries_txt()},   {"evaluation.txt", asset_evaluation_txt()},
      {"hie.txt", asset_hie_txt()},
  };
  return files;
}

Result<std::vector<Case>> shipped_cases() {
  std::vector<Case> all;
  for (const CaseFile& file : shipped_case_files()) {
    for (Case& one : TRY(read_cases(file.text, file.name))) all.push_back(std::move(one));
  }
  return all;
}

}  // namespace policy
