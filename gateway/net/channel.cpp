#include "gateway/net/channel.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <new>

namespace gateway::net {
namespace {

// Reads in a row that may yield no octet for us: parts of records, and KeyUpdates, which a peer could send for ever.
// [L03]
constexpr unsigned barren_reads_max = 200;

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

void Descriptor::close() noexcept {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

/// The socket as OpenSSL sees it: reading receives, writing collects for one send().
struct SocketBio {
  static int read(BIO* bio, char* out, int size) {
    const auto& channel = *static_cast<Channel*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const auto got = ::recv(channel.socket_, out, static_cast<std::size_t>(size), 0);
    if (got < 0 && would_block()) BIO_set_retry_read(bio);
    return static_cast<int>(got);
  }

  static int write(BIO* bio, const char* bytes, int size) {
    auto& channel = *static_cast<Channel*>(BIO_get_data(bio));
    auto& wire = channel.buffers_.wire;
    try {
      if (wire.room() == 0) channel.flush();
    } catch (const std::bad_alloc&) {  // must not cross OpenSSL
      return -1;
    }
    return static_cast<int>(wire.append({bytes, static_cast<std::size_t>(size)}));
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO* make(Channel& channel) {
    static BIO_METHOD* const method = [] {
      auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket of a connection");
      BIO_meth_set_read(made, read);
      BIO_meth_set_write(made, write);
      BIO_meth_set_ctrl(made, control);
      return made;
    }();
    auto* bio = BIO_new(method);
    if (bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, &channel);
    BIO_set_init(bio, 1);
    return bio;
  }
};

Channel::Channel(int socket, std::shared_ptr<const TlsContext> tls, Peer& peer, ThreadBuffers& buffers)
    : socket_(socket), tls_(std::move(tls)), buffers_(buffers) {
  if (!tls_) return;
  auto* bio = SocketBio::make(*this);
  try {
    session_ = tls_->new_session(peer);
  } catch (...) {
    BIO_free(bio);
    throw;
  }
  SSL_set_bio(session_, bio, bio);
}

Channel::~Channel() { SSL_free(session_); }

/// What a call of OpenSSL came to, with whatever it had to say on the wire.
Channel::Step Channel::outcome(int returned) {
  const int error = SSL_get_error(session_, returned);
  const auto sent = flush();
  if (error == SSL_ERROR_NONE) return Step::Done;
  if (error == SSL_ERROR_WANT_READ) return sent == Step::Failed ? Step::Failed : Step::NeedsInput;
  if (error == SSL_ERROR_ZERO_RETURN) return Step::Ended;
  broken_ = true;
  return Step::Failed;
}

Channel::Step Channel::handshake() {
  if (session_ == nullptr) return Step::Done;
  ERR_clear_error();
  const int returned = SSL_do_handshake(session_);
  switch (returned == 1 ? 0 : ERR_GET_REASON(ERR_peek_error())) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: refusal_ = base::fail(Errc::NoClientCertificate); break;
    case SSL_R_EXCESSIVE_MESSAGE_SIZE: refusal_ = base::fail(Errc::ClientCertificatesTooLarge); break;
    default: break;
  }
  const auto step = outcome(returned);
  established_ = established_ || step == Step::Done;
  return step == Step::NeedsInput && !unsent_.empty() ? Step::NeedsOutput : step;
}

Channel::Step Channel::read(std::size_t& count) {
  if (session_ == nullptr) {
    const auto got = ::recv(socket_, buffers_.in.data(), buffers_.in.size(), 0);
    if (got < 0) return would_block() ? Step::NeedsInput : Step::Failed;
    count = static_cast<std::size_t>(got);
    return got == 0 ? Step::Ended : Step::Done;
  }
  ERR_clear_error();
  const auto step = outcome(SSL_read_ex(session_, buffers_.in.data(), buffers_.in.size(), &count));
  if (step == Step::Done) barren_reads_ = 0;
  if (step == Step::NeedsInput && ++barren_reads_ > barren_reads_max) return Step::Failed;
  return step;
}

bool Channel::holds_input() const { return session_ != nullptr && SSL_has_pending(session_) == 1; }

Channel::Step Channel::write(std::string_view block) {
  if (session_ == nullptr) {
    buffers_.wire.append(block);
    return flush();
  }
  ERR_clear_error();
  std::size_t taken = 0;
  const auto step = outcome(SSL_write_ex(session_, block.data(), block.size(), &taken));
  return step == Step::Done ? sent_so_far() : step;
}

Channel::Step Channel::flush() {
  auto& wire = buffers_.wire;
  if (!unsent_.empty()) {
    unsent_ += wire.view();
    wire.clear();
  }
  std::string_view rest = unsent_.empty() ? wire.view() : std::string_view(unsent_).substr(taken_);
  bool gone = false;
  while (!rest.empty()) {
    const auto sent = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    gone = sent < 0 && !would_block();
    if (sent < 0) break;
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  broken_ = broken_ || gone;
  if (rest.empty() || broken_) {
    std::string().swap(unsent_);
    taken_ = 0;
  } else if (unsent_.empty()) {
    unsent_.assign(rest);
  } else {
    taken_ = unsent_.size() - rest.size();
  }
  wire.clear();
  return sent_so_far();
}

Channel::Step Channel::sent_so_far() const {
  if (broken_) return Step::Failed;
  return unsent_.empty() ? Step::Done : Step::NeedsOutput;
}

void Channel::shut() {
  if (session_ != nullptr && established_ && !broken_) {
    ERR_clear_error();
    outcome(SSL_shutdown(session_));
  }
  ::shutdown(socket_, SHUT_WR);
}

std::string_view Channel::server_name() const {
  const char* name = session_ == nullptr ? nullptr : SSL_get_servername(session_, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view{} : std::string_view(name);
}

}  // namespace gateway::net
