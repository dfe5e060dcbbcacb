#include "gateway/bench/asker.hpp"

#include "base/xml/canonical.hpp"
#include "certs/xmldsig.hpp"
#include "gateway/bench/request_texts.hpp"
#include "xca/transactions.hpp"

#include <array>
#include <atomic>
#include <stdexcept>
#include <thread>

namespace gateway::bench {
namespace {

using Filling = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// A template with every `{name}` replaced by its value. Our values hold nothing that text and attributes escape in
/// two ways.
std::string filled(std::string_view text, Filling values) {
  std::string out;
  out.reserve(text.size() + 1024);
  for (auto open = text.find('{'); open != std::string_view::npos; open = text.find('{')) {
    const auto close = text.find('}', open);
    const auto name = text.substr(open + 1, close - open - 1);
    const auto* value = values.begin();
    while (value != values.end() && value->first != name) ++value;
    if (value == values.end()) throw std::logic_error("a template without its value: " + std::string(name));
    out.append(text.substr(0, open));
    base::xml::append_attribute(out, value->second);
    text.remove_prefix(close + 1);
  }
  return out.append(text);
}

std::string after(std::string text, std::string_view mark, std::string_view inserted) {
  const auto at = text.find(mark);
  if (at == std::string::npos) throw std::logic_error("a template without " + std::string(mark));
  return text.insert(at + mark.size(), inserted);
}

/// ds:Signature of one element that stands in canonical form. [XML Signature §4.4]
std::string write_signature(std::string_view info_text, std::string_view id, std::string_view canonical,
                            const certs::PrivateKey& key, std::string_view key_info) {
  const auto info = filled(info_text, {{"id", id}, {"digest", base::base64(certs::sha256(canonical))}});
  std::string out(texts::signature_open);
  out.append(info).append("<ds:SignatureValue>");
  out.append(base::base64(key.sign(certs::Digest::Sha256, info))).append("</ds:SignatureValue>");
  return out.append(key_info).append("</ds:Signature>");
}

/// A SubjectPublicKeyInfo of RSA 2048 ends with the modulus, a header of two octets and the exponent 65537.
std::string_view modulus(const certs::Certificate& certificate) {
  const std::string_view spki = certificate.public_key().spki();
  return spki.substr(spki.size() - 261, 256);
}

std::string new_uuid() {
  const auto octets = certs::random_octets<16>();
  const auto hex = base::hex({reinterpret_cast<const char*>(octets.data()), octets.size()});
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-4" + hex.substr(13, 3) + "-a" + hex.substr(17, 3) + "-" +
         hex.substr(20);
}

Instant system_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

struct AskRow {
  std::string_view action, payload;
};
AskRow row_of(Ask ask) {
  switch (ask) {
    case Ask::Patient: return {xca::patient_discovery.request_action, texts::query};
    case Ask::Entries: return {xca::cross_gateway_query.request_action, texts::find_documents};
    case Ask::Document: return {xca::cross_gateway_retrieve.request_action, texts::retrieve_document};
  }
  throw std::logic_error("no such request");
}

}  // namespace

std::string document_id(const Route& route, const Somebody& whose, std::size_t number) {
  return route.repository + "." + std::to_string(std::stoul(whose.mrn.substr(1))) + "." + std::to_string(number);
}

Bytes document_text(const Route& route, const Somebody& whose, std::size_t number, std::size_t octets) {
  auto text = filled(texts::document_open, {{"document", document_id(route, whose, number)},
                                            {"authority", route.authority},
                                            {"mrn", whose.mrn},
                                            {"given", whose.given},
                                            {"family", whose.family},
                                            {"gender", whose.gender},
                                            {"birth", whose.birth_date},
                                            {"asked", route.asked_home}});
  const auto line = "Blood pressure 120/80 mmHg, pulse 64, no known allergies, note " + std::to_string(number) + ". ";
  while (text.size() + texts::document_close.size() < octets) text += line;
  text.resize(octets - texts::document_close.size());
  return text.append(texts::document_close);
}

std::string_view Asker::content_type(Ask ask) {
  if (ask != Ask::Document) return "application/soap+xml; charset=UTF-8";
  return "multipart/related; boundary=\"MIMEBoundary_bench\"; type=\"application/xop+xml\"; start=\"<root@bench>\"; "
         "start-info=\"application/soap+xml\"";
}

Asker::Asker(Route route, certs::Credential credential)
    : route_(std::move(route)),
      credential_(std::move(credential)),
      key_info_(filled(texts::key_info, {{"modulus", base::base64(modulus(credential_.certificate))},
                                         {"certificate", base::base64(credential_.certificate.der())}})) {}

Bytes Asker::request(const Somebody& about, std::size_t number, Instant now, Ask ask) const {
  const auto created = base::write_date_time(now), expires = base::write_date_time(now + lifetime);
  const auto timestamp_id = "TS-" + new_uuid(), assertion_id = "_" + new_uuid(), message_id = new_uuid();
  const auto serial = std::to_string(1'000'000 + number);
  const auto timestamp = filled(texts::timestamp, {{"id", timestamp_id}, {"created", created}, {"expires", expires}});
  auto assertion = filled(texts::assertion, {{"id", assertion_id},
                                             {"evidence", new_uuid()},
                                             {"created", created},
                                             {"expires", expires},
                                             {"home", route_.asker_home},
                                             {"serial", serial},
                                             {"patient", about.asker_id},
                                             {"audience", route_.to}});
  assertion = after(std::move(assertion), "<saml2:SubjectConfirmationData>", key_info_);
  const auto token_signature =
      write_signature(texts::enveloped_info, assertion_id, assertion, credential_.key, key_info_);
  const auto message_signature = write_signature(texts::plain_info, timestamp_id, timestamp, credential_.key,
                                                 filled(texts::token_reference, {{"id", assertion_id}}));
  assertion = after(std::move(assertion), "</saml2:Issuer>", token_signature);

  const auto [action, payload] = row_of(ask);
  std::string out(ask == Ask::Document ? texts::package_open : "");
  out += filled(texts::envelope_open, {{"to", route_.to}, {"action", action}, {"message", message_id}});
  out.append(timestamp).append(assertion).append(message_signature).append(texts::body_open);
  out.append(filled(payload, {{"message", message_id},
                                   {"query", new_uuid()},
                                   {"now", base::write_hl7_time(now)},
                                   {"asker", route_.asker_home},
                                   {"asked", route_.asked_home},
                                   {"to", route_.to},
                                   {"gender", about.gender},
                                   {"birth", about.birth_date},
                                   {"id", about.asker_id},
                                   {"family", about.family},
                                   {"given", about.given},
                                   {"middle", about.middle},
                                   {"street", about.street},
                                   {"city", about.city},
                                   {"state", about.state},
                                   {"postal", about.postal_code},
                                   {"telephone", about.telephone},
                                   {"mrn", about.mrn},
                                   {"authority", route_.authority},
                                   {"repository", route_.repository},
                                   {"document", document_id(route_, about, 0)}}));
  return out.append(texts::envelope_close).append(ask == Ask::Document ? texts::package_close : "");
}

std::vector<Signed> Asker::requests(std::span<const Somebody> people, std::size_t count,
                                    const std::function<void(std::size_t ready)>& progress, Ask ask) const {
  std::vector<Signed> made(count);
  std::atomic<std::size_t> next{0}, ready{0};
  const auto work = [&] {
    for (auto i = next++; i < count; i = next++, ++ready) {
      const Somebody& about = people[i % people.size()];
      made[i] = {.ask = ask, .body = request(about, i, system_now(), ask), .about = &about};
    }
  };
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) threads.emplace_back(work);
  while (ready < count) {
    progress(ready);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  threads.clear();
  return made;
}

}  // namespace gateway::bench
