#include "gateway/exchange/network_door.hpp"

#include "base/error_table.hpp"
#include "gateway/log.hpp"

namespace gateway::exchange {
namespace {

using std::chrono::steady_clock;

Instant system_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string new_request_id() {
  const auto octets = certs::random_octets<16>();
  return base::hex({reinterpret_cast<const char*>(octets.data()), octets.size()});
}

/// Requests of one partner wait behind each other, whichever of its certificates they come with.
std::string share_of(const net::Peer& peer, Directory& directory) {
  if (!peer.certificate) return peer.address;
  if (const auto view = directory.current()) {
    if (auto implementer = (*view)->implementer_of(*peer.certificate)) return *std::move(implementer);
  }
  return base::hex(peer.certificate->sha256());
}

}  // namespace

/// One request between its arrival and its departure.
struct NetworkDoor::Passage {
  net::Request request;
  net::Reply reply;
  Received received;
  Prepared prepared;
  std::shared_ptr<audit::Coming> coming = {};
  steady_clock::time_point begun = steady_clock::now();
};

NetworkDoor::NetworkDoor(NetworkDoorSettings settings, RespondingGateway& gateway, audit::Journal& journal,
                         net::Metrics& metrics)
    : gateway_(gateway),
      journal_(journal),
      metrics_(metrics),
      floor_(settings.floor_least),
      refusals_(settings.refusals_one_by_one) {}

std::vector<net::Route> NetworkDoor::routes(std::initializer_list<std::string_view> paths, Directory& directory) {
  const auto queue = std::make_shared<const net::Queue>(net::Queue{
      .share_of = [&directory](const net::Peer& peer) { return share_of(peer, directory); },
      .expect = [this] { return journal_.expect(); },
      .overloaded = [this](net::Request request, net::Reply reply) {
        turn_away(std::move(request), std::move(reply));
      }});
  std::vector<net::Route> rows;
  for (const std::string_view path : paths) {
    rows.push_back({.method = "POST",
                    .path = std::string(path),
                    .handler = [this](net::Request request,
                                      net::Reply reply) { answer(std::move(request), std::move(reply)); },
                    .queue = queue});
  }
  return rows;
}

std::shared_ptr<NetworkDoor::Passage> NetworkDoor::take_in(net::Request request, net::Reply reply) const {
  auto passage = std::make_shared<Passage>();
  passage->request = std::move(request);
  passage->reply = std::move(reply);
  passage->coming = journal_.expect();
  const net::Peer& peer = *passage->request.peer;
  passage->received = {.content_type = passage->request.content_type,
                       .body = passage->request.body,
                       .tls_certificate = peer.certificate ? &*peer.certificate : nullptr,
                       .tls_presented = peer.presented,
                       .address = peer.address,
                       .path = passage->request.path,
                       .now = system_now(),
                       .seed = certs::random_octets<std::tuple_size_v<base::Seed>>(),
                       .id = new_request_id()};
  return passage;
}

void NetworkDoor::turn_away(net::Request request, net::Reply reply) {
  auto passage = take_in(std::move(request), std::move(reply));
  passage->prepared = gateway_.refuse(passage->received, {}, base::fail(Errc::Overloaded));
  commit(std::move(passage));
}

void NetworkDoor::answer(net::Request request, net::Reply reply) {
  auto passage = take_in(std::move(request), std::move(reply));
  try {
    passage->prepared = gateway_.respond(passage->received);
  } catch (const std::exception& defect) {
    log(Level::Error, "a request ended in a defect", {{"request", passage->received.id}, {"defect", defect.what()}});
    passage->prepared = gateway_.refuse(passage->received, {}, base::fail(Errc::Defect));
  }
  commit(std::move(passage));
}

void NetworkDoor::commit(std::shared_ptr<Passage> passage) {
  const bool fault = passage->prepared.outcome == audit::Outcome::Fault;
  const auto coming = std::move(passage->coming);  // come once this function is left
  if (fault && !write_refusal(passage->request.peer->address, passage->received.now)) return leave(*passage);
  auto entry = std::move(passage->prepared.entry);
  journal_.commit(std::move(entry), [this, passage](Result<audit::Claimed> committed) {
    if (!committed && committed.error().code == Errc::TooManyWaiting) {
      passage->prepared = gateway_.refuse(passage->received, passage->prepared.message_id, committed.error());
      return commit(passage);
    }
    if (!committed) {
      // If audit cannot be written, nothing is released. [design §6]
      passage->prepared =
          gateway_.refuse(passage->received, passage->prepared.message_id, base::fail(store::Errc::Unavailable));
    } else if (committed->verdict != audit::ClaimVerdict::New && committed->verdict != audit::ClaimVerdict::NewBody &&
               committed->verdict != audit::ClaimVerdict::Repeat) {
      // Another node spent the claim between our look and our commit: nothing of ours was written, start over as a
      // fault.
      const base::Error refusal = committed->verdict == audit::ClaimVerdict::Relayed
                                      ? base::fail(Errc::Relayed)
                                      : base::fail(xca::wss::Errc::ReplayedTooOften);
      passage->prepared = gateway_.refuse(passage->received, passage->prepared.message_id, refusal);
      return commit(passage);
    }
    leave(*passage);
  });
}

/// Hands the answer to the socket: a positive one at once, a negative one on the floor.
void NetworkDoor::leave(Passage& passage) {
  Prepared& prepared = passage.prepared;
  const auto work = steady_clock::now() - passage.begun;
  metrics_.count_answer(prepared.transaction, std::string(audit::word(prepared.outcome)), prepared.reason);
  metrics_.observe_answer_seconds(prepared.transaction, std::chrono::duration<double>(work).count());
  net::Response response{.status = prepared.status,
                         .content_type = std::move(prepared.content_type),
                         .body = std::move(prepared.body)};
  if (response.status == 503) response.headers.emplace_back("Retry-After", "2");
  if (prepared.outcome == audit::Outcome::Released) {
    floor_.record(work);
    // Only ids travel to the note of departure, not the request.
    response.sent = [this, id = passage.received.id, transaction = prepared.transaction](const Result<void>& sent) {
      audit::Event event;
      event.request = id;
      event.at = system_now();
      event.transaction = transaction;
      event.outcome = sent ? audit::Outcome::Sent : audit::Outcome::Aborted;
      if (!sent && sent.error().code != net::Errc::NotTaken) note_broken_off(event, sent.error());
      journal_.commit({.event = std::move(event), .may_ride_along = true}, [](Result<audit::Claimed>) {});
    };
  } else if (prepared.negative) {
    response.not_before = passage.begun + floor_.departure(work);
  }
  prepared.in_flight.reset();
  passage.reply(std::move(response));
}

/// A document that could not be read to its end: the peer has noticed, and staff must.
void NetworkDoor::note_broken_off(audit::Event& event, const base::Error& error) {
  event.reason = base::reason_of(error);
  event.sentence = error.code.message();
  log(Level::Error, "an answer broke off", {{"request", event.request}, {"because", event.reason}});
}

bool NetworkDoor::write_refusal(const std::string& source, Instant now) {
  auto judgement = refusals_.note(source, now);
  for (const auto& due : judgement.due) {
    audit::Event event;
    event.request = new_request_id();
    event.at = now;
    event.outcome = audit::Outcome::Fault;
    event.reason = "refusals-counted";
    event.sentence = std::to_string(due.count) + " more refusals in the minute before";
    event.address = due.source;
    journal_.commit({.event = std::move(event)}, [](Result<audit::Claimed>) {});
  }
  return judgement.write;
}

Result<std::shared_ptr<const DirectoryView>> NetworkDoor::judge(const net::Peer& peer, Directory& directory) const {
  if (own_expired_) return base::fail(Errc::OwnCertificateExpired);
  if (!peer.certificate) return base::fail(Errc::PeerUnknown);
  auto view = TRY(directory.current());
  TRY(view->trust().validate(*peer.certificate, peer.presented, certs::Use::TlsClient, system_now()));
  return view;
}

/// A directory that cannot be read now says nothing about the peer: every request is judged anew, and not answered
/// before it can be.
bool NetworkDoor::lets_in(const net::Peer& peer, const Result<void>& judged) {
  if (judged || judged.error().code.category() == make_error_code(store::Errc::Unavailable).category()) return true;
  connection_refused(peer, judged.error());
  return false;
}

bool NetworkDoor::accepts(const net::Peer& peer, Directory& directory) {
  return lets_in(peer, [&]() -> Result<void> {
    TRY(judge(peer, directory));
    return {};
  }());
}

bool NetworkDoor::keeps(const net::Peer& peer, Directory& directory) {
  return lets_in(peer, [&]() -> Result<void> {
    const auto view = TRY(judge(peer, directory));
    const auto implementer = view->implementer_of(*peer.certificate);
    if (!implementer) return base::fail(Errc::PeerWithdrawn);
    const auto organization = view->organization(*implementer);
    if (organization && !organization->active) return base::fail(Errc::PeerWithdrawn);
    return {};
  }());
}

void NetworkDoor::connection_refused(const net::Peer& peer, const base::Error& error) {
  const Instant now = system_now();
  if (!write_refusal(peer.address, now)) return;
  audit::Event event;
  event.request = new_request_id();
  event.at = now;
  event.transaction = "TLS";
  event.outcome = audit::Outcome::Refused;
  event.reason = base::reason_of(error);
  event.sentence = error.code.message();
  event.address = peer.address;
  if (peer.certificate) event.note = "certificate " + base::hex(peer.certificate->sha256());
  journal_.commit({.event = std::move(event)}, [](Result<audit::Claimed>) {});
}

}  // namespace gateway::exchange
