#include "gateway/bench/exchanges.hpp"

#include "base/error_table.hpp"
#include "gateway/bench/figures.hpp"

#include <atomic>
#include <barrier>
#include <semaphore>

namespace gateway::bench {
namespace {

using base::Cause;
using base::fail;

constexpr base::ErrorRow rows[] = {
    {int(Errc::WrongAnswer), "bench-wrong-answer", "an answer is not what was asked for", Cause::Defect},
    {int(Errc::UnknownFigure), "bench-unknown-figure", "there is no such figure", Cause::BadMessage},
    {int(Errc::BadNumber), "bench-bad-number", "not a number in its range", Cause::BadMessage},
    {int(Errc::ProgramFailed), "bench-program-failed", "a program that is measured ended badly", Cause::Defect},
};
constinit const base::ErrorTable errors("gatehouse.bench", rows);

constexpr std::chrono::milliseconds looked_for{100};
constexpr double busy_us = 2000;  // of CPU meanwhile: something is still sent

std::size_t count_of(base::BytesView text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

/// Ten of a round, evenly: from them the sample is drawn.
std::size_t sample_every(std::size_t answers) { return std::max<std::size_t>(1, answers / sample_size); }

Bytes joined(const net::Response& response) {
  Bytes all;
  for (const auto& piece : response.body) all += std::get<Bytes>(piece);
  return all;
}

/// Entries of one commit since `before`.
double batch_since(const audit::Journal::Figures& before, const audit::Journal& journal) {
  const auto now = journal.figures();
  const auto commits = now.commits - before.commits;
  return commits == 0 ? 0 : static_cast<double>(now.entries - before.entries) / static_cast<double>(commits);
}

/// The notes that answers were sent are written after their answers: they belong to what is measured.
void wait_for(const audit::Journal& journal) {
  while (journal.figures().queued > 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
}

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errors}; }

Result<void> check_answer(unsigned status, base::BytesView body, const Signed& asked) {
  const Somebody& about = *asked.about;
  const auto is_right = [&] {
    switch (asked.ask) {
      case Ask::Patient:
        return count_of(body, "<queryResponseCode code=\"OK\">") == 1 && count_of(body, "<registrationEvent ") == 1 &&
               count_of(body, "extension=\"" + about.mrn + "\"") >= 1;
      case Ask::Entries: return count_of(body, "<rim:ExtrinsicObject ") == entries_of_a_query;
      case Ask::Document:
        return count_of(body, "\r\n\r\n" + document_text(MeasuredHouse::route(), about, 0, document_octets) +
                                  "\r\n--MIMEBoundary_") == 1;
    }
    return false;
  };
  if (status == 200 && is_right()) return {};
  const auto reason = body.find("<soap:Text");
  return fail(Errc::WrongAnswer, "the answer about " + about.mrn + " has status " + std::to_string(status) +
                                     (reason == std::string_view::npos ? " and not what was asked for"
                                                                       : ": " + std::string(body.substr(reason, 200))));
}

/// What the threads do between two waits: take the next request, have it answered.
struct InProcess::Work {
  explicit Work(std::ptrdiff_t threads) : begin(threads + 1), end(threads + 1) {}

  std::barrier<> begin, end;
  bool over = false;
  std::vector<net::Request> ready = {};
  std::vector<net::Response> answers = {};
  std::atomic<std::size_t> next = 0;
  std::counting_semaphore<in_flight> places{in_flight};
};

InProcess::InProcess(MeasuredHouse& house, const certs::Certificate& certificate, unsigned threads)
    : house_(house),
      peer_(std::make_shared<const net::Peer>(net::Peer{.address = "127.0.0.1", .certificate = certificate})),
      work_(std::make_unique<Work>(static_cast<std::ptrdiff_t>(threads))) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { answer_until_told_otherwise(); });
}

InProcess::~InProcess() {
  work_->over = true;
  work_->begin.arrive_and_wait();
}

void InProcess::answer_until_told_otherwise() {
  auto& work = *work_;
  while (true) {
    work.begin.arrive_and_wait();
    if (work.over) return;
    for (std::size_t i = work.next++; i < work.ready.size(); i = work.next++) {
      work.places.acquire();
      const auto expected = house_.journal().expect();  // as a network door does
      house_.door().answer(std::move(work.ready[i]), [&work, &answer = work.answers[i]](net::Response response) {
        answer = std::move(response);
        work.places.release();
      });
    }
    work.end.arrive_and_wait();
  }
}

