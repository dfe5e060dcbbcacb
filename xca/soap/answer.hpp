#pragma once
// What goes back on the wire: a status, a media type and pieces of bytes, plain SOAP or MTOM; and faults.
// Every piece is written in exclusive canonical form, so that what was signed is what is sent.

#include "xca/soap/envelope.hpp"

#include <span>
#include <variant>

namespace xca::soap {

/// Octets that are kept elsewhere: no answer holds them, they are read while it is sent.
struct StoredContent {
  std::string sha256;  ///< of all octets, hex: what they are kept under
  std::uint64_t size = 0;
  bool operator==(const StoredContent&) const = default;
};
/// Where stored octets stand in an answer.
struct StoredPiece {
  StoredContent content;
  bool in_base64 = false;
  bool operator==(const StoredPiece&) const = default;
};
using Piece = std::variant<Bytes, StoredPiece>;

/// A finished HTTP answer: the pieces are sent one after the other.
struct Answer {
  unsigned status = 200;
  std::string content_type;
  std::vector<Piece> pieces = {};
  std::size_t root_at = 0, root_pieces = 1;  ///< which of them are the envelope
  std::span<const Piece> envelope() const { return std::span(pieces).subspan(root_at, root_pieces); }
};

/// A document that goes with an answer.
struct Attachment {
  std::string content_id;  ///< of its part in an MTOM answer, without brackets
  std::string content_type;
  StoredContent content;
  std::size_t at = 0;  ///< Encoding::Simple: before which octet of the envelope its base64 stands
};

/// Packs a finished envelope text. For Encoding::Mtom the attachments follow the root part; for Encoding::Simple they
/// stand in it as base64.
/// @param attachments  in the order of their places
/// @param boundary_id  a fresh UUID for the MIME boundary
Answer pack(Encoding encoding, std::string envelope, std::vector<Attachment> attachments, std::string_view boundary_id,
            std::string_view action);

/// A SOAP 1.2 fault in the terms of facts/query-exchange §1.3.
struct Fault {
  unsigned status = 400;
  std::string code;     ///< `Sender`, `Receiver`, `VersionMismatch`, `MustUnderstand`
  std::string subcode;  ///< as prefix:name with prefix wsse, wsu or wsa; empty for none
  std::string reason;   ///< constant text per kind: never patient data, key material, library text
  /// For MustUnderstand: `{namespace}name` of the header. It is the sender's text and shown only where it is plain.
  std::string not_understood = {};
};

/// The fault that answers an error of any room: the one table of it. Never shows the error's detail, but for the name
/// of a header that was not understood.
Fault fault_for(const base::Error& error);

/// @param relates_to  MessageID of the request, or empty
/// @param to          where it is called to, or empty for the connection the request came by
Answer write_fault(const Fault& fault, std::string_view relates_to, std::string_view message_id,
                   std::string_view to = {});

}  // namespace xca::soap
