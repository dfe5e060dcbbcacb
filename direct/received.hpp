#pragma once
// A Direct message that came: opened by the recipients' keys, its signature judged, its headers held against the way it
// came. Pure: octets, keys, trust and `now` in; who is let have it, and why not, out. Whatever the reason, the outside
// sees one outcome. [Applicability Statement 1.3; facts/direct §2, §4, §6, §8; threats D01–D07]

#include "certs/cms.hpp"
#include "certs/trust.hpp"
#include "direct/address.hpp"

namespace direct {

using base::Bytes;
using base::BytesView;
using base::Instant;

/// For the audit trail of the house; never for the sender.
enum class Reason {
  Accepted,
  NotEncrypted, NoDecryptKey, DecryptFailed, MalformedCms, WeakCipher,
  UnsignedMessage, MalformedSigned, MissingSenderSignature, SignatureInvalid, WeakDigest, WeakKey,
  NotWrapped, MalformedHeader, RoutingTamper,
  BindingMismatch, CertExpired, CertNotYetValid, CertRevoked, RevocationUnknown, UntrustedAnchor, InvalidPath, KeyUsage,
};
/// `DecryptFailed` …: as the log writes it.
std::string_view word(Reason reason) noexcept;

/// What SMTP said, and the message behind it.
struct Delivery {
  BytesView message;
  std::string mail_from = {};             ///< without its brackets; empty: the null return path
  std::vector<std::string> rcpt_to = {};  ///< at least one
};

/// One of our addresses.
struct Mailbox {
  Address address;
  std::vector<certs::Credential> credentials = {};  ///< current ones and those that are kept to read old mail
  const certs::TrustStore* trust = nullptr;         ///< whose signatures its domain believes; outlives the call
};

struct ReceiveRules {
  bool unwrapped = true;  ///< takes messages that are signed without being wrapped, as before version 1.3
};

/// A message that somebody is let have.
struct Received {
  Bytes signed_entity = {};  ///< what was signed, byte for byte: by its hash a message is known again
  Bytes message = {};        ///< RFC 5322: what was wrapped; of an unwrapped one the signed entity
  bool wrapped = true;
  Address sender = {};       ///< whose signature it bears
  std::optional<std::string> message_id = {};  ///< as it stands, with its brackets
};

/// What became of it for one recipient.
struct Handed {
  std::string recipient = {};  ///< as it was given
  Reason reason = Reason::Accepted;
  std::string detail = {};                       ///< in words, for our own log
  std::optional<certs::Certificate> signer = {};  ///< where it was accepted: who was believed
};
struct Outcome {
  std::optional<Received> received = {};  ///< where at least one recipient accepted
  std::vector<Handed> recipients = {};    ///< one for each of rcpt_to, in its order
};

/// @param ours  the mailboxes that rcpt_to names; another recipient has no key here
Outcome receive(const Delivery& delivery, std::span<const Mailbox> ours, const ReceiveRules& rules, Instant now);

}  // namespace direct
