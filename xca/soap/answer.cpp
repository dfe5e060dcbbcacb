#include "xca/soap/answer.hpp"

#include "xca/soap/hidden.hpp"
#include "xca/wss/security.hpp"

#include <algorithm>

namespace xca::soap {
namespace {

using base::xml::append_attribute;
using base::xml::append_text;

constexpr std::size_t relates_to_characters_max = 1024;
constexpr std::size_t header_name_characters_max = 256;

/// A fault without anything of the message it answers.
struct FaultKind {
  unsigned status;
  std::string_view code, subcode, reason;
};

constexpr FaultKind unreadable{400, "Sender", "", "The message could not be read"};
constexpr FaultKind unsupported_media{415, "Sender", "", "The media type is not supported"};
constexpr FaultKind too_large{413, "Sender", "", "The message is too large"};
constexpr FaultKind version_mismatch{500, "VersionMismatch", "", "Only SOAP 1.2 is spoken here"};
constexpr FaultKind must_understand{500, "MustUnderstand", "", "A mandatory header was not understood"};
constexpr FaultKind header_required{400, "Sender", "wsa:MessageAddressingHeaderRequired",
                                    "A required addressing header is missing"};
constexpr FaultKind invalid_header{400, "Sender", "wsa:InvalidAddressingHeader", "An addressing header is not valid"};
constexpr FaultKind action_not_supported{400, "Sender", "wsa:ActionNotSupported", "The action is not supported"};
constexpr FaultKind not_supported{400, "Sender", "", "What was asked for is not supported"};
constexpr FaultKind invalid_security{400, "Sender", "wsse:InvalidSecurity", "The security header was not accepted"};
constexpr FaultKind failed_check{400, "Sender", "wsse:FailedCheck", "A signature was not accepted"};
constexpr FaultKind unsupported_algorithm{400, "Sender", "wsse:UnsupportedAlgorithm", "An algorithm is not supported"};
constexpr FaultKind invalid_token{400, "Sender", "wsse:InvalidSecurityToken", "The security token was not accepted"};
constexpr FaultKind token_unavailable{400, "Sender", "wsse:SecurityTokenUnavailable",
                                      "The security token could not be found"};
constexpr FaultKind failed_authentication{400, "Sender", "wsse:FailedAuthentication",
                                          "The sender could not be authenticated"};
constexpr FaultKind expired{400, "Sender", "wsu:MessageExpired", "The message has expired"};
constexpr FaultKind busy{503, "Receiver", "", "Try again later"};
constexpr FaultKind defect{500, "Receiver", "", "The message could not be processed"};

struct FaultRow {
  boost::system::error_code error;
  const FaultKind& kind;
};

/// Errors whose fault says more than their cause. [facts/query-exchange §1.3; threats.md §1–§7]
const std::vector<FaultRow>& fault_rows() {
  using X = base::xml::Errc;
  using C = certs::Errc;
  using W = wss::Errc;
  static const std::vector<FaultRow> rows = {
      {Errc::UnsupportedMediaType, unsupported_media},
      {Errc::MessageTooLarge, too_large},
      {X::TooLarge, too_large},
      {Errc::WrongEnvelope, version_mismatch},
      {Errc::NotUnderstood, must_understand},
      {Errc::AddressingHeaderMissing, header_required},
      {Errc::AddressingHeaderInvalid, invalid_header},
      {Errc::ActionNotSupported, action_not_supported},
      {Errc::NotOurAddress, invalid_header},

      {C::BadSignature, failed_check},
      {C::DigestMismatch, failed_check},
      {C::BadReference, invalid_security},
      {C::UnsupportedAlgorithm, unsupported_algorithm},
      {C::UnreadableKey, invalid_token},
      {C::UnreadableCertificate, invalid_token},
      {C::KeyTooWeak, invalid_token},
      {C::KeyMismatch, invalid_token},
      {C::NotYetValid, invalid_token},
      {C::Expired, invalid_token},
      {C::Revoked, invalid_token},
      {C::RevocationUnknown, invalid_token},
      {C::RevocationOnItsWay, invalid_token},
      {C::UnknownIssuer, invalid_token},
      {C::BadPath, invalid_token},
      {C::NotForThisUse, invalid_token},
      {C::WeakSignature, invalid_token},

      {W::SecurityMissing, invalid_security},
      {W::SecurityDoubled, invalid_security},
      {W::TimestampMissing, invalid_security},
      {W::TimestampDoubled, invalid_security},
      {W::TimestampUnsigned, invalid_security},
      {W::TimestampUnreadable, invalid_security},
      {W::MessageExpired, expired},
      {W::MessageFromFuture, expired},
      {W::AssertionMissing, invalid_security},
      {W::AssertionDoubled, invalid_security},
      {W::AssertionUnsigned, invalid_security},
      {W::AssertionUnreadable, invalid_token},
      {W::AssertionExpired, invalid_token},
      {W::AssertionNotYetValid, invalid_token},
      {W::AssertionTooLong, invalid_token},
      {W::SignatureMissing, invalid_security},
      {W::SignatureDoubled, invalid_security},
      {W::SignatureUnresolved, token_unavailable},
      {W::WrappedSignature, invalid_security},
      {W::BodyUnsigned, invalid_security},
      {W::AddressingUnsigned, invalid_security},
      {W::SubjectNotConfirmed, invalid_token},
      {W::KeyNotSubjects, invalid_token},
      {W::IssuerFormatUnknown, invalid_token},
      {W::IssuerNotSigners, invalid_token},
      {W::AudienceNotUs, invalid_token},
      {W::ConditionUnknown, invalid_token},
      {W::AuthorizationDenied, invalid_token},
      {W::AttributeMissing, invalid_token},
      {W::AttributeContradictory, failed_authentication},
      {W::ReplayedTooOften, failed_check},
  };
  return rows;
}

const FaultKind& kind_by_cause(base::Cause cause) {
  switch (cause) {
    case base::Cause::BadMessage: return unreadable;
    case base::Cause::NotTrusted: return failed_authentication;
    case base::Cause::NotSupported: return not_supported;
    case base::Cause::TryLater: return busy;
    case base::Cause::Defect: return defect;
  }
  return defect;
}

Fault fault_of(const FaultKind& kind) {
  return {.status = kind.status,
          .code = std::string(kind.code),
          .subcode = std::string(kind.subcode),
          .reason = std::string(kind.reason)};
}

std::string_view namespace_of_subcode(std::string_view subcode) {
  if (subcode.starts_with("wsse:")) return ns::wsse;
  return subcode.starts_with("wsu:") ? ns::wsu : ns::wsa;
}

bool is_plain(std::string_view text, std::size_t characters_max) {
  return !text.empty() && text.size() <= characters_max && !has_hidden_characters(text);
}

bool is_plain_name(std::string_view name) {
  const auto is_start = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return is_plain(name, header_name_characters_max) && is_start(name.front()) && std::ranges::all_of(name, [&](char c) {
           return is_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

/// [SOAP 1.2 part 1 §5.4.8]
void append_not_understood(std::string& out, std::string_view expanded_name) {
  const auto brace = expanded_name.find('}');
  if (!expanded_name.starts_with('{') || brace == std::string_view::npos) return;
  const auto namespace_uri = expanded_name.substr(1, brace - 1), name = expanded_name.substr(brace + 1);
  if (!is_plain(namespace_uri, header_name_characters_max) || !is_plain_name(name)) return;
  out.append("<soap:NotUnderstood xmlns:n=\"");
  append_attribute(out, namespace_uri);
  out.append("\" qname=\"n:").append(name).append("\"></soap:NotUnderstood>");
}

void append_fault_headers(std::string& out, const Fault& fault, std::string_view relates_to,
                          std::string_view message_id, std::string_view to, std::string_view action) {
  out.append("<soap:Header><wsa:Action>").append(action).append("</wsa:Action><wsa:MessageID>");
  append_text(out, message_id);
  out.append("</wsa:MessageID>");
  if (!to.empty()) {
    out.append("<wsa:To>");
    append_text(out, to);
    out.append("</wsa:To>");
  }
  if (is_plain(relates_to, relates_to_characters_max)) {
    out.append("<wsa:RelatesTo>");
    append_text(out, relates_to);
    out.append("</wsa:RelatesTo>");
  }
  if (fault.code == "VersionMismatch")
    out.append(
        "<soap:Upgrade><soap:SupportedEnvelope qname=\"soap:Envelope\"></soap:SupportedEnvelope></soap:Upgrade>");
  append_not_understood(out, fault.not_understood);
  out.append("</soap:Header>");
}

void append_fault_body(std::string& out, const Fault& fault) {
  out.append("<soap:Body><soap:Fault><soap:Code><soap:Value>soap:").append(fault.code).append("</soap:Value>");
  if (!fault.subcode.empty()) {
    const auto prefix = std::string_view(fault.subcode).substr(0, fault.subcode.find(':'));
    out.append("<soap:Subcode><soap:Value xmlns:").append(prefix).append("=\"");
    out.append(namespace_of_subcode(fault.subcode)).append("\">").append(fault.subcode);
    out.append("</soap:Value></soap:Subcode>");
  }
  out.append("</soap:Code><soap:Reason><soap:Text xml:lang=\"en\">");
  append_text(out, fault.reason);
  out.append("</soap:Text></soap:Reason></soap:Fault></soap:Body>");
}

/// A media type of a stored document goes into a MIME header only where it is one line of visible ASCII.
std::string_view safe_media_type(std::string_view type) {
  const auto visible = [](char c) { return c >= ' ' && c < 0x7F; };
  return !type.empty() && std::ranges::all_of(type, visible) ? type : "application/octet-stream";
}

std::string part_head(std::string_view boundary, const Attachment& attachment) {
  std::string head = "\r\n--";
  head.append(boundary).append("\r\nContent-Type: ").append(safe_media_type(attachment.content_type));
  head.append("\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <").append(attachment.content_id);
  return head.append(">\r\n\r\n");
}

Answer pack_simple(std::string envelope, std::vector<Attachment> attachments, std::string_view action) {
  Answer answer{.content_type = "application/soap+xml; charset=UTF-8; action=\"" + std::string(action) + "\""};
  std::size_t written = 0;
  for (Attachment& attachment : attachments) {
    answer.pieces.push_back(envelope.substr(written, attachment.at - written));
    answer.pieces.push_back(StoredPiece{.content = std::move(attachment.content), .in_base64 = true});
    written = attachment.at;
  }
  envelope.erase(0, written);
  answer.pieces.push_back(std::move(envelope));
  answer.root_pieces = answer.pieces.size();
  return answer;
}

}  // namespace

Answer pack(Encoding encoding, std::string envelope, std::vector<Attachment> attachments, std::string_view boundary_id,
            std::string_view action) {
  if (encoding == Encoding::Simple) return pack_simple(std::move(envelope), std::move(attachments), action);
  const std::string boundary = "MIMEBoundary_" + std::string(boundary_id);
  const std::string root_id = "<root-" + std::string(boundary_id) + "@gatehouse>";
  Answer answer{.content_type = "multipart/related; boundary=\"" + boundary +
                                "\"; type=\"application/xop+xml\"; start=\"" + root_id +
                                "\"; start-info=\"application/soap+xml\"; action=\"" + std::string(action) + "\"",
                .root_at = 1};
  answer.pieces.reserve(3 + 2 * attachments.size());
  answer.pieces.push_back("--" + boundary +
                          "\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n"
                          "Content-Transfer-Encoding: binary\r\nContent-ID: " +
                          root_id + "\r\n\r\n");
  answer.pieces.push_back(std::move(envelope));
  for (auto& attachment : attachments) {
    answer.pieces.push_back(part_head(boundary, attachment));
    answer.pieces.push_back(StoredPiece{.content = std::move(attachment.content)});
  }
  answer.pieces.push_back("\r\n--" + boundary + "--\r\n");
  return answer;
}

Fault fault_for(const base::Error& error) {
  const auto& rows = fault_rows();
  const auto row = std::ranges::find(rows, error.code, &FaultRow::error);
  auto fault = fault_of(row == rows.end() ? kind_by_cause(base::cause_of(error)) : row->kind);
  if (error.code == Errc::NotUnderstood) fault.not_understood = error.detail;
  return fault;
}

Answer write_fault(const Fault& fault, std::string_view relates_to, std::string_view message_id,
                   std::string_view to) {
  const std::string_view action = fault.subcode.starts_with("wsa:") ? "http://www.w3.org/2005/08/addressing/fault"
                                                                    : "http://www.w3.org/2005/08/addressing/soap/fault";
  std::string out;
  out.reserve(2048);
  out.append("<soap:Envelope xmlns:soap=\"").append(ns::soap).append("\" xmlns:wsa=\"").append(ns::wsa).append("\">");
  append_fault_headers(out, fault, relates_to, message_id, to, action);
  append_fault_body(out, fault);
  out.append("</soap:Envelope>");
  auto answer = pack_simple(std::move(out), {}, action);
  answer.status = fault.status;
  return answer;
}

}  // namespace xca::soap
