#include "gateway/bench/open_door.hpp"

namespace gateway::bench {

OpenDoor::OpenDoor(MeasuredHouse& house, const Keys& keys, unsigned threads)
    : house_(house), certificate_(keys.tls.certificate), server_(threads, {.count = [](const auto&, const auto&) {}}) {}

OpenDoor::~OpenDoor() { server_.stop(); }

Result<std::unique_ptr<OpenDoor>> OpenDoor::open(MeasuredHouse& house, const Keys& keys, unsigned threads) {
  std::unique_ptr<OpenDoor> door(new OpenDoor(house, keys, threads));
  TRY(door->listen(keys));
  return door;
}

/// All partners come from one address here: the limits for each address are those for all.
Result<void> OpenDoor::listen(const Keys& keys) {
  net::Limits limits;
  limits.connections_per_address = limits.connections;
  limits.accepts_per_second_per_address = 10'000;
  auto& door = house_.door();
  auto& directory = house_.directory();
  net::Tls tls{.credential = keys.tls,
               .accept_client = [&](const net::Peer& peer) { return door.accepts(peer, directory); }};
  port_ = TRY(server_.open({.name = "network",
                            .address = "127.0.0.1",
                            .tls = std::move(tls),
                            .limits = limits,
                            .routes = door.routes({discovery_path}, directory)}));
  server_.start();
  return {};
}

net::Destination OpenDoor::destination(certs::Credential partner) const {
  return {.port = port_, .credential = std::move(partner), .server = certificate_};
}

}  // namespace gateway::bench
