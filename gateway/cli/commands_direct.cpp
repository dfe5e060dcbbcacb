// direct: a look into a message that came, as our receiver judges it.

#include "direct/received.hpp"
#include "gateway/cli/commands.hpp"
#include "gateway/cli/house.hpp"

namespace gateway::cli {
namespace {

/// Pairs of --certificate and --key, in their order.
Result<std::vector<certs::Credential>> credentials(const Arguments& arguments) {
  const auto certificates = arguments.list("certificate"), keys = arguments.list("key");
  if (certificates.size() != keys.size())
    return base::fail(ConfigErrc::OutOfRange, "give a --key for each --certificate, in the same order");
  std::vector<certs::Credential> all;
  for (std::size_t i = 0; i < keys.size(); ++i) all.push_back(TRY(load_credential(certificates[i], keys[i])));
  return all;
}

Result<certs::TrustEvidence> evidence(const Arguments& arguments) {
  certs::TrustEvidence all;
  for (const auto& file : arguments.list("anchors")) {
    for (auto& anchor : TRY(certs::read_trust_bundle(TRY(read_file(file))))) all.anchors.push_back(std::move(anchor));
  }
  for (const auto& file : arguments.list("intermediates")) {
    for (auto& one : TRY(certs::read_trust_bundle(TRY(read_file(file))))) all.intermediates.push_back(std::move(one));
  }
  for (const auto& file : arguments.list("crl")) {
    for (auto& list : TRY(certs::read_crls(TRY(read_file(file))))) all.crls.push_back(std::move(list));
  }
  return all;
}

Fields described(const direct::Handed& handed) {
  Fields fields;
  fields.text("recipient", handed.recipient).text("reason", std::string(direct::word(handed.reason)));
  if (!handed.detail.empty()) fields.text("detail", handed.detail);
  if (handed.signer) fields.text("signer", handed.signer->subject());
  return fields;
}

/// One judged whatever comes of it: for a recipient who is none of ours, no key opens it.
Result<Exit> open(const Arguments& arguments, Console& console) {
  const auto message = TRY(read_file(arguments.text("FILE")));
  const auto keys = TRY(credentials(arguments));
  const certs::TrustStore trust(TRY(evidence(arguments)));
  direct::Delivery delivery{.message = message, .mail_from = arguments.text("from"), .rcpt_to = arguments.list("to")};
  std::vector<direct::Mailbox> ours;
  for (const auto& to : delivery.rcpt_to) {
    auto address = TRY(direct::Address::parse(to));
    ours.push_back({.address = std::move(address), .credentials = keys, .trust = &trust});
  }
  const auto outcome =
      direct::receive(delivery, ours, {.unwrapped = !arguments.has("wrapped-only")}, system_now());
  for (const auto& handed : outcome.recipients) console.show(described(handed));
  if (!outcome.received) return Exit::Refused;
  if (arguments.has("out")) TRY(write_file(arguments.text("out"), outcome.received->message, true));
  return Exit::Done;
}

}  // namespace

std::vector<Command> direct_commands() {
  return {
      {.path = "direct open",
       .help = "Judge a Direct message in a file as our receiver does, and show for each recipient why it is accepted "
               "or not; exit 1 if nobody accepts it. Nothing is stored and nothing is sent.",
       .example = "direct open message.eml --from referrals@direct.hie.example --to frontdesk@direct.clinic.example "
                  "--certificate clinic.pem --key clinic.key --anchors anchors.pem --out opened.eml",
       .options = {{"FILE", "The message, as it was received", true},
                   {"--from", "MAIL FROM; the null return path if not given"},
                   {"--to", "RCPT TO", true, true},
                   {"--certificate", "PEM certificate that opens it", true, true},
                   {"--key", "Its key, for each --certificate in the same order", true, true},
                   {"--anchors", "PEM or PKCS#7 of the authorities that are believed", true, true},
                   {"--intermediates", "Certificates between signer and authority, where the message lacks them", false,
                    true},
                   {"--crl", "Revocation lists", false, true},
                   {"--wrapped-only", "Refuse what is signed without being wrapped, as version 1.3 lets", false, false,
                    true},
                   {"--out", "Write the opened message here"}},
       .run = open,
       .needs_config = false},
  };
}

}  // namespace gateway::cli
