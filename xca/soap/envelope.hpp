#pragma once
// A SOAP 1.2 message with WS-Addressing headers, plain or as the root of an MTOM package: read here, not yet trusted.
// [SOAP 1.2 part 1; WS-Addressing 1.0 SOAP binding; MTOM; facts/query-exchange §1]

#include "base/xml/canonical.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace xca::soap {

using base::Bytes;
using base::BytesView;
using base::Result;
using base::xml::Element;

namespace ns {
inline constexpr std::string_view soap = "http://www.w3.org/2003/05/soap-envelope";
inline constexpr std::string_view wsa = "http://www.w3.org/2005/08/addressing";
inline constexpr std::string_view wsse =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
inline constexpr std::string_view wsse11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd";
inline constexpr std::string_view wsu =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
inline constexpr std::string_view saml = "urn:oasis:names:tc:SAML:2.0:assertion";
inline constexpr std::string_view ds = "http://www.w3.org/2000/09/xmldsig#";
inline constexpr std::string_view xop = "http://www.w3.org/2004/08/xop/include";
inline constexpr std::string_view hl7 = "urn:hl7-org:v3";
inline constexpr std::string_view rim = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0";
inline constexpr std::string_view rs = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0";
inline constexpr std::string_view lcm = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0";
inline constexpr std::string_view query = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0";
inline constexpr std::string_view xds = "urn:ihe:iti:xds-b:2007";
inline constexpr std::string_view xcpd = "urn:ihe:iti:xcpd:2009";
inline constexpr std::string_view xsi = "http://www.w3.org/2001/XMLSchema-instance";
}  // namespace ns

enum class Errc {
  UnsupportedMediaType = 1,   ///< HTTP 415: neither application/soap+xml nor multipart/related of it
  BadMultipart,               ///< not readable as one MTOM package (threats M01–M08)
  TooManyParts,
  MessageTooLarge,            ///< HTTP 413
  WrongEnvelope,              ///< no SOAP 1.2 envelope: VersionMismatch
  BadEnvelope,                ///< Header and Body not exactly once in order, other children, no single payload (S/X16)
  NotUnderstood,              ///< a mandatory header of ours to process that we do not know: MustUnderstand
  AddressingHeaderMissing,    ///< wsa:Action, or wsa:MessageID on a request
  AddressingHeaderInvalid,    ///< doubled, with children, too long, control characters
  ActionNotSupported,         ///< an action we do not offer, or one that contradicts the payload
  NotOurAddress,              ///< wsa:To, ReplyTo or FaultTo that we may not obey
  SchemaInvalid,              ///< only for partners set to strict
};
boost::system::error_code make_error_code(Errc) noexcept;

struct Limits {
  base::xml::Limits xml = {};
  std::size_t bytes = 32u << 20;       ///< whole message
  std::size_t parts = 100;
  std::size_t part_header_bytes = 8u << 10;
  std::size_t part_headers = 20;
  std::size_t address_characters = 4096;  ///< of any wsa header value
};

/// How a message travels. The answer mirrors the request. [ITI TF-2 Appendix V.3.6]
enum class Encoding { Simple, Mtom };

/// The WS-Addressing headers of a message, as written, trimmed.
struct Addressing {
  std::string action;
  std::string message_id;
  std::string to;        ///< empty where absent
  std::string reply_to;  ///< empty where absent; the anonymous URI for a synchronous answer
  std::string fault_to;  ///< empty where absent
  std::string relates_to;
};
/// On the connection the request came by. [WS-Addressing 1.0 Core §2.1]
inline constexpr std::string_view anonymous = "http://www.w3.org/2005/08/addressing/anonymous";
/// Nowhere: what is sent there is discarded.
inline constexpr std::string_view none = "http://www.w3.org/2005/08/addressing/none";
/// True for an address that would have to be called: neither absent, anonymous nor none. Whether it may be called is
/// not known here.
bool is_elsewhere(std::string_view address) noexcept;

/// Another part of an MTOM package; its bytes live as long as the message they came in.
struct Part {
  std::string content_id;   ///< without brackets
  std::string content_type;
  BytesView bytes;          ///< empty where the part came in base64
  Bytes decoded = {};       ///< holds the bytes where the part came in base64
  BytesView octets() const { return decoded.empty() ? bytes : decoded; }
};

/// A message whose frame has been read. Opening it says nothing about who sent it.
class Envelope {
 public:
  /// @param content_type  the HTTP Content-Type header
  /// @param wire          the HTTP body; must outlive the Envelope
  /// @error Errc::…, base::xml::Errc::…
  static Result<Envelope> open(std::string_view content_type, BytesView wire, const Limits& limits = {});

  const base::xml::Document& document() const { return document_; }
  Element header() const { return header_; }
  Element body() const { return body_; }
  Element payload() const { return payload_; }  ///< the one element in Body
  const Addressing& addressing() const { return addressing_; }
  Encoding encoding() const { return encoding_; }
  /// The parts of an MTOM package but its root.
  const std::vector<Part>& parts() const { return parts_; }
  /// Every xop:Include of the Body in document order; each names one part, and no part is named twice. [threats M04]
  const std::vector<Element>& includes() const { return includes_; }
  /// The bytes behind an element of base64Binary: inline text or one xop:Include. [threats M01, M02, M08]
  Result<Bytes> binary(const Element& element) const;
  /// The bytes one of includes() stands for. @error Errc::BadMultipart
  Result<BytesView> included(const Element& include) const;

 private:
  Envelope(base::xml::Document document, Element header, Element body, Element payload)
      : document_(std::move(document)), header_(header), body_(body), payload_(payload) {}
  base::xml::Document document_;
  Element header_, body_, payload_;
  Addressing addressing_;
  Encoding encoding_ = Encoding::Simple;
  std::vector<Part> parts_;
  std::vector<Element> includes_;

  Result<void> read_headers(const Limits& limits);
  Result<void> read_includes();
  Result<const Part*> part_of(const Element& include) const;
};

/// True for a header block without soap:role, or with the role of the next or the last receiver.
bool is_for_us(const Element& header) noexcept;

/// The MessageID of a message that could not be opened, where it can be read safely, for RelatesTo of the fault;
/// empty otherwise.
std::string message_id_of(std::string_view content_type, BytesView wire, const Limits& limits = {});

}  // namespace xca::soap

namespace boost::system {
template <>
struct is_error_code_enum<xca::soap::Errc> : std::true_type {};
}  // namespace boost::system
