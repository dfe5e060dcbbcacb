#include "gateway/documents/seal.hpp"

#include "gateway/store/database.hpp"

#include <array>

namespace gateway::documents {
namespace {

using certs::Gmac;

constexpr std::size_t key_id_octets = 8;
constexpr std::string_view key_id_of = "Gatehouse content key";

BytesView view(const auto& octets) { return {reinterpret_cast<const char*>(octets.data()), octets.size()}; }

/// Big-endian.
std::array<std::uint8_t, 8> octets_of(std::uint64_t number) {
  std::array<std::uint8_t, 8> octets;
  for (std::size_t i = octets.size(); i-- > 0; number >>= 8u) octets[i] = static_cast<std::uint8_t>(number);
  return octets;
}

}  // namespace

ContentSeal::ContentSeal(BytesView key)
    : mac_(key), key_id_(certs::sha256(std::string(key_id_of).append(key)).substr(0, key_id_octets)) {}

Result<ContentSeal> ContentSeal::read(std::string_view text) {
  const auto key = base::read_hex(base::trim(text));
  if (!key || key->size() != Gmac::key_octets)
    return base::fail(store::Errc::Unreadable, "a content key is 64 hexadecimal digits");
  return ContentSeal(*key);
}

std::string ContentSeal::fresh_key() { return base::hex(view(certs::random_octets<Gmac::key_octets>())) + "\n"; }

Bytes ContentSeal::over(const ContentPiece& piece) {
  const auto nonce = certs::random_octets<Gmac::nonce_octets>();
  return Bytes(key_id_).append(view(nonce)).append(tag(view(nonce), piece));
}

bool ContentSeal::is_of_this_key(BytesView seal) const {
  return seal.size() == key_id_octets + Gmac::nonce_octets + Gmac::tag_octets && seal.starts_with(key_id_);
}

bool ContentSeal::fits(BytesView seal, const ContentPiece& piece) {
  if (!is_of_this_key(seal)) return false;
  const auto made = tag(seal.substr(key_id_octets, Gmac::nonce_octets), piece);
  return base::equal_in_constant_time(made, seal.substr(key_id_octets + Gmac::nonce_octets));
}

/// The parts before the octets are of fixed length, so that no two pieces come to the same text.
Bytes ContentSeal::tag(BytesView nonce, const ContentPiece& piece) {
  return mac_.tag(nonce, {piece.hash, view(octets_of(piece.size)),
                          view(octets_of(static_cast<std::uint64_t>(piece.number))), piece.octets});
}

}  // namespace gateway::documents
