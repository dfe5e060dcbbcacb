#include "gateway/audit/atna.hpp"

#include "base/bytes.hpp"
#include "base/xml/canonical.hpp"
#include "xca/soap/envelope.hpp"
#include "xca/transactions.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <span>

namespace gateway::audit {
namespace {

/// A value of EventOutcomeIndicator.
enum class Indicator { Success = 0, Minor = 4, Serious = 8 };

/// EV(code, system, text).
struct Coded {
  std::string_view code, system, text;
};
constexpr std::string_view dcm = "DCM", rfc_3881 = "RFC-3881", ihe = "IHE Transactions", own = "Gatehouse";
constexpr Coded query_event{"110112", dcm, "Query"}, export_event{"110106", dcm, "Export"},
    security_alert{"110113", dcm, "Security Alert"}, node_authentication{"110126", dcm, "Node Authentication"},
    user_authentication{"110114", dcm, "User Authentication"}, login{"110122", dcm, "Login"},
    application_activity{"110100", dcm, "Application Activity"}, log_used{"110101", dcm, "Audit Log Used"},
    message_refused{"message-refused", own, "Message refused"};
constexpr Coded source_role{"110153", dcm, "Source Role ID"}, destination_role{"110152", dcm, "Destination Role ID"},
    application_role{"110150", dcm, "Application"}, launcher_role{"110151", dcm, "Application Launcher"};

/// What our own commands and starts are told as.
struct OwnActivity {
  std::string_view transaction;
  Coded event;
  std::optional<Coded> type;
  char action;
};
constexpr OwnActivity own_activities[] = {
    {"application start", application_activity, Coded{"110120", dcm, "Application Start"}, 'E'},
    {"application stop", application_activity, Coded{"110121", dcm, "Application Stop"}, 'E'},
    {"audit search", log_used, std::nullopt, 'R'},
    {"audit export", log_used, std::nullopt, 'R'},
    {"audit prove", log_used, std::nullopt, 'R'},
    {"disclosures", log_used, std::nullopt, 'R'},
    {"audit retain", log_used, std::nullopt, 'D'},
};

/// Octets of one character of UTF-8, 1 for what begins none.
std::size_t character_size(unsigned char first) {
  return first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
}

/// Text of any origin as attribute value or content: characters that XML 1.0 has no place for become U+FFFD, and those
/// that some reader of logs takes for the end of a line are references. [threats O12, T13]
void append_value(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text[0]);
    auto character = text.substr(0, character_size(first));
    const bool is_one = base::is_utf8(character);
    if (!is_one) character = text.substr(0, 1);
    text.remove_prefix(character.size());
    if (!is_one || character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF" ||
        (first < 0x20 && first != '\t' && first != '\n' && first != '\r')) {
      out += "\xEF\xBF\xBD";
    } else if (first == '>') {  // "]]>" ends no section of ours
      out += "&gt;";
    } else if (first == 0x7F) {
      out += "&#x7F;";
    } else if (first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0) {
      out.append("&#x").append(base::hex(character.substr(1))).append(";");
    } else if (character == "\xE2\x80\xA8" || character == "\xE2\x80\xA9") {
      out += character[2] == '\xA8' ? "&#x2028;" : "&#x2029;";
    } else {
      base::xml::append_attribute(out, character);
    }
  }
}

struct Attribute {
  std::string_view name, value;
};

/// The elements of one message. Attributes without value are left out, but for those the form demands.
class Message {
 public:
  explicit Message(Indicator indicator) : success_(indicator == Indicator::Success) {
    xml_ = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><AuditMessage>";
  }
  Message& open(std::string_view name, std::initializer_list<Attribute> attributes) {
    begin(name, attributes);
    xml_ += '>';
    return *this;
  }
  Message& close(std::string_view name) {
    xml_.append("</").append(name).append(">");
    return *this;
  }
  Message& empty(std::string_view name, std::initializer_list<Attribute> attributes) {
    begin(name, attributes);
    xml_ += "/>";
    return *this;
  }
  Message& text(std::string_view name, std::string_view content) {
    xml_.append("<").append(name).append(">");
    append_value(xml_, content);
    return close(name);
  }
  Message& octets(std::string_view name, std::string_view value) {
    xml_.append("<").append(name).append(">").append(base::base64(value));
    return close(name);
  }
  Message& coded(std::string_view name, const Coded& value) {
    return empty(name, {{"csd-code", value.code}, {"codeSystemName", value.system}, {"originalText", value.text}});
  }
  /// A code of a token: its text is what it shows, else the code.
  Message& coded(std::string_view name, const base::Code& value) {
    return coded(name, Coded{value.code, value.system, value.display.empty() ? value.code : value.display});
  }
  Message& detail(std::string_view type, std::string_view value) {
    if (value.empty()) return *this;
    return empty("ParticipantObjectDetail", {{"type", type}, {"value", base::base64(value)}});
  }
  AuditMessage end() && {
    close("AuditMessage");
    return {std::move(xml_), success_};
  }

