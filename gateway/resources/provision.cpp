#include "gateway/resources/provision.hpp"

#include <algorithm>

namespace gateway::resources {
namespace {

using base::json::Value;
using policy::Provision;

constexpr std::string_view uri_system = "urn:ietf:rfc:3986";
constexpr std::string_view oid_prefix = "urn:oid:";
constexpr std::string_view participation = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
constexpr std::string_view recipient_classes = "urn:gatehouse:recipient-class";
constexpr std::string_view document_ids = "urn:gatehouse:document-id";
constexpr std::string_view own_purposes = "urn:gatehouse:purpose";
constexpr std::string_view no_purpose = "none";
/// Our own mark of a provision that was not understood when it was first read.
constexpr std::string_view not_evaluated_mark = "urn:gatehouse:not-evaluated";

struct System {
  std::string_view oid, url;
};
constexpr std::string_view act_reason = "2.16.840.1.113883.5.8";
constexpr System systems[] = {
    {act_reason, "http://terminology.hl7.org/CodeSystem/v3-ActReason"},
    {"2.16.840.1.113883.6.1", "http://loinc.org"},
    {"2.16.840.1.113883.6.96", "http://snomed.info/sct"},
};
/// Code systems, by how they begin, that are about no class or type of document: those of FHIR itself (types of
/// resources) and of diagnoses, media types, profiles.
constexpr std::string_view not_of_documents[] = {"http://hl7.org/fhir/", "urn:ietf:bcp:13", uri_system};

std::string written_system(std::string_view system) {
  const auto known = std::ranges::find(systems, system, &System::oid);
  return known == std::end(systems) ? policy::fhir_system(system) : std::string(known->url);
}

/// `urn:oid:1.2` as `1.2`; nothing for anything else.
std::optional<base::Oid> oid_of_urn(std::string_view urn) {
  const auto oid = base::Oid::parse(urn);
  return oid && urn.starts_with(oid_prefix) ? std::optional(*oid) : std::nullopt;
}
bool is_dotted(std::string_view text) { return !text.starts_with(oid_prefix) && base::Oid::parse(text); }

base::Error unreadable(const std::string& path) { return fail(Errc::FieldUnreadable, path); }

/// Whether an object has no members but these. `id`, `extension` and `display` change no meaning; an extension of one
/// value (`_end`) may stand for the value.
bool has_only(Value object, std::initializer_list<std::string_view> names) {
  return std::ranges::all_of(object.members(), [&](const Value::Member& member) {
    return member.name == "id" || member.name == "extension" || member.name == "display" ||
           std::ranges::find(names, member.name) != names.end();
  });
}

/// A string member, empty where absent.
Result<std::string> text_of(Value object, std::string_view member, const std::string& path) {
  const auto text = object.optional_string(member);
  if (!text || (*text && (*text)->empty())) return unreadable(path + "." + std::string(member));
  return std::string(text->value_or(""));
}

/// @return nothing for a coding without code, or with more in it than one
Result<std::optional<base::Code>> read_coding(Value value, const std::string& path) {
  if (!value.is_object()) return unreadable(path);
  base::Code code;
  code.code = TRY(text_of(value, "code", path));
  code.system = TRY(text_of(value, "system", path));
  code.display = TRY(text_of(value, "display", path));
  if (code.code.empty() || !has_only(value, {"code", "system", "version", "userSelected"}))
    return std::optional<base::Code>();
  return std::optional(std::move(code));
}

std::optional<policy::Purpose> purpose_of(const base::Code& code) {
  if (code.system == own_purposes && code.code == policy::word(policy::Purpose::OtherAuthorization))
    return policy::Purpose::OtherAuthorization;
  const auto system = system_of(code.system);
  for (const auto& known : policy::shipped_purpose_codes()) {
    if (known.system == system && known.code == code.code) return known.purpose;
  }
  return std::nullopt;
}

/// Reads the provisions of one consent: counts them, and notes what is not evaluated.
class Reader {
 public:
  Reader(const Calendar& calendar, const ProvisionLimits& limits) : calendar_(calendar), limits_(limits) {}
  /// @param path  as FHIR names it: `provision.provision[1]`
  Result<Provision> read(Value value, const std::string& path, std::size_t depth);
  std::vector<std::string> take_notes() { return std::move(notes_); }

 private:
  struct ReadPeriod {
    policy::Period period = {};
    bool understood = true;
  };
  /// Reads one element of a provision into it. @return whether all of it was understood
  using ReadPart = Result<bool> (Reader::*)(Value, const std::string& path, Provision&);
  struct Part {
    std::string_view name;
    ReadPart read;
  };
  static const Part parts[];

