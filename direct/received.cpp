#include "direct/received.hpp"

#include "direct/mime.hpp"

#include <algorithm>
#include <array>
#include <variant>

namespace direct {
namespace {

using certs::Credential;
using certs::cms::Envelope;
using mime::Entity;

constexpr std::array<std::string_view, 23> words{
    "Accepted",        "NotEncrypted",    "NoDecryptKey",      "DecryptFailed",   "MalformedCms",
    "WeakCipher",      "UnsignedMessage", "MalformedSigned",   "MissingSenderSignature", "SignatureInvalid",
    "WeakDigest",      "WeakKey",         "NotWrapped",        "MalformedHeader", "RoutingTamper",
    "BindingMismatch", "CertExpired",     "CertNotYetValid",   "CertRevoked",     "RevocationUnknown",
    "UntrustedAnchor", "InvalidPath",     "KeyUsage"};
static_assert(words.size() == static_cast<std::size_t>(Reason::KeyUsage) + 1);

struct Refused {
  Reason reason;
  std::string detail = {};
};
template <class T>
using Or = std::variant<T, Refused>;

Refused refused(Reason reason, const base::Error& error) { return {reason, error.detail}; }

/// Of an envelope, which only we can open. What its decryption says is said alike.
Reason reason_of(const base::Error& error) {
  using certs::cms::Errc;
  if (error.code == Errc::NotEnveloped) return Reason::NotEncrypted;
  if (error.code == Errc::WeakCipher) return Reason::WeakCipher;
  if (error.code == Errc::NotForUs) return Reason::NoDecryptKey;
  if (error.code == Errc::NotDecrypted) return Reason::DecryptFailed;
  if (error.code == Errc::NotSigned) return Reason::UnsignedMessage;
  if (error.code == Errc::NoSigner) return Reason::MissingSenderSignature;
  if (error.code == Errc::WeakDigest) return Reason::WeakDigest;
  if (error.code == Errc::WeakKey) return Reason::WeakKey;
  if (error.code == Errc::BadSignature) return Reason::SignatureInvalid;
  return Reason::MalformedCms;
}
/// Of a certificate that is not believed.
Reason reason_of_trust(const base::Error& error) {
  using certs::Errc;
  if (error.code == Errc::Expired) return Reason::CertExpired;
  if (error.code == Errc::NotYetValid) return Reason::CertNotYetValid;
  if (error.code == Errc::Revoked) return Reason::CertRevoked;
  if (error.code == Errc::RevocationUnknown || error.code == Errc::RevocationOnItsWay) return Reason::RevocationUnknown;
  if (error.code == Errc::UnknownIssuer) return Reason::UntrustedAnchor;
  if (error.code == Errc::NotForThisUse) return Reason::KeyUsage;
  if (error.code == Errc::KeyTooWeak) return Reason::WeakKey;
  if (error.code == Errc::WeakSignature) return Reason::WeakDigest;
  return Reason::InvalidPath;
}

bool is_pkcs7(const mime::Parameterized& type, std::string_view subtype) {
  return type.value == "application/pkcs7-" + std::string(subtype) ||
         type.value == "application/x-pkcs7-" + std::string(subtype);
}

// ------------------------------------------------------------------ envelope

/// The key of this mailbox that opens it, or null.
const Credential* key_of(const Mailbox& mailbox, const Envelope& envelope) {
  const auto found = std::ranges::find_if(
      mailbox.credentials, [&](const Credential& one) { return envelope.names(one.certificate); });
  return found == mailbox.credentials.end() ? nullptr : &*found;
}

Or<Envelope> envelope_of(BytesView message) {
  const auto outer = Entity::read(message);
  if (!outer) return refused(Reason::NotEncrypted, outer.error());
  const auto type = mime::media_type(*outer);
  if (!type || !is_pkcs7(*type, "mime")) return Refused{Reason::NotEncrypted, "it is no application/pkcs7-mime"};
  const auto der = mime::decoded_body(*outer);
  if (!der) return refused(Reason::MalformedCms, der.error());
  auto envelope = Envelope::read(*der);
  if (!envelope) return refused(reason_of(envelope.error()), envelope.error());
  return *std::move(envelope);
}

// ------------------------------------------------------------------ signature

/// What was signed, and by whom.
struct Signed {
  Bytes entity;
  std::vector<certs::cms::Signature> signatures;  ///< those that hold
  std::vector<certs::Certificate> certificates;
};

/// The signatures that hold, or why the first does not.
Or<Signed> held(Bytes entity, certs::cms::SignedContent content) {
  Signed read{std::move(entity), {}, std::move(content.certificates)};
  for (const auto& one : content.signatures)
    if (one.verdict) read.signatures.push_back(one);
  if (!read.signatures.empty()) return read;
  const auto& error = content.signatures.front().verdict.error();
  return refused(reason_of(error), error);
}

Or<Signed> detached(BytesView entity, BytesView der) {
  auto content = certs::cms::read_signed(der, entity);
  if (!content) return refused(reason_of(content.error()), content.error());
  auto judged = held(Bytes(entity), *std::move(content));
  const auto* wrong = std::get_if<Refused>(&judged);
  // Signed over CRLF and stored with LF on its way. [facts/direct §2]
  if (!wrong || wrong->reason != Reason::SignatureInvalid || !mime::has_bare_lf(entity)) return judged;
  auto lines = mime::with_crlf(entity);
  auto again = certs::cms::read_signed(der, lines);
  if (!again) return judged;
  return held(std::move(lines), *std::move(again));
}

Or<Signed> signed_by(const Entity& content) {
  const auto type = mime::media_type(content);
  if (!type) return refused(Reason::UnsignedMessage, type.error());
  if (is_pkcs7(*type, "mime")) {
    const auto kind = type->parameter("smime-type");
    if (!kind.empty() && kind != "signed-data") return Refused{Reason::UnsignedMessage, kind};
    const auto der = mime::decoded_body(content);
    if (!der) return refused(Reason::MalformedCms, der.error());
    auto opaque = certs::cms::read_signed(*der, std::nullopt);
    if (!opaque) return refused(reason_of(opaque.error()), opaque.error());
    auto entity = *std::move(opaque->content);
    return held(std::move(entity), *std::move(opaque));
  }
  if (type->value != "multipart/signed") return Refused{Reason::UnsignedMessage, type->value};
  const auto parts = mime::parts(content.body(), type->parameter("boundary"));
  if (!parts) return refused(Reason::MalformedSigned, parts.error());
  if (parts->size() != 2) return Refused{Reason::MalformedSigned, std::to_string(parts->size()) + " parts"};
  const auto second = Entity::read(parts->back());
  if (!second) return refused(Reason::MalformedSigned, second.error());
  const auto kind = mime::media_type(*second);
  if (!kind || !is_pkcs7(*kind, "signature")) return Refused{Reason::MalformedSigned, "the second part"};
  const auto der = mime::decoded_body(*second);
  if (!der) return refused(Reason::MalformedCms, der.error());
  return detached(parts->front(), *der);
}

// ------------------------------------------------------------------ headers

/// Who sent it to whom, as the signed headers say.
struct Routing {
  Address from;
  std::optional<Address> sender = {};
  std::vector<Address> to = {};  ///< and Cc
  std::optional<std::string> message_id = {};
};

Result<std::vector<Address>> mailboxes(const Entity& message, std::string_view field, Groups groups) {
  const auto value = TRY(message.value(field));
  if (!value) return std::vector<Address>();
  return read_mailboxes(*value, groups);
}

Result<Routing> routing_of(const Entity& message) {
  auto from = TRY(mailboxes(message, "From", Groups::No));
  if (from.size() != 1) return base::fail(AddressErrc::NotAList, "From");
  auto sender = TRY(mailboxes(message, "Sender", Groups::No));
  if (sender.size() > 1) return base::fail(AddressErrc::NotAList, "Sender");
  Routing routing{.from = std::move(from.front())};
  if (!sender.empty()) routing.sender = std::move(sender.front());
  for (const char* field : {"To", "Cc"})
    for (auto& one : TRY(mailboxes(message, field, Groups::Yes))) routing.to.push_back(std::move(one));
  routing.message_id = TRY(message.value("Message-ID"));
  return routing;
}

/// Whose signature it must bear: MAIL FROM, which the signed headers name; of a null return path the author.
Or<Address> sender_of(const Delivery& delivery, const Routing& routing) {
  for (const auto& recipient : delivery.rcpt_to) {
    const auto address = Address::parse(recipient);
    if (!address || std::ranges::find(routing.to, *address) == routing.to.end())
      return Refused{Reason::RoutingTamper, "a recipient is neither in To nor in Cc"};
  }
  if (delivery.mail_from.empty()) return routing.from;
  auto mail_from = Address::parse(delivery.mail_from);
  if (!mail_from || (*mail_from != routing.from && routing.sender != *mail_from))
    return Refused{Reason::RoutingTamper, "MAIL FROM is neither From nor Sender"};
  return *std::move(mail_from);
}

/// By its own address, or by its domain, both written out. [facts/direct §4: no wildcard, no parent domain, no DN]
bool binds(const certs::Certificate& certificate, const Address& sender) {
  const auto is_sender = [&](const std::string& name) {
    const auto address = Address::parse(name);
    return address && *address == sender;
  };
  const auto is_domain = [&](const std::string& name) {
    return std::ranges::equal(name, sender.domain(), {}, [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
  };
  return std::ranges::any_of(certificate.email_names(), is_sender) ||
         std::ranges::any_of(certificate.dns_names(), is_domain);
}

/// Whose signature, for the sender, is believed; or why none is.
Or<certs::Certificate> believed(const Signed& content, const Address& sender, const certs::TrustStore& trust,
                                Instant now) {
  Refused why{Reason::BindingMismatch, "no signer's certificate is for " + sender.text()};
  bool bound = false;
  for (const auto& one : content.signatures) {
    if (!binds(*one.certificate, sender)) continue;
    auto trusted = trust.validate(*one.certificate, content.certificates, certs::Use::MailSignature, now);
    if (trusted) return trusted->certificate();
    if (!bound) why = refused(reason_of_trust(trusted.error()), trusted.error());
    bound = true;
  }
  return why;
}

/// A message in its layers, when all but its sender's certificate has been judged.
struct Opened {
  Received received;
  Signed content;
  std::vector<const Mailbox*> keyed;  ///< for each recipient, its mailbox where that has the key
};

/// The message that was signed: what is wrapped, or the signed entity under the header of the message around it.
Or<Opened> read_message(const Delivery& delivery, const ReceiveRules& rules, Signed content) {
  const auto entity = Entity::read(content.entity);
  if (!entity) return refused(Reason::MalformedHeader, entity.error());
  const auto type = mime::media_type(*entity);
  if (!type) return refused(Reason::MalformedHeader, type.error());
  Received received{.signed_entity = content.entity, .wrapped = type->value == "message/rfc822"};
  if (received.wrapped) {
    auto inner = mime::decoded_body(*entity);
    if (!inner) return refused(Reason::MalformedHeader, inner.error());
    received.message = *std::move(inner);
  } else if (rules.unwrapped) {
    received.message = content.entity;
  } else {
    return Refused{Reason::NotWrapped, type->value};
  }
  const auto headers = Entity::read(received.wrapped ? BytesView(received.message) : delivery.message);
  const auto routing = headers ? routing_of(*headers) : Result<Routing>(headers.error());
  if (!routing) return refused(Reason::MalformedHeader, routing.error());
  auto sender = sender_of(delivery, *routing);
  if (auto* wrong = std::get_if<Refused>(&sender)) return *wrong;
  received.sender = std::get<Address>(std::move(sender));
  received.message_id = routing->message_id;
  return Opened{std::move(received), std::move(content), {}};
}

Or<Opened> opened(const Delivery& delivery, std::span<const Mailbox> ours, const ReceiveRules& rules) {
  auto read = envelope_of(delivery.message);
  if (const auto* wrong = std::get_if<Refused>(&read)) return *wrong;
  const auto& envelope = std::get<Envelope>(read);
  std::vector<const Mailbox*> keyed;
  const Credential* key = nullptr;
  for (const auto& recipient : delivery.rcpt_to) {
    const auto address = Address::parse(recipient);
    const auto is_its = [&](const Mailbox& one) { return address && one.address == *address; };
    const auto mailbox = std::ranges::find_if(ours, is_its);
    const auto* its_key = mailbox == ours.end() ? nullptr : key_of(*mailbox, envelope);
    keyed.push_back(its_key ? &*mailbox : nullptr);
    if (!key) key = its_key;
  }
  if (!key) return Refused{Reason::NoDecryptKey};
  const auto content = envelope.open(*key);
  if (!content) return refused(reason_of(content.error()), content.error());
  const auto entity = Entity::read(*content);
  if (!entity) return refused(Reason::UnsignedMessage, entity.error());
  auto signed_content = signed_by(*entity);
  if (auto* wrong = std::get_if<Refused>(&signed_content)) return *wrong;
  auto message = read_message(delivery, rules, std::get<Signed>(std::move(signed_content)));
  if (auto* whole = std::get_if<Opened>(&message)) whole->keyed = std::move(keyed);
  return message;
}

}  // namespace

std::string_view word(Reason reason) noexcept { return words[static_cast<std::size_t>(reason)]; }

Outcome receive(const Delivery& delivery, std::span<const Mailbox> ours, const ReceiveRules& rules, Instant now) {
  Outcome outcome;
  auto read = opened(delivery, ours, rules);
  const auto* wrong = std::get_if<Refused>(&read);
  bool accepted = false;
  for (std::size_t i = 0; i < delivery.rcpt_to.size(); ++i) {
    Handed handed{.recipient = delivery.rcpt_to[i]};
    if (wrong) {
      handed.reason = wrong->reason;
      handed.detail = wrong->detail;
    } else if (const auto& message = std::get<Opened>(read); !message.keyed[i]) {
      handed.reason = Reason::NoDecryptKey;
    } else {
      auto signer = believed(message.content, message.received.sender, *message.keyed[i]->trust, now);
      if (auto* why = std::get_if<Refused>(&signer)) {
        handed.reason = why->reason;
        handed.detail = std::move(why->detail);
      } else {
        handed.signer = std::get<certs::Certificate>(std::move(signer));
        accepted = true;
      }
    }
    outcome.recipients.push_back(std::move(handed));
  }
  if (accepted) outcome.received = std::get<Opened>(std::move(read)).received;
  return outcome;
}

}  // namespace direct
