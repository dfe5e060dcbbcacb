#include "certs/evidence.hpp"

#include "certs/openssl.hpp"

#include <openssl/x509v3.h>

#include <atomic>
#include <mutex>
#include <set>
#include <shared_mutex>

namespace certs {
namespace {

using PointsHandle = Owned<CRL_DIST_POINTS, CRL_DIST_POINTS_free>;
using AccessHandle = Owned<AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free>;

constexpr std::size_t addresses_max = 8, address_octets_max = 512;

void add_http(const GENERAL_NAME* name, std::vector<std::string>& to) {
  if (name->type != GEN_URI || to.size() >= addresses_max) return;
  const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.uniformResourceIdentifier));
  const std::string_view address(text,
                                 static_cast<std::size_t>(ASN1_STRING_length(name->d.uniformResourceIdentifier)));
  const bool printable = std::ranges::all_of(address, [](char c) { return c > ' ' && c < '\x7f'; });
  if (address.starts_with("http://") && printable && address.size() <= address_octets_max) to.emplace_back(address);
}

}  // namespace

EvidenceAddresses evidence_addresses(const Certificate& certificate) {
  const QuietErrors quiet;
  EvidenceAddresses found;
  const PointsHandle points(static_cast<CRL_DIST_POINTS*>(
      X509_get_ext_d2i(certificate.handle(), NID_crl_distribution_points, nullptr, nullptr)));
  for (int i = 0; i < sk_DIST_POINT_num(points.get()); ++i) {
    const auto* point = sk_DIST_POINT_value(points.get(), i);
    if (point->CRLissuer || point->reasons || !point->distpoint || point->distpoint->type != 0) continue;
    const auto* names = point->distpoint->name.fullname;
    for (int j = 0; j < sk_GENERAL_NAME_num(names); ++j) add_http(sk_GENERAL_NAME_value(names, j), found.lists);
  }
  const AccessHandle ways(static_cast<AUTHORITY_INFO_ACCESS*>(
      X509_get_ext_d2i(certificate.handle(), NID_info_access, nullptr, nullptr)));
  for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(ways.get()); ++i) {
    const auto* way = sk_ACCESS_DESCRIPTION_value(ways.get(), i);
    if (OBJ_obj2nid(way->method) == NID_ad_OCSP) add_http(way->location, found.responders);
  }
  return found;
}

struct GatheredEvidence::Parts {
  struct Question {
    explicit Question(Issued asked) : about(std::move(asked)) {}
    const Issued about;
    std::atomic<Instant> asked_at{};
    bool settled = false;
    std::optional<OcspStatement> statement = {};
    std::optional<Instant> silent_since = {};
  };
  struct List {
    Bytes issuer;  ///< SHA-256 of its certificate
    Crl crl;
    std::size_t octets;
  };

  const Gathering gathering;
  const GatheredLimits limits;
  mutable std::shared_mutex mutex = {};
  std::map<Bytes, Question> questions = {};  ///< by SHA-256 of the certificate
  std::map<std::pair<Bytes, std::string>, List> lists = {};  ///< by issuer and address
  std::vector<Issued> asked = {};
  std::map<Bytes, Silence> without_issuer = {};
  std::size_t list_octets = 0;

  Testimony by_lists(const Certificate& certificate, const Certificate& issuer, Instant now) const;
  SourceState gathered(const Question& question, Instant now) const;
};

Testimony GatheredEvidence::Parts::by_lists(const Certificate& certificate, const Certificate& issuer,
                                            Instant now) const {
  auto found = Testimony::Silent;
  auto at = lists.lower_bound({issuer.sha256(), ""});
  for (; at != lists.end() && at->first.first == issuer.sha256(); ++at)
    found = std::max(found, at->second.crl.about(certificate.handle(), now));
  return found;
}

SourceState GatheredEvidence::Parts::gathered(const Question& question, Instant now) const {
  auto state = state_of(by_lists(question.about.certificate, question.about.issuer, now));
  if (const auto& statement = question.statement) {
    const bool by_a_revoked_responder =
        statement->delegate() && by_lists(*statement->delegate(), question.about.issuer, now) == Testimony::Revoked;
    if (!by_a_revoked_responder) state = std::max(state, state_of(statement->at(now)));
  }
  const bool on_its_way = gathering == Gathering::On && !question.settled;
  return std::max(state, on_its_way ? SourceState::OnItsWay : SourceState::None);
}

GatheredEvidence::GatheredEvidence(Gathering gathering, GatheredLimits limits)
    : parts_(new Parts{.gathering = gathering, .limits = limits}) {}
GatheredEvidence::~GatheredEvidence() = default;