 private:
  void begin(std::string_view name, std::initializer_list<Attribute> attributes) {
    constexpr std::array demanded{std::string_view("csd-code"), std::string_view("codeSystemName"),
                                  std::string_view("originalText"), std::string_view("UserID")};
    xml_.append("<").append(name);
    for (const auto& [attribute, value] : attributes) {
      if (value.empty() && std::ranges::find(demanded, attribute) == demanded.end()) continue;
      xml_.append(" ").append(attribute).append("=\"");
      append_value(xml_, value);
      xml_ += '"';
    }
  }
  std::string xml_;
  bool success_;
};

/// An object to name, as DICOM numbers types and roles.
struct Object {
  std::string_view id, type, role;
  Coded id_type;
};
void open_object(Message& message, const Object& object) {
  message
      .open("ParticipantObjectIdentification", {{"ParticipantObjectID", object.id},
                                                {"ParticipantObjectTypeCode", object.type},
                                                {"ParticipantObjectTypeCodeRole", object.role}})
      .coded("ParticipantObjectIDTypeCode", object.id_type);
}
void close_object(Message& message) { message.close("ParticipantObjectIdentification"); }

/// The host of `https://host:port/path`, without brackets.
std::string_view host_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  if (url.starts_with('[')) return url.substr(1, url.find(']') - 1);
  return url.substr(0, url.find_first_of(":/"));
}

/// NetworkAccessPointTypeCode: 1 a name, 2 an address.
std::string_view access_point_type(std::string_view host) {
  if (host.empty()) return {};
  const bool is_address = host.find(':') != std::string_view::npos ||
                          host.find_first_not_of("0123456789.") == std::string_view::npos;
  return is_address ? "2" : "1";
}

void write_participant(Message& message, std::initializer_list<Attribute> attributes, const Coded& role) {
  message.open("ActiveParticipant", attributes).coded("RoleIDCode", role).close("ActiveParticipant");
}

/// Who asked: the address of an asynchronous answer, else the implementer the connection is of. [ITI TF-2 §3.55.5.1]
std::string asker_of(const Event& event) {
  if (!event.reply_to.empty() && event.reply_to != xca::soap::anonymous) return event.reply_to;
  return event.implementer.empty() ? "unknown" : "urn:oid:" + event.implementer;
}

void write_asker(Message& message, const Event& event, const Coded& role) {
  write_participant(message,
                    {{"UserID", asker_of(event)},
                     {"UserIsRequestor", "true"},
                     {"NetworkAccessPointID", event.address},
                     {"NetworkAccessPointTypeCode", access_point_type(event.address)}},
                    role);
}

void write_us(Message& message, const Event& event, const Reported& where, const Coded& role) {
  const auto host = host_of(event.endpoint);
  write_participant(message,
                    {{"UserID", event.endpoint.empty() ? where.node : event.endpoint},
                     {"AlternativeUserID", event.process},
                     {"UserIsRequestor", "false"},
                     {"NetworkAccessPointID", host.empty() ? std::string_view(where.node) : host},
                     {"NetworkAccessPointTypeCode", host.empty() ? "1" : access_point_type(host)}},
                    role);
}

/// The person in whose name the request was made, as the verified token says: `alias<user@issuer>`.
void write_human(Message& message, const Event& event) {
  if (event.user.empty() && event.name_id.empty()) return;
  message.open("ActiveParticipant",
               {{"UserID", event.user.empty() ? event.name_id : event.user},
                {"UserName", event.alias + "<" + event.name_id + "@" + event.issuer + ">"},
                {"UserIsRequestor", "true"}});
  if (event.role) message.coded("RoleIDCode", *event.role);
  message.close("ActiveParticipant");
}

