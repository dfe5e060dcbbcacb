#include "gateway/directory/evidence_keeper.hpp"

#include "base/error_table.hpp"
#include "gateway/log.hpp"

#include <set>

namespace gateway::directory {
namespace {

using certs::Certificate;
using certs::Issued;
using std::chrono::steady_clock;

constexpr std::size_t sources_max = 8192;

Instant system_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string nonce() {
  const auto octets = certs::random_octets<16>();
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

/// One address evidence is fetched from: a list for its issuers, or responses about one certificate.
struct Source {
  std::string url;
  std::vector<Certificate> issuers = {};  ///< of a list: an authority may have several certificates
  std::optional<Issued> subject = {};     ///< of a response
  steady_clock::time_point due = {};
  std::chrono::seconds retry{0};
  bool under_way = false, tried = false;

  const char* kind() const { return subject ? "ocsp" : "crl"; }
};

}  // namespace

/// Everything here happens on the fetcher's thread.
struct EvidenceKeeper::Parts {
  Parts(EvidenceSettings given, net::AllowedNetworks allowed, net::Metrics& counted)
      : settings(std::move(given)),
        metrics(counted),
        evidence(std::make_shared<certs::GatheredEvidence>(settings.lists || settings.responses
                                                               ? certs::GatheredEvidence::Gathering::On
                                                               : certs::GatheredEvidence::Gathering::Off)),
        fetcher(std::move(allowed)) {}

  const EvidenceSettings settings;
  net::Metrics& metrics;
  const std::shared_ptr<certs::GatheredEvidence> evidence;
  std::map<std::string, Source> sources = {};                       ///< by kind, address and subject: single flight
  std::map<base::Bytes, std::pair<Certificate, std::set<std::string>>> unsettled = {};  ///< by subject: sources untried
  std::set<base::Bytes> alarmed = {};
  unsigned looks = 0, alarms_raised = 0;
  net::Fetcher fetcher;  ///< last: its thread ends before the rest goes

