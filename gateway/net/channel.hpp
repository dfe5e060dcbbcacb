#pragma once
// The bytes of one connection over a non-blocking socket, plain or through TLS. It never waits: where it cannot go on
// it says for what, and the one who calls waits. Used by the I/O thread of its connection only. OpenSSL works on the
// socket itself and not on a pair of memory buffers: one copy less each way, no buffer held by an idle connection, and
// all records of a block leave in one send(). [facts/limits.md §1, §4, §6]

#include "gateway/net/tls_context.hpp"

#include <array>

namespace gateway::net {

/// An open file descriptor, closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  int number() const noexcept { return number_; }
  int release() noexcept { return std::exchange(number_, -1); }
  void close() noexcept;

 private:
  int number_ = -1;
};

/// A buffer of fixed capacity whose octets begin in the middle of a memory page. Allocators begin large blocks where a
/// page begins, a document's and OpenSSL's alike; and where the destination of a copy lies less than 64 octets further
/// into its page than the source, AMD's processors copy twenty times as slowly. [glibc bug 30994]
template <std::size_t capacity>
class alignas(4096) MidPage {
 public:
  std::size_t room() const noexcept { return capacity - filled_; }
  std::string_view view() const noexcept { return {octets_.data(), filled_}; }
  void clear() noexcept { filled_ = 0; }
  /// @return  how many of them there was room for
  std::size_t append(std::string_view octets) noexcept {
    const auto taken = octets.copy(octets_.data() + filled_, room());
    filled_ += taken;
    return taken;
  }

 private:
  std::array<char, 2048> before_;  ///< only there to move the octets
  std::array<char, capacity> octets_;
  std::size_t filled_ = 0;
};

/// The buffers all connections of one I/O thread share, because none of them holds bytes there while it waits.
struct ThreadBuffers {
  std::array<char, 64 << 10> in;
  MidPage<64 << 10> block;  ///< what is about to be encrypted
  MidPage<68 << 10> wire;   ///< what is about to be sent: a block, and what TLS adds
};

class Channel {
 public:
  enum class Step { Done, NeedsInput, NeedsOutput, Ended, Failed };

  /// @param tls  none: plain. The socket stays its owner's.
  Channel(int socket, std::shared_ptr<const TlsContext> tls, Peer& peer, ThreadBuffers& buffers);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Until Done. Failed: an alert for the peer is on its way.
  Step handshake();
  /// Takes what has come into `buffers.in`. @param count  octets, with Done only
  Step read(std::size_t& count);
  /// Bytes have been received that read() has not yet given: the socket must not be waited for.
  bool holds_input() const;
  /// Takes a block to send, at most as much as fits `buffers.block`; flush() says when it has gone.
  Step write(std::string_view block);
  /// Hands to the kernel what is left of earlier writes.
  Step flush();
  /// Says goodbye: close_notify, then the end of our direction.
  void shut();

  /// Why a handshake failed before the client's certificate could be judged, where that was about the certificate.
  const std::optional<base::Error>& refusal() const { return refusal_; }

  /// The name the client asked for (SNI), empty where there was none.
  std::string_view server_name() const;

 private:
  friend struct SocketBio;
  Step outcome(int returned);
  Step sent_so_far() const;

  int socket_;
  std::shared_ptr<const TlsContext> tls_;
  ThreadBuffers& buffers_;
  ssl_st* session_ = nullptr;
  std::string unsent_;      ///< what the kernel would not take at once
  std::size_t taken_ = 0;  ///< octets of it that it has taken since
  unsigned barren_reads_ = 0;
  std::optional<base::Error> refusal_;
  bool established_ = false, broken_ = false;
};

}  // namespace gateway::net