/// Reason code and sentence; the transaction where the event's own codes do not name it.
std::string description_of(const Event& event) {
  std::string text = event.reason;
  if (!event.sentence.empty()) text += (text.empty() ? "" : ": ") + event.sentence;
  const bool is_named = event.failed_check == FailedCheck::None || event.transaction.empty();
  return is_named ? text : event.transaction + ": " + text;
}

Message begin(const Event& event, const Coded& id, const std::optional<Coded>& type, char action,
              Indicator indicator) {
  Message message(indicator);
  message
      .open("EventIdentification",
            {{"EventActionCode", std::string_view(&action, 1)},
             {"EventDateTime", base::write_date_time(event.at)},
             {"EventOutcomeIndicator", std::to_string(static_cast<int>(indicator))}})
      .coded("EventID", id);
  if (type) message.coded("EventTypeCode", *type);
  if (const auto text = description_of(event); !text.empty()) message.text("EventOutcomeDescription", text);
  for (const auto& purpose : event.purpose_codes) message.coded("PurposeOfUse", purpose);
  message.close("EventIdentification");
  return message;
}

void write_source(Message& message, const Event& event, const Reported& where) {
  message.open("AuditSourceIdentification",
               {{"AuditEnterpriseSiteID", event.community}, {"AuditSourceID", where.node}});
  message.coded("AuditSourceTypeCode", Coded{"4", dcm, "Application Server Process or Thread"});
  message.close("AuditSourceIdentification");
}

/// Where the event stands in our chain: tells a message that came twice, and leads back to the proof.
AuditMessage end(Message message, const Reported& where) {
  const auto entry = where.node + "/" + std::to_string(where.seq);
  open_object(message, {entry, "4", "26", {"audit-entry", own, "Audit chain entry"}});
  close_object(message);
  return std::move(message).end();
}

void write_patients(Message& message, const Event& event) {
  for (const auto& id : event.patient_ids) {
    open_object(message, {id, "1", "1", {"2", rfc_3881, "Patient Number"}});
    close_object(message);
  }
}

void write_query(Message& message, const Event& event, const Reported& where, const Coded& transaction, bool is_xcpd) {
  open_object(message, {event.query_id, "2", "24", transaction});
  if (!where.query.empty()) {
    message.octets("ParticipantObjectQuery", where.query);
  } else if (!event.query_hash.empty()) {
    message.detail("gatehouse:querySha256", event.query_hash);
  }
  if (is_xcpd) {
    message.detail("ihe:homeCommunityID", event.community);  // the standard writes the two names differently
  } else {
    message.detail("QueryEncoding", "UTF-8");
    const auto home = event.community.empty() ? std::string() : "urn:oid:" + event.community;
    message.detail("urn:ihe:iti:xca:2010:homeCommunityId", home);
  }
  close_object(message);
}

/// A success where the answer says what it found, also nothing; a minor failure where we withheld or refused.
Indicator indicator_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::Released:
    case Outcome::NoMatch:
    case Outcome::Looked:
    case Outcome::Changed:
    case Outcome::Sent: return Indicator::Success;
    case Outcome::Withheld:
    case Outcome::Refused: return Indicator::Minor;
    case Outcome::Fault:
    case Outcome::Aborted:
    case Outcome::Accepted: break;
  }
  return Indicator::Serious;
}

AuditMessage tell_query(const Event& event, const Reported& where, const xca::Transaction& transaction) {
  const Coded type{transaction.id, ihe, transaction.name};
  const bool is_xcpd = transaction.kind == xca::Kind::PatientDiscovery;
  auto message = begin(event, query_event, type, 'E', indicator_of(event.outcome));
  write_asker(message, event, source_role);
  write_us(message, event, where, destination_role);
  write_human(message, event);
  write_source(message, event, where);
  write_patients(message, event);
  // A message refused before its query was read has none to tell.
  if (!event.query_hash.empty()) write_query(message, event, where, type, is_xcpd);
  return end(std::move(message), where);
}

AuditMessage tell_documents(const Event& event, const Reported& where, std::span<const AskedDocument> documents,
                            Indicator indicator) {
  auto message = begin(event, export_event, Coded{"ITI-39", ihe, xca::cross_gateway_retrieve.name}, 'R', indicator);
  write_us(message, event, where, source_role);
  write_asker(message, event, destination_role);
  write_human(message, event);
  write_source(message, event, where);
  if (indicator == Indicator::Success) write_patients(message, event);
  for (const auto& document : documents) {
    open_object(message, {document.unique_id, "2", "3", {"9", rfc_3881, "Report Number"}});
    message.detail("Repository Unique Id", document.repository);
    message.detail("ihe:homeCommunityID", document.home);
    close_object(message);
  }
  return end(std::move(message), where);
}