  void look();
  void look_around(Instant now);
  std::map<std::string, Source> sources_of(const Issued& asked) const;
  void take_up(const Issued& asked);
  std::optional<std::string> add(std::string key, Source source);
  void fetch(const std::string& key, Source& source);
  Result<Instant> take(const Source& source, const certs::OcspQuestion& question, const Result<base::Bytes>& fetched,
                       Instant now);
  void done(const std::string& key, const certs::OcspQuestion& question, const Result<base::Bytes>& fetched);
  void settle(const std::string& key);
  void raise_alarms(Instant now);
};

/// What was asked since the last look, and what is due.
void EvidenceKeeper::Parts::look() {
  if (looks++ % settings.times.looks_between_alarms == 0) look_around(system_now());
  for (const auto& asked : evidence->take_asked()) take_up(asked);
  const auto due = steady_clock::now();
  for (auto& [key, source] : sources) {
    if (!source.under_way && source.due <= due) fetch(key, source);
  }
}

/// Who is no longer asked about is forgotten, who has been silent for too long is told of.
void EvidenceKeeper::Parts::look_around(Instant now) {
  evidence->tidy(now);
  raise_alarms(now);
  if (alarms_raised++ % settings.times.alarms_between_clearing != 0) return;
  std::set<std::string> wanted;
  for (const auto& asked : evidence->asked_about()) {
    for (const auto& [key, source] : sources_of(asked)) wanted.insert(key);
  }
  std::erase_if(sources, [&](const auto& one) { return !one.second.under_way && !wanted.contains(one.first); });
}

/// Every address a certificate names, as far as it may be fetched from.
std::map<std::string, Source> EvidenceKeeper::Parts::sources_of(const Issued& asked) const {
  const auto addresses = certs::evidence_addresses(asked.certificate);
  std::map<std::string, Source> found;
  if (settings.lists) {
    for (const auto& url : addresses.lists) found["crl " + url] = {.url = url, .issuers = {asked.issuer}};
  }
  if (settings.responses) {
    const auto subject = base::hex(asked.certificate.sha256());
    for (const auto& url : addresses.responders) found["ocsp " + subject + " " + url] = {.url = url, .subject = asked};
  }
  return found;
}

void EvidenceKeeper::Parts::take_up(const Issued& asked) {
  std::set<std::string> untried;
  for (auto& [key, source] : sources_of(asked)) {
    if (auto added = add(key, std::move(source))) untried.insert(*std::move(added));
  }
  if (untried.empty()) return evidence->settle(asked.certificate);
  unsettled.insert_or_assign(asked.certificate.sha256(), std::pair(asked.certificate, std::move(untried)));
}

/// @return the key of a source that has not been tried yet
std::optional<std::string> EvidenceKeeper::Parts::add(std::string key, Source source) {
  const auto found = sources.find(key);
  if (found == sources.end()) {
    if (sources.size() >= sources_max) return std::nullopt;
    sources.emplace(key, std::move(source));
    return key;
  }
  for (auto& issuer : source.issuers) {
    auto& known = found->second.issuers;
    if (std::ranges::find(known, issuer) != known.end()) continue;
    known.push_back(std::move(issuer));  // the list at hand was taken for another: fetch it again
    found->second.due = {};
    found->second.tried = false;
  }
  return found->second.tried ? std::nullopt : std::optional(std::move(key));
}

void EvidenceKeeper::Parts::fetch(const std::string& key, Source& source) {
  source.under_way = true;
  if (!source.subject) {
    return fetcher.fetch({.url = source.url}, [this, key](Result<base::Bytes> fetched) {
      const auto& issuer = sources.at(key).issuers.front();
      done(key, {issuer, issuer}, fetched);
    });
  }
  certs::OcspQuestion question{source.subject->certificate, source.subject->issuer, nonce()};
  auto body = certs::write_ocsp_request(question);
  fetcher.fetch({.url = source.url, .body = std::move(body), .content_type = "application/ocsp-request"},
                [this, key, question](Result<base::Bytes> fetched) { done(key, question, fetched); });
}

/// @return until when what was fetched vouches
Result<Instant> EvidenceKeeper::Parts::take(const Source& source, const certs::OcspQuestion& question,
                                            const Result<base::Bytes>& fetched, Instant now) {
  if (!fetched) return fetched.error();
  if (source.subject) return evidence->take_response(question, *fetched, now);
  Result<Instant> taken = base::fail(certs::Errc::UnusableEvidence, "a list without an issuer");
  for (const auto& issuer : source.issuers) {
    auto one = evidence->take_list(source.url, issuer, *fetched, now);
    if (one || !taken) taken = std::move(one);
  }
  return taken;
}

void EvidenceKeeper::Parts::done(const std::string& key, const certs::OcspQuestion& question,
                                 const Result<base::Bytes>& fetched) {
  auto& source = sources.at(key);
  const Instant now = system_now();
  const auto until = take(source, question, fetched, now);
  source.under_way = false;
  source.tried = true;
  const auto& times = settings.times;
  std::chrono::seconds pause{};
  if (until) {
    const auto half = std::chrono::duration_cast<std::chrono::seconds>((*until - now) / 2);
    pause = std::clamp(half, times.refresh_min, times.refresh_max);
    source.retry = {};
    metrics.count_fetch(source.kind(), "usable");
  } else {
    source.retry = std::clamp(source.retry * 2, times.retry_min, times.retry_max);
    pause = source.retry;
    metrics.count_fetch(source.kind(), base::reason_of(until.error()));
    log(Level::Warning, "revocation evidence could not be had",
        {{"kind", source.kind()},
         {"url", source.url},
         {"reason", std::string(base::reason_of(until.error()))},
         {"because", until.error().detail}});
  }
  source.due = steady_clock::now() + pause;
  settle(key);
}

void EvidenceKeeper::Parts::settle(const std::string& key) {
  for (auto at = unsettled.begin(); at != unsettled.end();) {
    auto& [certificate, untried] = at->second;
    untried.erase(key);
    if (untried.empty()) evidence->settle(certificate);
    at = untried.empty() ? unsettled.erase(at) : std::next(at);
  }
}

void EvidenceKeeper::Parts::raise_alarms(Instant now) {
  std::set<base::Bytes> silent_long;
  const auto silent = evidence->silent();
  for (const auto& [certificate, since] : silent) {
    if (now - since < settings.times.alarm_after) continue;
    silent_long.insert(certificate.sha256());
    if (alarmed.contains(certificate.sha256())) continue;
    log(Level::Error, "a certificate is believed or refused without revocation evidence for too long",
        {{"subject", certificate.subject()},
         {"certificate", base::hex(certificate.sha256())},
         {"since", base::write_date_time(since)}});
  }
  alarmed = std::move(silent_long);
  metrics.set_gauge("revocation_unknown_certificates", static_cast<double>(silent.size()));
  metrics.set_gauge("revocation_unknown_alarms", static_cast<double>(alarmed.size()));
}

Result<std::unique_ptr<EvidenceKeeper>> EvidenceKeeper::start(EvidenceSettings settings, net::Metrics& metrics) {
  auto allowed = TRY(net::AllowedNetworks::read(settings.fetch_allow));
  auto parts = std::make_unique<Parts>(std::move(settings), std::move(allowed), metrics);
  std::unique_ptr<EvidenceKeeper> keeper(new EvidenceKeeper(std::move(parts)));
  keeper->parts_->fetcher.every(keeper->parts_->settings.times.look, [parts = keeper->parts_.get()] { parts->look(); });
  return keeper;
}

EvidenceKeeper::EvidenceKeeper(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
EvidenceKeeper::~EvidenceKeeper() = default;

std::shared_ptr<certs::GatheredEvidence> EvidenceKeeper::evidence() const { return parts_->evidence; }

}  // namespace gateway::directory
