#include "gateway/bench/denial.hpp"

#include "gateway/bench/census.hpp"
#include "gateway/bench/cores.hpp"
#include "gateway/bench/exchanges.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

namespace gateway::bench {
namespace {

using base::fail;

constexpr std::size_t import_step = 10'000, found_patients = 500, resamples = 400;
constexpr auto between_disturbances = std::chrono::milliseconds(1);
/// SQLite's own cache: what a large deployment would give it, and next to nothing.
constexpr const char *warm_cache = "?cache_size=-65536", *cold_cache = "?cache_size=16";

enum class About { Denied, Absent, Found };
constexpr std::array abouts = {About::Denied, About::Absent, About::Found};

/// Whom the questions are about: one who permits nothing, one who is not here, and those whose answers set the floor.
struct Cast {
  Somebody denied, absent;
  std::vector<Somebody> found;
};

struct Condition {
  std::string database;
  bool cold = false;  ///< a new connection for each request, and caches that others fill meanwhile
  std::size_t clients = 1;
  std::size_t learning = 0;  ///< threes of questions that are not counted

  std::string name() const {
    return "denial_" + database + (cold ? "_cold_" : "_warm_") + std::to_string(clients);
  }
};

/// Wall microseconds from the first byte of a question to the last of its answer.
struct Waits {
  std::vector<double> denied = {}, absent = {};
};

Result<void> check_absence(const net::BlockingClient::Answer& answer) {
  if (answer.status == 200 && answer.body.find("<queryResponseCode code=\"NF\">") != Bytes::npos) return {};
  return fail(Errc::WrongAnswer, "a patient who must not be found was answered otherwise than by NF");
}

/// Questions ready for the wire: of every three one about each, in an order drawn anew each time, so that no rhythm of
/// the machine falls on one of them alone.
struct Questions {
  Questions(const Cast& cast, const Keys& keys, std::size_t triples, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i < triples; ++i) {
      auto three = abouts;
      std::ranges::shuffle(three, random);
      for (const auto about : three) {
        abouts_of.push_back(about);
        people.push_back(about == About::Denied   ? cast.denied
                         : about == About::Absent ? cast.absent
                                                  : cast.found[i % cast.found.size()]);
      }
    }
    const Asker asker(MeasuredHouse::route(), keys.partner);
    requests = asker.requests(people, people.size(), [](std::size_t) {});
  }

  std::vector<Somebody> people = {};
  std::vector<About> abouts_of = {};
  std::vector<Signed> requests = {};
};

/// Looks other people up and has the machine forget the pages of the database, all the while.
class Disturber {
 public:
  Disturber(MeasuredHouse& house, const std::filesystem::path& file)
      : thread_([&house, file](const std::stop_token& stop) {
          Census census(99);
          const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
          for (std::size_t number = 80'000'000; !stop.stop_requested(); ++number) {
            (void)house.patients().match(house.clinic(), query_for(census.next(number)));
            if (descriptor >= 0) ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
            std::this_thread::sleep_for(between_disturbances);
          }
          if (descriptor >= 0) ::close(descriptor);
        }) {}

