#pragma once
// One connection to a syslog receiver over mutual TLS, by blocking calls with a patience, for a thread of its own. It
// knows how much of what it wrote the other machine has acknowledged. [RFC 5425; RFC 8446, RFC 9325]

#include "certs/trust.hpp"
#include "gateway/audit/sender.hpp"

namespace gateway::net {

using base::Result;

enum class SyslogErrc {
  CannotConnect = 1,  ///< no such host, no connection, or the handshake failed on either side
  WrongServer,        ///< the receiver's certificate is not believed, or is another name's
  Broken,             ///< the connection ended, or stood still for longer than the patience
};
boost::system::error_code make_error_code(SyslogErrc) noexcept;

struct SyslogDestination {
  std::string host;
  std::uint16_t port = 6514;
  std::string server_name;  ///< a DNS name or address that its certificate must bear
  std::shared_ptr<const certs::TrustStore> trust;
  certs::Credential credential;
  std::chrono::milliseconds patience{5000};  ///< for connecting, the handshake, and a receiver that does not read
};

class SyslogClient final : public audit::Sink {
 public:
  /// @error SyslogErrc::CannotConnect, SyslogErrc::WrongServer
  static Result<std::unique_ptr<audit::Sink>> connect(const SyslogDestination& destination);
  ~SyslogClient() override;

  /// @error SyslogErrc::Broken
  Result<void> write(base::BytesView frames) override;
  Result<std::uint64_t> acknowledged() override;

 private:
  struct Parts;
  explicit SyslogClient(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace gateway::net

namespace boost::system {
template <>
struct is_error_code_enum<gateway::net::SyslogErrc> : std::true_type {};
}  // namespace boost::system
