#include "xca/wss/reply.hpp"

#include "base/bytes.hpp"
#include "base/xml/canonical.hpp"
#include "certs/xmldsig.hpp"

namespace xca::wss {
namespace {

using base::xml::append_attribute;
using base::xml::append_text;
namespace ns = soap::ns;

constexpr std::chrono::minutes lifetime{5};
constexpr std::string_view x509_token =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3";
constexpr std::string_view base64_binary =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

/// The text of a message under way, and where in it the parts to be signed stand. Each part is written with its own
/// namespace declarations, attributes in canonical order, and so is its own canonical form.
class Writer {
 public:
  std::string& text() { return text_; }
  Writer& add(std::string_view text) {
    text_.append(text);
    return *this;
  }
  Writer& attribute(std::string_view value) {
    append_attribute(text_, value);
    return *this;
  }
  Writer& content(std::string_view value) {
    append_text(text_, value);
    return *this;
  }
  void begin_part(std::string id) { parts_.push_back({std::move(id), text_.size(), 0}); }
  void end_part() { parts_.back().end = text_.size(); }

  /// Valid until the text is written to again.
  std::vector<certs::SignedPart> signed_parts() const {
    std::vector<certs::SignedPart> views;
    for (const auto& part : parts_)
      views.push_back({part.id, std::string_view(text_).substr(part.begin, part.end - part.begin)});
    return views;
  }

 private:
  struct Span {
    std::string id;
    std::size_t begin, end;
  };
  std::string text_;
  std::vector<Span> parts_;
};

void write_addressing_header(Writer& out, std::string_view name, std::string_view id, std::string_view value) {
  out.begin_part(std::string(id));
  const bool mandatory = name == "Action";
  out.add("<wsa:").add(name);
  if (mandatory) out.add(" xmlns:soap=\"").add(ns::soap).add("\"");
  out.add(" xmlns:wsa=\"").add(ns::wsa).add("\" xmlns:wsu=\"").add(ns::wsu).add("\" wsu:Id=\"").add(id).add("\"");
  if (mandatory) out.add(" soap:mustUnderstand=\"true\"");
  out.add(">").content(value).add("</wsa:").add(name).add(">");
  out.end_part();
}

void write_addressing(Writer& out, const Reply& reply, std::string_view message_id) {
  write_addressing_header(out, "Action", "ACTION", reply.action);
  write_addressing_header(out, "MessageID", "MESSAGE-ID", message_id);
  write_addressing_header(out, "To", "TO", reply.to);
  if (!reply.relates_to.empty()) write_addressing_header(out, "RelatesTo", "RELATES-TO", reply.relates_to);
}

void write_notices(Writer& out, const std::vector<soap::Notice>& notices) {
  if (notices.empty()) return;
  out.begin_part("NOTICE");
  out.add("<gh:Notice xmlns:gh=\"").add(soap::notice_namespace).add("\" xmlns:wsu=\"").add(ns::wsu);
  out.add("\" wsu:Id=\"NOTICE\">");
  for (const auto& one : notices) {
    out.add("<gh:Part2 document=\"").attribute(one.document).add("\" scope=\"").attribute(one.scope).add("\">");
    out.content(one.statement).add("</gh:Part2>");
  }
  out.add("</gh:Notice>");
  out.end_part();
}

void write_timestamp(Writer& out, base::Instant now) {
  out.begin_part("TS");
  out.add("<wsu:Timestamp xmlns:wsu=\"").add(ns::wsu).add("\" wsu:Id=\"TS\"><wsu:Created>");
  out.add(base::write_date_time(now)).add("</wsu:Created><wsu:Expires>");
  out.add(base::write_date_time(now + lifetime)).add("</wsu:Expires></wsu:Timestamp>");
  out.end_part();
}

void write_confirmation(Writer& out, std::size_t index, const std::string* value) {
  const auto id = "SC-" + std::to_string(index);
  out.begin_part(id);
  out.add("<wsse11:SignatureConfirmation xmlns:wsse11=\"").add(ns::wsse11).add("\" xmlns:wsu=\"").add(ns::wsu);
  out.add("\"");
  if (value) out.add(" Value=\"").attribute(*value).add("\"");
  out.add(" wsu:Id=\"").add(id).add("\"></wsse11:SignatureConfirmation>");
  out.end_part();
}

/// One for each signature of the request; one without Value says that there was none. [WSS 1.1 §8.5]
void write_confirmations(Writer& out, const std::vector<std::string>& values) {
  if (values.empty()) write_confirmation(out, 0, nullptr);
  for (std::size_t i = 0; i < values.size(); ++i) write_confirmation(out, i, &values[i]);
}

void write_token(Writer& out, const Signer& signer) {
  out.add("<wsse:BinarySecurityToken xmlns:wsu=\"").add(ns::wsu).add("\" EncodingType=\"").add(base64_binary);
  out.add("\" ValueType=\"").add(x509_token).add("\" wsu:Id=\"X509\">").add(signer.certificate_base64());
  out.add("</wsse:BinarySecurityToken>");
}

std::string key_info() {
  std::string out = "<ds:KeyInfo><wsse:SecurityTokenReference xmlns:wsse=\"";
  out.append(ns::wsse).append("\"><wsse:Reference URI=\"#X509\" ValueType=\"").append(x509_token);
  return out.append("\"></wsse:Reference></wsse:SecurityTokenReference></ds:KeyInfo>");
}

Writer write_body(std::string_view payload) {
  Writer body;
  body.text().reserve(payload.size() + 512);
  body.begin_part("BODY");
  body.add("<soap:Body xmlns:soap=\"").add(ns::soap).add("\" xmlns:wsu=\"").add(ns::wsu).add("\" wsu:Id=\"BODY\">");
  body.add(payload).add("</soap:Body>");
  body.end_part();
  return body;
}

std::string signature_over(const Writer& head, const Writer& body, const Reply& reply, const Signer& signer) {
  auto parts = head.signed_parts();
  if (reply.signature == ResponseSignature::Full)
    for (const auto& part : body.signed_parts()) parts.push_back(part);
  static const std::string reference = key_info();
  return certs::write_signature(parts, signer.credential().key, reference);
}

}  // namespace

Signer::Signer(certs::Credential credential)
    : credential_(std::move(credential)), certificate_base64_(base::base64(credential_.certificate.der())) {}

std::string write_envelope(const Reply& reply, std::string_view payload, const Signer& signer, base::UuidStream& ids,
                           base::Instant now) {
  const bool is_signed = reply.signature != ResponseSignature::None;
  const auto body = write_body(payload);
  Writer head;
  head.text().reserve(16u << 10);
  head.add("<soap:Envelope xmlns:soap=\"").add(ns::soap).add("\"><soap:Header>");
  write_addressing(head, reply, ids.next_urn());
  write_notices(head, reply.notices);
  head.add("<wsse:Security xmlns:wsse=\"").add(ns::wsse).add("\">");
  if (is_signed) write_token(head, signer);
  write_timestamp(head, now);
  if (is_signed) write_confirmations(head, reply.signature_values);
  const auto signature = is_signed ? signature_over(head, body, reply, signer) : std::string();

  auto& out = head.text();
  const auto written = body.signed_parts().front().canonical;
  out.reserve(out.size() + signature.size() + written.size() + 64);
  head.add(signature).add("</wsse:Security></soap:Header>").add(written).add("</soap:Envelope>");
  return std::move(out);
}

}  // namespace xca::wss