 private:
  std::jthread thread_;
};

/// One client's questions, `step` apart, one after the other; the first ones only teach the gateway its floor.
Result<Waits> ask(const net::Destination& destination, const Questions& questions, std::size_t first,
                  const Condition& condition) {
  Waits waits;
  std::optional<net::BlockingClient> client;
  for (std::size_t i = first; i < questions.requests.size(); i += condition.clients) {
    if (!client || condition.cold) client.emplace(TRY(net::BlockingClient::connect(destination)));
    const auto& request = questions.requests[i];
    const double begun = wall_us();
    const auto answer = TRY(client->post(discovery_path, Asker::content_type(), request.body));
    const double wait = wall_us() - begun;
    const auto about = questions.abouts_of[i];
    TRY(about == About::Found ? check_answer(answer.status, answer.body, request) : check_absence(answer));
    if (i < condition.learning * abouts.size() || about == About::Found) continue;
    (about == About::Denied ? waits.denied : waits.absent).push_back(wait);
  }
  return waits;
}

Result<Waits> ask_all(const OpenDoor& door, const Keys& keys, const Questions& questions, const Condition& condition) {
  std::vector<Result<Waits>> each(condition.clients, Waits{});
  {
    std::vector<std::jthread> clients;
    for (std::size_t i = 0; i < condition.clients; ++i) {
      clients.emplace_back([&, i] { each[i] = ask(door.destination(keys.partner), questions, i, condition); });
    }
  }
  Waits all;
  for (auto& one : each) {
    const auto waits = TRY(std::move(one));
    all.denied.insert(all.denied.end(), waits.denied.begin(), waits.denied.end());
    all.absent.insert(all.absent.end(), waits.absent.begin(), waits.absent.end());
  }
  return all;
}

void judge(const Condition& condition, const Waits& waits, DenialReport& report) {
  const double difference = median(waits.denied) - median(waits.absent), auc = rank_auc(waits.denied, waits.absent);
  const auto interval = median_difference(waits.denied, waits.absent);
  const bool alike = std::abs(difference) <= denial_difference_us_max || (interval.low <= 0 && interval.high >= 0);
  const bool guessed = auc >= denial_auc_least && auc <= denial_auc_most;
  report.figures.push_back({.name = condition.name() + "_difference",
                            .value = difference,
                            .unit = "µs",
                            .meaning = "median of denied less that of absent, " + shown(median(waits.absent)) +
                                       " µs; 95 % between " + shown(interval.low) + " and " + shown(interval.high)});
  report.figures.push_back({.name = condition.name() + "_auc",
                            .value = auc,
                            .unit = "",
                            .meaning = "chance to tell a denied answer from an absent one by time; 0.5 is guessing"});
  report.held &= alike && guessed;
  if (alike && guessed) return;
  report.sentences.push_back(condition.name() + ": denied and absent can be told apart by time.");
}

/// The first come with the numbers 0…; the denied, and those who are found, are among them.
Result<Cast> settle(MeasuredHouse& house, const cli::Console& console, std::size_t patients) {
  Census census(7);
  Cast cast;
  for (std::size_t count = 0; count < patients;) {
    std::vector<Somebody> people;
    while (people.size() < import_step && count < patients) people.push_back(census.next(count++));
    TRY(house.move_in(people));
    if (cast.found.empty()) {
      for (auto& who : population(found_patients)) cast.found.push_back(std::move(who));
      TRY(house.move_in(cast.found));
    }
    console.progress(count, patients);
  }
  console.progress_end();
  auto strangers = population(found_patients + 2);
  cast.denied = strangers[found_patients];
  cast.absent = strangers[found_patients + 1];
  TRY(house.move_in(std::span(&cast.denied, 1)));
  TRY(house.choose(cast.denied, {}));
  return cast;
}

Result<void> measure(const std::filesystem::path& scratch, const Keys& keys, const cli::Console& console,
                     const DenialPlan& plan, const std::string& database, DenialReport& report) {
  const bool is_sqlite = database == "sqlite";
  const auto file = scratch / "denial.db";
  const auto url = [&](bool cold) {
    return is_sqlite ? "sqlite:" + file.string() + (cold ? cold_cache : warm_cache) : plan.postgresql;
  };
  std::optional<Cast> cast;
  std::uint64_t seed = 0;
  for (const bool cold : {false, true}) {
    const auto house = TRY(MeasuredHouse::build(scratch, keys, {.database = url(cold)}));
    if (!cast) cast = TRY(settle(*house, console, plan.patients));
    const auto door = TRY(OpenDoor::open(*house, keys, cores_available()));
    for (const std::size_t clients : {1u, 16u}) {
      const Condition condition{
          .database = database, .cold = cold, .clients = clients, .learning = plan.learning};
      const Questions questions(*cast, keys, plan.pairs + plan.learning, ++seed);
      std::optional<Disturber> disturber;
      if (cold) disturber.emplace(*house, is_sqlite ? file : std::filesystem::path());
      judge(condition, TRY(ask_all(*door, keys, questions, condition)), report);
    }
  }
  return {};
}

}  // namespace

double rank_auc(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<std::pair<double, bool>> all;
  for (const double value : a) all.emplace_back(value, true);
  for (const double value : b) all.emplace_back(value, false);
  std::ranges::sort(all);
  double ranks_of_a = 0;
  for (std::size_t first = 0, end = 0; first < all.size(); first = end) {
    while (end < all.size() && all[end].first == all[first].first) ++end;
    const double rank = static_cast<double>(first + end + 1) / 2;  // the mean of first+1 … end
    for (auto i = first; i < end; ++i) ranks_of_a += all[i].second ? rank : 0;
  }
  const auto of_a = static_cast<double>(a.size()), of_b = static_cast<double>(b.size());
  return (ranks_of_a - of_a * (of_a + 1) / 2) / (of_a * of_b);
}

Interval median_difference(const std::vector<double>& a, const std::vector<double>& b) {
  std::mt19937_64 random(1);
  const auto resampled_median = [&](const std::vector<double>& values) {
    std::vector<double> drawn(values.size());
    for (auto& value : drawn) value = values[static_cast<std::size_t>(random() % values.size())];
    return median(std::move(drawn));
  };
  std::vector<double> differences;
  for (std::size_t i = 0; i < resamples; ++i) differences.push_back(resampled_median(a) - resampled_median(b));
  return {quantile(differences, 0.025), quantile(differences, 0.975)};
}

Result<DenialReport> denial(const std::filesystem::path& scratch, const Keys& keys, const cli::Console& console,
                            const DenialPlan& plan) {
  DenialReport report;
  TRY(measure(scratch, keys, console, plan, "sqlite", report));
  if (!plan.postgresql.empty()) TRY(measure(scratch, keys, console, plan, "postgresql", report));
  return report;
}

}  // namespace gateway::bench
