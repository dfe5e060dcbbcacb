#pragma once
// The body of a message that is sent: octets in memory, and sources that are read piece by piece while they leave, so
// that a transfer costs a piece of memory and not the body's size. No sockets in here.

#include "base/bytes.hpp"

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

namespace gateway::net {

using base::Bytes;
using base::BytesView;
using base::Result;

/// Octets that are fetched while they are sent.
class Source {
 public:
  virtual ~Source() = default;
  /// Of all of them, known before the first is read: a head tells it.
  virtual std::uint64_t size() const = 0;
  /// The next octets, at least one until size() were given. Called on the thread that sends, which waits for it.
  /// @error ends the connection: the peer is left with fewer octets than the head told it
  virtual Result<Bytes> next() = 0;
};

using Piece = std::variant<Bytes, std::shared_ptr<Source>>;
/// Pieces that follow each other on the wire.
using Body = std::vector<Piece>;
/// Octets of all pieces.
std::uint64_t size(const Body& body);

/// Gives a body's octets one after the other, and lets go of each piece that was given.
class BodyReader {
 public:
  explicit BodyReader(Body body) : body_(std::move(body)) {}
  /// What comes next, at most `most` octets; none at the end. Valid until the next call.
  /// @error that of a source, also Errc::WrongSize of one that does not give as much as it says
  Result<BytesView> next(std::size_t most);

 private:
  Result<BytesView> current();
  void leave_piece();

  Body body_;
  std::size_t at_ = 0;       ///< of the piece that is read
  std::size_t taken_ = 0;    ///< octets of it, or of what its source gave last
  Bytes fetched_;            ///< what its source gave last
  std::uint64_t given_ = 0;  ///< octets its source gave
};

}  // namespace gateway::net