/// Documents given and documents not given, apart. [ITI TF-2 §3.39.5]
std::vector<AuditMessage> tell_retrieve(const Event& event, const Reported& where) {
  const bool released = event.outcome == Outcome::Released;
  std::vector<AskedDocument> given, missing;
  for (const auto& asked : event.documents_asked) {
    const bool is_given = released && std::ranges::find(event.documents, asked.unique_id) != event.documents.end();
    (is_given ? given : missing).push_back(asked);
  }
  std::vector<AuditMessage> messages;
  const auto tell = [&](std::span<const AskedDocument> documents, Indicator indicator) {
    while (!documents.empty()) {
      const auto part = documents.first(std::min(documents.size(), documents_per_message));
      messages.push_back(tell_documents(event, where, part, indicator));
      documents = documents.subspan(part.size());
    }
  };
  const auto failure = indicator_of(event.outcome);
  tell(given, Indicator::Success);
  tell(missing, failure == Indicator::Success ? Indicator::Minor : failure);
  if (messages.empty()) messages.push_back(tell_documents(event, where, {}, failure));  // refused before it was read
  return messages;
}

/// A peer that could not prove who it is, or a message that could not be taken.
AuditMessage tell_refusal(const Event& event, const Reported& where, const Coded& id, const Coded& type) {
  auto message = begin(event, id, type, 'E', Indicator::Serious);
  write_asker(message, event, source_role);
  write_us(message, event, where, destination_role);
  write_source(message, event, where);
  return end(std::move(message), where);
}

AuditMessage tell_own(const Event& event, const Reported& where, const OwnActivity& activity) {
  auto message = begin(event, activity.event, activity.type, activity.action, indicator_of(event.outcome));
  const bool reads_log = activity.event.code == log_used.code;
  write_us(message, event, where, application_role);
  message.open("ActiveParticipant", {{"UserID", event.user}, {"UserIsRequestor", "true"}});
  if (!reads_log) message.coded("RoleIDCode", launcher_role);
  message.close("ActiveParticipant");
  write_source(message, event, where);
  if (reads_log) {
    open_object(message, {"urn:gatehouse:audit", "2", "13", {"12", rfc_3881, "URI"}});
    message.text("ParticipantObjectName", "Security Audit Log");
    close_object(message);
  }
  return end(std::move(message), where);
}

const xca::Transaction* transaction_of(const Event& event) {
  const auto found = std::ranges::find(xca::transactions, event.transaction, &xca::Transaction::id);
  return found == std::end(xca::transactions) ? nullptr : found;
}

const OwnActivity* own_activity_of(const Event& event) {
  const auto found = std::ranges::find(own_activities, event.transaction, &OwnActivity::transaction);
  return found == std::end(own_activities) ? nullptr : found;
}

bool is_node_failure(const Event& event) {
  return event.failed_check == FailedCheck::Node || event.transaction == "TLS";
}

}  // namespace

bool is_reported(const Event& event) {
  // That an answer which was told as released went out, or did not, is for our own trail.
  // Accepted is not answered: the answer, when it is called, is an event of its own.
  constexpr Outcome silent[] = {Outcome::Accepted, Outcome::Sent, Outcome::Aborted};
  if (std::ranges::find(silent, event.outcome) != std::end(silent)) return false;
  return transaction_of(event) || own_activity_of(event) || is_node_failure(event) || event.outcome == Outcome::Fault;
}

std::vector<AuditMessage> write_messages(const Event& event, const Reported& where) {
  if (!is_reported(event)) return {};
  if (const auto* activity = own_activity_of(event)) return {tell_own(event, where, *activity)};
  if (is_node_failure(event)) return {tell_refusal(event, where, security_alert, node_authentication)};
  if (event.failed_check == FailedCheck::User) return {tell_refusal(event, where, user_authentication, login)};
  const auto* transaction = transaction_of(event);
  if (!transaction) return {tell_refusal(event, where, security_alert, message_refused)};
  if (transaction->kind == xca::Kind::CrossGatewayRetrieve) return tell_retrieve(event, where);
  return {tell_query(event, where, *transaction)};
}

}  // namespace gateway::audit
