#pragma once
// What this machine can do at best: the references beside which our figures stand. [facts/limits.md §1, §6, §10]

#include "gateway/bench/figures.hpp"

#include "certs/x509.hpp"

#include <filesystem>
#include <memory>

namespace gateway::bench {

/// R: one RSA-2048 signature with SHA-256 by the very function that signs answers.
Repeated rsa_sign(const certs::PrivateKey& key);
/// One verification of such a signature.
Repeated rsa_verify(const certs::PrivateKey& key);

/// CPU microseconds of one RSA-2048 signature as `openssl speed` says, measured for a second. Nothing where the command
/// is not installed or says something else.
std::optional<double> openssl_speed_sign_us();

/// 5 MB by SSL_write through the loopback interface, the sender's side only.
class RawTls {
 public:
  explicit RawTls(const certs::Credential& server);
  ~RawTls();
  double round_us();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Wall microseconds of appending 4 KB to a file and waiting until the disk has it, one value a time.
std::vector<double> fsync_4k_us(const std::filesystem::path& directory, std::size_t times);

}  // namespace gateway::bench
