#include "gateway/patients/hie_settings.hpp"

#include "base/json/document.hpp"
#include "base/json/writer.hpp"
#include "gateway/patients/clinics.hpp"

#include <algorithm>
#include <cctype>

namespace gateway::patients {
namespace {

using base::json::Value;

constexpr std::size_t address_octets_max = 254;  ///< RFC 5321 §4.5.3.1.3, without the brackets

bool is_local_character(unsigned char c) {
  return std::isalnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").find(static_cast<char>(c)) !=
                                std::string_view::npos;
}
bool is_domain_character(unsigned char c) { return std::isalnum(c) || c == '-' || c == '.'; }
bool has_empty_part(std::string_view text) {
  return text.empty() || text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos;
}

std::optional<bool> flag(Value object, std::string_view member) {
  const auto found = object.find(member);
  return found ? found->boolean() : std::nullopt;
}

Result<HieExplanation> read_explanation(Value root) {
  const auto found = root.find("explanation");
  if (!found || found->members().size() != 2) return fail(Errc::RecordUnreadable, "clinics.hie explanation");
  HieExplanation explanation;
  explanation.version = TRY(found->integer_member("version"));
  explanation.text = TRY(found->string_member("text"));
  const bool possible = explanation.version > 0 || (explanation.version == 0 && explanation.text.empty());
  if (!possible) return fail(Errc::RecordUnreadable, "clinics.hie explanation");
  return explanation;
}

Result<HieSettings> read_members(Value root) {
  const auto enabled = flag(root, "enabled"), opt_in = flag(root, "opt_in_by_default");
  if (!enabled || !opt_in || root.members().size() != 5) return fail(Errc::RecordUnreadable, "clinics.hie");
  HieSettings settings{.enabled = *enabled, .opt_in_by_default = *opt_in};
  settings.to = TRY(root.string_member("to"));
  if (settings.to.empty() ? settings.enabled : TRY(hie_address(settings.to)) != settings.to) {
    return fail(Errc::RecordUnreadable, "clinics.hie to");
  }
  if (const auto days = TRY(root.integer_member("expire_in_days")); days != 0) settings.expire_in_days = days;
  if (settings.expire_in_days.value_or(1) < 1 || settings.expire_in_days.value_or(1) > expire_in_days_max) {
    return fail(Errc::RecordUnreadable, "clinics.hie expire_in_days");
  }
  settings.explanation = TRY(read_explanation(root));
  return settings;
}

Result<HieSettings> changed(HieSettings settings, const HieChange& change) {
  if (change.to) settings.to = change.to->empty() ? std::string() : TRY(hie_address(*change.to));
  settings.enabled = change.enabled.value_or(settings.enabled);
  settings.opt_in_by_default = change.opt_in_by_default.value_or(settings.opt_in_by_default);
  if (change.expire_in_days) {
    if (*change.expire_in_days < 0 || *change.expire_in_days > expire_in_days_max) {
      return fail(Errc::BadSetting, "consents expire in 1 to " + std::to_string(expire_in_days_max) +
                                           " days, or with 0 in one year");
    }
    settings.expire_in_days = *change.expire_in_days == 0 ? std::nullopt : change.expire_in_days;
  }
  if (change.explanation && *change.explanation != settings.explanation.text) {
    if (change.explanation->size() > explanation_octets_max) {
      return fail(Errc::BadSetting,
                  "the explanation has more than " + std::to_string(explanation_octets_max) + " octets");
    }
    settings.explanation = {.version = settings.explanation.version + 1, .text = *change.explanation};
  }
  if (settings.enabled && settings.to.empty()) {
    return fail(Errc::BadSetting, "nothing can be sent without an address: set hie.to");
  }
  return settings;
}

}  // namespace

Result<std::string> hie_address(std::string_view text) {
  std::string address(base::trim(text));
  const auto at = address.find('@');
  const auto local = std::string_view(address).substr(0, at);
  const auto domain = std::string_view(address).substr(std::min(address.size(), at == std::string::npos ? at : at + 1));
  const bool good = at != std::string::npos && address.size() <= address_octets_max && !has_empty_part(local) &&
                    !has_empty_part(domain) && std::ranges::all_of(local, is_local_character) &&
                    std::ranges::all_of(domain, is_domain_character);
  if (!good) return fail(Errc::BadSetting, "hie.to must be a Direct address like records@direct.hie.example.org");
  std::ranges::transform(address.begin() + static_cast<std::ptrdiff_t>(at), address.end(),
                         address.begin() + static_cast<std::ptrdiff_t>(at),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return address;
}

Result<HieSettings> read_hie_settings(std::string_view json) {
  if (json.empty()) return HieSettings{};
  const auto document = base::json::Document::parse(json);
  if (!document) return fail(Errc::RecordUnreadable, "clinics.hie");
  auto settings = read_members((*document)->root());
  if (!settings) return fail(Errc::RecordUnreadable, "clinics.hie");
  return settings;
}

std::string write_hie_settings(const HieSettings& settings) {
  base::json::Writer writer;
  writer.begin_object().name("enabled").boolean(settings.enabled).name("to").string(settings.to);
  writer.name("opt_in_by_default").boolean(settings.opt_in_by_default);
  writer.name("expire_in_days").integer(settings.expire_in_days.value_or(0));
  writer.name("explanation").begin_object().name("version").integer(settings.explanation.version);
  writer.name("text").string(settings.explanation.text).end_object();
  return writer.end_object().text();
}

Result<HieSettings> hie_settings(store::Session& session, const std::string& clinic_id) {
  const auto rows = TRY(session.select("SELECT hie FROM clinics WHERE id = :p1", "t", {clinic_id}));
  if (rows.empty()) return fail(Errc::NoSuchClinic);
  return read_hie_settings(rows[0].text(0));
}

Result<HieSettings> change_hie_settings(store::Database& database, const std::string& clinic_id,
                                        const HieChange& change, std::string_view actor, Instant now) {
  if (base::trim(actor).empty()) return fail(Errc::ActorMissing);
  auto* session = TRY(database.session());
  HieSettings settings;
  TRY(session->transaction([&]() -> Result<void> {
    // The write comes first: it holds the clinic's row, so that two changes come one after the other.
    TRY(session->execute("UPDATE clinics SET version = version + 1 WHERE id = :p1", {clinic_id}));
    settings = TRY(changed(TRY(hie_settings(*session, clinic_id)), change));
    const auto json = write_hie_settings(settings);
    if (!read_hie_settings(json)) return fail(Errc::BadSetting, "the explanation is no text in UTF-8");
    TRY(session->execute("UPDATE clinics SET hie = :p1 WHERE id = :p2", {json, clinic_id}));
    const auto rows = TRY(session->select("SELECT version FROM clinics WHERE id = :p1", "i", {clinic_id}));
    return record_setting(*session, {.clinic = clinic_id, .version = rows.at(0).integer(0), .setting = "hie",
                                     .value = json, .actor = std::string(actor)}, now);
  }));
  return settings;
}

}  // namespace gateway::patients
