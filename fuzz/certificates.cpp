// Certificates, paths, revocation lists, OCSP responses, bundles and credentials, signed here by a known authority over
// whatever the input has become, and what is judged with them.

#include "certs/evidence.hpp"
#include "fuzz/certificates.hpp"
#include "fuzz/keys.hpp"
#include "fuzz/target.hpp"

namespace fuzz {
namespace {

using namespace certs;
using testing::noon;
using Gathering = GatheredEvidence::Gathering;

constexpr const char* address = "http://lists.example/a.crl";

void hold_validated(const TrustStore& store, const Certificate& certificate, std::span<const Certificate> presented) {
  for (const auto use : {Use::TlsClient, Use::TlsServer, Use::MessageSignature}) {
    const auto trusted = store.validate(certificate, presented, use, noon());
    const auto again = store.validate(certificate, presented, use, noon());
    hold(trusted.has_value() == again.has_value(), "two judgements of one certificate");
    if (!trusted) continue;
    hold(!certificate.has_weak_key(), "a weak key was believed");
    hold(certificate.not_before() <= noon() && noon() <= certificate.not_after(), "believed out of its time");
    hold(store.held_certificate_with(certificate.public_key()).has_value(), "believed and not held");
  }
}

void look_at(const Certificate& certificate) {
  hold(Certificate::from_pem(certificate.to_pem()).value() == certificate, "PEM of a certificate is not the same");
  (void)certificate.subject();
  (void)certificate.issuer();
  (void)certificate.serial();
  (void)certificate.dns_names();
  const auto addresses = evidence_addresses(certificate);
  hold(addresses.lists.size() <= 8 && addresses.responders.size() <= 8, "more addresses than the limit");
  for (const auto& list : {addresses.lists, addresses.responders})
    for (const auto& one : list) hold(one.starts_with("http://") && one.size() <= 512, "an address nobody may fetch");
}

/// All certificates that stand one after the other.
std::vector<Certificate> certificates_in(std::string_view text) {
  std::vector<Certificate> found;
  for (const auto& bytes : split(text))
    if (auto certificate = Certificate::parse(bytes)) found.push_back(*std::move(certificate));
  return found;
}

// ---- Certificates and paths -----------------------------------------------------------------------------------------

void run_leaf(std::string_view text) {
  const auto certificate = Certificate::parse(resigned(text, {"root"}));
  if (!certificate) return;
  look_at(*certificate);
  const Certificate presented[] = {world().middle.certificate};
  static const TrustStore store{{.anchors = {world().root.certificate}}};
  hold_validated(store, *certificate, presented);
  const TrustStore hard{{.anchors = {world().root.certificate},
                         .crls = {world().list},
                         .revocation = RevocationPolicy::Hard}};
  const auto trusted = hard.validate(*certificate, {}, Use::MessageSignature, noon());
  hold(!trusted || trusted->is_proven_unrevoked(), "believed without evidence");
}

void run_intermediate(std::string_view text) {
  const auto certificate = Certificate::parse(resigned(text, {"root"}));
  if (!certificate) return;
  const Certificate presented[] = {*certificate};
  const TrustStore store{{.anchors = {world().root.certificate}}};
  hold_validated(store, world().low.certificate, presented);
  const TrustStore known{{.anchors = {world().root.certificate}, .intermediates = {*certificate}, .depth_max = 1}};
  hold_validated(known, world().low.certificate, {});
  const TrustStore under_policy{{.anchors = {*certificate},
                                 .anchors_with_policy = {{world().root.certificate, RevocationPolicy::Hard}}}};
  hold_validated(under_policy, world().low.certificate, {});
}

/// A leaf of the middle, the middle as it is presented, and what else a peer may send, many times over.
void run_path(std::string_view text) {
  const auto sent = certificates_in(resigned(text, {"middle", "root"}));
  if (sent.empty()) return;
  const TrustStore store{{.anchors = {world().root.certificate}, .depth_max = 3}};
  hold_validated(store, sent.front(), std::span(sent).subspan(1));
  auto too_much = std::vector(sent.begin() + 1, sent.end());
  for (std::size_t bytes = 0; bytes <= 64 * 1024; bytes += sent.front().der().size()) too_much.push_back(sent.front());
  hold(!store.validate(sent.front(), too_much, Use::MessageSignature, noon()).has_value(),
       "more was taken than may be presented");
}

void run_pin(std::string_view text) {
  const auto certificate = Certificate::parse(text);
  if (!certificate) return;
  look_at(*certificate);
  const auto gathered = std::make_shared<GatheredEvidence>(Gathering::On, GatheredLimits{.questions = 2});
  const TrustStore store{{.anchors = {world().root.certificate},
                          .pinned = {*certificate},
                          .crls = {world().list, world().without_delegate},
                          .gathered = gathered}};
  store.ask_ahead(noon());
  hold_validated(store, *certificate, {});
  hold_validated(store, world().leaf.certificate, {});
  hold(gathered->silent().size() <= 4, "more silence than certificates");
  gathered->tidy(noon());
}

void run_anchor(std::string_view text) {
  const auto certificate = Certificate::parse(text);
  if (!certificate) return;
  const auto gathered = std::make_shared<GatheredEvidence>(Gathering::On);
  const TrustStore store{{.anchors_with_policy = {{*certificate, RevocationPolicy::Soft},
                                                  {*certificate, RevocationPolicy::Soft},
                                                  {world().root.certificate, RevocationPolicy::Hard}},
                          .gathered = gathered}};
  store.ask_ahead(noon());
  hold_validated(store, world().leaf.certificate, {});
  const Certificate presented[] = {*certificate};
  hold_validated(store, world().low.certificate, presented);
  for (const auto& asked : gathered->take_asked()) gathered->settle(asked.certificate);
  gathered->tidy(noon());
}

// ---- Evidence -------------------------------------------------------------------------------------------------------

/// Lists beyond a limit, of another address, older than the one at hand: what is revoked stays revoked.
void hold_limited(const Certificate& root, BytesView list, bool revokes, std::optional<Instant> from) {
  const auto& leaf = world().leaf.certificate;
  GatheredEvidence few(Gathering::Off, {.questions = 1, .lists = 1, .list_bytes_together = 4096});
  (void)few.weigh(leaf, root, Testimony::Silent, noon());
  (void)few.weigh(world().middle.certificate, root, Testimony::Silent, noon());
  (void)few.take_list(address, root, list, noon());
  (void)few.take_list(address, root, world().list.der, noon());
  hold(!few.take_list("http://lists.example/b.crl", root, world().list.der, noon()), "more lists than the limit");
  const auto state = few.weigh(leaf, root, Testimony::Silent, noon());
  const bool newer = from && *from > noon() - std::chrono::minutes(30);
  hold(!(revokes && newer && list.size() <= 4096) || state == SourceState::Revoked, "an older list unrevoked");
  few.settle(world().low.certificate);
  few.tidy(noon() + std::chrono::days(30));
}

void run_list(std::string_view text) {
  const RevocationList list{resigned(text, {"root"})};
  const auto read = Crl::read(list.der);
  const auto& leaf = world().leaf.certificate;
  const auto& root = world().root.certificate;
  const bool of_root = read && read->signed_by(root.handle());
  const auto says = [&](const Certificate& of) {
    return of_root ? read->about(of.handle(), noon()) : Testimony::Silent;
  };
  const bool revokes = says(leaf) == Testimony::Revoked;
  const TrustStore store{{.anchors = {root}, .crls = {list}, .revocation = RevocationPolicy::Hard}};
  const auto trusted = store.validate(leaf, {}, Use::TlsClient, noon());
  hold(!(revokes && trusted), "a revoked certificate was believed");
  hold(!trusted || says(leaf) == Testimony::Good, "believed without evidence");
  (void)says(world().middle.certificate);
  const TrustStore pinning{{.pinned = {root}, .crls = {list}}};
  const auto pinned = pinning.validate(root, {}, Use::MessageSignature, noon());
  hold(!(pinned && says(root) == Testimony::Revoked), "a pin that revoked itself was believed");

  GatheredEvidence gathered(Gathering::On);
  (void)gathered.weigh(leaf, root, Testimony::Silent, noon());
  hold(!gathered.take_list(address, world().middle.certificate, list.der, noon()), "a list of another issuer");
  const auto until = gathered.take_list(address, root, list.der, noon());
  const auto state = gathered.weigh(leaf, root, Testimony::Silent, noon());
  if (until) {
    hold(*until >= noon(), "a list was taken that had ended");
    hold(revokes == (state == SourceState::Revoked), "files and gathered lists say different things");
    (void)gathered.take_list(address, root, list.der, noon());
    gathered.tidy(noon());
  }
  hold_limited(root, list.der, revokes && until.has_value(), read ? read->this_update() : std::nullopt);
}

void run_lists(std::string_view text) {
  const auto lists = read_crls(text);
  if (!lists) return;
  const auto& leaf = world().leaf.certificate;
  for (const auto& list : *lists)
    if (const auto read = Crl::read(list.der)) (void)read->about(leaf.handle(), noon());
  const Certificate issuers[] = {world().root.certificate};
  for (const auto& crl : RevocationLists(*lists, issuers).signed_by(world().root.certificate.handle()))
    hold(crl.signed_by(world().root.certificate.handle()), "a list of somebody else");
}

void run_response(std::string_view text, std::string_view signer) {
  const auto response = resigned_response(text, signer);
  const auto& root = world().root.certificate;
  const OcspQuestion question{world().leaf.certificate, root, "12345678"};
  const auto statement = OcspStatement::read(response, question, noon());
  if (statement && statement->at(noon()) == Testimony::Good)
    hold(statement->from() <= noon() + OcspLimits{}.skew && noon() <= statement->until(), "good out of its time");
  const bool revokes = statement && statement->at(noon()) == Testimony::Revoked;
  (void)GatheredEvidence(Gathering::On).take_response(question, response, noon()).has_value();

  GatheredEvidence gathered(Gathering::On);
  const auto weighed = [&] { return gathered.weigh(question.certificate, root, Testimony::Silent, noon()); };
  (void)weighed();
  const auto taken = gathered.take_response(question, response, noon());
  for (const auto& asked : gathered.asked_about()) gathered.settle(asked.certificate);
  const auto state = weighed();
  hold(taken || state == SourceState::None, "evidence that was not taken counts");
  hold(!revokes || state == SourceState::Revoked, "a revoked certificate is not known as one");
  hold(gathered.silent().size() <= 1, "more silence than certificates");

  (void)gathered.take_list(address, root, world().without_delegate.der, noon());
  const auto revoked_list = Crl::read(world().without_delegate.der);
  if (statement && statement->delegate() &&
      revoked_list->about(statement->delegate()->handle(), noon()) == Testimony::Revoked)
    hold(weighed() == SourceState::None, "what a revoked responder said counts");
  else
    hold(weighed() == state, "a list about others changes what is known");

  const bool newer = statement && statement->from() > noon() - std::chrono::minutes(30);
  (void)gathered.take_response(question, world().response, noon());
  const bool stays_revoked = revokes && newer && !statement->delegate();
  hold(!stays_revoked || weighed() == SourceState::Revoked, "an older response unrevoked");
  (void)gathered.take_response(question, response, noon());
  gathered.tidy(noon() + std::chrono::days(30));
}

// ---- Bundles and credentials ----------------------------------------------------------------------------------------

void run_bundle(std::string_view text) {
  const auto certificates = read_trust_bundle(text);
  if (!certificates) return;
  const auto again = read_trust_bundle(write_trust_bundle(*certificates));
  hold(again && *again == *certificates, "a bundle that is read differently when written");
}

void hold_together(const Result<Credential>& credential) {
  if (!credential) return;
  hold(credential->key.public_key() == credential->certificate.public_key(), "a key that is not the certificate's");
  const auto* below = &credential->certificate;
  for (const auto& above : credential->chain) {
    hold(above.subject() == below->issuer(), "a chain that is none");
    below = &above;
  }
}

void run_pkcs12(std::string_view text) {
  const auto sealed = testing::resealed(text, passphrase);
  hold_together(read_credential_pkcs12(sealed, passphrase));
  hold(!read_credential_pkcs12(sealed, "another"), "opened with another passphrase");
}

void run_credential(std::string_view text) {
  hold_together(make_credential(p256("leaf"), text));
  hold_together(read_credential_pem(text, text));
}

}  // namespace

const Form form = Form::Der;

std::vector<std::string_view> words() { return {}; }  // DER has no texts to fill

void run(std::string_view input) {
  if (input.empty()) return;
  const auto text = input.substr(1);
  switch (static_cast<Reader>(input.front())) {
    case Reader::Leaf: return run_leaf(text);
    case Reader::Intermediate: return run_intermediate(text);
    case Reader::List: return run_list(text);
    case Reader::Response: return run_response(text, "root");
    case Reader::Bundle: return run_bundle(text);
    case Reader::Lists: return run_lists(text);
    case Reader::Pin: return run_pin(text);
    case Reader::Anchor: return run_anchor(text);
    case Reader::Path: return run_path(text);
    case Reader::Delegated: return run_response(text, "delegate");
    case Reader::Pkcs12: return run_pkcs12(text);
    case Reader::Credential: return run_credential(text);
  }
}

}  // namespace fuzz
