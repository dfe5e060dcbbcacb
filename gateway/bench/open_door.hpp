#pragma once
// The measured house's door to the network, opened on the loopback interface as `serve` opens it.

#include "gateway/bench/measured_house.hpp"
#include "gateway/net/blocking_client.hpp"
#include "gateway/net/server.hpp"

namespace gateway::bench {

inline constexpr const char* discovery_path = "/ihe/xcpd";

class OpenDoor {
 public:
  /// @param threads  that do its input and output, and answer
  static Result<std::unique_ptr<OpenDoor>> open(MeasuredHouse& house, const Keys& keys, unsigned threads);
  ~OpenDoor();

  /// For a partner that shows this certificate.
  net::Destination destination(certs::Credential partner) const;

 private:
  OpenDoor(MeasuredHouse& house, const Keys& keys, unsigned threads);
  Result<void> listen(const Keys& keys);

  MeasuredHouse& house_;
  certs::Certificate certificate_;
  std::uint16_t port_ = 0;
  net::Server server_;
};

}  // namespace gateway::bench
