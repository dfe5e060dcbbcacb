// partner: the directory of organizations, their certificates, and dated exceptions.

#include "gateway/cli/commands.hpp"
#include "gateway/cli/house.hpp"
#include "gateway/directory/partners.hpp"

#include <filesystem>

namespace gateway::cli {
namespace {

Fields describe(const directory::Organization& organization) {
  Fields fields;
  fields.text("home", organization.entry.home)
      .text("name", organization.entry.name)
      .flag("active", organization.entry.active)
      .text("implementer", organization.implementer)
      .number("version", organization.version);
  return fields;
}

/// Makes a change to the directory and writes it down, together.
Result<void> change_and_note(House& house, std::string command, const std::string& home, std::string sentence,
                             audit::Change change) {
  audit::Event event;
  event.transaction = std::move(command);
  event.outcome = audit::Outcome::Changed;
  event.home = home;
  event.sentence = std::move(sentence);
  return write_down(house, std::move(event), std::move(change));
}

Result<Exit> import(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  std::size_t skipped = 0;
  for (const auto& file : arguments.list("FILE")) {
    const auto text = TRY(read_file(file));
    resources::ImportReport report;
    TRY(change_and_note(house, "partner import", {}, {}, [&](audit::Event& event) -> Result<void> {
      report = TRY(directory::import_directory(*house.database, text, system_now()));
      event.sentence = std::to_string(report.inserted) + " inserted, " + std::to_string(report.updated) + " updated";
      return {};
    }));
    std::vector<std::string> why;
    for (const auto& one : report.first_skipped) why.push_back(one.place + ": " + one.sentence);
    console.show(Fields()
                     .text("file", file)
                     .number("inserted", static_cast<std::int64_t>(report.inserted))
                     .number("updated", static_cast<std::int64_t>(report.updated))
                     .number("unchanged", static_cast<std::int64_t>(report.unchanged))
                     .number("skipped", static_cast<std::int64_t>(report.skipped))
                     .list("why_skipped", why));
    skipped += report.skipped;
  }
  return skipped == 0 ? Exit::Done : Exit::Refused;
}

Result<Exit> list(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  std::vector<Fields> rows;
  for (const auto& one : TRY(directory::list_organizations(*house.database))) rows.push_back(describe(one));
  console.show("organizations", rows);
  return Exit::Done;
}

Result<Exit> show(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const auto organization = TRY(directory::show_organization(*house.database, arguments.text("HOME")));
  std::vector<std::string> ties, settings;
  for (const auto& tie : TRY(directory::list_ties(*house.database, organization.implementer))) {
    ties.push_back(tie.kind + " " + tie.value);
  }
  for (const auto& setting : TRY(directory::list_settings(*house.database, organization.implementer))) {
    settings.push_back(setting.name + "=" + setting.value +
                       (setting.until ? " until " + base::write_date_time(*setting.until) : "") + " (" +
                       setting.reason + ")");
  }
  Fields fields = describe(organization);
  fields.list("certificates", ties).list("settings", settings);
  console.show(fields);
  return Exit::Done;
}

Result<Exit> pin(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const std::string home = arguments.text("HOME");
  const auto certificate = TRY(certs::Certificate::from_pem(TRY(read_file(arguments.text("CERTIFICATE")))));
  TRY(change_and_note(house, "partner pin", home, "certificate " + base::hex(certificate.sha256()) + " pinned",
                      [&](audit::Event&) {
                        return directory::pin_certificate(*house.database, home, certificate, system_now());
                      }));
  console.show(Fields()
                   .text("home", home)
                   .text("pinned", base::hex(certificate.sha256()))
                   .text("subject", certificate.subject()));
  return Exit::Done;
}

Result<Exit> tie_subject(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const std::string home = arguments.text("HOME");
  std::string subject = arguments.text("SUBJECT");
  if (std::filesystem::exists(subject)) {  // a certificate file stands for its subject
    subject = TRY(certs::Certificate::from_pem(TRY(read_file(subject)))).subject();
  }
  TRY(change_and_note(house, "partner tie-subject", home, "subject tied", [&](audit::Event&) {
    return directory::tie_subject(*house.database, home, subject, system_now());
  }));
  console.show(Fields().text("home", home).text("subject", subject));
  return Exit::Done;
}

Result<Exit> tie_key(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const std::string home = arguments.text("HOME");
  const auto certificate = TRY(certs::Certificate::from_pem(TRY(read_file(arguments.text("CERTIFICATE")))));
  const std::string key = base::hex(certificate.public_key().spki_sha256());
  TRY(change_and_note(house, "partner tie-key", home, "key " + key + " tied", [&](audit::Event&) {
    return directory::tie_key(*house.database, home, key, system_now());
  }));
  console.show(Fields().text("home", home).text("key", key));
  return Exit::Done;
}

Result<Exit> untie(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const std::string kind = arguments.text("KIND"), value = arguments.text("VALUE");
  bool removed = false;
  TRY(change_and_note(house, "partner untie", {}, kind + " " + value, [&](audit::Event& event) -> Result<void> {
    removed = TRY(directory::untie(*house.database, kind, value));
    event.sentence += removed ? " untied" : " was not tied";
    return {};
  }));
  console.show(Fields().flag("removed", removed));
  return removed ? Exit::Done : Exit::Refused;
}

Result<std::optional<Instant>> end_of(const Arguments& arguments) {
  if (!arguments.has("until")) return std::optional<Instant>{};
  std::string text = arguments.text("until");
  if (text.size() == 10) text += "T00:00:00Z";
  const auto until = base::read_date_time(text);
  if (!until) return base::fail(ConfigErrc::OutOfRange, "--until must be a date like 2027-06-30");
  return std::optional(*until);
}

Result<Exit> set(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const std::string home = arguments.text("HOME");
  const auto until = TRY(end_of(arguments));
  const directory::Setting setting{.name = arguments.text("SETTING"),
                                   .value = arguments.text("VALUE"),
                                   .until = until,
                                   .reason = arguments.text("reason")};
  TRY(change_and_note(house, "partner set", home, setting.name + "=" + setting.value + ": " + setting.reason,
                      [&](audit::Event&) {
                        return directory::set_setting(*house.database, home, setting, system_now());
                      }));
  console.show(Fields()
                   .text("home", home)
                   .text("setting", setting.name)
                   .text("value", setting.value)
                   .text("until", setting.until ? base::write_date_time(*setting.until) : std::string("no end")));
  return Exit::Done;
}

Result<Exit> clear(const Arguments& arguments, Console& console) {
  House house = TRY(open_house(arguments));
  const std::string home = arguments.text("HOME"), setting = arguments.text("SETTING");
  bool removed = false;
  TRY(change_and_note(house, "partner clear", home, setting, [&](audit::Event& event) -> Result<void> {
    removed = TRY(directory::clear_setting(*house.database, home, setting));
    event.sentence += removed ? " cleared" : " was not set";
    return {};
  }));
  console.show(Fields().flag("removed", removed));
  return removed ? Exit::Done : Exit::Refused;
}

}  // namespace

std::vector<Command> partner_commands() {
  const Option home{"HOME", "Home community id of the implementer", true};
  return {
      {.path = "partner import",
       .help = "Import a directory: FHIR Organizations as Carequality publishes them",
       .example = "partner import directory.json",
       .options = {{"FILE", "FHIR Bundle or NDJSON", true, true}},
       .run = import},
      {.path = "partner list",
       .help = "List the organizations of the directory",
       .example = "partner list",
       .options = {},
       .run = list},
      {.path = "partner show",
       .help = "Show one organization, its certificates and settings",
       .example = "partner show 2.16.840.1.113883.3.9621",
       .options = {home},
       .run = show},
      {.path = "partner pin",
       .help = "Believe exactly this certificate as the implementer's",
       .example = "partner pin 2.16.840.1.113883.3.9621 partner.pem",
       .options = {home, {"CERTIFICATE", "PEM file", true}},
       .run = pin},
      {.path = "partner tie-subject",
       .help = "Believe certificates of a trusted authority with this subject as the implementer's",
       .example = "partner tie-subject 2.16.840.1.113883.3.9621 \"CN=gateway.example.org,O=Example\"",
       .options = {home, {"SUBJECT", "RFC 2253 subject, or a certificate file that bears it", true}},
       .run = tie_subject},
      {.path = "partner tie-key",
       .help = "Believe certificates of a trusted authority with this key as the implementer's",
       .example = "partner tie-key 2.16.840.1.113883.3.9621 partner.pem",
       .options = {home, {"CERTIFICATE", "PEM file that holds the key", true}},
       .run = tie_key},
      {.path = "partner untie",
       .help = "Take a certificate, key or subject back",
       .example = "partner untie certificate 3f0a…",
       .options = {{"KIND", "certificate, key or subject", true}, {"VALUE", "As partner show prints it", true}},
       .run = untie},
      {.path = "partner set",
       .help = "Give a partner a setting or a dated exception",
       .example = "partner set 2.16.840.1.113883.3.9621 sha1 allow --until 2027-06-30 --reason \"their upgrade is due "
                  "in June\"",
       .options = {home,
                   {"SETTING",
                    "sha1, bearer, sender-vouches, signed-parts, issuer, audience, response-signature, schema or "
                    "equal-sender",
                    true},
                   {"VALUE",
                    "allow (sha1, bearer, sender-vouches); timestamp, body, addressing, body-and-addressing "
                    "(signed-parts); the texts of its Issuer, | between them (issuer); optional, required (audience); "
                    "full, headers, none (response-signature); strict, lenient (schema); required, off (equal-sender)",
                    true},
                   {"--until", "When it ends, YYYY-MM-DD"},
                   {"--reason", "Why, for the record", true}},
       .run = set},
      {.path = "partner clear",
       .help = "Take a setting back",
       .example = "partner clear 2.16.840.1.113883.3.9621 sha1",
       .options = {home, {"SETTING", "Its name", true}},
       .run = clear},
  };
}

}  // namespace gateway::cli
