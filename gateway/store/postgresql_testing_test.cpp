#include "gateway/store/postgresql_testing.hpp"

#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace gateway::store {
namespace {

constexpr const char* programs = "/usr/lib/postgresql/15/bin/";

class Cluster {
 public:
  /// Null where PostgreSQL is not installed. Throws where it is and does not start.
  static std::unique_ptr<Cluster> start() {
    if (!std::filesystem::exists(std::string(programs) + "initdb")) return nullptr;
    std::string pattern = std::filesystem::temp_directory_path() / "gatehouse-postgresql-XXXXXX";
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary directory");
    auto cluster = std::unique_ptr<Cluster>(new Cluster(pattern));
    cluster->initialise();
    return cluster;
  }

  ~Cluster() {
    if (server_ > 0) {
      ::kill(server_, SIGQUIT);
      ::waitpid(server_, nullptr, 0);
    }
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::string fresh_database() {
    const std::string name = "test" + std::to_string(++databases_);
    const auto connection = connect("postgres");
    PQclear(PQexec(connection.get(), ("CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'UTF8'").c_str()));
    return url(name);
  }

 private:
  using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

  explicit Cluster(std::filesystem::path directory) : directory_(std::move(directory)) {
    // PostgreSQL does not run as root.
    if (::geteuid() != 0) return;
    owner_ = ::getpwnam("postgres");
    if (!owner_ || ::chown(directory_.c_str(), owner_->pw_uid, owner_->pw_gid) != 0) {
      throw std::runtime_error("no user postgres to run PostgreSQL as");
    }
  }

  void initialise() {
    const std::string data = directory_ / "data";
    int status = 0;
    ::waitpid(spawn({"initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-N"}),
              &status, 0);
    if (status != 0) throw std::runtime_error("initdb failed");
    server_ = spawn({"postgres", "-D", data, "-k", directory_.string(), "-c", "listen_addresses=", "-c",
                     "shared_buffers=32MB", "-c", "max_connections=60", "-c", "log_min_messages=fatal"});
    for (int tries = 0; tries < 400; ++tries) {
      if (PQstatus(connect("postgres").get()) == CONNECTION_OK) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(25));
    }
    throw std::runtime_error("PostgreSQL did not start");
  }

  /// Starts a program of PostgreSQL that ends with this one, whatever happens to it.
  pid_t spawn(const std::vector<std::string>& words) const {
    const pid_t child = ::fork();
    if (child != 0) return child;
    if (owner_ && (::setgroups(0, nullptr) != 0 || ::setgid(owner_->pw_gid) != 0 || ::setuid(owner_->pw_uid) != 0)) {
      ::_exit(126);
    }
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    const int nowhere = ::open("/dev/null", O_RDWR);
    for (const int stream : {0, 1, 2}) ::dup2(nowhere, stream);
    if (::chdir("/") != 0) ::_exit(126);
    // By its whole path: initdb looks beside itself for the server.
    std::string program = programs + words[0];
    std::vector<char*> arguments{program.data()};
    for (std::size_t i = 1; i < words.size(); ++i) arguments.push_back(const_cast<char*>(words[i].c_str()));
    arguments.push_back(nullptr);
    ::execv(program.c_str(), arguments.data());
    ::_exit(127);
  }

  std::string url(const std::string& database) const {
    return "postgresql:///" + database + "?user=postgres&host=" + directory_.string();
  }
  Connection connect(const std::string& database) const { return {PQconnectdb(url(database).c_str()), &PQfinish}; }

  const std::filesystem::path directory_;
  const passwd* owner_ = nullptr;
  pid_t server_ = 0;
  unsigned databases_ = 0;
};

}  // namespace

std::optional<std::string> postgresql_test_url() {
  static const auto cluster = Cluster::start();
  if (!cluster) return std::nullopt;
  return cluster->fresh_database();
}

}  // namespace gateway::store
