#pragma once
// What goes back on the wire: a status, a media type and pieces of bytes, plain SOAP or MTOM; and faults.
// Every piece is written in exclusive canonical form, so that what was signed is what is sent.

#include "xca/soap/envelope.hpp"

namespace xca::soap {

/// A finished HTTP answer: the pieces are sent one after the other.
struct Answer {
  unsigned status = 200;
  std::string content_type;
  std::vector<Bytes> pieces = {};
  std::size_t bytes() const;
};

/// A binary part of an MTOM answer.
struct Attachment {
  std::string content_id;    ///< without brackets
  std::string content_type;
  Bytes bytes;
};

/// Packs a finished envelope text. For Encoding::Mtom the attachments follow the root part; for Encoding::Simple there
/// must be none (the payload writer has put them inline).
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