SourceState GatheredEvidence::weigh(const Certificate& certificate, const std::optional<Certificate>& issuer,
                                    Testimony from_files, Instant now) {
  auto& parts = *parts_;
  const auto proven = [](SourceState state) { return state >= SourceState::Good; };
  {
    const std::shared_lock lock(parts.mutex);
    const auto found = parts.questions.find(certificate.sha256());
    if (found != parts.questions.end()) {
      found->second.asked_at = now;
      const auto state = std::max(state_of(from_files), parts.gathered(found->second, now));
      if (proven(state) != found->second.silent_since.has_value()) return state;
    } else if (!issuer && parts.without_issuer.contains(certificate.sha256())) {
      return state_of(from_files);
    }
  }
  const std::unique_lock lock(parts.mutex);
  if (!issuer) {
    if (!proven(state_of(from_files)) && parts.without_issuer.size() < parts.limits.questions)
      parts.without_issuer.try_emplace(certificate.sha256(), Silence{certificate, now});
    return state_of(from_files);
  }
  auto found = parts.questions.find(certificate.sha256());
  if (found == parts.questions.end()) {
    if (parts.questions.size() >= parts.limits.questions) {
      const auto listed = parts.by_lists(certificate, *issuer, now);
      return std::max(state_of(from_files), state_of(listed));
    }
    found = parts.questions.try_emplace(certificate.sha256(), Issued{certificate, *issuer}).first;
    found->second.asked_at = now;
    if (parts.gathering == Gathering::On) parts.asked.push_back({certificate, *issuer});
  }
  const auto state = std::max(state_of(from_files), parts.gathered(found->second, now));
  auto& silent_since = found->second.silent_since;
  if (proven(state)) {
    silent_since.reset();
  } else if (!silent_since) {
    silent_since = now;
  }
  return state;
}

std::vector<Issued> GatheredEvidence::take_asked() {
  const std::unique_lock lock(parts_->mutex);
  return std::exchange(parts_->asked, {});
}

void GatheredEvidence::settle(const Certificate& certificate) {
  const std::unique_lock lock(parts_->mutex);
  if (const auto found = parts_->questions.find(certificate.sha256()); found != parts_->questions.end())
    found->second.settled = true;
}

void GatheredEvidence::tidy(Instant now) {
  const std::unique_lock lock(parts_->mutex);
  std::set<Bytes> issuers;
  std::erase_if(parts_->questions, [&](const auto& one) {
    const auto& question = one.second;
    const bool wanted = now <= question.about.certificate.not_after() &&
                        now - question.asked_at.load() <= parts_->limits.unasked;
    if (wanted) issuers.insert(question.about.issuer.sha256());
    return !wanted;
  });
  std::erase_if(parts_->lists, [&](const auto& one) {
    if (issuers.contains(one.second.issuer)) return false;
    parts_->list_octets -= one.second.octets;
    return true;
  });
  std::erase_if(parts_->without_issuer, [&](const auto& one) { return one.second.certificate.not_after() < now; });
}

Result<Instant> GatheredEvidence::take_list(const std::string& address, const Certificate& issuer, BytesView der,
                                            Instant now) {
  const auto unusable = [](const char* why) { return fail(Errc::UnusableEvidence, why); };
  const auto read = read_crls(der);
  if (!read || read->size() != 1) return unusable("no revocation list");
  auto crl = Crl::read(read->front().der);
  if (!crl) return unusable("a list that may not be judged by: above 10 MB, a delta, indirect, or not understood");
  if (issuer.has_weak_key() || !crl->signed_by(issuer.handle())) return unusable("not a list of this issuer");
  const auto until = crl->next_update();
  if (!until) return unusable("a list without nextUpdate");
  const std::size_t octets = read->front().der.size();
  const std::unique_lock lock(parts_->mutex);
  const auto key = std::pair(issuer.sha256(), address);
  const auto before = parts_->lists.find(key);
  const std::size_t freed = before == parts_->lists.end() ? 0 : before->second.octets;
  // Over plain http anybody may send yesterday's list: what has been revoked since stays revoked.
  if (freed > 0 && crl->this_update() < before->second.crl.this_update())
    return unusable("older than the list at hand");
  if (parts_->list_octets - freed + octets > parts_->limits.list_bytes_together ||
      (freed == 0 && parts_->lists.size() >= parts_->limits.lists))
    return unusable("more lists than are kept");
  parts_->list_octets += octets - freed;
  parts_->lists.insert_or_assign(key, Parts::List{issuer.sha256(), *std::move(crl), octets});
  if (*until < now) return unusable("a list that has expired");  // kept: what it revokes is revoked
  return *until;
}

Result<Instant> GatheredEvidence::take_response(const OcspQuestion& question, BytesView response, Instant now) {
  auto statement = TRY(OcspStatement::read(response, question, now));
  const auto testimony = statement.at(now);
  if (testimony == Testimony::Silent) return fail(Errc::UnusableEvidence, "an OCSP response that is not of this time");
  const auto until = testimony == Testimony::Revoked ? question.certificate.not_after() : statement.until();
  const std::unique_lock lock(parts_->mutex);
  const auto found = parts_->questions.find(question.certificate.sha256());
  if (found == parts_->questions.end()) return until;
  auto& held = found->second.statement;
  if (held && statement.from() < held->from()) return fail(Errc::UnusableEvidence, "older than the response at hand");
  held = std::move(statement);
  return until;
}

std::vector<Issued> GatheredEvidence::asked_about() const {
  const std::shared_lock lock(parts_->mutex);
  std::vector<Issued> all;
  for (const auto& [hash, question] : parts_->questions) all.push_back(question.about);
  return all;
}

std::vector<GatheredEvidence::Silence> GatheredEvidence::silent() const {
  const std::shared_lock lock(parts_->mutex);
  std::vector<Silence> found;
  for (const auto& [hash, question] : parts_->questions)
    if (question.silent_since) found.push_back({question.about.certificate, *question.silent_since});
  for (const auto& [hash, silence] : parts_->without_issuer) found.push_back(silence);
  return found;
}

}  // namespace certs