  Result<void> read_parts(Value value, const std::string& path, Provision& provision);
  Result<void> read_exceptions(Value list, const std::string& path, std::size_t depth, Provision& provision);
  Result<bool> period_part(Value value, const std::string& path, Provision& provision);
  Result<bool> data_period_part(Value value, const std::string& path, Provision& provision);
  Result<bool> actors_part(Value list, const std::string& path, Provision& provision);
  Result<bool> purposes_part(Value list, const std::string& path, Provision& provision);
  Result<bool> labels_part(Value list, const std::string& path, Provision& provision);
  Result<bool> classes_part(Value list, const std::string& path, Provision& provision);
  Result<bool> codes_part(Value list, const std::string& path, Provision& provision);
  Result<bool> documents_part(Value list, const std::string& path, Provision& provision);
  Result<bool> marks_part(Value list, const std::string& path, Provision& provision);

  Result<std::vector<Value>> items_of(Value list, const std::string& path) const;
  Result<ReadPeriod> read_period(Value value, const std::string& path) const;
  Result<std::optional<Instant>> read_bound(Value period, std::string_view member, Bound bound,
                                            const std::string& path) const;
  Result<bool> is_coded(Value concept_value, const std::string& path, const base::Code& code) const;
  Result<std::optional<policy::Recipient>> read_recipient(Value actor, const std::string& path) const;
  void note(Provision& provision, std::string path) {
    provision.understood = false;
    notes_.push_back(std::move(path));
  }

