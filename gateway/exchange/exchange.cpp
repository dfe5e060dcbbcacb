#include "gateway/exchange/exchange.hpp"

#include "base/error_table.hpp"
#include "certs/crypto.hpp"

#include <unistd.h>

namespace gateway::exchange {
namespace {

using base::Cause;

constexpr base::ErrorRow rows[] = {
    {int(Errc::CallerRefused), "caller-refused", "the caller is not one we answer", Cause::NotTrusted},
    {int(Errc::PurposeMissing), "purpose-missing", "the token names no purpose of use", Cause::NotTrusted},
    {int(Errc::Relayed), "replay-relayed", "a message captured from another partner", Cause::NotTrusted},
    {int(Errc::Overloaded), "overloaded", "more requests of this partner wait than may; it may come back",
     Cause::TryLater},
    {int(Errc::Busy), "replay-busy", "the same request is being answered already", Cause::TryLater},
    {int(Errc::NotServedHere), "community-unknown", "this gateway does not speak for that community",
     Cause::NotSupported},
    {int(Errc::PeerWithdrawn), "peer-withdrawn", "the directory no longer knows this connection's partner as active",
     Cause::NotTrusted},
    {int(Errc::OwnCertificateExpired), "own-certificate-expired", "our own certificate has expired", Cause::TryLater},
    {int(Errc::PeerUnknown), "peer-unknown", "no client certificate", Cause::NotTrusted},
    {int(Errc::Defect), "defect", "a defect of this gateway", Cause::Defect},
    {int(Errc::TooManyWaiting), "too-many-waiting", "too many requests of this partner wait for a call-back",
     Cause::TryLater},
    {int(Errc::LeaseLost), "lease-lost", "another worker answers this request", Cause::TryLater},
    {int(Errc::Discarded), "call-back-discarded", "the request says that nobody wants its faults", Cause::NotSupported},
    {int(Errc::NotTaken), "call-back-not-taken", "the one who was called back did not take the answer",
     Cause::TryLater},
};
constexpr base::ErrorTable table("gateway.exchange", rows);

}  // namespace

boost::system::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), table}; }

Exchange::Exchange(const Received& received)
    : in(received),
      now(received.now),
      received_at(received.accepted ? received.accepted->at : received.now),
      ids(received.seed) {
  event.request = received.id;
  event.at = received.now;
  event.address = std::string(received.address);
  event.process = std::to_string(::getpid());
}

std::string sha256_hex(base::BytesView bytes) { return base::hex(certs::sha256(bytes)); }

}  // namespace gateway::exchange
