#include "gateway/bench/references.hpp"

#include "gateway/bench/other_programs.hpp"
#include "gateway/net/loopback_tls.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <stdexcept>

namespace gateway::bench {
namespace {

constexpr std::size_t signed_info_bytes = 3072;  ///< of an answer: seven References
constexpr std::size_t raw_bytes = 5'000'000;

}  // namespace

Repeated rsa_sign(const certs::PrivateKey& key) {
  return Repeated([key, text = std::string(signed_info_bytes, 's')] { (void)key.sign(certs::Digest::Sha256, text); });
}

Repeated rsa_verify(const certs::PrivateKey& key) {
  const std::string text(signed_info_bytes, 's');
  return Repeated([known = key.public_key(), text, signature = key.sign(certs::Digest::Sha256, text)] {
    if (!known.verify(certs::Digest::Sha256, text, signature)) throw std::logic_error("our own signature");
  });
}

/// The line of results is `+F2:2:2048:SIGNATURES-A-SECOND:VERIFICATIONS-A-SECOND`.
std::optional<double> openssl_speed_sign_us() {
  const auto ended = run_program({"openssl", "speed", "-mr", "-seconds", "1", "rsa2048"});
  constexpr std::string_view mark = ":2048:";
  const auto line = ended && ended->exit == 0 ? ended->output.find("+F2:") : std::string::npos;
  const auto at = line == std::string::npos ? line : ended->output.find(mark, line);
  if (at == std::string::npos) return std::nullopt;
  double a_second = 0;
  const char* begin = ended->output.data() + at + mark.size();
  const auto read = std::from_chars(begin, ended->output.data() + ended->output.size(), a_second);
  if (read.ec != std::errc{} || a_second <= 0) return std::nullopt;
  return 1e6 / a_second;
}

struct RawTls::Parts {
  explicit Parts(const certs::Credential& server) : line(server) {}
  net::LoopbackTls line;
  const std::string bytes = std::string(raw_bytes, 'x');
  Repeated repeated{[this] { line.send(bytes); }};
};

RawTls::RawTls(const certs::Credential& server) : parts_(std::make_unique<Parts>(server)) {}
RawTls::~RawTls() = default;
double RawTls::round_us() { return parts_->repeated.round_us(); }

std::vector<double> fsync_4k_us(const std::filesystem::path& directory, std::size_t times) {
  const auto path = directory / "fsync";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const std::string block(4096, 'b');
  std::vector<double> waits;
  bool held = file >= 0;
  for (std::size_t i = 0; held && i < times; ++i) {
    const double begun = wall_us();
    held = ::write(file, block.data(), block.size()) == static_cast<ssize_t>(block.size()) && ::fdatasync(file) == 0;
    waits.push_back(wall_us() - begun);
  }
  if (file >= 0) ::close(file);
  if (!held) throw std::runtime_error("cannot write to " + path.string());
  return waits;
}

}  // namespace gateway::bench
