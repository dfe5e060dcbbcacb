#pragma once
// One keep-alive connection over mutual TLS by blocking calls, to a server whose certificate is known exactly. For
// measuring and for commands that ask one thing; doors and corridors never block. The process ignores SIGPIPE.
// [RFC 9110, 9112; RFC 8446]

#include "certs/x509.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace gateway::net {

using base::Bytes;
using base::BytesView;
using base::Result;

enum class ClientErrc {
  CannotConnect = 1,  ///< no connection, or the handshake failed on either side
  WrongServer,        ///< the server showed another certificate
  Broken,             ///< the connection ended, or stood still for longer than the patience
  BadAnswer,          ///< no HTTP/1.1 answer with a Content-Length, or one above the limit
};
boost::system::error_code make_error_code(ClientErrc) noexcept;

/// Whom to connect to, and who we are.
struct Destination {
  std::string address = "127.0.0.1";  ///< numeric IPv4
  std::uint16_t port = 0;
  certs::Credential credential;
  certs::Certificate server;          ///< believed by exact DER, nothing else is
  std::chrono::seconds patience{30};  ///< for one read or write
  std::size_t answer_bytes_max = 64u << 20;
  int kernel_receives = 0;  ///< octets the kernel takes while nobody reads; 0: as it likes
};

class BlockingClient {
 public:
  struct Answer {
    unsigned status = 0;
    std::string content_type = {};
    Bytes body = {};
  };

  /// Connects and shakes hands. @error ClientErrc::CannotConnect, ClientErrc::WrongServer
  static Result<BlockingClient> connect(const Destination& destination);
  ~BlockingClient();
  BlockingClient(BlockingClient&&) noexcept;

  /// Hands a request to the kernel. @error ClientErrc::Broken
  Result<void> send(std::string_view path, std::string_view content_type, BytesView body);
  /// The answer to the oldest request sent and not yet answered. @error ClientErrc::Broken, ClientErrc::BadAnswer
  Result<Answer> receive();
  /// send and receive
  Result<Answer> post(std::string_view path, std::string_view content_type, BytesView body);

 private:
  struct Parts;
  explicit BlockingClient(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace gateway::net

namespace boost::system {
template <>
struct is_error_code_enum<gateway::net::ClientErrc> : std::true_type {};
}  // namespace boost::system