Result<Round> InProcess::round(std::span<Signed> requests, Sample& sample) {
  auto& work = *work_;
  work.ready.clear();
  for (auto& request : requests) {
    work.ready.push_back({.method = "POST",
                          .path = discovery_path,
                          .content_type = std::string(Asker::content_type(request.ask)),
                          .body = std::move(request.body),
                          .peer = peer_,
                          .first_byte = std::chrono::steady_clock::now()});
  }
  work.answers.assign(requests.size(), {});
  work.next = 0;

  const auto before = house_.journal().figures();
  const double begun = process_cpu_us(), begun_wall = wall_us();
  work.begin.arrive_and_wait();
  work.end.arrive_and_wait();
  for (std::size_t i = 0; i < in_flight; ++i) work.places.acquire();
  const double spent = process_cpu_us() - begun, lasted = wall_us() - begun_wall;
  work.places.release(in_flight);

  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto envelope = joined(work.answers[i]);
    TRY(check_answer(work.answers[i].status, envelope, requests[i]));
    if (i % sample_every(requests.size()) == 0) sample.push_back(envelope);
  }
  const auto count = static_cast<double>(requests.size());
  return Round{spent / count, lasted / count, batch_since(before, house_.journal())};
}

Result<std::unique_ptr<TlsDoor>> TlsDoor::open(MeasuredHouse& house, const Keys& keys, std::size_t connections,
                                                 int kernel_receives) {
  std::unique_ptr<TlsDoor> door(new TlsDoor(house, TRY(OpenDoor::open(house, keys, 1))));
  auto destination = door->door_->destination(keys.partner);
  destination.kernel_receives = kernel_receives;
  for (std::size_t i = 0; i < connections; ++i)
    door->clients_.push_back(TRY(net::BlockingClient::connect(destination)));
  return door;
}

Result<Round> TlsDoor::round(std::span<const Signed> requests, Sample& sample) {
  std::vector<net::BlockingClient::Answer> answers(requests.size());
  const auto send = [&](std::size_t i) {
    return clients_[i % clients_.size()].send(discovery_path, Asker::content_type(requests[i].ask), requests[i].body);
  };
  const auto before = house_.journal().figures();
  const double begun = process_cpu_us(), asking_begun = thread_cpu_us(), begun_wall = wall_us();
  for (std::size_t i = 0; i < std::min(clients_.size(), requests.size()); ++i) TRY(send(i));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    answers[i] = TRY(clients_[i % clients_.size()].receive());
    if (i + clients_.size() < requests.size()) TRY(send(i + clients_.size()));
  }
  wait_for(house_.journal());
  const double spent = process_cpu_us() - begun - (thread_cpu_us() - asking_begun), lasted = wall_us() - begun_wall;

  for (std::size_t i = 0; i < answers.size(); ++i) {
    TRY(check_answer(answers[i].status, answers[i].body, requests[i]));
    if (i % sample_every(requests.size()) == 0) sample.push_back(answers[i].body);
  }
  const auto count = static_cast<double>(requests.size());
  return Round{spent / count, lasted / count, batch_since(before, house_.journal())};
}

Result<double> TlsDoor::grown_by_stalled(std::span<const Signed> requests) {
  const auto before = resident_octets();
  forget_peak_resident_octets();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    TRY(clients_[i % clients_.size()].send(discovery_path, Asker::content_type(requests[i].ask), requests[i].body));
  }
  for (bool busy = true; busy;) {
    const double begun = process_cpu_us();
    std::this_thread::sleep_for(looked_for);
    busy = process_cpu_us() - begun > busy_us;
  }
  const auto peak = peak_resident_octets();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto answer = TRY(clients_[i % clients_.size()].receive());
    TRY(check_answer(answer.status, answer.body, requests[i]));
  }
  wait_for(house_.journal());
  return std::max(0.0, peak - before) / static_cast<double>(requests.size());
}

Result<std::vector<double>> one_by_one(net::BlockingClient& client, std::span<const Signed> requests, Sample& sample) {
  std::vector<double> waits;
  for (const auto& request : requests) {
    const double begun = wall_us();
    const auto answer = TRY(client.post(discovery_path, Asker::content_type(request.ask), request.body));
    waits.push_back(wall_us() - begun);
    TRY(check_answer(answer.status, answer.body, request));
    if (waits.size() % sample_every(requests.size()) == 0) sample.push_back(answer.body);
  }
  return waits;
}

}  // namespace gateway::bench