  const Calendar& calendar_;
  const ProvisionLimits& limits_;
  std::size_t provisions_ = 0;
  std::vector<std::string> notes_ = {};
};

const Reader::Part Reader::parts[] = {
    {"period", &Reader::period_part},           {"actor", &Reader::actors_part},
    {"securityLabel", &Reader::labels_part},    {"purpose", &Reader::purposes_part},
    {"class", &Reader::classes_part},           {"code", &Reader::codes_part},
    {"dataPeriod", &Reader::data_period_part},  {"data", &Reader::documents_part},
    {"modifierExtension", &Reader::marks_part},  // last: it undoes the others
};

Result<Provision> Reader::read(Value value, const std::string& path, std::size_t depth) {
  if (++provisions_ > limits_.provisions || depth > limits_.depth) return fail(Errc::TooMuch, path);
  if (!value.is_object()) return unreadable(path);
  const auto type = TRY(text_of(value, "type", path));
  if (type != "permit" && type != "deny") return unreadable(path + ".type");
  Provision provision;
  provision.permits = type == "permit";
  TRY(read_parts(value, path, provision));
  if (const auto list = value.find("provision")) TRY(read_exceptions(*list, path + ".provision", depth, provision));
  return provision;
}

Result<void> Reader::read_parts(Value value, const std::string& path, Provision& provision) {
  for (const Part& part : parts) {
    const auto found = value.find(part.name);
    if (!found) continue;
    auto where = path + "." + std::string(part.name);
    if (!TRY((this->*part.read)(*found, where, provision))) note(provision, std::move(where));
  }
  if (value.find("action")) note(provision, path + ".action");
  const auto is_unknown = [](const Value::Member& member) {
    constexpr std::string_view others[] = {"id", "extension", "type", "action", "provision"};
    return std::ranges::find(others, member.name) == std::end(others) &&
           std::ranges::find(parts, member.name, &Part::name) == std::end(parts);
  };
  if (std::ranges::any_of(value.members(), is_unknown)) note(provision, path + " (an unknown element)");
  return {};
}

Result<void> Reader::read_exceptions(Value list, const std::string& path, std::size_t depth, Provision& provision) {
  std::size_t index = 0;
  for (const Value item : TRY(items_of(list, path))) {
    provision.exceptions.push_back(TRY(read(item, path + "[" + std::to_string(index++) + "]", depth + 1)));
  }
  return {};
}

/// An empty list, which FHIR forbids, would limit nothing where somebody meant a limit.
Result<std::vector<Value>> Reader::items_of(Value list, const std::string& path) const {
  auto items = list.items();
  if (items.empty()) return unreadable(path);
  if (items.size() > limits_.values) return fail(Errc::TooMuch, path);
  return items;
}

Result<std::optional<Instant>> Reader::read_bound(Value period, std::string_view member, Bound bound,
                                                  const std::string& path) const {
  const auto text = TRY(text_of(period, member, path));
  if (text.empty()) return std::optional<Instant>();
  const auto instant = calendar_.read_fhir(text, bound);
  if (!instant) return unreadable(path + "." + std::string(member));
  return std::optional(*instant);
}

Result<Reader::ReadPeriod> Reader::read_period(Value value, const std::string& path) const {
  ReadPeriod read;
  read.period.from = TRY(read_bound(value, "start", Bound::Start, path));
  read.period.to = TRY(read_bound(value, "end", Bound::End, path));
  if (read.period.from && read.period.to && *read.period.to <= *read.period.from) return unreadable(path + ".end");
  read.understood = has_only(value, {"start", "end"});
  if (!value.is_object() || (read.understood && !read.period.limits())) return unreadable(path);
  return read;
}

Result<bool> Reader::period_part(Value value, const std::string& path, Provision& provision) {
  const auto read = TRY(read_period(value, path));
  if (read.understood || provision.permits) provision.period = read.period;
  return read.understood;
}

Result<bool> Reader::data_period_part(Value value, const std::string& path, Provision& provision) {
  const auto read = TRY(read_period(value, path));
  if (read.understood || provision.permits) provision.data = read.period;
  return read.understood;
}

Result<bool> Reader::is_coded(Value concept_value, const std::string& path, const base::Code& code) const {
  const auto codings = concept_value.find("coding");
  if (!codings || !has_only(concept_value, {"coding", "text"})) return false;
  bool found = false;
  for (const Value item : TRY(items_of(*codings, path + ".coding"))) {
    const auto coding = TRY(read_coding(item, path + ".coding"));
    found = found || (coding && coding->same_code(code));
  }
  return found;
}

/// @return nothing for what is no recipient that our directory could name
Result<std::optional<policy::Recipient>> Reader::read_recipient(Value actor, const std::string& path) const {
  const std::optional<policy::Recipient> unknown;
  if (!actor.is_object()) return unreadable(path);
  const auto role = actor.find("role"), reference = actor.find("reference");
  if (!role || !reference || !has_only(actor, {"role", "reference"})) return unknown;
  if (!TRY(is_coded(*role, path + ".role", {"IRCP", std::string(participation), {}}))) return unknown;
  const auto where = path + ".reference";
  const auto literal = TRY(text_of(*reference, "reference", where)), type = TRY(text_of(*reference, "type", where));
  if (!has_only(*reference, {"reference", "type", "identifier"})) return unknown;
  if (!type.empty() && type != "Organization" && type != "Group") return unknown;

  const auto identifier = reference->find("identifier");
  if (!identifier) {
    const auto home = oid_of_urn(literal);
    return home ? std::optional(policy::Recipient{*home}) : unknown;
  }
  // Two ways to say who it is may say two things.
  if (!literal.empty() || !has_only(*identifier, {"system", "value", "type"})) return unknown;
  const auto system = TRY(text_of(*identifier, "system", where)), value = TRY(text_of(*identifier, "value", where));
  const auto recipients = policy::recipient_class(value);
  if (system == recipient_classes && recipients) return std::optional(policy::Recipient{*recipients});
  const auto home = oid_of_urn(value);
  return system == uri_system && home ? std::optional(policy::Recipient{*home}) : unknown;
}

Result<bool> Reader::actors_part(Value list, const std::string& path, Provision& provision) {
  bool understood = true;
  for (const Value item : TRY(items_of(list, path))) {
    const auto recipient = TRY(read_recipient(item, path));
    if (recipient) provision.recipients.push_back(*recipient);
    understood = understood && recipient;
  }
  if (!understood && !provision.permits) provision.recipients.clear();
  return understood;
}

/// A permit permits the purposes that are known; a deny with one that is not known is for all of them.
Result<bool> Reader::purposes_part(Value list, const std::string& path, Provision& provision) {
  policy::PurposeSet purposes;
  bool any_known = false, all_known = true;
  for (const Value item : TRY(items_of(list, path))) {
    const auto code = TRY(read_coding(item, path));
    const auto purpose = code ? purpose_of(*code) : std::nullopt;
    const bool known = purpose || (code && code->system == own_purposes && code->code == no_purpose);
    if (purpose) purposes.add(*purpose);
    any_known = any_known || known;
    all_known = all_known && known;
  }
  if (all_known || provision.permits) provision.purposes = purposes;
  if (!all_known && provision.permits && any_known) notes_.push_back(path);
  return all_known || (provision.permits && any_known);
}

/// A deny of a code without its system would meet nothing that bears one: it is not understood, and denies all.
bool names_system(const std::optional<base::Code>& code, const Provision& provision) {
  return code && (provision.permits || !code->system.empty());
}

Result<bool> Reader::labels_part(Value list, const std::string& path, Provision& provision) {
  bool understood = true;
  for (const Value item : TRY(items_of(list, path))) {
    const auto code = TRY(read_coding(item, path));
    if (code) provision.labels.push_back(policy::label(code->system, code->code));
    understood = understood && names_system(code, provision);
  }
  if (!understood && !provision.permits) provision.labels.clear();
  return understood;
}

Result<bool> Reader::classes_part(Value list, const std::string& path, Provision& provision) {
  bool understood = true;
  for (const Value item : TRY(items_of(list, path))) {
    const auto code = TRY(read_coding(item, path));
    const bool known = code && is_document_class(*code);
    if (known) provision.classes.push_back({code->code, system_of(code->system), code->display});
    understood = understood && known;
  }
  if (!understood && !provision.permits) provision.classes.clear();
  return understood;
}

/// Codes of what stands within, like a diagnosis. A document may be full of it whatever its class and type are.
Result<bool> Reader::codes_part(Value list, const std::string& path, Provision&) {
  TRY(items_of(list, path));
  return false;
}

/// The unique id an identifier names: `urn:oid:…` and `urn:uuid:…` as URI, `root^extension` by its two halves.
std::optional<std::string> document_id(const std::string& system, const std::string& value) {
  if (system == document_ids) return value.empty() ? std::nullopt : std::optional(value);
  if (system == uri_system) {
    if (value.starts_with("urn:uuid:")) return value;
    const auto oid = oid_of_urn(value);
    return oid ? std::optional(oid->dotted()) : std::nullopt;
  }
  const auto root = oid_of_urn(system);
  return root && !value.empty() ? std::optional(root->dotted() + "^" + value) : std::nullopt;
}

Result<std::optional<std::string>> read_document(Value data, const std::string& path) {
  const std::optional<std::string> unknown;
  if (!data.is_object()) return unreadable(path);
  const auto reference = data.find("reference");
  const auto meaning = TRY(text_of(data, "meaning", path));
  if (!reference || meaning != "instance" || !has_only(data, {"meaning", "reference"})) return unknown;
  const auto literal = TRY(text_of(*reference, "reference", path)), type = TRY(text_of(*reference, "type", path));
  if (!has_only(*reference, {"reference", "type", "identifier"})) return unknown;
  if (!type.empty() && type != "DocumentReference") return unknown;
  const auto identifier = reference->find("identifier");
  if (!identifier) return literal.starts_with(oid_prefix) ? document_id(std::string(uri_system), literal) : unknown;
  if (!literal.empty() || !has_only(*identifier, {"system", "value", "type"})) return unknown;
  const auto system = TRY(text_of(*identifier, "system", path)), value = TRY(text_of(*identifier, "value", path));
  return document_id(system, value);
}

Result<bool> Reader::documents_part(Value list, const std::string& path, Provision& provision) {
  bool understood = true;
  for (const Value item : TRY(items_of(list, path))) {
    auto document = TRY(read_document(item, path));
    understood = understood && document;
    if (document) provision.documents.push_back(std::move(*document));
  }
  if (!understood && !provision.permits) provision.documents.clear();
  return understood;
}

/// What somebody else's modifier says may change everything but that a deny denies.
Result<bool> Reader::marks_part(Value list, const std::string& path, Provision& provision) {
  const auto is_ours = [](Value item) {
    const auto url = item.find("url");
    return url && url->string() == not_evaluated_mark;
  };
  const bool ours = std::ranges::all_of(TRY(items_of(list, path)), is_ours);
  if (!ours && !provision.permits) provision = {};
  return false;
}

void write_period(base::json::Writer& writer, std::string_view name, const policy::Period& period) {
  if (!period.limits()) return;
  writer.name(name).begin_object();
  if (period.from) writer.member("start", write_instant(*period.from));
  if (period.to) writer.member("end", write_instant(*period.to));
  writer.end_object();
}

void write_coding(base::json::Writer& writer, std::string_view system, std::string_view code,
                  std::string_view display = {}) {
  writer.begin_object().member("system", system).member("code", code).member("display", display).end_object();
}

void write_identifier(base::json::Writer& writer, std::string_view system, std::string_view value) {
  writer.name("identifier").begin_object().member("system", system).member("value", value).end_object();
}

void write_recipient(base::json::Writer& writer, const policy::Recipient& recipient) {
  writer.begin_object().name("role").begin_object().name("coding").begin_array();
  write_coding(writer, participation, "IRCP");
  writer.end_array().end_object().name("reference").begin_object();
  if (const auto* home = std::get_if<policy::HomeCommunityId>(&recipient.who)) {
    writer.member("type", "Organization");
    write_identifier(writer, uri_system, home->urn());
  } else {
    writer.member("type", "Group");
    write_identifier(writer, recipient_classes, word(std::get<policy::RecipientClass>(recipient.who)));
  }
  writer.end_object().end_object();
}

void write_purposes(base::json::Writer& writer, policy::PurposeSet purposes) {
  writer.name("purpose").begin_array();
  if (purposes.empty()) write_coding(writer, own_purposes, no_purpose);
  for (const auto purpose : purposes.members()) {
    const auto codes = policy::shipped_purpose_codes();
    const auto known = std::ranges::find_if(codes, [&](const policy::PurposeCode& code) {
      return code.purpose == purpose && code.system == act_reason;
    });
    if (known == codes.end())
      write_coding(writer, own_purposes, word(purpose));
    else
      write_coding(writer, written_system(act_reason), known->code);
  }
  writer.end_array();
}

void write_document(base::json::Writer& writer, const std::string& id) {
  writer.begin_object().member("meaning", "instance").name("reference").begin_object();
  writer.member("type", "DocumentReference");
  const auto caret = id.find('^');
  if (is_dotted(id))
    write_identifier(writer, uri_system, std::string(oid_prefix) + id);
  else if (id.starts_with("urn:uuid:"))
    write_identifier(writer, uri_system, id);
  else if (caret != std::string::npos && caret + 1 < id.size() && is_dotted(id.substr(0, caret)))
    write_identifier(writer, std::string(oid_prefix) + id.substr(0, caret), id.substr(caret + 1));
  else
    write_identifier(writer, document_ids, id);
  writer.end_object().end_object();
}

/// An array of what `write` writes of each; nothing for none of them.
template <class T, class Write>
void write_list(base::json::Writer& writer, std::string_view name, const std::vector<T>& list, Write write) {
  if (list.empty()) return;
  writer.name(name).begin_array();
  for (const T& one : list) write(writer, one);
  writer.end_array();
}

}  // namespace

std::string system_of(std::string_view written) {
  const auto known = std::ranges::find(systems, written, &System::url);
  return known == std::end(systems) ? policy::label(written, {}).system : std::string(known->oid);
}

bool is_document_class(const base::Code& code) {
  const auto begins = [&](std::string_view other) { return code.system.starts_with(other); };
  return !code.system.empty() && std::ranges::none_of(not_of_documents, begins);
}

Result<ReadProvision> read_provision(Value provision, const Calendar& calendar, const ProvisionLimits& limits) {
  Reader reader(calendar, limits);
  ReadProvision read;
  read.provision = TRY(reader.read(provision, "provision", 0));
  read.not_evaluated = reader.take_notes();
  return read;
}

void write_provision(base::json::Writer& writer, const Provision& provision) {
  writer.begin_object();
  if (!provision.understood) {
    writer.name("modifierExtension").begin_array().begin_object().member("url", not_evaluated_mark);
    writer.name("valueBoolean").boolean(true).end_object().end_array();
  }
  writer.member("type", provision.permits ? "permit" : "deny");
  write_period(writer, "period", provision.period);
  write_list(writer, "actor", provision.recipients, write_recipient);
  write_list(writer, "securityLabel", provision.labels, [](base::json::Writer& out, const policy::Label& label) {
    write_coding(out, policy::fhir_system(label.system), label.code);
  });
  if (provision.purposes) write_purposes(writer, *provision.purposes);
  write_list(writer, "class", provision.classes, [](base::json::Writer& out, const base::Code& code) {
    write_coding(out, written_system(code.system), code.code, code.display);
  });
  write_period(writer, "dataPeriod", provision.data);
  write_list(writer, "data", provision.documents, write_document);
  write_list(writer, "provision", provision.exceptions,
             [](base::json::Writer& out, const Provision& exception) { write_provision(out, exception); });
  writer.end_object();
}

std::string write_provision(const Provision& provision) {
  base::json::Writer writer;
  write_provision(writer, provision);
  return writer.text();
}

}  // namespace gateway::resources
