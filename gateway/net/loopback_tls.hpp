#pragma once
// Two ends of one TLS 1.3 connection over the loopback interface, with nothing but OpenSSL between a buffer and the
// socket: what this machine can do at best, beside which a door's bytes are measured. [facts/limits.md §6]

#include "certs/x509.hpp"

#include <memory>

namespace gateway::net {

class LoopbackTls {
 public:
  /// Connects, shakes hands (TLS_AES_256_GCM_SHA384) and drains one end on a thread of its own.
  /// Throws std::runtime_error where this machine cannot do that.
  explicit LoopbackTls(const certs::Credential& server);
  ~LoopbackTls();
  LoopbackTls(const LoopbackTls&) = delete;
  LoopbackTls& operator=(const LoopbackTls&) = delete;

  /// Returns when the last byte was handed to the kernel. Throws std::runtime_error where the connection broke.
  void send(base::BytesView bytes);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gateway::net
